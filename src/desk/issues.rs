//! Issues that staff open, and notes that staff write.

use super::edits::label;
use super::lessons::Subject;
use super::letters::Draughted;
use super::rules::Cause;
use super::txn::Txn;
use super::{Acting, Desk, txn};
use crate::domain::counted;
use crate::domain::quick::{QuickText, quick_text};
use crate::domain::refuse_unfilled;
use crate::domain::{
    Attachment, Author, Draft, DraftKind, Edit, EmailAddress, Fault, FaultKind, Issue, IssueId, IssueKind,
    MailKind, Mailbox, NewIssue, NewNote, Note, NoteId, NoteKind, OutboxState, Participant, ParticipantRole,
    Party, Project, Reference, Response, Role, State, Status, Upload, Via,
};
use crate::mail;
use crate::store::record::{Number, ReadMark, draft_key};
use jiff::{SignedDuration, Timestamp};

/// Longest title, in characters (as GitLab has it).
pub(super) const TITLE: usize = 255;
/// Octets of a note that somebody types.
const TEXT: usize = 1 << 20;
/// The longest time for which a send can be held: a year.
const LONGEST_HOLD: u64 = 366 * 24 * 3600 * 1000;

impl Desk {
    /// Gives a new issue its numbers. The caller puts it once it is filled.
    pub(super) async fn number_issue(
        &self,
        txn: &mut Txn<'_>,
        project: &mut Project,
        title: &str,
    ) -> Result<Issue, Fault> {
        let iid = project.next_iid;
        project.next_iid += 1;
        txn.put(project)?;
        let id = txn.next_issue().await?;
        txn.put(&Number { project: project.id, iid, issue: id })?;
        Ok(Issue {
            id,
            project: project.id,
            iid,
            kind: IssueKind::Ticket,
            title: tidy_title(title),
            state: State::Open,
            status: Status::Open,
            author: Author::system(),
            confidential: project.settings.confidential,
            labels: project.settings.labels.iter().cloned().collect(),
            assignee: project.settings.assignee.clone(),
            priority: None,
            created_at: txn.now,
            updated_at: txn.now,
            closed_at: None,
            due_at: None,
            waiting_on: None,
            waiting_since: None,
            snoozed_until: None,
            spam: false,
            participants: Vec::new(),
            links: Vec::new(),
            mailbox: None,
            arrived_to: None,
            notes: 0,
            last_note: None,
            merged_into: None,
            was_open: false,
            split_from: None,
            split_into: Vec::new(),
            reopened_at: None,
            rating: None,
            brought: Vec::new(),
            milestone: None,
            weight: None,
            estimate: None,
            spent: 0,
            spam_since: None,
            purged: false,
            idle_warned_at: None,
            status_since: None,
            consulted: Vec::new(),
            stood: Vec::new(),
            turns: Vec::new(),
            clock_told: None,
        })
    }

    pub(super) async fn new_issue(&self, acting: &Acting, new: NewIssue) -> Result<Response, Fault> {
        check_text(&new.text)?;
        let quick = quick_text(&new.text, self.now(), &self.time_zone().await?)?;
        let project = self.project_by_path(&acting.rights, &new.project).await?;
        if !quick.is_plain() {
            self.demand(acting, &project, Role::Reporter)?;
        }
        let project_id = project.id;
        let (_gate, mut txn) = self.begin().await;
        self.check_people(&mut txn, &quick.edits).await?;
        let mut project = self.load_project(&mut txn, project_id).await?;
        if new.to.is_some() {
            refuse_unfilled(&quick.text)?;
            refuse_disabled(&project)?;
        }
        let mut issue = self.number_issue(&mut txn, &mut project, &new.title).await?;
        issue.author = Author::staff(&acting.user);
        issue.kind = if new.to.is_some() { IssueKind::Ticket } else { IssueKind::Issue };
        issue.participants =
            new.to.iter().map(|to| participant(None, to.clone(), ParticipantRole::Requester)).collect();
        issue.mailbox.clone_from(&project.settings.mailbox);
        let kind = if new.to.is_some() { NoteKind::Reply } else { NoteKind::Internal };
        let mut note = staff_note(&mut txn, &issue, acting, kind, &quick.text).await?;
        note.why = Some("it opened the issue".to_owned());
        let hold = self.hold(acting, new.hold_ms);
        if new.to.is_some() {
            let to = Addressees { cc: quick.cc, without: Vec::new() };
            self.mail_note(&mut txn, &mut issue, &project, &note, to, &[], hold, acting).await?;
            turn(&mut issue, Some(Party::Them), txn.now);
            issue.note_reply(txn.now);
        } else {
            turn(&mut issue, Some(Party::Us), txn.now);
        }
        txn.add_note(&mut issue, &note)?;
        // It counts as opened from closed, so that taking it back closes it and stops its mail.
        let mut before = issue.clone();
        close(&mut before, txn.now);
        txn.put_issue(Some(&before), &issue)?;
        if !quick.edits.is_empty() {
            Box::pin(self.edit_one(&mut txn, acting, issue.id, &quick.edits, None)).await?;
        }
        self.mark_seen(&mut txn, acting, issue.id).await?;
        txn.remove::<Draft>(draft_key(&acting.user.name, None, DraftKind::Issue));
        txn.deed().undoable = true;
        txn.deed().label = format!("opened {}", super::letters::reference(&project, &issue));
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(Response::Issue(Box::new(self.issue_view(acting, issue.id).await?)))
    }

