//! `deskbell sender …`: whose mail is let in, kept out, or shown to a person first.

use super::here::Here;
use super::print;
use super::session::{ask, only_project, unexpected};
use crate::domain::{
    EmailAddress, Fault, Request, Response, SenderRule, SenderScope, SenderVerdict, SenderView,
};
use anyhow::Result;
use clap::{Args, Subcommand, ValueHint};
use std::path::Path;

/// The commands about lists of senders.
#[derive(Debug, Subcommand)]
pub enum Sender {
    /// Lists the lines: those of a project, of the desk, or all.
    List(Whose),
    /// Lets mail in, whatever anybody else says.
    #[command(after_help = PATTERNS)]
    Allow(Line),
    /// Takes mail for spam.
    #[command(after_help = PATTERNS)]
    Block(Line),
    /// Lets mail wait in the intake for a person.
    #[command(after_help = PATTERNS)]
    Quarantine(Line),
    /// Takes a line away.
    Remove(Line),
    /// Says what the lists make of an address, or of a mail in a file.
    Test {
        #[arg(value_hint = ValueHint::AnyPath)]
        address_or_file: String,
        #[command(flatten)]
        whose: Whose,
    },
}

const PATTERNS: &str = "A line is an address, a domain, *.example.com for a domain with everything below it, a \
    pattern with * and ?, /a regular expression/, or header:Name=pattern.\n\nExamples:\n  deskbell sender block \
    '*.example.com'\n  deskbell sender quarantine 'header:X-Mailer=*bulk*' --desk";

/// Whose list is meant.
#[derive(Debug, Args)]
pub struct Whose {
    /// The list of this project; the only one there is, unless given.
    #[arg(long, value_name = "PATH", conflicts_with = "desk")]
    project: Option<String>,
    /// The list of the whole desk.
    #[arg(long)]
    desk: bool,
}

#[derive(Debug, Args)]
pub struct Line {
    pattern: String,
    #[command(flatten)]
    whose: Whose,
}

impl Whose {
    fn scope(self) -> Option<SenderScope> {
        match (self.project, self.desk) {
            (_, true) => Some(SenderScope::Desk),
            (project, false) => project.map(SenderScope::Project),
        }
    }

    /// Gives the list that is meant, which is that of the only project unless one is named.
    async fn one(self, here: &Here) -> Result<SenderScope> {
        match self.scope() {
            Some(scope) => Ok(scope),
            None => only_project(here, "whose list is meant?", "say --project PATH or --desk")
                .await
                .map(SenderScope::Project),
        }
    }
}

/// Carries out one of the commands about lists of senders.
pub async fn run(here: &Here, asked: Sender) -> Result<u8> {
    let request = match asked {
        Sender::List(whose) => Request::Senders(whose.scope()),
        Sender::Allow(line) => set(here, line, SenderRule::Allow).await?,
        Sender::Block(line) => set(here, line, SenderRule::Block).await?,
        Sender::Quarantine(line) => set(here, line, SenderRule::Quarantine).await?,
        Sender::Remove(line) => Request::RemoveSender { scope: line.whose.scope(), pattern: line.pattern },
        Sender::Test { address_or_file, whose } => test(here, &address_or_file, whose).await?,
    };
    match ask(here, request).await? {
        Response::Senders(lines) => print_lines(here, &lines)?,
        Response::SenderVerdict(verdict) if here.json => print::json(&verdict)?,
        Response::SenderVerdict(verdict) => print::say(words(&verdict))?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

/// Prints lines of lists of senders.
pub fn print_lines(here: &Here, lines: &[SenderView]) -> Result<(), print::Unprinted> {
    if here.json {
        return print::json(&lines);
    }
    if lines.is_empty() {
        print::say("No sender is listed.")?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    print::table(&["RULE", "SENDER", "LIST", "BY", ""], &rows)
}

async fn set(here: &Here, line: Line, rule: SenderRule) -> Result<Request> {
    Ok(Request::SetSender { scope: line.whose.one(here).await?, pattern: line.pattern, rule })
}

async fn test(here: &Here, text: &str, whose: Whose) -> Result<Request> {
    let scope = whose.one(here).await?;
    let file = Path::new(text);
    if file.exists() {
        let raw = std::fs::read(file)
            .map_err(|e| Fault::refused(format!("{} cannot be read: {e}", file.display())))?;
        return Ok(Request::TestSender { scope, address: None, raw });
    }
    match EmailAddress::parse(text) {
        Some(address) => Ok(Request::TestSender { scope, address: Some(address), raw: Vec::new() }),
        None => Err(Fault::usage(format!("`{text}` is neither an address nor a file")).into()),
    }
}

fn row(line: &SenderView) -> Vec<String> {
    vec![
        line.rule.word().to_owned(),
        print::line(&line.pattern),
        line.project.clone().unwrap_or_else(|| "the desk".to_owned()),
        print::line(&line.by),
        line.reference.as_ref().map_or(String::new(), |reference| format!("{reference} was spam")),
    ]
}

fn words(verdict: &SenderVerdict) -> String {
    match &verdict.line {
        Some(line) => format!("{}: {} says so", line.rule.word(), print::line(&line.pattern)),
        None => "no list names it; the other checks decide".to_owned(),
    }
}
