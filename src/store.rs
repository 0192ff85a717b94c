//! The journal, and the trees of documents derived from it.
//!
//! Owns the data dir and sled. Knows records by key and sequence, not what they mean.
//!
//! ```text
//! journal/00000001.seg …   the desk itself: raw bytes and frames, appended, synced, never rewritten
//! trees/                   the documents by key, in sled; derived, and thrown away when in doubt
//! rewrite                  what is to vanish, while that is being done (`rewriting`)
//! aside/                   what was cut off or replaced, kept for people to look at
//! state                    how the store was left
//! ```
//!
//! A commit goes through one writer thread (`writer`): it is checked, appended to the journal (`journal`),
//! synced together with all that wait, applied to the trees (`trees`), and answered. Opening (`opening`)
//! mends whatever a kill, a loss of power or a damaged file left behind, or says what it cannot mend.

#![deny(clippy::indexing_slicing, clippy::string_slice)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::string_slice))]

mod applied;
mod backup;
mod block;
mod disk;
mod error;
mod files;
mod frame;
mod fresh;
mod held;
mod journal;
mod opening;
mod pending;
pub mod record;
mod recovery;
mod refs;
mod rewriting;
mod scan;
mod scrub;
mod segment;
mod shelf;
mod spool;
mod state;
#[cfg(test)]
mod tests;
mod trees;
mod value;
mod verify;
mod writer;

pub use error::StoreError;
pub use record::{Key, Record, Tree};
pub use scrub::{Scrub, Site, site};
pub use spool::{Span, Spool};

use crate::domain::{Actor, Change, Deed, RawRef, RequestId, Seq};
use jiff::Timestamp;
use shelf::Reading;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use value::Value;

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
    /// The last frame when the first of them was read: while it still is the last, all of them hold.
    pub since: Option<Seq>,
    pub puts: Vec<Put>,
}

/// A scan of at most so many documents is read like a single one.
const SHORT: usize = 16;

/// The order of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

/// The open store; a cheap clone. It is closed with its last clone at the latest.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
    orders: mpsc::Sender<writer::Order>,
    trees: Arc<trees::Trees>,
    shelf: Arc<shelf::Shelf>,
    last: watch::Receiver<Seq>,
}

/// What opening a store brought.
#[derive(Debug)]
pub struct Opened {
    pub store: Store,
    /// What had to be mended, in words.
    pub notices: Vec<String>,
}

/// What can be chosen when opening a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Octets after which a new segment begins.
    pub segment_size: u64,
    /// Octets that must stay free on the disk; 0 turns the check off.
    pub reserve: u64,
    faults: disk::Faults,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_size: 64 << 20, reserve: 16 << 20, faults: disk::Faults::default() }
    }
}

/// A frame as followers see it.
#[derive(Clone, Debug)]
pub struct Frame {
    pub seq: Seq,
    pub at: Timestamp,
    pub actor: Actor,
    pub reason: Option<String>,
    pub request: Option<RequestId>,
    pub deed: Option<Deed>,
    pub changes: Vec<Change>,
    pub puts: Vec<Put>,
}

impl Store {
    /// Opens the desk in a data dir, or makes an empty one there.
    ///
    /// # Errors
    /// Damage before the greatest durable place, a missing segment, a newer schema, another opener.
    pub async fn open(dir: &Path) -> Result<Opened, StoreError> {
        Self::open_with(dir, Options::default()).await
    }

