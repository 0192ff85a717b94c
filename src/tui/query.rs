//! The query line: results come while it is typed.

use super::action::Action;
use super::app::App;
use super::edit::Edit;
use crossterm::event::KeyEvent;

impl App {
    /// Begins typing a query from the one that stands.
    pub fn open_query(&mut self) {
        let mut text = self.list.query.clone();
        if !text.is_empty() {
            text.push(' ');
        }
        self.list.remember_view();
        self.list.before_edit.clone_from(&self.list.query);
        self.list.edit = Some(Edit::line(&text));
        self.offer();
        self.ask_known_names();
    }

    /// Gives a key to the query line.
    pub fn query_key(&mut self, key: KeyEvent) {
        if self.list.edit.as_mut().is_some_and(|edit| edit.key(key)) {
            self.query_typed();
        }
    }

    /// Puts pasted text into the query line.
    pub fn query_paste(&mut self, text: &str) {
        if let Some(edit) = &mut self.list.edit {
            edit.insert(text);
            self.query_typed();
        }
    }

    fn query_typed(&mut self) {
        self.offer();
        self.query_changed();
    }

    /// Looks for what stands in the line now.
    pub fn query_changed(&mut self) {
        let Some(edit) = &self.list.edit else { return };
        let query = edit.value().trim().to_owned();
        if query != self.list.query {
            self.look_for(query);
        }
    }

    /// Asks for what a query finds; what is on the screen stays until the answer is there.
    fn look_for(&mut self, query: String) {
        self.list.selected = 0;
        self.list.top = 0;
        self.list.anchor = None;
        self.list.marks.clear();
        self.list.fault = None;
        self.list.view = self.list.view_of(&query);
        self.list.query = query;
        self.ask_rows();
    }

    /// Does an action in the query line.
    pub fn query_act(&mut self, action: Action) {
        match action {
            Action::Accept => {
                self.list.edit = None;
                self.ask_rows();
            }
            Action::Complete => self.complete_query(),
            Action::Down => self.move_selection(1),
            Action::Up => self.move_selection(-1),
            Action::Back => self.drop_query(),
            _ => {}
        }
    }

    /// Goes back to the query that stood before.
    fn drop_query(&mut self) {
        self.list.edit = None;
        let before = std::mem::take(&mut self.list.before_edit);
        if before != self.list.query {
            self.look_for(before);
        }
    }
}
