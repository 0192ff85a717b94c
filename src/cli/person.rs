//! `deskbell person …`: what is kept of an outside person, given out or taken out for good.

use super::export::{append_mbox, write};
use super::here::Here;
use super::print;
use super::session::{Session, unexpected};
use crate::domain::{
    AboutEdit, AboutNote, AboutView, EmailAddress, Fault, PersonNote, PersonView, Reference, Request,
    Response, counted,
};
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
    /// Writes a note on a person for the staff, never mailed; without a text shows what stands there.
    #[command(
        after_help = "Examples:\n  deskbell person note ada@customer.example 'calls back in the evening'\n  \
                            deskbell person note ada@customer.example --edit 2 - < text\n  \
                            deskbell person note ada@customer.example --remove 2"
    )]
    Note {
        address: EmailAddress,
        /// The text; `-` reads it from standard input.
        text: Option<String>,
        /// Writes this note anew.
        #[arg(long, value_name = "NUMBER", requires = "text")]
        edit: Option<u64>,
        /// Takes this note away.
        #[arg(long, value_name = "NUMBER", conflicts_with_all = ["text", "edit"])]
        remove: Option<u64>,
    },
    /// Marks a person as important: their issues say VIP, and `is:vip` finds them, in rules and clocks as well.
    #[command(after_help = "Examples:\n  deskbell person vip ada@customer.example\n  \
                            deskbell person vip ada@customer.example --off")]
    Vip {
        address: EmailAddress,
        /// Takes the mark off.
        #[arg(long)]
        off: bool,
    },
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
        Person::Note { address, text, edit, remove } => {
            note_on(here, &session, address, text, edit, remove).await
        }
        Person::Vip { address, off } => {
            set(here, &session, Request::SetAbout { email: address, edit: AboutEdit::Vip(!off) }).await
        }
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

async fn note_on(
    here: &Here,
    session: &Session,
    email: EmailAddress,
    text: Option<String>,
    edit: Option<u64>,
    remove: Option<u64>,
) -> Result<u8> {
    let text = match text.as_deref() {
        Some("-") => Some(super::issue::read_text(Path::new("-"))?),
        _ => text,
    };
    let edit = match (text, edit, remove) {
        (_, _, Some(note)) => AboutEdit::Remove { note },
        (Some(text), Some(note), None) => AboutEdit::Rewrite { note, text },
        (Some(text), None, None) => AboutEdit::Add(text),
        (None, _, None) => return set(here, session, Request::About(email)).await,
    };
    set(here, session, Request::SetAbout { email, edit }).await
}

/// Asks, and prints what is kept about the person then.
async fn set(here: &Here, session: &Session, request: Request) -> Result<u8> {
    let about: AboutView = match session.ask(request).await? {
        Response::About(about) => *about,
        other => return Err(unexpected(&other).into()),
    };
    if here.json {
        print::json(&about)?;
        return Ok(0);
    }
    print::say(format_args!("{}{}", about.email, if about.vip { "  VIP" } else { "" }))?;
    if about.notes.is_empty() {
        print::say(format_args!(
            "  no notes{}",
            if about.unknown { "; nobody of this address is known here" } else { "" }
        ))?;
    }
    about.notes.iter().try_for_each(kept_note)?;
    Ok(0)
}

fn kept_note(note: &AboutNote) -> Result<(), print::Unprinted> {
    let edited = note.edited.as_ref();
    let changed =
        |e: &crate::domain::Marked| format!(", changed by {} {}", print::line(&e.by), print::moment(e.at));
    let edited = edited.map_or(String::new(), changed);
    print::say(format_args!(
        "  {} by {}, {}{edited}",
        note.id,
        print::line(&note.by),
        print::moment(note.at)
    ))?;
    note.text.lines().try_for_each(|line| print::say(format_args!("    {}", print::line(line))))
}

