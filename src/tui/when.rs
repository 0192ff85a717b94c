//! Times as people read them: ages in lists, clock times on cards.
//!
//! Knows no clock; `now` is handed in.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Gives how long ago `then` was in at most four cells: `now`, `5m`, `2h`, `3d`, `6w`, `2y`.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    span(now.as_second() - then.as_second())
}

fn span(seconds: i64) -> String {
    match seconds {
        i64::MIN..MINUTE => "now".to_owned(),
        MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..DAY => format!("{}h", seconds / HOUR),
        DAY.. if seconds < 14 * DAY => format!("{}d", seconds / DAY),
        DAY.. if seconds < 365 * DAY => format!("{}w", seconds / (7 * DAY)),
        _ => format!("{}y", seconds / (365 * DAY)),
    }
}

/// Gives the whole seconds left until `then`, at least 0.
pub fn seconds_left(now: Timestamp, then: Timestamp) -> i64 {
    let left = then.as_millisecond() - now.as_millisecond();
    (left.max(0) + 999) / 1000
}

/// Gives the moment itself, as short as it is clear: `14:02`, `Mon 09:12`, `3 Nov 09:12`, `2025-11-03`.
pub fn exact(now: Timestamp, then: Timestamp, zone: &TimeZone) -> String {
    let (now_there, at) = (now.to_zoned(zone.clone()), then.to_zoned(zone.clone()));
    let apart = (now.as_second() - then.as_second()).abs();
    if now_there.date() == at.date() {
        format(&at, "%H:%M")
    } else if apart < 6 * DAY {
        format(&at, "%a %H:%M")
    } else if now_there.year() == at.year() {
        format(&at, "%-d %b %H:%M")
    } else {
        format(&at, "%Y-%m-%d")
    }
}

/// Gives the moment in full, for cards and history: `2026-11-23 09:12`.
pub fn full(then: Timestamp, zone: &TimeZone) -> String {
    format(&then.to_zoned(zone.clone()), "%Y-%m-%d %H:%M")
}

fn format(at: &Zoned, pattern: &str) -> String {
    at.strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_age_is_short() {
        let now = at("2026-11-23T12:00:00Z");
        for (then, age_then) in [
            ("2026-11-23T12:00:05Z", "now"),
            ("2026-11-23T11:59:01Z", "now"),
            ("2026-11-23T11:15:00Z", "45m"),
            ("2026-11-22T13:00:00Z", "23h"),
            ("2026-11-22T11:00:00Z", "1d"),
            ("2026-10-20T12:00:00Z", "4w"),
            ("2024-10-20T12:00:00Z", "2y"),
        ] {
            assert_eq!(age(now, at(then)), age_then, "{then}");
        }
    }

    #[test]
    fn a_moment_is_said_as_short_as_it_is_clear() {
        let now = at("2026-11-23T12:00:00Z");
        for (then, said) in [
            ("2026-11-23T09:12:00Z", "09:12"),
            ("2026-11-20T09:12:00Z", "Fri 09:12"),
            ("2026-03-02T09:12:00Z", "2 Mar 09:12"),
            ("2025-11-20T09:12:00Z", "2025-11-20"),
        ] {
            assert_eq!(exact(now, at(then), &TimeZone::UTC), said);
        }
    }
}
