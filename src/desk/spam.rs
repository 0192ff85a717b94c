//! What people decide about spam: an issue is, an arrival is not; and everything that follows from it.

use super::arrival::Prepared;
use super::edits::set_spam;
use super::intake::{Passing, put_arrival};
use super::issues::close;
use super::lessons::Subject;
use super::letters::is_staff;
use super::senders::line_of;
use super::targets::Target;
use super::txn::{self, Txn, Wrote};
use super::{Acting, Desk};
use crate::domain::{
    ArrivalChange, Edit, EmailAddress, Fate, Fault, FaultKind, IntakeEntry, IntakeId, Issue, IssueId,
    MailKind, Note, NoteKind, OutboxEntry, OutboxState, ProjectId, Response, Sender, SenderChange,
    SenderRule,
};
use crate::mail::MailClass;
use crate::store::record::{intake_key, issue_key, outbox_key, sender_key};
use crate::store::{Direction, Tree};
use std::collections::BTreeMap;

/// How many of the latest mails are looked at for an acknowledgement.
const WINDOW: usize = 500;

impl Desk {
    /// Follows what was committed, as far as the check for spam remembers it.
    pub(super) fn follow_spam(&self, records: &[Wrote]) {
        for wrote in records {
            match wrote.tree {
                Tree::Senders => self.inner.senders.follow(&wrote.key, wrote.record()),
                Tree::SpamMails => self.inner.spam_mails.follow(&wrote.key, wrote.record()),
                Tree::Lessons => {
                    self.inner.school.follow(&wrote.key, wrote.record());
                    self.inner.lessons.notify_one();
                }
                _ => {}
            }
        }
    }

    /// Reads the mails of issues that are about to be called spam, or not spam.
    pub(super) async fn subjects_of(
        &self,
        ids: &[IssueId],
        edits: &[Edit],
    ) -> Result<BTreeMap<IssueId, Subject>, Fault> {
        let mut subjects = BTreeMap::new();
        if !edits.iter().any(|edit| matches!(edit, Edit::Spam(_))) {
            return Ok(subjects);
        }
        for id in ids {
            let raw = self.opening_mail(*id).await?.and_then(|note| note.raw);
            let Some(raw) = raw else { continue };
            if let Some(subject) = self.subject_of(raw).await? {
                subjects.insert(*id, subject);
            }
        }
        Ok(subjects)
    }

    async fn opening_mail(&self, id: IssueId) -> Result<Option<Note>, Fault> {
        let first = self.inner.store.scan::<Note>(&txn::below(id.0), None, 1, Direction::Up).await;
        let first = first.map_err(txn::store_fault)?.pop().map(|kept| kept.record);
        Ok(first.filter(|note| note.kind == NoteKind::Incoming))
    }

    /// Does what follows when an issue was called spam, or not spam: hides its sender or shows them again,
    /// and learns.
    pub(super) async fn spam_decided(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        issue: &Issue,
        subject: Option<&Subject>,
    ) -> Result<(), Fault> {
        let projects = self.all_projects().await?;
        let stranger =
            |email: &&EmailAddress| !is_staff(&issue.author) && !self.inner.ways.is_ours(email, &projects);
        if let Some(email) = issue.author.email.as_ref().filter(stranger) {
            match issue.spam {
                true => {
                    let sender = Sender {
                        project: Some(issue.project),
                        pattern: line_of(email),
                        rule: SenderRule::Block,
                        by: acting.user.name.clone(),
                        at: txn.now,
                        issue: Some(issue.id),
                    };
                    self.write_sender(txn, sender).await?;
                }
                false => self.show_sender(txn, issue.project, email).await?,
            }
        }
        match subject {
            Some(subject) => self.teach(txn, subject, issue.spam, &acting.user.name).await,
            None => Ok(()),
        }
    }

    /// Takes somebody off the list who is on it only because of an issue that was called spam.
    async fn show_sender(
        &self,
        txn: &mut Txn<'_>,
        project: ProjectId,
        email: &EmailAddress,
    ) -> Result<(), Fault> {
        let key = sender_key(Some(project), &line_of(email));
        let line = txn.get::<Sender>(&key).await?;
        if let Some(line) = line.filter(|line| line.rule == SenderRule::Block && line.issue.is_some()) {
            txn.remove::<Sender>(key);
            txn.deed().senders.push(SenderChange { before: Some(line), after: None });
        }
        Ok(())
    }

