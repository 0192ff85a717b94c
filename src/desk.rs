//! The service: requests in, responses out; raw mail in, issues and events out.
//!
//! Owns every decision and is the only writer of the store. Knows nothing of sockets, servers or
//! screens: `sync` hands it bytes and takes mail from its outbox, front ends hand it [`Request`]s.

mod about;
mod acknowledge;
mod addresses;
mod arrival;
mod bounces;
mod canned;
mod categories;
mod changes;
mod clocks;
mod commits;
mod custom_email;
mod drafts;
mod edits;
mod erasing;
mod figures;
mod filing;
mod filling;
mod forwarding;
mod happenings;
mod history;
mod hours;
mod idle;
mod importing;
mod intake;
mod issues;
mod lessons;
mod letters;
mod links;
mod macros;
mod merging;
mod moving;
mod notice_mail;
mod notices;
mod outbox;
mod people;
mod permits;
mod placement;
mod presence;
mod projects;
mod purge;
mod queue;
mod ratings;
mod redacting;
mod references;
mod rejecting;
mod repeat;
mod reports;
mod rest;
mod routing;
mod rule_deeds;
mod rulebook;
mod rules;
mod screening;
mod sealing;
mod senders;
mod several;
mod similar;
mod spam;
mod splitting;
mod staff_answers;
mod staff_settings;
mod status;
mod strangers;
mod subscriptions;
mod tabs;
mod targets;
mod telling;
mod templates;
mod triage;
mod turns;
mod txn;
mod undo;
mod upkeep;
mod vanishing;
mod views;

pub use arrival::{Content, Incoming, ReadBatch, Received};
pub use commits::Watch;
pub use happenings::Heard;
pub use lessons::Told;
pub use outbox::{Claim, Settled};
pub use rest::Rest;
pub use routing::{WayIn, WayOut, Ways};
pub use status::Board;
pub use subscriptions::Subscription;

use crate::crypt::Crypt;
use crate::domain::{
    Actor, Call, Event, Fault, FaultKind, IssueId, Request, RequestId, Response, Rights, Seq, User, Via,
};
use crate::index::{Index, Update};
use crate::spam::Judges;
use crate::store::Store;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard, Notify, broadcast};
use txn::{Txn, Written, Wrote};

/// How many events a slow front end may be behind before it is told to reload.
const EVENTS: usize = 1024;

/// Tells the time; tests hand in their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Who asks: a name, and whether it is the account that owns the desk's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: String,
    pub owns_desk: bool,
}

/// The desk; a cheap clone.
#[derive(Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    index: Index,
    ways: Ways,
    crypt: Crypt,
    clock: Clock,
    events: broadcast::Sender<Event>,
    /// Held by whoever writes: one step at a time.
    gate: Mutex<()>,
    board: Board,
    senders: senders::Lists,
    school: lessons::School,
    judges: Judges,
    /// Told when a service may have something to be told.
    lessons: Notify,
    /// Mails that were taken for spam and are still kept.
    spam_mails: purge::SpamMails,
    queue: queue::Queue,
    /// Who is at which issue now.
    seats: presence::Seats,
    turns: turns::Turns,
    /// What the clocks of the index were made of.
    clocks: clocks::Wound,
    /// Templates of watched repositories.
    repositories: templates::Repositories,
    /// Told when the outbox has something to do.
    outgoing: Notify,
    /// Told when somebody wants the mailboxes looked at now.
    look: Notify,
}

impl Desk {
    /// Opens the desk over a store and its index, and brings the index up to date.
    ///
    /// Fails when the store cannot be read.
    pub async fn open(
        store: Store,
        index: Index,
        indexed: Seq,
        ways: Ways,
        crypt: Crypt,
        clock: Clock,
    ) -> Result<Self, Fault> {
        let (events, _) = broadcast::channel(EVENTS);
        let started = clock();
        let inner = Inner {
            store,
            index,
            crypt,
            clock,
            events,
            gate: Mutex::new(()),
            board: Board::new(started),
            senders: senders::Lists::default(),
            school: lessons::School::default(),
            judges: Judges::new(&ways.spam),
            lessons: Notify::new(),
            spam_mails: purge::SpamMails::default(),
            queue: queue::Queue::default(),
            seats: presence::Seats::default(),
            turns: turns::Turns::default(),
            clocks: clocks::Wound::default(),
            repositories: templates::Repositories::default(),
            outgoing: Notify::new(),
            look: Notify::new(),
            ways,
        };
        let desk = Self { inner: Arc::new(inner) };
        let promised = desk.renew_if_promised()?;
        let indexed = if promised.is_some() { Seq(0) } else { indexed };
        desk.wind_clocks().await?;
        let mailed = desk.fill_index(indexed).await?;
        desk.load_outbox().await?;
        desk.fill_troubles(&mailed);
        desk.list_judges();
        desk.load_senders().await?;
        desk.load_lessons().await?;
        desk.load_spam_mails().await?;
        if let Some(scrub) = promised
            && let Err(fault) = desk.clear_derived(&scrub).await
        {
            // The promise stands, and is tried again by the next opening; mail goes on meanwhile.
            let words = format!("what was taken out for good has not left every file yet: {}", fault.message);
            desk.inner.board.notice("taken out for good".to_owned(), words);
        }
        Ok(desk)
    }

