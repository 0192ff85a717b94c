//! The repositories whose commits close issues: whether git is there, and whether each can be read.

use super::Findings;
use crate::domain::ProjectView;
use crate::git::{self, Wanted};
use std::path::Path;

/// Looks at git and at every repository, where a project names one. Nothing is fetched.
pub async fn look(config_dir: &Path, projects: &[ProjectView], findings: &mut Findings) {
    let named = |project: &&ProjectView| project.settings.repository.as_ref().is_some_and(|r| !r.is_empty());
    let projects: Vec<&ProjectView> = projects.iter().filter(named).collect();
    if projects.is_empty() {
        return;
    }
    match git::version().await {
        Ok(version) => findings.ok("git", version),
        Err(error) => return findings.fail("git", error.to_string(), Some(error.hint().to_owned())),
    }
    for project in projects {
        let settings = &project.settings;
        let wanted = Wanted {
            folder: config_dir.join(settings.repository.as_deref().unwrap_or_default()),
            branch: settings.repository_branch.clone().filter(|branch| !branch.is_empty()),
            fetch: false,
            name: project.id.to_string(),
        };
        let step = format!("repository {}", project.path);
        match git::news(&wanted, None).await {
            Ok(news) => {
                let head = news.seen.heads.first().map_or("empty", |head| head.get(..8).unwrap_or(head));
                findings.ok(step, format!("{}: {head}", wanted.folder.display()));
            }
            Err(error) => findings.fail(step, error.to_string(), Some(error.hint().to_owned())),
        }
    }
}
