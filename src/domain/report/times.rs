//! Times: how long answers and ends took, as percentiles and as a table of ranges.

use super::ranges::{LENGTHS, LONGER, length, percentile};
use super::{Figure, Parts, Picture, ReportRow, ReportSpan, Unit, column, figure};
use crate::domain::query::IssueFacts;
use crate::domain::{ClockKind, IssueKind, State, Waits, WorkingHours};

/// Two kinds of lengths, in seconds.
#[derive(Default)]
pub(super) struct Times {
    one: Vec<i64>,
    other: Vec<i64>,
}

impl Times {
    /// Counts the answers that went out within a report's time: the first ones, and the later ones.
    pub fn add_answers(&mut self, facts: &IssueFacts, hours: &WorkingHours, span: &ReportSpan) {
        if facts.kind != IssueKind::Ticket {
            return;
        }
        for (kind, at, waits) in Waits::of(facts).answers {
            if span.holds(at) {
                let took = hours.waited(&waits, at);
                if kind == ClockKind::First { self.one.push(took) } else { self.other.push(took) }
            }
        }
    }

    /// Counts an issue that was closed within a report's time: by what was waited on us in working hours, and
    /// by the calendar.
    pub fn add_end(&mut self, facts: &IssueFacts, hours: &WorkingHours, span: &ReportSpan) {
        let closed = facts.closed_at.filter(|at| facts.state == State::Closed && span.holds(*at));
        let Some(at) = closed else { return };
        self.one.push(hours.waited(&Waits::of(facts).all, at));
        self.other.push(at.duration_since(facts.created_at).as_secs().max(0));
    }

    pub fn finish(mut self, one: &str, other: &str) -> Parts {
        self.one.sort_unstable();
        self.other.sort_unstable();
        let figures = figures(one, &self.one).into_iter().chain(figures(other, &self.other)).collect();
        let count = |all: &[i64], place: usize| {
            Some(i64::try_from(all.iter().filter(|took| length(**took) == place).count()).unwrap_or(0))
        };
        let labels = LENGTHS.iter().map(|(_, label)| *label).chain([LONGER]);
        let rows = labels.enumerate().map(|(place, label)| ReportRow {
            label: label.to_owned(),
            cells: vec![count(&self.one, place), count(&self.other, place)],
        });
        let columns = vec![column(one, Unit::Count), column(other, Unit::Count)];
        (figures, columns, rows.collect(), Picture::Bars(2))
    }
}

fn figures(name: &str, sorted: &[i64]) -> Vec<Figure> {
    let count = i64::try_from(sorted.len()).unwrap_or(0);
    let mean = (count > 0).then(|| sorted.iter().sum::<i64>() / count);
    let mut figures = vec![
        figure(&format!("{name}, count"), Unit::Count, Some(count)),
        figure(&format!("{name}, mean"), Unit::Seconds, mean),
    ];
    for (words, hundredths) in [("median", 50), ("75 %", 75), ("90 %", 90), ("95 %", 95), ("longest", 100)] {
        figures.push(figure(&format!("{name}, {words}"), Unit::Seconds, percentile(sorted, hundredths)));
    }
    figures
}
