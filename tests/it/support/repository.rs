//! A git repository in a folder of its own, with nothing of the real user's config.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

pub struct Repository {
    folder: TempDir,
    commits: u32,
}

impl Repository {
    /// Makes a working copy on `main` with one commit, and the bare repository that it is pushed to.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("repository").tempdir().unwrap();
        let mut repository = Self { folder, commits: 0 };
        for name in ["work", "app.git"] {
            std::fs::create_dir(repository.folder.path().join(name)).unwrap();
        }
        repository.in_bare(&["init", "-q", "--bare", "-b", "main"]);
        repository.git(&["init", "-q", "-b", "main"]);
        repository.git(&["remote", "add", "origin", "../app.git"]);
        repository.commit("Begin, fixes #1");
        repository.push();
        repository
    }

    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub fn bare(&self) -> PathBuf {
        self.folder.path().join("app.git")
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        self.at(&self.work(), arguments)
    }

    pub fn in_bare(&self, arguments: &[&str]) -> String {
        self.at(&self.bare(), arguments)
    }

    fn at(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        // Each commit has a second of its own, so that their order is certain.
        let date = format!("{} +0000", 1_770_000_000 + self.commits);
        git.arg("-C").arg(folder).args(["-c", "commit.gpgsign=false"]).args(arguments);
        git.env("HOME", self.folder.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "Mia Byrne")
                .env(format!("GIT_{role}_EMAIL"), "mia@acme.example");
            git.env(format!("GIT_{role}_DATE"), &date);
        }
        let done = git.output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Makes a commit that adds a file; gives its hash.
    pub fn commit(&mut self, message: &str) -> String {
        self.commits += 1;
        std::fs::write(self.work().join(format!("{}.txt", self.commits)), message).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn push(&self) {
        self.git(&["push", "-q", "--force", "origin", "HEAD"]);
    }
}
