//! Custom addresses of projects: a mail goes out through their outlet and has to come back by the forwarding.
//!
//! Until it did, the desk does not write from the address; mail to it is taken at any time.

use super::intake::Passing;
use super::notice_mail::ToStaff;
use super::routing::KeyKind;
use super::txn::{self, Txn};
use super::{Acting, Desk, letters, system};
use crate::domain::{
    CUSTOM_LOCAL, CUSTOM_VERIFY, CUSTOM_WAIT, CustomAction, CustomEmail, CustomFailure, CustomState,
    EmailAddress, Fate, Fault, FaultKind, IntakeEntry, MailKind, Mailbox, Member, OutboxEntry, OutboxId,
    OutboxState, Project, ProjectId, Response, Role, User, custom_with,
};
use crate::mail;
use crate::store::record::{OutboxOpen, outbox_key};

/// Characters of a token.
const TOKEN: usize = 12;

impl Desk {
    pub(super) async fn custom_email(
        &self,
        acting: &Acting,
        path: &str,
        action: CustomAction,
    ) -> Result<Response, Fault> {
        let id = self.project_by_path(&acting.rights, path).await?.id;
        let (_gate, mut txn) = self.begin().await;
        let mut project = self.load_project(&mut txn, id).await?;
        let projects = txn.list::<Project>(&[]).await?;
        let label = match action {
            CustomAction::Set { address, outlet } => {
                let before = project.settings.clone();
                project.settings.custom_email = Some(address);
                project.settings.custom_email_outlet = Some(outlet);
                self.check_custom(&before, &mut project, &projects)?;
                "set the custom address of"
            }
            CustomAction::Verify => {
                self.ask_back(&mut txn, acting, &mut project).await?;
                "asked for the verification of the custom address of"
            }
            CustomAction::Enable => {
                enable(&mut project)?;
                "writes from the custom address of"
            }
            CustomAction::Disable => {
                custom_of(&mut project)?.enabled = false;
                "writes no more from the custom address of"
            }
            CustomAction::Remove => {
                project.settings.custom_email = None;
                project.settings.custom_email_outlet = None;
                project.custom = None;
                "took away the custom address of"
            }
        };
        txn.put(&project)?;
        txn.deed().label = format!("{label} {path}");
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.shown_project(acting, id).await
    }

    /// Refuses a custom address that cannot be, or is taken; a new one has to be verified anew.
    pub(super) fn check_custom(
        &self,
        before: &crate::domain::ProjectSettings,
        project: &mut Project,
        projects: &[Project],
    ) -> Result<(), Fault> {
        let settings = &project.settings;
        let same = |a: &Option<String>, b: &Option<String>| a == b;
        if settings.custom_email == before.custom_email
            && same(&settings.custom_email_outlet, &before.custom_email_outlet)
        {
            return Ok(());
        }
        if let Some(address) = &settings.custom_email {
            let others: Vec<Project> = projects.iter().filter(|p| p.id != project.id).cloned().collect();
            if self.inner.ways.is_taken(address, settings.custom_email_outlet.as_deref(), &others) {
                return Err(Fault::refused(format!("{address} is an address of this desk already"))
                    .hint("an address can lead to one project only"));
            }
            if address.local().contains('+') || address.local().len() > CUSTOM_LOCAL {
                return Err(Fault::refused(format!(
                    "what stands before the @ of a custom address has at most {CUSTOM_LOCAL} octets and no `+`"
                ))
                .hint("reply keys are put behind it: custom+key@domain"));
            }
        }
        if settings.custom_email.is_some()
            && let Some(name) = &settings.custom_email_outlet
            && !self.inner.ways.outlets.iter().any(|way| way.name.as_ref() == Some(name))
        {
            return Err(Fault::refused(format!("the config has no outlet `{name}`"))
                .hint(format!("add [outlet.{name}] to it, with keys as [smtp]")));
        }
        project.custom = None;
        Ok(())
    }

