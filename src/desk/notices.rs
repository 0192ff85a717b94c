//! Notices: whom of the staff a step concerns, and when each of them is told.
//!
//! Looks at what a step wrote, just before it is committed, so that whatever way a change came, whoever wants
//! to hear of it does, in the same commit. Nobody hears of what they did themselves, or may not see.

use super::letters::is_staff;
use super::txn::{self, Txn};
use super::{Desk, system};
use crate::domain::{
    Actor, Fault, FaultKind, Issue, IssueId, Member, Note, NoteId, NoteKind, Party, Project, Rights,
    SUPPORT_BOT, StaffEvent, StaffNotice, State, User, Via, When, mentions,
};
use crate::store::record::{issue_key, note_key};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Something that a step did.
#[derive(Clone, Debug)]
struct News {
    issue: IssueId,
    event: StaffEvent,
    note: Option<NoteId>,
    /// The only one whom it concerns; `None` concerns all.
    whom: Option<String>,
    by: By,
}

/// Who did something, in words, and which user that is.
#[derive(Clone, Debug, Default)]
struct By {
    label: String,
    user: Option<String>,
    email: Option<crate::domain::EmailAddress>,
}

/// The staff, and what each of them may see.
struct Staff {
    users: Vec<(User, Rights)>,
    projects: Vec<Project>,
    zone: TimeZone,
}

