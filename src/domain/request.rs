//! Requests: everything that a front end can ask of the desk.

use super::{
    AboutEdit, AskedReport, Attend, CategoryKind, Commit, Cursor, CustomAction, Deliver, Draft, DraftKind,
    Edit, EmailAddress, Fate, FillCanned, Forward, ImportIssue, IntakeAction, IntakeId, IssueQuery,
    IssueSplit, KeptFor, NewIssue, NewNote, NewNotes, NoteId, OutboxAction, OutboxId, OutboxState,
    PreviewTemplate, ProjectAddress, Redact, Reference, RequestId, Role, SenderRule, SenderScope, Seq,
    Upload, Via, ViewId,
};
use serde::{Deserialize, Serialize};

/// A request with the number under which a repeat of it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub id: RequestId,
    pub via: Via,
    pub request: Request,
}

/// Everything that a front end can ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    // Looking.
    Whoami,
    Status,
    /// Says where the caller is now; nothing of it is kept.
    Attend(Attend),
    Issues(IssueQuery),
    /// How many issues each query finds.
    Counts(Vec<String>),
    Issue(Reference),
    History(Reference),
    /// Issues whose texts are like the opening of this one, and what was answered there.
    Similar(Reference),
    /// The bytes of a note's mail.
    RawMail {
        reference: Reference,
        note: NoteId,
    },
    Attachment {
        reference: Reference,
        note: NoteId,
        name: String,
    },
    /// The HTML of a note's mail as a page that loads and runs nothing.
    OriginalHtml {
        reference: Reference,
        note: NoteId,
    },
    Outbox {
        states: Vec<OutboxState>,
        limit: u64,
    },
    /// The bytes of a mail of the outbox.
    OutboxRaw(OutboxId),
    Intake {
        fate: Option<Fate>,
        limit: u64,
    },
    IntakeEntry(IntakeId),
    IntakeRaw(IntakeId),
    Projects,
    Project(String),
    Users,
    Members(String),
    Desk,
    Labels,
    /// Where each template of a project comes from.
    Templates {
        project: String,
    },
    PreviewTemplate(PreviewTemplate),
    /// The canned replies that the caller may use, everywhere or in a project.
    Canned {
        project: Option<String>,
    },
    FillCanned(FillCanned),
    /// The views that the caller sees, in their order, with what they find.
    Views,
    /// The labels or milestones of a project, or of all.
    Categories {
        kind: CategoryKind,
        project: Option<String>,
    },
    Rules,
    /// Which issues a rule finds, and what it would do.
    TestRule {
        scope: SenderScope,
        name: String,
    },
    Clocks,
    /// Figures about the issues that the caller may see.
    Report(AskedReport),
    Drafts,
    Draft {
        reference: Option<Reference>,
        kind: DraftKind,
    },
    /// The bytes of a file that the desk has of the caller's draft.
    DraftFile {
        reference: Option<Reference>,
        kind: DraftKind,
        name: String,
        /// Its place among the kept files of the draft, counted from 0; without one, the first of that name.
        #[serde(default)]
        place: Option<u32>,
    },
    /// The caller's own verbs that can be taken back, the latest first.
    Verbs {
        limit: u64,
    },
    /// The last changes of everybody, the latest first.
    Changes {
        limit: u64,
    },
    Cursors,
    /// What is kept of an outside person.
    Person(EmailAddress),
    /// What staff keep for each other about an outside person.
    About(EmailAddress),
    /// The lists of senders: those of one project, of the desk, or all.
    Senders(Option<SenderScope>),
    /// What the lists say of an address, or of a whole mail.
    TestSender {
        scope: SenderScope,
        address: Option<EmailAddress>,
        #[serde(with = "serde_bytes")]
        raw: Vec<u8>,
    },

    // Changing issues.
    NewIssue(NewIssue),
    AddNote(NewNote),
    NoteMany(NewNotes),
    /// Runs a macro on issues; the first of: mine, the project's, the desk's, unless it is said whose.
    RunMacro {
        kept: Option<KeptFor>,
        name: String,
        references: Vec<Reference>,
        hold_ms: Option<u64>,
    },
    Edit {
        references: Vec<Reference>,
        edits: Vec<Edit>,
    },
    /// Merges issues into one of the same project.
    Merge {
        references: Vec<Reference>,
        into: Reference,
        /// Says what would happen and writes nothing.
        dry_run: bool,
    },
    /// Parts an issue from the one it was merged into.
    Unmerge(Reference),
    /// Parts several issues from what they were merged into, in one step.
    UnmergeMany(Vec<Reference>),
    Split(IssueSplit),
    Forward(Forward),
    MarkRead {
        reference: Reference,
        read: bool,
    },
    SetAbout {
        email: EmailAddress,
        edit: AboutEdit,
    },
    /// Takes words or files of a note out for good.
    Redact(Redact),
    /// Takes everything of an outside person out for good.
    ErasePerson(EmailAddress),
    MarkManyRead {
        references: Vec<Reference>,
        read: bool,
    },
    /// Commits reached the branch that counts: what they say they close is closed, each by each once.
    CommitsReached {
        project: String,
        commits: Vec<Commit>,
    },
    Undo,
    /// Takes one verb of the caller back, unless what it did was changed since.
    UndoOne(Seq),
    Redo,
    SaveDraft(Box<Draft>),
    DropDraft {
        reference: Option<Reference>,
        kind: DraftKind,
    },

    // Changing the desk.
    AddProject {
        path: String,
    },
    SetProject {
        path: String,
        settings: Vec<(String, String)>,
    },
    EnableProject {
        path: String,
        enabled: bool,
    },
    RenameProject {
        path: String,
        to: String,
    },
    /// Gives the generated address another key; mail to the earlier ones waits in triage from then on.
    RotateKey {
        path: String,
    },
    /// Adds a further address, or changes how it marks issues.
    SetAddress {
        path: String,
        address: ProjectAddress,
    },
    RemoveAddress {
        path: String,
        address: EmailAddress,
    },
    /// Sets, verifies, enables, disables or removes the project's own sender address.
    CustomEmail {
        path: String,
        action: CustomAction,
    },
    AddUser {
        name: String,
        full_name: Option<String>,
        emails: Vec<EmailAddress>,
        system_user: Option<String>,
    },
    SetUser {
        name: String,
        settings: Vec<(String, String)>,
    },
    RemoveUser {
        name: String,
    },
    SetMember {
        project: String,
        user: String,
        role: Role,
    },
    RemoveMember {
        project: String,
        user: String,
    },
    SetDesk {
        settings: Vec<(String, String)>,
    },
    /// Writes a canned reply; `new` says that there must be none of this name. A file takes the place of one of
    /// its name.
    SaveCanned {
        scope: KeptFor,
        name: String,
        settings: Vec<(String, String)>,
        new: bool,
        #[serde(default)]
        attach: Vec<Upload>,
    },
    RemoveCanned {
        scope: KeptFor,
        name: String,
    },
    /// Keeps a view; `new` says that there must be none of this name.
    SaveView {
        kept: KeptFor,
        name: String,
        settings: Vec<(String, String)>,
        new: bool,
    },
    /// Takes a view away; one of the program is only hidden from the caller.
    RemoveView(ViewId),
    /// Gives a view of one's own to a project or the desk to keep, or the other way.
    ShareView {
        view: ViewId,
        with: KeptFor,
    },
    /// Puts a view at a place among those of the caller, counted from 1.
    OrderView {
        view: ViewId,
        position: u32,
    },
    /// Writes a rule: a new one where `name` is none.
    SetRule {
        scope: SenderScope,
        name: Option<String>,
        settings: Vec<(String, String)>,
    },
    RemoveRule {
        scope: SenderScope,
        name: String,
    },
    /// Puts a rule at a place, counted from 1.
    OrderRule {
        scope: SenderScope,
        name: String,
        position: u32,
    },
    /// Writes a clock: a new one where `name` is none.
    SetClock {
        scope: SenderScope,
        name: Option<String>,
        settings: Vec<(String, String)>,
    },
    RemoveClock {
        scope: SenderScope,
        name: String,
    },
    AddCategory {
        kind: CategoryKind,
        project: String,
        settings: Vec<(String, String)>,
    },
    /// Changes a label or a milestone; a new name reaches every issue that carries it.
    SetCategory {
        kind: CategoryKind,
        project: String,
        name: String,
        settings: Vec<(String, String)>,
    },
    /// Takes a label or a milestone away, off every issue as well.
    RemoveCategory {
        kind: CategoryKind,
        project: String,
        name: String,
    },
    SetSender {
        scope: SenderScope,
        pattern: String,
        rule: SenderRule,
    },
    RemoveSender {
        /// `None` takes it off whichever list it stands on.
        scope: Option<SenderScope>,
        pattern: String,
    },

    // Mail.
    /// Takes over an issue of another desk.
    Import(Box<ImportIssue>),
    Deliver(Deliver),
    OutboxAct {
        ids: Vec<OutboxId>,
        action: OutboxAction,
    },
    IntakeAct {
        id: IntakeId,
        action: IntakeAction,
    },
    /// Puts the sender of an arrival on a list of senders; the mail stays what it is.
    IntakeSender {
        id: IntakeId,
        rule: SenderRule,
    },
    /// Looks into every mailbox and outlet now.
    SyncNow,

    // The desk as a thing.
    /// Writes a consistent copy into a file of the server's machine.
    Backup {
        path: String,
        /// Whether a file that is there is replaced.
        #[serde(default)]
        replace: bool,
    },
    Rebuild,
    /// Gives space back: what nothing names any more goes, and what is derived is made anew.
    Compact,
    Verify,
    /// For `sync` taking over from a server that only runs while it is used.
    StepDown,

    // Only within the process that owns the desk.
    #[serde(skip)]
    SaveCursor(Box<Cursor>),
}

