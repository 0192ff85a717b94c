//! What a rule does beside its quick actions: it answers the customer, tells users, has a hook run.
//!
//! Each leaves a note that names the rule, by which it is known what was done before. A reply goes out once for
//! each rule and issue; users are told, and hooks run, once for each thing that a person says.

use super::Desk;
use super::canned::Values;
use super::issues::blank_note;
use super::letters::{Draughted, reference, sender_name};
use super::rules::Cause;
use super::txn::{Txn, below};
use crate::domain::quick::quick_text;
use crate::domain::{
    Attachment, Author, ByRule, Canned, EmailAddress, Fault, FaultKind, Issue, IssueId, Keeper, MailKind,
    Mailbox, Note, NoteKind, OutboxState, Project, ProjectId, Role, Rule, RuleAbout, RuleMoment, Verb,
    fill_canned, unfilled,
};
use crate::store::record::{kept_key, note_key};
use jiff::Timestamp;

type File = (String, String, Vec<u8>);

impl Desk {
    /// Refuses users, canned replies and hooks that are not there.
    pub(super) async fn check_further(
        &self,
        txn: &mut Txn<'_>,
        project: Option<ProjectId>,
        about: &RuleAbout,
    ) -> Result<(), Fault> {
        for name in &about.notify {
            let rights = self.rights_of(&self.known_user(txn, name).await?).await?;
            if project.is_some_and(|project| !rights.may(project, Role::Guest)) {
                return Err(Fault::refused(format!("{name} is no member of the project")));
            }
        }
        if let Some(name) = &about.reply {
            let canned = self.canned_of(txn, project, name).await?;
            refuse_actions(&canned, &canned.text, txn.now)?;
        }
        about.hook.as_deref().map_or(Ok(()), |hook| self.known_hook(hook))
    }

    /// Refuses a hook that the config of this desk does not have.
    pub(super) fn known_hook(&self, name: &str) -> Result<(), Fault> {
        let known = &self.inner.ways.hooks;
        if known.iter().any(|hook| hook == name) {
            return Ok(());
        }
        let fault = Fault::usage(format!("there is no hook `{name}` under `named` in [hooks]"));
        Err(match known.as_slice() {
            [] => fault.hint(format!("write it into the config: named = {{ {name} = \"COMMAND\" }}")),
            known => fault.hint(format!("there are {}", known.join(", "))),
        })
    }

    /// Finds a canned reply of a project, else of the desk; nobody's own.
    async fn canned_of(
        &self,
        txn: &mut Txn<'_>,
        project: Option<ProjectId>,
        name: &str,
    ) -> Result<Canned, Fault> {
        let keepers: Vec<Keeper> = project.map(Keeper::Project).into_iter().chain([Keeper::Desk]).collect();
        for keeper in &keepers {
            let canned = txn.get::<Canned>(&kept_key(keeper, name)).await?;
            if let Some(canned) = canned.filter(|canned| canned.runs.is_none()) {
                return Ok(canned);
            }
        }
        let mut known = txn.list::<Canned>(&[]).await?;
        known.retain(|canned| keepers.contains(&canned.owner) && canned.runs.is_none());
        let known: Vec<String> = known.into_iter().map(|canned| canned.name).collect();
        let fault = Fault::not_found(format!("the project and the desk have no canned reply `{name}`"));
        Err(match known.as_slice() {
            [] => fault.hint("`deskbell canned add` makes one"),
            known => fault.hint(format!("there are {}", known.join(", "))),
        })
    }

    /// Tells users of an issue and asks for a hook, as a rule wants it.
    pub(super) async fn tell_of_rule(
        &self,
        txn: &mut Txn<'_>,
        rule: &Rule,
        id: IssueId,
    ) -> Result<(), Fault> {
        let RuleAbout { name, notify, hook, .. } = &rule.about;
        let before = self.load_issue(txn, id).await?;
        let notes = txn.list::<Note>(&below(id.0)).await?;
        if (notify.is_empty() && hook.is_none()) || before.spam || before.purged {
            return Ok(());
        }
        let known = hook.as_deref().map_or(Ok(()), |hook| self.known_hook(hook));
        if was_told(&notes, rule) {
            txn.note_rule(format!("the rule {name} told of it before"));
            return known;
        }
        let hook = hook.clone().filter(|_| known.is_ok());
        let tells = (!notify.is_empty()).then(|| format!("tells {}", notify.join(", ")));
        let runs = hook.iter().map(|hook| format!("asks for the hook {hook}"));
        let does: Vec<String> = tells.into_iter().chain(runs).collect();
        if does.is_empty() {
            return known;
        }
        let words = format!("rule {name} {}", does.join(" and "));
        txn.note_rule(format!("the {words}"));
        let blank = blank_note(txn.next_note().await?, id, NoteKind::System, words, txn.now);
        self.add_ruled(txn, &before, &Note { by_rule: Some(by_rule(rule, hook)), ..blank })?;
        for user in notify {
            txn.tell_by_rule(id, user.clone(), name.clone());
        }
        known
    }