    /// Makes of an arrival what it would have become, because somebody said that it is no spam.
    pub(super) async fn ham(
        &self,
        acting: &Acting,
        prepared: &Prepared,
        entry: &IntakeEntry,
        allow: bool,
    ) -> Result<String, Fault> {
        let subject = match entry.raw {
            Some(raw) => self.subject_of(raw).await?,
            None => None,
        };
        let message = prepared.message.as_ref().map_err(|why| {
            Fault::refused(format!("this mail cannot be read: {why}"))
                .hint("`deskbell intake show ID --raw` gives its bytes")
        })?;
        let (_gate, mut txn) = self.begin().await;
        // Read again under the lock: somebody may have decided meanwhile.
        let now = txn.get::<IntakeEntry>(&intake_key(entry.id)).await?;
        if now.is_none_or(|now| now.fate != entry.fate || now.purged) {
            return Err(Fault::refused("somebody decided about this mail at the same moment"));
        }
        let mut passing = self.passing(&mut txn, prepared, message, true).await?;
        if self.staffed(&mut txn, &passing).await?.is_some() {
            return Err(Fault::refused(
                "this mail bears a reply key of the staff, so it was not set aside as spam",
            )
            .hint(format!("`deskbell intake attach {} REF` puts it into an issue", entry.id)));
        }
        passing.verdict.class = MailClass::Person;
        passing.cleared = true;
        let mut made = match entry.issue {
            Some(issue) => self.ham_again(&mut txn, &passing, entry, issue).await?,
            None => self.take_cleared(&mut txn, &passing, entry).await?,
        };
        made.opinions.clone_from(&entry.opinions);
        made.reason = format!("{} said that it is no spam; {}", acting.user.name, made.reason);
        put_arrival(&mut txn, &made)?;
        self.hold_caused(&mut txn, acting).await?;
        if let (Some(project), Some(from)) = (made.project, &passing.from) {
            match allow {
                true => self.allow(&mut txn, acting, project, &from.email).await?,
                false => self.show_sender(&mut txn, project, &from.email).await?,
            }
        }
        if let Some(subject) = &subject {
            self.teach(&mut txn, subject, false, &acting.user.name).await?;
        }
        let label = format!("said that the mail {} is no spam", entry.id);
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = made.fate == Fate::Issue;
        let change = ArrivalChange { id: entry.id, fate: entry.fate, reason: entry.reason.clone() };
        txn.deed().arrivals.push(change);
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(label)
    }

    async fn take_cleared(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        entry: &IntakeEntry,
    ) -> Result<IntakeEntry, Fault> {
        if let Some((rating, key)) = self.rating(txn, passing).await? {
            return self.rate(txn, passing, Some(entry), rating, &key).await;
        }
        let mut targets = self.targets(txn, passing).await?;
        let meant = targets.iter().position(|target| target.project() == entry.project);
        let target = match (meant, entry.project) {
            (Some(at), _) => targets.swap_remove(at),
            (None, Some(project)) => Target::Project(project, None),
            (None, None) => Target::Nowhere("none of its addresses belongs to a project".to_owned()),
        };
        let made = self.take_to(txn, passing, Some(entry), target).await?;
        if let (Fate::Issue, Some(id)) = (made.fate, made.issue) {
            let issue = self.load_issue(txn, id).await?;
            // It counts as opened from spam, so that taking it back makes it spam again and stops its mail.
            let mut before = issue.clone();
            set_spam(&mut before, true, txn.now);
            close(&mut before, txn.now);
            txn.put_issue(Some(&before), &issue)?;
        }
        Ok(made)
    }

    /// Opens the issue again that a mail had become before that was taken back.
    async fn ham_again(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        entry: &IntakeEntry,
        id: IssueId,
    ) -> Result<IntakeEntry, Fault> {
        let before = self.load_issue(txn, id).await?;
        let project = self.load_project(txn, before.project).await?;
        let mut issue = before.clone();
        set_spam(&mut issue, false, txn.now);
        issue.updated_at = txn.now;
        txn.put_issue(Some(&before), &issue)?;
        let page = self.inner.store.scan::<OutboxEntry>(&[], None, WINDOW, Direction::Down).await;
        let thanked = |row: &OutboxEntry| {
            row.issue == Some(id) && row.kind == MailKind::ThankYou && row.state != OutboxState::Cancelled
        };
        let reason = match page.map_err(txn::store_fault)?.iter().any(|kept| thanked(&kept.record)) {
            true => "its acknowledgement went out before".to_owned(),
            false => self.acknowledge(txn, passing, &project, &issue).await?,
        };
        Ok(IntakeEntry { fate: Fate::Issue, reason, spam_since: None, ..entry.clone() })
    }

