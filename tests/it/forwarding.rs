//! Forwarding: notes go to a third party, who takes no part, and what they answer joins.

use crate::support::room::{ADA, Room, address, field, note};
use deskbell::domain::{
    Aside, Fate, Forward, MailKind, NewNote, NoteId, NoteKind, OutboxState, Party, Request, Response,
};

const ONE: &str = "acme/support#1";
const VENDOR: &str = "vendor@printers.example";

const WITH_FILE: &str = "From: Ada Lovelace <ada@customer.example>
To: help+acme-support-1-issue-@desk.example
Subject: Printer
Message-ID: <p1@customer.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

It *smokes*.
--b
Content-Type: text/plain; name=log.txt
Content-Disposition: attachment; filename=log.txt

E42 on fire
--b--
";

fn forward(notes: Vec<NoteId>, text: &str, hold_ms: Option<u64>) -> Request {
    Request::Forward(Forward {
        reference: ONE.parse().unwrap(),
        notes,
        to: VENDOR.parse().unwrap(),
        text: text.into(),
        hold_ms,
    })
}

async fn room() -> (Room, NoteId) {
    let mut room = Room::new().await;
    room.mail(WITH_FILE).await;
    room.send().await;
    let first = room.issue(ONE).await.notes[0].id;
    (room, first)
}

#[tokio::test]
async fn notes_and_files_go_out_and_the_answer_joins_without_its_writer_taking_part() {
    let (mut room, first) = room().await;
    room.ok(forward(vec![first], "Do you know this?", None)).await;
    let issue = room.issue(ONE).await;
    let carried = issue.notes.iter().find(|note| note.kind == NoteKind::Reply).unwrap();
    assert_eq!(carried.body, "Do you know this?");
    assert_eq!(carried.aside, Some(Aside::ForwardedTo(VENDOR.parse().unwrap())));
    assert_eq!((carried.attachments.len(), carried.delivery.len()), (1, 1));
    assert_eq!(issue.participants.len(), 1, "{:?}", issue.participants);
    assert_eq!(issue.row.waiting_on, Some(Party::Us));
    assert_eq!(issue.notes.last().unwrap().body, format!("alice forwarded 1 note to {VENDOR}"));
    let sent = room.send().await;
    assert_eq!(sent.len(), 1, "the customer gets nothing");
    let mail = &sent[0];
    assert_eq!(field(mail, "To").map(address), Some(VENDOR));
    assert_eq!(field(mail, "Subject"), Some("Fwd: Printer (acme/support#1)"));
    for words in ["Do you know this?", "Ada Lovelace, 2026-03-02 09:00 UTC:", "It *smokes*.", "log.txt"] {
        assert!(mail.contains(words), "{words} in {mail}");
    }
    for absent in ["ada@customer.example", "List-Unsubscribe", "Auto-Submitted", "In-Reply-To"] {
        assert!(!mail.contains(absent), "{absent} in {mail}");
    }
    let to = address(field(mail, "Reply-To").unwrap()).to_owned();
    let answer = format!(
        "From: {VENDOR}\nTo: {to}\nSubject: Re\nMessage-ID: <v1@printers.example>\n\nReplace the fuse.\n"
    );
    let entry = room.mail(&answer).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Note, Some(ONE)));
    let issue = room.issue(ONE).await;
    let theirs = issue.notes.iter().rfind(|note| note.kind == NoteKind::Incoming).unwrap();
    assert_eq!(theirs.aside, Some(Aside::FromThirdParty));
    let said = theirs.warnings.iter().any(|words| words.contains("they do not take part"));
    assert!(said, "{:?}", theirs.warnings);
    assert_eq!(issue.participants.len(), 1);
    room.reply(ONE, "Replace the fuse, Ada.").await;
    let sent = room.send().await;
    assert_eq!(sent.len(), 1);
    assert_eq!(field(&sent[0], "To").map(address), Some("ada@customer.example"));
    assert!(!sent[0].contains("v1@printers.example"), "the customer hears nothing of them: {}", sent[0]);
}

#[tokio::test]
async fn what_is_internal_is_not_forwarded_and_undo_stops_what_waits() {
    let (mut room, first) = room().await;
    room.ok(Request::AddNote(NewNote { internal: true, ..note(ONE, "SECRET") })).await;
    let internal = room.issue(ONE).await.notes.iter().find(|n| n.kind == NoteKind::Internal).unwrap().id;
    for (notes, words) in
        [(vec![first, internal], "never mailed"), (vec![], "no note"), (vec![NoteId(99)], "no note 99")]
    {
        let fault = room.ask(forward(notes, "", None)).await.unwrap_err();
        assert!(fault.message.contains(words), "{}", fault.message);
    }
    assert!(room.outbox().await.iter().all(|row| row.kind != MailKind::Forward));
    room.ok(forward(vec![first], "", Some(60_000))).await;
    let state = |rows: Vec<deskbell::domain::OutboxView>| {
        rows.into_iter().find(|row| row.kind == MailKind::Forward).unwrap().state
    };
    assert_eq!(state(room.outbox().await), OutboxState::Held);
    let Response::Undone { skipped, draft, .. } = room.ok(Request::Undo).await else { panic!() };
    assert!(skipped.is_empty() && draft.is_none(), "no reply to the customer is made of it");
    assert_eq!(state(room.outbox().await), OutboxState::Cancelled);
    let ada = ADA.replace("invalid", "other");
    room.mail(&ada).await;
}
