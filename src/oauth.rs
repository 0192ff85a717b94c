//! Access tokens: how a person lets us in, and how what was granted is kept and renewed.
//!
//! Owns OAuth2 (RFC 6749, 7636, 8252, 8628), and where grants lie: in the keyring of the desktop, or in files
//! for their owner only. Knows no mail protocol. Nothing
//! here shows a token: neither `Debug`, nor an error, nor a log.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod application;
mod browser;
mod device;
mod keyring;
mod place;
mod provider;
mod shelf;

pub use application::Application;
pub use browser::Browser;
pub use device::Device;

use crate::config::{Login, OAuth, Secret, SecretError, SecretSource};
use jiff::{SignedDuration, Timestamp};
use place::{ALONE, ATTENDED, Place};
use provider::{Provider, Refused};
use shelf::Grant;
use std::path::{Path, PathBuf};

/// A token that ends sooner is renewed before it is used.
const MARGIN: SignedDuration = SignedDuration::from_mins(2);
/// The folder of the grants in the data dir.
const FOLDER: &str = "tokens";

/// The grants of one data dir. They are read anew each time, since other processes renew them too.
#[derive(Clone, Debug)]
pub struct Tokens {
    folder: PathBuf,
}

/// What is known of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When the token in hand ends, if the provider said so.
    pub token_ends: Option<Timestamp>,
    /// Whether it can be renewed without a person.
    pub renewable: bool,
    /// When renewing ends and somebody has to sign in again, if the provider said so.
    pub ends: Option<Timestamp>,
    /// Whether the tokens lie in the keyring, else in a file.
    pub in_keyring: bool,
    /// Why they lie in a file although they belong in the keyring.
    pub held_back: Option<String>,
}

impl Tokens {
    /// Looks for grants in a data dir; the folder is made with the first.
    pub fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(FOLDER) }
    }

    /// Gives what proves who we are: the password, or a token that is good for two minutes at least.
    pub async fn secret(&self, login: &Login) -> Result<Secret, SecretError> {
        let Some((oauth, place)) = self.place(login)? else { return login.secret.get().await };
        match place.filed()? {
            Some(filed) if filed.is_fresh() => place.access(&filed).await.map(Secret::new),
            Some(_) => renewed(login, oauth, &place, |grant| grant.is_fresh(Timestamp::now())).await,
            None => Err(sign_in(login, "nobody has signed in yet")),
        }
    }

    /// Gives another token after the server refused one; `None` where there is no other.
    ///
    /// A command is run again. Whoever renewed a stored token meanwhile has done it for everybody.
    pub async fn another(&self, login: &Login, refused: &Secret) -> Result<Option<Secret>, SecretError> {
        if !login.auth.takes_token() {
            return Ok(None);
        }
        let found = match self.place(login)? {
            Some((oauth, place)) => {
                let refused = refused.reveal().to_owned();
                renewed(login, oauth, &place, move |grant| grant.access_token != refused).await?
            }
            None if matches!(login.secret, SecretSource::Command { .. }) => login.secret.get().await?,
            None => return Ok(None),
        };
        Ok(Some(found).filter(|found| found != refused))
    }

    /// Tells how a stored grant stands; `None` where nothing is stored, or the login needs no grant.
    pub fn standing(&self, login: &Login) -> Result<Option<Standing>, SecretError> {
        let Some((_, place)) = self.place(login)? else { return Ok(None) };
        Ok(place.filed()?.map(|filed| Standing {
            token_ends: filed.expires_at,
            renewable: filed.renewable || filed.refresh_token.is_some(),
            ends: filed.ends_at,
            in_keyring: filed.lies_in().is_some(),
            held_back: filed.held_back,
        }))
    }

    /// Tells whether what is to be granted can be kept as the config wants it, before anybody signs in.
    pub async fn ready(&self, login: &Login) -> Result<(), SecretError> {
        match self.place(login)? {
            Some((_, place)) => place.try_keyring().await,
            None => Ok(()),
        }
    }

    /// Moves tokens that the keyring did not take back to it; gives why they still lie in a file.
    pub async fn tend(&self, login: &Login) -> Result<Option<String>, SecretError> {
        match self.place(login)? {
            Some((_, place)) => place.move_back().await,
            None => Ok(None),
        }
    }

    /// Waits until no grant is being renewed, so that a process that ends loses none. At most half a minute.
    pub async fn settled(&self) {
        shelf::settled(&self.folder).await;
    }

    /// Tells whether two logins live on the same grant.
    pub fn same_grant(&self, one: &Login, other: &Login) -> bool {
        let places = [one, other].map(|login| self.place(login).ok().flatten().map(|(_, place)| place.shelf));
        let [one, other] = places;
        one.is_some() && one == other
    }

    /// Keeps what was granted; the token of a login is then what this gives. Gives why it does not lie in the
    /// keyring, where it could not.
    pub async fn keep(&self, login: &Login, granted: Granted) -> Result<Option<String>, SecretError> {
        let Some((_, place)) = self.place(login)? else {
            return Err(wrong("this login takes no stored token"));
        };
        let _lock = place.shelf.lock().await.map_err(|e| place.unkept(&e))?;
        // What cannot be read is replaced.
        let old = place.filed().ok().flatten();
        place.keep(place.room()?, &granted.0, old.as_ref(), ATTENDED).await
    }

    /// Finds the grant of a login that lives on one.
    fn place<'l>(&self, login: &'l Login) -> Result<Option<(&'l OAuth, Place)>, SecretError> {
        if login.secret != SecretSource::Stored {
            return Ok(None);
        }
        let oauth = application(login)?;
        Ok(Some((oauth, Place::new(&self.folder, login, oauth))))
    }
}

