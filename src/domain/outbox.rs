//! The outbox: one row for each mail to each recipient, from the decision to send until it is settled.

use super::{EmailAddress, IssueId, MessageId, NoteId, OutboxId, RawRef};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    ThankYou,
    NewNote,
    NewParticipant,
    Closed,
    Reopened,
    IdleWarning,
    /// Tells one of the staff what happened.
    Staff,
    /// Tells the sender of a mail that leads nowhere that it does.
    Rejection,
    /// A mail that the desk writes to itself to see that the round works.
    Probe,
    /// Notes of an issue to somebody who does not take part in it.
    Forward,
    /// A canned reply that a rule sends.
    RuleReply,
}

impl MailKind {
    /// Tells whether no person wrote this mail, so that it must be marked as automatic (RFC 3834).
    pub fn is_automatic(self) -> bool {
        !matches!(self, Self::NewNote | Self::Forward)
    }
}

/// How far a mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Waits: an undo window runs, or a person has to release it.
    Held,
    Queued,
    Sending,
    Sent,
    /// The server put it off; it is tried again.
    Deferred,
    /// The server refused it for good.
    Failed,
    /// It was taken and came back.
    Bounced,
    Cancelled,
}

impl OutboxState {
    /// Tells whether nothing more will happen by itself.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Sent | Self::Failed | Self::Bounced | Self::Cancelled)
    }
}

/// One mail to one recipient. Its bytes and Message-ID were chosen when it was queued, so that every
/// try sends the same mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    pub id: OutboxId,
    pub issue: Option<IssueId>,
    pub note: Option<NoteId>,
    pub kind: MailKind,
    /// The envelope recipient.
    pub to: EmailAddress,
    /// The envelope sender; `None` is the null reverse-path.
    pub from: Option<EmailAddress>,
    pub subject: String,
    pub state: OutboxState,
    /// The way out, by its name in the config; `None` is `[smtp]`.
    pub outlet: Option<String>,
    pub raw: RawRef,
    pub message_id: MessageId,
    pub attempts: u32,
    pub created_at: Timestamp,
    pub next_attempt_at: Option<Timestamp>,
    /// Until when the undo window holds it; `None` while held means: until somebody releases it.
    pub held_until: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    pub error: Option<String>,
    /// Who caused it.
    pub user: Option<String>,
    /// The user who is told something by it, and the key for their answer.
    #[serde(default)]
    pub staff: Option<String>,
    #[serde(default)]
    pub staff_key: Option<String>,
}

impl OutboxEntry {
    /// Begins a row that goes by `[smtp]` as soon as it can, about nothing and caused by nobody.
    pub fn queued(
        id: OutboxId,
        kind: MailKind,
        to: EmailAddress,
        subject: String,
        message_id: MessageId,
        raw: RawRef,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            issue: None,
            note: None,
            kind,
            to,
            from: None,
            subject,
            state: OutboxState::Queued,
            outlet: None,
            raw,
            message_id,
            attempts: 0,
            created_at: at,
            next_attempt_at: None,
            held_until: None,
            sent_at: None,
            error: None,
            user: None,
            staff: None,
            staff_key: None,
        }
    }
}

/// What a reply address stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyKey {
    /// 25 characters of `0-9 a-z`.
    pub key: String,
    pub issue: IssueId,
    pub address: EmailAddress,
    pub outbox: Option<OutboxId>,
}

/// What became of a note's mail to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub to: EmailAddress,
    pub state: OutboxState,
    pub error: Option<String>,
    pub message_id: MessageId,
    pub outbox: OutboxId,
    pub at: Option<Timestamp>,
    pub held_until: Option<Timestamp>,
}

/// A row of the outbox as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxView {
    pub id: OutboxId,
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub kind: MailKind,
    pub to: EmailAddress,
    pub subject: String,
    pub state: OutboxState,
    pub attempts: u32,
    pub next_attempt_at: Option<Timestamp>,
    pub error: Option<String>,
    pub message_id: MessageId,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub held_until: Option<Timestamp>,
    pub outlet: Option<String>,
}
