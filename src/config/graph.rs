//! Microsoft Graph: the application that reads and sends for an account of Microsoft 365.

use super::{
    error::Wrong,
    oauth::{Keeping, OAuth, Provider, check_url, is_tenant},
    secret::{Secret, SecretSource},
    values::{duration, filled},
};
use serde::Deserialize;
use std::{path::Path, time::Duration};

const AZURE_AD: &str = "https://login.microsoftonline.com";
const GRAPH: &str = "https://graph.microsoft.com";
const POLL: Duration = Duration::from_secs(60);

/// An account in Microsoft 365, and the application that works in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphConfig {
    pub user: String,
    /// The folder, as people write it; outlets have none.
    pub folder: String,
    /// How the application gets its tokens; what was not given is empty.
    pub application: Box<OAuth>,
    /// Where Graph is, without a slash at its end.
    pub endpoint: String,
    pub poll_interval: Duration,
}

/// `inbox_options = { … }` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct InboxOptions {
    tenant_id: String,
    client_id: String,
    #[serde(deserialize_with = "filled")]
    client_secret: Option<String>,
    #[serde(deserialize_with = "filled")]
    client_secret_command: Option<String>,
    #[serde(deserialize_with = "duration")]
    poll_interval: Duration,
    #[serde(deserialize_with = "filled")]
    azure_ad_endpoint: Option<String>,
    #[serde(deserialize_with = "filled")]
    graph_endpoint: Option<String>,
}

impl Default for InboxOptions {
    fn default() -> Self {
        Self {
            tenant_id: String::new(),
            client_id: String::new(),
            client_secret: None,
            client_secret_command: None,
            poll_interval: POLL,
            azure_ad_endpoint: None,
            graph_endpoint: None,
        }
    }
}

impl InboxOptions {
    /// Makes sense of the keys; the command for the secret runs in `folder`.
    pub fn understand(&self, user: String, mailbox: &str, folder: &Path) -> Result<GraphConfig, Wrong> {
        let place = |given: &Option<String>, usual: &str| -> Result<String, Wrong> {
            let url = given.as_deref().unwrap_or(usual).trim_end_matches('/').to_owned();
            check_url("inbox_options", &url).map(|()| url)
        };
        let azure_ad = place(&self.azure_ad_endpoint, AZURE_AD)?;
        let endpoint = place(&self.graph_endpoint, GRAPH)?;
        let tenant = self.tenant_id.trim();
        if !is_tenant(tenant) {
            return Err(Wrong::new("inbox_options", format!("`{tenant}` is no tenant_id"))
                .hint("write the directory's id, or one of its domains"));
        }
        let token_url = match tenant {
            "" => String::new(),
            tenant => format!("{azure_ad}/{tenant}/oauth2/v2.0/token"),
        };
        Ok(GraphConfig {
            user,
            folder: mailbox.to_owned(),
            application: Box::new(OAuth {
                provider: Provider::Microsoft,
                client_id: self.client_id.trim().to_owned(),
                client_secret: self.secret(folder)?,
                auth_url: None,
                device_url: None,
                token_url,
                scope: format!("{endpoint}/.default"),
                keeping: Keeping::default(),
            }),
            endpoint,
            poll_interval: if self.poll_interval.is_zero() { POLL } else { self.poll_interval },
        })
    }

    fn secret(&self, folder: &Path) -> Result<SecretSource, Wrong> {
        match (&self.client_secret, &self.client_secret_command) {
            (Some(_), Some(_)) => Err(Wrong::new("inbox_options", "the secret is given in two ways")
                .hint("keep one of client_secret_command and client_secret")),
            (Some(text), None) => Ok(SecretSource::Given(Secret::new(text))),
            (None, Some(line)) => Ok(SecretSource::Command { line: line.clone(), folder: folder.to_owned() }),
            (None, None) => Ok(SecretSource::Absent),
        }
    }
}
