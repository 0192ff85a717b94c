//! Bounces that follow no standard: who sent them, and what their text says.

use super::bounce::{FailedRecipient, from_block, is_daemon, read_blocks, typed_address, words};
use super::html::html_to_text;
use super::message::Message;
use super::safe::cut;
use super::verdict::Own;
use super::{body, bounce};
use crate::domain::EmailAddress;

/// Most text of a bounce that is read, in octets.
const TEXT_MAX: usize = 64 * 1024;
/// Most recipients that are taken from a text.
const RECIPIENTS_MAX: usize = 100;

/// How the subjects of bounces begin or what they hold, in lower case.
const SUBJECTS: &[&str] = &[
    "undeliver",
    "undelivered",
    "non recapitabile",
    "mail delivery",
    "delivery failure",
    "delivery fail",
    "delivery notification",
    "delivery status",
    "delivery report",
    "delivery problem",
    "delivery error",
    "returned mail",
    "returned to sender",
    "returning message to sender",
    "returned message",
    "return to sender",
    "returned email",
    "mail returned",
    "message returned",
    "failure notice",
    "failure delivery",
    "failed delivery",
    "failed mail",
    "mail failure",
    "mail system error",
    "mail could not be delivered",
    "could not be delivered",
    "could not deliver",
    "couldn't be delivered",
    "non-delivery",
    "nondeliverable",
    "non delivery",
    "nondelivery",
    "not deliverable",
    "not delivered",
    "was not delivered",
    "message delayed",
    "delivery delayed",
    "delayed mail",
    "delay mail",
    "unable to deliver",
    "unknown user",
    "user unknown",
    "rejected mail",
    "automatically rejected",
    "mail rejected",
    "message rejected",
    "error sending",
    "warning: could not send message",
    "warning: message",
    "still undelivered",
    "mail warning",
    "unzustellbar",
    "nicht zugestellt",
    "zustellung fehlgeschlagen",
    "zustellfehler",
    "zustellung nicht möglich",
    "nicht zustellbar",
    "fehler beim senden",
    "non remis",
    "échec de la remise",
    "echec de remise",
    "échec de remise",
    "non distribué",
    "échec de distribution",
    "non délivré",
    "no se puede entregar",
    "no entregado",
    "no se ha podido entregar",
    "error de entrega",
    "devuelto",
    "devolución",
    "mensaje no entregado",
    "mancata consegna",
    "mancato recapito",
    "consegna fallita",
    "messaggio non consegnato",
    "falha na entrega",
    "não entregue",
    "não foi possível entregar",
    "notificação de status",
    "onbestelbaar",
    "niet bezorgd",
    "niet afgeleverd",
    "bezorging mislukt",
    "niedostarcz",
    "nie dostarczono",
    "zwrot",
    "недоставлен",
    "не доставлено",
    "не доставлен",
    "ошибка доставки",
    "не удалось доставить",
    "недоставленное",
    "nedoruč",
    "kunde inte levereras",
    "ej levererat",
    "kunne ikke leveres",
    "uleveret",
    "toimitus epäonnistui",
    "ei voitu toimittaa",
    "teslim edilemedi",
    "投递失败",
    "退信",
    "无法投递",
    "系统退信",
    "未能送达",
    "傳送失敗",
    "無法傳遞",
    "無法遞送",
    "配信不能",
    "配信エラー",
    "送信エラー",
    "送信できません",
    "メール送信に失敗",
    "エラーメール",
    "전송 실패",
    "반송",
    "배달되지",
    "발송실패",
    "unable to send",
    "delivery has failed",
    "problem delivering",
    "fehlgeschlagen",
    "mail error",
    "bounce",
    "mail status report",
    "invalid address",
    "invalid recipient",
    "message not delivered",
    "message you sent blocked",
    "unrouteable",
    "unreachable",
    "error condition re:",
    "nondeliverable mail",
    "mail failed",
    "delivery-failure",
    "failure to deliver",
    "notification d'état",
    "meldung zum zustellungsstatus",
    "delivery subsystem",
    "status notification",
    "notifica di stato",
    "rejected:",
    "your message to",
    "mail not delivered",
    "no such user",
    "message undeliverable",
    "message status - undeliverable",
    "your email message",
];

