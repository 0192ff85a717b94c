//! Where a desk is: its folder, its lock, its socket.
//!
//! Whoever holds the lock owns the desk. The lock file names the owner's pid and socket, and clients read
//! it there.

use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// Octets that a socket's path may have (`sun_path` of unix(7), less its end).
const SOCKET_PATH: usize = 100;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The folder of a desk.
#[derive(Clone, Debug)]
pub struct Place {
    pub data_dir: PathBuf,
    /// Where the socket goes when its path in the folder would be too long.
    pub runtime_dir: PathBuf,
}

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub pid: u32,
    /// `None` while a one-shot command works.
    pub socket: Option<PathBuf>,
}

/// The lock, held until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Place {
    /// Makes the folder where it is missing, for its owner only.
    pub fn prepare(&self) -> io::Result<()> {
        if !self.data_dir.is_dir() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.data_dir)?;
        }
        Ok(())
    }

    /// Lets a group find the socket: it may enter the folder and read who serves, and nothing else there.
    /// Without one the folder is its owner's alone again.
    pub fn admit(&self, group: Option<u32>) -> io::Result<()> {
        let (folder, lock) = (self.data_dir.as_path(), self.lock_file());
        if group.is_none() && fs::metadata(folder)?.mode() & 0o777 != 0o710 {
            return Ok(());
        }
        for (path, alone, together) in [(folder, 0o700, 0o710), (&lock, 0o600, 0o640)] {
            let mode = if group.is_some() { together } else { alone };
            chown(path, None, group)?;
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }

    fn lock_file(&self) -> PathBuf {
        self.data_dir.join("lock")
    }

    /// Gives where the socket stands.
    pub fn socket(&self) -> PathBuf {
        let near = self.data_dir.join("desk.sock");
        if near.as_os_str().len() <= SOCKET_PATH {
            return near;
        }
        let name = blake3::hash(self.data_dir.as_os_str().as_encoded_bytes()).to_hex();
        self.runtime_dir.join(format!("deskbell-{}.sock", name.get(..16).unwrap_or_default()))
    }

    /// Takes the lock if nobody has it.
    pub fn try_lock(&self) -> io::Result<Option<Lock>> {
        self.prepare()?;
        let path = self.lock_file();
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                let mut lock = Lock { file };
                lock.name(None)?;
                Ok(Some(lock))
            }
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for the lock for at most `patience`; `None` when it stayed taken.
    pub async fn wait_for_lock(&self, patience: Duration) -> io::Result<Option<Lock>> {
        let until = Instant::now() + patience;
        loop {
            if let Some(lock) = self.try_lock()? {
                return Ok(Some(lock));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Reads who holds the lock; `None` when nobody does.
    pub fn owner(&self) -> io::Result<Option<Owner>> {
        let mut file = match File::open(self.lock_file()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => return Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(error) => return Err(error.into()),
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let mut lines = text.lines();
        let pid = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0);
        let socket = lines.next().filter(|line| !line.is_empty()).map(PathBuf::from);
        Ok(Some(Owner { pid, socket }))
    }
}

impl Lock {
    /// Writes who owns the desk into the lock file.
    pub fn name(&mut self, socket: Option<&Path>) -> io::Result<()> {
        let socket = socket.map(|path| path.display().to_string()).unwrap_or_default();
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{}\n{socket}", std::process::id())?;
        self.file.flush()
    }
}

/// Sets who may connect to a socket: its owner, and a group if one is given.
pub(super) fn guard_socket(path: &Path, group: Option<u32>) -> io::Result<()> {
    let mode = if group.is_some() { 0o660 } else { 0o600 };
    if let Some(group) = group {
        chown(path, None, Some(group))?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(dir: &Path) -> Place {
        Place { data_dir: dir.join("desk"), runtime_dir: dir.to_owned() }
    }

    #[test]
    fn only_one_holds_the_lock_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        assert_eq!(place.owner().unwrap(), None);
        let mut lock = place.try_lock().unwrap().unwrap();
        lock.name(Some(Path::new("/run/x.sock"))).unwrap();
        assert!(place.try_lock().unwrap().is_none());
        let owner = place.owner().unwrap().unwrap();
        assert_eq!(owner, Owner { pid: std::process::id(), socket: Some("/run/x.sock".into()) });
        drop(lock);
        assert_eq!(place.owner().unwrap(), None);
        let mode = fs::metadata(dir.path().join("desk")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_long_path_moves_the_socket_to_the_runtime_dir() {
        let dir = tempfile::tempdir().unwrap();
        let long = Place { data_dir: dir.path().join("x".repeat(120)), runtime_dir: "/run/user/1".into() };
        assert!(long.socket().starts_with("/run/user/1"));
        assert!(long.socket().as_os_str().len() <= SOCKET_PATH);
    }
}
