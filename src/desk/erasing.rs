//! A person: what is kept of an outside address, and taking all of it out for good.

use super::txn::Txn;
use super::vanishing::ready;
use super::{Acting, Desk, txn};
use crate::domain::{
    About, AddressRecord, Author, Border, Cut, Draft, EmailAddress, Fault, IntakeEntry, Issue, IssueId, Note,
    NoteKind, OutboxEntry, OutboxId, OutboxState, PersonIssue, PersonNote, PersonView, RawRef, Response,
    User,
};
use crate::mail;
use crate::store::record::{intake_key, issue_key, note_key, outbox_key, person_key};
use crate::store::{Scrub, Spool, Tree, site};
use std::collections::{BTreeMap, BTreeSet};

/// What stands where something of a person was.
const ERASED: &str = "(erased)";
/// A shorter line stands in too many texts to be looked for.
const LINE: usize = 8;
/// A shorter name of one word is looked for in the person's own issues only.
const NAME: usize = 7;

/// So many issues or mails are changed in one step.
const AT_ONCE: usize = 200;

/// All that the desk has of a person.
struct Traces {
    names: BTreeSet<String>,
    issues: BTreeMap<IssueId, Issue>,
    /// Notes of those issues, theirs and others'.
    notes: Vec<Note>,
    intake: Vec<IntakeEntry>,
    outbox: Vec<OutboxEntry>,
}

impl Traces {
    fn own<'a>(&'a self, email: &'a EmailAddress) -> impl Iterator<Item = &'a Note> {
        self.notes.iter().filter(|note| is_theirs(note, email))
    }
}

impl Desk {
    /// Shows what is kept of a person.
    pub(super) async fn person(&self, email: &EmailAddress) -> Result<Response, Fault> {
        let traces = self.traces(email).await?;
        let nothing = traces.issues.is_empty() && traces.intake.is_empty() && traces.outbox.is_empty();
        if nothing && self.kept_about(email).await?.is_none() {
            return Err(Fault::not_found(format!("nothing is kept of {email}")));
        }
        self.person_view(email, &traces).await.map(|view| Response::Person(Box::new(view)))
    }

    /// Takes everything of a person out for good; shows what there was, without its texts.
    pub(super) async fn erase_person(
        &self,
        acting: &Acting,
        email: &EmailAddress,
    ) -> Result<Response, Fault> {
        let users = txn::all::<User>(&self.inner.store, &[]).await?;
        if let Some(user) = users.iter().find(|user| user.emails.contains(email)) {
            return Err(Fault::refused(format!("{email} is an address of {}, who is staff", user.name))
                .hint("`deskbell user remove` takes somebody off the staff"));
        }
        if self.inner.ways.is_ours(email, &self.all_projects().await?) {
            return Err(Fault::refused(format!("{email} is an address of this desk")));
        }
        {
            let _gate = self.inner.gate.lock().await;
            self.keep_promise().await?;
        }
        self.leave_everywhere(acting, email).await?;
        let _gate = self.inner.gate.lock().await;
        let traces = self.traces(email).await?;
        let mut view = self.person_view(email, &traces).await?;
        let mut spool = self.inner.store.spool().map_err(txn::store_fault)?;
        let scrub = self.scrub_of(email, &traces, &mut spool).await?;
        self.vanish(scrub, spool).await?;
        // Who asked has the address in their hands; nothing else of the person is given out.
        for issue in &mut view.issues {
            if traces.issues.values().any(|known| known.title == issue.title && is_by(&known.author, email)) {
                issue.title = ERASED.to_owned();
            }
        }
        view.names.clear();
        view.kept_notes.iter_mut().for_each(|note| note.text.clear());
        view.notes.iter_mut().chain(&mut view.about).for_each(|note| note.body.clear());
        Ok(Response::Person(Box::new(view)))
    }

    /// Lets nothing go to the person any more, and says in each issue what happens. It does so in several steps:
    /// one of all would be as large as all issues together.
    async fn leave_everywhere(&self, acting: &Acting, email: &EmailAddress) -> Result<(), Fault> {
        let traces = self.traces(email).await?;
        let unsettled = traces.outbox.iter().filter(|entry| !entry.state.is_settled());
        let rows: Vec<OutboxId> = unsettled.map(|entry| entry.id).collect();
        let issues: Vec<IssueId> = traces.issues.into_keys().collect();
        for rows in rows.chunks(AT_ONCE) {
            let (_gate, mut txn) = self.begin().await;
            for id in rows {
                self.cancel_theirs(&mut txn, *id).await?;
            }
            self.step_of_erasing(acting, txn).await?;
        }
        for issues in issues.chunks(AT_ONCE) {
            let (_gate, mut txn) = self.begin().await;
            for id in issues {
                self.leave_issue(&mut txn, acting, *id, email).await?;
            }
            self.step_of_erasing(acting, txn).await?;
        }
        let (_gate, mut txn) = self.begin().await;
        txn.remove::<AddressRecord>(person_key(email));
        txn.remove::<About>(person_key(email));
        self.step_of_erasing(acting, txn).await
    }

