//! Mails that say that another mail did not arrive: standard reports (RFC 3464).

use super::body;
use super::bounce_text;
use super::challenge::is_answer;
use super::message::{self, Message, Structure};
use super::returned::Returned;
use super::safe::{cut, sanitize_line};
use super::verdict::Own;
use super::words::lowered;
use crate::domain::{EmailAddress, MessageId};

/// Most recipients that one report is read for.
const RECIPIENTS_MAX: usize = 1000;
/// Longest words of a server that are kept, in octets.
const TEXT_MAX: usize = 1000;
/// Largest report that is read, in octets.
const REPORT_MAX: usize = 512 * 1024;

/// What a bounce says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounce {
    /// The mail that did not arrive, where the report names it.
    pub original: Option<MessageId>,
    pub recipients: Vec<FailedRecipient>,
    pub returned: Returned,
}

/// One recipient whom a mail did not reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRecipient {
    /// Whom the mail was sent to, as far as the report tells.
    pub address: EmailAddress,
    /// The status code (RFC 3463), such as `5.1.1`.
    pub status: Option<String>,
    /// Whether trying again is in vain: the code begins with 5, or none says otherwise.
    pub permanent: bool,
    /// Whether the server is still trying.
    pub delayed: bool,
    /// What the server said.
    pub text: String,
}

/// Reads a bounce; `None` when the mail is none. With it goes the reason, in words.
pub(super) fn bounce(
    structure: &Structure<'_>,
    message: &Message,
    own: &Own<'_>,
) -> Option<(Bounce, String)> {
    let reports = structure.telling().filter(|_| may_report(structure, message));
    let report = reports.and_then(|parsed| standard(parsed, structure.is_from_daemon()));
    let (recipients, reason) = match report {
        Some(report) if report.is_empty() => return None,
        Some(report) => (stated(report, structure.whole()?, message, own), "a delivery report"),
        None => bounce_text::bounce(structure, message, own)?,
    };
    let said = recipients.iter().take(3).map(|r| {
        let state = if r.delayed {
            "delayed"
        } else if r.permanent {
            "refused for good"
        } else {
            "given up for now"
        };
        format!("{} {state}{}", r.address, r.status.as_ref().map(|s| format!(" ({s})")).unwrap_or_default())
    });
    let said = said.collect::<Vec<_>>().join(", ");
    let reason = if said.is_empty() { reason.to_owned() } else { format!("{reason}: {said}") };
    let returned = Returned::of(structure.whole()?);
    let original = returned.ids.iter().find(|id| (own.our_message_id)(id)).or(returned.ids.first()).cloned();
    Some((Bounce { original, recipients, returned }, reason))
}

/// Tells whether a report in this mail is its own: a person passes one on with all its parts.
fn may_report(structure: &Structure<'_>, message: &Message) -> bool {
    structure.content_type().starts_with("multipart/report")
        || structure.is_from_daemon()
        || bounce_text::is_null_path(message)
        || !is_answer(structure.subject()) && !message.has("In-Reply-To")
}

/// Gives whom a report names, with what its text says where the report names nobody who can be read.
fn stated(
    report: Vec<Block>,
    parsed: &mail_parser::Message<'_>,
    message: &Message,
    own: &Own<'_>,
) -> Vec<FailedRecipient> {
    let mut failed: Vec<FailedRecipient> = Vec::new();
    for one in report.iter().filter_map(recipient).take(RECIPIENTS_MAX) {
        if !failed.iter().any(|known| known.address == one.address) {
            failed.push(one);
        }
    }
    if !failed.is_empty() {
        return failed;
    }
    let named = bounce_text::recipients(parsed, message, own);
    match (report.as_slice(), named.as_slice()) {
        ([block], [one]) => {
            vec![FailedRecipient { text: one.text.clone(), ..from_block(block, one.address.clone()) }]
        }
        _ => named,
    }
}

/// The fields of one recipient in a report.
pub(super) type Block = Vec<(String, String)>;

/// Gives the fields of the recipients whom a standard report says were not reached; `None` when there is
/// no report. Only a mail system's mail is searched for a report inside a report: a person forwards one.
fn standard(parsed: &mail_parser::Message<'_>, inside: bool) -> Option<Vec<Block>> {
    let mut messages = vec![parsed];
    if inside {
        messages.extend(parsed.parts.iter().filter_map(message::nested).take(10));
    }
    let mut blocks = Vec::new();
    for message in messages {
        for (index, part) in message.parts.iter().enumerate() {
            if body::media_type(part).ends_with("delivery-status") {
                blocks.extend(read_blocks(&part_text(message, index)));
            }
        }
    }
    let action = |block: &Block| field(block, "Action").map(|a| a.to_ascii_lowercase());
    let good = |block: &Block| {
        action(block)
            .is_some_and(|a| ["deliver", "relayed", "expanded"].iter().any(|good| a.starts_with(good)))
    };
    let had_some = !blocks.is_empty();
    blocks.retain(|block| !good(block));
    had_some.then_some(blocks)
}

