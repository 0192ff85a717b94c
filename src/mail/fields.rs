//! Header fields: encoded words, addresses, identifiers and dates out of bytes that may be anything.

use super::charset;
use super::safe::{cut, sanitize_line};
use crate::domain::{EmailAddress, Mailbox, MessageId};
use jiff::Timestamp;
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use std::borrow::Cow;

/// Longest field that is looked at, in octets.
const FIELD_MAX: usize = 64 * 1024;
/// Most addresses and identifiers that are taken from one field.
const LIST_MAX: usize = 1000;

/// What becomes of the encoded words of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// Their text stands in the field.
    Decoded,
    /// They are written anew, each whole and in UTF-8, for a parser that still has to split the field.
    Kept,
}

/// Gives the text of an unstructured field: unfolded, decoded, on one line, harmless.
pub(super) fn text(raw: &[u8]) -> String {
    if let Some(text) = simple(raw) {
        return text;
    }
    sanitize_line(&words(&unfold(raw), Words::Decoded))
}

/// Gives the text of a field that is nothing but printable ASCII without encoded words, as most are.
fn simple(raw: &[u8]) -> Option<String> {
    if !is_plain(raw) {
        return None;
    }
    let bare = raw.trim_ascii();
    let control = bare.iter().fold(false, |any, b| any | (*b < b' '));
    let both = bare.iter().zip(bare.iter().skip(1));
    if !control && !both.fold(false, |any, (a, b)| any | (*a == b' ' && *b == b' ')) {
        return String::from_utf8(bare.to_vec()).ok();
    }
    let mut line = Vec::with_capacity(raw.len());
    for b in raw.iter().filter(|b| !matches!(b, b'\r' | b'\n')) {
        match b {
            b' ' | b'\t' if line.last().is_none_or(|last| *last == b' ') => {}
            b' ' | b'\t' => line.push(b' '),
            b => line.push(*b),
        }
    }
    line.truncate(line.trim_ascii_end().len());
    String::from_utf8(line).ok()
}

/// Tells whether a field is nothing but printable ASCII without encoded words.
fn is_plain(raw: &[u8]) -> bool {
    is_printable(raw) && !holds_words(raw)
}

/// Tells whether a field that is not too long is nothing but printable ASCII.
fn is_printable(raw: &[u8]) -> bool {
    let printable = |b: &u8| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    raw.len() <= FIELD_MAX && raw.iter().fold(true, |all, b| all & printable(b))
}

/// Tells whether encoded words may stand in a field.
fn holds_words(raw: &[u8]) -> bool {
    find_pair(raw, *b"=?").is_some()
}

/// Finds two octets that stand side by side.
fn find_pair(octets: &[u8], [first, second]: [u8; 2]) -> Option<usize> {
    memchr::memchr_iter(first, octets).find(|at| octets.get(at + 1) == Some(&second))
}

/// Gives the mailboxes of an address field; groups are flattened, what is not an address is left out.
pub(super) fn mailboxes(raw: &[u8]) -> Vec<Mailbox> {
    if let Some(mailbox) = lone_mailbox(raw) {
        return vec![mailbox];
    }
    let mut field = words(&unfold(raw), Words::Kept).into_bytes();
    field.push(b'\n');
    let found: Vec<Mailbox> = match MessageStream::new(&field).parse_address() {
        HeaderValue::Address(list) => list.iter().take(LIST_MAX).filter_map(mailbox).collect(),
        _ => Vec::new(),
    };
    if found.is_empty() { bare_addresses(&text(raw)) } else { found }
}

/// Reads a field that is one address and nothing else, as most are: bare, or with a name that is plain words or
/// encoded as a whole.
fn lone_mailbox(raw: &[u8]) -> Option<Mailbox> {
    let field = std::str::from_utf8(raw.trim_ascii()).ok()?;
    let (name, address) = match field.strip_suffix('>') {
        Some(rest) => rest.split_once('<')?,
        None => ("", field),
    };
    let words = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'.' | b'-' | b'_');
    let atoms = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+' | b'=' | b'@');
    if !address.bytes().all(atoms) {
        return None;
    }
    let name = name.trim_ascii();
    let name = match run_of_words(name) {
        Some((text, "")) => unquote(&sanitize_line(&text)),
        None if name.bytes().all(words) => sanitize_line(name),
        _ => return None,
    };
    Some(Mailbox { name: Some(name).filter(|name| !name.is_empty()), email: EmailAddress::parse(address)? })
}

