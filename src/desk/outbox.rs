//! The outbox: what leaves, what became of it, and what people decide about it.

use super::txn;
use super::{Acting, Desk, system};
use crate::domain::{
    AddressRecord, AddressState, EmailAddress, Fault, Issue, IssueId, MailKind, Note, NoteId, NoteKind,
    OutboxAction, OutboxEntry, OutboxId, OutboxState, Party, Response, TurnTo, counted,
};
use crate::store::record::{OutboxOfNote, OutboxOpen, issue_key, note_key, outbox_key};
use crate::store::{Direction, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// First delay after a mail was put off; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_secs(60);
const LONGEST_DELAY: Duration = Duration::from_secs(3600);
/// With delays of an hour at most this is about five days (RFC 5321, section 4.5.4.1).
const ATTEMPTS: u32 = 120;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A mail to hand to an outlet now.
#[derive(Debug)]
pub struct Claim {
    pub id: OutboxId,
    /// `None` is the null reverse-path.
    pub from: Option<EmailAddress>,
    pub to: EmailAddress,
    pub bytes: Vec<u8>,
}

/// What became of a mail that was handed to an outlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    Sent,
    /// For good, with the server's words.
    Refused(String),
    /// For now, with the server's words.
    PutOff(String),
    /// Its bytes are damaged here; it was not tried.
    Unreadable(String),
    /// It was not tried; nothing is recorded.
    Untried,
}

/// What stands in the journal of a row that is due.
enum Due {
    Mail(Claim),
    Unreadable(String),
    Gone,
}

impl Desk {
    /// Claims up to `limit` mails of an outlet that are due, in the order in which they were written.
    pub async fn claim(&self, outlet: Option<&str>, limit: usize) -> Result<Vec<Claim>, Fault> {
        let gate = self.inner.gate.lock().await;
        let ids = self.inner.queue.claim(outlet, limit);
        let mut claims = Vec::with_capacity(ids.len());
        let mut unreadable = Vec::new();
        for id in &ids {
            match self.load_claim(*id).await {
                Ok(Due::Mail(claim)) => claims.push(claim),
                Ok(Due::Unreadable(why)) => unreadable.push((*id, why)),
                Ok(Due::Gone) => {}
                Err(fault) => {
                    self.inner.queue.give_back(&ids);
                    return Err(fault);
                }
            }
        }
        drop(gate);
        // One damaged mail must not stop those behind it.
        for (id, why) in unreadable {
            self.settle(id, Settled::Unreadable(why)).await?;
        }
        if !claims.is_empty() {
            self.tell(crate::domain::Event::Outbox);
        }
        Ok(claims)
    }

    async fn load_claim(&self, id: OutboxId) -> Result<Due, Fault> {
        let store = &self.inner.store;
        let Some(kept) = store.get::<OutboxEntry>(&outbox_key(id)).await.map_err(txn::store_fault)? else {
            return Ok(Due::Gone);
        };
        let OutboxEntry { from, to, raw, .. } = kept.record;
        match store.raw(raw).await {
            Ok(bytes) => Ok(Due::Mail(Claim { id, from, to, bytes })),
            Err(error @ (StoreError::Damaged { .. } | StoreError::MissingSegment(_))) => {
                Ok(Due::Unreadable(format!("its bytes cannot be read: {error}")))
            }
            Err(error) => Err(txn::store_fault(error)),
        }
    }

    /// Records what became of a claimed mail. Returns once that is durable.
    pub async fn settle(&self, id: OutboxId, settled: Settled) -> Result<OutboxState, Fault> {
        if settled == Settled::Untried {
            self.inner.queue.give_back(&[id]);
            return Ok(OutboxState::Queued);
        }
        let (gate, mut txn) = self.begin().await;
        let Some(mut entry) = txn.get::<OutboxEntry>(&outbox_key(id)).await? else {
            return Err(Fault::not_found(format!("there is no mail {id} in the outbox")));
        };
        let tried = !matches!(settled, Settled::Unreadable(_));
        entry.attempts += u32::from(tried);
        // A bounce can be faster than the word that the mail went out.
        let came_back = (entry.state == OutboxState::Bounced).then(|| entry.error.clone());
        apply(&mut entry, settled, txn.now);
        if entry.state == OutboxState::Sent {
            match came_back {
                Some(error) => (entry.state, entry.error) = (OutboxState::Bounced, error),
                None => self.reached(&mut txn, &entry).await?,
            }
        }
        if tried && entry.state == OutboxState::Failed {
            self.mark_address(&mut txn, &entry, AddressState::Bounced).await?;
        }
        put_entry(&mut txn, &entry)?;
        self.finish(txn, system(), None, None).await?;
        if entry.kind == MailKind::Probe && entry.state == OutboxState::Failed {
            drop(gate);
            self.custom_unreachable(id, false, entry.error.as_deref().unwrap_or_default()).await?;
        }
        Ok(entry.state)
    }

