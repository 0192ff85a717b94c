//! The desk as one file, and back.
//!
//! The file is a title, then each segment as number, length and octets, then a zero, then the BLAKE3 hash of
//! all before it. Segments are compressed already.

use super::segment::SegmentHeader;
use super::shelf::Shelf;
use super::{StoreError, files};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

const TITLE: [u8; 20] = *b"deskbell backup v1\r\n";

/// Writes a backup of the segments up to the ends given; gives its octets.
///
/// A file of that name is replaced once the new one is whole.
pub(super) fn backup(shelf: &Shelf, ends: &[(u64, u64)], file: &Path) -> Result<u64, StoreError> {
    let draft = files::beside(file, "tmp");
    let written = write(shelf, ends, &draft).and_then(|length| {
        files::put_in_place(&draft, file)?;
        Ok(length)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&draft);
        StoreError::io(&format!("cannot write the backup {}", file.display()), &error)
    })
}

fn write(shelf: &Shelf, ends: &[(u64, u64)], draft: &Path) -> io::Result<u64> {
    let mut hashing = Hashing { inner: files::create(draft)?, hasher: blake3::Hasher::new(), octets: 0 };
    hashing.write_all(&TITLE)?;
    for (number, end) in ends {
        hashing.write_all(&number.to_le_bytes())?;
        hashing.write_all(&end.to_le_bytes())?;
        let copied = io::copy(&mut File::open(shelf.path(*number))?.take(*end), &mut hashing)?;
        if copied != *end {
            return Err(io::Error::other(format!("segment {number:08} is shorter than it should be")));
        }
    }
    hashing.write_all(&0_u64.to_le_bytes())?;
    let Hashing { mut inner, hasher, octets } = hashing;
    let hash = hasher.finalize();
    inner.write_all(hash.as_bytes())?;
    inner.sync_all()?;
    Ok(octets + hash.as_bytes().len() as u64)
}

/// Makes a desk of a backup, in a data dir that holds none; gives the octets read.
pub(super) fn restore(file: &Path, dir: &Path) -> Result<u64, StoreError> {
    let journal = dir.join("journal");
    if dir.join("trees").exists() || !is_empty(&journal) {
        return Err(StoreError::Other(format!("there is a desk in {} already", dir.display())));
    }
    let draft = dir.join("journal.tmp");
    let restored = fresh(&draft).and_then(|()| read(file, &draft)).and_then(|octets| {
        files::put_in_place(&draft, &journal)?;
        Ok(octets)
    });
    restored.map_err(|error| {
        let _ = fs::remove_dir_all(&draft);
        StoreError::io(&format!("cannot restore {}", file.display()), &error)
    })
}

fn read(file: &Path, draft: &Path) -> io::Result<u64> {
    let inner = BufReader::with_capacity(1 << 16, File::open(file)?);
    let mut hashing = Hashing { inner, hasher: blake3::Hasher::new(), octets: 0 };
    if hashing.array::<20>()? != TITLE {
        return Err(io::Error::other("this is no backup, or one of a newer deskbell"));
    }
    let shelf = Shelf::new(draft);
    loop {
        let number = u64::from_le_bytes(hashing.array()?);
        if number == 0 {
            break;
        }
        let length = u64::from_le_bytes(hashing.array()?);
        segment(&mut hashing, &shelf, number, length)?;
    }
    let hash = hashing.hasher.finalize();
    if hashing.array::<32>()? != *hash.as_bytes() {
        return Err(damaged());
    }
    files::sync_folder(draft)?;
    Ok(hashing.octets)
}

fn segment(input: &mut impl Read, shelf: &Shelf, number: u64, length: u64) -> io::Result<()> {
    let path = shelf.path(number);
    let mut file = files::create(&path)?;
    if io::copy(&mut input.take(length), &mut file)? != length {
        return Err(damaged());
    }
    file.sync_all()?;
    let mut head = Vec::new();
    File::open(&path)?.take(super::segment::HEADER).read_to_end(&mut head)?;
    let fits = SegmentHeader::decode(&head).is_ok_and(|header| header.number == number);
    if fits { Ok(()) } else { Err(damaged()) }
}

fn damaged() -> io::Error {
    io::Error::other("the backup is damaged or cut short")
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Makes an empty folder.
fn fresh(folder: &Path) -> io::Result<()> {
    let _ = fs::remove_dir_all(folder);
    files::make_folder(folder)
}

/// Hashes all that passes through.
struct Hashing<T> {
    inner: T,
    hasher: blake3::Hasher,
    octets: u64,
}

impl<T: Read> Hashing<T> {
    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut octets = [0; N];
        self.read_exact(&mut octets).map_err(|_| damaged())?;
        Ok(octets)
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..length).unwrap_or_default());
        self.octets += length as u64;
        Ok(length)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(octets)?;
        self.hasher.update(octets.get(..length).unwrap_or_default());
        self.octets += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
