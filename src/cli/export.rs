//! `deskbell export DIR`: a folder for each issue, with Markdown, raw mails and attachments.
//!
//! Names are stable and nothing in a file tells when it was written, so that two exports differ only where the desk
//! does, and a folder of them lives well in git.

use super::here::Here;
use super::print;
use super::session::{Session, unexpected};
use crate::domain::{
    Fault, IssueQuery, IssueRow, IssueView, NoteView, Reference, Request, Response, counted,
};
use anyhow::Result;
use jiff::Timestamp;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const PAGE: u64 = 500;

/// Writes every issue below a folder.
pub async fn run(here: &Here, dir: &Path) -> Result<u8> {
    let session = Session::open(here).await?;
    let mut count = 0;
    // Spam and merged issues come only when asked for.
    for query in ["sort:created-asc", "is:spam sort:created-asc", "is:merged sort:created-asc"] {
        count += export_all(&session, dir, query).await?;
    }
    session.close().await;
    here.deeds.note();
    if here.json {
        print::json(&serde_json::json!({ "issues": count, "dir": dir.display().to_string() }))?;
    } else {
        print::say(format_args!("{} written below {}", counted(count, "issue"), dir.display()))?;
    }
    Ok(0)
}

async fn export_all(session: &Session, dir: &Path, query: &str) -> Result<usize> {
    let mut offset = 0;
    loop {
        let asked = IssueQuery { query: query.to_owned(), offset, limit: PAGE };
        let page = match session.ask(Request::Issues(asked)).await? {
            Response::Issues(page) => page,
            other => return Err(unexpected(&other).into()),
        };
        for row in &page.rows {
            export_issue(session, dir, row).await?;
        }
        offset += page.rows.len() as u64;
        if page.rows.is_empty() || offset >= page.total {
            return Ok(usize::try_from(offset).unwrap_or(usize::MAX));
        }
    }
}

async fn export_issue(session: &Session, dir: &Path, row: &IssueRow) -> Result<()> {
    let reference: Reference = row.reference.parse()?;
    let issue = match session.ask(Request::Issue(reference.clone())).await? {
        Response::Issue(issue) => *issue,
        other => return Err(unexpected(&other).into()),
    };
    let place = folder(dir, &issue.row);
    clear(&place)?;
    write(&place.join("issue.md"), markdown(&issue).as_bytes())?;
    write(&place.join("issue.json"), serde_json::to_string_pretty(&print::issue_json(&issue))?.as_bytes())?;
    let mut mbox = Vec::new();
    for note in &issue.notes {
        export_note(session, &place, &reference, note, &mut mbox).await?;
    }
    if !mbox.is_empty() {
        write(&place.join("mails.mbox"), &mbox)?;
    }
    Ok(())
}

async fn export_note(
    session: &Session,
    place: &Path,
    reference: &Reference,
    note: &NoteView,
    mbox: &mut Vec<u8>,
) -> Result<()> {
    if note.has_raw || !note.delivery.is_empty() {
        let request = Request::RawMail { reference: reference.clone(), note: note.id };
        if let Response::Bytes(bytes) = session.ask(request).await? {
            append_mbox(mbox, note.created_at, &bytes);
        }
    }
    for number in 0..note.attachments.len() {
        let name = (number + 1).to_string();
        let request = Request::Attachment { reference: reference.clone(), note: note.id, name };
        if let Response::Bytes(bytes) = session.ask(request).await? {
            write(&place.join("attachments").join(file_name(note, number)), &bytes)?;
        }
    }
    Ok(())
}

/// Gives where an issue goes: `group/project/12`, whatever becomes of its title.
fn folder(dir: &Path, row: &IssueRow) -> PathBuf {
    dir.join(&row.project).join(row.iid.to_string())
}

