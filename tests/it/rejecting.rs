//! Mail that leads nowhere: its sender is told once, and nobody else ever.

use crate::support::room::{Room, field};
use deskbell::domain::{Arrival, Delivered, Fate, MailKind, OutboxState, Request};

const PASS: &str = "Authentication-Results: mx.desk.example; dmarc=pass header.from=customer.example\n";

async fn rejecting() -> Room {
    let mut room = Room::new().await;
    set(&mut room, "rejections", "on").await;
    room
}

async fn set(room: &mut Room, key: &str, value: &str) {
    room.ok(Request::SetDesk { settings: vec![(key.into(), value.into())] }).await;
}

async fn astray(room: &mut Room, number: u32, fields: &str) -> Delivered {
    let mail = format!(
        "{fields}From: Ada Lovelace <ada@customer.example>\nTo: someone@desk.example\nSubject: Cannot log in\nMessage-ID: <lost{number}@customer.example>\n\nIt says \"invalid token\", the {number}. time.\n"
    );
    let arrival = Arrival { mailbox: Some("support".into()), path: Some("-".into()), ..Arrival::default() };
    room.arrive(arrival, &mail).await
}

#[tokio::test]
async fn who_writes_to_no_project_is_told_once_and_the_mail_waits_in_triage() {
    let mut room = rejecting().await;
    let delivered = astray(&mut room, 1, PASS).await;
    assert_eq!(delivered.entry.fate, Fate::Unroutable);
    assert!(
        delivered.entry.reason.ends_with("; a rejection to ada@customer.example"),
        "{:?}",
        delivered.entry
    );
    assert_eq!(delivered.mails, ["rejection to ada@customer.example"]);
    let rows = room.outbox().await;
    assert_eq!((rows[0].kind, rows[0].state), (MailKind::Rejection, OutboxState::Queued));
    assert_eq!(rows[0].subject, "Re: Cannot log in");
    let claims = room.desk.claim(None, 10).await.unwrap();
    assert_eq!(claims[0].from, None, "no mail comes back to it");
    let mail = crate::support::room::unfolded(&claims[0].bytes);
    assert_eq!(field(&mail, "Auto-Submitted"), Some("auto-replied"));
    assert_eq!(field(&mail, "In-Reply-To"), Some("<lost1@customer.example>"));
    assert_eq!(field(&mail, "From"), Some("\"Support Bot\" <help@desk.example>"));
    assert!(mail.contains("Your message reached us") && !mail.contains("invalid token"), "{mail}");
    // The same mail again, and one that somebody tries again, cause no more.
    assert_eq!(astray(&mut room, 1, PASS).await.entry.fate, Fate::Duplicate);
    let action = deskbell::domain::IntakeAction::Retry;
    room.ok(Request::IntakeAct { id: delivered.entry.id, action }).await;
    assert_eq!(room.outbox().await.len(), 1);
}

#[tokio::test]
async fn a_desk_tells_nobody_unless_it_is_asked_to() {
    let mut room = Room::new().await;
    let delivered = astray(&mut room, 1, PASS).await;
    assert_eq!(delivered.entry.reason, "none of its addresses belongs to a project");
    assert!(room.outbox().await.is_empty());
}

#[tokio::test]
async fn machines_spam_and_those_who_may_not_have_written_it_are_told_nothing() {
    let mut room = rejecting().await;
    let sender = deskbell::domain::SenderRule::Block;
    let scope = deskbell::domain::SenderScope::Desk;
    room.ok(Request::SetSender { scope, pattern: "eve@customer.example".into(), rule: sender }).await;
    for (number, (fields, why)) in [
        ("", "no DMARC result"),
        ("Authentication-Results: mx.desk.example; dmarc=fail header.from=customer.example\n", "DMARC fail"),
        (
            "Authentication-Results: mx.evil.example; dmarc=pass header.from=customer.example\n",
            "no DMARC result",
        ),
        ("Authentication-Results: mx.desk.example; dmarc=pass header.from=evil.example\n", "no DMARC result"),
        ("From: eve@evil.example\n", "not exactly one author"),
        ("Precedence: bulk\n", "bulk"),
        ("Auto-Submitted: auto-replied\n", "Auto-Submitted"),
    ]
    .into_iter()
    .enumerate()
    {
        let fields = if fields.contains("Results") || fields.is_empty() {
            fields.into()
        } else {
            format!("{PASS}{fields}")
        };
        let entry = astray(&mut room, u32::try_from(number).unwrap() + 10, &fields).await.entry;
        assert!(matches!(entry.fate, Fate::Unroutable | Fate::Automatic), "{fields}: {entry:?}");
        assert!(entry.reason.contains(why), "{fields}: {}", entry.reason);
    }
    let eve = format!("{PASS}From: eve@customer.example\nTo: x@desk.example\nMessage-ID: <e@x>\n\nBuy\n");
    assert_eq!(room.mail(&eve).await.entry.fate, Fate::Spam);
    assert!(room.outbox().await.is_empty());
}

#[tokio::test]
async fn rejections_share_the_budget_of_acknowledgements() {
    let mut room = rejecting().await;
    let thanked = format!("{PASS}{}", crate::support::room::ADA);
    room.mail(&thanked).await;
    astray(&mut room, 1, PASS).await;
    let third = astray(&mut room, 2, PASS).await;
    assert!(third.entry.reason.contains("no rejection: this sender had enough"), "{:?}", third.entry);
    let kinds: Vec<MailKind> = room.outbox().await.into_iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [MailKind::Rejection, MailKind::ThankYou]);
    let status = room.ok(Request::Status).await;
    assert!(format!("{status:?}").contains("writes so often"));
}

#[tokio::test]
async fn a_project_that_is_switched_off_rejects_by_its_own_template() {
    let mut room = rejecting().await;
    let folder = room.dir.path().join("letters");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("rejection.md"), "We have closed, %{SYSTEM_FOOTER}").unwrap();
    set(&mut room, "system_footer", "Acme").await;
    room.set("acme/support", "templates_dir", "letters").await;
    room.ok(Request::EnableProject { path: "acme/support".into(), enabled: false }).await;
    let mail = format!("{PASS}{}", crate::support::room::ADA);
    let arrival = Arrival { mailbox: Some("support".into()), path: Some("-".into()), ..Arrival::default() };
    let delivered = room.arrive(arrival, &mail).await;
    assert_eq!(delivered.entry.fate, Fate::Unroutable);
    let sent = room.send().await;
    assert!(sent[0].contains("We have closed, Acme"), "{sent:?}");
}
