//! The terminal itself: taken over, given back, and given back also when something goes wrong.

use super::frames::Frames;
use super::hyperlinks::{Hyperlink, hyperlinks};
use super::images::Images;
use super::sequences::{self, NoticeKind};
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture, KeyboardEnhancementFlags, PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, cursor, execute, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};
use std::io::{self, Write, stdout};

/// Gives how many columns the terminal has, where there is one.
pub fn terminal_width() -> Option<usize> {
    let (columns, _) = crossterm::terminal::size().ok()?;
    (columns > 0).then_some(usize::from(columns))
}

/// More than this does not fit through the clipboard of most terminals, in octets.
const COPY_MAX: usize = 74_000;

/// The screen while it is ours. Dropping it gives the terminal back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Frames>>,
    ours: bool,
    mouse: bool,
    /// The links that were sent last; `None` where none are wanted.
    links: Option<Vec<Hyperlink>>,
}

impl Screen {
    /// Takes the terminal over.
    pub fn enter(mouse: bool, links: bool) -> io::Result<Self> {
        give_back_after_panic();
        let terminal = Terminal::new(CrosstermBackend::new(Frames::to_terminal()?))?;
        let mut screen = Self { terminal, ours: false, mouse, links: links.then(Vec::new) };
        screen.come_back()?;
        Ok(screen)
    }

    /// Takes the terminal over again and draws everything anew.
    pub fn come_back(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        self.ours = true;
        execute!(
            stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange,
            // Terminals that do not know this ignore it; those that do can tell Ctrl-Enter.
            PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES),
            cursor::Hide
        )?;
        self.mouse(self.mouse)?;
        self.clear()
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if on { execute!(stdout(), EnableMouseCapture) } else { execute!(stdout(), DisableMouseCapture) }
    }

    /// Gives the terminal back.
    pub fn leave(&mut self) -> io::Result<()> {
        self.ours = false;
        give_back()
    }

    /// Draws a frame; terminals that can show it at once.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let frame = self.terminal.draw(render)?;
        let links = self.links.as_ref().map(|_| hyperlinks(frame.buffer)).unwrap_or_default();
        self.link(links)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Sends the addresses of a frame once more as links, unless they stand there already.
    fn link(&mut self, links: Vec<Hyperlink>) -> io::Result<()> {
        if self.links.as_ref().is_none_or(|sent| *sent == links) {
            return Ok(());
        }
        let backend = self.terminal.backend_mut();
        for link in &links {
            backend.write_all(sequences::link_begin(&link.address).as_bytes())?;
            let cells = link.cells.iter().zip(link.x..).map(|(cell, x)| (x, link.y, cell));
            backend.draw(cells)?;
            backend.write_all(sequences::LINK_END.as_bytes())?;
        }
        self.links = Some(links);
        Ok(())
    }

    /// Makes the next frame a full one.
    ///
    /// Ratatui's own `clear` asks the terminal where its cursor is and fails where none answers; a
    /// resize to the same size clears without asking.
    pub fn clear(&mut self) -> io::Result<()> {
        self.links = self.links.take().map(|_| Vec::new());
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Sends text to the terminal's clipboard (OSC 52).
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let end = text.floor_char_boundary(COPY_MAX);
        let mut sequence = String::new();
        let copy = CopyToClipboard::to_clipboard_from(text.get(..end).unwrap_or_default());
        // Writing into a string does not fail.
        let _ = copy.write_ansi(&mut sequence);
        self.send(&sequence)
    }

    /// Shows a notification of the terminal's own.
    pub fn notice(&mut self, words: &str) -> io::Result<()> {
        let term = std::env::var("TERM").unwrap_or_default();
        let kind = NoticeKind::of(&term, std::env::var_os("VTE_VERSION").is_some());
        self.send(&sequences::notice(kind, words))
    }

    /// Has a terminal like kitty let the pictures go that it was sent.
    pub fn let_go(&mut self, images: &Images) -> io::Result<()> {
        let through_tmux = images.graphics.through_tmux;
        // tmux would take it for the title of the window.
        let wrap = |one: String| if through_tmux { sequences::through_tmux(&one) } else { one };
        let all: String = images.numbers().map(sequences::let_go).map(wrap).collect();
        stdout().write_all(all.as_bytes())?;
        stdout().flush()
    }

    /// Sends a sequence for the terminal; within tmux also past it, for tmux keeps most for itself.
    fn send(&mut self, sequence: &str) -> io::Result<()> {
        stdout().write_all(sequence.as_bytes())?;
        if std::env::var_os("TMUX").is_some() {
            stdout().write_all(sequences::through_tmux(sequence).as_bytes())?;
        }
        stdout().flush()
    }

    /// Rings.
    pub fn bell(&mut self) -> io::Result<()> {
        stdout().write_all(b"\x07")?;
        stdout().flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // After a panic the hook has done it already.
        if self.ours && crossterm::terminal::is_raw_mode_enabled().unwrap_or(true) {
            // Nothing can be done about a terminal that has gone away.
            let _ = give_back();
        }
    }
}

fn give_back() -> io::Result<()> {
    execute!(
        stdout(),
        PopKeyboardEnhancementFlags,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    )?;
    disable_raw_mode()
}

/// A panic of the screen must leave a terminal that works and a message that can be read. One of
/// another thread, which may well be caught there, must not write over the screen.
fn give_back_after_panic() {
    let ours = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let shown = crossterm::terminal::is_raw_mode_enabled().unwrap_or(false);
        if shown && std::thread::current().id() != ours {
            return tracing::error!("{info}");
        }
        if shown {
            let _ = give_back();
        }
        before(info);
    }));
}

/// Stops this process as Ctrl-z does; returns when the shell lets it go on.
pub fn stop_this_process() {
    let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGTSTP);
}
