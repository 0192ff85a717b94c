//! Terms: the conditions of a query, their names, and how they are printed.

use super::amount::Amount;
use super::facts::IssueFacts;
use super::when::When;
use super::words::Words;
use crate::domain::{ClockKind, IssueKind, Party, Priority, Rating, Status};
use std::fmt;

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Words without a field.
    Text,
    /// `#12`.
    Number,
    Is,
    Type,
    Status,
    Priority,
    Waiting,
    Project,
    From,
    Participant,
    Assignee,
    Label,
    Milestone,
    Title,
    Body,
    Created,
    Updated,
    Due,
    /// Until when it is put away.
    Snoozed,
    Weight,
    Estimate,
    Spent,
    Clock,
    Rating,
    Has,
}

/// The fields by the names they have in a query; `sort` is not a condition and stands aside.
pub(super) const FIELDS: &[(&str, Field)] = &[
    ("is", Field::Is),
    ("type", Field::Type),
    ("status", Field::Status),
    ("priority", Field::Priority),
    ("waiting", Field::Waiting),
    ("project", Field::Project),
    ("from", Field::From),
    ("participant", Field::Participant),
    ("assignee", Field::Assignee),
    ("label", Field::Label),
    ("milestone", Field::Milestone),
    ("title", Field::Title),
    ("body", Field::Body),
    ("created", Field::Created),
    ("updated", Field::Updated),
    ("due", Field::Due),
    ("snoozed", Field::Snoozed),
    ("weight", Field::Weight),
    ("estimate", Field::Estimate),
    ("spent", Field::Spent),
    ("clock", Field::Clock),
    ("rating", Field::Rating),
    ("has", Field::Has),
];

/// What `is:` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    Open,
    Closed,
    Unread,
    Confidential,
    Mine,
    Spam,
    Snoozed,
    Overdue,
    Merged,
    Moved,
    Linked,
    Split,
    Reopened,
    Warned,
    Breached,
    Vip,
}

/// What `has:` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Attachment,
    Trouble,
}

pub(super) const FLAGS: &[(&str, Flag)] = &[
    ("open", Flag::Open),
    ("closed", Flag::Closed),
    ("unread", Flag::Unread),
    ("confidential", Flag::Confidential),
    ("mine", Flag::Mine),
    ("spam", Flag::Spam),
    ("snoozed", Flag::Snoozed),
    ("overdue", Flag::Overdue),
    ("merged", Flag::Merged),
    ("moved", Flag::Moved),
    ("linked", Flag::Linked),
    ("split", Flag::Split),
    ("reopened", Flag::Reopened),
    ("warned", Flag::Warned),
    ("breached", Flag::Breached),
    ("vip", Flag::Vip),
];
pub(super) const THINGS: &[(&str, Thing)] = &[("attachment", Thing::Attachment), ("trouble", Thing::Trouble)];
pub(super) const KINDS: &[(&str, IssueKind)] = &[("ticket", IssueKind::Ticket), ("issue", IssueKind::Issue)];
pub(super) const STATUSES: &[(&str, Status)] = &[
    ("open", Status::Open),
    ("pending", Status::Pending),
    ("solved", Status::Solved),
    ("closed", Status::Closed),
];
pub(super) const PRIORITIES: &[(&str, Priority)] = &[
    ("low", Priority::Low),
    ("normal", Priority::Normal),
    ("high", Priority::High),
    ("urgent", Priority::Urgent),
];
pub(super) const RATINGS: &[(&str, Rating)] =
    &[("good", Rating::Good), ("so-so", Rating::SoSo), ("bad", Rating::Bad)];
pub(super) const PARTIES: &[(&str, Party)] = &[("us", Party::Us), ("them", Party::Them)];

/// What `clock:` asks, beside when it runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClockWord {
    Kind(ClockKind),
    Paused,
}

pub(super) const CLOCKS: &[(&str, ClockWord)] = &[
    ("first", ClockWord::Kind(ClockKind::First)),
    ("next", ClockWord::Kind(ClockKind::Next)),
    ("resolve", ClockWord::Kind(ClockKind::Resolve)),
    ("paused", ClockWord::Paused),
];

/// Finds a word in one of the tables above.
pub(super) fn named<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, meaning)| *meaning)
}

