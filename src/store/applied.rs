//! How far the trees are applied, and a digest of all they hold; written with the last batch of each frame.
//!
//! sled 0.34 may open damaged files and give other documents than were written. The digest tells: it is a sum
//! over all documents, so each write changes it by what goes and what comes.

use super::StoreError;
use crate::domain::Seq;

/// Where it stands; no tree has the number 0.
pub(super) const APPLIED: [u8; 1] = [0];

/// What stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Applied {
    pub seq: Seq,
    pub digest: Digest,
}

/// A sum over documents, whatever their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest(u128);

impl Digest {
    /// Adds what stands under a key.
    pub fn add(&mut self, key: &[u8], stored: &[u8]) {
        self.0 = self.0.wrapping_add(hash(key, stored));
    }

    /// Takes away what stood under a key.
    pub fn remove(&mut self, key: &[u8], stored: &[u8]) {
        self.0 = self.0.wrapping_sub(hash(key, stored));
    }
}

impl Applied {
    /// Reads it from trees.
    pub fn read(db: &sled::Db) -> Result<Self, StoreError> {
        match db.get(APPLIED)? {
            Some(octets) => Self::decode(&octets).ok_or_else(unknown),
            None if db.is_empty() => Ok(Self::default()),
            None => Err(unknown()),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut octets = self.seq.0.to_be_bytes().to_vec();
        octets.extend_from_slice(&self.digest.0.to_be_bytes());
        octets.extend_from_slice(&crc32fast::hash(&octets).to_be_bytes());
        octets
    }

    fn decode(octets: &[u8]) -> Option<Self> {
        let (content, crc) = octets.split_last_chunk::<4>()?;
        let (seq, digest) = content.split_first_chunk::<8>()?;
        let digest = Digest(u128::from_be_bytes(digest.try_into().ok()?));
        let whole = crc32fast::hash(content).to_be_bytes() == *crc;
        whole.then_some(Self { seq: Seq(u64::from_be_bytes(*seq)), digest })
    }
}

fn hash(key: &[u8], stored: &[u8]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(stored);
    let mut half = [0; 16];
    hasher.finalize_xof().fill(&mut half);
    u128::from_le_bytes(half)
}

fn unknown() -> StoreError {
    StoreError::Trees("they do not say how far they go".into())
}
