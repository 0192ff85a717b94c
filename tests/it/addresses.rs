//! Addresses: aliases, further addresses, changed keys, an issue's own, and mail that staff pass on.

use crate::support::room::{ADA, Room, address, field};
use deskbell::domain::{EmailAddress, Fate, NoteKind, ParticipantRole, ProjectAddress, Request, Response};

const PATH: &str = "acme/support";

fn email(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn mail(from: &str, to: &str, id: &str, rest: &str) -> String {
    format!("From: {from}\nTo: {to}\nMessage-ID: <{id}>\n{rest}\n")
}

#[tokio::test]
async fn behind_an_alias_no_mail_to_a_customer_shows_an_address_of_the_mailbox() {
    let mut room = Room::new().await;
    room.set(PATH, "public_address", "support@acme.example").await;
    // The alias is forwarded to the keyed address, which the mail server notes.
    let raw = mail(
        "Ada <ada@customer.example>",
        "support@acme.example",
        "a1@customer.example",
        "Delivered-To: help+acme-support-1-issue-@desk.example\nSubject: Help\n\nPlease.",
    );
    room.mail(&raw).await;
    room.reply("acme/support#1", "We look.").await;
    room.edit("acme/support#1", deskbell::domain::Edit::AddEmail(email("carl@other.example"))).await;
    let sent = room.send().await;
    assert_eq!(sent.len(), 3);
    for raw in &sent {
        let decoded = raw.replace("=\n", "").replace("=2B", "+").replace("=40", "@");
        assert!(!decoded.contains("help+"), "{decoded}");
        assert_eq!(address(field(raw, "Reply-To").unwrap()), "support@acme.example");
        assert!(field(raw, "List-Unsubscribe").unwrap().starts_with("<mailto:support@acme.example?"));
    }
    // Answers to the alias find their issue by what they answer.
    let id = field(&sent[1], "Message-ID").unwrap().to_owned();
    let raw = mail(
        "ada@customer.example",
        "support@acme.example",
        "a2@customer.example",
        &format!("In-Reply-To: {id}\nSubject: Re: Help\n\nThanks."),
    );
    assert_eq!(room.mail(&raw).await.entry.fate, Fate::Note);
    // And its link unsubscribes, without a key in the address.
    let link = field(&sent[1], "List-Unsubscribe").unwrap();
    let subject = link.rsplit_once("subject=").unwrap().1.trim_end_matches('>').replace("%20", " ");
    let raw = mail(
        "ada@customer.example",
        "support@acme.example",
        "a3@customer.example",
        &format!("Subject: {subject}\n\n"),
    );
    let entry = room.mail(&raw).await.entry;
    assert_eq!(entry.fate, Fate::Unsubscribe, "{}", entry.reason);
    let issue = room.issue("acme/support#1").await;
    assert!(
        !issue.participants.iter().find(|p| p.email == email("ada@customer.example")).unwrap().subscribed
    );
}

#[tokio::test]
async fn an_alias_under_the_domain_of_the_mailbox_keeps_keys_there() {
    let mut room = Room::new().await;
    room.set(PATH, "public_address", "contact@desk.example").await;
    room.mail(ADA).await;
    let sent = room.send().await;
    let reply_to = address(field(&sent[0], "Reply-To").unwrap()).to_owned();
    assert!(reply_to.starts_with("help+") && reply_to.ends_with("@desk.example"), "{reply_to}");
    assert!(!sent[0].contains("-issue-"), "only a reply key may stand there: {}", sent[0]);
}

#[tokio::test]
async fn a_further_address_labels_and_assigns_what_comes_by_it() {
    let mut room = Room::new().await;
    room.user("mia").await;
    let further = ProjectAddress {
        address: email("sales@acme.example"),
        labels: vec!["sales".into()],
        assignee: Some("mia".into()),
    };
    room.ok(Request::SetAddress { path: PATH.into(), address: further.clone() }).await;
    let Response::Project(project) = room.ok(Request::Project(PATH.into())).await else { panic!() };
    assert!(project.addresses.contains(&further.address), "{:?}", project.addresses);
    assert_eq!(project.further_addresses, std::slice::from_ref(&further));
    for (at, rest) in ["", "Delivered-To: help+acme-support-1-issue-@desk.example\n"].into_iter().enumerate()
    {
        let raw = mail(
            "ada@customer.example",
            "sales@acme.example",
            &format!("s{at}@x"),
            &format!("{rest}Subject: Buy\n\nHi"),
        );
        let entry = room.mail(&raw).await.entry;
        let issue = room.issue(entry.reference.as_deref().unwrap()).await;
        assert_eq!(
            (issue.row.labels, issue.row.assignee),
            (vec!["sales".to_owned()], Some("mia".to_owned()))
        );
    }
    let taken = Request::SetAddress { path: "acme/office".into(), address: further };
    assert!(room.ask(taken).await.is_err(), "it leads to one project only");
    room.ok(Request::RemoveAddress { path: PATH.into(), address: email("sales@acme.example") }).await;
    let raw = mail("ada@customer.example", "sales@acme.example", "s9@x", "Subject: Buy\n\nHi");
    assert_eq!(room.mail(&raw).await.entry.fate, Fate::Unroutable);
}

#[tokio::test]
async fn a_changed_key_takes_the_old_address_away_and_answers_go_on() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let sent = room.send().await;
    let reply_to = address(field(&sent[0], "Reply-To").unwrap()).to_owned();
    let Response::Project(project) = room.ok(Request::RotateKey { path: PATH.into() }).await else {
        panic!()
    };
    let entry = room.mail(&ADA.replace("<a1@", "<a2@")).await.entry;
    assert_eq!(entry.fate, Fate::Unroutable);
    let new = project.addresses.iter().find(|a| a.as_str().contains("-issue-")).unwrap();
    let raw = ADA.replace("<a1@", "<a3@").replace("help+acme-support-1-issue-@desk.example", new.as_str());
    assert_eq!(room.mail(&raw).await.entry.fate, Fate::Issue);
    let raw = mail("ada@customer.example", &reply_to, "a4@x", "Subject: Re: Cannot log in\n\nMore.");
    assert_eq!(room.mail(&raw).await.entry.reference.as_deref(), Some("acme/support#1"));
    let Response::Project(again) = room.ok(Request::RotateKey { path: PATH.into() }).await else { panic!() };
    assert!(!again.addresses.contains(new));
}

