//! The screen of rules: what the desk does by itself, in which order, and which rules are on.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::input::Effect;
use super::outbox::step;
use super::picker::{Choice, Item, Picker};
use crate::domain::{Request, Role, RuleMoment, RuleView, SenderScope};

/// The state of the screen of rules.
#[derive(Debug, Default)]
pub struct RulesScreen {
    pub rows: Vec<RuleView>,
    pub loaded: bool,
    pub selected: usize,
}

/// Says when a rule looks at an issue.
pub fn moment_word(moment: RuleMoment) -> &'static str {
    match moment {
        RuleMoment::Arrival => "a mail",
        RuleMoment::Change => "a change",
        RuleMoment::Time => "time",
    }
}

fn scope(row: &RuleView) -> SenderScope {
    row.project.clone().map_or(SenderScope::Desk, SenderScope::Project)
}

impl RulesScreen {
    /// Takes the rules in; the place of the cursor stays.
    pub fn take(&mut self, rows: Vec<RuleView>) {
        self.selected = self.selected.min(rows.len().saturating_sub(1));
        (self.rows, self.loaded) = (rows, true);
    }
}

impl App {
    /// Asks for the rules that one may see.
    pub fn ask_rules(&mut self) {
        self.ask_members();
        self.ask(Purpose::Rules, Request::Rules);
    }

    /// Does an action on the screen of rules; tells whether it was one of its own.
    pub fn rules_act(&mut self, action: Action) -> bool {
        let last = self.rules.rows.len().saturating_sub(1);
        if let Some(to) = step(action, self.rules.selected, last, self.page()) {
            self.rules.selected = to;
            return true;
        }
        let Some(row) = self.rules.rows.get(self.rules.selected).cloned() else { return false };
        match action {
            Action::Enable => self.switch_rule(&row),
            Action::MoveUp => self.order_rule(&row, false),
            Action::MoveDown => self.order_rule(&row, true),
            Action::Open => {
                let request = Request::TestRule { scope: scope(&row), name: row.about.name.clone() };
                self.ask(Purpose::RuleTest(row.about.name), request);
            }
            Action::Remove => self.ask_rule_removal(&row),
            Action::Copy => self.want(Effect::Copy(row.about.name)),
            _ => return false,
        }
        true
    }

    /// Says that a role is lacking to change a rule; tells whether one is.
    fn may_not_rule(&mut self, row: &RuleView) -> bool {
        match &row.project {
            Some(path) if self.shown_path().as_ref() == Some(path) => {
                self.stopped_by_role("changing a rule", Role::Maintainer)
            }
            Some(_) => false,
            None => {
                let owner = self.me.as_ref().is_none_or(|me| me.owner);
                if !owner {
                    self.complain("changing a rule of the desk takes an owner of the desk; you are none");
                }
                !owner
            }
        }
    }

    fn switch_rule(&mut self, row: &RuleView) {
        if !self.may_not_rule(row) {
            let value = if row.about.enabled { "false" } else { "true" };
            let settings = vec![("enabled".to_owned(), value.to_owned())];
            let name = Some(row.about.name.clone());
            self.ask(Purpose::RuleAct, Request::SetRule { scope: scope(row), name, settings });
        }
    }

    fn order_rule(&mut self, row: &RuleView, down: bool) {
        let rows = self.rules.rows.iter().enumerate();
        let peers: Vec<usize> = rows.filter(|(_, o)| o.project == row.project).map(|(i, _)| i).collect();
        let rank = peers.iter().position(|i| *i == self.rules.selected);
        let to = rank.and_then(|rank| if down { rank.checked_add(1) } else { rank.checked_sub(1) });
        let Some((to, at)) = to.and_then(|to| Some((to, *peers.get(to)?))) else { return };
        if !self.may_not_rule(row) {
            self.rules.selected = at;
            let position = u32::try_from(to).unwrap_or(u32::MAX).saturating_add(1);
            let request = Request::OrderRule { scope: scope(row), name: row.about.name.clone(), position };
            self.ask(Purpose::RuleAct, request);
        }
    }

    fn ask_rule_removal(&mut self, row: &RuleView) {
        if !self.may_not_rule(row) {
            let title = format!("Remove the rule {}?", clean::line(&row.about.name));
            let yes = Choice::RemoveRule { scope: scope(row), name: row.about.name.clone() };
            let items = vec![
                Item::new("no", "nothing changes", Choice::Nothing),
                Item::new("yes", "what it did stays done", yes),
            ];
            self.open_picker(Picker::new(&title, items));
        }
    }

    /// Takes a rule away.
    pub fn remove_rule(&mut self, scope: SenderScope, name: String) {
        self.ask(Purpose::RuleAct, Request::RemoveRule { scope, name });
    }

    /// Shows which issues a rule finds now, and what it would do.
    pub fn show_rule_test(&mut self, name: &str, plan: &[String]) {
        let text = match plan {
            [] => "It finds no issue now.".to_owned(),
            lines => lines.join("\n"),
        };
        let width = usize::from(self.width).saturating_sub(4);
        let lines = super::markup::plain(&text, width, ratatui::style::Style::new());
        self.open_reader(&format!("What the rule {} would do now", clean::line(name)), lines);
    }
}