/// What a provider granted.
pub struct Granted(Grant);

impl Granted {
    /// Tells how it stands.
    pub fn renewable(&self) -> bool {
        self.0.refresh_token.is_some()
    }
}

/// Gives who grants tokens for a login, and refuses what cannot work.
pub fn application(login: &Login) -> Result<&OAuth, SecretError> {
    let section = format!("of {}", login.owner);
    let Some(oauth) = login.oauth.as_deref() else {
        return Err(wrong(format!("the login {section} takes a token, and nothing says who gives it")));
    };
    let missing = [("client_id", oauth.client_id.is_empty()), ("token_url", oauth.token_url.is_empty())];
    match missing.iter().find(|(_, missing)| *missing) {
        Some((key, _)) => Err(wrong(format!("`oauth` {section} has no {key}"))),
        None => Ok(oauth),
    }
}

/// Renews a grant to its end, even where nobody waits for it any more: a provider may have taken back the
/// refresh token that is stored, and the new one is in its answer.
async fn renewed(
    login: &Login,
    oauth: &OAuth,
    place: &Place,
    done: impl Fn(&Grant) -> bool + Send + Sync + 'static,
) -> Result<Secret, SecretError> {
    let (login, oauth, place) = (login.clone(), oauth.clone(), place.clone());
    let task = tokio::spawn(async move { renew(&login, &oauth, &place, done).await });
    task.await.unwrap_or_else(|error| Err(wrong(format!("the token could not be renewed: {error}"))))
}

/// Renews a grant, unless somebody else has done so by the time it is our turn.
///
/// One at a time, in whatever process: a provider that gives a new refresh token with each takes back the
/// old one, and whoever came second would shut us out.
async fn renew(
    login: &Login,
    oauth: &OAuth,
    place: &Place,
    done: impl Fn(&Grant) -> bool,
) -> Result<Secret, SecretError> {
    let _lock = place.shelf.lock().await.map_err(|e| place.unkept(&e))?;
    let filed = place.filed()?.ok_or_else(|| sign_in(login, "nobody has signed in yet"))?;
    let grant = place.grant(&filed).await?;
    if done(&grant) {
        return Ok(Secret::new(grant.access_token));
    }
    let Some(refresh_token) = grant.refresh_token.clone() else {
        return Err(sign_in(login, "the token has ended, and the provider gave nothing to renew it with"));
    };
    // The place is kept first: a new refresh token that cannot be written would be lost for good.
    let room = place.room()?;
    let provider = Provider::new(oauth).await?;
    let renewed = provider.renew(&refresh_token).await.map_err(|refused| explain(login, refused))?;
    let renewed = Grant {
        refresh_token: renewed.refresh_token.or(Some(refresh_token)),
        ends_at: renewed.ends_at.or(grant.ends_at),
        ..renewed
    };
    place.keep(room, &renewed, Some(&filed), ALONE).await?;
    tracing::info!(login = login.owner, "the access token was renewed");
    Ok(Secret::new(renewed.access_token))
}

fn explain(login: &Login, refused: Refused) -> SecretError {
    match refused {
        Refused::Unanswered { message, .. } => SecretError {
            message: format!("the token cannot be renewed: {message}"),
            hint: "the provider may be out of order; it is tried again".to_owned(),
            passing: true,
        },
        Refused::Answered { code, words } if code == "invalid_grant" || code == "interaction_required" => {
            sign_in(login, &format!("the sign-in has ended: {words}"))
        }
        Refused::Answered { words, .. } | Refused::Strange(words) => SecretError {
            message: format!("the token cannot be renewed: {words}"),
            hint: format!("check `oauth` of {0}, then run `deskbell login {0}`", login.owner),
            passing: false,
        },
    }
}

fn sign_in(login: &Login, why: &str) -> SecretError {
    SecretError {
        message: why.to_owned(),
        hint: format!("run `deskbell login {}`", login.owner),
        passing: false,
    }
}

fn wrong(message: impl Into<String>) -> SecretError {
    SecretError {
        message: message.into(),
        hint: "set token_command, or oauth = { provider = …, client_id = … }, as `deskbell init --example` shows"
            .to_owned(),
        passing: false,
    }
}
