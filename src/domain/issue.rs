//! The issue: what a customer's mail becomes and what staff work on.

use super::{Author, EmailAddress, IssueId, NoteId, Participant, ParticipantRole, ProjectId, Rated, Turn};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Whether work is left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Open,
    Closed,
}

/// Where the work stands, finer than [`State`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Open,
    Pending,
    Solved,
    Closed,
}

/// A ticket has an outside requester; an issue does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueKind {
    #[default]
    Ticket,
    Issue,
}

/// How much an issue presses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

/// The two sides of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Us,
    Them,
}

/// How two issues belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    RelatesTo,
    DuplicateOf,
}

/// A pointer from one issue to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub kind: LinkKind,
    pub issue: IssueId,
}

/// A number that an issue has, or had, in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub project: ProjectId,
    pub iid: u64,
}

/// One issue, without its notes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    pub id: IssueId,
    pub project: ProjectId,
    /// The number people see, counted within the project from 1.
    pub iid: u64,
    pub kind: IssueKind,
    pub title: String,
    pub state: State,
    pub status: Status,
    pub author: Author,
    pub confidential: bool,
    pub labels: BTreeSet<String>,
    pub assignee: Option<String>,
    pub priority: Option<Priority>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub waiting_on: Option<Party>,
    pub waiting_since: Option<Timestamp>,
    pub snoozed_until: Option<Timestamp>,
    pub spam: bool,
    pub participants: Vec<Participant>,
    pub links: Vec<Link>,
    /// The mailbox it came by, if any; answers leave through that mailbox's outlet.
    pub mailbox: Option<String>,
    /// The address of ours that the customer wrote to, if it was a plain one.
    pub arrived_to: Option<EmailAddress>,
    /// How many notes stand in it, the system's included.
    pub notes: u32,
    pub last_note: Option<NoteId>,
    pub merged_into: Option<IssueId>,
    /// Whether it was open before it was merged.
    #[serde(default)]
    pub was_open: bool,
    /// Whom it brought along when it was merged.
    #[serde(default)]
    pub brought: Vec<EmailAddress>,
    #[serde(default)]
    pub milestone: Option<String>,
    #[serde(default)]
    pub weight: Option<u32>,
    /// How long it will take, in seconds of work.
    #[serde(default)]
    pub estimate: Option<i64>,
    /// How long it took so far, in seconds of work.
    #[serde(default)]
    pub spent: i64,
    /// Since when it counts as spam.
    #[serde(default)]
    pub spam_since: Option<Timestamp>,
    /// It was spam, and only its number is left of it.
    #[serde(default)]
    pub purged: bool,
    /// When the customer was told that it will be closed, because nobody answered.
    #[serde(default)]
    pub idle_warned_at: Option<Timestamp>,
    /// Since when the status stands, where it was ever another.
    #[serde(default)]
    pub status_since: Option<Timestamp>,
    /// To whom notes of it were forwarded who do not take part.
    #[serde(default)]
    pub consulted: Vec<EmailAddress>,
    /// Every number that it has had, once it was moved to another project.
    #[serde(default)]
    pub stood: Vec<Standing>,
    /// The issue that its first notes were split out of.
    #[serde(default)]
    pub split_from: Option<IssueId>,
    /// The issues that were made of notes of it.
    #[serde(default)]
    pub split_into: Vec<IssueId>,
    /// When it was last opened again, by hand or by an answer.
    #[serde(default)]
    pub reopened_at: Option<Timestamp>,
    /// What the customer thought of how it was handled.
    #[serde(default)]
    pub rating: Option<Rated>,
    /// Whose turn it was, from the first to the one that stands; empty where nobody wrote it down.
    #[serde(default)]
    pub turns: Vec<Turn>,
    /// Which end of a clock the staff were told of.
    #[serde(default)]
    pub clock_told: Option<ClockTold>,
}

/// What the staff were told of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockTold {
    /// When it runs out.
    pub due_at: Timestamp,
    /// Whether they were told that it ran out, and not only that it is near.
    pub breached: bool,
}

impl Issue {
    /// Gives the outside person whose ticket this is.
    pub fn requester(&self) -> Option<&Participant> {
        self.participants.iter().find(|p| p.role == ParticipantRole::Requester)
    }

    /// Gives the participant with this address.
    pub fn participant(&self, email: &EmailAddress) -> Option<&Participant> {
        self.participants.iter().find(|p| &p.email == email)
    }

    /// Says whether an address is mailed public notes; tells whether that is new.
    pub fn set_subscribed(&mut self, email: &EmailAddress, wanted: bool) -> bool {
        let mut changed = false;
        for person in self.participants.iter_mut().filter(|p| &p.email == email) {
            changed |= std::mem::replace(&mut person.subscribed, wanted) != wanted;
        }
        changed
    }

    /// Tells whether it belongs to a project, or did before it was moved.
    pub fn has_stood_in(&self, project: ProjectId) -> bool {
        self.project == project || self.stood.iter().any(|standing| standing.project == project)
    }

    /// Gives those who are mailed a public note.
    pub fn subscribers(&self) -> impl Iterator<Item = &Participant> {
        self.participants.iter().filter(|p| p.subscribed)
    }
}
