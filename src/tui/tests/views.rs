//! Views: the tabs, the screen on which they are kept, their columns and limits.

use super::desk::{FakeDesk, ago};
use super::{Options, Screen};
use crate::domain::*;
use insta::assert_snapshot;

impl FakeDesk {
    /// Gives the views with what they find.
    pub fn counted_views(&self) -> Vec<View> {
        let count = |query: &str| self.matching(query).ok().map(|rows| rows.len() as u64);
        let counted = |view: &View| View {
            count: count(&view.about.query),
            unread: count(&format!("{} is:unread", view.about.query)),
            oldest: view.about.limit.map(|_| ago(30)),
            ..view.clone()
        };
        self.views.iter().map(counted).collect()
    }

    /// Changes views as the real desk would, for the requests of the tests.
    pub fn change_views(&mut self, request: Request) -> Response {
        match request {
            Request::SaveView { kept, name, settings, .. } => {
                let at = self.views.iter().position(|view| view.about.name == name);
                let mut view = at.map_or_else(|| default_views().remove(2), |at| self.views[at].clone());
                view.from = ViewFrom::Kept(kept);
                view.about.name = name;
                view.about = changed_view(view.about, &settings).unwrap();
                match at {
                    Some(at) => self.views[at] = view,
                    None => self.views.push(view),
                }
            }
            Request::RemoveView(id) => self.views.retain(|view| view.id() != id),
            Request::ShareView { view, with } => {
                let at = self.views.iter().position(|known| known.id() == view).unwrap();
                self.views[at].from = ViewFrom::Kept(with);
            }
            Request::OrderView { view, position } => {
                let from = self.views.iter().position(|known| known.id() == view).unwrap();
                let moved = self.views.remove(from);
                self.views.insert(position as usize - 1, moved);
            }
            _ => {}
        }
        Response::Views(self.counted_views())
    }
}

#[test]
fn the_query_of_the_list_is_kept_as_a_view_and_chosen_by_its_number() {
    let mut screen = Screen::new(120, 40);
    screen.keys("/label:billing<enter>VBills<enter>");
    assert!(screen.text().contains("6 Bills"), "{}", screen.text());
    assert!(
        screen.asked.iter().any(|r| matches!(r, Request::SaveView { kept: KeptFor::Mine, new: true, .. }))
    );
    screen.keys("1");
    assert_eq!(screen.app.list.view, Some(0));
    screen.keys("6");
    assert_eq!(screen.app.list.query, "is:open waiting:us -is:snoozed sort:waiting label:billing");
    assert_eq!(screen.app.list.view, Some(5));
}

#[test]
fn a_view_of_ones_own_is_shared_with_a_project_and_taken_back_for_oneself() {
    let mut screen = Screen::new(120, 40);
    screen.keys("/label:billing<enter>VBills<enter>gv");
    let place = screen.app.list.views.iter().position(|view| view.about.name == "Bills").unwrap();
    screen.app.views.selected = place;
    screen.keys("sacme/support<enter>");
    let shared = |with: KeptFor| move |r: &Request| matches!(r, Request::ShareView { view, with: to } if view.name == "Bills" && *to == with);
    assert!(screen.asked.iter().any(shared(KeptFor::Project("acme/support".into()))), "{}", screen.text());
    assert!(screen.text().contains("acme/support has Bills; z takes it back"), "{}", screen.text());
    assert_eq!(screen.app.views.selected, place, "it stays in front");
    screen.keys("smine<enter>");
    assert!(screen.asked.iter().any(shared(KeptFor::Mine)), "{}", screen.text());
    screen.app.views.selected = 0;
    screen.keys("s");
    assert!(screen.text().contains("comes with the program"), "{}", screen.text());
}

#[test]
fn views_are_ordered_changed_and_removed_on_their_screen() {
    let mut screen = Screen::new(80, 24);
    screen.keys("gv");
    assert_snapshot!("views_80x24", screen.text());
    screen.keys("K");
    assert_eq!(screen.app.list.views[0].about.name, "Waiting on us");
    assert_eq!(screen.app.views.selected, 0, "it stays in front");
    screen.keys("e").keys("limit<enter>4h<enter>");
    assert!(screen.text().contains("late"), "{}", screen.text());
    screen.keys("x").keys("yes<enter>");
    assert!(screen.app.list.views.iter().all(|view| view.about.name != "Waiting on us"));
    screen.keys("aDue<enter>due:any sort:due<enter>");
    assert_eq!(screen.app.list.views.last().unwrap().about.query, "is:open due:any sort:due");
    assert_snapshot!("views_changed_80x24", screen.text());
}

#[test]
fn a_view_has_columns_of_its_own_and_says_when_somebody_waits_too_long() {
    let mut desk = FakeDesk::filled();
    let mut view = default_views().remove(2);
    view.from = ViewFrom::Kept(KeptFor::Desk);
    let settings = [("name", "Late ones"), ("columns", "priority,who,created,waits"), ("limit", "4h")];
    view.about =
        changed_view(view.about, &settings.map(|(key, value)| (key.to_owned(), value.to_owned()))).unwrap();
    desk.views.push(view);
    let mut screen = Screen::with(80, 24, desk, Options::default());
    screen.keys("6");
    assert_snapshot!("view_columns_80x24", screen.text());
    assert_eq!(screen.style_of(" late").fg, screen.app.theme.warning_strong.fg);
    screen.keys("3");
    assert!(screen.text().contains("FROM"), "the usual columns stand elsewhere");
}

#[test]
fn of_many_views_those_around_the_shown_one_stand_in_the_tabs() {
    let mut desk = FakeDesk::filled();
    for number in 0..12 {
        let mut view = default_views().remove(2);
        view.from = ViewFrom::Kept(KeptFor::Mine);
        view.about.name = format!("Project number {number}");
        view.about.query = format!("is:open project:p{number}");
        desk.views.push(view);
    }
    let mut screen = Screen::with(80, 24, desk, Options::default());
    let first = screen.text().lines().next().unwrap().to_owned();
    assert!(first.contains("2 Waiting") && first.contains('…'), "{first}");
    screen.keys("9");
    let first = screen.text().lines().next().unwrap().to_owned();
    assert!(
        first.contains("9 Project") && unicode_width::UnicodeWidthStr::width(first.as_str()) <= 80,
        "{first}"
    );
}

#[test]
fn what_is_counted_is_asked_when_something_changes_and_never_for_a_key() {
    let mut screen = Screen::new(120, 40);
    screen.forget();
    screen.keys("jjkk12v").wait(60_000);
    assert!(!screen.asked.contains(&Request::Views));
    screen.event(Event::Projects);
    assert!(screen.asked.contains(&Request::Views));
}
