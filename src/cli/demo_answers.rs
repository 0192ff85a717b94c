//! What the customers of the demo answer when somebody writes to them.
//!
//! Owns the answers in `assets/demo/answers/`. Knows nothing of the desk: a mail that went out goes in, a
//! mail to be delivered comes out, and the same mail always gets the same answer.

use super::demo_mails::MAIL_DATE;
use crate::domain::{EmailAddress, Mailbox, MessageId};
use crate::mail::{self, Message, Reading};
use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// Most answers that one conversation gets.
const ANSWERS_MAX: usize = 2;
/// How the local part of an answer's Message-ID ends, so that they can be counted.
const MARK: &str = ".answer";
/// The customer whose mailbox is full: mail to her comes back.
const FULL: &str = "margaret@ellison-lettings.example";
const FULL_REPORT: &str = include_str!("../../assets/demo/answers/mailbox-full.eml");
/// Most lines that an answer quotes.
const QUOTE_MAX: usize = 30;

/// What is said in one language: first a question, then thanks.
struct Language {
    /// Ends of the addresses of those who speak it.
    spoken_at: &'static [&'static str],
    /// How moments are written in it.
    when: &'static str,
    first: &'static [&'static str],
    last: &'static [&'static str],
}

const ENGLISH: Language = Language {
    spoken_at: &[],
    when: "%a, %d %b %Y at %H:%M",
    first: &[
        include_str!("../../assets/demo/answers/en-first-1.eml"),
        include_str!("../../assets/demo/answers/en-first-2.eml"),
        include_str!("../../assets/demo/answers/en-first-3.eml"),
    ],
    last: &[
        include_str!("../../assets/demo/answers/en-last-1.eml"),
        include_str!("../../assets/demo/answers/en-last-2.eml"),
    ],
};

const LANGUAGES: &[Language] = &[
    Language {
        spoken_at: &["@mueller-dach.example", "@praxis-brandt.example"],
        when: "%d.%m.%Y um %H:%M",
        first: &[include_str!("../../assets/demo/answers/de-first.eml")],
        last: &[include_str!("../../assets/demo/answers/de-last.eml")],
    },
    Language {
        spoken_at: &["@atelier-roux.example"],
        when: "%d/%m/%Y à %H:%M",
        first: &[include_str!("../../assets/demo/answers/fr-first.eml")],
        last: &[include_str!("../../assets/demo/answers/fr-last.eml")],
    },
    Language {
        spoken_at: &["@ferrer-arquitectos.example"],
        when: "%d/%m/%Y a las %H:%M",
        first: &[include_str!("../../assets/demo/answers/es-first.eml")],
        last: &[include_str!("../../assets/demo/answers/es-last.eml")],
    },
    Language {
        spoken_at: &["@aoba-honyaku.example"],
        when: "%Y/%m/%d %H:%M",
        first: &[include_str!("../../assets/demo/answers/ja-first.eml")],
        last: &[include_str!("../../assets/demo/answers/ja-last.eml")],
    },
    Language {
        spoken_at: &["@nowak-ksiegowosc.example"],
        when: "%d.%m.%Y o %H:%M",
        first: &[include_str!("../../assets/demo/answers/pl-first.eml")],
        last: &[include_str!("../../assets/demo/answers/pl-last.eml")],
    },
];

/// Gives what comes back for a mail that the desk sent: the customer's answer to its Reply-To address.
///
/// Nothing comes back for automatic mail, for mail within the desk's own domain, and after two answers
/// in one conversation, as far as the mail's References tell. One customer's mailbox is full: every
/// mail to her, automatic or not, comes back as a delivery report.
pub fn answer(sent: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    let message = mail::read(sent).ok()?;
    let customer = message.to.first()?;
    let ours = message.from.as_ref()?;
    if customer.email.domain() == ours.email.domain() {
        return None;
    }
    let hash = mail::hash(sent);
    if customer.email.as_str().eq_ignore_ascii_case(FULL) {
        return Some(filled(FULL_REPORT, &values(&message, customer, &hash, "%c", now)?).into_bytes());
    }
    let language = spoken_by(&customer.email);
    let texts = match answers_before(&message) {
        _ if message.header("Auto-Submitted").is_some() => return None,
        0 => language.first,
        count if count < ANSWERS_MAX => language.last,
        _ => return None,
    };
    let text = texts.get(usize::from_str_radix(hash.get(..4)?, 16).ok()? % texts.len().max(1))?;
    Some(filled(text, &values(&message, customer, &hash, language.when, now)?).into_bytes())
}

