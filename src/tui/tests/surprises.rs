//! What surprised people who met the screens for the first time.

use super::Screen;
use crate::domain::*;

/// Gives the changes of issues that were asked for.
fn changes(screen: &Screen) -> usize {
    screen.asked.iter().filter(|r| matches!(r, Request::Edit { .. } | Request::MarkRead { .. })).count()
}

#[test]
fn a_query_that_is_wrong_leaves_nothing_selected() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut screen = Screen::new(width, height);
        screen.keys("3j/ foo:bar<enter>").forget();
        assert_eq!(screen.app.list.current(), None);
        assert!(screen.app.preview.is_none());
        let text = screen.text();
        assert!(!text.contains("1 of") && !text.contains("Rechnung"), "{text}");
        screen.keys("x<enter><space>v<space>xr");
        assert_eq!(changes(&screen), 0, "{:?}", screen.asked);
        assert!(screen.app.on_list() && screen.app.list.marks.is_empty() && screen.app.composer.is_none());
        screen.keys("3j");
        assert_eq!(screen.app.list.current().unwrap().iid, 127, "a query that is right finds its rows again");
    }
}

#[test]
fn an_answer_that_comes_after_the_list_is_empty_brings_no_preview() {
    let mut screen = Screen::new(120, 40);
    screen.stalled = true;
    screen.keys("3j/ foo:bar<enter>");
    screen.stalled = false;
    screen.answer();
    assert!(screen.app.preview.is_none());
}
