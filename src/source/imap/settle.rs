//! What is done with a mail on its server once the desk holds it.

use super::{Offers, answers::Limit, folder_on_the_wire};
use crate::{
    config::AfterDelivery,
    source::{SourceError, Stage},
    tls::Patient,
};
use async_imap::{Session, error::Error};
use tokio::time::timeout;

/// Settles one set of mails.
pub(super) async fn settle(
    session: &mut Session<Patient>,
    limit: Limit,
    offers: Offers,
    uids: &str,
    after: &AfterDelivery,
) -> Result<(), SourceError> {
    match after {
        AfterDelivery::Nothing => Ok(()),
        AfterDelivery::Seen => mark(session, limit, uids, "\\Seen").await,
        AfterDelivery::Delete { expunge } => {
            mark(session, limit, uids, "\\Seen \\Deleted").await?;
            remove(session, limit, uids, *expunge && offers.uidplus).await
        }
        AfterDelivery::Move(folder) => {
            let folder = quoted(&folder_on_the_wire(folder));
            relocate(session, limit, offers, uids, &folder).await
        }
    }
}

async fn mark(
    session: &mut Session<Patient>,
    limit: Limit,
    uids: &str,
    flags: &str,
) -> Result<(), SourceError> {
    let command = format!("UID STORE {uids} +FLAGS.SILENT ({flags})");
    limit.command(session.run_command_and_check_ok(command)).await
}

async fn remove(
    session: &mut Session<Patient>,
    limit: Limit,
    uids: &str,
    wanted: bool,
) -> Result<(), SourceError> {
    match wanted {
        true => limit.command(session.run_command_and_check_ok(format!("UID EXPUNGE {uids}"))).await,
        false => Ok(()),
    }
}

/// Moves mails to a folder that may not exist yet; without MOVE it copies, marks and removes.
async fn relocate(
    session: &mut Session<Patient>,
    limit: Limit,
    offers: Offers,
    uids: &str,
    folder: &str,
) -> Result<(), SourceError> {
    let verb = if offers.moving { "MOVE" } else { "COPY" };
    let command = format!("UID {verb} {uids} {folder}");
    if refused(session, limit, &command).await? {
        // Whether it exists already is for the second try to say.
        refused(session, limit, &format!("CREATE {folder}")).await?;
        limit.command(session.run_command_and_check_ok(&command)).await.map_err(|e| SourceError {
            message: format!("mail cannot be moved to {folder}: {}", e.message),
            hint: Some("after_delivery = \"move:FOLDER\" names a folder of the same account".to_owned()),
            ..e
        })?;
    }
    if offers.moving {
        return Ok(());
    }
    mark(session, limit, uids, "\\Deleted").await?;
    remove(session, limit, uids, offers.uidplus).await
}

/// Runs a command and tells whether the server said NO.
async fn refused(session: &mut Session<Patient>, limit: Limit, command: &str) -> Result<bool, SourceError> {
    let answer = timeout(limit.0, session.run_command_and_check_ok(command)).await;
    match answer.map_err(|_| super::answers::silent())? {
        Ok(()) => Ok(false),
        Err(Error::No(_)) => Ok(true),
        Err(e) => Err(super::answers::failed(Stage::Command, e)),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
