//! The life of an issue by keys: linked, moved, its status.

use super::Screen;
use crate::domain::{Edit, LinkKind, LinkView, Request, State, Status};

fn edits(screen: &Screen) -> Vec<Edit> {
    let found = screen.asked.iter().filter_map(|request| match request {
        Request::Edit { edits, .. } => Some(edits.clone()),
        _ => None,
    });
    found.flatten().collect()
}

#[test]
fn a_link_is_typed_and_one_that_stands_is_taken_away() {
    let mut screen = Screen::new(80, 24);
    screen.keys("=#7<enter>");
    assert_eq!(edits(&screen), [Edit::Link("#7".parse().unwrap())]);
    screen.keys("<enter>");
    let link = LinkView {
        kind: LinkKind::RelatesTo,
        reference: "acme/support#7".into(),
        title: "Slow".into(),
        state: State::Open,
    };
    screen.app.thread.as_mut().unwrap().view.links.push(link);
    screen.keys("=<enter>");
    assert_eq!(edits(&screen).last(), Some(&Edit::Unlink("acme/support#7".parse().unwrap())));
    screen.keys("=nonsense<enter>");
    assert!(screen.text().contains("is not a reference"), "{}", screen.text());
}

#[test]
fn an_issue_moves_to_a_project_that_is_chosen_and_gets_a_status() {
    let mut screen = Screen::new(80, 24);
    screen.keys("gm");
    assert!(screen.text().contains("there is no other project"), "{}", screen.text());
    let mut other = screen.desk.projects[0].clone();
    other.path = "acme/office".into();
    screen.app.projects = Some(vec![screen.desk.projects[0].clone(), other]);
    screen.keys("gm<enter>gtpend<enter>");
    assert_eq!(edits(&screen), [Edit::MoveTo("acme/office".into()), Edit::Status(Status::Pending)]);
}

#[test]
fn the_note_in_front_is_split_out_under_a_title_that_is_asked() {
    let mut screen = Screen::new(80, 24);
    screen.keys("<enter>M: the printer<enter>");
    let split = screen.asked.iter().find_map(|request| match request {
        Request::Split(split) => Some(split.clone()),
        _ => None,
    });
    let split = split.unwrap();
    let thread = screen.app.thread.as_ref().unwrap();
    assert_eq!(split.title.unwrap(), format!("{}: the printer", thread.view.row.title));
    assert_eq!(split.notes, [thread.current().unwrap().id]);
}
