//! The intake: one mail, its verdict, its place, and everything that follows from it.
//!
//! Every mail gets an entry with its fate and the reason in words, whatever happens.

use super::Desk;
use super::arrival::{Prepared, received_at};
use super::issues::{blank_note, participant, reopen, turn};
use super::letters::{Draughted, know};
use super::placement::Placement;
use super::queue::Allowance;
use super::routing::KeyKind;
use super::txn::Txn;
use crate::domain::{
    AddressState, Author, EmailAddress, Fate, Fault, ImportCc, IntakeEntry, Issue, IssueId, Link, LinkKind,
    MailKind, Mailbox, MessageId, Note, NoteKind, OutboxEntry, OutboxState, Participant, ParticipantRole,
    Party, Project, ProjectId, ReplyKey, State,
};
use crate::mail::{self, MailClass, Message, Reading, Verdict};
use crate::store::record::{Fingerprint, Known, Place, issue_key, outbox_key, text_key};
use jiff::Timestamp;

/// What an address of the mail leads to.
enum Target {
    Reply(ReplyKey, ProjectId),
    /// The project, and the plain address of ours it was written to.
    Project(ProjectId, Option<EmailAddress>),
    Nowhere(String),
}

/// A mail on its way through the intake.
struct Passing<'a> {
    prepared: &'a Prepared,
    message: &'a Message,
    verdict: Verdict,
    from: Option<Mailbox>,
    at: Timestamp,
    projects: Vec<Project>,
    silent: bool,
    /// Whether budgets are counted: not in a rehearsal.
    counting: bool,
}

impl Passing<'_> {
    fn author(&self) -> Author {
        match &self.from {
            Some(from) => Author::outside(from.name.clone(), from.email.clone()),
            None => Author { name: self.message.from_text.clone(), ..Author::system() },
        }
    }

    fn project(&self, id: ProjectId) -> Result<&Project, Fault> {
        self.projects.iter().find(|p| p.id == id).ok_or_else(|| super::missing(format!("project {id}")))
    }
}

impl Desk {
    /// Takes one mail as part of a step; gives its entries, one for each project it reached.
    pub(super) async fn take(
        &self,
        txn: &mut Txn<'_>,
        prepared: &Prepared,
        again: Option<&IntakeEntry>,
        counting: bool,
    ) -> Result<Vec<IntakeEntry>, Fault> {
        let message = match &prepared.message {
            Ok(message) => message,
            Err(reason) => {
                let fate = (Fate::Quarantined, reason.clone());
                return Ok(vec![
                    self.enter(txn, prepared, prepared.headers.as_ref(), again, None, fate).await?,
                ]);
            }
        };
        let passing = self.passing(txn, prepared, message, counting).await?;
        if let Some(key) = self.unsubscribing(txn, &passing).await? {
            return Ok(vec![self.unsubscribe(txn, &passing, again, &key).await?]);
        }
        match &passing.verdict.class {
            MailClass::Own => {
                let fate = (Fate::Ignored, passing.verdict.reason.clone());
                Ok(vec![self.enter(txn, prepared, Some(message), again, None, fate).await?])
            }
            MailClass::Bounce(bounce) => Ok(vec![self.bounced(txn, &passing, again, bounce).await?]),
            _ => {
                let mut entries = Vec::new();
                for target in self.targets(txn, &passing).await? {
                    let again = again.filter(|_| entries.is_empty());
                    entries.push(self.take_to(txn, &passing, again, target).await?);
                }
                Ok(entries)
            }
        }
    }

