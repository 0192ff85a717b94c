//! How fast ten thousand issues become a report.

use super::*;
use crate::domain::report::{ReportSpan, Tally};
use crate::domain::{AskedReport, ClockAbout, Clocks, Plan, ReportName, Target, WorkingHours};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Instant;

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

#[test]
#[ignore = "a measurement: cargo test --release --lib index::tests::reports -- --ignored --nocapture"]
fn ten_thousand_issues_are_counted_at_once() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.set_clocks(clocks());
    index.apply(Seq(1), &[project()]);
    let begin: Timestamp = "2026-01-05T08:00:00Z".parse().unwrap();
    let later = |hours: u64| begin.checked_add(jiff::SignedDuration::from_hours(hours as i64)).unwrap();
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
        index.apply(Seq(id + 1), &[Update::Issue(issue)]);
    }
    let viewer = Viewer { now: later(2000), ..viewer() };
    for name in ReportName::ALL {
        let started = Instant::now();
        let asked = AskedReport { name, since: Some("2026-01-01".into()), ..AskedReport::default() };
        let span = ReportSpan::read(&asked, viewer.now, TimeZone::UTC).unwrap();
        let mut tally = Tally::new(&asked, span, clocks());
        index.each(&Query::default(), &viewer, |facts| tally.add(facts));
        let report = tally.finish();
        println!(
            "{:>12} {} issues, {} rows: {:?}",
            name.word(),
            report.issues,
            report.rows.len(),
            started.elapsed()
        );
        assert_eq!(report.issues, 10_000);
    }
}
