//! Filing: a mail becomes a note of an issue, or a new issue, with everything that follows.

use super::Desk;
use super::forwarding::mark_answer;
use super::intake::Passing;
use super::issues::{blank_note, open_again, participant, reopen, stand, turn};
use super::letters::know;
use super::rules::Cause;
use super::txn::Txn;
use crate::domain::{
    EmailAddress, Fate, Fault, FaultKind, Finding, ImportCc, IntakeEntry, Issue, IssueId, Judge, Link,
    LinkKind, Mailbox, Note, NoteKind, Opinion, Participant, ParticipantRole, Party, Project, State,
};
use crate::mail::{self, MailClass, Reading};
use crate::store::record::{Known, Place, text_key};

/// Most characters of a subject that are kept beside the title.
const SUBJECT_REST: usize = 2000;

impl Desk {
    /// Makes the mail a note of an issue.
    #[allow(clippy::too_many_arguments)]
    pub(super) async fn join(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        project: &Project,
        id: IssueId,
        why: String,
        automatic: bool,
    ) -> Result<IntakeEntry, Fault> {
        let before = self.load_issue(txn, id).await?;
        let mut issue = before.clone();
        let mut note = self.note_of(txn, passing, &issue, Reading::Answer, why.clone()).await?;
        note.automatic = automatic;
        let mut words = Vec::new();
        if automatic {
            fold_all(&mut note);
            // Nobody has to read it: it changes whose turn it is no more than it counts as unread.
            note.read = true;
            if passing.verdict.class == MailClass::Challenge {
                words.push(self.challenged(txn, passing).await?);
            }
        } else {
            if let Some(from) = &passing.from {
                self.heard_from(txn, &mut issue, from).await?;
            }
            if !mark_answer(&issue, &mut note) {
                words = welcome(&mut issue, passing, &mut note);
            }
            self.take_in_others(txn, passing, project, &mut issue).await?;
            self.wake(&mut issue, project, passing, &note, &mut words);
        }
        txn.add_note(&mut issue, &note)?;
        issue.updated_at = if passing.silent { issue.updated_at.max(passing.at) } else { txn.now };
        for sentence in words {
            self.system_note(txn, &mut issue, sentence, Some(why.clone())).await?;
        }
        txn.put_issue(Some(&before), &issue)?;
        self.index_ids(txn, passing, &issue, &note).await?;
        if !automatic && !passing.silent {
            Box::pin(self.run_rules(txn, id, Cause::arrival(passing))).await?;
        }
        let fate = if automatic { Fate::Automatic } else { Fate::Note };
        let reason = if automatic { format!("{}; {why}", passing.verdict.reason) } else { why };
        let entry = self
            .enter(txn, passing.prepared, Some(passing.message), again, Some(project.id), (fate, reason))
            .await?;
        self.tie(txn, entry, &issue, &note)
    }

    /// Sets state and turn after an answer.
    fn wake(
        &self,
        issue: &mut Issue,
        project: &Project,
        passing: &Passing<'_>,
        note: &Note,
        words: &mut Vec<String>,
    ) {
        if passing.silent {
            settle_silent(issue, passing);
            return;
        }
        let closed = issue.state == State::Closed;
        if closed && project.settings.reopen_on_reply && !issue.spam {
            reopen(issue, passing.at);
            words.push(format!("reopened, because {} answered", note.author.label()));
        } else if !closed {
            stand(issue, crate::domain::Status::Open, passing.at);
            issue.idle_warned_at = None;
            turn(issue, Some(Party::Us), passing.at);
        }
        issue.snoozed_until = None;
    }

    /// Makes the mail a new issue.
    #[allow(clippy::too_many_arguments)]
    pub(super) async fn open_issue(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        project: Project,
        why: String,
        related: Option<IssueId>,
        address: Option<EmailAddress>,
    ) -> Result<IntakeEntry, Fault> {
        let mut project = self.load_project(txn, project.id).await?;
        let mut issue = self.number_issue(txn, &mut project, &passing.message.subject).await?;
        issue.author = passing.author();
        issue.created_at = passing.at;
        issue.mailbox.clone_from(&passing.prepared.arrival.mailbox);
        mark_by_address(&mut issue, &project, address.as_ref());
        issue.arrived_to = address;
        issue.participants = self.people_of(passing, &project);
        issue.links = related.iter().map(|id| Link { kind: LinkKind::RelatesTo, issue: *id }).collect();
        turn(&mut issue, Some(Party::Us), passing.at);
        if let Some(from) = &passing.from {
            self.heard_from(txn, &mut issue, from).await?;
        }
        let mut note = self.note_of(txn, passing, &issue, Reading::Opening, why.clone()).await?;
        note.warnings.extend(rest_of_subject(&passing.message.subject));
        let appended = self.appended(&project, passing.silent).await?;
        if !appended.text.is_empty() {
            note.body = format!("{}\n\n{}", note.body.trim_end(), appended.text.trim_end());
        }
        if passing.silent {
            settle_silent(&mut issue, passing);
        }
        txn.add_note(&mut issue, &note)?;
        issue.updated_at = if passing.silent { passing.at } else { txn.now };
        txn.put_issue(None, &issue)?;
        self.index_ids(txn, passing, &issue, &note).await?;
        let quiet =
            !passing.silent && Box::pin(self.run_rules(txn, issue.id, Cause::arrival(passing))).await?;
        // A rule may have changed it, or moved it elsewhere; the mail was addressed here all the same.
        let addressed = project.id;
        let issue = self.load_issue(txn, issue.id).await?;
        let project = self.load_project(txn, issue.project).await?;
        let thanked = match quiet || issue.spam {
            true => "no acknowledgement: a rule says so".to_owned(),
            false => self.acknowledge(txn, passing, &project, &issue).await?,
        };
        let others: Vec<Participant> =
            issue.participants.iter().filter(|p| p.role == ParticipantRole::Cc).cloned().collect();
        self.greet_others(txn, passing, &project, &issue, &others).await?;
        self.run_template(txn, &project, issue.id, &appended).await;
        let reason = format!("{why}; {thanked}");
        let fate = (Fate::Issue, reason);
        let entry =
            self.enter(txn, passing.prepared, Some(passing.message), again, Some(addressed), fate).await?;
        self.tie(txn, entry, &issue, &note)
    }

