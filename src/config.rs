//! The config: what belongs to the machine and its connections, as plain structs handed down in sections.
//!
//! Owns the TOML file, what its keys mean and where its paths count from. Knows nothing of the data of
//! the desk, and opens no connection.

mod address;
mod error;
mod graph;
mod keys;
mod mailbox;
mod oauth;
mod outlet;
mod paths;
mod sealing;
mod secret;
mod sections;
mod server;
mod values;

pub use address::AddressPattern;
pub use error::ConfigError;
pub use graph::GraphConfig;
pub use keys::{BoundKey, OwnCommand};
pub use mailbox::{ImapConfig, MailboxConfig, SourceConfig};
pub use oauth::{Keeping, OAuth, Provider};
pub use outlet::{OutletConfig, OutletMethod, SmtpConfig};
pub use paths::{Paths, resolve};
pub use sealing::Sealing;
pub use secret::{Secret, SecretError, SecretSource};
pub use sections::{Akismet, CommandMode, Hooks, Keymap, Me, Notify, Rspamd, Serve, Spam, Ui, Web};
pub use server::{Auth, Encryption, Login, Server, is_loopback};
pub use values::{AfterDelivery, parse_duration, parse_size, quoted};

use crate::domain::meant;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    path::Path,
};

/// The name under which `[smtp]` stands among the outlets.
pub const DEFAULT_OUTLET: &str = "smtp";

/// Everything that the config file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    pub me: Me,
    /// By name.
    pub mailboxes: BTreeMap<String, MailboxConfig>,
    /// By name; `[smtp]` is [`DEFAULT_OUTLET`].
    pub outlets: BTreeMap<String, OutletConfig>,
    pub serve: Serve,
    pub web: Option<Web>,
    pub spam: Spam,
    pub ui: Ui,
    pub keys: Vec<BoundKey>,
    pub notify: Notify,
    pub commands: Vec<OwnCommand>,
    pub hooks: Hooks,
    pub pgp: Sealing,
    pub smime: Sealing,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    me: Me,
    mailbox: BTreeMap<String, mailbox::File>,
    smtp: Option<outlet::File>,
    oauth: oauth::Section,
    outlet: BTreeMap<String, outlet::File>,
    serve: Serve,
    web: Option<Web>,
    spam: Spam,
    ui: Ui,
    keys: keys::Keys,
    notify: Notify,
    command: Vec<keys::Command>,
    hooks: Hooks,
    pgp: Sealing,
    smime: Sealing,
}

impl Config {
    /// Reads the config file; where there is none, the desk works without mailboxes and outlets.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Ok(Self::default()) };
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(ConfigError {
                path: Some(path.to_owned()),
                line: None,
                message: format!("the config cannot be read: {e}"),
                hint: Some("check its owner and permissions, and those of its folder".to_owned()),
            }),
        }
    }

    /// Reads a config from `text`; relative paths that are read count from the folder of `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        toml::from_str(text)
            .map_err(|e| misfit(&e, text))
            .and_then(|file: File| file.understand(text, folder))
            .map_err(|e| ConfigError { path: Some(path.to_owned()), ..e })
    }

    /// Gives an outlet by its name; `None` names `[smtp]`.
    pub fn outlet(&self, name: Option<&str>) -> Option<&OutletConfig> {
        self.outlets.get(name.unwrap_or(DEFAULT_OUTLET))
    }
}

impl File {
    fn understand(self, text: &str, folder: &Path) -> Result<Config, ConfigError> {
        let mut mailboxes = BTreeMap::new();
        for (name, file) in self.mailbox {
            let understood = file.understand(&name, folder);
            let mailbox = understood.map_err(|wrong| wrong.within(&format!("mailbox.{name}"), text))?;
            mailboxes.insert(name, mailbox);
        }
        let mut outlets = BTreeMap::new();
        if let Some(file) = self.smtp {
            let understood = file.understand(DEFAULT_OUTLET, folder);
            let outlet = understood.map_err(|wrong| wrong.within(DEFAULT_OUTLET, text))?;
            outlets.insert(DEFAULT_OUTLET.to_owned(), outlet);
        }
        for (name, file) in self.outlet {
            let section = format!("outlet.{name}");
            if name == DEFAULT_OUTLET {
                let wrong = error::Wrong::new("method", "this name belongs to the section [smtp]");
                return Err(wrong.within(&section, text));
            }
            let outlet = file.understand(&name, folder).map_err(|wrong| wrong.within(&section, text))?;
            outlets.insert(name, outlet);
        }
        let ways_in = mailboxes.values_mut().filter_map(|mailbox| mailbox.source.login_mut());
        let ways_out = outlets.values_mut().filter_map(|outlet| outlet.method.login_mut());
        for login in ways_in.chain(ways_out) {
            login.keep_tokens_in(self.oauth.tokens);
        }
        let config = Config {
            me: self.me,
            mailboxes,
            outlets,
            serve: self.serve,
            web: self.web,
            spam: self.spam,
            ui: self.ui,
            keys: self.keys.understand(text),
            notify: self.notify,
            commands: self.command.into_iter().map(|command| command.understand(text)).collect(),
            hooks: self.hooks,
            pgp: self.pgp.within(folder),
            smime: self.smime.within(folder),
        };
        config.check(text)?;
        Ok(config)
    }
}

