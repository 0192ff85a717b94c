//! The columns of the list: which there are, how wide they are, what stands in them.

use super::super::app::App;
use super::super::clean::{self, fit, fit_right};
use super::super::{clock, when};
use crate::domain::{Column, IssueRow, Party, Priority, State, Status};
use ratatui::style::Style;
use ratatui::text::Span;
use std::collections::{BTreeMap, BTreeSet};

/// The widths of the columns.
pub struct Columns {
    pub number: usize,
    /// Whether numbers stand with their project: two rows have the same one.
    pub projects: Option<Depth>,
    pub title: usize,
    /// Those beside number and title, in their order.
    pub further: Vec<(Column, usize)>,
}

/// How many parts of a project's path tell it from the others, from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth(usize);

/// The most cells of a number with its project.
const NUMBER: usize = 16;

/// Tells whether two of these issues have one number in two projects, and what tells the projects apart.
fn ambiguous(rows: &[IssueRow]) -> Option<Depth> {
    let mut seen: BTreeMap<u64, &str> = BTreeMap::new();
    let twice = rows.iter().any(|row| *seen.entry(row.iid).or_insert(&row.project) != row.project);
    let projects: BTreeSet<&str> = rows.iter().map(|row| row.project.as_str()).collect();
    let parts = projects.iter().map(|path| path.split('/').count()).max().unwrap_or(1);
    let apart = |depth: &usize| {
        let tails: BTreeSet<&str> = projects.iter().map(|path| tail(path, *depth)).collect();
        tails.len() == projects.len()
    };
    twice.then(|| Depth((1..parts).find(apart).unwrap_or(parts)))
}

/// Gives so many parts of a path, from its end.
fn tail(path: &str, parts: usize) -> &str {
    let start = path.rmatch_indices('/').nth(parts.saturating_sub(1)).map_or(0, |(at, _)| at + 1);
    path.get(start..).unwrap_or(path)
}

/// The narrowest title beside columns that a view has of its own.
const TITLE: usize = 16;

impl Columns {
    /// Lays the columns out; those that a view has of its own take the place of the usual ones.
    pub fn of(width: u16, rows: &[IssueRow], own: &[Column]) -> Self {
        let width = usize::from(width);
        let digits = |row: &IssueRow| row.iid.checked_ilog10().unwrap_or(0) as usize + 1;
        let digits = rows.iter().map(digits).max().unwrap_or(1).clamp(3, 8);
        let projects = ambiguous(rows).filter(|_| !own.contains(&Column::Project));
        let number = projects.map_or(digits, |depth| {
            let name = |row: &IssueRow| clean::width(&clean::line(tail(&row.project, depth.0)));
            let longest = rows.iter().map(name).max().unwrap_or(0);
            (digits + 1 + longest).min(NUMBER.min(width / 4).max(digits))
        });
        let further = match own {
            [] => usual(width, rows),
            own => chosen(own, width.saturating_sub(5 + number + TITLE)),
        };
        // The cursor, the number, two blanks.
        let taken = 2 + number + 2 + further.iter().map(|(_, width)| width + 2).sum::<usize>() + 1;
        Self { number, projects, title: width.saturating_sub(taken), further }
    }

    /// Gives the number of an issue, with its project where the number alone does not say which it is.
    pub fn number_of(&self, row: &IssueRow, ellipsis: &str) -> String {
        let number = match self.projects {
            None => row.iid.to_string(),
            Some(depth) => {
                let name = clean::line(tail(&row.project, depth.0));
                let number = format!("#{}", row.iid);
                let room = self.number.saturating_sub(number.len());
                format!("{}{number}", clean::cut(&name, room, ellipsis))
            }
        };
        fit_right(&number, self.number, ellipsis)
    }

    /// Tells whether this column stands there.
    pub fn shows(&self, column: Column) -> bool {
        self.further.iter().any(|(other, _)| *other == column)
    }
}

fn usual(width: usize, rows: &[IssueRow]) -> Vec<(Column, usize)> {
    let labels = rows.iter().any(|row| !row.labels.is_empty());
    let mut found = match width {
        0..50 => vec![(Column::Waits, 5)],
        50..70 => vec![(Column::From, 13), (Column::Waits, 8)],
        // Further columns come where the title is no shorter for them than at 80.
        70..110 => vec![(Column::From, 15), (Column::Who, 6), (Column::Waits, 8)],
        _ if labels => {
            vec![(Column::Labels, 16), (Column::From, 20), (Column::Who, 8), (Column::Waits, 8)]
        }
        _ => vec![(Column::From, 20), (Column::Who, 8), (Column::Waits, 8)],
    };
    if width >= 70 && rows.iter().any(|row| row.clock.is_some()) {
        found.insert(found.len().saturating_sub(1), (Column::Clock, 8));
        if width < 110 {
            found.iter_mut().filter(|(column, _)| *column == Column::From).for_each(|(_, width)| *width = 11);
        }
    }
    found
}