    async fn cancel_theirs(&self, txn: &mut Txn<'_>, id: OutboxId) -> Result<(), Fault> {
        let entry = txn.get::<OutboxEntry>(&outbox_key(id)).await?;
        // It may have gone out since.
        let Some(entry) = entry.filter(|entry| !entry.state.is_settled()) else { return Ok(()) };
        let state = OutboxState::Cancelled;
        super::outbox::put_entry(txn, &OutboxEntry { state, held_until: None, ..entry })
    }

    async fn leave_issue(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        id: IssueId,
        email: &EmailAddress,
    ) -> Result<(), Fault> {
        let before = self.load_issue(txn, id).await?;
        let mut issue = before.clone();
        issue.set_subscribed(email, false);
        let words =
            format!("{} had a person erased who took part; this cannot be taken back", acting.user.name);
        self.system_note(txn, &mut issue, words, None).await?;
        txn.put_issue(Some(&before), &issue)
    }

    async fn step_of_erasing(&self, acting: &Acting, mut txn: Txn<'_>) -> Result<(), Fault> {
        txn.hush = true;
        txn.deed().label = "erased a person".to_owned();
        // Not remembered as done: asked again, it is done again.
        self.finish(txn, acting.actor(), None, None).await.map(drop)
    }

    /// Finds everything of a person. It reads every issue and every note.
    async fn traces(&self, email: &EmailAddress) -> Result<Traces, Fault> {
        let store = &self.inner.store;
        let mut names = BTreeSet::new();
        let mut touched = BTreeSet::new();
        let all = txn::all::<Note>(store, &[]).await?;
        for note in &all {
            if is_by(&note.author, email) {
                names.extend(note.author.name.clone());
                touched.insert(note.issue);
            }
            if note.cc.contains(email) || is_theirs(note, email) {
                touched.insert(note.issue);
            }
        }
        let mut issues = BTreeMap::new();
        for issue in txn::all::<Issue>(store, &[]).await? {
            let person = issue.participant(email).cloned();
            let among = issue.consulted.contains(email) || issue.brought.contains(email);
            if touched.contains(&issue.id) || person.is_some() || among || is_by(&issue.author, email) {
                names.extend(person.and_then(|person| person.name));
                names.extend(issue.author.name.clone().filter(|_| is_by(&issue.author, email)));
                issues.insert(issue.id, issue);
            }
        }
        names.retain(|name| name.chars().any(char::is_alphabetic) && EmailAddress::parse(name).is_none());
        let notes = all.into_iter().filter(|note| issues.contains_key(&note.issue)).collect();
        let theirs =
            |entry: &IntakeEntry| entry.from.as_deref().is_some_and(|from| names_address(from, email));
        let intake = txn::all::<IntakeEntry>(store, &[]).await?.into_iter().filter(theirs).collect();
        let outbox =
            txn::all::<OutboxEntry>(store, &[]).await?.into_iter().filter(|e| e.to == *email).collect();
        Ok(Traces { names, issues, notes, intake, outbox })
    }

    async fn person_view(&self, email: &EmailAddress, traces: &Traces) -> Result<PersonView, Fault> {
        let mut references = BTreeMap::new();
        let mut issues = Vec::new();
        for (id, issue) in &traces.issues {
            let project = self.project_of_issue(*id).await?;
            let reference = super::letters::reference(&project, issue);
            let person = issue.participant(email);
            issues.push(PersonIssue {
                reference: reference.clone(),
                title: issue.title.clone(),
                state: issue.state,
                role: person.map(|person| person.role),
                subscribed: person.is_some_and(|person| person.subscribed),
                created_at: issue.created_at,
            });
            references
                .insert(*id, (reference, issue.requester().is_some_and(|person| person.email == *email)));
        }
        let note = |note: &Note| PersonNote {
            reference: references.get(&note.issue).map_or(String::new(), |(reference, _)| reference.clone()),
            id: note.id,
            created_at: note.created_at,
            by: note.author.label().to_owned(),
            body: note.body.clone(),
        };
        let in_theirs = |note: &&Note| references.get(&note.issue).is_some_and(|(_, theirs)| *theirs);
        let internal = traces.notes.iter().filter(|note| note.kind == NoteKind::Internal);
        let kept = self.kept_about(email).await?;
        let drafts = txn::all::<Draft>(&self.inner.store, &[]).await?.into_iter().filter(|draft| {
            let to = draft.to.as_deref().unwrap_or_default().to_lowercase();
            draft.issue.is_some_and(|id| traces.issues.contains_key(&id)) || to.contains(&email.key())
        });
        Ok(PersonView {
            email: email.clone(),
            names: traces.names.iter().cloned().collect(),
            issues,
            notes: traces.own(email).map(note).collect(),
            about: internal.filter(in_theirs).map(note).collect(),
            intake: traces.intake.iter().map(|entry| entry.id).collect(),
            outbox: traces.outbox.iter().map(|entry| entry.id).collect(),
            vip: kept.as_ref().is_some_and(|kept| kept.vip.is_some()),
            kept_notes: kept.map(|kept| kept.notes).unwrap_or_default(),
            drafts: drafts.count() as u64,
            backups: self.backups(),
        })
    }

