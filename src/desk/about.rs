//! What the staff keep about outside people: notes for each other, and a mark for those who are important.
//!
//! Whoever may work on an issue of a person sees the mark, and of the notes those that were written by somebody who
//! met the person in a project in which both work: taking a person into an issue shows nothing of what others wrote
//! elsewhere. Nobody outside sees any of it, and no guest.

use super::txn::{self, Txn};
use super::{Acting, Desk};
use crate::domain::{
    About, AboutChange, AboutEdit, AboutNote, AboutView, EmailAddress, Fault, Marked, ProjectId, Response,
    Rights,
};
use crate::store::record::person_key;

/// Octets of a note.
const TEXT: usize = 10_000;
/// So many notes does one person get.
const NOTES: usize = 200;

impl Desk {
    /// Shows what is kept about a person.
    pub(super) async fn about(&self, acting: &Acting, email: &EmailAddress) -> Result<Response, Fault> {
        let unknown = self.demand_person(acting, email)?.is_empty();
        let kept = self.kept_about(email).await?.unwrap_or_else(|| About::new(email.clone()));
        let view = kept.view(|note| sees(acting, note));
        Ok(Response::About(Box::new(AboutView { unknown, ..view })))
    }

    /// Reads what is kept about a person, if anything is.
    pub(super) async fn kept_about(&self, email: &EmailAddress) -> Result<Option<About>, Fault> {
        let kept = self.inner.store.get::<About>(&person_key(email)).await.map_err(txn::store_fault)?;
        Ok(kept.map(|kept| kept.record))
    }

    /// Changes what is kept about a person.
    pub(super) async fn set_about(
        &self,
        acting: &Acting,
        email: &EmailAddress,
        edit: AboutEdit,
    ) -> Result<Response, Fault> {
        let projects = self.demand_person(acting, email)?;
        let (_gate, mut txn) = self.begin().await;
        let before = txn.get::<About>(&person_key(email)).await?;
        let mut after = before.clone().unwrap_or_else(|| About::new(email.clone()));
        let by = Marked { by: acting.user.name.clone(), at: txn.now };
        let label = edited(&mut after, edit, by, projects, |note| sees(acting, note))?;
        if before.as_ref() != Some(&after) && !(before.is_none() && after.is_empty()) {
            let change = AboutChange { before, after: Some(after.clone()) };
            write(&mut txn, &change)?;
            txn.deed().label = label;
            txn.deed().about.push(change);
            txn.deed().undoable = true;
            self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        }
        Ok(Response::About(Box::new(after.view(|note| sees(acting, note)))))
    }

    /// Lists the projects in which one works and the person takes part; refuses whoever has none.
    pub(super) fn demand_person(
        &self,
        acting: &Acting,
        email: &EmailAddress,
    ) -> Result<Vec<ProjectId>, Fault> {
        let mut projects: Vec<ProjectId> = self.inner.index.projects_of_person(email).into_iter().collect();
        projects.retain(|project| acting.rights.sees_addresses(*project));
        match acting.rights == Rights::All || !projects.is_empty() {
            true => Ok(projects),
            false => Err(Fault::not_found(format!("no issue of yours has {email}"))
                .hint("notes are kept about people who wrote to a project in which you work")),
        }
    }

    /// Sets what is kept about a person to what it was before a verb, or after it. Refuses where somebody
    /// changed it since.
    pub(super) async fn restore_about(
        &self,
        txn: &mut Txn<'_>,
        change: &AboutChange,
        back: bool,
    ) -> Result<(), Fault> {
        let AboutChange { before, after } = change.clone();
        let (from, to) = if back { (after, before) } else { (before, after) };
        let Some(email) = from.as_ref().or(to.as_ref()).map(|about| about.email.clone()) else {
            return Ok(());
        };
        if txn.get::<About>(&person_key(&email)).await? != from {
            return Err(Fault::refused(format!("somebody changed what is kept about {email} since"))
                .hint(format!("`deskbell person note {email}` shows it; change it by hand")));
        }
        let change = AboutChange { before: from, after: to };
        write(txn, &change)?;
        if !back {
            txn.deed().about.push(change);
        }
        Ok(())
    }
}

/// Tells whether a note is for who asks.
fn sees(acting: &Acting, note: &AboutNote) -> bool {
    let works = |project: &ProjectId| acting.rights.sees_addresses(*project);
    acting.rights == Rights::All || note.projects.iter().any(works)
}

fn write(txn: &mut Txn<'_>, change: &AboutChange) -> Result<(), Fault> {
    match (&change.before, &change.after) {
        (_, Some(after)) => txn.put(after),
        (Some(before), None) => {
            txn.remove::<About>(person_key(&before.email));
            Ok(())
        }
        (None, None) => Ok(()),
    }
}

/// Carries a change out; gives what to call it, without a word of what was written.
///
/// A new note is for those who work in `projects`; one that is not seen is none.
fn edited(
    about: &mut About,
    edit: AboutEdit,
    by: Marked,
    projects: Vec<ProjectId>,
    seen: impl Fn(&AboutNote) -> bool,
) -> Result<String, Fault> {
    let email = about.email.clone();
    Ok(match edit {
        AboutEdit::Vip(true) => {
            about.vip.get_or_insert(by);
            format!("marked {email} as important")
        }
        AboutEdit::Vip(false) => {
            about.vip = None;
            format!("{email} is not marked as important any more")
        }
        AboutEdit::Add(text) => {
            let text = checked(&text)?;
            if about.notes.len() >= NOTES {
                return Err(Fault::refused(format!("there are {NOTES} notes on {email} already"))
                    .hint("remove those that hold no more"));
            }
            about.last += 1;
            about.notes.push(AboutNote {
                id: about.last,
                by: by.by,
                at: by.at,
                text,
                edited: None,
                projects,
            });
            format!("wrote a note on {email}")
        }
        AboutEdit::Rewrite { note, text } => {
            let text = checked(&text)?;
            let found = about.notes.iter_mut().find(|known| known.id == note && seen(known));
            let found = found.ok_or_else(|| no_note(&email, note))?;
            if found.text != text {
                (found.text, found.edited) = (text, Some(by));
            }
            format!("changed note {note} on {email}")
        }
        AboutEdit::Remove { note } => {
            let place = about.notes.iter().position(|known| known.id == note && seen(known));
            about.notes.remove(place.ok_or_else(|| no_note(&email, note))?);
            format!("removed note {note} on {email}")
        }
    })
}

fn checked(text: &str) -> Result<String, Fault> {
    match text.trim() {
        "" => Err(Fault::usage("a note on a person cannot be empty")),
        text if text.len() > TEXT => {
            Err(Fault::usage(format!("a note on a person has at most {TEXT} octets")))
        }
        text => Ok(text.to_owned()),
    }
}

fn no_note(email: &EmailAddress, note: u64) -> Fault {
    Fault::not_found(format!("there is no note {note} on {email}"))
        .hint(format!("`deskbell person note {email}` shows them"))
}
