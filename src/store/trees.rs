//! The documents by key, in sled; derived from the journal and owner of nothing.

use super::applied::{APPLIED, Applied, Digest};
use super::fresh::{Fresh, merged};
use super::held::{pack, unpack};
use super::pending::Pending;
use super::segment::compressor;
use super::shelf::Shelf;
use super::{Direction, StoreError, files};
use crate::domain::Seq;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use zstd::bulk::Compressor;

/// A larger batch costs sled gigabytes.
const BATCH: usize = 500;
const CACHE: u64 = 16 << 20;
/// What is not flushed at a kill is applied again from the journal. sled writes full buffers by itself, so that is
/// little; a flush of nothing would wake the machine and its disk all the same.
const FLUSH_EVERY_MS: u64 = 15_000;
/// A long catching up is told of at each of so many frames.
const TELL_EVERY: u64 = 10_000;

/// What is written by full key; nothing for a document taken away.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;
type Write<'w> = (&'w Vec<u8>, &'w Option<Vec<u8>>);

/// The open trees, or none while they are being exchanged.
pub(super) struct Trees {
    pub dir: PathBuf,
    db: RwLock<Option<sled::Db>>,
    /// Locked after `db`, where both are.
    fresh: RwLock<Fresh>,
    /// Held while sled is written to, or must not be.
    draining: Mutex<()>,
    generation: AtomicU64,
}

/// How opening went wrong.
pub(super) enum Unopened {
    /// Another process has them.
    Taken,
    /// The disk or its rights are the matter, not the trees.
    Disk(io::Error),
    /// Said in words.
    Broken(String),
}

impl Trees {
    /// Opens the trees, or makes empty ones. sled may panic on damaged files; that is caught.
    pub fn open(dir: &Path) -> Result<Self, Unopened> {
        files::make_folder(dir).map_err(Unopened::from)?;
        let db = guarded(|| Ok(patiently(dir))).map_err(|error| Unopened::Broken(error.to_string()))??;
        Ok(Self {
            dir: dir.to_owned(),
            db: RwLock::new(Some(db)),
            fresh: RwLock::default(),
            draining: Mutex::default(),
            generation: AtomicU64::new(0),
        })
    }

    /// Gives how often they were exchanged.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Gives the last applied sequence; an error when what stands there is none.
    pub fn applied(&self) -> Result<Seq, StoreError> {
        let reading = self.read();
        let db = db(&reading)?;
        match self.fresh().last() {
            Some(last) => Ok(last),
            None => guarded(|| Ok(Applied::read(db)?.seq)),
        }
    }

    /// Reads every document, and checks them all against the digest.
    pub fn check(&self) -> Result<(), StoreError> {
        let mut digest = Digest::default();
        let mut wanted = Digest::default();
        self.each_held(
            |applied| {
                wanted = applied.digest;
                Ok(())
            },
            |key, held| {
                digest.add(key, held);
                Ok(())
            },
        )?;
        if digest == wanted { Ok(()) } else { Err(StoreError::Trees("they are not what was written".into())) }
    }

