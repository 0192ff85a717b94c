//! Commands of one's own: a shell line on a key, with the issue in front on its standard input.
//!
//! What a mail says never reaches the command line: the issue goes in as JSON, and the environment holds only
//! what the desk itself made up.

use super::app::App;
use super::asks::Purpose;
use super::input::Effect;
use super::keymap::Place;
use super::markup;
use super::overlay::Overlay;
use super::picker::{Choice, Item, Picker};
use super::setup::{OwnCommand, RunMode};
use crate::domain::{IssueView, Request, State};
use ratatui::style::Style;
use ratatui::text::Line;
use std::time::Duration;

/// A command with everything that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub name: String,
    /// A line for the shell.
    pub line: String,
    pub stdin: Vec<u8>,
    pub env: Vec<(&'static str, String)>,
    pub timeout: Duration,
    /// Whether its output is shown.
    pub shown: bool,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    /// With these words of the system.
    Failed(String),
    TimedOut,
    Stopped,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub name: String,
    pub shown: bool,
    pub output: Vec<u8>,
    pub end: End,
}

impl App {
    fn own_command(&self, number: u8) -> Option<&OwnCommand> {
        self.options.commands.get(usize::from(number).checked_sub(1)?)
    }

    /// Gives the name of the command behind a number.
    pub fn own_name(&self, number: u8) -> &str {
        self.own_command(number).map_or("command", |command| command.name.as_str())
    }

    /// Gives the commands as lines of the palette.
    pub fn own_commands(&self, place: Place) -> Vec<Item> {
        let here = matches!(place, Place::List | Place::Thread);
        let all = self.options.commands.iter().zip(1..=u8::MAX).filter(|_| here);
        let item = |(command, number): (&OwnCommand, u8)| Item {
            name: command.name.clone(),
            detail: format!("your own command: {}", command.run),
            keys: self.keymap.keys_of(place, super::action::Action::Own(number)).join(" "),
            choice: Choice::Act(super::action::Action::Own(number)),
        };
        all.map(item).collect()
    }

    /// Runs a command on the issue in front; one that is to be agreed to asks first.
    pub fn run_own(&mut self, number: u8) {
        let Some(command) = self.own_command(number) else { return self.say("there is no such command") };
        if command.mode != RunMode::Confirm {
            return self.start_own(number);
        }
        let run = Item::new(&format!("run {}", command.name), &command.run, Choice::RunOwn(number));
        let no = Item::new("do not run it", "", Choice::Nothing);
        let title = format!("Run {}?", command.name);
        self.open_picker(Picker::new(&title, vec![no, run]));
    }

    /// Fetches the issue in front for a command, which then runs.
    pub fn start_own(&mut self, number: u8) {
        match self.target() {
            Some(reference) => self.ask(Purpose::OwnCommand(number), Request::Issue(reference)),
            None => self.give_own(number, None),
        }
    }

    /// Runs a command with this issue.
    pub fn give_own(&mut self, number: u8, view: Option<&IssueView>) {
        let Some(command) = self.own_command(number) else { return };
        let shown = command.mode != RunMode::Background;
        let run = Run {
            name: command.name.clone(),
            line: command.run.clone(),
            stdin: view.map_or_else(|| b"null\n".to_vec(), issue_json),
            env: self.environment(view),
            timeout: command.timeout,
            shown,
        };
        match shown {
            true => self.show_running(&run.name),
            false => self.say(format!("{} runs", run.name)),
        }
        self.want(Effect::Run(Box::new(run)));
    }

    fn environment(&self, view: Option<&IssueView>) -> Vec<(&'static str, String)> {
        let mut env =
            Vec::from([("DESKBELL_USER", self.me.as_ref().map_or_else(String::new, |me| me.name.clone()))]);
        if let Some(row) = view.map(|view| &view.row) {
            let state = if row.state == State::Open { "open" } else { "closed" };
            env.extend([
                ("DESKBELL_REF", row.reference.clone()),
                ("DESKBELL_PROJECT", row.project.clone()),
                ("DESKBELL_IID", row.iid.to_string()),
                ("DESKBELL_STATE", state.to_owned()),
            ]);
        }
        env
    }

    fn show_running(&mut self, name: &str) {
        self.open_reader(name, vec![Line::styled("runs; Esc ends it", self.theme.dim)]);
        if let Some(Overlay::Reader(reader)) = &mut self.overlay {
            reader.running = true;
        }
    }

    /// Shows what a command said; one in the background only says how it ended.
    pub fn own_ran(&mut self, ran: &Ran) {
        let ended = match &ran.end {
            End::Done => "done".to_owned(),
            End::Failed(words) => words.clone(),
            End::TimedOut => "ended, it took too long".to_owned(),
            End::Stopped => "ended".to_owned(),
        };
        let waits = matches!(&self.overlay, Some(Overlay::Reader(reader)) if reader.running);
        if !ran.shown || !waits {
            let said = format!("{}: {ended}", ran.name);
            return if ran.end == End::Done { self.say(said) } else { self.complain(said) };
        }
        let text = String::from_utf8_lossy(&ran.output);
        let mut lines = markup::plain(text.trim_end(), self.reader_width(), Style::new());
        if ran.end != End::Done || text.trim().is_empty() {
            lines.push(Line::styled(ended, self.theme.dim));
        }
        self.open_reader(&ran.name, lines);
        // Whatever it wrote past its output, the screen stands again.
        self.want(Effect::Redraw);
    }
}

/// Gives an issue as `issue show --json` does.
fn issue_json(view: &IssueView) -> Vec<u8> {
    let mut value = serde_json::to_value(view).unwrap_or_default();
    if let Some(object) = value.as_object_mut()
        && let Some(serde_json::Value::Object(mut row)) = object.remove("row")
    {
        // The notes themselves take the place of their number.
        row.append(object);
        *object = row;
    }
    let mut json = serde_json::to_vec(&value).unwrap_or_default();
    json.push(b'\n');
    json
}
