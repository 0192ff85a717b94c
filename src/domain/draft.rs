//! Drafts: what somebody is writing, saved as they type.

use super::{Attachment, IssueId, NoteId, ProjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a draft will become. A person may have one of each kind in one issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftKind {
    Reply,
    Internal,
    /// A new issue, before it has a number.
    Issue,
}

/// A text that was not sent yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub user: String,
    /// `None` for a new issue.
    pub issue: Option<IssueId>,
    pub project: Option<ProjectId>,
    pub kind: DraftKind,
    pub text: String,
    pub title: Option<String>,
    pub to: Option<String>,
    pub cc: Vec<String>,
    /// Paths of files to attach, as typed.
    pub files: Vec<String>,
    /// Files of a note that was taken back; the desk has them, so that nobody attaches them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Attachment>,
    /// The last note the writer had seen.
    pub seen: Option<NoteId>,
    pub saved_at: Timestamp,
}
