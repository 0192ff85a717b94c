//! What front ends see: records put together into the views of the contract.

use super::letters::{reference, sender_name};
use super::txn::{self, Wrote};
use super::{Acting, Desk};
use crate::domain::{
    About, AddressRecord, Attachment, AttachmentView, Change, ChangeView, Delivery, Fate, Fault, IntakeEntry,
    IntakeId, IntakeView, Issue, IssueId, IssuePage, IssueQuery, IssueView, LinkView, Note, NoteId, NoteKind,
    NoteView, OutboxEntry, OutboxState, OutboxView, ParticipantView, Project, ProjectId, Query, Reference,
    Response,
};
use crate::index::Update;
use crate::mail;
use crate::store::record::{
    Changed, ReadMark, intake_key, issue_key, note_key, person_key, project_key, read_key,
};
use crate::store::{Direction, Store, Tree};
use serde_json::Value;

/// The most rows that one answer holds.
const WINDOW: u64 = 10_000;

impl Desk {
    pub(super) async fn issues(&self, acting: &Acting, asked: &IssueQuery) -> Result<Response, Fault> {
        let query = Query::parse(&asked.query)?;
        let viewer = self.viewer(acting);
        let seq = self.inner.store.last();
        let found = self.inner.index.find(&query, &viewer, asked.offset, asked.limit.min(WINDOW));
        let rows = self.inner.index.rows(&found.issues, &viewer);
        Ok(Response::Issues(IssuePage { total: found.total, offset: asked.offset, rows, seq }))
    }

    pub(super) async fn counts(&self, acting: &Acting, queries: &[String]) -> Result<Response, Fault> {
        let viewer = self.viewer(acting);
        let count = |text: &String| Query::parse(text).ok().map(|q| self.inner.index.count(&q, &viewer));
        Ok(Response::Counts(queries.iter().map(count).collect()))
    }

    /// Puts everything about an issue together, as whoever acts may see it.
    pub(super) async fn issue_view(&self, acting: &Acting, id: IssueId) -> Result<IssueView, Fault> {
        let user = acting.user.name.as_str();
        let store = &self.inner.store;
        let issue = self.stored_issue(id).await?;
        let project = self.stored_project(&issue).await?;
        let row = self.inner.index.rows(&[id], &self.viewer(acting)).pop();
        let row = row.ok_or_else(|| super::missing(format!("the row of {}", reference(&project, &issue))))?;
        let mark = store.get::<ReadMark>(&read_key(user, id)).await.map_err(txn::store_fault)?;
        let mark = mark.map_or(NoteId(0), |k| k.record.note);
        let mut notes = Vec::new();
        for note in txn::all::<Note>(store, &txn::below(id.0)).await? {
            notes.push(self.note_view(user, mark, note).await?);
        }
        let mut participants = Vec::with_capacity(issue.participants.len());
        for person in &issue.participants {
            // What is known of an address holds in every issue.
            let known =
                store.get::<AddressRecord>(&person_key(&person.email)).await.map_err(txn::store_fault)?;
            let address_state = known.map_or(person.address_state, |known| known.record.state);
            participants.push(ParticipantView { address_state, ..participant_view(person) });
        }
        let way = self.way_out(&issue, &project).ok();
        let mut view = IssueView {
            row,
            participants,
            links: self.link_views(acting, &issue).await?,
            notes,
            max_size: way.map(|way| way.max_size),
            sender_name: sender_name(&project).to_owned(),
            default_note: project.settings.default_note,
            signature: project.settings.signature.clone(),
            address: self.inner.ways.issue_address(issue.mailbox.as_deref(), &project, issue.iid),
            estimate: issue.estimate,
            spent: issue.spent,
            moved_from: self.former_references(acting, &issue).await?,
            split_from: self.references_seen(acting, issue.split_from.as_slice()).await?.pop(),
            split_into: self.references_seen(acting, &issue.split_into).await?,
            reopened_at: issue.reopened_at,
            idle_warned_at: issue.idle_warned_at,
            rating: issue.rating.as_ref().map(|rated| rated.rating),
            rated_at: issue.rating.as_ref().map(|rated| rated.at),
        };
        acting.keep_back(project.id, &mut view);
        Ok(view)
    }

