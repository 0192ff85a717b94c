//! References: which issue somebody means, among those that they may see.
//!
//! Numbers lead on: a moved issue is found under the numbers that it had before, a merged one leads to the
//! issue that lives on.

use super::placement::HOPS;
use super::txn::Txn;
use super::{Desk, routing, txn};
use crate::domain::{Fault, Issue, IssueId, Project, ProjectId, Reference, Rights};
use crate::store::record::{Number, issue_key, number_key, project_key};
use std::collections::BTreeSet;

/// So many issues of one number are named, and so many characters of the title of each.
const NAMED: usize = 5;
const TITLE: usize = 30;

impl Desk {
    /// Finds the issue that a reference names, among those that may be seen.
    pub(super) async fn resolve(&self, rights: &Rights, reference: &Reference) -> Result<IssueId, Fault> {
        Ok(self.resolve_in(rights, &self.projects_seen_by(rights).await?, reference).await?.id)
    }

    /// Finds the issue that a reference names in these projects, or the one that it was merged into.
    pub(super) async fn resolve_in(
        &self,
        rights: &Rights,
        projects: &[Project],
        reference: &Reference,
    ) -> Result<Issue, Fault> {
        let issue = self.resolve_among(rights, projects, reference).await?;
        self.follow_merges(rights, issue, reference).await
    }

    /// Finds the issue that a reference names, even if it was merged into another.
    pub(super) async fn resolve_itself(
        &self,
        rights: &Rights,
        reference: &Reference,
    ) -> Result<IssueId, Fault> {
        let projects = self.projects_seen_by(rights).await?;
        Ok(self.resolve_among(rights, &projects, reference).await?.id)
    }

    /// Finds the issue that a reference names beside another one: without a project it is of the same.
    pub(super) async fn resolve_beside(
        &self,
        rights: &Rights,
        issue: &Issue,
        reference: &Reference,
    ) -> Result<IssueId, Fault> {
        let project = match &reference.project {
            Some(path) => path.clone(),
            None => self.project_of_issue(issue.id).await?.path,
        };
        self.resolve(rights, &Reference { project: Some(project), ..reference.clone() }).await
    }

    /// Gives the issue into which one was merged in the end, if that may be seen.
    async fn follow_merges(
        &self,
        rights: &Rights,
        mut issue: Issue,
        reference: &Reference,
    ) -> Result<Issue, Fault> {
        for _ in 0..HOPS {
            let Some(next) = issue.merged_into else { break };
            let kept = self.inner.store.get::<Issue>(&issue_key(next)).await.map_err(txn::store_fault)?;
            issue = kept.ok_or_else(|| super::missing(format!("issue {next}")))?.record;
        }
        match rights.sees_issue(issue.project, issue.confidential) {
            true => Ok(issue),
            false => Err(unknown(reference)),
        }
    }

    /// Finds the issues that references name, each once, in their order.
    pub(super) async fn resolve_all(
        &self,
        rights: &Rights,
        references: &[Reference],
    ) -> Result<Vec<IssueId>, Fault> {
        let projects = self.projects_seen_by(rights).await?;
        let (mut ids, mut known) = (Vec::with_capacity(references.len()), BTreeSet::new());
        for reference in references {
            let id = self.resolve_in(rights, &projects, reference).await?.id;
            if known.insert(id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    pub(super) async fn projects_seen_by(&self, rights: &Rights) -> Result<Vec<Project>, Fault> {
        let mut projects = self.all_projects().await?;
        projects.retain(|project| rights.sees(project.id));
        Ok(projects)
    }

    async fn resolve_among(
        &self,
        rights: &Rights,
        projects: &[Project],
        reference: &Reference,
    ) -> Result<Issue, Fault> {
        let project = match (&reference.project, projects) {
            (Some(path), _) => routing::by_path(path, projects)
                .ok_or_else(|| Fault::not_found(format!("there is no project `{path}`")))?,
            (None, [only]) => only.id,
            (None, []) => {
                return Err(
                    Fault::not_found("there is no project yet").hint("`deskbell project add GROUP/NAME`")
                );
            }
            (None, _) => {
                return self.only_one(rights, projects, reference).await;
            }
        };
        let id = self.by_number(project, reference.iid).await?.ok_or_else(|| unknown(reference))?;
        let issue = self.inner.store.get::<Issue>(&issue_key(id)).await.map_err(txn::store_fault)?;
        let issue = issue.ok_or_else(|| super::missing(format!("issue {id}")))?.record;
        match rights.sees_issue(issue.project, issue.confidential) {
            false => Err(unknown(reference)),
            true if issue.purged => Err(Fault::not_found(format!("{reference} was spam and is gone"))),
            true => Ok(issue),
        }
    }

    /// Finds the issue of this number where only one of several projects has it; else names those that have.
    async fn only_one(
        &self,
        rights: &Rights,
        projects: &[Project],
        reference: &Reference,
    ) -> Result<Issue, Fault> {
        let mut found: Vec<(&Project, Issue)> = Vec::new();
        for project in projects {
            let Some(id) = self.by_number(project.id, reference.iid).await? else { continue };
            let kept = self.inner.store.get::<Issue>(&issue_key(id)).await.map_err(txn::store_fault)?;
            let seen = |issue: &Issue| rights.sees_issue(issue.project, issue.confidential) && !issue.purged;
            found.extend(kept.map(|kept| kept.record).filter(seen).map(|issue| (project, issue)));
        }
        match found.len() {
            0 => Err(unknown(reference)),
            1 => found.pop().map(|(_, issue)| issue).ok_or_else(|| unknown(reference)),
            _ => {
                let named = |(project, issue): &(&Project, Issue)| {
                    let title: String = issue.title.chars().take(TITLE).collect();
                    format!("{}#{} ({title})", project.path, reference.iid)
                };
                let named: Vec<String> = found.iter().take(NAMED).map(named).collect();
                Err(Fault::usage(format!("`#{}` is in more than one project", reference.iid))
                    .hint(format!("write which: {}", named.join(" or "))))
            }
        }
    }

    pub(super) async fn by_number(&self, project: ProjectId, iid: u64) -> Result<Option<IssueId>, Fault> {
        let kept = self.inner.store.get::<Number>(&number_key(project, iid)).await;
        Ok(kept.map_err(txn::store_fault)?.map(|k| k.record.issue))
    }

    pub(super) async fn load_issue(&self, txn: &mut Txn<'_>, id: IssueId) -> Result<Issue, Fault> {
        txn.get::<Issue>(&issue_key(id)).await?.ok_or_else(|| super::missing(format!("issue {id}")))
    }

    pub(super) async fn load_project(&self, txn: &mut Txn<'_>, id: ProjectId) -> Result<Project, Fault> {
        txn.get::<Project>(&project_key(id)).await?.ok_or_else(|| super::missing(format!("project {id}")))
    }
}

/// Says that there is no such issue, whether it does not exist or may not be seen.
fn unknown(reference: &Reference) -> Fault {
    Fault::not_found(format!("there is no issue {reference}")).hint("`deskbell issue list` shows them")
}
