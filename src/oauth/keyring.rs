//! The keyring of the desktop (the Secret Service of freedesktop.org), through libsecret's `secret-tool`.
//!
//! Knows items by their ids and nothing of grants. A token goes through pipes only, never as an argument or
//! in the environment, where others on the machine could read it.

use crate::child::{Group, capped};
use std::{
    env, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::timeout,
};

const PROGRAM: &str = "secret-tool";
/// Octets that the tool may say. What it gives out of an item has a few thousand.
const SAID_MAX: u64 = 64 * 1024;

/// How the keyring is asked.
#[derive(Clone, Debug)]
pub(super) struct Keyring {
    program: PathBuf,
    /// How long one answer may take.
    patience: Duration,
}

/// Why a keyring could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("there is no keyring here: {0}")]
    Absent(&'static str),
    #[error("the keyring is locked")]
    Locked,
    #[error("the keyring does not hold the token")]
    Missing,
    #[error("the keyring did not answer within {0} s")]
    Silent(u64),
    #[error("the keyring gives back something else than it was given")]
    Changed,
    #[error("the keyring refuses: {0}")]
    Refused(String),
}

/// Which token of a grant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token {
    Access,
    Refresh,
}

/// What the tool said.
struct Ran {
    out: String,
    complaint: String,
    success: bool,
}

impl Keyring {
    /// Finds the keyring of this session; each answer may take as long as `patience`.
    pub fn find(patience: Duration) -> Result<Self, Trouble> {
        let path = env::var_os("PATH").unwrap_or_default();
        let found = env::split_paths(&path).map(|folder| folder.join(PROGRAM)).find(|file| file.is_file());
        let program = found.ok_or(Trouble::Absent("the program secret-tool (libsecret) is not installed"))?;
        match has_bus() {
            true => Ok(Self { program, patience }),
            false => Err(Trouble::Absent("this process has no session bus (DBUS_SESSION_BUS_ADDRESS)")),
        }
    }

    /// Gives a token. Asks nobody to unlock anything: a desk that serves has nobody to ask.
    pub async fn get(&self, item: &str, token: Token) -> Result<String, Trouble> {
        // `lookup` would raise a prompt.
        let ran = self.run("search", &[], item, Some(token), "").await?;
        let mut lines = ran.out.lines();
        match lines.clone().find_map(|line| line.strip_prefix("secret = ")) {
            Some(secret) => Ok(secret.to_owned()),
            None if lines.any(|line| line.starts_with('[')) => Err(Trouble::Locked),
            None if ran.success && ran.complaint.is_empty() => Err(Trouble::Missing),
            None => Err(Trouble::Refused(ran.complaint)),
        }
    }

    /// Puts a token in the place of the one before, and looks whether it comes back as it was.
    pub async fn put(&self, item: &str, token: Token, label: &str, secret: &str) -> Result<(), Trouble> {
        let label = ["--label", label];
        let ran = self.run("store", &label, item, Some(token), secret).await?;
        if !ran.success {
            return Err(Trouble::Refused(ran.complaint));
        }
        match self.get(item, token).await? == secret {
            true => Ok(()),
            false => Err(Trouble::Changed),
        }
    }

    /// Removes the tokens of an item, or one of them; one that is not there is no error.
    pub async fn clear(&self, item: &str, token: Option<Token>) -> Result<(), Trouble> {
        let ran = self.run("clear", &[], item, token, "").await?;
        match ran.success || ran.complaint.is_empty() {
            true => Ok(()),
            false => Err(Trouble::Refused(ran.complaint)),
        }
    }

    async fn run(
        &self,
        verb: &str,
        options: &[&str],
        item: &str,
        token: Option<Token>,
        input: &str,
    ) -> Result<Ran, Trouble> {
        let mut command = Command::new(&self.program);
        command.arg(verb).args(options).args(["service", "deskbell", "item", item]);
        if let Some(token) = token {
            let word = if matches!(token, Token::Access) { "access" } else { "refresh" };
            command.args(["token", word]);
        }
        command.env("LC_ALL", "C.UTF-8").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).kill_on_drop(true).spawn().map_err(unused)?;
        let group = Group::of(child.id());
        let ran = timeout(self.patience, talk(&mut child, input)).await;
        let ran = ran.map_err(|_| Trouble::Silent(self.patience.as_secs()))?;
        let ran = ran.map_err(unused)?;
        group.release();
        Ok(ran)
    }
}

