//! Ratings: how many customers were content, of those who said so.

use super::{Parts, Picture, ReportRow, ReportSpan, Unit, column, figure};
use crate::domain::Rating;
use crate::domain::query::IssueFacts;

/// Ratings by their word.
#[derive(Default)]
pub(super) struct Ratings {
    counts: [i64; Rating::ALL.len()],
}

impl Ratings {
    /// Counts an issue that was rated within a report's time.
    pub fn add(&mut self, facts: &IssueFacts, span: &ReportSpan) {
        let Some((rating, _)) = facts.rating.filter(|(_, at)| span.holds(*at)) else { return };
        let counts = Rating::ALL.into_iter().zip(&mut self.counts);
        counts.filter(|(known, _)| *known == rating).for_each(|(_, count)| *count += 1);
    }

    pub fn finish(self) -> Parts {
        let all: i64 = self.counts.iter().sum();
        let share = |count: i64| (all > 0).then(|| (count * 100 + all / 2) / all);
        let row = |(rating, count): (Rating, &i64)| ReportRow {
            label: rating.word().to_owned(),
            cells: vec![Some(*count), share(*count)],
        };
        let rows = Rating::ALL.into_iter().zip(&self.counts).map(row).collect();
        let good = self.counts.first().copied().and_then(share);
        let figures = vec![figure("ratings", Unit::Count, Some(all)), figure("good", Unit::Percent, good)];
        let columns = vec![column("issues", Unit::Count), column("share", Unit::Percent)];
        (figures, columns, rows, Picture::Bars(1))
    }
}
