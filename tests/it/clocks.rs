//! Clocks: by working hours, standing while it waits on the customer, told of before they run out.

use crate::support::room::{ADA, Room, address, field};
use deskbell::domain::{ClockKind, Edit, IssueClock, Priority, Request, Response, SenderScope, Status};
use jiff::SignedDuration;

const ONE: &str = "acme/support#1";

fn pairs(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn clock(room: &mut Room, scope: SenderScope, settings: &[(&str, &str)]) {
    room.ok(Request::SetClock { scope, name: None, settings: pairs(settings) }).await;
}

fn here() -> SenderScope {
    SenderScope::Project("acme/support".into())
}

/// A desk that works from nine to five in Berlin, with a clock for all and one for what is urgent.
async fn room() -> Room {
    let mut room = Room::new().await;
    let settings = pairs(&[
        ("time_zone", "Europe/Berlin"),
        ("hours", "mon-fri 09:00-17:00"),
        ("holidays", "2026-03-04 Founders' day"),
    ]);
    room.ok(Request::SetDesk { settings }).await;
    clock(
        &mut room,
        SenderScope::Desk,
        &[("name", "all"), ("first", "4h"), ("next", "1d"), ("resolve", "1w")],
    )
    .await;
    clock(
        &mut room,
        here(),
        &[("name", "urgent"), ("query", "priority:urgent"), ("first", "1h"), ("warn", "30m")],
    )
    .await;
    room
}

async fn its_clock(room: &mut Room) -> Option<IssueClock> {
    room.issue(ONE).await.row.clock
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// When the clock runs out, in UTC.
async fn due(room: &mut Room) -> String {
    its_clock(room).await.unwrap().due_at.unwrap().to_string()
}

#[tokio::test]
async fn a_clock_counts_working_time_and_stands_while_it_waits_on_the_customer() {
    let mut room = room().await;
    // Ten in the morning in Berlin, on a Monday.
    let told = room.mail(ADA).await;
    let clock = its_clock(&mut room).await.unwrap();
    assert_eq!((clock.name.as_str(), clock.kind, clock.paused), ("all", ClockKind::First, false));
    assert_eq!(due(&mut room).await, "2026-03-02T13:00:00Z");
    room.edit(ONE, Edit::Priority(Some(Priority::Urgent))).await;
    assert_eq!(due(&mut room).await, "2026-03-02T10:00:00Z", "the project's own clock goes first");
    room.edit(ONE, Edit::Priority(None)).await;
    room.later(hours(2));
    room.edit(ONE, Edit::Status(Status::Pending)).await;
    let clock = its_clock(&mut room).await.unwrap();
    assert_eq!((clock.paused, clock.left, clock.due_at), (true, Some(2 * 3600), None));
    assert_eq!(room.list("clock:paused").await, [ONE]);
    room.ok(Request::Undo).await;
    assert_eq!(
        due(&mut room).await,
        "2026-03-02T13:00:00Z",
        "pending was taken back, as if it had never been"
    );
    room.reply(ONE, "We look into it.").await;
    let clock = its_clock(&mut room).await.unwrap();
    assert_eq!((clock.kind, clock.paused), (ClockKind::Resolve, true));
    // On Tuesday afternoon she answers; Wednesday is a holiday.
    room.later(hours(28));
    let sent = room.send().await;
    let to = address(field(&sent[sent.len() - 1], "Reply-To").unwrap()).to_owned();
    assert!(told.entry.reference.is_some(), "{told:?}");
    room.mail(&format!("From: ada@customer.example\nTo: {to}\nMessage-ID: <r1@customer.example>\n\nNo.\n"))
        .await;
    let clock = its_clock(&mut room).await.unwrap();
    assert_eq!(clock.kind, ClockKind::Next);
    assert_eq!(due(&mut room).await, "2026-03-05T15:00:00Z");
    room.again().await;
    assert_eq!(due(&mut room).await, "2026-03-05T15:00:00Z", "the same after a restart");
    let settings = pairs(&[("holidays", "")]);
    room.ok(Request::SetDesk { settings }).await;
    assert_eq!(due(&mut room).await, "2026-03-04T15:00:00Z", "other hours count at once");
    room.edit(ONE, Edit::Close).await;
    assert_eq!(its_clock(&mut room).await, None);
}

#[tokio::test]
async fn queries_find_and_order_by_the_clock_as_time_goes_by() {
    let mut room = room().await;
    room.mail(ADA).await;
    room.later(hours(1));
    room.mail(&ADA.replace("<a1@", "<a2@")).await;
    room.edit("acme/support#2", Edit::Priority(Some(Priority::Urgent))).await;
    assert_eq!(room.list("sort:clock").await, ["acme/support#2", ONE]);
    assert_eq!(room.list("sort:clock-desc").await, [ONE, "acme/support#2"]);
    assert_eq!(room.list("clock:<2h").await, ["acme/support#2"]);
    assert_eq!(room.list("clock:first sort:clock").await.len(), 2);
    assert_eq!(room.list("clock:none").await.len(), 0);
    assert_eq!(room.list("is:breached").await.len(), 0);
    room.later(hours(2));
    assert_eq!(room.list("is:breached").await, ["acme/support#2"]);
    room.later(hours(2));
    assert_eq!(room.list("is:breached sort:clock").await, ["acme/support#2", ONE]);
    assert!(its_clock(&mut room).await.unwrap().breached);
    room.reply(ONE, "Sorry.").await;
    assert_eq!(room.list("is:breached").await, ["acme/support#2"]);
}

#[tokio::test]
async fn the_assignee_is_told_once_before_and_once_after_a_clock_ran_out() {
    let mut room = room().await;
    room.mail(ADA).await;
    let emails = vec!["mia@desk.example".parse().unwrap()];
    room.ok(Request::AddUser { name: "mia".into(), full_name: None, emails, system_user: None }).await;
    room.edit(ONE, Edit::Assign("mia".into())).await;
    room.send().await;
    let changed = room.issue(ONE).await.row.updated_at;
    room.later(hours(2));
    assert_eq!(room.desk.tend_clocks().await.unwrap(), 0, "half the time is left");
    room.later(hours(1));
    assert_eq!(room.desk.tend_clocks().await.unwrap(), 1);
    assert_eq!(room.desk.tend_clocks().await.unwrap(), 0);
    room.again().await;
    assert_eq!(room.desk.tend_clocks().await.unwrap(), 0, "nor again after a restart");
    let sent = room.send().await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].contains("mia@desk.example"), "{}", sent[0]);
    let words = "the time for a first answer runs out at 2026-03-02 13:00 UTC";
    assert!(sent[0].contains(words), "{}", sent[0]);
    room.later(SignedDuration::from_mins(61));
    assert_eq!(room.desk.tend_clocks().await.unwrap(), 1);
    let sent = room.send().await;
    assert!(sent.len() == 1 && sent[0].contains("a first answer ran out at"), "{sent:?}");
    assert_eq!(room.issue(ONE).await.row.updated_at, changed, "a clock is no change of the issue");
    room.mail(&ADA.replace("<a1@", "<a3@")).await;
    room.edit("acme/support#2", Edit::Assign("mia".into())).await;
    room.later(hours(100));
    assert_eq!(room.desk.tend_clocks().await.unwrap(), 0, "what ran out days ago is no news");
    room.reply(ONE, "Sorry.").await;
    room.later(hours(200));
    assert_eq!(room.desk.tend_clocks().await.unwrap(), 0, "it waits on her");
}

