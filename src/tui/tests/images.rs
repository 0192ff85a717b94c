//! Pictures in the thread: where they stand, what is said of them, and what is asked for.

use super::desk::FakeDesk;
use super::every::styles;
use super::{Options, Screen};
use crate::domain::{AttachmentView, Request};
use crate::tui::images::{Not, Surroundings};
use crate::tui::input::{Effect, Input};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use ratatui::style::Color;
use std::io::Cursor;

fn png(width: u32, height: u32) -> Vec<u8> {
    // Four fields of one colour each, so that a reader of a snapshot sees the picture.
    let fields = [[200, 40, 40], [40, 160, 40], [40, 40, 200], [220, 200, 40]];
    let field = |x: u32, y: u32| usize::from(x >= width / 2) + 2 * usize::from(y >= height * 9 / 20);
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_fn(width, height, |x, y| Rgb(fields[field(x, y)])))
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

fn picture(name: &str, size: u64) -> AttachmentView {
    AttachmentView { name: name.into(), media_type: "image/png".into(), size, inline: true }
}

/// A desk whose first issue has these files in its first note, and their bytes.
fn desk(files: &[(&str, Vec<u8>)]) -> FakeDesk {
    let mut desk = FakeDesk::filled();
    desk.files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
    let note = desk.issues.iter_mut().flat_map(|issue| &mut issue.notes).find(|n| !n.attachments.is_empty());
    note.unwrap().attachments = files.iter().map(|(name, bytes)| picture(name, bytes.len() as u64)).collect();
    desk
}

fn options(term: &str) -> Options {
    let surroundings = Surroundings { term: term.to_owned(), true_colour: true, ..Surroundings::default() };
    Options { surroundings, ..Options::default() }
}

fn screen(size: (u16, u16), files: &[(&str, Vec<u8>)], options: Options) -> Screen {
    let mut screen = Screen::with(size.0, size.1, desk(files), options);
    screen.keys("<enter>");
    screen
}

/// Tells whether any cell is drawn in a colour of a picture.
fn drawn(screen: &Screen) -> bool {
    screen.buffer().content().iter().any(|cell| matches!(cell.bg, Color::Rgb(..)))
}

fn fetched(screen: &Screen) -> Vec<String> {
    let name = |request: &Request| match request {
        Request::Attachment { name, .. } => Some(name.clone()),
        _ => None,
    };
    screen.asked.iter().filter_map(name).collect()
}

#[test]
fn a_picture_stands_below_its_file_and_without_colours_the_file_alone() {
    for size in [(80, 24), (120, 40)] {
        let files = [("login.png", png(320, 200))];
        let mut coloured = screen(size, &files, options("xterm-256color"));
        let mut bare = screen(size, &files, Options { no_color: true, ..options("xterm-256color") });
        let (coloured, bare) = (coloured.keys("gg"), bare.keys("gg"));
        assert_eq!(fetched(bare), Vec::<String>::new());
        let (text, colours, without) = (coloured.text(), styles(&coloured.buffer()), bare.text());
        let shown = format!("{text}\n\n-- colours --\n{colours}\n-- NO_COLOR --\n{without}");
        insta::assert_snapshot!(format!("images_{}x{}", size.0, size.1), shown);
    }
}

#[test]
fn where_there_can_be_no_picture_nothing_is_fetched() {
    let files = [("login.png", png(320, 200))];
    for options in [
        options("linux"),
        Options { ascii: true, ..options("xterm-kitty") },
        Options { ascii: true, plain: true, ..options("xterm-kitty") },
        Options { theme: "mono".into(), ..options("xterm-kitty") },
        Options { images: "off".into(), ..options("xterm-kitty") },
    ] {
        let mut screen = screen((80, 24), &files, options);
        assert_eq!(fetched(screen.keys("gg")), Vec::<String>::new());
        assert!(screen.text().contains("login.png"), "{}", screen.text());
        screen.keys("V");
        assert!(screen.text().contains("this screen shows no pictures"), "{}", screen.text());
    }
}

