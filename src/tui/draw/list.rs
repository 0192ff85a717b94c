//! The list: header with the views, query line, columns, preview.

use super::super::app::App;
use super::super::clean::{self, cut, fit, fit_right};
use super::super::layout::Areas;
use super::super::list::{VIEWS, View};
use super::super::{clock, when};
use super::screens::nothing;
use super::{repeat, rows, rule, select, shorten, text, two_ends};
use crate::domain::{IssueRow, OutboxState, Party, Priority, Query, State};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws the list screen.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    header(app, areas.header, buf);
    query(app, areas, buf);
    let columns = Columns::of(areas.body.width, &app.list.rows);
    heads(app, &columns, areas.heads, buf);
    body(app, &columns, areas.body, buf);
    preview(app, areas, buf);
}

fn header(app: &App, area: Rect, buf: &mut Buffer) {
    let name = match app.projects.as_deref() {
        Some([only]) => format!("  {}", clean::line(&only.path)),
        Some(many) if many.len() > 1 => format!("  {} projects", many.len()),
        _ => String::new(),
    };
    let brand = Span::styled(" deskbell", app.theme.accent_strong);
    let room = usize::from(area.width).saturating_sub(11);
    let width = |spans: &[Span<'_>]| spans.iter().map(|s| clean::width(&s.content)).sum::<usize>();
    let (wide, narrow) =
        (tabs(app, "   ", |_, view| Some(view.name)), tabs(app, "  ", |_, view| Some(view.short)));
    let only_this = |i: usize, view: &View| (app.list.view == Some(i)).then_some(view.short);
    let (left, right) = if width(&wide) + clean::width(&name) <= room {
        (vec![brand, Span::styled(name, app.theme.dim)], wide)
    } else if width(&narrow) <= room {
        (vec![brand], narrow)
    } else {
        (vec![brand], tabs(app, " ", only_this))
    };
    two_ends(left, right, area, app, buf);
}

/// Gives the tabs of the views that `name` names.
fn tabs(
    app: &App,
    gap: &'static str,
    name: impl Fn(usize, &View) -> Option<&'static str>,
) -> Vec<Span<'static>> {
    let named = VIEWS.iter().enumerate().filter_map(|(i, view)| Some((i, name(i, view)?)));
    named.flat_map(|(i, name)| tab(app, i, name, gap)).collect()
}

