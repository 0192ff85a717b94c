//! The small file that tells how the store was left: cleanly or not, under which boot, with which segment.

use super::{StoreError, files};
use crate::domain::Seq;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Left {
    /// Whether everything derived was synced before the store was closed.
    clean: bool,
    /// The kernel's name for this run of the machine; files that were never synced outlive only processes.
    boot: Option<String>,
    /// The greatest segment.
    segment: u64,
    /// What the files of the trees looked like, after a clean end.
    trees: Option<String>,
    /// Where the greatest segment ended, and its last frame, after a clean end.
    end: Option<(u64, Seq)>,
    /// What those who closed the desk want to know before it is opened again.
    farewell: Option<String>,
}

/// The file, and what it says.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    left: Left,
}

impl State {
    /// Reads what the last one left; what does not read counts as an unclean end.
    pub fn read(dir: &Path) -> Self {
        let path = dir.join("state");
        let left = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { path, left: left.unwrap_or_default() }
    }

    /// Gives the greatest segment there ever was, as far as is known.
    pub fn segment(&self) -> u64 {
        self.left.segment
    }

    /// Tells whether files that were written and never synced may have been lost.
    pub fn lost_power(&self) -> bool {
        !self.left.clean && (self.left.boot.is_none() || self.left.boot != boot())
    }

    /// Tells whether the files of the trees are surely those that the last one left.
    pub fn left_as_is(&self, trees: &Path) -> bool {
        self.left.clean && self.left.trees.is_some() && self.left.trees == looks(trees)
    }

    /// Gives where the greatest segment ended and its last frame, if it was left cleanly.
    pub fn end(&self) -> Option<(u64, Seq)> {
        self.left.end.filter(|_| self.left.clean)
    }

    /// Gives what was said when the store was closed, if nobody wrote to it since.
    pub fn farewell(&self, trees: &Path) -> Option<&str> {
        self.left.farewell.as_deref().filter(|_| self.left_as_is(trees))
    }

    /// Notes that the store is open.
    pub fn set_open(&mut self, segment: u64) -> Result<(), StoreError> {
        self.write(Left { boot: boot(), segment, ..Left::default() })
    }

    /// Notes a new segment.
    pub fn set_segment(&mut self, segment: u64) -> Result<(), StoreError> {
        self.write(Left { segment, ..self.left.clone() })
    }

    /// Notes a clean end, and where the greatest segment ends.
    pub fn set_clean(
        &mut self,
        trees: &Path,
        end: (u64, Seq),
        farewell: Option<String>,
    ) -> Result<(), StoreError> {
        let left = Left { clean: true, trees: looks(trees), end: Some(end), farewell, ..self.left.clone() };
        self.write(left)
    }

    fn write(&mut self, left: Left) -> Result<(), StoreError> {
        let text = serde_json::to_vec(&left).map_err(|error| StoreError::Other(error.to_string()))?;
        files::write_whole(&self.path, &text)
            .map_err(|error| StoreError::io("cannot note the state of the store", &error))?;
        self.left = left;
        Ok(())
    }
}

fn boot() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
}

/// Gives what changes whenever somebody writes to a file of the folder or exchanges one.
fn looks(folder: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        let meta = entry.metadata().ok()?;
        let name = entry.file_name().into_string().ok()?;
        files.push(format!("{name} {} {} {}.{}", meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()));
    }
    files.sort_unstable();
    Some(blake3::hash(files.join("\n").as_bytes()).to_hex().to_string())
}
