//! Git: how it is called, and what its answers mean.
//!
//! Owns the child process. Knows nothing of issues; what a commit closes is for `domain` and `desk`. Nothing is
//! written into a repository but one private ref where a fetch was asked for.

mod files;
mod run;
mod watch;

pub use files::files;
pub use watch::{News, Seen, Wanted, news};

use crate::domain::Commit;
use run::{Ran, git, said};
use std::path::Path;

/// Commits that are read at once, the newest first.
const COMMITS: usize = 5000;
/// Octets of a log, and of one message.
const LOG: u64 = 32 << 20;
const MESSAGE: usize = 64 << 10;
/// Hash, author, subject, whole message: each ends with a zero.
const FORMAT: &str = "--format=%H%x00%aN%x00%s%x00%B";

/// Why git could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("git cannot be started: {0}")]
    Start(std::io::Error),
    #[error("git did not end within {0} s")]
    Slow(u64),
    #[error("git cannot be talked to: {0}")]
    Talk(std::io::Error),
    #[error("git says: {0}")]
    Said(String),
    #[error("its remote cannot be fetched: {0}")]
    Fetch(String),
    #[error("`{0}` is not a range of commits")]
    Range(String),
    #[error("it has no branch `{0}`")]
    Branch(String),
}

impl GitError {
    /// Says what helps.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Start(_) => "install git, or see that it is in the PATH of the desk",
            Self::Slow(_) => "see whether its remote answers: `git fetch` there by hand says more",
            Self::Fetch(_) => "`git fetch origin` there by hand, as the account of the desk, says more",
            Self::Talk(_) => "it is tried again",
            Self::Said(words) if words.contains("dubious ownership") => {
                "as the account of the desk: git config --global --add safe.directory FOLDER"
            }
            Self::Said(words) if words.contains("not a git repository") => {
                "the setting `repository` is the folder of a repository on the machine of the desk"
            }
            Self::Said(_) => "the same command by hand, as the account of the desk, says more",
            Self::Range(_) => "write it as `old..new`, or name one commit such as `HEAD`",
            Self::Branch(_) => "set `repository_branch` of the project to a branch that is there",
        }
    }
}

/// Commits that were read, and whether there were more than are read at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The oldest first.
    pub commits: Vec<Commit>,
    pub cut: bool,
}

/// Gives the version of git that is installed.
pub async fn version() -> Result<String, GitError> {
    Ok(said(git(None), &["--version"]).await?.trim().to_owned())
}

/// Reads the commits of a range such as `old..new`, or the one commit that is named without dots.
///
/// Without a folder the current one counts, and what a hook of git's has in its environment.
pub async fn range(folder: Option<&Path>, range: &str) -> Result<Log, GitError> {
    if range.is_empty() || range.starts_with('-') || range.chars().any(char::is_control) {
        return Err(GitError::Range(range.to_owned()));
    }
    let one: &[&str] = if range.contains("..") { &[] } else { &["-1"] };
    log(folder, &[one, &["--end-of-options", range, "--"]].concat()).await
}

async fn log(folder: Option<&Path>, which: &[&str]) -> Result<Log, GitError> {
    let most = format!("--max-count={COMMITS}");
    let fixed = [
        "log",
        "-z",
        FORMAT,
        "-s",
        "--no-color",
        "--no-show-signature",
        "--no-decorate",
        "--encoding=UTF-8",
        &most,
    ];
    let ran = run::run(git(folder), &[&fixed, which].concat(), LOG).await?;
    Ok(read_log(&ran))
}

fn read_log(ran: &Ran) -> Log {
    let mut fields = ran.out.split(|octet| *octet == 0);
    let mut commits = Vec::new();
    while let (Some(id), Some(author), Some(subject), Some(message)) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    {
        let text =
            |octets: &[u8]| String::from_utf8_lossy(octets.get(..MESSAGE).unwrap_or(octets)).into_owned();
        commits.push(Commit {
            id: text(id),
            author: text(author),
            subject: text(subject),
            message: text(message).trim_end().to_owned(),
        });
    }
    if ran.cut {
        // The last message may have lost its end.
        commits.pop();
    }
    let cut = ran.cut || commits.len() >= COMMITS;
    commits.reverse();
    Log { commits, cut }
}
