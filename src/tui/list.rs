//! The list of issues: which view, which window of it, what is selected and marked.
//!
//! Holds a window of rows, never all of them.

use super::app::{App, Screen};
use super::asks::Purpose;
use super::edit::Edit;
use super::layout::{Mode, areas};
use crate::domain::{
    Fault, IssueId, IssuePage, IssueQuery, IssueRow, Query, Reference, Request, View, ViewId,
};
use std::collections::{BTreeMap, BTreeSet};

/// So many issues can be marked at once.
const MARKS: u64 = 10_000;

/// The state of the list.
#[derive(Debug, Default)]
pub struct List {
    /// The view whose query stands unchanged, from 0.
    pub view: Option<usize>,
    /// The view that was shown before something was looked for in it.
    pub filtered: Option<ViewId>,
    pub query: String,
    /// The query while it is being typed.
    pub edit: Option<Edit>,
    /// The query that stood before this one was typed.
    pub before_edit: String,
    /// What is wrong with the query.
    pub fault: Option<Fault>,
    /// The views in the order of their numbers, with what they find.
    pub views: Vec<View>,
    pub rows: Vec<IssueRow>,
    /// Where the window begins.
    pub offset: u64,
    pub total: u64,
    pub loaded: bool,
    pub selected: u64,
    /// The first row on the screen.
    pub top: u64,
    pub marks: BTreeMap<IssueId, Reference>,
    /// Where a range began.
    pub anchor: Option<u64>,
    pub drafts: BTreeSet<IssueId>,
    pub preview_focus: bool,
    /// Issues of which the first that is found gets the cursor.
    pub wanted: Vec<IssueId>,
}

impl List {
    /// Gives the row at this place of the list, if the window holds it.
    pub fn row(&self, index: u64) -> Option<&IssueRow> {
        let at = usize::try_from(index.checked_sub(self.offset)?).ok()?;
        self.rows.get(at)
    }

    /// Gives the selected row.
    pub fn current(&self) -> Option<&IssueRow> {
        self.row(self.selected)
    }

    /// Tells whether the row is marked, or within the range that is being drawn.
    pub fn is_marked(&self, index: u64, row: &IssueRow) -> bool {
        let in_range = self
            .anchor
            .is_some_and(|anchor| (anchor.min(self.selected)..=anchor.max(self.selected)).contains(&index));
        in_range || self.marks.contains_key(&row.id)
    }

    /// Counts what is marked, and what the range that is being drawn will mark.
    pub fn marked_count(&self) -> usize {
        let numbered = self.rows.iter().zip(self.offset..);
        let drawn =
            |(row, at): &(&IssueRow, u64)| self.is_marked(*at, row) && !self.marks.contains_key(&row.id);
        self.marks.len() + numbered.filter(drawn).count()
    }

    /// Takes a page in: what was selected stays selected and in its place on the screen. Only where the list
    /// stands at its beginning it stays there, so that what is new at the top is seen.
    pub fn take(&mut self, page: IssuePage, height: u64) {
        let kept = self.current().map(|row| row.id);
        self.rows = page.rows;
        self.offset = page.offset;
        self.total = page.total;
        self.loaded = true;
        self.fault = None;
        let moved = kept.and_then(|id| self.rows.iter().position(|row| row.id == id));
        if let Some(at) = moved {
            let now_at = self.offset + at as u64;
            if self.top > 0 {
                self.top = (self.top + now_at).saturating_sub(self.selected);
            }
            self.selected = now_at;
        }
        self.clamp(height);
    }

    /// Takes in that the query cannot be answered: nothing is listed, so nothing is selected.
    pub fn find_nothing(&mut self, fault: Fault) {
        self.rows.clear();
        self.total = 0;
        self.loaded = true;
        self.preview_focus = false;
        self.anchor = None;
        self.fault = Some(fault);
    }

    fn clamp(&mut self, height: u64) {
        self.selected = self.selected.min(self.total.saturating_sub(1));
        self.top = self.top.min(self.total.saturating_sub(height.max(1)));
        self.top = self.top.clamp((self.selected + 1).saturating_sub(height.max(1)), self.selected);
    }
}

impl App {
    /// Gives how many rows of the list are on the screen.
    pub fn list_height(&self) -> u64 {
        u64::from(areas(self.width, self.height, self.list_mode()).body.height)
    }

    /// Says how the list is laid out: on its own where the screen is read line by line.
    pub fn list_mode(&self) -> Mode {
        if self.options.plain { Mode::ListAlone } else { Mode::List }
    }

    /// Shows a view.
    pub fn show_view(&mut self, view: usize) {
        if let Some(chosen) = self.list.views.get(view) {
            self.show_query(chosen.about.query.clone());
            self.list.view = Some(view);
        } else {
            self.say(format!("there is no view {}", view + 1));
        }
    }

    /// Shows what a query finds, from its beginning.
    pub fn show_query(&mut self, query: String) {
        self.list.remember_view();
        if query != self.list.query {
            self.list.selected = 0;
            self.list.top = 0;
            self.list.loaded = false;
            self.list.rows.clear();
            self.list.offset = 0;
            self.list.anchor = None;
            self.list.marks.clear();
        }
        self.list.view = self.list.view_of(&query);
        self.list.query = query;
        self.ask_rows();
    }

    /// Asks for the window around what is on the screen.
    pub fn ask_rows(&mut self) {
        self.sought = Query::parse(&self.list.query).map(|query| query.sought()).unwrap_or_default();
        let limit = self.list_height().max(20) * 4;
        let offset = self.window_start();
        let whole = &self.list.query;
        // The last word of a query that is being typed may go on.
        let query = if self.list.edit.is_some() { Query::typing(whole).into_owned() } else { whole.clone() };
        let query = IssueQuery { query, offset, limit };
        self.ask(Purpose::Rows, Request::Issues(query));
    }

