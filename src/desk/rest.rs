//! Rest: what a closed desk leaves word of, so that a look into its mailboxes that brings nothing need not
//! open it.

use super::Desk;
use super::txn;
use crate::domain::query::Viewer;
use crate::domain::{Cursor, Query, Rights, SUPPORT_BOT};
use crate::store::Store;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A desk with which nothing has to be done before mail comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    pub cursors: Vec<Cursor>,
    /// Mails that somebody holds.
    pub held: u64,
}

impl Rest {
    /// Reads what the desk in a data dir left word of; nothing where something is to be done.
    pub fn of(dir: &Path) -> Option<Self> {
        serde_json::from_str(&Store::farewell(dir)?).ok()
    }
}

impl Desk {
    /// Gives what to leave word of; nothing while mail waits to be sent, spam to be purged, an issue to be
    /// closed, a lesson or one of the staff to be told.
    pub(super) async fn rest(&self) -> Option<String> {
        let counts = self.outbox_counts();
        let waiting = counts.sending + counts.deferred + counts.queued;
        if waiting > 0 || self.has_mail_due() || self.inner.spam_mails.count() > 0 || self.owes_lessons() {
            return None;
        }
        let told = self.owes_notices().await.ok()? || self.waits_for_custom().await.ok()?;
        let timed = self.may_become_idle().await.unwrap_or(true)
            || self.has_timed_rules().await.unwrap_or(true)
            || self.has_clocks();
        if told || timed {
            return None;
        }
        let viewer = Viewer { user: SUPPORT_BOT.to_owned(), now: self.now(), rights: Rights::All };
        if self.inner.index.count(&Query::parse("is:spam").ok()?, &viewer) > 0 {
            return None;
        }
        let cursors = txn::all::<Cursor>(&self.inner.store, &[]).await.ok()?;
        serde_json::to_string(&Rest { cursors, held: counts.held }).ok()
    }
}
