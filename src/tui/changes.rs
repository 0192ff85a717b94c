//! The list of changes: what was done last, by whom and why, and what of it one can take back.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::outbox::step;
use super::picker::{Choice, Item, Picker};
use super::{clean, when};
use crate::domain::{DeedView, Request, Verb, Via};

/// So many changes are shown.
const SHOWN: u64 = 200;
/// What one did so many seconds before a screen was opened is still in one's mind.
const FRESH: i64 = 600;

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

    /// Takes the last change back; what is older than this screen only after a yes.
    pub fn take_back_last(&mut self) {
        let under_way = |p: &Purpose| matches!(p, Purpose::Undo | Purpose::LastVerb);
        if self.asks.waits_for(under_way) {
            self.undos += 1;
        } else if self.undoable.take().is_some() || self.lost.is_some() {
            self.ask(Purpose::Undo, Request::Undo);
        } else {
            self.ask(Purpose::LastVerb, Request::Verbs { limit: 1 });
        }
    }

    /// Goes on with what is to be taken back as well.
    pub fn take_back_more(&mut self) {
        if let Some(left) = self.undos.checked_sub(1) {
            self.undos = left;
            self.take_back_last();
        }
    }

    /// Takes in what would be taken back; without any, the desk says so itself.
    pub fn take_last_verb(&mut self, verb: Option<&Verb>) {
        let old = |verb: &&Verb| verb.at < self.since && self.now.as_second() - verb.at.as_second() >= FRESH;
        let Some(verb) = verb.filter(old) else { return self.ask(Purpose::Undo, Request::Undo) };
        self.undos = 0;
        let about = format!("{} \u{b7} {} ago", clean::line(&verb.deed.label), when::age(self.now, verb.at));
        let items = vec![
            Item::new("no", "nothing changes; U lists what was done", Choice::Nothing),
            Item::new("yes", &about, Choice::TakeBack(verb.seq)),
        ];
        self.open_picker(Picker::new("Take back what was done before this screen was opened?", items));
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
