//! A session with a bus of its own and a real keyring, both of which end with the test.

use super::wait_for;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

const PASSWORD: &[u8] = b"correct horse";

/// A bus, and a `gnome-keyring-daemon` on it.
pub struct Session {
    folder: TempDir,
    bus: Child,
    keyring: Option<Child>,
}

impl Session {
    /// Starts both; the keyring is new, and unlocked.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("session").tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        // Without folders of services: what is dead is not started again by the bus.
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            folder.path().join("bus").display()
        );
        fs::write(&config, text).unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.arg("--nofork").arg(format!("--config-file={}", config.display())).stderr(Stdio::null());
        let bus = bus.spawn().unwrap();
        let mut session = Self { folder, bus, keyring: None };
        wait_for("the bus", || session.path("bus").exists().then_some(()));
        session.unlock();
        session
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets a command run in the session.
    pub fn surround<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.path("bus").display()))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env(name, self.folder.path());
        }
        self.surround(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts the keyring and opens it; one that runs is ended before.
    pub fn unlock(&mut self) {
        self.kill_keyring();
        let mut daemon = self.command("gnome-keyring-daemon");
        daemon.args(["--foreground", "--unlock", "--components=secrets"]).stdin(Stdio::piped());
        let mut daemon = daemon.spawn().unwrap();
        daemon.stdin.take().unwrap().write_all(PASSWORD).unwrap();
        fs::write(self.pid_file(), daemon.id().to_string()).unwrap();
        self.keyring = Some(daemon);
        wait_for("the keyring", || {
            self.tool(&["store", "--label", "ready", "ready", "yes"], "x").then_some(())
        });
    }

    /// The file that names the process of the keyring.
    pub fn pid_file(&self) -> PathBuf {
        self.path("pid")
    }

    pub fn lock(&self) {
        let mut asked = self.command("dbus-send");
        asked.args([
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.secrets",
            "/org/freedesktop/secrets",
        ]);
        asked.arg("org.freedesktop.Secret.Service.Lock");
        asked.arg("array:objpath:/org/freedesktop/secrets/collection/login");
        assert!(asked.status().unwrap().success());
    }

    /// Ends the keyring on the spot.
    pub fn kill_keyring(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            let _ = keyring.kill();
            let _ = keyring.wait();
        }
    }

    fn tool(&self, arguments: &[&str], input: &str) -> bool {
        let mut tool = self.command("secret-tool");
        let mut tool = tool.args(arguments).stdin(Stdio::piped()).spawn().unwrap();
        tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        tool.wait().unwrap().success()
    }

    /// Gives the tokens of every desk that lie in the keyring.
    pub fn tokens(&self) -> Vec<String> {
        let mut tool = self.command("secret-tool");
        tool.args(["search", "--all", "service", "deskbell"]).stdout(Stdio::piped());
        let said = String::from_utf8(tool.output().unwrap().stdout).unwrap();
        said.lines().filter_map(|line| line.strip_prefix("secret = ")).map(str::to_owned).collect()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.kill_keyring();
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

/// Makes a `secret-tool` in a folder that comes first, which does as `script` says. Gives the path of programs.
pub fn in_front(folder: &Path, script: &str) -> std::ffi::OsString {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let real =
        std::env::split_paths(&path).map(|folder| folder.join("secret-tool")).find(|file| file.is_file());
    let tool = folder.join("secret-tool");
    fs::create_dir_all(folder).unwrap();
    fs::write(&tool, format!("#!/bin/sh\nreal={}\n{script}\n", real.unwrap().display())).unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    std::env::join_paths(std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path))).unwrap()
}
