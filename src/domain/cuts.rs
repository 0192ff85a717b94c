//! Cuts: texts that are taken out of everything for good, and what stands in their place. Pure.

mod many;

use many::Many;
use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// So many texts are looked for by one pattern.
const TOGETHER: usize = 64;
/// Octets that a compiled pattern may take.
const PATTERN: usize = 64 << 20;

/// A text that is taken out. Case does not count, nor how its lines are broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    pub text: String,
    /// What takes its place.
    pub with: String,
    pub border: Border,
}

/// What may stand beside a text, so that it counts as the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// Anything.
    Any,
    /// No letter and no digit.
    Word,
    /// Nothing that would make it another address.
    Address,
}

/// Texts to take out, ready to be looked for.
#[derive(Clone, Debug, Default)]
pub struct Cuts {
    patterns: Vec<Pattern>,
    /// Those that are compiled only where they may stand.
    many: Arc<Many>,
}

/// Texts that the same takes the place of.
#[derive(Clone, Debug)]
struct Pattern {
    found: Regex,
    with: Vec<u8>,
    border: Border,
}

impl Cuts {
    /// Gets texts ready; those without a visible character count for nothing.
    ///
    /// # Errors
    /// Says which text is too long to be looked for.
    pub fn new(cuts: &[Cut]) -> Result<Self, String> {
        let mut wanted: Vec<&Cut> =
            cuts.iter().filter(|cut| cut.text.chars().any(|c| !c.is_whitespace())).collect();
        // The longest first, so that nothing is left of a text that begins with another.
        wanted.sort_by(|a, b| (b.text.len(), &a.with).cmp(&(a.text.len(), &b.with)));
        if wanted.len() <= TOGETHER {
            return Ok(Self { patterns: compiled(&wanted, PATTERN)?, ..Self::default() });
        }
        let (many, few): (Vec<&Cut>, Vec<&Cut>) = wanted.into_iter().partition(|cut| Many::takes(&cut.text));
        let many = Arc::new(Many::new(many.into_iter().cloned().collect()));
        Ok(Self { patterns: compiled(&few, PATTERN)?, many })
    }

    /// Says whether every text was really looked for, so far; whoever took texts out asks before that counts.
    ///
    /// # Errors
    /// Says which text could not be looked for where it may have stood.
    pub fn check(&self) -> Result<(), String> {
        self.many.check()
    }

    /// Tells whether there is nothing to take out.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.many.is_empty()
    }

    /// Tells whether one of the texts may stand there, whatever is beside it.
    pub fn may_be_in(&self, octets: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.found.is_match(octets)) || self.many.may_be_in(octets)
    }

    /// Tells whether one of the texts stands there.
    pub fn are_in(&self, octets: &[u8]) -> bool {
        let stands = |pattern: &Pattern| pattern.places(octets).next().is_some();
        self.patterns.iter().any(stands) || self.many.patterns(octets).iter().any(stands)
    }

    /// Gives the octets without the texts; `None` where none of them stands there.
    pub fn out_of(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let mut left = Cow::Borrowed(octets);
        cut_all(&self.many.patterns(&left), &mut left);
        cut_all(&self.patterns, &mut left);
        match left {
            Cow::Owned(cut) => Some(cut),
            Cow::Borrowed(_) => None,
        }
    }

    /// Gives a text without the texts; `None` where none of them stands there.
    pub fn out_of_text(&self, text: &str) -> Option<String> {
        let cut = self.out_of(text.as_bytes())?;
        Some(String::from_utf8_lossy(&cut).into_owned())
    }

    /// Writes asterisks over the texts, for files whose length must stay; tells whether one stood there.
    pub fn cover(&self, octets: &mut [u8]) -> bool {
        let mut covered = false;
        for pattern in self.many.patterns(octets).iter().chain(&self.patterns) {
            let places: Vec<_> = pattern.places(octets).collect();
            for at in places {
                octets.get_mut(at).unwrap_or_default().fill(b'*');
                covered = true;
            }
        }
        covered
    }
}

fn cut_all(patterns: &[Pattern], left: &mut Cow<'_, [u8]>) {
    for pattern in patterns {
        if let Some(cut) = pattern.cut(left) {
            *left = Cow::Owned(cut);
        }
    }
}

