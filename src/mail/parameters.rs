//! Parameters of MIME fields out of bytes that may be anything: RFC 2045 with RFC 2231, and what programs write
//! instead.

use super::fields::hex_octet;
use super::{charset, fields};

/// Most parameters and most pieces of one that are read.
const PIECES_MAX: usize = 200;

/// One piece of a parameter's value.
struct Piece {
    number: u32,
    /// Percent-encoded, the first with its charset.
    extended: bool,
    bytes: Vec<u8>,
}

/// Gives the text of a parameter of a field, whatever way it was encoded; an extended form wins over a plain one.
///
/// A value may be cut into numbered pieces, percent-encoded with a charset (RFC 2231), hold encoded words
/// (against RFC 2047, but common), or raw octets in any charset.
pub(super) fn parameter(raw: &[u8], name: &str) -> Option<String> {
    let mut plain = None;
    let mut pieces = Vec::new();
    for (found, value) in parameters(raw) {
        let Some(rest) = found
            .get(..name.len())
            .filter(|n| n.eq_ignore_ascii_case(name.as_bytes()))
            .and(found.get(name.len()..))
        else {
            continue;
        };
        if rest.is_empty() {
            plain = plain.or(Some(value));
        } else if let Some((number, extended)) = section(rest) {
            pieces.push(Piece { number, extended, bytes: value });
        }
    }
    let text = joined(pieces).or_else(|| plain.map(|bytes| fields::text(&bytes)));
    text.filter(|text| !text.trim().is_empty())
}

/// Splits a field at the semicolons outside of quotes; the value in front of the first is left out.
fn parameters(raw: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let line: Vec<u8> = raw.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let mut list = Vec::new();
    let mut rest = line.as_slice();
    while let Some(at) = rest.iter().position(|b| *b == b';') {
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some(equals) = rest.iter().position(|b| matches!(b, b'=' | b';')) else { break };
        if rest.get(equals) != Some(&b'=') || list.len() >= PIECES_MAX {
            continue;
        }
        let name = rest.get(..equals).unwrap_or_default().trim_ascii().to_vec();
        let (value, after) = value(rest.get(equals + 1..).unwrap_or_default());
        list.push((name, value));
        rest = after;
    }
    list
}

/// Reads a value and gives what follows it.
fn value(from: &[u8]) -> (Vec<u8>, &[u8]) {
    let from = from.trim_ascii_start();
    let Some(quoted) = from.strip_prefix(b"\"") else {
        let end = from.iter().position(|b| *b == b';').unwrap_or(from.len());
        let (value, rest) = from.split_at_checked(end).unwrap_or((from, &[]));
        return (value.trim_ascii().to_vec(), rest);
    };
    let mut value = Vec::new();
    let mut rest = quoted;
    // A path of Windows is seldom quoted as it should be.
    let path = quoted.get(1..3) == Some(b":\\") || quoted.starts_with(b"\\\\");
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after.first()) {
            (b'"', _) => break,
            (b'\\', Some(next)) if !path || matches!(next, b'"' | b'\\') => {
                value.push(*next);
                rest = after.get(1..).unwrap_or_default();
            }
            (b, _) => value.push(*b),
        }
    }
    (value, rest)
}

/// Reads what follows the name of a parameter: `*`, `*0` or `*0*`.
fn section(rest: &[u8]) -> Option<(u32, bool)> {
    let rest = std::str::from_utf8(rest).ok()?.trim().strip_prefix('*')?;
    match rest.strip_suffix('*') {
        Some(number) => Some((number.parse().ok()?, true)),
        None if rest.is_empty() => Some((0, true)),
        None => Some((rest.parse().ok()?, false)),
    }
}

