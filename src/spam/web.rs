//! How judges are asked: one small answer each, and what it means that there is none.

use crate::http::{self, RequestBuilder, Unanswered};
use reqwest::Client;
use std::time::Duration;

pub(super) use crate::http::short;

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
    answer: http::Answer,
}

impl Answer {
    /// Gives a header field by its name in lower case, if it holds anything.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.answer.field(name)
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
    pub fn new(base: &str, patience: Duration) -> Self {
        let client = http::client(base, NAME, patience);
        let client = client.map_err(|e| Failure { hint: e.hint, ..Failure::passing(e.message) });
        Self { client, base: base.trim_end_matches('/').to_owned() }
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

/// Sends a request and reads the answer; one that is too large is a failure.
pub(super) async fn send(request: RequestBuilder) -> Result<Answer, Failure> {
    let failed = |no: Unanswered| {
        let hint = match (no.unasked, &no.too_long) {
            (true, _) => Some("check the URL in [spam]"),
            (false, None) => Some("check the URL in [spam], and whether the service runs"),
            (false, Some(_)) => None,
        };
        Failure { hint: hint.map(str::to_owned), ..Failure::passing(no.message) }
    };
    let answer = http::send(request, ANSWER_MAX).await.map_err(failed)?;
    let body = String::from_utf8_lossy(&answer.body).trim().to_owned();
    Ok(Answer { status: answer.status, body, answer })
}
