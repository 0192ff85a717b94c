//! Targets: which issues and projects the addresses of a mail lead to.

use super::Desk;
use super::intake::Passing;
use super::routing::KeyKind;
use super::txn::Txn;
use crate::domain::{EmailAddress, Fault, Issue, ProjectId, ReplyKey};
use crate::store::record::issue_key;

/// What an address of the mail leads to.
pub(super) enum Target {
    Reply(ReplyKey, ProjectId),
    /// The project, and the plain address of ours it was written to.
    Project(ProjectId, Option<EmailAddress>),
    /// Where mail goes whose addresses name no project.
    Default(ProjectId, Option<EmailAddress>),
    Nowhere(String),
}

impl Target {
    pub fn project(&self) -> Option<ProjectId> {
        match self {
            Self::Reply(_, id) | Self::Project(id, _) | Self::Default(id, _) => Some(*id),
            Self::Nowhere(_) => None,
        }
    }
}

impl Desk {
    /// Lists where the mail goes: each project once, an issue before the project at large.
    pub(super) async fn targets(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
    ) -> Result<Vec<Target>, Fault> {
        let arrival = &passing.prepared.arrival;
        let given = arrival.envelope_to.iter().map(String::as_str);
        let stated = passing.message.recipients.iter().map(|(_, address)| address.as_str());
        let mut targets: Vec<Target> = Vec::new();
        let mut reached: Vec<ProjectId> = Vec::new();
        let mut plain: Vec<(ProjectId, EmailAddress)> = Vec::new();
        let hits: Vec<_> = given
            .chain(stated)
            .filter_map(|address| self.inner.ways.hit(address, &passing.projects))
            .collect();
        // A reply key names the issue itself, so it goes before every address of a project.
        for hit in &hits {
            let KeyKind::Reply(key) = &hit.kind else { continue };
            let Some(key) = self.by_reply_key(txn, key).await? else { continue };
            let Some(issue) = txn.get::<Issue>(&issue_key(key.issue)).await? else { continue };
            if !reached.contains(&issue.project) {
                reached.push(issue.project);
                targets.push(Target::Reply(key, issue.project));
            }
        }
        for hit in hits {
            match hit.kind {
                KeyKind::Reply(_) | KeyKind::Unsubscribe(_) => {}
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
            None => match passing.projects.as_ref() {
                [only] => Some(only.id),
                _ => None,
            },
        };
        match (id, passing.projects.is_empty()) {
            (Some(id), _) => Target::Default(
                id,
                way.and_then(|way| way.pattern.plain()).filter(|_| way.is_some_and(|w| !w.pattern.keyed)),
            ),
            (None, true) => Target::Nowhere("there is no project yet".to_owned()),
            (None, false) => Target::Nowhere("none of its addresses belongs to a project".to_owned()),
        }
    }

    pub(super) async fn unsubscribing(
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
}
