//! The query language: one text for the list, the views, the rules and the reports.
//!
//! Owns how a query is read, printed and held against an issue. Knows no texts: what words find is
//! told from outside, by whoever keeps the texts.

mod amount;
mod complete;
mod facts;
mod hits;
mod matching;
mod parse;
mod term;
mod when;
mod words;

pub use complete::{Completion, KnownNames, completion};
pub(super) use facts::seconds;
pub use facts::{IssueFacts, Name, Names, NoteFacts, Person, Viewer};
pub use hits::Sought;
pub use parse::QueryFault;
pub use term::{Field, Sort, SortKey, Term, TextTerm};
pub use words::{Token, TokenKind, Tokens, Words, fold};

use super::Fault;
use std::borrow::Cow;
use std::fmt;
use term::{Flag, Meaning};

/// A query that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
    sort: Option<Sort>,
}

impl Query {
    /// Reads a query. The fault says where it is wrong and what was expected there.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        Self::check(text).map_err(Fault::from)
    }

    /// Reads a query, and tells the place of a fault apart from its words.
    pub fn check(text: &str) -> Result<Self, QueryFault> {
        let (terms, sort) = parse::parse(text)?;
        Ok(Self { terms, sort })
    }

    /// Gives a query that somebody is still typing, with a star on its last word, which may go on.
    pub fn typing(text: &str) -> Cow<'_, str> {
        let ends_in_words = |text: &str| {
            let last = Self::check(text).ok().and_then(|query| query.terms.last().map(|term| term.field));
            matches!(last, Some(Field::Text | Field::Title | Field::Body))
        };
        let starred = format!("{text}*");
        let open = text.ends_with(char::is_alphanumeric) && ends_in_words(text) && ends_in_words(&starred);
        if open { starred.into() } else { text.into() }
    }

    /// Gives the conditions in the order written; all of them must hold.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Gives the conditions that need the texts, each with its place among [`Self::terms`].
    pub fn words(&self) -> impl Iterator<Item = (usize, TextTerm<'_>)> {
        self.terms.iter().enumerate().filter_map(|(at, term)| Some((at, term.text()?)))
    }

    /// Gives the order asked for: the latest change first, unless the query says otherwise.
    pub fn sort(&self) -> Sort {
        self.sort.unwrap_or_default()
    }

    /// Gives the query in another order, such as `waiting` or `title-desc`.
    pub fn ordered_by(mut self, sort: &str) -> Result<Self, Fault> {
        self.sort = Self::parse(&format!("sort:{sort}"))?.sort;
        Ok(self)
    }

    /// Gives the query of what waits on us in it, the one first that waits longest.
    pub fn longest_waiting(mut self) -> Self {
        let ours = Self::parse("waiting:us -is:snoozed sort:waiting").unwrap_or_default();
        self.terms.extend(ours.terms);
        self.sort = ours.sort;
        self
    }

    /// Gives the query of what is unread in it.
    pub fn unread(mut self) -> Self {
        self.terms.extend(Self::parse("is:unread").unwrap_or_default().terms);
        self
    }

    /// Tells whether an issue has a number that is asked for, and so comes first.
    pub fn names(&self, facts: &IssueFacts) -> bool {
        let numbered = |term: &Term| term.field == Field::Number && !term.negated && term.numbers(facts);
        self.terms.iter().any(numbered)
    }

    /// Tells whether any issue is asked for by its number.
    pub fn has_numbers(&self) -> bool {
        self.terms.iter().any(|term| term.field == Field::Number && !term.negated)
    }

    /// Tells whether it depends on who asks.
    pub fn is_personal(&self) -> bool {
        self.means(|meaning| matches!(meaning, Meaning::Me | Meaning::Is(Flag::Unread | Flag::Mine)))
    }

    /// Tells whether it asks how long ago something was, or how long until.
    pub fn measures_time(&self) -> bool {
        self.means(|meaning| matches!(meaning, Meaning::When(_)))
    }

    /// Tells whether it asks only for what stands in an issue, not for texts, nor who asks, nor when.
    pub fn is_lasting(&self) -> bool {
        let words = |field: Field| matches!(field, Field::Text | Field::Body | Field::Number);
        let other = |field: Field| {
            matches!(field, Field::Created | Field::Updated | Field::Due | Field::Clock | Field::Has)
        };
        let passing = |flag: Flag| matches!(flag, Flag::Snoozed | Flag::Overdue | Flag::Breached);
        !self.is_personal()
            && !self.terms.iter().any(|term| words(term.field) || other(term.field))
            && !self.means(|meaning| matches!(meaning, Meaning::Is(flag) if passing(*flag)))
    }

    fn means(&self, any: impl Fn(&Meaning) -> bool) -> bool {
        self.terms.iter().flat_map(|term| &term.values).any(|value| any(&value.meaning))
    }

    /// Tells whether spam, or merged issues, are asked for.
    fn asks_for(&self, flag: Flag) -> bool {
        let asked = |term: &Term| term.values.iter().any(|value| value.meaning == Meaning::Is(flag));
        self.terms.iter().any(|term| !term.negated && asked(term))
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.terms.iter().map(Term::to_string);
        let sort = self.sort.iter().map(|sort| format!("sort:{sort}"));
        f.write_str(&terms.chain(sort).collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
pub(crate) mod tests;
