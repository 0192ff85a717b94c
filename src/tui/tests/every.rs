//! Every place at both sizes, with its colours and without any: what stands there, and in which style.

use super::desk::FakeDesk;
use super::mails::{intake_rows, outbox_rows, senders, spam_mail};
use super::{Options, Screen};
use crate::domain::OutboxCounts;
use crate::tui::keymap::{Place, places};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Each screen by a name, the place that its keys are for, and how to get there.
const SCREENS: [(&str, Place, &str); 26] = [
    ("list", Place::List, "3<space>j<space>"),
    ("thread", Place::Thread, "<enter>"),
    ("thread_top", Place::Thread, "<enter>gg"),
    ("composer", Place::Composer, "rHello Ada,<enter>see the *log*.<enter>/label ~bug"),
    ("composer_internal", Place::Composer, "cask *Sam* first"),
    ("composer_new", Place::Composer, "Ckim@example.org<enter>Your trial<enter>Hello Kim,"),
    ("query", Place::Query, "3/label:b"),
    ("query_fault", Place::Query, "3/stauts:x"),
    ("prompt", Place::Prompt, "stomorrow"),
    ("picker_assign", Place::Picker, "a"),
    ("picker_palette", Place::Picker, ":clo"),
    ("outbox", Place::Outbox, "O"),
    ("intake", Place::Intake, "I"),
    ("project", Place::Project, "P"),
    ("senders", Place::Senders, "gl"),
    ("members", Place::Members, "gu"),
    ("templates", Place::Templates, "gT"),
    ("labels", Place::Categories, "gL"),
    ("rules", Place::Rules, "gr"),
    ("canned", Place::Texts, "gC"),
    ("reports", Place::Reports, "R"),
    ("views", Place::Views, "gv"),
    ("changes", Place::Changes, "U"),
    ("help", Place::Picker, "?"),
    ("history", Place::Text, "H"),
    ("which_key", Place::List, "g"),
];
const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// A desk with something on every screen.
fn desk() -> FakeDesk {
    let mut desk = FakeDesk::filled();
    desk.outbox = outbox_rows();
    desk.counts = OutboxCounts { failed: 1, ..OutboxCounts::default() };
    desk.intake = intake_rows().into_iter().chain([spam_mail()]).collect();
    desk.senders = senders();
    desk
}

fn screen(size: (u16, u16), no_color: bool, keys: &str) -> Screen {
    let mut screen = Screen::with(size.0, size.1, desk(), Options { no_color, ..Options::default() });
    screen.keys(keys);
    screen
}

/// Gives the runs of cells that are not plain, line by line.
pub(super) fn styles(buffer: &Buffer) -> String {
    let mut written = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in 0..buffer.area.width {
            let word = word(buffer[(x, y)].style());
            match runs.last_mut() {
                Some((_, end, same)) if *same == word && *end == x => *end = x + 1,
                _ => runs.push((x, x + 1, word)),
            }
        }
        let runs: Vec<_> = runs.iter().filter(|(.., word)| !word.is_empty()).collect();
        if !runs.is_empty() {
            write!(written, "{y:>2}:").unwrap();
            runs.iter().for_each(|(from, end, word)| write!(written, " {from}-{end} {word};").unwrap());
            written.push('\n');
        }
    }
    written
}

fn word(style: ratatui::style::Style) -> String {
    let colour = |name: &str, colour: Option<Color>| match colour {
        None | Some(Color::Reset) => None,
        Some(colour) => Some(format!("{name}{colour}")),
    };
    let marks = style.add_modifier.iter_names().map(|(name, _)| name.to_lowercase());
    let words = colour("", style.fg).into_iter().chain(colour("on ", style.bg)).chain(marks);
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_place_looks_so_with_its_colours_and_without_any() {
    for size in SIZES {
        for (name, place, keys) in SCREENS {
            let [coloured, bare] = [false, true].map(|no_color| screen(size, no_color, keys));
            assert_eq!(coloured.app.place(), place, "{name}:\n{}", coloured.text());
            assert_eq!(coloured.text(), bare.text(), "{name}: a colour is no word");
            let without = bare.buffer();
            let has_colour = |style: ratatui::style::Style| {
                [style.fg, style.bg].iter().flatten().any(|colour| *colour != Color::Reset)
            };
            let coloured_cell = without.content().iter().find(|cell| has_colour(cell.style()));
            assert_eq!(coloured_cell, None, "{name}: a colour although there are to be none");
            let (text, colours, weights) = (bare.text(), styles(&coloured.buffer()), styles(&without));
            let shown = format!("{text}\n\n-- colours --\n{colours}\n-- NO_COLOR --\n{weights}");
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), shown);
        }
    }
}

#[test]
fn no_place_is_left_out() {
    let shown: BTreeSet<&str> = SCREENS.iter().map(|(_, place, _)| place.name()).collect();
    let left: Vec<&str> = places().filter(|name| *name != "all" && !shown.contains(name)).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What is selected, marked or at fault shows without colour, too.
#[test]
fn what_a_colour_says_a_weight_says_as_well() {
    for (name, _, keys) in SCREENS {
        let [coloured, bare] = [false, true].map(|no_color| screen((80, 24), no_color, keys).buffer());
        let turned = |buffer: &Buffer| {
            let all = buffer.content().iter();
            all.filter(|cell| cell.modifier.contains(Modifier::REVERSED)).count()
        };
        let is_bar = turned(&coloured) > 0 || coloured.content().iter().any(|cell| cell.bg != Color::Reset);
        assert!(!is_bar || turned(&bare) > 0, "{name}: nothing tells what is selected");
    }
}
