//! Draws the screen of blocked senders.

use super::super::app::App;
use super::super::clean::{self, fit};
use super::super::layout::Areas;
use super::super::when;
use super::screens::{first_row, nothing};
use super::{heading, rows, select, text, two_ends};
use crate::domain::{SenderRule, SenderView};
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws the lists of senders.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let lines = match app.senders.rows.len() {
        1 => "1 line".to_owned(),
        n => format!("{n} lines"),
    };
    heading(app, areas, "Blocked senders", &lines, buf);
    let ell = app.theme.signs.ellipsis;
    let wide = usize::from(areas.heads.width);
    let sender = (wide / 2).clamp(8, 40);
    let head = format!("  {}  {}  LIST", fit("RULE", 10, ell), fit("SENDER", sender, ell));
    text(Line::styled(head, app.theme.dim), areas.heads, buf);
    if app.senders.loaded && app.senders.rows.is_empty() {
        let keys =
            "b blocks a sender, a allows one, u sets their mail aside; ! on an issue blocks its author.";
        return nothing(app, "No sender is listed.", keys, areas.body, buf);
    }
    let top = first_row(app.senders.selected, areas.body.height);
    for ((index, row), place) in app.senders.rows.iter().enumerate().skip(top).zip(rows(areas.body)) {
        let here = index == app.senders.selected;
        let at = format!(" {} {} ", clean::line(&row.by), when::age(app.now, row.at));
        two_ends(line(app, row, sender, here), vec![Span::styled(at, app.theme.dim)], place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
}

fn line(app: &App, row: &SenderView, sender: usize, here: bool) -> Vec<Span<'static>> {
    let ell = app.theme.signs.ellipsis;
    let style = match row.rule {
        SenderRule::Block => app.theme.warning,
        SenderRule::Quarantine => app.theme.accent,
        SenderRule::Allow => Style::new(),
    };
    let list = row.project.as_deref().unwrap_or("the whole desk");
    let because =
        row.reference.as_ref().map_or(String::new(), |r| format!(" {} {r} was spam", app.theme.signs.dot));
    vec![
        Span::styled(if here { app.theme.signs.cursor } else { " " }.to_owned(), app.theme.accent_strong),
        Span::styled(format!(" {}", fit(row.rule.word(), 10, ell)), style),
        Span::raw(format!("  {}  ", fit(&clean::line(&row.pattern), sender, ell))),
        Span::styled(format!("{}{}", clean::line(list), clean::line(&because)), app.theme.dim),
    ]
}
