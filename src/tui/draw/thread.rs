//! One issue: its title, its notes, what became of its mails.

use super::super::app::App;
use super::super::layout::Areas;
use super::super::send::size;
use super::super::thread::{Row, Thread};
use super::super::when;
use super::super::{clean, clock};
use super::{composer, images, rows, rule, shorten, text, two_ends};
use crate::domain::{
    Delivery, IssueRow, NoteKind, NoteView, OutboxState, ParticipantRole, Party, Priority, State, Writing,
    counted,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// So much of a title is readable, whatever else there is to say.
const TITLE: usize = 36;

/// Draws the thread screen, with the composer where there is one.
pub fn draw_screen(app: &App, areas: &Areas, buf: &mut Buffer) {
    rule(app, areas.top_rule, buf);
    match &app.thread {
        Some(thread) => {
            title(app, thread, areas.header, buf);
            others(app, thread, areas.top_rule, buf);
            draw_notes(app, thread, areas.body, true, buf);
        }
        None if app.composes_many() => several(app, areas, buf),
        None if app.composer.as_ref().is_some_and(|c| c.target.is_none()) => {
            let title = Line::styled(" A new issue", app.theme.strong);
            text(title, areas.header, buf);
            new_issue_hint(app, areas.body, buf);
        }
        None => {
            text(Line::styled(format!(" {}", app.theme.signs.ellipsis), app.theme.dim), areas.header, buf)
        }
    }
    composer::draw(app, areas, buf);
}

/// Says for which issues the text is, and how it is filled.
fn several(app: &App, areas: &Areas, buf: &mut Buffer) {
    let many = app.composer.as_ref().map(|c| c.many.as_slice()).unwrap_or_default();
    text(
        Line::styled(format!(" One text for {}", counted(many.len(), "issue")), app.theme.strong),
        areas.header,
        buf,
    );
    let numbers = many.iter().map(|reference| format!("#{}", reference.iid)).collect::<Vec<_>>().join(" ");
    let mut lines = vec![
        Line::default(),
        Line::raw(format!(" {numbers}")),
        Line::default(),
        Line::styled(" These are filled for each; Alt-p shows what each gets:", app.theme.dim),
    ];
    lines.extend(crate::domain::CANNED_PLACEHOLDERS.iter().map(|(name, what)| {
        let name = Span::styled(format!("   {:<26}", format!("%{{{name}}}")), app.theme.accent);
        Line::from(vec![name, Span::styled(*what, app.theme.dim)])
    }));
    for (line, row) in lines.into_iter().zip(rows(areas.body)) {
        text(line, row, buf);
    }
}

fn new_issue_hint(app: &App, area: Rect, buf: &mut Buffer) {
    let lines = [
        "",
        " With an address in To it is a ticket: the text is mailed to that person,",
        " and their answers come here. Without one nobody is mailed.",
    ];
    for (line, row) in lines.into_iter().zip(rows(area)) {
        text(Line::styled(line, app.theme.dim), row, buf);
    }
}

/// Draws the preview beside or below the list.
pub fn draw_preview(app: &App, thread: &Thread, area: Rect, buf: &mut Buffer) {
    let row = &thread.view.row;
    let name = format!("#{} {}", row.iid, clean::line(&row.title));
    let mut lines = rows(area);
    if let Some(first) = lines.next() {
        two_ends(vec![Span::styled(name, app.theme.strong)], Vec::new(), first, app, buf);
    }
    if let Some(second) = lines.next() {
        two_ends(joined(app, facts(app, row)), Vec::new(), second, app, buf);
    }
    let height = area.height.saturating_sub(2);
    let body = Rect { y: area.y + 2.min(area.height), height, ..area };
    draw_notes(app, thread, body, app.list.preview_focus, buf);
}

/// Draws number and title, and of the facts as many as leave the title room to be read.
fn title(app: &App, thread: &Thread, area: Rect, buf: &mut Buffer) {
    let row = &thread.view.row;
    let linked: Vec<&str> = thread.view.links.iter().take(3).map(|link| link.reference.as_str()).collect();
    let left = vec![
        Span::styled(format!(" #{} ", row.iid), app.theme.dim),
        Span::styled(clean::line(&row.title), app.theme.strong),
    ];
    let mut facts = facts(app, row);
    if let Some(clock) = &row.clock {
        let words = Span::styled(clock::words(clock, app.now), app.clock_style(clock));
        facts.insert(0, Fact { words, rank: 2 });
    }
    if !linked.is_empty() {
        let words = Span::styled(clean::line(&format!("see {}", linked.join(", "))), app.theme.dim);
        facts.push(Fact { words, rank: 9 });
    }
    let wanted: usize = left.iter().map(|span| clean::width(&span.content)).sum();
    let width = usize::from(area.width);
    let room = width.saturating_sub(wanted.min((width * 3 / 5).max(TITLE)) + 3);
    let mut right = joined(app, fitting(facts, room));
    if !right.is_empty() {
        right.insert(0, Span::raw("  "));
        right.push(Span::raw(" "));
    }
    two_ends(left, right, area, app, buf);
}

/// Takes of these facts what fits into so many cells: the least important go first.
fn fitting(mut facts: Vec<Fact>, room: usize) -> Vec<Fact> {
    let taken =
        |facts: &[Fact]| facts.iter().map(|fact| clean::width(&fact.words.content) + 3).sum::<usize>();
    while taken(&facts) > room + 3 {
        let last = facts.iter().enumerate().max_by_key(|(place, fact)| (fact.rank, *place));
        let Some((place, _)) = last else { break };
        facts.remove(place);
    }
    facts
}

fn joined(app: &App, facts: Vec<Fact>) -> Vec<Span<'static>> {
    let dot = format!(" {} ", app.theme.signs.dot);
    let mut spans = Vec::new();
    for fact in facts {
        if !spans.is_empty() {
            spans.push(Span::styled(dot.clone(), app.theme.dim));
        }
        spans.push(fact.words);
    }
    spans
}

