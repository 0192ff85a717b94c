//! What the desk does with mail and requests, without any server: addresses, threading, turns.

use crate::support::room::{ADA, Room, address, draft_of, field, note};
use deskbell::desk::Settled;
use deskbell::domain::{
    Arrival, DraftKind, Edit, Fate, FaultKind, IntakeAction, NewIssue, NewNote, NoteKind, OutboxAction,
    OutboxState, Party, Reference, Request, Response, SenderRule, SenderScope, State,
};
use jiff::SignedDuration;

#[tokio::test]
async fn a_mail_becomes_an_issue_with_a_thank_you_that_continues_the_conversation() {
    let mut room = Room::new().await;
    let delivered = room.mail(ADA).await;
    assert_eq!(
        (delivered.entry.fate, delivered.mails),
        (Fate::Issue, vec!["thank_you to ada@customer.example".into()])
    );
    let issue = room.issue("acme/support#1").await;
    assert_eq!(
        (issue.row.title.as_str(), issue.row.waiting_on, issue.row.confidential),
        ("Cannot log in", Some(Party::Us), true)
    );
    assert_eq!(issue.notes[0].body.trim(), "It says \"invalid token\".");
    let sent = room.send().await;
    let mail = &sent[0];
    assert_eq!(field(mail, "In-Reply-To"), Some("<a1@customer.example>"));
    assert_eq!(field(mail, "Auto-Submitted"), Some("auto-replied"));
    assert_eq!(field(mail, "X-Auto-Response-Suppress"), Some("OOF, AutoReply, RN, NRN"));
    assert_eq!(field(mail, "X-Deskbell-Project-Path"), Some("acme/support"));
    assert!(field(mail, "List-Id").is_some() && field(mail, "List-Unsubscribe").is_some());
    assert!(!mail.contains("invalid token"), "a thank-you quotes nothing");
}

#[tokio::test]
async fn an_answer_is_mailed_as_a_persons_and_the_customers_reply_joins_by_its_key() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    room.reply("acme/support#1", "Please try **2.1**.").await;
    assert_eq!(room.issue("acme/support#1").await.row.waiting_on, Some(Party::Them));
    let sent = room.send().await;
    let mail = &sent[0];
    assert_eq!((field(mail, "Auto-Submitted"), field(mail, "List-Id")), (None, None));
    assert!(mail.contains("alice") && mail.contains("try *2.1*"));
    let key = address(field(mail, "Reply-To").unwrap()).to_owned();
    let reply = format!(
        "From: ada@customer.example\nTo: {key}\nSubject: something else\nMessage-ID: <a2@customer.example>\n\nNo.\n"
    );
    let delivered = room.mail(&reply).await;
    assert_eq!(
        (delivered.entry.fate, delivered.entry.reference.as_deref()),
        (Fate::Note, Some("acme/support#1"))
    );
    let issue = room.issue("acme/support#1").await;
    assert_eq!((issue.row.waiting_on, issue.row.unread), (Some(Party::Us), 1));
    assert_eq!(room.list("is:open").await.len(), 1);
}

#[tokio::test]
async fn an_answer_without_a_key_joins_by_in_reply_to_references_or_subject() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let sent = room.send().await;
    let ours = field(&sent[0], "Message-ID").unwrap().to_owned();
    let to = "To: help+acme-support-1-issue-@desk.example";
    for (number, how) in [
        format!("In-Reply-To: {ours}"),
        format!("References: <unknown@x> {ours} <later@x>"),
        "References: <a1@customer.example>".to_owned(),
        "Subject: AW: Cannot log in (acme/support#1)".to_owned(),
        "Subject: AW: (#1)".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let mail = format!(
            "From: ada@customer.example\n{to}\n{how}\nMessage-ID: <n{number}@customer.example>\n\nanswer {number}\n"
        );
        let delivered = room.mail(&mail).await;
        assert_eq!(
            delivered.entry.reference.as_deref(),
            Some("acme/support#1"),
            "{how}: {}",
            delivered.entry.reason
        );
    }
    // A mail that answers an unknown mail of the conversation joins as well.
    let third = format!(
        "From: ada@customer.example\n{to}\nIn-Reply-To: <later@x>\nMessage-ID: <t@customer.example>\n\nthird\n"
    );
    assert_eq!(room.mail(&third).await.entry.fate, Fate::Note);
}