    /// Gives what stands under a full key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let reading = self.read();
        let db = db(&reading)?;
        if let Some(written) = self.fresh().get(key) {
            return Ok(written);
        }
        guarded(|| db.get(key)?.map(|held| unpack(&held)).transpose())
    }

    /// Lists what stands under full keys that begin with `prefix`, exclusively from `from`.
    pub fn scan(
        &self,
        prefix: &[u8],
        from: Option<&[u8]>,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let reading = self.read();
        let db = db(&reading)?;
        let behind = behind(prefix);
        let mut low = Bound::Included(prefix.to_vec());
        let mut high = behind.map_or(Bound::Unbounded, Bound::Excluded);
        match (from, direction) {
            (Some(from), Direction::Up) if from >= prefix => low = Bound::Excluded(from.to_vec()),
            (Some(from), Direction::Down) if from < prefix => return Ok(Vec::new()),
            (Some(from), Direction::Down) if from.starts_with(prefix) => {
                high = Bound::Excluded(from.to_vec())
            }
            _ => {}
        }
        if crossed(&low, &high) {
            return Ok(Vec::new());
        }
        let entry = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, held) = entry?;
            Ok((key.to_vec(), unpack(&held)?))
        };
        // Held to the end, so that nothing moves from the one to the other meanwhile.
        let held_back = self.fresh();
        let fresh = held_back.range((low.clone(), high.clone()), direction);
        guarded(|| {
            let range = db.range((low, high));
            match direction {
                Direction::Up => merged(range.map(entry), fresh, direction).take(limit).collect(),
                Direction::Down => merged(range.rev().map(entry), fresh, direction).take(limit).collect(),
            }
        })
    }

    /// Writes it all, and last of all how far the journal is applied. Readers see all of it or nothing.
    pub fn apply(&self, writes: Writes, last: Seq) -> Result<(), StoreError> {
        self.hold(writes, last);
        self.relieve()
    }

    /// Shows readers all of it, and holds it back from sled.
    pub fn hold(&self, writes: Writes, last: Seq) {
        self.freshen().add(writes, last);
    }

    /// Tells whether much is held back.
    pub fn is_full(&self) -> bool {
        self.fresh().is_full()
    }

    /// Marks off what the next [`Trees::drain`] hands to sled, so that more can be held back meanwhile.
    pub fn seal(&self) {
        self.freshen().next();
    }

    /// Hands what is held back to sled once that is much.
    pub fn relieve(&self) -> Result<(), StoreError> {
        if self.is_full() { self.drain() } else { Ok(()) }
    }

    /// Hands what was marked off to sled, or else everything that is held back now. Readers see it here until it is
    /// there.
    pub fn drain(&self) -> Result<(), StoreError> {
        let reading = self.read();
        let db = db(&reading)?;
        let _alone = self.alone();
        self.hand_over(db).map(drop)
    }

    /// Keeps all others from handing anything to sled.
    fn alone(&self) -> MutexGuard<'_, ()> {
        self.draining.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drain_alone(&self, db: &sled::Db) -> Result<(), StoreError> {
        while self.hand_over(db)? {}
        Ok(())
    }

    /// Hands the next layer to sled; tells whether there was one.
    fn hand_over(&self, db: &sled::Db) -> Result<bool, StoreError> {
        let Some(layer) = self.freshen().next() else { return Ok(false) };
        let writes: Vec<Write<'_>> = layer.writes.iter().collect();
        let mut compressor = compressor().map_err(cannot_pack)?;
        guarded(|| {
            let mut parts = writes.chunks(BATCH - 1);
            // A layer of empty frames is one write all the same: how far the trees go.
            let mut part = parts.next().unwrap_or_default();
            loop {
                let rest = parts.next();
                write(db, &mut compressor, part, layer.last.filter(|_| rest.is_none()))?;
                let Some(next) = rest else { return Ok(()) };
                part = next;
            }
        })?;
        self.freshen().gone();
        Ok(true)
    }

    fn freshen(&self) -> RwLockWriteGuard<'_, Fresh> {
        self.fresh.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self) -> RwLockReadGuard<'_, Fresh> {
        self.fresh.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies all frames of the journal that are not applied yet; gives how many.
    pub fn catch_up(&self, shelf: &Shelf, last: Seq) -> Result<u64, StoreError> {
        let from = self.applied()?;
        if from >= last {
            return Ok(0);
        }
        let mut pending = Pending::new(self);
        let mut reached = from;
        let mut told = from;
        shelf.each_frame(from, |_, frame| {
            if frame.seq > last {
                return Ok(false);
            }
            reached = frame.seq;
            pending.add(pending.effects(&frame)?);
            if pending.writes.len() >= BATCH - 1 {
                self.apply(pending.take(), reached)?;
            }
            if reached.0 - told.0 >= TELL_EVERY {
                told = reached;
                tracing::info!(frame = reached.0, of = last.0, "applying the journal");
            }
            Ok(true)
        })?;
        if reached > from {
            self.apply(pending.take(), reached)?;
        }
        Ok(reached.0 - from.0)
    }

    /// Hands over how far the trees go and then every document with its full key. What is held back from
    /// sled is handed to it first, and nothing more until the end; readers see what is written meanwhile.
    pub fn each_at_rest(
        &self,
        begin: impl FnOnce(Applied) -> Result<(), StoreError>,
        mut hand: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each_held(begin, |key, held| hand(key, &unpack(held)?))
    }

    /// Does as [`Trees::each_at_rest`], with each document as sled holds it.
    fn each_held(
        &self,
        begin: impl FnOnce(Applied) -> Result<(), StoreError>,
        mut hand: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let reading = self.read();
        let db = db(&reading)?;
        let _alone = self.alone();
        self.drain_alone(db)?;
        guarded(|| {
            begin(Applied::read(db)?)?;
            for entry in db.range(vec![1_u8]..) {
                let (key, value) = entry?;
                hand(&key, &value)?;
            }
            Ok(())
        })
    }

    /// Writes every document once and in the order of keys to trees that are empty: where versions followed
    /// each other, sled keeps the room of those before.
    pub fn copy_to(&self, fresh: &Self) -> Result<(), StoreError> {
        let mut last = Seq(0);
        let mut writes = Writes::new();
        self.each_at_rest(
            |applied| {
                last = applied.seq;
                Ok(())
            },
            |key, stored| {
                writes.insert(key.to_vec(), Some(stored.to_vec()));
                if writes.len() < BATCH { Ok(()) } else { fresh.apply(std::mem::take(&mut writes), Seq(0)) }
            },
        )?;
        fresh.apply(writes, last)
    }

    /// Counts the documents.
    pub fn count(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        self.each_held(
            |_| Ok(()),
            |_, _| {
                count += 1;
                Ok(())
            },
        )?;
        Ok(count)
    }

    /// Writes everything to disk and closes; then nothing reads any more.
    pub fn close(&self) -> Result<(), StoreError> {
        let Some(db) = self.write().take() else { return Ok(()) };
        let _alone = self.alone();
        self.drain_alone(&db)?;
        guarded(|| {
            db.flush()?;
            drop(db);
            Ok(())
        })?;
        files::seal_folder(&self.dir).map_err(|error| StoreError::io("cannot sync the documents", &error))
    }

    /// Exchanges the folder for that of `fresh`, while nobody reads; `between` happens in that moment as well.
    pub fn exchange(
        &self,
        fresh: Self,
        between: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::io("cannot exchange the trees", &error);
        fresh.close()?;
        let mut writing = self.write();
        drop(writing.take());
        if let Err(error) = between() {
            *writing = Some(patiently(&self.dir).map_err(StoreError::from)?);
            return Err(error);
        }
        let old = files::free_name(self.dir.parent().unwrap_or(&self.dir), "trees.old");
        fs::rename(&self.dir, &old).or_else(ignore_missing).map_err(failed)?;
        files::put_in_place(&fresh.dir, &self.dir).map_err(failed)?;
        *writing = Some(patiently(&self.dir).map_err(StoreError::from)?);
        *self.freshen() = Fresh::default();
        self.generation.fetch_add(1, Ordering::SeqCst);
        drop(writing);
        fs::remove_dir_all(&old).or_else(ignore_missing).map_err(failed)
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<sled::Db>> {
        self.db.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<sled::Db>> {
        self.db.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// sled would print every document.
impl fmt::Debug for Trees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trees").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl From<io::Error> for Unopened {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match error.kind() {
            PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull => Self::Disk(error),
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl From<Unopened> for StoreError {
    fn from(unopened: Unopened) -> Self {
        match unopened {
            Unopened::Taken => Self::Taken,
            Unopened::Disk(error) => Self::io("cannot open the documents", &error),
            Unopened::Broken(why) => Self::Trees(why),
        }
    }
}

/// Opens sled. In one process its lock outlives it by a moment, which is long on a busy machine, so a taken one is
/// tried again.
fn patiently(dir: &Path) -> Result<sled::Db, Unopened> {
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(CACHE)
        .flush_every_ms(Some(FLUSH_EVERY_MS))
        .mode(sled::Mode::HighThroughput);
    for _ in 0..200 {
        match config.open() {
            Ok(db) => return Ok(db),
            Err(sled::Error::Io(error)) if error.to_string().starts_with("could not acquire lock") => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(sled::Error::Io(error)) => return Err(error.into()),
            Err(error) => return Err(Unopened::Broken(error.to_string())),
        }
    }
    Err(Unopened::Taken)
}

fn db(held: &impl std::ops::Deref<Target = Option<sled::Db>>) -> Result<&sled::Db, StoreError> {
    held.as_ref().ok_or(StoreError::Closed)
}

/// Writes at most one batch, and with it how far the trees go once a frame is `whole`.
///
/// Each batch carries the digest of all there is after it, so that a kill between two of them shows as frames
/// to apply again and not as damage.
fn write(
    db: &sled::Db,
    compressor: &mut Compressor<'_>,
    writes: &[Write<'_>],
    whole: Option<Seq>,
) -> Result<(), StoreError> {
    let mut applied = Applied::read(db)?;
    let mut batch = sled::Batch::default();
    for (key, value) in writes {
        if let Some(before) = db.get(key)? {
            applied.digest.remove(key, &before);
        }
        match value {
            Some(value) => {
                let held = pack(compressor, value).map_err(cannot_pack)?;
                applied.digest.add(key, &held);
                batch.insert(key.as_slice(), held.as_ref());
            }
            None => batch.remove(key.as_slice()),
        }
    }
    batch.insert(&APPLIED, Applied { seq: whole.unwrap_or(applied.seq), ..applied }.encode());
    Ok(db.apply_batch(batch)?)
}

fn cannot_pack(error: io::Error) -> StoreError {
    StoreError::io("cannot pack documents", &error)
}

/// sled panics on some damage; that is an error like others.
fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let gave_up = |_| Err(StoreError::Trees("sled gave up on them".into()));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(gave_up)
}

/// Gives the least key behind all that begin with `prefix`.
fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut behind = prefix.to_vec();
    while let Some(last) = behind.pop() {
        if last < u8::MAX {
            behind.push(last + 1);
            return Some(behind);
        }
    }
    None
}

fn crossed(low: &Bound<Vec<u8>>, high: &Bound<Vec<u8>>) -> bool {
    match (low, high) {
        (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high)) => low >= high,
        _ => false,
    }
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
