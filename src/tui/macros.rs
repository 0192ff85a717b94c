//! Macros on the screen: chosen from a list, by their key, or among the commands.

use super::app::App;
use super::asks::Purpose;
use super::picker::{Choice, Item, Picker};
use crate::domain::{CannedView, KeptFor, Request};

impl App {
    /// Asks for the macros, to choose one of them.
    pub fn ask_macros(&mut self) {
        match self.targets().is_empty() {
            true => self.say("no issue is selected"),
            false => self.ask(Purpose::Macros { choose: true }, Request::Canned { project: None }),
        }
    }

    /// Takes the macros in, and offers them where one is to be chosen.
    pub fn take_macros(&mut self, known: Vec<CannedView>, choose: bool) {
        self.macros = known.into_iter().filter(|canned| canned.runs.is_some()).collect();
        if !choose {
            return;
        }
        if self.macros.is_empty() {
            return self.say("no macros yet: `deskbell macro add NAME --do /close` keeps one");
        }
        let count = self.targets().len();
        let title = if count > 1 { format!("Run on {count} issues") } else { "Run a macro".to_owned() };
        let mut picker = Picker::new(&title, self.macro_items());
        picker.by_key = true;
        self.open_picker(picker);
    }

    /// Gives the macros as choices.
    fn macro_items(&self) -> Vec<Item> {
        self.macros.iter().map(item).collect()
    }

    /// Runs a macro on what is in front or marked.
    pub fn run_macro(&mut self, kept: KeptFor, name: String) {
        let references = self.targets();
        if references.is_empty() {
            return self.say("no issue is selected");
        }
        let request = Request::RunMacro { kept: Some(kept), name, references, hold_ms: None };
        let listed = self.on_list();
        self.ask(Purpose::Edit { advance: false, listed }, request);
    }
}

/// Makes a line of the list of all commands of a macro.
pub fn named_item(canned: &CannedView) -> Item {
    let item = item(canned);
    Item { name: format!("macro {}", item.name), keys: String::new(), ..item }
}

fn item(canned: &CannedView) -> Item {
    let runs = canned.runs.clone().unwrap_or_default();
    let mut does: Vec<String> =
        canned.text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    does.extend(runs.reply.map(|reply| format!("reply {reply}")));
    does.push(canned.scope.word().to_owned());
    let choice = Choice::Macro(canned.scope.clone(), canned.name.clone());
    Item { keys: runs.key.unwrap_or_default(), ..Item::new(&canned.name, &does.join(" \u{b7} "), choice) }
}
