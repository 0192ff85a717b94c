//! Writing the journal anew without what is to vanish: the same segments and frames, in other places.
//!
//! What is to vanish is written down first (`rewrite`), and stays until all is done, so that a stop at any
//! moment is followed by the whole of it at the next opening. The new segments are made beside the old ones
//! and take their place in one step. Raw bytes that no document names any more vanish as well.

use super::frame::{StoredFrame, StoredPut};
use super::record::{Tree, reads};
use super::refs::raws_of;
use super::scan::{Scan, Step};
use super::scrub::{Scrub, Scrubber};
use super::segment::{HEADER, Kind, Packed, RECORD, RecordHeader, SCHEMA, SegmentHeader, tight_compressor};
use super::shelf::{Reading, Shelf};
use super::trees::Trees;
use super::value::Value;
use super::{StoreError, files, spool};
use crate::domain::{RawRef, Seq};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use zstd::bulk::Compressor;

/// A raw record by segment and offset, and what its parts are by place and size.
type Parts = BTreeMap<(u64, u64), BTreeMap<(u64, u64), Part>>;

/// What a part of a raw record is.
enum Part {
    /// Raw bytes that a document names.
    Bytes,
    /// A document that stands apart from its frame.
    Document { tree: u8, key: Vec<u8>, within: bool },
}

/// Folders beside the trees: those that the journal says, and the same without the room of earlier versions.
pub(super) const REPLAYED: &str = "trees.replayed";
pub(super) const TIGHT: &str = "trees.new";

/// Gives the file that says what is to vanish.
pub(super) fn intent_file(dir: &Path) -> PathBuf {
    dir.join("rewrite")
}

fn draft_folder(dir: &Path) -> PathBuf {
    dir.join("journal.new")
}

fn old_folder(dir: &Path) -> PathBuf {
    dir.join("journal.old")
}

/// Tells whether the journal before stands aside.
pub(super) fn has_old(dir: &Path) -> bool {
    old_folder(dir).is_dir()
}

/// The mark within a journal that was written anew.
fn mark(journal: &Path) -> PathBuf {
    journal.join("rewritten")
}

/// Tells whether the journal in its place is the one that was written anew.
pub(super) fn is_in_place(dir: &Path) -> bool {
    mark(&dir.join("journal")).exists()
}

/// Reads what was to vanish when the last one stopped.
pub(super) fn intent(dir: &Path) -> Result<Option<Scrub>, StoreError> {
    let octets = match fs::read(intent_file(dir)) {
        // Whatever else is wrong with the data dir is told where it is opened.
        Err(_) if !intent_file(dir).exists() => return Ok(None),
        read => read.map_err(|error| StoreError::io("cannot read what is to vanish", &error))?,
    };
    let intent = rmp_serde::from_slice(&octets);
    intent.map(Some).map_err(|error| StoreError::Other(format!("what is to vanish does not read: {error}")))
}

/// Writes down what is to vanish.
pub(super) fn promise(dir: &Path, scrub: &Scrub) -> Result<(), StoreError> {
    let octets = rmp_serde::to_vec_named(scrub).map_err(|error| StoreError::Other(error.to_string()))?;
    // The mark of an earlier one would say that this one is done.
    unmark(dir)?;
    files::write_whole(&intent_file(dir), &octets)
        .map_err(|error| StoreError::io("cannot write down what is to vanish", &error))
}

/// Forgets what was to vanish, once nothing of it is left anywhere.
pub(super) fn fulfil(dir: &Path) -> Result<(), StoreError> {
    match fs::remove_file(intent_file(dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(StoreError::io("cannot forget what was to vanish", &error));
        }
        _ => files::sync_folder(dir).map_err(|error| StoreError::io("cannot sync the data dir", &error))?,
    }
    spool::remove(dir).map_err(|error| StoreError::io("cannot clear what was promised", &error))?;
    unmark(dir)
}

