//! Parsing: from the text of a query to its conditions, or to the place where it is wrong.

use super::amount::{self, Amount};
use super::term::{
    CLOCKS, FIELDS, FLAGS, Field, KINDS, Meaning, PARTIES, PRIORITIES, RATINGS, SORTS, STATUSES, Sort,
    THINGS, Term, Value, named,
};
use super::when::{self, When};
use super::words::{Words, fold};
use crate::domain::{Fault, nearest, path_fits};

/// Where a query is wrong, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the query is wrong at column {column}: expected {expected}")]
pub struct QueryFault {
    /// Octets from the beginning of the query; its length when something is missing at the end.
    pub at: usize,
    /// Characters from the beginning, counted from 1.
    pub column: usize,
    pub expected: String,
    pub hint: Option<String>,
}

impl From<QueryFault> for Fault {
    fn from(fault: QueryFault) -> Self {
        let message = Self::usage(fault.to_string());
        match fault.hint {
            Some(hint) => message.hint(hint),
            None => message,
        }
    }
}

type Parsed<T> = Result<T, QueryFault>;

/// Reads a whole query.
pub(super) fn parse(text: &str) -> Parsed<(Vec<Term>, Option<Sort>)> {
    let mut parser = Parser { text, at: 0 };
    let (mut terms, mut sort) = (Vec::new(), None);
    while parser.skip_blanks() {
        let start = parser.at;
        let negated = parser.take("-");
        match parser.field()? {
            Some(Named::Sort) if negated || sort.is_some() => {
                return Err(parser.wrong(start, "one `sort:`, without `-`", None));
            }
            Some(Named::Sort) => sort = Some(parser.sort()?),
            Some(Named::Field(field)) => {
                terms.push(Term { negated, field, values: parser.values(field)? });
            }
            None => terms.push(parser.bare(negated)?),
        }
        parser.blank()?;
    }
    Ok((terms, sort))
}

enum Named {
    Field(Field),
    Sort,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Makes the fault for the octet `at`.
    fn wrong(&self, at: usize, expected: impl Into<String>, hint: Option<String>) -> QueryFault {
        let column = self.text.get(..at).unwrap_or(self.text).chars().count() + 1;
        QueryFault { at, column, expected: expected.into(), hint }
    }

    /// Goes to the next term, if there is one.
    fn skip_blanks(&mut self) -> bool {
        self.at = self.text.len() - self.rest().trim_start().len();
        !self.rest().is_empty()
    }

    fn take(&mut self, sign: &str) -> bool {
        let there = self.rest().starts_with(sign);
        self.at += if there { sign.len() } else { 0 };
        there
    }

