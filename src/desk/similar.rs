//! Similar issues: what was written before of the same matter, and what was answered then.

use super::txn;
use super::{Acting, Desk};
use crate::domain::{Fault, GivenAnswer, IssueId, Note, NoteKind, Reference, Response, SimilarIssue};
use crate::store::Direction;
use crate::store::record::note_key;

/// So many are offered.
const OFFERED: usize = 10;
/// One that shares less is not like it, in hundredths.
const LEAST: u8 = 12;
/// So many notes of an issue are looked through for an answer.
const NOTES: usize = 60;
/// Octets of an answer that are given.
const ANSWER: usize = 20_000;

impl Desk {
    /// Finds the issues whose texts are like the opening of this one, with the first answer of each.
    pub(super) async fn similar(&self, acting: &Acting, reference: &Reference) -> Result<Response, Fault> {
        let id = self.resolve(&acting.rights, reference).await?;
        let issue = self.stored_issue(id).await?;
        let notes = self.first_notes(id).await?;
        let opening = notes.iter().find(|note| note.kind != NoteKind::System);
        let text = opening.map_or("", |note| note.body.as_str());
        let names: Vec<&str> =
            issue.participants.iter().filter_map(|person| person.name.as_deref()).collect();
        let passed = format!("{} {}", issue.author.name.as_deref().unwrap_or_default(), names.join(" "));
        let viewer = self.viewer(acting);
        let found = self.inner.index.similar((id, &issue.title, text, &passed), &viewer, OFFERED);
        let mut similar = Vec::new();
        for one in found {
            let share = (one.share * 100.0).round().clamp(0.0, 100.0) as u8;
            let Some(row) = self.inner.index.row(one.issue, &viewer).filter(|_| share >= LEAST) else {
                continue;
            };
            let answer = self.first_answer(one.issue).await?;
            similar.push(SimilarIssue { row, share, words: one.words, answer });
        }
        Ok(Response::Similar(similar))
    }

    async fn first_notes(&self, issue: IssueId) -> Result<Vec<Note>, Fault> {
        let from = note_key(issue, crate::domain::NoteId(0));
        let page =
            self.inner.store.scan::<Note>(&txn::below(issue.0), Some(&from), NOTES, Direction::Up).await;
        Ok(page.map_err(txn::store_fault)?.into_iter().map(|kept| kept.record).collect())
    }

    async fn first_answer(&self, issue: IssueId) -> Result<Option<GivenAnswer>, Fault> {
        let notes = self.first_notes(issue).await?;
        let reply = |note: &Note| note.kind == NoteKind::Reply && note.aside.is_none();
        Ok(notes.into_iter().find(reply).map(|note| {
            let mut text = note.body;
            text.truncate(text.floor_char_boundary(ANSWER));
            GivenAnswer { note: note.id, by: note.author.label().to_owned(), at: note.created_at, text }
        }))
    }
}
