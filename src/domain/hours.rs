//! Working hours: when somebody is there to answer, and how much of that lies between two moments.
//!
//! Owns how hours and holidays are written, and how working time is counted. Knows no issue and no clock.

use super::Fault;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::sync::OnceLock;

/// The years in which working time is counted; before and after them there is none.
const FIRST_YEAR: i16 = 1970;
const LAST_YEAR: i16 = 2100;
const DAY: i64 = 24 * 3600;
/// A day that ends at midnight ends in this minute.
const MIDNIGHT: u16 = 24 * 60;
/// Most holidays that are taken.
const HOLIDAYS_MAX: usize = 1000;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A day on which nobody works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holiday {
    /// From one date to another, both of them included.
    Dates(Date, Date),
    /// This month and day of every year.
    Yearly(i8, i8),
}

impl Holiday {
    fn is_on(self, date: Date) -> bool {
        match self {
            Self::Dates(first, last) => first <= date && date <= last,
            Self::Yearly(month, day) => date.month() == month && date.day() == day,
        }
    }
}

/// Working time without a break, in seconds since 1970, and how much of the year's lies before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    from: i64,
    to: i64,
    before: i64,
}

/// All working time of one year of the zone.
#[derive(Debug, Default)]
struct Year {
    stretches: Vec<Stretch>,
    total: i64,
}

impl Year {
    /// Gives how much of its working time is over at this moment.
    fn over_by(&self, second: i64) -> i64 {
        let at = self.stretches.partition_point(|stretch| stretch.from < second);
        let last = at.checked_sub(1).and_then(|at| self.stretches.get(at));
        last.map_or(0, |last| last.before + second.min(last.to) - last.from)
    }

    /// Gives when so much of its working time is over, which must be more than nothing.
    fn end_of(&self, work: i64) -> Option<i64> {
        let at =
            self.stretches.partition_point(|stretch| stretch.before + (stretch.to - stretch.from) < work);
        self.stretches.get(at).map(|stretch| stretch.from + (work - stretch.before))
    }
}

/// When there is work, in one time zone.
#[derive(Debug)]
pub struct WorkingHours {
    /// From which minute of a day to which, from Monday on; `None` counts every second.
    week: Option<[Vec<(u16, u16)>; 7]>,
    holidays: Vec<Holiday>,
    zone: TimeZone,
    years: Box<[OnceLock<Year>]>,
}

impl WorkingHours {
    /// Reads hours such as `mon-fri 09:00-17:00, sat 10:00-12:00`, and holidays such as
    /// `2026-12-24..2026-12-26, 01-01 New Year`. Without hours every day has 24 of them.
    ///
    /// Fails with a usage fault that says what cannot be read.
    pub fn read(hours: Option<&str>, holidays: Option<&str>, zone: TimeZone) -> Result<Self, Fault> {
        let holidays = read_holidays(holidays.unwrap_or_default())?;
        let week = match hours.filter(|text| !text.trim().is_empty()) {
            Some(text) => Some(read_week(text)?),
            None => (!holidays.is_empty()).then(|| std::array::from_fn(|_| vec![(0, MIDNIGHT)])),
        };
        let years = (FIRST_YEAR..=LAST_YEAR).map(|_| OnceLock::new()).collect();
        Ok(Self { week, holidays, zone, years })
    }

    /// Counts every second of every day.
    pub fn always() -> Self {
        Self { week: None, holidays: Vec::new(), zone: TimeZone::UTC, years: Box::default() }
    }

    /// Gives the zone of the hours.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Gives the working time from one moment to a later one, in seconds; 0 where it is not later.
    pub fn worked(&self, from: Timestamp, to: Timestamp) -> i64 {
        if to <= from {
            return 0;
        }
        if self.week.is_none() {
            return to.as_second() - from.as_second();
        }
        let ((first, over), (last, over_at_end)) = (self.place(from), self.place(to));
        let years: i64 = (first..last).map(|year| self.year(year).total).sum();
        years + over_at_end - over
    }

    /// Gives the earliest moment at which so many seconds of working time have passed since `from`.
    ///
    /// `None` when there is not that much until the end of the year 2100.
    pub fn end(&self, from: Timestamp, work: i64) -> Option<Timestamp> {
        if work <= 0 {
            return Some(from);
        }
        if self.week.is_none() {
            return Timestamp::from_second(from.as_second().checked_add(work)?).ok();
        }
        let (first, over) = self.place(from);
        let mut left = over.checked_add(work)?;
        for year in first..self.years.len() {
            match self.year(year).end_of(left) {
                Some(second) => return Timestamp::from_second(second).ok(),
                None => left -= self.year(year).total,
            }
        }
        None
    }

