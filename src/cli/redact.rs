//! `deskbell issue redact`: what would go is shown and counted, and goes only after a yes.

use super::here::Here;
use super::person::warn_of_backups;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{Fault, Redact, RedactionPlan, Request, Response};
use anyhow::Result;
use std::io::{BufRead, IsTerminal};

/// Takes words and files of a note out for good, unless this is a dry run.
pub async fn run(here: &Here, asked: Redact, yes: bool) -> Result<u8> {
    let plan = match ask(here, Request::Redact(Redact { dry_run: true, ..asked.clone() })).await? {
        Response::Redaction(plan) => plan,
        other => return Err(unexpected(&other).into()),
    };
    if asked.dry_run {
        match here.json {
            true => print::json(&plan)?,
            false => lines(&plan).iter().for_each(|line| println!("{line}")),
        }
        return Ok(0);
    }
    if !here.json {
        lines(&plan).iter().for_each(|line| eprintln!("{line}"));
    }
    confirmed(yes)?;
    match ask(here, Request::Redact(asked)).await? {
        Response::Issue(issue) if here.json => print::json(&issue.json())?,
        Response::Issue(issue) => print::issue(&issue)?,
        other => return Err(unexpected(&other).into()),
    }
    warn_of_backups(here);
    Ok(0)
}

/// Says what would go, a line each.
fn lines(plan: &RedactionPlan) -> Vec<String> {
    let counted = |count: u64, thing: &str| format!("{count} {thing}{}", if count == 1 { "" } else { "s" });
    let what = [
        counted(plan.notes, "note"),
        counted(plan.files.len() as u64, "file of the note"),
        format!("{} written anew", counted(plan.mails, "kept mail or file")),
    ];
    let mut lines = vec![format!("note {} of {}: {}", plan.note, plan.reference, what.join(", "))];
    lines.extend(plan.files.iter().map(|name| format!("file {}", print::line(name))));
    lines.extend(plan.others.iter().map(|reference| format!("the words stand in {reference} as well")));
    lines
}

/// Asks, unless it was said.
fn confirmed(yes: bool) -> Result<(), Fault> {
    if yes {
        return Ok(());
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(
            Fault::usage("a redaction has to be confirmed").hint("say --yes; --dry-run shows what goes")
        );
    }
    eprint!("This cannot be taken back. To redact it, write yes: ");
    let mut line = String::new();
    let _ = std::io::stdin().lock().read_line(&mut line);
    match line.trim() == "yes" {
        true => Ok(()),
        false => Err(Fault::refused("nothing was redacted").hint("the word is yes")),
    }
}
