//! Moving and linking: an issue goes elsewhere and everything finds it there; two belong together.

use crate::support::room::{ADA, Room, address, field, note};
use deskbell::domain::{DraftKind, Edit, Fate, LinkKind, NewNote, Request, Response, Role, State, Status};

const OLD: &str = "acme/support#1";
const NEW: &str = "acme/office#2";

/// Ada's ticket, answered once; another issue stands in the other project.
async fn room() -> (Room, Vec<String>) {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.mail("From: x@y.example\nTo: office@desk.example\nMessage-ID: <o@y>\nSubject: Chairs\n\nx\n").await;
    room.reply(OLD, "We look, Ada.").await;
    let sent = room.send().await;
    (room, sent)
}

fn moved() -> Edit {
    Edit::MoveTo("acme/office".into())
}

fn reply_to(mail: &str) -> String {
    address(field(mail, "Reply-To").unwrap()).to_owned()
}

fn answer(number: u32, to: &str, more: &str) -> String {
    format!(
        "From: ada@customer.example\nTo: {to}\nSubject: Re: Cannot log in\n{more}Message-ID: <r{number}@customer.example>\n\nThanks {number}.\n"
    )
}

#[tokio::test]
async fn a_moved_issue_keeps_everything_and_whatever_is_said_to_it_arrives_there() {
    let (mut room, sent) = room().await;
    let before = room.issue(OLD).await;
    room.half_a_reply(OLD).await;
    room.edit(OLD, moved()).await;
    assert!(room.send().await.is_empty(), "nobody is mailed for it");
    let issue = room.issue(OLD).await;
    assert_eq!(issue.row.reference, NEW, "the old reference leads there");
    assert_eq!(room.issue(NEW).await.row.id, before.row.id);
    assert_eq!((issue.participants.clone(), issue.row.confidential), (before.participants, true));
    assert_eq!(issue.moved_from, [OLD]);
    let last = issue.notes.last().unwrap();
    assert_eq!(last.body, format!("alice moved this from {OLD} to {NEW}"));
    let ask = Request::Draft { reference: Some(NEW.parse().unwrap()), kind: DraftKind::Reply };
    let Response::Draft(Some(draft)) = room.ok(ask).await else { panic!() };
    assert_eq!(draft.text, "Half a thought");
    assert_eq!(room.list("project:acme/support").await, [""; 0]);
    assert_eq!(room.list("is:moved").await, [NEW]);
    // By the reply key of an old mail, by a Message-ID at the old address, and by the old token.
    let id = field(&sent[0], "Message-ID").unwrap();
    let project = "help+acme-support-1-issue-@desk.example";
    for (number, to, more) in [
        (1, reply_to(&sent[0]), String::new()),
        (2, project.to_owned(), format!("In-Reply-To: {id}\n")),
        (3, project.to_owned(), "In-Reply-To: <a1@customer.example>\n".to_owned()),
        (4, "help+acme-support-1-issue-1@desk.example".to_owned(), String::new()),
    ] {
        let entry = room.mail(&answer(number, &to, &more)).await.entry;
        assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Note, Some(NEW)), "{number}");
    }
    let token = answer(5, project, "").replace("Cannot log in", "Cannot log in (acme/support#1)");
    assert_eq!(room.mail(&token).await.entry.reference.as_deref(), Some(NEW));
    // What is sent from there is answered to the address that the customer knows.
    room.reply(NEW, "From the office.").await;
    let mails = room.send().await;
    assert!(field(&mails[0], "Subject").unwrap().ends_with("(acme/office#2)"), "{}", mails[0]);
    let id = field(&mails[0], "Message-ID").unwrap();
    let entry = room.mail(&answer(6, project, &format!("In-Reply-To: {id}\n"))).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Note, Some(NEW)));
    let entry = room.mail(&answer(7, &reply_to(&mails[0]), "")).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Note, Some(NEW)));
}

#[tokio::test]
async fn one_mail_to_the_old_address_and_the_reply_address_is_one_note() {
    let (mut room, sent) = room().await;
    room.edit(OLD, moved()).await;
    let to = format!("{}, help+acme-support-1-issue-@desk.example", reply_to(&sent[0]));
    let notes = room.issue(NEW).await.notes.len();
    room.mail(&answer(1, &to, "In-Reply-To: <a1@customer.example>\n")).await;
    assert_eq!(room.issue(NEW).await.notes.len(), notes + 1);
    let entry = room.mail(&answer(1, &to, "In-Reply-To: <a1@customer.example>\n")).await.entry;
    assert_eq!(entry.fate, Fate::Duplicate);
}

