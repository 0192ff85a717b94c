//! The round trip: a mail to ourselves, through the outlet and back by the mailbox.
//!
//! The mail comes from our own address and is marked as automatic, so the intake ignores it: no issue, no
//! answer. It stays in the mailbox, as every mail does that the desk has seen.

use super::{Findings, Known};
use crate::cli::here::Here;
use crate::cli::session::{Session, unexpected};
use crate::config::{MailboxConfig, SourceConfig};
use crate::desk::{WayOut, Ways};
use crate::domain::{EmailAddress, Fault, IntakeView, MailKind, Mailbox, MessageId, Request, Response};
use crate::mail::{self, Letter};
use crate::oauth::Tokens;
use crate::outlet::{Outcome, Outlet};
use crate::source::{GraphListed, GraphSource, ImapSource, MaildirSource, SourceError, Wake};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long the mail may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a server is asked that cannot tell of news.
const POLL: Duration = Duration::from_secs(2);
/// How often the intake of a desk that is served is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Arrivals among which the mail is looked for.
const LATEST: u64 = 50;

/// Why a round trip failed, and what helps.
struct Failure(String, Option<String>);

impl Failure {
    fn new(words: impl Into<String>, cure: impl Into<String>) -> Self {
        Self(words.into(), Some(cure.into()))
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self(format!("{}: {}", error.stage, error.message), error.hint)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self(fault.message, fault.hint)
    }
}

/// Mails itself through each keyed mailbox and waits for that mail.
pub async fn mail_round_trips(here: &Here, known: &Known, findings: &mut Findings) {
    let keyed: Vec<&MailboxConfig> =
        here.config.mailboxes.values().filter(|m| m.enabled && m.address.keyed).collect();
    if keyed.is_empty() {
        return findings.ok("round trip", "no mailbox has %{key} in its address, so there is none to make");
    }
    for mailbox in keyed {
        let step = format!("round trip {}", mailbox.name);
        match travel(here, known, mailbox).await {
            Ok((address, took)) => {
                findings.ok(step, format!("a mail to {address} came back in {:.1} s", took.as_secs_f64()));
            }
            Err(Failure(words, cure)) => findings.fail(step, words, cure),
        }
    }
}

async fn travel(
    here: &Here,
    known: &Known,
    mailbox: &MailboxConfig,
) -> Result<(EmailAddress, Duration), Failure> {
    let reaches = |address: &&EmailAddress| mailbox.address.key_of(address.as_str()).is_some();
    let mut addresses = known.projects.iter().filter(|p| p.enabled).flat_map(|p| &p.addresses);
    let to = addresses.find(reaches).cloned().ok_or_else(|| {
        Failure::new("no project has an address of this mailbox", "deskbell project add GROUP/NAME")
    })?;
    let ways = Ways::of(&here.config, here.config_dir());
    let none = || Failure::new("there is no outlet", "add a section [smtp] to the config");
    let way = ways.outlet(mailbox.outlet.as_deref()).ok_or_else(none)?;
    let (id, bytes) = probe(way, &to)?;
    // Where we wait is made ready first, so that the mail cannot slip in unseen.
    let mut post = Post::open(here, known.served.as_ref(), mailbox).await?;
    let begun = Instant::now();
    send(here, way, &to, &bytes).await?;
    let left = || PATIENCE.saturating_sub(begun.elapsed());
    match timeout(left(), post.wait_for(&id)).await {
        Ok(found) => found?,
        Err(_) => return Err(lost(mailbox, &to)),
    }
    let took = begun.elapsed();
    post.close().await;
    Ok((to, took))
}

fn lost(mailbox: &MailboxConfig, to: &EmailAddress) -> Failure {
    let words = format!("the mail to {to} was sent, but did not arrive within {} s", PATIENCE.as_secs());
    let spam = "look into its spam folder";
    let cure = match mailbox.address.prefix.is_empty() {
        true => format!("see that the whole domain is delivered to this mailbox, and {spam}"),
        false => format!(
            "see that the server takes address+key for address (subaddressing), and {spam}; without \
             subaddressing, write the address without %{{key}} and name its project in the config"
        ),
    };
    Failure::new(words, cure)
}

