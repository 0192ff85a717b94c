//! The octets of a segment: its header, and the records in it. Pure.
//!
//! A segment is its header and then records, each a header of [`RECORD`] octets and a payload. Every check
//! covers the segment's random salt and the record's place, so that no mail can hold a valid record and no
//! record is valid in another place.

use crate::domain::Seq;
use std::io;
use zstd::bulk::Compressor;

/// The layout that this version writes; older ones are read. Since 2 a record may hold many raw bytes, and
/// documents.
pub(super) const SCHEMA: u32 = 2;
/// Octets of a segment's header.
pub(super) const HEADER: u64 = 40;
/// Octets of a record's header.
pub(super) const RECORD: u64 = 44;
/// Begins every record, so that whole ones can be found behind a damaged one.
pub(super) const MARK: [u8; 4] = *b"\xF5dR\n";
/// The largest content of one record.
pub(super) const LARGEST: usize = 1 << 30;

const MAGIC: [u8; 8] = *b"deskbell";

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub schema: u32,
    pub number: u64,
    /// The sequence of the first frame that stands in it, or will.
    pub first: Seq,
    pub salt: u64,
}

/// Why a segment's header does not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderFault {
    Newer(u32),
    Damaged,
}

impl SegmentHeader {
    pub fn encode(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(40);
        octets.extend_from_slice(&MAGIC);
        octets.extend_from_slice(&self.schema.to_le_bytes());
        octets.extend_from_slice(&self.number.to_le_bytes());
        octets.extend_from_slice(&self.first.0.to_le_bytes());
        octets.extend_from_slice(&self.salt.to_le_bytes());
        octets.extend_from_slice(&crc32fast::hash(&octets).to_le_bytes());
        octets
    }

    /// Reads a header. Its length and check stay the same in every schema.
    pub fn decode(octets: &[u8]) -> Result<Self, HeaderFault> {
        let header = Self::checked(octets).ok_or(HeaderFault::Damaged)?;
        if header.schema > SCHEMA { Err(HeaderFault::Newer(header.schema)) } else { Ok(header) }
    }

    fn checked(octets: &[u8]) -> Option<Self> {
        let (content, crc) = octets.split_last_chunk::<4>()?;
        let mut rest = content;
        let magic = take::<8>(&mut rest)?;
        let schema = u32::from_le_bytes(take(&mut rest)?);
        let number = u64::from_le_bytes(take(&mut rest)?);
        let first = Seq(u64::from_le_bytes(take(&mut rest)?));
        let salt = u64::from_le_bytes(take(&mut rest)?);
        let whole = magic == MAGIC && rest.is_empty() && crc32fast::hash(content).to_le_bytes() == *crc;
        whole.then_some(Self { schema, number, first, salt })
    }
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// The bytes of a mail or a file.
    Raw = 1,
    Frame = 2,
}

/// How the payload was packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Codec {
    Plain = 0,
    Zstd = 1,
}

/// What a record says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    pub kind: Kind,
    codec: Codec,
    /// Octets of the payload on disk.
    pub length: u32,
    /// Octets of the content.
    pub size: u64,
    /// Which frame it is; 0 for raw bytes.
    pub seq: Seq,
    /// Up to where the segment was known durable when this was written.
    pub durable: u64,
    payload_crc: u32,
}

impl RecordHeader {
    /// Gives the header with what is known only when the record is written.
    pub fn at(self, seq: Seq, durable: u64) -> Self {
        Self { seq, durable, ..self }
    }

    /// Gives the octets of a header for a record at `offset` of the segment with this salt.
    pub fn encode(&self, salt: u64, offset: u64) -> Vec<u8> {
        let mut octets = Vec::with_capacity(44);
        octets.extend_from_slice(&MARK);
        octets.push(self.kind as u8);
        octets.push(self.codec as u8);
        // Room for the number of a shared zstd dictionary; 0 is none.
        octets.extend_from_slice(&0_u16.to_le_bytes());
        octets.extend_from_slice(&self.length.to_le_bytes());
        octets.extend_from_slice(&self.size.to_le_bytes());
        octets.extend_from_slice(&self.seq.0.to_le_bytes());
        octets.extend_from_slice(&self.durable.to_le_bytes());
        octets.extend_from_slice(&self.payload_crc.to_le_bytes());
        octets.extend_from_slice(&salted(salt, offset, &octets).to_le_bytes());
        octets
    }

