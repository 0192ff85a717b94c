//! Upkeep: copies, checks and rebuilding of what is derived.

use super::{Desk, txn};
use crate::domain::{Event, Fault, PartSize, Response};
use crate::store::Scrub;
use std::path::Path;

/// The folders that are written anew when space is given back.
const PARTS: [&str; 3] = ["journal", "trees", "index"];

impl Desk {
    pub(super) async fn backup(&self, path: &str, replace: bool) -> Result<Response, Fault> {
        if !replace && Path::new(path).symlink_metadata().is_ok() {
            return Err(Fault::refused(format!("there is a file {path} already"))
                .hint("name another, or say --force to replace it"));
        }
        let size = self.inner.store.backup(Path::new(path)).await.map_err(txn::store_fault)?;
        if let Err(error) = self.note_backup(Path::new(path)) {
            tracing::warn!(%error, "where the backup was written is not noted");
        }
        Ok(Response::BackedUp { file: path.to_owned(), octets: size, frame: self.inner.store.last().0 })
    }

    /// Holds every mail that was not sent, and makes every mailbox and repository begin silently: what a restored desk
    /// does before anything else, because the world went on without it. Gives the number of mails.
    pub async fn hold_everything(&self) -> Result<usize, Fault> {
        use crate::domain::{Cursor, OutboxEntry, OutboxState, Watched};
        use crate::store::record::{OutboxOpen, outbox_key, project_key};
        let (_gate, mut txn) = self.begin().await;
        let mut held = 0;
        for open in txn.list::<OutboxOpen>(&[]).await? {
            let Some(mut entry) = txn.get::<OutboxEntry>(&outbox_key(open.id)).await? else { continue };
            if matches!(entry.state, OutboxState::Queued | OutboxState::Deferred | OutboxState::Held) {
                entry.state = OutboxState::Held;
                entry.held_until = None;
                entry.next_attempt_at = None;
                super::outbox::put_entry(&mut txn, &entry)?;
                held += 1;
            }
        }
        for cursor in txn.list::<Cursor>(&[]).await? {
            txn.put(&Cursor { first_contact: None, ..cursor })?;
        }
        for place in txn.list::<Watched>(&[]).await? {
            txn.remove::<Watched>(project_key(place.project));
        }
        self.finish(txn, super::system(), Some("restored from a backup".to_owned()), None).await?;
        Ok(held)
    }

    pub(super) async fn rebuild(&self) -> Result<Response, Fault> {
        let _gate = self.inner.gate.lock().await;
        let frames = self.inner.store.rebuild().await.map_err(txn::store_fault)?;
        self.renew_index().await?;
        self.tell(Event::Missed);
        Ok(Response::Rebuilt { frames })
    }

    /// Gives space back: raw bytes that nothing names any more, room that the trees never give back by
    /// themselves, and segments of the full text that hold more of the past than of today.
    pub(super) async fn compact(&self) -> Result<Response, Fault> {
        let _gate = self.inner.gate.lock().await;
        let before = PARTS.map(|part| self.inner.store.octets(part));
        self.keep_promise().await?;
        let spool = self.inner.store.spool().map_err(super::txn::store_fault)?;
        self.vanish(Scrub::default(), spool).await?;
        let parts = PARTS.iter().zip(before).map(|(part, octets_before)| PartSize {
            part: (*part).to_owned(),
            octets_before,
            octets: self.inner.store.octets(part),
        });
        Ok(Response::Compacted(parts.collect()))
    }

    pub(super) async fn verify(&self) -> Result<Response, Fault> {
        let mut wrong = self.inner.store.verify().await.map_err(txn::store_fault)?;
        let index = self.inner.index.clone();
        let texts = tokio::task::spawn_blocking(move || index.verify()).await;
        wrong.extend(texts.map_err(|e| Fault::internal(format!("checking the index failed: {e}")))?);
        Ok(Response::Report(wrong))
    }
}
