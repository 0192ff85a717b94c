//! Vanishing: what is taken out of the journal leaves everything that follows from it as well.
//!
//! Owns the order of it: the store promises and writes its journal anew, then the index is made anew and the
//! other files of the data dir are gone through, and only then the promise is fulfilled. A desk that was
//! stopped in between does its part when it is opened.

use super::{Desk, txn};
use crate::domain::{Cuts, Event, Fault, IntakeEntry, Lesson, Note, OutboxEntry, RawRef};
use crate::mail;
use crate::store::{Scrub, Spool};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A larger file of the data dir is gone through piece by piece.
const PIECE: usize = 8 << 20;
/// Octets by which pieces overlap; no text that is looked for is longer.
const OVERLAP: usize = 64 << 10;
/// What the store and the index make anew by themselves.
const MADE_ANEW: [&str; 4] = ["journal", "trees", "index", "scratch"];

impl Desk {
    /// Makes something vanish from the whole data dir. The caller holds the gate.
    pub(super) async fn vanish(&self, scrub: Scrub, spool: Spool) -> Result<(), Fault> {
        self.keep_promise().await?;
        let scrub = Scrub { spooled: spool.spans(), ..scrub };
        // What is still to be gone through are files, and they hold nothing but texts.
        let derived =
            Scrub { everywhere: scrub.everywhere.clone(), here: scrub.here.clone(), ..Scrub::default() };
        self.inner.store.rewrite(scrub, Some(spool)).await.map_err(txn::store_fault)?;
        self.clear_derived(&derived).await?;
        self.tell(Event::Missed);
        Ok(())
    }

    /// Does what is left of an earlier promise. Whoever makes something vanish does so first, so that nothing is
    /// said or gathered in vain where that cannot be done. The caller holds the gate.
    pub(super) async fn keep_promise(&self) -> Result<(), Fault> {
        match self.inner.store.promised().map_err(txn::store_fault)? {
            Some(before) => self.clear_derived(&before).await,
            None => Ok(()),
        }
    }

    /// Throws the index away where something is to vanish from it, before it is filled.
    pub(super) fn renew_if_promised(&self) -> Result<Option<Scrub>, Fault> {
        let promised = self.inner.store.promised().map_err(txn::store_fault)?;
        if promised.is_some() {
            self.inner.index.renew().map_err(|e| Fault::internal(e.to_string()))?;
        }
        Ok(promised)
    }

    /// Takes it out of all that was derived, and out of the other files.
    pub(super) async fn clear_derived(&self, scrub: &Scrub) -> Result<(), Fault> {
        self.renew_index().await?;
        let (dir, cuts) = (self.inner.store.dir().to_owned(), scrub.everywhere.clone());
        let all: Vec<_> = scrub.everywhere.iter().chain(&scrub.here).cloned().collect();
        let (cuts, all) = (ready(&cuts)?, ready(&all)?);
        let cleared = tokio::task::spawn_blocking(move || clear_files(&dir, &cuts, &all)).await;
        cleared
            .map_err(|e| Fault::internal(e.to_string()))?
            .map_err(|e| Fault::refused(format!("a file of the data dir cannot be gone through: {e}")))?;
        self.inner.store.fulfil().map_err(txn::store_fault)
    }

    /// Gathers every mail and file that holds the texts as it reads without them; what is gathered already is
    /// dealt with.
    pub(super) async fn gather_without(&self, cuts: &Cuts, spool: &mut Spool) -> Result<(), Fault> {
        if cuts.is_empty() {
            return Ok(());
        }
        for (raw, is_mail) in self.all_raws().await? {
            if spool.holds(&raw) {
                continue;
            }
            if let Some(left) = self.raw_without(raw, is_mail, cuts).await? {
                spool.put(raw, &left).map_err(txn::store_fault)?;
            }
        }
        Ok(())
    }

    /// Counts the mails, and the files that stand by themselves, which would read otherwise without the texts;
    /// those that change anyway count as well.
    pub(super) async fn count_without(
        &self,
        cuts: &Cuts,
        anyway: &BTreeSet<RawRef>,
    ) -> Result<(u64, u64), Fault> {
        let (mut mails, mut files) = (0, 0);
        for (raw, is_mail) in self.all_raws().await? {
            if anyway.contains(&raw) || self.raw_without(raw, is_mail, cuts).await?.is_some() {
                *(if is_mail { &mut mails } else { &mut files }) += 1;
            }
        }
        Ok((mails, files))
    }

    /// Gives raw bytes as they read without the texts; `None` where none of them stands there.
    async fn raw_without(&self, raw: RawRef, is_mail: bool, cuts: &Cuts) -> Result<Option<Vec<u8>>, Fault> {
        if cuts.is_empty() {
            return Ok(None);
        }
        let bytes = self.inner.store.raw(raw).await.map_err(txn::store_fault)?;
        let cuts = cuts.clone();
        let without = move || {
            let left = if is_mail { mail::without(&bytes, &cuts) } else { cuts.out_of(&bytes) };
            cuts.check().map(|()| left)
        };
        let left = tokio::task::spawn_blocking(without).await.map_err(|e| Fault::internal(e.to_string()))?;
        left.map_err(Fault::usage)
    }