/// Says in the rule below the title who else is here.
fn others(app: &App, thread: &Thread, area: Rect, buf: &mut Buffer) {
    let others = app.others_at(&thread.view.row.reference);
    let Some(first) = others.first() else { return };
    let style = if first.writing == Writing::Nothing { app.theme.dim } else { app.theme.warning };
    let words: Vec<String> = others.iter().take(3).map(|other| clean::line(&other.words())).collect();
    let further = match others.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let sign = app.theme.signs.rule;
    let words = clean::cut(
        &format!(" {}{further} ", words.join(", ")),
        usize::from(area.width).saturating_sub(4),
        app.theme.signs.ellipsis,
    );
    let line = vec![Span::styled(sign.repeat(2), app.theme.rule), Span::styled(words, style)];
    text(Line::from(line), area, buf);
}

/// Something about an issue, and how little it matters: where room lacks, those of the highest rank go.
struct Fact {
    words: Span<'static>,
    rank: u8,
}

/// Says where an issue stands: `open · bug · you · 2h`.
fn facts(app: &App, row: &IssueRow) -> Vec<Fact> {
    let me = app.me.as_ref().map(|me| me.name.as_str());
    let mut facts: Vec<(u8, String)> = vec![match row.state {
        State::Open => (0, "open".to_owned()),
        State::Closed => (0, "closed".to_owned()),
    }];
    if row.vip {
        facts.push((1, "VIP".to_owned()));
    }
    if row.spam {
        facts.push((1, "spam".to_owned()));
    }
    if let Some(until) = row.snoozed_until.filter(|at| *at > app.now) {
        facts.push((6, format!("snoozed until {}", when::exact(app.now, until, &app.options.time_zone))));
    }
    match row.priority {
        Some(Priority::Urgent) => facts.push((3, "urgent".to_owned())),
        Some(Priority::High) => facts.push((3, "high".to_owned())),
        Some(Priority::Low) => facts.push((7, "low".to_owned())),
        Some(Priority::Normal) | None => {}
    }
    facts.extend(row.labels.iter().map(|label| (8, clean::line(label))));
    facts.push(match row.assignee.as_deref() {
        None => (4, "nobody".to_owned()),
        Some(name) if Some(name) == me => (4, "you".to_owned()),
        Some(name) => (4, clean::line(name)),
    });
    if let (Some(since), Some(on), State::Open) = (row.waiting_since, row.waiting_on, row.state) {
        let on = if on == Party::Us { "waits on us" } else { "waits on them" };
        facts.push((5, format!("{on} {}", when::age(app.now, since))));
    }
    let dim = app.theme.dim;
    facts.into_iter().map(|(rank, words)| Fact { words: Span::styled(words, dim), rank }).collect()
}

/// Draws the lines of the notes that are in sight.
fn draw_notes(app: &App, thread: &Thread, area: Rect, focused: bool, buf: &mut Buffer) {
    let mut start = 0;
    for (index, (note, block)) in thread.view.notes.iter().zip(&thread.blocks).enumerate() {
        let end = start + block.len();
        if end > thread.top {
            let here = focused && index == thread.selected;
            for (line, row) in block.iter().enumerate() {
                let Some(y) = (start + line).checked_sub(thread.top) else { continue };
                let Ok(y) = u16::try_from(y) else { return };
                if y >= area.height {
                    return;
                }
                let place = Rect { y: area.y + y, height: 1, ..area };
                draw_row(app, thread, note, row, here, place, buf);
                if let Row::Image(file, line) = row {
                    let spot = Rect {
                        x: place.x + 3.min(place.width),
                        width: place.width.saturating_sub(3),
                        y: place.y,
                        height: area.height - y,
                    };
                    images::row(app, thread, note, (*file, *line), spot, buf);
                }
            }
        }
        start = end;
    }
}

