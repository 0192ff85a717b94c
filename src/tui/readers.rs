//! Texts to read over a screen: history, why, raw mail, author; and what can be opened from a thread.

use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::markup;
use super::outbox::state_word;
use super::overlay::{Ask, Overlay, Prompt};
use super::picker::{Choice, Item, Picker};
use super::send::size;
use super::when;
use crate::domain::{ChangeView, Channel, ChannelState, IssueView, NoteId, Reference, Request, counted};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::path::PathBuf;

/// A raw mail is shown up to so many octets.
const RAW_MAX: usize = 400_000;

impl App {
    pub fn reader_width(&self) -> usize {
        usize::from(self.width).saturating_sub(4)
    }

    /// Gives the issue in front with its notes, if they are on the screen.
    pub fn front_view(&self) -> Option<&IssueView> {
        let shown = if self.on_list() { &self.preview } else { &self.thread };
        shown.as_ref().map(|t| &t.view)
    }

    /// Shows every change of an issue.
    pub fn show_history(&mut self, reference: &Reference, changes: &[ChangeView]) {
        let zone = self.options.time_zone.clone();
        let line = |c: &ChangeView| {
            let who = c.actor.email.as_ref().map_or(c.actor.user.as_str(), |e| e.as_str());
            let reason = c.reason.as_ref().map_or(String::new(), |r| format!(" ({r})"));
            let (before, after) = c.values_in_words(|at| when::full(at, &zone));
            let what = format!("{}: {before} -> {after}{reason}", c.field_in_words());
            Line::from(vec![
                Span::styled(format!("{}  ", when::full(c.at, &zone)), self.theme.dim),
                Span::styled(format!("{}  ", clean::line(who)), self.theme.strong),
                Span::raw(clean::line(&what)),
            ])
        };
        let lines = match changes {
            [] => vec![Line::raw("nothing has changed yet")],
            changes => changes.iter().map(line).collect(),
        };
        self.open_reader(&format!("History of {reference}  f filters"), lines);
        if let Some(Overlay::Reader(reader)) = &mut self.overlay {
            reader.history = Some((reference.clone(), changes.to_vec()));
        }
    }

    /// Asks whose changes, or changes of which field, are to be shown.
    pub fn ask_history_filter(&mut self) {
        let Some(Overlay::Reader(reader)) = &self.overlay else { return };
        let Some((reference, changes)) = reader.history.clone() else {
            return self.say("only the history of an issue is filtered");
        };
        let mut words: Vec<String> =
            changes.iter().map(|change| change.field_in_words().to_owned()).collect();
        words.extend(changes.iter().map(changed_by));
        words.sort();
        words.dedup();
        let hint = format!("a person, a field, or both: {}", words.join(" "));
        let ask = Ask::HistoryFilter { reference, changes };
        self.open_prompt(Prompt::new(ask, "Show only", "", &clean::line(&hint)));
    }

    /// Shows those changes that every word fits: by the person, or by the field.
    pub fn filter_history(&mut self, reference: &Reference, changes: Vec<ChangeView>, words: &str) {
        let fits = |change: &&ChangeView| {
            words.split_whitespace().map(str::to_lowercase).all(|word| {
                change.field_in_words().contains(&word)
                    || change.field.starts_with(&word)
                    || changed_by(change).to_lowercase().contains(&word)
            })
        };
        let shown: Vec<ChangeView> = changes.iter().filter(fits).cloned().collect();
        self.show_history(reference, &shown);
        if let Some(Overlay::Reader(reader)) = &mut self.overlay {
            // From here another filter sees all of them again.
            let only = format!("{} of {} changes: {words}  f filters", shown.len(), changes.len());
            reader.title = if words.is_empty() { reader.title.clone() } else { only };
            reader.history = Some((reference.clone(), changes));
        }
    }