    /// Lists all raw bytes, and whether they are a mail.
    async fn all_raws(&self) -> Result<BTreeMap<RawRef, bool>, Fault> {
        let store = &self.inner.store;
        let mut raws = BTreeMap::new();
        for note in txn::all::<Note>(store, &[]).await? {
            raws.extend(note.attachments.iter().filter_map(|file| Some((file.raw?, false))));
            raws.extend(note.raw.map(|raw| (raw, true)));
        }
        raws.extend(txn::all::<OutboxEntry>(store, &[]).await?.into_iter().map(|entry| (entry.raw, true)));
        let arrivals = txn::all::<IntakeEntry>(store, &[]).await?;
        raws.extend(arrivals.into_iter().filter_map(|entry| Some((entry.raw?, true))));
        let lessons = txn::all::<Lesson>(store, &[]).await?;
        raws.extend(lessons.into_iter().filter_map(|lesson| Some((lesson.raw?, true))));
        // And what only a canned reply or a change that can be taken back still names.
        for raw in store.live_raws().await.map_err(txn::store_fault)? {
            if let std::collections::btree_map::Entry::Vacant(place) = raws.entry(raw) {
                let bytes = store.raw(raw).await.map_err(txn::store_fault)?;
                place.insert(mail::read(&bytes).is_ok_and(|mail| mail.from.is_some()));
            }
        }
        Ok(raws)
    }

    /// Remembers where a backup was written, so that whoever takes something out can be told of it.
    pub(super) fn note_backup(&self, file: &Path) -> io::Result<()> {
        let mut known: BTreeSet<PathBuf> = self.backups().into_iter().map(PathBuf::from).collect();
        known.insert(file.to_owned());
        let mut list = tempfile::NamedTempFile::new_in(self.inner.store.dir())?;
        let names: Vec<String> = known.iter().map(|path| path.display().to_string()).collect();
        list.write_all(serde_json::to_string(&names)?.as_bytes())?;
        list.persist(self.inner.store.dir().join("backups"))?;
        Ok(())
    }

    /// Lists the backups that were written from this desk and still stand there.
    pub(super) fn backups(&self) -> Vec<String> {
        let list = fs::read(self.inner.store.dir().join("backups")).unwrap_or_default();
        let names: Vec<String> = serde_json::from_slice(&list).unwrap_or_default();
        names.into_iter().filter(|name| Path::new(name).exists()).collect()
    }
}

/// Gets texts ready to be looked for.
pub(super) fn ready(cuts: &[crate::domain::Cut]) -> Result<Cuts, Fault> {
    Cuts::new(cuts).map_err(Fault::usage)
}

/// Goes through all files of the data dir that nobody makes anew: logs, and mails in Maildirs.
fn clear_files(dir: &Path, cuts: &Cuts, all: &Cuts) -> io::Result<()> {
    if cuts.is_empty() && all.is_empty() {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let made_anew =
            name.to_str().is_some_and(|name| MADE_ANEW.contains(&name) || name.starts_with("rewrite"));
        if !made_anew {
            or_gone(clear_path(&entry.path(), cuts, all))?;
        }
    }
    cuts.check().and_then(|()| all.check()).map_err(io::Error::other)
}

/// A file that went away meanwhile holds nothing; a mail that moved within its Maildir is met where it is now.
fn or_gone(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn clear_path(path: &Path, cuts: &Cuts, all: &Cuts) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            or_gone(clear_path(&entry?.path(), cuts, all))?;
        }
        return Ok(());
    }
    // What somebody wrote by hand is theirs.
    if !meta.is_file() || path.extension().is_some_and(|end| end == "toml") {
        return Ok(());
    }
    let folder = path.parent().and_then(|folder| folder.file_name()).and_then(|name| name.to_str());
    match folder {
        Some("new" | "cur" | "tmp") => clear_mail(path, all),
        _ => cover(path, cuts),
    }
}

fn clear_mail(path: &Path, cuts: &Cuts) -> io::Result<()> {
    if let Some(left) = mail::without(&fs::read(path)?, cuts) {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder.parent().unwrap_or(folder))?;
        file.write_all(&left)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
    }
    Ok(())
}

/// Writes over texts where they stand, since the file may be open to be written.
fn cover(path: &Path, cuts: &Cuts) -> io::Result<()> {
    let file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    let mut at = 0;
    while at < length {
        let wanted = usize::try_from(length - at).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; wanted];
        file.read_exact_at(&mut piece, at)?;
        if cuts.cover(&mut piece) {
            let file = fs::OpenOptions::new().write(true).open(path)?;
            file.write_all_at(&piece, at)?;
            file.sync_all()?;
        }
        let step = if wanted == PIECE { PIECE - OVERLAP } else { wanted };
        at += step as u64;
    }
    Ok(())
}
