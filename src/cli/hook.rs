//! `deskbell hook`: what repositories and their servers tell the desk.

use super::here::Here;
use super::session::{ask, unexpected};
use super::{deliver, print};
use crate::domain::{Commit, Fault, Request, Response};
use crate::git::{self, GitError};
use crate::mail;
use anyhow::Result;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// Octets of a message on standard input.
const MESSAGE: usize = 1 << 20;

#[derive(Debug, Subcommand)]
pub enum Hook {
    /// Closes the issues that commits say they close, as in `Fixes #1, #2 and group/other#3`.
    #[command(after_help = "Examples:\n  \
                            deskbell hook commit --project acme/support HEAD          one commit, from post-commit\n  \
                            deskbell hook commit --project acme/support old..new      from post-receive or CI\n  \
                            git log -1 --format=%B | deskbell hook commit --project acme/support -\n\n\
                            Each commit closes an issue once: one that was opened again stays open.")]
    Commit(CommitArgs),
}

#[derive(Debug, Args)]
pub struct CommitArgs {
    /// The project to which bare numbers belong.
    #[arg(long, value_name = "PATH")]
    pub project: String,
    /// The repository; the current folder unless given.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub repository: Option<PathBuf>,
    /// A range such as old..new, one commit, or - for a message on standard input.
    #[arg(value_name = "RANGE", allow_hyphen_values = true)]
    pub range: String,
}

/// `deskbell hook …`.
pub async fn run(here: &Here, asked: Hook) -> Result<u8> {
    let Hook::Commit(asked) = asked;
    let commits = match asked.range.as_str() {
        "-" => vec![from_stdin()?],
        range => {
            let log = git::range(asked.repository.as_deref(), range).await.map_err(|e| fault(&e))?;
            if log.cut {
                let words = "there are more commits than are taken at once";
                return Err(Fault::refused(words).hint("name smaller ranges, one after the other").into());
            }
            log.commits
        }
    };
    match ask(here, Request::CommitsReached { project: asked.project, commits }).await? {
        Response::Edited { rows, .. } if here.json => print::json(&rows)?,
        Response::Edited { label, .. } => print::say(print::line(&label))?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

/// Takes a message from standard input. It has no commit, so the text itself is what is known again.
fn from_stdin() -> Result<Commit, Fault> {
    let bytes = deliver::read_stdin().map_err(|e| Fault::refused(format!("standard input: {e}")))?;
    if bytes.len() > MESSAGE {
        return Err(Fault::usage("the message is larger than 1 MiB"));
    }
    let message = String::from_utf8_lossy(&bytes).trim().to_owned();
    let subject = message.lines().next().unwrap_or_default().to_owned();
    let id = format!("-{}", mail::hash(message.as_bytes()));
    Ok(Commit { id, author: String::new(), subject, message })
}

fn fault(error: &GitError) -> Fault {
    match error {
        GitError::Range(_) => Fault::usage(error.to_string()),
        _ => Fault::refused(error.to_string()),
    }
    .hint(error.hint())
}
