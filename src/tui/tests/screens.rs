//! What each screen looks like.

use super::desk::{FakeDesk, channel};
use super::mails::{intake_rows, outbox_rows, senders, spam_mail};
use super::{Screen, now};
use crate::domain::{
    ChannelState, IntakeAction, IntakeId, OutboxCounts, Request, Seal, SealKind, SealState, SenderRule,
    SenderScope,
};
use crate::tui::input::{FromDesk, Input};
use crate::tui::setup::Options;
use insta::assert_snapshot;
use jiff::SignedDuration;
use proptest::prelude::*;
use ratatui::style::{Color, Modifier};

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

fn shown(size: (u16, u16), keys: &str) -> String {
    Screen::new(size.0, size.1).keys(keys).text()
}

#[test]
fn list() {
    assert_snapshot!("list_80", shown(SMALL, ""));
    assert_snapshot!("list_120", shown(LARGE, "3"));
    assert_snapshot!("list_stacked", shown((80, 40), "j"));
}

#[test]
fn list_marked_and_empty() {
    assert_snapshot!("list_marked", shown(SMALL, "<space><space>vj"));
    assert_snapshot!("list_empty", shown(SMALL, "4"));
}

#[test]
fn query_with_a_fault() {
    assert_snapshot!("query", shown(SMALL, "3/export"));
    assert_snapshot!("query_fault", shown(SMALL, "3/stauts:x"));
}

#[test]
fn thread() {
    assert_snapshot!("thread_80", shown(SMALL, "<enter>"));
    assert_snapshot!("thread_80_top", shown(SMALL, "<enter>gg"));
    assert_snapshot!("thread_120", shown(LARGE, "<enter><enter>"));
}

#[test]
fn composer() {
    assert_snapshot!("composer_reply", shown(SMALL, "rHello Ada,<enter><enter>please try"));
    assert_snapshot!("composer_internal", shown(SMALL, "cask *Sam* first"));
    assert_snapshot!("composer_quick", shown(SMALL, "rIt works.<enter>/label ~bug<enter>/close"));
    assert_snapshot!("composer_quick_menu", shown(SMALL, "rIt works.<enter>/un"));
    assert_snapshot!("composer_120", shown(LARGE, "rHello Ada,"));
    assert_snapshot!("composer_new", shown(SMALL, "Ckim@example.org<enter>Your trial<enter>Hello Kim,"));
}

#[test]
fn sent_counts_down() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rDone.<ctrl-s>").wait(2000);
    assert_snapshot!("sent", screen.text());
}

#[test]
fn pickers_and_prompts() {
    assert_snapshot!("assign", shown(SMALL, "a"));
    assert_snapshot!("labels", shown(SMALL, "lnew one"));
    assert_snapshot!("snooze", shown(SMALL, "stomorrow"));
    assert_snapshot!("merge", shown(SMALL, "<space><space>m"));
    assert_snapshot!("merge_plan", shown(SMALL, "<space><space>m<enter>"));
    assert_snapshot!("palette", shown(SMALL, ":clo"));
    assert_snapshot!("help", shown(SMALL, "?"));
    assert_snapshot!("files", shown(SMALL, "<enter>o"));
    assert_snapshot!("which_key", shown(SMALL, "g"));
}

#[test]
fn readers() {
    assert_snapshot!("history", shown(SMALL, "H"));
    assert_snapshot!("why", shown(SMALL, "<enter>ggw"));
    assert_snapshot!("raw", shown(SMALL, "<enter>W"));
    assert_snapshot!("author", shown(SMALL, "h"));
}

#[test]
fn outbox() {
    let mut desk = FakeDesk::filled();
    desk.outbox = outbox_rows();
    desk.outbox[2].held_until = Some(now() + SignedDuration::from_secs(8));
    let mut screen = Screen::with(80, 24, desk, Options::default());
    assert_snapshot!("outbox", screen.keys("O").text());
    assert_snapshot!("outbox_empty", shown(SMALL, "O"));
}

