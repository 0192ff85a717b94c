//! One mailbox: passes over it, and the waiting in between.

use super::backoff::Backoff;
use super::record::record;
use super::rest::Connection;
use super::{caught, graph, imap, maildir, sign_in};
use crate::config::{MailboxConfig, SourceConfig};
use crate::desk::{Desk, Received};
use crate::domain::{Channel, ChannelState, Cursor, Fate, Fault, FaultKind, MailboxPass};
use crate::oauth::Tokens;
use crate::source::SourceError;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a mailbox is looked at whose server cannot tell of news.
pub(super) const POLL: Duration = Duration::from_secs(60);

/// How often a mail is fetched, each time over a new connection, before it is left to a person.
const FETCHES: u32 = 3;

/// Why a pass did not come to its end.
#[derive(Debug)]
pub(super) enum Trouble {
    Source(SourceError),
    Desk(Fault),
}

impl Trouble {
    fn words(&self) -> (String, Option<String>) {
        match self {
            Self::Source(error) => (error.message.clone(), error.hint.clone()),
            Self::Desk(fault) => (fault.message.clone(), fault.hint.clone()),
        }
    }

    /// Tells how long the server wants to be left alone.
    fn wants_quiet(&self) -> Duration {
        match self {
            Self::Source(error) => error.after.unwrap_or_default(),
            Self::Desk(_) => Duration::ZERO,
        }
    }

    fn login_refused(&self) -> bool {
        matches!(self, Self::Source(error) if error.is_auth())
    }
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Desk(fault)
    }
}

/// A mailbox as the board shows it, and what a pass over it counts.
pub(super) struct Post<'a> {
    pub desk: &'a Desk,
    pub config: &'a MailboxConfig,
    pub data_dir: &'a Path,
    pub tokens: Tokens,
    channel: Channel,
    pub pass: MailboxPass,
    /// The mail at which the last fetch failed, and how often in a row.
    pub stuck: Option<(u32, u32)>,
    /// How often in a row the fetch of a mail failed, by its id.
    unfetched: BTreeMap<String, u32>,
    /// Mails up to this UID are fetched one at a time, because one of them may be why a fetch failed.
    pub alone_until: u32,
    /// What was told of: new, silent, quarantined.
    told: (u64, u64, u64),
}

impl<'a> Post<'a> {
    pub fn new(desk: &'a Desk, config: &'a MailboxConfig, data_dir: &'a Path) -> Self {
        let channel = Channel::new(&config.name, config.source.method(), desk.now());
        let pass = MailboxPass { name: config.name.clone(), ..MailboxPass::default() };
        let tokens = Tokens::new(data_dir);
        Self {
            desk,
            config,
            data_dir,
            tokens,
            channel,
            pass,
            stuck: None,
            unfetched: BTreeMap::new(),
            alone_until: 0,
            told: (0, 0, 0),
        }
    }

    /// Counts what became of mails that the desk took in, here and in the cursor of the mailbox.
    pub fn count(&mut self, cursor: &mut Cursor, received: &[Received]) {
        self.pass.new += received.len() as u64;
        self.pass.failed += received.iter().filter(|r| r.fate == Fate::Quarantined).count() as u64;
        let silent = received.iter().filter(|r| r.silent).count() as u64;
        self.pass.silent += silent;
        cursor.silent += silent;
        self.silent(cursor.silent);
    }

    /// Remembers at which mail a fetch failed.
    pub fn fetch_failed(&mut self, uid: u32) {
        let before = self.stuck.filter(|(other, _)| *other == uid).map_or(0, |(_, times)| times);
        self.stuck = Some((uid, before + 1));
        self.alone_until = self.alone_until.max(uid);
    }

    /// Tells whether a mail was tried often enough.
    pub fn is_unfetchable(&self, uid: u32) -> bool {
        self.stuck.is_some_and(|(stuck, times)| stuck == uid && times >= FETCHES)
    }

    /// Remembers that the fetch of a mail failed.
    pub fn fetch_of_failed(&mut self, id: &str) {
        *self.unfetched.entry(id.to_owned()).or_default() += 1;
    }

    /// Forgets the failures of a mail.
    pub fn fetched(&mut self, id: &str) {
        self.unfetched.remove(id);
    }

    /// Tells whether a mail was tried often enough.
    pub fn is_hopeless(&self, id: &str) -> bool {
        self.unfetched.get(id).is_some_and(|times| *times >= FETCHES)
    }

    /// Shows a state that is no failure.
    pub fn show(&mut self, state: ChannelState) {
        let was_failing = self.channel.state == ChannelState::Failing;
        if self.channel.state != state && !(was_failing && state == ChannelState::Connecting) {
            self.channel.state = state;
            self.channel.since = self.desk.now();
        }
        if state == ChannelState::Ok {
            self.channel.last_success = Some(self.desk.now());
            self.channel.error = None;
            self.channel.hint = None;
            self.channel.next_try = None;
            self.channel.progress = None;
            self.desk.board().clear_notice("disk");
            sign_in::tell(self.desk, &self.tokens, self.config.source.login());
            self.tell_of_pass();
        }
        self.publish();
    }

