//! Messages: listed page by page, fetched as they came, and what is done with them.

use super::{Body, Graph, GraphError, Kind, Question, TRANSFER};
use crate::http;
use jiff::Timestamp;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::json;

/// Messages of one page.
const PAGE: &str = "100";
/// Pages of one list, at most; what comes after them comes with the next list.
const PAGES: usize = 100_000;
/// Octets of an id, at most; theirs have about 150.
const ID_MAX: usize = 2000;

/// A message as Graph lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    pub received_at: Option<Timestamp>,
    pub seen: bool,
    pub flagged: bool,
    /// Its Message-ID, in angle brackets.
    pub message_id: Option<String>,
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    Bytes(Vec<u8>),
    /// It is larger than asked for: how it begins, and its octets, or those that came before it was enough.
    TooLarge {
        start: Vec<u8>,
        size: u64,
    },
    /// It is gone.
    Gone,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    #[serde(default)]
    received_date_time: Option<String>,
    #[serde(default)]
    is_read: Option<bool>,
    #[serde(default)]
    flag: Option<Flag>,
    #[serde(default)]
    internet_message_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flag {
    #[serde(default)]
    flag_status: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Row>,
    #[serde(rename = "@odata.nextLink", default)]
    next: Option<String>,
}

impl Graph {
    /// Lists the messages of the mailbox's folder that came at `since` or later, the oldest first.
    pub async fn list(&self, since: Option<Timestamp>) -> Result<Vec<Listed>, GraphError> {
        // What is sorted by has to stand in the filter as well.
        let since = since
            .map_or("1900-01-01T00:00:00Z".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let filter = format!("receivedDateTime ge {since}");
        self.pages(&[("$filter", filter.as_str()), ("$orderby", "receivedDateTime asc")]).await
    }

    /// Lists the messages of the mailbox's folder that nobody has read.
    pub async fn unread(&self) -> Result<Vec<Listed>, GraphError> {
        self.pages(&[("$filter", "isRead eq false")]).await
    }

    async fn pages(&self, query: &[(&str, &str)]) -> Result<Vec<Listed>, GraphError> {
        let select = "id,receivedDateTime,isRead,flag,internetMessageId";
        let fixed = [("$select", select), ("$top", PAGE)];
        let folder = self.folder().await?;
        let mut url = self.place(&["mailFolders", folder, "messages"], &[&fixed, query].concat());
        let mut listed = Vec::new();
        for _ in 0..PAGES {
            let page = self.get(url.clone()).await?;
            let strange = |_| GraphError::new(Kind::Answer, "Graph's list of messages cannot be understood");
            let page: Page = serde_json::from_value(page).map_err(strange)?;
            listed.extend(page.value.into_iter().filter_map(Row::listed));
            let Some(next) = page.next else { break };
            let next = self.next(&next)?;
            if next == url {
                return Err(GraphError::new(Kind::Answer, "Graph's list of messages does not end"));
            }
            url = next;
        }
        Ok(listed)
    }

    /// Reads where the next page is. Our token goes to no other place than the one it is for.
    fn next(&self, link: &str) -> Result<Url, GraphError> {
        let next = Url::parse(link).ok().filter(|url| url.origin() == self.base.origin());
        next.ok_or_else(|| {
            GraphError::new(Kind::Answer, "Graph's next page is on another server, which is not asked")
                .hint("check graph_endpoint")
        })
    }

    /// Fetches a message in MIME, `limit` octets at most.
    pub async fn fetch(&self, id: &str, limit: u64) -> Result<Whole, GraphError> {
        let question = Question {
            method: Method::GET,
            url: self.place(&["messages", id, "$value"], &[]),
            body: Body::None,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            patience: TRANSFER,
            repeatable: true,
        };
        match self.ask(question).await {
            Ok(answer) => Ok(Whole::Bytes(answer.body)),
            Err(GraphError { kind: Kind::Missing, .. }) => Ok(Whole::Gone),
            Err(GraphError { start: Some(start), .. }) => {
                let came = start.octets.len() as u64;
                Ok(Whole::TooLarge { size: start.whole.unwrap_or(came), start: start.octets })
            }
            Err(error) => Err(error),
        }
    }

    /// Marks a message as read; one that is gone is none to mark.
    pub async fn mark_read(&self, id: &str) -> Result<(), GraphError> {
        let body = json!({ "isRead": true });
        gone_is_done(self.change(Method::PATCH, self.place(&["messages", id], &[]), Body::Json(&body)).await)
    }

    /// Deletes a message.
    pub async fn delete(&self, id: &str) -> Result<(), GraphError> {
        gone_is_done(self.change(Method::DELETE, self.place(&["messages", id], &[]), Body::None).await)
    }

    /// Moves a message to a folder; one that lies there already stays.
    pub async fn relocate(&self, id: &str, folder: &str) -> Result<(), GraphError> {
        let folder = self.folder_id(folder).await?;
        let body = json!({ "destinationId": folder });
        let moved =
            self.change(Method::POST, self.place(&["messages", id, "move"], &[]), Body::Json(&body)).await;
        match gone_is_done(moved) {
            Err(GraphError { kind: Kind::Refused, message, .. }) => {
                let at = self.get(self.place(&["messages", id], &[("$select", "parentFolderId")])).await?;
                match at.get("parentFolderId").and_then(serde_json::Value::as_str) {
                    Some(parent) if parent == folder => Ok(()),
                    _ => Err(GraphError::new(Kind::Refused, message)),
                }
            }
            done => done,
        }
    }
}

impl Row {
    fn listed(self) -> Option<Listed> {
        if self.id.is_empty() || self.id.len() > ID_MAX {
            return None;
        }
        let flagged = self.flag.and_then(|flag| flag.flag_status).is_some_and(|status| status == "flagged");
        Some(Listed {
            received_at: self.received_date_time.and_then(|at| at.parse().ok()),
            seen: self.is_read.unwrap_or(false),
            message_id: self.internet_message_id.map(|id| http::short(&id)),
            flagged,
            id: self.id,
        })
    }
}

fn gone_is_done(done: Result<(), GraphError>) -> Result<(), GraphError> {
    match done {
        Err(GraphError { kind: Kind::Missing, .. }) => Ok(()),
        done => done,
    }
}
