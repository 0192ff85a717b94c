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
    /// What came, with the seconds at which a person would have seen it.
    seen: Vec<(f64, Vec<u8>)>,
    clock: f64,
}

impl Terminal {
    fn open(home: &Home, columns: u16, rows: u16) -> Self {
        Self::started(home, &[], columns, rows)
    }

    fn started(home: &Home, args: &[&str], columns: u16, rows: u16) -> Self {
        Self::with(home, args, &[], (columns, rows))
    }

    fn with(home: &Home, args: &[&str], env: &[(&str, &str)], (columns, rows): (u16, u16)) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_deskbell"));
        command.env_clear();
        command.args(args);
        command.cwd(home.data().parent().unwrap());
        for (name, value) in home.env() {
            command.env(name, value);
        }
        env.iter().for_each(|(name, value)| command.env(name, value));
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
        Self {
            screen,
            output,
            keys,
            child,
            master: pair.master,
            all: Vec::new(),
            seen: Vec::new(),
            clock: 0.0,
        }
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.clock += 0.6;
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
                    self.seen.push((self.clock, chunk.clone()));
                    self.all.extend(chunk);
                }
                Err(_) => panic!("`{text}` did not appear; the screen shows:\n{shown}"),
            }
        }
    }

    /// Waits until all that came holds something.
    fn wait_until(&mut self, holds: impl Fn(&[u8]) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds(&self.all) {
            let left = until.saturating_duration_since(Instant::now());
            let chunk = self.output.recv_timeout(left).expect("what was waited for did not come");
            self.screen.process(&chunk);
            self.all.extend(chunk);
        }
    }

    /// Types a text as a person does, waiting for each letter to appear.
    fn type_slowly(&mut self, text: &str) {
        for (at, _) in text.char_indices().filter(|(_, c)| *c != ' ') {
            let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
            let from = text[..at].rfind(|c| c != ' ').map_or(0, |last| last + 1);
            self.press(&text[from..end]);
            self.clock -= 0.52;
            self.wait_for(&text[..end]);
        }
    }

    /// Writes what was seen as a recording that `asciinema play` shows, where `DESKBELL_CAST` names a file.
    fn keep_cast(&self) {
        let Ok(path) = std::env::var("DESKBELL_CAST") else { return };
        let (rows, columns) = self.screen.screen().size();
        let mut cast = format!("{{\"version\": 2, \"width\": {columns}, \"height\": {rows}}}\n");
        let mut cut = Vec::new();
        for (at, chunk) in &self.seen {
            cut.extend_from_slice(chunk);
            // A letter may be parted by the end of a chunk.
            let whole = std::str::from_utf8(&cut).map_or_else(|e| e.valid_up_to(), str::len);
            let text = String::from_utf8(cut.drain(..whole).collect()).unwrap();
            cast.push_str(&format!("[{at:.2}, \"o\", {}]\n", serde_json::Value::from(text)));
        }
        std::fs::write(path, cast).unwrap();
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

const MAIL: &str = "From: Ada Lovelace <ada@customer.example>\r\nTo: help+acme-support-1-issue-@desk.example\r\nSubject: Cannot log in\r\nMessage-ID: <a1@customer.example>\r\n\r\nIt says invalid token, see https://status.customer.example/42 for more.\r\n";

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
    let link = "\x1b]8;;https://status.customer.example/42\x1b\\";
    assert!(text.contains(link) && text.contains("\x1b]8;;\x1b\\"), "the address is a link");
    home.wait_until_unserved();
}

#[test]
fn someone_new_takes_the_tour_and_answers_and_closes_the_first_mail_of_the_demo() {
    let home = Home::with_maildirs();
    let kept = home.data().with_file_name("kept");
    let mut terminal = Terminal::started(&home, &["demo", "--keep", kept.to_str().unwrap()], 80, 24);
    terminal.wait_for("1 of 5: The list");
    for stop in ["2 of 5: An issue", "3 of 5: An answer", "4 of 5: The outbox", "5 of 5: Everything else"] {
        terminal.press("\r");
        terminal.wait_for(stop);
    }
    terminal.press("\r");
    terminal.wait_for("that was the tour");
    // What the screens themselves say is all that is needed: Enter opens, r replies, Alt-Enter sends and closes.
    terminal.wait_for("Enter open  r reply");
    terminal.press("\r");
    let first = terminal.wait_for("· open");
    let number: u64 =
        first.trim_start_matches([' ', '#']).split(' ').next().and_then(|n| n.parse().ok()).expect(&first);
    terminal.press("r");
    terminal.wait_for("MAILED TO");
    terminal.wait_for("Ctrl-s send  Alt-Enter send+close");
    terminal.type_slowly("Thank you, we have found it.");
    terminal.press("\x1b\r");
    terminal.wait_for("z takes it back");
    terminal.press("q");
    terminal.wait_for("WAITS");
    terminal.press("q");
    terminal.keep_cast();
    assert!(terminal.ended().0);
    let path = |name: &str| kept.join(name).display().to_string();
    let shown = home.run(&[
        "--config",
        &path("config.toml"),
        "--data-dir",
        &path("desk"),
        "issue",
        "show",
        &format!("brightwater/support#{number}"),
        "--json",
    ]);
    let issue: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(issue["state"], "closed");
    let notes = issue["notes"].as_array().unwrap();
    let answer = notes.iter().find(|note| note["body"] == "Thank you, we have found it.").expect(&shown);
    assert_eq!(answer["kind"], "reply");
    assert!(!answer["delivery"].as_array().unwrap().is_empty(), "{answer}");
}

#[test]
fn a_text_that_is_pasted_is_no_keys_and_suspending_gives_the_terminal_back() {
    let home = Home::with_maildirs();
    home.run(&["project", "add", "acme/support"]);
    home.run_with_input(&["deliver", "-"], MAIL.as_bytes());
    let mut terminal = Terminal::open(&home, 80, 24);
    terminal.wait_for("Cannot log in");
    terminal.press("r");
    terminal.wait_for("MAILED TO");
    terminal.press("\x1b[200~first\rsecond \x13\x1b[201~");
    let shown = terminal.wait_for("second");
    assert!(shown.contains("first") && shown.contains("MAILED TO"), "{shown}");
    terminal.press("\x1b");
    terminal.wait_for("the draft stays");
    let before = terminal.all.len();
    terminal.press("\x1a");
    terminal.wait_until(|all| has(&all[before..], b"\x1b[?1049l"));
    // A shell would stop it now; a group without one is not stopped and goes on at once.
    terminal.wait_until(|all| has(&all[before..], b"\x1b[?1049h"));
    terminal.press("qq");
    assert!(terminal.ended().0);
    home.wait_until_unserved();
}

fn has(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// From the list the draft is asked for first, so that the terminal is waited for when the editor begins.
#[test]
fn an_editor_gets_the_terminal_while_keys_are_waited_for_and_gives_it_back() {
    let home = Home::with_maildirs();
    home.run(&["project", "add", "acme/support"]);
    home.run_with_input(&["deliver", "-"], MAIL.as_bytes());
    let editor = "sh -c 'echo written elsewhere > \"$0\"'";
    let mut terminal = Terminal::with(&home, &[], &[("EDITOR", editor)], (80, 24));
    terminal.wait_for("Cannot log in");
    terminal.press("e");
    terminal.wait_for("written elsewhere");
    terminal.press("\x1b");
    terminal.wait_for("the draft stays");
    terminal.press("q");
    terminal.wait_for("WAITS");
    terminal.press("q");
    assert!(terminal.ended().0);
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
