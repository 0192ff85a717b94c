//! Records: which documents there are, and under which key each stands.

use crate::domain::{
    About, AddressRecord, Canned, Category, CategoryKind, Change, Clock, CommitSeen, Cursor, DeskSettings,
    Draft, DraftKind, EmailAddress, IntakeEntry, IntakeId, Issue, IssueId, Keeper, Lesson, Member, MessageId,
    Note, NoteId, OutboxEntry, OutboxId, Project, ProjectId, ReplyKey, RequestId, Rule, SavedView, Sender,
    Seq, StaffKey, StaffNotice, Tabs, User, Verb, Watched,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The kinds of documents. The number is the first octet of every key and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tree {
    Counters = 1,
    Desk = 2,
    Projects = 3,
    Users = 5,
    Members = 6,
    Issues = 7,
    Numbers = 8,
    Notes = 9,
    MessageIds = 10,
    ReplyKeys = 11,
    Outbox = 12,
    OutboxOpen = 13,
    OutboxOfNotes = 14,
    Intake = 15,
    Fingerprints = 16,
    Cursors = 17,
    Drafts = 18,
    ReadMarks = 19,
    People = 20,
    /// Derived from the frames themselves.
    Verbs = 21,
    /// Derived from the frames themselves.
    History = 22,
    /// Derived from the frames themselves.
    Requests = 23,
    Senders = 24,
    Lessons = 25,
    SpamMails = 26,
    Commits = 27,
    Watched = 28,
    StaffKeys = 29,
    StaffNotices = 30,
    Categories = 31,
    Canned = 32,
    Rules = 33,
    Clocks = 34,
    Views = 38,
    Tabs = 39,
    About = 44,
}

impl Tree {
    const ALL: [Self; 36] = [
        Self::Counters,
        Self::Desk,
        Self::Projects,
        Self::Users,
        Self::Members,
        Self::Issues,
        Self::Numbers,
        Self::Notes,
        Self::MessageIds,
        Self::ReplyKeys,
        Self::Outbox,
        Self::OutboxOpen,
        Self::OutboxOfNotes,
        Self::Intake,
        Self::Fingerprints,
        Self::Cursors,
        Self::Drafts,
        Self::ReadMarks,
        Self::People,
        Self::Verbs,
        Self::History,
        Self::Requests,
        Self::Senders,
        Self::Lessons,
        Self::SpamMails,
        Self::Commits,
        Self::Watched,
        Self::Categories,
        Self::Canned,
        Self::StaffKeys,
        Self::StaffNotices,
        Self::Rules,
        Self::Clocks,
        Self::Views,
        Self::Tabs,
        Self::About,
    ];

    /// Finds the kind of this number; a newer version may write others.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|tree| *tree as u8 == number)
    }
}

/// A document that the store keeps by key.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The kind of document.
    const TREE: Tree;

    /// Gives the key within the tree; keys sort as their parts do.
    fn key(&self) -> Vec<u8>;
}

/// Parts of keys. Numbers are big-endian; texts end with a zero, which none of them holds.
#[derive(Clone, Debug, Default)]
pub struct Key(Vec<u8>);

impl Key {
    /// Begins with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// Adds a text; zeros in it are left out.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.extend(text.bytes().filter(|b| *b != 0));
        self.0.push(0);
        self
    }

    /// Gives the octets.
    pub fn octets(self) -> Vec<u8> {
        self.0
    }
}

/// The next free number of each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    pub project: u64,
    pub issue: u64,
    pub note: u64,
    pub outbox: u64,
    pub intake: u64,
    pub notice: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Self { project: 1, issue: 1, note: 1, outbox: 1, intake: 1, notice: 1 }
    }
}

/// The issue that a number within a project names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    pub project: ProjectId,
    pub iid: u64,
    pub issue: IssueId,
}

/// Where a Message-ID was seen, in or out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub message_id: MessageId,
    pub places: Vec<Place>,
}

/// One place of a Message-ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub project: ProjectId,
    pub issue: IssueId,
    pub note: Option<NoteId>,
    /// The row that sent it, when it is one of ours.
    pub outbox: Option<OutboxId>,
}

/// That a row of the outbox is not settled yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxOpen {
    pub id: OutboxId,
}

/// Which rows carry a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxOfNote {
    pub note: NoteId,
    pub outbox: OutboxId,
}

/// That an arrival is taken for spam and still kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpamMail {
    pub id: IntakeId,
    pub since: jiff::Timestamp,
}

