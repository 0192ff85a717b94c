//! The custom address of a project: its verification, and mail from it and to it.

use crate::support::room::{ADA, CONFIG, Room, address, field, open, unfolded};
use crate::support::{TestDesk, mail};
use deskbell::desk::Settled;
use deskbell::domain::{
    Arrival, CustomAction, CustomFailure, CustomState, CustomView, Delivered, Fate, MailKind, Request,
    Response,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};

const CUSTOM: &str = "help@acme.example";
const KEYED: &str = "help+acme-support-1-issue-@desk.example";

/// A desk with an outlet for the custom address, which is set; alice owns it and has an address.
async fn room() -> Room {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(Mutex::new("2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap()));
    let outlet = format!("[outlet.acme]\nmethod = \"maildir\"\npath = \"out2\"\nfrom = \"{CUSTOM}\"\n");
    let desk = open(&format!("{CONFIG}{outlet}"), &dir, &now).await;
    let mut room = Room { dir, desk, now, asked: 0 };
    for path in ["acme/support", "acme/office"] {
        room.ok(Request::AddProject { path: path.into() }).await;
    }
    let settings = vec![("emails".to_owned(), "alice@staff.example".to_owned())];
    room.ok(Request::SetUser { name: "alice".into(), settings }).await;
    act(&mut room, CustomAction::Set { address: CUSTOM.parse().unwrap(), outlet: "acme".into() }).await;
    room
}

async fn act(room: &mut Room, action: CustomAction) -> CustomView {
    let request = Request::CustomEmail { path: "acme/support".into(), action };
    match room.ok(request).await {
        Response::Project(project) => project.custom.unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn refused(room: &mut Room, path: &str, action: CustomAction) -> String {
    room.ask(Request::CustomEmail { path: path.into(), action }).await.unwrap_err().message
}

async fn view(room: &mut Room) -> CustomView {
    match room.ok(Request::Project("acme/support".into())).await {
        Response::Project(project) => project.custom.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Sends what is due at the outlet of the custom address.
async fn by_acme(room: &mut Room) -> Vec<String> {
    let mut sent = Vec::new();
    for claim in room.desk.claim(Some("acme"), 10).await.unwrap() {
        sent.push(unfolded(&claim.bytes));
        room.desk.settle(claim.id, Settled::Sent).await.unwrap();
    }
    sent
}

/// Has a mail come by the forwarding.
async fn forwarded(room: &mut Room, to: Option<&str>, raw: &str) -> Delivered {
    room.arrive(Arrival { envelope_to: to.map(str::to_owned), ..Arrival::default() }, raw).await
}

/// Verifies the address and lets the desk write from it.
async fn in_use() -> Room {
    let mut room = room().await;
    act(&mut room, CustomAction::Verify).await;
    let asked = by_acme(&mut room).await.remove(0);
    forwarded(&mut room, Some(KEYED), &asked).await;
    act(&mut room, CustomAction::Enable).await;
    room.send().await;
    room
}

fn token(mail: &str) -> &str {
    mail.split("Token: ").nth(1).unwrap().split_whitespace().next().unwrap()
}

#[tokio::test]
async fn a_mail_that_comes_back_with_its_token_verifies_and_makes_no_issue() {
    let mut room = room().await;
    assert_eq!(view(&mut room).await.state, CustomState::Unverified);
    assert!(refused(&mut room, "acme/support", CustomAction::Enable).await.contains("is not verified"));
    let started = act(&mut room, CustomAction::Verify).await;
    assert_eq!((started.state, started.asked_by.as_deref()), (CustomState::Started, Some("alice")));
    let asked = by_acme(&mut room).await.remove(0);
    assert!(field(&asked, "To").unwrap().contains("help+verify@acme.example"), "{asked}");
    assert!(field(&asked, "From").unwrap().contains(CUSTOM));
    assert_eq!(token(&asked).len(), 12);
    let shown = serde_json::to_string(&room.ok(Request::Project("acme/support".into())).await).unwrap();
    assert!(!shown.contains(token(&asked)), "the token is shown to nobody");
    let told = room.send().await;
    assert_eq!(told.len(), 1);
    assert!(
        field(&told[0], "To").unwrap().contains("alice@staff.example") && told[0].contains("asked whether")
    );
    room.again_with(&format!(
        "{CONFIG}[outlet.acme]\nmethod = \"maildir\"\npath = \"out2\"\nfrom = \"{CUSTOM}\"\n"
    ))
    .await;
    let back = forwarded(&mut room, Some(KEYED), &asked).await;
    assert_eq!(back.entry.fate, Fate::Ignored, "{}", back.entry.reason);
    assert_eq!(view(&mut room).await.state, CustomState::Finished);
    assert!(room.send().await.remove(0).contains("It is verified"));
    assert!(room.list("").await.is_empty());
    assert!(act(&mut room, CustomAction::Enable).await.enabled);
    // It verifies once; what comes later is set aside.
    let late = forwarded(&mut room, Some(KEYED), &asked.replace("Verification", "Again")).await;
    assert_eq!(late.entry.fate, Fate::Quarantined);
    assert!(view(&mut room).await.enabled && room.list("").await.is_empty());
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart_and_the_right_mail_still_counts() {
    let mut room = room().await;
    act(&mut room, CustomAction::Verify).await;
    let asked = by_acme(&mut room).await.remove(0);
    room.send().await;
    let other = asked.replace(token(&asked), "abcdefghijkl");
    let rewritten = asked.replace(&format!("<{CUSTOM}>"), "<bounces@forwarder.example>");
    for (to, raw, failure) in [
        (Some(KEYED), rewritten, CustomFailure::WrongFrom),
        (Some("office@desk.example"), asked.clone(), CustomFailure::WrongTarget),
        (None, asked.replace("Verification", "Another"), CustomFailure::WrongTarget),
        (Some(KEYED), other, CustomFailure::WrongToken),
    ] {
        let back = forwarded(&mut room, to, &raw).await;
        assert_eq!(back.entry.fate, Fate::Ignored, "{failure:?}: {}", back.entry.reason);
        let seen = view(&mut room).await;
        assert_eq!((seen.state, seen.failure), (CustomState::Failed, Some(failure)), "{}", back.entry.reason);
        assert!(seen.error.unwrap().starts_with(failure.words()) && seen.hint.is_some());
    }
    let told = room.send().await;
    assert_eq!(told.len(), 3, "each failure once: {told:?}");
    assert!(told.iter().all(|mail| mail.contains("could not be verified")));
    forwarded(&mut room, Some(KEYED), &asked.replace("Verification", "Verification at last")).await;
    assert_eq!(view(&mut room).await.state, CustomState::Finished);
    assert!(room.list("").await.is_empty());
}

#[tokio::test]
async fn a_mail_that_does_not_come_back_and_an_outlet_that_does_not_work_are_told() {
    let mut room = room().await;
    act(&mut room, CustomAction::Verify).await;
    let asked = by_acme(&mut room).await.remove(0);
    room.send().await;
    room.later(SignedDuration::from_mins(30));
    room.desk.time_out_custom().await.unwrap();
    assert_eq!(view(&mut room).await.state, CustomState::Started);
    room.later(SignedDuration::from_secs(1));
    room.desk.time_out_custom().await.unwrap();
    room.desk.time_out_custom().await.unwrap();
    assert_eq!(view(&mut room).await.failure, Some(CustomFailure::Timeout));
    assert_eq!(room.send().await.len(), 1);
    let late = forwarded(&mut room, Some(KEYED), &asked).await;
    assert_eq!((late.entry.fate, view(&mut room).await.state), (Fate::Quarantined, CustomState::Failed));
    for (login, failure) in [(true, CustomFailure::Login), (false, CustomFailure::Host)] {
        act(&mut room, CustomAction::Verify).await;
        let claim = room.desk.claim(Some("acme"), 1).await.unwrap().remove(0);
        room.desk.settle(claim.id, Settled::Untried).await.unwrap();
        assert!(room.desk.custom_unreachable(claim.id, login, "login: 535 no").await.unwrap());
        let seen = view(&mut room).await;
        assert_eq!((seen.state, seen.failure), (CustomState::Failed, Some(failure)));
        assert!(seen.error.unwrap().contains("535 no"));
        assert!(by_acme(&mut room).await.is_empty(), "it is not tried again by itself");
        assert!(!room.desk.custom_unreachable(claim.id, login, "again").await.unwrap());
    }
    act(&mut room, CustomAction::Verify).await;
    let claim = room.desk.claim(Some("acme"), 1).await.unwrap().remove(0);
    room.desk.settle(claim.id, Settled::Refused("550 not you".into())).await.unwrap();
    assert_eq!(view(&mut room).await.failure, Some(CustomFailure::Host));
}

#[tokio::test]
async fn customers_see_the_custom_address_alone_and_their_mail_to_it_is_taken_also_while_it_is_off() {
    let mut room = in_use().await;
    let to_custom = ADA.replace(KEYED, CUSTOM);
    let opened = forwarded(&mut room, Some(KEYED), &to_custom).await;
    assert_eq!(opened.entry.reference.as_deref(), Some("acme/support#1"));
    room.reply("acme/support#1", "Try 2.1").await;
    let sent = by_acme(&mut room).await;
    assert_eq!(sent.len(), 2);
    for mail in &sent {
        assert!(!mail.contains("desk.example"), "{mail}");
        assert!(field(mail, "From").unwrap().ends_with(&format!("<{CUSTOM}>")), "{mail}");
    }
    let key = address(field(&sent[1], "Reply-To").unwrap()).to_owned();
    assert!(key.starts_with("help+") && key.ends_with("@acme.example"), "{key}");
    let answer = |id: &str, to: &str| {
        format!(
            "From: ada@customer.example\nTo: {to}\nSubject: else\nMessage-ID: <{id}@customer.example>\n\nThanks\n"
        )
    };
    let joined = forwarded(&mut room, Some(KEYED), &answer("b1", &key)).await;
    assert_eq!((joined.entry.fate, joined.entry.reference.as_deref()), (Fate::Note, Some("acme/support#1")));
    act(&mut room, CustomAction::Disable).await;
    let joined = forwarded(&mut room, Some(KEYED), &answer("b2", &key)).await;
    assert_eq!((joined.entry.fate, joined.entry.reference.as_deref()), (Fate::Note, Some("acme/support#1")));
    for (id, to, envelope) in [("b3", CUSTOM, None), ("b4", "help+what@acme.example", Some(KEYED))] {
        let opened = forwarded(&mut room, envelope, &answer(id, to)).await;
        assert_eq!(opened.entry.fate, Fate::Issue, "{to}: {}", opened.entry.reason);
        assert!(opened.entry.reference.unwrap().starts_with("acme/support#"));
    }
    room.reply("acme/support#1", "Off again").await;
    assert!(by_acme(&mut room).await.is_empty());
    let sent = room.send().await;
    let reply = sent.iter().find(|mail| mail.contains("Off again")).unwrap();
    assert!(field(reply, "From").unwrap().ends_with("<help@desk.example>"));
    // Mail of the staff never leaves by it, and unsubscribing works at it.
    act(&mut room, CustomAction::Enable).await;
    let off = key.replace('@', "-unsubscribe@");
    let gone = forwarded(&mut room, Some(KEYED), &answer("b5", &off)).await;
    assert_eq!(gone.entry.fate, Fate::Unsubscribe, "{}", gone.entry.reason);
}

#[tokio::test]
async fn an_address_is_one_projects_alone_and_leaves_room_for_keys() {
    let mut room = room().await;
    let set = |address: &str, outlet: &str| CustomAction::Set {
        address: address.parse().unwrap(),
        outlet: outlet.into(),
    };
    for (path, address, outlet, why) in [
        ("acme/office", CUSTOM, "acme", "already"),
        ("acme/office", "help@desk.example", "acme", "already"),
        ("acme/office", "desk+x@acme.example", "acme", "at most 24 octets"),
        ("acme/office", "a-very-long-name-of-a-company@acme.example", "acme", "at most 24 octets"),
        ("acme/office", "office@acme.example", "nowhere", "no outlet `nowhere`"),
    ] {
        let words = refused(&mut room, path, set(address, outlet)).await;
        assert!(words.contains(why), "{address}: {words}");
    }
    let settings = vec![("custom_email".to_owned(), CUSTOM.to_owned())];
    assert!(room.ask(Request::SetProject { path: "acme/office".into(), settings }).await.is_err());
    assert!(refused(&mut room, "acme/office", CustomAction::Verify).await.contains("no custom address"));
    // Another address has to be verified anew.
    let mut room = in_use().await;
    room.set("acme/support", "custom_email", "desk@acme.example").await;
    let seen = view(&mut room).await;
    assert_eq!((seen.state, seen.enabled), (CustomState::Unverified, false));
    room.ok(Request::CustomEmail { path: "acme/support".into(), action: CustomAction::Remove }).await;
    let rows = room.outbox().await;
    assert!(rows.iter().any(|row| row.kind == MailKind::Probe));
}

#[test]
fn an_outlet_that_cannot_be_reached_fails_the_verification_and_nothing_else() {
    let desk = TestDesk::between_maildirs("");
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outlet =
        format!("[outlet.acme]\nhost = \"127.0.0.1\"\nport = {port}\nssl = false\nfrom = \"{CUSTOM}\"\n");
    desk.configure(&format!("{}{outlet}", desk.maildirs()));
    desk.ok(&["project", "custom-email", "set", "acme/support", CUSTOM, "--outlet", "acme"]);
    desk.ok(&["project", "custom-email", "verify", "acme/support"]);
    desk.deliver(&mail("ada@customer.test", "Help"));
    desk.run(&["sync", "--once"]);
    let status = desk.json(&["project", "custom-email", "status", "acme/support"]);
    assert_eq!(
        (status["custom"]["state"].as_str(), status["custom"]["failure"].as_str()),
        (Some("failed"), Some("host"))
    );
    assert_eq!(desk.sent().len(), 1, "the customer is thanked by the other outlet");
    let said = desk.ok(&["project", "custom-email", "status", "acme/support"]);
    assert!(
        said.contains("hint: ") && said.contains("forward it to help+acme-support-1-issue-@desk.test"),
        "{said}"
    );
}
