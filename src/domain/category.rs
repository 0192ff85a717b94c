//! Categories: labels and milestones as records of a project.
//!
//! An issue carries their names as words. A word needs no record; a record gives it a colour, dates, and a
//! place in lists before any issue carries it.

use super::{Fault, ProjectId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The two kinds of categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryKind {
    Label,
    Milestone,
}

impl CategoryKind {
    /// Gives the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Milestone => "milestone",
        }
    }

    /// Lists what can be set of it.
    pub fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Label => &["name", "colour", "description"],
            Self::Milestone => &["title", "start", "due", "closed", "description"],
        }
    }
}

/// A label or a milestone of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub project: ProjectId,
    pub kind: CategoryKind,
    pub about: CategoryAbout,
}

/// What can be said of a label or a milestone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CategoryAbout {
    pub name: String,
    /// Of a label, as `#rrggbb`.
    pub colour: Option<String>,
    pub description: Option<String>,
    /// Of a milestone: its first day.
    pub start: Option<Date>,
    /// Of a milestone: its last day.
    pub due: Option<Date>,
    /// Of a milestone: it is over.
    pub closed: bool,
}

/// A category that a verb wrote or took away: what stood there before it and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryChange {
    pub before: Option<Category>,
    pub after: Option<Category>,
}

/// A category as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryView {
    pub kind: CategoryKind,
    pub project: String,
    pub about: CategoryAbout,
    /// Whether it has a record; else it is only a word on issues.
    pub recorded: bool,
    /// How many issues carry it, spam and merged ones aside.
    pub issues: u64,
    /// How many of those are closed.
    pub closed_issues: u64,
}

impl CategoryView {
    /// Gives how much of it is done, in percent; of nothing, nothing.
    pub fn progress(&self) -> u64 {
        (self.closed_issues * 100).checked_div(self.issues).unwrap_or(0)
    }
}

impl CategoryAbout {
    /// Checks what was set, whatever its name.
    pub fn check(&self) -> Result<(), Fault> {
        if let Some(colour) = self.colour.as_deref().filter(|colour| !is_colour(colour)) {
            return Err(Fault::usage(format!("`{colour}` is not a colour")).hint("write it as #d73a4a"));
        }
        match (self.start, self.due) {
            (Some(start), Some(due)) if start > due => {
                Err(Fault::usage(format!("it would be due on {due}, before it starts on {start}")))
            }
            _ => Ok(()),
        }
    }
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.chars().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_six_digits_and_nothing_is_due_before_it_starts() {
        let with = |colour: &str| CategoryAbout { colour: Some(colour.into()), ..Default::default() };
        assert!(with("#D73a4a").check().is_ok());
        for bad in ["red", "#fff", "d73a4a", "#d73a4g", "#d73a4\u{e9}"] {
            assert!(with(bad).check().is_err(), "{bad}");
        }
        let dates = |start: &str, due: &str| CategoryAbout {
            start: start.parse().ok(),
            due: due.parse().ok(),
            ..Default::default()
        };
        assert!(dates("2026-01-01", "2026-01-01").check().is_ok());
        assert!(dates("2026-01-02", "2026-01-01").check().is_err());
        assert!(dates("2026-01-02", "").check().is_ok());
    }
}
