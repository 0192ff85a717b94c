//! Handing over: an issue goes to somebody with a note for them, in one step that one undo takes back.

use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Item, Picker};
use crate::domain::quick::handed_over;
use crate::domain::{IssueView, NewNote, Reference, Request, User};

impl App {
    /// Asks to whom the issue in front can go.
    pub fn ask_hand_over(&mut self) {
        match self.target() {
            Some(reference) => self.ask(Purpose::HandOverTo(reference), Request::Users),
            None => self.say("no issue is selected"),
        }
    }

    /// Lets one of the others be picked.
    pub fn pick_heir(&mut self, reference: &Reference, users: &[User]) {
        let me = self.me.as_ref().map(|me| me.name.as_str());
        let others = users.iter().filter(|user| !user.removed && Some(user.name.as_str()) != me);
        let item = |user: &User| {
            let choice = Choice::HandOver(reference.clone(), user.name.clone());
            Item::new(&user.name, user.full_name.as_deref().unwrap_or_default(), choice)
        };
        let items: Vec<Item> = others.map(item).collect();
        if items.is_empty() {
            return self.say("there is nobody else on this desk");
        }
        self.open_picker(Picker::new("Hand over to", items));
    }

    /// Asks for the note that goes with it.
    pub fn ask_hand_over_note(&mut self, reference: Reference, user: String) {
        let title = format!("Note to {}", clean::line(&user));
        let hint = "internal; they are told, and it is assigned to them";
        self.open_prompt(Prompt::new(Ask::HandOver { reference, user }, &title, "", hint));
    }

    /// Hands it over.
    pub fn hand_over(&mut self, reference: Reference, user: String, text: &str) {
        if text.is_empty() {
            return self.complain("say in a word what is to be done");
        }
        let text = handed_over(&user, text);
        let new = NewNote { reference, text, internal: true, ..NewNote::default() };
        self.ask(Purpose::HandOver(user), Request::AddNote(new));
    }

    /// Says that it was handed over.
    pub fn was_handed_over(&mut self, user: &str, view: &IssueView) {
        self.say(format!("#{} goes to {} \u{b7} z takes it back", view.row.iid, clean::line(user)));
        if let Some(thread) = &self.thread {
            let reference = thread.reference.clone();
            self.ask_thread(reference);
        }
    }
}
