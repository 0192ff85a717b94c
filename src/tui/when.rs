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

/// Reads when a snooze ends: `2h`, `3d`, `1w`, `tomorrow`, `monday`, `2026-12-01`, `2026-12-01 14:00`,
/// `14:00`. Days begin at nine in the morning.
pub fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim().to_lowercase();
    let here = now.to_zoned(zone.clone());
    let morning =
        |date: jiff::civil::Date| Some(date.at(9, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp());
    if let Some(seconds) = duration(&text) {
        return now.checked_add(jiff::SignedDuration::from_secs(seconds)).ok();
    }
    if text == "tomorrow" {
        return morning(here.date().tomorrow().ok()?);
    }
    if let Some(day) = weekday(&text) {
        return morning(here.date().nth_weekday(1, day).ok()?);
    }
    if text.len() <= 5
        && let Ok(time) = text.parse::<jiff::civil::Time>()
    {
        let today = here.date().to_datetime(time).to_zoned(zone.clone()).ok()?;
        let at = if today <= here { today.tomorrow().ok()? } else { today };
        return Some(at.timestamp());
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>().map_err(|_| ())
        && text.len() <= 10
    {
        return morning(date);
    }
    let at: jiff::civil::DateTime = text.parse().ok()?;
    Some(at.to_zoned(zone.clone()).ok()?.timestamp())
}

/// Reads a length of time in seconds: `30s`, `10m`, `2h`, `3d`, `1w`.
pub fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.trim().parse().ok().filter(|n| *n > 0)?;
    let unit = match unit {
        's' => 1,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    count.checked_mul(unit).filter(|s| *s < 3660 * DAY)
}

fn weekday(text: &str) -> Option<jiff::civil::Weekday> {
    use jiff::civil::Weekday as W;
    let names = [
        ("monday", W::Monday),
        ("tuesday", W::Tuesday),
        ("wednesday", W::Wednesday),
        ("thursday", W::Thursday),
        ("friday", W::Friday),
        ("saturday", W::Saturday),
        ("sunday", W::Sunday),
    ];
    names.into_iter().find(|(name, _)| text.len() >= 3 && name.starts_with(text)).map(|(_, day)| day)
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

    #[test]
    fn a_snooze_is_read_as_people_say_it() {
        // A Monday.
        let now = at("2026-11-23T12:00:00Z");
        for (text, then) in [
            ("2h", "2026-11-23T14:00:00Z"),
            ("tomorrow", "2026-11-24T09:00:00Z"),
            ("mon", "2026-11-30T09:00:00Z"),
            ("Friday", "2026-11-27T09:00:00Z"),
            ("11:00", "2026-11-24T11:00:00Z"),
            ("2026-12-01", "2026-12-01T09:00:00Z"),
            ("2026-12-01 14:30", "2026-12-01T14:30:00Z"),
        ] {
            assert_eq!(moment(text, now, &TimeZone::UTC), Some(at(then)), "{text}");
        }
        for bad in ["", "soon", "-2h", "2x", "99999999999999w", "m"] {
            assert_eq!(moment(bad, now, &TimeZone::UTC), None, "{bad}");
        }
    }
}
