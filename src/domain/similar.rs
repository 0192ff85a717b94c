//! Similar issues, and what was answered then.

use super::{IssueRow, NoteId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An issue like another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimilarIssue {
    pub row: IssueRow,
    /// How much of what the other one is about it shares, in hundredths.
    pub share: u8,
    /// Words that both hold, the most telling first.
    pub words: Vec<String>,
    /// The first public note of the staff there.
    pub answer: Option<GivenAnswer>,
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAnswer {
    pub note: NoteId,
    pub by: String,
    pub at: Timestamp,
    pub text: String,
}
