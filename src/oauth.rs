//! Access tokens: how a person lets us in, and how what was granted is kept and renewed.
//!
//! Owns OAuth2 (RFC 6749, 7636, 8252, 8628) and the files of the grants. Knows no mail protocol. Nothing
//! here shows a token: neither `Debug`, nor an error, nor a log.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod application;
mod browser;
mod device;
mod provider;
mod shelf;

pub use application::Application;
pub use browser::Browser;
pub use device::Device;

use crate::config::{Login, OAuth, Secret, SecretError, SecretSource};
use jiff::{SignedDuration, Timestamp};
use provider::{Provider, Refused};
use shelf::{Grant, Shelf};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When the token in hand ends, if the provider said so.
    pub token_ends: Option<Timestamp>,
    /// Whether it can be renewed without a person.
    pub renewable: bool,
    /// When renewing ends and somebody has to sign in again, if the provider said so.
    pub ends: Option<Timestamp>,
}

impl Tokens {
    /// Looks for grants in a data dir; the folder is made with the first.
    pub fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(FOLDER) }
    }

    /// Gives what proves who we are: the password, or a token that is good for two minutes at least.
    pub async fn secret(&self, login: &Login) -> Result<Secret, SecretError> {
        let Some((oauth, shelf)) = self.place(login)? else { return login.secret.get().await };
        match read(&shelf)? {
            Some(grant) if grant.is_fresh(Timestamp::now()) => Ok(Secret::new(grant.access_token)),
            Some(_) => renewed(login, oauth, &shelf, |grant| grant.is_fresh(Timestamp::now())).await,
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
            Some((oauth, shelf)) => {
                let refused = refused.reveal().to_owned();
                renewed(login, oauth, &shelf, move |grant| grant.access_token != refused).await?
            }
            None if matches!(login.secret, SecretSource::Command { .. }) => login.secret.get().await?,
            None => return Ok(None),
        };
        Ok(Some(found).filter(|found| found != refused))
    }

    /// Tells how a stored grant stands; `None` where nothing is stored, or the login needs no grant.
    pub fn standing(&self, login: &Login) -> Result<Option<Standing>, SecretError> {
        let Some((_, shelf)) = self.place(login)? else { return Ok(None) };
        Ok(read(&shelf)?.map(|grant| Standing {
            token_ends: grant.expires_at,
            renewable: grant.refresh_token.is_some(),
            ends: grant.ends_at,
        }))
    }

    /// Waits until no grant is being renewed, so that a process that ends loses none. At most half a minute.
    pub async fn settled(&self) {
        shelf::settled(&self.folder).await;
    }

    /// Tells whether two logins live on the same grant.
    pub fn same_grant(&self, one: &Login, other: &Login) -> bool {
        let places = [one, other].map(|login| self.place(login).ok().flatten().map(|(_, shelf)| shelf));
        let [one, other] = places;
        one.is_some() && one == other
    }

    /// Keeps what was granted; the token of a login is then what this gives.
    pub async fn keep(&self, login: &Login, granted: Granted) -> Result<(), SecretError> {
        let Some((_, shelf)) = self.place(login)? else {
            return Err(wrong("this login takes no stored token"));
        };
        let _lock = shelf.lock().await.map_err(|e| unkept(&shelf, &e))?;
        let room = shelf.room().map_err(|e| unkept(&shelf, &e))?;
        shelf.write(room, &granted.0).map_err(|e| unkept(&shelf, &e))
    }

    /// Finds the grant of a login that lives on one.
    fn place<'l>(&self, login: &'l Login) -> Result<Option<(&'l OAuth, Shelf)>, SecretError> {
        if login.secret != SecretSource::Stored {
            return Ok(None);
        }
        let oauth = application(login)?;
        Ok(Some((oauth, Shelf::new(&self.folder, &login.user, oauth))))
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
    shelf: &Shelf,
    done: impl Fn(&Grant) -> bool + Send + Sync + 'static,
) -> Result<Secret, SecretError> {
    let (login, oauth, shelf) = (login.clone(), oauth.clone(), shelf.clone());
    let task = tokio::spawn(async move { renew(&login, &oauth, &shelf, done).await });
    task.await.unwrap_or_else(|error| Err(wrong(format!("the token could not be renewed: {error}"))))
}

/// Renews a grant, unless somebody else has done so by the time it is our turn.
///
/// One at a time, in whatever process: a provider that gives a new refresh token with each takes back the
/// old one, and whoever came second would shut us out.
async fn renew(
    login: &Login,
    oauth: &OAuth,
    shelf: &Shelf,
    done: impl Fn(&Grant) -> bool,
) -> Result<Secret, SecretError> {
    let _lock = shelf.lock().await.map_err(|e| unkept(shelf, &e))?;
    let grant = read(shelf)?.ok_or_else(|| sign_in(login, "nobody has signed in yet"))?;
    if done(&grant) {
        return Ok(Secret::new(grant.access_token));
    }
    let Some(refresh_token) = grant.refresh_token.clone() else {
        return Err(sign_in(login, "the token has ended, and the provider gave nothing to renew it with"));
    };
    // The place is kept first: a new refresh token that cannot be written would be lost for good.
    let room = shelf.room().map_err(|e| unkept(shelf, &e))?;
    let provider = Provider::new(oauth).await?;
    let renewed = provider.renew(&refresh_token).await.map_err(|refused| explain(login, refused))?;
    let renewed = Grant {
        refresh_token: renewed.refresh_token.or(Some(refresh_token)),
        ends_at: renewed.ends_at.or(grant.ends_at),
        ..renewed
    };
    shelf.write(room, &renewed).map_err(|e| unkept(shelf, &e))?;
    tracing::info!(login = login.owner, "the access token was renewed");
    Ok(Secret::new(renewed.access_token))
}

fn read(shelf: &Shelf) -> Result<Option<Grant>, SecretError> {
    shelf.read().map_err(|e| unkept(shelf, &e))
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
        hint: "set token_command, or oauth = { provider = …, client_id = … }, as config.example.toml shows"
            .to_owned(),
        passing: false,
    }
}

fn unkept(shelf: &Shelf, error: &std::io::Error) -> SecretError {
    SecretError {
        message: format!("the tokens in {} cannot be used: {error}", shelf.path.display()),
        hint: "check its owner and permissions, and the space on the disk".to_owned(),
        passing: false,
    }
}
