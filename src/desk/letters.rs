//! Letters: the mails that the desk writes, one row of the outbox for each recipient.

use super::routing::{self, WayOut};
use super::sealing::Holding;
use super::txn::{self, Txn};
use super::{Desk, missing};
use crate::domain::{
    Author, DeskSettings, EmailAddress, Fault, Issue, MailKind, Mailbox, MessageId, Note, NoteKind,
    OutboxEntry, OutboxId, OutboxState, Project, Rating, ReplyKey,
};
use crate::mail;
use crate::store::record::{Known, OutboxOfNote, OutboxOpen, Place, text_key};
use jiff::Timestamp;

/// The sender's name where a project sets none.
pub(super) const BOT_NAME: &str = "Support Bot";
/// How many Message-IDs of a conversation a mail names.
const REFERENCES: usize = 20;

/// A mail to write.
pub(super) struct Draughted<'a> {
    pub kind: MailKind,
    pub issue: &'a Issue,
    pub project: &'a Project,
    pub note: Option<&'a Note>,
    pub to: Mailbox,
    /// Where one mail goes to all: each gets it on their own way, with the others in its head.
    pub joint: Option<&'a Joint>,
    pub files: &'a [(String, String, Vec<u8>)],
    pub state: OutboxState,
    pub held_until: Option<Timestamp>,
    pub user: Option<String>,
}

/// One mail to several people.
pub(super) struct Joint {
    people: Vec<Mailbox>,
    message_id: MessageId,
}

/// What a mail tells: a note, and what the issue is about.
pub(super) struct Told<'a> {
    pub author: &'a str,
    pub text: &'a str,
    pub description: &'a str,
}

impl Desk {
    /// Writes one mail into the outbox as part of a step: its bytes, its Message-ID and its reply key.
    ///
    /// Fails when there is no way out, or when the mail is larger than that way takes.
    pub(super) async fn write_letter(
        &self,
        txn: &mut Txn<'_>,
        draughted: Draughted<'_>,
    ) -> Result<OutboxId, Fault> {
        let Draughted { kind, issue, project, note, .. } = draughted;
        let way = self.way_out(issue, project)?.clone();
        let id = txn.next_outbox().await?;
        let key = routing::new_reply_key();
        let from = self.inner.ways.custom(project).cloned().unwrap_or_else(|| way.from.clone());
        let message_id = match draughted.joint {
            Some(joint) => joint.message_id.clone(),
            None => new_message_id(id, &from)?,
        };
        let reply_to = self.inner.ways.reply_address(issue.mailbox.as_deref(), project, &key);
        let (in_reply_to, references) = match kind {
            MailKind::Forward => (None, Vec::new()),
            _ => self.conversation(txn, issue, &draughted.to.email).await?,
        };
        let mut people = draughted.joint.map(|joint| joint.people.iter()).unwrap_or_default();
        let first = people.next();
        let letter = mail::Letter {
            kind,
            from: Mailbox { name: Some(sender_name(project).to_owned()), email: from.clone() },
            to: first.unwrap_or(&draughted.to).clone(),
            cc: people.cloned().collect(),
            reply_to: reply_to
                .clone()
                .or_else(|| issue.arrived_to.clone())
                .or_else(|| self.inner.ways.plain_address(issue.mailbox.as_deref(), project))
                .map(|email| Mailbox { name: Some(project.path.clone()), email }),
            subject: subject(kind, issue, &project.path),
            message_id: message_id.clone(),
            in_reply_to,
            references,
            date: txn.now,
            project_path: project.path.clone(),
            reference: reference(project, issue),
            list_id: Some(list_id(project, &from)),
            // Who takes no part cannot leave.
            unsubscribe: match kind {
                MailKind::Forward => None,
                _ => self.inner.ways.unsubscribe_link(issue.mailbox.as_deref(), project, &key),
            },
            unsubscribe_page: self.inner.ways.unsubscribe_page(&key).filter(|_| kind != MailKind::Forward),
            markdown: self.markdown(txn, kind, issue, project, note, &key).await?,
            files: draughted.files.to_vec(),
            for_signing: self.inner.crypt.signs().is_some(),
        };
        let bytes = mail::compose(&letter).map_err(|e| {
            Fault::internal(format!("the mail to {} could not be written: {e}", draughted.to.email))
        })?;
        let held = Holding { state: draughted.state, until: draughted.held_until, error: None };
        let (bytes, held) = self.sign_letter(bytes, held).await;
        check_size(bytes.len() as u64, &way)?;
        let (to, raw) = (draughted.to.email.clone(), txn.stash(bytes).await?);
        let row = OutboxEntry::queued(id, kind, to, letter.subject.clone(), message_id, raw, txn.now);
        let entry = OutboxEntry {
            issue: Some(issue.id),
            note: note.map(|n| n.id),
            from: reply_to.or(Some(from)),
            state: held.state,
            outlet: way.name.clone(),
            held_until: held.until,
            error: held.error,
            user: draughted.user,
            ..row
        };
        self.file_letter(txn, &entry, key, issue, project).await?;
        Ok(id)
    }

