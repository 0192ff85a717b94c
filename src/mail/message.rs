//! A mail as a whole: its fields and parts, read from bytes that may be anything.

use super::body::{self, Bodies};
use super::bounce_text;
use super::container;
use super::fields;
use super::headers::Headers;
use super::html::{Rendered, html_to_text};
use super::skim::{settled, skim};
use super::split::split;
use super::unfold::{beginning, unfolded};
use super::words;
use crate::domain::{Attachment, EmailAddress, Mailbox, MessageId};
use jiff::Timestamp;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, OnceLock};

/// Most header fields that are kept, and most octets of each.
const FIELDS_MAX: usize = 500;
const FIELD_MAX: usize = 16 * 1024;
/// Largest mail whose structure is kept beside its meaning, in octets.
const STRUCTURE_MAX: usize = 512 * 1024;

/// A mail that could not be read at all; its bytes have to be kept as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this mail cannot be read: {reason}")]
pub struct Unreadable {
    pub reason: String,
}

/// A mail that was read. What is broken about it stands in `defects`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    pub message_id: Option<MessageId>,
    pub in_reply_to: Vec<MessageId>,
    /// The oldest first, as the field has them.
    pub references: Vec<MessageId>,
    pub from: Option<Mailbox>,
    /// What stood in From, when that holds no address.
    pub from_text: Option<String>,
    pub sender: Option<Mailbox>,
    pub reply_to: Vec<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub date: Option<Timestamp>,
    /// On one line; empty when there is none.
    pub subject: String,
    /// Field and bare address of everyone it may have been meant for, in the order in which the
    /// addresses are searched for a key.
    pub recipients: Vec<(&'static str, String)>,
    pub plain: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    pub defects: Vec<String>,
    pub headers: Headers,
    /// Whether it has parts that the verdict has to look at: reports, and mails within the mail.
    pub(super) telling: bool,
    /// What the parser made of such a mail, so that the verdict need not parse it again; `None` for a large
    /// one.
    pub(super) structure: Option<Arc<mail_parser::Message<'static>>>,
    /// The HTML as text, once somebody asked for it.
    pub(super) rendered: OnceLock<Arc<Rendered>>,
}

impl Message {
    /// Gives the text of the first field of that name, which is compared without case.
    #[inline]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_all(name).next()
    }

    /// Gives the text of every field of that name, from the top.
    #[inline]
    pub fn header_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.all(name)
    }

    /// Tells whether there is a field of that name.
    #[inline]
    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.has(name)
    }

    /// Gives the HTML as text; it is rendered once.
    pub(super) fn rendered(&self) -> &Rendered {
        let render = || Arc::new(html_to_text(self.html.as_deref().unwrap_or_default()));
        self.rendered.get_or_init(render)
    }

    /// Tells whether the mail answers no other, so that all of its text is news.
    pub fn is_opening(&self) -> bool {
        self.in_reply_to.is_empty() && self.references.is_empty()
    }
}

/// Reads a mail. A broken one is still a [`Message`]; a library that panics makes it [`Unreadable`].
pub fn read(raw: &[u8]) -> Result<Message, Unreadable> {
    caught(|| {
        let start = beginning(raw);
        let parts = parts_of(&start);
        let bytes = if parts.is_some() { Cow::Borrowed(&*start) } else { unfolded(&start) };
        let parts = parts.or_else(|| if let Cow::Owned(bytes) = &bytes { parts_of(bytes) } else { None });
        let tells = |parsed: &mail_parser::Message<'_>| parsed.parts.iter().any(is_telling);
        let lazily = |parsed: &mail_parser::Message<'_>| !tells(parsed);
        let decoded = match parts {
            Some(parts) => settled(parts, &bytes, lazily),
            None => skim(&bytes, lazily),
        };
        let parsed =
            decoded.or_else(|| parse(&bytes)).ok_or_else(|| unreadable("it has no header fields"))?;
        let mut message = message(&parsed);
        message.telling = tells(&parsed);
        if message.telling && start.len() <= STRUCTURE_MAX {
            message.structure = Some(Arc::new(parsed.into_owned()));
        }
        Ok(message)
    })
}