    /// Reads a header, if a whole one of this very place stands there.
    pub fn decode(octets: &[u8], salt: u64, offset: u64) -> Option<Self> {
        let mut rest = octets;
        if take::<4>(&mut rest)? != MARK {
            return None;
        }
        let [kind, codec] = take(&mut rest)?;
        let dictionary = u16::from_le_bytes(take(&mut rest)?);
        let length = u32::from_le_bytes(take(&mut rest)?);
        let size = u64::from_le_bytes(take(&mut rest)?);
        let seq = Seq(u64::from_le_bytes(take(&mut rest)?));
        let durable = u64::from_le_bytes(take(&mut rest)?);
        let payload_crc = u32::from_le_bytes(take(&mut rest)?);
        let crc = u32::from_le_bytes(take(&mut rest)?);
        let covered = octets.get(..octets.len() - rest.len() - 4)?;
        let kind = [Kind::Raw, Kind::Frame].into_iter().find(|known| *known as u8 == kind)?;
        let codec = [Codec::Plain, Codec::Zstd].into_iter().find(|known| *known as u8 == codec)?;
        let whole = salted(salt, offset, covered) == crc && dictionary == 0 && size <= LARGEST as u64;
        whole.then_some(Self { kind, codec, length, size, seq, durable, payload_crc })
    }

    /// Tells whether this is the payload that was written.
    pub fn fits(&self, payload: &[u8]) -> bool {
        payload.len() as u64 == u64::from(self.length) && crc32fast::hash(payload) == self.payload_crc
    }

    /// Octets of the whole record on disk.
    pub fn whole(&self) -> u64 {
        RECORD + u64::from(self.length)
    }

    /// Gives the content of a payload that fits.
    pub fn unpack(&self, payload: Vec<u8>) -> io::Result<Vec<u8>> {
        match self.codec {
            Codec::Plain if payload.len() as u64 == self.size => Ok(payload),
            Codec::Plain => Err(another_size()),
            Codec::Zstd => expand(&payload, self.size),
        }
    }
}

/// A record ready to be written; its place, sequence and durable offset follow when it is.
#[derive(Debug)]
pub(super) struct Packed {
    pub header: RecordHeader,
    pub payload: Vec<u8>,
}

impl Packed {
    /// Packs content, compressed where that pays.
    pub fn new(kind: Kind, content: Vec<u8>) -> io::Result<Self> {
        Self::by(&mut compressor()?, kind, content)
    }

    /// Packs content with a compressor that may have packed other content before.
    pub fn by(compressor: &mut Compressor<'_>, kind: Kind, content: Vec<u8>) -> io::Result<Self> {
        if content.len() > LARGEST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 1 GiB in one piece"));
        }
        let size = content.len() as u64;
        let packed = if content.len() >= WORTH_PACKING { squeeze(compressor, &content)? } else { None };
        let (codec, payload) = packed.map_or((Codec::Plain, content), |packed| (Codec::Zstd, packed));
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        let payload_crc = crc32fast::hash(&payload);
        let header = RecordHeader { kind, codec, length, size, seq: Seq(0), durable: 0, payload_crc };
        Ok(Self { header, payload })
    }
}

/// Small things gain nothing and cost time.
const WORTH_PACKING: usize = 256;

/// Makes what packs; its memory is worth using again.
pub(super) fn compressor() -> io::Result<Compressor<'static>> {
    Compressor::new(1)
}

/// Makes what packs tighter and ten times slower, for what is written anew with nobody waiting.
pub(super) fn tight_compressor() -> io::Result<Compressor<'static>> {
    Compressor::new(9)
}

/// Gives content packed, if it takes less room so.
pub(super) fn squeeze(compressor: &mut Compressor<'_>, content: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut packed = compressor.compress(content)?;
    if packed.len() >= content.len() {
        return Ok(None);
    }
    packed.shrink_to_fit();
    Ok(Some(packed))
}

/// Gives packed content back, which must be of this size.
pub(super) fn expand(packed: &[u8], size: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(size).ok().filter(|size| *size <= LARGEST).ok_or_else(another_size)?;
    let content = zstd::bulk::decompress(packed, size)?;
    if content.len() == size { Ok(content) } else { Err(another_size()) }
}

fn another_size() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a record has another size than it says")
}

fn salted(salt: u64, offset: u64, octets: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(octets);
    hasher.finalize()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}