    async fn note_view(&self, user: &str, mark: NoteId, note: Note) -> Result<NoteView, Fault> {
        let rows = if note.kind == NoteKind::Reply { self.rows_of(&note).await? } else { Vec::new() };
        let mine = note.author.user.as_deref() == Some(user);
        Ok(NoteView {
            unread: note.id > mark && !mine && !note.read && note.kind != NoteKind::System,
            delivery: rows.iter().map(|row| self.delivery(row)).collect(),
            attachments: note.attachments.iter().map(AttachmentView::from).collect(),
            has_raw: note.raw.is_some(),
            id: note.id,
            kind: note.kind,
            author: note.author,
            body: note.body,
            folded: note.folded,
            html: note.html,
            reduced: note.reduced,
            created_at: note.created_at,
            message_id: note.message_id.or_else(|| rows.first().map(|row| row.message_id.clone())),
            in_reply_to: note.in_reply_to,
            automatic: note.automatic,
            auth: note.auth,
            why: note.why,
            warnings: note.warnings,
            seal: note.seal,
            aside: note.aside,
        })
    }

    fn delivery(&self, row: &OutboxEntry) -> Delivery {
        Delivery {
            to: row.to.clone(),
            state: self.shown_state(row),
            error: row.error.clone(),
            message_id: row.message_id.clone(),
            outbox: row.id,
            at: row.sent_at,
            held_until: row.held_until,
        }
    }

    async fn link_views(&self, acting: &Acting, issue: &Issue) -> Result<Vec<LinkView>, Fault> {
        let mut views = Vec::with_capacity(issue.links.len());
        for link in &issue.links {
            let other = self.stored_issue(link.issue).await?;
            if !acting.rights.sees_issue(other.project, other.confidential) {
                continue;
            }
            let project = self.stored_project(&other).await?;
            views.push(LinkView {
                kind: link.kind,
                reference: reference(&project, &other),
                title: other.title,
                state: other.state,
            });
        }
        Ok(views)
    }

