//! Opening the journal: finding its segments, and telling a torn tail from damage.

use super::disk::{Disk, Faults};
use super::journal::{Active, Journal};
use super::scan::{Scan, Step, durable_behind};
use super::segment::{HEADER, HeaderFault, SCHEMA, SegmentHeader};
use super::shelf::Shelf;
use super::state::State;
use super::verify::check_journal;
use super::{Options, StoreError, files};
use crate::domain::Seq;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// Opens the journal of a data dir. `floor` is the greatest frame that was durable for certain.
pub(super) fn open(
    dir: &Path,
    options: &Options,
    state: State,
    floor: Option<Seq>,
    notices: &mut Vec<String>,
) -> Result<Journal, StoreError> {
    let folder = dir.join("journal");
    let shelf = Shelf::new(&folder);
    clear_drafts(&folder)?;
    let numbers = numbers(&folder)?;
    complete(&numbers, state.segment())?;
    let (greatest, left) = (state.segment(), state.end());
    let mut active = None;
    for number in &numbers {
        let (header, length) = header(&shelf, *number)?;
        shelf.put(header, length);
        active = Some((header, length));
    }
    let floor = floor.unwrap_or_default();
    // Where all of it was synced and nothing came since, there is no torn tail to look for.
    let whole = |header: &SegmentHeader, length| {
        let (_, last) = left.filter(|(end, _)| header.number == greatest && *end == length)?;
        (last >= floor).then_some(last)
    };
    let active = match active {
        Some((header, length)) if let Some(last) = whole(&header, length) => {
            let disk = Disk::open(&shelf.path(header.number), &options.faults)
                .map_err(|error| StoreError::io("cannot open the journal", &error))?;
            Active { header, disk, end: length, durable: length, last, durable_last: last }
        }
        Some((header, _)) => last_segment(dir, &shelf, header, floor, &options.faults, notices)?,
        None if floor > Seq(0) => return Err(StoreError::MissingSegment(1)),
        None => Active::create(&shelf, 1, Seq(0), &options.faults)?,
    };
    Ok(Journal::new(Arc::new(shelf), state, options.segment_size, options.faults.clone(), active))
}

