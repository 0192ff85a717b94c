//! Passes over an IMAP folder.
//!
//! The cursor moves in the same commit that takes mails in. Only after it is the server told, by UID; what
//! it was not told yet is a debt that the cursor carries.

use super::backoff::Backoff;
use super::mailbox::{POLL, Post, Trouble};
use crate::config::{AfterDelivery, SourceConfig};
use crate::desk::{Content, Incoming};
use crate::domain::{Arrival, ChannelState, Cursor, Fate};
use crate::source::{ImapSource, Listing, Selected, Stage, Wake};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Mails of one commit, at most.
const BATCH: usize = 200;
/// Octets of one commit, roughly; a single larger mail is a batch by itself.
const BATCH_OCTETS: u64 = 16 * 1024 * 1024;
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
    let mut source = ImapSource::connect(post.config).await?;
    let mut selected = source.select().await?;
    loop {
        look(post, &mut source, selected).await?;
        backoff.succeeded();
        post.show(ChannelState::Ok);
        let wake = tokio::select! {
            wake = source.idle(idle_timeout(post)) => wake?,
            () = post.desk.wait_for_look() => {
                // The wait was cut short, so the connection is spent.
                source = ImapSource::connect(post.config).await?;
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

/// Looks into a folder once.
pub(super) async fn once(post: &mut Post<'_>) -> Result<(), Trouble> {
    post.show(ChannelState::Connecting);
    let mut source = ImapSource::connect(post.config).await?;
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
    let mut unpaid = None;
    try_debts(post, source, &mut cursor, &mut unpaid).await?;
    let mut listed = source.list(cursor.last_uid).await?;
    listed.retain(|l| !l.deleted);
    if !cursor.owed_fetch.is_empty() {
        let first = cursor.owed_fetch.first().copied().unwrap_or(1);
        let owed = source.list(first.saturating_sub(1)).await?;
        // What is not listed any more was taken away by somebody else.
        let there: BTreeSet<u32> = owed.iter().filter(|l| !l.deleted).map(|l| l.uid).collect();
        cursor.owed_fetch.retain(|uid| there.contains(uid));
        let wanted = |l: &Listing| l.uid <= cursor.last_uid && cursor.owed_fetch.contains(&l.uid);
        listed.splice(0..0, owed.into_iter().filter(wanted));
    }
    take_all(post, source, &mut cursor, listed, &mut unpaid).await?;
    unpaid.map_or(Ok(()), Err)
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
        names: Default::default(),
    };
    tracing::info!(
        mailbox = cursor.mailbox,
        uid_validity = cursor.uid_validity,
        mails = selected.exists,
        "first contact"
    );
    cursor
}

async fn take_all(
    post: &mut Post<'_>,
    source: &mut ImapSource,
    cursor: &mut Cursor,
    listed: Vec<Listing>,
    unpaid: &mut Option<Trouble>,
) -> Result<(), Trouble> {
    let all = listed.len() as u64;
    let mut rest = listed.as_slice();
    let mut done = 0;
    while !rest.is_empty() {
        // Where a fetch failed before, one mail at a time shows which it is.
        let suspect = rest.first().is_some_and(|l| l.uid <= post.alone_until);
        let length = if suspect { 1 } else { batch_length(rest) };
        let (batch, later) = rest.split_at(length);
        if all > 1 {
            post.progress(done, all);
        }
        take_batch(post, source, cursor, batch).await?;
        done += batch.len() as u64;
        rest = later;
        try_debts(post, source, cursor, unpaid).await?;
    }
    Ok(())
}

/// Gives how many of the first mails make a batch.
fn batch_length(listed: &[Listing]) -> usize {
    let mut octets = 0;
    let fits = |l: &&Listing| {
        octets += l.size;
        octets <= BATCH_OCTETS
    };
    listed.iter().take(BATCH).take_while(fits).count().max(1)
}

async fn take_batch(
    post: &mut Post<'_>,
    source: &mut ImapSource,
    cursor: &mut Cursor,
    batch: &[Listing],
) -> Result<(), Trouble> {
    let (leave, take): (Vec<&Listing>, Vec<&Listing>) =
        batch.iter().partition(|l| left_alone(post, cursor, l));
    cursor.skipped += leave.len() as u64;
    let (bad, take): (Vec<&Listing>, Vec<&Listing>) =
        take.into_iter().partition(|l| post.is_unfetchable(l.uid));
    // What somebody asked for comes whatever its size.
    let too_large = |l: &&Listing| l.size > post.config.max_size && !cursor.owed_fetch.contains(&l.uid);
    let (large, small): (Vec<&Listing>, Vec<&Listing>) = take.into_iter().partition(too_large);
    let mut incoming = Vec::with_capacity(batch.len());
    for listing in bad {
        let reason = "its server fails each time it is fetched; it is still there".to_owned();
        incoming.push(arriving(post, cursor, listing, Content::Unfetchable { reason, size: listing.size }));
    }
    let mut came = fetch(post, source, &small).await?;
    let mut held = Vec::new();
    let mut owed = Vec::new();
    for listing in small {
        if let Some(bytes) = came.remove(&listing.uid) {
            held.push(listing.uid);
            incoming.push(arriving(post, cursor, listing, Content::Whole(bytes)));
        } else if cursor.owed_fetch.contains(&listing.uid) || cursor.owed_fetch.len() + owed.len() >= OWED {
            let reason = "its server lists it but does not give it; it is still there".to_owned();
            let content = Content::Unfetchable { reason, size: listing.size };
            incoming.push(arriving(post, cursor, listing, content));
        } else {
            // Somebody else may have taken it away meanwhile; the next list tells.
            owed.push(listing.uid);
        }
    }
    for listing in large {
        let headers = source.headers(listing.uid).await.inspect_err(|_| post.fetch_failed(listing.uid))?;
        incoming.push(arriving(post, cursor, listing, Content::TooLarge { headers, size: listing.size }));
    }
    for listing in batch {
        cursor.owed_fetch.remove(&listing.uid);
        cursor.last_uid = cursor.last_uid.max(listing.uid);
    }
    cursor.owed_fetch.extend(owed);
    if post.config.after_delivery != AfterDelivery::Nothing {
        cursor.owed_action.extend(&held);
    }
    post.pass.seen += batch.len() as u64;
    let received = post.desk.receive(incoming, Some(cursor.clone())).await?;
    post.pass.new += received.len() as u64;
    post.pass.failed += received.iter().filter(|r| r.fate == Fate::Quarantined).count() as u64;
    let silent = received.iter().filter(|r| r.silent).count() as u64;
    post.pass.silent += silent;
    cursor.silent += silent;
    post.silent(cursor.silent);
    Ok(())
}

/// Fetches mails; a failure is remembered, so that one mail cannot stop those behind it for good.
async fn fetch(
    post: &mut Post<'_>,
    source: &mut ImapSource,
    wanted: &[&Listing],
) -> Result<BTreeMap<u32, Vec<u8>>, Trouble> {
    let uids: Vec<u32> = wanted.iter().map(|l| l.uid).collect();
    let mut came = BTreeMap::new();
    if uids.is_empty() {
        return Ok(came);
    }
    let fetched = source.fetch(&uids, |uid, bytes| {
        came.insert(uid, bytes);
    });
    if let Err(error) = fetched.await {
        let first = uids.iter().find(|uid| !came.contains_key(uid)).or(uids.first());
        // Any failure may be the fault of one mail; of several, an answer nobody can read tells which.
        match first {
            Some(uid) if uids.len() == 1 || matches!(error.stage, Stage::Answer | Stage::Timeout) => {
                post.fetch_failed(*uid);
            }
            _ => {}
        }
        post.alone_until = uids.iter().copied().fold(post.alone_until, u32::max);
        return Err(error.into());
    }
    post.stuck = post.stuck.filter(|(uid, _)| !uids.contains(uid));
    Ok(came)
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

/// Pays the debts; once that fails, not again in this pass, because new mail must not wait for it.
async fn try_debts(
    post: &Post<'_>,
    source: &mut ImapSource,
    cursor: &mut Cursor,
    unpaid: &mut Option<Trouble>,
) -> Result<(), Trouble> {
    if unpaid.is_some() {
        return Ok(());
    }
    let Err(trouble) = pay_debts(post, source, cursor).await else { return Ok(()) };
    if matches!(trouble, Trouble::Desk(_)) {
        return Err(trouble);
    }
    // The error has spent the connection.
    *source = ImapSource::connect(post.config).await?;
    if source.select().await?.uid_validity != cursor.uid_validity {
        return Err(trouble);
    }
    *unpaid = Some(trouble);
    Ok(())
}

/// Tells the server of everything that the desk holds by now.
async fn pay_debts(post: &Post<'_>, source: &mut ImapSource, cursor: &mut Cursor) -> Result<(), Trouble> {
    if cursor.owed_action.is_empty() {
        return Ok(());
    }
    let uids: Vec<u32> = cursor.owed_action.iter().copied().collect();
    source.settle(&uids, &post.config.after_delivery).await?;
    cursor.owed_action.clear();
    post.desk.keep_cursor(cursor).await?;
    Ok(())
}