    /// Sends the mail that has to come back, and tells those whom it concerns that it is on its way.
    async fn ask_back(&self, txn: &mut Txn<'_>, acting: &Acting, project: &mut Project) -> Result<(), Fault> {
        let settings = &project.settings;
        let (Some(address), Some(outlet)) = (&settings.custom_email, &settings.custom_email_outlet) else {
            return Err(no_custom(project));
        };
        let way = self.inner.ways.outlets.iter().find(|way| way.name.as_ref() == Some(outlet));
        let way = way.ok_or_else(|| Fault::refused(format!("the config has no outlet `{outlet}`")))?;
        let token: String = super::routing::new_reply_key().chars().take(TOKEN).collect();
        let to =
            custom_with(address, CUSTOM_VERIFY).ok_or_else(|| super::missing("the address to verify"))?;
        let id = txn.next_outbox().await?;
        let letter = verification(project, address, to.clone(), &token, id, txn.now)?;
        let bytes = mail::compose(&letter)
            .map_err(|e| Fault::internal(format!("the mail to {to} could not be written: {e}")))?;
        let (kind, raw) = (MailKind::Probe, txn.stash(bytes).await?);
        let entry = OutboxEntry {
            from: Some(address.clone()),
            outlet: way.name.clone(),
            user: Some(acting.user.name.clone()),
            ..OutboxEntry::queued(id, kind, to, letter.subject, letter.message_id, raw, txn.now)
        };
        txn.put(&entry)?;
        txn.put(&OutboxOpen { id })?;
        let custom = CustomEmail {
            state: CustomState::Started,
            enabled: false,
            token,
            asked_by: acting.user.name.clone(),
            asked_at: txn.now,
            outbox: Some(id),
            failure: None,
            found: None,
        };
        project.custom = Some(custom);
        let text =
            format!("{} asked whether the desk can write from it. A mail is on its way.", acting.user.name);
        self.tell_of_custom(txn, project, &text).await
    }

    /// Finds the project whose custom address a mail was to verify.
    pub(super) fn verifying(&self, passing: &Passing<'_>) -> Option<ProjectId> {
        let given = passing.prepared.arrival.envelope_to.iter().map(String::as_str);
        let stated = passing.message.recipients.iter().map(|(_, address)| address.as_str());
        given.chain(stated).find_map(|address| match self.inner.ways.hit(address, &passing.projects)?.kind {
            KeyKind::Verify(project) => Some(project),
            _ => None,
        })
    }

    /// Takes a mail that came back to verify a custom address; it makes no issue, whatever it says.
    pub(super) async fn came_back(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        id: ProjectId,
    ) -> Result<IntakeEntry, Fault> {
        let mut project = self.load_project(txn, id).await?;
        let waits = project.custom.as_ref().is_some_and(|custom| custom.waits(txn.now));
        let (fate, reason) = match (&project.settings.custom_email, project.custom.take()) {
            (Some(address), Some(mut custom)) if waits => {
                let failure = self.compare(passing, &project, address, &custom.token);
                let reason = match &failure {
                    None => format!("it verifies {address}, the custom address of {}", project.path),
                    Some((failure, found)) => {
                        format!("it does not verify {address}: {}: {found}", failure.words())
                    }
                };
                custom.state = if failure.is_some() { CustomState::Failed } else { CustomState::Finished };
                // The same failure again is told to nobody again.
                let news =
                    failure.as_ref().map(|(failure, _)| *failure) != custom.failure || failure.is_none();
                (custom.failure, custom.found) =
                    failure.map_or((None, None), |(f, found)| (Some(f), Some(found)));
                project.custom = Some(custom);
                txn.put(&project)?;
                if news {
                    self.tell_result(txn, &project).await?;
                }
                (Fate::Ignored, reason)
            }
            (_, _) => {
                (Fate::Quarantined, "it is to verify a custom address, and none waits for it".to_owned())
            }
        };
        self.enter(txn, passing.prepared, Some(passing.message), again, Some(id), (fate, reason)).await
    }

