//! What the staff answer by mail.

use super::{answer_of, answer_of_ada, by_support, mails_to, reply_to, wish};
use crate::support::NameServer;
use crate::support::room::{ADA, CONFIG, Room, field, note};
use deskbell::desk::{Content, Incoming};
use deskbell::domain::{
    Cursor, Delivered, Edit, Fate, IntakeAction, MailKind, NewNote, NoteKind, Priority, Request, Response,
    Role, SenderScope, State, Status,
};
use mail_auth::common::{crypto::Ed25519Key, headers::HeaderWriter};
use mail_auth::dkim::DkimSigner;

/// Gives the key that mia was mailed with an answer of Ada's.
async fn key(room: &mut Room) -> String {
    answer_of_ada(room, "a2", "It says \"invalid token\" again.").await;
    reply_to(&mails_to(room, "mia").await[0])
}

fn fate(delivered: &Delivered) -> (Fate, &str) {
    (delivered.entry.fate, delivered.entry.reason.as_str())
}

#[tokio::test]
async fn an_answer_becomes_a_public_note_under_their_name_and_is_mailed_to_the_customer() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    let text =
        "Use 2.1.\n\nOn Mon, 2 Mar 2026, Ada wrote:\n> Write your answer above this line\n>\n> It says";
    let delivered = answer_of(&mut room, "mia", &key, "m1", text).await;
    assert_eq!(fate(&delivered), (Fate::Note, "mia answered by mail"));
    let issue = room.issue("acme/support#1").await;
    let note = issue.notes.last().unwrap();
    assert_eq!((note.kind, note.body.as_str()), (NoteKind::Reply, "Use 2.1."));
    assert_eq!((note.author.user.as_deref(), note.author.name.as_deref()), (Some("mia"), Some("Mia Staff")));
    assert!(note.folded.as_deref().unwrap().contains("Write your answer above"));
    let sent = room.send().await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(field(&sent[0], "To"), Some("\"Ada Lovelace\" <ada@customer.example>"));
    assert!(sent[0].contains("Mia Staff") && sent[0].contains("Use 2.1."));
    assert!(!sent[0].contains("above this line") && !sent[0].contains("mia@staff.example"), "{}", sent[0]);
    assert_ne!(reply_to(&sent[0]), key);
    // The same mail again is the same mail.
    let again = answer_of(&mut room, "mia", &key, "m1", text).await;
    assert_eq!(again.entry.fate, Fate::Duplicate);
    // And whoever else works there hears of it.
    wish(&mut room, "bob", &[("notify.note", "at_once")]).await.unwrap();
    answer_of(&mut room, "mia", &key, "m2", "Or 2.2.").await;
    assert_eq!(mails_to(&mut room, "bob").await.len(), 1);
}

#[tokio::test]
async fn what_begins_with_internal_and_what_answers_an_internal_note_is_mailed_to_nobody() {
    let mut room = super::room().await;
    let public = key(&mut room).await;
    answer_of(&mut room, "mia", &public, "m1", "/internal\nShe is a pest.").await;
    let internal = NewNote { internal: true, ..note("acme/support#1", "The secret plan, @mia") };
    room.ok(Request::AddNote(internal)).await;
    let mail = mails_to(&mut room, "mia").await.remove(0);
    assert!(mail.contains("Your answer stays among the staff"), "{mail}");
    let quoting = "Yes.\n\nThe secret plan, @mia\n\nI like it.";
    answer_of(&mut room, "mia", &reply_to(&mail), "m2", quoting).await;
    let issue = room.issue("acme/support#1").await;
    let notes: Vec<_> =
        issue.notes.iter().rev().take(3).map(|note| (note.kind, note.body.as_str())).collect();
    assert_eq!(notes[0], (NoteKind::Internal, quoting));
    assert_eq!(notes[2], (NoteKind::Internal, "She is a pest."));
    let sent = room.send().await;
    assert!(sent.iter().all(|mail| !field(mail, "To").unwrap().contains("customer")), "{sent:?}");
}

