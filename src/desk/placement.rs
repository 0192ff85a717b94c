//! Threading: which issue a mail belongs to, and why.
//!
//! By reply key, then In-Reply-To, then References from the last to the first, then our own token in the
//! subject; else it is a new issue. Mail is joined only within the project it was addressed to.

use super::txn::{Txn, below};
use super::{Desk, routing};
use crate::domain::{
    EmailAddress, Fault, Issue, IssueId, MailKind, MessageId, Note, NoteId, OutboxEntry, Project, ProjectId,
    ReplyKey,
};
use crate::mail::Message;
use crate::store::record::{Known, Number, Place, issue_key, note_key, number_key, outbox_key, text_key};

/// Where a mail belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    Join {
        issue: IssueId,
        why: String,
    },
    /// `related` is an issue of another project that the mail answers.
    New {
        why: String,
        related: Option<IssueId>,
    },
}

/// Moves and merges are followed this far; more is a circle.
pub(super) const HOPS: usize = 16;

impl Desk {
    /// Finds the issue of a mail that was addressed to `project`, or to none.
    pub(super) async fn place(
        &self,
        txn: &mut Txn<'_>,
        message: &Message,
        project: Option<ProjectId>,
        from: Option<&EmailAddress>,
        projects: &[Project],
    ) -> Result<Placement, Fault> {
        let mut elsewhere = None;
        let answered = message.in_reply_to.iter().map(|id| (id, "In-Reply-To"));
        let referred = message.references.iter().rev().map(|id| (id, "References"));
        for (id, field) in answered.chain(referred) {
            let Some(place) = self.known_place(txn, id, project).await? else { continue };
            if !self.may_join(txn, &place, from, projects).await? {
                continue;
            }
            let issue = self.survivor(txn, place.issue).await?;
            if self.belongs(txn, &place, issue, project).await? {
                return Ok(Placement::Join {
                    issue,
                    why: format!("its {field} names {id}, a mail of this issue"),
                });
            }
            elsewhere = elsewhere.or(Some(place.issue));
        }
        if let Some(joined) = self.by_subject(txn, message, project, from, projects).await? {
            return Ok(joined);
        }
        let why = match elsewhere {
            Some(_) => "it answers an issue of another project but was addressed to this one",
            None => "it answers nothing that is known here",
        };
        Ok(Placement::New { why: why.to_owned(), related: elsewhere })
    }

    /// Tells whether a place counts for mail that was addressed to `project`: it was seen there, or its issue
    /// stands there, or did before it was moved.
    async fn belongs(
        &self,
        txn: &mut Txn<'_>,
        place: &Place,
        issue: IssueId,
        project: Option<ProjectId>,
    ) -> Result<bool, Fault> {
        let Some(project) = project.filter(|project| *project != place.project) else { return Ok(true) };
        let issue = txn.get::<Issue>(&issue_key(issue)).await?;
        Ok(issue.is_some_and(|issue| issue.has_stood_in(project)))
    }

    /// Tells whether a place counts for this sender: a mail that the desk has never seen itself, such as a
    /// newsletter that several customers answer, ties only those who take part in the issue already, and ourselves.
    async fn may_join(
        &self,
        txn: &mut Txn<'_>,
        place: &Place,
        from: Option<&EmailAddress>,
        projects: &[Project],
    ) -> Result<bool, Fault> {
        if let Some(row) = place.outbox {
            // What the staff were mailed ties nobody to the customers' conversation.
            let row = txn.get::<OutboxEntry>(&outbox_key(row)).await?;
            return Ok(row.is_none_or(|row| row.kind != MailKind::Staff));
        }
        if place.note.is_some() {
            return Ok(true);
        }
        let Some(from) = from else { return Ok(false) };
        let issue = txn.get::<Issue>(&issue_key(place.issue)).await?;
        let takes_part = issue.is_some_and(|issue| issue.participant(from).is_some());
        Ok(takes_part || self.inner.ways.is_ours(from, projects))
    }

    /// Finds where a Message-ID was seen, in the wanted project if it was there at all.
    async fn known_place(
        &self,
        txn: &mut Txn<'_>,
        id: &MessageId,
        project: Option<ProjectId>,
    ) -> Result<Option<Place>, Fault> {
        let Some(known) = txn.get::<Known>(&text_key(id.as_str())).await? else { return Ok(None) };
        let wanted = known.places.iter().find(|p| Some(p.project) == project);
        Ok(wanted.or_else(|| known.places.last()).cloned())
    }

