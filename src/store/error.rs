//! What the store answers when it did not do something.

use super::Seq;
use std::io;

/// Why the store did not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody wrote one of the expected keys meanwhile.
    #[error("the record was changed meanwhile")]
    Conflict,
    /// The request was carried out before; nothing was written now.
    #[error("this request was carried out before, as change {seq} of {user}")]
    Repeated { user: String, seq: Seq },
    /// Nothing was written, and nothing is lost.
    #[error("the disk is full ({0})")]
    Full(String),
    #[error("the data dir cannot be used ({0})")]
    Unwritable(String),
    /// Something that had been durable no longer reads as it was written.
    #[error("the journal is damaged in segment {segment:08} at octet {offset}")]
    Damaged { segment: u64, offset: u64 },
    #[error("segment {0:08} of the journal is missing")]
    MissingSegment(u64),
    #[error("the desk was written by a newer deskbell (schema {found}, this one knows {known})")]
    NewerSchema { found: u32, known: u32 },
    /// Another process has the trees open.
    #[error("the desk is open in another process")]
    Taken,
    /// The store was closed, or its writer stopped after a failure that it told before.
    #[error("the store is closed")]
    Closed,
    /// sled failed. The journal is not touched by that.
    #[error("the documents do not open or read: {0}")]
    Trees(String),
    #[error("{0}")]
    Other(String),
}

impl StoreError {
    /// Gives what helps, where something does.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Full(_) => Some("make room on the disk of the data dir; nothing that was accepted is lost"),
            Self::Unwritable(_) => Some(
                "the data dir and all in it must belong to you and be writable; `--data-dir` chooses another",
            ),
            Self::Damaged { .. } => Some(
                "`deskbell maintenance verify` lists all damage; put the segment back from a backup, or restore the backup",
            ),
            Self::MissingSegment(_) => {
                Some("put the file back into the `journal` folder from a backup, or restore the backup")
            }
            Self::NewerSchema { .. } => Some("install the newer deskbell; this one changed nothing"),
            Self::Trees(_) => Some("`deskbell maintenance rebuild` makes them anew from the journal"),
            Self::Taken => Some("end the other deskbell first, or attach to it"),
            _ => None,
        }
    }

    /// Says what failed, and tells a full disk from the rest.
    pub(super) fn io(what: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full(format!("{what}: {error}"))
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Unwritable(format!("{what}: {error}"))
            }
            _ => Self::Other(format!("{what}: {error}")),
        }
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        Self::Trees(error.to_string())
    }
}
