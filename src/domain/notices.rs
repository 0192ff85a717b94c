//! Notices to the staff: what each user wants to hear of, when, and what their answers by mail stand for.

use super::{EmailAddress, Fault, IssueId, NoteId, ProjectId, nearest};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// When the day's collection goes out, where a user set nothing.
const DIGEST_AT: Time = Time::constant(8, 0, 0, 0);

/// Something that one of the staff may want to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffEvent {
    /// An issue was opened.
    NewIssue,
    /// A customer answered in somebody else's issue, or in nobody's.
    Answer,
    /// A customer answered in an issue of one's own.
    MyAnswer,
    /// A colleague wrote a note.
    Note,
    /// An issue became one's own.
    Assigned,
    /// A colleague named one in a note: `@name`.
    Mentioned,
    Closed,
    Reopened,
    /// The clock of somebody else's issue, or of nobody's, is near its end, or ran out.
    Clock,
    /// The clock of an issue of one's own is.
    MyClock,
    /// A rule tells one of an issue.
    Rule,
}

impl StaffEvent {
    pub const ALL: [Self; 11] = [
        Self::NewIssue,
        Self::Answer,
        Self::MyAnswer,
        Self::Note,
        Self::Assigned,
        Self::Mentioned,
        Self::Closed,
        Self::Reopened,
        Self::Clock,
        Self::MyClock,
        Self::Rule,
    ];

    /// Gives the word for it, as settings have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::NewIssue => "new_issue",
            Self::Answer => "answer",
            Self::MyAnswer => "my_answer",
            Self::Note => "note",
            Self::Assigned => "assigned",
            Self::Mentioned => "mentioned",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Clock => "clock",
            Self::MyClock => "my_clock",
            Self::Rule => "rule",
        }
    }

    /// Says what it is, for a list.
    pub fn means(self) -> &'static str {
        match self {
            Self::NewIssue => "a new issue",
            Self::Answer => "a customer's answer in another issue",
            Self::MyAnswer => "a customer's answer in an issue of yours",
            Self::Note => "a note by a colleague",
            Self::Assigned => "an issue is given to you",
            Self::Mentioned => "a colleague names you: @name",
            Self::Closed => "an issue is closed",
            Self::Reopened => "an issue is opened again",
            Self::Clock => "the clock of another issue runs out",
            Self::MyClock => "the clock of an issue of yours runs out",
            Self::Rule => "a rule tells you of an issue",
        }
    }

    /// Gives when it is told to who set nothing.
    pub fn usual(self) -> When {
        match self {
            Self::MyAnswer | Self::Assigned | Self::Mentioned | Self::MyClock | Self::Rule => When::AtOnce,
            _ => When::Off,
        }
    }
}

/// When somebody is told of an event; what is told sooner sorts higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    Off,
    /// With the day's collection.
    Digest,
    AtOnce,
}

impl When {
    pub const ALL: [Self; 3] = [Self::AtOnce, Self::Digest, Self::Off];

    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Digest => "digest",
            Self::AtOnce => "at_once",
        }
    }
}

/// A user's wish about one event, in one project or in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    pub event: StaffEvent,
    pub project: Option<ProjectId>,
    pub when: When,
}

/// What a user wants to be told by mail, and when not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notify {
    /// What differs from the usual.
    pub wishes: Vec<Wish>,
    /// `22:00-07:00`: mail that would go at once waits until they end.
    pub quiet_hours: Option<String>,
    /// `08:00`: when the day's collection goes out.
    pub digest_at: Option<String>,
    /// The zone of these hours; the desk's where none is set.
    pub time_zone: Option<String>,
}

impl Notify {
    /// Gives when an event of a project is told: the wish about the project, else that about all.
    pub fn when(&self, event: StaffEvent, project: ProjectId) -> When {
        let wish = |of: Option<ProjectId>| self.wishes.iter().find(|w| w.event == event && w.project == of);
        wish(Some(project)).or_else(|| wish(None)).map_or(event.usual(), |wish| wish.when)
    }

