//! The list of changes: what was done last, by whom, from where and why, and what of it can be taken back.

use super::{Acting, Desk, history, txn};
use crate::domain::{
    DeedView, Fault, Issue, IssueId, OutboxEntry, OutboxState, Response, Rights, Role, Seq, Verb,
};
use crate::store::Frame;
use crate::store::record::{issue_key, outbox_key, verb_key};
use std::collections::BTreeSet;

/// So many steps are looked through at most.
const REACH: u64 = 20_000;
/// So many are read at once.
const PAGE: u64 = 256;
/// So many issues of one step are named.
const NAMED: usize = 5;

impl Desk {
    /// Lists the last changes that somebody may see, the latest first.
    pub(super) async fn changes(&self, acting: &Acting, limit: u64) -> Result<Response, Fault> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(1000);
        let last = self.inner.store.last().0;
        let mut found = Vec::new();
        let mut end = last;
        while end > 0 && last - end < REACH && found.len() < limit {
            let after = end.saturating_sub(PAGE);
            let count = usize::try_from(end - after).unwrap_or(0);
            let frames = self.inner.store.frames(Seq(after), count).await.map_err(txn::store_fault)?;
            for frame in frames.into_iter().rev() {
                if found.len() < limit
                    && let Some(view) = self.deed_view(acting, frame).await?
                {
                    found.push(view);
                }
            }
            end = after;
        }
        Ok(Response::Changes(found))
    }

    async fn deed_view(&self, acting: &Acting, frame: Frame) -> Result<Option<DeedView>, Fault> {
        let label = frame.deed.as_ref().map(|deed| deed.label.clone()).filter(|label| !label.is_empty());
        let Some(label) = label.or_else(|| history::sentence(&frame.changes)) else { return Ok(None) };
        let issues = touched(&frame);
        let mine = frame.actor.user == acting.user.name && frame.deed.is_some();
        if issues.is_empty() && !mine && acting.rights != Rights::All {
            return Ok(None);
        }
        let Some(references) = self.seen_references(acting, &issues).await? else { return Ok(None) };
        let (mut undoable, mut why_not, mut held_until) = (false, None, None);
        if mine {
            match self.may_undo(acting, frame.seq).await {
                Ok(held) => (undoable, held_until) = (true, held),
                Err(fault) => why_not = Some(fault.message),
            }
        }
        let mut rules: Vec<String> = frame.changes.iter().filter_map(|change| change.rule.clone()).collect();
        rules.dedup();
        Ok(Some(DeedView {
            seq: frame.seq,
            at: frame.at,
            actor: frame.actor,
            label,
            references,
            rules,
            held_until,
            undoable,
            why_not,
        }))
    }

    /// Names the issues of a step; `None` where one of them may not be seen, or not be worked on.
    async fn seen_references(
        &self,
        acting: &Acting,
        issues: &BTreeSet<IssueId>,
    ) -> Result<Option<Vec<String>>, Fault> {
        let ids: Vec<IssueId> = issues.iter().copied().collect();
        let rows = self.inner.index.rows(&ids, &self.viewer(acting));
        if acting.rights != Rights::All {
            let mut projects = self.inner.index.projects_of(&ids).into_iter();
            let works = projects.all(|(_, project)| acting.rights.may(project, Role::Reporter));
            if rows.len() < issues.len() || !works {
                return Ok(None);
            }
        }
        Ok(Some(rows.into_iter().take(NAMED).map(|row| row.reference).collect()))
    }

    /// Tells whether a verb of the caller can be taken back, and until when its mail can be stopped.
    async fn may_undo(&self, acting: &Acting, seq: Seq) -> Result<Option<jiff::Timestamp>, Fault> {
        let verb = self.own_verb(acting, seq).await?;
        self.still_may(acting, &verb).await?;
        let mut held = None;
        for id in &verb.deed.outbox {
            let entry =
                self.inner.store.get::<OutboxEntry>(&outbox_key(*id)).await.map_err(txn::store_fault)?;
            let Some(entry) = entry.map(|kept| kept.record) else { continue };
            match entry.state {
                OutboxState::Sent | OutboxState::Bounced if verb.deed.has_notes() => {
                    return Err(Fault::refused(format!("the mail to {} is already out", entry.to)));
                }
                OutboxState::Held => held = held.max(entry.held_until),
                _ => {}
            }
        }
        if !verb.deed.has_notes() {
            self.refuse_overtaken(&verb).await?;
        }
        Ok(held)
    }

    async fn refuse_overtaken(&self, verb: &Verb) -> Result<(), Fault> {
        for (id, changes) in super::undo::whole(&verb.changes) {
            let issue = self.inner.store.get::<Issue>(&issue_key(id)).await.map_err(txn::store_fault)?;
            let Some(issue) = issue.map(|kept| kept.record) else { continue };
            let changed = changes.iter().find(|c| history::value_of(&issue, &c.field) != c.after);
            if let Some(change) = changed {
                return Err(self.changed_since(&issue, &change.field, verb).await?);
            }
        }
        Ok(())
    }

    /// Gives a verb of the caller that is not taken back.
    pub(super) async fn own_verb(&self, acting: &Acting, seq: Seq) -> Result<Verb, Fault> {
        let kept = self.inner.store.get::<Verb>(&verb_key(&acting.user.name, seq)).await;
        let verb = kept.map_err(txn::store_fault)?.map(|kept| kept.record).ok_or_else(|| {
            Fault::not_found(format!("there is no change {seq} of yours"))
                .hint("`deskbell undo --list` shows them; everybody takes back their own")
        })?;
        if verb.deed.is_in_vain() {
            return Err(Fault::refused("it took nothing back"));
        }
        if let Some(undo) = verb.undone_by
            && self.was_in_vain(acting, undo).await?
        {
            return Err(Fault::refused(format!("it could not be taken back: {}", verb.deed.label)));
        }
        match (verb.undone_by, verb.deed.undoes, verb.deed.undoable) {
            (Some(_), ..) => Err(Fault::refused(format!("it was taken back already: {}", verb.deed.label))),
            (_, Some(_), _) => Err(Fault::refused("it took something back; `deskbell redo` does that again")),
            (.., false) => Err(Fault::refused(format!("it cannot be taken back: {}", verb.deed.label))),
            _ => Ok(verb),
        }
    }

    /// Tells whether an undo of the caller took nothing back.
    async fn was_in_vain(&self, acting: &Acting, undo: Seq) -> Result<bool, Fault> {
        let kept = self.inner.store.get::<Verb>(&verb_key(&acting.user.name, undo)).await;
        Ok(kept.map_err(txn::store_fault)?.is_some_and(|kept| kept.record.deed.is_in_vain()))
    }
}

fn touched(frame: &Frame) -> BTreeSet<IssueId> {
    let named = frame.deed.iter().flat_map(|deed| deed.issues.iter().copied());
    named.chain(frame.changes.iter().map(|change| change.issue)).collect()
}