fn tab(app: &App, index: usize, name: &str, gap: &'static str) -> Vec<Span<'static>> {
    let here = app.list.view == Some(index);
    let style = if here { app.theme.accent_strong } else { Style::new() };
    let count = app.list.counts.get(index).copied().flatten();
    let unread = app.list.unread.get(index).copied().flatten().is_some_and(|n| n > 0);
    let mut spans = vec![Span::styled(format!("{} {name}", index + 1), style)];
    if let Some(count) = count {
        spans.push(Span::styled(format!(" {count}"), if here { style } else { app.theme.dim }));
    }
    if unread && index != 4 {
        spans.push(Span::styled(format!(" {}", app.theme.signs.unread), app.theme.accent));
    }
    spans.push(Span::raw(gap));
    spans
}

fn query(app: &App, areas: &Areas, buf: &mut Buffer) {
    let count = match (app.list.loaded, app.list.total) {
        (false, _) => String::new(),
        (true, 0) => "nothing ".to_owned(),
        (true, total) => format!("{} of {total} ", app.list.selected + 1),
    };
    rule(app, areas.top_rule, buf);
    if areas.divider.width == 1 {
        super::put(buf, areas.divider.x, areas.top_rule.y, "┬", app.theme.rule, app);
    }
    match &app.list.edit {
        Some(edit) => {
            let width = areas.query.width.saturating_sub(3);
            text(Line::styled(" /", app.theme.accent_strong), areas.query, buf);
            edit.draw(true, Rect { x: areas.query.x + 3.min(areas.query.width), width, ..areas.query }, buf);
        }
        None => {
            let query = clean::line(&app.list.query);
            let left = vec![Span::raw(" "), Span::styled(query, app.theme.dim)];
            let marked = app.list.marks.len();
            let mut right = Vec::new();
            if marked > 0 {
                right.push(Span::styled(format!("{marked} marked  "), app.theme.marked));
            }
            right.push(Span::styled(count, app.theme.dim));
            two_ends(left, right, areas.query, app, buf);
        }
    }
    fault(app, areas, buf);
}

/// Says below the query line what is wrong with it, a caret at the place.
fn fault(app: &App, areas: &Areas, buf: &mut Buffer) {
    let Some(fault) = &app.list.fault else { return };
    let shift = if app.list.edit.is_some() { 3 } else { 1 };
    let hint = fault.hint.as_ref().map_or(String::new(), |h| format!(" {} {h}", app.theme.signs.dot));
    let width = usize::from(areas.top_rule.width);
    let line = match Query::check(&app.list.query) {
        Err(wrong) => {
            let at = app.list.query.get(..wrong.at).map_or(0, clean::width) + shift;
            let said = clean::line(&format!("expected {}{hint}", wrong.expected));
            let room = width.saturating_sub(at + 3);
            if clean::width(&said) > room && at > width / 2 {
                let before = cut(&said, at.saturating_sub(2), app.theme.signs.ellipsis);
                format!("{before:>indent$} ^ ", indent = at.saturating_sub(1))
            } else {
                format!("{}^ {} ", " ".repeat(at), cut(&said, room, app.theme.signs.ellipsis))
            }
        }
        Ok(_) => format!(" {} ", cut(&clean::line(&format!("{}{hint}", fault.message)), width, "")),
    };
    text(Line::styled(line, app.theme.warning_strong), areas.top_rule, buf);
}

/// The widths of the columns; 0 leaves one out.
struct Columns {
    number: usize,
    title: usize,
    labels: usize,
    from: usize,
    who: usize,
    clock: usize,
    waits: usize,
}

impl Columns {
    fn of(width: u16, rows: &[IssueRow]) -> Self {
        let width = usize::from(width);
        let digits = |row: &IssueRow| row.iid.checked_ilog10().unwrap_or(0) as usize + 1;
        let number = rows.iter().map(digits).max().unwrap_or(1).clamp(3, 8);
        let (labels, from, who, waits) = match width {
            0..50 => (0, 0, 0, 5),
            50..70 => (0, 14, 0, 7),
            70..100 => (0, 16, 6, 7),
            _ if rows.iter().any(|row| !row.labels.is_empty()) => (16, 20, 8, 8),
            _ => (0, 20, 8, 8),
        };
        let clock = if width >= 70 && rows.iter().any(|row| row.clock.is_some()) { 8 } else { 0 };
        let from = if clock > 0 && width < 100 { 12 } else { from };
        let gaps = [labels, from, who, clock, waits].iter().filter(|w| **w > 0).count() * 2;
        // The cursor, the number, two blanks.
        let taken = 2 + number + 2 + labels + from + who + clock + waits + gaps + 1;
        Self { number, title: width.saturating_sub(taken), labels, from, who, clock, waits }
    }
}

fn heads(app: &App, c: &Columns, area: Rect, buf: &mut Buffer) {
    let mut line = format!("  {}  {}", fit_right("#", c.number, ""), fit("TITLE", c.title, ""));
    for (name, width) in [("LABELS", c.labels), ("FROM", c.from), ("WHO", c.who)] {
        if width > 0 {
            line.push_str(&format!("  {}", fit(name, width, "")));
        }
    }
    if c.clock > 0 {
        line.push_str(&format!("  {}", fit_right("CLOCK", c.clock, "")));
    }
    line.push_str(&format!("  {}", fit_right("WAITS", c.waits, "")));
    text(Line::styled(line, app.theme.dim), area, buf);
}

fn body(app: &App, columns: &Columns, area: Rect, buf: &mut Buffer) {
    if app.list.fault.is_some() {
        return;
    }
    if app.list.loaded && app.list.total == 0 {
        return empty(app, area, buf);
    }
    for (index, row_area) in (app.list.top..).zip(rows(area)) {
        match app.list.row(index) {
            Some(row) => draw_row(app, columns, index, row, row_area, buf),
            None if index < app.list.total => {
                text(Line::styled(format!("    {}", app.theme.signs.ellipsis), app.theme.dim), row_area, buf);
            }
            None => break,
        }
    }
}

fn draw_row(app: &App, c: &Columns, index: u64, row: &IssueRow, area: Rect, buf: &mut Buffer) {
    let ell = app.theme.signs.ellipsis;
    let here = index == app.list.selected;
    let marked = app.list.is_marked(index, row);
    let sign = match (marked, here) {
        (true, _) => Span::styled(format!("{} ", app.theme.signs.mark), app.theme.marked),
        (false, true) => Span::styled(format!("{} ", app.theme.signs.cursor), app.theme.accent_strong),
        (false, false) => Span::raw("  "),
    };
    let ours = row.waiting_on == Some(Party::Us) && row.state == State::Open;
    let quiet = row.state == State::Closed || row.spam;
    let weight = if quiet { app.theme.dim } else { Style::new() };
    let strong = if row.unread > 0 { app.theme.strong } else { weight };
    let number = fit_right(&row.iid.to_string(), c.number, ell);
    let mut spans = vec![sign, Span::styled(number, app.theme.dim), Span::raw("  ")];
    spans.extend(title(app, c, row, strong));
    let cell = |words: &str, width: usize| format!("  {}", fit(&clean::line(words), width, ell));
    if c.labels > 0 {
        spans.push(Span::styled(cell(&row.labels.join(" "), c.labels), app.theme.dim));
    }
    if c.from > 0 {
        spans.push(Span::styled(cell(row.author.label(), c.from), weight));
    }
    if c.who > 0 {
        let me = app.me.as_ref().map(|me| me.name.as_str());
        let (who, style) = match row.assignee.as_deref() {
            None => (app.theme.signs.none, app.theme.dim),
            Some(name) if Some(name) == me => ("you", app.theme.accent),
            Some(name) => (name, weight),
        };
        spans.push(Span::styled(cell(who, c.who), style));
    }
    spans.extend(clock_cell(app, c, row));
    let style = if ours { app.theme.accent } else { app.theme.dim };
    spans.push(Span::styled(format!("  {} ", fit_right(&waits(app, row, c.waits), c.waits, ell)), style));
    text(Line::from(spans), area, buf);
    if here && app.list.edit.is_none() {
        select(app, area, buf);
    }
}

fn clock_cell(app: &App, c: &Columns, row: &IssueRow) -> Option<Span<'static>> {
    let (words, style) = match &row.clock {
        _ if c.clock == 0 => return None,
        None => (String::new(), app.theme.dim),
        Some(clock) => (clock::short(clock, app.now), app.clock_style(clock)),
    };
    Some(Span::styled(format!("  {}", fit_right(&words, c.clock, app.theme.signs.ellipsis)), style))
}

