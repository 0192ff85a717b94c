//! Redacting: words of a note or files of it are taken out for good, wherever they stand.

use super::vanishing::ready;
use super::{Acting, Desk, txn};
use crate::domain::{
    Attachment, Border, Cut, Cuts, Draft, Fault, IntakeEntry, Issue, IssueId, Note, NoteId, OutboxEntry,
    RawRef, Redact, RedactionPlan, Response, Rights, Role, StaffNotice,
};
use crate::mail;
use crate::store::record::note_key;
use crate::store::{Record, Scrub, Site, Spool, Tree, site};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What stands where something was.
const TAKEN_OUT: &str = "[redacted]";
/// Fewer characters than these stand in too many texts.
const LEAST: usize = 4;

impl Desk {
    /// Takes words and files out for good, and says in the issue who did so; or says what that would change.
    pub(super) async fn redact(&self, acting: &Acting, asked: &Redact) -> Result<Response, Fault> {
        let id = self.resolve(&acting.rights, &asked.reference).await?;
        let cuts = cuts(&asked.words)?;
        let found = ready(&cuts)?;
        if asked.dry_run {
            return self.redaction_plan(acting, asked, id, &cuts, &found).await;
        }
        let (_gate, mut txn) = self.begin().await;
        let (note, files) = self.meant(&mut txn, asked, id, &cuts).await?;
        let standing = self.standing(acting, &found, id).await?;
        self.keep_promise().await?;
        let others = standing.into_keys().filter(|other| *other != id);
        self.mark_redacted(&mut txn, acting, asked, id, others).await?;
        if let Some(kept) = without_files(note, &files) {
            txn.put(&kept)?;
        }
        // Not remembered as done: asked again, it is done again.
        self.finish(txn, acting.actor(), None, None).await?;

        let mut spool = self.inner.store.spool().map_err(txn::store_fault)?;
        self.gather_redacted(asked.note, id, &files, &found, &mut spool).await?;
        let long = files.iter().filter(|(_, file)| file.name.chars().count() >= LEAST);
        let names = long.map(|(_, file)| cut(&file.name));
        let scrub = Scrub {
            everywhere: cuts,
            here: names.collect(),
            within: self.documents_of(&[id].into()).await?,
            blank: TAKEN_OUT.to_owned(),
            ..Scrub::default()
        };
        self.vanish(scrub, spool).await?;
        Ok(Response::Issue(Box::new(self.issue_view(acting, id).await?)))
    }

    /// Finds the note and those of its files that go; refuses what it does not hold.
    async fn meant(
        &self,
        txn: &mut txn::Txn<'_>,
        asked: &Redact,
        id: IssueId,
        cuts: &[Cut],
    ) -> Result<(Note, Vec<(usize, Attachment)>), Fault> {
        let note = txn.get::<Note>(&note_key(id, asked.note)).await?;
        let note = note.ok_or_else(|| Fault::not_found(format!("there is no note {} in it", asked.note)))?;
        let files = chosen(&note, &asked.files)?;
        self.refuse_absent(&note, asked, cuts).await?;
        Ok((note, files))
    }

    /// Counts what a redaction would change. It reads every mail, so it holds up nobody and writes nothing.
    async fn redaction_plan(
        &self,
        acting: &Acting,
        asked: &Redact,
        id: IssueId,
        cuts: &[Cut],
        found: &Cuts,
    ) -> Result<Response, Fault> {
        let mut txn = txn::Txn::rehearse(&self.inner.store, self.now());
        let (_, files) = self.meant(&mut txn, asked, id, cuts).await?;
        let standing = self.standing(acting, found, id).await?;
        let anyway = self.raws_without(asked.note, id, &files).await?.into_keys().collect();
        let (mails, uploads) = self.count_without(found, &anyway).await?;
        let mut others = Vec::new();
        for other in standing.keys().filter(|other| **other != id) {
            others.push(self.reference_of(*other).await?);
        }
        let here_alone = u64::from(standing.is_empty());
        Ok(Response::Redaction(RedactionPlan {
            reference: self.reference_of(id).await?,
            note: asked.note,
            notes: standing.values().sum::<u64>().max(here_alone),
            files: files.iter().map(|(_, file)| file.name.clone()).collect(),
            mails,
            uploads,
            others,
        }))
    }

    /// Says in every issue that loses words that it does.
    async fn mark_redacted(
        &self,
        txn: &mut txn::Txn<'_>,
        acting: &Acting,
        asked: &Redact,
        id: IssueId,
        others: impl Iterator<Item = IssueId>,
    ) -> Result<(), Fault> {
        let before = self.load_issue(txn, id).await?;
        let mut issue = before.clone();
        self.say_redacted(acting, txn, &mut issue, asked).await?;
        txn.put_issue(Some(&before), &issue)?;
        for other in others {
            let before = self.load_issue(txn, other).await?;
            let mut issue = before.clone();
            let words = format!(
                "{} redacted words that stood here as well, with note {}; this cannot be taken back",
                acting.user.name, asked.note
            );
            self.system_note(txn, &mut issue, words, None).await?;
            txn.put_issue(Some(&before), &issue)?;
        }
        txn.deed().label = format!("redacted note {} of #{}", asked.note, issue.iid);
        Ok(())
    }

