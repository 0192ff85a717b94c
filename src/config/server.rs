//! Servers: where one is, how it is trusted, and how to log in there.

use super::{
    error::Wrong,
    oauth::{self, Keeping, OAuth},
    paths::resolve,
    secret::{Secret, SecretSource},
};
use serde::Deserialize;
use std::{net::IpAddr, path::Path, path::PathBuf, time::Duration};

/// How long a server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first octet.
    Implicit,
    StartTls,
    /// None: on this machine, or where the config says so aloud.
    Plaintext,
}

/// A server to connect to, and what proves that it is the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    /// A file of further trust anchors, in PEM.
    pub ca_file: Option<PathBuf>,
    /// The SHA-256 of the one certificate that is accepted.
    pub fingerprint: Option<[u8; 32]>,
    /// How long it may take for one answer.
    pub timeout: Duration,
}

/// How to prove who we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    #[default]
    Login,
    Plain,
    Xoauth2,
    Oauthbearer,
}

impl Auth {
    /// Tells whether it takes an access token instead of a password.
    pub fn takes_token(self) -> bool {
        matches!(self, Self::Xoauth2 | Self::Oauthbearer)
    }
}

/// A name and the way to its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The mailbox or outlet that it opens.
    pub owner: String,
    pub user: String,
    pub auth: Auth,
    pub secret: SecretSource,
    /// Who gives out tokens, where the secret is one and is stored.
    pub oauth: Option<Box<OAuth>>,
}

impl Login {
    /// Says where its tokens are kept.
    pub(super) fn keep_tokens_in(&mut self, keeping: Keeping) {
        if let Some(oauth) = &mut self.oauth {
            oauth.keeping = keeping;
        }
    }
}

/// The keys of a server and a login as they are written, for mailboxes and outlets alike.
pub(super) struct Written {
    pub host: Option<String>,
    pub port: Option<u16>,
    /// The ports of implicit TLS, STARTTLS and neither.
    pub usual_ports: [u16; 3],
    pub ssl: Option<bool>,
    pub start_tls: Option<bool>,
    pub allow_plaintext: bool,
    pub ca_file: Option<PathBuf>,
    pub fingerprint: Option<String>,
    pub timeout: Option<Duration>,
    pub user: Option<String>,
    pub auth: Auth,
    pub password: Option<String>,
    pub password_env: Option<String>,
    pub password_command: Option<String>,
    pub token_command: Option<String>,
    pub oauth: Option<oauth::Written>,
}

impl Written {
    pub fn server(&self, folder: &Path) -> Result<Server, Wrong> {
        let host = self.host.clone().ok_or_else(|| {
            Wrong::new("host", "it is missing").hint("write the server's name: host = \"mail.example.com\"")
        })?;
        let encryption = self.encryption(&host)?;
        let [implicit, start_tls, neither] = self.usual_ports;
        let usual = match encryption {
            Encryption::Implicit => implicit,
            Encryption::StartTls => start_tls,
            Encryption::Plaintext => neither,
        };
        Ok(Server {
            host,
            port: self.port.unwrap_or(usual),
            encryption,
            ca_file: self.ca_file.as_deref().map(|path| resolve(folder, path)),
            fingerprint: self.fingerprint()?,
            timeout: self.timeout.unwrap_or(PATIENCE),
        })
    }

    fn encryption(&self, host: &str) -> Result<Encryption, Wrong> {
        let start_tls = self.start_tls.unwrap_or(false);
        match (self.ssl.unwrap_or(!start_tls), start_tls) {
            (true, false) => Ok(Encryption::Implicit),
            (false, true) => Ok(Encryption::StartTls),
            (true, true) => Err(Wrong::new("start_tls", "ssl and start_tls exclude each other")
                .hint("ssl = true is TLS from the start (ports 993, 465), start_tls upgrades (143, 587)")),
            (false, false) if self.allow_plaintext || is_loopback(host) => Ok(Encryption::Plaintext),
            (false, false) => {
                Err(Wrong::new("ssl", format!("without TLS, the password would go to {host} in the clear"))
                    .hint("set ssl = true or start_tls = true; allow_plaintext = true insists"))
            }
        }
    }