#[tokio::test]
async fn quick_actions_run_under_their_role_and_all_or_nothing() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    answer_of(&mut room, "mia", &key, "m1", "Solved.\n/label ~bug\n/close").await;
    let issue = room.issue("acme/support#1").await;
    assert_eq!(
        (issue.row.state, issue.row.labels.as_slice()),
        (State::Closed, ["bug".to_owned()].as_slice())
    );
    let Response::History(changes) = room.ok(Request::History("acme/support#1".parse().unwrap())).await
    else {
        panic!()
    };
    let closed = changes.iter().find(|change| change.field == "state").unwrap();
    assert_eq!((closed.actor.user.as_str(), closed.actor.via), ("mia", deskbell::domain::Via::Mail));
    room.send().await;
    let delivered = answer_of(&mut room, "mia", &key, "m2", "And\n/assign @nobody").await;
    assert_eq!(delivered.entry.fate, Fate::Quarantined);
    assert!(delivered.entry.reason.contains("no user `nobody`"), "{}", delivered.entry.reason);
    let told = room.send().await;
    assert_eq!(told.len(), 1, "only mia is told: {told:?}");
    assert!(told[0].contains("was not taken") && !told[0].contains("And"), "{}", told[0]);
    // A guest may comment on what is open to them, and no more.
    room.edit("acme/support#1", Edit::Confidential(false)).await;
    for (user, role) in [("alice", Role::Owner), ("mia", Role::Guest)] {
        room.ok(Request::SetMember { project: "acme/support".into(), user: user.into(), role }).await;
    }
    let cases = [
        ("m3", "/reopen", Fate::Quarantined),
        ("m4", "/internal x", Fate::Quarantined),
        ("m5", "Bye", Fate::Note),
    ];
    for (id, text, expected) in cases {
        assert_eq!(answer_of(&mut room, "mia", &key, id, text).await.entry.fate, expected, "{text}");
    }
    room.edit("acme/support#1", Edit::Confidential(true)).await;
    let delivered = answer_of(&mut room, "mia", &key, "m6", "Am I still here?").await;
    assert_eq!(delivered.entry.fate, Fate::Quarantined, "{}", delivered.entry.reason);
}

#[tokio::test]
async fn actions_alone_make_no_note() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    let delivered = answer_of(&mut room, "mia", &key, "m1", "/close").await;
    assert_eq!(fate(&delivered), (Fate::Note, "mia gave quick actions by mail"));
    assert_eq!(delivered.entry.reference.as_deref(), Some("acme/support#1"));
    assert_eq!(room.issue("acme/support#1").await.row.state, State::Closed);
    assert!(room.send().await.is_empty());
}

#[tokio::test]
async fn what_does_not_show_that_it_is_theirs_waits_and_they_are_told_once_without_its_text() {
    let mia = "From: mia@staff.example";
    let pass = "Authentication-Results: mx.desk.example; dmarc=pass header.from=staff.example";
    for (head, why) in [
        (mia.to_owned(), "no DMARC result"),
        (
            format!("Authentication-Results: mx.desk.example; dmarc=fail header.from=staff.example\n{mia}"),
            "DMARC fail",
        ),
        (format!("Authentication-Results: mx.desk.example; dkim=pass; spf=pass\n{mia}"), "nothing shows"),
        (
            format!("Authentication-Results: mx.evil.example; dmarc=pass header.from=staff.example\n{mia}"),
            "nothing shows",
        ),
        (format!("{pass}\nFrom: ada@customer.example"), "no verified address"),
        (format!("{pass}\nFrom: bob@staff.example"), "no verified address"),
        (format!("{pass}\n{mia}\nFrom: eve@evil.example"), "exactly one author"),
        (format!("{pass}\nFrom: mia@staff.example, eve@evil.example"), "exactly one author"),
    ] {
        let mut room = super::room().await;
        let key = key(&mut room).await;
        let raw = |id: &str| {
            format!(
                "{head}\nTo: {key}\nSubject: Re: x\nMessage-ID: <{id}@staff.example>\n\nPay this invoice at once.\n"
            )
        };
        let delivered = by_support(&mut room, &raw("f1")).await;
        assert_eq!(delivered.entry.fate, Fate::Quarantined, "{head}");
        assert!(delivered.entry.reason.contains(why), "{head}: {}", delivered.entry.reason);
        let notes = room.issue("acme/support#1").await.notes.len();
        by_support(&mut room, &raw("f2")).await;
        let sent = room.send().await;
        assert_eq!(sent.len(), 1, "{head}: told once: {sent:?}");
        assert!(field(&sent[0], "To").unwrap().contains("mia@staff.example"));
        assert!(!sent[0].contains("invoice") && field(&sent[0], "Reply-To").is_none(), "{}", sent[0]);
        assert_eq!(room.issue("acme/support#1").await.notes.len(), notes);
        // Saying that it is no spam does not make it theirs.
        let ham = IntakeAction::Ham { allow_sender: false };
        assert!(room.ask(Request::IntakeAct { id: delivered.entry.id, action: ham }).await.is_err());
        let retry = Request::IntakeAct { id: delivered.entry.id, action: IntakeAction::Retry };
        let Response::IntakeEntry(entry) = room.ok(retry).await else { panic!() };
        assert_eq!(entry.fate, Fate::Quarantined);
    }
}

