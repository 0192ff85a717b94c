//! The structure of a mail's HTML: what is hidden, what is quoted, what is layout, made plain for the
//! renderer.
//!
//! The tree is walked with a stack of its own, so that no depth of nesting can end the thread.

use super::fold::{CUT, OWN};
use super::html::{LINK_CLOSE, LINK_OPEN, Quotes};
use super::html_hidden::{Style, background, is_hidden, is_pixel};
use super::html_links::other_host;
use super::safe::sanitize_line;
use html2text::{Document, Element, Handle};

/// Deepest nesting that is kept; what is deeper is laid flat.
const DEPTH_MAX: usize = 60;
/// Most elements that are looked at.
const NODES_MAX: usize = 100_000;
/// Largest table that is drawn as one.
const ROWS_MAX: usize = 200;
const COLUMNS_MAX: usize = 12;
/// Most tables that are looked at.
const TABLES_MAX: usize = 300;
/// Longest text of a cell in a table that is drawn as one, in characters.
const CELL_MAX: usize = 80;
/// Longest target of a link that is listed, in octets.
const TARGET_MAX: usize = 2000;

/// HTML made plain.
#[derive(Debug, Default)]
pub(super) struct Cleaned {
    pub(super) html: String,
    /// Targets, the first numbered 1.
    pub(super) links: Vec<String>,
    pub(super) reduced: bool,
    /// How many were looked at.
    tables: usize,
}

/// What is still to be done, the next at the end.
enum Step {
    Enter {
        node: Handle,
        depth: usize,
        flat: bool,
        behind: Option<u32>,
    },
    Write(String),
    /// Ends a link that began at this place of the output.
    EndLink {
        from: usize,
        target: String,
    },
}

/// Makes HTML plain; `None` when it cannot be parsed.
pub(super) fn clean(html: &str, quotes: Quotes) -> Option<Cleaned> {
    let dom = html2text::config::plain_no_decorate().parse_html(html.as_bytes()).ok()?;
    let mut out = Cleaned::default();
    let mut steps = vec![Step::Enter { node: dom.document.clone(), depth: 0, flat: false, behind: None }];
    let mut seen = 0_usize;
    while let Some(step) = steps.pop() {
        match step {
            Step::Write(text) => out.html.push_str(&text),
            Step::EndLink { from, target } => end_link(&mut out, from, target),
            Step::Enter { node, depth, flat, behind } => {
                seen += 1;
                if seen > NODES_MAX {
                    out.reduced = true;
                    continue;
                }
                enter(&mut out, &mut steps, &node, Place { depth, flat, behind, quotes });
            }
        }
    }
    Some(out)
}

/// Where in the tree an element stands.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    /// Inside a table that is laid flat.
    flat: bool,
    /// The colour that is stated of what is behind.
    behind: Option<u32>,
    quotes: Quotes,
}

/// Writes the beginning of a node and plans the rest of it.
fn enter(out: &mut Cleaned, steps: &mut Vec<Step>, node: &Handle, place: Place) {
    match &node.data {
        Document => push_children(steps, node, place),
        Element { name, .. } => element(out, steps, node, &name.local, place),
        html2text::Comment { .. } => {}
        _ => {
            let text = serialized(node);
            if !text.starts_with('<') {
                out.html.push_str(&text);
            }
        }
    }
}

/// Plans the children of a node.
fn push_children(steps: &mut Vec<Step>, node: &Handle, place: Place) {
    let children = node.children.borrow();
    let enter = |node: &Handle| Step::Enter {
        node: node.clone(),
        depth: place.depth + 1,
        flat: place.flat,
        behind: place.behind,
    };
    steps.extend(children.iter().rev().map(enter));
}

/// Plans an element's children between two texts.
fn wrap(out: &mut Cleaned, steps: &mut Vec<Step>, node: &Handle, place: Place, open: &str, close: &str) {
    if place.depth > DEPTH_MAX {
        out.html.push(' ');
    } else {
        out.html.push_str(open);
        steps.push(Step::Write(close.to_owned()));
    }
    push_children(steps, node, place);
}

