//! Rights: what a user sees and may do, by their role in each project.
//!
//! The roles are GitLab's: a guest sees what is not confidential and comments on it; a reporter works on every
//! issue and sees internal notes and addresses; a maintainer also changes the project. Who is no member of a
//! project sees nothing of it, except where a project has no members at all: it is everybody's then. An owner
//! of the desk may do everything.

use super::{Issue, Note, NoteKind, ProjectId, Role};
use std::collections::BTreeMap;

/// What one user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Rights {
    /// Everything, as owners of the desk may and the desk itself.
    #[default]
    All,
    /// What the role in each project allows, and nothing elsewhere.
    Of(BTreeMap<ProjectId, Role>),
}

impl Rights {
    /// Tells whether the role in a project is at least this one.
    pub fn may(&self, project: ProjectId, role: Role) -> bool {
        match self {
            Self::All => true,
            Self::Of(roles) => roles.get(&project).is_some_and(|has| *has >= role),
        }
    }

    /// Tells whether the role is at least this one in any project.
    pub fn may_anywhere(&self, role: Role) -> bool {
        match self {
            Self::All => true,
            Self::Of(roles) => roles.values().any(|has| *has >= role),
        }
    }

    /// Tells whether anything of a project may be seen.
    pub fn sees(&self, project: ProjectId) -> bool {
        self.may(project, Role::Guest)
    }

    /// Tells whether an issue may be seen.
    pub fn sees_issue(&self, project: ProjectId, confidential: bool) -> bool {
        self.may(project, if confidential { Role::Reporter } else { Role::Guest })
    }

    /// Tells whether a note of an issue may be seen.
    pub fn sees_note(&self, issue: &Issue, note: &Note) -> bool {
        let internal = note.kind == NoteKind::Internal;
        self.sees_issue(issue.project, issue.confidential || internal)
    }

    /// Tells whether the addresses of outside people are shown in full.
    pub fn sees_addresses(&self, project: ProjectId) -> bool {
        self.may(project, Role::Reporter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_includes_the_lower_ones_and_holds_in_its_project_only() {
        let rights = Rights::Of([(ProjectId(1), Role::Reporter), (ProjectId(2), Role::Guest)].into());
        assert!(rights.may(ProjectId(1), Role::Guest) && rights.may(ProjectId(1), Role::Reporter));
        assert!(!rights.may(ProjectId(1), Role::Developer));
        assert!(rights.sees_issue(ProjectId(1), true));
        assert!(rights.sees_issue(ProjectId(2), false) && !rights.sees_issue(ProjectId(2), true));
        assert!(!rights.sees_addresses(ProjectId(2)));
        assert!(!rights.sees(ProjectId(3)));
        assert!(rights.may_anywhere(Role::Reporter) && !rights.may_anywhere(Role::Maintainer));
        assert!(Rights::All.may(ProjectId(3), Role::Owner));
        assert!(!Rights::Of(BTreeMap::new()).may_anywhere(Role::Guest));
    }
}
