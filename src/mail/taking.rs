//! Taking texts or files out of a mail for good, so that what is left still reads as the same mail.
//!
//! Knows nothing of the store: it gives other bytes, or says that there was nothing to take out.

use super::body::media_type;
use super::message::{caught, parse, prepared, unreadable};
use crate::domain::{Cuts, MessageId};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use std::ops::Range;

/// How deep mails within mails are looked into. Each level costs a few times what the one above does.
const DEPTH: u8 = 4;
const BASE64_LINE: usize = 76;

/// A stretch of a mail, and what takes its place.
type Swap = (Range<usize>, Vec<u8>);

/// Gives a mail without the texts, however it encodes them; `None` where none of them stands in it.
///
/// A mail from which they cannot be taken keeps nothing but a line that says so.
pub fn without(raw: &[u8], cuts: &Cuts) -> Option<Vec<u8>> {
    without_to(raw, cuts, DEPTH)
}

/// Does so in mails within it as well, so many deep.
fn without_to(raw: &[u8], cuts: &Cuts, depth: u8) -> Option<Vec<u8>> {
    if !holds(raw, cuts, depth) {
        return None;
    }
    let left = caught(|| swapped(raw, |parsed, bytes| texts(parsed, bytes, cuts, depth)));
    let left = left.ok().filter(|left| !holds(left, cuts, depth));
    Some(
        left.unwrap_or_else(|| {
            emptied(None, "Parts of this mail were taken out, and nothing could be kept.")
        }),
    )
}

/// Gives a mail without one of its parts, by the place that an attachment carries.
pub fn without_part(raw: &[u8], part: u32, instead: &str) -> Vec<u8> {
    let left = caught(|| {
        swapped(raw, |parsed, _| {
            let found = parsed.part(part).filter(|part| !part.is_multipart());
            found
                .map(|found| body(found, "text/plain; charset=utf-8", instead.as_bytes()))
                .into_iter()
                .flatten()
                .collect()
        })
    });
    left.unwrap_or_else(|_| emptied(None, instead))
}

/// Makes the mail that stands where one was that must not be kept.
pub fn emptied(id: Option<&MessageId>, text: &str) -> Vec<u8> {
    let id =
        id.map_or(String::new(), |id| format!("Message-ID: <{}>\r\n", id.as_str().trim_matches(['<', '>'])));
    format!("From: erased@erased.invalid\r\n{id}Subject: (erased)\r\n\r\n{text}\r\n").into_bytes()
}

/// Tells whether a text stands in a mail, plainly or encoded.
fn holds(raw: &[u8], cuts: &Cuts, depth: u8) -> bool {
    if cuts.are_in(raw) {
        return true;
    }
    let encoded = caught(|| {
        let bytes = prepared(raw);
        let parsed = parse(&bytes).ok_or_else(|| unreadable("it has no header fields"))?;
        Ok(!texts(&parsed, &bytes, cuts, depth).is_empty())
    });
    encoded.unwrap_or(false)
}

