//! Which clock counts for an issue, and when it runs out.

use super::super::query::Names;
use super::super::{Issue, Party};
use super::*;
use jiff::tz::TimeZone;

fn at(text: &str) -> Timestamp {
    format!("2026-03-{text}:00Z").parse().unwrap()
}

/// An issue as versions wrote it that knew no turns.
fn old_issue() -> Issue {
    serde_json::from_value(serde_json::json!({
        "id": 1, "project": 1, "iid": 1, "kind": "ticket", "title": "x", "state": "open", "status": "open",
        "author": {"name": "Ada", "email": "ada@x.example", "user": null}, "confidential": true, "labels": ["vip"],
        "assignee": null, "priority": null, "created_at": at("02T09:00"), "updated_at": at("02T09:00"),
        "closed_at": null, "due_at": null, "waiting_on": null, "waiting_since": null, "snoozed_until": null,
        "spam": false, "participants": [], "links": [], "mailbox": null, "arrived_to": null, "notes": 1,
        "last_note": 1, "merged_into": null
    }))
    .unwrap()
}

/// What happens to the issue, word by word: `us 02T10:00`, `them …`, `reply …`, `close …`.
fn after(events: &[&str]) -> Issue {
    let mut issue = old_issue();
    for event in events {
        let (word, when) = event.split_once(' ').unwrap();
        match word {
            "us" => issue.turn(Some(Party::Us), at(when)),
            "them" => issue.turn(Some(Party::Them), at(when)),
            "reply" => {
                issue.turn(Some(Party::Them), at(when));
                issue.note_reply(at(when));
            }
            _ => {
                issue.turn(None, at(when));
                (issue.state, issue.closed_at) = (State::Closed, Some(at(when)));
            }
        }
    }
    issue
}

/// Office hours from nine to five, and two clocks: one for `vip`, one for the rest.
fn clocks() -> Clocks {
    let hours = WorkingHours::read(Some("mon-fri 09:00-17:00"), None, TimeZone::UTC).unwrap();
    let about = |name: &str, query: &str, first: &str, next: &str, resolve: &str| ClockAbout {
        name: name.into(),
        query: query.into(),
        first: Some(first.into()),
        next: Some(next.into()),
        resolve: Some(resolve.into()),
        ..ClockAbout::default()
    };
    let abouts = [about("quick", "label:vip", "4h", "8h", "3d"), about("rest", "", "1d", "2d", "1w")];
    let targets = abouts.iter().map(|about| Target::read(about, &hours).unwrap()).collect();
    Clocks { plans: BTreeMap::from([(ProjectId(1), Plan { hours: Arc::new(hours), targets })]) }
}

fn facts(issue: &Issue) -> IssueFacts {
    IssueFacts::new(issue, "a/b", &mut Names::default())
}

#[test]
fn a_clock_runs_while_it_waits_on_us_and_stands_while_it_waits_on_them() {
    use ClockKind::{First, Next, Resolve};
    // The second of March 2026 is a Monday.
    for (events, kind, ends) in [
        (&["us 02T09:00"][..], First, Ends::At(at("02T13:00"))),
        (&["us 02T09:00", "them 02T10:00"], First, Ends::Later(3 * 3600)),
        (&["us 02T09:00", "them 02T10:00", "us 03T09:00"], First, Ends::At(at("03T12:00"))),
        (&["us 02T09:00", "reply 02T10:00"], Resolve, Ends::Later(23 * 3600)),
        (&["us 02T09:00", "reply 02T10:00", "us 03T12:00"], Next, Ends::At(at("04T12:00"))),
        (
            &["us 02T09:00", "reply 02T10:00", "us 03T12:00", "reply 03T13:00"],
            Resolve,
            Ends::Later(22 * 3600),
        ),
        // The answer came too late, and stays so while the clock stands.
        (&["us 02T09:00", "them 02T15:00"], First, Ends::At(at("02T13:00"))),
        // Five days of talk leave little until the end.
        (&["us 02T09:00", "reply 04T16:00", "us 05T09:00"], Resolve, Ends::At(at("05T10:00"))),
        // An answer before anybody wrote down the turns.
        (&["us 03T09:00"], Next, Ends::At(at("04T09:00").min(at("03T17:00")))),
    ] {
        let running = clocks().running(&facts(&after(events))).unwrap();
        assert_eq!((running.kind, running.ends), (kind, ends), "{events:?}");
    }
    assert_eq!(clocks().running(&facts(&after(&["us 02T09:00", "close 02T10:00"]))), None);
    assert_eq!(clocks().running(&facts(&old_issue())), None, "it waits on nobody");
}

#[test]
fn the_first_clock_that_fits_counts_and_warns_in_its_last_quarter() {
    let mut issue = after(&["us 02T09:00"]);
    let running = clocks().running(&facts(&issue)).unwrap();
    assert_eq!((&*running.name, running.warn_at), ("quick", Some(at("02T12:00"))));
    assert!(!running.view(at("02T13:00")).breached && running.view(at("02T13:01")).breached);
    issue.labels.clear();
    let running = clocks().running(&facts(&issue)).unwrap();
    assert_eq!((&*running.name, running.due_at()), ("rest", Some(at("02T17:00"))));
    issue.kind = IssueKind::Issue;
    assert_eq!(
        clocks().running(&facts(&issue)).unwrap().kind,
        ClockKind::Resolve,
        "nobody waits for an answer"
    );
    issue.project = ProjectId(2);
    assert_eq!(clocks().running(&facts(&issue)), None);
}

#[test]
fn an_issue_without_turns_counts_from_what_it_says_itself() {
    let mut issue = old_issue();
    (issue.waiting_on, issue.waiting_since) = (Some(Party::Us), Some(issue.created_at));
    let running = clocks().running(&facts(&issue)).unwrap();
    assert_eq!((running.kind, running.due_at()), (ClockKind::First, Some(at("02T13:00"))));
    issue.waiting_since = Some(at("03T09:00"));
    assert_eq!(clocks().running(&facts(&issue)).unwrap().kind, ClockKind::Next);
    issue.turn(Some(Party::Them), at("03T10:00"));
    assert_eq!(issue.turns.len(), 2, "the turn that stood is written down with the next");
}

#[test]
fn what_was_taken_back_leaves_no_turn() {
    let mut issue = after(&["us 02T09:00", "reply 02T10:00"]);
    issue.forget_reply(at("02T10:00"));
    (issue.waiting_on, issue.waiting_since) = (Some(Party::Us), Some(at("02T09:00")));
    issue.forget_later_turns();
    assert_eq!(issue.turns, after(&["us 02T09:00"]).turns);
    assert_eq!(clocks().running(&facts(&issue)).unwrap().kind, ClockKind::First);
}
