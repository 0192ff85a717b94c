//! A Maildir that something else delivers into (<https://cr.yp.to/proto/maildir.html>).
//!
//! A mail is known by its unique name, without the flags behind the colon: those change when it is read.

use super::{SourceError, Stage, Wake};
use crate::config::AfterDelivery;
use jiff::Timestamp;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{ModifyKind, RenameMode},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};

/// How often a Maildir is looked into where the system cannot tell of changes.
const POLL: Duration = Duration::from_secs(5);

/// A Maildir.
#[derive(Clone, Debug)]
pub struct MaildirSource {
    path: PathBuf,
}

/// A mail in a Maildir.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFile {
    /// Its unique name, without flags.
    pub name: String,
    /// Octets.
    pub size: u64,
    /// When it was delivered.
    pub received_at: Option<Timestamp>,
    pub flagged: bool,
    pub answered: bool,
    pub seen: bool,
}

/// Where a mail lies now, and its flags.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    flags: String,
}

impl MaildirSource {
    /// Opens a Maildir, which must be there.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let is_maildir = ["new", "cur"].iter().all(|part| path.join(part).is_dir());
        match is_maildir {
            true => Ok(Self { path: path.to_owned() }),
            false => Err(SourceError::new(Stage::Files, format!("{} is no Maildir", path.display()))
                .hint("`path` names the folder that holds new, cur and tmp, and must be readable")),
        }
    }

    /// Lists every mail, read or not, oldest delivery first.
    pub async fn list(&self) -> Result<Vec<MailFile>, SourceError> {
        self.blocking(|maildir| {
            let mut files = Vec::new();
            for part in ["new", "cur"] {
                for entry in fs::read_dir(maildir.path.join(part))? {
                    files.extend(mail_file(&entry?));
                }
            }
            files.sort_by(|a, b| order(a).cmp(&order(b)));
            files.dedup_by(|a, b| a.name == b.name);
            Ok(files)
        })
        .await
    }

    /// Reads a mail; `None` when it is gone by now.
    pub async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, MailFile)>, SourceError> {
        let name = name.to_owned();
        self.blocking(move |maildir| {
            let Some(place) = maildir.locate(&name)? else { return Ok(None) };
            let bytes = match fs::read(&place.path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                read => read?,
            };
            let meta = fs::metadata(&place.path).ok();
            Ok(Some((bytes, described(name, &place.flags, meta.as_ref()))))
        })
        .await
    }

    /// Does with a mail what the config says, once the desk holds it; one that is gone is settled.
    pub async fn settle(&self, name: &str, after: &AfterDelivery) -> Result<(), SourceError> {
        let (name, after) = (name.to_owned(), after.clone());
        self.blocking(move |maildir| {
            let Some(place) = maildir.locate(&name)? else { return Ok(()) };
            let done = match &after {
                AfterDelivery::Nothing => Ok(()),
                AfterDelivery::Seen => maildir.mark(&name, &place, "S"),
                AfterDelivery::Delete { expunge: false } => maildir.mark(&name, &place, "ST"),
                AfterDelivery::Delete { expunge: true } => fs::remove_file(&place.path),
                AfterDelivery::Move(folder) => maildir.relocate(&name, &place, folder),
            };
            match done {
                Err(e) if e.kind() == io::ErrorKind::NotFound && !place.path.exists() => Ok(()),
                done => done,
            }
        })
        .await
    }

    /// Begins to watch for mail.
    pub fn watch(&self) -> MaildirWatch {
        let (tell, told) = mpsc::channel(1);
        let on_event = move |event: notify::Result<Event>| {
            if event.map_or(true, |event| is_arrival(event.kind)) {
                // A full channel already says that there is news.
                let _ = tell.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(on_event).and_then(|mut watcher| {
            watcher.watch(&self.path.join("new"), RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        if let Err(e) = &watcher {
            tracing::warn!(path = %self.path.display(), "cannot be watched, so it is polled: {e}");
        }
        MaildirWatch { told, watcher: watcher.ok() }
    }

    /// Finds a mail under its unique name, whatever its flags are now.
    fn locate(&self, name: &str) -> io::Result<Option<Place>> {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Ok(None);
        }
        let usual = [("new", "", ""), ("cur", ":2,", ""), ("cur", ":2,S", "S"), ("cur", "", "")];
        for (part, suffix, flags) in usual {
            let path = self.path.join(part).join(format!("{name}{suffix}"));
            if path.is_file() {
                return Ok(Some(Place { path, flags: flags.to_owned() }));
            }
        }
        for part in ["cur", "new"] {
            for entry in fs::read_dir(self.path.join(part))? {
                let entry = entry?;
                let file = entry.file_name();
                let (base, flags) = parted(&file.to_string_lossy());
                if base == name {
                    return Ok(Some(Place { path: entry.path(), flags }));
                }
            }
        }
        Ok(None)
    }

    /// Moves a mail to `cur` with further flags.
    fn mark(&self, name: &str, place: &Place, more: &str) -> io::Result<()> {
        let to = self.path.join("cur").join(flagged(name, &place.flags, more));
        if to == place.path { Ok(()) } else { fs::rename(&place.path, to) }
    }

    /// Moves a mail to a folder as Maildir++ has them, `.Done.2026`.
    fn relocate(&self, name: &str, place: &Place, folder: &str) -> io::Result<()> {
        let folder: String = folder.trim_matches(['/', '.']).replace(['/', '\0'], ".");
        let target = self.path.join(format!(".{folder}"));
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(target.join(part))?;
        }
        fs::rename(&place.path, target.join("cur").join(flagged(name, &place.flags, "")))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, SourceError> {
        let maildir = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&maildir)).await;
        done.unwrap_or_else(|e| Err(io::Error::other(e))).map_err(|e| {
            SourceError::new(Stage::Files, format!("{}: {e}", self.path.display()))
                .hint("check that this user may read and write the Maildir")
        })
    }
}

/// A watch on a Maildir.
#[derive(Debug)]
pub struct MaildirWatch {
    told: mpsc::Receiver<()>,
    /// Told of changes as long as it lives.
    watcher: Option<RecommendedWatcher>,
}

impl MaildirWatch {
    /// Waits for mail, at most `patience`; it may come back early without news where it has to poll.
    pub async fn wait(&mut self, patience: Duration) -> Wake {
        let patience = if self.watcher.is_some() { patience } else { patience.min(POLL) };
        match timeout(patience, self.told.recv()).await {
            Ok(Some(())) => Wake::News,
            // Without a watcher the channel is closed, and nobody will ever tell.
            Ok(None) => {
                tokio::time::sleep(patience).await;
                Wake::Timeout
            }
            Err(_) => Wake::Timeout,
        }
    }
}

fn is_arrival(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Any | EventKind::Other => true,
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => false,
        EventKind::Modify(ModifyKind::Name(_)) => true,
        _ => false,
    }
}

