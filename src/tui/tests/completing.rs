//! Names behind quick actions are completed from what the desk tells.

use super::Screen;
use super::desk::FakeDesk;
use crate::domain::{CategoryKind, Request};
use crate::tui::setup::Options;
use insta::assert_snapshot;

fn body(screen: &Screen) -> String {
    screen.app.composer.as_ref().unwrap().body.value()
}

#[test]
fn members_labels_issues_and_milestones_are_offered_behind_their_marks() {
    for (name, keys) in [
        ("names_members", "c/assign @"),
        ("names_labels", "c/label ~bug ~b"),
        ("names_issues", "c/merge #1"),
        ("names_issues_by_word", "c/link #rechnung"),
        ("names_milestones", "c/milestone %"),
    ] {
        assert_snapshot!(name, Screen::new(80, 24).keys(keys).text());
    }
}

#[test]
fn tab_puts_the_first_name_in_place_of_what_was_typed() {
    for (typed, expected) in [
        ("/assign @gra", "/assign @grace"),
        ("/label ~bug ~BIL", "/label ~bug ~billing"),
        ("/unlabel ~ill", "/unlabel ~billing"),
        ("/merge #11", "/merge #119"),
        ("/link #rechnung", "/link #127"),
        ("/milestone %1", "/milestone %1.0"),
    ] {
        let mut screen = Screen::new(80, 24);
        screen.keys(&format!("cSee below.<enter>{typed}<tab>"));
        assert_eq!(body(&screen), format!("See below.\n{expected}"), "{typed}");
        assert!(screen.text().contains("on sending: "), "{}", screen.text());
    }
}

#[test]
fn tab_behind_what_no_name_begins_like_stays_in_the_text() {
    let mut screen = Screen::new(80, 24);
    screen.keys("c/assign @nobody<tab>");
    assert_eq!(body(&screen), "/assign @nobody");
    assert!(screen.app.composer.as_ref().unwrap().focused, "the next letter would be a command");
    assert!(screen.text().contains("nothing completes this"), "{}", screen.text());
    screen.keys("<enter>@al<tab>");
    assert_eq!(body(&screen), "/assign @nobody\n@al");
    assert!(!screen.text().contains("Tab @"), "only quick actions take names: {}", screen.text());
}

#[test]
fn the_desk_is_asked_once_for_each_kind_and_for_the_project_of_the_issue() {
    let mut screen = Screen::new(80, 24);
    screen.keys("c/label ~b<backspace>bi<enter>/label ~x<enter>/assign @a");
    let asked: Vec<&Request> = screen
        .asked
        .iter()
        .filter(|asked| matches!(asked, Request::Categories { .. } | Request::Members(_)))
        .collect();
    let labels = Request::Categories { kind: CategoryKind::Label, project: Some("acme/support".into()) };
    assert_eq!(asked, [&labels, &Request::Members("acme/support".into())]);
}

#[test]
fn what_the_desk_does_not_tell_is_not_offered_and_no_error_is_shown() {
    let mut desk = FakeDesk::filled();
    desk.shy = true;
    let mut screen = Screen::with(80, 24, desk, Options::default());
    screen.keys("c/assign @");
    assert!(!screen.text().contains("Tab @"), "{}", screen.text());
    assert!(screen.app.notice.is_none());
}
