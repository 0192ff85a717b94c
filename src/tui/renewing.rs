//! A text that is read is renewed when the desk tells of a change: what was erased stands on no screen any more.

use super::app::App;
use super::asks::Purpose;
use super::overlay::{Overlay, Reader};
use crate::domain::{Fault, FaultKind, IssueId, Response};

impl App {
    fn reader(&mut self) -> Option<&mut Reader> {
        match &mut self.overlay {
            Some(Overlay::Reader(reader)) => Some(reader),
            _ => None,
        }
    }

    /// Remembers what the text that is read was asked with.
    pub fn can_be_renewed(&mut self) {
        let asked = self.asks.read().map(Box::new);
        if let Some(reader) = self.reader() {
            reader.asked = asked;
        }
    }

    /// Asks once more for the text that is read, if a change of these issues may have changed it.
    pub fn renew_issues_text(&mut self, issues: &[IssueId]) {
        let shown = [&self.thread, &self.preview].into_iter().flatten();
        let named = shown.map(|thread| thread.view.row.id).any(|id| issues.contains(&id));
        // What is like another issue is another one.
        self.renew_reader(|text| named || *text == Purpose::Answers);
    }

    /// Asks once more for the text that is read, if it is one of the intake.
    pub fn renew_intake_text(&mut self) {
        self.renew_reader(|text| matches!(text, Purpose::IntakeRaw(_)));
    }

    /// Asks once more for the text that is read, if it is meant.
    pub fn renew_reader(&mut self, meant: impl Fn(&Purpose) -> bool) {
        let asked = self.reader().and_then(|reader| reader.asked.as_deref().cloned());
        if let Some((purpose, request)) = asked.filter(|(purpose, _)| meant(purpose)) {
            self.ask(Purpose::Renewed(Box::new(purpose)), request);
        }
    }

    /// Shows the text as it is now, at the place that was read, unless it was put away meanwhile.
    pub fn read_anew(&mut self, purpose: Purpose, response: Response) {
        let Some(reader) = self.reader() else { return };
        let asked = reader.asked.take();
        if asked.as_ref().is_none_or(|asked| asked.0 != purpose) {
            reader.asked = asked;
            return;
        }
        let top = reader.top;
        self.take(purpose, response);
        if let Some(reader) = self.reader() {
            reader.top = top.min(reader.lines.len().saturating_sub(1));
            reader.asked = asked;
        }
    }

    /// Puts away a text that the desk has no more, unless another is read by now.
    pub fn nothing_to_read(&mut self, purpose: &Purpose, fault: &Fault) {
        let reads = |reader: &mut Reader| reader.asked.as_ref().is_some_and(|asked| asked.0 == *purpose);
        if fault.kind == FaultKind::NotFound && self.reader().is_some_and(reads) {
            self.overlay = None;
            self.complain_of(fault);
        }
    }
}
