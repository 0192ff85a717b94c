//! What surprised people who met the screens for the first time.

use super::Screen;
use super::desk::ago;
use crate::domain::*;
use crate::tui::input::{FromDesk, Input};
use crate::tui::overlay::Overlay;
use crate::tui::setup::Options;

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

/// Opens the third issue of those that wait on us, answers it and asks for that to be taken back.
fn answered_and_taken_back(screen: &mut Screen) {
    screen.keys("jj<enter>rAt once.<ctrl-s>");
    assert_eq!(screen.app.list.current().unwrap().iid, 119, "what was answered left the list");
    screen.stalled = true;
    screen.keys("z");
    let at = screen.held.iter().position(|(_, request)| *request == Request::Undo).unwrap();
    let token = screen.held.remove(at).0;
    let issue = screen.desk.issues.iter_mut().find(|issue| issue.row.iid == 121).unwrap();
    issue.row.waiting_on = Some(Party::Us);
    issue.notes.pop();
    let (label, skipped, issues) = ("took back: reply to #121".into(), vec![], vec![issue.row.id]);
    let draft = Draft {
        user: "alice".into(),
        issue: Some(issue.row.id),
        project: None,
        kind: DraftKind::Reply,
        text: "At once.".into(),
        title: None,
        to: None,
        cc: vec![],
        files: vec![],
        kept: vec![],
        off: vec![],
        over: None,
        seen: None,
        saved_at: super::now(),
    };
    let undone = Response::Undone { label, skipped, draft: Some(draft), issues };
    screen.input(Input::Desk(FromDesk::Answer(token, Ok(undone))));
}

#[test]
fn an_answer_that_is_taken_back_in_its_thread_takes_the_cursor_along() {
    let mut screen = Screen::new(80, 24);
    answered_and_taken_back(&mut screen);
    // One types on before the list has come.
    screen.keys(" Now").stalled = false;
    screen.answer();
    screen.keys("<esc>q");
    assert!(screen.app.on_list());
    assert_eq!(screen.app.list.current().unwrap().iid, 121);
    screen.keys("r");
    assert_eq!(screen.app.composer.as_ref().unwrap().reference().unwrap().iid, 121);
}

#[test]
fn nothing_moves_the_cursor_once_somebody_goes_on_with_the_list() {
    let mut screen = Screen::new(80, 24);
    answered_and_taken_back(&mut screen);
    screen.keys("<esc>qj");
    let before = screen.app.list.current().unwrap().iid;
    screen.stalled = false;
    screen.answer();
    assert_eq!(screen.app.list.current().unwrap().iid, before);
}

fn sent(screen: &Screen) -> usize {
    screen.asked.iter().filter(|r| matches!(r, Request::AddNote(_) | Request::NewIssue(_))).count()
}

fn snoozed(screen: &Screen) -> Vec<u64> {
    let until = |edits: &[Edit]| matches!(edits, [Edit::Snooze(Some(_))]);
    let found = screen.asked.iter().filter_map(|request| match request {
        Request::Edit { references, edits } if until(edits) => references.first().map(|r| r.iid),
        _ => None,
    });
    found.collect()
}

#[test]
fn a_text_that_is_sent_and_snoozed_goes_out_once_the_moment_is_chosen() {
    let mut screen = Screen::new(80, 24);
    let text = screen.keys("rLater.<alt-s>").text();
    assert!(text.contains("Snooze until"), "{text}");
    let text = screen.keys("<esc>").text();
    assert!(text.contains("MAILED TO") && text.contains("Later."), "{text}");
    assert_eq!((sent(&screen), snoozed(&screen)), (0, vec![]));
    let text = screen.keys("<alt-s>never<enter>").text();
    assert!(text.contains("`never` is no moment to come") && text.contains("Snooze until"), "{text}");
    assert_eq!((sent(&screen), snoozed(&screen)), (0, vec![]));
    screen.keys("<esc><alt-s>2h<enter>");
    assert_eq!((sent(&screen), snoozed(&screen)), (1, vec![128]));
    assert!(screen.app.composer.is_none());
}

#[test]
fn a_new_issue_is_snoozed_as_well() {
    let mut screen = Screen::new(80, 24);
    screen.keys("C<enter>Renew the certificate<enter>Soon.").wait(1000).stalled = true;
    screen.keys("<alt-s>monday<enter>");
    let at = screen.held.iter().position(|(_, request)| matches!(request, Request::NewIssue(_))).unwrap();
    let (token, made) = (screen.held.remove(at).0, screen.desk.issues[1].clone());
    screen.input(Input::Desk(FromDesk::Answer(token, Ok(Response::Issue(Box::new(made))))));
    assert_eq!((sent(&screen), snoozed(&screen)), (1, vec![127]));
}

fn verb(seq: u64, at: jiff::Timestamp, label: &str) -> Verb {
    Verb {
        seq: Seq(seq),
        at,
        actor: Actor { user: "alice".into(), email: None, via: Via::Tui },
        request: None,
        deed: Deed { label: label.into(), undoable: true, ..Deed::default() },
        changes: vec![],
        undone_by: None,
    }
}

