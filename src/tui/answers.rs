//! What the desk says: answers to what was asked, and events.

use super::app::{App, Screen, Undoable};
use super::asks::{Home, Purpose};
use super::input::{Effect, Token};
use super::thread::Thread;
use crate::domain::quick::Mark;
use crate::domain::{
    Draft, Event, Fault, FaultKind, IssueId, IssueRow, IssueView, Reference, Request, Response, SenderRule,
};
use jiff::Timestamp;

impl App {
    /// Brings an answer to what waits for it.
    pub fn answered(&mut self, token: Token, answer: Result<Response, Fault>) {
        match self.asks.answered(token) {
            Home::Late(next) => {
                if let Some(next) = next {
                    self.want(next);
                }
            }
            Home::For(purpose) => match answer {
                Ok(response) => {
                    if purpose.is_verb() {
                        self.answered = None;
                    }
                    let text = purpose.is_text();
                    self.take(purpose, response);
                    if text {
                        self.can_be_renewed();
                    }
                }
                Err(fault) => self.refused(&purpose, fault),
            },
        }
    }

    pub(super) fn take(&mut self, purpose: Purpose, response: Response) {
        match (purpose, response) {
            (Purpose::Renewed(purpose), response) => self.read_anew(*purpose, response),
            (Purpose::Whoami, Response::User(user)) => self.me = Some(user),
            (Purpose::Status, Response::Status(status)) => {
                self.status = Some(*status);
                self.follow_on();
            }
            (Purpose::Views, Response::Views(views)) => self.take_views(views),
            (Purpose::Rows, Response::Issues(page)) => self.take_rows(page),
            (Purpose::MarkAll, Response::Issues(page)) => self.take_marks(&page),
            (Purpose::NextBest, Response::Issues(page)) => self.take_next_best(&page),
            (Purpose::Preview(reference), Response::Issue(view)) => self.take_preview(reference, *view),
            (Purpose::Thread(reference), Response::Issue(view)) => self.take_thread(reference, *view),
            (Purpose::Drafts, Response::Drafts(drafts)) => {
                self.list.drafts = drafts.iter().filter_map(|d| d.issue).collect();
            }
            (Purpose::Projects, Response::Projects(projects)) => self.projects = Some(projects),
            (Purpose::Users, Response::Users(users)) => self.take_users(users),
            (Purpose::Labels, Response::Labels(labels)) => self.take_labels(labels),
            (Purpose::KnownLabels, Response::Labels(labels)) => self.know_labels(labels),
            (Purpose::KnownMilestones, Response::Categories(all)) => self.know_milestones(all),
            (Purpose::Milestones, Response::Categories(all)) => self.pick_milestone(&all),
            (Purpose::Canned, Response::Canned(known)) => self.pick_canned(known),
            (Purpose::Macros { choose }, Response::Canned(known)) => self.take_macros(known, choose),
            (Purpose::Changes, Response::Changes(rows)) => self.take_changes(rows),
            (Purpose::LastVerb, Response::Verbs(verbs)) => self.take_last_verb(verbs.first()),
            (Purpose::PlanNotes, Response::NotesPlanned(planned)) => self.show_planned(&planned),
            (Purpose::FillCanned(reference), Response::FilledCanned(filled)) => {
                self.insert_canned(&reference, &filled);
            }
            (Purpose::Outbox, Response::Outbox(rows)) => self.outbox.take(rows),
            (Purpose::Intake, Response::Intake(rows)) => self.intake.take(rows),
            (Purpose::Senders, Response::Senders(rows)) => self.senders.take(rows),
            (Purpose::IntakeRaw(id), Response::Bytes(bytes)) => {
                self.show_raw(&format!("mail {id}"), &bytes);
            }
            (Purpose::RawMail, Response::Bytes(bytes)) => self.show_raw("the mail as it came", &bytes),
            (Purpose::History(reference), Response::History(changes)) => {
                self.show_history(&reference, &changes);
            }
            (Purpose::HandOverTo(these), Response::Users(users)) => self.pick_heir(&these, &users),
            (Purpose::About, Response::About(about)) => self.take_about(Some(*about)),
            (Purpose::AuthorIssues, Response::Issues(page)) => self.show_author(&page),
            (Purpose::Draft, Response::Draft(draft)) => self.take_draft(draft),
            (Purpose::Names(mark, wanted), response) => self.take_names(mark, wanted, &response),
            (Purpose::Image(key), Response::Bytes(bytes)) => self.image_fetched(key, bytes),
            (Purpose::Similar, Response::Similar(found)) => self.pick_similar(&found),
            (Purpose::Answers, Response::Issue(view)) => self.show_answers(&view),
            (Purpose::OwnCommand(number), Response::Issue(view)) => self.give_own(number, Some(&view)),
            (Purpose::Palette(_), Response::Users(people)) => self.palette_people(people),
            (Purpose::Palette(_), Response::Canned(canned)) => self.palette_canned(canned),
            (Purpose::Palette(part), Response::Issues(page)) => self.palette_issues(part, page.rows),
            (change, response) => self.take_change(change, response),
        }
    }

