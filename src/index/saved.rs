//! Saved rows: all rows in one file, as they stood after some frame, so that a start need not read every note.
//!
//! Derived and replaceable: a file that does not read, or is of another version, counts as none. It is written
//! while the desk works, so rows that changed meanwhile may be newer than the frame it names; whoever loads it
//! takes in all frames after that one, which leaves the newest state of each.

use super::rows::{Reads, Rows};
use crate::domain::query::{IssueFacts, Name, Names, NoteFacts, Person};
use crate::domain::{
    Author, IssueId, IssueKind, NoteId, OutboxState, Party, Priority, ProjectId, Rating, Seq, State, Status,
    Turn, TurnTo,
};
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::num::NonZeroU32;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// Raised when the file or what it says changes, so that what an older version wrote is not read.
const VERSION: u32 = 4;
/// So many rows are put down before others may use the rows again.
const AT_ONCE: u32 = 2_000;

/// A moment in nanoseconds since 1970; text would take most of the time that a load takes.
type Nanos = i64;

/// A note as [`NoteFacts`] has it, who wrote it by the place of the name.
type SavedNote = (NoteId, Option<u32>, bool, bool, Option<NonZeroU32>);

/// What comes first.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    seq: Seq,
    projects: BTreeMap<ProjectId, String>,
    read: Reads,
    vips: BTreeSet<String>,
}

/// What follows: names and people as they are first needed, and rows that name them by their place.
#[derive(Serialize, Deserialize)]
enum Piece {
    Name(Name),
    Person(Author, Box<str>),
    Row(Box<Row>),
    /// The last one, so that a file that was cut off shows.
    End,
}

#[derive(Serialize, Deserialize)]
struct Row {
    id: IssueId,
    project: ProjectId,
    project_path: u32,
    iid: u64,
    kind: IssueKind,
    state: State,
    status: Status,
    title: Name,
    author: u32,
    participants: Vec<u32>,
    confidential: bool,
    spam: bool,
    labels: Vec<u32>,
    assignee: Option<u32>,
    milestone: Option<u32>,
    priority: Option<Priority>,
    weight: Option<u32>,
    estimate: Option<i64>,
    spent: i64,
    created_at: Nanos,
    updated_at: Nanos,
    closed_at: Option<Nanos>,
    due_at: Option<Nanos>,
    waiting_on: Option<Party>,
    waiting_since: Option<Nanos>,
    snoozed_until: Option<Nanos>,
    merged_into: Option<IssueId>,
    moved: bool,
    linked: bool,
    rating: Option<(Rating, Nanos)>,
    split: bool,
    reopened: bool,
    warned: bool,
    turns: Vec<(Nanos, TurnTo)>,
    note_count: u32,
    notes: Vec<SavedNote>,
    trouble: Option<OutboxState>,
}

/// Gives where the rows stand beside the full text in `dir`.
fn path(dir: &Path) -> PathBuf {
    dir.join("rows")
}

/// Writes all rows, as they are after the frame `seq` or later.
pub(super) fn save(dir: &Path, rows: &RwLock<Rows>, seq: Seq) -> io::Result<()> {
    let draft = dir.join("rows.new");
    // For the owner only, as everything of the desk.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let mut saving = Saving {
        out: BufWriter::with_capacity(1 << 18, file),
        names: FxHashMap::default(),
        people: FxHashMap::default(),
    };
    let held = || rows.read().unwrap_or_else(PoisonError::into_inner);
    let (head, slots) = {
        let rows = held();
        let (projects, read, vips) = rows.beside();
        let (projects, read, vips) = (projects.clone(), read.clone(), vips.clone());
        (Head { version: VERSION, seq, projects, read, vips }, rows.slot_count())
    };
    write(&mut saving.out, &head)?;
    let slots = u32::try_from(slots).unwrap_or(u32::MAX);
    for from in (0..slots).step_by(AT_ONCE as usize) {
        let rows = held();
        for facts in (from..slots.min(from + AT_ONCE)).filter_map(|slot| rows.at(slot)) {
            saving.row(facts)?;
        }
    }
    write(&mut saving.out, &Piece::End)?;
    let file = saving.out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(&draft, path(dir))
}

fn write(out: &mut BufWriter<File>, what: &impl Serialize) -> io::Result<()> {
    rmp_serde::encode::write(out, what).map_err(io::Error::other)
}

struct Saving {
    out: BufWriter<File>,
    /// Where a name or a person stands, by its one copy. The copies are kept, so that no other takes the address.
    names: FxHashMap<*const Name, (u32, Arc<Name>)>,
    people: FxHashMap<*const Person, (u32, Arc<Person>)>,
}

