//! Where the tokens of one grant lie: in the keyring of the desktop where one takes them, else in the file.
//!
//! The file is there in either case and says which. A token is durable in its new place before the old one is
//! touched; what the keyring does not take lies in the file at once, and goes back when the keyring answers.

use super::{
    keyring::{Keyring, Token, Trouble},
    shelf::{Filed, Grant, Shelf, is_fresh},
};
use crate::config::{Keeping, Login, OAuth, SecretError};
use jiff::Timestamp;
use std::{io, path::Path, time::Duration};
use tempfile::NamedTempFile;

/// How long the keyring may take for an answer where nobody is there to type in its password.
pub(super) const ALONE: Duration = Duration::from_secs(5);
/// And where somebody is.
pub(super) const ATTENDED: Duration = Duration::from_secs(60);

/// The place of one grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub shelf: Shelf,
    keeping: Keeping,
    /// The account, for people who look into their keyring.
    user: String,
    owner: String,
}

impl Place {
    /// Gives the place of what a user granted to an application.
    pub fn new(folder: &Path, login: &Login, oauth: &OAuth) -> Self {
        Self {
            shelf: Shelf::new(folder, &login.user, oauth),
            keeping: oauth.keeping,
            user: login.user.clone(),
            owner: login.owner.clone(),
        }
    }

    /// Reads what the file says; `None` where nobody has signed in.
    pub fn filed(&self) -> Result<Option<Filed>, SecretError> {
        self.shelf.read().map_err(|e| self.unkept(&e))
    }

    /// Gives the access token.
    pub async fn access(&self, filed: &Filed) -> Result<String, SecretError> {
        match (&filed.access_token, filed.lies_in()) {
            (None, Some(item)) => self.ask(item, Token::Access).await,
            (token, _) => Ok(token.clone().unwrap_or_default()),
        }
    }

    /// Gives the whole grant.
    pub async fn grant(&self, filed: &Filed) -> Result<Grant, SecretError> {
        let refresh_token = match filed.lies_in() {
            Some(item) if filed.renewable => Some(self.ask(item, Token::Refresh).await?),
            _ => filed.refresh_token.clone(),
        };
        let access_token = self.access(filed).await?;
        let (expires_at, ends_at) = (filed.expires_at, filed.ends_at);
        Ok(Grant { access_token, expires_at, refresh_token, ends_at })
    }

    async fn ask(&self, item: &str, token: Token) -> Result<String, SecretError> {
        let found = match Keyring::find(ALONE) {
            Ok(keyring) => keyring.get(item, token).await,
            Err(trouble) => Err(trouble),
        };
        found.map_err(|trouble| self.unreadable(&trouble))
    }

    /// Makes room for a new grant in the file, before anything depends on it.
    pub fn room(&self) -> Result<NamedTempFile, SecretError> {
        self.shelf.room().map_err(|e| self.unkept(&e))
    }

    /// Keeps a new grant in the place of what is `filed`, for sure; gives why it is not in the keyring.
    pub async fn keep(
        &self,
        room: NamedTempFile,
        grant: &Grant,
        filed: Option<&Filed>,
        patience: Duration,
    ) -> Result<Option<String>, SecretError> {
        let (new, trouble) = self.put(grant, filed, patience).await;
        self.shelf.write(room, &new).map_err(|e| self.unkept(&e))?;
        let why = trouble.map(|trouble| trouble.to_string());
        if let (Some(_), Some(why)) = (&new.held_back, &why) {
            tracing::warn!(login = self.owner, why, "the tokens are kept in a file for now");
        }
        Ok(why)
    }

    /// Puts a grant into the keyring if it is to lie there; gives what is to be filed of it.
    async fn put(
        &self,
        grant: &Grant,
        filed: Option<&Filed>,
        patience: Duration,
    ) -> (Filed, Option<Trouble>) {
        let item = filed.and_then(|filed| filed.item.clone());
        if self.keeping == Keeping::File {
            return (Filed { item: left(item, patience).await, ..Filed::here(grant) }, None);
        }
        // What never lay in a keyring need not lie there now.
        let free = self.keeping == Keeping::Auto && item.is_none();
        let item = item.unwrap_or_else(|| self.new_item());
        match self.store(&item, grant, patience).await {
            Ok(()) => (Filed::in_keyring(grant, item), None),
            Err(trouble) if free => {
                left(Some(item), ALONE).await;
                (Filed::here(grant), Some(trouble))
            }
            Err(trouble) => {
                let held_back = Some(trouble.to_string());
                (Filed { item: Some(item), held_back, ..Filed::here(grant) }, Some(trouble))
            }
        }
    }

