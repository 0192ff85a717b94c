//! The state of the screen, and what every input does to it.
//!
//! Pure: no clock, no files, no terminal. What is wanted outside comes back as effects.

use super::action::Action;
use super::asks::{Asks, Purpose};
use super::canned::TextsScreen;
use super::categories::CategoriesScreen;
use super::changes::ChangesScreen;
use super::complete::Completing;
use super::completing::Names;
use super::composer::Composer;
use super::images::Images;
use super::input::{Effect, FromDesk, Input};
use super::intake::IntakeScreen;
use super::keymap::{Keymap, Place};
use super::keys::Key;
use super::list::List;
use super::members::MembersScreen;
use super::news::News;
use super::outbox::OutboxScreen;
use super::overlay::{Overlay, Prompt};
use super::palette::Palette;
use super::presence::Told;
use super::projects::ProjectScreen;
use super::reports::ReportsScreen;
use super::rules::RulesScreen;
use super::said::Notice;
use super::senders::SendersScreen;
use super::setup::{Options, SetupError};
use super::templates::TemplatesScreen;
use super::theme::Theme;
use super::thread::Thread;
use super::views::ViewsScreen;
use crate::domain::query::Sought;
use crate::domain::{
    AboutView, CannedView, DeskStatus, Edit, Fate, IssueId, ProjectView, Reference, Request, User,
    default_views,
};
use crossterm::event::KeyEventKind;
use jiff::Timestamp;

/// What fills the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    List,
    Thread,
    Outbox,
    Intake,
    Projects,
    Senders,
    Members,
    Templates,
    Categories,
    Rules,
    Texts,
    Reports,
    Views,
    Changes,
}

/// The last change that can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undoable {
    pub label: String,
    /// Until when a send is held.
    pub held_until: Option<Timestamp>,
    pub at: Timestamp,
}

/// How long typed text waits at most before it is saved as a draft, in milliseconds.
pub const DRAFT_MILLIS: i64 = 500;

/// All state of the screen.
pub struct App {
    pub width: u16,
    pub height: u16,
    pub now: Timestamp,
    pub options: Options,
    pub theme: Theme,
    pub keymap: Keymap,
    pub me: Option<User>,
    pub status: Option<DeskStatus>,
    /// Why the desk cannot be reached, while it cannot.
    pub lost: Option<String>,
    /// `None` until the desk has said which there are.
    pub projects: Option<Vec<ProjectView>>,
    pub users: Vec<User>,
    pub labels: Vec<(String, u64)>,
    pub screen: Screen,
    pub back: Vec<Screen>,
    pub list: List,
    /// The words that the query looks for.
    pub sought: Sought,
    pub completing: Completing,
    pub preview: Option<Thread>,
    pub thread: Option<Thread>,
    /// The issue that the thread shows, or will show when it has come.
    pub opened: Option<Reference>,
    pub composer: Option<Composer>,
    pub images: Images,
    pub outbox: OutboxScreen,
    pub intake: IntakeScreen,
    pub project: ProjectScreen,
    pub senders: SendersScreen,
    pub members: MembersScreen,
    pub templates: TemplatesScreen,
    pub categories: CategoriesScreen,
    pub rules: RulesScreen,
    pub texts: TextsScreen,
    /// Names that the composer can complete.
    pub names: Names,
    pub reports: ReportsScreen,
    pub views: ViewsScreen,
    pub changes: ChangesScreen,
    pub macros: Vec<CannedView>,
    /// The canned replies that were offered last.
    pub canned: Vec<CannedView>,
    /// What is kept about the person whose card was asked for last.
    pub card: Option<AboutView>,
    pub overlay: Option<Overlay>,
    /// The question that was answered last, until the desk took the answer or another key is pressed.
    pub answered: Option<Prompt>,
    pub palette: Palette,
    pub news: News,
    pub notice: Option<Notice>,
    pub undoable: Option<Undoable>,
    /// Since when this screen is there.
    pub since: Timestamp,
    /// How often more something is to be taken back, once what is under way was.
    pub undos: usize,
    /// Keys of a sequence that is not complete.
    pub pending: Vec<Key>,
    /// The last change, for doing it again.
    pub last_edits: Vec<Edit>,
    /// The issue that was just dealt with; the next one is shown when the list knows.
    pub advance_from: Option<IssueId>,
    /// The issue that a mail was last written in, for reopening its draft.
    pub last_sent: Option<(IssueId, Reference)>,
    /// Whether the terminal is in front of the person, where it tells.
    pub focused: Option<bool>,
    /// With whom this screen goes along.
    pub following: Option<String>,
    /// Where the desk was told that this screen is.
    pub told: Told,
    pub asks: Asks,
    effects: Vec<Effect>,
    dirty: bool,
}