/// What the texts of bounces say, in lower case.
const PHRASES: &[&str] = &[
    "could not be delivered",
    "couldn't be delivered",
    "could not deliver",
    "cannot be delivered",
    "can't be delivered",
    "unable to deliver",
    "unable to be delivered",
    "was not delivered",
    "wasn't able to deliver",
    "not able to deliver",
    "was undeliverable",
    "is undeliverable",
    "undeliverable",
    "did not reach",
    "delivery failed",
    "delivery has failed",
    "failed to deliver",
    "delivery to the following",
    "deliver to the following",
    "delevery to the following",
    "following address(es) failed",
    "following addresses failed",
    "following addresses had",
    "had delivery",
    "delivery errors",
    "permanent fatal errors",
    "could not be reached",
    "could not be sent",
    "has not been delivered",
    "have not been delivered",
    "not yet been delivered",
    "not been delivered",
    "problem with the e-mail address",
    "user unknown",
    "unknown user",
    "no such user",
    "mailbox unavailable",
    "mailbox is full",
    "mailbox full",
    "over quota",
    "quota exceeded",
    "does not exist",
    "doesn't exist",
    "recipient rejected",
    "address rejected",
    "recipient not found",
    "invalid recipient",
    "unknown recipient",
    "not a known user",
    "unrouteable",
    "message delivery to",
    "returned to you",
    "returned to sender",
    "is being returned",
    "error delivering",
    "failure delivering",
    "was automatically rejected",
    "has been rejected",
    "was rejected",
    "were rejected",
    "message has been delayed",
    "has been delayed",
    "still undelivered",
    "will retry",
    "keep trying",
    "retry timeout",
    "transcript of session",
    "failure reasons",
    "reason for failure",
    "remote host said",
    "said: 5",
    "returned message",
    "giving up",
    "host unknown",
    "host not found",
    "not listed in",
    "temporarily deferred",
    "konnte nicht zugestellt",
    "nicht zugestellt werden",
    "n'a pas pu être",
    "no se pudo entregar",
    "non è stato possibile",
    "não foi possível entregar",
    "konnten nicht",
    "не может быть доставлено",
    "не удалось доставить",
    "не было доставлено",
    "配信できません",
    "送信できませんでした",
    "届けられません",
    "エラーのため",
    "无法送达",
    "無法",
    "can not be delivered",
    "unable to send",
    "delivery status notification",
    "non-delivery",
    "mail system error",
    "blocked by",
    "delivery attempts",
    "delivery error",
    "your message was not",
    "we were unable",
    "unable to accept",
    "account is disabled",
    "inactive",
    "no longer valid",
    "no longer in use",
    "no longer available",
];

/// Words by which a server says that it is still trying, in lower case.
const DELAYS: &[&str] = &[
    "still undelivered",
    "will be retried",
    "will continue to",
    "will keep trying",
    "keep trying",
    "continue trying",
    "further attempts",
    "delivery attempts will continue",
    "warning message only",
    "warning only",
    "delay notification",
    "has been delayed",
    "not yet been delivered",
    "not been delivered yet",
    "could not send message for past",
    "will retry",
    "do not need to resend",
    "don't need to resend",
    "no need to resend",
    "need not resend",
    "delivery delayed",
    "message delayed",
    "still being attempted",
    "is still trying",
    "automatically retry",
    "(delay)",
    "temporarily delayed",
    "delivery status notification (delay)",
    "will try again",
    "deferred",
    "not yet delivered",
];

/// Lines behind which the returned mail stands, in lower case.
const COPY: &[&str] = &[
    "below this line is a copy",
    "this is a copy of",
    "copy of the message",
    "copy of your message",
    "original message follows",
    "message headers follow",
    "original message -",
    "original message:",
    "original message header",
    "unsent message",
    "undelivered message follows",
    "returned message",
    "returned mail follows",
    "header of the original",
    "headers of the original",
    "headers of returned",
    "message header follow",
    "original headers",
    "message follows",
    "original mail follow",
    "text of the original",
    "content of the original",
    "ursprüngliche nachricht",
    "message text follows",
    "message body",
    "start of returned",
    "beginning of message",
    "begin original",
    "enclosed is a copy",
    "the following is the header",
    "the message that caused",
    "included below",
    "original mail:",
    "original message text",
    "---- original",
    "forwarded message",
    "message contents",
    "mail header",
    "message header",
    "the body of the message is",
    "entire body",
    "first 50 lines",
    "returned content",
];

