//! Files and folders of the data dir: their modes, and writing one so that it stands whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes a folder that only its owner enters, with all above it.
pub(super) fn make_folder(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Opens a new, empty file that only its owner reads.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Makes what was created or renamed in a folder survive a loss of power.
pub(super) fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Writes a file so that it stands whole or not at all, even after a loss of power.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = beside(path, "tmp");
    let mut file = create(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    put_in_place(&draft, path)
}

/// Renames a synced file to its name, and syncs the folder.
pub(super) fn put_in_place(draft: &Path, path: &Path) -> io::Result<()> {
    fs::rename(draft, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Gives the path with a further extension.
pub(super) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// Gives a path in `folder` beginning with `name` at which nothing stands yet.
pub(super) fn free_name(folder: &Path, name: &str) -> PathBuf {
    let numbered = |n: u32| folder.join(if n == 1 { name.to_owned() } else { format!("{name}-{n}") });
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| folder.join(name))
}

/// Takes group and others their rights on all files within a folder, and syncs them.
///
/// sled makes its files with whatever mode the process has set, and never syncs them.
pub(super) fn seal_folder(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700))?;
            seal_folder(&entry.path())?;
        } else {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_folder(dir)
}

/// Counts the octets of all files in a folder; what cannot be read counts as nothing.
pub(super) fn octets(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let each = entries.map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => octets(&entry.path()),
        _ => entry.metadata().map_or(0, |meta| meta.len()),
    });
    each.sum()
}

/// Gives the octets that the owner of the data dir may still write.
pub(super) fn free_space(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
