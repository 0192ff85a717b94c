//! Tables of words in many languages, one word or phrase a line, in the files of `words/`.
//!
//! A line that begins with `#` is a remark; `␣` at the end of a line is a blank.

/// A table that was taken apart when the program was compiled, for what is asked of every line of a mail.
pub(super) type List = &'static [&'static str];

/// Counts the entries of a table.
pub(super) const fn count(table: &'static str) -> usize {
    let mut rest = table;
    let mut found = 0;
    while !rest.is_empty() {
        let (line, more) = next_line(rest);
        if is_entry(line) {
            found += 1;
        }
        rest = more;
    }
    found
}

/// Takes a table apart; `N` is its [`count`].
pub(super) const fn list<const N: usize>(table: &'static str) -> [&'static str; N] {
    let mut entries = [""; N];
    let mut at = 0;
    let mut rest = table;
    while !rest.is_empty() {
        let (line, more) = next_line(rest);
        rest = more;
        if is_entry(line)
            && let Some(slot) = entries.split_at_mut(at).1.first_mut()
        {
            *slot = line;
            at += 1;
        }
    }
    entries
}

/// Cuts a text behind its first line, whose end is left out.
const fn next_line(text: &'static str) -> (&'static str, &'static str) {
    let mut bytes = text.as_bytes();
    let mut length = 0;
    while let Some((byte, more)) = bytes.split_first() {
        if *byte == b'\n' {
            let (line, rest) = text.split_at(length);
            return (line, rest.split_at(1).1);
        }
        length += 1;
        bytes = more;
    }
    (text, "")
}

/// Tells whether a line of a table is neither empty nor a remark.
const fn is_entry(line: &str) -> bool {
    !matches!(line.as_bytes().first(), None | Some(b'#'))
}

/// Tells whether a text begins with an entry of a list.
pub(super) fn begins(list: List, text: &str) -> bool {
    let first = text.as_bytes().first();
    list.iter().filter(|entry| entry.as_bytes().first() == first).any(|entry| match entry.strip_suffix('␣')
    {
        Some(word) => text.strip_prefix(word).is_some_and(|rest| rest.starts_with(' ')),
        None => text.starts_with(entry),
    })
}

/// Tells whether a text holds an entry of a list.
pub(super) fn within(list: List, text: &str) -> bool {
    list.iter().any(|entry| text.contains(entry))
}

/// Gives the entries of a table.
pub(super) fn of(table: &'static str) -> impl Iterator<Item = &'static str> {
    table
        .lines()
        .map(|line| line.strip_suffix('␣').unwrap_or(line))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Gives a text as the tables hold it: in lower case, the dotted capital of Turkish as a plain letter.
pub(super) fn lower(text: &str) -> String {
    let mut lower = text.to_lowercase();
    lower.retain(|c| c != '\u{307}');
    lower
}

/// Tells whether a text holds an entry.
pub(super) fn found_in(table: &'static str, text: &str) -> bool {
    of(table).any(|word| text.contains(word))
}
