//! Each verb of the keymap, on the cursor and on marks, in the list and in the thread: what the desk is asked for.

use super::Screen;
use super::desk::FakeDesk;
use crate::domain::*;
use crate::tui::action::Action;
use crate::tui::keymap::Place;
use crate::tui::setup::Options;
use std::collections::BTreeSet;

/// What a key does.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Changes issues, after these further keys: what the desk is then asked for, of one and of several.
    Acts { one: (&'static str, &'static str), several: (&'static str, &'static str) },
    /// Changes the note in front, so that it does nothing on the list.
    Note { keys: &'static str, asks: &'static str },
    /// Asks the desk for this, which is about no issue that is chosen here.
    Desk(&'static str),
    /// Changes nothing, for this reason; the marks stay.
    Looks(&'static str),
    /// Changes the marks, or shows another list, and asks for no change.
    Marks(&'static str),
}
use Does::{Desk, Looks, Marks, Note};

/// The same for one and for several.
const fn acts(keys: &'static str, asks: &'static str) -> Does {
    Does::Acts { one: (keys, asks), several: (keys, asks) }
}

/// Every verb of list and thread.
const VERBS: &[(Action, Does)] = &[
    (Action::Reply, acts("Hello<ctrl-s>", "reply Hello")),
    (Action::Comment, acts("Hello<ctrl-s>", "comment Hello")),
    (Action::Editor, acts("Hello<ctrl-s>", "reply Hello")),
    (
        Action::Canned,
        Does::Acts {
            one: ("thanks<enter><ctrl-s>", "reply Thank you, Ada."),
            several: ("thanks<enter><ctrl-s>", "reply Thank you, %{REQUESTER_FIRST_NAME}."),
        },
    ),
    (Action::Close, acts("", "[Close]")),
    (Action::Reopen, acts("", "[Reopen]")),
    (Action::Take, acts("", "[Assign(\"me\")]")),
    (Action::Assign, acts("sam<enter>", "[Assign(\"sam\")]")),
    (Action::HandOver, acts("sam<enter>call her<enter>", "comment /assign @sam\n@sam call her")),
    (Action::Labels, acts("billing<enter>", "[Label(\"billing\")]")),
    (Action::Priority, acts("urg<enter>", "[Priority(Some(Urgent))]")),
    (Action::Snooze, acts("<enter>", "[Snooze(None)]")),
    (Action::Spam, acts("", "[Spam(true)]")),
    (
        Action::Merge,
        Does::Acts {
            one: ("117<enter><enter>", "merge into #117"),
            several: ("119<enter><enter>", "merge into #119"),
        },
    ),
    (Action::Unmerge, acts("", "unmerge")),
    (Action::Link, acts("117<enter>", "link to #117")),
    (Action::Move, acts("office<enter>", "[MoveTo(\"acme/office\")]")),
    (Action::SetStatus, acts("pend<enter>", "[Status(Pending)]")),
    (Action::Milestone, acts("1.0<enter>", "[Milestone(Some(\"1.0\"))]")),
    (Action::Due, acts("<enter>", "[Due(None)]")),
    (Action::Weight, acts("5<enter>", "[Weight(Some(5))]")),
    (Action::Estimate, acts("1h<enter>", "[Estimate(Some(3600))]")),
    (Action::Spend, acts("-30m<enter>", "[Spend(-1800)]")),
    (Action::ToTicket, acts("zoe@example.com<enter>", "ticket of zoe@example.com")),
    (Action::Title, acts("<ctrl-a>Other<enter>", "title")),
    (Action::Macros, acts("f", "macro refund")),
    (Action::Unread, acts("", "unread")),
    (Action::Repeat, acts("", "[Priority(None)]")),
    (Action::Split, Note { keys: "<enter>", asks: "split" }),
    (Action::Forward, Note { keys: "kim@example.org<enter>", asks: "forward" }),
    (Action::Quote, Looks("quotes the note in front in what is being written")),
    (Action::Undo, Desk("Undo")),
    (Action::Redo, Desk("Redo")),
    (Action::SyncNow, Desk("SyncNow")),
    (Action::Copy, Looks("copies all that are marked, and changes nothing")),
    (Action::OpenLink, Looks("offers the files and links of one issue")),
    (Action::Author, Looks("shows one person")),
    (Action::History, Looks("shows the history of one issue")),
    (Action::Why, Looks("explains one note")),
    (Action::Raw, Looks("shows one mail")),
    (Action::Original, Looks("shows one mail in the browser")),
    (Action::Images, Looks("shows pictures or puts them away")),
    (Action::Similar, Looks("shows what is like one issue")),
    (Action::Follow, Looks("goes along with a person")),
    (Action::NewIssue, Looks("begins an issue that is not there yet")),
    (Action::Open, Looks("opens the one in front, or a fold of it")),
    (Action::NextBest, Looks("opens another issue")),
    (Action::NextIssue, Looks("opens another issue")),
    (Action::PrevIssue, Looks("opens another issue")),
    (Action::Down, Looks("moves")),
    (Action::Up, Looks("moves")),
    (Action::Top, Looks("moves")),
    (Action::Bottom, Looks("moves")),
    (Action::HalfDown, Looks("moves")),
    (Action::HalfUp, Looks("moves")),
    (Action::PageDown, Looks("moves")),
    (Action::PageUp, Looks("moves")),
    (Action::Pane, Looks("moves to the other pane")),
    (Action::NextNote, Looks("moves in the preview or the thread")),
    (Action::PrevNote, Looks("moves in the preview or the thread")),
    (Action::NextHit, Looks("moves")),
    (Action::Query, Looks("begins a query; the marks go with the rows, once it is another one")),
    (Action::Palette, Looks("offers the commands")),
    (Action::Help, Looks("shows the keys")),
    (Action::Projects, Looks("another screen")),
    (Action::Outbox, Looks("another screen")),
    (Action::Intake, Looks("another screen")),
    (Action::Status, Looks("shows how the desk is doing")),
    (Action::SpamMails, Looks("another screen")),
    (Action::Senders, Looks("another screen")),
    (Action::Notifications, Looks("shows what one is told by mail")),
    (Action::Members, Looks("another screen")),
    (Action::Templates, Looks("another screen")),
    (Action::Categories, Looks("another screen")),
    (Action::Rules, Looks("another screen")),
    (Action::KeptTexts, Looks("another screen")),
    (Action::Views, Looks("another screen")),
    (Action::Changes, Looks("another screen")),
    (Action::Reports, Looks("another screen")),
    (Action::SaveView, Looks("asks for the name of a view")),
    (Action::Suspend, Looks("to the shell")),
    (Action::Redraw, Looks("draws anew")),
    (Action::Mouse, Looks("is about the terminal")),
    (Action::Tour, Looks("shows the tour")),
    (Action::Quit, Looks("leaves")),
    (Action::Mark, Marks("marks")),
    (Action::Range, Marks("begins a range")),
    (Action::MarkAll, Marks("takes all marks off, where there are some")),
    (Action::Back, Marks("takes the marks off")),
    (Action::Leave, Marks("takes the marks off")),
    (Action::View(1), Marks("another list")),
    (Action::View(2), Marks("another list")),
    (Action::View(3), Marks("another list")),
    (Action::View(4), Marks("another list")),
    (Action::View(5), Marks("another list")),
    (Action::View(6), Marks("another list")),
    (Action::View(7), Marks("another list")),
    (Action::View(8), Marks("another list")),
    (Action::View(9), Marks("another list")),
];

/// Gives what is changed, in a word, and of which issues; `None` for what only looks, and for a draft.
fn change(request: &Request) -> Option<(String, BTreeSet<u64>)> {
    let all = |references: &[Reference]| references.iter().map(|reference| reference.iid).collect();
    let kind = |internal: bool| if internal { "comment" } else { "reply" };
    Some(match request {
        Request::SaveDraft(_) | Request::DropDraft { .. } | Request::Merge { dry_run: true, .. } => {
            return None;
        }
        Request::MarkRead { read: true, .. } => return None,
        Request::Edit { references, edits } => {
            let said = match edits.as_slice() {
                [Edit::Title(_)] => "title".to_owned(),
                [Edit::Link(to)] => format!("link to #{}", to.iid),
                [Edit::ConvertToTicket(whose)] => format!("ticket of {whose}"),
                edits => format!("{edits:?}"),
            };
            (said, all(references))
        }
        Request::RunMacro { name, references, .. } => (format!("macro {name}"), all(references)),
        Request::Merge { references, into, .. } => (format!("merge into #{}", into.iid), all(references)),
        Request::Unmerge(reference) => ("unmerge".into(), [reference.iid].into()),
        Request::UnmergeMany(references) => ("unmerge".into(), all(references)),
        Request::MarkManyRead { references, .. } => ("unread".into(), all(references)),
        Request::MarkRead { reference, .. } => ("unread".into(), [reference.iid].into()),
        Request::NoteMany(many) => (format!("{} {}", kind(many.internal), many.text), all(&many.references)),
        Request::AddNote(new) => (format!("{} {}", kind(new.internal), new.text), [new.reference.iid].into()),
        Request::Split(split) => ("split".into(), [split.reference.iid].into()),
        Request::Forward(forward) => ("forward".into(), [forward.reference.iid].into()),
        other if other.is_change() => (format!("{other:?}"), BTreeSet::new()),
        _ => return None,
    })
}

/// Writes keys as a screen of the tests takes them.
fn typed(keys: &str) -> String {
    let one =
        |key: &str| if key.chars().count() > 1 { format!("<{}>", key.to_lowercase()) } else { key.into() };
    keys.split(' ').map(one).collect()
}

/// A list of six, with the cursor on the first, and three marks elsewhere if wanted.
fn screen(marks: bool, thread: bool) -> Screen {
    let mut desk = FakeDesk::filled();
    desk.projects.push(ProjectView { path: "acme/office".into(), ..desk.projects[0].clone() });
    let mut screen = Screen::with(120, 40, desk, Options::default());
    screen.keys("3").keys(if marks { "j<space><space><space>gg" } else { "" });
    if thread {
        screen.keys("<enter>gg");
    }
    // Something has to be there to repeat.
    screen.app.last_edits = vec![Edit::Priority(None)];
    screen.forget();
    screen
}

/// Presses a key and what follows it; gives the screen and every change it asked for.
fn pressed(mut screen: Screen, key: &str, more: &str) -> (Screen, Vec<(String, BTreeSet<u64>)>) {
    screen.keys(&typed(key)).keys(more);
    let asked = screen.asked.iter().filter_map(change).collect();
    (screen, asked)
}

fn does(action: Action) -> Does {
    let row = VERBS.iter().find(|(verb, _)| *verb == action);
    row.unwrap_or_else(|| panic!("{action:?} has a key: say what it does on the cursor and on marks")).1
}

const FRONT: [u64; 1] = [128];
const MARKED: [u64; 3] = [127, 121, 119];

fn marked(screen: &Screen) -> BTreeSet<u64> {
    screen.app.list.marks.values().map(|reference| reference.iid).collect()
}

fn one_step(asks: &str, issues: &[u64]) -> Vec<(String, BTreeSet<u64>)> {
    vec![(asks.to_owned(), issues.iter().copied().collect())]
}

#[test]
fn each_verb_of_the_list_acts_on_the_cursor_and_on_marks_in_one_step() {
    for (action, keys) in Screen::new(120, 40).app.keymap.listing(Place::List) {
        for key in &keys {
            let (on_cursor, on_marks) = (screen(false, false), screen(true, false));
            assert_eq!((marked(&on_cursor).len(), marked(&on_marks)), (0, MARKED.into()));
            let asks = match does(action) {
                Does::Acts { one, several } => {
                    let (_, asked) = pressed(on_cursor, key, one.0);
                    assert_eq!(asked, one_step(one.1, &FRONT), "{key} ({action:?}) on the cursor");
                    let (_, asked) = pressed(on_marks, key, several.0);
                    assert_eq!(asked, one_step(several.1, &MARKED), "{key} ({action:?}) on marks");
                    continue;
                }
                Desk(asks) => one_step(asks, &[]),
                Note { .. } | Looks(_) | Marks(_) => vec![],
            };
            for before in [on_cursor, on_marks] {
                let marks = marked(&before);
                let (after, asked) = pressed(before, key, "");
                assert_eq!(asked, asks, "{key} ({action:?})");
                if !matches!(does(action), Marks(_)) {
                    assert_eq!(marked(&after), marks, "{key} ({action:?}) leaves the marks alone");
                }
            }
        }
    }
}

#[test]
fn each_verb_of_the_thread_acts_on_what_is_read_and_leaves_the_marks_of_the_list() {
    for (action, keys) in Screen::new(120, 40).app.keymap.listing(Place::Thread) {
        for key in &keys {
            let (more, asks) = match does(action) {
                Does::Acts { one, .. } => (one.0, one_step(one.1, &FRONT)),
                Note { keys, asks } => (keys, one_step(asks, &FRONT)),
                Desk(asks) => ("", one_step(asks, &[])),
                Looks(_) | Marks(_) => ("", vec![]),
            };
            for marks in [false, true] {
                let before = screen(marks, true);
                let marks = marked(&before);
                let (after, asked) = pressed(before, key, more);
                assert_eq!(asked, asks, "{key} ({action:?}) with {} marks", marks.len());
                if !matches!(action, Action::View(_)) {
                    assert_eq!(marked(&after), marks, "{key} ({action:?}) leaves the marks alone");
                }
            }
        }
    }
}

#[test]
fn no_row_is_for_a_verb_without_a_key() {
    let keymap = Screen::new(120, 40).app.keymap;
    let bound: BTreeSet<Action> = [Place::List, Place::Thread]
        .into_iter()
        .flat_map(|place| keymap.listing(place))
        .map(|(action, _)| action)
        .collect();
    let named: BTreeSet<Action> = VERBS.iter().map(|(action, _)| *action).collect();
    assert_eq!(named.symmetric_difference(&bound).collect::<Vec<_>>(), Vec::<&Action>::new());
    assert_eq!(named.len(), VERBS.len(), "one row for each");
    for (action, does) in VERBS {
        if let Looks(why) | Marks(why) = does {
            assert!(!why.is_empty(), "{action:?} acts on no issue: say why");
        }
    }
}

#[test]
fn a_verb_that_turns_something_over_looks_at_the_marked_issues_and_not_at_the_cursor() {
    let mut screen = screen(false, false);
    for row in &mut screen.app.list.rows {
        (row.spam, row.labels) = (row.iid != 128, vec!["billing".into()]);
    }
    screen.app.list.rows[0].labels.clear();
    screen.keys("j<space><space>gg").forget();
    screen.keys("lbilling<enter>").keys("j<space><space>gg");
    for row in &mut screen.app.list.rows {
        row.spam = row.iid != 128;
    }
    screen.keys("!");
    let asked: Vec<_> = screen.asked.iter().filter_map(change).map(|(asked, _)| asked).collect();
    assert_eq!(asked, ["[Unlabel(\"billing\")]", "[Spam(false)]"]);
}
