//! What is applied and not in sled yet.
//!
//! sled rewrites a page for every few keys that come to it, wherever they fall, so it gets many at once and
//! in order; what was written twice meanwhile gets there once. The journal has all of it.

use super::Direction;
use super::trees::Writes;
use crate::domain::Seq;
use std::ops::Bound;
use std::sync::Arc;

/// Keys that are held back, at most.
const KEYS: usize = 26_000;
/// Octets of what stands under them, at most.
const OCTETS: usize = 4 << 20;

/// Writes held back from sled: those that still come, and before them those that are being handed over.
#[derive(Default)]
pub(super) struct Fresh {
    coming: Layer,
    /// Does not change any more, and is gone once all of it is in sled.
    going: Option<Arc<Layer>>,
}

/// Writes of frames that followed each other.
#[derive(Default)]
pub(super) struct Layer {
    pub writes: Writes,
    octets: usize,
    /// The last frame of which all writes are here or in a layer before.
    pub last: Option<Seq>,
}

/// A key with what stands there.
pub(super) type Entry = (Vec<u8>, Option<Vec<u8>>);

impl Fresh {
    /// Adds the writes of frames up to `last`.
    pub fn add(&mut self, writes: Writes, last: Seq) {
        self.coming.octets += writes.values().flatten().map(Vec::len).sum::<usize>();
        self.coming.writes.extend(writes);
        self.coming.last = Some(last);
    }

    /// Gives what was written under a key; within, nothing for what was taken away.
    pub fn get(&self, key: &[u8]) -> Option<Option<Vec<u8>>> {
        let going = || self.going.as_ref()?.writes.get(key);
        self.coming.writes.get(key).or_else(going).cloned()
    }

    /// Gives the last frame, if anything of it may not be in sled yet.
    pub fn last(&self) -> Option<Seq> {
        self.coming.last.or_else(|| self.going.as_ref()?.last)
    }

    pub fn is_full(&self) -> bool {
        self.coming.writes.len() >= KEYS || self.coming.octets >= OCTETS
    }

    /// Gives what is to be handed over next, which stays here until it is [`Fresh::gone`].
    pub fn next(&mut self) -> Option<Arc<Layer>> {
        if self.going.is_none() && self.coming.last.is_some() {
            self.going = Some(Arc::new(std::mem::take(&mut self.coming)));
        }
        self.going.clone()
    }

    /// Lets go of what was handed over.
    pub fn gone(&mut self) {
        self.going = None;
    }

    /// Gives what stands in a range of keys, in the order asked.
    pub fn range(&self, range: (Bound<Vec<u8>>, Bound<Vec<u8>>), direction: Direction) -> Vec<Entry> {
        let owned = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| (key.clone(), value.clone());
        let mut found = Writes::new();
        if let Some(going) = &self.going {
            found.extend(going.writes.range(range.clone()).map(owned));
        }
        found.extend(self.coming.writes.range(range).map(owned));
        match direction {
            Direction::Up => found.into_iter().collect(),
            Direction::Down => found.into_iter().rev().collect(),
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

    fn writes(keys: &[u8], value: u8) -> Writes {
        keys.iter().map(|n| (vec![*n], Some(vec![value]))).collect()
    }

    #[test]
    fn what_comes_while_the_rest_is_handed_over_stays() {
        let mut fresh = Fresh::default();
        fresh.add(writes(&[3, 4, 5], 1), Seq(1));
        let going = fresh.next().unwrap();
        fresh.add(writes(&[1, 3], 2), Seq(2));
        fresh.add([(vec![4], None)].into(), Seq(3));
        assert_eq!((&going.writes, going.last), (&writes(&[3, 4, 5], 1), Some(Seq(1))));
        let seen = |fresh: &Fresh| [1, 3, 4, 5, 6].map(|key| fresh.get(&[key]));
        let (one, two) = (Some(Some(vec![1])), Some(Some(vec![2])));
        assert_eq!(seen(&fresh), [two.clone(), two.clone(), Some(None), one, None]);
        let all = fresh.range((Bound::Unbounded, Bound::Unbounded), Direction::Down);
        let keys: Vec<_> = all.iter().map(|(key, value)| (key[0], value.as_ref().map(|v| v[0]))).collect();
        assert_eq!(keys, [(5, Some(1)), (4, None), (3, Some(2)), (1, Some(2))]);
        fresh.gone();
        assert_eq!(seen(&fresh), [two.clone(), two, Some(None), None, None]);
        assert_eq!((fresh.last(), fresh.next().unwrap().last), (Some(Seq(3)), Some(Seq(3))));
    }

    #[test]
    fn a_layer_is_handed_over_until_it_is_gone() {
        let mut fresh = Fresh::default();
        assert!(fresh.next().is_none());
        fresh.add(writes(&[1], 1), Seq(1));
        let going = fresh.next().unwrap();
        fresh.add(writes(&[1], 2), Seq(2));
        // As after a write that failed.
        assert!(Arc::ptr_eq(&going, &fresh.next().unwrap()));
        fresh.gone();
        assert_eq!(fresh.next().unwrap().writes, writes(&[1], 2));
        fresh.gone();
        assert_eq!((fresh.last(), fresh.get(&[1])), (None, None));
    }
}
