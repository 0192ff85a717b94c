//! How much working time there is, by hand-counted tables and by what both functions say of each other.

use super::*;
use proptest::prelude::*;

const OFFICE: &str = "mon-fri 09:00-17:00, sat 10:00-12:00";

fn berlin(hours: &str, holidays: &str) -> WorkingHours {
    WorkingHours::read(Some(hours), Some(holidays), TimeZone::get("Europe/Berlin").unwrap()).unwrap()
}

/// A time in Berlin.
fn at(text: &str) -> Timestamp {
    text.parse::<jiff::civil::DateTime>().unwrap().in_tz("Europe/Berlin").unwrap().timestamp()
}

#[test]
fn working_time_is_counted_by_the_clock_on_the_wall() {
    // 2026-03-02 is a Monday; the clock goes forward on 2026-03-29 and back on 2026-10-25, both Sundays.
    for (hours, holidays, from, to, minutes) in [
        (OFFICE, "", "2026-03-02T09:00", "2026-03-02T17:00", 480),
        (OFFICE, "", "2026-03-02T03:00", "2026-03-02T23:00", 480),
        (OFFICE, "", "2026-03-02T16:30", "2026-03-03T09:15", 45),
        (OFFICE, "", "2026-03-02T18:00", "2026-03-03T08:00", 0),
        (OFFICE, "", "2026-03-06T16:00", "2026-03-09T10:00", 60 + 120 + 60),
        (OFFICE, "", "2026-03-07T12:00", "2026-03-09T09:00", 0),
        (OFFICE, "", "2026-03-02T09:00", "2026-03-16T09:00", 2 * (5 * 480 + 120)),
        (OFFICE, "2026-03-03 Carnival", "2026-03-02T16:00", "2026-03-04T10:00", 120),
        (OFFICE, "12-25, 12-26, 01-01", "2026-12-24T16:00", "2026-12-28T10:00", 120),
        (OFFICE, "2026-03-03..2026-03-05", "2026-03-02T16:00", "2026-03-06T10:00", 120),
        ("mon-fri 09:00-12:00 13:00-17:00", "", "2026-03-02T11:30", "2026-03-02T13:30", 60),
        ("mon 22:00-06:00", "", "2026-03-02T20:00", "2026-03-03T20:00", 480),
        ("mon 22:00-06:00", "2026-03-03", "2026-03-02T20:00", "2026-03-03T20:00", 120),
        ("sun 00:00-24:00", "", "2026-03-29T00:00", "2026-03-30T00:00", 23 * 60),
        ("sun 00:00-24:00", "", "2026-10-25T00:00", "2026-10-26T00:00", 25 * 60),
        ("sun 01:00-04:00", "", "2026-03-29T00:00", "2026-03-30T00:00", 120),
        ("sun 01:00-04:00", "", "2026-10-25T00:00", "2026-10-26T00:00", 240),
        ("sat-mon 10-11", "", "2026-03-06T00:00", "2026-03-10T00:00", 180),
        (OFFICE, "", "2026-12-31T16:00", "2027-01-01T10:00", 120),
        (OFFICE, "", "2026-03-03T10:00", "2026-03-02T10:00", 0),
        ("", "", "2026-03-06T16:00", "2026-03-07T16:00", 24 * 60),
        ("", "2026-03-07", "2026-03-06T16:00", "2026-03-08T16:00", 24 * 60),
    ] {
        let counted = berlin(hours, holidays).worked(at(from), at(to));
        assert_eq!(counted, minutes * 60, "{hours} {holidays} {from} {to}");
    }
}

#[test]
fn a_span_of_work_ends_in_working_hours() {
    for (hours, holidays, from, work, end) in [
        (OFFICE, "", "2026-03-02T09:00", "4h", "2026-03-02T13:00"),
        (OFFICE, "", "2026-03-02T03:00", "4h", "2026-03-02T13:00"),
        (OFFICE, "", "2026-03-02T09:00", "8h", "2026-03-02T17:00"),
        (OFFICE, "", "2026-03-06T16:00", "4h", "2026-03-09T10:00"),
        (OFFICE, "2026-03-09", "2026-03-06T16:00", "4h", "2026-03-10T10:00"),
        ("mon-fri 09:00-17:00", "", "2026-03-02T12:00", "1d", "2026-03-03T12:00"),
        ("mon-fri 09:00-17:00", "", "2026-03-02T12:00", "1w", "2026-03-09T12:00"),
        ("mon-fri 09:00-17:00", "", "2026-03-27T16:00", "2h", "2026-03-30T10:00"),
        ("sun 00:00-24:00", "", "2026-03-29T00:00", "3h", "2026-03-29T04:00"),
        (OFFICE, "", "2026-12-31T16:30", "1h", "2027-01-01T09:30"),
        ("", "", "2026-03-06T16:00", "1d 2h", "2026-03-07T18:00"),
    ] {
        let hours = berlin(hours, holidays);
        let work = hours.length(work).unwrap();
        assert_eq!(hours.end(at(from), work), Some(at(end)), "{from} {work}");
    }
    assert_eq!(berlin("mon 09:00-09:01", "").end(at("2026-03-02T09:00"), 1_000_000), None);
}

#[test]
fn what_is_no_time_of_work_is_refused() {
    for bad in [
        "mon",
        "09:00-17:00",
        "mon 9",
        "mon 17:00-25:00",
        "mon 09:70-10:00",
        "xyz 9-17",
        "mon 9-9",
        ",",
        "mo 9-17",
    ] {
        assert!(WorkingHours::read(Some(bad), None, TimeZone::UTC).is_err(), "{bad}");
    }
    for bad in ["2026-13-01", "tomorrow", "13-01", "2026-03-05..2026-03-01", "2026-1-1"] {
        assert!(WorkingHours::read(None, Some(bad), TimeZone::UTC).is_err(), "{bad}");
    }
    for bad in ["", "4", "h", "4x", "-1h", "0h", "99999999999999999w"] {
        assert_eq!(WorkingHours::always().length(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn a_span_and_its_end_agree(
        start in 0_i64..1_893_456_000, work in 1_i64..20_000_000, later in 0_i64..100_000_000,
        hours in prop::sample::select(vec![OFFICE, "mon-sun 00:00-24:00", "sat-mon 22:00-03:30", "wed 02:15-02:45 03:00-05:00"]),
        holidays in prop::sample::select(vec!["", "01-01, 12-25", "2020-02-01..2020-04-15"]),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    ) {
        let hours = WorkingHours::read(Some(hours), Some(holidays), TimeZone::get(zone).unwrap()).unwrap();
        let from = Timestamp::from_second(start).unwrap();
        let end = hours.end(from, work).unwrap();
        prop_assert_eq!(hours.worked(from, end), work);
        let before = Timestamp::from_second(end.as_second() - 1).unwrap();
        prop_assert_eq!(hours.worked(from, before), work - 1);
        let to = Timestamp::from_second(start + later).unwrap();
        let middle = Timestamp::from_second(start + later / 3).unwrap();
        prop_assert_eq!(hours.worked(from, to), hours.worked(from, middle) + hours.worked(middle, to));
    }

    #[test]
    fn no_text_stops_the_reading(text in "(mon|sat-sun|9|:|-|,| |25:00|2026-|01|\\.\\.|é){0,20}") {
        let _ = WorkingHours::read(Some(&text), Some(&text), TimeZone::UTC);
        let _ = WorkingHours::always().length(&text);
    }
}
