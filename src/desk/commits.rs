//! Commits that close issues: each commit and issue once, by hand or where a repository is watched.

use super::txn::{self, Txn};
use super::{Acting, Desk, routing};
use crate::domain::{
    Actor, ClosingPattern, Commit, CommitSeen, Event, Fault, Issue, IssueId, Project, ProjectId, Reference,
    Response, Role, SUPPORT_BOT, State, Via, Watched,
};
use crate::mail;
use crate::store::record::{commit_key, issue_key, project_key};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Commits of one request.
const COMMITS: usize = 10_000;
/// Characters of a subject and of a name that are kept.
const WORDS: usize = 200;

/// A branch that is watched for a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    pub path: String,
    pub folder: PathBuf,
    /// Where it stood at the last look; without heads at the first one.
    pub place: Watched,
    /// Whether it was looked at before.
    pub known: bool,
}

/// Where the references of commits can lead.
struct Reach {
    projects: Arc<[Project]>,
    /// Where a bare number leads.
    bare: Option<ProjectId>,
    /// Whose issues can be closed.
    open_to: Vec<ProjectId>,
    pattern: ClosingPattern,
}

/// What a step closed.
#[derive(Default)]
struct Closed {
    ids: Vec<IssueId>,
    names: Vec<String>,
    by: Vec<String>,
}

impl Desk {
    /// Closes what commits say that they close, in this project and in those of the same repository.
    pub(super) async fn commits_reached(
        &self,
        acting: &Acting,
        path: &str,
        commits: &[Commit],
    ) -> Result<Response, Fault> {
        if commits.len() > COMMITS {
            return Err(Fault::usage(format!("more than {COMMITS} commits at once"))
                .hint("name a smaller range, one after the other"));
        }
        let acting = Acting { via: Via::Commit, ..acting.clone() };
        let project = self.project_by_path(&acting.rights, path).await?;
        let (_gate, mut txn) = self.begin().await;
        let projects = txn.projects().await?;
        let same = self.sharing(&project, &projects);
        let open_to = same.into_iter().filter(|id| acting.rights.may(*id, Role::Developer)).collect();
        let pattern = ClosingPattern::new(project.settings.closing_pattern.as_deref())?;
        let reach = Reach { projects, bare: Some(project.id), open_to, pattern };
        let closed = self.close_by(&mut txn, &reach, commits).await?;
        let label = closed.label();
        if !closed.ids.is_empty() {
            txn.deed().label.clone_from(&label);
            txn.deed().undoable = true;
        }
        self.finish(txn, acting.actor(), closed.reason(), Some(acting.request.clone())).await?;
        Ok(self.edited(&acting, &closed.ids, label))
    }

    /// Lists the branches that are to be watched.
    pub async fn watches(&self) -> Result<Vec<Watch>, Fault> {
        let known = txn::all::<Watched>(&self.inner.store, &[]).await?;
        let projects = self.all_projects().await?;
        let watch = |project: &Project| {
            let wanted = wanted(project)?;
            let before = known.iter().find(|place| place.watches_as(&wanted));
            Some(Watch {
                path: project.path.clone(),
                folder: self.repository(project)?,
                known: before.is_some(),
                place: before.cloned().unwrap_or(wanted),
            })
        };
        Ok(projects.iter().filter_map(watch).collect())
    }

    /// Notes where a watched branch stands now, and closes what the commits say that reached it; one step.
    /// At a first look nothing is closed.
    pub async fn branch_seen(
        &self,
        watch: &Watch,
        heads: Vec<String>,
        committed_at: i64,
        commits: &[Commit],
    ) -> Result<(), Fault> {
        let (_gate, mut txn) = self.begin().await;
        let Some(project) = txn.get::<Project>(&project_key(watch.place.project)).await? else {
            return Ok(());
        };
        // Its settings may have changed while git was asked.
        if !wanted(&project).is_some_and(|wanted| watch.place.watches_as(&wanted)) {
            return Ok(());
        }
        let place = Watched { heads, committed_at, ..watch.place.clone() };
        if watch.known && place == watch.place {
            return Ok(());
        }
        self.inner.repositories.forget(project.id);
        let mut closed = Closed::default();
        if watch.known && !commits.is_empty() {
            let projects = txn.projects().await?;
            // The others that share the repository are watched themselves; bare numbers are the first one's.
            let bare = self.sharing(&project, &projects).into_iter().min().filter(|id| *id == project.id);
            let pattern = ClosingPattern::new(project.settings.closing_pattern.as_deref())?;
            let reach = Reach { projects, bare, open_to: vec![project.id], pattern };
            closed = self.close_by(&mut txn, &reach, commits).await?;
        }
        txn.put(&place)?;
        let actor = Actor { user: SUPPORT_BOT.to_owned(), email: None, via: Via::Commit };
        self.finish(txn, actor, closed.reason(), None).await.map(drop)
    }

    /// Puts up or takes down what is wrong with the watch of a project.
    pub fn watch_trouble(&self, path: &str, trouble: Option<String>) {
        let topic = format!("repository {path}");
        let changed = match trouble {
            Some(words) => {
                self.inner.board.notice(topic, format!("the repository of {path}: {words}"));
                true
            }
            None => self.inner.board.clear_notice(&topic),
        };
        if changed {
            self.tell(Event::Status);
        }
    }

