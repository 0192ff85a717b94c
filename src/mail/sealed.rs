//! Mails that are signed or encrypted: which they are, the octets that were signed, and what was inside.
//!
//! Looks at the mail as it came and never at a prepared copy: a signature covers octets. Only a mail that
//! is sealed as a whole counts; a signed part among others says nothing about those others. Calls no
//! program and judges no signature.

use super::armour::{self, Armour};
use super::message::{self, Message};
use super::{body, sanitize_line};
use crate::domain::{Attachment, SealKind};
use mail_parser::{ContentType, MimeHeaders};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A mail that is signed or encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub kind: SealKind,
    pub form: SealedForm,
}

/// How a mail is signed or encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealedForm {
    /// `multipart/signed` (RFC 1847): what was signed, with CRLF line ends, and the signature decoded.
    Detached { signed: Vec<u8>, signature: Vec<u8> },
    /// One message that holds another MIME entity, encrypted or signed (RFC 3156, section 4; RFC 8551).
    Message { bytes: Vec<u8>, encrypted: bool },
    /// Armour in the text (RFC 9580, sections 6 and 7).
    Text { block: Vec<u8>, encrypted: bool },
    /// Only a part of it is.
    Partly,
}

impl SealedForm {
    /// Tells whether it cannot be read without a key.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Message { encrypted: true, .. } | Self::Text { encrypted: true, .. })
    }
}

/// Tells whether a mail that was read may be signed or encrypted, so that [`sealed`] is worth its time.
pub fn may_be_sealed(message: &Message) -> bool {
    let kind = message.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
    let whole = ["multipart/signed", "multipart/encrypted", "pkcs7-mime", ".p7m"];
    let parts = ["application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"];
    whole.iter().any(|word| kind.contains(word))
        || message.plain.as_deref().is_some_and(|text| armour::find(text.as_bytes()).is_some())
        || message.attachments.iter().any(|file| parts.contains(&file.media_type.as_str()))
}

/// Finds how a mail is signed or encrypted; `None` when it is neither, or in a way nobody knows.
pub fn sealed(raw: &[u8]) -> Option<Sealed> {
    catch_unwind(AssertUnwindSafe(|| find(raw))).ok().flatten()
}

fn find(raw: &[u8]) -> Option<Sealed> {
    let prepared = message::prepared(raw);
    let parsed = message::parse(&prepared)?;
    let root = parsed.parts.first()?;
    let kind = root.content_type();
    let offset =
        raw.len().checked_sub(prepared.len())?.checked_add(usize::try_from(root.offset_body).ok()?)?;
    let body = raw.get(offset..)?;
    let found = match kind.map(type_of).unwrap_or_default().as_str() {
        "multipart/signed" => kind.and_then(|kind| detached(kind, body)),
        "multipart/encrypted" => kind.and_then(|kind| encrypted(kind, body)),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => smime(body::bytes(&parsed, 0)?.into_owned()),
        "application/octet-stream" if root.attachment_name().is_some_and(|name| name.ends_with(".p7m")) => {
            smime(body::bytes(&parsed, 0)?.into_owned())
        }
        _ => text(&parsed),
    };
    found.or_else(|| partly(&parsed))
}

/// Gives `multipart/signed`, in lower case.
fn type_of(kind: &ContentType<'_>) -> String {
    format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase()
}

fn detached(kind: &ContentType<'_>, body: &[u8]) -> Option<Sealed> {
    let [signed, last] = <[&[u8]; 2]>::try_from(pieces(body, kind.attribute("boundary")?)).ok()?;
    let (media_type, signature) = entity(last)?;
    let kind = match media_type.as_str() {
        "application/pgp-signature" => SealKind::Pgp,
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => SealKind::Smime,
        _ => return None,
    };
    Some(Sealed { kind, form: SealedForm::Detached { signed: canonical(signed), signature } })
}

fn encrypted(kind: &ContentType<'_>, body: &[u8]) -> Option<Sealed> {
    let [version, data] = <[&[u8]; 2]>::try_from(pieces(body, kind.attribute("boundary")?)).ok()?;
    if entity(version)?.0 != "application/pgp-encrypted" {
        return None;
    }
    let bytes = entity(data)?.1;
    Some(Sealed { kind: SealKind::Pgp, form: SealedForm::Message { bytes, encrypted: true } })
}