    /// Follows what changes.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// Tells the state of mailboxes, outlets and notices.
    pub fn board(&self) -> &Board {
        &self.inner.board
    }

    /// Tells what time it is for the desk.
    pub fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    /// Waits until somebody wants the mailboxes looked at.
    pub async fn wait_for_look(&self) {
        self.inner.look.notified().await;
    }

    /// Carries out a request, once for each request id.
    ///
    /// Faults say what could not be done and what helps; nothing was changed then.
    pub fn handle<'a>(&'a self, caller: &'a Caller, call: Call) -> BoxFuture<'a, Result<Response, Fault>> {
        // So that who asks many things has no room on the stack for each of them.
        Box::pin(self.answer(caller, call))
    }

    async fn answer(&self, caller: &Caller, call: Call) -> Result<Response, Fault> {
        let user = self.user_of(caller, &call.request).await?;
        let rights = self.rights_of(&user).await?;
        let acting = Acting { user, rights, via: call.via, request: call.id, now: self.now() };
        self.permit(caller, &acting, &call.request).await?;
        match call.request {
            Request::Whoami => Ok(Response::User(acting.user)),
            Request::Status => Ok(Response::Status(Box::new(self.status(&acting).await?))),
            Request::Attend(attend) => self.attend(&acting, attend).await,
            Request::Issues(query) => self.issues(&acting, &query).await,
            Request::Counts(queries) => self.counts(&acting, &queries).await,
            Request::Issue(reference) => {
                let id = self.resolve(&acting.rights, &reference).await?;
                Ok(Response::Issue(Box::new(self.issue_view(&acting, id).await?)))
            }
            Request::History(reference) => self.history(&acting, &reference).await,
            Request::Similar(reference) => self.similar(&acting, &reference).await,
            Request::RawMail { reference, note } => self.raw_mail(&acting, &reference, note).await,
            Request::Attachment { reference, note, name } => {
                self.attachment(&acting, &reference, note, &name).await
            }
            Request::OriginalHtml { reference, note } => self.original_html(&acting, &reference, note).await,
            Request::Outbox { states, limit } => self.outbox_list(&acting, &states, limit).await,
            Request::OutboxRaw(id) => self.outbox_raw(id).await,
            Request::Intake { fate, limit } => self.intake_list(&acting, fate, limit).await,
            Request::IntakeEntry(id) => self.intake_entry(id).await,
            Request::IntakeRaw(id) => self.intake_raw(id).await,
            Request::Projects => self.projects(&acting).await,
            Request::Project(path) => self.project(&acting, &path).await,
            Request::Users => self.users().await,
            Request::Members(project) => self.members(&acting, &project).await,
            Request::Desk => self.desk_settings().await.map(Response::Desk),
            Request::Labels => self.labels(&acting).await,
            Request::Rules => self.rules(&acting).await,
            Request::Clocks => self.clocks(&acting).await,
            Request::Report(asked) => self.report(&acting, &asked).await,
            Request::TestRule { scope, name } => self.test_rule(&acting, &scope, &name).await,
            Request::Categories { kind, project } => self.categories(&acting, kind, project.as_deref()).await,
            Request::Canned { project } => self.canned(&acting, project.as_deref()).await,
            Request::Views => self.views(&acting).await,
            Request::NoteMany(many) if many.dry_run => Box::pin(self.plan_notes(&acting, &many)).await,
            Request::FillCanned(asked) => Box::pin(self.fill_canned(&acting, asked)).await,
            Request::Drafts => self.drafts(&acting).await,
            Request::DraftFile { reference, kind, name, place } => {
                self.draft_file(&acting, reference.as_ref(), kind, (&name, place)).await
            }
            Request::Draft { reference, kind } => self.draft(&acting, reference.as_ref(), kind).await,
            Request::Changes { limit } => Box::pin(self.changes(&acting, limit)).await,
            Request::Verbs { limit } => self.verbs(&acting, limit).await,
            Request::Cursors => self.cursors().await,
            Request::Person(email) => self.person(&email).await,
            Request::About(email) => self.about(&acting, &email).await,
            Request::Senders(scope) => self.senders(&acting, scope.as_ref()).await,
            Request::TestSender { scope, address, raw } => {
                self.test_sender(&acting, &scope, address, &raw).await
            }
            Request::Templates { project } => Box::pin(self.templates(&acting, &project)).await,
            Request::PreviewTemplate(asked) => Box::pin(self.preview_template(&acting, asked)).await,
            Request::Deliver(deliver) => self.deliver(deliver).await,
            Request::Backup { path, replace } => self.backup(&path, replace).await,
            Request::Rebuild => self.rebuild().await,
            Request::Compact => Box::pin(self.compact()).await,
            Request::Verify => self.verify().await,
            other => Box::pin(self.change_once(acting, other)).await,
        }
    }

