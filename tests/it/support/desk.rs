//! The real binary on a throw-away desk: own folder, own config, nothing of the environment but the path.

use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

static MAILS: AtomicUsize = AtomicUsize::new(0);

/// Gives a mail from `from` to the project of [`TestDesk::between_maildirs`].
pub fn mail(from: &str, subject: &str) -> Vec<u8> {
    format!(
        "From: Ada <{from}>\r\nTo: {PROJECT}\r\nSubject: {subject}\r\nMessage-ID: <{}@customer.test>\r\n\r\n\
         It is about {subject}.\r\n",
        MAILS.fetch_add(1, Ordering::Relaxed)
    )
    .into_bytes()
}

/// The address of that project.
pub const PROJECT: &str = "help+acme-support-1-issue-@desk.test";

/// A desk in a temporary folder.
pub struct TestDesk {
    pub folder: TempDir,
}

/// A process that serves a desk; it is killed when the test drops it.
pub struct Serving {
    child: Child,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl TestDesk {
    /// Makes the folder and writes the config; `alice` acts.
    pub fn new(config: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("desk").tempdir().unwrap();
        let desk = Self { folder };
        desk.configure(config);
        desk
    }

    /// Makes a desk that takes mail from one Maildir and puts it into another, with one project.
    pub fn between_maildirs(further: &str) -> Self {
        let desk = Self::new("");
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(desk.inbox().join(part)).unwrap();
        }
        desk.configure(&format!("{}{further}", desk.maildirs()));
        desk.ok(&["project", "add", "acme/support"]);
        desk
    }

    /// The config of those Maildirs; it ends within `[smtp]`.
    pub fn maildirs(&self) -> String {
        format!(
            "[mailbox.support]\ninbox_method = \"maildir\"\naddress = \"help+%{{key}}@desk.test\"\npath = \"{}\"\n\
             [smtp]\nmethod = \"maildir\"\nfrom = \"help@desk.test\"\npath = \"{}\"\n",
            self.inbox().display(),
            self.folder.path().join("out").display()
        )
    }

    pub fn inbox(&self) -> PathBuf {
        self.folder.path().join("in")
    }

    /// Puts a mail into the Maildir that the desk reads, as an MTA does.
    pub fn deliver(&self, bytes: &[u8]) {
        let name = format!("{}.M{}.test", 1_700_000_000, MAILS.fetch_add(1, Ordering::Relaxed));
        fs::write(self.inbox().join("tmp").join(&name), bytes).unwrap();
        fs::rename(self.inbox().join("tmp").join(&name), self.inbox().join("new").join(&name)).unwrap();
    }

    /// Gives what the desk sent into its Maildir.
    pub fn sent(&self) -> Vec<String> {
        let folder = fs::read_dir(self.folder.path().join("out/new"));
        let mut paths: Vec<PathBuf> = folder.into_iter().flatten().map(|e| e.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()).collect()
    }

    /// Writes another config.
    pub fn configure(&self, config: &str) {
        fs::write(self.config(), format!("[me]\nuser = \"alice\"\n{config}")).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn socket(&self) -> PathBuf {
        self.data().join("desk.sock")
    }

    /// Gives a command of the binary on this desk.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deskbell"));
        self.surround(&mut command);
        command.args(arguments);
        command
    }

