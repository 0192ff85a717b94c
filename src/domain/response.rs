//! Responses and events: everything that the desk tells a front end.

use super::{
    Actor, ChangeView, DeskSettings, DeskStatus, Draft, IntakeView, IssueId, IssuePage, IssueView, Member,
    NoteId, OutboxId, OutboxView, ProjectView, Reference, Seq, User, Verb,
};
use serde::{Deserialize, Serialize};

/// What became of a mail that was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    pub entry: IntakeView,
    /// Mails it caused, or would cause: what kind and to whom.
    pub mails: Vec<String>,
    /// Rules that fitted it.
    #[serde(default)]
    pub rules: Vec<String>,
}

/// An issue of several for which something could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    pub reference: Reference,
    pub reason: String,
}

/// A note of several as it would be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedNote {
    pub reference: String,
    pub title: String,
    /// Who would be mailed.
    pub to: Vec<String>,
    pub text: String,
    /// Placeholders that stand for nothing there; with one of them it is not written.
    pub missing: Vec<String>,
}

/// One step of the desk as the list of changes shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeedView {
    pub seq: Seq,
    pub at: jiff::Timestamp,
    pub actor: Actor,
    /// What was done, in words.
    pub label: String,
    /// The issues that it changed.
    pub references: Vec<String>,
    /// The rules that did part of it.
    pub rules: Vec<String>,
    /// Until when its mail can be stopped.
    pub held_until: Option<jiff::Timestamp>,
    /// Whether the caller can take it back.
    pub undoable: bool,
    /// Why not, where it is their own.
    pub why_not: Option<String>,
}

/// The answer to a request; which one is said at each variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It is done, and there is nothing to show.
    Done,
    /// What would happen, line by line.
    Plan(Vec<String>),
    /// What a redaction would change.
    Redaction(super::RedactionPlan),
    /// `Whoami`.
    User(User),
    /// `Status`.
    Status(Box<DeskStatus>),
    /// `Issues`.
    Issues(IssuePage),
    /// `Counts`, in the order asked; `null` where a query is wrong.
    Counts(Vec<Option<u64>>),
    /// `Issue`, `NewIssue`, `Split`, `Forward`, `Redact`.
    Issue(Box<IssueView>),
    /// `Edit`, `CommitsReached`, `NoteMany`, `RunMacro`: the rows as they stand now, what to call it in a status
    /// line, what could not be done and why, and until when its mails are held.
    Edited {
        rows: Vec<super::IssueRow>,
        label: String,
        #[serde(default)]
        failed: Vec<Failed>,
        #[serde(default)]
        held_until: Option<jiff::Timestamp>,
    },
    /// `NoteMany` that only asks: what each would get.
    NotesPlanned(Vec<PlannedNote>),
    /// `AddNote`: which note it became, and until when it can be taken back.
    Noted { issue: Box<IssueView>, note: NoteId, outbox: Vec<OutboxId>, held_until: Option<jiff::Timestamp> },
    /// `Similar`, the most similar first.
    Similar(Vec<super::SimilarIssue>),
    /// `History`.
    History(Vec<ChangeView>),
    /// `RawMail`, `OutboxRaw`, `Attachment`, `OriginalHtml`, `IntakeRaw`.
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
    /// `Outbox`, `OutboxAct`.
    Outbox(Vec<OutboxView>),
    /// `Intake`.
    Intake(Vec<IntakeView>),
    /// `IntakeEntry`, `IntakeAct`.
    IntakeEntry(Box<IntakeView>),
    /// `Projects`.
    Projects(Vec<ProjectView>),
    /// `Project` and what changes one.
    Project(Box<ProjectView>),
    /// `Users`.
    Users(Vec<User>),
    /// `Members`.
    Members(Vec<Member>),
    /// `Desk`, `SetDesk`.
    Desk(DeskSettings),
    /// `Labels`: every label in use with the number of issues that carry it.
    Labels(Vec<(String, u64)>),
    /// `Canned`, and what changes one.
    Canned(Vec<super::CannedView>),
    /// `FillCanned`.
    FilledCanned(super::FilledCanned),
    /// `Views`, and what changes one: all that one sees, in their order.
    Views(Vec<super::View>),
    /// `Categories`, and what changes one.
    Categories(Vec<super::CategoryView>),
    /// `Rules`, and what changes one.
    Rules(Vec<super::RuleView>),
    /// `Clocks`, and what changes one.
    Clocks(Vec<super::ClockView>),
    /// `Report`.
    Figures(Box<super::Report>),
    /// `Drafts`.
    Drafts(Vec<Draft>),
    /// `Draft`.
    Draft(Option<Draft>),
    /// `Verbs`.
    Verbs(Vec<Verb>),
    /// `Changes`.
    Changes(Vec<DeedView>),
    /// `Undo`, `UndoOne`, `Redo`: what was taken back, what could not be, and the draft that a cancelled send left.
    Undone {
        label: String,
        skipped: Vec<String>,
        draft: Option<Draft>,
        /// The issues that it was about; the first of many.
        #[serde(default)]
        issues: Vec<IssueId>,
    },
    /// `Deliver`.
    Delivered(Box<Delivered>),
    /// `Import`.
    Imported(super::Imported),
    /// `Person`, `ErasePerson`.
    Person(Box<super::PersonView>),
    /// `About`, `SetAbout`.
    About(Box<super::AboutView>),
    /// `Cursors`.
    Cursors(Vec<super::Cursor>),
    /// `Senders`, `SetSender`, `RemoveSender`: the lines that stand, changed or went.
    Senders(Vec<super::SenderView>),
    /// `TestSender`.
    SenderVerdict(Box<super::SenderVerdict>),
    /// `Templates`.
    Templates(Vec<super::TemplateView>),
    /// `PreviewTemplate`.
    TemplatePreview(Box<super::TemplatePreview>),
    /// `Verify`: what is wrong, in lines to print.
    Report(Vec<String>),
    /// `Backup`.
    BackedUp {
        file: String,
        octets: u64,
        /// The last frame that is in it.
        frame: u64,
    },
    /// `Rebuild`: how many frames were replayed.
    Rebuilt { frames: u64 },
    /// `Compact`: each part of the desk, in octets before it and after it.
    Compacted(Vec<PartSize>),
}

/// A part of the desk that was written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSize {
    /// `journal`, `trees` or `index`.
    pub part: String,
    pub octets_before: u64,
    pub octets: u64,
}

/// Something changed. Events name things and carry no content: who shows them asks again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Issues changed in the frame with this number.
    Issues {
        seq: Seq,
        issues: Vec<IssueId>,
    },
    Outbox,
    Intake,
    /// A project, or what belongs to one: members, labels and milestones, rules, a list of senders; a canned reply, or a
    /// view.
    Projects,
    Users,
    Drafts,
    /// A mailbox or outlet changed its state, or a notice came or went.
    Status,
    /// Events were lost: reload everything shown.
    Missed,
    /// The server goes away.
    Closing,
}
