//! The one thread that writes: it takes orders in turn, and one sync serves all that wait.

use super::block::{Block, Ready};
use super::frame::full_key;
use super::journal::Journal;
use super::pending::Pending;
use super::rewriting;
use super::scrub::{Scrub, Scrubber};
use super::shelf::Shelf;
use super::spool::{self, Spool};
use super::trees::{Trees, Writes};
use super::{Commit, StoreError, files};
use crate::domain::{RawRef, Seq};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot, watch};

/// At most so many commits wait for one sync,
const BATCH: usize = 512;
/// or so many octets.
const BATCH_OCTETS: usize = 8 << 20;

pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked to do.
pub(super) enum Order {
    Stash(Vec<Block>, Answer<Vec<RawRef>>),
    Commit(Box<Ready>, Answer<Seq>),
    /// Gives up to where each segment is durable.
    Ends(Answer<Vec<(u64, u64)>>),
    /// Makes the trees anew, unless they are no longer of the generation that failed somebody.
    Rebuild(Option<u64>, Answer<u64>),
    /// Makes something vanish from the journal and the trees.
    Rewrite(Box<Scrub>, Option<Spool>, Answer<()>),
    Close(Option<String>, Answer<()>),
}

/// The writer and all it owns.
pub(super) struct Writer {
    pub dir: PathBuf,
    pub journal: Journal,
    pub trees: Arc<Trees>,
    pub last: watch::Sender<Seq>,
    /// Octets that must stay free on the disk.
    pub reserve: u64,
    /// Whether the journal holds frames that could not be applied; then nothing is taken on before they are.
    pub behind: bool,
    /// What hands documents to sled while the next are taken on.
    pub relief: Option<JoinHandle<Result<(), StoreError>>>,
}

/// Commits that wait for one sync.
#[derive(Default)]
struct Batch {
    writes: Writes,
    /// Refusals wait as well: they may rest on a commit before them.
    waiting: Vec<(Result<Seq, StoreError>, Answer<Seq>)>,
    last: Option<Seq>,
    octets: usize,
    /// Why nothing can be written now.
    refusal: Option<StoreError>,
}