#[test]
fn one_key_hides_the_pictures_and_shows_them_again_without_asking_anew() {
    let mut screen = screen((80, 24), &[("login.png", png(320, 200))], options("xterm-256color"));
    screen.keys("gg");
    let shown = screen.text();
    assert!(drawn(&screen));
    assert_eq!(fetched(&screen), ["login.png"]);
    screen.keys("V");
    assert!(!drawn(&screen) && screen.text().contains("pictures are hidden"), "{}", screen.text());
    screen.keys("V").wait(20_000);
    assert_eq!(screen.text(), shown);
    assert_eq!(fetched(&screen), ["login.png"]);
    // The next issue keeps to it.
    screen.keys("V]");
    assert!(!screen.app.thread.as_ref().unwrap().album.shown);
}

#[test]
fn what_is_wrong_with_a_picture_stands_beside_its_name() {
    let whole = png(320, 200);
    let files = [
        ("dot.png", png(1, 1)),
        ("cut.png", whole[..whole.len() / 2].to_vec()),
        ("letter.png", b"Dear Sir or Madam".to_vec()),
        ("bitmap.png", b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec()),
        ("fine.png", whole),
    ];
    let mut desk = desk(&files);
    let note = desk.issues.iter_mut().flat_map(|issue| &mut issue.notes).find(|n| !n.attachments.is_empty());
    note.unwrap().attachments.push(picture("huge.png", 900_000_000));
    let mut screen = Screen::with(120, 60, desk, options("xterm-256color"));
    let text = screen.keys("<enter>gg").text();
    for (name, said) in [
        ("dot.png", "too small to show"),
        ("cut.png", "broken"),
        ("letter.png", "not a picture"),
        ("bitmap.png", "not of a kind that is shown"),
        ("fine.png", "320x200"),
        ("huge.png", "too large to show"),
    ] {
        let line = text.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.contains(said), "{line}");
    }
    assert!(!fetched(&screen).contains(&"huge.png".to_owned()));
}

#[test]
fn of_a_note_full_of_pictures_a_dozen_is_fetched_and_only_those_that_are_near() {
    let names: Vec<String> = (0..30).map(|number| format!("{number}.png")).collect();
    let files: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (name.as_str(), png(320, 400))).collect();
    let mut screen = screen((80, 24), &files, options("xterm-256color"));
    screen.keys("gg");
    let first = fetched(&screen).len();
    assert!((1..8).contains(&first), "{first}");
    for _ in 0..40 {
        screen.keys("<pagedown>");
    }
    assert!(fetched(&screen).len() <= 12, "{:?}", fetched(&screen));
    assert!(!fetched(&screen).contains(&"12.png".to_owned()));
}

#[test]
fn what_is_read_stays_in_its_place_when_a_picture_comes() {
    let files = [("login.png", png(320, 200))];
    let mut screen = Screen::with(80, 24, desk(&files), options("xterm-256color"));
    screen.stalled = true;
    screen.keys("<enter>");
    screen.stalled = false;
    // The issue comes, the picture does not yet.
    screen.answer();
    let shown = screen.text();
    let mut late = Screen::with(80, 24, desk(&files), options("xterm-256color"));
    late.keys("<enter>");
    assert_eq!(late.text(), shown, "an issue opens as if its pictures had been there");
    let mut hidden = Screen::with(80, 24, desk(&files), options("xterm-256color"));
    hidden.keys("V<enter>jj");
    let first = hidden.text().lines().nth(2).map(str::to_owned);
    hidden.keys("VV");
    assert_eq!(hidden.text().lines().nth(2).map(str::to_owned), first);
}

#[test]
fn a_picture_that_is_partly_in_sight_is_drawn_partly() {
    let mut screen = screen((80, 24), &[("login.png", png(320, 200))], options("xterm-256color"));
    screen.keys("gg");
    let rows = |screen: &Screen| {
        let buffer = screen.buffer();
        (0..24).filter(|y| buffer[(4, *y)].bg != Color::Reset).count()
    };
    let whole = rows(&screen);
    let mut seen = Vec::new();
    for _ in 0..20 {
        screen.keys("j");
        seen.push(rows(&screen));
    }
    assert!(whole > 4 && seen.contains(&(whole / 2)), "{whole} {seen:?}");
}

