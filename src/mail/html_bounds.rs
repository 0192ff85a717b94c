//! How much work a piece of HTML makes, told before any parser sees it.
//!
//! HTML's rules let a few octets cost a parser without bound: elements nested without end are searched for
//! every tag, emphasis that is never closed is opened again in every paragraph, and each attribute is compared with all
//! before it. This walks over the tags once, in time that grows with the length alone, and says whether a
//! tree of them stays small. It must not know what tags mean beyond that.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Deepest nesting, most attributes of a tag, most kinds of emphasis and most of it that is open at once.
const NESTING_MAX: usize = 1000;
const ATTRIBUTES_MAX: usize = 500;
const OPEN_MAX: usize = 1000;
const UNCLOSED_MAX: usize = 5000;
/// Most elements that open emphasis may add to the tree, and most steps that nesting may cost.
const REOPENED_MAX: usize = 200_000;
const STEPS_MAX: usize = 12_000_000;
/// Most cells of tables: the columns of each are measured against all of its rows.
const CELLS_MAX: usize = 10_000;
/// How many equal elements are opened again at most (HTML, "push onto the list of active formatting
/// elements").
const EQUALS_MAX: usize = 3;

/// Elements that end by themselves, and so never nest in each other.
const FLAT: &[&str] = &[
    "br", "img", "hr", "meta", "link", "input", "col", "wbr", "p", "li", "td", "th", "tr", "dt", "dd",
    "option", "area", "base",
];
/// Elements that are opened again where a block ended without them.
const EMPHASIS: &[&str] =
    &["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// Elements whose content holds no tags.
const RAW: &[&str] =
    &["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"];

/// Tells whether HTML can be parsed in little time and memory.
pub(super) fn is_bearable(html: &str) -> bool {
    let mut load = Load::default();
    let mut rest = html;
    while let Some((_, from)) = rest.split_once('<') {
        let Some((tag, after)) = next_tag(from) else { return true };
        rest = after;
        let Some(tag) = tag else { continue };
        if !load.add(&tag) {
            return false;
        }
        if !tag.closing && RAW.contains(&tag.name.as_str()) {
            rest = after_raw(after, &tag.name);
        }
    }
    true
}

/// A tag as it stands.
struct Tag<'a> {
    name: String,
    text: &'a str,
    closing: bool,
    attributes: usize,
}

/// What has been opened so far.
#[derive(Default)]
struct Load {
    open: HashMap<String, usize>,
    depth: usize,
    emphasis: Vec<(String, u64)>,
    unclosed: usize,
    reopened: usize,
    steps: usize,
    cells: usize,
}

impl Load {
    /// Counts a tag; false when it is one too many.
    fn add(&mut self, tag: &Tag<'_>) -> bool {
        if EMPHASIS.contains(&tag.name.as_str()) {
            self.emphasize(tag);
        } else {
            self.reopened += self.emphasis.len();
            if !FLAT.contains(&tag.name.as_str()) {
                self.nest(tag);
            }
        }
        self.steps += self.depth + self.unclosed;
        self.cells += usize::from(!tag.closing && matches!(tag.name.as_str(), "td" | "th"));
        tag.attributes <= ATTRIBUTES_MAX
            && self.depth <= NESTING_MAX
            && self.emphasis.len() <= OPEN_MAX
            && self.unclosed <= UNCLOSED_MAX
            && self.reopened <= REOPENED_MAX
            && self.steps <= STEPS_MAX
            && self.cells <= CELLS_MAX
    }

    fn nest(&mut self, tag: &Tag<'_>) {
        let count = self.open.entry(tag.name.clone()).or_default();
        if !tag.closing {
            *count += 1;
            self.depth += 1;
        } else if *count > 0 {
            *count -= 1;
            self.depth = self.depth.saturating_sub(1);
        }
    }

