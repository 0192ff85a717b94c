//! Several issues at once: what can be done is done in one commit, and what cannot is told with its cause.

use super::issues::check_text;
use super::txn::Txn;
use super::{Acting, Desk, txn};
use crate::domain::counted;
use crate::domain::quick::quick_text;
use crate::domain::{
    Draft, DraftKind, Failed, Fault, FilledCanned, IssueId, NewNote, NewNotes, NoteId, NoteKind, OutboxId,
    OutboxState, PlannedNote, Project, Reference, Response, Role, Side, Verb, fill_canned,
};
use crate::store::record::{ReadMark, draft_key, read_key};
use std::collections::BTreeSet;

/// So many issues get one text at once.
pub(super) const MOST: usize = 1000;

/// The issues that were named: those at hand, and those for which it cannot be done.
pub(super) struct Several {
    pub found: Vec<(IssueId, Reference)>,
    pub failed: Vec<Failed>,
    /// The first cause, where there was only one issue or none is left.
    first: Option<Fault>,
    alone: bool,
}

impl Several {
    /// Begins with none found of so many that were named.
    pub fn of(named: usize) -> Self {
        Self { found: Vec::new(), failed: Vec::new(), first: None, alone: named == 1 }
    }

    /// Gives those at hand.
    pub fn ids(&self) -> Vec<IssueId> {
        self.found.iter().map(|(id, _)| *id).collect()
    }

    /// Remembers why it cannot be done for one; where it is the only one, that ends it.
    pub fn fail(&mut self, reference: Reference, fault: Fault) -> Result<(), Fault> {
        if self.alone {
            return Err(fault);
        }
        self.failed.push(Failed { reference, reason: fault.message.clone() });
        self.first.get_or_insert(fault);
        Ok(())
    }

    /// Refuses what can be done for none.
    pub fn refuse_if_none(&mut self) -> Result<(), Fault> {
        match (self.found.is_empty(), self.first.take()) {
            (true, Some(fault)) => {
                let all = counted(self.failed.len(), "issue");
                Err(Fault { message: format!("done for none of {all}: {}", fault.message), ..fault })
            }
            _ => Ok(()),
        }
    }
}

impl Response {
    /// Adds to an answer what could not be done.
    pub(super) fn but(mut self, but: Vec<Failed>) -> Self {
        if let Self::Edited { failed, .. } = &mut self {
            *failed = but;
        }
        self
    }
}

impl Desk {
    /// Finds the issues that were named, in which whoever acts has at least this role.
    ///
    /// Fails where there is only one, and it cannot be found.
    pub(super) async fn each_of(
        &self,
        acting: &Acting,
        references: &[Reference],
        role: Role,
    ) -> Result<Several, Fault> {
        let mut all = Several::of(references.len());
        let projects = self.projects_seen_by(&acting.rights).await?;
        // They are read in the order of their numbers, which is that of the store, and told in the one asked.
        let mut ordered: Vec<(usize, &Reference)> = references.iter().enumerate().collect();
        ordered.sort_by_key(|(_, reference)| (&reference.project, reference.iid));
        let mut resolved = Vec::with_capacity(ordered.len());
        for (place, reference) in ordered {
            resolved.push((place, reference, self.one_of(acting, &projects, reference, role).await));
        }
        resolved.sort_by_key(|(place, ..)| *place);
        let mut seen = BTreeSet::new();
        for (_, reference, id) in resolved {
            match id {
                Ok(id) if seen.insert(id) => all.found.push((id, reference.clone())),
                Ok(_) => {}
                Err(fault) => all.fail(reference.clone(), fault)?,
            }
        }
        Ok(all)
    }

    async fn one_of(
        &self,
        acting: &Acting,
        projects: &[Project],
        reference: &Reference,
        role: Role,
    ) -> Result<IssueId, Fault> {
        let issue = self.resolve_in(&acting.rights, projects, reference).await?;
        if !acting.rights.may(issue.project, role) {
            self.demand(acting, &self.stored_project_by_id(issue.project).await?, role)?;
        }
        Ok(issue.id)
    }

