//! The screen of blocked senders: whose mail is let in, kept out, or shown to a person first.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::input::Effect;
use super::outbox::step;
use super::overlay::{Ask, Prompt};
use crate::domain::{Request, SenderRule, SenderScope, SenderView};

/// The state of the screen of blocked senders.
#[derive(Debug, Default)]
pub struct SendersScreen {
    pub rows: Vec<SenderView>,
    pub loaded: bool,
    pub selected: usize,
}

impl SendersScreen {
    /// Takes the rows in; the place of the cursor stays.
    pub fn take(&mut self, rows: Vec<SenderView>) {
        self.rows = rows;
        self.loaded = true;
        self.selected = self.selected.min(self.rows.len().saturating_sub(1));
    }
}

impl App {
    /// Asks for the lists of senders.
    pub fn ask_senders(&mut self) {
        self.ask(Purpose::Senders, Request::Senders(None));
    }

    /// Does an action on the screen of blocked senders; tells whether it was one of its own.
    pub fn senders_act(&mut self, action: Action) -> bool {
        let last = self.senders.rows.len().saturating_sub(1);
        let page = usize::from(self.height).saturating_sub(4).max(1);
        if let Some(to) = step(action, self.senders.selected, last, page) {
            self.senders.selected = to;
            return true;
        }
        match action {
            Action::Block => self.ask_sender(SenderRule::Block),
            Action::Allow => self.ask_sender(SenderRule::Allow),
            Action::Quarantine => self.ask_sender(SenderRule::Quarantine),
            Action::Remove => self.remove_sender(),
            Action::Copy => {
                if let Some(row) = self.senders.rows.get(self.senders.selected) {
                    self.want(Effect::Copy(row.pattern.clone()));
                }
            }
            _ => return false,
        }
        true
    }

    fn ask_sender(&mut self, rule: SenderRule) {
        let word = match rule {
            SenderRule::Block => "Block",
            SenderRule::Allow => "Allow",
            SenderRule::Quarantine => "Set aside",
        };
        let list = self.shown_project().map_or("the whole desk", |project| project.path.as_str());
        let title = format!("{word} on the list of {}", clean::line(list));
        let hint = "address, domain, *pattern*, /regex/";
        self.open_prompt(Prompt::new(Ask::Sender(rule), &title, "", hint));
    }

    /// Puts what was typed on the list of the project that is shown; of the desk, where there is none.
    pub fn add_sender(&mut self, rule: SenderRule, pattern: String) {
        let scope = match self.shown_project() {
            Some(project) => SenderScope::Project(project.path.clone()),
            None => SenderScope::Desk,
        };
        self.ask(Purpose::SenderAct, Request::SetSender { scope, pattern, rule });
    }

    fn remove_sender(&mut self) {
        let Some(row) = self.senders.rows.get(self.senders.selected).cloned() else { return };
        let scope = row.project.map_or(SenderScope::Desk, SenderScope::Project);
        self.ask(Purpose::SenderAct, Request::RemoveSender { scope: Some(scope), pattern: row.pattern });
    }
}