    fn take_names(&mut self, mark: Mark, wanted: (String, String), response: &Response) {
        match response {
            Response::Members(members) => self.learn_members(wanted, members),
            Response::Users(users) => self.learn_users(wanted, users),
            Response::Categories(all) => self.learn_categories(mark, wanted, all),
            Response::Issues(page) => self.learn_issues(wanted, &page.rows),
            _ => {}
        }
    }

    fn take_change(&mut self, purpose: Purpose, response: Response) {
        match (purpose, response) {
            (Purpose::SaveDraft, Response::Draft(Some(draft))) => self.draft_joined(&draft),
            (Purpose::SaveDraft, _) => self.draft_saved(),
            (Purpose::DraftFile { reference, kind, place }, Response::Bytes(bytes)) => {
                self.kept_came((&reference, kind), place, Ok(bytes));
            }
            (Purpose::Send { issue, snooze }, Response::Noted { issue: view, held_until, .. }) => {
                self.sent(issue, *view, held_until, snooze);
            }
            (Purpose::Send { snooze, .. }, Response::Issue(view)) => self.issue_made(*view, snooze),
            (Purpose::Send { snooze, .. }, Response::Edited { rows, label, .. }) => {
                self.acted(&rows, label, snooze)
            }
            (Purpose::SendMany { listed }, Response::Edited { rows, label, failed, held_until }) => {
                self.done_to_many(&rows, label, &failed, held_until, listed);
            }
            (Purpose::Edit { listed, .. }, Response::Edited { rows, label, failed, held_until })
                if !failed.is_empty() || held_until.is_some() =>
            {
                self.done_to_many(&rows, label, &failed, held_until, listed);
            }
            (Purpose::Edit { advance, listed }, Response::Edited { rows, label, .. }) => {
                self.edited_issues(&rows, label, advance, listed);
            }
            (Purpose::MergePlan { references, into }, Response::Plan(lines)) => {
                self.merge_planned(references, into, &lines);
            }
            (Purpose::HandOver { user, listed }, Response::Noted { issue, .. }) => {
                self.was_handed_over(&user, &issue, listed);
            }
            (Purpose::Forward, Response::Issue(view)) => self.was_forwarded(&view),
            (Purpose::Split, Response::Issue(view)) => self.was_split(&view),
            (Purpose::Undo | Purpose::Redo, Response::Undone { label, skipped, draft, issues }) => {
                self.undone(&label, &skipped, draft);
                self.list.wanted = issues;
                self.take_back_more();
            }
            (Purpose::OutboxAct, Response::Outbox(rows)) => {
                self.say(format!("{} changed", crate::domain::counted(rows.len(), "mail")));
                self.ask_outbox();
            }
            (Purpose::IntakeAct, Response::IntakeEntry(entry)) => {
                self.say(format!("now {}: {}", entry.fate.word(), entry.reason));
                self.ask_intake();
            }
            (Purpose::IntakeAct, Response::Senders(lines)) => {
                if let Some(line) = lines.first() {
                    let done = if line.rule == SenderRule::Allow { "allowed" } else { "blocked" };
                    self.say(format!("{done} {} · z takes it back", line.pattern));
                }
            }
            (Purpose::SenderAct, Response::Senders(_)) => {
                self.say("saved; z takes it back");
                self.ask_senders();
            }
            (Purpose::AboutAct, Response::About(about)) => self.about_changed(*about),
            (Purpose::OwnAct, Response::Users(users)) => self.own_changed(users),
            (Purpose::ProjectAct, Response::Project(project)) => self.project_changed(*project),
            (Purpose::Attachment { save_to, name }, Response::Bytes(bytes)) => self.want(match save_to {
                Some(path) => Effect::Save { path, bytes },
                None => Effect::Open { name, bytes },
            }),
            (Purpose::Original(note), Response::Bytes(bytes)) => {
                self.want(Effect::Open { name: format!("note-{note}.html"), bytes });
            }
            (purpose, response) => self.take_of_project(purpose, response),
        }
    }

