//! A text that is read is renewed when the desk tells of a change: what was erased stands on no screen any more.

use super::app::App;
use super::asks::Purpose;
use super::overlay::{Overlay, Reader};
use crate::domain::{Fault, IssueId, Response};

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
    pub fn renew_reader(&mut self, issues: &[IssueId]) {
        let shown = [&self.thread, &self.preview].into_iter().flatten();
        let named = shown.map(|thread| thread.view.row.id).any(|id| issues.contains(&id));
        let Some((purpose, request)) = self.reader().and_then(|reader| reader.asked.as_deref().cloned())
        else {
            return;
        };
        // A mail of the intake belongs to no issue, and what is like another issue is another one.
        if named || matches!(purpose, Purpose::IntakeRaw(_) | Purpose::Answers) {
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

    /// Puts away a text that the desk has no more.
    pub fn nothing_to_read(&mut self, fault: &Fault) {
        if self.reader().is_some_and(|reader| reader.asked.is_some()) {
            self.overlay = None;
            self.complain_of(fault);
        }
    }
}
