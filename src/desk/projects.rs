//! Projects and the settings of the desk.

use super::routing::by_path;
use super::{Acting, Desk, txn};
use crate::domain::{
    CustomState, CustomView, DeskSettings, Fault, Issue, OutboxEntry, OutboxState, Project, ProjectId,
    ProjectSettings, ProjectView, Response, Rights, Role, path_fits, set_field, slug,
};
use crate::store::record;
use jiff::tz::TimeZone;

/// Why the waiting mails of a project are held.
const SWITCHED_OFF: &str = "Service Desk is switched off for its project";

impl Desk {
    /// Lists every project, in the order in which they were made.
    pub(super) async fn all_projects(&self) -> Result<Vec<Project>, Fault> {
        txn::all::<Project>(&self.inner.store, &[]).await
    }

    /// Finds a project by its path, among those that may be seen.
    pub(super) async fn project_by_path(&self, rights: &Rights, path: &str) -> Result<Project, Fault> {
        let mut projects = self.all_projects().await?;
        projects.retain(|project| rights.sees(project.id));
        let id = by_path(path, &projects);
        projects.into_iter().find(|p| Some(p.id) == id).ok_or_else(|| {
            Fault::not_found(format!("there is no project `{path}`"))
                .hint("`deskbell project list` shows them, `deskbell project add GROUP/NAME` makes one")
        })
    }

    pub(super) async fn projects(&self, acting: &Acting) -> Result<Response, Fault> {
        let projects = self.all_projects().await?;
        let seen = projects.iter().filter(|project| acting.rights.sees(project.id));
        Ok(Response::Projects(seen.map(|p| self.project_view(acting, p, &projects)).collect()))
    }

    pub(super) async fn project(&self, acting: &Acting, path: &str) -> Result<Response, Fault> {
        let project = self.project_by_path(&acting.rights, path).await?;
        self.shown_project(acting, project.id).await
    }

    pub(super) async fn shown_project(&self, acting: &Acting, id: ProjectId) -> Result<Response, Fault> {
        let projects = self.all_projects().await?;
        let project =
            projects.iter().find(|p| p.id == id).ok_or_else(|| super::missing(format!("project {id}")))?;
        Ok(Response::Project(Box::new(self.project_view(acting, project, &projects))))
    }

    /// Shows a project; the addresses that reach it only to its maintainers, but for a public one.
    fn project_view(&self, acting: &Acting, project: &Project, projects: &[Project]) -> ProjectView {
        let addresses = match acting.rights.may(project.id, Role::Maintainer) {
            true => self.inner.ways.addresses(project, projects),
            false => project.settings.public_address.iter().cloned().collect(),
        };
        ProjectView {
            path: project.path.clone(),
            id: project.id,
            enabled: project.enabled,
            addresses,
            further_addresses: match acting.rights.may(project.id, Role::Maintainer) {
                true => project.further.clone(),
                false => Vec::new(),
            },
            custom: custom_view(project).filter(|_| acting.rights.may(project.id, Role::Maintainer)),
            settings: project.settings.clone(),
        }
    }