#[tokio::test]
async fn a_short_token_from_a_stranger_makes_a_new_issue() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let mail = "From: eve@x.example\nTo: help+acme-support-1-issue-@desk.example\nSubject: hello (#1)\nMessage-ID: <e@x>\n\nhi\n";
    assert_eq!(room.mail(mail).await.entry.reference.as_deref(), Some("acme/support#2"));
}

#[tokio::test]
async fn a_stranger_who_answers_is_marked_and_not_mailed_until_staff_say_so() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.mail("From: bob@x.example\nTo: help+acme-support-1-issue-@desk.example\nIn-Reply-To: <a1@customer.example>\nMessage-ID: <b@x>\n\nme too\n").await;
    let issue = room.issue("acme/support#1").await;
    let bob = issue.participants.iter().find(|p| p.email.as_str() == "bob@x.example").unwrap();
    assert!(!bob.subscribed);
    assert!(issue.notes.iter().any(|n| n.warnings.iter().any(|w| w.contains("did not take part"))));
    room.reply("acme/support#1", "hello").await;
    assert_eq!(room.outbox().await.iter().filter(|r| r.to.as_str() == "bob@x.example").count(), 0);
    room.edit("acme/support#1", Edit::Subscribe("bob@x.example".parse().unwrap())).await;
    room.reply("acme/support#1", "hello both").await;
    assert_eq!(room.outbox().await.iter().filter(|r| r.to.as_str() == "bob@x.example").count(), 1);
}

#[tokio::test]
async fn an_answer_to_another_projects_issue_is_a_new_one_with_a_link() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.mail("From: ada@customer.example\nTo: help+acme-office-2-issue-@desk.example\nIn-Reply-To: <a1@customer.example>\nMessage-ID: <o@x>\n\nto the office\n").await;
    let issue = room.issue("acme/office#1").await;
    assert_eq!(issue.links[0].reference, "acme/support#1");
}

#[tokio::test]
async fn every_form_of_address_reaches_its_project_and_the_id_decides() {
    let mut room = Room::new().await;
    room.ok(Request::SetProject {
        path: "acme/support".into(),
        settings: vec![("suffix".into(), "tickets".into())],
    })
    .await;
    room.ok(Request::RenameProject { path: "acme/support".into(), to: "acme/service".into() }).await;
    for (number, to) in [
        "help+acme-support-1-issue-@desk.example",
        "help+anything-1-issue-@desk.example",
        "help+acme-support-tickets@desk.example",
        "help+acme-service-tickets@desk.example",
        "help+acme/support@desk.example",
        "HELP+ACME/service@DESK.example",
    ]
    .iter()
    .enumerate()
    {
        let mail = format!(
            "From: c{number}@x.example\nTo: {to}\nSubject: s\nMessage-ID: <m{number}@x>\n\nx{number}\n"
        );
        let entry = room.mail(&mail).await.entry;
        assert_eq!(entry.fate, Fate::Issue, "{to}: {}", entry.reason);
        assert!(entry.reference.unwrap().starts_with("acme/service#"), "{to}");
    }
    let office = "From: c@x.example\nTo: office@desk.example\nSubject: s\nMessage-ID: <p@x>\n\nx\n";
    assert_eq!(room.mail(office).await.entry.reference.as_deref(), Some("acme/office#1"));
    let nobody = "From: c@x.example\nTo: who@desk.example\nSubject: s\nMessage-ID: <q@x>\n\nx\n";
    assert_eq!(room.mail(nobody).await.entry.fate, Fate::Unroutable);
}

#[tokio::test]
async fn one_mail_to_two_projects_reaches_both_and_a_second_copy_neither() {
    let mut room = Room::new().await;
    let mail = "From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example, help+acme-office-2-issue-@desk.example\nSubject: both\nMessage-ID: <two@x>\n\nx\n";
    room.mail(mail).await;
    assert_eq!(room.list("").await.len(), 2);
    assert_eq!(room.mail(&format!("Received: from elsewhere\n{mail}")).await.entry.fate, Fate::Duplicate);
    assert_eq!(room.list("").await.len(), 2);
    // The same Message-ID with other content is another mail.
    let other = mail.replace("\n\nx\n", "\n\nsomething else\n");
    assert_eq!(room.mail(&other).await.entry.fate, Fate::Issue);
}

