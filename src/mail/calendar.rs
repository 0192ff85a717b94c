//! Invitations (RFC 5545, RFC 5546) as words: what, when, where, who asks, and what is asked.
//!
//! Times are shown as they were written, with the zone they were written in: the reader is told what the
//! sender said. It reads the few properties that matter and steps over the rest.

use super::safe::{cut, sanitize_line, sanitize_text};
use jiff::civil::{Date, DateTime};

/// Most octets of a calendar that are read, most events and most people that are named.
const SIZE_MAX: usize = 512 * 1024;
const EVENTS_MAX: usize = 10;
const HOLIDAYS_MAX: usize = 1000;
const PEOPLE_MAX: usize = 20;
const TEXT_MAX: usize = 8 * 1024;

/// An event with what is asked about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    method: String,
    what: String,
    start: Option<When>,
    end: Option<When>,
    length: Option<String>,
    place: Option<String>,
    organizer: Option<String>,
    /// With what each answered.
    people: Vec<(String, String)>,
    repeats: Option<String>,
    status: String,
    note: Option<String>,
    description: Option<String>,
}

/// A time as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct When {
    day: Date,
    /// Absent for a whole day.
    at: Option<DateTime>,
    zone: Option<String>,
}

/// One line: its name, its parameters, its value.
struct Property<'a> {
    name: String,
    parameters: Vec<(String, &'a str)>,
    value: &'a str,
}

impl Property<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| *value)
    }
}

/// Reads the events of a calendar; `method` is what the part's type says of it.
pub(super) fn events(text: &str, method: Option<&str>) -> Vec<Event> {
    read(text, method, EVENTS_MAX)
}

fn read(text: &str, method: Option<&str>, most: usize) -> Vec<Event> {
    let text = unfolded(cut(text, SIZE_MAX));
    let mut method = method.unwrap_or_default().to_ascii_uppercase();
    let mut events: Vec<Event> = Vec::new();
    let mut inside: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some(property) = property(line) else { continue };
        match property.name.as_str() {
            "BEGIN" if inside.len() < 20 => {
                let what = property.value.trim().to_ascii_uppercase();
                if matches!(what.as_str(), "VEVENT" | "VTODO") && events.len() < most {
                    events.push(Event::default());
                }
                inside.push(what);
            }
            "END" => {
                inside.pop();
            }
            "METHOD" => method = sanitize_line(property.value).to_ascii_uppercase(),
            _ if inside.last().is_some_and(|i| matches!(i.as_str(), "VEVENT" | "VTODO")) => {
                if let Some(event) = events.last_mut() {
                    take(event, &property);
                }
            }
            _ => {}
        }
    }
    for event in &mut events {
        event.method.clone_from(&method);
    }
    events
}

/// Gives the whole days of a calendar as the setting `holidays` writes them, each with its name: one day, or
/// the first and the last of several, or month and day where the event comes back every year.
///
/// `None` where the text is no calendar. What lasts for hours is no holiday; of what comes back in other ways
/// only the first time counts.
pub fn holidays(text: &str) -> Option<Vec<String>> {
    let start = text.trim_start().get(..15)?;
    start.eq_ignore_ascii_case("BEGIN:VCALENDAR").then_some(())?;
    Some(read(text.trim_start(), None, HOLIDAYS_MAX).iter().filter_map(Event::holiday).collect())
}

/// Puts lines together that were broken for the way.
fn unfolded(text: &str) -> String {
    text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")
}

/// Splits a line; a parameter's value may be quoted.
fn property(line: &str) -> Option<Property<'_>> {
    let mut quoted = false;
    let ends = line.char_indices().filter(|(_, c)| {
        quoted ^= *c == '"';
        !quoted && matches!(c, ';' | ':')
    });
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut value = None;
    for (at, c) in ends {
        pieces.push(line.get(from..at)?);
        from = at + 1;
        if c == ':' {
            value = line.get(from..);
            break;
        }
    }
    let (name, parameters) = pieces.split_first()?;
    let name = name.rsplit('.').next().unwrap_or(name).to_ascii_uppercase();
    let parameters = parameters.iter().filter_map(|text| parameter(text)).collect();
    Some(Property { name, parameters, value: value? })
}

/// Splits a parameter; its value loses its quotes.
fn parameter(text: &str) -> Option<(String, &str)> {
    let (name, value) = text.split_once('=')?;
    Some((name.to_ascii_uppercase(), value.trim_matches('"')))
}