    /// Gathers all mails and files that change, as they stand then.
    async fn gather_redacted(
        &self,
        note: NoteId,
        issue: IssueId,
        files: &[(usize, Attachment)],
        found: &Cuts,
        spool: &mut Spool,
    ) -> Result<(), Fault> {
        for (raw, bytes) in self.raws_without(note, issue, files).await? {
            let left = mail::without(&bytes, found);
            spool.put(raw, left.as_deref().unwrap_or(&bytes)).map_err(txn::store_fault)?;
        }
        self.gather_without(found, spool).await?;
        found.check().map_err(Fault::usage)
    }

    /// Refuses what the note does not hold, so that a slip of the keys is told and takes out nothing.
    async fn refuse_absent(&self, note: &Note, asked: &Redact, cuts: &[Cut]) -> Result<(), Fault> {
        let raw = match note.raw {
            Some(raw) => self.inner.store.raw(raw).await.map_err(txn::store_fault)?,
            None => Vec::new(),
        };
        for (words, cut) in asked.words.iter().zip(cuts) {
            let found = ready(std::slice::from_ref(cut))?;
            let texts = [Some(note.body.as_str()), note.folded.as_deref()];
            let here = texts.into_iter().flatten().any(|text| found.are_in(text.as_bytes()));
            if !here && mail::without(&raw, &found).is_none() {
                return Err(Fault::not_found(format!("note {} does not hold `{words}`", note.id)));
            }
        }
        Ok(())
    }

    /// Counts in which issues and how many of their notes the words stand; refuses where the caller is no
    /// maintainer of one.
    async fn standing(
        &self,
        acting: &Acting,
        found: &Cuts,
        here: IssueId,
    ) -> Result<BTreeMap<IssueId, u64>, Fault> {
        let mut issues = BTreeMap::new();
        if found.is_empty() {
            return Ok(issues);
        }
        for note in txn::all::<Note>(&self.inner.store, &[]).await? {
            let texts = [Some(note.body.as_str()), note.folded.as_deref()];
            if texts.into_iter().flatten().any(|text| found.are_in(text.as_bytes())) {
                *issues.entry(note.issue).or_default() += 1;
            }
        }
        let other = |issue: &&IssueId| **issue != here && acting.rights != Rights::All;
        for issue in issues.keys().filter(other) {
            let project = self.project_of_issue(*issue).await?;
            if !acting.rights.may(project.id, Role::Maintainer) {
                return Err(Fault::refused("these words stand in issues that you do not maintain as well")
                    .hint("say more of them, or ask an owner of the desk"));
            }
        }
        Ok(issues)
    }

    async fn say_redacted(
        &self,
        acting: &Acting,
        txn: &mut txn::Txn<'_>,
        issue: &mut Issue,
        asked: &Redact,
    ) -> Result<(), Fault> {
        let what = match (asked.words.is_empty(), asked.files.is_empty()) {
            (false, true) => "words",
            (true, _) => "a file",
            (false, false) => "words and a file",
        };
        let words =
            format!("{} redacted {what} of note {}; this cannot be taken back", acting.user.name, asked.note);
        self.system_note(txn, issue, words, None).await
    }

    /// Gives the mails and files of a note without the files that go.
    async fn raws_without(
        &self,
        note: NoteId,
        issue: IssueId,
        files: &[(usize, Attachment)],
    ) -> Result<BTreeMap<RawRef, Vec<u8>>, Fault> {
        let mut raws = BTreeMap::new();
        let kept = self.inner.store.get::<Note>(&note_key(issue, note)).await.map_err(txn::store_fault)?;
        let Some(note) = kept.map(|kept| kept.record) else { return Ok(raws) };
        for (_, file) in files {
            match (file.raw, note.raw, file.part) {
                (Some(own), _, _) => drop(raws.insert(own, Vec::new())),
                (None, Some(raw), Some(part)) => {
                    let bytes = match raws.remove(&raw) {
                        Some(bytes) => bytes,
                        None => self.inner.store.raw(raw).await.map_err(txn::store_fault)?,
                    };
                    raws.insert(raw, mail::without_part(&bytes, part, TAKEN_OUT));
                }
                _ => {}
            }
        }
        // What was uploaded went out with each mail of the note, and a mail may have come twice.
        let sent = self.rows_of(&note).await?.into_iter().map(|entry| entry.raw);
        let mut others: Vec<RawRef> = sent.collect();
        if note.message_id.is_some() {
            let arrivals = txn::all::<IntakeEntry>(&self.inner.store, &[]).await?;
            let same = arrivals.into_iter().filter(|entry| entry.message_id == note.message_id);
            others.extend(same.filter_map(|entry| entry.raw));
        }
        others.retain(|raw| note.raw != Some(*raw));
        for raw in others {
            let bytes = self.inner.store.raw(raw).await.map_err(txn::store_fault)?;
            let sent = mail::read(&bytes).map(|read| read.attachments).unwrap_or_default();
            let gone = sent.iter().filter(|sent| files.iter().any(|(_, file)| file.name == sent.name));
            let parts: Vec<u32> = gone.filter_map(|sent| sent.part).collect();
            if !parts.is_empty() {
                let left =
                    parts.iter().fold(bytes, |bytes, part| mail::without_part(&bytes, *part, TAKEN_OUT));
                raws.insert(raw, left);
            }
        }
        Ok(raws)
    }
}

