//! Draws the screen of canned replies and macros.

use super::super::app::App;
use super::super::clean::{self, fit};
use super::super::layout::Areas;
use super::screens::{card, card_part, first_row, list_part, nothing};
use super::{heading, rows, select, two_ends};
use crate::domain::CannedView;
use ratatui::buffer::Buffer;
use ratatui::text::Span;

/// Draws them, and below the text of the one in front.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let known = &app.texts.rows;
    let count = if known.is_empty() { String::new() } else { known.len().to_string() };
    heading(app, areas, "Canned replies and macros", &count, buf);
    let name = (usize::from(areas.heads.width) / 4).clamp(8, 30);
    let head = format!("  {}  TEXT", fit("NAME", name, ""));
    two_ends(
        vec![Span::styled(head, app.theme.dim)],
        vec![Span::styled("WHOSE ", app.theme.dim)],
        areas.heads,
        app,
        buf,
    );
    if app.texts.loaded && known.is_empty() {
        let then = "a keeps one; t on an issue takes one into a reply.";
        return nothing(app, "There are no canned replies yet.", then, areas.body, buf);
    }
    let list = list_part(areas.body);
    let top = first_row(app.texts.selected, list.height);
    for ((index, row), place) in known.iter().enumerate().skip(top).zip(rows(list)) {
        let here = index == app.texts.selected;
        let owner = vec![Span::styled(format!(" {} ", clean::line(row.scope.word())), app.theme.dim)];
        two_ends(line(app, row, name, here), owner, place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
    if let Some(row) = known.get(app.texts.selected) {
        card(app, &facts(row), card_part(areas.body), buf);
    }
}

fn line(app: &App, row: &CannedView, name: usize, here: bool) -> Vec<Span<'static>> {
    let theme = &app.theme;
    let first = row.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    vec![
        Span::styled(if here { theme.signs.cursor } else { " " }.to_owned(), theme.accent_strong),
        Span::raw(format!(" {}  ", fit(&clean::line(&row.name), name, theme.signs.ellipsis))),
        Span::styled(clean::line(first), theme.dim),
    ]
}

/// Says what one is, and its text.
fn facts(row: &CannedView) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(runs) = &row.runs {
        let key = runs.key.as_ref().map_or(String::new(), |key| format!(", run by ; {key}"));
        facts.push(format!("a macro{key}"));
    }
    if !row.keywords.is_empty() {
        facts.push(format!("found by {}", row.keywords.join(", ")));
    }
    facts.extend(row.files.iter().map(|file| format!("goes out with {}", file.name)));
    facts.extend(row.text.lines().map(str::to_owned));
    facts
}
