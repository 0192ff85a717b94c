//! Commands of one's own: on their keys, in the palette, with what they get and what is shown of them.

use super::Screen;
use super::desk::FakeDesk;
use crate::tui::commands::{End, Ran, Run};
use crate::tui::input::{Effect, Input};
use crate::tui::setup::{Options, OwnCommand, RunMode};
use std::time::Duration;

fn screen() -> Screen {
    let command = |keys: &str, name: &str, mode| OwnCommand {
        keys: keys.into(),
        name: name.into(),
        run: "look-up \"$DESKBELL_IID\"".into(),
        mode,
        timeout: Duration::from_secs(5),
        line: None,
    };
    let commands = vec![
        command("g b", "open in browser", RunMode::Background),
        command("L L", "look up", RunMode::Read),
        command("f9", "delete the account", RunMode::Confirm),
    ];
    Screen::with(80, 24, FakeDesk::filled(), Options { commands, ..Options::default() })
}

fn runs(screen: &Screen) -> Vec<Run> {
    let run = |effect: &Effect| match effect {
        Effect::Run(run) => Some((**run).clone()),
        _ => None,
    };
    screen.wanted.iter().filter_map(run).collect()
}

fn ran(output: &str, end: End) -> Input {
    Input::Ran(Ran { name: "look up".into(), shown: true, output: output.into(), end })
}

#[test]
fn a_command_gets_the_issue_as_json_and_no_word_of_a_mail_outside_of_it() {
    let mut screen = screen();
    screen.keys("LL");
    let run = runs(&screen).remove(0);
    assert_eq!(run.line, "look-up \"$DESKBELL_IID\"");
    let issue: serde_json::Value = serde_json::from_slice(&run.stdin).unwrap();
    assert_eq!((issue["ref"].as_str(), issue["iid"].as_u64()), (Some("acme/support#128"), Some(128)));
    assert_eq!(issue["notes"][0]["author"]["email"], "ada@example.com");
    let env: Vec<String> = run.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected = [
        "DESKBELL_USER=alice",
        "DESKBELL_REF=acme/support#128",
        "DESKBELL_PROJECT=acme/support",
        "DESKBELL_IID=128",
        "DESKBELL_STATE=open",
    ];
    assert_eq!(env, expected);
}

#[test]
fn its_output_is_shown_without_what_could_harm_the_terminal() {
    let mut screen = screen();
    screen.keys("<enter>LL");
    assert!(screen.text().contains("runs; Esc ends it"), "{}", screen.text());
    screen.input(ran(
        "account 7\n\x1b[2J\x1b]52;c;eA==\x07paid\u{202e}\n",
        End::Failed("exit status: 1".into()),
    ));
    let text = screen.text();
    assert!(text.contains("account 7") && text.contains("paid") && text.contains("exit status: 1"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    assert!(screen.wanted.contains(&Effect::Redraw));
}

#[test]
fn esc_ends_a_command_that_runs() {
    let mut screen = screen();
    screen.keys("LL<esc>");
    assert!(screen.wanted.contains(&Effect::StopRun));
    screen.input(ran("", End::Stopped));
    assert!(screen.text().contains("look up: ended"), "{}", screen.text());
}

#[test]
fn one_that_asks_first_runs_only_when_it_is_agreed_to() {
    let mut screen = screen();
    let f9 = crossterm::event::KeyEvent::from(crossterm::event::KeyCode::F(9));
    screen.input(Input::Key(f9)).keys("<enter>");
    assert!(runs(&screen).is_empty(), "the first answer is no");
    screen.input(Input::Key(f9)).keys("<down><enter>");
    assert_eq!(runs(&screen).len(), 1);
}

#[test]
fn they_stand_in_the_palette_and_in_the_hints_by_their_names() {
    let mut screen = screen();
    let text = screen.keys("g").text();
    assert!(text.contains("b open in browser") || text.contains("open in"), "{text}");
    screen.keys("<esc>:browser<enter>");
    let run = runs(&screen).remove(0);
    assert!(!run.shown);
    assert!(screen.text().contains("open in browser runs"), "{}", screen.text());
    assert!(screen.keys("?look").text().contains("L L"), "{}", screen.text());
}
