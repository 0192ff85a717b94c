//! Lessons: tells the services what staff decided, and tries again where one does not answer.

use super::{backoff::Backoff, caught};
use crate::desk::Desk;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Tells the services whatever they are still to be told, until `stop`.
pub(super) async fn serve(desk: &Desk, stop: &CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let wait = match pass(desk).await {
            true => {
                backoff.succeeded();
                Duration::MAX
            }
            false => backoff.failed(false),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = wait_for(desk, wait) => {}
        }
    }
}

/// Waits for the next try, or, where nothing failed, for something new.
async fn wait_for(desk: &Desk, wait: Duration) {
    match wait {
        Duration::MAX => desk.wait_for_lessons().await,
        wait => tokio::time::sleep(wait).await,
    }
}

/// Tells the services what they are still to be told; false when one has to be tried again.
pub(super) async fn pass(desk: &Desk) -> bool {
    match caught(desk.tell_lessons()).await.and_then(|told| told) {
        Ok(told) => {
            if let Some(why) = &told.failed {
                tracing::warn!(why, "a lesson waits");
            }
            told.failed.is_none()
        }
        Err(fault) => {
            tracing::error!(%fault, "lessons cannot be told");
            false
        }
    }
}
