//! The parts of a mail: which are its text, which are files.

use super::safe::{cut, is_harmless, safe_file_name, sanitize_text};
use super::{calendar, charset, container, flowed, html, parameters, skim, uuencode};
use crate::domain::Attachment;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};
use std::borrow::Cow;

/// Most files that are listed.
const FILES_MAX: usize = 1000;
/// Most octets of one part that are shown as text; a longer one is a file as well.
const TEXT_MAX: usize = 1024 * 1024;

/// The texts and files of a mail.
#[derive(Default)]
pub(super) struct Bodies {
    pub(super) plain: Option<String>,
    pub(super) html: Option<String>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) defects: Vec<String>,
}

/// A piece of text in one or both forms; alternatives of one thing are one piece.
#[derive(Default)]
struct Piece {
    group: Option<usize>,
    plain: Option<String>,
    html: Option<String>,
}

impl Piece {
    fn is_blank(&self) -> bool {
        let html = self.html.as_deref().is_none_or(is_blank_html);
        html && self.plain.as_deref().is_none_or(|text| text.trim().is_empty())
    }
}

/// Sorts the parts of a mail into text and files.
pub(super) fn bodies(message: &Message<'_>) -> Bodies {
    let groups = alternatives(message);
    let leaves = message.parts.iter().filter(|part| !part.is_multipart()).count();
    let mut found = Bodies::default();
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut packed, mut events, mut lost) = (None, Vec::new(), 0_usize);
    for (index, part) in message.parts.iter().enumerate() {
        if part.is_multipart() {
            continue;
        }
        if part.is_encoding_problem {
            found.defects.push(format!("part {index} is damaged"));
        }
        let group = groups.get(index).copied().flatten();
        match form(part, leaves == 1, pieces.is_empty(), group.is_some()) {
            Form::File if found.attachments.len() < FILES_MAX => {
                if is_calendar(part) {
                    events.extend(calendar::events(&text(message, part), method(part)));
                }
                add_file(&mut found, &mut packed, file(message, index, part), || part_bytes(message, part));
            }
            Form::File => lost += 1,
            _ if is_long(message, part) => {
                let file = file(message, index, part);
                found.defects.push(format!("the text is cut; all of it is the file {}", file.name));
                found.attachments.push(file);
                add(&mut pieces, group, is_type(part, "text", "html"), text(message, part));
            }
            Form::Html => add(&mut pieces, group, true, text(message, part)),
            Form::Plain => {
                let bytes = may_hold_files(message, part);
                let (text, files) = plain(message, part, &bytes);
                add(&mut pieces, group, false, text);
                if let (Some(index), true) = (u32::try_from(index).ok(), files) {
                    found.attachments.extend(container::files(&bytes, index, FILES_MAX));
                }
            }
        }
    }
    if lost > 0 {
        found.defects.push(format!("{lost} further files are not listed"));
    }
    let blank = (packed.is_some() || !events.is_empty()) && pieces.iter().all(Piece::is_blank);
    if let Some(packed) = packed.filter(|_| blank) {
        pieces = vec![packed];
    }
    if !events.is_empty() {
        let words = calendar::words(&events, blank);
        pieces.insert(0, Piece { plain: Some(words), ..Piece::default() });
    }
    (found.plain, found.html) = join(pieces);
    found
}

/// Adds a file, or what is packed in it; keeps the text that was packed with it.
fn add_file<'a>(
    found: &mut Bodies,
    packed: &mut Option<Piece>,
    file: Attachment,
    bytes: impl FnOnce() -> Cow<'a, [u8]>,
) {
    if !container::is_packed(&file) {
        return found.attachments.push(file);
    }
    let bytes = bytes();
    let Some(contents) = container::open(&bytes) else { return found.attachments.push(file) };
    let files = container::files(&bytes, file.part.unwrap_or_default(), FILES_MAX);
    let nothing = files.is_empty() && contents.plain.is_none() && contents.html.is_none();
    if !contents.whole {
        found.defects.push(format!("{} is damaged", file.name));
    }
    // What could not be read to its end, or holds nothing that we know, stays to be had as it is.
    if nothing || !contents.whole {
        found.attachments.push(file);
    }
    found.attachments.extend(files);
    let plain = contents.plain.map(|text| tidy(&text));
    let html = contents.html.map(|text| tidy(&text));
    packed.get_or_insert(Piece { group: None, plain, html });
}

fn is_calendar(part: &MessagePart<'_>) -> bool {
    is_type(part, "text", "calendar") || is_type(part, "application", "ics")
}

