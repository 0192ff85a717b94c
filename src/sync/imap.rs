//! Passes over an IMAP folder.
//!
//! The cursor moves in the same commit that takes mails in. Only after it is the server told, by UID; what
//! it was not told yet is a debt that the cursor carries.

use super::ahead::Ahead;
use super::backoff::Backoff;
use super::mailbox::{POLL, Post, Trouble};
use super::rest::Connection;
use crate::config::{AfterDelivery, SourceConfig};
use crate::desk::{Content, Desk, Incoming, ReadBatch, Received};
use crate::domain::{Arrival, ChannelState, Cursor, Fault};
use crate::source::{ImapSource, Listing, Selected, SourceError, Stage, Wake};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

/// Mails of one commit, at most.
const BATCH: usize = 500;
/// Octets of one commit, roughly; a single larger mail is a batch by itself.
const BATCH_OCTETS: u64 = 8 * 1024 * 1024;
/// So many mails are enough to tell the server of in the middle of a pass: each time Dovecot looks through the whole
/// Maildir anew.
const TOLD_AT_ONCE: usize = 5000;
/// Mails that a cursor remembers as listed but not given, at most.
const OWED: usize = 1000;

/// Serves a folder until it fails.
pub(super) async fn serve(post: &mut Post<'_>, backoff: &mut Backoff) -> Trouble {
    post.show(ChannelState::Connecting);
    match serve_connected(post, backoff).await {
        Ok(never) => never,
        Err(trouble) => trouble,
    }
}

async fn serve_connected(post: &mut Post<'_>, backoff: &mut Backoff) -> Result<Trouble, Trouble> {
    let mut source = ImapSource::connect(post.config, &post.tokens).await?;
    let mut selected = source.select().await?;
    loop {
        look(post, &mut source, selected).await?;
        backoff.succeeded();
        post.show(ChannelState::Ok);
        let wake = tokio::select! {
            wake = source.idle(idle_timeout(post)) => wake?,
            () = post.desk.wait_for_look() => {
                // The wait was cut short, so the connection is spent.
                source = ImapSource::connect(post.config, &post.tokens).await?;
                selected = source.select().await?;
                continue;
            }
        };
        if wake == Wake::Unsupported {
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = post.desk.wait_for_look() => {}
            }
        }
    }
}

/// Looks into a folder once, over the connection that is there already, if one is.
pub(super) async fn once(post: &mut Post<'_>, there: Option<Connection>) -> Result<(), Trouble> {
    post.show(ChannelState::Connecting);
    if let Some(Connection { mut source, selected }) = there {
        match look(post, &mut source, selected).await {
            Ok(()) => {
                source.close().await;
                return Ok(());
            }
            // The server may have given it up while the desk was opened.
            Err(Trouble::Source(lost)) if post.stuck.is_none() => tracing::info!(%lost, "connecting anew"),
            Err(other) => return Err(other),
        }
    }
    let mut source = ImapSource::connect(post.config, &post.tokens).await?;
    let selected = source.select().await?;
    look(post, &mut source, selected).await?;
    source.close().await;
    Ok(())
}

fn idle_timeout(post: &Post<'_>) -> Duration {
    match &post.config.source {
        SourceConfig::Imap(imap) => imap.idle_timeout,
        _ => POLL,
    }
}

/// Takes in what is new, and tells the server of what the desk holds.
async fn look(post: &mut Post<'_>, source: &mut ImapSource, selected: Selected) -> Result<(), Trouble> {
    let mut cursor = match post.desk.cursor(&post.config.name).await? {
        Some(cursor) if cursor.uid_validity == selected.uid_validity && cursor.first_contact.is_some() => {
            cursor
        }
        known => {
            let cursor = first_contact(post, known, selected);
            // In an empty folder nothing else would keep it, and what comes next would be old.
            post.desk.keep_cursor(&cursor).await?;
            (post.stuck, post.alone_until) = (None, 0);
            cursor
        }
    };
    post.silent(cursor.silent);
    let mut debts = Debts::default();
    try_debts(post, source, &mut cursor, &mut debts).await?;
    let mut ahead = Ahead::new(cursor.last_uid, &selected);
    if let (Some(first), Some(last)) = (cursor.owed_fetch.first(), cursor.owed_fetch.last()) {
        let mut owed = source.list(first.saturating_sub(1), Some(*last)).await?;
        // What is not listed any more was taken away by somebody else.
        owed.retain(|listing| !listing.deleted && cursor.owed_fetch.contains(&listing.uid));
        cursor.owed_fetch = owed.iter().map(|listing| listing.uid).collect();
        ahead.put_first(owed);
    }
    take_all(post, source, &mut cursor, ahead, &mut debts).await?;
    if debts.paid {
        post.desk.keep_cursor(&cursor).await?;
    }
    debts.refused.map_or(Ok(()), Err)
}

