//! Targets: which issues and projects the addresses of a mail lead to.

use super::Desk;
use super::intake::Passing;
use super::routing::KeyKind;
use super::txn::Txn;
use crate::domain::{EmailAddress, Fault, IssueId, ProjectId, ReplyKey};
use crate::store::record::{Number, number_key};

/// What an address of the mail leads to.
pub(super) enum Target {
    Reply(ReplyKey, ProjectId),
    /// An issue's own address.
    Issue(IssueId, ProjectId),
    /// The project, and the plain address of ours it was written to.
    Project(ProjectId, Option<EmailAddress>),
    /// Where mail goes whose addresses name no project.
    Default(ProjectId, Option<EmailAddress>),
    Nowhere(String),
}

impl Target {
    pub fn project(&self) -> Option<ProjectId> {
        match self {
            Self::Reply(_, id) | Self::Issue(_, id) | Self::Project(id, _) | Self::Default(id, _) => {
                Some(*id)
            }
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
            let Some((_, project)) = self.home(txn, key.issue).await? else { continue };
            if !reached.contains(&project) {
                reached.push(project);
                targets.push(Target::Reply(key, project));
            }
        }
        for hit in &hits {
            let KeyKind::Issue(project, iid) = hit.kind else { continue };
            let Some(number) = txn.get::<Number>(&number_key(project, iid)).await? else { continue };
            let Some((issue, project)) = self.home(txn, number.issue).await? else { continue };
            if !reached.contains(&project) {
                reached.push(project);
                targets.push(Target::Issue(issue, project));
            }
        }
        // An address that was given to the project says more of a mail than the keyed one behind it.
        let given_to = |id: ProjectId| {
            let of_it = hits.iter().filter(|hit| hit.plain && hit.kind == KeyKind::Project(id));
            of_it.filter_map(|hit| EmailAddress::parse(&hit.address)).next()
        };
        let given: Vec<(ProjectId, Option<EmailAddress>)> =
            passing.projects.iter().map(|project| (project.id, given_to(project.id))).collect();
        for hit in hits {
            match hit.kind {
                // One whose number nobody has is the project's.
                KeyKind::Issue(id, iid)
                    if !reached.contains(&id) && txn.get::<Number>(&number_key(id, iid)).await?.is_none() =>
                {
                    reached.push(id);
                    targets.push(Target::Project(id, None));
                }
                KeyKind::Reply(_) | KeyKind::Unsubscribe(_) | KeyKind::Verify(_) | KeyKind::Issue(..) => {}
                KeyKind::Project(id) if hit.plain => {
                    plain.extend(EmailAddress::parse(&hit.address).map(|a| (id, a)))
                }
                KeyKind::Project(id) if !reached.contains(&id) => {
                    reached.push(id);
                    let address = given.iter().find(|(project, _)| *project == id);
                    targets.push(Target::Project(id, address.and_then(|(_, address)| address.clone())));
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
        // Where addresses carry no key, the subject does.
        match passing.message.subject.trim().to_lowercase().strip_prefix("unsubscribe ") {
            Some(key) => self.by_reply_key(txn, key.trim()).await,
            None => Ok(None),
        }
    }
}