/// Gives the beginning of a part as text.
pub(super) fn part_text(parsed: &mail_parser::Message<'_>, index: usize) -> String {
    u32::try_from(index).map_or(String::new(), |index| body::report_text(parsed, index, REPORT_MAX))
}

/// Reads the blocks that name a recipient, with their folded lines put together.
pub(super) fn read_blocks(text: &str) -> Vec<Block> {
    // The fields that name one are Final-Recipient and Original-Recipient.
    let ends = "-recipient";
    let octets = text.as_bytes();
    let named = memchr::memchr_iter(b'-', octets).any(|at| {
        octets.get(at..at + ends.len()).is_some_and(|word| word.eq_ignore_ascii_case(ends.as_bytes()))
    });
    if !named {
        return Vec::new();
    }
    let mut blocks = read_blocks_with(text, "Final-Recipient");
    blocks.extend(
        read_blocks_with(text, "Original-Recipient")
            .into_iter()
            .filter(|block| field(block, "Final-Recipient").is_none()),
    );
    blocks
}

/// Reads the blocks that have this field, which begins a block where no blank line does.
pub(super) fn read_blocks_with(text: &str, begins: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = vec![Vec::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            blocks.push(Vec::new());
        } else if let Some(block) = blocks.last_mut() {
            match (line.starts_with([' ', '\t']), block.last_mut(), line.split_once(':')) {
                (true, Some((_, value)), _) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                (_, _, Some((name, value))) => {
                    // A report without blank lines between its recipients begins the next with this field.
                    let again = name.eq_ignore_ascii_case(begins) && field(block, begins).is_some();
                    let entry = (name.trim().to_owned(), value.trim().to_owned());
                    if again { blocks.push(vec![entry]) } else { block.push(entry) }
                }
                _ => {}
            }
        }
    }
    blocks.retain(|block| field(block, begins).is_some());
    blocks
}

/// Gives a field of a block.
pub(super) fn field<'a>(block: &'a Block, name: &str) -> Option<&'a str> {
    block.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Reads one recipient; `None` when the block names nobody who can be read.
fn recipient(block: &Block) -> Option<FailedRecipient> {
    let address = ["Original-Recipient", "Final-Recipient"]
        .iter()
        .find_map(|name| typed_address(field(block, name)?))?;
    Some(from_block(block, address))
}

/// Makes a recipient of a report's fields.
pub(super) fn from_block(block: &Block, address: EmailAddress) -> FailedRecipient {
    let action = field(block, "Action").unwrap_or_default().to_ascii_lowercase();
    let diagnostic = field(block, "Diagnostic-Code").unwrap_or_default();
    let status = field(block, "Status").and_then(bounce_text::status_code);
    // The mail system's own word for "I gave up" says less than the words of the server it spoke to.
    let vague = |code: &String| code.ends_with(".0.0") || code == "4.4.7";
    let class = |code: &String| code.chars().next();
    let said = bounce_text::status_code(diagnostic)
        .filter(|said| status.as_ref().is_none_or(|status| vague(status) || class(status) != class(said)));
    let status = said.or(status);
    let delayed = action.starts_with("delayed");
    let temporary = status.as_deref().is_some_and(|code| code.starts_with('4'));
    FailedRecipient { address, permanent: !delayed && !temporary, delayed, status, text: words(diagnostic) }
}

/// Gives a server's words on one line.
pub(super) fn words(text: &str) -> String {
    cut(&sanitize_line(text), TEXT_MAX).to_owned()
}

/// Reads `rfc822; local@domain`, in the forms that occur.
pub(super) fn typed_address(value: &str) -> Option<EmailAddress> {
    let value = value.split_once(';').map_or(value, |(_, address)| address);
    let value = value.split_once('(').map_or(value, |(address, _)| address).trim();
    let inner =
        value.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(value, |(inner, _)| inner);
    EmailAddress::parse(inner.trim_matches(['"', '\'', ' ', ',', '.']))
}

/// Gives what stands before the `@` in lower case, without what joins its words.
pub(super) fn solid_local(email: &EmailAddress) -> String {
    let mut local = lowered(email.local());
    local.retain(|c| !matches!(c, '-' | '_' | '.'));
    local
}

/// Tells whether an address is that of a mail system and not of a person.
pub(super) fn is_daemon(email: &EmailAddress) -> bool {
    let local = solid_local(email);
    local.starts_with("mailerdaemon")
        || local.starts_with("mdaemon")
        || local.starts_with("postmaster")
        || ["maildaemon", "maildeliverysystem", "maildelivery", "mailersubsystem"].contains(&local.as_str())
}
