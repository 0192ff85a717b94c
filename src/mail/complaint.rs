//! Complaints: a reader called a mail of ours spam (RFC 5965, and services that have forms of their own).

use super::bounce::{field, part_text, read_blocks_with};
use super::message::Message;
use super::returned::Returned;
use super::{body, bounce_text, message, words};
use crate::domain::EmailAddress;

/// Most recipients that one complaint is read for.
const RECIPIENTS_MAX: usize = 100;
/// What complaints say that follow no standard, in lower case.
const PHRASES: &str = include_str!("words/complaints.txt");

/// What a complaint says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    /// `abuse`, `fraud`, `opt-out`, `auth-failure`, `not-spam` … (RFC 5965, section 7.3; RFC 6591, 6430).
    pub kind: String,
    /// Who complained, as far as it is told: many services black it out.
    pub recipients: Vec<EmailAddress>,
    pub returned: Returned,
}

impl Complaint {
    /// Tells whether the reader wants no more of it; a failed check of a signature says nothing of readers.
    pub fn wants_no_more(&self) -> bool {
        !matches!(self.kind.as_str(), "auth-failure" | "not-spam" | "dmarc")
    }
}

/// Reads a complaint; `None` when the mail is none.
pub(super) fn complaint(parsed: &mail_parser::Message<'_>, message: &Message) -> Option<Complaint> {
    let reports: Vec<String> = parsed
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| body::media_type(part) == "message/feedback-report")
        .map(|(index, _)| part_text(parsed, index))
        .collect();
    let text = bounce_text::own_text(message);
    let header = message.header("Content-Type").unwrap_or_default().to_ascii_lowercase().replace('"', "");
    let standard = !reports.is_empty() || header.contains("report-type=feedback-report");
    if !standard && service_kind(parsed, message, &text).is_none() {
        return None;
    }
    let report = if reports.is_empty() { text.clone() } else { reports.join("\n\n") };
    let blocks = read_blocks_with(&report, "Feedback-Type");
    let stated = blocks.iter().find_map(|block| field(block, "Feedback-Type"));
    let kind = stated.map(|kind| kind.split([';', ' ', '(']).next().unwrap_or_default().to_ascii_lowercase());
    let kind = kind.filter(|kind| !kind.is_empty()).or_else(|| service_kind(parsed, message, &text));
    let returned = Returned::of(parsed);
    let recipients = recipients(message, &text, &report, &returned);
    Some(Complaint { kind: kind.unwrap_or_else(|| "abuse".to_owned()), recipients, returned })
}

/// Recognises the forms that services have of their own; gives the kind.
fn service_kind(parsed: &mail_parser::Message<'_>, message: &Message, text: &str) -> Option<String> {
    let subject = message.subject.to_lowercase();
    let lower = text.to_lowercase();
    let solid = lower.replace(['\\', ' '], "");
    let from = message.from.as_ref().map(|m| m.email.key()).unwrap_or_default();
    let returns = parsed.parts.iter().any(|part| message::nested(part).is_some());
    let hotmail = message.header("X-HmXmrOriginalRecipient").is_some()
        || subject.starts_with("complaint about message from");
    let json = solid.starts_with('{')
        && ["\"notificationtype\":\"complaint\"", "\"eventtype\":\"complaint\""]
            .iter()
            .any(|word| solid.contains(word));
    let spamcop = from.ends_with("@reports.spamcop.net") || subject.starts_with("[spamcop (");
    let inline = ["feedback-type:", "user-agent:", "version:"]
        .iter()
        .all(|name| lower.lines().any(|line| line.starts_with(name)));
    let said = words::found_in(PHRASES, &lower) || words::found_in(PHRASES, &subject);
    let by_machine = is_feedback_address(&from) || bounce_text::is_from_daemon(message);
    if message.header("X-Apple-Unsubscribe").is_some() {
        return Some("opt-out".to_owned());
    }
    (hotmail || json || spamcop || inline && (returns || by_machine) || said && by_machine)
        .then(|| "abuse".to_owned())
}

/// Tells whether an address is one from which services send complaints.
fn is_feedback_address(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    let begins =
        ["feedback", "fbl", "scomp", "complaint", "abuse-report", "arf", "spam-report", "spamreport", "jmrp"];
    begins.iter().any(|word| local.starts_with(word))
        || matches!(address, "staff@hotmail.com" | "abuse@aol.com")
}

/// Finds out who complained, from the most certain sign to the least.
fn recipients(message: &Message, text: &str, report: &str, returned: &Returned) -> Vec<EmailAddress> {
    let stated = report.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| {
        ["Original-Rcpt-To", "Removal-Recipient", "Original-Recipient", "Final-Recipient"]
            .iter()
            .any(|known| name.trim().eq_ignore_ascii_case(known))
    });
    let stated = stated.flat_map(|(_, value)| bounce_text::addresses(value)).collect::<Vec<_>>();
    let hotmail =
        || message.header("X-HmXmrOriginalRecipient").map(bounce_text::addresses).unwrap_or_default();
    let json = || text.lines().flat_map(bounce_text::in_json).collect::<Vec<_>>();
    let to = || returned.to.as_deref().map(bounce_text::addresses).unwrap_or_default();
    let steps: [&dyn Fn() -> Vec<EmailAddress>; 4] = [&|| stated.clone(), &hotmail, &json, &to];
    let mut found = steps.iter().map(|step| step()).find(|list| !list.is_empty()).unwrap_or_default();
    found.dedup();
    found.truncate(RECIPIENTS_MAX);
    found
}
