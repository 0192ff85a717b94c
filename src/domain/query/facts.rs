//! Facts: what is known of one issue without reading its texts, kept small and ready to compare.

use super::words::fold;
use crate::domain::{
    Author, Issue, IssueId, IssueKind, Note, NoteId, NoteKind, OutboxState, Party, Priority, ProjectId,
    Rating, Rights, Running, State, Status, Turn,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;

/// A label, a milestone, a handle or a path: as written, and as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Name {
    pub text: Box<str>,
    pub folded: Box<str>,
}

/// Somebody who wrote or takes part: as shown, and as `from:` looks through it.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    pub author: Author,
    /// Name, address and handle, folded, a line each.
    pub folded: Box<str>,
}

impl Person {
    fn new(author: &Author) -> Self {
        let email = author.email.as_ref().map_or("", |email| email.as_str());
        let lines = [author.name.as_deref().unwrap_or(""), email, author.user.as_deref().unwrap_or("")];
        Self { author: author.clone(), folded: fold(&lines.join("\n")).into() }
    }
}

/// Name, address and handle letter for letter: two persons may differ who compare as equal, since addresses compare
/// without case.
trait Spelling {
    fn spelling(&self) -> (Option<&str>, Option<&str>, Option<&str>);
}

impl Spelling for Author {
    fn spelling(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        (self.name.as_deref(), self.email.as_ref().map(|email| email.as_str()), self.user.as_deref())
    }
}

impl Hash for dyn Spelling + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spelling().hash(state);
    }
}

impl PartialEq for dyn Spelling + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.spelling() == other.spelling()
    }
}

impl Eq for dyn Spelling + '_ {}

/// A person among others, found by how they are spelt.
#[derive(Debug)]
struct Spelt(Arc<Person>);

impl<'a> Borrow<dyn Spelling + 'a> for Spelt {
    fn borrow(&self) -> &(dyn Spelling + 'a) {
        &self.0.author
    }
}

impl Hash for Spelt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.author.spelling().hash(state);
    }
}

impl PartialEq for Spelt {
    fn eq(&self, other: &Self) -> bool {
        self.0.author.spelling() == other.0.author.spelling()
    }
}

impl Eq for Spelt {}

/// Keeps one copy of every name and person, since a desk has few of them and many issues.
#[derive(Debug, Default)]
pub struct Names {
    names: HashSet<Arc<Name>>,
    people: HashSet<Spelt>,
}

impl Names {
    /// Gives the one copy of this name.
    pub fn name(&mut self, text: &str) -> Arc<Name> {
        self.adopt_name(Name { text: text.into(), folded: fold(text).into() })
    }

    /// Makes this copy the one of its name, unless there is one.
    pub fn adopt_name(&mut self, name: Name) -> Arc<Name> {
        let name = Arc::new(name);
        match self.names.get(&name) {
            Some(known) => known.clone(),
            None => {
                self.names.insert(name.clone());
                name
            }
        }
    }

    /// Makes this copy the one of its person, unless there is one.
    pub fn adopt_person(&mut self, person: Person) -> Arc<Person> {
        self.known(&person.author).unwrap_or_else(|| self.add(person))
    }

    /// Gives the one copy of this person.
    pub fn person(&mut self, author: &Author) -> Arc<Person> {
        self.known(author).unwrap_or_else(|| self.add(Person::new(author)))
    }

    fn known(&self, author: &Author) -> Option<Arc<Person>> {
        self.people.get(author as &dyn Spelling).map(|known| Arc::clone(&known.0))
    }

    fn add(&mut self, person: Person) -> Arc<Person> {
        let person = Arc::new(person);
        self.people.insert(Spelt(Arc::clone(&person)));
        person
    }

    /// Gives the copies of who has this address, as addresses are compared: one for each name that was written with it.
    pub fn with_address(&self, address: &str) -> Vec<Arc<Person>> {
        let theirs = |person: &&Arc<Person>| person.author.email.as_ref().is_some_and(|e| e.key() == address);
        self.people.iter().map(|known| &known.0).filter(theirs).cloned().collect()
    }
}

/// A note that can be unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteFacts {
    pub id: NoteId,
    /// The handle of who wrote it.
    pub by: Option<Arc<Name>>,
    /// Counts as read by everyone.
    pub read: bool,
    pub has_attachment: bool,
    /// Seconds since 1970 at which it came in, where somebody outside wrote it.
    pub came: Option<NonZeroU32>,
}

