//! What front ends see of issues. Serialised, these are the JSON of `issue list` and `issue show`.

use super::{
    AddressState, Attachment, Author, Delivery, EmailAddress, IssueId, IssueKind, LinkKind, MessageId,
    NoteId, NoteKind, ParticipantRole, Party, Priority, Seal, Seq, State, Status,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One row of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueRow {
    pub id: IssueId,
    /// `mygroup/myproject#12`.
    #[serde(rename = "ref")]
    pub reference: String,
    pub project: String,
    pub iid: u64,
    #[serde(rename = "type")]
    pub kind: IssueKind,
    pub title: String,
    pub state: State,
    pub status: Status,
    pub author: Author,
    pub confidential: bool,
    pub labels: Vec<String>,
    pub assignee: Option<String>,
    pub priority: Option<Priority>,
    /// How many there are.
    #[serde(rename = "notes")]
    pub note_count: u32,
    /// Notes that the caller has not seen.
    pub unread: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub waiting_on: Option<Party>,
    pub waiting_since: Option<Timestamp>,
    pub snoozed_until: Option<Timestamp>,
    pub spam: bool,
    pub milestone: Option<String>,
    pub weight: Option<u32>,
    pub merged_into: Option<String>,
    pub has_attachment: bool,
    /// The worst state of the mail of its notes that somebody should look at: deferred, failed, bounced.
    pub trouble: Option<super::OutboxState>,
    /// The clock that runs out first; of those that stand, the one with the least left.
    #[serde(default)]
    pub clock: Option<super::IssueClock>,
    /// Whether somebody who takes part is marked as important; for guests never.
    #[serde(default)]
    pub vip: bool,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuePage {
    /// How many issues the query finds.
    pub total: u64,
    pub offset: u64,
    pub rows: Vec<IssueRow>,
    /// Up to where the journal was read.
    pub seq: Seq,
}

/// A participant as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantView {
    pub name: Option<String>,
    pub email: EmailAddress,
    pub subscribed: bool,
    pub role: ParticipantRole,
    pub address_state: AddressState,
}

/// A link as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    pub kind: LinkKind,
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub state: State,
}

/// A file of a note as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentView {
    pub name: String,
    #[serde(rename = "type")]
    pub media_type: String,
    pub size: u64,
    pub inline: bool,
}

impl From<&Attachment> for AttachmentView {
    fn from(file: &Attachment) -> Self {
        Self {
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
            inline: file.inline,
        }
    }
}

/// One note with what became of its mails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteView {
    pub id: NoteId,
    pub kind: NoteKind,
    pub author: Author,
    pub body: String,
    pub folded: Option<String>,
    pub html: bool,
    pub reduced: bool,
    pub created_at: Timestamp,
    pub message_id: Option<MessageId>,
    pub in_reply_to: Option<MessageId>,
    pub automatic: bool,
    pub auth: Option<String>,
    pub why: Option<String>,
    pub warnings: Vec<String>,
    pub attachments: Vec<AttachmentView>,
    pub delivery: Vec<Delivery>,
    /// Whether the caller has not seen it yet.
    pub unread: bool,
    /// Whether its raw mail can be asked for.
    pub has_raw: bool,
    /// What its signature or encryption said.
    #[serde(default)]
    pub seal: Option<Seal>,
    /// Whether it is talk with somebody who does not take part.
    #[serde(default)]
    pub aside: Option<super::Aside>,
}

/// An issue with everything in it. `cli` flattens `row` into the object that `issue show` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueView {
    pub row: IssueRow,
    pub participants: Vec<ParticipantView>,
    pub links: Vec<LinkView>,
    /// The first is the opening mail.
    pub notes: Vec<NoteView>,
    /// The files of one mail may not be larger than this, in octets; `None` when nothing limits them.
    pub max_size: Option<u64>,
    /// The name that customers see as the sender.
    pub sender_name: String,
    pub default_note: super::DefaultNote,
    pub signature: Option<String>,
    /// Where the staff can forward further mail that belongs to it.
    #[serde(default)]
    pub address: Option<EmailAddress>,
    /// Seconds of work that are expected.
    #[serde(default)]
    pub estimate: Option<i64>,
    /// Seconds of work that were spent.
    #[serde(default)]
    pub spent: i64,
    /// The references that it had before it was moved; they still lead to it.
    #[serde(default)]
    pub moved_from: Vec<String>,
    /// The issue that its first notes were split out of.
    #[serde(default)]
    pub split_from: Option<String>,
    /// The issues that were made of notes of it.
    #[serde(default)]
    pub split_into: Vec<String>,
    /// When it was last opened again, by hand or by an answer.
    #[serde(default)]
    pub reopened_at: Option<Timestamp>,
    /// What the customer thought of how it was handled.
    #[serde(default)]
    pub rating: Option<super::Rating>,
    #[serde(default)]
    pub rated_at: Option<Timestamp>,
    /// When its people were told that it will be closed, because nobody answered.
    #[serde(default)]
    pub idle_warned_at: Option<Timestamp>,
}

impl IssueView {
    /// Gives it as JSON in which the fields of its row stand beside the others.
    pub fn json(&self) -> serde_json::Value {
        let mut json = serde_json::to_value(self).unwrap_or_default();
        let row = json.as_object_mut().and_then(|map| map.remove("row"));
        if let (Some(serde_json::Value::Object(row)), Some(map)) = (row, json.as_object_mut()) {
            for (name, value) in row {
                map.entry(name).or_insert(value);
            }
        }
        json
    }
}