    /// Lists who takes part in a new issue: the writer, and the others as the project wants it.
    fn people_of(&self, passing: &Passing<'_>, project: &Project) -> Vec<Participant> {
        let Some(from) = &passing.from else { return Vec::new() };
        let writer = participant(from.name.clone(), from.email.clone(), ParticipantRole::Requester);
        let mut people = vec![writer];
        people.extend(self.others(passing, project, &people));
        people
    }

    /// Lists the other people of a mail's To and Cc, but for those who take part already.
    fn others(&self, passing: &Passing<'_>, project: &Project, known: &[Participant]) -> Vec<Participant> {
        let mut people: Vec<Participant> = Vec::new();
        if project.settings.import_cc == ImportCc::Never {
            return people;
        }
        for other in passing.message.to.iter().chain(&passing.message.cc) {
            let is_known = known.iter().chain(&people).any(|p| p.email == other.email);
            if !is_known && !self.inner.ways.is_ours(&other.email, &passing.projects) {
                let mut person = participant(other.name.clone(), other.email.clone(), ParticipantRole::Cc);
                person.subscribed = project.settings.import_cc == ImportCc::Always;
                people.push(person);
            }
        }
        people
    }

    /// Makes those participants whom the writer of an answer brought in; a stranger brings nobody.
    async fn take_in_others(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        project: &Project,
        issue: &mut Issue,
    ) -> Result<(), Fault> {
        let takes_part = |from: &Mailbox| {
            issue.participant(&from.email).is_some_and(|p| p.role != ParticipantRole::Stranger)
        };
        if !passing.from.as_ref().is_some_and(takes_part) {
            return Ok(());
        }
        let others = self.others(passing, project, &issue.participants);
        issue.participants.extend(others.iter().cloned());
        self.greet_others(txn, passing, project, issue, &others).await
    }

    /// Tells people whom a customer's mail brought in that they get the answers from now on.
    async fn greet_others(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        project: &Project,
        issue: &Issue,
        others: &[Participant],
    ) -> Result<(), Fault> {
        if passing.silent || !passing.verdict.may_answer || !passing.counting {
            return Ok(());
        }
        let people = others.iter().filter(|p| p.subscribed).map(Participant::mailbox).collect();
        match self.greet(txn, project, issue, people, None).await {
            // An address to which nothing can be written must not stop the mail that named it.
            Err(fault) if matches!(fault.kind, FaultKind::Internal | FaultKind::Refused) => {
                tracing::warn!(%fault, "somebody could not be greeted");
                Ok(())
            }
            done => done,
        }
    }

    /// Makes the note that a mail becomes.
    async fn note_of(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        issue: &Issue,
        reading: Reading,
        why: String,
    ) -> Result<Note, Fault> {
        let message = passing.message;
        let visible = match &passing.prepared.visible {
            Some((read, visible)) if *read == reading => visible.clone(),
            _ => mail::visible(message, reading),
        };
        let way = passing.prepared.arrival.mailbox.as_deref().and_then(|name| self.inner.ways.mailbox(name));
        let blank =
            blank_note(txn.next_note().await?, issue.id, NoteKind::Incoming, visible.body, passing.at);
        let mut note = Note {
            author: passing.author(),
            folded: with_armour(visible.folded, passing.prepared.armour.as_deref()),
            html: visible.html,
            reduced: visible.reduced,
            message_id: message.message_id.clone(),
            in_reply_to: message.in_reply_to.first().cloned(),
            auth: way
                .and_then(|way| mail::authentication(message, &way.trusted_authserv_ids))
                .or_else(|| checked(&passing.prepared.opinions)),
            why: Some(why),
            attachments: message.attachments.clone(),
            raw: passing.prepared.raw,
            read: passing.silent,
            seal: passing.prepared.seal.clone(),
            ..blank
        };
        note.warnings = warnings(passing);
        if let Some(user) = &passing.forwarded_by {
            txn.by.insert(note.id, user.clone());
        }
        if let Some(id) = &message.message_id
            && txn
                .get::<Known>(&text_key(id.as_str()))
                .await?
                .is_some_and(|k| k.places.iter().any(|p| p.project == issue.project))
        {
            note.warnings.push("another mail with other content carried the same Message-ID".to_owned());
        }
        Ok(note)
    }

