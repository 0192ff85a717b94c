//! Draws the screen of views.

use super::super::app::App;
use super::super::clean::{self, fit, fit_right};
use super::super::layout::Areas;
use super::super::views::columns_in_words;
use super::super::when;
use super::screens::{card, card_part, first_row, list_part};
use super::{heading, rows, select, text, two_ends};
use crate::domain::{View, counted, limit_in_words};
use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

/// Draws the views in their order, and below what the selected one is.
pub fn draw(app: &App, areas: &Areas, buf: &mut Buffer) {
    let views = &app.list.views;
    heading(app, areas, "Views", &counted(views.len(), "view"), buf);
    let name = (usize::from(areas.heads.width) / 4).clamp(8, 30);
    let head = format!(
        "   KEY  {}  {}  {}  QUERY",
        fit("VIEW", name, ""),
        fit_right("FINDS", 6, ""),
        fit("LIMIT", 5, "")
    );
    two_ends(
        vec![Span::styled(head, app.theme.dim)],
        vec![Span::styled("WHOSE ", app.theme.dim)],
        areas.heads,
        app,
        buf,
    );
    let list = list_part(areas.body);
    let top = first_row(app.views.selected, list.height);
    for ((index, view), place) in views.iter().enumerate().skip(top).zip(rows(list)) {
        let here = index == app.views.selected;
        let whose = vec![Span::styled(format!(" {} ", clean::line(view.whose())), app.theme.dim)];
        two_ends(line(app, index, view, name), whose, place, app, buf);
        if here {
            select(app, place, buf);
        }
    }
    if let Some(view) = views.get(app.views.selected) {
        card(app, &facts(app, view), card_part(areas.body), buf);
    }
    if views.is_empty() {
        text(
            Line::styled("   Every view is hidden; a adds one, z brings one back.", app.theme.strong),
            areas.body,
            buf,
        );
    }
}

fn line(app: &App, index: usize, view: &View, name: usize) -> Vec<Span<'static>> {
    let theme = &app.theme;
    let here = index == app.views.selected;
    let key = if index < 9 { (index + 1).to_string() } else { String::new() };
    let count = view.count.map_or(theme.signs.none.to_owned(), |count| count.to_string());
    let late = view.is_late(app.now);
    let limit = match view.about.limit {
        _ if late => "late".to_owned(),
        None => theme.signs.none.to_owned(),
        limit => limit_in_words(limit),
    };
    vec![
        Span::styled(if here { theme.signs.cursor } else { " " }.to_owned(), theme.accent_strong),
        Span::styled(format!("  {}  ", fit_right(&key, 3, "")), theme.key),
        Span::raw(fit(&clean::line(&view.about.name), name, theme.signs.ellipsis)),
        Span::styled(format!("  {}", fit_right(&count, 6, theme.signs.ellipsis)), theme.strong),
        Span::styled(
            format!("  {}", fit(&limit, 5, "")),
            if late { theme.warning_strong } else { theme.dim },
        ),
        Span::styled(format!("  {}", clean::line(&view.about.query)), theme.dim),
    ]
}

fn facts(app: &App, view: &View) -> Vec<String> {
    let mut facts = vec![if view.about.query.is_empty() {
        "every issue".to_owned()
    } else {
        format!("query    {}", view.about.query)
    }];
    facts.push(format!("columns  {}", columns_in_words(&view.about.columns)));
    let limit = match (view.about.limit, view.oldest) {
        (None, _) => "none: e sets from when on somebody waits too long".to_owned(),
        (limit, None) => format!("{}; nobody waits on us", limit_in_words(limit)),
        (limit, Some(since)) => {
            format!("{}; the longest waits {}", limit_in_words(limit), when::age(app.now, since))
        }
    };
    facts.push(format!("limit    {limit}"));
    facts.push(format!("unread   {}", view.unread.map_or("none".to_owned(), |unread| unread.to_string())));
    facts
}
