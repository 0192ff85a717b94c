//! The screen of reports.

use super::desk::FakeDesk;
use super::{Screen, now};
use crate::domain::report::{Column, Figure, Picture, ReportRow, Unit};
use crate::domain::{AskedReport, Report, ReportName, Request};
use crate::tui::setup::Options;
use insta::assert_snapshot;

/// Makes up the figures of a report.
pub fn made(asked: &AskedReport) -> Report {
    let heat = asked.name == ReportName::Hours;
    let column = |name: String| Column { name, unit: Unit::Count };
    let columns = match heat {
        true => (0..24).map(|hour| column(format!("{hour:02}"))).collect(),
        false => ["opened", "closed", "open"].map(|name| column(name.into())).to_vec(),
    };
    let row = |label: String, day: i64| ReportRow {
        label,
        cells: match heat {
            true => (0..24_i64).map(|hour| Some((12 - (hour - 12).abs()) * (6 - day).max(0) / 4)).collect(),
            false => vec![Some(day * 7 % 13), Some(day * 5 % 11), Some(30 + day)],
        },
    };
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let rows = match heat {
        true => days.iter().zip(0..).map(|(label, day)| row((*label).into(), day)).collect(),
        false => (1..=30).map(|day| row(format!("2026-11-{day:02}"), day)).collect(),
    };
    let figure = |name: &str, unit, value| Figure { name: name.into(), unit, value: Some(value) };
    Report {
        name: asked.name,
        title: asked.name.title().into(),
        query: asked.query.clone(),
        since: "2026-10-25T00:00:00Z".parse().unwrap(),
        until: now(),
        time_zone: "UTC".into(),
        issues: 128,
        figures: vec![
            figure("first answer, count", Unit::Count, 41),
            figure("first answer, median", Unit::Seconds, 5460),
            figure("first answer, 90 %", Unit::Seconds, 98_000),
            figure("later answers, count", Unit::Count, 70),
            figure("later answers, median", Unit::Seconds, 2700),
        ],
        columns,
        rows,
        picture: if heat { Picture::Heat } else { Picture::Bars(2) },
    }
}

#[test]
fn reports_are_shown_as_pictures_and_chosen_by_keys() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut screen = Screen::with(width, height, FakeDesk::filled(), Options::default());
        assert_snapshot!(format!("reports_volume_{width}"), screen.keys("R").text());
        assert_snapshot!(format!("reports_hours_{width}"), screen.keys("jjjj").text());
        assert_eq!(screen.app.reports.name, ReportName::Hours);
    }
    let options = Options { ascii: true, ..Options::default() };
    let mut screen = Screen::with(80, 24, FakeDesk::filled(), options);
    assert_snapshot!("reports_ascii", screen.keys("R").text());
    assert!(screen.text().is_ascii());
}

#[test]
fn time_and_issues_of_a_report_are_chosen() {
    let mut screen = Screen::new(80, 24);
    screen.keys("R]");
    let asked = |screen: &Screen| match screen.asked.last() {
        Some(Request::Report(asked)) => asked.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(asked(&screen).since.as_deref(), Some("13w"));
    screen.keys("--");
    assert_eq!(asked(&screen).since.as_deref(), Some("7d"));
    screen.keys("-/label:bug<enter>");
    assert_eq!(asked(&screen).query, "label:bug");
    assert!(screen.text().contains("7 days · label:bug"), "{}", screen.text());
    screen.keys("G");
    assert!(screen.text().contains("2026-11-01"), "{}", screen.text());
    screen.keys("<esc>");
    assert!(screen.app.on_list());
}