/// Writes an element as its meaning needs it.
fn element(out: &mut Cleaned, steps: &mut Vec<Step>, node: &Handle, name: &str, place: Place) {
    let style = Style::of(node);
    if is_hidden(node, name, &style, place.behind) {
        return;
    }
    let place = Place { behind: background(node, &style).or(place.behind), ..place };
    if place.quotes == Quotes::Marked {
        match quote(node, name, &style) {
            Some(Quote::Marked) => return wrap(out, steps, node, place, "<blockquote>", "</blockquote>"),
            Some(Quote::Own) => {
                return wrap(out, steps, node, place, &format!("<blockquote>{OWN}"), "</blockquote>");
            }
            Some(Quote::Rest) => out.html.push_str(&format!("<div>{CUT}</div>")),
            None => {}
        }
    }
    match name {
        "br" => out.html.push_str("<br>"),
        "hr" => out.html.push_str("<p>---</p>"),
        "img" => image(out, node),
        "a" => link(out, steps, node, place),
        "b" | "strong" => emphasis(out, steps, node, place, "**"),
        "i" | "em" => emphasis(out, steps, node, place, "*"),
        "table" => table(out, steps, node, place),
        "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" if place.flat => {
            wrap(out, steps, node, place, "<div>", "</div>")
        }
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "li" | "pre" | "code" | "blockquote"
        | "tr" | "td" | "th" | "tbody" | "thead" | "dl" | "dt" | "dd" | "sup" | "del" | "s" => {
            wrap(out, steps, node, place, &format!("<{name}>"), &format!("</{name}>"));
        }
        "ol" => {
            let start = attribute(node, "start").and_then(|n| n.trim().parse::<u16>().ok()).unwrap_or(1);
            wrap(out, steps, node, place, &format!("<ol start=\"{start}\">"), "</ol>");
        }
        "input" | "select" | "textarea" | "button" | "iframe" | "object" | "embed" | "video" | "audio"
        | "svg" | "canvas" | "math" => {
            out.reduced = true;
            push_children(steps, node, place);
        }
        "div" | "section" | "article" | "header" | "footer" | "main" | "center" | "address" | "fieldset"
        | "form" | "figure" | "caption" | "nav" | "aside" | "tfoot" | "details" | "summary" => {
            wrap(out, steps, node, place, "<div>", "</div>");
        }
        _ => push_children(steps, node, place),
    }
}

fn has_no_attributes(node: &Handle) -> bool {
    matches!(&node.data, Element { attrs, .. } if attrs.borrow().is_empty())
}

/// Gives an attribute of an element.
pub(super) fn attribute(node: &Handle, name: &str) -> Option<String> {
    let Element { attrs, .. } = &node.data else { return None };
    attrs.borrow().iter().find(|a| &*a.name.local == name).map(|a| a.value.to_string())
}

/// How the structure says that something was written before.
enum Quote {
    /// This element holds it.
    Marked,
    /// This element holds a quote, and nothing says that it was written before.
    Own,
    /// It begins here and goes on to the end.
    Rest,
}

/// Classes of elements that hold what was written before, or the line above it.
const QUOTE_CLASSES: &[&str] = &[
    "moz-cite-prefix",
    "moz-forward-container",
    "gmail_attr",
    "yahoo_quoted",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
];
/// Identifiers of elements behind which everything was written before; webmail puts a prefix in front.
const REST_IDS: &[&str] = &[
    "divrplyfwdmsg",
    "appendonsend",
    "mail-editor-reference-message-container",
    "olk_src_body_section",
    "replysplit",
    "stopspelling",
    "ms-outlook-mobile-reference-message",
    "zmailquote",
];
/// The same by class.
const REST_CLASSES: &[&str] = &["outlookmessageheader", "ms-outlook-mobile-reference-message"];