#[tokio::test]
async fn machines_are_never_answered_and_a_vacation_notice_changes_no_turn() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let sent = room.send().await;
    let ours = field(&sent[0], "Message-ID").unwrap().to_owned();
    room.reply("acme/support#1", "done").await;
    room.edit("acme/support#1", Edit::Close).await;
    let before = room.outbox().await.len();
    let vacation = format!(
        "From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example\nIn-Reply-To: {ours}\nAuto-Submitted: auto-replied\nSubject: Away\nMessage-ID: <v@x>\n\nI am away.\n"
    );
    let entry = room.mail(&vacation).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Automatic, Some("acme/support#1")));
    let issue = room.issue("acme/support#1").await;
    assert_eq!((issue.row.state, issue.row.waiting_on), (State::Closed, None));
    let filed = issue.notes.iter().find(|n| n.automatic).unwrap();
    assert!(filed.body.is_empty() && filed.folded.as_deref().unwrap().contains("I am away."));
    for sign in
        ["Auto-Submitted: auto-generated", "X-Autoreply: yes", "Precedence: bulk", "List-Id: <news.x>"]
    {
        room.mail(&format!("From: n{}@x.example\nTo: help+acme-support-1-issue-@desk.example\n{sign}\nSubject: news\nMessage-ID: <{}@x>\n\nnews {sign}\n", sign.len(), sign.len())).await;
    }
    assert_eq!(room.outbox().await.len(), before, "no machine is answered");
}

#[tokio::test]
async fn at_most_two_thanks_to_a_sender_an_hour_and_the_breaker_holds_what_is_over() {
    let mut room = Room::new().await;
    for n in 0..4 {
        room.mail(&format!("From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example\nSubject: s{n}\nMessage-ID: <s{n}@x>\n\n{n}\n")).await;
    }
    assert_eq!(room.outbox().await.len(), 2);
    room.ok(Request::SetDesk { settings: vec![("automatic_per_hour".into(), "3".into())] }).await;
    for n in 0..3 {
        room.mail(&format!("From: c{n}@x.example\nTo: help+acme-support-1-issue-@desk.example\nSubject: s\nMessage-ID: <c{n}@x>\n\n{n}\n")).await;
    }
    let held: Vec<_> = room.outbox().await.into_iter().filter(|r| r.state == OutboxState::Held).collect();
    assert_eq!(held.len(), 2, "nothing is dropped");
    assert_eq!(room.send().await.len(), 3);
    let ids = held.iter().map(|r| r.id).collect();
    room.ok(Request::OutboxAct { ids, action: OutboxAction::Release }).await;
    assert_eq!(room.send().await.len(), 2);
}

#[tokio::test]
async fn who_unsubscribes_gets_no_more_until_they_write_again() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let sent = room.send().await;
    let link = field(&sent[0], "List-Unsubscribe").unwrap();
    let to = link.trim_start_matches("<mailto:").split(['?', '>']).next().unwrap();
    let entry = room
        .mail(&format!("From: ada@customer.example\nTo: {to}\nSubject: unsubscribe\nMessage-ID: <u@x>\n\n\n"))
        .await
        .entry;
    assert_eq!(entry.fate, Fate::Unsubscribe);
    let issue = room.issue("acme/support#1").await;
    assert!(!issue.participants[0].subscribed);
    assert!(issue.notes.iter().any(|n| n.kind == NoteKind::System && n.body.contains("unsubscribed")));
    room.reply("acme/support#1", "are you there?").await;
    assert!(room.send().await.is_empty());
    room.mail("From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example\nIn-Reply-To: <a1@customer.example>\nMessage-ID: <w@x>\n\nyes\n").await;
    room.reply("acme/support#1", "good").await;
    assert_eq!(room.send().await.len(), 1);
}

#[tokio::test]
async fn a_bounce_marks_the_mail_the_address_and_the_issue() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.reply("acme/support#1", "hello").await;
    let sent = room.send().await;
    let id = field(&sent[1], "Message-ID").unwrap().to_owned();
    let bounce = format!(
        "From: MAILER-DAEMON@mx.example\nTo: help@desk.example\nSubject: Undelivered\nMessage-ID: <dsn@mx>\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nno such user\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; ada@customer.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: {id}\nSubject: x\n\nx\n--b--\n"
    );
    let entry = room.mail(&bounce).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Bounce, Some("acme/support#1")));
    let row = room.outbox().await.into_iter().find(|r| format!("{}", r.message_id) == id).unwrap();
    assert_eq!(row.state, OutboxState::Bounced);
    let issue = room.issue("acme/support#1").await;
    assert_eq!(serde_json::to_value(issue.participants[0].address_state).unwrap(), "bounced");
    assert_eq!(issue.row.trouble, Some(OutboxState::Bounced));
}

