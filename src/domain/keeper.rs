//! Whose a thing is that people keep for their work: one person's, a project's, the desk's.

use super::ProjectId;
use serde::{Deserialize, Serialize};

/// Whose a thing is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeper {
    User(String),
    Project(ProjectId),
    Desk,
}

/// Whose is meant, as one asks for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptFor {
    Mine,
    Project(String),
    Desk,
}

impl KeptFor {
    /// Says whose it is, in a word.
    pub fn word(&self) -> &str {
        match self {
            Self::Mine => "mine",
            Self::Project(path) => path,
            Self::Desk => "the desk's",
        }
    }
}
