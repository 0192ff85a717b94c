//! How the desk is doing: the board that mailboxes and outlets write their state on.

use super::{Acting, Desk, txn};
use crate::domain::{
    Channel, ChannelState, DeskStatus, Fate, Fault, Finding, IntakeEntry, IssueId, Judge, Opinion,
    OutboxCounts, Query, Rights, Role, SpamStatus,
};
use crate::store::Direction;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many of the latest arrivals are looked at for the triage count.
const TRIAGE_WINDOW: usize = 5000;

/// States and notices, kept in memory: they describe this process, not the desk.
pub struct Board {
    started: Timestamp,
    mailboxes: Mutex<BTreeMap<String, Channel>>,
    outlets: Mutex<BTreeMap<String, Channel>>,
    judges: Mutex<BTreeMap<String, Channel>>,
    notices: Mutex<BTreeMap<String, String>>,
    place: Mutex<(PathBuf, bool, bool)>,
    changed: AtomicBool,
}

impl Board {
    pub(super) fn new(started: Timestamp) -> Self {
        Self {
            started,
            mailboxes: Mutex::default(),
            outlets: Mutex::default(),
            judges: Mutex::default(),
            notices: Mutex::default(),
            place: Mutex::default(),
            changed: AtomicBool::new(false),
        }
    }

    /// Says where the desk lives, and whether it serves its mailboxes or ends with its last client.
    pub fn settle(&self, data_dir: PathBuf, serving: bool, while_used: bool) {
        *locked(&self.place) = (data_dir, serving, while_used);
    }

    /// Writes the state of a mailbox.
    pub fn mailbox(&self, channel: Channel) {
        locked(&self.mailboxes).insert(channel.name.clone(), channel);
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Writes the state of an outlet.
    pub fn outlet(&self, channel: Channel) {
        locked(&self.outlets).insert(channel.name.clone(), channel);
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Puts up a notice, or changes the one on the same topic.
    pub fn notice(&self, topic: String, words: String) {
        let before = locked(&self.notices).insert(topic.clone(), words.clone());
        if before.as_ref() != Some(&words) {
            tracing::warn!(topic, words, "notice");
            self.changed.store(true, Ordering::Relaxed);
        }
    }

    /// Takes a notice down; tells whether there was one.
    pub fn clear_notice(&self, topic: &str) -> bool {
        let was = locked(&self.notices).remove(topic).is_some();
        if was {
            self.changed.store(true, Ordering::Relaxed);
        }
        was
    }

    /// Tells whether anything was written since the last time somebody asked.
    pub fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::Relaxed)
    }
}

impl Desk {
    /// Writes the state of a mailbox and tells everybody.
    pub fn show_mailbox(&self, channel: Channel) {
        self.inner.board.mailbox(channel);
        self.tell(crate::domain::Event::Status);
    }

    /// Writes the state of an outlet and tells everybody.
    pub fn show_outlet(&self, channel: Channel) {
        self.inner.board.outlet(channel);
        self.tell(crate::domain::Event::Status);
    }

    /// Gives the states of mailboxes and outlets, and the counts of the outbox, as they are now.
    pub fn glance(&self) -> (Vec<Channel>, Vec<Channel>, OutboxCounts) {
        let board = &self.inner.board;
        let mailboxes = locked(&board.mailboxes).values().cloned().collect();
        let outlets = locked(&board.outlets).values().cloned().collect();
        (mailboxes, outlets, self.outbox_counts())
    }

    /// Counts the mails that are not settled well.
    pub fn outbox_counts(&self) -> OutboxCounts {
        self.inner.queue.counts(|_| true)
    }

    /// Shows how the desk is doing, to who watches over its machine.
    pub async fn figures(&self) -> Result<DeskStatus, Fault> {
        self.status(&Acting::system(self.now())).await
    }

    /// Counts the issues that are open, and those of them that wait for us.
    pub fn issue_counts(&self) -> Result<(u64, u64), Fault> {
        let viewer = self.viewer(&Acting::system(self.now()));
        let count = |query: &str| -> Result<u64, Fault> {
            Ok(self.inner.index.count(&Query::parse(query)?, &viewer))
        };
        Ok((count("is:open")?, count("is:open waiting:us")?))
    }

