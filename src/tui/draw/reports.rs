//! Draws the screen of reports: their names at the left, the chosen one as a picture at the right.

use super::super::app::App;
use super::super::clean;
use super::super::layout::Areas;
use super::super::picture::{self, Ink};
use super::super::reports::NAMES;
use super::{heading, rows, select, text};
use crate::domain::ReportName;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws the reports.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let (screen, dot) = (&app.reports, app.theme.signs.dot);
    let query = match screen.query.as_str() {
        "" => "all issues".to_owned(),
        query => clean::line(query),
    };
    heading(app, areas, "Reports", &format!("{} {dot} {query}", screen.span_words()), buf);
    names(app, areas.body, buf);
    let part = |area: Rect| {
        let left = (NAMES + 1).min(area.width);
        Rect { x: area.x + left, width: area.width.saturating_sub(left + 1), ..area }
    };
    let Some(report) = screen.report.as_ref().filter(|report| report.name == screen.name) else { return };
    text(Line::styled(report.title.clone(), app.theme.strong), part(areas.heads), buf);
    let body = part(areas.body);
    text(
        Line::styled(
            clean::cut(&picture::about(report), usize::from(body.width), app.theme.signs.ellipsis),
            app.theme.dim,
        ),
        body,
        buf,
    );
    let below = Rect { y: body.y + 1.min(body.height), height: body.height.saturating_sub(1), ..body };
    let lines = screen.lines(body.width, app.options.ascii);
    for (line, place) in lines.iter().skip(screen.top).zip(rows(below)) {
        let spans: Vec<Span<'_>> =
            line.iter().map(|(ink, words)| Span::styled(words.as_str(), style(app, *ink))).collect();
        text(Line::from(spans), place, buf);
    }
}

fn names(app: &App, area: Rect, buf: &mut Buffer) {
    let area = Rect { width: NAMES.min(area.width), ..area };
    for (name, place) in ReportName::ALL.iter().zip(rows(area)) {
        let here = *name == app.reports.name;
        let sign = if here { app.theme.signs.cursor } else { " " };
        let style = if here { app.theme.strong } else { Style::new() };
        let word = Span::styled(format!(" {}", clean::fit(name.word(), usize::from(NAMES) - 2, "")), style);
        text(Line::from(vec![Span::styled(sign, app.theme.accent_strong), word]), place, buf);
        if here {
            select(app, place, buf);
        }
    }
}

fn style(app: &App, ink: Ink) -> Style {
    match ink {
        Ink::Plain => Style::new(),
        Ink::Dim => app.theme.dim,
        Ink::Strong => app.theme.strong,
        Ink::First => app.theme.accent,
        Ink::Second => app.theme.warning,
    }
}
