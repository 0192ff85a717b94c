//! Hooks: commands of the system that hear of what happens on the desk.
//!
//! They run beside everything else, one after the other, each with a deadline; none of them holds up a mail or a
//! request. What they get is the issue as JSON on standard input and a few words in the environment; nothing of
//! a mail ever stands on their command line. Knows nothing of what they do.

use crate::child::{Group, capped};
use crate::config::Hooks;
use crate::desk::{Desk, Heard};
use crate::domain::{Event, Fault, Happening, HappeningKind};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Octets that are read of what one says; the rest has nobody to read it.
const SAID: u64 = 64 << 10;
/// Runs in a minute; what is above is left out and told.
const PER_MINUTE: usize = 120;
/// How often it is looked whether the desk is stale.
const LOOK: Duration = Duration::from_secs(30);

/// One run of a hook.
struct Run<'a> {
    /// The name in the config.
    name: &'a str,
    command: &'a str,
    input: Vec<u8>,
    words: Vec<(&'static str, String)>,
}

/// Who runs hooks.
struct Runner<'a> {
    desk: &'a Desk,
    hooks: &'a Hooks,
    folder: PathBuf,
    /// When the last ones ran.
    runs: VecDeque<Instant>,
    left_out: u64,
    was_stale: bool,
}

/// Runs the hooks of the config until `stop`; without one it ends at once.
pub(super) async fn serve(desk: &Desk, hooks: &Hooks, folder: PathBuf, stop: &CancellationToken) {
    if *hooks == Hooks::default() {
        return;
    }
    let mut events = desk.subscribe();
    let mut told = match desk.happenings_from_now().await {
        Ok(told) => told,
        Err(fault) => return tracing::error!(%fault, "hooks cannot be run"),
    };
    let runs = VecDeque::new();
    let mut runner = Runner { desk, hooks, folder, runs, left_out: 0, was_stale: false };
    let mut look = tokio::time::interval(LOOK);
    loop {
        let work = async {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(Event::Issues { .. } | Event::Missed) | Err(RecvError::Lagged(_)) => true,
                    Ok(_) => false,
                    Err(RecvError::Closed) => std::future::pending().await,
                },
                _ = look.tick(), if hooks.stale.is_some() => {
                    runner.look().await;
                    false
                }
            }
        };
        let issues = tokio::select! {
            () = stop.cancelled() => return,
            issues = work => issues,
        };
        if !issues {
            continue;
        }
        let happened = happened(desk, &mut told).await;
        for happening in happened {
            tokio::select! {
                () = stop.cancelled() => return,
                () = runner.tell(happening) => {}
            }
        }
    }
}

/// Runs the hooks of the config for all that happened since `told`.
pub(super) async fn pass(desk: &Desk, hooks: &Hooks, folder: PathBuf, mut told: Heard) {
    if *hooks == Hooks::default() {
        return;
    }
    let happened = happened(desk, &mut told).await;
    let mut runner = Runner { desk, hooks, folder, runs: VecDeque::new(), left_out: 0, was_stale: false };
    for happening in happened {
        runner.tell(happening).await;
    }
}

/// Lists what happened since, or nothing where that cannot be read.
async fn happened(desk: &Desk, told: &mut Heard) -> Vec<Happening> {
    desk.happenings(told).await.unwrap_or_else(|fault| {
        tracing::error!(%fault, "what happened cannot be read");
        Vec::new()
    })
}

