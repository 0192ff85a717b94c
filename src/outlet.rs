//! Where mail goes: SMTP, sendmail, Maildir, Microsoft Graph.
//!
//! Owns the way of one composed mail to one recipient, and says what became of it. Changes nothing in a
//! mail but its line ends, and knows nothing of queues: when to try again is for the caller.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod graph;
mod maildir;
mod sendmail;
mod smtp;

use crate::{
    config::{OutletConfig, OutletMethod, SecretError, resolve},
    domain::EmailAddress,
    oauth::Tokens,
    tls::{self, ConnectError},
};
use graph::GraphOutlet;
use maildir::Maildir;
use sendmail::Sendmail;
use smtp::Smtp;
use std::{
    borrow::Cow,
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What became of one mail to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken; what the server said.
    Sent { reply: String },
    /// It was refused for good: 5yz after RCPT or DATA.
    Refused { code: u16, text: String },
    /// It may go later: 4yz after RCPT or DATA, or the connection broke after MAIL FROM.
    PutOff { code: Option<u16>, text: String },
    /// The outlet itself does not work; nothing is known about the mail, and others would fare alike.
    Unreachable { stage: Stage, text: String, hint: Option<String> },
}

/// How far an outlet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Resolve,
    Connect,
    Tls,
    /// The server's first words, or its answer to ours.
    Greeting,
    /// Getting the password or token, before the server was asked.
    Secret,
    /// Whoever gives out tokens cannot be reached.
    Token,
    Login,
    /// MAIL FROM.
    Sender,
    /// The program or folder that takes mail.
    Local,
}

/// An outlet that does not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct OutletError {
    pub stage: Stage,
    /// Lower case, no full stop.
    pub text: String,
    pub hint: Option<String>,
}

/// A way out. SMTP keeps its connection between mails.
#[derive(Debug)]
pub struct Outlet {
    name: String,
    max_size: u64,
    way: Way,
    handing_over: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Way {
    Smtp(Box<Smtp>),
    Sendmail(Sendmail),
    Maildir(Maildir),
    MicrosoftGraph(Box<GraphOutlet>),
}

impl Outlet {
    /// Makes an outlet; nothing is connected yet. Relative folders count from `data_dir`.
    pub fn new(config: &OutletConfig, data_dir: &Path) -> Self {
        let handing_over = Arc::new(AtomicBool::new(false));
        let way = match &config.method {
            OutletMethod::Smtp(smtp) => {
                let tokens = Tokens::new(data_dir);
                Way::Smtp(Box::new(Smtp::new(smtp.clone(), tokens, Arc::clone(&handing_over))))
            }
            OutletMethod::Sendmail { command } => {
                Way::Sendmail(Sendmail { command: command.clone(), patience: config.timeout })
            }
            OutletMethod::Maildir { path } => Way::Maildir(Maildir { path: resolve(data_dir, path) }),
            OutletMethod::MicrosoftGraph(graph) => {
                Way::MicrosoftGraph(Box::new(GraphOutlet::new(graph, Arc::clone(&handing_over))))
            }
        };
        Self { name: config.name.clone(), max_size: config.max_size, way, handing_over }
    }

    /// Gives the name of the outlet in the config.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the largest mail in octets: what the config says, or the server if it takes less.
    pub fn max_size(&self) -> u64 {
        match &self.way {
            Way::Smtp(smtp) => smtp.size_limit().map_or(self.max_size, |limit| limit.min(self.max_size)),
            _ => self.max_size,
        }
    }

    /// Sends one mail to one recipient, in one transaction; `from` is `None` for the null reverse-path.
    pub async fn send(&mut self, from: Option<&EmailAddress>, to: &EmailAddress, bytes: &[u8]) -> Outcome {
        let size = bytes.len() as u64;
        if size > self.max_size {
            return too_large(size, self.max_size);
        }
        match &mut self.way {
            Way::Smtp(smtp) => smtp.send(from, to, &with_crlf(bytes)).await,
            Way::Sendmail(sendmail) => over(&self.handing_over, sendmail.send(from, to, bytes)).await,
            Way::Maildir(maildir) => over(&self.handing_over, maildir.send(from, to, bytes)).await,
            Way::MicrosoftGraph(graph) => graph.send(to, &with_crlf(bytes)).await,
        }
    }

