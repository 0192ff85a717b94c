//! `deskbell report NAME`: figures and plots, as text, CSV, JSON or one page of HTML.

mod html;

use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::report::Report as Figures;
use crate::domain::{AskedReport, ReportName, Request, Response};
use crate::tui::picture::{self, Ink};
use anyhow::Result;
use clap::{Args, ValueEnum};
use std::io::IsTerminal;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Csv,
    Json,
    Html,
}

/// A report.
#[derive(Debug, Args)]
pub struct Report {
    /// volume, backlog, response, resolution, hours, clocks, projects, labels, assignees or ratings.
    #[arg(value_parser = name)]
    name: ReportName,
    /// Which issues count, in the query language; all, unless given.
    #[arg(default_value = "")]
    query: String,
    /// From when: a date, a moment, or how long before the end; the last 30 days, unless given.
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Until when; a date means its end. Now, unless given.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Draws with plain characters.
    #[arg(long)]
    ascii: bool,
}

fn name(word: &str) -> Result<ReportName, String> {
    ReportName::read(word).map_err(|fault| format!("{}; {}", fault.message, fault.hint.unwrap_or_default()))
}

/// Makes a report and prints it.
pub async fn run(here: &Here, asked: Report) -> Result<u8> {
    let Report { name, query, since, until, format, ascii } = asked;
    let report = match ask(here, Request::Report(AskedReport { name, query, since, until })).await? {
        Response::Figures(report) => *report,
        other => return Err(unexpected(&other).into()),
    };
    let out = match format {
        Format::Json => return Ok(print::json(&report).map(|()| 0)?),
        _ if here.json => return Ok(print::json(&report).map(|()| 0)?),
        Format::Text => text(&report, ascii || here.config.ui.ascii || here.config.ui.plain),
        Format::Csv => csv(&report),
        Format::Html => html::page(&report),
    };
    print::bytes(out.as_bytes())?;
    Ok(0)
}

fn text(report: &Figures, ascii: bool) -> String {
    let terminal = std::io::stdout().is_terminal();
    let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.or_else(crate::tui::terminal_width).unwrap_or(100).clamp(40, 160);
    let mut out = format!("{}\n{}\n\n", report.title, print::line(&picture::about(report)));
    for line in picture::lines(report, width, ascii) {
        let mut row = String::new();
        for (ink, text) in &line {
            match code(*ink).filter(|_| terminal && !wants_none) {
                Some(code) => row.push_str(&format!("\x1b[{code}m{text}\x1b[0m")),
                None => row.push_str(text),
            }
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

/// Gives how a terminal is told an ink (ECMA-48, SGR).
fn code(ink: Ink) -> Option<&'static str> {
    match ink {
        Ink::Plain => None,
        Ink::Dim => Some("2"),
        Ink::Strong => Some("1"),
        Ink::First => Some("36"),
        Ink::Second => Some("33"),
    }
}

/// Writes the table (RFC 4180). Times are seconds. A text that a spreadsheet would take for a formula gets an
/// apostrophe before it.
fn csv(report: &Figures) -> String {
    let heads = report.columns.iter().map(|column| field(&column.name));
    let head: Vec<String> = std::iter::once(field("name")).chain(heads).collect();
    let mut out = head.join(",") + "\r\n";
    for row in &report.rows {
        let cells = row.cells.iter().map(|cell| cell.map_or(String::new(), |value| value.to_string()));
        let cells: Vec<String> = std::iter::once(field(&row.label)).chain(cells).collect();
        out.push_str(&(cells.join(",") + "\r\n"));
    }
    out
}

fn field(text: &str) -> String {
    let text = print::line(text);
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '|', '%']);
    let text = if formula { format!("'{text}") } else { text };
    match text.contains([',', '"', '\n', '\r', '\'', ';']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::{Column, Picture, ReportRow, Unit};

    pub fn report(label: &str) -> Figures {
        Figures {
            name: ReportName::Labels,
            title: ReportName::Labels.title().to_owned(),
            query: "label:<script>".to_owned(),
            since: "2026-03-01T00:00:00Z".parse().unwrap(),
            until: "2026-03-02T00:00:00Z".parse().unwrap(),
            time_zone: "UTC".to_owned(),
            issues: 3,
            figures: vec![],
            columns: vec![Column { name: "opened".to_owned(), unit: Unit::Count }],
            rows: vec![ReportRow { label: label.to_owned(), cells: vec![Some(3)] }],
            picture: Picture::Bars(1),
        }
    }

    #[test]
    fn no_spreadsheet_takes_a_text_for_a_formula() {
        for (label, line) in [
            ("bug", "bug,3\r\n"),
            ("=1+1", "\"'=1+1\",3\r\n"),
            ("@SUM(A1)", "\"'@SUM(A1)\",3\r\n"),
            (" -2", "\"' -2\",3\r\n"),
            ("a,\"b\"", "\"a,\"\"b\"\"\",3\r\n"),
        ] {
            assert_eq!(csv(&report(label)), format!("name,opened\r\n{line}"), "{label}");
        }
    }

    #[test]
    fn no_text_becomes_part_of_the_page() {
        let page = html::page(&report("<b onload=\"x\">&</b>\u{202e}"));
        assert!(!page.contains("<b ") && !page.contains("<script>"), "{page}");
        assert!(page.contains("&lt;b onload=&quot;x&quot;&gt;&amp;&lt;/b&gt;"), "{page}");
        assert!(
            !page.contains("http://")
                || page.matches("http").count() == page.matches("http://www.w3.org/2000/svg").count()
        );
    }

    #[test]
    fn without_a_terminal_there_is_no_colour() {
        assert!(!text(&report("bug"), true).contains('\x1b'));
        assert!(text(&report("bug"), true).is_ascii());
    }
}
