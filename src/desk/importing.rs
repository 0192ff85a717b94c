//! Importing: an issue of another desk is taken over as it stood there, once, and nobody is mailed for it.
//!
//! What was taken over is known by a Message-ID made of its key, so that a second run adds only what is new.

use super::issues::{blank_note, check_text, participant, tidy_title, turn};
use super::letters::{know, reference};
use super::txn::Txn;
use super::{Acting, Desk};
use crate::domain::{
    Attachment, Author, Fault, ImportAuthor, ImportIssue, ImportNote, Imported, Issue, IssueKind, MessageId,
    Note, NoteKind, ParticipantRole, Party, Project, Response, Role, State, Status, Upload, User,
};
use crate::mail;
use crate::store::record::{Known, Number, Place, number_key, text_key};

impl Desk {
    /// Takes over an issue, or the notes of it that are not here yet.
    pub(super) async fn import_issue(&self, acting: &Acting, asked: ImportIssue) -> Result<Response, Fault> {
        asked.notes.iter().try_for_each(|note| check_text(&note.body))?;
        let project = self.project_by_path(&acting.rights, &asked.project).await?;
        let (_gate, mut txn) = self.begin().await;
        let mut project = self.load_project(&mut txn, project.id).await?;
        let users = txn.list::<User>(&[]).await?;
        let id = import_id(&asked.key)?;
        let known = txn.get::<Known>(&text_key(id.as_str())).await?;
        let before = match known.and_then(|known| known.places.first().cloned()) {
            Some(place) => Some(self.load_issue(&mut txn, place.issue).await?),
            None => None,
        };
        if let Some(issue) = &before {
            let home = self.load_project(&mut txn, issue.project).await?;
            self.demand(acting, &home, Role::Maintainer)?;
        }
        let new = before.is_none();
        let mut issue = match &before {
            Some(issue) => issue.clone(),
            None => {
                let issue = self.imported(&mut txn, &mut project, &asked, &users).await?;
                let place = Place { project: project.id, issue: issue.id, note: None, outbox: None };
                know(&mut txn, &id, place).await?;
                issue
            }
        };
        let mut notes = 0;
        for note in asked.notes {
            notes += u64::from(self.import_note(&mut txn, &project, &mut issue, &users, note).await?);
        }
        if new {
            issue.updated_at = asked.updated_at;
        }
        let project = self.load_project(&mut txn, issue.project).await?;
        let done = Imported { reference: reference(&project, &issue), new, notes };
        if new || notes > 0 {
            txn.put_issue(before.as_ref(), &issue)?;
            txn.hush = true;
            txn.deed().label = format!("imported {}", done.reference);
            self.finish(txn, acting.actor(), Some("imported".to_owned()), Some(acting.request.clone()))
                .await?;
        }
        Ok(Response::Imported(done))
    }

    async fn imported(
        &self,
        txn: &mut Txn<'_>,
        project: &mut Project,
        asked: &ImportIssue,
        users: &[User],
    ) -> Result<Issue, Fault> {
        let mut issue = self.number_issue(txn, project, &asked.title).await?;
        keep_number(txn, project, &mut issue, asked.iid).await?;
        let person = |(place, email): (usize, &crate::domain::EmailAddress)| {
            let role = if place == 0 { ParticipantRole::Requester } else { ParticipantRole::Cc };
            participant(None, email.clone(), role)
        };
        issue.kind = asked.kind;
        issue.title = tidy_title(&asked.title);
        issue.author = author(&asked.author, users);
        issue.participants = asked.participants.iter().enumerate().map(person).collect();
        issue.mailbox.clone_from(&project.settings.mailbox);
        issue.confidential = asked.confidential;
        issue.labels = asked.labels.iter().cloned().collect();
        issue.milestone.clone_from(&asked.milestone);
        issue.weight = asked.weight;
        issue.estimate = asked.estimate;
        issue.spent = asked.spent;
        issue.due_at = asked.due_at;
        issue.assignee =
            asked.assignees.iter().find_map(|who| user(who, users)).map(|user| user.name.clone());
        issue.created_at = asked.created_at;
        issue.updated_at = asked.updated_at;
        if asked.closed {
            issue.state = State::Closed;
            issue.status = Status::Closed;
            issue.closed_at = asked.closed_at.or(Some(asked.updated_at));
        } else {
            let answered = asked.notes.iter().rfind(|note| note.kind != NoteKind::System);
            let ours = asked.kind == IssueKind::Ticket && answered.is_some_and(|n| n.kind == NoteKind::Reply);
            turn(&mut issue, Some(if ours { Party::Them } else { Party::Us }), asked.updated_at);
        }
        Ok(issue)
    }