#[tokio::test]
async fn undo_moves_back_and_a_second_move_takes_the_number_it_had_there() {
    let (mut room, _) = room().await;
    room.ok(Request::AddNote(note(OLD, "Yours, I think.\n/move acme/office"))).await;
    assert_eq!(room.issue(OLD).await.row.reference, NEW);
    room.again().await;
    room.ok(Request::Undo).await;
    let issue = room.issue(NEW).await;
    assert_eq!(issue.row.reference, OLD, "the number over there leads back");
    room.edit(OLD, moved()).await;
    assert_eq!(room.issue(OLD).await.row.reference, NEW);
    room.ok(Request::Undo).await;
    room.ok(Request::Redo).await;
    assert_eq!(room.issue(OLD).await.row.reference, NEW);
    let Response::History(changes) = room.ok(Request::History(NEW.parse().unwrap())).await else { panic!() };
    let first = changes.iter().find(|change| change.field == "project").unwrap();
    assert_eq!((first.before.as_str(), first.after.as_str()), (Some("acme/support"), Some("acme/office")));
    room.mail(&ADA.replace("<a1@", "<a9@")).await;
    assert_eq!(room.list("project:acme/support").await, ["acme/support#2"], "no number is given twice");
}

#[tokio::test]
async fn who_moves_an_issue_needs_a_role_in_both_projects() {
    let (mut room, _) = room().await;
    room.user("bob").await;
    room.user("eve").await;
    for (project, user, role) in [
        ("acme/support", "bob", Role::Reporter),
        ("acme/office", "bob", Role::Guest),
        ("acme/support", "eve", Role::Reporter),
        ("acme/office", "alice", Role::Owner),
    ] {
        room.ok(Request::SetMember { project: project.into(), user: user.into(), role }).await;
    }
    let request = |path: &str| Request::Edit {
        references: vec![OLD.parse().unwrap()],
        edits: vec![Edit::MoveTo(path.into())],
    };
    let fault = room.ask_as("bob", request("acme/office")).await.unwrap_err();
    assert!(fault.message.contains("takes a reporter of acme/office"), "{}", fault.message);
    let fault = room.ask_as("eve", request("acme/office")).await.unwrap_err();
    assert_eq!(fault.message, "there is no project `acme/office`");
    assert!(room.ask(request("acme/support")).await.is_err(), "it is there already");
    room.ok(request("acme/office")).await;
    let fault = room.ask_as("eve", Request::Issue(OLD.parse().unwrap())).await.unwrap_err();
    assert_eq!(fault.message, format!("there is no issue {OLD}"), "its new project is not hers");
}

#[tokio::test]
async fn links_stand_at_both_ends_and_go_from_both_with_one_undo() {
    let (mut room, _) = room().await;
    let other = "acme/office#1";
    room.ok(Request::AddNote(note(OLD, "/link acme/office#1"))).await;
    for (at, to) in [(OLD, other), (other, OLD)] {
        let issue = room.issue(at).await;
        let links: Vec<_> = issue.links.iter().map(|link| (link.kind, link.reference.as_str())).collect();
        assert_eq!(links, [(LinkKind::RelatesTo, to)]);
        assert_eq!(issue.notes.last().unwrap().body, format!("alice linked this to {to}"));
    }
    let mut found = room.list("is:linked").await;
    found.sort();
    assert_eq!(found, [other, OLD]);
    room.ok(Request::Undo).await;
    assert_eq!(room.list("is:linked").await, [""; 0]);
    room.edit(OLD, Edit::Link(other.parse().unwrap())).await;
    room.edit(other, Edit::Unlink(OLD.parse().unwrap())).await;
    assert_eq!(room.list("is:linked").await, [""; 0]);
    room.ok(Request::Undo).await;
    assert_eq!(room.list("is:linked").await.len(), 2);
    let fault = room
        .ask(Request::Edit {
            references: vec![OLD.parse().unwrap()],
            edits: vec![Edit::Link("#1".parse().unwrap())],
        })
        .await
        .unwrap_err();
    assert_eq!(fault.message, "#1 cannot be linked to itself");
}

