//! `deskbell issue …`, `undo`, `redo`.

use super::args::{EditArgs, Issue, MergeArgs, NoteArgs, NoteEachArgs, OrNone};
use super::here::Here;
use super::session::{Session, ask, unexpected};
use super::{deliver, print};
use crate::config::parse_duration;
use crate::domain::moment::{deadline, moment, work};
use crate::domain::quick::handed_over;
use crate::domain::{
    AddressState, ChangeView, DeedView, Edit, Failed, Fault, FillCanned, Forward, IssueQuery, IssueSplit,
    IssueView, NewIssue, NewNote, NewNotes, NoteId, NoteKind, NoteView, ParticipantView, Query, Redact,
    Reference, Request, Response, Seq, Upload,
};
use anyhow::Result;
use jiff::{Timestamp, tz::TimeZone};
use std::io::Write;
use std::path::Path;

/// Carries out one of the commands about issues.
pub async fn run(here: &Here, asked: Issue) -> Result<u8> {
    match asked {
        Issue::List { query, view, limit, offset } => list(here, &query.join(" "), view, limit, offset).await,
        Issue::Show { reference } => show(here, reference).await,
        Issue::History { reference, by, field } => history(here, reference, by, field).await,
        Issue::Similar { reference } => similar(here, reference).await,
        Issue::NoteEach(asked) => note_each(here, asked).await,
        Issue::Raw { reference, note } => {
            let request = Request::RawMail { reference, note: NoteId(note) };
            write_bytes(here, request, Path::new("-")).await
        }
        Issue::Html { reference, note, output, open } => {
            let request = Request::OriginalHtml { reference, note: NoteId(note) };
            if open { open_page(here, request).await } else { write_bytes(here, request, &output).await }
        }
        Issue::Attachment { reference, note, name, output } => {
            let request = Request::Attachment { reference, note: NoteId(note), name };
            write_bytes(here, request, &output).await
        }
        Issue::New { project, title, to, message } => {
            let new = NewIssue { project, title, to, text: message, hold_ms: None };
            answered(here, Request::NewIssue(new)).await
        }
        Issue::Note(asked) => note(here, asked).await,
        Issue::HandOver { reference, user, message } => {
            let user = user.trim_start_matches('@');
            let text = handed_over(user, &message);
            let new = NewNote { reference, text, internal: true, ..NewNote::default() };
            answered(here, Request::AddNote(new)).await
        }
        Issue::Edit(asked) => edit(here, asked.references.clone(), edits(&asked)?).await,
        Issue::Spam { references } => edit(here, references, vec![Edit::Spam(true)]).await,
        Issue::Ham { references } => edit(here, references, vec![Edit::Spam(false)]).await,
        Issue::Merge(MergeArgs { references, into, dry_run }) => {
            changed(here, Request::Merge { references, into, dry_run }).await
        }
        Issue::Unmerge { references } => match <[Reference; 1]>::try_from(references) {
            Ok([reference]) => changed(here, Request::Unmerge(reference)).await,
            Err(references) => changed(here, Request::UnmergeMany(references)).await,
        },
        Issue::Move { references, project } => edit(here, references, vec![Edit::MoveTo(project)]).await,
        Issue::Split { reference, notes, title } => {
            let notes = notes.into_iter().map(NoteId).collect();
            answered(here, Request::Split(IssueSplit { reference, notes, title })).await
        }
        Issue::Forward { reference, notes, to, message, hold } => {
            let hold_ms = hold.as_deref().map(hold_ms).transpose()?;
            let notes = notes.into_iter().map(NoteId).collect();
            answered(here, Request::Forward(Forward { reference, notes, to, text: message, hold_ms })).await
        }
        Issue::Link { reference, others } => {
            edit(here, vec![reference], others.into_iter().map(Edit::Link).collect()).await
        }
        Issue::Unlink { reference, others } => {
            edit(here, vec![reference], others.into_iter().map(Edit::Unlink).collect()).await
        }
        Issue::Redact { reference, note, words, file, dry_run, yes } => {
            let redact = Redact { reference, note: NoteId(note), words, files: file, dry_run };
            super::redact::run(here, redact, yes).await
        }
        Issue::Snooze { references, until } => edit(here, references, vec![snooze(&until)?]).await,
    }
}

