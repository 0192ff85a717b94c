//! Completion: how the word that is being typed may go on.

use super::term::{FIELDS, FLAGS, KINDS, PARTIES, PRIORITIES, RATINGS, SORTS, STATUSES, THINGS};
use super::words::fold;

/// So many ways to go on are offered.
const MOST: usize = 50;

/// Names that only the desk knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownNames {
    pub projects: Vec<String>,
    pub users: Vec<String>,
    pub labels: Vec<String>,
    pub milestones: Vec<String>,
}

/// How a word may go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// So many characters before the cursor are replaced.
    pub replaced: usize,
    /// What may stand in their place.
    pub ways: Vec<String>,
}

/// Gives the ways in which a query may go on at the cursor, where `before` is what stands before it.
///
/// A word without a field may become a field; a value goes on as the field takes it.
pub fn completion(before: &str, known: &KnownNames) -> Completion {
    let word = last_word(before);
    let bare = word.strip_prefix('-').unwrap_or(word);
    let Some((field, values)) = bare.split_once(':') else {
        let fields = FIELDS.iter().map(|(name, _)| *name).chain(["sort"]);
        let typed = bare.to_ascii_lowercase();
        let fits = fields.filter(|name| !typed.is_empty() && name.starts_with(&typed));
        let ways: Vec<String> = fits.map(|name| format!("{name}:")).collect();
        return Completion { replaced: bare.chars().count(), ways };
    };
    let value = last_value(values);
    let typed = fold(value.trim_start_matches('"'));
    let fits = |name: &String| fold(name).starts_with(&typed) && *name != value;
    let ways = names(field, known).into_iter().filter(fits).take(MOST).map(|name| quoted(&name)).collect();
    Completion { replaced: value.chars().count(), ways }
}

/// Gives the word at the end of a text: blanks within quotes do not end it.
fn last_word(text: &str) -> &str {
    let mut start = 0;
    let mut quoted = false;
    for (at, sign) in text.char_indices() {
        match sign {
            '"' => quoted = !quoted,
            _ if sign.is_whitespace() && !quoted => start = at + sign.len_utf8(),
            _ => {}
        }
    }
    text.get(start..).unwrap_or_default()
}

/// Gives the last of values with commas between.
fn last_value(values: &str) -> &str {
    let mut start = 0;
    let mut quoted = false;
    for (at, sign) in values.char_indices() {
        match sign {
            '"' => quoted = !quoted,
            ',' if !quoted => start = at + 1,
            _ => {}
        }
    }
    values.get(start..).unwrap_or_default()
}

fn quoted(name: &str) -> String {
    match name.contains([' ', ',', '"']) {
        true => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
        false => name.to_owned(),
    }
}

/// Lists what a field takes, as far as it can be named.
fn names(field: &str, known: &KnownNames) -> Vec<String> {
    fn of<T>(table: &[(&str, T)], more: &[&str]) -> Vec<String> {
        table.iter().map(|(name, _)| *name).chain(more.iter().copied()).map(str::to_owned).collect()
    }
    let with = |names: &[String], more: &[&str]| {
        names.iter().cloned().chain(more.iter().map(|word| (*word).to_owned())).collect()
    };
    match field.to_ascii_lowercase().as_str() {
        "is" => of(FLAGS, &[]),
        "has" => of(THINGS, &[]),
        "type" => of(KINDS, &[]),
        "status" => of(STATUSES, &[]),
        "priority" => of(PRIORITIES, &["none", "any"]),
        "rating" => of(RATINGS, &["none", "any"]),
        "waiting" => of(PARTIES, &["none", "any"]),
        "sort" => of(SORTS, &[]),
        "project" => with(&known.projects, &[]),
        "assignee" => with(&known.users, &["me", "none", "any"]),
        "participant" | "from" => with(&known.users, &["me"]),
        "label" => with(&known.labels, &["none", "any"]),
        "milestone" => with(&known.milestones, &["none", "any"]),
        "created" | "updated" => of::<()>(
            &[],
            &["today", "yesterday", "this-week", "last-week", "this-month", "last-month", "<7d", ">30d"],
        ),
        "due" => of::<()>(&[], &["today", "tomorrow", "this-week", "next-week", "<3d", "none", "any"]),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_values_go_on_as_they_may() {
        let known = KnownNames {
            projects: vec!["acme/support".into()],
            users: vec!["alice".into(), "sam".into()],
            labels: vec!["bug".into(), "needs info".into(), "Büro".into()],
            milestones: vec!["v1".into()],
        };
        for (before, replaced, ways) in [
            ("is:open la", 2, &["label:"][..]),
            ("-p", 1, &["priority:", "project:", "participant:"]),
            ("is:sn", 2, &["snoozed"]),
            ("is:open,cl", 2, &["closed"]),
            ("label:n", 1, &["\"needs info\"", "none"]),
            ("label:\"needs i", 8, &["\"needs info\""]),
            ("label:bu", 2, &["bug", "Büro"]),
            ("assignee:a", 1, &["alice", "any"]),
            ("sort:w", 1, &["waiting"]),
            ("PROJECT:ac", 2, &["acme/support"]),
            ("updated:t", 1, &["today", "this-week", "this-month"]),
            ("title:x", 1, &[]),
            ("odd:x", 1, &[]),
            ("", 0, &[]),
            ("is:open ", 0, &[]),
            ("is:open", 4, &[]),
        ] {
            let found = completion(before, &known);
            let mut wanted: Vec<&str> = ways.to_vec();
            let mut got: Vec<&str> = found.ways.iter().map(String::as_str).collect();
            wanted.sort_unstable();
            got.sort_unstable();
            assert_eq!((found.replaced, got), (replaced, wanted), "{before:?}");
        }
    }

    #[test]
    fn what_is_offered_is_a_query() {
        let known = KnownNames { labels: vec!["a \"b\" \\c, d".into()], ..KnownNames::default() };
        for field in ["is", "has", "type", "status", "priority", "waiting", "sort", "label", "created", "due"]
        {
            for way in completion(&format!("{field}:"), &known).ways {
                assert!(crate::domain::Query::parse(&format!("{field}:{way}")).is_ok(), "{field}:{way}");
            }
        }
    }
}
