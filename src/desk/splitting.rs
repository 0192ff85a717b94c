//! Splitting: notes go out of an issue into a new one of the same project.
//!
//! Answers follow the notes: where the mail of a note was seen, and the mails that carried it out, name the
//! new issue from then on.

use super::issues::{participant, turn};
use super::letters::{is_staff, reference};
use super::notices::lead_notices;
use super::txn::{self, Txn};
use super::{Acting, Desk};
use crate::domain::counted;
use crate::domain::{
    Fault, IntakeEntry, Issue, IssueId, IssueKind, IssueSplit, Note, NoteId, NoteKind, OutboxEntry,
    ParticipantRole, Party, Response, State,
};
use crate::store::record::{Fingerprint, Known, OutboxOfNote, intake_key, note_key, outbox_key, text_key};

impl Desk {
    /// Puts notes of an issue into a new one, whose requester is who wrote the first of them. Nobody is
    /// mailed.
    pub(super) async fn split(&self, acting: &Acting, asked: &IssueSplit) -> Result<Response, Fault> {
        let id = self.resolve(&acting.rights, &asked.reference).await?;
        let (_gate, mut txn) = self.begin().await;
        let (old, new) = self.split_one(&mut txn, acting, id, &asked.notes, asked.title.as_deref()).await?;
        let what = counted(asked.notes.len(), "note");
        txn.deed().label = format!("split {what} out of #{} into #{}", old.iid, new.iid);
        txn.deed().undoable = true;
        txn.deed().issues = vec![new.id, id];
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(Response::Issue(Box::new(self.issue_view(acting, new.id).await?)))
    }

    /// Splits notes out as part of a step; gives the issue that is left, and the new one.
    pub(super) async fn split_one(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        id: IssueId,
        notes: &[NoteId],
        title: Option<&str>,
    ) -> Result<(Issue, Issue), Fault> {
        let before = self.load_issue(txn, id).await?;
        let moving = self.chosen(txn, &before, notes).await?;
        self.refuse_all(txn, &before, &moving).await?;
        let mut project = self.load_project(txn, before.project).await?;
        let title = title.filter(|title| !title.trim().is_empty());
        let mut issue = self.number_issue(txn, &mut project, title.unwrap_or(&before.title)).await?;
        fill(&mut issue, &before, &moving);
        let mut old = before.clone();
        issue.split_from = Some(id);
        old.split_into.push(issue.id);
        self.carry_over(txn, &mut old, &mut issue, &moving).await?;
        let (theirs, ours) = (reference(&project, &issue), reference(&project, &old));
        let who = &acting.user.name;
        let what = counted(moving.len(), "note");
        self.system_note(txn, &mut old, format!("{who} split {what} out into {theirs}"), None).await?;
        self.system_note(txn, &mut issue, format!("{who} split {what} out of {ours}"), None).await?;
        txn.put_issue(None, &issue)?;
        txn.put_issue(Some(&before), &old)?;
        txn.deed().split.push(issue.id);
        Ok((old, issue))
    }

    /// Gives the notes that were chosen; refuses those that are not there.
    pub(super) async fn chosen(
        &self,
        txn: &mut Txn<'_>,
        issue: &Issue,
        asked: &[NoteId],
    ) -> Result<Vec<Note>, Fault> {
        let notes: Vec<Note> = txn.list::<Note>(&txn::below(issue.id.0)).await?;
        let said = |note: &&Note| note.kind != NoteKind::System;
        for id in asked {
            if !notes.iter().filter(said).any(|note| note.id == *id) {
                return Err(Fault::not_found(format!("there is no note {id} in #{}", issue.iid))
                    .hint(format!("`deskbell issue show {}` lists its notes", issue.iid)));
            }
        }
        let chosen: Vec<Note> = notes.iter().filter(|note| asked.contains(&note.id)).cloned().collect();
        match chosen.is_empty() {
            true => Err(Fault::usage("no note is named").hint("name a note of the issue")),
            false => Ok(chosen),
        }
    }

    /// Refuses to leave nothing behind.
    async fn refuse_all(&self, txn: &mut Txn<'_>, issue: &Issue, chosen: &[Note]) -> Result<(), Fault> {
        let notes = txn.list::<Note>(&txn::below(issue.id.0)).await?;
        if chosen.len() < notes.iter().filter(|note| note.kind != NoteKind::System).count() {
            return Ok(());
        }
        Err(Fault::refused(format!("nothing would be left in #{}", issue.iid))
            .hint("leave a note behind, or give the issue another title"))
    }

    /// Moves notes, and all that leads answers to them.
    async fn carry_over(
        &self,
        txn: &mut Txn<'_>,
        from: &mut Issue,
        to: &mut Issue,
        moving: &[Note],
    ) -> Result<(), Fault> {
        for note in moving {
            txn.remove::<Note>(note_key(from.id, note.id));
            txn.put(&Note { issue: to.id, ..note.clone() })?;
            self.lead_answers(txn, note, to.id).await?;
        }
        lead_notices(txn, moving, to.id).await?;
        let left = txn.list::<Note>(&txn::below(from.id.0)).await?;
        from.notes = u32::try_from(left.len()).unwrap_or(u32::MAX);
        from.last_note = left.iter().map(|note| note.id).max();
        to.notes = u32::try_from(moving.len()).unwrap_or(u32::MAX);
        to.last_note = moving.iter().map(|note| note.id).max();
        if from.state == State::Open && left.iter().rfind(|note| is_spoken(note)).is_some_and(answered) {
            turn(from, Some(Party::Them), txn.now);
        }
        Ok(())
    }