#[test]
fn intake() {
    let mut desk = FakeDesk::filled();
    desk.intake = intake_rows();
    let mut screen = Screen::with(80, 24, desk, Options::default());
    assert_snapshot!("intake", screen.keys("I").text());
    assert_snapshot!("intake_120", screen.resize(120, 40).keys("j").text());
    assert_snapshot!("intake_help", screen.resize(80, 24).keys("?").text());
    assert_snapshot!("intake_none", shown(SMALL, "I"));
    assert_snapshot!("intake_none_lost", shown(SMALL, "If"));
    assert_snapshot!("intake_none_spam", shown(SMALL, "gs"));
}

#[test]
fn the_sender_of_any_mail_is_allowed_or_blocked_with_one_key() {
    let mut desk = FakeDesk::filled();
    desk.intake = intake_rows();
    let mut screen = Screen::with(80, 24, desk, Options::default());
    for (key, rule) in [("A", SenderRule::Allow), ("b", SenderRule::Block)] {
        screen.keys("<esc>I").keys(key);
        let wanted = Request::IntakeSender { id: IntakeId(6), rule };
        assert!(screen.asked.contains(&wanted), "{key}: {:?}", screen.asked.last());
    }
    assert_snapshot!("intake_listed", screen.text());
}

#[test]
fn a_long_opinion_is_read_to_its_end() {
    let mut desk = FakeDesk::filled();
    let mut mail = spam_mail();
    let long = "symbols BAYES_SPAM(5.10), URIBL_BLACK(7.50), FROM_NO_MX(2.00), MISSING_DATE(1.00), and THE_LAST(0.10)";
    mail.opinions[1].words = long.into();
    mail.opinions[1].words.push_str("\u{1b}[2J\u{202e}");
    desk.intake = vec![mail];
    let text = Screen::with(80, 24, desk, Options::default()).keys("Iw").text();
    assert_snapshot!("intake_why_long", text);
    assert!(text.contains("THE_LAST(0.10)"), "{text}");
}

fn with_spam() -> Screen {
    let mut desk = FakeDesk::filled();
    desk.intake = intake_rows().into_iter().chain([spam_mail()]).collect();
    desk.spam.mails = 1;
    desk.senders = senders();
    Screen::with(100, 24, desk, Options::default())
}

#[test]
fn mails_taken_for_spam_are_named_in_the_view_and_shown_with_their_causes() {
    let mut screen = with_spam();
    assert_snapshot!("spam_view", screen.keys("5").text());
    assert_snapshot!("spam_mails", screen.keys("gs").text());
    assert_snapshot!("spam_why", screen.keys("w").text());
    for (key, allow_sender) in [("h", false), ("A", true)] {
        screen.keys("<esc>gs").keys(key);
        let action = IntakeAction::Ham { allow_sender };
        assert!(screen.asked.contains(&Request::IntakeAct { id: IntakeId(9), action }), "{key}");
    }
}

#[test]
fn senders_are_listed_added_and_removed() {
    let mut screen = with_spam();
    assert_snapshot!("senders", screen.keys("Pb").text());
    assert_snapshot!("senders_prompt", screen.resize(80, 24).keys("a").text());
    screen.keys("<esc>");
    screen.keys("b*.example.org<enter>");
    let scope = SenderScope::Project("acme/support".into());
    let wanted =
        Request::SetSender { scope: scope.clone(), pattern: "*.example.org".into(), rule: SenderRule::Block };
    assert!(screen.asked.contains(&wanted), "{:?}", screen.asked.last());
    screen.keys("x");
    let wanted = Request::RemoveSender { scope: Some(scope), pattern: "win@lottery.example".into() };
    assert!(screen.asked.contains(&wanted), "{:?}", screen.asked.last());
    screen.keys("qq:blocked senders<enter>");
    assert!(screen.text().contains("Blocked senders"), "by the palette, too");
}

#[test]
fn a_project_without_a_spam_check_is_warned_of_in_red() {
    let mut desk = FakeDesk::filled();
    desk.spam.local = false;
    let mut screen = Screen::with(100, 24, desk, Options::default());
    assert_eq!(screen.keys("P").style_of("No spam check is on").fg, Some(Color::Red));
    assert!(!shown(SMALL, "P").contains("No spam check is on"));
}

#[test]
fn projects() {
    assert_snapshot!("project_80", shown(SMALL, "Pj"));
    assert_snapshot!("project_120", shown(LARGE, "P"));
}

