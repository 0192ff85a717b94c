//! Purging: spam that was kept long enough goes; of each mail and issue one line stays, so that counts hold.
//!
//! The bytes themselves go with the next compaction, when no record names them any more.

use super::intake::put_arrival;
use super::txn::{self, Txn};
use super::{Desk, system};
use crate::config::parse_duration;
use crate::domain::query::Viewer;
use crate::domain::{
    Author, Fate, Fault, IntakeEntry, IntakeId, Issue, IssueId, Note, Query, Rights, SUPPORT_BOT,
};
use crate::store::record::{Fingerprint, Known, SpamMail, intake_key, note_key, text_key};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Mails that go in one step.
const TOGETHER: usize = 100;
/// Issues that go in one round.
const ISSUES: u64 = 10_000;

/// The arrivals that were taken for spam and are still kept, and since when; follows what is committed.
#[derive(Default)]
pub(super) struct SpamMails {
    since: Mutex<BTreeMap<IntakeId, Timestamp>>,
}

impl SpamMails {
    /// Takes note of what was committed under a key.
    pub fn follow(&self, key: &[u8], mail: Option<&SpamMail>) {
        match (mail, key.try_into().map(u64::from_be_bytes)) {
            (Some(mail), _) => drop(self.held().insert(mail.id, mail.since)),
            (None, Ok(id)) => drop(self.held().remove(&IntakeId(id))),
            (None, Err(_)) => {}
        }
    }

    pub fn count(&self) -> u64 {
        self.held().len() as u64
    }

    fn until(&self, limit: Timestamp) -> Vec<IntakeId> {
        self.held().iter().filter(|(_, since)| **since <= limit).map(|(id, _)| *id).collect()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<IntakeId, Timestamp>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    pub(super) async fn load_spam_mails(&self) -> Result<(), Fault> {
        let mails = txn::all::<SpamMail>(&self.inner.store, &[]).await?;
        self.inner.spam_mails.held().extend(mails.into_iter().map(|mail| (mail.id, mail.since)));
        Ok(())
    }

    /// Lets everything go that has been spam for longer than `purge_spam_after`; gives how many mails and
    /// issues that were.
    pub async fn purge_spam(&self) -> Result<u64, Fault> {
        let settings = self.desk_settings().await?;
        let kept = settings.purge_spam_after.as_deref().and_then(parse_duration);
        let kept = kept.and_then(|kept| SignedDuration::try_from(kept).ok()).filter(|kept| !kept.is_zero());
        let Some(limit) = kept.and_then(|kept| self.now().checked_sub(kept).ok()) else { return Ok(0) };
        let mut purged = 0;
        for ids in self.inner.spam_mails.until(limit).chunks(TOGETHER) {
            purged += self.purge_mails(ids, limit).await?;
        }
        for id in self.spam_issues()? {
            purged += u64::from(self.purge_issue(id, limit).await?);
        }
        if purged > 0 {
            tracing::info!(purged, "spam was purged");
        }
        Ok(purged)
    }

    fn spam_issues(&self) -> Result<Vec<IssueId>, Fault> {
        let viewer = Viewer { user: SUPPORT_BOT.to_owned(), now: self.now(), rights: Rights::All };
        Ok(self.inner.index.find(&Query::parse("is:spam")?, &viewer, 0, ISSUES).issues)
    }

    async fn purge_mails(&self, ids: &[IntakeId], limit: Timestamp) -> Result<u64, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let mut purged = 0;
        for id in ids {
            let Some(entry) = txn.get::<IntakeEntry>(&intake_key(*id)).await? else { continue };
            // Read again under the lock: somebody may have said that it is no spam. What became an issue
            // once goes with that.
            if entry.spam_since.is_some_and(|since| since <= limit) && entry.issue.is_none() {
                put_arrival(&mut txn, &stripped(entry, "it was spam"))?;
                purged += 1;
            }
        }
        self.finish(txn, system(), Some("spam was kept long enough".to_owned()), None).await?;
        Ok(purged)
    }

    async fn purge_issue(&self, id: IssueId, limit: Timestamp) -> Result<bool, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let issue = self.load_issue(&mut txn, id).await?;
        let since = issue.spam_since.or(issue.closed_at).unwrap_or(issue.updated_at);
        if !issue.spam || issue.purged || since > limit {
            return Ok(false);
        }
        for note in txn.list::<Note>(&txn::below(id.0)).await? {
            self.forget_mail(&mut txn, &note).await?;
            txn.remove::<Note>(note_key(id, note.id));
        }
        txn.put(&emptied(issue))?;
        self.finish(txn, system(), Some("spam was kept long enough".to_owned()), None).await?;
        Ok(true)
    }

    /// Takes away what is known of the mail of a note: its arrivals, and where answers to it belong.
    async fn forget_mail(&self, txn: &mut Txn<'_>, note: &Note) -> Result<(), Fault> {
        if let Some(id) = &note.message_id
            && let Some(mut known) = txn.get::<Known>(&text_key(id.as_str())).await?
        {
            known.places.retain(|place| place.issue != note.issue);
            match known.places.is_empty() {
                true => txn.remove::<Known>(text_key(id.as_str())),
                false => txn.put(&known)?,
            }
        }
        let Some(raw) = note.raw else { return Ok(()) };
        let Some(subject) = self.subject_of(raw).await? else { return Ok(()) };
        let Some(known) = txn.get::<Fingerprint>(&text_key(&subject.fingerprint)).await? else {
            return Ok(());
        };
        for id in known.intake {
            let Some(entry) = txn.get::<IntakeEntry>(&intake_key(id)).await? else { continue };
            match entry.note == Some(note.id) {
                // It waits for a person still, whatever became of the issue it once was.
                true if entry.fate == Fate::Quarantined => {
                    put_arrival(txn, &IntakeEntry { issue: None, note: None, ..entry })?;
                }
                true => put_arrival(txn, &stripped(entry, "its issue was spam"))?,
                false => {}
            }
        }
        Ok(())
    }
}

/// Leaves one line of an arrival.
fn stripped(entry: IntakeEntry, why: &str) -> IntakeEntry {
    IntakeEntry {
        message_id: None,
        from: None,
        to: Vec::new(),
        subject: None,
        reason: format!("purged: {why}"),
        raw: None,
        opinions: Vec::new(),
        purged: true,
        ..entry
    }
}

/// Leaves the number of an issue.
fn emptied(issue: Issue) -> Issue {
    Issue {
        title: "(spam, purged)".to_owned(),
        author: Author::system(),
        labels: Default::default(),
        participants: Vec::new(),
        links: Vec::new(),
        arrived_to: None,
        notes: 0,
        last_note: None,
        purged: true,
        ..issue
    }
}
