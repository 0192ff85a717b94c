//! A step of the desk in the making: reads what it wrote, and becomes one commit.
//!
//! Every record it read is an expectation of the commit, so a step that was overtaken is not written.

use crate::domain::{
    Actor, Change, Deed, Fault, FaultKind, IntakeId, Issue, IssueId, Note, NoteId, OutboxId, Project,
    ProjectId, RawRef, RequestId, Seq,
};
use crate::store::record::{Counters, Key};
use crate::store::{Commit, Direction, Expectation, Put, Record, Store, StoreError, Tree};
use jiff::Timestamp;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Place = (Tree, Vec<u8>);

/// A record of any kind. A step reads and writes many of them several times, so they become documents
/// only when it is committed.
pub trait Held: Any + Send + Sync {
    fn document(&self) -> Result<Vec<u8>, StoreError>;
    fn as_any(&self) -> &dyn Any;
}

impl<R: Record> Held for R {
    fn document(&self) -> Result<Vec<u8>, StoreError> {
        Store::encode(self)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A record that is to be written; none takes it away.
type Writing = Option<Arc<dyn Held>>;

/// A record as it was read, and the frame that wrote it.
type Seen = (Seq, Arc<dyn Held>);

/// Records to write, in memory until [`Txn::commit`].
pub struct Txn<'a> {
    store: &'a Store,
    /// The last frame when it began.
    since: Seq,
    /// The one moment at which all of it happens.
    pub now: Timestamp,
    written: BTreeMap<Place, Writing>,
    read: BTreeMap<Place, Option<Seen>>,
    /// The projects as they stood before this step, once it asked for them.
    projects: Option<Arc<[Project]>>,
    changes: Vec<Change>,
    deed: Deed,
    /// Whether it will never be committed.
    rehearsal: bool,
    /// Users who caused notes that others wrote, as by passing on a mail.
    pub by: BTreeMap<NoteId, String>,
    /// Who acts, where the step itself found it out.
    pub actor: Option<Actor>,
    /// Whether the staff are told nothing of it.
    pub hush: bool,
    /// What stood before the part that may have to be given up, while there is one.
    part: Option<Part>,
    /// The rule that is being carried out, and what rules did, in words.
    rule: Option<String>,
    ruled: Vec<String>,
    /// Issues whose clock is near its end, or over.
    clocks: Vec<(IssueId, String)>,
    /// Users who are told of issues, and the rules that want it.
    told: Vec<(IssueId, String, String)>,
}

/// What stood before a part of a step.
struct Part {
    /// What was to be written at each place that it wrote; none where nothing was.
    written: Vec<(Place, Option<Writing>)>,
    changes: usize,
    deed: Lengths,
    ruled: usize,
    told: usize,
}

/// How much a deed held of each thing that only grows.
struct Lengths {
    issues: usize,
    outbox: usize,
    staff: usize,
    senders: usize,
    lessons: usize,
    arrivals: usize,
    merged: usize,
    split: usize,
    parted: usize,
    notes: usize,
    ruled: usize,
}

impl Lengths {
    fn of(deed: &Deed) -> Self {
        Self {
            issues: deed.issues.len(),
            outbox: deed.outbox.len(),
            staff: deed.staff.len(),
            senders: deed.senders.len(),
            lessons: deed.lessons.len(),
            arrivals: deed.arrivals.len(),
            merged: deed.merged.len(),
            split: deed.split.len(),
            parted: deed.parted.len(),
            notes: deed.notes.len(),
            ruled: deed.ruled.len(),
        }
    }

