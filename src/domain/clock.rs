//! Clocks: how long people may wait for an answer and for the end of an issue, and how long they have waited.
//!
//! A clock runs in working hours while an issue waits on us, and stands while it waits on them. Pure: when a
//! clock runs out does not depend on when one looks.

use super::query::{IssueFacts, Query, Viewer};
use super::{IssueKind, Party, ProjectId, Rights, State, Turn, TurnTo, WorkingHours};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// Our first answer.
    #[default]
    First,
    /// Our answer to what they wrote after an earlier one.
    Next,
    /// The end of it all.
    Resolve,
}

impl ClockKind {
    pub const ALL: [Self; 3] = [Self::First, Self::Next, Self::Resolve];

    /// Gives the word for it, as queries and commands have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Next => "next",
            Self::Resolve => "resolve",
        }
    }
}

/// What can be said of a clock. Lengths are working time: `4h`, `3d`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClockAbout {
    pub name: String,
    /// Which issues it is for, in the query language; empty is for all.
    pub query: String,
    pub first: Option<String>,
    pub next: Option<String>,
    pub resolve: Option<String>,
    /// How long before the end the staff are warned; absent is the last quarter.
    pub warn: Option<String>,
    pub enabled: bool,
}

impl Default for ClockAbout {
    fn default() -> Self {
        Self {
            name: String::new(),
            query: String::new(),
            first: None,
            next: None,
            resolve: None,
            warn: None,
            enabled: true,
        }
    }
}

/// A clock of a project, or of the whole desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    pub project: Option<ProjectId>,
    /// The first one that fits an issue counts, those of its project before those of the desk.
    pub position: u32,
    pub about: ClockAbout,
}

/// A clock as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockView {
    /// The path of its project; none for the whole desk.
    pub project: Option<String>,
    pub position: u32,
    pub about: ClockAbout,
}

/// The clock of an issue, as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueClock {
    pub name: String,
    pub kind: ClockKind,
    /// When it runs out, or ran out; none while it stands.
    pub due_at: Option<Timestamp>,
    /// From when on it is near.
    pub warn_at: Option<Timestamp>,
    /// Whether it stands, because it is their turn.
    pub paused: bool,
    /// Seconds of working time that are left while it stands.
    pub left: Option<i64>,
    /// Whether it ran out.
    pub breached: bool,
}

/// The clock of an issue that runs out first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub name: Arc<str>,
    pub kind: ClockKind,
    pub ends: Ends,
    /// From when on it is near.
    pub warn_at: Option<Timestamp>,
    pub paused: bool,
}

/// When a clock runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    At(Timestamp),
    /// It stands, with so many seconds of working time left.
    Later(i64),
}

impl Running {
    /// Gives when it runs out, unless it stands.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.ends {
            Ends::At(at) => Some(at),
            Ends::Later(_) => None,
        }
    }

    /// Shows it as it is at a moment.
    pub fn view(&self, now: Timestamp) -> IssueClock {
        IssueClock {
            name: self.name.to_string(),
            kind: self.kind,
            due_at: self.due_at(),
            warn_at: self.warn_at,
            paused: self.paused,
            left: match self.ends {
                Ends::At(_) => None,
                Ends::Later(left) => Some(left),
            },
            breached: self.due_at().is_some_and(|at| at < now),
        }
    }
}

/// A clock that was understood; lengths in seconds of working time.
#[derive(Debug)]
pub struct Target {
    pub name: Arc<str>,
    pub query: Query,
    pub first: Option<i64>,
    pub next: Option<i64>,
    pub resolve: Option<i64>,
    pub warn: Option<i64>,
}

impl Target {
    /// Reads a clock by the hours of a project; `None` where it is off or cannot be read.
    pub fn read(about: &ClockAbout, hours: &WorkingHours) -> Option<Self> {
        let length = |text: &Option<String>| match text.as_deref() {
            None => Some(None),
            Some(text) => hours.length(text).map(Some),
        };
        Some(Self {
            name: about.name.as_str().into(),
            query: Query::parse(&about.query).ok().filter(|_| about.enabled)?,
            first: length(&about.first)?,
            next: length(&about.next)?,
            resolve: length(&about.resolve)?,
            warn: length(&about.warn)?,
        })
    }

    /// Gives how long may be waited, in seconds of working time.
    pub fn of(&self, kind: ClockKind) -> Option<i64> {
        match kind {
            ClockKind::First => self.first,
            ClockKind::Next => self.next,
            ClockKind::Resolve => self.resolve,
        }
    }
}

/// The hours and the clocks of a project, in their order.
#[derive(Debug)]
pub struct Plan {
    pub hours: Arc<WorkingHours>,
    pub targets: Vec<Target>,
}

/// The hours and clocks of every project.
#[derive(Debug, Default)]
pub struct Clocks {
    pub plans: BTreeMap<ProjectId, Plan>,
}

