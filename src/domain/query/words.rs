//! Words: how texts and queries are cut, so that both sides of a search agree.
//!
//! Latin, Greek, Cyrillic and other spaced scripts give one token a word, without case and accents.
//! Scripts that are written without blanks give overlapping pairs of characters, and the last
//! character of a run once more by itself, so that a single character can be looked for as well.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use std::collections::HashSet;
use std::ops::Range;

/// Longest token, in characters; longer runs (encoded data, mostly) are cut.
const LONGEST: usize = 64;

/// Gives `text` without case, accents and differences of width, in the form that is searched.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (plain, other) = rest.split_at(rest.bytes().position(|b| !b.is_ascii()).unwrap_or(rest.len()));
        folded.push_str(plain);
        let written = folded.len() - plain.len();
        folded.get_mut(written..).into_iter().for_each(str::make_ascii_lowercase);
        let (other, behind) = other.split_at(other.find(|c: char| c.is_ascii()).unwrap_or(other.len()));
        if !other.is_empty() {
            fold_others(other, &mut folded);
        }
        rest = behind;
    }
    folded
}

/// Folds characters outside ASCII. What joins letters of ASCII is dropped as an accent, so that such a run
/// stands for itself.
fn fold_others(text: &str, folded: &mut String) {
    let plain = DecomposingNormalizerBorrowed::new_nfkd()
        .normalize_iter(text.chars())
        .filter(|c| !is_accent(*c))
        .flat_map(char::to_lowercase)
        .filter(|c| !is_accent(*c))
        .flat_map(plain_letters);
    folded.extend(ComposingNormalizerBorrowed::new_nfc().normalize_iter(plain));
}

/// Tells whether `c` only changes the letter before it: accents, Hebrew and Arabic points, joiners.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Gives the plain letters for those that Unicode does not take apart.
fn plain_letters(c: char) -> impl Iterator<Item = char> {
    let pair = match c {
        'ß' => ['s', 's'],
        'æ' => ['a', 'e'],
        'œ' => ['o', 'e'],
        'þ' => ['t', 'h'],
        'ø' => ['o', '\0'],
        'ł' => ['l', '\0'],
        'đ' | 'ð' => ['d', '\0'],
        'ħ' => ['h', '\0'],
        'ı' => ['i', '\0'],
        'ς' => ['σ', '\0'],
        '\0' => [' ', '\0'],
        other => [other, '\0'],
    };
    pair.into_iter().filter(|x| *x != '\0')
}

/// Tells whether `c` belongs to a script that puts no blanks between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{318f}' | '\u{31a0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{1b000}'..='\u{1b16f}' | '\u{20000}'..='\u{323af}')
}

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Word,
    /// One character of an unspaced script, alone between others.
    Single,
    /// Only in texts, never in queries: the last character of a run; a number with its `#`.
    Extra,
}

/// One token of a folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    /// Where it begins, in octets of the folded text.
    pub at: usize,
    /// Counts tokens from 0, for phrases.
    pub position: usize,
    pub kind: TokenKind,
}

/// The tokens of a folded text.
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
    position: usize,
    /// Whether the character before belongs to the same run of an unspaced script.
    in_run: bool,
    numbered: Option<Token<'a>>,
}

impl<'a> Tokens<'a> {
    /// Starts at the beginning of `folded`, which went through [`fold`].
    pub fn new(folded: &'a str) -> Self {
        Self { text: folded, at: 0, position: 0, in_run: false, numbered: None }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn token(&mut self, length: usize, kind: TokenKind) -> Token<'a> {
        let text = self.text.get(self.at..self.at + length).unwrap_or("");
        let token = Token { text, at: self.at, position: self.position, kind };
        self.position += 1;
        token
    }

    /// Goes to the next letter or digit, and tells whether a `#` stands right before it.
    fn skip_gap(&mut self) -> bool {
        let rest = self.rest();
        let gap = rest.find(|c: char| c.is_alphanumeric() || is_unspaced(c)).unwrap_or(rest.len());
        self.in_run &= gap == 0;
        self.at += gap;
        rest.get(..gap).is_some_and(|gap| gap.ends_with('#'))
    }

