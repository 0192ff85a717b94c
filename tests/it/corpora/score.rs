//! Scores: how many statements of each kind hold, and which do not.

use super::lines::Difference;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the statements of one kind in one corpus came to.
#[derive(Default)]
struct Count {
    right: usize,
    wrong: Vec<Miss>,
    /// Files on which we differ by choice.
    chosen: Vec<String>,
}

struct Miss {
    file: String,
    detail: String,
}

/// The scores of a run.
#[derive(Default)]
pub struct Scores {
    counts: BTreeMap<(String, &'static str), Count>,
    /// Every file that was read.
    pub mails: BTreeSet<String>,
    pub slowest: (Duration, String),
}

impl Scores {
    /// Counts a statement.
    pub fn add(
        &mut self,
        corpus: &str,
        file: &str,
        kind: &'static str,
        right: bool,
        detail: impl FnOnce() -> String,
    ) {
        let count = self.counts.entry((corpus.to_owned(), kind)).or_default();
        if right {
            count.right += 1;
        } else {
            count.wrong.push(Miss { file: file.to_owned(), detail: detail() });
        }
    }

    /// Takes the scores of another corpus in.
    pub fn join(&mut self, other: Self) {
        self.counts.extend(other.counts);
        self.mails.extend(other.mails);
        self.slowest = std::mem::take(&mut self.slowest).max(other.slowest);
    }

    /// Sets the listed differences apart; gives those that are none, which have to leave the list.
    pub fn set_apart<'a>(&mut self, differences: &'a [Difference]) -> Vec<&'a str> {
        let mut idle = Vec::new();
        for difference in differences {
            let count =
                self.counts.iter_mut().find(|((c, k), _)| *c == difference.corpus && *k == difference.kind);
            let Some((_, count)) = count else { continue };
            let before = count.wrong.len();
            count.wrong.retain(|miss| miss.file != difference.file);
            if count.wrong.len() < before {
                count.chosen.push(difference.file.clone());
            } else if self.mails.contains(&difference.file) {
                idle.push(difference.file.as_str());
            }
        }
        idle
    }

    /// Gives the share of right statements of these kinds over all corpora, and of how many.
    pub fn share(&self, kinds: &[&str]) -> (f64, usize) {
        let these =
            || self.counts.iter().filter(|((_, kind), _)| kinds.contains(kind)).map(|(_, count)| count);
        let (right, wrong): (usize, usize) =
            (these().map(|c| c.right).sum(), these().map(|c| c.wrong.len()).sum());
        #[allow(clippy::cast_precision_loss)]
        let share = if right + wrong == 0 { 1.0 } else { right as f64 / (right + wrong) as f64 };
        (share, right + wrong)
    }

    /// Gives a line for each corpus and kind, with the names of what is not right.
    pub fn report(&self) -> String {
        let mut lines = Vec::new();
        let wanted = std::env::var("DESKBELL_CORPORA_SHOW").unwrap_or_default();
        for ((corpus, kind), count) in &self.counts {
            let of = count.right + count.wrong.len();
            let chosen = match count.chosen.len() {
                0 => String::new(),
                n => format!(", {n} differ by choice"),
            };
            lines.push(format!("{corpus:13} {kind:15} {:4} of {of:4}{chosen}", count.right));
            let show = wanted == "all" || !wanted.is_empty() && format!("{corpus}/{kind}").contains(&wanted);
            for miss in &count.wrong {
                lines.push(format!("    {}", miss.file));
                if show {
                    lines.push(miss.detail.clone());
                }
            }
        }
        lines.push(format!(
            "{} mails; the slowest took {:?} to read: {}",
            self.mails.len(),
            self.slowest.0,
            self.slowest.1
        ));
        lines.join("\n")
    }
}
