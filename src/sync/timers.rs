//! Timers: what falls due by itself, looked at every minute.

use super::caught;
use crate::desk::Desk;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);

/// Looks every minute whether something fell due, until `stop`.
pub(super) async fn serve(desk: &Desk, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        pass(desk).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Does what fell due.
pub(super) async fn pass(desk: &Desk) {
    if let Err(fault) = caught(desk.tend_idle()).await.and_then(|tended| tended) {
        tracing::error!(%fault, "idle issues cannot be looked at");
    }
    if let Err(fault) = caught(desk.tend_rules()).await.and_then(|changed| changed) {
        tracing::error!(%fault, "rules cannot be carried out");
    }
}
