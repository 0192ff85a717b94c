//! `[mailbox.NAME]`: a way in.

use super::{
    address::AddressPattern,
    error::Wrong,
    graph::{GraphConfig, InboxOptions},
    oauth,
    paths::resolve,
    server::{Auth, Login, Server, Written},
    values::{AfterDelivery, duration, filled, optional_duration, size},
};
use crate::domain::{FILTER_FIELDS, meant};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Longest IDLE; servers log off after half an hour (RFC 2177).
const IDLE_MAX: Duration = Duration::from_secs(29 * 60);

/// A way in: where its mail lies and what to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxConfig {
    pub name: String,
    pub enabled: bool,
    pub address: AddressPattern,
    /// Where mail without a key goes; `None`: the only project there is, else the triage queue.
    pub project: Option<String>,
    /// The outlet for answers to what came by it; `None` is `[smtp]`.
    pub outlet: Option<String>,
    pub source: SourceConfig,
    pub after_delivery: AfterDelivery,
    /// Octets; larger mails are not fetched.
    pub max_size: u64,
    /// At first contact, mail older than this causes no mail to anyone.
    pub silent_before: Duration,
    /// At first contact, mail older than this stays where it is.
    pub import_since: Option<Duration>,
    pub trusted_authserv_ids: Vec<String>,
    /// The header fields in which filters on the way are believed, in lower case.
    pub trusted_spam_headers: Vec<String>,
    pub own_lists: Vec<String>,
    /// Relative to the data dir.
    pub log_path: Option<PathBuf>,
}

/// Where the mail of a mailbox lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceConfig {
    Imap(ImapConfig),
    Maildir { path: PathBuf },
    MicrosoftGraph(GraphConfig),
}

impl SourceConfig {
    /// Gives the word of the config for it.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Imap(_) => "imap",
            Self::Maildir { .. } => "maildir",
            Self::MicrosoftGraph(_) => "microsoft_graph",
        }
    }

    /// Gives the login of a server.
    pub fn login(&self) -> Option<&Login> {
        match self {
            Self::Imap(imap) => Some(&imap.login),
            _ => None,
        }
    }

    pub(super) fn login_mut(&mut self) -> Option<&mut Login> {
        match self {
            Self::Imap(imap) => Some(&mut imap.login),
            _ => None,
        }
    }
}

/// A folder on an IMAP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImapConfig {
    pub server: Server,
    pub login: Login,
    /// The folder, as people write it.
    pub folder: String,
    /// How long one IDLE lasts before a poll.
    pub idle_timeout: Duration,
}

/// How mail is taken from a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    #[default]
    Imap,
    Maildir,
    MicrosoftGraph,
}

/// The section as it is written.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    enabled: bool,
    inbox_method: Method,
    #[serde(deserialize_with = "filled")]
    address: Option<String>,
    #[serde(deserialize_with = "filled")]
    project: Option<String>,
    #[serde(deserialize_with = "filled")]
    outlet: Option<String>,
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
    mailbox: String,
    #[serde(deserialize_with = "duration")]
    idle_timeout: Duration,
    #[serde(deserialize_with = "filled")]
    after_delivery: Option<String>,
    delete_after_delivery: Option<bool>,
    expunge_deleted: Option<bool>,
    #[serde(deserialize_with = "size")]
    max_size: u64,
    #[serde(deserialize_with = "duration")]
    silent_before: Duration,
    #[serde(deserialize_with = "optional_duration")]
    import_since: Option<Duration>,
    trusted_authserv_ids: Vec<String>,
    trusted_spam_headers: Option<Vec<String>>,
    own_lists: Vec<String>,
    log_path: Option<PathBuf>,
    path: Option<PathBuf>,
    inbox_options: InboxOptions,
}

impl Default for File {
    fn default() -> Self {
        Self {
            enabled: true,
            inbox_method: Method::Imap,
            address: None,
            project: None,
            outlet: None,
            user: None,
            password: None,
            password_env: None,
            password_command: None,
            auth: Auth::Login,
            token_command: None,
            oauth: None,
            host: None,
            port: None,
            ssl: None,
            start_tls: None,
            allow_plaintext: false,
            ca_file: None,
            fingerprint: None,
            timeout: None,
            mailbox: "INBOX".to_owned(),
            idle_timeout: Duration::from_secs(60),
            after_delivery: None,
            delete_after_delivery: None,
            expunge_deleted: None,
            max_size: 50_000_000,
            silent_before: Duration::from_secs(24 * 3600),
            import_since: None,
            trusted_authserv_ids: Vec::new(),
            trusted_spam_headers: None,
            own_lists: Vec::new(),
            log_path: None,
            path: None,
            inbox_options: InboxOptions::default(),
        }
    }
}

