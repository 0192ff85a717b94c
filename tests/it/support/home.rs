//! A desk of its own for a test, worked on through the real binary.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

const MAILDIRS: &str = r#"
[me]
user = "alice"
[mailbox.support]
address = "help+%{key}@desk.example"
inbox_method = "maildir"
path = "in"
[smtp]
method = "maildir"
path = "out"
from = "help@desk.example"
undo_window = "500ms"
"#;

/// A config and a data dir; nothing of the real user is seen.
pub struct Home {
    dir: TempDir,
}

impl Home {
    /// Makes a desk that takes mail from one Maildir and puts it into another.
    pub fn with_maildirs() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), MAILDIRS).unwrap();
        for part in ["new", "cur", "tmp"] {
            std::fs::create_dir_all(dir.path().join("in").join(part)).unwrap();
        }
        Self { dir }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn env(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        vec![
            ("HOME", path("")),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("DESKBELL_CONFIG", path("config.toml")),
            ("DESKBELL_DATA_DIR", path("data")),
        ]
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deskbell"));
        command.env_clear().envs(self.env()).args(args).current_dir(self.dir.path());
        command
    }

    /// Runs a command that must succeed; gives what it printed.
    pub fn run(&self, args: &[&str]) -> String {
        fine(args, self.command(args).stdin(Stdio::null()).output().unwrap())
    }

    pub fn run_with_input(&self, args: &[&str], input: &[u8]) -> String {
        let mut command = self.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        fine(args, child.wait_with_output().unwrap())
    }

    /// Waits until a mail with this text went out, and gives it unfolded.
    pub fn wait_for_mail(&self, text: &str) -> String {
        wait_until(&format!("a mail with `{text}`"), || {
            let files = std::fs::read_dir(self.data().join("out/new")).ok()?;
            let mails = files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
            mails.map(|mail| mail.replace("\r\n ", " ")).find(|mail| mail.contains(text))
        })
    }

    /// Waits until the server has ended by itself.
    pub fn wait_until_unserved(&self) {
        wait_until("the end of the server", || (!self.data().join("desk.sock").exists()).then_some(()));
    }
}

fn fine(args: &[&str], output: Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {err}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Looks again and again until there is something.
pub fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
