//! The parts of a mail, found at the lines between them, without a look at what stands in them.
//!
//! mail-parser reads a mail octet by octet, and each part as it comes. Here the ends of fields and parts are looked for
//! at once, and every field that the parts need is read by mail-parser. It must not know how parts are encoded.

use super::unfold::is_to_unfold;
use mail_parser::parsers::MessageStream;
use mail_parser::{
    ContentType, Header, HeaderName, HeaderValue, Message, MessagePart, MimeHeaders, PartType,
};
use memchr::memmem::Finder;
use std::borrow::Cow;

/// What stands between two boundaries.
struct Multipart {
    index: usize,
    boundary: Finder<'static>,
    is_digest: bool,
    is_related: bool,
    children: Vec<u32>,
}

/// Gives the parts of a mail as mail-parser gives them, in their octets, texts with nothing in them yet.
///
/// `None` where a mail stands within the mail, where not every part has its end, or where lines of a header have to be
/// [joined](super::unfold::unfolded) first.
pub(super) fn split(bytes: &[u8]) -> Option<Message<'_>> {
    let mut parts: Vec<MessagePart<'_>> = Vec::new();
    let mut open: Vec<Multipart> = Vec::new();
    let mut at = 0;
    loop {
        let (headers, body) = fields(bytes, at)?;
        let index = parts.len();
        let mut part = MessagePart {
            headers,
            offset_header: u32::try_from(at).ok()?,
            offset_body: u32::try_from(body).ok()?,
            ..MessagePart::default()
        };
        if let Some(parent) = open.last_mut() {
            parent.children.push(u32::try_from(index).ok()?);
        }
        if part.content_type().is_some_and(|kind| kind.ctype() == "multipart") {
            let multipart = multipart(&part, index)?;
            at = first_part(bytes, body, &multipart.boundary)?;
            open.push(multipart);
            parts.push(part);
            continue;
        }
        let (end, next) = part_end(bytes, body, open.last())?;
        part.offset_end = u32::try_from(end).ok()?;
        part.body = form(&part, open.last(), bytes.get(body..end)?)?;
        parts.push(part);
        match behind(bytes, next, &mut open, &mut parts)? {
            Some(next) => at = next,
            None => break,
        }
    }
    parts.first_mut()?.offset_end = u32::try_from(bytes.len()).ok()?;
    Some(Message { parts, raw_message: Cow::Borrowed(bytes), ..Message::default() })
}

/// Reads the header that begins at a place; gives its fields, and where the body begins. Of the values only those
/// are read that say what a part is.
fn fields(bytes: &[u8], from: usize) -> Option<(Vec<Header<'_>>, usize)> {
    let mut headers = Vec::with_capacity(if from == 0 { 24 } else { 4 });
    let mut at = from;
    loop {
        let blank = bytes.get(at..)?.iter().position(|b| *b == b'\n' || !b.is_ascii_whitespace())?;
        at += blank;
        let field = bytes.get(at..)?;
        if field.first() == Some(&b'\n') {
            return Some((headers, at + 1));
        }
        let mut stream = MessageStream::new(field);
        let Some(name) = stream.parse_header_name() else {
            at = read_to(bytes, at, at + stream.offset())?;
            continue;
        };
        let offset_field = u32::try_from(at).ok()?;
        let start = at + stream.offset();
        let value = value(&mut stream, &name);
        at = match value {
            Some(_) => read_to(bytes, at, at + stream.offset())?,
            None => field_end(bytes, at)?,
        };
        headers.push(Header {
            name,
            value: value.unwrap_or(HeaderValue::Empty),
            offset_field,
            offset_start: u32::try_from(start).ok()?,
            offset_end: u32::try_from(at).ok()?,
        });
    }
}

/// Reads the value of a field that says what a part is.
fn value<'x>(stream: &mut MessageStream<'x>, name: &HeaderName<'_>) -> Option<HeaderValue<'x>> {
    Some(match name {
        HeaderName::ContentType | HeaderName::ContentDisposition => stream.parse_content_type(),
        HeaderName::ContentId => stream.parse_id(),
        HeaderName::ContentDescription | HeaderName::ContentLocation => stream.parse_unstructured(),
        _ => return None,
    })
}