/// Tells by the object identifier in front what a CMS message is (RFC 5652): its parameter may lie.
fn smime(bytes: Vec<u8>) -> Option<Sealed> {
    const PKCS7: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
    const AUTHENTICATED: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17";
    let start = bytes.get(..bytes.len().min(40))?;
    let place = start.windows(PKCS7.len()).position(|window| window == PKCS7);
    let number = place.and_then(|at| start.get(at + PKCS7.len()));
    let encrypted = match number {
        Some(2) => false,
        Some(3) => true,
        _ if start.windows(AUTHENTICATED.len()).any(|window| window == AUTHENTICATED) => true,
        _ => return None,
    };
    Some(Sealed { kind: SealKind::Smime, form: SealedForm::Message { bytes, encrypted } })
}

/// Finds armour in the first text of a mail.
fn text(parsed: &mail_parser::Message<'_>) -> Option<Sealed> {
    let leaf = parsed.parts.iter().position(|part| !part.is_multipart())?;
    parsed.parts.get(leaf).filter(|part| part.is_text())?;
    let bytes = body::bytes(parsed, u32::try_from(leaf).ok()?)?;
    let Armour { block, encrypted, .. } = armour::find(&bytes)?;
    Some(Sealed { kind: SealKind::Pgp, form: SealedForm::Text { block: block.to_vec(), encrypted } })
}

fn partly(parsed: &mail_parser::Message<'_>) -> Option<Sealed> {
    let kinds = parsed.parts.iter().filter_map(|part| part.content_type().map(type_of));
    let kind = |name: String| match name.as_str() {
        "application/pgp-signature" => Some(SealKind::Pgp),
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => Some(SealKind::Smime),
        _ => None,
    };
    kinds.filter_map(kind).next().map(|kind| Sealed { kind, form: SealedForm::Partly })
}

/// Gives what stands between the boundaries of a body, each piece without the line end that belongs to
/// the boundary after it (RFC 2046, section 5.1.1). An unfinished last piece counts.
fn pieces<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    let mut begun = None;
    let mut at = 0;
    for line in body.split_inclusive(|b| *b == b'\n') {
        if let Some(last) = delimiter(line, boundary) {
            if let Some(piece) = begun.and_then(|from: usize| body.get(from..at)) {
                let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
                found.push(piece.strip_suffix(b"\r").unwrap_or(piece));
            }
            begun = (!last).then_some(at + line.len());
        }
        at += line.len();
    }
    found.extend(begun.and_then(|from| body.get(from..)));
    found
}

/// Tells whether a line is a boundary, and whether it is the last.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    match rest.trim_ascii_end() {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// Gives the media type and the decoded bytes of a MIME entity without parts.
fn entity(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let prepared = message::prepared(bytes);
    let parsed = message::parse(&prepared)?;
    let kind = parsed.parts.first()?.content_type().map(type_of)?;
    Some((kind, body::bytes(&parsed, 0)?.into_owned()))
}

/// Ends every line with CRLF, as a signature over text demands.
fn canonical(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

/// Makes a mail of the header of one and the MIME entity that was inside.
///
/// Fields about the content are the entity's, all others the mail's; but a subject that was hidden on
/// the way (`...`) is the one that travelled inside.
pub fn unsealed(raw: &[u8], inside: &[u8]) -> Vec<u8> {
    let outer = message::prepared(raw);
    let outer = raw.get(raw.len().saturating_sub(outer.len())..).unwrap_or_default();
    let (inner_head, inner_body) = halves(inside);
    let mut mail = Vec::with_capacity(inside.len() + 4096);
    let hidden = |field: &&[u8]| named(field, "subject") && is_hidden(field);
    let subject = fields(inner_head).into_iter().find(|field| named(field, "subject"));
    for field in fields(halves(outer).0).into_iter().filter(|field| !about_content(field)) {
        mail.extend_from_slice(subject.filter(|_| hidden(&field)).unwrap_or(field));
    }
    for field in fields(inner_head).into_iter().filter(|field| about_content(field)) {
        mail.extend_from_slice(field);
    }
    mail.extend_from_slice(b"\r\n");
    mail.extend_from_slice(inner_body);
    mail
}

/// Splits an entity into header and body; the empty line goes.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let body = message::body_of(bytes);
    let head = bytes.get(..bytes.len().saturating_sub(body.len())).unwrap_or_default();
    (head, body)
}

