//! Mails about our mails: bounces, and people who want no more.

use super::Desk;
use super::intake::Passing;
use super::issues::blank_note;
use super::routing::KeyKind;
use super::txn::Txn;
use crate::domain::{
    AddressState, Author, Fate, Fault, IntakeEntry, MessageId, Note, NoteKind, OutboxEntry, OutboxState,
    ReplyKey,
};
use crate::mail;
use crate::store::record::{Known, Place, outbox_key, text_key};

impl Desk {
    /// Finds where a mail of ours with this Message-ID went out from.
    pub(super) async fn sent_place(&self, txn: &mut Txn<'_>, id: &MessageId) -> Result<Option<Place>, Fault> {
        let known = txn.get::<Known>(&text_key(id.as_str())).await?;
        Ok(known.and_then(|k| k.places.into_iter().find(|place| place.outbox.is_some())))
    }

    pub(super) async fn unsubscribe(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        key: &ReplyKey,
    ) -> Result<IntakeEntry, Fault> {
        let id = self.survivor(txn, key.issue).await?;
        let before = self.load_issue(txn, id).await?;
        let mut issue = before.clone();
        let mut stopped = false;
        for person in issue.participants.iter_mut().filter(|p| p.email == key.address) {
            stopped |= std::mem::replace(&mut person.subscribed, false);
        }
        if stopped {
            self.system_note(txn, &mut issue, format!("{} unsubscribed", key.address), None).await?;
        }
        txn.put_issue(Some(&before), &issue)?;
        let reason = match stopped {
            true => format!("{} asked for no more mail about this issue", key.address),
            false => format!("{} had no mail about this issue coming", key.address),
        };
        let fate = (Fate::Unsubscribe, reason);
        let mut entry = self
            .enter(txn, passing.prepared, Some(passing.message), again, Some(issue.project), fate)
            .await?;
        entry.issue = Some(issue.id);
        txn.put(&entry)?;
        Ok(entry)
    }

    /// Ties a bounce to the mail that came back.
    pub(super) async fn bounced(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        bounce: &mail::Bounce,
    ) -> Result<IntakeEntry, Fault> {
        let Some(mut sent) = self.bounced_row(txn, passing, bounce).await? else {
            let fate = (Fate::Bounce, format!("{}; it names no mail of ours", passing.verdict.reason));
            return self.enter(txn, passing.prepared, Some(passing.message), again, None, fate).await;
        };
        let about = bounce.recipients.iter().find(|r| r.address == sent.to).or(bounce.recipients.first());
        let permanent = about.is_none_or(|r| r.permanent);
        let delayed = about.is_some_and(|r| r.delayed);
        let words = about.map_or_else(|| passing.message.subject.clone(), |r| r.text.clone());
        sent.error = Some(words.clone());
        if !delayed {
            sent.state = OutboxState::Bounced;
        }
        let state = if permanent { AddressState::Bounced } else { AddressState::Deferred };
        super::outbox::put_entry(txn, &sent)?;
        self.mark_address(txn, &sent, state).await?;
        let what = if delayed { "is late" } else { "came back" };
        let sentence = format!("the mail to {} {what}: {words}", sent.to);
        let mut entry = {
            let project = None;
            let fate = (Fate::Bounce, format!("{}; {sentence}", passing.verdict.reason));
            self.enter(txn, passing.prepared, Some(passing.message), again, project, fate).await?
        };
        if let Some(id) = sent.issue {
            let before = self.load_issue(txn, id).await?;
            let mut issue = before.clone();
            let blank = blank_note(txn.next_note().await?, id, NoteKind::System, sentence, passing.at);
            let note = Note { author: Author::system(), automatic: true, raw: passing.prepared.raw, ..blank };
            txn.add_note(&mut issue, &note)?;
            txn.put_issue(Some(&before), &issue)?;
            entry.project = Some(issue.project);
            entry = self.tie(txn, entry, &issue, &note)?;
        }
        Ok(entry)
    }

    /// Finds the row that bounced: by the address the bounce was sent to, else by the Message-ID in it.
    async fn bounced_row(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        bounce: &mail::Bounce,
    ) -> Result<Option<OutboxEntry>, Fault> {
        let given = passing.prepared.arrival.envelope_to.iter().map(String::as_str);
        let stated = passing.message.recipients.iter().map(|(_, address)| address.as_str());
        let mut row = None;
        for hit in given.chain(stated).filter_map(|address| self.inner.ways.hit(address, &passing.projects)) {
            if let KeyKind::Reply(key) = hit.kind {
                row = row.or(self.by_reply_key(txn, &key).await?.and_then(|key| key.outbox));
            }
        }
        let named =
            bounce.original.iter().chain(&passing.message.in_reply_to).chain(&passing.message.references);
        for id in named {
            if row.is_none() {
                row = self.sent_place(txn, id).await?.and_then(|place| place.outbox);
            }
        }
        match row {
            Some(id) => txn.get::<OutboxEntry>(&outbox_key(id)).await,
            None => Ok(None),
        }
    }
}
