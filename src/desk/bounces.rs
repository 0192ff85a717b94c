//! Mails about our mails: bounces, and people who want no more.

use super::Desk;
use super::intake::Passing;
use super::issues::blank_note;
use super::txn::Txn;
use crate::domain::{
    AddressState, Author, EmailAddress, Fate, Fault, IntakeEntry, IssueId, MessageId, Note, NoteKind,
    OutboxEntry, OutboxState, ReplyKey,
};
use crate::mail;
use crate::store::record::{Known, Place, text_key};

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
        let stopped = issue.set_subscribed(&key.address, false);
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

    /// Ties a bounce to the mails that came back: each row of the outbox that it names.
    pub(super) async fn bounced(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        bounce: &mail::Bounce,
    ) -> Result<IntakeEntry, Fault> {
        let who: Vec<&EmailAddress> = bounce.recipients.iter().map(|r| &r.address).collect();
        let found = self.reported(txn, passing, &bounce.returned, &who).await?;
        let pairs = paired(found.rows, &bounce.recipients);
        if pairs.is_empty() {
            let fate = (Fate::Bounce, format!("{}; {}", passing.verdict.reason, found.how));
            return self.enter(txn, passing.prepared, Some(passing.message), again, None, fate).await;
        }
        let mut sentences = Vec::new();
        for (mut row, failed) in pairs {
            let sentence = self.mark_row(txn, passing, &mut row, failed).await?;
            sentences.push((row.issue, sentence));
        }
        let said = sentences.iter().map(|(_, sentence)| sentence.as_str()).collect::<Vec<_>>().join("; ");
        let fate = (Fate::Bounce, format!("{}; {said}; {}", passing.verdict.reason, found.how));
        let entry = self.enter(txn, passing.prepared, Some(passing.message), again, None, fate).await?;
        self.note_reports(txn, passing, entry, sentences).await
    }

    /// Sets what became of one mail, and what is known of its address; says it in words.
    async fn mark_row(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        row: &mut OutboxEntry,
        failed: Option<&mail::FailedRecipient>,
    ) -> Result<String, Fault> {
        let words = failed.map_or("", |r| r.text.as_str()).trim();
        let words = if words.is_empty() { passing.message.subject.clone() } else { words.to_owned() };
        let delayed = failed.is_some_and(|r| r.delayed);
        if delayed && matches!(row.state, OutboxState::Bounced | OutboxState::Failed) {
            return Ok(format!("the mail to {} was late before it came back: {words}", row.to));
        }
        let state =
            if failed.is_none_or(|r| r.permanent) { AddressState::Bounced } else { AddressState::Deferred };
        if delayed {
            row.error = Some(format!("late, the server is still trying: {words}"));
        } else {
            row.error = Some(words.clone());
            row.state = OutboxState::Bounced;
        }
        super::outbox::put_entry(txn, row)?;
        self.mark_address(txn, row, state).await?;
        let what = if delayed { "is late, the server is still trying" } else { "came back" };
        Ok(format!("the mail to {} {what}: {words}", row.to))
    }

    /// Writes into each issue what a report said of its mails, and ties the entry to the first.
    pub(super) async fn note_reports(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        mut entry: IntakeEntry,
        sentences: Vec<(Option<IssueId>, String)>,
    ) -> Result<IntakeEntry, Fault> {
        for (id, sentence) in sentences {
            let Some(id) = id else { continue };
            let before = self.load_issue(txn, id).await?;
            let mut issue = before.clone();
            let blank = blank_note(txn.next_note().await?, id, NoteKind::System, sentence, passing.at);
            let note = Note { author: Author::system(), automatic: true, raw: passing.prepared.raw, ..blank };
            txn.add_note(&mut issue, &note)?;
            txn.put_issue(Some(&before), &issue)?;
            if entry.issue.is_none() {
                entry.project = Some(issue.project);
                entry = self.tie(txn, entry, &issue, &note)?;
            }
        }
        Ok(entry)
    }
}

/// Puts each recipient of a report to the row that was sent to them. A report that names only addresses
/// we did not write to, as those behind an alias, speaks of the first row.
fn paired(
    rows: Vec<OutboxEntry>,
    failed: &[mail::FailedRecipient],
) -> Vec<(OutboxEntry, Option<&mail::FailedRecipient>)> {
    let first = rows.first().cloned();
    let mut pairs = Vec::new();
    for row in rows {
        if let Some(one) = failed.iter().find(|r| r.address == row.to) {
            pairs.push((row, Some(one)));
        }
    }
    if pairs.is_empty() {
        pairs.extend(first.map(|row| (row, failed.first())));
    }
    pairs
}
