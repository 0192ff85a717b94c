//! Rows: what lists show of every issue, in memory.

use super::Update;
use super::text::{self, Work};
use crate::domain::query::{IssueFacts, Name, Names, Person, Query, Viewer};
use crate::domain::{
    CategoryKind, Clocks, Issue, IssueId, IssueRow, Note, NoteId, OutboxState, ProjectId, State,
};
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The last note read, by user and issue.
pub(super) type Reads = FxHashMap<String, FxHashMap<IssueId, NoteId>>;

/// So many changes are remembered; whoever is further behind looks at every row.
const REMEMBERED: usize = 8192;

/// What came before its issue did.
#[derive(Default)]
struct Early {
    notes: Vec<Note>,
    trouble: Option<OutboxState>,
}

/// All issues. Each has a slot for as long as it exists, so that sets of them are bits.
#[derive(Default)]
pub(super) struct Rows {
    slots: Vec<Option<IssueFacts>>,
    free: Vec<u32>,
    by_id: FxHashMap<IssueId, u32>,
    by_number: FxHashMap<(ProjectId, u64), u32>,
    /// Kept in order, so that the usual list needs no sorting.
    updated: BTreeSet<(Timestamp, IssueId, u32)>,
    projects: BTreeMap<ProjectId, String>,
    read: Reads,
    early: FxHashMap<IssueId, Early>,
    names: Names,
    /// Who is marked as important, by address as addresses are compared.
    vips: BTreeSet<String>,
    clocks: Arc<Clocks>,
    /// When something begins or ends by itself: a snooze, a due date, a clock.
    moments: BTreeSet<(Timestamp, u32)>,
    /// The slots that changed last, the latest at the end.
    changed: VecDeque<u32>,
    /// How many changes there have been.
    changes: u64,
}

impl Rows {
    /// Makes rows without issues, where somebody knows projects, what was read and who is important already.
    pub fn with(projects: BTreeMap<ProjectId, String>, read: Reads, vips: BTreeSet<String>) -> Self {
        Self { projects, read, vips, ..Self::default() }
    }

    /// Gives the projects, the last note read by user and issue, and who is marked as important.
    pub fn beside(&self) -> (&BTreeMap<ProjectId, String>, &Reads, &BTreeSet<String>) {
        (&self.projects, &self.read, &self.vips)
    }

    /// Takes the names and people over that the rows hold.
    pub fn adopt(&mut self, names: Names) {
        self.names = names;
    }

    /// Forgets every issue.
    pub fn clear(&mut self) {
        // The count goes on, so that whoever remembers an earlier one finds itself behind.
        *self = Self { changes: self.changes, clocks: Arc::clone(&self.clocks), ..Self::default() };
        self.change_all();
    }

    /// Takes in a change, and gives the work that it makes for the full text beside the note's own.
    pub fn apply(&mut self, update: &Update) -> Option<Work> {
        match update {
            Update::Issue(issue) => return self.put(issue),
            Update::IssueGone(id) => return self.remove(*id).then_some(Work::Drop(*id)),
            Update::Note(note) => self.add_note(note),
            Update::NoteGone { issue, note } => {
                if let Some(facts) = self.change(*issue) {
                    facts.notes.retain(|known| known.id != *note);
                }
                return Some(text::of_nothing(*issue, *note));
            }
            Update::Project { id, path } => self.rename(*id, path),
            Update::About { person, vip } => self.mark_vip(person, *vip),
            Update::Read { user, issue, note } => {
                self.read.entry(user.clone()).or_default().insert(*issue, *note);
                self.change(*issue);
            }
            Update::Trouble { issue, state } => match self.change(*issue) {
                Some(facts) => facts.trouble = *state,
                None => self.early.entry(*issue).or_default().trouble = *state,
            },
        }
        None
    }