    fn word(&mut self, marked: bool) -> Token<'a> {
        let ends =
            |(n, (_, c)): &(usize, (usize, char))| *n == LONGEST || !c.is_alphanumeric() || is_unspaced(*c);
        let rest = self.rest();
        let length = rest.char_indices().enumerate().find(ends).map_or(rest.len(), |(_, (at, _))| at);
        let token = self.token(length, TokenKind::Word);
        if marked && token.text.bytes().all(|b| b.is_ascii_digit()) {
            let text = self.text.get(self.at - 1..self.at + length).unwrap_or("");
            self.numbered = Some(Token { text, at: self.at - 1, kind: TokenKind::Extra, ..token });
        }
        self.at += length;
        self.in_run = false;
        token
    }

    fn pair(&mut self, first: char) -> Token<'a> {
        let second = self.rest().chars().nth(1).filter(|c| is_unspaced(*c));
        let kind = match second {
            None if self.in_run => TokenKind::Extra,
            None => TokenKind::Single,
            Some(_) => TokenKind::Word,
        };
        let token = self.token(first.len_utf8() + second.map_or(0, char::len_utf8), kind);
        self.at += first.len_utf8();
        self.in_run = second.is_some();
        token
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(numbered) = self.numbered.take() {
            return Some(numbered);
        }
        let marked = self.skip_gap();
        let first = self.rest().chars().next()?;
        Some(if is_unspaced(first) { self.pair(first) } else { self.word(marked) })
    }
}

/// Tells whether one token stands in a folded text, without cutting it.
fn stands_in(folded: &str, token: &str, prefix: bool) -> bool {
    standing(folded, token, prefix).next().is_some()
}

/// Gives where a token stands in a folded text.
fn standing<'a>(folded: &'a str, token: &'a str, prefix: bool) -> impl Iterator<Item = usize> + 'a {
    fn is_letter(c: Option<char>) -> bool {
        c.is_some_and(|c| c.is_alphanumeric() && !is_unspaced(c))
    }
    let open_start = !is_letter(token.chars().next());
    let open_end = prefix || !is_letter(token.chars().next_back());
    let all = folded.match_indices(token).map(|(at, _)| at);
    all.filter(move |at| {
        let (before, after) = (folded.get(..*at), folded.get(at + token.len()..));
        (open_start || !is_letter(before.and_then(|text| text.chars().next_back())))
            && (open_end || !is_letter(after.and_then(|text| text.chars().next())))
    })
}

/// A word or a phrase to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Folded tokens with their positions, which have gaps where a run of characters ends.
    tokens: Vec<(usize, String)>,
    prefix: bool,
}

impl Words {
    /// Cuts `text`; `prefix` lets the last token be the beginning of a longer one.
    pub fn new(text: &str, prefix: bool) -> Self {
        let folded = fold(text);
        let mut single = false;
        let mut tokens = Vec::new();
        for token in Tokens::new(&folded).filter(|token| token.kind != TokenKind::Extra) {
            single = token.kind == TokenKind::Single;
            tokens.push((token.position, token.text.to_owned()));
        }
        Self { tokens, prefix: prefix || single }
    }

    /// The number of an issue as texts mention it: `#12`.
    pub fn mention(iid: u64) -> Self {
        Self { tokens: vec![(0, format!("#{iid}"))], prefix: false }
    }

    /// Gives the tokens, folded, with their positions; none when there was no letter and no digit.
    pub fn tokens(&self) -> &[(usize, String)] {
        &self.tokens
    }

    /// Tells whether the last token may be the beginning of a longer one.
    pub fn is_prefix(&self) -> bool {
        self.prefix
    }

    /// Gives where each of the tokens stands in a folded text, in octets, one token after the other.
    pub fn places(&self, folded: &str) -> Vec<Range<usize>> {
        let last = self.tokens.len().saturating_sub(1);
        let tokens = self.tokens.iter().enumerate();
        let places = tokens.flat_map(|(at, (_, token))| {
            let prefix = self.prefix && at == last;
            standing(folded, token, prefix).map(|start| start..start + token.len())
        });
        places.collect()
    }

