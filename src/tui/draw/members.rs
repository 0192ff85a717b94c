//! Draws the members screen of a project.

use super::super::app::App;
use super::super::clean::{self, fit};
use super::super::layout::Areas;
use super::super::members::role_about;
use super::screens::{first_row, nothing};
use super::{heading, rows, select, text, two_ends};
use crate::domain::{Member, Role};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws who belongs to the project, and at the foot what one's own role allows.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let path = app.shown_path().unwrap_or_default();
    let loaded = app.members.loaded && app.members.project == path;
    let count = match app.members.rows.len() {
        _ if !loaded => String::new(),
        1 => "1 member".to_owned(),
        n => format!("{n} members"),
    };
    heading(app, areas, &format!("Members of {}", clean::line(&path)), &count, buf);
    let ell = app.theme.signs.ellipsis;
    let name = name_width(areas.heads.width);
    let head = format!("  {}  {}  MAY", fit("USER", name, ell), fit("ROLE", 10, ell));
    text(Line::styled(head, app.theme.dim), areas.heads, buf);
    let list = Rect { height: areas.body.height.saturating_sub(2), ..areas.body };
    if loaded && app.members.rows.is_empty() {
        let then = "Every user of the desk is a maintainer of it until a adds the first one.";
        return nothing(app, "This project has no members.", then, list, buf);
    }
    if !loaded {
        return;
    }
    let top = first_row(app.members.selected, list.height);
    for ((index, row), place) in app.members.rows.iter().enumerate().skip(top).zip(rows(list)) {
        let here = index == app.members.selected;
        let mine = app.me.as_ref().is_some_and(|me| me.name == row.user);
        let right = if mine { " you " } else { "" };
        two_ends(line(app, row, name, here), vec![Span::styled(right, app.theme.dim)], place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
    let foot = Rect { y: list.bottom() + 1, height: 1.min(areas.body.height), ..areas.body };
    two_ends(own(app), Vec::new(), foot.intersection(areas.body), app, buf);
}

fn name_width(wide: u16) -> usize {
    (usize::from(wide) * 2 / 5).clamp(8, 40)
}

fn line(app: &App, row: &Member, name: usize, here: bool) -> Vec<Span<'static>> {
    let ell = app.theme.signs.ellipsis;
    let full = app.users.iter().find(|user| user.name == row.user).and_then(|user| user.full_name.as_deref());
    let who = full.map_or_else(|| row.user.clone(), |full| format!("{} ({full})", row.user));
    vec![
        Span::styled(if here { app.theme.signs.cursor } else { " " }.to_owned(), app.theme.accent_strong),
        Span::raw(format!(" {}  ", fit(&clean::line(&who), name, ell))),
        Span::styled(fit(row.role.word(), 10, ell), app.theme.strong),
        Span::styled(format!("  {}", role_about(row.role)), app.theme.dim),
    ]
}

fn own(app: &App) -> Vec<Span<'static>> {
    let owns = app.me.as_ref().is_some_and(|me| me.owner);
    match (app.lacks(Role::Maintainer), app.own_role()) {
        (Some(why), _) => {
            vec![Span::styled(format!(" Adding, changing and removing {why}."), app.theme.warning)]
        }
        (None, Some(_)) if owns => {
            vec![Span::styled(" You own the desk, so you may change every role.", app.theme.dim)]
        }
        (None, Some(role)) => {
            vec![Span::styled(format!(" You may give roles up to {}.", role.word()), app.theme.dim)]
        }
        (None, None) => Vec::new(),
    }
}