    pub(super) async fn again_issue(
        &self,
        acting: &Acting,
        done: &crate::domain::Verb,
    ) -> Result<Response, Fault> {
        let id = done.deed.issues.first().ok_or_else(|| super::missing("the issue of a repeated request"))?;
        Ok(Response::Issue(Box::new(self.issue_view(acting, *id).await?)))
    }

    pub(super) async fn add_note(&self, acting: &Acting, new: NewNote) -> Result<Response, Fault> {
        check_text(&new.text)?;
        let quick = self.quick(&new).await?;
        let asks = !quick.is_plain();
        let id = self.resolve(&acting.rights, &new.reference).await?;
        if asks {
            self.demand(acting, &self.project_of_issue(id).await?, Role::Reporter)?;
        }
        if quick.text.trim().is_empty() && new.attach.is_empty() {
            return self.only_act(acting, id, &new, &quick.edits).await;
        }
        let files = named_files(&new.attach);
        let written = quick.text.clone();
        let subjects = self.subjects_of(&[id], &quick.edits).await?;
        let (_gate, mut txn) = self.begin().await;
        self.check_people(&mut txn, &quick.edits).await?;
        let (label, note) =
            self.note_in(&mut txn, acting, id, &new, quick, &files, subjects.get(&id)).await?;
        txn.remove::<Draft>(draft_key(&acting.user.name, Some(id), draft_kind(&new)));
        txn.deed().label = label;
        txn.deed().note = Some(note);
        // With its quick actions, for whoever takes it back.
        txn.deed().text = Some(new.text.clone()).filter(|text| text.trim() != written.trim());
        txn.deed().undoable = true;
        let deed = txn.deed().clone();
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.noted(acting, &deed).await
    }

    /// Carries out what a note asks for, then the rules: the note alone is a change.
    pub(super) async fn act_with_note(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        id: IssueId,
        edits: &[Edit],
        subject: Option<&Subject>,
    ) -> Result<(), Fault> {
        let mark = txn.changes().len();
        if !edits.is_empty() {
            Box::pin(self.edit_one(txn, acting, id, edits, subject)).await?;
        }
        if txn.changes().len() == mark {
            Box::pin(self.run_rules(txn, id, Cause::change(self.hold(acting, None)))).await?;
        }
        Ok(())
    }

    /// Writes a note and does what its text asks for, as part of a step; says what to call it.
    #[allow(clippy::too_many_arguments)]
    pub(super) async fn note_in(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        id: IssueId,
        new: &NewNote,
        quick: QuickText,
        files: &[(String, String, Vec<u8>)],
        subject: Option<&Subject>,
    ) -> Result<(String, NoteId), Fault> {
        let before = self.load_issue(txn, id).await?;
        let project = self.load_project(txn, before.project).await?;
        self.refuse_stale(txn, acting, &before, new).await?;
        let mut issue = before.clone();
        let kind = if new.internal { NoteKind::Internal } else { NoteKind::Reply };
        let mut note = staff_note(txn, &issue, acting, kind, &quick.text).await?;
        let cc: Vec<EmailAddress> = new.cc.iter().chain(&quick.cc).cloned().collect();
        note.cc.clone_from(&cc);
        note.attachments = self.keep_files(files).await?;
        if kind == NoteKind::Reply {
            refuse_disabled(&project)?;
            let to = Addressees { cc, without: new.without.clone() };
            let hold = self.hold(acting, new.hold_ms);
            self.mail_note(txn, &mut issue, &project, &note, to, files, hold, acting).await?;
            replied(&mut issue, &project, txn.now);
        }
        txn.add_note(&mut issue, &note)?;
        txn.put_issue(Some(&before), &issue)?;
        self.act_with_note(txn, acting, id, &quick.edits, subject).await?;
        self.mark_seen(txn, acting, id).await?;
        let what = if new.internal { "commented on" } else { "answered" };
        let further = match quick.edits.as_slice() {
            [] => String::new(),
            edits => format!(" and {}", label(edits, &[issue.iid])),
        };
        Ok((format!("{what} #{}{further}", issue.iid), note.id))
    }