    /// Takes everything before the first character that `ends` it.
    fn until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let (taken, _) = rest.split_at_checked(rest.find(ends).unwrap_or(rest.len())).unwrap_or((rest, ""));
        self.at += taken.len();
        taken
    }

    /// Takes `field:`, if the next term has one. The address of a web page has none.
    fn field(&mut self) -> Parsed<Option<Named>> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(rest.len());
        let Some((name, after)) = rest.split_at_checked(end) else { return Ok(None) };
        if name.is_empty() || !after.starts_with(':') || after.starts_with("://") {
            return Ok(None);
        }
        let found = match named(FIELDS, name) {
            Some(field) => Named::Field(field),
            None if name.eq_ignore_ascii_case("sort") => Named::Sort,
            None => return Err(self.unknown_field(name)),
        };
        self.at += name.len() + 1;
        Ok(Some(found))
    }

    fn unknown_field(&self, name: &str) -> QueryFault {
        let known: Vec<String> =
            FIELDS.iter().map(|(name, _)| (*name).to_owned()).chain(["sort".to_owned()]).collect();
        let likely = nearest(&name.to_ascii_lowercase(), &known);
        let likely = likely.map_or(String::new(), |likely| format!("; did you mean `{likely}:`?"));
        let end = if likely.is_empty() { "." } else { "" };
        let hint =
            format!("there is no field `{name}`{likely}{end} Put quotes around text that holds a colon");
        let fields: Vec<&str> = known.iter().map(String::as_str).collect();
        self.wrong(self.at, format!("a word or one of the fields {}", list(&fields)), Some(hint))
    }

    /// Makes sure that a term ends where the next begins.
    fn blank(&self) -> Parsed<()> {
        match self.rest().chars().next() {
            Some(c) if !c.is_whitespace() => Err(self.wrong(self.at, "a blank", None)),
            _ => Ok(()),
        }
    }

    /// Takes a text in quotes; a backslash takes the sign of a quote or a backslash.
    fn quoted(&mut self) -> Parsed<Option<String>> {
        let start = self.at;
        if !self.take("\"") {
            return Ok(None);
        }
        let mut text = String::new();
        let mut signs = self.rest().char_indices();
        while let Some((at, sign)) = signs.next() {
            match sign {
                '"' => {
                    self.at += at + 1;
                    return Ok(Some(text));
                }
                '\\' => match signs.next() {
                    Some((_, next @ ('"' | '\\'))) => text.push(next),
                    next => text.extend(std::iter::once('\\').chain(next.map(|(_, c)| c))),
                },
                other => text.push(other),
            }
        }
        let hint = Some(format!("a quote opens at column {}", self.wrong(start, "", None).column));
        Err(self.wrong(self.text.len(), "a closing `\"`", hint))
    }

    /// Reads a word, a phrase or a number.
    fn bare(&mut self, negated: bool) -> Parsed<Term> {
        let start = self.at;
        if let Some(text) = self.quoted()? {
            let meaning = words(&text, true);
            return Ok(Term {
                negated,
                field: Field::Text,
                values: vec![Value { text, quoted: true, meaning }],
            });
        }
        let text = self.until(char::is_whitespace);
        if text.is_empty() {
            return Err(self.wrong(start, "a word or a field after `-`", None));
        }
        if let Some(values) = numbers(text) {
            return Ok(Term { negated, field: Field::Number, values });
        }
        let value = Value { text: text.to_owned(), quoted: false, meaning: words(text, false) };
        Ok(Term { negated, field: Field::Text, values: vec![value] })
    }

    fn values(&mut self, field: Field) -> Parsed<Vec<Value>> {
        let mut values = Vec::new();
        loop {
            values.push(self.value(field)?);
            if !self.take(",") {
                return Ok(values);
            }
        }
    }

    fn value(&mut self, field: Field) -> Parsed<Value> {
        let start = self.at;
        let (text, quoted) = match self.quoted()? {
            Some(text) => (text, true),
            None => (self.until(|c| c.is_whitespace() || c == ',').to_owned(), false),
        };
        match meaning(field, &text, quoted).filter(|_| !text.trim().is_empty()) {
            Some(meaning) => Ok(Value { text, quoted, meaning }),
            None => Err(self.wrong(start, expected(field), hint(field, &text))),
        }
    }

    fn sort(&mut self) -> Parsed<Sort> {
        let start = self.at;
        let text = self.until(char::is_whitespace);
        Sort::parse(text).ok_or_else(|| {
            let names = list(&names(SORTS));
            let key = text.split('-').next().filter(|key| named(SORTS, key).is_none());
            let likely = key.and_then(|key| near(key, &names_of(SORTS)));
            self.wrong(start, format!("{names}, with `-asc` or `-desc` behind it"), likely)
        })
    }
}

/// Reads `#12`, `group/project#12`, or several of them parted by commas.
fn numbers(text: &str) -> Option<Vec<Value>> {
    let number = |part: &str| {
        let (project, digits) = part.rsplit_once('#')?;
        let sound = digits.bytes().all(|b| b.is_ascii_digit()) && (project.is_empty() || path_fits(project));
        let iid = sound.then(|| digits.parse().ok()).flatten().filter(|iid| *iid > 0)?;
        let project = Some(fold(project)).filter(|path| !path.is_empty());
        let meaning = Meaning::Number { project, iid };
        Some(Value { text: part.to_owned(), quoted: false, meaning })
    };
    text.split(',').map(number).collect()
}

/// Reads words; without quotes, a star at the end lets the last one go on.
fn words(text: &str, quoted: bool) -> Meaning {
    Meaning::Words(Words::new(text, !quoted && text.ends_with('*')))
}

