//! Draws the list of changes.

use super::super::app::App;
use super::super::changes::cause;
use super::super::clean::{self, fit, fit_right};
use super::super::layout::Areas;
use super::super::when;
use super::screens::{card, card_part, first_row, list_part, nothing};
use super::{heading, rows, select, text, two_ends};
use crate::domain::DeedView;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws the changes, the latest first, and below what the selected one was.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let shown = app.changes.shown(&app.my_name());
    let title = if app.changes.mine { "Your last changes" } else { "Last changes" };
    heading(app, areas, title, &shown.len().to_string(), buf);
    let wide = usize::from(areas.heads.width);
    let (who, from) = if wide < 60 { (8, 0) } else { (12, if wide < 100 { 9 } else { 20 }) };
    let gap = if from > 0 { "  " } else { "" };
    let head = format!(
        "  {}  {}{gap}{}  CHANGE",
        fit_right("AGE", 4, ""),
        fit("WHO", who, ""),
        fit("FROM", from, "")
    );
    text(Line::styled(head, app.theme.dim), areas.heads, buf);
    if app.changes.loaded && shown.is_empty() {
        return nothing(
            app,
            "Nothing was changed yet.",
            "What you and others do stands here; x takes back.",
            areas.body,
            buf,
        );
    }
    let list = list_part(areas.body);
    let top = first_row(app.changes.selected, list.height);
    for ((index, row), place) in shown.iter().enumerate().skip(top).zip(rows(list)) {
        let here = index == app.changes.selected;
        let right =
            if row.undoable { vec![Span::styled(" x takes back ", app.theme.accent)] } else { Vec::new() };
        two_ends(line(app, row, here, who, from), right, place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
    if let Some(row) = shown.get(app.changes.selected) {
        card(app, &facts(app, row), card_part(areas.body), buf);
    }
}

fn author(app: &App, row: &DeedView) -> String {
    match &row.actor.email {
        Some(email) => clean::line(email.as_str()),
        None if row.actor.user == app.my_name() => "you".to_owned(),
        None => clean::line(&row.actor.user),
    }
}

fn line(app: &App, row: &DeedView, here: bool, who: usize, from: usize) -> Vec<Span<'static>> {
    let theme = &app.theme;
    let ell = theme.signs.ellipsis;
    let gap = if from > 0 { "  " } else { "" };
    let style = if row.undoable { Style::new() } else { theme.dim };
    vec![
        Span::styled(if here { theme.signs.cursor } else { " " }.to_owned(), theme.accent_strong),
        Span::styled(format!(" {}", fit_right(&when::age(app.now, row.at), 4, ell)), theme.dim),
        Span::raw(format!("  {}", fit(&author(app, row), who, ell))),
        Span::styled(format!("{gap}{}", fit(&clean::line(&cause(row)), from, ell)), theme.dim),
        Span::styled(format!("  {}", clean::line(&row.label)), style),
    ]
}

fn facts(app: &App, row: &DeedView) -> Vec<String> {
    let mut facts = vec![row.label.clone()];
    let at = when::full(row.at, &app.options.time_zone);
    facts.push(format!("{} · {} · {at} · change {}", author(app, row), cause(row), row.seq));
    facts.extend((!row.references.is_empty()).then(|| format!("on {}", row.references.join(", "))));
    if let Some(until) = row.held_until.filter(|until| *until > app.now) {
        facts.push(format!(
            "its mail is held until {}; x opens its draft again",
            when::full(until, &app.options.time_zone)
        ));
    }
    facts.extend(row.why_not.as_ref().map(|why| format!("not to be taken back: {why}")));
    facts
}
