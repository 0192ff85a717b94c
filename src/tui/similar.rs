//! Similar issues: those whose texts are like the opening in front, and what was answered then.

use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::composer::Saved;
use super::markup;
use super::overlay::Overlay;
use super::picker::{Choice, Item, Picker};
use super::when;
use crate::domain::{DraftKind, IssueView, NoteKind, Reference, Request, SimilarIssue, State};
use ratatui::text::Line;

/// So many of the words that two issues share are named.
const WORDS: usize = 4;

impl App {
    /// Asks for issues that are like the one in front.
    pub fn ask_similar(&mut self) {
        match self.target() {
            Some(reference) => self.ask(Purpose::Similar, Request::Similar(reference)),
            None => self.say("no issue is selected"),
        }
    }

    /// Offers them, the most similar first.
    pub fn pick_similar(&mut self, found: &[SimilarIssue]) {
        let item = |similar: &SimilarIssue| {
            let row = &similar.row;
            let reference = row.reference.parse().ok()?;
            let state = if row.state == State::Open { "open" } else { "closed" };
            let answered = similar
                .answer
                .as_ref()
                .map_or("no answer".to_owned(), |answer| format!("answered by {}", clean::line(&answer.by)));
            let words: Vec<&str> = similar.words.iter().take(WORDS).map(String::as_str).collect();
            let age = when::age(self.now, row.updated_at);
            let words = clean::line(&words.join(" "));
            let detail = format!("{}% {state} {age}, {answered}: {words}", similar.share);
            let name = format!("#{} {}", row.iid, clean::line(&row.title));
            Some(Item::new(&name, &detail, Choice::Answers(reference)))
        };
        let items: Vec<Item> = found.iter().filter_map(item).collect();
        if items.is_empty() {
            return self.say("nothing like this was written before");
        }
        self.open_picker(Picker::new("Similar issues: Enter shows what was answered", items));
    }

    /// Asks for what was answered in an issue.
    pub fn ask_answers(&mut self, reference: Reference) {
        self.ask(Purpose::Answers, Request::Issue(reference));
    }

    /// Shows what was answered in an issue, the first answer first; that one can be taken into a reply.
    pub fn show_answers(&mut self, view: &IssueView) {
        let (dim, width) = (self.theme.dim, self.reader_width());
        let mut lines = Vec::new();
        let answers = view.notes.iter().filter(|note| note.kind == NoteKind::Reply && note.aside.is_none());
        let first = answers.clone().next().map(|note| note.body.clone());
        for note in answers {
            let at = when::full(note.created_at, &self.options.time_zone);
            lines.push(Line::styled(format!("{}, {at}", clean::line(note.author.label())), dim));
            lines.extend(markup::lines(&note.body, width, false, &self.theme));
            lines.push(Line::default());
        }
        let title = format!("Answers in #{} {}", view.row.iid, clean::line(&view.row.title));
        if first.is_none() {
            lines.push(Line::styled("nobody answered there", dim));
        }
        self.open_reader(&title, lines);
        if let Some(Overlay::Reader(reader)) = &mut self.overlay {
            reader.answer = first;
        }
    }

    /// Puts the answer that is read into what is being written, as it is or quoted; without a composer a reply is
    /// begun with it.
    pub fn take_answer(&mut self, quoted: bool) {
        let Some(Overlay::Reader(reader)) = &self.overlay else { return };
        let Some(answer) = reader.answer.clone() else { return };
        self.overlay = None;
        if self.composer.is_none() {
            self.compose(DraftKind::Reply);
        }
        let Some(composer) = &mut self.composer else { return };
        if composer.saved == Saved::Loading && !composer.body.is_blank() {
            composer.body.insert("\n");
        }
        let quote = |line: &str| format!("> {line}").trim_end().to_owned();
        let text = answer.trim_end();
        let text = match quoted {
            true => text.lines().map(quote).collect::<Vec<_>>().join("\n") + "\n\n",
            false => text.to_owned(),
        };
        composer.body.insert(&text);
        composer.focused = true;
        self.composer_touched();
    }
}
