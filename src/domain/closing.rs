//! Closing by commits: which issues the message of a commit says it closes.
//!
//! The words and the lists are those of GitLab's usual closing pattern: `Fixes #1, #2 and group/p#3`.

use super::{Fault, IssueId, ProjectId, Reference};
use jiff::Timestamp;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The words that close an issue, in any case.
const WORDS: [&str; 16] = [
    "close",
    "closes",
    "closed",
    "closing",
    "fix",
    "fixes",
    "fixed",
    "fixing",
    "resolve",
    "resolves",
    "resolved",
    "resolving",
    "implement",
    "implements",
    "implemented",
    "implementing",
];
/// Octets that a project's own pattern may have, and may become.
const PATTERN: usize = 1000;
const COMPILED: usize = 1 << 18;
/// Issues that one commit can close.
const MOST: usize = 100;
/// Hexadecimal digits of a commit that are shown.
const SHOWN: usize = 8;

/// A commit, as far as it matters to issues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The hash of the commit; of a message without a commit, one of its text that begins with `-`.
    pub id: String,
    pub author: String,
    pub subject: String,
    /// All of it, with the subject.
    pub message: String,
}

impl Commit {
    /// Names it in words: `commit 1a2b3c4d “subject”`.
    pub fn name(&self) -> String {
        match self.id.starts_with('-') {
            true => format!("a commit “{}”", self.subject),
            false => format!("commit {} “{}”", self.id.chars().take(SHOWN).collect::<String>(), self.subject),
        }
    }
}

/// That an issue was named by a commit; it is not closed by that commit again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitSeen {
    pub commit: String,
    pub issue: IssueId,
    pub at: Timestamp,
}

/// Where the watched branch of a project's repository stood at the last look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    pub project: ProjectId,
    pub repository: String,
    #[serde(default)]
    pub branch: Option<String>,
    #[serde(default)]
    pub fetch: bool,
    #[serde(default)]
    pub heads: Vec<String>,
    /// When the latest head was committed, in seconds since 1970.
    #[serde(default)]
    pub committed_at: i64,
}

impl Watched {
    /// Tells whether both are about the same branch of the same project.
    pub fn watches_as(&self, other: &Self) -> bool {
        let what = |place: &Self| Self { heads: Vec::new(), committed_at: 0, ..place.clone() };
        what(self) == what(other)
    }
}

/// The words that close issues.
#[derive(Clone, Debug)]
pub struct ClosingPattern(Regex);

impl ClosingPattern {
    /// Takes GitLab's words, or instead of them a pattern of the project's own.
    ///
    /// Fails when the pattern is no regular expression, is too large, or matches where nothing stands.
    pub fn new(own: Option<&str>) -> Result<Self, Fault> {
        let own = own.map(str::trim).filter(|own| !own.is_empty());
        let words = own.map_or_else(|| WORDS.join("|"), str::to_owned);
        let no = |why: String| {
            Fault::usage(format!("`{words}` cannot be a closing pattern: {why}"))
                .hint("write the words that stand before the issue, such as `mends|done with`")
        };
        if words.len() > PATTERN {
            return Err(Fault::usage(format!("the closing pattern is longer than {PATTERN} octets")));
        }
        let build = |text: &str| {
            let built = RegexBuilder::new(text)
                .case_insensitive(true)
                .size_limit(COMPILED)
                .dfa_size_limit(COMPILED)
                .build();
            built.map_err(|error| no(error.to_string().lines().last().unwrap_or_default().trim().to_owned()))
        };
        // By itself first: a parenthesis too many must not close ours.
        if build(&words)?.is_match("") {
            return Err(no("it matches nothing at all".to_owned()));
        }
        build(&format!(r"(?:{words}):?[ \t]+")).map(Self)
    }

    /// Lists the issues that a message closes, each once, in their order.
    pub fn references(&self, message: &str) -> Vec<Reference> {
        let text = without_reverted(message);
        let (mut found, mut known, mut from) = (Vec::new(), HashSet::new(), 0);
        while let Some(place) = self.0.find_at(text, from) {
            let begins = is_apart(text.get(..place.start()).unwrap_or_default(), place.as_str());
            let mut list = List(text.get(place.end()..).unwrap_or_default());
            while begins && let Some(reference) = list.take() {
                if known.insert(reference.clone()) {
                    found.push(reference);
                }
            }
            if found.len() >= MOST {
                found.truncate(MOST);
                break;
            }
            from = if begins { place.end() } else { after_first(text, place.start()) };
        }
        found
    }
}

/// Leaves out the first line of a commit that takes another back: it quotes the other's subject.
fn without_reverted(message: &str) -> &str {
    match message.strip_prefix("Revert \"") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, body)| body),
        None => message,
    }
}

/// Tells whether a match begins a word of its own: `prefix #1` closes nothing.
fn is_apart(before: &str, matched: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    !(before.ends_with(is_word) && matched.starts_with(is_word))
}

