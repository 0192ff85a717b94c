//! Draws the templates screen: the list, and beside or below it what the selected one makes.

use super::super::app::App;
use super::super::clean::{self, fit};
use super::super::layout::Areas;
use super::super::markup::plain;
use super::super::templates::how_changed;
use super::screens::{first_row, nothing};
use super::{heading, put, put_bar, rows, rule, select, text, two_ends};
use crate::domain::{TemplateKind, TemplateView};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the templates of a project.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let path = app.shown_path().unwrap_or_default();
    let count = match app.templates.rows.len() {
        0 => String::new(),
        n => format!("{n} templates"),
    };
    heading(app, areas, &format!("Templates of {}", clean::line(&path)), &count, buf);
    if let Some(why) = &app.templates.refused {
        return nothing(app, "They are not shown.", &clean::line(why), areas.body, buf);
    }
    draw_divider(app, areas, buf);
    let ell = app.theme.signs.ellipsis;
    let name = name_width(areas.heads.width);
    text(Line::styled(format!("  {}  FROM", fit("TEMPLATE", name, ell)), app.theme.dim), areas.heads, buf);
    let top = first_row(app.templates.selected, areas.body.height);
    for ((index, row), place) in app.templates.rows.iter().enumerate().skip(top).zip(rows(areas.body)) {
        let here = index == app.templates.selected;
        two_ends(line(app, row, name, here), Vec::new(), place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
    if let Some(row) = app.templates.current() {
        draw_made(app, row, areas.preview, buf);
    }
}

fn draw_divider(app: &App, areas: &Areas, buf: &mut Buffer) {
    match areas.divider {
        area if area.is_empty() => {}
        area if area.height == 1 => rule(app, area, buf),
        area => {
            put(buf, area.x, areas.top_rule.y, "┬", app.theme.rule, app);
            (area.y..area.bottom()).for_each(|y| put_bar(app, area.x, y, buf));
        }
    }
}

fn name_width(wide: u16) -> usize {
    (usize::from(wide) * 2 / 5).clamp(8, 24)
}

fn line(app: &App, row: &TemplateView, name: usize, here: bool) -> Vec<Span<'static>> {
    let theme = &app.theme;
    let mut spans = vec![
        Span::styled(if here { theme.signs.cursor } else { " " }.to_owned(), theme.accent_strong),
        Span::raw(format!(" {}  ", fit(&clean::line(&row.name), name, theme.signs.ellipsis))),
    ];
    if row.trouble.is_some() {
        spans.push(Span::styled(format!("{} ", theme.signs.warning), theme.warning));
    }
    if row.kind == TemplateKind::Description {
        let words = if row.chosen { "appended to new issues, " } else { "for issues, " };
        spans.push(Span::styled(words, if row.chosen { theme.accent } else { theme.dim }));
    }
    let place = place_end(&row.place);
    spans.push(Span::styled(
        clean::line(place),
        if row.trouble.is_some() { theme.warning } else { theme.dim },
    ));
    spans
}

/// Gives where a template is from in few words: the end of a path says more than its beginning.
fn place_end(place: &str) -> &str {
    if place.starts_with(".gitlab/") {
        return "the repository";
    }
    let parts: Vec<(usize, &str)> = place.rmatch_indices('/').take(2).collect();
    match (place.starts_with('/'), parts.get(1)) {
        (true, Some((at, _))) => place.get(at + 1..).unwrap_or(place),
        _ => place,
    }
}

/// Draws what the template makes: where it is from, the subject and the text, and how it is changed.
fn draw_made(app: &App, row: &TemplateView, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let foot = plain(&how_changed(row), width, app.theme.dim);
    let foot_height = u16::try_from(foot.len()).unwrap_or(2).min(area.height / 3);
    let split = area.height - foot_height;
    let mut lines = rows(Rect { height: split, ..area });
    for (line, place) in head(app, row, width).into_iter().zip(&mut lines) {
        text(line, place, buf);
    }
    let body = app.templates.lines(width);
    let room = lines.size_hint().0;
    let more = body.len().saturating_sub(room);
    let shown = if more > 0 { room.saturating_sub(1) } else { room };
    for (line, place) in body.into_iter().take(shown).zip(&mut lines) {
        text(line, place, buf);
    }
    if let (true, Some(place)) = (more > 0, lines.next()) {
        let words = format!("{} {} more lines, Enter reads them", app.theme.signs.folded, more + 1);
        text(Line::styled(words, app.theme.dim), place, buf);
    }
    for (line, place) in foot.into_iter().zip(rows(Rect { y: area.y + split, height: foot_height, ..area })) {
        text(line, place, buf);
    }
}

fn head(app: &App, row: &TemplateView, width: usize) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let mut lines = Vec::new();
    let from = clean::line(place_end(&row.place));
    let (first, second) = match app.templates.made() {
        _ if app.templates.shows_raw() => (format!("{}.md, as it is written", clean::line(&row.name)), from),
        Some(made) => {
            let of = made.reference.as_deref().map_or("an example".to_owned(), clean::line);
            (
                format!("Subject: {}", clean::line(&made.subject)),
                format!("with the data of {of} {} {from}", theme.signs.dot),
            )
        }
        None => (clean::line(&row.name), from),
    };
    let cut = |words: &str| clean::cut(words, width, theme.signs.ellipsis);
    lines.push(Line::styled(cut(&first), theme.strong));
    lines.push(Line::styled(cut(&second), theme.dim));
    if let Some(why) = &row.trouble {
        let words = format!("{} not used: {}", theme.signs.warning, clean::line(why));
        lines.extend(plain(&words, width, theme.warning).into_iter().take(3));
    }
    lines.push(Line::default());
    lines
}
