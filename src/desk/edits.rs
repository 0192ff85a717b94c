//! Changes to issues: one commit for all of them, one verb to take back.

use super::issues::{close, open_again, participant, reopen, stand, tidy_title, turn};
use super::lessons::Subject;
use super::rules::Cause;
use super::txn::Txn;
use super::{Acting, Desk};
use crate::domain::counted;
use crate::domain::moment::work_in_words;
use crate::domain::{
    Edit, EmailAddress, Fault, Issue, IssueId, IssueKind, MailKind, Mailbox, Participant, ParticipantRole,
    Party, Project, Reference, Response, Role, State, Status, User, Via,
};
use crate::store::record::issue_key;
use jiff::Timestamp;

/// Longest label, in characters.
const LABEL: usize = 255;

impl Desk {
    pub(super) async fn edit(
        &self,
        acting: &Acting,
        references: &[Reference],
        edits: &[Edit],
    ) -> Result<Response, Fault> {
        if references.is_empty() || edits.is_empty() {
            return Err(Fault::usage("there is nothing to change").hint("name an issue and a change"));
        }
        let mut all = self.each_of(acting, references, Role::Reporter).await?;
        let subjects = self.subjects_of(&all.ids(), edits).await?;
        let (_gate, mut txn) = self.begin().await;
        self.check_people(&mut txn, edits).await?;
        txn.fetch::<Issue>(all.ids().into_iter().map(issue_key)).await?;
        let mut iids = Vec::with_capacity(all.found.len());
        for (id, reference) in std::mem::take(&mut all.found) {
            txn.begin_part();
            match self.edit_one(&mut txn, acting, id, edits, subjects.get(&id)).await {
                Ok(iid) => {
                    txn.keep_part();
                    iids.push(iid);
                    all.found.push((id, reference));
                }
                Err(fault) => {
                    txn.give_up_part();
                    all.fail(reference, fault)?;
                }
            }
        }
        all.refuse_if_none()?;
        let (ids, label) = (all.ids(), label(edits, &iids));
        if txn.changes().is_empty() {
            // A verb that changed nothing must not stand in the way of undo.
            let words = format!("nothing to change: {label} before");
            return match acting.via {
                Via::Tui if all.failed.is_empty() => Err(Fault::refused(words)),
                _ => Ok(self.edited(acting, &ids, words).but(all.failed)),
            };
        }
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = true;
        txn.deed().issues.clone_from(&ids);
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(self.edited(acting, &ids, label).but(all.failed))
    }

    /// Carries out edits on one issue as part of a step; gives its number.
    pub(super) async fn edit_one(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        id: IssueId,
        edits: &[Edit],
        subject: Option<&Subject>,
    ) -> Result<u64, Fault> {
        let before = self.load_issue(txn, id).await?;
        if let Some(edit) = alone(edits)? {
            Box::pin(self.reshape(txn, acting, &before, edit)).await?;
            return Ok(before.iid);
        }
        let mut issue = before.clone();
        // What is rare is kept apart, so that the step of every change stays small on the stack.
        for edit in edits {
            match edit {
                Edit::DuplicateOf(other) => {
                    Box::pin(self.mark_duplicate(txn, acting, &mut issue, other)).await?
                }
                Edit::Link(other) => Box::pin(self.link(txn, acting, &mut issue, other, true)).await?,
                Edit::Unlink(other) => Box::pin(self.link(txn, acting, &mut issue, other, false)).await?,
                Edit::MoveTo(path) => Box::pin(self.move_to(txn, acting, &mut issue, path)).await?,
                edit => apply(&mut issue, edit, &acting.user, txn.now)?,
            }
        }
        let project = self.load_project(txn, issue.project).await?;
        issue.updated_at = txn.now;
        let mark = txn.changes().len();
        txn.put_issue(Some(&before), &issue)?;
        if txn.changes().len() == mark {
            txn.put(&before)?;
            return Ok(issue.iid);
        }
        self.note_changes(txn, &mut issue, &acting.user.name).await?;
        txn.put(&issue)?;
        self.welcome_added(txn, acting, &project, &before, &issue).await?;
        if before.spam != issue.spam {
            Box::pin(self.spam_decided(txn, acting, &issue, subject)).await?;
            // Nobody was told that it was closed as spam.
            return Ok(before.iid);
        }
        let told = match (before.state, issue.state) {
            (State::Open, State::Closed) => Some(MailKind::Closed),
            (State::Closed, State::Open) => Some(MailKind::Reopened),
            _ => None,
        };
        if let Some(kind) = told {
            self.tell_of_state(txn, &project, &issue, kind).await?;
        }
        // No rule sets off another.
        if acting.via != Via::Rule {
            Box::pin(self.run_rules(txn, id, Cause::change(self.hold(acting, None)))).await?;
        }
        Ok(before.iid)
    }

