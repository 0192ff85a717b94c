//! Presence: who looks at an issue now, and who writes in it. Held by the process that serves, never kept.

use super::{NoteId, Reference};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Whoever was not heard of for so long counts as gone.
const SILENCE: SignedDuration = SignedDuration::from_mins(15);

/// Where somebody is, as their front end says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attend {
    /// The connection it came by. The server says which; what a front end says of it does not count.
    #[serde(skip)]
    pub seat: u64,
    /// The issue in front; none where there is none.
    pub reference: Option<Reference>,
    #[serde(default)]
    pub writing: Writing,
    /// Whether they go along with somebody else.
    #[serde(default)]
    pub following: bool,
    /// The note that is read, told only while somebody goes along with somebody.
    #[serde(default)]
    pub note: Option<NoteId>,
}

/// What somebody writes in an issue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writing {
    #[default]
    Nothing,
    Comment,
    Reply,
}

/// Somebody at an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    pub user: String,
    #[serde(rename = "ref")]
    pub reference: String,
    pub writing: Writing,
    /// Whether they go along with somebody else.
    #[serde(default)]
    pub following: bool,
    /// Since when they are there.
    pub since: Timestamp,
    /// When they were last heard of.
    pub seen: Timestamp,
    /// The note they read, where they told.
    #[serde(default)]
    pub note: Option<NoteId>,
}

impl Present {
    /// Tells whether they still count as there.
    pub fn is_there(&self, now: Timestamp) -> bool {
        presence_holds(self.seen, now)
    }

    /// Says what they do, as in "ada is writing a reply".
    pub fn words(&self) -> String {
        let does = match self.writing {
            Writing::Nothing => "is reading",
            Writing::Comment => "is writing a comment",
            Writing::Reply => "is writing a reply",
        };
        format!("{} {does}", self.user)
    }
}

/// Tells whether who was heard of then still counts as there.
pub fn presence_holds(seen: Timestamp, now: Timestamp) -> bool {
    now.duration_since(seen) < SILENCE
}