#[tokio::test]
async fn a_key_is_one_users_and_dies_with_their_place_on_the_staff() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    let delivered = answer_of(&mut room, "bob", &key, "b1", "I am bob").await;
    assert_eq!(delivered.entry.fate, Fate::Quarantined);
    assert_eq!(mails_to(&mut room, "mia").await.len(), 1, "mia hears that somebody else has her key");
    room.ok(Request::RemoveUser { name: "mia".into() }).await;
    let delivered = answer_of(&mut room, "mia", &key, "m1", "I am out").await;
    assert!(delivered.entry.reason.contains("no user any more"), "{}", delivered.entry.reason);
    assert_eq!(mails_to(&mut room, "mia").await.len(), 0);
}

#[tokio::test]
async fn machines_that_answer_make_no_notes_and_get_no_mail() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    let pass = "Authentication-Results: mx.desk.example; dmarc=pass header.from=staff.example\nFrom: mia@staff.example";
    let notes = room.issue("acme/support#1").await.notes.len();
    for (at, (sign, expected)) in [
        ("Auto-Submitted: auto-replied", Fate::Automatic),
        ("X-Autoreply: yes", Fate::Automatic),
        ("Subject: Out of Office", Fate::Automatic),
        ("List-Id: <team.staff.example>", Fate::Quarantined),
        ("X-Deskbell-Issue: other/desk#4", Fate::Quarantined),
    ]
    .into_iter()
    .enumerate()
    {
        let text = "I am out of the office until Monday.";
        let raw = format!("{pass}\nTo: {key}\nMessage-ID: <x{at}@staff.example>\n{sign}\n\n{text}\n");
        let delivered = by_support(&mut room, &raw).await;
        assert_eq!(delivered.entry.fate, expected, "{sign}: {}", delivered.entry.reason);
        assert!(room.send().await.is_empty(), "{sign}");
    }
    let bounce = format!(
        "From: MAILER-DAEMON@staff.example\nTo: {key}\nReturn-Path: <>\nSubject: Undelivered Mail Returned to Sender\nMessage-ID: <bounce@staff.example>\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nNo such user.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.staff.example\n\nFinal-Recipient: rfc822; mia@staff.example\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
    );
    assert_eq!(room.mail(&bounce).await.entry.fate, Fate::Bounce);
    assert!(room.send().await.is_empty());
    let public =
        room.issue("acme/support#1").await.notes.into_iter().filter(|n| n.kind != NoteKind::System).count();
    assert_eq!(public, notes);
}

#[tokio::test]
async fn files_are_passed_on_and_mails_within_the_mail_are_not() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    let raw = format!(
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=staff.example\nFrom: mia@staff.example\nTo: {key}\nSubject: x\nMessage-ID: <m1@staff.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee the file.\n--b\nContent-Type: text/csv; name=prices.csv\nContent-Disposition: attachment; filename=prices.csv\n\na;1\n--b\nContent-Type: message/rfc822\nContent-Disposition: attachment; filename=talk.eml\n\nFrom: bob@staff.example\nSubject: internal talk\n\nShe is a pest.\n--b--\n"
    );
    assert_eq!(by_support(&mut room, &raw).await.entry.fate, Fate::Note);
    let sent = room.send().await;
    assert!(sent[0].contains("prices.csv") && !sent[0].contains("talk"), "{}", sent[0]);
    let issue = room.issue("acme/support#1").await;
    let note = issue.notes.last().unwrap();
    assert!(note.warnings.iter().any(|words| words.contains("was not passed on")), "{:?}", note.warnings);
    let (reference, note) = ("acme/support#1".parse().unwrap(), note.id);
    let asked = Request::Attachment { reference, note, name: "prices.csv".into() };
    let Response::Bytes(bytes) = room.ok(asked).await else { panic!() };
    assert_eq!(String::from_utf8(bytes).unwrap().trim(), "a;1");
}