/// Makes a mailbox of what the parser found.
fn mailbox(found: &mail_parser::Addr<'_>) -> Option<Mailbox> {
    let email = EmailAddress::parse(found.address.as_deref()?)?;
    let name = found.name.as_deref().map(sanitize_line).map(|name| unquote(&name));
    Some(Mailbox { name: name.filter(|name| !name.is_empty()), email })
}

/// Takes one pair of quotes off a name that was quoted twice.
fn unquote(name: &str) -> String {
    let name = name.trim_matches(['<', '>', ' ']);
    for quote in ['"', '\''] {
        if let Some(inner) = name.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner.trim().to_owned();
        }
    }
    name.to_owned()
}

/// Finds addresses in a field that follows no grammar.
fn bare_addresses(text: &str) -> Vec<Mailbox> {
    let pieces = text.split(|c: char| c.is_whitespace() || "<>,;\"'()[]".contains(c));
    let with_at = pieces.filter(|piece| piece.contains('@'));
    let emails = with_at.filter_map(|piece| EmailAddress::parse(piece.trim_matches([':', '.'])));
    emails.take(LIST_MAX).map(|email| Mailbox { name: None, email }).collect()
}

/// Gives the identifiers of a field in their order, whatever stands between them.
///
/// Exchange and iOS join them with commas, others break them with blanks; without any brackets each
/// word with an `@` counts.
pub(super) fn message_ids(raw: &[u8]) -> Vec<MessageId> {
    let simple = if is_printable(raw) { std::str::from_utf8(raw).ok() } else { None };
    let field = match simple {
        Some(field) if field.contains('<') => Cow::Borrowed(field),
        _ => Cow::Owned(unfold(raw)),
    };
    let solid = |id: &str| id.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let mut ids: Vec<MessageId> = Vec::new();
    for id in bracketed(&field).take(LIST_MAX) {
        let whole = id.bytes().fold(true, |all, b| all & b.is_ascii_graphic());
        ids.extend(if whole { MessageId::parse(id) } else { MessageId::parse(&solid(id)) });
    }
    if ids.is_empty() && !field.contains('<') {
        let words = field.split([' ', '\t', ',', ';']).filter(|word| word.contains('@'));
        ids.extend(words.take(LIST_MAX).filter_map(MessageId::parse));
    }
    ids
}

/// Gives what stands between `<` and the next `>`, each without another `<`.
fn bracketed(field: &str) -> impl Iterator<Item = &str> {
    let mut rest = field;
    std::iter::from_fn(move || {
        loop {
            let at = memchr::memchr(b'<', rest.as_bytes())?;
            let inner = rest.get(at + 1..)?;
            let end = memchr::memchr2(b'<', b'>', inner.as_bytes())?;
            rest = inner.get(end..)?;
            if rest.starts_with('>') {
                return inner.get(..end);
            }
        }
    })
}

/// Gives the identifier of the mail itself; one without an `@` or without brackets counts as well.
pub(super) fn message_id(raw: &[u8]) -> Option<MessageId> {
    message_ids(raw).into_iter().next().or_else(|| MessageId::parse(&unfold(raw)))
}

/// Gives the time of a date field, if it names one.
pub(super) fn date(raw: &[u8]) -> Option<Timestamp> {
    let mut field = unfold(raw).into_bytes();
    field.push(b'\n');
    match MessageStream::new(&field).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => Timestamp::from_second(date.to_timestamp()).ok(),
        _ => None,
    }
}

/// Gives a field as text on one line, in whatever charset its bytes are.
fn unfold(raw: &[u8]) -> String {
    if raw.len() <= FIELD_MAX && raw.is_ascii() && !raw.contains(&0x1b) {
        let mut line = raw.trim_ascii().to_vec();
        line.retain(|b| !matches!(b, b'\r' | b'\n' | b'\0'));
        let line = String::from_utf8(line).unwrap_or_default();
        return if line.len() == line.trim().len() { line } else { line.trim().to_owned() };
    }
    let text = charset::decode(raw.get(..raw.len().min(FIELD_MAX)).unwrap_or_default(), None);
    let line: String = text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
    line.trim().to_owned()
}

/// One encoded word: its charset and its bytes.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    /// The base64 of the bytes.
    digits: Option<Cow<'a, str>>,
    rest: &'a str,
}

