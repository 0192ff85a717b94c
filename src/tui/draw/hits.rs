//! Shows where the words of the query stand.

use super::super::app::App;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

/// Marks what was looked for in a line that is ready to be drawn.
pub fn mark(app: &App, spans: Vec<Span<'static>>) -> Vec<Span<'static>> {
    if app.sought.is_empty() {
        return spans;
    }
    let whole: String = spans.iter().map(|span| span.content.as_ref()).collect();
    let places = app.sought.places(&whole);
    if places.is_empty() {
        return spans;
    }
    let hit = app.theme.accent.add_modifier(Modifier::UNDERLINED);
    let mut marked = Vec::with_capacity(spans.len() + 2 * places.len());
    let mut start = 0;
    for span in spans {
        let end = start + span.content.len();
        let mut at = start;
        for place in places.iter().filter(|place| place.end > start && place.start < end) {
            let (from, to) = (place.start.max(start), place.end.min(end));
            push(&mut marked, &whole, at, from, span.style);
            push(&mut marked, &whole, from, to, span.style.patch(hit));
            at = to;
        }
        push(&mut marked, &whole, at, end, span.style);
        start = end;
    }
    marked
}

fn push(into: &mut Vec<Span<'static>>, whole: &str, from: usize, to: usize, style: Style) {
    if let Some(part) = whole.get(from..to).filter(|part| !part.is_empty()) {
        into.push(Span::styled(part.to_owned(), style));
    }
}
