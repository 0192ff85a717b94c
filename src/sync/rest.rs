//! A look at mailboxes for a desk that is at rest and closed.

use super::Plan;
use super::ahead::Ahead;
use crate::config::{MailboxConfig, SourceConfig};
use crate::desk::Rest;
use crate::domain::{MailboxPass, OutboxPass, SyncReport};
use crate::oauth::Tokens;
use crate::source::{ImapSource, Selected, SourceError};
use std::collections::BTreeMap;

/// What a look into the mailboxes found.
pub enum Look {
    /// There is nothing for the desk to do; a pass would have reported this.
    NothingNew(SyncReport),
    /// The desk has to be opened. These connections to its mailboxes are there already.
    Open(Connections),
}

/// Connections to mailboxes whose folder is selected, by the names of the mailboxes.
pub type Connections = BTreeMap<String, Connection>;

/// A connection, and what its folder said of itself.
pub struct Connection {
    pub source: ImapSource,
    pub selected: Selected,
}

/// Looks into every mailbox. Whenever anything is in doubt, the desk has to be opened.
pub async fn look(rest: &Rest, plan: &Plan) -> Look {
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
        match look_into(rest, config, &tokens).await {
            Ok(Mailbox::Read) => {}
            Ok(Mailbox::Unread(connection)) => {
                return Look::Open([(config.name.clone(), *connection)].into());
            }
            Ok(Mailbox::Unknown) | Err(_) => return Look::Open(Connections::new()),
        }
        report.mailboxes.push(MailboxPass { name: config.name.clone(), ..MailboxPass::default() });
    }
    report.mailboxes.sort_by(|a, b| a.name.cmp(&b.name));
    Look::NothingNew(report)
}

/// What is known of a mailbox without its desk.
enum Mailbox {
    /// The desk has taken all of it in, and the server was told of all.
    Read,
    Unread(Box<Connection>),
    Unknown,
}

async fn look_into(rest: &Rest, config: &MailboxConfig, tokens: &Tokens) -> Result<Mailbox, SourceError> {
    let cursor = rest.cursors.iter().find(|cursor| cursor.mailbox == config.name);
    let Some(cursor) = cursor.filter(|cursor| cursor.first_contact.is_some()) else {
        return Ok(Mailbox::Unknown);
    };
    let settled = cursor.owed_fetch.is_empty() && cursor.owed_action.is_empty();
    if !settled || !matches!(config.source, SourceConfig::Imap(_)) {
        return Ok(Mailbox::Unknown);
    }
    let mut source = ImapSource::connect(config, tokens).await?;
    let selected = source.select().await?;
    let mut read = selected.uid_validity == cursor.uid_validity;
    if read && selected.uid_next != cursor.last_uid.checked_add(1) {
        // What came after the last one may be gone by now.
        let mut ahead = Ahead::new(cursor.last_uid, &selected);
        ahead.fill(&mut source, 1).await?;
        read = ahead.is_over();
    }
    if !read {
        return Ok(Mailbox::Unread(Box::new(Connection { source, selected })));
    }
    source.close().await;
    Ok(Mailbox::Read)
}
