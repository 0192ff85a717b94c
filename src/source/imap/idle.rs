//! Waiting for mail (RFC 2177).
//!
//! Spoken here rather than by the library, whose IDLE may panic on an answer without text and calls a
//! lost connection an interrupt.

use super::answers::{Limit, cut, failed, hung_up, silent};
use crate::{
    source::{SourceError, Stage},
    tls::Patient,
};
use async_imap::{
    Session,
    error::Error,
    imap_proto::{MailboxDatum, RequestId, Response, Status},
};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Longest wait; a server may log off who idles for half an hour.
const MAX: Duration = Duration::from_secs(29 * 60);

/// What one line of the server means to somebody who waits.
enum Said {
    GoOn,
    News,
    Done,
    Other,
}

/// Waits for news; `false` when the time is over.
pub(super) async fn wait(
    session: &mut Session<Patient>,
    limit: Limit,
    patience: Duration,
) -> Result<bool, SourceError> {
    let until = Instant::now() + patience.min(MAX);
    let tag = limit.command(session.run_command("IDLE")).await?;
    let mut news = begin(session, limit, &tag).await?;
    session.get_mut().set_limit(None);
    while !news {
        let Ok(line) = timeout_at(until, read(session, &tag)).await else { break };
        news = matches!(line?, Said::News);
    }
    session.get_mut().set_limit(Some(limit.0));
    limit.command(session.run_command_untagged("DONE")).await?;
    Ok(finish(session, limit, &tag).await? || news)
}

/// Waits until the server is ready to tell; gives whether there were news before.
async fn begin(session: &mut Session<Patient>, limit: Limit, tag: &RequestId) -> Result<bool, SourceError> {
    let ready = async {
        let mut news = false;
        loop {
            match read(session, tag).await? {
                Said::GoOn => return Ok(news),
                Said::News => news = true,
                Said::Done => return Err(SourceError::new(Stage::Command, "the server refuses to IDLE")),
                Said::Other => {}
            }
        }
    };
    timeout(limit.0, ready).await.map_err(|_| silent())?
}

/// Waits until the server has taken notice of the end; gives whether there were news before.
async fn finish(session: &mut Session<Patient>, limit: Limit, tag: &RequestId) -> Result<bool, SourceError> {
    let over = async {
        let mut news = false;
        loop {
            match read(session, tag).await? {
                Said::Done => return Ok(news),
                Said::News => news = true,
                Said::GoOn | Said::Other => {}
            }
        }
    };
    timeout(limit.0, over).await.map_err(|_| silent())?
}

/// Reads one line; dropping it half way loses nothing.
async fn read(session: &mut Session<Patient>, tag: &RequestId) -> Result<Said, SourceError> {
    let line = session.read_response().await.map_err(|e| failed(Stage::Command, Error::Io(e)))?;
    let line = line.ok_or_else(|| hung_up(Stage::Command))?;
    match line.parsed() {
        Response::Continue { .. } => Ok(Said::GoOn),
        Response::MailboxData(MailboxDatum::Exists(_)) => Ok(Said::News),
        Response::Done { tag: done, status: Status::Ok, .. } if done == tag => Ok(Said::Done),
        Response::Done { tag: done, outcome, .. } if done == tag => {
            let words = cut(outcome.information.as_deref().unwrap_or_default());
            Err(SourceError::new(Stage::Command, format!("the server refuses to IDLE: {words}")))
        }
        Response::Data { status: Status::Bye, outcome, .. } => {
            let words = cut(outcome.information.as_deref().unwrap_or_default());
            Err(SourceError::new(Stage::Command, format!("the server says goodbye: {words}")))
        }
        _ => Ok(Said::Other),
    }
}
