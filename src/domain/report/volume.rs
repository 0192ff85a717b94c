//! Volume: how many issues came and went, how many were left, and how old those are.

use super::ranges::Ranges;
use super::{Parts, Picture, ReportRow, ReportSpan, Unit, column, figure, lives};
use crate::domain::Party;
use crate::domain::query::IssueFacts;

/// Issues opened and closed in each day, week or month.
pub(super) struct Volume {
    ranges: Ranges,
    until: jiff::Timestamp,
    opened: Vec<i64>,
    closed: Vec<i64>,
    reopened: Vec<i64>,
    /// Issues that were open when the first range began.
    before: i64,
}

impl Volume {
    pub fn new(span: &ReportSpan) -> Self {
        let ranges = Ranges::of(span);
        let none = vec![0; ranges.labels.len()];
        Self {
            ranges,
            until: span.until,
            opened: none.clone(),
            closed: none.clone(),
            reopened: none,
            before: 0,
        }
    }

    pub fn add(&mut self, facts: &IssueFacts) {
        for (place, (at, open)) in lives::of(facts).into_iter().enumerate() {
            if at > self.until {
                continue;
            }
            let Some(range) = self.ranges.find(at) else {
                self.before += if open { 1 } else { -1 };
                continue;
            };
            let counts = match (open, place) {
                (true, 0) => &mut self.opened,
                (true, _) => &mut self.reopened,
                (false, _) => &mut self.closed,
            };
            counts.get_mut(range).into_iter().for_each(|count| *count += 1);
        }
    }

    pub fn finish(self) -> Parts {
        let mut left = self.before;
        let counts = self.opened.iter().zip(&self.closed).zip(&self.reopened);
        let rows = self.ranges.labels.iter().zip(counts).map(|(label, ((opened, closed), reopened))| {
            left += opened + reopened - closed;
            ReportRow { label: label.clone(), cells: vec![Some(*opened), Some(*closed), Some(left)] }
        });
        let rows: Vec<ReportRow> = rows.collect();
        let figures = vec![
            figure("opened", Unit::Count, Some(self.opened.iter().sum())),
            figure("closed", Unit::Count, Some(self.closed.iter().sum())),
            figure("reopened", Unit::Count, Some(self.reopened.iter().sum())),
            figure("open at the end", Unit::Count, Some(left)),
        ];
        let columns = ["opened", "closed", "open"].map(|name| column(name, Unit::Count)).to_vec();
        (figures, columns, rows, Picture::Bars(2))
    }
}

/// Days that an issue may be old, with the words for it; what is older is the last range.
const AGES: [(i64, &str); 7] = [
    (1, "up to 1 day"),
    (3, "up to 3 days"),
    (7, "up to 1 week"),
    (14, "up to 2 weeks"),
    (30, "up to 30 days"),
    (90, "up to 90 days"),
    (365, "up to 1 year"),
];
const OLDER: &str = "older";

/// The issues that were open at the end of a report's time, by age and by whose turn it was.
#[derive(Default)]
pub(super) struct Backlog {
    ages: [[i64; 3]; AGES.len() + 1],
    oldest: i64,
}

impl Backlog {
    pub fn add(&mut self, facts: &IssueFacts, span: &ReportSpan) {
        let life = lives::of(facts);
        let last = life.iter().rev().find(|(at, _)| *at <= span.until);
        if !last.is_some_and(|(_, open)| *open) {
            return;
        }
        let age = span.until.duration_since(facts.created_at).as_secs();
        self.oldest = self.oldest.max(age / (24 * 3600));
        let place = AGES.partition_point(|(days, _)| days * 24 * 3600 < age);
        // Whose turn it is, is known of now; a report about the past takes it for the same.
        let turn = match facts.waiting_on {
            Some(Party::Us) => 1,
            _ => 2,
        };
        for column in [0, turn] {
            let count = self.ages.get_mut(place).and_then(|counts| counts.get_mut(column));
            count.into_iter().for_each(|count| *count += 1);
        }
    }

    pub fn finish(self) -> Parts {
        let labels = AGES.iter().map(|(_, label)| *label).chain([OLDER]);
        let cells = |counts: &[i64; 3]| counts.iter().map(|count| Some(*count)).collect();
        let rows = labels.zip(&self.ages);
        let rows = rows.map(|(label, counts)| ReportRow { label: label.to_owned(), cells: cells(counts) });
        let rows: Vec<ReportRow> = rows.collect();
        let total = |column: usize| Some(self.ages.iter().filter_map(|counts| counts.get(column)).sum());
        let figures = vec![
            figure("open", Unit::Count, total(0)),
            figure("waiting on us", Unit::Count, total(1)),
            figure("waiting on them", Unit::Count, total(2)),
            figure("days of the oldest", Unit::Count, Some(self.oldest)),
        ];
        let columns = ["issues", "on us", "on them"].map(|name| column(name, Unit::Count)).to_vec();
        (figures, columns, rows, Picture::Bars(1))
    }
}