    /// Prepares one mail to all, where the project wants that and there are several.
    pub(super) fn joint(
        &self,
        issue: &Issue,
        project: &Project,
        people: &[Mailbox],
    ) -> Result<Option<Joint>, Fault> {
        if !project.settings.one_mail_to_all || people.len() < 2 {
            return Ok(None);
        }
        let from = self.inner.ways.custom(project).unwrap_or(&self.way_out(issue, project)?.from);
        let text = format!("{}@{}", routing::new_reply_key(), from.domain());
        let message_id = MessageId::parse(&text).ok_or_else(|| missing("the domain of our Message-IDs"))?;
        Ok(Some(Joint { people: people.to_vec(), message_id }))
    }

    async fn file_letter(
        &self,
        txn: &mut Txn<'_>,
        entry: &OutboxEntry,
        key: String,
        issue: &Issue,
        project: &Project,
    ) -> Result<(), Fault> {
        txn.put(entry)?;
        txn.put(&OutboxOpen { id: entry.id })?;
        if let Some(note) = entry.note {
            txn.put(&OutboxOfNote { note, outbox: entry.id })?;
        }
        txn.put(&ReplyKey { key, issue: issue.id, address: entry.to.clone(), outbox: Some(entry.id) })?;
        let place = Place { project: project.id, issue: issue.id, note: entry.note, outbox: Some(entry.id) };
        know(txn, &entry.message_id, place).await?;
        txn.deed().outbox.push(entry.id);
        Ok(())
    }

    /// Finds the way out for an issue: the project's own, else that of its mailbox, else `[smtp]`.
    pub(super) fn way_out(&self, issue: &Issue, project: &Project) -> Result<&WayOut, Fault> {
        let ways = &self.inner.ways;
        let by_mailbox = issue.mailbox.as_deref().and_then(|name| ways.mailbox(name)?.outlet.as_deref());
        // An outlet for a custom address sends only what is written from that address.
        let own = project.settings.custom_email.is_none() || ways.custom(project).is_some();
        let name = project.settings.custom_email_outlet.as_deref().filter(|_| own).or(by_mailbox);
        ways.outlet(name).ok_or_else(|| {
            Fault::refused("no way out is configured, so nothing can be mailed")
                .hint("add an [smtp] section to the config, or write an internal note")
        })
    }