/// Compiles texts in their order; no pattern takes more octets than the limit.
fn compiled(cuts: &[&Cut], limit: usize) -> Result<Vec<Pattern>, String> {
    let mut patterns: Vec<Pattern> = Vec::new();
    let mut rest = cuts;
    while let Some(first) = rest.first() {
        let same = |cut: &&&Cut| cut.with == first.with && cut.border == first.border;
        let count = rest.iter().take_while(same).count().min(TOGETHER);
        let (now, later) = rest.split_at(count);
        rest = later;
        together(now, limit, &mut patterns)?;
    }
    Ok(patterns)
}

/// Compiles texts that the same takes the place of into one pattern, or into several where one would be too large.
fn together(cuts: &[&Cut], limit: usize, patterns: &mut Vec<Pattern>) -> Result<(), String> {
    let Some(first) = cuts.first() else { return Ok(()) };
    let any = cuts.iter().map(|cut| loose(&cut.text)).collect::<Vec<_>>().join("|");
    match RegexBuilder::new(&any).case_insensitive(true).size_limit(limit).build() {
        Ok(found) => {
            let (with, border) = (first.with.clone().into_bytes(), first.border);
            patterns.push(Pattern { found, with, border });
            Ok(())
        }
        Err(_) if cuts.len() > 1 => {
            let (begin, end) = cuts.split_at(cuts.len() / 2);
            together(begin, limit, patterns)?;
            together(end, limit, patterns)
        }
        Err(_) => Err(format!("the text is too long: {:.40}…", first.text)),
    }
}

impl Pattern {
    fn places<'a>(&'a self, octets: &'a [u8]) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        let found = self.found.find_iter(octets).map(|found| found.range());
        found.filter(|at| self.border.is_around(octets, at))
    }

    fn cut(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let mut left = Vec::new();
        let mut behind = 0;
        for at in self.places(octets) {
            left.extend_from_slice(octets.get(behind..at.start).unwrap_or_default());
            left.extend_from_slice(&self.with);
            behind = at.end;
        }
        (behind > 0).then(|| {
            left.extend_from_slice(octets.get(behind..).unwrap_or_default());
            left
        })
    }
}

impl Border {
    fn is_around(self, octets: &[u8], at: &std::ops::Range<usize>) -> bool {
        let before = octets.get(..at.start).unwrap_or_default();
        let behind = octets.get(at.end..).unwrap_or_default();
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match self {
            Self::Any => true,
            Self::Word => !letter(last_char(before)) && !letter(first_char(behind)),
            Self::Address => {
                let joins = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
                let begins = !before.last().is_some_and(|octet| joins(octet) || matches!(octet, b'.' | b'+'));
                let goes_on = match behind {
                    [b'.', next, ..] => next.is_ascii_alphanumeric(),
                    [next, ..] => joins(next),
                    [] => false,
                };
                (begins || is_number(before)) && !goes_on
            }
        }
    }
}

/// Tells whether these are the numbers that begin a key of the store, eight octets each.
fn is_number(before: &[u8]) -> bool {
    before.len().is_multiple_of(8) && before.first() == Some(&0) && before.len() <= 24
}

fn last_char(octets: &[u8]) -> Option<char> {
    let from = octets.len().saturating_sub(4);
    String::from_utf8_lossy(octets.get(from..)?).chars().next_back()
}

fn first_char(octets: &[u8]) -> Option<char> {
    String::from_utf8_lossy(octets.get(..octets.len().min(4))?).chars().next()
}

