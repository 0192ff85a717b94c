//! What is wrong with a config, where, and what helps.

use std::{fmt, path::PathBuf};

/// A config that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub path: Option<PathBuf>,
    /// From 1.
    pub line: Option<usize>,
    /// Lower case, no full stop.
    pub message: String,
    pub hint: Option<String>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.path, self.line) {
            (Some(path), Some(line)) => write!(f, "{}:{line}: ", path.display())?,
            (Some(path), None) => write!(f, "{}: ", path.display())?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.message)
    }
}

/// A key that does not fit, before its line is known.
#[derive(Debug)]
pub(super) struct Wrong {
    pub key: &'static str,
    pub message: String,
    pub hint: Option<String>,
}

impl Wrong {
    pub fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self { key, message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says in which section of which text the key stands.
    pub fn within(self, section: &str, text: &str) -> ConfigError {
        ConfigError {
            path: None,
            line: line_of(text, section, self.key),
            message: format!("{section}.{}: {}", self.key, self.message),
            hint: self.hint,
        }
    }
}

/// Finds the line of a key, else that of its section's head; from 1.
fn line_of(text: &str, section: &str, key: &str) -> Option<usize> {
    let head = |line: &str| line.trim().replace('"', "") == format!("[{section}]");
    let start = text.lines().position(head)?;
    let body = text.lines().skip(start + 1).take_while(|line| !line.trim_start().starts_with('['));
    let is_key = |line: &str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let inside = body.map(is_key).position(|found| found).map_or(0, |at| at + 1);
    Some(start + inside + 1)
}
