//! Lives: when an issue was opened, closed and opened again, and when its people wrote.

use crate::domain::query::IssueFacts;
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

/// Gives when people wrote: to open it, and each time that it became our turn.
pub(super) fn incoming(facts: &IssueFacts) -> impl Iterator<Item = Timestamp> {
    let outside = facts.author.author.is_outside();
    let first = outside.then_some(facts.created_at);
    let ours = facts.turns.iter().filter(|turn| turn.to == TurnTo::Us && turn.at > facts.created_at);
    first.into_iter().chain(ours.map(|turn| turn.at))
}
