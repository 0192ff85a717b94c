//! Presence: where this screen is, and who else is there.

use super::Screen;
use super::desk::{FakeDesk, ago};
use crate::domain::{Attend, Event, NoteId, Present, Request, Writing};
use crate::tui::setup::Options;

fn present(user: &str, writing: Writing) -> Present {
    let (since, seen) = (ago(0), ago(0));
    Present {
        user: user.into(),
        reference: "acme/support#128".into(),
        writing,
        following: false,
        since,
        seen,
        note: None,
    }
}

fn told(screen: &mut Screen) -> Vec<(Option<u64>, Writing)> {
    let all: Vec<Attend> = std::mem::take(&mut screen.attended);
    all.into_iter().map(|attend| (attend.reference.map(|reference| reference.iid), attend.writing)).collect()
}

#[test]
fn the_desk_hears_once_where_the_screen_is_and_what_is_written_there() {
    let mut screen = Screen::new(80, 24);
    assert_eq!(told(&mut screen), []);
    screen.keys("3<enter>");
    assert_eq!(told(&mut screen), [(Some(128), Writing::Nothing)]);
    screen.keys("jjk");
    assert_eq!(told(&mut screen), []);
    screen.keys("rHello");
    assert_eq!(told(&mut screen), [(Some(128), Writing::Reply)]);
    screen.keys("<ctrl-s>");
    assert_eq!(told(&mut screen), [(Some(128), Writing::Nothing)]);
    screen.keys("cx");
    assert_eq!(told(&mut screen), [(Some(128), Writing::Comment)]);
    screen.wait(5 * 60_000);
    assert_eq!(told(&mut screen), [], "who presses no key is not heard of");
    screen.keys("y");
    assert_eq!(told(&mut screen), [(Some(128), Writing::Comment)], "and is heard of again");
    screen.keys("<esc>q");
    assert_eq!(told(&mut screen).last(), Some(&(None, Writing::Nothing)));
}

#[test]
fn who_else_is_there_stands_in_list_thread_and_composer_and_goes_by_itself() {
    let mut desk = FakeDesk::filled();
    desk.present = vec![
        present("ada", Writing::Nothing),
        present("sam", Writing::Reply),
        present("alice", Writing::Reply),
    ];
    let mut screen = Screen::with(80, 24, desk, Options { no_color: true, ..Options::default() });
    let text = screen.keys("3").text();
    assert_eq!(text.lines().filter(|line| line.contains("sam writes")).count(), 1, "{text}");
    let text = screen.keys("<enter>").text();
    assert!(text.contains(" sam is writing a reply, ada is reading "), "{text}");
    assert!(!text.contains("alice is"), "not oneself: {text}");
    let text = screen.keys("r").text();
    assert!(text.contains("sam is writing a reply too"), "{text}");
    let text = screen.keys("<esc>c").text();
    assert!(!text.contains("too"), "a comment is not in the way: {text}");
    screen.desk.present.clear();
    let text = screen.event(Event::Status).text();
    assert!(!text.contains("sam is"), "{text}");
    screen.desk.present = vec![present("ada", Writing::Nothing)];
    assert!(screen.event(Event::Status).text().contains("ada is reading"));
    assert!(!screen.wait(16 * 60_000).text().contains("ada is"), "silent for too long");
}

#[test]
fn one_goes_along_with_somebody_until_esc_and_never_in_a_circle() {
    let mut desk = FakeDesk::filled();
    desk.present = vec![present("sam", Writing::Nothing)];
    let mut screen = Screen::new(80, 24);
    screen.desk = desk;
    screen.event(Event::Status).keys("3:follow<enter>");
    assert!(screen.text().contains("Follow sam"), "{}", screen.text());
    let text = screen.keys("<enter>").text();
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 128);
    assert!(text.contains("following sam") && text.contains("Esc leaves"), "{text}");
    assert!(screen.attended.last().unwrap().following);
    screen.desk.present[0].reference = "acme/support#127".into();
    screen.event(Event::Status);
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 127);
    let text = screen.keys("<esc>").text();
    assert!(text.contains("without sam") && !text.contains("following"), "{text}");
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 127, "one stays where one is");
    screen.desk.present[0].reference = "acme/support#128".into();
    screen.event(Event::Status);
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 127);
    screen.app.go_along("sam".into());
    screen.desk.present[0].following = true;
    screen.event(Event::Status);
    assert!(screen.app.following.is_none(), "who follows is not followed");
}

#[test]
fn whoever_goes_along_is_led_from_note_to_note_and_may_look_elsewhere_meanwhile() {
    let mut screen = Screen::new(80, 24);
    let notes: Vec<NoteId> = screen.desk.issues[0].notes.iter().map(|note| note.id).collect();
    let there = |note: usize| Present { note: Some(notes[note]), ..present("sam", Writing::Nothing) };
    screen.desk.present = vec![there(0)];
    screen.event(Event::Status).keys("3:follow<enter><enter>");
    let read = |screen: &Screen| screen.app.thread.as_ref().unwrap().current().unwrap().id;
    assert_eq!(read(&screen), notes[0], "the one that sam reads, and not the news");
    screen.desk.present = vec![there(notes.len() - 1)];
    screen.event(Event::Status);
    assert_eq!(read(&screen), notes[notes.len() - 1]);
    screen.keys("gg").event(Event::Status);
    assert_eq!(read(&screen), notes[0], "one looks elsewhere until the other goes on");
    screen.desk.present = vec![Present { note: Some(NoteId(999)), ..there(0) }];
    screen.event(Event::Status);
    assert_eq!(read(&screen), notes[0], "a note that is not there leads nowhere");
}

#[test]
fn the_note_that_is_read_is_told_while_somebody_goes_along_and_seldom() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3<enter>gg");
    assert!(screen.attended.iter().all(|attend| attend.note.is_none()), "nobody goes along");
    screen.wait(10_000);
    screen.desk.present = vec![Present { following: true, ..present("sam", Writing::Nothing) }];
    screen.event(Event::Status);
    let first = screen.app.thread.as_ref().unwrap().current().unwrap().id;
    assert_eq!(screen.attended.last().unwrap().note, Some(first));
    screen.attended.clear();
    screen.keys("JKJK").keys("J");
    assert_eq!(screen.attended.len(), 0, "so many steps in so short a time are not told");
    let due = i64::try_from(screen.app.wake_in()).unwrap();
    assert!(due <= 2_000, "{due}");
    screen.wait(due);
    let last = screen.app.thread.as_ref().unwrap().current().unwrap().id;
    let told: Vec<_> = screen.attended.iter().map(|attend| attend.note).collect();
    assert_eq!(told, [Some(last)], "but where they ended is");
    assert_ne!(last, first);
}

#[test]
fn an_issue_is_handed_over_with_a_note_in_one_step() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3:hand over<enter>sam<enter>");
    let text = screen.keys("<enter>").text();
    assert!(text.contains("Note to sam") && text.contains("say in a word what is to be done"), "{text}");
    screen.keys("please call her<enter>");
    let sent = screen.asked.iter().find_map(|request| match request {
        Request::AddNote(new) => Some(new.clone()),
        _ => None,
    });
    let sent = sent.unwrap();
    assert!(sent.internal && sent.text == "/assign @sam\n@sam please call her", "{sent:?}");
    assert!(screen.text().contains("goes to sam"), "{}", screen.text());
}
