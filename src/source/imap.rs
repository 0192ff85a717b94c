//! A folder on an IMAP server.
//!
//! Every wait has an end, and whatever fails drops the connection: async-imap has no timeouts of its own,
//! and a session is not to be trusted after an error. A call that is dropped half way drops it as well.

mod answers;
mod idle;
mod login;
mod rows;
mod settle;

use super::{SourceError, Stage};
use crate::{
    config::{AfterDelivery, ImapConfig, MailboxConfig, SourceConfig},
    oauth::Tokens,
    tls::Patient,
};
use answers::{Limit, uid_set};
use async_imap::{Session, types::UnsolicitedResponse};
use jiff::Timestamp;
use rows::Row;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    time::Duration,
};

/// Mails that one FETCH asks for: enough that the server need not wait for us in between.
const FETCHED: usize = 250;
/// Mails that one command settles, where it has to move them or their UIDs have many gaps.
const SETTLED: usize = 500;
/// Octets of UIDs in one command, where they are marked only; RFC 7162 (section 4) wants servers to read 8,192 a line.
const SET_MAX: usize = 8000;
/// Octets of a header that are read of a mail that is too large to fetch.
const HEADERS_MAX: u32 = 256 * 1024;

/// What the server offers beyond the bare protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Offers {
    idle: bool,
    uidplus: bool,
    moving: bool,
}

/// A connection to one folder.
#[derive(Debug)]
pub struct ImapSource {
    name: String,
    /// The folder as the wire wants it, and as people write it.
    folder: String,
    shown: String,
    limit: Limit,
    offers: Offers,
    /// Gone after any error, and while a call is under way.
    session: Option<Session<Patient>>,
    /// Mail has arrived since the last list was asked for.
    news: bool,
}

/// A selected folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    pub uid_validity: u32,
    pub uid_next: Option<u32>,
    pub exists: u32,
}

/// A mail as the server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub uid: u32,
    /// Octets.
    pub size: u64,
    pub internal_date: Option<Timestamp>,
    pub flagged: bool,
    pub answered: bool,
    pub seen: bool,
    /// Somebody has marked it as deleted already.
    pub deleted: bool,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    News,
    Timeout,
    /// The server cannot tell: poll instead.
    Unsupported,
}

impl ImapSource {
    /// Connects and logs in; the folder is still to be selected.
    pub async fn connect(config: &MailboxConfig, tokens: &Tokens) -> Result<Self, SourceError> {
        match &config.source {
            SourceConfig::Imap(imap) => Self::open(&config.name, imap, tokens).await,
            _ => Err(SourceError::new(Stage::Unsupported, "this mailbox is not on an IMAP server")),
        }
    }

    async fn open(name: &str, config: &ImapConfig, tokens: &Tokens) -> Result<Self, SourceError> {
        let limit = Limit(config.server.timeout);
        let (session, offers) = login::open(config, tokens, limit).await?;
        tracing::debug!(mailbox = name, ?offers, "logged in");
        Ok(Self {
            name: name.to_owned(),
            folder: folder_on_the_wire(&config.folder),
            shown: config.folder.clone(),
            limit,
            offers,
            session: Some(session),
            news: false,
        })
    }

    /// Gives the name of the mailbox in the config.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether the server can wake us.
    pub fn can_idle(&self) -> bool {
        self.offers.idle
    }

    /// Selects the folder.
    pub async fn select(&mut self) -> Result<Selected, SourceError> {
        let mut session = self.take()?;
        let answer = self.limit.command(session.select(&self.folder)).await;
        let folder = answer.map_err(|e| match e.stage {
            Stage::Command => {
                SourceError::new(Stage::Select, format!("{} cannot be opened: {e}", self.shown))
                    .hint("`mailbox` names the folder, as `INBOX` or `Archive/Desk`")
            }
            _ => e,
        })?;
        let uid_validity = folder.uid_validity.ok_or_else(|| {
            SourceError::new(Stage::Select, "the server gives this folder no UIDVALIDITY")
                .hint("without lasting UIDs mail cannot be read safely; use another folder or server")
        })?;
        self.news = false;
        self.give_back(session);
        Ok(Selected { uid_validity, uid_next: folder.uid_next, exists: folder.exists })
    }

    /// Lists the mails whose UID is greater than `after`, and no greater than `last` if that is given, by UID.
    pub async fn list(&mut self, after: u32, last: Option<u32>) -> Result<Vec<Listing>, SourceError> {
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        let mut session = self.take()?;
        self.drain(&session);
        // What came up to now is listed, unless the list ends before it.
        self.news &= last.is_some();
        let mut rows = BTreeMap::new();
        let query = "(UID RFC822.SIZE INTERNALDATE FLAGS)";
        let (set, wanted) = match last {
            Some(last) => (format!("{first}:{last}"), first..=last),
            None => (format!("{first}:*"), first..=u32::MAX),
        };
        let each = |row: Row| note_row(&mut rows, &row, &wanted);
        self.news |= rows::fetch(&mut session, self.limit, &set, query, each).await?;
        self.give_back(session);
        Ok(rows.into_values().collect())
    }