#[tokio::test]
async fn a_customers_mail_that_the_staff_forward_is_the_customers() {
    let mut room = Room::new().await;
    room.ok(Request::SetUser {
        name: "alice".into(),
        settings: vec![("emails".into(), "alice@acme.example".into())],
    })
    .await;
    let forwarded = "Subject: Fwd: Broken\n\nOne for us.\n\n---------- Forwarded message ---------\nFrom: Eve Adams <eve@new.example>\nDate: Mon, 2 Mar 2026 at 08:00\nSubject: Broken\nTo: <alice@acme.example>\n\nIt is broken.";
    let to = "help+acme-support-1-issue-@desk.example";
    let entry = room.mail(&mail("Alice <alice@acme.example>", to, "f1@acme.example", forwarded)).await.entry;
    let issue = room.issue(entry.reference.as_deref().unwrap()).await;
    let requester = issue.participants.iter().find(|p| p.role == ParticipantRole::Requester).unwrap();
    assert_eq!(requester.email, email("eve@new.example"));
    assert!(issue.participants.iter().all(|p| p.email != email("alice@acme.example")));
    assert_eq!(issue.notes[0].author.email, Some(email("eve@new.example")));
    assert!(
        issue.notes[0].warnings.iter().any(|w| w == "alice forwarded it"),
        "{:?}",
        issue.notes[0].warnings
    );
    let thanked = room.outbox().await;
    assert_eq!(thanked.iter().map(|row| row.to.as_str()).collect::<Vec<_>>(), ["eve@new.example"]);
    // Whoever is not of the staff forwards as themselves.
    let entry = room.mail(&mail("Mallory <mallory@x.example>", to, "f2@x.example", forwarded)).await.entry;
    let issue = room.issue(entry.reference.as_deref().unwrap()).await;
    assert_eq!(issue.notes[0].author.email, Some(email("mallory@x.example")));
}

#[tokio::test]
async fn what_is_forwarded_to_the_address_of_an_issue_becomes_a_note_of_its_sender() {
    let mut room = Room::new().await;
    room.ok(Request::SetUser {
        name: "alice".into(),
        settings: vec![("emails".into(), "alice@acme.example".into())],
    })
    .await;
    room.mail(ADA).await;
    let own = room.issue("acme/support#1").await.address.unwrap();
    let raw = mail(
        "Alice <alice@acme.example>",
        own.as_str(),
        "f1@acme.example",
        "Subject: Fwd: more\n\n---------- Forwarded message ---------\nFrom: Ada Lovelace <ada@customer.example>\nDate: today\nSubject: more\nTo: <alice@acme.example>\n\nI forgot this.",
    );
    let entry = room.mail(&raw).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Note, Some("acme/support#1")));
    let issue = room.issue("acme/support#1").await;
    let last = issue.notes.iter().rfind(|n| n.kind == NoteKind::Incoming).unwrap();
    assert_eq!(last.author.email, Some(email("ada@customer.example")));
    assert!(
        last.body.contains("I forgot this.")
            || last.folded.as_deref().unwrap_or("").contains("I forgot this.")
    );
}

#[tokio::test]
async fn no_mail_shows_a_customer_the_address_of_an_issue() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let own = room.issue("acme/support#1").await.address.unwrap();
    room.reply("acme/support#1", "Hello.").await;
    for raw in room.send().await {
        assert!(!raw.contains(own.as_str()), "{raw}");
    }
}
