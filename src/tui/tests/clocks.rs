//! Clocks on the screen, and the next best issue.

use super::desk::{FakeDesk, ago};
use super::{Screen, now};
use crate::domain::{ClockKind, IssueClock, Party, State};
use crate::tui::input::Input;
use crate::tui::setup::Options;
use insta::assert_snapshot;
use jiff::SignedDuration;

fn clock(kind: ClockKind, hours: i64) -> IssueClock {
    IssueClock {
        name: "all".into(),
        kind,
        due_at: Some(ago(-hours)),
        warn_at: Some(ago(1 - hours)),
        paused: false,
        left: None,
        breached: hours < 0,
    }
}

/// A clock whose end is far.
pub fn far() -> IssueClock {
    clock(ClockKind::First, 26)
}

/// A desk in which one clock is far from its end, one near, one over, and one stands.
fn desk() -> FakeDesk {
    let mut desk = FakeDesk::filled();
    let clocks = [
        Some(clock(ClockKind::Next, 1)),
        Some(clock(ClockKind::First, -3)),
        Some(clock(ClockKind::First, 26)),
        Some(IssueClock {
            due_at: None,
            warn_at: None,
            paused: true,
            left: Some(60),
            ..clock(ClockKind::Resolve, 1)
        }),
    ];
    for (issue, clock) in desk.issues.iter_mut().zip(clocks) {
        issue.row.clock = clock;
    }
    desk
}

#[test]
fn a_clock_has_a_column_in_the_list_and_a_word_in_the_thread() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut screen = Screen::with(width, height, desk(), Options::default());
        assert_snapshot!(format!("clocks_list_{width}"), screen.keys("3").text());
        assert_snapshot!(format!("clocks_thread_{width}"), screen.keys("<enter>").text());
    }
}

#[test]
fn the_next_best_issue_is_opened_and_what_is_left_is_said() {
    let mut screen = Screen::with(80, 24, desk(), Options::default());
    let first = screen.desk.issues.iter().map(|issue| issue.row.clone()).find(|row| {
        row.state == State::Open
            && row.waiting_on == Some(Party::Us)
            && row.snoozed_until.is_none()
            && !row.spam
    });
    let first = first.unwrap();
    screen.keys("N");
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, first.iid);
    assert!(screen.text().contains(&format!("#{} is next", first.iid)), "{}", screen.text());
    assert!(screen.text().contains("wait on you"), "{}", screen.text());
    screen.keys("N");
    assert_ne!(screen.app.thread.as_ref().unwrap().view.row.iid, first.iid, "another one than that in front");
    screen.desk.issues.iter_mut().for_each(|issue| issue.row.waiting_on = Some(Party::Them));
    screen.keys("N");
    assert!(screen.text().contains("nothing waits on you"), "{}", screen.text());
}

#[test]
fn a_clock_of_ones_own_that_comes_near_is_told() {
    let mut screen = Screen::with(80, 24, desk(), Options::default());
    let row = &mut screen.desk.issues[2].row;
    row.assignee = Some("alice".into());
    let (iid, due) = (row.iid, row.clock.as_ref().unwrap().due_at.unwrap());
    screen.keys("3");
    screen.input(Input::Tick(now().checked_add(SignedDuration::from_hours(2)).unwrap()));
    assert!(!screen.text().contains("first answer"), "{}", screen.text());
    screen.input(Input::Tick(due.checked_sub(SignedDuration::from_mins(50)).unwrap()));
    let words = format!("#{iid} first answer 50m left");
    assert!(screen.text().contains(&words), "{words}\n{}", screen.text());
}
