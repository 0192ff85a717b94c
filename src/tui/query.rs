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
        self.list.edit = Some(Edit::line(&text));
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
        self.list.view = super::list::VIEWS.iter().position(|v| v.query == query);
        self.list.query = query;
        self.ask_rows();
    }

    /// Does an action in the query line.
    pub fn query_act(&mut self, action: Action) {
        match action {
            Action::Accept => self.list.edit = None,
            Action::Down => self.move_selection(1),
            Action::Up => self.move_selection(-1),
            Action::Back => self.drop_query(),
            _ => {}
        }
    }

    fn drop_query(&mut self) {
        self.list.edit = None;
        if self.list.fault.is_some() {
            self.show_view(1);
        }
    }
}

/// Gives where a fault stands in the query, in characters: at the word that its message quotes.
pub fn fault_place(query: &str, message: &str) -> Option<(usize, usize)> {
    let mut quoted = message.split('`').skip(1).step_by(2).filter(|word| !word.is_empty());
    quoted.find_map(|word| {
        let at = query.find(word)?;
        Some((query.get(..at)?.chars().count(), word.chars().count()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_where_its_words_stand() {
        assert_eq!(fault_place("is:open stauts:x", "there is no field `stauts`"), Some((8, 6)));
        assert_eq!(fault_place("is:open", "a bracket is missing"), None);
    }
}