    /// Says what is wrong with a mail that came back, if anything is.
    fn compare(
        &self,
        passing: &Passing<'_>,
        project: &Project,
        address: &EmailAddress,
        token: &str,
    ) -> Option<(CustomFailure, String)> {
        let message = passing.message;
        let from = message.from.as_ref().map_or("nobody".to_owned(), |from| from.email.to_string());
        if message.from.as_ref().is_none_or(|from| &from.email != address) {
            return Some((CustomFailure::WrongFrom, from));
        }
        let given = passing.prepared.arrival.envelope_to.iter().map(String::as_str);
        let stated = message.recipients.iter().map(|(_, address)| address.as_str());
        let keyed = self.inner.ways.mailboxes.iter().any(|way| way.pattern.keyed);
        let hits: Vec<_> = given
            .chain(stated)
            .filter_map(|address| self.inner.ways.hit(address, &passing.projects))
            .filter(|hit| !matches!(hit.kind, KeyKind::Verify(_)))
            .collect();
        if !hits.iter().any(|hit| hit.kind == KeyKind::Project(project.id) && !(keyed && hit.plain)) {
            let by = hits
                .first()
                .map_or("an address that is not the project's".to_owned(), |hit| hit.address.clone());
            return Some((CustomFailure::WrongTarget, by));
        }
        let texts = [Some(message.subject.as_str()), message.plain.as_deref(), message.html.as_deref()];
        let has_token = texts.into_iter().flatten().any(|text| text.contains(token));
        (!has_token).then(|| (CustomFailure::WrongToken, "its text holds another token, or none".to_owned()))
    }

    /// Records that the mail which has to come back could not leave. Tells whether it was one.
    pub async fn custom_unreachable(&self, id: OutboxId, login: bool, words: &str) -> Result<bool, Fault> {
        let asked = |project: &Project| {
            project
                .custom
                .as_ref()
                .is_some_and(|custom| custom.outbox == Some(id) && custom.state == CustomState::Started)
        };
        if !self.all_projects().await?.iter().any(asked) {
            return Ok(false);
        }
        let (_gate, mut txn) = self.begin().await;
        let failure = if login { CustomFailure::Login } else { CustomFailure::Host };
        if let Some(mut entry) = txn.get::<OutboxEntry>(&outbox_key(id)).await? {
            entry.state = OutboxState::Cancelled;
            entry.error = Some(words.to_owned());
            super::outbox::put_entry(&mut txn, &entry)?;
        }
        for mut project in txn.list::<Project>(&[]).await?.into_iter().filter(asked) {
            self.fail_custom(&mut txn, &mut project, failure, words.to_owned()).await?;
        }
        self.finish(txn, system(), None, None).await?;
        Ok(true)
    }

    /// Gives up on mails that did not come back in time.
    pub async fn time_out_custom(&self) -> Result<(), Fault> {
        if !self.waits_for_custom().await? {
            return Ok(());
        }
        let (_gate, mut txn) = self.begin().await;
        for mut project in txn.list::<Project>(&[]).await? {
            let late = |c: &CustomEmail| {
                c.state == CustomState::Started && txn.now.duration_since(c.asked_at) > CUSTOM_WAIT
            };
            if !project.custom.as_ref().is_some_and(late) {
                continue;
            }
            self.fail_custom(&mut txn, &mut project, CustomFailure::Timeout, String::new()).await?;
        }
        self.finish(txn, system(), None, None).await.map(drop)
    }

    /// Tells whether any custom address is being verified.
    pub(super) async fn waits_for_custom(&self) -> Result<bool, Fault> {
        let started = |p: &Project| p.custom.as_ref().is_some_and(|c| c.state == CustomState::Started);
        Ok(txn::all::<Project>(&self.inner.store, &[]).await?.iter().any(started))
    }

