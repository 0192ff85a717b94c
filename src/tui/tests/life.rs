//! The life of an issue by keys: linked, moved, its status.

use super::Screen;
use crate::domain::{
    CategoryAbout, CategoryKind, CategoryView, Edit, LinkKind, LinkView, Request, State, Status,
};

pub fn milestones() -> Vec<CategoryView> {
    let view = |name: &str, closed: bool| CategoryView {
        kind: CategoryKind::Milestone,
        project: "acme/support".into(),
        about: CategoryAbout {
            name: name.into(),
            due: "2026-12-24".parse().ok(),
            closed,
            ..Default::default()
        },
        recorded: true,
        issues: 8,
        closed_issues: 3,
    };
    vec![view("0.9", true), view("1.0", false)]
}

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

#[test]
fn an_issue_is_put_into_a_milestone_that_is_chosen_or_typed() {
    let mut screen = Screen::new(80, 24);
    screen.keys("ge");
    assert!(screen.text().contains("3 of 8 closed · due 2026-12-24"), "{}", screen.text());
    assert!(!screen.text().contains("0.9"), "what is over is not offered");
    screen.keys("1.0<enter>ge2.0<enter>");
    let into = |name: &str| Edit::Milestone(Some(name.into()));
    assert_eq!(edits(&screen), [into("1.0"), into("2.0")]);
}

#[test]
fn what_is_typed_for_a_due_date_a_weight_or_a_time_is_read_as_a_quick_action_is() {
    for (keys, expected) in [
        ("gw5<enter>", Edit::Weight(Some(5))),
        ("gw<enter>", Edit::Weight(None)),
        ("gE1h 30m<enter>", Edit::Estimate(Some(5400))),
        ("gS-30m<enter>", Edit::Spend(-1800)),
        ("gd<enter>", Edit::Due(None)),
        ("gczoe@example.com<enter>", Edit::ConvertToTicket("zoe@example.com".parse().unwrap())),
    ] {
        let mut screen = Screen::new(80, 24);
        screen.keys(keys);
        assert_eq!(edits(&screen), [expected], "{keys}");
    }
    let mut screen = Screen::new(80, 24);
    screen.keys("gwheavy<enter>");
    assert!(edits(&screen).is_empty());
    assert!(screen.text().contains("`/weight` cannot take `heavy`"), "{}", screen.text());
    screen.keys("<esc>gS<enter>");
    assert!(edits(&screen).is_empty(), "nothing was typed");
    screen.keys("<esc>gM");
    assert!(screen.asked.iter().any(|request| matches!(request, Request::Unmerge(_))));
}