    /// Says what has to vanish so that nothing of a person is left, and gathers the mails as they stand then.
    async fn scrub_of(
        &self,
        email: &EmailAddress,
        traces: &Traces,
        spool: &mut Spool,
    ) -> Result<Scrub, Fault> {
        let stand_in = format!("erased-{:08x}@erased.invalid", rand::random::<u32>());
        let address = Cut { text: email.key(), with: stand_in, border: Border::Address };
        let (wide, narrow) = self.cut_names(email, &traces.names).await?;
        let everywhere: Vec<Cut> = std::iter::once(address).chain(wide).collect();
        let here: Vec<Cut> = narrow.into_iter().chain(texts(email, traces)).collect();
        let issues: BTreeSet<IssueId> = traces.issues.keys().copied().collect();
        gather_own(email, traces, spool)?;
        self.gather_theirs(traces, &here, &everywhere, spool).await?;
        self.gather_without(&ready(&everywhere)?, spool).await?;
        let mut within = self.documents_of(&issues).await?;
        within.extend(traces.intake.iter().map(|entry| site(Tree::Intake, intake_key(entry.id))));
        Ok(Scrub {
            everywhere,
            here,
            within,
            fields: fields(email, traces),
            blank: ERASED.to_owned(),
            nameless: Some(email.key()),
            ..Scrub::default()
        })
    }

    /// Parts the names that can be looked for everywhere from those that may be other people's, or words.
    async fn cut_names(
        &self,
        email: &EmailAddress,
        names: &BTreeSet<String>,
    ) -> Result<(Vec<Cut>, Vec<Cut>), Fault> {
        let mut others: BTreeSet<String> = BTreeSet::new();
        for issue in txn::all::<Issue>(&self.inner.store, &[]).await? {
            let people = issue.participants.into_iter().filter(|person| person.email != *email);
            others.extend(people.filter_map(|person| person.name).map(|name| name.to_lowercase()));
        }
        let users = txn::all::<User>(&self.inner.store, &[]).await?;
        others.extend(users.iter().map(|user| user.display_name().to_lowercase()));
        let cut = |name: &String| Cut { text: name.clone(), with: ERASED.to_owned(), border: Border::Word };
        let (wide, narrow): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| {
            let long = name.split_whitespace().count() > 1 || name.chars().count() >= NAME;
            long && !others.contains(&name.to_lowercase())
        });
        Ok((wide.into_iter().map(cut).collect(), narrow.into_iter().map(cut).collect()))
    }

    /// Gathers the other mails of the person's issues without what the person wrote.
    async fn gather_theirs(
        &self,
        traces: &Traces,
        here: &[Cut],
        everywhere: &[Cut],
        spool: &mut Spool,
    ) -> Result<(), Fault> {
        let mut raws: BTreeSet<RawRef> = traces.notes.iter().filter_map(|note| note.raw).collect();
        for entry in txn::all::<OutboxEntry>(&self.inner.store, &[]).await? {
            if entry.issue.is_some_and(|issue| traces.issues.contains_key(&issue)) {
                raws.insert(entry.raw);
            }
        }
        raws.retain(|raw| !spool.holds(raw));
        if raws.is_empty() {
            return Ok(());
        }
        let all: Vec<Cut> = everywhere.iter().chain(here).cloned().collect();
        let cuts = ready(&all)?;
        for raw in raws {
            let bytes = self.inner.store.raw(raw).await.map_err(txn::store_fault)?;
            if let Some(left) = mail::without(&bytes, &cuts) {
                spool.put(raw, &left).map_err(txn::store_fault)?;
            }
        }
        cuts.check().map_err(Fault::usage)
    }
}