    /// Carries out a change unless it was carried out before.
    async fn change_once(&self, acting: Acting, request: Request) -> Result<Response, Fault> {
        let _turn = self.inner.turns.wait(&acting.request).await;
        match self.repeated(&acting).await? {
            Some(done) => self.answer_again(&acting, &request, done).await,
            None => self.change(acting, request).await,
        }
    }

    /// Carries out a change. What one request needs of the stack is no part of what another needs.
    fn change(&self, acting: Acting, request: Request) -> BoxFuture<'_, Result<Response, Fault>> {
        match request {
            Request::NewIssue(_) | Request::AddNote(_) | Request::NoteMany(_) | Request::Edit { .. } => {
                Box::pin(self.change_issue(acting, request))
            }
            Request::Merge { .. }
            | Request::Unmerge(_)
            | Request::UnmergeMany(_)
            | Request::Split(_)
            | Request::Forward(_)
            | Request::Redact(_)
            | Request::ErasePerson(_)
            | Request::Undo
            | Request::UndoOne(_)
            | Request::RunMacro { .. }
            | Request::Redo => Box::pin(self.change_widely(acting, request)),
            request => Box::pin(self.change_desk(acting, request)),
        }
    }

    async fn change_issue(&self, acting: Acting, request: Request) -> Result<Response, Fault> {
        match request {
            Request::NewIssue(new) => self.new_issue(&acting, new).await,
            Request::AddNote(new) => self.add_note(&acting, new).await,
            Request::NoteMany(many) => Box::pin(self.note_many(&acting, many, None)).await,
            Request::Edit { references, edits } => self.edit(&acting, &references, &edits).await,
            _ => Err(unknown_request()),
        }
    }

    async fn change_widely(&self, acting: Acting, request: Request) -> Result<Response, Fault> {
        match request {
            Request::Merge { references, into, dry_run } => {
                Box::pin(self.merge(&acting, &references, &into, dry_run)).await
            }
            Request::Unmerge(reference) => self.unmerge(&acting, &[reference]).await,
            Request::UnmergeMany(references) => self.unmerge(&acting, &references).await,
            Request::Forward(forward) => Box::pin(self.forward(&acting, &forward)).await,
            Request::Split(split) => self.split(&acting, &split).await,
            Request::Redact(asked) => Box::pin(self.redact(&acting, &asked)).await,
            Request::ErasePerson(email) => Box::pin(self.erase_person(&acting, &email)).await,
            Request::Undo => self.undo(&acting, None).await,
            Request::UndoOne(seq) => self.undo(&acting, Some(seq)).await,
            run @ Request::RunMacro { .. } => Box::pin(self.run_macro(&acting, run)).await,
            Request::Redo => self.redo(&acting).await,
            _ => Err(unknown_request()),
        }
    }

    async fn change_desk(&self, acting: Acting, request: Request) -> Result<Response, Fault> {
        match request {
            Request::MarkRead { reference, read } => self.mark_read(&acting, &reference, read).await,
            Request::MarkManyRead { references, read } => self.mark_many(&acting, &references, read).await,
            Request::CommitsReached { project, commits } => {
                self.commits_reached(&acting, &project, &commits).await
            }
            Request::Import(issue) => Box::pin(self.import_issue(&acting, *issue)).await,
            Request::SetAbout { email, edit } => self.set_about(&acting, &email, edit).await,
            Request::SaveDraft(draft) => self.save_draft(&acting, *draft).await,
            Request::DropDraft { reference, kind } => {
                self.drop_draft(&acting, reference.as_ref(), kind).await
            }
            Request::AddProject { path } => self.add_project(&acting, &path).await,
            Request::SetProject { path, settings } => self.set_project(&acting, &path, &settings).await,
            Request::EnableProject { path, enabled } => self.enable_project(&acting, &path, enabled).await,
            Request::RenameProject { path, to } => self.rename_project(&acting, &path, &to).await,
            Request::RotateKey { path } => self.rotate_key(&acting, &path).await,
            Request::SetAddress { path, address } => self.set_address(&acting, &path, address).await,
            Request::CustomEmail { path, action } => self.custom_email(&acting, &path, action).await,
            Request::RemoveAddress { path, address } => self.remove_address(&acting, &path, &address).await,
            Request::AddUser { name, full_name, emails, system_user } => {
                self.add_user(&acting, name, full_name, emails, system_user).await
            }
            Request::SetUser { name, settings } => self.set_user(&acting, &name, &settings).await,
            Request::RemoveUser { name } => self.remove_user(&acting, &name).await,
            Request::SetMember { project, user, role } => {
                self.set_member(&acting, &project, &user, role).await
            }
            Request::RemoveMember { project, user } => self.remove_member(&acting, &project, &user).await,
            Request::SetDesk { settings } => self.set_desk(&acting, &settings).await,
            Request::SaveCanned { scope, name, settings, new, attach } => {
                self.save_canned(&acting, &scope, &name, &settings, new, &attach).await
            }
            Request::RemoveCanned { scope, name } => self.remove_canned(&acting, &scope, &name).await,
            Request::SaveView { kept, name, settings, new } => {
                Box::pin(self.save_view(&acting, &kept, &name, &settings, new)).await
            }
            Request::RemoveView(view) => self.remove_view(&acting, &view).await,
            Request::ShareView { view, with } => self.share_view(&acting, &view, &with).await,
            Request::OrderView { view, position } => self.order_view(&acting, &view, position).await,
            Request::SetRule { scope, name, settings } => {
                Box::pin(self.set_rule(&acting, &scope, name.as_deref(), &settings)).await
            }
            Request::RemoveRule { scope, name } => self.remove_rule(&acting, &scope, &name).await,
            Request::OrderRule { scope, name, position } => {
                self.order_rule(&acting, &scope, &name, position).await
            }
            Request::SetClock { scope, name, settings } => {
                Box::pin(self.set_clock(&acting, &scope, name.as_deref(), &settings)).await
            }
            Request::RemoveClock { scope, name } => self.remove_clock(&acting, &scope, &name).await,
            Request::AddCategory { kind, project, settings } => {
                self.add_category(&acting, kind, &project, &settings).await
            }
            Request::SetCategory { kind, project, name, settings } => {
                Box::pin(self.set_category(&acting, kind, &project, &name, &settings)).await
            }
            Request::RemoveCategory { kind, project, name } => {
                Box::pin(self.remove_category(&acting, kind, &project, &name)).await
            }
            Request::SetSender { scope, pattern, rule } => {
                self.set_sender(&acting, &scope, &pattern, rule).await
            }
            Request::RemoveSender { scope, pattern } => {
                self.remove_sender(&acting, scope.as_ref(), &pattern).await
            }
            Request::OutboxAct { ids, action } => self.outbox_act(&acting, &ids, action).await,
            Request::IntakeSender { id, rule } => self.list_sender(&acting, id, rule).await,
            Request::IntakeAct { id, action } => self.intake_act(&acting, id, action).await,
            Request::SyncNow => {
                self.inner.look.notify_waiters();
                self.hurry_outbox().await;
                Ok(Response::Done)
            }
            Request::SaveCursor(cursor) => self.save_cursor(&cursor).await,
            _ => Err(unknown_request()),
        }
    }

    /// Begins a step. Nobody else writes until it is committed or dropped.
    async fn begin(&self) -> (MutexGuard<'_, ()>, Txn<'_>) {
        let gate = self.inner.gate.lock().await;
        (gate, Txn::new(&self.inner.store, self.now()))
    }

    /// Makes a step durable, shows it to the index and tells everybody.
    async fn finish(
        &self,
        mut txn: Txn<'_>,
        actor: Actor,
        reason: Option<String>,
        request: Option<RequestId>,
    ) -> Result<Seq, Fault> {
        if txn.is_empty() && txn.deed().label.is_empty() {
            return Ok(self.inner.store.last());
        }
        if !txn.hush {
            self.tell_staff(&mut txn, &actor).await?;
        }
        let written = txn.commit(actor, reason, request).await?;
        self.follow(&written).await?;
        Ok(written.seq)
    }

    async fn follow(&self, written: &Written) -> Result<(), Fault> {
        self.follow_spam(&written.records);
        let updates = self.updates(&written.records);
        self.inner.index.apply(written.seq, &updates);
        self.follow_clocks(&written.records).await?;
        if self.inner.index.wants_saving() {
            let index = self.inner.index.clone();
            tokio::task::spawn_blocking(move || index.save_rows());
        }
        self.announce(written.seq, &written.records, &updates);
        Ok(())
    }

    fn announce(&self, seq: Seq, records: &[Wrote], updates: &[Update]) {
        use crate::store::Tree;
        let mut issues: BTreeSet<IssueId> = updates.iter().filter_map(Update::issue).collect();
        for update in updates {
            if let Update::About { person, .. } = update {
                issues.extend(self.inner.index.issues_of(person));
            }
        }
        let touched: BTreeSet<Tree> = records.iter().map(|wrote| wrote.tree).collect();
        if !issues.is_empty() {
            self.tell(Event::Issues { seq, issues: issues.into_iter().collect() });
        }
        let events: [(Tree, Event); 14] = [
            (Tree::Outbox, Event::Outbox),
            (Tree::Intake, Event::Intake),
            (Tree::Projects, Event::Projects),
            (Tree::Users, Event::Users),
            (Tree::Drafts, Event::Drafts),
            (Tree::Senders, Event::Projects),
            (Tree::Categories, Event::Projects),
            (Tree::Members, Event::Projects),
            (Tree::Rules, Event::Projects),
            (Tree::Clocks, Event::Projects),
            (Tree::Lessons, Event::Status),
            (Tree::Canned, Event::Projects),
            (Tree::Views, Event::Projects),
            (Tree::Tabs, Event::Projects),
        ];
        for (_, event) in events.into_iter().filter(|(tree, _)| touched.contains(tree)) {
            self.tell(event);
        }
        if touched.contains(&Tree::Outbox) {
            self.inner.outgoing.notify_waiters();
            self.inner.outgoing.notify_one();
        }
    }

    /// Tells every front end; nobody listening is fine.
    fn tell(&self, event: Event) {
        let _ = self.inner.events.send(event);
    }

    /// Tells every front end that the desk goes away.
    pub fn say_goodbye(&self) {
        self.tell(Event::Closing);
    }

    /// Makes the index durable and closes it and the store, for everybody who still has this desk.
    pub async fn close(&self) -> Result<(), Fault> {
        self.inner.index.clone().close();
        let rest = self.rest().await;
        self.inner.store.clone().close_with(rest).await.map_err(txn::store_fault)
    }
}

/// Who acts, from where, and under which request id.
#[derive(Clone, Debug)]
pub(crate) struct Acting {
    pub user: User,
    pub rights: Rights,
    pub via: Via,
    pub request: RequestId,
    pub now: Timestamp,
}

impl Acting {
    /// The desk itself, for what a project asks of it.
    fn system(now: Timestamp) -> Self {
        let user = User { owner: false, ..people::stand_in(crate::domain::SUPPORT_BOT) };
        Self { user, rights: Rights::All, via: Via::System, request: RequestId(String::new()), now }
    }

    fn actor(&self) -> Actor {
        Actor { user: self.user.name.clone(), email: None, via: self.via }
    }
}

/// The desk as an actor.
fn system() -> Actor {
    Actor { user: crate::domain::SUPPORT_BOT.to_owned(), email: None, via: Via::System }
}

fn unknown_request() -> Fault {
    Fault::usage("this desk does not know that request")
        .hint("the program that asks may be newer than the one that answers")
}

/// Says that a record which must be there is not.
fn missing(what: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Internal, format!("{what} is missing")).hint("run `deskbell maintenance verify`")
}
