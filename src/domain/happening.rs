//! What happens on a desk, for commands of the system that want to hear of it.

use super::{IssueId, NoteId};

/// Something that a hook is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening {
    pub kind: HappeningKind,
    pub issue: IssueId,
    pub note: Option<NoteId>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HappeningKind {
    NewIssue,
    Note,
    Close,
}

impl HappeningKind {
    /// Gives the word that the config has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::NewIssue => "new_issue",
            Self::Note => "note",
            Self::Close => "close",
        }
    }
}
