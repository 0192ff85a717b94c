//! Repeats: a request that was carried out before is answered from what it did, and does nothing.

use super::txn::store_fault;
use super::{Acting, Desk};
use crate::domain::{Fault, Request, Response, Verb};
use crate::store::record::{Carried, text_key, verb_key};

impl Desk {
    /// Answers a request that became `done` when it was asked first, with the desk as it is now.
    pub(super) async fn answer_again(
        &self,
        acting: &Acting,
        request: &Request,
        done: Verb,
    ) -> Result<Response, Fault> {
        tracing::debug!(label = done.deed.label, "a repeated request");
        match request {
            Request::NewIssue(_) | Request::Split(_) | Request::Forward(_) | Request::Redact(_) => {
                self.again_issue(acting, &done).await
            }
            Request::AddNote(_) => self.noted(acting, &done.deed).await,
            Request::Edit { .. } | Request::CommitsReached { .. } | Request::NoteMany(_) => {
                Ok(self.edited(acting, &done.deed.issues, done.deed.label))
            }
            Request::RunMacro { .. } => Ok(self.edited(acting, &done.deed.issues, done.deed.label)),
            Request::Undo | Request::UndoOne(_) | Request::Redo => {
                let issues = super::undo::first_issues(&done);
                Ok(Response::Undone { label: done.deed.label, skipped: Vec::new(), draft: None, issues })
            }
            Request::AddProject { path }
            | Request::SetProject { path, .. }
            | Request::EnableProject { path, .. }
            | Request::CustomEmail { path, .. }
            | Request::RenameProject { to: path, .. } => self.project(acting, path).await,
            Request::AddUser { .. } | Request::SetUser { .. } | Request::RemoveUser { .. } => {
                self.users().await
            }
            Request::SetMember { project, .. } | Request::RemoveMember { project, .. } => {
                self.members(acting, project).await
            }
            Request::AddCategory { kind, project, .. }
            | Request::SetCategory { kind, project, .. }
            | Request::RemoveCategory { kind, project, .. } => {
                let changes = done.deed.categories;
                let after = changes.into_iter().find_map(|change| change.after);
                let name = after.map_or(String::new(), |after| after.about.name);
                self.shown_category(acting, *kind, project, &name).await
            }
            Request::SaveCanned { .. } | Request::RemoveCanned { .. } => self.canned(acting, None).await,
            Request::SaveView { .. }
            | Request::RemoveView(_)
            | Request::OrderView { .. }
            | Request::ShareView { .. } => self.views(acting).await,
            Request::SetAbout { email, .. } => self.about(acting, email).await,
            Request::SetDesk { .. } => self.desk_settings().await.map(Response::Desk),
            Request::OutboxAct { ids, .. } => self.outbox_rows(ids).await,
            Request::IntakeAct { id, .. } => self.intake_entry(*id).await,
            _ => Ok(Response::Done),
        }
    }

    /// Finds the verb that this very request became when it was asked before.
    pub(super) async fn repeated(&self, acting: &Acting) -> Result<Option<Verb>, Fault> {
        let store = &self.inner.store;
        let carried = store.get::<Carried>(&text_key(&acting.request.0)).await.map_err(store_fault)?;
        let Some(carried) = carried.map(|k| k.record) else { return Ok(None) };
        if carried.user != acting.user.name {
            return Err(Fault::refused("this request id belongs to somebody else"));
        }
        let verb = store.get::<Verb>(&verb_key(&carried.user, carried.seq)).await;
        Ok(verb.map_err(store_fault)?.map(|k| k.record))
    }
}
