//! The writing end of the journal: appending, syncing, rolling, and mending after a failure.

use super::StoreError;
use super::block::{Block, Ready};
use super::disk::{Disk, Faults};
use super::frame::{Position, StoredFrame};
use super::scan::{Scan, Step};
use super::segment::{HEADER, Packed, SCHEMA, SegmentHeader};
use super::shelf::Shelf;
use super::state::State;
use crate::domain::{RawRef, Seq};
use std::path::Path;
use std::sync::Arc;

/// The one that writes segments.
#[derive(Debug)]
pub(super) struct Journal {
    shelf: Arc<Shelf>,
    state: State,
    segment_size: u64,
    faults: Faults,
    active: Active,
    /// Whether something failed so that the file must be read anew before the next write.
    wounded: bool,
    /// Whether the files were exchanged and the new one is not open.
    lost: bool,
    /// The last segment that was written anew while this was open; what was stashed before is gone from it.
    rewritten: u64,
}

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Active {
    pub header: SegmentHeader,
    pub disk: Disk,
    /// Up to where whole records stand.
    pub end: u64,
    /// Up to where they survive a loss of power.
    pub durable: u64,
    /// The last frame, and the last durable one.
    pub last: Seq,
    pub durable_last: Seq,
}

impl Active {
    /// Makes the segment with this number, durable before its first record.
    pub fn create(shelf: &Shelf, number: u64, last: Seq, faults: &Faults) -> Result<Self, StoreError> {
        let header = SegmentHeader { schema: SCHEMA, number, first: Seq(last.0 + 1), salt: rand::random() };
        let disk = Disk::create(&shelf.path(number), &header.encode(), faults)
            .map_err(|error| StoreError::io("cannot make a segment of the journal", &error))?;
        shelf.put(header, HEADER);
        Ok(Self { header, disk, end: HEADER, durable: HEADER, last, durable_last: last })
    }
}

impl Journal {
    pub fn new(shelf: Arc<Shelf>, state: State, segment_size: u64, faults: Faults, active: Active) -> Self {
        Self { shelf, state, segment_size, faults, active, wounded: false, lost: false, rewritten: 0 }
    }

    pub fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// Notes that the store is open, and how far it goes.
    pub fn set_open(&mut self) -> Result<(), StoreError> {
        self.state.set_open(self.active.header.number)
    }

    /// Notes that the store was left cleanly. Everything is synced by now.
    pub fn set_clean(&mut self, trees: &Path, farewell: Option<String>) -> Result<(), StoreError> {
        self.state.set_clean(trees, (self.active.durable, self.active.durable_last), farewell)
    }

    /// Gives up to where everything is durable.
    pub fn durable(&self) -> Position {
        Position { segment: self.active.header.number, offset: self.active.durable }
    }

    /// Gives the last frame written, durable or not.
    pub fn last(&self) -> Seq {
        self.active.last
    }

    /// Mends what a failure left behind. Only to be called when nothing waits for a sync.
    pub fn ready(&mut self) -> Result<(), StoreError> {
        if self.lost {
            // Mending would cut the new file where the old one was durable.
            return Err(StoreError::Other(
                "the new journal cannot be opened; start the desk again".to_owned(),
            ));
        }
        if self.wounded { self.mend() } else { Ok(()) }
    }

    /// Appends raw bytes; the next sync makes them durable.
    pub fn stash(&mut self, blocks: &[Block]) -> Result<Vec<RawRef>, StoreError> {
        let mut places = Vec::new();
        for block in blocks {
            self.make_room()?;
            let offset = self.append(&block.packed, Seq(0))?;
            let length = u32::try_from(block.packed.header.whole())
                .map_err(|_| StoreError::Other("more than 1 GiB in one piece".into()))?;
            let segment = self.active.header.number;
            let place = |&(from, size): &(u64, u64)| RawRef { segment, offset, length, size, from };
            places.extend(block.parts.iter().map(place));
        }
        Ok(places)
    }

    /// Tells whether raw bytes that a document names stand in the journal.
    pub fn has(&self, raw: &RawRef) -> bool {
        if raw.segment <= self.rewritten { self.shelf.stands(raw) } else { self.shelf.reaches(raw) }
    }

    /// Goes on behind the segments of `fresh`, which took the place of those before, in a new segment.
    pub fn go_on_behind(&mut self, fresh: &Shelf) -> Result<(), StoreError> {
        // Until all of it is done nothing may be written to the files of before.
        (self.wounded, self.lost) = (true, true);
        let number = self.active.header.number;
        let segment = fresh.segments().into_iter().find(|segment| segment.header.number == number);
        let segment = segment.ok_or(StoreError::MissingSegment(number))?;
        self.shelf.take_over(fresh);
        let disk = Disk::open(&self.shelf.path(number), &self.faults)
            .map_err(|error| StoreError::io("cannot open the new journal", &error))?;
        let (end, last) = (segment.end, self.active.last);
        self.active = Active { header: segment.header, disk, end, durable: end, last, durable_last: last };
        self.rewritten = number;
        (self.wounded, self.lost) = (false, false);
        self.roll()
    }