#[tokio::test]
async fn an_answer_that_holds_its_own_key_or_nothing_waits() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    for (id, text) in
        [("m1", ""), ("m2", "> only a quote"), ("m3", "Write your answer above this line\nBelow")]
    {
        let delivered = answer_of(&mut room, "mia", &key, id, text).await;
        assert_eq!(delivered.entry.fate, Fate::Quarantined, "{text:?}: {}", delivered.entry.reason);
    }
    let delivered = answer_of(&mut room, "mia", &key, "m4", &format!("Mail me at {key} please")).await;
    assert!(delivered.entry.reason.contains("its own reply address"), "{}", delivered.entry.reason);
}

#[tokio::test]
async fn a_digest_takes_no_answers() {
    let mut room = super::room().await;
    wish(&mut room, "mia", &[("notify.my_answer", "digest")]).await.unwrap();
    answer_of_ada(&mut room, "a2", "Hello").await;
    room.later(jiff::SignedDuration::from_hours(24));
    room.desk.send_notices().await.unwrap();
    let digest = mails_to(&mut room, "mia").await.remove(0);
    let delivered = answer_of(&mut room, "mia", &reply_to(&digest), "m1", "To whom?").await;
    assert_eq!(delivered.entry.fate, Fate::Quarantined);
    assert!(delivered.entry.reason.contains("collection"), "{}", delivered.entry.reason);
}

#[tokio::test]
async fn where_addresses_carry_no_key_the_mail_that_is_answered_tells() {
    let mut room = super::room().await;
    let in_office = "From: Ada <ada@customer.example>\nTo: office@desk.example\nSubject: Hi\nMessage-ID: <o1@customer.example>\n\nHi\n";
    room.set("acme/office", "assignee", "mia").await;
    room.mail(in_office).await;
    let mail = mails_to(&mut room, "mia").await.remove(0);
    let id = field(&mail, "Message-ID").unwrap().to_owned();
    let raw = |from: &str, name: &str| {
        format!(
            "Authentication-Results: mx.desk.example; dmarc=pass header.from=staff.example\nFrom: {from}\nTo: office@desk.example\nSubject: Re: Hi\nIn-Reply-To: {id}\nMessage-ID: <{name}@staff.example>\n\nHello Ada\n"
        )
    };
    let delivered = by_support(&mut room, &raw("mia@staff.example", "m1")).await;
    assert_eq!(fate(&delivered), (Fate::Note, "mia answered by mail"));
    assert!(room.send().await[0].contains("Hello Ada"));
    let forged = raw("mia@staff.example", "m2").replace("dmarc=pass", "dmarc=fail");
    assert_eq!(by_support(&mut room, &forged).await.entry.fate, Fate::Quarantined);
}

#[tokio::test]
async fn one_of_the_staff_who_writes_to_a_customers_key_mails_nobody() {
    let mut room = super::room().await;
    room.reply("acme/support#1", "Try 2.1").await;
    let mails = room.send().await;
    let customers = mails.iter().find(|mail| field(mail, "To").unwrap().contains("ada@")).unwrap();
    let delivered = answer_of(&mut room, "mia", &reply_to(customers), "m1", "Secret\n/close").await;
    assert_eq!(delivered.entry.fate, Fate::Note);
    let issue = room.issue("acme/support#1").await;
    let note = issue.notes.iter().find(|note| note.body.contains("Secret")).unwrap();
    assert_eq!((note.kind, issue.row.state), (NoteKind::Incoming, State::Open));
    assert!(note.warnings.iter().any(|words| words.contains("did not take part")), "{:?}", note.warnings);
    let rows = room.outbox().await;
    assert!(rows.iter().all(|row| row.kind == MailKind::Staff || row.state.is_settled()), "{rows:?}");
    assert!(room.send().await.iter().all(|mail| !field(mail, "To").unwrap().contains("customer")));
}