    /// Adds a note unless it is here already; tells whether it did.
    async fn import_note(
        &self,
        txn: &mut Txn<'_>,
        project: &Project,
        issue: &mut Issue,
        users: &[User],
        asked: ImportNote,
    ) -> Result<bool, Fault> {
        let id = import_id(&asked.key)?;
        if txn.get::<Known>(&text_key(id.as_str())).await?.is_some() {
            return Ok(false);
        }
        let blank = blank_note(txn.next_note().await?, issue.id, asked.kind, asked.body, asked.created_at);
        let note = Note {
            author: author(&asked.author, users),
            why: Some("imported".to_owned()),
            attachments: self.kept_files(txn, &asked.files).await?,
            read: true,
            ..blank
        };
        know(txn, &id, Place { project: project.id, issue: issue.id, note: Some(note.id), outbox: None })
            .await?;
        txn.add_note(issue, &note)?;
        Ok(true)
    }

    async fn kept_files(&self, txn: &Txn<'_>, files: &[Upload]) -> Result<Vec<Attachment>, Fault> {
        let mut kept = Vec::with_capacity(files.len());
        for file in files {
            let name = mail::safe_file_name(&file.name);
            kept.push(Attachment {
                media_type: mail::media_type(&name),
                name,
                size: file.bytes.len() as u64,
                inline: false,
                part: None,
                within: Vec::new(),
                raw: Some(txn.stash(file.bytes.clone()).await?),
            });
        }
        Ok(kept)
    }
}

/// Gives an issue the number that it had, where nobody else has it.
async fn keep_number(
    txn: &mut Txn<'_>,
    project: &mut Project,
    issue: &mut Issue,
    wanted: u64,
) -> Result<(), Fault> {
    let taken = txn.get::<Number>(&number_key(project.id, wanted)).await?;
    if wanted == 0 || wanted > u64::from(u32::MAX) || wanted == issue.iid || taken.is_some() {
        return Ok(());
    }
    txn.remove::<Number>(number_key(project.id, issue.iid));
    // Numbers above it stay free for those that still come; new issues begin behind the greatest.
    project.next_iid = (wanted + 1).max(issue.iid);
    issue.iid = wanted;
    txn.put(&*project)?;
    txn.put(&Number { project: project.id, iid: wanted, issue: issue.id })
}

fn import_id(key: &str) -> Result<MessageId, Fault> {
    MessageId::parse(&format!("{key}@import.invalid"))
        .ok_or_else(|| Fault::usage("what is imported has no usable key"))
}

/// Finds the user who is the same person.
fn user<'a>(who: &ImportAuthor, users: &'a [User]) -> Option<&'a User> {
    let by_email = |user: &&User| who.email.as_ref().is_some_and(|email| user.emails.contains(email));
    let by_name = |user: &&User| who.username.as_deref() == Some(user.name.as_str());
    let mut present = users.iter().filter(|user| !user.removed);
    present.clone().find(by_email).or_else(|| present.find(by_name))
}

fn author(who: &ImportAuthor, users: &[User]) -> Author {
    match (user(who, users), &who.email) {
        (Some(user), _) => Author::staff(user),
        // An account that nobody has here is no outside person, to whom mail would go.
        (None, _) if who.username.is_some() || who.email.is_none() => {
            Author { name: who.name.clone().or_else(|| who.username.clone()), email: None, user: None }
        }
        (None, Some(email)) => Author::outside(who.name.clone(), email.clone()),
        (None, None) => Author::default(),
    }
}
