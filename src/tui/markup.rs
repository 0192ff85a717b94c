//! Text of notes as lines of spans: light Markdown, wrapped.
//!
//! Line breaks of the writer stay. What a customer typed keeps its marks and only gains weight; what
//! staff or an HTML mail wrote loses the marks that its style now says.

use super::clean;
use super::theme::Theme;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

/// More lines than this of one text are not shown in place.
pub const LINES_MAX: usize = 4000;

/// Lays `text` out on lines of `width` cells at most.
pub fn lines(text: &str, width: usize, keep_marks: bool, theme: &Theme) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let mut fenced = false;
    let text = text.trim_end();
    for raw in clean::lines(text) {
        if out.len() >= LINES_MAX {
            out.push(Line::styled(format!("{} more lines", theme.signs.ellipsis), theme.dim));
            break;
        }
        let fence = raw.trim_start().starts_with("```");
        if fence {
            fenced = !fenced;
            if keep_marks {
                out.push(Line::styled(raw, theme.dim));
            }
        } else if fenced {
            wrap(&[(raw, theme.code)], 0, width, &mut out);
        } else {
            one_line(&raw, width, keep_marks, theme, &mut out);
        }
    }
    out
}

/// Lays plain text out, without any reading of marks.
pub fn plain(text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    for raw in clean::lines(text.trim_end()).take(LINES_MAX) {
        wrap(&[(raw, style)], 0, width, &mut out);
    }
    out
}

fn one_line(raw: &str, width: usize, keep: bool, theme: &Theme, out: &mut Vec<Line<'static>>) {
    let indent = raw.len() - raw.trim_start().len();
    let rest = raw.trim_start();
    if rest.starts_with('>') {
        return wrap(&[(raw.to_owned(), theme.quote)], 0, width, out);
    }
    let hashes = rest.bytes().take_while(|b| *b == b'#').count();
    if (1..=6).contains(&hashes) && rest.get(hashes..).is_some_and(|r| r.starts_with(' ')) {
        let title = if keep { rest } else { rest.get(hashes..).unwrap_or_default().trim_start() };
        return wrap(&[(title.to_owned(), theme.strong)], 0, width, out);
    }
    let mut spans = Vec::new();
    let mut hang = indent;
    if let Some((mark, item)) = list_item(rest) {
        let mark = if mark.len() == 1 && !keep { theme.signs.bullet.to_owned() } else { mark.to_owned() };
        hang += clean::width(&mark) + 1;
        spans.push((format!("{}{mark} ", " ".repeat(indent)), Style::new()));
        inline(item, keep, theme, &mut spans);
    } else {
        inline(raw, keep, theme, &mut spans);
    }
    wrap(&spans, hang.min(width / 2), width, out);
}

/// Parts `- text`, `* text` and `12. text` into mark and text.
fn list_item(rest: &str) -> Option<(&str, &str)> {
    let (mark, item) = rest.split_once(' ')?;
    let number = mark.strip_suffix(['.', ')']).filter(|n| (1..=3).contains(&n.len()));
    let numbered = number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    (matches!(mark, "-" | "*" | "+") || numbered).then_some((mark, item.trim_start()))
}

