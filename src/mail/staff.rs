//! Mails to the staff: their text, and what of an answer to one may be passed on.
//!
//! Whoever answers such a mail writes to customers, so the mail says who they are, above everything else;
//! and of the answer nothing is taken that stood in the mail itself.

use super::template::escaped;

/// The line above which an answer is written. What stands below it in an answer is the desk's own mail.
pub const MARK: &str = "Write your answer above this line";
/// Most characters of a note that such a mail carries.
const TEXT: usize = 50_000;
/// Most characters of a note in a collection.
const EXCERPT: usize = 160;

/// Where an answer to such a mail goes.
#[derive(Clone, Copy, Debug)]
pub enum AnswerTo<'a> {
    /// To these people, as a public note.
    People(&'a [String]),
    /// To nobody outside, as an internal note.
    Staff,
    /// Nowhere: it takes no answer.
    Nobody,
}

/// What a note says, as far as the mail shows it.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    Nothing,
    /// A customer's words, shown as they are.
    Plain(&'a str),
    /// Markdown of the staff.
    Markdown(&'a str),
    /// It came encrypted and must not leave in the clear.
    Sealed,
}

/// A mail about one issue.
#[derive(Clone, Copy, Debug)]
pub struct StaffText<'a> {
    pub answer: AnswerTo<'a>,
    pub reference: &'a str,
    pub title: &'a str,
    /// What happened, a sentence each.
    pub news: &'a [String],
    pub said: Said<'a>,
    /// Names and sizes of the files that came with it.
    pub files: &'a [String],
    /// Where the issue can be looked at; empty where nowhere.
    pub url: &'a str,
    /// How to get fewer of these.
    pub how_to_stop: &'a str,
}

/// One line of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestLine {
    pub reference: String,
    pub title: String,
    pub news: String,
    pub excerpt: String,
}

/// Gives the Markdown of a mail about one issue.
pub fn staff_text(text: &StaffText<'_>) -> String {
    let mut out = format!("{MARK}\n\n{}\n\n---\n\n", answer_line(text.answer));
    out.push_str(&format!("**{}** {}\n\n", escaped(text.reference), escaped(text.title)));
    for news in text.news {
        out.push_str(&format!("{}\n\n", escaped(news)));
    }
    match text.said {
        Said::Nothing => {}
        Said::Plain(words) => out.push_str(&format!("{}\n\n", lines(cut(words)))),
        Said::Markdown(words) => out.push_str(&format!("{}\n\n", cut(words).trim_end())),
        Said::Sealed => out.push_str("Its text came encrypted, so it is not in this mail.\n\n"),
    }
    if !text.files.is_empty() {
        let files: Vec<String> = text.files.iter().map(|file| escaped(file)).collect();
        out.push_str(&format!("Files: {}\n\n", files.join(", ")));
    }
    let place = Some(text.url).filter(|url| !url.is_empty()).map(|url| format!("{}\n\n", escaped(url)));
    out.push_str(&place.unwrap_or_default());
    out.push_str(&format!("---\n\n{}\n", escaped(text.how_to_stop)));
    out
}

/// Gives the Markdown of a collection; `more` is how many lines do not stand in it.
pub fn digest_text(lines: &[DigestLine], more: usize, how_to_stop: &str) -> String {
    let mut out = format!("{}\n\n", answer_line(AnswerTo::Nobody));
    for line in lines {
        let excerpt = Some(shortened(&line.excerpt)).filter(|text| !text.is_empty());
        let excerpt = excerpt.map_or(String::new(), |text| format!(": {}", escaped(&text)));
        out.push_str(&format!(
            "**{}** {}\n{}{excerpt}\n\n",
            escaped(&line.reference),
            escaped(&line.title),
            escaped(&line.news)
        ));
    }
    if more > 0 {
        out.push_str(&format!("And {more} more.\n\n"));
    }
    out.push_str(&format!("---\n\n{}\n", escaped(how_to_stop)));
    out
}

/// Gives the Markdown of a mail that says that an answer was not taken, and nothing of what it said.
pub fn refusal_text(why: &str, arrival: u64) -> String {
    format!(
        "A mail to a reply address of yours was not taken: {}.\n\nIt waits in the intake as number {arrival}. If you \
         did not write it, somebody else knows that address. You are told this once.\n",
        escaped(why)
    )
}

/// Gives a text as Markdown that shows it as it is.
pub fn plain_text(text: &str) -> String {
    format!("{}\n", escaped(text))
}

/// Gives the Markdown of the mail that asks whether an address is a user's.
pub fn verify_text(user: &str, email: &str) -> String {
    format!(
        "{} says at this desk that {} is an address of theirs.\n\nIf that is you, answer this mail; what you write \
         does not matter. If not, do nothing.\n",
        escaped(user),
        escaped(email)
    )
}