    /// Shows why the selected note stands where it stands, and what became of its mail.
    pub fn show_why(&mut self) {
        let shown = if self.on_list() { &self.preview } else { &self.thread };
        let Some(note) = shown.as_ref().and_then(super::thread::Thread::current) else {
            return self.say("open an issue and select a note first");
        };
        let strong = self.theme.strong;
        let width = self.reader_width().saturating_sub(14);
        let mut lines = Vec::new();
        let mut add = |name: &str, text: &str| {
            for (n, line) in markup::plain(&clean::line(text), width, Style::new()).into_iter().enumerate() {
                let name = if n == 0 { name } else { "" };
                let mut spans = vec![Span::styled(format!("{name:<14}"), strong)];
                spans.extend(line.spans);
                lines.push(Line::from(spans));
            }
        };
        add("written by", &author_in_full(&note.author));
        add("at", &when::full(note.created_at, &self.options.time_zone));
        add("here because", note.why.as_deref().unwrap_or("it was written here"));
        if let Some(auth) = &note.auth {
            add("authenticity", auth);
        }
        if let Some(seal) = &note.seal {
            add("seal", &seal.words);
            if let Some(key) = &seal.key {
                add("key", key);
            }
        }
        if note.automatic {
            add("automatic", "a machine wrote this; nothing is sent in answer to it");
        }
        if note.reduced {
            add(
                "shown",
                "some formatting of the mail is lost here; B opens it in the browser, W shows it as it came",
            );
        }
        for warning in &note.warnings {
            add("careful", warning);
        }
        if let Some(id) = &note.message_id {
            add("Message-ID", &id.to_string());
        }
        if let Some(id) = &note.in_reply_to {
            add("In-Reply-To", &id.to_string());
        }
        for mail in &note.delivery {
            let error = mail.error.as_ref().map_or(String::new(), |e| format!(": {e}"));
            add("mail", &format!("to {} {}{error}", mail.to, state_word(mail.state)));
        }
        self.open_reader("Why", lines);
    }

    /// Asks for the mail behind the selected note.
    pub fn ask_raw(&mut self) {
        let Some(thread) = &self.thread else { return self.say("open an issue and select a note first") };
        let Some(note) = thread.current().filter(|n| n.has_raw) else {
            return self.say("this note did not come as a mail");
        };
        let request = Request::RawMail { reference: thread.reference.clone(), note: note.id };
        self.ask(Purpose::RawMail, request);
    }

    /// Asks for the selected note's HTML as a page for the browser.
    pub fn ask_original(&mut self) {
        let Some(thread) = &self.thread else { return self.say("open an issue and select a note first") };
        let Some(note) = thread.current().filter(|n| n.has_raw) else {
            return self.say("this note did not come as a mail");
        };
        let request = Request::OriginalHtml { reference: thread.reference.clone(), note: note.id };
        self.ask(Purpose::Original(note.id), request);
    }

