//! The rows of a FETCH.
//!
//! Read here rather than by the library, whose FETCH ends as if all had come when the server says NO.

use super::answers::{Limit, cut, failed, hung_up};
use crate::{
    source::{SourceError, Stage},
    tls::Patient,
};
use async_imap::{
    Session,
    error::Error,
    imap_proto::{AttributeValue, MailboxDatum, RequestId, Response, Status},
};
use jiff::{Timestamp, fmt::strtime};

/// One row, as far as it is of interest.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub uid: Option<u32>,
    pub size: Option<u64>,
    pub internal_date: Option<Timestamp>,
    pub flags: Vec<String>,
    /// The whole mail, or the section that was asked for.
    pub bytes: Option<Vec<u8>>,
}

/// What one line of the answer means.
enum Said {
    Row(Row),
    News,
    Done,
    Other,
}

/// Fetches rows and hands over each; gives whether there was news of further mail.
///
/// A large mail may take long, as long as something moves.
pub(super) async fn fetch(
    session: &mut Session<Patient>,
    limit: Limit,
    uids: &str,
    query: &str,
    mut each: impl FnMut(Row),
) -> Result<bool, SourceError> {
    let tag = limit.command(session.run_command(format!("UID FETCH {uids} {query}"))).await?;
    let mut news = false;
    loop {
        match limit.transfer(read(session, &tag)).await?? {
            Said::Row(row) => each(row),
            Said::News => news = true,
            Said::Done => return Ok(news),
            Said::Other => {}
        }
    }
}

async fn read(session: &mut Session<Patient>, tag: &RequestId) -> Result<Said, SourceError> {
    let line = session.read_response().await.map_err(|e| failed(Stage::Command, Error::Io(e)))?;
    let line = line.ok_or_else(|| hung_up(Stage::Command))?;
    match line.parsed() {
        Response::Fetch(_, attributes) => Ok(Said::Row(row(attributes))),
        Response::MailboxData(MailboxDatum::Exists(_)) => Ok(Said::News),
        Response::Done { tag: done, status: Status::Ok, .. } if done == tag => Ok(Said::Done),
        Response::Done { tag: done, outcome, .. } if done == tag => {
            let words = cut(outcome.information.as_deref().unwrap_or_default());
            Err(SourceError::new(Stage::Command, format!("the server refuses to fetch: {words}")))
        }
        Response::Data { status: Status::Bye, outcome } => {
            let words = cut(outcome.information.as_deref().unwrap_or_default());
            Err(SourceError::new(Stage::Command, format!("the server says goodbye: {words}")))
        }
        _ => Ok(Said::Other),
    }
}

fn row(attributes: &[AttributeValue<'_>]) -> Row {
    let mut row = Row::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => row.uid = Some(*uid),
            AttributeValue::Rfc822Size(size) => row.size = Some(u64::from(*size)),
            AttributeValue::InternalDate(date) => row.internal_date = timestamp(date),
            AttributeValue::Flags(flags) => row.flags.extend(flags.iter().map(|f| f.to_ascii_lowercase())),
            AttributeValue::BodySection { data: Some(data), .. } => row.bytes = Some(data.to_vec()),
            _ => {}
        }
    }
    row
}

/// Reads `17-Jul-2026 02:44:25 -0700` (RFC 3501, `date-time`).
fn timestamp(date: &str) -> Option<Timestamp> {
    strtime::parse("%d-%b-%Y %H:%M:%S %z", date.trim()).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_the_protocol_writes_them() {
        for (date, expected) in [
            ("17-Jul-2026 02:44:25 -0700", Some("2026-07-17T09:44:25Z")),
            (" 7-Jul-2026 02:44:25 +0000", Some("2026-07-07T02:44:25Z")),
            ("31-Feb-2026 02:44:25 +0000", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(timestamp(date).map(|at| at.to_string()).as_deref(), expected, "{date}");
        }
    }
}
