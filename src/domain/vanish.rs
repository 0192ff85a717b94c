//! What people ask to be taken out for good, and what is kept of an outside person.

use super::{AboutNote, EmailAddress, IntakeId, NoteId, OutboxId, ParticipantRole, Reference, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is to be taken out of a note for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redact {
    pub reference: Reference,
    pub note: NoteId,
    /// Texts that vanish wherever they stand on the desk.
    pub words: Vec<String>,
    /// Names or numbers of files of the note.
    pub files: Vec<String>,
    /// Says what would change and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a redaction would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionPlan {
    pub reference: String,
    pub note: NoteId,
    /// How many notes lose words, in all issues.
    pub notes: u64,
    /// Files of the note that go.
    pub files: Vec<String>,
    /// How many mails on the desk, that came or went, are written anew.
    pub mails: u64,
    /// How many files that were uploaded to the desk are written anew.
    #[serde(default)]
    pub uploads: u64,
    /// The other issues in which the words stand.
    pub others: Vec<String>,
}

/// What is kept of an outside person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    pub email: EmailAddress,
    /// The names under which they wrote or were written to.
    pub names: Vec<String>,
    pub issues: Vec<PersonIssue>,
    /// What they wrote.
    pub notes: Vec<PersonNote>,
    /// What staff wrote for staff in the issues that are theirs.
    pub about: Vec<PersonNote>,
    /// Whether they are marked as important.
    #[serde(default)]
    pub vip: bool,
    /// Notes that staff keep on them for each other, whatever the issue.
    #[serde(default)]
    pub kept_notes: Vec<AboutNote>,
    /// How many drafts of the staff are to them or to an issue of theirs; what is theirs leaves those as well.
    #[serde(default)]
    pub drafts: u64,
    /// Mails of theirs that arrived.
    pub intake: Vec<IntakeId>,
    /// Mails to them.
    pub outbox: Vec<OutboxId>,
    /// Backups that were written from this desk and still stand where they were written.
    pub backups: Vec<String>,
}

/// An issue in which a person takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonIssue {
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub state: State,
    /// As what; `None` where they only wrote, or were asked.
    pub role: Option<ParticipantRole>,
    pub subscribed: bool,
    pub created_at: Timestamp,
}

/// A note of a person, or about one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonNote {
    #[serde(rename = "ref")]
    pub reference: String,
    pub id: NoteId,
    pub created_at: Timestamp,
    pub by: String,
    pub body: String,
}