/// Draws the title with what belongs to it: a draft, trouble, unread notes at its end, labels where
/// they have no column.
fn title(app: &App, c: &Columns, row: &IssueRow, style: Style) -> Vec<Span<'static>> {
    let signs = &app.theme.signs;
    let mut tail = Vec::new();
    if let Some(state) = row.trouble {
        tail.push(Span::styled(format!(" {} {}", signs.warning, trouble(state)), app.theme.warning));
    }
    if matches!(row.priority, Some(Priority::Urgent | Priority::High)) {
        let word = if row.priority == Some(Priority::Urgent) { "urgent" } else { "high" };
        tail.push(Span::styled(format!(" {word}"), app.theme.warning));
    }
    if app.list.drafts.contains(&row.id) {
        tail.push(Span::styled(format!(" {} draft", signs.draft), app.theme.accent));
    }
    if row.unread > 0 {
        let count = if row.unread > 1 { row.unread.to_string() } else { String::new() };
        tail.push(Span::styled(format!(" {}{count}", signs.unread), app.theme.accent));
    }
    let tail_width: usize = tail.iter().map(|s| clean::width(&s.content)).sum();
    let tail = if tail_width + 12 > c.title { shorten(tail, c.title / 3, app) } else { tail };
    let tail_width: usize = tail.iter().map(|s| clean::width(&s.content)).sum();
    let room = c.title.saturating_sub(tail_width);
    let name = cut(&clean::line(&row.title), room, signs.ellipsis);
    let mut left = room.saturating_sub(clean::width(&name));
    let mut spans = vec![Span::styled(name, style)];
    if c.labels == 0 && !row.labels.is_empty() && left > 5 {
        let labels = cut(&format!("  {}", clean::line(&row.labels.join(" "))), left, signs.ellipsis);
        left -= clean::width(&labels);
        spans.push(Span::styled(labels, app.theme.dim));
    }
    spans.push(Span::raw(" ".repeat(left)));
    spans.extend(tail);
    spans
}

