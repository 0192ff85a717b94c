//! Similar issues, and the answers given then.

use super::Screen;
use super::desk::{note, row, sam, view};
use crate::domain::{Author, NoteKind, Request, State};

#[test]
fn similar_issues_are_offered_with_what_was_answered_then() {
    let mut screen = Screen::new(80, 24);
    let author = Author::outside(None, super::desk::email("old@example.org"));
    let mut old = row(90, "After the update I cannot log in", author.clone(), 900);
    old.state = State::Closed;
    let notes = vec![
        note(900, NoteKind::Incoming, author.clone(), 905, "It fails."),
        note(901, NoteKind::Internal, sam(), 904, "not for customers"),
        note(902, NoteKind::Reply, sam(), 903, "Please **delete** the cookie."),
    ];
    screen.desk.issues.push(view(old, notes));
    screen.desk.issues.push(view(row(91, "Update of our address", author, 10), Vec::new()));
    let text = screen.keys("g=").text();
    let asked = screen
        .asked
        .iter()
        .any(|r| matches!(r, Request::Issues(q) if q.query == "title:cannot,since,update"));
    assert!(asked, "{:?}", screen.asked.last());
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("from old@example.org")).collect();
    assert!(lines[0].contains("#90 After the update") && lines[0].contains("closed"), "{text}");
    assert!(lines[1].contains("#91"), "{text}");
    let text = screen.keys("<enter>").text();
    assert!(text.contains("Answers in #90") && text.contains("Please delete the cookie."), "{text}");
    assert!(!text.contains("not for customers") && !text.contains("It fails"), "{text}");
}