fn unmark(dir: &Path) -> Result<(), StoreError> {
    let journal = dir.join("journal");
    match fs::remove_file(mark(&journal)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed
            .and_then(|()| files::sync_folder(&journal))
            .map_err(|error| StoreError::io("cannot sync the journal", &error)),
    }
}

/// Puts the journal back in its place, where the last one stopped between two names, and clears what it left.
pub(super) fn settle_names(dir: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("cannot put the journal in its place", &error);
    let (journal, draft, old) = (dir.join("journal"), draft_folder(dir), old_folder(dir));
    if !journal.exists() && mark(&draft).exists() {
        files::put_in_place(&draft, &journal).map_err(failed)?;
    } else if !journal.exists() && old.exists() {
        files::put_in_place(&old, &journal).map_err(failed)?;
    }
    for folder in [draft, old] {
        remove_folder(&folder).map_err(failed)?;
    }
    Ok(())
}

/// Writes every segment anew beside the journal; gives a shelf of the new ones.
pub(super) fn draft(
    dir: &Path,
    shelf: &Shelf,
    trees: &Trees,
    scrubber: &Scrubber,
) -> Result<Shelf, StoreError> {
    let folder = draft_folder(dir);
    let failed = |error: io::Error| StoreError::io("cannot write the journal anew", &error);
    remove_folder(&folder).and_then(|()| files::make_folder(&folder)).map_err(failed)?;
    let parts = parts(shelf, &live(shelf, trees)?, scrubber)?;
    let fresh = Shelf::new(&folder);
    let mut rewriter = Rewriter {
        shelf,
        scrubber,
        parts,
        moved: HashMap::new(),
        compressor: tight_compressor().map_err(failed)?,
    };
    for segment in shelf.segments() {
        let (header, end) = rewriter.segment(&segment.header, segment.end, &fresh)?;
        fresh.put(header, end);
    }
    scrubber.check()?;
    let marked = files::create(&mark(&folder)).and_then(|file| file.sync_all());
    marked.and_then(|()| files::sync_folder(&folder)).map_err(failed)?;
    Ok(fresh)
}

/// Makes sure that every document still reads, before it takes the place of the one that did.
pub(super) fn check_documents(shelf: &Shelf, trees: &Trees) -> Result<(), StoreError> {
    let mut reading = Reading::new(shelf);
    let mut broken = None;
    trees.each_at_rest(
        |_| Ok(()),
        |full_key, stored| {
            let known = full_key.split_first().and_then(|(tree, key)| Some((Tree::from_number(*tree)?, key)));
            if let (Some((tree, key)), Some((_, value)), None) = (known, Value::split(stored), broken)
                && !reads(tree, key, &reading.document(value)?)
            {
                broken = Some(tree);
            }
            Ok(())
        },
    )?;
    match broken {
        None => Ok(()),
        Some(tree) => Err(StoreError::Other(format!(
            "without these texts a document among {tree:?} would not read any more; nothing was changed"
        ))),
    }
}

/// Puts the new segments in the place of the old ones, or leaves the old ones where they were.
pub(super) fn exchange(dir: &Path) -> Result<(), StoreError> {
    let (journal, draft, old) = (dir.join("journal"), draft_folder(dir), old_folder(dir));
    let failed = |error: io::Error| StoreError::io("cannot put the new journal in its place", &error);
    remove_folder(&old).and_then(|()| fs::rename(&journal, &old)).map_err(failed)?;
    files::put_in_place(&draft, &journal).map_err(|error| {
        // A stop before this is mended by the next opening.
        let _ = fs::rename(&old, &journal);
        failed(error)
    })
}

/// Takes away what was drawn up and did not take its place; it would keep the room that it lacked.
pub(super) fn clear_drafts(dir: &Path) {
    // Between two names the draft may be the only journal that is whole.
    if !dir.join("journal").exists() {
        return;
    }
    for folder in [draft_folder(dir), dir.join(REPLAYED), dir.join(TIGHT)] {
        if let Err(error) = remove_folder(&folder) {
            tracing::warn!(%error, path = %folder.display(), "cannot clear a draft");
        }
    }
}