/// Takes away what an earlier export wrote of an issue, so that nothing stays that is gone.
fn clear(place: &Path) -> Result<(), Fault> {
    let failed = |e: std::io::Error| Fault::refused(format!("{} cannot be cleared: {e}", place.display()));
    let missing = |e: &std::io::Error| e.kind() == std::io::ErrorKind::NotFound;
    match std::fs::remove_dir_all(place.join("attachments")) {
        Err(error) if !missing(&error) => return Err(failed(error)),
        _ => {}
    }
    match std::fs::remove_file(place.join("mails.mbox")) {
        Err(error) if !missing(&error) => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Gives the name of a file of a note: its note and its place make it one of its own.
fn file_name(note: &NoteView, number: usize) -> String {
    let name = note.attachments.get(number).map_or("", |file| file.name.as_str());
    format!("{}-{}-{}", note.id, number + 1, crate::mail::safe_file_name(name))
}

fn markdown(issue: &IssueView) -> String {
    let row = &issue.row;
    let quoted = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
    let mut text = String::from("---\n");
    let _ = writeln!(text, "ref: {}", quoted(&row.reference));
    let _ = writeln!(text, "title: {}", quoted(&row.title));
    let _ = writeln!(text, "type: {}", print::word(&row.kind));
    let _ = writeln!(text, "state: {}", print::word(&row.state));
    let _ = writeln!(text, "status: {}", print::word(&row.status));
    let _ = writeln!(text, "from: {}", quoted(row.author.label()));
    let people: Vec<String> = issue.participants.iter().map(|person| quoted(person.email.as_str())).collect();
    let _ = writeln!(text, "participants: [{}]", people.join(", "));
    let _ = writeln!(text, "confidential: {}", row.confidential);
    let labels: Vec<String> = row.labels.iter().map(|label| quoted(label)).collect();
    let _ = writeln!(text, "labels: [{}]", labels.join(", "));
    let _ = writeln!(text, "assignee: {}", row.assignee.as_deref().map_or("null".to_owned(), quoted));
    let priority = row.priority.as_ref().map_or("null".to_owned(), print::word);
    let _ = writeln!(text, "priority: {priority}");
    let due = row.due_at.map_or("null".to_owned(), |due| due.to_string());
    let _ = writeln!(text, "due_at: {due}");
    let _ = writeln!(text, "created_at: {}\nupdated_at: {}\n---\n", row.created_at, row.updated_at);
    let _ = writeln!(text, "# {}\n", print::line(&row.title));
    for note in &issue.notes {
        let _ = writeln!(
            text,
            "## {} · {} · {}\n",
            print::line(note.author.label()),
            print::word(&note.kind),
            note.created_at
        );
        let _ = writeln!(text, "{}\n", print::clean(note.body.trim_end()));
        if let Some(folded) = &note.folded {
            let _ = writeln!(text, "<details>\n\n{}\n\n</details>\n", print::clean(folded.trim_end()));
        }
        for (number, file) in note.attachments.iter().enumerate() {
            let _ =
                writeln!(text, "- [{}](attachments/{})", print::line(&file.name), file_name(note, number));
        }
        if !note.attachments.is_empty() {
            text.push('\n');
        }
    }
    text
}

/// Adds a mail to an mbox; lines that look like its separator are quoted (mboxrd).
pub(super) fn append_mbox(mbox: &mut Vec<u8>, at: Timestamp, mail: &[u8]) {
    let date = at.strftime("%a %b %e %H:%M:%S %Y");
    mbox.extend_from_slice(format!("From deskbell {date}\n").as_bytes());
    for line in mail.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let bare = line.iter().position(|b| *b != b'>').and_then(|at| line.get(at..)).unwrap_or_default();
        if bare.starts_with(b"From ") {
            mbox.push(b'>');
        }
        mbox.extend_from_slice(line);
        mbox.push(b'\n');
    }
    mbox.push(b'\n');
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, bytes))
        .map_err(|e| Fault::refused(format!("{} cannot be written: {e}", path.display())))
}