/// Finds the end of a field: the first line end without a blank behind it. `None` where lines have to be joined first.
fn field_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut line = from;
    while let Some(length) = memchr::memchr(b'\n', bytes.get(line..)?) {
        line = next_line(bytes, line, line + length)?;
        if !matches!(bytes.get(line), Some(b' ' | b'\t')) {
            return Some(line);
        }
    }
    Some(bytes.len())
}

/// Gives the end up to which a field was read; `None` where its lines have to be joined first.
fn read_to(bytes: &[u8], from: usize, end: usize) -> Option<usize> {
    let mut line = from;
    for at in memchr::memchr_iter(b'\n', bytes.get(from..end)?) {
        line = next_line(bytes, line, from + at)?;
    }
    Some(end)
}

/// Gives where the next line begins; `None` where it has to be joined with this one.
fn next_line(bytes: &[u8], from: usize, end: usize) -> Option<usize> {
    let (line, after) = (bytes.get(from..end)?.trim_ascii_end(), bytes.get(end + 1..)?);
    (!is_to_unfold(line, after)).then_some(end + 1)
}

fn multipart(part: &MessagePart<'_>, index: usize) -> Option<Multipart> {
    let kind = part.content_type()?;
    let boundary = kind.attribute("boundary").filter(|boundary| !boundary.is_empty())?;
    Some(Multipart {
        index,
        boundary: Finder::new(&[b"--", boundary.as_bytes()].concat()).into_owned(),
        is_digest: kind.subtype() == Some("digest"),
        is_related: kind.subtype() == Some("related"),
        children: Vec::new(),
    })
}

/// Finds where the first part of a multipart begins.
fn first_part(bytes: &[u8], body: usize, boundary: &Finder<'_>) -> Option<usize> {
    let found = boundary.find(bytes.get(body..)?)?;
    Some(line_end(bytes, body + found + boundary.needle().len()))
}

/// Goes over blanks up to the end of the line, if nothing else stands there.
fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let blanks = rest.iter().take_while(|b| matches!(b, b'\r' | b' ' | b'\t')).count();
    from + blanks + usize::from(rest.get(blanks) == Some(&b'\n'))
}

/// Finds the end of a part, and where its boundary ends. What stands in no multipart goes on to the end.
fn part_end(bytes: &[u8], body: usize, parent: Option<&Multipart>) -> Option<(usize, usize)> {
    let Some(Multipart { boundary, .. }) = parent else { return Some((bytes.len(), bytes.len())) };
    let rest = bytes.get(body..)?;
    let found = boundary.find(rest)?;
    let inner = rest.get(..found)?;
    let whole = inner.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Some((body + whole.unwrap_or(inner).len(), body + found + boundary.needle().len()))
}

/// Tells what a part is, and takes its octets.
fn form<'x>(part: &MessagePart<'x>, parent: Option<&Multipart>, octets: &'x [u8]) -> Option<PartType<'x>> {
    let sub = |kind: &ContentType<'_>, name: &str| kind.subtype() == Some(name);
    let Some(kind) = part.content_type() else {
        let is_mail = parent.is_some_and(|parent| parent.is_digest);
        return (!is_mail).then_some(PartType::Text(Cow::Borrowed("")));
    };
    Some(match kind.ctype() {
        "text" if sub(kind, "html") => PartType::Html(Cow::Borrowed("")),
        "text" => PartType::Text(Cow::Borrowed("")),
        "message" if sub(kind, "rfc822") || sub(kind, "global") => return None,
        "image" | "audio" | "video" if !is_aside(part, parent) => {
            PartType::InlineBinary(Cow::Borrowed(octets))
        }
        _ => PartType::Binary(Cow::Borrowed(octets)),
    })
}

/// Tells whether a picture or the like is not to be shown where it stands.
fn is_aside(part: &MessagePart<'_>, parent: Option<&Multipart>) -> bool {
    part.content_disposition().is_some_and(ContentType::is_attachment)
        || parent.is_some_and(|parent| parent.is_related && parent.children.len() > 1)
}

