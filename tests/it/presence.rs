//! Presence: who is at an issue, to those who work on it, for as long as their connection and no longer.

use crate::support::room::{Room, note};
use deskbell::domain::quick::handed_over;
use deskbell::domain::{Attend, Event, NewNote, NoteId, NoteKind, Request, Response, Writing};
use jiff::SignedDuration;

const ONE: &str = "acme/support#1";

async fn sit(room: &mut Room, user: &str, seat: u64, reference: Option<&str>, writing: Writing) {
    let reference = reference.map(|reference| reference.parse().unwrap());
    room.ask_as(user, Request::Attend(Attend { seat, reference, writing, following: false, note: None }))
        .await
        .unwrap();
}

async fn seen(room: &mut Room, user: &str) -> Vec<String> {
    match room.ask_as(user, Request::Status).await.unwrap() {
        Response::Status(status) => {
            status.present.iter().map(|p| format!("{} {}", p.reference, p.words())).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn those_who_work_on_an_issue_see_who_reads_and_who_writes_in_it() {
    let mut room = Room::with_staff().await;
    let mut events = room.desk.subscribe();
    sit(&mut room, "mia", 7, Some(ONE), Writing::Nothing).await;
    assert_eq!(events.try_recv().unwrap(), Event::Status);
    sit(&mut room, "mia", 7, Some(ONE), Writing::Nothing).await;
    assert!(events.try_recv().is_err(), "nothing new is not told");
    sit(&mut room, "gus", 8, Some(ONE), Writing::Nothing).await;
    let both = ["acme/support#1 gus is reading", "acme/support#1 mia is reading"];
    assert_eq!(seen(&mut room, "alice").await, both);
    assert_eq!(seen(&mut room, "mia").await, both);
    assert_eq!(seen(&mut room, "gus").await, [""; 0], "not for guests");
    assert_eq!(seen(&mut room, "tom").await, [""; 0], "nor for other projects");
    let other = Request::Attend(Attend {
        seat: 9,
        reference: Some(ONE.parse().unwrap()),
        writing: Writing::Reply,
        following: false,
        note: None,
    });
    assert!(room.ask_as("tom", other).await.is_err());
    // A second screen of the same person: the busier one counts.
    sit(&mut room, "mia", 10, Some(ONE), Writing::Reply).await;
    assert_eq!(
        seen(&mut room, "alice").await,
        ["acme/support#1 gus is reading", "acme/support#1 mia is writing a reply"]
    );
    room.desk.left(10);
    assert_eq!(seen(&mut room, "alice").await, both);
    sit(&mut room, "mia", 7, None, Writing::Nothing).await;
    room.desk.left(8);
    assert_eq!(seen(&mut room, "alice").await, [""; 0]);
}

#[tokio::test]
async fn the_note_that_is_read_is_told_to_those_who_work_on_the_issue() {
    let mut room = Room::with_staff().await;
    let mut events = room.desk.subscribe();
    let at = |note| Attend {
        seat: 7,
        reference: Some(ONE.parse().unwrap()),
        note: Some(NoteId(note)),
        ..Attend::default()
    };
    for note in [1, 2, 2] {
        room.ask_as("mia", Request::Attend(at(note))).await.unwrap();
    }
    assert_eq!([events.try_recv().unwrap(), events.try_recv().unwrap()], [Event::Status, Event::Status]);
    assert!(events.try_recv().is_err(), "the same note is told once");
    let Response::Status(status) = room.ask_as("alice", Request::Status).await.unwrap() else { panic!() };
    assert_eq!(status.present[0].note, Some(NoteId(2)));
    for note in 0..200 {
        room.ask_as("mia", Request::Attend(at(note))).await.unwrap();
    }
    let mut told = 0;
    while events.try_recv().is_ok() {
        told += 1;
    }
    assert!(told < 40, "{told} in one minute");
}

#[tokio::test]
async fn whoever_falls_silent_counts_as_gone_and_nothing_of_it_is_kept() {
    let mut room = Room::with_staff().await;
    let Response::Changes(before) = room.ok(Request::Changes { limit: 500 }).await else { panic!() };
    sit(&mut room, "mia", 7, Some(ONE), Writing::Comment).await;
    room.later(SignedDuration::from_mins(14));
    assert_eq!(seen(&mut room, "alice").await.len(), 1);
    room.later(SignedDuration::from_mins(1));
    assert_eq!(seen(&mut room, "alice").await, [""; 0]);
    sit(&mut room, "mia", 7, Some(ONE), Writing::Comment).await;
    assert_eq!(seen(&mut room, "alice").await.len(), 1);
    let Response::Changes(after) = room.ok(Request::Changes { limit: 500 }).await else { panic!() };
    assert_eq!(before, after);
    room.again().await;
    assert_eq!(seen(&mut room, "alice").await, [""; 0]);
}

#[tokio::test]
async fn what_is_handed_over_is_assigned_with_a_note_that_tells_them_and_one_undo_takes_it_back() {
    let mut room = Room::with_staff().await;
    let text = handed_over("mia", "Please call her.");
    let new = NewNote { internal: true, ..note(ONE, &text) };
    let Response::Noted { issue, .. } = room.ok(Request::AddNote(new)).await else { panic!() };
    assert_eq!(issue.row.assignee.as_deref(), Some("mia"));
    let written = issue.notes.iter().find(|note| note.kind == NoteKind::Internal).unwrap();
    assert_eq!(written.body, "@mia Please call her.");
    assert!(!room.send().await.join("").contains("Please call her"), "nobody outside hears of it");
    room.ok(Request::Undo).await;
    let issue = room.issue(ONE).await;
    assert_eq!(issue.row.assignee, None);
    assert!(issue.notes.iter().all(|note| note.kind != NoteKind::Internal));
}