impl Saving {
    fn name(&mut self, name: &Arc<Name>) -> io::Result<u32> {
        if let Some((place, _)) = self.names.get(&Arc::as_ptr(name)) {
            return Ok(*place);
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.insert(Arc::as_ptr(name), (place, Arc::clone(name)));
        write(&mut self.out, &Piece::Name(Name::clone(name)))?;
        Ok(place)
    }

    fn person(&mut self, person: &Arc<Person>) -> io::Result<u32> {
        if let Some((place, _)) = self.people.get(&Arc::as_ptr(person)) {
            return Ok(*place);
        }
        let place = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        self.people.insert(Arc::as_ptr(person), (place, Arc::clone(person)));
        write(&mut self.out, &Piece::Person(person.author.clone(), person.folded.clone()))?;
        Ok(place)
    }

    fn row(&mut self, facts: &IssueFacts) -> io::Result<()> {
        let notes = facts.notes.iter().map(|note| {
            let by = note.by.as_ref().map(|by| self.name(by)).transpose()?;
            Ok((note.id, by, note.read, note.has_attachment, note.came))
        });
        let row = Row {
            notes: notes.collect::<io::Result<_>>()?,
            id: facts.id,
            project: facts.project,
            project_path: self.name(&facts.project_path)?,
            iid: facts.iid,
            kind: facts.kind,
            state: facts.state,
            status: facts.status,
            title: facts.title.clone(),
            author: self.person(&facts.author)?,
            participants: facts.participants.iter().map(|p| self.person(p)).collect::<io::Result<_>>()?,
            confidential: facts.confidential,
            spam: facts.spam,
            labels: facts.labels.iter().map(|label| self.name(label)).collect::<io::Result<_>>()?,
            assignee: facts.assignee.as_ref().map(|user| self.name(user)).transpose()?,
            milestone: facts.milestone.as_ref().map(|title| self.name(title)).transpose()?,
            priority: facts.priority,
            weight: facts.weight,
            estimate: facts.estimate,
            spent: facts.spent,
            created_at: nanos(facts.created_at),
            updated_at: nanos(facts.updated_at),
            closed_at: facts.closed_at.map(nanos),
            due_at: facts.due_at.map(nanos),
            waiting_on: facts.waiting_on,
            waiting_since: facts.waiting_since.map(nanos),
            snoozed_until: facts.snoozed_until.map(nanos),
            merged_into: facts.merged_into,
            moved: facts.moved,
            linked: facts.linked,
            rating: facts.rating.map(|(rating, at)| (rating, nanos(at))),
            split: facts.split,
            reopened: facts.reopened,
            warned: facts.warned,
            turns: facts.turns.iter().map(|turn| (nanos(turn.at), turn.to)).collect(),
            note_count: facts.note_count,
            trouble: facts.trouble,
        };
        write(&mut self.out, &Piece::Row(Box::new(row)))
    }
}

fn nanos(at: Timestamp) -> Nanos {
    Nanos::try_from(at.as_nanosecond()).unwrap_or(Nanos::MAX)
}

fn moment(nanos: Nanos) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(nanos)).ok()
}

/// Reads the rows, and the frame that all of them have taken in; `None` where nothing can be used.
pub(super) fn load(dir: &Path) -> Option<(Rows, Seq)> {
    let octets = fs::read(path(dir)).ok()?;
    let loaded = read(&octets);
    if loaded.is_none() {
        tracing::info!("the saved rows cannot be used, they are made anew");
    }
    loaded
}

fn read(octets: &[u8]) -> Option<(Rows, Seq)> {
    let mut rest = rmp_serde::Deserializer::from_read_ref(octets);
    let head = Head::deserialize(&mut rest).ok().filter(|head| head.version == VERSION)?;
    let mut loading = Loading::default();
    let mut rows = Rows::with(head.projects, head.read, head.vips);
    loop {
        match Piece::deserialize(&mut rest).ok()? {
            Piece::Name(name) => loading.names.push(loading.known.adopt_name(name)),
            Piece::Person(author, folded) => {
                loading.people.push(loading.known.adopt_person(Person { author, folded }));
            }
            Piece::Row(row) => {
                let mut facts = loading.facts(*row)?;
                facts.vip = rows.is_vip(&facts);
                rows.insert(facts);
            }
            Piece::End => break,
        }
    }
    rows.adopt(loading.known);
    Some((rows, head.seq))
}

#[derive(Default)]
struct Loading {
    known: Names,
    names: Vec<Arc<Name>>,
    people: Vec<Arc<Person>>,
}

impl Loading {
    fn name(&self, place: u32) -> Option<Arc<Name>> {
        self.names.get(place as usize).cloned()
    }

    fn person(&self, place: u32) -> Option<Arc<Person>> {
        self.people.get(place as usize).cloned()
    }

    /// Gives what a row says; `None` where it names what is not there.
    fn facts(&self, row: Row) -> Option<IssueFacts> {
        let optional = |place: Option<u32>| place.map_or(Some(None), |place| self.name(place).map(Some));
        let note = |(id, by, read, has_attachment, came)| {
            Some(NoteFacts { id, by: optional(by)?, read, has_attachment, came })
        };
        let turn = |(at, to)| Some(Turn { at: moment(at)?, to });
        Some(IssueFacts {
            id: row.id,
            project: row.project,
            project_path: self.name(row.project_path)?,
            iid: row.iid,
            kind: row.kind,
            state: row.state,
            status: row.status,
            title: row.title,
            author: self.person(row.author)?,
            participants: row.participants.into_iter().map(|p| self.person(p)).collect::<Option<_>>()?,
            confidential: row.confidential,
            spam: row.spam,
            labels: row.labels.into_iter().map(|label| self.name(label)).collect::<Option<_>>()?,
            assignee: optional(row.assignee)?,
            milestone: optional(row.milestone)?,
            priority: row.priority,
            weight: row.weight,
            estimate: row.estimate,
            spent: row.spent,
            created_at: moment(row.created_at)?,
            updated_at: moment(row.updated_at)?,
            closed_at: row.closed_at.and_then(moment),
            due_at: row.due_at.and_then(moment),
            waiting_on: row.waiting_on,
            waiting_since: row.waiting_since.and_then(moment),
            snoozed_until: row.snoozed_until.and_then(moment),
            merged_into: row.merged_into,
            moved: row.moved,
            linked: row.linked,
            rating: row.rating.and_then(|(rating, at)| Some((rating, moment(at)?))),
            split: row.split,
            reopened: row.reopened,
            warned: row.warned,
            turns: row.turns.into_iter().map(turn).collect::<Option<_>>()?,
            vip: false,
            clock: None,
            note_count: row.note_count,
            notes: row.notes.into_iter().map(note).collect::<Option<_>>()?,
            trouble: row.trouble,
        })
    }
}