    /// Lets answers to a note's mail, and to the mails that carried it out, reach another issue.
    async fn lead_answers(&self, txn: &mut Txn<'_>, note: &Note, to: IssueId) -> Result<(), Fault> {
        let mut seen: Vec<_> = note.message_id.iter().cloned().collect();
        for row in txn.list::<OutboxOfNote>(&txn::below(note.id.0)).await? {
            let Some(mut entry) = txn.get::<OutboxEntry>(&outbox_key(row.outbox)).await? else { continue };
            entry.issue = Some(to);
            seen.push(entry.message_id.clone());
            txn.put(&entry)?;
        }
        for id in seen {
            let Some(mut known) = txn.get::<Known>(&text_key(id.as_str())).await? else { continue };
            for place in known.places.iter_mut().filter(|place| place.note == Some(note.id)) {
                place.issue = to;
            }
            txn.put(&known)?;
        }
        self.lead_arrivals(txn, note, to).await
    }

    /// Names the new issue in the arrivals that became a note.
    async fn lead_arrivals(&self, txn: &mut Txn<'_>, note: &Note, to: IssueId) -> Result<(), Fault> {
        let Some(raw) = note.raw else { return Ok(()) };
        let Some(subject) = self.subject_of(raw).await? else { return Ok(()) };
        let known = txn.get::<Fingerprint>(&text_key(&subject.fingerprint)).await?;
        for id in known.into_iter().flat_map(|known| known.intake) {
            let entry = txn.get::<IntakeEntry>(&intake_key(id)).await?;
            if let Some(entry) = entry.filter(|entry| entry.note == Some(note.id)) {
                txn.put(&IntakeEntry { issue: Some(to), ..entry })?;
            }
        }
        Ok(())
    }

    /// Puts the notes that were split out back, and leaves the number of the new issue as a way there.
    ///
    /// `home` is the issue they came from, where the new one does not name it itself.
    pub(super) async fn unsplit(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        split: IssueId,
        home: Option<&IssueId>,
    ) -> Result<(), Fault> {
        let before = self.load_issue(txn, split).await?;
        let home = before.split_from.or(home.copied());
        let origin = home.ok_or_else(|| super::missing("the issue that was split"))?;
        if before.merged_into.is_some() {
            return Err(Fault::refused("the issue that was split out was merged into another since")
                .hint("part it from that one first: `deskbell issue unmerge`"));
        }
        let home = self.survivor(txn, origin).await?;
        self.merge_one(txn, acting, split, home).await?;
        let whole = self.load_issue(txn, split).await?;
        txn.put_issue(Some(&whole), &Issue { split_from: None, ..whole.clone() })?;
        let mut parent = self.load_issue(txn, origin).await?;
        parent.split_into.retain(|id| *id != split);
        txn.put(&parent)
    }
}

/// Makes the new issue as the old one is, with the people of its notes.
fn fill(issue: &mut Issue, old: &Issue, notes: &[Note]) {
    issue.confidential = old.confidential;
    issue.labels.clone_from(&old.labels);
    issue.assignee.clone_from(&old.assignee);
    issue.priority = old.priority;
    issue.mailbox.clone_from(&old.mailbox);
    issue.arrived_to.clone_from(&old.arrived_to);
    issue.milestone.clone_from(&old.milestone);
    if let Some(first) = notes.first() {
        issue.author = first.author.clone();
        issue.created_at = first.created_at;
    }
    let outside = notes.iter().filter(|note| note.author.is_outside()).map(|note| &note.author);
    for author in outside {
        let Some(email) = &author.email else { continue };
        if issue.participant(email).is_some() {
            continue;
        }
        let role =
            if issue.participants.is_empty() { ParticipantRole::Requester } else { ParticipantRole::Cc };
        let mut person = participant(author.name.clone(), email.clone(), role);
        // Who wants no more mail about the old one wants none about this.
        person.subscribed = old.participant(email).is_none_or(|known| known.subscribed);
        issue.participants.push(person);
    }
    issue.kind = if issue.participants.is_empty() { IssueKind::Issue } else { IssueKind::Ticket };
    let answered = notes.iter().rfind(|note| is_spoken(note)).is_some_and(answered);
    let since = notes.last().map_or(issue.created_at, |note| note.created_at);
    turn(issue, Some(if answered { Party::Them } else { Party::Us }), since);
}

/// Tells whether a note is part of what was said to and fro.
fn is_spoken(note: &Note) -> bool {
    matches!(note.kind, NoteKind::Incoming | NoteKind::Reply) && !note.automatic
}

/// Tells whether a note is ours.
fn answered(note: &Note) -> bool {
    note.kind == NoteKind::Reply && is_staff(&note.author)
}
