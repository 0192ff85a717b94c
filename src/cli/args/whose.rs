//! Whose something is: one's own, a project's, or the whole desk's.

use crate::domain::{KeptFor, SenderScope};
use clap::Args;

/// Whose canned replies, macros or views are meant.
#[derive(Debug, Default, Args)]
pub struct Whose {
    /// Your own.
    #[arg(long, conflicts_with_all = ["project", "desk"])]
    mine: bool,
    /// Those of this project.
    #[arg(long, value_name = "PATH", conflicts_with = "desk")]
    project: Option<String>,
    /// Those of the whole desk.
    #[arg(long)]
    desk: bool,
}

impl Whose {
    /// Gives whose they are, if that was said.
    pub fn scope(&self) -> Option<KeptFor> {
        match (&self.project, self.desk, self.mine) {
            (Some(path), ..) => Some(KeptFor::Project(path.clone())),
            (None, true, _) => Some(KeptFor::Desk),
            (None, false, true) => Some(KeptFor::Mine),
            (None, false, false) => None,
        }
    }

    /// Gives the one that is meant; one's own unless another is named.
    pub fn one(&self) -> KeptFor {
        self.scope().unwrap_or(KeptFor::Mine)
    }
}

/// One of them, by its name.
#[derive(Debug, Args)]
pub struct Named {
    pub name: String,
    #[command(flatten)]
    pub whose: Whose,
}

/// Whose rule or clock is meant.
#[derive(Debug, Args)]
pub struct Within {
    /// The project; the whole desk, unless given.
    #[arg(long, value_name = "PATH")]
    pub project: Option<String>,
}

impl Within {
    /// Gives the project or the desk.
    pub fn scope(self) -> SenderScope {
        self.project.map_or(SenderScope::Desk, SenderScope::Project)
    }
}

/// One of them, by its name.
#[derive(Debug, Args)]
pub struct NamedWithin {
    pub name: String,
    #[command(flatten)]
    pub whose: Within,
}