impl Writer {
    /// Works until closed, or until nobody can ask any more.
    pub fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut next = orders.blocking_recv();
        while let Some(order) = next.take() {
            let mut batch = Batch { refusal: self.heal().err(), ..Batch::default() };
            let mut other = self.gather(order, &mut batch);
            while other.is_none() && batch.has_room() {
                let Ok(order) = orders.try_recv() else { break };
                other = self.gather(order, &mut batch);
            }
            self.settle(batch);
            match other {
                Some(Order::Close(farewell, answer)) => {
                    let _ = answer.send(self.close(farewell));
                    return;
                }
                Some(Order::Ends(answer)) => drop(answer.send(Ok(self.ends()))),
                Some(Order::Rebuild(failed, answer)) => {
                    let wanted = failed.is_none_or(|failed| failed == self.trees.generation());
                    let _ = answer.send(if wanted { self.rebuild() } else { Ok(0) });
                }
                Some(Order::Rewrite(scrub, spool, answer)) => drop(answer.send(self.rewrite(*scrub, spool))),
                Some(Order::Stash(..) | Order::Commit(..)) | None => {}
            }
            next = orders.blocking_recv();
        }
        if let Err(error) = self.close(None) {
            tracing::error!(%error, "closing the store failed");
        }
    }

    /// Mends what an earlier failure left behind.
    fn heal(&mut self) -> Result<(), StoreError> {
        let mended = self.journal.ready().and_then(|()| {
            if self.behind {
                self.check_room(0, self.reserve).and_then(|()| self.rebuild().map(drop))
            } else {
                Ok(())
            }
        });
        mended.inspect_err(|error| tracing::error!(%error, "the store cannot be mended yet"))
    }

    /// Appends what is to be appended; gives the order back if it is of another kind.
    fn gather(&mut self, order: Order, batch: &mut Batch) -> Option<Order> {
        match order {
            Order::Stash(blocks, answer) => {
                let octets = blocks.iter().map(|block| block.packed.payload.len()).sum();
                batch.octets += octets;
                let _ = answer.send(refused(batch).and_then(|()| self.stash(&blocks, octets)));
            }
            Order::Commit(commit, answer) => {
                let appended = refused(batch).and_then(|()| self.append(*commit, batch));
                batch.waiting.push((appended, answer));
            }
            other => return Some(other),
        }
        None
    }

    fn stash(&mut self, blocks: &[Block], octets: usize) -> Result<Vec<RawRef>, StoreError> {
        self.check_room(octets, self.reserve)?;
        self.journal.stash(blocks)
    }

    /// Checks a commit against everything before it, and appends its frame.
    fn append(&mut self, ready: Ready, batch: &mut Batch) -> Result<Seq, StoreError> {
        let octets = ready.octets;
        // The staff can go on for a while after the intake had to stop.
        self.check_room(octets, self.reserve / 2)?;
        let trees = Arc::clone(&self.trees);
        let mut pending = Pending::new(&trees);
        pending.writes = std::mem::take(&mut batch.writes);
        let appended = self.append_frame(ready, &mut pending);
        batch.writes = pending.take();
        batch.octets += octets;
        batch.last = appended.as_ref().ok().copied().or(batch.last);
        appended
    }

    fn append_frame(&mut self, ready: Ready, pending: &mut Pending<'_>) -> Result<Seq, StoreError> {
        let untouched = ready.commit.since == Some(self.journal.last());
        check(&ready.commit, untouched, pending)?;
        self.check_raws(&ready.named)?;
        let frame = self.journal.frame(ready)?;
        let effects = pending.effects(&frame)?;
        self.journal.commit(&frame)?;
        pending.add(effects);
        Ok(frame.seq)
    }

    /// Refuses documents that name raw bytes which do not stand in the journal (any more).
    fn check_raws(&self, named: &[RawRef]) -> Result<(), StoreError> {
        let lost = named.iter().find(|raw| !self.journal.has(raw));
        lost.map_or(Ok(()), |raw| {
            let place = format!("segment {:08}, octet {}", raw.segment, raw.offset);
            Err(StoreError::Other(format!("the raw bytes at {place} were not kept; stash them again")))
        })
    }

    fn check_room(&self, octets: usize, reserve: u64) -> Result<(), StoreError> {
        let free = files::free_space(&self.dir).unwrap_or(u64::MAX);
        if reserve > 0 && free < reserve.saturating_add(octets as u64) {
            return Err(StoreError::Full(format!("{} MiB are left, which are kept free", free >> 20)));
        }
        Ok(())
    }

    /// Makes a batch durable, shows it to readers, and answers.
    fn settle(&mut self, batch: Batch) {
        let Batch { writes, waiting, last, .. } = batch;
        let settled = last.map_or(Ok(()), |last| {
            self.journal.sync()?;
            self.trees.hold(writes, last);
            self.last.send_replace(last);
            Ok(())
        });
        let unread = waiting.iter().any(|(result, _)| matches!(result, Err(StoreError::Trees(_))));
        for (result, answer) in waiting {
            let _ = answer.send(match &settled {
                Ok(()) => result,
                Err(error) => Err(again(error)),
            });
        }
        // Nobody waits for sled: what it does not have yet stands in the journal, and readers see it already.
        let relieved = self.relieve().inspect_err(|error| {
            tracing::error!(%error, "the documents cannot be written; making them anew");
        });
        if (relieved.is_err() || unread && !self.behind)
            && let Err(error) = self.rebuild()
        {
            tracing::error!(%error, "the documents do not read, and cannot be made anew");
        }
    }

    /// Lets what is held back go to sled once that is much. One is on its way at a time: whoever writes faster than
    /// sled waits here, so that no more than twice as much is held back.
    fn relieve(&mut self) -> Result<(), StoreError> {
        let over = self.relief.as_ref().is_some_and(JoinHandle::is_finished);
        if !over && !self.trees.is_full() {
            return Ok(());
        }
        self.relieved()?;
        if self.trees.is_full() {
            self.trees.seal();
            let trees = Arc::clone(&self.trees);
            let begun = thread::Builder::new().name("trees".to_owned()).spawn(move || trees.drain());
            self.relief = Some(begun.map_err(|error| StoreError::io("cannot start a thread", &error))?);
        }
        Ok(())
    }

    /// Waits until nothing is on its way to sled.
    fn relieved(&mut self) -> Result<(), StoreError> {
        let ended = self.relief.take().map_or(Ok(Ok(())), JoinHandle::join);
        ended.unwrap_or_else(|_| Err(StoreError::Trees("handing documents over broke".to_owned())))
    }

    fn rebuild(&mut self) -> Result<u64, StoreError> {
        // Whatever became of it, the new trees do without.
        let _ = self.relieved();
        // What a failed sync left must be cut off first, or the trees would get ahead of the journal.
        self.journal.ready()?;
        let rebuilt = rebuild(&self.dir, &self.journal, &self.trees);
        self.behind = rebuilt.is_err();
        if rebuilt.is_ok() {
            self.last.send_replace(self.journal.last());
        }
        rebuilt
    }

    /// Makes something vanish. What fails before the new journal is in its place changes nothing.
    fn rewrite(&mut self, scrub: Scrub, spool: Option<Spool>) -> Result<(), StoreError> {
        self.relieved().or_else(|_| self.rebuild().map(drop))?;
        self.journal.ready()?;
        self.journal.sync()?;
        let octets = rewriting::room(self.journal.shelf(), &self.trees.dir);
        self.check_room(usize::try_from(octets).unwrap_or(usize::MAX), self.reserve)?;
        if rewriting::intent(&self.dir)?.is_some() {
            return Err(StoreError::Other(
                "what was to vanish before has not left everything yet".to_owned(),
            ));
        }
        // Before the promise, which names what stands in it.
        let spool =
            spool.map(|spool| spool.keep(&self.dir).and_then(|()| spool::open(&self.dir))).transpose()?;
        let scrubber = Scrubber::new(scrub, spool)?;
        rewriting::promise(&self.dir, &scrubber.scrub)?;
        let done = self.rewrite_promised(&scrubber);
        if done.is_err() && !rewriting::is_in_place(&self.dir) {
            rewriting::fulfil(&self.dir)?;
        }
        done
    }

    /// Carries out what was written down; it may have begun before. What fails leaves no draft behind.
    pub fn rewrite_promised(&mut self, scrubber: &Scrubber) -> Result<(), StoreError> {
        let done = self.draw_up_and_exchange(scrubber);
        if done.is_err() && !rewriting::is_in_place(&self.dir) {
            rewriting::clear_drafts(&self.dir);
        }
        done
    }

    fn draw_up_and_exchange(&mut self, scrubber: &Scrubber) -> Result<(), StoreError> {
        let fresh = rewriting::draft(&self.dir, self.journal.shelf(), &self.trees, scrubber)?;
        let trees = tight(&self.dir, &fresh, self.journal.last())?;
        rewriting::check_documents(&fresh, &trees)?;
        let (dir, journal) = (&self.dir, &mut self.journal);
        self.trees.exchange(trees, || {
            rewriting::exchange(dir)?;
            journal.go_on_behind(&fresh)
        })?;
        rewriting::clear(&self.dir)
    }

    fn ends(&self) -> Vec<(u64, u64)> {
        let durable = self.journal.durable();
        let within = |number, end| if number == durable.segment { durable.offset } else { end };
        let segments = self.journal.shelf().segments();
        segments.iter().map(|s| (s.header.number, within(s.header.number, s.end))).collect()
    }

    fn close(&mut self, farewell: Option<String>) -> Result<(), StoreError> {
        let synced = self.journal.ready().and_then(|()| self.journal.sync());
        // What did not go is tried again.
        let _ = self.relieved();
        let closed = self.trees.close();
        synced.and(closed)?;
        self.journal.set_clean(&self.trees.dir, farewell)
    }
}