/// Parts a file's name into its unique name and its flags.
fn parted(file: &str) -> (String, String) {
    match file.split_once(':') {
        Some((name, info)) => (name.to_owned(), info.strip_prefix("2,").unwrap_or_default().to_owned()),
        None => (file.to_owned(), String::new()),
    }
}

/// Gives a file's name with its flags in their order.
fn flagged(name: &str, flags: &str, more: &str) -> String {
    let mut all: Vec<char> = flags.chars().chain(more.chars()).collect();
    all.sort_unstable();
    all.dedup();
    format!("{name}:2,{}", all.into_iter().collect::<String>())
}

fn mail_file(entry: &fs::DirEntry) -> Option<MailFile> {
    let file = entry.file_name();
    let file = file.to_string_lossy();
    // What went away between the two looks is not listed.
    let meta = fs::metadata(entry.path()).ok().filter(fs::Metadata::is_file)?;
    let (name, flags) = parted(&file);
    (!name.starts_with('.')).then(|| described(name, &flags, Some(&meta)))
}

fn described(name: String, flags: &str, meta: Option<&fs::Metadata>) -> MailFile {
    let modified = meta.and_then(|meta| meta.modified().ok());
    MailFile {
        name,
        size: meta.map_or(0, fs::Metadata::len),
        received_at: modified.and_then(|at| Timestamp::try_from(at).ok()),
        flagged: flags.contains('F'),
        answered: flags.contains('R'),
        seen: flags.contains('S'),
    }
}