impl Request {
    /// Tells whether it changes the desk, so that it must not be carried out twice.
    pub fn is_change(&self) -> bool {
        !matches!(
            self,
            Self::Whoami
                | Self::Status
                | Self::Attend(_)
                | Self::Issues(_)
                | Self::Counts(_)
                | Self::Issue(_)
                | Self::History(_)
                | Self::Similar(_)
                | Self::RawMail { .. }
                | Self::Attachment { .. }
                | Self::OriginalHtml { .. }
                | Self::Outbox { .. }
                | Self::OutboxRaw(_)
                | Self::Intake { .. }
                | Self::IntakeEntry(_)
                | Self::IntakeRaw(_)
                | Self::Projects
                | Self::Project(_)
                | Self::Users
                | Self::Members(_)
                | Self::Desk
                | Self::Labels
                | Self::Templates { .. }
                | Self::PreviewTemplate(_)
                | Self::Categories { .. }
                | Self::Canned { .. }
                | Self::FillCanned(_)
                | Self::Views
                | Self::NoteMany(NewNotes { dry_run: true, .. })
                | Self::Rules
                | Self::TestRule { .. }
                | Self::Clocks
                | Self::Report(_)
                | Self::Drafts
                | Self::Draft { .. }
                | Self::DraftFile { .. }
                | Self::Verbs { .. }
                | Self::Changes { .. }
                | Self::Cursors
                | Self::Person(_)
                | Self::About(_)
                | Self::Senders(_)
                | Self::TestSender { .. }
                | Self::Verify
        )
    }
}