    /// Makes the next frame, whose large documents are appended before it; it is not written yet.
    pub fn frame(&mut self, ready: Ready) -> Result<StoredFrame, StoreError> {
        let places = self.stash(&ready.blocks)?;
        let apart = ready.apart.into_iter().zip(places);
        Ok(StoredFrame::new(ready.commit, apart, Seq(self.active.last.0 + 1)))
    }

    /// Appends the next frame; the next sync makes it durable.
    pub fn commit(&mut self, frame: &StoredFrame) -> Result<(), StoreError> {
        self.make_room()?;
        let offset = self.append(&frame.pack()?, frame.seq)?;
        self.active.last = frame.seq;
        self.shelf.mark_some(self.active.header.number, frame.seq, offset);
        Ok(())
    }

    /// Makes everything appended durable. On failure nothing since the last sync stands.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.unwounded()?;
        if self.active.durable == self.active.end {
            return Ok(());
        }
        if let Err(error) = self.active.disk.sync() {
            // What the kernel could not write it may have forgotten: only what was durable before counts.
            self.wounded = true;
            tracing::error!(%error, "syncing the journal failed");
            return Err(StoreError::io("cannot make the journal durable", &error));
        }
        self.active.durable = self.active.end;
        self.active.durable_last = self.active.last;
        Ok(())
    }

    /// Refuses everything between a failure and the mending, since what was appended will be cut off.
    fn unwounded(&self) -> Result<(), StoreError> {
        let why = "a write to the journal failed, and it could not be mended yet";
        if self.wounded { Err(StoreError::Other(why.into())) } else { Ok(()) }
    }

    fn append(&mut self, packed: &Packed, seq: Seq) -> Result<u64, StoreError> {
        self.unwounded()?;
        let at = self.active.end;
        let header = packed.header.at(seq, self.active.durable);
        let header = header.encode(self.active.header.salt, at);
        let written = self.active.disk.write(&header, at);
        let behind = at + header.len() as u64;
        if let Err(error) = written.and_then(|()| self.active.disk.write(&packed.payload, behind)) {
            self.wounded = self.active.disk.cut(at).is_err();
            return Err(StoreError::io("cannot write to the journal", &error));
        }
        self.active.end = at + packed.header.whole();
        self.shelf.set_end(self.active.header.number, self.active.end);
        Ok(at)
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        // What this version writes must not stand where an older one would misread it.
        let older = self.active.header.schema < SCHEMA;
        let full = self.active.end > HEADER && self.active.end >= self.segment_size;
        if older || full { self.roll() } else { Ok(()) }
    }

    fn roll(&mut self) -> Result<(), StoreError> {
        self.sync()?;
        let number = self.active.header.number + 1;
        self.active = Active::create(&self.shelf, number, self.active.last, &self.faults)?;
        if let Err(error) = self.state.set_segment(number) {
            tracing::warn!(%error, "the new segment is not noted, so its loss would go unnoticed");
        }
        Ok(())
    }

    /// Goes back to what is durable, reads it again, and goes on in a new segment.
    ///
    /// A new segment, so that no reference to bytes that were lost ever points to others.
    fn mend(&mut self) -> Result<(), StoreError> {
        let Active { header, durable, durable_last, .. } = self.active;
        let failed = |error| StoreError::io("cannot mend the journal", &error);
        self.shelf.set_end(header.number, durable);
        let disk = Disk::open(&self.shelf.path(header.number), &self.faults).map_err(failed)?;
        disk.cut(durable).map_err(failed)?;
        disk.sync().map_err(failed)?;
        let last =
            read_again(&self.shelf, &header, durable)?.unwrap_or(Seq(header.first.0.saturating_sub(1)));
        if last != durable_last {
            return Err(StoreError::Damaged { segment: header.number, offset: durable });
        }
        self.active = Active { header, disk, end: durable, durable, last, durable_last };
        self.wounded = false;
        self.roll().inspect_err(|_| self.wounded = true)
    }
}

/// Checks every record of a segment, and gives the last frame.
fn read_again(shelf: &Shelf, header: &SegmentHeader, end: u64) -> Result<Option<Seq>, StoreError> {
    let failed = |error| StoreError::io("cannot read the journal again", &error);
    let mut scan = Scan::new(&shelf.path(header.number), header, HEADER, end, true).map_err(failed)?;
    let mut last = None;
    loop {
        match scan.step().map_err(failed)? {
            Step::Raw(..) => {}
            Step::Frame(_, record, _) => last = Some(record.seq),
            Step::End => return Ok(last),
            Step::Bad(offset) => return Err(StoreError::Damaged { segment: header.number, offset }),
        }
    }
}