#[tokio::test]
async fn our_own_mail_coming_back_is_ignored() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let sent = room.send().await;
    let entry = room.mail(&sent[0]).await.entry;
    assert_eq!(entry.fate, Fate::Ignored, "{}", entry.reason);
    assert_eq!(room.list("").await.len(), 1);
}

#[tokio::test]
async fn what_answers_a_mail_that_we_sent_by_other_means_stays_in_its_issue() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let first = field(ADA, "Message-ID").unwrap().to_owned();
    let ours = format!(
        "From: help@desk.example\nTo: ada@customer.example\nSubject: Re: hello\nMessage-ID: <by-hand@phone>\nIn-Reply-To: {first}\n\nWe look into it.\n"
    );
    assert_eq!(room.mail(&ours).await.entry.fate, Fate::Ignored);
    let again =
        ours.replace(&first, "<by-hand@phone>").replace("Message-ID: <by-hand@", "Message-ID: <by-hand-2@");
    assert_eq!(room.mail(&again).await.entry.fate, Fate::Ignored);
    let answer = |from: &str, id: &str| {
        format!(
            "From: {from}\nTo: help+acme-support-1-issue-@desk.example\nSubject: Re: hello\nMessage-ID: <{id}@x>\nIn-Reply-To: <by-hand@phone>\n\nThanks.\n"
        )
    };
    let entry = room.mail(&answer("ada@customer.example", "thanks")).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Note, Some("acme/support#1")));
    // Whoever has no part in the issue gets none by it.
    let entry = room.mail(&answer("eve@elsewhere.example", "me-too")).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Issue, Some("acme/support#2")));
}

#[tokio::test]
async fn a_disabled_projects_mail_waits_in_triage_and_nothing_goes_out() {
    let mut room = Room::new().await;
    room.ok(Request::EnableProject { path: "acme/support".into(), enabled: false }).await;
    let entry = room.mail(ADA).await.entry;
    assert_eq!(entry.fate, Fate::Unroutable);
    assert!(entry.reason.contains("Service Desk is off"), "{}", entry.reason);
    assert!(room.outbox().await.is_empty());
    room.ok(Request::EnableProject { path: "acme/support".into(), enabled: true }).await;
    let again = room.ok(Request::IntakeAct { id: entry.id, action: IntakeAction::Retry }).await;
    let Response::IntakeEntry(again) = again else { panic!("{again:?}") };
    assert_eq!((again.fate, again.id), (Fate::Issue, entry.id));
    assert_eq!(room.outbox().await.len(), 1);
}

#[tokio::test]
async fn an_unroutable_mail_is_filed_by_hand_as_note_or_issue() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let lost = |n: u32| {
        format!(
            "From: zoe@x.example\nTo: who@desk.example\nSubject: lost {n}\nMessage-ID: <l{n}@x>\n\nlost {n}\n"
        )
    };
    let one = room.mail(&lost(1)).await.entry;
    let two = room.mail(&lost(2)).await.entry;
    room.ok(Request::IntakeAct {
        id: one.id,
        action: IntakeAction::Attach("acme/support#1".parse().unwrap()),
    })
    .await;
    room.ok(Request::IntakeAct { id: two.id, action: IntakeAction::Issue("acme/office".into()) }).await;
    assert!(room.issue("acme/support#1").await.notes.iter().any(|n| n.body.contains("lost 1")));
    assert_eq!(room.issue("acme/office#1").await.row.title, "lost 2");
    let fault = room.ask(Request::IntakeAct { id: one.id, action: IntakeAction::Retry }).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
}

#[tokio::test]
async fn a_closed_issue_opens_again_when_the_customer_answers() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.edit("acme/support#1", Edit::Close).await;
    room.mail("From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example\nIn-Reply-To: <a1@customer.example>\nMessage-ID: <r@x>\n\nagain\n").await;
    let issue = room.issue("acme/support#1").await;
    assert_eq!((issue.row.state, issue.row.waiting_on), (State::Open, Some(Party::Us)));
    assert!(issue.notes.iter().any(|n| n.kind == NoteKind::System && n.body.contains("reopened")));
}

