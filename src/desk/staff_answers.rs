//! Answers of the staff by mail: whose they are, and what becomes of them.
//!
//! The key in the address was mailed to one user about one issue, and the mail must be shown to come from an
//! address of theirs; both, or it waits in quarantine. What is taken becomes a note under their name, with
//! their rights, and nothing of it that came from the mail it answers.

use super::intake::Passing;
use super::issues::{Addressees, blank_note, check_text, refuse_disabled, replied};
use super::letters::know;
use super::notice_mail::ToStaff;
use super::routing::KeyKind;
use super::txn::Txn;
use super::{Acting, Desk};
use crate::domain::quick::{QuickText, quick_text};
use crate::domain::{
    Attachment, Author, EmailAddress, Fate, Fault, FaultKind, IntakeEntry, Issue, IssueId, KeyUse, Note,
    NoteId, NoteKind, OutboxEntry, Project, ProjectId, RequestId, Role, StaffKey, User, Via,
};
use crate::mail::{self, MailClass, Reading};
use crate::store::record::{Place, outbox_key, text_key};
use futures_util::future::BoxFuture;

/// A key that was mailed to one of the staff, and what it leads to now.
struct Keyed {
    key: StaffKey,
    /// The issue in which stands what was mailed with it; `None` when that is gone, or was no issue.
    issue: Option<IssueId>,
    /// Whose maintainers see what comes to it; `None` leaves it to owners.
    project: Option<ProjectId>,
}

/// What a mail of the staff says, once nothing but their own words is left.
struct Answer {
    internal: bool,
    quick: QuickText,
    folded: Option<String>,
    html: bool,
    /// Files that are passed on, and the names of those that are not.
    files: Vec<(Attachment, Vec<u8>)>,
    kept_back: Vec<String>,
}

impl Desk {
    /// Finds the key of one of the staff that a mail was sent to, or whose mail it answers.
    ///
    /// A customer's answer to all may bear one beside an address that is meant; it goes the way of that one.
    pub(super) async fn staffed(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
    ) -> Result<Option<StaffKey>, Fault> {
        let given = passing.prepared.arrival.envelope_to.iter().map(String::as_str);
        let stated = passing.message.recipients.iter().map(|(_, address)| address.as_str());
        let mut borne = None;
        for hit in given.chain(stated).filter_map(|address| self.inner.ways.hit(address, &passing.projects)) {
            if let KeyKind::Reply(key) = hit.kind
                && let Some(key) = txn.get::<StaffKey>(&text_key(&key)).await?
            {
                if self.is_theirs(txn, passing, &key).await? {
                    return Ok(Some(key));
                }
                borne.get_or_insert(key);
            }
        }
        // Where addresses carry no key, the mail that is answered tells.
        let answered = self.answered_key(txn, passing).await?;
        let for_others = answered.is_none() && borne.is_some() && self.names_others(txn, passing).await?;
        Ok(borne.filter(|_| !for_others).or(answered))
    }

    /// Tells whether a mail seems to come from the user who was mailed a key.
    async fn is_theirs(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        key: &StaffKey,
    ) -> Result<bool, Fault> {
        let Some(from) = passing.message.from.as_ref().map(|from| &from.email) else { return Ok(false) };
        if let KeyUse::Verify { email } = &key.stands_for {
            return Ok(email == from);
        }
        let user = txn.get::<User>(&text_key(&key.user)).await?;
        Ok(user.is_some_and(|user| user.emails.contains(from)))
    }

