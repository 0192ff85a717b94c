//! Secrets: where a password or token comes from, and a type that never shows it.

use std::{fmt, path::PathBuf, process::Stdio, time::Duration};
use tokio::process::Command;

/// How long a command may take to print a secret; it may ask a person for a passphrase.
const PATIENCE: Duration = Duration::from_secs(60);

/// A password or token. `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Gives the text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// It stands in the config.
    Given(Secret),
    /// An environment variable holds it.
    Env(String),
    /// The first line that a shell command prints, run in the config's folder.
    Command { line: String, folder: PathBuf },
    /// What `deskbell login` stored.
    Stored,
    /// There is none.
    Absent,
}

/// A secret that could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SecretError {
    pub message: String,
    pub hint: String,
    /// Whether it may be there soon, without anybody doing anything.
    pub passing: bool,
}

impl SecretSource {
    /// Gets the secret; a command is run with the patience of a minute and its output never logged.
    pub async fn get(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::Env(name) => from_env(name),
            Self::Command { line, folder } => from_command(line, folder, PATIENCE).await,
            Self::Stored => Err(failed(
                "a stored token is no password",
                "set token_command, or sign in with `deskbell login`",
            )),
            Self::Absent => Err(failed(
                "there is no password",
                "set password_command, password_env or password in the config",
            )),
        }
    }
}

fn failed(message: impl Into<String>, hint: &str) -> SecretError {
    SecretError { message: message.into(), hint: hint.to_owned(), passing: false }
}

fn from_env(name: &str) -> Result<Secret, SecretError> {
    let unset = || {
        failed(
            format!("the environment variable {name} is not set"),
            "set it for the process that runs `deskbell sync`",
        )
    };
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(Secret::new).ok_or_else(unset)
}

async fn from_command(
    line: &str,
    folder: &std::path::Path,
    patience: Duration,
) -> Result<Secret, SecretError> {
    let hint = format!("run it by hand: {line}");
    let fail = |message: String| SecretError { message, hint: hint.clone(), passing: false };
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).stdin(Stdio::null()).kill_on_drop(true);
    if folder.is_dir() {
        command.current_dir(folder);
    }
    let output = tokio::time::timeout(patience, command.output())
        .await
        .map_err(|_| fail(format!("the command for the password took over {} s", patience.as_secs())))?
        .map_err(|e| fail(format!("the command for the password did not start: {e}")))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let complaint = complaint.lines().next().unwrap_or_default();
        return Err(fail(format!("the command for the password failed ({}): {complaint}", output.status)));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    match printed.lines().next().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Ok(Secret::new(text)),
        None => Err(fail("the command for the password printed nothing".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> SecretSource {
        SecretSource::Command { line: line.to_owned(), folder: PathBuf::from("/") }
    }

    #[tokio::test]
    async fn a_command_gives_its_first_line() {
        let secret = command("printf ' hunter2 \\nlogin: x\\n'").get().await.unwrap();
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[tokio::test]
    async fn a_command_that_fails_says_how_and_shows_no_output() {
        let error = command("echo hunter2; echo 'no such entry' >&2; exit 3").get().await.unwrap_err();
        assert!(error.message.contains("no such entry"), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2\\n"));
        assert!(command("true").get().await.unwrap_err().message.contains("printed nothing"));
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_given_up() {
        let error = from_command("sleep 60", "/".as_ref(), Duration::from_millis(20)).await.unwrap_err();
        assert!(error.message.contains("took over"), "{error:?}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let source = SecretSource::Given(Secret::new("hunter2"));
        assert!(!format!("{source:?}").contains("hunter2"));
    }
}