#[test]
fn first_start() {
    let screen = Screen::with(80, 24, FakeDesk::empty(), Options::default());
    assert_snapshot!("first_start", screen.text());
}

#[test]
fn trouble_in_the_status_line() {
    let mut desk = FakeDesk::filled();
    desk.mailboxes[0] = channel("support", ChannelState::Failing);
    desk.mailboxes[0].error = Some("login refused".into());
    desk.counts = OutboxCounts { failed: 1, sending: 2, ..OutboxCounts::default() };
    desk.triage = 2;
    let mut screen = Screen::with(120, 24, desk, Options::default());
    assert_snapshot!("trouble", screen.text());
    screen.input(Input::Desk(FromDesk::Lost { reason: "the server ended".into() }));
    assert_snapshot!("lost", screen.text());
}

#[test]
fn plain_signs() {
    let options = Options { ascii: true, no_color: true, ..Options::default() };
    let mut screen = Screen::with(120, 24, FakeDesk::filled(), options);
    let text = screen.keys("<space>").text();
    assert!(text.lines().take(3).all(str::is_ascii), "{text}");
    assert_snapshot!("ascii", text);
}

#[test]
fn every_screen_survives_small_terminals_and_every_resize() {
    let mut desk = FakeDesk::filled();
    desk.outbox = outbox_rows();
    desk.intake = intake_rows();
    let screen = Screen::with(40, 12, desk, Options::default());
    assert_snapshot!("tiny_list", screen.text());
    let mut screen = screen;
    for keys in [
        "", "<enter>", "rx", "<esc>cx", "<esc>o", "<esc>qa", "<esc>?", "<esc>:", "<esc>O", "I", "P", "qqq/x",
        "<esc>C", "<esc>H",
    ] {
        screen.keys(keys);
        for (width, height) in [(40, 12), (1, 1), (3, 50), (200, 4), (20, 8), (109, 29), (110, 30), (40, 12)]
        {
            screen.resize(width, height);
            screen.text();
        }
    }
    assert_snapshot!("tiny_thread", shown((40, 12), "<enter>"));
    assert_snapshot!("tiny_composer", shown((40, 12), "rHello"));
}

#[test]
fn colour_says_what_words_say_already() {
    let mut screen = Screen::new(80, 24);
    let title = screen.style_of("Cannot log in").add_modifier;
    assert!(title.contains(Modifier::BOLD), "an unread issue is bold");
    screen.keys("<enter>gg");
    screen.keys("<ctrl-d>");
    assert_eq!(screen.style_of("Sam Fox · INTERNAL").fg, Some(Color::Yellow));
    screen.keys("cx");
    assert_eq!(screen.style_of("INTERNAL, NOT MAILED ═").fg, Some(Color::Yellow));
    screen.keys("<esc>rx");
    assert_eq!(screen.style_of("MAILED TO").fg, Some(Color::Cyan));
}

#[test]
fn without_colour_no_cell_has_any() {
    let options = Options { no_color: true, ..Options::default() };
    let mut screen = Screen::with(120, 40, FakeDesk::filled(), options);
    for keys in ["", "<enter>", "cx", "<esc>P", "?"] {
        let buffer = screen.keys(keys).buffer();
        let plain = |c: Color| c == Color::Reset;
        assert!(buffer.content.iter().all(|cell| plain(cell.fg) && plain(cell.bg)), "{keys}");
    }
}

fn seal(state: SealState, words: &str) -> Seal {
    Seal {
        kind: SealKind::Pgp,
        state,
        encrypted: false,
        by_sender: true,
        signer: Some(words.into()),
        key: Some(words.into()),
        words: words.into(),
    }
}

#[test]
fn what_a_seal_says_is_shown_and_doubts_stand_out() {
    let styles = [
        (SealState::Valid, "signed: valid, Ada <ada@customer.test>"),
        (SealState::Broken, "signature broken"),
    ]
    .map(|(state, words)| {
        let mut desk = FakeDesk::filled();
        for note in desk.issues.iter_mut().flat_map(|issue| &mut issue.notes) {
            note.seal = Some(seal(state, words));
        }
        let mut screen = Screen::with(120, 40, desk, Options::default());
        screen.keys("<enter><enter>");
        let style = screen.style_of(words);
        assert!(screen.keys("w").text().contains(words), "{words}");
        style
    });
    let mut screen = Screen::with(120, 40, FakeDesk::filled(), Options::default());
    let warning = screen.keys("<enter><enter>").style_of("its answers go to");
    assert_eq!((styles[1].fg, styles[0].fg == warning.fg), (warning.fg, false));
}

