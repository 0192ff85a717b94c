//! Turns: whose turn it was in an issue, from its beginning on, so that waiting can be counted afterwards.

use super::{Issue, Party};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// So many turns of one issue are remembered; of a longer talk those in the middle go.
const TURNS_MAX: usize = 512;
/// So many of the first ones stay.
const FIRST: usize = 64;

/// What began at a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnTo {
    /// It waits on us.
    Us,
    /// It waits on them, without an answer: somebody set it to pending.
    Them,
    /// We answered them.
    Reply,
    /// It waits on nobody, mostly because it is closed.
    Nobody,
}

/// A moment from which an issue waited on somebody else than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    pub at: Timestamp,
    pub to: TurnTo,
}

impl Issue {
    /// Sets whose turn it is, and since when.
    pub fn turn(&mut self, party: Option<Party>, at: Timestamp) {
        if self.waiting_on == party {
            return;
        }
        self.begin_turns();
        self.waiting_on = party;
        self.waiting_since = party.map(|_| at);
        self.log_turn(at, to(party));
    }

    /// Remembers that its people were answered.
    pub fn note_reply(&mut self, at: Timestamp) {
        self.begin_turns();
        match self.turns.last_mut() {
            Some(last) if last.to == TurnTo::Reply => {}
            Some(last) if last.to == TurnTo::Them && last.at == at => last.to = TurnTo::Reply,
            _ => self.log_turn(at, TurnTo::Reply),
        }
    }

    /// Forgets an answer that was taken back before it went out.
    pub fn forget_reply(&mut self, at: Timestamp) {
        self.turns.retain(|turn| turn.to != TurnTo::Reply || turn.at != at);
    }

    /// Forgets the turns after the one that stands, where what made them was taken back.
    pub fn forget_later_turns(&mut self) {
        if let Some(since) = self.waiting_since.or(self.closed_at) {
            self.turns.retain(|turn| turn.at <= since);
        }
    }

    /// Stands as before a turn: it and those after it are forgotten. Nothing changes where it is not known, or none before
    /// it.
    pub fn resume_before(&mut self, at: Timestamp, to_one_of: &[TurnTo]) {
        let it = |turn: &Turn| turn.at == at && to_one_of.contains(&turn.to);
        let Some(known) = self.turns.iter().position(it) else { return };
        let Some(last) = self.turns.iter().take(known).next_back() else { return };
        let party = match last.to {
            TurnTo::Us => Some(Party::Us),
            TurnTo::Them | TurnTo::Reply => Some(Party::Them),
            TurnTo::Nobody => None,
        };
        let same =
            |turn: &&Turn| turn.to == to(party) || turn.to == TurnTo::Reply && party == Some(Party::Them);
        let since = self.turns.iter().take(known).rev().take_while(same).last().map(|turn| turn.at);
        self.turns.truncate(known);
        self.waiting_on = party;
        self.waiting_since = since.filter(|_| party.is_some());
    }

    /// Adds the turn that stands, where what made it was done again.
    pub fn mend_turns(&mut self, now: Timestamp) {
        let wanted = to(self.waiting_on);
        let stands = |last: &Turn| last.to == wanted || (last.to == TurnTo::Reply && wanted == TurnTo::Them);
        if !self.turns.last().is_none_or(stands) {
            self.log_turn(self.waiting_since.or(self.closed_at).unwrap_or(now), wanted);
        }
    }

    /// Begins with what is known of an issue whose turns nobody wrote down.
    fn begin_turns(&mut self) {
        let since = self.waiting_since.or(self.closed_at);
        if let Some(at) = since.filter(|_| self.turns.is_empty()) {
            self.turns.push(Turn { at, to: to(self.waiting_on) });
        }
    }

    fn log_turn(&mut self, at: Timestamp, to: TurnTo) {
        if self.turns.len() >= TURNS_MAX {
            self.turns.remove(FIRST);
        }
        self.turns.push(Turn { at, to });
    }
}

fn to(party: Option<Party>) -> TurnTo {
    match party {
        Some(Party::Us) => TurnTo::Us,
        Some(Party::Them) => TurnTo::Them,
        None => TurnTo::Nobody,
    }
}
