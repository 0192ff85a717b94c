//! Handing over: an issue goes to somebody with a note for them, in one step that one undo takes back.

use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Item, Picker};
use crate::domain::quick::handed_over;
use crate::domain::{IssueView, NewNote, NewNotes, Reference, Request, User};

impl App {
    /// Asks to whom those in front or marked can go.
    pub fn ask_hand_over(&mut self) {
        match self.targets() {
            none if none.is_empty() => self.say("no issue is selected"),
            references => self.ask(Purpose::HandOverTo(references), Request::Users),
        }
    }

    /// Lets one of the others be picked.
    pub fn pick_heir(&mut self, references: &[Reference], users: &[User]) {
        let me = self.me.as_ref().map(|me| me.name.as_str());
        let others = users.iter().filter(|user| !user.removed && Some(user.name.as_str()) != me);
        let item = |user: &User| {
            let choice = Choice::HandOver(references.to_vec(), user.name.clone());
            Item::new(&user.name, user.full_name.as_deref().unwrap_or_default(), choice)
        };
        let items: Vec<Item> = others.map(item).collect();
        if items.is_empty() {
            return self.say("there is nobody else on this desk");
        }
        let title = match references.len() {
            0 | 1 => "Hand over to".to_owned(),
            count => format!("Hand {count} issues over to"),
        };
        self.open_picker(Picker::new(&title, items));
    }

    /// Asks for the note that goes with it.
    pub fn ask_hand_over_note(&mut self, references: Vec<Reference>, user: String) {
        let title = format!("Note to {}", clean::line(&user));
        let hint = "internal; they are told, and it is assigned to them";
        self.open_prompt(Prompt::new(Ask::HandOver { references, user }, &title, "", hint));
    }

    /// Hands them over: each gets the note, in one step.
    pub fn hand_over(&mut self, references: Vec<Reference>, user: String, text: &str) {
        if text.is_empty() {
            return self.complain("say in a word what is to be done");
        }
        let text = handed_over(&user, text);
        let listed = self.on_list();
        match <[Reference; 1]>::try_from(references) {
            Ok([reference]) => {
                let new = NewNote { reference, text, internal: true, ..NewNote::default() };
                self.ask(Purpose::HandOver { user, listed }, Request::AddNote(new));
            }
            Err(references) => {
                let new = NewNotes {
                    references,
                    text,
                    internal: true,
                    hold_ms: None,
                    close: false,
                    dry_run: false,
                };
                self.ask(Purpose::Edit { advance: false, listed }, Request::NoteMany(new));
            }
        }
    }

    /// Says that it was handed over.
    pub fn was_handed_over(&mut self, user: &str, view: &IssueView, listed: bool) {
        if listed {
            self.list.marks.clear();
        }
        self.say(format!("#{} goes to {} \u{b7} z takes it back", view.row.iid, clean::line(user)));
        if let Some(thread) = &self.thread {
            let reference = thread.reference.clone();
            self.ask_thread(reference);
        }
    }
}
