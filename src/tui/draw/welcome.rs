//! The first screen of a desk that has nothing yet.

use super::super::app::App;
use super::super::layout::Areas;
use super::{rows, rule, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Tells whether the desk has neither projects nor mailboxes, or shows none of them to this user.
pub fn is_due(app: &App) -> bool {
    let empty = app.projects.as_ref().is_some_and(Vec::is_empty);
    let new = app.status.as_ref().is_some_and(|s| s.mailboxes.is_empty());
    empty && (new || !owns_desk(app)) && app.list.edit.is_none()
}

fn owns_desk(app: &App) -> bool {
    app.me.as_ref().is_none_or(|me| me.owner)
}

/// Says what this is and what to do next.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let theme = &app.theme;
    text(Line::styled(" deskbell", theme.accent_strong), areas.header, buf);
    rule(app, areas.query, buf);
    let plain = |words: &'static str| Line::styled(words, Style::new());
    let step = |command: &'static str, words: &'static str| {
        Line::from(vec![Span::styled(format!("  {command:<16}"), theme.accent_strong), Span::raw(words)])
    };
    let opening = [
        plain("Customers write mail, their mails become issues here,"),
        plain("and your answers go out as mail again."),
        Line::default(),
    ];
    let first_steps = vec![
        Line::styled("This desk has no mailbox and no project yet. Leave with q, then run", theme.strong),
        Line::default(),
        step("deskbell init", "sets up your mailbox and the first project"),
        step("deskbell demo", "shows everything on a desk to play with, no server needed"),
        Line::default(),
        Line::styled("P adds a project here; deskbell init --example shows every setting.", theme.dim),
    ];
    let name = app.me.as_ref().map_or("you", |me| me.name.as_str());
    let no_member = vec![
        Line::styled("You are no member of any project, so there is nothing to see yet.", theme.strong),
        Line::default(),
        plain("An owner of this desk can change that:"),
        Line::styled(
            format!("  deskbell member add GROUP/PROJECT {name} --role reporter"),
            theme.accent_strong,
        ),
    ];
    let lines = opening.into_iter().chain(if owns_desk(app) { first_steps } else { no_member });
    let top = areas.query.bottom();
    let height = areas.bottom_rule.y.saturating_sub(top);
    let indent = 3.min(areas.header.width);
    let lead = u16::from(height > 10);
    let area = Rect {
        x: indent,
        y: top + lead,
        width: areas.header.width.saturating_sub(indent),
        height: height.saturating_sub(lead),
    };
    for (line, row) in lines.zip(rows(area)) {
        text(line, row, buf);
    }
}
