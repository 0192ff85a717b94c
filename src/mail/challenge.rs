//! Challenges: a system in front of a reader asks the sender to prove that he is a person.
//!
//! Such a mail is never answered: our answer would be mail that nobody asked for, to an address that a
//! spammer may have made up. The staff is told, because the mail does not arrive before somebody confirms.

use super::bounce_text;
use super::lines::{characters, lines};
use super::message::{Message, Structure};
use super::words::{Table, may_hold_odd_blanks, to_look_into};

/// What the subjects of challenges hold, in lower case.
static SUBJECTS: Table = Table::new(include_str!("words/challenge_subjects.txt"));
/// What the texts of challenges say, in lower case.
static PHRASES: Table = Table::new(include_str!("words/challenge_phrases.txt"));
/// Services and programs that ask so, as they stand in addresses.
static SERVICES: Table = Table::new(include_str!("words/challenge_services.txt"));
/// What an address holds to which the answer is to go.
static KEYS: Table = Table::new("-confirm-\n+confirm-\n-confirm+\nconfirm+");
/// Fields of such services and programs.
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
pub(super) fn sign(structure: &Structure<'_>, message: &Message) -> Option<String> {
    let subject = structure.subject();
    let ahead = message.from.iter().chain(&message.sender).chain(&message.reply_to);
    let mut ahead = ahead.map(|m| m.email.as_str()).chain(message.header("Return-Path"));
    let service = ahead.find(|address| SERVICES.within_any_case(address)).and_then(|address| {
        let address = address.to_lowercase();
        SERVICES.entries().find(|name| address.contains(&**name))
    });
    let by_subject = SUBJECTS.within(subject);
    // Few mails have any other sign, and only for those the text is worth a look.
    let by_text = || PHRASES.within(&spoken(message, usize::MAX));
    if let Some(name) = FIELDS.iter().find(|name| message.has(name))
        && (by_subject || *name != "X-TMDA-Fingerprint" || by_text())
    {
        return Some(format!("it has a {name} field"));
    }
    let keyed = message.reply_to.iter().chain(&message.from).any(|m| KEYS.within_any_case(m.email.as_str()));
    match service {
        Some(service) if by_subject || by_text() => Some(format!("{service} asks for a confirmation")),
        // Who answers one by hand has the same words in his subject.
        _ if (by_subject && !is_answer(subject) || keyed) && by_text() => {
            Some("it asks to confirm that a person wrote".to_owned())
        }
        _ => None,
    }
}

/// Most words of a text that count.
const WORDS_MAX: usize = 600;

/// Gives the beginning of the text on one line, as it is [looked into](to_look_into), without what is quoted; so many
/// characters of it or somewhat more.
pub(super) fn spoken(message: &Message, characters: usize) -> String {
    let text = bounce_text::own_text(message);
    let mut spoken = Spoken {
        text: String::with_capacity(text.len().min(characters.saturating_mul(2))),
        ..Spoken::default()
    };
    for line in lines(text).filter(|line| !line.trim_start().starts_with('>')) {
        if !spoken.add(line, characters) {
            break;
        }
    }
    to_look_into(spoken.text)
}

/// Words on one line, as they are put together.
#[derive(Default)]
struct Spoken {
    text: String,
    words: usize,
    characters: usize,
}

impl Spoken {
    /// Adds the words of a line up to so many characters in all; says whether more are wanted.
    fn add(&mut self, line: &str, most: usize) -> bool {
        let is_ascii = line.is_ascii();
        let odd = !is_ascii && may_hold_odd_blanks(line.as_bytes());
        let text = line.trim_ascii();
        let octets = text.as_bytes();
        let pairs = octets.iter().zip(octets.iter().skip(1));
        let even = pairs.fold(true, |even, (a, b)| even & ((*a > b' ') | ((*a == b' ') & (*b > b' '))));
        let words = memchr::memchr_iter(b' ', octets).count() + 1;
        let length = if is_ascii { text.len() } else { characters(text) };
        // Most lines go in as they are.
        if even && !odd && self.characters + length + 1 < most && self.words + words < WORDS_MAX {
            return text.is_empty() || self.push(text, length, words, most);
        }
        if is_ascii {
            return line.split_ascii_whitespace().all(|word| self.push(word, word.len(), 1, most));
        }
        line.split_whitespace().all(|word| self.push(word, word.chars().count(), 1, most))
    }

    fn push(&mut self, text: &str, characters: usize, words: usize, most: usize) -> bool {
        if self.characters > 0 {
            self.text.push(' ');
            self.characters += 1;
        }
        self.text.push_str(text);
        self.characters += characters;
        self.words += words;
        self.characters < most && self.words < WORDS_MAX
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Adds the words of a line one by one.
    fn added(spoken: &mut Spoken, line: &str, most: usize) -> bool {
        line.split_whitespace().all(|word| spoken.push(word, word.chars().count(), 1, most))
    }

    proptest! {
        #[test]
        fn words_are_put_on_one_line_as_if_one_by_one(
            lines in prop::collection::vec("(a|bc|é|ab é|日本|\u{a0}|\u{3000}| |  |\t){0,8}", 0..6), most in 0_usize..30
        ) {
            let (mut all, mut single) = (Spoken::default(), Spoken::default());
            for line in &lines {
                let goes_on = all.add(line, most);
                prop_assert_eq!(goes_on, added(&mut single, line, most));
                prop_assert_eq!((&all.text, all.words), (&single.text, single.words));
                if !goes_on {
                    break;
                }
            }
        }
    }
}