/// The arrivals of one and the same mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    pub hash: String,
    pub intake: Vec<IntakeId>,
}

/// How far a user has read an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    pub user: String,
    pub issue: IssueId,
    pub note: NoteId,
}

/// A change of one issue, as the history lists it. The trees hold its fields by place: a new one goes to the end
/// of its struct, has a default and is never left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    pub seq: Seq,
    /// Its place within the frame.
    pub place: u32,
    pub at: jiff::Timestamp,
    pub actor: crate::domain::Actor,
    pub reason: Option<String>,
    pub change: Change,
}

/// That a request was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    pub request: RequestId,
    /// Whose verb it became.
    pub user: String,
    pub seq: Seq,
}

/// The desk's settings as a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    pub settings: DeskSettings,
    /// The domain of our Message-IDs, chosen once.
    pub domain: Option<String>,
}

impl Record for Counters {
    const TREE: Tree = Tree::Counters;
    fn key(&self) -> Vec<u8> {
        Vec::new()
    }
}
impl Record for Desk {
    const TREE: Tree = Tree::Desk;
    fn key(&self) -> Vec<u8> {
        Vec::new()
    }
}
impl Record for Project {
    const TREE: Tree = Tree::Projects;
    fn key(&self) -> Vec<u8> {
        project_key(self.id)
    }
}
impl Record for User {
    const TREE: Tree = Tree::Users;
    fn key(&self) -> Vec<u8> {
        text_key(&self.name)
    }
}
impl Record for Member {
    const TREE: Tree = Tree::Members;
    fn key(&self) -> Vec<u8> {
        Key::new().number(self.project.0).text(&self.user).octets()
    }
}
impl Record for Issue {
    const TREE: Tree = Tree::Issues;
    fn key(&self) -> Vec<u8> {
        issue_key(self.id)
    }
}
impl Record for Number {
    const TREE: Tree = Tree::Numbers;
    fn key(&self) -> Vec<u8> {
        number_key(self.project, self.iid)
    }
}
impl Record for Note {
    const TREE: Tree = Tree::Notes;
    fn key(&self) -> Vec<u8> {
        note_key(self.issue, self.id)
    }
}
impl Record for Known {
    const TREE: Tree = Tree::MessageIds;
    fn key(&self) -> Vec<u8> {
        text_key(self.message_id.as_str())
    }
}
impl Record for ReplyKey {
    const TREE: Tree = Tree::ReplyKeys;
    fn key(&self) -> Vec<u8> {
        text_key(&self.key)
    }
}
impl Record for OutboxEntry {
    const TREE: Tree = Tree::Outbox;
    fn key(&self) -> Vec<u8> {
        outbox_key(self.id)
    }
}
impl Record for OutboxOpen {
    const TREE: Tree = Tree::OutboxOpen;
    fn key(&self) -> Vec<u8> {
        outbox_key(self.id)
    }
}
impl Record for OutboxOfNote {
    const TREE: Tree = Tree::OutboxOfNotes;
    fn key(&self) -> Vec<u8> {
        Key::new().number(self.note.0).number(self.outbox.0).octets()
    }
}
impl Record for IntakeEntry {
    const TREE: Tree = Tree::Intake;
    fn key(&self) -> Vec<u8> {
        intake_key(self.id)
    }
}
impl Record for Fingerprint {
    const TREE: Tree = Tree::Fingerprints;
    fn key(&self) -> Vec<u8> {
        text_key(&self.hash)
    }
}
impl Record for Cursor {
    const TREE: Tree = Tree::Cursors;
    fn key(&self) -> Vec<u8> {
        text_key(&self.mailbox)
    }
}
impl Record for Draft {
    const TREE: Tree = Tree::Drafts;
    fn key(&self) -> Vec<u8> {
        draft_key(&self.user, self.issue, self.kind)
    }
}
impl Record for ReadMark {
    const TREE: Tree = Tree::ReadMarks;
    fn key(&self) -> Vec<u8> {
        read_key(&self.user, self.issue)
    }
}
impl Record for AddressRecord {
    const TREE: Tree = Tree::People;
    fn key(&self) -> Vec<u8> {
        person_key(&self.email)
    }
}
impl Record for About {
    const TREE: Tree = Tree::About;
    fn key(&self) -> Vec<u8> {
        person_key(&self.email)
    }
}
impl Record for Verb {
    const TREE: Tree = Tree::Verbs;
    fn key(&self) -> Vec<u8> {
        verb_key(&self.actor.user, self.seq)
    }
}
impl Record for Changed {
    const TREE: Tree = Tree::History;
    fn key(&self) -> Vec<u8> {
        Key::new().number(self.change.issue.0).number(self.seq.0).number(self.place.into()).octets()
    }
}
impl Record for Carried {
    const TREE: Tree = Tree::Requests;
    fn key(&self) -> Vec<u8> {
        text_key(&self.request.0)
    }
}