/// What one value of a condition means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    None,
    Any,
    /// The viewer.
    Me,
    Is(Flag),
    Has(Thing),
    Type(IssueKind),
    Status(Status),
    Priority(Priority),
    Rating(Rating),
    Waiting(Party),
    Clock(ClockWord),
    /// Folded.
    Name(String),
    Words(Words),
    When(When),
    Amount(Amount),
    Number {
        project: Option<String>,
        iid: u64,
    },
}

/// One value as it was written, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub text: String,
    pub quoted: bool,
    pub meaning: Meaning,
}

/// One condition: it holds when any of its values does, or if negated, none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub(super) negated: bool,
    pub(super) field: Field,
    pub(super) values: Vec<Value>,
}

/// A condition on the texts of an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextTerm<'a> {
    pub negated: bool,
    /// Whether only the bodies of notes count, not titles, authors and names of files.
    pub body_only: bool,
    /// Whether the issue is found without the words too: it is the one with that number.
    pub or_number: bool,
    /// Any of them has to be found.
    pub any: Vec<std::borrow::Cow<'a, Words>>,
}

impl Term {
    /// Tells whether it holds where none of its values does.
    pub fn is_negated(&self) -> bool {
        self.negated
    }

    /// Gives what this term asks of the texts, if anything.
    pub fn text(&self) -> Option<TextTerm<'_>> {
        use std::borrow::Cow;
        let or_number = self.field == Field::Number;
        if !matches!(self.field, Field::Text | Field::Body | Field::Number) || or_number && self.negated {
            return None;
        }
        let any = self.values.iter().filter_map(|value| match &value.meaning {
            Meaning::Words(words) => Some(Cow::Borrowed(words)),
            Meaning::Number { project: None, iid } => Some(Cow::Owned(Words::mention(*iid))),
            _ => None,
        });
        let any = any.collect();
        Some(TextTerm { negated: self.negated, body_only: self.field == Field::Body, or_number, any })
    }

    /// Tells whether one of the numbers asked for is this issue's.
    pub(super) fn numbers(&self, facts: &IssueFacts) -> bool {
        self.values.iter().any(|value| match &value.meaning {
            Meaning::Number { project, iid } => {
                *iid == facts.iid && project.as_ref().is_none_or(|path| *path == *facts.project_path.folded)
            }
            _ => false,
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted {
            write!(f, "\"{}\"", self.text.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            f.write_str(&self.text)
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        if let Some((name, _)) = FIELDS.iter().find(|(_, field)| *field == self.field) {
            write!(f, "{name}:")?;
        }
        f.write_str(&self.values.iter().map(Value::to_string).collect::<Vec<_>>().join(","))
    }
}

/// By what the list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    Created,
    #[default]
    Updated,
    Title,
    From,
    /// How long somebody has been waiting.
    Waiting,
    Priority,
    Due,
    /// When the clock runs out.
    Clock,
    /// How much of it is about the words that are looked for; without words, the latest change.
    Relevance,
}

pub(super) const SORTS: &[(&str, SortKey)] = &[
    ("created", SortKey::Created),
    ("updated", SortKey::Updated),
    ("title", SortKey::Title),
    ("from", SortKey::From),
    ("waiting", SortKey::Waiting),
    ("priority", SortKey::Priority),
    ("due", SortKey::Due),
    ("clock", SortKey::Clock),
    ("relevance", SortKey::Relevance),
];

/// The order of the list. Issues without what it goes by come last, whichever way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub key: SortKey,
    pub descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self { key: SortKey::Updated, descending: true }
    }
}

impl Sort {
    /// Reads `updated-desc`; without a direction each key goes the way it is mostly wanted: the newest,
    /// the most pressing, the longest waiting and the soonest due first, names from A to Z.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (key, direction) = match text.rsplit_once('-') {
            Some((key, direction)) => (key, Some(direction.to_ascii_lowercase())),
            None => (text, None),
        };
        let key = named(SORTS, key)?;
        let descending = match direction.as_deref() {
            Some("asc") => false,
            Some("desc") => true,
            Some(_) => return None,
            None => !matches!(key, SortKey::Title | SortKey::From | SortKey::Due | SortKey::Clock),
        };
        Some(Self { key, descending })
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = SORTS.iter().find(|(_, key)| *key == self.key).map_or("updated", |(name, _)| name);
        write!(f, "{name}-{}", if self.descending { "desc" } else { "asc" })
    }
}
