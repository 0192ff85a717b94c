//! How fast ten thousand issues become a report.

use super::*;
use crate::domain::report::{ReportSpan, Tally};
use crate::domain::{AskedReport, ClockAbout, Clocks, Plan, ReportName, Target, WorkingHours};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn clocks() -> Arc<Clocks> {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let hours = WorkingHours::read(Some("mon-fri 09:00-17:00"), Some("12-25"), zone).unwrap();
    let about = ClockAbout {
        name: "all".into(),
        first: Some("4h".into()),
        next: Some("8h".into()),
        resolve: Some("3d".into()),
        ..ClockAbout::default()
    };
    let targets = vec![Target::read(&about, &hours).unwrap()];
    Arc::new(Clocks { plans: [(ProjectId(1), Plan { hours: Arc::new(hours), targets })].into() })
}

/// Ten thousand issues with a life of four questions and answers each.
fn ten_thousand(index: &Index) {
    index.set_clocks(clocks());
    let begin: Timestamp = "2026-01-05T08:00:00Z".parse().unwrap();
    let later = |hours: u64| begin.checked_add(jiff::SignedDuration::from_hours(hours as i64)).unwrap();
    let mut updates = vec![project()];
    for id in 1..=10_000 {
        let mut issue = Issue { created_at: later(id / 8), turns: Vec::new(), ..issue(id, "offer") };
        (issue.waiting_on, issue.waiting_since) = (None, None);
        for step in 0..4 {
            issue.turn(Some(Party::Us), later(id / 8 + step * 30));
            issue.turn(Some(Party::Them), later(id / 8 + step * 30 + id % 20));
            issue.note_reply(later(id / 8 + step * 30 + id % 20));
        }
        if id % 3 == 0 {
            issue.turn(None, later(id / 8 + 150));
            (issue.state, issue.closed_at) = (State::Closed, Some(later(id / 8 + 150)));
        }
        updates.push(Update::Issue(issue));
    }
    index.apply(Seq(1), &updates);
}

/// Makes each report, and gives how long the slowest took.
fn slowest(index: &Index) -> Duration {
    let now: Timestamp = "2026-03-29T16:00:00Z".parse().unwrap();
    let viewer = Viewer { now, ..viewer() };
    let times = ReportName::ALL.into_iter().map(|name| {
        let started = Instant::now();
        let asked = AskedReport { name, since: Some("2026-01-01".into()), ..AskedReport::default() };
        let span = ReportSpan::read(&asked, viewer.now, TimeZone::UTC).unwrap();
        let mut tally = Tally::new(&asked, span, clocks());
        index.each(&Query::default(), &viewer, |facts| tally.add(facts));
        let report = tally.finish();
        let took = started.elapsed();
        println!("{:>12} {} issues, {} rows: {took:?}", name.word(), report.issues, report.rows.len());
        assert_eq!(report.issues, 10_000);
        took
    });
    times.max().unwrap()
}

#[test]
#[ignore = "a measurement: cargo test --release --lib index::tests::reports -- --ignored --nocapture"]
fn each_report_on_ten_thousand_issues_is_made_in_a_tenth_of_a_second() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    ten_thousand(&index);
    let slowest = slowest(&index);
    assert!(slowest < Duration::from_millis(100), "{slowest:?}");
}

/// Unoptimised and beside all other tests, the bound only finds what grows faster than the number of issues.
#[test]
fn no_report_takes_time_that_grows_faster_than_the_desk() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    ten_thousand(&index);
    let slowest = slowest(&index);
    assert!(slowest < Duration::from_secs(20), "{slowest:?}");
}