fn draw_row(
    app: &App,
    thread: &Thread,
    note: &NoteView,
    row: &Row,
    here: bool,
    area: Rect,
    buf: &mut Buffer,
) {
    let internal = note.kind == NoteKind::Internal;
    if internal && !matches!(row, Row::Blank | Row::Head) {
        text(Line::styled(app.theme.signs.bar, app.theme.warning), area, buf);
    }
    let inner = Rect { x: area.x + 3.min(area.width), width: area.width.saturating_sub(3), ..area };
    match row {
        Row::Blank | Row::Image(..) => {}
        Row::Head => head(app, thread, note, here, area, buf),
        Row::System => system(app, note, here, area, buf),
        Row::Text(line) => {
            let line = line.clone();
            let spans = super::hits::mark(app, line.spans);
            text(Line { spans, ..line }, inner, buf);
        }
        Row::File(place, number) => file(app, thread, note, (*place, *number), inner, buf),
        Row::Images(count) => known_images(app, thread, note, *count, here, inner, buf),
        Row::Fold => fold(app, thread, note, here, inner, buf),
        Row::Delivery(place) => {
            if let Some(mail) = note.delivery.get(*place) {
                let (line, style) = delivery(app, mail, note.delivery.len() > 1);
                two_ends(vec![Span::styled(line, style)], Vec::new(), inner, app, buf);
            }
        }
    }
}

fn head(app: &App, thread: &Thread, note: &NoteView, here: bool, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let cursor = if here { theme.signs.cursor } else { " " };
    let (mut gives, stays) = author(app, thread, note);
    if let Some(auth) = note.auth.as_deref().filter(|_| area.width >= 80) {
        let style = if auth.contains("fail") { theme.warning } else { theme.dim };
        gives.push(Span::styled(format!(" {} {}", theme.signs.dot, clean::line(auth)), style));
    }
    let mut stays: Vec<Span<'_>> = stays.into_iter().collect();
    if note.automatic {
        stays.push(Span::styled(format!(" {} automatic", theme.signs.dot), theme.dim));
    }
    if thread.fresh.contains(&note.id) {
        stays.push(Span::styled(format!(" {} new", theme.signs.unread), theme.accent));
    }
    let at = when::exact(app.now, note.created_at, &app.options.time_zone);
    let age = when::age(app.now, note.created_at);
    let when = if area.width < 60 { format!(" {age} ") } else { format!(" {at} {} {age} ", theme.signs.dot) };
    // Name, address and checks give way; what kind of note it is, and that it is new, stays.
    let taken: usize = stays.iter().map(|span| clean::width(&span.content)).sum();
    let room = usize::from(area.width).saturating_sub(clean::width(&when) + taken + 2);
    let mut left = vec![Span::styled(cursor.to_owned(), theme.accent_strong)];
    left.extend(shorten(gives, room, app));
    left.extend(stays);
    two_ends(left, vec![Span::styled(when, theme.dim)], area, app, buf);
}

/// Gives who wrote a note, which may be cut, and what kind of note it is.
fn author<'a>(app: &App, thread: &Thread, note: &NoteView) -> (Vec<Span<'a>>, Option<Span<'a>>) {
    let theme = &app.theme;
    let name = clean::line(note.author.label());
    let dot = theme.signs.dot;
    match note.kind {
        NoteKind::Internal => (
            vec![Span::styled(name, theme.warning_strong)],
            Some(Span::styled(format!(" {dot} INTERNAL, NOT MAILED"), theme.warning_strong)),
        ),
        NoteKind::Incoming => {
            let email = note.author.email.as_ref().map(|e| clean::line(e.as_str()));
            let mut spans = vec![Span::styled(name.clone(), theme.strong)];
            if let Some(email) = email.filter(|e| *e != name) {
                spans.push(Span::styled(format!(" <{email}>"), theme.dim));
            }
            let stranger =
                thread.view.participants.iter().any(|p| {
                    p.role == ParticipantRole::Stranger && Some(&p.email) == note.author.email.as_ref()
                });
            if !stranger && note.author.is_outside() {
                spans.push(Span::styled(" (external participant)", theme.dim));
            }
            let joined = Span::styled(" (stranger, joined unasked)", theme.warning);
            (spans, stranger.then_some(joined))
        }
        NoteKind::Reply | NoteKind::System => {
            (vec![Span::styled(name, theme.strong)], Some(Span::styled(format!(" {dot} reply"), theme.dim)))
        }
    }
}