    /// Finds the key of the mail to one of the staff that a mail answers, whoever sent it.
    async fn answered_key(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
    ) -> Result<Option<StaffKey>, Fault> {
        for id in &passing.message.in_reply_to {
            let Some(row) = self.sent_place(txn, id).await?.and_then(|place| place.outbox) else { continue };
            let row = txn.get::<OutboxEntry>(&outbox_key(row)).await?;
            if let Some(key) = row.and_then(|row| row.staff_key)
                && let Some(key) = txn.get::<StaffKey>(&text_key(&key)).await?
            {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Tells whether a mail names an address of ours, in To or Cc, that is no key of the staff. Where a server
    /// put it says nothing of whom it is meant for.
    async fn names_others(&self, txn: &mut Txn<'_>, passing: &Passing<'_>) -> Result<bool, Fault> {
        for person in passing.message.to.iter().chain(&passing.message.cc) {
            match self.inner.ways.hit(person.email.as_str(), &passing.projects).map(|hit| hit.kind) {
                Some(KeyKind::Project(_) | KeyKind::Issue(..)) => return Ok(true),
                Some(KeyKind::Reply(key)) if self.by_reply_key(txn, &key).await?.is_some() => {
                    return Ok(true);
                }
                _ => {}
            }
        }
        Ok(false)
    }

    /// Takes a mail to the key of one of the staff: all of a step, as it is done in their name.
    ///
    /// It is rare and deep, so it is no part of the future of every other mail.
    pub(super) fn take_from_staff<'a>(
        &'a self,
        txn: &'a mut Txn<'_>,
        passing: &'a Passing<'_>,
        again: Option<&'a IntakeEntry>,
        key: StaffKey,
    ) -> BoxFuture<'a, Result<IntakeEntry, Fault>> {
        Box::pin(async move {
            let keyed = self.leads_to(txn, key).await?;
            self.take_keyed(txn, passing, again, keyed).await
        })
    }

    /// Finds what a key leads to now.
    async fn leads_to(&self, txn: &mut Txn<'_>, key: StaffKey) -> Result<Keyed, Fault> {
        let KeyUse::Issue { issue, note, .. } = key.stands_for else {
            return Ok(Keyed { key, issue: None, project: None });
        };
        let stands = match note {
            Some(note) => self.stands_in(txn, issue, note).await?,
            None => Some(self.survivor(txn, issue).await?),
        };
        let home = self.home(txn, stands.unwrap_or(issue)).await?;
        Ok(Keyed { key, issue: stands, project: home.map(|(_, project)| project) })
    }

    async fn take_keyed(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        keyed: Keyed,
    ) -> Result<IntakeEntry, Fault> {
        let key = &keyed.key;
        if passing.verdict.class != MailClass::Person {
            let reason = format!("{}; it answers a mail to {}", passing.verdict.reason, key.user);
            return self.entered(txn, passing, again, &keyed, (Fate::Automatic, reason)).await;
        }
        for fate in [Fate::Note, Fate::Ignored] {
            if let Some(earlier) = self.had_fate(txn, passing.prepared, fate, again).await? {
                let fate = (Fate::Duplicate, format!("it is the same mail as arrival {earlier}"));
                return self.entered(txn, passing, again, &keyed, fate).await;
            }
        }
        let user = txn.get::<User>(&text_key(&key.user)).await?.filter(|user| !user.removed);
        let Some(user) = user else {
            let reason = format!("it bears a reply key of {}, who is no user any more", key.user);
            return self.entered(txn, passing, again, &keyed, (Fate::Quarantined, reason)).await;
        };
        if passing.silent {
            let reason =
                format!("it answers a mail to {}, but is older than the desk's first look", key.user);
            return self.entered(txn, passing, again, &keyed, (Fate::Quarantined, reason)).await;
        }
        if !txn.is_empty() {
            // Its step is its user's, and must hold nothing of others.
            return Err(Fault::internal("an answer of the staff is taken alone"));
        }
        if let Err(why) = self.vouched(passing, &user, key) {
            return self.refuse(txn, passing, again, &user, keyed, why, false).await;
        }
        match key.stands_for.clone() {
            KeyUse::Digest => {
                let why = "it answers the day's collection; answer the mail about one issue".to_owned();
                self.refuse(txn, passing, again, &user, keyed, why, true).await
            }
            KeyUse::Verify { email } => self.verified(txn, passing, again, user, keyed, email).await,
            KeyUse::Issue { internal, .. } => {
                let Some(issue) = keyed.issue else {
                    let why = "the note that it answers is not there any more".to_owned();
                    return self.refuse(txn, passing, again, &user, keyed, why, true).await;
                };
                self.take_answer(txn, passing, again, user, keyed, (issue, internal)).await
            }
        }
    }

    /// Says what speaks against a mail being from the user whose key it bears.
    fn vouched(&self, passing: &Passing<'_>, user: &User, key: &StaffKey) -> Result<(), String> {
        let message = passing.message;
        let theirs = format!("it bears a reply key of {}", user.name);
        let author = mail::only_author(message).ok_or(format!("{theirs} and has not exactly one author"))?;
        let allowed = match &key.stands_for {
            KeyUse::Verify { email } => std::slice::from_ref(email),
            _ => user.emails.as_slice(),
        };
        if !allowed.contains(author) {
            return Err(format!("{theirs} but comes from {author}, which is no verified address of theirs"));
        }
        if !passing.verdict.may_answer {
            return Err(format!("{theirs}, but no person's mail: {}", passing.verdict.reason));
        }
        self.shown_to_be_from(passing, author).map_err(|why| format!("{theirs}, but {why}"))
    }

    /// Makes an answer a note, and carries out its quick actions; what cannot be done is not half done.
    async fn take_answer(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        user: User,
        keyed: Keyed,
        (issue, internal): (IssueId, bool),
    ) -> Result<IntakeEntry, Fault> {
        let rights = self.rights_of(&user).await?;
        let request = RequestId(format!("mail {}", passing.prepared.fingerprint));
        let acting = Acting { user, rights, via: Via::Mail, request, now: txn.now };
        let mut trial = Txn::rehearse(&self.inner.store, txn.now);
        match self.answer_as(&mut trial, passing, &acting, &keyed.key, issue, internal).await {
            Ok(_) => {}
            Err(fault) if matches!(fault.kind, FaultKind::Full | FaultKind::Unavailable) => {
                return Err(fault);
            }
            Err(fault) => {
                let hint = fault.hint.map_or(String::new(), |hint| format!(" ({hint})"));
                let why = format!("{}{hint}", fault.message);
                return self.refuse(txn, passing, again, &acting.user, keyed, why, true).await;
            }
        }
        let (issue, note) = self.answer_as(txn, passing, &acting, &keyed.key, issue, internal).await?;
        txn.actor = Some(acting.actor());
        let reason = match &note {
            Some(note) if note.kind == NoteKind::Internal => "answered by mail, internally",
            Some(_) => "answered by mail",
            None => "gave quick actions by mail",
        };
        let reason = format!("{} {reason}", acting.user.name);
        let fate = (Fate::Note, reason);
        let entry = self
            .enter(txn, passing.prepared, Some(passing.message), again, Some(issue.project), fate)
            .await?;
        let entry = IntakeEntry { issue: Some(issue.id), note: note.map(|note| note.id), ..entry };
        txn.put(&entry)?;
        Ok(entry)
    }

    fn answer_as<'a>(
        &'a self,
        txn: &'a mut Txn<'_>,
        passing: &'a Passing<'_>,
        acting: &'a Acting,
        key: &'a StaffKey,
        issue: IssueId,
        internal: bool,
    ) -> BoxFuture<'a, Result<(Issue, Option<Note>), Fault>> {
        Box::pin(self.answer_in(txn, passing, acting, key, issue, internal))
    }

    async fn answer_in(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        acting: &Acting,
        key: &StaffKey,
        issue: IssueId,
        internal: bool,
    ) -> Result<(Issue, Option<Note>), Fault> {
        let id = self.survivor(txn, issue).await?;
        let before = self.load_issue(txn, id).await?;
        let project = self.load_project(txn, before.project).await?;
        if before.purged || !acting.rights.sees_issue(before.project, before.confidential) {
            return Err(Fault::not_found(format!("there is no issue that {} may answer", acting.user.name)));
        }
        let answer = self.answer_of(passing, internal, &key.key).await?;
        let plain = !answer.internal && answer.quick.is_plain();
        self.demand(acting, &project, if plain { Role::Guest } else { Role::Reporter })?;
        self.check_people(txn, &answer.quick.edits).await?;
        let subjects = self.subjects_of(&[id], &answer.quick.edits).await?;
        let note = match answer.quick.text.trim().is_empty() && answer.files.is_empty() {
            true => None,
            false => Some(self.answer_note(txn, passing, acting, &project, before, &answer).await?),
        };
        self.act_with_note(txn, acting, id, &answer.quick.edits, subjects.get(&id)).await?;
        self.mark_seen(txn, acting, id).await?;
        Ok((self.load_issue(txn, id).await?, note))
    }

    /// Reads what one of the staff wrote.
    async fn answer_of(&self, passing: &Passing<'_>, internal: bool, key: &str) -> Result<Answer, Fault> {
        let visible = match &passing.prepared.visible {
            Some((Reading::Answer, visible)) => visible.clone(),
            _ => mail::visible(passing.message, Reading::Answer),
        };
        let written = mail::answer_above(&visible.body);
        let (asked, text) = mail::without_internal(&written);
        check_text(text)?;
        let internal = internal || asked;
        if !internal && text.to_lowercase().contains(key) {
            return Err(Fault::refused("it quotes its own reply address, which is nobody else's to know")
                .hint("answer above the quoted mail"));
        }
        let quick = quick_text(text, self.now(), &self.time_zone().await?)?;
        if !quick.cc.is_empty() && internal {
            return Err(Fault::usage("an internal comment is mailed to nobody, so `/cc` does nothing"));
        }
        let (files, kept_back) = files_of(passing, internal);
        if quick.text.trim().is_empty() && quick.edits.is_empty() && files.is_empty() {
            return Err(Fault::usage("nothing is written in it").hint("write above the line that says so"));
        }
        Ok(Answer { internal, quick, folded: visible.folded, html: visible.html, files, kept_back })
    }

    async fn answer_note(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        acting: &Acting,
        project: &Project,
        before: Issue,
        answer: &Answer,
    ) -> Result<Note, Fault> {
        let mut issue = before.clone();
        let kind = if answer.internal { NoteKind::Internal } else { NoteKind::Reply };
        let blank = blank_note(txn.next_note().await?, issue.id, kind, answer.quick.text.clone(), txn.now);
        let mut note = Note {
            author: Author::staff(&acting.user),
            folded: answer.folded.clone(),
            html: answer.html,
            message_id: passing.message.message_id.clone(),
            in_reply_to: passing.message.in_reply_to.first().cloned(),
            why: Some(format!("{} answered by mail", acting.user.name)),
            raw: passing.prepared.raw,
            cc: answer.quick.cc.clone(),
            seal: passing.prepared.seal.clone(),
            attachments: answer.files.iter().map(|(file, _)| file.clone()).collect(),
            ..blank
        };
        note.warnings.extend(answer.kept_back.iter().map(|name| format!("{name} was not passed on")));
        if kind == NoteKind::Reply {
            refuse_disabled(project)?;
            let files = answer.files.iter().map(|(file, bytes)| {
                (mail::safe_file_name(&file.name), file.media_type.clone(), bytes.clone())
            });
            let files: Vec<_> = files.collect();
            let to = Addressees { cc: note.cc.clone(), without: Vec::new() };
            self.mail_note(txn, &mut issue, project, &note, to, &files, None, acting).await?;
            replied(&mut issue, project, txn.now);
        }
        txn.add_note(&mut issue, &note)?;
        txn.put_issue(Some(&before), &issue)?;
        if let Some(id) = &note.message_id {
            self.know_note(txn, &issue, note.id, id).await?;
        }
        Ok(note)
    }

    async fn know_note(
        &self,
        txn: &mut Txn<'_>,
        issue: &Issue,
        note: NoteId,
        id: &crate::domain::MessageId,
    ) -> Result<(), Fault> {
        let place = Place { project: issue.project, issue: issue.id, note: Some(note), outbox: None };
        know(txn, id, place).await
    }

    /// Makes an address that was answered from one of the user's own.
    async fn verified(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        mut user: User,
        keyed: Keyed,
        email: EmailAddress,
    ) -> Result<IntakeEntry, Fault> {
        let waits = user.unverified.contains(&email);
        let others = txn.list::<User>(&[]).await?;
        let taken = others.iter().any(|u| !u.removed && u.name != user.name && u.emails.contains(&email));
        if !waits || taken {
            let why = format!("{email} is not waiting to be verified");
            return self.refuse(txn, passing, again, &user, keyed, why, true).await;
        }
        user.unverified.retain(|other| other != &email);
        user.emails.push(email.clone());
        txn.put(&user)?;
        txn.remove::<StaffKey>(text_key(&keyed.key.key));
        let reason = format!("it shows that {email} is an address of {}", user.name);
        self.entered(txn, passing, again, &keyed, (Fate::Ignored, reason)).await
    }

    /// Sets a mail aside, and says so to the user whose key it bears, though not what it says: every time where
    /// it is shown to be theirs, else once for a key.
    #[allow(clippy::too_many_arguments)]
    async fn refuse(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        user: &User,
        keyed: Keyed,
        why: String,
        vouched: bool,
    ) -> Result<IntakeEntry, Fault> {
        let entry = self.entered(txn, passing, again, &keyed, (Fate::Quarantined, why.clone())).await?;
        let Some(to) = user.emails.first().cloned() else { return Ok(entry) };
        let key = keyed.key;
        if (key.told && !vouched)
            || !passing.verdict.may_answer
            || !passing.counting
            || !self.allow_staff(user).await?
        {
            return Ok(entry);
        }
        let markdown = mail::refusal_text(&why, entry.id.0);
        let letter = ToStaff {
            user,
            to,
            name: super::letters::BOT_NAME,
            project: None,
            issue: None,
            note: None,
            subject: "A mail to your reply address was not taken".to_owned(),
            markdown,
            key: None,
            held_until: None,
        };
        match self.write_to_staff(txn, letter).await {
            Err(fault) if matches!(fault.kind, FaultKind::Internal | FaultKind::Refused) => {
                tracing::warn!(%fault, user = user.name, "one of the staff could not be told");
            }
            Err(fault) => return Err(fault),
            Ok(()) => txn.put(&StaffKey { told: key.told || !vouched, ..key })?,
        }
        Ok(entry)
    }

    async fn entered(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        keyed: &Keyed,
        fate: (Fate, String),
    ) -> Result<IntakeEntry, Fault> {
        let project = keyed.project;
        let entry = self.enter(txn, passing.prepared, Some(passing.message), again, project, fate).await?;
        let entry = IntakeEntry { owners_only: project.is_none(), ..entry };
        txn.put(&entry)?;
        Ok(entry)
    }
}

/// Parts the files of a mail into those that are passed on and the names of those that are not: mails within
/// the mail may hold what is internal, and pictures of a signature are nobody's business.
fn files_of(passing: &Passing<'_>, internal: bool) -> (Vec<(Attachment, Vec<u8>)>, Vec<String>) {
    let (mut files, mut kept_back) = (Vec::new(), Vec::new());
    for file in &passing.message.attachments {
        let kind = file.media_type.to_ascii_lowercase();
        let passes = !file.inline
            && file.within.is_empty()
            && passing.prepared.seal.is_none()
            && !kind.starts_with("message/")
            && !kind.ends_with("-signature")
            && !kind.contains("ms-tnef");
        let bytes = match (passes || internal, file.part) {
            (true, Some(part)) => mail::part(&passing.prepared.bytes, part, &file.within),
            _ => None,
        };
        match bytes {
            Some(bytes) => files.push((file.clone(), bytes)),
            None => kept_back.push(file.name.clone()),
        }
    }
    (files, kept_back)
}
