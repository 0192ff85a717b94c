//! Text whose lines were broken for the way and are put together again (RFC 3676), both directions.

use super::lines::lines;

/// Longest line that is written, in characters.
const WIDTH: usize = 72;

/// Puts the lines of `format=flowed` text together.
pub(super) fn decode(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in lines(text) {
        let rest = line.trim_start_matches('>');
        let depth = line.len() - rest.len();
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let signature = rest == "-- ";
        if open != Some(depth) || signature {
            start_line(&mut out, open.is_some(), depth);
        }
        let flows = rest.ends_with(' ') && !signature;
        out.push_str(if flows && delete_space { rest.strip_suffix(' ').unwrap_or(rest) } else { rest });
        open = flows.then_some(depth);
        if open.is_none() {
            out.push('\n');
        }
    }
    out
}

/// Begins a line of so many quote marks, after ending the one before if it was still open.
fn start_line(out: &mut String, pending: bool, depth: usize) {
    if pending {
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
    out.extend(std::iter::repeat_n('>', depth));
    if depth > 0 {
        out.push(' ');
    }
}

/// Breaks long lines softly and stuffs those that would be misread.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    for line in text.lines() {
        let kept = if line == "-- " { line } else { line.trim_end_matches(' ') };
        let marks = kept.len() - kept.trim_start_matches('>').len();
        if marks > 0 { encode_quote(&mut out, kept, marks) } else { encode_line(&mut out, kept, "") }
    }
    out
}

/// Writes a quoted line, each of its pieces under the same marks.
fn encode_quote(out: &mut String, line: &str, marks: usize) {
    let prefix = ">".repeat(marks.min(20)) + " ";
    let rest = line.trim_start_matches('>');
    encode_line(out, rest.strip_prefix(' ').unwrap_or(rest), &prefix);
}

/// Writes one line in pieces of at most [`WIDTH`] characters.
fn encode_line(out: &mut String, line: &str, prefix: &str) {
    let mut piece = String::new();
    let mut width = 0;
    for word in line.split_inclusive(' ') {
        let length = word.chars().count();
        if width > 0 && width + length > WIDTH && piece.ends_with(' ') && piece != "-- " {
            write_piece(out, prefix, &piece);
            piece.clear();
            width = 0;
        }
        piece.push_str(word);
        width += length;
    }
    write_piece(out, prefix, &piece);
}

/// Writes one piece, stuffed where its beginning could be taken for something else.
fn write_piece(out: &mut String, prefix: &str, piece: &str) {
    out.push_str(prefix);
    if prefix.is_empty() && (piece.starts_with([' ', '>']) || piece.starts_with("From ")) {
        out.push(' ');
    }
    out.push_str(piece);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowed_lines_come_back_as_paragraphs() {
        for (flowed, text) in [
            ("one \ntwo\nthree\n", "one two\nthree\n"),
            ("> quoted \n> more\nmine\n", "> quoted more\nmine\n"),
            ("> quoted \nmine\n", "> quoted\nmine\n"),
            (" From here\n", "From here\n"),
            ("text\n-- \nme\n", "text\n-- \nme\n"),
            (">> a \n> b\n", ">> a\n> b\n"),
        ] {
            assert_eq!(decode(flowed, false), text, "{flowed:?}");
        }
        assert_eq!(decode("日本 \n語\n", true), "日本語\n");
    }

    #[test]
    fn what_is_broken_softly_is_put_together_again() {
        let long = "word ".repeat(60);
        for text in [long.trim_end(), "From me", " indented", "a\n\nb", "-- \nAda"] {
            let flowed = encode(text);
            assert!(flowed.lines().all(|l| l.chars().count() <= WIDTH + 1), "{flowed}");
            assert_eq!(decode(&flowed, false).trim_end_matches('\n'), text);
        }
        assert_eq!(decode(&encode("> > nested"), false), "> > nested\n");
    }
}