    /// Brings what belongs to a project to its screen.
    fn take_of_project(&mut self, purpose: Purpose, response: Response) {
        match (purpose, response) {
            (Purpose::People, Response::Users(users)) => {
                self.users = users;
                self.offer();
            }
            (Purpose::Members(path), Response::Members(rows)) => self.take_members(path, rows),
            (Purpose::MemberAct(path), Response::Members(rows)) => {
                self.say("saved");
                self.take_members(path, rows);
            }
            (Purpose::Templates(path), Response::Templates(rows)) => self.take_templates(&path, rows),
            (Purpose::TemplatePreview, Response::TemplatePreview(made)) => {
                self.templates.preview = Some(*made);
            }
            (Purpose::Categories { kind, project }, Response::Categories(rows)) => {
                self.take_categories(kind, &project, rows);
            }
            (Purpose::CategoryAct, _) => {
                self.say("saved; z takes it back");
                self.ask_categories();
            }
            (Purpose::Rules, Response::Rules(rows)) => self.rules.take(rows),
            (Purpose::Texts, Response::Canned(rows)) => self.texts.take(rows),
            (Purpose::TextAct(said), _) => {
                self.say(said);
                self.ask_texts();
            }
            (Purpose::Report, Response::Figures(report)) => self.take_report(*report),
            (Purpose::RuleAct, _) => {
                self.say("saved");
                self.ask(Purpose::Rules, Request::Rules);
            }
            (Purpose::ViewAct { said, chosen }, Response::Views(views)) => {
                self.view_changed(views, said, chosen);
            }
            (Purpose::RuleTest(name), Response::Plan(lines)) => self.show_rule_test(&name, &lines),
            _ => {}
        }
    }

    fn refused(&mut self, purpose: &Purpose, fault: Fault) {
        // A text that is not sent stands in the composer; any other answer that is refused is asked for again.
        let sends = matches!(purpose, Purpose::Send { .. } | Purpose::SendMany { .. });
        let again = self.answered.take_if(|_| purpose.is_verb() && !sends);
        self.refuse(purpose, fault);
        if let Some(prompt) = again {
            self.ask_again(prompt);
        }
    }

    fn refuse(&mut self, purpose: &Purpose, fault: Fault) {
        match purpose {
            Purpose::Rows => {
                self.list.find_nothing(fault);
                self.preview = None;
            }
            Purpose::Views
            | Purpose::KnownLabels
            | Purpose::KnownMilestones
            | Purpose::Drafts
            | Purpose::Attend
            | Purpose::MarkRead
            | Purpose::Names(..)
            | Purpose::Palette(_) => {}
            Purpose::Undo | Purpose::LastVerb => {
                self.undos = 0;
                self.complain_of(&fault);
            }
            // Who may not see notes on people sees the card without them.
            Purpose::About => self.take_about(None),
            Purpose::Preview(_) => self.preview = None,
            Purpose::Image(key) => self.image_refused(key.clone()),
            Purpose::Templates(_) => self.templates_refused(fault.message),
            Purpose::Renewed(asked) => self.nothing_to_read(asked, &fault),
            Purpose::Send { .. } | Purpose::SendMany { .. } => self.send_refused(fault),
            Purpose::ViewAct { .. } => {
                self.ask_views();
                self.complain_of(&fault);
            }
            Purpose::SaveDraft => {
                self.draft_unsaved();
                self.complain_of(&fault);
            }
            Purpose::DraftFile { reference, kind, place } => {
                self.kept_came((reference, *kind), *place, Err(fault.message));
            }
            Purpose::Draft => {
                self.take_draft(None);
                self.complain_of(&fault);
            }
            Purpose::Thread(_) if self.thread.is_none() && fault.kind == FaultKind::NotFound => {
                self.go_back();
                self.complain_of(&fault);
            }
            _ => self.complain_of(&fault),
        }
    }

    fn take_preview(&mut self, reference: Reference, view: IssueView) {
        // It was asked for when the list still had rows.
        if self.list.current().is_none() {
            return;
        }
        let width = super::layout::areas(self.width, self.height, self.list_mode()).preview.width;
        let height = self.preview_height();
        match &mut self.preview {
            Some(shown) if shown.view.row.id == view.row.id => {
                // A preview shows what is unread now; only who reads the thread keeps the marks.
                shown.fresh.clear();
                shown.refresh(view, &self.theme);
                // A note may be gone: what is left stays in sight.
                shown.scroll(0, height);
            }
            _ => {
                let mut shown = Thread::new(reference, view, usize::from(width), &self.theme);
                shown.go_to_news(height);
                self.preview = Some(shown);
            }
        }
    }

