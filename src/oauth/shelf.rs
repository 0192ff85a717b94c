//! The file of a grant: for its owner only, written whole or not at all, changed by one process at a time.

use crate::config::OAuth;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::NamedTempFile;
use tokio::time::{Instant, sleep};

/// Octets that are kept free for a grant; also the largest that is read. Tokens have a few thousand.
const ROOM: usize = 256 * 1024;
/// How long another process may take to renew.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What was granted. Has no `Debug`, so that it cannot be shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub access_token: String,
    /// When the access token ends, if the provider said so.
    pub expires_at: Option<Timestamp>,
    pub refresh_token: Option<String>,
    /// When the refresh token ends, if the provider said so.
    pub ends_at: Option<Timestamp>,
}

impl Grant {
    /// Tells whether the token can be used for a while.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        is_fresh(self.expires_at, now)
    }
}

/// Tells whether a token that ends then can be used for a while.
pub(super) fn is_fresh(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_none_or(|end| now.checked_add(super::MARGIN).is_ok_and(|soon| soon < end))
}

/// What the file says of a grant: the tokens themselves, or the item of the keyring that has them. Has no
/// `Debug` either.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Filed {
    /// Absent where the tokens lie in the keyring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    pub expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    pub ends_at: Option<Timestamp>,
    /// Our item in the keyring, whether it has the tokens or had them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Whether the keyring has a refresh token.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renewable: bool,
    /// Why the tokens lie here although they belong in the keyring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<String>,
}

impl Filed {
    /// Says that a grant lies in the file.
    pub fn here(grant: &Grant) -> Self {
        Self {
            access_token: Some(grant.access_token.clone()),
            refresh_token: grant.refresh_token.clone(),
            expires_at: grant.expires_at,
            ends_at: grant.ends_at,
            ..Self::default()
        }
    }

    /// Says that a grant lies in an item of the keyring.
    pub fn in_keyring(grant: &Grant, item: String) -> Self {
        Self {
            expires_at: grant.expires_at,
            ends_at: grant.ends_at,
            renewable: grant.refresh_token.is_some(),
            item: Some(item),
            ..Self::default()
        }
    }

    /// Gives the item that has the tokens; `None` where they lie in the file.
    pub fn lies_in(&self) -> Option<&str> {
        self.item.as_deref().filter(|_| self.access_token.is_none())
    }
}

