//! Kept lists: what queries without words found, in order, and brought up to date by what changed since.
//!
//! A list is worked out once from all rows. After that an answer costs what has changed, not how many issues
//! there are. Owns the lists; knows rows by their slots only, and nothing of texts.

use super::Found;
use super::find::{Slots, compare};
use super::rows::Rows;
use crate::domain::Rights;
use crate::domain::query::{Query, Viewer};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many issues may all lists hold together, four octets each.
const MOST: usize = 8_000_000;
/// So many lists may there be.
const LISTS: usize = 1024;
/// From so many changes on sorting anew is cheaper than putting each in its place.
const MANY: usize = 256;

/// The lists that were asked for last.
#[derive(Default)]
pub(super) struct Kept {
    /// The one asked for last stands last.
    lists: Mutex<Vec<(Key, Arc<Mutex<List>>)>>,
}

#[derive(PartialEq)]
struct Key {
    query: Query,
    /// Nobody where the query finds the same for everybody.
    user: Option<String>,
    rights: Rights,
}

/// What one query found.
struct List {
    order: Vec<u32>,
    /// Up to which change of the rows, and for which moment, it holds; `None` before it was worked out.
    state: Option<(u64, Timestamp)>,
}

/// Tells whether a list can be kept for a query: its finds must not depend on words, nor on how long ago
/// something was.
pub(super) fn fits(query: &Query) -> bool {
    query.words().next().is_none() && !query.has_numbers() && !query.measures_time()
}

impl Kept {
    /// Gives a window, as offset and limit, of what `query` finds; the query must be one that [`fits`].
    pub fn find(&self, rows: &Rows, query: &Query, viewer: &Viewer, window: (u64, u64)) -> Found {
        let list = self.list(query, viewer);
        let mut list = locked(&list);
        list.bring_up(rows, query, viewer);
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let window = list.order.iter().skip(place(window.0)).take(place(window.1));
        let issues = window.filter_map(|slot| rows.at(*slot)).map(|facts| facts.id).collect();
        Found { total: list.order.len() as u64, issues }
    }

    fn list(&self, query: &Query, viewer: &Viewer) -> Arc<Mutex<List>> {
        let user = query.is_personal().then(|| viewer.user.clone());
        let key = Key { query: query.clone(), user, rights: viewer.rights.clone() };
        let mut lists = locked(&self.lists);
        let list = match lists.iter().position(|(known, _)| *known == key) {
            Some(at) => lists.remove(at).1,
            None => {
                shrink(&mut lists);
                Arc::new(Mutex::new(List { order: Vec::new(), state: None }))
            }
        };
        lists.push((key, Arc::clone(&list)));
        list
    }
}

/// Makes room: those go that nobody has asked for the longest.
fn shrink(lists: &mut Vec<(Key, Arc<Mutex<List>>)>) {
    // One that is being worked on counts nothing this time.
    let size = |list: &Mutex<List>| list.try_lock().map_or(0, |list| list.order.capacity());
    let mut all: usize = lists.iter().map(|(_, list)| size(list)).sum();
    let mut gone = 0;
    for (_, list) in lists.iter() {
        if all <= MOST && lists.len() - gone < LISTS {
            break;
        }
        all = all.saturating_sub(size(list));
        gone += 1;
    }
    lists.drain(..gone);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl List {
    /// Makes the list hold for the rows as they are, and for the moment of the viewer.
    fn bring_up(&mut self, rows: &Rows, query: &Query, viewer: &Viewer) {
        let changed = self.state.and_then(|(change, at)| {
            let moments = (at <= viewer.now).then(|| rows.moments(at, viewer.now))?;
            Some(rows.changed_since(change)?.chain(moments).collect::<BTreeSet<u32>>())
        });
        match changed {
            Some(changed) if changed.is_empty() => {}
            Some(changed) => self.mend(&changed, rows, query, viewer),
            None => self.fill(rows, query, viewer),
        }
        self.state = Some((rows.change_count(), viewer.now));
    }

    fn fill(&mut self, rows: &Rows, query: &Query, viewer: &Viewer) {
        let read = rows.read_by(&viewer.user);
        let found = rows.iter().filter(|(_, facts)| {
            let seen = read.and_then(|read| read.get(&facts.id)).copied();
            query.matches(facts, viewer, seen)
        });
        let mut found: Vec<_> = found.collect();
        found.sort_unstable_by(|a, b| compare(query.sort(), a.1, b.1));
        self.order = found.into_iter().map(|(slot, _)| slot).collect();
    }

    fn mend(&mut self, changed: &BTreeSet<u32>, rows: &Rows, query: &Query, viewer: &Viewer) {
        let mut out = Slots::with_room(rows.slot_count());
        changed.iter().for_each(|slot| out.insert(*slot));
        self.order.retain(|slot| !out.contains(*slot));
        let read = rows.read_by(&viewer.user);
        let back = changed.iter().filter(|slot| {
            rows.at(**slot).is_some_and(|facts| {
                let seen = read.and_then(|read| read.get(&facts.id)).copied();
                query.matches(facts, viewer, seen)
            })
        });
        let order = |a: u32, b: u32| match (rows.at(a), rows.at(b)) {
            (Some(a), Some(b)) => compare(query.sort(), a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        let back: Vec<u32> = back.copied().collect();
        if back.len() > MANY {
            self.order.extend(back);
            return self.order.sort_by(|a, b| order(*a, *b));
        }
        for slot in back {
            let place = self.order.partition_point(|other| order(*other, slot).is_lt());
            self.order.insert(place, slot);
        }
    }
}
