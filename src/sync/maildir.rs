//! Passes over a Maildir.
//!
//! What was read is known by its unique name; the names stand in the cursor and leave it with their files.

use super::backoff::Backoff;
use super::imap::before;
use super::mailbox::{POLL, Post, Trouble};
use crate::config::{AfterDelivery, SourceConfig, resolve};
use crate::desk::{Content, Incoming};
use crate::domain::{Arrival, ChannelState, Cursor, IntakeId};
use crate::source::{MailFile, MaildirSource};
use std::collections::BTreeSet;

/// Mails of one commit, at most.
const BATCH: usize = 100;
/// Stands for the entry of a mail that the desk holds.
const HELD: IntakeId = IntakeId(0);
/// Stands for the entry of a mail that lies only in the Maildir, so it must stay there.
const LEFT: IntakeId = IntakeId(u64::MAX);

/// Serves a Maildir until it fails.
pub(super) async fn serve(post: &mut Post<'_>, backoff: &mut Backoff) -> Trouble {
    match watch(post, backoff).await {
        Ok(never) => never,
        Err(trouble) => trouble,
    }
}

async fn watch(post: &mut Post<'_>, backoff: &mut Backoff) -> Result<Trouble, Trouble> {
    let maildir = open(post)?;
    let mut news = maildir.watch();
    loop {
        look(post, &maildir).await?;
        backoff.succeeded();
        post.show(ChannelState::Ok);
        tokio::select! {
            _ = news.wait(POLL) => {}
            () = post.desk.wait_for_look() => {}
        }
    }
}

/// Looks into a Maildir once.
pub(super) async fn once(post: &mut Post<'_>) -> Result<(), Trouble> {
    let maildir = open(post)?;
    look(post, &maildir).await
}

fn open(post: &Post<'_>) -> Result<MaildirSource, Trouble> {
    let path = match &post.config.source {
        SourceConfig::Maildir { path } => resolve(post.data_dir, path),
        _ => post.data_dir.to_owned(),
    };
    Ok(MaildirSource::open(&path)?)
}

async fn look(post: &mut Post<'_>, maildir: &MaildirSource) -> Result<(), Trouble> {
    let listed = maildir.list().await?;
    let known = post.desk.cursor(&post.config.name).await?;
    let mut cursor = match known {
        Some(cursor) if cursor.first_contact.is_some() => cursor,
        other => {
            let cursor = Cursor {
                mailbox: post.config.name.clone(),
                first_contact: Some(post.desk.now()),
                // Everything that lies there at first contact may be old.
                first_uid: u32::from(!listed.is_empty()),
                ..other.unwrap_or_default()
            };
            // In an empty Maildir nothing else would keep it, and what comes next would be old.
            post.desk.keep_cursor(&cursor).await?;
            cursor
        }
    };
    post.silent(cursor.silent);
    let there: BTreeSet<&str> = listed.iter().map(|file| file.name.as_str()).collect();
    cursor.names.retain(|name, _| there.contains(name.as_str()));
    let new: Vec<&MailFile> = listed.iter().filter(|file| !cursor.names.contains_key(&file.name)).collect();
    let all = new.len() as u64;
    let mut done = 0;
    for batch in new.chunks(BATCH) {
        if all > 1 {
            post.progress(done, all);
        }
        take_batch(post, maildir, &mut cursor, batch).await?;
        done += batch.len() as u64;
    }
    if cursor.first_uid != 0 || all > 0 {
        // The first look is over: whatever comes from now on is news.
        cursor.first_uid = 0;
        post.desk.keep_cursor(&cursor).await?;
    }
    settle(post, maildir, &mut cursor, &listed).await
}

async fn take_batch(
    post: &mut Post<'_>,
    maildir: &MaildirSource,
    cursor: &mut Cursor,
    batch: &[&MailFile],
) -> Result<(), Trouble> {
    let mut incoming = Vec::with_capacity(batch.len());
    let mut names = Vec::with_capacity(batch.len());
    for file in batch {
        let content = match file.size > post.config.max_size {
            true => Content::Unfetchable {
                reason: format!(
                    "it is larger than `max_size` of the mailbox; it lies in the Maildir as {}",
                    file.name
                ),
                size: file.size,
            },
            false => match maildir.read(&file.name).await {
                Ok(Some((bytes, _))) => Content::Whole(bytes),
                Ok(None) => continue,
                Err(error) => Content::Unfetchable {
                    reason: format!("it cannot be read: {error}; it lies in the Maildir as {}", file.name),
                    size: file.size,
                },
            },
        };
        let entry = if matches!(content, Content::Whole(_)) { HELD } else { LEFT };
        names.push((file.name.clone(), entry));
        incoming.push(arriving(post, cursor, file, content));
    }
    // The entry's number is not known before the commit; what counts is that the name is there.
    cursor.names.extend(names);
    post.pass.seen += batch.len() as u64;
    let received = post.desk.receive(incoming, Some(cursor.clone())).await?;
    post.count(cursor, &received);
    Ok(())
}

fn arriving(post: &Post<'_>, cursor: &Cursor, file: &MailFile, content: Content) -> Incoming {
    let arrival = Arrival {
        mailbox: Some(post.config.name.clone()),
        path: Some(file.name.clone()),
        received_at: file.received_at,
        flagged: file.flagged,
        answered: file.answered,
        seen: file.seen,
        ..Arrival::default()
    };
    let contact = cursor.first_contact.filter(|_| cursor.first_uid != 0);
    let silent_before = contact.and_then(|at| before(at, post.config.silent_before));
    Incoming { arrival, content, silent_before }
}

/// Does with what the desk holds what the config says; doing it again is harmless.
async fn settle(
    post: &Post<'_>,
    maildir: &MaildirSource,
    cursor: &mut Cursor,
    listed: &[MailFile],
) -> Result<(), Trouble> {
    let after = &post.config.after_delivery;
    let marks_only = matches!(after, AfterDelivery::Seen);
    let held = |file: &&MailFile| cursor.names.get(&file.name).is_some_and(|entry| *entry != LEFT);
    for file in listed.iter().filter(held) {
        let done = *after == AfterDelivery::Nothing || (marks_only && file.seen);
        if !done && file.size <= post.config.max_size {
            maildir.settle(&file.name, after).await?;
        }
    }
    Ok(())
}
