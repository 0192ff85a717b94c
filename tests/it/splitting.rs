//! Splitting: notes go out into an issue of their own, and what answers them follows.

use crate::support::room::{ADA, Room, address, field};
use deskbell::domain::{
    Fate, IssueKind, IssueSplit, IssueView, NoteId, NoteKind, ParticipantRole, Party, Request, Response,
};

const ONE: &str = "acme/support#1";
const TWO: &str = "acme/support#2";

fn reply_to(mail: &str) -> String {
    address(field(mail, "Reply-To").unwrap()).to_owned()
}

fn mail(who: &str, number: u32, to: &str, more: &str, text: &str) -> String {
    format!(
        "From: {who}@customer.example\nTo: {to}\nSubject: Re: Cannot log in\n{more}Message-ID: <{who}{number}@customer.example>\n\n{text}\n"
    )
}

fn bodies(issue: &IssueView) -> Vec<&str> {
    let said = issue.notes.iter().filter(|note| note.kind != NoteKind::System);
    said.map(|note| note.body.lines().next().unwrap()).collect()
}

fn note_id(issue: &IssueView, body: &str) -> NoteId {
    issue.notes.iter().find(|note| note.body.starts_with(body)).unwrap().id
}

fn split(notes: Vec<NoteId>, title: Option<&str>) -> Request {
    let title = title.map(str::to_owned);
    Request::Split(IssueSplit { reference: ONE.parse().unwrap(), notes, title })
}

/// Ada's ticket was answered; Eve, who joined, asks something else, and that was answered as well.
async fn room() -> (Room, Vec<String>) {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.reply(ONE, "We look, Ada.").await;
    let mut sent = room.send().await;
    room.mail(&mail("eve", 1, &reply_to(&sent[0]), "", "And my printer is broken.")).await;
    let eve = deskbell::domain::Edit::Subscribe("eve@customer.example".parse().unwrap());
    room.edit(ONE, eve).await;
    room.reply(ONE, "Which printer, Eve?").await;
    sent.extend(room.send().await);
    (room, sent)
}

fn of<'a>(sent: &'a [String], who: &str, words: &str) -> &'a str {
    sent.iter().find(|m| field(m, "To").unwrap().contains(who) && m.contains(words)).unwrap()
}

#[tokio::test]
async fn notes_go_out_with_their_author_and_answers_to_their_mails_follow_them() {
    let (mut room, sent) = room().await;
    let issue = room.issue(ONE).await;
    let notes = vec![note_id(&issue, "And my printer"), note_id(&issue, "Which printer")];
    let Response::Issue(new) = room.ok(split(notes, Some("The printer"))).await else { panic!() };
    assert_eq!((new.row.reference.as_str(), new.row.title.as_str()), (TWO, "The printer"));
    assert_eq!((new.row.kind, new.row.waiting_on), (IssueKind::Ticket, Some(Party::Them)));
    assert!(new.row.confidential);
    assert_eq!(new.participants.len(), 1);
    assert_eq!(new.participants[0].email.as_str(), "eve@customer.example");
    assert_eq!(new.participants[0].role, ParticipantRole::Requester);
    assert_eq!(bodies(&new), ["And my printer is broken.", "Which printer, Eve?"]);
    assert_eq!(new.notes.last().unwrap().body, format!("alice split 2 notes out of {ONE}"));
    let old = room.issue(ONE).await;
    assert_eq!(bodies(&old), ["It says \"invalid token\".", "We look, Ada."]);
    assert_eq!(old.notes.last().unwrap().body, format!("alice split 2 notes out into {TWO}"));
    assert_eq!(room.list("printer").await, [TWO]);
    assert!(room.send().await.is_empty(), "nobody is mailed for it");
    let entries = room.ok(Request::Intake { fate: Some(Fate::Note), limit: 9 }).await;
    let Response::Intake(entries) = entries else { panic!() };
    assert_eq!(entries[0].reference.as_deref(), Some(TWO), "its arrival names where it stands");
    // By key and by Message-ID: of the notes that went, and of those that stayed.
    let project = "help+acme-support-1-issue-@desk.example";
    let which = of(&sent, "eve", "Which printer");
    let which_to_ada = of(&sent, "ada", "Which printer");
    let look = of(&sent, "ada", "We look");
    let in_reply = |mail: &str| format!("In-Reply-To: {}\n", field(mail, "Message-ID").unwrap());
    let mails = [
        (mail("eve", 2, &reply_to(which), "", "The blue one."), TWO),
        (mail("eve", 3, project, &in_reply(which), "In the hall."), TWO),
        (mail("eve", 4, project, "In-Reply-To: <eve1@customer.example>\n", "Please."), TWO),
        (mail("ada", 5, &reply_to(which_to_ada), "", "I have that one too."), TWO),
        (mail("ada", 6, &reply_to(look), "", "Thanks."), ONE),
        (mail("ada", 7, project, &in_reply(look), "Thanks."), ONE),
        (mail("ada", 8, project, "In-Reply-To: <a1@customer.example>\n", "Still."), ONE),
    ];
    for (raw, expected) in mails {
        let entry = room.mail(&raw).await.entry;
        assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Note, Some(expected)), "{raw}");
    }
    room.again().await;
    assert_eq!(room.issue(TWO).await.row.note_count, 8);
}

#[tokio::test]
async fn undo_puts_the_notes_back_and_the_number_leads_there() {
    let (mut room, sent) = room().await;
    let before = room.issue(ONE).await;
    room.ok(split(vec![note_id(&before, "And my printer")], None)).await;
    assert_eq!(room.issue(TWO).await.row.title, before.row.title);
    room.ok(Request::Undo).await;
    assert_eq!(bodies(&room.issue(ONE).await), bodies(&before));
    assert_eq!(room.issue(TWO).await.row.reference, ONE);
    let raw = mail("eve", 2, &reply_to(of(&sent, "eve", "Which printer")), "", "The blue one.");
    assert_eq!(room.mail(&raw).await.entry.reference.as_deref(), Some(ONE));
    assert!(room.ask(Request::Redo).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_split_is_refused_with_its_reason() {
    let (mut room, _) = room().await;
    let issue = room.issue(ONE).await;
    let all = issue.notes.iter().filter(|n| n.kind != NoteKind::System).map(|n| n.id).collect();
    let system = issue.notes.iter().filter(|n| n.kind == NoteKind::System).map(|n| n.id).collect();
    for (notes, words) in [
        (all, "nothing would be left"),
        (vec![], "no note is named"),
        (vec![NoteId(999)], "no note 999"),
        (system, "no note"),
    ] {
        let fault = room.ask(split(notes, None)).await.unwrap_err();
        assert!(fault.message.contains(words), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_split_is_not_taken_back_behind_a_later_merge() {
    let (mut room, _) = room().await;
    let issue = room.issue(ONE).await;
    room.user("mia").await;
    room.mail(&ADA.replace("<a1@", "<a7@")).await;
    room.ok(split(vec![note_id(&issue, "And my printer")], None)).await;
    let split = room.list("is:open sort:created-desc").await.into_iter().find(|r| r.ends_with("#3")).unwrap();
    let into = "acme/support#2".parse().unwrap();
    let merge = Request::Merge { references: vec![split.parse().unwrap()], into, dry_run: false };
    room.ask_as("mia", merge).await.unwrap();
    let fault = room.ask(Request::Undo).await.unwrap_err();
    assert!(fault.message.contains("merged"), "{fault:?}");
}