#[tokio::test]
async fn an_address_is_theirs_once_it_was_answered_from_or_an_owner_says_so() {
    let mut room = super::room().await;
    let home = "mia@home.example";
    wish(&mut room, "mia", &[("address+", home)]).await.unwrap();
    assert!(wish(&mut room, "mia", &[("emails", home)]).await.is_err(), "that is for owners");
    let settings = vec![("address+".to_owned(), home.to_owned())];
    assert!(room.ask_as("bob", Request::SetUser { name: "mia".into(), settings }).await.is_err());
    let asked = room.send().await.remove(0);
    assert!(field(&asked, "To").unwrap().contains(home) && asked.contains("answer this mail"), "{asked}");
    let key = key(&mut room).await;
    let from_home = |to: &str, id: &str, domain: &str, text: &str| {
        format!(
            "Authentication-Results: mx.desk.example; dmarc=pass header.from={domain}\nFrom: mia@{domain}\nTo: {to}\nSubject: x\nMessage-ID: <{id}@{domain}>\n\n{text}\n"
        )
    };
    let early = by_support(&mut room, &from_home(&key, "h1", "home.example", "Not yet mine")).await;
    assert_eq!(early.entry.fate, Fate::Quarantined);
    let other = by_support(&mut room, &from_home(&reply_to(&asked), "h2", "staff.example", "yes")).await;
    assert_eq!(other.entry.fate, Fate::Quarantined, "another address shows nothing");
    let yes = by_support(&mut room, &from_home(&reply_to(&asked), "h3", "home.example", "yes")).await;
    assert_eq!(yes.entry.fate, Fate::Ignored, "{}", yes.entry.reason);
    let mine = by_support(&mut room, &from_home(&key, "h4", "home.example", "Now it is")).await;
    assert_eq!(fate(&mine), (Fate::Note, "mia answered by mail"));
    // An owner's word is enough; nobody gets an address of another, or of the desk.
    let add = |name: &str, email: &str| Request::SetUser {
        name: name.into(),
        settings: vec![("address+".into(), email.into())],
    };
    room.ok(add("bob", "bob@home.example")).await;
    assert!(room.ask(add("bob", home)).await.is_err());
    assert!(room.ask(add("bob", "help@desk.example")).await.is_err());
    let settings = vec![("address-".to_owned(), home.to_owned())];
    room.ask_as("mia", Request::SetUser { name: "mia".into(), settings }).await.unwrap();
    let gone = by_support(&mut room, &from_home(&key, "h5", "home.example", "Not any more")).await;
    assert_eq!(gone.entry.fate, Fate::Quarantined);
}

#[tokio::test]
async fn a_dry_run_says_what_would_come_of_it_and_mails_nobody() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    let raw = format!(
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=staff.example\r\nFrom: mia@staff.example\r\nTo: {key}\r\nMessage-ID: <d1@staff.example>\r\n\r\nHello\r\n"
    );
    let arrival = deskbell::domain::Arrival { mailbox: Some("support".into()), ..Default::default() };
    let deliver = deskbell::domain::Deliver { arrival, raw: raw.into_bytes(), dry_run: true };
    let Response::Delivered(delivered) = room.ok(Request::Deliver(deliver)).await else { panic!() };
    assert_eq!(fate(&delivered), (Fate::Note, "mia answered by mail"));
    assert_eq!(delivered.mails, ["new_note to ada@customer.example"]);
    assert!(room.send().await.is_empty());
    assert_eq!(room.list(&ADA[..0]).await.len(), 1);
}

#[tokio::test]
async fn where_no_server_is_trusted_the_desk_checks_the_signature_itself() {
    let signing = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().unwrap()).unwrap();
    let public = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, signing.public_key());
    let names = NameServer::start(&[
        ("desk._domainkey.staff.example", format!("v=DKIM1; k=ed25519; p={public}")),
        ("_dmarc.staff.example", "v=DMARC1; p=reject".to_owned()),
    ]);
    let mut room = super::room().await;
    let key = key(&mut room).await;
    room.again_with(&format!("{CONFIG}[spam]\ntimeout = \"20s\"\nname_server = \"{}\"\n", names.address()))
        .await;
    let raw = format!(
        "From: mia@staff.example\r\nTo: <{key}>\r\nSubject: Re: x\r\nMessage-ID: <s1@staff.example>\r\n\r\nUse 2.1.\r\n"
    );
    let signer = DkimSigner::from_key(signing).domain("staff.example").selector("desk");
    let signature = signer.headers(["From", "To", "Subject"]).sign(raw.as_bytes()).unwrap().to_header();
    let mail = format!("{signature}{raw}").replace("\r\n", "\n");
    let changed = room.mail(&mail.replace("Use 2.1", "Pay me").replace("<s1@", "<s2@")).await;
    assert_eq!(changed.entry.fate, Fate::Quarantined, "{}", changed.entry.reason);
    assert!(changed.entry.reason.contains("DKIM fail"), "{}", changed.entry.reason);
    let taken = room.mail(&mail).await;
    assert_eq!(fate(&taken), (Fate::Note, "mia answered by mail"));
}

