//! What of the outbox is due, by the monotonic clock, and how much automatic mail an hour has seen.
//!
//! Derived from the rows of the outbox and lost with the process: after a start every waiting row is due
//! at once, except that a running undo window is waited out. A jump of the wall clock moves nothing here.

use crate::domain::{DeskSettings, EmailAddress, IssueId, OutboxCounts, OutboxEntry, OutboxId, OutboxState};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How many hours' worth of automatic mail one sender gets within a day: who wants more is a machine.
const HOURS_A_DAY: usize = 2;

/// The waiting rows, and the budgets of automatic mail.
#[derive(Default)]
pub(super) struct Queue {
    rows: Mutex<BTreeMap<OutboxId, Row>>,
    budget: Mutex<Budget>,
}

#[derive(Clone, Debug)]
struct Row {
    state: OutboxState,
    issue: Option<IssueId>,
    outlet: Option<String>,
    /// `None` with a held row: until somebody releases it.
    due: Option<Instant>,
    in_flight: bool,
}

#[derive(Default)]
struct Budget {
    by_sender: HashMap<String, VecDeque<Instant>>,
    all: VecDeque<Instant>,
    by_staff: HashMap<String, VecDeque<Instant>>,
}

/// Whether an automatic mail may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    Go,
    /// This sender had as many as they may within the hour or the day: write none.
    Enough,
    /// The desk as a whole had: write it, and hold it for a person.
    Hold,
}

impl Queue {
    /// Takes note of a row as it was written at `now`.
    pub fn follow(&self, entry: &OutboxEntry, now: Timestamp) {
        let mut rows = locked(&self.rows);
        if matches!(entry.state, OutboxState::Sent | OutboxState::Cancelled) {
            rows.remove(&entry.id);
            return;
        }
        let at = match entry.state {
            OutboxState::Held => entry.held_until.map(|until| Instant::now() + wait(now, until)),
            OutboxState::Deferred => {
                Some(Instant::now() + entry.next_attempt_at.map_or(Duration::ZERO, |at| wait(now, at)))
            }
            OutboxState::Queued | OutboxState::Sending => Some(Instant::now()),
            _ => None,
        };
        rows.insert(
            entry.id,
            Row {
                state: entry.state,
                issue: entry.issue,
                outlet: entry.outlet.clone(),
                due: at,
                in_flight: false,
            },
        );
    }

    /// Claims the rows of an outlet that are due, the oldest first.
    pub fn claim(&self, outlet: Option<&str>, limit: usize) -> Vec<OutboxId> {
        let now = Instant::now();
        let mut rows = locked(&self.rows);
        let due = |row: &Row| {
            !row.in_flight && row.outlet.as_deref() == outlet && row.due.is_some_and(|at| at <= now)
        };
        let ids: Vec<OutboxId> =
            rows.iter().filter(|(_, row)| due(row)).map(|(id, _)| *id).take(limit).collect();
        for id in &ids {
            if let Some(row) = rows.get_mut(id) {
                row.in_flight = true;
            }
        }
        ids
    }

    /// Gives rows back that were claimed and not tried.
    pub fn give_back(&self, ids: &[OutboxId]) {
        let mut rows = locked(&self.rows);
        for id in ids {
            if let Some(row) = rows.get_mut(id) {
                row.in_flight = false;
            }
        }
    }

    /// Tells whether a row is being sent at this moment.
    pub fn in_flight(&self, id: OutboxId) -> bool {
        locked(&self.rows).get(&id).is_some_and(|row| row.in_flight)
    }

    /// Makes every deferred row due now.
    pub fn hurry(&self) {
        let now = Instant::now();
        for row in locked(&self.rows).values_mut().filter(|row| row.state == OutboxState::Deferred) {
            row.due = Some(now);
        }
    }

    /// Tells when the next row of an outlet is due; `None` when nothing waits by itself.
    pub fn next_due(&self, outlet: Option<&str>) -> Option<Instant> {
        let rows = locked(&self.rows);
        rows.values()
            .filter(|row| !row.in_flight && row.outlet.as_deref() == outlet)
            .filter_map(|row| row.due)
            .min()
    }

    /// Tells until when the undo windows run that are still open.
    pub fn last_window(&self) -> Option<Instant> {
        let rows = locked(&self.rows);
        rows.values().filter(|row| row.state == OutboxState::Held).filter_map(|row| row.due).max()
    }

