//! Presence on the screen: says where this one is, and shows who else is there.

use super::app::{App, Screen};
use super::asks::Purpose;
use super::clean;
use super::picker::{Choice, Item, Picker};
use crate::domain::{Attend, DraftKind, NoteId, Present, Reference, Request, Writing};
use jiff::{SignedDuration, Timestamp};

/// After so long without a word, a key tells anew that somebody is there.
const AGAIN: SignedDuration = SignedDuration::from_mins(4);

/// Which note is read is told so often at most: the desk tells others forty times in a minute.
const STEP: SignedDuration = SignedDuration::from_secs(2);

/// What the desk was told last, and when; and how far the one who is followed was followed.
#[derive(Debug, Default)]
pub struct Told {
    last: Option<(Attend, Timestamp)>,
    followed: Option<(Reference, NoteId)>,
}

impl App {
    /// Tells the desk where this screen is, when that changed; `active` says that somebody pressed a key.
    pub fn attend(&mut self, active: bool) {
        let here = self.attending();
        let due = match &self.told.last {
            None => here != Attend::default(),
            Some((told, at)) => {
                let since = self.now.duration_since(*at);
                let again = active && here.reference.is_some() && since >= AGAIN;
                let stepped = Attend { note: here.note, ..told.clone() } == here && since < STEP;
                *told != here && !stepped || again
            }
        };
        if due && self.lost.is_none() {
            self.told.last = Some((here.clone(), self.now));
            self.ask(Purpose::Attend, Request::Attend(here));
        }
    }

    /// Gives after how many milliseconds the note that is read is to be told.
    pub fn attend_due(&self) -> Option<i64> {
        let (told, at) = self.told.last.as_ref().filter(|_| self.lost.is_none())?;
        let due = (*at + STEP).as_millisecond() - self.now.as_millisecond();
        (told.note != self.attending().note).then_some(due)
    }

    /// Forgets what the desk was told: it is another connection now.
    pub fn tell_anew(&mut self) {
        self.told = Told::default();
    }

    fn attending(&self) -> Attend {
        let reference = self.opened.clone().filter(|_| self.screen == Screen::Thread);
        let written = self.composer.as_ref().filter(|composer| {
            let target = composer.target.as_ref().map(|(_, reference)| reference);
            reference.is_some() && target == reference.as_ref() && !composer.body.is_blank()
        });
        let writing = written.map_or(Writing::Nothing, |composer| match composer.kind {
            DraftKind::Internal => Writing::Comment,
            DraftKind::Reply | DraftKind::Issue => Writing::Reply,
        });
        let read = self.thread.as_ref().filter(|thread| Some(&thread.reference) == reference.as_ref());
        let note =
            read.filter(|_| self.is_followed()).and_then(|thread| thread.current()).map(|note| note.id);
        Attend { seat: 0, reference, writing, following: self.following.is_some(), note }
    }

    /// Tells whether another may go along with this one: somebody goes along with somebody.
    fn is_followed(&self) -> bool {
        let me = self.me.as_ref().map(|me| me.name.as_str());
        let present = self.status.iter().flat_map(|status| &status.present);
        present
            .filter(|other| other.following && other.is_there(self.now))
            .any(|o| Some(o.user.as_str()) != me)
    }

    /// Gives the others who are at an issue now, who writes first.
    pub fn others_at(&self, reference: &str) -> Vec<&Present> {
        let me = self.me.as_ref().map(|me| me.name.as_str());
        let present = self.status.iter().flat_map(|status| &status.present);
        let mut others: Vec<&Present> = present
            .filter(|other| other.reference == reference && Some(other.user.as_str()) != me)
            .filter(|other| other.is_there(self.now))
            .collect();
        others.sort_by(|a, b| b.writing.cmp(&a.writing).then_with(|| a.user.cmp(&b.user)));
        others
    }

    /// Offers those who are at some issue and go along with nobody themselves.
    pub fn pick_followed(&mut self) {
        let me = self.me.as_ref().map(|me| me.name.clone());
        let present = self.status.iter().flat_map(|status| &status.present);
        let others = present.filter(|other| Some(&other.user) != me.as_ref() && other.is_there(self.now));
        let items: Vec<Item> = others
            .map(|other| {
                let choice = match other.following {
                    false => Choice::Follow(other.user.clone()),
                    true => Choice::Off(format!("{} goes along with somebody", clean::line(&other.user))),
                };
                let at = format!("{}, {}", clean::line(&other.reference), clean::line(&other.words()));
                Item::new(&format!("Follow {}", clean::line(&other.user)), &at, choice)
            })
            .collect();
        if items.is_empty() {
            return self.say("nobody else is at an issue now");
        }
        self.open_picker(Picker::new("Follow", items));
    }

    /// Goes along with somebody from now on.
    pub fn go_along(&mut self, user: String) {
        self.following = Some(user);
        self.told.followed = None;
        self.follow_on();
    }

    /// Leaves whoever is followed; tells whether somebody was.
    pub fn unfollow(&mut self) -> bool {
        let Some(user) = self.following.take() else { return false };
        self.say(format!("you go your own way again, without {}", clean::line(&user)));
        true
    }

    /// Opens the issue at which the one who is followed is now. Whoever writes stays where they are.
    pub fn follow_on(&mut self) {
        let Some(user) = self.following.clone() else { return };
        if self.composer.is_some() {
            self.unfollow();
            return;
        }
        let present = self.status.iter().flat_map(|status| &status.present);
        let theirs = present.filter(|other| other.user == user && other.is_there(self.now));
        let Some(last) = theirs.max_by_key(|other| other.since).cloned() else { return };
        // Two who go along with each other would never rest.
        if last.following {
            self.unfollow();
            return;
        }
        let Ok(reference) = last.reference.parse::<Reference>() else { return };
        if self.screen != Screen::Thread || self.opened.as_ref() != Some(&reference) {
            self.open_issue(reference);
        }
        self.follow_to_note();
    }

    /// Goes to the note that the one who is followed reads, when that is another than before.
    pub fn follow_to_note(&mut self) {
        let Some(user) = &self.following else { return };
        let height = self.thread_height();
        let Some(thread) = &mut self.thread else { return };
        let shown = thread.reference.to_string();
        let present = self.status.iter().flat_map(|status| &status.present);
        let theirs = present.filter(|other| other.user == *user && other.reference == shown);
        let Some(note) = theirs.max_by_key(|other| other.since).and_then(|other| other.note) else { return };
        let there = (thread.reference.clone(), note);
        let at = thread.view.notes.iter().position(|known| known.id == note);
        if let Some(at) = at.filter(|_| self.told.followed.as_ref() != Some(&there)) {
            thread.go_to(at, height);
            self.told.followed = Some(there);
        }
    }
}
