//! The files of a draft whose note was taken back: fetched, kept and taken off by their places.

use super::desk::FakeDesk;
use super::{Options, Screen};
use crate::domain::*;
use crate::tui::composer::File;
use crate::tui::overlay::{Ask, Prompt};

/// A reply that was taken back with files of these names.
fn taken_back(names: &[&str]) -> FakeDesk {
    let raw = RawRef { segment: 1, offset: 1, length: 1, size: 1, from: 0 };
    let kept = names.iter().map(|name| Attachment {
        name: (*name).into(),
        media_type: "text/csv".into(),
        size: 1,
        inline: false,
        part: None,
        within: vec![],
        raw: Some(raw),
    });
    let draft = Draft {
        user: "alice".into(),
        issue: Some(IssueId(1128)),
        project: None,
        kind: DraftKind::Reply,
        text: "Here it is.".into(),
        title: None,
        to: None,
        cc: vec![],
        files: vec![],
        kept: kept.collect(),
        off: vec![],
        over: None,
        seen: None,
        saved_at: super::now(),
    };
    let mut desk = FakeDesk::filled();
    desk.drafts.insert((Some(128), DraftKind::Reply), draft);
    desk
}

fn open(desk: FakeDesk) -> Screen {
    let mut screen = Screen::with(80, 24, desk, Options::default());
    screen.keys("r");
    screen
}

fn files(screen: &Screen) -> &[File] {
    &screen.app.composer.as_ref().unwrap().files
}

fn sent(screen: &Screen) -> Option<Vec<&[u8]>> {
    screen.asked.iter().find_map(|request| match request {
        Request::AddNote(note) => Some(note.attach.iter().map(|file| file.bytes.as_slice()).collect()),
        _ => None,
    })
}

fn stored(screen: &Screen) -> Vec<(u32, &str)> {
    let draft = screen.desk.drafts.values().next().unwrap();
    draft.kept_files().map(|(place, file)| (place, file.name.as_str())).collect()
}

fn said(screen: &Screen) -> &str {
    screen.app.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

#[test]
fn two_files_of_one_name_stay_in_the_draft_and_go_out() {
    let mut screen = open(taken_back(&["list.csv", "list.csv"]));
    screen.keys("So").wait(1100);
    assert_eq!(stored(&screen), [(0, "list.csv"), (1, "list.csv")]);
    screen.keys("<ctrl-s>");
    assert_eq!(sent(&screen).unwrap(), [&b"list.csv at 0"[..], b"list.csv at 1"]);
}

#[test]
fn a_file_that_is_taken_off_is_named_by_its_place_and_no_bytes_of_the_desk_are() {
    let mut screen = open(taken_back(&["list.csv", "list.csv"]));
    screen.keys("<alt-o>").wait(1100);
    let saved = screen.asked.iter().find_map(|request| match request {
        Request::SaveDraft(draft) => Some((draft.kept.len(), draft.off.as_slice())),
        _ => None,
    });
    assert_eq!(saved, Some((0, &[1][..])));
    assert_eq!(stored(&screen), [(0, "list.csv")]);
    // Back in it, the one that is left has its place still.
    screen.keys("<esc>r<ctrl-s>");
    assert_eq!(sent(&screen).unwrap(), [b"list.csv at 0"]);
}

#[test]
fn a_file_that_does_not_come_stays_holds_the_note_and_is_asked_for_again() {
    let mut desk = taken_back(&["list.csv"]);
    desk.refuses = Some("the disk is slow".into());
    let mut screen = open(desk);
    assert!(said(&screen).contains("list.csv did not come: the disk is slow"), "{}", said(&screen));
    screen.keys("So").wait(1100);
    assert_eq!((files(&screen).len(), stored(&screen)), (1, vec![(0, "list.csv")]));
    screen.desk.refuses = None;
    screen.keys("<ctrl-s>");
    assert_eq!(sent(&screen), None);
    assert!(said(&screen).starts_with("not sent, list.csv did not come"), "{}", said(&screen));
    screen.keys("<ctrl-s>");
    assert_eq!(sent(&screen).unwrap(), [b"list.csv at 0"]);
}

#[test]
fn a_file_goes_into_no_other_draft() {
    let mut desk = taken_back(&["list.csv"]);
    desk.refuses = Some("not now".into());
    let mut screen = open(desk);
    let here = screen.app.composer.as_ref().unwrap().reference();
    let other = Some("acme/support#127".parse().unwrap());
    screen.app.kept_came((&other, DraftKind::Reply), 0, Ok(b"theirs".to_vec()));
    screen.app.kept_came((&here, DraftKind::Internal), 0, Ok(b"theirs".to_vec()));
    assert_eq!(files(&screen)[0].upload, None);
}

#[test]
fn whether_a_file_comes_says_nothing_of_a_question_that_was_answered() {
    for refuses in [None, Some("not now".to_owned())] {
        let mut desk = taken_back(&["list.csv"]);
        desk.refuses = refuses;
        let mut screen = Screen::with(80, 24, desk, Options::default());
        screen.stalled = true;
        screen.keys("r");
        screen.app.answered = Some(Prompt::new(Ask::SendLater, "Send after", "2h", ""));
        screen.answer();
        assert_eq!(files(&screen).len(), 1);
        assert!(screen.app.answered.is_some() && screen.app.overlay.is_none());
    }
}
