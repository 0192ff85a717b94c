//! Lives: when an issue was opened, closed and opened again, and when its people wrote.

use crate::domain::query::{IssueFacts, seconds};
use crate::domain::{State, TurnTo};
use jiff::Timestamp;

/// Gives each moment at which an issue began to be open, or ended to, in their order; `true` began.
pub(super) fn of(facts: &IssueFacts) -> Vec<(Timestamp, bool)> {
    let mut life = vec![(facts.created_at, true)];
    let mut open = true;
    for turn in &facts.turns {
        match turn.to {
            TurnTo::Nobody if open => open = false,
            TurnTo::Us | TurnTo::Them if !open => open = true,
            _ => continue,
        }
        life.push((turn.at.max(facts.created_at), open));
    }
    // An issue may have ended before anybody wrote down its turns.
    match (facts.state, open) {
        (State::Closed, true) => life.push((facts.closed_at.unwrap_or(facts.updated_at), false)),
        (State::Open, false) => drop(life.pop()),
        _ => {}
    }
    life
}

/// Gives when people outside wrote: each mail of theirs, and what the issue began with where that is no note.
pub(super) fn incoming(facts: &IssueFacts) -> impl Iterator<Item = Timestamp> {
    let came = facts.notes.iter().filter_map(|note| note.came);
    let outside = facts.author.author.is_outside() && facts.merged_into.is_none();
    let began = seconds(facts.created_at).filter(|began| outside && !came.clone().any(|at| at == *began));
    began.into_iter().chain(came).filter_map(|at| Timestamp::from_second(i64::from(at.get())).ok())
}