    /// Tells whether a folded text holds the tokens in a row. Nothing is found everywhere.
    pub fn found_in(&self, folded: &str) -> bool {
        // Nearly every text is told apart by this, without being cut.
        if !self.tokens.iter().all(|(_, token)| folded.contains(token.as_str())) {
            return false;
        }
        let (last, head) = match self.tokens.split_last() {
            None => return true,
            Some(((_, only), [])) => return stands_in(folded, only, self.prefix),
            Some(more) => more,
        };
        let starts = |(offset, wanted): &(usize, String), prefix: bool| -> HashSet<usize> {
            let is = |t: &Token<'_>| t.text == wanted || prefix && t.text.starts_with(wanted.as_str());
            let here = Tokens::new(folded).filter(is);
            here.filter_map(|t| t.position.checked_sub(*offset)).collect()
        };
        let mut found = starts(last, self.prefix);
        for token in head {
            let here = starts(token, false);
            found.retain(|start| here.contains(start));
        }
        !found.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str) -> Vec<String> {
        Tokens::new(&fold(text)).map(|t| format!("{}{}", t.position, t.text)).collect()
    }

    #[test]
    fn case_accents_and_width_do_not_count() {
        for (text, folded) in [
            ("Ärger Größe", "arger grosse"),
            ("e\u{301}tude", "etude"),
            ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
            ("Łódź Ærø", "lodz aero"),
            ("ｆｕｌｌ ｶﾞ", "full ガ"),
            ("İstanbul", "istanbul"),
            ("한국어", "한국어"),
            ("がっこう", "がっこう"),
            ("so\u{ad}ft", "soft"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn texts_are_cut_into_words_and_pairs() {
        for (text, tokens) in [
            ("Don't panic, Ada!", vec!["0don", "1t", "2panic", "3ada"]),
            ("order #4711x #12", vec!["0order", "14711x", "212", "2#12"]),
            ("日本語", vec!["0日本", "1本語", "2語"]),
            ("a日b", vec!["0a", "1日", "2b"]),
            ("", vec![]),
            ("--- !", vec![]),
        ] {
            assert_eq!(cut(text), tokens, "{text}");
        }
        assert_eq!(Tokens::new(&"x".repeat(200)).map(|t| t.text.len()).max(), Some(LONGEST));
    }

    #[test]
    fn words_are_found_in_a_row() {
        for (words, prefix, text, found) in [
            ("paper jam", false, "The Paper-Jam again", true),
            ("paper jam", false, "paper and jam", false),
            ("print", false, "printer", false),
            ("print", true, "printer", true),
            ("the pri", true, "the printer", true),
            ("本", false, "日本語", true),
            ("語", false, "日本語", true),
            ("日語", false, "日本語", false),
            ("本語 ab", false, "日本語 ab", true),
            ("ada@example.com", false, "mail to Ada@Example.com now", true),
            ("!", false, "anything", true),
        ] {
            assert_eq!(Words::new(words, prefix).found_in(&fold(text)), found, "{words} in {text}");
        }
        assert!(Words::mention(12).found_in("see #12."));
        assert!(!Words::mention(12).found_in("see 12 and #123"));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_and_cutting_never_panics(text in "\\PC{0,60}|[a-zß日本#İ가ก \u{301}1]{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            for token in Tokens::new(&once) {
                prop_assert!(!token.text.is_empty());
                prop_assert_eq!(once.get(token.at..token.at + token.text.len()), Some(token.text));
            }
        }

        #[test]
        fn a_text_folds_piece_by_piece_as_it_does_whole(text in "\\PC{0,60}|[a-zA-Zß日İ가ﬁ \u{301}\u{338}\u{3099}か1é]{0,40}") {
            let mut whole = String::new();
            fold_others(&text, &mut whole);
            prop_assert_eq!(fold(&text), whole);
        }

        #[test]
        fn a_text_holds_each_of_its_own_words(text in "[a-zäß日本語#1 -]{1,40}") {
            for word in text.split_whitespace() {
                prop_assert!(Words::new(word, false).found_in(&fold(&text)), "{} in {}", word, text);
            }
        }
    }
}
