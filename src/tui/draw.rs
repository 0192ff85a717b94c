//! Drawing: the state of the screen onto a frame, and nothing else.
//!
//! Pure: no state is changed, no clock is read, and nothing is worked out for rows out of sight.

mod categories;
mod changes;
mod columns;
mod composer;
mod hits;
mod images;
mod list;
mod members;
mod overlay;
mod reports;
mod rules;
mod screens;
mod senders;
mod status;
mod tabs;
mod templates;
mod texts;
mod thread;
mod views;
mod welcome;

use super::app::{App, Screen};
use super::clean;
use super::layout::{Areas, areas};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

/// Draws everything.
pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let area = frame.area();
    let areas = areas(area.width, area.height, app.mode());
    let buf = frame.buffer_mut();
    match app.screen {
        Screen::List if welcome::is_due(app) => welcome::draw(app, &areas, buf),
        Screen::List => list::draw(app, &areas, buf),
        Screen::Thread => thread::draw_screen(app, &areas, buf),
        Screen::Outbox => screens::draw_outbox(app, &areas, buf),
        Screen::Intake => screens::draw_intake(app, &areas, buf),
        Screen::Projects => screens::draw_projects(app, &areas, buf),
        Screen::Senders => senders::draw(app, &areas, buf),
        Screen::Members => members::draw(app, &areas, buf),
        Screen::Templates => templates::draw(app, &areas, buf),
        Screen::Categories => categories::draw(app, &areas, buf),
        Screen::Rules => rules::draw(app, &areas, buf),
        Screen::Texts => texts::draw(app, &areas, buf),
        Screen::Reports => reports::draw(app, &areas, buf),
        Screen::Views => views::draw(app, &areas, buf),
        Screen::Changes => changes::draw(app, &areas, buf),
    }
    rule(app, areas.bottom_rule, buf);
    // What is over the screen ends the line between list and preview before it meets the rule.
    if let (Screen::List | Screen::Templates, 1, None) = (app.screen, areas.divider.width, &app.overlay)
        && !welcome::is_due(app)
    {
        put(buf, areas.divider.x, areas.bottom_rule.y, "┴", app.theme.rule, app);
    }
    status::draw(app, areas.status, buf);
    status::draw_footer(app, areas.footer, buf);
    overlay::draw(app, &areas, buf);
    if app.options.plain && !app.place().takes_text() {
        let selected = selected_line(app, buf);
        if let Some(y) = selected {
            frame.set_cursor_position((0, y));
        }
    }
}

/// Gives the line of what is selected: a screen reader reads where the cursor stands.
fn selected_line(app: &App, buf: &Buffer) -> Option<u16> {
    let area = buf.area;
    let sign = app.theme.signs.cursor;
    let here = |y: &u16| buf.cell((area.x, *y)).is_some_and(|cell| cell.symbol() == sign);
    (area.y..area.bottom()).rev().find(here)
}

/// Draws one sign, or its plain form where signs are not wanted.
fn put(buf: &mut Buffer, x: u16, y: u16, sign: &str, style: Style, app: &App) {
    if Rect::new(x, y, 1, 1).intersects(buf.area) {
        let sign = match (app.options.plain, app.options.ascii) {
            (true, _) => " ",
            (false, true) => "+",
            (false, false) => sign,
        };
        buf.set_string(x, y, sign, style);
    }
}

/// Draws a line across.
fn rule(app: &App, area: Rect, buf: &mut Buffer) {
    repeat(app.theme.signs.rule, app.theme.rule, area, buf);
}

fn repeat(sign: &str, style: Style, area: Rect, buf: &mut Buffer) {
    if !area.is_empty() {
        buf.set_string(area.x, area.y, sign.repeat(usize::from(area.width)), style);
    }
}

/// Draws a line of text into the first row of `area`.
fn text(line: Line<'_>, area: Rect, buf: &mut Buffer) {
    if !area.is_empty() {
        buf.set_line(area.x, area.y, &line, area.width);
    }
}

/// Draws one text at the left and one at the right, the right one whole, the left one cut where they meet.
fn two_ends(left: Vec<Span<'_>>, right: Vec<Span<'_>>, area: Rect, app: &App, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let right_width: usize = right.iter().map(|s| clean::width(&s.content)).sum();
    let right_fits = right_width + 8 <= width;
    let room = if right_fits { width - right_width - usize::from(right_width > 0) } else { width };
    text(Line::from(shorten(left, room, app)), area, buf);
    if right_fits {
        let at = u16::try_from(width - right_width).unwrap_or(0);
        text(Line::from(right), Rect { x: area.x + at, width: area.width - at, ..area }, buf);
    }
}

/// Cuts spans to so many cells.
fn shorten<'a>(spans: Vec<Span<'a>>, room: usize, app: &App) -> Vec<Span<'a>> {
    let all: usize = spans.iter().map(|s| clean::width(&s.content)).sum();
    if all <= room {
        return spans;
    }
    let mut left = room;
    let mut out = Vec::new();
    for span in spans {
        let width = clean::width(&span.content);
        if width < left {
            left -= width;
            out.push(span);
        } else {
            let cut = clean::cut(&format!("{}  ", span.content), left, app.theme.signs.ellipsis);
            out.push(Span::styled(cut, span.style));
            break;
        }
    }
    out
}

/// Gives the rows of `area` from its top.
fn rows(area: Rect) -> impl Iterator<Item = Rect> {
    (area.y..area.bottom()).map(move |y| Rect { y, height: 1, ..area })
}

/// Draws a heading: what this is at the left, how much of it at the right.
fn heading(app: &App, areas: &Areas, title: &str, right: &str, buf: &mut Buffer) {
    let left = vec![Span::raw(" "), Span::styled(title.to_owned(), app.theme.strong)];
    two_ends(left, vec![Span::styled(format!("{right} "), app.theme.dim)], areas.header, app, buf);
    rule(app, areas.top_rule, buf);
}

fn put_bar(app: &App, x: u16, y: u16, buf: &mut Buffer) {
    if Rect::new(x, y, 1, 1).intersects(buf.area) {
        buf.set_string(x, y, app.theme.signs.bar, app.theme.rule);
    }
}

/// Draws a row as selected. Its colours go, so that turning it around gives one even bar.
fn select(app: &App, row: Rect, buf: &mut Buffer) {
    let bar = Rect { x: row.x + 1.min(row.width), width: row.width.saturating_sub(1), ..row };
    buf.set_style(bar, app.theme.selected.fg(Color::Reset).bg(Color::Reset));
}
