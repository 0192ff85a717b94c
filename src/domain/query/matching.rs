//! Matching: holding a query against the facts of an issue.

use super::facts::{IssueFacts, Name, Person, Viewer};
use super::term::{ClockWord, Field, Flag, Meaning, Term, Thing, Value};
use super::{Query, fold};
use crate::domain::{NoteId, State};
use jiff::Timestamp;

impl Query {
    /// Tells whether an issue is found, words aside: those count as found, and a number only finds its issue.
    ///
    /// `seen` is the last note that the viewer has read.
    pub fn matches(&self, facts: &IssueFacts, viewer: &Viewer, seen: Option<NoteId>) -> bool {
        self.holds(facts, viewer, seen, |_, term| term.field != Field::Number)
    }

    /// Tells whether an issue is found, where `found` answers for the texts: it gets a condition's
    /// place and the condition, and tells whether any of its words is found.
    pub fn holds(
        &self,
        facts: &IssueFacts,
        viewer: &Viewer,
        seen: Option<NoteId>,
        found: impl Fn(usize, &Term) -> bool,
    ) -> bool {
        if !viewer.sees(facts) || self.hides(facts) {
            return false;
        }
        self.terms.iter().enumerate().all(|(at, term)| {
            let holds = match term.field {
                Field::Text | Field::Body => found(at, term),
                Field::Number if term.negated => term.numbers(facts),
                Field::Number => term.numbers(facts) || found(at, term),
                _ => term.values.iter().any(|value| value.holds(term.field, facts, viewer, seen)),
            };
            holds != term.negated
        })
    }

    /// Tells whether an issue is spam or merged, and nothing asks for that.
    fn hides(&self, facts: &IssueFacts) -> bool {
        let spam = facts.spam && !self.asks_for(Flag::Spam);
        let merged = facts.merged_into.is_some() && !self.asks_for(Flag::Merged);
        (spam || merged) && !self.names(facts)
    }
}

impl Value {
    fn holds(&self, field: Field, facts: &IssueFacts, viewer: &Viewer, seen: Option<NoteId>) -> bool {
        match (field, &self.meaning) {
            (_, Meaning::Is(flag)) => flag.holds(facts, viewer, seen),
            (_, Meaning::Has(Thing::Attachment)) => facts.has_attachment(),
            (_, Meaning::Has(Thing::Trouble)) => facts.trouble.is_some(),
            (_, Meaning::Type(kind)) => facts.kind == *kind,
            (_, Meaning::Status(status)) => facts.status == *status,
            (Field::Priority, meaning) => {
                option(facts.priority, meaning, |priority| *meaning == Meaning::Priority(priority))
            }
            (Field::Rating, meaning) => {
                option(facts.rating, meaning, |(rating, _)| *meaning == Meaning::Rating(rating))
            }
            (Field::Waiting, meaning) => {
                option(facts.waiting_on, meaning, |party| *meaning == Meaning::Waiting(party))
            }
            (Field::Assignee, meaning) => {
                option(facts.assignee.as_deref(), meaning, |user| is_named(user, meaning, viewer))
            }
            (Field::Milestone, meaning) => {
                option(facts.milestone.as_deref(), meaning, |title| is_named(title, meaning, viewer))
            }
            (Field::Label, meaning) => option(facts.labels.first(), meaning, |_| {
                facts.labels.iter().any(|label| is_named(label, meaning, viewer))
            }),
            (Field::From, meaning) => {
                option(Some(&*facts.author), meaning, |author| is_person(author, meaning, viewer))
            }
            (Field::Participant, meaning) => takes_part(facts, meaning, viewer),
            (Field::Project, Meaning::Name(name)) => is_within(&facts.project_path.folded, name),
            (Field::Title, Meaning::Words(words)) => words.found_in(&facts.title.folded),
            (Field::Created, Meaning::When(when)) => when.holds(facts.created_at, viewer.now, false),
            (Field::Updated, Meaning::When(when)) => when.holds(facts.updated_at, viewer.now, false),
            (Field::Due, Meaning::When(when)) => {
                facts.due_at.is_some_and(|at| when.holds(at, viewer.now, true))
            }
            (Field::Clock, meaning) => clock_fits(facts, meaning, viewer.now),
            (Field::Due, meaning) => option(facts.due_at, meaning, |_| false),
            (Field::Snoozed, Meaning::When(when)) => {
                facts.snoozed(viewer.now).is_some_and(|at| when.holds(at, viewer.now, true))
            }
            (Field::Snoozed, meaning) => option(facts.snoozed(viewer.now), meaning, |_| false),
            (Field::Weight, meaning) => is_amount(facts.weight.map(i64::from), meaning),
            (Field::Estimate, meaning) => is_amount(facts.estimate, meaning),
            (Field::Spent, meaning) => is_amount(Some(facts.spent).filter(|spent| *spent > 0), meaning),
            _ => false,
        }
    }
}

