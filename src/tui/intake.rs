//! The intake screen: every mail that came in, its fate and why.

use super::action::Action;
use super::app::{App, Screen};
use super::asks::Purpose;
use super::input::Effect;
use super::markup::plain;
use super::outbox::step;
use super::overlay::{Ask, Prompt};
use crate::domain::{Fate, Finding, IntakeAction, IntakeId, IntakeView, Request, SenderRule};
use ratatui::text::Line;

const LIMIT: u64 = 500;

/// The state of the intake screen.
#[derive(Debug, Default)]
pub struct IntakeScreen {
    pub rows: Vec<IntakeView>,
    pub loaded: bool,
    pub selected: usize,
    /// Only mails with this fate.
    pub fate: Option<Fate>,
}

impl IntakeScreen {
    /// Takes the rows in; what was selected stays selected.
    pub fn take(&mut self, rows: Vec<IntakeView>) {
        let kept = self.rows.get(self.selected).map(|row| row.id);
        self.rows = rows;
        self.loaded = true;
        let place = kept.and_then(|id| self.rows.iter().position(|row| row.id == id));
        self.selected = place.unwrap_or(self.selected).min(self.rows.len().saturating_sub(1));
    }

    fn next_fate(&self) -> Option<Fate> {
        // What waits for a person comes first.
        const ORDER: [Fate; 11] = [
            Fate::Unroutable,
            Fate::Quarantined,
            Fate::Spam,
            Fate::Bounce,
            Fate::Automatic,
            Fate::Issue,
            Fate::Note,
            Fate::Duplicate,
            Fate::Unsubscribe,
            Fate::Rating,
            Fate::Ignored,
        ];
        match self.fate {
            None => ORDER.first().copied(),
            Some(fate) => ORDER.iter().skip_while(|f| **f != fate).nth(1).copied(),
        }
    }
}

impl IntakeView {
    /// Tells whether somebody can say that it is no spam.
    pub fn may_be_ham(&self) -> bool {
        let by_a_list = self.fate == Fate::Quarantined && !self.opinions.is_empty();
        self.fate == Fate::Spam || by_a_list
    }

    /// Tells whether something can still be made of it by hand.
    pub fn may_be_filed(&self) -> bool {
        !self.purged && (self.reference.is_none() || self.fate == Fate::Bounce)
    }
}

impl App {
    /// Asks for the arrivals that the screen shows.
    pub fn ask_intake(&mut self) {
        self.ask(Purpose::Intake, Request::Intake { fate: self.intake.fate, limit: LIMIT });
    }

    /// Does an action on the intake screen; tells whether it was one of its own.
    pub fn intake_act(&mut self, action: Action) -> bool {
        let last = self.intake.rows.len().saturating_sub(1);
        let page = usize::from(self.height).saturating_sub(8).max(1);
        if let Some(to) = step(action, self.intake.selected, last, page) {
            self.intake.selected = to;
            return true;
        }
        if action == Action::Filter {
            self.intake.fate = self.intake.next_fate();
            self.intake.loaded = false;
            self.intake.rows.clear();
            self.ask_intake();
            return true;
        }
        let Some(row) = self.intake.rows.get(self.intake.selected).cloned() else { return false };
        match action {
            Action::Open => self.open_arrival(&row),
            Action::Why => self.show_opinions(&row),
            Action::Ham => self.call_ham(row.id, false),
            Action::HamAllow if row.may_be_ham() => self.call_ham(row.id, true),
            Action::HamAllow => self.list_sender(row.id, SenderRule::Allow),
            Action::Block => self.list_sender(row.id, SenderRule::Block),
            Action::Raw => self.ask(Purpose::IntakeRaw(row.id), Request::IntakeRaw(row.id)),
            Action::Retry => {
                let request = Request::IntakeAct { id: row.id, action: IntakeAction::Retry };
                self.ask(Purpose::IntakeAct, request);
            }
            Action::AttachTo => {
                let prompt = Prompt::new(Ask::AttachMail(row.id), "Attach this mail to", "", "#12");
                self.open_prompt(prompt);
            }
            Action::MakeIssue => {
                let known = self.projects.as_deref().unwrap_or_default();
                let path = known.first().map_or(String::new(), |p| p.path.clone());
                let prompt = Prompt::new(Ask::MakeIssue(row.id), "Make it an issue of", &path, "a project");
                self.open_prompt(prompt);
            }
            Action::Copy => {
                let id = row.message_id.as_ref().map_or(row.id.to_string(), ToString::to_string);
                self.want(Effect::Copy(id));
            }
            _ => return false,
        }
        true
    }

    fn call_ham(&mut self, id: IntakeId, allow_sender: bool) {
        let action = IntakeAction::Ham { allow_sender };
        self.ask(Purpose::IntakeAct, Request::IntakeAct { id, action });
    }

    fn list_sender(&mut self, id: IntakeId, rule: SenderRule) {
        self.ask(Purpose::IntakeAct, Request::IntakeSender { id, rule });
    }

    /// Goes to the mails that came in, or to those of one fate.
    pub fn show_intake(&mut self, fate: Option<Fate>) {
        if self.intake.fate != fate {
            self.intake = IntakeScreen { fate, ..IntakeScreen::default() };
        }
        self.go_to(Screen::Intake);
    }

    /// Says what was thought of a mail, and by whom.
    fn show_opinions(&mut self, row: &IntakeView) {
        let width = self.reader_width();
        let mut lines = plain(&row.reason, width, self.theme.strong);
        lines.push(Line::default());
        if row.opinions.is_empty() {
            lines.push(Line::styled("nobody was asked whether it is spam", self.theme.dim));
        }
        for opinion in &row.opinions {
            let style = if opinion.finding == Finding::Spam { self.theme.warning } else { self.theme.dim };
            lines.extend(plain(&opinion.to_string(), width, style));
        }
        self.open_reader(&format!("Why mail {} has the fate {}", row.id, row.fate.word()), lines);
    }

    fn open_arrival(&mut self, row: &IntakeView) {
        match row.reference.as_ref().and_then(|r| r.parse().ok()) {
            Some(reference) => self.open_issue(reference),
            None => self.ask(Purpose::IntakeRaw(row.id), Request::IntakeRaw(row.id)),
        }
    }

    /// Makes an arrival a note of the issue that was typed.
    pub fn attach_mail(&mut self, id: IntakeId, text: &str) {
        match text.parse() {
            Ok(reference) => {
                let action = IntakeAction::Attach(reference);
                self.ask(Purpose::IntakeAct, Request::IntakeAct { id, action });
            }
            Err(fault) => self.complain_of(&fault),
        }
    }

    /// Makes an arrival an issue of the project that was typed.
    pub fn make_issue(&mut self, id: IntakeId, project: String) {
        let action = IntakeAction::Issue(project);
        self.ask(Purpose::IntakeAct, Request::IntakeAct { id, action });
    }
}