/// Decodes the encoded words of a field (RFC 2047), neighbours of one charset together: many programs
/// break a character in two between words.
fn words(field: &str, mode: Words) -> String {
    let mut out = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = find_pair(rest.as_bytes(), *b"=?") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match run_of_words(from) {
            Some((text, after)) => {
                write_word(&mut out, &text, mode);
                if mode == Words::Kept && !after.starts_with([' ', '\t']) && !after.is_empty() {
                    out.push(' ');
                }
                rest = after;
            }
            None => {
                out.push_str("=?");
                rest = from.get(2..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// Writes the text of a run of encoded words.
fn write_word(out: &mut String, text: &str, mode: Words) {
    if mode == Words::Decoded {
        out.push_str(text);
        return;
    }
    out.push_str("=?utf-8?Q?");
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default().to_ascii_uppercase();
    for byte in text.bytes() {
        out.extend(['=', digit(byte >> 4), digit(byte & 15)]);
    }
    out.push_str("?=");
}

/// Decodes the words at the beginning of a text up to the first thing that is not one.
fn run_of_words(from: &str) -> Option<(String, &str)> {
    let mut word = encoded_word(from)?;
    let mut text = String::new();
    loop {
        let next = word.rest.trim_start_matches([' ', '\t']);
        match encoded_word(next) {
            Some(next) if next.charset.eq_ignore_ascii_case(word.charset) && !shifts(word.charset) => {
                word.bytes.extend(next.bytes);
                word.digits = word.digits.zip(next.digits).map(|(before, more)| before + more);
                word.rest = next.rest;
            }
            Some(next) => {
                text.push_str(&word.text());
                word = next;
            }
            None => {
                text.push_str(&word.text());
                return Some((text, word.rest));
            }
        }
    }
}

impl Word<'_> {
    /// Decodes the bytes; base64 that was cut within a group of four makes sense only as a whole.
    fn text(&self) -> String {
        let is_utf8 = self.charset.eq_ignore_ascii_case("utf-8") || self.charset.eq_ignore_ascii_case("utf8");
        if let Some(digits) =
            self.digits.as_ref().filter(|_| is_utf8 && std::str::from_utf8(&self.bytes).is_err())
            && let Ok(text) = String::from_utf8(base64(digits))
        {
            return text;
        }
        charset::decode(&self.bytes, Some(self.charset))
    }
}

/// Tells whether a charset has escapes of its own: each word ends in the first state (RFC 2047, section 3),
/// and two escapes in a row, as joined words would have them, count as an error.
fn shifts(charset: &str) -> bool {
    charset.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("iso-2022-"))
}

/// Reads one encoded word; blanks inside, missing padding, a missing end and a language tag are tolerated.
fn encoded_word(from: &str) -> Option<Word<'_>> {
    let (charset, rest) = from.strip_prefix("=?")?.split_once('?')?;
    let (kind, rest) = rest.split_once('?')?;
    let end = find_pair(rest.as_bytes(), *b"?=");
    let ended = end.and_then(|at| Some((rest.get(..at)?, rest.get(at + 2..)?)));
    let ended = ended.filter(|(payload, _)| !holds_words(payload.as_bytes()));
    let (payload, rest) = ended.unwrap_or_else(|| unended(rest));
    if charset.is_empty()
        || charset.len() > 60
        || charset.contains([' ', '='])
        || payload.is_empty() && ended.is_none()
    {
        return None;
    }
    let charset = charset.split('*').next().unwrap_or(charset);
    match kind.trim() {
        "b" | "B" => Some(Word { charset, bytes: base64(payload), digits: Some(payload.into()), rest }),
        "q" | "Q" => Some(Word { charset, bytes: quoted(payload), digits: None, rest }),
        _ => None,
    }
}

/// Gives the text of a word that does not end: up to the next blank or the next word.
fn unended(from: &str) -> (&str, &str) {
    let blank = from.find([' ', '\t', '"', ',', '<', '>', ')']).unwrap_or(from.len());
    let next = find_pair(from.as_bytes(), *b"=?").unwrap_or(from.len());
    let (payload, rest) = from.split_at_checked(blank.min(next)).unwrap_or((from, ""));
    (payload.trim_end_matches('?'), rest)
}

/// Decodes base64, skipping what does not belong there.
pub(super) fn base64(payload: &str) -> Vec<u8> {
    let mut bits = 0_u32;
    let mut count = 0_u32;
    let mut bytes = Vec::with_capacity(payload.len());
    for b in payload.bytes() {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                count = 0;
                continue;
            }
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    bytes
}

/// Decodes the Q encoding.
fn quoted(payload: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len());
    let mut rest = payload.as_bytes();
    while let [octet, after @ ..] = rest {
        rest = after;
        let quoted = match rest {
            [high, low, ..] if *octet == b'=' => hex_octet(*high, *low),
            _ => None,
        };
        bytes.push(match (octet, quoted) {
            (_, Some(quoted)) => {
                rest = rest.get(2..).unwrap_or_default();
                quoted
            }
            (b'_', None) => b' ',
            (octet, None) => *octet,
        });
    }
    bytes
}

