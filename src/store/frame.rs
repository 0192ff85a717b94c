//! A frame as it stands in the journal, and the documents that follow from it.

use super::record::{Carried, Changed, Tree};
use super::segment::{Kind, Packed, RecordHeader};
use super::value::Value;
use super::{Commit, Frame, Put, Record, Store, StoreError};
use crate::domain::{Actor, Change, Deed, RawRef, RequestId, Seq, Verb};
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
    /// Where the document stands that is not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<RawRef>,
}

impl StoredFrame {
    /// Makes the frame of a commit, with the places of the documents that stand apart from it.
    pub fn new(commit: Commit, apart: impl IntoIterator<Item = (usize, RawRef)>, seq: Seq) -> Self {
        let Commit { at, actor, reason, request, deed, changes, puts, expectations: _, since: _ } = commit;
        let mut puts: Vec<StoredPut> = puts.into_iter().map(StoredPut::from).collect();
        for (place, raw) in apart {
            puts.get_mut(place).into_iter().for_each(|put| put.at = Some(raw));
        }
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
            documents.push(in_order(&self.changed(place, change.clone()))?);
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
        let document = put.document.map(serde_bytes::ByteBuf::from);
        Self { tree: put.tree as u8, key: put.key, document, at: None }
    }
}

impl StoredPut {
    /// Gives what is to stand under the key; nothing for what is taken away.
    pub fn value(&self) -> Option<Value<'_>> {
        let here = self.document.as_ref().map(|document| Value::Here(document));
        here.or_else(|| self.at.map(Value::There))
    }

    fn known(self) -> Option<Put> {
        let tree = Tree::from_number(self.tree)?;
        Some(Put { tree, key: self.key, document: self.document.map(serde_bytes::ByteBuf::into_vec) })
    }
}

impl StoredFrame {
    /// Gives the frame as followers see it; `read` reads what stands apart from it.
    pub fn whole(
        self,
        mut read: impl FnMut(&RawRef) -> Result<Vec<u8>, StoreError>,
    ) -> Result<Frame, StoreError> {
        let Self { seq, at, actor, reason, request, deed, changes, mut puts } = self;
        for put in &mut puts {
            if let Some(raw) = put.at {
                put.document = Some(read(&raw)?.into());
            }
        }
        let puts = puts.into_iter().filter_map(StoredPut::known).collect();
        Ok(Frame { seq, at, actor, reason, request, deed, changes, puts })
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

/// Encodes without the names of fields: half the size, of what there is most of.
fn in_order(changed: &Changed) -> Result<Keyed, StoreError> {
    let document = rmp_serde::to_vec(changed).map_err(|error| StoreError::Other(error.to_string()))?;
    Ok((full_key(Tree::History as u8, &changed.key()), document))
}
