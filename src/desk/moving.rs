//! Moving: an issue goes to another project and keeps everything.
//!
//! It stays the same issue and gets a number there; its notes, people, drafts, mails and reply keys hang on
//! the issue and need not move. The numbers that it had before lead to it for good.

use super::letters::reference;
use super::placement::Placement;
use super::txn::Txn;
use super::{Acting, Desk};
use crate::domain::{Fault, Issue, IssueId, ProjectId, Role, Standing};
use crate::store::record::{Number, issue_key};

impl Desk {
    /// Gives an issue a number in another project. Nobody is mailed.
    pub(super) async fn move_to(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        issue: &mut Issue,
        path: &str,
    ) -> Result<(), Fault> {
        let from = self.load_project(txn, issue.project).await?;
        let to = self.project_by_path(&acting.rights, path).await?;
        self.demand(acting, &from, Role::Reporter)?;
        self.demand(acting, &to, Role::Reporter)?;
        if to.id == from.id {
            return Err(Fault::refused(format!("#{} stands in {} already", issue.iid, to.path)));
        }
        if issue.merged_into.is_some() {
            return Err(Fault::refused(format!("#{} is merged into another", issue.iid)));
        }
        let mut to = self.load_project(txn, to.id).await?;
        let was = reference(&from, issue);
        let old = Standing { project: issue.project, iid: issue.iid };
        // Who comes back gets the number that still leads to it.
        let iid = match issue.stood.iter().find(|standing| standing.project == to.id) {
            Some(standing) => standing.iid,
            None => {
                let iid = to.next_iid;
                to.next_iid += 1;
                txn.put(&to)?;
                txn.put(&Number { project: to.id, iid, issue: issue.id })?;
                iid
            }
        };
        (issue.project, issue.iid) = (to.id, iid);
        for standing in [old, Standing { project: to.id, iid }] {
            if !issue.stood.contains(&standing) {
                issue.stood.push(standing);
            }
        }
        let words = format!("{} moved this from {was} to {}", acting.user.name, reference(&to, issue));
        self.system_note(txn, issue, words, None).await
    }

    /// Gives the issue that lives on, and the project in which it stands now.
    pub(super) async fn home(
        &self,
        txn: &mut Txn<'_>,
        issue: IssueId,
    ) -> Result<Option<(IssueId, ProjectId)>, Fault> {
        let id = self.survivor(txn, issue).await?;
        let issue = txn.get::<Issue>(&issue_key(id)).await?;
        Ok(issue.map(|issue| (id, issue.project)))
    }

    /// Gives the project in which a mail ends up that was addressed to one: that of the issue it joins.
    pub(super) async fn project_of_placement(
        &self,
        txn: &mut Txn<'_>,
        placement: &Placement,
        addressed: ProjectId,
    ) -> Result<ProjectId, Fault> {
        let Placement::Join { issue, .. } = placement else { return Ok(addressed) };
        Ok(self.home(txn, *issue).await?.map_or(addressed, |(_, project)| project))
    }
}