/// Gives the decoded bytes of one part, or of a file within it, by the places an [`Attachment`] carries.
pub fn part(raw: &[u8], part: u32, within: &[u32]) -> Option<Vec<u8>> {
    let found = caught(|| {
        let bytes = prepared(raw);
        let parsed = parse(&bytes).ok_or_else(|| unreadable("it has no header fields"))?;
        Ok(body::bytes(&parsed, part).and_then(|bytes| container::inside(bytes.into_owned(), within)))
    });
    found.ok().flatten()
}

/// Gives what tells bytes apart that could not be read as a mail.
pub fn hash(raw: &[u8]) -> String {
    blake3::hash(raw).to_hex().to_string()
}

/// Gives what tells this mail from every other, as hexadecimal digits.
///
/// It covers the Message-ID, the sender and the body, and nothing that is added on the way, so that the
/// same mail by two routes has one fingerprint. Without a Message-ID it covers every byte.
pub fn fingerprint(raw: &[u8], message: &Message) -> String {
    let mut hasher = blake3::Hasher::new();
    match &message.message_id {
        Some(id) => {
            hasher.update(id.as_str().as_bytes());
            hash_lines(&mut hasher, body_of(raw));
        }
        None => hash_lines(&mut hasher, raw),
    }
    hasher.update(b"\0");
    let from = message.from.as_ref().map(|from| from.email.key());
    hasher.update(from.or_else(|| message.from_text.clone()).unwrap_or_default().as_bytes());
    hasher.finalize().to_hex().to_string()
}

/// Hashes lines so that their endings do not count.
fn hash_lines(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(b"\0");
    for line in bytes.trim_ascii_end().split(|b| *b == b'\n') {
        hasher.update(line.strip_suffix(b"\r").unwrap_or(line));
        hasher.update(b"\n");
    }
}

/// Gives what follows the header.
pub(super) fn body_of(raw: &[u8]) -> &[u8] {
    let mut at = 0;
    for line in raw.split_inclusive(|b| *b == b'\n') {
        at += line.len();
        if line == b"\n" || line == b"\r\n" {
            break;
        }
    }
    raw.get(at..).unwrap_or_default()
}

/// Runs something that leans on a library which may panic.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(unreadable("the parser failed on it")))
}

pub(super) fn unreadable(reason: &str) -> Unreadable {
    Unreadable { reason: reason.to_owned() }
}

/// Tells whether a part is a report or a mail.
fn is_telling(part: &mail_parser::MessagePart<'_>) -> bool {
    let may_be = part
        .content_type()
        .and_then(|kind| kind.subtype())
        .is_some_and(|sub| words::ends_in(sub, "delivery-status") || words::ends_in(sub, "feedback-report"));
    let kind = || body::media_type(part);
    nested(part).is_some()
        || may_be && (kind().ends_with("delivery-status") || kind() == "message/feedback-report")
}

/// What the parser made of a mail, for the verdict, where most mails never need it; and what the verdict asks more
/// than once.
pub(super) struct Structure<'a> {
    raw: &'a [u8],
    message: &'a Message,
    parsed: OnceCell<Option<Arc<mail_parser::Message<'static>>>>,
    from_daemon: OnceCell<bool>,
    subject: OnceCell<String>,
    content_type: OnceCell<String>,
    text: OnceCell<String>,
}

impl<'a> Structure<'a> {
    pub(super) fn new(raw: &'a [u8], message: &'a Message) -> Self {
        Self {
            raw,
            message,
            parsed: OnceCell::new(),
            from_daemon: OnceCell::new(),
            subject: OnceCell::new(),
            content_type: OnceCell::new(),
            text: OnceCell::new(),
        }
    }