async fn show(here: &Here, session: &Session, address: EmailAddress) -> Result<u8> {
    let person = view(session, Request::Person(address)).await?;
    if here.json {
        print::json(&person)?;
        return Ok(0);
    }
    summary(&person)?;
    issues(&person)?;
    if !person.kept_notes.is_empty() {
        print::say("\nNotes on them")?;
        person.kept_notes.iter().try_for_each(kept_note)?;
    }
    for (title, notes) in [("Written by them", &person.notes), ("Written by staff for staff", &person.about)]
    {
        if !notes.is_empty() {
            print::say(format_args!("\n{title}"))?;
            notes.iter().try_for_each(note)?;
        }
    }
    Ok(0)
}

fn summary(person: &PersonView) -> Result<(), print::Unprinted> {
    let names = if person.names.is_empty() { "no name".to_owned() } else { person.names.join(", ") };
    print::say(format_args!(
        "{} ({}){}",
        person.email,
        print::line(&names),
        if person.vip { "  VIP" } else { "" }
    ))?;
    print::say(counts(person).join(", "))
}

/// Counts what is kept; what the staff keep for each other only where there is any.
fn counts(person: &PersonView) -> Vec<String> {
    let counted = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    let mut counts = vec![
        counted(person.issues.len(), "issue", "issues"),
        counted(person.notes.len(), "note", "notes"),
        counted(person.intake.len(), "mail from them", "mails from them"),
        counted(person.outbox.len(), "mail to them", "mails to them"),
    ];
    if !person.kept_notes.is_empty() {
        let count = person.kept_notes.len();
        counts.push(counted(count, "note of the staff on them", "notes of the staff on them"));
    }
    if person.drafts > 0 {
        let count = usize::try_from(person.drafts).unwrap_or(usize::MAX);
        counts.push(counted(count, "draft of the staff", "drafts of the staff"));
    }
    counts
}

fn issues(person: &PersonView) -> Result<(), print::Unprinted> {
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

fn note(note: &PersonNote) -> Result<(), print::Unprinted> {
    let (by, at) = (print::line(&note.by), print::moment(note.created_at));
    print::say(format_args!("  {} note {} by {by}, {at}", note.reference, note.id))?;
    for line in note.body.lines() {
        print::say(format_args!("    {}", print::line(line)))?;
    }
    Ok(())
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
    here.deeds.note();
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
        summary(&person)?;
        print::say(format_args!("{}; all of it is in {}", counted(files, "file"), dir.display()))?;
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
        summary(&person)?;
        issues(&person)?;
    }
    confirmed(&address, confirm)?;
    let erased = view(session, Request::ErasePerson(address)).await?;
    if here.json {
        print::json(&erased)?;
        return Ok(0);
    }
    print::say("Erased: the address, the name, what they wrote, and their mails are gone from this desk.")?;
    if !person.kept_notes.is_empty() {
        print::say("The notes of the staff on them are gone as well.")?;
    }
    if person.drafts > 0 {
        print::say("Drafts of the staff stay without the address, the name and what they wrote.")?;
    }
    for backup in &erased.backups {
        print::say(format_args!("still held by the backup {}", print::line(backup)))?;
    }
    print::say("Backups elsewhere, exports, mailboxes and the mail that was sent are out of reach.")?;
    Ok(0)
}

/// Names the backups that still hold what was taken out, as far as they are known here.
pub(super) fn warn_of_backups(here: &Here) {
    let list = std::fs::read(here.paths.data_dir.join("backups")).unwrap_or_default();
    let names: Vec<String> = serde_json::from_slice(&list).unwrap_or_default();
    for backup in names.iter().filter(|name| here.host.is_none() && Path::new(name).exists()) {
        print::aside(format_args!("still held by the backup {}", print::line(backup)));
    }
}

/// Asks for the word, unless it was said.
fn confirmed(address: &EmailAddress, confirm: Option<String>) -> Result<(), Fault> {
    let said = match confirm {
        Some(said) => said,
        None if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => {
            print::ask(format_args!("This cannot be taken back. To erase {address}, write {WORD}:"));
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