fn takes_back(screen: &Screen) -> Vec<&Request> {
    screen.asked.iter().filter(|r| matches!(r, Request::Undo | Request::UndoOne(_))).collect()
}

#[test]
fn what_is_older_than_the_screen_is_taken_back_only_after_a_yes() {
    let mut screen = Screen::new(80, 24);
    screen.desk.verbs = vec![verb(7, ago(3), "kept the canned reply looking")];
    let text = screen.keys("z").text();
    assert!(text.contains("kept the canned reply looking · 3h ago"), "{text}");
    assert!(takes_back(&screen).is_empty());
    screen.keys("<enter>z<esc>");
    assert!(takes_back(&screen).is_empty() && screen.app.overlay.is_none());
    screen.keys("z<down><enter>");
    assert_eq!(takes_back(&screen), [&Request::UndoOne(Seq(7))]);
}

#[test]
fn what_was_done_just_now_is_taken_back_at_once() {
    let mut screen = Screen::new(80, 24);
    screen.desk.verbs = vec![verb(8, super::now() - jiff::SignedDuration::from_mins(5), "closed #3")];
    screen.keys("z");
    assert_eq!(takes_back(&screen), [&Request::Undo], "done shortly before the screen was opened");
    screen.desk.verbs = vec![verb(9, super::now(), "closed #4")];
    screen.wait(3_600_000).forget().keys("z");
    assert_eq!(takes_back(&screen), [&Request::Undo], "done on this screen");
    screen.desk.verbs = vec![verb(7, ago(3), "added the rule API")];
    screen.forget().keys("x").stalled = true;
    screen.keys("zz").stalled = false;
    screen.answer();
    assert_eq!(takes_back(&screen), [&Request::Undo], "the second one is older, and asks");
    assert!(screen.text().contains("added the rule API · 4h ago"), "{}", screen.text());
}

#[test]
fn ctrl_u_clears_a_line_up_to_the_cursor() {
    let mut screen = Screen::new(80, 24);
    for keys in
        ["3/is:closed<ctrl-u>", "T<ctrl-u>", "stomorrow<ctrl-u>", "rx<alt-l>2h<ctrl-u>", "Pj<enter><ctrl-u>"]
    {
        screen.keys(keys);
        let value = match (&screen.app.overlay, &screen.app.list.edit) {
            (Some(Overlay::Prompt(prompt)), _) => prompt.edit.value(),
            (_, Some(edit)) => edit.value(),
            _ => panic!("{keys}: {}", screen.text()),
        };
        assert_eq!(value, "", "{keys}");
        screen.keys("<esc><esc>q");
    }
}

#[test]
fn each_key_shows_what_its_help_says_whatever_was_shown_last() {
    let mut screen = Screen::new(80, 24);
    screen.keys("gsqI");
    assert_eq!(screen.app.intake.fate, None);
    screen.keys("gs");
    assert_eq!(screen.app.intake.fate, Some(Fate::Spam));
    screen.keys("qO").desk.outbox = super::mails::outbox_rows();
    screen.keys("qOff");
    let filtered = screen.app.outbox.shown;
    screen.keys("<enter>q");
    assert_eq!(screen.app.outbox.shown, filtered, "whoever comes back from an issue finds what was there");
    screen.keys("qO");
    assert_eq!(screen.app.outbox.shown, crate::tui::outbox::Shown::Pending);
}

#[test]
fn esc_goes_back_to_the_view_that_was_filtered() {
    let mut screen = Screen::new(80, 24);
    for (view, keys) in [(2, "3"), (0, "1"), (3, "4")] {
        screen.keys(keys).keys("/ label:bug<enter>");
        assert_eq!(screen.app.list.view, None);
        screen.keys("/ from:ada<enter><esc>");
        assert_eq!(screen.app.list.view, Some(view), "{}", screen.text());
    }
    screen.keys("3/<ctrl-u>is:open waiting:us sort:waiting label:bug<enter><esc>");
    assert_eq!(screen.app.list.view, Some(2), "what was passed by on the way is not it");
}

#[test]
fn the_tour_says_that_its_keys_are_for_afterwards() {
    let mut screen = Screen::new(80, 24);
    screen.keys("g?");
    for _ in 1..=5 {
        let text = screen.text();
        let line = text.lines().find(|line| line.contains("After the tour: ")).expect(&text);
        assert!(!line.contains('…'), "{text}");
        assert!(text.lines().last().unwrap().contains("end the tour"), "{text}");
        screen.keys("<enter>");
    }
}

