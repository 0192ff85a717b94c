//! Merging on the screen: which issue lives on, what would happen, and then a yes.

use super::app::App;
use super::asks::Purpose;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Item, Picker};
use crate::domain::{Reference, Request};

impl App {
    /// Asks into which issue those in front or marked are merged.
    pub fn ask_merge(&mut self) {
        let references = self.targets();
        match references.as_slice() {
            [] => self.say("no issue is selected"),
            [only] => {
                let title = format!("Merge #{} into", only.iid);
                let hint = "the number of the issue that lives on; what would happen is shown first";
                self.open_prompt(Prompt::new(Ask::MergeInto(references), &title, "", hint));
            }
            _ => {
                let title = |reference: &Reference| {
                    let named = |row: &&crate::domain::IssueRow| row.iid == reference.iid;
                    self.list.rows.iter().find(named).map_or(String::new(), |row| row.title.clone())
                };
                let items = references.iter().map(|reference| {
                    let choice =
                        Choice::MergeInto { references: references.clone(), into: reference.clone() };
                    Item::new(&reference.to_string(), &title(reference), choice)
                });
                let items = items.collect();
                self.open_picker(Picker::new("Which one lives on", items));
            }
        }
    }

    /// Takes the number that was typed.
    pub fn merge_into(&mut self, references: Vec<Reference>, typed: &str) {
        match typed.parse::<Reference>() {
            Ok(into) => {
                let project = references.first().and_then(|reference| reference.project.clone());
                let into = Reference { project: into.project.or(project), ..into };
                self.plan_merge(references, into);
            }
            Err(fault) => self.complain_of(&fault),
        }
    }

    /// Asks what a merge would do.
    pub fn plan_merge(&mut self, references: Vec<Reference>, into: Reference) {
        let purpose = Purpose::MergePlan { references: references.clone(), into: into.clone() };
        self.ask(purpose, Request::Merge { references, into, dry_run: true });
    }

    /// Shows what a merge would do, and asks for a yes.
    pub fn merge_planned(&mut self, references: Vec<Reference>, into: Reference, lines: &[String]) {
        let title = format!("Merge into #{}? z takes it back", into.iid);
        let yes = Choice::Merge { references, into };
        let mut items = vec![Item::new("merge", "", yes.clone())];
        items.extend(lines.iter().map(|line| Item::new("", line, yes.clone())));
        items.push(Item::new("no", "leave them as they are", Choice::Nothing));
        self.open_picker(Picker::new(&title, items));
    }

    /// Merges.
    pub fn merge(&mut self, references: Vec<Reference>, into: Reference) {
        let listed = self.on_list();
        let request = Request::Merge { references, into, dry_run: false };
        self.ask(Purpose::Edit { advance: false, listed }, request);
    }
}