/// Everything about an issue that a query can ask for, but for its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueFacts {
    pub id: IssueId,
    pub project: ProjectId,
    pub project_path: Arc<Name>,
    pub iid: u64,
    pub kind: IssueKind,
    pub state: State,
    pub status: Status,
    pub title: Name,
    pub author: Arc<Person>,
    pub participants: Box<[Arc<Person>]>,
    pub confidential: bool,
    pub spam: bool,
    pub labels: Box<[Arc<Name>]>,
    pub assignee: Option<Arc<Name>>,
    pub milestone: Option<Arc<Name>>,
    pub priority: Option<Priority>,
    pub weight: Option<u32>,
    /// In seconds of work, as is the next.
    pub estimate: Option<i64>,
    pub spent: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub waiting_on: Option<Party>,
    pub waiting_since: Option<Timestamp>,
    pub snoozed_until: Option<Timestamp>,
    pub merged_into: Option<IssueId>,
    /// Whether it came from another project.
    pub moved: bool,
    /// Whether it is linked to another issue.
    pub linked: bool,
    /// Whether notes were split out of it, or it was made of such notes.
    pub split: bool,
    /// Whether it was opened again, and is open.
    pub reopened: bool,
    /// Whether its people were told that it will be closed, because nobody answered.
    pub warned: bool,
    /// What the customer thought of it, and since when.
    pub rating: Option<(Rating, Timestamp)>,
    /// Whose turn it was; empty where nobody wrote it down.
    pub turns: Box<[Turn]>,
    /// Whether somebody who takes part is marked as important.
    pub vip: bool,
    /// Its clock that runs out first.
    pub clock: Option<Box<Running>>,
    /// How many notes stand in it, the system's included.
    pub note_count: u32,
    /// The notes that are not the system's, by their number.
    pub notes: Vec<NoteFacts>,
    /// The worst state of its mails that somebody should look at.
    pub trouble: Option<OutboxState>,
}

impl IssueFacts {
    /// Draws the facts of an issue whose notes are not known yet.
    pub fn new(issue: &Issue, project_path: &str, names: &mut Names) -> Self {
        let outside = |p: &crate::domain::Participant| Author {
            name: p.name.clone(),
            email: Some(p.email.clone()),
            user: None,
        };
        Self {
            id: issue.id,
            project: issue.project,
            project_path: names.name(project_path),
            iid: issue.iid,
            kind: issue.kind,
            state: issue.state,
            status: issue.status,
            title: Name { text: issue.title.as_str().into(), folded: fold(&issue.title).into() },
            author: names.person(&issue.author),
            participants: issue.participants.iter().map(|p| names.person(&outside(p))).collect(),
            confidential: issue.confidential,
            spam: issue.spam,
            labels: issue.labels.iter().map(|label| names.name(label)).collect(),
            assignee: issue.assignee.as_deref().map(|user| names.name(user)),
            milestone: issue.milestone.as_deref().map(|title| names.name(title)),
            priority: issue.priority,
            weight: issue.weight,
            estimate: issue.estimate,
            spent: issue.spent,
            created_at: issue.created_at,
            updated_at: issue.updated_at,
            closed_at: issue.closed_at,
            due_at: issue.due_at,
            waiting_on: issue.waiting_on,
            waiting_since: issue.waiting_since,
            snoozed_until: issue.snoozed_until,
            merged_into: issue.merged_into,
            moved: issue.stood.first().is_some_and(|first| first.project != issue.project),
            linked: !issue.links.is_empty(),
            split: issue.split_from.is_some() || !issue.split_into.is_empty(),
            reopened: issue.reopened_at.is_some() && issue.state == State::Open,
            warned: issue.idle_warned_at.is_some(),
            rating: issue.rating.as_ref().map(|rated| (rated.rating, rated.at)),
            turns: issue.turns.as_slice().into(),
            vip: false,
            clock: None,
            note_count: issue.notes,
            notes: Vec::new(),
            trouble: None,
        }
    }

    /// Gives the addresses of whoever opened it and of those who take part, as they are compared.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        let people = std::iter::once(&self.author).chain(&self.participants);
        people.filter_map(|person| Some(person.author.email.as_ref()?.key()))
    }

    /// Takes in a note, new or changed; the system's never count as unread.
    pub fn add_note(&mut self, note: &Note, names: &mut Names) {
        if note.kind == NoteKind::System {
            return;
        }
        let facts = NoteFacts {
            id: note.id,
            by: note.author.user.as_deref().map(|user| names.name(user)),
            read: note.read,
            has_attachment: !note.attachments.is_empty(),
            came: Some(note)
                .filter(|note| note.author.is_outside())
                .and_then(|note| seconds(note.created_at)),
        };
        match self.notes.binary_search_by_key(&note.id, |known| known.id) {
            Ok(at) => self.notes.get_mut(at).into_iter().for_each(|known| *known = facts.clone()),
            Err(at) => self.notes.insert(at, facts),
        }
    }

    /// Gives until when it is put away, unless that is over.
    pub fn snoozed(&self, now: Timestamp) -> Option<Timestamp> {
        self.snoozed_until.filter(|until| *until > now)
    }

    /// Tells whether any note has a file.
    pub fn has_attachment(&self) -> bool {
        self.notes.iter().any(|note| note.has_attachment)
    }

    /// Counts the notes after `seen` that somebody else than `user` wrote.
    pub fn unread(&self, user: &str, seen: Option<NoteId>) -> u32 {
        let by_others = |note: &&NoteFacts| !note.read && note.by.as_ref().is_none_or(|by| &*by.text != user);
        let newer = self.notes.iter().rev().take_while(|note| seen.is_none_or(|seen| note.id > seen));
        newer.filter(by_others).count().try_into().unwrap_or(u32::MAX)
    }
}

/// Gives a moment in seconds since 1970, as far as 32 bits hold them.
pub(crate) fn seconds(at: Timestamp) -> Option<NonZeroU32> {
    u32::try_from(at.as_second()).ok().and_then(NonZeroU32::new)
}

/// Who looks, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub user: String,
    pub now: Timestamp,
    pub rights: Rights,
}

impl Viewer {
    /// Tells whether this person may see an issue.
    pub fn sees(&self, facts: &IssueFacts) -> bool {
        self.rights.sees_issue(facts.project, facts.confidential)
    }
}
