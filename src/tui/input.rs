//! What comes into the screen and what it asks for: plain data on both sides.

use super::commands::{Ran, Run};
use super::files::Entry;
use super::images::{Key, Made, Not, Order};
use crate::domain::{Event, Fault, Request, Response, Upload};
use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Names one request, so that its answer finds home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What the desk sends: answers, events, and whether it can be reached.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "each is moved once or twice, never kept")]
pub enum FromDesk {
    Answer(Token, Result<Response, Fault>),
    Event(Event),
    /// The connection is gone. What was looked for gets no answer; a change without one is asked again,
    /// as the same change, when the connection is back.
    Lost {
        reason: String,
    },
    /// The connection is there again.
    Back,
}

/// The two ends of the line to the desk.
#[derive(Debug)]
pub struct Link {
    pub requests: mpsc::UnboundedSender<(Token, Request)>,
    pub inputs: mpsc::UnboundedReceiver<FromDesk>,
}

/// Everything that can happen to the screen.
// There is one at a time.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Input {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    /// The terminal came to the front, or went behind.
    Focus(bool),
    /// Columns and rows.
    Resize(u16, u16),
    /// The time is now.
    Tick(Timestamp),
    Desk(FromDesk),
    /// `$EDITOR` was left with this text, or could not be run.
    Edited(Result<String, String>),
    /// A file was read to be attached, or could not be.
    Attached {
        path: String,
        file: Result<Upload, String>,
    },
    /// A folder was looked into for files to attach.
    Listed {
        folder: PathBuf,
        entries: Result<Vec<Entry>, String>,
    },
    /// A file was written or opened: what to say about it.
    Did(Result<String, String>),
    /// A picture was made for the order of this number, or could not be.
    Image {
        key: Key,
        order: u32,
        made: Result<Arc<Made>, Not>,
    },
    /// A command of one's own ended.
    Ran(Ran),
    /// The program was asked to end.
    Stop,
}

/// What the screen wants done outside of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Ask(Token, Request),
    /// Lets the person write in `$EDITOR`.
    Editor {
        text: String,
        name: String,
    },
    /// Reads a file to be attached.
    Attach {
        path: String,
    },
    /// Looks into a folder for files to attach.
    ListFiles {
        folder: PathBuf,
    },
    /// Writes bytes into a new file; never over another one.
    Save {
        path: PathBuf,
        bytes: Vec<u8>,
    },
    /// Shows bytes in the program that the system has for them.
    Open {
        name: String,
        bytes: Vec<u8>,
    },
    /// Makes a picture that can be drawn.
    MakeImage {
        key: Key,
        bytes: Vec<u8>,
        order: Order,
    },
    /// Opens a link in the browser.
    Browse(String),
    /// Puts text into the clipboard of the terminal.
    Copy(String),
    /// Runs a command of one's own.
    Run(Box<Run>),
    /// Ends the command whose output is waited for.
    StopRun,
    /// Keeps how often each command was taken from the palette.
    KeepUses(BTreeMap<String, u32>),
    Bell,
    /// Tells news by the terminal's own notification; the words hold no control characters.
    Notice(String),
    /// Tells news by a command of the person's own.
    Tell {
        command: String,
        words: String,
        issues: u64,
    },
    /// Takes the mouse, or gives it back.
    Mouse(bool),
    Suspend,
    /// Draws everything anew.
    Redraw,
    Quit,
}
