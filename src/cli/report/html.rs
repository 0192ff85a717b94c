//! A report as one page of HTML that needs nothing else: a plot in SVG, its table, no script.

use super::super::print;
use crate::domain::report::{Column, Picture, Report, ReportRow, in_words};
use crate::tui::picture;
use std::fmt::Write;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1b1b;background:#fff}\
h1{font-size:1.4rem;margin-bottom:0}p{color:#555}dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem}dt{color:#555;font-size:.85rem}\
dd{margin:0;font-weight:600}table{border-collapse:collapse;margin-top:1.5rem}th,td{padding:.2rem .6rem;text-align:right}div{overflow-x:auto}\
th:first-child,td:first-child{text-align:left}tr:nth-child(even){background:#f4f4f4}svg{width:100%;height:auto}\
.a{fill:#0b6e8a}.b{fill:#d08a1c}text{font-size:10px;fill:#555}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}tr:nth-child(even){background:#222}p,dt{color:#aaa}text{fill:#aaa}}";

const WIDTH: usize = 900;
const HEIGHT: usize = 220;
/// Room above the bars, for what they mean.
const TOP: usize = 24;

/// Writes the page.
pub fn page(report: &Report) -> String {
    let title = escaped(&report.title);
    let figures: String = report
        .figures
        .iter()
        .map(|figure| {
            let value = escaped(&in_words(figure.value, figure.unit));
            format!("<div><dt>{}</dt><dd>{value}</dd></div>", escaped(&figure.name))
        })
        .collect();
    let plot = match report.picture {
        _ if report.rows.is_empty() => "<p>Nothing was counted.</p>".to_owned(),
        Picture::Bars(bars) => bar_plot(report, bars),
        Picture::Heat => heat_plot(report),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{}</p>\n<dl>{figures}</dl>\n{plot}\n{}\n</body>\n</html>\n",
        escaped(&picture::about(report)),
        table(report)
    )
}

fn escaped(text: &str) -> String {
    let line = print::line(text);
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

fn table(report: &Report) -> String {
    let head: String =
        report.columns.iter().map(|column| format!("<th>{}</th>", escaped(&column.name))).collect();
    let row = |row: &ReportRow| {
        let cell = |(cell, column): (&Option<i64>, &Column)| {
            format!("<td>{}</td>", escaped(&in_words(*cell, column.unit)))
        };
        let cells: String = row.cells.iter().zip(&report.columns).map(cell).collect();
        format!("<tr><td>{}</td>{cells}</tr>\n", escaped(&row.label))
    };
    let rows: String = report.rows.iter().map(row).collect();
    format!("<div><table>\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>")
}

/// Begins a plot; what it shows is said for who cannot see it.
fn svg(height: usize, says: &str, inside: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">{inside}</svg>",
        escaped(says)
    )
}

/// Draws upright bars, those of one row side by side.
fn bar_plot(report: &Report, bars: usize) -> String {
    let most = report.rows.iter().flat_map(|row| row.cells.iter().take(bars)).flatten().max().copied();
    let most = most.unwrap_or(0).max(1);
    let step = WIDTH as f64 / report.rows.len().max(1) as f64;
    let thick = (step * 0.8 / bars.max(1) as f64).min(40.0);
    let every = report.rows.len().div_ceil(12).max(1);
    let mut inside = String::new();
    for (place, row) in report.rows.iter().enumerate() {
        let left = place as f64 * step;
        for (bar, (cell, column)) in row.cells.iter().take(bars).zip(&report.columns).enumerate() {
            let value = cell.unwrap_or(0);
            let height = value as f64 / most as f64 * HEIGHT as f64;
            let (x, y) = (left + bar as f64 * thick, (HEIGHT + TOP) as f64 - height);
            let class = if bar == 0 { "a" } else { "b" };
            let says = format!("{}, {}: {}", row.label, column.name, in_words(*cell, column.unit));
            let _ = write!(
                inside,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{thick:.1}\" height=\"{height:.1}\"><title>{}</title></rect>",
                escaped(&says)
            );
        }
        if place % every == 0 {
            let label = print::cut(&print::line(&row.label), 16);
            let _ = write!(
                inside,
                "<text x=\"{left:.1}\" y=\"{}\">{}</text>",
                HEIGHT + TOP + 14,
                escaped(&label)
            );
        }
    }
    let _ = write!(inside, "<text x=\"0\" y=\"9\">{most}</text>");
    let names: Vec<&str> = report.columns.iter().take(bars).map(|column| column.name.as_str()).collect();
    let key = names.iter().zip(["a", "b"]).enumerate().map(|(place, (name, class))| {
        let x = 700 + place * 100;
        format!("<rect class=\"{class}\" x=\"{x}\" y=\"1\" width=\"8\" height=\"8\"/><text x=\"{}\" y=\"9\">{}</text>", x + 12, escaped(name))
    });
    let inside = inside + &key.collect::<String>();
    svg(HEIGHT + TOP + 20, &format!("{}: {}", report.title, names.join(", ")), &inside)
}

/// Draws a square for each cell, the darker the more.
fn heat_plot(report: &Report) -> String {
    let most = report.rows.iter().flat_map(|row| &row.cells).flatten().max().copied().unwrap_or(0).max(1);
    let (left, size) = (40, (WIDTH - 40) / report.columns.len().max(1));
    let mut inside = String::new();
    for (place, column) in report.columns.iter().enumerate() {
        let _ =
            write!(inside, "<text x=\"{}\" y=\"10\">{}</text>", left + place * size, escaped(&column.name));
    }
    for (down, row) in report.rows.iter().enumerate() {
        let y = 16 + down * size;
        let _ = write!(inside, "<text x=\"0\" y=\"{}\">{}</text>", y + size / 2 + 4, escaped(&row.label));
        for (place, cell) in row.cells.iter().enumerate() {
            let value = cell.unwrap_or(0);
            let shade = if value == 0 { 0.04 } else { 0.15 + 0.85 * value as f64 / most as f64 };
            let _ = write!(
                inside,
                "<rect class=\"a\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill-opacity=\"{shade:.2}\"><title>{value}</title></rect>",
                left + place * size,
                size - 2,
                size - 2
            );
        }
    }
    svg(20 + report.rows.len() * size, &report.title, &inside)
}
