//! Mail through a program that is called as `sendmail` is.

use super::{Outcome, OutletError, Stage};
use crate::domain::EmailAddress;
use std::{io, path::Path, process::Stdio, time::Duration};
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// The program, its arguments and how long it may take.
#[derive(Debug)]
pub(super) struct Sendmail {
    pub command: Vec<String>,
    pub patience: Duration,
}

impl Sendmail {
    pub async fn send(&self, from: Option<&EmailAddress>, to: &EmailAddress, bytes: &[u8]) -> Outcome {
        match timeout(self.patience, self.run(from, to, bytes)).await {
            Ok(Ok((code, complaint))) => judge(code, complaint),
            Ok(Err(e)) => OutletError::new(Stage::Local, format!("{} did not run: {e}", self.program()))
                .hint("`command` names the program and its arguments")
                .into(),
            Err(_) => Outcome::PutOff { code: None, text: format!("{} did not end", self.program()) },
        }
    }

    async fn run(
        &self,
        from: Option<&EmailAddress>,
        to: &EmailAddress,
        bytes: &[u8],
    ) -> io::Result<(Option<i32>, String)> {
        let (program, arguments) =
            self.command.split_first().ok_or_else(|| io::Error::other("`command` is empty"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .args(["-f", from.map_or("<>", EmailAddress::as_str), "--", to.as_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take();
        let lines = local_lines(bytes);
        let feed = async {
            if let Some(mut input) = input {
                // A program that reads nothing tells more by its exit code.
                let _ = input.write_all(&lines).await;
            }
        };
        let ((), output) = tokio::join!(feed, child.wait_with_output());
        let output = output?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        Ok((output.status.code(), complaint.chars().filter(|c| !c.is_control()).take(300).collect()))
    }

    fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// Looks whether the program is there.
    pub fn check(&self) -> Result<(), OutletError> {
        let program = self.program();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = match program.contains('/') {
            true => Path::new(program).is_file(),
            false => std::env::split_paths(&path).any(|folder| folder.join(program).is_file()),
        };
        match found {
            true => Ok(()),
            false => Err(OutletError::new(Stage::Local, format!("there is no program {program}"))
                .hint("install an MTA, or set `command`")),
        }
    }
}

/// Says what an exit code means (sysexits.h).
fn judge(code: Option<i32>, complaint: String) -> Outcome {
    let refused = |code, what: &str| Outcome::Refused { code, text: format!("{what}: {complaint}") };
    match code {
        Some(0) => Outcome::Sent { reply: "taken".to_owned() },
        Some(65) => refused(554, "the mail was refused"),
        Some(67) => refused(550, "no such user"),
        Some(68) => refused(550, "no such host"),
        // Wrong usage, no service, no permission, a broken setup: every other mail would fare alike.
        Some(code @ (64 | 69 | 77 | 78)) => {
            OutletError::new(Stage::Local, format!("the program failed ({code}): {complaint}"))
                .hint("try it by hand, and see the log of the MTA")
                .into()
        }
        Some(code) => Outcome::PutOff { code: None, text: format!("exit code {code}: {complaint}") },
        None => Outcome::PutOff { code: None, text: "the program was killed".to_owned() },
    }
}

/// Ends lines as programs of this machine expect it.
fn local_lines(bytes: &[u8]) -> Vec<u8> {
    let mut rest = bytes.iter().copied().peekable();
    let mut out = Vec::with_capacity(bytes.len());
    while let Some(byte) = rest.next() {
        if byte != b'\r' || rest.peek() != Some(&b'\n') {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn script(line: &str) -> Sendmail {
        // The arguments that follow become $0, $1, …
        let command = ["sh", "-c", line].map(str::to_owned).to_vec();
        Sendmail { command, patience: Duration::from_secs(20) }
    }

    #[tokio::test]
    async fn the_program_gets_the_envelope_as_arguments_and_the_mail_with_local_line_ends() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mail");
        let sendmail = script(&format!("(echo \"$0 $1 $2 $3\"; cat) > {}", file.display()));
        let (from, to) = (address("bounce+1@x.example"), address("ada@y.example"));
        let outcome = sendmail.send(Some(&from), &to, b"Subject: a\r\n\r\nb\r\n").await;
        assert_eq!(outcome, Outcome::Sent { reply: "taken".into() });
        let got = std::fs::read_to_string(&file).unwrap();
        assert_eq!(got, "-f bounce+1@x.example -- ada@y.example\nSubject: a\n\nb\n");
        sendmail.send(None, &to, b"x").await;
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("-f <> -- "));
    }

    #[tokio::test]
    async fn exit_codes_tell_what_became_of_it() {
        let send =
            async |line: &str| script(line).send(None, &address("a@b.example"), &[b'x'; 300_000]).await;
        assert!(matches!(send("exit 75").await, Outcome::PutOff { code: None, .. }));
        assert!(matches!(send("kill -9 $$").await, Outcome::PutOff { .. }));
        assert!(
            matches!(send("echo nobody >&2; exit 67").await, Outcome::Refused { code: 550, text } if text.contains("nobody"))
        );
        assert!(matches!(send("exit 78").await, Outcome::Unreachable { stage: Stage::Local, .. }));
        assert!(matches!(send("cat > /dev/null").await, Outcome::Sent { .. }));
    }

    #[tokio::test]
    async fn a_program_that_hangs_or_is_missing_loses_nothing() {
        let hangs = Sendmail { patience: Duration::from_millis(30), ..script("exec sleep 60") };
        let outcome = hangs.send(None, &address("a@b.example"), b"x").await;
        assert!(matches!(outcome, Outcome::PutOff { .. }), "{outcome:?}");
        let missing = Sendmail { command: vec!["/no/such".into()], patience: Duration::from_secs(1) };
        assert!(missing.check().is_err());
        let outcome = missing.send(None, &address("a@b.example"), b"x").await;
        assert!(matches!(outcome, Outcome::Unreachable { .. }), "{outcome:?}");
        assert!(script("true").check().is_ok());
    }
}