    fn emphasize(&mut self, tag: &Tag<'_>) {
        if tag.closing {
            if let Some(at) = self.emphasis.iter().rposition(|(name, _)| *name == tag.name) {
                self.emphasis.remove(at);
                self.unclosed = self.unclosed.saturating_sub(1);
            }
            return;
        }
        self.unclosed += 1;
        let hash = hash(tag.text);
        if self.emphasis.iter().filter(|(_, known)| *known == hash).count() < EQUALS_MAX {
            self.emphasis.push((tag.name.clone(), hash));
        }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Reads what follows a `<`: a tag, or something else (`None` inside), and what comes after it; nothing at
/// the end of the text.
fn next_tag(from: &str) -> Option<(Option<Tag<'_>>, &str)> {
    if let Some(comment) = from.strip_prefix("!--") {
        let ended = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->"));
        let end = [comment.find("-->").map(|at| at + 3), comment.find("--!>").map(|at| at + 4)];
        let after = ended.or_else(|| comment.get(end.into_iter().flatten().min()?..));
        return Some((None, after?));
    }
    if from.starts_with(['!', '?']) {
        return Some((None, from.split_once('>')?.1));
    }
    let closing = from.starts_with('/');
    let start = if closing { from.get(1..)? } else { from };
    if !start.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Some((None, from));
    }
    let (end, attributes) = tag_end(start)?;
    let name =
        start.split(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).next().unwrap_or_default();
    let name = name.chars().take(16).collect::<String>().to_ascii_lowercase();
    Some((Some(Tag { name, text: start.get(..end)?, closing, attributes }), start.get(end + 1..)?))
}

/// Finds the `>` that ends a tag, and counts its attributes; a quoted value may hold a `>`.
fn tag_end(text: &str) -> Option<(usize, usize)> {
    let mut attributes = 0;
    let mut after_equals = false;
    let mut quote = None;
    let mut last = b'x';
    for (at, b) in text.bytes().enumerate() {
        match (quote, b) {
            (Some(mark), b) if b == mark => {
                quote = None;
                last = b' ';
                continue;
            }
            (Some(_), _) => continue,
            (None, b'>') => return Some((at, attributes)),
            (None, b'"' | b'\'') if after_equals => quote = Some(b),
            (None, b) if b.is_ascii_whitespace() || b == b'/' => {}
            (None, _) => attributes += usize::from(last.is_ascii_whitespace() || last == b'/'),
        }
        after_equals = b == b'=' || after_equals && b.is_ascii_whitespace();
        last = b;
    }
    None
}

/// Gives what follows the end of an element whose content holds no tags.
fn after_raw<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, from)) = rest.split_once("</") {
        if from.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return text.get(text.len() - from.len() - 2..).unwrap_or_default();
        }
        rest = from;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_that_a_person_wrote_is_bearable() {
        let rows = "<tr><td style=\"a:b\"><font color=red>x</td></tr>".repeat(2000);
        for html in [
            "<p>One<p>Two <b>bold</b>",
            "a < b and c > d",
            "<!-- <a href=' --><p>x",
            &format!("<table>{rows}</table>"),
            &"<p><font color=red>open".repeat(3000),
            &"<div><p>x</p></div>".repeat(20_000),
            "<script>if (a<b) c='<b>'</script>x",
            "",
        ] {
            assert!(is_bearable(html), "{}", html.get(..60).unwrap_or(html));
        }
    }

    #[test]
    fn html_that_costs_a_parser_too_much_is_known_beforehand() {
        let emphasis: String = (0..900).map(|n| format!("<b id={n}>")).collect();
        let attributes: String = (0..1000).map(|n| format!(" a{n}")).collect();
        for html in [
            "<div>".repeat(2000),
            "<div></span>".repeat(2000),
            format!("{emphasis}{}", "<p>x".repeat(1000)),
            format!("<!-->{emphasis}{}-->", "<p>x".repeat(1000)),
            "<b>".repeat(6000),
            format!("<table>{}", "<tr><td>a<td>b<td>c".repeat(4000)),
            format!("<p a='>'{attributes}>"),
            format!("{}{}", "<div>".repeat(900), "<hr>".repeat(40_000)),
            format!("<script>'</script>{}", "<div>".repeat(2000)),
        ] {
            assert!(!is_bearable(&html), "{}", html.get(..60).unwrap_or(&html));
        }
    }
}
