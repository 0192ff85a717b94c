//! Presence: where this screen is, and who else is there.

use super::Screen;
use super::desk::{FakeDesk, ago};
use crate::domain::{Attend, Event, Present, Writing};
use crate::tui::setup::Options;

fn present(user: &str, writing: Writing) -> Present {
    Present { user: user.into(), reference: "acme/support#128".into(), writing, since: ago(0), seen: ago(0) }
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