    /// Lists the projects that name the same repository as this one, and itself.
    fn sharing(&self, project: &Project, projects: &[Project]) -> Vec<ProjectId> {
        let folder = self.repository(project);
        let same = |other: &&Project| {
            other.id == project.id || (folder.is_some() && self.repository(other) == folder)
        };
        projects.iter().filter(same).map(|other| other.id).collect()
    }

    /// Gives the folder of a project's repository; a relative one counts from the config's folder.
    pub(super) fn repository(&self, project: &Project) -> Option<PathBuf> {
        let named = project.settings.repository.as_deref().filter(|name| !name.is_empty())?;
        let folder = self.inner.ways.config_dir.join(Path::new(named));
        Some(folder.canonicalize().unwrap_or(folder))
    }

    async fn close_by(&self, txn: &mut Txn<'_>, reach: &Reach, commits: &[Commit]) -> Result<Closed, Fault> {
        let mut closed = Closed::default();
        for commit in commits {
            let tidy = tidy(commit);
            for reference in reach.pattern.references(&commit.message) {
                if let Some(id) = self.named(reach, &reference).await? {
                    self.close_once(txn, id, &tidy, &mut closed).await?;
                }
            }
        }
        Ok(closed)
    }

    /// Finds the issue that a commit names, among those that it can close.
    async fn named(&self, reach: &Reach, reference: &Reference) -> Result<Option<IssueId>, Fault> {
        let project = match &reference.project {
            Some(path) => routing::by_path(path, &reach.projects),
            None => reach.bare,
        };
        match project.filter(|id| reach.open_to.contains(id)) {
            Some(project) => {
                let Some(id) = self.by_number(project, reference.iid).await? else { return Ok(None) };
                // One that was moved out of their reach is none of theirs any more.
                let home = self.project_of_issue(id).await?.id;
                Ok(Some(id).filter(|_| reach.open_to.contains(&home)))
            }
            None => Ok(None),
        }
    }

    /// Closes an issue unless this commit was seen before, whatever became of the issue since.
    async fn close_once(
        &self,
        txn: &mut Txn<'_>,
        id: IssueId,
        commit: &Commit,
        closed: &mut Closed,
    ) -> Result<(), Fault> {
        let before = txn.get::<Issue>(&issue_key(id)).await?;
        let Some(before) = before.filter(|issue| !issue.purged && !issue.spam) else { return Ok(()) };
        if txn.get::<CommitSeen>(&commit_key(&commit.id, id)).await?.is_some() {
            return Ok(());
        }
        txn.put(&CommitSeen { commit: commit.id.clone(), issue: id, at: txn.now })?;
        if before.state == State::Closed {
            return Ok(());
        }
        let project = self.load_project(txn, before.project).await?;
        let mut issue = before.clone();
        super::issues::close(&mut issue, txn.now);
        issue.updated_at = txn.now;
        txn.put_issue(Some(&before), &issue)?;
        let why = (!commit.author.is_empty()).then(|| format!("written by {}", commit.author));
        self.system_note(txn, &mut issue, format!("closed by {}", commit.name()), why).await?;
        txn.put(&issue)?;
        self.tell_of_commit(txn, &project, &issue).await?;
        closed.ids.push(id);
        closed.names.push(format!("{}#{}", project.path, issue.iid));
        closed.by.push(commit.name());
        Ok(())
    }
}

impl Closed {
    /// Says what was closed, for a status line.
    fn label(&self) -> String {
        match self.names.as_slice() {
            [] => "no open issue was closed".to_owned(),
            [only] => format!("closed {only} by {}", self.by.first().map_or("", String::as_str)),
            many => format!("closed {} by commits", many.join(", ")),
        }
    }

    fn reason(&self) -> Option<String> {
        let mut by = self.by.clone();
        by.dedup();
        (!by.is_empty()).then(|| by.join(", "))
    }
}

/// Says what is to be watched for a project, with nothing seen yet.
fn wanted(project: &Project) -> Option<Watched> {
    let settings = &project.settings;
    let repository = settings.repository.clone().filter(|name| !name.is_empty())?;
    Some(Watched {
        project: project.id,
        repository,
        branch: settings.repository_branch.clone().filter(|name| !name.is_empty()),
        fetch: settings.repository_fetch,
        heads: Vec::new(),
        committed_at: 0,
    })
}

/// Makes what is shown of a commit one line each, of ordinary characters.
fn tidy(commit: &Commit) -> Commit {
    let line = |text: &str| mail::sanitize_line(text).trim().chars().take(WORDS).collect::<String>();
    Commit {
        id: commit.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(WORDS).collect(),
        author: line(&commit.author),
        subject: line(&commit.subject),
        message: String::new(),
    }
}

/// Refuses settings by which no repository could be watched.
pub(super) fn check(project: &Project) -> Result<(), Fault> {
    let settings = &project.settings;
    let odd = |text: &str| text.starts_with('-') || text.chars().any(char::is_control);
    if settings.repository.as_deref().is_some_and(|name| odd(name) || name.contains("://")) {
        return Err(Fault::usage("the repository is a folder on the machine of the desk")
            .hint("clone it there, name that folder, and set `repository_fetch=true`"));
    }
    let strange = |c: char| c.is_whitespace() || "~^:?*[\\".contains(c);
    if settings
        .repository_branch
        .as_deref()
        .is_some_and(|b| odd(b) || b.contains(strange) || b.contains(".."))
    {
        return Err(Fault::usage("the branch has a name that git would not take"));
    }
    ClosingPattern::new(settings.closing_pattern.as_deref()).map(drop)
}