/// Begins with a folder: everything in it now is old, everything after it is news.
fn first_contact(post: &Post<'_>, known: Option<Cursor>, selected: Selected) -> Cursor {
    let now = post.desk.now();
    let before = known.unwrap_or_default();
    let resumed = before.uid_validity == selected.uid_validity;
    let cursor = Cursor {
        mailbox: post.config.name.clone(),
        uid_validity: selected.uid_validity,
        last_uid: if resumed { before.last_uid } else { 0 },
        owed_fetch: if resumed { before.owed_fetch } else { Default::default() },
        owed_action: if resumed { before.owed_action } else { Default::default() },
        first_contact: Some(now),
        first_uid: selected.uid_next.map_or(u32::MAX, |next| next.saturating_sub(1)),
        silent: before.silent,
        skipped: before.skipped,
        ..Cursor::default()
    };
    tracing::info!(
        mailbox = cursor.mailbox,
        uid_validity = cursor.uid_validity,
        mails = selected.exists,
        "first contact"
    );
    cursor
}

/// Takes mails in, batch by batch: while the desk keeps one, the next is read, and the server already gives
/// the one after it.
async fn take_all(
    post: &mut Post<'_>,
    source: &mut ImapSource,
    cursor: &mut Cursor,
    mut ahead: Ahead,
    debts: &mut Debts,
) -> Result<(), Trouble> {
    let mut came: Option<Batch> = None;
    let mut read: Option<(Batch, ReadBatch)> = None;
    let mut kept = 0;
    let mut failed = None;
    while !(ahead.is_over() && came.is_none() && read.is_none()) {
        let keeping = read.take().map(|(batch, read)| (batch.listed.len(), keep(post, cursor, &batch, read)));
        let reading = came.take().map(|batch| start_reading(post.desk, batch));
        match fetch_next(post, source, cursor, &mut ahead, kept).await {
            Ok(batch) => came = batch,
            Err(trouble) => {
                // What came before it is kept all the same.
                failed = Some(trouble);
                ahead.stop();
            }
        }
        if let Some((mails, keeping)) = keeping {
            let received = done(keeping.await)?;
            post.count(cursor, &received);
            kept += mails as u64;
        }
        if let Some((batch, reading)) = reading {
            read = Some((batch, done(reading.await)?));
        }
        let last = ahead.is_over() && came.is_none() && read.is_none();
        if failed.is_none() && (last || cursor.owed_action.len() >= TOLD_AT_ONCE) {
            try_debts(post, source, cursor, debts).await?;
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Lists what comes after so many mails that were kept, and fetches a batch of it.
async fn fetch_next(
    post: &mut Post<'_>,
    source: &mut ImapSource,
    cursor: &Cursor,
    ahead: &mut Ahead,
    kept: u64,
) -> Result<Option<Batch>, Trouble> {
    ahead.fill(source, BATCH).await?;
    if ahead.count() > 1 {
        post.progress(kept, ahead.count());
    }
    let length = batch_length(post, ahead.listed());
    let listed = ahead.take(length);
    if listed.is_empty() {
        return Ok(None);
    }
    match fetch(post, source, cursor, &listed).await {
        Ok(fetched) => Ok(Some(Batch { listed, fetched })),
        Err(unfetched) => Err(post.remember(unfetched)),
    }
}

/// A batch as it was listed and as it came.
struct Batch {
    listed: Vec<Listing>,
    fetched: Fetched,
}

/// Work of the desk beside that of the connection; it ends with who waits for it.
type Task<T> = AbortOnDropHandle<Result<T, Fault>>;

fn done<T>(task: Result<Result<T, Fault>, JoinError>) -> Result<T, Trouble> {
    let broken = |error| Fault::internal(format!("the intake broke: {error}"));
    Ok(task.map_err(broken)??)
}

fn start_reading(desk: &Desk, mut batch: Batch) -> (Batch, Task<ReadBatch>) {
    let (desk, incoming) = (desk.clone(), std::mem::take(&mut batch.fetched.incoming));
    (batch, AbortOnDropHandle::new(tokio::spawn(async move { desk.read_batch(incoming).await })))
}

fn keep(post: &mut Post<'_>, cursor: &mut Cursor, batch: &Batch, read: ReadBatch) -> Task<Vec<Received>> {
    advance(post, cursor, &batch.listed, &batch.fetched);
    let (desk, cursor) = (post.desk.clone(), cursor.clone());
    AbortOnDropHandle::new(tokio::spawn(async move { desk.take_in(read, Some(cursor)).await }))
}

/// Gives how many of the first mails make the next batch.
fn batch_length(post: &Post<'_>, listed: &[Listing]) -> usize {
    // Where a fetch failed before, one mail at a time shows which it is.
    if listed.first().is_some_and(|listing| listing.uid <= post.alone_until) {
        return 1;
    }
    let mut octets = 0;
    let fits = |l: &&Listing| {
        octets += l.size;
        octets <= BATCH_OCTETS
    };
    listed.iter().take(BATCH).take_while(fits).count().max(1)
}

/// A batch as the server gave it.
#[derive(Default)]
struct Fetched {
    incoming: Vec<Incoming>,
    /// Left on the server because of `import_since`.
    skipped: u64,
    /// Whole in `incoming`, so that the server may be told.
    held: Vec<u32>,
    /// Listed and not given.
    owed: Vec<u32>,
}

/// A fetch that failed, and at which mail.
struct Unfetched {
    trouble: Trouble,
    /// The mail that may be the cause.
    suspect: Option<u32>,
    /// Mails up to this one are fetched one by one next time.
    until: u32,
}

impl Post<'_> {
    /// Remembers a failed fetch, so that one mail cannot stop those behind it for good.
    fn remember(&mut self, failed: Unfetched) -> Trouble {
        if let Some(uid) = failed.suspect {
            self.fetch_failed(uid);
        }
        self.alone_until = self.alone_until.max(failed.until);
        failed.trouble
    }
}

/// Fetches a batch; changes nothing.
async fn fetch(
    post: &Post<'_>,
    source: &mut ImapSource,
    cursor: &Cursor,
    batch: &[Listing],
) -> Result<Fetched, Unfetched> {
    let (leave, take): (Vec<&Listing>, Vec<&Listing>) =
        batch.iter().partition(|l| left_alone(post, cursor, l));
    let (bad, take): (Vec<&Listing>, Vec<&Listing>) =
        take.into_iter().partition(|l| post.is_unfetchable(l.uid));
    // What somebody asked for comes whatever its size.
    let too_large = |l: &&Listing| l.size > post.config.max_size && !cursor.owed_fetch.contains(&l.uid);
    let (large, small): (Vec<&Listing>, Vec<&Listing>) = take.into_iter().partition(too_large);
    let mut fetched = Fetched { skipped: leave.len() as u64, ..Fetched::default() };
    let fails = "its server fails each time it is fetched; it is still there";
    fetched.incoming.extend(bad.into_iter().map(|listing| refused(post, cursor, listing, fails)));
    let mut came = fetch_whole(source, &small).await?;
    for listing in small {
        if let Some(bytes) = came.remove(&listing.uid) {
            fetched.held.push(listing.uid);
            fetched.incoming.push(arriving(post, cursor, listing, Content::Whole(bytes)));
        } else if cursor.owed_fetch.contains(&listing.uid)
            || cursor.owed_fetch.len() + fetched.owed.len() >= OWED
        {
            let withheld = "its server lists it but does not give it; it is still there";
            fetched.incoming.push(refused(post, cursor, listing, withheld));
        } else {
            // Somebody else may have taken it away meanwhile; the next list tells.
            fetched.owed.push(listing.uid);
        }
    }
    for listing in large {
        let failed = |error: SourceError| Unfetched {
            trouble: error.into(),
            suspect: Some(listing.uid),
            until: listing.uid,
        };
        let headers = source.headers(listing.uid).await.map_err(failed)?;
        let content = Content::TooLarge { headers, size: listing.size };
        fetched.incoming.push(arriving(post, cursor, listing, content));
    }
    Ok(fetched)
}

/// Fetches mails whole.
async fn fetch_whole(
    source: &mut ImapSource,
    wanted: &[&Listing],
) -> Result<BTreeMap<u32, Vec<u8>>, Unfetched> {
    let uids: Vec<u32> = wanted.iter().map(|l| l.uid).collect();
    let mut came = BTreeMap::new();
    if uids.is_empty() {
        return Ok(came);
    }
    let fetched = source.fetch(&uids, |uid, bytes| {
        came.insert(uid, bytes);
    });
    match fetched.await {
        Ok(_) => Ok(came),
        Err(error) => {
            // Any failure may be the fault of one mail; of several, an answer nobody can read tells which.
            let first = uids.iter().find(|uid| !came.contains_key(uid)).or(uids.first()).copied();
            let telling = uids.len() == 1 || matches!(error.stage, Stage::Answer | Stage::Timeout);
            let until = uids.iter().copied().max().unwrap_or(0);
            Err(Unfetched { suspect: first.filter(|_| telling), until, trouble: error.into() })
        }
    }
}

fn refused(post: &Post<'_>, cursor: &Cursor, listing: &Listing, reason: &str) -> Incoming {
    let content = Content::Unfetchable { reason: reason.to_owned(), size: listing.size };
    arriving(post, cursor, listing, content)
}

/// Moves the cursor over a batch that is about to be kept.
fn advance(post: &mut Post<'_>, cursor: &mut Cursor, batch: &[Listing], ready: &Fetched) {
    post.stuck = post.stuck.filter(|(uid, _)| !ready.held.contains(uid));
    cursor.skipped += ready.skipped;
    for listing in batch {
        cursor.owed_fetch.remove(&listing.uid);
        cursor.last_uid = cursor.last_uid.max(listing.uid);
    }
    cursor.owed_fetch.extend(&ready.owed);
    if post.config.after_delivery != AfterDelivery::Nothing {
        cursor.owed_action.extend(&ready.held);
    }
    post.pass.seen += batch.len() as u64;
}

fn arriving(post: &Post<'_>, cursor: &Cursor, listing: &Listing, content: Content) -> Incoming {
    let arrival = Arrival {
        mailbox: Some(post.config.name.clone()),
        uid_validity: Some(cursor.uid_validity),
        uid: Some(listing.uid),
        received_at: listing.internal_date,
        flagged: listing.flagged,
        answered: listing.answered,
        seen: listing.seen,
        ..Arrival::default()
    };
    let old = listing.uid <= cursor.first_uid;
    let silent_before =
        cursor.first_contact.filter(|_| old).and_then(|at| before(at, post.config.silent_before));
    Incoming { arrival, content, silent_before }
}

/// Tells whether `import_since` leaves a mail on the server.
fn left_alone(post: &Post<'_>, cursor: &Cursor, listing: &Listing) -> bool {
    let (Some(since), Some(contact)) = (post.config.import_since, cursor.first_contact) else { return false };
    let limit = before(contact, since);
    listing.uid <= cursor.first_uid
        && listing.internal_date.is_some_and(|at| limit.is_some_and(|limit| at < limit))
}

/// Gives the moment `ago` before another.
pub(super) fn before(at: Timestamp, ago: Duration) -> Option<Timestamp> {
    at.checked_sub(SignedDuration::try_from(ago).ok()?).ok()
}

/// What became of the debts in one pass.
#[derive(Default)]
struct Debts {
    refused: Option<Trouble>,
    /// Whether the cursor holds some that are paid by now.
    paid: bool,
}

/// Tells the server of everything that the desk holds by now; once that fails, not again in this pass, because new mail must not wait for it.
async fn try_debts(
    post: &Post<'_>,
    source: &mut ImapSource,
    cursor: &mut Cursor,
    debts: &mut Debts,
) -> Result<(), Trouble> {
    if debts.refused.is_some() || cursor.owed_action.is_empty() {
        return Ok(());
    }
    let uids: Vec<u32> = cursor.owed_action.iter().copied().collect();
    let Err(refused) = source.settle(&uids, &post.config.after_delivery).await else {
        // Kept with the next batch, or at the end of the pass; until then they would be paid twice, which
        // does no harm.
        cursor.owed_action.clear();
        debts.paid = true;
        return Ok(());
    };
    let trouble = Trouble::from(refused);
    // The error has spent the connection.
    *source = ImapSource::connect(post.config, &post.tokens).await?;
    if source.select().await?.uid_validity != cursor.uid_validity {
        return Err(trouble);
    }
    debts.refused = Some(trouble);
    Ok(())
}
