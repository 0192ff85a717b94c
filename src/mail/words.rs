//! Tables of words in many languages, one word or phrase a line, in the files of `words/`.
//!
//! A line that begins with `#` is a remark; `␣` at the end of a line is a blank. A `?` at the end marks an
//! entry for who reads [`Table::entries`]: it is no part of what is looked for.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind, StartKind};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Largest text of a table, in octets, whose automata are tables of states.
const SMALL: usize = 3 * 1024;

/// A table, and the automata that look for all of its entries at once, built when they are first asked.
///
/// Letters of ASCII are found in either case, so a text of nothing else need not be made lower.
pub(super) struct Table {
    text: &'static str,
    /// Finds entries anywhere in a text.
    anywhere: OnceLock<Option<AhoCorasick>>,
    /// Finds entries at the beginning of a text.
    ahead: OnceLock<Option<AhoCorasick>>,
    openings: OnceLock<Openings>,
}

impl Table {
    /// Makes a table of the text of its file.
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text, anywhere: OnceLock::new(), ahead: OnceLock::new(), openings: OnceLock::new() }
    }

    /// Gives the entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = Cow<'static, str>> {
        let lines = self.text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| {
            line.strip_suffix('␣').map_or(Cow::Borrowed(line), |word| Cow::Owned(format!("{word} ")))
        })
    }

    /// Gives what is looked for.
    fn sought(&self) -> impl Iterator<Item = String> {
        self.entries().map(|entry| entry.strip_suffix('?').unwrap_or(&entry).to_owned())
    }

    /// Tells whether a text, in lower case, holds an entry.
    pub(super) fn within(&self, text: &str) -> bool {
        match self.anywhere.get_or_init(|| self.index(StartKind::Unanchored)) {
            Some(index) => index.is_match(text),
            None => self.sought().any(|entry| text.contains(&entry)),
        }
    }

    /// Tells whether a text in letters of either case holds an entry.
    pub(super) fn within_any_case(&self, text: &str) -> bool {
        if text.is_ascii() { self.within(text) } else { self.within(&lower(text)) }
    }

    /// Tells cheaply that no entry stands at the beginning of a text, as of most lines of a mail. The text
    /// may be in either case: only where its first two octets are ASCII this says anything.
    pub(super) fn is_strange_to(&self, text: &str) -> bool {
        !self.openings.get_or_init(|| Openings::of(self.sought())).may_open(text)
    }

    /// Tells whether a text, in lower case, begins with an entry.
    pub(super) fn begins(&self, text: &str) -> bool {
        self.longest_start(text).is_some()
    }

    /// Tells whether a text, in lower case, is an entry.
    pub(super) fn is(&self, text: &str) -> bool {
        self.longest_start(text) == Some(text.len())
    }

    /// Gives the length of the longest entry that a text, in lower case, begins with.
    pub(super) fn longest_start(&self, text: &str) -> Option<usize> {
        if self.is_strange_to(text) {
            return None;
        }
        match self.ahead.get_or_init(|| self.index(StartKind::Anchored)) {
            Some(index) => index.find(Input::new(text).anchored(Anchored::Yes)).map(|found| found.end()),
            None => self.sought().filter(|entry| text.starts_with(entry)).map(|entry| entry.len()).max(),
        }
    }

    /// Builds an automaton; `None` where it cannot be built. A small one is a table of all its states, which is
    /// fastest; a large one would take megabytes.
    fn index(&self, start: StartKind) -> Option<AhoCorasick> {
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind((self.text.len() <= SMALL).then_some(AhoCorasickKind::DFA))
            .start_kind(start)
            .match_kind(MatchKind::LeftmostLongest)
            .build(self.sought())
            .ok()
    }
}

/// The first two octets of the entries of a table, letters of ASCII in either case; one bit for each pair.
struct Openings(Box<[u64]>);

impl Openings {
    fn of(entries: impl Iterator<Item = String>) -> Self {
        let mut pairs = Self(vec![0; 1 << 10].into_boxed_slice());
        for entry in entries {
            let mut octets = entry.bytes();
            let Some(first) = octets.next() else { continue };
            let seconds = octets.next().map_or(0..=u8::MAX, |second| second..=second);
            for second in seconds {
                for (first, second) in cases(first).into_iter().flat_map(|a| cases(second).map(|b| (a, b))) {
                    let (slot, bit) = Self::place(first, second);
                    pairs.0.get_mut(slot).into_iter().for_each(|bits| *bits |= bit);
                }
            }
        }
        pairs
    }

    fn may_open(&self, text: &str) -> bool {
        let mut octets = text.bytes();
        let (first, second) = (octets.next().unwrap_or(0), octets.next().unwrap_or(0));
        let (slot, bit) = Self::place(first, second);
        !first.is_ascii() || !second.is_ascii() || self.0.get(slot).is_some_and(|bits| bits & bit != 0)
    }

    fn place(first: u8, second: u8) -> (usize, u64) {
        (usize::from(first) << 2 | usize::from(second >> 6), 1 << (second & 63))
    }
}

fn cases(letter: u8) -> [u8; 2] {
    [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()]
}

/// Gives a text as the tables hold it: in lower case, the dotted capital of Turkish as a plain letter.
pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut lower = text.to_lowercase();
    lower.retain(|c| c != '\u{307}');
    lower
}
