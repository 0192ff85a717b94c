//! The sections of the config that need no more than their types.

use super::values::{duration, filled};
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

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
    pub local: bool,
    pub akismet: Akismet,
    pub rspamd: Rspamd,
}

impl Default for Spam {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            local: true,
            akismet: Akismet::default(),
            rspamd: Rspamd::default(),
        }
    }
}

/// The spam service Akismet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Akismet {
    pub enabled: bool,
    #[serde(deserialize_with = "filled")]
    pub key_env: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub site: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub endpoint: Option<String>,
}

/// The spam filter Rspamd.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rspamd {
    pub enabled: bool,
    pub url: String,
    pub controller_url: String,
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

/// `[ui]`: how the screens look and behave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ui {
    pub keymap: Keymap,
    pub theme: String,
    pub mouse: bool,
    pub ascii: bool,
    pub plain: bool,
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
            images: "auto".to_owned(),
            auto_advance: true,
            time_zone: "local".to_owned(),
        }
    }
}

/// `[keys.PLACE]`: keys bound anew, from the key to the name of what it does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    pub list: BTreeMap<String, String>,
    pub thread: BTreeMap<String, String>,
    pub composer: BTreeMap<String, String>,
    pub all: BTreeMap<String, String>,
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

/// `[[command]]`: a command of one's own, on a key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnCommand {
    pub key: String,
    pub name: String,
    pub run: String,
    #[serde(default)]
    pub mode: CommandMode,
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
}
