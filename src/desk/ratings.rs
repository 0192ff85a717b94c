//! Ratings: mails behind the links of `%{RATING}`, each filed as what a customer thought of their issue.
//!
//! A rating alone is no note and nobody's turn changes by it; what its sender wrote with it is a note like that of
//! any other mail. The key in the subject leads to the issue and says who may rate it; the last rating counts.

use super::Desk;
use super::intake::Passing;
use super::placement::Placement;
use super::txn::Txn;
use crate::domain::{
    EmailAddress, Fate, Fault, IntakeEntry, Issue, IssueId, ParticipantRole, Project, Rated, Rating, ReplyKey,
};
use crate::mail::{self, MailClass, Reading};

impl Desk {
    /// Finds what a person's mail rates: its subject names a rating and the key of one of our mails. A mail with
    /// words of somebody who may not rate is one like any other.
    pub(super) async fn rating(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
    ) -> Result<Option<(Rating, ReplyKey)>, Fault> {
        let read = Rating::read(&passing.message.subject);
        let Some((rating, key)) = read.filter(|_| passing.verdict.class == MailClass::Person) else {
            return Ok(None);
        };
        let Some(key) = self.by_reply_key(txn, &key).await? else { return Ok(None) };
        let id = self.survivor(txn, key.issue).await?;
        let issue = self.load_issue(txn, id).await?;
        let counts = !issue.purged && (rater(&issue, &key, passing).is_some() || !says_something(passing));
        Ok(counts.then_some((rating, ReplyKey { issue: id, ..key })))
    }

    /// Files a rating, and what was written with it as a note. One of somebody who may not rate changes nothing
    /// and is kept in the intake.
    pub(super) async fn rate(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        rating: Rating,
        key: &ReplyKey,
    ) -> Result<IntakeEntry, Fault> {
        let issue = self.load_issue(txn, key.issue).await?;
        let project = passing.project(issue.project)?.clone();
        if let Some(entry) = self.stopped(txn, passing, again, &project, issue.id).await? {
            return Ok(entry);
        }
        let Some(from) = rater(&issue, key, passing) else {
            let reason = format!("it rates #{}, and its key was not given to its sender", issue.iid);
            let fate = (Fate::Ignored, reason);
            return self
                .enter(txn, passing.prepared, Some(passing.message), again, Some(project.id), fate)
                .await;
        };
        self.file_rating(txn, passing, issue.id, rating, from).await?;
        let reason = format!("{from} rated #{} {}", issue.iid, rating.word());
        let entry = match says_something(passing) {
            true => self.join(txn, passing, again, &project, issue.id, reason.clone(), false).await?,
            false => {
                let fate = (Fate::Rating, reason.clone());
                self.enter(txn, passing.prepared, Some(passing.message), again, Some(project.id), fate)
                    .await?
            }
        };
        let entry = IntakeEntry { fate: Fate::Rating, reason, issue: Some(issue.id), ..entry };
        txn.put(&entry)?;
        Ok(entry)
    }

    /// Enters a rating that goes no further, as any other mail to its issue would not.
    async fn stopped(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        project: &Project,
        issue: IssueId,
    ) -> Result<Option<IntakeEntry>, Fault> {
        let rated = self.had_fate(txn, passing.prepared, Fate::Rating, again).await?;
        let earlier = match rated {
            None => self.duplicate_of(txn, passing.prepared, Some(project.id), again).await?,
            rated => rated,
        };
        if let Some(earlier) = earlier {
            return self.again_the_same(txn, passing, again, earlier).await.map(Some);
        }
        if !project.enabled {
            return self.switched_off(txn, passing, again, project).await.map(Some);
        }
        let placement = Placement::Join { issue, why: "it rates the issue".to_owned() };
        self.turned_away(txn, passing, again, project, &placement).await
    }

    async fn file_rating(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        id: IssueId,
        rating: Rating,
        from: &EmailAddress,
    ) -> Result<(), Fault> {
        let before = self.load_issue(txn, id).await?;
        let mut issue = before.clone();
        issue.rating = Some(Rated { rating, email: from.clone(), at: passing.at });
        // Without a word of theirs: those stand in a note of their own.
        self.system_note(txn, &mut issue, format!("{from} rated this {}", rating.word()), None).await?;
        txn.put_issue(Some(&before), &issue)
    }
}

/// Gives the sender, if they may rate: to whom the key was given, or, where that is nobody who takes part, whoever
/// does.
fn rater<'a>(issue: &Issue, key: &ReplyKey, passing: &'a Passing<'_>) -> Option<&'a EmailAddress> {
    let from = passing.from.as_ref().map(|from| &from.email)?;
    let may = takes_part(issue, from) && (*from == key.address || !takes_part(issue, &key.address));
    may.then_some(from)
}

fn takes_part(issue: &Issue, email: &EmailAddress) -> bool {
    issue.participant(email).is_some_and(|person| person.role != ParticipantRole::Stranger)
}

/// Tells whether somebody has to read it: it has words of its own, or files.
fn says_something(passing: &Passing<'_>) -> bool {
    let message = passing.message;
    !message.attachments.is_empty() || !mail::visible(message, Reading::Answer).body.trim().is_empty()
}
