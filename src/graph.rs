//! Microsoft Graph: how it is called, and what its answers mean.
//!
//! Owns addresses, pages, waiting when it is busy, and its errors (learn.microsoft.com/graph, v1.0). Knows
//! messages as bytes with an id; no issues, no cursors.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod answer;
mod folder;
mod message;

pub use answer::{GraphError, Kind};
pub use message::{Listed, Whole};

use crate::{
    config::GraphConfig,
    http::{self, Answer, RequestBuilder},
    oauth::Application,
};
use answer::{is_busy, pause};
use reqwest::{Client, Method, Url};
use std::time::Duration;
use tokio::{sync::OnceCell, time::sleep};

/// How long an answer may take; a mail may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
const TRANSFER: Duration = Duration::from_secs(10 * 60);
/// Octets of an answer that is not a mail.
const ANSWER_MAX: usize = 8 * 1024 * 1024;
/// How often a question is put again when Graph is busy, and for how long it is waited for in between.
const AGAIN: u32 = 3;
const WAIT_MAX: Duration = Duration::from_secs(60);
const NAME: &str = concat!("deskbell/", env!("CARGO_PKG_VERSION"));

/// An account, by way of an application.
#[derive(Debug)]
pub struct Graph {
    config: GraphConfig,
    application: Application,
    web: Client,
    base: Url,
    /// The id of the folder, once it was asked for.
    folder: OnceCell<String>,
}

/// What is asked.
struct Question<'q> {
    method: Method,
    url: Url,
    body: Body<'q>,
    /// Octets of the answer.
    limit: usize,
    patience: Duration,
    /// Whether asking a second time does no harm.
    repeatable: bool,
}

enum Body<'q> {
    None,
    Json(&'q serde_json::Value),
    Text(&'q str),
}

impl Graph {
    /// Makes a client; nothing is asked yet.
    pub fn new(config: &GraphConfig) -> Result<Self, GraphError> {
        let base = Url::parse(&format!("{}/v1.0/users", config.endpoint))
            .map_err(|_| GraphError::new(Kind::Connect, format!("`{}` is no address", config.endpoint)))?;
        let web = http::client(&config.endpoint, NAME, PATIENCE)
            .map_err(|no| GraphError { hint: no.hint, ..GraphError::new(Kind::Connect, no.message) })?;
        let application = Application::new(&config.application);
        Ok(Self { config: config.clone(), application, web, base, folder: OnceCell::new() })
    }

    /// Gets a token, which shows that the application is known.
    pub async fn check(&self) -> Result<(), GraphError> {
        self.application.token(None).await.map(drop).map_err(GraphError::from)
    }

    /// Gives an address below the account.
    fn place(&self, parts: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(&self.config.user).extend(parts);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn get(&self, url: Url) -> Result<serde_json::Value, GraphError> {
        let question = Question {
            method: Method::GET,
            url,
            body: Body::None,
            limit: ANSWER_MAX,
            patience: PATIENCE,
            repeatable: true,
        };
        let answer = self.ask(question).await?;
        let strange = |_| GraphError::new(Kind::Answer, "Graph's answer cannot be understood");
        serde_json::from_slice(&answer.body).map_err(strange)
    }

    async fn change(&self, method: Method, url: Url, body: Body<'_>) -> Result<(), GraphError> {
        let (limit, patience) = (ANSWER_MAX, PATIENCE);
        self.ask(Question { method, url, body, limit, patience, repeatable: true }).await.map(drop)
    }

    /// Puts a question; with another token where this one is refused, and again after a while where Graph is
    /// busy and that while is short.
    async fn ask(&self, question: Question<'_>) -> Result<Answer, GraphError> {
        let mut token = self.application.token(None).await?;
        let (mut renewed, mut waits) = (false, 0);
        loop {
            let request = self.request(&question).bearer_auth(token.reveal());
            let answered = http::send(request, question.limit).await;
            let answer = answered.map_err(|no| GraphError::unanswered(no, question.repeatable))?;
            if answer.status == 401 && !renewed {
                renewed = true;
                token = self.application.token(Some(&token)).await?;
                continue;
            }
            let busy = is_busy(answer.status) && (question.repeatable || answer.status == 429);
            let wait = pause(&answer, waits);
            if !busy || waits >= AGAIN || wait > WAIT_MAX {
                return answer::understand(answer, &self.config.user);
            }
            waits += 1;
            tracing::debug!(status = answer.status, ?wait, "Graph is busy");
            sleep(wait).await;
        }
    }

    fn request(&self, question: &Question<'_>) -> RequestBuilder {
        // Ids that stay when a mail is moved.
        let request = self.web.request(question.method.clone(), question.url.clone());
        let request = request.header("Prefer", "IdType=\"ImmutableId\"").timeout(question.patience);
        match question.body {
            Body::None => request,
            Body::Json(value) => request.json(value),
            Body::Text(text) => request.header("Content-Type", "text/plain").body(text.to_owned()),
        }
    }

    /// Sends a mail as it stands: its octets in base64. Exchange reads the recipients from its fields.
    ///
    /// Gives what Graph calls this request. After [`Kind::Lost`] it may have been sent all the same.
    pub async fn send(&self, encoded: &str) -> Result<String, GraphError> {
        let question = Question {
            method: Method::POST,
            url: self.place(&["sendMail"], &[]),
            body: Body::Text(encoded),
            limit: ANSWER_MAX,
            patience: TRANSFER,
            repeatable: false,
        };
        let answer = self.ask(question).await?;
        Ok(answer.field("request-id").map_or_else(String::new, http::short))
    }
}
