//! Quick actions in what the staff write: carried out with the note, and never for a customer.

use crate::support::room::{ADA, Room, field, note};
use deskbell::domain::{
    Edit, FaultKind, IssueKind, LinkKind, NewIssue, NewNote, NoteKind, Request, Response, State,
};
use jiff::SignedDuration;

/// A desk in which Ada's issue is, and nothing waits to be sent.
async fn room() -> Room {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    room
}

#[tokio::test]
async fn a_reply_is_mailed_without_its_quick_actions_and_they_are_carried_out() {
    let mut room = room().await;
    let text = "/assign me\nIt works again.\n/label ~bug ~\"needs info\"\n/due 2026-03-09\n/close";
    let issue = room.reply("acme/support#1", text).await;
    assert_eq!(issue.row.state, State::Closed);
    assert_eq!(issue.row.assignee.as_deref(), Some("alice"));
    assert_eq!(issue.row.labels, ["bug", "needs info"]);
    assert!(issue.row.due_at.is_some());
    let reply = issue.notes.iter().find(|n| n.kind == NoteKind::Reply).unwrap();
    assert_eq!(reply.body, "It works again.");
    let sent = room.send().await;
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains("It works again."));
    assert!(!sent[0].contains("/assign") && !sent[0].contains("/close"), "{}", sent[0]);
    assert_eq!(issue.row.unread, 0, "what one did oneself is read");
}

#[tokio::test]
async fn actions_alone_make_no_note_and_one_undo_takes_them_back() {
    let mut room = room().await;
    let before = room.issue("acme/support#1").await;
    let text = "/priority high\n/weight 3\n/estimate 2h\n/spend 30m";
    let Response::Edited { label, .. } = room.ok(Request::AddNote(note("acme/support#1", text))).await else {
        panic!()
    };
    assert!(label.contains("prioritised"), "{label}");
    let issue = room.issue("acme/support#1").await;
    assert_eq!((issue.row.weight, issue.estimate, issue.spent), (Some(3), Some(7200), 1800));
    let notes = |kind| issue.notes.iter().filter(|n| n.kind == kind).count();
    assert_eq!((notes(NoteKind::Reply), notes(NoteKind::System)), (0, 1));
    assert!(room.outbox().await.iter().all(|row| row.kind != deskbell::domain::MailKind::NewNote));
    room.ok(Request::Undo).await;
    let after = room.issue("acme/support#1").await;
    assert_eq!(
        (after.row.priority, after.row.weight, after.estimate, after.spent),
        (before.row.priority, before.row.weight, before.estimate, before.spent)
    );
}

#[tokio::test]
async fn a_wrong_action_refuses_the_whole_note() {
    let mut room = room().await;
    for text in ["Thanks\n/clsoe", "Thanks\n/assign @nobody", "Thanks\n/spend -2h", "Thanks\n/duplicate #99"]
    {
        let fault = room.ask(Request::AddNote(note("acme/support#1", text))).await.unwrap_err();
        assert!(!matches!(fault.kind, FaultKind::Internal), "{text}: {fault:?}");
    }
    assert_eq!(room.issue("acme/support#1").await.notes.len(), 1);
    assert!(room.send().await.is_empty());
}

#[tokio::test]
async fn an_empty_note_closes_nothing() {
    let mut room = room().await;
    for text in ["", " \n", "/cc x@y.example"] {
        let empty = NewNote { close: true, ..note("acme/support#1", text) };
        let fault = room.ask(Request::AddNote(empty)).await.unwrap_err();
        assert_eq!(fault.message, "the note is empty");
    }
    assert_eq!(room.issue("acme/support#1").await.row.state, State::Open);
}

#[tokio::test]
async fn a_customers_quick_actions_are_text() {
    let mut room = room().await;
    let raw = ADA.replace("<a1@", "<a2@").replace("It says \"invalid token\".", "/close\n/assign alice");
    room.mail(&raw).await;
    let issue = room.issue("acme/support#2").await;
    assert_eq!((issue.row.state, issue.row.assignee.as_deref()), (State::Open, None));
    assert!(issue.notes[0].body.contains("/close"));
}

#[tokio::test]
async fn who_is_added_is_greeted_and_does_not_get_the_note_that_adds_them() {
    let mut room = room().await;
    room.reply("acme/support#1", "Internal words for Ada.\n/add_email carl@other.example").await;
    let sent = room.send().await;
    let to = |who: &str| sent.iter().filter(|m| field(m, "To").is_some_and(|to| to.contains(who))).count();
    assert_eq!((to("ada@customer.example"), to("carl@other.example"), sent.len()), (1, 1, 2));
    let greeting = sent.iter().find(|m| field(m, "To").unwrap().contains("carl")).unwrap();
    assert!(greeting.contains("You were added to the conversation"), "{greeting}");
    assert!(!greeting.contains("Internal words"), "{greeting}");
    assert_eq!(field(greeting, "Auto-Submitted"), Some("auto-replied"));
    room.reply("acme/support#1", "To both.").await;
    assert_eq!(room.send().await.len(), 2);
}