    /// Writes what a pass brought into the mailbox's log, and tells everybody of mail that came in silently.
    fn tell_of_pass(&mut self) {
        let (new, silent, failed) = (self.pass.new, self.pass.silent, self.pass.failed);
        if (new, silent, failed) == self.told {
            return;
        }
        let (new_before, silent_before, failed_before) =
            std::mem::replace(&mut self.told, (new, silent, failed));
        let facts = [
            ("new", (new - new_before).into()),
            ("silent", (silent - silent_before).into()),
            ("quarantined", (failed - failed_before).into()),
        ];
        self.record("pass", &facts);
        if silent > 0 {
            let (mails, were) = if silent == 1 { ("mail", "was") } else { ("mails", "were") };
            let words = format!(
                "{}: {silent} {mails} from before the first look {were} taken in; nobody was mailed",
                self.config.name
            );
            self.desk.board().notice(format!("silent {}", self.config.name), words);
        }
    }

    fn record(&self, event: &str, facts: &[(&str, serde_json::Value)]) {
        if let Some(path) = &self.config.log_path {
            record(&crate::config::resolve(self.data_dir, path), self.desk.now(), event, facts);
        }
    }

    /// Shows how many of the mails of this pass are in.
    pub fn progress(&mut self, done: u64, all: u64) {
        // Only a pass that comes to its end ends a failure, or nobody would see how long it lasts.
        if self.channel.state != ChannelState::Failing {
            self.channel.state = ChannelState::Busy;
        }
        self.channel.progress = Some((done, all));
        self.publish();
    }

    /// Shows how many mails came in without causing any.
    pub fn silent(&mut self, silent: u64) {
        self.channel.silent = silent;
    }

    fn failed(&mut self, trouble: &Trouble, wait: Duration) {
        let (error, hint) = trouble.words();
        tracing::warn!(mailbox = self.config.name, error, "the mailbox cannot be read");
        self.record(
            "failed",
            &[("error", error.as_str().into()), ("next_try_in_seconds", wait.as_secs().into())],
        );
        if self.channel.state != ChannelState::Failing {
            self.channel.state = ChannelState::Failing;
            self.channel.since = self.desk.now();
        }
        let wait = jiff::SignedDuration::try_from(wait).unwrap_or_default();
        self.channel.next_try = self.desk.now().checked_add(wait).ok();
        self.channel.error = Some(error);
        self.channel.hint = hint;
        self.channel.progress = None;
        self.full_disk(trouble);
        self.publish();
    }

    /// Tells everybody when the disk is what stops the intake.
    fn full_disk(&self, trouble: &Trouble) {
        let topic = "disk";
        match trouble {
            Trouble::Desk(fault) if fault.kind == FaultKind::Full => {
                let words =
                    format!("intake has stopped: {fault}; mail stays on its server until there is space");
                self.desk.board().notice(topic.to_owned(), words);
            }
            _ => {}
        }
    }

    fn publish(&self) {
        self.desk.show_mailbox(self.channel.clone());
    }
}

/// Serves a mailbox until `stop`.
pub(super) async fn serve(desk: &Desk, config: &MailboxConfig, data_dir: &Path, stop: &CancellationToken) {
    let mut backoff = Backoff::default();
    let mut post = Post::new(desk, config, data_dir);
    loop {
        let served = async {
            match &config.source {
                SourceConfig::Maildir { .. } => maildir::serve(&mut post, &mut backoff).await,
                SourceConfig::MicrosoftGraph(_) => graph::serve(&mut post, &mut backoff).await,
                SourceConfig::Imap(_) => imap::serve(&mut post, &mut backoff).await,
            }
        };
        let trouble = tokio::select! {
            () = stop.cancelled() => return,
            trouble = caught(served) => trouble.unwrap_or_else(Trouble::Desk),
        };
        let wait = backoff.failed(trouble.login_refused()).max(trouble.wants_quiet());
        post.failed(&trouble, wait);
        tokio::select! {
            () = stop.cancelled() => return,
            () = desk.wait_for_look() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Looks into a mailbox once.
pub(super) async fn pass(
    desk: &Desk,
    config: &MailboxConfig,
    data_dir: &Path,
    there: Option<Connection>,
) -> MailboxPass {
    let mut post = Post::new(desk, config, data_dir);
    let looked = async {
        match &config.source {
            SourceConfig::Maildir { .. } => maildir::once(&mut post).await,
            SourceConfig::MicrosoftGraph(_) => graph::once(&mut post).await,
            SourceConfig::Imap(_) => imap::once(&mut post, there).await,
        }
    };
    match caught(looked).await.unwrap_or_else(|fault| Err(Trouble::Desk(fault))) {
        Ok(()) => post.show(ChannelState::Ok),
        Err(trouble) => {
            post.failed(&trouble, POLL);
            let (error, hint) = trouble.words();
            post.pass.error = Some(hint.map_or(error.clone(), |hint| format!("{error} ({hint})")));
        }
    }
    post.pass
}