/// Writes the mail.
fn probe(way: &WayOut, to: &EmailAddress) -> Result<(MessageId, Vec<u8>), Failure> {
    let id = format!("round-trip.{:032x}@{}", rand::random::<u128>(), way.from.domain());
    let wrong = || Failure::new("our own address makes no Message-ID", "correct `from` of the outlet");
    let message_id = MessageId::parse(&id).ok_or_else(wrong)?;
    let letter = Letter {
        for_signing: false,
        kind: MailKind::Probe,
        from: Mailbox { name: Some("deskbell".to_owned()), email: way.from.clone() },
        to: Mailbox { name: None, email: to.clone() },
        cc: Vec::new(),
        reply_to: None,
        subject: "A round trip of deskbell".to_owned(),
        message_id: message_id.clone(),
        in_reply_to: None,
        references: Vec::new(),
        date: Timestamp::now(),
        project_path: String::new(),
        reference: String::new(),
        list_id: None,
        unsubscribe: None,
        unsubscribe_page: None,
        markdown: "The desk wrote this mail to itself, to see whether it comes back. It may be deleted.\n"
            .to_owned(),
        files: Vec::new(),
    };
    let bytes = mail::compose(&letter)
        .map_err(|error| Failure::new(error.to_string(), "correct `from` of the outlet"))?;
    Ok((message_id, bytes))
}

async fn send(here: &Here, way: &WayOut, to: &EmailAddress, bytes: &[u8]) -> Result<(), Failure> {
    let gone = || Failure::new("there is no outlet", "add a section [smtp] to the config");
    let config = here.config.outlet(way.name.as_deref()).ok_or_else(gone)?;
    let mut outlet = Outlet::new(config, &here.paths.data_dir);
    let outcome = outlet.send(Some(&way.from), to, bytes).await;
    outlet.close().await;
    match outcome {
        Outcome::Sent { .. } => Ok(()),
        Outcome::Refused { code, text } => Err(Failure(
            format!("the outlet refused the mail to {to}: {code} {text}"),
            Some(format!("see that the server accepts mail for {to} and from {}", way.from)),
        )),
        Outcome::PutOff { text, .. } => Err(Failure::new(
            format!("the outlet put the mail to {to} off: {text}"),
            "try again in a few minutes",
        )),
        Outcome::Unreachable { stage, text, hint } => Err(Failure(format!("outlet {stage}: {text}"), hint)),
    }
}

/// Where the mail is waited for.
enum Post<'a> {
    /// A sync reads the mailbox, and may take the mail away.
    Intake(&'a Session),
    Imap {
        source: Box<ImapSource>,
        after: u32,
    },
    Maildir(MaildirSource),
    Graph(Box<GraphSource>, Timestamp),
}

impl<'a> Post<'a> {
    async fn open(
        here: &Here,
        served: Option<&'a Session>,
        mailbox: &MailboxConfig,
    ) -> Result<Self, Failure> {
        if let Some(session) = served {
            return Ok(Self::Intake(session));
        }
        if let SourceConfig::Maildir { path } = &mailbox.source {
            return Ok(Self::Maildir(MaildirSource::open(path)?));
        }
        if let SourceConfig::MicrosoftGraph(_) = &mailbox.source {
            // Their clock may be behind.
            let from = Timestamp::now() - SignedDuration::from_mins(10);
            return Ok(Self::Graph(Box::new(GraphSource::new(mailbox)?), from));
        }
        let tokens = Tokens::new(&here.paths.data_dir);
        let mut source = Box::new(ImapSource::connect(mailbox, &tokens).await?);
        let selected = source.select().await?;
        let after = match selected.uid_next {
            Some(next) => next.saturating_sub(1),
            None => source.list(0, None).await?.last().map_or(0, |last| last.uid),
        };
        Ok(Self::Imap { source, after })
    }