    /// Sets one thing by its word: `notify.EVENT`, `quiet_hours`, `digest_at` or `time_zone`.
    ///
    /// An empty value takes the wish back. Fails with what the word takes.
    pub fn set(&mut self, key: &str, project: Option<ProjectId>, value: &str) -> Result<(), Fault> {
        let value = value.trim();
        let text = Some(value.to_owned()).filter(|text| !text.is_empty());
        match key {
            "quiet_hours" => {
                check(text.as_deref(), |text| hours(text).is_some(), "hours", "22:00-07:00")?;
                self.quiet_hours = text;
            }
            "digest_at" => {
                check(text.as_deref(), |text| clock(text).is_some(), "a time of day", "08:00")?;
                self.digest_at = text;
            }
            "time_zone" => {
                check(text.as_deref(), |text| TimeZone::get(text).is_ok(), "a time zone", "Europe/Berlin")?;
                self.time_zone = text;
            }
            _ => {
                let event = event(key.strip_prefix("notify.").unwrap_or(key))?;
                let when = text.as_deref().map(when).transpose()?;
                self.wishes.retain(|wish| (wish.event, wish.project) != (event, project));
                self.wishes.extend(when.map(|when| Wish { event, project, when }));
            }
        }
        Ok(())
    }

    /// Tells whether mail has to wait at this moment.
    pub fn is_quiet(&self, now: Timestamp, desk: &TimeZone) -> bool {
        let Some((from, to)) = self.quiet_hours.as_deref().and_then(hours) else { return false };
        let time = now.to_zoned(self.zone(desk)).time();
        if from <= to { from <= time && time < to } else { from <= time || time < to }
    }

    /// Tells whether the collection that was begun at `since` is to go out by now.
    pub fn digest_is_due(&self, since: Timestamp, now: Timestamp, desk: &TimeZone) -> bool {
        let at = self.digest_at.as_deref().and_then(clock).unwrap_or(DIGEST_AT);
        let zone = self.zone(desk);
        let day = since.to_zoned(zone.clone()).date();
        let on = |day: jiff::civil::Date| day.to_datetime(at).to_zoned(zone.clone()).ok();
        let next = match on(day).filter(|first| first.timestamp() > since) {
            Some(first) => Some(first),
            None => day.checked_add(1.day()).ok().and_then(on),
        };
        next.is_some_and(|next| next.timestamp() <= now)
    }

    fn zone(&self, desk: &TimeZone) -> TimeZone {
        let own = self.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        own.unwrap_or_else(|| desk.clone())
    }
}

/// Tells whether a setting of a user is one that they may change themselves.
pub fn is_own_setting(key: &str) -> bool {
    key.starts_with("notify.")
        || matches!(key, "quiet_hours" | "digest_at" | "time_zone" | "address+" | "address-")
}

/// Lists the names in a text that stand behind an `@`, each once, in lower case.
///
/// An address is no name, nor is what stands in code.
pub fn mentions(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    for (at, _) in text.match_indices('@') {
        let (before, after) = text.split_at_checked(at).unwrap_or_default();
        if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '`' | '/')) {
            continue;
        }
        let rest = after.get(1..).unwrap_or_default();
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().trim_end_matches(['.', '-']).to_ascii_lowercase();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Something that one of the staff is still to be told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffNotice {
    pub id: u64,
    pub user: String,
    pub issue: IssueId,
    /// The note that it is about.
    pub note: Option<NoteId>,
    pub events: Vec<StaffEvent>,
    /// Who did it, in words.
    pub by: String,
    /// [`When::AtOnce`] waits for the end of quiet hours.
    pub when: When,
    pub at: Timestamp,
}

/// What a reply key that one of the staff was given stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffKey {
    /// 25 characters of `0-9 a-z`, never one of a customer's.
    pub key: String,
    pub user: String,
    pub stands_for: KeyUse,
    pub made_at: Timestamp,
    /// Whether the user was told that a mail to it was not taken.
    #[serde(default)]
    pub told: bool,
}

/// What becomes of a mail to a staff reply key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// It answers a mail about an issue; with an internal text in that mail, the answer is internal too.
    Issue {
        issue: IssueId,
        internal: bool,
        /// The note that the mail showed: the answer goes to the issue in which it stands by then.
        #[serde(default)]
        note: Option<NoteId>,
    },
    /// It answers a collection, which takes no answers.
    Digest,
    /// It shows that the address is theirs.
    Verify { email: EmailAddress },
}

fn check(text: Option<&str>, fits: impl Fn(&str) -> bool, what: &str, example: &str) -> Result<(), Fault> {
    match text.filter(|text| !fits(text)) {
        None => Ok(()),
        Some(text) => {
            Err(Fault::usage(format!("`{text}` is not {what}")).hint(format!("write it as {example}")))
        }
    }
}

