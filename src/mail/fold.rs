//! Which lines of an answer are new, and which are quotes and signatures to be folded away.

use super::bars::{BARE, asks_above, is_bar, is_header_block, is_rule, may_have_key};
use super::lines::lines;
use super::words::Beginnings;
use super::wrote::{self, MOBILE, attribution, is_mobile_signature, may_end_as_mobile, may_end_one};

/// Stands on a line of its own where the HTML's structure says that the older mail begins.
pub(super) const CUT: char = '\u{e000}';
/// Opens a quote of which the HTML does not say that it was written before.
pub(super) const OWN: char = '\u{e003}';

/// Most lines of a signature or of a mailing list's footer.
const SIGNATURE_MAX: usize = 25;
/// Opens and closes a block of code.
const FENCE: &str = "```";
/// Most lines that are looked at; what follows is taken as text.
const LINES_MAX: usize = 20_000;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Blank,
    Text,
    /// Marked as quoted, or the line above such lines.
    Quote,
    /// The older mail begins here and has no marks: all to the end is its text.
    Rest,
    Signature,
}

/// An answer in two parts, which together hold all of its lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Folds {
    pub(super) body: String,
    pub(super) folded: Option<String>,
}

/// What a text was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// [`CUT`] and [`OWN`] are what somebody wrote, and mean nothing.
    Plain,
    Html,
}

impl Source {
    fn is_cut(self, line: &str) -> bool {
        self == Self::Html && line.trim().chars().eq([CUT])
    }

    fn is_own(self, line: &str) -> bool {
        self == Self::Html && line.contains(OWN)
    }
}

/// Sorts the lines of an answer into what is shown and what is folded.
///
/// Quotes between answers stay, for the answers mean nothing without them. When nothing would be left,
/// everything is shown.
pub(super) fn fold(text: &str, source: Source) -> Folds {
    let mut all = Vec::with_capacity(memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1);
    all.extend(lines(text));
    let looked_at = all.get(..all.len().min(LINES_MAX)).unwrap_or_default();
    let fenced = if memchr::memmem::find(text.as_bytes(), FENCE.as_bytes()).is_some() {
        fences(looked_at)
    } else {
        vec![false; looked_at.len()]
    };
    let mut kinds = classify(looked_at, &fenced, source);
    kinds.resize(all.len(), Kind::Text);
    fold_rest(&mut kinds, &all);
    let hidden = hide(&kinds, &all);
    let put_together = |lines: &[&str]| match source {
        Source::Plain => joined(lines.iter().copied(), lines.iter().map(|line| line.len() + 1).sum()),
        Source::Html => tidy(lines.iter().copied()),
    };
    let (mut shown, mut folded) = (Vec::with_capacity(all.len()), Vec::new());
    for (line, hide) in all.iter().copied().zip(hidden) {
        if hide { &mut folded } else { &mut shown }.push(line);
    }
    let body = put_together(&shown);
    if body.trim().is_empty() {
        return Folds { body: put_together(&all), folded: None };
    }
    let folded = put_together(&folded);
    Folds { body, folded: Some(folded).filter(|text| !text.trim().is_empty()) }
}

/// Joins lines of at most so many octets, without blank ones at both ends.
pub(super) fn joined<'a>(lines: impl Iterator<Item = &'a str>, most: usize) -> String {
    let mut joined = String::with_capacity(most);
    for line in lines {
        let line = without_blanks_behind(line);
        if !(line.is_empty() && joined.is_empty()) {
            joined.push_str(line);
            joined.push('\n');
        }
    }
    joined.truncate(joined.trim_end().len());
    joined
}

/// Gives a line without blanks at its end, except those of the delimiter of a signature.
fn without_blanks_behind(line: &str) -> &str {
    let is_whole = line.as_bytes().last().is_some_and(u8::is_ascii_graphic);
    if is_whole || line == "-- " { line } else { line.trim_end() }
}

/// Does the same with lines that were HTML, and leaves out what only marks a place.
fn tidy<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let source = Source::Html;
    let mut joined = String::new();
    let mut opened = false;
    for line in lines.filter(|line| !source.is_cut(line)) {
        let empty = line.chars().all(|c| matches!(c, '>' | ' ' | OWN));
        let marker = source.is_own(line) && empty;
        let below = opened && empty && line.contains('>');
        opened = marker;
        if marker || below {
            continue;
        }
        joined.push_str(without_blanks_behind(line));
        joined.push('\n');
    }
    if source.is_own(&joined) {
        joined.retain(|c| c != OWN);
    }
    joined.trim_end().trim_start_matches('\n').to_owned()
}