    pub(super) async fn add_project(&self, acting: &Acting, path: &str) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let projects = txn.list::<Project>(&[]).await?;
        check_path(path, None, &projects)?;
        let id = txn.next_project().await?;
        txn.put(&Project {
            id,
            path: path.to_owned(),
            enabled: true,
            next_iid: 1,
            former_paths: Vec::new(),
            created_at: txn.now,
            settings: ProjectSettings::default(),
            further: Vec::new(),
            address_key: None,
            custom: None,
        })?;
        txn.deed().label = format!("added the project {path}");
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.shown_project(acting, id).await
    }

    pub(super) async fn set_project(
        &self,
        acting: &Acting,
        path: &str,
        settings: &[(String, String)],
    ) -> Result<Response, Fault> {
        self.change_project(acting, path, format!("changed the project {path}"), |desk, project, projects| {
            let before = project.settings.clone();
            for (key, value) in settings {
                project.settings = set_field(&project.settings, key, &super::hours::plain(key, value))?;
            }
            desk.check_custom(&before, project, projects)?;
            desk.check_settings(&before, project, projects)
        })
        .await
    }

    /// Turns Service Desk on or off. While it is off nothing goes out: what waits is held, and goes on when
    /// it is on again.
    pub(super) async fn enable_project(
        &self,
        acting: &Acting,
        path: &str,
        enabled: bool,
    ) -> Result<Response, Fault> {
        let id = self.project_by_path(&acting.rights, path).await?.id;
        let (_gate, mut txn) = self.begin().await;
        let mut project = self.load_project(&mut txn, id).await?;
        project.enabled = enabled;
        txn.put(&project)?;
        self.hold_project(&mut txn, id, !enabled).await?;
        let word = if enabled { "on" } else { "off" };
        txn.deed().label = format!("turned Service Desk {word} for {path}");
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.shown_project(acting, id).await
    }

    /// Holds the waiting mails of a project, or lets those go that were held for this reason.
    async fn hold_project(
        &self,
        txn: &mut txn::Txn<'_>,
        project: ProjectId,
        hold: bool,
    ) -> Result<(), Fault> {
        for open in txn.list::<record::OutboxOpen>(&[]).await? {
            let Some(mut entry) = txn.get::<OutboxEntry>(&record::outbox_key(open.id)).await? else {
                continue;
            };
            let Some(issue) = entry.issue else { continue };
            let theirs =
                txn.get::<Issue>(&record::issue_key(issue)).await?.is_some_and(|i| i.project == project);
            let waits = matches!(entry.state, OutboxState::Queued | OutboxState::Deferred)
                || (entry.state == OutboxState::Held && entry.held_until.is_some());
            let held_for_it =
                entry.state == OutboxState::Held && entry.error.as_deref() == Some(SWITCHED_OFF);
            if !theirs || self.inner.queue.in_flight(entry.id) {
                continue;
            }
            if hold && waits {
                entry.state = OutboxState::Held;
                entry.error = Some(SWITCHED_OFF.to_owned());
            } else if !hold && held_for_it {
                entry.state = OutboxState::Queued;
                entry.error = None;
            } else {
                continue;
            }
            entry.held_until = None;
            entry.next_attempt_at = None;
            super::outbox::put_entry(txn, &entry)?;
        }
        Ok(())
    }

    pub(super) async fn rename_project(
        &self,
        acting: &Acting,
        path: &str,
        to: &str,
    ) -> Result<Response, Fault> {
        self.change_project(acting, path, format!("renamed {path} to {to}"), |_, project, projects| {
            check_path(to, Some(project.id), projects)?;
            project.former_paths.retain(|former| former != to);
            let former = std::mem::replace(&mut project.path, to.to_owned());
            project.former_paths.push(former);
            Ok(())
        })
        .await
    }

    pub(super) async fn change_project(
        &self,
        acting: &Acting,
        path: &str,
        label: String,
        change: impl FnOnce(&Self, &mut Project, &[Project]) -> Result<(), Fault>,
    ) -> Result<Response, Fault> {
        let id = self.project_by_path(&acting.rights, path).await?.id;
        let (_gate, mut txn) = self.begin().await;
        let mut project = self.load_project(&mut txn, id).await?;
        let projects = txn.list::<Project>(&[]).await?;
        change(self, &mut project, &projects)?;
        txn.put(&project)?;
        txn.deed().label = label;
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.shown_project(acting, id).await
    }

    fn check_settings(
        &self,
        before: &ProjectSettings,
        project: &Project,
        projects: &[Project],
    ) -> Result<(), Fault> {
        let settings = &project.settings;
        if let Some(suffix) = settings.suffix.as_deref().filter(|_| settings.suffix != before.suffix) {
            self.inner.ways.check_suffix(project, suffix, projects)?;
        }
        if let Some(name) = settings.mailbox.as_deref().filter(|name| self.inner.ways.mailbox(name).is_none())
        {
            let known: Vec<String> = self.inner.ways.mailboxes.iter().map(|w| w.name.clone()).collect();
            return Err(Fault::refused(format!("the config has no mailbox `{name}`")).hint(format!(
                "it has {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            )));
        }
        if settings.display_name.as_ref().is_some_and(|name| name.chars().count() > 255) {
            return Err(Fault::usage("the display name is longer than 255 characters"));
        }
        super::idle::check(settings)?;
        super::hours::check(
            settings.hours.as_deref(),
            settings.holidays.as_deref(),
            settings.time_zone.as_deref(),
        )?;
        super::commits::check(project)
    }

    /// Gives the settings of the whole desk.
    pub(super) async fn desk_settings(&self) -> Result<DeskSettings, Fault> {
        let kept = self.inner.store.get::<record::Desk>(&[]).await.map_err(txn::store_fault)?;
        Ok(kept.map(|k| k.record.settings).unwrap_or_default())
    }

    /// Gives the zone in which the desk counts days: its own where one is set, else that of the machine.
    pub(super) async fn time_zone(&self) -> Result<TimeZone, Fault> {
        let settings = self.desk_settings().await?;
        Ok(settings
            .time_zone
            .as_deref()
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or_else(TimeZone::system))
    }

    pub(super) async fn set_desk(
        &self,
        acting: &Acting,
        settings: &[(String, String)],
    ) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let mut desk = txn.get::<record::Desk>(&[]).await?.unwrap_or_default();
        for (key, value) in settings {
            desk.settings = set_field(&desk.settings, key, &super::hours::plain(key, value))?;
        }
        let spam_kept = desk.settings.purge_spam_after.as_deref();
        if let Some(text) = spam_kept.filter(|text| crate::config::parse_duration(text).is_none()) {
            return Err(Fault::usage(format!("`{text}` is not a length of time"))
                .hint("write it as 30d; empty keeps spam for good"));
        }
        let DeskSettings { hours, holidays, time_zone, .. } = &desk.settings;
        super::hours::check(hours.as_deref(), holidays.as_deref(), time_zone.as_deref())?;
        txn.put(&desk)?;
        txn.deed().label = "changed the desk".to_owned();
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(Response::Desk(desk.settings))
    }
}

/// Shows how the custom address of a project is doing, if it has one.
fn custom_view(project: &Project) -> Option<CustomView> {
    project.settings.custom_email.as_ref()?;
    let Some(custom) = &project.custom else {
        return Some(CustomView {
            state: CustomState::Unverified,
            enabled: false,
            asked_by: None,
            asked_at: None,
            failure: None,
            error: None,
            hint: None,
        });
    };
    let found = custom.found.as_deref().map_or(String::new(), |found| format!(": {found}"));
    Some(CustomView {
        state: custom.state,
        enabled: custom.enabled,
        asked_by: Some(custom.asked_by.clone()),
        asked_at: Some(custom.asked_at),
        failure: custom.failure,
        error: custom.failure.map(|failure| format!("{}{found}", failure.words())),
        hint: custom.failure.map(|failure| failure.cure().to_owned()),
    })
}

/// Refuses a path that cannot be, is taken, or would share its slug with another.
fn check_path(path: &str, own: Option<ProjectId>, projects: &[Project]) -> Result<(), Fault> {
    if !path_fits(path) {
        return Err(Fault::usage(format!("`{path}` cannot be a project's path"))
            .hint("write it as `group/name`: letters, digits, dots, dashes and underscores"));
    }
    let others = || projects.iter().filter(|p| Some(p.id) != own);
    let same = |p: &&Project| p.path.eq_ignore_ascii_case(path);
    if let Some(other) = others().find(same) {
        return Err(Fault::refused(format!("there is a project `{}` already", other.path)));
    }
    let suffix = own.and_then(|id| projects.iter().find(|p| p.id == id)?.settings.suffix.clone());
    let clash = |p: &&Project| suffix.is_some() && p.settings.suffix == suffix && slug(&p.path) == slug(path);
    match others().find(clash) {
        Some(other) => Err(Fault::refused(format!("its address would then be that of {}", other.path))
            .hint("choose another path, or change a suffix first")),
        None => Ok(()),
    }
}