/// Time in which an issue waited on us; it still does where there is no end.
pub type Wait = (Timestamp, Option<Timestamp>);

/// How often and how long an issue waited on us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// For each answer of ours that was waited for: what for, when it came, and the waiting before it.
    pub answers: Vec<(ClockKind, Timestamp, Vec<Wait>)>,
    /// The waiting for an answer that is still to come, and what for.
    pub open: (ClockKind, Vec<Wait>),
    /// All waiting.
    pub all: Vec<Wait>,
}

impl Waits {
    /// Draws the waits from the turns of an issue.
    pub fn of(facts: &IssueFacts) -> Self {
        let old = old_turn(facts);
        let turns = if facts.turns.is_empty() { old.as_slice() } else { &facts.turns };
        // Where nobody wrote down how it began, an answer may have gone out before.
        let from_start = turns.first().is_some_and(|turn| turn.at <= facts.created_at);
        let mut kind = if from_start { ClockKind::First } else { ClockKind::Next };
        let (mut waits, mut segment) = (Self::default(), Vec::new());
        for turn in turns {
            end_wait(&mut segment, turn.at);
            end_wait(&mut waits.all, turn.at);
            match turn.to {
                TurnTo::Us => {
                    segment.push((turn.at, None));
                    waits.all.push((turn.at, None));
                }
                TurnTo::Reply => {
                    let waited = std::mem::take(&mut segment);
                    if !waited.is_empty() {
                        waits.answers.push((kind, turn.at, waited));
                    }
                    kind = ClockKind::Next;
                }
                TurnTo::Them | TurnTo::Nobody => {}
            }
        }
        waits.open = (kind, segment);
        waits
    }
}

fn end_wait(waits: &mut [Wait], at: Timestamp) {
    if let Some(last) = waits.last_mut().filter(|wait| wait.1.is_none()) {
        last.1 = Some(at);
    }
}

/// Gives what is known of an issue whose turns nobody wrote down.
fn old_turn(facts: &IssueFacts) -> Vec<Turn> {
    let since = facts.waiting_since.filter(|_| facts.waiting_on == Some(Party::Us));
    since.map(|at| Turn { at, to: TurnTo::Us }).into_iter().collect()
}

impl WorkingHours {
    /// Gives when so many seconds of waiting are over, or how many are left.
    pub fn ends(&self, waits: &[Wait], seconds: i64) -> Ends {
        let mut left = seconds.max(0);
        for (from, to) in waits {
            let worked = to.map(|to| self.worked(*from, to));
            if worked.is_none_or(|worked| worked >= left) {
                return self.end(*from, left).map_or(Ends::At(Timestamp::MAX), Ends::At);
            }
            left -= worked.unwrap_or(0);
        }
        Ends::Later(left)
    }

    /// Gives how long was waited, in seconds of working time; what still goes on counts until `now`.
    pub fn waited(&self, waits: &[Wait], now: Timestamp) -> i64 {
        waits.iter().map(|(from, to)| self.worked(*from, to.unwrap_or(now))).sum()
    }
}

impl Clocks {
    /// Gives the clock that counts for an issue.
    pub fn target(&self, facts: &IssueFacts) -> Option<(&Plan, &Target)> {
        let plan = self.plans.get(&facts.project)?;
        if plan.targets.is_empty() {
            return None;
        }
        // A clock asks nothing that depends on who looks, or when.
        let viewer = Viewer { user: String::new(), now: facts.updated_at, rights: Rights::All };
        let fits = |target: &&Target| target.query.matches(facts, &viewer, None);
        plan.targets.iter().find(fits).map(|target| (plan, target))
    }

    /// Gives the clock of an issue that runs out first; while all of them stand, the one with the least left.
    pub fn running(&self, facts: &IssueFacts) -> Option<Running> {
        if facts.state == State::Closed || facts.spam || facts.merged_into.is_some() {
            return None;
        }
        let (plan, target) = self.target(facts)?;
        let waits = Waits::of(facts);
        let (kind, open) = &waits.open;
        let asked = facts.kind == IssueKind::Ticket && !open.is_empty();
        let answer = asked.then_some((*kind, open));
        let all = (!waits.all.is_empty()).then_some((ClockKind::Resolve, &waits.all));
        let running = |(kind, waits): (ClockKind, &Vec<Wait>)| {
            let length = target.of(kind)?;
            let warn = target.warn.unwrap_or(length / 4);
            let warn_at = match plan.hours.ends(waits, length.saturating_sub(warn)) {
                Ends::At(at) => Some(at),
                Ends::Later(_) => None,
            };
            let ends = plan.hours.ends(waits, length);
            let paused = facts.waiting_on != Some(Party::Us);
            Some(Running { name: Arc::clone(&target.name), kind, ends, warn_at, paused })
        };
        answer.into_iter().chain(all).filter_map(running).min_by_key(|running| running.ends)
    }
}

#[cfg(test)]
mod tests;
