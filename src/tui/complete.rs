//! Completion in the query line: fields, and the values that the desk knows.

use super::app::App;
use super::asks::Purpose;
use crate::domain::query::{Completion, KnownNames, completion};
use crate::domain::{CategoryKind, CategoryView, Request};

/// How the word at the cursor may go on.
#[derive(Debug, Default)]
pub struct Completing {
    pub known: KnownNames,
    pub offered: Completion,
    /// Which way stands in the line now, and of how many characters it is.
    pub chosen: Option<(usize, usize)>,
}

impl App {
    /// Asks for the names that values are completed from.
    pub fn ask_known_names(&mut self) {
        self.ask(Purpose::KnownLabels, Request::Labels);
        self.ask(Purpose::People, Request::Users);
        let (kind, project) = (CategoryKind::Milestone, None);
        self.ask(Purpose::KnownMilestones, Request::Categories { kind, project });
    }

    /// Takes the names of labels in.
    pub fn know_labels(&mut self, labels: Vec<(String, u64)>) {
        self.completing.known.labels = labels.iter().map(|(name, _)| name.clone()).collect();
        self.labels = labels;
        self.offer();
    }

    /// Takes the names of milestones in.
    pub fn know_milestones(&mut self, milestones: Vec<CategoryView>) {
        let names = milestones.into_iter().map(|milestone| milestone.about.name);
        let names: std::collections::BTreeSet<String> = names.collect();
        self.completing.known.milestones = names.into_iter().collect();
        self.offer();
    }

    /// Looks how the word at the cursor may go on.
    pub fn offer(&mut self) {
        let known = &mut self.completing.known;
        known.users = self.users.iter().filter(|user| !user.removed).map(|user| user.name.clone()).collect();
        let projects = self.projects.iter().flatten();
        known.projects = projects.map(|project| project.path.clone()).collect();
        self.completing.chosen = None;
        self.completing.offered = match &self.list.edit {
            Some(edit) => completion(&edit.before_cursor(), known),
            None => Completion::default(),
        };
    }

    /// Puts the first way to go on into the line, or the next one where one stands there already.
    pub fn complete_query(&mut self) {
        let Some(edit) = &mut self.list.edit else { return };
        let offered = &self.completing.offered;
        let (at, replaced) = match self.completing.chosen {
            Some((at, length)) => ((at + 1) % offered.ways.len().max(1), length),
            None => (0, offered.replaced),
        };
        let Some(way) = offered.ways.get(at) else { return };
        edit.take_back(replaced);
        edit.insert(way);
        let (length, only) = (way.chars().count(), offered.ways.len() == 1);
        self.query_changed();
        if only {
            // What follows is completed next.
            self.offer();
        } else {
            self.completing.chosen = Some((at, length));
        }
    }
}