/// Reads a bounce without a standard report; `None` when the mail is none.
pub(super) fn bounce(
    parsed: &mail_parser::Message<'_>,
    message: &Message,
    own: &Own<'_>,
) -> Option<(Vec<FailedRecipient>, &'static str)> {
    let text = own_text(message).to_lowercase();
    let subject = message.subject.to_lowercase();
    let by_subject = SUBJECTS.iter().any(|known| subject.contains(known));
    let by_text = PHRASES.iter().any(|known| text.contains(known));
    let daemon = is_from_daemon(message);
    let headed = message.header("X-Failed-Recipients").is_some();
    let answer = message.header("In-Reply-To").is_some() && !daemon;
    let reports = message
        .header("Content-Type")
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("report-type=delivery-status"));
    let null = message
        .header("Return-Path")
        .is_some_and(|path| path.trim() == "<>" || path.to_uppercase().contains("MAILER-DAEMON"));
    let is_one = headed
        || reports && (by_subject || by_text)
        || daemon && (by_subject || by_text)
        || null && by_subject && by_text
        || by_subject && by_text && !answer && starts_like_one(&text);
    if !is_one || is_delivered(&subject) {
        return None;
    }
    Some((recipients(parsed, message, own), "a bounce without a standard report"))
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

/// Tells whether a mail system and no person is named as the sender.
fn is_from_daemon(message: &Message) -> bool {
    const NAMES: &[&str] = &[
        "mailer-daemon",
        "mail delivery",
        "postmaster",
        "mail administrator",
        "maildelivery",
        "mail system",
        "system administrator",
        "mailer daemon",
        "delivery subsystem",
        "mail deliver",
        "mail.delivery",
        "mail-daemon",
        "internet mail",
        "mail transport",
        "delivery system",
    ];
    let text = message.from_text.clone().into_iter().chain(message.header("From").map(str::to_owned));
    let named = text.map(|t| t.to_lowercase()).any(|t| NAMES.iter().any(|name| t.contains(name)));
    named || message.from.iter().chain(&message.sender).any(|m| is_daemon(&m.email))
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
        "error",
        "the message you sent",
        "failed",
        "we're sorry",
        "mail",
    ];
    let start: String = text.trim_start().chars().take(400).collect();
    STARTS.iter().any(|known| start.starts_with(known))
}

/// Gives the text of a bounce.
fn own_text(message: &Message) -> String {
    let plain = message.plain.clone().filter(|text| !text.trim().is_empty());
    let text =
        plain.or_else(|| message.html.as_deref().map(|html| html_to_text(html).text)).unwrap_or_default();
    cut(&text, TEXT_MAX).to_owned()
}

/// Gives the part of a text that speaks itself, without the mail that is returned below.
fn report_of(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_lowercase();
        let copied = COPY.iter().any(|mark| lower.contains(mark)) && line.len() < 120;
        let header = [
            "Received:",
            "Return-Path:",
            "Return-path:",
            "X-Google-",
            "DKIM-Signature:",
            "Message-ID:",
            "Message-Id:",
        ]
        .iter()
        .any(|name| line.starts_with(name));
        if (copied || header) && at > 0 {
            break;
        }
        at += line.len();
    }
    text.get(..at).unwrap_or(text)
}