#[tokio::test]
async fn what_comes_to_a_key_is_seen_where_its_issue_stands_and_the_rest_by_owners() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    let home = "mia@home.example";
    wish(&mut room, "mia", &[("address+", home)]).await.unwrap();
    let asked = reply_to(&room.send().await[0]);
    for (project, user, role) in [
        ("acme/support", "mia", Role::Maintainer),
        ("acme/support", "alice", Role::Owner),
        ("acme/office", "bob", Role::Maintainer),
    ] {
        room.ok(Request::SetMember { project: project.into(), user: user.into(), role }).await;
    }
    let about = answer_of(&mut room, "bob", &key, "b1", "Secret of support").await;
    let other = answer_of(&mut room, "bob", &asked, "b2", "Secret of the desk").await;
    for (user, id, sees) in [
        ("bob", about.entry.id, false),
        ("mia", about.entry.id, true),
        ("bob", other.entry.id, false),
        ("mia", other.entry.id, false),
        ("alice", other.entry.id, true),
    ] {
        let seen = room.ask_as(user, Request::IntakeEntry(id)).await;
        assert_eq!(seen.is_ok(), sees, "{user} {id}: {seen:?}");
    }
}

#[tokio::test]
async fn whoever_is_vouched_for_hears_of_every_answer_that_is_not_taken() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    for id in ["m1", "m2"] {
        let delivered = answer_of(&mut room, "mia", &key, id, "Done\n/assign @nobody").await;
        assert_eq!(delivered.entry.fate, Fate::Quarantined);
        assert_eq!(mails_to(&mut room, "mia").await.len(), 1, "{id}");
    }
    let forged = answer_of(&mut room, "bob", &key, "b1", "I am bob").await;
    assert_eq!(forged.entry.fate, Fate::Quarantined);
    assert_eq!(mails_to(&mut room, "mia").await.len(), 1, "what others send is told once");
}

#[tokio::test]
async fn an_answer_begins_the_waiting_anew() {
    let mut room = super::room().await;
    for (setting, value) in
        [("pending_on_reply", "true"), ("idle_warn_after", "7d"), ("idle_close_after", "3d")]
    {
        room.set("acme/support", setting, value).await;
    }
    let key = key(&mut room).await;
    answer_of(&mut room, "mia", &key, "m1", "Does it work?").await;
    assert_eq!(room.issue("acme/support#1").await.row.status, Status::Pending);
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    room.later(days(8));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 1, "it is warned of");
    answer_of(&mut room, "mia", &key, "m2", "Are you there?").await;
    room.later(days(4));
    assert_eq!(room.desk.tend_idle().await.unwrap(), 0, "four days after an answer nothing is closed");
}

#[tokio::test]
async fn a_customers_answer_to_all_is_taken_though_it_bears_a_key_of_the_staff() {
    let mut room = super::room().await;
    room.set("acme/support", "import_cc", "always").await;
    let key = key(&mut room).await;
    let to_all = |from: &str, id: &str| {
        format!(
            "From: {from}\nTo: help+acme-support-1-issue-@desk.example\nCc: {key}\nSubject: Re: Cannot log in\nMessage-ID: <{id}@customer.example>\nIn-Reply-To: <a1@customer.example>\n\nHello all.\n"
        )
    };
    let delivered = by_support(&mut room, &to_all("ada@customer.example", "all1")).await;
    assert_eq!(delivered.entry.fate, Fate::Note, "{}", delivered.entry.reason);
    let issue = room.issue("acme/support#1").await;
    let note = issue.notes.iter().find(|note| note.body.contains("Hello all.")).unwrap();
    assert_eq!(note.kind, NoteKind::Incoming);
    assert!(issue.participants.iter().all(|person| person.email.as_str() != key));
    room.send().await;
    room.reply("acme/support#1", "Hello Ada").await;
    assert!(room.send().await.iter().all(|mail| !mail.contains(&key)));
    // What claims to be theirs has to show it.
    let forged = by_support(&mut room, &to_all("mia@staff.example", "all2")).await;
    assert_eq!(forged.entry.fate, Fate::Quarantined, "{}", forged.entry.reason);
}