/// Reads a value as its field takes it.
fn meaning(field: Field, text: &str, quoted: bool) -> Option<Meaning> {
    let special = match text.to_ascii_lowercase().as_str() {
        "none" => Some(Meaning::None),
        "any" => Some(Meaning::Any),
        "me" => Some(Meaning::Me),
        _ => None,
    };
    let optional = || special.clone().filter(|special| !quoted && takes(field, special));
    match field {
        Field::Is => named(FLAGS, text).map(Meaning::Is),
        Field::Has => named(THINGS, text).map(Meaning::Has),
        Field::Type => named(KINDS, text).map(Meaning::Type),
        Field::Status => named(STATUSES, text).map(Meaning::Status),
        Field::Priority => optional().or_else(|| named(PRIORITIES, text).map(Meaning::Priority)),
        Field::Rating => optional().or_else(|| named(RATINGS, text).map(Meaning::Rating)),
        Field::Waiting => optional().or_else(|| named(PARTIES, text).map(Meaning::Waiting)),
        Field::Created | Field::Updated => When::parse(text).map(Meaning::When),
        Field::Due | Field::Snoozed => optional().or_else(|| When::parse(text).map(Meaning::When)),
        Field::Weight => optional().or_else(|| Amount::weight(text).map(Meaning::Amount)),
        Field::Estimate | Field::Spent => optional().or_else(|| Amount::work(text).map(Meaning::Amount)),
        Field::Clock => optional()
            .or_else(|| named(CLOCKS, text).map(Meaning::Clock))
            .or_else(|| When::parse(text).map(Meaning::When)),
        Field::Title | Field::Body | Field::Text => Some(words(text, quoted)),
        _ => Some(optional().unwrap_or_else(|| Meaning::Name(fold(text)))),
    }
}

/// Tells whether a field takes `none`, `any` or `me`.
fn takes(field: Field, special: &Meaning) -> bool {
    match special {
        Meaning::Me => matches!(field, Field::From | Field::Participant | Field::Assignee),
        _ => field != Field::Project,
    }
}

/// Says what a field takes.
fn expected(field: Field) -> String {
    let words = match field {
        Field::Is => names(FLAGS),
        Field::Has => names(THINGS),
        Field::Type => names(KINDS),
        Field::Status => names(STATUSES),
        Field::Priority => [names(PRIORITIES), vec!["none", "any"]].concat(),
        Field::Rating => [names(RATINGS), vec!["none", "any"]].concat(),
        Field::Waiting => [names(PARTIES), vec!["none", "any"]].concat(),
        Field::Created | Field::Updated => return when::EXPECTED.to_owned(),
        Field::Due | Field::Snoozed => return format!("{}, or `none` or `any`", when::EXPECTED),
        Field::Weight => return amount::WEIGHT.to_owned(),
        Field::Estimate | Field::Spent => return amount::WORK.to_owned(),
        Field::Clock => {
            return format!("{}, or {}, or `none` or `any`", when::EXPECTED, list(&names(CLOCKS)));
        }
        Field::Project => return "the path of a project or a group".to_owned(),
        Field::From | Field::Participant => return "a name, an address, `me`, `none` or `any`".to_owned(),
        Field::Assignee => return "the name of a user, `me`, `none` or `any`".to_owned(),
        Field::Label => return "the name of a label, `none` or `any`".to_owned(),
        Field::Milestone => return "the name of a milestone, `none` or `any`".to_owned(),
        Field::Title | Field::Body | Field::Text | Field::Number => return "words".to_owned(),
    };
    list(&words)
}

/// Suggests the word that was likely meant.
fn hint(field: Field, text: &str) -> Option<String> {
    let known = match field {
        Field::Is => names_of(FLAGS),
        Field::Has => names_of(THINGS),
        Field::Type => names_of(KINDS),
        Field::Status => names_of(STATUSES),
        Field::Priority => names_of(PRIORITIES),
        Field::Rating => names_of(RATINGS),
        Field::Waiting => names_of(PARTIES),
        _ => return None,
    };
    near(text, &known)
}

fn near(word: &str, known: &[String]) -> Option<String> {
    nearest(&word.to_ascii_lowercase(), known).map(|likely| format!("did you mean `{likely}`?"))
}

fn names<'a, T>(table: &[(&'a str, T)]) -> Vec<&'a str> {
    table.iter().map(|(name, _)| *name).collect()
}

fn names_of<T>(table: &[(&str, T)]) -> Vec<String> {
    table.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// Lists words: `open`, `closed` or `unread`.
fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, head)) if !head.is_empty() => format!("{} or {last}", head.join(", ")),
        _ => quoted.join(""),
    }
}