    /// Takes the quick actions out of a note's text; one that closes stands behind them. Refuses a note
    /// with nothing in it.
    pub(super) async fn quick(&self, new: &NewNote) -> Result<QuickText, Fault> {
        let mut quick = quick_text(&new.text, self.now(), &self.time_zone().await?)?;
        if !quick.cc.is_empty() && new.internal {
            return Err(Fault::usage("an internal comment is mailed to nobody, so `/cc` does nothing")
                .hint("write a reply, or take the line out"));
        }
        if quick.text.trim().is_empty() && new.attach.is_empty() && quick.edits.is_empty() {
            return Err(Fault::usage("the note is empty").hint("write something, or attach a file"));
        }
        if !new.internal {
            refuse_unfilled(&quick.text)?;
        }
        if new.close {
            quick.edits.push(Edit::Close);
        }
        quick.edits.extend(new.status.map(Edit::Status));
        Ok(quick)
    }

    /// Carries out the quick actions of a text that holds nothing else. It makes no note.
    async fn only_act(
        &self,
        acting: &Acting,
        id: IssueId,
        new: &NewNote,
        edits: &[Edit],
    ) -> Result<Response, Fault> {
        let subjects = self.subjects_of(&[id], edits).await?;
        let (_gate, mut txn) = self.begin().await;
        self.check_people(&mut txn, edits).await?;
        let iid = Box::pin(self.edit_one(&mut txn, acting, id, edits, subjects.get(&id))).await?;
        let label = label(edits, &[iid]);
        if txn.changes().is_empty() {
            return Err(Fault::refused(format!("nothing to change: {label} before")));
        }
        txn.remove::<Draft>(draft_key(&acting.user.name, Some(id), draft_kind(new)));
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = true;
        txn.deed().issues = vec![id];
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(self.edited(acting, &[id], label))
    }

    /// Counts everything in an issue as seen by whoever acts.
    pub(super) async fn mark_seen(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        id: IssueId,
    ) -> Result<(), Fault> {
        let issue = self.load_issue(txn, id).await?;
        let note = issue.last_note.unwrap_or(NoteId(0));
        txn.put(&ReadMark { user: acting.user.name.clone(), issue: id, note })
    }

    /// Builds the answer to `AddNote` from what the verb did.
    pub(super) async fn noted(&self, acting: &Acting, deed: &crate::domain::Deed) -> Result<Response, Fault> {
        let issue = deed.issues.first().ok_or_else(|| super::missing("the issue of a note"))?;
        let note = deed.note.ok_or_else(|| super::missing("the note of a verb"))?;
        let issue = self.issue_view(acting, *issue).await?;
        let rows = issue.notes.iter().filter(|n| n.id == note).flat_map(|n| &n.delivery);
        let held_until = rows.filter(|d| d.state == OutboxState::Held).filter_map(|d| d.held_until).max();
        Ok(Response::Noted { issue: Box::new(issue), note, outbox: deed.outbox.clone(), held_until })
    }

    /// Refuses a note whose writer has not seen the latest ones of others.
    async fn refuse_stale(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        issue: &Issue,
        new: &NewNote,
    ) -> Result<(), Fault> {
        let Some(seen) = new.seen.filter(|seen| issue.last_note.is_some_and(|last| last > *seen)) else {
            return Ok(());
        };
        let notes = txn.list::<Note>(&txn::below(issue.id.0)).await?;
        let mine = |n: &Note| n.author.user.as_deref() == Some(acting.user.name.as_str());
        // Where the number led on, that it did counts as news: others may get the note than its writer thinks.
        let led = new.reference.iid != issue.iid;
        let news = |n: &&Note| n.id > seen && (led || n.kind != NoteKind::System && !mine(n));
        let newer: Vec<NoteId> = notes.iter().filter(news).map(|n| n.id).collect();
        if newer.is_empty() {
            return Ok(());
        }
        let message = match led {
            true => format!("#{} leads to #{} since you looked at it", new.reference.iid, issue.iid),
            false => format!("{} since you looked at #{}", counted(newer.len(), "new note"), issue.iid),
        };
        Err(Fault::new(FaultKind::Stale { newer }, message)
            .hint("read what is new, then send anyway or edit"))
    }

