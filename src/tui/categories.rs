//! The screen of a project's labels and milestones.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::input::Effect;
use super::outbox::step;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Item, Picker};
use crate::domain::{CategoryKind, CategoryView, Request, Role};

/// The state of the screen of labels and milestones.
#[derive(Debug, Default)]
pub struct CategoriesScreen {
    /// Whose they are.
    pub project: String,
    /// Labels first.
    pub rows: Vec<CategoryView>,
    pub loaded: bool,
    pub selected: usize,
}

impl App {
    /// Asks for labels and milestones of the project that is shown.
    pub fn ask_categories(&mut self) {
        let Some(project) = self.shown_path() else { return };
        if self.categories.project != project {
            self.categories = CategoriesScreen { project: project.clone(), ..CategoriesScreen::default() };
        }
        for kind in [CategoryKind::Label, CategoryKind::Milestone] {
            let request = Request::Categories { kind, project: Some(project.clone()) };
            self.ask(Purpose::Categories { kind, project: project.clone() }, request);
        }
    }

    /// Takes those of one kind in, unless another project is shown by now.
    pub fn take_categories(&mut self, kind: CategoryKind, project: &str, rows: Vec<CategoryView>) {
        if self.categories.project != project {
            return;
        }
        let screen = &mut self.categories;
        screen.rows.retain(|row| row.kind != kind);
        screen.rows.extend(rows.into_iter().filter(|row| row.kind == kind));
        screen.rows.sort_by_key(|row| row.kind);
        screen.loaded = true;
        screen.selected = screen.selected.min(screen.rows.len().saturating_sub(1));
    }

    /// Does an action on the screen of labels and milestones; tells whether it was one of its own.
    pub fn categories_act(&mut self, action: Action) -> bool {
        let last = self.categories.rows.len().saturating_sub(1);
        if let Some(to) = step(action, self.categories.selected, last, self.page()) {
            self.categories.selected = to;
            return true;
        }
        let shown = self.categories.rows.get(self.categories.selected).cloned();
        match (action, shown) {
            (Action::AddLabel, _) => self.ask_category(CategoryKind::Label, None),
            (Action::AddMilestone, _) => self.ask_category(CategoryKind::Milestone, None),
            (Action::Open, Some(row)) => self.ask_category(row.kind, Some(row.about.name)),
            (Action::Remove, Some(row)) => self.ask_category_removal(row),
            (Action::Copy, Some(row)) => self.want(Effect::Copy(row.about.name)),
            _ => return self.other_project(action),
        }
        true
    }

    fn ask_category(&mut self, kind: CategoryKind, name: Option<String>) {
        if self.stopped_by_role(&format!("changing a {}", kind.word()), Role::Reporter) {
            return;
        }
        let (title, hint) = match &name {
            None => (format!("Add a {}", kind.word()), "its name"),
            Some(name) => (format!("Rename {}", clean::line(name)), "every issue with it gets the new name"),
        };
        let value = name.clone().unwrap_or_default();
        self.open_prompt(Prompt::new(Ask::Category { kind, name }, &title, &value, hint));
    }

    /// Adds a label or milestone, or gives one another name.
    pub fn write_category(&mut self, kind: CategoryKind, name: Option<String>, typed: String) {
        let Some(project) = self.shown_path() else { return };
        let key = if kind == CategoryKind::Label { "name" } else { "title" };
        let settings = vec![(key.to_owned(), typed.clone())];
        let request = match name {
            _ if typed.is_empty() => return self.complain("a name cannot be empty"),
            Some(name) if name == typed => return,
            Some(name) => Request::SetCategory { kind, project, name, settings },
            None => Request::AddCategory { kind, project, settings },
        };
        self.ask(Purpose::CategoryAct, request);
    }

    fn ask_category_removal(&mut self, row: CategoryView) {
        if self.stopped_by_role(&format!("removing a {}", row.kind.word()), Role::Reporter) {
            return;
        }
        let title = format!("Remove the {} {}?", row.kind.word(), clean::line(&row.about.name));
        let about = match row.issues {
            0 => "no issue has it".to_owned(),
            1 => "it is taken off 1 issue".to_owned(),
            n => format!("it is taken off {n} issues"),
        };
        let yes = Choice::RemoveCategory { kind: row.kind, name: row.about.name };
        let items = vec![Item::new("no", "nothing changes", Choice::Nothing), Item::new("yes", &about, yes)];
        self.open_picker(Picker::new(&title, items));
    }

    /// Takes a label or milestone away.
    pub fn remove_category(&mut self, kind: CategoryKind, name: String) {
        let Some(project) = self.shown_path() else { return };
        self.ask(Purpose::CategoryAct, Request::RemoveCategory { kind, project, name });
    }
}