fn take(event: &mut Event, property: &Property<'_>) {
    let line = || Some(sanitize_line(&plain(property.value))).filter(|text| !text.is_empty());
    match property.name.as_str() {
        "SUMMARY" => event.what = line().unwrap_or_default(),
        "DTSTART" => event.start = when(property),
        "DTEND" | "DUE" => event.end = when(property),
        "DURATION" => event.length = line(),
        "LOCATION" => event.place = line(),
        "ORGANIZER" => event.organizer = person(property),
        "RRULE" => event.repeats = line(),
        "STATUS" => event.status = line().unwrap_or_default().to_ascii_uppercase(),
        "COMMENT" => event.note = line(),
        "DESCRIPTION" => {
            let text = sanitize_text(&plain(property.value));
            event.description = Some(cut(text.trim(), TEXT_MAX).to_owned()).filter(|text| !text.is_empty());
        }
        "ATTENDEE" if event.people.len() < PEOPLE_MAX => {
            let answer = property.parameter("PARTSTAT").unwrap_or_default().to_ascii_uppercase();
            event.people.extend(person(property).map(|person| (person, answer)));
        }
        _ => {}
    }
}

/// Gives a text without the marks that its kind asks for (RFC 5545, section 3.3.11).
fn plain(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

fn person(property: &Property<'_>) -> Option<String> {
    let value = sanitize_line(property.value);
    let address = match value.get(..7) {
        Some(start) if start.eq_ignore_ascii_case("mailto:") => value.get(7..).unwrap_or_default(),
        _ => &value,
    };
    let name = property.parameter("CN").map(sanitize_line).filter(|name| !name.is_empty() && name != address);
    match name {
        Some(name) if address.is_empty() => Some(name),
        Some(name) => Some(format!("{name} <{address}>")),
        None => Some(address.to_owned()).filter(|address| !address.is_empty()),
    }
}

fn when(property: &Property<'_>) -> Option<When> {
    let value = property.value.trim();
    let digits = |from: usize, to: usize| value.get(from..to)?.parse::<i8>().ok();
    let day = Date::new(value.get(..4)?.parse().ok()?, digits(4, 6)?, digits(6, 8)?).ok()?;
    let at = value.get(8..9).filter(|t| t.eq_ignore_ascii_case("t")).and_then(|_| {
        let time = day.at(0, 0, 0, 0).with().hour(digits(9, 11)?).minute(digits(11, 13)?);
        time.build().ok()
    });
    let utc = value.ends_with(['Z', 'z']).then(|| "UTC".to_owned());
    let zone =
        property.parameter("TZID").map(sanitize_line).map(|zone| zone.trim_start_matches('/').to_owned());
    Some(When { day, at, zone: utc.or(zone).filter(|zone| !zone.is_empty()) })
}

/// Gives the words for some events; with their descriptions where no other text says what they are about.
pub(super) fn words(events: &[Event], described: bool) -> String {
    events.iter().map(|event| event.words(described)).collect::<Vec<_>>().join("\n")
}

impl Event {
    fn holiday(&self) -> Option<String> {
        let start = self.start.as_ref().filter(|start| start.at.is_none() && self.status != "CANCELLED")?;
        let last =
            self.end.as_ref().and_then(|end| end.day.yesterday().ok()).filter(|last| *last > start.day);
        let rule = self.repeats.as_deref().unwrap_or_default().to_ascii_uppercase();
        let parts = || rule.split(';').filter(|part| !part.is_empty());
        let plain = ["FREQ=YEARLY", "INTERVAL=1", "BYMONTH=", "BYMONTHDAY=", "WKST="];
        let yearly = parts().any(|part| part == "FREQ=YEARLY")
            && parts().all(|part| plain.iter().any(|known| part.starts_with(known)) && !part.contains(','));
        let days = match last {
            Some(last) => format!("{}..{last}", start.day),
            None if yearly => start.day.strftime("%m-%d").to_string(),
            None => start.day.to_string(),
        };
        // What parts the days of the setting must not stand in a name.
        Some(format!("{days} {}", self.what.replace([',', ';', '\n'], " ")).trim_end().to_owned())
    }

    fn words(&self, described: bool) -> String {
        let mut lines = vec![self.head()];
        let mut add = |name: &str, text: Option<String>| {
            lines.extend(text.map(|text| format!("{name}: {text}")));
        };
        add("When", self.time());
        add("Repeats", self.repeats.as_deref().map(repeats));
        add("Where", self.place.clone());
        add("Organizer", self.organizer.clone());
        if self.method != "REPLY" && !self.people.is_empty() {
            let people: Vec<&str> = self.people.iter().map(|(person, _)| person.as_str()).collect();
            add("Invited", Some(people.join(", ")));
        }
        add("Comment", self.note.clone());
        let mut words = lines.join("\n") + "\n";
        if let Some(text) = self.description.as_ref().filter(|_| described) {
            words.push_str(&format!("\n{text}\n"));
        }
        words
    }

    /// Says what is asked, and about what.
    fn head(&self) -> String {
        let what = if self.what.is_empty() { "(no title)" } else { &self.what };
        match self.method.as_str() {
            "CANCEL" => format!("Cancellation: {what}"),
            _ if self.status == "CANCELLED" => format!("Cancellation: {what}"),
            "REQUEST" => format!("Invitation: {what}"),
            "REPLY" => format!("Answer to an invitation: {what}\n{}", self.answer()),
            "COUNTER" => format!("Another time is proposed: {what}"),
            "DECLINECOUNTER" => format!("The other time is declined: {what}"),
            "REFRESH" => format!("The invitation is asked for again: {what}"),
            _ => format!("Event: {what}"),
        }
    }

    fn answer(&self) -> String {
        let Some((person, answer)) = self.people.first() else { return "Answer: not said".to_owned() };
        let answer = match answer.as_str() {
            "ACCEPTED" => "accepted",
            "DECLINED" => "declined",
            "TENTATIVE" => "perhaps",
            "DELEGATED" => "passed on",
            _ => "not decided",
        };
        format!("Answer: {answer}, by {person}")
    }

    fn time(&self) -> Option<String> {
        let start = self.start.as_ref().or(self.end.as_ref())?;
        let zone = start.zone.as_ref().map_or(String::new(), |zone| format!(" ({zone})"));
        let Some(from) = start.at else {
            // The end of a whole day is the day after it.
            let last =
                self.end.as_ref().and_then(|end| end.day.yesterday().ok()).filter(|last| *last > start.day);
            let until = last.map_or(String::new(), |last| format!(" to {}", day(last)));
            return Some(format!("{}{until}, all day", day(start.day)));
        };
        let clock = |at: DateTime| format!("{:02}:{:02}", at.hour(), at.minute());
        let span = self.length.as_deref().and_then(|length| length.parse::<jiff::Span>().ok());
        let end = self.end.as_ref().and_then(|end| Some((end.at?, end.zone.clone())));
        let end = end.or_else(|| Some((from.checked_add(span?).ok()?, start.zone.clone())));
        let until = end.filter(|(to, _)| *to != from).map_or(String::new(), |(to, other)| {
            let other =
                other.filter(|_| end_differs(self)).map_or(String::new(), |zone| format!(" ({zone})"));
            if to.date() == from.date() {
                format!("-{}{other}", clock(to))
            } else {
                format!(" to {}, {}{other}", day(to.date()), clock(to))
            }
        });
        Some(format!("{}, {}{until}{zone}", day(start.day), clock(from)))
    }
}

/// Tells whether an event ends in another zone than it begins in.
fn end_differs(event: &Event) -> bool {
    let zone = |when: &Option<When>| when.as_ref().and_then(|when| when.zone.clone());
    event.end.is_some() && zone(&event.end) != zone(&event.start)
}

fn day(day: Date) -> String {
    day.strftime("%A, %-d %B %Y").to_string()
}

/// Says how often an event comes back; a rule with more to it is given with its parts.
fn repeats(rule: &str) -> String {
    let mut words = Vec::new();
    for part in rule.split(';') {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        words.push(match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
            ("FREQ", often) => often.to_ascii_lowercase(),
            ("COUNT", count) => format!("{count} times"),
            ("INTERVAL", "1") | ("WKST", _) => continue,
            ("INTERVAL", every) => format!("every {every}"),
            ("UNTIL", until) => {
                let (y, m, d) = (until.get(..4), until.get(4..6), until.get(6..8));
                let date = y.zip(m).zip(d).map(|((y, m), d)| format!("{y}-{m}-{d}"));
                format!("until {}", date.unwrap_or_else(|| until.to_owned()))
            }
            ("BYDAY", days) => format!("on {}", days.replace(',', ", ")),
            _ => part.to_owned(),
        });
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(lines: &[&str]) -> String {
        let text = format!("BEGIN:VCALENDAR\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", lines.join("\r\n"));
        words(&events(&text, None), false)
    }

    #[test]
    fn an_event_is_told_in_words() {
        insta::assert_snapshot!(shown(&[
            "METHOD:REQUEST", "BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:STANDARD", "DTSTART:16011028T030000",
            "END:STANDARD", "END:VTIMEZONE", "BEGIN:VEVENT",
            "SUMMARY:Tea\\, coffee\r\n  and cake", "DTSTART;TZID=\"Europe/Berlin\":20240305T140000",
            "DTEND;TZID=Europe/Berlin:20240305T153000", "LOCATION:Room 1\\; left",
            "ORGANIZER;CN=\"Lovelace, Ada: CEO\":mailto:ada@x.example", "ATTENDEE;PARTSTAT=NEEDS-ACTION:MAILTO:bob@y.example",
            "RRULE:FREQ=WEEKLY;COUNT=4;BYDAY=TU", "BEGIN:VALARM", "DESCRIPTION:Reminder", "END:VALARM",
        ]), @r"
        Invitation: Tea, coffee and cake
        When: Tuesday, 5 March 2024, 14:00-15:30 (Europe/Berlin)
        Repeats: weekly, 4 times, on TU
        Where: Room 1; left
        Organizer: Lovelace, Ada: CEO <ada@x.example>
        Invited: bob@y.example
        ");
    }

    #[test]
    fn times_and_answers_are_told_as_they_were_written() {
        for (lines, has) in [
            (
                &["BEGIN:VEVENT", "DTSTART:20240305T140000Z", "DURATION:PT90M"][..],
                "5 March 2024, 14:00-15:30 (UTC)",
            ),
            (
                &["BEGIN:VEVENT", "DTSTART;VALUE=DATE:20240305", "DTEND;VALUE=DATE:20240308"],
                "5 March 2024 to Thursday, 7 March 2024, all day",
            ),
            (
                &["BEGIN:VEVENT", "DTSTART;VALUE=DATE:20240305", "DTEND;VALUE=DATE:20240306"],
                "5 March 2024, all day",
            ),
            (
                &["BEGIN:VEVENT", "DTSTART:20240305T230000", "DTEND:20240306T010000"],
                "23:00 to Wednesday, 6 March 2024, 01:00",
            ),
            (&["METHOD:CANCEL", "BEGIN:VEVENT", "SUMMARY:x"], "Cancellation: x"),
            (
                &[
                    "METHOD:REPLY",
                    "BEGIN:VEVENT",
                    "SUMMARY:x",
                    "ATTENDEE;PARTSTAT=DECLINED;CN=Bob:mailto:b@y.example",
                ],
                "Answer: declined, by Bob <b@y.example>",
            ),
            (&["METHOD:COUNTER", "BEGIN:VEVENT", "SUMMARY:x"], "Another time is proposed: x"),
            (&["BEGIN:VEVENT", "DTSTART:99999999T999999"], "Event: (no title)"),
        ] {
            let words = shown(lines);
            assert!(words.contains(has), "{lines:?}\n{words}");
        }
        assert!(events("no calendar", None).is_empty());
    }

    #[test]
    fn whole_days_become_holidays() {
        let lines = [
            "BEGIN:VCALENDAR",
            "BEGIN:VEVENT",
            "SUMMARY:Christmas\\, first day",
            "DTSTART;VALUE=DATE:20201225",
            "DTEND;VALUE=DATE:20201226",
            "RRULE:FREQ=YEARLY",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "SUMMARY:Shut",
            "DTSTART;VALUE=DATE:20260803",
            "DTEND;VALUE=DATE:20260815",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "DTSTART;VALUE=DATE:20260501",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "SUMMARY:Lunch",
            "DTSTART:20260502T120000Z",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "SUMMARY:Every second Monday",
            "DTSTART;VALUE=DATE:20260504",
            "RRULE:FREQ=WEEKLY;INTERVAL=2",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "STATUS:CANCELLED",
            "DTSTART;VALUE=DATE:20260601",
            "END:VEVENT",
            "END:VCALENDAR",
        ];
        let found = holidays(&lines.join("\r\n")).unwrap();
        assert_eq!(
            found,
            [
                "12-25 Christmas  first day",
                "2026-08-03..2026-08-14 Shut",
                "2026-05-01",
                "2026-05-04 Every second Monday"
            ]
        );
        assert_eq!(holidays("2026-12-25"), None);
    }

    proptest! {
        #[test]
        fn no_calendar_stops_the_reading(text in "(BEGIN:VEVENT\n|END:V\n|DTSTART|;TZID=|:|\"|20240305T1|400|DURATION:P|9Y|RRULE:UNTIL=|\\\\|\n| |é){0,60}") {
            let _ = words(&events(&text, None), true);
            let _ = holidays(&format!("BEGIN:VCALENDAR\n{text}"));
        }
    }
}
