//! `deskbell import …`: what other desks and mail programs kept, taken over without a mail to anybody.

mod gitlab;

use super::args::Deliver;
use super::here::Here;
use super::session::{Session, unexpected};
use super::{deliver, print};
use crate::domain::{CategoryKind, Fault, FaultKind, ImportIssue, Imported, Request, Response, counted};
use anyhow::Result;
use clap::{Args, Subcommand, ValueHint};
use std::path::{Path, PathBuf};

/// After so many issues it is said how far it is.
const TOLD: u64 = 200;

/// Where it comes from.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// A project's export from GitLab (tar.gz): issues with their numbers, notes, people, labels, milestones, files.
    #[command(after_help = "Example:\n  deskbell import gitlab export.tar.gz --project acme/support\n\n\
                            Nobody is mailed. Who is a user here under the same name or address counts as the \
                            same person. A second run adds only what is new.")]
    Gitlab(Source),
    /// An mbox: its mails go through the intake of the project, silently.
    #[command(after_help = "Example:\n  deskbell import mbox support-2019.mbox --project acme/support")]
    Mbox(Source),
    /// A Maildir: its mails go through the intake of the project, silently.
    #[command(after_help = "Example:\n  deskbell import maildir ~/Maildir/.support --project acme/support")]
    Maildir(Source),
}

#[derive(Debug, Args)]
pub struct Source {
    #[arg(value_hint = ValueHint::AnyPath)]
    path: PathBuf,
    /// The project that takes it over.
    #[arg(long, value_name = "PATH")]
    project: String,
}

/// Carries out an import; gives 3 where parts of it failed.
pub async fn run(here: &Here, asked: Import) -> Result<u8> {
    match asked {
        Import::Gitlab(Source { path, project }) => gitlab(here, &path, &project).await,
        Import::Mbox(Source { path, project }) => {
            if !path.is_file() {
                return Err(Fault::usage(format!("{} is no file", path.display())).into());
            }
            mails(here, path, &project).await
        }
        Import::Maildir(Source { path, project }) => {
            if !path.join("cur").is_dir() {
                return Err(Fault::usage(format!("{} is no Maildir", path.display()))
                    .hint("a Maildir has the folders cur, new and tmp")
                    .into());
            }
            mails(here, path, &project).await
        }
    }
}

/// Lets mails through the intake as if they had come to the project's address.
async fn mails(here: &Here, path: PathBuf, project: &str) -> Result<u8> {
    let address = match super::session::ask(here, Request::Project(project.to_owned())).await? {
        Response::Project(project) => project.addresses.first().map(ToString::to_string),
        other => return Err(unexpected(&other).into()),
    };
    let to = address.ok_or_else(|| {
        Fault::refused(format!("no address leads to {project}"))
            .hint("a mailbox of the config whose address has %{key} gives every project one")
    })?;
    let asked = Deliver { paths: vec![path], to: Some(to), mailbox: None, silent: true, dry_run: false };
    deliver::run_counted(here, asked).await
}

/// What was taken over so far.
#[derive(Default, serde::Serialize)]
struct Counts {
    /// Issues that were not here before.
    new: u64,
    /// Issues that were.
    known: u64,
    notes: u64,
    labels: u64,
    milestones: u64,
    failed: Vec<String>,
}

async fn gitlab(here: &Here, path: &Path, project: &str) -> Result<u8> {
    let session = Session::open(here).await?;
    let counts = taken_over(&session, path, project).await;
    session.close().await;
    let counts = counts?;
    if here.json {
        print::json(&counts)?;
    } else {
        print::say(format_args!(
            "{} taken over, {} known before; {}, {}, {}",
            counted(counts.new, "issue"),
            counts.known,
            counted(counts.notes, "note"),
            counted(counts.labels, "label"),
            counted(counts.milestones, "milestone")
        ))?;
    }
    for failed in &counts.failed {
        print::aside(format_args!("error: {}", print::line(failed)));
    }
    Ok(if counts.failed.is_empty() { 0 } else { 3 })
}

async fn taken_over(session: &Session, path: &Path, project: &str) -> Result<Counts> {
    let (file, wanted) = (path.to_owned(), project.to_owned());
    let opened = tokio::task::spawn_blocking(move || gitlab::Export::open(&file, &wanted)).await?;
    let export = opened.map_err(|e| {
        Fault::refused(format!("{} cannot be imported: {e}", path.display()))
            .hint("it takes the tar.gz that a GitLab project exports, with tree/project/issues.ndjson in it")
    })?;
    let mut counts = Counts { failed: export.left_out.clone(), ..Counts::default() };
    for (kind, settings) in export.categories() {
        let request = Request::AddCategory { kind, project: project.to_owned(), settings };
        match session.ask(request).await {
            Ok(_) if kind == CategoryKind::Label => counts.labels += 1,
            Ok(_) => counts.milestones += 1,
            // It is here already.
            Err(fault) if fault.kind == FaultKind::Refused => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    for issue in export.issues()? {
        match issue {
            Ok(issue) => take(session, issue, &mut counts).await?,
            Err(failed) => counts.failed.push(failed),
        }
        let done = counts.new + counts.known;
        if done.is_multiple_of(TOLD) && done > 0 {
            print::aside(format_args!("{done} issues so far"));
        }
    }
    Ok(counts)
}

async fn take(session: &Session, issue: ImportIssue, counts: &mut Counts) -> Result<()> {
    let name = format!("#{} {}", issue.iid, issue.title);
    match session.ask(Request::Import(Box::new(issue))).await {
        Ok(Response::Imported(Imported { new, notes, .. })) => {
            counts.new += u64::from(new);
            counts.known += u64::from(!new);
            counts.notes += notes;
        }
        Ok(other) => return Err(unexpected(&other).into()),
        Err(fault) if matches!(fault.kind, FaultKind::Usage | FaultKind::Refused) => {
            counts.failed.push(format!("{name}: {fault}"));
        }
        Err(fault) => return Err(fault.into()),
    }
    Ok(())
}
