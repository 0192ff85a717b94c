//! Files in a packed archive (tar, gzip), whoever made it.
//!
//! Nothing is ever written under a name that the archive gives, links and devices are not followed, and what
//! comes out has an end. Knows nothing of what the files mean.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path};

/// The most that an archive may unpack to, in octets.
const UNPACKED_MAX: u64 = 32 << 30;
/// The most files.
const FILES_MAX: usize = 1_000_000;

/// A file of an archive.
pub struct Packed<'a> {
    /// Its path within the archive, with `/` between its parts, none of which is `..`.
    pub path: String,
    /// Octets.
    pub size: u64,
    pub content: &'a mut dyn Read,
}

/// Hands over each file of an archive in its order; gives what was left out, in words.
///
/// # Errors
/// The archive does not read, holds too much, or `hand` failed.
pub fn each_file(path: &Path, mut hand: impl FnMut(Packed<'_>) -> io::Result<()>) -> io::Result<Vec<String>> {
    let limit = Bounded { inner: MultiGzDecoder::new(BufReader::new(File::open(path)?)), left: UNPACKED_MAX };
    let mut archive = tar::Archive::new(limit);
    let mut left_out = Vec::new();
    for (number, entry) in archive.entries()?.enumerate() {
        if number >= FILES_MAX {
            return Err(io::Error::other(format!("the archive holds more than {FILES_MAX} files")));
        }
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        match plain_path(&shown) {
            Some(path) if kind.is_file() => {
                hand(Packed { path, size: entry.size(), content: &mut entry })?;
            }
            Some(_) => left_out.push(format!("{shown}: a link or device is not followed")),
            None => left_out.push(format!("{shown}: a path that leads out of the archive")),
        }
    }
    Ok(left_out)
}

/// Gives a path that stays where it is.
fn plain_path(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Reads no more than it may.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| {
            io::Error::other(format!("the archive unpacks to more than {UNPACKED_MAX} octets"))
        })?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn archive(dir: &Path, fill: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> std::path::PathBuf {
        let mut builder = tar::Builder::new(Vec::new());
        fill(&mut builder);
        let path = dir.join("x.tar.gz");
        let file = File::create(&path).unwrap();
        let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packer.write_all(&builder.into_inner().unwrap()).unwrap();
        packer.finish().unwrap();
        path
    }

    fn add(builder: &mut tar::Builder<Vec<u8>>, name: &str, kind: tar::EntryType, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        // The library refuses such names, so they are written by hand.
        let field = &mut header.as_old_mut().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        if !kind.is_file() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }

    #[test]
    fn files_come_in_order_and_what_leads_out_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = archive(dir.path(), |builder| {
            add(builder, "./tree/a", tar::EntryType::Regular, b"one");
            add(builder, "../escape", tar::EntryType::Regular, b"two");
            add(builder, "/etc/absolute", tar::EntryType::Regular, b"three");
            add(builder, "uploads/link", tar::EntryType::Symlink, b"");
            add(builder, "uploads/hard", tar::EntryType::Link, b"");
            add(builder, "tree/b", tar::EntryType::Regular, b"four");
        });
        let mut found = Vec::new();
        let left_out = each_file(&path, |file| {
            let mut text = String::new();
            file.content.read_to_string(&mut text)?;
            found.push((file.path, file.size, text));
            Ok(())
        })
        .unwrap();
        let wanted = [("tree/a", 3, "one"), ("tree/b", 4, "four")];
        assert_eq!(found, wanted.map(|(path, size, text)| (path.to_owned(), size, text.to_owned())));
        assert_eq!(left_out.len(), 4, "{left_out:?}");
    }

    #[test]
    fn what_is_no_archive_or_cut_short_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = archive(dir.path(), |builder| add(builder, "a", tar::EntryType::Regular, &[7; 5000]));
        let whole = std::fs::read(&path).unwrap();
        for bytes in [&b"no archive"[..], &whole[..whole.len() / 2]] {
            std::fs::write(&path, bytes).unwrap();
            let read = each_file(&path, |file| io::copy(file.content, &mut io::sink()).map(drop));
            assert!(read.is_err());
        }
    }

    #[test]
    fn what_comes_out_has_an_end() {
        let mut bounded = Bounded { inner: io::repeat(0), left: 10 };
        assert!(io::copy(&mut bounded, &mut io::sink()).is_err());
    }
}