    fn cut(&self, deed: &mut Deed) {
        deed.issues.truncate(self.issues);
        deed.outbox.truncate(self.outbox);
        deed.staff.truncate(self.staff);
        deed.senders.truncate(self.senders);
        deed.lessons.truncate(self.lessons);
        deed.arrivals.truncate(self.arrivals);
        deed.merged.truncate(self.merged);
        deed.split.truncate(self.split);
        deed.parted.truncate(self.parted);
        deed.notes.truncate(self.notes);
        deed.ruled.truncate(self.ruled);
    }
}

/// What a commit was, for those who follow the desk.
pub struct Written {
    pub seq: Seq,
    pub records: Vec<Wrote>,
}

/// A record that was written, or taken away.
pub struct Wrote {
    pub tree: Tree,
    pub key: Vec<u8>,
    record: Option<Arc<dyn Held>>,
}

impl Wrote {
    /// Gives the record, unless it was taken away.
    pub fn record<R: Record>(&self) -> Option<&R> {
        self.record.as_deref()?.as_any().downcast_ref()
    }
}

impl<'a> Txn<'a> {
    /// Begins with nothing.
    pub fn new(store: &'a Store, now: Timestamp) -> Self {
        Self {
            store,
            since: store.last(),
            now,
            written: BTreeMap::new(),
            read: BTreeMap::new(),
            projects: None,
            changes: Vec::new(),
            deed: Deed::default(),
            rehearsal: false,
            by: BTreeMap::new(),
            actor: None,
            hush: false,
            part: None,
            rule: None,
            ruled: Vec::new(),
            clocks: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Begins a step that is only looked at: nothing of it reaches the journal.
    pub fn rehearse(store: &'a Store, now: Timestamp) -> Self {
        Self { rehearsal: true, ..Self::new(store, now) }
    }

    /// Puts raw bytes into the journal, for a record of this step to name.
    pub async fn stash(&self, bytes: Vec<u8>) -> Result<RawRef, Fault> {
        if self.rehearsal {
            return Ok(RawRef { segment: 0, offset: 0, length: 0, size: bytes.len() as u64, from: 0 });
        }
        self.store.stash(bytes).await.map_err(store_fault)
    }

    /// Reads a record, as this step has left it.
    pub async fn get<R: Record>(&mut self, key: &[u8]) -> Result<Option<R>, Fault> {
        let place = (R::TREE, key.to_vec());
        if let Some(held) = self.written.get(&place) {
            return held.as_deref().map(copy).transpose();
        }
        if let Some(kept) = self.read.get(&place) {
            return kept.as_ref().map(|(_, held)| copy(&**held)).transpose();
        }
        let kept = self.store.get::<R>(key).await.map_err(store_fault)?;
        let record = kept.as_ref().map(|kept| kept.record.clone());
        self.read.insert(place, kept.map(|kept| (kept.seq, Arc::new(kept.record) as Arc<dyn Held>)));
        Ok(record)
    }

    /// Reads records beforehand in the order of their keys, in which the store reads many of them fastest.
    pub async fn fetch<R: Record>(&mut self, keys: impl Iterator<Item = Vec<u8>>) -> Result<(), Fault> {
        let keys: BTreeSet<Vec<u8>> = keys.collect();
        for key in keys {
            self.get::<R>(&key).await?;
        }
        Ok(())
    }

    /// Gives the projects as they stood before this step.
    pub async fn projects(&mut self) -> Result<Arc<[Project]>, Fault> {
        if let Some(projects) = &self.projects {
            return Ok(Arc::clone(projects));
        }
        let projects: Arc<[Project]> = self.list::<Project>(&[]).await?.into();
        self.projects = Some(Arc::clone(&projects));
        Ok(projects)
    }

    /// Lists every record below a prefix, in the order of keys, as this step has left them.
    pub async fn list<R: Record>(&mut self, prefix: &[u8]) -> Result<Vec<R>, Fault> {
        let kept = all::<R>(self.store, prefix).await?;
        let mut found: BTreeMap<Vec<u8>, R> = kept.into_iter().map(|r| (r.key(), r)).collect();
        // A step may write to ten thousand issues, and list something small at each of them.
        let written = self.written.range((R::TREE, prefix.to_vec())..);
        for ((_, key), held) in
            written.take_while(|((tree, key), _)| *tree == R::TREE && key.starts_with(prefix))
        {
            match held {
                Some(held) => found.insert(key.clone(), copy(&**held)?),
                None => found.remove(key),
            };
        }
        Ok(found.into_values().collect())
    }

    /// Writes a record.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<(), Fault> {
        self.write((R::TREE, record.key()), Some(Arc::new(record.clone())));
        Ok(())
    }

    /// Takes a record away.
    pub fn remove<R: Record>(&mut self, key: Vec<u8>) {
        self.write((R::TREE, key), None);
    }

    fn write(&mut self, place: Place, held: Writing) {
        let before = self.written.insert(place.clone(), held);
        if let Some(part) = &mut self.part {
            part.written.push((place, before));
        }
    }

    /// Begins a part that may be given up without the rest.
    pub fn begin_part(&mut self) {
        let (changes, deed, ruled) = (self.changes.len(), Lengths::of(&self.deed), self.ruled.len());
        let told = self.told.len();
        self.part = Some(Part { written: Vec::new(), changes, deed, ruled, told });
    }

    /// Keeps the part that was begun.
    pub fn keep_part(&mut self) {
        self.part = None;
    }

    /// Gives up the part that was begun: nothing of it is written.
    pub fn give_up_part(&mut self) {
        let Some(part) = self.part.take() else { return };
        for (place, before) in part.written.into_iter().rev() {
            match before {
                Some(held) => self.written.insert(place, held),
                None => self.written.remove(&place),
            };
        }
        self.changes.truncate(part.changes);
        self.ruled.truncate(part.ruled);
        self.told.truncate(part.told);
        part.deed.cut(&mut self.deed);
        self.rule = None;
    }

    /// Writes an issue and notes every field in which it differs from what it was.
    pub fn put_issue(&mut self, before: Option<&Issue>, after: &Issue) -> Result<(), Fault> {
        if let Some(before) = before {
            let rule = self.rule.clone();
            let differences = super::history::differences(before, after).into_iter();
            self.changes.extend(differences.map(|change| Change { rule: rule.clone(), ..change }));
        }
        let issues = &self.deed.issues;
        if issues.last() != Some(&after.id) && !issues.contains(&after.id) {
            self.deed.issues.push(after.id);
        }
        self.put(after)
    }

    /// Writes a note and counts it in its issue.
    pub fn add_note(&mut self, issue: &mut Issue, note: &Note) -> Result<(), Fault> {
        issue.notes += 1;
        issue.last_note = Some(note.id);
        issue.updated_at = issue.updated_at.max(note.created_at).max(self.now);
        self.put(note)
    }

    /// Lets what follows count as done by a rule, or by none.
    pub fn begin_rule(&mut self, name: Option<String>) {
        self.rule = name;
    }

    /// Gives the rule that is being carried out.
    pub fn rule(&self) -> Option<String> {
        self.rule.clone()
    }

    /// Says which rule is being carried out, in words.
    pub fn rule_in_words(&self) -> Option<String> {
        self.rule.as_ref().map(|name| format!("the rule {name} did it"))
    }

    /// Remembers what a rule did, in words.
    pub fn note_rule(&mut self, words: String) {
        self.ruled.push(words);
    }

    /// Lets a user hear of an issue, because a rule wants it.
    pub fn tell_by_rule(&mut self, issue: IssueId, user: String, rule: String) {
        self.told.push((issue, user, rule));
    }

    /// Gives who is to hear of which issue, and by which rule.
    pub fn told_by_rules(&self) -> &[(IssueId, String, String)] {
        &self.told
    }

    /// Tells whether it will never be committed.
    pub fn is_rehearsal(&self) -> bool {
        self.rehearsal
    }

    /// Takes what rules did, in words.
    pub fn take_ruled(&mut self) -> Vec<String> {
        std::mem::take(&mut self.ruled)
    }

    /// Lets the staff hear of the clock of an issue, in these words.
    pub fn tell_of_clock(&mut self, issue: IssueId, words: String) {
        self.clocks.push((issue, words));
    }

    /// Gives the issues of whose clocks the staff are to hear, and in which words.
    pub fn clocks(&self) -> &[(IssueId, String)] {
        &self.clocks
    }

    /// What to list among the verbs of the caller.
    pub fn deed(&mut self) -> &mut Deed {
        &mut self.deed
    }

    /// What was noted so far.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Lists the records of a kind that this step wrote, in the order of keys.
    pub fn wrote<R: Record>(&self) -> impl Iterator<Item = &R> {
        let written = self.written.range((R::TREE, Vec::new())..);
        let mine = written.take_while(|((tree, _), _)| *tree == R::TREE);
        mine.filter_map(|(_, held)| held.as_deref()?.as_any().downcast_ref::<R>())
    }

    /// Gives the free numbers as they were before this step; `None` when it took none.
    pub fn counters_before(&self) -> Option<Counters> {
        let place = (Tree::Counters, Vec::new());
        let kept = self.read.get(&place)?;
        let before = kept.as_ref().and_then(|(_, held)| held.as_any().downcast_ref::<Counters>().cloned());
        Some(before.unwrap_or_default())
    }

    /// Tells whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Gives the next free number of an issue.
    pub async fn next_issue(&mut self) -> Result<IssueId, Fault> {
        self.next(|c| &mut c.issue).await.map(IssueId)
    }
    /// Gives the next free number of a note.
    pub async fn next_note(&mut self) -> Result<NoteId, Fault> {
        self.next(|c| &mut c.note).await.map(NoteId)
    }
    /// Gives the next free number of a row of the outbox.
    pub async fn next_outbox(&mut self) -> Result<OutboxId, Fault> {
        self.next(|c| &mut c.outbox).await.map(OutboxId)
    }
    /// Gives the next free number of an arrival.
    pub async fn next_intake(&mut self) -> Result<IntakeId, Fault> {
        self.next(|c| &mut c.intake).await.map(IntakeId)
    }
    /// Gives the next free number of a notice to the staff.
    pub async fn next_notice(&mut self) -> Result<u64, Fault> {
        self.next(|c| &mut c.notice).await
    }
    /// Gives the next free number of a project.
    pub async fn next_project(&mut self) -> Result<ProjectId, Fault> {
        self.next(|c| &mut c.project).await.map(ProjectId)
    }

    async fn next(&mut self, which: impl FnOnce(&mut Counters) -> &mut u64) -> Result<u64, Fault> {
        let mut counters = self.get::<Counters>(&[]).await?.unwrap_or_default();
        let next = which(&mut counters);
        let number = *next;
        *next += 1;
        self.put(&counters)?;
        Ok(number)
    }

    /// Makes it durable. With a request id it becomes a verb of the actor.
    pub async fn commit(
        self,
        actor: Actor,
        reason: Option<String>,
        request: Option<RequestId>,
    ) -> Result<Written, Fault> {
        if self.rehearsal {
            return Err(Fault::internal("a rehearsal cannot be committed"));
        }
        let mut puts = Vec::with_capacity(self.written.len());
        let mut records = Vec::with_capacity(self.written.len());
        for ((tree, key), record) in self.written {
            let document =
                record.as_ref().map(|record| record.document()).transpose().map_err(store_fault)?;
            puts.push(Put { tree, key: key.clone(), document });
            records.push(Wrote { tree, key, record });
        }
        let expectations = self
            .read
            .into_iter()
            .map(|((tree, key), kept)| Expectation { tree, key, written: kept.map(|k| k.0) })
            .collect();
        let deed = (!self.deed.label.is_empty()).then_some(self.deed);
        let commit = Commit {
            at: self.now,
            actor,
            reason,
            request: request.filter(|_| deed.is_some()),
            deed,
            changes: self.changes,
            expectations,
            since: Some(self.since),
            puts,
        };
        let seq = self.store.commit(commit).await.map_err(store_fault)?;
        Ok(Written { seq, records })
    }
}

/// Gives a record as its own kind; every tree holds one kind only.
fn copy<R: Record>(held: &dyn Held) -> Result<R, Fault> {
    let record = held.as_any().downcast_ref::<R>().cloned();
    record.ok_or_else(|| Fault::internal(format!("a record of {:?} is of another kind", R::TREE)))
}

/// Lists every record below a prefix.
pub async fn all<R: Record>(store: &Store, prefix: &[u8]) -> Result<Vec<R>, Fault> {
    const PAGE: usize = 1000;
    let mut found: Vec<R> = Vec::new();
    loop {
        let from = found.last().map(Record::key);
        let page =
            store.scan::<R>(prefix, from.as_deref(), PAGE, Direction::Up).await.map_err(store_fault)?;
        let full = page.len() == PAGE;
        found.extend(page.into_iter().map(|k| k.record));
        if !full {
            return Ok(found);
        }
    }
}

/// Gives the prefix of keys that begin with a number.
pub fn below(number: u64) -> Vec<u8> {
    Key::new().number(number).octets()
}

/// Says in the words of the contract what the store could not do.
pub fn store_fault(error: StoreError) -> Fault {
    match &error {
        StoreError::Full(_) => Fault::new(FaultKind::Full, error.to_string())
            .hint("free some space; nothing was lost, and what is on the server stays there"),
        // Who asked may ask again, under the same id, where the desk is served next.
        StoreError::Closed => Fault::new(FaultKind::Unavailable, "the desk is being closed"),
        StoreError::Conflict => Fault::refused("somebody changed this at the same moment").hint("try again"),
        _ => Fault::internal(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_given_up_leaves_nothing_in_the_deed() {
        let mut deed = Deed::default();
        deed.parted.push((IssueId(1), IssueId(2)));
        let before = deed.clone();
        let lengths = Lengths::of(&deed);
        for list in [&mut deed.issues, &mut deed.merged, &mut deed.split] {
            list.push(IssueId(3));
        }
        deed.parted.push((IssueId(3), IssueId(2)));
        deed.notes.push((IssueId(3), NoteId(4)));
        deed.outbox.push(OutboxId(5));
        deed.staff.push(OutboxId(6));
        lengths.cut(&mut deed);
        assert_eq!(deed, before);
    }
}
