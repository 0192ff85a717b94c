//! Bytes that take the place of others, on disk until the journal is written anew.
//!
//! Memory holds where each stands, and never the bytes, however many mails change. What is spooled lies beside
//! the promise that names it; without a promise it goes when it is dropped, or at the next opening.

use super::{StoreError, files};
use crate::domain::RawRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// How the names of these files begin; behind it stands a number until they are promised.
const NAME: &str = "rewrite.raws";

/// Where bytes stand within the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub from: u64,
    /// Octets.
    pub size: u64,
}

/// The bytes that take the place of others, as they are gathered.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    out: BufWriter<File>,
    end: u64,
    spans: BTreeMap<RawRef, Span>,
}

impl Spool {
    pub(super) fn new(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(format!("{NAME}.{:016x}", rand::random::<u64>()));
        let file = files::create(&path).map_err(failed)?;
        Ok(Self { path, out: BufWriter::new(file), end: 0, spans: BTreeMap::new() })
    }

    /// Lets bytes take the place of others.
    pub fn put(&mut self, raw: RawRef, bytes: &[u8]) -> Result<(), StoreError> {
        self.share([raw], bytes)
    }

    /// Lets the same bytes take the place of many others; they are written once.
    pub fn share(&mut self, raws: impl IntoIterator<Item = RawRef>, bytes: &[u8]) -> Result<(), StoreError> {
        let span = Span { from: self.end, size: bytes.len() as u64 };
        self.out.write_all(bytes).map_err(failed)?;
        self.end += span.size;
        self.spans.extend(raws.into_iter().map(|raw| (raw, span)));
        Ok(())
    }

    /// Tells whether something takes the place of these bytes.
    pub fn holds(&self, raw: &RawRef) -> bool {
        self.spans.contains_key(raw)
    }

    /// Gives what takes which place.
    pub fn spans(&self) -> Vec<(RawRef, Span)> {
        self.spans.iter().map(|(raw, span)| (*raw, *span)).collect()
    }

    /// Lets the file stand under the name that a promise means, and survive a loss of power.
    pub(super) fn keep(mut self, dir: &Path) -> Result<(), StoreError> {
        self.out.flush().and_then(|()| self.out.get_ref().sync_all()).map_err(failed)?;
        files::put_in_place(&self.path, &promised(dir)).map_err(failed)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // Once it is kept, nothing stands there any more.
        let _ = fs::remove_file(&self.path);
    }
}

fn failed(error: io::Error) -> StoreError {
    StoreError::io("cannot write what takes the place of mails", &error)
}

fn promised(dir: &Path) -> PathBuf {
    dir.join(NAME)
}

/// Opens what is promised.
pub(super) fn open(dir: &Path) -> Result<File, StoreError> {
    File::open(promised(dir))
        .map_err(|error| StoreError::io("cannot read what takes the place of mails", &error))
}

/// Reads bytes that are promised.
pub(super) fn read(file: &File, span: Span) -> Result<Vec<u8>, StoreError> {
    let size =
        usize::try_from(span.size).map_err(|_| StoreError::Other("a promised mail is too large".into()))?;
    let mut bytes = vec![0; size];
    let read = file.read_exact_at(&mut bytes, span.from);
    read.map_err(|error| StoreError::io("cannot read what takes the place of mails", &error))?;
    Ok(bytes)
}

/// Takes away what is promised. What is being gathered for the next promise stays.
pub(super) fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_file(promised(dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes away what no promise names: all of it, or what was left by a stop. Nobody else may have the desk open.
pub(super) fn clear(dir: &Path, promise_stands: bool) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        if name.starts_with(NAME) && !(promise_stands && name == NAME) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