    fn fingerprint(&self) -> Result<Option<[u8; 32]>, Wrong> {
        let Some(text) = &self.fingerprint else { return Ok(None) };
        if self.ca_file.is_some() {
            return Err(Wrong::new("fingerprint", "ca_file and fingerprint exclude each other"));
        }
        let wrong = || {
            Wrong::new("fingerprint", "it is not a SHA-256 fingerprint")
                .hint("write fingerprint = \"sha256:\" and 64 hexadecimal digits; `deskbell doctor` shows it")
        };
        parse_fingerprint(text).map(Some).ok_or_else(wrong)
    }

    /// Gives the login; `None` when no user is named.
    pub fn login(&self, owner: &str, folder: &Path) -> Result<Option<Login>, Wrong> {
        let secret = self.secret(folder)?;
        match &self.user {
            Some(user) => Ok(Some(Login {
                owner: owner.to_owned(),
                user: user.clone(),
                auth: self.auth,
                secret,
                oauth: self.oauth.clone().map(|oauth| oauth.understand(folder)).transpose()?.map(Box::new),
            })),
            None if secret == SecretSource::Absent => Ok(None),
            None => Err(Wrong::new("user", "there is a password, but nobody it belongs to")
                .hint("set user to the login name")),
        }
    }

    fn secret(&self, folder: &Path) -> Result<SecretSource, Wrong> {
        let command = |line: &String| SecretSource::Command { line: line.clone(), folder: folder.to_owned() };
        let token = self.auth.takes_token();
        let ways = [
            self.password.as_ref().map(|text| SecretSource::Given(Secret::new(text))),
            self.password_env.as_ref().map(|name| SecretSource::Env(name.clone())),
            self.password_command.as_ref().map(command),
            self.token_command.as_ref().filter(|_| token).map(command),
        ];
        let mut ways = ways.into_iter().flatten();
        let first = ways.next();
        if ways.next().is_some() {
            return Err(Wrong::new("password", "the secret is given in more than one way")
                .hint("keep one of password_command, password_env, password and token_command"));
        }
        Ok(first.unwrap_or(if token { SecretSource::Stored } else { SecretSource::Absent }))
    }
}

/// Tells whether a host is this machine, so that nothing said to it passes a wire.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let named = bare.eq_ignore_ascii_case("localhost") || bare.to_lowercase().ends_with(".localhost");
    named || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Reads `sha256:` and 32 octets in hexadecimal, with or without colons between them.
fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits = text.trim().strip_prefix("sha256:")?.replace(':', "");
    let digits: Option<Vec<u32>> = digits.chars().map(|c| c.to_digit(16)).collect();
    let octets = digits?.chunks(2).map(pair).collect::<Option<Vec<u8>>>()?;
    octets.try_into().ok()
}

fn pair(digits: &[u32]) -> Option<u8> {
    match digits {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_is_this_machine_and_nothing_else() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "imap.localhost"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "127.0.0.1.nip.io", "10.0.0.1", "", "127"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_fingerprint_is_64_digits_with_or_without_colons() {
        let plain = format!("sha256:{}", "0aFf".repeat(16));
        let parsed = parse_fingerprint(&plain).unwrap();
        assert_eq!(parsed[..2], [0x0a, 0xff]);
        assert_eq!(parse_fingerprint(&format!("sha256:{}", ["0A:ff"; 16].join(":"))), Some(parsed));
        for bad in ["", "sha256:", "sha1:00", &"0".repeat(64), &format!("sha256:{}0", "0".repeat(64))] {
            assert_eq!(parse_fingerprint(bad), None, "{bad}");
        }
    }
}
