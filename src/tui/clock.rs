//! Clocks on the screen: how they are said in few cells, what is told when one comes near, the next best issue.

use super::app::{App, Screen};
use super::asks::Purpose;
use super::{clean, when};
use crate::domain::{ClockKind, IssueClock, IssuePage, IssueQuery, Reference, Request};
use jiff::Timestamp;
use ratatui::style::Style;

/// What may be taken next, the most pressing first.
const NEXT_BEST: &str = "is:open waiting:us assignee:me,none -is:snoozed sort:clock";

/// How pressing a clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressing {
    Calm,
    Near,
    Over,
}

/// Tells how pressing a clock is now.
pub fn pressing(clock: &IssueClock, now: Timestamp) -> Pressing {
    let past = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    match (past(clock.due_at), past(clock.warn_at) && !clock.paused) {
        (true, _) => Pressing::Over,
        (_, true) => Pressing::Near,
        _ => Pressing::Calm,
    }
}

/// Says a clock in at most eight cells: `2h left`, `3h late`, `stands`.
pub fn short(clock: &IssueClock, now: Timestamp) -> String {
    match clock.due_at {
        Some(at) if at <= now => format!("{} late", when::age(now, at).replace("now", "1m")),
        Some(at) => format!("{} left", when::age(at, now).replace("now", "1m")),
        None => "stands".to_owned(),
    }
}

/// Says a clock with what is waited for: `first answer 2h left`.
pub fn words(clock: &IssueClock, now: Timestamp) -> String {
    let what = match clock.kind {
        ClockKind::First => "first answer",
        ClockKind::Next => "answer",
        ClockKind::Resolve => "end",
    };
    match clock.due_at {
        Some(_) => format!("{what} {}", short(clock, now)),
        None => "clock stands".to_owned(),
    }
}

impl App {
    /// Gives the style of a clock.
    pub fn clock_style(&self, clock: &IssueClock) -> Style {
        match pressing(clock, self.now) {
            Pressing::Calm => self.theme.dim,
            Pressing::Near => self.theme.warning,
            Pressing::Over => self.theme.alarm,
        }
    }

    /// Tells of the clocks of one's own issues on the screen that came near, or ran out, since a moment.
    pub fn tell_of_clocks(&mut self, since: Timestamp) {
        let Some(me) = self.me.as_ref().map(|me| me.name.as_str()) else { return };
        let now = self.now;
        let came = |at: Option<Timestamp>| at.is_some_and(|at| since < at && at <= now);
        let mine = self.list.rows.iter().filter(|row| row.assignee.as_deref() == Some(me));
        let clocks = mine.filter_map(|row| Some((row, row.clock.as_ref().filter(|clock| !clock.paused)?)));
        let told = clocks.filter(|(_, clock)| came(clock.warn_at) || came(clock.due_at));
        let told: Vec<String> = told.map(|(row, c)| format!("#{} {}", row.iid, words(c, now))).collect();
        if !told.is_empty() {
            self.complain(told.join(", "));
        }
    }

    /// Goes to what presses most: what runs out first, then what has waited on us the longest.
    pub fn next_best(&mut self) {
        let query = IssueQuery { query: NEXT_BEST.to_owned(), offset: 0, limit: 2 };
        self.ask(Purpose::NextBest, Request::Issues(query));
    }

    /// Opens the most pressing issue, but for the one in front, and says how many are left.
    pub fn take_next_best(&mut self, page: &IssuePage) {
        let front = self.thread.as_ref().filter(|_| self.screen == Screen::Thread).map(|t| t.view.row.id);
        let Some(row) = page.rows.iter().find(|row| Some(row.id) != front) else {
            return self.say(match page.total {
                0 => "nothing waits on you: every issue of yours and of nobody is answered",
                _ => "this is the only one left that waits on you",
            });
        };
        let Ok(reference) = row.reference.parse::<Reference>() else { return };
        let clock = row.clock.as_ref().map_or(String::new(), |clock| format!(", {}", words(clock, self.now)));
        let left = match page.total {
            1 => "the last one that waits on you".to_owned(),
            many => format!("{many} wait on you"),
        };
        let said = format!("#{} is next{} · {left}", row.iid, clean::line(&clock));
        self.open_issue(reference);
        self.say(said);
    }
}