fn event(word: &str) -> Result<StaffEvent, Fault> {
    StaffEvent::ALL.into_iter().find(|event| event.word() == word).ok_or_else(|| {
        let known = StaffEvent::ALL.map(|event| event.word().to_owned());
        Fault::usage(format!("there is no event `{word}`")).hint(match nearest(word, &known) {
            Some(likely) => format!("did you mean `{likely}`? There are {}", known.join(", ")),
            None => format!("there are {}", known.join(", ")),
        })
    })
}

fn when(word: &str) -> Result<When, Fault> {
    let word = word.replace('-', "_");
    When::ALL.into_iter().find(|when| when.word() == word).ok_or_else(|| {
        Fault::usage(format!("`{word}` says not when to tell")).hint("say at_once, digest or off")
    })
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn hours(text: &str) -> Option<(Time, Time)> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (clock(from)?, clock(to)?);
    (from != to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_wish_about_a_project_goes_before_one_about_all_and_that_before_the_usual() {
        let (here, there) = (ProjectId(1), ProjectId(2));
        let mut notify = Notify::default();
        assert_eq!(notify.when(StaffEvent::Assigned, here), When::AtOnce);
        assert_eq!(notify.when(StaffEvent::NewIssue, here), When::Off);
        notify.set("notify.new_issue", None, "digest").unwrap();
        notify.set("notify.new_issue", Some(here), "at_once").unwrap();
        assert_eq!(notify.when(StaffEvent::NewIssue, here), When::AtOnce);
        assert_eq!(notify.when(StaffEvent::NewIssue, there), When::Digest);
        notify.set("notify.new_issue", Some(here), "").unwrap();
        assert_eq!(notify.when(StaffEvent::NewIssue, here), When::Digest);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_does() {
        let mut notify = Notify::default();
        for (key, value, hint) in [
            ("notify.asigned", "off", "did you mean `assigned`?"),
            ("notify.assigned", "never", "at_once, digest or off"),
            ("quiet_hours", "22:00", "22:00-07:00"),
            ("quiet_hours", "22:00-22:00", "22:00-07:00"),
            ("digest_at", "25:00", "08:00"),
            ("time_zone", "Mars/Olympus", "Europe/Berlin"),
        ] {
            let fault = notify.set(key, None, value).unwrap_err();
            assert!(fault.hint.as_deref().unwrap().contains(hint), "{fault:?}");
        }
        assert_eq!(notify, Notify::default());
    }

    #[test]
    fn quiet_hours_may_go_over_midnight_and_count_in_the_users_zone() {
        let mut notify = Notify::default();
        notify.set("quiet_hours", None, "22:00-07:00").unwrap();
        notify.set("time_zone", None, "Europe/Berlin").unwrap();
        for (moment, quiet) in [
            ("2026-01-10T20:59:00Z", false),
            ("2026-01-10T21:00:00Z", true),
            ("2026-01-11T05:59:00Z", true),
            ("2026-01-11T06:00:00Z", false),
            ("2026-07-10T20:00:00Z", true),
        ] {
            assert_eq!(notify.is_quiet(at(moment), &TimeZone::UTC), quiet, "{moment}");
        }
        notify.set("quiet_hours", None, "12-13").unwrap();
        assert!(notify.is_quiet(at("2026-01-10T11:30:00Z"), &TimeZone::UTC));
    }

    #[test]
    fn a_digest_is_due_at_the_next_such_hour_after_it_was_begun() {
        let mut notify = Notify::default();
        notify.set("digest_at", None, "08:00").unwrap();
        notify.set("time_zone", None, "Europe/Berlin").unwrap();
        for (since, now, due) in [
            ("2026-01-10T05:00:00Z", "2026-01-10T06:59:59Z", false),
            ("2026-01-10T05:00:00Z", "2026-01-10T07:00:00Z", true),
            ("2026-01-10T07:00:00Z", "2026-01-10T23:00:00Z", false),
            ("2026-01-10T07:00:00Z", "2026-01-11T07:00:00Z", true),
            // The clocks went forward in between.
            ("2026-03-28T08:00:00Z", "2026-03-29T06:00:00Z", true),
        ] {
            assert_eq!(notify.digest_is_due(at(since), at(now), &TimeZone::UTC), due, "{since} {now}");
        }
    }

    #[test]
    fn a_name_behind_an_at_is_a_mention_and_an_address_is_none() {
        assert_eq!(mentions("@mia, @Bob. (@ann-lee) @mia"), ["mia", "bob", "ann-lee"]);
        assert_eq!(mentions("x@y.example `@code` https://x/@z @ @@"), [""; 0]);
    }
}
