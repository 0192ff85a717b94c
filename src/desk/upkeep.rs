//! Upkeep: copies, checks and rebuilding of what is derived.

use super::{Desk, txn};
use crate::domain::{Event, Fault, Response};
use std::path::Path;

impl Desk {
    pub(super) async fn backup(&self, path: &str) -> Result<Response, Fault> {
        let size = self.inner.store.backup(Path::new(path)).await.map_err(txn::store_fault)?;
        Ok(Response::Report(vec![format!("{path}: {size} octets, up to frame {}", self.inner.store.last())]))
    }

    pub(super) async fn rebuild(&self) -> Result<Response, Fault> {
        let _gate = self.inner.gate.lock().await;
        let frames = self.inner.store.rebuild().await.map_err(txn::store_fault)?;
        self.inner.index.clear();
        self.fill_index(crate::domain::Seq(0)).await?;
        self.inner.index.flush();
        self.tell(Event::Missed);
        Ok(Response::Report(vec![format!("{frames} frames replayed, index made anew")]))
    }

    pub(super) async fn verify(&self) -> Result<Response, Fault> {
        self.inner.store.verify().await.map(Response::Report).map_err(txn::store_fault)
    }
}