impl File {
    /// Makes sense of the section; relative paths that are read count from `folder`.
    pub fn understand(self, name: &str, folder: &Path) -> Result<MailboxConfig, Wrong> {
        Ok(MailboxConfig {
            name: name.to_owned(),
            enabled: self.enabled,
            address: self.pattern()?,
            source: self.source(name, folder)?,
            after_delivery: self.after_delivery()?,
            trusted_spam_headers: self.spam_headers()?,
            project: self.project,
            outlet: self.outlet,
            max_size: self.max_size,
            silent_before: self.silent_before,
            import_since: self.import_since,
            trusted_authserv_ids: self.trusted_authserv_ids,
            own_lists: self.own_lists,
            log_path: self.log_path,
        })
    }

    fn spam_headers(&self) -> Result<Vec<String>, Wrong> {
        let known = || FILTER_FIELDS.iter().map(|name| (*name).to_owned());
        let Some(given) = &self.trusted_spam_headers else { return Ok(known().collect()) };
        let given: Vec<String> = given.iter().map(|name| name.trim().to_lowercase()).collect();
        match given.iter().find(|name| !FILTER_FIELDS.contains(&name.as_str())) {
            None => Ok(given),
            Some(name) => {
                let known: Vec<String> = known().collect();
                Err(Wrong::new("trusted_spam_headers", format!("`{name}` is no field that is understood"))
                    .hint(meant(name, &known)))
            }
        }
    }

    fn pattern(&self) -> Result<AddressPattern, Wrong> {
        let hint = "write the address that reaches this mailbox: address = \"contact+%{key}@example.com\"";
        let Some(text) = &self.address else {
            return Err(Wrong::new("address", "it is missing").hint(hint));
        };
        AddressPattern::parse(text)
            .map_err(|why| Wrong::new("address", format!("`{text}`: {why}")).hint(hint))
    }

    fn source(&self, name: &str, folder: &Path) -> Result<SourceConfig, Wrong> {
        match self.inbox_method {
            Method::Imap => self.imap(name, folder).map(SourceConfig::Imap),
            Method::Maildir => match &self.path {
                Some(path) => Ok(SourceConfig::Maildir { path: resolve(folder, path) }),
                None => Err(Wrong::new("path", "it is missing")
                    .hint("write where the Maildir lies: path = \"/var/mail/support\"")),
            },
            Method::MicrosoftGraph => {
                let understood = self.inbox_options.understand(self.user()?, &self.mailbox, folder);
                understood.map(SourceConfig::MicrosoftGraph)
            }
        }
    }

    fn imap(&self, name: &str, folder: &Path) -> Result<ImapConfig, Wrong> {
        if self.idle_timeout > IDLE_MAX {
            return Err(Wrong::new("idle_timeout", "it is longer than 29 minutes, when servers hang up"));
        }
        let written = self.written();
        let server = written.server(folder)?;
        let user = self.user()?;
        let login = written.login(name, folder)?.ok_or_else(|| Wrong::new("user", "it is missing"))?;
        let folder = self.mailbox.clone();
        Ok(ImapConfig { server, login: Login { user, ..login }, folder, idle_timeout: self.idle_timeout })
    }

    fn user(&self) -> Result<String, Wrong> {
        self.user.clone().ok_or_else(|| {
            Wrong::new("user", "it is missing")
                .hint("write the login name, often the address itself: user = \"support@example.com\"")
        })
    }

    fn written(&self) -> Written {
        Written {
            host: self.host.clone(),
            port: self.port,
            usual_ports: [993, 143, 143],
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

    /// Understands our own key and the two that GitLab's mail room has for it.
    fn after_delivery(&self) -> Result<AfterDelivery, Wrong> {
        let expunge = self.expunge_deleted;
        match (&self.after_delivery, self.delete_after_delivery) {
            (Some(_), Some(_)) => Err(Wrong::new(
                "delete_after_delivery",
                "after_delivery and delete_after_delivery exclude each other",
            )),
            (Some(text), None) => match AfterDelivery::parse(text) {
                Some(AfterDelivery::Delete { .. }) => {
                    Ok(AfterDelivery::Delete { expunge: expunge.unwrap_or(true) })
                }
                Some(after) => Ok(after),
                None => Err(Wrong::new("after_delivery", format!("`{text}` is not known"))
                    .hint("it is seen, delete, move:FOLDER or nothing")),
            },
            (None, Some(true)) => Ok(AfterDelivery::Delete { expunge: expunge.unwrap_or(false) }),
            (None, _) => Ok(AfterDelivery::Seen),
        }
    }
}
