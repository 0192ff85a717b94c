//! Filling: what the index has at a start, and what it still has to be shown.
//!
//! The rows come from their file and take in the frames after it; only without one is every note read.

use super::views::{about_of, decode, gone_note, is_trouble, row_of};
use super::{Desk, txn};
use crate::domain::{About, Fault, Issue, IssueId, Note, OutboxEntry, Project, Seq};
use crate::index::Update;
use crate::store::record::{ReadMark, note_key};
use crate::store::{Direction, Put, Tree};
use std::collections::BTreeSet;

/// So many frames are taken in at once.
const FRAMES: usize = 500;
/// So many notes are read at once.
const NOTES: usize = 1000;

impl Desk {
    /// Shows the index everything after what it has; gives the issues with mail that changed meanwhile.
    pub(super) async fn fill_index(&self, indexed: Seq) -> Result<BTreeSet<IssueId>, Fault> {
        let mut mailed = BTreeSet::new();
        let (last, rows) = (self.inner.store.last(), self.inner.index.row_seq());
        if rows == Seq(0) || rows > last {
            self.inner.index.forget_rows();
            self.fill_from_documents(last).await?;
        } else {
            // Taking a frame in twice does no harm, as long as the newest comes last.
            mailed = self.fill_from_frames(rows.min(indexed), last).await?;
        }
        self.inner.index.loaded(last);
        tracing::debug!(%indexed, %rows, %last, "the index is filled");
        Ok(mailed)
    }

    /// Throws the whole index away and fills it anew, down to the disk.
    pub(super) async fn renew_index(&self) -> Result<(), Fault> {
        self.inner.index.renew().map_err(|e| Fault::internal(e.to_string()))?;
        let mailed = self.fill_index(Seq(0)).await?;
        self.fill_troubles(&mailed);
        self.inner.index.flush();
        Ok(())
    }

    async fn fill_from_documents(&self, last: Seq) -> Result<(), Fault> {
        let store = &self.inner.store;
        let mut rows = Vec::new();
        for project in txn::all::<Project>(store, &[]).await? {
            rows.push(Update::Project { id: project.id, path: project.path });
        }
        for about in txn::all::<About>(store, &[]).await? {
            rows.push(Update::About { person: about.email.key(), vip: about.vip.is_some() });
        }
        rows.extend(txn::all::<Issue>(store, &[]).await?.into_iter().map(row_of));
        for mark in txn::all::<ReadMark>(store, &[]).await? {
            rows.push(Update::Read { user: mark.user, issue: mark.issue, note: mark.note });
        }
        self.inner.index.load(last, &rows);
        let mut from: Option<Vec<u8>> = None;
        loop {
            let page = store.scan::<Note>(&[], from.as_deref(), NOTES, Direction::Up).await;
            let page = page.map_err(txn::store_fault)?;
            let Some(end) = page.last() else { return Ok(()) };
            from = Some(note_key(end.record.issue, end.record.id));
            for kept in page {
                self.inner.index.load(kept.seq, &[Update::Note(kept.record)]);
            }
        }
    }

    async fn fill_from_frames(&self, mut after: Seq, last: Seq) -> Result<BTreeSet<IssueId>, Fault> {
        let mut mailed = BTreeSet::new();
        while after < last {
            let frames = self.inner.store.frames(after, FRAMES).await.map_err(txn::store_fault)?;
            let Some(end) = frames.last() else { break };
            after = end.seq;
            for frame in frames {
                let mut updates = Vec::with_capacity(frame.puts.len());
                for put in &frame.puts {
                    updates.extend(update(put)?);
                    mailed.extend(mailed_issue(put)?);
                }
                self.inner.index.load(frame.seq, &updates);
            }
        }
        Ok(mailed)
    }

    /// Shows the index which issues have mail that somebody should look at: those of the outbox, which must be
    /// loaded, and those of which mail went out or was given up after the rows were saved.
    pub(super) fn fill_troubles(&self, mailed: &BTreeSet<IssueId>) {
        let worst = self.inner.queue.worst_of_each();
        let issues: BTreeSet<IssueId> = worst.keys().chain(mailed).copied().collect();
        let state = |issue: &IssueId| worst.get(issue).copied().filter(|state| is_trouble(*state));
        let troubles: Vec<Update> =
            issues.iter().map(|issue| Update::Trouble { issue: *issue, state: state(issue) }).collect();
        self.inner.index.load(self.inner.store.last(), &troubles);
    }
}

/// Translates a document into what the index shows of it.
fn update(put: &Put) -> Result<Option<Update>, Fault> {
    let Some(document) = &put.document else {
        return Ok(match put.tree {
            Tree::Notes => gone_note(&put.key),
            Tree::About => about_of(&put.key, None),
            _ => None,
        });
    };
    Ok(Some(match put.tree {
        Tree::Projects => {
            let project: Project = decode(document)?;
            Update::Project { id: project.id, path: project.path }
        }
        Tree::Issues => row_of(decode(document)?),
        Tree::About => return Ok(about_of(&put.key, Some(&decode(document)?))),
        Tree::Notes => Update::Note(decode(document)?),
        Tree::ReadMarks => {
            let mark: ReadMark = decode(document)?;
            Update::Read { user: mark.user, issue: mark.issue, note: mark.note }
        }
        _ => return Ok(None),
    }))
}

/// Gives the issue of a row of the outbox.
fn mailed_issue(put: &Put) -> Result<Option<IssueId>, Fault> {
    match (put.tree, &put.document) {
        (Tree::Outbox, Some(document)) => Ok(decode::<OutboxEntry>(document)?.issue),
        _ => Ok(None),
    }
}