impl Record for Sender {
    const TREE: Tree = Tree::Senders;
    fn key(&self) -> Vec<u8> {
        sender_key(self.project, &self.pattern)
    }
}
impl Record for Lesson {
    const TREE: Tree = Tree::Lessons;
    fn key(&self) -> Vec<u8> {
        text_key(&self.fingerprint)
    }
}
impl Record for SpamMail {
    const TREE: Tree = Tree::SpamMails;
    fn key(&self) -> Vec<u8> {
        intake_key(self.id)
    }
}

impl Record for CommitSeen {
    const TREE: Tree = Tree::Commits;
    fn key(&self) -> Vec<u8> {
        commit_key(&self.commit, self.issue)
    }
}
impl Record for Watched {
    const TREE: Tree = Tree::Watched;
    fn key(&self) -> Vec<u8> {
        project_key(self.project)
    }
}
impl Record for StaffKey {
    const TREE: Tree = Tree::StaffKeys;
    fn key(&self) -> Vec<u8> {
        text_key(&self.key)
    }
}
impl Record for StaffNotice {
    const TREE: Tree = Tree::StaffNotices;
    fn key(&self) -> Vec<u8> {
        notice_key(&self.user, self.id)
    }
}

impl Record for Canned {
    const TREE: Tree = Tree::Canned;
    fn key(&self) -> Vec<u8> {
        kept_key(&self.owner, &self.name)
    }
}
impl Record for SavedView {
    const TREE: Tree = Tree::Views;
    fn key(&self) -> Vec<u8> {
        kept_key(&self.keeper, &self.about.name)
    }
}
impl Record for Tabs {
    const TREE: Tree = Tree::Tabs;
    fn key(&self) -> Vec<u8> {
        text_key(&self.user)
    }
}
impl Record for Category {
    const TREE: Tree = Tree::Categories;
    fn key(&self) -> Vec<u8> {
        category_key(self.project, self.kind, &self.about.name)
    }
}

/// Key of a canned reply or a view: whose it is, and its name.
pub fn kept_key(owner: &Keeper, name: &str) -> Vec<u8> {
    match owner {
        Keeper::Desk => Key::new().number(0).text(name).octets(),
        Keeper::Project(id) => Key::new().number(1).number(id.0).text(name).octets(),
        Keeper::User(user) => Key::new().number(2).text(user).text(name).octets(),
    }
}
impl Record for Clock {
    const TREE: Tree = Tree::Clocks;
    fn key(&self) -> Vec<u8> {
        rule_key(self.project, &self.about.name)
    }
}
impl Record for Rule {
    const TREE: Tree = Tree::Rules;
    fn key(&self) -> Vec<u8> {
        rule_key(self.project, &self.about.name)
    }
}

