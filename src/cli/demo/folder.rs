//! The folder of the demo: made for its owner only, and gone when the demo is.

use super::IN;
use crate::cli::print;
use crate::domain::Fault;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A folder that is removed when it is dropped, unless it is kept.
pub(super) struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    /// Makes a folder below that of the system for such things.
    pub fn temporary() -> Result<Self, Fault> {
        let name = format!("deskbell-demo-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        // Not recursive, so that a folder which somebody laid out for us is an error.
        DirBuilder::new().mode(0o700).create(&path).map_err(|e| cannot_make(&path, &e))?;
        Ok(Self { path, keep: false })
    }

    /// Makes a folder that stays. One that holds anything is refused.
    pub fn kept(path: &Path) -> Result<Self, Fault> {
        if path.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Fault::usage(format!("{} is not empty", path.display()))
                .hint("name a folder that is empty, or not there yet"));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| cannot_make(path, &e))?;
        let path = path.canonicalize().map_err(|e| cannot_make(path, &e))?;
        Ok(Self { path, keep: true })
    }

    /// Gives the place of something in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes the config and makes the Maildir that mail comes in by.
    pub fn prepare(&self, config: &str) -> Result<(), Fault> {
        let made = || -> io::Result<()> {
            fs::write(self.path("config.toml"), config)?;
            for part in ["tmp", "new", "cur"] {
                fs::create_dir_all(self.path(IN).join(part))?;
            }
            Ok(())
        };
        made().map_err(|e| cannot_make(&self.path, &e))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            print::aside(format_args!("note: {} could not be removed: {error}", self.path.display()));
        }
    }
}

fn cannot_make(path: &Path, error: &io::Error) -> Fault {
    Fault::refused(format!("the demo cannot use {}: {error}", path.display()))
        .hint("name another folder with --keep, or set TMPDIR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throw_away_folder_is_gone_and_a_kept_one_stays() {
        let folder = Folder::temporary().unwrap();
        folder.prepare("# x\n").unwrap();
        let path = folder.path("");
        assert!(path.join("in/new").is_dir());
        drop(folder);
        assert!(!path.exists());

        let dir = tempfile::tempdir().unwrap();
        let kept = Folder::kept(&dir.path().join("a/b")).unwrap();
        kept.prepare("# x\n").unwrap();
        let path = kept.path("");
        drop(kept);
        assert!(path.join("config.toml").exists());
        let fault = Folder::kept(&path).err().unwrap();
        assert!(fault.message.ends_with("is not empty"), "{fault}");
    }
}