    /// Clears the mark of an address that a mail reached.
    async fn reached(&self, txn: &mut txn::Txn<'_>, entry: &OutboxEntry) -> Result<(), Fault> {
        if self.clear_address(txn, &entry.to).await?.is_some() {
            self.show_state(txn, entry, AddressState::Ok).await?;
        }
        Ok(())
    }

    /// Notes at an address, in its issue too, that a mail to it came back.
    pub(super) async fn mark_address(
        &self,
        txn: &mut txn::Txn<'_>,
        entry: &OutboxEntry,
        state: AddressState,
    ) -> Result<(), Fault> {
        txn.put(&AddressRecord {
            email: entry.to.clone(),
            state,
            reason: entry.error.clone(),
            since: txn.now,
        })?;
        self.show_state(txn, entry, state).await
    }

    async fn show_state(
        &self,
        txn: &mut txn::Txn<'_>,
        entry: &OutboxEntry,
        state: AddressState,
    ) -> Result<(), Fault> {
        let Some(id) = entry.issue else { return Ok(()) };
        let Some(mut issue) = txn.get::<Issue>(&issue_key(id)).await? else { return Ok(()) };
        for participant in issue.participants.iter_mut().filter(|p| p.email == entry.to) {
            participant.address_state = state;
        }
        txn.put(&issue)
    }

    /// Fills the queue from the store, and the budgets from what was written within the day.
    pub(super) async fn load_outbox(&self) -> Result<(), Fault> {
        let now = self.now();
        let store = &self.inner.store;
        for open in txn::all::<OutboxOpen>(store, &[]).await? {
            let kept = store.get::<OutboxEntry>(&outbox_key(open.id)).await.map_err(txn::store_fault)?;
            if let Some(mut entry) = kept.map(|k| k.record) {
                entry.next_attempt_at = None;
                // An outlet that the config no longer has hands its mail to the one that stands in for it.
                entry.outlet =
                    self.inner.ways.outlet(entry.outlet.as_deref()).and_then(|way| way.name.clone());
                self.inner.queue.follow(&entry, now);
            }
        }
        let recent =
            store.scan::<OutboxEntry>(&[], None, 2000, Direction::Down).await.map_err(txn::store_fault)?;
        for entry in recent.into_iter().rev().map(|k| k.record).filter(|e| e.kind.is_automatic()) {
            let age = now.duration_since(entry.created_at);
            match &entry.staff {
                _ if age >= HOUR * 24 || age.is_negative() => {}
                Some(user) => self.inner.queue.count_earlier_staff(user, age.unsigned_abs()),
                None => self.inner.queue.count_earlier(&entry.to, age.unsigned_abs()),
            }
        }
        Ok(())
    }

    /// Waits until an outlet may have something to send.
    pub async fn wait_for_mail(&self, outlet: Option<&str>) {
        let news = self.inner.outgoing.notified();
        match self.inner.queue.next_due(outlet) {
            Some(at) => {
                tokio::select! {
                    () = news => {}
                    () = tokio::time::sleep_until(at) => {}
                }
            }
            None => news.await,
        }
    }

    /// Tells until when the undo windows run that are still open.
    pub fn last_window(&self) -> Option<Instant> {
        self.inner.queue.last_window()
    }

    /// Tells whether any mail is on its way, due, or held for a time.
    pub fn has_mail_due(&self) -> bool {
        self.inner.queue.any_due()
    }

    pub(super) async fn hurry_outbox(&self) {
        self.inner.queue.hurry();
        self.inner.outgoing.notify_waiters();
    }

