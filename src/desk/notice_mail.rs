//! The mails in which the staff are told: about one issue, with a key for the answer, and the day's collection.

use super::routing::{self, WayOut};
use super::sealing::Holding;
use super::txn::{Txn, below};
use super::{Desk, letters};
use crate::domain::{
    EmailAddress, Fault, Issue, KeyUse, MailKind, Mailbox, MessageId, Note, NoteKind, OutboxEntry, OutboxId,
    OutboxState, Participant, Project, Rights, StaffEvent, StaffKey, StaffNotice, User, mask_addresses,
};
use crate::mail;
use crate::store::record::{OutboxOpen, Place, note_key};
use jiff::Timestamp;

/// Most lines of a collection.
const LINES: usize = 200;

/// A mail to one of the staff.
pub(super) struct ToStaff<'a> {
    pub user: &'a User,
    pub to: EmailAddress,
    /// Who it seems to come from, before the desk's own name.
    pub name: &'a str,
    pub project: Option<&'a Project>,
    pub issue: Option<&'a Issue>,
    pub note: Option<&'a Note>,
    pub subject: String,
    pub markdown: String,
    /// What an answer to it does; `None` gives it no key.
    pub key: Option<KeyUse>,
    pub held_until: Option<Timestamp>,
}

impl Desk {
    /// Writes the mail of a notice about one issue.
    pub(super) async fn write_notice(
        &self,
        txn: &mut Txn<'_>,
        (user, rights): (&User, &Rights),
        project: &Project,
        issue: &Issue,
        notice: &StaffNotice,
        held_until: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let Some(to) = user.emails.first().cloned() else { return Ok(()) };
        let note = match notice.note {
            Some(id) => txn.get::<Note>(&note_key(issue.id, id)).await?,
            None if shows_opening(&notice.events) => opening(txn, issue).await?,
            None => None,
        };
        let internal = note.as_ref().is_some_and(|note| note.kind == NoteKind::Internal);
        let people = self.answered(txn, issue).await?;
        let people: Vec<String> =
            people.iter().map(|person| shown(&person.to_string(), rights, project)).collect();
        let by = shown(&notice.by, rights, project);
        let news: Vec<String> = notice.events.iter().map(|event| sentence(*event, &by)).collect();
        let files = note.iter().flat_map(|note| &note.attachments);
        let files: Vec<String> = files.map(|file| format!("{} ({})", file.name, size(file.size))).collect();
        let reference = letters::reference(project, issue);
        let text = mail::StaffText {
            answer: if internal { mail::AnswerTo::Staff } else { mail::AnswerTo::People(&people) },
            reference: &reference,
            title: &issue.title,
            news: &news,
            said: note.as_ref().map_or(mail::Said::Nothing, said),
            files: &files,
            url: &self.issue_url(project, issue),
            how_to_stop: &how_to_stop(user, &notice.events),
        };
        let letter = ToStaff {
            user,
            to,
            name: &by,
            project: Some(project),
            issue: Some(issue),
            note: note.as_ref(),
            subject: letters::subject(MailKind::Staff, issue, &project.path),
            markdown: mail::staff_text(&text),
            key: Some(KeyUse::Issue { issue: issue.id, internal, note: note.as_ref().map(|note| note.id) }),
            held_until,
        };
        self.write_to_staff(txn, letter).await
    }

    /// Lists who gets a public answer about an issue.
    async fn answered(&self, txn: &mut Txn<'_>, issue: &Issue) -> Result<Vec<Mailbox>, Fault> {
        let projects = txn.projects().await?;
        let outside = |person: &&Participant| !self.inner.ways.is_ours(&person.email, &projects);
        Ok(issue.subscribers().filter(outside).map(Participant::mailbox).collect())
    }

