//! The screens beside the issues: outbox, intake, projects.

use super::super::app::App;
use super::super::clean::{self, fit};
use super::super::layout::Areas;
use super::super::markup::plain;
use super::super::outbox::state_word;
use super::super::projects::{SETTINGS, value_of};
use super::super::send::size;
use super::super::when;
use super::{heading, rows, select, text, two_ends};
use crate::domain::{Fate, IntakeView, MailKind, OutboxState, OutboxView, ProjectView, Role};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws the outbox.
pub fn draw_outbox(app: &App, areas: &Areas, buf: &mut Buffer) {
    let shown = app.outbox.shown.word();
    let count = crate::domain::counted(app.outbox.rows.len(), "mail");
    heading(app, areas, "Outbox", &format!("{shown} {} {count}", app.theme.signs.dot), buf);
    let wide = usize::from(areas.heads.width);
    let to = (wide / 3).clamp(8, 32);
    let ell = app.theme.signs.ellipsis;
    let head = format!("  {}  {}  {}", fit("STATE", 10, ell), fit("TO", to, ell), "WHAT");
    text(Line::styled(head, app.theme.dim), areas.heads, buf);
    if app.outbox.loaded && app.outbox.rows.is_empty() {
        return nothing(
            app,
            "No mail here.",
            "f shows other states; a reply to a customer goes through here.",
            areas.body,
            buf,
        );
    }
    let list = list_part(areas.body);
    let top = first_row(app.outbox.selected, list.height);
    for ((index, row), place) in app.outbox.rows.iter().enumerate().skip(top).zip(rows(list)) {
        let here = index == app.outbox.selected;
        let line = mail_line(app, row, to, here);
        let at = when::age(app.now, row.created_at);
        two_ends(line, vec![Span::styled(format!(" {at} "), app.theme.dim)], place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
    if let Some(row) = app.outbox.rows.get(app.outbox.selected) {
        mail_card(app, row, card_part(areas.body), buf);
    }
}

fn mail_line(app: &App, row: &OutboxView, to: usize, here: bool) -> Vec<Span<'static>> {
    let ell = app.theme.signs.ellipsis;
    let style = match row.state {
        OutboxState::Failed | OutboxState::Bounced | OutboxState::Deferred => app.theme.warning,
        OutboxState::Sending | OutboxState::Held => app.theme.accent,
        _ => app.theme.dim,
    };
    let reference = row.reference.as_deref().map_or(String::new(), |r| format!("{} ", clean::line(r)));
    vec![
        Span::styled(if here { app.theme.signs.cursor } else { " " }.to_owned(), app.theme.accent_strong),
        Span::styled(format!(" {}", fit(state_word(row.state), 10, ell)), style),
        Span::raw(format!("  {}  ", fit(&clean::line(row.to.as_str()), to, ell))),
        Span::raw(format!("{reference}{}", kind_word(row.kind))),
    ]
}

fn mail_card(app: &App, row: &OutboxView, area: Rect, buf: &mut Buffer) {
    let zone = &app.options.time_zone;
    let mut facts = vec![format!("to {}", row.to), row.subject.clone()];
    let tries = match row.attempts {
        0 => "not tried yet".to_owned(),
        1 => "tried once".to_owned(),
        n => format!("tried {n} times"),
    };
    let next = match (row.state, row.held_until, row.next_attempt_at) {
        (OutboxState::Held, Some(at), _) => format!("goes out {}", when::exact(app.now, at, zone)),
        (OutboxState::Held, None, _) => "held until somebody releases it with u".to_owned(),
        (_, _, Some(at)) if !row.state.is_settled() => format!("next try {}", when::exact(app.now, at, zone)),
        _ => row
            .sent_at
            .map_or(String::new(), |at| format!("taken by the server {}", when::exact(app.now, at, zone))),
    };
    let outlet = row.outlet.as_deref().unwrap_or("smtp");
    facts.push(format!("{tries}, by {outlet}{}{next}", if next.is_empty() { "" } else { ", " }));
    facts.extend(row.error.clone());
    card(app, &facts, area, buf);
}

fn kind_word(kind: MailKind) -> &'static str {
    match kind {
        MailKind::ThankYou => "thank-you mail",
        MailKind::NewNote => "reply",
        MailKind::NewParticipant => "welcome to a participant",
        MailKind::Closed => "closed mail",
        MailKind::Reopened => "reopened mail",
        MailKind::IdleWarning => "idle warning",
        MailKind::Staff => "notice to staff",
        MailKind::Rejection => "rejection",
        MailKind::Probe => "test mail",
        MailKind::Forward => "forwarded notes",
        MailKind::RuleReply => "reply of a rule",
    }
}

