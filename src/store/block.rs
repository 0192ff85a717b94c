//! Blocks: many small things are packed together, since they compress far better so.

use super::record::Tree;
use super::refs::raws_of;
use super::segment::{Kind, Packed, compressor};
use super::{Commit, Put, StoreError};
use crate::domain::RawRef;

/// Octets of raw bytes that are packed together; a mail is rarely read, and then alone.
const RAWS: usize = 128 << 10;
/// Octets of documents that are packed together; a thread may have each of its notes in another block.
const DOCUMENTS: usize = 16 << 10;
/// A smaller document stands in the frame itself.
const APART: usize = 256;

/// One record's worth of things, packed, and where each of them begins and how long it is.
#[derive(Debug)]
pub(super) struct Block {
    pub packed: Packed,
    pub parts: Vec<(u64, u64)>,
}

/// Packs raw bytes in their order.
pub(super) fn raws<T: AsRef<Vec<u8>>>(all: &[T]) -> Result<Vec<Block>, StoreError> {
    blocks(all.iter().map(|bytes| bytes.as_ref().as_slice()), RAWS)
}

/// Packs things in their order, so many octets together; a larger one stands alone.
fn blocks<'a>(things: impl Iterator<Item = &'a [u8]>, most: usize) -> Result<Vec<Block>, StoreError> {
    let cannot = |error| StoreError::io("cannot pack raw bytes", &error);
    let mut compressor = compressor().map_err(cannot)?;
    let mut pack = |content, parts| {
        let packed = Packed::by(&mut compressor, Kind::Raw, content).map_err(cannot)?;
        Ok::<_, StoreError>(Block { packed, parts })
    };
    let mut blocks = Vec::new();
    let mut content: Vec<u8> = Vec::new();
    let mut parts = Vec::new();
    for thing in things {
        if !parts.is_empty() && content.len() + thing.len() > most {
            blocks.push(pack(std::mem::take(&mut content), std::mem::take(&mut parts))?);
        }
        parts.push((content.len() as u64, thing.len() as u64));
        content.extend_from_slice(thing);
    }
    if !parts.is_empty() {
        blocks.push(pack(content, parts)?);
    }
    Ok(blocks)
}

/// A commit with its large documents packed apart from it.
#[derive(Debug)]
pub(super) struct Ready {
    pub commit: Commit,
    /// The documents taken out of `commit`, in the order of `apart`.
    pub blocks: Vec<Block>,
    /// The places in its puts.
    pub apart: Vec<usize>,
    /// The raw bytes that its documents name.
    pub named: Vec<RawRef>,
    /// Octets of all documents.
    pub octets: usize,
}

impl Ready {
    pub fn new(mut commit: Commit) -> Result<Self, StoreError> {
        let documents = || commit.puts.iter().filter_map(|put| put.document.as_deref());
        let octets = documents().map(<[u8]>::len).sum();
        let named = documents().flat_map(raws_of).collect();
        let (mut apart, mut large) = (Vec::new(), Vec::new());
        for (place, put) in commit.puts.iter_mut().enumerate().filter(|(_, put)| stands_apart(put)) {
            apart.push(place);
            large.extend(put.document.take());
        }
        let blocks = blocks(large.iter().map(Vec::as_slice), DOCUMENTS)?;
        Ok(Self { commit, blocks, apart, named, octets })
    }
}

/// Tells whether a document stands beside its frame: one that is large and seldom read or changed, so that
/// the trees need not hold it.
fn stands_apart(put: &Put) -> bool {
    matches!(put.tree, Tree::Notes | Tree::Intake)
        && put.document.as_ref().is_some_and(|document| document.len() >= APART)
}