    /// Writes one text to several issues, filled for each.
    ///
    /// Where a placeholder stands for nothing, that issue gets none; with `name`, that of a macro, nothing at all is
    /// done then.
    pub(super) async fn note_many(
        &self,
        acting: &Acting,
        many: NewNotes,
        name: Option<&str>,
    ) -> Result<Response, Fault> {
        if many.references.is_empty() || many.references.len() > MOST {
            return Err(Fault::usage(format!("one text goes to 1 to {MOST} issues at once")));
        }
        check_text(&many.text)?;
        let mut all = self.each_of(acting, &many.references, Role::Reporter).await?;
        let mut notes = Vec::with_capacity(all.found.len());
        for (id, reference) in std::mem::take(&mut all.found) {
            let filled = self.filled_for(acting, id, &many.text).await?;
            match (filled.missing.first(), name) {
                (Some(missing), Some(name)) => return Err(unfilled(missing, &reference, name)),
                // A comment is mailed to nobody; what is left in it does no harm.
                (Some(missing), None) if !many.internal => {
                    all.fail(reference.clone(), unfilled(missing, &reference, ""))?;
                }
                _ => notes.push((id, reference, filled.text)),
            }
        }
        let (_gate, mut txn) = self.begin().await;
        for (id, reference, text) in notes {
            txn.begin_part();
            let new = one_note(&many, reference.clone(), text);
            match Box::pin(self.one_of_many(&mut txn, acting, id, new)).await {
                Ok(note) => {
                    txn.keep_part();
                    txn.deed().notes.extend(note.map(|note| (id, note)));
                    all.found.push((id, reference));
                }
                Err(fault) if name.is_some() => {
                    let message = format!("{reference}: {}", fault.message);
                    return Err(Fault { message, ..fault });
                }
                Err(fault) => {
                    txn.give_up_part();
                    all.fail(reference, fault)?;
                }
            }
        }
        all.refuse_if_none()?;
        self.many_done(txn, acting, all, many, name).await
    }

    async fn many_done(
        &self,
        mut txn: Txn<'_>,
        acting: &Acting,
        all: Several,
        many: NewNotes,
        name: Option<&str>,
    ) -> Result<Response, Fault> {
        let ids = all.ids();
        let object = match all.found.as_slice() {
            [(_, only)] => format!("#{}", only.iid),
            many => counted(many.len(), "issue"),
        };
        let label = match name {
            Some(name) => format!("{name} on {object}"),
            None if many.internal => format!("commented on {object}"),
            None => format!("answered {object}"),
        };
        if name.is_none() {
            // A macro has its text already; that of a reply would be lost with its notes.
            let key = draft_key(&acting.user.name, None, kind(many.internal));
            let draft = txn.get::<Draft>(&key).await?;
            // Who sent only a part, or something else, goes on with what was written.
            if all.failed.is_empty() && draft.is_some_and(|draft| draft.text.trim() == many.text.trim()) {
                txn.remove::<Draft>(key);
            }
            txn.deed().text = Some(many.text);
        } else if txn.changes().is_empty() && txn.deed().notes.is_empty() {
            return Err(Fault::refused(format!("nothing to change: {label} before")));
        }
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = true;
        txn.deed().issues.clone_from(&ids);
        let rows = txn.deed().outbox.clone();
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        let held_until = self.held_until(&rows).await?;
        let answer = match self.edited(acting, &ids, label) {
            Response::Edited { rows, label, failed, .. } => {
                Response::Edited { rows, label, failed, held_until }
            }
            other => other,
        };
        Ok(answer.but(all.failed))
    }

    /// Says until when the mails of these rows are held.
    async fn held_until(&self, rows: &[OutboxId]) -> Result<Option<jiff::Timestamp>, Fault> {
        let mut latest = None;
        for id in rows {
            let kept = self.inner.store.get(&crate::store::record::outbox_key(*id)).await;
            let entry: Option<crate::domain::OutboxEntry> = kept.map_err(txn::store_fault)?.map(|k| k.record);
            let held = entry.filter(|entry| entry.state == OutboxState::Held);
            latest = latest.max(held.and_then(|entry| entry.held_until));
        }
        Ok(latest)
    }

    async fn one_of_many(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        id: IssueId,
        new: NewNote,
    ) -> Result<Option<NoteId>, Fault> {
        let quick = self.quick(&new).await?;
        self.check_people(txn, &quick.edits).await?;
        let subjects = self.subjects_of(&[id], &quick.edits).await?;
        if quick.text.trim().is_empty() {
            self.edit_one(txn, acting, id, &quick.edits, subjects.get(&id)).await?;
            return Ok(None);
        }
        self.note_in(txn, acting, id, &new, quick, &[], subjects.get(&id)).await.map(|(_, note)| Some(note))
    }

    async fn filled_for(&self, acting: &Acting, id: IssueId, text: &str) -> Result<FilledCanned, Fault> {
        let view = self.issue_view(acting, id).await?;
        let values = super::canned::Values::of(&view, acting.user.display_name());
        Ok(fill_canned(text, |name| values.get(name)))
    }

    /// Says what each of several issues would get.
    pub(super) async fn plan_notes(&self, acting: &Acting, many: &NewNotes) -> Result<Response, Fault> {
        if many.references.len() > MOST {
            return Err(Fault::usage(format!("one text goes to 1 to {MOST} issues at once")));
        }
        let zone = self.time_zone().await?;
        let all = self.each_of(acting, &many.references, Role::Reporter).await?;
        let mut planned = Vec::with_capacity(all.found.len());
        for (id, _) in &all.found {
            let filled = self.filled_for(acting, *id, &many.text).await?;
            let quick = quick_text(&filled.text, self.now(), &zone)?;
            let view = self.issue_view(acting, *id).await?;
            let mailed = view.participants.iter().filter(|person| person.subscribed && !many.internal);
            let mut text = quick.text.clone();
            for line in quick.plan() {
                text.push_str(&format!("\n\n[{line}]"));
            }
            planned.push(PlannedNote {
                reference: view.row.reference.clone(),
                title: view.row.title.clone(),
                to: mailed.map(|person| person.email.to_string()).collect(),
                text,
                missing: filled.missing,
            });
        }
        Ok(Response::NotesPlanned(planned))
    }

