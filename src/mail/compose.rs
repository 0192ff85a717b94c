//! Mails that go out: one recipient, text and HTML, every header field chosen here.

use super::flowed;
use super::markdown::{markdown_to_html, markdown_to_text};
use super::safe::{cut, safe_file_name, sanitize_line};
use crate::domain::{EmailAddress, MailKind, Mailbox, MessageId};
use jiff::Timestamp;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, MessageBuilder, MultiPart, SinglePart};

/// Most octets of identifiers in References; the first and the last are kept.
const REFERENCES_MAX: usize = 4000;
/// Longest identifier of others that is written, in octets: with its field's name it stays on a line of 998.
const ID_MAX: usize = 900;
/// Longest name of a project or an issue, in octets.
const NAME_MAX: usize = 600;
/// Longest subject, in octets.
const SUBJECT_MAX: usize = 900;

/// A mail to be written.
#[derive(Clone, Debug)]
pub struct Letter {
    pub kind: MailKind,
    pub from: Mailbox,
    pub to: Mailbox,
    pub cc: Vec<Mailbox>,
    pub reply_to: Option<Mailbox>,
    pub subject: String,
    pub message_id: MessageId,
    pub in_reply_to: Option<MessageId>,
    /// The oldest first.
    pub references: Vec<MessageId>,
    pub date: Timestamp,
    /// `mygroup/myproject`
    pub project_path: String,
    /// `mygroup/myproject#12`
    pub reference: String,
    /// The value of List-Id; only automatic mail carries it.
    pub list_id: Option<String>,
    /// The link by which its recipient unsubscribes, as [`unsubscribe_link`] makes it.
    pub unsubscribe: Option<String>,
    /// The page on which its recipient does the same with one click (RFC 8058).
    pub unsubscribe_page: Option<String>,
    /// The filled template.
    pub markdown: String,
    /// Name, media type and bytes of each file.
    pub files: Vec<(String, String, Vec<u8>)>,
    /// Whether blanks at line ends have to survive the way, as those of signed text must.
    pub for_signing: bool,
}

/// Why a mail could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    #[error("`{0}` cannot stand in a mail as an address")]
    Address(String),
    #[error("the mail could not be put together: {0}")]
    Build(#[from] lettre::error::Error),
}

/// Writes a mail; the same letter gives the same bytes.
///
/// Text (format=flowed) and HTML are always both there, and both name the issue and the way to
/// unsubscribe, whatever the template. Automatic kinds are marked as such (RFC 3834); a person's note is
/// not, so that filters keep it.
pub fn compose(letter: &Letter) -> Result<Vec<u8>, ComposeError> {
    let mut builder = lettre::Message::builder()
        .from(mailbox(&letter.from)?)
        .to(mailbox(&letter.to)?)
        .subject(cut(&sanitize_line(&letter.subject), SUBJECT_MAX))
        .date(letter.date.into());
    for cc in &letter.cc {
        builder = builder.cc(mailbox(cc)?);
    }
    if let Some(reply_to) = &letter.reply_to {
        builder = builder.reply_to(mailbox(reply_to)?);
    }
    let message = fields(letter).into_iter().fold(builder, raw_field).multipart(parts(letter))?;
    Ok(message.formatted())
}

/// Estimates the octets of a composed mail, files encoded for the way.
pub fn composed_size(letter: &Letter) -> u64 {
    let files: usize = letter
        .files
        .iter()
        .map(|(name, _, bytes)| bytes.len() / 3 * 4 + bytes.len() / 54 * 2 + 4 * name.len() + 300)
        .sum();
    let text = letter.markdown.len() * 4 + letter.references.len() * 80 + 3000;
    u64::try_from(files + text).unwrap_or(u64::MAX)
}

/// Makes lettre's mailbox of ours; a name cannot hold a line break or steer a terminal.
fn mailbox(mailbox: &Mailbox) -> Result<lettre::message::Mailbox, ComposeError> {
    let address = mailbox.email.as_str().parse::<lettre::Address>();
    let address = address.map_err(|_| ComposeError::Address(mailbox.email.to_string()))?;
    let name = mailbox.name.as_deref().map(sanitize_line).filter(|name| !name.is_empty());
    Ok(lettre::message::Mailbox::new(name.map(|name| cut(&name, 200).to_owned()), address))
}

/// Adds a field by name; values are encoded and folded, so that none can begin another field.
fn raw_field(builder: MessageBuilder, (name, value): (&'static str, String)) -> MessageBuilder {
    builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), sanitize_line(&value)))
}