/// Reads bold, italic, code and links within one line.
fn inline(text: &str, keep: bool, theme: &Theme, out: &mut Vec<(String, Style)>) {
    let mut rest = text;
    let mut plain = String::new();
    let mut before = ' ';
    loop {
        // Up to the next character that could begin something there is only text.
        let run = rest.find(['`', '*', '_', '[', 'h', 'm']).unwrap_or(rest.len());
        let (text, tail) = rest.split_at(run);
        plain.push_str(text);
        before = text.chars().next_back().unwrap_or(before);
        rest = tail;
        let Some(c) = rest.chars().next() else { break };
        if let Some((used, spans)) = marked(rest, before, keep, theme) {
            if !plain.is_empty() {
                out.push((std::mem::take(&mut plain), Style::new()));
            }
            out.extend(spans);
            before = 'x';
            rest = rest.get(used..).unwrap_or_default();
        } else {
            plain.push(c);
            before = c;
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    if !plain.is_empty() {
        out.push((plain, Style::new()));
    }
}

type Marked = (usize, Vec<(String, Style)>);

fn marked(rest: &str, before: char, keep: bool, theme: &Theme) -> Option<Marked> {
    let at_word = !before.is_alphanumeric();
    match rest.as_bytes().first()? {
        b'`' => between(rest, "`", keep, theme.code),
        b'*' if rest.starts_with("**") => between(rest, "**", keep, theme.strong),
        b'*' if at_word => between(rest, "*", keep, Style::new().add_modifier(Modifier::ITALIC)),
        b'_' if rest.starts_with("__") && at_word => between(rest, "__", keep, theme.strong),
        b'_' if at_word => between(rest, "_", keep, Style::new().add_modifier(Modifier::ITALIC)),
        b'[' => named_link(rest, theme),
        b'h' | b'm' if at_word => bare_link(rest, theme),
        _ => None,
    }
}

fn between(rest: &str, mark: &str, keep: bool, style: Style) -> Option<Marked> {
    let window = ahead(rest.get(mark.len()..)?, 500);
    let end = window.find(mark).filter(|end| *end > 0)?;
    let inner = window.get(..end)?;
    if inner.starts_with(' ') || inner.ends_with(' ') {
        return None;
    }
    let after = window.get(end + mark.len()..)?.chars().next();
    if mark != "`" && after.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let shown = if keep { format!("{mark}{inner}{mark}") } else { inner.to_owned() };
    Some((inner.len() + 2 * mark.len(), vec![(shown, style)]))
}

/// Gives so many octets of `rest` at most: a mark that is never closed must not make a long line
/// quadratic.
fn ahead(rest: &str, octets: usize) -> &str {
    rest.get(..rest.floor_char_boundary(octets)).unwrap_or_default()
}

fn named_link(rest: &str, theme: &Theme) -> Option<Marked> {
    let rest = ahead(rest, 2000);
    let close = ahead(rest, 300).find("](")?;
    let end = rest.get(close..)?.find(')')? + close;
    let (name, url) = (rest.get(1..close)?, rest.get(close + 2..end)?);
    if url.contains(' ') || url.is_empty() {
        return None;
    }
    let mut spans = vec![(name.to_owned(), theme.link)];
    if name != url {
        spans.push((format!(" ({url})"), theme.dim));
    }
    Some((end + 1, spans))
}

fn bare_link(rest: &str, theme: &Theme) -> Option<Marked> {
    let url = link_at(rest)?;
    Some((url.len(), vec![(url.to_owned(), theme.link)]))
}

fn link_at(rest: &str) -> Option<&str> {
    let known = ["https://", "http://", "mailto:"].iter().any(|scheme| rest.starts_with(scheme));
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(rest.len());
    let url = rest.get(..end)?.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']);
    (known && url.len() > 8).then_some(url)
}

/// Gives every link of a text, each once, in order.
pub fn links(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let starts = text.match_indices("http").chain(text.match_indices("mailto:")).map(|(at, _)| at);
    for at in starts.take(200) {
        if let Some(url) = text.get(at..).and_then(link_at)
            && !found.iter().any(|f| f == url)
        {
            found.push(url.to_owned());
        }
    }
    found
}

/// Breaks styled pieces into lines of at most `width` cells, at blanks where there are any; further
/// lines stand `hang` cells to the right.
fn wrap(pieces: &[(String, Style)], hang: usize, width: usize, out: &mut Vec<Line<'static>>) {
    let width = width.max(4);
    let mut line = Builder::default();
    for (text, style) in pieces {
        for word in words(text) {
            let cells = clean::width(word);
            if line.cells + cells <= width {
                line.push(word, cells, *style);
            } else if !word.starts_with(' ') {
                if line.cells > hang {
                    out.push(line.finish(hang));
                }
                line.push_long(word, *style, hang, width, out);
            }
        }
    }
    out.push(line.finish(hang));
}

/// Parts a text into runs of blanks and runs of everything else.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let blank = rest.starts_with(' ');
        let end = rest.find(|c: char| (c == ' ') != blank).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        rest = tail;
        (!word.is_empty()).then_some(word)
    })
}

#[derive(Default)]
struct Builder {
    spans: Vec<Span<'static>>,
    cells: usize,
}

impl Builder {
    fn push(&mut self, text: &str, cells: usize, style: Style) {
        self.cells += cells;
        match self.spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push_str(text),
            _ => self.spans.push(Span::styled(text.to_owned(), style)),
        }
    }

    fn push_long(
        &mut self,
        word: &str,
        style: Style,
        hang: usize,
        width: usize,
        out: &mut Vec<Line<'static>>,
    ) {
        for cluster in word.graphemes(true) {
            let cells = clean::width(cluster);
            if self.cells + cells > width && self.cells > hang {
                out.push(self.finish(hang));
            }
            self.push(cluster, cells, style);
        }
    }

    fn finish(&mut self, hang: usize) -> Line<'static> {
        let spans = std::mem::take(&mut self.spans);
        self.cells = hang;
        if hang > 0 {
            self.spans.push(Span::raw(" ".repeat(hang)));
        }
        Line::from(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[Line<'_>]) -> Vec<String> {
        lines.iter().map(|l| l.spans.iter().map(|s| s.content.as_ref()).collect()).collect()
    }

    fn shown(markdown: &str, width: usize) -> Vec<String> {
        text(&lines(markdown, width, false, &Theme::default()))
    }

    #[test]
    fn lines_break_at_blanks_and_lists_hang() {
        assert_eq!(shown("one two three", 8), ["one two ", "three"]);
        assert_eq!(shown("- one two three", 9), ["• one two", "  three"]);
        assert_eq!(shown("10. one two", 8), ["10. one ", "    two"]);
        assert_eq!(shown("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(shown("東京タワー", 4), ["東京", "タワ", "ー"]);
        assert_eq!(shown("a\n\nb", 8), ["a", "", "b"]);
    }

    #[test]
    fn marks_become_weight_and_words_with_marks_inside_stay() {
        assert_eq!(
            shown("**Bold** and `code` in snake_case_name, 2*3*4", 60),
            ["Bold and code in snake_case_name, 2*3*4"]
        );
        assert_eq!(
            shown("see [the page](https://x.example/a).", 60),
            ["see the page (https://x.example/a)."]
        );
        assert_eq!(shown("```\n**not bold**\n```", 60), ["**not bold**"]);
        let kept = lines("*so* it _is_", 60, true, &Theme::default());
        assert_eq!(text(&kept), ["*so* it _is_"]);
        assert!(kept[0].spans[0].style.add_modifier.contains(Modifier::ITALIC));
    }

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        let found = links("See https://a.example/x?y=1, (https://b.example/z) and https://a.example/x?y=1.");
        assert_eq!(found, ["https://a.example/x?y=1", "https://b.example/z"]);
    }

    #[test]
    fn a_hostile_line_is_laid_out_in_linear_time() {
        for unit in ["[", "*", "`", "_a", "https://", "> ", "\u{301}"] {
            let started = std::time::Instant::now();
            lines(&unit.repeat(100_000), 80, false, &Theme::default());
            assert!(started.elapsed().as_secs() < 5, "{unit}");
        }
    }
}