/// Shows the place where a query is wrong; who reads JSON gets it as a number.
fn point_at_fault(here: &Here, query: &str) {
    if let Err(wrong) = Query::check(query)
        && !here.json
    {
        print::aside(format_args!(
            "  {}\n  {}^",
            print::line(query),
            " ".repeat(wrong.column.saturating_sub(1))
        ));
    }
}

async fn list(here: &Here, query: &str, view: Option<String>, limit: u64, offset: u64) -> Result<u8> {
    point_at_fault(here, query);
    let query = &match view {
        Some(name) => format!("{} {query}", super::view::query_of(here, &name).await?),
        None => query.to_owned(),
    };
    let query = IssueQuery { query: query.to_owned(), offset, limit };
    match ask(here, Request::Issues(query)).await? {
        Response::Issues(page) if here.json => print::json(&page.rows)?,
        Response::Issues(page) => print::issues(&page.rows, page.total)?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

async fn show(here: &Here, reference: Reference) -> Result<u8> {
    match ask(here, Request::Issue(reference)).await? {
        Response::Issue(issue) => print_issue(here, &issue)?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

async fn similar(here: &Here, reference: Reference) -> Result<u8> {
    let found = match ask(here, Request::Similar(reference)).await? {
        Response::Similar(found) => found,
        other => return Err(unexpected(&other).into()),
    };
    if here.json {
        print::json(&found.iter().map(print::similar_json).collect::<Vec<_>>())?;
    } else if found.is_empty() {
        print::say("nothing like this was written before")?;
    }
    for one in found.iter().filter(|_| !here.json) {
        print::say(format_args!("{} {}%  {}", one.row.reference, one.share, print::line(&one.row.title)))?;
        print::say(format_args!("  shares: {}", print::line(&one.words.join(" "))))?;
        if let Some(answer) = &one.answer {
            print::say(format_args!(
                "  {} answered, {}:",
                print::line(&answer.by),
                print::moment(answer.at)
            ))?;
            for line in answer.text.lines() {
                print::say(format_args!("    {}", print::line(line)))?;
            }
        }
    }
    Ok(0)
}

fn print_issue(here: &Here, issue: &IssueView) -> Result<(), print::Unprinted> {
    if here.json { print::json(&print::issue_json(issue)) } else { print::issue(issue) }
}

async fn history(here: &Here, reference: Reference, by: Option<String>, field: Option<String>) -> Result<u8> {
    let Response::History(mut changes) = ask(here, Request::History(reference)).await? else {
        return Err(Fault::internal("the desk gave an unexpected answer").into());
    };
    let name = |change: &ChangeView| {
        change.actor.email.as_ref().map_or(change.actor.user.clone(), ToString::to_string)
    };
    changes.retain(|change| by.as_ref().is_none_or(|by| name(change) == *by));
    changes.retain(|change| field.as_ref().is_none_or(|field| change.is_of_field(field)));
    if here.json {
        print::json(&changes)?;
        return Ok(0);
    }
    for change in &changes {
        let who = change.actor.email.as_ref().map_or(change.actor.user.clone(), ToString::to_string);
        let (before, after) = change.values_in_words(print::moment);
        print::say(format_args!(
            "{}  {}  {}: {} → {}",
            print::moment(change.at),
            print::line(&who),
            change.field_in_words(),
            print::line(&before),
            print::line(&after)
        ))?;
    }
    Ok(0)
}

/// Writes one text to several issues, filled for each, or says what each would get.
async fn note_each(here: &Here, asked: NoteEachArgs) -> Result<u8> {
    let text = match (&asked.message, &asked.file) {
        (Some(message), _) => message.clone(),
        (None, Some(file)) => read_text(file)?,
        (None, None) => {
            return Err(Fault::usage("there is no text").hint("say it with -m TEXT or -F FILE").into());
        }
    };
    let hold_ms = asked.hold.as_deref().map(hold_ms).transpose()?;
    let NoteEachArgs { references, internal, close, dry_run, .. } = asked;
    let many = NewNotes { references, text, internal, hold_ms, close, dry_run };
    match ask(here, Request::NoteMany(many)).await? {
        Response::NotesPlanned(planned) if here.json => print::json(&planned)?,
        Response::NotesPlanned(planned) => {
            for note in &planned {
                print::say(format_args!("{}  {}", note.reference, print::line(&note.to.join(", "))))?;
                for missing in &note.missing {
                    print::say(format_args!("  not sent here: %{{{missing}}} stands for nothing"))?;
                }
                for line in note.text.lines() {
                    print::say(format_args!("  {}", print::line(line)))?;
                }
            }
        }
        answer => return edited(here, answer),
    }
    Ok(0)
}

async fn write_bytes(here: &Here, request: Request, output: &Path) -> Result<u8> {
    let Response::Bytes(bytes) = ask(here, request).await? else {
        return Err(Fault::internal("the desk gave an unexpected answer").into());
    };
    if output == Path::new("-") {
        print::bytes(&bytes)?;
    } else {
        std::fs::write(output, &bytes)
            .map_err(|e| Fault::refused(format!("{} cannot be written: {e}", output.display())))?;
    }
    Ok(0)
}

/// Opens a page from a file that only its reader can read.
async fn open_page(here: &Here, request: Request) -> Result<u8> {
    let Response::Bytes(page) = ask(here, request).await? else {
        return Err(Fault::internal("the desk gave an unexpected answer").into());
    };
    let folder = super::tty::scratch_dir(here).map_err(|e| super::session::unusable(here, &e))?;
    let (path, mut file) = new_page(&folder)?;
    file.write_all(&page)?;
    drop(file);
    let browser = std::env::var("BROWSER").ok().filter(|b| !b.trim().is_empty());
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    // Through the shell, since `$BROWSER` may hold arguments; the path is handed over as one word.
    let command = format!("{} \"$1\"", browser.as_deref().unwrap_or(opener));
    let status =
        tokio::process::Command::new("sh").arg("-c").arg(command).arg("sh").arg(&path).status().await?;
    if !status.success() {
        let said = format!("the browser ended with {status}");
        return Err(Fault::refused(said).hint(format!("the page is in {}", path.display())).into());
    }
    Ok(0)
}

/// Makes a new file for a page.
fn new_page(folder: &Path) -> std::io::Result<(std::path::PathBuf, std::fs::File)> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = folder.join(format!("page-{:016x}.html", rand::random::<u64>()));
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok((path, file))
}

async fn note(here: &Here, asked: NoteArgs) -> Result<u8> {
    let text = match (&asked.message, &asked.file) {
        (Some(message), _) => message.clone(),
        (None, Some(file)) => read_text(file)?,
        (None, None) if asked.attach.is_empty() && asked.canned.is_none() => {
            return Err(Fault::usage("there is no text").hint("say it with -m TEXT or -F FILE").into());
        }
        (None, None) => String::new(),
    };
    let (text, mut attach) = match &asked.canned {
        Some(name) => with_canned(here, name, &asked.reference, &text).await?,
        None => (text, Vec::new()),
    };
    let hold = asked.hold.as_deref().map(hold_ms).transpose()?;
    for path in &asked.attach {
        attach.push(upload(path)?);
    }
    let new = NewNote {
        reference: asked.reference,
        text,
        internal: asked.internal,
        attach,
        cc: asked.cc,
        without: Vec::new(),
        hold_ms: hold,
        seen: None,
        close: asked.close,
        status: asked.status,
    };
    answered(here, Request::AddNote(new)).await
}

/// Asks for something that makes or answers an issue, and prints it.
async fn answered(here: &Here, request: Request) -> Result<u8> {
    let session = Session::open(here).await?;
    let answer = session.ask(request).await;
    let done = shown(here, &session, answer?);
    session.close().await;
    done
}

/// Prints the issue that a command made or answered, and says where its mail waits.
fn shown(here: &Here, session: &Session, answer: Response) -> Result<u8> {
    let (issue, mails, fate) = match answer {
        Response::Issue(issue) => {
            let mails = issue.notes.iter().map(|n| n.delivery.len()).sum();
            (issue, mails, None)
        }
        Response::Noted { issue, note, outbox, held_until } => {
            let fate = issue.notes.iter().find(|n| n.id == note).map(|note| whom_to(note, held_until));
            (issue, outbox.len(), fate)
        }
        // It was quick actions alone.
        Response::Edited { rows, label, .. } => {
            match here.json {
                true => print::json(&rows.first())?,
                false => print::say(print::line(&label))?,
            }
            return Ok(0);
        }
        other => return Err(unexpected(&other).into()),
    };
    if here.json {
        print::json(&print::issue_json(&issue))?;
    } else {
        print::say(format_args!("{}  {}", issue.row.reference, print::line(&issue.row.title)))?;
        fate.map_or(Ok(()), |fate| print::say(format_args!("  {fate}")))?;
    }
    if mails > 0 {
        let bounced = |p: &&ParticipantView| p.subscribed && p.address_state == AddressState::Bounced;
        for person in issue.participants.iter().filter(bounced) {
            print::aside(format_args!(
                "warning: the last mail to {} came back",
                print::line(person.email.as_str())
            ));
        }
    }
    if mails > 0 && !session.is_served() {
        print::aside("note: the mail waits in the outbox until `deskbell sync` runs");
    }
    Ok(0)
}

/// Says who gets a note, and until when it is held.
fn whom_to(note: &NoteView, held_until: Option<Timestamp>) -> String {
    let people: Vec<String> = note.delivery.iter().map(|d| print::line(d.to.as_str())).collect();
    let held = held_until.map_or(String::new(), |at| format!(", held until {}", print::moment(at)));
    match (people.is_empty(), note.kind) {
        (false, _) => format!("goes to {}{held}", people.join(", ")),
        (true, NoteKind::Internal) => "internal, goes to nobody outside".to_owned(),
        (true, _) => "goes to nobody".to_owned(),
    }
}

async fn edit(here: &Here, references: Vec<Reference>, edits: Vec<Edit>) -> Result<u8> {
    changed(here, Request::Edit { references, edits }).await
}

/// Carries out a change and prints what was changed, or what would be.
async fn changed(here: &Here, request: Request) -> Result<u8> {
    edited(here, ask(here, request).await?)
}

/// Prints what was changed, or what would be; gives the exit code.
pub(super) fn edited(here: &Here, answer: Response) -> Result<u8> {
    match answer {
        Response::Plan(lines) if here.json => print::json(&lines)?,
        Response::Plan(lines) => lines.iter().try_for_each(|line| print::say(print::line(line)))?,
        Response::Edited { rows, failed, .. } if here.json => {
            let printed = print::json(&rows);
            let code = told_failures(&failed);
            printed?;
            return Ok(code);
        }
        Response::Edited { label, failed, .. } => {
            let printed = print::say(print::line(&label));
            let code = told_failures(&failed);
            printed?;
            return Ok(code);
        }
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

/// Says what could not be done; gives the exit code.
pub(super) fn told_failures(failed: &[Failed]) -> u8 {
    for one in failed {
        print::aside(format_args!("not done: {}: {}", one.reference, print::line(&one.reason)));
    }
    if failed.is_empty() { 0 } else { 3 }
}

fn edits(asked: &EditArgs) -> Result<Vec<Edit>, Fault> {
    let mut edits = Vec::new();
    edits.extend(asked.title.clone().map(Edit::Title));
    edits.extend(asked.label.iter().cloned().map(Edit::Label));
    edits.extend(asked.unlabel.iter().cloned().map(Edit::Unlabel));
    edits.extend(asked.assign.clone().map(Edit::Assign));
    edits.extend(asked.unassign.then_some(Edit::Unassign));
    edits.extend(asked.confidential.map(Edit::Confidential));
    edits.extend(asked.add_email.iter().cloned().map(Edit::AddEmail));
    edits.extend(asked.remove_email.iter().cloned().map(Edit::RemoveEmail));
    edits.extend(asked.subscribe.iter().cloned().map(Edit::Subscribe));
    edits.extend(asked.unsubscribe.iter().cloned().map(Edit::Unsubscribe));
    edits.extend(asked.priority.clone().map(|OrNone(priority)| Edit::Priority(priority)));
    edits.extend(asked.status.map(Edit::Status));
    edits.extend(asked.due.as_deref().map(due).transpose()?.map(Edit::Due));
    edits.extend(asked.milestone.clone().map(|name| Edit::Milestone(Some(name).filter(|n| n != "none"))));
    edits.extend(asked.weight.as_deref().map(weight).transpose()?.map(Edit::Weight));
    edits.extend(asked.estimate.as_deref().map(estimate).transpose()?.map(Edit::Estimate));
    edits.extend(asked.spend.as_deref().map(spent).transpose()?.map(Edit::Spend));
    edits.extend(asked.convert_to_ticket.clone().map(Edit::ConvertToTicket));
    edits.extend(asked.duplicate.clone().map(Edit::DuplicateOf));
    edits.extend(asked.reopen.then_some(Edit::Reopen));
    edits.extend(asked.close.then_some(Edit::Close));
    if edits.is_empty() {
        return Err(
            Fault::usage("there is nothing to change").hint("`deskbell issue edit --help` lists what can be")
        );
    }
    Ok(edits)
}

/// Reads a date, which means its end, or a moment; in words as well, as on the screen.
fn due(text: &str) -> Result<Option<Timestamp>, Fault> {
    if text == "none" {
        return Ok(None);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Some(at));
    }
    deadline(text, Timestamp::now(), &TimeZone::system()).map(Some).ok_or_else(|| {
        Fault::usage(format!("`{text}` is not a date"))
            .hint("write friday, tomorrow, 3d, 2026-12-24 or '2026-12-24 14:00'")
    })
}

fn weight(text: &str) -> Result<Option<u32>, Fault> {
    match text {
        "none" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Fault::usage(format!("`{text}` is not a weight"))),
    }
}

/// Reads until when issues are put away.
fn snooze(text: &str) -> Result<Edit, Fault> {
    let now = Timestamp::now();
    let until = match text {
        "none" => None,
        text => Some(moment(text, now, &TimeZone::system()).filter(|at| *at > now).ok_or_else(|| {
            Fault::usage(format!("`{text}` is no moment to come"))
                .hint("write 2h, tomorrow, monday, 2026-12-01 or '2026-12-01 14:00'")
        })?),
    };
    Ok(Edit::Snooze(until))
}

fn estimate(text: &str) -> Result<Option<i64>, Fault> {
    match text {
        "none" => Ok(None),
        text => spent(text).map(Some),
    }
}

fn spent(text: &str) -> Result<i64, Fault> {
    work(text).ok_or_else(|| {
        Fault::usage(format!("`{text}` is not a time of work")).hint("write it as 30m, 1h 30m, 2d or 1w")
    })
}

fn hold_ms(text: &str) -> Result<u64, Fault> {
    let hold = parse_duration(text).ok_or_else(|| {
        Fault::usage(format!("`{text}` is not a duration")).hint("write it as 10s, 5m or 2h")
    })?;
    Ok(u64::try_from(hold.as_millis()).unwrap_or(u64::MAX))
}

pub(super) fn read_text(file: &Path) -> Result<String, Fault> {
    let bytes = if file == Path::new("-") { deliver::read_stdin() } else { std::fs::read(file) };
    let bytes = bytes.map_err(|e| Fault::refused(format!("{} cannot be read: {e}", file.display())))?;
    String::from_utf8(bytes).map_err(|_| Fault::usage(format!("{} is not UTF-8 text", file.display())))
}

/// Puts the text of a canned reply in front of what was written; gives its files too.
async fn with_canned(
    here: &Here,
    name: &str,
    reference: &Reference,
    text: &str,
) -> Result<(String, Vec<Upload>)> {
    let asked = FillCanned { scope: None, name: name.to_owned(), reference: reference.clone() };
    match ask(here, Request::FillCanned(asked)).await? {
        Response::FilledCanned(filled) => {
            let text = format!("{}\n\n{}", filled.text.trim_end(), text).trim_end().to_owned();
            Ok((text, filled.files))
        }
        other => Err(unexpected(&other).into()),
    }
}

pub(super) fn upload(path: &Path) -> Result<Upload> {
    let bytes =
        std::fs::read(path).map_err(|e| Fault::refused(format!("{} cannot be read: {e}", path.display())))?;
    let name = path.file_name().map_or("file".into(), |name| name.to_string_lossy().into_owned());
    Ok(Upload { name, bytes })
}

/// `deskbell undo`.
pub async fn undo(here: &Here, id: Option<u64>, list: bool, limit: u64) -> Result<u8> {
    match (id, list) {
        (_, true) => changes(here, limit).await,
        (Some(id), _) => taken_back(here, Request::UndoOne(Seq(id))).await,
        (None, _) => taken_back(here, Request::Undo).await,
    }
}

/// Lists the last changes, and says which of them the caller can take back.
async fn changes(here: &Here, limit: u64) -> Result<u8> {
    let Response::Changes(rows) = ask(here, Request::Changes { limit }).await? else {
        return Err(Fault::internal("the desk gave an unexpected answer").into());
    };
    if here.json {
        print::json(&rows)?;
        return Ok(0);
    }
    if rows.is_empty() {
        print::say("nothing was changed yet")?;
        return Ok(0);
    }
    let line = |row: &DeedView| {
        let who = row.actor.email.as_ref().map_or(row.actor.user.clone(), ToString::to_string);
        let rules = row.rules.iter().map(|rule| format!(", rule {rule}")).collect::<String>();
        let from = format!("{}{rules}", print::word(&row.actor.via));
        let may = match (row.undoable, &row.why_not) {
            (true, _) => "yes",
            (false, Some(why)) => why,
            (false, None) => "",
        };
        let cells =
            [row.seq.to_string(), print::moment(row.at), who, from, row.label.clone(), may.to_owned()];
        cells.map(|cell| print::line(&cell)).to_vec()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(line).collect();
    print::table(&["id", "at", "who", "from", "what", "undo"], &rows)?;
    Ok(0)
}

/// `deskbell redo`.
pub async fn redo(here: &Here) -> Result<u8> {
    taken_back(here, Request::Redo).await
}

async fn taken_back(here: &Here, request: Request) -> Result<u8> {
    let Response::Undone { label, skipped, draft, .. } = ask(here, request).await? else {
        return Err(Fault::internal("the desk gave an unexpected answer").into());
    };
    if here.json {
        print::json(&serde_json::json!({ "label": label, "skipped": skipped, "draft": draft }))?;
    } else {
        print::say(print::line(&label))?;
        for line in &skipped {
            print::say(format_args!("  but {}", print::line(line)))?;
        }
        if draft.is_some() {
            print::say("  its text is a draft again")?;
        }
    }
    Ok(if skipped.is_empty() { 0 } else { 3 })
}