    /// Holds the mail that this step caused for the undo window of whoever acts.
    async fn hold_caused(&self, txn: &mut Txn<'_>, acting: &Acting) -> Result<(), Fault> {
        let Some(hold) = self.hold(acting, None) else { return Ok(()) };
        for id in txn.deed().outbox.clone() {
            let Some(mut row) = txn.get::<OutboxEntry>(&outbox_key(id)).await? else { continue };
            if row.state == OutboxState::Queued {
                row.state = OutboxState::Held;
                row.held_until = txn.now.checked_add(hold).ok();
                super::outbox::put_entry(txn, &row)?;
            }
        }
        Ok(())
    }

    async fn allow(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        project: ProjectId,
        email: &EmailAddress,
    ) -> Result<(), Fault> {
        let sender = Sender {
            project: Some(project),
            pattern: line_of(email),
            rule: SenderRule::Allow,
            by: acting.user.name.clone(),
            at: txn.now,
            issue: None,
        };
        self.write_sender(txn, sender).await
    }

    /// Puts the sender of a mail on the list of the project it was for, whatever became of the mail; on
    /// the desk's where no project is known. The mail itself stays what it is.
    pub(super) async fn list_sender(
        &self,
        acting: &Acting,
        id: IntakeId,
        rule: SenderRule,
    ) -> Result<Response, Fault> {
        let entry = self.stored_intake(id).await?;
        let projects = self.all_projects().await?;
        let email = entry.from.as_deref().and_then(address_in).ok_or_else(|| {
            Fault::refused("this mail names no sender that a list could hold")
                .hint("`deskbell sender block 'header:Name=pattern'` goes by a header instead")
        })?;
        if self.inner.ways.is_ours(&email, &projects) {
            return Err(Fault::refused(format!("{email} is an address of this desk")));
        }
        let home = match (entry.project, entry.issue) {
            (None, Some(issue)) => self.opening_project(issue).await?,
            (project, _) => project,
        };
        let project = home.or(match projects.as_slice() {
            [only] => Some(only.id),
            _ => None,
        });
        if project.is_none() && !acting.user.owner {
            let words = "no project is known for this mail, and only an owner changes the desk's list";
            return Err(Fault::new(FaultKind::NotAllowed, words)
                .hint("`deskbell sender allow` and `block` take --project PATH"));
        }
        self.list_line(acting, project, line_of(&email), rule).await
    }

    async fn opening_project(&self, issue: IssueId) -> Result<Option<ProjectId>, Fault> {
        let kept = self.inner.store.get::<Issue>(&issue_key(issue)).await.map_err(txn::store_fault)?;
        Ok(kept.map(|kept| kept.record.project))
    }

    /// Makes an arrival what it was before somebody said that it is no spam. It keeps the issue that it
    /// had become, which counts as spam again.
    pub(super) async fn restore_arrival(
        &self,
        txn: &mut Txn<'_>,
        change: &ArrivalChange,
    ) -> Result<(), Fault> {
        let Some(mut entry) = txn.get::<IntakeEntry>(&intake_key(change.id)).await? else { return Ok(()) };
        entry.fate = change.fate;
        entry.reason.clone_from(&change.reason);
        entry.spam_since = (change.fate == Fate::Spam).then_some(txn.now);
        put_arrival(txn, &entry)
    }
}

/// Finds the address in `Ada <ada@example.com>`; what a name says in brackets of its own does not count.
fn address_in(from: &str) -> Option<EmailAddress> {
    let inner = from.trim_end().strip_suffix('>').and_then(|rest| rest.rsplit_once('<'));
    EmailAddress::parse(inner.map_or(from, |(_, address)| address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_sender_is_the_one_behind_the_name() {
        for (from, expected) in [
            ("ada@example.com", Some("ada@example.com")),
            ("Ada <ada@example.com>", Some("ada@example.com")),
            ("\"boss <boss@example.com>\" <ada@example.com>", Some("ada@example.com")),
            ("Ada <>", None),
            ("Ada", None),
            ("", None),
        ] {
            assert_eq!(address_in(from), expected.and_then(EmailAddress::parse), "{from}");
        }
    }
}
