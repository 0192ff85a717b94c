//! The writer: one thread that brings texts to disk, while searches find what it has not written yet.

use super::IndexError;
use super::similar::{Similar, similar};
use super::text::{self, Fields, Hits, Snapshot, Work};
use crate::domain::query::{Query, SortKey};
use crate::domain::{IssueId, Seq};
use rustc_hash::FxHashSet;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tantivy::indexer::IndexWriterOptions;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};

/// How long nothing may have come before what waits is committed,
const QUIET: Duration = Duration::from_secs(1);
/// and how long a text waits at most while others come.
const COMMIT_AFTER: Duration = Duration::from_secs(15);
/// Octets of texts that are committed at once, at most. Each commit makes a segment that has to be merged
/// with others later, so they are few; searches look through what waits.
const COMMIT_AT: usize = 12 << 20;
/// Octets of texts that may wait before whoever brings more has to.
const MOST_WAITING: usize = COMMIT_AT + (4 << 20);
/// Octets of texts that tantivy gets before they are committed.
const HAND_AT: usize = 256 << 10;
/// Octets of texts that may be left out at an end in order, and frames that they are from: the next start
/// reads those again, which is less work than a segment.
const LEFT_AT_END: (usize, u64) = (128 << 10, 500);
/// How long after a failed write the next is tried.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// Octets that tantivy may gather before it writes a segment.
const MEMORY: usize = 20 << 20;

/// What is not on disk yet.
#[derive(Default)]
struct Backlog {
    /// Everything that is not committed, in order.
    works: VecDeque<Work>,
    /// Octets of all of them.
    octets: usize,
    /// How many of them, from the front, tantivy has got.
    handed: usize,
    /// Octets of the others.
    unhanded: usize,
    /// When the first of them came, and when the last.
    came: Option<(Instant, Instant)>,
    /// The frame up to which everything is committed or in `works`.
    mark: Seq,
    /// What the mark was when tantivy got the last of them.
    handed_mark: Seq,
    committed: Seq,
    flushing: bool,
    closing: bool,
    /// Nothing will be written any more.
    closed: bool,
    trouble: Option<String>,
}

impl Backlog {
    fn is_clean(&self) -> bool {
        self.works.is_empty() && self.mark <= self.committed
    }

    /// Tells whether so little waits that the writer may end without it.
    fn is_little(&self) -> bool {
        let frames = self.mark.0.saturating_sub(self.committed.0);
        let known = self.committed > Seq(0);
        known && !self.flushing && self.octets <= LEFT_AT_END.0 && frames <= LEFT_AT_END.1
    }

    /// Tells whether everything has to be committed now.
    fn is_asked(&self) -> bool {
        !self.is_clean() && (self.flushing || (self.closing && !self.is_little()))
    }

    /// Gives how long what waits need not be committed yet.
    fn left(&self) -> Option<Duration> {
        let (since, last) = self.came?;
        Some(COMMIT_AFTER.saturating_sub(since.elapsed()).min(QUIET.saturating_sub(last.elapsed())))
    }

    fn is_due(&self) -> bool {
        self.is_asked() || self.octets >= COMMIT_AT || self.left().is_some_and(|left| left.is_zero())
    }

    /// Gives the newest version of every text that waits.
    fn texts(&self) -> Vec<Arc<text::Text>> {
        let mut seen = FxHashSet::default();
        let newest = self.works.iter().rev().filter_map(|work| match work {
            Work::Put(text) => seen.insert(text.key).then(|| text.clone()),
            Work::Drop(_) => None,
        });
        newest.collect()
    }
}

struct Shared {
    index: tantivy::Index,
    fields: Fields,
    reader: IndexReader,
    backlog: Mutex<Backlog>,
    /// Told about every change of the backlog.
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, backlog: MutexGuard<'a, Backlog>, most: Duration) -> MutexGuard<'a, Backlog> {
        self.changed.wait_timeout(backlog, most).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Says that nothing will be written any more.
    fn end(&self) {
        let mut backlog = self.lock();
        backlog.closed = true;
        if !backlog.is_clean() && !backlog.is_little() {
            backlog.trouble.get_or_insert_with(|| "the writer ended".to_owned());
        }
        drop(backlog);
        self.changed.notify_all();
    }

    fn wait_while(&self, condition: impl Fn(&Backlog) -> bool) {
        let guard = self.changed.wait_while(self.lock(), |backlog| condition(backlog));
        drop(guard.unwrap_or_else(PoisonError::into_inner));
    }
}

/// The full text and the thread that writes it.
pub(super) struct Texts {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Texts {
    /// Opens the full text in `dir` and starts its writer.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        let failed = |reason| match reason {
            TantivyError::LockFailure(..) => IndexError::Locked { path: dir.to_owned() },
            reason => IndexError::Text { path: dir.to_owned(), reason },
        };
        let (index, fields, seq) = text::open(dir)?;
        let builder = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader = builder.try_into().map_err(failed)?;
        let writer = new_writer(&index).map_err(failed)?;
        let newest = Newest::of(&reader);
        let backlog = Mutex::new(Backlog { mark: seq, committed: seq, ..Backlog::default() });
        let shared = Arc::new(Shared { index, fields, reader, backlog, changed: Condvar::new() });
        let worker = Worker { shared: shared.clone(), writer: Some(writer), newest };
        let thread = std::thread::Builder::new().name("index".to_owned()).spawn(move || worker.run());
        let thread = thread.map_err(|reason| IndexError::Folder { path: dir.to_owned(), reason })?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Gives the frame up to which texts are on disk.
    pub fn seq(&self) -> Seq {
        self.shared.lock().committed
    }

