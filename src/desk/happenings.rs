//! Happenings: what the journal says has happened since somebody looked, as far as hooks are run for it.
//!
//! What came silently, from an import or an old mailbox, has happened elsewhere and long ago.

use super::views::decode;
use super::{Acting, Desk, txn};
use crate::domain::{Fault, Happening, HappeningKind, Issue, IssueId, Note, NoteKind, Seq};
use crate::store::record::Counters;
use crate::store::{Frame, Tree};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// So many frames are read at once.
const FRAMES: usize = 200;
/// Why a commit was made that nobody is told of.
const IMPORTED: &str = "imported";

/// How far happenings were told.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    seq: Seq,
    /// Notes with smaller numbers were there before.
    note: u64,
}

impl Desk {
    /// Begins with what happens from now on.
    pub async fn happenings_from_now(&self) -> Result<Heard, Fault> {
        let seq = self.inner.store.last();
        let counters = self.inner.store.get::<Counters>(&[]).await.map_err(txn::store_fault)?;
        Ok(Heard { seq, note: counters.map_or(1, |kept| kept.record.note) })
    }

    /// Lists what happened since, and remembers that it was told.
    pub async fn happenings(&self, told: &mut Heard) -> Result<Vec<Happening>, Fault> {
        let mut happened = Vec::new();
        loop {
            let frames = self.inner.store.frames(told.seq, FRAMES).await.map_err(txn::store_fault)?;
            let Some(last) = frames.last() else { return Ok(happened) };
            told.seq = last.seq;
            for frame in &frames {
                happened.extend(of_frame(frame, told)?);
            }
        }
    }

    /// Gives an issue as a hook reads it, and the words that its environment carries: its reference, its project and
    /// its number.
    pub async fn hook_issue(&self, id: IssueId) -> Result<(Value, String, String, u64), Fault> {
        let acting = Acting::system(self.now());
        let view = self.issue_view(&acting, id).await?;
        let (reference, project, iid) = (view.row.reference.clone(), view.row.project.clone(), view.row.iid);
        Ok((view.json(), reference, project, iid))
    }

    /// Gives the state of the desk as the hook for a stale one reads it.
    pub async fn hook_status(&self) -> Result<(Value, bool), Fault> {
        let status = self.figures().await?;
        let stale = status.stale;
        Ok((serde_json::to_value(status).unwrap_or_else(|_| json!({})), stale))
    }
}

fn of_frame(frame: &Frame, told: &mut Heard) -> Result<Vec<Happening>, Fault> {
    let mut issues: BTreeMap<IssueId, (Option<Issue>, Vec<Note>)> = BTreeMap::new();
    for put in &frame.puts {
        let Some(document) = &put.document else { continue };
        match put.tree {
            Tree::Issues => {
                let issue: Issue = decode(document)?;
                let id = issue.id;
                issues.entry(id).or_default().0 = Some(issue);
            }
            Tree::Notes => {
                let note: Note = decode(document)?;
                if note.id.0 >= told.note {
                    issues.entry(note.issue).or_default().1.push(note);
                }
            }
            _ => {}
        }
    }
    let newest = issues.values().flat_map(|(_, notes)| notes).map(|note| note.id.0 + 1).max();
    told.note = told.note.max(newest.unwrap_or(0));
    if frame.reason.as_deref() == Some(IMPORTED) {
        return Ok(Vec::new());
    }
    let closed = frame.changes.iter().filter(|change| change.field == "state" && change.after == "closed");
    let mut happened: Vec<Happening> = Vec::new();
    for (issue, notes) in issues.into_values() {
        let new = issue.is_some_and(|issue| is_new(&issue, &notes));
        let told = notes.iter().filter(|note| is_told(note)).map(|note| happening(note, new));
        happened.extend(told.take(if new { 1 } else { usize::MAX }));
        happened.extend(notes.iter().filter_map(asked_by_rule));
    }
    happened.extend(closed.map(|change| Happening {
        kind: HappeningKind::Close,
        issue: change.issue,
        note: None,
    }));
    Ok(happened)
}

/// Tells whether every note of an issue came with this frame.
fn is_new(issue: &Issue, notes: &[Note]) -> bool {
    !notes.is_empty() && issue.notes as usize == notes.len()
}

/// Tells whether somebody wrote it, now. What was read before it came is no news.
fn is_told(note: &Note) -> bool {
    note.kind != NoteKind::System && !note.read
}

/// Gives the hook that a rule asks for.
fn asked_by_rule(note: &Note) -> Option<Happening> {
    let name = note.by_rule.as_ref()?.hook.clone()?;
    Some(Happening { kind: HappeningKind::Named(name), issue: note.issue, note: None })
}

fn happening(note: &Note, new: bool) -> Happening {
    let kind = if new { HappeningKind::NewIssue } else { HappeningKind::Note };
    Happening { kind, issue: note.issue, note: Some(note.id) }
}