#[tokio::test]
async fn a_status_is_set_by_a_line_and_an_answer_sets_it_back() {
    let (mut room, sent) = room().await;
    room.ok(Request::AddNote(note(OLD, "Try this.\n/status pending"))).await;
    let row = room.issue(OLD).await.row;
    assert_eq!((row.state, row.status), (State::Open, Status::Pending));
    assert_eq!(room.list("status:pending").await, [OLD]);
    room.mail(&answer(1, &reply_to(&sent[0]), "")).await;
    assert_eq!(room.issue(OLD).await.row.status, Status::Open);
    room.ok(Request::AddNote(note(OLD, "/status solved"))).await;
    let issue = room.issue(OLD).await;
    assert_eq!(issue.notes.last().unwrap().body, "alice set the status to solved");
    room.ok(Request::Undo).await;
    assert_eq!(room.issue(OLD).await.row.status, Status::Open);
}

#[tokio::test]
async fn sending_sets_the_status_as_the_project_or_the_note_wants_it() {
    let (mut room, sent) = room().await;
    let new = NewNote { status: Some(Status::Solved), ..note(OLD, "It works now.") };
    room.ok(Request::AddNote(new)).await;
    let row = room.issue(OLD).await.row;
    assert_eq!((row.state, row.status), (State::Open, Status::Solved));
    room.ok(Request::Undo).await;
    assert_eq!(room.issue(OLD).await.row.status, Status::Open);
    room.set("acme/support", "pending_on_reply", "true").await;
    room.ok(Request::AddNote(NewNote { internal: true, ..note(OLD, "A thought.") })).await;
    assert_eq!(room.issue(OLD).await.row.status, Status::Open);
    room.reply(OLD, "And now?").await;
    assert_eq!(room.issue(OLD).await.row.status, Status::Pending);
    room.mail(&answer(1, &reply_to(&sent[0]), "")).await;
    let row = room.issue(OLD).await.row;
    assert_eq!((row.status, row.waiting_on), (Status::Open, Some(deskbell::domain::Party::Us)));
    room.reply(OLD, "Bye.\n/close").await;
    assert_eq!(room.issue(OLD).await.row.status, Status::Closed);
}

#[tokio::test]
async fn mail_to_a_moved_issue_arrives_though_its_old_project_is_off() {
    let (mut room, sent) = room().await;
    room.edit(OLD, moved()).await;
    room.ok(Request::EnableProject { path: "acme/support".into(), enabled: false }).await;
    let id = field(&sent[0], "Message-ID").unwrap();
    let address = "help+acme-support-1-issue-@desk.example".to_owned();
    room.mail(&answer(9, &address, &format!("In-Reply-To: {id}\n"))).await;
    assert!(room.issue(NEW).await.notes.iter().any(|note| note.body.trim() == "Thanks 9."));
    let other = room.mail(&answer(10, &address, "")).await;
    assert_eq!(other.entry.fate, Fate::Unroutable, "what is new for it waits");
}

#[tokio::test]
async fn a_number_alone_is_taken_where_one_project_has_it_and_else_which_is_asked() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let alone = || Request::Issue("#1".parse().unwrap());
    let Response::Issue(issue) = room.ok(alone()).await else { panic!() };
    assert_eq!(issue.row.reference, OLD);
    let to = ADA.lines().find(|line| line.starts_with("To: ")).unwrap();
    room.mail(&ADA.replace("<a1@", "<o1@").replace(to, "To: office@desk.example")).await;
    let fault = room.ask(alone()).await.unwrap_err();
    assert_eq!(fault.message, "`#1` is in more than one project");
    let hint = fault.hint.unwrap();
    assert!(
        hint.contains("acme/support#1 (Cannot log in) or ")
            || hint.contains(" or acme/support#1 (Cannot log in)"),
        "{hint}"
    );
    assert!(hint.contains("acme/office#1 (Cannot log in)"), "{hint}");
    // Who sees only one of them is not told of the other.
    room.user("mia").await;
    for (project, user) in [("acme/support", "alice"), ("acme/office", "mia")] {
        let (project, user, role) = (project.to_owned(), user.to_owned(), Role::Reporter);
        room.ok(Request::SetMember { project, user, role }).await;
    }
    let Response::Issue(issue) = room.ask_as("mia", alone()).await.unwrap() else { panic!() };
    assert_eq!(issue.row.reference, "acme/office#1");
}