    /// Gives what a mail answers: the last mail of that person, else the last there was; and the
    /// conversation before it, the opening first, so that clients show one thread.
    async fn conversation(
        &self,
        txn: &mut Txn<'_>,
        issue: &Issue,
        to: &EmailAddress,
    ) -> Result<(Option<MessageId>, Vec<MessageId>), Fault> {
        let mut ids: Vec<MessageId> = Vec::new();
        let mut answered = None;
        for note in txn.list::<Note>(&txn::below(issue.id.0)).await? {
            if note.aside.is_some() {
                // Nobody else hears of a third party.
                continue;
            }
            if note.kind == NoteKind::Incoming {
                let theirs = note.author.email.as_ref() == Some(to);
                answered = note.message_id.clone().filter(|_| theirs).or(answered);
                ids.extend(note.message_id);
            } else if note.kind == NoteKind::Reply {
                ids.extend(self.sent_to(txn, &note, to).await?);
            }
        }
        let answered = answered.or_else(|| ids.last().cloned());
        if ids.len() > REFERENCES {
            ids.drain(1..=ids.len() - REFERENCES);
        }
        if let Some(answered) = &answered {
            ids.retain(|id| id != answered);
            ids.push(answered.clone());
        }
        Ok((answered, ids))
    }

    async fn sent_to(
        &self,
        txn: &mut Txn<'_>,
        note: &Note,
        to: &EmailAddress,
    ) -> Result<Vec<MessageId>, Fault> {
        let mut ids = Vec::new();
        for row in txn.list::<OutboxOfNote>(&txn::below(note.id.0)).await? {
            let entry = txn.get::<OutboxEntry>(&crate::store::record::outbox_key(row.outbox)).await?;
            ids.extend(entry.filter(|e| &e.to == to).map(|e| e.message_id));
        }
        Ok(ids)
    }

    /// Fills the template of a kind of mail.
    async fn markdown(
        &self,
        txn: &mut Txn<'_>,
        kind: MailKind,
        issue: &Issue,
        project: &Project,
        note: Option<&Note>,
        key: &str,
    ) -> Result<String, Fault> {
        let desk = self.desk_settings().await?;
        let template = self.template(kind, Some(project), &desk).await.text;
        let description = match kind {
            MailKind::ThankYou => String::new(),
            MailKind::Forward => note.and_then(|note| note.folded.clone()).unwrap_or_default(),
            _ => self.description(txn, issue).await?,
        };
        let text = note.map_or(String::new(), |note| signed_text(note, project));
        let author = note.map_or("", |note| note.author.label());
        let told = Told { author, text: &text, description: &description };
        Ok(self.filled(&template, issue, project, &desk, key, &told))
    }

    /// Fills a template with what is known of an issue.
    pub(super) fn filled(
        &self,
        template: &str,
        issue: &Issue,
        project: &Project,
        desk: &DeskSettings,
        key: &str,
        told: &Told<'_>,
    ) -> String {
        let reference = reference(project, issue);
        let ways = &self.inner.ways;
        let by_mail = || ways.unsubscribe_link(issue.mailbox.as_deref(), project, key);
        let unsubscribe = ways.unsubscribe_page(key).or_else(by_mail).unwrap_or_default();
        let rating = self.rating_links(template, issue, project, key);
        let values = mail::Values {
            rating: &rating,
            issue_id: &format!("#{}", issue.iid),
            issue_path: &reference,
            note_text: told.text,
            note_author: told.author,
            issue_description: told.description,
            unsubscribe_url: &unsubscribe,
            issue_url: &self.issue_url(project, issue),
            system_header: desk.system_header.as_deref().unwrap_or(""),
            system_footer: desk.system_footer.as_deref().unwrap_or(""),
            additional_text: desk.additional_text.as_deref().unwrap_or(""),
        };
        mail::fill(template, &values)
    }

    /// Gives the links by which the holder of a key rates an issue, where a template names them.
    fn rating_links(
        &self,
        template: &str,
        issue: &Issue,
        project: &Project,
        key: &str,
    ) -> Vec<(&'static str, String)> {
        if !mail::has_placeholder(template, "RATING") {
            return Vec::new();
        }
        let ways = &self.inner.ways;
        let to = ways
            .reply_address(issue.mailbox.as_deref(), project, key)
            .or_else(|| issue.arrived_to.clone())
            .or_else(|| ways.plain_address(issue.mailbox.as_deref(), project));
        let links = |to: &EmailAddress| {
            let link = |rating: Rating| (rating.word(), mail::mail_link(to, &rating.subject(key)));
            Rating::ALL.map(link).to_vec()
        };
        to.as_ref().map(links).unwrap_or_default()
    }