/// Makes a pattern of a text in which a blank stands for any break of a line, quoted or not.
fn loose(text: &str) -> String {
    text.split_whitespace().map(regex::escape).collect::<Vec<_>>().join(r"[\s>]+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cuts(border: Border, texts: &[&str]) -> Cuts {
        let cut = |text: &&str| Cut { text: (*text).to_owned(), with: "—".to_owned(), border };
        Cuts::new(&texts.iter().map(cut).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_text_is_found_whatever_its_case_and_however_its_lines_break() {
        let cuts = cuts(Border::Any, &["4111 1111", "geheim"]);
        for (text, left) in [
            ("card 4111 1111.", "card —."),
            ("> card 4111\r\n> 1111", "> card —"),
            ("GEHEIM und Geheim", "— und —"),
        ] {
            assert_eq!(cuts.out_of_text(text).as_deref(), Some(left), "{text}");
        }
        assert_eq!(cuts.out_of_text("4111-1111"), None);
    }

    #[test]
    fn an_address_is_not_found_in_a_longer_one() {
        let cuts = cuts(Border::Address, &["ada@x.example"]);
        for other in
            ["m.ada@x.example", "bada@x.example", "ada@x.example.org", "ada@x.examples", "ada+1@x.example"]
        {
            assert_eq!(cuts.out_of_text(other), None, "{other}");
        }
        for same in
            ["Ada <ADA@x.example>, she", "see ada@x.example.", "mailto:ada@x.example", "\u{fc}ada@x.example"]
        {
            assert!(cuts.out_of_text(same).is_some(), "{same}");
        }
    }

    #[test]
    fn a_name_is_no_part_of_a_word() {
        let cuts = cuts(Border::Word, &["Ada"]);
        assert_eq!(cuts.out_of_text("Canada, adan; Ada's").as_deref(), Some("Canada, adan; —'s"));
    }

    #[test]
    fn texts_that_are_too_large_together_are_looked_for_apart() {
        let texts: Vec<Cut> = (0..20)
            .map(|n| Cut { text: format!("{n:02} lines of it"), with: String::new(), border: Border::Word })
            .collect();
        let texts: Vec<&Cut> = texts.iter().collect();
        let fits = |limit: &usize| compiled(&texts[..1], *limit).is_ok();
        let alone = (8..30).map(|n| 1usize << n).find(fits).unwrap();
        let patterns = compiled(&texts, alone).unwrap();
        assert!(patterns.len() > 1 && compiled(&texts, PATTERN).unwrap().len() == 1, "{}", patterns.len());
        let mut left = Cow::Borrowed(&b"so: 07 Lines of it, 19 lines of it."[..]);
        cut_all(&patterns, &mut left);
        assert_eq!(&*left, b"so: , .");
        assert!(compiled(&texts, 10).is_err(), "a text alone is too large");
    }

    #[test]
    fn covering_keeps_the_length() {
        let mut octets = b"to ada@x.example now".to_vec();
        assert!(cuts(Border::Address, &["ada@x.example"]).cover(&mut octets));
        assert_eq!(octets, b"to ************* now");
    }

    #[test]
    fn many_texts_are_found_as_few_are() {
        let texts: Vec<String> = (0..500).map(|n| format!("Line number {n} of Größe, ok {n}")).collect();
        let short: Vec<String> = (0..100).map(|n| format!("kurz {n:04}")).collect();
        let refs: Vec<&str> = texts.iter().chain(&short).map(String::as_str).collect();
        let many = cuts(Border::Word, &refs);
        assert!(many.patterns.is_empty(), "they are compiled where they may stand");
        for (text, left) in [
            ("so: line\r\n> NUMBER 7 of grö\u{df}e, OK 7.", Some("so: —.")),
            ("Line number 7 of Größe, ok 77", None),
            ("Line number 70 of Größe, ok 70; KURZ 0099!", Some("—; —!")),
            ("kurz 00991", None),
            ("Line number 500 of Größe, ok 500", None),
        ] {
            assert_eq!(many.out_of_text(text).as_deref(), left, "{text}");
            assert_eq!(many.are_in(text.as_bytes()), left.is_some(), "{text}");
        }
        let mut octets = b"xkurz \xff kurz 0001".to_vec();
        assert!(many.cover(&mut octets));
        assert_eq!(octets, b"xkurz \xff *********");
    }

    proptest! {
        #[test]
        fn many_texts_leave_what_few_leave(text in "[a-zß ]{0,40}", with in prop::collection::vec("[a-z]{8,18}", 70)) {
            let all: Vec<&str> = with.iter().map(String::as_str).collect();
            let whole = format!("{text} {} > {} {text}", all[3], all[69]);
            let few = cuts(Border::Word, &[all[3], all[69]]);
            let many = cuts(Border::Word, &all);
            prop_assert_eq!(many.out_of_text(&whole), few.out_of_text(&whole));
        }

        #[test]
        fn nothing_of_a_text_is_left(before: String, text in "[a-z]{3,9}( [a-z]{3,9})?", behind: String) {
            let cuts = cuts(Border::Any, &[&text]);
            let whole = format!("{before}{text}{behind}");
            let left = cuts.out_of(whole.as_bytes()).unwrap();
            prop_assert!(!cuts.are_in(&left));
        }
    }
}
