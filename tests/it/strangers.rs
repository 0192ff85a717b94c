//! A project that takes no mail of strangers.

use crate::support::room::{ADA, Room, address, field};
use deskbell::domain::{
    Arrival, EmailAddress, Fate, IntakeAction, Request, Response, SenderRule, SenderScope,
};

const ONE: &str = "acme/support#1";

/// Ada has an issue already; from then on strangers wait.
async fn room() -> Room {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.set("acme/support", "strangers", "quarantine").await;
    room
}

fn eve(number: u32) -> String {
    ADA.replace("<a1@", &format!("<e{number}@"))
        .replace("Ada Lovelace <ada@customer.example>", "eve@customer.example")
        .replace("token", &format!("token {number}"))
}

#[tokio::test]
async fn whom_nobody_knows_waits_in_the_intake_and_is_not_answered_until_somebody_lets_them_in() {
    let mut room = room().await;
    room.send().await;
    let entry = room.mail(&eve(1)).await.entry;
    assert_eq!(entry.fate, Fate::Quarantined);
    let said = "it waits for a person: eve@customer.example has written nothing to acme/support so far, which takes no mail of strangers";
    assert_eq!(entry.reason, said);
    assert_eq!(room.list("").await, [ONE]);
    assert!(room.send().await.is_empty(), "nobody is thanked");
    let action = IntakeAction::Ham { allow_sender: false };
    let Response::IntakeEntry(entry) = room.ok(Request::IntakeAct { id: entry.id, action }).await else {
        panic!()
    };
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Issue, Some("acme/support#2")));
    assert_eq!(room.send().await.len(), 1, "all follows as if it had come just now");
    assert_eq!(room.mail(&eve(2)).await.entry.fate, Fate::Issue, "they are known now");
}

#[tokio::test]
async fn who_has_an_issue_works_here_or_stands_on_a_list_is_let_in() {
    let mut room = room().await;
    assert_eq!(room.mail(&ADA.replace("<a1@", "<a2@").replace("token", "t")).await.entry.fate, Fate::Issue);
    assert_eq!(
        room.mail(&eve(1).replace("+acme-support-1-", "+acme-office-2-")).await.entry.fate,
        Fate::Issue
    );
    assert_eq!(room.mail(&eve(2)).await.entry.fate, Fate::Quarantined, "another project's customer");
    let (scope, rule) = (SenderScope::Project("acme/support".into()), SenderRule::Allow);
    room.ok(Request::SetSender { scope, pattern: "eve@customer.example".into(), rule }).await;
    assert_eq!(room.mail(&eve(3)).await.entry.fate, Fate::Issue);
    let (name, emails) = ("mia".to_owned(), vec![EmailAddress::parse("mia@staff.example").unwrap()]);
    room.ok(Request::AddUser { name, full_name: None, emails, system_user: None }).await;
    let mia = eve(4).replace("eve@customer", "mia@staff");
    assert_eq!(room.mail(&mia).await.entry.fate, Fate::Issue);
}

#[tokio::test]
async fn an_answer_of_somebody_who_takes_no_part_waits_and_spam_and_machines_stay_what_they_are() {
    let mut room = room().await;
    let to = address(field(&room.send().await[0], "Reply-To").unwrap()).to_owned();
    let answer = |from: &str, id: &str| {
        format!("From: {from}\nTo: {to}\nSubject: Re: Cannot log in\nMessage-ID: <{id}@x>\n\nMe too.\n")
    };
    assert_eq!(room.mail(&answer("eve@customer.example", "e1")).await.entry.fate, Fate::Quarantined);
    assert_eq!(room.mail(&answer("ada@customer.example", "a2")).await.entry.fate, Fate::Note);
    let machine = answer("eve@customer.example", "e2").replace("To:", "Auto-Submitted: auto-replied\nTo:");
    assert_eq!(room.mail(&machine).await.entry.fate, Fate::Automatic);
    let (scope, rule) = (SenderScope::Desk, SenderRule::Block);
    room.ok(Request::SetSender { scope, pattern: "eve@customer.example".into(), rule }).await;
    assert_eq!(room.mail(&eve(3)).await.entry.fate, Fate::Spam);
    let old = Arrival { silent: true, path: Some("-".into()), ..Arrival::default() };
    let old = room.arrive(old, &eve(4).replace("eve@", "old@")).await;
    assert_eq!(old.entry.fate, Fate::Issue, "the first import takes what there is");
}
