//! One text for several issues: written once, looked through for each, sent in one step.

use super::app::{App, Screen};
use super::asks::Purpose;
use super::composer::{Composer, Saved};
use super::markup;
use super::overlay::Page;
use super::send::Manner;
use crate::domain::{Draft, DraftKind, Failed, IssueRow, NewNotes, PlannedNote, Reference, Request};
use jiff::Timestamp;
use ratatui::text::Line;

impl App {
    /// Gives the rows of those that a verb is for, as far as the list holds them.
    pub fn meant_rows(&self) -> Vec<&IssueRow> {
        let list = &self.list;
        let numbered = list.rows.iter().zip(list.offset..);
        let marked: Vec<&IssueRow> = match self.on_list() {
            true => numbered.filter(|(row, at)| list.is_marked(*at, row)).map(|(row, _)| row).collect(),
            false => Vec::new(),
        };
        if marked.is_empty() { self.front_row().into_iter().collect() } else { marked }
    }

    /// Tells whether the text in the composer is for several issues.
    pub fn composes_many(&self) -> bool {
        self.composer.as_ref().is_some_and(|composer| !composer.many.is_empty())
    }

    /// Opens the composer for several issues.
    pub fn compose_many(&mut self, references: Vec<Reference>, kind: DraftKind) {
        self.leave_composer();
        if self.screen != Screen::Thread {
            self.back.push(self.screen);
            self.screen = Screen::Thread;
        }
        self.thread = None;
        self.opened = None;
        self.composer = Some(Composer::many(references, kind));
        self.ask_draft();
    }

    /// Goes on with a text for several issues.
    pub fn reopen_many(&mut self, draft: Draft) {
        let named = draft.to.as_deref().unwrap_or_default();
        let references: Vec<Reference> =
            named.split_whitespace().filter_map(|reference| reference.parse().ok()).collect();
        self.leave_composer();
        if self.screen != Screen::Thread {
            self.back.push(self.screen);
            self.screen = Screen::Thread;
        }
        (self.thread, self.opened) = (None, None);
        self.composer = Some(Composer::many(references, draft.kind));
        self.take_draft(Some(draft));
    }

    /// Makes a comment of the reply, or a reply of the comment; the text stays.
    pub fn switch_many(&mut self) {
        let Some(composer) = &mut self.composer else { return };
        composer.kind = match composer.kind {
            DraftKind::Internal => DraftKind::Reply,
            kind => {
                if kind == DraftKind::Reply {
                    DraftKind::Internal
                } else {
                    kind
                }
            }
        };
        self.composer_touched();
    }

    fn new_notes(&self, manner: Manner, dry_run: bool) -> Option<NewNotes> {
        let composer = self.composer.as_ref()?;
        Some(NewNotes {
            references: composer.many.clone(),
            text: composer.body.value(),
            internal: composer.kind == DraftKind::Internal,
            hold_ms: manner.hold_ms,
            close: manner.close,
            dry_run,
        })
    }

    /// Sends the text to all of them, as soon as its draft is stored.
    pub fn send_many(&mut self, manner: Manner) {
        let Some(notes) = self.new_notes(manner, false) else { return };
        // A draft that was opened again may be for others than those marked now.
        let listed = self.list.marks.values().all(|marked| notes.references.contains(marked));
        let Some(composer) = &mut self.composer else { return };
        if matches!(composer.saved, Saved::Saving(_) | Saved::Loading) {
            composer.send_wanted = Some(manner);
            return;
        }
        composer.sending = true;
        self.ask(Purpose::SendMany { listed }, Request::NoteMany(notes));
    }

    /// Asks what each of them would get.
    pub fn ask_preview_of_many(&mut self) {
        match self.new_notes(Manner::default(), true).filter(|notes| !notes.references.is_empty()) {
            Some(notes) => self.ask(Purpose::PlanNotes, Request::NoteMany(notes)),
            None => self.say("a preview is for a text to several issues"),
        }
    }

    /// Shows what each of them would get, one page for each.
    pub fn show_planned(&mut self, planned: &[PlannedNote]) {
        let width = self.reader_width();
        let page = |note: &PlannedNote| {
            let to = if note.to.is_empty() { "nobody is mailed".to_owned() } else { note.to.join(", ") };
            let mut lines = vec![Line::styled(super::clean::line(&format!("to {to}")), self.theme.dim)];
            if !note.missing.is_empty() {
                let words = format!("NOT SENT HERE: %{{{}}} stands for nothing", note.missing.join("}, %{"));
                lines.push(Line::styled(super::clean::line(&words), self.theme.warning_strong));
            }
            lines.push(Line::default());
            lines.extend(markup::lines(&note.text, width, false, &self.theme));
            Page { title: format!("{} {}", note.reference, note.title), lines }
        };
        // What cannot go out comes first.
        let mut planned: Vec<&PlannedNote> = planned.iter().collect();
        planned.sort_by_key(|note| note.missing.is_empty());
        let pages = planned.into_iter().map(page).collect();
        self.open_pages(pages);
    }

    /// Learns that something was done to several issues; those for which it could not be done stay marked.
    pub fn done_to_many(
        &mut self,
        rows: &[IssueRow],
        label: String,
        failed: &[Failed],
        held_until: Option<Timestamp>,
        listed: bool,
    ) {
        let composed = self.composer.take_if(|composer| composer.sending && !composer.many.is_empty());
        if composed.is_some() && self.screen == Screen::Thread {
            self.screen = self.back.pop().unwrap_or(Screen::List);
        }
        let marks = self.list.marks.clone();
        self.edited_issues(rows, label.clone(), false, listed);
        self.sent_until(label, held_until);
        if failed.is_empty() {
            return;
        }
        if listed {
            let lacks = |reference: &Reference| failed.iter().any(|one| one.reference == *reference);
            self.list.marks = marks.into_iter().filter(|(_, reference)| lacks(reference)).collect();
        }
        self.complain(partly(rows.len(), failed));
    }
}

/// Says how many were done, how many not, and why: `97 done, 3 failed: #12: …`.
fn partly(done: usize, failed: &[Failed]) -> String {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for one in failed {
        let number = format!("#{}", one.reference.iid);
        match reasons.iter_mut().find(|(reason, _)| *reason == one.reason) {
            Some((_, numbers)) => numbers.push(number),
            None => reasons.push((&one.reason, vec![number])),
        }
    }
    let said: Vec<String> = reasons
        .iter()
        .map(|(reason, numbers)| {
            let shown = numbers.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
            let more = if numbers.len() > 3 { " …" } else { "" };
            format!("{shown}{more}: {reason}")
        })
        .collect();
    format!("{done} done, {} failed: {}", failed.len(), said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_said_by_its_causes() {
        let failed = |iid: u64, reason: &str| Failed {
            reference: Reference { project: Some("a/b".into()), iid },
            reason: reason.into(),
        };
        let all = [
            failed(1, "gone"),
            failed(2, "not yours"),
            failed(3, "gone"),
            failed(4, "gone"),
            failed(5, "gone"),
        ];
        assert_eq!(partly(97, &all), "97 done, 5 failed: #1, #3, #4 …: gone; #2: not yours");
    }
}
