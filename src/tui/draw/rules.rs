//! Draws the screen of rules.

use super::super::app::App;
use super::super::clean::{self, fit};
use super::super::layout::Areas;
use super::super::rules::moment_word;
use super::screens::{card, card_part, first_row, list_part, nothing};
use super::{heading, rows, select, text, two_ends};
use crate::domain::RuleView;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws the rules in their order, and below what the selected one does.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let count = match app.rules.rows.len() {
        1 => "1 rule".to_owned(),
        n => format!("{n} rules"),
    };
    heading(app, areas, "Rules", &count, buf);
    let ell = app.theme.signs.ellipsis;
    let name = (usize::from(areas.heads.width) / 3).clamp(8, 36);
    let head = format!("  {}  {}  {}  FINDS", fit("", 3, ell), fit("RULE", name, ell), fit("WHEN", 8, ell));
    text(Line::styled(head, app.theme.dim), areas.heads, buf);
    if app.rules.loaded && app.rules.rows.is_empty() {
        let then = "`deskbell rule add` makes one: what a query finds is dealt with by itself.";
        return nothing(app, "There are no rules.", then, areas.body, buf);
    }
    let list = list_part(areas.body);
    let top = first_row(app.rules.selected, list.height);
    for ((index, row), place) in app.rules.rows.iter().enumerate().skip(top).zip(rows(list)) {
        let here = index == app.rules.selected;
        let whose = row.project.as_deref().unwrap_or("the whole desk");
        let right = vec![Span::styled(format!(" {} ", clean::line(whose)), app.theme.dim)];
        two_ends(line(app, row, name, here), right, place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
    if let Some(row) = app.rules.rows.get(app.rules.selected) {
        card(app, &facts(row), card_part(areas.body), buf);
    }
}

fn line(app: &App, row: &RuleView, name: usize, here: bool) -> Vec<Span<'static>> {
    let theme = &app.theme;
    let on = row.about.enabled;
    let style = if on { Style::new() } else { theme.dim };
    vec![
        Span::styled(if here { theme.signs.cursor } else { " " }.to_owned(), theme.accent_strong),
        Span::styled(if on { " on   " } else { " off  " }, style),
        Span::styled(fit(&clean::line(&row.about.name), name, theme.signs.ellipsis), style),
        Span::styled(format!("  {}", fit(moment_word(row.about.on), 8, theme.signs.ellipsis)), theme.dim),
        Span::styled(format!("  {}", clean::line(&row.about.query)), theme.dim),
    ]
}

fn facts(row: &RuleView) -> Vec<String> {
    let query = if row.about.query.is_empty() { "every issue" } else { row.about.query.as_str() };
    let mut facts = vec![format!("on {}, with {query}:", moment_word(row.about.on))];
    facts.extend(row.about.actions.lines().map(str::to_owned));
    facts.extend(row.about.further());
    facts.extend(row.about.no_acknowledgement.then(|| "no thank-you mail".to_owned()));
    facts
}