    /// Puts a note of a rule into its issue.
    fn add_ruled(&self, txn: &mut Txn<'_>, before: &Issue, note: &Note) -> Result<(), Fault> {
        let mut issue = before.clone();
        let note = Note { author: Author::system(), why: txn.rule_in_words(), ..note.clone() };
        txn.add_note(&mut issue, &note)?;
        txn.put_issue(Some(before), &issue)?;
        txn.deed().ruled.push((issue.id, note.id));
        Ok(())
    }

    /// Sends the canned reply of a rule to the customer, if it is their turn to get one.
    pub(super) async fn reply_by_rule(
        &self,
        txn: &mut Txn<'_>,
        rule: &Rule,
        id: IssueId,
        cause: Cause<'_>,
    ) -> Result<(), Fault> {
        let Some(name) = &rule.about.reply else { return Ok(()) };
        let issue = self.load_issue(txn, id).await?;
        let project = self.load_project(txn, issue.project).await?;
        let notes = txn.list::<Note>(&below(id.0)).await?;
        let to = match customer(&issue, &project, &notes, rule) {
            Ok(to) => to,
            Err(why) => return no_reply(txn, rule, why),
        };
        let canned = self.canned_of(txn, rule.project.or(Some(project.id)), name).await?;
        let text = self.reply_text(&canned, &issue, &project, txn.now).await?;
        self.way_out(&issue, &project)?;
        let state = match self.may_reply(txn, &issue, &notes, &to.email, cause).await? {
            Ok(state) => state,
            Err(why) => return no_reply(txn, rule, &why),
        };
        let said = format!("the rule {} sends the canned reply {name} to {}", rule.about.name, to.email);
        self.send_reply(txn, rule, (&issue, &project), (&canned, text), (to, state), cause).await?;
        txn.note_rule(said);
        Ok(())
    }

    async fn reply_text(
        &self,
        canned: &Canned,
        issue: &Issue,
        project: &Project,
        now: Timestamp,
    ) -> Result<String, Fault> {
        let values = Values::of_issue(issue, project, sender_name(project));
        let filled = fill_canned(&canned.text, |name| values.get(name));
        let meant = unfilled(&canned.text);
        if let Some(name) = filled.missing.iter().find(|name| meant.contains(name)) {
            let place = reference(project, issue);
            return Err(Fault::refused(format!("`%{{{name}}}` stands for nothing in {place}")));
        }
        refuse_actions(canned, &filled.text, now)?;
        Ok(filled.text)
    }

    /// Asks whether the customer may be answered by itself, and in which state the answer waits; or says why
    /// not. Without a mail at hand, their last one tells what they are.
    async fn may_reply(
        &self,
        txn: &mut Txn<'_>,
        issue: &Issue,
        notes: &[Note],
        to: &EmailAddress,
        cause: Cause<'_>,
    ) -> Result<Result<OutboxState, String>, Fault> {
        let what = "the reply of a rule";
        let no = |why: &str| Ok(Err(why.to_owned()));
        if let Some(passing) = cause.passing {
            return match passing.from.as_ref().is_some_and(|from| from.email == *to) {
                _ if passing.silent => no("the mail came silently"),
                true => self.may_answer(txn, passing, to, what).await,
                false => no("it was not the customer who wrote"),
            };
        }
        let theirs = |note: &&Note| note.kind == NoteKind::Incoming && note.author.email.as_ref() == Some(to);
        let last = notes.iter().rfind(theirs);
        if last.is_some_and(|note| note.automatic || note.read) {
            return no("their last mail came from a machine, or silently");
        }
        let projects = txn.projects().await?;
        let Some(raw) = last.and_then(|note| note.raw) else {
            return self.leave(&projects, to, true, None).await;
        };
        let Ok(bytes) = self.inner.store.raw(raw).await else { return no("their last mail cannot be read") };
        let prepared = self.read_again(bytes, issue.mailbox.clone()).await?;
        let Ok(message) = &prepared.message else { return no("their last mail cannot be read") };
        let passing = self.passing(txn, &prepared, message, true).await?;
        match cause.moment {
            // What one of the staff sets off begins no circle.
            RuleMoment::Change if passing.verdict.may_answer => self.leave(&projects, to, true, None).await,
            _ => self.may_answer(txn, &passing, to, what).await,
        }
    }

