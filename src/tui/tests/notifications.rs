//! One's own notifications, from keys to what is asked of the desk.

use super::Screen;
use crate::domain::{Request, StaffEvent, When, Wish};

fn set(screen: &Screen) -> Vec<(String, String)> {
    let asked = screen.asked.iter().filter_map(|request| match request {
        Request::SetUser { name, settings } if name == "alice" => Some(settings.clone()),
        _ => None,
    });
    asked.flatten().collect()
}

#[test]
fn what_is_told_is_listed_and_set_by_choosing_or_typing() {
    let mut screen = Screen::new(80, 24);
    screen.keys("gn");
    let text = screen.text();
    for shown in ["Own notifications", "a new issue", "an issue is given to you", "at_once", "Quiet hours"] {
        assert!(text.contains(shown), "{shown} in\n{text}");
    }
    screen.keys("new issue<enter>");
    assert!(screen.text().contains("one mail a day"), "{}", screen.text());
    screen.keys("digest<enter>");
    assert_eq!(set(&screen), [("notify.new_issue".to_owned(), "digest".to_owned())]);
    screen.forget().keys("gnquiet<enter>22:00-07:00<enter>");
    assert_eq!(set(&screen), [("quiet_hours".to_owned(), "22:00-07:00".to_owned())]);
}

#[test]
fn what_was_set_is_shown_as_it_is_now() {
    let mut screen = Screen::new(80, 24);
    let mut me = screen.app.me.clone().unwrap();
    me.notify.wishes.push(Wish { event: StaffEvent::Closed, project: None, when: When::Digest });
    me.notify.quiet_hours = Some("21-6".into());
    screen.app.own_changed(vec![me]);
    let text = screen.text();
    assert!(text.contains("saved") || text.contains("21-6"), "{text}");
    assert!(
        text.lines().any(|line| line.contains("an issue is closed") && line.contains("digest")),
        "{text}"
    );
}
