//! Tables of words in many languages, one word or phrase a line, in the files of `words/`.
//!
//! A line that begins with `#` is a remark; `␣` at the end of a line is a blank. A `?` at the end marks an
//! entry for who reads [`Table::entries`]: it is no part of what is looked for.

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind};
use std::borrow::Cow;
use std::sync::OnceLock;

/// A table, and the automaton that looks for all of its entries at once, built when it is first asked.
///
/// Letters of ASCII are found in either case, so a text of nothing else need not be made lower.
pub(super) struct Table {
    text: &'static str,
    index: OnceLock<Option<AhoCorasick>>,
}

impl Table {
    /// Makes a table of the text of its file.
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text, index: OnceLock::new() }
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
        match self.index() {
            Some(index) => index.is_match(text),
            None => self.sought().any(|entry| text.contains(&entry)),
        }
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
        match self.index() {
            Some(index) => index.find(Input::new(text).anchored(Anchored::Yes)).map(|found| found.end()),
            None => self.sought().filter(|entry| text.starts_with(entry)).map(|entry| entry.len()).max(),
        }
    }

    /// Gives the automaton; `None` where it cannot be built.
    fn index(&self) -> Option<&AhoCorasick> {
        let build = || {
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .start_kind(StartKind::Both)
                .match_kind(MatchKind::LeftmostLongest)
                .build(self.sought())
                .ok()
        };
        self.index.get_or_init(build).as_ref()
    }
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
