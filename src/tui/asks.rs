//! What was asked of the desk and what for.
//!
//! Of each thing to look at, one request is under way and at most one more waits; the newest wins. An
//! answer that nobody waits for any more is dropped.

use super::input::{Effect, Token};
use super::palette::Part;
use crate::domain::quick::Mark;
use crate::domain::{CategoryKind, DraftKind, IntakeId, IssueId, NoteId, Reference, Request, ViewId};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Why something was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    Whoami,
    Status,
    Views,
    Rows,
    Preview(Reference),
    Thread(Reference),
    Drafts,
    Projects,
    Users,
    Labels,
    KnownLabels,
    KnownMilestones,
    Outbox,
    Intake,
    IntakeRaw(IntakeId),
    History(Reference),
    AuthorIssues,
    About,
    Attend,
    HandOverTo(Vec<Reference>),
    RawMail,
    Draft,
    MarkAll,
    Milestones,
    Canned,
    Macros {
        choose: bool,
    },
    Changes,
    /// What would be taken back.
    LastVerb,
    PlanNotes,
    FillCanned(Reference),
    Senders,
    People,
    Members(String),
    Templates(String),
    TemplatePreview,
    Categories {
        kind: CategoryKind,
        project: String,
    },
    Rules,
    Texts,
    NextBest,
    Report,
    RuleTest(String),
    /// Names of this kind, of a project, that hold a word.
    Names(Mark, (String, String)),
    Palette(Part),
    OwnCommand(u8),
    Similar,
    Answers,
    /// What is read already, once more: it may read otherwise now.
    Renewed(Box<Purpose>),
    // From here on: changes. Each is sent at once, none replaces another.
    SaveDraft,
    Send {
        issue: Option<IssueId>,
        snooze: Option<Timestamp>,
    },
    Edit {
        advance: bool,
        /// Whether it was given on the list, so that it was for the marks.
        listed: bool,
    },
    MergePlan {
        references: Vec<Reference>,
        into: Reference,
    },
    SendMany {
        listed: bool,
    },
    Split,
    Forward,
    MarkRead,
    Undo,
    Redo,
    OutboxAct,
    IntakeAct,
    ProjectAct,
    SenderAct,
    AboutAct,
    HandOver {
        user: String,
        listed: bool,
    },
    MemberAct(String),
    CategoryAct,
    RuleAct,
    TextAct(String),
    ViewAct {
        said: String,
        chosen: Option<ViewId>,
    },
    OwnAct,
    Sync,
    Attachment {
        save_to: Option<PathBuf>,
        name: String,
    },
    Original(NoteId),
    /// The bytes of a picture that is to be shown.
    Image(super::images::Key),
    /// A file of the draft that the desk has.
    DraftFile {
        reference: Option<Reference>,
        kind: DraftKind,
        place: u32,
    },
}

impl Purpose {
    /// Tells whether a person wanted this done, so that they must hear when it is not.
    pub fn is_verb(&self) -> bool {
        self.slot().is_none() && !matches!(self, Self::SaveDraft | Self::MarkRead | Self::DraftFile { .. })
    }

    /// Tells whether the answer is a text to read.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::RawMail | Self::IntakeRaw(_) | Self::History(_) | Self::Answers)
    }

    /// Gives the slot of a thing to look at; `None` for changes.
    fn slot(&self) -> Option<u8> {
        Some(match self {
            Self::Whoami => 0,
            Self::Status => 1,
            Self::Views => 2,
            Self::Rows => 3,
            Self::Preview(_) => 4,
            Self::Thread(_) => 5,
            Self::Drafts => 6,
            Self::Projects => 7,
            Self::Users => 8,
            Self::Labels => 9,
            Self::Outbox => 10,
            Self::Intake => 11,
            Self::IntakeRaw(_) => 12,
            Self::History(_) => 13,
            Self::AuthorIssues => 14,
            Self::About => 45,
            Self::Attend => 46,
            Self::HandOverTo(_) => 47,
            Self::RawMail => 15,
            Self::Draft => 16,
            Self::MarkAll => 17,
            Self::Senders => 18,
            Self::People => 19,
            Self::Members(_) => 20,
            Self::Templates(_) => 21,
            Self::TemplatePreview => 22,
            Self::Categories { kind: CategoryKind::Label, .. } => 23,
            Self::Categories { kind: CategoryKind::Milestone, .. } => 24,
            Self::Rules => 25,
            Self::RuleTest(_) => 26,
            Self::Texts => 67,
            Self::Image(..) => 68,
            Self::Renewed(_) => 69,
            Self::LastVerb => 70,
            Self::NextBest => 27,
            Self::Report => 28,
            Self::KnownLabels => 40,
            Self::KnownMilestones => 41,
            Self::Milestones => 30,
            Self::Macros { .. } => 42,
            Self::Changes => 43,
            Self::PlanNotes => 44,
            Self::Canned => 31,
            Self::FillCanned(_) => 32,
            Self::Names(Mark::User, _) => 33,
            Self::Names(Mark::Label, _) => 34,
            Self::Names(Mark::Issue, _) => 35,
            Self::Names(Mark::Milestone, _) => 36,
            Self::Palette(Part::People) => 60,
            Self::OwnCommand(_) => 64,
            Self::Similar => 65,
            Self::Answers => 66,
            Self::Palette(Part::Canned) => 61,
            Self::Palette(Part::Issues) => 62,
            Self::Palette(Part::Found) => 63,
            _ => return None,
        })
    }
}