    /// Tells whether any row is on its way, due, or held for a time; a deferred one waits for later.
    pub fn any_due(&self) -> bool {
        let now = Instant::now();
        let soon = |row: &Row| {
            row.in_flight || row.due.is_some_and(|at| at <= now || row.state == OutboxState::Held)
        };
        locked(&self.rows).values().any(soon)
    }

    /// Gives the state of an issue's mail that is furthest from sent.
    pub fn worst(&self, issue: IssueId) -> Option<OutboxState> {
        let rows = locked(&self.rows);
        rows.values().filter(|row| row.issue == Some(issue)).map(|row| row.state).max()
    }

    /// Gives for each issue with mail here the state that is furthest from sent.
    pub fn worst_of_each(&self) -> BTreeMap<IssueId, OutboxState> {
        let mut worst = BTreeMap::new();
        for row in locked(&self.rows).values() {
            if let Some(issue) = row.issue {
                let state = worst.entry(issue).or_insert(row.state);
                *state = row.state.max(*state);
            }
        }
        worst
    }

    /// Counts what is not settled well, of the issues that are asked for.
    pub fn counts(&self, asked: impl Fn(Option<IssueId>) -> bool) -> OutboxCounts {
        let mut counts = OutboxCounts::default();
        for row in locked(&self.rows).values().filter(|row| asked(row.issue)) {
            let count = match row.state {
                _ if row.in_flight => &mut counts.sending,
                OutboxState::Held => &mut counts.held,
                OutboxState::Deferred => &mut counts.deferred,
                OutboxState::Failed => &mut counts.failed,
                OutboxState::Bounced => &mut counts.bounced,
                _ => &mut counts.queued,
            };
            *count += 1;
        }
        counts
    }

    /// Asks for leave to write an automatic mail to `to`, and counts it.
    pub fn allow_automatic(&self, to: &EmailAddress, settings: &DeskSettings) -> Allowance {
        let now = Instant::now();
        let mut budget = locked(&self.budget);
        let mine = budget.by_sender.entry(to.key()).or_default();
        forget(mine, now, DAY);
        let hourly = settings.acks_per_sender_hour as usize;
        let within_hour = mine.iter().filter(|then| now.duration_since(**then) < HOUR).count();
        if within_hour >= hourly || mine.len() >= hourly.saturating_mul(HOURS_A_DAY) {
            return Allowance::Enough;
        }
        mine.push_back(now);
        forget(&mut budget.all, now, HOUR);
        budget.all.push_back(now);
        let over = budget.all.len() > settings.automatic_per_hour as usize;
        if budget.by_sender.len() > 10_000 {
            budget.by_sender.retain(|_, times| times.back().is_some_and(|t| now - *t < DAY));
        }
        if over { Allowance::Hold } else { Allowance::Go }
    }

    /// Asks for leave to write an automatic mail that no sender's budget limits, and counts it.
    pub fn allow_one_more(&self, settings: &DeskSettings) -> bool {
        let now = Instant::now();
        let mut budget = locked(&self.budget);
        forget(&mut budget.all, now, HOUR);
        budget.all.push_back(now);
        budget.all.len() <= settings.automatic_per_hour as usize
    }

    /// Asks for leave to mail one of the staff something, and counts it.
    pub fn allow_staff(&self, user: &str, hourly: u32) -> bool {
        let now = Instant::now();
        let mut budget = locked(&self.budget);
        let mine = budget.by_staff.entry(user.to_owned()).or_default();
        forget(mine, now, HOUR);
        let allowed = mine.len() < hourly as usize;
        if allowed {
            mine.push_back(now);
        }
        allowed
    }

    /// Counts a mail to one of the staff that was written before this process began, `ago` before now.
    pub fn count_earlier_staff(&self, user: &str, ago: Duration) {
        if let Some(then) = Instant::now().checked_sub(ago).filter(|_| ago < HOUR) {
            locked(&self.budget).by_staff.entry(user.to_owned()).or_default().push_back(then);
        }
    }

    /// Counts an automatic mail that was written before this process began, `ago` before now.
    pub fn count_earlier(&self, to: &EmailAddress, ago: Duration) {
        let Some(then) = Instant::now().checked_sub(ago) else { return };
        let mut budget = locked(&self.budget);
        budget.by_sender.entry(to.key()).or_default().push_back(then);
        if ago < HOUR {
            budget.all.push_back(then);
        }
    }
}

fn forget(times: &mut VecDeque<Instant>, now: Instant, span: Duration) {
    while times.front().is_some_and(|then| now.duration_since(*then) >= span) {
        times.pop_front();
    }
}

fn wait(now: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