/// Finds out who was not reached, from the most certain sign to the least.
pub(super) fn recipients(
    parsed: &mail_parser::Message<'_>,
    message: &Message,
    own: &Own<'_>,
) -> Vec<FailedRecipient> {
    let text = own_text(message);
    let report = report_of(&text);
    let blocks = read_blocks(report);
    if !blocks.is_empty() {
        let found = blocks
            .iter()
            .filter_map(|b| Some(from_block(b, typed_address(bounce::field(b, "Final-Recipient")?)?)));
        let found: Vec<_> = found.take(RECIPIENTS_MAX).collect();
        if !found.is_empty() {
            return found;
        }
    }
    let lines: Vec<&str> = report.lines().collect();
    let not = strangers(message, own);
    let failed = message.header("X-Failed-Recipients").map(addresses);
    let steps: [&dyn Fn() -> Vec<EmailAddress>; 6] = [
        &|| failed.clone().unwrap_or_default(),
        &|| alone(&lines),
        &|| in_lines(&lines, LABELS),
        &|| in_lines(&lines, ERRORS),
        &|| lines.iter().flat_map(|line| addresses(line)).collect(),
        &|| returned_to(parsed),
    ];
    let mut found: Vec<EmailAddress> = Vec::new();
    for step in steps {
        for address in step() {
            if !found.contains(&address)
                && !not.contains(&address)
                && !is_daemon(&address)
                && found.len() < RECIPIENTS_MAX
            {
                found.push(address);
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    let delayed = is_delay(&text, &message.subject);
    found.into_iter().map(|address| describe(address, &lines, delayed)).collect()
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

/// Gives the addresses that cannot be the recipient: the bounce's own sender and addressees, and ours.
fn strangers(message: &Message, own: &Own<'_>) -> Vec<EmailAddress> {
    let fields = message
        .from
        .iter()
        .chain(&message.sender)
        .chain(&message.to)
        .chain(&message.reply_to)
        .chain(&message.cc);
    let mut list: Vec<EmailAddress> = fields.map(|m| m.email.clone()).collect();
    list.extend(message.recipients.iter().filter_map(|(_, text)| EmailAddress::parse(text)));
    let text = own_text(message);
    let mentioned = text.lines().take(500).flat_map(addresses).take(1000);
    list.extend(mentioned.filter(|email| (own.is_ours)(email)));
    list
}

/// Finds every address in a line.
fn addresses(line: &str) -> Vec<EmailAddress> {
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
    lines.iter().filter_map(|line| opening_address(line)).collect()
}

/// Gives the address that a line consists of or opens with.
fn opening_address(line: &str) -> Option<EmailAddress> {
    let trimmed = line.trim().trim_start_matches(['*', '-', '\u{2022}', ' ', '|']);
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

/// Finds addresses in lines that hold one of these words.
fn in_lines(lines: &[&str], marks: &[&str]) -> Vec<EmailAddress> {
    let marked = lines.iter().filter(|line| {
        let lower = line.to_lowercase();
        marks.iter().any(|mark| lower.contains(mark))
            && !lower.contains("contact")
            && !lower.contains("mail from")
    });
    marked.flat_map(|line| addresses(line)).collect()
}

/// Gives whom the returned mail was addressed to.
fn returned_to(parsed: &mail_parser::Message<'_>) -> Vec<EmailAddress> {
    let nested = parsed.parts.iter().filter_map(super::message::nested);
    let fields = nested.flat_map(|message| {
        super::message::raw_fields(message)
            .into_iter()
            .map(|(n, v)| (n.to_owned(), v.to_vec()))
            .collect::<Vec<_>>()
    });
    let to = fields.filter(|(name, _)| name.eq_ignore_ascii_case("To"));
    let found: Vec<EmailAddress> =
        to.flat_map(|(_, raw)| super::fields::mailboxes(&raw)).map(|m| m.email).collect();
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
    let says = |words: &str| DELAYS.iter().any(|delay| words.contains(delay));
    let final_word = ["permanent error", "given up", "giving up", "failed permanently", "permanent failure"]
        .iter()
        .any(|word| report.contains(word));
    (says(&report) || says(&subject) || subject.contains("delay") || subject.starts_with("warning"))
        && !final_word
}

/// Puts what is said around an address into a recipient.
fn describe(address: EmailAddress, lines: &[&str], delayed: bool) -> FailedRecipient {
    let key = address.key();
    let at = lines.iter().position(|line| line.to_lowercase().contains(&key)).unwrap_or(0);
    let about = lines.iter().skip(at).take(8).copied().collect::<Vec<_>>().join(" ");
    let all = lines.iter().take(200).copied().collect::<Vec<_>>().join(" ");
    let status = status_code(&about).or_else(|| status_code(&all));
    let reply = || reply_code(&about).or_else(|| reply_code(&all));
    let temporary = status.as_deref().map_or_else(|| reply() == Some('4'), |code| code.starts_with('4'));
    FailedRecipient { address, permanent: !delayed && !temporary, delayed, status, text: words(&about) }
}

/// Finds a status code such as `5.1.1` that stands by itself.
pub(super) fn status_code(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_end_matches('.'))
        .find(|word| is_status(word))
        .map(str::to_owned)
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
