//! Tables of words in many languages, one word or phrase a line, in the files of `words/`.
//!
//! A line that begins with `#` is a remark; `␣` at the end of a line is a blank. A `?` at the end marks an
//! entry for who reads [`Table::entries`]: it is no part of what is looked for.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind, StartKind};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Largest text of a table, in octets, whose automata are tables of states.
const SMALL: usize = 3 * 1024;

/// A table, and what looks for all of its entries at once, built when it is first asked.
///
/// Letters of ASCII are found in either case, so a text of nothing else need not be made lower.
pub(super) struct Table {
    text: &'static str,
    /// Finds entries at the beginning of a text.
    ahead: OnceLock<Option<AhoCorasick>>,
    openings: OnceLock<Openings>,
}

impl Table {
    /// Makes a table of the text of its file.
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text, ahead: OnceLock::new(), openings: OnceLock::new() }
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
        let octets = text.as_bytes();
        let mut places = self.openings().places(octets);
        places.any(|at| self.opening(octets.get(at..).unwrap_or_default()).is_some())
    }

    /// Tells whether a text in letters of either case holds an entry.
    pub(super) fn within_any_case(&self, text: &str) -> bool {
        if text.is_ascii() { self.within(text) } else { self.within(&lower(text)) }
    }

    /// Tells cheaply that no entry stands at the beginning of a text in either case, as of most lines of a mail.
    pub(super) fn is_strange_to(&self, text: &str) -> bool {
        self.openings().are_strange_to(text)
    }

    /// Tells whether a text in letters of either case begins with an entry.
    pub(super) fn begins_any_case(&self, text: &str) -> bool {
        !self.is_strange_to(text)
            && if text.is_ascii() { self.begins(text) } else { self.begins(&lower(text)) }
    }

    /// Tells whether a text in letters of either case is an entry.
    pub(super) fn is_any_case(&self, text: &str) -> bool {
        !self.is_strange_to(text) && if text.is_ascii() { self.is(text) } else { self.is(&lower(text)) }
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
        if self.is_strange_to(text) { None } else { self.opening(text.as_bytes()) }
    }

    /// Does the same without looking whether it is worth it.
    fn opening(&self, text: &[u8]) -> Option<usize> {
        let begins = |entry: &String| {
            text.get(..entry.len()).is_some_and(|start| start.eq_ignore_ascii_case(entry.as_bytes()))
        };
        match self.ahead.get_or_init(|| self.index()) {
            Some(index) => index.find(Input::new(text).anchored(Anchored::Yes)).map(|found| found.end()),
            None => self.sought().filter(begins).map(|entry| entry.len()).max(),
        }
    }

    fn openings(&self) -> &Openings {
        self.openings.get_or_init(|| Openings::of(self.sought()))
    }

    /// Builds an automaton; `None` where it cannot be built. A small one is a table of all its states, which is
    /// fastest; a large one would take megabytes.
    fn index(&self) -> Option<AhoCorasick> {
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind((self.text.len() <= SMALL).then_some(AhoCorasickKind::DFA))
            .start_kind(StartKind::Anchored)
            .match_kind(MatchKind::LeftmostLongest)
            .build(self.sought())
            .ok()
    }
}

/// How the entries of several tables begin, to see at once that a text begins as none of them.
pub(super) struct Beginnings {
    tables: &'static [&'static Table],
    openings: OnceLock<Openings>,
}

impl Beginnings {
    pub(super) const fn of(tables: &'static [&'static Table]) -> Self {
        Self { tables, openings: OnceLock::new() }
    }

    /// Tells cheaply that no entry stands at the beginning of a text in either case.
    pub(super) fn are_strange_to(&self, text: &str) -> bool {
        let all = || Openings::of(self.tables.iter().flat_map(|table| table.sought()));
        self.openings.get_or_init(all).are_strange_to(text)
    }
}

/// How the entries of a table begin: one bit for each of their first four octets, shared by some, so that of most
/// places in a text it is soon seen that no entry stands there.
struct Openings {
    bits: Box<[u64]>,
    /// Two to this power are the bits.
    power: u32,
}

impl Openings {
    /// Makes them of so many bits that few are set; the fewer there are, the nearer they stay.
    fn of(entries: impl Iterator<Item = String>) -> Self {
        let entries: Vec<String> = entries.collect();
        let power = (entries.len() * 64).next_power_of_two().ilog2().clamp(10, 15);
        let mut all = Self { bits: vec![0; 1 << (power - 6)].into_boxed_slice(), power };
        for entry in entries {
            let octets = entry.as_bytes();
            all.add(octets.get(..octets.len().min(4)).unwrap_or_default());
            let lower: Vec<u8> = lower_octets(&entry).take(4).collect();
            all.add(&lower);
        }
        all
    }

    /// Adds the beginning of an entry; behind one that is shorter anything may stand.
    fn add(&mut self, octets: &[u8]) {
        match <[u8; 4]>::try_from(octets) {
            Ok(octets) => {
                let (slot, bit) = self.place(octets);
                self.bits.get_mut(slot).into_iter().for_each(|bits| *bits |= bit);
            }
            Err(_) => (0..=LETTER).for_each(|next| self.add(&[octets, &[next]].concat())),
        }
    }

    /// Tells cheaply that a text in either case begins as none of them.
    fn are_strange_to(&self, text: &str) -> bool {
        beginning(text).is_some_and(|octets| !self.may_be(octets))
    }

    fn may_be(&self, octets: [u8; 4]) -> bool {
        let (slot, bit) = self.place(octets);
        self.bits.get(slot).is_some_and(|bits| bits & bit != 0)
    }

