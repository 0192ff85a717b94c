//! What must hold of the store, whatever happens to it.

mod commits;
mod copies;
mod damage;
mod figures;
mod kill;
mod model;
mod octets;
mod rewriting;

use super::record::{Counters, Known};
use super::*;
use crate::domain::{IssueId, MessageId, Via};

pub fn actor(user: &str) -> Actor {
    Actor { user: user.into(), email: None, via: Via::Command }
}

pub fn commit(puts: Vec<Put>) -> Commit {
    Commit {
        at: Timestamp::UNIX_EPOCH,
        actor: actor("ada"),
        reason: None,
        request: None,
        deed: None,
        changes: Vec::new(),
        expectations: Vec::new(),
        since: None,
        puts,
    }
}

pub fn put<R: Record>(record: &R) -> Put {
    Put { tree: R::TREE, key: record.key(), document: Some(Store::encode(record).unwrap()) }
}

/// A record among many, told apart by its number.
pub fn known(number: u64) -> Known {
    let message_id = MessageId::parse(&format!("<{number:08}@x.example>")).unwrap();
    Known { message_id, places: Vec::new() }
}

pub fn counters(issue: u64) -> Counters {
    Counters { issue, ..Counters::default() }
}

pub fn change(issue: u64, field: &str) -> Change {
    Change {
        issue: IssueId(issue),
        field: field.into(),
        before: serde_json::Value::Null,
        after: serde_json::json!("new"),
        rule: None,
    }
}

/// Small segments, and no reserve.
pub fn small() -> Options {
    Options { segment_size: 4096, reserve: 0, ..Options::default() }
}

pub async fn open(dir: &Path) -> Store {
    Store::open_with(dir, small()).await.unwrap().store
}

pub async fn all<R: Record>(store: &Store) -> Vec<Kept<R>> {
    store.scan(&[], None, usize::MAX, Direction::Up).await.unwrap()
}

/// Bytes that no compression makes shorter, the same every time.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}