#[tokio::test]
async fn what_a_clock_cannot_mean_is_refused_with_what_it_can() {
    let mut room = room().await;
    for (settings, hint) in [
        (&[("name", "x"), ("first", "soon")][..], "30m, 4h, 3d"),
        (&[("name", "x")], "--first 4h"),
        (&[("name", "x"), ("first", "1h"), ("query", "is:unread")], "what stands in an issue"),
        (&[("name", "x"), ("first", "1h"), ("query", "invoice")], "what stands in an issue"),
        (&[("name", "x"), ("first", "1h"), ("query", "label:")], ""),
        (&[("name", ""), ("first", "1h")], ""),
        (&[("name", "all"), ("first", "1h")], ""),
        (&[("name", "x"), ("first", "1h"), ("colour", "red")], "there is "),
    ] {
        let scope = SenderScope::Desk;
        let fault =
            room.ask(Request::SetClock { scope, name: None, settings: pairs(settings) }).await.unwrap_err();
        assert!(fault.hint.clone().unwrap_or_default().contains(hint), "{settings:?}: {fault:?}");
    }
    for settings in
        [pairs(&[("hours", "mon")]), pairs(&[("holidays", "soon")]), pairs(&[("time_zone", "Mars")])]
    {
        assert!(room.ask(Request::SetDesk { settings: settings.clone() }).await.is_err(), "{settings:?}");
        let path = "acme/support".into();
        assert!(
            room.ask(Request::SetProject { path, settings: settings.clone() }).await.is_err(),
            "{settings:?}"
        );
    }
    let (scope, name) = (SenderScope::Desk, "all".to_owned());
    let settings = pairs(&[("next", ""), ("name", "each")]);
    room.ok(Request::SetClock { scope: scope.clone(), name: Some(name), settings }).await;
    room.ok(Request::RemoveClock { scope, name: "each".into() }).await;
    match room.ok(Request::Clocks).await {
        Response::Clocks(clocks) => assert_eq!(clocks.len(), 1),
        other => panic!("{other:?}"),
    }
    room.mail(ADA).await;
    assert_eq!(its_clock(&mut room).await, None, "no clock is left that fits");
}

#[tokio::test]
async fn holidays_are_taken_from_a_calendar() {
    let mut room = room().await;
    let calendar = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Christmas\r\nDTSTART;VALUE=DATE:20201225\r\n\
                    RRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    match room.ok(Request::SetDesk { settings: pairs(&[("holidays", calendar)]) }).await {
        Response::Desk(desk) => assert_eq!(desk.holidays.as_deref(), Some("12-25 Christmas")),
        other => panic!("{other:?}"),
    }
}