#[test]
fn pixels_go_while_something_is_in_front_of_them() {
    let mut screen = screen((80, 24), &[("login.png", png(160, 100))], options("xterm-kitty"));
    screen.app.redraw();
    screen.cell = Some((10, 20));
    screen.keys("gg");
    let placed =
        |screen: &Screen| screen.buffer().content().iter().any(|cell| cell.symbol().contains('\u{10EEEE}'));
    assert!(placed(&screen), "{}", screen.text());
    screen.keys("?");
    assert!(!placed(&screen));
    screen.keys("<esc>g");
    assert!(!placed(&screen), "which-key stands there");
    screen.keys("<esc>");
    assert!(placed(&screen));
}

#[test]
fn another_size_has_the_pictures_made_anew() {
    let mut screen = screen((80, 24), &[("login.png", png(1600, 400))], options("xterm-256color"));
    screen.keys("gg").forget().resize(40, 24);
    assert_eq!(fetched(&screen), ["login.png"]);
    assert!(drawn(&screen), "{}", screen.text());
}

#[test]
fn a_picture_that_the_desk_refuses_is_said_to_be_missing_and_nobody_is_disturbed() {
    let mut screen = Screen::with(80, 24, desk(&[("login.png", png(320, 200))]), options("xterm-256color"));
    screen.desk.refuses_files = true;
    screen.keys("<enter>gg");
    assert!(screen.text().contains("could not be fetched"), "{}", screen.text());
    assert_eq!(screen.app.notice, None);
    screen.desk.refuses_files = false;
    screen.app.redraw();
    screen.keys("gg");
    assert!(drawn(&screen), "it is asked for again: {}", screen.text());
}

#[test]
fn of_two_pictures_of_one_name_each_shows_its_own_bytes() {
    let (first, second) = (png(320, 200), png(160, 100));
    let mut desk = desk(&[("image.png", first.clone()), ("image.png", second.clone())]);
    // The desk knows the second by its number.
    desk.files = [("image.png".to_owned(), first), ("2".to_owned(), second)].into_iter().collect();
    let mut screen = Screen::with(120, 60, desk, options("xterm-256color"));
    let text = screen.keys("<enter>gg").text();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("image.png")).collect();
    assert!(lines.len() == 2 && lines[0].contains("320x200") && lines[1].contains("160x100"), "{text}");
    let mut asked = fetched(&screen);
    asked.sort();
    assert_eq!(asked, ["2", "image.png"]);
}

#[test]
fn a_picture_that_cannot_be_named_to_the_desk_is_not_shown_as_another() {
    let bytes = png(320, 200);
    let files = [("image.png", bytes.clone()), ("image.png", bytes.clone()), ("2", bytes)];
    let mut screen = Screen::with(120, 60, desk(&files), options("xterm-256color"));
    let text = screen.keys("<enter>gg").text();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("image.png")).collect();
    assert!(lines.len() == 2 && lines[1].contains("could not be fetched"), "{text}");
    assert_eq!(fetched(&screen).len(), 2);
}

#[test]
fn while_a_picture_is_made_no_second_decoder_begins() {
    let desk = desk(&[("login.png", png(1600, 400))]);
    let mut screen = Screen::with(80, 24, desk, options("xterm-256color"));
    screen.slow_pictures = true;
    screen.keys("<enter>gg").resize(70, 24).resize(60, 24);
    screen.app.redraw();
    screen.keys("q<enter>gg");
    let is_making = |effect: &Effect| matches!(effect, Effect::MakeImage { .. });
    assert_eq!(screen.wanted.iter().filter(|effect| is_making(effect)).count(), 1);
    assert_eq!(fetched(&screen).len(), 1);
    // What was made is for a screen that is gone; now it is made for this one.
    screen.slow_pictures = false;
    let at = screen.wanted.iter().position(is_making).unwrap();
    let Effect::MakeImage { key, order, .. } = screen.wanted.remove(at) else { unreachable!() };
    screen.input(Input::Image { key, order: order.id, made: Err(Not::Broken) });
    assert_eq!(fetched(&screen).len(), 2);
    assert!(drawn(&screen), "{}", screen.text());
}
