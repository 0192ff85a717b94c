//! Printing: text for people, one JSON value for programs.
//!
//! Whatever came from outside is cleaned before it reaches a terminal.

use super::here::Here;
use crate::domain::{
    Channel, ChannelState, ClockKind, IssueClock, IssueRow, IssueView, NoteKind, NoteView, OutboxCounts,
    ProjectView, SimilarIssue, SyncReport, counted,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Standard output did not take what was to be printed.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written")]
pub struct Unprinted(#[from] io::Error);

impl Unprinted {
    /// Tells whether its reader has left, as `head` does.
    pub fn reader_left(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Prints a line.
pub fn say(line: impl Display) -> Result<(), Unprinted> {
    onto(|out| writeln!(out, "{line}"))
}

/// Says a line beside the output, on standard error. Where even that is not heard, nothing else would be.
pub fn aside(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Asks on standard error; the answer is given on the same line.
pub fn ask(question: impl Display) {
    let _ = write!(io::stderr(), "{question} ");
}

/// Prints octets as they are.
pub fn bytes(bytes: &[u8]) -> Result<(), Unprinted> {
    onto(|out| out.write_all(bytes))
}

/// Prints one JSON value.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), Unprinted> {
    onto(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

/// Writes to standard output; all of it has left this process afterwards.
fn onto(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Unprinted> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// Takes everything out of a text that could steer a terminal; line breaks and tabs stay.
pub fn clean(text: &str) -> String {
    let hostile = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
    };
    text.chars().map(|c| if hostile(c) { '\u{fffd}' } else { c }).collect()
}

/// Makes a text one line.
pub fn line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

/// Gives a moment to the second; nobody reads nanoseconds.
pub fn moment(at: Timestamp) -> String {
    at.round(jiff::Unit::Second).unwrap_or(at).to_string()
}

/// Gives an age in one word: `12s`, `3h`, `2d`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Gives a number of octets as people say it.
pub fn size(octets: u64) -> String {
    match octets {
        0..1000 => format!("{octets} B"),
        1000..1_000_000 => format!("{} KB", octets / 1000),
        1_000_000..1_000_000_000 => format!("{}.{} MB", octets / 1_000_000, octets / 100_000 % 10),
        _ => format!("{}.{} GB", octets / 1_000_000_000, octets / 100_000_000 % 10),
    }
}

/// Prints rows under their heads, each column as wide as it needs to be; the last one takes what is left.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> Result<(), Unprinted> {
    onto(|out| out.write_all(in_columns(heads, rows).as_bytes()))
}

/// Writes rows under their heads.
fn in_columns(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
        cells.chain(heads.get(column).map(|head| head.width())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(&heads).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Cuts a text to a width in columns.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if kept.width() + c.to_string().width() + 1 > width {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

/// Gives the word that JSON has for a value of ours.
pub fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn object<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Gives the JSON of an issue: its row with its notes, participants and links.
pub fn issue_json(issue: &IssueView) -> Value {
    issue.json()
}

/// Gives the JSON of a similar issue: its row stands beside what it shares.
pub fn similar_json(similar: &SimilarIssue) -> Value {
    let mut map = object(similar);
    if let Some(Value::Object(row)) = map.remove("row") {
        map.extend(row);
    }
    Value::Object(map)
}

/// Gives the JSON of a project: its settings stand beside its path.
pub fn project_json(project: &ProjectView) -> Value {
    let mut map = object(project);
    if let Some(Value::Object(settings)) = map.remove("settings") {
        map.extend(settings);
    }
    Value::Object(map)
}

/// Prints the list of issues.
pub fn issues(rows: &[IssueRow], total: u64) -> Result<(), Unprinted> {
    if rows.is_empty() {
        say("No issue is found.")?;
        return Ok(());
    }
    let now = Timestamp::now();
    let clocks = rows.iter().any(|row| row.clock.is_some());
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let clock = row.clock.as_ref().map_or_else(String::new, |clock| in_words(clock, now));
            let mut cells = vec![
                line(&row.reference),
                word(&row.state),
                cut(&line(&row.title), 48),
                cut(&line(row.author.label()), 24),
                row.assignee.as_deref().map_or_else(|| "–".to_owned(), line),
                row.waiting_on.map_or_else(String::new, |party| word(&party)),
                age(row.updated_at, now),
            ];
            cells.extend(Some(clock).filter(|_| clocks));
            cells
        })
        .collect();
    let heads = ["ISSUE", "STATE", "TITLE", "FROM", "WHO", "WAITS ON", "CHANGED", "CLOCK"];
    table(heads.get(..7 + usize::from(clocks)).unwrap_or_default(), &lines)?;
    if total > rows.len() as u64 {
        say(format_args!("\n{} of {total}; --limit and --offset show more", rows.len()))?;
    }
    Ok(())
}

/// Prints an issue with its notes.
pub fn issue(issue: &IssueView) -> Result<(), Unprinted> {
    let row = &issue.row;
    say(format_args!("{}  {}", row.reference, line(&row.title)))?;
    let mut facts = vec![word(&row.status)];
    facts.extend(row.labels.iter().map(|label| line(label)));
    facts.extend(row.priority.map(|p| format!("priority {}", word(&p))));
    facts.extend(row.assignee.iter().map(|who| format!("assigned to {}", line(who))));
    facts.extend(row.waiting_on.map(|party| format!("waiting on {}", word(&party))));
    facts.extend(issue.rating.map(|rating| format!("rated {}", rating.word())));
    facts.extend(row.clock.as_ref().map(|clock| in_words(clock, Timestamp::now())));
    say(format_args!("{}", facts.join(" · ")))?;
    if let Some(address) = &issue.address {
        say(format_args!("forward to {address}"))?;
    }
    if !issue.moved_from.is_empty() {
        say(format_args!("moved from {}", issue.moved_from.join(", ")))?;
    }
    if let Some(from) = &issue.split_from {
        say(format_args!("split out of {from}"))?;
    }
    if !issue.split_into.is_empty() {
        say(format_args!("notes went out into {}", issue.split_into.join(", ")))?;
    }
    for person in &issue.participants {
        let name = person.name.as_deref().map_or(String::new(), |name| format!("{} ", line(name)));
        let mailed = if person.subscribed { "" } else { ", not mailed" };
        say(format_args!("  {name}<{}> {}{mailed}", person.email, word(&person.role)))?;
    }
    for link in &issue.links {
        say(format_args!(
            "  {} {} {}",
            word(&link.kind).replace('_', " "),
            link.reference,
            line(&link.title)
        ))?;
    }
    for note in &issue.notes {
        self::note(note)?;
    }
    Ok(())
}

/// Says how a clock stands.
fn in_words(clock: &IssueClock, now: Timestamp) -> String {
    let what = match clock.kind {
        ClockKind::First => "first answer",
        ClockKind::Next => "answer",
        ClockKind::Resolve => "end",
    };
    match clock.due_at {
        Some(at) if at < now => format!("{what} late by {}", age(at, now)),
        Some(at) => format!("{what} due in {}", age(now, at)),
        None => format!("{what}: the clock stands"),
    }
}

fn note(note: &NoteView) -> Result<(), Unprinted> {
    let who = line(note.author.label());
    if note.kind == NoteKind::System {
        say(format_args!("\n[{}] {}", moment(note.created_at), line(&note.body)))?;
        return Ok(());
    }
    let kind = if note.kind == NoteKind::Internal { " · INTERNAL" } else { "" };
    say(format_args!("\n── {} · {who}{kind} · {}", note.id, moment(note.created_at)))?;
    if let Some(seal) = &note.seal {
        say(format_args!("   {} {}", if seal.is_doubtful() { "!" } else { "·" }, line(&seal.words)))?;
    }
    for warning in &note.warnings {
        say(format_args!("   ! {}", line(warning)))?;
    }
    say(format_args!("{}", clean(note.body.trim_end())))?;
    if let Some(folded) = &note.folded {
        say(format_args!("   ▸ {}", counted(folded.lines().count(), "folded line")))?;
    }
    for (number, file) in note.attachments.iter().enumerate() {
        say(format_args!(
            "   {} {}  {}  {}",
            number + 1,
            line(&file.name),
            size(file.size),
            line(&file.media_type)
        ))?;
    }
    for delivery in &note.delivery {
        let error = delivery.error.as_deref().map_or(String::new(), |e| format!(": {}", line(e)));
        say(format_args!("   {} {}{error}", word(&delivery.state), delivery.to))?;
    }
    Ok(())
}

/// Prints a project.
pub fn project(project: &ProjectView) -> Result<(), Unprinted> {
    let state = if project.enabled { "Service Desk is active" } else { "Service Desk is off" };
    say(format_args!("{} (project {}): {state}", project.path, project.id))?;
    if project.addresses.is_empty() {
        say("  no mailbox reaches it yet; `deskbell init` sets one up")?;
    }
    for (number, address) in project.addresses.iter().enumerate() {
        say(format_args!("  {address}{}", if number == 0 { "   the one to publish" } else { "" }))?;
    }
    settings(&object(&project.settings))
}

/// Prints settings that are set.
pub fn settings(map: &Map<String, Value>) -> Result<(), Unprinted> {
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null() && **value != json!([])) {
        let text = match value {
            Value::String(text) => line(text),
            Value::Array(items) => {
                let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                line(&words.join(", "))
            }
            other => other.to_string(),
        };
        say(format_args!("  {key} = {text}"))?;
    }
    Ok(())
}

/// Prints what one pass brought, and which outlets do not work.
pub fn sync_report(here: &Here, report: &SyncReport, failing: &[Channel]) -> Result<(), Unprinted> {
    for outlet in failing {
        aside(format_args!(
            "error: {}: {}",
            outlet.name,
            line(outlet.error.as_deref().unwrap_or("it does not work"))
        ));
        if let Some(hint) = &outlet.hint {
            aside(format_args!("hint: {}", line(hint)));
        }
    }
    report.notices.iter().for_each(|notice| aside(format_args!("warning: {}", line(notice))));
    if here.json {
        return json(report);
    }
    for mailbox in &report.mailboxes {
        let silent =
            if mailbox.silent > 0 { format!(", {} of them silently", mailbox.silent) } else { String::new() };
        let failed =
            if mailbox.failed > 0 { format!(", {} quarantined", mailbox.failed) } else { String::new() };
        say(format_args!("{}: {} new{silent}{failed}", mailbox.name, mailbox.new))?;
        if let Some(error) = &mailbox.error {
            aside(format_args!("error: {}: {}", mailbox.name, line(error)));
        }
    }
    let out = &report.outbox;
    say(format_args!(
        "outbox: {} sent, {} held, {} deferred, {} failed",
        out.sent, out.held, out.deferred, out.failed
    ))?;
    Ok(())
}

/// Says how a mailbox or an outlet is doing.
pub fn channel(channel: &Channel, now: Timestamp) -> String {
    let since = age(channel.since, now);
    match channel.state {
        ChannelState::Failing => {
            let error = channel.error.as_deref().map_or(String::new(), line);
            let next = channel.next_try.map_or(String::new(), |at| format!(", next try in {}", age(now, at)));
            format!("✗ {error} (for {since}{next})")
        }
        ChannelState::Ok => {
            format!("✓ {}", channel.last_success.map_or(String::new(), |at| age(at, now) + " ago"))
        }
        ChannelState::Busy => match channel.progress {
            Some((done, all)) => format!("{done} of {all}"),
            None => "busy".to_owned(),
        },
        other => word(&other),
    }
}

/// Says everything about a serving desk in one line; first that it is stale, if something has failed for long.
pub fn one_line(
    (mailboxes, outlets, outbox): &(Vec<Channel>, Vec<Channel>, OutboxCounts),
    stale_after: Duration,
    now: Timestamp,
) -> String {
    let channels = || mailboxes.iter().chain(outlets);
    let long = |since| now.duration_since(since).unsigned_abs() >= stale_after;
    let stale = channels().any(|c| c.state == ChannelState::Failing && long(c.since));
    let mut parts: Vec<String> = stale.then(|| "stale".to_owned()).into_iter().collect();
    parts.extend(channels().map(|c| format!("{} {}", c.name, channel(c, now))));
    parts.push(self::outbox(outbox));
    parts.join(" · ")
}

/// Says what waits in the outbox.
pub fn outbox(counts: &OutboxCounts) -> String {
    let parts = [
        (counts.held, "held"),
        (counts.queued, "queued"),
        (counts.sending, "sending"),
        (counts.deferred, "deferred"),
        (counts.failed, "failed"),
        (counts.bounced, "bounced"),
    ];
    let some: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    format!("outbox {}", if some.is_empty() { "empty".to_owned() } else { some.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_line_begins_with_what_has_failed_for_long() {
        let since = Timestamp::UNIX_EPOCH;
        let failing = Channel {
            name: "smtp".to_owned(),
            method: "smtp".to_owned(),
            state: ChannelState::Failing,
            since,
            last_success: None,
            next_try: None,
            error: Some("refused".to_owned()),
            hint: None,
            progress: None,
            silent: 0,
        };
        let glance = (Vec::new(), vec![failing], OutboxCounts::default());
        let line = |seconds| {
            let now = since + Duration::from_secs(seconds);
            one_line(&glance, Duration::from_secs(60), now)
        };
        assert_eq!(line(59), "smtp ✗ refused (for 59s) · outbox empty");
        assert_eq!(line(60), "stale · smtp ✗ refused (for 1m) · outbox empty");
    }
}
