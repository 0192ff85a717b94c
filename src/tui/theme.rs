//! Named styles and the few signs the screen is drawn with.
//!
//! Owns the reading of theme tables. A style names what a text is, never which colour it has.

use super::setup::SetupError;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

const DARK: &str = include_str!("../../assets/themes/dark.toml");
const LIGHT: &str = include_str!("../../assets/themes/light.toml");
const MONO: &str = include_str!("../../assets/themes/mono.toml");

/// Every style of the screen.
#[derive(Clone, Debug, Default)]
pub struct Theme {
    pub strong: Style,
    pub dim: Style,
    pub accent: Style,
    pub accent_strong: Style,
    pub warning: Style,
    pub warning_strong: Style,
    /// What must not be overlooked.
    pub alarm: Style,
    pub selected: Style,
    pub marked: Style,
    pub rule: Style,
    pub key: Style,
    pub code: Style,
    pub link: Style,
    pub quote: Style,
    pub signs: Signs,
}

/// With which signs the screen is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    #[default]
    Drawn,
    Ascii,
    /// For screens that are read aloud.
    Plain,
}

/// The signs of the screen; each has a plain form for terminals that lack them.
#[derive(Clone, Debug)]
pub struct Signs {
    pub ellipsis: &'static str,
    pub rule: &'static str,
    pub double_rule: &'static str,
    pub bar: &'static str,
    pub cursor: &'static str,
    pub mark: &'static str,
    pub unread: &'static str,
    pub warning: &'static str,
    pub ok: &'static str,
    pub bad: &'static str,
    pub busy: &'static str,
    pub folded: &'static str,
    pub unfolded: &'static str,
    pub bullet: &'static str,
    pub none: &'static str,
    pub dot: &'static str,
    pub draft: &'static str,
}

impl Default for Signs {
    fn default() -> Self {
        Self {
            ellipsis: "…",
            rule: "─",
            double_rule: "═",
            bar: "│",
            cursor: "▌",
            mark: "◆",
            unread: "●",
            warning: "⚠",
            ok: "✓",
            bad: "✗",
            busy: "↻",
            folded: "▸",
            unfolded: "▾",
            bullet: "•",
            none: "–",
            dot: "·",
            draft: "✎",
        }
    }
}

impl Signs {
    /// Signs for a screen that is read aloud: words where a sign would only be a sound, and no drawn lines.
    fn plain() -> Self {
        Self {
            rule: " ",
            double_rule: " ",
            bar: " ",
            unread: "new",
            warning: "careful:",
            mark: "+",
            bad: "failed",
            none: "none",
            draft: "draft",
            dot: ",",
            ..Self::ascii()
        }
    }

    fn ascii() -> Self {
        Self {
            ellipsis: "~",
            rule: "-",
            double_rule: "=",
            bar: "|",
            cursor: ">",
            mark: "*",
            unread: "o",
            warning: "!",
            ok: "ok",
            bad: "x",
            busy: "..",
            folded: "+",
            unfolded: "-",
            bullet: "*",
            none: "-",
            dot: "-",
            draft: "%",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    strong: String,
    dim: String,
    accent: String,
    accent_strong: String,
    warning: String,
    warning_strong: String,
    alarm: String,
    selected: String,
    marked: String,
    rule: String,
    key: String,
    code: String,
    link: String,
    quote: String,
}

impl Theme {
    /// Gives the theme called `auto`, `dark`, `light` or `mono`.
    pub fn named(name: &str, no_color: bool, light_ground: bool, signs: Look) -> Result<Self, SetupError> {
        let table = match name {
            _ if no_color => MONO,
            "auto" | "" => [DARK, LIGHT][usize::from(light_ground)],
            "dark" => DARK,
            "light" => LIGHT,
            "mono" => MONO,
            _ => return Err(SetupError::Theme(name.to_owned())),
        };
        let mut theme = Self::read(table)?;
        theme.signs = match signs {
            Look::Drawn => Signs::default(),
            Look::Ascii => Signs::ascii(),
            Look::Plain => Signs::plain(),
        };
        Ok(theme)
    }

    fn read(text: &str) -> Result<Self, SetupError> {
        let table: Table = toml::from_str(text).map_err(|e| SetupError::ThemeTable(e.to_string()))?;
        Ok(Self {
            strong: style(&table.strong)?,
            dim: style(&table.dim)?,
            accent: style(&table.accent)?,
            accent_strong: style(&table.accent_strong)?,
            warning: style(&table.warning)?,
            warning_strong: style(&table.warning_strong)?,
            alarm: style(&table.alarm)?,
            selected: style(&table.selected)?,
            marked: style(&table.marked)?,
            rule: style(&table.rule)?,
            key: style(&table.key)?,
            code: style(&table.code)?,
            link: style(&table.link)?,
            quote: style(&table.quote)?,
            signs: Signs::default(),
        })
    }
}

fn style(words: &str) -> Result<Style, SetupError> {
    words.split_whitespace().try_fold(Style::new(), |style, word| {
        let weight = match word {
            "bold" => Some(Modifier::BOLD),
            "dim" => Some(Modifier::DIM),
            "italic" => Some(Modifier::ITALIC),
            "underline" => Some(Modifier::UNDERLINED),
            "reverse" => Some(Modifier::REVERSED),
            _ => None,
        };
        match weight {
            Some(weight) => Ok(style.add_modifier(weight)),
            None => colour(word).map(|colour| style.fg(colour)),
        }
    })
}

fn colour(word: &str) -> Result<Color, SetupError> {
    let named = !word.starts_with('#') && !word.contains(|c: char| c.is_ascii_digit());
    let colour = word.parse().ok().filter(|_| named);
    colour.ok_or_else(|| SetupError::ThemeTable(format!("`{word}` is no colour of the terminal's palette")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_can_be_read_and_mono_has_no_colour() {
        for name in ["auto", "dark", "light", "mono"] {
            Theme::named(name, false, false, Look::Drawn).unwrap();
        }
        let mono = Theme::named("dark", true, false, Look::Drawn).unwrap();
        for style in [mono.accent, mono.warning, mono.dim, mono.selected, mono.link, mono.code] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
        assert!(Theme::named("neon", false, false, Look::Drawn).is_err());
        assert!(style("#ff0000").is_err());
    }
}