    /// Follows an event: what is on the screen and named by it is asked for anew.
    pub fn event(&mut self, event: Event) {
        match event {
            Event::Issues { issues, .. } => self.issues_changed(&issues),
            Event::Outbox => {
                self.ask(Purpose::Status, Request::Status);
                if self.screen == Screen::Outbox {
                    self.ask_outbox();
                }
            }
            Event::Intake => {
                self.renew_intake_text();
                self.ask(Purpose::Status, Request::Status);
                if self.screen == Screen::Intake {
                    self.ask_intake();
                }
            }
            Event::Projects => {
                self.ask(Purpose::Projects, Request::Projects);
                self.ask(Purpose::Macros { choose: false }, Request::Canned { project: None });
                self.ask_views();
                self.reload_screen();
            }
            Event::Users => {
                self.ask(Purpose::Whoami, Request::Whoami);
                self.reload_screen();
            }
            Event::Drafts => self.ask(Purpose::Drafts, Request::Drafts),
            Event::Status => self.ask(Purpose::Status, Request::Status),
            Event::Missed => {
                // Nobody knows what changed.
                self.renew_reader(|_| true);
                self.reload();
            }
            Event::Closing => self.say("the desk is closing"),
        }
    }

    fn issues_changed(&mut self, issues: &[IssueId]) {
        match self.screen {
            Screen::Changes => self.ask_changes(),
            Screen::Texts => self.ask_texts(),
            _ => {}
        }
        self.renew_issues_text(issues);
        self.ask_rows();
        self.ask_views();
        let shown = |t: &Thread| issues.contains(&t.view.row.id).then(|| t.reference.clone());
        if let Some(reference) = self.thread.as_ref().and_then(shown) {
            self.ask_thread(reference);
        }
        if let Some(reference) = self.preview.as_ref().and_then(shown) {
            self.ask(Purpose::Preview(reference.clone()), Request::Issue(reference));
        }
    }

    /// Says that the desk is gone and keeps everything typed.
    pub fn connection_lost(&mut self, reason: String) {
        self.asks.lost();
        self.lost = Some(reason);
    }

    /// Looks again at everything that is shown.
    pub fn connection_back(&mut self) {
        self.lost = None;
        self.tell_anew();
        self.say("the desk is there again");
        self.reload();
        self.ask_draft();
        self.fetch_kept();
    }

    pub(super) fn edited_issues(&mut self, rows: &[IssueRow], label: String, advance: bool, listed: bool) {
        for row in rows {
            if let Some(held) = self.list.rows.iter_mut().find(|held| held.id == row.id) {
                *held = row.clone();
            }
        }
        // What was done in a thread was not done to the marks of the list.
        if listed {
            self.list.marks.clear();
        }
        self.notice = None;
        self.undoable = Some(Undoable { label, held_until: None, at: self.now });
        if advance && self.screen == Screen::Thread && self.options.auto_advance {
            self.advance_from = rows.first().map(|row| row.id);
        } else if let Some(thread) = &self.thread {
            let reference = thread.reference.clone();
            self.ask_thread(reference);
        }
        self.ask_rows();
        self.ask_views();
    }

    /// Opens what took the place of the issue that was just dealt with.
    pub fn follow(&mut self) {
        let Some(done) = self.advance_from.take() else { return };
        // Whoever left it meanwhile is not brought back.
        if self.screen != Screen::Thread {
            return;
        }
        if self.list.current().is_some_and(|row| row.id == done) {
            let before = self.list.selected;
            self.move_selection(1);
            if self.list.selected == before {
                return self.leave_thread();
            }
        }
        match self.list.current().and_then(|row| row.reference.parse().ok()) {
            Some(reference) => self.open_issue(reference),
            None => self.leave_thread(),
        }
    }

    fn leave_thread(&mut self) {
        if self.screen == Screen::Thread {
            self.go_back();
        }
    }

    fn undone(&mut self, said: &str, skipped: &[String], draft: Option<Draft>) {
        if self.screen == Screen::Changes {
            self.ask_changes();
        }
        self.undoable = None;
        match skipped {
            [] => self.say(said),
            _ => self.complain(format!("{said} · not: {}", skipped.join("; "))),
        }
        if let Some(draft) = draft {
            self.reopen_draft(draft);
        }
        self.ask_rows();
        self.ask_views();
        if let Some(thread) = &self.thread {
            let reference = thread.reference.clone();
            self.ask_thread(reference);
        }
    }

    /// Remembers that something was sent, and until when it can be taken back.
    pub fn sent_until(&mut self, label: String, held_until: Option<Timestamp>) {
        let held_until = held_until.filter(|at| *at > self.now);
        self.notice = None;
        self.undoable = Some(Undoable { label, held_until, at: self.now });
    }
}
