//! Whole screens, from keys to what stands there.

mod canned;
mod clocks;
mod commands;
mod completing;
mod desk;
mod every;
mod firsts;
mod guard;
mod images;
mod kept;
mod life;
mod long;
mod mails;
mod manners;
mod notifications;
mod palette;
mod parts;
mod presence;
mod reports;
mod screens;
mod several;
mod similar;
mod surprises;
mod update;
mod verbs;
mod views;

use super::app::App;
use super::draw::draw;
use super::input::{Effect, FromDesk, Input};
use super::setup::Options;
use crate::domain::{Event, Request};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use desk::FakeDesk;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use std::sync::Arc;

/// A screen of a certain size before a desk that answers at once.
pub struct Screen {
    pub app: App,
    pub desk: FakeDesk,
    /// Every request, oldest first.
    pub asked: Vec<Request>,
    /// Where the screen said that it is.
    pub attended: Vec<crate::domain::Attend>,
    /// Every effect that is not a request.
    pub wanted: Vec<Effect>,
    /// The pixels of a cell, where the terminal tells.
    pub cell: Option<(u16, u16)>,
    /// Whether pictures take long: they stay among the effects.
    pub slow_pictures: bool,
    /// Whether answers are held back.
    pub stalled: bool,
    held: Vec<(super::Token, Request)>,
}

pub fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

impl Screen {
    pub fn new(width: u16, height: u16) -> Self {
        Self::with(width, height, FakeDesk::filled(), Options::default())
    }

    pub fn with(width: u16, height: u16, desk: FakeDesk, options: Options) -> Self {
        let app = App::new(options, width, height, now()).unwrap();
        let (asked, wanted, held) = (Vec::new(), Vec::new(), Vec::new());
        let attended = Vec::new();
        let (cell, slow_pictures, stalled) = (None, false, false);
        let mut screen = Self { app, desk, asked, attended, wanted, cell, slow_pictures, stalled, held };
        let effects = screen.app.start();
        screen.run(effects);
        screen
    }

    /// Notes what was asked; where the screen is is told beside everything else.
    fn note(&mut self, request: &Request) {
        match request {
            Request::Attend(attend) => self.attended.push(attend.clone()),
            other => self.asked.push(other.clone()),
        }
    }

    fn run(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(token, request) => {
                    self.note(&request);
                    self.held.push((token, request));
                }
                other => self.work(other),
            }
        }
        if !self.stalled {
            self.answer();
        }
    }

    /// Lets the desk answer everything that it was asked.
    pub fn answer(&mut self) {
        while !self.held.is_empty() {
            let (token, request) = self.held.remove(0);
            let answer = self.desk.answer(request);
            let effects = self.app.update(Input::Desk(FromDesk::Answer(token, answer)));
            for effect in effects {
                match effect {
                    Effect::Ask(token, request) => {
                        self.note(&request);
                        self.held.push((token, request));
                    }
                    other => self.work(other),
                }
            }
        }
    }

    /// Makes the pictures that are wanted, for a terminal that does not tell how large a cell is; notes the rest.
    fn work(&mut self, effect: Effect) {
        match effect {
            Effect::MakeImage { key, bytes, order } if !self.slow_pictures => {
                let made = super::images::make(&bytes, order, self.cell).map(Arc::new);
                self.input(Input::Image { key, order: order.id, made });
            }
            other => self.wanted.push(other),
        }
    }

    pub fn input(&mut self, input: Input) -> &mut Self {
        let effects = self.app.update(input);
        self.run(effects);
        self
    }

    /// Presses keys: letters as they are, others as `<enter>`, `<ctrl-s>`.
    pub fn keys(&mut self, text: &str) -> &mut Self {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let (name, used) = match (c, rest.find('>')) {
                ('<', Some(end)) if end > 1 => (rest[1..end].to_owned(), end + 1),
                _ => (c.to_string(), c.len_utf8()),
            };
            rest = &rest[used..];
            self.input(Input::Key(key(&name)));
        }
        self
    }

    pub fn wait(&mut self, millis: i64) -> &mut Self {
        let at = self.app.now + SignedDuration::from_millis(millis);
        self.desk.now = at;
        self.input(Input::Tick(at))
    }

    pub fn event(&mut self, event: Event) -> &mut Self {
        self.input(Input::Desk(FromDesk::Event(event)))
    }

    pub fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.input(Input::Resize(width, height))
    }

    pub fn buffer(&self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.app.width, self.app.height)).unwrap();
        terminal.draw(|frame| draw(&self.app, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// Gives where the cursor stands.
    pub fn cursor(&self) -> (u16, u16) {
        let mut terminal = Terminal::new(TestBackend::new(self.app.width, self.app.height)).unwrap();
        terminal.draw(|frame| draw(&self.app, frame)).unwrap();
        let at = terminal.get_cursor_position().unwrap();
        (at.x, at.y)
    }

    /// Gives what stands on the screen, without blanks at the ends of lines.
    pub fn text(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.app.width, self.app.height)).unwrap();
        terminal.draw(|frame| draw(&self.app, frame)).unwrap();
        let shown = terminal.backend().to_string();
        let bare =
            |l: &'_ str| l.split("\" Hidden by").next().unwrap_or(l).trim_matches('"').trim_end().to_owned();
        let lines = shown.lines().map(bare);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Gives the style of the first cell of `words`.
    pub fn style_of(&self, words: &str) -> Style {
        let text = self.text();
        let (row, line) = text.lines().enumerate().find(|(_, l)| l.contains(words)).expect(words);
        let column = unicode_width::UnicodeWidthStr::width(&line[..line.find(words).unwrap()]);
        self.buffer()[(u16::try_from(column).unwrap(), u16::try_from(row).unwrap())].style()
    }

    /// Forgets what was asked so far.
    pub fn forget(&mut self) -> &mut Self {
        self.asked.clear();
        self
    }
}

fn key(name: &str) -> KeyEvent {
    let (modifiers, rest) = match name.split_once('-') {
        Some(("ctrl", rest)) => (KeyModifiers::CONTROL, rest),
        Some(("alt", rest)) => (KeyModifiers::ALT, rest),
        _ => (KeyModifiers::NONE, name),
    };
    let code = match rest {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "space" => KeyCode::Char(' '),
        "down" => KeyCode::Down,
        "up" => KeyCode::Up,
        "backspace" => KeyCode::Backspace,
        "pagedown" => KeyCode::PageDown,
        "pageup" => KeyCode::PageUp,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "f1" => KeyCode::F(1),
        one => KeyCode::Char(one.chars().next().unwrap()),
    };
    KeyEvent::new(code, modifiers)
}