/// Gives the room that it takes, in octets: another journal, and two more of the documents.
pub(super) fn room(shelf: &Shelf, trees: &Path) -> u64 {
    let journal: u64 = shelf.segments().iter().map(|segment| segment.end).sum();
    journal.saturating_add(files::octets(trees).saturating_mul(2))
}

/// Takes the old segments away, and what was cut off or set aside, which nobody could look into.
pub(super) fn clear(dir: &Path) -> Result<(), StoreError> {
    let cleared = remove_folder(&old_folder(dir)).and_then(|()| remove_folder(&dir.join("aside")));
    cleared.map_err(|error| StoreError::io("cannot take the old journal away", &error))
}

pub(super) fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Lists the raw bytes that a document of today names.
pub(super) fn live(shelf: &Shelf, trees: &Trees) -> Result<HashSet<RawRef>, StoreError> {
    let mut live = HashSet::new();
    let mut reading = Reading::new(shelf);
    trees.each_at_rest(
        |_| Ok(()),
        |_, stored| {
            if let Some((_, value)) = Value::split(stored) {
                live.extend(raws_of(&reading.document(value)?));
            }
            Ok(())
        },
    )?;
    Ok(live)
}

/// Lists what the raw records hold that stays.
fn parts(shelf: &Shelf, live: &HashSet<RawRef>, scrubber: &Scrubber) -> Result<Parts, StoreError> {
    let mut parts = Parts::new();
    for raw in live {
        parts.entry((raw.segment, raw.offset)).or_default().insert((raw.from, raw.size), Part::Bytes);
    }
    shelf.each_frame(Seq(0), |_, frame| {
        let within = is_within(&frame, scrubber);
        for put in frame.puts {
            let Some(raw) = put.at else { continue };
            let part = Part::Document { tree: put.tree, key: put.key, within };
            parts.entry((raw.segment, raw.offset)).or_default().insert((raw.from, raw.size), part);
        }
        Ok(true)
    })?;
    Ok(parts)
}

/// Tells whether a frame is about one of the documents from which more vanishes.
fn is_within(frame: &StoredFrame, scrubber: &Scrubber) -> bool {
    frame.puts.iter().any(|put| scrubber.is_within(put.tree, &put.key))
}

/// Writes records in their order, and remembers where they went.
struct Rewriter<'a> {
    shelf: &'a Shelf,
    scrubber: &'a Scrubber,
    parts: Parts,
    moved: HashMap<RawRef, RawRef>,
    compressor: Compressor<'static>,
}

/// The segment that is being written.
struct Draft {
    file: File,
    header: SegmentHeader,
    end: u64,
}

