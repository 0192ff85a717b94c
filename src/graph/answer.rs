//! What an answer of Graph means: its codes (learn.microsoft.com/graph/errors) sorted by what helps.

use crate::{
    config::SecretError,
    http::{Answer, Start, Unanswered, short},
};
use serde::Deserialize;
use std::time::Duration;

/// The longest that we are told to wait and do.
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The secret of the application cannot be had, or is refused.
    Secret,
    /// Whoever gives out tokens cannot be reached.
    Token,
    /// Graph cannot be reached.
    Connect,
    /// The application may not do this.
    Login,
    /// The account may not send from that address.
    Sender,
    /// What was asked for is not there.
    Missing,
    /// Graph is busy or out of order.
    Busy,
    /// It is too large for Graph.
    TooLarge,
    /// Graph refuses this one request for good.
    Refused,
    /// The answer cannot be understood.
    Answer,
    /// There was no answer to something that may have been done.
    Lost,
}

/// A question that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GraphError {
    pub kind: Kind,
    /// The status of the answer; 0 where there was none.
    pub status: u16,
    /// Lower case, no full stop.
    pub message: String,
    pub hint: Option<String>,
    /// How long Graph wants to be left alone.
    pub after: Option<Duration>,
    /// How an answer begins that is too long.
    pub(super) start: Option<Start>,
}

impl GraphError {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, status: 0, message: message.into(), hint: None, after: None, start: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn unanswered(no: Unanswered, repeatable: bool) -> Self {
        let kind = match (repeatable, no.message.starts_with("it cannot be reached")) {
            (false, false) => Kind::Lost,
            _ => Kind::Connect,
        };
        let error = Self::new(kind, format!("Graph gave no answer: {}", no.message));
        Self { start: no.too_long, ..error }.hint("check the network, and graph_endpoint")
    }
}

impl From<SecretError> for GraphError {
    fn from(error: SecretError) -> Self {
        let kind = if error.passing { Kind::Token } else { Kind::Secret };
        Self::new(kind, error.message).hint(error.hint)
    }
}

#[derive(Deserialize)]
struct Said {
    error: Code,
}

#[derive(Deserialize)]
struct Code {
    code: String,
    #[serde(default)]
    message: String,
}

/// Tells whether a status says that asking later may help. 509 is Exchange's own.
pub(super) fn is_busy(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504 | 509)
}

/// Gives how long to wait: what Graph says, else twice as long each time.
pub(super) fn pause(answer: &Answer, waits: u32) -> Duration {
    let said = answer.field("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
    said.unwrap_or(Duration::from_secs(1) * 2u32.saturating_pow(waits.min(9))).min(PAUSE_MAX)
}

/// Gives the answer where it is good.
pub(super) fn understand(answer: Answer, user: &str) -> Result<Answer, GraphError> {
    let status = answer.status;
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    let said = serde_json::from_slice::<Said>(&answer.body).ok().map(|said| said.error);
    let (code, words) = said.map_or((String::new(), String::new()), |c| (short(&c.code), short(&c.message)));
    let (kind, hint) = sort(status, &code, user);
    let after = (kind == Kind::Busy).then(|| pause(&answer, 0));
    let message = format!("Graph answers {status} {code}: {words}");
    Err(GraphError { status, after, hint, ..GraphError::new(kind, message.trim_end_matches([':', ' '])) })
}

fn sort(status: u16, code: &str, user: &str) -> (Kind, Option<String>) {
    let hint = |words: &str| Some(words.to_owned());
    match (status, code) {
        (401, _) => (Kind::Login, hint("check the application at Microsoft Entra, and tenant_id")),
        (_, "ErrorSendAsDenied") => (
            Kind::Sender,
            hint(
                "the account may not send from that address: let it, or check `from` and the mailbox's address",
            ),
        ),
        (403, _) => (
            Kind::Login,
            hint(
                "give the application the permissions Mail.ReadWrite and Mail.Send, with consent of an administrator",
            ),
        ),
        (404, "MailboxNotEnabledForRESTAPI" | "ErrorInvalidUser" | "Request_ResourceNotFound") => {
            (Kind::Login, Some(format!("there is no mailbox of {user} in Microsoft 365: check `user`")))
        }
        (404, _) => (Kind::Missing, None),
        (413, _) | (_, "ErrorMessageSizeExceeded") => (Kind::TooLarge, None),
        (status, _) if is_busy(status) => (Kind::Busy, hint("it is tried again by itself")),
        (300..=399, _) => (Kind::Answer, hint("check graph_endpoint: it leads elsewhere")),
        _ => (Kind::Refused, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_helps() {
        for (status, code, kind) in [
            (401, "InvalidAuthenticationToken", Kind::Login),
            (403, "ErrorAccessDenied", Kind::Login),
            (403, "ErrorSendAsDenied", Kind::Sender),
            (404, "ErrorItemNotFound", Kind::Missing),
            (404, "ErrorInvalidUser", Kind::Login),
            (400, "ErrorInvalidRecipients", Kind::Refused),
            (400, "ErrorMessageSizeExceeded", Kind::TooLarge),
            (413, "", Kind::TooLarge),
            (429, "TooManyRequests", Kind::Busy),
            (503, "ServiceUnavailable", Kind::Busy),
            (509, "", Kind::Busy),
            (302, "", Kind::Answer),
        ] {
            assert_eq!(sort(status, code, "a@x").0, kind, "{status} {code}");
        }
    }
}
