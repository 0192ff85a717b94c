//! What happens on a desk, for commands of the system that want to hear of it.

use super::{IssueId, NoteId};

/// Something that a hook is run for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    pub kind: HappeningKind,
    pub issue: IssueId,
    pub note: Option<NoteId>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HappeningKind {
    NewIssue,
    Note,
    Close,
    /// A rule asks for the hook of this name.
    Named(String),
}

impl HappeningKind {
    /// Gives the word that the config has for it.
    pub fn word(&self) -> String {
        match self {
            Self::NewIssue => "new_issue".to_owned(),
            Self::Note => "note".to_owned(),
            Self::Close => "close".to_owned(),
            Self::Named(name) => format!("named.{name}"),
        }
    }
}
