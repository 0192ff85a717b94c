//! Reports: what is counted, for whom, and of which time.

use crate::support::room::{ADA, Room, note};
use deskbell::domain::report::Unit;
use deskbell::domain::{
    AskedReport, Edit, NewNote, Report, ReportName, Request, Response, Role, SenderScope,
};
use jiff::SignedDuration;

const ONE: &str = "acme/support#1";
const TWO: &str = "acme/support#2";

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn pairs(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn report_as(room: &mut Room, user: &str, name: ReportName, query: &str) -> Report {
    let asked = AskedReport { name, query: query.to_owned(), ..AskedReport::default() };
    match room.ask_as(user, Request::Report(asked)).await.unwrap() {
        Response::Figures(report) => *report,
        other => panic!("{other:?}"),
    }
}

async fn report(room: &mut Room, name: ReportName) -> Report {
    report_as(room, "alice", name, "").await
}

/// Gives a row of a report by its label.
fn row(report: &Report, label: &str) -> Vec<Option<i64>> {
    let found = report.rows.iter().find(|row| row.label == label);
    found.unwrap_or_else(|| panic!("{label}: {report:?}")).cells.clone()
}

fn figure(report: &Report, name: &str) -> Option<i64> {
    report
        .figures
        .iter()
        .find(|figure| figure.name == name)
        .unwrap_or_else(|| panic!("{name}: {report:?}"))
        .value
}

/// Monday 2 March, nine in the morning, in UTC; a desk that works from nine to five. The first issue is answered
/// after two hours and closed two days later, then opened again; the second one is never answered.
async fn room() -> Room {
    let mut room = Room::new().await;
    let settings = pairs(&[("time_zone", "UTC"), ("hours", "mon-fri 09:00-17:00")]);
    room.ok(Request::SetDesk { settings }).await;
    let settings = pairs(&[("name", "all"), ("first", "4h"), ("resolve", "1d")]);
    room.ok(Request::SetClock { scope: SenderScope::Desk, name: None, settings }).await;
    room.mail(ADA).await;
    room.edit(ONE, Edit::Label("=bug".into())).await;
    room.later(hours(2));
    room.reply(ONE, "We look into it.").await;
    room.later(hours(24));
    room.mail(&ADA.replace("<a1@", "<a2@")).await;
    room.later(hours(24));
    room.ok(Request::AddNote(NewNote { close: true, ..note(ONE, "It works again.") })).await;
    room
}

#[tokio::test]
async fn issues_that_came_and_went_are_counted_by_day() {
    let mut room = room().await;
    room.later(hours(24));
    room.edit(ONE, Edit::Reopen).await;
    let volume = report(&mut room, ReportName::Volume).await;
    assert_eq!(volume.issues, 2);
    assert_eq!(row(&volume, "2026-03-02"), [Some(1), Some(0), Some(1)]);
    assert_eq!(row(&volume, "2026-03-03"), [Some(1), Some(0), Some(2)]);
    assert_eq!(row(&volume, "2026-03-04"), [Some(0), Some(1), Some(1)]);
    assert_eq!(row(&volume, "2026-03-05"), [Some(0), Some(0), Some(2)]);
    assert_eq!((figure(&volume, "opened"), figure(&volume, "reopened")), (Some(2), Some(1)));
    let asked = AskedReport {
        since: Some("2026-03-03".into()),
        until: Some("2026-03-04".into()),
        ..AskedReport::default()
    };
    let Response::Figures(some) = room.ok(Request::Report(asked)).await else { panic!() };
    assert_eq!((some.rows.len(), figure(&some, "opened")), (3, Some(1)), "{some:?}");
    let backlog = report(&mut room, ReportName::Backlog).await;
    assert_eq!(figure(&backlog, "open"), Some(2));
    assert_eq!(row(&backlog, "up to 3 days"), [Some(1), Some(1), Some(0)]);
    assert_eq!(row(&backlog, "up to 1 week"), [Some(1), Some(1), Some(0)]);
}

#[tokio::test]
async fn answers_and_ends_are_measured_in_working_time() {
    let mut room = room().await;
    let response = report(&mut room, ReportName::Response).await;
    assert_eq!(figure(&response, "first answer, count"), Some(1));
    assert_eq!(figure(&response, "first answer, median"), Some(2 * 3600));
    assert_eq!(row(&response, "up to 2h"), [Some(1), Some(0)]);
    let resolution = report(&mut room, ReportName::Resolution).await;
    assert_eq!(figure(&resolution, "in working time, median"), Some(2 * 3600), "the rest waited on her");
    assert_eq!(figure(&resolution, "by the calendar, median"), Some(50 * 3600));
    let busy = report(&mut room, ReportName::Hours).await;
    assert_eq!(row(&busy, "Mon")[9], Some(1));
    assert_eq!(row(&busy, "Tue")[11], Some(1));
    assert_eq!(figure(&busy, "mails"), Some(2));
    // Who writes twice before anybody answers has sent two mails.
    room.mail(&ADA.replace("<a1@", "<a3@").replace("Subject:", "In-Reply-To: <a2@customer.test>\nSubject:"))
        .await;
    let busy = report(&mut room, ReportName::Hours).await;
    assert_eq!(figure(&busy, "mails"), Some(3), "{busy:?}");
    let clocks = report(&mut room, ReportName::Clocks).await;
    assert_eq!(row(&clocks, "all, first"), [Some(1), Some(1), Some(50)], "the second one waits for 24 hours");
    assert_eq!(row(&clocks, "all, resolve"), [Some(1), Some(0), Some(100)]);
    room.later(hours(4));
    let clocks = report(&mut room, ReportName::Clocks).await;
    assert_eq!(row(&clocks, "all, resolve"), [Some(1), Some(1), Some(50)], "and is not resolved in a day");
}

#[tokio::test]
async fn projects_labels_and_assignees_stand_side_by_side() {
    let mut room = room().await;
    room.user("mia").await;
    room.edit(TWO, Edit::Assign("mia".into())).await;
    let labels = report(&mut room, ReportName::Labels).await;
    let bug = row(&labels, "=bug");
    assert_eq!(bug[..5], [Some(1), Some(1), Some(0), Some(2 * 3600), Some(2 * 3600)]);
    assert_eq!(row(&labels, "(no label)")[..3], [Some(1), Some(0), Some(1)]);
    let staff = report(&mut room, ReportName::Assignees).await;
    assert_eq!(row(&staff, "mia")[..4], [Some(1), Some(0), Some(1), None]);
    let projects = report(&mut room, ReportName::Projects).await;
    assert_eq!(row(&projects, "acme/support")[..3], [Some(2), Some(1), Some(1)]);
    assert!(projects.columns.iter().any(|column| column.unit == Unit::Seconds));
}

#[tokio::test]
async fn only_issues_that_one_may_see_are_counted() {
    let mut room = room().await;
    for (user, role) in [("guest", Some(Role::Guest)), ("mia", Some(Role::Reporter)), ("stranger", None)] {
        room.user(user).await;
        if let Some(role) = role {
            room.ok(Request::SetMember { project: "acme/support".into(), user: user.into(), role }).await;
        }
    }
    for (user, query, issues) in [
        ("alice", "", 2),
        ("alice", "is:open", 1),
        ("alice", "invalid token", 2),
        ("alice", "label:\"=bug\"", 1),
        ("mia", "", 2),
        ("guest", "", 0),
        ("stranger", "", 0),
    ] {
        for name in ReportName::ALL {
            let report = report_as(&mut room, user, name, query).await;
            assert_eq!(report.issues, issues, "{user} {query} {name:?}");
        }
    }
    let wrong = AskedReport { query: "is:opn".into(), ..AskedReport::default() };
    assert!(room.ask(Request::Report(wrong)).await.is_err());
    for (since, until) in [("soon", None), ("2026-03-05", Some("2026-03-01")), ("2030-01-01", None)] {
        let asked = AskedReport {
            since: Some(since.into()),
            until: until.map(str::to_owned),
            ..AskedReport::default()
        };
        assert!(room.ask(Request::Report(asked)).await.is_err(), "{since}");
    }
}
