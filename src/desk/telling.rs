//! What people are told of a change: mails of the desk's own to participants, small notes in the thread.

use super::issues::blank_note;
use super::letters::Draughted;
use super::txn::Txn;
use super::{Desk, history};
use crate::domain::{
    Author, Change, Fault, Issue, MailKind, Mailbox, Note, NoteKind, OutboxState, Participant, Project,
};
use jiff::SignedDuration;

impl Desk {
    /// Tells the participants that an issue was closed or reopened, if the project wants that.
    pub(super) async fn tell_of_state(
        &self,
        txn: &mut Txn<'_>,
        project: &Project,
        issue: &Issue,
        kind: MailKind,
    ) -> Result<(), Fault> {
        if !project.settings.closed_mail {
            return Ok(());
        }
        let people = issue.subscribers().map(Participant::mailbox).collect();
        self.tell_people(txn, project, issue, kind, people, None).await
    }

    /// Tells the participants that a commit closed an issue, if the project wants that. Where nothing can be
    /// mailed, nobody is told.
    pub(super) async fn tell_of_commit(
        &self,
        txn: &mut Txn<'_>,
        project: &Project,
        issue: &Issue,
    ) -> Result<(), Fault> {
        if !project.settings.tell_on_commit_close || self.way_out(issue, project).is_err() {
            return Ok(());
        }
        let people = issue.subscribers().map(Participant::mailbox).collect();
        self.tell_people(txn, project, issue, MailKind::Closed, people, None).await
    }

    /// Greets people who were made participants. Where nothing can be mailed, nobody is greeted.
    pub(super) async fn greet(
        &self,
        txn: &mut Txn<'_>,
        project: &Project,
        issue: &Issue,
        people: Vec<Mailbox>,
        hold: Option<SignedDuration>,
    ) -> Result<(), Fault> {
        if self.way_out(issue, project).is_err() {
            return Ok(());
        }
        self.tell_people(txn, project, issue, MailKind::NewParticipant, people, hold).await
    }

    /// Warns people that their issue will be closed. Where nothing can be mailed, nobody is warned.
    pub(super) async fn warn_of_idleness(
        &self,
        txn: &mut Txn<'_>,
        project: &Project,
        issue: &Issue,
        people: Vec<Mailbox>,
    ) -> Result<(), Fault> {
        if self.way_out(issue, project).is_err() {
            return Ok(());
        }
        self.tell_people(txn, project, issue, MailKind::IdleWarning, people, None).await
    }

    /// Writes a mail of the desk's own to people, within what the desk may send in an hour.
    async fn tell_people(
        &self,
        txn: &mut Txn<'_>,
        project: &Project,
        issue: &Issue,
        kind: MailKind,
        people: Vec<Mailbox>,
        hold: Option<SignedDuration>,
    ) -> Result<(), Fault> {
        if !project.enabled || issue.spam || people.is_empty() {
            return Ok(());
        }
        let settings = self.desk_settings().await?;
        for to in people {
            let go = self.inner.queue.allow_one_more(&settings);
            let held_until = hold.filter(|_| go).and_then(|hold| txn.now.checked_add(hold).ok());
            let queued = go && held_until.is_none();
            let draughted = Draughted {
                kind,
                issue,
                project,
                note: None,
                to,
                joint: None,
                files: &[],
                state: if queued { OutboxState::Queued } else { OutboxState::Held },
                held_until,
                user: None,
            };
            self.write_letter(txn, draughted).await?;
            if !go {
                self.tell_of_breaker(&settings);
            }
        }
        Ok(())
    }

    /// Writes what this step changed as a small note into the thread.
    pub(super) async fn note_changes(
        &self,
        txn: &mut Txn<'_>,
        issue: &mut Issue,
        who: &str,
    ) -> Result<(), Fault> {
        // They were noted last: among ten thousand issues of one step nobody looks through those of the others.
        // Nor is what a rule changed told of with what set it off.
        let rule = txn.rule();
        let mine = |change: &&Change| change.issue == issue.id && change.rule == rule;
        let last = txn.changes().iter().rev().take_while(mine).count();
        let mine = txn.changes().get(txn.changes().len() - last..).unwrap_or_default().to_vec();
        let Some(sentence) = history::sentence(&mine) else { return Ok(()) };
        let why = txn.rule_in_words();
        self.system_note(txn, issue, format!("{who} {sentence}"), why).await
    }

    /// Writes a small note of the desk's own.
    pub(super) async fn system_note(
        &self,
        txn: &mut Txn<'_>,
        issue: &mut Issue,
        text: String,
        why: Option<String>,
    ) -> Result<(), Fault> {
        let note = Note {
            author: Author::system(),
            why,
            ..blank_note(txn.next_note().await?, issue.id, NoteKind::System, text, txn.now)
        };
        txn.add_note(issue, &note)
    }
}
