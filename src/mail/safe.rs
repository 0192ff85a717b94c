//! The sanitisers for what a mail calls itself: one-line texts and file names.

/// Longest file name that is given out, in octets.
const NAME_MAX: usize = 200;

/// Tells whether a character could steer a terminal, a line or the direction of text.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || is_direction(c)
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Tells whether a character changes the direction of what follows (Unicode TR 36, section 3).
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Gives the text on one line: control, escape and direction characters gone, blanks run together.
pub fn sanitize_line(text: &str) -> String {
    if text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') && !text.contains("  ") {
        return text.trim().to_owned();
    }
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        let blank = c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}');
        match c {
            _ if blank && (line.is_empty() || line.ends_with(' ')) => {}
            _ if blank => line.push(' '),
            _ if is_unsafe(c) => {}
            _ => line.push(c),
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Gives the text with its lines, without characters that could steer a terminal.
pub(super) fn sanitize_text(text: &str) -> String {
    if is_harmless(text) { text.to_owned() } else { text.chars().filter(is_kept).collect() }
}

/// Tells whether nothing of a text would have to go.
pub(super) fn is_harmless(text: &str) -> bool {
    let octets = text.as_bytes();
    let steers = |b: u8| b < b' ' && !matches!(b, b'\n' | b'\t') || b == 0x7f;
    if octets.iter().fold(false, |any, b| any | steers(*b)) {
        return false;
    }
    // How the encoded forms of all other unsafe characters begin.
    let mut suspects =
        memchr::memchr3_iter(0xc2, 0xe2, 0xef, octets).chain(memchr::memchr_iter(0xd8, octets));
    suspects.all(|at| text.get(at..).and_then(|rest| rest.chars().next()).is_none_or(|c| is_kept(&c)))
}

fn is_kept(c: &char) -> bool {
    matches!(c, ' '..='~' | '\n' | '\t') || !is_unsafe(*c)
}

/// Gives a name that is safe to create in a folder on any system.
///
/// No path, no control or direction characters, no name that a system reserves for a device, no leading
/// dot, at most 200 octets with the extension kept. Never empty.
pub fn safe_file_name(name: &str) -> String {
    let line = sanitize_line(name);
    let last = line.rsplit(['/', '\\']).find(|piece| !piece.trim_matches(['.', ' ']).is_empty());
    let kept: String = last
        .unwrap_or_default()
        .chars()
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .collect();
    let trimmed = kept.trim_matches([' ', '.']);
    if trimmed.is_empty() {
        return "attachment".to_owned();
    }
    let name = if is_device(trimmed) { format!("_{trimmed}") } else { trimmed.to_owned() };
    shorten(&name)
}

/// Tells whether Windows would open a device under this name, whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = ["COM", "LPT"].iter().any(|port| {
        stem.strip_prefix(port)
            .is_some_and(|n| n.chars().count() == 1 && n.chars().all(|c| c.is_numeric() || "¹²³".contains(c)))
    });
    numbered || matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
}

/// Cuts a long name in front of its extension.
fn shorten(name: &str) -> String {
    if name.len() <= NAME_MAX {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, ext)) if !ext.is_empty() && ext.len() <= 20 => (stem, format!(".{ext}")),
        _ => (name, String::new()),
    };
    let stem = cut(stem, NAME_MAX.saturating_sub(extension.len()));
    format!("{}{extension}", stem.trim_end_matches([' ', '.']))
}

/// Gives the longest beginning of a text that fits into so many octets.
pub(super) fn cut(text: &str, octets: usize) -> &str {
    let mut end = octets.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

/// Gives the media type that a file's name suggests.
pub fn media_type(name: &str) -> String {
    mime_guess::from_path(name).first_or_octet_stream().essence_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_no_steering_characters() {
        for (from, to) in [
            ("a\r\nBcc: b", "a Bcc: b"),
            ("\u{1b}[31mred\u{7}", "[31mred"),
            ("  many \t blanks  ", "many blanks"),
            ("abc\u{202e}txt.exe", "abctxt.exe"),
            ("\u{9b}1m", "1m"),
            ("", ""),
        ] {
            assert_eq!(sanitize_line(from), to, "{from:?}");
        }
    }

    #[test]
    fn a_text_that_is_harmless_at_a_glance_holds_nothing_unsafe() {
        for c in ('\0'..=char::MAX).filter(|c| !is_kept(c)) {
            assert_eq!(sanitize_text(&format!("a{c}b")), "ab", "{c:?}");
        }
        assert_eq!(sanitize_text("für 5 €\u{a0}\tok\n"), "für 5 €\u{a0}\tok\n");
    }

    #[test]
    fn a_file_name_leads_nowhere() {
        for (from, to) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\a.txt", "a.txt"),
            ("a\0b.txt", "ab.txt"),
            ("..", "attachment"),
            ("", "attachment"),
            ("/", "attachment"),
            ("con.txt", "_con.txt"),
            ("LPT1", "_LPT1"),
            (".profile", "profile"),
            ("gpj\u{202e}.exe", "gpj.exe"),
            ("a:b?.txt", "a_b_.txt"),
            ("dir/..", "dir"),
        ] {
            assert_eq!(safe_file_name(from), to, "{from:?}");
        }
        let long = safe_file_name(&format!("{}.pdf", "ä".repeat(4000)));
        assert!(long.len() <= NAME_MAX && long.ends_with("ä.pdf"));
    }
}
