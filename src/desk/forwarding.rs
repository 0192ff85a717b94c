//! Forwarding: notes go to somebody who does not take part, and their answer joins as a note that says so.

use super::issues::{check_text, refuse_disabled, staff_note};
use super::letters::Draughted;
use super::{Acting, Desk};
use crate::domain::counted;
use crate::domain::{
    Aside, Attachment, Fault, Forward, Issue, MailKind, Mailbox, Note, NoteKind, OutboxState, Response,
};

/// A file that goes along: its name, its type and its bytes.
type File = (String, String, Vec<u8>);

impl Desk {
    /// Mails notes and their files to one address. Internal comments and what came encrypted stay here.
    pub(super) async fn forward(&self, acting: &Acting, asked: &Forward) -> Result<Response, Fault> {
        check_text(&asked.text)?;
        let id = self.resolve(&acting.rights, &asked.reference).await?;
        let projects = self.all_projects().await?;
        if self.inner.ways.is_ours(&asked.to, &projects) {
            return Err(Fault::refused(format!("{} is an address of this desk", asked.to)));
        }
        let (_gate, mut txn) = self.begin().await;
        let before = self.load_issue(&mut txn, id).await?;
        let project = self.load_project(&mut txn, before.project).await?;
        refuse_disabled(&project)?;
        let notes = self.chosen(&mut txn, &before, &asked.notes).await?;
        refuse_secrets(&notes)?;
        let (attachments, files) = self.files_of(&notes).await?;
        let mut issue = before.clone();
        let mut note = staff_note(&mut txn, &issue, acting, NoteKind::Reply, asked.text.trim()).await?;
        note.folded = Some(notes.iter().map(quoted).collect::<Vec<_>>().join("\n\n"));
        note.attachments = attachments;
        note.aside = Some(Aside::ForwardedTo(asked.to.clone()));
        note.warnings = vec![format!("forwarded to {}, who does not take part in the issue", asked.to)];
        note.cc = vec![asked.to.clone()];
        let held_until = self.hold(acting, asked.hold_ms).and_then(|hold| txn.now.checked_add(hold).ok());
        let draughted = Draughted {
            kind: MailKind::Forward,
            issue: &issue,
            project: &project,
            note: Some(&note),
            to: Mailbox { name: None, email: asked.to.clone() },
            joint: None,
            files: &files,
            state: if held_until.is_some() { OutboxState::Held } else { OutboxState::Queued },
            held_until,
            user: Some(acting.user.name.clone()),
        };
        self.write_letter(&mut txn, draughted).await?;
        if issue.participant(&asked.to).is_none() && !issue.consulted.contains(&asked.to) {
            issue.consulted.push(asked.to.clone());
        }
        txn.add_note(&mut issue, &note)?;
        let what = counted(notes.len(), "note");
        let words = format!("{} forwarded {what} to {}", acting.user.name, asked.to);
        self.system_note(&mut txn, &mut issue, words, None).await?;
        txn.put_issue(Some(&before), &issue)?;
        txn.deed().label = format!("forwarded {what} of #{} to {}", issue.iid, asked.to);
        txn.deed().undoable = true;
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        Ok(Response::Issue(Box::new(self.issue_view(acting, id).await?)))
    }

    /// Gives the files of notes, each with its bytes, and as files of the note that carries them on.
    async fn files_of(&self, notes: &[Note]) -> Result<(Vec<Attachment>, Vec<File>), Fault> {
        let (mut kept, mut files) = (Vec::new(), Vec::new());
        for note in notes {
            for file in &note.attachments {
                let bytes = self.file_bytes(note, file).await?;
                let raw = self.inner.store.stash(bytes.clone()).await.map_err(super::txn::store_fault)?;
                kept.push(Attachment { part: None, within: Vec::new(), raw: Some(raw), ..file.clone() });
                files.push((file.name.clone(), file.media_type.clone(), bytes));
            }
        }
        Ok((kept, files))
    }
}

/// Marks the note of somebody to whom notes were forwarded; tells whether it is one.
pub(super) fn mark_answer(issue: &Issue, note: &mut Note) -> bool {
    let theirs = note
        .author
        .email
        .as_ref()
        .filter(|email| issue.consulted.contains(email) && issue.participant(email).is_none());
    let Some(email) = theirs else { return false };
    note.warnings.push(format!("from {email}, to whom notes were forwarded; they do not take part"));
    note.aside = Some(Aside::FromThirdParty);
    true
}

fn refuse_secrets(notes: &[Note]) -> Result<(), Fault> {
    if let Some(note) = notes.iter().find(|note| note.kind == NoteKind::Internal) {
        return Err(Fault::refused(format!(
            "note {} is an internal comment, which is never mailed",
            note.id
        )));
    }
    // What came encrypted must not leave in the clear.
    match notes.iter().find(|note| note.seal.as_ref().is_some_and(|seal| seal.encrypted)) {
        Some(note) => Err(Fault::refused(format!("note {} came encrypted and is not mailed on", note.id))),
        None => Ok(()),
    }
}

/// Writes a note as it is quoted: who wrote it, when, and its text.
fn quoted(note: &Note) -> String {
    let at = note.created_at.strftime("%Y-%m-%d %H:%M UTC");
    format!("{}, {at}:\n\n{}", note.author.label(), note.body.trim_end())
}