/// Gives what stands on the screen as one line.
fn words(screen: &Screen) -> String {
    screen.text().replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_helps_against_an_error_is_not_cut() {
    for (width, height) in [(60, 24), (80, 24), (120, 40)] {
        let mut screen = Screen::new(width, height);
        screen.keys("3/ foo:bar<enter>");
        let fault = screen.app.list.fault.clone().unwrap();
        let hint = fault.hint.unwrap();
        assert!(words(&screen).contains(&hint), "{hint}\n{}", screen.text());
        let said = "the original is in /home/alice/.cache/deskbell/scratch/1234/note-5.html, and no program to \
                    open it was found: set $BROWSER or install xdg-open, then press B again, or open the file";
        screen.keys("3").input(Input::Did(Err(said.into())));
        assert!(words(&screen).contains(said.split(' ').next_back().unwrap()), "{}", screen.text());
    }
}

#[test]
fn what_a_merge_would_do_is_said_to_its_end() {
    let mut screen = Screen::new(60, 24);
    screen.keys("3m121<enter>");
    assert!(words(&screen).contains("1 participant go to #121"), "{}", screen.text());
}

/// Gives how many cells a title has.
fn title_cells(screen: &Screen) -> usize {
    let text = screen.text();
    let heads = text.lines().find(|line| line.contains("TITLE")).unwrap();
    let after = ["LABELS", "FROM"].iter().filter_map(|head| heads.find(head)).min().unwrap();
    after - heads.find("TITLE").unwrap()
}

#[test]
fn a_wider_screen_has_no_shorter_titles() {
    for clocks in [false, true] {
        let mut screen = Screen::new(80, 24);
        if clocks {
            screen.desk.issues.iter_mut().for_each(|issue| issue.row.clock = Some(super::clocks::far()));
        }
        let least = title_cells(screen.keys("3"));
        for width in 81..240 {
            assert!(title_cells(screen.resize(width, 24)) >= least, "{width}\n{}", screen.text());
        }
        assert!(screen.resize(120, 40).app.preview.is_some());
        let text = screen.text();
        assert!(text.contains("│ #128") || text.contains("│  #128") || text.contains("│#128"), "{text}");
    }
}

#[test]
fn one_is_said_in_the_singular() {
    let text = Screen::new(80, 24).keys("jjl").text();
    assert!(text.contains("billing  1 issue\n") && text.contains("3 issues"), "{text}");
}

#[test]
fn the_preview_says_how_a_mail_is_opened_as_it_was_designed() {
    let mut desk = super::desk::FakeDesk::filled();
    desk.issues[0].notes.truncate(1);
    desk.issues[0].notes[0].html = true;
    let mut screen = Screen::with(110, 40, desk, Options::default());
    let text = screen.keys("3").text();
    let right: Vec<&str> = text.lines().filter_map(|line| line.split('│').nth(1)).map(str::trim).collect();
    assert!(right.join(" ").contains("B opens the original in the browser"), "{text}");
}

#[test]
fn no_end_of_a_line_stands_alone_below_a_text() {
    let mut screen = Screen::new(120, 40);
    assert!(screen.keys("3").text().contains('┴'));
    for keys in ["H", "<esc>?", "<esc>s"] {
        let text = screen.keys(keys).text();
        assert!(!text.contains('┴'), "{text}");
    }
}

#[test]
fn a_range_says_how_many_it_marks_while_it_is_drawn() {
    let mut screen = Screen::new(80, 24);
    for (keys, said) in [("3v", "1 marked"), ("jj", "3 marked"), ("k", "2 marked"), ("v", "2 marked")] {
        let text = screen.keys(keys).text();
        assert!(text.contains(said), "{text}");
    }
    let text = screen.keys("jv").text();
    assert!(text.contains("3 marked"), "{text}");
    assert!(!screen.keys("<esc>").text().contains("marked"));
}

#[test]
fn how_long_it_waits_for_them_is_not_cut() {
    for width in [60, 80, 120] {
        let mut screen = Screen::new(width, 24);
        screen.desk.issues[0].row.waiting_on = Some(Party::Them);
        screen.desk.issues[0].row.waiting_since = Some(super::now());
        screen.desk.issues[1].row.waiting_on = Some(Party::Them);
        screen.desk.issues[1].row.waiting_since = Some(ago(24 * 13));
        let text = screen.keys("3R").keys("q3").event(Event::Missed).text();
        assert!(text.contains("them now") && text.contains("them 13d"), "{text}");
    }
}

#[test]
fn a_preview_is_not_empty_once_a_note_is_gone() {
    let mut screen = Screen::new(120, 24);
    screen.keys("3").desk.issues[0].notes.truncate(1);
    let text = screen.event(Event::Issues { issues: vec![IssueId(1128)], seq: Seq(2) }).text();
    assert!(text.contains("The log says"), "{text}");
}

#[test]
fn two_windows_of_one_person_lose_no_text_of_either() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rmine");
    screen.wait(600);
    // Meanwhile the other window stored its own.
    screen.desk.drafts.values_mut().for_each(|draft| draft.text = "of the other window".into());
    screen.keys(" too");
    screen.wait(600);
    let typed = |screen: &Screen| screen.app.composer.as_ref().unwrap().body.value();
    assert_eq!(typed(&screen), "of the other window\n\nmine too");
    assert!(screen.text().contains("another window of yours writes here too"), "{}", screen.text());
    screen.keys(", and more");
    screen.wait(600);
    assert_eq!(typed(&screen), "of the other window\n\nmine too, and more");
    let stored: Vec<&str> = screen.desk.drafts.values().map(|draft| draft.text.as_str()).collect();
    assert_eq!(stored, [typed(&screen)]);
}