    /// Shows how the desk is doing. What names people or projects is for those who maintain one.
    pub(super) async fn status(&self, acting: &Acting) -> Result<DeskStatus, Fault> {
        let maintains = acting.rights.may_anywhere(Role::Maintainer);
        let board = &self.inner.board;
        let (data_dir, serving, while_used) = locked(&board.place).clone();
        let (mailboxes, outlets, _) = self.glance();
        let viewer = self.viewer(acting);
        let sees = |issue: Option<IssueId>| {
            acting.rights == Rights::All
                || issue.is_some_and(|issue| self.inner.index.row(issue, &viewer).is_some())
        };
        let outbox = self.inner.queue.counts(sees);
        let (triage, quarantined) = if maintains { self.triage_counts().await? } else { (0, 0) };
        Ok(DeskStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            while_used,
            serving,
            started_at: board.started,
            data_dir: data_dir.display().to_string(),
            stale: mailboxes.iter().chain(&outlets).any(|c| self.is_stale(c)),
            mailboxes,
            outlets,
            outbox,
            triage,
            quarantined,
            free_space: self.inner.store.free_space(),
            notices: locked(&board.notices).values().filter(|_| maintains).cloned().collect(),
            spam: self.spam_status(),
            present: self.present(acting),
            sign_ins: Vec::new(),
        })
    }

    fn spam_status(&self) -> SpamStatus {
        let (lessons, owed) = self.inner.school.counts();
        SpamStatus {
            local: self.inner.ways.spam.local,
            lessons,
            owed,
            mails: self.inner.spam_mails.count(),
            judges: locked(&self.inner.board.judges).values().cloned().collect(),
        }
    }

    /// Writes down which services are switched on.
    pub(super) fn list_judges(&self) {
        let spam = &self.inner.ways.spam;
        let on = [("akismet", spam.akismet.enabled), ("rspamd", spam.rspamd.enabled)];
        let channels = on
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(name, _)| (name.to_owned(), Channel::new(name, "spam check", self.now())));
        locked(&self.inner.board.judges).extend(channels);
    }

    /// Writes down which services answered and which did not.
    pub(super) fn show_judges(&self, opinions: &[Opinion]) {
        let mut changed = false;
        for opinion in opinions {
            let name = match opinion.by {
                Judge::Akismet => "akismet",
                Judge::Rspamd => "rspamd",
                _ => continue,
            };
            let mut judges = locked(&self.inner.board.judges);
            let channel =
                judges.entry(name.to_owned()).or_insert_with(|| Channel::new(name, "spam check", self.now()));
            let failing = opinion.finding == Finding::Unavailable;
            let state = if failing { ChannelState::Failing } else { ChannelState::Ok };
            if channel.state != state {
                channel.since = self.now();
                changed = true;
            }
            channel.state = state;
            channel.error = failing.then(|| opinion.words.clone());
            if !failing {
                channel.last_success = Some(self.now());
            }
        }
        if changed {
            self.tell(crate::domain::Event::Status);
        }
    }

    /// Tells whether a channel has failed for longer than `stale_after`.
    fn is_stale(&self, channel: &Channel) -> bool {
        let failing = channel.state == ChannelState::Failing;
        let since = channel.last_success.unwrap_or(channel.since).max(channel.since.min(self.now()));
        failing && self.now().duration_since(since).unsigned_abs() >= self.inner.ways.stale_after
    }

    /// Counts the latest arrivals that wait for somebody, and those of them that are in quarantine.
    async fn triage_counts(&self) -> Result<(u64, u64), Fault> {
        let page = self.inner.store.scan::<IntakeEntry>(&[], None, TRIAGE_WINDOW, Direction::Down).await;
        let page = page.map_err(txn::store_fault)?;
        let of = |fate| page.iter().filter(|kept| kept.record.fate == fate).count() as u64;
        let quarantined = of(Fate::Quarantined);
        Ok((of(Fate::Unroutable) + quarantined, quarantined))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