    fn put(&mut self, issue: &Issue) -> Option<Work> {
        let path = self.projects.get(&issue.project).map_or("", String::as_str);
        let mut facts = IssueFacts::new(issue, path, &mut self.names);
        let early = self.early.remove(&issue.id).unwrap_or_default();
        early.notes.iter().for_each(|note| facts.add_note(note, &mut self.names));
        facts.trouble = early.trouble;
        let old = self.take(issue.id);
        let same_title = old.as_ref().is_some_and(|old| old.title.text == facts.title.text);
        if let Some(old) = old {
            (facts.notes, facts.trouble) = (old.notes, old.trouble);
        }
        facts.vip = self.is_vip(&facts);
        facts.clock = self.clocks.running(&facts).map(Box::new);
        let work = (!same_title).then(|| text::of_title(issue));
        self.insert(facts);
        work
    }

    /// Tells whether somebody who takes part in an issue is marked as important.
    pub fn is_vip(&self, facts: &IssueFacts) -> bool {
        !self.vips.is_empty() && facts.addresses().any(|person| self.vips.contains(&person))
    }

    /// Gives the issues that a person opened or takes part in.
    pub fn of_person<'a>(&'a self, person: &str) -> impl Iterator<Item = &'a IssueFacts> {
        let copies = self.names.with_address(person);
        let is_them = move |known: &Arc<Person>| copies.iter().any(|copy| Arc::ptr_eq(copy, known));
        let takes_part =
            move |facts: &&IssueFacts| is_them(&facts.author) || facts.participants.iter().any(&is_them);
        self.slots.iter().flatten().filter(takes_part)
    }

    fn mark_vip(&mut self, person: &str, vip: bool) {
        let changed = if vip { self.vips.insert(person.to_owned()) } else { self.vips.remove(person) };
        if !changed {
            return;
        }
        let issues: Vec<IssueId> = self.of_person(person).map(|facts| facts.id).collect();
        for id in issues {
            let Some(mut facts) = self.take(id) else { continue };
            facts.vip = self.is_vip(&facts);
            facts.clock = self.clocks.running(&facts).map(Box::new);
            self.insert(facts);
        }
    }

    /// Lets other clocks count from now on.
    pub fn set_clocks(&mut self, clocks: Arc<Clocks>) {
        self.moments.clear();
        for (slot, facts) in (0..).zip(&mut self.slots) {
            let Some(facts) = facts else { continue };
            facts.clock = clocks.running(facts).map(Box::new);
            self.moments.extend(moments(facts).map(|at| (at, slot)));
        }
        self.clocks = clocks;
        self.change_all();
    }

    /// Gives the issues whose clock is near its end, or over, by now.
    pub fn near(&self, now: Timestamp) -> impl Iterator<Item = &IssueFacts> {
        let near = move |facts: &&IssueFacts| {
            facts
                .clock
                .as_ref()
                .is_some_and(|clock| !clock.paused && clock.warn_at.is_some_and(|at| at <= now))
        };
        self.slots.iter().flatten().filter(near)
    }

    /// Puts an issue into a slot that is free.
    pub fn insert(&mut self, facts: IssueFacts) {
        let slot = self.free.pop().unwrap_or(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.by_id.insert(facts.id, slot);
        self.by_number.insert((facts.project, facts.iid), slot);
        self.updated.insert((facts.updated_at, facts.id, slot));
        self.moments.extend(moments(&facts).map(|at| (at, slot)));
        self.note_change(slot);
        match self.slots.get_mut(slot as usize) {
            Some(place) => *place = Some(facts),
            None => self.slots.push(Some(facts)),
        }
    }

    fn take(&mut self, id: IssueId) -> Option<IssueFacts> {
        let slot = self.by_id.remove(&id)?;
        let facts = self.slots.get_mut(slot as usize)?.take()?;
        self.by_number.remove(&(facts.project, facts.iid));
        self.updated.remove(&(facts.updated_at, id, slot));
        for at in moments(&facts) {
            self.moments.remove(&(at, slot));
        }
        self.note_change(slot);
        self.free.push(slot);
        Some(facts)
    }

    fn remove(&mut self, id: IssueId) -> bool {
        self.early.remove(&id);
        for read in self.read.values_mut() {
            read.remove(&id);
        }
        self.take(id).is_some()
    }

    fn add_note(&mut self, note: &Note) {
        let slot = self.by_id.get(&note.issue).copied();
        match slot.and_then(|slot| Some((slot, self.slots.get_mut(slot as usize)?.as_mut()?))) {
            Some((slot, facts)) => {
                facts.add_note(note, &mut self.names);
                self.note_change(slot);
            }
            None => {
                let bare = Note { body: String::new(), folded: None, ..note.clone() };
                self.early.entry(note.issue).or_default().notes.push(bare);
            }
        }
    }

    fn rename(&mut self, id: ProjectId, path: &str) {
        if self.projects.insert(id, path.to_owned()).is_some_and(|old| old == path) {
            return;
        }
        let name = self.names.name(path);
        for facts in self.slots.iter_mut().flatten().filter(|facts| facts.project == id) {
            facts.project_path = name.clone();
        }
        self.change_all();
    }

    /// Gives an issue to be changed.
    fn change(&mut self, id: IssueId) -> Option<&mut IssueFacts> {
        let slot = *self.by_id.get(&id)?;
        self.note_change(slot);
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    fn note_change(&mut self, slot: u32) {
        self.changes += 1;
        self.changed.push_back(slot);
        if self.changed.len() > REMEMBERED {
            self.changed.pop_front();
        }
    }

    fn change_all(&mut self) {
        self.changes += 1;
        self.changed.clear();
    }

    /// Counts the changes so far.
    pub fn change_count(&self) -> u64 {
        self.changes
    }

    /// Gives the slots that changed after so many changes; `None` when that is not remembered.
    pub fn changed_since(&self, count: u64) -> Option<impl Iterator<Item = u32>> {
        let behind = usize::try_from(self.changes.checked_sub(count)?).ok()?;
        let known = self.changed.len().checked_sub(behind)?;
        Some(self.changed.iter().skip(known).copied())
    }

    /// Gives the slots in which something begins or ends within this time, both ends included.
    pub fn moments(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = u32> {
        self.moments.range((from, 0)..=(to, u32::MAX)).map(|(_, slot)| *slot)
    }

    fn get(&self, id: IssueId) -> Option<&IssueFacts> {
        self.at(self.slot(id)?)
    }

    /// Gives the slot of an issue.
    pub fn slot(&self, id: IssueId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Gives the issue in a slot.
    pub fn at(&self, slot: u32) -> Option<&IssueFacts> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// Gives every issue with its slot.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &IssueFacts)> {
        (0..).zip(&self.slots).filter_map(|(slot, facts)| Some((slot, facts.as_ref()?)))
    }

    /// How many slots there are, free ones included.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Gives all slots, the latest change last.
    pub fn by_update(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.updated.iter().map(|(_, _, slot)| *slot)
    }

    /// Gives what `user` has read.
    pub fn read_by(&self, user: &str) -> Option<&FxHashMap<IssueId, NoteId>> {
        self.read.get(user)
    }

    /// Gives the row of an issue, if it exists and `viewer` may see its project.
    pub fn row(&self, id: IssueId, viewer: &Viewer) -> Option<IssueRow> {
        let facts = self.get(id).filter(|facts| viewer.sees(facts))?;
        let seen = self.read_by(&viewer.user).and_then(|read| read.get(&id)).copied();
        let text = |name: &Arc<Name>| name.text.to_string();
        Some(IssueRow {
            id,
            reference: reference(facts),
            project: text(&facts.project_path),
            iid: facts.iid,
            kind: facts.kind,
            title: facts.title.text.to_string(),
            state: facts.state,
            status: facts.status,
            author: match viewer.rights.sees_addresses(facts.project) {
                true => facts.author.author.clone(),
                false => facts.author.author.masked(),
            },
            confidential: facts.confidential,
            labels: facts.labels.iter().map(text).collect(),
            assignee: facts.assignee.as_ref().map(text),
            priority: facts.priority,
            note_count: facts.note_count,
            unread: facts.unread(&viewer.user, seen),
            created_at: facts.created_at,
            updated_at: facts.updated_at,
            closed_at: facts.closed_at,
            due_at: facts.due_at,
            waiting_on: facts.waiting_on,
            waiting_since: facts.waiting_since,
            snoozed_until: facts.snoozed_until,
            spam: facts.spam,
            milestone: facts.milestone.as_ref().map(text),
            weight: facts.weight,
            merged_into: facts.merged_into.and_then(|id| self.get(id)).map(reference),
            has_attachment: facts.has_attachment(),
            trouble: facts.trouble,
            clock: facts.clock.as_ref().map(|clock| clock.view(viewer.now)),
            vip: facts.vip && viewer.rights.sees_addresses(facts.project),
        })
    }

    /// Counts the issues of each label, spam and merged ones aside.
    pub fn labels(&self, viewer: &Viewer) -> Vec<(String, u64)> {
        let all = Query::default();
        let mut counts: FxHashMap<*const Name, (&str, u64)> = FxHashMap::default();
        for (_, facts) in self.iter().filter(|(_, facts)| all.matches(facts, viewer, None)) {
            for label in &facts.labels {
                counts.entry(Arc::as_ptr(label)).or_insert((&label.text, 0)).1 += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_values().map(|(name, count)| (name.to_owned(), count)).collect();
        counts.sort();
        counts
    }

    /// Counts the issues of each label or milestone of a project, and those of them that are closed.
    pub fn used(&self, kind: CategoryKind, viewer: &Viewer) -> BTreeMap<(ProjectId, String), (u64, u64)> {
        let all = Query::default();
        let mut counts: BTreeMap<(ProjectId, String), (u64, u64)> = BTreeMap::new();
        for (_, facts) in self.iter().filter(|(_, facts)| all.matches(facts, viewer, None)) {
            for name in carried(kind, facts) {
                let (total, closed) = counts.entry((facts.project, name.text.to_string())).or_default();
                *total += 1;
                *closed += u64::from(facts.state == State::Closed);
            }
        }
        counts
    }

    /// Lists the issues of a project that carry a label or a milestone.
    pub fn carrying(&self, kind: CategoryKind, project: ProjectId, name: &str) -> Vec<IssueId> {
        let carries = |facts: &&IssueFacts| {
            facts.project == project && carried(kind, facts).iter().any(|carried| *carried.text == *name)
        };
        self.iter().map(|(_, facts)| facts).filter(carries).map(|facts| facts.id).collect()
    }

    /// Gives the projects in which issues stand.
    pub fn projects_of(&self, issues: &[IssueId]) -> Vec<(IssueId, ProjectId)> {
        issues.iter().filter_map(|id| Some((*id, self.get(*id)?.project))).collect()
    }

    /// Finds an issue by its number in a project; without a path it is the only project there is.
    pub fn by_reference(&self, project: Option<&str>, iid: u64) -> Option<IssueId> {
        let id = match project {
            Some(path) => {
                self.projects.iter().find(|(_, known)| known.eq_ignore_ascii_case(path)).map(|(id, _)| *id)?
            }
            None if self.projects.len() == 1 => *self.projects.keys().next()?,
            None => return None,
        };
        self.at(*self.by_number.get(&(id, iid))?).map(|facts| facts.id)
    }
}

/// Gives the labels of an issue, or its milestone.
fn carried(kind: CategoryKind, facts: &IssueFacts) -> &[Arc<Name>] {
    match kind {
        CategoryKind::Label => &facts.labels,
        CategoryKind::Milestone => facts.milestone.as_slice(),
    }
}

/// Gives the moments at which an issue is found by other queries than before.
fn moments(facts: &IssueFacts) -> impl Iterator<Item = Timestamp> + use<> {
    let clock = facts.clock.as_ref().and_then(|clock| clock.due_at());
    [facts.snoozed_until, facts.due_at, clock].into_iter().flatten()
}

fn reference(facts: &IssueFacts) -> String {
    format!("{}#{}", facts.project_path.text, facts.iid)
}