impl Runner<'_> {
    async fn tell(&mut self, happening: Happening) {
        let hooks = self.hooks;
        let command = match &happening.kind {
            HappeningKind::NewIssue => hooks.new_issue.as_ref(),
            HappeningKind::Note => hooks.note.as_ref(),
            HappeningKind::Close => hooks.close.as_ref(),
            HappeningKind::Named(name) => hooks.named.get(name),
        };
        let Some(command) = command else { return };
        let name = &happening.kind.word();
        match self.desk.hook_issue(happening.issue).await {
            Ok((issue, reference, project, iid)) => {
                let note = happening.note.map(|note| ("DESKBELL_NOTE", note.to_string()));
                let words = [
                    ("DESKBELL_REF", reference),
                    ("DESKBELL_PROJECT", project),
                    ("DESKBELL_IID", iid.to_string()),
                ];
                let words = words.into_iter().chain(note).collect();
                self.run(Run { name, command, input: issue.to_string().into_bytes(), words }).await;
            }
            Err(fault) => tracing::warn!(%fault, name, "the issue of a hook cannot be read"),
        }
    }

    /// Runs the hook for a stale desk when it becomes one.
    async fn look(&mut self) {
        let Some(command) = &self.hooks.stale else { return };
        let Ok((status, stale)) = self.desk.hook_status().await else { return };
        if stale && !self.was_stale {
            let input = status.to_string().into_bytes();
            self.run(Run { name: "stale", command, input, words: Vec::new() }).await;
        }
        self.was_stale = stale;
    }

    async fn run(&mut self, run: Run<'_>) {
        let topic = format!("hook {}", run.name);
        if !self.may_run() {
            self.left_out += 1;
            let words = format!(
                "hooks: {} runs were left out, since more than {PER_MINUTE} a minute were due",
                self.left_out
            );
            return self.desk.board().notice("hooks".to_owned(), words);
        }
        match carried_out(&run, &self.folder).await {
            Ok(()) => {
                self.desk.board().clear_notice(&topic);
                tracing::debug!(name = run.name, "a hook ran");
            }
            Err(fault) => {
                let words = format!("the hook {} failed: {fault}; look at [hooks] in the config", run.name);
                self.desk.board().notice(topic, words);
            }
        }
    }

    /// Counts a run, unless there were too many in the last minute.
    fn may_run(&mut self) -> bool {
        let now = Instant::now();
        while self.runs.front().is_some_and(|run| now.duration_since(*run) >= Duration::from_secs(60)) {
            self.runs.pop_front();
        }
        let may = self.runs.len() < PER_MINUTE;
        if may {
            self.runs.push_back(now);
        }
        may
    }
}

/// Runs a command of the config by the shell, in the folder of the data; fails with what it said last.
async fn carried_out(run: &Run<'_>, folder: &PathBuf) -> Result<(), Fault> {
    let mut child = Command::new("sh")
        .args(["-c", run.command])
        .env("DESKBELL_EVENT", run.name)
        .envs(run.words.iter().map(|(name, value)| (*name, value)))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| Fault::refused(format!("sh cannot be started: {e}")))?;
    // Ends with everything that it started, whatever way this is left.
    let _group = Group::of(child.id());
    match tokio::time::timeout(PATIENCE, talk(&mut child, &run.input)).await {
        Err(_) => Err(Fault::refused(format!("it took more than {} seconds", PATIENCE.as_secs()))),
        Ok(Err(error)) => Err(Fault::refused(error.to_string())),
        Ok(Ok((status, _))) if status.success() => Ok(()),
        Ok(Ok((status, said))) => {
            let said = String::from_utf8_lossy(&said);
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
            let last: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
            Err(Fault::refused(format!("{status}: {last}")))
        }
    }
}

async fn talk(child: &mut Child, input: &[u8]) -> std::io::Result<(std::process::ExitStatus, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A command need not read what it does not want.
            let _ = stdin.write_all(input).await;
        }
    };
    let ((), out, said) = tokio::join!(write, capped(stdout, SAID), capped(stderr, SAID));
    out?;
    Ok((child.wait().await?, said?))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(command: &str) -> Result<(), Fault> {
        let dir = tempfile::tempdir().unwrap();
        let words = vec![("DESKBELL_REF", "acme/support#1; touch evil".to_owned())];
        let run = Run { name: "note", command, input: b"{\"title\":\"$(touch evil)\"}".to_vec(), words };
        let done = carried_out(&run, &dir.path().to_owned()).await;
        assert!(!dir.path().join("evil").exists());
        done
    }

    #[tokio::test]
    async fn a_command_gets_json_and_words_and_its_failure_is_told_in_its_own_words() {
        run("test \"$DESKBELL_EVENT\" = note && grep -q title && test -n \"$DESKBELL_REF\"").await.unwrap();
        run("exit 0 # reads nothing").await.unwrap();
        let failed = run("echo one >&2; echo 'no such \x1b[31mhost' >&2; exit 3").await.unwrap_err();
        assert!(failed.message.ends_with("no such [31mhost"), "{}", failed.message);
    }
}
