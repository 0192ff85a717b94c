//! The two lines at the foot: how the desk is doing, and the keys that matter here.

use super::super::action::Action;
use super::super::app::App;
use super::super::clean;
use super::super::keymap::{Lookup, Place};
use super::super::overlay::Overlay;
use super::super::when;
use super::two_ends;
use crate::domain::{Channel, ChannelState, OutboxCounts};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// In so many lines something is said at most.
const LINES: usize = 4;

/// Draws the status line: what was just said first, else how the desk is doing.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let me = app.me.as_ref().map_or(String::new(), |me| format!("{} ", clean::line(&me.name)));
    let busy = if app.asks.changing() { format!("{} ", theme.signs.ellipsis) } else { String::new() };
    let me = format!("{busy}{me}");
    let room = usize::from(area.width).saturating_sub(clean::width(&me) + 2);
    let right = vec![Span::styled(me, theme.dim)];
    let mut left = vec![Span::raw(" ")];
    if let Some(reason) = &app.lost {
        let words = format!("{} the desk cannot be reached: {}", theme.signs.bad, clean::line(reason));
        left.push(Span::styled(words, theme.warning_strong));
        left.push(Span::styled("  trying again, what you typed is kept", theme.dim));
        return two_ends(left, right, area, app, buf);
    }
    if said_in_lines(app, room, area, buf) {
        return;
    }
    if let Some(user) = &app.following {
        let words = format!("following {} {} Esc leaves   ", clean::line(user), theme.signs.dot);
        left.push(Span::styled(words, theme.accent_strong));
    }
    if let Some(notice) = &app.notice {
        let style = if notice.bad { theme.warning_strong } else { Style::new() };
        left.push(Span::styled(clean::line(&notice.text), style));
        left.push(Span::raw("   "));
    }
    if let Some(lesson) = &app.palette.lesson {
        left.push(Span::styled(format!("{}   ", clean::line(&lesson.text)), theme.key));
    }
    left.extend(undo(app));
    left.extend(channels(app));
    two_ends(left, right, area, app, buf);
}

/// Says what does not fit into the line in several, over those above; tells whether it had to.
fn said_in_lines(app: &App, room: usize, area: Rect, buf: &mut Buffer) -> bool {
    let Some(notice) = &app.notice else { return false };
    let words = clean::line(&notice.text);
    if clean::width(&words) <= room {
        return false;
    }
    // What is over the screen ends above the rule.
    let most = if app.overlay.is_some() { 2 } else { LINES };
    let mut lines = clean::wrap(&words, usize::from(area.width).saturating_sub(2));
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.push_str("    ");
            *last = clean::cut(last, usize::from(area.width).saturating_sub(2), app.theme.signs.ellipsis);
        }
    }
    let style = if notice.bad { app.theme.warning_strong } else { Style::new() };
    let first = area.y.saturating_sub(u16::try_from(lines.len()).unwrap_or(1).saturating_sub(1));
    for (y, line) in (first..).zip(lines) {
        let area = Rect { y, ..area };
        super::overlay::clear(area, buf);
        super::text(Line::styled(format!(" {line}"), style), area, buf);
    }
    true
}

fn undo(app: &App) -> Vec<Span<'static>> {
    let Some(undoable) = &app.undoable else { return Vec::new() };
    let dot = app.theme.signs.dot;
    let words = match undoable.held_until {
        Some(until) => {
            let left = when::seconds_left(app.now, until);
            let when = if left < 120 {
                format!("in {left}s")
            } else {
                format!("at {}", when::exact(app.now, until, &app.options.time_zone))
            };
            format!("sent {when} {dot} z takes it back")
        }
        None => format!("{} {dot} z takes it back", clean::line(&undoable.label)),
    };
    vec![Span::styled(words, app.theme.accent), Span::raw("   ")]
}

fn channels(app: &App) -> Vec<Span<'static>> {
    let Some(status) = &app.status else { return Vec::new() };
    let mut spans = Vec::new();
    // What fails stands first: a narrow screen cuts the end.
    let all = || status.mailboxes.iter().chain(&status.outlets);
    let failing = all().filter(|c| c.state == ChannelState::Failing);
    let fine = status.mailboxes.iter().filter(|c| c.state != ChannelState::Failing);
    for channel in failing.chain(fine) {
        spans.extend(channel_words(app, channel));
    }
    if !status.serving {
        spans.push(Span::styled("nothing is fetched or sent   ", app.theme.warning));
    }
    if let Some(words) = outbox_words(&status.outbox) {
        let bad = status.outbox.failed + status.outbox.bounced + status.outbox.deferred > 0;
        let style = if bad { app.theme.warning } else { app.theme.dim };
        spans.push(Span::styled(format!("outbox {words}   "), style));
    }
    if status.triage > 0 {
        spans.push(Span::styled(format!("triage {} (I)   ", status.triage), app.theme.warning));
    }
    if let Some(notice) = status.notices.first() {
        spans.push(Span::styled(clean::line(notice), app.theme.warning));
    }
    spans
}

