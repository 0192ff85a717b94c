//! Questions over HTTP: one request, one small answer, within a time.

use crate::{config, tls};
use reqwest::{Client, RequestBuilder, Response, Url, redirect::Policy};
use std::time::Duration;

/// Octets; nobody who is asked has more to say.
const ANSWER_MAX: usize = 64 * 1024;
/// How a client names itself, as Akismet asks for it.
const NAME: &str = concat!("deskbell/", env!("CARGO_PKG_VERSION"), " | deskbell/", env!("CARGO_PKG_VERSION"));

/// A question that was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub message: String,
    pub hint: Option<String>,
    /// Whether asking again later may help, perhaps once somebody has mended something; else it is this
    /// one mail that is not taken.
    pub temporary: bool,
}

impl Failure {
    /// Makes one that passes, or that a person can mend.
    pub fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, temporary: true }
    }

    /// Makes one that comes again whenever this mail is shown.
    pub fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, temporary: false }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// What a service answered.
pub(super) struct Answer {
    pub status: u16,
    pub body: String,
    fields: Vec<(String, String)>,
}

impl Answer {
    /// Gives a header field by its name in lower case, if it holds anything.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }
}

/// A client of one service.
#[derive(Clone, Debug)]
pub(super) struct Web {
    client: Result<Client, Failure>,
    base: String,
}

impl Web {
    /// Makes a client for what lies under `base`. A request with its answer takes at most `patience`.
    ///
    /// A proxy is used where the environment names one, but never on the way to this machine itself.
    pub fn new(base: &str, patience: Duration) -> Self {
        let local = Url::parse(base).is_ok_and(|url| url.host_str().is_some_and(config::is_loopback));
        Self { client: client(local, patience), base: base.trim_end_matches('/').to_owned() }
    }

    /// Begins a POST to a path under the base.
    pub fn post(&self, path: &str) -> Result<RequestBuilder, Failure> {
        Ok(self.client.clone()?.post(format!("{}/{path}", self.base)))
    }

    /// Begins a GET of a path under the base.
    pub fn get(&self, path: &str) -> Result<RequestBuilder, Failure> {
        Ok(self.client.clone()?.get(format!("{}/{path}", self.base)))
    }
}

fn client(local: bool, patience: Duration) -> Result<Client, Failure> {
    let trust = tls::web().map_err(|e| Failure { hint: e.hint, ..Failure::passing(e.message) })?;
    let builder = Client::builder()
        .tls_backend_preconfigured(trust)
        .redirect(Policy::none())
        .timeout(patience)
        .user_agent(NAME);
    let builder = if local { builder.no_proxy() } else { builder };
    builder.build().map_err(|e| Failure::passing(reason(&e)))
}

/// Sends a request and reads the answer; one that is too large is a failure.
pub(super) async fn send(request: RequestBuilder) -> Result<Answer, Failure> {
    let failed = |e: reqwest::Error| match e.is_builder() {
        true => Failure::passing(reason(&e)).hint("check the URL in [spam]"),
        false => Failure::passing(reason(&e)).hint("check the URL in [spam], and whether the service runs"),
    };
    let mut response = request.send().await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_MAX {
            return Err(Failure::passing("the answer is too large"));
        }
    }
    let body = String::from_utf8_lossy(&body).trim().to_owned();
    let fields = fields(&response);
    Ok(Answer { status: response.status().as_u16(), body, fields })
}

fn fields(response: &Response) -> Vec<(String, String)> {
    let read = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), read(value))).collect()
}

/// Says what went wrong down to its cause, without the address, in which somebody may keep a password.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    match error.is_connect() {
        true => format!("it cannot be reached: {cause}"),
        false => format!("the request failed: {cause}"),
    }
}

/// Shortens what a service said to what fits a line.
pub(super) fn short(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}
