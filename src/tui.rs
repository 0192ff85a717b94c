//! The terminal front end: one [`App`] that takes inputs and gives effects, and a drawing of it.
//!
//! Owns ratatui, ratatui-image, image, crossterm, tui-textarea and unicode-width, the keymap and the themes.
//! Knows the nouns and the contract of [`crate::domain`] and nothing below: requests leave through a [`Link`],
//! answers and events come back through it. Nothing here waits for the desk; an answer is an input like a key.
//!
//! - `app`, `answers`, `list`, `thread`, `composer`, `drafts`, `guard`, `files`, `quoting`, `send`, `verbs`,
//!   `query`, `overlay`,
//!   `picker`, `palette`, `commands`, `readers`, `outbox`, `intake`, `projects`, `views`, `complete`, `several`,
//!   `macros`, `changes`: state and update, pure.
//! - `images`: pictures in the thread: which, how, and made of bytes.
//! - `draw`: the frame from the state, pure. `layout` serves both.
//! - `keymap`, `keys`, `action`, `theme`, `setup`: tables and options. `clean`: the sanitiser every text passes.
//! - `terminal`, `frames`, `outside`, `shell`: what touches the world.

mod action;
mod answers;
mod app;
mod asks;
mod canned;
mod card;
mod categories;
mod changes;
mod clean;
mod clock;
mod commands;
mod complete;
mod completing;
mod composer;
mod drafts;
mod draw;
mod edit;
mod files;
mod frames;
mod fuzzy;
mod guard;
mod hand_over;
mod hyperlinks;
mod images;
mod input;
mod intake;
mod keymap;
mod keys;
mod layout;
mod life;
mod list;
mod macros;
mod markup;
mod members;
mod merging;
mod news;
mod notifications;
mod outbox;
mod outside;
mod overlay;
mod palette;
mod picker;
pub mod picture;
mod pointer;
mod presence;
mod projects;
mod promises;
mod query;
mod quoting;
mod readers;
mod renewing;
mod reports;
mod rules;
mod said;
mod send;
mod senders;
mod sequences;
mod setup;
mod several;
mod shell;
mod similar;
mod templates;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod thread;
mod tour;
mod verbs;
mod views;
mod when;

pub use app::App;
pub use draw::draw;
pub use images::Surroundings;
pub use input::{Effect, FromDesk, Input, Link, Token};
pub use keymap::places;
pub use news::Notify;
pub use setup::{Options, OwnCommand, RunMode, SetupError, UserKey};
pub use terminal::terminal_width;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use futures_util::future::poll_immediate;
use jiff::Timestamp;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use terminal::Screen;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

/// Why the screen could not be shown, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
    #[error("the desk has gone away")]
    DeskGone,
}

/// How the screen was left.
#[derive(Debug, Default)]
pub struct Left {
    /// The file with a text that the desk could not take any more.
    pub rescued: Option<PathBuf>,
}

/// How long leaving waits for changes that are under way, the last draft above all.
const SETTLE: Duration = Duration::from_secs(2);

/// Shows the desk until the person leaves or a signal ends it.
///
/// To be awaited by `block_on` on the main thread: a panic there gives the terminal back before it is
/// told, a panic elsewhere is only logged and leaves the screen alone.
pub async fn run(link: Link, options: Options) -> Result<Left, TuiError> {
    let (width, height) = crossterm::terminal::size()?;
    let uses = outside::kept_uses(&options);
    let mut app = App::new(options, width, height, Timestamp::now())?;
    app.palette.uses = uses;
    let screen = Screen::enter(app.options.mouse, app.options.links)?;
    let (did, outside) = mpsc::unbounded_channel();
    let mut session = Session {
        app,
        link,
        screen,
        keys: Some(EventStream::new()),
        outside,
        did,
        stop_run: None,
        end: [signal(SignalKind::terminate())?, signal(SignalKind::hangup())?],
    };
    tokio::spawn(end_without_terminal(signal(SignalKind::hangup())?));
    let mut effects = session.app.start();
    if session.app.options.demo {
        effects.extend(session.app.first_tour());
    }
    session.perform(effects).await?;
    let ended = session.serve().await;
    session.settle().await;
    let rescued = session.rescue().await?;
    // A terminal that is gone has no pictures either.
    let _ = session.screen.let_go(&session.app.images);
    ended.map(|()| Left { rescued })
}

/// Ends the process some time after its terminal is gone, if it has not ended by itself.
///
/// crossterm reads a terminal that is gone in a circle that never ends, and the screen's own thread is
/// caught in it. What was typed is in its draft, which is saved every half a second.
async fn end_without_terminal(mut hangup: Signal) {
    hangup.recv().await;
    tokio::time::sleep(SETTLE * 2).await;
    tracing::warn!("the terminal is gone");
    std::process::exit(129);
}

struct Session {
    app: App,
    link: Link,
    screen: Screen,
    /// None while another program has the terminal. A stream reads with a lock held, which a new one waits for, so
    /// the one before goes first.
    keys: Option<EventStream>,
    /// What work outside, such as reading a file, has come to.
    outside: mpsc::UnboundedReceiver<Input>,
    did: mpsc::UnboundedSender<Input>,
    /// Ends the command whose output is waited for.
    stop_run: Option<oneshot::Sender<()>>,
    end: [Signal; 2],
}

/// Whether the screen stays.
enum Next {
    On,
    Leave,
}

impl Session {
    async fn serve(&mut self) -> Result<(), TuiError> {
        loop {
            if self.app.take_dirty() {
                self.screen.draw(|frame| draw(&self.app, frame))?;
            }
            let Some(first) = self.next().await? else { continue };
            if let Next::Leave = self.feed(first).await? {
                return Ok(());
            }
            while let Some(more) = self.ready().await? {
                if let Next::Leave = self.feed(more).await? {
                    return Ok(());
                }
            }
        }
    }