impl Desk {
    /// Tells the staff of what a step does, as part of it.
    ///
    /// Every step comes here and few go further, so what follows is not part of their futures.
    pub(super) fn tell_staff<'a>(
        &'a self,
        txn: &'a mut Txn<'_>,
        actor: &'a Actor,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        if txn.counters_before().is_none() && txn.changes().is_empty() && txn.clocks().is_empty() {
            return Box::pin(async { Ok(()) });
        }
        Box::pin(self.tell_of_step(txn, actor))
    }

    async fn tell_of_step(&self, txn: &mut Txn<'_>, actor: &Actor) -> Result<(), Fault> {
        let staff = self.staff(txn).await?;
        if staff.users.is_empty() {
            return Ok(());
        }
        let news = self.news(txn, actor).await?;
        if news.is_empty() {
            return Ok(());
        }
        let held_until = self.held_with(txn, actor).await?;
        let mut issues: Vec<IssueId> = news.iter().map(|news| news.issue).collect();
        issues.sort_unstable();
        issues.dedup();
        for id in issues {
            let about: Vec<&News> = news.iter().filter(|news| news.issue == id).collect();
            self.tell_of_issue(txn, &staff, id, &about, held_until).await?;
        }
        Ok(())
    }

    async fn tell_of_issue(
        &self,
        txn: &mut Txn<'_>,
        staff: &Staff,
        id: IssueId,
        about: &[&News],
        held_until: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let Some(issue) = txn.get::<Issue>(&issue_key(id)).await? else { return Ok(()) };
        let project = staff.projects.iter().find(|project| project.id == issue.project);
        let Some(project) = project.filter(|project| project.enabled && !issue.spam && !issue.purged) else {
            return Ok(());
        };
        for (user, rights) in &staff.users {
            if !rights.sees_issue(issue.project, issue.confidential) {
                continue;
            }
            for notice in notices_for(user, &issue, about, txn.now) {
                if !self.may_see(txn, rights, &issue, notice.note).await? {
                    continue;
                }
                self.give_notice(txn, (user, rights), project, &issue, notice, &staff.zone, held_until)
                    .await?;
            }
        }
        Ok(())
    }

    /// Tells whether somebody may see the note that a notice is about.
    pub(super) async fn may_see(
        &self,
        txn: &mut Txn<'_>,
        rights: &Rights,
        issue: &Issue,
        note: Option<NoteId>,
    ) -> Result<bool, Fault> {
        let Some(note) = note else { return Ok(rights.sees_issue(issue.project, issue.confidential)) };
        let note = txn.get::<Note>(&note_key(issue.id, note)).await?;
        Ok(note.is_some_and(|note| rights.sees_note(issue, &note)))
    }

    /// Mails a notice now, or keeps it for later.
    #[allow(clippy::too_many_arguments)]
    async fn give_notice(
        &self,
        txn: &mut Txn<'_>,
        (user, rights): (&User, &Rights),
        project: &Project,
        issue: &Issue,
        mut notice: StaffNotice,
        zone: &TimeZone,
        held_until: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let waits = notice.when == When::Digest || user.notify.is_quiet(txn.now, zone);
        if !waits && self.allow_staff(user).await? {
            match self.write_notice(txn, (user, rights), project, issue, &notice, held_until).await {
                // What cannot be written to one of the staff must stop no customer's mail.
                Err(fault) if is_of_one(&fault) => {
                    tracing::warn!(%fault, user = user.name, "one of the staff could not be told");
                    return Ok(());
                }
                done => return done,
            }
        }
        if !waits {
            notice.when = When::Digest;
        }
        notice.id = txn.next_notice().await?;
        txn.put(&notice)
    }

    pub(super) async fn allow_staff(&self, user: &User) -> Result<bool, Fault> {
        let settings = self.desk_settings().await?;
        Ok(self.inner.queue.allow_staff(&user.name, settings.staff_mails_per_hour))
    }

    /// Lists what a step did that somebody may want to hear of.
    async fn news(&self, txn: &mut Txn<'_>, actor: &Actor) -> Result<Vec<News>, Fault> {
        let before = txn.counters_before();
        let is_new = |id: IssueId| before.as_ref().is_some_and(|counters| id.0 >= counters.issue);
        let mut notes: Vec<Note> = match &before {
            Some(counters) => {
                txn.wrote::<Note>().filter(|n| n.id.0 >= counters.note && is_news(n)).cloned().collect()
            }
            None => Vec::new(),
        };
        notes.sort_by_key(|note| note.id);
        let mut news = Vec::new();
        let mut opened: Vec<IssueId> = Vec::new();
        for note in &notes {
            let by = By::of_note(note, txn.by.get(&note.id));
            let first = is_new(note.issue) && !opened.contains(&note.issue);
            news.extend(news_of_note(note, first, &by));
            if first {
                opened.push(note.issue);
                let issue = txn.get::<Issue>(&issue_key(note.issue)).await?;
                let given = issue.and_then(|issue| given(note.issue, issue.assignee, &by));
                news.extend(given.map(|given| News { note: Some(note.id), ..given }));
            }
        }
        let by = self.by_actor(txn, actor).await?;
        for (issue, words) in txn.clocks() {
            let by = By { label: words.clone(), ..By::default() };
            news.push(News { issue: *issue, event: StaffEvent::Clock, note: None, whom: None, by });
        }
        for (issue, user, rule) in txn.told_by_rules() {
            // An internal note may be hidden from who is told.
            let shown = |note: &&Note| note.issue == *issue && note.kind != NoteKind::Internal;
            let note = notes.iter().rfind(shown).map(|note| note.id);
            let by = By { label: format!("the rule {rule}"), ..by.clone() };
            news.push(News { issue: *issue, event: StaffEvent::Rule, note, whom: Some(user.clone()), by });
        }
        let changes = txn.changes().to_vec();
        let merged: Vec<IssueId> = changes
            .iter()
            .filter(|c| matches!(c.field.as_str(), "merged_into" | "spam"))
            .map(|c| c.issue)
            .collect();
        for change in changes.iter().filter(|c| !is_new(c.issue) && !merged.contains(&c.issue)) {
            match change.field.as_str() {
                "assignee" => {
                    let name = change.after.as_str().map(str::to_owned);
                    news.extend(given(change.issue, name, &by));
                }
                "state" => {
                    let closed = change.after == serde_json::json!(State::Closed);
                    let event = if closed { StaffEvent::Closed } else { StaffEvent::Reopened };
                    // An answer that opens an issue again is told with it.
                    let answer = news.iter().rev().find(|n| n.issue == change.issue && n.note.is_some());
                    let by = answer.map_or_else(|| by.clone(), |answer| answer.by.clone());
                    news.push(News { issue: change.issue, event, note: None, whom: None, by });
                }
                _ => {}
            }
        }
        Ok(news)
    }

    async fn by_actor(&self, txn: &mut Txn<'_>, actor: &Actor) -> Result<By, Fault> {
        if actor.user == SUPPORT_BOT {
            let label = if actor.via == Via::Commit { "a commit" } else { "the desk" };
            return Ok(By { label: label.to_owned(), ..By::default() });
        }
        let user = txn.get::<User>(&crate::store::record::text_key(&actor.user)).await?;
        let label = user.as_ref().map_or(actor.user.as_str(), User::display_name).to_owned();
        Ok(By { label, user: Some(actor.user.clone()), email: None })
    }

    /// Lists those who can be told anything, and what each may see.
    async fn staff(&self, txn: &mut Txn<'_>) -> Result<Staff, Fault> {
        let users = txn.list::<User>(&[]).await?;
        let reached: Vec<User> = users.into_iter().filter(|u| !u.removed && !u.emails.is_empty()).collect();
        let (members, projects) = match reached.is_empty() {
            true => (Vec::new(), Vec::new()),
            false => (txn.list::<Member>(&[]).await?, txn.list::<Project>(&[]).await?),
        };
        let with_rights = |user: User| {
            let rights = super::permits::rights_among(&user, &members, &projects);
            (user, rights)
        };
        let zone = self.time_zone().await?;
        Ok(Staff { users: reached.into_iter().map(with_rights).collect(), projects, zone })
    }

    /// Gives until when what this step mails is held, so that the staff hear of nothing that is taken back.
    async fn held_with(&self, txn: &mut Txn<'_>, actor: &Actor) -> Result<Option<Timestamp>, Fault> {
        let mut until = None;
        if actor.via == Via::Tui {
            let window = jiff::SignedDuration::try_from(self.inner.ways.undo_window).unwrap_or_default();
            until = Some(window).filter(|w| !w.is_zero()).and_then(|window| txn.now.checked_add(window).ok());
        }
        for id in txn.deed().outbox.clone() {
            let row = txn.get::<crate::domain::OutboxEntry>(&crate::store::record::outbox_key(id)).await?;
            until = until.max(row.and_then(|row| row.held_until));
        }
        Ok(until)
    }

    /// Mails what waited for the end of quiet hours or for the hour of the day's collection. Gives how many
    /// mails that were.
    pub async fn send_notices(&self) -> Result<u64, Fault> {
        if !self.owes_notices().await? {
            return Ok(0);
        }
        let mut mails = 0;
        for user in txn::all::<User>(&self.inner.store, &[]).await? {
            mails += match self.send_notices_of(&user.name).await {
                Err(fault) if is_of_one(&fault) => {
                    tracing::warn!(%fault, user = user.name, "the notices of one of the staff wait");
                    0
                }
                sent => sent?,
            };
        }
        Ok(mails)
    }

    /// Tells whether somebody is still to be told of something.
    pub(super) async fn owes_notices(&self) -> Result<bool, Fault> {
        let page = self.inner.store.scan::<StaffNotice>(&[], None, 1, crate::store::Direction::Up).await;
        Ok(!page.map_err(txn::store_fault)?.is_empty())
    }

    /// One step, so that nothing is told twice and nothing is forgotten.
    async fn send_notices_of(&self, name: &str) -> Result<u64, Fault> {
        let (_gate, mut txn) = self.begin().await;
        txn.hush = true;
        let below = crate::store::Key::new().text(name).octets();
        let waiting = txn.list::<StaffNotice>(&below).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let staff = self.staff(&mut txn).await?;
        let zone = staff.zone.clone();
        let Some((user, rights)) = staff.users.iter().find(|(user, _)| user.name == name) else {
            // Who was removed, or has no address any more, is told nothing.
            forget(&mut txn, &waiting);
            self.finish(txn, system(), None, None).await?;
            return Ok(0);
        };
        let quiet = user.notify.is_quiet(txn.now, &zone);
        let (soon, collected): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|n| n.when == When::AtOnce);
        let mut mails = 0;
        for notice in soon.into_iter().filter(|_| !quiet) {
            mails += u64::from(self.send_late(&mut txn, user, rights, &staff.projects, notice).await?);
        }
        let oldest = collected.iter().map(|notice| notice.at).min();
        if oldest.is_some_and(|oldest| user.notify.digest_is_due(oldest, txn.now, &zone)) {
            let digest = self.write_digest(&mut txn, user, rights, &staff.projects, &collected).await;
            match digest {
                Ok(written) => {
                    mails += u64::from(written);
                    forget(&mut txn, &collected);
                }
                Err(fault) if is_of_one(&fault) => {
                    tracing::warn!(%fault, user = name, "a collection could not be written");
                }
                Err(fault) => return Err(fault),
            }
        }
        self.finish(txn, system(), None, None).await?;
        Ok(mails)
    }

    /// Mails a notice that had to wait, if it still holds. Tells whether a mail was written.
    async fn send_late(
        &self,
        txn: &mut Txn<'_>,
        user: &User,
        rights: &Rights,
        projects: &[Project],
        notice: StaffNotice,
    ) -> Result<bool, Fault> {
        let mine = [notice];
        let [notice] = &mine;
        let issue = self.still_news(txn, user, rights, notice).await?;
        let project = issue.as_ref().and_then(|issue| projects.iter().find(|p| p.id == issue.project));
        let (Some(issue), Some(project)) = (&issue, project) else {
            forget(txn, &mine);
            return Ok(false);
        };
        if !self.allow_staff(user).await? {
            txn.put(&StaffNotice { when: When::Digest, ..notice.clone() })?;
            return Ok(false);
        }
        match self.write_notice(txn, (user, rights), project, issue, notice, None).await {
            Ok(()) => {
                forget(txn, &mine);
                Ok(true)
            }
            Err(fault) if is_of_one(&fault) => {
                tracing::warn!(%fault, user = user.name, "a notice could not be written; it is to be collected");
                txn.put(&StaffNotice { when: When::Digest, ..notice.clone() })?;
                Ok(false)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Gives the issue of a notice, if it still holds and its user may still see it.
    pub(super) async fn still_news(
        &self,
        txn: &mut Txn<'_>,
        user: &User,
        rights: &Rights,
        notice: &StaffNotice,
    ) -> Result<Option<Issue>, Fault> {
        let id = self.survivor(txn, notice.issue).await?;
        let issue = txn.get::<Issue>(&issue_key(id)).await?;
        let Some(issue) = issue.filter(|issue| !issue.spam && !issue.purged) else { return Ok(None) };
        let holds = |event: &StaffEvent| match event {
            StaffEvent::Assigned => issue.assignee.as_deref() == Some(user.name.as_str()),
            StaffEvent::Closed => issue.state == State::Closed,
            StaffEvent::Reopened => issue.state == State::Open,
            StaffEvent::Clock | StaffEvent::MyClock => issue.waiting_on == Some(Party::Us),
            _ => true,
        };
        let holds = notice.events.iter().any(holds) && self.may_see(txn, rights, &issue, notice.note).await?;
        Ok(holds.then_some(issue))
    }
}

impl By {
    fn of_note(note: &Note, forwarded_by: Option<&String>) -> Self {
        let user = note.author.user.clone().filter(|user| user != SUPPORT_BOT);
        Self {
            label: note.author.label().to_owned(),
            user: forwarded_by.cloned().or(user),
            email: note.author.email.clone(),
        }
    }

    fn is(&self, user: &User) -> bool {
        self.user.as_deref() == Some(user.name.as_str())
            || self.email.as_ref().is_some_and(|email| user.emails.contains(email))
    }
}

/// Lets what is still to be told of notes name the issue that they go to.
pub(super) async fn lead_notices(txn: &mut Txn<'_>, notes: &[Note], to: IssueId) -> Result<(), Fault> {
    for notice in txn.list::<StaffNotice>(&[]).await? {
        if notes.iter().any(|note| notice.note == Some(note.id)) {
            txn.put(&StaffNotice { issue: to, ..notice })?;
        }
    }
    Ok(())
}

/// Tells whether a fault lies in one notice, and not in the desk as a whole.
fn is_of_one(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Internal | FaultKind::Refused)
}

fn forget(txn: &mut Txn<'_>, notices: &[StaffNotice]) {
    for notice in notices {
        txn.remove::<StaffNotice>(crate::store::record::notice_key(&notice.user, notice.id));
    }
}

/// Tells whether a note is news: what machines wrote, what came silently, and the desk's own notes are none.
fn is_news(note: &Note) -> bool {
    match note.kind {
        NoteKind::Incoming => !note.automatic && !note.read,
        NoteKind::Reply | NoteKind::Internal => is_staff(&note.author),
        NoteKind::System => false,
    }
}

fn news_of_note(note: &Note, first: bool, by: &By) -> Vec<News> {
    let news = |event, whom| News { issue: note.issue, event, note: Some(note.id), whom, by: by.clone() };
    let event = match (first, note.kind) {
        (true, _) => StaffEvent::NewIssue,
        // Whose answer it is depends on who hears of it.
        (false, NoteKind::Incoming) => StaffEvent::Answer,
        (false, _) => StaffEvent::Note,
    };
    let mut all = vec![news(event, None)];
    if note.kind != NoteKind::Incoming {
        all.extend(mentions(&note.body).into_iter().map(|name| news(StaffEvent::Mentioned, Some(name))));
    }
    all
}

fn given(issue: IssueId, to: Option<String>, by: &By) -> Option<News> {
    to.map(|to| News { issue, event: StaffEvent::Assigned, note: None, whom: Some(to), by: by.clone() })
}

/// Gives what one user is told of an issue: a notice for each note, with everything else in the last.
fn notices_for(user: &User, issue: &Issue, about: &[&News], now: Timestamp) -> Vec<StaffNotice> {
    let mine = about
        .iter()
        .filter(|news| !news.by.is(user) && news.whom.as_ref().is_none_or(|whom| whom == &user.name));
    let mut by_note: BTreeMap<Option<NoteId>, StaffNotice> = BTreeMap::new();
    for news in mine {
        let own = issue.assignee.as_deref() == Some(user.name.as_str());
        let event = match news.event {
            StaffEvent::Answer if own => StaffEvent::MyAnswer,
            StaffEvent::Clock if own => StaffEvent::MyClock,
            event => event,
        };
        let when = user.notify.when(event, issue.project);
        if when == When::Off {
            continue;
        }
        let notice = by_note.entry(news.note).or_insert_with(|| StaffNotice {
            id: 0,
            user: user.name.clone(),
            issue: issue.id,
            note: news.note,
            events: Vec::new(),
            by: news.by.label.clone(),
            when,
            at: now,
        });
        notice.when = notice.when.max(when);
        if !notice.events.contains(&event) {
            notice.events.push(event);
        }
    }
    let rest = by_note.remove(&None);
    match (rest, by_note.values_mut().next_back()) {
        (Some(rest), Some(last)) => {
            last.when = last.when.max(rest.when);
            last.events.extend(rest.events);
        }
        (Some(rest), None) => drop(by_note.insert(None, rest)),
        (None, _) => {}
    }
    by_note.into_values().collect()
}
