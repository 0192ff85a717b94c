//! Challenges: a system in front of a reader asks the sender to prove that he is a person.
//!
//! Such a mail is never answered: our answer would be mail that nobody asked for, to an address that a
//! spammer may have made up. The staff is told, because the mail does not arrive before somebody confirms.

use super::bounce_text;
use super::message::Message;
use super::words::Table;

/// What the subjects of challenges hold, in lower case.
static SUBJECTS: Table = Table::new(include_str!("words/challenge_subjects.txt"));
/// What the texts of challenges say, in lower case.
static PHRASES: Table = Table::new(include_str!("words/challenge_phrases.txt"));
/// Services and programs that ask so, as they stand in addresses and in the names of fields.
const SERVICES: &[&str] = &[
    "boxbe.com",
    "spamarrest.com",
    "bluebottle.com",
    "mailblocks.com",
    "mailinblack.com",
    "0spam.com",
    "spamenmoins.com",
    "digiportal.com",
    "choicemail",
    "knowspam.net",
    "vanquish.com",
    "sendio",
    "ipermitmail.com",
    "earthlink-spamblocker",
    "bitbounce.com",
    "cashette.com",
    "mailfrontier",
    "qurb.com",
];
const FIELDS: &[&str] = &[
    "X-TMDA-Confirm",
    "X-TMDA-Fingerprint",
    "X-Boxbe-Challenge",
    "X-SpamArrest",
    "X-ASK-Auth",
    "X-AskVersion",
    "X-Challenge",
    "X-Mailblocks-Challenge",
    "X-Mailinblack-Challenge",
    "X-MIB-Challenge",
];

/// Tells by which sign a mail is a challenge; `None` when it is none.
pub(super) fn sign(message: &Message) -> Option<String> {
    let subject = message.subject.to_lowercase();
    let ahead = message.from.iter().chain(&message.sender).chain(&message.reply_to);
    let service = ahead.map(|m| m.email.key()).chain(message.header("Return-Path").map(str::to_lowercase));
    let service = service.into_iter().find_map(|a| SERVICES.iter().find(|name| a.contains(**name)));
    let by_subject = SUBJECTS.within(&subject);
    // Few mails have any other sign, and only for those the text is worth a look.
    let by_text = || PHRASES.within(&spoken(message, usize::MAX));
    if let Some(name) = FIELDS.iter().find(|name| message.header(name).is_some())
        && (by_subject || *name != "X-TMDA-Fingerprint" || by_text())
    {
        return Some(format!("it has a {name} field"));
    }
    let keyed = message.reply_to.iter().chain(&message.from).any(|m| {
        ["-confirm-", "+confirm-", "-confirm+", "confirm+"].iter().any(|k| m.email.key().contains(k))
    });
    match service {
        Some(service) if by_subject || by_text() => Some(format!("{service} asks for a confirmation")),
        // Who answers one by hand has the same words in his subject.
        _ if (by_subject && !is_answer(&subject) || keyed) && by_text() => {
            Some("it asks to confirm that a person wrote".to_owned())
        }
        _ => None,
    }
}

/// Gives the beginning of the text on one line, in lower case, without what is quoted; so many characters
/// of it or somewhat more.
pub(super) fn spoken(message: &Message, characters: usize) -> String {
    let text = bounce_text::own_text(message);
    let own = text.lines().filter(|line| !line.trim_start().starts_with('>'));
    let mut spoken = String::new();
    let mut count = 0;
    for word in own.flat_map(str::split_whitespace).take(600) {
        if count > characters {
            break;
        }
        if !spoken.is_empty() {
            spoken.push(' ');
        }
        spoken.push_str(word);
        count += word.chars().count() + 1;
    }
    if spoken.is_ascii() { spoken.to_ascii_lowercase() } else { spoken.to_lowercase() }
}

/// Tells whether a subject, in lower case, is that of an answer or of a mail passed on.
pub(super) fn is_answer(subject: &str) -> bool {
    const STARTS: &[&str] = &[
        "re:", "aw:", "antw:", "sv:", "vs:", "odp:", "ynt:", "rv:", "res:", "r:", "fw:", "fwd:", "wg:",
        "tr:", "i:", "enc:", "vb:", "vl:", "pd:", "i̇lt:", "ilt:", "doorst:", "转发", "回复", "答复", "轉寄",
        "回覆", "re :", "tr :",
    ];
    STARTS.iter().any(|start| subject.trim_start().starts_with(start))
}
