//! Mail in files that somebody names: a message, an mbox, a Maildir, any folder.
//!
//! Sources are only ever read. Works without async, for a thread of its own; holds one mail at a time.

mod mbox;

use jiff::Timestamp;
use mbox::Mbox;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    vec,
};

/// Largest mail that is read, in octets.
pub const MAIL_MAX: u64 = 512 * 1024 * 1024;

/// Deepest nesting of folders that is followed.
const DEPTH_MAX: usize = 64;

/// A mail that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMail {
    /// The path as it was given, with the name inside the folder behind it.
    pub path: String,
    /// Its place in an mbox, from 0.
    pub index: Option<u32>,
    pub bytes: Vec<u8>,
    /// When it was delivered, as far as the mbox or the file's time tells.
    pub received_at: Option<Timestamp>,
}

/// A file that cannot be read; the others go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct FileError {
    pub path: String,
    pub index: Option<u32>,
    pub message: String,
}

/// Goes through every mail under `paths`: files in name order, folders within folders.
///
/// Hidden files are left out, and in a Maildir everything but `cur`, `new` and its subfolders.
pub fn walk(paths: &[PathBuf]) -> Walk {
    let named: Vec<PathBuf> = paths.to_vec();
    Walk { levels: vec![named.into_iter()], mbox: None, named: true }
}

/// Takes off the `From ` line that some MTAs put above a mail when they pipe it to a program.
pub fn without_envelope_line(mut mail: Vec<u8>) -> Vec<u8> {
    if mbox::begins(&mail) {
        let end = mail.iter().position(|byte| *byte == b'\n').map_or(mail.len(), |at| at + 1);
        mail.drain(..end);
    }
    mail
}

/// The mails under some paths, one after the other.
#[derive(Debug)]
pub struct Walk {
    /// What is left in each folder that is open, the innermost last.
    levels: Vec<vec::IntoIter<PathBuf>>,
    mbox: Option<(PathBuf, Mbox<BufReader<File>>)>,
    /// Whether we are among the paths that were named, where links to folders count.
    named: bool,
}

impl Iterator for Walk {
    type Item = Result<FoundMail, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.next_of_mbox() {
                return Some(found);
            }
            self.named = self.levels.len() == 1;
            let Some(path) = self.levels.last_mut()?.next() else {
                self.levels.pop();
                continue;
            };
            match self.enter(&path) {
                Ok(None) => {}
                Ok(Some(found)) => return Some(Ok(found)),
                Err(e) => return Some(Err(unreadable(&path, None, &e))),
            }
        }
    }
}

impl Walk {
    fn next_of_mbox(&mut self) -> Option<Result<FoundMail, FileError>> {
        let (path, mbox) = self.mbox.as_mut()?;
        let index = mbox.index();
        let found = match mbox.next() {
            None => {
                self.mbox = None;
                return None;
            }
            Some(Ok((bytes, received_at))) => {
                Ok(FoundMail { path: shown(path), index: Some(index), bytes, received_at })
            }
            Some(Err(e)) => Err(unreadable(path, Some(index), &e)),
        };
        Some(found)
    }

