//! The screen of reports: which one, about which time and issues, and how far it is scrolled.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::overlay::{Ask, Prompt};
use super::picture;
use crate::domain::{AskedReport, Report, ReportName, Request};

/// The times that can be chosen: what is asked for, and the words for it.
const SPANS: [(&str, &str); 5] =
    [("7d", "7 days"), ("30d", "30 days"), ("13w", "3 months"), ("26w", "6 months"), ("52w", "a year")];

/// Cells of the list of reports at the left.
pub const NAMES: u16 = 14;

/// The state of the screen of reports.
#[derive(Debug)]
pub struct ReportsScreen {
    pub name: ReportName,
    /// The place of its time among those that can be chosen.
    span: usize,
    pub query: String,
    pub report: Option<Report>,
    /// The first line of the report that is in sight.
    pub top: usize,
}

impl Default for ReportsScreen {
    fn default() -> Self {
        Self { name: ReportName::Volume, span: 1, query: String::new(), report: None, top: 0 }
    }
}

impl ReportsScreen {
    /// Says which time was chosen.
    pub fn span_words(&self) -> &'static str {
        SPANS.get(self.span).map_or("", |(_, words)| words)
    }

    /// Gives the lines of the report for a place so wide.
    pub fn lines(&self, width: u16, ascii: bool) -> Vec<Vec<picture::Piece>> {
        self.report
            .as_ref()
            .map(|report| picture::lines(report, usize::from(width), ascii))
            .unwrap_or_default()
    }
}

impl App {
    /// Asks for the report that is chosen.
    pub fn ask_report(&mut self) {
        let since = SPANS.get(self.reports.span).map(|(span, _)| (*span).to_owned());
        let (name, query) = (self.reports.name, self.reports.query.clone());
        self.ask(Purpose::Report, Request::Report(AskedReport { name, query, since, until: None }));
    }

    /// Takes the report in that was asked for last.
    pub fn take_report(&mut self, report: Report) {
        self.reports.report = Some(report);
        self.scroll_report(0);
    }

    /// Shows another query's issues.
    pub fn query_reports(&mut self, query: String) {
        self.reports.query = query;
        self.ask_report();
    }

    /// Does an action on the screen of reports; tells whether it was one of its own.
    pub fn reports_act(&mut self, action: Action) -> bool {
        match action {
            Action::Down | Action::Up => self.step_report(action == Action::Down),
            Action::Longer | Action::Shorter => self.step_span(action == Action::Longer),
            Action::HalfDown | Action::PageDown => self.scroll_report(self.report_height() / 2),
            Action::HalfUp | Action::PageUp => self.scroll_report(-(self.report_height() / 2)),
            Action::Top => self.scroll_report(isize::MIN / 2),
            Action::Bottom => self.scroll_report(isize::MAX / 2),
            Action::Query | Action::Open => {
                let hint = "as in the list: project:acme/support label:bug; empty counts all";
                let query = self.reports.query.clone();
                self.open_prompt(Prompt::new(Ask::ReportQuery, "Issues that count", &query, hint));
            }
            _ => return false,
        }
        true
    }

    fn step_report(&mut self, down: bool) {
        let here = ReportName::ALL.iter().position(|name| *name == self.reports.name).unwrap_or(0);
        let to = if down { here + 1 } else { here.saturating_sub(1) };
        if let Some(name) = ReportName::ALL.get(to) {
            (self.reports.name, self.reports.top) = (*name, 0);
            self.ask_report();
        }
    }

    fn step_span(&mut self, longer: bool) {
        let to = if longer { self.reports.span + 1 } else { self.reports.span.saturating_sub(1) };
        if to != self.reports.span && to < SPANS.len() {
            (self.reports.span, self.reports.top) = (to, 0);
            self.ask_report();
        }
    }

    fn report_height(&self) -> isize {
        isize::try_from(self.page()).unwrap_or(1)
    }

    fn scroll_report(&mut self, by: isize) {
        let width = self.width.saturating_sub(NAMES + 2);
        let lines = self.reports.lines(width, self.options.ascii).len();
        let last = lines.saturating_sub(self.page().saturating_sub(1));
        self.reports.top = self.reports.top.saturating_add_signed(by).min(last);
    }
}
