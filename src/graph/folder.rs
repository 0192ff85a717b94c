//! Folders: by the names that Graph knows itself, else by those that people gave them.

use super::{Graph, GraphError, Kind};
use crate::http::short;
use reqwest::Url;
use serde_json::Value;

/// Folders that every mailbox has, whatever its language.
const WELL_KNOWN: &[&str] =
    &["inbox", "archive", "junkemail", "deleteditems", "sentitems", "drafts", "outbox", "clutter"];
/// Folders of one name that are looked through.
const ALIKE: &str = "50";

impl Graph {
    /// Gives how the wire calls the mailbox's folder.
    pub(super) async fn folder(&self) -> Result<&str, GraphError> {
        let folder = self.folder.get_or_try_init(|| self.folder_id(&self.config.folder)).await?;
        Ok(folder)
    }

    /// Gives how many mails the mailbox's folder holds.
    pub async fn count(&self) -> Result<u64, GraphError> {
        let url = self.place(&["mailFolders", self.folder().await?], &[("$select", "id,totalItemCount")]);
        let found = self.get(url).await.map_err(|e| missing(e, &self.config.folder))?;
        Ok(found.get("totalItemCount").and_then(Value::as_u64).unwrap_or(0))
    }

    /// Gives how the wire calls a folder, `Archive/Desk` or the like.
    pub(super) async fn folder_id(&self, name: &str) -> Result<String, GraphError> {
        let well_known = name.to_lowercase().replace(' ', "");
        if WELL_KNOWN.contains(&well_known.as_str()) {
            return Ok(well_known);
        }
        let mut above: Option<String> = None;
        for part in name.split('/') {
            let filter = format!("displayName eq '{}'", part.replace('\'', "''"));
            let query = [("$filter", filter.as_str()), ("$select", "id,displayName"), ("$top", ALIKE)];
            let url = match &above {
                Some(id) => self.place(&["mailFolders", id, "childFolders"], &query),
                None => self.place(&["mailFolders"], &query),
            };
            above = Some(self.find(url, part, name).await?);
        }
        above.ok_or_else(|| GraphError::new(Kind::Missing, "the folder has no name"))
    }

    async fn find(&self, url: Url, part: &str, name: &str) -> Result<String, GraphError> {
        let found = self.get(url).await.map_err(|e| missing(e, name))?;
        let folders = found.get("value").and_then(Value::as_array);
        let text = |folder: &Value, key: &str| folder.get(key).and_then(Value::as_str).map(str::to_owned);
        let is_it = |folder: &&Value| {
            text(folder, "displayName").is_some_and(|shown| shown.to_lowercase() == part.to_lowercase())
        };
        let folder = folders.into_iter().flatten().find(is_it).and_then(|folder| text(folder, "id"));
        folder.ok_or_else(|| missing(GraphError::new(Kind::Missing, "there is none of that name"), name))
    }
}

fn missing(error: GraphError, name: &str) -> GraphError {
    match error.kind {
        Kind::Missing => {
            let message = format!("the folder {} cannot be opened: {}", short(name), error.message);
            GraphError { message, ..error }.hint("write it as Outlook shows it, as `Inbox` or `Archive/Desk`")
        }
        _ => error,
    }
}
