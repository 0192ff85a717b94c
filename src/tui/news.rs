//! News told beside the screen: the bell, the terminal's own notifications, a command of one's own.
//!
//! Silent while the terminal is in front, told at most twice a minute, and without a word of what was written
//! unless that is wanted.

use super::app::App;
use super::clean;
use super::input::Effect;
use crate::domain::{IssueRow, State};
use jiff::Timestamp;

/// Between two notifications, in seconds.
const QUIET_SECONDS: i64 = 30;
/// A title is told up to so many cells.
const TITLE_CELLS: usize = 80;

/// How news is told; `[notify]` of the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    pub bell: bool,
    /// By the terminal (OSC 9 or 777).
    pub osc: bool,
    /// A line for the shell; empty for none.
    pub command: String,
    /// Whether the title of an issue may be told.
    pub show_subject: bool,
}

impl Default for Notify {
    fn default() -> Self {
        Self { bell: true, osc: true, command: String::new(), show_subject: false }
    }
}

/// What is still to be told.
#[derive(Debug, Default)]
pub struct News {
    issues: u64,
    told_at: Option<Timestamp>,
}

impl App {
    /// Learns that so many more issues hold something new.
    pub fn news(&mut self, more: u64) {
        self.news.issues = self.news.issues.saturating_add(more);
        self.tell_news();
    }

    /// Tells what is to be told, unless it was told a moment ago or is seen anyway.
    pub fn tell_news(&mut self) {
        if self.focused == Some(true) {
            self.news.issues = 0;
        }
        let quiet = |at: Timestamp| self.now.as_second() - at.as_second() < QUIET_SECONDS;
        if self.news.issues == 0 || self.news.told_at.is_some_and(quiet) {
            return;
        }
        let issues = std::mem::take(&mut self.news.issues);
        self.news.told_at = Some(self.now);
        let Notify { bell, osc, command, show_subject } = self.options.notify.clone();
        let mut words = match issues {
            1 => "1 issue has news".to_owned(),
            n => format!("{n} issues have news"),
        };
        let newest =
            self.list.rows.iter().filter(|row| row.unread > 0 && row.state == State::Open && !row.spam);
        if let (true, Some(row)) = (show_subject, newest.max_by_key(|row| row.updated_at)) {
            words = format!("{words}: {}", title(row));
        }
        if bell {
            self.want(Effect::Bell);
        }
        if osc {
            self.want(Effect::Notice(words.clone()));
        }
        if !command.is_empty() {
            self.want(Effect::Tell { command, words, issues });
        }
    }

    /// Gives after how many milliseconds something is to be told.
    pub fn news_due(&self) -> Option<i64> {
        let told = self.news.told_at.filter(|_| self.news.issues > 0)?;
        Some(told.as_millisecond() + QUIET_SECONDS * 1000 - self.now.as_millisecond())
    }
}

fn title(row: &IssueRow) -> String {
    clean::cut(&clean::line(&row.title), TITLE_CELLS, "…")
}
