//! The nouns of a service desk and the pure rules between them.
//!
//! Owns the records that the store keeps, the contract of every front end ([`Request`], [`Response`],
//! [`Event`]) and the words for all of it. Knows no async, no clock, no IO: `now` is always handed in.

mod about;
mod address;
mod asked;
mod canned;
mod category;
mod clock;
mod closing;
mod counted;
mod custom;
mod cuts;
mod draft;
mod fault;
mod happening;
mod history;
mod hours;
mod ids;
mod import;
mod intake;
mod issue;
mod keeper;
mod lesson;
pub mod moment;
mod note;
mod notices;
mod outbox;
mod person;
mod presence;
mod project;
pub mod query;
pub mod quick;
mod rating;
mod reference;
pub mod report;
mod request;
mod response;
mod rights;
mod rule;
mod screening;
mod seal;
mod sender;
mod similar;
mod spam;
mod status;
mod tabs;
mod template;
mod turn;
mod vanish;
mod view;

pub use about::{About, AboutChange, AboutEdit, AboutNote, AboutView, Marked};
pub use address::{EmailAddress, Mailbox, MessageId, mask_addresses};
pub use asked::{
    Deliver, Edit, Forward, IntakeAction, IssueQuery, IssueSplit, NewIssue, NewNote, NewNotes, OutboxAction,
    SenderScope, Upload,
};
pub use canned::{
    CANNED_PLACEHOLDERS, Canned, CannedChange, CannedView, FillCanned, FilledCanned, Runs, fill_canned,
    refuse_unfilled, unfilled,
};
pub use category::{Category, CategoryAbout, CategoryChange, CategoryKind, CategoryView};
pub use clock::{
    Clock, ClockAbout, ClockKind, ClockView, Clocks, Ends, IssueClock, Plan, Running, Target, Wait, Waits,
};
pub use closing::{ClosingPattern, Commit, CommitSeen, Watched};
pub use counted::counted;
pub use custom::{
    CUSTOM_LOCAL, CUSTOM_VERIFY, CUSTOM_WAIT, CustomAction, CustomEmail, CustomFailure, CustomState,
    CustomView, custom_key, custom_with,
};
pub use cuts::{Border, Cut, Cuts};
pub use draft::{Draft, DraftKind, Side, led_on_after};
pub use fault::{Fault, FaultKind};
pub use happening::{Happening, HappeningKind};
pub use history::{Actor, Change, ChangeView, Deed, Verb, Via};
pub use hours::{WorkingHours, hour_of_week};
pub use ids::{IntakeId, IssueId, NoteId, OutboxId, ProjectId, RequestId, Seq};
pub use import::{ImportAuthor, ImportIssue, ImportNote, Imported};
pub use intake::{Arrival, Cursor, Fate, IntakeEntry, IntakeView};
pub use issue::{ClockTold, Issue, IssueKind, Link, LinkKind, Party, Priority, Standing, State, Status};
pub use keeper::{Keeper, KeptFor};
pub use lesson::{ArrivalChange, Lesson, LessonChange};
pub use note::{Aside, Attachment, Note, NoteKind, RawRef};
pub use notices::{KeyUse, Notify, StaffEvent, StaffKey, StaffNotice, When, Wish, is_own_setting, mentions};
pub use outbox::{Delivery, MailKind, OutboxEntry, OutboxState, OutboxView, ReplyKey};
pub use person::{
    AddressRecord, AddressState, Author, Member, Participant, ParticipantRole, Role, SUPPORT_BOT, User,
};
pub use presence::{Attend, Present, Writing, presence_holds};
pub use project::{
    DefaultNote, DeskSettings, ImportCc, Project, ProjectAddress, ProjectSettings, ProjectView, Strangers,
    Visibility, meant, nearest, path_fits, set_field, slug,
};
pub use query::Query;
pub use rating::{Rated, Rating};
pub use reference::Reference;
pub use report::{AskedReport, Report, ReportName};
pub use request::{Call, Request};
pub use response::{DeedView, Delivered, Event, Failed, PartSize, PlannedNote, Response};
pub use rights::Rights;
pub use rule::{ByRule, Rule, RuleAbout, RuleChange, RuleMoment, RuleView};
pub use screening::{Outcome, Screening, screen};
pub use seal::{Seal, SealKind, SealState};
pub use sender::{Sender, SenderChange, SenderRule, SenderVerdict, SenderView};
pub use similar::{GivenAnswer, SimilarIssue};
pub use spam::{FILTER_FIELDS, Finding, Judge, Opinion};
pub use status::{
    Channel, ChannelState, DeskStatus, KeptIn, MailboxPass, OutboxCounts, OutboxPass, SignIn, SpamStatus,
    SyncReport,
};
pub use tabs::{
    COLUMN_NAMES, Column, SavedView, Tabs, View, ViewAbout, ViewChange, ViewFrom, ViewId, WAITING_VIEW,
    changed_view, default_views, limit_in_words, ordered_views,
};
pub use template::{PreviewTemplate, TemplateKind, TemplatePreview, TemplateView};
pub use turn::{Turn, TurnTo};
pub use vanish::{PersonIssue, PersonNote, PersonView, Redact, RedactionPlan};
pub use view::{AttachmentView, IssuePage, IssueRow, IssueView, LinkView, NoteView, ParticipantView};