fn system(app: &App, note: &NoteView, here: bool, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let cursor = if here { theme.signs.cursor } else { " " };
    let who = note.author.user.as_deref().filter(|u| *u != crate::domain::SUPPORT_BOT);
    let who = who.map_or(String::new(), |who| format!("{} ", clean::line(who)));
    let said = format!("{} {who}{}", theme.signs.dot, clean::line(&note.body));
    let left = vec![Span::styled(cursor.to_owned(), theme.accent_strong), Span::styled(said, theme.dim)];
    let at = when::exact(app.now, note.created_at, &app.options.time_zone);
    two_ends(left, vec![Span::styled(format!(" {at} "), theme.dim)], area, app, buf);
}

fn file(
    app: &App,
    thread: &Thread,
    note: &NoteView,
    (place, number): (usize, usize),
    area: Rect,
    buf: &mut Buffer,
) {
    let Some(file) = note.attachments.get(place) else { return };
    let kind = file.media_type.split('/').next().unwrap_or_default();
    let kind = if kind == "image" { " image" } else { "" };
    let said = images::words(app, thread, note, place).unwrap_or_default();
    let spans = vec![
        Span::styled(format!("{number} "), app.theme.accent),
        Span::raw(clean::line(&file.name)),
        Span::styled(format!("  {}{kind}{said}", size(file.size)), app.theme.dim),
    ];
    two_ends(spans, Vec::new(), area, app, buf);
}

fn fold(app: &App, thread: &Thread, note: &NoteView, here: bool, area: Rect, buf: &mut Buffer) {
    let open = thread.unfolded.contains(&note.id);
    let sign = if open { app.theme.signs.unfolded } else { app.theme.signs.folded };
    let folded = note.folded.as_deref().unwrap_or_default();
    let count = folded.trim_end().lines().count();
    let what = if folded.trim_start().starts_with("-- ") { "lines of signature" } else { "quoted lines" };
    let line = format!("{sign} {count} {what}");
    let hint = if here { "  Enter" } else { "" };
    text(Line::from(vec![Span::styled(line, app.theme.dim), Span::styled(hint, app.theme.rule)]), area, buf);
}

fn known_images(
    app: &App,
    thread: &Thread,
    note: &NoteView,
    count: usize,
    here: bool,
    area: Rect,
    buf: &mut Buffer,
) {
    let open = thread.unfolded.contains(&note.id);
    let sign = if open { app.theme.signs.unfolded } else { app.theme.signs.folded };
    let what = if count == 1 { "picture" } else { "pictures" };
    let line = format!("{sign} {count} {what} that came before");
    let hint = if here && note.folded.is_none() { "  Enter" } else { "" };
    text(Line::from(vec![Span::styled(line, app.theme.dim), Span::styled(hint, app.theme.rule)]), area, buf);
}

/// Says what became of a mail: `✓ delivered 14:02`.
fn delivery(app: &App, mail: &Delivery, many: bool) -> (String, Style) {
    let (theme, zone) = (&app.theme, &app.options.time_zone);
    let (ok, bad, busy) = (theme.signs.ok, theme.signs.bad, theme.signs.busy);
    let at = mail.at.map_or(String::new(), |at| format!(" {}", when::exact(app.now, at, zone)));
    let to = if many { format!(" to {}", clean::line(mail.to.as_str())) } else { String::new() };
    let error = mail.error.as_ref().map_or(String::new(), |e| format!(": {}", clean::line(e)));
    match mail.state {
        OutboxState::Held => match mail.held_until.filter(|until| *until > app.now) {
            Some(until) => {
                let left = when::seconds_left(app.now, until);
                let when = if left < 120 { format!("in {left}s") } else { when::exact(app.now, until, zone) };
                (format!("{busy} goes out {when}{to}"), theme.accent)
            }
            None if mail.held_until.is_some() => (format!("{busy} going out{to}"), theme.accent),
            None => (format!("{bad} held{to}{error} {} O releases it", theme.signs.dot), theme.warning),
        },
        OutboxState::Queued => (format!("{busy} queued{to}{error}"), theme.dim),
        OutboxState::Sending => (format!("{busy} sending{to}"), theme.accent),
        OutboxState::Sent => (format!("{ok} delivered{at}{to}"), theme.dim),
        OutboxState::Deferred => (format!("{busy} put off{to}{error}"), theme.warning),
        OutboxState::Failed => (format!("{bad} failed{at}{to}{error}"), theme.warning_strong),
        OutboxState::Bounced => (format!("{bad} came back{at}{to}{error}"), theme.warning_strong),
        OutboxState::Cancelled => (format!("{bad} cancelled{to}"), theme.dim),
    }
}
