//! Keys and their names.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with its modifiers, in the one spelling under which it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMED: [(&str, KeyCode); 14] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

impl Key {
    /// Reads one key: `x`, `X`, `ctrl-d`, `alt-enter`, `f5`.
    pub fn named(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let (word, modifier) = match rest.split_once('-') {
                Some((w, tail)) if !tail.is_empty() => (w, tail),
                _ => break,
            };
            modifiers |= match word {
                "ctrl" | "C" => KeyModifiers::CONTROL,
                "alt" | "A" => KeyModifiers::ALT,
                "shift" | "S" => KeyModifiers::SHIFT,
                _ => return None,
            };
            rest = modifier;
        }
        let code = match NAMED.iter().find(|(name, _)| *name == rest) {
            Some((_, code)) => *code,
            None => plain_code(rest)?,
        };
        Some(Self::of(code, modifiers))
    }

    /// Brings a key into the one spelling: shift is told by the letter itself, Shift-Tab is one key.
    fn of(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let kept = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match code {
            KeyCode::BackTab => Self { code: KeyCode::Tab, modifiers: kept | KeyModifiers::SHIFT },
            KeyCode::Char(c) if kept.contains(KeyModifiers::CONTROL) => {
                Self { code: KeyCode::Char(c.to_ascii_lowercase()), modifiers: kept - KeyModifiers::SHIFT }
            }
            KeyCode::Char(c) if kept.contains(KeyModifiers::SHIFT) => Self {
                code: KeyCode::Char(c.to_uppercase().next().unwrap_or(c)),
                modifiers: kept - KeyModifiers::SHIFT,
            },
            _ => Self { code, modifiers: kept },
        }
    }

    /// Writes the key as hints show it: `Ctrl-d`, `Enter`, `x`.
    pub fn written(self) -> String {
        let mut out = String::new();
        for (modifier, word) in
            [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")]
        {
            if self.modifiers.contains(modifier) {
                out.push_str(word);
            }
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => {
                let mut letters = name.chars();
                out.extend(letters.next().map(|c| c.to_ascii_uppercase()));
                out.push_str(letters.as_str());
            }
            (None, KeyCode::Char(c)) => out.push(c),
            (None, KeyCode::F(n)) => out.push_str(&format!("F{n}")),
            (None, _) => out.push('?'),
        }
        out
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self::of(event.code, event.modifiers)
    }
}

fn plain_code(text: &str) -> Option<KeyCode> {
    let mut letters = text.chars();
    match (letters.next(), letters.as_str()) {
        (Some(c), "") => Some(KeyCode::Char(c)),
        (Some('f'), number) => number.parse().ok().filter(|n| (1..=12).contains(n)).map(KeyCode::F),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_key_however_the_terminal_says_it() {
        let shifted = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Key::from(shifted), Key::named("G").unwrap());
        let low = KeyEvent::new(KeyCode::Char('g'), KeyModifiers::SHIFT);
        assert_eq!(Key::from(low), Key::named("G").unwrap());
        let back = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Key::from(back), Key::named("shift-tab").unwrap());
        assert_eq!(Key::named("ctrl-d").unwrap().written(), "Ctrl-d");
        assert_eq!(Key::named("-").unwrap().written(), "-");
    }
}
