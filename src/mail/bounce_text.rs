//! Bounces that follow no standard: who sent them, and what their text says.

use super::bounce::{FailedRecipient, from_block, is_daemon, read_blocks, typed_address, words};
use super::message::{Message, Structure};
use super::safe::cut;
use super::vacation::is_vacation_subject;
use super::verdict::Own;
use super::words::Table;
use super::{body, bounce};
use crate::domain::EmailAddress;
use std::cell::LazyCell;

/// Most text of a bounce that is read, in octets.
const TEXT_MAX: usize = 64 * 1024;
/// Most recipients that are taken from a text.
const RECIPIENTS_MAX: usize = 100;

/// What mail systems call themselves as senders, in lower case.
static DAEMONS: Table = Table::new(include_str!("words/daemons.txt"));

/// What stands in place of the empty return path.
static DAEMON_PATH: Table = Table::new("mailer-daemon");

/// How the subjects of bounces begin or what they hold, in lower case.
static SUBJECTS: Table = Table::new(include_str!("words/bounce_subjects.txt"));

/// What the texts of bounces say, in lower case.
static PHRASES: Table = Table::new(include_str!("words/bounce_phrases.txt"));

/// Words by which a server says that it is still trying, in lower case.
static DELAYS: Table = Table::new(include_str!("words/bounce_delays.txt"));

/// Words by which a server says that it tried for long and gave up, in lower case.
static EXPIRIES: Table = Table::new(include_str!("words/bounce_expiries.txt"));

/// Lines behind which the returned mail stands, in lower case.
static COPY: Table = Table::new(include_str!("words/bounce_copies.txt"));

/// Reads a bounce without a standard report; `None` when the mail is none.
pub(super) fn bounce(
    structure: &Structure<'_>,
    message: &Message,
    own: &Own<'_>,
) -> Option<(Vec<FailedRecipient>, &'static str)> {
    // The text is looked at when something else speaks for a bounce, for that takes longest.
    let by_text = LazyCell::new(|| PHRASES.within(structure.text()));
    let subject = structure.subject();
    let by_subject = SUBJECTS.within(subject);
    let daemon = structure.is_from_daemon();
    let notice =
        || structure.text().trim_start().replace('\\', "").contains("\"notificationtype\":\"bounce\"");
    let headed = message.has("X-Failed-Recipients") || is_json(own_text(message).trim_start()) && notice();
    let returned = structure.returns_mail();
    let answer = message.has("In-Reply-To") && !daemon;
    let reports = || structure.content_type().contains("report-type=delivery-status");
    let null = is_null_path(message);
    let is_one = headed
        || reports() && (by_subject || *by_text)
        || daemon && by_subject
        || daemon
            && *by_text
            && (null || returned || is_mailer(message) || reply_code(structure.text()).is_some())
        || null && by_subject && *by_text
        || null && returned && (by_subject || *by_text)
        || by_subject && !answer && *by_text && starts_like_one(structure.text());
    if !is_one || is_delivered(subject) || is_vacation_subject(subject) {
        return None;
    }
    Some((recipients(structure.whole()?, message, own), "a bounce without a standard report"))
}

/// Tells whether a mail came with the empty return path, or with one that stands for it.
pub(super) fn is_null_path(message: &Message) -> bool {
    let path = message.header("Return-Path");
    path.is_some_and(|path| path.trim() == "<>" || DAEMON_PATH.within_any_case(path))
}

/// Tells whether a subject speaks of success.
fn is_delivered(subject: &str) -> bool {
    [
        "delivered:",
        "relayed:",
        "delivery status notification (relay)",
        "delivery status notification (success)",
        "successful mail delivery",
    ]
    .iter()
    .any(|s| subject.starts_with(s))
}

/// Tells whether a text is a notification in JSON, as services send it.
fn is_json(text: &str) -> bool {
    text.starts_with('{') && text.trim_end().ends_with('}')
}