/// Gives the method of a calendar's part.
fn method<'a>(part: &'a MessagePart<'_>) -> Option<&'a str> {
    part.content_type().and_then(|kind| kind.attribute("method"))
}

/// Gives for each part the outermost `multipart/alternative` it stands in.
fn alternatives(message: &Message<'_>) -> Vec<Option<usize>> {
    let mut groups = vec![None; message.parts.len()];
    for (index, part) in message.parts.iter().enumerate() {
        let Some(children) = part.sub_parts() else { continue };
        let own = groups.get(index).copied().flatten();
        let group = own.or_else(|| is_type(part, "multipart", "alternative").then_some(index));
        for child in children {
            let child = usize::try_from(*child).unwrap_or(usize::MAX);
            if child > index
                && let Some(slot) = groups.get_mut(child)
            {
                *slot = group;
            }
        }
    }
    groups
}

fn is_type(part: &MessagePart<'_>, main: &str, sub: &str) -> bool {
    part.content_type().is_some_and(|t| {
        t.ctype().eq_ignore_ascii_case(main) && t.subtype().is_some_and(|s| s.eq_ignore_ascii_case(sub))
    })
}

/// What a part is to the reader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Html,
    File,
}

/// Decides what a part is; `only` when the mail has no other, `first` when no text came before it.
fn form(part: &MessagePart<'_>, only: bool, first: bool, alternative: bool) -> Form {
    let unread = part.content_type().is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("multipart"));
    if !part.is_text() && !part.is_text_html() && !unread {
        return Form::File;
    }
    let attached = part.content_disposition().is_some_and(|d| d.ctype().eq_ignore_ascii_case("attachment"));
    let named = part.attachment_name().is_some();
    if !only && (attached || named && !alternative && !first) {
        return Form::File;
    }
    let Some(kind) = part.content_type() else { return Form::Plain };
    match (kind.ctype(), kind.subtype()) {
        (main, Some(sub)) if main.eq_ignore_ascii_case("text") => {
            let is = |names: &[&str]| names.iter().any(|name| sub.eq_ignore_ascii_case(name));
            if is(&["html"]) {
                return Form::Html;
            }
            let is_other_form = is(&["enriched", "richtext"]) && alternative && !first;
            let is_shown = only || is(&["plain", "markdown", "x-markdown", "enriched", "richtext"]);
            if is(&["calendar"]) || is_other_form || !is_shown { Form::File } else { Form::Plain }
        }
        (main, _) if main.eq_ignore_ascii_case("text") || main.eq_ignore_ascii_case("multipart") => {
            Form::Plain
        }
        _ if only => Form::Plain,
        _ => Form::File,
    }
}

/// Adds a text to the piece it is a form of, or begins a new one.
fn add(pieces: &mut Vec<Piece>, group: Option<usize>, html: bool, text: String) {
    let joins = group.is_some() && pieces.last().is_some_and(|last| last.group == group);
    if !joins {
        pieces.push(Piece { group, ..Piece::default() });
    }
    let Some(piece) = pieces.last_mut() else { return };
    let slot = if html { &mut piece.html } else { &mut piece.plain };
    match slot {
        Some(before) => {
            before.push('\n');
            before.push_str(&text);
        }
        None => *slot = Some(text),
    }
}

/// Joins the pieces to one text of each form; a piece that lacks a form is turned into it.
fn join(mut pieces: Vec<Piece>) -> (Option<String>, Option<String>) {
    let plain_everywhere =
        pieces.iter().all(|p| p.plain.is_some() || p.html.as_deref().is_none_or(is_blank_html));
    if let [Piece { plain, html, .. }] = pieces.as_mut_slice() {
        return (plain.take().filter(|_| plain_everywhere), html.take());
    }
    let plain: Vec<&str> = pieces.iter().filter_map(|p| p.plain.as_deref()).collect();
    let plain = (plain_everywhere && !plain.is_empty()).then(|| plain.join("\n"));
    if pieces.iter().all(|p| p.html.is_none()) {
        return (plain, None);
    }
    let html: Vec<Cow<'_, str>> = pieces
        .iter()
        .map(|p| match (&p.html, &p.plain) {
            (Some(html), _) => Cow::Borrowed(html.as_str()),
            (None, Some(plain)) => Cow::Owned(format!("<pre>{}</pre>", escape(plain))),
            (None, None) => Cow::Borrowed(""),
        })
        .collect();
    (plain, Some(html.join("\n")))
}