fn channel_words(app: &App, channel: &Channel) -> Vec<Span<'static>> {
    let (theme, zone) = (&app.theme, &app.options.time_zone);
    let name = clean::line(&channel.name);
    let age = channel.last_success.map_or(String::new(), |at| format!(" {}", when::age(app.now, at)));
    let progress = channel.progress.map_or(String::new(), |(done, all)| format!(" {done}/{all}"));
    let (words, style) = match channel.state {
        ChannelState::Ok => (format!("{name} {}{age}", theme.signs.ok), theme.dim),
        ChannelState::Idle => (format!("{name} {}{age}", theme.signs.none), theme.dim),
        ChannelState::Connecting => (format!("{name} {}", theme.signs.busy), theme.dim),
        ChannelState::Busy => (format!("{name} {}{progress}", theme.signs.busy), theme.accent),
        ChannelState::Disabled => (format!("{name} off"), theme.dim),
        ChannelState::Failing => {
            let error = clean::line(channel.error.as_deref().unwrap_or("fails"));
            let since = when::exact(app.now, channel.since, zone);
            let next = channel
                .next_try
                .map_or(String::new(), |at| format!(", next try {}", when::exact(app.now, at, zone)));
            (format!("{name} {} {error} since {since}{next}", theme.signs.bad), theme.warning)
        }
    };
    vec![Span::styled(words, style), Span::raw("   ")]
}

fn outbox_words(counts: &OutboxCounts) -> Option<String> {
    let parts = [
        (counts.failed, "failed"),
        (counts.bounced, "bounced"),
        (counts.deferred, "put off"),
        (counts.sending, "sending"),
        (counts.queued, "queued"),
        (counts.held, "held"),
    ];
    let words: Vec<String> =
        parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Draws the keys that matter here, or what may follow the keys already pressed.
pub fn draw_footer(app: &App, area: Rect, buf: &mut Buffer) {
    let place = app.place();
    let pairs: Vec<(String, String)> = match app.keymap.lookup(place, &app.pending) {
        Lookup::Pending(next) if !app.pending.is_empty() => {
            next.into_iter().map(|(keys, a)| (keys, app.name_of(a))).collect()
        }
        _ if place == Place::List && super::welcome::is_due(app) => welcome_keys(app),
        _ if place == Place::List && shows_spam(app) => spam_keys(app),
        _ if place == Place::Intake => intake_keys(app),
        _ if place == Place::Text => text_keys(app),
        _ => footer_keys(app, place),
    };
    // What may follow is all said, over the lines above; other hints end where the line does.
    let most = if app.pending.is_empty() { 1 } else { usize::from(area.y / 2).max(1) };
    let lines = hints(app, pairs, usize::from(area.width), most);
    let first = area.y.saturating_sub(u16::try_from(lines.len()).unwrap_or(1).saturating_sub(1));
    for (y, line) in (first..).zip(lines) {
        let area = Rect { y, ..area };
        super::overlay::clear(area, buf);
        super::text(line, area, buf);
    }
}

/// Lays keys and their words out in as few lines as they need, at most so many.
fn hints(app: &App, pairs: Vec<(String, String)>, width: usize, most: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::raw(" ")];
    let mut room = width.saturating_sub(1);
    for (keys, word) in pairs {
        let cells = clean::width(&keys) + 1 + clean::width(&word);
        if cells > room {
            if lines.len() == most {
                break;
            }
            lines.push(Line::raw(" "));
            room = width.saturating_sub(1);
        }
        room = room.saturating_sub(cells + 2);
        if let Some(line) = lines.last_mut() {
            line.spans.push(Span::styled(keys, app.theme.key));
            line.spans.push(Span::styled(format!(" {word}  "), app.theme.dim));
        }
    }
    lines
}

fn footer_keys(app: &App, place: Place) -> Vec<(String, String)> {
    let keys = app.keymap.footer(place).into_iter();
    let keys = keys.filter(|(_, action)| !shows_no_row(app, place) || works_without_row(*action));
    keys.map(|(keys, a)| (keys, word(app, place, a))).collect()
}

/// Tells whether this is a list that stands there empty.
fn shows_no_row(app: &App, place: Place) -> bool {
    match place {
        Place::Texts => app.texts.rows.is_empty(),
        Place::Rules => app.rules.rows.is_empty(),
        Place::Outbox => app.outbox.rows.is_empty(),
        Place::Changes => app.changes.rows.is_empty(),
        _ => false,
    }
}

fn works_without_row(action: Action) -> bool {
    use Action::{AddText, Back, Filter, Help, Leave, Undo};
    matches!(action, AddText | Back | Filter | Help | Leave | Undo)
}

