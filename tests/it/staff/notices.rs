//! Who of the staff hears of what, and when.

use super::{answer_of_ada, mails_to, rows_to_staff, wish};
use crate::support::room::{ADA, CONFIG, Room, field, note};
use deskbell::domain::{Call, RequestId};
use deskbell::domain::{Edit, MailKind, NewNote, OutboxState, Request, Role, Via};
use jiff::SignedDuration;

#[tokio::test]
async fn who_set_nothing_hears_of_answers_in_their_issues_of_mentions_and_of_what_they_are_given() {
    let mut room = super::room().await;
    assert_eq!(rows_to_staff(&mut room).await, 1, "mia got the new issue as its assignee");
    answer_of_ada(&mut room, "a2", "Still not.").await;
    let mails = mails_to(&mut room, "mia").await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("Still not.") && mails[0].contains("Ada Lovelace answered"), "{}", mails[0]);
    room.edit("acme/support#1", Edit::Assign("bob".into())).await;
    let internal = NewNote { internal: true, ..note("acme/support#1", "What do you think, @mia?") };
    room.ok(Request::AddNote(internal)).await;
    let mails: Vec<String> = room.send().await;
    let to: Vec<&str> = mails.iter().map(|mail| field(mail, "To").unwrap()).collect();
    assert_eq!(to, ["\"Bob Staff\" <bob@staff.example>", "\"Mia Staff\" <mia@staff.example>"]);
    assert!(
        mails[0].contains("given to you by alice") && mails[1].contains("What do you think"),
        "{mails:?}"
    );
    // Closed, opened, notes, and the answers of others: only who asks for it.
    room.reply("acme/support#1", "Try 2.1").await;
    room.edit("acme/support#1", Edit::Close).await;
    room.edit("acme/support#1", Edit::Reopen).await;
    assert!(mails_to(&mut room, "mia").await.is_empty());
}

#[tokio::test]
async fn each_event_can_be_had_and_left_for_each_project() {
    let events = ["new_issue", "answer", "my_answer", "note", "assigned", "mentioned", "closed", "reopened"];
    for event in events {
        let mut room = Room::new().await;
        for name in ["bob", "mia"] {
            let emails = vec![format!("{name}@staff.example").parse().unwrap()];
            room.ok(Request::AddUser { name: name.into(), full_name: None, emails, system_user: None }).await;
        }
        for other in events.iter().filter(|other| **other != event) {
            wish(&mut room, "bob", &[(&format!("notify.{other}"), "off")]).await.unwrap();
        }
        let key = format!("notify.{event}");
        wish(&mut room, "bob", &[(&key, "off"), (&format!("{key}@acme/support"), "at_once")]).await.unwrap();
        room.mail(ADA).await;
        answer_of_ada(&mut room, "a2", "Not mine yet").await;
        room.edit("acme/support#1", Edit::Assign("bob".into())).await;
        answer_of_ada(&mut room, "a3", "Mine").await;
        room.reply("acme/support#1", "Hello from me").await;
        let internal = NewNote { internal: true, ..note("acme/support#1", "Hello @bob") };
        room.ok(Request::AddNote(internal)).await;
        room.edit("acme/support#1", Edit::Close).await;
        room.edit("acme/support#1", Edit::Reopen).await;
        let expected = if event == "note" { 2 } else { 1 };
        assert_eq!(mails_to(&mut room, "bob").await.len(), expected, "{event}");
        wish(&mut room, "bob", &[(&format!("{key}@acme/support"), "")]).await.unwrap();
        room.mail(&ADA.replace("<a1@", "<b1@")).await;
        room.edit("acme/support#2", Edit::Assign("bob".into())).await;
        assert!(mails_to(&mut room, "bob").await.is_empty(), "{event}");
    }
}