    /// Takes back notes that were written to several issues; those whose mail is out stay.
    pub(super) async fn unsend_many(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        verb: &mut Verb,
        skipped: &mut Vec<String>,
    ) -> Result<Option<Draft>, Fault> {
        let mut gone = Vec::new();
        let mut internal = false;
        let mut rest: BTreeSet<OutboxId> = verb.deed.outbox.iter().copied().collect();
        for (issue, note) in verb.deed.notes.clone() {
            let rows: Vec<OutboxId> = self.outbox_of(note).await?;
            rest.retain(|row| !rows.contains(row));
            let late = self.cancel_rows(txn, &rows).await?;
            if !late.is_empty() {
                skipped.extend(late.iter().map(|to| format!("the mail to {to} is already out")));
                // It stays their turn; what else the verb did is taken back.
                verb.changes.retain(|c| c.issue != issue || !c.field.starts_with("waiting_"));
                continue;
            }
            if let Some(written) = self.take_note(txn, issue, note).await? {
                internal = written.kind == NoteKind::Internal;
                gone.push(self.reference_of(issue).await?);
            }
        }
        let rest: Vec<OutboxId> = rest.into_iter().collect();
        let late = self.cancel_rows(txn, &rest).await?;
        skipped.extend(late.iter().map(|to| format!("the mail to {to} is already out")));
        let Some(text) = verb.deed.text.clone().filter(|_| !gone.is_empty()) else { return Ok(None) };
        let draft = many_draft(&acting.user.name, kind(internal), text, &gone, txn.now);
        let key = draft_key(&draft.user, None, draft.kind);
        let draft = match txn.get::<Draft>(&key).await? {
            // Another one was begun meanwhile: both stay, for the issues of the one that is taken back.
            Some(other) => Draft { to: draft.to.clone(), ..other.join(draft, Side::Before) },
            None => draft,
        };
        txn.put(&draft)?;
        Ok(Some(draft))
    }

    /// Gives the rows that carry a note.
    pub(super) async fn outbox_of(&self, note: NoteId) -> Result<Vec<OutboxId>, Fault> {
        let links =
            txn::all::<crate::store::record::OutboxOfNote>(&self.inner.store, &txn::below(note.0)).await?;
        Ok(links.into_iter().map(|link| link.outbox).collect())
    }

    /// Counts several issues as read, or as unread, in one commit.
    pub(super) async fn mark_many(
        &self,
        acting: &Acting,
        references: &[Reference],
        read: bool,
    ) -> Result<Response, Fault> {
        let all = self.each_of(acting, references, Role::Guest).await?;
        let (_gate, mut txn) = self.begin().await;
        for id in all.ids() {
            let issue = self.load_issue(&mut txn, id).await?;
            let user = acting.user.name.clone();
            let before = txn.get::<ReadMark>(&read_key(&user, id)).await?.map(|mark| mark.note);
            let wanted = if read { issue.last_note } else { None };
            if before != wanted {
                txn.put(&ReadMark { user, issue: id, note: wanted.unwrap_or(NoteId(0)) })?;
            }
        }
        self.finish(txn, acting.actor(), None, None).await?;
        Ok(Response::Done)
    }
}

fn kind(internal: bool) -> DraftKind {
    if internal { DraftKind::Internal } else { DraftKind::Reply }
}

/// Makes the draft of a text for several issues: whom it is for stands in its addressee.
fn many_draft(user: &str, kind: DraftKind, text: String, to: &[String], now: jiff::Timestamp) -> Draft {
    Draft {
        user: user.to_owned(),
        issue: None,
        project: None,
        kind,
        text,
        title: None,
        to: Some(to.join(" ")),
        cc: Vec::new(),
        files: Vec::new(),
        kept: Vec::new(),
        off: Vec::new(),
        over: None,
        seen: None,
        saved_at: now,
    }
}

fn one_note(many: &NewNotes, reference: Reference, text: String) -> NewNote {
    NewNote {
        reference,
        text,
        internal: many.internal,
        attach: Vec::new(),
        cc: Vec::new(),
        without: Vec::new(),
        hold_ms: many.hold_ms,
        seen: None,
        close: many.close,
        status: None,
    }
}

fn unfilled(missing: &str, reference: &Reference, name: &str) -> Fault {
    let what = if name.is_empty() { String::new() } else { format!("{name} was not run: ") };
    Fault::refused(format!("{what}`%{{{missing}}}` stands for nothing in {reference}"))
        .hint("write what it should say there by hand, or leave that issue out")
}
