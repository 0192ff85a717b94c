//! Tokens of an application that acts for itself (RFC 6749, section 4.4). They are kept in memory only: with
//! its secret it gets another whenever it likes.

use super::{
    provider::{Provider, Refused, grant, refused, scopes},
    shelf::Grant,
};
use crate::config::{OAuth, Secret, SecretError, SecretSource};
use jiff::Timestamp;
use tokio::sync::Mutex;

/// An application with the token that it has.
pub struct Application {
    oauth: OAuth,
    held: Mutex<Option<Grant>>,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("oauth", &self.oauth).finish_non_exhaustive()
    }
}

impl Application {
    /// Makes one that has no token yet.
    pub fn new(oauth: &OAuth) -> Self {
        Self { oauth: oauth.clone(), held: Mutex::new(None) }
    }

    /// Gives a token that is good for two minutes at least, and not the one that was `refused`.
    pub async fn token(&self, refused: Option<&Secret>) -> Result<Secret, SecretError> {
        let mut held = self.held.lock().await;
        let usable = |grant: &&Grant| {
            grant.is_fresh(Timestamp::now()) && refused.is_none_or(|no| no.reveal() != grant.access_token)
        };
        if let Some(grant) = held.as_ref().filter(usable) {
            return Ok(Secret::new(&grant.access_token));
        }
        let fresh = self.ask().await?;
        let token = Secret::new(&fresh.access_token);
        *held = Some(fresh);
        Ok(token)
    }

    async fn ask(&self) -> Result<Grant, SecretError> {
        let oauth = &self.oauth;
        let missing = [
            ("tenant_id", oauth.token_url.is_empty()),
            ("client_id", oauth.client_id.is_empty()),
            ("client_secret", oauth.client_secret == SecretSource::Absent),
        ];
        if let Some((key, _)) = missing.iter().find(|(_, missing)| *missing) {
            return Err(SecretError {
                message: format!("`inbox_options` has no {key}"),
                hint: "it names the application: tenant_id, client_id, client_secret_command".to_owned(),
                passing: false,
            });
        }
        let provider = Provider::new(oauth).await?;
        let asked = provider.asking.exchange_client_credentials().add_scopes(scopes(oauth));
        let given = asked.request_async(&provider.web).await;
        given.map(|given| grant(&given)).map_err(|no| explain(refused(no)))
    }
}

fn explain(refused: Refused) -> SecretError {
    let (message, hint, passing) = match refused {
        Refused::Unanswered { message } => (message, "it is tried again; check azure_ad_endpoint", true),
        Refused::Strange(words) => (words, "check azure_ad_endpoint and tenant_id", false),
        Refused::Answered { words, .. } => (
            words,
            "check tenant_id, client_id and client_secret in `inbox_options`: a secret ends after two years at most",
            false,
        ),
    };
    let message = format!("the application gets no token: {message}");
    SecretError { message, hint: hint.to_owned(), passing }
}