#[tokio::test]
async fn nobody_hears_of_what_they_did_or_may_not_see() {
    let mut room = super::room().await;
    let all = ["new_issue", "answer", "note", "closed", "reopened"]
        .map(|event| (format!("notify.{event}"), "at_once"));
    let all: Vec<(&str, &str)> = all.iter().map(|(key, when)| (key.as_str(), *when)).collect();
    for user in ["mia", "bob"] {
        wish(&mut room, user, &all).await.unwrap();
    }
    let (project, user) = ("acme/support".to_owned(), "mia".to_owned());
    room.ok(Request::SetMember { project: project.clone(), user, role: Role::Developer }).await;
    answer_of_ada(&mut room, "a2", "For members").await;
    assert_eq!(mails_to(&mut room, "bob").await, [""; 0], "bob is no member");
    room.ok(Request::SetMember { project, user: "bob".into(), role: Role::Guest }).await;
    answer_of_ada(&mut room, "a3", "Confidential").await;
    assert_eq!(mails_to(&mut room, "bob").await, [""; 0], "guests see nothing confidential");
    room.edit("acme/support#1", Edit::Confidential(false)).await;
    answer_of_ada(&mut room, "a4", "Open").await;
    let internal = NewNote { internal: true, ..note("acme/support#1", "Psst, @bob") };
    room.ok(Request::AddNote(internal)).await;
    let mails = mails_to(&mut room, "bob").await;
    assert_eq!(mails.len(), 1, "a guest hears of no internal note");
    assert!(mails[0].contains("Open"));
    // Mia acts, from the desk and by a mail from her own address.
    room.send().await;
    room.ask_as("mia", Request::AddNote(note("acme/support#1", "I, @mia, say so"))).await.unwrap();
    let references = vec!["acme/support#1".parse().unwrap()];
    room.ask_as("mia", Request::Edit { references, edits: vec![Edit::Close] }).await.unwrap();
    room.mail(
        &ADA.replace("Ada Lovelace <ada@customer.example>", "mia@staff.example").replace("<a1@", "<m1@"),
    )
    .await;
    let mails = room.send().await;
    let staff = |mail: &&String| field(mail, "To").unwrap().contains("mia@staff.example");
    let heard: Vec<&String> = mails.iter().filter(staff).collect();
    assert!(heard.iter().all(|mail| mail.contains("your message")), "only the acknowledgement: {heard:?}");
}

#[tokio::test]
async fn machines_spam_and_old_mail_are_no_news() {
    let mut room = super::room().await;
    wish(&mut room, "mia", &[("notify.new_issue", "at_once"), ("notify.answer", "at_once")]).await.unwrap();
    let vacation = "From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example\nSubject: Out of office\nAuto-Submitted: auto-replied\nIn-Reply-To: <a1@customer.example>\nMessage-ID: <v1@customer.example>\n\nI am away.\n";
    room.mail(vacation).await;
    let arrival = deskbell::domain::Arrival { silent: true, ..Default::default() };
    room.arrive(arrival, &ADA.replace("<a1@", "<old@")).await;
    assert_eq!(mails_to(&mut room, "mia").await, [""; 0]);
}

#[tokio::test]
async fn such_a_mail_says_above_its_text_who_gets_the_answer_and_that_no_person_wrote_it() {
    let mut room = super::room().await;
    answer_of_ada(&mut room, "a2", "The words of Ada").await;
    let mail = mails_to(&mut room, "mia").await.remove(0);
    let place = |what: &str| mail.find(what).unwrap_or_else(|| panic!("{what} in {mail}"));
    assert!(place("mailed to Ada Lovelace <ada@customer.example>") < place("The words of Ada"));
    assert_eq!(field(&mail, "Auto-Submitted"), Some("auto-generated"));
    assert!(field(&mail, "X-Auto-Response-Suppress").is_some());
    assert!(field(&mail, "From").unwrap().ends_with(" <help@desk.example>"));
    assert!(field(&mail, "List-Unsubscribe").is_none());
    let rows = room.outbox().await;
    let row = rows.iter().find(|row| row.kind == MailKind::Staff).unwrap();
    assert_eq!((row.to.as_str(), row.state), ("mia@staff.example", OutboxState::Sent));
}

