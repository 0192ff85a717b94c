//! Links: issues that belong together, and those that are the same.

use super::issues::close;
use super::letters::reference;
use super::txn::Txn;
use super::{Acting, Desk};
use crate::domain::{Fault, Issue, IssueId, Link, LinkKind, Reference, Role, State};

impl Desk {
    /// Closes an issue as a duplicate, and says so in the other one.
    pub(super) async fn mark_duplicate(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        issue: &mut Issue,
        other: &Reference,
    ) -> Result<(), Fault> {
        let id = self.resolve_beside(&acting.rights, issue, other).await?;
        if id == issue.id {
            return Err(Fault::refused(format!("#{} cannot be a duplicate of itself", issue.iid)));
        }
        self.demand(acting, &self.project_of_issue(id).await?, Role::Reporter)?;
        let mut original = self.load_issue(txn, id).await?;
        let project = self.load_project(txn, issue.project).await?;
        let link = Link { kind: LinkKind::DuplicateOf, issue: id };
        if !issue.links.contains(&link) {
            issue.links.push(link);
            let words =
                format!("{} marked {} as a duplicate of this", acting.user.name, reference(&project, issue));
            self.system_note(txn, &mut original, words, None).await?;
            txn.put(&original)?;
            let home = self.load_project(txn, original.project).await?;
            let words =
                format!("{} marked this as a duplicate of {}", acting.user.name, reference(&home, &original));
            self.system_note(txn, issue, words, None).await?;
        }
        if issue.state == State::Open {
            close(issue, txn.now);
        }
        Ok(())
    }

    /// Says of two issues that they belong together, or no more, at both ends. Nobody is mailed.
    pub(super) async fn link(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        issue: &mut Issue,
        other: &Reference,
        together: bool,
    ) -> Result<(), Fault> {
        let mut other = self.other_end(txn, acting, issue, other).await?;
        let before = other.clone();
        let change = if together { join } else { part };
        if [change(issue, other.id), change(&mut other, issue.id)].contains(&true) {
            let did = if together { "linked this to" } else { "unlinked this from" };
            self.tell_both(txn, acting, issue, &mut other, did).await?;
            txn.put_issue(Some(&before), &other)?;
        }
        Ok(())
    }

    /// Loads the other issue of a link, in which whoever acts must have a say too.
    async fn other_end(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        issue: &Issue,
        other: &Reference,
    ) -> Result<Issue, Fault> {
        let id = self.resolve_beside(&acting.rights, issue, other).await?;
        if id == issue.id {
            return Err(Fault::usage(format!("#{} cannot be linked to itself", issue.iid)));
        }
        self.demand(acting, &self.project_of_issue(id).await?, Role::Reporter)?;
        self.load_issue(txn, id).await
    }

    async fn tell_both(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        issue: &mut Issue,
        other: &mut Issue,
        did: &str,
    ) -> Result<(), Fault> {
        let mine = reference(&self.load_project(txn, issue.project).await?, issue);
        let theirs = reference(&self.load_project(txn, other.project).await?, other);
        let who = &acting.user.name;
        self.system_note(txn, issue, format!("{who} {did} {theirs}"), None).await?;
        self.system_note(txn, other, format!("{who} {did} {mine}"), None).await
    }
}

/// Links an issue to another; tells whether that is new.
fn join(issue: &mut Issue, other: IssueId) -> bool {
    let link = Link { kind: LinkKind::RelatesTo, issue: other };
    let new = !issue.links.contains(&link);
    if new {
        issue.links.push(link);
    }
    new
}

/// Takes every link to another issue away; tells whether there was any.
fn part(issue: &mut Issue, other: IssueId) -> bool {
    let before = issue.links.len();
    issue.links.retain(|link| link.issue != other);
    issue.links.len() < before
}
