//! Merging: several issues become one, and can be parted again.
//!
//! The notes move to the issue that lives on and remember where they came from. The others stay under their
//! numbers, closed; whatever is said to them, by reference or by mail, reaches the one that lives on.

use super::issues::{close, open_again, turn};
use super::letters::reference;
use super::notices::lead_notices;
use super::several::{MOST, Several};
use super::txn::{self, Txn};
use super::{Acting, Desk};
use crate::domain::counted;
use crate::domain::{
    Draft, EmailAddress, Fault, Issue, IssueId, Note, ParticipantRole, Party, Reference, Response, Role,
    Side, State, TurnTo,
};
use crate::store::record::{draft_key, note_key};

impl Desk {
    /// Merges issues into one of the same project. Nobody is mailed.
    pub(super) async fn merge(
        &self,
        acting: &Acting,
        references: &[Reference],
        into: &Reference,
        rehearse: bool,
    ) -> Result<Response, Fault> {
        let ids = self.resolve_all(&acting.rights, references).await?;
        let into = self.resolve(&acting.rights, into).await?;
        let sources: Vec<IssueId> = ids.into_iter().filter(|id| *id != into).collect();
        if sources.is_empty() {
            return Err(
                Fault::usage("there is nothing to merge").hint("name an issue, and another one it goes into")
            );
        }
        let (_gate, begun) = self.begin().await;
        let mut txn = if rehearse { Txn::rehearse(&self.inner.store, begun.now) } else { begun };
        let mut lines = Vec::new();
        for source in &sources {
            lines.push(self.merge_one(&mut txn, acting, *source, into).await?);
        }
        if rehearse {
            return Ok(Response::Plan(lines));
        }
        let survivor = self.load_issue(&mut txn, into).await?;
        let label = format!("merged {} into #{}", counted(sources.len(), "issue"), survivor.iid);
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = true;
        txn.deed().merged.clone_from(&sources);
        txn.deed().issues = vec![into];
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(self.edited(acting, &[into], label))
    }

    /// Merges one issue; says in words what of it goes where.
    pub(super) async fn merge_one(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        source: IssueId,
        into: IssueId,
    ) -> Result<String, Fault> {
        if source == into {
            return Err(Fault::refused("an issue cannot be merged into itself"));
        }
        let before = self.load_issue(txn, source).await?;
        let target_before = self.load_issue(txn, into).await?;
        if before.project != target_before.project {
            return Err(Fault::refused(format!("#{} stands in another project", before.iid))
                .hint("only issues of one project can be merged"));
        }
        let project = self.load_project(txn, before.project).await?;
        let (mut issue, mut target) = (before.clone(), target_before.clone());
        issue.merged_into = Some(into);
        issue.was_open = issue.state == State::Open;
        issue.brought = take_people(&issue, &mut target);
        if issue.was_open {
            close(&mut issue, txn.now);
        }
        // What only members may read does not come before guests by a merge.
        target.confidential |= before.confidential;
        if before.waiting_on == Some(Party::Us) && target.state == State::Open {
            turn(&mut target, Some(Party::Us), txn.now);
        }
        let moved = self.move_notes(txn, &mut issue, &mut target, None).await?;
        self.move_drafts(txn, source, into).await?;
        let (theirs, ours) = (reference(&project, &before), reference(&project, &target));
        let who = &acting.user.name;
        self.system_note(txn, &mut target, format!("{who} merged {theirs} into this"), None).await?;
        self.system_note(txn, &mut issue, format!("{who} merged this into {ours}"), None).await?;
        txn.put_issue(Some(&before), &issue)?;
        txn.put_issue(Some(&target_before), &target)?;
        let people = match issue.brought.len() {
            0 => String::new(),
            many => format!(" and {}", counted(many, "participant")),
        };
        Ok(format!(
            "{theirs} “{}”: {}{people} go to {ours} “{}”",
            before.title,
            counted(moved, "note"),
            target.title
        ))
    }

