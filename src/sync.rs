//! The loops: one task for each mailbox, one for each outlet.
//!
//! Owns when things happen: connecting, waiting, backing off, waking, stopping. Decides nothing about a
//! mail; the desk does.

mod ahead;
mod backoff;
mod commits;
mod graph;
mod hooks;
mod imap;
mod lessons;
mod mailbox;
mod maildir;
mod outbox;
mod record;
mod rest;
mod sign_in;
mod timers;

pub use rest::{Connections, Look, look};

use crate::config::{Config, Hooks, MailboxConfig, OutletConfig};
use crate::desk::Desk;
use crate::domain::{Fault, MailboxPass, OutboxPass, SyncReport};
use crate::web::{self, Pages};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a single pass waits for undo windows, at most.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the loops need to know of the config.
#[derive(Clone, Debug)]
pub struct Plan {
    pub mailboxes: Vec<MailboxConfig>,
    /// By name; `None` is `[smtp]`.
    pub outlets: Vec<(Option<String>, OutletConfig)>,
    pub data_dir: PathBuf,
    /// What is served on the web, and where.
    pub pages: Vec<(Pages, String)>,
    pub hooks: Hooks,
}

impl Plan {
    /// Takes the enabled mailboxes and all outlets out of a config.
    pub fn of(config: &Config, data_dir: &Path) -> Self {
        let named = |name: &String| (name != crate::config::DEFAULT_OUTLET).then(|| name.clone());
        Self {
            mailboxes: config.mailboxes.values().filter(|m| m.enabled).cloned().collect(),
            outlets: config.outlets.iter().map(|(name, outlet)| (named(name), outlet.clone())).collect(),
            data_dir: data_dir.to_owned(),
            pages: pages(config),
            hooks: config.hooks.clone(),
        }
    }
}

fn pages(config: &Config) -> Vec<(Pages, String)> {
    let page = config.web.as_ref().map(|web| (Pages::Unsubscribe, web.listen.clone()));
    let metrics = config.serve.metrics.as_ref().map(|address| (Pages::Metrics, address.clone()));
    page.into_iter().chain(metrics).collect()
}

/// Serves every mailbox and outlet until `stop`. Returns once each has come to a clean end.
pub async fn run(desk: &Desk, plan: &Plan, stop: &CancellationToken) {
    let mut tasks = JoinSet::new();
    for config in plan.mailboxes.clone() {
        let (desk, data_dir, stop) = (desk.clone(), plan.data_dir.clone(), stop.clone());
        tasks.spawn(async move { mailbox::serve(&desk, &config, &data_dir, &stop).await });
    }
    for (name, config) in plan.outlets.clone() {
        let (desk, data_dir, stop) = (desk.clone(), plan.data_dir.clone(), stop.clone());
        tasks.spawn(async move { outbox::serve(&desk, name, &config, &data_dir, &stop).await });
    }
    for (pages, address) in plan.pages.clone() {
        let (desk, stop) = (desk.clone(), stop.clone());
        tasks.spawn(async move { web::serve(&desk, pages, &address, &stop).await });
    }
    let both = || (desk.clone(), stop.clone());
    let (teacher, watcher, timer) = (both(), both(), both());
    tasks.spawn(async move { lessons::serve(&teacher.0, &teacher.1).await });
    tasks.spawn(async move { commits::serve(&watcher.0, &watcher.1).await });
    tasks.spawn(async move { timers::serve(&timer.0, &timer.1).await });
    let (tender, planned) = (both(), plan.clone());
    tasks.spawn(async move { sign_in::serve(&tender.0, &planned, &tender.1).await });
    let (hooked, hooks, folder) = (both(), plan.hooks.clone(), plan.data_dir.clone());
    tasks.spawn(async move { hooks::serve(&hooked.0, &hooks, folder, &hooked.1).await });
    stop.cancelled().await;
    while tasks.join_next().await.is_some() {}
    crate::oauth::Tokens::new(&plan.data_dir).settled().await;
}

/// Looks into every mailbox once, then sends everything that is due; undo windows are waited out, up to a
/// minute. Connections that are there already are used.
pub async fn once(desk: &Desk, plan: &Plan, mut connections: Connections) -> SyncReport {
    let mut report = SyncReport::default();
    let mut tasks = JoinSet::new();
    let told = desk.happenings_from_now().await;
    sign_in::pass(desk, plan).await;
    for config in plan.mailboxes.clone() {
        let (desk, data_dir) = (desk.clone(), plan.data_dir.clone());
        let there = connections.remove(&config.name);
        tasks.spawn(async move { mailbox::pass(&desk, &config, &data_dir, there).await });
    }
    while let Some(pass) = tasks.join_next().await {
        report.mailboxes.extend(pass);
    }
    // Before the outbox, since they may cause mail.
    report.notices = commits::pass(desk).await;
    timers::notices(desk).await;
    report.mailboxes.sort_by(|a: &MailboxPass, b| a.name.cmp(&b.name));
    if let Some(end) = desk.last_window() {
        // Mail that is held for longer than an undo window stays held.
        let window = plan.outlets.iter().map(|(_, outlet)| outlet.undo_window).max().unwrap_or_default();
        tokio::time::sleep_until(end.min(Instant::now() + window.min(LONGEST_WAIT))).await;
    }
    // After the mailboxes, since an answer ends the waiting; before the outlets, which take its mails.
    timers::issues(desk).await;
    for (name, config) in plan.outlets.clone() {
        let (desk, data_dir) = (desk.clone(), plan.data_dir.clone());
        add(&mut report.outbox, outbox::pass(&desk, name, &config, &data_dir).await);
    }
    lessons::pass(desk).await;
    timers::spam(desk).await;
    report.outbox.held = desk.outbox_counts().held;
    match told {
        Ok(told) => hooks::pass(desk, &plan.hooks, plan.data_dir.clone(), told).await,
        Err(fault) => tracing::error!(%fault, "hooks cannot be run"),
    }
    report
}

fn add(total: &mut OutboxPass, pass: OutboxPass) {
    total.sent += pass.sent;
    total.deferred += pass.deferred;
    total.failed += pass.failed;
}

/// Makes a fault of a panic, so that a defect ends one pass and not the loop.
async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Fault> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|panic| {
        let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
        let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Fault::internal(format!("a defect of this program: {words}"))
            .hint("please report it; it is tried again")
    })
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[tokio::test]
    async fn a_panic_becomes_a_fault_that_says_what_it_said() {
        assert_eq!(caught(async { 7 }).await, Ok(7));
        let fault = caught(async { panic!("odd {}", 1) }).await.map(|()| 0).unwrap_err();
        assert_eq!(fault.message, "a defect of this program: odd 1");
    }
}
