//! Lists of senders: whose mail is let in, kept out, or shown to a person first.

use super::{IssueId, ProjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is done with the mail of a listed sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderRule {
    /// It is wanted, whatever anybody else says.
    Allow,
    /// It waits for a person.
    Quarantine,
    /// It is spam.
    Block,
}

impl SenderRule {
    /// Gives the word for it, as JSON has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Quarantine => "quarantine",
            Self::Block => "block",
        }
    }
}

/// One line of a list of senders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Whose list it stands on; `None` is that of the whole desk.
    pub project: Option<ProjectId>,
    /// An address, a domain, `*.example.com`, a pattern with `*` and `?`, `/a regular expression/`, or
    /// `header:Name=` with one of the last three behind it.
    pub pattern: String,
    pub rule: SenderRule,
    pub by: String,
    pub at: Timestamp,
    /// The issue that was called spam and so put it here.
    #[serde(default)]
    pub issue: Option<IssueId>,
}

/// A line of a list as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderView {
    /// `None` is the list of the whole desk.
    pub project: Option<String>,
    pub pattern: String,
    pub rule: SenderRule,
    pub by: String,
    pub at: Timestamp,
    /// The issue that was called spam and so put it here.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
}

/// What the lists say of one sender or mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderVerdict {
    /// Whose lists were looked at: a project's and the desk's, or the desk's alone.
    pub project: Option<String>,
    pub rule: Option<SenderRule>,
    /// The line that counts.
    pub line: Option<SenderView>,
}

/// A line that a verb wrote or took away: what stood there before it and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderChange {
    pub before: Option<Sender>,
    pub after: Option<Sender>,
}