/// Counts the answers that the conversation of a mail holds.
fn answers_before(message: &Message) -> usize {
    let is_answer =
        |id: &&MessageId| id.as_str().split_once('@').is_some_and(|(local, _)| local.ends_with(MARK));
    message.references.iter().filter(is_answer).count()
}

fn spoken_by(email: &EmailAddress) -> &'static Language {
    let key = email.key();
    let spoken = |language: &&Language| language.spoken_at.iter().any(|end| key.ends_with(end));
    LANGUAGES.iter().find(spoken).unwrap_or(&ENGLISH)
}

/// Gives the names of the places in an answer, and what each is filled with.
fn values(
    sent: &Message,
    customer: &Mailbox,
    hash: &str,
    when: &str,
    now: Timestamp,
) -> Option<Vec<(&'static str, String)>> {
    let zoned = now.to_zoned(TimeZone::UTC);
    let domain = customer.email.domain();
    let name = customer.name.clone().unwrap_or_else(|| customer.email.local().to_owned());
    let ours = sent.from.as_ref()?;
    let id = sent.message_id.as_ref()?.as_str();
    let wrote_at = sent.date.unwrap_or(now).to_zoned(TimeZone::UTC);
    Some(vec![
        ("FROM", format!("{} <{}>", encoded(&name), customer.email)),
        ("FROM_ADDRESS", customer.email.to_string()),
        ("FROM_DOMAIN", domain.clone()),
        ("NAME", name),
        ("TO", sent.reply_to.first().unwrap_or(ours).email.to_string()),
        ("SENDER", ours.name.clone().unwrap_or_else(|| ours.email.to_string())),
        ("SUBJECT", encoded(&answering(&sent.subject))),
        ("MESSAGE_ID", format!("{}{MARK}@{domain}", hash.get(..16)?)),
        ("IN_REPLY_TO", id.to_owned()),
        ("REFERENCES", references(sent, id)),
        ("DATE", strtime::format(MAIL_DATE, &zoned).ok()?),
        ("WHEN", strtime::format(when, &wrote_at).ok()?),
        ("QUOTE", quote(sent)),
    ])
}