/// Tells whether the sender is a program; a postmaster may be a person.
fn is_mailer(message: &Message) -> bool {
    let from = message.header("From").unwrap_or_default().to_lowercase();
    from.contains("daemon") || from.contains("mail delivery") || from.contains("delivery sub")
}

/// Tells whether a mail system and no person is named as the sender.
pub(super) fn is_from_daemon(message: &Message) -> bool {
    let mut texts = message.from_text.as_deref().into_iter().chain(message.header("From"));
    texts.any(|text| DAEMONS.within_any_case(text))
        || message.from.iter().chain(&message.sender).any(|m| is_daemon(&m.email))
}

/// Tells whether a text begins as mail systems write.
fn starts_like_one(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "hi. this is the",
        "this message was created automatically",
        "this is an automatically generated",
        "this is the ",
        "your message",
        "the original message was received",
        "this is a mime",
        "this message is in mime",
        "sorry, we were unable",
        "message from ",
        "unable to deliver",
        "the following message",
        "delivery to",
        "----- the following",
        "a message (",
        "this is a permanent error",
        "---",
        "***",
        "you are not a member",
        "the message you sent",
        "we're sorry",
    ];
    let start: String = text.trim_start().chars().take(400).collect();
    STARTS.iter().any(|known| start.starts_with(known))
}

/// Gives the text of a bounce.
pub(super) fn own_text(message: &Message) -> &str {
    let plain = message.plain.as_deref().filter(|text| !text.trim().is_empty());
    let rendered = || message.html.as_deref().map(|_| message.rendered().text.as_str());
    cut(plain.or_else(rendered).unwrap_or_default(), TEXT_MAX)
}

/// Gives the part of a text that speaks itself, without the mail that is returned below.
fn report_of(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let copied = line.len() < 120 && COPY.within_any_case(line) && !is_prose(&line.to_lowercase());
        let header =
            line.starts_with(['R', 'X', 'D', 'M']) && HEADERS.iter().any(|name| line.starts_with(name));
        if (copied || header) && at > 0 {
            break;
        }
        at += line.len();
    }
    text.get(..at).unwrap_or(text)
}

/// How the header of a returned mail begins, or goes on.
const HEADERS: &[&str] = &[
    "Received:",
    "Return-Path:",
    "Return-path:",
    "X-Google-",
    "DKIM-Signature:",
    "Message-ID:",
    "Message-Id:",
];

/// Tells whether a line, in lower case, speaks of the returned mail without standing right above it.
fn is_prose(lower: &str) -> bool {
    ["transcript", "your own text from", "attached returned message", "attached below"]
        .iter()
        .any(|words| lower.contains(words))
}

/// Finds out who was not reached, from the most certain sign to the least.
pub(super) fn recipients(
    parsed: &mail_parser::Message<'_>,
    message: &Message,
    own: &Own<'_>,
) -> Vec<FailedRecipient> {
    let text = own_text(message);
    let report = report_of(text);
    let blocks = read_blocks(report);
    let blocks = if blocks.is_empty() { read_blocks(text) } else { blocks };
    let found = blocks
        .iter()
        .filter_map(|b| Some(from_block(b, typed_address(bounce::field(b, "Final-Recipient")?)?)));
    let found: Vec<_> = found.take(RECIPIENTS_MAX).collect();
    if !found.is_empty() {
        return found;
    }
    let lines = without_summary(report.lines().collect());
    let writer: Vec<&EmailAddress> = message.from.iter().chain(&message.sender).map(|m| &m.email).collect();
    let to: Vec<&EmailAddress> = message.to.iter().chain(&message.reply_to).map(|m| &m.email).collect();
    let plausible =
        |email: &EmailAddress| !writer.contains(&email) && !is_daemon(email) && !(own.is_ours)(email);
    // Who gets the bounce sent the mail; only one who wrote to himself is also whom it did not reach.
    let found = search(parsed, message, &lines, &|email| plausible(email) && !to.contains(&email));
    let found = if found.is_empty() { search(parsed, message, &lines, &plausible) } else { found };
    let others = |email: &EmailAddress| !writer.contains(&email) && !(own.is_ours)(email);
    let found = if found.is_empty() { search(parsed, message, &lines, &others) } else { found };
    let delayed = is_delay(text, &message.subject);
    found.into_iter().map(|address| describe(address, &lines, delayed)).collect()
}

