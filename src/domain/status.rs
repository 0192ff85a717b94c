//! How the desk itself is doing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a mailbox or an outlet is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// Nothing was tried yet.
    #[default]
    Idle,
    Connecting,
    /// Reading or sending.
    Busy,
    /// Connected and waiting for news.
    Ok,
    Failing,
    Disabled,
}

/// A mailbox or an outlet: its state, since when, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    pub name: String,
    /// `imap`, `maildir`, `smtp`, `sendmail`, …
    pub method: String,
    pub state: ChannelState,
    pub since: Timestamp,
    pub last_success: Option<Timestamp>,
    pub next_try: Option<Timestamp>,
    pub error: Option<String>,
    pub hint: Option<String>,
    /// Mails read or sent, and how many there are in this pass, while busy.
    pub progress: Option<(u64, u64)>,
    /// Taken in at first contact without causing mail.
    pub silent: u64,
}

impl Channel {
    /// Makes a channel that has tried nothing yet.
    pub fn new(name: &str, method: &str, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            method: method.to_owned(),
            state: ChannelState::Idle,
            since: now,
            last_success: None,
            next_try: None,
            error: None,
            hint: None,
            progress: None,
            silent: 0,
        }
    }
}

/// How many mails stand in each state that is not settled well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxCounts {
    pub held: u64,
    pub queued: u64,
    pub sending: u64,
    pub deferred: u64,
    pub failed: u64,
    pub bounced: u64,
}

/// The answer to `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskStatus {
    pub version: String,
    pub pid: u32,
    /// Whether it ends with its last client.
    pub while_used: bool,
    /// Whether mailboxes and outlets are being served at all.
    pub serving: bool,
    pub started_at: Timestamp,
    pub data_dir: String,
    pub mailboxes: Vec<Channel>,
    pub outlets: Vec<Channel>,
    pub outbox: OutboxCounts,
    /// Mails in the triage queue and in quarantine.
    pub triage: u64,
    /// Those of them in quarantine.
    #[serde(default)]
    pub quarantined: u64,
    /// Octets.
    pub free_space: Option<u64>,
    /// Things that somebody should know, each with what to do.
    pub notices: Vec<String>,
    pub stale: bool,
    /// How the check for spam is doing.
    #[serde(default)]
    pub spam: SpamStatus,
    /// Who is at which issue now, as far as the caller works on it.
    #[serde(default)]
    pub present: Vec<super::Present>,
    /// The sign-ins that are stored on this machine.
    #[serde(default)]
    pub sign_ins: Vec<SignIn>,
}

/// What somebody granted by `deskbell login`, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The mailbox or outlet.
    pub name: String,
    pub user: String,
    /// When the access token in hand ends; it is renewed by then if it is `renewable`.
    pub token_ends_at: Option<Timestamp>,
    pub renewable: bool,
    /// When somebody has to sign in again, if the provider said so.
    pub ends_at: Option<Timestamp>,
    /// Where its tokens lie.
    #[serde(default)]
    pub kept_in: KeptIn,
    /// Why they lie in a file although they belong in the keyring.
    #[serde(default)]
    pub held_back: Option<String>,
}

/// Where the tokens of a sign-in lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptIn {
    /// In a file of the data dir, for its owner only.
    #[default]
    File,
    /// In the keyring of the desktop.
    Keyring,
}

impl KeptIn {
    /// Says it in a sentence: "kept in …".
    pub fn words(self) -> &'static str {
        match self {
            Self::File => "a file that only you can read",
            Self::Keyring => "the keyring",
        }
    }
}

/// How the check for spam is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpamStatus {
    /// Whether the desk learns by itself.
    pub local: bool,
    /// Mails that it learned from.
    pub lessons: u64,
    /// Lessons that services are still to be told.
    pub owed: u64,
    /// Mails that were taken for spam and are still kept.
    pub mails: u64,
    /// The services that are switched on.
    pub judges: Vec<Channel>,
}

impl SpamStatus {
    /// Tells whether anybody looks whether mail is spam.
    pub fn is_on(&self) -> bool {
        self.local || !self.judges.is_empty()
    }
}

/// What one pass over a mailbox brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxPass {
    pub name: String,
    /// Mails looked at in this pass.
    pub seen: u64,
    /// Mails that got an intake entry.
    pub new: u64,
    pub silent: u64,
    /// Mails that had to be quarantined.
    pub failed: u64,
    pub error: Option<String>,
}

/// The answer to `sync --once`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncReport {
    pub mailboxes: Vec<MailboxPass>,
    pub outbox: OutboxPass,
    /// What else went wrong, each with what to do.
    #[serde(default)]
    pub notices: Vec<String>,
}

/// What one pass over the outbox did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxPass {
    pub sent: u64,
    pub held: u64,
    pub deferred: u64,
    pub failed: u64,
}
