//! What people decide about arrivals: try again, attach to an issue, make an issue of it.

use super::arrival::{Content, Incoming};
use super::intake::ByHand;
use super::{Acting, Desk, txn};
use crate::domain::{Fate, Fault, IntakeAction, IntakeEntry, IntakeId, Response};
use crate::store::record::intake_key;

impl Desk {
    pub(super) async fn intake_act(
        &self,
        acting: &Acting,
        id: IntakeId,
        action: IntakeAction,
    ) -> Result<Response, Fault> {
        let entry = self.stored_intake(id).await?;
        if entry.issue.is_some() && entry.fate != Fate::Bounce {
            let reference = match entry.issue {
                Some(issue) => self.reference_of(issue).await?,
                None => String::new(),
            };
            return Err(Fault::refused(format!("this mail already stands in {reference}")));
        }
        let raw = entry.raw.ok_or_else(|| self.still_elsewhere(&entry))?;
        let bytes = self.inner.store.raw(raw).await.map_err(txn::store_fault)?;
        let mut arrival = entry.arrival.clone();
        arrival.silent = false;
        let prepared =
            self.prepare(Incoming { arrival, content: Content::Whole(bytes), silent_before: None }).await?;
        let label = match action {
            IntakeAction::Retry => {
                self.take_batch(std::slice::from_ref(&prepared), None, Some(&entry)).await?;
                return self.intake_entry(id).await;
            }
            IntakeAction::Attach(reference) => {
                let issue = self.resolve(&reference).await?;
                self.by_hand(acting, &prepared, &entry, ByHand::Note(issue)).await?
            }
            IntakeAction::Issue(path) => {
                let project = self.project_by_path(&path).await?.id;
                self.by_hand(acting, &prepared, &entry, ByHand::Issue(project)).await?
            }
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
        let entry = txn.get::<IntakeEntry>(&intake_key(entry.id)).await?.filter(|e| e.issue == entry.issue);
        let entry =
            entry.ok_or_else(|| Fault::refused("somebody decided about this mail at the same moment"))?;
        self.take_by_hand(&mut txn, prepared, &entry, to, &acting.user.name).await?;
        let label = format!("filed the mail {} from the intake", entry.id);
        txn.deed().label.clone_from(&label);
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(label)
    }

    fn still_elsewhere(&self, entry: &IntakeEntry) -> Fault {
        let place = entry.arrival.mailbox.as_deref().unwrap_or("its source");
        Fault::refused(format!("the bytes of this mail are not here; it is still in {place}"))
            .hint("raise `max_size` of the mailbox and sync again")
    }
}
