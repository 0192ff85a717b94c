//! The composer: who gets it in words, how far the draft is saved, the text.

use super::super::app::App;
use super::super::clean;
use super::super::composer::{Composer, Held, Recipients, Saved, encoded, recipients};
use super::super::guard::changed;
use super::super::layout::Areas;
use super::super::send::size;
use super::{rows, text, two_ends};
use crate::domain::quick::written;
use crate::domain::{DraftKind, NoteView, Writing, counted};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws the composer where there is one.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let Some(composer) = &app.composer else { return };
    title(app, composer, areas.compose_rule, buf);
    fields(app, composer, areas.fields, buf);
    let body = Rect {
        x: areas.compose.x + 1.min(areas.compose.width),
        width: areas.compose.width.saturating_sub(2),
        ..areas.compose
    };
    let here = composer.focused && composer.field >= composer.fields.len() && app.overlay.is_none();
    let words = quick(app);
    let (body, last) = match words {
        Some(_) if body.height > 1 => {
            (Rect { height: body.height - 1, ..body }, Rect { y: body.bottom() - 1, height: 1, ..body })
        }
        _ => (body, Rect::default()),
    };
    if !body.is_empty() {
        composer.body.draw(here, body, buf);
    }
    if let Some(words) = words.filter(|_| !last.is_empty()) {
        text(words, last, buf);
    }
}

/// Says what the quick actions of the text will do, what is wrong with one, or how a word may go on.
fn quick(app: &App) -> Option<Line<'static>> {
    let theme = &app.theme;
    let choices = app.quick_choices();
    if !choices.is_empty() {
        let mut spans = vec![Span::styled("Tab ", theme.dim)];
        for action in &choices {
            let takes = if action.takes.is_empty() { String::new() } else { format!(" {}", action.takes) };
            spans.push(Span::styled(format!("/{}{takes}", action.name), theme.accent));
            spans.push(Span::styled(format!(" {}  ", action.does), theme.dim));
        }
        return Some(Line::from(spans));
    }
    let names = app.name_choices();
    if let Some(mark) = app.name_mark().filter(|_| !names.is_empty()) {
        let mut spans = vec![Span::styled("Tab ", theme.dim)];
        for name in &names {
            spans.push(Span::styled(clean::line(&written(mark, &name.name)), theme.accent));
            spans.push(Span::styled(format!(" {}  ", clean::line(&name.about)), theme.dim));
        }
        return Some(Line::from(spans));
    }
    match app.quick() {
        Err(fault) => {
            let hint = fault.hint.map_or(String::new(), |hint| format!(" {} {hint}", theme.signs.dot));
            Some(Line::styled(clean::line(&format!("{}{hint}", fault.message)), theme.warning))
        }
        Ok(found) if found.is_plain() => None,
        Ok(found) => {
            let plan = found.plan().join(&format!(" {} ", theme.signs.dot));
            Some(Line::from(vec![
                Span::styled("on sending: ", theme.dim),
                Span::styled(clean::line(&plan), theme.accent),
            ]))
        }
    }
}

fn title(app: &App, composer: &Composer, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let internal = composer.kind == DraftKind::Internal;
    let (sign, style) = match internal {
        true => (theme.signs.double_rule, theme.warning),
        false => (theme.signs.rule, theme.rule),
    };
    super::repeat(sign, style, area, buf);
    let mut parts = vec![Span::styled(sign.repeat(2), style), Span::raw(" ")];
    match held(app, composer) {
        Some(words) => parts.push(Span::styled(words, theme.warning_strong)),
        None => {
            parts.extend(who_gets_it(app, composer));
            if let Some(words) = also_writes(app, composer) {
                parts.push(Span::styled(words, theme.warning_strong));
            }
            if app.newer_note() {
                let words = format!(" {} a newer note stands above", theme.signs.unread);
                parts.push(Span::styled(words, theme.warning));
            }
        }
    }
    parts.push(Span::raw(" "));
    let right = match saved(app, composer) {
        _ if composer.held.is_some() => Vec::new(),
        "" => Vec::new(),
        words => vec![Span::styled(format!(" {words} "), theme.dim), Span::styled(sign.repeat(2), style)],
    };
    two_ends(parts, right, area, app, buf);
}

/// Warns of somebody else who writes a reply to the same issue now.
fn also_writes(app: &App, composer: &Composer) -> Option<String> {
    let thread = app.thread.as_ref().filter(|_| composer.kind == DraftKind::Reply)?;
    let others = app.others_at(&thread.view.row.reference);
    let other = others.into_iter().find(|other| other.writing == Writing::Reply)?;
    Some(format!(" {} {} too", app.theme.signs.warning, clean::line(&other.words())))
}

/// Says why it was not sent, if something stopped it.
fn held(app: &App, composer: &Composer) -> Option<String> {
    match composer.held.as_ref()? {
        Held::Stale { shown: false, .. } => Some("NOT SENT: somebody wrote meanwhile".to_owned()),
        Held::Stale { newer, shown: true } => {
            let notes = app.thread.as_ref().map(|t| t.view.notes.as_slice()).unwrap_or_default();
            let mut writers: Vec<String> = Vec::new();
            for note in notes.iter().filter(|n: &&NoteView| newer.contains(&n.id)) {
                let name = clean::line(note.author.label());
                if !writers.contains(&name) {
                    writers.push(name);
                }
            }
            let who = if writers.is_empty() { "somebody".to_owned() } else { writers.join(", ") };
            Some(format!(
                "NOT SENT: {who} wrote meanwhile, see above {0} Ctrl-s sends anyway {0} Esc keeps the draft",
                app.theme.signs.dot
            ))
        }
    }
}

