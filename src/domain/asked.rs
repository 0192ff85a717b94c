//! What requests carry: what is written, changed and handed in.

use super::{Arrival, EmailAddress, IssueKind, NoteId, Priority, Reference, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A window of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueQuery {
    /// In the query language.
    pub query: String,
    pub offset: u64,
    pub limit: u64,
}

/// A file that goes out with a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub name: String,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// A note that staff write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewNote {
    pub reference: Reference,
    pub text: String,
    pub internal: bool,
    pub attach: Vec<Upload>,
    pub cc: Vec<EmailAddress>,
    /// Subscribed participants who do not get this one.
    pub without: Vec<EmailAddress>,
    /// How long the mail waits before it goes, in milliseconds; `None` is the desk's undo window for
    /// the TUI and nothing for commands.
    pub hold_ms: Option<u64>,
    /// The last note its writer saw; a newer one refuses the note as stale. `None` asks for no check.
    pub seen: Option<NoteId>,
    /// Closes the issue in the same commit.
    pub close: bool,
    /// Where the work stands then, set in the same commit.
    #[serde(default)]
    pub status: Option<Status>,
}

/// One text that staff write to several issues at once, with placeholders as canned replies have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewNotes {
    pub references: Vec<Reference>,
    pub text: String,
    pub internal: bool,
    /// As that of a new note.
    pub hold_ms: Option<u64>,
    /// Closes the issues in the same commit.
    pub close: bool,
    /// Says what each would get and writes nothing.
    pub dry_run: bool,
}

/// An issue that staff open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewIssue {
    pub project: String,
    pub title: String,
    /// The outside person it is for; without one it is a plain issue.
    pub to: Option<EmailAddress>,
    pub text: String,
    pub hold_ms: Option<u64>,
}

/// One change to an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    Close,
    Reopen,
    Title(String),
    Label(String),
    Unlabel(String),
    /// `me` is the caller.
    Assign(String),
    Unassign,
    Confidential(bool),
    AddEmail(EmailAddress),
    RemoveEmail(EmailAddress),
    Subscribe(EmailAddress),
    Unsubscribe(EmailAddress),
    Priority(Option<Priority>),
    Status(Status),
    Due(Option<Timestamp>),
    Milestone(Option<String>),
    Weight(Option<u32>),
    Snooze(Option<Timestamp>),
    Spam(bool),
    Kind(IssueKind),
    /// Replaces all labels.
    Relabel(Vec<String>),
    /// Makes it a ticket of this person. Nobody is mailed for it.
    ConvertToTicket(EmailAddress),
    /// How long it will take, in seconds of work.
    Estimate(Option<i64>),
    /// Time that was spent, in seconds of work; a negative one is taken back.
    Spend(i64),
    /// Closes it and links it to the other one.
    DuplicateOf(Reference),
    /// Merges it into the other one.
    MergeInto(Reference),
    /// Moves it to the project of this path.
    MoveTo(String),
    /// Says that it belongs together with the other one.
    Link(Reference),
    /// Says so no more.
    Unlink(Reference),
    /// Puts notes of it into a new issue.
    Split {
        notes: Vec<NoteId>,
        /// The title of the new issue; that of this one unless given.
        title: Option<String>,
    },
    /// Parts an issue that was merged into it.
    Part(Reference),
}

/// Notes that go out of an issue into a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueSplit {
    pub reference: Reference,
    pub notes: Vec<NoteId>,
    /// The title of the new issue; that of the old one unless given.
    pub title: Option<String>,
}

/// Notes that are mailed to somebody who does not take part in the issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    pub reference: Reference,
    pub notes: Vec<NoteId>,
    pub to: EmailAddress,
    /// What is said with them.
    pub text: String,
    /// As that of a new note.
    pub hold_ms: Option<u64>,
}

/// What can be done with a mail in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxAction {
    /// Tries a deferred or failed one now.
    Retry,
    Cancel,
    /// Lets a held one go.
    Release,
}

/// What can be done with an arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntakeAction {
    /// Runs it through the intake again.
    Retry,
    /// Makes it a note of an issue.
    Attach(Reference),
    /// Makes it an issue of a project.
    Issue(String),
    /// Says that it is no spam: it becomes what it would have become, with all that follows.
    Ham {
        /// Lets further mail of its sender in as well.
        allow_sender: bool,
    },
}

/// Whose lists of senders are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderScope {
    Desk,
    Project(String),
}

/// A mail handed in from outside the mailboxes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliver {
    pub arrival: Arrival,
    #[serde(with = "serde_bytes")]
    pub raw: Vec<u8>,
    /// Says what would happen and writes nothing.
    pub dry_run: bool,
}
