//! Undo and redo: the caller's own last verb, field by field, never over somebody else's change.

use super::letters::is_staff;
use super::txn::{self, Txn};
use super::{Acting, Desk, history};
use crate::domain::{
    Change, Deed, Draft, DraftKind, Fault, Issue, IssueId, Note, NoteId, NoteKind, Party, ProjectId,
    Response, Role, Seq, Side, State, Verb,
};
use crate::store::record::{Changed, draft_key, note_key};
use crate::store::{Direction, Key};
use std::collections::{BTreeMap, BTreeSet};

/// How far back a person can go.
const REACH: usize = 500;

impl Desk {
    pub(super) async fn verbs(&self, acting: &Acting, limit: u64) -> Result<Response, Fault> {
        let verbs = self.own_verbs(&acting.user.name).await?;
        let limit = usize::try_from(limit).unwrap_or(REACH);
        let open = |v: &Verb| v.deed.undoable && v.undone_by.is_none() && v.deed.undoes.is_none();
        Ok(Response::Verbs(verbs.into_iter().filter(open).take(limit).collect()))
    }

    async fn own_verbs(&self, user: &str) -> Result<Vec<Verb>, Fault> {
        let mine = Key::new().text(user).octets();
        let page = self.inner.store.scan::<Verb>(&mine, None, REACH, Direction::Down).await;
        Ok(page.map_err(txn::store_fault)?.into_iter().map(|k| k.record).collect())
    }

