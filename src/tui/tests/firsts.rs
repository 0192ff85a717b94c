//! What somebody meets who is here for the first time: where the cursor is, what is cut, what stays on the screen.

use super::desk::{FakeDesk, ada, email, note, row};
use super::{Options, Screen};
use crate::domain::*;
use crate::tui::input::Input;

fn small(desk: FakeDesk) -> Screen {
    Screen::with(80, 24, desk, Options { no_color: true, ..Options::default() })
}

fn front(screen: &Screen) -> u64 {
    screen.app.list.current().unwrap().iid
}

#[test]
fn after_an_undo_the_cursor_is_on_the_issue_that_was_taken_back() {
    let mut screen = small(FakeDesk::filled());
    screen.desk.undone = vec![IssueId(1000 + 121), IssueId(1000 + 119)];
    screen.keys("3z");
    assert_eq!(front(&screen), 121);
    screen.keys("gg").event(Event::Status).keys("j");
    assert_eq!(front(&screen), 127, "once only");
    screen.desk.undone = vec![IssueId(4)];
    screen.keys("z");
    assert_eq!(front(&screen), 127, "what the list does not show moves nothing");
    screen.desk.undone = vec![IssueId(1000 + 119)];
    screen.keys("<enter>z");
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 127, "who reads is left in peace");
}

#[test]
fn one_number_in_two_projects_stands_with_the_name_of_each() {
    for width in [80, 120] {
        let mut screen = Screen::new(width, 24);
        screen.keys("3");
        let text = screen.text();
        assert!(!text.contains("support#128") || width == 120, "{text}");
        let mut other = row(128, "A second desk", ada(), 3);
        (other.id, other.project, other.reference) =
            (IssueId(7), "acme/office".into(), "acme/office#128".into());
        screen.desk.issues.push(super::desk::view(other, vec![]));
        let text = screen.event(Event::Issues { seq: Seq(2), issues: vec![] }).text();
        let lines: Vec<&str> = text.lines().collect();
        for name in ["support#128  ", "office#128  A second desk", "support#121  "] {
            assert!(lines.iter().any(|line| line.contains(name)), "{name}\n{text}");
        }
        if width == 80 {
            insta::assert_snapshot!("one_number_twice_80x24", text);
        }
        // Where the last part is the same as well, the path says more.
        for issue in &mut screen.desk.issues {
            issue.row.project = issue.row.project.replace("acme/office", "zeta/support");
        }
        let text = screen.event(Event::Issues { seq: Seq(3), issues: vec![] }).text();
        assert!(text.contains("acme/support#128") && text.contains("zeta/support#128"), "{text}");
    }
}

#[test]
fn however_long_a_name_is_what_is_new_shows_and_what_is_internal_says_so() {
    let mut desk = FakeDesk::filled();
    let long = "Bartholomew Featherstonehaugh-Cholmondeley of the Northern Office";
    let outside = Author::outside(Some(long.into()), email("bartholomew.featherstonehaugh@northern.example"));
    let inside =
        Author { name: Some(format!("{long} and of the South")), email: None, user: Some("sam".into()) };
    let mut incoming = note(901, NoteKind::Incoming, outside, 1, "Hello");
    incoming.auth = Some("dmarc pass".into());
    let internal = note(902, NoteKind::Internal, inside, 1, "for us");
    let issue = &mut desk.issues[0];
    issue.row.unread = 2;
    issue.notes = vec![incoming, internal];
    issue.notes.iter_mut().for_each(|note| note.unread = true);
    let mut screen = small(desk);
    let text = screen.keys("3<enter>gg").text();
    let heads: Vec<&str> = text.lines().filter(|line| line.contains("Bartholomew")).collect();
    assert_eq!(heads.len(), 2, "{text}");
    assert!(heads.iter().all(|head| head.contains("● new") && head.contains('…')), "{text}");
    assert!(heads[1].contains("INTERNAL, NOT MAILED"), "{text}");
}

#[test]
fn every_word_of_the_help_is_read_at_80_columns() {
    let mut screen = small(FakeDesk::filled());
    screen.keys("3?");
    let mut seen = String::new();
    for _ in 0..120 {
        let text = screen.text();
        assert_eq!(text.lines().filter(|line| line.ends_with('…')).count(), 0, "{text}");
        let body = text.lines().skip(2).map(str::trim).collect::<Vec<_>>().join(" ");
        seen.push_str(&body.split_whitespace().collect::<Vec<_>>().join(" "));
        screen.keys("<down>");
    }
    for words in ["it to somebody with a note for them, in", "one step", "Esc leaves them"] {
        assert!(seen.contains(words), "{words}\n{seen}");
    }
}

#[test]
fn a_view_has_one_name_which_is_only_cut_where_there_is_little_room() {
    let text = small(FakeDesk::filled()).text();
    let tabs = text.lines().next().unwrap();
    assert!(tabs.contains("2 Waiting…") && tabs.contains("3 All open"), "{tabs}");
    assert!(!tabs.contains("Later"), "{tabs}");
}