    /// Gives the bytes of a mail.
    pub(super) async fn outbox_raw(&self, id: OutboxId) -> Result<Response, Fault> {
        let store = &self.inner.store;
        let kept = store.get::<OutboxEntry>(&outbox_key(id)).await.map_err(txn::store_fault)?;
        let kept = kept.ok_or_else(|| Fault::not_found(format!("there is no mail {id} in the outbox")))?;
        store.raw(kept.record.raw).await.map(Response::Bytes).map_err(txn::store_fault)
    }

    pub(super) async fn outbox_list(
        &self,
        acting: &Acting,
        states: &[OutboxState],
        limit: u64,
    ) -> Result<Response, Fault> {
        let store = &self.inner.store;
        let mut views = Vec::new();
        let mut from: Option<Vec<u8>> = None;
        while (views.len() as u64) < limit {
            let page = store
                .scan::<OutboxEntry>(&[], from.as_deref(), 500, Direction::Down)
                .await
                .map_err(txn::store_fault)?;
            let Some(last) = page.last() else { break };
            from = Some(outbox_key(last.record.id));
            for entry in page.into_iter().map(|k| k.record) {
                if !self.sees_mail(acting, &entry).await? {
                    continue;
                }
                let view = self.outbox_view(entry).await?;
                if states.is_empty() || states.contains(&view.state) {
                    views.push(view);
                }
            }
        }
        views.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(Response::Outbox(views))
    }

    pub(super) async fn outbox_act(
        &self,
        acting: &Acting,
        ids: &[OutboxId],
        action: OutboxAction,
    ) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let mut notes = BTreeSet::new();
        for id in ids {
            let Some(mut entry) = txn.get::<OutboxEntry>(&outbox_key(*id)).await? else {
                return Err(Fault::not_found(format!("there is no mail {id} in the outbox"))
                    .hint("`deskbell outbox list` shows them"));
            };
            if self.inner.queue.in_flight(*id) {
                return Err(Fault::refused(format!("mail {id} is being sent at this moment")));
            }
            act(&mut entry, action)?;
            put_entry(&mut txn, &entry)?;
            notes.extend(entry.issue.zip(entry.note));
        }
        for (issue, note) in notes {
            self.take_turn(&mut txn, issue, note).await?;
        }
        txn.deed().label = format!("{} {} in the outbox", word(action), counted(ids.len(), "mail"));
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.outbox_rows(ids).await
    }

    /// Sets whose turn it is in an issue after the mails of a note were cancelled, or are to go out after all: an answer
    /// of which no mail goes to anybody is none.
    async fn take_turn(&self, txn: &mut txn::Txn<'_>, issue: IssueId, note: NoteId) -> Result<(), Fault> {
        let note = txn.get::<Note>(&note_key(issue, note)).await?;
        let Some(note) = note.filter(|note| note.kind == NoteKind::Reply) else { return Ok(()) };
        let mut answers = false;
        for link in txn.list::<OutboxOfNote>(&txn::below(note.id.0)).await? {
            let row = txn.get::<OutboxEntry>(&outbox_key(link.outbox)).await?;
            answers |= row.is_some_and(|row| row.state != OutboxState::Cancelled || row.sent_at.is_some());
        }
        let before = self.load_issue(txn, issue).await?;
        let (mut issue, at) = (before.clone(), note.created_at);
        match (answers, before.waiting_on, before.waiting_since) {
            (false, Some(Party::Them), Some(since)) if since == at => {
                issue.resume_before(at, &[TurnTo::Them, TurnTo::Reply])
            }
            (true, Some(Party::Us), Some(since)) if since < at => {
                issue.turn(Some(Party::Them), at);
                issue.note_reply(at);
            }
            _ => return Ok(()),
        }
        txn.put_issue(Some(&before), &issue)
    }

    /// Shows some rows as they are now.
    pub(super) async fn outbox_rows(&self, ids: &[OutboxId]) -> Result<Response, Fault> {
        let mut views = Vec::with_capacity(ids.len());
        for id in ids {
            let kept =
                self.inner.store.get::<OutboxEntry>(&outbox_key(*id)).await.map_err(txn::store_fault)?;
            if let Some(kept) = kept {
                views.push(self.outbox_view(kept.record).await?);
            }
        }
        Ok(Response::Outbox(views))
    }

    /// Takes back what was not sent of a verb's mails; gives the number that was too late for it.
    pub(super) async fn cancel_rows(
        &self,
        txn: &mut txn::Txn<'_>,
        ids: &[OutboxId],
    ) -> Result<Vec<EmailAddress>, Fault> {
        let mut late = Vec::new();
        for id in ids {
            let Some(mut entry) = txn.get::<OutboxEntry>(&outbox_key(*id)).await? else { continue };
            if entry.state == OutboxState::Cancelled {
                continue;
            }
            if self.inner.queue.in_flight(*id)
                || entry.state == OutboxState::Sent
                || entry.state == OutboxState::Bounced
            {
                late.push(entry.to);
                continue;
            }
            entry.state = OutboxState::Cancelled;
            put_entry(txn, &entry)?;
        }
        Ok(late)
    }

    /// Lists the rows that carry a note.
    pub(super) async fn rows_of(&self, note: &Note) -> Result<Vec<OutboxEntry>, Fault> {
        let store = &self.inner.store;
        let links = txn::all::<OutboxOfNote>(store, &txn::below(note.id.0)).await?;
        let mut rows = Vec::with_capacity(links.len());
        for link in links {
            let kept = store.get::<OutboxEntry>(&outbox_key(link.outbox)).await.map_err(txn::store_fault)?;
            rows.extend(kept.map(|k| k.record));
        }
        Ok(rows)
    }

    /// Gives the state of a row as people should see it.
    pub(super) fn shown_state(&self, entry: &OutboxEntry) -> OutboxState {
        if self.inner.queue.in_flight(entry.id) { OutboxState::Sending } else { entry.state }
    }
}

