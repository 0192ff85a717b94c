//! When: dates and ages in queries. Days are days in UTC, as in all output.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// What a field of time takes, for faults.
pub(super) const EXPECTED: &str = "a date such as `2026-01-31`, `today`, `last-week` or `7d`, with `<`, `<=`, `>` or `>=` before it, or two dates with `..` between";

/// How a moment is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Less,
    AtMost,
    Within,
    AtLeast,
    More,
}

/// What it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Against {
    /// From the first moment to just before the second.
    Span(Timestamp, Timestamp),
    /// Days from the day of the question.
    Day(i64),
    /// Weeks from that of the question; they begin on Mondays.
    Week(i64),
    /// Months from that of the question.
    Month(i64),
    /// How long ago, or for what lies ahead, how long until.
    Distance(SignedDuration),
}

/// A condition on a moment: `>2026-01-01`, `<7d`, `today`, `2026-01-01..2026-02-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    order: Order,
    against: Against,
}

impl When {
    /// Reads a condition; `None` when it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (span(from)?.0, span(to)?.1);
            return Some(Self { order: Order::Within, against: Against::Span(from, to) });
        }
        let (order, rest) = order(text);
        let against = match rest {
            "today" => Against::Day(0),
            "yesterday" => Against::Day(-1),
            "tomorrow" => Against::Day(1),
            "last-week" => Against::Week(-1),
            "this-week" => Against::Week(0),
            "next-week" => Against::Week(1),
            "last-month" => Against::Month(-1),
            "this-month" => Against::Month(0),
            "next-month" => Against::Month(1),
            _ => match distance(rest) {
                Some(distance) => Against::Distance(distance),
                None => span(rest).map(|(from, to)| Against::Span(from, to))?,
            },
        };
        Some(Self { order, against })
    }

    /// Tells whether `at` fulfils it; `ahead` says that distances count into the future.
    pub(super) fn holds(self, at: Timestamp, now: Timestamp, ahead: bool) -> bool {
        match self.against {
            Against::Span(from, to) => self.fits(at, from, to),
            Against::Day(offset) => day(now, offset).is_some_and(|(from, to)| self.fits(at, from, to)),
            Against::Week(offset) => week(now, offset).is_some_and(|(from, to)| self.fits(at, from, to)),
            Against::Month(offset) => month(now, offset).is_some_and(|(from, to)| self.fits(at, from, to)),
            Against::Distance(limit) => {
                let distance = if ahead { at.duration_since(now) } else { now.duration_since(at) };
                match self.order {
                    Order::Less => distance < limit,
                    Order::AtMost | Order::Within => distance <= limit,
                    Order::AtLeast => distance >= limit,
                    Order::More => distance > limit,
                }
            }
        }
    }

    fn fits(self, at: Timestamp, from: Timestamp, to: Timestamp) -> bool {
        match self.order {
            Order::Less => at < from,
            Order::AtMost => at < to,
            Order::Within => from <= at && at < to,
            Order::AtLeast => at >= from,
            Order::More => at >= to,
        }
    }
}

fn order(text: &str) -> (Order, &str) {
    let signs = [("<=", Order::AtMost), (">=", Order::AtLeast), ("<", Order::Less), (">", Order::More)];
    let read = |(sign, order)| text.strip_prefix(sign).map(|rest| (order, rest));
    signs.into_iter().find_map(read).unwrap_or((Order::Within, text))
}

/// Reads `7d`: minutes, hours, days, weeks, months of 30 days, years of 365.
fn distance(text: &str) -> Option<SignedDuration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let minutes: i64 = match unit {
        "m" | "min" => 1,
        "h" => 60,
        "d" => 24 * 60,
        "w" => 7 * 24 * 60,
        "mo" => 30 * 24 * 60,
        "y" => 365 * 24 * 60,
        _ => return None,
    };
    let seconds = number.parse::<i64>().ok()?.checked_mul(minutes)?.checked_mul(60)?;
    Some(SignedDuration::from_secs(seconds))
}

/// Reads a year, a month, a day or a moment, as the time from its beginning to its end.
fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    if text.contains('T') {
        let at: Timestamp = text.parse().ok()?;
        return Some((at, at.checked_add(1.nanosecond()).ok()?));
    }
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next(), parts.next());
    let sound = digits(year, 4)
        && month.is_none_or(|month| digits(month, 2))
        && day.is_none_or(|day| digits(day, 2))
        && parts.next().is_none();
    let number = |part: Option<&str>| part.map_or(Some(1), |part| part.parse::<i8>().ok());
    let first = Date::new(sound.then(|| year.parse().ok())??, number(month)?, number(day)?).ok()?;
    let length = match (month, day) {
        (None, _) => 1.year(),
        (_, None) => 1.month(),
        _ => 1.day(),
    };
    Some((midnight(first)?, midnight(first.checked_add(length).ok()?)?))
}

