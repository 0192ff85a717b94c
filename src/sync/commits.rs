//! Commits: looks into the repositories of projects, whenever their files change and every minute.

use super::caught;
use crate::desk::{Desk, Watch};
use crate::domain::{Event, Fault, ProjectId};
use crate::git::{self, News, Seen, Wanted};
use futures_util::future::join_all;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often a repository is looked into when nothing says that it changed.
const EVERY: Duration = Duration::from_secs(60);
/// How often the times of its files are looked at.
const TICK: Duration = Duration::from_secs(2);

/// When a repository was last looked into, and what is known of its files.
#[derive(Default)]
struct Last {
    path: String,
    at: Option<Instant>,
    files: Vec<PathBuf>,
    times: Vec<Option<SystemTime>>,
    trouble: Option<String>,
}

impl Last {
    fn is_over(&self) -> bool {
        self.at.is_none_or(|at| at.elapsed() >= EVERY) || self.times != times(&self.files)
    }
}

/// Watches the repositories of all projects until `stop`.
pub(super) async fn serve(desk: &Desk, stop: &CancellationToken) {
    let mut events = desk.subscribe();
    let mut known: HashMap<ProjectId, Last> = HashMap::new();
    let mut all = false;
    while !stop.is_cancelled() {
        let watches = watches(desk).await;
        forget(desk, &mut known, &watches);
        let due = watches.iter().map(|watch| {
            let last = known.remove(&watch.place.project).unwrap_or_default();
            let over = all || last.is_over();
            (watch, last, over)
        });
        let looked = join_all(due.map(|(watch, last, over)| async move {
            let last = if over { look(desk, watch, last, stop).await } else { last };
            (watch.place.project, last)
        }));
        known = looked.await.into_iter().collect();
        let tick = if watches.is_empty() { Duration::MAX } else { TICK };
        all = tokio::select! {
            () = stop.cancelled() => return,
            () = desk.wait_for_look() => true,
            () = projects_changed(&mut events) => true,
            () = ticked(&known, tick) => false,
        };
    }
}

/// Looks into every repository once; gives what is wrong.
pub(super) async fn pass(desk: &Desk) -> Vec<String> {
    let stop = CancellationToken::new();
    let watches = watches(desk).await;
    let looked = join_all(watches.iter().map(|watch| look(desk, watch, Last::default(), &stop))).await;
    let words =
        |last: Last| last.trouble.map(|trouble| format!("the repository of {}: {trouble}", last.path));
    looked.into_iter().filter_map(words).collect()
}

/// Lets go of what is watched no more, with what was wrong with it.
fn forget(desk: &Desk, known: &mut HashMap<ProjectId, Last>, watches: &[Watch]) {
    known.retain(|id, last| {
        let stays = watches.iter().any(|watch| watch.place.project == *id && watch.path == last.path);
        if !stays && last.trouble.is_some() {
            desk.watch_trouble(&last.path, None);
        }
        stays
    });
}

async fn watches(desk: &Desk) -> Vec<Watch> {
    desk.watches().await.unwrap_or_else(|fault| {
        tracing::error!(%fault, "the repositories of the projects are not known");
        Vec::new()
    })
}

/// Waits until the files of a repository changed, or it is time to look anyway.
async fn ticked(known: &HashMap<ProjectId, Last>, tick: Duration) {
    loop {
        tokio::time::sleep(tick).await;
        if known.values().any(Last::is_over) {
            return;
        }
    }
}

async fn projects_changed(events: &mut Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(Event::Projects | Event::Missed) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Looks into a repository and hands over what is new. What fails stands on the board until it is well.
async fn look(desk: &Desk, watch: &Watch, mut last: Last, stop: &CancellationToken) -> Last {
    last.times = times(&last.files);
    let wanted = Wanted {
        folder: watch.folder.clone(),
        branch: watch.place.branch.clone(),
        fetch: watch.place.fetch,
        name: watch.place.project.to_string(),
    };
    let before = Seen { heads: watch.place.heads.clone(), committed_at: watch.place.committed_at };
    let news = tokio::select! {
        () = stop.cancelled() => return last,
        news = git::news(&wanted, watch.known.then_some(&before)) => news,
    };
    let trouble = match news {
        Ok(news) => hand_over(desk, watch, news, &mut last).await,
        Err(error) => Some(format!("{error}; {}", error.hint())),
    };
    // Said once for each trouble, and taken down whoever put it up.
    if trouble.is_none() || trouble != last.trouble {
        desk.watch_trouble(&watch.path, trouble.clone());
    }
    Last { path: watch.path.clone(), at: Some(Instant::now()), trouble, ..last }
}

/// Hands over what a look found; gives what is wrong with it.
async fn hand_over(desk: &Desk, watch: &Watch, news: News, last: &mut Last) -> Option<String> {
    if last.files != news.files {
        // What changed while git was asked must not go unseen: without times it is looked into again.
        last.times = Vec::new();
        last.files = news.files;
    }
    let commits = news.log.commits;
    let seen = caught(desk.branch_seen(watch, news.seen.heads, news.seen.committed_at, &commits)).await;
    match seen.and_then(|seen| seen) {
        Err(Fault { message, hint, .. }) => Some(format!("{message}; {}", hint.unwrap_or_default())),
        Ok(()) if news.log.cut => Some(format!(
            "more came at once than is read; the latest {} commits counted. `deskbell hook commit` takes the others",
            commits.len()
        )),
        Ok(()) => None,
    }
}

fn times(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    files.iter().map(|file| file.metadata().and_then(|meta| meta.modified()).ok()).collect()
}
