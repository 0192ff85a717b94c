//! What is taken over from another desk: an issue with its notes, as it stood there.

use super::{EmailAddress, IssueKind, NoteKind, Upload};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who wrote something over there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportAuthor {
    pub name: Option<String>,
    pub email: Option<EmailAddress>,
    /// The name of their account; a user of that name or address here counts as the same person.
    pub username: Option<String>,
}

/// An issue of another desk. Nobody is mailed for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportIssue {
    pub project: String,
    /// What tells it from every other issue anywhere, so that it is taken over once.
    pub key: String,
    /// The number it had; it keeps that where it is free.
    pub iid: u64,
    pub title: String,
    pub kind: IssueKind,
    pub closed: bool,
    pub confidential: bool,
    pub labels: Vec<String>,
    pub milestone: Option<String>,
    pub weight: Option<u32>,
    /// Seconds of work.
    pub estimate: Option<i64>,
    pub spent: i64,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub author: ImportAuthor,
    /// Accounts that it is assigned to; the first one that is a user here counts.
    pub assignees: Vec<ImportAuthor>,
    /// Outside persons; the first is whose ticket it is.
    pub participants: Vec<EmailAddress>,
    /// The text it was opened with comes first.
    pub notes: Vec<ImportNote>,
}

/// A note of another desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportNote {
    /// What tells it from every other note anywhere.
    pub key: String,
    pub kind: NoteKind,
    pub author: ImportAuthor,
    pub body: String,
    pub created_at: Timestamp,
    pub files: Vec<Upload>,
}

/// What was taken over of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    #[serde(rename = "ref")]
    pub reference: String,
    /// Whether it was not here before.
    pub new: bool,
    /// Notes that were not here before.
    pub notes: u64,
}
