//! Purging: lets spam go that was kept long enough, by and by.

use super::caught;
use crate::desk::Desk;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(3600);

/// Looks every hour whether spam was kept long enough, until `stop`.
pub(super) async fn serve(desk: &Desk, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        pass(desk).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Lets spam go that was kept long enough.
pub(super) async fn pass(desk: &Desk) {
    if let Err(fault) = caught(desk.purge_spam()).await.and_then(|purged| purged) {
        tracing::error!(%fault, "spam cannot be purged");
    }
}