/// Gives the fields that lettre has no words for.
fn fields(letter: &Letter) -> Vec<(&'static str, String)> {
    let mut fields = vec![("Message-ID", letter.message_id.to_string())];
    if let Some(id) = letter.in_reply_to.as_ref().filter(|id| is_writable(id)) {
        fields.push(("In-Reply-To", id.to_string()));
    }
    let known: Vec<MessageId> = letter.references.iter().filter(|id| is_writable(id)).cloned().collect();
    let references = references(&known);
    if !references.is_empty() {
        fields.push(("References", references));
    }
    let links: Vec<String> =
        letter.unsubscribe_page.iter().chain(&letter.unsubscribe).map(|link| format!("<{link}>")).collect();
    if !links.is_empty() {
        fields.push(("List-Unsubscribe", links.join(", ")));
    }
    if letter.unsubscribe_page.as_ref().is_some_and(|page| page.starts_with("https://")) {
        fields.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    if letter.kind.is_automatic() {
        // Nobody who gets a probe or a notice to the staff wrote what caused it (RFC 3834, section 5.1).
        let how = match letter.kind {
            MailKind::Probe | MailKind::Staff => "auto-generated",
            _ => "auto-replied",
        };
        fields.push(("Auto-Submitted", how.to_owned()));
        fields.push(("X-Auto-Response-Suppress", "OOF, AutoReply, RN, NRN".to_owned()));
        fields.extend(letter.list_id.as_deref().map(|id| ("List-Id", named(id))));
    }
    fields.push(("X-Deskbell-Project-Path", named(&letter.project_path)));
    fields.push(("X-Deskbell-Issue", named(&letter.reference)));
    fields.retain(|(_, value)| !value.trim().is_empty());
    fields
}

/// Gives a name of ours so short that it fits on a line, should it have no blank to fold at.
fn named(text: &str) -> String {
    cut(&sanitize_line(text), NAME_MAX).to_owned()
}

/// Tells whether an identifier of others can stand in a header as it is: in ASCII and on one line.
fn is_writable(id: &MessageId) -> bool {
    id.as_str().is_ascii() && id.as_str().len() <= ID_MAX
}

/// Joins identifiers, the first and as many of the last as fit.
fn references(ids: &[MessageId]) -> String {
    let Some((first, rest)) = ids.split_first() else { return String::new() };
    let mut octets = first.as_str().len() + 3;
    let mut kept: Vec<&MessageId> = Vec::new();
    for id in rest.iter().rev() {
        octets += id.as_str().len() + 3;
        if octets > REFERENCES_MAX {
            break;
        }
        if id != first && !kept.contains(&id) {
            kept.push(id);
        }
    }
    let chain = std::iter::once(first).chain(kept.into_iter().rev());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Makes the link by which somebody unsubscribes: a mail to `address` whose subject is `unsubscribe`, with
/// a key behind it where the address carries none (RFC 6068).
pub fn unsubscribe_link(address: &EmailAddress, key: Option<&str>) -> String {
    let key = key.map_or(String::new(), |key| format!(" {key}"));
    mail_link(address, &format!("unsubscribe{key}"))
}

/// Makes a link that begins a mail to `address` with this subject (RFC 6068).
pub fn mail_link(address: &EmailAddress, subject: &str) -> String {
    let coded = |text: &str, kept: &[u8]| -> String {
        let kept = |byte: u8| byte.is_ascii_alphanumeric() || kept.contains(&byte);
        text.bytes().map(|b| if kept(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    format!("mailto:{}?subject={}", coded(address.as_str(), b"-._~!$'*+@"), coded(subject, b"-._~"))
}

/// Gives the body: both forms of the text, and the files.
fn parts(letter: &Letter) -> MultiPart {
    let markdown = with_footer(letter);
    let text = flowed::encode(&markdown_to_text(&markdown));
    let plain = SinglePart::builder()
        .header(content_type("text/plain; charset=utf-8; format=flowed").unwrap_or(ContentType::TEXT_PLAIN))
        .body(encoded(letter, text));
    let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(encoded(letter, page(&markdown)));
    let forms =
        MultiPart::alternative().boundary(boundary(letter, "forms")).singlepart(plain).singlepart(html);
    if letter.files.is_empty() {
        return forms;
    }
    let whole = MultiPart::mixed().boundary(boundary(letter, "files")).multipart(forms);
    letter.files.iter().fold(whole, |whole, file| whole.singlepart(attachment(file)))
}

/// Encodes a text as the library thinks best, or so that its octets are safe (RFC 3156, section 3).
fn encoded(letter: &Letter, text: String) -> Body {
    match letter.for_signing {
        true => {
            Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable).unwrap_or_else(Body::new)
        }
        false => Body::new(text),
    }
}

/// Gives a boundary that is the letter's own, so that the same letter gives the same bytes.
fn boundary(letter: &Letter, what: &str) -> String {
    let hash = blake3::hash(format!("{what}\0{}\0{}", letter.message_id, letter.to.email).as_bytes());
    format!("=_{}", hash.to_hex().chars().take(40).collect::<String>())
}

/// Adds what every mail has to say and the template left out: which issue, and how to unsubscribe.
fn with_footer(letter: &Letter) -> String {
    let mut lines = Vec::new();
    let shown = markdown_to_text(&letter.markdown);
    if !letter.reference.is_empty() && !shown.contains(&letter.reference) {
        lines.push(super::template::escaped(&letter.reference));
    }
    if let Some(link) = letter.unsubscribe_page.as_ref().or(letter.unsubscribe.as_ref())
        && !letter.markdown.contains(link)
        && !shown.contains(link)
    {
        lines.push(format!("[Unsubscribe]({link})"));
    }
    if lines.is_empty() {
        return letter.markdown.clone();
    }
    format!("{}\n\n{}\n", letter.markdown.trim_end(), lines.join(" · "))
}

/// Gives the HTML form as a page.
fn page(markdown: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body>\n{}</body></html>\n",
        markdown_to_html(markdown)
    )
}

fn content_type(text: &str) -> Option<ContentType> {
    ContentType::parse(text).ok()
}

/// Makes a part of a file. A type that would be taken for structure becomes that of mere bytes.
fn attachment((name, media_type, bytes): &(String, String, Vec<u8>)) -> SinglePart {
    let lower = media_type.trim().to_ascii_lowercase();
    let plain = !lower.starts_with("multipart/") && !lower.starts_with("message/") && lower.is_ascii();
    let kind = Some(lower).filter(|_| plain).and_then(|kind| content_type(&kind));
    let kind = kind.or_else(|| content_type("application/octet-stream")).unwrap_or(ContentType::TEXT_PLAIN);
    let body =
        Body::new_with_encoding(bytes.clone(), ContentTransferEncoding::Base64).unwrap_or_else(Body::new);
    Attachment::new(safe_file_name(name)).body(body, kind)
}
