//! What the screen is told when it starts, and what may be wrong with it.

use jiff::tz::TimeZone;
use std::path::PathBuf;

/// One key of the user's own, `[keys.list] "g p" = "project-list"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserKey {
    /// `all`, `list`, `thread`, `composer`, …
    pub place: String,
    pub keys: String,
    pub action: String,
    /// Where it stands in the config, counted from 1.
    pub line: Option<usize>,
}

/// How the screen is to behave; the `[ui]` and `[keys]` of the config.
#[derive(Clone, Debug)]
pub struct Options {
    /// `auto`, `dark`, `light` or `mono`.
    pub theme: String,
    pub no_color: bool,
    /// Whether the terminal is known to have a light ground.
    pub light_ground: bool,
    pub ascii: bool,
    pub auto_advance: bool,
    pub bell: bool,
    pub keys: Vec<UserKey>,
    pub time_zone: TimeZone,
    /// Where drafts for `$EDITOR` and opened attachments are written, a folder of the user's own.
    pub scratch_dir: PathBuf,
    /// Where saved attachments go unless another place is typed.
    pub save_dir: PathBuf,
    /// The command line of the editor; empty: `$VISUAL`, `$EDITOR`, then `vi`.
    pub editor: String,
    /// Whether this is the demo, which the first screen then says.
    pub demo: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            theme: "auto".to_owned(),
            no_color: false,
            light_ground: false,
            ascii: false,
            auto_advance: true,
            bell: true,
            keys: Vec::new(),
            time_zone: TimeZone::UTC,
            scratch_dir: std::env::temp_dir(),
            save_dir: PathBuf::from("."),
            editor: String::new(),
            demo: false,
        }
    }
}

/// Why the screen cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    #[error("there is no theme `{0}`; known are auto, dark, light and mono")]
    Theme(String),
    #[error("the theme cannot be read: {0}")]
    ThemeTable(String),
    #[error("the keymap cannot be read: {0}")]
    KeymapTable(String),
    #[error("{place}: there is no action `{action}`{nearest}{at}")]
    Action { place: String, action: String, nearest: String, at: String },
    #[error("there is no place `{0}` for keys; known are {1}{2}")]
    Place(String, String, String),
    #[error("{place}: `{keys}` is not a key{at}")]
    Key { place: String, keys: String, at: String },
    #[error("{place}: `{keys}` is bound twice, to `{first}` and to `{second}`{at}")]
    Twice { place: String, keys: String, first: String, second: String, at: String },
    #[error("{place}: `{keys}` is in the way of `{longer}`, which begins with it{at}")]
    Shadowed { place: String, keys: String, longer: String, at: String },
}
