//! The intake: every mail that arrived, what became of it, and why.

use super::{IntakeId, IssueId, MessageId, NoteId, Opinion, ProjectId, RawRef};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Issue,
    Note,
    Duplicate,
    Unsubscribe,
    /// Says what a customer thought of how their issue was handled.
    Rating,
    Bounce,
    Automatic,
    Spam,
    /// Waits in the triage queue for somebody to say where it belongs.
    Unroutable,
    /// Could not be handled; its bytes are kept, or still stand on the server.
    Quarantined,
    Ignored,
}

impl Fate {
    /// Every fate, in the order in which screens list them.
    pub const ALL: [Self; 11] = [
        Self::Issue,
        Self::Note,
        Self::Duplicate,
        Self::Unsubscribe,
        Self::Rating,
        Self::Bounce,
        Self::Automatic,
        Self::Spam,
        Self::Unroutable,
        Self::Quarantined,
        Self::Ignored,
    ];

    /// Gives the word for it, as JSON has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Note => "note",
            Self::Duplicate => "duplicate",
            Self::Unsubscribe => "unsubscribe",
            Self::Rating => "rating",
            Self::Bounce => "bounce",
            Self::Automatic => "automatic",
            Self::Spam => "spam",
            Self::Unroutable => "unroutable",
            Self::Quarantined => "quarantined",
            Self::Ignored => "ignored",
        }
    }
}

/// How a mail reached the desk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The mailbox it came by, by its name in the config.
    pub mailbox: Option<String>,
    pub uid_validity: Option<u32>,
    pub uid: Option<u32>,
    /// The file it was read from.
    pub path: Option<String>,
    /// Its place in an mbox, from 0.
    pub index: Option<u32>,
    /// The envelope recipient, where the caller knows it.
    pub envelope_to: Option<String>,
    /// When the server got it (INTERNALDATE, or the file's time).
    pub received_at: Option<Timestamp>,
    /// Whether the server says it was flagged, answered or read.
    #[serde(default)]
    pub flagged: bool,
    #[serde(default)]
    pub answered: bool,
    #[serde(default)]
    pub seen: bool,
    /// No mail may be caused by it.
    #[serde(default)]
    pub silent: bool,
}

/// One mail that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeEntry {
    pub id: IntakeId,
    pub arrival: Arrival,
    pub received_at: Timestamp,
    pub message_id: Option<MessageId>,
    pub from: Option<String>,
    pub to: Vec<String>,
    pub subject: Option<String>,
    /// Octets.
    pub size: u64,
    pub fate: Fate,
    pub issue: Option<IssueId>,
    pub note: Option<NoteId>,
    /// The project it was addressed to, where that is known though nothing was made of it.
    pub project: Option<ProjectId>,
    pub reason: String,
    pub raw: Option<RawRef>,
    /// What tells this mail from every other: hash of sender, Message-ID (or everything) and body.
    pub fingerprint: String,
    /// Whether it was taken in without causing mail because it is older than the desk's first look.
    pub silent: bool,
    /// What was thought of it: whether it is wanted mail.
    #[serde(default)]
    pub opinions: Vec<Opinion>,
    /// Since when it counts as spam.
    #[serde(default)]
    pub spam_since: Option<Timestamp>,
    /// Only this line is left of it.
    #[serde(default)]
    pub purged: bool,
    /// It is between one of the staff and the desk, so that only owners see it.
    #[serde(default)]
    pub owners_only: bool,
}

/// An arrival as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeView {
    pub id: IntakeId,
    pub mailbox: Option<String>,
    pub path: Option<String>,
    pub index: Option<u32>,
    pub received_at: Timestamp,
    pub message_id: Option<MessageId>,
    pub from: Option<String>,
    pub to: Vec<String>,
    pub subject: Option<String>,
    pub size: u64,
    pub fate: Fate,
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub note: Option<NoteId>,
    pub reason: String,
    pub silent: bool,
    /// What was thought of it: whether it is wanted mail.
    #[serde(default)]
    pub opinions: Vec<Opinion>,
    /// Only this line is left of it.
    #[serde(default)]
    pub purged: bool,
}

/// How far a mailbox has been read, and what is still owed to its server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub mailbox: String,
    pub uid_validity: u32,
    pub last_uid: u32,
    /// Listed but not fetched yet.
    pub owed_fetch: BTreeSet<u32>,
    /// Durable here, but the server was not told yet (seen, delete or move).
    pub owed_action: BTreeSet<u32>,
    /// When this desk first looked into the mailbox under this UIDVALIDITY.
    pub first_contact: Option<Timestamp>,
    /// Mails at or below this UID were there at first contact.
    pub first_uid: u32,
    /// Taken in without causing mail.
    pub silent: u64,
    /// Left on the server because of `import_since`.
    pub skipped: u64,
    /// Maildir only: names that were read, with their intake entry.
    #[serde(default)]
    pub names: BTreeMap<String, IntakeId>,
    /// Microsoft Graph only: the account and folder; `names` begin with the time at which a mail came.
    #[serde(default)]
    pub place: String,
    /// Everything that came up to then was taken in.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// As `owed_action`, by id.
    #[serde(default)]
    pub names_owed: BTreeSet<String>,
    /// As `owed_fetch`, by id: somebody asked for them. The desk alone changes it.
    #[serde(default)]
    pub names_asked: BTreeSet<String>,
}
