//! Which of our mails a report is about, and what else comes back: complaints, challenges, signs of life.

use super::intake::Passing;
use super::routing::KeyKind;
use super::txn::{self, Txn};
use super::{Desk, outbox};
use crate::domain::{
    AddressRecord, AddressState, EmailAddress, Fate, Fault, IntakeEntry, Issue, Mailbox, NoteId, OutboxEntry,
    OutboxId, OutboxState, Reference, Rights,
};
use crate::mail;
use crate::store::Direction;
use crate::store::record::{OutboxOfNote, outbox_key, person_key};
use jiff::SignedDuration;

/// How many of the newest rows are looked through where a report has neither key nor identifier of ours.
const LOOKED_THROUGH: usize = 1000;
/// How long after a mail a report without any sign of it may still be about it.
const RECENT: SignedDuration = SignedDuration::from_hours(5 * 24);

/// The rows that a report is about, and how they were found, in words.
pub(super) struct Reported {
    pub rows: Vec<OutboxEntry>,
    pub how: String,
}

impl Desk {
    /// Finds the rows that a report is about: by our key in an address, by our Message-ID, by the issue
    /// that the returned header names, else as the last mail to that address.
    pub(super) async fn reported(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        returned: &mail::Returned,
        who: &[&EmailAddress],
    ) -> Result<Reported, Fault> {
        let mut ids = self.rows_by_key(txn, passing, returned).await?;
        let mut how = "found by the key in an address";
        if ids.is_empty() {
            ids = self.rows_by_id(txn, passing, returned).await?;
            how = "found by the Message-ID of our mail";
        }
        if ids.is_empty() {
            (ids, how) = self.rows_by_address(txn, passing, returned, who).await?;
        }
        let mut rows = Vec::new();
        for id in self.with_siblings(txn, ids, who).await? {
            let row = txn.get::<OutboxEntry>(&outbox_key(id)).await?;
            let never_left =
                |row: &OutboxEntry| matches!(row.state, OutboxState::Held | OutboxState::Cancelled);
            rows.extend(row.filter(|row| !never_left(row)));
        }
        Ok(Reported { rows, how: how.to_owned() })
    }