    async fn fail_custom(
        &self,
        txn: &mut Txn<'_>,
        project: &mut Project,
        failure: CustomFailure,
        found: String,
    ) -> Result<(), Fault> {
        if let Some(custom) = &mut project.custom {
            custom.state = CustomState::Failed;
            custom.failure = Some(failure);
            custom.found = Some(found).filter(|found| !found.is_empty());
        }
        txn.put(project)?;
        self.tell_result(txn, project).await
    }

    async fn tell_result(&self, txn: &mut Txn<'_>, project: &Project) -> Result<(), Fault> {
        let text = match project.custom.as_ref().and_then(|custom| custom.failure) {
            None => format!(
                "It is verified. `deskbell project custom-email enable {}` lets the desk write from it.",
                project.path
            ),
            Some(failure) => {
                format!("It could not be verified: {}. What helps: {}.", failure.words(), failure.cure())
            }
        };
        self.tell_of_custom(txn, project, &text).await
    }

    /// Mails the owners of a project, and who asked, about its custom address.
    async fn tell_of_custom(&self, txn: &mut Txn<'_>, project: &Project, text: &str) -> Result<(), Fault> {
        let Some(address) = &project.settings.custom_email else { return Ok(()) };
        let owners = txn.list::<Member>(&txn::below(project.id.0)).await?;
        let owns = |user: &User| owners.iter().any(|m| m.user == user.name && m.role == Role::Owner);
        let asked = |user: &User| project.custom.as_ref().is_some_and(|custom| custom.asked_by == user.name);
        for user in txn.list::<User>(&[]).await? {
            let Some(to) = user.emails.first().cloned() else { continue };
            if user.removed || !(owns(&user) || asked(&user)) {
                continue;
            }
            let letter = ToStaff {
                user: &user,
                to,
                name: letters::BOT_NAME,
                project: Some(project),
                issue: None,
                note: None,
                subject: format!("The custom address of {}: {address}", project.path),
                markdown: mail::plain_text(text),
                key: None,
                held_until: None,
            };
            match self.write_to_staff(txn, letter).await {
                Err(fault) if matches!(fault.kind, FaultKind::Internal | FaultKind::Refused) => {
                    tracing::warn!(%fault, user = user.name, "one of the staff could not be told");
                }
                done => done?,
            }
        }
        Ok(())
    }
}

fn no_custom(project: &Project) -> Fault {
    Fault::refused(format!("{} has no custom address with an outlet", project.path))
        .hint(format!("`deskbell project custom-email set {} ADDRESS --outlet NAME` sets one", project.path))
}

fn custom_of(project: &mut Project) -> Result<&mut CustomEmail, Fault> {
    let none = no_custom(project);
    project.custom.as_mut().ok_or(none)
}

fn enable(project: &mut Project) -> Result<(), Fault> {
    let hint =
        format!("`deskbell project custom-email verify {}` tries the way there and back", project.path);
    match project.custom.as_mut().filter(|custom| custom.state == CustomState::Finished) {
        Some(custom) => custom.enabled = true,
        None => return Err(Fault::refused("the custom address is not verified").hint(hint)),
    }
    Ok(())
}

/// Writes the mail that has to come back.
fn verification(
    project: &Project,
    address: &EmailAddress,
    to: EmailAddress,
    token: &str,
    id: OutboxId,
    now: jiff::Timestamp,
) -> Result<mail::Letter, Fault> {
    Ok(mail::Letter {
        kind: MailKind::Probe,
        from: Mailbox { name: Some(letters::sender_name(project).to_owned()), email: address.clone() },
        to: Mailbox { name: None, email: to },
        cc: Vec::new(),
        reply_to: None,
        subject: format!("Verification of {address}"),
        message_id: letters::new_message_id(id, address)?,
        in_reply_to: None,
        references: Vec::new(),
        date: now,
        project_path: project.path.clone(),
        reference: String::new(),
        list_id: None,
        unsubscribe: None,
        unsubscribe_page: None,
        markdown: format!(
            "The desk tries whether mail to this address reaches it. Nothing has to be done.\n\nToken: {token}\n"
        ),
        files: Vec::new(),
        for_signing: false,
    })
}