#[test]
fn nothing_hostile_reaches_a_cell() {
    let mut desk = FakeDesk::filled();
    let evil = "evil\u{202e}\x1b[2J\x07\u{200b}\u{9b}31m\ntitle";
    desk.intake = intake_rows();
    for issue in &mut desk.issues {
        issue.row.title = evil.into();
        issue.row.author.name = Some(evil.into());
        issue.row.labels = vec![evil.into()];
        issue.sender_name = evil.into();
        for note in &mut issue.notes {
            note.body = evil.into();
            note.folded = Some(evil.into());
            note.author.name = Some(evil.into());
            note.why = Some(evil.into());
            note.warnings = vec![evil.into()];
            note.seal = Some(seal(SealState::Broken, evil));
            note.attachments.iter_mut().for_each(|a| a.name = evil.into());
        }
    }
    let mut screen = Screen::with(120, 40, desk, Options::default());
    for keys in [
        "", "<enter>", "<enter>", "w", "<esc>o", "<esc>W", "<esc>H", "<esc>h", "<esc>l", "<esc>rx", "<esc>I",
        "j",
    ] {
        let buffer = screen.keys(keys).buffer();
        for cell in &buffer.content {
            let bad = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}' | '\u{9b}');
            assert!(!cell.symbol().contains(bad), "{keys}: {:?}", cell.symbol());
        }
    }
}

#[test]
fn status_card() {
    let mut desk = FakeDesk::filled();
    desk.mailboxes[0] = channel("support", ChannelState::Failing);
    desk.mailboxes[0].error = Some("login refused".into());
    desk.mailboxes[0].hint = Some("check the password command".into());
    desk.mailboxes[0].silent = 19_873;
    assert_snapshot!("status", Screen::with(80, 24, desk, Options::default()).keys("S").text());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Whatever is pressed, wherever: nothing panics, and what is typed for one issue never goes to another.
    #[test]
    fn any_keys_on_any_size(keys in prop::collection::vec(0usize..KEYS.len(), 1..60), width in 1u16..130, height in 1u16..45) {
        let mut desk = FakeDesk::filled();
        desk.outbox = outbox_rows();
        desk.intake = intake_rows();
        let mut screen = Screen::with(width, height, desk, Options::default());
        for (n, key) in keys.iter().enumerate() {
            screen.keys(KEYS[*key]);
            screen.wait(100);
            if n % 7 == 0 {
                screen.resize(height * 3, width.min(60));
            }
            screen.text();
            if let (Some(composer), Some(thread)) = (&screen.app.composer, &screen.app.thread)
                && let Some((id, _)) = &composer.target
            {
                prop_assert_eq!(*id, thread.view.row.id);
            }
        }
    }
}

const KEYS: [&str; 66] = [
    "j",
    "k",
    "g",
    "G",
    "<ctrl-d>",
    "<ctrl-u>",
    "<enter>",
    "q",
    "<esc>",
    "<tab>",
    "1",
    "2",
    "3",
    "4",
    "5",
    "9",
    "[",
    "]",
    "J",
    "K",
    "/",
    "n",
    "N",
    ":",
    "?",
    "C",
    "r",
    "c",
    "e",
    "a",
    "i",
    "l",
    "p",
    "s",
    "x",
    "X",
    "!",
    "u",
    "z",
    "Z",
    ".",
    "<space>",
    "v",
    "*",
    "y",
    "o",
    "h",
    "H",
    "w",
    "W",
    "P",
    "O",
    "I",
    "S",
    "T",
    "<ctrl-s>",
    "<alt-enter>",
    "<alt-s>",
    "<alt-l>",
    "<alt-r>",
    "<alt-c>",
    "<ctrl-o>",
    "<backspace>",
    "<down>",
    "<up>",
    "<pagedown>",
];
