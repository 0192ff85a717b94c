//! One call of git: no shell, no terminal, a deadline and caps.

use super::GitError;
use crate::child::{Group, capped};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::process::{Child, Command};

/// How long a call may take; a fetch asks a server.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most octets of a short answer, and of what git says of itself.
const SHORT: u64 = 1 << 20;
/// What a hook of git's finds in its environment, and what must not lead a call elsewhere.
const LEADING_AWAY: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
];

/// What a call gave.
pub(super) struct Ran {
    pub out: Vec<u8>,
    /// Whether there was more than was taken.
    pub cut: bool,
}

/// Prepares a call, in a folder or where this process is.
pub(super) fn git(folder: Option<&Path>) -> Command {
    let mut command = Command::new("git");
    if let Some(folder) = folder {
        command.arg("-C").arg(folder);
        LEADING_AWAY.iter().for_each(|name| {
            command.env_remove(name);
        });
    }
    // Nothing that a repository configures is started for a look into it.
    command.args(["--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
    command
        .env("LC_ALL", "C.UTF-8")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Gives the short answer to a call.
pub(super) async fn said(command: Command, arguments: &[&str]) -> Result<String, GitError> {
    let ran = run(command, arguments, SHORT).await?;
    Ok(String::from_utf8_lossy(&ran.out).into_owned())
}

/// Tells whether a call succeeds, where failing is an answer too.
pub(super) async fn holds(command: Command, arguments: &[&str]) -> Result<bool, GitError> {
    match run(command, arguments, SHORT).await {
        Ok(_) => Ok(true),
        Err(GitError::Said(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Runs git; of what it prints `limit` octets are taken.
pub(super) async fn run(mut command: Command, arguments: &[&str], limit: u64) -> Result<Ran, GitError> {
    let mut child = command.args(arguments).spawn().map_err(GitError::Start)?;
    let group = Group::of(child.id());
    let ran = tokio::time::timeout(PATIENCE, talk(&mut child, limit)).await;
    let ran = ran.map_err(|_| GitError::Slow(PATIENCE.as_secs()))??;
    if !ran.cut {
        group.release();
    }
    Ok(ran)
}

async fn talk(child: &mut Child, limit: u64) -> Result<Ran, GitError> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let out = async {
        let out = capped(stdout, limit).await?;
        // The rest is not waited for.
        if out.len() as u64 > limit { Err(Cut::Over(out)) } else { Ok(out) }
    };
    let said = async { capped(stderr, SHORT).await.map_err(Cut::Failed) };
    let (out, said) = match tokio::try_join!(out, said) {
        Ok(both) => both,
        Err(Cut::Over(out)) => return Ok(Ran { out, cut: true }),
        Err(Cut::Failed(error)) => return Err(GitError::Talk(error)),
    };
    let status = child.wait().await.map_err(GitError::Talk)?;
    if status.success() {
        return Ok(Ran { out, cut: false });
    }
    let said = String::from_utf8_lossy(&said);
    let words = |line: &&str| !line.trim().is_empty();
    let line = said.lines().find(|line| line.starts_with("fatal: ")).or(said.lines().rfind(words));
    Err(GitError::Said(line.unwrap_or("nothing").trim_start_matches("fatal: ").to_owned()))
}

enum Cut {
    Over(Vec<u8>),
    Failed(std::io::Error),
}

impl From<std::io::Error> for Cut {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}