/// Takes the first kind of sign that names anybody.
fn search(
    parsed: &mail_parser::Message<'_>,
    message: &Message,
    lines: &[&str],
    plausible: &dyn Fn(&EmailAddress) -> bool,
) -> Vec<EmailAddress> {
    // No other line names anybody.
    let lines: Vec<&str> = lines.iter().copied().filter(|line| has_at_sign(line)).collect();
    let lines = lines.as_slice();
    let helpful = |line: &&&str| !is_advice(&line.to_lowercase());
    let steps: [&dyn Fn() -> Vec<EmailAddress>; 8] = [
        &|| message.header("X-Failed-Recipients").map(addresses).unwrap_or_default(),
        &|| lines.iter().flat_map(|line| in_json(line)).collect(),
        &|| alone(lines),
        &|| in_lines(lines, &["generated from"]),
        &|| in_lines(lines, LABELS),
        &|| in_lines(lines, ERRORS),
        &|| lines.iter().filter(helpful).flat_map(|line| addresses(line)).collect(),
        &|| returned_to(parsed),
    ];
    for step in steps {
        let mut found: Vec<EmailAddress> = Vec::new();
        for address in step().into_iter().filter(plausible) {
            if !found.contains(&address) && found.len() < RECIPIENTS_MAX {
                found.push(address);
            }
        }
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// Tells whether a text may hold an address.
fn has_at_sign(text: &str) -> bool {
    memchr::memchr(b'@', text.as_bytes()).is_some()
}

/// Drops the lines with which Exchange says which mail it is about: `To:`, `Subject:`, `Sent:`.
fn without_summary(mut lines: Vec<&str>) -> Vec<&str> {
    let key = |line: &str| line.trim().split(':').next().unwrap_or_default().to_lowercase();
    let subject = lines.iter().position(|line| line.starts_with([' ', '\t']) && key(line) == "subject");
    if let Some(at) = subject.filter(|at| *at < 20) {
        let mut place = 0;
        lines.retain(|line| {
            place += 1;
            place > at + 2 || !matches!(key(line).as_str(), "to" | "cc" | "subject" | "sent" | "from")
        });
    }
    lines
}

/// Tells whether a line says whom to ask, or who sent the mail.
fn is_advice(lower: &str) -> bool {
    ["contact", "assistance", "mail from", "help", "sender:", "from:"].iter().any(|word| lower.contains(word))
}

/// What stands before an address that was not reached, in lower case.
const LABELS: &[&str] = &[
    "recipient:",
    "rcpt to:",
    "to <",
    "delivering your mail to",
    "addressed to",
    "delivery to",
    "deliver to",
    "message to",
    "your message to",
    "smtp=",
    "recipient address:",
    "failed recipient",
    "mail to",
    "to the following recipient",
    "address:",
    "could not be delivered to",
    "intended recipient",
    "to:",
];
/// What stands beside an address that was not reached, in lower case.
const ERRORS: &[&str] = &[
    "unknown",
    "rejected",
    "does not exist",
    "doesn't exist",
    "not found",
    "no such",
    "quota",
    "full",
    "unavailable",
    "disabled",
    "undeliverable",
    "could not",
    "cannot",
    "can't",
    "failed",
    "invalid",
    "not a valid",
    "not listed",
    "550",
    "553",
    "554",
    "552",
    "551",
    "450",
    "451",
    "452",
    "5.1.1",
    "refused",
    "unable",
    "not known",
    "delivery",
    "inactive",
    "error",
    "unrouteable",
];

/// Finds every address in a line.
pub(super) fn addresses(line: &str) -> Vec<EmailAddress> {
    let line = cut(line, 2000);
    let pieces = line.split(|c: char| c.is_whitespace() || "<>,;\"'()[]*=|`".contains(c));
    let with_at = pieces.filter(|piece| piece.contains('@'));
    with_at
        .map(|piece| {
            piece
                .trim_start_matches("mailto:")
                .trim_start_matches("smtp:")
                .trim_start_matches("SMTP:")
                .trim_matches([':', '.', '!', '?', '-'])
        })
        .map(|piece| piece.strip_prefix("rfc822:").unwrap_or(piece))
        .filter_map(EmailAddress::parse)
        .filter(|email| email.domain().contains('.'))
        .collect()
}

/// Finds addresses that stand alone on a line or open it, as `<ada@x.example>:` does.
fn alone(lines: &[&str]) -> Vec<EmailAddress> {
    let expanded = |line: &str| if line.contains("(expanded from") { addresses(line) } else { Vec::new() };
    lines.iter().flat_map(|line| opening_address(line).into_iter().chain(expanded(line))).collect()
}

/// Gives the address that a line consists of or opens with.
fn opening_address(line: &str) -> Option<EmailAddress> {
    let trimmed = line.trim().trim_start_matches(['*', '-', '\u{2022}', ' ', '|', '>']);
    let word = trimmed.split_whitespace().next()?;
    let rest = trimmed.get(word.len()..).unwrap_or_default().trim();
    let bracketed = word.starts_with('<') && word.trim_end_matches([':', ';', ',', '.']).ends_with('>');
    let first = addresses(word).into_iter().next()?;
    let indented = line.starts_with([' ', '\t']) || rest.is_empty();
    let ends = rest.is_empty()
        || rest.starts_with(['(', ':', '[', ';', '.', '-'])
        || rest.starts_with("on ")
        || word.ends_with(':');
    (bracketed || indented && ends || ends && word.ends_with(':')).then_some(first)
}

/// Finds the addresses that a notification in JSON names as recipients.
pub(super) fn in_json(line: &str) -> Vec<EmailAddress> {
    let line = line.replace('\\', "");
    let after = line.split("\"emailAddress\":\"").skip(1);
    after
        .filter_map(|rest| rest.split_once('"'))
        .filter_map(|(email, _)| EmailAddress::parse(email))
        .collect()
}

/// Finds addresses in lines that hold one of these words.
fn in_lines(lines: &[&str], marks: &[&str]) -> Vec<EmailAddress> {
    let marked = lines.iter().filter(|line| {
        let lower = line.to_lowercase();
        marks.iter().any(|mark| lower.contains(mark)) && !is_advice(&lower)
    });
    marked.flat_map(|line| addresses(line)).collect()
}

/// Gives whom the returned mail was addressed to.
fn returned_to(parsed: &mail_parser::Message<'_>) -> Vec<EmailAddress> {
    let nested = parsed.parts.iter().filter_map(super::message::nested);
    let fields = nested.flat_map(super::message::raw_fields);
    let to = fields.filter(|(name, _)| name.eq_ignore_ascii_case("To"));
    let found: Vec<EmailAddress> =
        to.flat_map(|(_, raw)| super::fields::mailboxes(raw)).map(|m| m.email).collect();
    if !found.is_empty() {
        return found;
    }
    let texts = parsed
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.is_text())
        .filter_map(|(i, _)| body::bytes(parsed, u32::try_from(i).ok()?));
    let texts = texts.map(|bytes| {
        super::charset::decode(bytes.get(..bytes.len().min(TEXT_MAX)).unwrap_or_default(), None)
    });
    texts
        .flat_map(|text| {
            text.lines()
                .filter(|line| line.starts_with("To:"))
                .take(1)
                .flat_map(addresses)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Tells whether the server says that it is still trying.
fn is_delay(text: &str, subject: &str) -> bool {
    let report = report_of(text).to_lowercase();
    let subject = subject.to_lowercase();
    let says = |said: &str| DELAYS.within(said);
    let final_word = [
        "host unknown",
        "user unknown",
        "permanent fatal",
        "permanent error",
        "given up",
        "giving up",
        "failed permanently",
        "permanent failure",
    ]
    .iter()
    .any(|word| report.contains(word));
    (says(&report) || says(&subject) || subject.contains("delay")) && !final_word
}

/// Puts what is said around an address into a recipient.
fn describe(address: EmailAddress, lines: &[&str], delayed: bool) -> FailedRecipient {
    let key = address.key();
    let names = |line: &&str| has_at_sign(line) && line.to_lowercase().contains(&key);
    let at = lines.iter().position(names).unwrap_or(0);
    let about = lines.iter().skip(at).take(8).copied().collect::<Vec<_>>().join(" ");
    let all = LazyCell::new(|| lines.iter().take(200).copied().collect::<Vec<_>>().join(" "));
    let status = status_code(&about).or_else(|| status_code(&all));
    let reply = || reply_code(&about).or_else(|| reply_code(&all));
    let given_up = || reply().map_or_else(|| EXPIRIES.within(&about.to_lowercase()), |c| c == '4');
    let temporary = status.as_deref().map_or_else(given_up, |code| code.starts_with('4'));
    FailedRecipient { address, permanent: !delayed && !temporary, delayed, status, text: words(&about) }
}

/// Finds a status code such as `5.1.1` that stands by itself.
pub(super) fn status_code(text: &str) -> Option<String> {
    let octets = text.as_bytes();
    let is_part = |octet: &u8| octet.is_ascii_digit() || *octet == b'.';
    // The class is one digit, and behind it stands the first point.
    let codes = memchr::memchr_iter(b'.', octets).filter_map(|point| {
        let from = point.checked_sub(1)?;
        if from.checked_sub(1).and_then(|before| octets.get(before)).is_some_and(is_part) {
            return None;
        }
        let length = octets.get(from..)?.iter().take_while(|octet| is_part(octet)).count();
        text.get(from..from + length)
    });
    codes.map(|word| word.trim_end_matches('.')).find(|word| is_status(word)).map(str::to_owned)
}

/// Tells whether a word is a status code (RFC 3463).
fn is_status(word: &str) -> bool {
    let mut parts = word.split('.');
    let class = parts.next().is_some_and(|c| matches!(c, "2" | "4" | "5"));
    let rest: Vec<&str> = parts.collect();
    class && rest.len() == 2 && rest.iter().all(|p| (1..=3).contains(&p.len()))
}

/// Finds the class of a reply code such as `550` of the mail protocol.
fn reply_code(text: &str) -> Option<char> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    let codes = words.filter(|word| word.len() == 3 && word.chars().all(|c| c.is_ascii_digit()));
    codes
        .filter_map(|code| {
            code.chars()
                .next()
                .filter(|_| code.get(1..2).is_some_and(|c| matches!(c, "2" | "3" | "5" | "0" | "1" | "4")))
        })
        .find(|c| matches!(c, '4' | '5'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_code_stands_by_itself() {
        for (text, code) in [
            ("550 5.1.1 unknown", Some("5.1.1")),
            ("5.1.1", Some("5.1.1")),
            ("(5.7.26).", Some("5.7.26")),
            ("x5.1.1.", Some("5.1.1")),
            ("4.4.7: 5.0.0", Some("4.4.7")),
            ("1.5.1.1 .5.1.1 5.1 5..1 5.1.1.1 3.1.1 15.1.1 5.1.1234", None),
            ("10.5.1.1 then 5.2.2", Some("5.2.2")),
            ("é5.1.1", Some("5.1.1")),
            ("", None),
        ] {
            assert_eq!(status_code(text).as_deref(), code, "{text}");
        }
    }
}
