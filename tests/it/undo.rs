//! Undo and redo, answers that are cancelled, drafts of two windows, requests that are repeated, and notes whose writer
//! missed something.

use crate::support::room::{ADA, Room, draft_of, note};
use deskbell::domain::{
    Call, Draft, DraftKind, Edit, Fate, FaultKind, IntakeAction, NewIssue, NewNote, OutboxAction,
    OutboxState, OutboxView, Party, Reference, Request, RequestId, Response, SenderRule, SenderScope, State,
    Upload, Via,
};
use jiff::SignedDuration;

#[tokio::test]
async fn undo_takes_back_the_callers_last_verb_and_never_overwrites_another() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.ok(Request::AddUser { name: "bob".into(), full_name: None, emails: vec![], system_user: None })
        .await;
    room.edit("acme/support#1", Edit::Label("bug".into())).await;
    room.edit("acme/support#1", Edit::Close).await;
    room.ok(Request::Undo).await;
    assert_eq!(room.issue("acme/support#1").await.row.state, State::Open);
    room.ok(Request::Undo).await;
    assert!(room.issue("acme/support#1").await.row.labels.is_empty());
    room.ok(Request::Redo).await;
    assert_eq!(room.issue("acme/support#1").await.row.labels, ["bug"]);
    room.edit("acme/support#1", Edit::Assign("me".into())).await;
    let references = vec!["acme/support#1".parse().unwrap()];
    room.ask_as("bob", Request::Edit { references, edits: vec![Edit::Assign("bob".into())] }).await.unwrap();
    let fault = room.ask(Request::Undo).await.unwrap_err();
    assert!(fault.message.contains("bob changed the assignee"), "{}", fault.message);
    let nothing = room.ask_as("bob", Request::Undo).await;
    assert!(nothing.is_ok(), "bob takes back his own");
    assert_eq!(room.issue("acme/support#1").await.row.assignee.as_deref(), Some("alice"));
}

#[tokio::test]
async fn undo_of_a_held_send_opens_its_draft_and_a_sent_one_is_skipped_with_a_notice() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    room.ok(Request::AddNote(NewNote { hold_ms: Some(60_000), ..note("acme/support#1", "wait") })).await;
    assert!(room.send().await.is_empty(), "held");
    let Response::Undone { draft, skipped, .. } = room.ok(Request::Undo).await else { panic!() };
    assert_eq!((draft.unwrap().text.as_str(), skipped.len()), ("wait", 0));
    assert!(room.outbox().await.iter().any(|r| r.state == OutboxState::Cancelled));
    assert_eq!(room.issue("acme/support#1").await.row.waiting_on, Some(Party::Us));
    assert!(!room.issue("acme/support#1").await.notes.iter().any(|n| n.body == "wait"));
    room.reply("acme/support#1", "gone").await;
    room.send().await;
    let Response::Undone { draft, skipped, .. } = room.ok(Request::Undo).await else { panic!() };
    assert_eq!((draft, skipped.len()), (None, 1));
    assert!(room.issue("acme/support#1").await.notes.iter().any(|n| n.body == "gone"));
}

