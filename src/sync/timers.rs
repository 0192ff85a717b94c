//! Timers: what falls due by itself, each kind looked at as often as it needs.

use super::caught;
use crate::desk::Desk;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often is looked whether the staff are to be told something, or a verification ran out of time.
const NOTICES: Duration = Duration::from_secs(30);
/// How often is looked for idle issues, clocks, and what rules find by the time.
const ISSUES: Duration = Duration::from_secs(60);
/// How often is looked whether spam was kept long enough.
const SPAM: Duration = Duration::from_secs(3600);

/// Does what falls due, until `stop`.
pub(super) async fn serve(desk: &Desk, stop: &CancellationToken) {
    tokio::join!(
        every(NOTICES, stop, || notices(desk)),
        every(ISSUES, stop, || issues(desk)),
        every(SPAM, stop, || spam(desk)),
    );
}

async fn every<F: Future<Output = ()>>(period: Duration, stop: &CancellationToken, pass: impl Fn() -> F) {
    while !stop.is_cancelled() {
        pass().await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(period) => {}
        }
    }
}

/// Mails to the staff what waited for the end of quiet hours or for the hour of the day's collection, and that
/// a custom address was not verified in time.
pub(super) async fn notices(desk: &Desk) {
    if let Err(fault) = caught(desk.time_out_custom()).await.and_then(|done| done) {
        tracing::error!(%fault, "a verification cannot be given up");
    }
    if let Err(fault) = caught(desk.send_notices()).await.and_then(|sent| sent) {
        tracing::error!(%fault, "the staff cannot be told");
    }
}

/// Warns of idle issues and closes them, tells of clocks that run out, and carries out what rules find by the time.
pub(super) async fn issues(desk: &Desk) {
    if let Err(fault) = caught(desk.tend_idle()).await.and_then(|tended| tended) {
        tracing::error!(%fault, "idle issues cannot be looked at");
    }
    if let Err(fault) = caught(desk.tend_clocks()).await.and_then(|told| told) {
        tracing::error!(%fault, "clocks cannot be looked at");
    }
    if let Err(fault) = caught(desk.tend_rules()).await.and_then(|changed| changed) {
        tracing::error!(%fault, "rules cannot be carried out");
    }
}

/// Lets spam go that was kept long enough.
pub(super) async fn spam(desk: &Desk) {
    if let Err(fault) = caught(desk.purge_spam()).await.and_then(|purged| purged) {
        tracing::error!(%fault, "spam cannot be purged");
    }
}
