//! A folder in Microsoft 365, by way of Microsoft Graph.

use super::{SourceError, Stage};
use crate::{
    config::{AfterDelivery, GraphConfig, MailboxConfig, SourceConfig},
    graph::{Graph, GraphError, Kind, Listed, Whole},
};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Questions about one account that Graph takes at once.
const AT_ONCE: usize = 4;

/// A folder of an account.
#[derive(Debug)]
pub struct GraphSource {
    graph: Graph,
}

/// What came of a fetch.
pub type Fetched = Result<Whole, SourceError>;

impl GraphSource {
    /// Makes a source of a mailbox; nothing is asked yet.
    pub fn new(config: &MailboxConfig) -> Result<Self, SourceError> {
        match &config.source {
            SourceConfig::MicrosoftGraph(graph) => Self::of(graph),
            _ => Err(SourceError::new(Stage::Unsupported, "this mailbox is not in Microsoft Graph")),
        }
    }

    pub(super) fn of(config: &GraphConfig) -> Result<Self, SourceError> {
        Ok(Self { graph: Graph::new(config)? })
    }

    /// Gets a token, which shows that the application is known.
    pub async fn check(&self) -> Result<(), SourceError> {
        Ok(self.graph.check().await?)
    }

    /// Gives how many mails the folder holds.
    pub async fn count(&self) -> Result<u64, SourceError> {
        Ok(self.graph.count().await?)
    }

    /// Lists the mails that came at `since` or later, the oldest first; with `unread`, those of any age that
    /// nobody has read as well.
    pub async fn list(&self, since: Option<Timestamp>, unread: bool) -> Result<Vec<Listed>, SourceError> {
        let mut listed = self.graph.list(since).await?;
        if unread {
            let known: Vec<String> = listed.iter().map(|one| one.id.clone()).collect();
            let known: std::collections::BTreeSet<String> = known.into_iter().collect();
            let further = self.graph.unread().await?;
            listed.extend(further.into_iter().filter(|one| !known.contains(&one.id)));
        }
        listed.sort_by(|a, b| (a.received_at, &a.id).cmp(&(b.received_at, &b.id)));
        listed.dedup_by(|a, b| a.id == b.id);
        Ok(listed)
    }

    /// Fetches mails in this order, each of `limit` octets at most, until there are `enough` octets. Of a failure
    /// each tells by itself.
    pub async fn fetch(&self, ids: &[(&str, u64)], enough: usize) -> BTreeMap<String, Fetched> {
        let mut came = BTreeMap::new();
        let mut octets = 0;
        for some in ids.chunks(AT_ONCE) {
            let asked = some.iter().map(|(id, limit)| async move {
                ((*id).to_owned(), self.graph.fetch(id, *limit).await.map_err(SourceError::from))
            });
            let answers = join_all(asked).await;
            let failed = |one: &Fetched| one.is_err();
            let hopeless = |one: &Fetched| one.as_ref().is_err_and(|error| !error.is_about_one());
            let over = answers.iter().any(|(_, one)| hopeless(one))
                || (some.len() == AT_ONCE && answers.iter().all(|(_, one)| failed(one)));
            octets += answers.iter().map(|(_, one)| one.as_ref().map_or(0, length)).sum::<usize>();
            came.extend(answers);
            if over || octets >= enough {
                break;
            }
        }
        came
    }

    /// Does with a mail what the config says, once the desk holds it. Doing it twice is harmless.
    pub async fn settle(&self, id: &str, after: &AfterDelivery) -> Result<(), SourceError> {
        let done = match after {
            AfterDelivery::Nothing => Ok(()),
            AfterDelivery::Seen => self.graph.mark_read(id).await,
            AfterDelivery::Delete { .. } => self.graph.delete(id).await,
            AfterDelivery::Move(folder) => self.graph.relocate(id, folder).await,
        };
        Ok(done?)
    }
}

fn length(mail: &Whole) -> usize {
    match mail {
        Whole::Bytes(bytes) => bytes.len(),
        Whole::TooLarge { start, .. } => start.len(),
        Whole::Gone => 0,
    }
}

impl From<GraphError> for SourceError {
    fn from(error: GraphError) -> Self {
        let stage = match error.kind {
            Kind::Secret => Stage::Secret,
            Kind::Token => Stage::Token,
            Kind::Connect | Kind::Lost => Stage::Connect,
            Kind::Login | Kind::Sender => Stage::Login,
            Kind::Missing => Stage::Select,
            // Out of order with this one question, perhaps.
            Kind::Busy if matches!(error.status, 500 | 502 | 504) => Stage::Answer,
            Kind::Busy => Stage::Busy,
            Kind::Answer => Stage::Answer,
            Kind::TooLarge | Kind::Refused => Stage::Command,
        };
        Self { stage, message: error.message, hint: error.hint, after: error.after }
    }
}