#[tokio::test]
async fn a_digest_comes_once_at_its_hour_and_survives_the_end_of_the_desk() {
    let mut room = super::room().await;
    let settings = [("notify.my_answer", "digest"), ("digest_at", "18:00"), ("time_zone", "Europe/Berlin")];
    wish(&mut room, "mia", &settings).await.unwrap();
    answer_of_ada(&mut room, "a2", "First *words*").await;
    answer_of_ada(&mut room, "a3", "Second words").await;
    assert_eq!(mails_to(&mut room, "mia").await, [""; 0]);
    // Nine in the morning, UTC, as the room begins; six in the evening in Berlin is five.
    room.later(SignedDuration::from_mins(8 * 60 - 1));
    assert_eq!(room.desk.send_notices().await.unwrap(), 0);
    room.again().await;
    room.later(SignedDuration::from_mins(1));
    assert_eq!(room.desk.send_notices().await.unwrap(), 1);
    assert_eq!(room.desk.send_notices().await.unwrap(), 0);
    room.again().await;
    assert_eq!(room.desk.send_notices().await.unwrap(), 0);
    let mails = mails_to(&mut room, "mia").await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("First *words*") && mails[0].contains("Second words"), "{}", mails[0]);
    assert!(mails[0].contains("Answers to this mail reach nobody"), "{}", mails[0]);
}

#[tokio::test]
async fn a_digest_holds_nothing_that_was_taken_back_or_may_not_be_seen_any_more() {
    let mut room = super::room().await;
    wish(
        &mut room,
        "bob",
        &[("notify.assigned", "digest"), ("notify.note", "digest"), ("notify.closed", "digest")],
    )
    .await
    .unwrap();
    room.edit("acme/support#1", Edit::Assign("bob".into())).await;
    room.ok(Request::Undo).await;
    room.edit("acme/support#1", Edit::Close).await;
    room.edit("acme/support#1", Edit::Reopen).await;
    let internal = NewNote { internal: true, ..note("acme/support#1", "For members") };
    room.ok(Request::AddNote(internal)).await;
    let (project, user) = ("acme/support".to_owned(), "mia".to_owned());
    room.ok(Request::SetMember { project, user, role: Role::Developer }).await;
    room.later(SignedDuration::from_hours(24));
    assert_eq!(room.desk.send_notices().await.unwrap(), 0);
    assert_eq!(mails_to(&mut room, "bob").await, [""; 0]);
}

#[tokio::test]
async fn quiet_hours_put_mail_off_until_they_end() {
    let mut room = super::room().await;
    wish(&mut room, "mia", &[("quiet_hours", "08:00-10:00"), ("time_zone", "UTC")]).await.unwrap();
    answer_of_ada(&mut room, "a2", "Early").await;
    room.desk.send_notices().await.unwrap();
    assert_eq!(mails_to(&mut room, "mia").await, [""; 0]);
    room.later(SignedDuration::from_hours(1));
    room.again().await;
    assert_eq!(room.desk.send_notices().await.unwrap(), 1);
    let mails = mails_to(&mut room, "mia").await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("Early") && field(&mails[0], "Reply-To").is_some());
}

#[tokio::test]
async fn what_is_over_the_hours_budget_comes_with_the_digest() {
    let mut room = super::room().await;
    room.ok(Request::SetDesk { settings: vec![("staff_mails_per_hour".into(), "3".into())] }).await;
    for number in 0..6 {
        answer_of_ada(&mut room, &format!("n{number}"), &format!("Answer {number}")).await;
    }
    // One of the three was the issue itself.
    assert_eq!(mails_to(&mut room, "mia").await.len(), 2);
    room.again().await;
    answer_of_ada(&mut room, "n9", "After the restart").await;
    assert_eq!(mails_to(&mut room, "mia").await, [""; 0], "the budget outlives the process");
    room.later(SignedDuration::from_hours(24));
    room.desk.send_notices().await.unwrap();
    let digest = mails_to(&mut room, "mia").await;
    assert_eq!(digest.len(), 1);
    for number in 2..6 {
        assert!(digest[0].contains(&format!("Answer {number}")), "{}", digest[0]);
    }
}