    /// Opens a file or folder; gives a mail where the file is one.
    fn enter(&mut self, path: &Path) -> io::Result<Option<FoundMail>> {
        let meta = if self.named { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
        if meta.is_symlink() {
            // A link inside a folder may name a file, but no folder: it could lead in circles.
            return if fs::metadata(path)?.is_file() { self.read(path) } else { Ok(None) };
        }
        if meta.is_dir() {
            if self.levels.len() > DEPTH_MAX {
                return Err(io::Error::other("folders are nested too deeply"));
            }
            self.levels.push(inside(path)?.into_iter());
            return Ok(None);
        }
        if !meta.is_file() {
            return Err(io::Error::other("it is neither a file nor a folder"));
        }
        self.read(path)
    }

    fn read(&mut self, path: &Path) -> io::Result<Option<FoundMail>> {
        let file = File::open(path)?;
        let meta = file.metadata()?;
        let modified = meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        let mut reader = BufReader::new(file);
        if mbox::begins(reader.fill_buf()?) {
            self.mbox = Some((path.to_owned(), Mbox::new(reader, modified)));
            return Ok(None);
        }
        let mut bytes = Vec::new();
        reader.take(MAIL_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAIL_MAX {
            return Err(too_large());
        }
        Ok(Some(FoundMail { path: shown(path), index: None, bytes, received_at: modified }))
    }
}

/// Lists what counts in a folder, by name.
fn inside(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let parts = ["cur", "new", "tmp"];
    let is_maildir = parts.iter().all(|part| folder.join(part).is_dir());
    let counts = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.');
        match is_maildir {
            true => name != "tmp" && entry.path().is_dir(),
            false => !hidden,
        }
    };
    Ok(entries.into_iter().filter(counts).map(|entry| folder.join(entry.file_name())).collect())
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn unreadable(path: &Path, index: Option<u32>, error: &io::Error) -> FileError {
    FileError { path: shown(path), index, message: error.to_string() }
}

fn too_large() -> io::Error {
    io::Error::other(format!("it is larger than {} MiB", MAIL_MAX >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[PathBuf], base: &Path) -> String {
        let prefix = format!("{}/", base.display());
        let line = |item: Result<FoundMail, FileError>| match item {
            Ok(mail) => {
                let index = mail.index.map_or(String::new(), |i| format!(" [{i}]"));
                format!("{}{index} {:?}", mail.path, String::from_utf8_lossy(&mail.bytes))
            }
            Err(e) => format!("{} failed", e.path),
        };
        walk(paths).map(line).collect::<Vec<_>>().join("\n").replace(&prefix, "")
    }

    #[test]
    fn every_file_is_found_in_name_order_and_a_bad_one_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for dir in ["in/b", "in/box/cur", "in/box/new", "in/box/tmp", "in/box/.Sent/cur"] {
            fs::create_dir_all(at(dir)).unwrap();
        }
        for (name, text) in [
            ("in/a.eml", "A"),
            ("in/b/1.eml", "B1"),
            ("in/b/0.eml", ""),
            ("in/.hidden", "no"),
            ("in/box/cur/2:2,S", "cur"),
            ("in/box/new/1", "new"),
            ("in/box/tmp/3", "no"),
            ("in/box/dovecot-uidlist", "no"),
            ("in/box/.Sent/cur/1", "sent"),
            ("in/c.mbox", "From a Thu Jan  1 10:00:00 2026\nX\n\nFrom b Thu Jan  1 10:00:00 2026\nY\n"),
        ] {
            fs::write(at(name), text).unwrap();
        }
        std::os::unix::fs::symlink(at("in"), at("in/loop")).unwrap();
        std::os::unix::fs::symlink(at("in/none"), at("in/dangling")).unwrap();
        insta::assert_snapshot!(found(&[at("in"), at("missing"), at("in/a.eml")], folder.path()), @r#"
        in/a.eml "A"
        in/b/0.eml ""
        in/b/1.eml "B1"
        in/box/.Sent/cur/1 "sent"
        in/box/cur/2:2,S "cur"
        in/box/new/1 "new"
        in/c.mbox [0] "X\n"
        in/c.mbox [1] "Y\n"
        in/dangling failed
        missing failed
        in/a.eml "A"
        "#);
    }

    #[test]
    fn a_piped_mail_loses_the_line_of_its_envelope_and_nothing_else() {
        for (before, after) in [
            ("From a@b Thu Jan  1 10:00:00 2026\nSubject: x\n\nb", "Subject: x\n\nb"),
            ("From: a@b\nSubject: x\n", "From: a@b\nSubject: x\n"),
            ("From a Thu Jan  1 10:00:00 2026", ""),
            ("", ""),
        ] {
            assert_eq!(without_envelope_line(before.into()), after.as_bytes(), "{before:?}");
        }
    }

    #[test]
    fn a_path_is_shown_as_it_was_given() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "x").unwrap();
        let given = PathBuf::from(format!("{}/./", folder.path().display()));
        let mail = walk(std::slice::from_ref(&given)).next().unwrap().unwrap();
        assert_eq!(mail.path, given.join("a").to_string_lossy());
        assert!(mail.received_at.is_some());
    }
}