/// Gives the place behind the character that stands at `place`.
fn after_first(text: &str, place: usize) -> usize {
    place + text.get(place..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// References that follow each other, parted by commas, blanks and `and`.
struct List<'a>(&'a str);

impl List<'_> {
    fn take(&mut self) -> Option<Reference> {
        let text = without_separator(self.0);
        let (path, rest) = text.split_once('#').filter(|(path, _)| path.chars().all(is_of_path))?;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = rest.split_at_checked(digits)?;
        if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let iid = number.parse().ok().filter(|iid| *iid > 0)?;
        self.0 = rest;
        let project = (!path.is_empty()).then(|| path.to_owned());
        project.as_deref().is_none_or(super::path_fits).then_some(Reference { project, iid })
    }
}

fn is_of_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')
}

/// Skips what parts two references, and the word `issue` before one.
fn without_separator(text: &str) -> &str {
    let text = text.trim_start_matches([' ', '\t']);
    let text = text.strip_prefix(',').unwrap_or(text).trim_start_matches([' ', '\t']);
    let text = without_word(text, &["and"]);
    without_word(text, &["issues", "issue"])
}

fn without_word<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let after = |word: &&str| {
        let (head, rest) = text.split_at_checked(word.len())?;
        (head.eq_ignore_ascii_case(word) && rest.starts_with([' ', '\t'])).then_some(rest)
    };
    words.iter().find_map(after).map_or(text, |rest| rest.trim_start_matches([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closes(own: Option<&str>, message: &str) -> String {
        let found = ClosingPattern::new(own).unwrap().references(message);
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_word_closes_in_any_case_with_and_without_a_colon() {
        for word in WORDS {
            let upper = word.to_uppercase();
            let first = format!("{}{}", upper.get(..1).unwrap(), word.get(1..).unwrap());
            for written in [word, &upper, &first] {
                for message in
                    [format!("{written} #7"), format!("{written}: #7"), format!("A.\n\n({written}  #7)")]
                {
                    assert_eq!(closes(None, &message), "#7", "{message}");
                }
            }
        }
    }

    #[test]
    fn lists_are_read_and_what_only_looks_like_it_is_not() {
        for (message, expected) in [
            ("Fixes #1, #2 and group/p#3", "#1 #2 group/p#3"),
            ("Closes: #4", "#4"),
            ("closes #1 #2,#3, and #4 and  #5.", "#1 #2 #3 #4 #5"),
            ("Fix issue #1 and issues #2, a/b/c.d_e-f#3", "#1 #2 a/b/c.d_e-f#3"),
            ("Fixes #2, fixes #1, closes #2", "#2 #1"),
            ("Mend it (fixes #1), see #9", "#1"),
            ("Resolves #1\nImplementing a/b#2", "#1 a/b#2"),
            ("Fixes #1 and the rest, #2", "#1"),
            ("Fixes #1, #x, #2", "#1"),
            ("prefix #1, unresolved #2, foreclose #3", ""),
            ("fix#1 closes\n#2 fixes12 #3 fixes the bug #4 refs #5", ""),
            ("Fixes #0, #1", ""),
            ("Fixes #12a", ""),
            ("Fixes #99999999999999999999999", ""),
            ("Fixes ../etc#1 -x#2 a//b#3", ""),
            ("Fixes: fixes #3", "#3"),
            ("Revert \"Fixes #1\"\n\nThis reverts commit 1a2b.\nCloses #2", "#2"),
            ("Revert \"Fixes #1\"", ""),
            ("ſfixes #1 İ fixes #2", "#2"),
        ] {
            assert_eq!(closes(None, message), expected, "{message}");
        }
    }

    #[test]
    fn a_pattern_of_the_projects_own_stands_for_the_words() {
        let own = Some("mends|done with|->");
        assert_eq!(closes(own, "Mends #1, #2. Done with: a/b#3 -> #4 fixes #5"), "#1 #2 a/b#3 #4");
        assert_eq!(closes(Some("  "), "fixes #5"), "#5");
        for wrong in ["(", "a)|(b", "x*", "(a{500}){500}", &"x".repeat(1001)] {
            assert!(ClosingPattern::new(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_commit_closes_no_more_than_a_hundred_issues() {
        let many: Vec<String> = (1..300).map(|iid| format!("#{iid}")).collect();
        let found = ClosingPattern::new(None).unwrap().references(&format!("Fixes {}", many.join(", ")));
        assert_eq!(found.len(), MOST);
    }

    proptest::proptest! {
        #[test]
        fn no_message_breaks_it(message in "(?s)(fix(es)?:? ?|issues? |and |a/b|#[0-9]{1,3}|,| |\n|é|.){0,30}") {
            ClosingPattern::new(None).unwrap().references(&message);
        }
    }
}
