//! Texts of which there are many: their beginnings are looked up, and only what may stand there is compiled.
//!
//! What a pattern lets stand between words is no letter and no digit, so a text can stand only where its
//! letters and digits follow each other. Memory goes with the texts themselves, not with compiled patterns.

use super::{Cut, PATTERN, Pattern, compiled};
use std::sync::OnceLock;

/// So many letters and digits of a beginning are looked up, where a text has them.
const LONG: usize = 16;
/// A text with fewer letters and digits is not kept here.
const SHORT: usize = 8;
/// Nor is one of more octets.
const MOST: usize = 1000;

/// Many texts, the longest first.
#[derive(Debug, Default)]
pub(super) struct Many {
    cuts: Vec<Cut>,
    /// The hash of a beginning, and the place of a text; sorted.
    long: Vec<(u64, u32)>,
    short: Vec<(u64, u32)>,
    /// Why one of them could not be looked for where it may stand.
    failed: OnceLock<String>,
}

impl Many {
    /// Tells whether a text can be kept here.
    pub fn takes(text: &str) -> bool {
        text.len() <= MOST && letters(text).nth(SHORT - 1).is_some()
    }

    /// Keeps texts, in the order in which they are taken out.
    pub fn new(cuts: Vec<Cut>) -> Self {
        let mut many = Self { cuts, ..Self::default() };
        for (cut, place) in many.cuts.iter().zip(0u32..) {
            let begin: Vec<char> = letters(&cut.text).take(LONG).collect();
            let begins = if begin.len() < LONG { &mut many.short } else { &mut many.long };
            let length = if begin.len() < LONG { SHORT } else { LONG };
            begins.push((hash(begin.iter().take(length)), place));
        }
        many.long.sort_unstable();
        many.short.sort_unstable();
        many
    }

    pub fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Says why a text could not be looked for, if that happened.
    pub fn check(&self) -> Result<(), String> {
        self.failed.get().map_or(Ok(()), |why| Err(why.clone()))
    }

    /// Gives the patterns of those texts that may stand there; without any, [`Self::check`] tells whether one
    /// failed.
    pub fn patterns(&self, octets: &[u8]) -> Vec<Pattern> {
        self.patterns_within(octets, PATTERN)
    }

    fn patterns_within(&self, octets: &[u8], limit: usize) -> Vec<Pattern> {
        let found = self.candidates(octets);
        let cuts: Vec<&Cut> = found.iter().filter_map(|place| self.cuts.get(*place as usize)).collect();
        compiled(&cuts, limit).unwrap_or_else(|why| {
            let _ = self.failed.set(why);
            Vec::new()
        })
    }

    /// Tells whether one of the texts may stand there.
    pub fn may_be_in(&self, octets: &[u8]) -> bool {
        !self.candidates(octets).is_empty()
    }

    /// Gives the places of the texts that may stand there, in their order.
    fn candidates(&self, octets: &[u8]) -> Vec<u32> {
        let mut found = Vec::new();
        if self.is_empty() {
            return found;
        }
        let mut last = std::collections::VecDeque::with_capacity(LONG + 1);
        for c in octets.utf8_chunks().flat_map(|chunk| letters(chunk.valid())) {
            last.push_back(c);
            if last.len() > LONG {
                last.pop_front();
            }
            if last.len() == LONG {
                add(&self.long, hash(last.iter()), &mut found);
            }
            if let Some(from) = last.len().checked_sub(SHORT) {
                add(&self.short, hash(last.iter().skip(from)), &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Adds the places of all texts that begin so.
fn add(begins: &[(u64, u32)], wanted: u64, found: &mut Vec<u32>) {
    if begins.is_empty() {
        return;
    }
    let from = begins.partition_point(|(hash, _)| *hash < wanted);
    let same = begins.iter().skip(from).take_while(|(hash, _)| *hash == wanted);
    found.extend(same.map(|(_, place)| *place));
}

fn hash<'a>(letters: impl Iterator<Item = &'a char>) -> u64 {
    letters.fold(0xcbf2_9ce4_8422_2325, |hash, c| {
        (hash ^ u64::from(u32::from(*c))).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
    })
}

/// Gives the letters and digits of a text without their case.
fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|c| c.is_alphanumeric()).map(fold)
}

/// Gives one letter for all that a pattern without case takes for the same.
fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // Some have several letters in the other case; the first tells enough.
    let lower = c.to_lowercase().next().unwrap_or(c);
    let upper = lower.to_uppercase().next().unwrap_or(lower);
    upper.to_lowercase().next().unwrap_or(upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::RegexBuilder;

    #[test]
    fn a_text_that_cannot_be_looked_for_is_told() {
        let cut =
            Cut { text: "a line of it".to_owned(), with: String::new(), border: super::super::Border::Word };
        let many = Many::new(vec![cut]);
        assert_eq!(many.patterns(b"here is a line of it").len(), 1);
        assert_eq!(many.check(), Ok(()));
        assert!(many.patterns_within(b"here is a line of it", 10).is_empty());
        assert!(many.check().unwrap_err().contains("a line of it"));
    }

    #[test]
    fn letters_that_are_the_same_to_a_pattern_are_the_same_here() {
        let cased = |c: &char| {
            c.is_alphanumeric()
                && (c.to_lowercase().next() != Some(*c) || c.to_uppercase().next() != Some(*c))
        };
        let all: String = (0..0x2_0000).filter_map(char::from_u32).filter(cased).collect();
        for c in all.chars() {
            let same =
                RegexBuilder::new(&regex::escape(&c.to_string())).case_insensitive(true).build().unwrap();
            for other in same.find_iter(&all).flat_map(|found| found.as_str().chars()) {
                assert_eq!(fold(c), fold(other), "{c} {other}");
            }
        }
    }
}
