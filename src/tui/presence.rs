//! Presence on the screen: says where this one is, and shows who else is there.

use super::app::{App, Screen};
use super::asks::Purpose;
use super::clean;
use super::picker::{Choice, Item, Picker};
use crate::domain::{Attend, DraftKind, Present, Reference, Request, Writing};
use jiff::{SignedDuration, Timestamp};

/// After so long without a word, a key tells anew that somebody is there.
const AGAIN: SignedDuration = SignedDuration::from_mins(4);

/// What the desk was told last, and when.
#[derive(Debug, Default)]
pub struct Told(Option<(Attend, Timestamp)>);

impl App {
    /// Tells the desk where this screen is, when that changed; `active` says that somebody pressed a key.
    pub fn attend(&mut self, active: bool) {
        let here = self.attending();
        let due = match &self.told.0 {
            None => here != Attend::default(),
            Some((told, at)) => {
                let again = active && here.reference.is_some() && self.now.duration_since(*at) >= AGAIN;
                *told != here || again
            }
        };
        if due && self.lost.is_none() {
            self.told.0 = Some((here.clone(), self.now));
            self.ask(Purpose::Attend, Request::Attend(here));
        }
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
        Attend { seat: 0, reference, writing, following: self.following.is_some() }
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
    }
}
