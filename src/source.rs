//! Where mail comes from: IMAP, Microsoft Graph, Maildir, files.
//!
//! Owns the reading side of every mail store: bytes, UIDs, names and what is done with a mail once the
//! desk holds it. Knows nothing of issues, and decides nothing about a mail.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

pub mod archive;
pub mod files;
mod graph;
mod imap;
mod maildir;
mod probe;

pub use crate::graph::{Listed as GraphListed, Whole as GraphMail};
pub use graph::GraphSource;
pub use imap::{ImapSource, Listing, Selected, Wake};
pub use maildir::{MailFile, MaildirSource, MaildirWatch};
pub use probe::{Step, probe};

use crate::{
    config::SecretError,
    tls::{self, ConnectError},
};
use std::{fmt, time::Duration};

/// How far a source came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Resolve,
    Connect,
    Tls,
    Greeting,
    /// Getting the password or token, before the server was asked.
    Secret,
    /// Whoever gives out tokens cannot be reached.
    Token,
    Login,
    Select,
    Command,
    /// The server said something that cannot be read; with one mail alone in a fetch, that mail is why.
    Answer,
    /// The server fell silent, at whatever stage.
    Timeout,
    /// A file or folder of this machine.
    Files,
    /// The server is busy, or out of order.
    Busy,
    /// The mailbox is of another kind.
    Unsupported,
}

/// A source that could not be read; the connection is gone and the next try needs a new one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    pub stage: Stage,
    /// Lower case, no full stop.
    pub message: String,
    pub hint: Option<String>,
    /// How long the server wants to be left alone.
    pub after: Option<Duration>,
}

impl SourceError {
    fn new(stage: Stage, message: impl Into<String>) -> Self {
        Self { stage, message: message.into(), hint: None, after: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Tells whether the login is what failed, so that a quick retry only locks the account.
    pub fn is_auth(&self) -> bool {
        matches!(self.stage, Stage::Login | Stage::Secret)
    }

    /// Tells whether it may be the fault of the one mail that was asked for, so that others may come.
    pub fn is_about_one(&self) -> bool {
        matches!(self.stage, Stage::Answer | Stage::Command | Stage::Connect | Stage::Timeout)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "DNS",
            Self::Connect => "connection",
            Self::Tls => "TLS",
            Self::Greeting => "greeting",
            Self::Secret => "password",
            Self::Token => "token",
            Self::Login => "login",
            Self::Select => "folder",
            Self::Command => "command",
            Self::Answer => "answer",
            Self::Timeout => "timeout",
            Self::Files => "files",
            Self::Busy => "patience",
            Self::Unsupported => "method",
        })
    }
}

impl From<ConnectError> for SourceError {
    fn from(error: ConnectError) -> Self {
        let stage = match error.stage {
            tls::Stage::Resolve => Stage::Resolve,
            tls::Stage::Connect => Stage::Connect,
            tls::Stage::Tls => Stage::Tls,
        };
        Self { stage, message: error.message, hint: error.hint, after: None }
    }
}

impl From<SecretError> for SourceError {
    fn from(error: SecretError) -> Self {
        let stage = if error.passing { Stage::Token } else { Stage::Secret };
        Self { stage, message: error.message, hint: Some(error.hint), after: None }
    }
}