    /// Writes a mail to everyone who gets a note.
    #[allow(clippy::too_many_arguments)]
    pub(super) async fn mail_note(
        &self,
        txn: &mut Txn<'_>,
        issue: &mut Issue,
        project: &Project,
        note: &Note,
        to: Addressees,
        files: &[(String, String, Vec<u8>)],
        hold: Option<SignedDuration>,
        acting: &Acting,
    ) -> Result<(), Fault> {
        let held_until = hold.and_then(|hold| txn.now.checked_add(hold).ok());
        let state = if held_until.is_some() { OutboxState::Held } else { OutboxState::Queued };
        let projects = self.all_projects().await?;
        let people = to.of(issue).into_iter().filter(|to| !self.inner.ways.is_ours(&to.email, &projects));
        let people: Vec<Mailbox> = people.collect();
        let joint = self.joint(issue, project, &people)?;
        for to in people {
            let user = Some(acting.user.name.clone());
            let draughted = Draughted {
                kind: MailKind::NewNote,
                issue,
                project,
                note: Some(note),
                to,
                joint: joint.as_ref(),
                files,
                state,
                held_until,
                user,
            };
            self.write_letter(txn, draughted).await?;
        }
        Ok(())
    }

    /// Gives how long a send waits: as asked, else the undo window for the TUI and nothing for commands.
    pub(super) fn hold(&self, acting: &Acting, asked: Option<u64>) -> Option<SignedDuration> {
        let window = u64::try_from(self.inner.ways.undo_window.as_millis()).unwrap_or(0);
        let hold = asked.unwrap_or(if acting.via == Via::Tui { window } else { 0 });
        let hold = i64::try_from(hold.min(LONGEST_HOLD)).unwrap_or(0);
        (hold > 0).then(|| SignedDuration::from_millis(hold))
    }

    pub(super) async fn keep_files(
        &self,
        files: &[(String, String, Vec<u8>)],
    ) -> Result<Vec<Attachment>, Fault> {
        let mut kept = Vec::with_capacity(files.len());
        for (name, media_type, bytes) in files {
            let raw = self.inner.store.stash(bytes.clone()).await.map_err(txn::store_fault)?;
            kept.push(Attachment {
                name: name.clone(),
                media_type: media_type.clone(),
                size: bytes.len() as u64,
                inline: false,
                part: None,
                within: Vec::new(),
                raw: Some(raw),
            });
        }
        Ok(kept)
    }

    pub(super) async fn mark_read(
        &self,
        acting: &Acting,
        reference: &Reference,
        read: bool,
    ) -> Result<Response, Fault> {
        let id = self.resolve(&acting.rights, reference).await?;
        let (_gate, mut txn) = self.begin().await;
        let issue = self.load_issue(&mut txn, id).await?;
        let user = acting.user.name.clone();
        let key = crate::store::record::read_key(&user, id);
        let today = txn.get::<ReadMark>(&key).await?.map(|mark| mark.note);
        let wanted = if read { issue.last_note } else { None };
        if today != wanted {
            txn.put(&ReadMark { user, issue: id, note: wanted.unwrap_or(NoteId(0)) })?;
        }
        self.finish(txn, acting.actor(), None, None).await?;
        Ok(Response::Done)
    }
}

/// Who gets a note beside and without the subscribed participants.
#[derive(Default)]
pub(super) struct Addressees {
    pub cc: Vec<EmailAddress>,
    pub without: Vec<EmailAddress>,
}

impl Addressees {
    fn of(&self, issue: &Issue) -> Vec<Mailbox> {
        let mut to: Vec<Mailbox> = issue
            .subscribers()
            .filter(|p| !self.without.contains(&p.email))
            .map(Participant::mailbox)
            .collect();
        for email in &self.cc {
            if !to.iter().any(|m| &m.email == email) {
                to.push(Mailbox { name: None, email: email.clone() });
            }
        }
        to
    }
}

