//! HTML to readable text, under a cap and a deadline, and never worse than the text between the tags.

use super::html_bounds;
use super::html_clean::{self, Cleaned};
use super::safe::{cut, sanitize_text};
use std::borrow::Cow;
use std::panic::catch_unwind;
use std::sync::mpsc;
use std::time::Duration;

/// Most octets of HTML that are rendered.
pub(super) const SOURCE_MAX: usize = 512 * 1024;
/// Largest HTML that is rendered without a thread of its own: within its bounds it cannot take long.
const SMALL: usize = 32 * 1024;
/// Longest time that rendering of more may take; an answer may be rendered twice, for what it says and for what is
/// new in it, and both are to be done within a second.
const DEADLINE: Duration = Duration::from_millis(400);
/// Stack of the thread that renders.
const STACK: usize = 16 * 1024 * 1024;
/// Columns of the rendered text: lines are broken by who shows them, not here.
const WIDTH: usize = 2000;
/// Most links that are listed.
const LINKS_MAX: usize = 500;

/// Stand around a link's number in rendered text until its target is listed.
pub(super) const LINK_OPEN: char = '\u{e001}';
pub(super) const LINK_CLOSE: char = '\u{e002}';

/// HTML as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// With links numbered and their targets listed at the end.
    pub text: String,
    /// Whether something was lost on the way: an image without words, a table laid flat, a cut.
    pub reduced: bool,
}

/// Whether quotes are marked so that they can be told from new text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    AsWritten,
    Marked,
}

/// Text whose links are still to be listed.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) links: Vec<String>,
    pub(super) reduced: bool,
}

/// Gives HTML as text: tables, lists, emphasis, links numbered with their targets, images as captions;
/// what a browser would not show is left out.
pub fn html_to_text(html: &str) -> Rendered {
    let draft = render(html, Quotes::AsWritten);
    Rendered { text: with_links(&draft.text, &draft.links), reduced: draft.reduced }
}

/// Renders HTML, caught, for it may panic; where that fails, tags are just dropped.
pub(super) fn render(html: &str, quotes: Quotes) -> Draft {
    let source = cut(html, SOURCE_MAX);
    let dropped = || Draft { text: strip_tags(source), links: Vec::new(), reduced: true };
    let rendered = if !html_bounds::is_bearable(source) {
        None
    } else if source.len() <= SMALL {
        catch_unwind(|| render_here(source, quotes)).ok().flatten()
    } else {
        render_aside(source.to_owned(), quotes)
    };
    let mut draft = rendered.unwrap_or_else(dropped);
    draft.reduced |= source.len() < html.len();
    draft.text = tidy(&draft.text);
    draft
}

/// Renders HTML in a thread of its own, which nobody waits for when it takes too long.
fn render_aside(source: String, quotes: Quotes) -> Option<Draft> {
    let (send, receive) = mpsc::sync_channel(1);
    let work = move || {
        let _ = send.send(render_here(&source, quotes));
    };
    let spawned = std::thread::Builder::new().name("mail-html".to_owned()).stack_size(STACK).spawn(work);
    spawned.ok().and_then(|_| receive.recv_timeout(DEADLINE).ok()).flatten()
}

/// Renders HTML in the calling thread.
fn render_here(source: &str, quotes: Quotes) -> Option<Draft> {
    // What marks a place for us may not come from outside.
    let marks = |c: char| ('\u{e000}'..='\u{e00f}').contains(&c);
    let marked = memchr::memchr(0xee, source.as_bytes()).is_some();
    let source = if marked { Cow::Owned(source.replace(marks, "")) } else { Cow::Borrowed(source) };
    let Cleaned { html, links, reduced, .. } = html_clean::clean(&source, quotes)?;
    let config = html2text::config::plain_no_decorate()
        .link_footnotes(false)
        .allow_width_overflow()
        .unicode_strikeout(false);
    let text = config.string_from_read(html.as_bytes(), WIDTH).ok()?;
    Some(Draft { text, links, reduced })
}

/// Takes away trailing blanks, runs of blank lines and steering characters.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.lines().map(|line| line.trim_end_matches([' ', '\u{a0}', '\t'])) {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank <= 1 && !(line.is_empty() && out.is_empty()) {
            out.push_str(line);
            out.push('\n');
        }
    }
    let text = out.trim_end();
    if text.contains('\u{a0}') { sanitize_text(&text.replace('\u{a0}', " ")) } else { sanitize_text(text) }
}

