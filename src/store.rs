//! The journal, and the trees of documents derived from it.
//!
//! Owns the data dir and sled. Knows records by key and sequence, not what they mean.

pub mod record;

pub use record::{Key, Record, Tree};

use crate::domain::{Actor, Change, Deed, RawRef, RequestId, Seq};
use jiff::Timestamp;
use std::path::Path;

/// A record with the sequence that wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<R> {
    pub seq: Seq,
    pub record: R,
}

/// What must still be so for a commit to happen: the sequence that last wrote a key, `None` for absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    pub tree: Tree,
    pub key: Vec<u8>,
    pub written: Option<Seq>,
}

/// A document to write, or with `None` to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    pub tree: Tree,
    pub key: Vec<u8>,
    pub document: Option<Vec<u8>>,
}

/// One step of the desk: all of it happens, durably, or none.
#[derive(Clone, Debug)]
pub struct Commit {
    pub at: Timestamp,
    pub actor: Actor,
    pub reason: Option<String>,
    pub request: Option<RequestId>,
    /// What to list among the caller's verbs; needed when `request` is given.
    pub deed: Option<Deed>,
    pub changes: Vec<Change>,
    pub expectations: Vec<Expectation>,
    pub puts: Vec<Put>,
}

/// Why the store did not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody wrote one of the expected keys meanwhile.
    #[error("the record was changed meanwhile")]
    Conflict,
    #[error("the disk is full ({0})")]
    Full(String),
    #[error("{0}")]
    Other(String),
}

/// The order of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

/// The open store; a cheap clone.
#[derive(Clone, Debug)]
pub struct Store;

/// What opening a store brought.
#[derive(Debug)]
pub struct Opened {
    pub store: Store,
    /// What had to be mended, in words.
    pub notices: Vec<String>,
}

/// A frame as followers see it.
#[derive(Clone, Debug)]
pub struct Frame {
    pub seq: Seq,
    pub at: Timestamp,
    pub actor: Actor,
    pub changes: Vec<Change>,
    pub puts: Vec<Put>,
}

#[allow(clippy::todo, unused_variables, missing_docs)]
impl Store {
    pub async fn open(dir: &Path) -> Result<Opened, StoreError> {
        todo!()
    }
    pub async fn get<R: Record>(&self, key: &[u8]) -> Result<Option<Kept<R>>, StoreError> {
        todo!()
    }
    /// Lists records whose key begins with `prefix`, after (or before) `from` exclusively.
    pub async fn scan<R: Record>(
        &self,
        prefix: &[u8],
        from: Option<&[u8]>,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Kept<R>>, StoreError> {
        todo!()
    }
    pub async fn stash(&self, bytes: Vec<u8>) -> Result<RawRef, StoreError> {
        todo!()
    }
    pub async fn raw(&self, at: RawRef) -> Result<Vec<u8>, StoreError> {
        todo!()
    }
    pub async fn commit(&self, commit: Commit) -> Result<Seq, StoreError> {
        todo!()
    }
    pub async fn frames(&self, after: Seq, limit: usize) -> Result<Vec<Frame>, StoreError> {
        todo!()
    }
    pub fn last(&self) -> Seq {
        todo!()
    }
    pub async fn rebuild(&self) -> Result<u64, StoreError> {
        todo!()
    }
    pub async fn verify(&self) -> Result<Vec<String>, StoreError> {
        todo!()
    }
    pub async fn backup(&self, file: &Path) -> Result<u64, StoreError> {
        todo!()
    }
    pub fn free_space(&self) -> Option<u64> {
        todo!()
    }
    pub async fn close(self) -> Result<(), StoreError> {
        todo!()
    }
    pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>, StoreError> {
        todo!()
    }
    pub fn decode<R: Record>(document: &[u8]) -> Result<R, StoreError> {
        todo!()
    }
}