    /// Reads a length of working time in seconds: `30m`, `4h`, `3d`, `1w`, also `1d 4h`.
    ///
    /// A day has as many hours as a working day has on the average, a week as many as the week.
    pub fn length(&self, text: &str) -> Option<i64> {
        let (day, week) = self.day_and_week();
        let mut total: i64 = 0;
        let mut words = 0;
        for word in text.split_whitespace() {
            let unit = word.chars().last()?;
            let count: i64 = word.strip_suffix(unit)?.parse().ok().filter(|count| *count >= 0)?;
            let unit = match unit {
                'm' => 60,
                'h' => 3600,
                'd' => day,
                'w' => week,
                _ => return None,
            };
            total = total.checked_add(count.checked_mul(unit)?)?;
            words += 1;
        }
        (words > 0 && total > 0 && total < 3660 * DAY).then_some(total)
    }

    /// Gives the working time of an average working day and of a week, in seconds.
    fn day_and_week(&self) -> (i64, i64) {
        let Some(week) = &self.week else { return (DAY, 7 * DAY) };
        let minutes = |day: &Vec<(u16, u16)>| day.iter().map(|(from, to)| i64::from(to - from)).sum::<i64>();
        let total: i64 = week.iter().map(minutes).sum();
        let days = week.iter().filter(|day| !day.is_empty()).count().max(1);
        (total * 60 / i64::try_from(days).unwrap_or(1), total * 60)
    }

    /// Gives the year of a moment in the zone, by its place, and how much of its working time is over.
    fn place(&self, at: Timestamp) -> (usize, i64) {
        let year = at.to_zoned(self.zone.clone()).year();
        match usize::try_from(year - FIRST_YEAR) {
            Err(_) => (0, 0),
            Ok(year) if year >= self.years.len() => {
                let last = self.years.len().saturating_sub(1);
                (last, self.year(last).total)
            }
            Ok(year) => (year, self.year(year).over_by(at.as_second())),
        }
    }

    fn year(&self, place: usize) -> &Year {
        const NONE: &Year = &Year { stretches: Vec::new(), total: 0 };
        let Some(year) = self.years.get(place) else { return NONE };
        year.get_or_init(|| self.count(FIRST_YEAR + i16::try_from(place).unwrap_or(0)))
    }

    /// Works out the working time of a year.
    fn count(&self, year: i16) -> Year {
        let mut counted = Year::default();
        let (Some(week), Ok(first)) = (&self.week, Date::new(year, 1, 1)) else { return counted };
        let days = first.series(1.day()).take_while(|date| date.year() == year);
        for date in days.filter(|date| !self.holidays.iter().any(|holiday| holiday.is_on(*date))) {
            let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
            for (from, to) in week.get(weekday).into_iter().flatten() {
                let (Some(from), Some(to)) = (self.second(date, *from), self.second(date, *to)) else {
                    continue;
                };
                // Where the clock was put forward, a stretch may begin before the last one ended.
                let from = counted.stretches.last().map_or(from, |last| last.to.max(from));
                if from < to {
                    counted.stretches.push(Stretch { from, to, before: counted.total });
                    counted.total += to - from;
                }
            }
        }
        counted
    }

    /// Gives a minute of a day in seconds since 1970. What comes twice as the clock is put back is the first;
    /// what is left out as it is put forward is so much later.
    fn second(&self, date: Date, minute: u16) -> Option<i64> {
        let (date, minute) =
            if minute >= MIDNIGHT { (date.tomorrow().ok()?, minute - MIDNIGHT) } else { (date, minute) };
        let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
        let zoned = self.zone.to_ambiguous_zoned(date.at(hour, minute, 0, 0)).compatible().ok()?;
        Some(zoned.timestamp().as_second())
    }
}

fn read_week(text: &str) -> Result<[Vec<(u16, u16)>; 7], Fault> {
    let wrong = |part: &str| {
        Fault::usage(format!("`{}` is no working time", part.trim()))
            .hint("write hours as `mon-fri 09:00-17:00, sat 10:00-12:00`")
    };
    let mut week: [Vec<(u16, u16)>; 7] = Default::default();
    for part in text.split([',', ';', '\n']).filter(|part| !part.trim().is_empty()) {
        let (mut days, mut times) = (Vec::new(), 0);
        for word in part.split_whitespace() {
            match (read_days(word), read_times(word)) {
                (Some(more), _) if times == 0 => days.extend(more),
                (_, Some((from, to))) if !days.is_empty() => {
                    times += 1;
                    days.iter().for_each(|day| add(&mut week, *day, from, to));
                }
                _ => return Err(wrong(part)),
            }
        }
        if times == 0 {
            return Err(wrong(part));
        }
    }
    if week.iter().all(Vec::is_empty) {
        return Err(wrong(text));
    }
    Ok(week.map(joined))
}