/// Joins the pieces of a value.
fn joined(mut pieces: Vec<Piece>) -> Option<String> {
    pieces.sort_by_key(|piece| piece.number);
    let first = pieces.first_mut()?;
    let mut label = None;
    if first.extended {
        let mut parts = first.bytes.splitn(3, |b| *b == b'\'');
        if let (Some(name), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) {
            label = std::str::from_utf8(name).ok().map(|name| name.trim().to_owned());
            first.bytes = text.to_vec();
        }
    }
    let bytes: Vec<u8> =
        pieces.iter().flat_map(|p| if p.extended { unescaped(&p.bytes) } else { p.bytes.clone() }).collect();
    let label = label.filter(|label| !label.is_empty());
    match label {
        Some(label) if !bytes.starts_with(b"=?") => Some(charset::decode(&bytes, Some(&label))),
        _ => Some(fields::text(&bytes)),
    }
}

/// Decodes `%41`.
pub(super) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let byte = match after {
            [high, low, ..] if *first == b'%' => hex_octet(*high, *low),
            _ => None,
        };
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_read_in_whatever_way_it_was_written() {
        for (raw, name) in [
            (&b"attachment; filename=a.txt"[..], "a.txt"),
            (b"attachment; filename=\"a; b \\\"c\\\".txt\"", "a; b \"c\".txt"),
            (b"attachment; filename=My file.pdf; size=3", "My file.pdf"),
            (b"attachment; FileName = \"a.txt\"", "a.txt"),
            (b"attachment; filename=\"C:\\TEMP\\a.txt\"", "C:\\TEMP\\a.txt"),
            (b"attachment; filename=\"open.txt", "open.txt"),
            (b"attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf", "Gr\u{fc}\u{df}e.pdf"),
            (b"attachment; filename*=\"utf-8'de'Gr%C3%BC%C3%9Fe.pdf\"", "Gr\u{fc}\u{df}e.pdf"),
            (b"attachment; filename=x.pdf; filename*=iso-8859-1''Gr%FC.pdf", "Gr\u{fc}.pdf"),
            (b"attachment;\r\n filename*0=\"one \";\r\n filename*1=\"two.txt\"", "one two.txt"),
            (b"a; filename*1*=%9F.txt; filename*0*=utf-8''a%C3", "a\u{df}.txt"),
            (b"a; filename*0*=utf-8''a%C3; filename*1*=%9F; filename*2=%41.txt", "a\u{df}%41.txt"),
            (b"a; filename=\"=?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?Q?.pdf?=\"", "Gr\u{fc}\u{df}e.pdf"),
            (b"a; filename==?utf-8?B?R3LDvMOfZS5wZGY=?=", "Gr\u{fc}\u{df}e.pdf"),
            (b"a; filename*0=\"=?utf-8?Q?Gr=C3=BC\"; filename*1=\"=C3=9Fe.pdf?=\"", "Gr\u{fc}\u{df}e.pdf"),
            (b"a; filename*=utf-8''=?utf-8?Q?Gr=C3=BC.pdf?=", "Gr\u{fc}.pdf"),
            (b"a; filename=\"Gr\xfc\xdfe.pdf\"", "Gr\u{fc}\u{df}e.pdf"),
            (b"a; filename*=''plain.txt", "plain.txt"),
            (b"a; filename*=plain.txt", "plain.txt"),
            (b"a; x; filename=b.txt;", "b.txt"),
        ] {
            let seen = parameter(raw, "filename").unwrap_or_default();
            assert_eq!(seen, name, "{}", String::from_utf8_lossy(raw));
        }
        assert_eq!(parameter(b"attachment; filename=\"\"", "filename"), None);
        assert_eq!(parameter(b"attachment; filenames=a", "filename"), None);
    }

    proptest! {
        #[test]
        fn no_field_stops_the_reading(raw in prop::collection::vec(any::<u8>(), 0..100), text in "(;|=|\"|filename|\\*|0|'|%|é|\\\\| |=\\?utf-8\\?Q\\?|\\?=){0,40}") {
            let _ = parameter(&raw, "filename");
            let _ = parameter(text.as_bytes(), "filename");
        }
    }
}
