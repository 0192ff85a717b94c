//! Strangers: whom a project does not know, where it takes no mail of such people.
//!
//! Known are the staff, and who takes part in an issue of the project. What a stranger writes waits in the
//! intake; once it is let through it is an issue, and its sender is no stranger any more.

use super::Desk;
use super::intake::Passing;
use super::txn::Txn;
use crate::domain::query::Viewer;
use crate::domain::{
    EmailAddress, Fate, Fault, IntakeEntry, Issue, Participant, ParticipantRole, Project, Query, Rights,
    SUPPORT_BOT, SenderRule, Strangers, User,
};
use crate::store::record::issue_key;

/// Issues that are looked through for somebody.
const ISSUES: u64 = 50;

impl Desk {
    /// Enters a mail of a stranger to a project that takes none; `None` lets it go on its way.
    pub(super) async fn shut_out(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        project: &Project,
        stranger: bool,
    ) -> Result<Option<IntakeEntry>, Fault> {
        // The staff vouch for what they pass on.
        let vouched = passing.silent || passing.forwarded_by.is_some();
        if !stranger || vouched || project.settings.strangers == Strangers::Accept {
            return Ok(None);
        }
        let who = match passing.from.as_ref().map(|from| &from.email) {
            Some(from) if self.knows(txn, passing, project, from).await? => return Ok(None),
            Some(from) => from.to_string(),
            None => "its sender".to_owned(),
        };
        let reason = format!(
            "it waits for a person: {who} has written nothing to {} so far, which takes no mail of strangers",
            project.path
        );
        let fate = (Fate::Quarantined, reason);
        self.enter(txn, passing.prepared, Some(passing.message), again, Some(project.id), fate)
            .await
            .map(Some)
    }

    /// Tells whether somebody is on a list of those who are let in, of the staff, or takes part in an issue of
    /// the project.
    async fn knows(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        project: &Project,
        from: &EmailAddress,
    ) -> Result<bool, Fault> {
        let listed = self.listed(passing, Some(project.id));
        if listed.is_some_and(|line| line.rule == SenderRule::Allow) {
            return Ok(true);
        }
        if txn.list::<User>(&[]).await?.iter().any(|user| !user.removed && user.emails.contains(from)) {
            return Ok(true);
        }
        let query = Query::parse(&format!("project:{} participant:\"{from}\" -is:spam", project.path));
        let Ok(query) = query else { return Ok(false) };
        let viewer = Viewer { user: SUPPORT_BOT.to_owned(), now: txn.now, rights: Rights::All };
        for id in self.inner.index.find(&query, &viewer, 0, ISSUES).issues {
            let issue = txn.get::<Issue>(&issue_key(id)).await?;
            let takes_part =
                |person: &Participant| &person.email == from && person.role != ParticipantRole::Stranger;
            if issue.is_some_and(|i| i.project == project.id && i.participants.iter().any(takes_part)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
