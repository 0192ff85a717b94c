//! Faults: what a front end is told when something could not be done.

use super::NoteId;
use serde::{Deserialize, Serialize};

/// What kind of thing went wrong, for programs; people read the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The words of the request are off.
    Usage,
    /// What was named does not exist.
    NotFound,
    /// The caller may not do this.
    NotAllowed,
    /// It cannot be done as things stand.
    Refused,
    /// Somebody wrote since the caller looked; the newer notes are named.
    Stale { newer: Vec<NoteId> },
    /// The disk is full, or nearly.
    Full,
    /// The desk cannot be reached.
    Unavailable,
    /// Something that should work did not.
    Internal,
}

/// Something that could not be done: what, and what helps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    pub kind: FaultKind,
    /// Lower case, no full stop.
    pub message: String,
    pub hint: Option<String>,
}

impl Fault {
    /// Makes a fault without a hint.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// Says what helps.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The words of the request are off.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Usage, message)
    }

    /// What was named does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(FaultKind::NotFound, message)
    }

    /// It cannot be done as things stand.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Refused, message)
    }

    /// Something that should work did not.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Internal, message)
    }
}
