//! Questions over HTTP: one request, one answer that has an end, within a time.
//!
//! Owns the client: whom it trusts, that it follows no redirects, how much it reads. Knows no service.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

use crate::{config, tls};
use reqwest::{Client, Response, Url, redirect::Policy};
use std::time::Duration;

pub use reqwest::RequestBuilder;

/// A question that got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unanswered {
    /// Lower case, no full stop; names no address, in which somebody may keep a password.
    pub message: String,
    pub hint: Option<String>,
    /// Whether the question could not even be put.
    pub unasked: bool,
    /// How it begins, where a good answer is longer than it may be.
    pub too_long: Option<Start>,
}

/// The beginning of an answer that is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    pub octets: Vec<u8>,
    /// Octets of the whole, as far as the service says.
    pub whole: Option<u64>,
}

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    fields: Vec<(String, String)>,
}

impl Answer {
    /// Gives a header field by its name in lower case, if it holds anything.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }
}

/// Makes a client for what lies under `base`. A request with its answer takes at most `patience`.
///
/// A proxy is used where the environment names one, but never on the way to this machine itself.
pub fn client(base: &str, name: &str, patience: Duration) -> Result<Client, Unanswered> {
    let local = Url::parse(base).is_ok_and(|url| url.host_str().is_some_and(config::is_loopback));
    let trust = tls::web().map_err(|e| Unanswered { hint: e.hint, ..unanswered(e.message) })?;
    let builder = Client::builder()
        .tls_backend_preconfigured(trust)
        .redirect(Policy::none())
        .timeout(patience)
        .user_agent(name.to_owned());
    let builder = if local { builder.no_proxy() } else { builder };
    builder.build().map_err(|e| failed(&e))
}

/// Sends a request and reads the answer, at most `limit` octets of it.
pub async fn send(request: RequestBuilder, limit: usize) -> Result<Answer, Unanswered> {
    let mut response = request.send().await.map_err(|e| failed(&e))?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| failed(&e))? {
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            let whole = response.content_length();
            let start = response.status().is_success().then_some(Start { octets: body, whole });
            return Err(Unanswered { too_long: start, ..unanswered("the answer is too large") });
        }
    }
    Ok(Answer { status: response.status().as_u16(), body, fields: fields(&response) })
}

fn fields(response: &Response) -> Vec<(String, String)> {
    let read = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), read(value))).collect()
}

fn unanswered(message: impl Into<String>) -> Unanswered {
    Unanswered { message: message.into(), hint: None, unasked: false, too_long: None }
}

/// Says what went wrong down to its cause.
fn failed(error: &reqwest::Error) -> Unanswered {
    Unanswered { unasked: error.is_builder(), ..unanswered(reason(error)) }
}

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
pub fn short(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).take(200).collect()
}