#[tokio::test]
async fn what_was_typed_comes_back_with_its_quick_actions_and_its_files() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let text = "See the list.\n/label ~bug";
    let attach = vec![Upload { name: "list.csv".into(), bytes: b"a,b".to_vec() }];
    room.ok(Request::AddNote(NewNote { hold_ms: Some(60_000), attach, ..note("acme/support#1", text) }))
        .await;
    let Response::Undone { draft, skipped, .. } = room.ok(Request::Undo).await else { panic!() };
    let draft = draft.unwrap();
    assert_eq!((draft.text.as_str(), skipped.len()), (text, 0));
    assert_eq!(draft.kept.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["list.csv"]);
    let file = |name: &str| Request::DraftFile {
        reference: Some("acme/support#1".parse().unwrap()),
        kind: draft.kind,
        name: name.into(),
        place: None,
    };
    // It outlives a restart, a compaction and another save of the draft.
    room.ok(Request::SaveDraft(Box::new(draft.clone()))).await;
    room.ok(Request::Compact).await;
    room.again().await;
    assert_eq!(room.ok(file("list.csv")).await, Response::Bytes(b"a,b".to_vec()));
    room.ask(file("other.csv")).await.unwrap_err();
    // Nobody names bytes of others by a draft of their own.
    let stranger = Draft { user: "mia".into(), ..draft.clone() };
    room.user("mia").await;
    room.ask_as("mia", Request::SaveDraft(Box::new(stranger))).await.unwrap();
    room.ask_as("mia", file("list.csv")).await.unwrap_err();
    assert!(room.issue("acme/support#1").await.row.labels.is_empty());
}

#[tokio::test]
async fn the_files_of_a_draft_outlive_saves_of_front_ends_that_know_less_and_stay_at_their_places() {
    let one = "acme/support#1";
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.hold_file(one, "first", "list.csv", b"of the first").await;
    room.hold_file(one, "second", "list.csv", b"of the second").await;
    let second = room.taken_back().await;
    // An older front end knows of no such files; a text is no longer there.
    room.ok(Request::SaveDraft(Box::new(Draft { text: String::new(), kept: vec![], ..second }))).await;
    let draft = room.taken_back().await;
    assert_eq!((draft.text.as_str(), draft.kept.len()), ("first", 2), "a draft of files is a draft");
    for _ in 0..2 {
        // A rewrite of the journal moves all bytes while the composer is open.
        room.ok(Request::Compact).await;
        room.ok(Request::SaveDraft(Box::new(draft.clone()))).await;
    }
    room.again().await;
    assert_eq!(room.kept_file(one, "list.csv", Some(0)).await.unwrap(), b"of the second");
    assert_eq!(room.kept_file(one, "list.csv", Some(1)).await.unwrap(), b"of the first");
    assert_eq!(room.kept_file(one, "other.csv", Some(1)).await, None);
    for _ in 0..2 {
        room.ok(Request::SaveDraft(Box::new(Draft { off: vec![0, 9], ..draft.clone() }))).await;
        room.ok(Request::Compact).await;
    }
    assert_eq!(room.kept_file(one, "list.csv", Some(0)).await, None);
    assert_eq!(room.kept_file(one, "", Some(0)).await, None);
    assert_eq!(room.kept_file(one, "list.csv", Some(1)).await.unwrap(), b"of the first");
    assert_eq!(room.kept_file(one, "list.csv", None).await.unwrap(), b"of the first");
}

#[tokio::test]
async fn a_repeated_request_answers_from_the_first_and_mails_once() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    let call = Call {
        id: RequestId("same".into()),
        via: Via::Tui,
        request: Request::AddNote(note("acme/support#1", "once")),
    };
    let first = room.ask_call("alice", call.clone()).await.unwrap();
    let second = room.ask_call("alice", call.clone()).await.unwrap();
    let (Response::Noted { note: a, .. }, Response::Noted { note: b, .. }) = (first, second) else {
        panic!()
    };
    assert_eq!(a, b);
    room.again().await;
    room.ask_call("alice", call).await.unwrap();
    assert_eq!(room.outbox().await.iter().filter(|r| r.note_is(a)).count(), 1);
}

trait NoteIs {
    fn note_is(&self, note: deskbell::domain::NoteId) -> bool;
}
impl NoteIs for OutboxView {
    fn note_is(&self, _: deskbell::domain::NoteId) -> bool {
        serde_json::to_value(self.kind).unwrap() == "new_note"
    }
}