    /// Takes the caller's last verb back, or this one.
    pub(super) async fn undo(&self, acting: &Acting, which: Option<Seq>) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let mut verb = match which {
            Some(seq) => self.own_verb(acting, seq).await?,
            None => last_done(self.own_verbs(&acting.user.name).await?)?,
        };
        self.still_may(acting, &verb).await?;
        let mut skipped = Vec::new();
        let mut draft = None;
        let out = Box::pin(self.unsend_ruled(&mut txn, &mut verb)).await?;
        for merged in &verb.deed.merged {
            Box::pin(self.unmerge_one(&mut txn, acting, *merged)).await?;
        }
        for (parted, into) in &verb.deed.parted {
            Box::pin(self.rejoin(&mut txn, acting, *parted, *into)).await?;
        }
        for split in &verb.deed.split {
            Box::pin(self.unsplit(&mut txn, acting, *split, verb.deed.issues.last())).await?;
        }
        if !verb.deed.notes.is_empty() {
            draft = Box::pin(self.unsend_many(&mut txn, acting, &mut verb, &mut skipped)).await?;
        } else if let Some(note) = verb.deed.note {
            draft = self.unsend(&mut txn, acting, &verb, note, &mut skipped).await?;
        } else {
            let late = self.cancel_rows(&mut txn, &verb.deed.outbox).await?;
            skipped.extend(late.iter().map(|to| format!("the mail to {to} is already out")));
        }
        // Who was told already hears that it was taken back; who was not hears nothing of either.
        txn.hush = self.cancel_rows(&mut txn, &verb.deed.staff).await?.is_empty();
        if !skipped.is_empty() && verb.deed.notes.is_empty() {
            // The mail is out, so it stays their turn; what else the verb did is taken back.
            verb.changes.retain(|change| !change.field.starts_with("waiting_"));
        }
        let nothing = !skipped.is_empty() && verb.changes.is_empty();
        let word = if nothing { Deed::IN_VAIN } else { "took back" };
        let label = format!("{word}: {}", verb.deed.label);
        skipped.extend(out);
        if !verb.deed.reshapes() {
            self.restore(&mut txn, acting, &verb, true).await?;
        }
        txn.deed().label.clone_from(&label);
        txn.deed().undoes = Some(verb.seq);
        txn.deed().issues.clone_from(&verb.deed.issues);
        self.finish(txn, acting.actor(), Some("undo".to_owned()), Some(acting.request.clone())).await?;
        let issues = first_issues(&verb);
        Ok(Response::Undone { label, skipped, draft, issues })
    }

    pub(super) async fn redo(&self, acting: &Acting) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let verbs = self.own_verbs(&acting.user.name).await?;
        let undone = self.last_undone(&verbs)?;
        if undone.deed.has_notes() {
            return Err(Fault::refused("a note that was taken back is not sent again by itself")
                .hint("its draft is open again: send it from there"));
        }
        if !undone.deed.split.is_empty() {
            return Err(Fault::refused("a split that was taken back is not done again by itself")
                .hint("split the notes out once more"));
        }
        if !undone.deed.parted.is_empty() {
            return Err(Fault::refused("a parting that was taken back is not done again by itself")
                .hint("part them once more: `deskbell issue unmerge`"));
        }
        if !undone.deed.merged.is_empty() {
            return Err(Fault::refused("a merge that was taken back is not done again by itself")
                .hint("merge them once more"));
        }
        if let Some(arrival) = undone.deed.arrivals.first() {
            return Err(Fault::refused("a mail that was taken back is not answered again by itself")
                .hint(format!("`deskbell intake ham {}` does it", arrival.id)));
        }
        self.still_may(acting, &undone).await?;
        let label = format!("did again: {}", undone.deed.label);
        self.restore(&mut txn, acting, &undone, false).await?;
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = true;
        txn.deed().issues.clone_from(&undone.deed.issues);
        self.finish(txn, acting.actor(), Some("redo".to_owned()), Some(acting.request.clone())).await?;
        let issues = first_issues(&undone);
        Ok(Response::Undone { label, skipped: Vec::new(), draft: None, issues })
    }

    /// Refuses to touch issues in which the caller has no say any more.
    pub(super) async fn still_may(&self, acting: &Acting, verb: &Verb) -> Result<(), Fault> {
        for change in &verb.deed.canned {
            self.still_may_canned(acting, change).await?;
        }
        for about in verb.deed.about.iter().flat_map(|change| [&change.before, &change.after]).flatten() {
            self.demand_person(acting, &about.email)?;
        }
        for change in &verb.deed.rules {
            self.still_may_rule(acting, change).await?;
        }
        for change in &verb.deed.views {
            self.still_may_view(acting, change).await?;
        }
        for change in &verb.deed.categories {
            for category in [&change.before, &change.after].into_iter().flatten() {
                self.demand(acting, &self.stored_project_by_id(category.project).await?, Role::Reporter)?;
            }
        }
        // Each issue once: there may be ten thousand, with several changes of each.
        let changed = verb.changes.iter().map(|change| change.issue);
        let issues: BTreeSet<IssueId> = verb.deed.issues.iter().copied().chain(changed).collect();
        let mut asked = BTreeSet::new();
        for issue in issues {
            let project = self.stored_issue(issue).await?.project;
            if asked.insert(project) {
                self.demand(acting, &self.stored_project_by_id(project).await?, Role::Guest)?;
            }
        }
        // Who moves an issue back must have a say where it comes from and where it goes.
        for change in verb.changes.iter().filter(|change| change.field == "project") {
            for end in [&change.before, &change.after].into_iter().filter_map(serde_json::Value::as_u64) {
                let project = self.stored_project_by_id(ProjectId(end)).await?;
                self.demand(acting, &project, Role::Reporter)?;
            }
        }
        Ok(())
    }

    /// Finds what the latest undo took back, if nothing was decided since.
    fn last_undone(&self, verbs: &[Verb]) -> Result<Verb, Fault> {
        let nothing = || Fault::refused("there is nothing of yours to do again");
        // Each redo answers one undo: walk back, pairing them off.
        let mut redone = 0usize;
        for verb in verbs {
            if verb.deed.is_in_vain() {
                continue;
            }
            if let Some(target) = verb.deed.undoes {
                if redone == 0 {
                    return verbs.iter().find(|v| v.seq == target).cloned().ok_or_else(nothing);
                }
                redone -= 1;
            } else if verb.deed.label.starts_with("did again: ") {
                redone += 1;
            } else if verb.deed.undoable {
                break;
            }
        }
        Err(nothing())
    }

    /// Sets the fields that a verb touched to what they were before it, or after it.
    async fn restore(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        verb: &Verb,
        back: bool,
    ) -> Result<(), Fault> {
        for (id, changes) in whole(&verb.changes) {
            let before = self.load_issue(txn, id).await?;
            if before.purged {
                return Err(Fault::refused(format!("#{} was spam and is gone", before.iid)));
            }
            let mut values = Vec::with_capacity(changes.len());
            for change in &changes {
                let (from, to) =
                    if back { (&change.after, &change.before) } else { (&change.before, &change.after) };
                if &history::value_of(&before, &change.field) != from {
                    // A mail that can still be stopped is stopped, whatever else happened meanwhile.
                    if verb.deed.has_notes() {
                        continue;
                    }
                    return Err(self.changed_since(&before, &change.field, verb).await?);
                }
                values.push((change.field.as_str(), to));
            }
            let mut after = history::with_fields(&before, values)?;
            if after.state == State::Open && before.state == State::Closed && after.waiting_on.is_none() {
                // Its mail is out, so that it waits for their answer.
                after.turn(Some(Party::Them), txn.now);
            }
            if after.waiting_since != before.waiting_since {
                after.forget_later_turns();
                after.mend_turns(txn.now);
            }
            after.updated_at = txn.now;
            if after.status != before.status {
                after.status_since = Some(txn.now);
            }
            txn.put_issue(Some(&before), &after)?;
            let word = if back { "took back" } else { "did again" };
            let text = format!("{} {word}: {}", acting.user.name, verb.deed.label);
            self.system_note(txn, &mut after, text, None).await?;
            txn.put(&after)?;
        }
        self.restore_spam(txn, acting, verb, back).await
    }

    /// Restores what a verb did about categories, senders, lessons and arrivals.
    async fn restore_spam(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        verb: &Verb,
        back: bool,
    ) -> Result<(), Fault> {
        if !verb.deed.rules.is_empty() {
            self.restore_rules(txn, &verb.deed.rules, back).await?;
        }
        for change in &verb.deed.canned {
            self.restore_canned(txn, change, back).await?;
        }
        for change in &verb.deed.about {
            self.restore_about(txn, change, back).await?;
        }
        for change in &verb.deed.views {
            self.restore_view(txn, change, back).await?;
        }
        for change in &verb.deed.categories {
            self.restore_category(txn, change, back).await?;
        }
        for change in &verb.deed.senders {
            self.restore_sender(txn, change, back).await?;
        }
        for change in &verb.deed.lessons {
            self.restore_lesson(txn, change, back, &acting.user.name).await?;
        }
        if !back {
            // What was done again can be taken back again.
            txn.deed().senders.clone_from(&verb.deed.senders);
            txn.deed().lessons.clone_from(&verb.deed.lessons);
        }
        for change in verb.deed.arrivals.iter().filter(|_| back) {
            self.restore_arrival(txn, change).await?;
        }
        Ok(())
    }

    pub(super) async fn changed_since(
        &self,
        issue: &Issue,
        field: &str,
        verb: &Verb,
    ) -> Result<Fault, Fault> {
        let all = txn::all::<Changed>(&self.inner.store, &txn::below(issue.id.0)).await?;
        let by = all.iter().rev().find(|c| c.change.field == field && c.seq > verb.seq);
        let who =
            by.map_or("somebody", |c| c.actor.email.as_ref().map_or(c.actor.user.as_str(), |e| e.as_str()));
        Ok(Fault::refused(format!("#{}: {who} changed the {field} since", issue.iid))
            .hint(format!("`deskbell issue history {}` shows the changes; change it by hand", issue.iid)))
    }

    /// Takes a note of the staff out of its issue, and gives it.
    pub(super) async fn take_note(
        &self,
        txn: &mut Txn<'_>,
        issue: IssueId,
        note: NoteId,
    ) -> Result<Option<Note>, Fault> {
        let written = txn.get::<Note>(&note_key(issue, note)).await?;
        let Some(written) = written.filter(|written| is_staff(&written.author)) else { return Ok(None) };
        let mut stands = self.load_issue(txn, issue).await?;
        stands.forget_reply(written.created_at);
        txn.put(&stands)?;
        self.take_out(txn, issue, note).await?;
        Ok(Some(written))
    }

    /// Takes a note out of its issue.
    pub(super) async fn take_out(
        &self,
        txn: &mut Txn<'_>,
        issue: IssueId,
        note: NoteId,
    ) -> Result<(), Fault> {
        let mut stands = self.load_issue(txn, issue).await?;
        txn.remove::<Note>(note_key(issue, note));
        stands.notes = stands.notes.saturating_sub(1);
        let notes = txn.list::<Note>(&txn::below(issue.0)).await?;
        stands.last_note = notes.iter().map(|n| n.id).max();
        txn.put(&stands)
    }

    /// Cancels what was not sent of a note. If none was, the note becomes a draft again.
    async fn unsend(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        verb: &Verb,
        note: NoteId,
        skipped: &mut Vec<String>,
    ) -> Result<Option<Draft>, Fault> {
        let Some(issue_id) = verb.deed.issues.first().copied() else { return Ok(None) };
        let late = self.cancel_rows(txn, &verb.deed.outbox).await?;
        if !late.is_empty() {
            skipped.extend(late.iter().map(|to| format!("the mail to {to} is already out")));
            return Ok(None);
        }
        let Some(written) = self.take_note(txn, issue_id, note).await? else { return Ok(None) };
        let kind = if written.kind == NoteKind::Internal { DraftKind::Internal } else { DraftKind::Reply };
        let issue = self.load_issue(txn, issue_id).await?;
        let draft = Draft {
            user: acting.user.name.clone(),
            issue: Some(issue_id),
            project: Some(issue.project),
            kind,
            text: verb.deed.text.clone().unwrap_or(written.body),
            title: None,
            to: None,
            cc: written.cc.iter().map(ToString::to_string).collect(),
            files: Vec::new(),
            kept: written.attachments.into_iter().filter(|file| file.raw.is_some()).collect(),
            off: Vec::new(),
            over: None,
            seen: issue.last_note,
            saved_at: txn.now,
        };
        let key = draft_key(&draft.user, draft.issue, draft.kind);
        let draft = match txn.get::<Draft>(&key).await? {
            // Another one was begun meanwhile: both stay.
            Some(other) => other.join(draft, Side::Before),
            None => draft,
        };
        txn.put(&draft)?;
        Ok(Some(draft))
    }
}

