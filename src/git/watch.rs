//! Watching one branch of a repository: where it stands, and what reached it since.

use super::run::{git, holds, said};
use super::{GitError, Log, log};
use std::path::{Path, PathBuf};

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub folder: PathBuf,
    /// `None` is the branch that the repository itself calls its default.
    pub branch: Option<String>,
    /// Whether its remote is asked first.
    pub fetch: bool,
    /// A name of the watcher's own, for the ref that a fetch writes: `refs/deskbell/NAME`.
    pub name: String,
}

/// Where a branch stood at the last look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The branch of the clone, of its remote, and of our own fetch: those that there are.
    pub heads: Vec<String>,
    /// When the latest of them was committed, in seconds since 1970.
    pub committed_at: i64,
}

/// What a look found.
#[derive(Clone, Debug, Default)]
pub struct News {
    pub seen: Seen,
    /// What reached the branch since; nothing at the first look.
    pub log: Log,
    /// Files whose times tell that it may be worth to look again.
    pub files: Vec<PathBuf>,
}

/// Looks at a branch. Without an earlier look only its place is told.
pub async fn news(wanted: &Wanted, before: Option<&Seen>) -> Result<News, GitError> {
    let at = Some(wanted.folder.as_path());
    let folder = said(git(at), &["rev-parse", "--absolute-git-dir", "--git-common-dir"]).await?;
    let branch = branch(wanted).await?;
    if wanted.fetch {
        fetch(at, wanted.branch.as_deref(), &own(wanted)).await?;
    }
    let refs = refs(wanted, &branch);
    let files = files(&wanted.folder, &folder, &refs);
    let seen = place(at, &refs).await?;
    if seen.heads.is_empty() && !is_empty(at).await? {
        return Err(GitError::Branch(branch));
    }
    let log = match before {
        Some(before) if before.heads != seen.heads => since(at, before, &seen).await?,
        _ => Log::default(),
    };
    Ok(News { seen, log, files })
}

/// Gives the newest commit of a branch, without asking its remote; `None` before the first one.
pub(super) async fn head(wanted: &Wanted) -> Result<Option<String>, GitError> {
    let at = Some(wanted.folder.as_path());
    let branch = branch(wanted).await?;
    let refs = refs(wanted, &branch);
    let places = places(at, &refs).await?;
    if places.is_empty() && !is_empty(at).await? {
        return Err(GitError::Branch(branch));
    }
    Ok(places.into_iter().max_by_key(|(_, date)| *date).map(|(id, _)| id))
}

/// The ref of our own that a fetch writes.
fn own(wanted: &Wanted) -> String {
    format!("refs/deskbell/{}", wanted.name)
}

/// Where a branch can stand: in the clone, at its remote, and where our own fetch put it.
fn refs(wanted: &Wanted, branch: &str) -> Vec<String> {
    let mut refs = vec![format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}")];
    refs.extend(wanted.fetch.then(|| own(wanted)));
    refs
}

/// Names the branch: as it was asked for, else what the remote calls its default, else that of `HEAD`.
async fn branch(wanted: &Wanted) -> Result<String, GitError> {
    if let Some(branch) = &wanted.branch {
        return Ok(branch.clone());
    }
    let at = Some(wanted.folder.as_path());
    let remote = ["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"];
    if holds(git(at), &remote).await? {
        let name = said(git(at), &remote).await?;
        return Ok(name.trim().trim_start_matches("origin/").to_owned());
    }
    match said(git(at), &["symbolic-ref", "--short", "HEAD"]).await {
        Ok(name) => Ok(name.trim().to_owned()),
        Err(GitError::Said(_)) => Err(GitError::Branch("HEAD".to_owned())),
        Err(error) => Err(error),
    }
}

/// Takes the branch of the remote into a ref of our own, so that nobody's branches are moved.
async fn fetch(at: Option<&Path>, branch: Option<&str>, own: &str) -> Result<(), GitError> {
    let from = branch.map_or("HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
    let refspec = format!("+{from}:{own}");
    let arguments = [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        "origin",
        &refspec,
    ];
    said(git(at), &arguments).await.map(drop).map_err(|error| match error {
        GitError::Said(words) => GitError::Fetch(words),
        error => error,
    })
}

/// Tells where the refs stand that there are.
async fn place(at: Option<&Path>, refs: &[String]) -> Result<Seen, GitError> {
    let mut seen = Seen::default();
    for (id, date) in places(at, refs).await? {
        if !seen.heads.contains(&id) {
            seen.heads.push(id);
            seen.committed_at = seen.committed_at.max(date);
        }
    }
    Ok(seen)
}

/// Lists the commits of the refs that there are, and when each was made, in seconds since 1970.
async fn places(at: Option<&Path>, refs: &[String]) -> Result<Vec<(String, i64)>, GitError> {
    let mut arguments = vec!["for-each-ref", "--format=%(objectname) %(committerdate:unix) %(refname)"];
    arguments.extend(refs.iter().map(String::as_str));
    let mut places = Vec::new();
    for line in said(git(at), &arguments).await?.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(id), Some(date), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
        // A ref of this name could be a folder of others.
        if refs.iter().any(|wanted| wanted == name) {
            places.push((id.to_owned(), date.parse().unwrap_or(0)));
        }
    }
    Ok(places)
}

async fn is_empty(at: Option<&Path>) -> Result<bool, GitError> {
    let any =
        said(git(at), &["for-each-ref", "--count=1", "--format=x", "refs/heads", "refs/remotes"]).await?;
    Ok(any.trim().is_empty())
}

/// Lists what the heads hold that the earlier ones did not. Where one of those is gone, after a forced push
/// and a clean-up, commits count that are newer than it was.
async fn since(at: Option<&Path>, before: &Seen, now: &Seen) -> Result<Log, GitError> {
    let (mut known, mut gone) = (Vec::new(), false);
    for head in &before.heads {
        match holds(git(at), &["cat-file", "-e", &format!("{head}^{{commit}}")]).await? {
            true => known.push(format!("^{head}")),
            false => gone = true,
        }
    }
    let newer = format!("--since={}", before.committed_at.saturating_add(1));
    let mut which: Vec<&str> = gone.then_some(newer.as_str()).into_iter().collect();
    which.push("--end-of-options");
    which.extend(now.heads.iter().chain(&known).map(String::as_str));
    which.push("--");
    if now.heads.is_empty() {
        return Ok(Log::default());
    }
    log(at, &which).await
}

/// Names the files that change when the refs do, whichever way git keeps them.
fn files(folder: &Path, said: &str, refs: &[String]) -> Vec<PathBuf> {
    let mut lines = said.lines().map(|line| folder.join(line));
    let own = lines.next().unwrap_or_else(|| folder.to_owned());
    let common = lines.next().unwrap_or_else(|| own.clone());
    let mut files = vec![own.join("HEAD"), common.join("packed-refs"), common.join("reftable/tables.list")];
    files.extend(refs.iter().map(|name| common.join(name)));
    files
}