    /// Waits for the mail, for as long as it takes.
    async fn wait_for(&mut self, id: &MessageId) -> Result<(), Failure> {
        match self {
            Self::Intake(session) => wait_in_intake(session, id).await,
            Self::Imap { source, after } => wait_in_folder(source, after, id).await,
            Self::Maildir(maildir) => wait_in_maildir(maildir, id).await,
            Self::Graph(source, from) => wait_in_graph(source, *from, id).await,
        }
    }

    async fn close(self) {
        if let Self::Imap { source, .. } = self {
            source.close().await;
        }
    }
}

async fn wait_in_intake(session: &Session, id: &MessageId) -> Result<(), Failure> {
    let mut asked = Instant::now();
    loop {
        match session.ask(Request::Intake { fate: None, limit: LATEST }).await? {
            Response::Intake(entries) if entries.iter().any(|e| is_it(e, id)) => return Ok(()),
            Response::Intake(_) => {}
            other => return Err(unexpected(&other).into()),
        }
        if asked.elapsed() > POLL {
            session.ask(Request::SyncNow).await?;
            asked = Instant::now();
        }
        sleep(LOOK).await;
    }
}

fn is_it(entry: &IntakeView, id: &MessageId) -> bool {
    entry.message_id.as_ref() == Some(id)
}

async fn wait_in_folder(source: &mut ImapSource, after: &mut u32, id: &MessageId) -> Result<(), Failure> {
    loop {
        for listing in source.list(*after, None).await? {
            *after = listing.uid;
            if carries(&source.headers(listing.uid).await?, id) {
                return Ok(());
            }
        }
        if source.idle(POLL * 5).await? == Wake::Unsupported {
            sleep(POLL).await;
        }
    }
}

async fn wait_in_graph(source: &GraphSource, from: Timestamp, id: &MessageId) -> Result<(), Failure> {
    let is_it =
        |listed: &GraphListed| listed.message_id.as_deref().and_then(MessageId::parse).as_ref() == Some(id);
    while !source.list(Some(from), false).await?.iter().any(is_it) {
        sleep(POLL).await;
    }
    Ok(())
}

async fn wait_in_maildir(maildir: &MaildirSource, id: &MessageId) -> Result<(), Failure> {
    let mut seen = std::collections::HashSet::new();
    let mut news = maildir.watch();
    loop {
        // The mail is among the last ones.
        for file in maildir.list().await?.into_iter().rev() {
            if !seen.insert(file.name.clone()) {
                continue;
            }
            if maildir.read(&file.name).await?.is_some_and(|(bytes, _)| carries(&bytes, id)) {
                return Ok(());
            }
        }
        news.wait(POLL).await;
    }
}

fn carries(bytes: &[u8], id: &MessageId) -> bool {
    mail::read(bytes).is_ok_and(|message| message.message_id.as_ref() == Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_is_marked_so_that_no_machine_answers_it_and_no_issue_results() {
        let from = EmailAddress::parse("help@x.example").unwrap();
        let way = WayOut { name: None, from: from.clone(), max_size: 1000 };
        let to = EmailAddress::parse("help+a-1-issue-@x.example").unwrap();
        let (id, bytes) = probe(&way, &to).ok().unwrap();
        assert!(carries(&bytes, &id));
        let message = mail::read(&bytes).unwrap();
        assert_eq!(message.header("Auto-Submitted").map(str::trim), Some("auto-generated"));
        let own = |is_ours: bool| {
            let is_ours = move |_: &EmailAddress| is_ours;
            let own = mail::Own {
                is_ours: &is_ours,
                our_message_id: &|_| false,
                own_lists: &[],
                trusted_authserv_ids: &[],
            };
            mail::verdict(&bytes, &message, &own).class
        };
        assert_eq!(own(true), mail::MailClass::Own);
        assert_eq!(own(false), mail::MailClass::Automatic);
    }
}
