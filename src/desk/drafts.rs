//! Drafts: kept as they are typed, one of each kind for each person and issue.

use super::{Acting, Desk, txn};
use crate::domain::{Attachment, Draft, DraftKind, Fault, Issue, IssueId, Reference, Response};
use crate::store::Key;
use crate::store::record::{draft_key, issue_key};

/// A draft is a person's typing; more than this is a mistake.
const MAX_TEXT: usize = 1 << 20;

impl Desk {
    pub(super) async fn drafts(&self, acting: &Acting) -> Result<Response, Fault> {
        let mine = Key::new().text(&acting.user.name).octets();
        Ok(Response::Drafts(txn::all::<Draft>(&self.inner.store, &mine).await?))
    }

    /// Gives the key of the caller's draft for an issue, or for a new one.
    async fn draft_place(
        &self,
        acting: &Acting,
        reference: Option<&Reference>,
        kind: DraftKind,
    ) -> Result<Vec<u8>, Fault> {
        let issue = match reference {
            Some(reference) => Some(self.resolve(&acting.rights, reference).await?),
            None => None,
        };
        Ok(draft_key(&acting.user.name, issue, kind))
    }

    pub(super) async fn draft(
        &self,
        acting: &Acting,
        reference: Option<&Reference>,
        kind: DraftKind,
    ) -> Result<Response, Fault> {
        let key = self.draft_place(acting, reference, kind).await?;
        let kept = self.inner.store.get::<Draft>(&key).await.map_err(txn::store_fault)?;
        Ok(Response::Draft(kept.map(|k| k.record)))
    }

    /// Gives the bytes of a file that stands in the caller's draft since a note was taken back.
    pub(super) async fn draft_file(
        &self,
        acting: &Acting,
        reference: Option<&Reference>,
        kind: DraftKind,
        (name, place): (&str, Option<u32>),
    ) -> Result<Response, Fault> {
        let key = self.draft_place(acting, reference, kind).await?;
        let kept = self.inner.store.get::<Draft>(&key).await.map_err(txn::store_fault)?;
        let asked =
            |(at, file): &(u32, &Attachment)| file.name == name && place.is_none_or(|place| place == *at);
        let draft = kept.map(|kept| kept.record);
        let raw = draft.as_ref().and_then(|draft| draft.kept_files().find(asked)?.1.raw);
        let raw = raw.ok_or_else(|| Fault::not_found(format!("the draft has no file `{name}`")))?;
        self.inner.store.raw(raw).await.map_err(txn::store_fault).map(Response::Bytes)
    }

    /// Keeps a draft; answers with it where it was joined to what another window of the same person left there.
    pub(super) async fn save_draft(&self, acting: &Acting, mut draft: Draft) -> Result<Response, Fault> {
        if draft.text.len() > MAX_TEXT {
            return Err(Fault::usage("the draft is larger than 1 MiB").hint("attach it as a file instead"));
        }
        draft.user.clone_from(&acting.user.name);
        let (_gate, mut txn) = self.begin().await;
        // What is written in an issue that was merged meanwhile is written in the one that lives on, unless
        // the writer would not find it there.
        if let Some(issue) = draft.issue {
            let home = self.survivor(&mut txn, issue).await?;
            if home != issue && self.finds_drafts_in(acting, &mut txn, home).await? {
                (draft.issue, draft.off) = (Some(home), Vec::new());
                let there = txn.get::<Draft>(&draft_key(&draft.user, Some(home), draft.kind)).await?;
                draft = there.map_or(draft.clone(), |there| draft.led_to(there));
            }
        }
        // Only the desk puts files there: whoever could name any would read what is not theirs. Where their
        // bytes stand, only its own record knows.
        let before = txn.get::<Draft>(&draft_key(&draft.user, draft.issue, draft.kind)).await?;
        let joined = draft.goes_on_from(before.as_ref().map_or("", |before| &before.text));
        draft.kept = before.map(|before| before.kept).unwrap_or_default();
        for place in std::mem::take(&mut draft.off) {
            draft.take_off(place);
        }
        draft.saved_at = txn.now;
        txn.put(&draft)?;
        self.finish(txn, acting.actor(), None, None).await?;
        Ok(if joined { Response::Draft(Some(draft)) } else { Response::Done })
    }

    /// Tells whether the caller would find a draft in an issue.
    async fn finds_drafts_in(
        &self,
        acting: &Acting,
        txn: &mut txn::Txn<'_>,
        id: IssueId,
    ) -> Result<bool, Fault> {
        let issue = txn.get::<Issue>(&issue_key(id)).await?;
        Ok(issue.is_some_and(|issue| acting.rights.sees_issue(issue.project, issue.confidential)))
    }

    pub(super) async fn drop_draft(
        &self,
        acting: &Acting,
        reference: Option<&Reference>,
        kind: DraftKind,
    ) -> Result<Response, Fault> {
        let key = self.draft_place(acting, reference, kind).await?;
        let (_gate, mut txn) = self.begin().await;
        if txn.get::<Draft>(&key).await?.is_some() {
            txn.remove::<Draft>(key);
        }
        self.finish(txn, acting.actor(), None, None).await?;
        Ok(Response::Done)
    }
}
