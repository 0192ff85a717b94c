//! The terminal's manners: news told beside the screen, the mouse, screens that are read aloud, the tour.

use super::Screen;
use super::desk::FakeDesk;
use crate::domain::Event;
use crate::tui::input::{Effect, Input};
use crate::tui::news::Notify;
use crate::tui::setup::Options;
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use insta::assert_snapshot;
use ratatui::style::Color;

fn with(options: Options) -> Screen {
    Screen::with(80, 24, FakeDesk::filled(), options)
}

/// Something new in one more issue.
fn news(screen: &mut Screen, issue: usize) {
    screen.desk.issues[issue].row.unread = 1;
    let issues = vec![screen.desk.issues[issue].row.id];
    screen.event(Event::Issues { issues, seq: crate::domain::Seq(2) });
}

fn told(screen: &mut Screen) -> Vec<Effect> {
    std::mem::take(&mut screen.wanted)
}

#[test]
fn news_are_told_without_a_word_of_what_was_written() {
    let notify = Notify { command: "say".into(), ..Notify::default() };
    let mut screen = with(Options { notify, ..Options::default() });
    news(&mut screen, 1);
    let words = "1 issue has news".to_owned();
    let expected = [
        Effect::Bell,
        Effect::Notice(words.clone()),
        Effect::Tell { command: "say".into(), words, issues: 1 },
    ];
    assert_eq!(told(&mut screen), expected);
    let notify = Notify { bell: false, show_subject: true, ..Notify::default() };
    let mut screen = with(Options { notify, ..Options::default() });
    news(&mut screen, 1);
    let Effect::Notice(words) = told(&mut screen).remove(0) else { panic!() };
    assert!(words.starts_with("1 issue has news: "), "{words}");
}

#[test]
fn many_news_are_told_together_and_none_while_the_terminal_is_in_front() {
    let mut screen = with(Options::default());
    for issue in [1, 3, 4] {
        news(&mut screen, issue);
    }
    assert_eq!(told(&mut screen).len(), 2, "the first one at once");
    assert!(screen.app.wake_in() <= 30_000);
    screen.wait(31_000);
    assert!(told(&mut screen).contains(&Effect::Notice("2 issues have news".into())));
    screen.wait(31_000).input(Input::Focus(true));
    screen.desk.issues[1].row.unread = 0;
    news(&mut screen, 3);
    news(&mut screen, 1);
    assert_eq!(told(&mut screen), []);
    screen.input(Input::Focus(false)).wait(31_000);
    assert_eq!(told(&mut screen), [], "they were seen");
}

#[test]
fn the_card_of_an_author_holds_notes_on_them_and_marks_them_as_important() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3h");
    assert!(screen.text().contains("write a note on them"), "{}", screen.text());
    let text = screen.keys("write a note<enter>calls back late<enter>").text();
    assert!(text.contains("calls back late") && text.contains("note of alice"), "{text}");
    let text = screen.keys("calls back<enter>change<enter>!<enter>").text();
    assert!(text.contains("calls back late!"), "{text}");
    let text = screen.keys("mark as<enter>").text();
    assert!(text.contains("  VIP") && text.contains("not important any more"), "{text}");
    let text = screen.keys("calls back<enter>remove<enter>").text();
    assert!(!text.contains("calls back"), "{text}");
    screen.desk.shy = true;
    screen.desk.issues.truncate(1);
    screen.desk.issues[0].row.vip = true;
    let text = screen.keys("<esc>h").text();
    assert!(text.contains("their only issue") && !text.contains("write a note"), "{text}");
}

#[test]
fn issues_of_who_is_important_say_so_in_a_word() {
    let mut desk = FakeDesk::filled();
    desk.issues[0].row.vip = true;
    let mut screen = Screen::with(80, 24, desk, Options { no_color: true, ..Options::default() });
    let text = screen.keys("3").text();
    assert_eq!(text.lines().filter(|line| line.contains(" VIP ")).count(), 1, "{text}");
    let text = screen.keys("<enter>").text();
    assert!(text.lines().next().unwrap().contains("VIP"), "{text}");
}

fn mouse(kind: MouseEventKind, row: u16) -> Input {
    Input::Mouse(MouseEvent { kind, column: 9, row, modifiers: KeyModifiers::NONE })
}

#[test]
fn the_mouse_scrolls_selects_and_opens_and_is_given_back() {
    let mut screen = with(Options { mouse: true, ..Options::default() });
    screen.input(mouse(MouseEventKind::ScrollDown, 5));
    assert_eq!(screen.app.list.selected, 3);
    let click = MouseEventKind::Down(MouseButton::Left);
    screen.input(mouse(click, 5));
    assert_eq!(screen.app.list.selected, 1);
    screen.input(mouse(click, 20));
    assert_eq!(screen.app.list.selected, 1, "there is no row");
    screen.input(mouse(click, 5));
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 127);
    screen.keys("qgP");
    assert_eq!(screen.wanted.last(), Some(&Effect::Mouse(false)));
}

