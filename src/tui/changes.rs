//! The list of changes: what was done last, by whom and why, and what of it one can take back.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::outbox::step;
use crate::domain::{DeedView, Request, Via};

/// So many changes are shown.
const SHOWN: u64 = 200;

/// The state of the screen of changes.
#[derive(Debug, Default)]
pub struct ChangesScreen {
    pub rows: Vec<DeedView>,
    pub loaded: bool,
    pub selected: usize,
    /// Whether only one's own are shown.
    pub mine: bool,
}

impl ChangesScreen {
    /// Gives the rows that are shown.
    pub fn shown(&self, me: &str) -> Vec<&DeedView> {
        self.rows.iter().filter(|row| !self.mine || row.actor.user == me).collect()
    }
}

/// Says from where a change came.
pub fn cause(row: &DeedView) -> String {
    let via = match row.actor.via {
        Via::Tui => "screen",
        Via::Command => "command",
        Via::Mail => "mail",
        Via::Rule => "rule",
        Via::Commit => "commit",
        Via::System => "desk",
    };
    match row.rules.first() {
        Some(rule) => format!("{via}, rule {rule}"),
        None => via.to_owned(),
    }
}

impl App {
    /// Asks for the last changes.
    pub fn ask_changes(&mut self) {
        self.ask(Purpose::Changes, Request::Changes { limit: SHOWN });
    }

    /// Takes the changes in; the selected one stays selected.
    pub fn take_changes(&mut self, rows: Vec<DeedView>) {
        let me = self.my_name();
        let kept = self.changes.shown(&me).get(self.changes.selected).map(|row| row.seq);
        (self.changes.rows, self.changes.loaded) = (rows, true);
        let shown = self.changes.shown(&me);
        let at = kept.and_then(|seq| shown.iter().position(|row| row.seq == seq));
        let first = self.changes.selected == 0;
        self.changes.selected =
            at.filter(|_| !first).unwrap_or(self.changes.selected).min(shown.len().saturating_sub(1));
    }

    /// Gives one's own name, as far as it is known.
    pub fn my_name(&self) -> String {
        self.me.as_ref().map_or(String::new(), |me| me.name.clone())
    }

    /// Does an action on the screen of changes; tells whether it was one of its own.
    pub fn changes_act(&mut self, action: Action) -> bool {
        let shown = self.changes.shown(&self.my_name()).len();
        if let Some(to) = step(action, self.changes.selected, shown.saturating_sub(1), self.page()) {
            self.changes.selected = to;
            return true;
        }
        if action == Action::Filter {
            (self.changes.mine, self.changes.selected) = (!self.changes.mine, 0);
            return true;
        }
        let row = self.changes.shown(&self.my_name()).get(self.changes.selected).map(|row| (*row).clone());
        let Some(row) = row else { return false };
        match action {
            Action::Open => match row.references.first().and_then(|reference| reference.parse().ok()) {
                Some(reference) => self.open_issue(reference),
                None => self.say("this change is of no issue that stands there"),
            },
            Action::TakeBack if row.undoable => {
                self.ask(Purpose::Undo, Request::UndoOne(row.seq));
            }
            Action::TakeBack => {
                let other = format!("{} did this; everybody takes back their own", row.actor.user);
                self.complain(row.why_not.unwrap_or(other));
            }
            Action::Copy => self.want(super::input::Effect::Copy(row.label)),
            _ => return false,
        }
        true
    }
}
