//! History: who changed what, when, from where and why.

use super::moment::work_in_words;
use super::{EmailAddress, IssueId, RequestId, Seq};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// From where somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Tui,
    Command,
    Mail,
    Rule,
    Commit,
    System,
}

/// Who acts. For an outside person `user` is the support bot and `email` is theirs.
///
/// The store holds it by place within a change: a new field goes to the end, has a default and is never left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub user: String,
    pub email: Option<EmailAddress>,
    pub via: Via,
}

/// One field of one issue that changed. Values are JSON; null stands for nothing.
///
/// The store holds it by place: a new field goes to the end, has a default and is never left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub issue: IssueId,
    pub field: String,
    pub before: serde_json::Value,
    pub after: serde_json::Value,
    /// The rule that did it.
    #[serde(default)]
    pub rule: Option<String>,
}

/// Something a person decided. Kept in the order of the decisions; the latest can be taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verb {
    pub seq: Seq,
    pub at: Timestamp,
    pub actor: Actor,
    pub request: Option<RequestId>,
    pub deed: Deed,
    pub changes: Vec<Change>,
    /// The verb that took this one back.
    pub undone_by: Option<Seq>,
}

/// What a verb did, beside the fields it changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    /// What it was, for a status line: `closed #12`.
    pub label: String,
    pub issues: Vec<IssueId>,
    /// Rows of the outbox that it made.
    pub outbox: Vec<super::OutboxId>,
    /// Rows that tell the staff of it.
    #[serde(default)]
    pub staff: Vec<super::OutboxId>,
    /// The note it wrote.
    pub note: Option<super::NoteId>,
    /// The notes it wrote to several issues at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<(IssueId, super::NoteId)>,
    /// The text of these notes before it was filled for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Notes that rules wrote because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ruled: Vec<(IssueId, super::NoteId)>,
    /// The verb that this one takes back.
    pub undoes: Option<Seq>,
    /// Whether `undo` takes it back; reading and drafts are no such verbs.
    pub undoable: bool,
    /// Lines of lists of senders that it wrote or took away.
    #[serde(default)]
    pub senders: Vec<super::SenderChange>,
    /// What it taught about mails.
    #[serde(default)]
    pub lessons: Vec<super::LessonChange>,
    /// Arrivals that it said are no spam.
    #[serde(default)]
    pub arrivals: Vec<super::ArrivalChange>,
    /// Labels and milestones that it wrote or took away.
    #[serde(default)]
    pub categories: Vec<super::CategoryChange>,
    /// Canned replies that it wrote or took away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canned: Vec<super::CannedChange>,
    /// Rules that it wrote, moved or took away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<super::RuleChange>,
    /// What it did to views and their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<super::ViewChange>,
    /// What it did to what is kept about people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<super::AboutChange>,
    /// Issues that it merged.
    #[serde(default)]
    pub merged: Vec<IssueId>,
    /// Issues that it made of notes of another, which stands behind them among `issues`.
    #[serde(default)]
    pub split: Vec<IssueId>,
    /// Issues that it parted, and what each of them was merged into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parted: Vec<(IssueId, IssueId)>,
}

/// A change as front ends see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeView {
    pub seq: Seq,
    pub at: Timestamp,
    pub actor: Actor,
    pub field: String,
    pub before: serde_json::Value,
    pub after: serde_json::Value,
    pub reason: Option<String>,
}

impl Deed {
    /// How the label of an undo begins that came too late for everything.
    pub const IN_VAIN: &'static str = "could not take back";

    /// Tells whether it was to take something back and took nothing.
    pub fn is_in_vain(&self) -> bool {
        self.undoes.is_some() && self.label.starts_with(Self::IN_VAIN)
    }

    /// Tells whether it wrote notes.
    pub fn has_notes(&self) -> bool {
        self.note.is_some() || !self.notes.is_empty()
    }

    /// Tells whether it merged, parted or split issues, which is taken back as a whole.
    pub fn reshapes(&self) -> bool {
        !self.merged.is_empty() || !self.split.is_empty() || !self.parted.is_empty()
    }
}

impl ChangeView {
    /// Names the field that changed, as the screens name it.
    pub fn field_in_words(&self) -> &str {
        match self.field.as_str() {
            "kind" => "type",
            "closed_at" => "closed",
            "due_at" => "due",
            "waiting_on" => "waits on",
            "waiting_since" => "waits since",
            "snoozed_until" => "snoozed until",
            "idle_warned_at" => "told that it will be closed",
            "spam_since" => "spam since",
            "participants" => "people",
            "merged_into" => "merged into",
            "split_from" => "split out of",
            "split_into" => "split into",
            "iid" => "number",
            field => field,
        }
    }

