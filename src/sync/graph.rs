//! Passes over a folder in Microsoft 365.
//!
//! How far it was read is a time: everything that came later is listed, with an hour to spare, and what nobody
//! has read, however old. What the desk has of that stands in the cursor by name. The cursor moves in the
//! commit that takes mails in; only then are they marked, and what was not marked yet is a debt.

use super::backoff::Backoff;
use super::imap::before;
use super::mailbox::{POLL, Post, Trouble};
use crate::config::{AfterDelivery, SourceConfig};
use crate::desk::{Content, Incoming};
use crate::domain::{Arrival, ChannelState, Cursor, IntakeId};
use crate::source::{GraphListed, GraphMail, GraphSource, SourceError};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// Mails of one commit, at most.
const BATCH: usize = 20;
/// Octets of one commit, roughly.
const BATCH_OCTETS: usize = 8 * 1024 * 1024;
/// A mail may show up this much later than it is said to have come.
const TO_SPARE: Duration = Duration::from_secs(3600);
/// Octets of a header that are kept of a mail that is too large.
const HEADERS_MAX: usize = 256 * 1024;
/// Stands for the entry of a mail that the desk holds.
const HELD: IntakeId = IntakeId(0);
/// Stands for the entry of a mail that lies only on the server, so it must stay there.
const LEFT: IntakeId = IntakeId(u64::MAX);

/// Serves a folder until it fails.
pub(super) async fn serve(post: &mut Post<'_>, backoff: &mut Backoff) -> Trouble {
    post.show(ChannelState::Connecting);
    match poll(post, backoff).await {
        Ok(never) => never,
        Err(trouble) => trouble,
    }
}

async fn poll(post: &mut Post<'_>, backoff: &mut Backoff) -> Result<Trouble, Trouble> {
    let source = GraphSource::new(post.config)?;
    let interval = match &post.config.source {
        SourceConfig::MicrosoftGraph(graph) => graph.poll_interval,
        _ => POLL,
    };
    loop {
        look(post, &source).await?;
        backoff.succeeded();
        post.show(ChannelState::Ok);
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = post.desk.wait_for_look() => {}
        }
    }
}

/// Looks into a folder once.
pub(super) async fn once(post: &mut Post<'_>) -> Result<(), Trouble> {
    post.show(ChannelState::Connecting);
    let source = GraphSource::new(post.config)?;
    look(post, &source).await
}

async fn look(post: &mut Post<'_>, source: &GraphSource) -> Result<(), Trouble> {
    let mut cursor = cursor(post).await?;
    let known = cursor.clone();
    post.silent(cursor.silent);
    let mut pass = Pass { first: cursor.first_uid != 0, ..Pass::default() };
    pass.pay(post, source, &mut cursor).await;
    let unread = !pass.first && post.config.after_delivery != AfterDelivery::Nothing;
    let from = cursor.since.and_then(|at| before(at, TO_SPARE));
    let listed = source.list(from, unread).await?;
    let wanted = wanted(post, &mut cursor, &listed, pass.first);
    let all = wanted.len() as u64;
    let mut rest = wanted.as_slice();
    while !rest.is_empty() && !pass.over {
        if all > 1 {
            post.progress(all - rest.len() as u64, all);
        }
        let batch = rest.get(..BATCH).unwrap_or(rest);
        let taken = pass.take_batch(post, source, &mut cursor, batch).await?;
        pass.pay(post, source, &mut cursor).await;
        rest = rest.get(taken..).unwrap_or(&[]);
    }
    if pass.failed.is_none() {
        finish(&mut cursor, &listed);
    }
    // A look that brings nothing writes nothing.
    if cursor != known {
        post.desk.keep_cursor(&cursor).await?;
    }
    pass.failed.or(pass.refused).map_or(Ok(()), |error| Err(error.into()))
}

/// Finds how far the folder was read; another folder or account is begun anew.
async fn cursor(post: &Post<'_>) -> Result<Cursor, Trouble> {
    let place = match &post.config.source {
        SourceConfig::MicrosoftGraph(graph) => format!("{} {}", graph.user.to_lowercase(), graph.folder),
        _ => String::new(),
    };
    let known = post.desk.cursor(&post.config.name).await?;
    if let Some(cursor) = known.as_ref().filter(|c| c.place == place && c.first_contact.is_some()) {
        return Ok(cursor.clone());
    }
    let before = known.unwrap_or_default();
    let cursor = Cursor {
        mailbox: post.config.name.clone(),
        first_contact: Some(post.desk.now()),
        // Everything that lies there at first contact may be old.
        first_uid: 1,
        silent: before.silent,
        skipped: before.skipped,
        place,
        ..Cursor::default()
    };
    // In an empty folder nothing else would keep it, and what comes next would be old.
    post.desk.keep_cursor(&cursor).await?;
    tracing::info!(mailbox = cursor.mailbox, "first contact");
    Ok(cursor)
}

