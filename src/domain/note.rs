//! Notes: what was said in an issue, by mail or by hand.

use super::{Author, ByRule, EmailAddress, IssueId, MessageId, NoteId, Seal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a note came from, and whether it is mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// A mail from outside.
    Incoming,
    /// Written by staff and mailed to the participants.
    Reply,
    /// Written by staff and never mailed.
    Internal,
    /// Written by the desk about a change.
    System,
}

/// Talk with somebody who does not take part in the issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aside {
    /// It carried notes to this person.
    ForwardedTo(EmailAddress),
    /// It came from a person to whom notes were forwarded.
    FromThirdParty,
}

/// Where raw bytes stand in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RawRef {
    pub segment: u64,
    /// Octets from the segment's beginning to the record.
    pub offset: u64,
    /// Octets of the record as it stands on disk.
    pub length: u32,
    /// Octets of the bytes themselves.
    pub size: u64,
    /// Octets from the beginning of what the record holds to them; one record may hold many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A file of a note. Its bytes are a part of the note's raw mail, or stand in the journal by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Safe to use as a file name: no path, no control or direction characters, at most 200 octets.
    pub name: String,
    #[serde(rename = "type")]
    pub media_type: String,
    /// Octets after decoding.
    pub size: u64,
    /// Whether the text shows it in place, as an image.
    pub inline: bool,
    /// Which part of the raw mail it is.
    pub part: Option<u32>,
    /// Which file inside that part, when the part is a container such as `winmail.dat`: the place of one for
    /// each level of containers, counted from 0. Empty when it is the part itself.
    #[serde(default)]
    pub within: Vec<u32>,
    /// Where its own bytes stand, when it was uploaded and not mailed.
    pub raw: Option<RawRef>,
}

/// One note of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub id: NoteId,
    pub issue: IssueId,
    pub kind: NoteKind,
    pub author: Author,
    /// The visible text.
    pub body: String,
    /// What was quoted, signed or cut; together with `body` it is the whole text.
    pub folded: Option<String>,
    /// Whether the text was rendered from HTML.
    pub html: bool,
    /// Whether that rendering lost something.
    #[serde(default)]
    pub reduced: bool,
    /// For a mail, when the server got it; never in the future.
    pub created_at: Timestamp,
    pub message_id: Option<MessageId>,
    pub in_reply_to: Option<MessageId>,
    /// Written by a machine: a vacation notice, a bounce.
    pub automatic: bool,
    /// What the mail's authentication said, in words.
    pub auth: Option<String>,
    /// Why it stands in this issue, in words.
    pub why: Option<String>,
    /// Things the reader should know before trusting it, such as a different Reply-To.
    #[serde(default)]
    pub warnings: Vec<String>,
    pub attachments: Vec<Attachment>,
    /// The mail itself, when it came or went as one.
    pub raw: Option<RawRef>,
    /// Further addressees of this one note.
    #[serde(default)]
    pub cc: Vec<EmailAddress>,
    /// Counts as read by everyone from the beginning, as mail of the first import does.
    #[serde(default)]
    pub read: bool,
    /// What its signature or encryption said.
    #[serde(default)]
    pub seal: Option<Seal>,
    /// The merged issues it came from, the first one first.
    #[serde(default)]
    pub came_from: Vec<IssueId>,
    /// Whether it is talk with a third party.
    #[serde(default)]
    pub aside: Option<Aside>,
    /// The rule that sent it, or that tells by it what it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_rule: Option<ByRule>,
}
