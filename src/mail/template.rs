//! Templates of outgoing mail: placeholders filled in one pass, and the texts that are built in.

use crate::domain::MailKind;

/// What the placeholders stand for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    /// `#12`
    pub issue_id: &'a str,
    /// `mygroup/myproject#12`
    pub issue_path: &'a str,
    /// Who wrote the note, by name; `%{NOTE_AUTHOR}`.
    pub note_author: &'a str,
    /// Markdown by staff.
    pub note_text: &'a str,
    /// A customer's words, shown as they are.
    pub issue_description: &'a str,
    pub unsubscribe_url: &'a str,
    pub issue_url: &'a str,
    /// Links by which a customer rates the issue: a word and an address each.
    pub rating: &'a [(&'static str, String)],
    /// Markdown by those who run the desk, as are the next two.
    pub system_header: &'a str,
    pub system_footer: &'a str,
    pub additional_text: &'a str,
}

/// Fills the placeholders of a template; what a value holds is never expanded again.
///
/// A customer's words and our own identifiers are escaped, so that they cannot become markup; addresses
/// are written so that they stay one. Unknown placeholders stay as they are.
pub fn fill(template: &str, values: &Values<'_>) -> String {
    let mut out = String::with_capacity(template.len() + values.note_text.len());
    let mut dropped = false;
    for line in template.lines() {
        if line.trim().is_empty() && (dropped || out.is_empty()) {
            continue;
        }
        dropped = is_empty_placeholder(line, values);
        if !dropped {
            fill_line(&mut out, line, values);
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Tells whether a line is one placeholder that stands for nothing: then the line goes, and the blank
/// one below it.
fn is_empty_placeholder(line: &str, values: &Values<'_>) -> bool {
    match pieces(line.trim()).as_slice() {
        [Piece::Text(""), Piece::Placeholder { name, .. }, Piece::Text("")] => {
            value(name, values).is_some_and(|value| value.trim().is_empty())
        }
        _ => false,
    }
}

/// Writes a line with its placeholders filled.
fn fill_line(out: &mut String, line: &str, values: &Values<'_>) {
    for piece in pieces(line) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Placeholder { name, source } => match value(name, values) {
                Some(value) => out.push_str(&value),
                None => out.push_str(source),
            },
        }
    }
}

/// Names the placeholders of a template that nothing is known for, each once.
pub fn unknown_placeholders(template: &str) -> Vec<String> {
    let mut unknown: Vec<String> = Vec::new();
    for piece in pieces(template) {
        if let Piece::Placeholder { name, .. } = piece
            && value(name, &Values::default()).is_none()
            && !unknown.iter().any(|known| known == name)
        {
            unknown.push(name.to_owned());
        }
    }
    unknown
}

/// Tells whether a placeholder stands in a template.
pub fn has_placeholder(template: &str, wanted: &str) -> bool {
    pieces(template).iter().any(|piece| matches!(piece, Piece::Placeholder { name, .. } if *name == wanted))
}

/// A stretch of a template.
enum Piece<'a> {
    Text(&'a str),
    Placeholder { name: &'a str, source: &'a str },
}

/// Splits a template at its placeholders, `%{NAME}`, with blanks tolerated inside.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut list = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find("%{") {
        let (before, from) = rest.split_at(at);
        let inner = from.get(2..).unwrap_or_default();
        let name = inner.split_once('}').map(|(name, _)| name).filter(|name| {
            let name = name.trim();
            !name.is_empty()
                && name.len() <= 60
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        let length = name.map_or(2, |name| name.len() + 3);
        let (source, after) = from.split_at_checked(length).unwrap_or((from, ""));
        list.push(Piece::Text(before));
        list.push(match name {
            Some(name) => Piece::Placeholder { name: name.trim(), source },
            None => Piece::Text(source),
        });
        rest = after;
    }
    list.push(Piece::Text(rest));
    list
}

/// Gives what a placeholder stands for, ready to stand in Markdown.
fn value(name: &str, values: &Values<'_>) -> Option<String> {
    Some(match name {
        "ISSUE_ID" => escape(values.issue_id),
        "ISSUE_PATH" => escape(values.issue_path),
        "NOTE_AUTHOR" if values.note_author.is_empty() => "We".to_owned(),
        "NOTE_AUTHOR" => escape(values.note_author),
        "NOTE_TEXT" => values.note_text.to_owned(),
        "ISSUE_DESCRIPTION" => escape(values.issue_description),
        "UNSUBSCRIBE_URL" => escape_url(values.unsubscribe_url),
        "RATING" => rating(values.rating),
        "ISSUE_URL" => escape_url(values.issue_url),
        "SYSTEM_HEADER" => values.system_header.to_owned(),
        "SYSTEM_FOOTER" => values.system_footer.to_owned(),
        "ADDITIONAL_TEXT" => values.additional_text.to_owned(),
        _ => return None,
    })
}

/// Writes the links of a rating beside each other.
fn rating(links: &[(&'static str, String)]) -> String {
    let link = |(word, url): &(&str, String)| format!("[{word}]({})", escape_url(url));
    links.iter().map(link).collect::<Vec<_>>().join(" \u{b7} ")
}

/// Writes text so that Markdown shows it as it is.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for (i, line) in text.lines().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let inner = line.trim_start_matches([' ', '\t']);
        // Blanks at the beginning of a line would make it code.
        out.extend(std::iter::repeat_n('\u{a0}', (line.len() - inner.len()).min(40)));
        for c in inner.trim_end().chars() {
            if c.is_ascii_punctuation() && !matches!(c, ',' | '/' | '\'' | ';' | '?' | '@' | '%') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

/// Writes text so that Markdown shows it as it is, for other parts of a mail.
pub(super) fn escaped(text: &str) -> String {
    escape(text)
}

/// Writes an address so that it cannot end the link it stands in.
fn escape_url(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        let kept = byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'+,;=%".contains(&byte);
        if kept { out.push(char::from(byte)) } else { out.push_str(&format!("%{byte:02X}")) }
    }
    out
}

/// Gives the built-in template for a kind of mail; kinds without one get the note's. Mails to the staff have
/// a text of their own and no template.
pub fn default_template(kind: MailKind) -> &'static str {
    match kind {
        MailKind::ThankYou => include_str!("../../assets/templates/thank_you.md"),
        MailKind::NewParticipant => include_str!("../../assets/templates/new_participant.md"),
        MailKind::Closed => include_str!("../../assets/templates/closed.md"),
        MailKind::Reopened => include_str!("../../assets/templates/reopened.md"),
        MailKind::IdleWarning => include_str!("../../assets/templates/idle_warning.md"),
        MailKind::Forward => include_str!("../../assets/templates/forward.md"),
        MailKind::Rejection => include_str!("../../assets/templates/rejection.md"),
        MailKind::NewNote | MailKind::RuleReply | MailKind::Staff | MailKind::Probe => {
            include_str!("../../assets/templates/new_note.md")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{markdown_to_html, markdown_to_text};
    use super::*;

    #[test]
    fn placeholders_are_filled_once() {
        let values =
            Values { issue_id: "#12", note_text: "see %{ISSUE_ID} and **this**", ..Values::default() };
        for (template, out) in [
            ("%{ISSUE_ID}", "\\#12\n"),
            ("%{ ISSUE_ID }!", "\\#12!\n"),
            ("a %{NOTE_TEXT} b", "a see %{ISSUE_ID} and **this** b\n"),
            ("%{NOPE} %{", "%{NOPE} %{\n"),
            ("100 %{a b}", "100 %{a b}\n"),
            ("a\n\n%{SYSTEM_HEADER}\n\nb", "a\n\nb\n"),
            ("%{SYSTEM_HEADER}\n\na\n\n\nb\n\n%{SYSTEM_FOOTER}", "a\n\n\nb\n"),
            ("%{é}", "%{é}\n"),
        ] {
            assert_eq!(fill(template, &values), out, "{template:?}");
        }
        assert_eq!(unknown_placeholders("%{NOPE} %{ISSUE_ID} %{ NOPE } %{X}"), ["NOPE", "X"]);
    }

    #[test]
    fn a_customers_words_cannot_become_markup() {
        let hostile = "<script>x</script>\n# big\n[a](http://evil.example) **b** `c`\n\n    code\n> quote\n1. one\n- two\n| a | b |\n&lt;";
        let filled =
            fill("%{ISSUE_DESCRIPTION}", &Values { issue_description: hostile, ..Values::default() });
        let html = markdown_to_html(&filled);
        for tag in ["<script", "<h1", "<a ", "<strong", "<code", "<blockquote", "<ol", "<ul", "<li"] {
            assert!(!html.contains(tag), "{tag} in {html}");
        }
        let text = markdown_to_text(&filled).replace('\u{a0}', " ");
        for line in hostile.lines() {
            assert!(text.contains(line), "{line:?} in {text}");
        }
    }

    #[test]
    fn an_address_stays_within_its_link() {
        let url = "mailto:a+k@x.example?subject=a) <b> [c](d";
        let filled = fill("[off](%{UNSUBSCRIBE_URL})", &Values { unsubscribe_url: url, ..Values::default() });
        let html = markdown_to_html(&filled);
        assert_eq!(html.matches("<a ").count(), 1, "{html}");
        assert!(
            html.contains("href=\"mailto:a+k@x.example?subject=a%29%20%3Cb%3E%20%5Bc%5D%28d\""),
            "{html}"
        );
    }
}
