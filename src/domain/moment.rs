//! Moments and lengths of time as people write them: when a snooze ends, when something is due, how long work took.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// What a working day and a working week have (as GitLab counts time that was spent).
const WORKING_DAY: i64 = 8 * HOUR;
const WORKING_WEEK: i64 = 5 * WORKING_DAY;
const WORKING_MONTH: i64 = 4 * WORKING_WEEK;
/// The longest work that can be noted: about a hundred years of working days.
const LONGEST_WORK: i64 = 1200 * WORKING_MONTH;

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

/// Reads by when something is due: a date means its last second, else as [`moment`].
pub fn deadline(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim().to_lowercase();
    let end = |date: Date| Some(date.at(23, 59, 59, 0).to_zoned(zone.clone()).ok()?.timestamp());
    let today = now.to_zoned(zone.clone()).date();
    match text.as_str() {
        "today" => end(today),
        "tomorrow" => end(today.tomorrow().ok()?),
        word if weekday(word).is_some() => end(today.nth_weekday(1, weekday(word)?).ok()?),
        word if word.len() <= 10 && word.parse::<Date>().is_ok() => end(word.parse().ok()?),
        word => word.parse().ok().or_else(|| moment(word, now, zone)),
    }
}

/// Reads how long work took, in seconds: `1h 30m`, `2d`, `1w 2d`, `1mo`. A day has eight hours, a week
/// five days and a month four weeks; with a minus before it, it is taken back.
pub fn work(text: &str) -> Option<i64> {
    let text = text.trim().to_lowercase();
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.as_str()),
    };
    let mut total: i64 = 0;
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let unit = match unit {
            "m" => MINUTE,
            "h" => HOUR,
            "d" => WORKING_DAY,
            "w" => WORKING_WEEK,
            "mo" => WORKING_MONTH,
            _ => return None,
        };
        total = total.checked_add(count.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = after;
    }
    (total > 0 && total <= LONGEST_WORK).then_some(sign * total)
}

/// Says how long work took, as [`work`] reads it: `1w 2d 4h`.
pub fn work_in_words(seconds: i64) -> String {
    let mut rest = seconds.abs() / MINUTE * MINUTE;
    let mut words = Vec::new();
    for (unit, name) in
        [(WORKING_MONTH, "mo"), (WORKING_WEEK, "w"), (WORKING_DAY, "d"), (HOUR, "h"), (MINUTE, "m")]
    {
        if rest >= unit {
            words.push(format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    let words = if words.is_empty() { "0m".to_owned() } else { words.join(" ") };
    if seconds < 0 { format!("-{words}") } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
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

    #[test]
    fn a_date_is_due_at_its_end() {
        // A Monday.
        let now = at("2026-11-23T12:00:00Z");
        for (text, then) in [
            ("2026-12-01", "2026-12-01T23:59:59Z"),
            ("today", "2026-11-23T23:59:59Z"),
            ("tomorrow", "2026-11-24T23:59:59Z"),
            ("Fri", "2026-11-27T23:59:59Z"),
            ("3d", "2026-11-26T12:00:00Z"),
            ("2026-12-01T10:00:00Z", "2026-12-01T10:00:00Z"),
        ] {
            assert_eq!(deadline(text, now, &TimeZone::UTC), Some(at(then)), "{text}");
        }
        assert_eq!(deadline("whenever", now, &TimeZone::UTC), None);
    }

    #[test]
    fn work_is_counted_in_working_days() {
        for (text, seconds, said) in [
            ("1h30m", 5400, "1h 30m"),
            ("1h 30m", 5400, "1h 30m"),
            ("90m", 5400, "1h 30m"),
            ("1d", 28_800, "1d"),
            ("1w 2d", 201_600, "1w 2d"),
            ("1mo", 576_000, "1mo"),
            ("-15m", -900, "-15m"),
        ] {
            assert_eq!(work(text), Some(seconds), "{text}");
            assert_eq!(work_in_words(seconds), said);
        }
        for bad in ["", "1", "h", "0m", "1x", "1h 3", "99999999999999999999h", "999999999999mo"] {
            assert_eq!(work(bad), None, "{bad}");
        }
    }
}