/// Gives the mails that the desk does not know, the oldest first, and what somebody asked for.
fn wanted(post: &Post<'_>, cursor: &mut Cursor, listed: &[GraphListed], first: bool) -> Vec<GraphListed> {
    let limit = post.config.import_since.zip(cursor.first_contact).and_then(|(since, at)| before(at, since));
    let old = |one: &&GraphListed| one.received_at.is_some_and(|at| limit.is_some_and(|limit| at < limit));
    let unknown =
        |one: &&GraphListed| !cursor.names.contains_key(&name(one)) || cursor.names_asked.contains(&one.id);
    let (left, mut wanted): (Vec<&GraphListed>, Vec<&GraphListed>) =
        listed.iter().filter(unknown).partition(old);
    let asked: Vec<GraphListed> = cursor
        .names_asked
        .iter()
        .filter(|id| !wanted.iter().any(|one| one.id == **id))
        .map(|id| GraphListed {
            id: id.clone(),
            received_at: None,
            seen: false,
            flagged: false,
            message_id: None,
        })
        .collect();
    if first && cursor.since.is_none() {
        cursor.skipped += left.len() as u64;
    }
    wanted.extend(&asked);
    wanted.into_iter().cloned().collect()
}

/// Gives the name of a mail in the cursor: names sort by time.
fn name(one: &GraphListed) -> String {
    format!("{} {}", moment(one.received_at.unwrap_or(Timestamp::UNIX_EPOCH)), one.id)
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Moves the cursor to the end of a list that was taken in whole.
fn finish(cursor: &mut Cursor, listed: &[GraphListed]) {
    advance(cursor, listed);
    let there: BTreeSet<String> = listed.iter().map(name).collect();
    // Of what the desk does not hold nothing but the list tells whether it is still there.
    cursor.names.retain(|name, entry| *entry != LEFT || there.contains(name));
    // The first look is over: whatever comes from now on is news.
    cursor.first_uid = 0;
}

/// Moves the time up to which everything was taken in, and forgets the names before it.
fn advance(cursor: &mut Cursor, done: &[GraphListed]) {
    let latest = done.iter().filter_map(|one| one.received_at).max();
    cursor.since = cursor.since.max(latest);
    let Some(from) = cursor.since.and_then(|at| before(at, TO_SPARE)).map(moment) else { return };
    let owed = &cursor.names_owed;
    cursor.names.retain(|name, entry| {
        let id = name.split_once(' ').map_or("", |(_, id)| id);
        *entry == LEFT || owed.contains(id) || *name >= from
    });
}

/// What went wrong in one pass; the rest goes on as far as it can.
#[derive(Default)]
struct Pass {
    first: bool,
    /// A mail that could not be fetched.
    failed: Option<SourceError>,
    /// A mail that could not be marked.
    refused: Option<SourceError>,
    /// Nothing more can be fetched.
    over: bool,
}

impl Pass {
    /// Takes in the first mails of a batch, as many as came; tells how many.
    async fn take_batch(
        &mut self,
        post: &mut Post<'_>,
        source: &GraphSource,
        cursor: &mut Cursor,
        batch: &[GraphListed],
    ) -> Result<usize, Trouble> {
        let limit = |id: &str| match cursor.names_asked.contains(id) {
            // What somebody asked for comes whatever its size.
            true => u64::MAX,
            false => post.config.max_size,
        };
        let hopeless = |one: &&GraphListed| post.is_hopeless(&one.id);
        let asked: Vec<(&str, u64)> =
            batch.iter().filter(|one| !hopeless(one)).map(|one| (one.id.as_str(), limit(&one.id))).collect();
        let mut came = source.fetch(&asked, BATCH_OCTETS).await;
        let mut incoming = Vec::with_capacity(batch.len());
        let mut taken = 0;
        for one in batch {
            let fetched = match came.remove(&one.id) {
                Some(fetched) => fetched,
                None if post.is_hopeless(&one.id) => Ok(GraphMail::Gone),
                // The fetch came to its end before its turn.
                None => break,
            };
            taken += 1;
            match fetched {
                Ok(mail) => incoming.extend(self.arrived(post, cursor, one, mail)),
                Err(error) => self.note(post, &one.id, error),
            }
        }
        // Nothing came at all only where nothing more can be fetched.
        self.over |= taken == 0;
        if self.failed.is_none() {
            advance(cursor, batch.get(..taken).unwrap_or(batch));
        }
        post.pass.seen += taken as u64;
        let received = post.desk.receive(incoming, Some(cursor.clone())).await?;
        post.count(cursor, &received);
        Ok(taken)
    }

    fn note(&mut self, post: &mut Post<'_>, id: &str, error: SourceError) {
        match error.is_about_one() {
            true => post.fetch_of_failed(id),
            false => self.over = true,
        }
        self.failed.get_or_insert(error);
    }

    /// Makes an arrival of what came; nothing of a mail that is gone.
    fn arrived(
        &self,
        post: &mut Post<'_>,
        cursor: &mut Cursor,
        one: &GraphListed,
        mail: GraphMail,
    ) -> Option<Incoming> {
        let (content, entry) = match mail {
            GraphMail::Bytes(bytes) => (Content::Whole(bytes), HELD),
            GraphMail::TooLarge { start, size } => (Content::TooLarge { headers: head(&start), size }, LEFT),
            GraphMail::Gone if post.is_hopeless(&one.id) => {
                let reason = "its server fails each time it is fetched; it is still there".to_owned();
                (Content::Unfetchable { reason, size: 0 }, LEFT)
            }
            GraphMail::Gone if cursor.names_asked.contains(&one.id) => {
                let reason = "it is gone from its server".to_owned();
                (Content::Unfetchable { reason, size: 0 }, LEFT)
            }
            GraphMail::Gone => return None,
        };
        post.fetched(&one.id);
        cursor.names.insert(name(one), entry);
        if entry == HELD && post.config.after_delivery != AfterDelivery::Nothing {
            cursor.names_owed.insert(one.id.clone());
        }
        let silent_before = cursor.first_contact.and_then(|at| before(at, post.config.silent_before));
        let arrival = Arrival {
            mailbox: Some(post.config.name.clone()),
            path: Some(one.id.clone()),
            received_at: one.received_at,
            flagged: one.flagged,
            seen: one.seen,
            ..Arrival::default()
        };
        Some(Incoming { arrival, content, silent_before })
    }

    /// Tells the server of everything that the desk holds; what it will not hear stays owed.
    async fn pay(&mut self, post: &Post<'_>, source: &GraphSource, cursor: &mut Cursor) {
        if self.refused.is_some() {
            return;
        }
        for id in cursor.names_owed.clone() {
            match source.settle(&id, &post.config.after_delivery).await {
                Ok(()) => {
                    cursor.names_owed.remove(&id);
                }
                Err(error) => {
                    let others_may = error.is_about_one();
                    self.refused.get_or_insert(error);
                    if !others_may {
                        return;
                    }
                }
            }
        }
    }
}

/// Gives the head of a mail of which only the beginning came.
fn head(start: &[u8]) -> Vec<u8> {
    let start = start.get(..HEADERS_MAX.min(start.len())).unwrap_or(start);
    let end = start.windows(4).position(|four| four == b"\r\n\r\n").map_or(start.len(), |at| at + 4);
    start.get(..end).unwrap_or(start).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, at: &str) -> GraphListed {
        let received_at = at.parse().ok();
        GraphListed { id: id.to_owned(), received_at, seen: false, flagged: false, message_id: None }
    }

    #[test]
    fn names_are_forgotten_once_no_list_can_bring_them_again() {
        let mails = [
            listed("held", "2026-03-02T06:00:00Z"),
            listed("owed", "2026-03-02T06:00:00Z"),
            listed("left", "2026-03-02T06:00:00Z"),
            listed("late", "2026-03-02T08:30:00Z"),
            listed("new", "2026-03-02T09:00:00Z"),
        ];
        let mut cursor = Cursor::default();
        for mail in &mails {
            cursor.names.insert(name(mail), if mail.id == "left" { LEFT } else { HELD });
        }
        cursor.names_owed.insert("owed".to_owned());
        let ids = |cursor: &Cursor| {
            cursor.names.keys().map(|name| name.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>()
        };
        advance(&mut cursor, &mails);
        assert_eq!(cursor.since, mails[4].received_at);
        assert_eq!(ids(&cursor), ["left", "owed", "late", "new"]);
        // What is not listed any more is not on the server, or somebody has read it.
        finish(&mut cursor, &mails[3..]);
        assert_eq!(ids(&cursor), ["owed", "late", "new"]);
        // An older list does not lead back.
        advance(&mut cursor, &mails[..1]);
        assert_eq!(cursor.since, mails[4].received_at);
    }
}
