//! The index: what is derived from the journal for lists and search.
//!
//! Owns the rows of all issues, in memory, and the full text, on disk (tantivy). It is fed values and can
//! be thrown away at any time; it must not know the store, nor who feeds it.

mod cut;
mod find;
mod rows;
mod text;
mod writer;

use crate::domain::query::{Query, Viewer};
use crate::domain::{Issue, IssueId, IssueRow, Note, NoteId, OutboxState, ProjectId, Seq};
use rows::Rows;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use writer::Texts;

/// Why the index could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("cannot use the folder of the index, {}: {reason}", path.display())]
    Folder { path: PathBuf, reason: std::io::Error },
    #[error("the index in {} is in use by another process", path.display())]
    Locked { path: PathBuf },
    #[error("cannot make the full-text index in {}: {reason}", path.display())]
    Text { path: PathBuf, reason: tantivy::TantivyError },
}

/// Something that changed, and that lists or search can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// An issue, new or changed.
    Issue(Issue),
    IssueGone(IssueId),
    /// A note, new or changed. It may come before its issue.
    Note(Note),
    /// A note that was taken back.
    NoteGone {
        issue: IssueId,
        note: NoteId,
    },
    /// A project, new or renamed. It may come after its issues.
    Project {
        id: ProjectId,
        path: String,
    },
    /// Up to which note somebody has read; an earlier note than before makes later ones unread again.
    Read {
        user: String,
        issue: IssueId,
        note: NoteId,
    },
    /// The worst state of an issue's mails that somebody should look at.
    Trouble {
        issue: IssueId,
        state: Option<OutboxState>,
    },
}

impl Update {
    /// Gives the issue that looks different now, if it is one.
    pub fn issue(&self) -> Option<IssueId> {
        match self {
            Self::Issue(issue) => Some(issue.id),
            Self::IssueGone(issue)
            | Self::NoteGone { issue, .. }
            | Self::Read { issue, .. }
            | Self::Trouble { issue, .. } => Some(*issue),
            Self::Note(note) => Some(note.issue),
            Self::Project { .. } => None,
        }
    }
}

/// A window of what a query finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many issues there are in all.
    pub total: u64,
    /// Those in the window, in order.
    pub issues: Vec<IssueId>,
}

/// Rows and texts of all issues. Clones share one index; its writer ends with the last of them.
#[derive(Clone)]
pub struct Index {
    dir: Arc<Path>,
    rows: Arc<RwLock<Rows>>,
    /// In a lock of its own, because a rebuild puts new ones in their place.
    texts: Arc<RwLock<Arc<Texts>>>,
}

impl Index {
    /// Opens the full text in `dir`, and tells up to where it has read; the rows start empty.
    ///
    /// A full text that is broken or of another version is thrown away and starts at `Seq(0)`.
    pub fn open(dir: &Path) -> Result<(Self, Seq), IndexError> {
        let texts = Arc::new(Texts::open(dir)?);
        let seq = texts.seq();
        let texts = Arc::new(RwLock::new(texts));
        Ok((Self { dir: dir.into(), rows: Arc::default(), texts }, seq))
    }

    /// Takes in what the frame `seq` changed. Frames come in order; those that came before do no harm.
    ///
    /// Rows and words are found when it returns. It waits while the full text is far behind.
    pub fn apply(&self, seq: Seq, updates: &[Update]) {
        self.load(seq, updates);
        self.loaded(seq);
    }

    /// Takes in documents that frame `written` wrote last, in any order of frames; [`Self::loaded`] ends this.
    pub fn load(&self, written: Seq, updates: &[Update]) {
        let new_text = written > self.texts().seq();
        let notes = updates.iter().filter_map(text::of_note);
        let mut works: Vec<_> = if new_text { notes.collect() } else { Vec::new() };
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for update in updates {
            works.extend(rows.apply(update).filter(|_| new_text));
        }
        drop(rows);
        self.texts().push(works);
    }

    /// Says that everything up to the frame `seq` was taken in.
    pub fn loaded(&self, seq: Seq) {
        self.texts().mark(seq);
    }

    /// Throws every row and every text away, for filling it anew from the beginning.
    pub fn renew(&self) -> Result<(), IndexError> {
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        texts.close();
        let gone = std::fs::remove_dir_all(&self.dir);
        gone.map_err(|reason| IndexError::Folder { path: self.dir.to_path_buf(), reason })?;
        *texts = Arc::new(Texts::open(&self.dir)?);
        *self.rows.write().unwrap_or_else(PoisonError::into_inner) = Rows::default();
        Ok(())
    }

    fn texts(&self) -> Arc<Texts> {
        self.texts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until all texts so far are on disk, or cannot be written now.
    pub fn flush(&self) {
        self.texts().flush();
    }

    /// Gives the frame up to which texts are on disk.
    pub fn text_seq(&self) -> Seq {
        self.texts().seq()
    }

    /// Says why texts cannot be written now, if so. They are tried again; search goes on meanwhile.
    pub fn trouble(&self) -> Option<String> {
        self.texts().trouble()
    }

    /// Reads all of the full text, and says what is damaged: files by name, or why it cannot be read.
    pub fn verify(&self) -> Vec<String> {
        match self.texts().damaged() {
            Ok(files) => files.iter().map(|file| format!("{} is damaged", file.display())).collect(),
            Err(error) => vec![format!("the full text cannot be read: {error}")],
        }
    }

    /// Writes what is left and stops writing; other clones can only read from then on.
    pub fn close(self) {
        self.texts().close();
    }

    /// Gives a window of what a query finds for `viewer`, and how much there is.
    pub fn find(&self, query: &Query, viewer: &Viewer, offset: u64, limit: u64) -> Found {
        let hits = self.texts().hits(query);
        find::find(&self.read(), query, viewer, &hits, (offset, limit))
    }

    /// Counts what a query finds for `viewer`.
    pub fn count(&self, query: &Query, viewer: &Viewer) -> u64 {
        let hits = self.texts().hits(query);
        find::matching(&self.read(), query, viewer, &hits).total()
    }

    /// Gives the row of an issue, if it exists and `viewer` may see its project.
    pub fn row(&self, id: IssueId, viewer: &Viewer) -> Option<IssueRow> {
        self.read().row(id, viewer)
    }

    /// Gives the rows of those issues that exist and that `viewer` may see, in the order asked.
    pub fn rows(&self, ids: &[IssueId], viewer: &Viewer) -> Vec<IssueRow> {
        let rows = self.read();
        ids.iter().filter_map(|id| rows.row(*id, viewer)).collect()
    }

    /// Gives every label in use with the number of issues that `label:` finds, by name.
    pub fn labels(&self, viewer: &Viewer) -> Vec<(String, u64)> {
        self.read().labels(viewer)
    }

    /// Finds an issue by its number in a project; without a path it is the only project there is.
    pub fn by_reference(&self, project: Option<&str>, iid: u64) -> Option<IssueId> {
        self.read().by_reference(project, iid)
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
