//! What the staff keep for each other about an outside person: notes, and whether they are important.

use super::{EmailAddress, ProjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is kept about one person, whatever the issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub email: EmailAddress,
    /// Who marked them as important, and when.
    #[serde(default)]
    pub vip: Option<Marked>,
    /// In the order in which they were written. What vanishes with a person is found by this name.
    #[serde(default)]
    pub notes: Vec<AboutNote>,
    /// The last number that a note was given.
    #[serde(default)]
    pub last: u64,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marked {
    pub by: String,
    pub at: Timestamp,
}

/// A note on a person; nobody outside ever sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AboutNote {
    /// Counted from 1 for each person, and never given again.
    pub id: u64,
    pub by: String,
    pub at: Timestamp,
    /// What vanishes with a person is found by this name.
    pub text: String,
    #[serde(default)]
    pub edited: Option<Marked>,
    /// For whom it is: who works in one of these, in which its writer met the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
}

/// One change to what is kept about a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AboutEdit {
    Add(String),
    Rewrite { note: u64, text: String },
    Remove { note: u64 },
    Vip(bool),
}

/// What was kept about a person before a verb, and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AboutChange {
    pub before: Option<About>,
    pub after: Option<About>,
}

/// What is kept about a person, as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AboutView {
    pub email: EmailAddress,
    pub vip: bool,
    /// Who marked them, and when.
    pub marked: Option<Marked>,
    pub notes: Vec<AboutNote>,
    /// Nobody of this address takes part in an issue that the reader may see.
    #[serde(default)]
    pub unknown: bool,
}

impl About {
    /// Begins with nothing.
    pub fn new(email: EmailAddress) -> Self {
        Self { email, vip: None, notes: Vec::new(), last: 0 }
    }

    /// Tells whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.vip.is_none() && self.notes.is_empty()
    }

    /// Shows it, with the notes that somebody sees.
    pub fn view(self, sees: impl Fn(&AboutNote) -> bool) -> AboutView {
        let notes = self.notes.into_iter().filter(sees);
        let notes = notes.map(|note| AboutNote { projects: Vec::new(), ..note }).collect();
        let vip = self.vip.is_some();
        AboutView { email: self.email, vip, marked: self.vip, notes, unknown: false }
    }
}
