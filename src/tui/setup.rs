//! What the screen is told when it starts, and what may be wrong with it.

use super::images::{Graphics, Surroundings, WORDS};
use super::keymap::Keymap;
use super::news::Notify;
use super::theme::{Look, Theme};
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::time::Duration;

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

/// When a command of one's own runs, and where its output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMode {
    /// Its output is shown.
    Read,
    /// As `Read`, once the person has agreed.
    Confirm,
    /// Only its end is told.
    Background,
}

/// A command of one's own, `[[command]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCommand {
    pub keys: String,
    pub name: String,
    /// A line for the shell.
    pub run: String,
    pub mode: RunMode,
    /// After so long it is ended.
    pub timeout: Duration,
    /// Where its key stands in the config, counted from 1.
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
    /// Read line by line: nothing side by side, no drawn lines, the cursor on what is selected.
    pub plain: bool,
    /// Whether addresses are links that the terminal opens.
    pub links: bool,
    /// How pictures are shown: `auto`, `off`, `blocks`, `kitty`, `iterm2` or `sixel`.
    pub images: String,
    /// What the environment says of the terminal.
    pub surroundings: Surroundings,
    /// Whether the mouse is taken.
    pub mouse: bool,
    pub notify: Notify,
    /// `vim`, `emacs`, `mutt` or `gmail`.
    pub keymap: String,
    pub keys: Vec<UserKey>,
    /// Commands of the person's own.
    pub commands: Vec<OwnCommand>,
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
            plain: false,
            links: true,
            images: "auto".to_owned(),
            surroundings: Surroundings::default(),
            mouse: false,
            notify: Notify::default(),
            keymap: "vim".to_owned(),
            keys: Vec::new(),
            commands: Vec::new(),
            time_zone: TimeZone::UTC,
            scratch_dir: std::env::temp_dir(),
            save_dir: PathBuf::from("."),
            editor: String::new(),
            demo: false,
        }
    }
}

impl Options {
    /// Refuses what the screen could not start with: a theme that does not exist, keys that make no sense.
    pub fn check(&self) -> Result<(), SetupError> {
        self.look()?;
        self.graphics()?;
        self.bindings().map(drop)
    }

    /// Gives the theme with its signs.
    pub(super) fn look(&self) -> Result<Theme, SetupError> {
        let signs = match (self.plain, self.ascii) {
            (true, _) => Look::Plain,
            (false, true) => Look::Ascii,
            (false, false) => Look::Drawn,
        };
        Theme::named(&self.theme, self.no_color, self.light_ground, signs)
    }

    /// Decides how pictures are shown.
    pub(super) fn graphics(&self) -> Result<Graphics, SetupError> {
        let bare = self.no_color || self.ascii || self.plain || self.theme == "mono";
        let graphics = Graphics::of(&self.images, bare, &self.surroundings);
        graphics.ok_or_else(|| SetupError::Images(self.images.clone(), WORDS.join(", ")))
    }

    /// Makes the table of keys: those of the keymap, the person's own, and those of their commands.
    pub(super) fn bindings(&self) -> Result<Keymap, SetupError> {
        let own = self.commands.iter().zip(1..=u8::MAX).flat_map(|(command, number)| {
            ["list", "thread"].map(|place| UserKey {
                place: place.to_owned(),
                keys: command.keys.clone(),
                action: format!("command-{number}"),
                line: command.line,
            })
        });
        let keys: Vec<UserKey> = self.keys.iter().cloned().chain(own).collect();
        Keymap::new(&self.keymap, &keys)
    }
}

/// Why the screen cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    #[error("there is no theme `{0}`; known are auto, dark, light and mono")]
    Theme(String),
    #[error("images: there is no way `{0}` to show pictures; known are {1}")]
    Images(String, String),
    #[error("the theme cannot be read: {0}")]
    ThemeTable(String),
    #[error("there is no keymap `{0}`; known are vim, emacs, mutt and gmail")]
    Preset(String),
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