    /// Remembers every Message-ID of the mail for later answers.
    async fn index_ids(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        issue: &Issue,
        note: &Note,
    ) -> Result<(), Fault> {
        let place = Place { project: issue.project, issue: issue.id, note: Some(note.id), outbox: None };
        if let Some(id) = &passing.message.message_id {
            know(txn, id, place.clone()).await?;
        }
        // Ids that are not known yet belong to mails which others sent each other in this conversation.
        for id in passing.message.in_reply_to.iter().chain(&passing.message.references) {
            if txn.get::<Known>(&text_key(id.as_str())).await?.is_none() {
                know(txn, id, Place { note: None, ..place.clone() }).await?;
            }
        }
        Ok(())
    }
}

/// Receives the writer of a note among the participants; gives what to say about it.
fn welcome(issue: &mut Issue, passing: &Passing<'_>, note: &mut Note) -> Vec<String> {
    let Some(from) = &passing.from else { return Vec::new() };
    match issue.participants.iter_mut().find(|p| p.email == from.email) {
        Some(person) if person.role == ParticipantRole::Stranger => {
            note.warnings.push(stranger_words(from));
            Vec::new()
        }
        Some(person) if !person.subscribed && !passing.silent => {
            person.subscribed = true;
            vec![format!("{} wrote again and is subscribed again", from.email)]
        }
        Some(_) => Vec::new(),
        None => {
            let mut person = participant(from.name.clone(), from.email.clone(), ParticipantRole::Stranger);
            person.subscribed = false;
            issue.participants.push(person);
            note.warnings.push(stranger_words(from));
            vec![format!("{} joined; they are not mailed until somebody subscribes them", from.email)]
        }
    }
}

/// Labels and assigns an issue as the address wants it by which it came.
fn mark_by_address(issue: &mut Issue, project: &Project, address: Option<&EmailAddress>) {
    let Some(further) = project.further.iter().find(|known| Some(&known.address) == address) else { return };
    issue.labels.extend(further.labels.iter().cloned());
    if further.assignee.is_some() {
        issue.assignee.clone_from(&further.assignee);
    }
}

fn stranger_words(from: &Mailbox) -> String {
    format!("{} did not take part in this issue before", from.email)
}

/// Sets the state of what the first import brought: read, and closed if it was answered elsewhere.
fn settle_silent(issue: &mut Issue, passing: &Passing<'_>) {
    let arrival = &passing.prepared.arrival;
    let open = arrival.flagged || !arrival.answered;
    if open && issue.state == State::Closed && !issue.spam {
        open_again(issue, passing.at);
    } else if !open && issue.state == State::Open {
        super::issues::close(issue, passing.at);
    }
}

/// Gives what was found out here about the sender.
fn checked(opinions: &[Opinion]) -> Option<String> {
    let said = opinions.iter().find(|o| o.by == Judge::Authentication && !o.words.is_empty());
    said.filter(|o| o.finding != Finding::Unavailable).map(|o| o.words.clone())
}

fn fold_all(note: &mut Note) {
    let body = std::mem::take(&mut note.body);
    let folded = note.folded.take();
    note.folded = Some(match folded {
        Some(folded) => format!("{body}\n{folded}"),
        None => body,
    });
}

/// Adds the armour of a signature to what is folded, so that no line of the mail is lost.
fn with_armour(folded: Option<String>, armour: Option<&str>) -> Option<String> {
    match (folded, armour) {
        (Some(folded), Some(armour)) => Some(format!("{folded}\n{armour}")),
        (folded, armour) => folded.or_else(|| armour.map(str::to_owned)),
    }
}

/// Gives what of a long subject did not fit into the title.
fn rest_of_subject(subject: &str) -> Option<String> {
    let rest: String = subject.trim().chars().skip(super::issues::TITLE).take(SUBJECT_REST).collect();
    (!rest.trim().is_empty()).then(|| format!("the subject goes on: {}", rest.trim()))
}

/// Lists what the reader should know before trusting the mail.
fn warnings(passing: &Passing<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let replies = &passing.message.reply_to;
    if passing.forwarded_by.is_none()
        && let (Some(from), Some(other)) = (&passing.from, replies.first())
        && replies.iter().all(|r| r.email != from.email)
    {
        warnings.push(format!("it asks for answers to {}, not to {}", other.email, from.email));
    }
    if let Some(user) = &passing.forwarded_by {
        warnings.push(format!("{user} forwarded it"));
    }
    warnings.extend(passing.message.defects.iter().cloned());
    warnings
}