#[tokio::test]
async fn an_internal_note_never_reaches_the_outbox() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    room.ok(Request::AddNote(NewNote { internal: true, ..note("acme/support#1", "SECRET") })).await;
    room.reply("acme/support#1", "public").await;
    let sent = room.send().await;
    assert_eq!(sent.len(), 1);
    assert!(!sent[0].contains("SECRET"));
    assert_eq!(room.issue("acme/support#1").await.row.waiting_on, Some(Party::Them));
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.reply("acme/support#1", "hello").await;
    let draft = draft_of("", Some(room.issue("acme/support#1").await.row.id), "half a thou");
    room.ok(Request::SaveDraft(Box::new(draft))).await;
    let before = room.issue("acme/support#1").await;
    room.again().await;
    assert_eq!(room.issue("acme/support#1").await, before);
    assert_eq!(room.list("invalid token").await, ["acme/support#1"]);
    let reference = Some("acme/support#1".parse::<Reference>().unwrap());
    let Response::Draft(Some(draft)) = room.ok(Request::Draft { reference, kind: DraftKind::Reply }).await
    else {
        panic!()
    };
    assert_eq!(draft.text, "half a thou");
    assert_eq!(room.send().await.len(), 2, "what was not sent is due at once");
}

#[tokio::test]
async fn a_mail_that_was_put_off_is_tried_later_and_a_refused_one_marks_its_address() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let claim = room.desk.claim(None, 1).await.unwrap().pop().unwrap();
    room.desk.settle(claim.id, Settled::PutOff("451 busy".into())).await.unwrap();
    let row = room.outbox().await.remove(0);
    assert_eq!((row.state, row.attempts), (OutboxState::Deferred, 1));
    assert!(row.next_attempt_at.is_some());
    room.later(SignedDuration::from_hours(48));
    assert!(room.desk.claim(None, 1).await.unwrap().is_empty(), "a jump of the clock sends nothing early");
    room.ok(Request::OutboxAct { ids: vec![row.id], action: OutboxAction::Retry }).await;
    let claim = room.desk.claim(None, 1).await.unwrap().pop().unwrap();
    room.desk.settle(claim.id, Settled::Refused("550 no such user".into())).await.unwrap();
    let issue = room.issue("acme/support#1").await;
    assert_eq!(serde_json::to_value(issue.participants[0].address_state).unwrap(), "bounced");
}

#[tokio::test]
async fn a_ticket_for_an_outside_person_opens_the_conversation() {
    let mut room = Room::new().await;
    let new = NewIssue {
        project: "acme/support".into(),
        title: "Your invoice".into(),
        to: Some("lin@customer.example".parse().unwrap()),
        text: "please see".into(),
        hold_ms: None,
    };
    room.ok(Request::NewIssue(new)).await;
    let sent = room.send().await;
    assert_eq!((sent.len(), field(&sent[0], "In-Reply-To")), (1, None));
    let id = field(&sent[0], "Message-ID").unwrap();
    let answer = format!(
        "From: lin@customer.example\nTo: help@desk.example\nIn-Reply-To: {id}\nMessage-ID: <lin@x>\n\nthanks\n"
    );
    assert_eq!(room.mail(&answer).await.entry.reference.as_deref(), Some("acme/support#1"));
}

#[tokio::test]
async fn a_first_import_is_silent_read_and_open_only_where_unanswered() {
    let mut room = Room::new().await;
    let old = Arrival { path: Some("-".into()), silent: true, answered: true, ..Arrival::default() };
    room.arrive(old.clone(), ADA).await;
    let second = ADA.replace("a1@", "a9@").replace("invalid", "other");
    room.arrive(Arrival { answered: false, ..old }, &second).await;
    assert!(room.outbox().await.is_empty());
    let (one, two) = (room.issue("acme/support#1").await, room.issue("acme/support#2").await);
    assert_eq!((one.row.state, one.row.unread), (State::Closed, 0));
    assert_eq!((two.row.state, two.row.unread), (State::Open, 0));
}