    /// Writes the day's collection; false when nothing of it still holds.
    pub(super) async fn write_digest(
        &self,
        txn: &mut Txn<'_>,
        user: &User,
        rights: &Rights,
        projects: &[Project],
        notices: &[StaffNotice],
    ) -> Result<bool, Fault> {
        let Some(to) = user.emails.first().cloned() else { return Ok(false) };
        let (mut lines, mut more) = (Vec::new(), 0);
        for notice in notices {
            let issue = self.still_news(txn, user, rights, notice).await?;
            let project = issue.as_ref().and_then(|issue| projects.iter().find(|p| p.id == issue.project));
            let (Some(issue), Some(project)) = (&issue, project) else { continue };
            if lines.len() == LINES {
                more += 1;
                continue;
            }
            let note = match notice.note {
                Some(id) => txn.get::<Note>(&note_key(issue.id, id)).await?,
                None => None,
            };
            let by = shown(&notice.by, rights, project);
            let news: Vec<String> = notice.events.iter().map(|e| sentence(*e, &by)).collect();
            lines.push(mail::DigestLine {
                reference: letters::reference(project, issue),
                title: issue.title.clone(),
                news: news.join(", "),
                excerpt: note.filter(is_clear).map(|note| note.body).unwrap_or_default(),
            });
        }
        if lines.is_empty() {
            return Ok(false);
        }
        let many = crate::domain::counted(lines.len() + more, "notice");
        let events: Vec<StaffEvent> = notices.iter().flat_map(|notice| notice.events.clone()).collect();
        let letter = ToStaff {
            user,
            to,
            name: letters::BOT_NAME,
            project: None,
            issue: None,
            note: None,
            subject: format!("{many} since yesterday"),
            markdown: mail::digest_text(&lines, more, &how_to_stop(user, &events)),
            key: Some(KeyUse::Digest),
            held_until: None,
        };
        self.write_to_staff(txn, letter).await?;
        Ok(true)
    }

    /// Writes a mail to one of the staff into the outbox, as part of a step.
    ///
    /// It leaves by the outlet of the issue's mailbox, never under a customer-facing address of the project,
    /// and its key is known to no way by which customers' answers come.
    pub(super) async fn write_to_staff(&self, txn: &mut Txn<'_>, letter: ToStaff<'_>) -> Result<(), Fault> {
        if self.inner.ways.is_ours(&letter.to, &txn.projects().await?) {
            return Err(Fault::refused(format!("{} is an address of this desk", letter.to)));
        }
        let mailbox = letter.issue.and_then(|issue| issue.mailbox.as_deref());
        let way = self.way_to_staff(mailbox)?.clone();
        let id = txn.next_outbox().await?;
        let key = letter.key.as_ref().map(|_| routing::new_reply_key());
        let keyed = key.as_ref().and_then(|key| self.inner.ways.staff_address(mailbox, letter.project, key));
        let composed = self.composed(&letter, &way, id, keyed.clone(), txn.now)?;
        let bytes = mail::compose(&composed)
            .map_err(|e| Fault::internal(format!("the mail to {} could not be written: {e}", letter.to)))?;
        let state = if letter.held_until.is_some() { OutboxState::Held } else { OutboxState::Queued };
        let (bytes, held) =
            self.sign_letter(bytes, Holding { state, until: letter.held_until, error: None }).await;
        letters::check_size(bytes.len() as u64, &way)?;
        let (kind, raw) = (MailKind::Staff, txn.stash(bytes).await?);
        let row = OutboxEntry::queued(id, kind, letter.to, letter.subject, composed.message_id, raw, txn.now);
        let entry = OutboxEntry {
            issue: letter.issue.map(|issue| issue.id),
            note: letter.note.map(|note| note.id),
            from: keyed.or_else(|| Some(way.from.clone())),
            state: held.state,
            outlet: way.name.clone(),
            held_until: held.until,
            error: held.error,
            staff: Some(letter.user.name.clone()),
            staff_key: key.clone(),
            ..row
        };
        txn.put(&entry)?;
        txn.put(&OutboxOpen { id })?;
        if let (Some(key), Some(stands_for)) = (key, letter.key) {
            let (user, made_at) = (letter.user.name.clone(), txn.now);
            txn.put(&StaffKey { key, user, stands_for, made_at, told: false })?;
        }
        if let Some(issue) = letter.issue {
            let place = Place { project: issue.project, issue: issue.id, note: entry.note, outbox: Some(id) };
            letters::know(txn, &entry.message_id, place).await?;
        }
        txn.deed().staff.push(id);
        Ok(())
    }