    /// Stores the refresh token first: with it, whatever happens now, everything can be had again.
    async fn store(&self, item: &str, grant: &Grant, patience: Duration) -> Result<(), Trouble> {
        let keyring = Keyring::find(patience)?;
        let label = format!("deskbell: {}", self.user);
        match &grant.refresh_token {
            Some(token) => keyring.put(item, Token::Refresh, &label, token).await?,
            None => keyring.clear(item, Some(Token::Refresh)).await?,
        }
        keyring.put(item, Token::Access, &label, &grant.access_token).await
    }

    /// Makes an id that no other grant has, of whatever desk. It stays the same when the data dir is moved.
    fn new_item(&self) -> String {
        let folder = std::path::absolute(&self.shelf.path).unwrap_or_else(|_| self.shelf.path.clone());
        let mut hasher = blake3::Hasher::new();
        hasher.update(folder.as_os_str().as_encoded_bytes());
        hasher.update(&Timestamp::now().as_nanosecond().to_be_bytes());
        hasher.update(&std::process::id().to_be_bytes());
        hasher.finalize().to_hex().chars().take(32).collect()
    }

    /// Tells whether the keyring takes tokens, where it has to; a person may be asked to unlock it.
    pub async fn try_keyring(&self) -> Result<(), SecretError> {
        if self.keeping != Keeping::Keyring {
            return Ok(());
        }
        let item = self.new_item();
        let tried = async {
            let keyring = Keyring::find(ATTENDED)?;
            keyring.put(&item, Token::Access, "deskbell: a trial", "trial").await?;
            keyring.clear(&item, None).await
        };
        tried.await.map_err(|trouble: Trouble| SecretError {
            message: format!("tokens = \"keyring\", and {trouble}"),
            hint: cure(&trouble, &self.owner),
            passing: false,
        })
    }

    /// Moves tokens back that the keyring did not take; gives why they still lie in the file.
    pub async fn move_back(&self) -> Result<Option<String>, SecretError> {
        let held = |filed: Option<Filed>| filed.filter(|filed| filed.held_back.is_some());
        if held(self.filed()?).is_none() {
            return Ok(None);
        }
        let _lock = self.shelf.lock().await.map_err(|e| self.unkept(&e))?;
        let Some(filed) = held(self.filed()?) else { return Ok(None) };
        if let Some(why) = is_locked(&filed).await {
            return Ok(Some(why));
        }
        let grant = self.grant(&filed).await?;
        let (new, _) = self.put(&grant, Some(&filed), ALONE).await;
        if new != filed {
            self.shelf.write(self.room()?, &new).map_err(|e| self.unkept(&e))?;
        }
        if new.held_back.is_none() {
            tracing::info!(login = self.owner, "the tokens lie where they belong again");
        }
        Ok(new.held_back)
    }

    fn unreadable(&self, trouble: &Trouble) -> SecretError {
        SecretError {
            message: format!("the tokens of {} lie in the keyring, and {trouble}", self.user),
            hint: cure(trouble, &self.owner),
            // The keyring is unlocked without anybody thinking of the desk, and asking it locks no account.
            passing: !matches!(trouble, Trouble::Absent(_)),
        }
    }

    pub fn unkept(&self, error: &io::Error) -> SecretError {
        SecretError {
            message: format!("the tokens in {} cannot be used: {error}", self.shelf.path.display()),
            hint: "check its owner and permissions, and the space on the disk".to_owned(),
            passing: false,
        }
    }
}

impl Filed {
    /// Tells whether the access token can be used for a while.
    pub fn is_fresh(&self) -> bool {
        is_fresh(self.expires_at, Timestamp::now())
    }
}

/// Says what to do about a keyring, for the mailbox or outlet `owner`.
fn cure(trouble: &Trouble, owner: &str) -> String {
    let first = match trouble {
        Trouble::Absent(_) => "run it in the session of the desktop with secret-tool installed",
        Trouble::Locked => "unlock the keyring",
        Trouble::Missing => "unlock the keyring, or bring the item back",
        Trouble::Silent(_) | Trouble::Changed | Trouble::Refused(_) => "unlock or start the keyring",
    };
    format!("{first}; or set tokens = \"file\" under [oauth] and run `deskbell login {owner}` again")
}

/// Removes an item that is of use no more; gives it back where it is still there.
async fn left(item: Option<String>, patience: Duration) -> Option<String> {
    let item = item?;
    let cleared = match Keyring::find(patience) {
        Ok(keyring) => keyring.clear(&item, None).await,
        Err(trouble) => Err(trouble),
    };
    cleared.is_err().then_some(item)
}

/// Gives why a keyring is not to be asked to take anything: it would raise a prompt.
async fn is_locked(filed: &Filed) -> Option<String> {
    let keyring = Keyring::find(ALONE).ok()?;
    let old = keyring.get(filed.item.as_deref()?, Token::Access).await;
    old.err().filter(|trouble| *trouble == Trouble::Locked).map(|trouble| trouble.to_string())
}