fn unused(error: io::Error) -> Trouble {
    Trouble::Refused(format!("{PROGRAM}: {error}"))
}

async fn talk(child: &mut Child, input: &str) -> io::Result<Ran> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // Why it does not want all of it is in its answer.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        Ok(())
    };
    let ((), out, said) = tokio::try_join!(feed, capped(stdout, SAID_MAX), capped(stderr, SAID_MAX))?;
    let success = child.wait().await?.success();
    let said = String::from_utf8_lossy(&said);
    // The attributes of an item are said there as well.
    let complaint = said.lines().find(|line| line.starts_with(PROGRAM)).unwrap_or_default();
    Ok(Ran {
        out: String::from_utf8_lossy(&out).into_owned(),
        complaint: crate::http::short(complaint),
        success,
    })
}

/// Tells whether the session has a bus. None is started for us: its keyring would be nobody's.
fn has_bus() -> bool {
    let named = env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty());
    named || env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt, time::Instant};

    /// A tool that does as `script` says.
    fn tool(folder: &Path, script: &str) -> Keyring {
        let program = folder.join(PROGRAM);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Keyring { program, patience: Duration::from_secs(60) }
    }

    #[tokio::test]
    async fn what_the_tool_says_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let item = "echo '[/1]'; echo 'label = x'";
        for (script, found) in [
            (format!("{item}; echo 'secret = ab = c'"), Ok("ab = c".to_owned())),
            (
                format!("{item}; echo 'secret-tool: Cannot get secret of a locked object' >&2"),
                Err(Trouble::Locked),
            ),
            ("true".to_owned(), Err(Trouble::Missing)),
            (
                "echo 'secret-tool: no bus' >&2; exit 1".to_owned(),
                Err(Trouble::Refused("secret-tool: no bus".to_owned())),
            ),
        ] {
            assert_eq!(tool(folder.path(), &script).get("i", Token::Access).await, found, "{script}");
        }
    }

    #[tokio::test]
    async fn a_token_that_does_not_come_back_as_it_was_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let forgetful = tool(folder.path(), "[ $1 = search ] && printf '[/1]\\nsecret = abc\\n'; exit 0");
        assert_eq!(forgetful.put("i", Token::Refresh, "l", "abcd").await, Err(Trouble::Changed));
        assert_eq!(forgetful.put("i", Token::Refresh, "l", "abc").await, Ok(()));
    }

    #[tokio::test]
    async fn a_token_stands_in_no_argument_and_no_variable() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let script = format!("echo \"$@\" >> {0}; env >> {0}; cat > {0}.stdin; exit 1", seen.display());
        let keyring = tool(folder.path(), &script);
        keyring.put("i", Token::Refresh, "l", "s3cret").await.unwrap_err();
        assert!(!fs::read_to_string(&seen).unwrap().contains("s3cret"));
        assert_eq!(fs::read_to_string(seen.with_extension("stdin")).unwrap(), "s3cret");
    }

    #[tokio::test]
    async fn a_keyring_that_hangs_is_left_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", pid.display());
        let keyring = Keyring { patience: Duration::from_millis(500), ..tool(folder.path(), &script) };
        let begun = Instant::now();
        assert_eq!(keyring.get("i", Token::Access).await, Err(Trouble::Silent(0)));
        assert!(begun.elapsed() < Duration::from_secs(30));
        let pid = fs::read_to_string(pid).unwrap();
        let stat = Path::new("/proc").join(pid.trim()).join("stat");
        // What is killed may stay as a zombie where nobody takes its status.
        while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(begun.elapsed() < Duration::from_secs(30), "it still runs");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
