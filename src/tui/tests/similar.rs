//! Similar issues, and the answers given then.

use super::Screen;
use super::desk::{note, row, sam, view};
use crate::domain::{Author, GivenAnswer, NoteKind, SimilarIssue, State};

fn screen() -> Screen {
    let mut screen = Screen::new(80, 24);
    let author = Author::outside(None, super::desk::email("old@example.org"));
    let mut old = row(90, "Login fails", author.clone(), 900);
    old.state = State::Closed;
    let notes = vec![
        note(900, NoteKind::Incoming, author.clone(), 905, "It fails."),
        note(901, NoteKind::Internal, sam(), 904, "not for customers"),
        note(902, NoteKind::Reply, sam(), 903, "Please **delete** the cookie.\nThen log in."),
        note(903, NoteKind::Reply, sam(), 902, "You are welcome."),
    ];
    let other = row(91, "Update of our address", author, 10);
    let answer =
        GivenAnswer { note: notes[2].id, by: "Sam".into(), at: notes[2].created_at, text: String::new() };
    let similar = |row, share, answer| {
        let words = vec!["token".to_owned(), "login".to_owned()];
        SimilarIssue { row, share, words, answer }
    };
    screen.desk.similar = vec![similar(old.clone(), 71, Some(answer)), similar(other.clone(), 20, None)];
    screen.desk.issues.push(view(old, notes));
    screen.desk.issues.push(view(other, Vec::new()));
    screen
}

#[test]
fn similar_issues_are_offered_with_what_was_answered_then() {
    let mut screen = screen();
    let text = screen.keys("g=").text();
    let line = |words: &str| text.lines().position(|line| line.contains(words)).expect(&text);
    assert!(line("#90 Login fails") < line("#91 Update"), "{text}");
    assert!(text.contains("71% closed") && text.contains("answered by Sam"), "{text}");
    assert!(text.contains("20% open") && text.contains("no answer"), "{text}");
    let text = screen.keys("<enter>").text();
    assert!(text.contains("Answers in #90"), "{text}");
    let line = |words: &str| text.lines().position(|line| line.contains(words)).expect(&text);
    assert!(line("Please delete the cookie.") < line("You are welcome."), "{text}");
    assert!(!text.contains("not for customers") && !text.contains("It fails"), "{text}");
    screen.desk.similar.clear();
    let text = screen.keys("<esc>g=").text();
    assert!(text.contains("nothing like this was written before"), "{text}");
}

#[test]
fn the_first_answer_is_taken_into_a_reply_as_it_is_or_quoted() {
    let mut screen = screen();
    screen.keys("<enter>g=<enter>r");
    let body = screen.app.composer.as_ref().unwrap().body.value();
    assert_eq!(body, "Please **delete** the cookie.\nThen log in.");
    let mut screen = self::screen();
    screen.keys("<enter>g=<enter>>");
    let body = screen.app.composer.as_ref().unwrap().body.value();
    assert_eq!(body, "> Please **delete** the cookie.\n> Then log in.\n\n");
    // Where nobody answered there is nothing to take.
    let mut screen = self::screen();
    screen.keys("<enter>g=#91<enter>");
    assert!(screen.text().contains("nobody answered there"), "{}", screen.text());
    screen.keys("r");
    assert!(screen.app.composer.is_none());
}
