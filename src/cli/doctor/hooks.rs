//! Whether the shell understands the commands of `[hooks]`; none of them is run.

use super::Findings;
use crate::config::Hooks;
use std::process::Stdio;
use tokio::process::Command;

/// Looks at each command that the config has.
pub async fn look(hooks: &Hooks, findings: &mut Findings) {
    let all = [
        ("new_issue", &hooks.new_issue),
        ("note", &hooks.note),
        ("close", &hooks.close),
        ("stale", &hooks.stale),
    ];
    let all = all.into_iter().filter_map(|(name, command)| Some((name.to_owned(), command.as_ref()?)));
    let named = hooks.named.iter().map(|(name, command)| (format!("named.{name}"), command));
    for (name, command) in all.chain(named) {
        let step = format!("hook {name}");
        match understood(command).await {
            Ok(()) => findings.ok(step, "the shell understands it; it was not run"),
            Err(why) => findings.fail(step, why, Some(format!("correct {name} in [hooks]"))),
        }
    }
}

/// Lets the shell read a command without carrying it out; fails with what it says.
async fn understood(command: &str) -> Result<(), String> {
    let read = Command::new("sh").args(["-n", "-c", command]).stdin(Stdio::null()).output().await;
    let read = read.map_err(|error| format!("sh cannot be started: {error}"))?;
    let said = String::from_utf8_lossy(&read.stderr);
    match read.status.success() {
        true => Ok(()),
        false => Err(said.lines().next_back().unwrap_or("the shell does not understand it").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_is_read_and_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ran");
        understood(&format!("touch {}", file.display())).await.unwrap();
        assert!(!file.exists());
        assert!(understood("if true; then echo").await.is_err());
    }
}
