//! `oauth = { … }`: who gives out access tokens, and as which application we ask for them.
//!
//! The places of the large providers are known here; a config may name others for a national cloud.

use super::{error::Wrong, secret::SecretSource, sections::host, server::is_loopback, values::filled};
use serde::Deserialize;
use std::path::Path;

/// Who gives out access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    Google,
    Microsoft,
    Custom,
}

/// Where tokens are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeping {
    /// In the keyring of the desktop where one takes them, else in a file.
    #[default]
    Auto,
    Keyring,
    File,
}

/// `[oauth]`: what holds for every token of the desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    pub tokens: Keeping,
}

/// How `deskbell login` gets tokens, and how they are renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth {
    pub provider: Provider,
    /// The application that we are there; empty where it was not given.
    pub client_id: String,
    /// Its secret, where it has one.
    pub client_secret: SecretSource,
    /// Where a browser begins (RFC 6749, section 3.1).
    pub auth_url: Option<String>,
    /// Where a device begins (RFC 8628, section 3.1).
    pub device_url: Option<String>,
    /// Where tokens are given out; empty where it was not given.
    pub token_url: String,
    /// What the tokens are for, parted by blanks.
    pub scope: String,
    /// Where they are kept, as the section `[oauth]` says.
    pub keeping: Keeping,
}

/// The keys as they are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    provider: Provider,
    #[serde(default)]
    client_id: String,
    #[serde(default, deserialize_with = "filled")]
    client_secret_command: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    tenant: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    auth_url: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    device_url: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    token_url: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    scope: Option<String>,
}

/// What a provider has where the config says nothing.
#[derive(Default)]
struct Usual {
    auth_url: Option<String>,
    device_url: Option<String>,
    token_url: String,
    scope: &'static str,
}

impl Written {
    /// Makes sense of the keys; the command for the secret runs in `folder`.
    pub fn understand(self, folder: &Path) -> Result<OAuth, Wrong> {
        let tenant = self.tenant.as_deref().unwrap_or("common");
        if !is_tenant(tenant) {
            return Err(Wrong::new("oauth", format!("`{tenant}` is no tenant"))
                .hint("write the directory's id or one of its domains: tenant = \"acme.example\""));
        }
        for url in [&self.auth_url, &self.device_url, &self.token_url].into_iter().flatten() {
            check_url("oauth", url)?;
        }
        let usual = usual(self.provider, tenant);
        // A provider that stands elsewhere may have no other of its usual places.
        let elsewhere = self.token_url.is_some();
        let place = |given: Option<String>, usual: Option<String>| given.or(usual.filter(|_| !elsewhere));
        let command = self.client_secret_command;
        Ok(OAuth {
            provider: self.provider,
            client_id: self.client_id.trim().to_owned(),
            client_secret: command.map_or(SecretSource::Absent, |line| SecretSource::Command {
                line,
                folder: folder.to_owned(),
            }),
            auth_url: place(self.auth_url, usual.auth_url),
            device_url: place(self.device_url, usual.device_url),
            token_url: self.token_url.unwrap_or(usual.token_url),
            scope: self.scope.unwrap_or_else(|| usual.scope.to_owned()),
            keeping: Keeping::default(),
        })
    }
}

fn usual(provider: Provider, tenant: &str) -> Usual {
    let microsoft = |what: &str| format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/{what}");
    match provider {
        // Google gives no scope for mail to devices, so there is no place for them.
        Provider::Google => Usual {
            auth_url: Some("https://accounts.google.com/o/oauth2/v2/auth".to_owned()),
            device_url: None,
            token_url: "https://oauth2.googleapis.com/token".to_owned(),
            scope: "https://mail.google.com/",
        },
        Provider::Microsoft => Usual {
            auth_url: Some(microsoft("authorize")),
            device_url: Some(microsoft("devicecode")),
            token_url: microsoft("token"),
            scope: "https://outlook.office.com/IMAP.AccessAsUser.All \
                    https://outlook.office.com/SMTP.Send offline_access",
        },
        Provider::Custom => Usual::default(),
    }
}

/// Tells whether a text can stand in an address as a directory at Microsoft.
pub(super) fn is_tenant(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) && text != ".."
}

/// Refuses a URL by which a token or a secret would pass the network in the clear.
pub(super) fn check_url(key: &'static str, url: &str) -> Result<(), Wrong> {
    let wrong = |what: &str| Err(Wrong::new(key, format!("`{url}` {what}")).hint("write https:// before it"));
    match host(url) {
        None => wrong("is no address of a web service"),
        Some(name) if url.starts_with("https://") || is_loopback(name) => Ok(()),
        Some(_) => wrong("would show secrets to the network"),
    }
}
