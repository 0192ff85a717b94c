//! The intake: one mail, its verdict, its place, and its entry.
//!
//! Every mail gets an entry with its fate and the reason in words, whatever happens.

use super::Desk;
use super::arrival::{Prepared, received_at};
use super::letters::know;
use super::placement::Placement;
use super::screening::Screened;
use super::targets::Target;
use super::txn::Txn;
use crate::domain::{
    Author, EmailAddress, Fate, Fault, IntakeEntry, IntakeId, Issue, IssueId, Mailbox, Note, Outcome,
    Project, ProjectId, ReplyKey, User,
};
use crate::mail::{self, MailClass, Message, Verdict};
use crate::store::record::{Fingerprint, Place, SpamMail, intake_key, issue_key, text_key};
use jiff::Timestamp;
use std::sync::Arc;

/// A mail on its way through the intake.
pub(super) struct Passing<'a> {
    pub prepared: &'a Prepared,
    pub message: &'a Message,
    pub verdict: Verdict,
    /// Who wrote it; of a customer's mail that the staff forwarded, the customer.
    pub from: Option<Mailbox>,
    /// The user who forwarded it.
    pub forwarded_by: Option<String>,
    pub at: Timestamp,
    pub projects: Arc<[Project]>,
    pub silent: bool,
    /// Whether budgets are counted: not in a rehearsal.
    pub counting: bool,
    /// Somebody said that it is no spam.
    pub cleared: bool,
}