/// Draws the intake.
pub fn draw_intake(app: &App, areas: &Areas, buf: &mut Buffer) {
    let shown = app.intake.fate.map_or("every fate", Fate::word);
    let count = crate::domain::counted(app.intake.rows.len(), "mail");
    heading(app, areas, "Intake", &format!("{shown} {} {count}", app.theme.signs.dot), buf);
    let wide = usize::from(areas.heads.width);
    let from = (wide / 3).clamp(8, 30);
    let ell = app.theme.signs.ellipsis;
    let head = format!("  {}  {}  SUBJECT", fit("FATE", 11, ell), fit("FROM", from, ell));
    text(Line::styled(head, app.theme.dim), areas.heads, buf);
    if app.intake.loaded && app.intake.rows.is_empty() {
        let (first, second) = no_arrivals(app.intake.fate);
        return nothing(app, first, second, areas.body, buf);
    }
    let list = list_part(areas.body);
    let top = first_row(app.intake.selected, list.height);
    for ((index, row), place) in app.intake.rows.iter().enumerate().skip(top).zip(rows(list)) {
        let here = index == app.intake.selected;
        let at = when::age(app.now, row.received_at);
        let line = arrival_line(app, row, from, here);
        two_ends(line, vec![Span::styled(format!(" {at} "), app.theme.dim)], place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
    if let Some(row) = app.intake.rows.get(app.intake.selected) {
        arrival_card(app, row, card_part(areas.body), buf);
    }
}

/// Says that no mail has this fate, and what to do next.
fn no_arrivals(fate: Option<Fate>) -> (&'static str, &'static str) {
    match fate {
        None => {
            ("No mail has come in yet.", "P shows the address to write to; S says how each mailbox is doing.")
        }
        Some(Fate::Unroutable) => ("Every mail found its project.", "f shows the next fate."),
        Some(Fate::Quarantined) => ("No mail waits for a person.", "f shows the next fate."),
        Some(Fate::Spam) => (
            "No mail was taken for spam.",
            "5 lists issues that were called spam; g l lists blocked senders.",
        ),
        Some(_) => ("No mail has this fate.", "f shows the next one, and every mail after the last."),
    }
}

fn arrival_line(app: &App, row: &IntakeView, from: usize, here: bool) -> Vec<Span<'static>> {
    let ell = app.theme.signs.ellipsis;
    let style = match row.fate {
        Fate::Unroutable | Fate::Quarantined | Fate::Bounce => app.theme.warning,
        Fate::Issue | Fate::Note => Style::new(),
        _ => app.theme.dim,
    };
    let sender = clean::line(row.from.as_deref().unwrap_or("(no sender)"));
    let subject = clean::line(row.subject.as_deref().unwrap_or("(no subject)"));
    vec![
        Span::styled(if here { app.theme.signs.cursor } else { " " }.to_owned(), app.theme.accent_strong),
        Span::styled(format!(" {}", fit(row.fate.word(), 11, ell)), style),
        Span::raw(format!("  {}  ", fit(&sender, from, ell))),
        Span::raw(subject),
    ]
}

fn arrival_card(app: &App, row: &IntakeView, area: Rect, buf: &mut Buffer) {
    let by = match (&row.mailbox, row.path.as_deref()) {
        (Some(mailbox), _) => mailbox.clone(),
        (None, Some("-")) => "standard input".to_owned(),
        (None, Some(path)) => path.to_owned(),
        (None, None) => "a command".to_owned(),
    };
    let at = when::exact(app.now, row.received_at, &app.options.time_zone);
    let silent = if row.silent { ", silently" } else { "" };
    let became = row.reference.as_ref().map_or(String::new(), |r| format!(" {} {r}", app.theme.signs.dot));
    let facts = vec![
        format!("{}{became}", row.reason),
        format!("from {}", row.from.as_deref().unwrap_or("(no sender)")),
        format!("to {}", row.to.join(", ")),
        format!("by {by}, {at}, {}{silent}", size(row.size)),
    ];
    card(app, &facts, area, buf);
}

/// Draws facts about the selected row below the list; the first is the one that matters.
pub(super) fn card(app: &App, facts: &[String], area: Rect, buf: &mut Buffer) {
    let mut lines = rows(area);
    if let Some(line) = lines.next() {
        super::rule(app, line, buf);
    }
    let width = usize::from(area.width).saturating_sub(2);
    let first =
        facts.iter().take(1).flat_map(|fact| plain(fact, width, app.theme.strong).into_iter().take(2));
    let rest = facts.iter().skip(1).map(|fact| Line::styled(clean::line(fact), app.theme.dim));
    for (fact, line) in first.chain(rest).zip(lines) {
        let mut spans = vec![Span::raw(" ")];
        spans.extend(fact.spans.into_iter().map(|s| s.patch_style(fact.style)));
        two_ends(spans, Vec::new(), line, app, buf);
    }
}

pub(super) fn list_part(body: Rect) -> Rect {
    Rect { height: body.height.saturating_sub(card_height(body)), ..body }
}

pub(super) fn card_part(body: Rect) -> Rect {
    let height = card_height(body);
    Rect { y: body.bottom() - height, height, ..body }
}

fn card_height(body: Rect) -> u16 {
    if body.height >= 12 { 6 } else { 0 }
}

pub(super) fn first_row(selected: usize, height: u16) -> usize {
    (selected + 1).saturating_sub(usize::from(height.max(1)))
}

pub(super) fn nothing(app: &App, first: &str, second: &str, area: Rect, buf: &mut Buffer) {
    let lines = [("", app.theme.dim), (first, app.theme.strong), (second, app.theme.dim)];
    for ((words, style), row) in lines.into_iter().zip(rows(area)) {
        text(Line::styled(format!("   {words}"), style), row, buf);
    }
}

/// Draws the settings of a project.
pub fn draw_projects(app: &App, areas: &Areas, buf: &mut Buffer) {
    let count = app.projects.as_ref().map_or(0, Vec::len);
    let right = if count > 1 { format!("{} of {count}", app.project.index + 1) } else { String::new() };
    let Some(project) = app.shown_project() else {
        heading(app, areas, "Projects", &right, buf);
        return nothing(
            app,
            "There is no project yet.",
            "a adds one; it gets an address at once.",
            areas.body,
            buf,
        );
    };
    heading(app, areas, &clean::line(&project.path), &right, buf);
    let full = Rect { y: areas.heads.y, height: areas.heads.height + areas.body.height, ..areas.body };
    let fixed = address_lines(app, project, full.width);
    let used = fixed.len().min(usize::from(full.height / 2));
    let mut lines = rows(full);
    for (line, place) in fixed.into_iter().take(used).zip(&mut lines) {
        let spans = line.spans.into_iter().map(|span| span.patch_style(line.style)).collect();
        two_ends(spans, Vec::new(), place, app, buf);
    }
    let left = usize::from(full.height).saturating_sub(used);
    let top = (app.project.selected + 1).saturating_sub(left.max(1));
    for (index, place) in (top..=SETTINGS.len()).zip(lines) {
        setting_line(app, project, index, place, buf);
    }
}

fn address_lines(app: &App, project: &ProjectView, width: u16) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let address = match project.addresses.first() {
        Some(address) => Span::styled(clean::line(address.as_str()), theme.accent_strong),
        None => Span::styled("none: no enabled mailbox leads here", theme.warning),
    };
    let mut lines = vec![
        Line::from(vec![Span::raw(" Address to publish   "), address]),
        Line::styled(
            format!(
                " {} Anyone who knows this address can open issues. Best put it behind an alias",
                theme.signs.warning
            ),
            theme.warning,
        ),
        Line::styled("   of your own and a spam check, and publish the alias.", theme.warning),
    ];
    if width < 50 {
        lines.truncate(2);
    }
    if app.status.as_ref().is_some_and(|status| !status.spam.is_on()) {
        let words = format!(" {} No spam check is on: see [spam] in the config.", theme.signs.warning);
        lines.push(Line::styled(words, theme.alarm));
    }
    for other in project.addresses.iter().skip(1).take(2) {
        lines.push(Line::styled(format!("   also {}", clean::line(other.as_str())), theme.dim));
    }
    lines.push(Line::default());
    if let Some(why) = app.lacks(Role::Maintainer) {
        lines.push(Line::styled(format!(" Changing a setting {why}."), theme.warning));
    }
    lines
}

