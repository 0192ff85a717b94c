//! The index: what is derived from the journal for lists and search.
//!
//! Owns the rows of all issues, in memory, and the full text, on disk (tantivy). It is fed values and can
//! be thrown away at any time; it must not know the store, nor who feeds it.

mod cut;
mod find;
mod kept;
mod rows;
mod saved;
mod similar;
mod text;
mod writer;

use crate::domain::query::{IssueFacts, Query, Viewer};
use crate::domain::{
    CategoryKind, ClockKind, Clocks, EmailAddress, Issue, IssueId, IssueRow, Note, NoteId, OutboxState,
    ProjectId, Seq,
};
use jiff::Timestamp;
use rows::Rows;
pub use similar::Similar;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
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
// A handful is made for each change and let go at once, so that an issue need not stand apart.
#[allow(clippy::large_enum_variant)]
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
    /// Whether the person with this address, as addresses are compared, is marked as important.
    About {
        person: String,
        vip: bool,
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
            Self::Project { .. } | Self::About { .. } => None,
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

/// So many changes of rows may have to be taken in again at a start, or one for every second row: all rows are written
/// anew, so a desk that grows writes them less and less often.
const UNSAVED: u64 = 20_000;
/// And so many after an end in order.
const UNSAVED_AT_END: u64 = 500;

/// How far the rows are, in memory and on disk.
#[derive(Debug, Default)]
struct Progress {
    /// The frame that they have taken in, with all before it.
    rows: Seq,
    /// How many changes there had been when they were saved.
    saved: u64,
    saving: bool,
}

/// Tells whether a note that is gone from an issue stands in another one now, where its text is found.
fn has_moved(update: &Update, updates: &[Update]) -> bool {
    let Update::NoteGone { note: gone, .. } = update else { return false };
    updates.iter().any(|update| matches!(update, Update::Note(note) if note.id == *gone))
}

/// Rows and texts of all issues. Clones share one index; its writer ends with the last of them.
#[derive(Clone)]
pub struct Index {
    dir: Arc<Path>,
    rows: Arc<RwLock<Rows>>,
    kept: Arc<kept::Kept>,
    progress: Arc<Mutex<Progress>>,
    /// In a lock of its own, because a rebuild puts new ones in their place.
    texts: Arc<RwLock<Arc<Texts>>>,
}

impl Index {
    /// Opens the full text in `dir` and the rows beside it, and tells up to where the text has read.
    ///
    /// What is broken or of another version is thrown away and starts at `Seq(0)`.
    pub fn open(dir: &Path) -> Result<(Self, Seq), IndexError> {
        let texts = Arc::new(Texts::open(dir)?);
        let (rows, seq) = saved::load(dir).unwrap_or_default();
        let progress = Progress { rows: seq, saved: rows.change_count(), saving: false };
        let index = Self {
            dir: dir.into(),
            rows: Arc::new(RwLock::new(rows)),
            kept: Arc::default(),
            progress: Arc::new(Mutex::new(progress)),
            texts: Arc::new(RwLock::new(Arc::clone(&texts))),
        };
        Ok((index, texts.seq()))
    }

    /// Gives the frame up to which the rows have taken everything in; with `Seq(0)` there are none.
    pub fn row_seq(&self) -> Seq {
        self.progress().rows
    }

    /// Forgets all rows, where what they say cannot be brought up to date.
    pub fn forget_rows(&self) {
        self.progress().rows = Seq(0);
        self.rows.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Tells whether so much changed that the rows should be saved.
    pub fn wants_saving(&self) -> bool {
        let rows = self.read().slot_count() as u64;
        self.has_unsaved(UNSAVED.max(rows / 2))
    }

    fn has_unsaved(&self, many: u64) -> bool {
        let changes = self.read().change_count();
        let progress = self.progress();
        !progress.saving && progress.rows > Seq(0) && changes.saturating_sub(progress.saved) > many
    }

    /// Writes the rows to disk, a long piece of work, while others use them. A failure is told to the log only:
    /// the next start takes longer then.
    pub fn save_rows(&self) {
        let changes = self.read().change_count();
        let seq = {
            let mut progress = self.progress();
            if std::mem::replace(&mut progress.saving, true) {
                return;
            }
            progress.rows
        };
        let saved = saved::save(&self.dir, &self.rows, seq);
        let mut progress = self.progress();
        progress.saving = false;
        match saved {
            Ok(()) => progress.saved = changes,
            Err(error) => tracing::warn!(%error, "the rows cannot be saved"),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
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
            works.extend(rows.apply(update).filter(|_| new_text && !has_moved(update, updates)));
        }
        drop(rows);
        self.texts().push(works);
    }

    /// Says that everything up to the frame `seq` was taken in.
    pub fn loaded(&self, seq: Seq) {
        self.texts().mark(seq);
        self.progress().rows = seq;
    }

    /// Throws every row and every text away, for filling it anew from the beginning.
    pub fn renew(&self) -> Result<(), IndexError> {
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        texts.close();
        let gone = std::fs::remove_dir_all(&self.dir);
        gone.map_err(|reason| IndexError::Folder { path: self.dir.to_path_buf(), reason })?;
        *texts = Arc::new(Texts::open(&self.dir)?);
        self.forget_rows();
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
        if self.has_unsaved(UNSAVED_AT_END) {
            self.save_rows();
        }
        // Whoever closes it is about to end, and then the system takes all memory back at once; giving every row
        // back by itself takes half as long as reading them did.
        std::mem::forget(self.rows);
    }

    /// Gives a window of what a query finds for `viewer`, and how much there is.
    pub fn find(&self, query: &Query, viewer: &Viewer, offset: u64, limit: u64) -> Found {
        if kept::fits(query) {
            return self.kept.find(&self.read(), query, viewer, (offset, limit));
        }
        let hits = self.texts().hits(query);
        find::find(&self.read(), query, viewer, &hits, (offset, limit))
    }

    /// Counts what a query finds for `viewer`.
    pub fn count(&self, query: &Query, viewer: &Viewer) -> u64 {
        if kept::fits(query) {
            return self.kept.find(&self.read(), query, viewer, (0, 0)).total;
        }
        let hits = self.texts().hits(query);
        find::matching(&self.read(), query, viewer, &hits).total()
    }

    /// Finds up to `limit` issues that `viewer` works on and whose texts share the most telling words with an opening,
    /// the most similar first; spam and merged ones aside. `passed` are words that tell nothing here.
    pub fn similar(
        &self,
        (of, title, text, passed): (IssueId, &str, &str, &str),
        viewer: &Viewer,
        limit: usize,
    ) -> Vec<Similar> {
        let found = self.texts().similar(of, title, text, passed);
        let rows = self.read();
        let seen = |similar: &Similar| {
            let facts = rows.slot(similar.issue).and_then(|slot| rows.at(slot));
            facts.is_some_and(|facts| {
                // Notes for the staff count among the texts.
                let works = viewer.rights.sees_addresses(facts.project) && viewer.sees(facts);
                works && !facts.spam && facts.merged_into.is_none()
            })
        };
        found.into_iter().filter(seen).take(limit).collect()
    }

    /// Shows every issue that a query finds for `viewer`, in no order. Nothing changes meanwhile.
    pub fn each(&self, query: &Query, viewer: &Viewer, mut look: impl FnMut(&IssueFacts)) {
        let hits = self.texts().hits(query);
        let rows = self.read();
        let found = find::matching(&rows, query, viewer, &hits);
        rows.iter().filter(|(slot, _)| found.contains(*slot)).for_each(|(_, facts)| look(facts));
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

    /// Gives every label or milestone in use by project, with the number of issues that carry it and of
    /// those that are closed; spam and merged ones aside.
    pub fn used(&self, kind: CategoryKind, viewer: &Viewer) -> BTreeMap<(ProjectId, String), (u64, u64)> {
        self.read().used(kind, viewer)
    }

    /// Lists every issue of a project that carries a label or a milestone, spam and merged ones as well.
    pub fn carrying(&self, kind: CategoryKind, project: ProjectId, name: &str) -> Vec<IssueId> {
        self.read().carrying(kind, project, name)
    }

    /// Gives the projects in which issues stand.
    pub fn projects_of(&self, issues: &[IssueId]) -> Vec<(IssueId, ProjectId)> {
        self.read().projects_of(issues)
    }

    /// Finds an issue by its number in a project; without a path it is the only project there is.
    pub fn by_reference(&self, project: Option<&str>, iid: u64) -> Option<IssueId> {
        self.read().by_reference(project, iid)
    }

    /// Lists every issue that a person opened or takes part in; by the address as addresses are compared.
    pub fn issues_of(&self, person: &str) -> Vec<IssueId> {
        self.read().of_person(person).map(|facts| facts.id).collect()
    }

    /// Lists the projects in which a person opened an issue, or takes part in one.
    pub fn projects_of_person(&self, email: &EmailAddress) -> BTreeSet<ProjectId> {
        self.read().of_person(&email.key()).map(|facts| facts.project).collect()
    }

    /// Tells whether somebody who takes part in an issue is marked as important.
    pub fn is_vip(&self, facts: &IssueFacts) -> bool {
        self.read().is_vip(facts)
    }

    /// Lets other clocks count from now on.
    pub fn set_clocks(&self, clocks: Arc<Clocks>) {
        self.rows.write().unwrap_or_else(PoisonError::into_inner).set_clocks(clocks);
    }

    /// Lists the issues whose clock is near its end, or over, by now, each with what for and when it runs out.
    pub fn near(&self, now: Timestamp) -> Vec<(IssueId, ClockKind, Timestamp)> {
        let due = |facts: &IssueFacts| {
            let clock = facts.clock.as_ref()?;
            Some((facts.id, clock.kind, clock.due_at()?))
        };
        self.read().near(now).filter_map(due).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