/// Goes on behind a boundary: gives where the next part begins, and nothing at the end of the mail.
fn behind(
    bytes: &[u8],
    from: usize,
    open: &mut Vec<Multipart>,
    parts: &mut [MessagePart<'_>],
) -> Option<Option<usize>> {
    let mut at = from;
    while let Some(done) = open.last() {
        match bytes.get(at..)? {
            [b'-', b'-', ..] => at += 2,
            [b'\r', b'\n', ..] => return Some(Some(at + 2)),
            [b'\n', ..] => return Some(Some(at + 1)),
            [b, ..] if b.is_ascii_whitespace() => return Some(Some(line_end(bytes, at + 1))),
            _ => return Some(Some(at)),
        }
        let part = parts.get_mut(done.index)?;
        let children = open.pop()?.children;
        part.body = PartType::Multipart(children);
        let Some(Multipart { boundary, .. }) = open.last() else { break };
        let rest = bytes.get(at..)?;
        let found = boundary.find(rest)?;
        let line = memchr::memrchr(b'\n', rest.get(..found)?);
        let end = line.map_or(0, |end| end - usize::from(end > 0 && rest.get(end - 1) == Some(&b'\r')));
        part.offset_end = u32::try_from(at + end).ok()?;
        at += found + boundary.needle().len();
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::super::message::parse;
    use super::super::skim::settled;
    use super::*;
    use proptest::prelude::*;

    /// What becomes of a mail by the parser and by its parts, without the octets of the whole.
    fn both(mail: &str) -> (Option<String>, Option<String>) {
        let shown = |message: Option<Message<'_>>| message.map(|message| format!("{:?}", message.parts));
        (
            shown(parse(mail.as_bytes())),
            shown(split(mail.as_bytes()).and_then(|parts| settled(parts, mail.as_bytes(), |_| false))),
        )
    }

    #[test]
    fn whole_mails_are_split_as_they_are_parsed() {
        for mail in [
            "Subject: a\n\nb\n",
            "Subject: a\r\n b\r\n\r\n",
            "Content-Type: application/pdf\n\nx",
            "Content-Type: multipart/mixed; boundary=a\n\npreface\n--a\n\none\n--a\nContent-Type: image/png\n\ntwo\n--a--\nend\n",
            "Content-Type: multipart/related; boundary=a\r\n\r\n--a\r\nContent-Type: text/html\r\n\r\none\r\n--a\r\nContent-Type: image/png\r\n\r\ntwo\r\n--a--",
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n\n--a\n\ntwo--a--",
            "Content-Type: multipart/mixed; boundary=a\n\n--a  \n\n\n--a\nno field\n: none\n\n--a--\n",
        ] {
            let (parsed, split) = both(mail);
            assert!(split.is_some() && split == parsed, "{mail:?}\n{split:?}\n{parsed:?}");
        }
    }

    #[test]
    fn a_mail_whose_fields_have_to_be_joined_first_is_not_split() {
        for mail in [
            "Content-Type: multipart/mixed; boundary=\n a\n\n--a\n\none\n--a--\n",
            "Content-Type: multipart/mixed;\nboundary=a\n\n--a\n\none\n--a--\n",
            "X-Odd: 1;\r\nBoundary=a\r\n\r\nx",
            "odd;\nboundary=a\n\nx",
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Disposition: attachment; filename=\n\tx\n\none\n--a--\n",
        ] {
            assert!(split(mail.as_bytes()).is_none(), "{mail:?}");
        }
        for mail in
            ["DKIM-Signature: v=1; bh=\n x; b=\n\ty\n\nx", "X: y;\n boundary=a\n\nx", "X: y;\nZ: name=\n\nx"]
        {
            assert!(split(mail.as_bytes()).is_some(), "{mail:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_split_is_what_is_parsed(
            kind in "mixed|alternative|related|digest",
            body in prop::collection::vec("--a\n|--b\n|\n--a|\r\n--b\r\n|--a--|--b--|\n|\r\n| |\t|x|é|--|Content-Type: (multipart/(mixed|digest|related); boundary=b|text/html|text/x|image/png|message/rfc822|multipart/x)\n\n?|Content-Disposition: (inline|attachment)\n\n?|Content-ID: <i>\n|X: y\n z\n\n", 0..20),
        ) {
            let mail = format!("Subject: s\nContent-Type: multipart/{kind}; boundary=a\n\n{}", body.concat());
            let (parsed, split) = both(&mail);
            prop_assert!(split.is_none() || split == parsed, "{:?}\n{:?}\n{:?}", mail, split, parsed);
        }
    }
}
