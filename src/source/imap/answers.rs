//! Limits on waiting, and what the server's answers mean.

use crate::source::{SourceError, Stage};
use async_imap::error::Error;
use std::{fmt::Write, future::Future, io::ErrorKind, time::Duration};
use tokio::time::timeout;

/// How many times as long as an answer one mail may take to come, if something moves.
const TRANSFER: u32 = 30;
/// Longest text of a server that is shown, in characters.
const SHOWN: usize = 200;

/// How long the server may take for one answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(pub Duration);

impl Limit {
    /// Waits for one answer.
    pub async fn command<T>(self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, SourceError> {
        timeout(self.0, answer).await.map_err(|_| silent())?.map_err(|e| failed(Stage::Command, e))
    }

    /// Waits for something that may be large.
    pub async fn transfer<T>(self, answer: impl Future<Output = T>) -> Result<T, SourceError> {
        timeout(self.0 * TRANSFER, answer).await.map_err(|_| silent())
    }
}

/// Says that the server has fallen silent.
pub(super) fn silent() -> SourceError {
    SourceError::new(Stage::Timeout, "the server says nothing")
        .hint("the network or the server hangs; it is tried again")
}

/// Puts an error of the library into words.
pub(super) fn failed(stage: Stage, error: Error) -> SourceError {
    match error {
        Error::Io(e) if e.kind() == ErrorKind::TimedOut => silent(),
        Error::Io(e) if e.kind() == ErrorKind::UnexpectedEof => hung_up(stage),
        Error::ConnectionLost => hung_up(stage),
        Error::No(text) => SourceError::new(stage, format!("the server refuses: {}", said(&text))),
        Error::Bad(text) => {
            SourceError::new(stage, format!("the server did not understand: {}", said(&text)))
        }
        // How the library says that it cannot parse an answer, or that it is too large.
        Error::Io(e) if e.kind() == ErrorKind::Other => SourceError::new(
            Stage::Answer,
            format!("the server's answer cannot be read: {}", cut(&e.to_string())),
        ),
        Error::Io(e) => SourceError::new(stage, cut(&e.to_string())),
        other => SourceError::new(stage, cut(&other.to_string())),
    }
}

/// Says that the server has closed the connection.
pub(super) fn hung_up(stage: Stage) -> SourceError {
    SourceError::new(stage, "the server hung up")
}

/// Gets the server's own words out of the library's `code: …, info: Some("…")`.
fn said(text: &str) -> String {
    let words = text.split_once("info: Some(\"").map_or(text, |(_, words)| words);
    cut(&words.trim_end_matches("\")").replace("\\\"", "\""))
}

/// Shortens what a server said, and takes out what no line may hold.
pub(super) fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

/// Writes UIDs as a set, `1:3,7`.
pub(super) fn uid_set(uids: &[u32]) -> String {
    let mut sorted = uids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut set = String::new();
    let mut rest = sorted.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut last = first;
        while let Some(next) = rest.next_if(|next| Some(*next) == last.checked_add(1)) {
            last = next;
        }
        let comma = if set.is_empty() { "" } else { "," };
        let _ = match first == last {
            true => write!(set, "{comma}{first}"),
            false => write!(set, "{comma}{first}:{last}"),
        };
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_written_as_ranges() {
        for (uids, set) in [
            (&[][..], ""),
            (&[7][..], "7"),
            (&[3, 1, 2, 2][..], "1:3"),
            (&[1, 3, 4, 9][..], "1,3:4,9"),
            (&[u32::MAX, u32::MAX - 1][..], "4294967294:4294967295"),
        ] {
            assert_eq!(uid_set(uids), set);
        }
    }

    #[test]
    fn the_servers_own_words_are_shown_and_nothing_else() {
        let no = Error::No("code: None, info: Some(\"[AUTH] \\\"bob\\\" \u{1b}[31mis out\")".to_owned());
        assert_eq!(failed(Stage::Login, no).message, "the server refuses: [AUTH] \"bob\" [31mis out");
        let long = Error::Bad("x".repeat(10_000));
        assert!(failed(Stage::Command, long).message.len() < 300);
    }
}