/// Puts the numbers of links into a text and lists the targets of those that stand in it.
pub(super) fn with_links(text: &str, links: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut listed: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(LINK_OPEN) {
        out.push_str(before);
        let (number, after) = after.split_once(LINK_CLOSE).unwrap_or((after, ""));
        if let Ok(number) = number.parse::<usize>() {
            out.push_str(&format!("[{number}]"));
            if !listed.contains(&number) && listed.len() < LINKS_MAX {
                listed.push(number);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    for (i, number) in listed.iter().enumerate() {
        let target = number.checked_sub(1).and_then(|at| links.get(at)).map_or("", String::as_str);
        out.push_str(if i == 0 { "\n\n" } else { "\n" });
        out.push_str(&format!("[{number}]: {target}"));
    }
    out
}

/// Gives the text between the tags, the way that always works.
fn strip_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let name: String =
            tag.chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
        let name = name.to_ascii_lowercase();
        let hidden = matches!(name.as_str(), "script" | "style" | "head" | "title");
        let end = if hidden { find_ignoring_case(tag, &format!("</{name}")) } else { Some(0) };
        let Some(end) = end.and_then(|from| tag.get(from..)?.find('>').map(|to| from + to + 1)) else {
            rest = "";
            break;
        };
        if matches!(
            name.trim_matches('/'),
            "p" | "div" | "br" | "tr" | "li" | "h1" | "h2" | "h3" | "h4" | "table" | "blockquote"
        ) {
            out.push('\n');
        }
        rest = tag.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    for (entity, c) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        out = out.replace(entity, c);
    }
    out
}

/// Finds a text in lower case within a text of any case.
fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).position(|window| window.eq_ignore_ascii_case(what.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_reads_as_text() {
        for (html, text) in [
            ("<p>One</p><p>Two <b>bold</b></p>", "One\n\nTwo **bold**"),
            ("a<br>b", "a\nb"),
            ("<ul><li>x<li>y</ul>", "* x\n* y"),
            (
                "<p>See <a href='https://x.example/a'>here</a>.</p>",
                "See here [1].\n\n[1]: https://x.example/a",
            ),
            ("<a href='https://x.example/'>https://x.example</a>", "https://x.example"),
            (
                "<a href='https://evil.example/login'>https://bank.example</a>",
                "https://bank.example [1] (careful: leads to evil.example)\n\n[1]: https://evil.example/login",
            ),
            ("<a href='mailto:a@x.example'>a@x.example</a>", "a@x.example"),
            ("<img src='a.png' alt='A chart'>", "[A chart]"),
            ("<img src='t.gif' width=1 height=1>x", "x"),
            ("<div style='display:none'>preheader</div>x", "x"),
            ("<span style='font-size:0px'>no</span><span hidden>no</span>x", "x"),
            ("<blockquote>q</blockquote>", "> q"),
            ("<h1>Head</h1>text", "# Head\n\ntext"),
            ("<p style='visibility: hidden !important'>no</p>x", "x"),
            ("<div style='max-height:0;mso-hide:all'>no</div>x", "x"),
            ("<div style='opacity: 0.0'>no</div>x", "x"),
            ("<span style='color:#fff;background-color:white'>no</span>x", "x"),
            ("<div bgcolor='#ffffff'><p><font color=white>no</font>x</p></div>", "x"),
            ("<span style='color:#fff;background:#000'>yes</span>", "yes"),
            ("<p style='color:white'>yes</p>", "yes"),
            ("<p style='text-indent:-9999px'>no</p>x", "x"),
            ("<img alt='spy' src='p.gif' style='width:1px;height:1px'>x", "x"),
            ("<img alt='A chart' style='width:50%'>", "[A chart]"),
            ("<ol start=3><li>x<li>y</ol>", "3. x\n4. y"),
            ("<ul><li>x<ul><li>y</ul><li>z</ul>", "* x\n  * y\n* z"),
            ("<pre>a  b\n   c</pre>", "a  b\n   c"),
            ("<p>one<br><br>two</p>", "one\n\ntwo"),
            ("<h2>Head</h2><p>x</p>", "## Head\n\nx"),
            ("<style>p{}</style><script>x()</script>ok", "ok"),
            ("<title>t</title>ok", "ok"),
            ("", ""),
        ] {
            assert_eq!(html_to_text(html).text, text, "{html}");
        }
    }

    #[test]
    fn a_table_of_data_stays_one_and_a_layout_is_laid_flat() {
        let data = "<table><tr><th>Name<th>Price<tr><td>Tea<td>2<tr><td>Coffee<td>3</table>";
        let text = html_to_text(data).text;
        assert!(text.lines().any(|l| l.contains("Tea") && l.contains('2')), "{text}");
        let layout = "<table><tr><td><table><tr><td><p>Hello</p></td></tr></table></td></tr></table>";
        assert_eq!(html_to_text(layout).text, "Hello");
    }

    #[test]
    fn what_is_lost_is_said() {
        for (html, reduced) in [
            ("<p>One <b>two</b></p>", false),
            ("<table><tr><td><p>Hello</p></td></tr></table>", false),
            ("<table><tr><td><p>left</p></td><td><ul><li>right</ul></td></tr></table>", true),
            ("<img src='a.png'>", true),
            ("<img src='a.gif' width=1>", false),
            ("<form><input></form>", true),
            (&"<div>".repeat(5000), true),
        ] {
            assert_eq!(html_to_text(html).reduced, reduced, "{}", html.get(..60).unwrap_or(html));
        }
    }

    #[test]
    fn hostile_html_ends_soon_and_quietly() {
        let deep = "<div>".repeat(20_000) + "x";
        let wide = format!("<table><tr>{}</tr></table>", "<td>x".repeat(5000));
        let tables = "<table><tr><td>".repeat(300) + "x";
        let emphasis: String =
            (0..190).map(|n| format!("<b id={n}>")).collect::<String>() + &"<p>x".repeat(1000);
        let nested = "<div>".repeat(900) + &"<hr>".repeat(20_000);
        let flat = "<table><tr><td>a<td>b<tr><td>c<td>d</table>".repeat(20_000);
        let lists = "<ul><li>x".repeat(900);
        let quotes = "<blockquote>x".repeat(900);
        let words = "<b>x</b> ".repeat(100_000);
        let links = "<a href='https://x.example/a'>x</a> ".repeat(25_000);
        for html in [
            &emphasis,
            &nested,
            &flat,
            &lists,
            &quotes,
            &words,
            &links,
            deep.as_str(),
            &wide,
            &tables,
            "<table><td colspan=7><td rowspan=3>x",
            "<table><td colspan=4000000000>x",
            "<b",
        ] {
            let before = std::time::Instant::now();
            // Without the deadline, as a thread that nobody waits for any longer would go on.
            if html_bounds::is_bearable(html) {
                let _ = render_here(cut(html, SOURCE_MAX), Quotes::AsWritten);
            }
            let _ = html_to_text(html);
            assert!(before.elapsed() < Duration::from_secs(20), "{}", html.get(..60).unwrap_or(html));
        }
        assert!(html_to_text(&deep).text.contains('x'));
    }

    #[test]
    fn small_html_needs_no_deadline() {
        let emphasis: String = (0..150).map(|n| format!("<b id={n}>")).collect();
        for piece in [
            "<table><tr><td>a<td>b<tr><td>c<td>d</table>",
            "<ul><li>x",
            "<blockquote>x",
            "<b>x</b> ",
            "<a href='https://x.example/a'>x</a> ",
            "<div style='color:red;a:b;c:d'>x</div>",
            "<table><tr><td><table><tr><td>x</table>",
            "<td>a<td>b<tr>",
            "&amp;\u{a0}x",
            "<p>x",
        ] {
            for before in ["", "<div><div><table><tr>", &emphasis] {
                let html = format!("{before}{}", piece.repeat(SMALL / piece.len()));
                let html = cut(&html, SMALL);
                let begun = std::time::Instant::now();
                let _ = html_to_text(html);
                assert!(begun.elapsed() < Duration::from_secs(5), "{}", cut(html, 60));
            }
        }
    }

    #[test]
    fn without_the_renderer_the_text_remains() {
        assert_eq!(strip_tags("<p>a &amp; b</p><style>x{}</style>c"), "\na & b\nc");
        assert_eq!(strip_tags("a <b"), "a ");
    }
}
