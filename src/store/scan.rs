//! Reading a segment from front to back, and finding whole records behind a damaged one.

use super::frame::StoredFrame;
use super::segment::{HEADER, Kind, MARK, RECORD, RecordHeader, SegmentHeader};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// What a scan met next.
pub(super) enum Step {
    Raw(u64, RecordHeader),
    Frame(u64, Box<StoredFrame>),
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
            Kind::Frame => match StoredFrame::unpack(&header, payload) {
                Some(frame) => Step::Frame(at, Box::new(frame)),
                None => Step::Bad(at),
            },
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

/// Gives the whole frames that begin at or behind `from`, whatever stands between them.
///
/// Linear: only headers that this very segment wrote get past the first check, and those don't overlap.
pub(super) fn frames_behind(
    path: &Path,
    header: &SegmentHeader,
    from: u64,
) -> io::Result<Vec<(u64, StoredFrame)>> {
    let mut octets = Vec::new();
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from.max(HEADER)))?;
    file.read_to_end(&mut octets)?;
    let from = from.max(HEADER);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = octets.get(at..).filter(|rest| rest.len() >= MARK.len()) {
        let Some(next) = rest.windows(MARK.len()).position(|window| window == MARK) else { break };
        at += next;
        let offset = from + at as u64;
        let whole = octets.get(at..).and_then(|rest| record(rest, header.salt, offset));
        if let Some((kept, frame)) = whole {
            found.extend(frame.map(|frame| (offset, frame)));
            at += kept;
        } else {
            at += 1;
        }
    }
    Ok(found)
}

/// Reads the record at the front, and gives its length and, where it is one, the frame.
fn record(octets: &[u8], salt: u64, offset: u64) -> Option<(usize, Option<StoredFrame>)> {
    let header = RecordHeader::decode(octets, salt, offset)?;
    let whole = usize::try_from(header.whole()).ok()?;
    let payload = octets.get(RECORD as usize..whole).filter(|payload| header.fits(payload))?;
    let frame = (header.kind == Kind::Frame).then(|| StoredFrame::unpack(&header, payload.to_vec()));
    Some((whole, frame.flatten()))
}