    fn composed(
        &self,
        letter: &ToStaff<'_>,
        way: &WayOut,
        id: OutboxId,
        keyed: Option<EmailAddress>,
        now: Timestamp,
    ) -> Result<mail::Letter, Fault> {
        let path = letter.project.map_or("", |project| project.path.as_str());
        let named = |email| Mailbox { name: Some(from_name(letter.name, path)), email };
        Ok(mail::Letter {
            kind: MailKind::Staff,
            from: named(way.from.clone()),
            to: Mailbox { name: Some(letter.user.display_name().to_owned()), email: letter.to.clone() },
            cc: Vec::new(),
            reply_to: keyed.map(named),
            subject: letter.subject.clone(),
            message_id: letters::new_message_id(id, &way.from)?,
            in_reply_to: None,
            references: letter.issue.iter().filter_map(|issue| anchor(issue, &way.from)).collect(),
            date: now,
            project_path: path.to_owned(),
            reference: match (letter.project, letter.issue) {
                (Some(project), Some(issue)) => letters::reference(project, issue),
                _ => String::new(),
            },
            list_id: letter.project.map(|project| letters::list_id(project, &way.from)),
            unsubscribe: None,
            unsubscribe_page: None,
            markdown: letter.markdown.clone(),
            files: Vec::new(),
            for_signing: self.inner.crypt.signs().is_some(),
        })
    }

    /// Finds the way out for mail that is about no project: that of the mailbox, else `[smtp]`.
    pub(super) fn way_to_staff(&self, mailbox: Option<&str>) -> Result<&WayOut, Fault> {
        let ways = &self.inner.ways;
        let by_mailbox = mailbox.and_then(|name| ways.mailbox(name)?.outlet.as_deref());
        ways.outlet(by_mailbox).ok_or_else(|| Fault::refused("no way out is configured"))
    }
}

/// Gives the note that opened an issue, unless it is internal: what somebody is given, they want to read.
async fn opening(txn: &mut Txn<'_>, issue: &Issue) -> Result<Option<Note>, Fault> {
    let first = txn.list::<Note>(&below(issue.id.0)).await?.into_iter().next();
    Ok(first.filter(|note| matches!(note.kind, NoteKind::Incoming | NoteKind::Reply)))
}

/// Gives the identifier that ties all mails to the staff about one issue together.
fn anchor(issue: &Issue, from: &EmailAddress) -> Option<MessageId> {
    let made = issue.created_at.as_second();
    MessageId::parse(&format!("staff.{}.{made}@{}", issue.id, from.domain()))
}

fn from_name(who: &str, path: &str) -> String {
    match path {
        "" => who.to_owned(),
        path => format!("{who} ({path})"),
    }
}

fn said(note: &Note) -> mail::Said<'_> {
    match note.kind {
        _ if !is_clear(note) => mail::Said::Sealed,
        NoteKind::Incoming => mail::Said::Plain(&note.body),
        _ => mail::Said::Markdown(&note.body),
    }
}

/// Tells whether a note's text came in the clear, so that it may leave in the clear.
fn is_clear(note: &Note) -> bool {
    note.seal.as_ref().is_none_or(|seal| !seal.encrypted)
}

/// Masks the addresses of a text for those who may not see them.
fn shown(text: &str, rights: &Rights, project: &Project) -> String {
    match rights.sees_addresses(project.id) {
        true => text.to_owned(),
        false => mask_addresses(text),
    }
}

/// Says what happened.
fn sentence(event: StaffEvent, by: &str) -> String {
    match event {
        StaffEvent::NewIssue => format!("opened by {by}"),
        StaffEvent::Answer | StaffEvent::MyAnswer => format!("{by} answered"),
        StaffEvent::Note => format!("{by} wrote a note"),
        StaffEvent::Assigned => format!("given to you by {by}"),
        StaffEvent::Mentioned => format!("{by} named you"),
        StaffEvent::Closed => format!("closed by {by}"),
        StaffEvent::Reopened => format!("opened again by {by}"),
        StaffEvent::Clock | StaffEvent::MyClock => by.to_owned(),
        StaffEvent::Rule => format!("{by} tells you"),
    }
}

/// Tells whether who hears of these may not know the issue yet.
fn shows_opening(events: &[StaffEvent]) -> bool {
    events.iter().any(|event| matches!(event, StaffEvent::Assigned | StaffEvent::Rule))
}

fn how_to_stop(user: &User, events: &[StaffEvent]) -> String {
    let first = events.first().map_or("EVENT", |event| event.word());
    format!(
        "You get this as {} of the desk. Fewer: deskbell user set {} notify.{first}=off",
        user.name, user.name
    )
}

fn size(octets: u64) -> String {
    match octets {
        0..10_000 => format!("{octets} octets"),
        10_000..10_000_000 => format!("{} kB", octets / 1000),
        _ => format!("{} MB", octets / 1_000_000),
    }
}
