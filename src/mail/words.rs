//! Tables of words in many languages, one word or phrase a line, in the files of `words/`.
//!
//! A line that begins with `#` is a remark; `␣` at the end of a line is a blank.

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

/// Tells whether a text is an entry.
pub(super) fn holds(table: &'static str, text: &str) -> bool {
    of(table).any(|word| word == text)
}

/// Tells whether a text holds an entry.
pub(super) fn found_in(table: &'static str, text: &str) -> bool {
    of(table).any(|word| text.contains(word))
}

/// Tells whether a text begins with an entry.
pub(super) fn starts(table: &'static str, text: &str) -> bool {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).any(|line| {
        match line.strip_suffix('␣') {
            Some(word) => text.strip_prefix(word).is_some_and(|rest| rest.starts_with(' ')),
            None => text.starts_with(line),
        }
    })
}