impl Passing<'_> {
    pub fn author(&self) -> Author {
        match &self.from {
            Some(from) => Author::outside(from.name.clone(), from.email.clone()),
            None => Author { name: self.message.from_text.clone(), ..Author::system() },
        }
    }

    pub fn project(&self, id: ProjectId) -> Result<&Project, Fault> {
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
        if txn.actor.is_some() {
            return Err(Fault::internal("an answer of the staff is taken alone"));
        }
        let passing = self.passing(txn, prepared, message, counting).await?;
        if let Some(project) = self.verifying(&passing) {
            return Ok(vec![self.came_back(txn, &passing, again, project).await?]);
        }
        if let Some(key) = self.unsubscribing(txn, &passing).await? {
            if let Some(earlier) = self.had_fate(txn, prepared, Fate::Unsubscribe, again).await? {
                return Ok(vec![self.again_the_same(txn, &passing, again, earlier).await?]);
            }
            return Ok(vec![self.unsubscribe(txn, &passing, again, &key).await?]);
        }
        if let Some((rating, key)) = self.rating(txn, &passing).await? {
            return Ok(vec![self.rate(txn, &passing, again, rating, &key).await?]);
        }
        match &passing.verdict.class {
            MailClass::Own => {
                self.heard_of(txn, &passing).await?;
                let fate = (Fate::Ignored, passing.verdict.reason.clone());
                Ok(vec![self.enter(txn, prepared, Some(message), again, None, fate).await?])
            }
            MailClass::Bounce(_)
                if let Some(earlier) = self.had_fate(txn, prepared, Fate::Bounce, again).await? =>
            {
                Ok(vec![self.again_the_same(txn, &passing, again, earlier).await?])
            }
            MailClass::Bounce(bounce) => Ok(vec![self.bounced(txn, &passing, again, bounce).await?]),
            MailClass::Complaint if let Some(complaint) = &passing.verdict.complaint => {
                if let Some(earlier) = self.had_fate(txn, prepared, Fate::Automatic, again).await? {
                    return Ok(vec![self.again_the_same(txn, &passing, again, earlier).await?]);
                }
                Ok(vec![self.complained(txn, &passing, again, complaint).await?])
            }
            _ => {
                if let Some(key) = self.staffed(txn, &passing).await? {
                    return Ok(vec![self.take_from_staff(txn, &passing, again, key).await?]);
                }
                let mut entries = Vec::new();
                for target in self.targets(txn, &passing).await? {
                    let again = again.filter(|_| entries.is_empty());
                    entries.push(self.take_to(txn, &passing, again, target).await?);
                }
                Ok(entries)
            }
        }
    }

    /// Remembers a mail of our own address which the desk did not send itself, so that what answers it comes to the
    /// issue that it belongs to.
    async fn heard_of(&self, txn: &mut Txn<'_>, passing: &Passing<'_>) -> Result<(), Fault> {
        let Some(id) = &passing.message.message_id else { return Ok(()) };
        if self.sent_place(txn, id).await?.is_some() {
            return Ok(());
        }
        let from = passing.from.as_ref().map(|m| &m.email);
        let placement = self.place(txn, passing.message, None, from, &passing.projects).await?;
        let Placement::Join { issue, .. } = placement else { return Ok(()) };
        let project = self.load_issue(txn, issue).await?.project;
        know(txn, id, Place { project, issue, note: None, outbox: None }).await
    }

    pub(super) async fn passing<'a>(
        &self,
        txn: &mut Txn<'_>,
        prepared: &'a Prepared,
        message: &'a Message,
        counting: bool,
    ) -> Result<Passing<'a>, Fault> {
        let projects = txn.projects().await?;
        let ours = match &message.message_id {
            Some(id) => self.sent_place(txn, id).await?.is_some(),
            None => false,
        };
        let way = prepared.arrival.mailbox.as_deref().and_then(|name| self.inner.ways.mailbox(name));
        let none: &[String] = &[];
        let verdict = {
            let own = mail::Own {
                is_ours: &|address| self.inner.ways.is_ours(address, &projects),
                our_message_id: &|id| ours && message.message_id.as_ref() == Some(id),
                own_lists: way.map_or(none, |way| &way.own_lists),
                trusted_authserv_ids: way.map_or(none, |way| &way.trusted_authserv_ids),
            };
            mail::verdict(&prepared.bytes, message, &own)
        };
        let forwarded = self.forwarded(txn, prepared, message, &verdict).await?;
        Ok(Passing {
            from: forwarded.as_ref().map(|(from, _)| from.clone()).or_else(|| message.from.clone()),
            forwarded_by: forwarded.map(|(_, user)| user),
            prepared,
            message,
            verdict,
            at: received_at(&prepared.arrival, Some(message), txn.now),
            silent: prepared.arrival.silent,
            projects,
            counting,
            cleared: false,
        })
    }

    /// Gives whose mail it is that one of the staff passed on, and who did.
    async fn forwarded(
        &self,
        txn: &mut Txn<'_>,
        prepared: &Prepared,
        message: &Message,
        verdict: &Verdict,
    ) -> Result<Option<(Mailbox, String)>, Fault> {
        let Some(from) = &message.from else { return Ok(None) };
        if verdict.class != MailClass::Person || !mail::looks_forwarded(message) {
            return Ok(None);
        }
        let users = txn.list::<User>(&[]).await?;
        let staff = users.into_iter().find(|user| !user.removed && user.emails.contains(&from.email));
        // What only customers forward need not be read for it.
        let Some(user) = staff else { return Ok(None) };
        Ok(mail::forwarded(&prepared.bytes, message).map(|original| (original, user.name)))
    }

    pub(super) async fn take_to(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        target: Target,
    ) -> Result<IntakeEntry, Fault> {
        let (project, placed, address) = match target {
            Target::Reply(key, project) => (Some(project), Some(self.placed_by_key(txn, &key).await?), None),
            Target::Issue(issue, project) => {
                let issue = self.survivor(txn, issue).await?;
                let why = "it was sent to the address of the issue itself".to_owned();
                (Some(project), Some(Placement::Join { issue, why }), None)
            }
            Target::Project(project, address) => (Some(project), None, address),
            Target::Default(project, address) => {
                // Addressed to none of ours: it may answer an issue of any project.
                let from = passing.from.as_ref().map(|m| &m.email);
                let anywhere = self.place(txn, passing.message, None, from, &passing.projects).await?;
                if let Placement::Join { .. } = anywhere {
                    return self.homeless(txn, passing, again, String::new()).await;
                }
                (Some(project), None, address)
            }
            Target::Nowhere(reason) => return self.homeless(txn, passing, again, reason).await,
        };
        if let Some(earlier) = self.duplicate_of(txn, passing.prepared, project, again).await? {
            let fate = (Fate::Duplicate, format!("it is the same mail as arrival {earlier}"));
            return self.enter(txn, passing.prepared, Some(passing.message), again, project, fate).await;
        }
        let id = project.ok_or_else(|| super::missing("the project of a mail"))?;
        let project = passing.project(id)?.clone();
        let placement = match placed {
            Some(placement) => placement,
            None => {
                let from = passing.from.as_ref().map(|m| &m.email);
                self.place(txn, passing.message, Some(id), from, &passing.projects).await?
            }
        };
        let home = self.project_of_placement(txn, &placement, id).await?;
        if home == id {
            if !project.enabled {
                return self.switched_off(txn, passing, again, &project).await;
            }
            return self.take_placed(txn, passing, again, project, placement, address).await;
        }
        self.take_moved(txn, passing, again, home, placement).await
    }

    /// Takes a mail in whose issue was moved to another project than it was addressed to.
    async fn take_moved(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        home: ProjectId,
        placement: Placement,
    ) -> Result<IntakeEntry, Fault> {
        let project = passing.project(home)?.clone();
        let fate = match self.duplicate_of(txn, passing.prepared, Some(home), again).await? {
            Some(earlier) => (Fate::Duplicate, format!("it is the same mail as arrival {earlier}")),
            None if !project.enabled => return self.switched_off(txn, passing, again, &project).await,
            None => return self.take_placed(txn, passing, again, project, placement, None).await,
        };
        self.enter(txn, passing.prepared, Some(passing.message), again, Some(home), fate).await
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
                if !project.enabled {
                    return self.switched_off(txn, passing, again, &project).await;
                }
                return self.take_placed(txn, passing, again, project, placement, None).await;
            }
        }
        let screened = self.screened(passing, None, false);
        let fate = match self.duplicate_of(txn, passing.prepared, None, again).await? {
            None if !passing.cleared && screened.outcome == Outcome::Spam => {
                return self.enter_screened(txn, passing, again, None, screened).await;
            }
            Some(earlier) => (Fate::Duplicate, format!("it is the same mail as arrival {earlier}")),
            None if matches!(passing.verdict.class, MailClass::Person) => {
                return self.lead_nowhere(txn, passing, again, None, reason).await;
            }
            None => (Fate::Automatic, passing.verdict.reason.clone()),
        };
        self.enter(txn, passing.prepared, Some(passing.message), again, None, fate).await
    }

    /// Lets a mail to a project that takes none wait in the triage queue.
    pub(super) async fn switched_off(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        project: &Project,
    ) -> Result<IntakeEntry, Fault> {
        let reason = format!("Service Desk is off for {}", project.path);
        self.lead_nowhere(txn, passing, again, Some(project), reason).await
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
        let placement = self.without_purged(txn, placement).await?;
        if !automatic && let Some(entry) = self.turned_away(txn, passing, again, &project, &placement).await?
        {
            return Ok(entry);
        }
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

    /// Enters a mail that is spam, or has to be looked at first; `None` lets it go on its way.
    pub(super) async fn turned_away(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        project: &Project,
        placement: &Placement,
    ) -> Result<Option<IntakeEntry>, Fault> {
        if passing.cleared {
            return Ok(None);
        }
        let stranger = match placement {
            Placement::Join { issue, .. } => !self.takes_part(txn, passing, *issue).await?,
            Placement::New { .. } => true,
        };
        let screened = self.screened(passing, Some(project.id), stranger);
        if screened.outcome == Outcome::Pass {
            return self.shut_out(txn, passing, again, project, stranger).await;
        }
        self.enter_screened(txn, passing, again, Some(project.id), screened).await.map(Some)
    }

    async fn enter_screened(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        project: Option<ProjectId>,
        screened: Screened,
    ) -> Result<IntakeEntry, Fault> {
        let fate = if screened.outcome == Outcome::Spam { Fate::Spam } else { Fate::Quarantined };
        let fate = (fate, screened.reason);
        let entry = self.enter(txn, passing.prepared, Some(passing.message), again, project, fate).await?;
        let entry = IntakeEntry { opinions: screened.opinions, ..entry };
        txn.put(&entry)?;
        Ok(entry)
    }

    /// Takes an issue of which nothing is left for none.
    async fn without_purged(&self, txn: &mut Txn<'_>, placement: Placement) -> Result<Placement, Fault> {
        let Placement::Join { issue, .. } = &placement else { return Ok(placement) };
        match txn.get::<Issue>(&issue_key(*issue)).await?.is_some_and(|issue| issue.purged) {
            true => {
                Ok(Placement::New { why: "what it answers was spam and is gone".to_owned(), related: None })
            }
            false => Ok(placement),
        }
    }

    /// Enters a mail that had its effect before.
    pub(super) async fn again_the_same(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        earlier: IntakeId,
    ) -> Result<IntakeEntry, Fault> {
        let fate = (Fate::Duplicate, format!("it is the same mail as arrival {earlier}"));
        self.enter(txn, passing.prepared, Some(passing.message), again, None, fate).await
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
            opinions: prepared.opinions.clone(),
            spam_since: (fate == Fate::Spam).then_some(txn.now),
            purged: false,
            owners_only: false,
        };
        // A new one is nowhere taken for spam yet, so nothing has to be taken away.
        match again.is_some() || entry.spam_since.is_some() {
            true => put_arrival(txn, &entry)?,
            false => txn.put(&entry)?,
        }
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
    pub(super) fn tie(
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
        let mut made = match to {
            ByHand::Note(issue) => {
                let project = self.load_issue(txn, issue).await?.project;
                let project = passing.project(project)?.clone();
                let why = format!("{who} put it there by hand");
                self.join(txn, &passing, Some(again), &project, issue, why, false).await?
            }
            ByHand::Issue(project) => {
                let project = passing.project(project)?.clone();
                let why = format!("{who} made it an issue by hand");
                self.open_issue(txn, &passing, Some(again), project, why, None, None).await?
            }
        };
        // What was thought of it before stays on record.
        made.opinions.clone_from(&again.opinions);
        txn.put(&made)?;
        Ok(made)
    }
}

/// Writes an arrival, and whether it is kept as spam.
pub(super) fn put_arrival(txn: &mut Txn<'_>, entry: &IntakeEntry) -> Result<(), Fault> {
    match entry.spam_since.filter(|_| !entry.purged) {
        Some(since) => txn.put(&SpamMail { id: entry.id, since })?,
        None => txn.remove::<SpamMail>(intake_key(entry.id)),
    }
    txn.put(entry)
}

/// What somebody makes of a mail.
pub(super) enum ByHand {
    Note(IssueId),
    Issue(ProjectId),
}