    /// Fetches mails without marking them as read and hands each to `each`; gives the UIDs that came.
    ///
    /// Mails that are gone by now are missing in the answer. On an error, what was handed over counts.
    pub async fn fetch(
        &mut self,
        uids: &[u32],
        mut each: impl FnMut(u32, Vec<u8>),
    ) -> Result<Vec<u32>, SourceError> {
        let mut session = self.take()?;
        let mut came = Vec::new();
        for batch in uids.chunks(FETCHED) {
            let mut wanted: BTreeSet<u32> = batch.iter().copied().collect();
            let hand_over = |row: Row| {
                let uid = row.uid.filter(|_| row.bytes.is_some()).and_then(|uid| wanted.take(&uid));
                if let (Some(uid), Some(bytes)) = (uid, row.bytes) {
                    came.push(uid);
                    each(uid, bytes);
                }
            };
            let set = uid_set(batch);
            self.news |= rows::fetch(&mut session, self.limit, &set, "(UID BODY.PEEK[])", hand_over).await?;
        }
        self.give_back(session);
        Ok(came)
    }

    /// Fetches the header of one mail, at most its first 256 KiB.
    pub async fn headers(&mut self, uid: u32) -> Result<Vec<u8>, SourceError> {
        let mut session = self.take()?;
        let mut header = None;
        let query = format!("(UID BODY.PEEK[HEADER]<0.{HEADERS_MAX}>)");
        let each = |row: Row| {
            if row.uid == Some(uid) && row.bytes.is_some() {
                header = row.bytes;
            }
        };
        self.news |= rows::fetch(&mut session, self.limit, &uid.to_string(), &query, each).await?;
        self.give_back(session);
        Ok(header.unwrap_or_default())
    }

    /// Does with mails what the config says, once the desk holds them.
    ///
    /// Doing it twice, or with mails that are gone, is harmless. Without UIDPLUS a mail is marked as
    /// deleted and stays: a blanket EXPUNGE would take mails that others have marked.
    pub async fn settle(&mut self, uids: &[u32], after: &AfterDelivery) -> Result<(), SourceError> {
        if uids.is_empty() || *after == AfterDelivery::Nothing {
            return Ok(());
        }
        let mut session = self.take()?;
        let all = uid_set(uids);
        let sets = match *after == AfterDelivery::Seen && all.len() <= SET_MAX {
            true => vec![all],
            false => uids.chunks(SETTLED).map(uid_set).collect(),
        };
        for set in sets {
            settle::settle(&mut session, self.limit, self.offers, &set, after).await?;
            self.drain(&session);
        }
        self.give_back(session);
        Ok(())
    }

    /// Waits for mail, at most `timeout` and never longer than 29 minutes.
    ///
    /// News that came with an earlier answer counts, so nothing falls between a list and the wait.
    pub async fn idle(&mut self, timeout: Duration) -> Result<Wake, SourceError> {
        if !self.offers.idle {
            return Ok(Wake::Unsupported);
        }
        let mut session = self.take()?;
        self.drain(&session);
        if !self.news {
            self.news = idle::wait(&mut session, self.limit, timeout).await?;
        }
        self.give_back(session);
        Ok(if self.news { Wake::News } else { Wake::Timeout })
    }

    /// Says goodbye; a server that does not answer is left as it is.
    pub async fn close(mut self) {
        if let Ok(mut session) = self.take() {
            let _ = self.limit.command(session.logout()).await;
        }
    }

    fn take(&mut self) -> Result<Session<Patient>, SourceError> {
        self.session.take().ok_or_else(|| SourceError::new(Stage::Command, "the connection is gone"))
    }

    fn give_back(&mut self, session: Session<Patient>) {
        self.drain(&session);
        self.session = Some(session);
    }

    /// Looks through what the server said unasked.
    fn drain(&mut self, session: &Session<Patient>) {
        while let Ok(said) = session.unsolicited_responses.try_recv() {
            self.news |= matches!(said, UnsolicitedResponse::Exists(_));
        }
    }
}

/// Writes a folder's name as the wire wants it (RFC 3501, section 5.1.3).
fn folder_on_the_wire(name: &str) -> String {
    utf7_imap::encode_utf7_imap(name.to_owned())
}

/// Keeps a row; one that only tells of changed flags adds to what is known.
fn note_row(rows: &mut BTreeMap<u32, Listing>, row: &Row, wanted: &RangeInclusive<u32>) {
    // `n:*` names the last mail even when its UID is smaller than n.
    let Some(uid) = row.uid.filter(|uid| wanted.contains(uid)) else { return };
    let known = rows.entry(uid).or_insert(Listing {
        uid,
        size: 0,
        internal_date: None,
        flagged: false,
        answered: false,
        seen: false,
        deleted: false,
    });
    let flagged = |flag: &str| row.flags.iter().any(|one| one == flag);
    known.size = row.size.unwrap_or(known.size);
    known.internal_date = row.internal_date.or(known.internal_date);
    known.flagged |= flagged("\\flagged");
    known.answered |= flagged("\\answered");
    known.seen |= flagged("\\seen");
    known.deleted |= flagged("\\deleted");
}
