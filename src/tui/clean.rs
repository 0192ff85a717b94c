//! The sanitiser at the edge of the terminal, and the measuring of text in cells.
//!
//! Owns the rule of which characters may reach the screen. Everything the desk says passes here before
//! it becomes a span: a mail may hold escapes, direction overrides and characters without width.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// More characters than this in one cluster are stacked marks, not writing.
const CLUSTER_MAX: usize = 8;

/// Makes one line of `text`: control characters become blanks or vanish, so do characters that have no
/// width or turn the direction of what follows.
pub fn line(text: &str) -> String {
    let flat = text.split(['\r', '\n', '\t', '\u{2028}', '\u{2029}']).filter(|part| !part.is_empty());
    let mut out = String::with_capacity(text.len());
    for part in flat {
        if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
        push_clean(&mut out, part);
    }
    out
}

/// Gives the lines of `text`, each clean, tabs widened to the next multiple of four.
pub fn lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split('\n').map(|raw| {
        let raw = raw.trim_end_matches('\r');
        let mut out = String::with_capacity(raw.len());
        for (i, part) in raw.split('\t').enumerate() {
            if i > 0 {
                let stop = 4 - width(&out) % 4;
                out.extend(std::iter::repeat_n(' ', stop));
            }
            push_clean(&mut out, part);
        }
        out
    })
}

/// Makes text fit for an editor: line breaks stay, tabs become blanks, controls vanish. What a person
/// typed is not altered otherwise.
pub fn typed(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\t', "    ")
        .chars()
        .filter(|c| *c == '\n' || !(c.is_control() || turns_direction(*c)))
        .collect()
}

/// Tells whether each octet is a character of one cell. Most mail is so, and needs no looking for clusters.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|octet| (0x20..0x7f).contains(&octet))
}

fn push_clean(out: &mut String, part: &str) {
    if is_plain(part) {
        return out.push_str(part);
    }
    for cluster in part.graphemes(true) {
        let kept = cluster.chars().filter(|c| shows(*c));
        out.extend(kept.take(CLUSTER_MAX));
    }
}

fn shows(c: char) -> bool {
    !(c.is_control() || turns_direction(c) || hides(c))
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}')
}

/// Characters without a width of their own that no reader would miss: joiners, fillers, variation
/// selectors, tags. Dropping joiners also makes every terminal count an emoji's cells alike.
fn hides(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200D}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Gives the cells that `text` takes.
pub fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.width() }
}

/// Cuts `text` to `cells`, with an ellipsis where something is missing. Never splits a cluster.
pub fn cut(text: &str, cells: usize, ellipsis: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(ellipsis));
    let mut out = String::new();
    if is_plain(text) {
        out.push_str(text.get(..room).unwrap_or_default());
        out.push_str(if cells >= width(ellipsis) { ellipsis } else { "" });
        return out;
    }
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let w = width(cluster);
        if used + w > room {
            break;
        }
        used += w;
        out.push_str(cluster);
    }
    if cells >= width(ellipsis) {
        out.push_str(ellipsis);
    }
    out
}

/// Cuts or pads `text` to exactly `cells`, its beginning at the left.
pub fn fit(text: &str, cells: usize, ellipsis: &str) -> String {
    let mut out = cut(text, cells, ellipsis);
    let missing = cells.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// Cuts or pads `text` to exactly `cells`, its end at the right.
pub fn fit_right(text: &str, cells: usize, ellipsis: &str) -> String {
    let out = cut(text, cells, ellipsis);
    let missing = cells.saturating_sub(width(&out));
    format!("{}{out}", " ".repeat(missing))
}

/// Breaks a line into lines of so many cells, between words; a longer word is broken where it must be.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        for (at, piece) in pieces(word, cells.max(2)).iter().enumerate() {
            let fits = |line: &String| at == 0 && width(line) + 1 + width(piece) <= cells;
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(piece),
                Some(line) if fits(line) => line.extend([" ", piece]),
                _ => lines.push(piece.clone()),
            }
        }
    }
    lines
}

/// Breaks a word into pieces of at most so many cells.
fn pieces(word: &str, cells: usize) -> Vec<String> {
    if width(word) <= cells {
        return vec![word.to_owned()];
    }
    let mut pieces = vec![String::new()];
    for cluster in word.graphemes(true) {
        match pieces.last_mut() {
            Some(piece) if width(piece) + width(cluster) <= cells => piece.push_str(cluster),
            _ => pieces.push(cluster.to_owned()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_that_moves_the_cursor_or_the_eye_gets_through() {
        for (raw, shown) in [
            ("a\x1b[31mred\x07", "a[31mred"),
            ("a\u{9b}31mb", "a31mb"),
            ("one\r\ntwo\tthree", "one two three"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("p\u{200b}ay\u{feff}pal", "paypal"),
            ("👨\u{200d}👩\u{200d}👧!", "👨👩👧!"),
            ("Zürich 東京", "Zürich 東京"),
        ] {
            assert_eq!(line(raw), shown, "{raw:?}");
        }
    }

    #[test]
    fn stacked_marks_are_cut() {
        let tower = format!("a{}b", "\u{0301}".repeat(500));
        assert!(line(&tower).chars().count() < 12);
    }

    #[test]
    fn tabs_reach_the_next_stop() {
        let all: Vec<String> = lines("a\tb\r\n\tc").collect();
        assert_eq!(all, ["a   b", "    c"]);
    }

    #[test]
    fn a_wide_character_is_never_halved() {
        assert_eq!(cut("東京タワー", 5, "…"), "東京…");
        assert_eq!(cut("東京タワー", 4, "…"), "東…");
        assert_eq!(fit("東京タワー", 4, "…"), "東… ");
        assert_eq!(fit_right("7", 3, "…"), "  7");
        assert_eq!(cut("abc", 0, "…"), "");
    }

    #[test]
    fn a_line_is_broken_between_words_and_a_long_word_where_it_must_be() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("see /tmp/a/long/path now", 8), ["see", "/tmp/a/l", "ong/path", "now"]);
        assert_eq!(wrap("東京タワー", 4), ["東京", "タワ", "ー"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn a_broken_line_is_nowhere_too_wide(text in any::<String>(), cells in 2usize..40) {
            prop_assert!(wrap(&line(&text), cells).iter().all(|line| width(line) <= cells));
        }

        #[test]
        fn a_column_is_as_wide_as_it_was_asked_to_be(text in any::<String>(), cells in 0usize..40) {
            prop_assert_eq!(width(&fit(&line(&text), cells, "…")), cells);
        }

        #[test]
        fn no_control_survives(text in any::<String>()) {
            prop_assert!(!line(&text).contains(char::is_control));
            prop_assert!(lines(&text).all(|l| !l.contains(char::is_control)));
            prop_assert!(!typed(&text).contains(|c: char| c != '\n' && c.is_control()));
        }
    }
}
