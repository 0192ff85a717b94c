//! Lines of a header that the parser needs on one line.

use std::borrow::Cow;
use std::sync::LazyLock;

/// Gives the bytes from the first field on; line ends of lone CR become LF.
pub(super) fn beginning(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut start = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw).trim_ascii_start();
    if start.starts_with(b"From ") || start.starts_with(b">From ") {
        start = start
            .split_inclusive(|b| *b == b'\n')
            .next()
            .and_then(|l| start.get(l.len()..))
            .unwrap_or_default();
    }
    if !start.contains(&b'\n') && start.contains(&b'\r') {
        return Cow::Owned(start.iter().map(|b| if *b == b'\r' { b'\n' } else { *b }).collect());
    }
    Cow::Borrowed(start)
}

/// Begins a line that may be a boundary.
static DASHES: LazyLock<memchr::memmem::Finder<'static>> =
    LazyLock::new(|| memchr::memmem::Finder::new(b"\n--"));

/// Turns line ends into blanks in places that may be headers.
///
/// mail-parser 0.11 loses a parameter whose value stands on the next line (`boundary=` + fold), so such a fold becomes
/// blanks, as does the line end in front of a `boundary=` that nobody indented. What looks like a boundary may be text,
/// and a header what follows it: of a mail that can be split, nothing is joined.
pub(super) fn unfolded(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Cow::Borrowed(bytes);
    let mut at = 0;
    let mut header = true;
    while let Some((line, after)) = bytes.get(at..).and_then(next_line) {
        if !header && !line.starts_with(b"--") {
            // Most of a mail is text, where no line but one of dashes counts.
            let Some(far) = DASHES.find(bytes.get(at..).unwrap_or_default()) else { break };
            at += far + 1;
            continue;
        }
        let content = line.trim_ascii_end();
        header = if content.is_empty() { false } else { header || content.starts_with(b"--") };
        if header && is_to_unfold(content, after) {
            let owned = out.to_mut();
            let end = at + line.len();
            if let Some(gap) = owned.get_mut(at + content.len()..end) {
                gap.fill(b' ');
            }
        }
        at += line.len();
    }
    out
}

/// Tells whether a line of a header, without blanks at its end, has to be joined with what stands after it.
pub(super) fn is_to_unfold(line: &[u8], after: &[u8]) -> bool {
    match line.last() {
        Some(b'=') => (after.starts_with(b" ") || after.starts_with(b"\t")) && ends_in_parameter(line),
        Some(b';') => after.get(..9).is_some_and(|next| next.eq_ignore_ascii_case(b"boundary=")),
        _ => false,
    }
}

/// Gives the first line with its end, and what follows it.
fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    bytes.split_at_checked(end).filter(|(line, _)| !line.is_empty())
}

/// Tells whether a line ends in the name of a parameter whose value is still to come.
fn ends_in_parameter(line: &[u8]) -> bool {
    let Some(name) = line.strip_suffix(b"=") else { return false };
    let name = name.rsplit(|b| matches!(b, b';' | b' ' | b'\t')).next().unwrap_or_default();
    ["boundary", "name", "filename", "charset", "type", "report-type", "format", "delsp", "start", "protocol"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}
