//! What a reader sees of a mail: its text, and what is folded away beneath it.

use super::fold::{Source, fold, joined};
use super::html;
use super::lines::lines;
use super::message::Message;
use super::words::{self, Table};

/// How a mail is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The first of its conversation: quotes and forwarded mails are what it is about.
    Opening,
    /// One that answers: what it quotes was said before.
    Answer,
}

impl Reading {
    /// Guesses from the headers how a mail is to be read, before its place is known.
    pub fn of(message: &Message) -> Self {
        if message.is_opening() { Self::Opening } else { Self::Answer }
    }
}

/// The text of a mail as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    pub body: String,
    /// Quotes and signatures; together with `body` it is the whole text.
    pub folded: Option<String>,
    /// Whether the text was rendered from HTML.
    pub html: bool,
    /// Whether that rendering lost something.
    pub reduced: bool,
}

/// Gives what a reader sees of a mail.
pub fn visible(message: &Message, how: Reading) -> Visible {
    let plain = message.plain.as_deref().filter(|text| !text.trim().is_empty());
    match (&message.html, plain) {
        (Some(source), plain) if plain.is_none_or(|plain| is_stand_in(plain, source, message)) => {
            of_html(message, source, plain, how)
        }
        (_, Some(plain)) => of_plain(plain, how),
        _ => Visible::default(),
    }
}

/// Gives the text of a plain body.
fn of_plain(text: &str, how: Reading) -> Visible {
    let (body, folded) = parts(text, how);
    Visible { body, folded, html: false, reduced: false }
}

/// Gives the text of an HTML body, or of what came beside it when the HTML shows nothing.
fn of_html(message: &Message, source: &str, plain: Option<&str>, how: Reading) -> Visible {
    if how == Reading::Opening {
        let rendered = message.rendered();
        return match plain {
            Some(plain) if rendered.text.trim().is_empty() => of_plain(plain, how),
            _ => Visible { body: rendered.text.clone(), folded: None, html: true, reduced: rendered.reduced },
        };
    }
    let rendered = html::render(source, html::Quotes::Marked);
    if let Some(plain) = plain.filter(|_| rendered.text.trim().is_empty()) {
        return of_plain(plain, how);
    }
    let folds = fold(&rendered.text, Source::Html);
    let body = html::with_links(&folds.body, &rendered.links);
    let folded = folds.folded.map(|text| html::with_links(&text, &rendered.links));
    Visible { body, folded, html: true, reduced: rendered.reduced }
}

/// Splits a text as it is to be read.
fn parts(text: &str, how: Reading) -> (String, Option<String>) {
    match how {
        Reading::Opening => (joined(lines(text), text.len() + 1), None),
        Reading::Answer => {
            let folds = fold(text, Source::Plain);
            (folds.body, folds.folded)
        }
    }
}

/// What a plain text says that stands in for the HTML, in lower case.
static EXCUSES: Table = Table::new(include_str!("words/html_excuses.txt"));
/// From so many words on, a plain text is none that only excuses itself.
const EXCUSE_MAX: usize = 60;

/// Tells whether the plain text only stands in for the HTML: next to nothing, or markup itself.
fn is_stand_in(plain: &str, html: &str, message: &Message) -> bool {
    // Only the beginning of a long text is looked at.
    let words = count_words(plain, EXCUSE_MAX);
    let excuse = words < EXCUSE_MAX && EXCUSES.within(&words::lower(plain));
    let begins =
        |start: &str| plain.trim_start().get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start));
    let thin = || {
        let wanted = 10 * words.max(1) + 21;
        words < 8 && html.len() > 200 && count_words(&message.rendered().text, wanted) >= wanted
    };
    excuse || begins("<!doctype html") || begins("<html") || thin()
}

/// Most octets of a text that are looked at together.
const SAMPLE: usize = 512;

/// Counts the words of a text, up to so many.
fn count_words(text: &str, most: usize) -> usize {
    let start = text.as_bytes().get(..text.len().min(SAMPLE)).unwrap_or_default();
    let blank = |octet: &u8| matches!(octet, b'\t'..=b'\r' | b' ');
    let pairs = start.iter().zip(start.iter().skip(1));
    // Many texts have so many words at their beginning, where they can be counted all at once.
    if !words::may_hold_odd_blanks(start) {
        let first = usize::from(start.first().is_some_and(|octet| !blank(octet)));
        let begun = pairs.map(|(a, b)| u16::from(blank(a) & !blank(b))).sum::<u16>();
        let begun = usize::from(begun) + first;
        if begun >= most || start.len() == text.len() {
            return begun.min(most);
        }
    }
    text.split_whitespace().take(most).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_are_counted_as_they_are_split(
            text in "(a|bc|é|日本|\u{a0}|\u{3000}| |\n|\t){0,40}", before in 500_usize..520, most in 0_usize..40
        ) {
            for text in [text.clone(), format!("{}{text}", "x".repeat(before)), format!("{}{text}", "x ".repeat(before))] {
                prop_assert_eq!(count_words(&text, most), text.split_whitespace().take(most).count());
            }
        }
    }
}