/// Gathers what takes the place of the mails from the person and to them, and of their files.
fn gather_own(email: &EmailAddress, traces: &Traces, spool: &mut Spool) -> Result<(), Fault> {
    let mail = mail::emptied(None, "The person whose mail this was has been erased.");
    let files = traces.own(email).flat_map(|note| &note.attachments).filter_map(|file| file.raw);
    let mails = traces.own(email).filter_map(|note| note.raw);
    let mails = mails.chain(traces.intake.iter().filter_map(|entry| entry.raw));
    let mails = mails.chain(traces.outbox.iter().map(|entry| entry.raw));
    spool.share(files, &[]).and_then(|()| spool.share(mails, &mail)).map_err(txn::store_fault)
}

/// Names the fields that vanish whole from what is the person's.
fn fields(
    email: &EmailAddress,
    traces: &Traces,
) -> std::collections::HashMap<crate::store::Site, Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut fields = std::collections::HashMap::new();
    for note in traces.own(email) {
        let key = note_key(note.issue, note.id);
        fields.insert(site(Tree::Notes, key), words(&["body", "folded", "name", "auth", "warnings"]));
    }
    for issue in traces.issues.values().filter(|issue| is_by(&issue.author, email)) {
        fields.insert(site(Tree::Issues, issue_key(issue.id)), words(&["title"]));
    }
    for entry in &traces.intake {
        let key = intake_key(entry.id);
        fields.insert(site(Tree::Intake, key), words(&["from", "subject", "path"]));
    }
    for entry in &traces.outbox {
        fields.insert(site(Tree::Outbox, outbox_key(entry.id)), words(&["subject", "error"]));
    }
    fields
}

/// Lists what the person wrote, line by line, except what others wrote in the same words.
fn texts(email: &EmailAddress, traces: &Traces) -> Vec<Cut> {
    let line = |line: &str| line.trim_start_matches(['>', ' ', '\t']).trim().to_owned();
    let quoted = |line: &&str| line.trim_start().starts_with('>');
    let mut others = BTreeSet::new();
    for note in traces.notes.iter().filter(|note| !is_theirs(note, email)) {
        others.extend(note.body.lines().filter(|line| !quoted(line)).map(line));
    }
    let mut own = BTreeSet::new();
    for note in traces.own(email) {
        let folded = note.folded.as_deref().unwrap_or_default().lines().filter(|line| !quoted(line));
        own.extend(note.body.lines().chain(folded).map(line));
    }
    for issue in traces.issues.values().filter(|issue| is_by(&issue.author, email)) {
        own.insert(issue.title.clone());
    }
    let worth = |text: &String| {
        text.chars().filter(|c| c.is_alphanumeric()).count() >= LINE && !others.contains(text)
    };
    let cut = |text: String| Cut { text, with: ERASED.to_owned(), border: Border::Word };
    own.into_iter().filter(worth).map(cut).collect()
}

fn is_by(author: &Author, email: &EmailAddress) -> bool {
    author.email.as_ref() == Some(email)
}

fn is_theirs(note: &Note, email: &EmailAddress) -> bool {
    match note.kind {
        NoteKind::System => holds_rating(note, email),
        _ => is_by(&note.author, email),
    }
}

/// Tells whether the desk wrote down what a person wrote with a rating, as earlier versions did.
fn holds_rating(note: &Note, email: &EmailAddress) -> bool {
    let Some((said, _)) = note.body.split_once(":\n\n> ") else { return false };
    said.to_lowercase().starts_with(&format!("{} rated this ", email.key()))
}

fn names_address(from: &str, email: &EmailAddress) -> bool {
    let address = from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end_matches('>'));
    address.trim().to_lowercase() == email.key()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::issues::blank_note;
    use crate::domain::NoteId;
    use jiff::Timestamp;

    #[test]
    fn what_somebody_wrote_with_a_rating_is_theirs_whoever_wrote_it_down() {
        let email = EmailAddress::parse("Ada@customer.example").unwrap();
        let told = |kind, body: &str| Note {
            author: Author::system(),
            ..blank_note(NoteId(1), IssueId(1), kind, body.to_owned(), Timestamp::UNIX_EPOCH)
        };
        for (kind, body, theirs) in [
            (NoteKind::System, "ada@customer.example rated this bad:\n\n> It took\n> a week.", true),
            (NoteKind::System, "ada@customer.example rated this bad", false),
            (NoteKind::System, "eve@customer.example rated this bad:\n\n> It took a week.", false),
            (NoteKind::Internal, "ada@customer.example rated this bad:\n\n> It took a week.", false),
        ] {
            assert_eq!(is_theirs(&told(kind, body), &email), theirs, "{kind:?} {body}");
        }
    }
}
