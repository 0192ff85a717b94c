//! The tour of the demo: five screens as they are, each with a few words at its foot.

use super::action::Action;
use super::app::{App, Screen};
use super::keymap::Place;
use super::overlay::Overlay;
use crate::domain::DraftKind;

/// How many stops there are.
pub const STOPS: usize = 5;

/// One stop: its title and its words.
pub struct Stop {
    pub title: String,
    pub lines: Vec<String>,
}

impl App {
    /// Begins the tour.
    pub fn begin_tour(&mut self) {
        self.tour_to(1);
    }

    /// Goes on to the next stop, or back to the list after the last.
    pub fn tour_on(&mut self, stop: usize) {
        self.tour_to(stop + 1);
    }

    fn tour_to(&mut self, stop: usize) {
        self.to_list();
        match stop {
            2 => self.act(Place::List, Action::Open),
            3 => self.compose(DraftKind::Reply),
            4 => self.go_to(Screen::Outbox),
            _ => {}
        }
        self.overlay = (1..=STOPS).contains(&stop).then_some(Overlay::Tour(stop));
        if self.overlay.is_none() {
            self.say("that was the tour; ? shows the keys of every place");
        }
    }

    /// Gives the words of a stop, with the keys as they are bound: they are for afterwards.
    pub fn tour_stop(&self, stop: usize) -> Stop {
        let key = |place, action| self.keymap.keys_of(place, action).into_iter().next().unwrap_or_default();
        let (list, thread, text) = (
            |action| key(Place::List, action),
            |action| key(Place::Thread, action),
            |action| key(Place::Composer, action),
        );
        let (title, lines) = match stop {
            1 => (
                "The list",
                vec![
                    "Mails become issues. What is new is marked; WAITS says since when for us.".into(),
                    format!(
                        "After the tour: {} {} move, {} opens, {} searches, the numbers are views.",
                        list(Action::Down),
                        list(Action::Up),
                        list(Action::Open),
                        list(Action::Query)
                    ),
                ],
            ),
            2 => (
                "An issue",
                vec![
                    "Mails and comments, one below the other. Quotes are folded, nothing is lost.".into(),
                    format!(
                        "After the tour: {} answers by mail, {} writes to colleagues only, {} closes.",
                        thread(Action::Reply),
                        thread(Action::Comment),
                        thread(Action::Close)
                    ),
                ],
            ),
            3 => (
                "An answer",
                vec![
                    "The line above the text says who gets it. Your draft is kept as you type.".into(),
                    format!(
                        "After the tour: {} sends, {} sends and closes, {} takes it back.",
                        text(Action::Send),
                        text(Action::SendClose),
                        thread(Action::Undo)
                    ),
                ],
            ),
            4 => (
                "The outbox",
                vec![
                    "Every mail on its way and what became of it. Here, the customers answer.".into(),
                    format!(
                        "After the tour: {} comes here, {} shows every mail that came in, and why.",
                        list(Action::Outbox),
                        list(Action::Intake)
                    ),
                ],
            ),
            _ => (
                "Everything else",
                vec![
                    "Nothing here leaves this machine: try everything.".into(),
                    format!(
                        "After the tour: {} shows the keys of a place, {} finds all by name, {} takes back.",
                        list(Action::Help),
                        list(Action::Palette),
                        list(Action::Undo)
                    ),
                ],
            ),
        };
        Stop { title: title.to_owned(), lines }
    }
}
