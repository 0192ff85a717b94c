//! Idleness: pending issues in which nothing happens get one warning mail, and are closed later.
//!
//! Off unless a project sets `idle_warn_after` or `idle_close_after`. What was done stands on the issue, so that
//! a restart repeats nothing; an answer, or anything else that ends the waiting, begins anew.

use super::issues::close;
use super::txn::{Txn, below};
use super::{Desk, system};
use crate::config::parse_duration;
use crate::domain::query::Viewer;
use crate::domain::{
    Fault, Issue, IssueId, MailKind, Mailbox, Note, NoteKind, Participant, Project, ProjectSettings, Query,
    Rights, SUPPORT_BOT, State, Status,
};
use jiff::{SignedDuration, Timestamp};

/// The issues that can be idle.
const PENDING: &str = "is:open status:pending -is:snoozed";
/// Issues that are looked at in one round.
const ISSUES: u64 = 10_000;

/// How long an issue of a project may wait.
struct Patience {
    warn: Option<SignedDuration>,
    close: Option<SignedDuration>,
}

/// What is to be done about an idle issue.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    Warning,
    Closing,
}

impl Patience {
    fn of(settings: &ProjectSettings) -> Self {
        Self {
            warn: span(settings.idle_warn_after.as_deref()),
            close: span(settings.idle_close_after.as_deref()),
        }
    }

    /// Says what is due now, where nothing happened since `quiet`. Closing counts from the warning, where there
    /// is one.
    fn due(&self, issue: &Issue, quiet: Timestamp, now: Timestamp) -> Option<Due> {
        let over = |since: Timestamp, span: Option<SignedDuration>| {
            span.and_then(|span| since.checked_add(span).ok()).is_some_and(|until| until <= now)
        };
        match (self.warn, issue.idle_warned_at) {
            (Some(_), None) => over(quiet, self.warn).then_some(Due::Warning),
            (_, Some(warned)) => over(warned, self.close).then_some(Due::Closing),
            (None, None) => over(quiet, self.close).then_some(Due::Closing),
        }
    }

    fn is_endless(&self) -> bool {
        self.warn.is_none() && self.close.is_none()
    }
}

/// Reads a length of time that a project sets; none, where it is nothing.
fn span(text: Option<&str>) -> Option<SignedDuration> {
    let span = SignedDuration::try_from(parse_duration(text?)?).ok()?;
    (!span.is_zero()).then_some(span)
}

/// Refuses lengths of time that cannot be read.
pub(super) fn check(settings: &ProjectSettings) -> Result<(), Fault> {
    for text in [&settings.idle_warn_after, &settings.idle_close_after].into_iter().flatten() {
        if parse_duration(text).is_none() {
            return Err(Fault::usage(format!("`{text}` is not a length of time"))
                .hint("write it as 7d; empty switches it off"));
        }
    }
    Ok(())
}

impl Desk {
    /// Warns and closes what has been idle for long enough; gives how many issues that were.
    pub async fn tend_idle(&self) -> Result<u64, Fault> {
        let projects = self.impatient().await?;
        if projects.is_empty() {
            return Ok(0);
        }
        let mut tended = 0;
        for id in self.pending()? {
            tended += u64::from(self.tend_one(id, &projects).await?);
        }
        Ok(tended)
    }

    /// Tells whether any issue may have to be warned of, or closed, some day.
    pub(super) async fn may_become_idle(&self) -> Result<bool, Fault> {
        Ok(!self.impatient().await?.is_empty() && !self.pending()?.is_empty())
    }

    async fn impatient(&self) -> Result<Vec<Project>, Fault> {
        let mut projects = self.all_projects().await?;
        projects.retain(|project| project.enabled && !Patience::of(&project.settings).is_endless());
        Ok(projects)
    }

    fn pending(&self) -> Result<Vec<IssueId>, Fault> {
        let viewer = Viewer { user: SUPPORT_BOT.to_owned(), now: self.now(), rights: Rights::All };
        Ok(self.inner.index.find(&Query::parse(PENDING)?, &viewer, 0, ISSUES).issues)
    }

    /// Says what is due about an issue: only what people said, and where they put it, ends the quiet.
    async fn due(&self, txn: &mut Txn<'_>, issue: &Issue, project: &Project) -> Result<Option<Due>, Fault> {
        let (patience, now) = (Patience::of(&project.settings), txn.now);
        let woken = issue.snoozed_until.filter(|until| *until <= now);
        let known = [issue.status_since, woken].into_iter().flatten().fold(issue.created_at, Timestamp::max);
        // Most often that is enough to know, without a look at the notes.
        if patience.due(issue, known, now).is_none() {
            return Ok(None);
        }
        let notes = txn.list::<Note>(&below(issue.id.0)).await?;
        let said = notes.iter().filter(|note| note.kind != NoteKind::System && !note.automatic);
        let quiet = said.map(|note| note.created_at).fold(known, Timestamp::max);
        Ok(patience.due(issue, quiet, now))
    }

    async fn tend_one(&self, id: IssueId, projects: &[Project]) -> Result<bool, Fault> {
        let (_gate, mut txn) = self.begin().await;
        // Read again under the lock: the customer may have answered at this moment.
        let before = self.load_issue(&mut txn, id).await?;
        let Some(project) = projects.iter().find(|project| project.id == before.project) else {
            return Ok(false);
        };
        let waits = before.state == State::Open && before.status == Status::Pending && !before.purged;
        let due = self.due(&mut txn, &before, project).await?.filter(|_| waits);
        let mut issue = before.clone();
        let (words, kind) = match due {
            None => return Ok(false),
            Some(Due::Warning) => {
                issue.idle_warned_at = Some(txn.now);
                ("told the customer that it will be closed, because nobody answered", MailKind::IdleWarning)
            }
            Some(Due::Closing) => {
                close(&mut issue, txn.now);
                ("closed, because nobody answered", MailKind::Closed)
            }
        };
        issue.updated_at = txn.now;
        self.system_note(&mut txn, &mut issue, words.to_owned(), None).await?;
        txn.put_issue(Some(&before), &issue)?;
        match kind {
            MailKind::Closed => self.tell_of_state(&mut txn, project, &issue, kind).await?,
            _ => {
                let people: Vec<Mailbox> = issue.subscribers().map(Participant::mailbox).collect();
                self.warn_of_idleness(&mut txn, project, &issue, people).await?;
            }
        }
        self.finish(txn, system(), Some("nobody answered".to_owned()), None).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_nothing_switches_it_off() {
        for (text, days) in [(None, None), (Some("0"), None), (Some("7d"), Some(7)), (Some("1w"), Some(7))] {
            assert_eq!(span(text), days.map(|days| SignedDuration::from_hours(24 * days)), "{text:?}");
        }
    }
}