#[test]
fn what_was_said_goes_with_the_next_key_and_what_went_wrong_once_it_was_seen() {
    let mut screen = small(FakeDesk::filled());
    screen.app.say("all is well");
    screen.keys("g");
    assert!(screen.app.notice.is_some(), "the beginning of a sequence does nothing yet");
    assert!(!screen.keys("g").text().contains("all is well"));
    screen.app.complain("all is lost");
    assert!(screen.keys("jk").text().contains("all is lost"), "it was not to be seen yet");
    assert!(screen.wait(60_000).text().contains("all is lost"), "it waits for somebody");
    assert!(!screen.keys("j").text().contains("all is lost"));
    screen.app.say("all is well");
    assert!(screen.wait(11_000).text().contains("all is well"));
    assert!(!screen.wait(1_500).text().contains("all is well"));
}

#[test]
fn an_editor_that_fails_gives_the_name_back_that_was_typed() {
    let mut screen = small(FakeDesk::filled());
    screen.keys("gCarefund later<enter>").input(Input::Edited(Err("vi: not found".into())));
    let text = screen.text();
    assert!(text.contains("Name of the new canned reply") && text.contains("refund later"), "{text}");
    assert!(text.contains("vi: not found"), "{text}");
    screen.keys("<enter>").input(Input::Edited(Ok("We refund.".into())));
    let kept = |r: &Request| matches!(r, Request::SaveCanned { name, .. } if name == "refund later");
    assert!(screen.asked.iter().any(kept), "{:?}", screen.asked);
}

#[test]
fn an_empty_screen_names_only_keys_that_do_something() {
    let mut screen = small(FakeDesk::filled());
    screen.keys("gC");
    let foot = |screen: &Screen| screen.text().lines().last().unwrap().to_owned();
    assert!(foot(&screen).contains("x remove"), "{}", foot(&screen));
    screen.app.texts.rows.clear();
    assert_eq!(foot(&screen), " a add  q back  ? help");
}

#[test]
fn the_screen_of_views_names_sharing_at_80_columns() {
    let mut screen = small(FakeDesk::filled());
    screen.keys("gv");
    let text = screen.text();
    let foot = text.lines().last().unwrap();
    for key in ["Enter show", "a add", "s share", "x remove", "q back", "? help"] {
        assert!(foot.contains(key), "{key}: {foot}");
    }
}

#[test]
fn a_text_that_is_read_is_renewed_when_its_issue_changes_and_goes_when_it_is_gone() {
    let mut screen = small(FakeDesk::filled());
    screen.keys("3<enter>H").forget();
    let history = |screen: &Screen| screen.asked.iter().filter(|r| matches!(r, Request::History(_))).count();
    screen.event(Event::Issues { seq: Seq(2), issues: vec![IssueId(5)] });
    assert_eq!(history(&screen), 0, "another issue");
    let change = Event::Issues { seq: Seq(3), issues: vec![IssueId(1128)] };
    screen.event(change.clone());
    assert_eq!(history(&screen), 1);
    assert!(screen.app.overlay.is_some());
    // Whoever puts it away before the answer comes does not get it back.
    screen.stalled = true;
    screen.event(change.clone()).keys("q");
    screen.stalled = false;
    screen.answer();
    assert!(screen.app.overlay.is_none());
    screen.keys("H");
    screen.desk.issues.retain(|issue| issue.row.iid != 128);
    screen.desk.gone = true;
    screen.event(change);
    assert!(screen.app.overlay.is_none(), "{}", screen.text());
}

#[test]
fn the_canned_replies_are_asked_for_anew_when_the_desk_tells_of_a_change() {
    let mut screen = small(FakeDesk::filled());
    screen.keys("gC").forget();
    let asked = |screen: &Screen| screen.asked.iter().filter(|r| matches!(r, Request::Canned { .. })).count();
    screen.event(Event::Issues { seq: Seq(2), issues: vec![] });
    assert_eq!(asked(&screen), 1);
}

#[test]
fn what_the_preview_shows_is_opened_without_asking_for_it_again() {
    let looks = |s: &Screen| s.asked.iter().filter(|r| matches!(r, Request::Issue(_))).count();
    let mut screen = Screen::new(120, 40);
    screen.keys("3jj").forget();
    let shown = screen.app.preview.as_ref().unwrap().view.row.iid;
    screen.keys("<enter>");
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, shown);
    assert_eq!(looks(&screen), 0);
    // What is being asked for anew is not what it shows.
    screen.keys("qj").forget().stalled = true;
    let id = screen.app.preview.as_ref().unwrap().view.row.id;
    screen.event(Event::Issues { seq: Seq(3), issues: vec![id] });
    screen.keys("<enter>").stalled = false;
    screen.answer();
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.id, id);
    assert_eq!(looks(&screen), 2);
    // Nor is what was missed.
    screen.keys("q").forget().stalled = true;
    screen.event(Event::Missed);
    screen.keys("<enter>").stalled = false;
    screen.answer();
    assert!(looks(&screen) >= 1);
}