#[tokio::test]
async fn a_copy_goes_to_further_people_once() {
    let mut room = room().await;
    room.reply("acme/support#1", "Have a look.\n/cc expert@other.example").await;
    assert_eq!(room.send().await.len(), 2);
    room.reply("acme/support#1", "Solved.").await;
    assert_eq!(room.send().await.len(), 1);
    let internal = NewNote { internal: true, ..note("acme/support#1", "Look.\n/cc x@other.example") };
    assert!(room.ask(Request::AddNote(internal)).await.is_err());
}

#[tokio::test]
async fn a_duplicate_is_closed_and_linked_and_the_other_one_says_so() {
    let mut room = room().await;
    room.mail(&ADA.replace("<a1@", "<a2@")).await;
    room.ok(Request::AddNote(note("acme/support#2", "/duplicate acme/support#1"))).await;
    let issue = room.issue("acme/support#2").await;
    assert_eq!(issue.row.state, State::Closed);
    assert_eq!(issue.links.len(), 1);
    assert_eq!(
        (issue.links[0].kind, issue.links[0].reference.as_str()),
        (LinkKind::DuplicateOf, "acme/support#1")
    );
    let other = room.issue("acme/support#1").await;
    assert!(other.notes.last().unwrap().body.contains("marked acme/support#2 as a duplicate"));
    room.ok(Request::Undo).await;
    let issue = room.issue("acme/support#2").await;
    assert_eq!((issue.row.state, issue.links.len()), (State::Open, 0));
}

#[tokio::test]
async fn a_plain_issue_becomes_a_ticket_without_a_mail_and_the_next_reply_opens_the_talk() {
    let mut room = room().await;
    let new = NewIssue {
        project: "acme/support".into(),
        title: "Phone call".into(),
        to: None,
        text: "She called.\n/label phone".into(),
        hold_ms: None,
    };
    let Response::Issue(issue) = room.ok(Request::NewIssue(new)).await else { panic!() };
    assert_eq!(
        (issue.row.kind, issue.row.labels.as_slice()),
        (IssueKind::Issue, ["phone".to_owned()].as_slice())
    );
    assert_eq!(issue.notes[0].body, "She called.");
    room.ok(Request::AddNote(note("acme/support#2", "/convert_to_ticket eve@new.example"))).await;
    assert!(room.send().await.is_empty(), "nobody is thanked");
    let issue = room.issue("acme/support#2").await;
    assert_eq!(issue.row.kind, IssueKind::Ticket);
    room.reply("acme/support#2", "As we said on the phone.").await;
    let sent = room.send().await;
    assert_eq!(sent.len(), 1);
    assert!(field(&sent[0], "To").unwrap().contains("eve@new.example"));
}

#[tokio::test]
async fn the_people_of_a_mail_take_part_as_the_project_wants_it() {
    let mut room = Room::new().await;
    let with_cc =
        |id: &str| ADA.replace("<a1@", id).replace("Subject", "Cc: Carl <carl@other.example>\nSubject");
    for (setting, subscribed, greeted) in
        [("never", None, 0), ("ask", Some(false), 0), ("always", Some(true), 1)]
    {
        room.set("acme/support", "import_cc", setting).await;
        room.later(SignedDuration::from_hours(2));
        let id = format!("<{setting}@");
        let reference = room.mail(&with_cc(&id)).await.entry.reference.unwrap();
        let issue = room.issue(&reference).await;
        let carl = issue.participants.iter().find(|p| p.email.as_str() == "carl@other.example");
        assert_eq!(carl.map(|p| p.subscribed), subscribed, "{setting}");
        let sent = room.send().await;
        let to_carl = sent.iter().filter(|m| field(m, "To").unwrap().contains("carl")).count();
        assert_eq!(to_carl, greeted, "{setting}");
        // The answer of a participant brings in further people in the same way.
        let answer = format!(
            "From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example\nCc: dora@third.example\nSubject: Re\nMessage-ID: <b-{setting}@customer.example>\nIn-Reply-To: {id}customer.example>\n\nMore.\n"
        );
        room.mail(&answer).await;
        let issue = room.issue(&reference).await;
        let dora = issue.participants.iter().find(|p| p.email.as_str() == "dora@third.example");
        assert_eq!(dora.map(|p| p.subscribed), subscribed, "{setting}");
        let sent = room.send().await;
        assert_eq!(sent.iter().filter(|m| field(m, "To").unwrap().contains("dora")).count(), greeted);
    }
    room.edit("acme/support#1", Edit::Close).await;
}

#[tokio::test]
async fn a_cc_to_which_nothing_can_be_written_stops_no_mail() {
    let mut room = Room::new().await;
    room.set("acme/support", "import_cc", "always").await;
    for (at, odd) in ["foo..bar@docomo.example", "x.@y.example", "a[b@c.example"].into_iter().enumerate() {
        let raw = ADA.replace("<a1@", &format!("<c{at}@")).replace("Subject", &format!("Cc: {odd}\nSubject"));
        let entry = room.mail(&raw).await.entry;
        assert_eq!(entry.fate, deskbell::domain::Fate::Issue, "{odd}: {}", entry.reason);
    }
}