/// Writes a row, and whether it still needs somebody.
pub(super) fn put_entry(txn: &mut txn::Txn<'_>, entry: &OutboxEntry) -> Result<(), Fault> {
    txn.put(entry)?;
    match entry.state {
        OutboxState::Sent | OutboxState::Cancelled => txn.remove::<OutboxOpen>(outbox_key(entry.id)),
        _ => txn.put(&OutboxOpen { id: entry.id })?,
    }
    Ok(())
}

fn apply(entry: &mut OutboxEntry, settled: Settled, now: Timestamp) {
    entry.held_until = None;
    entry.next_attempt_at = None;
    match settled {
        Settled::Sent => {
            entry.state = OutboxState::Sent;
            entry.sent_at = Some(now);
            entry.error = None;
        }
        Settled::Refused(words) | Settled::Unreadable(words) => {
            entry.state = OutboxState::Failed;
            entry.error = Some(words);
        }
        Settled::PutOff(words) if entry.attempts >= ATTEMPTS => {
            entry.state = OutboxState::Failed;
            entry.error = Some(format!("given up after {ATTEMPTS} tries: {words}"));
        }
        Settled::PutOff(words) => {
            entry.state = OutboxState::Deferred;
            entry.next_attempt_at = now.checked_add(delay(entry.attempts)).ok();
            entry.error = Some(words);
        }
        Settled::Untried => {}
    }
}

/// Gives the wait before the next try: a minute, doubled each time up to an hour.
fn delay(attempts: u32) -> SignedDuration {
    let doubled = FIRST_DELAY * 2u32.saturating_pow(attempts.saturating_sub(1).min(10));
    SignedDuration::try_from(doubled.min(LONGEST_DELAY)).unwrap_or(HOUR)
}

fn act(entry: &mut OutboxEntry, action: OutboxAction) -> Result<(), Fault> {
    use OutboxState::{Bounced, Cancelled, Deferred, Failed, Held, Queued, Sending};
    entry.state = match (action, entry.state) {
        (OutboxAction::Retry, Queued | Sending | Deferred | Failed | Bounced | Cancelled) => Queued,
        (OutboxAction::Cancel, Held | Queued | Sending | Deferred | Failed | Bounced) => Cancelled,
        (OutboxAction::Release, Held) => Queued,
        (action, state) => {
            let state = format!("{state:?}").to_lowercase();
            return Err(Fault::refused(format!(
                "mail {} is {state}; it cannot be {}",
                entry.id,
                word(action)
            )));
        }
    };
    entry.held_until = None;
    entry.next_attempt_at = None;
    if entry.state == Queued {
        entry.error = None;
    }
    Ok(())
}

fn word(action: OutboxAction) -> &'static str {
    match action {
        OutboxAction::Retry => "retried",
        OutboxAction::Cancel => "cancelled",
        OutboxAction::Release => "released",
    }
}