fn trouble(state: OutboxState) -> &'static str {
    super::super::outbox::state_word(state)
}

fn waits(app: &App, row: &IssueRow, width: usize) -> String {
    if row.state == State::Closed {
        return if width >= 7 { "closed".to_owned() } else { when::age(app.now, row.updated_at) };
    }
    if let Some(until) = row.snoozed_until.filter(|at| *at > app.now) {
        return format!("in {}", when::age(until, app.now));
    }
    let since = row.waiting_since.unwrap_or(row.updated_at);
    let age = when::age(app.now, since);
    match row.waiting_on {
        Some(Party::Them) if width >= 7 => format!("them {age}"),
        _ => age,
    }
}

fn empty(app: &App, area: Rect, buf: &mut Buffer) {
    let [first, second] = match app.list.view {
        Some(0) => ["Nothing is assigned to you.", "2 shows what waits on us; i takes an issue."],
        Some(1) => ["Nobody waits on us.", "3 shows all open issues."],
        Some(2) => ["No issue is open.", "New mail becomes an issue by itself; C opens one by hand."],
        Some(3) => ["Nothing is snoozed.", "s puts an issue aside until a moment."],
        Some(4) => return empty_spam(app, area, buf),
        _ => ["Nothing is found.", "Esc goes back to the views, / changes the query."],
    };
    let lines = [("", app.theme.dim), (first, app.theme.strong), (second, app.theme.dim)];
    for ((words, style), row) in lines.into_iter().zip(rows(area)) {
        text(Line::styled(format!("   {words}"), style), row, buf);
    }
}

/// Says where spam is that never became an issue.
fn empty_spam(app: &App, area: Rect, buf: &mut Buffer) {
    let mails = spam_mails(app).unwrap_or_else(|| "No mail was taken for spam".to_owned());
    nothing(app, "No issue is called spam.", "! calls one spam; z takes that back.", area, buf);
    let rest = Rect { y: area.y + 3, height: area.height.saturating_sub(3), ..area };
    nothing(app, &format!("{mails}."), "g s shows those mails with the causes.", rest, buf);
}

/// Says how many mails were taken for spam and never became issues.
pub(super) fn spam_mails(app: &App) -> Option<String> {
    let count = app.status.as_ref().map_or(0, |status| status.spam.mails);
    (count > 0).then(|| match count {
        1 => "1 mail was taken for spam".to_owned(),
        n => format!("{n} mails were taken for spam"),
    })
}

fn preview(app: &App, areas: &Areas, buf: &mut Buffer) {
    let area = areas.preview;
    if area.is_empty() {
        return;
    }
    if areas.divider.width == 1 {
        for y in areas.divider.y..areas.divider.bottom() {
            super::put_bar(app, areas.divider.x, y, buf);
        }
    } else {
        repeat(app.theme.signs.rule, app.theme.rule, areas.divider, buf);
    }
    if let Some(preview) = &app.preview {
        super::thread::draw_preview(app, preview, area, buf);
    }
}