impl Rewriter<'_> {
    fn segment(
        &mut self,
        old: &SegmentHeader,
        end: u64,
        fresh: &Shelf,
    ) -> Result<(SegmentHeader, u64), StoreError> {
        let failed = |error: io::Error| {
            StoreError::io(&format!("cannot write segment {:08} anew", old.number), &error)
        };
        let header = SegmentHeader { schema: SCHEMA, salt: rand::random(), ..*old };
        let mut file = files::create(&fresh.path(old.number)).map_err(failed)?;
        file.write_all(&header.encode()).map_err(failed)?;
        let mut draft = Draft { file, header, end: HEADER };
        let mut scan = Scan::new(&self.shelf.path(old.number), old, HEADER, end, false).map_err(failed)?;
        loop {
            match scan.step().map_err(failed)? {
                Step::Raw(offset, record) => self.raw(old.number, offset, &record, &mut draft)?,
                Step::Frame(offset, record, payload) => {
                    let damaged = StoreError::Damaged { segment: old.number, offset };
                    let frame = self.frame(StoredFrame::unpack(&record, payload).ok_or(damaged)?)?;
                    draft.append(&frame.pack()?, frame.seq)?;
                }
                Step::Bad(offset) => return Err(StoreError::Damaged { segment: old.number, offset }),
                Step::End => break,
            }
        }
        draft.file.sync_all().map_err(failed)?;
        Ok((draft.header, draft.end))
    }

    /// Writes what a raw record holds and is still named.
    fn raw(
        &mut self,
        segment: u64,
        offset: u64,
        record: &RecordHeader,
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        let Some(parts) = self.parts.remove(&(segment, offset)) else { return Ok(()) };
        let length = u32::try_from(record.whole()).map_err(|_| StoreError::Damaged { segment, offset })?;
        let mut reading = Reading::new(self.shelf);
        let mut content = Vec::new();
        let mut places = Vec::new();
        for ((from, size), part) in parts {
            let old = RawRef { segment, offset, length, size, from };
            let octets = self.part(&old, &part, &mut reading)?;
            places.push((old, content.len() as u64, octets.len() as u64));
            content.extend(octets);
        }
        let packed = Packed::by(&mut self.compressor, Kind::Raw, content)
            .map_err(|error| StoreError::io("cannot pack raw bytes", &error))?;
        let length =
            u32::try_from(packed.header.whole()).map_err(|_| StoreError::Damaged { segment, offset })?;
        let offset = draft.append(&packed, Seq(0))?;
        for (old, from, size) in places {
            self.moved.insert(old, RawRef { segment: draft.header.number, offset, length, size, from });
        }
        Ok(())
    }

    fn part(&self, old: &RawRef, part: &Part, reading: &mut Reading<'_>) -> Result<Vec<u8>, StoreError> {
        match part {
            Part::Bytes => match self.scrubber.raw(old)? {
                Some(instead) => Ok(instead),
                None => reading.raw(old),
            },
            Part::Document { tree, key, within } => {
                self.scrubber.document(reading.raw(old)?, Some((*tree, key)), *within, &|raw| self.place(raw))
            }
        }
    }

    /// Gives the new place of raw bytes; what no document names stands nowhere any more.
    fn place(&self, raw: &RawRef) -> RawRef {
        let nowhere = RawRef { segment: raw.segment, offset: HEADER, length: 0, size: 0, from: 0 };
        self.moved.get(raw).copied().unwrap_or(nowhere)
    }

    fn frame(&self, frame: StoredFrame) -> Result<StoredFrame, StoreError> {
        let within = is_within(&frame, self.scrubber);
        let StoredFrame { puts, .. } = frame;
        let puts: Result<Vec<StoredPut>, StoreError> =
            puts.into_iter().map(|put| self.put(put, within)).collect();
        let bare = StoredFrame { puts: Vec::new(), ..frame };
        let unreadable = |error: String| StoreError::Other(format!("a frame does not read: {error}"));
        let octets = rmp_serde::to_vec_named(&bare).map_err(|error| unreadable(error.to_string()))?;
        let octets = self.scrubber.document(octets, None, within, &|raw| self.place(raw))?;
        let bare: StoredFrame =
            rmp_serde::from_slice(&octets).map_err(|error| unreadable(error.to_string()))?;
        Ok(StoredFrame { puts: puts?, ..bare })
    }

    fn put(&self, put: StoredPut, within: bool) -> Result<StoredPut, StoreError> {
        let StoredPut { tree, key, document, at } = put;
        let document = document.map(|octets| {
            self.scrubber.document(octets.into_vec(), Some((tree, &key)), within, &|raw| self.place(raw))
        });
        let document = document.transpose()?.map(serde_bytes::ByteBuf::from);
        Ok(StoredPut { tree, key: self.scrubber.key(key), document, at: at.map(|raw| self.place(&raw)) })
    }
}

impl Draft {
    fn append(&mut self, packed: &Packed, seq: Seq) -> Result<u64, StoreError> {
        let at = self.end;
        // Nothing is put in its place before all of it is synced, so all before it counts as durable.
        let header = packed.header.at(seq, at).encode(self.header.salt, at);
        let written = self.file.write_all_at(&header, at);
        let written = written.and_then(|()| self.file.write_all_at(&packed.payload, at + RECORD));
        written.map_err(|error| StoreError::io("cannot write the journal anew", &error))?;
        self.end = at + packed.header.whole();
        Ok(at)
    }
}