fn midnight(date: Date) -> Option<Timestamp> {
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn day(now: Timestamp, offset: i64) -> Option<(Timestamp, Timestamp)> {
    let start = (now.as_second().div_euclid(86_400) + offset) * 86_400;
    Some((Timestamp::from_second(start).ok()?, Timestamp::from_second(start + 86_400).ok()?))
}

fn week(now: Timestamp, offset: i64) -> Option<(Timestamp, Timestamp)> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let since = i64::from(today.weekday().to_monday_zero_offset());
    Some((day(now, offset * 7 - since)?.0, day(now, offset * 7 - since + 7)?.0))
}

fn month(now: Timestamp, offset: i64) -> Option<(Timestamp, Timestamp)> {
    let first = now.to_zoned(TimeZone::UTC).date().first_of_month();
    let begins = |offset: i64| midnight(first.checked_add(offset.months()).ok()?);
    Some((begins(offset)?, begins(offset + 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(condition: &str, at: &str, ahead: bool) -> bool {
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        When::parse(condition).unwrap().holds(at.parse().unwrap(), now, ahead)
    }

    #[test]
    fn dates_are_whole_days_and_distances_count_from_now() {
        for (condition, at, ahead, expected) in [
            (">2026-03-01", "2026-03-01T23:59:59Z", false, false),
            (">2026-03-01", "2026-03-02T00:00:00Z", false, true),
            (">=2026-03-01", "2026-03-01T00:00:00Z", false, true),
            ("<2026-03-01", "2026-02-28T23:59:59Z", false, true),
            ("<2026-03-01", "2026-03-01T00:00:00Z", false, false),
            ("<=2026-03-01", "2026-03-01T12:00:00Z", false, true),
            ("2026-03-01", "2026-03-01T12:00:00Z", false, true),
            ("2026-03", "2026-03-31T12:00:00Z", false, true),
            ("2026-03", "2026-04-01T00:00:00Z", false, false),
            ("2026", "2026-12-31T23:00:00Z", false, true),
            ("2026-03-01..2026-03-03", "2026-03-03T23:00:00Z", false, true),
            ("2026-03-01..2026-03-03", "2026-03-04T00:00:00Z", false, false),
            (">2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z", false, true),
            ("today", "2026-03-10T00:00:00Z", false, true),
            ("today", "2026-03-09T23:59:59Z", false, false),
            ("yesterday", "2026-03-09T23:59:59Z", false, true),
            ("<tomorrow", "2026-03-10T23:59:59Z", true, true),
            ("<7d", "2026-03-04T12:00:00Z", false, true),
            ("<7d", "2026-03-03T12:00:00Z", false, false),
            ("7d", "2026-03-03T12:00:00Z", false, true),
            (">=7d", "2026-03-03T12:00:00Z", false, true),
            (">1w", "2026-03-03T11:00:00Z", false, true),
            ("<2h", "2026-03-10T11:00:00Z", false, true),
            ("<30m", "2026-03-10T11:00:00Z", false, false),
            ("<3d", "2026-03-12T12:00:00Z", true, true),
            ("<3d", "2026-03-14T12:00:00Z", true, false),
            ("<3d", "2026-03-01T12:00:00Z", true, true),
            ("this-week", "2026-03-09T00:00:00Z", false, true),
            ("this-week", "2026-03-15T23:59:59Z", false, true),
            ("this-week", "2026-03-16T00:00:00Z", false, false),
            ("last-week", "2026-03-08T23:59:59Z", false, true),
            ("<this-week", "2026-03-09T00:00:00Z", false, false),
            ("next-week", "2026-03-16T00:00:00Z", true, true),
            ("last-month", "2026-02-28T23:59:59Z", false, true),
            ("this-month", "2026-03-31T23:59:59Z", false, true),
            ("next-month", "2026-03-31T23:59:59Z", true, false),
            (">1mo", "2026-02-01T12:00:00Z", false, true),
            ("<1y", "2025-02-01T12:00:00Z", false, false),
        ] {
            assert_eq!(holds(condition, at, ahead), expected, "{condition} {at}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for bad in [
            "",
            "<",
            "7",
            "d",
            "7x",
            "2026-13",
            "2026-02-30",
            "2026-1-1",
            "99999999999999999999d",
            "20260101",
            "..",
            "2026..",
            "soon",
            "9223372036854775807w",
            "=2026",
            "2026-01-01-01",
        ] {
            assert_eq!(When::parse(bad), None, "{bad:?}");
        }
        assert!(When::parse("9999-12-31").is_none_or(|w| w.holds(Timestamp::MAX, Timestamp::MIN, true)));
    }
}
