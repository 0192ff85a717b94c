//! `[smtp]` and `[outlet.NAME]`: a way out.

use super::{
    error::Wrong,
    graph::{GraphConfig, InboxOptions},
    oauth,
    server::{Auth, Login, Server, Written},
    values::{duration, filled, optional_duration, size},
};
use crate::domain::EmailAddress;
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Octets of a mail that Graph takes: four million, in base64.
const GRAPH_MAX: u64 = 3_000_000;

/// A way out: who takes our mail, and within which limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutletConfig {
    pub name: String,
    pub method: OutletMethod,
    /// The address that mail is from where no mailbox gives one.
    pub from: Option<EmailAddress>,
    /// The largest mail in octets.
    pub max_size: u64,
    /// How long a send from the screen can be taken back; zero: not at all.
    pub undo_window: Duration,
    /// How long a child process may take.
    pub timeout: Duration,
}

/// Who takes our mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutletMethod {
    Smtp(SmtpConfig),
    /// A program with its arguments, called as `sendmail` is.
    Sendmail {
        command: Vec<String>,
    },
    /// A Maildir; a relative path counts from the data dir.
    Maildir {
        path: PathBuf,
    },
    MicrosoftGraph(GraphConfig),
}

impl OutletMethod {
    /// Gives the word of the config for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Smtp(_) => "smtp",
            Self::Sendmail { .. } => "sendmail",
            Self::Maildir { .. } => "maildir",
            Self::MicrosoftGraph(_) => "microsoft_graph",
        }
    }

    /// Gives the login of a server.
    pub fn login(&self) -> Option<&Login> {
        match self {
            Self::Smtp(smtp) => smtp.login.as_ref(),
            _ => None,
        }
    }

    pub(super) fn login_mut(&mut self) -> Option<&mut Login> {
        match self {
            Self::Smtp(smtp) => smtp.login.as_mut(),
            _ => None,
        }
    }
}

/// A submission server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpConfig {
    pub server: Server,
    pub login: Option<Login>,
    /// What we call ourselves; `None` is the name of this machine.
    pub hello_name: Option<String>,
}

/// How mail goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    #[default]
    Smtp,
    Sendmail,
    Maildir,
    MicrosoftGraph,
}

/// The section as it is written.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    method: Method,
    #[serde(deserialize_with = "filled")]
    host: Option<String>,
    port: Option<u16>,
    ssl: Option<bool>,
    start_tls: Option<bool>,
    allow_plaintext: bool,
    ca_file: Option<PathBuf>,
    #[serde(deserialize_with = "filled")]
    fingerprint: Option<String>,
    #[serde(deserialize_with = "optional_duration")]
    timeout: Option<Duration>,
    #[serde(deserialize_with = "filled")]
    user: Option<String>,
    #[serde(deserialize_with = "filled")]
    password: Option<String>,
    #[serde(deserialize_with = "filled")]
    password_env: Option<String>,
    #[serde(deserialize_with = "filled")]
    password_command: Option<String>,
    auth: Auth,
    #[serde(deserialize_with = "filled")]
    token_command: Option<String>,
    oauth: Option<oauth::Written>,
    #[serde(deserialize_with = "filled")]
    from: Option<String>,
    #[serde(deserialize_with = "filled")]
    hello_name: Option<String>,
    command: Vec<String>,
    path: PathBuf,
    #[serde(deserialize_with = "size")]
    max_size: u64,
    #[serde(deserialize_with = "duration")]
    undo_window: Duration,
    inbox_options: InboxOptions,
}

impl Default for File {
    fn default() -> Self {
        Self {
            method: Method::Smtp,
            host: None,
            port: None,
            ssl: None,
            start_tls: None,
            allow_plaintext: false,
            ca_file: None,
            fingerprint: None,
            timeout: None,
            user: None,
            password: None,
            password_env: None,
            password_command: None,
            auth: Auth::Login,
            token_command: None,
            oauth: None,
            from: None,
            hello_name: None,
            command: vec!["/usr/sbin/sendmail".to_owned(), "-i".to_owned()],
            path: PathBuf::from("out"),
            max_size: 25_000_000,
            undo_window: Duration::from_secs(10),
            inbox_options: InboxOptions::default(),
        }
    }
}

impl File {
    /// Makes sense of the section; relative paths that are read count from `folder`.
    pub fn understand(self, name: &str, folder: &Path) -> Result<OutletConfig, Wrong> {
        Ok(OutletConfig {
            name: name.to_owned(),
            method: self.method(name, folder)?,
            from: self.from()?,
            max_size: self.largest(),
            undo_window: self.undo_window,
            timeout: self.timeout.unwrap_or(Duration::from_secs(60)),
        })
    }

    fn largest(&self) -> u64 {
        match self.method {
            Method::MicrosoftGraph => self.max_size.min(GRAPH_MAX),
            _ => self.max_size,
        }
    }

    fn from(&self) -> Result<Option<EmailAddress>, Wrong> {
        let Some(text) = &self.from else { return Ok(None) };
        let wrong = || {
            Wrong::new("from", format!("`{text}` is not an email address"))
                .hint("write the bare address; the display name is a setting of the project")
        };
        EmailAddress::parse(text).map(Some).ok_or_else(wrong)
    }

    fn method(&self, name: &str, folder: &Path) -> Result<OutletMethod, Wrong> {
        match self.method {
            Method::Smtp => self.smtp(name, folder).map(OutletMethod::Smtp),
            Method::Sendmail if self.command.is_empty() => {
                Err(Wrong::new("command", "it is empty").hint("command = [\"/usr/sbin/sendmail\", \"-i\"]"))
            }
            Method::Sendmail => Ok(OutletMethod::Sendmail { command: self.command.clone() }),
            Method::Maildir => Ok(OutletMethod::Maildir { path: self.path.clone() }),
            Method::MicrosoftGraph => {
                let user = self.user.clone().ok_or_else(|| Wrong::new("user", "it is missing"))?;
                self.inbox_options.understand(user, "", folder).map(OutletMethod::MicrosoftGraph)
            }
        }
    }

    fn smtp(&self, name: &str, folder: &Path) -> Result<SmtpConfig, Wrong> {
        let written = self.written();
        let fits = |name: &String| !name.contains(|c: char| c.is_whitespace() || c.is_control());
        if !self.hello_name.as_ref().is_none_or(fits) {
            return Err(Wrong::new("hello_name", "it holds blanks"));
        }
        Ok(SmtpConfig {
            server: written.server(folder)?,
            login: written.login(name, folder)?,
            hello_name: self.hello_name.clone(),
        })
    }

    fn written(&self) -> Written {
        Written {
            host: self.host.clone(),
            port: self.port,
            usual_ports: [465, 587, 25],
            ssl: self.ssl,
            start_tls: self.start_tls,
            allow_plaintext: self.allow_plaintext,
            ca_file: self.ca_file.clone(),
            fingerprint: self.fingerprint.clone(),
            timeout: self.timeout,
            user: self.user.clone(),
            auth: self.auth,
            password: self.password.clone(),
            password_env: self.password_env.clone(),
            password_command: self.password_command.clone(),
            token_command: self.token_command.clone(),
            oauth: self.oauth.clone(),
        }
    }
}
