//! Draws the screen of a project's labels and milestones.

use super::super::app::App;
use super::super::clean::{self, fit};
use super::super::layout::Areas;
use super::screens::{first_row, nothing};
use super::{heading, rows, select, two_ends};
use crate::domain::CategoryView;
use ratatui::buffer::Buffer;
use ratatui::text::Span;

/// Draws labels and milestones.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let path = app.shown_path().unwrap_or_default();
    let count = app.categories.rows.len();
    let title = format!("Labels and milestones of {}", clean::line(&path));
    heading(app, areas, &title, &if count > 0 { count.to_string() } else { String::new() }, buf);
    let ell = app.theme.signs.ellipsis;
    let name = (usize::from(areas.heads.width) * 2 / 5).clamp(8, 40);
    let head = format!("  {}  {}  ABOUT", fit("KIND", 9, ell), fit("NAME", name, ell));
    two_ends(
        vec![Span::styled(head, app.theme.dim)],
        vec![Span::styled(" CLOSED / ALL ", app.theme.dim)],
        areas.heads,
        app,
        buf,
    );
    if app.categories.loaded && count == 0 {
        let then = "a adds a label, m a milestone; l on an issue puts a label on.";
        return nothing(app, "There are no labels or milestones yet.", then, areas.body, buf);
    }
    let top = first_row(app.categories.selected, areas.body.height);
    for ((index, row), place) in app.categories.rows.iter().enumerate().skip(top).zip(rows(areas.body)) {
        let here = index == app.categories.selected;
        let right = format!(" {} / {} ", row.closed_issues, row.issues);
        two_ends(line(app, row, name, here), vec![Span::styled(right, app.theme.dim)], place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
}

fn line(app: &App, row: &CategoryView, name: usize, here: bool) -> Vec<Span<'static>> {
    let theme = &app.theme;
    let about = &row.about;
    let facts = [
        (!row.recorded).then(|| "only a word on issues".to_owned()),
        about.closed.then(|| "over".to_owned()),
        about.start.map(|day| format!("from {day}")),
        about.due.map(|day| format!("due {day}")),
        about.colour.clone(),
        about.description.clone(),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().map(|fact| clean::line(&fact)).collect();
    vec![
        Span::styled(if here { theme.signs.cursor } else { " " }.to_owned(), theme.accent_strong),
        Span::styled(format!(" {}  ", fit(row.kind.word(), 9, theme.signs.ellipsis)), theme.dim),
        Span::raw(format!("{}  ", fit(&clean::line(&about.name), name, theme.signs.ellipsis))),
        Span::styled(facts.join(&format!(" {} ", theme.signs.dot)), theme.dim),
    ]
}