#[tokio::test]
async fn a_note_whose_writer_missed_something_is_refused_as_stale() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let seen = room.issue("acme/support#1").await.notes[0].id;
    room.mail("From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example\nIn-Reply-To: <a1@customer.example>\nMessage-ID: <r@x>\n\nnever mind\n").await;
    let stale = NewNote { seen: Some(seen), ..note("acme/support#1", "late") };
    let fault = room.ask(Request::AddNote(stale.clone())).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Stale { ref newer } if newer.len() == 1), "{fault:?}");
    room.ok(Request::AddNote(NewNote { seen: None, ..stale })).await;
}

#[tokio::test]
async fn undo_goes_on_past_a_mail_that_is_out_and_a_verb_that_changed_nothing() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    room.edit("acme/support#1", Edit::Label("bug".into())).await;
    room.edit("acme/support#1", Edit::Reopen).await;
    room.reply("acme/support#1", "gone").await;
    room.send().await;
    let Response::Undone { label, skipped, .. } = room.ok(Request::Undo).await else { panic!() };
    assert!(label.starts_with("could not take back"), "{label}");
    assert_eq!(skipped.len(), 1);
    room.ok(Request::Undo).await;
    assert!(room.issue("acme/support#1").await.row.labels.is_empty());
}

#[tokio::test]
async fn undo_of_a_held_send_stops_it_even_when_the_customer_wrote_meanwhile() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    room.ok(Request::AddNote(NewNote { hold_ms: Some(60_000), ..note("acme/support#1", "wait") })).await;
    room.mail("From: ada@customer.example\nTo: help+acme-support-1-issue-@desk.example\nIn-Reply-To: <a1@customer.example>\nMessage-ID: <m@x>\n\nnever mind\n").await;
    room.ok(Request::Undo).await;
    assert!(room.outbox().await.iter().any(|r| r.state == OutboxState::Cancelled));
}

#[tokio::test]
async fn undo_of_a_new_ticket_stops_its_mail_and_closes_it() {
    let mut room = Room::new().await;
    let new = NewIssue {
        project: "acme/support".into(),
        title: "oops".into(),
        to: Some("lin@customer.example".parse().unwrap()),
        text: "x".into(),
        hold_ms: Some(60_000),
    };
    room.ok(Request::NewIssue(new)).await;
    room.ok(Request::Undo).await;
    assert_eq!(room.outbox().await[0].state, OutboxState::Cancelled);
    assert_eq!(room.issue("acme/support#1").await.row.state, State::Closed);
}

#[tokio::test]
async fn a_mail_that_waits_for_a_person_outlives_the_spam_issue_that_an_undo_left() {
    let mut room = Room::new().await;
    let scope = SenderScope::Project("acme/support".into());
    let rule = SenderRule::Quarantine;
    room.ok(Request::SetSender { scope, pattern: "customer.example".into(), rule }).await;
    let waiting = room.mail(ADA).await.entry;
    assert_eq!(waiting.fate, Fate::Quarantined);
    let ham = IntakeAction::Ham { allow_sender: false };
    room.ok(Request::IntakeAct { id: waiting.id, action: ham.clone() }).await;
    room.ok(Request::Undo).await;
    room.later(SignedDuration::from_hours(24 * 31));
    assert_eq!(room.desk.purge_spam().await.unwrap(), 1);
    let Response::IntakeEntry(entry) = room.ok(Request::IntakeEntry(waiting.id)).await else { panic!() };
    assert_eq!((entry.fate, entry.purged, entry.reference), (Fate::Quarantined, false, None));
    let Response::IntakeEntry(entry) = room.ok(Request::IntakeAct { id: waiting.id, action: ham }).await
    else {
        panic!()
    };
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Issue, Some("acme/support#2")));
}