/// Adds a time to a day of the week; what goes past midnight goes on at the next one.
fn add(week: &mut [Vec<(u16, u16)>; 7], day: usize, from: u16, to: u16) {
    let mut push = |day: usize, from: u16, to: u16| {
        week.get_mut(day % 7).into_iter().filter(|_| from < to).for_each(|times| times.push((from, to)));
    };
    if from < to {
        push(day, from, to);
    } else {
        push(day, from, MIDNIGHT);
        push(day + 1, 0, to);
    }
}

/// Puts times in order, and those together that meet.
fn joined(mut times: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    times.sort_unstable();
    let mut all: Vec<(u16, u16)> = Vec::with_capacity(times.len());
    for (from, to) in times {
        match all.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(to),
            None => all.push((from, to)),
        }
    }
    all
}

/// Reads `mon` or `mon-fri`, from Monday as 0.
fn read_days(word: &str) -> Option<Vec<usize>> {
    let day = |name: &str| {
        let name = name.to_ascii_lowercase();
        let is = |known: &&str| name.len() >= 3 && (name == **known || full_name(known).starts_with(&name));
        DAYS.iter().position(is)
    };
    match word.split_once('-') {
        None => Some(vec![day(word)?]),
        Some((first, last)) => {
            let (first, last) = (day(first)?, day(last)?);
            let count = (last + 7 - first) % 7;
            Some((first..=first + count).map(|day| day % 7).collect())
        }
    }
}

fn full_name(short: &str) -> &'static str {
    match short {
        "mon" => "monday",
        "tue" => "tuesday",
        "wed" => "wednesday",
        "thu" => "thursday",
        "fri" => "friday",
        "sat" => "saturday",
        _ => "sunday",
    }
}

/// Reads `09:00-17:00` as minutes of the day.
fn read_times(word: &str) -> Option<(u16, u16)> {
    let time = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap_or((text, "00"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
        };
        let sound = digits(hour, 2) && digits(minute, 2) && minute.len() == 2;
        let minutes = sound.then(|| Some(hour.parse::<u16>().ok()? * 60 + minute.parse::<u16>().ok()?))??;
        (minutes <= MIDNIGHT && !minute.starts_with(['6', '7', '8', '9'])).then_some(minutes)
    };
    let (from, to) = word.split_once('-')?;
    let (from, to) = (time(from)?, time(to)?);
    (from != to && from < MIDNIGHT).then_some((from, to))
}

fn read_holidays(text: &str) -> Result<Vec<Holiday>, Fault> {
    let parts = text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty());
    let read = |part: &str| {
        holiday(part).ok_or_else(|| {
            Fault::usage(format!("`{part}` is no holiday"))
                .hint("write dates, each with a name if you like: `2026-12-25 Christmas, 01-01, 2026-08-03..2026-08-14`")
        })
    };
    let holidays = parts.map(read).collect::<Result<Vec<_>, _>>()?;
    if holidays.len() > HOLIDAYS_MAX {
        return Err(Fault::usage(format!("more than {HOLIDAYS_MAX} holidays are not taken")));
    }
    Ok(holidays)
}

/// Reads `2026-12-25`, `2026-12-24..2026-12-26` or `12-25`; a name may follow.
fn holiday(part: &str) -> Option<Holiday> {
    let word = part.split_whitespace().next()?;
    let date = |text: &str| text.parse::<Date>().ok().filter(|_| text.len() == 10);
    if let Some((first, last)) = word.split_once("..") {
        let (first, last) = (date(first)?, date(last)?);
        return (first <= last).then_some(Holiday::Dates(first, last));
    }
    if word.len() == 5 {
        // A leap year has every day.
        let day = date(&format!("2024-{word}"))?;
        return Some(Holiday::Yearly(day.month(), day.day()));
    }
    date(word).map(|date| Holiday::Dates(date, date))
}

/// Gives the day of the week and the hour of a moment in a zone, from Monday and midnight as 0.
pub fn hour_of_week(at: Timestamp, zone: &TimeZone) -> (usize, usize) {
    let here = at.to_zoned(zone.clone());
    let day = here.weekday().since(Weekday::Monday);
    (usize::try_from(day).unwrap_or(0), usize::try_from(here.hour()).unwrap_or(0))
}

#[cfg(test)]
mod tests;
