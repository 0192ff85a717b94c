//! The sections of the config that need no more than their types.

use super::{
    error::Wrong,
    server::is_loopback,
    values::{duration, filled},
};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::time::Duration;

/// `[me]`: who acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Me {
    #[serde(deserialize_with = "filled")]
    pub user: Option<String>,
}

/// `[serve]`: how the desk is served.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serve {
    /// Who may attach besides the owner; the socket is then 0660.
    #[serde(deserialize_with = "filled")]
    pub socket_group: Option<String>,
    /// Where Prometheus may ask, `127.0.0.1:9380`.
    #[serde(deserialize_with = "filled")]
    pub metrics: Option<String>,
    /// After failing this long something counts as stale.
    #[serde(deserialize_with = "duration")]
    pub stale_after: Duration,
}

impl Default for Serve {
    fn default() -> Self {
        Self { socket_group: None, metrics: None, stale_after: Duration::from_secs(15 * 60) }
    }
}

/// `[web]`: the page for unsubscribing; absent, there is none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    pub listen: String,
    pub base_url: String,
    /// What `%{ISSUE_URL}` gives.
    #[serde(default, deserialize_with = "filled")]
    pub issue_url: Option<String>,
}

/// `[spam]`: who is asked about a mail, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spam {
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// Whether what staff decide teaches a classifier of the desk's own.
    pub local: bool,
    /// Whether SPF, DKIM and DMARC are checked where no trusted server has done it.
    pub authentication: bool,
    /// Who is asked for names, `127.0.0.1:53`; absent, whom the system asks.
    #[serde(deserialize_with = "filled")]
    pub name_server: Option<String>,
    pub akismet: Akismet,
    pub rspamd: Rspamd,
}

impl Default for Spam {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            local: true,
            authentication: true,
            name_server: None,
            akismet: Akismet::default(),
            rspamd: Rspamd::default(),
        }
    }
}

impl Spam {
    /// Looks for what would make every question fail, or tell a key to the network.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let Akismet { enabled, key_env, site, endpoint, .. } = &self.akismet;
        let wrong = |what: &str, hint: &str| Err(Wrong::new("akismet", what).hint(hint));
        if *enabled && key_env.is_none() {
            return wrong(
                "it has no key",
                "name the environment variable that holds it: key_env = \"AKISMET_KEY\"",
            );
        }
        if *enabled && site.as_deref().is_none_or(|site| host(site).is_none()) {
            return wrong("it has no site", "write your home page: site = \"https://www.example.com\"");
        }
        let plain = endpoint.as_deref().filter(|url| !url.starts_with("https://"));
        if plain.is_some_and(|url| !host(url).is_some_and(is_loopback)) {
            return wrong("its endpoint would show the key to the network", "write https:// before it");
        }
        Ok(())
    }
}

/// Gives the host of a URL that begins with http:// or https://.
pub(super) fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let place = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
    let host = match place.find(']') {
        Some(end) => place.get(..=end)?,
        None => place.split(':').next()?,
    };
    Some(host).filter(|host| !host.is_empty())
}

/// The spam service Akismet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Akismet {
    pub enabled: bool,
    #[serde(deserialize_with = "filled")]
    /// The environment variable with the key.
    pub key_env: Option<String>,
    /// The home page of whoever runs the desk, with `https://`.
    #[serde(deserialize_with = "filled")]
    pub site: Option<String>,
    /// Where the service is, instead of Akismet's own place.
    #[serde(deserialize_with = "filled")]
    pub endpoint: Option<String>,
    /// Whether Akismet is told that these are trials, from which it must not learn.
    pub is_test: bool,
}

/// The spam filter Rspamd.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rspamd {
    pub enabled: bool,
    /// The worker that checks mail.
    pub url: String,
    /// The worker that learns.
    pub controller_url: String,
    /// The environment variable with the controller's password.
    #[serde(deserialize_with = "filled")]
    pub password_env: Option<String>,
}

impl Default for Rspamd {
    fn default() -> Self {
        Self {
            enabled: false,
            url: "http://127.0.0.1:11333".to_owned(),
            controller_url: "http://127.0.0.1:11334".to_owned(),
            password_env: None,
        }
    }
}

/// Which default keys the screens start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keymap {
    #[default]
    Vim,
    Emacs,
    Mutt,
    Gmail,
}

impl Keymap {
    /// Gives its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vim => "vim",
            Self::Emacs => "emacs",
            Self::Mutt => "mutt",
            Self::Gmail => "gmail",
        }
    }
}

/// `[ui]`: how the screens look and behave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ui {
    pub keymap: Keymap,
    pub theme: String,
    pub mouse: bool,
    pub ascii: bool,
    pub plain: bool,
    pub links: bool,
    pub images: String,
    pub auto_advance: bool,
    pub time_zone: String,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            keymap: Keymap::Vim,
            theme: "auto".to_owned(),
            mouse: false,
            ascii: false,
            plain: false,
            links: true,
            images: "auto".to_owned(),
            auto_advance: true,
            time_zone: "local".to_owned(),
        }
    }
}

/// `[notify]`: how a person at the screen is told of news.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    pub bell: bool,
    pub osc: bool,
    #[serde(deserialize_with = "filled")]
    pub command: Option<String>,
    pub show_subject: bool,
}

impl Default for Notify {
    fn default() -> Self {
        Self { bell: true, osc: true, command: None, show_subject: false }
    }
}

/// How a command of one's own runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandMode {
    /// Its output is shown.
    #[default]
    Read,
    /// It runs once a person has agreed.
    Confirm,
    Background,
}

/// `[hooks]`: shell commands that run when something happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hooks {
    #[serde(deserialize_with = "filled")]
    pub new_issue: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub note: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub close: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub stale: Option<String>,
    /// Those that rules run, by name.
    #[serde(deserialize_with = "filled_all")]
    pub named: BTreeMap<String, String>,
}

/// Reads commands by name; an empty one counts as absent.
fn filled_all<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let mut all = BTreeMap::<String, String>::deserialize(from)?;
    all.retain(|_, command| !command.trim().is_empty());
    Ok(all)
}