    /// Parts merged issues from those that live on: their notes and their people go back.
    pub(super) async fn unmerge(&self, acting: &Acting, asked: &[Reference]) -> Result<Response, Fault> {
        if asked.is_empty() || asked.len() > MOST {
            return Err(Fault::usage(format!("1 to {MOST} issues are parted at once")));
        }
        let mut all = Several::of(asked.len());
        let (_gate, mut txn) = self.begin().await;
        for asked in asked {
            txn.begin_part();
            match self.unmerge_this(&mut txn, acting, asked).await {
                Ok(id) => {
                    txn.keep_part();
                    all.found.push((id, asked.clone()));
                }
                Err(fault) => {
                    txn.give_up_part();
                    all.fail(asked.clone(), fault)?;
                }
            }
        }
        all.refuse_if_none()?;
        let label = match all.found.as_slice() {
            [(_, only)] => format!("parted #{} from what it was merged into", only.iid),
            many => format!("parted {} from what they were merged into", counted(many.len(), "issue")),
        };
        let ids = all.ids();
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = true;
        txn.deed().issues.clone_from(&ids);
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(self.edited(acting, &ids, label).but(all.failed))
    }

    async fn unmerge_this(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        asked: &Reference,
    ) -> Result<IssueId, Fault> {
        let id = self.resolve_itself(&acting.rights, asked).await?;
        self.unmerge_one(txn, acting, id).await?;
        Ok(id)
    }

    /// Parts an issue from this one, into which it was merged.
    pub(super) async fn part_from(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        issue: &Issue,
        other: &Reference,
    ) -> Result<(), Fault> {
        let project = self.load_project(txn, issue.project).await?;
        let whole = Reference { project: other.project.clone().or(Some(project.path)), ..other.clone() };
        let id = self.resolve_itself(&acting.rights, &whole).await?;
        let merged = self.load_issue(txn, id).await?.merged_into;
        if id == issue.id || merged.is_none() || self.survivor(txn, id).await? != issue.id {
            return Err(Fault::refused(format!("{other} is not merged into #{}", issue.iid)));
        }
        self.unmerge_one(txn, acting, id).await.map(drop)
    }

    /// Merges what was parted once more, if it still stands by itself.
    pub(super) async fn rejoin(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        id: IssueId,
        into: IssueId,
    ) -> Result<(), Fault> {
        let into = self.survivor(txn, into).await?;
        let issue = self.load_issue(txn, id).await?;
        if issue.merged_into.is_some() {
            return Err(Fault::refused(format!("#{} was merged into another since", issue.iid)));
        }
        self.demand(acting, &self.project_of_issue(id).await?, Role::Reporter)?;
        self.demand(acting, &self.project_of_issue(into).await?, Role::Reporter)?;
        self.merge_one(txn, acting, id, into).await.map(drop)
    }

    pub(super) async fn unmerge_one(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        id: IssueId,
    ) -> Result<u64, Fault> {
        let before = self.load_issue(txn, id).await?;
        let Some(into) = before.merged_into else {
            return Err(Fault::refused(format!("#{} is not merged into another", before.iid)));
        };
        let into = self.survivor(txn, into).await?;
        let project = self.load_project(txn, before.project).await?;
        self.demand(acting, &project, Role::Reporter)?;
        // What it was merged into may stand in another project now.
        self.demand(acting, &self.project_of_issue(into).await?, Role::Reporter)?;
        let target_before = self.load_issue(txn, into).await?;
        let (mut issue, mut target) = (before.clone(), target_before.clone());
        issue.merged_into = None;
        self.move_notes(txn, &mut target, &mut issue, Some(id)).await?;
        let brought = std::mem::take(&mut issue.brought);
        let wrote = self.writers(txn, into).await?;
        target.participants.retain(|p| !brought.contains(&p.email) || wrote.contains(&p.email));
        if std::mem::take(&mut issue.was_open) {
            open_again(&mut issue, txn.now);
            // Both wait since when they did, unless somebody wrote meanwhile.
            if let Some(merged_at) = before.closed_at {
                issue.resume_before(merged_at, &[TurnTo::Nobody]);
                if target.waiting_since == Some(merged_at) {
                    target.resume_before(merged_at, &[TurnTo::Us]);
                }
            }
        }
        let home = self.load_project(txn, target.project).await?;
        let (theirs, ours) = (reference(&project, &issue), reference(&home, &target));
        let who = &acting.user.name;
        self.system_note(txn, &mut target, format!("{who} parted {theirs} from this"), None).await?;
        self.system_note(txn, &mut issue, format!("{who} parted this from {ours}"), None).await?;
        txn.put_issue(Some(&before), &issue)?;
        txn.put_issue(Some(&target_before), &target)?;
        txn.deed().parted.push((id, into));
        Ok(issue.iid)
    }

