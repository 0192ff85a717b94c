//! Idleness: pending issues are warned of once and closed later, and an answer ends it.

use crate::support::room::{ADA, Room, address, field, note};
use deskbell::domain::{Edit, MailKind, NewNote, Request, State, Status};
use jiff::SignedDuration;

const ONE: &str = "acme/support#1";

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// Ada's issue was answered and is pending; the project warns after 7 days and closes 3 days later.
async fn room() -> (Room, Vec<String>) {
    let mut room = Room::new().await;
    room.set("acme/support", "idle_warn_after", "7d").await;
    room.set("acme/support", "idle_close_after", "3d").await;
    room.mail(ADA).await;
    room.ok(Request::AddNote(NewNote { status: Some(Status::Pending), ..note(ONE, "Does it work?") })).await;
    let sent = room.send().await;
    (room, sent)
}

async fn warnings(room: &mut Room) -> usize {
    room.outbox().await.iter().filter(|row| row.kind == MailKind::IdleWarning).count()
}

#[tokio::test]
async fn one_warning_goes_out_and_the_issue_is_closed_after_it_across_restarts() {
    let (mut room, _) = room().await;
    room.set("acme/support", "closed_mail", "true").await;
    room.later(days(6));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0);
    room.later(days(1));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 1);
    room.again().await;
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "it is warned of once");
    let sent = room.send().await;
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains("we will close it soon"), "{}", sent[0]);
    assert_eq!(field(&sent[0], "To").map(address), Some("ada@customer.example"));
    let issue = room.issue(ONE).await;
    assert_eq!(issue.row.status, Status::Pending);
    let words = "told the customer that it will be closed, because nobody answered";
    assert_eq!(issue.notes.last().unwrap().body, words);
    room.later(days(2));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0);
    room.later(days(1));
    room.again().await;
    assert_eq!(room.desk.tend_idle().await.unwrap(), 1);
    let issue = room.issue(ONE).await;
    assert_eq!((issue.row.state, issue.row.status), (State::Closed, Status::Closed));
    assert_eq!(issue.notes.last().unwrap().body, "closed, because nobody answered");
    let sent = room.send().await;
    assert!(sent.len() == 1 && sent[0].contains("We have closed"), "{sent:?}");
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0);
}

#[tokio::test]
async fn an_answer_or_a_word_of_the_staff_begins_the_waiting_anew() {
    let (mut room, sent) = room().await;
    room.later(days(8));
    room.desk.tend_idle().await.unwrap();
    assert_eq!(warnings(&mut room).await, 1);
    let to = address(field(&sent[0], "Reply-To").unwrap()).to_owned();
    room.mail(&format!("From: ada@customer.example\nTo: {to}\nMessage-ID: <r1@customer.example>\n\nNo.\n"))
        .await;
    room.later(days(30));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "it is open again");
    room.edit(ONE, Edit::Status(Status::Pending)).await;
    room.later(days(5));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0);
    room.later(days(2));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 1, "and is warned of anew");
    assert_eq!(warnings(&mut room).await, 2);
    room.reply(ONE, "Are you there?").await;
    room.later(days(4));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "four days after a reply nothing is closed");
}

#[tokio::test]
async fn nothing_happens_where_no_project_wants_it_or_nobody_is_waited_for() {
    let (mut room, _) = room().await;
    room.edit(ONE, Edit::Status(Status::Open)).await;
    room.later(days(60));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "it is our turn");
    room.edit(ONE, Edit::Status(Status::Pending)).await;
    room.set("acme/support", "idle_warn_after", "").await;
    room.set("acme/support", "idle_close_after", "0").await;
    room.later(days(60));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "it is off");
    room.set("acme/support", "idle_close_after", "10d").await;
    assert_eq!(room.desk.tend_idle().await.unwrap(), 1, "closed without a warning");
    assert_eq!(warnings(&mut room).await, 0);
    let settings = vec![("idle_warn_after".to_owned(), "soon".to_owned())];
    let fault = room.ask(Request::SetProject { path: "acme/support".into(), settings }).await.unwrap_err();
    assert!(fault.message.contains("not a length of time"), "{}", fault.message);
}

#[tokio::test]
async fn labels_and_machines_do_not_put_the_warning_off() {
    let (mut room, sent) = room().await;
    room.later(days(6));
    room.edit(ONE, Edit::Label("slow".into())).await;
    room.edit(ONE, Edit::Weight(Some(3))).await;
    let to = address(field(&sent[0], "Reply-To").unwrap()).to_owned();
    let away = format!(
        "From: ada@customer.example\nTo: {to}\nAuto-Submitted: auto-replied\nMessage-ID: <v@customer.example>\n\nI am away.\n"
    );
    room.mail(&away).await;
    room.later(days(1));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 1, "seven days after the last word");
}

#[tokio::test]
async fn a_comment_and_a_change_of_the_status_do() {
    let (mut room, _) = room().await;
    room.later(days(6));
    room.ok(Request::AddNote(NewNote { internal: true, ..note(ONE, "I asked them by telephone") })).await;
    room.later(days(6));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "a comment is a word of ours");
    room.edit(ONE, Edit::Status(Status::Open)).await;
    room.edit(ONE, Edit::Status(Status::Pending)).await;
    room.later(days(6));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "it was put there anew");
    room.edit(ONE, Edit::Close).await;
    room.later(days(6));
    room.ok(Request::Undo).await;
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "it is pending again since now");
    let until = room.desk.now() + days(8);
    room.edit(ONE, Edit::Snooze(Some(until))).await;
    room.later(days(9));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "it came back a day ago");
    room.later(days(6));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 1);
}