/// Gives the octet that two hexadecimal digits in either case stand for.
pub(super) fn hex_octet(high: u8, low: u8) -> Option<u8> {
    Some(hex_digit(high)? << 4 | hex_digit(low)?)
}

fn hex_digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    }
}

/// Gives the address that a `Received` field names as its recipient: `for <address>`.
pub(super) fn received_for(raw: &[u8]) -> Option<String> {
    // Most hosts name nobody, and their fields need not be read.
    if memchr::memchr(b'@', raw).is_none() && !holds_words(raw) {
        return None;
    }
    let is_even = || memchr::memchr_iter(b'\r', raw).all(|at| raw.get(at + 1) == Some(&b'\n'));
    let field = if is_plain(raw) && is_even() { String::from_utf8_lossy(raw) } else { text(raw).into() };
    let octets = field.as_bytes();
    let is_blank = |octet: u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let at = memchr::memchr2_iter(b'f', b'F', octets).find(|at| {
        let word = octets.get(*at..at + 3).is_some_and(|word| word.eq_ignore_ascii_case(b"for"));
        let before = at.checked_sub(1).and_then(|at| octets.get(at));
        word && octets.get(at + 3).is_some_and(|b| is_blank(*b))
            && before.is_none_or(|b| is_blank(*b) || matches!(b, b')' | b';'))
    })?;
    let after = field.get(at + 3..)?.trim_start();
    let word = after.split([' ', '\t', '\r', '\n', ';', '>']).next()?.trim_start_matches('<');
    word.contains('@').then(|| cut(word, EmailAddress::MAX).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_read_in_their_broken_forms_too() {
        for (raw, out) in [
            ("=?utf-8?Q?Caf=C3=A9?=", "Café"),
            ("=?utf-8?B?Q2Fmw6k=?= au lait", "Café au lait"),
            ("=?utf-8?B?Q2Fmw6k?=", "Café"),
            ("=?utf-8?Q?Caf=C3?= =?utf-8?Q?=A9?=", "Café"),
            ("=?utf-8?Q?a?= =?iso-8859-1?Q?=E9?= b", "aé b"),
            ("=?utf-8*en?Q?a_b?=", "a b"),
            ("=?utf-8?Q?a b?=", "a b"),
            ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
            ("=?utf-8?Q?op=65n", "open"),
            ("=?utf-8?Q?op=65n?", "open"),
            ("=?utf-8?Q?caf=C3=A9 and more", "café and more"),
            ("=?utf-8?B?Q2Fmw6k=", "Café"),
            ("=?utf-8?Q?a=?utf-8?Q?b?=", "ab"),
            ("=?utf-8?Q?why=3F?=", "why?"),
            ("=?utf-8?Q?a=+Ab=4?=", "a=+Ab=4"),
            ("=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
            ("=?utf-8?b?Q2Fmw6k=?=", "Café"),
            ("=?utf-8?B?Q2Fmw6?= =?utf-8?B?kgb2s=?=", "Café ok"),
            ("=?utf-8?B?Q2Fmw6k?= =?utf-8?B?IG9r?=", "Café ok"),
            ("=?x-unknown?Q?caf=E9?=", "café"),
            ("=?utf-8?Q?caf=E9_cr=E8me?=", "café crème"),
            ("=? ?=", "=? ?="),
            ("=??Q?a?=", "=??Q?a?="),
            ("a =?= b =?", "a =?= b =?"),
            ("=?windows-1252?Q?=93hi=94?=", "\u{201c}hi\u{201d}"),
            ("Re: one\r\n two", "Re: one two"),
        ] {
            assert_eq!(text(raw.as_bytes()), out, "{raw:?}");
        }
        assert_eq!(text(b"caf\xe9"), "café");
    }

    #[test]
    fn addresses_come_out_of_odd_fields() {
        let one = |raw: &str| {
            mailboxes(raw.as_bytes()).iter().map(ToString::to_string).collect::<Vec<_>>().join("|")
        };
        for (raw, out) in [
            ("Ada <ada@x.example>, bob@y.example", "Ada <ada@x.example>|bob@y.example"),
            ("\"Doe, Jane\" <jane@x.example>", "Doe, Jane <jane@x.example>"),
            ("=?utf-8?Q?M=C3=BCller=2C_Jo?= <jo@x.example>", "Müller, Jo <jo@x.example>"),
            ("\"=?utf-8?Q?J=C3=B6?=\" <jo@x.example>", "Jö <jo@x.example>"),
            ("=?utf-8?Q?J=C3=B6?=<jo@x.example>", "Jö <jo@x.example>"),
            ("'Jo' <jo@x.example>", "Jo <jo@x.example>"),
            ("=?utf-8?Q?J=C3=B6 <jo@x.example>", "Jö <jo@x.example>"),
            ("jo@x.example (=?utf-8?Q?J=C3=B6?=)", "Jö <jo@x.example>"),
            ("\"Smith =?utf-8?Q?J=C3=B6?= (x)\" <jo@x.example>", "Smith Jö (x) <jo@x.example>"),
            (
                "=?utf-8?Q?J=C3=B6_=3Cevil=40y.example=3E?= <jo@x.example>",
                "Jö <evil@y.example <jo@x.example>",
            ),
            ("undisclosed-recipients:;", ""),
            ("friends: a@x.example, b@x.example;", "a@x.example|b@x.example"),
            ("<<jo@x.example>>", "jo@x.example"),
            ("nobody", ""),
        ] {
            assert_eq!(one(raw), out, "{raw:?}");
        }
    }

    #[test]
    fn one_plain_address_is_read_as_the_parser_reads_it() {
        for raw in [
            "ada@x.example",
            " Ada M. Lovelace <ada@x.example>\r\n",
            "<ada@x.example>",
            "a  b <a@x> ",
            "a@b@c",
            "Ada <ada@x.example> Lovelace",
            "Ada <Bob <ada@x.example>",
            "-<-a@x>",
            "<@x>",
            "@",
            "<>",
            "a@x>",
            "=?utf-8?Q?J=C3=B6_=22?= <jo@x.example>",
            "=?utf-8?Q?'J=C3=B6'?= =?utf-8?Q?=2C_Jo_<x@y>?= <jo@x.example>",
            "=?utf-8?B?SsO2?=<jo@x.example>",
            "=?utf-8?Q?J=C3=B6 <jo@x.example>",
        ] {
            let mut field = words(raw.trim(), Words::Kept).into_bytes();
            field.push(b'\n');
            let parsed = MessageStream::new(&field).parse_address();
            let found = match &parsed {
                HeaderValue::Address(list) => list.iter().find_map(mailbox),
                _ => None,
            };
            if let Some(alone) = lone_mailbox(raw.as_bytes()) {
                assert_eq!(Some(alone), found, "{raw}");
            }
        }
        let alone = |raw: &str| lone_mailbox(raw.as_bytes()).map(|mailbox| mailbox.to_string());
        assert_eq!(alone("Ada  B. <ada@x.example>\r\n").as_deref(), Some("Ada B. <ada@x.example>"));
        for raw in
            ["a@x, b@x", "\"A\" <a@x>", "A (b) <a@x>", "A <a@x> b", "Grüße <a@x>", "=?utf-8?Q?a?= b <a@x>"]
        {
            assert_eq!(alone(raw), None, "{raw}");
        }
    }

    #[test]
    fn identifiers_come_out_whatever_joins_them() {
        let ids = |raw: &str| {
            message_ids(raw.as_bytes()).iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>().join(" ")
        };
        for (raw, out) in [
            ("<a@x> <b@x>", "a@x b@x"),
            ("<a@x>,<b@x>", "a@x b@x"),
            ("<a@x><b@x>", "a@x b@x"),
            ("<a@\r\n x>", "a@x"),
            ("a@x b@x", "a@x b@x"),
            ("your mail of Monday <a@x>", "a@x"),
            ("your mail of Monday", ""),
            ("<a<b@x> c>", "b@x"),
            ("<a@x>b> <c@x", "a@x"),
        ] {
            assert_eq!(ids(raw), out, "{raw:?}");
        }
    }

    #[test]
    fn received_names_its_recipient() {
        for (raw, out) in [
            ("from a by b with ESMTP id 1 for <x+key@y.example>; Mon, 1 Jan 2024", Some("x+key@y.example")),
            ("by b for x@y.example; Mon", Some("x@y.example")),
            ("from forest.example by b; Mon", None),
            ("by b\r\n\tfor\r\n\t<x@y.example>;\r\n\tMon\r\n", Some("x@y.example")),
            ("by b\rfor <x@y.example>\r\n", None),
            ("by b for <x\r@y.example>\r\n", Some("x@y.example")),
        ] {
            assert_eq!(received_for(raw.as_bytes()).as_deref(), out);
        }
    }
}