    /// Gives the subject in lower case.
    pub(super) fn subject(&self) -> &str {
        self.subject.get_or_init(|| words::lowered(&self.message.subject))
    }

    /// Gives the Content-Type field in lower case.
    pub(super) fn content_type(&self) -> &str {
        let lower = || self.message.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
        self.content_type.get_or_init(lower)
    }

    /// Gives the [text](bounce_text::own_text) in lower case.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| words::lowered(bounce_text::own_text(self.message)))
    }

    /// Gives all of it.
    pub(super) fn whole(&self) -> Option<&mail_parser::Message<'static>> {
        let parse = || Some(Arc::new(parse(&unfolded(&beginning(self.raw)))?.into_owned()));
        self.parsed.get_or_init(|| self.message.structure.clone().or_else(parse)).as_deref()
    }

    /// Gives it if there is a report or a mail among the parts.
    pub(super) fn telling(&self) -> Option<&mail_parser::Message<'static>> {
        if self.message.telling { self.whole() } else { None }
    }

    /// Tells whether a mail system and no person is named as the sender.
    pub(super) fn is_from_daemon(&self) -> bool {
        *self.from_daemon.get_or_init(|| bounce_text::is_from_daemon(self.message))
    }

    /// Tells whether there is a mail among the parts.
    pub(super) fn returns_mail(&self) -> bool {
        self.telling().is_some_and(|parsed| parsed.parts.iter().any(|part| nested(part).is_some()))
    }
}

/// Parses the structure only; other fields are only found, for [`fields`] to read them.
static PARSER: LazyLock<MessageParser> =
    LazyLock::new(|| MessageParser::new().with_mime_headers().default_header_ignore());

/// Parses a mail; `None` when it has no fields.
pub(super) fn parse(bytes: &[u8]) -> Option<mail_parser::Message<'_>> {
    catch_unwind(|| PARSER.parse(bytes)).ok().flatten()
}

/// Gives the bytes as the parser needs them: same places for the same things after the first line.
///
/// A leading mbox line and blank lines go, lone carriage returns become line ends, and where a field needs it, lines are
/// [joined](unfolded).
pub(super) fn prepared(raw: &[u8]) -> Cow<'_, [u8]> {
    let start = beginning(raw);
    if parts_of(&start).is_some() {
        return start;
    }
    match unfolded(&start) {
        Cow::Owned(bytes) => Cow::Owned(bytes),
        Cow::Borrowed(_) => start,
    }
}

/// Splits a mail, if nothing in it is odd.
fn parts_of(bytes: &[u8]) -> Option<mail_parser::Message<'_>> {
    catch_unwind(|| split(bytes)).ok().flatten()
}

/// Makes the message of what was parsed.
fn message(parsed: &mail_parser::Message<'_>) -> Message {
    let headers = Headers::new(raw_fields(parsed));
    let from = mailboxes(&headers, "From").into_iter().next();
    let from_text = if from.is_none() { text(&headers, "From") } else { None };
    let mut defects = field_defects(&headers, from.is_some());
    let Bodies { plain, html, attachments, defects: broken } = body::bodies(parsed);
    defects.extend(broken);
    let references = message_ids(&headers, "References");
    let to = mailboxes(&headers, "To");
    let cc = mailboxes(&headers, "Cc");
    let message_id = headers.octets("Message-ID").find_map(fields::message_id);
    let date = headers.octets("Date").find_map(fields::date);
    Message {
        message_id,
        in_reply_to: message_ids(&headers, "In-Reply-To"),
        from,
        from_text,
        sender: mailboxes(&headers, "Sender").into_iter().next(),
        reply_to: mailboxes(&headers, "Reply-To"),
        date,
        subject: text(&headers, "Subject").unwrap_or_default(),
        recipients: recipients(&headers, &to, &cc, &references),
        references,
        to,
        cc,
        plain,
        html,
        attachments,
        defects,
        headers,
        ..Message::default()
    }
}