    async fn rows_by_key(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        returned: &mail::Returned,
    ) -> Result<Vec<OutboxId>, Fault> {
        let given = passing.prepared.arrival.envelope_to.iter().map(String::as_str);
        let stated = passing.message.recipients.iter().map(|(_, address)| address.as_str());
        let inside = returned.addresses.iter().map(String::as_str);
        let mut ids = Vec::new();
        for address in given.chain(stated).chain(inside) {
            let Some(hit) = self.inner.ways.hit(address, &passing.projects) else { continue };
            if let KeyKind::Reply(key) | KeyKind::Unsubscribe(key) = hit.kind
                && let Some(id) = self.by_reply_key(txn, &key).await?.and_then(|key| key.outbox)
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    async fn rows_by_id(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        returned: &mail::Returned,
    ) -> Result<Vec<OutboxId>, Fault> {
        let message = passing.message;
        let mut ids = Vec::new();
        for id in returned.ids.iter().chain(&message.in_reply_to).chain(message.references.iter().rev()) {
            let place = self.sent_place(txn, id).await?;
            ids.extend(place.and_then(|place| place.outbox).filter(|id| !ids.contains(id)));
        }
        Ok(ids)
    }

    /// Finds the last mail to one of these addresses. Mail that went out with a key comes back with it;
    /// without one, the address must be enough.
    async fn rows_by_address(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        returned: &mail::Returned,
        who: &[&EmailAddress],
    ) -> Result<(Vec<OutboxId>, &'static str), Fault> {
        let reference = returned.reference.as_deref().and_then(|text| text.parse::<Reference>().ok());
        let named = match reference {
            Some(reference) => self.resolve(&Rights::All, &reference).await.ok(),
            None => None,
        };
        let page = self.inner.store.scan::<OutboxEntry>(&[], None, LOOKED_THROUGH, Direction::Down).await;
        let page = page.map_err(txn::store_fault)?.into_iter().map(|kept| kept.record);
        let mut recent = None;
        for row in page.filter(|row| who.contains(&&row.to)) {
            if named.is_some() && row.issue == named {
                return Ok((vec![row.id], "found by the issue that the returned header names"));
            }
            let keyed =
                row.from.as_ref().and_then(|from| self.inner.ways.hit(from.as_str(), &passing.projects));
            let keyed = keyed.is_some_and(|hit| matches!(hit.kind, KeyKind::Reply(_)));
            let same = returned.subject.as_deref() == Some(row.subject.as_str());
            let age = txn.now.duration_since(row.sent_at.unwrap_or(row.created_at));
            if recent.is_none() && age < RECENT && (same || !keyed) {
                recent = Some(row.id);
            }
        }
        let how = if recent.is_some() {
            "found as the last mail to that address"
        } else {
            "it names no mail of ours"
        };
        Ok((recent.into_iter().collect(), how))
    }

    /// Adds the rows of the same notes that went to others whom the report names.
    async fn with_siblings(
        &self,
        txn: &mut Txn<'_>,
        mut ids: Vec<OutboxId>,
        who: &[&EmailAddress],
    ) -> Result<Vec<OutboxId>, Fault> {
        for id in ids.clone() {
            let Some(NoteId(note)) = txn.get::<OutboxEntry>(&outbox_key(id)).await?.and_then(|row| row.note)
            else {
                continue;
            };
            for link in txn.list::<OutboxOfNote>(&txn::below(note)).await? {
                let row = txn.get::<OutboxEntry>(&outbox_key(link.outbox)).await?;
                let named = row.is_some_and(|row| who.contains(&&row.to));
                if named && !ids.contains(&link.outbox) {
                    ids.push(link.outbox);
                }
            }
        }
        Ok(ids)
    }

    /// Takes a complaint: who called our mail spam gets no more of that issue.
    pub(super) async fn complained(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        complaint: &mail::Complaint,
    ) -> Result<IntakeEntry, Fault> {
        let who: Vec<&EmailAddress> = complaint.recipients.iter().collect();
        let found = self.reported(txn, passing, &complaint.returned, &who).await?;
        let mut sentences = Vec::new();
        for row in &found.rows {
            let stopped = complaint.wants_no_more() && self.stop_mail(txn, row).await?;
            let then = if stopped { "; they are unsubscribed from this issue" } else { "" };
            let what = match complaint.wants_no_more() {
                true => "called our mail spam",
                false => "has a mail system that reports our mail",
            };
            sentences.push((row.issue, format!("{} {what} ({}){then}", row.to, complaint.kind)));
        }
        let said = sentences.iter().map(|(_, sentence)| format!("{sentence}; ")).collect::<String>();
        let fate = (Fate::Automatic, format!("{}; {said}{}", passing.verdict.reason, found.how));
        let entry = self.enter(txn, passing.prepared, Some(passing.message), again, None, fate).await?;
        self.note_reports(txn, passing, entry, sentences).await
    }

    /// Unsubscribes the recipient of a mail from its issue; tells whether they were subscribed.
    async fn stop_mail(&self, txn: &mut Txn<'_>, row: &OutboxEntry) -> Result<bool, Fault> {
        let Some(id) = row.issue else { return Ok(false) };
        let id = self.survivor(txn, id).await?;
        let before = self.load_issue(txn, id).await?;
        let mut issue = before.clone();
        let stopped = issue.set_subscribed(&row.to, false);
        txn.put_issue(Some(&before), &issue)?;
        Ok(stopped)
    }

    /// Marks the mails that a challenge holds back; says for the staff what it takes.
    pub(super) async fn challenged(&self, txn: &mut Txn<'_>, passing: &Passing<'_>) -> Result<String, Fault> {
        let found = self.reported(txn, passing, &mail::Returned::default(), &[]).await?;
        for mut row in found.rows.into_iter().filter(|row| row.state == OutboxState::Sent) {
            row.error = Some("held by the recipient's system until somebody confirms".to_owned());
            outbox::put_entry(txn, &row)?;
        }
        let from = passing.author();
        Ok(format!(
            "the mail system of {} asks us to confirm our mail, and holds it until a person does: follow its folded text by hand, or reach them another way; nothing was answered",
            from.label()
        ))
    }

    /// Clears what earlier bounces said of an address, because its owner wrote.
    pub(super) async fn heard_from(
        &self,
        txn: &mut Txn<'_>,
        issue: &mut Issue,
        from: &Mailbox,
    ) -> Result<(), Fault> {
        for person in issue.participants.iter_mut().filter(|p| p.email == from.email) {
            person.address_state = AddressState::Ok;
        }
        if self.clear_address(txn, &from.email).await? == Some(AddressState::Deferred) {
            self.clear_warnings(txn, &from.email).await?;
        }
        Ok(())
    }

    /// Clears the mark of an address; gives the mark it had.
    pub(super) async fn clear_address(
        &self,
        txn: &mut Txn<'_>,
        email: &EmailAddress,
    ) -> Result<Option<AddressState>, Fault> {
        let known = txn.get::<AddressRecord>(&person_key(email)).await?;
        let Some(known) = known.filter(|known| known.state != AddressState::Ok) else { return Ok(None) };
        let was = known.state;
        txn.put(&AddressRecord { state: AddressState::Ok, reason: None, since: txn.now, ..known })?;
        Ok(Some(was))
    }

    /// Takes the warnings off late mails to an address.
    async fn clear_warnings(&self, txn: &mut Txn<'_>, email: &EmailAddress) -> Result<(), Fault> {
        let page = self.inner.store.scan::<OutboxEntry>(&[], None, LOOKED_THROUGH, Direction::Down).await;
        for row in page.map_err(txn::store_fault)?.into_iter().map(|kept| kept.record) {
            let late = &row.to == email && row.state == OutboxState::Sent && row.error.is_some();
            if late && let Some(row) = txn.get::<OutboxEntry>(&outbox_key(row.id)).await? {
                outbox::put_entry(txn, &OutboxEntry { error: None, ..row })?;
            }
        }
        Ok(())
    }
}