fn refused(batch: &Batch) -> Result<(), StoreError> {
    batch.refusal.as_ref().map_or(Ok(()), |error| Err(again(error)))
}

impl Batch {
    fn has_room(&self) -> bool {
        self.waiting.len() < BATCH && self.octets < BATCH_OCTETS
    }
}

/// Makes the trees anew from the journal beside the old ones, and exchanges them; gives how many frames.
pub(super) fn rebuild(dir: &Path, journal: &Journal, trees: &Trees) -> Result<u64, StoreError> {
    let fresh = empty(dir, rewriting::TIGHT)?;
    let frames = fresh.catch_up(journal.shelf(), journal.last())?;
    trees.exchange(fresh, || Ok(()))?;
    Ok(frames)
}

/// Makes trees of a journal in which nothing but the last version of each document took room.
fn tight(dir: &Path, shelf: &Shelf, last: Seq) -> Result<Trees, StoreError> {
    let (replayed, trees) = (empty(dir, rewriting::REPLAYED)?, empty(dir, rewriting::TIGHT)?);
    replayed.catch_up(shelf, last)?;
    replayed.copy_to(&trees)?;
    let folder = replayed.dir.clone();
    drop(replayed);
    cleared(&folder)?;
    Ok(trees)
}

/// Opens trees that hold nothing in a folder beside the others.
fn empty(dir: &Path, name: &str) -> Result<Trees, StoreError> {
    let folder = dir.join(name);
    cleared(&folder)?;
    Trees::open(&folder).map_err(StoreError::from)
}

fn cleared(folder: &Path) -> Result<(), StoreError> {
    rewriting::remove_folder(folder).map_err(|error| StoreError::io("cannot clear the new trees", &error))
}

/// Refuses what was carried out before, and what expected something else; `untouched` says that nothing was
/// written since it looked.
fn check(commit: &Commit, untouched: bool, pending: &Pending<'_>) -> Result<(), StoreError> {
    if let Some(request) = &commit.request
        && let Some(carried) = pending.carried(request)?
    {
        return Err(StoreError::Repeated { user: carried.user, seq: carried.seq });
    }
    if untouched {
        return Ok(());
    }
    for expected in &commit.expectations {
        if pending.written(&full_key(expected.tree as u8, &expected.key))? != expected.written {
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}

/// Gives the same error to each of many.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full(why) => StoreError::Full(why.clone()),
        StoreError::Trees(why) => StoreError::Trees(why.clone()),
        other => StoreError::Other(other.to_string()),
    }
}