    fn window_start(&self) -> u64 {
        self.list.top.saturating_sub(self.list_height().max(20))
    }

    /// Moves the selection by so many rows.
    pub fn move_selection(&mut self, by: i64) {
        let target = self.list.selected.saturating_add_signed(by);
        self.select(target);
    }

    /// Selects a row, scrolls it into sight, fetches the window and the preview where needed.
    pub fn select(&mut self, index: u64) {
        let before = self.list.selected;
        self.list.selected = index;
        let height = self.list_height();
        self.list.clamp(height);
        let (first, last) = (self.list.top, (self.list.top + height).min(self.list.total));
        let held = self.list.offset..self.list.offset + self.list.rows.len() as u64;
        let near = first.saturating_sub(height / 2)..(last + height / 2).min(self.list.total);
        if self.list.loaded && (near.start < held.start || near.end > held.end) {
            self.ask_rows();
        }
        if before != self.list.selected {
            self.ask_preview();
        }
    }

    /// Asks for the selected issue where its preview is on the screen.
    pub fn ask_preview(&mut self) {
        if areas(self.width, self.height, self.list_mode()).preview.is_empty() {
            self.preview = None;
            return;
        }
        let Some(reference) = self.list.current().and_then(|row| row.reference.parse::<Reference>().ok())
        else {
            self.preview = None;
            return;
        };
        self.ask(Purpose::Preview(reference.clone()), Request::Issue(reference));
    }

    /// Takes a window of rows in.
    pub fn take_rows(&mut self, page: IssuePage) {
        let height = self.list_height();
        let before = self.list.current().map(|row| row.id);
        let offset = page.offset;
        self.list.take(page, height);
        self.select_wanted();
        let current = self.list.current().map(|row| row.id);
        if self.list.current().is_none() && offset != self.window_start() {
            self.ask_rows();
        }
        let shown = self.preview.as_ref().map(|p| p.view.row.id);
        if current != before || current != shown {
            self.ask_preview();
        }
        self.follow();
    }

    /// Puts the cursor on the issue that was just taken back, where the list shows it. Below a thread only that
    /// thread's issue gets it.
    fn select_wanted(&mut self) {
        let is_open = |row: &IssueRow| row.reference.parse().ok() == self.opened;
        let fits = |row: &&IssueRow| self.on_list() || (self.screen == Screen::Thread && is_open(row));
        let row = |id: &IssueId| self.list.rows.iter().position(|row| row.id == *id && fits(&row));
        let found = self.list.wanted.iter().find_map(row);
        if let Some(at) = found {
            self.list.wanted.clear();
            self.list.selected = self.list.offset + at as u64;
            let height = self.list_height();
            self.list.clamp(height);
        }
    }

    /// Marks the selected row, or takes its mark off, and steps on.
    pub fn toggle_mark(&mut self) {
        self.settle_range();
        let Some(row) = self.list.current() else { return };
        let (id, reference) = (row.id, row.reference.parse());
        if self.list.marks.remove(&id).is_none()
            && let Ok(reference) = reference
        {
            self.list.marks.insert(id, reference);
        }
        self.move_selection(1);
    }

    /// Begins a range here, or marks the range that was begun.
    pub fn toggle_range(&mut self) {
        if self.list.anchor.is_none() {
            self.list.anchor = Some(self.list.selected);
        } else {
            self.settle_range();
        }
    }

    fn settle_range(&mut self) {
        let Some(anchor) = self.list.anchor.take() else { return };
        let range = anchor.min(self.list.selected)..=anchor.max(self.list.selected);
        for index in range {
            if let Some(row) = self.list.row(index)
                && let Ok(reference) = row.reference.parse()
            {
                let id = row.id;
                self.list.marks.insert(id, reference);
            }
        }
    }

    /// Marks everything that the query finds, or nothing any more.
    pub fn toggle_all(&mut self) {
        self.list.anchor = None;
        if self.list.marks.is_empty() {
            let query = IssueQuery { query: self.list.query.clone(), offset: 0, limit: MARKS };
            self.ask(Purpose::MarkAll, Request::Issues(query));
        } else {
            self.list.marks.clear();
        }
    }

    /// Takes in what is to be marked.
    pub fn take_marks(&mut self, page: &IssuePage) {
        let rows = page.rows.iter().filter_map(|row| Some((row.id, row.reference.parse().ok()?)));
        self.list.marks = rows.collect();
        let count = self.list.marks.len() as u64;
        match page.total {
            total if total > count => self.say(format!("marked the first {count} of {total}")),
            _ => self.say(format!("marked {count}")),
        }
    }

    /// Gives what a verb is for: the marked issues, else the one in front.
    pub fn targets(&mut self) -> Vec<Reference> {
        if self.on_list() {
            self.settle_range();
            if !self.list.marks.is_empty() {
                return self.list.marks.values().cloned().collect();
            }
        }
        self.target().into_iter().collect()
    }

    /// Gives the one issue that a text is for: the marked one, else the one in front.
    pub fn one_target(&self) -> Option<(IssueId, Reference)> {
        match (&self.thread, self.on_list(), self.list.marks.first_key_value()) {
            (Some(thread), false, _) => Some((thread.view.row.id, thread.reference.clone())),
            (_, true, Some((id, reference))) => Some((*id, reference.clone())),
            _ => {
                let row = self.list.current()?;
                Some((row.id, row.reference.parse().ok()?))
            }
        }
    }

    /// Gives the issue in front.
    pub fn target(&self) -> Option<Reference> {
        match (&self.thread, self.on_list()) {
            (Some(thread), false) => Some(thread.reference.clone()),
            _ => self.list.current()?.reference.parse().ok(),
        }
    }
}