/// Orders by the seconds that a unique name begins with, then by name.
fn order(file: &MailFile) -> (u64, &str) {
    let digits = file.name.find(|c: char| !c.is_ascii_digit()).unwrap_or(file.name.len());
    let seconds = file.name.split_at_checked(digits).and_then(|(digits, _)| digits.parse().ok());
    (seconds.unwrap_or_default(), &file.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn maildir(files: &[&str]) -> (TempDir, MaildirSource) {
        let folder = tempfile::tempdir().unwrap();
        for part in ["new", "cur", "tmp"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        for file in files {
            fs::write(folder.path().join(file), file).unwrap();
        }
        let source = MaildirSource::open(folder.path()).unwrap();
        (folder, source)
    }

    fn tree(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = walk(folder, folder);
        names.sort();
        names
    }

    fn walk(base: &Path, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        entries
            .flat_map(|entry| match entry.path().is_dir() {
                true => walk(base, &entry.path()),
                false => vec![entry.path().strip_prefix(base).unwrap().display().to_string()],
            })
            .collect()
    }

    #[tokio::test]
    async fn mails_are_listed_by_time_under_their_unique_names() {
        let (_folder, source) =
            maildir(&["new/20.a", "cur/100.b:2,FRS", "cur/3.c:2,", "tmp/1.x", "new/.hidden"]);
        let files = source.list().await.unwrap();
        let names: Vec<_> = files.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["3.c", "20.a", "100.b"]);
        assert!(files[2].flagged && files[2].answered && files[2].seen);
        assert!(!files[1].seen && files[1].received_at.is_some() && files[1].size == 8);
    }

    #[tokio::test]
    async fn a_mail_is_read_whatever_its_flags_are() {
        let (_folder, source) = maildir(&["new/1.a", "cur/2.b:2,PRS"]);
        assert_eq!(source.read("1.a").await.unwrap().unwrap().0, b"new/1.a");
        assert!(source.read("2.b").await.unwrap().unwrap().1.answered);
        for gone in ["3.c", "", "../new/1.a", "1"] {
            assert_eq!(source.read(gone).await.unwrap(), None, "{gone}");
        }
    }

    #[tokio::test]
    async fn after_delivery_a_mail_is_read_moved_deleted_or_left() {
        let (folder, source) =
            maildir(&["new/1.a", "cur/2.b:2,F", "new/3.c", "new/4.d", "new/5.e", "cur/6.f:2,S"]);
        let settle = async |name: &str, after: AfterDelivery| {
            // The second time must be harmless.
            source.settle(name, &after).await.unwrap();
            source.settle(name, &after).await.unwrap();
        };
        settle("1.a", AfterDelivery::Seen).await;
        settle("2.b", AfterDelivery::Seen).await;
        settle("3.c", AfterDelivery::Delete { expunge: true }).await;
        settle("4.d", AfterDelivery::Move("Done/2026".into())).await;
        settle("5.e", AfterDelivery::Nothing).await;
        settle("6.f", AfterDelivery::Delete { expunge: false }).await;
        settle("7.g", AfterDelivery::Seen).await;
        insta::assert_snapshot!(tree(folder.path()).join("\n"), @r"
        .Done.2026/cur/4.d:2,
        cur/1.a:2,S
        cur/2.b:2,FS
        cur/6.f:2,ST
        new/5.e
        ");
    }

    #[tokio::test]
    async fn a_delivery_wakes_who_waits() {
        let (folder, source) = maildir(&[]);
        let mut watch = source.watch();
        fs::write(folder.path().join("tmp/1.a"), "x").unwrap();
        fs::rename(folder.path().join("tmp/1.a"), folder.path().join("new/1.a")).unwrap();
        assert_eq!(watch.wait(Duration::from_secs(20)).await, Wake::News);
        assert_eq!(watch.wait(Duration::from_millis(1)).await, Wake::Timeout);
    }

    #[test]
    fn what_is_no_maildir_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let error = MaildirSource::open(folder.path()).unwrap_err();
        assert_eq!(error.stage, Stage::Files);
    }
}
