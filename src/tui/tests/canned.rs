//! Canned replies from the keyboard.

use super::Screen;
use crate::domain::{CannedView, FilledCanned, KeptFor, Request, Runs, Upload};

pub fn known() -> Vec<CannedView> {
    let canned = |scope, name: &str, text: &str, word: &str| CannedView {
        scope,
        name: name.into(),
        text: text.into(),
        keywords: vec![word.into()],
        files: vec![],
        runs: None,
    };
    vec![
        canned(KeptFor::Mine, "thanks", "Thank you, %{REQUESTER_FIRST_NAME}.", "hello"),
        canned(KeptFor::Project("acme/support".into()), "reset", "Here is how to reset it:", "password"),
        canned(KeptFor::Desk, "call", "May we call you, %{REQUESTER_NAME}?", "phone"),
        CannedView {
            runs: Some(Runs { key: Some("f".into()), reply: Some("thanks".into()), internal: false }),
            ..canned(KeptFor::Desk, "refund", "/label ~refund\n/close", "")
        },
    ]
}

pub fn filled(name: &str) -> FilledCanned {
    match name {
        "call" => FilledCanned {
            text: "May we call you, %{REQUESTER_NAME}?".into(),
            missing: vec!["REQUESTER_NAME".into()],
            files: vec![],
        },
        "thanks" => FilledCanned { text: "Thank you, Ada.\n".into(), missing: vec![], files: vec![] },
        _ => FilledCanned {
            text: "Here is how to reset it:".into(),
            missing: vec![],
            files: vec![Upload { name: "guide.pdf".into(), bytes: vec![0; 5000] }],
        },
    }
}

#[test]
fn a_canned_reply_begins_a_reply_and_is_inserted_into_one() {
    let mut screen = Screen::new(80, 24);
    screen.keys("t");
    insta::assert_snapshot!("canned", screen.text());
    screen.keys("hello<enter>");
    assert!(
        screen.text().contains("MAILED TO") && screen.text().contains("Thank you, Ada."),
        "{}",
        screen.text()
    );
    screen.keys(" And: <ctrl-t>password<enter>");
    assert!(screen.text().contains("Thank you, Ada. And: Here is how to reset it:"), "{}", screen.text());
    assert!(screen.text().contains("guide.pdf 5 kB"), "{}", screen.text());
    screen.keys("<ctrl-s>");
    let sent = screen
        .asked
        .iter()
        .any(|asked| matches!(asked, Request::AddNote(note) if note.text.starts_with("Thank you, Ada. And") && note.attach[0].name == "guide.pdf"));
    assert!(sent, "{:?}", screen.asked);
}

#[test]
fn what_is_not_filled_is_said_and_stops_the_send() {
    let mut screen = Screen::new(80, 24);
    screen.keys("tcall<enter>");
    assert!(screen.text().contains("fill %{REQUESTER_NAME}"), "{}", screen.text());
    screen.keys("<ctrl-s>");
    assert!(screen.text().contains("not sent: %{REQUESTER_NAME}"), "{}", screen.text());
    assert!(!screen.asked.iter().any(|asked| matches!(asked, Request::AddNote(_))));
}