    /// Gives the references of those issues that may be seen.
    async fn references_seen(&self, acting: &Acting, ids: &[IssueId]) -> Result<Vec<String>, Fault> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let issue = self.stored_issue(*id).await?;
            if acting.rights.sees_issue(issue.project, issue.confidential) {
                found.push(reference(&self.stored_project(&issue).await?, &issue));
            }
        }
        Ok(found)
    }

    /// Lists the references that an issue had before it was moved, in projects that may be seen.
    async fn former_references(&self, acting: &Acting, issue: &Issue) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        for standing in issue.stood.iter().filter(|standing| standing.project != issue.project) {
            if let Some(path) = self.path_seen(acting, standing.project).await? {
                found.push(format!("{path}#{}", standing.iid));
            }
        }
        Ok(found)
    }

    pub(super) async fn stored_issue(&self, id: IssueId) -> Result<Issue, Fault> {
        let kept = self.inner.store.get::<Issue>(&issue_key(id)).await.map_err(txn::store_fault)?;
        kept.map(|k| k.record).ok_or_else(|| super::missing(format!("issue {id}")))
    }

    async fn stored_project(&self, issue: &Issue) -> Result<Project, Fault> {
        self.stored_project_by_id(issue.project).await
    }

    pub(super) async fn stored_project_by_id(&self, id: ProjectId) -> Result<Project, Fault> {
        let kept = self.inner.store.get::<Project>(&project_key(id)).await.map_err(txn::store_fault)?;
        kept.map(|k| k.record).ok_or_else(|| super::missing(format!("project {id}")))
    }

    /// Gives the path of a project, if that may be seen.
    async fn path_seen(&self, acting: &Acting, id: ProjectId) -> Result<Option<String>, Fault> {
        match acting.rights.sees(id) {
            true => Ok(Some(self.stored_project_by_id(id).await?.path)),
            false => Ok(None),
        }
    }

    /// Gives the project that an issue belongs to.
    pub(super) async fn project_of_issue(&self, id: IssueId) -> Result<Project, Fault> {
        self.stored_project(&self.stored_issue(id).await?).await
    }

    /// Gives `mygroup/myproject#12` of an issue.
    pub(super) async fn reference_of(&self, id: IssueId) -> Result<String, Fault> {
        let issue = self.stored_issue(id).await?;
        Ok(reference(&self.stored_project(&issue).await?, &issue))
    }

    pub(super) async fn history(&self, acting: &Acting, asked: &Reference) -> Result<Response, Fault> {
        let id = self.resolve(&acting.rights, asked).await?;
        let changes = txn::all::<Changed>(&self.inner.store, &txn::below(id.0)).await?;
        let mut views = Vec::with_capacity(changes.len());
        for Changed { seq, at, actor, reason, change, .. } in changes {
            let Change { field, mut before, mut after, rule, .. } = change;
            let reason = rule.map(|rule| format!("rule {rule}")).or(reason);
            if field == "project" {
                before = self.project_in_words(acting, &before).await?;
                after = self.project_in_words(acting, &after).await?;
            }
            views.push(ChangeView { seq, at, actor, field, before, after, reason });
        }
        Ok(Response::History(views))
    }

    /// Gives the path for the number that history keeps of a project; null where that may not be seen.
    async fn project_in_words(&self, acting: &Acting, id: &Value) -> Result<Value, Fault> {
        let path = match id.as_u64() {
            Some(id) => self.path_seen(acting, ProjectId(id)).await?,
            None => None,
        };
        Ok(path.map_or(Value::Null, Value::String))
    }

    async fn stored_note(&self, acting: &Acting, asked: &Reference, note: NoteId) -> Result<Note, Fault> {
        let id = self.resolve(&acting.rights, asked).await?;
        let kept = self.inner.store.get::<Note>(&note_key(id, note)).await.map_err(txn::store_fault)?;
        let issue = self.stored_issue(id).await?;
        kept.map(|k| k.record).filter(|note| acting.rights.sees_note(&issue, note)).ok_or_else(|| {
            Fault::not_found(format!("there is no note {note} in {asked}"))
                .hint(format!("`deskbell issue show {asked}` lists its notes"))
        })
    }

    pub(super) async fn raw_mail(
        &self,
        acting: &Acting,
        asked: &Reference,
        note: NoteId,
    ) -> Result<Response, Fault> {
        let note = self.stored_note(acting, asked, note).await?;
        let sent = self.rows_of(&note).await?;
        let raw = note.raw.or_else(|| sent.first().map(|row| row.raw)).ok_or_else(|| {
            Fault::refused(format!("note {} was not a mail", note.id))
                .hint("it was written here and never mailed")
        })?;
        Ok(Response::Bytes(self.inner.store.raw(raw).await.map_err(txn::store_fault)?))
    }

    /// Gives the HTML of a note's mail as a page for the browser.
    pub(super) async fn original_html(
        &self,
        acting: &Acting,
        asked: &Reference,
        note: NoteId,
    ) -> Result<Response, Fault> {
        let Response::Bytes(raw) = self.raw_mail(acting, asked, note).await? else {
            return Err(Fault::internal("a mail came back as something else"));
        };
        let page = tokio::task::spawn_blocking(move || mail::original_html(&raw)).await;
        let page = page.map_err(|e| Fault::internal(format!("reading a mail failed: {e}")))?;
        page.map(|page| Response::Bytes(page.into_bytes())).ok_or_else(|| {
            Fault::refused(format!("the mail of note {note} has no HTML"))
                .hint(format!("`deskbell issue raw {asked} {note}` prints it as it came"))
        })
    }

    pub(super) async fn attachment(
        &self,
        acting: &Acting,
        asked: &Reference,
        note: NoteId,
        name: &str,
    ) -> Result<Response, Fault> {
        let note = self.stored_note(acting, asked, note).await?;
        let by_number = name.parse::<usize>().ok().and_then(|n| note.attachments.get(n.checked_sub(1)?));
        let file = note.attachments.iter().find(|f| f.name == name).or(by_number).ok_or_else(|| {
            let names: Vec<&str> = note.attachments.iter().map(|f| f.name.as_str()).collect();
            let hint = if names.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", names.join(", "))
            };
            Fault::not_found(format!("note {} has no file `{name}`", note.id)).hint(hint)
        })?;
        self.file_bytes(&note, file).await.map(Response::Bytes)
    }

    /// Gives the bytes of a file of a note.
    pub(super) async fn file_bytes(&self, note: &Note, file: &Attachment) -> Result<Vec<u8>, Fault> {
        let store = &self.inner.store;
        let bytes = match (file.raw, note.raw, file.part) {
            (Some(own), _, _) => Some(store.raw(own).await.map_err(txn::store_fault)?),
            (None, Some(raw), Some(part)) => {
                mail::part(&store.raw(raw).await.map_err(txn::store_fault)?, part, &file.within)
            }
            _ => None,
        };
        bytes.ok_or_else(|| super::missing(format!("the file `{}`", file.name)))
    }

    pub(super) async fn outbox_view(&self, entry: OutboxEntry) -> Result<OutboxView, Fault> {
        Ok(OutboxView {
            reference: match entry.issue {
                Some(id) => Some(self.reference_of(id).await?),
                None => None,
            },
            state: self.shown_state(&entry),
            id: entry.id,
            kind: entry.kind,
            to: entry.to,
            subject: entry.subject,
            attempts: entry.attempts,
            next_attempt_at: entry.next_attempt_at,
            error: entry.error,
            message_id: entry.message_id,
            created_at: entry.created_at,
            sent_at: entry.sent_at,
            held_until: entry.held_until,
            outlet: entry.outlet,
        })
    }

    pub(super) async fn intake_view(&self, entry: IntakeEntry) -> Result<IntakeView, Fault> {
        Ok(IntakeView {
            reference: match entry.issue {
                Some(id) => Some(self.reference_of(id).await?),
                None => None,
            },
            id: entry.id,
            mailbox: entry.arrival.mailbox,
            path: entry.arrival.path,
            index: entry.arrival.index,
            received_at: entry.received_at,
            message_id: entry.message_id,
            from: entry.from,
            to: entry.to,
            subject: entry.subject,
            size: entry.size,
            fate: entry.fate,
            note: entry.note,
            reason: entry.reason,
            silent: entry.silent,
            opinions: entry.opinions,
            purged: entry.purged,
        })
    }

    pub(super) async fn intake_list(
        &self,
        acting: &Acting,
        fate: Option<Fate>,
        limit: u64,
    ) -> Result<Response, Fault> {
        let mut views = Vec::new();
        let mut from: Option<Vec<u8>> = None;
        while (views.len() as u64) < limit {
            let page = self.inner.store.scan::<IntakeEntry>(&[], from.as_deref(), 500, Direction::Down).await;
            let page = page.map_err(txn::store_fault)?;
            let Some(last) = page.last() else { break };
            from = Some(intake_key(last.record.id));
            for entry in page
                .into_iter()
                .map(|k| k.record)
                .filter(|e| fate.is_none_or(|f| f == e.fate))
                .filter(|e| acting.sees_arrival(e))
            {
                views.push(self.intake_view(entry).await?);
            }
        }
        views.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(Response::Intake(views))
    }

    pub(super) async fn stored_intake(&self, id: IntakeId) -> Result<IntakeEntry, Fault> {
        let kept = self.inner.store.get::<IntakeEntry>(&intake_key(id)).await.map_err(txn::store_fault)?;
        kept.map(|k| k.record).ok_or_else(|| {
            Fault::not_found(format!("there is no mail {id} in the intake"))
                .hint("`deskbell intake list` shows them")
        })
    }

    pub(super) async fn intake_entry(&self, id: IntakeId) -> Result<Response, Fault> {
        let entry = self.stored_intake(id).await?;
        Ok(Response::IntakeEntry(Box::new(self.intake_view(entry).await?)))
    }

    pub(super) async fn intake_raw(&self, id: IntakeId) -> Result<Response, Fault> {
        let entry = self.stored_intake(id).await?;
        let raw = entry.raw.ok_or_else(|| {
            Fault::refused("the bytes of this mail are not here")
                .hint("it is still on its server; `deskbell intake retry` fetches it")
        })?;
        Ok(Response::Bytes(self.inner.store.raw(raw).await.map_err(txn::store_fault)?))
    }

    /// Translates what was written into what the index shows.
    pub(super) fn updates(&self, records: &[Wrote]) -> Vec<Update> {
        let mut updates = Vec::new();
        let mut troubled = std::collections::BTreeSet::new();
        for wrote in records {
            match wrote.tree {
                Tree::Projects => updates.extend(wrote.record::<Project>().map(path_of)),
                Tree::Issues => updates.extend(wrote.record::<Issue>().cloned().map(row_of)),
                Tree::Notes => match wrote.record::<Note>() {
                    Some(note) => updates.push(Update::Note(note.clone())),
                    None => updates.extend(gone_note(&wrote.key)),
                },
                Tree::About => updates.extend(about_of(&wrote.key, wrote.record::<About>())),
                Tree::ReadMarks => updates.extend(wrote.record::<ReadMark>().cloned().map(read_by)),
                Tree::Outbox => {
                    let Some(entry) = wrote.record::<OutboxEntry>() else { continue };
                    self.inner.queue.follow(entry, self.now());
                    troubled.extend(entry.issue);
                }
                _ => {}
            }
        }
        for issue in troubled {
            updates.push(Update::Trouble { issue, state: self.trouble(issue) });
        }
        updates
    }

    /// Gives the worst state of an issue's mail that somebody should look at.
    fn trouble(&self, issue: IssueId) -> Option<OutboxState> {
        self.inner.queue.worst(issue).filter(|state| is_trouble(*state))
    }
}