/// Tells whether HTML shows nothing, as the lone `<br>` that Apple Mail puts after a file.
fn is_blank_html(html: &str) -> bool {
    let mut inside = false;
    let mut visible = html.chars().filter(|c| {
        inside = if *c == '<' { true } else { inside };
        let shown = !inside && !c.is_whitespace();
        inside = if *c == '>' { false } else { inside };
        shown
    });
    html.len() < 2000 && visible.next().is_none()
}

/// Makes text safe to stand in HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Decodes a plain text; says whether files stand in it, which are left out of what is given.
fn plain(message: &Message<'_>, part: &MessagePart<'_>, bytes: &[u8]) -> (String, bool) {
    if !uuencode::may_hold(bytes) {
        return (text(message, part), false);
    }
    let (kept, files) = uuencode::take_out(bytes);
    if files.is_empty() {
        return (text(message, part), false);
    }
    let declared = part.content_type().and_then(|kind| kind.attribute("charset"));
    (unflowed(part, tidy(&charset::decode(&kept, declared))), true)
}

/// Gives text with plain line ends, without characters that could steer a terminal.
fn tidy(text: &str) -> String {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return sanitize_text(text);
    }
    let mut lines = String::with_capacity(text.len());
    let mut pieces = text.split('\r');
    lines.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        if !piece.starts_with('\n') {
            lines.push('\n');
        }
        lines.push_str(piece);
    }
    if is_harmless(&lines) { lines } else { sanitize_text(&lines) }
}

/// Decodes the text of a part.
fn text(message: &Message<'_>, part: &MessagePart<'_>) -> String {
    let declared = part.content_type().and_then(|kind| kind.attribute("charset"));
    let decoded = match &part.body {
        PartType::Text(text) | PartType::Html(text)
            if !is_broken_base64(part) && !suspicious(text, declared) =>
        {
            Cow::Borrowed(cut(text, TEXT_MAX))
        }
        _ => {
            let bytes = part_bytes(message, part);
            Cow::Owned(charset::decode(bytes.get(..bytes.len().min(TEXT_MAX)).unwrap_or_default(), declared))
        }
    };
    unflowed(part, tidy(&decoded))
}