    /// Opens with other options than the default.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(dir: &Path, options: Options) -> Result<Opened, StoreError> {
        let dir = dir.to_owned();
        blocking(move || opening::open(&dir, &options)).await
    }

    /// Gives the record under a key.
    pub async fn get<R: Record>(&self, key: &[u8]) -> Result<Option<Kept<R>>, StoreError> {
        let key = frame::full_key(R::TREE as u8, key);
        let stored = self.read(false, move |trees| trees.get(&key)).await?;
        stored.map(|stored| kept(&stored, &mut Reading::new(&self.shelf))).transpose()
    }

    /// Lists records whose key begins with `prefix`, after (or before) the key `from` exclusively.
    pub async fn scan<R: Record>(
        &self,
        prefix: &[u8],
        from: Option<&[u8]>,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Kept<R>>, StoreError> {
        let prefix = frame::full_key(R::TREE as u8, prefix);
        let from = from.map(|from| frame::full_key(R::TREE as u8, from));
        let scan = move |trees: &trees::Trees, limit| trees.scan(&prefix, from.as_deref(), limit, direction);
        let near = scan.clone();
        let found = self.read(false, move |trees| near(trees, limit.min(SHORT))).await?;
        let shelf = Arc::clone(&self.shelf);
        let decode = move |found: Vec<Vec<u8>>| {
            let mut reading = Reading::new(&shelf);
            found.iter().map(|stored| kept(stored, &mut reading)).collect()
        };
        // Most lists are short, and a thread of their own would take longer than they do. Of a long one what was
        // found is read again, because all of it shows one moment.
        if found.len() < SHORT || limit <= SHORT {
            return decode(found);
        }
        let found = self.read(true, move |trees| scan(trees, limit)).await?;
        blocking(move || decode(found)).await
    }

    /// Puts raw bytes into the journal. The next commit makes them durable; without one they may be lost.
    pub async fn stash(&self, bytes: impl Into<Arc<Vec<u8>>>) -> Result<RawRef, StoreError> {
        let places = self.stash_all(vec![bytes.into()]).await?;
        places.first().copied().ok_or_else(|| StoreError::Other("raw bytes found no place".into()))
    }

    /// Puts many into the journal, where they take less room than one by one; gives their places in order.
    pub async fn stash_all(&self, all: Vec<Arc<Vec<u8>>>) -> Result<Vec<RawRef>, StoreError> {
        let blocks = blocking(move || block::raws(&all)).await?;
        self.order(|answer| writer::Order::Stash(blocks, answer)).await
    }

    /// Reads raw bytes back.
    pub async fn raw(&self, at: RawRef) -> Result<Vec<u8>, StoreError> {
        let shelf = Arc::clone(&self.shelf);
        blocking(move || shelf.raw(&at)).await
    }

    /// Commits: when this returns, all of it survives a loss of power and every reader sees it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] and [`StoreError::Repeated`] wrote nothing; nor did [`StoreError::Full`].
    pub async fn commit(&self, commit: Commit) -> Result<Seq, StoreError> {
        let large = commit.puts.len() > SHORT;
        let ready = || block::Ready::new(commit).map(Box::new);
        let ready = if large { blocking(ready).await } else { ready() }?;
        self.order(|answer| writer::Order::Commit(ready, answer)).await
    }

    /// Gives at most `limit` frames behind `after`, in order.
    pub async fn frames(&self, after: Seq, limit: usize) -> Result<Vec<Frame>, StoreError> {
        let (shelf, last) = (Arc::clone(&self.shelf), self.last());
        if after >= last {
            return Ok(Vec::new());
        }
        blocking(move || shelf.frames(after, last, limit)).await
    }

    /// Gives the last sequence that readers see.
    pub fn last(&self) -> Seq {
        *self.last.borrow()
    }

    /// Tells followers of each new last sequence.
    pub fn subscribe(&self) -> watch::Receiver<Seq> {
        self.last.clone()
    }

    /// Makes the trees anew from the journal; gives how many frames. Commits wait, readers go on.
    pub async fn rebuild(&self) -> Result<u64, StoreError> {
        self.order(|answer| writer::Order::Rebuild(None, answer)).await
    }

    /// Makes something vanish from the journal, which is written anew, and from the trees.
    ///
    /// It is promised before it begins: stopped at any moment, it is finished by the next [`Store::open`]. What
    /// others derived from the journal still holds it, so the promise stands until [`Store::fulfil`].
    ///
    /// # Errors
    /// Without room for another journal nothing happens.
    pub async fn rewrite(&self, scrub: Scrub, spool: Option<Spool>) -> Result<(), StoreError> {
        self.order(|answer| writer::Order::Rewrite(Box::new(scrub), spool, answer)).await
    }

    /// Begins to gather what takes the place of raw bytes, on disk.
    pub fn spool(&self) -> Result<Spool, StoreError> {
        Spool::new(&self.dir)
    }

    /// Gives what is to vanish from everything that others derived, if that was not done yet.
    pub fn promised(&self) -> Result<Option<Scrub>, StoreError> {
        rewriting::intent(&self.dir)
    }

    /// Lists all raw bytes that a document of today names.
    pub async fn live_raws(&self) -> Result<Vec<RawRef>, StoreError> {
        let (shelf, trees) = (Arc::clone(&self.shelf), Arc::clone(&self.trees));
        blocking(move || rewriting::live(&shelf, &trees).map(|raws| raws.into_iter().collect())).await
    }

    /// Says that nothing is left of what was to vanish.
    pub fn fulfil(&self) -> Result<(), StoreError> {
        rewriting::fulfil(&self.dir)
    }

    /// Counts the octets of a folder of the data dir, such as `journal`.
    pub fn octets(&self, folder: &str) -> u64 {
        files::octets(&self.dir.join(folder))
    }

    /// Gives the data dir.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Checks everything against the journal, and says in words what is wrong; changes nothing.
    pub async fn verify(&self) -> Result<Vec<String>, StoreError> {
        let (dir, shelf, trees) = (self.dir.clone(), Arc::clone(&self.shelf), Arc::clone(&self.trees));
        blocking(move || verify::verify(&dir, &shelf, &trees)).await
    }

    /// Checks the journal of a data dir whose store does not open; changes nothing.
    pub async fn examine(dir: &Path) -> Result<Vec<String>, StoreError> {
        let dir = dir.to_owned();
        blocking(move || recovery::examine(&dir)).await
    }

    /// Writes the desk as it is durable now into one file, while work goes on; gives its octets.
    pub async fn backup(&self, file: &Path) -> Result<u64, StoreError> {
        let ends = self.order(writer::Order::Ends).await?;
        let (shelf, file) = (Arc::clone(&self.shelf), file.to_owned());
        blocking(move || backup::backup(&shelf, &ends, &file)).await
    }

    /// Makes a desk of a backup in a data dir that holds none; gives the octets read.
    pub async fn restore(file: &Path, dir: &Path) -> Result<u64, StoreError> {
        let (file, dir) = (file.to_owned(), dir.to_owned());
        blocking(move || backup::restore(&file, &dir)).await
    }

    /// Gives the octets that may still be written to the data dir's disk.
    pub fn free_space(&self) -> Option<u64> {
        files::free_space(&self.dir)
    }

    /// Closes the store for all its clones, and notes that it was left cleanly.
    pub async fn close(self) -> Result<(), StoreError> {
        self.close_with(None).await
    }

    /// Closes the store as [`Store::close`] does, and leaves word for [`Store::farewell`].
    pub async fn close_with(self, farewell: Option<String>) -> Result<(), StoreError> {
        self.order(|answer| writer::Order::Close(farewell, answer)).await
    }

    /// Gives what was said when the store in a data dir was closed; nothing if it was opened since.
    pub fn farewell(dir: &Path) -> Option<String> {
        state::State::read(dir).farewell(&dir.join("trees")).map(str::to_owned)
    }

    /// Writes a record as a document: MessagePack with the names of the fields.
    pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>, StoreError> {
        rmp_serde::to_vec_named(record).map_err(|error| StoreError::Other(error.to_string()))
    }

    /// Reads a document; fields that are not known are skipped.
    pub fn decode<R: Record>(document: &[u8]) -> Result<R, StoreError> {
        rmp_serde::from_slice(document)
            .map_err(|error| StoreError::Other(format!("a document of {:?} does not read: {error}", R::TREE)))
    }

    /// Reads from the trees. Where sled fails they are made anew, and the reading is tried once more.
    ///
    /// A document is read where it is asked for: handing the question to another thread costs many times
    /// what the answer does. A scan, which may be long, waits where waiting hinders nobody.
    async fn read<T: Send + 'static>(
        &self,
        long: bool,
        work: impl Fn(&trees::Trees) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T, StoreError> {
        let generation = self.trees.generation();
        let once = async || {
            if !long {
                return work(&self.trees);
            }
            let (trees, work) = (Arc::clone(&self.trees), work.clone());
            blocking(move || work(&trees)).await
        };
        match once().await {
            Err(error @ (StoreError::Trees(_) | StoreError::Closed)) => {
                tracing::warn!(%error, "reading the documents failed; making them anew");
                self.order(|answer| writer::Order::Rebuild(Some(generation), answer)).await?;
                once().await
            }
            done => done,
        }
    }

    async fn order<T>(
        &self,
        order: impl FnOnce(writer::Answer<T>) -> writer::Order,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(order(answer)).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

fn kept<R: Record>(stored: &[u8], reading: &mut Reading<'_>) -> Result<Kept<R>, StoreError> {
    let (seq, value) =
        Value::split(stored).ok_or_else(|| StoreError::Other("a stored document is cut short".into()))?;
    let record = match value {
        Value::Here(document) => Store::decode(document)?,
        Value::There(raw) => Store::decode(&reading.raw(&raw)?)?,
    };
    Ok(Kept { seq, record })
}

/// Runs what waits for the disk where waiting hinders nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(StoreError::Other(format!("the store gave up: {error}"))))
}