    /// Follows merges to the issue that lives on.
    pub(super) async fn survivor(&self, txn: &mut Txn<'_>, mut id: IssueId) -> Result<IssueId, Fault> {
        for _ in 0..HOPS {
            match txn.get::<Issue>(&issue_key(id)).await?.and_then(|issue| issue.merged_into) {
                Some(next) => id = next,
                None => break,
            }
        }
        Ok(id)
    }

    /// Finds the issue in which a note of this one stands now: it goes along when issues are merged, parted
    /// and split. `None` when it is gone.
    pub(super) async fn stands_in(
        &self,
        txn: &mut Txn<'_>,
        issue: IssueId,
        note: NoteId,
    ) -> Result<Option<IssueId>, Fault> {
        let home = self.survivor(txn, issue).await?;
        if txn.get::<Note>(&note_key(home, note)).await?.is_some() {
            return Ok(Some(home));
        }
        let Some(home) = txn.get::<Issue>(&issue_key(home)).await? else { return Ok(None) };
        // It left for another issue of the project; what was split out is young.
        for number in txn.list::<Number>(&below(home.project.0)).await?.iter().rev() {
            if txn.get::<Note>(&note_key(number.issue, note)).await?.is_some() {
                return Ok(Some(number.issue));
            }
        }
        Ok(None)
    }

    /// Finds the issue of a reply key: that in which the note now stands that its mail carried.
    pub(super) async fn by_reply_key(&self, txn: &mut Txn<'_>, key: &str) -> Result<Option<ReplyKey>, Fault> {
        let Some(key) = txn.get::<ReplyKey>(&text_key(key)).await? else { return Ok(None) };
        let row = match key.outbox {
            Some(id) => txn.get::<OutboxEntry>(&outbox_key(id)).await?,
            None => None,
        };
        let issue = row.and_then(|row| row.issue).unwrap_or(key.issue);
        Ok(Some(ReplyKey { issue, ..key }))
    }

    async fn by_subject(
        &self,
        txn: &mut Txn<'_>,
        message: &Message,
        project: Option<ProjectId>,
        from: Option<&EmailAddress>,
        projects: &[Project],
    ) -> Result<Option<Placement>, Fault> {
        let Some((path, iid)) = token(&message.subject) else { return Ok(None) };
        let candidates: Vec<ProjectId> = match path {
            Some(path) => routing::by_path(path, projects).into_iter().collect(),
            None => project.map_or_else(|| projects.iter().map(|p| p.id).collect(), |p| vec![p]),
        };
        let mut found = Vec::new();
        for candidate in candidates {
            let Some(number) = txn.get::<Number>(&number_key(candidate, iid)).await? else { continue };
            let id = self.survivor(txn, number.issue).await?;
            let Some(issue) = txn.get::<Issue>(&issue_key(id)).await? else { continue };
            if project.is_some_and(|project| project != candidate && !issue.has_stood_in(project)) {
                continue;
            }
            let takes_part = from.is_some_and(|from| issue.participant(from).is_some());
            if path.is_some() || takes_part {
                found.push(id);
            }
        }
        Ok(match found.as_slice() {
            [only] => Some(Placement::Join {
                issue: *only,
                why: format!("its subject carries ({}#{iid})", path.unwrap_or_default()),
            }),
            _ => None,
        })
    }
}

/// Reads the last `(mygroup/myproject#12)` or `(#12)` of a subject.
fn token(subject: &str) -> Option<(Option<&str>, u64)> {
    subject.rmatch_indices('(').find_map(|(at, _)| {
        let inner = subject.get(at + 1..)?.split_once(')')?.0;
        let (path, number) = inner.rsplit_once('#')?;
        let iid = number.parse().ok().filter(|n| *n > 0)?;
        let fits = path.is_empty() || crate::domain::path_fits(path);
        fits.then_some((Some(path).filter(|p| !p.is_empty()), iid))
    })
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn the_last_token_of_a_subject_counts() {
        for (subject, expected) in [
            ("Re: x (a/b#12)", Some((Some("a/b"), 12))),
            ("Re: x (#3)", Some((None, 3))),
            ("(a/b#1) AW: (c/d#2)", Some((Some("c/d"), 2))),
            ("Re: x (#0)", None),
            ("Re: x (foo)", None),
            ("Re: x #12", None),
            ("Re: x (a b#12)", None),
            ("((((", None),
        ] {
            assert_eq!(token(subject), expected, "{subject}");
        }
    }
}