/// Tells for each line what it is.
fn classify(lines: &[&str], fenced: &[bool], source: Source) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = lines.iter().zip(fenced).map(|(line, code)| simple(line, *code)).collect();
    let ends: Vec<bool> = lines.iter().map(|line| may_end_one(line)).collect();
    let mut at = 0;
    while at < lines.len() {
        let rest = lines.get(at..).unwrap_or_default();
        if rest.first().is_some_and(|line| source.is_own(line)) && !follows_quote(&kinds, at) {
            at += own_quote(&mut kinds, at);
            continue;
        }
        let is_code = fenced.get(at).copied().unwrap_or_default();
        let kind = kinds.get(at).copied().unwrap_or(Kind::Text);
        let found = if is_code || kind == Kind::Blank || kind == Kind::Quote {
            None
        } else {
            cut(rest, source).or_else(|| marker(rest, &kinds, at, ends.get(at..).unwrap_or_default()))
        };
        let (count, kind) = found.unwrap_or((1, kind));
        for slot in kinds.iter_mut().skip(at).take(count) {
            *slot = kind;
        }
        at += count.max(1);
        // To the end all is its text, whatever the lines look like.
        if kind == Kind::Rest {
            break;
        }
    }
    mark_signatures(&mut kinds, lines, fenced);
    kinds
}

/// Tells whether a quote, or the line above one, stands right before a line.
fn follows_quote(kinds: &[Kind], at: usize) -> bool {
    kinds.iter().take(at).rev().find(|kind| **kind != Kind::Blank) == Some(&Kind::Quote)
}

/// Makes text of a quote that the writer put there; gives how many lines it takes.
fn own_quote(kinds: &mut [Kind], at: usize) -> usize {
    let run = kinds.iter().skip(at).take_while(|kind| **kind == Kind::Quote).count().max(1);
    kinds.iter_mut().skip(at).take(run).for_each(|kind| *kind = Kind::Text);
    run
}

/// Tells which lines stand inside a fenced code block that is closed again.
fn fences(lines: &[&str]) -> Vec<bool> {
    let marks: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.trim_start().starts_with(FENCE))
        .map(|(i, _)| i)
        .collect();
    let mut inside = vec![false; lines.len()];
    for pair in marks.chunks_exact(2) {
        let (Some(from), Some(to)) = (pair.first(), pair.get(1)) else { continue };
        inside.iter_mut().take(to + 1).skip(*from).for_each(|slot| *slot = true);
    }
    inside
}

/// Tells what a line is by itself.
fn simple(line: &str, code: bool) -> Kind {
    if code || line.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) {
        Kind::Text
    } else if line.trim().is_empty() {
        Kind::Blank
    } else if is_quoted(line) {
        Kind::Quote
    } else {
        Kind::Text
    }
}

/// How lines begin that begin with a word and are a [`marker`] by themselves, but for those that name a header field.
static MARKERS: Beginnings = Beginnings::of(&[&BARE, &MOBILE]);

/// Tells cheaply of most lines that they are no [`marker`], unless together with the lines below.
fn is_prose(line: &str) -> bool {
    line.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && MARKERS.are_strange_to(line)
        && !may_have_key(line)
        && !may_end_as_mobile(line)
}

/// Tells whether a line carries a quote mark; a lone `>` inside deep indentation is code.
fn is_quoted(line: &str) -> bool {
    let trimmed = line.trim_start_matches([' ', '\u{a0}', '\t']);
    let indent = line.len() - trimmed.len();
    trimmed.starts_with(['>', '＞']) && indent <= 3
}

/// Tells whether the HTML's structure says that the older mail begins here.
fn cut(rest: &[&str], source: Source) -> Option<(usize, Kind)> {
    rest.first().filter(|line| source.is_cut(line)).map(|_| (1, Kind::Rest))
}

/// Finds what begins at a line and changes the meaning of several: how many lines, and what they are.
/// `ends` says of each line whether it may end one that stands above a quote.
fn marker(rest: &[&str], kinds: &[Kind], at: usize, ends: &[bool]) -> Option<(usize, Kind)> {
    let line = rest.first()?;
    let quoted_after =
        |count: usize| kinds.iter().skip(at + count).find(|k| **k != Kind::Blank) == Some(&Kind::Quote);
    let introduction = || {
        let introduces = ends.iter().take(wrote::LINES_MAX).any(|ends| *ends);
        let count = if introduces { attribution(rest, ends, &quoted_after) } else { None }?;
        Some((count, if quoted_after(count) { Kind::Quote } else { Kind::Rest }))
    };
    if is_prose(line) {
        return introduction();
    }
    let line = line.trim();
    // Most lines begin with a word, which but few marks do.
    let is_word = line.starts_with(|c: char| c.is_ascii_alphanumeric());
    if is_bar(line) || !is_word && asks_above(line) {
        return Some((1, if quoted_after(1) { Kind::Quote } else { Kind::Rest }));
    }
    if !is_word && is_rule(line) {
        let next = rest.iter().skip(1).position(|line| !line.trim().is_empty()).unwrap_or(0) + 1;
        if next <= 3 && is_header_block(rest.get(next..).unwrap_or_default()) {
            return Some((next + 1, Kind::Rest));
        }
    }
    if is_header_block(rest) {
        return Some((1, Kind::Rest));
    }
    introduction().or_else(|| footer(rest, is_word).map(|count| (count, Kind::Signature)))
}