    /// Shows a mail as it came.
    pub fn show_raw(&mut self, title: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes.get(..RAW_MAX).unwrap_or(bytes));
        let mut lines = markup::plain(&text, self.reader_width(), Style::new());
        if bytes.len() > RAW_MAX {
            lines.push(Line::styled(
                format!("the rest of {} is not shown", size(bytes.len() as u64)),
                self.theme.dim,
            ));
        }
        self.open_reader(title, lines);
    }

    /// Shows how every mailbox and outlet is doing.
    pub fn show_status(&mut self) {
        let Some(status) = &self.status else { return self.say("nothing is known yet") };
        let (strong, dim) = (self.theme.strong, self.theme.dim);
        let mut lines = Vec::new();
        for channel in status.mailboxes.iter().chain(&status.outlets).chain(&status.spam.judges) {
            let name = format!("{} ({})", channel.name, channel.method);
            lines.push(Line::styled(clean::line(&name), strong));
            for fact in channel_facts(channel, self.now, &self.options.time_zone) {
                lines.push(Line::raw(format!("  {}", clean::line(&fact))));
            }
        }
        lines.extend(status.notices.iter().map(|n| Line::styled(clean::line(n), self.theme.warning)));
        if status.spam.owed > 0 {
            let words = format!("{} lessons about spam are still to be taught", status.spam.owed);
            lines.push(Line::styled(words, dim));
        }
        if !status.serving {
            lines.push(Line::styled("nothing is fetched or sent: no sync runs", self.theme.warning));
        }
        let space = status.free_space.map_or(String::new(), |s| format!(", {} free", size(s)));
        let version = format!("deskbell {}, pid {}, {}{space}", status.version, status.pid, status.data_dir);
        lines.push(Line::styled(clean::line(&version), dim));
        self.open_reader("Status", lines);
    }

    /// Offers the files and links of the issue in front.
    pub fn pick_file_or_link(&mut self) {
        let Some(view) = self.front_view() else { return self.say("open an issue first") };
        let Ok(reference) = view.row.reference.parse::<Reference>() else { return };
        let mut items = Vec::new();
        let files = view.notes.iter().flat_map(|n| n.attachments.iter().map(move |a| (n.id, a)));
        for (number, (note, file)) in files.enumerate() {
            let what = |choice, verb: &str| {
                let name = format!("{} {verb} {}", number + 1, clean::line(&file.name));
                Item::new(&name, &format!("{} {}", size(file.size), clean::line(&file.media_type)), choice)
            };
            let (reference, name) = (reference.clone(), file.name.clone());
            let save = Choice::SaveFile { reference: reference.clone(), note, name: name.clone() };
            items.push(what(save, "save"));
            items.push(what(Choice::OpenFile { reference, note, name }, "open"));
        }
        for url in view.notes.iter().rev().flat_map(|n| markup::links(&n.body)).take(100) {
            items.push(Item::new(&clean::line(&url), "in the browser", Choice::Browse(url)));
        }
        if items.is_empty() {
            return self.say("there are no files and no links here");
        }
        self.open_picker(Picker::new("Files and links", items));
    }

    /// Asks where a file is to be saved.
    pub fn ask_where(&mut self, reference: Reference, note: NoteId, name: String) {
        let place = self.options.save_dir.join(&name).to_string_lossy().into_owned();
        let prompt =
            Prompt::new(Ask::SaveFile { reference, note, name }, "Save as", &place, "never over a file");
        self.open_prompt(prompt);
    }

    /// Fetches a file to save or to open it.
    pub fn fetch_file(&mut self, reference: Reference, note: NoteId, name: String, save_to: Option<PathBuf>) {
        let purpose = Purpose::Attachment { save_to, name: name.clone() };
        self.ask(purpose, Request::Attachment { reference, note, name });
    }
}

/// Names whoever changed something.
fn changed_by(change: &ChangeView) -> String {
    change.actor.email.as_ref().map_or_else(|| change.actor.user.clone(), ToString::to_string)
}

fn channel_facts(channel: &Channel, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    let since = when::exact(now, channel.since, zone);
    let mut facts = vec![match channel.state {
        ChannelState::Idle => "nothing was tried yet".to_owned(),
        ChannelState::Connecting => "connecting".to_owned(),
        ChannelState::Busy => "at work".to_owned(),
        ChannelState::Ok => format!("connected since {since}"),
        ChannelState::Failing => format!("failing since {since}"),
        ChannelState::Disabled => "switched off".to_owned(),
    }];
    facts.extend(channel.error.clone());
    facts.extend(channel.hint.as_ref().map(|hint| format!("what helps: {hint}")));
    facts.extend(channel.last_success.map(|at| format!("last success {}", when::exact(now, at, zone))));
    if channel.state == ChannelState::Failing {
        facts.extend(channel.next_try.map(|at| format!("next try {}", when::exact(now, at, zone))));
    }
    if channel.silent > 0 {
        facts.push(format!("{} taken in silently: nobody was mailed", counted(channel.silent, "older mail")));
    }
    facts
}

pub fn state(row: &crate::domain::IssueRow) -> &'static str {
    match row.state {
        crate::domain::State::Open => "open",
        crate::domain::State::Closed => "closed",
    }
}

/// Gives an author with everything that is known of them.
pub fn author_in_full(author: &crate::domain::Author) -> String {
    match (&author.name, &author.email) {
        (Some(name), Some(email)) if author.is_outside() && !name.is_empty() => format!("{name} <{email}>"),
        _ => author.label().to_owned(),
    }
}
