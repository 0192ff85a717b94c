//! Automatic answers that say in their subject or text what they are, in many languages.

use super::challenge::is_answer;
use super::message::{Message, Structure};
use super::words::Table;

/// How the subject of a vacation notice begins, in lower case.
static SUBJECTS: Table = Table::new(include_str!("words/vacation.txt"));
/// What a vacation notice adds to a subject, in lower case.
static MARKS: Table = Table::new(include_str!("words/vacation_marks.txt"));
/// How a text begins that says of itself that no person wrote it.
static AUTOMATIC: Table = Table::new(include_str!("words/automatic_texts.txt"));
/// What a vacation notice says near its beginning; a person may say so too.
static AWAY: Table = Table::new(include_str!("words/away_texts.txt"));
/// Where in a text those words count, in characters.
pub(super) const BEGINNING: usize = 300;
/// Where they count that leave no doubt, in characters: behind a greeting at most.
const GREETING: usize = 100;

/// Tells by which sign a mail is an automatic answer; `None` when its subject and what is
/// [spoken](super::challenge::spoken) in it show none.
pub(super) fn sign(structure: &Structure<'_>, message: &Message, spoken: &str) -> Option<String> {
    let said = || format!("its subject is that of an automatic answer: {}", message.subject);
    match claim(structure.subject()) {
        Claim::Certain => return Some(said()),
        // People write about absences; only a machine does so in answer to something else.
        Claim::Possible if answers_by_itself(message) => return Some(said()),
        _ => {}
    }
    AUTOMATIC.within(beginning(spoken, GREETING)).then(|| "its text says that it is automatic".to_owned())
}

/// Tells in words that what is spoken in a mail sounds like a vacation notice, though a person may have written
/// it.
pub(super) fn away(spoken: &str) -> Option<String> {
    AWAY.within(beginning(spoken, BEGINNING))
        .then(|| "its text sounds like that of a vacation notice".to_owned())
}

/// Gives the first so many characters of a text.
fn beginning(text: &str, characters: usize) -> &str {
    if text.is_ascii() {
        return text.get(..characters).unwrap_or(text);
    }
    let is_first = |(_, octet): &(usize, &u8)| **octet & 0xc0 != 0x80;
    let mut firsts = text.as_bytes().iter().enumerate().filter(is_first);
    firsts.nth(characters).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// Tells whether a subject, in lower case, is that of a vacation notice.
pub(super) fn is_vacation_subject(subject: &str) -> bool {
    claim(subject) == Claim::Certain
}

/// How much a subject says.
#[derive(PartialEq, Eq)]
enum Claim {
    None,
    Possible,
    Certain,
}

/// Weighs a subject in lower case: `automatic reply: x` is one, `automatic reply does not work` may be.
fn claim(subject: &str) -> Claim {
    let bare = subject.trim_start_matches(['*', '[', '(', ' ', '<', '【', '"', '-', '#']);
    if let Some(length) = SUBJECTS.longest_start(bare) {
        let (word, rest) = bare.split_at_checked(length).unwrap_or((bare, ""));
        let plain = SUBJECTS.entries().any(|entry| entry.strip_suffix('?') == Some(word));
        let rest = rest.trim_start();
        let ends = rest.is_empty() && !plain;
        let parted = [':', '：', ']', ')', '】', '|'];
        let goes_on = !plain && rest.starts_with(parted) || is_answer(rest.trim_start_matches(parted));
        let second = SUBJECTS.entries().any(|word| word.len() > 6 && rest.starts_with(&*word));
        return if ends || goes_on || second { Claim::Certain } else { Claim::Possible };
    }
    if MARKS.within(subject) { Claim::Certain } else { Claim::None }
}

/// Tells whether fields show that a mail was written in answer, though its subject is no answer's.
fn answers_by_itself(message: &Message) -> bool {
    ["In-Reply-To", "References", "X-Auto-Response-Suppress", "Precedence"]
        .iter()
        .any(|name| message.has(name))
}