/// Gives what somebody wrote in an answer to such a mail, and nothing of the mail itself.
///
/// `body` is the visible text of the answer. Lines from the mark on go; where the mark stands in a quote
/// between answers, that quote goes. Of nothing but quotes nothing is left.
pub fn answer_above(body: &str) -> String {
    let is_quote = |line: &str| line.trim_start().starts_with(['>', '|']);
    let mut kept: Vec<&str> = Vec::new();
    let mut in_mail = false;
    for line in body.lines() {
        if line.contains(MARK) {
            if !is_quote(line) {
                break;
            }
            while kept.last().is_some_and(|last| is_quote(last)) {
                kept.pop();
            }
            in_mail = true;
        }
        in_mail &= is_quote(line) || line.trim().is_empty();
        if !in_mail {
            kept.push(line);
        }
    }
    if kept.iter().all(|line| is_quote(line) || line.trim().is_empty()) {
        return String::new();
    }
    kept.join("\n").trim().to_owned()
}

/// Splits `/internal` off the beginning of an answer; tells whether it was there.
pub fn without_internal(text: &str) -> (bool, &str) {
    let trimmed = text.trim_start();
    let word = trimmed.split(char::is_whitespace).next().unwrap_or_default();
    match word.eq_ignore_ascii_case("/internal") {
        true => (true, trimmed.get(word.len()..).unwrap_or_default().trim_start()),
        false => (false, text),
    }
}

fn answer_line(answer: AnswerTo<'_>) -> String {
    match answer {
        AnswerTo::People([]) => {
            "Your answer becomes a public note under your name; nobody is mailed, as nobody \
                                 outside takes part. Begin it with /internal to keep it among the staff."
                .to_owned()
        }
        AnswerTo::People(people) => {
            let people: Vec<String> = people.iter().map(|person| escaped(person)).collect();
            format!(
                "**Your answer is mailed to {}** as a public note under your name. Begin it with /internal to \
                 keep it among the staff.",
                people.join(", ")
            )
        }
        AnswerTo::Staff => {
            "**Your answer stays among the staff**: it becomes an internal note under your name, as \
                            this mail tells of one."
                .to_owned()
        }
        AnswerTo::Nobody => "Answers to this mail reach nobody.".to_owned(),
    }
}

/// Writes each line of a text so that it is shown as it is.
fn lines(text: &str) -> String {
    text.trim_end().lines().map(escaped).collect::<Vec<_>>().join("\\\n")
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(TEXT).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// Gives the beginning of a text on one line.
fn shortened(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(EXCERPT) {
        Some((at, _)) => format!("{}…", words.get(..at).unwrap_or_default()),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_desks_own_mail_is_in_an_answer() {
        let mail = format!("{MARK}\nYour answer is mailed to Ada\nSecret");
        let quoted: String = mail.lines().map(|line| format!("> {line}\n")).collect();
        for (body, expected) in [
            ("Try 2.1".to_owned(), "Try 2.1"),
            (format!("Try 2.1\n\n{mail}"), "Try 2.1"),
            (format!("Try 2.1\n\n{quoted}"), "Try 2.1"),
            (format!("{quoted}\nTry 2.1"), "Try 2.1"),
            (format!("{quoted}\nYes.\n> And 3.0?\n\nNo."), "Yes.\n> And 3.0?\n\nNo."),
            (format!("> before\n{quoted}\nTry"), "Try"),
            (format!("{MARK}\nTry"), ""),
            ("> only\n\n> quotes".to_owned(), ""),
        ] {
            let answer = answer_above(&body);
            assert_eq!(answer, expected, "{body}");
            assert!(!answer.contains("Secret"));
        }
    }

    #[test]
    fn internal_stands_at_the_beginning() {
        for (text, internal, rest) in [
            ("/internal\nShe is right", true, "She is right"),
            (" /Internal she is right", true, "she is right"),
            ("/internally yes", false, "/internally yes"),
            ("Yes\n/internal", false, "Yes\n/internal"),
        ] {
            assert_eq!(without_internal(text), (internal, rest), "{text}");
        }
    }

    #[test]
    fn it_says_above_its_text_who_gets_the_answer_and_a_customers_words_stay_words() {
        let people = ["Ada <ada@customer.example>".to_owned()];
        let text = StaffText {
            answer: AnswerTo::People(&people),
            reference: "acme/support#1",
            title: "Cannot *log* in",
            news: &["Ada answered".to_owned()],
            said: Said::Plain("# Not\n[a](http://evil.example)"),
            files: &["a.pdf (3 kB)".to_owned()],
            url: "",
            how_to_stop: "deskbell user set mia notify.my_answer=off",
        };
        let shown = super::super::markdown_to_text(&staff_text(&text));
        let place = |what: &str| shown.find(what).unwrap_or_else(|| panic!("{what} in {shown}"));
        assert!(place("mailed to Ada <ada@customer.example>") < place("[a](http://evil.example)"));
        assert!(place(MARK) < place("mailed to"));
        assert!(shown.contains("Cannot *log* in") && shown.contains("# Not"), "{shown}");
        let sealed = staff_text(&StaffText { said: Said::Sealed, ..text });
        assert!(sealed.contains("came encrypted") && !sealed.contains("Not"), "{sealed}");
    }
}