    pub fn trouble(&self) -> Option<String> {
        self.shared.lock().trouble.clone()
    }

    /// Reads everything on disk, and gives the files that are not as they were written.
    pub fn damaged(&self) -> tantivy::Result<Vec<PathBuf>> {
        let mut files: Vec<_> = self.shared.index.validate_checksum()?.into_iter().collect();
        files.sort();
        Ok(files)
    }

    /// Takes in work; waits while too much of it is left.
    pub fn push(&self, works: Vec<Work>) {
        if works.is_empty() {
            return;
        }
        let full = |backlog: &Backlog| {
            backlog.octets >= MOST_WAITING && backlog.trouble.is_none() && !backlog.closed
        };
        self.shared.wait_while(full);
        let mut backlog = self.shared.lock();
        if !backlog.closed {
            let octets = works.iter().map(Work::octets).sum::<usize>();
            backlog.octets += octets;
            backlog.unhanded += octets;
            let now = Instant::now();
            backlog.came = Some((backlog.came.map_or(now, |(since, _)| since), now));
            backlog.works.extend(works);
        }
        self.shared.changed.notify_all();
    }

    /// Says up to which frame all work was brought.
    pub fn mark(&self, seq: Seq) {
        let mut backlog = self.shared.lock();
        backlog.mark = backlog.mark.max(seq);
    }

    /// Waits until everything is on disk, or cannot be written now.
    pub fn flush(&self) {
        let mut backlog = self.shared.lock();
        backlog.flushing = true;
        drop(backlog);
        self.shared.changed.notify_all();
        self.shared.wait_while(|backlog| backlog.flushing && !backlog.closed);
    }

    /// Writes what is left, unless that is little, and ends the thread.
    pub fn close(&self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of the index panicked");
        }
    }

    /// Looks for the words of a query.
    pub fn hits(&self, query: &Query) -> Hits {
        let mut hits = Hits::default();
        let mut snapshot = None;
        let each = query.sort().key == SortKey::Relevance;
        for (place, term) in query.words() {
            let snapshot = snapshot.get_or_insert_with(|| self.snapshot());
            match snapshot.issues(&term, each) {
                Ok(Some(issues)) => {
                    hits.issues.push((place, issues));
                    hits.required.extend((!term.negated && !term.or_number).then_some(place));
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "the full text cannot be searched");
                    hits.issues.push((place, Vec::new()));
                }
            }
        }
        hits
    }

    /// Finds the issues whose texts share telling words with an opening.
    pub fn similar(&self, of: IssueId, title: &str, text: &str, passed: &str) -> Vec<Similar> {
        similar(&self.snapshot(), of, title, text, passed).unwrap_or_else(|error| {
            tracing::warn!(%error, "the full text cannot be searched");
            Vec::new()
        })
    }

    fn snapshot(&self) -> Snapshot {
        // Under one lock, so that no text is missing in both or outdated in the first.
        let backlog = self.shared.lock();
        let searcher = self.shared.reader.searcher();
        Snapshot { searcher, fields: self.shared.fields, waiting: backlog.texts() }
    }
}

impl Drop for Texts {
    fn drop(&mut self) {
        self.close();
    }
}

fn new_writer(index: &tantivy::Index) -> tantivy::Result<IndexWriter> {
    let options = IndexWriterOptions::builder()
        .memory_budget_per_thread(MEMORY)
        .num_worker_threads(1)
        .num_merge_threads(1)
        .build();
    index.writer_with_options(options)
}

/// The thread's own things.
struct Worker {
    shared: Arc<Shared>,
    /// None after a failure, until it is tried again.
    writer: Option<IndexWriter>,
    newest: Newest,
}

/// The greatest keys that the full text may hold, of titles and of notes. A text with a greater one has no
/// older version, so that none has to be looked for.
#[derive(Clone, Copy)]
struct Newest {
    title: u64,
    note: u64,
}