fn shows_spam(app: &App) -> bool {
    app.list
        .shown_view()
        .is_some_and(|view| view.about.query.split_whitespace().any(|word| word == "is:spam"))
}

/// Gives the keys of the view of spam: where the mails are that never became issues stands first.
fn spam_keys(app: &App) -> Vec<(String, String)> {
    let mails = super::list::spam_mails(app).unwrap_or_else(|| "spam mails".to_owned());
    let first = app.keymap.keys_of(Place::List, Action::SpamMails).into_iter().next();
    let not_spam = app.keymap.keys_of(Place::List, Action::Spam).into_iter().next();
    let own = first.map(|key| (key, mails)).into_iter();
    own.chain(not_spam.map(|key| (key, "not spam".to_owned()))).chain(footer_keys(app, Place::List)).collect()
}

/// Gives the keys of the intake that fit the mail which is selected.
fn intake_keys(app: &App) -> Vec<(String, String)> {
    let row = app.intake.rows.get(app.intake.selected);
    let fits = |action: Action| match (action, row) {
        (Action::Filter | Action::Back | Action::Help, _) => true,
        (_, None) => false,
        (Action::Open, Some(row)) => row.reference.is_some(),
        // The reason stands below the list already.
        (Action::Why, Some(row)) => !row.opinions.is_empty(),
        (Action::Ham, Some(row)) => row.may_be_ham(),
        (Action::AttachTo | Action::MakeIssue | Action::Retry, Some(row)) => row.may_be_filed(),
        (Action::Raw | Action::HamAllow | Action::Block, Some(row)) => !row.purged,
        _ => true,
    };
    let keys = app.keymap.footer(Place::Intake).into_iter().filter(|(_, action)| fits(*action));
    keys.map(|(key, action)| (key, word(app, Place::Intake, action))).collect()
}

/// Gives the keys of a text: what can be done with it stands first, and the tour only goes on or ends.
fn text_keys(app: &App) -> Vec<(String, String)> {
    let first = |(action, word): (Action, &str)| {
        Some((app.keymap.keys_of(Place::Text, action).into_iter().next()?, word.to_owned()))
    };
    match &app.overlay {
        Some(Overlay::Tour(_)) => [(Action::Open, "next stop"), (Action::Back, "end the tour")]
            .into_iter()
            .filter_map(first)
            .collect(),
        Some(Overlay::Reader(reader)) if reader.answer.is_some() => {
            let own = [(Action::Reply, "take it over"), (Action::Quote, "quote it")];
            own.into_iter().filter_map(first).chain(footer_keys(app, Place::Text)).collect()
        }
        _ => footer_keys(app, Place::Text),
    }
}

fn welcome_keys(app: &App) -> Vec<(String, String)> {
    let keys = [(Action::Leave, "leave"), (Action::Projects, "projects"), (Action::Help, "help")];
    let first = |action| app.keymap.keys_of(Place::List, action).into_iter().next();
    keys.into_iter().filter_map(|(action, word)| Some((first(action)?, word.to_owned()))).collect()
}

fn word(app: &App, place: Place, action: Action) -> String {
    let word = match (place, action) {
        (Place::Composer, Action::Back) => "keep draft",
        (_, Action::Back | Action::Leave) => "back",
        (Place::Query, Action::Accept) => "to the list",
        (Place::Picker, Action::Accept) => "choose",
        (_, Action::Accept) => "done",
        (Place::Outbox | Place::Intake, Action::Open) => "issue",
        (Place::Intake, Action::AttachTo) => "attach",
        (Place::Intake, Action::MakeIssue) => "issue",
        (Place::Intake, Action::Raw) => "raw",
        (Place::Intake, Action::HamAllow) => "allow",
        (Place::Project, Action::Open) => "change",
        (Place::Members, Action::Open) => "change role",
        (Place::Templates, Action::Open) => "read",
        (Place::Templates, Action::Raw) if app.templates.raw => "as a mail",
        (Place::Templates, Action::Raw) => "raw text",
        (Place::Categories, Action::Open) => "rename",
        (Place::Rules, Action::Open) => "test",
        (Place::Texts, Action::Open) => "write anew",
        (Place::Reports, Action::Down) => "next report",
        (Place::Reports, Action::HalfDown) => "scroll",
        (Place::Reports, Action::Open) => "which issues",
        (Place::Views, Action::Open) => "show",
        (Place::Views, Action::MoveUp) => "up",
        (Place::Views, Action::MoveDown) => "down",
        (Place::Changes, Action::Open) => "issue",
        (Place::Changes, Action::Filter) if app.changes.mine => "everybody's",
        (Place::Changes, Action::Filter) => "only mine",
        (Place::Project | Place::Members | Place::Templates | Place::Categories, Action::NextIssue) => {
            "next project"
        }
        _ => action.entry().word,
    };
    word.to_owned()
}
