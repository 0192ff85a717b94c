//! A look at mailboxes for a desk that is at rest and closed.

use super::Plan;
use crate::config::{MailboxConfig, SourceConfig};
use crate::desk::Rest;
use crate::domain::{MailboxPass, OutboxPass, SyncReport};
use crate::oauth::Tokens;
use crate::source::{ImapSource, SourceError};

/// Looks into every mailbox. Where there is nothing for the desk to do it gives what a pass would have
/// reported; otherwise, and whenever anything is in doubt, the desk has to be opened.
pub async fn nothing_new(rest: &Rest, plan: &Plan) -> Option<SyncReport> {
    let mut report = SyncReport {
        outbox: OutboxPass { held: rest.held, ..OutboxPass::default() },
        ..SyncReport::default()
    };
    let tokens = Tokens::new(&plan.data_dir);
    for config in &plan.mailboxes {
        if let Some(login) = config.source.login() {
            // Whoever needs the token says what is wrong with it.
            let _ = tokens.tend(login).await;
        }
        if !is_read(rest, config, &tokens).await.unwrap_or(false) {
            return None;
        }
        report.mailboxes.push(MailboxPass { name: config.name.clone(), ..MailboxPass::default() });
    }
    report.mailboxes.sort_by(|a, b| a.name.cmp(&b.name));
    Some(report)
}

/// Tells whether a folder holds nothing that the desk has not taken in, and the server was told of all.
async fn is_read(rest: &Rest, config: &MailboxConfig, tokens: &Tokens) -> Result<bool, SourceError> {
    let cursor = rest.cursors.iter().find(|cursor| cursor.mailbox == config.name);
    let Some(cursor) = cursor.filter(|cursor| cursor.first_contact.is_some()) else { return Ok(false) };
    let settled = cursor.owed_fetch.is_empty() && cursor.owed_action.is_empty();
    if !settled || !matches!(config.source, SourceConfig::Imap(_)) {
        return Ok(false);
    }
    let mut source = ImapSource::connect(config, tokens).await?;
    let selected = source.select().await?;
    let mut read = selected.uid_validity == cursor.uid_validity;
    if read && selected.uid_next != cursor.last_uid.checked_add(1) {
        // What came after the last one may be gone by now.
        read = source.list(cursor.last_uid).await?.iter().all(|listing| listing.deleted);
    }
    source.close().await;
    Ok(read)
}
