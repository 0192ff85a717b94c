//! What stands over a screen for a moment: a question, a choice, a text to read.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::edit::Edit;
use super::keymap::Place;
use super::picker::Picker;
use super::send::Manner;
use crate::domain::moment::moment;
use crate::domain::{
    CategoryKind, ChangeView, Edit as Change, EmailAddress, IntakeId, KeptFor, NoteId, OutboxId, Reference,
    Request, SenderRule, ViewId,
};
use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::text::Line;
use std::path::PathBuf;

/// What is over the screen.
#[derive(Debug)]
pub enum Overlay {
    Prompt(Prompt),
    Picker(Picker),
    Reader(Reader),
    /// A stop of the tour, from 1.
    Tour(usize),
}

impl Overlay {
    /// Gives the place that keys are for.
    pub fn place(&self) -> Place {
        match self {
            Self::Prompt(_) => Place::Prompt,
            Self::Picker(_) => Place::Picker,
            Self::Reader(_) | Self::Tour(_) => Place::Text,
        }
    }
}

/// What a typed line answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Snooze(Vec<Reference>),
    SendLater,
    SendSnooze,
    SaveFile {
        reference: Reference,
        note: NoteId,
        name: String,
    },
    AttachMail(IntakeId),
    MakeIssue(IntakeId),
    Setting {
        project: String,
        key: String,
    },
    NewProject,
    Own(String),
    Sender(SenderRule),
    /// A new label or milestone, or another name for this one.
    Category {
        kind: CategoryKind,
        name: Option<String>,
    },
    Title,
    /// What a quick action takes, and the one that stands for nothing typed.
    Field {
        set: &'static str,
        clear: Option<&'static str>,
    },
    ReportQuery,
    MergeInto(Vec<Reference>),
    Split {
        reference: Reference,
        note: NoteId,
    },
    Forward {
        reference: Reference,
        note: NoteId,
    },
    HandOver {
        references: Vec<Reference>,
        user: String,
    },
    /// A new note on a person, or another text of this one.
    AboutNote {
        email: EmailAddress,
        note: Option<u64>,
    },
    CancelMails(Vec<OutboxId>),
    /// The name under which the query of the list, or a new one, is kept.
    NewView {
        name: Option<String>,
        query: Option<String>,
    },
    ViewSetting(ViewId, &'static str),
    /// The name of a canned reply that is to be written.
    NewText,
    TextSetting(KeptFor, String, &'static str),
    /// Which changes of an issue are to be shown.
    HistoryFilter {
        reference: Reference,
        changes: Vec<ChangeView>,
    },
}

/// A question that is answered with a line.
#[derive(Debug)]
pub struct Prompt {
    pub ask: Ask,
    pub title: String,
    pub edit: Edit,
    /// What may be typed.
    pub hint: String,
}

impl Prompt {
    /// Asks, with an answer to begin from.
    pub fn new(ask: Ask, title: &str, value: &str, hint: &str) -> Self {
        Self { ask, title: title.to_owned(), edit: Edit::line(value), hint: hint.to_owned() }
    }
}

/// A text to read.
#[derive(Debug)]
pub struct Reader {
    pub title: String,
    pub lines: Vec<Line<'static>>,
    pub top: usize,
    /// Whether it waits for a command that runs.
    pub running: bool,
    /// The whole text, for copying.
    pub text: String,
    /// Further texts to turn to, and which of them stands there.
    pub pages: Vec<Page>,
    pub page: usize,
    /// The changes of an issue, where they are what is read.
    pub history: Option<(Reference, Vec<ChangeView>)>,
    /// An answer that can be taken into a reply.
    pub answer: Option<String>,
    /// What asks for the text once more, where the desk has it.
    pub asked: Option<Box<(Purpose, Request)>>,
}

/// One of several texts to read.
#[derive(Debug)]
pub struct Page {
    pub title: String,
    pub lines: Vec<Line<'static>>,
}

impl App {
    /// Asks a question.
    pub fn open_prompt(&mut self, prompt: Prompt) {
        self.overlay = Some(Overlay::Prompt(prompt));
    }

    /// Offers a choice.
    pub fn open_picker(&mut self, picker: Picker) {
        self.overlay = Some(Overlay::Picker(picker));
    }

    /// Shows a text.
    pub fn open_reader(&mut self, title: &str, lines: Vec<Line<'static>>) {
        let text = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let (title, pages) = (title.to_owned(), Vec::new());
        let reader = Reader {
            title,
            lines,
            top: 0,
            running: false,
            text,
            pages,
            page: 0,
            history: None,
            answer: None,
            asked: None,
        };
        self.overlay = Some(Overlay::Reader(reader));
    }

    /// Shows several texts, one after the other.
    pub fn open_pages(&mut self, pages: Vec<Page>) {
        self.open_reader("", Vec::new());
        if let Some(Overlay::Reader(reader)) = &mut self.overlay {
            reader.pages = pages;
        }
        self.turn_to(0);
    }

    fn turn_to(&mut self, page: usize) {
        let Some(Overlay::Reader(reader)) = &mut self.overlay else { return };
        let count = reader.pages.len();
        let Some(shown) = reader.pages.get(page) else { return };
        reader.title = match count {
            1 => shown.title.clone(),
            _ => format!("{} of {count}  ] next  [ before  {}", page + 1, shown.title),
        };
        reader.text = shown.lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        reader.lines.clone_from(&shown.lines);
        (reader.page, reader.top) = (page, 0);
    }

    /// Does an action in what is over the screen.
    pub fn overlay_act(&mut self, action: Action) {
        match (action, &mut self.overlay) {
            (Action::Back, over) => {
                let runs = matches!(over, Some(Overlay::Reader(reader)) if reader.running);
                let tour = matches!(over, Some(Overlay::Tour(_)));
                self.overlay = None;
                if tour {
                    self.to_list();
                }
                if runs {
                    self.want(super::input::Effect::StopRun);
                }
            }
            (Action::Open, Some(Overlay::Tour(stop))) => {
                let stop = *stop;
                self.tour_on(stop);
            }
            (Action::Accept, Some(Overlay::Prompt(_))) => self.answer_prompt(),
            (Action::Accept, Some(Overlay::Picker(_))) => self.answer_picker(),
            (Action::Down, Some(Overlay::Picker(picker))) => picker.step(true),
            (Action::Up, Some(Overlay::Picker(picker))) => picker.step(false),
            (Action::Complete, Some(Overlay::Picker(picker))) => {
                let name = picker.found.get(picker.selected).and_then(|i| picker.items.get(*i));
                if let Some(name) = name.map(|item| item.name.clone()) {
                    picker.edit.replace(&name);
                    picker.narrow();
                }
            }
            (_, Some(Overlay::Reader(_))) => self.read_on(action),
            _ => {}
        }
    }

    fn read_on(&mut self, action: Action) {
        let page = usize::from(self.height).saturating_sub(5).max(1);
        let Some(Overlay::Reader(reader)) = &mut self.overlay else { return };
        let last = reader.lines.len().saturating_sub(page);
        let shown = reader.page;
        match action {
            Action::NextIssue => return self.turn_to(shown + 1),
            Action::PrevIssue => return self.turn_to(shown.saturating_sub(1)),
            Action::Filter => return self.ask_history_filter(),
            Action::Reply | Action::Quote => return self.take_answer(action == Action::Quote),
            _ => {}
        }
        let by = |n: usize| Some(n);
        let (down, up) = match action {
            Action::Down | Action::Open => (by(1), None),
            Action::Up => (None, by(1)),
            Action::HalfDown => (by(page / 2), None),
            Action::HalfUp => (None, by(page / 2)),
            Action::PageDown => (by(page), None),
            Action::PageUp => (None, by(page)),
            Action::Bottom => (by(last), None),
            Action::Top => (None, by(last)),
            Action::Copy => {
                let text = reader.text.clone();
                self.say("sent to the terminal's clipboard");
                return self.want(super::input::Effect::Copy(text));
            }
            _ => (None, None),
        };
        reader.top = (reader.top + down.unwrap_or(0)).saturating_sub(up.unwrap_or(0)).min(last);
    }

    /// Gives a key to the line that is being typed.
    pub fn overlay_key(&mut self, key: KeyEvent) {
        match &mut self.overlay {
            Some(Overlay::Prompt(prompt)) => {
                prompt.edit.key(key);
            }
            Some(Overlay::Picker(picker)) => {
                picker.key(key);
                if picker.select_by_key() {
                    self.answer_picker();
                }
            }
            _ => {}
        }
        self.palette_typed();
    }

    /// Puts pasted text into the line that is being typed.
    pub fn overlay_paste(&mut self, text: &str) {
        match &mut self.overlay {
            Some(Overlay::Prompt(prompt)) => prompt.edit.insert(text),
            Some(Overlay::Picker(picker)) => {
                picker.edit.insert(text);
                picker.narrow();
            }
            _ => {}
        }
        self.palette_typed();
    }

    fn answer_prompt(&mut self) {
        let Some(Overlay::Prompt(prompt)) = self.overlay.take() else { return };
        let text = prompt.edit.value().trim().to_owned();
        let notice = self.notice.take();
        self.take_answer_to(prompt.ask.clone(), text);
        match &self.notice {
            // What was wrong is said in the status line, and what was typed stays.
            Some(said) if said.bad => self.ask_again(prompt),
            Some(_) => self.answered = Some(prompt),
            None => (self.notice, self.answered) = (notice, Some(prompt)),
        }
    }

    /// Asks once more, with what was typed, unless something else is over the screen now.
    pub fn ask_again(&mut self, prompt: Prompt) {
        if self.overlay.is_none() {
            self.overlay = Some(Overlay::Prompt(prompt));
        }
    }

    fn take_answer_to(&mut self, ask: Ask, text: String) {
        match ask {
            Ask::Snooze(references) => self.snooze(references, &text),
            Ask::SendLater => self.send_later(&text),
            Ask::SendSnooze => self.send_and_snooze(&text),
            Ask::SaveFile { reference, note, name } => {
                self.fetch_file(reference, note, name, Some(PathBuf::from(text)));
            }
            Ask::AttachMail(id) => self.attach_mail(id, &text),
            Ask::MakeIssue(id) => self.make_issue(id, text),
            Ask::Setting { project, key } => self.set_project(project, key, text),
            Ask::ReportQuery => self.query_reports(text),
            Ask::Title if text.is_empty() => self.complain("a title cannot be empty"),
            Ask::Field { set, clear } => self.set_typed(set, clear, &text),
            Ask::Title => self.change(vec![Change::Title(text)], false),
            Ask::Split { reference, note } => self.split(reference, note, text),
            Ask::Forward { reference, note } => self.forward(reference, note, &text),
            Ask::MergeInto(references) => self.merge_into(references, &text),
            Ask::NewProject => self.add_project(text),
            Ask::Own(key) => self.set_own(key, text),
            Ask::Sender(rule) => self.add_sender(rule, text),
            Ask::Category { kind, name } => self.write_category(kind, name, text),
            Ask::NewView { name, query } => self.add_view(name, query, text),
            Ask::ViewSetting(view, key) => self.set_view(view, key, text),
            Ask::NewText => self.begin_text(text),
            Ask::TextSetting(scope, name, key) => self.set_text(scope, name, key, text),
            Ask::HistoryFilter { reference, changes } => self.filter_history(&reference, changes, &text),
            Ask::HandOver { references, user } => self.hand_over(references, user, &text),
            Ask::AboutNote { email, note } => self.write_about(email, note, text),
            Ask::CancelMails(ids) => self.cancel_mails(ids, &text),
        }
    }

    /// Gives the moment to come that was typed; says so where it is none.
    fn moment_to_come(&mut self, text: &str) -> Option<Timestamp> {
        let at = moment(text, self.now, &self.options.time_zone).filter(|at| *at > self.now);
        if at.is_none() {
            self.complain(format!("`{text}` is no moment to come · 2h, tomorrow, monday"));
        }
        at
    }

    fn send_and_snooze(&mut self, text: &str) {
        if let Some(until) = self.moment_to_come(text) {
            self.send(Manner { snooze: Some(until), ..Manner::default() });
        }
    }

    fn send_later(&mut self, text: &str) {
        let Some(at) = self.moment_to_come(text) else { return };
        let hold_ms = u64::try_from(at.as_millisecond() - self.now.as_millisecond()).ok();
        self.send(Manner { hold_ms, ..Manner::default() });
    }
}
