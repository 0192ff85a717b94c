//! Who may ask what: the table of every request, and what the answers keep back.
//!
//! An issue, a project or a mail that somebody may not see does not exist for them, in the same words.

use super::{Acting, Caller, Desk, txn};
use crate::domain::query::Viewer;
use crate::domain::{
    Event, Fault, FaultKind, IntakeAction, IntakeEntry, IntakeId, IssueView, KeptFor, Member, NoteKind,
    OutboxEntry, OutboxId, Project, ProjectId, Reference, Request, Rights, Role, SenderScope, User, ViewFrom,
    ViewId, is_own_setting, mask_addresses,
};
use crate::store::record::outbox_key;
use std::collections::BTreeMap;

/// What a request asks of its caller.
enum Need<'a> {
    /// Nothing; what it shows is filtered.
    Nothing,
    /// To own the desk, or the account that its files belong to.
    OwnDesk,
    /// A role in any project.
    Anywhere(Role),
    /// A role in the project of this path.
    InProject(&'a str, Role),
    /// A role in the projects of these issues.
    InIssues(Vec<&'a Reference>, Role),
    /// To own the desk, or to be the user of this name and change nothing but one's own settings.
    Themself(&'a str, &'a [(String, String)]),
    /// To work on the project that a mail came to.
    OnArrival(IntakeId),
    /// To work on the issues that these mails are about.
    OnOutbox(&'a [OutboxId]),
}

/// Says what each request needs. A new request has to say it here.
fn need(request: &Request) -> Need<'_> {
    use Need::{Anywhere, InIssues, InProject, Nothing, OnArrival, OnOutbox, OwnDesk};
    let one = |reference, role| InIssues(vec![reference], role);
    match request {
        Request::Whoami
        | Request::Status
        | Request::Issues(_)
        | Request::Counts(_)
        | Request::Outbox { .. }
        | Request::Intake { .. }
        | Request::Projects
        | Request::Users
        | Request::Desk
        | Request::Labels
        | Request::Rules
        | Request::Clocks
        | Request::Report(_)
        | Request::Categories { project: None, .. }
        | Request::Canned { project: None }
        | Request::Views
        | Request::SaveView { kept: KeptFor::Mine, .. }
        | Request::RemoveView(ViewId { from: ViewFrom::Program | ViewFrom::Kept(KeptFor::Mine), .. })
        | Request::OrderView { .. }
        // Who may keep what where is asked for at both ends.
        | Request::ShareView { .. }
        | Request::SaveCanned { scope: KeptFor::Mine, .. }
        | Request::RemoveCanned { scope: KeptFor::Mine, .. }
        | Request::Drafts
        | Request::Verbs { .. }
        | Request::Cursors
        | Request::Undo
        | Request::UndoOne(_)
        | Request::Changes { .. }
        | Request::Redo
        | Request::Deliver(_)
        | Request::SyncNow
        | Request::StepDown
        | Request::SaveCursor(_) => Nothing,
        Request::Attend(attend) => {
            attend.reference.as_ref().map_or(Nothing, |reference| one(reference, Role::Guest))
        }
        Request::Issue(reference) | Request::MarkRead { reference, .. } => one(reference, Role::Guest),
        Request::Attachment { reference, .. } => one(reference, Role::Guest),
        Request::History(reference)
        | Request::Similar(reference)
        | Request::RawMail { reference, .. }
        | Request::OriginalHtml { reference, .. } => one(reference, Role::Reporter),
        Request::AddNote(new) => {
            let plain = !new.internal && new.cc.is_empty() && new.without.is_empty();
            let plain = plain && !new.close && new.status.is_none();
            one(&new.reference, if plain { Role::Guest } else { Role::Reporter })
        }
        Request::Forward(forward) => one(&forward.reference, Role::Reporter),
        Request::Redact(asked) => one(&asked.reference, Role::Maintainer),
        Request::Split(split) => one(&split.reference, Role::Reporter),
        // Of several, each is asked for where it is changed, so that one does not stop the others.
        Request::Edit { references, .. } => match references.as_slice() {
            [only] => one(only, Role::Reporter),
            _ => Anywhere(Role::Reporter),
        },
        // In which project is asked for where it is known who takes part in what.
        Request::About(_) | Request::SetAbout { .. } => Anywhere(Role::Reporter),
        Request::NoteMany(_) | Request::RunMacro { .. } => Anywhere(Role::Reporter),
        Request::MarkManyRead { .. } => Anywhere(Role::Guest),
        Request::Merge { references, into, .. } => {
            InIssues(references.iter().chain(std::iter::once(into)).collect(), Role::Reporter)
        }
        // The project of the merged issue itself is asked for where it is parted.
        Request::Unmerge(reference) => one(reference, Role::Reporter),
        Request::UnmergeMany(_) => Anywhere(Role::Reporter),
        Request::SaveDraft(_) => Nothing,
        Request::Draft { reference, .. }
        | Request::DraftFile { reference, .. }
        | Request::DropDraft { reference, .. } => match reference {
            Some(reference) => one(reference, Role::Guest),
            None => Nothing,
        },
        Request::NewIssue(new) => {
            InProject(&new.project, if new.to.is_some() { Role::Reporter } else { Role::Guest })
        }
        Request::IntakeEntry(id) | Request::IntakeRaw(id) | Request::IntakeSender { id, .. } => {
            OnArrival(*id)
        }
        Request::IntakeAct { id, .. } => OnArrival(*id),
        Request::OutboxAct { ids, .. } => OnOutbox(ids),
        Request::OutboxRaw(id) => OnOutbox(std::slice::from_ref(id)),
        Request::Templates { project } => InProject(project, Role::Reporter),
        Request::PreviewTemplate(asked) => match &asked.reference {
            Some(reference) => one(reference, Role::Reporter),
            None => InProject(&asked.project, Role::Reporter),
        },
        Request::Project(path) | Request::Members(path) => InProject(path, Role::Guest),
        Request::Canned { project: Some(path) } => InProject(path, Role::Guest),
        Request::FillCanned(asked) => one(&asked.reference, Role::Guest),
        Request::SaveCanned { scope: KeptFor::Project(path), .. }
        | Request::RemoveCanned { scope: KeptFor::Project(path), .. }
        | Request::SaveView { kept: KeptFor::Project(path), .. }
        | Request::RemoveView(ViewId { from: ViewFrom::Kept(KeptFor::Project(path)), .. }) => {
            InProject(path, Role::Maintainer)
        }
        Request::SaveCanned { scope: KeptFor::Desk, .. }
        | Request::RemoveCanned { scope: KeptFor::Desk, .. }
        | Request::SaveView { kept: KeptFor::Desk, .. }
        | Request::RemoveView(ViewId { from: ViewFrom::Kept(KeptFor::Desk), .. }) => OwnDesk,
        Request::Categories { project: Some(path), .. } => InProject(path, Role::Guest),
        Request::AddCategory { project, .. }
        | Request::SetCategory { project, .. }
        | Request::RemoveCategory { project, .. } => InProject(project, Role::Reporter),
        Request::Senders(None | Some(SenderScope::Desk)) => Anywhere(Role::Reporter),
        Request::TestSender { scope: SenderScope::Desk, .. } => Anywhere(Role::Reporter),
        Request::Senders(Some(SenderScope::Project(path)))
        | Request::TestRule { scope: SenderScope::Project(path), .. }
        | Request::TestSender { scope: SenderScope::Project(path), .. } => InProject(path, Role::Reporter),
        Request::SetProject { path, .. }
        | Request::EnableProject { path, .. }
        | Request::RotateKey { path }
        | Request::SetAddress { path, .. }
        | Request::RemoveAddress { path, .. }
        | Request::CustomEmail { path, .. }
        | Request::SetMember { project: path, .. }
        | Request::RemoveMember { project: path, .. }
        | Request::SetSender { scope: SenderScope::Project(path), .. }
        | Request::SetRule { scope: SenderScope::Project(path), .. }
        | Request::RemoveRule { scope: SenderScope::Project(path), .. }
        | Request::SetClock { scope: SenderScope::Project(path), .. }
        | Request::RemoveClock { scope: SenderScope::Project(path), .. }
        | Request::OrderRule { scope: SenderScope::Project(path), .. }
        | Request::RemoveSender { scope: Some(SenderScope::Project(path)), .. } => {
            InProject(path, Role::Maintainer)
        }
        Request::Import(issue) => InProject(&issue.project, Role::Maintainer),
        Request::CommitsReached { project, .. } => InProject(project, Role::Developer),
        Request::SetUser { name, settings } => Need::Themself(name, settings),
        Request::RemoveSender { scope: None, .. } => Anywhere(Role::Maintainer),
        Request::RenameProject { path, .. } => InProject(path, Role::Owner),
        Request::AddProject { .. }
        | Request::AddUser { .. }
        | Request::RemoveUser { .. }
        | Request::SetDesk { .. }
        | Request::SetSender { scope: SenderScope::Desk, .. }
        | Request::SetRule { scope: SenderScope::Desk, .. }
        | Request::RemoveRule { scope: SenderScope::Desk, .. }
        | Request::SetClock { scope: SenderScope::Desk, .. }
        | Request::RemoveClock { scope: SenderScope::Desk, .. }
        | Request::OrderRule { scope: SenderScope::Desk, .. }
        | Request::TestRule { scope: SenderScope::Desk, .. }
        | Request::RemoveSender { scope: Some(SenderScope::Desk), .. }
        | Request::Person(_)
        | Request::ErasePerson(_)
        | Request::Backup { .. }
        | Request::Rebuild
        | Request::Compact
        | Request::Verify => OwnDesk,
    }
}

impl Desk {
    /// Gives what a user may do. A project without members belongs to everybody on the desk.
    pub(super) async fn rights_of(&self, user: &User) -> Result<Rights, Fault> {
        if user.owner {
            return Ok(Rights::All);
        }
        let members = txn::all::<Member>(&self.inner.store, &[]).await?;
        Ok(rights_among(user, &members, &self.all_projects().await?))
    }

    /// Refuses what the caller may not ask.
    pub(super) async fn permit(
        &self,
        caller: &Caller,
        acting: &Acting,
        request: &Request,
    ) -> Result<(), Fault> {
        if acting.rights == Rights::All {
            return Ok(());
        }
        match need(request) {
            Need::Nothing => Ok(()),
            Need::Themself(name, settings)
                if acting.user.name == name
                    && !settings.is_empty()
                    && settings.iter().all(|(key, _)| is_own_setting(key)) =>
            {
                Ok(())
            }
            Need::OwnDesk | Need::Themself(..) if caller.owns_desk => Ok(()),
            Need::OwnDesk | Need::Themself(..) => Err(owners_only(&acting.user)),
            Need::Anywhere(role) if acting.rights.may_anywhere(role) => Ok(()),
            Need::Anywhere(role) => Err(lacks(&acting.user, role, "a project of this desk")),
            Need::InProject(path, role) => {
                let project = self.project_by_path(&acting.rights, path).await?;
                self.demand(acting, &project, role)
            }
            Need::InIssues(references, role) => {
                for reference in references {
                    let issue = self.resolve(&acting.rights, reference).await?;
                    let project = self.project_of_issue(issue).await?;
                    self.demand(acting, &project, role)?;
                }
                Ok(())
            }
            Need::OnArrival(id) => {
                let entry = self.stored_intake(id).await?;
                match acting.sees_arrival(&entry) {
                    true => self.permit_filing(acting, request).await,
                    false => Err(no_arrival(id)),
                }
            }
            Need::OnOutbox(ids) => {
                for id in ids {
                    let entry = self.inner.store.get::<OutboxEntry>(&outbox_key(*id)).await;
                    let entry = entry.map_err(txn::store_fault)?.map(|kept| kept.record);
                    if let Some(entry) = entry
                        && !self.sees_mail(acting, &entry).await?
                    {
                        return Err(Fault::not_found(format!("there is no mail {id} in the outbox")));
                    }
                }
                Ok(())
            }
        }
    }

    /// Refuses to file an arrival where its caller has no say.
    async fn permit_filing(&self, acting: &Acting, request: &Request) -> Result<(), Fault> {
        let Request::IntakeAct { action, .. } = request else { return Ok(()) };
        let project = match action {
            IntakeAction::Attach(reference) => {
                let issue = self.resolve(&acting.rights, reference).await?;
                self.project_of_issue(issue).await?
            }
            IntakeAction::Issue(path) => self.project_by_path(&acting.rights, path).await?,
            IntakeAction::Retry | IntakeAction::Ham { .. } => return Ok(()),
        };
        self.demand(acting, &project, Role::Reporter)
    }

    /// Refuses whoever has less than this role in a project that they see.
    pub(super) fn demand(&self, acting: &Acting, project: &Project, role: Role) -> Result<(), Fault> {
        match acting.rights.may(project.id, role) {
            true => Ok(()),
            false => Err(lacks(&acting.user, role, &project.path)),
        }
    }

    /// Tells whether a mail of the outbox may be seen: whoever works on its issue sees it.
    pub(super) async fn sees_mail(&self, acting: &Acting, entry: &OutboxEntry) -> Result<bool, Fault> {
        if acting.rights == Rights::All {
            return Ok(true);
        }
        match entry.issue {
            Some(issue) => Ok(acting.rights.may(self.project_of_issue(issue).await?.id, Role::Reporter)),
            None => Ok(false),
        }
    }

    /// Gives an event as a user may see it; `None` when nothing of it is for them.
    pub async fn event_for(&self, caller: &Caller, event: Event) -> Option<Event> {
        let Event::Issues { seq, issues } = event else { return Some(event) };
        let user = self.user_of(caller, &Request::Whoami).await.ok()?;
        let rights = self.rights_of(&user).await.ok()?;
        if rights == Rights::All {
            return Some(Event::Issues { seq, issues });
        }
        let viewer = Viewer { user: user.name, now: self.now(), rights };
        let seen = self.inner.index.rows(&issues, &viewer).into_iter().map(|row| row.id).collect::<Vec<_>>();
        (!seen.is_empty()).then_some(Event::Issues { seq, issues: seen })
    }
}

impl Acting {
    /// Tells whether a mail of the intake may be seen. One that belongs to no project is for maintainers.
    pub(super) fn sees_arrival(&self, entry: &IntakeEntry) -> bool {
        match entry.project {
            _ if entry.owners_only => self.rights == Rights::All,
            Some(project) => self.rights.may(project, Role::Reporter),
            None => self.rights.may_anywhere(Role::Maintainer),
        }
    }

    /// Takes out of an issue what its reader may not see: internal notes, and addresses.
    pub(super) fn keep_back(&self, project: ProjectId, issue: &mut IssueView) {
        if self.rights.sees_addresses(project) {
            return;
        }
        issue.address = None;
        issue.notes.retain(|note| note.kind != NoteKind::Internal);
        for person in &mut issue.participants {
            person.email = person.email.masked();
            person.name = person.name.as_deref().map(mask_addresses);
        }
        for note in &mut issue.notes {
            note.author = note.author.masked();
            note.has_raw = false;
            note.delivery.clear();
            note.auth = None;
            note.why = None;
            note.warnings.clear();
            if note.kind == NoteKind::System {
                note.body = mask_addresses(&note.body);
            }
        }
    }
}

/// Gives what a user may do among these members and projects.
pub(super) fn rights_among(user: &User, members: &[Member], projects: &[Project]) -> Rights {
    if user.owner {
        return Rights::All;
    }
    let mine = members.iter().filter(|member| member.user == user.name);
    let mut roles: BTreeMap<ProjectId, Role> = mine.map(|m| (m.project, m.role)).collect();
    for project in projects {
        if members.iter().all(|member| member.project != project.id) {
            roles.insert(project.id, Role::Maintainer);
        }
    }
    Rights::Of(roles)
}

fn owners_only(user: &User) -> Fault {
    Fault::new(
        FaultKind::NotAllowed,
        format!("only an owner of the desk may do that, and {} is none", user.name),
    )
    .hint("an owner can say `deskbell user set NAME owner=true`")
}

fn lacks(user: &User, role: Role, place: &str) -> Fault {
    let role = role.word();
    Fault::new(FaultKind::NotAllowed, format!("that takes a {role} of {place}, and {} is none", user.name))
        .hint(format!("a maintainer can say `deskbell member set {place} {} --role {role}`", user.name))
}

fn no_arrival(id: IntakeId) -> Fault {
    Fault::not_found(format!("there is no mail {id} in the intake")).hint("`deskbell intake list` shows them")
}
