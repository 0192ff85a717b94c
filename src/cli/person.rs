//! `deskbell person …`: what is kept of an outside person, given out or taken out for good.

use super::export::{append_mbox, write};
use super::here::Here;
use super::print;
use super::session::{Session, unexpected};
use crate::domain::{EmailAddress, Fault, PersonNote, PersonView, Reference, Request, Response};
use anyhow::Result;
use clap::{Subcommand, ValueHint};
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

/// The word that has to be said before a person is erased.
const WORD: &str = "ERASE";

/// The commands about a person.
#[derive(Debug, Subcommand)]
pub enum Person {
    /// Shows the issues of a person, what they wrote and what staff wrote for staff about them.
    #[command(after_help = "Example:\n  deskbell person show ada@customer.example --json")]
    Show { address: EmailAddress },
    /// Writes all that is kept of a person into a folder: JSON, their mails as mbox, their files.
    #[command(after_help = "Example:\n  deskbell person export ada@customer.example ada")]
    Export {
        address: EmailAddress,
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Takes everything of a person out for good: address, name, what they wrote, mails from them and to them.
    /// The issues stay, with what staff did in them. Nothing takes that back.
    #[command(after_help = "Examples:\n  deskbell person erase ada@customer.example\n  \
                            deskbell person erase ada@customer.example --confirm ERASE\n\n\
                            Stopped at any moment, it is finished when the desk is opened next. Backups and \
                            exports that were written before still hold the person; backups that are known are \
                            named.")]
    Erase {
        address: EmailAddress,
        /// The word ERASE, which is asked for on a terminal.
        #[arg(long, value_name = "WORD")]
        confirm: Option<String>,
    },
}

/// Carries out one of the commands about a person.
pub async fn run(here: &Here, asked: Person) -> Result<u8> {
    let session = Session::open(here).await?;
    let done = match asked {
        Person::Show { address } => show(here, &session, address).await,
        Person::Export { address, dir } => export(here, &session, address, &dir).await,
        Person::Erase { address, confirm } => erase(here, &session, address, confirm).await,
    };
    session.close().await;
    done
}

async fn view(session: &Session, request: Request) -> Result<PersonView> {
    match session.ask(request).await? {
        Response::Person(view) => Ok(*view),
        other => Err(unexpected(&other).into()),
    }
}

async fn show(here: &Here, session: &Session, address: EmailAddress) -> Result<u8> {
    let person = view(session, Request::Person(address)).await?;
    if here.json {
        print::json(&person)?;
        return Ok(0);
    }
    summary(&person);
    issues(&person)?;
    for (title, notes) in [("Written by them", &person.notes), ("Written by staff for staff", &person.about)]
    {
        if !notes.is_empty() {
            println!("\n{title}");
            notes.iter().for_each(note);
        }
    }
    Ok(0)
}

fn summary(person: &PersonView) {
    let names = if person.names.is_empty() { "no name".to_owned() } else { person.names.join(", ") };
    println!("{} ({})", person.email, print::line(&names));
    println!(
        "{} issues, {} notes, {} mails from them, {} mails to them",
        person.issues.len(),
        person.notes.len(),
        person.intake.len(),
        person.outbox.len()
    );
}

fn issues(person: &PersonView) -> Result<()> {
    let role = |issue: &crate::domain::PersonIssue| {
        issue.role.as_ref().map_or("wrote or was asked".to_owned(), print::word)
    };
    let row = |issue: &crate::domain::PersonIssue| {
        vec![
            issue.reference.clone(),
            print::word(&issue.state),
            role(issue),
            print::cut(&print::line(&issue.title), 50),
        ]
    };
    let rows: Vec<Vec<String>> = person.issues.iter().map(row).collect();
    print::table(&["ISSUE", "STATE", "AS", "TITLE"], &rows)
}

fn note(note: &PersonNote) {
    println!("  {} note {} by {}, {}", note.reference, note.id, print::line(&note.by), note.created_at);
    for line in note.body.lines() {
        println!("    {}", print::line(line));
    }
}

async fn export(here: &Here, session: &Session, address: EmailAddress, dir: &Path) -> Result<u8> {
    let person = view(session, Request::Person(address)).await?;
    write(&dir.join("person.json"), serde_json::to_string_pretty(&person)?.as_bytes())?;
    let mut mbox = Vec::new();
    for id in &person.intake {
        append_mail(session, Request::IntakeRaw(*id), &mut mbox).await?;
    }
    for id in &person.outbox {
        append_mail(session, Request::OutboxRaw(*id), &mut mbox).await?;
    }
    write(&dir.join("mails.mbox"), &mbox)?;
    let mut files = 0;
    for note in &person.notes {
        files += export_files(session, note, dir).await?;
    }
    if here.json {
        let counts = serde_json::json!({
            "dir": dir.display().to_string(),
            "issues": person.issues.len(),
            "notes": person.notes.len(),
            "mails": person.intake.len() + person.outbox.len(),
            "files": files,
        });
        print::json(&counts)?;
    } else {
        summary(&person);
        println!("{files} files; all of it is in {}", dir.display());
    }
    Ok(0)
}

/// Adds a mail whose bytes are still kept.
async fn append_mail(session: &Session, request: Request, mbox: &mut Vec<u8>) -> Result<()> {
    match session.ask(request).await {
        Ok(Response::Bytes(bytes)) => {
            let date = crate::mail::read(&bytes).ok().and_then(|mail| mail.date);
            append_mbox(mbox, date.unwrap_or_default(), &bytes);
            Ok(())
        }
        Ok(other) => Err(unexpected(&other).into()),
        Err(fault) if fault.kind == crate::domain::FaultKind::NotFound => Ok(()),
        Err(fault) => Err(fault.into()),
    }
}

/// Writes the files of a note; gives how many.
async fn export_files(session: &Session, note: &PersonNote, dir: &Path) -> Result<usize> {
    let reference: Reference = note.reference.parse()?;
    let issue = match session.ask(Request::Issue(reference.clone())).await? {
        Response::Issue(issue) => *issue,
        other => return Err(unexpected(&other).into()),
    };
    let Some(shown) = issue.notes.iter().find(|shown| shown.id == note.id) else { return Ok(0) };
    for (number, file) in (1..).zip(&shown.attachments) {
        let name: String = format!("{number}");
        let request = Request::Attachment { reference: reference.clone(), note: note.id, name };
        if let Response::Bytes(bytes) = session.ask(request).await? {
            let name = format!("{}-{number}-{}", note.id, crate::mail::safe_file_name(&file.name));
            write(&dir.join("files").join(name), &bytes)?;
        }
    }
    Ok(shown.attachments.len())
}

async fn erase(here: &Here, session: &Session, address: EmailAddress, confirm: Option<String>) -> Result<u8> {
    let person = view(session, Request::Person(address.clone())).await?;
    if !here.json {
        summary(&person);
        issues(&person)?;
    }
    confirmed(&address, confirm)?;
    let erased = view(session, Request::ErasePerson(address)).await?;
    if here.json {
        print::json(&erased)?;
        return Ok(0);
    }
    println!("Erased: the address, the name, what they wrote, and their mails are gone from this desk.");
    for backup in &erased.backups {
        println!("still held by the backup {}", print::line(backup));
    }
    println!("Backups elsewhere, exports, mailboxes and the mail that was sent are out of reach.");
    Ok(0)
}

/// Names the backups that still hold what was taken out, as far as they are known here.
pub(super) fn warn_of_backups(here: &Here) {
    let list = std::fs::read(here.paths.data_dir.join("backups")).unwrap_or_default();
    let names: Vec<String> = serde_json::from_slice(&list).unwrap_or_default();
    for backup in names.iter().filter(|name| here.host.is_none() && Path::new(name).exists()) {
        eprintln!("still held by the backup {}", print::line(backup));
    }
}

/// Asks for the word, unless it was said.
fn confirmed(address: &EmailAddress, confirm: Option<String>) -> Result<(), Fault> {
    let said = match confirm {
        Some(said) => said,
        None if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => {
            eprint!("This cannot be taken back. To erase {address}, write {WORD}: ");
            let mut line = String::new();
            let _ = std::io::stdin().lock().read_line(&mut line);
            line
        }
        None => {
            return Err(Fault::usage("erasing a person has to be confirmed").hint("say --confirm ERASE"));
        }
    };
    match said.trim() == WORD {
        true => Ok(()),
        false => Err(Fault::refused("nothing was erased").hint(format!("the word is {WORD}"))),
    }
}