    /// Waits for whatever happens next; `None` for nothing of interest.
    async fn next(&mut self) -> Result<Option<Input>, TuiError> {
        let wake = Duration::from_millis(self.app.wake_in());
        let [terminate, hangup] = &mut self.end;
        tokio::select! {
            biased;
            _ = terminate.recv() => Ok(Some(Input::Stop)),
            _ = hangup.recv() => Ok(Some(Input::Stop)),
            key = next_key(&mut self.keys) => match key {
                Some(event) => Ok(from_terminal(event?)),
                None => Ok(Some(Input::Stop)),
            },
            Some(input) = self.outside.recv() => Ok(Some(input)),
            said = self.link.inputs.recv() => match said {
                Some(said) => Ok(Some(Input::Desk(said))),
                None => Err(TuiError::DeskGone),
            },
            () = tokio::time::sleep(wake) => Ok(Some(Input::Tick(Timestamp::now()))),
        }
    }

    /// Gives what is there already, without waiting, so that much news is drawn once.
    async fn ready(&mut self) -> Result<Option<Input>, TuiError> {
        // Polled with the real waker: the stream remembers the first one it was polled with.
        if let Some(key) = poll_immediate(next_key(&mut self.keys)).await {
            return match key {
                Some(event) => Ok(from_terminal(event?)),
                None => Ok(Some(Input::Stop)),
            };
        }
        if let Ok(input) = self.outside.try_recv() {
            return Ok(Some(input));
        }
        Ok(self.link.inputs.try_recv().ok().map(Input::Desk))
    }

    /// Waits, a moment at most, until the desk has answered every change.
    async fn settle(&mut self) {
        let answers = async {
            while self.app.asks.changing() {
                let Some(said) = self.link.inputs.recv().await else { return };
                for effect in self.app.update(Input::Desk(said)) {
                    if let Effect::Ask(token, request) = effect {
                        let _ = self.link.requests.send((token, request));
                    }
                }
            }
        };
        // What is not answered by then is rescued or stands in the desk already.
        let _ = tokio::time::timeout(SETTLE, answers).await;
    }

    async fn rescue(&mut self) -> Result<Option<PathBuf>, TuiError> {
        let Some((text, name)) = self.app.unsaved_text() else { return Ok(None) };
        Ok(Some(outside::rescue(&self.app.options, &text, &name).await?))
    }

    async fn feed(&mut self, input: Input) -> Result<Next, TuiError> {
        let mut effects = self.app.update(Input::Tick(Timestamp::now()));
        effects.extend(self.app.update(input));
        self.perform(effects).await
    }

    async fn perform(&mut self, effects: Vec<Effect>) -> Result<Next, TuiError> {
        for effect in effects {
            match effect {
                Effect::Ask(token, request) => {
                    self.link.requests.send((token, request)).map_err(|_| TuiError::DeskGone)?;
                }
                Effect::Quit => return Ok(Next::Leave),
                Effect::Copy(text) => self.screen.copy(&text)?,
                Effect::Bell => self.screen.bell()?,
                Effect::Notice(words) => self.screen.notice(&words)?,
                Effect::Mouse(on) => self.screen.mouse(on)?,
                Effect::Redraw => self.screen.clear()?,
                Effect::Suspend => {
                    self.keys = None;
                    self.screen.leave()?;
                    terminal::stop_this_process();
                    let effects = self.come_back()?;
                    Box::pin(self.perform(effects)).await?;
                }
                Effect::Editor { text, name } => {
                    // The stream would take keys that are meant for the editor.
                    self.keys = None;
                    self.screen.leave()?;
                    let result = outside::edit(&self.app.options, &text, &name).await;
                    let mut effects = self.come_back()?;
                    effects.extend(self.app.update(Input::Edited(result)));
                    Box::pin(self.perform(effects)).await?;
                }
                Effect::Run(work) => self.run_command(*work),
                Effect::StopRun => drop(self.stop_run.take().map(|stop| stop.send(()))),
                work => outside::start(work, &self.app.options, self.did.clone()),
            }
        }
        Ok(Next::On)
    }

    fn run_command(&mut self, work: commands::Run) {
        let (stop, stopped) = oneshot::channel();
        let did = self.did.clone();
        if work.shown {
            self.stop_run = Some(stop);
            tokio::spawn(async move { did.send(Input::Ran(shell::run(work, stopped).await)) });
        } else {
            tokio::spawn(async move {
                let _kept = stop;
                did.send(Input::Ran(shell::run(work, stopped).await))
            });
        }
    }

    fn come_back(&mut self) -> Result<Vec<Effect>, TuiError> {
        let keys = EventStream::new();
        // What woke the stream before may wait there still; crossterm lets keys that come beside it lie.
        let _ = crossterm::event::poll(Duration::ZERO);
        self.screen.come_back()?;
        self.keys = Some(keys);
        let (width, height) = crossterm::terminal::size()?;
        Ok(self.app.update(Input::Resize(width, height)))
    }
}

/// Waits for the terminal; without a stream, for ever.
async fn next_key(keys: &mut Option<EventStream>) -> Option<io::Result<Event>> {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}

fn from_terminal(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) => Some(Input::Key(key)),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(width, height) => Some(Input::Resize(width, height)),
        Event::FocusGained => Some(Input::Focus(true)),
        Event::FocusLost => Some(Input::Focus(false)),
        Event::Mouse(event) => Some(Input::Mouse(event)),
    }
}