/// Reads the journal by itself, and says in words what is wrong with it; nothing is changed.
pub(super) fn examine(dir: &Path) -> Result<Vec<String>, StoreError> {
    let folder = dir.join("journal");
    let shelf = Shelf::new(&folder);
    let mut wrong = Vec::new();
    let numbers = numbers(&folder)?;
    wrong.extend(complete(&numbers, State::read(dir).segment()).err().map(|error| error.to_string()));
    for number in numbers {
        match header(&shelf, number) {
            Ok((header, length)) => shelf.put(header, length),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    wrong.extend(check_journal(&shelf)?.0.told());
    Ok(wrong)
}

/// Lists the numbers of the segments.
fn numbers(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let failed = |error| StoreError::io("cannot list the journal", &error);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        let number = name.strip_suffix(".seg").and_then(|number| number.parse::<u64>().ok());
        numbers.extend(number.filter(|number| *name == format!("{number:08}.seg")));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Takes away what a stopped creation of a segment left.
fn clear_drafts(folder: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("cannot clear the journal", &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "tmp") {
            fs::remove_file(path).map_err(failed)?;
        }
    }
    Ok(())
}

/// Finds a missing segment. `greatest` is the last one that was noted.
fn complete(numbers: &[u64], greatest: u64) -> Result<(), StoreError> {
    let last = numbers.last().copied().unwrap_or(0).max(greatest);
    let missing = (1..=last).find(|number| numbers.binary_search(number).is_err());
    missing.map_or(Ok(()), |number| Err(StoreError::MissingSegment(number)))
}

fn header(shelf: &Shelf, number: u64) -> Result<(SegmentHeader, u64), StoreError> {
    let read = || -> io::Result<(Vec<u8>, u64)> {
        let mut file = File::open(shelf.path(number))?;
        let length = file.metadata()?.len();
        let mut octets = Vec::new();
        (&mut file).take(HEADER).read_to_end(&mut octets)?;
        Ok((octets, length))
    };
    let (octets, length) =
        read().map_err(|error| StoreError::io(&format!("cannot read segment {number:08}"), &error))?;
    match SegmentHeader::decode(&octets) {
        Ok(header) if header.number == number => Ok((header, length)),
        Err(HeaderFault::Newer(found)) => Err(StoreError::NewerSchema { found, known: SCHEMA }),
        _ => Err(StoreError::Damaged { segment: number, offset: 0 }),
    }
}

/// Reads the last segment whole, and cuts off what a stopped writer left.
fn last_segment(
    dir: &Path,
    shelf: &Shelf,
    header: SegmentHeader,
    floor: Seq,
    faults: &Faults,
    notices: &mut Vec<String>,
) -> Result<Active, StoreError> {
    let path = shelf.path(header.number);
    let failed = |error| StoreError::io(&format!("cannot read segment {:08}", header.number), &error);
    let walk = walk(shelf, &header).map_err(failed)?;
    let behind = if walk.whole { 0 } else { durable_behind(&path, &header, walk.end).map_err(failed)? };
    if walk.end < behind.max(walk.durable) || walk.last < floor {
        return Err(StoreError::Damaged { segment: header.number, offset: walk.end });
    }
    let disk = Disk::open(&path, faults).map_err(failed)?;
    if !walk.whole {
        notices.push(cut_tail(dir, &path, &disk, header.number, walk.end)?);
    }
    disk.sync().map_err(failed)?;
    shelf.set_end(header.number, walk.end);
    Ok(Active { header, disk, end: walk.end, durable: walk.end, last: walk.last, durable_last: walk.last })
}

/// What a walk over the last segment found.
struct Walk {
    last: Seq,
    /// Where the first record begins that is not whole, or the file ends.
    end: u64,
    whole: bool,
    /// The greatest durable offset that any record names.
    durable: u64,
}

fn walk(shelf: &Shelf, header: &SegmentHeader) -> io::Result<Walk> {
    let path = shelf.path(header.number);
    let mut scan = Scan::new(&path, header, HEADER, fs::metadata(&path)?.len(), true)?;
    let before = Seq(header.first.0.saturating_sub(1));
    let mut walk = Walk { last: before, end: HEADER, whole: false, durable: 0 };
    loop {
        walk.end = scan.offset();
        let record = match scan.step()? {
            Step::Raw(_, record) => record,
            Step::Frame(offset, record, _) if record.seq.0 == walk.last.0 + 1 => {
                walk.last = record.seq;
                shelf.mark_some(header.number, record.seq, offset);
                record
            }
            Step::Frame(..) | Step::Bad(_) => return Ok(walk),
            Step::End => return Ok(Walk { whole: true, ..walk }),
        };
        walk.durable = walk.durable.max(record.durable);
    }
}

fn cut_tail(dir: &Path, path: &Path, disk: &Disk, number: u64, from: u64) -> Result<String, StoreError> {
    let failed = |error| StoreError::io("cannot cut off the torn tail of the journal", &error);
    let aside = dir.join("aside");
    files::make_folder(&aside).map_err(failed)?;
    let kept = files::free_name(&aside, &format!("{number:08}-{from}.tail"));
    let copy = || -> io::Result<u64> {
        let mut segment = File::open(path)?;
        segment.seek(SeekFrom::Start(from))?;
        let mut copy = files::create(&kept)?;
        let length = io::copy(&mut segment, &mut copy)?;
        copy.sync_all()?;
        files::sync_folder(&aside)?;
        disk.cut(from)?;
        Ok(length)
    };
    let length = copy().map_err(failed)?;
    Ok(format!(
        "the journal ended in {length} octets that were never confirmed to anybody; they were cut off and kept in {}",
        kept.display()
    ))
}
