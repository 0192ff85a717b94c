//! All segments as readers see them: where each begins and ends, and reading records out of them.

use super::frame::{Position, StoredFrame};
use super::scan::{Scan, Step};
use super::segment::{HEADER, Kind, RECORD, RecordHeader, SegmentHeader};
use super::value::Value;
use super::{Frame, StoreError};
use crate::domain::{RawRef, Seq};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// A reading of many frames leaves a mark at each of so many.
const MARK_EVERY: u64 = 256;

/// The segments, shared between the writer and all readers.
#[derive(Debug)]
pub(super) struct Shelf {
    dir: PathBuf,
    segments: RwLock<BTreeMap<u64, Segment>>,
}

/// One segment as readers see it.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub header: SegmentHeader,
    /// Up to where whole records stand.
    pub end: u64,
    /// Where some frames begin, so that a follower need not read from the front.
    marks: BTreeMap<Seq, u64>,
}

impl Shelf {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), segments: RwLock::default() }
    }

    /// Gives the file of a segment.
    pub fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:08}.seg"))
    }

    /// Adds a segment, or sets it anew.
    pub fn put(&self, header: SegmentHeader, end: u64) {
        let segment = Segment { header, end, marks: BTreeMap::new() };
        self.write().insert(header.number, segment);
    }

    /// Moves the end of a segment.
    pub fn set_end(&self, number: u64, end: u64) {
        if let Some(segment) = self.write().get_mut(&number) {
            segment.end = end;
            segment.marks.retain(|_, offset| *offset < end);
        }
    }

    /// Remembers where a frame begins.
    pub fn mark(&self, number: u64, seq: Seq, offset: u64) {
        if let Some(segment) = self.write().get_mut(&number) {
            segment.marks.insert(seq, offset);
        }
    }

    /// Remembers where a frame begins, if it is one of those that are worth it.
    pub fn mark_some(&self, number: u64, seq: Seq, offset: u64) {
        if seq.0.is_multiple_of(MARK_EVERY) {
            self.mark(number, seq, offset);
        }
    }

    /// Takes over the segments of another shelf, whose files stand where those of this one did.
    pub fn take_over(&self, fresh: &Self) {
        let segments = std::mem::take(&mut *fresh.write());
        *self.write() = segments;
    }

    /// Tells whether these very raw bytes stand in a raw record, by its header alone.
    pub fn stands(&self, raw: &RawRef) -> bool {
        let salt = self.read().get(&raw.segment).map(|segment| segment.header.salt);
        let Some(salt) = salt.filter(|_| self.reaches(raw)) else { return false };
        let mut octets = [0; RECORD as usize];
        let read =
            File::open(self.path(raw.segment)).and_then(|file| file.read_exact_at(&mut octets, raw.offset));
        let header = RecordHeader::decode(&octets, salt, raw.offset).filter(|_| read.is_ok());
        header.is_some_and(|header| {
            let end = raw.from.checked_add(raw.size);
            header.whole() == u64::from(raw.length) && end.is_some_and(|end| end <= header.size)
        })
    }

    /// Gives all segments in order.
    pub fn segments(&self) -> Vec<Segment> {
        self.read().values().cloned().collect()
    }

    /// Tells whether a raw record may stand there; reading it proves it.
    pub fn reaches(&self, raw: &RawRef) -> bool {
        let end = self.read().get(&raw.segment).map_or(0, |segment| segment.end);
        raw.offset >= HEADER && raw.offset.checked_add(raw.length.into()).is_some_and(|behind| behind <= end)
    }

    /// Reads raw bytes, and checks them.
    pub fn raw(&self, raw: &RawRef) -> Result<Vec<u8>, StoreError> {
        Reading::new(self).raw(raw)
    }

    /// Reads all that the record holds in which raw bytes stand; `opened` is the file that was read last.
    fn record(&self, raw: &RawRef, opened: &mut Option<(u64, File)>) -> Result<Vec<u8>, StoreError> {
        let salt = self.read().get(&raw.segment).map(|segment| segment.header.salt);
        let salt = salt.ok_or(StoreError::MissingSegment(raw.segment))?;
        if !self.reaches(raw) || u64::from(raw.length) < RECORD {
            return Err(damaged(raw));
        }
        let failed = |error| StoreError::io(&format!("cannot read segment {:08}", raw.segment), &error);
        let file = match opened.take() {
            Some((number, file)) if number == raw.segment => file,
            _ => File::open(self.path(raw.segment)).map_err(failed)?,
        };
        let (_, file) = opened.insert((raw.segment, file));
        let mut octets = vec![0; raw.length as usize];
        file.read_exact_at(&mut octets, raw.offset).map_err(failed)?;
        unpack_raw(raw, salt, octets).ok_or_else(|| damaged(raw))
    }

    /// Gives the frames behind `after`, at most `limit`, none behind `last`.
    pub fn frames(&self, after: Seq, last: Seq, limit: usize) -> Result<Vec<Frame>, StoreError> {
        let mut frames = Vec::new();
        let mut reading = Reading::new(self);
        self.each_frame(after, |position, frame| {
            if frame.seq > last || frames.len() >= limit {
                self.mark(position.segment, frame.seq, position.offset);
                return Ok(false);
            }
            self.mark_some(position.segment, frame.seq, position.offset);
            frames.push(frame.whole(|raw| reading.raw(raw))?);
            Ok(true)
        })?;
        Ok(frames)
    }

    /// Hands over every frame behind `after` in order, until `hand` answers false.
    pub fn each_frame(
        &self,
        after: Seq,
        mut hand: impl FnMut(Position, StoredFrame) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let wanted = Seq(after.0.saturating_add(1));
        let segments = self.segments();
        let begins = segments.iter().rposition(|segment| segment.header.first <= wanted).unwrap_or(0);
        let mut expected = None;
        for segment in segments.iter().skip(begins) {
            let number = segment.header.number;
            let failed = |error| StoreError::io(&format!("cannot read segment {number:08}"), &error);
            let (_, from) = segment.marks.range(..=wanted).next_back().unwrap_or((&Seq(0), &HEADER));
            let mut scan =
                Scan::new(&self.path(number), &segment.header, *from, segment.end, false).map_err(failed)?;
            loop {
                let damaged = |offset| StoreError::Damaged { segment: number, offset };
                let (offset, record, payload) = match scan.step().map_err(failed)? {
                    Step::Raw(..) => continue,
                    Step::End => break,
                    Step::Bad(offset) => return Err(damaged(offset)),
                    Step::Frame(offset, record, payload) => (offset, record, payload),
                };
                if expected.is_some_and(|expected| expected != record.seq) {
                    return Err(damaged(offset));
                }
                expected = Some(Seq(record.seq.0 + 1));
                if record.seq > after {
                    let frame = StoredFrame::unpack(&record, payload).ok_or_else(|| damaged(offset))?;
                    if !hand(Position { segment: number, offset }, frame)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<u64, Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<u64, Segment>> {
        self.segments.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads raw bytes one after the other; those of one record are unpacked once.
pub(super) struct Reading<'a> {
    shelf: &'a Shelf,
    /// The segment read last.
    opened: Option<(u64, File)>,
    /// What the last record holds, and where it stands.
    record: Option<((u64, u64, u32), Vec<u8>)>,
}

impl<'a> Reading<'a> {
    pub fn new(shelf: &'a Shelf) -> Self {
        Self { shelf, opened: None, record: None }
    }

    /// Reads raw bytes, and checks them.
    pub fn raw(&mut self, raw: &RawRef) -> Result<Vec<u8>, StoreError> {
        let place = (raw.segment, raw.offset, raw.length);
        let content = match self.record.take() {
            Some((known, content)) if known == place => content,
            _ => self.shelf.record(raw, &mut self.opened)?,
        };
        if raw.from == 0 && raw.size == content.len() as u64 {
            return Ok(content);
        }
        let (_, content) = self.record.insert((place, content));
        part(content, raw).map(<[u8]>::to_vec).ok_or_else(|| damaged(raw))
    }

    /// Gives the document that a value is or names.
    pub fn document(&mut self, value: Value<'_>) -> Result<Vec<u8>, StoreError> {
        match value {
            Value::Here(document) => Ok(document.to_vec()),
            Value::There(raw) => self.raw(&raw),
        }
    }
}

fn part<'a>(content: &'a [u8], raw: &RawRef) -> Option<&'a [u8]> {
    let from = usize::try_from(raw.from).ok()?;
    content.get(from..from.checked_add(usize::try_from(raw.size).ok()?)?)
}

fn damaged(raw: &RawRef) -> StoreError {
    StoreError::Damaged { segment: raw.segment, offset: raw.offset }
}

fn unpack_raw(raw: &RawRef, salt: u64, mut octets: Vec<u8>) -> Option<Vec<u8>> {
    let header = RecordHeader::decode(octets.get(..RECORD as usize)?, salt, raw.offset)?;
    octets.drain(..RECORD as usize);
    let same = header.kind == Kind::Raw && header.fits(&octets);
    if same { header.unpack(octets).ok() } else { None }
}
