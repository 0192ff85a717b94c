//! Pictures of reports made of text: bars and squares, for the screen and for the command line.
//!
//! Pure: a report and a width give lines of pieces; who shows them knows what an ink looks like.

use super::clean;
use crate::domain::report::{Column, Picture, Report, ReportName, ReportRow, in_words};
use jiff::tz::TimeZone;

/// What a piece of text is, so that it can be told apart with and without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Dim,
    Strong,
    /// The first bar of a row, and squares.
    First,
    /// The second bar of a row.
    Second,
}

/// A text of one ink.
pub type Piece = (Ink, String);

/// The signs that pictures are made of.
struct Signs {
    /// From an eighth of a cell to a whole one.
    eighths: &'static [&'static str],
    second: &'static str,
    squares: [&'static str; 5],
    dot: &'static str,
    ellipsis: &'static str,
}

const BLOCKS: Signs = Signs {
    eighths: &["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    second: "▒",
    squares: [" ", "░", "▒", "▓", "█"],
    dot: "·",
    ellipsis: "…",
};
const ASCII: Signs =
    Signs { eighths: &["#"], second: "=", squares: [" ", ".", ":", "+", "#"], dot: "-", ellipsis: "~" };

/// Blanks between columns, where there is room.
const GAP: usize = 2;
/// The narrowest bar.
const BAR_MIN: usize = 6;
const LABEL_MAX: usize = 28;
/// So many cells of a label are worth more than a second blank between columns.
const LABEL_MIN: usize = 16;

/// Draws a report, without its title, into lines of at most `width` cells.
pub fn lines(report: &Report, width: usize, ascii: bool) -> Vec<Vec<Piece>> {
    let signs = if ascii { &ASCII } else { &BLOCKS };
    let mut lines = figures(report, width, signs);
    if report.rows.is_empty() {
        lines.push(vec![(Ink::Plain, "Nothing was counted.".to_owned())]);
        return lines;
    }
    if !lines.is_empty() {
        lines.push(Vec::new());
    }
    lines.extend(match report.picture {
        Picture::Bars(bars) => table(report, bars, width, signs),
        Picture::Heat => heat(report, width, signs),
    });
    lines
}

/// Says what a report is about: its time, its query, how many issues it looked at.
pub fn about(report: &Report) -> String {
    let zone = TimeZone::get(&report.time_zone).unwrap_or_else(|_| TimeZone::system());
    let day = |at: jiff::Timestamp| at.to_zoned(zone.clone()).date();
    let issues = match report.issues {
        1 => "1 issue".to_owned(),
        many => format!("{many} issues"),
    };
    let query = clean::line(&report.query);
    let of = if query.is_empty() { String::new() } else { format!(" of `{query}`") };
    format!(
        "{} to {}, {issues}{of}, days in {}",
        day(report.since),
        day(report.until),
        clean::line(&report.time_zone)
    )
}

/// Says the figures, those of one name in one paragraph.
fn figures(report: &Report, width: usize, signs: &Signs) -> Vec<Vec<Piece>> {
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    let mut group: Option<&str> = None;
    for figure in &report.figures {
        let (head, word) = match figure.name.rsplit_once(", ") {
            Some((head, word)) => (Some(head), word),
            None => (None, figure.name.as_str()),
        };
        let value = in_words(figure.value, figure.unit);
        let begins = lines.is_empty() || head != group;
        if begins {
            lines.push(head.map(|head| (Ink::Strong, format!("{head}  "))).into_iter().collect());
            group = head;
        }
        let indent = head.map_or(0, |head| clean::width(head) + 2);
        let used = |line: &[Piece]| line.iter().map(|(_, text)| clean::width(text)).sum::<usize>();
        let piece = format!("{word} {value}");
        let between = if begins { String::new() } else { format!("  {}  ", signs.dot) };
        let full = lines.last().is_some_and(|line| used(line) + between.len() + piece.len() > width);
        if full && !begins {
            lines.push(vec![(Ink::Plain, " ".repeat(indent))]);
        }
        if let Some(line) = lines.last_mut() {
            if !begins && !full {
                line.push((Ink::Dim, between));
            }
            line.push((Ink::Dim, format!("{word} ")));
            line.push((Ink::Strong, value));
        }
    }
    lines
}

fn table(report: &Report, bars: usize, width: usize, signs: &Signs) -> Vec<Vec<Piece>> {
    let widths: Vec<usize> =
        report.columns.iter().enumerate().map(|(i, c)| cell_width(report, i, c)).collect();
    let widest = report.rows.iter().map(|row| clean::width(&clean::line(&row.label))).max().unwrap_or(0);
    let taken = |gap: usize| widths.iter().map(|width| width + gap).sum::<usize>();
    let gap = if taken(GAP) + widest.min(LABEL_MIN) > width { 1 } else { GAP };
    let cells = taken(gap);
    let label = widest.clamp(4, LABEL_MAX).min(width.saturating_sub(cells).max(4));
    let room = width.saturating_sub(label + cells + GAP * bars);
    let bar = room.checked_div(bars).unwrap_or(0);
    let bar = if bar < BAR_MIN { 0 } else { bar };
    let most = report.rows.iter().flat_map(|row| row.cells.iter().take(bars)).flatten().max().copied();
    let mut head = vec![(Ink::Dim, " ".repeat(label))];
    let names = report.columns.iter().zip(&widths);
    let blank = " ".repeat(gap);
    head.extend(
        names.map(|(c, width)| (Ink::Dim, format!("{blank}{}", clean::fit_right(&c.name, *width, "")))),
    );
    let row = |row: &ReportRow| {
        let name = clean::fit(&clean::line(&row.label), label, signs.ellipsis);
        let mut line = vec![(Ink::Plain, name)];
        for ((cell, column), width) in row.cells.iter().zip(&report.columns).zip(&widths) {
            let ink = if matches!(cell, None | Some(0)) { Ink::Dim } else { Ink::Plain };
            let words = in_words(*cell, column.unit);
            line.push((ink, format!("{blank}{}", clean::fit_right(&words, *width, ""))));
        }
        for (place, cell) in row.cells.iter().take(bars).enumerate().filter(|_| bar > 0) {
            let (ink, drawn) = match place {
                0 => (Ink::First, first_bar(cell.unwrap_or(0), most.unwrap_or(0), bar, signs)),
                _ => (Ink::Second, second_bar(cell.unwrap_or(0), most.unwrap_or(0), bar, signs)),
            };
            line.push((ink, format!("  {}", clean::fit(&drawn, bar, ""))));
        }
        line
    };
    let mut lines = vec![head];
    // What was yesterday is asked for more often than what was a year ago.
    match report.name {
        ReportName::Volume => lines.extend(report.rows.iter().rev().map(row)),
        _ => lines.extend(report.rows.iter().map(row)),
    }
    lines
}

fn cell_width(report: &Report, place: usize, column: &Column) -> usize {
    let words =
        report.rows.iter().filter_map(|row| row.cells.get(place)).map(|cell| in_words(*cell, column.unit));
    words.map(|words| words.len()).chain([column.name.len()]).max().unwrap_or(0)
}

/// Draws a bar to an eighth of a cell; what is more than nothing shows.
fn first_bar(value: i64, most: i64, width: usize, signs: &Signs) -> String {
    let steps = signs.eighths.len();
    let length = share(value, most, width * steps);
    let whole = signs.eighths.last().copied().unwrap_or("#").repeat(length / steps);
    let rest = (length % steps).checked_sub(1).and_then(|rest| signs.eighths.get(rest));
    whole + rest.copied().unwrap_or("")
}

fn second_bar(value: i64, most: i64, width: usize, signs: &Signs) -> String {
    signs.second.repeat(share(value, most, width))
}

/// Gives the part of `steps` that a value has, at least one where it is more than nothing.
fn share(value: i64, most: i64, steps: usize) -> usize {
    let (Ok(value), Ok(most)) = (usize::try_from(value), usize::try_from(most)) else { return 0 };
    let part = (value * steps).checked_div(most).unwrap_or(0);
    if value > 0 { part.max(1) } else { 0 }
}

fn heat(report: &Report, width: usize, signs: &Signs) -> Vec<Vec<Piece>> {
    let total = |row: &ReportRow| row.cells.iter().flatten().sum::<i64>();
    let most = report.rows.iter().flat_map(|row| &row.cells).flatten().max().copied().unwrap_or(0);
    let digits = report.rows.iter().map(|row| total(row).to_string().len()).max().unwrap_or(1).max(3);
    // A label, the squares, the sum.
    let square = ((width.saturating_sub(4 + GAP + digits)) / report.columns.len().max(1)).clamp(1, 4);
    let mut head = " ".repeat(4);
    for hour in report.columns.iter().step_by(3) {
        head.push_str(&clean::fit(&hour.name, square * 3, ""));
    }
    let mut lines = vec![vec![(Ink::Dim, head + &format!("  {}", clean::fit_right("all", digits, "")))]];
    for row in &report.rows {
        let squares: String = row
            .cells
            .iter()
            .map(|cell| {
                signs.squares.get(share(cell.unwrap_or(0), most, 4)).copied().unwrap_or(" ").repeat(square)
            })
            .collect();
        lines.push(vec![
            (Ink::Plain, clean::fit(&row.label, 4, "")),
            (Ink::First, squares),
            (Ink::Plain, format!("  {}", clean::fit_right(&total(row).to_string(), digits, ""))),
        ]);
    }
    let from = |step: i64| (most * step + 3) / 4;
    // With few mails a step may begin where the next one does; then no square has it.
    let used = |step: &i64| *step == 4 || from(*step).max(1) != from(*step + 1).max(1);
    let legend = (1..=4).filter(used).map(|step| {
        let sign =
            usize::try_from(step).ok().and_then(|step| signs.squares.get(step)).copied().unwrap_or(" ");
        format!("{} {} or more", sign.repeat(2), from(step).max(1))
    });
    lines.push(Vec::new());
    lines.push(vec![(Ink::Dim, format!("    {}", legend.collect::<Vec<_>>().join("   ")))]);
    lines
}
