//! Notices: mails to the staff what waited for the end of quiet hours or for the hour of the day's collection,
//! and that a custom address was not verified in time.

use super::caught;
use crate::desk::Desk;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(30);

/// Looks twice a minute whether anything is due, until `stop`.
pub(super) async fn serve(desk: &Desk, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        pass(desk).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Mails what is due.
pub(super) async fn pass(desk: &Desk) {
    if let Err(fault) = caught(desk.time_out_custom()).await.and_then(|done| done) {
        tracing::error!(%fault, "a verification cannot be given up");
    }
    if let Err(fault) = caught(desk.send_notices()).await.and_then(|sent| sent) {
        tracing::error!(%fault, "the staff cannot be told");
    }
}
