//! History: who changed what, when, from where and why.

use super::{EmailAddress, IssueId, RequestId, Seq};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub user: String,
    pub email: Option<EmailAddress>,
    pub via: Via,
}

/// One field of one issue that changed. Values are JSON; null stands for nothing.
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
    /// Tells whether it wrote notes.
    pub fn has_notes(&self) -> bool {
        self.note.is_some() || !self.notes.is_empty()
    }
}