#[tokio::test]
async fn an_answer_to_their_mail_from_an_address_that_is_not_theirs_reaches_no_customer() {
    let mut room = super::room().await;
    room.set("acme/office", "assignee", "mia").await;
    room.mail("From: Ada <ada@customer.example>\nTo: office@desk.example\nSubject: Hi\nMessage-ID: <o1@customer.example>\n\nHi\n").await;
    let mail = mails_to(&mut room, "mia").await.remove(0);
    let id = field(&mail, "Message-ID").unwrap().to_owned();
    let raw = |name: &str, field: &str| {
        format!(
            "Authentication-Results: mx.desk.example; dmarc=pass header.from=home.example\nFrom: mia@home.example\nTo: office@desk.example\nSubject: Re: Hi\n{field}: {id}\nMessage-ID: <{name}@home.example>\n\nBetween us\n"
        )
    };
    let delivered = by_support(&mut room, &raw("h1", "In-Reply-To")).await;
    assert_eq!(delivered.entry.fate, Fate::Quarantined, "{}", delivered.entry.reason);
    assert!(delivered.entry.reason.contains("no verified address"), "{}", delivered.entry.reason);
    // What only refers to it is nobody's answer.
    let delivered = by_support(&mut room, &raw("h2", "References")).await;
    assert_ne!(delivered.entry.reference.as_deref(), Some("acme/office#1"), "{}", delivered.entry.reason);
    let notes = room.issue("acme/office#1").await.notes;
    assert!(notes.iter().all(|note| !note.body.contains("Between us")));
}

#[tokio::test]
async fn a_mail_that_was_asked_for_takes_its_own_entry_though_an_answer_of_the_staff_comes_with_it() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    let staff = format!(
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=staff.example\r\nFrom: mia@staff.example\r\nTo: {key}\r\nMessage-ID: <m1@staff.example>\r\n\r\nUse 2.1.\r\n"
    );
    let large = ADA.replace("<a1@", "<large@").replace('\n', "\r\n").into_bytes();
    let arrival = |uid| deskbell::domain::Arrival {
        mailbox: Some("support".into()),
        uid: Some(uid),
        uid_validity: Some(7),
        ..Default::default()
    };
    let cursor = Cursor { mailbox: "support".into(), uid_validity: 7, last_uid: 1, ..Default::default() };
    let mail = |uid, content| Incoming { arrival: arrival(uid), content, silent_before: None };
    let headers = Content::TooLarge { headers: large.clone(), size: 90_000_000 };
    let waiting = room.desk.receive(vec![mail(1, headers)], Some(cursor.clone())).await.unwrap()[0].entry;
    room.ok(Request::IntakeAct { id: waiting, action: IntakeAction::Retry }).await;
    let batch = vec![mail(1, Content::Whole(large)), mail(2, Content::Whole(staff.into_bytes()))];
    let received = room.desk.receive(batch, Some(Cursor { last_uid: 2, ..cursor })).await.unwrap();
    let entries: Vec<_> = received.iter().map(|received| (received.entry, received.fate)).collect();
    assert_eq!(entries[0], (waiting, Fate::Issue), "{entries:?}");
    assert_eq!(entries[1].1, Fate::Note);
}

#[tokio::test]
async fn rules_on_change_act_on_what_the_staff_mail_in_under_their_own_name() {
    let mut room = super::room().await;
    let key = key(&mut room).await;
    let settings = [
        ("name", "solved"),
        ("query", "body:hotfix"),
        ("actions", "/label ~fixed\n/priority high"),
        ("on", "change"),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    room.ok(Request::SetRule { scope: SenderScope::Desk, name: None, settings }).await;
    answer_of(&mut room, "mia", &key, "m1", "Take the hotfix.").await;
    let issue = room.issue("acme/support#1").await;
    assert_eq!((issue.row.labels, issue.row.priority), (vec!["fixed".to_owned()], Some(Priority::High)));
    answer_of(&mut room, "mia", &key, "m2", "The hotfix again.\n/priority low").await;
    let issue = room.issue("acme/support#1").await;
    assert_eq!(issue.row.priority, Some(Priority::High));
    let by_rule = issue.notes.iter().filter(|note| note.body.starts_with("rule solved")).count();
    assert_eq!(by_rule, 2, "once for each mail, though the second changes something itself");
}