    pub(super) async fn description(&self, txn: &mut Txn<'_>, issue: &Issue) -> Result<String, Fault> {
        let notes = txn.list::<Note>(&txn::below(issue.id.0)).await?;
        // What came encrypted must not leave in the clear.
        let clear = |note: &Note| note.seal.as_ref().is_none_or(|seal| !seal.encrypted);
        let public = |note: &Note| matches!(note.kind, NoteKind::Incoming | NoteKind::Reply) && clear(note);
        Ok(notes.into_iter().next().filter(public).map_or(String::new(), |note| note.body))
    }

    pub(super) fn issue_url(&self, project: &Project, issue: &Issue) -> String {
        self.inner
            .ways
            .issue_url
            .replace("%{ISSUE_PATH}", &reference(project, issue))
            .replace("%{PROJECT_PATH}", &project.path)
            .replace("%{ISSUE_ID}", &issue.iid.to_string())
    }
}

/// Remembers where a Message-ID was seen.
pub(super) async fn know(txn: &mut Txn<'_>, id: &MessageId, place: Place) -> Result<(), Fault> {
    let known = txn.get::<Known>(&text_key(id.as_str())).await?;
    let mut known = known.unwrap_or_else(|| Known { message_id: id.clone(), places: Vec::new() });
    if !known.places.contains(&place) {
        known.places.push(place);
    }
    txn.put(&known)
}

/// Gives `mygroup/myproject#12`.
pub(super) fn reference(project: &Project, issue: &Issue) -> String {
    format!("{}#{}", project.path, issue.iid)
}

/// Gives the name that customers see.
pub(super) fn sender_name(project: &Project) -> &str {
    project.settings.display_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(BOT_NAME)
}

pub(super) fn subject(kind: MailKind, issue: &Issue, path: &str) -> String {
    let title = issue.title.trim();
    match kind {
        MailKind::Forward => format!("Fwd: {title} ({path}#{})", issue.iid),
        MailKind::Rejection => answer_to(title),
        _ => format!("{} ({path}#{})", answer_to(title), issue.iid),
    }
}

/// Gives the subject of an answer.
pub(super) fn answer_to(subject: &str) -> String {
    let subject = subject.trim();
    let answer = if subject.to_lowercase().starts_with("re:") { "" } else { "Re: " };
    format!("{answer}{subject}")
}

pub(super) fn list_id(project: &Project, from: &EmailAddress) -> String {
    let label = crate::domain::slug(&project.path);
    format!("{} <{label}.{}.{}>", project.path, project.id, from.domain())
}

pub(super) fn signed_text(note: &Note, project: &Project) -> String {
    match project.settings.signature.as_deref().filter(|s| !s.trim().is_empty()) {
        Some(signature) => format!("{}\n\n{}", note.body.trim_end(), signature.trim()),
        None => note.body.clone(),
    }
}

pub(super) fn new_message_id(id: OutboxId, from: &EmailAddress) -> Result<MessageId, Fault> {
    let text = format!("{id}.{}@{}", routing::new_reply_key(), from.domain());
    MessageId::parse(&text).ok_or_else(|| missing("the domain of our Message-IDs"))
}

pub(super) fn check_size(size: u64, way: &WayOut) -> Result<(), Fault> {
    if size <= way.max_size {
        return Ok(());
    }
    let megabytes = |octets: u64| octets.div_ceil(1_000_000);
    Err(Fault::refused(format!(
        "the mail would have {} MB; this outlet takes {} MB",
        megabytes(size),
        megabytes(way.max_size)
    ))
    .hint("attach fewer or smaller files, or raise `max_size` of the outlet"))
}

/// The staff member who wrote a note, as customers may know them.
pub(super) fn is_staff(author: &Author) -> bool {
    !author.is_outside() && author.user.as_deref() != Some(crate::domain::SUPPORT_BOT)
}