fn mailboxes(headers: &Headers, name: &str) -> Vec<Mailbox> {
    joined(headers.octets(name).map(fields::mailboxes))
}

fn message_ids(headers: &Headers, name: &str) -> Vec<MessageId> {
    joined(headers.octets(name).map(fields::message_ids))
}

/// Joins lists, of which there is hardly ever more than one.
fn joined<T>(mut lists: impl Iterator<Item = Vec<T>>) -> Vec<T> {
    let mut all = lists.next().unwrap_or_default();
    lists.for_each(|more| all.extend(more));
    all
}

/// Gives the text of the first field of that name that holds any.
fn text(headers: &Headers, name: &str) -> Option<String> {
    headers.octets(name).map(fields::text).find(|text| !text.is_empty())
}

/// Gives the fields of the mail with their bytes, in order.
pub(super) fn raw_fields<'a>(
    parsed: &'a mail_parser::Message<'_>,
) -> impl Iterator<Item = (&'a str, &'a [u8])> + Clone {
    let headers = parsed.parts.first().map_or(&[][..], |root| root.headers.as_slice());
    let bytes = parsed.raw_message.as_ref();
    let place = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    headers.iter().take(FIELDS_MAX).filter_map(move |h| {
        let end = place(h.offset_end).min(place(h.offset_start).saturating_add(4 * FIELD_MAX));
        Some((h.name(), bytes.get(place(h.offset_start)..end)?))
    })
}

/// Says what is wrong with the fields that should stand exactly once.
fn field_defects(headers: &Headers, has_from: bool) -> Vec<String> {
    let mut defects = Vec::new();
    for name in ["From", "Date", "Message-ID", "Subject"] {
        match headers.octets(name).count() {
            0 if name != "Subject" => defects.push(format!("there is no {name} field")),
            0 | 1 => {}
            count => defects.push(format!("there are {count} {name} fields")),
        }
    }
    if !has_from && headers.has("From") {
        defects.push("the From field holds no address".to_owned());
    }
    defects
}

/// Lists every address the mail may have been meant for, in the order in which keys are searched.
fn recipients(
    headers: &Headers,
    to: &[Mailbox],
    cc: &[Mailbox],
    references: &[MessageId],
) -> Vec<(&'static str, String)> {
    let mut list = Vec::with_capacity(8);
    let mut add = |field, email: &EmailAddress| list.push((field, email.as_str().to_owned()));
    let named = |field: &str| mailboxes(headers, field).into_iter().map(|mailbox| mailbox.email);
    to.iter().for_each(|mailbox| add("To", &mailbox.email));
    let keys = references.iter().filter(|id| id.as_str().starts_with("reply-"));
    keys.filter_map(|id| EmailAddress::parse(id.as_str())).for_each(|email| add("References", &email));
    for field in ["Delivered-To", "X-Delivered-To", "Envelope-To", "X-Envelope-To"] {
        named(field).for_each(|email| add(field, &email));
    }
    let received = headers.octets("Received").filter_map(fields::received_for);
    received.filter_map(|text| EmailAddress::parse(&text)).for_each(|email| add("Received", &email));
    for field in ["X-Original-To", "X-Forwarded-To"] {
        named(field).for_each(|email| add(field, &email));
    }
    cc.iter().for_each(|mailbox| add("Cc", &mailbox.email));
    for field in ["Bcc", "Resent-To", "Resent-Cc"] {
        named(field).for_each(|email| add(field, &email));
    }
    list
}

/// Gives the message inside a part, if it is one.
pub(super) fn nested<'a, 'x>(part: &'a mail_parser::MessagePart<'x>) -> Option<&'a mail_parser::Message<'x>> {
    match &part.body {
        PartType::Message(message) => Some(message),
        _ => None,
    }
}