    async fn passing<'a>(
        &self,
        txn: &mut Txn<'_>,
        prepared: &'a Prepared,
        message: &'a Message,
        counting: bool,
    ) -> Result<Passing<'a>, Fault> {
        let projects = txn.list::<Project>(&[]).await?;
        let ours = match &message.message_id {
            Some(id) => self.sent_place(txn, id).await?.is_some(),
            None => false,
        };
        let way = prepared.arrival.mailbox.as_deref().and_then(|name| self.inner.ways.mailbox(name));
        let none: &[String] = &[];
        let own = mail::Own {
            is_ours: &|address| self.inner.ways.is_ours(address, &projects),
            our_message_id: &|id| ours && message.message_id.as_ref() == Some(id),
            own_lists: way.map_or(none, |way| &way.own_lists),
            trusted_authserv_ids: way.map_or(none, |way| &way.trusted_authserv_ids),
        };
        let verdict = mail::verdict(&prepared.bytes, message, &own);
        Ok(Passing {
            prepared,
            message,
            verdict,
            from: message.from.clone(),
            at: received_at(&prepared.arrival, Some(message), txn.now),
            silent: prepared.arrival.silent,
            projects,
            counting,
        })
    }

    /// Finds where a mail of ours with this Message-ID went out from.
    async fn sent_place(&self, txn: &mut Txn<'_>, id: &MessageId) -> Result<Option<Place>, Fault> {
        let known = txn.get::<Known>(&text_key(id.as_str())).await?;
        Ok(known.and_then(|k| k.places.into_iter().find(|place| place.outbox.is_some())))
    }

    /// Lists where the mail goes: each project once, an issue before the project at large.
    async fn targets(&self, txn: &mut Txn<'_>, passing: &Passing<'_>) -> Result<Vec<Target>, Fault> {
        let arrival = &passing.prepared.arrival;
        let given = arrival.envelope_to.iter().map(String::as_str);
        let stated = passing.message.recipients.iter().map(|(_, address)| address.as_str());
        let mut targets: Vec<Target> = Vec::new();
        let mut reached: Vec<ProjectId> = Vec::new();
        let mut plain: Vec<(ProjectId, EmailAddress)> = Vec::new();
        for hit in given.chain(stated).filter_map(|address| self.inner.ways.hit(address, &passing.projects)) {
            match hit.kind {
                KeyKind::Reply(key) => {
                    let Some(key) = self.by_reply_key(txn, &key).await? else { continue };
                    let Some(issue) = txn.get::<Issue>(&issue_key(key.issue)).await? else { continue };
                    if !reached.contains(&issue.project) {
                        reached.push(issue.project);
                        targets.push(Target::Reply(key, issue.project));
                    }
                }
                KeyKind::Unsubscribe(_) => {}
                KeyKind::Project(id) if hit.plain => {
                    plain.extend(EmailAddress::parse(&hit.address).map(|a| (id, a)))
                }
                KeyKind::Project(id) if !reached.contains(&id) => {
                    reached.push(id);
                    targets.push(Target::Project(id, None));
                }
                KeyKind::Project(_) => {}
            }
        }
        for (id, address) in plain {
            if !reached.contains(&id) {
                reached.push(id);
                targets.push(Target::Project(id, Some(address)));
            }
        }
        if targets.is_empty() {
            targets.push(self.fallback(passing));
        }
        Ok(targets)
    }

    /// Says where a mail goes whose addresses say nothing.
    fn fallback(&self, passing: &Passing<'_>) -> Target {
        let way = passing.prepared.arrival.mailbox.as_deref().and_then(|name| self.inner.ways.mailbox(name));
        let id = match way {
            Some(way) => self.inner.ways.project_of_mailbox(way, &passing.projects),
            None => match passing.projects.as_slice() {
                [only] => Some(only.id),
                _ => None,
            },
        };
        match (id, passing.projects.is_empty()) {
            (Some(id), _) => Target::Project(
                id,
                way.and_then(|way| way.pattern.plain()).filter(|_| way.is_some_and(|w| !w.pattern.keyed)),
            ),
            (None, true) => Target::Nowhere("there is no project yet".to_owned()),
            (None, false) => Target::Nowhere("none of its addresses belongs to a project".to_owned()),
        }
    }

    async fn take_to(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        target: Target,
    ) -> Result<IntakeEntry, Fault> {
        let (project, key, address) = match target {
            Target::Reply(key, project) => (Some(project), Some(key), None),
            Target::Project(project, address) => (Some(project), None, address),
            Target::Nowhere(reason) => return self.homeless(txn, passing, again, reason).await,
        };
        if let Some(earlier) = self.duplicate_of(txn, passing.prepared, project, again).await? {
            let fate = (Fate::Duplicate, format!("it is the same mail as arrival {earlier}"));
            return self.enter(txn, passing.prepared, Some(passing.message), again, project, fate).await;
        }
        let id = project.ok_or_else(|| super::missing("the project of a mail"))?;
        let project = passing.project(id)?.clone();
        if !project.enabled {
            let fate = (Fate::Unroutable, format!("Service Desk is off for {}", project.path));
            return self.enter(txn, passing.prepared, Some(passing.message), again, Some(id), fate).await;
        }
        let placement = match key {
            Some(key) => self.placed_by_key(txn, &key).await?,
            None => {
                let from = passing.from.as_ref().map(|m| &m.email);
                self.place(txn, passing.message, Some(id), from, &passing.projects).await?
            }
        };
        self.take_placed(txn, passing, again, project, placement, address).await
    }

    async fn placed_by_key(&self, txn: &mut Txn<'_>, key: &ReplyKey) -> Result<Placement, Fault> {
        let issue = self.survivor(txn, key.issue).await?;
        Ok(Placement::Join {
            issue,
            why: format!("it was sent to the reply address that {} was given", key.address),
        })
    }

    /// Handles a mail that reached no project: it may still answer an issue.
    async fn homeless(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        reason: String,
    ) -> Result<IntakeEntry, Fault> {
        let from = passing.from.as_ref().map(|m| &m.email);
        let placement = self.place(txn, passing.message, None, from, &passing.projects).await?;
        if let Placement::Join { issue, .. } = &placement {
            let project = txn.get::<Issue>(&issue_key(*issue)).await?.map(|issue| issue.project);
            if let Some(project) = project {
                if let Some(earlier) = self.duplicate_of(txn, passing.prepared, Some(project), again).await? {
                    let fate = (Fate::Duplicate, format!("it is the same mail as arrival {earlier}"));
                    return self
                        .enter(txn, passing.prepared, Some(passing.message), again, Some(project), fate)
                        .await;
                }
                let project = passing.project(project)?.clone();
                return self.take_placed(txn, passing, again, project, placement, None).await;
            }
        }
        let fate = match self.duplicate_of(txn, passing.prepared, None, again).await? {
            Some(earlier) => (Fate::Duplicate, format!("it is the same mail as arrival {earlier}")),
            None if matches!(passing.verdict.class, MailClass::Person) => (Fate::Unroutable, reason),
            None => (Fate::Automatic, passing.verdict.reason.clone()),
        };
        self.enter(txn, passing.prepared, Some(passing.message), again, None, fate).await
    }

    async fn take_placed(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        project: Project,
        placement: Placement,
        address: Option<EmailAddress>,
    ) -> Result<IntakeEntry, Fault> {
        let automatic = !matches!(passing.verdict.class, MailClass::Person);
        match placement {
            Placement::Join { issue, why } => {
                self.join(txn, passing, again, &project, issue, why, automatic).await
            }
            Placement::New { .. } if automatic => {
                let fate = (Fate::Automatic, format!("{}; it belongs to no issue", passing.verdict.reason));
                self.enter(txn, passing.prepared, Some(passing.message), again, Some(project.id), fate).await
            }
            Placement::New { why, related } => {
                self.open_issue(txn, passing, again, project, why, related, address).await
            }
        }
    }

    /// Makes the mail a note of an issue.
    #[allow(clippy::too_many_arguments)]
    async fn join(
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
        } else {
            words = welcome(&mut issue, passing, &mut note);
            self.wake(&mut issue, project, passing, &note, &mut words);
        }
        txn.add_note(&mut issue, &note)?;
        issue.updated_at = if passing.silent { issue.updated_at.max(passing.at) } else { txn.now };
        for sentence in words {
            self.system_note(txn, &mut issue, sentence, Some(why.clone())).await?;
        }
        txn.put_issue(Some(&before), &issue)?;
        self.index_ids(txn, passing, &issue, &note).await?;
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
            issue.status = crate::domain::Status::Open;
            turn(issue, Some(Party::Us), passing.at);
        }
        issue.snoozed_until = None;
    }

    /// Makes the mail a new issue.
    #[allow(clippy::too_many_arguments)]
    async fn open_issue(
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
        issue.arrived_to = address;
        issue.participants = self.people_of(passing, &project);
        issue.links = related.iter().map(|id| Link { kind: LinkKind::RelatesTo, issue: *id }).collect();
        turn(&mut issue, Some(Party::Us), passing.at);
        let mut note = self.note_of(txn, passing, &issue, Reading::Opening, why.clone()).await?;
        if let Some(text) = self.description_template(&project) {
            note.body = format!("{}\n\n{text}", note.body.trim_end());
        }
        if passing.silent {
            settle_silent(&mut issue, passing);
        }
        txn.add_note(&mut issue, &note)?;
        issue.updated_at = if passing.silent { passing.at } else { txn.now };
        txn.put_issue(None, &issue)?;
        self.index_ids(txn, passing, &issue, &note).await?;
        let thanked = self.acknowledge(txn, passing, &project, &issue).await?;
        let reason = format!("{why}; {thanked}");
        let fate = (Fate::Issue, reason);
        let entry =
            self.enter(txn, passing.prepared, Some(passing.message), again, Some(project.id), fate).await?;
        self.tie(txn, entry, &issue, &note)
    }

    /// Lists who takes part in a new issue: the writer, and the others as the project wants it.
    fn people_of(&self, passing: &Passing<'_>, project: &Project) -> Vec<Participant> {
        let Some(from) = &passing.from else { return Vec::new() };
        let mut people = vec![participant(from.name.clone(), from.email.clone(), ParticipantRole::Requester)];
        if project.settings.import_cc == ImportCc::Never {
            return people;
        }
        for other in passing.message.to.iter().chain(&passing.message.cc) {
            let known = people.iter().any(|p| p.email == other.email);
            if !known && !self.inner.ways.is_ours(&other.email, &passing.projects) {
                let mut person = participant(other.name.clone(), other.email.clone(), ParticipantRole::Cc);
                person.subscribed = project.settings.import_cc == ImportCc::Always;
                people.push(person);
            }
        }
        people
    }

    /// Writes the thank-you mail, or says why there is none.
    async fn acknowledge(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        project: &Project,
        issue: &Issue,
    ) -> Result<String, Fault> {
        let no = |why: &str| Ok(format!("no acknowledgement: {why}"));
        let Some(to) = &passing.from else { return no("it has no sender") };
        if passing.silent {
            return no("it is older than the desk's first look");
        }
        if !project.settings.thank_you {
            return no("the project sends none");
        }
        if !passing.verdict.may_answer {
            return no(&passing.verdict.reason);
        }
        if self.inner.ways.is_ours(&to.email, &passing.projects) {
            return no("the sender is this desk");
        }
        if self.way_out(issue, project).is_err() {
            return no("no way out is configured");
        }
        let settings = self.desk_settings().await?;
        let allowance = match passing.counting {
            true => self.inner.queue.allow_automatic(&to.email, &settings),
            false => Allowance::Go,
        };
        let state = match allowance {
            Allowance::Enough => return no("this sender had enough of them within the hour"),
            Allowance::Hold => OutboxState::Held,
            Allowance::Go => OutboxState::Queued,
        };
        if allowance == Allowance::Hold {
            self.inner.board.notice(
                "breaker".to_owned(),
                format!("over {} automatic mails within an hour: the rest is held in the outbox; release or cancel it there", settings.automatic_per_hour),
            );
        }
        let draughted = Draughted {
            kind: MailKind::ThankYou,
            issue,
            project,
            note: None,
            to: to.clone(),
            files: &[],
            state,
            held_until: None,
            user: None,
        };
        self.write_letter(txn, draughted).await?;
        Ok(format!("an acknowledgement to {}", to.email))
    }

    /// Gives the text that the project appends to new issues.
    fn description_template(&self, project: &Project) -> Option<String> {
        let name = project.settings.issue_template.as_deref()?;
        let topic = format!("issue template {}", project.path);
        match self.find_description(project, name) {
            Ok(text) => {
                self.inner.board.clear_notice(&topic);
                Some(text)
            }
            Err(why) => {
                self.inner.board.notice(
                    topic,
                    format!("the issue template `{name}` of {} cannot be read: {why}", project.path),
                );
                None
            }
        }
    }

    fn find_description(&self, project: &Project, name: &str) -> Result<String, String> {
        if !crate::domain::path_fits(name) || name.contains('/') {
            return Err("its name is not a file name".to_owned());
        }
        let base = self.inner.ways.config_dir.join(project.settings.templates_dir.as_deref().unwrap_or("."));
        let file = if name.ends_with(".md") { name.to_owned() } else { format!("{name}.md") };
        let places = [base.join("issue_templates").join(&file), base.join("../issue_templates").join(&file)];
        let mut why = String::new();
        for place in places {
            match std::fs::read_to_string(&place) {
                Ok(text) => return Ok(text),
                Err(error) => why = format!("{}: {error}", place.display()),
            }
        }
        Err(why)
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
        let visible = mail::visible(message, reading);
        let way = passing.prepared.arrival.mailbox.as_deref().and_then(|name| self.inner.ways.mailbox(name));
        let blank =
            blank_note(txn.next_note().await?, issue.id, NoteKind::Incoming, visible.body, passing.at);
        let mut note = Note {
            author: passing.author(),
            folded: visible.folded,
            html: visible.html,
            reduced: visible.reduced,
            message_id: message.message_id.clone(),
            in_reply_to: message.in_reply_to.first().cloned(),
            auth: way.and_then(|way| mail::authentication(message, &way.trusted_authserv_ids)),
            why: Some(why),
            attachments: message.attachments.clone(),
            raw: passing.prepared.raw,
            read: passing.silent,
            ..blank
        };
        note.warnings = warnings(passing);
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

    async fn unsubscribing(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
    ) -> Result<Option<ReplyKey>, Fault> {
        let given = passing.prepared.arrival.envelope_to.iter().map(String::as_str);
        let stated = passing.message.recipients.iter().map(|(_, address)| address.as_str());
        for hit in given.chain(stated).filter_map(|address| self.inner.ways.hit(address, &passing.projects)) {
            if let KeyKind::Unsubscribe(key) = hit.kind
                && let Some(key) = self.by_reply_key(txn, &key).await?
            {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    async fn unsubscribe(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        key: &ReplyKey,
    ) -> Result<IntakeEntry, Fault> {
        let id = self.survivor(txn, key.issue).await?;
        let before = self.load_issue(txn, id).await?;
        let mut issue = before.clone();
        let mut stopped = false;
        for person in issue.participants.iter_mut().filter(|p| p.email == key.address) {
            stopped |= std::mem::replace(&mut person.subscribed, false);
        }
        if stopped {
            self.system_note(txn, &mut issue, format!("{} unsubscribed", key.address), None).await?;
        }
        txn.put_issue(Some(&before), &issue)?;
        let reason = match stopped {
            true => format!("{} asked for no more mail about this issue", key.address),
            false => format!("{} had no mail about this issue coming", key.address),
        };
        let fate = (Fate::Unsubscribe, reason);
        let mut entry = self
            .enter(txn, passing.prepared, Some(passing.message), again, Some(issue.project), fate)
            .await?;
        entry.issue = Some(issue.id);
        txn.put(&entry)?;
        Ok(entry)
    }

    /// Ties a bounce to the mail that came back.
    async fn bounced(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        bounce: &mail::Bounce,
    ) -> Result<IntakeEntry, Fault> {
        let Some(mut sent) = self.bounced_row(txn, passing, bounce).await? else {
            let fate = (Fate::Bounce, format!("{}; it names no mail of ours", passing.verdict.reason));
            return self.enter(txn, passing.prepared, Some(passing.message), again, None, fate).await;
        };
        let about = bounce.recipients.iter().find(|r| r.address == sent.to).or(bounce.recipients.first());
        let permanent = about.is_none_or(|r| r.permanent);
        let delayed = about.is_some_and(|r| r.delayed);
        let words = about.map_or_else(|| passing.message.subject.clone(), |r| r.text.clone());
        sent.error = Some(words.clone());
        if !delayed {
            sent.state = OutboxState::Bounced;
        }
        let state = if permanent { AddressState::Bounced } else { AddressState::Deferred };
        super::outbox::put_entry(txn, &sent)?;
        self.mark_address(txn, &sent, state).await?;
        let what = if delayed { "is late" } else { "came back" };
        let sentence = format!("the mail to {} {what}: {words}", sent.to);
        let mut entry = {
            let project = None;
            let fate = (Fate::Bounce, format!("{}; {sentence}", passing.verdict.reason));
            self.enter(txn, passing.prepared, Some(passing.message), again, project, fate).await?
        };
        if let Some(id) = sent.issue {
            let before = self.load_issue(txn, id).await?;
            let mut issue = before.clone();
            let blank = blank_note(txn.next_note().await?, id, NoteKind::System, sentence, passing.at);
            let note = Note { author: Author::system(), automatic: true, raw: passing.prepared.raw, ..blank };
            txn.add_note(&mut issue, &note)?;
            txn.put_issue(Some(&before), &issue)?;
            entry.project = Some(issue.project);
            entry = self.tie(txn, entry, &issue, &note)?;
        }
        Ok(entry)
    }

    /// Finds the row that bounced: by the address the bounce was sent to, else by the Message-ID in it.
    async fn bounced_row(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        bounce: &mail::Bounce,
    ) -> Result<Option<OutboxEntry>, Fault> {
        let given = passing.prepared.arrival.envelope_to.iter().map(String::as_str);
        let stated = passing.message.recipients.iter().map(|(_, address)| address.as_str());
        let mut row = None;
        for hit in given.chain(stated).filter_map(|address| self.inner.ways.hit(address, &passing.projects)) {
            if let KeyKind::Reply(key) = hit.kind {
                row = row.or(self.by_reply_key(txn, &key).await?.and_then(|key| key.outbox));
            }
        }
        let named =
            bounce.original.iter().chain(&passing.message.in_reply_to).chain(&passing.message.references);
        for id in named {
            if row.is_none() {
                row = self.sent_place(txn, id).await?.and_then(|place| place.outbox);
            }
        }
        match row {
            Some(id) => txn.get::<OutboxEntry>(&outbox_key(id)).await,
            None => Ok(None),
        }
    }

    /// Writes the entry of a mail.
    pub(super) async fn enter(
        &self,
        txn: &mut Txn<'_>,
        prepared: &Prepared,
        message: Option<&Message>,
        again: Option<&IntakeEntry>,
        project: Option<ProjectId>,
        (fate, reason): (Fate, String),
    ) -> Result<IntakeEntry, Fault> {
        let id = match again {
            Some(entry) => entry.id,
            None => txn.next_intake().await?,
        };
        let people = |list: &[Mailbox]| list.iter().map(ToString::to_string).collect();
        let entry = IntakeEntry {
            id,
            arrival: prepared.arrival.clone(),
            received_at: again
                .map_or_else(|| received_at(&prepared.arrival, message, txn.now), |a| a.received_at),
            message_id: message.and_then(|m| m.message_id.clone()),
            from: message.and_then(|m| m.from.as_ref().map(ToString::to_string).or(m.from_text.clone())),
            to: message.map_or_else(Vec::new, |m| people(&m.to)),
            subject: message.map(|m| m.subject.clone()),
            size: prepared.size,
            fate,
            issue: None,
            note: None,
            project,
            reason,
            raw: prepared.raw,
            fingerprint: prepared.fingerprint.clone(),
            silent: prepared.arrival.silent,
        };
        txn.put(&entry)?;
        let known = txn.get::<Fingerprint>(&text_key(&entry.fingerprint)).await?;
        let mut known =
            known.unwrap_or_else(|| Fingerprint { hash: entry.fingerprint.clone(), intake: Vec::new() });
        if !known.intake.contains(&id) {
            known.intake.push(id);
        }
        txn.put(&known)?;
        Ok(entry)
    }

    /// Names the issue and the note in an entry.
    fn tie(
        &self,
        txn: &mut Txn<'_>,
        mut entry: IntakeEntry,
        issue: &Issue,
        note: &Note,
    ) -> Result<IntakeEntry, Fault> {
        entry.issue = Some(issue.id);
        entry.note = Some(note.id);
        txn.put(&entry)?;
        Ok(entry)
    }

    /// Makes a mail a note of an issue, or an issue of a project, because somebody said so.
    pub(super) async fn take_by_hand(
        &self,
        txn: &mut Txn<'_>,
        prepared: &Prepared,
        again: &IntakeEntry,
        to: ByHand,
        who: &str,
    ) -> Result<IntakeEntry, Fault> {
        let message = prepared.message.as_ref().map_err(|why| {
            Fault::refused(format!("this mail cannot be read: {why}"))
                .hint("`deskbell intake show ID --raw` gives its bytes")
        })?;
        let mut passing = self.passing(txn, prepared, message, true).await?;
        // Somebody read it and decided: it is a person's mail now, whatever the signs say.
        passing.verdict.class = MailClass::Person;
        match to {
            ByHand::Note(issue) => {
                let project = self.load_issue(txn, issue).await?.project;
                let project = passing.project(project)?.clone();
                let why = format!("{who} put it there by hand");
                self.join(txn, &passing, Some(again), &project, issue, why, false).await
            }
            ByHand::Issue(project) => {
                let project = passing.project(project)?.clone();
                let why = format!("{who} made it an issue by hand");
                self.open_issue(txn, &passing, Some(again), project, why, None, None).await
            }
        }
    }
}

/// What somebody makes of a mail.
pub(super) enum ByHand {
    Note(IssueId),
    Issue(ProjectId),
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

fn stranger_words(from: &Mailbox) -> String {
    format!("{} did not take part in this issue before", from.email)
}

/// Sets the state of what the first import brought: read, and closed if it was answered elsewhere.
fn settle_silent(issue: &mut Issue, passing: &Passing<'_>) {
    let arrival = &passing.prepared.arrival;
    let open = arrival.flagged || !arrival.answered;
    if open && issue.state == State::Closed && !issue.spam {
        reopen(issue, passing.at);
    } else if !open && issue.state == State::Open {
        super::issues::close(issue, passing.at);
    }
}

fn fold_all(note: &mut Note) {
    let body = std::mem::take(&mut note.body);
    let folded = note.folded.take();
    note.folded = Some(match folded {
        Some(folded) => format!("{body}\n{folded}"),
        None => body,
    });
}

/// Lists what the reader should know before trusting the mail.
fn warnings(passing: &Passing<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let replies = &passing.message.reply_to;
    if let (Some(from), Some(other)) = (&passing.from, replies.first())
        && replies.iter().all(|r| r.email != from.email)
    {
        warnings.push(format!("it asks for answers to {}, not to {}", other.email, from.email));
    }
    warnings.extend(passing.message.defects.iter().cloned());
    warnings
}