/// Waits until nobody changes a grant in this folder.
pub(super) async fn settled(folder: &Path) {
    let locks = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let until = Instant::now() + PATIENCE / 2;
    for path in locks.filter(|path| path.extension().is_some_and(|e| e == "lock")) {
        let Ok(file) = File::open(&path) else { continue };
        while matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && Instant::now() < until {
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// The place of one grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shelf {
    pub path: PathBuf,
}

impl Shelf {
    /// Gives the place of what a user granted to an application. Whoever shares all of it shares the grant.
    pub fn new(folder: &Path, user: &str, oauth: &OAuth) -> Self {
        let parts = [user, &oauth.client_id, &oauth.token_url, &oauth.scope];
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
        }
        let hash: String = hasher.finalize().to_hex().chars().take(16).collect();
        let plain = |c: char| if c.is_ascii_alphanumeric() || "@._-".contains(c) { c } else { '_' };
        let name: String = user.chars().map(plain).take(80).collect();
        Self { path: folder.join(format!("{}-{hash}.json", name.trim_start_matches('.'))) }
    }

    /// Reads what is filed; `None` where nothing is.
    pub fn read(&self) -> io::Result<Option<Filed>> {
        let file = match File::open(&self.path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut text = String::new();
        file.take(ROOM as u64).read_to_string(&mut text)?;
        let no_grant = || io::Error::new(ErrorKind::InvalidData, "this is no grant; sign in again");
        // The error of the reader would quote what it read.
        let filed: Filed = serde_json::from_str(&text).map_err(|_| no_grant())?;
        match filed.access_token.is_some() || filed.item.is_some() {
            true => Ok(Some(filed)),
            false => Err(no_grant()),
        }
    }

    /// Waits for the right to change the grant; it ends with the value.
    pub async fn lock(&self) -> io::Result<File> {
        self.make_folder()?;
        let path = self.path.with_extension("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let until = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(LOOK_AGAIN).await,
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(ErrorKind::TimedOut, "another process does not let go"));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Makes a file beside the grant with room for a new one.
    pub fn room(&self) -> io::Result<NamedTempFile> {
        let mut file = NamedTempFile::new_in(self.make_folder()?)?;
        file.write_all(&vec![b' '; ROOM])?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// Puts what is to be filed into its room and that in the place of the old.
    pub fn write(&self, mut room: NamedTempFile, filed: &Filed) -> io::Result<()> {
        let text = serde_json::to_vec(filed)?;
        if text.len() > ROOM {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "the token is too large"));
        }
        room.rewind()?;
        room.write_all(&text)?;
        room.as_file().set_len(text.len() as u64)?;
        room.as_file().sync_all()?;
        room.persist(&self.path).map_err(|e| e.error)?;
        File::open(self.make_folder()?)?.sync_all()
    }

    fn make_folder(&self) -> io::Result<&Path> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        if !fs::exists(folder)? {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        Ok(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Keeping, Provider, SecretSource};
    use std::os::unix::fs::PermissionsExt;

    fn oauth() -> OAuth {
        OAuth {
            provider: Provider::Custom,
            client_id: "c".to_owned(),
            client_secret: SecretSource::Absent,
            auth_url: None,
            device_url: None,
            token_url: "https://t.example".to_owned(),
            scope: String::new(),
            keeping: Keeping::Auto,
        }
    }

    fn grant(token: &str) -> Grant {
        let refresh_token = Some("r".repeat(6000));
        Grant { access_token: token.to_owned(), expires_at: None, refresh_token, ends_at: None }
    }

    #[test]
    fn a_grant_is_for_its_owner_only_and_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("tokens");
        let shelf = Shelf::new(&folder, "../a b@x.example", &oauth());
        assert!(shelf.read().unwrap().is_none());
        for token in ["one", "two"] {
            let filed = Filed::here(&grant(token));
            shelf.write(shelf.room().unwrap(), &filed).unwrap();
            assert!(shelf.read().unwrap() == Some(filed));
        }
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&shelf.path)), (0o700, 0o600));
        // Nothing is left behind, and nothing lies elsewhere.
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        for text in [
            "{\"access_token\": \"s3cret",
            "{\"access_token\": 7, \"x\": \"s3cret\"}",
            "{\"refresh_token\": \"s3cret\"}",
        ] {
            fs::write(&shelf.path, text).unwrap();
            assert!(!shelf.read().err().unwrap().to_string().contains("s3cret"));
        }
        // As they were written before there was a keyring.
        fs::write(
            &shelf.path,
            "{\"access_token\":\"a\",\"expires_at\":null,\"refresh_token\":\"r\",\"ends_at\":null}",
        )
        .unwrap();
        let old = Grant { refresh_token: Some("r".to_owned()), ..grant("a") };
        assert!(shelf.read().unwrap() == Some(Filed::here(&old)));
    }

    #[test]
    fn whoever_differs_in_anything_has_another_grant() {
        let path = |user: &str, oauth: &OAuth| Shelf::new("/t".as_ref(), user, oauth).path;
        let first = path("a@x", &oauth());
        assert_eq!(first, path("a@x", &oauth()));
        let other = OAuth { client_id: "d".to_owned(), ..oauth() };
        let scoped = OAuth { scope: "mail".to_owned(), ..oauth() };
        for path in [path("a@y", &oauth()), path("a@x", &other), path("a@x", &scoped)] {
            assert_ne!(first, path);
        }
    }

    #[tokio::test]
    async fn one_changes_a_grant_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path(), "a", &oauth());
        let held = shelf.lock().await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(60), shelf.lock());
        assert!(waiting.await.is_err());
        drop(held);
        shelf.lock().await.unwrap();
    }

    #[test]
    fn a_token_is_fresh_until_shortly_before_its_end() {
        let end: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let grant = Grant { expires_at: Some(end), ..grant("t") };
        assert!(grant.is_fresh("2026-03-02T09:57:59Z".parse().unwrap()));
        assert!(!grant.is_fresh("2026-03-02T09:58:01Z".parse().unwrap()));
    }
}