/// The requests under way.
#[derive(Debug, Default)]
pub struct Asks {
    last: u64,
    /// The text to read that was asked for last.
    read: Option<(Purpose, Request)>,
    waiting: BTreeMap<Token, Purpose>,
    /// For each slot under way: its request, and the one to send next.
    slots: BTreeMap<u8, (Token, Option<(Purpose, Request)>)>,
}

/// What an answer is for.
#[derive(Debug)]
pub enum Home {
    /// It answers this.
    For(Purpose),
    /// It came too late; perhaps the next request goes out now.
    Late(Option<Effect>),
}

impl Asks {
    /// Asks now, or as soon as the slot is free.
    pub fn ask(&mut self, purpose: Purpose, request: Request) -> Option<Effect> {
        if purpose.is_text() {
            self.read = Some((purpose.clone(), request.clone()));
        }
        if let Some(slot) = purpose.slot() {
            if let Some((_, next)) = self.slots.get_mut(&slot) {
                *next = Some((purpose, request));
                return None;
            }
            self.slots.insert(slot, (Token(self.last + 1), None));
        }
        self.last += 1;
        self.waiting.insert(Token(self.last), purpose);
        Some(Effect::Ask(Token(self.last), request))
    }

    /// Gives what asks for the text that is read now.
    pub fn read(&self) -> Option<(Purpose, Request)> {
        self.read.clone()
    }

    /// Says what the answer to `token` is for.
    pub fn answered(&mut self, token: Token) -> Home {
        let Some(purpose) = self.waiting.remove(&token) else { return Home::Late(None) };
        let Some(slot) = purpose.slot() else { return Home::For(purpose) };
        match self.slots.remove(&slot) {
            Some((_, Some((next, request)))) => Home::Late(self.ask(next, request)),
            _ => Home::For(purpose),
        }
    }

    /// Tells whether a change is still without an answer.
    pub fn changing(&self) -> bool {
        self.waiting.values().any(|p| p.slot().is_none())
    }

    /// Tells whether anything of this kind is under way.
    pub fn waits_for(&self, like: impl Fn(&Purpose) -> bool) -> bool {
        self.waiting.values().any(like)
    }

    /// Forgets what was looked for: no answers will come. Changes are asked again by the line itself,
    /// and their answers still come.
    pub fn lost(&mut self) {
        self.slots.clear();
        self.waiting.retain(|_, purpose| purpose.slot().is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(effect: Option<Effect>) -> Token {
        match effect {
            Some(Effect::Ask(token, _)) => token,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn of_many_looks_only_the_newest_goes_out_and_the_late_answer_is_dropped() {
        let mut asks = Asks::default();
        let look = |n| (Purpose::Preview(Reference { project: None, iid: n }), Request::Status);
        let (purpose, request) = look(1);
        let first = token(asks.ask(purpose, request));
        for n in 2..5 {
            let (purpose, request) = look(n);
            assert_eq!(asks.ask(purpose, request), None);
        }
        let Home::Late(next) = asks.answered(first) else { panic!() };
        let second = token(next);
        assert!(matches!(asks.answered(second), Home::For(Purpose::Preview(r)) if r.iid == 4));
        assert!(matches!(asks.answered(second), Home::Late(None)));
    }

    #[test]
    fn changes_never_replace_each_other() {
        let mut asks = Asks::default();
        let one = token(asks.ask(Purpose::Undo, Request::Undo));
        let two = token(asks.ask(Purpose::Undo, Request::Undo));
        assert!(asks.changing());
        assert!(matches!(asks.answered(two), Home::For(Purpose::Undo)));
        assert!(matches!(asks.answered(one), Home::For(Purpose::Undo)));
        assert!(!asks.changing());
    }
}