#[tokio::test]
async fn hostile_words_end_as_text_and_a_broken_mail_is_kept() {
    let mut room = Room::new().await;
    let mail = "From: \"Eve\u{202e}\" <eve@x.example>\nTo: help+acme-support-1-issue-@desk.example\nSubject: \u{1b}]0;pwned\u{7} hi\nMessage-ID: <h@x>\n\n\u{1b}[2Jhello\n";
    room.mail(mail).await;
    let issue = room.issue("acme/support#1").await;
    assert!(!issue.row.title.contains('\u{1b}'), "{:?}", issue.row.title);
    for (number, garbage) in ["", "\0\0\0", "no header at all", "From: x\n", ":::\n\n:::"].iter().enumerate()
    {
        let entry = room
            .arrive(
                Arrival { path: Some("-".into()), index: Some(number as u32), ..Arrival::default() },
                garbage,
            )
            .await
            .entry;
        assert!(!entry.reason.is_empty(), "{garbage:?}");
    }
}

#[tokio::test]
async fn a_suffix_is_refused_with_its_reason() {
    let mut room = Room::new().await;
    let set = |suffix: &str| Request::SetProject {
        path: "acme/support".into(),
        settings: vec![("suffix".into(), suffix.into())],
    };
    assert!(room.ask(set("Not Good")).await.unwrap_err().message.contains("cannot be a suffix"));
    assert!(room.ask(set(&"a".repeat(60))).await.unwrap_err().message.contains("64 octets"));
    room.ok(Request::AddProject { path: "acme-support".into() }).await;
    room.ok(set("help")).await;
    let clash =
        Request::SetProject { path: "acme-support".into(), settings: vec![("suffix".into(), "help".into())] };
    assert!(room.ask(clash).await.unwrap_err().message.contains("already belongs to acme/support"));
}

#[tokio::test]
async fn only_owners_change_the_desk_and_strangers_are_told_what_helps() {
    let mut room = Room::new().await;
    let fault = room.ask_as("mallory", Request::Projects).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotAllowed);
    assert!(fault.hint.unwrap().contains("deskbell user add mallory"));
    room.ok(Request::AddUser { name: "bob".into(), full_name: None, emails: vec![], system_user: None })
        .await;
    let path = room.dir.path().join("evil").display().to_string();
    for request in
        [Request::Backup { path: path.clone(), replace: false }, Request::RemoveUser { name: "alice".into() }]
    {
        assert_eq!(room.ask_as("bob", request).await.unwrap_err().kind, FaultKind::NotAllowed);
    }
    assert!(!std::path::Path::new(&path).exists());
}

#[tokio::test]
async fn two_customers_who_answer_one_newsletter_get_an_issue_each() {
    let mut room = Room::new().await;
    for who in ["one", "two"] {
        let mail = format!(
            "From: {who}@x.example\nTo: help+acme-support-1-issue-@desk.example\nSubject: Re: news\nIn-Reply-To: <newsletter@elsewhere>\nMessage-ID: <{who}@x>\n\nabout your news, {who}\n"
        );
        assert_eq!(room.mail(&mail).await.entry.fate, Fate::Issue);
    }
    assert_eq!(room.list("").await.len(), 2);
}

#[tokio::test]
async fn an_address_that_cannot_be_mailed_stops_nothing() {
    let mut room = Room::new().await;
    for from in ["foo..bar@docomo.example", "x.@y.example", "a[b@c.example"] {
        let mail = format!(
            "From: {from}\nTo: help+acme-support-1-issue-@desk.example\nSubject: s\nMessage-ID: <{}@x>\n\n{from}\n",
            from.len()
        );
        let entry = room.mail(&mail).await.entry;
        assert_eq!(entry.fate, Fate::Issue, "{from}: {}", entry.reason);
    }
    room.mail("From: noreply@shop.example\nReply-To: ada@x.example\nTo: help+acme-support-1-issue-@desk.example\nSubject: s\nMessage-ID: <nr@x>\n\nx\n").await;
    assert!(room.outbox().await.iter().all(|r| r.to.as_str() != "noreply@shop.example"));
}

