//! Keys on their way to what they do, and what the status line says until the next one.

use super::app::App;
use super::keymap::{Lookup, Place};
use super::keys::Key;
use crate::domain::Fault;
use crossterm::event::KeyEvent;
use jiff::Timestamp;

/// Something to say in the status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub bad: bool,
    pub at: Timestamp,
}

/// How long a notice stays, in seconds, where no key takes it away before.
const NOTICE_SECONDS: i64 = 12;
/// How long, in milliseconds, what went wrong has to stand there before a key takes it away.
const SEEN_MILLIS: i64 = 2_000;

impl App {
    /// Does what a key, or the sequence that it completes, stands for.
    pub fn key(&mut self, event: KeyEvent) {
        self.answered = None;
        // In a thread one types on; what was taken back is still to be found by the list below.
        if self.on_list() {
            self.list.wanted.clear();
        }
        let leaves = event.code == crossterm::event::KeyCode::Esc && self.overlay.is_none();
        if leaves && self.unfollow() {
            return;
        }
        let place = self.place();
        self.pending.push(Key::from(event));
        match self.keymap.lookup(place, &self.pending) {
            Lookup::Pending(_) => {}
            Lookup::Action(action) => {
                self.pending.clear();
                let said = self.notice.clone();
                self.act(place, action);
                self.seen(said);
            }
            Lookup::Nothing => {
                let alone = self.pending.len() == 1;
                self.pending.clear();
                if alone && place.takes_text() {
                    let said = self.notice.clone();
                    self.typed(place, event);
                    self.seen(said);
                }
            }
        }
    }

    fn typed(&mut self, place: Place, event: KeyEvent) {
        match place {
            Place::Composer => self.composer_key(event),
            Place::Query => self.query_key(event),
            _ => self.overlay_key(event),
        }
    }

    /// Puts pasted text where text is typed.
    pub fn paste(&mut self, text: &str) {
        match self.place() {
            Place::Composer => self.composer_paste(text),
            Place::Query => self.query_paste(text),
            Place::Prompt | Place::Picker => self.overlay_paste(text),
            _ => {}
        }
    }

    /// Takes away what was said before a key that did something; what went wrong only once it was to be seen.
    fn seen(&mut self, said: Option<Notice>) {
        let millis = |notice: &Notice| self.now.as_millisecond() - notice.at.as_millisecond();
        let over = |notice: &Notice| !notice.bad || millis(notice) >= SEEN_MILLIS;
        if said.as_ref().is_some_and(over) && self.notice == said {
            self.notice = None;
        }
    }

    /// Takes away what stood there long enough; tells whether there was anything. Errors stay until a key comes.
    pub fn forget_said(&mut self) -> bool {
        let now = self.now.as_second();
        let over = |notice: &Notice| !notice.bad && now - notice.at.as_second() >= NOTICE_SECONDS;
        let notice = self.notice.take_if(|notice| over(notice));
        let lesson = self.palette.lesson.take_if(|notice| over(notice));
        notice.is_some() || lesson.is_some()
    }

    /// Gives after how many milliseconds what is said is over.
    pub fn said_due(&self) -> impl Iterator<Item = i64> {
        let said = self.notice.iter().chain(&self.palette.lesson).filter(|notice| !notice.bad);
        let now = self.now.as_millisecond();
        said.map(move |notice| notice.at.as_millisecond() + NOTICE_SECONDS * 1000 - now)
    }

    /// Says something in the status line.
    pub fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), bad: false, at: self.now });
    }

    /// Says in the status line what went wrong.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), bad: true, at: self.now });
    }

    /// Says what the desk refused, and what helps.
    pub fn complain_of(&mut self, fault: &Fault) {
        let hint = fault.hint.as_ref().map_or(String::new(), |hint| format!(" \u{b7} {hint}"));
        self.complain(format!("{}{hint}", fault.message));
    }
}