/// Tells whether somebody should look at mail in this state.
pub(super) fn is_trouble(state: OutboxState) -> bool {
    matches!(state, OutboxState::Deferred | OutboxState::Failed | OutboxState::Bounced)
}

pub(super) fn decode<R: crate::store::Record>(document: &[u8]) -> Result<R, Fault> {
    Store::decode(document).map_err(txn::store_fault)
}

fn path_of(project: &Project) -> Update {
    Update::Project { id: project.id, path: project.path.clone() }
}

/// Shows what is kept about a person; the key names them, as there may be nothing.
pub(super) fn about_of(key: &[u8], about: Option<&About>) -> Option<Update> {
    let person = std::str::from_utf8(key.strip_suffix(&[0])?).ok()?.to_owned();
    Some(Update::About { person, vip: about.is_some_and(|about| about.vip.is_some()) })
}

fn read_by(mark: ReadMark) -> Update {
    Update::Read { user: mark.user, issue: mark.issue, note: mark.note }
}

/// Shows an issue; none of which nothing is left.
pub(super) fn row_of(issue: Issue) -> Update {
    if issue.purged { Update::IssueGone(issue.id) } else { Update::Issue(issue) }
}

pub(super) fn gone_note(key: &[u8]) -> Option<Update> {
    let number = |range: std::ops::Range<usize>| Some(u64::from_be_bytes(key.get(range)?.try_into().ok()?));
    Some(Update::NoteGone { issue: IssueId(number(0..8)?), note: NoteId(number(8..16)?) })
}

fn participant_view(person: &crate::domain::Participant) -> ParticipantView {
    ParticipantView {
        name: person.name.clone(),
        email: person.email.clone(),
        subscribed: person.subscribed,
        role: person.role,
        address_state: person.address_state,
    }
}