    async fn send_reply(
        &self,
        txn: &mut Txn<'_>,
        rule: &Rule,
        (issue, project): (&Issue, &Project),
        (canned, text): (&Canned, String),
        (to, state): (Mailbox, OutboxState),
        cause: Cause<'_>,
    ) -> Result<(), Fault> {
        let (attachments, files) = self.files_to_send(txn, canned).await?;
        let blank = blank_note(txn.next_note().await?, issue.id, NoteKind::Reply, text, txn.now);
        let by_rule = Some(by_rule(rule, None));
        let note = Note { author: Author::system(), automatic: true, attachments, by_rule, ..blank };
        let queued = state == OutboxState::Queued;
        let held_until = cause.hold.filter(|_| queued).and_then(|hold| txn.now.checked_add(hold).ok());
        let draughted = Draughted {
            kind: MailKind::RuleReply,
            issue,
            project,
            note: Some(&note),
            to,
            joint: None,
            files: &files,
            state: if held_until.is_some() { OutboxState::Held } else { state },
            held_until,
            user: None,
        };
        match self.write_letter(txn, draughted).await {
            // What cannot be written to somebody must stop no mail of theirs.
            Err(fault) if fault.kind == FaultKind::Internal => return Err(Fault::refused(fault.message)),
            done => done?,
        };
        self.add_ruled(txn, issue, &note)
    }

    /// Gives the files of a canned reply anew, for a note and for its mail.
    async fn files_to_send(
        &self,
        txn: &Txn<'_>,
        canned: &Canned,
    ) -> Result<(Vec<Attachment>, Vec<File>), Fault> {
        let (mut kept, mut files) = (Vec::new(), Vec::new());
        for file in &canned.files {
            let Some(raw) = file.raw else { continue };
            let bytes = self.inner.store.raw(raw).await;
            let Ok(bytes) = bytes else {
                return Err(Fault::refused(format!(
                    "the file {} of {} cannot be read",
                    file.name, canned.name
                )));
            };
            kept.push(Attachment { raw: Some(txn.stash(bytes.clone()).await?), ..file.clone() });
            files.push((file.name.clone(), file.media_type.clone(), bytes));
        }
        Ok((kept, files))
    }

    /// Takes back what rules did because of a verb, as far as it is not out; says what is.
    pub(super) async fn unsend_ruled(
        &self,
        txn: &mut Txn<'_>,
        verb: &mut Verb,
    ) -> Result<Vec<String>, Fault> {
        let mut out = Vec::new();
        for (issue, id) in verb.deed.ruled.clone() {
            let rows = self.outbox_of(id).await?;
            // Those that tell the staff of it are none of these.
            let rows: Vec<_> = rows.into_iter().filter(|row| verb.deed.outbox.contains(row)).collect();
            verb.deed.outbox.retain(|row| !rows.contains(row));
            let late = self.cancel_rows(txn, &rows).await?;
            let Some(note) = txn.get::<Note>(&note_key(issue, id)).await? else { continue };
            let Some(ByRule { name, hook, .. }) = note.by_rule.clone() else { continue };
            out.extend(late.iter().map(|to| format!("the reply of the rule {name} to {to} is already out")));
            out.extend(hook.map(|hook| format!("the hook {hook} of the rule {name} is not taken back")));
            match note.kind {
                NoteKind::Reply if late.is_empty() => self.take_out(txn, issue, id).await?,
                NoteKind::Reply => {}
                // It may do so again.
                _ => txn.put(&Note { by_rule: None, ..note })?,
            }
        }
        Ok(out)
    }
}

fn by_rule(rule: &Rule, hook: Option<String>) -> ByRule {
    ByRule { project: rule.project, name: rule.about.name.clone(), hook }
}

fn is_of(note: &Note, rule: &Rule) -> bool {
    note.by_rule.as_ref().is_some_and(|by| by.project == rule.project && by.name == rule.about.name)
}

/// Tells whether a rule told of an issue since a person last said something.
fn was_told(notes: &[Note], rule: &Rule) -> bool {
    let said = |note: &&Note| note.kind != NoteKind::System && !note.automatic;
    let said = notes.iter().filter(said).map(|note| note.id).max();
    notes.iter().any(|note| note.kind == NoteKind::System && is_of(note, rule) && Some(note.id) > said)
}

/// Gives whom the reply of a rule goes to, or says why to nobody.
fn customer(issue: &Issue, project: &Project, notes: &[Note], rule: &Rule) -> Result<Mailbox, &'static str> {
    if !project.enabled || issue.spam || issue.purged {
        return Err("nothing is mailed about this issue");
    }
    if notes.iter().any(|note| note.kind == NoteKind::Reply && is_of(note, rule)) {
        return Err("it sent one before");
    }
    let customer = issue.requester().filter(|person| person.subscribed);
    customer.map(crate::domain::Participant::mailbox).ok_or("no customer gets the answers")
}

fn no_reply(txn: &mut Txn<'_>, rule: &Rule, why: &str) -> Result<(), Fault> {
    txn.note_rule(format!("the rule {} sends no reply: {why}", rule.about.name));
    Ok(())
}

/// Refuses a canned reply with quick actions: a rule has its own.
fn refuse_actions(canned: &Canned, text: &str, now: Timestamp) -> Result<(), Fault> {
    match quick_text(text, now, &jiff::tz::TimeZone::UTC) {
        Ok(quick) if quick.is_plain() => Ok(()),
        _ => Err(Fault::refused(format!(
            "the canned reply {} has quick actions, which are not mailed",
            canned.name
        ))
        .hint("take them out there, and let the rule do them: --do ACTION")),
    }
}