impl Config {
    /// Looks at what only the whole shows.
    fn check(&self, text: &str) -> Result<(), ConfigError> {
        self.check_places(text)?;
        self.spam.check().map_err(|wrong| wrong.within("spam", text))?;
        if self.pgp.sign && self.smime.sign {
            let wrong = error::Wrong::new("sign", "mail is signed with OpenPGP already");
            return Err(wrong.hint("keep sign = true in one of [pgp] and [smime]").within("smime", text));
        }
        let known: Vec<String> = self.outlets.keys().cloned().collect();
        for (name, mailbox) in &self.mailboxes {
            let Some(outlet) = mailbox.outlet.as_ref().filter(|o| !known.contains(o)) else { continue };
            let wrong = error::Wrong::new("outlet", format!("there is no [outlet.{outlet}]"));
            let wrong = match known.is_empty() {
                true => wrong,
                false => wrong.hint(meant(outlet, &known)),
            };
            return Err(wrong.within(&format!("mailbox.{name}"), text));
        }
        let addresses = [
            ("serve", "metrics", self.serve.metrics.as_deref()),
            ("web", "listen", self.web.as_ref().map(|w| w.listen.as_str())),
            ("spam", "name_server", self.spam.name_server.as_deref()),
        ];
        for (section, key, value) in addresses {
            if let Some(value) = value.filter(|value| value.parse::<SocketAddr>().is_err()) {
                let wrong = error::Wrong::new(key, format!("`{value}` is not an address and a port"));
                let port = if key == "name_server" { 53 } else { 8380 };
                return Err(wrong.hint(format!("write 127.0.0.1:{port}")).within(section, text));
            }
        }
        let base = self.web.as_ref().map_or("https://", |web| web.base_url.as_str());
        if !base.starts_with("https://") && !base.starts_with("http://") || base.chars().any(char::is_control)
        {
            let wrong =
                error::Wrong::new("base_url", format!("`{}` is no address of a page", base.escape_debug()));
            let hint = "write https://desk.example.com: what customers reach, in front of `listen`";
            return Err(wrong.hint(hint).within("web", text));
        }
        Ok(())
    }

    /// Refuses two mailboxes that read the same place: each would take mail from the other.
    fn check_places(&self, text: &str) -> Result<(), ConfigError> {
        let mut places = BTreeSet::new();
        for (name, mailbox) in self.mailboxes.iter().filter(|(_, m)| m.enabled) {
            if !places.insert(place(&mailbox.source)) {
                let wrong = error::Wrong::new("mailbox", "another mailbox reads the same folder already")
                    .hint("one mailbox serves any number of projects; remove one of the two");
                return Err(wrong.within(&format!("mailbox.{name}"), text));
            }
        }
        Ok(())
    }
}

fn place(source: &SourceConfig) -> (String, String, String) {
    let inbox = |folder: &str| match folder.eq_ignore_ascii_case("inbox") {
        true => "INBOX".to_owned(),
        false => folder.to_owned(),
    };
    match source {
        SourceConfig::Imap(c) => (c.server.host.to_lowercase(), c.login.user.clone(), inbox(&c.folder)),
        SourceConfig::Maildir { path } => (String::new(), String::new(), path.display().to_string()),
        SourceConfig::MicrosoftGraph(c) => (c.endpoint.clone(), c.user.to_lowercase(), inbox(&c.folder)),
    }
}

/// Says what the TOML reader found wrong; for an unknown key, which known one is nearest.
fn misfit(error: &toml::de::Error, text: &str) -> ConfigError {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map(|above| above.matches('\n').count() + 1);
    let message = error.message().trim().replace('\n', ", ");
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown field").then(|| words.next()).flatten();
    let Some(unknown) = unknown.map(str::to_owned) else {
        return ConfigError { path: None, line, message, hint: None };
    };
    let known: Vec<String> = words.map(str::to_owned).collect();
    ConfigError {
        path: None,
        line,
        message: format!("there is no key `{unknown}` here"),
        hint: (!known.is_empty()).then(|| hint_at_keys(&meant(&unknown, &known))),
    }
}

/// Says what was meant, and where every key stands.
fn hint_at_keys(meant: &str) -> String {
    let end = if meant.ends_with('?') { "" } else { ";" };
    format!("{meant}{end} `deskbell init --example` shows every key")
}

#[cfg(test)]
mod tests;