    /// Gives every place of a text where an entry may stand.
    fn places(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        let last = text.len().saturating_sub(3);
        let whole = text.array_windows().enumerate().filter(|(_, octets)| self.may_be(**octets));
        let short =
            (last..text.len()).filter(move |at| self.may_be(padded(text.get(*at..).unwrap_or_default())));
        whole.map(|(at, _)| at).chain(short)
    }

    /// Gives where the bit of four octets is, which is the same for letters of ASCII in either case.
    fn place(&self, octets: [u8; 4]) -> (usize, u64) {
        let letters = u32::from_le_bytes(octets) & u32::from_le_bytes([LETTER; 4]);
        let hash = letters.wrapping_mul(0x9e37_79b1) >> (32 - self.power);
        (usize::try_from(hash >> 6).unwrap_or(0), 1 << (hash & 63))
    }
}

/// The bits of an octet that tell letters of ASCII apart, and not their case.
const LETTER: u8 = 31;

/// Gives the first four octets of a text, or what there is and nothing behind it.
fn padded(text: &[u8]) -> [u8; 4] {
    text.first_chunk().copied().unwrap_or_else(|| {
        let mut beginning = [0; 4];
        beginning.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        beginning
    })
}

/// Gives the first four octets of a text in lower case; `None` where those depend on what follows.
fn beginning(text: &str) -> Option<[u8; 4]> {
    let start = padded(text.as_bytes());
    if start.is_ascii() {
        return Some(start);
    }
    let mut beginning = [0; 4];
    beginning.iter_mut().zip(lower_octets(text)).for_each(|(to, from)| *to = from);
    text.chars().take(4).all(|c| c != 'Σ').then_some(beginning)
}

/// Gives the octets of a text in lower case, one character after the other.
fn lower_octets(text: &str) -> impl Iterator<Item = u8> {
    let lower = text.chars().flat_map(char::to_lowercase).filter(|c| *c != '\u{307}');
    lower.flat_map(|c| {
        let mut octets = [0; 4];
        let length = c.encode_utf8(&mut octets).len();
        octets.into_iter().take(length)
    })
}

/// Gives a text as the tables hold it: in lower case, the dotted capital of Turkish as a plain letter.
pub(super) fn lower(text: &str) -> String {
    let mut lower = lowered(text);
    if lower.contains('\u{307}') {
        lower.retain(|c| c != '\u{307}');
    }
    lower
}

/// Tells whether a text ends so, in letters of ASCII of either case.
pub(super) fn ends_in(text: &str, end: &str) -> bool {
    let from = text.len().checked_sub(end.len());
    let last = from.and_then(|from| text.as_bytes().get(from..));
    last.is_some_and(|last| last.eq_ignore_ascii_case(end.as_bytes()))
}

/// Gives a text as [`Table::within`] looks into it: in lower case, except that the case of ASCII does not matter there.
pub(super) fn to_look_into(text: String) -> String {
    if text.is_ascii() { text } else { lowered(&text) }
}

/// Tells whether a text may hold other blanks than those of ASCII, by the octets with which they begin.
pub(super) fn may_hold_odd_blanks(octets: &[u8]) -> bool {
    octets.iter().fold(false, |any, octet| any | matches!(octet, 0xc2 | 0xe1..=0xe3))
}

/// Tells of many letters that they are small, or have no case.
fn is_small(c: char) -> bool {
    match c {
        '\0'..='\x7f' | 'ß'..='ÿ' | 'ά'..='ώ' | 'а'..='џ' | '\u{2e80}'..='\u{a63f}' => true,
        // Here each small letter stands behind its capital.
        'Ā'..='ķ' | 'Ŋ'..='ŷ' => u32::from(c) % 2 == 1,
        'Ĺ'..='ň' | 'Ź'..='ž' => u32::from(c) % 2 == 0,
        _ => false,
    }
}

/// Does what [`str::to_lowercase`] does, sooner where there is no capital but of ASCII.
pub(super) fn lowered(text: &str) -> String {
    let is_lower = |c: char| is_small(c) || c.to_lowercase().eq([c]);
    if text.is_ascii() || text.chars().all(is_lower) {
        text.to_ascii_lowercase()
    } else {
        text.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    static WORDS: Table = Table::new("# of a test\nto\nabwesend\nза границей\n再\niletilen ileti\nσημα");

    #[test]
    fn lower_case_and_blanks_are_told_as_unicode_has_them() {
        for c in ('\0'..='\u{ffff}').chain('\u{10400}'..='\u{104ff}') {
            let text = c.to_string();
            assert_eq!(lowered(&text), text.to_lowercase());
            assert!(c.is_ascii() || !c.is_whitespace() || may_hold_odd_blanks(text.as_bytes()), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn a_table_finds_what_its_entries_are(
            text in "(to|T|o|ABWESEND|abwese|nd|З|а |границей|再|İ|iletilen |İLETİ|ileti|Σ|ΣΗΜΑ|σημα|\u{307}| |é){0,6}"
        ) {
            let lower = lower(&text);
            let all = || WORDS.sought();
            prop_assert_eq!(WORDS.within_any_case(&text), all().any(|entry| lower.contains(&entry)));
            prop_assert_eq!(WORDS.begins_any_case(&text), all().any(|entry| lower.starts_with(&entry)));
            prop_assert_eq!(WORDS.is_any_case(&text), all().any(|entry| lower == entry));
            prop_assert_eq!(lowered(&text), text.to_lowercase());
        }
    }
}
