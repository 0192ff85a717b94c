//! The outbox screen: mails on their way out, what became of them, and what can be done.

use super::action::Action;
use super::app::{App, Screen};
use super::asks::Purpose;
use super::input::Effect;
use super::overlay::{Ask, Prompt};
use crate::domain::{OutboxAction, OutboxId, OutboxState, OutboxView, Request};
use jiff::Timestamp;

const LIMIT: u64 = 500;

/// Which mails the screen shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Those that are not settled well.
    #[default]
    Pending,
    Trouble,
    Sent,
    All,
}

impl Shown {
    /// Gives the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "on their way, or in trouble",
            Self::Trouble => "in trouble",
            Self::Sent => "sent",
            Self::All => "all",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Pending => Self::Trouble,
            Self::Trouble => Self::Sent,
            Self::Sent => Self::All,
            Self::All => Self::Pending,
        }
    }

    fn states(self) -> Vec<OutboxState> {
        use OutboxState as S;
        match self {
            Self::Pending => vec![S::Held, S::Queued, S::Sending, S::Deferred, S::Failed, S::Bounced],
            Self::Trouble => vec![S::Deferred, S::Failed, S::Bounced],
            Self::Sent => vec![S::Sent],
            Self::All => Vec::new(),
        }
    }
}

/// The state of the outbox screen.
#[derive(Debug, Default)]
pub struct OutboxScreen {
    pub rows: Vec<OutboxView>,
    pub loaded: bool,
    pub selected: usize,
    pub shown: Shown,
}

impl OutboxScreen {
    /// Takes the rows in; what was selected stays selected.
    pub fn take(&mut self, rows: Vec<OutboxView>) {
        let kept = self.rows.get(self.selected).map(|row| row.id);
        self.rows = rows;
        self.loaded = true;
        let place = kept.and_then(|id| self.rows.iter().position(|row| row.id == id));
        self.selected = place.unwrap_or(self.selected).min(self.rows.len().saturating_sub(1));
    }

    /// Tells whether a mail is about to leave.
    pub fn counts_seconds(&self, now: Timestamp) -> bool {
        self.rows.iter().take(100).any(|row| row.held_until.is_some_and(|at| at > now))
    }
}

impl App {
    /// Goes to the mails on their way out, whatever was shown of them last.
    pub fn show_outbox(&mut self) {
        if self.outbox.shown != Shown::default() {
            self.outbox = OutboxScreen::default();
        }
        self.go_to(Screen::Outbox);
    }

    /// Asks for the mails that the screen shows.
    pub fn ask_outbox(&mut self) {
        let states = self.outbox.shown.states();
        self.ask(Purpose::Outbox, Request::Outbox { states, limit: LIMIT });
    }

    /// Does an action on the outbox screen; tells whether it was one of its own.
    pub fn outbox_act(&mut self, action: Action) -> bool {
        let last = self.outbox.rows.len().saturating_sub(1);
        let page = usize::from(self.height).saturating_sub(6).max(1);
        let row = self.outbox.rows.get(self.outbox.selected).cloned();
        if let Some(to) = step(action, self.outbox.selected, last, page) {
            self.outbox.selected = to;
            return true;
        }
        match (action, row) {
            (Action::Filter, _) => {
                self.outbox.shown = self.outbox.shown.next();
                self.outbox.loaded = false;
                self.outbox.rows.clear();
                self.ask_outbox();
            }
            (Action::Open, Some(row)) => self.open_mails_issue(&row),
            (Action::Retry, Some(row)) => self.act_on_mail(&row, OutboxAction::Retry),
            (Action::Release, Some(row)) => self.act_on_mail(&row, OutboxAction::Release),
            (Action::Cancel, Some(row)) => {
                let title = format!("Cancel the mail to {}? Type yes", row.to);
                self.open_prompt(Prompt::new(Ask::CancelMails(vec![row.id]), &title, "", "it is never sent"));
            }
            (Action::Copy, Some(row)) => self.want(Effect::Copy(row.message_id.to_string())),
            (Action::Retry | Action::Release | Action::Cancel | Action::Copy | Action::Open, None) => {
                self.say("no mail is selected");
            }
            _ => return false,
        }
        true
    }

    fn open_mails_issue(&mut self, row: &OutboxView) {
        match row.reference.as_ref().and_then(|r| r.parse().ok()) {
            Some(reference) => {
                debug_assert_eq!(self.screen, Screen::Outbox);
                self.open_issue(reference);
            }
            None => self.say("this mail belongs to no issue"),
        }
    }

    fn act_on_mail(&mut self, row: &OutboxView, action: OutboxAction) {
        let fits = match action {
            OutboxAction::Release => row.state == OutboxState::Held,
            _ => matches!(row.state, OutboxState::Deferred | OutboxState::Failed | OutboxState::Bounced),
        };
        if !fits {
            return self.say(format!("this mail is {}", state_word(row.state)));
        }
        self.ask(Purpose::OutboxAct, Request::OutboxAct { ids: vec![row.id], action });
    }

    /// Cancels mails once that was said in words.
    pub fn cancel_mails(&mut self, ids: Vec<OutboxId>, said: &str) {
        if said == "yes" {
            self.ask(Purpose::OutboxAct, Request::OutboxAct { ids, action: OutboxAction::Cancel });
        } else {
            self.say("not cancelled");
        }
    }
}

/// Gives the word for a state, as JSON has it.
pub fn state_word(state: OutboxState) -> &'static str {
    match state {
        OutboxState::Held => "held",
        OutboxState::Queued => "queued",
        OutboxState::Sending => "sending",
        OutboxState::Sent => "sent",
        OutboxState::Deferred => "deferred",
        OutboxState::Failed => "failed",
        OutboxState::Bounced => "bounced",
        OutboxState::Cancelled => "cancelled",
    }
}

/// Gives where a moving action leads in a list whose last place is `last`; `None` for other actions.
pub fn step(action: Action, from: usize, last: usize, page: usize) -> Option<usize> {
    let to = match action {
        Action::Down => from + 1,
        Action::Up => from.saturating_sub(1),
        Action::Top => 0,
        Action::Bottom => last,
        Action::HalfDown => from + page / 2,
        Action::HalfUp => from.saturating_sub(page / 2),
        Action::PageDown => from + page,
        Action::PageUp => from.saturating_sub(page),
        _ => return None,
    };
    Some(to.min(last))
}
