//! `[pgp]` and `[smime]`: which program checks, opens and makes signed and encrypted mail.

use super::values::{duration, filled};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// A program of GnuPG, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sealing {
    pub enabled: bool,
    /// The program; absent, the usual one.
    #[serde(deserialize_with = "filled")]
    pub command: Option<String>,
    /// Its folder of keys; absent, that of the account.
    #[serde(deserialize_with = "filled_path")]
    pub home: Option<PathBuf>,
    /// How long one call may take.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// Whether it may use the network.
    pub online: bool,
    /// Whether outgoing mail is signed.
    pub sign: bool,
    #[serde(deserialize_with = "filled")]
    pub key: Option<String>,
}

impl Default for Sealing {
    fn default() -> Self {
        Self {
            enabled: false,
            command: None,
            home: None,
            timeout: Duration::from_secs(10),
            online: false,
            sign: false,
            key: None,
        }
    }
}

impl Sealing {
    /// Lets a relative folder count from the config's.
    pub(super) fn within(mut self, folder: &Path) -> Self {
        self.home = self.home.map(|home| super::resolve(folder, &home));
        self
    }
}

/// Reads a path; an empty one is none.
fn filled_path<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    Ok(filled(deserializer)?.map(PathBuf::from))
}
