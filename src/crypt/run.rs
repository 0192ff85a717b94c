//! One call of a program: no shell, no terminal, a deadline and caps.

use super::CryptError;
use crate::child::{Group, capped};
use crate::config::Sealing;
use crate::domain::SealKind;
use std::{ffi::OsString, io, path::PathBuf, process::Stdio, time::Duration};
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Most octets of what a program says of itself.
const SAID_MAX: u64 = 1 << 20;

/// A program and how it is called.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub kind: SealKind,
    pub program: String,
    pub signs: bool,
    pub key: Option<String>,
    home: Option<PathBuf>,
    online: bool,
    patience: Duration,
}

/// What a call gave.
pub(super) struct Ran {
    pub out: Vec<u8>,
    /// Status lines, and between them words for people.
    pub said: String,
    pub success: bool,
}

impl Ran {
    /// Gives the last words for people.
    pub fn complaint(&self) -> String {
        let words = |line: &&str| !line.trim().is_empty() && !line.starts_with("[GNUPG:]");
        self.said.lines().rev().find(words).unwrap_or("it says nothing").to_owned()
    }
}

impl Tool {
    pub fn new(kind: SealKind, config: &Sealing) -> Self {
        let usual = match kind {
            SealKind::Pgp => "gpg",
            SealKind::Smime => "gpgsm",
        };
        Self {
            kind,
            program: config.command.clone().unwrap_or_else(|| usual.to_owned()),
            signs: config.sign,
            key: config.key.clone(),
            home: config.home.clone(),
            online: config.online,
            patience: config.timeout,
        }
    }

    /// Gives what stands before the arguments of every call. Nobody is there to type a passphrase.
    fn options(&self) -> Vec<OsString> {
        let mut options: Vec<OsString> =
            ["--batch", "--no-tty", "--status-fd", "2", "--pinentry-mode", "error"]
                .map(OsString::from)
                .into();
        if let Some(home) = &self.home {
            options.extend(["--homedir".into(), home.into()]);
        }
        let further: &[&str] = match (self.kind, self.online) {
            (SealKind::Pgp, false) => {
                &["--no-auto-key-retrieve", "--no-auto-key-locate", "--disable-dirmngr"]
            }
            (SealKind::Smime, false) => &["--disable-dirmngr", "--disable-crl-checks"],
            (_, true) => &[],
        };
        options.extend(further.iter().map(OsString::from));
        if self.kind == SealKind::Pgp {
            options.extend(["--display-charset", "utf-8"].map(OsString::from));
        }
        options
    }

    /// Runs the program over `input`; what it prints may have `limit` octets.
    pub async fn run(&self, arguments: &[OsString], input: &[u8], limit: u64) -> Result<Ran, CryptError> {
        let program = || self.program.clone();
        let mut child = Command::new(&self.program)
            .args(self.options())
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("GPG_TTY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| CryptError::Start { program: program(), error })?;
        let group = Group::of(child.id());
        let talk = tokio::time::timeout(self.patience, talk(&mut child, input, limit)).await;
        match talk {
            Ok(Ok(ran)) => {
                group.release();
                Ok(ran)
            }
            Ok(Err(Talk::Flood(octets))) => Err(CryptError::Flood { program: program(), octets }),
            Ok(Err(Talk::Failed(error))) => Err(CryptError::Talk { program: program(), error }),
            Err(_) => Err(CryptError::Slow { program: program(), seconds: self.patience.as_secs() }),
        }
    }
}

enum Talk {
    Flood(u64),
    Failed(io::Error),
}

async fn talk(child: &mut Child, input: &[u8], limit: u64) -> Result<Ran, Talk> {
    let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async move {
        if let Some(stdin) = &mut stdin {
            // A program that does not want all of it says more by its answer.
            let _ = stdin.write_all(input).await;
        }
        drop(stdin);
        Ok(())
    };
    let ((), out, said) = tokio::try_join!(feed, within(stdout, limit), within(stderr, SAID_MAX))?;
    let status = child.wait().await.map_err(Talk::Failed)?;
    Ok(Ran { out, said: String::from_utf8_lossy(&said).into_owned(), success: status.success() })
}

/// Reads what a program says, and refuses more than `limit` octets.
async fn within(from: Option<impl AsyncRead + Unpin>, limit: u64) -> Result<Vec<u8>, Talk> {
    let bytes = capped(from, limit).await.map_err(Talk::Failed)?;
    if bytes.len() as u64 > limit { Err(Talk::Flood(limit)) } else { Ok(bytes) }
}
