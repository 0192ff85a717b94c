//! Arrivals: raw mail is read, kept and handed to the intake, batch by batch.
//!
//! Reading happens beside each other and before anything is locked; the decisions and the cursor of the
//! mailbox then become one commit. A mail that makes this code panic is tried alone and quarantined.

use super::screening::Asked;
use super::txn::{self, Txn};
use super::{Desk, system};
use crate::domain::{
    Arrival, Cursor, Deliver, Delivered, Fate, Fault, FaultKind, IntakeEntry, IntakeId, Opinion, OutboxEntry,
    OutboxId, RawRef, Response, Seal,
};
use crate::mail::{self, Message};
use crate::store::record::{Fingerprint, intake_key, outbox_key, text_key};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Why a mail is quarantined that made this program panic.
const BROKE: &str = "the program broke on this mail; please report it";

/// Mails that are asked about at once.
const SIDE_BY_SIDE: usize = 8;
/// Mails that one thread reads in a row, and rows that are read at once.
const IN_A_ROW: usize = 64;
const ROWS: usize = 2;
/// What two clocks that are right do not differ by.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// A mail as a source hands it over.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub arrival: Arrival,
    pub content: Content,
    /// A mail from before this moment, or of the days to come, causes no mail to anyone.
    pub silent_before: Option<Timestamp>,
}

/// How much of a mail there is.
#[derive(Clone, Debug)]
pub enum Content {
    Whole(Vec<u8>),
    /// Only its headers, because the mail is larger than the mailbox takes. Octets of the whole.
    TooLarge {
        headers: Vec<u8>,
        size: u64,
    },
    /// The server would not give it.
    Unfetchable {
        reason: String,
        size: u64,
    },
}

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub entry: IntakeId,
    pub fate: Fate,
    pub silent: bool,
    /// The mails it caused.
    pub mails: Vec<OutboxId>,
}

/// A mail that was read.
pub(super) struct Prepared {
    pub arrival: Arrival,
    pub raw: Option<RawRef>,
    pub size: u64,
    pub fingerprint: String,
    /// The mail, or in words why it could not be read or fetched.
    pub message: Result<Message, String>,
    /// Its text, read the way that its headers suggest; rendering hostile HTML takes its time.
    pub visible: Option<(mail::Reading, mail::Visible)>,
    /// Everything that looks at them shares them: a mail may be large.
    pub bytes: Arc<Vec<u8>>,
    /// Whether all of it came.
    whole: bool,
    /// What its headers say, when only they are here.
    pub headers: Option<Message>,
    /// What was thought of it: whether it is wanted mail.
    pub opinions: Vec<Opinion>,
    /// It bears a key of one of the staff, so that it is taken in a step of its own.
    pub of_staff: bool,
    /// What its signature or encryption said, and the lines of armour that are no text.
    pub seal: Option<Seal>,
    pub armour: Option<String>,
}

/// A batch of mails that were read, kept and asked about.
pub struct ReadBatch(Vec<Prepared>);

/// What was made of the bytes of a mail.
struct Look {
    message: Result<Message, String>,
    fingerprint: String,
    visible: Option<(mail::Reading, mail::Visible)>,
}

impl Prepared {
    /// Reads a mail by the way that is handed in.
    fn read(incoming: Incoming, now: Timestamp, look: fn(&[u8]) -> Look) -> Self {
        let Incoming { mut arrival, content, silent_before } = incoming;
        match content {
            Content::Whole(bytes) => {
                // A mail on which the program breaks must not stop the others.
                let Look { message, fingerprint, visible } =
                    catch_unwind(|| look(&bytes)).unwrap_or_else(|_| Look::broken(&bytes));
                let age =
                    message.as_ref().ok().and_then(|m| m.date).into_iter().chain(arrival.received_at).min();
                // Where both dates lie ahead, a clock is wrong and nobody knows how old the mail is.
                let strange = |at: Timestamp| at.duration_since(now) > AHEAD;
                arrival.silent |=
                    silent_before.is_some_and(|limit| age.is_some_and(|at| at < limit || strange(at)));
                let size = bytes.len() as u64;
                let unread = Self::unread(arrival, size, fingerprint, String::new());
                Self { message, visible, bytes: Arc::new(bytes), whole: true, ..unread }
            }
            Content::TooLarge { headers, size } => {
                let fingerprint = mail::hash(&headers);
                let reason =
                    format!("it has {} MB, more than `max_size` of its mailbox", size.div_ceil(1_000_000));
                let headers = mail::read(&headers).ok();
                Self { headers, ..Self::unread(arrival, size, fingerprint, reason) }
            }
            Content::Unfetchable { reason, size } => {
                let fingerprint = mail::hash(format!("{arrival:?}").as_bytes());
                Self::unread(arrival, size, fingerprint, reason)
            }
        }
    }