fn swapped(
    raw: &[u8],
    swaps: impl FnOnce(&Message<'_>, &[u8]) -> Vec<Swap>,
) -> Result<Vec<u8>, super::Unreadable> {
    let bytes = prepared(raw);
    let parsed = parse(&bytes).ok_or_else(|| unreadable("it has no header fields"))?;
    let mut swaps = swaps(&parsed, &bytes);
    swaps.sort_by_key(|(at, _)| (at.start, at.end));
    let (mut left, mut behind) = (Vec::with_capacity(bytes.len()), 0);
    for (at, with) in swaps.into_iter() {
        if at.start < behind {
            continue;
        }
        left.extend_from_slice(bytes.get(behind..at.start).unwrap_or_default());
        left.extend(with);
        behind = at.end;
    }
    left.extend_from_slice(bytes.get(behind..).unwrap_or_default());
    Ok(left)
}

/// Lists what has to change so that the texts are gone.
fn texts(parsed: &Message<'_>, bytes: &[u8], cuts: &Cuts, depth: u8) -> Vec<Swap> {
    let mut swaps = Vec::new();
    for part in &parsed.parts {
        let content = part_swaps(part, bytes, cuts, depth);
        // What is written anew brings its own fields on how it is encoded.
        let anew = !content.is_empty();
        swaps.extend(content);
        for field in &part.headers {
            let at = range(field.offset_field, field.offset_end);
            if !(anew && is_about_content(field.name.as_str())) {
                swaps.extend(
                    field_without(bytes.get(at.clone()).unwrap_or_default(), cuts).map(|with| (at, with)),
                );
            }
        }
    }
    if swaps.is_empty() && cuts.are_in(bytes) {
        // Before the first part, or behind the last one.
        swaps.push((0..bytes.len(), cuts.out_of(bytes).unwrap_or_default()));
    }
    swaps
}

/// Gives what has to change in one part; nothing where it does not hold the texts.
fn part_swaps(part: &MessagePart<'_>, bytes: &[u8], cuts: &Cuts, depth: u8) -> Vec<Swap> {
    let named = part.attachment_name().is_some_and(|name| cuts.are_in(name.as_bytes()));
    let kind = if named { "application/octet-stream".to_owned() } else { media_type(part) };
    match &part.body {
        PartType::Text(text) | PartType::Html(text) => {
            text_swaps(part, text, &format!("{kind}; charset=utf-8"), named, cuts)
        }
        PartType::Binary(content) | PartType::InlineBinary(content) => match cuts.out_of(content) {
            Some(left) => body(part, &kind, &left),
            None if named => body(part, &kind, content),
            None => Vec::new(),
        },
        PartType::Message(inner) => {
            let encoded = !matches!(part.encoding, mail_parser::Encoding::None);
            let raw = if encoded { inner.raw_message.as_ref() } else { part_bytes(part, bytes) };
            inner_swaps(part, raw, raw.len() < bytes.len(), cuts, depth)
        }
        PartType::Multipart(_) => Vec::new(),
    }
}

/// Gives what has to change in a mail within the mail; `smaller` says that it is one, and not the whole again.
fn inner_swaps(part: &MessagePart<'_>, raw: &[u8], smaller: bool, cuts: &Cuts, depth: u8) -> Vec<Swap> {
    match depth.checked_sub(1).filter(|_| smaller) {
        Some(depth) => without_to(raw, cuts, depth).map_or_else(Vec::new, |left| {
            coded(part, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n", left)
        }),
        None if cuts.are_in(raw) => body(part, "text/plain; charset=utf-8", b"(a mail was taken out)"),
        None => Vec::new(),
    }
}

fn text_swaps(part: &MessagePart<'_>, text: &str, kind: &str, named: bool, cuts: &Cuts) -> Vec<Swap> {
    match cuts.out_of(text.as_bytes()) {
        Some(left) => body(part, kind, &left),
        None if named => body(part, kind, text.as_bytes()),
        None => Vec::new(),
    }
}

fn part_bytes<'a>(part: &MessagePart<'_>, bytes: &'a [u8]) -> &'a [u8] {
    bytes.get(range(part.offset_body, part.offset_end)).unwrap_or_default()
}

/// Writes the content of a part anew, with the fields that say how it is encoded.
fn body(part: &MessagePart<'_>, kind: &str, content: &[u8]) -> Vec<Swap> {
    let lines = STANDARD.encode(content);
    let lines = lines.as_bytes().chunks(BASE64_LINE).flat_map(|line| [line, b"\r\n"]).flatten().copied();
    let fields = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n");
    coded(part, &fields, lines.collect())
}

/// Puts fields and octets in the place of what a part has.
fn coded(part: &MessagePart<'_>, fields: &str, mut written: Vec<u8>) -> Vec<Swap> {
    let about = part.headers.iter().filter(|field| is_about_content(field.name.as_str()));
    let mut swaps: Vec<Swap> =
        about.map(|field| (range(field.offset_field, field.offset_end), Vec::new())).collect();
    // Before the first field, so that what stands first in the part is no empty line.
    let first = part.offset_header as usize;
    if part.headers.is_empty() {
        written.splice(0..0, format!("{fields}\r\n").into_bytes());
        swaps.push((first..part.offset_end as usize, written));
    } else {
        swaps.push((first..first, fields.as_bytes().to_vec()));
        swaps.push((range(part.offset_body, part.offset_end), written));
    }
    swaps
}

fn is_about_content(name: &str) -> bool {
    ["content-type", "content-transfer-encoding", "content-disposition"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Gives a field without the texts, if they stand in it, plainly or as encoded words.
fn field_without(field: &[u8], cuts: &Cuts) -> Option<Vec<u8>> {
    let colon = field.iter().position(|octet| *octet == b':')?;
    let (name, value) = field.split_at(colon);
    let decoded = decoded(value.get(1..)?);
    let left = cuts.out_of_text(&decoded);
    if left.is_none() && !cuts.are_in(field) {
        return None;
    }
    let left = left.unwrap_or_default();
    let words: Vec<String> = left.split_whitespace().map(encoded).collect();
    Some([name, b": ", words.join("\r\n ").as_bytes(), b"\r\n"].concat())
}

/// Reads a value as a subject is read: encoded words become what they mean.
fn decoded(value: &[u8]) -> String {
    let mail = [b"Subject:", value, b"\r\n\r\n"].concat();
    let parsed = MessageParser::new().parse(&mail);
    parsed.and_then(|parsed| parsed.subject().map(str::to_owned)).unwrap_or_default()
}

/// Writes a word as a header takes it (RFC 2047).
fn encoded(word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    let pieces = word.chars().collect::<Vec<_>>();
    let pieces = pieces.chunks(10).map(|piece| piece.iter().collect::<String>());
    pieces.map(|piece| format!("=?utf-8?B?{}?=", STANDARD.encode(piece))).collect::<Vec<_>>().join("\r\n ")
}

fn range(from: u32, to: u32) -> Range<usize> {
    from as usize..to as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Border, Cut};
    use crate::mail;

    fn cuts() -> Cuts {
        let cut = |text: &str, border| Cut { text: text.into(), with: "(gone)".into(), border };
        let address =
            Cut { with: "gone@erased.invalid".into(), ..cut("ada@customer.example", Border::Address) };
        Cuts::new(&[cut("Ada Lövelace", Border::Word), cut("the secret word", Border::Any), address]).unwrap()
    }

    fn encoded(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn a_text_leaves_a_mail_however_it_is_encoded_and_the_rest_stays() {
        let inner = "From: Eve <eve@x.example>\r\nSubject: inner\r\n\r\nhere is the secret word\r\n";
        let raw = format!(
            "From: Eve <eve@x.example>\r\nTo: =?utf-8?Q?Ada_L=C3=B6velace?= <Ada@customer.example>\r\n\
             Subject: =?utf-8?B?{}?= and more\r\nMIME-Version: 1.0\r\nMessage-ID: <1@x.example>\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n\
             --b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
             Before. The secre=\r\nt word, f=FCr alle.\r\n\
             --b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nNothing of it here.\r\n\
             --b\r\nContent-Type: text/csv; name=list.csv\r\nContent-Disposition: attachment; filename=list.csv\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n\
             --b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n",
            encoded("of Ada Lövelace"),
            encoded("<p>Ask <b>Ada Lövelace</b> for the secret\n word</p>"),
            encoded("name,Ada Lövelace\nother,kept\n"),
        );
        let left = without(raw.as_bytes(), &cuts()).unwrap();
        let read = mail::read(&left).unwrap();
        assert!(!holds(&left, &cuts(), DEPTH));
        assert_eq!(read.subject, "of (gone) and more");
        assert_eq!(read.to[0].email.as_str(), "gone@erased.invalid");
        assert_eq!(read.from.unwrap().email.as_str(), "eve@x.example");
        assert_eq!(read.message_id.unwrap().as_str().trim_matches(['<', '>']), "1@x.example");
        let text = String::from_utf8(mail::part(&left, 1, &[]).unwrap()).unwrap();
        assert!(text.contains("Before. (gone), für alle."), "{text}");
        let before = mail::read(raw.as_bytes()).unwrap();
        assert_eq!(read.attachments.len(), before.attachments.len(), "places of files stay");
        assert!(String::from_utf8_lossy(&left).contains("Nothing of it here."));
        let list = before.attachments.iter().find(|file| file.name == "list.csv").unwrap();
        let list = mail::part(&left, list.part.unwrap(), &[]).unwrap();
        assert_eq!(String::from_utf8(list).unwrap(), "name,(gone)\nother,kept\n");
    }

    #[test]
    fn a_mail_of_one_part_keeps_its_fields() {
        let raw = format!(
            "From: eve@x.example\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            encoded("this is the secret word.")
        );
        let left = without(raw.as_bytes(), &cuts()).unwrap();
        let read = mail::read(&left).unwrap();
        assert_eq!(
            (read.subject.as_str(), read.plain.as_deref().map(str::trim)),
            ("x", Some("this is (gone)."))
        );
        assert_eq!(without(b"Subject: other\r\n\r\nnothing\r\n", &cuts()), None);
    }

    #[test]
    fn a_file_leaves_a_mail_and_the_others_keep_their_places() {
        let raw = "From: eve@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
                   --b\r\nContent-Type: text/plain\r\n\r\nSee.\r\n\
                   --b\r\nContent-Type: image/png; name=a.png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\nAAAA\r\n\
                   --b\r\nContent-Type: image/png; name=b.png\r\nContent-Disposition: attachment; filename=b.png\r\n\r\nBBBB\r\n--b--\r\n";
        let files = mail::read(raw.as_bytes()).unwrap().attachments;
        let left = without_part(raw.as_bytes(), files[0].part.unwrap(), "(taken out)");
        let text = String::from_utf8_lossy(&left);
        assert!(!text.contains("AAAA") && !text.contains("a.png"), "{text}");
        assert_eq!(mail::part(&left, files[1].part.unwrap(), &[]).unwrap(), b"BBBB");
    }

    #[test]
    fn mails_within_mails_have_an_end() {
        let mut raw = "Subject: x\r\n\r\nthe secret word\r\n".to_owned();
        for _ in 0..20 {
            raw = format!("Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n{raw}");
        }
        let left = without(raw.as_bytes(), &cuts()).unwrap();
        assert!(!holds(&left, &cuts(), DEPTH));
        assert!(String::from_utf8_lossy(&left).contains("Subject: outer"));
    }

    #[test]
    fn noise_is_read_without_harm() {
        for noise in
            [&b""[..], b"\r\n", b":", b"the secret word", b"X: the secret word", b"--\xff\x00the secret word"]
        {
            if let Some(left) = without(noise, &cuts()) {
                assert!(!holds(&left, &cuts(), DEPTH));
            }
        }
    }
}
