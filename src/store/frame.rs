//! A frame as it stands in the journal, and the documents that follow from it.

use super::record::{Carried, Changed, Tree};
use super::segment::{Kind, Packed, RecordHeader};
use super::{Commit, Frame, Put, Record, Store, StoreError};
use crate::domain::{Actor, Change, Deed, RequestId, Seq, Verb};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A place in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub segment: u64,
    pub offset: u64,
}

/// A frame as it stands in the journal. Self-describing: fields may be added, unknown ones are skipped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredFrame {
    pub seq: Seq,
    pub at: Timestamp,
    pub actor: Actor,
    pub reason: Option<String>,
    pub request: Option<RequestId>,
    pub deed: Option<Deed>,
    pub changes: Vec<Change>,
    pub puts: Vec<StoredPut>,
}

/// A document as a frame holds it; the tree is its number, so that one of a newer version passes through.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredPut {
    pub tree: u8,
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    pub document: Option<serde_bytes::ByteBuf>,
}

impl StoredFrame {
    /// Makes the frame of a commit.
    pub fn new(commit: Commit, seq: Seq) -> Self {
        let Commit { at, actor, reason, request, deed, changes, puts, expectations: _ } = commit;
        let puts = puts.into_iter().map(StoredPut::from).collect();
        Self { seq, at, actor, reason, request, deed, changes, puts }
    }

    pub fn pack(&self) -> Result<Packed, StoreError> {
        let octets = rmp_serde::to_vec_named(self).map_err(|error| StoreError::Other(error.to_string()))?;
        Packed::new(Kind::Frame, octets).map_err(|error| StoreError::io("cannot pack a frame", &error))
    }

    /// Reads a frame back, if it is the one that the header says.
    pub fn unpack(header: &RecordHeader, payload: Vec<u8>) -> Option<Self> {
        let frame: Self = rmp_serde::from_slice(&header.unpack(payload).ok()?).ok()?;
        (frame.seq == header.seq).then_some(frame)
    }

    /// Gives the documents that the store derives from the frame itself, with their keys.
    pub fn derived(&self) -> Result<Vec<Keyed>, StoreError> {
        let mut documents = Vec::new();
        if let Some(deed) = &self.deed {
            documents.push(keyed(&self.verb(deed.clone()))?);
        }
        for (place, change) in (0..).zip(&self.changes) {
            documents.push(keyed(&self.changed(place, change.clone()))?);
        }
        if let Some(request) = &self.request {
            let user = self.actor.user.clone();
            documents.push(keyed(&Carried { request: request.clone(), user, seq: self.seq })?);
        }
        Ok(documents)
    }

    fn verb(&self, deed: Deed) -> Verb {
        Verb {
            seq: self.seq,
            at: self.at,
            actor: self.actor.clone(),
            request: self.request.clone(),
            deed,
            changes: self.changes.clone(),
            undone_by: None,
        }
    }

    fn changed(&self, place: u32, change: Change) -> Changed {
        let (actor, reason) = (self.actor.clone(), self.reason.clone());
        Changed { seq: self.seq, place, at: self.at, actor, reason, change }
    }
}

impl From<Put> for StoredPut {
    fn from(put: Put) -> Self {
        Self { tree: put.tree as u8, key: put.key, document: put.document.map(serde_bytes::ByteBuf::from) }
    }
}

impl StoredPut {
    fn known(self) -> Option<Put> {
        let tree = Tree::from_number(self.tree)?;
        Some(Put { tree, key: self.key, document: self.document.map(serde_bytes::ByteBuf::into_vec) })
    }
}

impl From<StoredFrame> for Frame {
    fn from(stored: StoredFrame) -> Self {
        let StoredFrame { seq, at, actor, reason, request, deed, changes, puts } = stored;
        let puts = puts.into_iter().filter_map(StoredPut::known).collect();
        Self { seq, at, actor, reason, request, deed, changes, puts }
    }
}

/// Gives the key of a document among all trees.
pub(super) fn full_key(tree: u8, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(key.len() + 1);
    full.push(tree);
    full.extend_from_slice(key);
    full
}

/// A document with its full key.
pub(super) type Keyed = (Vec<u8>, Vec<u8>);

fn keyed<R: Record>(record: &R) -> Result<Keyed, StoreError> {
    Ok((full_key(R::TREE as u8, &record.key()), Store::encode(record)?))
}
