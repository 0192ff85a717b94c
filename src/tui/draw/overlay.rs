//! What stands over a screen: a question at the foot, a choice, a text to read.

use super::super::app::App;
use super::super::clean;
use super::super::layout::Areas;
use super::super::overlay::{Overlay, Picker, Prompt, Reader};
use super::{rows, rule, text, two_ends};
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
    }
}

fn clear(area: Rect, buf: &mut Buffer) {
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
    let most = areas.bottom_rule.y.saturating_sub(1);
    let wanted = u16::try_from(count.max(1)).unwrap_or(u16::MAX).saturating_add(2);
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
    let top = picker.selected.saturating_sub(height.saturating_sub(1));
    for (index, line) in (top..count.max(1)).zip(lines) {
        match picker.found.get(index).and_then(|i| picker.items.get(*i)) {
            Some(item) => {
                let item = [item.keys.as_str(), item.name.as_str(), item.detail.as_str()];
                draw_item(app, item, index == picker.selected, line, buf);
            }
            None => {
                let name = match (&new, &picker.free) {
                    (Some(typed), Some(free)) => format!("{free}: {typed}"),
                    _ => "nothing fits".to_owned(),
                };
                draw_item(app, ["", &name, ""], new.is_some() && index == picker.selected, line, buf);
            }
        }
    }
}

fn draw_item(app: &App, [keys, name, detail]: [&str; 3], here: bool, area: Rect, buf: &mut Buffer) {
    let ell = app.theme.signs.ellipsis;
    let width = usize::from(area.width);
    let cursor = if here { app.theme.signs.cursor } else { " " };
    let wide = (width / 2).clamp(10, 40);
    let name = clean::line(name);
    let name = if detail.is_empty() { name } else { clean::fit(&name, wide.min(width), ell) };
    let style = if here { app.theme.strong } else { Style::new() };
    let left = vec![
        Span::styled(format!("{cursor} "), app.theme.accent_strong),
        Span::styled(name, style),
        Span::styled(format!("  {}", clean::line(detail)), app.theme.dim),
    ];
    let right = match keys {
        "" => Vec::new(),
        keys => vec![Span::styled(format!(" {keys} "), app.theme.key)],
    };
    two_ends(left, right, area, app, buf);
}

fn draw_reader(app: &App, reader: &Reader, areas: &Areas, buf: &mut Buffer) {
    let area = foot(areas, u16::MAX);
    clear(area, buf);
    let height = usize::from(area.height.saturating_sub(2));
    let mut lines = rows(area);
    if let Some(line) = lines.next() {
        let last = (reader.top + height).min(reader.lines.len());
        let left = vec![Span::styled(format!(" {}", clean::line(&reader.title)), app.theme.strong)];
        let right = vec![Span::styled(format!("{last} of {} lines ", reader.lines.len()), app.theme.dim)];
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
