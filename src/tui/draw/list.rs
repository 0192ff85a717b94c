//! The list: query line, rows, preview.

use super::super::app::App;
use super::super::clean::{self, cut, fit, fit_right};
use super::super::layout::Areas;
use super::columns::{self, Columns};
use super::screens::nothing;
use super::{repeat, rows, rule, select, shorten, text, two_ends};
use crate::domain::{
    Column, IssueRow, OutboxState, Priority, Query, State, View, ViewFrom, WAITING_VIEW, Writing,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws the list screen.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    super::tabs::draw(app, areas.header, buf);
    query(app, areas, buf);
    let columns = Columns::of(areas.body.width, &app.list.rows, app.list.own_columns());
    heads(app, &columns, areas.heads, buf);
    body(app, &columns, areas.body, buf);
    preview(app, areas, buf);
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
            let marked = app.list.marked_count();
            let mut right = Vec::new();
            if marked > 0 {
                right.push(Span::styled(format!("{marked} marked  "), app.theme.marked));
            }
            right.push(Span::styled(count, app.theme.dim));
            two_ends(left, right, areas.query, app, buf);
        }
    }
    match app.completing.offered.ways.as_slice() {
        ways if ways.is_empty() || app.list.edit.is_none() => fault(app, areas, buf),
        ways => offers(app, ways, areas.top_rule, buf),
    }
}

/// Says below the query line how the word at the cursor may go on.
fn offers(app: &App, ways: &[String], area: Rect, buf: &mut Buffer) {
    let chosen = app.completing.chosen.map(|(at, _)| at);
    let mut spans = vec![Span::styled(" Tab  ", app.theme.key)];
    // The chosen one is always in sight.
    let mut room = usize::from(area.width).saturating_sub(8);
    let first = chosen.unwrap_or(0).saturating_sub(4);
    for (at, way) in ways.iter().enumerate().skip(first) {
        let words = clean::line(way);
        let Some(left) = room.checked_sub(clean::width(&words) + 2) else { break };
        room = left;
        let style = if chosen == Some(at) { app.theme.accent_strong } else { app.theme.dim };
        spans.push(Span::styled(words, style));
        spans.push(Span::raw("  "));
    }
    text(Line::from(spans), area, buf);
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
            let (indent, wide) = (" ".repeat(at), clean::width(&said));
            if at + 3 + wide <= width {
                format!("{indent}^ {said} ")
            } else if wide + 2 <= at {
                format!("{said:>indent$} ^ ", indent = at.saturating_sub(1))
            } else {
                fault_below(app, &said, areas, buf);
                format!("{indent}^ ")
            }
        }
        Ok(_) => {
            let said = clean::line(&format!("{}{hint}", fault.message));
            if clean::width(&said) + 2 > width {
                fault_below(app, &said, areas, buf);
                return;
            }
            format!(" {said} ")
        }
    };
    text(Line::styled(line, app.theme.warning_strong), areas.top_rule, buf);
}

/// Says what is wrong where the rows would stand, in as many lines as that takes.
fn fault_below(app: &App, said: &str, areas: &Areas, buf: &mut Buffer) {
    let area = Rect { height: areas.heads.height + areas.body.height, ..areas.heads };
    let lines = clean::wrap(said, usize::from(area.width).saturating_sub(2));
    for (line, row) in lines.into_iter().zip(rows(area)) {
        text(Line::styled(format!(" {line}"), app.theme.warning_strong), row, buf);
    }
}

fn heads(app: &App, c: &Columns, area: Rect, buf: &mut Buffer) {
    // What is wrong with the query may stand there.
    if app.list.fault.is_some() {
        return;
    }
    let mut line = format!("  {}  {}", fit_right("#", c.number, ""), fit("TITLE", c.title, ""));
    for (column, width) in &c.further {
        line.push_str(&format!("  {}", columns::head(*column, *width)));
    }
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
    let quiet = row.state == State::Closed || row.spam;
    let weight = if quiet { app.theme.dim } else { Style::new() };
    let strong = if row.unread > 0 { app.theme.strong } else { weight };
    let number = c.number_of(row, ell);
    let mut spans = vec![sign, Span::styled(number, app.theme.dim), Span::raw("  ")];
    spans.extend(title(app, c, row, strong));
    for (column, width) in &c.further {
        spans.push(Span::raw("  "));
        spans.push(columns::cell(app, row, *column, *width, weight));
    }
    text(Line::from(spans), area, buf);
    if here && app.list.edit.is_none() {
        select(app, area, buf);
    }
}

/// Draws the title with what belongs to it: a draft, trouble, unread notes at its end, labels where
/// they have no column.
fn title(app: &App, c: &Columns, row: &IssueRow, style: Style) -> Vec<Span<'static>> {
    let signs = &app.theme.signs;
    let mut tail = Vec::new();
    if let Some(state) = row.trouble {
        tail.push(Span::styled(format!(" {} {}", signs.warning, trouble(state)), app.theme.warning));
    }
    if row.vip {
        tail.push(Span::styled(" VIP", app.theme.accent_strong));
    }
    let pressing = matches!(row.priority, Some(Priority::Urgent | Priority::High));
    if pressing && !c.shows(Column::Priority) {
        let word = if row.priority == Some(Priority::Urgent) { "urgent" } else { "high" };
        tail.push(Span::styled(format!(" {word}"), app.theme.warning));
    }
    if let Some(other) = app.others_at(&row.reference).first() {
        let (does, style) = match other.writing {
            Writing::Nothing => ("reads", app.theme.dim),
            Writing::Comment | Writing::Reply => ("writes", app.theme.warning),
        };
        let name = cut(&clean::line(&other.user), 12, signs.ellipsis);
        tail.push(Span::styled(format!(" {name} {does}"), style));
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
    let mut spans = super::hits::mark(app, vec![Span::styled(name, style)]);
    if !c.shows(Column::Labels) && !row.labels.is_empty() && left > 5 {
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

fn empty(app: &App, area: Rect, buf: &mut Buffer) {
    let shown = app.list.shown_view().filter(|view| view.from == ViewFrom::Program);
    let waiting = |view: &View| view.about.name == WAITING_VIEW;
    let key = app
        .list
        .views
        .iter()
        .position(waiting)
        .map_or(String::new(), |at| format!("{} shows what waits on us; ", at + 1));
    let none = format!("{key}i takes an issue.");
    let [first, second] = match shown.map_or("", |view| view.about.name.as_str()) {
        "Mine" => ["Nothing is assigned to you.", none.as_str()],
        WAITING_VIEW => ["Nobody waits on us.", "3 shows all open issues."],
        "All open" => ["No issue is open.", "New mail becomes an issue by itself; C opens one by hand."],
        "Snoozed" => ["Nothing is snoozed.", "s puts an issue aside until a moment."],
        "Spam" => return empty_spam(app, area, buf),
        _ if app.list.view.is_some() => {
            ["Nothing is found now.", "What fits appears here by itself; g v changes the view."]
        }
        _ => ["Nothing is found.", "Esc goes back to the views, / changes the query, V keeps it."],
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
