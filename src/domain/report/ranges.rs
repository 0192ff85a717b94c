//! Ranges: days, weeks or months of a report, and lengths of time, each with what falls into it.

use super::ReportSpan;
use jiff::{Timestamp, ToSpan};

/// Bounds of lengths in seconds, each with its words; what is longer is the last range.
pub(super) const LENGTHS: [(i64, &str); 9] = [
    (15 * 60, "up to 15m"),
    (3600, "up to 1h"),
    (2 * 3600, "up to 2h"),
    (4 * 3600, "up to 4h"),
    (8 * 3600, "up to 8h"),
    (16 * 3600, "up to 16h"),
    (24 * 3600, "up to 24h"),
    (40 * 3600, "up to 40h"),
    (80 * 3600, "up to 80h"),
];
pub(super) const LONGER: &str = "longer";

/// The beginnings of the days, weeks or months of a report, with their names.
pub(super) struct Ranges {
    starts: Vec<Timestamp>,
    pub labels: Vec<String>,
}

impl Ranges {
    /// Cuts a report's time: into days up to two months, into weeks up to a year, else into months.
    pub fn of(span: &ReportSpan) -> Self {
        let days = span.until.duration_since(span.since).as_hours() / 24;
        let (word, step, pattern) = match days {
            ..=62 => ("day", 1.day(), "%Y-%m-%d"),
            63..=370 => ("week", 1.week(), "%Y-%m-%d"),
            _ => ("month", 1.month(), "%Y-%m"),
        };
        let mut at = span.since.to_zoned(span.zone.clone());
        let mut ranges = Self { starts: Vec::new(), labels: Vec::new() };
        while at.timestamp() <= span.until && ranges.starts.len() < 2000 {
            ranges.starts.push(at.timestamp());
            ranges.labels.push(at.strftime(pattern).to_string());
            // A day begins at midnight, whenever the first one began.
            let Some(next) = at.checked_add(step).ok().and_then(|next| next.start_of_day().ok()) else {
                break;
            };
            at = match word {
                "month" => next.first_of_month().and_then(|first| first.start_of_day()).unwrap_or(next),
                _ => next,
            };
        }
        ranges
    }

    /// Gives the range in which a moment lies; `None` before the first one.
    pub fn find(&self, at: Timestamp) -> Option<usize> {
        self.starts.partition_point(|start| *start <= at).checked_sub(1)
    }
}

/// Gives the range of a length.
pub(super) fn length(seconds: i64) -> usize {
    LENGTHS.partition_point(|(most, _)| *most < seconds)
}

/// Gives the value that so many hundredths of all do not exceed, by the nearest rank.
pub(super) fn percentile(sorted: &[i64], hundredths: usize) -> Option<i64> {
    let rank = (sorted.len() * hundredths).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}
