//! Canned replies from the keyboard.

use super::Screen;
use crate::domain::{CannedView, FilledCanned, KeptFor, Request, Runs, Upload};
use crate::tui::input::{Effect, Input};

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

#[test]
fn canned_replies_are_written_renamed_and_removed_on_their_screen() {
    let mut screen = Screen::new(80, 24);
    screen.keys("gC");
    let first = screen.app.texts.rows[0].clone();
    screen.keys("<enter>");
    let wanted = Effect::Editor { text: first.text.clone(), name: "canned".into() };
    assert!(screen.wanted.contains(&wanted), "{:?}", screen.wanted);
    let saved = |screen: &Screen| match screen.asked.iter().rev().find(|r| r.is_change()) {
        Some(Request::SaveCanned { scope, name, settings, new, .. }) => {
            Some((scope.clone(), name.clone(), settings.clone(), *new))
        }
        _ => None,
    };
    let setting = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    screen.input(Input::Edited(Ok(first.text.clone() + "\n")));
    assert_eq!(saved(&screen), None, "nothing was changed");
    screen.keys("<enter>").input(Input::Edited(Ok("Better words.\n".into())));
    let expected = (first.scope.clone(), first.name.clone(), setting("text", "Better words."), false);
    assert_eq!(saved(&screen), Some(expected));
    assert!(screen.text().contains("z takes it back"), "{}", screen.text());
    screen.keys("e<enter>").keys("<backspace>X<enter>");
    let name = &first.name;
    let renamed = format!("{}X", &name[..name.len() - 1]);
    assert_eq!(saved(&screen), Some((first.scope.clone(), name.clone(), setting("name", &renamed), false)));
    screen.keys("agreeting<enter>").input(Input::Edited(Ok("Hello,".into())));
    let expected = (KeptFor::Mine, "greeting".into(), setting("text", "Hello,"), true);
    assert_eq!(saved(&screen), Some(expected));
    screen.keys("x<down><enter>");
    let removed = Request::RemoveCanned { scope: first.scope, name: first.name };
    assert!(screen.asked.contains(&removed), "{:?}", screen.asked.last());
    screen.keys("q");
    assert!(screen.text().contains("WAITS"), "{}", screen.text());
}