/// Fills the places `%{NAME}` in one pass, so that nothing in a value is taken for a place.
fn filled(text: &str, values: &[(&'static str, String)]) -> String {
    let mut parts = text.split("%{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(value.map_or("", |(_, value)| value));
        filled.push_str(rest);
    }
    filled
}

/// Lists what an answer refers to, one to a line.
fn references(sent: &Message, id: &str) -> String {
    let before = sent.references.iter().map(MessageId::as_str);
    before.chain([id]).map(|id| format!("<{id}>")).collect::<Vec<_>>().join("\n ")
}

fn answering(subject: &str) -> String {
    if subject.to_lowercase().starts_with("re:") { subject.to_owned() } else { format!("Re: {subject}") }
}

/// Quotes what a mail says.
fn quote(sent: &Message) -> String {
    let body = mail::visible(sent, Reading::Opening).body;
    let lines = body.trim().lines().take(QUOTE_MAX);
    lines.map(|line| format!("> {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Writes a text so that it can stand in a header field (RFC 2047, section 4.2).
fn encoded(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || " !*+-/".contains(c);
    if text.chars().all(|c| safe(c) || "#:'._".contains(c)) && text.len() < 900 {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for c in text.chars() {
        let mut octets = [0; 4];
        let code = match c {
            ' ' => "_".to_owned(),
            c if safe(c) => c.to_string(),
            c => c.encode_utf8(&mut octets).bytes().map(|byte| format!("={byte:02X}")).collect(),
        };
        match words.last_mut() {
            Some(word) if word.len() + code.len() <= 60 => word.push_str(&code),
            _ => words.push(code),
        }
    }
    words.iter().map(|word| format!("=?utf-8?Q?{word}?=")).collect::<Vec<_>>().join("\n ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::MailClass;

    const REPLY: &str = "support+1x2y3z@brightwater.example";

    fn now() -> Timestamp {
        "2026-06-10T08:30:00Z".parse().unwrap()
    }

    fn sent(to: &str, more: &str) -> Vec<u8> {
        format!(
            "From: Brightwater Support <support@brightwater.example>\r\nTo: {to}\r\n\
             Reply-To: brightwater/support <{REPLY}>\r\nMessage-ID: <7.out@brightwater.example>\r\n\
             Date: Wed, 10 Jun 2026 08:29:00 +0000\r\nSubject: =?utf-8?Q?Zaokr=C4=85glanie_czasu?= (brightwater/support#12)\r\n\
             {more}Content-Type: text/plain; charset=utf-8; format=flowed\r\n\r\n\
             Please switch on the option \r\ncalled %{{NAME}}.\r\n"
        )
        .into_bytes()
    }

    fn answered(to: &str, more: &str) -> Option<Message> {
        answer(&sent(to, more), now()).map(|bytes| mail::read(&bytes).unwrap())
    }

    #[test]
    fn a_customer_answers_to_the_reply_address_and_quotes_what_was_written() {
        let raw = answer(&sent("Katarzyna Nowak <k.nowak@nowak-ksiegowosc.example>", ""), now()).unwrap();
        insta::assert_snapshot!(String::from_utf8(raw).unwrap());
    }

    #[test]
    fn an_answer_can_be_read_and_threaded() {
        let message = answered(
            "=?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <j.mueller@mueller-dach.example>",
            "References: <a@x.example> <b@x.example>\r\n",
        )
        .unwrap();
        assert_eq!(message.defects, Vec::<String>::new());
        assert_eq!(
            message.from.as_ref().unwrap().to_string(),
            "Jörg Müller <j.mueller@mueller-dach.example>"
        );
        assert_eq!(message.to[0].email.as_str(), REPLY);
        assert_eq!(message.subject, "Re: Zaokrąglanie czasu (brightwater/support#12)");
        assert_eq!(message.in_reply_to[0].as_str(), "7.out@brightwater.example");
        assert_eq!(message.references.len(), 3);
        let visible = mail::visible(&message, Reading::Answer);
        assert!(
            visible.body.starts_with("Vielen Dank") && visible.body.contains("Jörg Müller"),
            "{visible:?}"
        );
        assert!(visible.folded.unwrap().contains("> Please switch on"));
    }

    #[test]
    fn every_language_has_two_answers_and_no_place_is_left_empty() {
        let all = LANGUAGES.iter().chain([&ENGLISH]).flat_map(|l| l.first.iter().chain(l.last));
        for text in all.chain([&FULL_REPORT]) {
            let message = mail::read(&sent("A B <a@b.example>", "")).unwrap();
            let values = values(&message, &message.to[0], &mail::hash(b"x"), "%H", now()).unwrap();
            for place in text.split("%{").skip(1) {
                let (name, _) = place.split_once('}').unwrap();
                assert!(values.iter().any(|(known, value)| *known == name && !value.is_empty()), "{name}");
            }
        }
        assert!(LANGUAGES.iter().all(|l| !l.first.is_empty() && !l.last.is_empty()));
    }

    #[test]
    fn there_are_two_answers_to_a_conversation_and_no_third() {
        let to = "Sam Okafor <sam@okafor-legal.example>";
        let first = answered(to, "").unwrap();
        let again = format!("References: <{}>\r\n", first.message_id.unwrap().as_str());
        let second = answered(to, &again).unwrap();
        let twice = format!("{}\r\n <{}>\r\n", again.trim_end(), second.message_id.unwrap().as_str());
        assert_eq!(answered(to, &twice), None);
    }

    #[test]
    fn automatic_mail_and_mail_among_ourselves_get_no_answer() {
        assert_eq!(answered("sam@okafor-legal.example", "Auto-Submitted: auto-replied\r\n"), None);
        assert_eq!(answered("alice@brightwater.example", ""), None);
        assert_eq!(answer(b"no mail", now()), None);
        assert_eq!(answer(b"", now()), None);
    }

    #[test]
    fn the_same_mail_gets_the_same_answer() {
        let mail = sent("Ada <ada@northlight-studio.example>", "");
        assert_eq!(answer(&mail, now()), answer(&mail, now()));
    }

    #[test]
    fn mail_to_a_full_mailbox_comes_back_whatever_wrote_it() {
        let raw = answer(&sent(FULL, "Auto-Submitted: auto-replied\r\n"), now()).unwrap();
        let message = mail::read(&raw).unwrap();
        assert_eq!(message.to[0].email.as_str(), REPLY);
        let own = mail::Own {
            is_ours: &|email| email.domain() == "brightwater.example",
            our_message_id: &|id| id.as_str() == "7.out@brightwater.example",
            own_lists: &[],
            trusted_authserv_ids: &[],
        };
        let MailClass::Bounce(bounce) = mail::verdict(&raw, &message, &own).class else {
            panic!("no bounce")
        };
        assert_eq!(bounce.original.unwrap().as_str(), "7.out@brightwater.example");
        assert_eq!(bounce.recipients[0].address.as_str(), FULL);
        assert!(bounce.recipients[0].permanent);
    }
}
