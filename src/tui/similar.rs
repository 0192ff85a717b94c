//! Similar issues: those whose titles share words with the issue in front, and what was answered then.

use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::markup;
use super::picker::{Choice, Item, Picker};
use super::when;
use crate::domain::{IssueQuery, IssueRow, IssueView, NoteKind, Reference, Request, State};
use ratatui::text::Line;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Shorter words say nothing of what an issue is about.
const WORD_MIN: usize = 4;
/// So many words of a title are looked for.
const WORDS_MAX: usize = 8;
/// So many issues are fetched, of which the most similar are offered.
const FETCHED: u64 = 100;
const OFFERED: usize = 12;

impl App {
    /// Asks for issues whose titles share words with the one in front.
    pub fn ask_similar(&mut self) {
        let Some(row) = self.front_row() else { return self.say("no issue is selected") };
        let words: Vec<String> = words(&row.title).into_iter().take(WORDS_MAX).collect();
        if words.is_empty() {
            return self.say("its title holds no word to look for");
        }
        let query = format!("title:{}", words.join(","));
        self.ask(Purpose::Similar, Request::Issues(IssueQuery { query, offset: 0, limit: FETCHED }));
    }

    /// Offers them, those that share most words first.
    pub fn pick_similar(&mut self, rows: &[IssueRow]) {
        let Some(front) = self.front_row() else { return };
        let wanted = words(&front.title);
        let shared = |row: &IssueRow| words(&row.title).intersection(&wanted).count();
        let mut found: Vec<&IssueRow> = rows.iter().filter(|row| row.id != front.id).collect();
        found.sort_by_key(|row| (Reverse(shared(row)), Reverse(row.updated_at)));
        let item = |row: &IssueRow| {
            let reference = row.reference.parse().ok()?;
            let state = if row.state == State::Open { "open" } else { "closed" };
            let from = clean::line(row.author.label());
            let detail = format!("{state} {}, from {from}", when::age(self.now, row.updated_at));
            let name = format!("#{} {}", row.iid, clean::line(&row.title));
            Some(Item::new(&name, &detail, Choice::Answers(reference)))
        };
        let items: Vec<Item> = found.into_iter().filter_map(item).take(OFFERED).collect();
        if items.is_empty() {
            return self.say("no other issue has a title like this");
        }
        self.open_picker(Picker::new("Similar issues: Enter shows what was answered", items));
    }

    /// Asks for what was answered in an issue.
    pub fn ask_answers(&mut self, reference: Reference) {
        self.ask(Purpose::Answers, Request::Issue(reference));
    }

    /// Shows what was answered in an issue, the latest answer first.
    pub fn show_answers(&mut self, view: &IssueView) {
        let (dim, width) = (self.theme.dim, self.reader_width());
        let mut lines = Vec::new();
        let answers = view.notes.iter().filter(|note| note.kind == NoteKind::Reply && note.aside.is_none());
        for note in answers.rev() {
            let at = when::full(note.created_at, &self.options.time_zone);
            lines.push(Line::styled(format!("{}, {at}", clean::line(note.author.label())), dim));
            lines.extend(markup::lines(&note.body, width, false, &self.theme));
            lines.push(Line::default());
        }
        if lines.is_empty() {
            lines.push(Line::styled("nobody answered there", dim));
        }
        let title = format!("Answers in #{} {}", view.row.iid, clean::line(&view.row.title));
        self.open_reader(&title, lines);
    }
}

/// Gives the words of a title that say what it is about.
fn words(title: &str) -> BTreeSet<String> {
    let all = title.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    all.filter(|word| word.chars().count() >= WORD_MIN || !word.is_ascii() && !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_say_something_are_looked_for() {
        let found: Vec<String> = words("Re: Cannot log in, since \"the\" update! 東京").into_iter().collect();
        assert_eq!(found, ["cannot", "since", "update", "東京"]);
    }
}
