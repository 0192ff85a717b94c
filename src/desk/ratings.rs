//! Ratings: mails behind the links of `%{RATING}`, each filed as what a customer thought of their issue.
//!
//! It is no note and nobody's turn changes by it. The key in the subject leads to the issue; who rates must take
//! part in it, and the last rating counts.

use super::Desk;
use super::intake::Passing;
use super::txn::Txn;
use crate::domain::{
    EmailAddress, Fate, Fault, IntakeEntry, Issue, ParticipantRole, Rated, Rating, ReplyKey,
};
use crate::mail::{self, MailClass, Reading};

/// So many characters of what was written with a rating stand in the issue; the mail itself is kept.
const WORDS: usize = 1000;

impl Desk {
    /// Finds what a person's mail rates: its subject names a rating and the key of one of our mails.
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
        let purged = self.load_issue(txn, id).await?.purged;
        Ok((!purged).then_some((rating, ReplyKey { issue: id, ..key })))
    }

    /// Files a rating. One of somebody who takes no part changes nothing and is kept in the intake.
    pub(super) async fn rate(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        rating: Rating,
        key: &ReplyKey,
    ) -> Result<IntakeEntry, Fault> {
        let before = self.load_issue(txn, key.issue).await?;
        let from = passing.from.as_ref().map(|from| &from.email).filter(|from| takes_part(&before, from));
        let Some(from) = from else {
            let reason = format!("it rates #{}, in which its sender takes no part", before.iid);
            let fate = (Fate::Ignored, reason);
            let project = Some(before.project);
            return self.enter(txn, passing.prepared, Some(passing.message), again, project, fate).await;
        };
        let mut issue = before.clone();
        issue.rating = Some(Rated { rating, email: from.clone(), at: passing.at });
        let words = format!("{from} rated this {}{}", rating.word(), said(passing));
        self.system_note(txn, &mut issue, words, None).await?;
        txn.put_issue(Some(&before), &issue)?;
        let fate = (Fate::Rating, format!("{from} rated #{} {}", issue.iid, rating.word()));
        let project = Some(issue.project);
        let mut entry =
            self.enter(txn, passing.prepared, Some(passing.message), again, project, fate).await?;
        entry.issue = Some(issue.id);
        txn.put(&entry)?;
        Ok(entry)
    }
}

fn takes_part(issue: &Issue, email: &EmailAddress) -> bool {
    issue.participant(email).is_some_and(|person| person.role != ParticipantRole::Stranger)
}

/// Gives what the customer wrote besides, quoted; nothing, where they wrote nothing.
fn said(passing: &Passing<'_>) -> String {
    let body = mail::visible(passing.message, Reading::Answer).body;
    let words: String = body.trim().chars().take(WORDS).collect();
    match words.is_empty() {
        true => String::new(),
        false => words.lines().fold(":\n".to_owned(), |said, line| format!("{said}\n> {line}")),
    }
}