impl Newest {
    /// All keys may be held.
    const UNKNOWN: Self = Self { title: u64::MAX, note: u64::MAX };

    fn of(reader: &IndexReader) -> Self {
        let searcher = reader.searcher();
        let greatest = |segment: &tantivy::SegmentReader| {
            let column = segment.fast_fields().u64("key").ok()?;
            Some(if column.num_docs() == 0 { 0 } else { column.max_value() })
        };
        let greatest: Option<Vec<u64>> = searcher.segment_readers().iter().map(greatest).collect();
        let Some(greatest) = greatest else { return Self::UNKNOWN };
        let greatest = greatest.into_iter().max().unwrap_or(0);
        Self { title: greatest, note: greatest }
    }

    /// Tells whether a text may have an older version, and counts it.
    fn may_hold(&mut self, key: u64) -> bool {
        let newest = if key & 1 == 0 { &mut self.title } else { &mut self.note };
        let held = key <= *newest;
        *newest = key.max(*newest);
        held
    }
}

/// However the thread ends, those who wait for it go on.
impl Drop for Worker {
    fn drop(&mut self) {
        // Lets go of the folder first, so that it can be opened anew.
        self.writer = None;
        self.shared.end();
    }
}

impl Worker {
    fn run(mut self) {
        loop {
            let works = self.next();
            let result = self.hand_over(&works).and_then(|()| self.commit_if_due());
            if let Err(error) = result {
                self.fail(&error);
            }
            let backlog = self.shared.lock();
            if backlog.closing && (backlog.is_little() || backlog.is_clean() || backlog.trouble.is_some()) {
                return;
            }
        }
    }

    /// Waits until there is something to do, and gives the new work.
    fn next(&mut self) -> Vec<Work> {
        let shared = self.shared.clone();
        let mut backlog = shared.lock();
        loop {
            if backlog.is_due() || backlog.flushing || backlog.closing || backlog.unhanded >= HAND_AT {
                break;
            }
            let left = backlog.left().unwrap_or(Duration::MAX);
            backlog = shared.wait(backlog, left);
        }
        if backlog.closing && backlog.is_little() {
            return Vec::new();
        }
        let works: Vec<_> = backlog.works.iter().skip(backlog.handed).cloned().collect();
        (backlog.handed, backlog.unhanded) = (backlog.works.len(), 0);
        backlog.handed_mark = backlog.mark;
        works
    }

    fn hand_over(&mut self, works: &[Work]) -> tantivy::Result<()> {
        let fields = self.shared.fields;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(new_writer(&self.shared.index)?),
        };
        for work in works {
            match work {
                Work::Put(text) => {
                    if self.newest.may_hold(text.key) {
                        writer.delete_term(Term::from_field_u64(fields.key, text.key));
                    }
                    writer.add_document(fields.document(text))?;
                }
                Work::Drop(issue) => drop(writer.delete_term(Term::from_field_u64(fields.issue, issue.0))),
            }
        }
        Ok(())
    }

    fn commit_if_due(&mut self) -> tantivy::Result<()> {
        let backlog = self.shared.lock();
        let (handed, seq) = (backlog.handed, backlog.handed_mark);
        let due = backlog.is_due() && (handed > 0 || backlog.works.is_empty());
        drop(backlog);
        if !due {
            return self.settle(0, Seq(0));
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&text::payload(seq));
        commit.commit()?;
        self.shared.reader.reload()?;
        self.settle(handed, seq)
    }

    /// Forgets what is committed, and tells those who wait for it.
    fn settle(&self, done: usize, seq: Seq) -> tantivy::Result<()> {
        let mut backlog = self.shared.lock();
        let octets: usize = backlog.works.drain(..done).map(|work| work.octets()).sum();
        backlog.octets -= octets;
        backlog.handed -= done;
        if done > 0 {
            let now = Instant::now();
            backlog.came = (!backlog.works.is_empty()).then_some((now, now));
        }
        backlog.committed = backlog.committed.max(seq);
        if done > 0 {
            backlog.trouble = None;
        }
        if backlog.is_clean() {
            backlog.flushing = false;
        }
        drop(backlog);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Gives up for a while; everything that is not committed is handed over again then.
    fn fail(&mut self, error: &TantivyError) {
        tracing::warn!(%error, "the full text cannot be written");
        self.writer = None;
        self.newest = Newest::UNKNOWN;
        let mut backlog = self.shared.lock();
        (backlog.handed, backlog.unhanded) = (0, backlog.octets);
        backlog.flushing = false;
        backlog.trouble = Some(error.to_string());
        self.shared.changed.notify_all();
        let until = Instant::now() + RETRY_AFTER;
        while !backlog.closing && Instant::now() < until {
            backlog = self.shared.wait(backlog, RETRY_AFTER);
            backlog.flushing = false;
            self.shared.changed.notify_all();
        }
    }
}