    /// Stands for a mail of which nothing is known but why.
    fn unread(arrival: Arrival, size: u64, fingerprint: String, reason: String) -> Self {
        Self {
            arrival,
            raw: None,
            size,
            fingerprint,
            message: Err(reason),
            visible: None,
            bytes: Arc::default(),
            whole: false,
            headers: None,
            opinions: Vec::new(),
            of_staff: false,
            seal: None,
            armour: None,
        }
    }
}

impl Look {
    fn at(bytes: &[u8]) -> Self {
        let message = mail::read(bytes).map_err(|e| e.to_string());
        let fingerprint = match &message {
            Ok(message) => mail::fingerprint(bytes, message),
            Err(_) => mail::hash(bytes),
        };
        let visible = message.as_ref().ok().map(|message| {
            let reading = mail::Reading::of(message);
            (reading, mail::visible(message, reading))
        });
        Self { message, fingerprint, visible }
    }

    fn broken(bytes: &[u8]) -> Self {
        Self { message: Err(BROKE.to_owned()), fingerprint: mail::hash(bytes), visible: None }
    }
}

impl Desk {
    /// Takes a batch of mails in, with the cursor of the mailbox they came by, in one commit.
    ///
    /// Returns once it is durable: then, and only then, may the server be told. On a fault nothing of
    /// the batch was taken in.
    pub async fn receive(
        &self,
        batch: Vec<Incoming>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Received>, Fault> {
        let read = self.read_batch(batch).await?;
        self.take_in(read, cursor).await
    }

    /// Reads a batch of mails, keeps their bytes and asks whether they are wanted. Nothing is decided yet,
    /// so that it can be done while the batch before is taken in.
    pub async fn read_batch(&self, batch: Vec<Incoming>) -> Result<ReadBatch, Fault> {
        let mut prepared = self.read_all(batch).await?;
        self.keep_all(&mut prepared).await?;
        let ready = prepared.into_iter().map(|prepared| self.looked_at(prepared));
        stream::iter(ready).buffered(SIDE_BY_SIDE).try_collect().await.map(ReadBatch)
    }

    /// Takes in a batch that was read, as [`Desk::receive`] does.
    pub async fn take_in(
        &self,
        ReadBatch(prepared): ReadBatch,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Received>, Fault> {
        let (mut all, mut run) = (Vec::with_capacity(prepared.len()), Vec::new());
        let mailbox = cursor.as_ref().map(|cursor| cursor.mailbox.clone());
        let mailbox = mailbox.as_deref();
        for one in prepared {
            if !one.of_staff {
                run.push(one);
                continue;
            }
            // Who acts is one of the staff, so it is no step of the others.
            if !run.is_empty() {
                all.extend(self.take_together(std::mem::take(&mut run), mailbox, None).await?);
            }
            all.extend(self.take_together(vec![one], mailbox, None).await?);
        }
        if !run.is_empty() || cursor.is_some() {
            all.extend(self.take_together(run, mailbox, cursor).await?);
        }
        Ok(all)
    }

    async fn take_together(
        &self,
        prepared: Vec<Prepared>,
        mailbox: Option<&str>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Received>, Fault> {
        let together =
            AssertUnwindSafe(self.take_batch(&prepared, mailbox, cursor.clone(), None)).catch_unwind().await;
        match together {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(fault)) if stops_everything(&fault) => Err(fault),
            // One of them is the cause, and must not stop the others.
            Ok(Err(_)) | Err(_) => self.take_one_by_one(prepared, mailbox, cursor).await,
        }
    }

    async fn take_one_by_one(
        &self,
        prepared: Vec<Prepared>,
        mailbox: Option<&str>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Received>, Fault> {
        let mut all = Vec::with_capacity(prepared.len());
        for mut one in prepared {
            let alone = AssertUnwindSafe(self.take_batch(std::slice::from_ref(&one), mailbox, None, None))
                .catch_unwind()
                .await;
            let why = match alone {
                Ok(Ok(done)) => {
                    all.extend(done);
                    continue;
                }
                Ok(Err(fault)) if stops_everything(&fault) => return Err(fault),
                Ok(Err(fault)) => fault.message,
                Err(_) => BROKE.to_owned(),
            };
            one.message = Err(why);
            all.extend(self.take_batch(std::slice::from_ref(&one), mailbox, None, None).await?);
        }
        if let Some(cursor) = cursor {
            self.save_cursor(&cursor).await?;
        }
        Ok(all)
    }

    /// Reads a mail and keeps its bytes.
    pub(super) async fn prepare(&self, incoming: Incoming) -> Result<Prepared, Fault> {
        let mut prepared = self.read(incoming).await?;
        self.keep_all(std::slice::from_mut(&mut prepared)).await?;
        self.unseal(prepared, true).await
    }

    /// Keeps the bytes of mails.
    async fn keep_all(&self, mails: &mut [Prepared]) -> Result<(), Fault> {
        let whole: Vec<&mut Prepared> = mails.iter_mut().filter(|mail| mail.whole).collect();
        if whole.is_empty() {
            return Ok(());
        }
        let bytes = whole.iter().map(|mail| Arc::clone(&mail.bytes)).collect();
        let places = self.inner.store.stash_all(bytes).await.map_err(txn::store_fault)?;
        for (mail, place) in whole.into_iter().zip(places) {
            mail.raw = Some(place);
        }
        Ok(())
    }

    /// Reads a mail, keeps its bytes and asks whether it is wanted.
    pub(super) async fn prepare_screened(&self, incoming: Incoming) -> Result<Prepared, Fault> {
        let prepared = self.prepare(incoming).await?;
        self.screen(prepared).await
    }

    /// Looks into a mail if it is sealed, and asks whether it is wanted.
    async fn looked_at(&self, prepared: Prepared) -> Result<Prepared, Fault> {
        let prepared = self.unseal(prepared, true).await?;
        self.screen(prepared).await
    }

    async fn screen(&self, mut prepared: Prepared) -> Result<Prepared, Fault> {
        // A mail that breaks this is tried again alone, under the lock, without opinions.
        let asked = AssertUnwindSafe(self.opinions(&prepared)).catch_unwind().await;
        let asked = asked.unwrap_or_else(|_| Ok(Asked::default()))?;
        (prepared.opinions, prepared.of_staff) = (asked.opinions, asked.of_staff);
        Ok(prepared)
    }

    /// Reads a mail that is kept already, and writes nothing.
    pub(super) async fn read_again(
        &self,
        bytes: Vec<u8>,
        mailbox: Option<String>,
    ) -> Result<Prepared, Fault> {
        let arrival = Arrival { mailbox, ..Arrival::default() };
        self.read(Incoming { arrival, content: Content::Whole(bytes), silent_before: None }).await
    }

    /// Reads a mail and writes nothing.
    async fn read(&self, incoming: Incoming) -> Result<Prepared, Fault> {
        let read = self.read_all(vec![incoming]).await?;
        read.into_iter().next().ok_or_else(|| super::missing("a mail that was read"))
    }

    /// Reads mails, many at once, and writes nothing.
    async fn read_all(&self, mut mails: Vec<Incoming>) -> Result<Vec<Prepared>, Fault> {
        let mut rows = Vec::with_capacity(mails.len().div_ceil(IN_A_ROW));
        while !mails.is_empty() {
            let rest = mails.split_off(mails.len().min(IN_A_ROW));
            rows.push(std::mem::replace(&mut mails, rest));
        }
        let now = self.now();
        let by_look = move |mail| Prepared::read(mail, now, Look::at);
        let read = |row: Vec<Incoming>| {
            tokio::task::spawn_blocking(move || row.into_iter().map(by_look).collect::<Vec<_>>())
        };
        let read: Vec<_> =
            stream::iter(rows.into_iter().map(read)).buffered(ROWS).try_collect().await.map_err(unread)?;
        Ok(read.into_iter().flatten().collect())
    }

    /// Decides on every mail of a batch and commits, with the cursor of the mailbox if the batch ends with it.
    /// `again` is the entry that a retry replaces; what was asked for of `mailbox` replaces its own.
    pub(super) async fn take_batch(
        &self,
        batch: &[Prepared],
        mailbox: Option<&str>,
        cursor: Option<Cursor>,
        again: Option<&IntakeEntry>,
    ) -> Result<Vec<Received>, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let mut received = Vec::with_capacity(batch.len());
        if let Some(entry) = again {
            // Read again under the lock: somebody may have decided meanwhile.
            let now = txn.get::<IntakeEntry>(&intake_key(entry.id)).await?;
            if now.is_none_or(|now| now.issue != entry.issue || now.fate != entry.fate) {
                return Err(Fault::refused("somebody decided about this mail at the same moment"));
            }
        }
        let before = match mailbox {
            Some(mailbox) => txn.get::<Cursor>(&text_key(mailbox)).await?,
            None => None,
        };
        for prepared in batch {
            let asked = self.asked_for(before.as_ref(), prepared).await?;
            let caused = txn.deed().outbox.len();
            let entries = self.take(&mut txn, prepared, again.or(asked.as_ref()), true).await?;
            let mut mails = txn.deed().outbox.split_off(caused);
            txn.deed().outbox.extend(&mails);
            for IntakeEntry { id, fate, silent, .. } in entries {
                received.push(Received { entry: id, fate, silent, mails: std::mem::take(&mut mails) });
            }
        }
        let mut names_asked = before.as_ref().map(|before| before.names_asked.clone()).unwrap_or_default();
        let names = batch.iter().filter_map(|prepared| prepared.arrival.path.as_ref());
        let came = names.filter(|id| names_asked.remove(*id)).count();
        if let Some(cursor) = cursor.or(before.filter(|_| came > 0)) {
            txn.put(&Cursor { names_asked, ..cursor })?;
        }
        let actor = txn.actor.take().unwrap_or_else(system);
        self.finish(txn, actor, None, None).await?;
        Ok(received)
    }

    pub(super) async fn save_cursor(&self, cursor: &Cursor) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        // What is asked for stands there until it comes, whatever a pass knew of it.
        let before = txn.get::<Cursor>(&text_key(&cursor.mailbox)).await?;
        let names_asked = before.map(|before| before.names_asked).unwrap_or_default();
        txn.put(&Cursor { names_asked, ..cursor.clone() })?;
        self.finish(txn, system(), None, None).await?;
        Ok(Response::Done)
    }

    /// Records how far a mailbox has been read, and what its server has been told.
    pub async fn keep_cursor(&self, cursor: &Cursor) -> Result<(), Fault> {
        self.save_cursor(cursor).await.map(drop)
    }

    pub(super) async fn cursors(&self) -> Result<Response, Fault> {
        Ok(Response::Cursors(txn::all::<Cursor>(&self.inner.store, &[]).await?))
    }

    /// Finds how far a mailbox has been read.
    pub async fn cursor(&self, mailbox: &str) -> Result<Option<Cursor>, Fault> {
        let kept = self.inner.store.get::<Cursor>(&text_key(mailbox)).await;
        Ok(kept.map_err(txn::store_fault)?.map(|k| k.record))
    }

    pub(super) async fn deliver(&self, deliver: Deliver) -> Result<Response, Fault> {
        let incoming =
            Incoming { arrival: deliver.arrival, content: Content::Whole(deliver.raw), silent_before: None };
        if deliver.dry_run {
            return self.rehearse(incoming).await;
        }
        let received = self.receive(vec![incoming], None).await?;
        let first = received.first().ok_or_else(|| super::missing("the entry of a mail"))?;
        let entry = self.stored_intake(first.entry).await?;
        let mut mails = Vec::with_capacity(first.mails.len());
        for id in received.iter().flat_map(|received| &received.mails) {
            let kept =
                self.inner.store.get::<OutboxEntry>(&outbox_key(*id)).await.map_err(txn::store_fault)?;
            mails.extend(kept.map(|kept| describe(&kept.record)));
        }
        let rules = Vec::new();
        Ok(Response::Delivered(Box::new(Delivered { entry: self.intake_view(entry).await?, mails, rules })))
    }

    /// Says what a mail would do and writes nothing.
    async fn rehearse(&self, incoming: Incoming) -> Result<Response, Fault> {
        let mut prepared = self.unseal(self.read(incoming).await?, false).await?;
        prepared.opinions = self.opinions(&prepared).await?.opinions;
        let _gate = self.inner.gate.lock().await;
        let mut txn = Txn::rehearse(&self.inner.store, self.now());
        let entries = self.take(&mut txn, &prepared, None, false).await?;
        let mut mails = Vec::new();
        for id in txn.deed().outbox.clone() {
            let entry = txn.get::<OutboxEntry>(&outbox_key(id)).await?;
            mails.extend(entry.map(|e| describe(&e)));
        }
        let mut entry = entries.into_iter().next().ok_or_else(|| super::missing("the entry of a mail"))?;
        // An issue that would be made has no reference yet.
        if let Some(id) = entry.issue {
            entry.issue = self
                .inner
                .store
                .get::<crate::domain::Issue>(&crate::store::record::issue_key(id))
                .await
                .map_err(txn::store_fault)?
                .map(|kept| kept.record.id);
        }
        let rules = txn.take_ruled();
        Ok(Response::Delivered(Box::new(Delivered { entry: self.intake_view(entry).await?, mails, rules })))
    }

    /// Tells whether this mail had this fate before; gives that entry.
    pub(super) async fn had_fate(
        &self,
        txn: &mut Txn<'_>,
        prepared: &Prepared,
        fate: Fate,
        again: Option<&IntakeEntry>,
    ) -> Result<Option<IntakeId>, Fault> {
        self.earlier_arrival(txn, prepared, again, |entry| entry.fate == fate).await
    }

    /// Tells whether this mail was taken in before for the same project; gives that entry.
    pub(super) async fn duplicate_of(
        &self,
        txn: &mut Txn<'_>,
        prepared: &Prepared,
        project: Option<crate::domain::ProjectId>,
        again: Option<&IntakeEntry>,
    ) -> Result<Option<IntakeId>, Fault> {
        let counts = |entry: &IntakeEntry| {
            !matches!(entry.fate, Fate::Quarantined | Fate::Duplicate) && entry.project == project
        };
        self.earlier_arrival(txn, prepared, again, counts).await
    }

    /// Finds an arrival of the same mail, other than the one that is tried again.
    async fn earlier_arrival(
        &self,
        txn: &mut Txn<'_>,
        prepared: &Prepared,
        again: Option<&IntakeEntry>,
        counts: impl Fn(&IntakeEntry) -> bool,
    ) -> Result<Option<IntakeId>, Fault> {
        let Some(known) = txn.get::<Fingerprint>(&text_key(&prepared.fingerprint)).await? else {
            return Ok(None);
        };
        for id in known.intake {
            let Some(entry) = txn.get::<IntakeEntry>(&intake_key(id)).await? else { continue };
            if counts(&entry) && again.is_none_or(|a| a.id != id) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// Gives `thank_you to ada@example.com`.
pub(super) fn describe(entry: &OutboxEntry) -> String {
    let kind = serde_json::to_value(entry.kind).ok();
    let kind = kind.as_ref().and_then(|v| v.as_str()).unwrap_or("mail");
    format!("{kind} to {}", entry.to)
}

/// Gives when a mail counts as received: never in the future.
pub(super) fn received_at(arrival: &Arrival, message: Option<&Message>, now: Timestamp) -> Timestamp {
    let from_file = arrival.path.as_deref().is_some_and(|path| path != "-");
    let stated = message.and_then(|m| m.date).filter(|_| from_file);
    // A file's time may be that of a copy; what the mail says of itself may be a lie: the earlier counts.
    arrival.received_at.into_iter().chain(stated).min().unwrap_or(now).min(now)
}

fn unread(error: tokio::task::JoinError) -> Fault {
    Fault::internal(format!("reading mails failed: {error}"))
}

/// Tells whether a fault lies in the desk as a whole and not in a mail, so that taking it in must wait.
fn stops_everything(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Full | FaultKind::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::crypt::Crypt;
    use crate::desk::Ways;
    use crate::index::Index;
    use crate::store::Store;

    fn incoming(subject: &str) -> Incoming {
        let raw = format!(
            "From: ada@customer.test\r\nMessage-ID: <{subject}@x>\r\nSubject: {subject}\r\n\r\nHello\r\n"
        );
        Incoming {
            arrival: Arrival::default(),
            content: Content::Whole(raw.into_bytes()),
            silent_before: None,
        }
    }

    #[tokio::test]
    async fn a_mail_that_breaks_the_reader_is_quarantined_with_its_bytes_and_the_others_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data")).await.unwrap().store;
        let (index, seq) = Index::open(&folder.path().join("index")).unwrap();
        let ways = Ways::of(&Config::default(), folder.path());
        let clock = Arc::new(Timestamp::now);
        let desk = Desk::open(store, index, seq, ways, Crypt::default(), clock).await.unwrap();
        let mut batch = Vec::new();
        for (subject, look) in [("one", Look::at as fn(&[u8]) -> Look), ("bad", |_| panic!("on purpose"))] {
            batch.push(Prepared::read(incoming(subject), Timestamp::now(), look));
        }
        desk.keep_all(&mut batch).await.unwrap();
        let received = desk.take_batch(&batch, None, None, None).await.unwrap();
        let fates: Vec<Fate> = received.iter().map(|received| received.fate).collect();
        assert_eq!(fates, [Fate::Unroutable, Fate::Quarantined]);
        let bad = desk.stored_intake(received[1].entry).await.unwrap();
        assert_eq!(bad.reason, BROKE);
        let bytes = desk.inner.store.raw(bad.raw.unwrap()).await.unwrap();
        assert!(bytes.ends_with(b"Hello\r\n"));
    }
}
