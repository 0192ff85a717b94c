//! What people decide about arrivals: try again, attach to an issue, make an issue of it.

use super::arrival::{Content, Incoming};
use super::intake::ByHand;
use super::{Acting, Desk, txn};
use crate::domain::{Cursor, Fate, Fault, IntakeAction, IntakeEntry, IntakeId, Response};
use crate::store::Direction;
use crate::store::record::{intake_key, text_key};

/// How many of the latest arrivals are looked at for one that was asked for.
const WINDOW: usize = 5000;

impl Desk {
    pub(super) async fn intake_act(
        &self,
        acting: &Acting,
        id: IntakeId,
        action: IntakeAction,
    ) -> Result<Response, Fault> {
        let entry = self.stored_intake(id).await?;
        if entry.purged {
            return Err(Fault::refused("this mail was spam and is gone; only its line is left"));
        }
        let ham = matches!(action, IntakeAction::Ham { .. });
        if ham && !matches!(entry.fate, Fate::Spam | Fate::Quarantined) {
            return Err(Fault::refused("this mail was not taken for spam"));
        }
        // What was taken back from being no spam keeps its issue, and can be said again.
        if entry.issue.is_some() && entry.fate != Fate::Bounce && !ham {
            let reference = match entry.issue {
                Some(issue) => self.reference_of(issue).await?,
                None => String::new(),
            };
            return Err(Fault::refused(format!("this mail already stands in {reference}")));
        }
        let raw = match (entry.raw, &action) {
            (Some(raw), _) => raw,
            (None, IntakeAction::Retry) => return self.fetch_again(entry).await,
            (None, _) => return Err(still_elsewhere(&entry)),
        };
        let bytes = self.inner.store.raw(raw).await.map_err(txn::store_fault)?;
        let mut arrival = entry.arrival.clone();
        arrival.silent &= action == IntakeAction::Retry;
        let incoming = Incoming { arrival, content: Content::Whole(bytes), silent_before: None };
        let prepared = match action {
            IntakeAction::Retry => self.prepare_screened(incoming).await?,
            _ => self.prepare(incoming).await?,
        };
        let label = match action {
            IntakeAction::Retry => {
                self.take_batch(std::slice::from_ref(&prepared), None, None, Some(&entry)).await?;
                return self.intake_entry(id).await;
            }
            IntakeAction::Attach(reference) => {
                let issue = self.resolve(&acting.rights, &reference).await?;
                self.by_hand(acting, &prepared, &entry, ByHand::Note(issue)).await?
            }
            IntakeAction::Issue(path) => {
                let project = self.project_by_path(&acting.rights, &path).await?.id;
                self.by_hand(acting, &prepared, &entry, ByHand::Issue(project)).await?
            }
            IntakeAction::Ham { allow_sender } => self.ham(acting, &prepared, &entry, allow_sender).await?,
        };
        tracing::info!(label, "intake");
        self.intake_entry(id).await
    }

    async fn by_hand(
        &self,
        acting: &Acting,
        prepared: &super::arrival::Prepared,
        entry: &IntakeEntry,
        to: ByHand,
    ) -> Result<String, Fault> {
        let (_gate, mut txn) = self.begin().await;
        // Read again under the lock: somebody may have decided meanwhile.
        let same = |now: &IntakeEntry| (now.issue, now.fate, now.purged) == (entry.issue, entry.fate, false);
        let entry = txn.get::<IntakeEntry>(&intake_key(entry.id)).await?.filter(same);
        let entry =
            entry.ok_or_else(|| Fault::refused("somebody decided about this mail at the same moment"))?;
        self.take_by_hand(&mut txn, prepared, &entry, to, &acting.user.name).await?;
        let label = format!("filed the mail {} from the intake", entry.id);
        txn.deed().label.clone_from(&label);
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(label)
    }

    /// Asks for a mail that its server still holds: it comes with the next look, however large it is.
    async fn fetch_again(&self, mut entry: IntakeEntry) -> Result<Response, Fault> {
        let Some(name) = entry.arrival.mailbox.as_deref() else { return Err(still_elsewhere(&entry)) };
        let id = entry.id;
        let (gate, mut txn) = self.begin().await;
        // Read again under the lock: it may have come meanwhile.
        let now = txn.get::<IntakeEntry>(&intake_key(id)).await?;
        if now.as_ref() != Some(&entry) {
            return Err(Fault::refused("this mail changed at the same moment"));
        }
        let cursor = txn.get::<Cursor>(&text_key(name)).await?;
        let mut cursor = cursor.ok_or_else(|| still_elsewhere(&entry))?;
        let arrival = &entry.arrival;
        let new = match (arrival.uid, &arrival.path) {
            (Some(uid), _) if Some(cursor.uid_validity) == arrival.uid_validity => {
                cursor.owed_fetch.insert(uid)
            }
            (None, Some(id)) if !cursor.place.is_empty() => cursor.names_asked.insert(id.clone()),
            _ => return Err(still_elsewhere(&entry)),
        };
        if new {
            txn.put(&cursor)?;
            entry.reason = format!("{}; it is fetched with the next look", entry.reason);
            txn.put(&entry)?;
            self.finish(txn, super::system(), None, None).await?;
        }
        drop(gate);
        self.inner.look.notify_waiters();
        self.intake_entry(id).await
    }

    /// Finds the entry of a mail that somebody asked its server for.
    pub(super) async fn asked_for(
        &self,
        cursor: Option<&Cursor>,
        prepared: &super::arrival::Prepared,
    ) -> Result<Option<IntakeEntry>, Fault> {
        let arrival = &prepared.arrival;
        let asked = |cursor: &&Cursor| match (arrival.uid, &arrival.path) {
            (Some(uid), _) => cursor.owed_fetch.contains(&uid),
            (None, Some(id)) => cursor.names_asked.contains(id),
            (None, None) => false,
        };
        if cursor.filter(asked).is_none() {
            return Ok(None);
        }
        let waits = |entry: &IntakeEntry| {
            let theirs = &entry.arrival;
            entry.raw.is_none()
                && (&theirs.mailbox, theirs.uid, theirs.uid_validity)
                    == (&arrival.mailbox, arrival.uid, arrival.uid_validity)
                && (arrival.uid.is_some() || theirs.path == arrival.path)
        };
        let page = self.inner.store.scan::<IntakeEntry>(&[], None, WINDOW, Direction::Down).await;
        Ok(page.map_err(txn::store_fault)?.into_iter().map(|kept| kept.record).find(waits))
    }
}

fn still_elsewhere(entry: &IntakeEntry) -> Fault {
    let place = entry.arrival.mailbox.as_deref().unwrap_or("its source");
    Fault::refused(format!("the bytes of this mail are not here; it is still in {place}"))
        .hint("`deskbell intake retry` fetches it from its server, `deskbell deliver` takes its file")
}
