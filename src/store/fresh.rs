//! What is applied and not in sled yet.
//!
//! sled rewrites a page for every few keys that come to it, wherever they fall, so it gets many at once and
//! in order; what was written twice meanwhile gets there once. The journal has all of it.

use super::Direction;
use super::trees::Writes;
use crate::domain::Seq;
use std::ops::Bound;

/// Keys that are held back, at most.
const KEYS: usize = 40_000;
/// Octets of what stands under them, at most.
const OCTETS: usize = 6 << 20;

/// Writes held back from sled.
#[derive(Default)]
pub(super) struct Fresh {
    writes: Writes,
    octets: usize,
    /// The last frame of which all writes are here or in sled.
    last: Option<Seq>,
}

/// A key with what stands there.
pub(super) type Entry = (Vec<u8>, Option<Vec<u8>>);

impl Fresh {
    /// Adds the writes of frames up to `last`.
    pub fn add(&mut self, writes: Writes, last: Seq) {
        self.octets += writes.values().flatten().map(Vec::len).sum::<usize>();
        self.writes.extend(writes);
        self.last = Some(last);
    }

    /// Gives what was written under a key; within, nothing for what was taken away.
    pub fn get(&self, key: &[u8]) -> Option<Option<Vec<u8>>> {
        self.writes.get(key).cloned()
    }

    /// Gives the last frame, if anything of it may not be in sled yet.
    pub fn last(&self) -> Option<Seq> {
        self.last
    }

    pub fn is_full(&self) -> bool {
        self.writes.len() >= KEYS || self.octets >= OCTETS
    }

    /// Gives the first keys in order, which stay here until they are in sled, and the frame that is whole
    /// with them.
    pub fn first(&self, most: usize) -> (Writes, Option<Seq>) {
        let first: Writes = self.writes.iter().take(most).map(|(k, v)| (k.clone(), v.clone())).collect();
        let whole = self.last.filter(|_| first.len() == self.writes.len());
        (first, whole)
    }

    /// Lets go of what is in sled by now, up to the frame that is `whole` there. What came meanwhile stays.
    pub fn drop_written(&mut self, written: &Writes, whole: Option<Seq>) {
        for (key, value) in written {
            if self.writes.get(key) == Some(value) {
                self.writes.remove(key);
            }
        }
        if self.writes.is_empty() && self.last == whole {
            *self = Self::default();
        }
    }

    /// Gives what stands in a range of keys, in the order asked.
    pub fn range(&self, range: (Bound<Vec<u8>>, Bound<Vec<u8>>), direction: Direction) -> Vec<Entry> {
        let found = self.writes.range(range).map(|(key, value)| (key.clone(), value.clone()));
        match direction {
            Direction::Up => found.collect(),
            Direction::Down => found.rev().collect(),
        }
    }
}

/// Merges what sled has with what is fresher, both in the order asked; gives what stands there.
pub(super) fn merged<E>(
    old: impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), E>>,
    fresh: Vec<Entry>,
    direction: Direction,
) -> impl Iterator<Item = Result<Vec<u8>, E>> {
    let (mut old, mut fresh) = (old.peekable(), fresh.into_iter().peekable());
    std::iter::from_fn(move || {
        loop {
            let order = match (old.peek(), fresh.peek()) {
                (Some(Ok((old, _))), Some((fresh, _))) if direction == Direction::Up => old.cmp(fresh),
                (Some(Ok((old, _))), Some((fresh, _))) => fresh.cmp(old),
                (Some(_), _) => std::cmp::Ordering::Less,
                (None, _) => std::cmp::Ordering::Greater,
            };
            if order.is_lt() {
                return old.next().map(|entry| entry.map(|(_, value)| value));
            }
            if order.is_eq() {
                old.next();
            }
            if let (_, Some(value)) = fresh.next()? {
                return Some(Ok(value));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fresher_counts_and_what_was_taken_away_is_gone() {
        let old = |numbers: &'static [u8]| numbers.iter().map(|n| Ok((vec![*n], vec![*n])));
        let fresh = vec![(vec![2], None), (vec![3], Some(vec![30])), (vec![9], Some(vec![90]))];
        let up: Result<Vec<_>, ()> = merged(old(&[1, 2, 3, 5]), fresh.clone(), Direction::Up).collect();
        assert_eq!(up.unwrap(), [[1], [30], [5], [90]]);
        let fresh = fresh.into_iter().rev().collect();
        let down: Result<Vec<_>, ()> = merged(old(&[5, 3, 2, 1]), fresh, Direction::Down).collect();
        assert_eq!(down.unwrap(), [[90], [5], [30], [1]]);
    }

    #[test]
    fn a_frame_is_whole_in_sled_only_with_its_last_keys() {
        let mut fresh = Fresh::default();
        let writes = (0..5).map(|n| (vec![n], Some(vec![n])));
        fresh.add(writes.collect(), Seq(7));
        let (first, whole) = fresh.first(3);
        assert_eq!((first.len(), whole), (3, None));
        fresh.drop_written(&first, whole);
        let (first, whole) = fresh.first(3);
        assert_eq!(
            (first.keys().cloned().collect::<Vec<_>>(), whole),
            (vec![vec![3], vec![4]], Some(Seq(7)))
        );
        fresh.drop_written(&first, whole);
        assert_eq!((fresh.last(), fresh.get(&[4])), (None, None));
    }

    /// A check of the desk drains while the writer goes on.
    #[test]
    fn what_is_written_while_others_are_handed_over_stays() {
        let mut fresh = Fresh::default();
        let writes = |keys: &[u8], value: u8| keys.iter().map(|n| (vec![*n], Some(vec![value]))).collect();
        fresh.add(writes(&[3, 4, 5], 1), Seq(1));
        let (first, whole) = fresh.first(2);
        fresh.add(writes(&[1, 3], 2), Seq(2));
        fresh.drop_written(&first, whole);
        let left: Writes =
            [(vec![1], Some(vec![2])), (vec![3], Some(vec![2])), (vec![5], Some(vec![1]))].into();
        assert_eq!(fresh.writes, left);
        let (first, whole) = fresh.first(9);
        fresh.add(Writes::new(), Seq(3));
        fresh.drop_written(&first, whole);
        assert_eq!((whole, fresh.last()), (Some(Seq(2)), Some(Seq(3))));
    }
}
