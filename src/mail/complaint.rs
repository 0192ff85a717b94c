//! Complaints: a reader called a mail of ours spam (RFC 5965, and services that have forms of their own).

use super::bounce::{field, part_text, read_blocks_with};
use super::lines::lines;
use super::message::{Message, Structure};
use super::returned::Returned;
use super::words::Table;
use super::{body, bounce_text};
use crate::domain::EmailAddress;

/// Most recipients that one complaint is read for.
const RECIPIENTS_MAX: usize = 100;
/// What complaints say that follow no standard, in lower case.
static PHRASES: Table = Table::new(include_str!("words/complaints.txt"));

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
pub(super) fn complaint(structure: &Structure<'_>, message: &Message) -> Option<Complaint> {
    let reports: Vec<String> = structure.telling().map(reports).unwrap_or_default();
    let text = bounce_text::own_text(message);
    let kind = structure.content_type();
    let stated = || kind.contains("report") && kind.replace('"', "").contains("report-type=feedback-report");
    let standard = !reports.is_empty() || stated();
    if !standard && service_kind(structure, message, text).is_none() {
        return None;
    }
    let report = if reports.is_empty() { text.to_owned() } else { reports.join("\n\n") };
    let blocks = read_blocks_with(&report, "Feedback-Type");
    let stated = blocks.iter().find_map(|block| field(block, "Feedback-Type"));
    let kind = stated.map(|kind| kind.split([';', ' ', '(']).next().unwrap_or_default().to_ascii_lowercase());
    let kind = kind.filter(|kind| !kind.is_empty()).or_else(|| service_kind(structure, message, text));
    let returned = Returned::of(structure.whole()?);
    let recipients = recipients(message, text, &report, &returned);
    Some(Complaint { kind: kind.unwrap_or_else(|| "abuse".to_owned()), recipients, returned })
}

/// Gives the texts of the parts that are standard reports.
fn reports(parsed: &mail_parser::Message<'_>) -> Vec<String> {
    let parts = parsed.parts.iter().enumerate();
    let reports = parts.filter(|(_, part)| body::media_type(part) == "message/feedback-report");
    reports.map(|(index, _)| part_text(parsed, index)).collect()
}

/// Recognises the forms that services have of their own; gives the kind.
fn service_kind(structure: &Structure<'_>, message: &Message, text: &str) -> Option<String> {
    let subject = message.subject.as_str();
    let opens = |start: &str| subject.get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start));
    let from = message.from.as_ref().map(|m| m.email.key()).unwrap_or_default();
    let hotmail =
        message.header("X-HmXmrOriginalRecipient").is_some() || opens("complaint about message from");
    let json = text.trim_start_matches(['\\', ' ']).starts_with('{') && is_json_complaint(structure.text());
    let spamcop = from.ends_with("@reports.spamcop.net") || opens("[spamcop (");
    let inline = || {
        ["feedback-type:", "user-agent:", "version:"]
            .iter()
            .all(|name| lines(structure.text()).any(|line| line.starts_with(name)))
    };
    let said = || PHRASES.within_any_case(subject) || PHRASES.within(structure.text());
    let by_machine = is_feedback_address(&from) || structure.is_from_daemon();
    if message.header("X-Apple-Unsubscribe").is_some() {
        return Some("opt-out".to_owned());
    }
    (hotmail
        || json
        || spamcop
        || (structure.returns_mail() || by_machine) && inline()
        || by_machine && said())
    .then(|| "abuse".to_owned())
}

/// Tells whether a notification in JSON, in lower case, is one of a complaint.
fn is_json_complaint(lower: &str) -> bool {
    let solid = lower.replace(['\\', ' '], "");
    ["\"notificationtype\":\"complaint\"", "\"eventtype\":\"complaint\""]
        .iter()
        .any(|word| solid.contains(word))
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
