//! The real binary in a real terminal: open, read, answer, send, quit.

use crate::support::TestDesk;
use crate::support::home::Home;
use deskbell::rpc::Place;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// The binary on a pseudo-terminal.
pub struct Terminal {
    screen: vt100::Parser,
    output: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    all: Vec<u8>,
}

impl Terminal {
    fn open(home: &Home, columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_deskbell"));
        command.env_clear();
        for (name, value) in home.env() {
            command.env(name, value);
        }
        Self::run(command, columns, rows)
    }

    /// Opens the screens of a desk that is served.
    pub fn on(desk: &TestDesk) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_deskbell"));
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", desk.folder.path());
        command.env("XDG_RUNTIME_DIR", desk.folder.path());
        command.args([OsStr::new("--config"), desk.config().as_os_str()]);
        command.args([OsStr::new("--data-dir"), desk.data().as_os_str()]);
        Self::run(command, 80, 24)
    }

    fn run(mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                if send.send(chunk[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let screen = vt100::Parser::new(rows, columns, 0);
        Self { screen, output, keys, child, master: pair.master, all: Vec::new() }
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen shows a text.
    pub fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let shown = self.screen.screen().contents();
            if shown.contains(text) {
                return shown;
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(chunk) => {
                    self.screen.process(&chunk);
                    self.all.extend(chunk);
                }
                Err(_) => panic!("`{text}` did not appear; the screen shows:\n{shown}"),
            }
        }
    }

    /// Takes the terminal away.
    fn go_away(self) {
        let Self { output, master, .. } = self;
        drop(output);
        // The thread that reads holds the terminal open until something comes: a frame of another size.
        master.resize(PtySize { rows: 30, cols: 90, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Waits until the program has ended; tells whether well, and gives all that it wrote.
    pub fn ended(mut self) -> (bool, Vec<u8>) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                while let Ok(chunk) = self.output.recv_timeout(Duration::from_millis(200)) {
                    self.all.extend(chunk);
                }
                return (status.success(), self.all);
            }
            assert!(Instant::now() < until, "the program did not end");
            if let Ok(chunk) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.all.extend(chunk);
            }
        }
    }
}

const MAIL: &str = "From: Ada Lovelace <ada@customer.example>\r\nTo: help+acme-support-1-issue-@desk.example\r\nSubject: Cannot log in\r\nMessage-ID: <a1@customer.example>\r\n\r\nIt says invalid token.\r\n";

#[test]
fn a_mail_is_read_and_answered_from_the_keyboard_and_the_terminal_is_left_as_it_was() {
    let home = Home::with_maildirs();
    home.run(&["project", "add", "acme/support"]);
    home.run_with_input(&["deliver", "-"], MAIL.as_bytes());
    let mut terminal = Terminal::open(&home, 80, 24);
    terminal.wait_for("Cannot log in");
    terminal.press("\r");
    terminal.wait_for("invalid token");
    terminal.press("r");
    terminal.wait_for("MAILED TO ada@customer.example");
    terminal.press("Please try again.");
    terminal.wait_for("Please try again.");
    terminal.press("\x13");
    terminal.wait_for("z takes it back");
    let mail = home.wait_for_mail("Please try again.");
    assert!(mail.contains("ada@customer.example") && mail.contains("In-Reply-To: <a1@customer.example>"));
    terminal.press("qq");
    let (fine, output) = terminal.ended();
    assert!(fine);
    let text = String::from_utf8_lossy(&output);
    assert!(text.contains("\x1b[?1049h") && text.contains("\x1b[?1049l"), "the alternate screen is left");
    assert!(text.contains("\x1b[?25h"), "the cursor is shown again");
    home.wait_until_unserved();
}

#[test]
fn a_draft_is_there_again_after_a_kill() {
    let home = Home::with_maildirs();
    home.run(&["project", "add", "acme/support"]);
    home.run_with_input(&["deliver", "-"], MAIL.as_bytes());
    let mut terminal = Terminal::open(&home, 80, 24);
    terminal.wait_for("Cannot log in");
    terminal.press("\rr");
    terminal.wait_for("MAILED TO");
    terminal.press("half a thought");
    terminal.wait_for("draft saved");
    terminal.child.kill().unwrap();
    terminal.go_away();
    let mut terminal = Terminal::open(&home, 100, 30);
    terminal.wait_for("Cannot log in");
    terminal.press("\rr");
    terminal.wait_for("half a thought");
    // The terminal goes away; nothing may stay behind.
    terminal.go_away();
    home.wait_until_unserved();
}

#[test]
fn a_desk_that_is_just_being_closed_is_waited_for() {
    let home = Home::with_maildirs();
    home.run(&["project", "add", "acme/support"]);
    home.run_with_input(&["deliver", "-"], MAIL.as_bytes());
    let place = Place { data_dir: home.data(), runtime_dir: std::env::temp_dir() };
    let mut lock = place.try_lock().unwrap().unwrap();
    // Its socket is gone, and its lock not yet.
    lock.name(Some(&place.socket())).unwrap();
    let mut terminal = Terminal::open(&home, 80, 24);
    std::thread::sleep(Duration::from_millis(300));
    drop(lock);
    terminal.wait_for("Cannot log in");
    terminal.go_away();
    home.wait_until_unserved();
}
