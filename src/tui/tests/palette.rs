//! The palette: what it finds, what it says of what cannot be done, and the keys that it teaches.

use super::Screen;
use crate::domain::{Edit, Request};
use crate::tui::input::Effect;
use insta::assert_snapshot;

#[test]
fn everything_is_found_by_a_few_letters_with_its_key() {
    assert_snapshot!("palette_all", Screen::new(120, 40).keys(":").text());
    for (typed, found) in [
        ("snz", "s       snooze"),
        ("waitus", "2       Waiting on us"),
        ("acmesup", "acme/support"),
        ("samfox", "Sam Fox"),
        ("lovela", "Ada Lovelace"),
        ("thks", "canned reply: hello"),
        ("rechn", "#127 Rechnung fehlt"),
    ] {
        let mut screen = Screen::new(80, 24);
        let text = screen.keys(":").keys(typed).text();
        let first = text.lines().skip_while(|l| !l.starts_with(" / ")).nth(1).unwrap_or_default();
        assert!(first.contains(found), "{typed}: {text}");
    }
}

#[test]
fn what_is_chosen_is_done_whatever_kind_it_is() {
    let mut screen = Screen::new(80, 24);
    screen.keys(":rechn<enter>");
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 127);
    screen.keys("q:samfox<enter>");
    assert_eq!(screen.app.list.query, "assignee:sam is:open");
    screen.keys(":waitus<enter>");
    assert_eq!(screen.app.list.view, Some(1));
    screen.keys(":lovela<enter>");
    assert_eq!(screen.app.list.query, "from:ada@example.com sort:updated-desc");
}

#[test]
fn the_desk_is_asked_for_issues_by_their_text() {
    let mut screen = Screen::new(80, 24);
    screen.keys(":").forget().keys("to");
    assert!(screen.asked.is_empty(), "{:?}", screen.asked);
    screen.keys("ken");
    let asked = screen.asked.iter().filter(|r| matches!(r, Request::Issues(q) if q.query == "token"));
    assert_eq!(asked.count(), 1);
    assert!(screen.text().contains("#117 Token expires"), "{}", screen.text());
    screen.keys("<enter>");
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 117);
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut screen = Screen::new(80, 24);
    let text = screen.keys(":reopen").text();
    assert!(text.contains("it is open already"), "{text}");
    screen.keys("<enter>");
    assert!(!screen.asked.iter().any(|r| matches!(r, Request::Edit { .. })));
    assert!(screen.text().contains("it is open already"), "{}", screen.text());
    let text = screen.keys(":send later").text();
    assert!(text.contains("not here: while writing"), "{text}");
    screen.keys("<esc>4:close<enter>");
    assert!(screen.text().contains("no issue is selected"), "{}", screen.text());
}

#[test]
fn the_third_use_of_an_entry_tells_its_key_and_the_count_is_kept() {
    let mut screen = Screen::new(80, 24);
    for uses in 1..=3 {
        screen.keys(":take<enter>");
        assert_eq!(screen.text().contains("i does this: take"), uses == 3, "{uses}: {}", screen.text());
    }
    let kept = screen.wanted.iter().rev().find_map(|effect| match effect {
        Effect::KeepUses(uses) => uses.get("take").copied(),
        _ => None,
    });
    assert_eq!(kept, Some(3));
    screen.wait(13_000);
    assert!(!screen.text().contains("does this"), "{}", screen.text());
}

#[test]
fn the_keys_of_a_place_can_be_searched_and_run() {
    let mut screen = Screen::new(80, 24);
    screen.keys("?snooz<enter>");
    assert!(screen.text().contains("Snooze until"), "{}", screen.text());
    screen.keys("<esc><enter>?x<enter>");
    let closed = |r: &Request| matches!(r, Request::Edit { edits, .. } if *edits == [Edit::Close]);
    assert!(screen.asked.iter().any(closed));
}