/// Gives the beginning of a part with that index as text, whatever it is: UTF-8 where it is that, else what it says that
/// it is, or looks like. No guess is made of a file that is no text.
pub(super) fn report_text(message: &Message<'_>, index: u32, most: usize) -> String {
    let Some(part) = message.part(index).filter(|part| !part.is_multipart()) else { return String::new() };
    let bytes = part_bytes(message, part);
    let bytes = bytes.get(..bytes.len().min(most)).unwrap_or_default();
    let kind = part.content_type();
    let is_text = part.is_text() || kind.is_none_or(|kind| matches!(kind.ctype(), "text" | "message"));
    if simdutf8::basic::from_utf8(bytes).is_ok() {
        charset::decode(bytes, None)
    } else if is_text {
        charset::decode(bytes, kind.and_then(|kind| kind.attribute("charset")))
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// Puts the lines of a text together, if it says that they were broken for the way.
fn unflowed(part: &MessagePart<'_>, text: String) -> String {
    let attribute = |name: &str| part.content_type().and_then(|kind| kind.attribute(name));
    let is_flowed = attribute("format").is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
    if is_flowed && !is_type(part, "text", "html") {
        return flowed::decode(&text, attribute("delsp").is_some_and(|d| d.eq_ignore_ascii_case("yes")));
    }
    text
}

/// Tells whether the parser's decoding may be wrong, so that the bytes are looked at again.
fn suspicious(text: &str, declared: Option<&str>) -> bool {
    let holds = |octets: &str| memchr::memmem::find(text.as_bytes(), octets.as_bytes()).is_some();
    let zeros = memchr::memchr(0, text.as_bytes()).is_some();
    if text.is_ascii() {
        return zeros;
    }
    // How the encoded forms of the characters from U+0080 to U+00FF begin.
    let eight_bit = |text: &str| memchr::memchr2(0xc2, 0xc3, text.as_bytes()).is_some();
    let other = declared.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8"));
    other && eight_bit(text) && !is_latin(text, declared) || zeros || holds("\u{fffd}")
}

/// Tells whether a text that says it is in a Latin charset surely is: a letter of eight bits that stands alone is no
/// UTF-8, and what the parser's tables and ours may differ in begins with other octets.
fn is_latin(text: &str, declared: Option<&str>) -> bool {
    let octets = text.as_bytes();
    let alone = |at: usize| {
        let is_ascii = |at: Option<usize>| at.and_then(|at| octets.get(at)).is_none_or(u8::is_ascii);
        is_ascii(at.checked_sub(1)) && is_ascii(Some(at + 2))
    };
    let said = |name: &str| declared.is_some_and(|declared| declared.eq_ignore_ascii_case(name));
    ["iso-8859-1", "iso-8859-15", "windows-1252"].iter().any(|name| said(name))
        && memchr::memchr(0xc2, octets).is_none()
        && memchr::memchr_iter(0xc3, octets).any(alone)
}

/// Gives the bytes of a part as they were before charset decoding.
fn part_bytes<'a>(message: &'a Message<'_>, part: &'a MessagePart<'_>) -> Cow<'a, [u8]> {
    let bytes = transferred(message, part);
    if is_uuencoded(part) { Cow::Owned(uuencode::decode(&bytes)) } else { bytes }
}

/// Tells whether a part says that it is in a charset in which the bytes of ASCII are nothing else.
fn keeps_ascii(part: &MessagePart<'_>) -> bool {
    let charset = part.content_type().and_then(|kind| kind.attribute("charset")).unwrap_or("utf-8");
    let begins = |name: &str| charset.get(..name.len()).is_some_and(|c| c.eq_ignore_ascii_case(name));
    ["utf-8", "iso-8859-", "windows-125"].iter().any(|name| begins(name))
}

/// Gives the bytes of a text if files may stand in it; else none.
fn may_hold_files<'a>(message: &'a Message<'_>, part: &'a MessagePart<'_>) -> Cow<'a, [u8]> {
    let place = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    if let PartType::Text(text) = &part.body
        && !is_broken_base64(part)
        && (text.is_ascii() || keeps_ascii(part))
        && !text.contains("begin ")
        && !is_uuencoded(part)
    {
        return Cow::Borrowed(&[]);
    }
    let raw = message.raw_message.get(place(part.offset_body)..place(part.offset_end));
    match (part.encoding, raw) {
        (Encoding::None, Some(raw))
            if !is_broken_base64(part) && !is_uuencoded(part) && !uuencode::may_hold(raw) =>
        {
            Cow::Borrowed(&[])
        }
        _ => part_bytes(message, part),
    }
}

/// Tells whether the part's transfer encoding is one that only we know.
fn is_uuencoded(part: &MessagePart<'_>) -> bool {
    let names = ["x-uuencode", "x-uue", "uuencode", "uue"];
    part.content_transfer_encoding()
        .is_some_and(|name| names.iter().any(|n| name.trim().eq_ignore_ascii_case(n)))
}

/// Gives the bytes of a part as its transfer encoding, if the parser knows it, gives them.
fn transferred<'a>(message: &'a Message<'_>, part: &'a MessagePart<'_>) -> Cow<'a, [u8]> {
    if let PartType::Binary(bytes) | PartType::InlineBinary(bytes) = &part.body {
        let encoded = if skim::is_encoded(part) { skim::base64(bytes) } else { None };
        return encoded.map_or(Cow::Borrowed(bytes), Cow::Owned);
    }
    let place = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    let raw = message.raw_message.get(place(part.offset_body)..place(part.offset_end)).unwrap_or_default();
    let decoded = match part.encoding {
        Encoding::Base64 => base64_decode(raw).or_else(|| mostly_base64(raw)),
        Encoding::QuotedPrintable => quoted_printable_decode(raw).or_else(|| mostly_quoted(raw)),
        Encoding::None if is_broken_base64(part) => mostly_base64(raw),
        Encoding::None => None,
    };
    decoded.map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// Tells whether the parser gave up on the base64 of a part.
fn is_broken_base64(part: &MessagePart<'_>) -> bool {
    let named = |name: &str| name.trim().eq_ignore_ascii_case("base64");
    part.is_encoding_problem && part.content_transfer_encoding().is_some_and(named)
}

/// Decodes base64 that has a little of something else in it (RFC 2045, section 6.8: that is to be ignored).
fn mostly_base64(raw: &[u8]) -> Option<Vec<u8>> {
    let solid = raw.iter().filter(|b| !b.is_ascii_whitespace());
    let (mut all, mut digits) = (0_usize, 0_usize);
    for b in solid {
        all += 1;
        digits += usize::from(b.is_ascii_alphanumeric() || b"+/=".contains(b));
    }
    let text = std::str::from_utf8(raw).ok().filter(|_| digits > 0 && all - digits <= all / 10)?;
    Some(super::fields::base64(text))
}

/// Decodes quoted-printable text in which an `=` stands for itself, as the parser does it with a whole mail.
fn mostly_quoted(raw: &[u8]) -> Option<Vec<u8>> {
    let (end, bytes) = MessageStream::new(raw).decode_quoted_printable_mime(&[]);
    (end != usize::MAX).then(|| bytes.into_owned())
}

/// Gives the bytes of the part with that index.
pub(super) fn bytes<'a>(message: &'a Message<'_>, index: u32) -> Option<Cow<'a, [u8]>> {
    let part = message.part(index).filter(|part| !part.is_multipart())?;
    Some(part_bytes(message, part))
}

/// Describes a part as a file.
fn file(message: &Message<'_>, index: usize, part: &MessagePart<'_>) -> Attachment {
    let media_type = media_type(part);
    let disposition = part.content_disposition().map(|d| d.ctype().to_ascii_lowercase());
    let shown = part.content_id().is_some() || disposition.as_deref() == Some("inline");
    Attachment {
        name: name(message, part, index, &media_type),
        size: u64::try_from(size(message, part)).unwrap_or(u64::MAX),
        inline: media_type.starts_with("image/") && shown && disposition.as_deref() != Some("attachment"),
        media_type,
        part: u32::try_from(index).ok(),
        within: Vec::new(),
        raw: None,
    }
}

/// Gives the decoded size of a part without copying what needs no decoding.
fn size(message: &Message<'_>, part: &MessagePart<'_>) -> usize {
    match &part.body {
        _ if is_uuencoded(part) || is_broken_base64(part) => part_bytes(message, part).len(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            let encoded = if skim::is_encoded(part) { skim::base64_length(bytes) } else { None };
            encoded.unwrap_or(bytes.len())
        }
        _ if part.encoding == Encoding::None => {
            usize::try_from(part.offset_end.saturating_sub(part.offset_body)).unwrap_or(0)
        }
        _ => part_bytes(message, part).len(),
    }
}

/// Tells whether a text is longer than what is shown; encoded it is no shorter.
fn is_long(message: &Message<'_>, part: &MessagePart<'_>) -> bool {
    let shown = if is_type(part, "text", "html") { html::SOURCE_MAX } else { TEXT_MAX };
    let encoded = usize::try_from(part.offset_end.saturating_sub(part.offset_body)).unwrap_or(usize::MAX);
    encoded > shown && size(message, part) > shown
}

/// Gives the media type of a part, or the default for one that names none.
pub(super) fn media_type(part: &MessagePart<'_>) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
    match part.content_type() {
        Some(kind) => {
            let name =
                format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream")).to_ascii_lowercase();
            if name.chars().all(|c| c == '/' || fits(c)) {
                name
            } else {
                "application/octet-stream".to_owned()
            }
        }
        None if part.is_message() => "message/rfc822".to_owned(),
        None if part.is_text() => "text/plain".to_owned(),
        None => "application/octet-stream".to_owned(),
    }
}

/// Gives the name that a part says it has.
fn own_name(message: &Message<'_>, part: &MessagePart<'_>) -> Option<String> {
    let place = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    let field = |wanted: &str| {
        let header = part.headers.iter().find(|h| h.name().eq_ignore_ascii_case(wanted))?;
        message.raw_message.get(place(header.offset_start)..place(header.offset_end))
    };
    let read = |wanted: &str, name: &str| parameters::parameter(field(wanted)?, name);
    let parsed = || part.attachment_name().map(|name| super::fields::text(name.as_bytes()));
    read("Content-Disposition", "filename")
        .or_else(|| read("Content-Type", "name"))
        .or_else(parsed)
        .filter(|name| !name.trim().is_empty())
}

/// Gives a part a name: its own, its subject when it is a mail, or one made of its type.
fn name(message: &Message<'_>, part: &MessagePart<'_>, index: usize, media_type: &str) -> String {
    if let Some(name) = own_name(message, part) {
        return safe_file_name(&name);
    }
    if let Some(nested) = super::message::nested(part) {
        let mut fields = super::message::raw_fields(nested);
        let subject = fields.find(|(name, _)| name.eq_ignore_ascii_case("Subject"));
        let subject = subject.map(|(_, raw)| super::fields::text(raw)).filter(|s| !s.is_empty());
        return safe_file_name(&format!(
            "{}.eml",
            subject.unwrap_or_else(|| "message".to_owned()).replace(['/', '\\'], "_")
        ));
    }
    let extension = match media_type {
        "text/plain" | "message/delivery-status" => "txt",
        "text/html" => "html",
        "text/calendar" => "ics",
        "image/jpeg" => "jpg",
        "message/rfc822" => "eml",
        "application/pgp-signature" => "asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        other => other.split_once('/').map_or("bin", |(_, sub)| if sub.len() <= 4 { sub } else { "bin" }),
    };
    safe_file_name(&format!("part-{index}.{extension}"))
}