/// Tells whether an element begins or holds what was written before.
fn quote(node: &Handle, name: &str, style: &Style) -> Option<Quote> {
    if has_no_attributes(node) {
        return (name == "blockquote").then_some(Quote::Own);
    }
    let class = attribute(node, "class").unwrap_or_default().to_lowercase();
    let id = attribute(node, "id").unwrap_or_default().to_lowercase();
    let classes = |known: &[&str]| class.split_whitespace().any(|c| known.contains(&c));
    let is_rest = REST_IDS.iter().any(|known| id == *known || id.ends_with(&format!("_{known}")));
    if is_rest || classes(REST_CLASSES) || is_outlook_border(style.text(), name) {
        return Some(Quote::Rest);
    }
    if classes(QUOTE_CLASSES) || id.contains("yahoo_quoted") {
        return Some(Quote::Marked);
    }
    let cited = || {
        let typed = attribute(node, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("cite"));
        let mail = attribute(node, "cite").is_some_and(|source| source.starts_with("mid:"));
        typed
            || mail
            || class.contains("quote")
            || id.contains("quote")
            || style.text().contains("border-left")
    };
    (name == "blockquote").then(|| if cited() { Quote::Marked } else { Quote::Own })
}

/// Tells whether an element is the bordered box that Outlook draws around its header block.
fn is_outlook_border(style: &str, name: &str) -> bool {
    if name != "div" {
        return false;
    }
    let border =
        style.contains("border:none;border-top:solid#") && (style.contains("1.0pt") || style.contains("1pt"));
    border && (style.contains("padding:3.0pt0") || style.contains("padding:3pt0"))
}

/// Writes an image as its caption, if anything says what it shows.
fn image(out: &mut Cleaned, node: &Handle) {
    if is_pixel(node) {
        return;
    }
    let words = ["alt", "title"]
        .iter()
        .filter_map(|name| attribute(node, name))
        .map(|text| sanitize_line(&text))
        .find(|text| !text.is_empty());
    match words {
        Some(words) => out.html.push_str(&super::body::escape(&format!("[{words}]"))),
        None => out.reduced = true,
    }
}

/// Plans a link: its text, then its number.
fn link(out: &mut Cleaned, steps: &mut Vec<Step>, node: &Handle, place: Place) {
    let target = attribute(node, "href").map(|href| sanitize_line(&href)).unwrap_or_default();
    let lower = target.to_ascii_lowercase();
    let shown = ["http:", "https:", "mailto:", "tel:", "ftp:"].iter().any(|scheme| lower.starts_with(scheme));
    if shown && target.len() <= TARGET_MAX {
        steps.push(Step::EndLink { from: out.html.len(), target });
    }
    push_children(steps, node, place);
}

/// Writes the number of a link behind its text, unless the text is its target; says so where the text names another
/// host than it leads to.
fn end_link(out: &mut Cleaned, from: usize, target: String) {
    let text = out.html.get(from..).unwrap_or_default();
    let plain = |text: &str| {
        let text = text.to_lowercase().replace("&amp;", "&");
        let text = ["mailto:", "tel:", "https://", "http://", "www."]
            .iter()
            .fold(text.trim(), |t, start| t.strip_prefix(start).unwrap_or(t))
            .to_owned();
        text.trim_end_matches('/').to_owned()
    };
    let shown = strip(text);
    if shown.trim().is_empty() || plain(&shown) == plain(&target) {
        return;
    }
    let warning = other_host(&shown, &target).map(|host| format!(" (careful: leads to {host})"));
    let known = out.links.iter().rev().take(50).position(|t| *t == target).map(|back| out.links.len() - back);
    let number = known.unwrap_or_else(|| {
        out.links.push(target);
        out.links.len()
    });
    out.html.push_str(&format!(" {LINK_OPEN}{number}{LINK_CLOSE}{}", warning.unwrap_or_default()));
}

/// Gives the text of our own plain HTML.
fn strip(html: &str) -> String {
    html.split('<')
        .enumerate()
        .map(|(i, piece)| if i == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) })
        .collect()
}