    /// Tells, while [`Self::send`] runs, whether the other side may have the whole mail by now: dropping the
    /// call then leaves open whether it was sent.
    pub fn handing_over(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.handing_over)
    }

    /// Looks whether the outlet would work: connects and logs in, sends nothing.
    pub async fn check(&mut self) -> Result<(), OutletError> {
        match &mut self.way {
            Way::Smtp(smtp) => smtp.check().await,
            Way::Sendmail(sendmail) => sendmail.check(),
            Way::Maildir(maildir) => maildir.check(),
            Way::MicrosoftGraph(graph) => graph.check().await,
        }
    }

    /// Says goodbye to the server, if there is a connection.
    pub async fn close(&mut self) {
        if let Way::Smtp(smtp) = &mut self.way {
            smtp.close().await;
        }
    }
}

impl OutletError {
    fn new(stage: Stage, text: impl Into<String>) -> Self {
        Self { stage, text: text.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<OutletError> for Outcome {
    fn from(error: OutletError) -> Self {
        Self::Unreachable { stage: error.stage, text: error.text, hint: error.hint }
    }
}

impl From<ConnectError> for OutletError {
    fn from(error: ConnectError) -> Self {
        let stage = match error.stage {
            tls::Stage::Resolve => Stage::Resolve,
            tls::Stage::Connect => Stage::Connect,
            tls::Stage::Tls => Stage::Tls,
        };
        Self { stage, text: error.message, hint: error.hint }
    }
}

impl From<SecretError> for OutletError {
    fn from(error: SecretError) -> Self {
        let stage = if error.passing { Stage::Token } else { Stage::Secret };
        Self { stage, text: error.message, hint: Some(error.hint) }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "DNS",
            Self::Connect => "connection",
            Self::Tls => "TLS",
            Self::Greeting => "greeting",
            Self::Secret => "password",
            Self::Token => "token",
            Self::Login => "login",
            Self::Sender => "sender",
            Self::Local => "delivery",
        })
    }
}

/// Notes that a mail is being handed over, for as long as that takes.
async fn over<T>(handing_over: &AtomicBool, call: impl Future<Output = T>) -> T {
    handing_over.store(true, Ordering::SeqCst);
    let outcome = call.await;
    handing_over.store(false, Ordering::SeqCst);
    outcome
}

fn too_large(size: u64, limit: u64) -> Outcome {
    Outcome::Refused { code: 552, text: format!("the mail has {size} octets, the limit is {limit}") }
}

/// Ends every line with CRLF: a bare CR or LF is where one server sees the end of a mail and another
/// does not (RFC 5321, section 2.3.8).
fn with_crlf(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut before = 0;
    let bare = |byte: u8| {
        let odd = (byte == b'\n') != (before == b'\r');
        before = byte;
        odd
    };
    if !bytes.iter().copied().any(bare) && bytes.last() != Some(&b'\r') {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\r' => {
                rest.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_line_ends_with_crlf() {
        for (before, after) in [
            ("", ""),
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("a\nb", "a\r\nb"),
            ("a\r.\r", "a\r\n.\r\n"),
            ("\r\r\n\n", "\r\n\r\n\r\n"),
            ("a\r\n\r\n.\n", "a\r\n\r\n.\r\n"),
        ] {
            assert_eq!(with_crlf(before.as_bytes()), after.as_bytes(), "{before:?}");
        }
        assert!(matches!(with_crlf(b"a\r\nb"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn no_bare_line_end_is_left(text in "[\r\na.]{0,40}") {
            let out = String::from_utf8(with_crlf(text.as_bytes()).into_owned()).unwrap();
            let left = out.replace("\r\n", "");
            prop_assert!(!left.contains(['\r', '\n']), "{:?} -> {:?}", text, out);
        }
    }
}