    /// Tells whether a word that somebody typed names the field: by the name in JSON, or as the screens name it.
    pub fn is_of_field(&self, word: &str) -> bool {
        self.field == word || self.field_in_words() == word
    }

    /// Gives what stood in the field before and what stands there now, in words; `at` says when something is.
    pub fn values_in_words(&self, at: impl Fn(Timestamp) -> String) -> (String, String) {
        (self.in_words(&self.before, &at), self.in_words(&self.after, &at))
    }

    fn in_words(&self, value: &Value, at: &impl Fn(Timestamp) -> String) -> String {
        match (self.field.as_str(), value) {
            (_, Value::Null) => "nothing".to_owned(),
            (_, Value::Bool(truth)) => if *truth { "yes" } else { "no" }.to_owned(),
            ("merged_into" | "split_from", Value::Number(_)) => "another issue".to_owned(),
            ("rating", Value::Object(rated)) => {
                rated.get("rating").and_then(Value::as_str).unwrap_or("something").to_owned()
            }
            ("estimate" | "spent", Value::Number(seconds)) => work_in_words(seconds.as_i64().unwrap_or(0)),
            ("links", Value::Array(links)) => match links.len() {
                0 => "nothing".to_owned(),
                1 => "1 issue".to_owned(),
                n => format!("{n} issues"),
            },
            ("split_into", Value::Array(parts)) => match parts.len() {
                0 => "nothing".to_owned(),
                1 => "another issue".to_owned(),
                n => format!("{n} other issues"),
            },
            (_, Value::Array(values)) if values.is_empty() => "nothing".to_owned(),
            (_, Value::Array(values)) => values.iter().map(one_in_words).collect::<Vec<_>>().join(", "),
            (field, Value::String(text)) if field.ends_with("_at") || MOMENTS.contains(&field) => {
                text.parse().map_or_else(|_| text.clone(), at)
            }
            (_, other) => one_in_words(other),
        }
    }
}

/// Fields that hold a moment, beside those whose name says so.
const MOMENTS: [&str; 3] = ["waiting_since", "snoozed_until", "spam_since"];

/// Names one of several values: a label, or a person.
fn one_in_words(value: &Value) -> String {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    match (value, text("email")) {
        (Value::String(text), _) => text.clone(),
        (_, Some(email)) if value.get("subscribed") == Some(&Value::Bool(false)) => {
            format!("{email} (gets no mail)")
        }
        (_, Some(email)) => email.to_owned(),
        (other, None) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_and_values_read_as_on_the_screens() {
        let people = json!([{"email": "a@x.example", "subscribed": true}, {"email": "b@x.example", "subscribed": false}]);
        let rating = json!({"rating": "bad", "email": "a@x.example", "at": "2026-03-02T09:00:00Z"});
        for (field, value, words) in [
            ("assignee", json!("sam"), "assignee: sam"),
            ("waiting_on", json!("us"), "waits on: us"),
            ("due_at", json!("2026-03-02T09:00:00Z"), "due: then"),
            ("snoozed_until", json!("2026-03-02T09:00:00Z"), "snoozed until: then"),
            ("labels", json!(["a", "b"]), "labels: a, b"),
            ("labels", json!([]), "labels: nothing"),
            ("participants", people, "people: a@x.example, b@x.example (gets no mail)"),
            ("spent", json!(5400), "spent: 1h 30m"),
            ("confidential", json!(true), "confidential: yes"),
            ("links", json!([{"kind": "relates_to", "issue": 4}]), "links: 1 issue"),
            ("merged_into", json!(7), "merged into: another issue"),
            ("split_from", json!(7), "split out of: another issue"),
            ("split_into", json!([7]), "split into: another issue"),
            ("split_into", json!([7, 8]), "split into: 2 other issues"),
            ("rating", rating, "rating: bad"),
            ("iid", json!(7), "number: 7"),
            ("title", json!("2026-03-02T09:00:00Z"), "title: 2026-03-02T09:00:00Z"),
        ] {
            let actor = Actor { user: "sam".into(), email: None, via: Via::Tui };
            let (field, after) = (field.to_owned(), value);
            let (seq, at, before, reason) = (Seq(1), Timestamp::UNIX_EPOCH, Value::Null, None);
            let change = ChangeView { seq, at, actor, field, before, after, reason };
            let (before, after) = change.values_in_words(|_| "then".to_owned());
            assert_eq!(
                (before.as_str(), format!("{}: {after}", change.field_in_words())),
                ("nothing", words.to_owned())
            );
        }
    }
}