/// Finds the last thing that somebody did and did not take back. One that cannot be taken back is never passed over:
/// nobody means the one before it.
fn last_done(verbs: Vec<Verb>) -> Result<Verb, Fault> {
    let stands = |v: &Verb| v.undone_by.is_none() && v.deed.undoes.is_none() && !v.deed.label.is_empty();
    match verbs.into_iter().find(stands) {
        Some(verb) if verb.deed.undoable => Ok(verb),
        Some(verb) => {
            Err(Fault::refused(format!("your last change cannot be taken back: {}", verb.deed.label)).hint(
                "`deskbell undo --list` shows earlier ones, and `deskbell undo ID` takes one of them back",
            ))
        }
        None => Err(Fault::refused("there is nothing of yours to take back")),
    }
}

/// Gives what became of each field in the end, by issue: a verb and the rules that it set off may have changed
/// one several times.
pub(super) fn whole(changes: &[Change]) -> BTreeMap<IssueId, Vec<Change>> {
    let mut by_issue: BTreeMap<IssueId, Vec<Change>> = BTreeMap::new();
    for change in changes {
        let all = by_issue.entry(change.issue).or_default();
        match all.iter_mut().find(|earlier| earlier.field == change.field) {
            Some(earlier) => earlier.after.clone_from(&change.after),
            None => all.push(change.clone()),
        }
    }
    by_issue
}

/// Gives what a verb was about, as far as a screen has use for it.
pub(super) fn first_issues(verb: &Verb) -> Vec<IssueId> {
    let changed = verb.changes.iter().map(|change| change.issue);
    verb.deed.issues.iter().copied().chain(changed).take(100).collect()
}