/// Key of a rule or a clock; that of the desk counts as project 0.
pub fn rule_key(project: Option<ProjectId>, name: &str) -> Vec<u8> {
    Key::new().number(project.map_or(0, |id| id.0)).text(name).octets()
}
/// Key of a label or a milestone of a project.
pub fn category_key(project: ProjectId, kind: CategoryKind, name: &str) -> Vec<u8> {
    Key::new().number(project.0).number(kind as u64).text(name).octets()
}
/// Key of what a user is still to be told of.
pub fn notice_key(user: &str, id: u64) -> Vec<u8> {
    Key::new().text(user).number(id).octets()
}
/// Key of what is known of a commit and an issue.
pub fn commit_key(commit: &str, issue: IssueId) -> Vec<u8> {
    Key::new().text(commit).number(issue.0).octets()
}
/// Key of a line of a list of senders; that of the desk counts as project 0.
pub fn sender_key(project: Option<ProjectId>, pattern: &str) -> Vec<u8> {
    Key::new().number(project.map_or(0, |id| id.0)).text(pattern).octets()
}
/// Key of a record that is named by one text: users, cursors, Message-IDs, reply keys, requests.
pub fn text_key(text: &str) -> Vec<u8> {
    Key::new().text(text).octets()
}
/// Key of a project.
pub fn project_key(id: ProjectId) -> Vec<u8> {
    Key::new().number(id.0).octets()
}
/// Key of an issue.
pub fn issue_key(id: IssueId) -> Vec<u8> {
    Key::new().number(id.0).octets()
}
/// Key of a number within a project.
pub fn number_key(project: ProjectId, iid: u64) -> Vec<u8> {
    Key::new().number(project.0).number(iid).octets()
}
/// Key of a note.
pub fn note_key(issue: IssueId, note: NoteId) -> Vec<u8> {
    Key::new().number(issue.0).number(note.0).octets()
}
/// Key of a row of the outbox.
pub fn outbox_key(id: OutboxId) -> Vec<u8> {
    Key::new().number(id.0).octets()
}
/// Key of an arrival.
pub fn intake_key(id: IntakeId) -> Vec<u8> {
    Key::new().number(id.0).octets()
}
/// Key of a draft.
pub fn draft_key(user: &str, issue: Option<IssueId>, kind: DraftKind) -> Vec<u8> {
    Key::new().text(user).number(issue.map_or(0, |id| id.0)).number(kind as u64).octets()
}
/// Key of a read mark.
pub fn read_key(user: &str, issue: IssueId) -> Vec<u8> {
    Key::new().text(user).number(issue.0).octets()
}
/// Key of what is known of an address.
pub fn person_key(email: &EmailAddress) -> Vec<u8> {
    text_key(&email.key())
}
/// Key of a verb.
pub fn verb_key(user: &str, seq: Seq) -> Vec<u8> {
    Key::new().text(user).number(seq.0).octets()
}

/// Tells whether a document reads as what it is, and stands under its own key; `key` is the one within its tree.
pub(super) fn reads(tree: Tree, key: &[u8], document: &[u8]) -> bool {
    match tree {
        Tree::Counters => stands::<Counters>(key, document),
        Tree::Desk => stands::<Desk>(key, document),
        Tree::Projects => stands::<Project>(key, document),
        Tree::Users => stands::<User>(key, document),
        Tree::Members => stands::<Member>(key, document),
        Tree::Issues => stands::<Issue>(key, document),
        Tree::Numbers => stands::<Number>(key, document),
        Tree::Notes => stands::<Note>(key, document),
        Tree::MessageIds => stands::<Known>(key, document),
        Tree::ReplyKeys => stands::<ReplyKey>(key, document),
        Tree::Outbox => stands::<OutboxEntry>(key, document),
        Tree::OutboxOpen => stands::<OutboxOpen>(key, document),
        Tree::OutboxOfNotes => stands::<OutboxOfNote>(key, document),
        Tree::Intake => stands::<IntakeEntry>(key, document),
        Tree::Fingerprints => stands::<Fingerprint>(key, document),
        Tree::Cursors => stands::<Cursor>(key, document),
        Tree::Drafts => stands::<Draft>(key, document),
        Tree::ReadMarks => stands::<ReadMark>(key, document),
        Tree::People => stands::<AddressRecord>(key, document),
        Tree::Verbs => stands::<Verb>(key, document),
        Tree::History => stands::<Changed>(key, document),
        Tree::Requests => stands::<Carried>(key, document),
        Tree::Senders => stands::<Sender>(key, document),
        Tree::Lessons => stands::<Lesson>(key, document),
        Tree::SpamMails => stands::<SpamMail>(key, document),
        Tree::Commits => stands::<CommitSeen>(key, document),
        Tree::Watched => stands::<Watched>(key, document),
        Tree::StaffKeys => stands::<StaffKey>(key, document),
        Tree::StaffNotices => stands::<StaffNotice>(key, document),
        Tree::Canned => stands::<Canned>(key, document),
        Tree::Views => stands::<SavedView>(key, document),
        Tree::Tabs => stands::<Tabs>(key, document),
        Tree::Categories => stands::<Category>(key, document),
        Tree::Clocks => stands::<Clock>(key, document),
        Tree::Rules => stands::<Rule>(key, document),
        Tree::About => stands::<About>(key, document),
    }
}

fn stands<R: Record>(key: &[u8], document: &[u8]) -> bool {
    rmp_serde::from_slice::<R>(document).is_ok_and(|record| record.key() == key)
}