/// Splits a header into its fields, each with its folded lines and line end.
fn fields(head: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in head.split_inclusive(|b| *b == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            found.extend(head.get(start..at));
            start = at;
        }
        at += line.len();
    }
    found.extend(head.get(start..at));
    found.retain(|field| field.contains(&b':'));
    found
}

fn named(field: &[u8], name: &str) -> bool {
    let own = field.split(|b| *b == b':').next().unwrap_or_default();
    own.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

fn about_content(field: &[u8]) -> bool {
    named(field, "mime-version")
        || field.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-"))
}

/// Tells whether a subject only stands in for the one inside.
fn is_hidden(field: &[u8]) -> bool {
    let value = field.splitn(2, |b| *b == b':').nth(1).unwrap_or_default().trim_ascii();
    matches!(value, b"..." | b"[...]" | b"" | b"Encrypted Message")
}

/// Reads what was signed as the mail, so that nothing else is shown under the signature.
///
/// The files keep the numbers that they have in the mail as it came. `None` when those are other files:
/// then somebody built a mail that programs read in different ways.
pub fn read_signed(raw: &[u8], signed: &[u8]) -> Option<Message> {
    let view = unsealed(raw, signed);
    let mut message = message::read(&view).ok()?;
    let inside = files(&view, &message.attachments);
    for file in &mut message.attachments {
        file.part = file.part.map(|part| part.saturating_add(1));
    }
    (inside == files(raw, &message.attachments)).then_some(message)
}

/// Gives the decoded bytes of files, by the parts they name.
pub fn files(raw: &[u8], files: &[Attachment]) -> Vec<Option<Vec<u8>>> {
    let read = catch_unwind(AssertUnwindSafe(|| {
        let prepared = message::prepared(raw);
        let parsed = message::parse(&prepared)?;
        Some(files.iter().map(|file| body::bytes(&parsed, file.part?).map(Cow::into_owned)).collect())
    }));
    read.ok().flatten().unwrap_or_else(|| vec![None; files.len()])
}

/// Shows the text of a mail without its armour; gives the lines that went.
///
/// `inside` is what a program took out of it. Text outside of the armour stays, and so does the answer
/// to the question whether there is any. What came beside the text as HTML goes: nobody signed it.
pub fn show_text(message: &mut Message, inside: Option<&[u8]>) -> Option<(String, bool)> {
    let text = message.plain.clone()?;
    let (shown, lines, alone) =
        armour::without(&text, inside.map(|bytes| super::charset::decode(bytes, None)))?;
    message.plain = Some(super::safe::sanitize_text(&shown.replace("\r\n", "\n")));
    message.html = None;
    Some((lines, alone))
}

/// Splits a composed mail into the fields before its content, and the entity to be signed.
pub fn to_sign(mail: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (head, body) = halves(mail);
    let (inner, outer): (Vec<&[u8]>, Vec<&[u8]>) = fields(head)
        .into_iter()
        .filter(|field| !named(field, "mime-version"))
        .partition(|field| about_content(field));
    let entity = [&inner.concat(), b"\r\n".as_slice(), body].concat();
    (outer.concat(), canonical(entity.trim_ascii_end()))
}

/// Puts a mail together of its fields, what was signed, and the signature (RFC 1847).
pub fn with_signature(
    fields: &[u8],
    signed: &[u8],
    kind: SealKind,
    signature: &[u8],
    micalg: &str,
) -> Vec<u8> {
    use base64::Engine as _;
    let boundary = format!("=_{}", blake3::hash(signed).to_hex().chars().take(40).collect::<String>());
    let (protocol, part) = match kind {
        SealKind::Pgp => ("application/pgp-signature", "; name=\"signature.asc\"\r\n\r\n"),
        SealKind::Smime => (
            "application/pkcs7-signature",
            "; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        ),
    };
    let signature = match kind {
        SealKind::Pgp => canonical(signature.trim_ascii_end()),
        SealKind::Smime => {
            let text = base64::engine::general_purpose::STANDARD.encode(signature);
            let lines = text.as_bytes().chunks(76);
            lines.collect::<Vec<_>>().join(b"\r\n".as_slice())
        }
    };
    let micalg = sanitize_line(micalg);
    let head = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/signed; micalg={micalg};\r\n protocol=\"{protocol}\";\r\n \
         boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
    );
    let between = format!("\r\n--{boundary}\r\nContent-Type: {protocol}{part}");
    let end = format!("\r\n--{boundary}--\r\n");
    [fields, head.as_bytes(), signed, between.as_bytes(), &signature, end.as_bytes()].concat()
}
