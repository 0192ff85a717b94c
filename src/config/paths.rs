//! Where the config file and the data of the desk lie.

use directories::{BaseDirs, ProjectDirs};
use std::path::{Path, PathBuf};

/// The config file and the data folder of one desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub config_file: PathBuf,
    pub data_dir: PathBuf,
}

impl Paths {
    /// Takes what the caller was told (`--config`, `DESKBELL_CONFIG`, …), else the platform's places.
    ///
    /// `None` when a place has to be guessed and the system knows no home folder.
    pub fn new(config_file: Option<PathBuf>, data_dir: Option<PathBuf>) -> Option<Self> {
        let platform = || ProjectDirs::from("", "", "deskbell");
        let config_file = match config_file {
            Some(path) => path,
            None => platform()?.config_dir().join("config.toml"),
        };
        let data_dir = match data_dir {
            Some(path) => path,
            None => platform()?.data_dir().to_owned(),
        };
        Some(Self { config_file, data_dir })
    }

    /// Gives the caller's own folder for what may be thrown away.
    pub fn cache() -> Option<PathBuf> {
        ProjectDirs::from("", "", "deskbell").map(|dirs| dirs.cache_dir().to_owned())
    }

    /// Gives the place of a file that the desk writes: relative ones count from the data dir.
    pub fn written(&self, path: &Path) -> PathBuf {
        resolve(&self.data_dir, path)
    }
}

/// Counts a relative path from `base`; `~/` is the home folder.
pub fn resolve(base: &Path, path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), BaseDirs::new()) {
        (Ok(rest), Some(dirs)) => dirs.home_dir().join(rest),
        _ => base.join(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_count_from_their_base() {
        assert_eq!(resolve("/etc/desk".as_ref(), "ca.pem".as_ref()), Path::new("/etc/desk/ca.pem"));
        assert_eq!(resolve("/etc/desk".as_ref(), "/x/ca.pem".as_ref()), Path::new("/x/ca.pem"));
        let paths = Paths::new(Some("/c/config.toml".into()), Some("/d".into())).unwrap();
        assert_eq!(paths.written("logs/a.log".as_ref()), Path::new("/d/logs/a.log"));
    }
}