/// Finds what a program put below the text: a mobile signature, or a mailing list's footer, which begins with no word.
fn footer(rest: &[&str], is_word: bool) -> Option<usize> {
    if !is_word && is_list_footer(rest) {
        return Some(rest.len());
    }
    rest.first().filter(|line| is_mobile_signature(line)).map(|_| 1)
}

/// Marks what stands between a signature delimiter and the next quote or the end, if it is short.
fn mark_signatures(kinds: &mut [Kind], lines: &[&str], fenced: &[bool]) {
    for at in 0..kinds.len() {
        let delimiter = lines.get(at).is_some_and(|line| matches!(*line, "-- " | "--" | "--\u{a0}"));
        if !delimiter || kinds.get(at) != Some(&Kind::Text) || fenced.get(at) == Some(&true) {
            continue;
        }
        let until = |kind: &&Kind| !matches!(kind, Kind::Quote | Kind::Rest);
        let below: Vec<Kind> =
            kinds.iter().skip(at).take(3 * SIGNATURE_MAX).take_while(until).copied().collect();
        let filled = below.iter().filter(|kind| **kind != Kind::Blank).count();
        if below.len() < 3 * SIGNATURE_MAX && filled <= SIGNATURE_MAX {
            kinds.iter_mut().skip(at).take(below.len()).for_each(|kind| *kind = Kind::Signature);
        }
    }
}

/// Tells whether a mailing list's footer begins here and ends the mail: a rule, then a few short lines
/// that name the list.
fn is_list_footer(rest: &[&str]) -> bool {
    let Some(first) = rest.first().filter(|line| is_rule(line)) else { return false };
    let rest: Vec<&&str> = rest.iter().skip(1).filter(|line| !line.trim().is_empty()).take(9).collect();
    let speaks = |line: &&&str| {
        let lower = line.to_lowercase();
        lower.contains("mailing list") || lower.contains("listinfo") || lower.contains("unsubscribe")
    };
    first.contains('_') && rest.len() <= 8 && rest.iter().any(speaks)
}

/// Makes everything from the first unmarked quote to the end its text, unless nothing precedes it.
fn fold_rest(kinds: &mut [Kind], lines: &[&str]) {
    if let Some(mut at) = kinds.iter().position(|kind| *kind == Kind::Rest) {
        let before = |at: usize| (0..at).rev().find(|i| kinds.get(*i) != Some(&Kind::Blank));
        while let Some(rule) = before(at).filter(|i| lines.get(*i).is_some_and(|line| is_divider(line))) {
            at = rule;
        }
        for kind in kinds.iter_mut().skip(at) {
            *kind = Kind::Rest;
        }
    }
}

/// Tells whether a line divides what is above from what is below.
fn is_divider(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.chars().all(|c| matches!(c, '_' | '-' | '=' | '—' | '─'))
}

/// Decides which lines are folded.
fn hide(kinds: &[Kind], lines: &[&str]) -> Vec<bool> {
    let mut hidden: Vec<bool> =
        kinds.iter().map(|kind| matches!(kind, Kind::Rest | Kind::Signature)).collect();
    let is_text = |i: usize| kinds.get(i) == Some(&Kind::Text);
    let Some(first_text) = (0..kinds.len()).find(|i| is_text(*i)) else { return hidden };
    let last_text = (0..kinds.len()).rev().find(|i| is_text(*i)).unwrap_or(first_text);
    let quotes = |from: usize, to: usize| (from..to).filter(|i| kinds.get(*i) == Some(&Kind::Quote)).count();
    let between = quotes(first_text, last_text);
    for (i, slot) in hidden.iter_mut().enumerate() {
        let quote = kinds.get(i) == Some(&Kind::Quote);
        *slot |= quote && (i > last_text || i < first_text && between == 0);
    }
    // A mobile signature in the middle of a text is a line of that text.
    for i in 0..hidden.len() {
        let alone = kinds.get(i) == Some(&Kind::Signature)
            && lines.get(i).is_some_and(|line| is_mobile_signature(line));
        if alone
            && i < last_text
            && is_text_near(kinds, i)
            && let Some(slot) = hidden.get_mut(i)
        {
            *slot = false;
        }
    }
    hidden
}

