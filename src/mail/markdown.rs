//! Markdown of templates and notes, as HTML and as plain text.
//!
//! Line breaks stay line breaks: who writes a note writes it as a mail. Raw HTML is shown, not obeyed.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

/// What of Markdown is understood.
fn options() -> Options {
    Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES
}

/// Tells whether a link may be followed from a mail.
fn is_safe_target(target: &str) -> bool {
    let target: String = target.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let lower = target.to_ascii_lowercase();
    ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| lower.starts_with(scheme))
}

/// Gives Markdown as HTML in which nothing runs and nothing is loaded.
pub fn markdown_to_html(markdown: &str) -> String {
    let events = Parser::new_ext(markdown, options()).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::SoftBreak => Event::HardBreak,
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if is_safe_target(&dest_url) { dest_url } else { CowStr::Borrowed("#") };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // An image would be loaded from elsewhere when the mail is read: a link tells the same.
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            let dest_url = if is_safe_target(&dest_url) { dest_url } else { CowStr::Borrowed("#") };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        other => other,
    });
    let mut html = String::with_capacity(markdown.len() * 2);
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

/// Gives Markdown as plain text, as one would type it into a mail.
pub fn markdown_to_text(markdown: &str) -> String {
    let mut writer = Writer::default();
    for event in Parser::new_ext(markdown, options()) {
        writer.event(event);
    }
    let text = writer.out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    text.trim_matches('\n').to_owned()
}

/// Writes plain text, event by event.
#[derive(Default)]
struct Writer {
    out: String,
    /// What begins each line here: quote marks and the indentation of lists.
    prefix: Vec<String>,
    /// The numbers of open lists; none for a bullet list.
    lists: Vec<Option<u64>>,
    /// The targets of open links, and where their texts begin.
    links: Vec<(String, usize)>,
    /// The text of the open code block.
    code: Option<String>,
    fresh: bool,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) | Event::Code(text) => {
                self.text(&text)
            }
            Event::SoftBreak | Event::HardBreak => self.line(),
            Event::Rule => {
                self.paragraph();
                self.text("---");
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::HtmlBlock | Tag::Table(_) => self.paragraph(),
            Tag::BlockQuote(_) => {
                self.paragraph();
                self.prefix.push("> ".to_owned());
                self.restart();
            }
            Tag::CodeBlock(_) => {
                self.paragraph();
                self.code = Some(String::new());
                self.prefix.push("    ".to_owned());
                self.restart();
            }
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.paragraph()
                } else {
                    self.fresh = false
                }
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::TableRow | Tag::TableHead => self.line(),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.into_string(), self.out.len()));
            }
            Tag::Strong => self.text("*"),
            Tag::Emphasis => self.text("_"),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::BlockQuote(_) => {
                self.prefix.pop();
                self.fresh = false;
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                self.text(code.trim_end_matches('\n'));
                self.prefix.pop();
                self.fresh = false;
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Item => {
                self.prefix.pop();
                self.fresh = false;
            }
            TagEnd::TableCell => self.text("  "),
            TagEnd::Strong => self.text("*"),
            TagEnd::Emphasis => self.text("_"),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            _ => {}
        }
    }

    /// Begins an item of the innermost list.
    fn item(&mut self) {
        self.line();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}. ");
                *number += 1;
                mark
            }
            _ => "- ".to_owned(),
        };
        self.out.push_str(&mark);
        self.prefix.push(" ".repeat(mark.chars().count()));
        self.fresh = true;
    }

    /// Writes the target of a link behind its text, unless they are the same.
    fn end_link(&mut self) {
        let Some((target, from)) = self.links.pop() else { return };
        let text = self.out.get(from..).unwrap_or_default().trim().to_owned();
        let same = target.trim_start_matches("mailto:") == text || target == text;
        if !same && is_safe_target(&target) {
            self.text(&format!(": {target}"));
        }
    }

    /// Writes text, each of its lines under the prefix.
    fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                self.line();
            }
            self.out.push_str(line);
            self.fresh &= line.is_empty();
        }
    }

    /// Begins a line.
    fn line(&mut self) {
        self.out.push('\n');
        self.out.push_str(&self.prefix.concat());
        self.fresh = true;
    }

    /// Begins a block, after a blank line unless one is there or a list item just began.
    fn paragraph(&mut self) {
        if self.out.is_empty() {
            self.out.push_str(&self.prefix.concat());
        } else if !self.fresh {
            self.line();
            self.line();
        }
        self.fresh = true;
    }

    /// Writes the current line anew after the prefix changed.
    fn restart(&mut self) {
        let start = self.out.rfind('\n').map_or(0, |at| at + 1);
        self.out.truncate(start);
        self.out.push_str(&self.prefix.concat());
        self.fresh = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_typed_as_one_types_a_mail() {
        for (markdown, text) in [
            ("Hello\nthere", "Hello\nthere"),
            ("one\n\ntwo", "one\n\ntwo"),
            ("**b** and *e* and `c`", "*b* and _e_ and c"),
            ("[site](https://x.example)", "site: https://x.example"),
            ("<https://x.example>", "https://x.example"),
            ("[x](javascript:alert(1))", "x"),
            ("- a\n- b\n\nend", "- a\n- b\n\nend"),
            ("1. a\n2. b", "1. a\n2. b"),
            ("> quoted\n> more\n\nmine", "> quoted\n> more\n\nmine"),
            ("a\n\n---\n\nb", "a\n\n---\n\nb"),
            ("# Head\n\ntext", "Head\n\ntext"),
            ("<b>raw</b>", "<b>raw</b>"),
            ("", ""),
        ] {
            assert_eq!(markdown_to_text(markdown), text, "{markdown:?}");
        }
        let code = markdown_to_text("see\n\n```\nfn main() {\n}\n```\n\nend");
        assert!(code.contains("    fn main() {\n    }\n"), "{code:?}");
        assert!(code.ends_with("\nend"), "{code:?}");
    }

    #[test]
    fn html_obeys_nothing_from_outside() {
        for (markdown, html) in [
            ("a\nb", "<p>a<br />\nb</p>\n"),
            ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
            ("[x](javascript:alert(1))", "href=\"#\""),
            ("[x]( JavaScript:alert(1))", "href=\"#\""),
            ("[x](data:text/html,x)", "href=\"#\""),
            ("![pic](https://x.example/p.png)", "<a href=\"https://x.example/p.png\">pic</a>"),
            ("a <img src=x onerror=y>", "&lt;img"),
        ] {
            let out = markdown_to_html(markdown);
            assert!(out.contains(html), "{markdown:?}: {out}");
            assert!(!out.contains("<script") && !out.contains("<img"), "{out}");
        }
    }
}