    /// Clears the environment of a command, but for what points to this desk.
    pub fn surround(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("TZ", "UTC")
            .env("DESKBELL_CONFIG", self.config())
            .env("DESKBELL_DATA_DIR", self.data())
            .stdin(Stdio::null());
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&mut self.command(arguments))
    }

    /// Runs a command as another system user, who has no config.
    pub fn run_as(&self, user: &str, group: &str, arguments: &[&str]) -> Said {
        let binary = self.folder.path().join("deskbell");
        if !binary.exists() {
            let ours = env!("CARGO_BIN_EXE_deskbell");
            fs::hard_link(ours, &binary).or_else(|_| fs::copy(ours, &binary).map(drop)).unwrap();
            for path in [binary.as_path(), self.folder.path()] {
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        let mut command = Command::new("setpriv");
        self.surround(&mut command);
        command
            .env("DESKBELL_CONFIG", "/dev/null")
            .args(["--reuid", user, "--regid", group, "--clear-groups", "--"])
            .arg(binary)
            .args(arguments);
        said(&mut command)
    }

    /// Runs a command that reads standard input.
    pub fn feed(&self, arguments: &[&str], input: &[u8]) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that fails early reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input);
        Said::from(child.wait_with_output().unwrap())
    }

    /// Runs a command that must go well; gives what it printed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}\n{}", self.log());
        said.stdout
    }

    /// Runs a command that must go well with `--json`; gives the value it printed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// Lists every issue.
    pub fn issues(&self) -> Vec<Value> {
        list(self.json(&["issue", "list", "--limit", "10000"]))
    }

    /// Lists every arrival.
    pub fn intake(&self) -> Vec<Value> {
        list(self.json(&["intake", "list", "--limit", "10000"]))
    }

    /// Lists every row of the outbox.
    pub fn outbox(&self) -> Vec<Value> {
        list(self.json(&["outbox", "list", "--limit", "10000"]))
    }

    /// The desk's state, whatever the exit code.
    pub fn status(&self) -> Value {
        let said = self.run(&["status", "--json"]);
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }

    /// Starts `sync`, and waits until it serves.
    pub fn sync(&self) -> Serving {
        self.serve(&["sync"])
    }

    /// Starts a serving command, and waits until it serves.
    pub fn serve(&self, arguments: &[&str]) -> Serving {
        let mut serving = self.start(&mut self.command(arguments));
        wait_for("the desk to be served", || {
            if let Some(status) = serving.ended() {
                panic!("{arguments:?} ended: {status}\n{}", self.log());
            }
            self.serves(serving.child.id()).then_some(())
        });
        serving
    }

    /// Starts a command beside the test; what it says goes into a file.
    pub fn start(&self, command: &mut Command) -> Serving {
        let path = self.folder.path().join("said");
        let said = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        let child = command.stdout(said.try_clone().unwrap()).stderr(said).spawn().unwrap();
        Serving { child }
    }

    /// Tells whether this process serves the desk: the lock file names it and a socket that is there.
    fn serves(&self, pid: u32) -> bool {
        let text = fs::read_to_string(self.data().join("lock")).unwrap_or_default();
        let mut lines = text.lines();
        lines.next() == Some(&pid.to_string()) && lines.next().is_some_and(|path| fs::exists(path).unwrap())
    }

    /// Everything the processes of this desk said and logged, for the message of a failing test.
    pub fn log(&self) -> String {
        let mut text = fs::read_to_string(self.folder.path().join("said")).unwrap_or_default();
        for entry in fs::read_dir(self.data().join("logs")).into_iter().flatten().flatten() {
            text += &fs::read_to_string(entry.path()).unwrap_or_default();
        }
        text
    }
}

impl Serving {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells how it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills it on the spot.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has; gives how long that took.
    pub fn stop(mut self) -> Duration {
        let begun = Instant::now();
        signal(self.pid(), nix::sys::signal::Signal::SIGTERM);
        let status = self.wait();
        assert!(status.success(), "it ended with {status}");
        begun.elapsed()
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("a process to end", || self.ended())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Runs a command to its end, but not longer than a test may wait.
pub fn said(command: &mut Command) -> Said {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let reading = thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    let status = child.wait().unwrap();
    Said { code: status.code().unwrap_or(-1), stdout: text, stderr: reading.join().unwrap() }
}

/// Sends a signal to a process.
pub fn signal(pid: u32, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, signal).unwrap();
}

/// Waits until something is there, and gives it.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited too long for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until something holds.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        other => panic!("no list: {other}"),
    }
}