#[test]
fn a_plain_screen_says_its_signs_in_words_and_draws_no_lines() {
    let plain = Options { plain: true, ascii: true, ..Options::default() };
    let mut screen = with(plain.clone());
    assert_snapshot!("plain_list_80", screen.text());
    assert_snapshot!("plain_thread_80", screen.keys("<enter>").text());
    let screen = Screen::with(120, 40, FakeDesk::filled(), plain);
    assert_snapshot!("plain_list_120", screen.text());
    assert!(screen.text().is_ascii() || !screen.text().contains(['─', '│', '▌', '●', '…']));
}

#[test]
fn on_a_plain_screen_the_cursor_stands_on_what_is_selected() {
    let mut screen = with(Options { plain: true, ascii: true, ..Options::default() });
    let row = |screen: &Screen| screen.text().lines().position(|line| line.starts_with("> ")).unwrap();
    let before = row(&screen);
    assert_eq!(screen.cursor().1 as usize, before);
    screen.keys("jj");
    assert_eq!((screen.cursor().1 as usize, row(&screen)), (before + 2, before + 2));
}

#[test]
fn no_colour_and_ascii_hold_on_every_screen() {
    for (width, height) in [(80, 24), (120, 40)] {
        let options = Options { no_color: true, ascii: true, ..Options::default() };
        let mut screen = Screen::with(width, height, FakeDesk::filled(), options);
        for keys in
            ["", "<enter>", "rHello<enter>", "<esc>", "q:", "<esc>?", "<esc>O", "q", "I", "qP", "q3/x"]
        {
            let buffer = screen.keys(keys).buffer();
            let plain = |c: Color| matches!(c, Color::Reset);
            assert!(buffer.content.iter().all(|cell| plain(cell.fg) && plain(cell.bg)), "{keys}");
            assert!(!screen.text().contains(['─', '│', '▌', '●', '…', '═', '▸']), "{}", screen.text());
        }
    }
}

#[test]
fn colour_is_there_where_it_is_wanted() {
    let buffer = Screen::new(80, 24).buffer();
    assert!(buffer.content.iter().any(|cell| cell.fg != Color::Reset));
}

#[test]
fn the_tour_shows_five_screens_and_can_be_left_at_each() {
    let mut screen = Screen::new(80, 24);
    screen.keys("g?");
    for stop in 1..=5 {
        assert_snapshot!(format!("tour_{stop}"), screen.text());
        screen.keys("<enter>");
    }
    assert!(screen.text().contains("that was the tour"), "{}", screen.text());
    assert!(screen.app.on_list() && screen.app.composer.is_none());
    screen.keys("g?<enter><enter><esc>");
    assert!(screen.app.overlay.is_none() && screen.app.on_list() && screen.app.composer.is_none());
    assert!(screen.desk.drafts.is_empty());
}

#[test]
fn open_issues_stand_first_on_the_card_of_their_author() {
    let mut screen = Screen::new(80, 24);
    let mut older = screen.desk.issues[0].clone();
    older.row.iid = 90;
    older.row.id = crate::domain::IssueId(1090);
    older.row.state = crate::domain::State::Closed;
    screen.desk.issues.insert(0, older);
    let text = screen.keys("3h").text();
    let lines: Vec<&str> = text.lines().collect();
    let place = |words: &str| lines.iter().rposition(|line| line.contains(words)).expect(&text);
    assert!(place("#128 ") < place("#90 "), "{text}");
}

#[test]
fn at_80_columns_the_title_stays_readable_and_the_least_of_the_facts_goes() {
    let mut desk = FakeDesk::filled();
    let row = &mut desk.issues[0].row;
    row.title = "The nightly export to the warehouse stops with an error".into();
    row.labels = ["export".to_owned(), "warehouse".to_owned(), "regression".to_owned()].to_vec();
    row.priority = Some(crate::domain::Priority::Urgent);
    let mut screen = Screen::with(80, 24, desk, Options::default());
    let head = screen.keys("3<enter>").text().lines().next().unwrap().to_owned();
    assert!(head.contains("The nightly export to the warehouse") && head.contains("open"), "{head}");
    assert!(head.contains("urgent") && !head.contains("regression"), "{head}");
    let head = screen.resize(160, 24).text().lines().next().unwrap().to_owned();
    assert!(head.contains("stops with an error") && head.contains("regression"), "{head}");
}

#[test]
fn an_answer_that_is_wrong_or_refused_leaves_the_question_with_what_was_typed() {
    let mut screen = Screen::new(80, 24);
    let text = screen.keys("3snever<enter>").text();
    assert!(text.contains("Snooze until") && text.contains("never"), "{text}");
    assert!(text.contains("`never` is no moment to come"), "{text}");
    screen.keys("<esc>");
    assert!(screen.app.overlay.is_none());
    screen.desk.refuses = Some("that day is a holiday".into());
    let text = screen.keys("stomorrow<enter>").text();
    assert!(text.contains("Snooze until") && text.contains("that day is a holiday"), "{text}");
    screen.desk.refuses = None;
    screen.keys("<enter>");
    assert!(screen.app.overlay.is_none(), "{}", screen.text());
}
