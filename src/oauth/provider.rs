//! What is said to a provider, and what its answers mean.

use super::shelf::Grant;
use crate::{
    config::{self, OAuth, SecretError, SecretSource},
    http::{self, Unanswered, short},
};
use jiff::{SignedDuration, Timestamp};
use oauth2::{
    AccessToken, AsyncHttpClient, AuthType, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ErrorResponse, ExtraTokenFields, HttpRequest, HttpResponse, RefreshToken, RequestTokenError,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use std::{pin::Pin, time::Duration};

/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Octets of an answer; tokens have a few thousand.
const ANSWER_MAX: usize = 128 * 1024;
const NAME: &str = concat!("deskbell/", env!("CARGO_PKG_VERSION"));

/// What providers say beyond RFC 6749.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Beyond {
    /// Seconds; Google and Microsoft say it where a sign-in is for a limited time.
    #[serde(default)]
    refresh_token_expires_in: Option<u64>,
}

impl ExtraTokenFields for Beyond {}

/// A token as it is given out.
pub(super) type Given = StandardTokenResponse<Beyond, BasicTokenType>;

/// The library's client, with the token's place known.
pub(super) type Asking = Client<
    BasicErrorResponse,
    Given,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// A question that brought no token.
#[derive(Debug)]
pub(super) enum Refused {
    /// Nobody answered, or only to say that it is busy.
    Unanswered { message: String },
    /// The provider says no, in the words of RFC 6749, section 5.2.
    Answered { code: String, words: String },
    /// It said something that cannot be understood.
    Strange(String),
}

impl Refused {
    /// Makes an error of it for who signs in.
    pub fn while_signing_in(self, owner: &str) -> SecretError {
        let (message, hint, passing) = match self {
            Self::Unanswered { message } => (message, "check the network, and the URLs in `oauth`", true),
            Self::Strange(words) => (words, "check the URLs in `oauth`", false),
            Self::Answered { code, words } => (words, cure(&code), false),
        };
        let message = format!("nobody was signed in for {owner}: {message}");
        SecretError { message, hint: hint.to_owned(), passing }
    }
}

fn cure(code: &str) -> &'static str {
    match code {
        "access_denied" => "somebody said no there; run it again and allow it",
        "expired_token" => "the code was not used in time; run it again",
        "invalid_client" | "unauthorized_client" => {
            "check client_id and client_secret_command, and that the application may do this at the provider"
        }
        "invalid_scope" => "check scope, and what the application may ask for at the provider",
        _ => "run it again; if it stays so, check `oauth`",
    }
}

/// A provider, asked as one application.
pub(super) struct Provider {
    pub asking: Asking,
    pub web: Web,
}

/// Carries the library's questions.
pub(super) struct Web(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Web {
    type Error = Unanswered;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unanswered>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(call(self.0.clone(), request))
    }
}

impl Provider {
    /// Gets ready to ask; runs the command for the application's secret, if there is one.
    pub async fn new(oauth: &OAuth) -> Result<Self, SecretError> {
        let secret = match &oauth.client_secret {
            SecretSource::Absent => None,
            source => Some(source.get().await?.reveal().to_owned()),
        };
        Self::with_secret(&oauth.client_id, secret, &oauth.token_url)
    }

    /// Gets ready to ask with a secret that is known.
    pub fn with_secret(id: &str, secret: Option<String>, url: &str) -> Result<Self, SecretError> {
        let token_url = TokenUrl::new(url.to_owned()).map_err(|_| bad_url(url))?;
        let mut asking = Client::new(ClientId::new(id.to_owned())).set_token_uri(token_url);
        // Google and Microsoft both document the secret as a field of the form.
        asking = asking.set_auth_type(AuthType::RequestBody);
        if let Some(secret) = secret {
            asking = asking.set_client_secret(ClientSecret::new(secret));
        }
        let web = http::client(url, NAME, PATIENCE).map_err(|no| SecretError {
            message: no.message,
            hint: no.hint.unwrap_or_else(|| "check the URLs in `oauth`".to_owned()),
            passing: false,
        })?;
        Ok(Self { asking, web: Web(web) })
    }

    /// Asks for a new token with what renews it.
    pub async fn renew(&self, refresh_token: &str) -> Result<Grant, Refused> {
        let token = RefreshToken::new(refresh_token.to_owned());
        let given = self.asking.exchange_refresh_token(&token).request_async(&self.web).await;
        given.map(|given| grant(&given)).map_err(|no| refused(no).without(refresh_token))
    }
}

impl Refused {
    /// Takes out a secret that the provider repeats.
    fn without(self, secret: &str) -> Self {
        let clean = |words: String| words.replace(secret, "…");
        match self {
            Self::Unanswered { message } => Self::Unanswered { message: clean(message) },
            Self::Answered { code, words } => Self::Answered { code: clean(code), words: clean(words) },
            Self::Strange(words) => Self::Strange(clean(words)),
        }
    }
}

pub(super) fn bad_url(url: &str) -> SecretError {
    SecretError {
        message: format!("`{url}` is no address"),
        hint: "check the URLs in `oauth`".to_owned(),
        passing: false,
    }
}

async fn call(web: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
    let unanswered = |message: String| Unanswered { message, hint: None, unasked: false, too_long: None };
    let request = reqwest::Request::try_from(request).map_err(|e| unanswered(e.to_string()))?;
    let request = http::RequestBuilder::from_parts(web, request);
    let answer = http::send(request, ANSWER_MAX).await?;
    // Out of order or busy: that is no answer to the question.
    if answer.status >= 500 || answer.status == 429 {
        return Err(unanswered(format!("the provider answers with status {}", answer.status)));
    }
    let mut response = oauth2::http::Response::builder().status(answer.status);
    if let Some(kind) = answer.field("content-type") {
        response = response.header("content-type", kind);
    }
    response.body(answer.body).map_err(|e| unanswered(e.to_string()))
}

/// Says why there is no token. The library's own words may hold what the provider sent, so they are not used.
pub(super) fn refused<T: ErrorResponse + 'static>(no: RequestTokenError<Unanswered, T>) -> Refused {
    match no {
        RequestTokenError::ServerResponse(answer) => {
            let words = short(&answer.to_string());
            let code = words.split([':', ' ']).next().unwrap_or_default().to_owned();
            Refused::Answered { code, words }
        }
        RequestTokenError::Request(no) => Refused::Unanswered { message: no.message },
        RequestTokenError::Parse(..) => {
            Refused::Strange("the provider's answer cannot be understood".to_owned())
        }
        RequestTokenError::Other(_) => {
            Refused::Strange("the provider answers with something else than JSON".to_owned())
        }
    }
}

/// Makes a grant of a token that was given out now.
pub(super) fn grant(given: &Given) -> Grant {
    let after = |seconds: u64| {
        let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        Timestamp::now().checked_add(span).ok()
    };
    Grant {
        access_token: AccessToken::secret(given.access_token()).clone(),
        expires_at: given.expires_in().and_then(|span| after(span.as_secs())),
        refresh_token: given.refresh_token().map(|token| token.secret().clone()),
        ends_at: given.extra_fields().refresh_token_expires_in.and_then(after),
    }
}

/// Gives the scopes of an application one by one.
pub(super) fn scopes(oauth: &config::OAuth) -> impl Iterator<Item = oauth2::Scope> + '_ {
    oauth.scope.split_whitespace().map(|scope| oauth2::Scope::new(scope.to_owned()))
}
