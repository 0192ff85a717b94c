//! References: how people name an issue, `mygroup/myproject#12` or just `#12`.

use super::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The name of an issue as somebody wrote it. Without a project it counts where only one exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    pub project: Option<String>,
    pub iid: u64,
}

impl FromStr for Reference {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let (project, number) = match text.trim().rsplit_once('#') {
            Some((project, number)) => (Some(project).filter(|p| !p.is_empty()), number),
            None => (None, text.trim()),
        };
        let iid = number.parse().ok().filter(|n| *n > 0).ok_or_else(|| {
            Fault::new(FaultKind::Usage, format!("`{text}` is not a reference to an issue"))
                .hint("write `12`, `#12` or `mygroup/myproject#12`")
        })?;
        Ok(Self { project: project.map(str::to_owned), iid })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.project.as_deref().unwrap_or(""), self.iid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_with_and_without_project_and_mark() {
        for (text, project, iid) in [("12", None, 12), ("#12", None, 12), ("a/b#3", Some("a/b"), 3)] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.project.as_deref(), reference.iid), (project, iid));
        }
        for bad in ["", "#", "a/b", "#0", "#-1", "a/b#x"] {
            assert!(bad.parse::<Reference>().is_err(), "{bad:?}");
        }
    }
}