impl App {
    /// Makes the screen as it is before the desk has answered anything.
    pub fn new(options: Options, width: u16, height: u16, now: Timestamp) -> Result<Self, SetupError> {
        let theme = options.look()?;
        let keymap = options.bindings()?;
        let images = Images::new(options.graphics()?);
        Ok(Self {
            width,
            height,
            now,
            options,
            theme,
            keymap,
            me: None,
            status: None,
            lost: None,
            projects: None,
            users: Vec::new(),
            labels: Vec::new(),
            screen: Screen::List,
            back: Vec::new(),
            sought: Sought::default(),
            completing: Completing::default(),
            list: List { views: default_views(), ..List::default() },
            preview: None,
            thread: None,
            opened: None,
            composer: None,
            images,
            outbox: OutboxScreen::default(),
            intake: IntakeScreen::default(),
            project: ProjectScreen::default(),
            senders: SendersScreen::default(),
            members: MembersScreen::default(),
            templates: TemplatesScreen::default(),
            categories: CategoriesScreen::default(),
            rules: RulesScreen::default(),
            texts: TextsScreen::default(),
            names: Names::default(),
            reports: ReportsScreen::default(),
            views: ViewsScreen::default(),
            changes: ChangesScreen::default(),
            macros: Vec::new(),
            canned: Vec::new(),
            card: None,
            overlay: None,
            answered: None,
            palette: Palette::default(),
            news: News::default(),
            notice: None,
            undoable: None,
            since: now,
            undos: 0,
            pending: Vec::new(),
            last_edits: Vec::new(),
            advance_from: None,
            last_sent: None,
            focused: None,
            following: None,
            told: Told::default(),
            asks: Asks::default(),
            effects: Vec::new(),
            dirty: true,
        })
    }

    /// Asks for everything that the first screen shows.
    pub fn start(&mut self) -> Vec<Effect> {
        self.begin_with_view();
        self.reload();
        std::mem::take(&mut self.effects)
    }

    /// Begins the tour of the demo.
    pub fn first_tour(&mut self) -> Vec<Effect> {
        self.begin_tour();
        std::mem::take(&mut self.effects)
    }

    /// Asks anew for everything that is on the screen.
    pub fn reload(&mut self) {
        // What fills the screen comes first.
        self.ask_rows();
        self.ask_preview();
        self.ask(Purpose::Whoami, Request::Whoami);
        self.ask(Purpose::Projects, Request::Projects);
        self.ask(Purpose::Drafts, Request::Drafts);
        self.ask(Purpose::Macros { choose: false }, Request::Canned { project: None });
        self.ask_views();
        self.ask(Purpose::Status, Request::Status);
        if let Some(reference) = self.opened.clone().filter(|_| self.screen == Screen::Thread) {
            self.ask_thread(reference);
        }
        self.reload_screen();
    }

    /// Takes an input in and gives back what is to be done outside.
    pub fn update(&mut self, input: Input) -> Vec<Effect> {
        let active = matches!(input, Input::Key(_) | Input::Paste(_) | Input::Mouse(_));
        match input {
            Input::Tick(now) => self.tick(now),
            Input::Key(key) => {
                self.dirty = true;
                if key.kind != KeyEventKind::Release {
                    self.key(key);
                }
            }
            other => {
                self.dirty = true;
                self.other_input(other);
            }
        }
        self.attend(active);
        self.want_image();
        std::mem::take(&mut self.effects)
    }

    fn other_input(&mut self, input: Input) {
        match input {
            Input::Paste(text) => self.paste(&text),
            Input::Resize(width, height) => {
                (self.width, self.height) = (width, height);
                self.reflow();
            }
            Input::Desk(FromDesk::Answer(token, answer)) => self.answered(token, answer),
            Input::Desk(FromDesk::Event(event)) => self.event(event),
            Input::Desk(FromDesk::Lost { reason }) => self.connection_lost(reason),
            Input::Desk(FromDesk::Back) => self.connection_back(),
            Input::Edited(result) => self.edited(result),
            Input::Attached { path, file } => self.attached(&path, file),
            Input::Listed { folder, entries } => self.files_listed(&folder, entries),
            Input::Ran(ran) => self.own_ran(&ran),
            Input::Image { key, order, made } => self.take_image(key, order, made),
            Input::Did(Ok(said)) => self.say(said),
            Input::Did(Err(said)) => self.complain(said),
            Input::Mouse(event) => self.pointed(event),
            Input::Focus(focused) => {
                self.focused = Some(focused);
                self.tell_news();
            }
            Input::Stop => self.quit(),
            Input::Key(_) | Input::Tick(_) => {}
        }
    }