    /// Carries out what reaches further than the issue itself: merging, parting, splitting.
    async fn reshape(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        issue: &Issue,
        edit: &Edit,
    ) -> Result<(), Fault> {
        match edit {
            Edit::MergeInto(into) => {
                let into = self.resolve_beside(&acting.rights, issue, into).await?;
                self.merge_one(txn, acting, issue.id, into).await?;
                txn.deed().merged.push(issue.id);
            }
            Edit::Part(other) => self.part_from(txn, acting, issue, other).await?,
            Edit::Split { notes, title } => {
                self.split_one(txn, acting, issue.id, notes, title.as_deref()).await?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn edited(&self, acting: &Acting, ids: &[IssueId], label: String) -> Response {
        let rows = self.inner.index.rows(ids, &self.viewer(acting));
        Response::Edited { rows, label, failed: Vec::new(), held_until: None }
    }

    /// Refuses assignees that do not exist and participants that are the desk itself.
    pub(super) async fn check_people(&self, txn: &mut Txn<'_>, edits: &[Edit]) -> Result<(), Fault> {
        let projects = self.all_projects().await?;
        for edit in edits {
            match edit {
                Edit::Assign(name) if name != "me" => {
                    self.known_user(txn, name).await?;
                }
                Edit::AddEmail(email) | Edit::Subscribe(email) | Edit::ConvertToTicket(email)
                    if self.inner.ways.is_ours(email, &projects) =>
                {
                    return Err(Fault::refused(format!("{email} is an address of this desk")));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Desk {
    /// Greets the outside people whom the staff made participants.
    async fn welcome_added(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        project: &Project,
        before: &Issue,
        issue: &Issue,
    ) -> Result<(), Fault> {
        let new = |person: &&Participant| {
            person.role == ParticipantRole::Cc && before.participant(&person.email).is_none()
        };
        let people: Vec<Mailbox> = issue.subscribers().filter(new).map(Participant::mailbox).collect();
        self.greet(txn, project, issue, people, self.hold(acting, None)).await
    }
}

fn apply(issue: &mut Issue, edit: &Edit, user: &User, now: Timestamp) -> Result<(), Fault> {
    match edit {
        Edit::Close if issue.state == State::Open => close(issue, now),
        Edit::Reopen if issue.state == State::Closed => reopen(issue, now),
        Edit::Close | Edit::Reopen => {}
        Edit::Title(title) => issue.title = checked_title(title)?,
        Edit::Label(label) => {
            issue.labels.insert(checked_label(label)?);
        }
        Edit::Unlabel(label) => {
            issue.labels.remove(label.trim());
        }
        Edit::Assign(name) if name == "me" => issue.assignee = Some(user.name.clone()),
        Edit::Assign(name) => issue.assignee = Some(name.clone()),
        Edit::Unassign => issue.assignee = None,
        Edit::Confidential(yes) => issue.confidential = *yes,
        Edit::AddEmail(email) => add_person(issue, email),
        Edit::RemoveEmail(email) => issue.participants.retain(|p| &p.email != email),
        Edit::Subscribe(email) => subscribe(issue, email, true)?,
        Edit::Unsubscribe(email) => subscribe(issue, email, false)?,
        Edit::Priority(priority) => issue.priority = *priority,
        Edit::Status(status) => set_status(issue, *status, now),
        Edit::Due(due) => issue.due_at = *due,
        Edit::Milestone(name) => issue.milestone.clone_from(name),
        Edit::Weight(weight) => issue.weight = *weight,
        Edit::Snooze(until) => issue.snoozed_until = *until,
        Edit::Spam(spam) => set_spam(issue, *spam, now),
        Edit::Kind(kind) => set_kind(issue, *kind)?,
        Edit::Relabel(labels) => {
            issue.labels = labels.iter().map(|label| checked_label(label)).collect::<Result<_, _>>()?;
        }
        Edit::ConvertToTicket(email) => make_ticket(issue, email),
        Edit::Estimate(seconds) => issue.estimate = *seconds,
        Edit::Spend(seconds) => spend(issue, *seconds)?,
        // They need the other issue, and are done elsewhere.
        Edit::DuplicateOf(_) | Edit::MergeInto(_) | Edit::MoveTo(_) | Edit::Link(_) | Edit::Unlink(_) => {}
        Edit::Split { .. } | Edit::Part(_) => {}
    }
    Ok(())
}

/// Gives what changes more than the issue itself; with other changes beside it, it is refused.
fn alone(edits: &[Edit]) -> Result<Option<&Edit>, Fault> {
    let reshapes = |edit: &&Edit| matches!(edit, Edit::MergeInto(_) | Edit::Part(_) | Edit::Split { .. });
    match (edits.iter().find(reshapes), edits.len()) {
        (Some(edit), 2..) => {
            let what = match edit {
                Edit::Split { .. } => "a split",
                Edit::Part(_) => "an unmerge",
                _ => "a merge",
            };
            Err(Fault::usage(format!("{what} stands alone")).hint("change the issue before, or afterwards"))
        }
        (edit, _) => Ok(edit),
    }
}

fn set_status(issue: &mut Issue, status: Status, now: Timestamp) {
    match (issue.state, status) {
        (State::Open, Status::Closed) => close(issue, now),
        (State::Closed, Status::Closed) => {}
        (State::Closed, _) => reopen(issue, now),
        (State::Open, _) => {}
    }
    stand(issue, status, now);
    issue.idle_warned_at = None;
    if status == Status::Pending {
        turn(issue, Some(Party::Them), now);
    }
}

pub(super) fn set_spam(issue: &mut Issue, spam: bool, now: Timestamp) {
    if issue.spam == spam {
        return;
    }
    issue.spam = spam;
    issue.spam_since = spam.then_some(now);
    if spam && issue.state == State::Open {
        close(issue, now);
    } else if !spam {
        open_again(issue, now);
    }
}

fn set_kind(issue: &mut Issue, kind: IssueKind) -> Result<(), Fault> {
    if kind == IssueKind::Ticket && issue.requester().is_none() {
        return Err(
            Fault::refused("a ticket needs an outside person").hint("add one first: `--add-email ADDRESS`")
        );
    }
    issue.kind = kind;
    Ok(())
}

/// Makes it a ticket of this person; who asked before stays as a participant.
fn make_ticket(issue: &mut Issue, email: &EmailAddress) {
    issue.kind = IssueKind::Ticket;
    for person in &mut issue.participants {
        match &person.email == email {
            true => (person.role, person.subscribed) = (ParticipantRole::Requester, true),
            false if person.role == ParticipantRole::Requester => person.role = ParticipantRole::Cc,
            false => {}
        }
    }
    if issue.participant(email).is_none() {
        issue.participants.insert(0, participant(None, email.clone(), ParticipantRole::Requester));
    }
}

fn spend(issue: &mut Issue, seconds: i64) -> Result<(), Fault> {
    let spent = issue.spent.saturating_add(seconds);
    if spent < 0 {
        let had = work_in_words(issue.spent);
        return Err(Fault::refused(format!("only {had} were spent on #{}", issue.iid)));
    }
    issue.spent = spent;
    Ok(())
}

fn add_person(issue: &mut Issue, email: &EmailAddress) {
    match issue.participants.iter_mut().find(|p| &p.email == email) {
        Some(known) => known.subscribed = true,
        None => {
            let role =
                if issue.participants.is_empty() { ParticipantRole::Requester } else { ParticipantRole::Cc };
            issue.participants.push(participant(None, email.clone(), role));
        }
    }
}

fn subscribe(issue: &mut Issue, email: &EmailAddress, on: bool) -> Result<(), Fault> {
    let person = issue.participants.iter_mut().find(|p| &p.email == email).ok_or_else(|| {
        Fault::not_found(format!("{email} does not take part in #{}", issue.iid))
            .hint("`--add-email` makes somebody a participant")
    })?;
    person.subscribed = on;
    if on && person.role == ParticipantRole::Stranger {
        person.role = ParticipantRole::Cc;
    }
    Ok(())
}

fn checked_title(title: &str) -> Result<String, Fault> {
    if title.trim().is_empty() {
        return Err(Fault::usage("the title is empty"));
    }
    Ok(tidy_title(title))
}

pub(super) fn checked_label(label: &str) -> Result<String, Fault> {
    let tidy = crate::mail::sanitize_line(label);
    let tidy = tidy.trim();
    if tidy.is_empty() || tidy.chars().count() > LABEL || tidy.contains(',') {
        return Err(
            Fault::usage(format!("`{tidy}` cannot be a label")).hint("use 1 to 255 characters, no comma")
        );
    }
    Ok(tidy.to_owned())
}

/// Says what was done, for a status line: `closed #12`, `assigned 3 issues`.
pub(super) fn label(edits: &[Edit], iids: &[u64]) -> String {
    let mut words: Vec<String> = edits.iter().map(verb).collect();
    words.dedup();
    let object = match iids {
        [only] => format!("#{only}"),
        many => counted(many.len(), "issue"),
    };
    match words.as_slice() {
        [only] => format!("{only} {object}"),
        several => {
            let alone = |words: &String| {
                let words = words.trim_end_matches(':');
                [" of", " to", " from", " on"]
                    .iter()
                    .find_map(|end| words.strip_suffix(end))
                    .unwrap_or(words)
                    .to_owned()
            };
            let several: Vec<String> = several.iter().map(alone).collect();
            format!("{}: {object}", several.join(", "))
        }
    }
}

fn verb(edit: &Edit) -> String {
    match edit {
        Edit::Close => "closed".into(),
        Edit::Reopen => "reopened".into(),
        Edit::Title(_) => "renamed".into(),
        Edit::Label(label) => format!("labelled {label}:"),
        Edit::Unlabel(label) => format!("took the label {label} from"),
        Edit::Assign(_) => "assigned".into(),
        Edit::Unassign => "unassigned".into(),
        Edit::Confidential(true) => "made confidential".into(),
        Edit::Confidential(false) => "made visible".into(),
        Edit::AddEmail(email) => format!("added {email} to"),
        Edit::RemoveEmail(email) => format!("removed {email} from"),
        Edit::Subscribe(email) => format!("subscribed {email} to"),
        Edit::Unsubscribe(email) => format!("unsubscribed {email} from"),
        Edit::Priority(_) => "prioritised".into(),
        Edit::Status(_) => "set the status of".into(),
        Edit::Due(_) => "set the due date of".into(),
        Edit::Milestone(_) => "set the milestone of".into(),
        Edit::Weight(_) => "weighed".into(),
        Edit::Snooze(Some(_)) => "snoozed".into(),
        Edit::Snooze(None) => "woke".into(),
        Edit::Spam(true) => "marked as spam:".into(),
        Edit::Spam(false) => "said is no spam:".into(),
        Edit::Kind(_) => "changed the type of".into(),
        Edit::Relabel(_) => "relabelled".into(),
        Edit::ConvertToTicket(email) => format!("made a ticket of {email}:"),
        Edit::Estimate(_) => "estimated".into(),
        Edit::Spend(seconds) => format!("noted {} on", work_in_words(*seconds)),
        Edit::MergeInto(other) => format!("merged into {other}:"),
        Edit::Split { notes, .. } => format!("split {} out of", counted(notes.len(), "note")),
        Edit::Part(other) => format!("parted {other} from"),
        Edit::MoveTo(path) => format!("moved to {path}:"),
        Edit::Link(other) => format!("linked to {other}:"),
        Edit::Unlink(other) => format!("unlinked from {other}:"),
        Edit::DuplicateOf(other) => format!("closed as a duplicate of {other}:"),
    }
}