/// Makes the words ready, and refuses those that would take out half of the desk.
fn cuts(words: &[String]) -> Result<Vec<Cut>, Fault> {
    let short = words.iter().find(|words| words.chars().filter(|c| !c.is_whitespace()).count() < LEAST);
    if let Some(short) = short {
        return Err(Fault::usage(format!("`{short}` is too short: it stands in too many texts"))
            .hint(format!("name at least {LEAST} characters; they are taken out wherever they stand")));
    }
    Ok(words.iter().map(|words| cut(words)).collect())
}

fn cut(text: &str) -> Cut {
    Cut { text: text.to_owned(), with: TAKEN_OUT.to_owned(), border: Border::Any }
}

/// Finds files by their names or numbers.
fn chosen(note: &Note, wanted: &[String]) -> Result<Vec<(usize, Attachment)>, Fault> {
    let find = |name: &String| {
        let by_name = note.attachments.iter().position(|file| file.name == *name);
        let by_number = || name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let place = by_name.or_else(by_number);
        let file = place.and_then(|place| Some((place, note.attachments.get(place)?.clone())));
        file.ok_or_else(|| Fault::not_found(format!("note {} has no file `{name}`", note.id)))
    };
    let found: Vec<(usize, Attachment)> = wanted.iter().map(find).collect::<Result<_, _>>()?;
    for (_, file) in found.iter().filter(|(_, file)| !file.within.is_empty()) {
        let beside = |(place, other): &(usize, &Attachment)| {
            other.part == file.part && !found.iter().any(|(chosen, _)| chosen == place)
        };
        if let Some((_, other)) = note.attachments.iter().enumerate().find(beside) {
            return Err(Fault::refused(format!("{} came in one container with {}", file.name, other.name))
                .hint("name both: the container goes as a whole"));
        }
    }
    Ok(found)
}

/// Gives the note as it stands without files; `None` where none goes.
fn without_files(mut note: Note, files: &[(usize, Attachment)]) -> Option<Note> {
    for (place, _) in files {
        let file = note.attachments.get_mut(*place)?;
        file.name = TAKEN_OUT.to_owned();
        file.media_type = "text/plain".to_owned();
        file.size = 0;
    }
    (!files.is_empty()).then_some(note)
}

impl Desk {
    /// Lists the documents that belong to issues, by tree and key.
    pub(super) async fn documents_of(&self, issues: &BTreeSet<IssueId>) -> Result<HashSet<Site>, Fault> {
        let store = &self.inner.store;
        let mut found = HashSet::new();
        let mut add = |tree: Tree, key: Vec<u8>| found.extend([site(tree, key)]);
        for id in issues {
            add(Tree::Issues, crate::store::record::issue_key(*id));
            for note in txn::all::<Note>(store, &txn::below(id.0)).await? {
                add(Tree::Notes, note.key());
            }
        }
        let of = |issue: Option<IssueId>| issue.is_some_and(|issue| issues.contains(&issue));
        for entry in txn::all::<OutboxEntry>(store, &[]).await?.into_iter().filter(|entry| of(entry.issue)) {
            add(Tree::Outbox, entry.key());
        }
        for entry in txn::all::<IntakeEntry>(store, &[]).await?.into_iter().filter(|entry| of(entry.issue)) {
            add(Tree::Intake, entry.key());
        }
        for draft in txn::all::<Draft>(store, &[]).await?.into_iter().filter(|draft| of(draft.issue)) {
            add(Tree::Drafts, draft.key());
        }
        for notice in txn::all::<StaffNotice>(store, &[]).await?.into_iter().filter(|n| of(Some(n.issue))) {
            add(Tree::StaffNotices, notice.key());
        }
        Ok(found)
    }
}