#[tokio::test]
async fn what_is_taken_back_within_the_undo_window_is_told_to_nobody() {
    let mut room = super::room().await;
    for (number, request) in [
        Request::AddNote(NewNote { internal: true, ..note("acme/support#1", "Nonsense, @mia") }),
        Request::Edit {
            references: vec!["acme/support#1".parse().unwrap()],
            edits: vec![Edit::Assign("bob".into())],
        },
    ]
    .into_iter()
    .enumerate()
    {
        let call = Call { id: RequestId(format!("tui{number}")), via: Via::Tui, request };
        room.ask_call("alice", call).await.unwrap();
        let rows = room.outbox().await;
        let held = rows.iter().filter(|row| row.kind == MailKind::Staff && row.state == OutboxState::Held);
        assert_eq!(held.count(), 1);
        let call = Call { id: RequestId(format!("undo{number}")), via: Via::Tui, request: Request::Undo };
        room.ask_call("alice", call).await.unwrap();
        let rows = room.outbox().await;
        assert!(rows.iter().all(|row| row.state != OutboxState::Held), "{rows:?}");
        assert!(room.send().await.is_empty());
    }
}

#[tokio::test]
async fn while_a_project_is_off_nobody_is_mailed_about_it() {
    let mut room = super::room().await;
    room.ok(Request::EnableProject { path: "acme/support".into(), enabled: false }).await;
    room.edit("acme/support#1", Edit::Assign("bob".into())).await;
    assert_eq!(mails_to(&mut room, "bob").await, [""; 0]);
}

#[tokio::test]
async fn guests_are_mailed_no_address_of_a_customer() {
    let mut room = super::room().await;
    room.edit("acme/support#1", Edit::Confidential(false)).await;
    wish(&mut room, "bob", &[("notify.answer", "at_once"), ("notify.reopened", "digest")]).await.unwrap();
    for (user, role) in [("mia", Role::Developer), ("bob", Role::Guest)] {
        room.ok(Request::SetMember { project: "acme/support".into(), user: user.into(), role }).await;
    }
    // Who gives no name is called by their address.
    let nameless = |id: &str| {
        format!(
            "From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example\nSubject: Re: Cannot log in\nMessage-ID: <{id}@customer.example>\nIn-Reply-To: <a1@customer.example>\n\nStill not.\n"
        )
    };
    room.mail(&nameless("n1")).await;
    let sent = room.send().await;
    let to = |name: &str| sent.iter().find(|mail| field(mail, "To").unwrap().contains(name)).unwrap();
    assert!(!to("bob").contains("ada@customer"), "{}", to("bob"));
    assert!(to("bob").contains("a*****@c*****.e**") && to("mia").contains("ada@customer.example"));
    room.edit("acme/support#1", Edit::Close).await;
    wish(&mut room, "bob", &[("notify.answer", "digest")]).await.unwrap();
    room.mail(&nameless("n2")).await;
    room.later(SignedDuration::from_hours(24));
    room.desk.send_notices().await.unwrap();
    let digest = mails_to(&mut room, "bob").await.remove(0);
    assert!(digest.contains("Still not.") && !digest.contains("ada@customer"), "{digest}");
}

#[tokio::test]
async fn a_notice_that_cannot_be_written_keeps_no_other_from_being_told_and_waits() {
    let mut room = super::room().await;
    let settings = [("quiet_hours", "08:00-10:00"), ("time_zone", "UTC"), ("notify.answer", "at_once")];
    for user in ["bob", "mia"] {
        wish(&mut room, user, &settings).await.unwrap();
    }
    answer_of_ada(&mut room, "a2", "Early").await;
    room.later(SignedDuration::from_hours(1));
    let bobs = "[mailbox.bob]\naddress = \"bob@staff.example\"\ninbox_method = \"maildir\"\npath = \"in3\"\n";
    room.again_with(&format!("{CONFIG}{bobs}")).await;
    assert_eq!(room.desk.send_notices().await.unwrap(), 1, "mia is told, though bob comes first");
    assert!(mails_to(&mut room, "mia").await[0].contains("Early"));
    room.again().await;
    room.later(SignedDuration::from_hours(24));
    assert_eq!(room.desk.send_notices().await.unwrap(), 1);
    assert!(mails_to(&mut room, "bob").await[0].contains("Early"));
}
