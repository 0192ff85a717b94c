//! The tabs over the list: the views with their numbers, counts, news, and who waits too long.

use super::super::app::App;
use super::super::clean::{self, cut};
use super::two_ends;
use crate::domain::{View, ViewFrom};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

/// Cells of a name where there is little room.
const SHORT: usize = 9;

/// Draws the program's name and as many tabs as fit; the one that is shown is always among them.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let name = match app.projects.as_deref() {
        Some([only]) => format!("  {}", clean::line(&only.path)),
        Some(many) if many.len() > 1 => format!("  {} projects", many.len()),
        _ => String::new(),
    };
    let brand = Span::styled(" deskbell", app.theme.accent_strong);
    let room = usize::from(area.width).saturating_sub(11);
    let (wide, narrow) = (tabs(app, "   ", false), tabs(app, "  ", true));
    let (left, right) = if total(&wide) + clean::width(&name) <= room {
        (vec![brand, Span::styled(name, app.theme.dim)], wide.concat())
    } else if total(&wide) <= room {
        (vec![brand], wide.concat())
    } else if total(&narrow) <= room {
        (vec![brand], narrow.concat())
    } else {
        (vec![brand], around(app, narrow, room))
    };
    two_ends(left, right, area, app, buf);
}

fn width(tab: &[Span<'_>]) -> usize {
    tab.iter().map(|span| clean::width(&span.content)).sum()
}

fn total(tabs: &[Vec<Span<'_>>]) -> usize {
    tabs.iter().map(|tab| width(tab)).sum()
}

fn tabs(app: &App, gap: &'static str, short: bool) -> Vec<Vec<Span<'static>>> {
    let views = app.list.views.iter().enumerate();
    views.map(|(index, view)| tab(app, index, view, gap, short)).collect()
}

/// Gives the tabs around the one that is shown, as many as fit, with a sign where others are left out.
fn around(app: &App, tabs: Vec<Vec<Span<'static>>>, room: usize) -> Vec<Span<'static>> {
    let Some(here) = app.list.view else {
        return tabs.into_iter().take_while(fits_into(room)).flatten().collect();
    };
    let room = room.saturating_sub(4);
    let (mut first, mut last) = (here, here);
    let size = |first: usize, last: usize| tabs.get(first..=last).map_or(usize::MAX, total);
    loop {
        if last + 1 < tabs.len() && size(first, last + 1) <= room {
            last += 1;
        } else if first > 0 && size(first - 1, last) <= room {
            first -= 1;
        } else {
            break;
        }
    }
    let more = || Span::styled(format!("{} ", app.theme.signs.ellipsis), app.theme.dim);
    let (before, after) = (first > 0, last + 1 < tabs.len());
    let shown = tabs.into_iter().skip(first).take(last + 1 - first).flatten();
    before.then(more).into_iter().chain(shown).chain(after.then(more)).collect()
}

/// Tells of one tab after the other whether there is still room for it.
fn fits_into(mut room: usize) -> impl FnMut(&Vec<Span<'static>>) -> bool {
    move |tab| match room.checked_sub(width(tab)) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    }
}

fn tab(app: &App, index: usize, view: &View, gap: &'static str, short: bool) -> Vec<Span<'static>> {
    let here = app.list.view == Some(index);
    let style = if here { app.theme.accent_strong } else { Style::new() };
    let name = match short {
        true => short_name(app, view),
        false => clean::line(&view.about.name),
    };
    let number = if index < 9 { format!("{} ", index + 1) } else { String::new() };
    let mut spans = vec![Span::styled(format!("{number}{name}"), style)];
    if let Some(count) = view.count {
        spans.push(Span::styled(format!(" {count}"), if here { style } else { app.theme.dim }));
    }
    if view.is_late(app.now) {
        spans.push(Span::styled(" late", app.theme.warning_strong));
    }
    let spam = view.from == ViewFrom::Program && view.about.name == "Spam";
    if view.unread.is_some_and(|unread| unread > 0) && !spam {
        spans.push(Span::styled(format!(" {}", app.theme.signs.unread), app.theme.accent));
    }
    spans.push(Span::raw(gap));
    spans
}

/// Gives the name of a view where there is little room: the same name, cut.
fn short_name(app: &App, view: &View) -> String {
    let (name, ellipsis) = (clean::line(&view.about.name), app.theme.signs.ellipsis);
    match clean::width(&name) <= SHORT {
        true => name,
        false => format!("{}{ellipsis}", cut(&name, SHORT - clean::width(ellipsis), "").trim_end()),
    }
}