    /// Moves notes from one issue to another: all of them, or those that once came from `home`.
    async fn move_notes(
        &self,
        txn: &mut Txn<'_>,
        from: &mut Issue,
        to: &mut Issue,
        home: Option<IssueId>,
    ) -> Result<usize, Fault> {
        let notes = txn.list::<Note>(&txn::below(from.id.0)).await?;
        let goes = |note: &&Note| home.is_none_or(|home| note.came_from.contains(&home));
        let moving: Vec<Note> = notes.iter().filter(goes).cloned().collect();
        for note in &moving {
            txn.remove::<Note>(note_key(from.id, note.id));
            let mut note = note.clone();
            match home.and_then(|home| note.came_from.iter().position(|id| *id == home)) {
                Some(at) => note.came_from.truncate(at),
                None => note.came_from.push(from.id),
            }
            note.issue = to.id;
            txn.put(&note)?;
        }
        lead_notices(txn, &moving, to.id).await?;
        from.notes = from.notes.saturating_sub(u32::try_from(moving.len()).unwrap_or(u32::MAX));
        to.notes += u32::try_from(moving.len()).unwrap_or(0);
        let left = notes.iter().filter(|note| !moving.iter().any(|m| m.id == note.id));
        from.last_note = left.map(|note| note.id).max();
        to.last_note = moving.iter().map(|note| note.id).chain(to.last_note).max();
        Ok(moving.len())
    }

    /// Lets everybody's drafts come along; where there is one already, both are joined.
    async fn move_drafts(&self, txn: &mut Txn<'_>, from: IssueId, to: IssueId) -> Result<(), Fault> {
        let drafts = txn.list::<Draft>(&[]).await?;
        for draft in drafts.into_iter().filter(|draft| draft.issue == Some(from)) {
            txn.remove::<Draft>(draft_key(&draft.user, draft.issue, draft.kind));
            let key = draft_key(&draft.user, Some(to), draft.kind);
            let moved = Draft { issue: Some(to), ..draft };
            let draft = match txn.get::<Draft>(&key).await? {
                Some(other) => other.join(moved, Side::Behind),
                None => moved,
            };
            txn.put(&draft)?;
        }
        Ok(())
    }

    /// Lists who wrote the notes of an issue that are its own.
    async fn writers(&self, txn: &mut Txn<'_>, id: IssueId) -> Result<Vec<EmailAddress>, Fault> {
        let notes = txn.list::<Note>(&txn::below(id.0)).await?;
        Ok(notes
            .into_iter()
            .filter(|note| note.came_from.is_empty())
            .filter_map(|note| note.author.email)
            .collect())
    }
}

/// Makes the people of one issue participants of another; gives those that are new there.
fn take_people(issue: &Issue, target: &mut Issue) -> Vec<EmailAddress> {
    let mut brought = Vec::new();
    for person in &issue.participants {
        if target.participant(&person.email).is_none() {
            let mut person = person.clone();
            if person.role == ParticipantRole::Requester {
                person.role = ParticipantRole::Cc;
            }
            brought.push(person.email.clone());
            target.participants.push(person);
        }
    }
    brought
}
