//! The file of the segment that is being written; the one place where a test lets a disk fail.

use super::files;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// An open segment.
#[derive(Debug)]
pub(super) struct Disk {
    file: File,
    faults: Faults,
}

impl Disk {
    /// Makes a segment that stands whole, under its name, or not at all.
    pub fn create(path: &Path, header: &[u8], faults: &Faults) -> io::Result<Self> {
        faults.before_write(header.len())?;
        files::write_whole(path, header)?;
        Self::open(path, faults)
    }

    /// Opens a segment that stands there.
    pub fn open(path: &Path, faults: &Faults) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Self { file, faults: faults.clone() })
    }

    pub fn write(&self, octets: &[u8], at: u64) -> io::Result<()> {
        let room = self.faults.room(octets.len());
        self.file.write_all_at(octets.get(..room).unwrap_or(octets), at)?;
        self.faults.before_write(octets.len())
    }

    /// Makes everything written survive a loss of power.
    pub fn sync(&self) -> io::Result<()> {
        self.faults.before_sync()?;
        self.file.sync_data()
    }

    pub fn cut(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
}

/// Outside tests, no fault is ever made.
#[cfg(not(test))]
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {}

#[cfg(not(test))]
impl Faults {
    #[allow(clippy::unused_self)]
    fn room(&self, wanted: usize) -> usize {
        wanted
    }
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    fn before_write(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    fn before_sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) use injected::Faults;

#[cfg(test)]
mod injected {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};

    /// Faults that a test asks for.
    #[derive(Clone, Debug)]
    pub struct Faults(Arc<Wanted>);

    #[derive(Debug)]
    struct Wanted {
        room: AtomicUsize,
        errno: AtomicI32,
        sync: AtomicBool,
    }

    impl Default for Faults {
        fn default() -> Self {
            let room = AtomicUsize::new(usize::MAX);
            Self(Arc::new(Wanted { room, errno: AtomicI32::new(0), sync: AtomicBool::new(false) }))
        }
    }

    impl Faults {
        /// Lets writes end after so many octets, with this error.
        pub fn fill_after(&self, room: usize, errno: i32) {
            self.0.errno.store(errno, SeqCst);
            self.0.room.store(room, SeqCst);
        }

        /// Lets syncs fail, or work again.
        pub fn fail_sync(&self, fail: bool) {
            self.0.sync.store(fail, SeqCst);
        }

        /// Ends all faults.
        pub fn mend(&self) {
            self.fill_after(usize::MAX, 0);
            self.fail_sync(false);
        }

        pub fn room(&self, wanted: usize) -> usize {
            wanted.min(self.0.room.load(SeqCst))
        }

        pub fn before_write(&self, wanted: usize) -> io::Result<()> {
            let room = self.0.room.load(SeqCst);
            if room < wanted {
                return Err(io::Error::from_raw_os_error(self.0.errno.load(SeqCst)));
            }
            if room != usize::MAX {
                self.0.room.store(room - wanted, SeqCst);
            }
            Ok(())
        }

        pub fn before_sync(&self) -> io::Result<()> {
            if self.0.sync.load(SeqCst) { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
        }
    }
}