    /// Tells, once, whether the screen has to be drawn.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    fn tick(&mut self, now: Timestamp) {
        let counting = self.counts_seconds();
        let minute = |at: Timestamp| at.as_second().div_euclid(60);
        self.dirty |= minute(now) != minute(self.now);
        self.dirty |= counting && now.as_second() != self.now.as_second();
        let before = std::mem::replace(&mut self.now, now);
        self.tell_of_clocks(before);
        self.dirty |= self.forget_said();
        let over =
            |u: &mut Undoable| u.held_until.map_or(now.as_second() - u.at.as_second() >= 60, |at| at <= now);
        self.dirty |= self.undoable.take_if(over).is_some();
        self.tell_news();
        self.save_due_draft();
    }

    fn counts_seconds(&self) -> bool {
        self.undoable.as_ref().is_some_and(|u| u.held_until.is_some())
            || (self.screen == Screen::Thread
                && self.thread.as_ref().is_some_and(|t| t.counts_seconds(self.now)))
            || (self.screen == Screen::Outbox && self.outbox.counts_seconds(self.now))
    }

    /// Gives after how many milliseconds the next tick is due.
    pub fn wake_in(&self) -> u64 {
        let millis = self.now.as_millisecond();
        let mut due = 60_000 - millis.rem_euclid(60_000);
        if self.counts_seconds() {
            due = due.min(1000 - millis.rem_euclid(1000));
        }
        due = self.said_due().fold(due, i64::min);
        if let Some(since) = self.composer.as_ref().and_then(Composer::unsaved_since) {
            due = due.min(since.as_millisecond() + DRAFT_MILLIS - millis);
        }
        due = self.news_due().into_iter().chain(self.attend_due()).fold(due, i64::min);
        u64::try_from(due.max(1)).unwrap_or(1)
    }

    /// Gives the place that keys are for.
    pub fn place(&self) -> Place {
        if let Some(overlay) = &self.overlay {
            return overlay.place();
        }
        match self.screen {
            Screen::List if self.list.edit.is_some() => Place::Query,
            Screen::List => Place::List,
            Screen::Thread if self.composer.as_ref().is_some_and(|c| c.focused) => Place::Composer,
            Screen::Thread => Place::Thread,
            Screen::Outbox => Place::Outbox,
            Screen::Intake => Place::Intake,
            Screen::Projects => Place::Project,
            Screen::Senders => Place::Senders,
            Screen::Members => Place::Members,
            Screen::Templates => Place::Templates,
            Screen::Categories => Place::Categories,
            Screen::Rules => Place::Rules,
            Screen::Texts => Place::Texts,
            Screen::Reports => Place::Reports,
            Screen::Views => Place::Views,
            Screen::Changes => Place::Changes,
        }
    }

    /// Does an action in the place where its key was pressed.
    pub fn act(&mut self, place: Place, action: Action) {
        match action {
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Redraw => self.redraw(),
            Action::Quit => self.quit(),
            Action::Mouse => self.toggle_mouse(),
            Action::Tour => self.begin_tour(),
            Action::Later => self.say("this comes with a later version"),
            _ => match place {
                Place::Prompt | Place::Picker | Place::Text => self.overlay_act(action),
                Place::Query => self.query_act(action),
                Place::Composer => self.composer_act(action),
                _ => self.screen_act(action),
            },
        }
    }

    fn screen_act(&mut self, action: Action) {
        let mine = match self.screen {
            Screen::List => self.list_act(action),
            Screen::Thread => self.thread_act(action),
            Screen::Outbox => self.outbox_act(action),
            Screen::Intake => self.intake_act(action),
            Screen::Projects => self.project_act(action),
            Screen::Senders => self.senders_act(action),
            Screen::Members => self.members_act(action),
            Screen::Templates => self.templates_act(action),
            Screen::Categories => self.categories_act(action),
            Screen::Rules => self.rules_act(action),
            Screen::Texts => self.texts_act(action),
            Screen::Reports => self.reports_act(action),
            Screen::Views => self.views_act(action),
            Screen::Changes => self.changes_act(action),
        };
        if !mine {
            self.global_act(action);
        }
    }

    fn global_act(&mut self, action: Action) {
        match action {
            Action::Back => self.go_back(),
            Action::View(n) => {
                self.to_list();
                self.show_view(usize::from(n).saturating_sub(1));
            }
            Action::NextBest => self.next_best(),
            Action::Palette => self.open_palette(),
            Action::Help => self.open_help(),
            Action::NewIssue => self.compose_issue(),
            Action::Undo => self.take_back_last(),
            Action::Redo => self.ask(Purpose::Redo, Request::Redo),
            Action::Outbox => self.show_outbox(),
            Action::Intake => self.show_intake(None),
            Action::Projects => self.go_to(Screen::Projects),
            Action::Senders => self.go_to(Screen::Senders),
            Action::Members => self.go_to_part(Screen::Members),
            Action::Templates => self.go_to_part(Screen::Templates),
            Action::Categories => self.go_to_part(Screen::Categories),
            Action::Rules => self.go_to_part(Screen::Rules),
            Action::KeptTexts => self.go_to(Screen::Texts),
            Action::Reports => self.go_to(Screen::Reports),
            Action::Views => self.open_views(),
            Action::Changes => self.go_to(Screen::Changes),
            Action::SaveView => self.ask_view_name(),
            Action::SpamMails => self.show_intake(Some(Fate::Spam)),
            Action::Notifications => self.open_notifications(),
            Action::Query => {
                self.to_list();
                self.open_query();
            }
            Action::Status => self.show_status(),
            Action::SyncNow => {
                self.say("looking into every mailbox");
                self.ask(Purpose::Sync, Request::SyncNow);
            }
            _ => {}
        }
    }

    /// Shows a screen over the one that is there.
    pub fn go_to(&mut self, screen: Screen) {
        if self.screen != screen {
            self.back.retain(|s| *s != screen);
            self.back.push(self.screen);
            self.screen = screen;
        }
        self.reload_screen();
    }

    pub(super) fn reload_screen(&mut self) {
        match self.screen {
            Screen::Outbox => self.ask_outbox(),
            Screen::Intake => self.ask_intake(),
            Screen::Projects => {
                self.ask(Purpose::Projects, Request::Projects);
                self.ask_members();
            }
            Screen::Senders => self.ask_senders(),
            Screen::Members => self.ask_members(),
            Screen::Templates => {
                self.ask_members();
                self.ask_templates();
            }
            Screen::Categories => {
                self.ask_members();
                self.ask_categories();
            }
            Screen::Rules => self.ask_rules(),
            Screen::Texts => self.ask_texts(),
            Screen::Reports => self.ask_report(),
            Screen::Views => self.ask_views(),
            Screen::Changes => self.ask_changes(),
            Screen::List | Screen::Thread => {}
        }
    }

    /// Leaves what is in front; the list is never left.
    pub fn go_back(&mut self) {
        if self.composer.is_some() && self.screen == Screen::Thread {
            return self.leave_composer();
        }
        if let Some(screen) = self.back.pop() {
            self.screen = screen;
            self.reload_screen();
        }
        if self.screen != Screen::Thread {
            self.thread = None;
            self.ask_preview();
        }
        // Later on, nothing moves the cursor away from what somebody looks at.
        if !self.asks.waits_for(|purpose| *purpose == Purpose::Rows) {
            self.list.wanted.clear();
        }
    }

    /// Leaves everything but the list.
    pub fn to_list(&mut self) {
        self.leave_composer();
        self.overlay = None;
        self.thread = None;
        self.screen = Screen::List;
        self.back.clear();
        self.list.wanted.clear();
    }

    /// Tells whether the list is in front.
    pub fn on_list(&self) -> bool {
        self.screen == Screen::List
    }

    /// Leaves the program; what was typed is saved first.
    pub fn quit(&mut self) {
        self.save_draft_now();
        self.effects.push(Effect::Quit);
    }

    /// Asks the desk for something.
    pub fn ask(&mut self, purpose: Purpose, request: Request) {
        if let Some(reason) = &self.lost {
            // Nobody would answer; what is shown is asked for again when the desk is back.
            if purpose.is_verb() {
                self.complain(format!("not done, the desk cannot be reached: {reason}"));
            }
            return;
        }
        let effect = self.asks.ask(purpose, request);
        self.effects.extend(effect);
    }

    /// Wants something done outside.
    pub fn want(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}