fn setting_line(app: &App, project: &ProjectView, index: usize, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let here = index == app.project.selected;
    let (name, value, about) = match index.checked_sub(1).and_then(|i| SETTINGS.get(i)) {
        None => {
            ("Activate Service Desk", if project.enabled { "on" } else { "off" }.to_owned(), "x switches")
        }
        Some(s) => (s.name, value_of(&project.settings, s.key), s.about),
    };
    let wide = usize::from(area.width);
    let column = (wide * 3 / 5).clamp(10, 46);
    let cursor = if here { theme.signs.cursor } else { " " };
    let (value, style) = match value.as_str() {
        "" => (theme.signs.none.to_owned(), theme.dim),
        value => (clean::line(value), theme.strong),
    };
    let disabled = app.disabled(project, index);
    let (label, style) = if disabled.is_some() { (theme.dim, theme.dim) } else { (Style::new(), style) };
    let mut left = vec![
        Span::styled(cursor.to_owned(), theme.accent_strong),
        Span::styled(fit(name, column, theme.signs.ellipsis), label),
        Span::raw(" "),
        Span::styled(value, style),
    ];
    match disabled {
        Some(why) if here => left.push(Span::styled(format!("   {why}"), theme.warning)),
        // A lacking role lacks for every line; that is said once, above them.
        Some(why) if app.lacks(Role::Maintainer).is_none() => {
            left.push(Span::styled(format!("   {why}"), theme.dim));
        }
        None if here => left.push(Span::styled(format!("   {about}"), theme.dim)),
        _ => {}
    }
    two_ends(left, Vec::new(), area, app, buf);
}
