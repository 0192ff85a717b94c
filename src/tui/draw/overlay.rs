//! What stands over a screen: a question at the foot, a choice, a text to read.

use super::super::app::App;
use super::super::clean;
use super::super::layout::Areas;
use super::super::overlay::{Overlay, Prompt, Reader};
use super::super::picker::{Choice, Free, Picker};
use super::super::tour::STOPS;
use super::{rows, rule, text, two_ends};
use crate::domain::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws what is over the screen.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    match &app.overlay {
        None => {}
        Some(Overlay::Prompt(prompt)) => draw_prompt(app, prompt, areas, buf),
        Some(Overlay::Picker(picker)) => draw_picker(app, picker, areas, buf),
        Some(Overlay::Reader(reader)) => draw_reader(app, reader, areas, buf),
        Some(Overlay::Tour(stop)) => draw_tour(app, *stop, areas, buf),
    }
}

pub fn clear(area: Rect, buf: &mut Buffer) {
    for row in rows(area.intersection(buf.area)) {
        for x in row.x..row.right() {
            if let Some(cell) = buf.cell_mut((x, row.y)) {
                cell.reset();
            }
        }
    }
}

/// Gives the `height` rows above the status line.
fn foot(areas: &Areas, height: u16) -> Rect {
    let bottom = areas.bottom_rule.y;
    let height = height.min(bottom);
    Rect { x: 0, y: bottom - height, width: areas.footer.width, height }
}

fn draw_prompt(app: &App, prompt: &Prompt, areas: &Areas, buf: &mut Buffer) {
    let area = foot(areas, 2);
    clear(area, buf);
    let mut lines = rows(area);
    if let Some(line) = lines.next() {
        titled_rule(app, &prompt.title, &prompt.hint, line, buf);
    }
    if let Some(line) = lines.next() {
        let inner = Rect { x: line.x + 1.min(line.width), width: line.width.saturating_sub(2), ..line };
        prompt.edit.draw(true, inner, buf);
    }
}

/// Draws a rule with a title in it, and a hint at its end.
fn titled_rule(app: &App, title: &str, hint: &str, area: Rect, buf: &mut Buffer) {
    rule(app, area, buf);
    let sign = app.theme.signs.rule;
    let left = vec![
        Span::styled(sign.repeat(2), app.theme.rule),
        Span::styled(format!(" {} ", clean::line(title)), app.theme.accent_strong),
    ];
    let right = match hint {
        "" => Vec::new(),
        hint => vec![
            Span::styled(format!(" {} ", clean::line(hint)), app.theme.dim),
            Span::styled(sign.repeat(2), app.theme.rule),
        ],
    };
    two_ends(left, right, area, app, buf);
}

fn draw_picker(app: &App, picker: &Picker, areas: &Areas, buf: &mut Buffer) {
    let new = picker.new_text();
    let count = picker.found.len() + usize::from(new.is_some());
    let columns = Columns::of(picker, usize::from(areas.footer.width));
    let tall: Vec<usize> = (0..count.max(1)).map(|at| columns.wrapped(picker, at).len()).collect();
    let most = areas.bottom_rule.y.saturating_sub(1);
    let wanted = u16::try_from(tall.iter().sum::<usize>()).unwrap_or(u16::MAX).saturating_add(2);
    let area = foot(areas, wanted.min(most).max(3));
    clear(area, buf);
    let mut lines = rows(area);
    if let Some(line) = lines.next() {
        let hint = format!("{count} of {}", picker.items.len());
        titled_rule(app, &picker.title, &hint, line, buf);
    }
    if let Some(line) = lines.next() {
        text(Line::styled(" /", app.theme.accent_strong), line, buf);
        let inner = Rect { x: line.x + 3.min(line.width), width: line.width.saturating_sub(4), ..line };
        picker.edit.draw(true, inner, buf);
    }
    let height = usize::from(area.height.saturating_sub(2));
    let top = first_shown(&tall, picker.selected, height);
    for index in top..count.max(1) {
        let Some(line) = lines.next() else { break };
        match picker.found.get(index).and_then(|i| picker.items.get(*i)) {
            Some(item) => {
                let here = index == picker.selected;
                let off = matches!(item.choice, Choice::Off(_));
                let details = columns.wrapped(picker, index);
                let first = details.first().map_or("", String::as_str);
                draw_item(app, &columns, [item.keys.as_str(), item.name.as_str(), first], here, line, buf);
                if off {
                    buf.set_style(line, app.theme.dim);
                }
                for (more, line) in details.iter().skip(1).zip(lines.by_ref()) {
                    let indent = " ".repeat(columns.before_detail());
                    text(Line::styled(format!("{indent}{more}"), app.theme.dim), line, buf);
                }
            }
            None => {
                let name = match (&new, &picker.free) {
                    (Some(typed), Some(Free::Label)) => format!("a new label: {typed}"),
                    (Some(typed), Some(Free::Copy)) => format!("a copy to: {typed}"),
                    (Some(typed), Some(Free::Milestone)) => format!("a new milestone: {typed}"),
                    (Some(typed), Some(Free::Link)) => format!("link to: {typed}"),
                    (Some(typed), Some(Free::Path)) => format!("the file {typed}"),
                    (None, Some(Free::Path)) => "type the path of a file".to_owned(),
                    (None, Some(Free::Link)) => "type the number of an issue, such as 12".to_owned(),
                    _ => "nothing fits".to_owned(),
                };
                draw_item(
                    app,
                    &columns,
                    ["", &name, ""],
                    new.is_some() && index == picker.selected,
                    line,
                    buf,
                );
            }
        }
    }
}