/// Makes a subscribed participant.
pub(super) fn participant(name: Option<String>, email: EmailAddress, role: ParticipantRole) -> Participant {
    Participant { name, email, subscribed: true, role, address_state: crate::domain::AddressState::Ok }
}

/// Sets whose turn it is, and since when.
pub(super) fn turn(issue: &mut Issue, party: Option<Party>, now: Timestamp) {
    issue.turn(party, now);
}

/// Sets where the work stands, and since when.
pub(super) fn stand(issue: &mut Issue, status: Status, now: Timestamp) {
    if issue.status != status {
        issue.status = status;
        issue.status_since = Some(now);
    }
}

/// Leaves an issue to its people, now that they were answered; the waiting begins anew.
pub(super) fn replied(issue: &mut Issue, project: &Project, now: Timestamp) {
    let open = issue.state == State::Open;
    turn(issue, open.then_some(Party::Them), now);
    issue.note_reply(now);
    issue.idle_warned_at = None;
    if project.settings.pending_on_reply && open {
        stand(issue, Status::Pending, now);
    }
}

/// Closes an issue.
pub(super) fn close(issue: &mut Issue, now: Timestamp) {
    issue.state = State::Closed;
    stand(issue, Status::Closed, now);
    issue.closed_at = Some(now);
    issue.snoozed_until = None;
    issue.idle_warned_at = None;
    turn(issue, None, now);
}

/// Opens an issue again, and remembers when; it is our turn then.
pub(super) fn reopen(issue: &mut Issue, now: Timestamp) {
    open_again(issue, now);
    issue.reopened_at = Some(now);
}

/// Opens an issue that should not have been closed; it is our turn then.
pub(super) fn open_again(issue: &mut Issue, now: Timestamp) {
    issue.state = State::Open;
    stand(issue, Status::Open, now);
    issue.closed_at = None;
    turn(issue, Some(Party::Us), now);
}

/// Makes a title of one line that is not too long; none becomes `(no subject)`.
pub(super) fn tidy_title(text: &str) -> String {
    let line = mail::sanitize_line(text);
    let title: String = line.trim().chars().take(TITLE).collect();
    if title.is_empty() { "(no subject)".to_owned() } else { title }
}

/// A note with nothing in it but a text.
pub(super) fn blank_note(id: NoteId, issue: IssueId, kind: NoteKind, body: String, at: Timestamp) -> Note {
    Note {
        id,
        issue,
        kind,
        author: Author::default(),
        body,
        folded: None,
        html: false,
        reduced: false,
        created_at: at,
        message_id: None,
        in_reply_to: None,
        automatic: false,
        auth: None,
        why: None,
        warnings: Vec::new(),
        attachments: Vec::new(),
        raw: None,
        cc: Vec::new(),
        read: false,
        seal: None,
        came_from: Vec::new(),
        aside: None,
        by_rule: None,
    }
}

fn draft_kind(new: &NewNote) -> DraftKind {
    if new.internal { DraftKind::Internal } else { DraftKind::Reply }
}

pub(super) async fn staff_note(
    txn: &mut Txn<'_>,
    issue: &Issue,
    acting: &Acting,
    kind: NoteKind,
    text: &str,
) -> Result<Note, Fault> {
    let note = blank_note(txn.next_note().await?, issue.id, kind, text.to_owned(), txn.now);
    Ok(Note { author: Author::staff(&acting.user), ..note })
}

pub(super) fn check_text(text: &str) -> Result<(), Fault> {
    if text.len() <= TEXT {
        return Ok(());
    }
    Err(Fault::usage("the text is larger than 1 MiB").hint("attach it as a file instead"))
}

pub(super) fn refuse_disabled(project: &Project) -> Result<(), Fault> {
    if project.enabled {
        return Ok(());
    }
    Err(Fault::refused(format!("Service Desk is off for {}, so nothing is mailed", project.path))
        .hint(format!("write an internal note, or say `deskbell project enable {}`", project.path)))
}

pub(super) fn named_files(uploads: &[Upload]) -> Vec<(String, String, Vec<u8>)> {
    uploads
        .iter()
        .map(|file| {
            let name = mail::safe_file_name(&file.name);
            let media_type = mail::media_type(&name);
            (name, media_type, file.bytes.clone())
        })
        .collect()
}