#[tokio::test]
async fn undo_never_passes_over_a_change_that_cannot_be_taken_back() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.edit("acme/support#1", Edit::Label("bug".into())).await;
    room.ok(Request::AddProject { path: "acme/annex".into() }).await;
    let fault = room.ask(Request::Undo).await.unwrap_err();
    assert_eq!(fault.message, "your last change cannot be taken back: added the project acme/annex");
    assert!(fault.hint.unwrap().contains("`deskbell undo ID`"));
    assert_eq!(room.issue("acme/support#1").await.row.labels, ["bug"]);
    let Response::Changes(changes) = room.ok(Request::Changes { limit: 10 }).await else { panic!() };
    let labelled = changes.iter().find(|change| change.undoable).unwrap();
    room.ok(Request::UndoOne(labelled.seq)).await;
    assert!(room.issue("acme/support#1").await.row.labels.is_empty());
    room.ok(Request::Redo).await;
    room.ok(Request::Undo).await;
    assert!(
        room.issue("acme/support#1").await.row.labels.is_empty(),
        "what was done again is the last change"
    );
}

#[tokio::test]
async fn an_undo_that_came_too_late_is_listed_as_that_and_nothing_is_done_again() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.reply("acme/support#1", "gone").await;
    room.send().await;
    let Response::Undone { label, .. } = room.ok(Request::Undo).await else { panic!() };
    assert!(label.starts_with("could not take back"), "{label}");
    let fault = room.ask(Request::Redo).await.unwrap_err();
    assert_eq!(fault.message, "there is nothing of yours to do again");
    let Response::Changes(changes) = room.ok(Request::Changes { limit: 2 }).await else { panic!() };
    let why: Vec<_> = changes.iter().map(|change| change.why_not.as_deref().unwrap()).collect();
    assert_eq!(why, ["it took nothing back", "it could not be taken back: answered #1"]);
    let fault = room.ask(Request::UndoOne(changes[1].seq)).await.unwrap_err();
    assert_eq!(fault.message, "it could not be taken back: answered #1");
}

#[tokio::test]
async fn an_answer_whose_mail_is_cancelled_leaves_the_turn_with_us() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let waits = async |room: &mut Room| {
        let row = room.issue("acme/support#1").await.row;
        (row.waiting_on, row.waiting_since)
    };
    let before = waits(&mut room).await;
    assert_eq!(before.0, Some(Party::Us));
    room.later(SignedDuration::from_hours(2));
    room.ok(Request::AddNote(NewNote { hold_ms: Some(3_600_000), ..note("acme/support#1", "hello") })).await;
    let answered = waits(&mut room).await;
    assert_eq!(answered.0, Some(Party::Them));
    let held = room.outbox().await.into_iter().find(|row| row.state == OutboxState::Held).unwrap();
    let act = |action| Request::OutboxAct { ids: vec![held.id], action };
    room.ok(act(OutboxAction::Cancel)).await;
    assert_eq!(waits(&mut room).await, before);
    room.ok(act(OutboxAction::Retry)).await;
    assert_eq!(waits(&mut room).await, answered);
}

#[tokio::test]
async fn a_draft_of_two_windows_holds_the_texts_of_both() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let id = room.issue("acme/support#1").await.row.id;
    let written = |text: &str, over: &str| {
        Request::SaveDraft(Box::new(Draft { over: Some(over.to_owned()), ..draft_of("", Some(id), text) }))
    };
    assert!(matches!(room.ok(written("one", "")).await, Response::Done));
    assert!(matches!(room.ok(written("one and", "one")).await, Response::Done));
    let Response::Draft(Some(joined)) = room.ok(written("two", "")).await else { panic!() };
    assert_eq!((joined.text.as_str(), joined.over), ("one and\n\ntwo", None));
    assert!(matches!(room.ok(written("one and\n\ntwo!", "one and\n\ntwo")).await, Response::Done));
    let reference = Some("acme/support#1".parse::<Reference>().unwrap());
    let stored = room.ok(Request::Draft { reference, kind: DraftKind::Reply }).await;
    assert!(matches!(&stored, Response::Draft(Some(draft)) if draft.text == "one and\n\ntwo!"), "{stored:?}");
}