/// Tells whether a line is followed by text before any quote or end.
fn is_text_near(kinds: &[Kind], at: usize) -> bool {
    kinds.iter().skip(at + 1).find(|kind| **kind != Kind::Blank) == Some(&Kind::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> (String, Option<String>) {
        let folds = fold(text, Source::Plain);
        (folds.body, folds.folded)
    }

    #[test]
    fn prose_is_no_marker() {
        let tables = [&MOBILE, &BARE].into_iter().flat_map(|table| table.entries());
        let known: Vec<String> = tables.map(|entry| entry.trim_end_matches('?').to_owned()).collect();
        let starts = known.iter().map(String::as_str).chain(["From", "An", "Le 3", "Yes", "Sent", "From: a"]);
        for start in starts {
            for end in [
                "",
                " x",
                ": x",
                " iPhone",
                " gesendet",
                " gesendet.",
                " *",
                " (gönderildi)",
                " から送信",
                " lähetetty ",
            ] {
                for line in [format!("{start}{end}"), format!("{start}{end}").to_uppercase()] {
                    let block = [line.as_str(), "To: b", "From: c", "Subject: d"];
                    let is_one = is_bar(&line) || is_header_block(&block) || is_mobile_signature(&line);
                    assert!(!(is_one && is_prose(&line)), "{line}");
                }
            }
        }
        assert!(is_prose("The cart stays empty, whatever I put into it.") && is_prose("Regards"));
    }

    #[test]
    fn an_answer_is_what_is_new_in_it() {
        for (name, text, body) in [
            ("top", "Thanks!\n\nOn Mon, Jan 1, 2024 Ada <a@x.example> wrote:\n> hi\n> there", "Thanks!"),
            ("bottom", "On Mon, Jan 1, 2024 Ada <a@x.example> wrote:\n> hi\n\nThanks!", "Thanks!"),
            ("no marks", "Thanks!\n\nAm 1.1.2024 um 10:00 schrieb Ada:\nhi\nthere", "Thanks!"),
            ("outlook", "Thanks!\n\nFrom: Ada\nSent: Monday\nTo: Bob\nSubject: x\n\nhi", "Thanks!"),
            (
                "outlook rule",
                "Thanks!\n\n________________________________\nVon: Ada\nGesendet: Montag\nAn: Bob\n\nhi",
                "Thanks!",
            ),
            ("bar", "Thanks!\n-----Original Message-----\nhi", "Thanks!"),
            ("signature", "Thanks!\n-- \nAda\nExample Ltd", "Thanks!"),
            (
                "signature and quote",
                "Thanks!\n-- \nAda\n\nOn Mon, Jan 1, 2024 Ada <a@x.example> wrote:\n> hi",
                "Thanks!",
            ),
            (
                "mobile",
                "Thanks!\n\nSent from my iPhone\n\nOn Jan 1, 2024, at 10:00, Ada <a@x.example> wrote:\n\n> hi",
                "Thanks!",
            ),
            ("quote above text", "> hi\n\nThanks!", "Thanks!"),
        ] {
            assert_eq!(shown(text).0, body, "{name}");
            assert!(shown(text).1.is_some(), "{name}");
        }
    }

    #[test]
    fn answers_between_quotes_keep_them() {
        let text = "On Mon, Jan 1, 2024 Ada <a@x.example> wrote:\n> one?\n\nYes.\n\n> two?\n\nNo.\n\n> bye";
        let (body, folded) = shown(text);
        assert!(body.contains("> one?\n\nYes.\n\n> two?\n\nNo."), "{body}");
        assert_eq!(folded.as_deref(), Some("> bye"));
    }

    #[test]
    fn rules_lists_and_code_are_text() {
        for text in [
            "one\n\n---\n\ntwo",
            "one\n*\ntwo",
            "- one\n- two\n\n***\n\n1. three",
            "see\n\n```\n> quoted\n-- \nOn Mon, Jan 1, 2024 Ada <a@x.example> wrote:\n```\n\nend",
            "-----\ntitle\n-----\nmore",
            "From: here to there\nwe walked",
            "SELECT *\n-- comment\nFROM t",
            "a\n    > deep",
        ] {
            assert_eq!(shown(text), (text.to_owned(), None));
        }
    }

    #[test]
    fn an_answer_of_quotes_or_of_a_signature_only_is_shown() {
        for text in ["> only\n> quotes", "-- \nAda", "Sent from my iPhone", "-----Original Message-----\nhi"]
        {
            assert_eq!(shown(text), (text.to_owned(), None));
        }
    }

    #[test]
    fn body_and_fold_hold_every_line() {
        let text = "a\n\nOn Mon, Jan 1, 2024 Ada <a@x.example> wrote:\n> q\n-- \nsig";
        let (body, folded) = shown(text);
        let all = format!("{body}\n{}", folded.unwrap_or_default());
        for line in text.lines() {
            assert!(all.contains(line.trim_end()), "{line}");
        }
    }
}