/// Plans an emphasised text, marked as Markdown does; text without words is not marked.
fn emphasis(out: &mut Cleaned, steps: &mut Vec<Step>, node: &Handle, place: Place, mark: &str) {
    let only_text = node.children.borrow().iter().all(|child| !matches!(child.data, Element { .. }));
    if !only_text {
        return push_children(steps, node, place);
    }
    let text = node.children.borrow().iter().map(serialized).collect::<String>().replace("&nbsp;", " ");
    let tight = text.trim() == text && !text.is_empty() && !text.contains(['*', '\n', ':']);
    if tight {
        return wrap(out, steps, node, place, mark, mark);
    }
    push_children(steps, node, place);
}

/// Plans a table: drawn when it holds data, laid flat when it is layout.
fn table(out: &mut Cleaned, steps: &mut Vec<Step>, node: &Handle, place: Place) {
    out.tables += 1;
    if out.tables < TABLES_MAX && place.depth < DEPTH_MAX && is_data(node) {
        return wrap(out, steps, node, Place { flat: false, ..place }, "<table>", "</table>");
    }
    out.reduced |= has_columns(node);
    wrap(out, steps, node, Place { flat: true, ..place }, "<div>", "</div>");
}

/// Tells whether a row of the table itself has several cells with a text, which stand below each other when laid flat.
fn has_columns(table: &Handle) -> bool {
    let mut stack = vec![table.clone()];
    let mut seen = 0_usize;
    while let Some(node) = stack.pop() {
        seen += 1;
        for child in node.children.borrow().iter() {
            let Element { name, .. } = &child.data else { continue };
            match &*name.local {
                "tbody" | "thead" | "tfoot" => stack.push(child.clone()),
                "tr" => {
                    let cells = child.children.borrow();
                    if cells.iter().filter(|cell| text_length(cell) > 0).count() > 1 {
                        return true;
                    }
                }
                _ => {}
            }
        }
        if seen > 100 {
            return true;
        }
    }
    false
}

/// Tells whether a table holds data: several rows of as many short cells, and no table or list inside.
fn is_data(table: &Handle) -> bool {
    let mut rows: Vec<usize> = Vec::new();
    let mut stack = vec![table.clone()];
    let mut seen = 0_usize;
    while let Some(node) = stack.pop() {
        seen += 1;
        if seen > 5000 {
            return false;
        }
        for child in node.children.borrow().iter() {
            let Element { name, .. } = &child.data else { continue };
            match &*name.local {
                "table" | "ul" | "ol" | "blockquote" | "pre" | "h1" | "h2" | "hr" | "form" => return false,
                "tr" => {
                    rows.push(cells(child));
                    stack.push(child.clone());
                }
                "td" | "th" if text_length(child) > CELL_MAX => return false,
                _ => stack.push(child.clone()),
            }
        }
    }
    let columns = rows.iter().copied().max().unwrap_or(0);
    let full = rows.iter().filter(|cells| **cells == columns).count();
    (2..=COLUMNS_MAX).contains(&columns) && (2..=ROWS_MAX).contains(&rows.len()) && full * 2 > rows.len()
}

/// Counts the cells of a row.
fn cells(row: &Handle) -> usize {
    let is_cell =
        |child: &&Handle| matches!(&child.data, Element { name, .. } if matches!(&*name.local, "td" | "th"));
    row.children.borrow().iter().filter(is_cell).count()
}

/// Measures the text of a cell, up to a little more than matters.
fn text_length(cell: &Handle) -> usize {
    let mut stack = vec![cell.clone()];
    let mut length = 0;
    for _ in 0..100 {
        let Some(node) = stack.pop() else { return length };
        for child in node.children.borrow().iter() {
            match &child.data {
                Element { name, .. } if matches!(&*name.local, "table" | "ul" | "ol" | "p") => {
                    return usize::MAX;
                }
                Element { .. } => stack.push(child.clone()),
                _ => {
                    length += serialized(child)
                        .split_whitespace()
                        .map(|word| word.chars().count() + 1)
                        .sum::<usize>()
                }
            }
        }
        if length > CELL_MAX {
            return length;
        }
    }
    usize::MAX
}

/// Gives the text of a text node, escaped.
fn serialized(node: &Handle) -> String {
    let mut text = Vec::new();
    let _ = node.serialize(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