/// Takes of these columns, from the first, what fits into so many cells.
fn chosen(own: &[Column], mut room: usize) -> Vec<(Column, usize)> {
    let mut found = Vec::new();
    for column in own {
        let width = width(*column);
        let Some(left) = room.checked_sub(width + 2) else { break };
        room = left;
        found.push((*column, width));
    }
    found
}

/// Gives the cells that a column takes where a view asks for it.
fn width(column: Column) -> usize {
    match column {
        Column::Notes | Column::Weight => 6,
        Column::Who | Column::Waits | Column::Clock | Column::Status | Column::Priority => 8,
        Column::Created | Column::Updated | Column::Due => 7,
        Column::Labels | Column::Project | Column::Milestone => 16,
        Column::From => 20,
    }
}

/// Gives the head of a column.
pub fn head(column: Column, width: usize) -> String {
    let name = column.name().to_uppercase();
    if is_number(column) { fit_right(&name, width, "") } else { fit(&name, width, "") }
}

/// Draws what stands in a column for an issue.
pub fn cell(app: &App, row: &IssueRow, column: Column, width: usize, usual: Style) -> Span<'static> {
    let ell = app.theme.signs.ellipsis;
    let (words, style) = said(column, app, row, width, usual);
    let words = clean::line(&words);
    let words = if is_number(column) { fit_right(&words, width, ell) } else { fit(&words, width, ell) };
    Span::styled(words, style)
}

/// Numbers and ages stand at the right of their column.
fn is_number(column: Column) -> bool {
    use Column::{Clock, Created, Due, Notes, Updated, Waits, Weight};
    matches!(column, Waits | Clock | Notes | Weight | Created | Updated | Due)
}

fn said(column: Column, app: &App, row: &IssueRow, width: usize, usual: Style) -> (String, Style) {
    let (dim, accent, warning) = (app.theme.dim, app.theme.accent, app.theme.warning);
    let none = || (app.theme.signs.none.to_owned(), dim);
    match column {
        Column::Labels => (row.labels.join(" "), dim),
        Column::Project => (row.project.clone(), dim),
        Column::From => (row.author.label().to_owned(), usual),
        Column::Who => match row.assignee.as_deref() {
            None => none(),
            Some(name) if app.me.as_ref().is_some_and(|me| me.name == name) => ("you".to_owned(), accent),
            Some(name) => (name.to_owned(), usual),
        },
        Column::Waits => {
            let ours = row.waiting_on == Some(Party::Us) && row.state == State::Open;
            (waits(app, row, width), if ours { accent } else { dim })
        }
        Column::Clock => match &row.clock {
            None => (String::new(), dim),
            Some(clock) => (clock::short(clock, app.now), app.clock_style(clock)),
        },
        Column::Status => (status(row.status).to_owned(), usual),
        Column::Priority => match row.priority {
            None => none(),
            Some(priority @ (Priority::Urgent | Priority::High)) => {
                (priority_word(priority).to_owned(), warning)
            }
            Some(priority) => (priority_word(priority).to_owned(), usual),
        },
        Column::Milestone => row.milestone.clone().map_or_else(none, |name| (name, usual)),
        Column::Weight => row.weight.map_or_else(none, |weight| (weight.to_string(), usual)),
        Column::Notes => (row.note_count.to_string(), dim),
        Column::Created => (when::age(app.now, row.created_at), dim),
        Column::Updated => (when::age(app.now, row.updated_at), dim),
        Column::Due => match row.due_at {
            None => none(),
            Some(at) if at < app.now && row.state == State::Open => ("overdue".to_owned(), warning),
            Some(at) => (format!("in {}", when::age(at, app.now)), usual),
        },
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Pending => "pending",
        Status::Solved => "solved",
        Status::Closed => "closed",
    }
}

fn priority_word(priority: Priority) -> &'static str {
    match priority {
        Priority::Urgent => "urgent",
        Priority::High => "high",
        Priority::Normal => "normal",
        Priority::Low => "low",
    }
}

fn waits(app: &App, row: &IssueRow, width: usize) -> String {
    if row.state == State::Closed {
        return if width >= 7 { "closed".to_owned() } else { when::age(app.now, row.updated_at) };
    }
    if let Some(until) = row.snoozed_until.filter(|at| *at > app.now) {
        return format!("in {}", when::age(until, app.now));
    }
    let since = row.waiting_since.unwrap_or(row.updated_at);
    let age = when::age(app.now, since);
    match row.waiting_on {
        Some(Party::Them) if width >= 8 => format!("them {age}"),
        _ => age,
    }
}