#[tokio::test]
async fn a_bounce_or_unsubscribe_mail_seen_twice_acts_once() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let sent = room.send().await;
    let link = field(&sent[0], "List-Unsubscribe").unwrap();
    let to = link.trim_start_matches("<mailto:").split(['?', '>']).next().unwrap().to_owned();
    let mail = format!("From: ada@customer.example\nTo: {to}\nSubject: unsubscribe\nMessage-ID: <u@x>\n\n\n");
    room.mail(&mail).await;
    room.edit("acme/support#1", Edit::Subscribe("ada@customer.example".parse().unwrap())).await;
    assert_eq!(room.mail(&mail).await.entry.fate, Fate::Duplicate);
    assert!(room.issue("acme/support#1").await.participants[0].subscribed);
}

#[tokio::test]
async fn an_automatic_answer_to_an_answer_of_ours_is_held_for_a_person() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let sent = room.send().await;
    let ours = field(&sent[0], "Message-ID").unwrap().to_owned();
    let elsewhere = format!(
        "From: robot@x.example\nTo: help+acme-office-2-issue-@desk.example\nSubject: Re: x\nIn-Reply-To: {ours}\nMessage-ID: <loop@x>\n\nx\n"
    );
    assert_eq!(room.mail(&elsewhere).await.entry.fate, Fate::Issue);
    let row = room.outbox().await.into_iter().find(|r| r.to.as_str() == "robot@x.example").unwrap();
    assert_eq!(row.state, OutboxState::Held);
}

#[tokio::test]
async fn what_waits_when_a_project_is_switched_off_is_held_until_it_is_on_again() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.ok(Request::EnableProject { path: "acme/support".into(), enabled: false }).await;
    assert!(room.send().await.is_empty(), "nothing goes out");
    assert_eq!(room.outbox().await[0].state, OutboxState::Held);
    room.ok(Request::EnableProject { path: "acme/support".into(), enabled: true }).await;
    assert_eq!(room.send().await.len(), 1);
}

#[tokio::test]
async fn spam_goes_when_it_was_kept_long_enough_and_one_line_of_it_stays() {
    let mut room = Room::new().await;
    let block = |pattern: &str| Request::SetSender {
        scope: SenderScope::Project("acme/support".into()),
        pattern: pattern.into(),
        rule: SenderRule::Block,
    };
    room.ok(block("bad.example")).await;
    let letter = |from: &str, subject: &str| {
        format!("From: {from}\nTo: help+acme-support-1-issue-@desk.example\nSubject: {subject}\n\nHello.\n")
    };
    room.mail(&letter("x@bad.example", "one")).await;
    room.mail(&letter("y@bad.example", "two")).await;
    room.mail(&letter("ada@good.example", "three")).await;
    let edits = vec![Edit::Spam(true)];
    room.ok(Request::Edit { references: vec!["acme/support#1".parse().unwrap()], edits }).await;
    let ham = IntakeAction::Ham { allow_sender: false };
    room.ok(Request::IntakeAct { id: deskbell::domain::IntakeId(2), action: ham }).await;

    room.later(SignedDuration::from_hours(24 * 29));
    assert_eq!(room.desk.purge_spam().await.unwrap(), 0);
    room.later(SignedDuration::from_hours(24 * 2));
    assert_eq!(room.desk.purge_spam().await.unwrap(), 2);
    assert_eq!(room.desk.purge_spam().await.unwrap(), 0, "once");

    room.again().await;
    let Response::Intake(rows) = room.ok(Request::Intake { fate: None, limit: 10 }).await else { panic!() };
    let lines: Vec<_> =
        rows.iter().map(|row| (row.purged, row.fate, row.subject.as_deref(), row.reason.as_str())).collect();
    assert_eq!(lines[0], (true, Fate::Issue, None, "purged: its issue was spam"));
    assert_eq!((lines[1].0, lines[1].1, lines[1].2), (false, Fate::Issue, Some("two")));
    assert_eq!(lines[2], (true, Fate::Spam, None, "purged: it was spam"));
    let gone = room.ask(Request::Issue("acme/support#1".parse().unwrap())).await.unwrap_err();
    assert!(gone.message.contains("was spam and is gone"), "{gone:?}");
    assert!(room.list("is:spam").await.is_empty());
    let Response::Status(status) = room.ok(Request::Status).await else { panic!() };
    assert_eq!((status.spam.mails, status.spam.lessons), (0, 2), "lessons stay");
    // An answer to what is gone is a mail like any other.
    let again = room.mail(&letter("mia@good.example", "Re: three (acme/support#1)")).await;
    assert_eq!((again.entry.fate, again.entry.reference.as_deref()), (Fate::Issue, Some("acme/support#3")));
}
