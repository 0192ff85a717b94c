//! Long issues: the beginning is laid out when somebody goes there, and nothing of that can be seen.

use super::super::setup::Options;
use super::Screen;
use super::desk::{FakeDesk, ada, note};
use crate::domain::{AttachmentView, IssueId, NoteId, NoteKind};

/// An issue of 400 notes, each of which says its number, in front.
fn long(unread_from: u64) -> Screen {
    let mut desk = FakeDesk::filled();
    let issue = desk.issues.iter_mut().find(|issue| issue.row.iid == 128).unwrap();
    issue.notes =
        (1..=400).map(|n| note(n, NoteKind::Incoming, ada(), 0, &format!("note {n}.\n\nmore"))).collect();
    for note in issue.notes.iter_mut().filter(|note| note.id >= NoteId(unread_from)) {
        note.unread = true;
    }
    let mut screen = Screen::with(80, 24, desk, Options::default());
    screen.keys("3gg<enter>");
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 128);
    screen
}

fn laid_out(screen: &Screen) -> usize {
    screen.app.thread.as_ref().unwrap().blocks.iter().filter(|block| !block.is_empty()).count()
}

#[test]
fn a_long_issue_shows_its_end_at_once_and_lays_out_no_more_than_is_near() {
    let screen = long(999);
    assert!(screen.text().contains("note 400."), "{}", screen.text());
    assert!(laid_out(&screen) < 100, "{}", laid_out(&screen));
}

#[test]
fn the_first_unread_note_is_shown_wherever_it_stands() {
    let screen = long(30);
    assert!(screen.text().contains("note 30."), "{}", screen.text());
}

#[test]
fn every_note_is_passed_on_the_way_up_and_on_the_way_down() {
    let mut screen = long(999);
    for (keys, notes) in [
        ("<ctrl-u>", (1..=400).rev().step_by(9).chain([1]).collect::<Vec<_>>()),
        ("<ctrl-d>", (1..=400).step_by(9).collect()),
    ] {
        for n in notes {
            let shows = |screen: &Screen| screen.text().contains(&format!("note {n}."));
            for _ in 0..12 {
                if !shows(&screen) {
                    screen.keys(keys);
                }
            }
            assert!(shows(&screen), "note {n} with {keys}:\n{}", screen.text());
        }
    }
}

#[test]
fn its_first_note_is_one_key_away_and_so_is_its_last() {
    let mut screen = long(999);
    screen.keys("gg");
    assert!(screen.text().contains("note 1."), "{}", screen.text());
    screen.keys("J");
    assert_eq!(screen.app.thread.as_ref().unwrap().selected, 1);
    screen.keys("G");
    assert!(screen.text().contains("note 400."), "{}", screen.text());
    screen.keys("K");
    assert_eq!(screen.app.thread.as_ref().unwrap().selected, 398);
}

#[test]
fn what_is_new_at_the_top_of_the_list_is_seen_there_and_the_selection_stays() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3gg");
    let before = screen.app.list.current().unwrap().iid;
    let mut new = screen.desk.issues[0].clone();
    (new.row.iid, new.row.id, new.row.title) = (900, IssueId(1900), "Just arrived".to_owned());
    screen.desk.issues.insert(0, new);
    screen.event(crate::domain::Event::Issues { seq: crate::domain::Seq(9), issues: vec![IssueId(1900)] });
    assert!(screen.text().contains("Just arrived"), "{}", screen.text());
    assert_eq!(screen.app.list.current().unwrap().iid, before);
}

#[test]
fn a_logo_that_comes_with_every_mail_is_shown_once_and_then_folded() {
    let mut desk = FakeDesk::filled();
    let logo = AttachmentView {
        name: "image001.png".into(),
        media_type: "image/png".into(),
        size: 4_211,
        inline: true,
    };
    let photo = AttachmentView { name: "photo.png".into(), size: 90_000, ..logo.clone() };
    let mut notes = Vec::new();
    for (id, files) in [(1, vec![logo.clone()]), (2, vec![logo.clone(), photo]), (3, vec![logo])] {
        let mut mail = note(id, NoteKind::Incoming, ada(), 9 - i64::try_from(id).unwrap(), "See below.");
        mail.attachments = files;
        notes.push(mail);
    }
    desk.issues[0].notes = notes;
    let mut screen = Screen::with(80, 24, desk, Options::default());
    screen.keys("<enter>");
    let text = screen.text();
    assert_eq!(text.matches("image001.png").count(), 1, "{text}");
    assert!(text.contains("3 photo.png") && text.contains("1 picture that came before  Enter"), "{text}");
    screen.keys("<enter>");
    assert!(screen.text().contains("4 image001.png"), "{}", screen.text());
    screen.keys("<enter>");
    assert_eq!(screen.text().matches("image001.png").count(), 1);
}