fn due_at(facts: &IssueFacts) -> Option<Timestamp> {
    facts.clock.as_ref().and_then(|clock| clock.due_at())
}

fn clock_fits(facts: &IssueFacts, meaning: &Meaning, now: Timestamp) -> bool {
    option(facts.clock.as_ref(), meaning, |clock| match meaning {
        Meaning::Clock(ClockWord::Kind(kind)) => clock.kind == *kind,
        Meaning::Clock(ClockWord::Paused) => clock.paused,
        Meaning::When(when) => clock.due_at().is_some_and(|at| when.holds(at, now, true)),
        _ => false,
    })
}

/// Answers `none` and `any`, and leaves the rest to `fits`.
fn option<T>(value: Option<T>, meaning: &Meaning, fits: impl FnOnce(T) -> bool) -> bool {
    match (meaning, value) {
        (Meaning::None, value) => value.is_none(),
        (Meaning::Any, value) => value.is_some(),
        (_, value) => value.is_some_and(fits),
    }
}

fn is_amount(amount: Option<i64>, meaning: &Meaning) -> bool {
    option(amount, meaning, |amount| matches!(meaning, Meaning::Amount(asked) if asked.holds(amount)))
}

fn is_named(name: &Name, meaning: &Meaning, viewer: &Viewer) -> bool {
    match meaning {
        Meaning::Me => *name.text == *viewer.user,
        Meaning::Name(wanted) => *name.folded == **wanted,
        _ => false,
    }
}

fn is_person(person: &Person, meaning: &Meaning, viewer: &Viewer) -> bool {
    match meaning {
        Meaning::Me => person.author.user.as_ref() == Some(&viewer.user),
        Meaning::Name(wanted) => person.folded.contains(wanted.as_str()),
        _ => false,
    }
}

/// Staff take part by writing, outside persons also by being written to.
fn takes_part(facts: &IssueFacts, meaning: &Meaning, viewer: &Viewer) -> bool {
    let user = match meaning {
        Meaning::None => return facts.participants.is_empty(),
        Meaning::Any => return !facts.participants.is_empty(),
        Meaning::Me => &fold(&viewer.user),
        Meaning::Name(name) => name,
        _ => return false,
    };
    facts.notes.iter().any(|note| note.by.as_ref().is_some_and(|by| *by.folded == **user))
        || is_person(&facts.author, meaning, viewer)
        || facts.participants.iter().any(|person| is_person(person, meaning, viewer))
}

/// Tells whether a project is the one named, by its whole path or its end, or stands in the group named.
fn is_within(path: &str, wanted: &str) -> bool {
    let after = |rest: &str| rest.is_empty() || rest.starts_with('/');
    path.strip_prefix(wanted).is_some_and(after)
        || path.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('/'))
}

impl Flag {
    fn holds(self, facts: &IssueFacts, viewer: &Viewer, seen: Option<NoteId>) -> bool {
        let past = |at: Option<Timestamp>| at.is_some_and(|at| at < viewer.now);
        match self {
            Self::Open => facts.state == State::Open,
            Self::Closed => facts.state == State::Closed,
            Self::Unread => facts.unread(&viewer.user, seen) > 0,
            Self::Confidential => facts.confidential,
            Self::Mine => facts.assignee.as_ref().is_some_and(|user| *user.text == *viewer.user),
            Self::Spam => facts.spam,
            Self::Snoozed => facts.snoozed(viewer.now).is_some(),
            Self::Overdue => facts.state == State::Open && past(facts.due_at),
            Self::Merged => facts.merged_into.is_some(),
            Self::Moved => facts.moved,
            Self::Linked => facts.linked,
            Self::Split => facts.split,
            Self::Reopened => facts.reopened,
            Self::Warned => facts.warned,
            Self::Breached => past(due_at(facts)),
            Self::Vip => facts.vip && viewer.rights.sees_addresses(facts.project),
        }
    }
}
