//! Reading a segment from front to back, and finding whole records behind a damaged one.

use super::segment::{Kind, MARK, RECORD, RecordHeader, SegmentHeader};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// What a scan met next.
pub(super) enum Step {
    Raw(u64, RecordHeader),
    /// Its payload is whole, but not unpacked yet.
    Frame(u64, RecordHeader, Vec<u8>),
    /// Nothing whole stands at this offset.
    Bad(u64),
    End,
}

/// A walk over the records of one segment.
pub(super) struct Scan {
    input: BufReader<File>,
    salt: u64,
    offset: u64,
    end: u64,
    check_raws: bool,
}

impl Scan {
    /// Begins at `offset` and goes to `end`; raw bytes are checked or stepped over.
    pub fn new(
        path: &Path,
        header: &SegmentHeader,
        offset: u64,
        end: u64,
        check_raws: bool,
    ) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(1 << 16, File::open(path)?);
        input.seek(SeekFrom::Start(offset))?;
        Ok(Self { input, salt: header.salt, offset, end, check_raws })
    }

    /// Gives the offset of the next record.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next record.
    pub fn step(&mut self) -> io::Result<Step> {
        if self.offset >= self.end {
            return Ok(Step::End);
        }
        let at = self.offset;
        let Some(header) = self.header()? else { return Ok(Step::Bad(at)) };
        if header.kind == Kind::Raw && !self.check_raws {
            self.input.seek_relative(i64::from(header.length))?;
            self.offset += header.whole();
            return Ok(Step::Raw(at, header));
        }
        let Some(payload) = self.payload(&header)? else { return Ok(Step::Bad(at)) };
        self.offset += header.whole();
        Ok(match header.kind {
            Kind::Raw => Step::Raw(at, header),
            Kind::Frame => Step::Frame(at, header, payload),
        })
    }

    fn header(&mut self) -> io::Result<Option<RecordHeader>> {
        if self.end - self.offset < RECORD {
            return Ok(None);
        }
        let mut octets = [0; RECORD as usize];
        if let Err(error) = self.input.read_exact(&mut octets) {
            return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
        }
        let left = self.end - self.offset;
        Ok(RecordHeader::decode(&octets, self.salt, self.offset).filter(|header| header.whole() <= left))
    }

    fn payload(&mut self, header: &RecordHeader) -> io::Result<Option<Vec<u8>>> {
        let mut payload = Vec::with_capacity(header.length as usize);
        (&mut self.input).take(header.length.into()).read_to_end(&mut payload)?;
        Ok(header.fits(&payload).then_some(payload))
    }
}

/// Gives the greatest durable offset that any whole record at or behind `from` names, whatever is between.
///
/// Linear: only headers that this very segment wrote get past the first check, and those don't overlap.
pub(super) fn durable_behind(path: &Path, header: &SegmentHeader, from: u64) -> io::Result<u64> {
    let mut octets = Vec::new();
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    file.read_to_end(&mut octets)?;
    let (mut at, mut durable) = (0, 0);
    while let Some(rest) = octets.get(at..) {
        let Some(next) = rest.windows(MARK.len()).position(|window| window == MARK) else { break };
        at += next;
        let whole = octets.get(at..).and_then(|rest| record(rest, header.salt, from + at as u64));
        durable = durable.max(whole.map_or(0, |record| record.durable));
        at += whole.map_or(1, |record| RECORD as usize + record.length as usize);
    }
    Ok(durable)
}

/// Reads the header of the whole record at the front.
fn record(octets: &[u8], salt: u64, offset: u64) -> Option<RecordHeader> {
    let header = RecordHeader::decode(octets, salt, offset)?;
    let payload = octets.get(RECORD as usize..)?.get(..header.length as usize)?;
    header.fits(payload).then_some(header)
}