/// How a choice stands in columns: the keys, where any has some, then the names.
struct Columns {
    keys: usize,
    name: usize,
    /// The cells of a detail, where a longer one goes on below.
    wraps: Option<usize>,
}

/// Gives the first item of those that are shown, so that the selected one is seen as a whole.
fn first_shown(tall: &[usize], selected: usize, height: usize) -> usize {
    let mut room = height;
    let above = tall.iter().take(selected + 1).rev().take_while(|lines| {
        let fits = **lines <= room;
        room = room.saturating_sub(**lines);
        fits
    });
    (selected + 1).saturating_sub(above.count().max(1))
}

impl Columns {
    fn of(picker: &Picker, width: usize) -> Self {
        let keys = picker.items.iter().take(500).map(|i| clean::width(&i.keys)).max().unwrap_or(0).min(14);
        let longest = picker.items.iter().take(500).map(|i| clean::width(&i.name)).max().unwrap_or(0);
        let name = longest.min((width / 2).max(10));
        let columns = Self { keys, name, wraps: None };
        // Help, and what is to be confirmed, is there to be read; a choice is made by its name.
        let confirms = picker.items.iter().take(100).any(|item| item.choice == Choice::Nothing);
        let help = confirms || (picker.origin.is_some() && !picker.palette);
        let room = width.saturating_sub(columns.before_detail() + 1);
        Self { wraps: Some(room).filter(|room| help && *room >= 10), ..columns }
    }

    /// Gives how many cells stand before a detail.
    fn before_detail(&self) -> usize {
        1 + if self.keys > 0 { self.keys + 2 } else { 0 } + 1 + self.name + 2
    }

    /// Gives the detail of the item at a place, in the lines that it takes.
    fn wrapped(&self, picker: &Picker, at: usize) -> Vec<String> {
        let item = picker.found.get(at).and_then(|item| picker.items.get(*item));
        let detail = item.map_or(String::new(), |item| clean::line(&item.detail));
        let Some(room) = self.wraps else { return vec![detail] };
        clean::wrap(&detail, room)
    }
}

fn draw_item(app: &App, c: &Columns, item: [&str; 3], here: bool, area: Rect, buf: &mut Buffer) {
    let [keys, name, detail] = item;
    let ell = app.theme.signs.ellipsis;
    let cursor = if here { app.theme.signs.cursor } else { " " };
    let mut left = vec![Span::styled(cursor.to_owned(), app.theme.accent_strong)];
    if c.keys > 0 {
        left.push(Span::styled(format!(" {} ", clean::fit(keys, c.keys, ell)), app.theme.key));
    }
    let style = if here { app.theme.strong } else { Style::new() };
    let name = clean::line(name);
    let name = if detail.is_empty() { name } else { clean::fit(&name, c.name, ell) };
    left.push(Span::styled(format!(" {name}"), style));
    left.push(Span::styled(format!("  {}", clean::line(detail)), app.theme.dim));
    two_ends(left, Vec::new(), area, app, buf);
}

/// Draws the words of a stop over the foot of its screen.
fn draw_tour(app: &App, number: usize, areas: &Areas, buf: &mut Buffer) {
    let stop = app.tour_stop(number);
    let area = foot(areas, 1 + u16::try_from(stop.lines.len()).unwrap_or(2));
    clear(area, buf);
    let mut lines = rows(area);
    if let Some(line) = lines.next() {
        let title = format!("{number} of {STOPS}: {}", stop.title);
        titled_rule(app, &title, "Enter goes on, Esc ends the tour", line, buf);
    }
    for (words, line) in stop.lines.into_iter().zip(lines) {
        two_ends(vec![Span::raw(format!(" {words}"))], Vec::new(), line, app, buf);
    }
}

fn draw_reader(app: &App, reader: &Reader, areas: &Areas, buf: &mut Buffer) {
    let area = foot(areas, u16::MAX);
    clear(area, buf);
    let height = usize::from(area.height.saturating_sub(2));
    let mut lines = rows(area);
    if let Some(line) = lines.next() {
        let last = (reader.top + height).min(reader.lines.len());
        let left = vec![Span::styled(format!(" {}", clean::line(&reader.title)), app.theme.strong)];
        let right =
            vec![Span::styled(format!("{last} of {} ", counted(reader.lines.len(), "line")), app.theme.dim)];
        two_ends(left, right, line, app, buf);
    }
    if let Some(line) = lines.next() {
        rule(app, line, buf);
    }
    for (line, place) in reader.lines.iter().skip(reader.top).zip(lines) {
        let inner = Rect { x: place.x + 2.min(place.width), width: place.width.saturating_sub(3), ..place };
        two_ends(line.spans.clone(), Vec::new(), inner, app, buf);
    }
}