fn who_gets_it(app: &App, composer: &Composer) -> Vec<Span<'static>> {
    let theme = &app.theme;
    if !composer.many.is_empty() {
        let count = counted(composer.many.len(), "issue");
        return vec![match composer.kind {
            DraftKind::Internal => {
                Span::styled(format!("INTERNAL, NOT MAILED, in {count}"), theme.warning_strong)
            }
            _ => {
                Span::styled(format!("MAILED TO the people of {count}, each filled in"), theme.accent_strong)
            }
        }];
    }
    match composer.kind {
        DraftKind::Internal => vec![Span::styled("INTERNAL, NOT MAILED", theme.warning_strong)],
        DraftKind::Issue => {
            let to = clean::line(&composer.field_value("To"));
            let words = match to.as_str() {
                "" => "A PLAIN ISSUE, NOT MAILED".to_owned(),
                to => format!("MAILED TO {to}"),
            };
            vec![Span::styled(words, theme.accent_strong)]
        }
        DraftKind::Reply => match app.composed_view() {
            None => vec![Span::styled(theme.signs.ellipsis, theme.dim)],
            Some(view) => {
                let mut spans = reply_to(app, &recipients(&view.participants, composer));
                let (joined, left) = changed(view, composer);
                let marked =
                    joined.iter().map(|a| format!(" +{a}")).chain(left.iter().map(|a| format!(" -{a}")));
                let marked: String = marked.collect();
                if !marked.is_empty() {
                    let words = format!(" since the last mail:{}", clean::line(&marked));
                    spans.push(Span::styled(words, theme.warning));
                }
                let from = format!(" {} from {}", theme.signs.rule.repeat(2), clean::line(&view.sender_name));
                spans.push(Span::styled(from, theme.dim));
                spans
            }
        },
    }
}

fn reply_to(app: &App, to: &Recipients) -> Vec<Span<'static>> {
    let theme = &app.theme;
    if to.mailed.is_empty() {
        let words = match to.unsubscribed.as_slice() {
            [] => "NOT MAILED: nobody outside takes part".to_owned(),
            gone => format!("NOT MAILED: {} unsubscribed", clean::line(&gone.join(", "))),
        };
        let words = match to.without.as_slice() {
            [] => words,
            out => format!("NOT MAILED: {} left out", clean::line(&out.join(", "))),
        };
        return vec![Span::styled(words, theme.warning_strong)];
    }
    let mut spans =
        vec![Span::styled(format!("MAILED TO {}", clean::line(&to.mailed.join(", "))), theme.accent_strong)];
    if !to.without.is_empty() {
        let words = format!(" not to {}", clean::line(&to.without.join(", ")));
        spans.push(Span::styled(words, theme.warning));
    }
    if !to.bounced.is_empty() {
        let words =
            format!(" {} mail to {} came back", theme.signs.warning, clean::line(&to.bounced.join(", ")));
        spans.push(Span::styled(words, theme.warning));
    }
    spans
}

fn saved(app: &App, composer: &Composer) -> &'static str {
    match composer.saved {
        _ if composer.sending && app.lost.is_some() => "not sent yet, waits for the desk",
        _ if composer.sending || composer.send_wanted.is_some() => "sending",
        Saved::Loading => "",
        Saved::Nothing => "",
        Saved::Unsaved(_) | Saved::Saving(_) => "saving draft",
        Saved::Stored => "draft saved",
    }
}

fn fields(app: &App, composer: &Composer, area: Rect, buf: &mut Buffer) {
    let mut lines = rows(area);
    for ((index, (name, edit)), line) in composer.fields.iter().enumerate().zip(&mut lines) {
        let here = composer.focused && composer.field == index && app.overlay.is_none();
        let style = if here { app.theme.accent_strong } else { app.theme.dim };
        text(Line::styled(format!(" {name:<8}"), style), line, buf);
        let indent = 10.min(line.width);
        edit.draw(here, Rect { x: line.x + indent, width: line.width - indent, ..line }, buf);
    }
    if !composer.files.is_empty()
        && let Some(line) = lines.next()
    {
        files(app, composer, line, buf);
    }
}

fn files(app: &App, composer: &Composer, area: Rect, buf: &mut Buffer) {
    let name = |path: &str| clean::line(path.rsplit('/').next().unwrap_or(path));
    let shown = composer.files.iter().map(|file| match &file.upload {
        Some(upload) => format!("{} {}", name(&file.path), size(upload.bytes.len() as u64)),
        None if file.error.is_some() => format!("{} {}", name(&file.path), app.theme.signs.warning),
        None => format!("{} {}", name(&file.path), app.theme.signs.ellipsis),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    let used = encoded(composer.file_size());
    let limit = app.composed_view().and_then(|v| v.max_size);
    let (right, style) = match limit {
        Some(limit) if used > limit => {
            (format!("TOO LARGE: {} of {} ", size(used), size(limit)), app.theme.warning_strong)
        }
        Some(limit) => (format!("{} of {} ", size(used), size(limit)), app.theme.dim),
        None => (String::new(), Style::new()),
    };
    let left = vec![Span::styled(" attached ", app.theme.dim), Span::raw(shown)];
    two_ends(left, vec![Span::styled(right, style)], area, app, buf);
}
