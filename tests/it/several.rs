//! Several issues at once: verbs, one text for all, macros; what fails of it, and how all of it is taken back.

use crate::support::TestDesk;
use crate::support::room::{ADA, Room, draft_of};
use deskbell::domain::{
    CannedView, Draft, Edit, KeptFor, NewNotes, OutboxState, Party, Reference, Request, Response, Seq, State,
};
use jiff::SignedDuration;

fn references(numbers: &[u64]) -> Vec<Reference> {
    numbers.iter().map(|number| format!("acme/support#{number}").parse().unwrap()).collect()
}

/// A desk with as many tickets, the last one of somebody without a name; their thank-you mails are out.
async fn tickets(count: u64) -> Room {
    let mut room = Room::new().await;
    for number in 1..=count {
        let mail = ADA.replace("<a1@", &format!("<a{number}@")).replace("ada@", &format!("ada{number}@"));
        let mail = if number == count {
            mail.replace("Ada Lovelace <", "").replace(".example>\nTo", ".example\nTo")
        } else {
            mail
        };
        room.mail(&mail).await;
    }
    room.send().await;
    room
}

fn text(numbers: &[u64], text: &str) -> NewNotes {
    let references = references(numbers);
    NewNotes {
        references,
        text: text.into(),
        internal: false,
        hold_ms: Some(60_000),
        close: false,
        dry_run: false,
    }
}

async fn keep_macro(room: &mut Room, name: &str, settings: &[(&str, &str)]) {
    let mut all = vec![("macro".to_owned(), "true".to_owned())];
    all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    room.ok(Request::SaveCanned {
        scope: KeptFor::Mine,
        name: name.into(),
        settings: all,
        new: true,
        attach: vec![],
    })
    .await;
}

fn run(name: &str, numbers: &[u64]) -> Request {
    Request::RunMacro {
        kept: None,
        name: name.into(),
        references: references(numbers),
        hold_ms: Some(60_000),
    }
}

#[tokio::test]
async fn what_can_be_done_is_done_in_one_step_and_the_rest_is_told_with_its_cause() {
    let mut room = tickets(3).await;
    room.edit("acme/support#2", Edit::Spend(600)).await;
    // Only where an hour was spent can one be taken back.
    let edits = vec![Edit::Label("first".into()), Edit::Spend(-600)];
    let request = Request::Edit { references: references(&[1, 2, 3, 77]), edits };
    let Response::Edited { rows, label, failed, .. } = room.ok(request.clone()).await else { panic!() };
    assert_eq!((rows.len(), label.contains("#2")), (1, true), "{label}");
    let failed: Vec<_> = failed.iter().map(|one| (one.reference.iid, one.reason.as_str())).collect();
    assert_eq!(failed.iter().map(|one| one.0).collect::<Vec<_>>(), [77, 1, 3]);
    assert!(failed[1].1.contains("were spent on"), "{failed:?}");
    for (number, labels) in [(1, 0), (2, 1), (3, 0)] {
        let issue = room.issue(&format!("acme/support#{number}")).await;
        assert_eq!(issue.row.labels.len(), labels, "nothing is left of a part that failed");
        assert!(
            issue.notes.iter().all(|note| number == 2 || !note.body.contains("label")),
            "{:?}",
            issue.notes
        );
    }
    room.ok(Request::Undo).await;
    assert!(room.issue("acme/support#2").await.row.labels.is_empty());
    let none = room.ask(Request::Edit { references: references(&[77, 78]), edits: vec![Edit::Close] }).await;
    assert!(none.unwrap_err().message.starts_with("done for none of 2 issues: "));
    let alone = room.ask(Request::Edit { references: references(&[77]), edits: vec![Edit::Close] }).await;
    assert!(alone.unwrap_err().message.starts_with("there is no issue"));
}

#[tokio::test]
async fn one_text_is_filled_for_each_held_in_one_step_and_taken_back_with_its_draft() {
    let mut room = tickets(3).await;
    let words = "Dear %{REQUESTER_NAME},\n\n%{ISSUE_ID} is mended.\n\n/label ~outage";
    let plan = NewNotes { dry_run: true, ..text(&[1, 2, 3], words) };
    let Response::NotesPlanned(planned) = room.ok(Request::NoteMany(plan)).await else { panic!() };
    assert_eq!(planned[1].text, "Dear Ada Lovelace,\n\n#2 is mended.\n\n[label it outage]");
    assert_eq!(planned[1].to, ["ada2@customer.example"]);
    assert_eq!(planned[2].missing, ["REQUESTER_NAME"]);
    assert!(room.send().await.is_empty(), "a plan writes nothing");

    let Response::Edited { label, failed, held_until, .. } =
        room.ok(Request::NoteMany(text(&[1, 2, 3], words))).await
    else {
        panic!()
    };
    assert_eq!((label.as_str(), failed.len()), ("answered 2 issues", 1));
    assert!(failed[0].reason.contains("%{REQUESTER_NAME}"), "{failed:?}");
    assert_eq!(held_until, Some(room.desk.now() + SignedDuration::from_secs(60)));
    let issue = room.issue("acme/support#1").await;
    assert_eq!(
        (issue.row.labels.as_slice(), issue.row.waiting_on),
        (&["outage".to_owned()][..], Some(Party::Them))
    );
    assert!(room.send().await.is_empty(), "they are held");

    // Meanwhile another one was begun, with a file and no text yet.
    let begun = Draft {
        to: Some("acme/support#3".into()),
        files: vec!["/tmp/list.csv".into()],
        ..draft_of("alice", None, "")
    };
    room.ok(Request::SaveDraft(Box::new(begun))).await;
    let Response::Undone { draft, skipped, .. } = room.ok(Request::Undo).await else { panic!() };
    let draft = draft.unwrap();
    assert_eq!((draft.text.as_str(), draft.issue, skipped.len()), (words, None, 0));
    assert_eq!(draft.files, ["/tmp/list.csv"]);
    assert_eq!(draft.to.as_deref(), Some("acme/support#1 acme/support#2"));
    for number in [1, 2] {
        let issue = room.issue(&format!("acme/support#{number}")).await;
        assert!(issue.row.labels.is_empty() && issue.row.waiting_on == Some(Party::Us));
        assert!(issue.notes.iter().all(|note| !note.body.contains("is mended")));
    }
    let states: Vec<_> = room.outbox().await.iter().map(|row| row.state).collect();
    assert_eq!(states.iter().filter(|state| **state == OutboxState::Cancelled).count(), 2);
    let Response::Drafts(drafts) = room.ok(Request::Drafts).await else { panic!() };
    assert_eq!(drafts.len(), 1, "the text is not lost");
}

#[tokio::test]
async fn each_gets_a_mail_of_their_own_and_what_is_out_stays() {
    let mut room = tickets(3).await;
    let Response::Edited { failed, .. } = room
        .ok(Request::NoteMany(NewNotes { hold_ms: None, ..text(&[1, 2], "%{ISSUE_ID} works again") }))
        .await
    else {
        panic!()
    };
    assert!(failed.is_empty());
    let sent = room.send().await;
    assert_eq!(sent.len(), 2);
    for (mail, number) in sent.iter().zip([1, 2]) {
        assert!(mail.contains(&format!("#{number} works again")), "{mail}");
        assert!(mail.contains("To: ") && mail.contains(&format!("ada{number}@")), "{mail}");
        assert!(!mail.contains(&format!("ada{}@", 3 - number)), "nobody sees who else got it");
    }
    let Response::Undone { skipped, draft, .. } = room.ok(Request::Undo).await else { panic!() };
    assert_eq!((skipped.len(), draft), (2, None));
    assert_eq!(room.issue("acme/support#1").await.row.waiting_on, Some(Party::Them));
}

#[tokio::test]
async fn a_macro_acts_and_answers_on_all_in_one_step_that_one_undo_takes_back() {
    let mut room = tickets(3).await;
    let settings = vec![("text".to_owned(), "%{ISSUE_ID} is refunded.".to_owned())];
    room.ok(Request::SaveCanned {
        scope: KeptFor::Mine,
        name: "refunded".into(),
        settings,
        new: true,
        attach: vec![],
    })
    .await;
    keep_macro(
        &mut room,
        "refund",
        &[("text", "/label ~refund\n/close"), ("reply", "refunded"), ("key", "f")],
    )
    .await;
    let Response::Canned(known) = room.ok(Request::Canned { project: None }).await else { panic!() };
    let runs = |known: &[CannedView]| known.iter().filter(|c| c.runs.is_some()).count();
    assert_eq!((known.len(), runs(&known)), (2, 1));
    let Response::Edited { label, .. } = room.ok(run("refund", &[1, 2, 3])).await else { panic!() };
    assert_eq!(label, "refund on 3 issues");
    let issue = room.issue("acme/support#2").await;
    assert_eq!((issue.row.state, issue.row.labels.as_slice()), (State::Closed, &["refund".to_owned()][..]));
    assert!(issue.notes.iter().any(|note| note.body == "#2 is refunded."));
    room.ok(Request::Undo).await;
    for number in [1, 2, 3] {
        let issue = room.issue(&format!("acme/support#{number}")).await;
        assert_eq!((issue.row.state, issue.row.labels.len()), (State::Open, 0));
        assert!(issue.notes.iter().all(|note| !note.body.contains("is refunded")));
    }
    room.again().await;
    assert!(matches!(room.ok(run("refund", &[1])).await, Response::Edited { .. }), "it is kept");
}

#[tokio::test]
async fn a_placeholder_that_stands_for_nothing_or_a_wrong_action_stops_a_macro_everywhere() {
    let mut room = tickets(2).await;
    keep_macro(&mut room, "greet", &[("text", "/label ~x\n\nDear %{REQUESTER_NAME}")]).await;
    let fault = room.ask(run("greet", &[1, 2])).await.unwrap_err();
    assert!(fault.message.contains("greet was not run") && fault.message.contains("#2"), "{fault:?}");
    assert!(room.issue("acme/support#1").await.row.labels.is_empty(), "nothing was done at all");
    let settings =
        [("macro", "true"), ("text", "/clsoe")].map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
    let wrong =
        Request::SaveCanned { scope: KeptFor::Mine, name: "x".into(), settings, new: true, attach: vec![] };
    assert!(room.ask(wrong).await.unwrap_err().message.contains("/clsoe"));
    keep_macro(&mut room, "lost", &[("reply", "nothing")]).await;
    assert!(room.ask(run("lost", &[1])).await.unwrap_err().message.contains("no canned reply `nothing`"));
    assert!(room.ask(run("none", &[1])).await.unwrap_err().hint.is_some());
}

#[tokio::test]
async fn an_earlier_change_is_taken_back_by_its_number_unless_it_is_overtaken() {
    let mut room = tickets(1).await;
    room.edit("acme/support#1", Edit::Label("a".into())).await;
    room.edit("acme/support#1", Edit::Assign("me".into())).await;
    room.edit("acme/support#1", Edit::Label("b".into())).await;
    let Response::Changes(rows) = room.ok(Request::Changes { limit: 100 }).await else { panic!() };
    let row = |words: &str| rows.iter().find(|row| row.label.contains(words)).unwrap();
    let (first, second) = (row("labelled a"), row("assigned"));
    assert!(second.undoable && !first.undoable);
    assert!(first.why_not.as_ref().unwrap().contains("changed the labels since"), "{first:?}");
    assert_eq!(second.references, ["acme/support#1"]);
    assert!(room.ask(Request::UndoOne(first.seq)).await.is_err());
    room.ok(Request::UndoOne(second.seq)).await;
    let issue = room.issue("acme/support#1").await;
    assert_eq!((issue.row.assignee, issue.row.labels.len()), (None, 2));
    let again = room.ask(Request::UndoOne(second.seq)).await.unwrap_err();
    assert!(again.message.contains("already"), "{again:?}");
    assert!(room.ask(Request::UndoOne(Seq(999_999))).await.unwrap_err().hint.is_some());
}

#[tokio::test]
async fn several_are_marked_as_unread_in_one_step() {
    let mut room = tickets(2).await;
    for read in [true, false] {
        room.ok(Request::MarkManyRead { references: references(&[1, 2]), read }).await;
        let found = room.list("is:unread").await;
        assert_eq!(found.len(), if read { 0 } else { 2 });
    }
}

#[test]
fn macros_texts_for_several_and_the_list_of_changes_work_by_command() {
    let desk = TestDesk::between_maildirs("");
    for name in ["ada", "eve"] {
        let mail = crate::support::mail(&format!("{name}@customer.test"), &format!("hello from {name}"));
        assert_eq!(desk.feed(&["deliver", "-"], &mail).code, 0);
    }
    desk.ok(&["macro", "add", "done", "--do", "/label ~done", "-m", "%{ISSUE_ID} is done.", "--key", "d"]);
    assert!(desk.ok(&["macro", "list"]).contains("done"));
    // A key runs one thing, whoever keeps it.
    let doubled = desk.run(&["macro", "add", "drop", "--do", "/close", "--key", "d", "--desk"]);
    assert!(doubled.code == 1 && doubled.stderr.contains("the key d runs the macro done"), "{doubled:?}");
    desk.ok(&["macro", "set", "done", "--key", "d"]);
    let empty = desk.run(&["macro", "add", "nothing"]);
    assert!(empty.code == 2 && empty.stderr.contains("would do nothing"), "{empty:?}");
    assert!(empty.stderr.contains("--do '/close'"), "{empty:?}");
    // A desk that nobody serves knows its config all the same.
    let status = desk.status();
    assert_eq!(
        (&status["mailboxes"][0]["name"], &status["outlets"][0]["name"]),
        (&"support".into(), &"smtp".into())
    );
    assert_eq!(status["data_dir"], desk.data().display().to_string());
    assert_eq!(desk.json(&["canned", "list"]), serde_json::json!([]), "a macro is no canned reply");
    assert!(desk.ok(&["macro", "run", "done", "1", "2"]).contains("done on 2 issues"));
    let changes = desk.json(&["undo", "--list"]);
    let row = changes.as_array().unwrap().iter().find(|row| row["label"] == "done on 2 issues").unwrap();
    assert_eq!(
        (&row["undoable"], &row["actor"]["via"]),
        (&serde_json::json!(true), &serde_json::json!("command"))
    );
    assert!(desk.ok(&["undo", "--list"]).contains("done on 2 issues"));
    desk.ok(&["undo", &row["seq"].to_string()]);
    assert_eq!(desk.json(&["issue", "show", "1"])["labels"], serde_json::json!([]));
    assert!(
        desk.ok(&["issue", "note-each", "1", "2", "-m", "%{ISSUE_ID} waits", "--dry-run"])
            .contains("#2 waits")
    );
    let partly = desk.run(&["issue", "note-each", "1", "9", "-m", "%{ISSUE_ID} waits"]);
    assert_eq!(partly.code, 3, "{partly:?}");
    desk.ok(&["issue", "edit", "1", "--label", "x"]);
    assert_eq!(desk.json(&["issue", "history", "1", "--field", "labels"]).as_array().unwrap().len(), 3);
    assert_eq!(desk.json(&["issue", "history", "1", "--by", "nobody"]), serde_json::json!([]));
    desk.ok(&["macro", "remove", "done"]);
    let wrong = desk.run(&["issue", "list", "is:open sttus:x"]);
    assert!(wrong.stderr.contains("\n          ^"), "{}", wrong.stderr);
}

#[tokio::test]
async fn a_draft_in_one_of_the_issues_outlives_a_macro_on_all() {
    let mut room = tickets(2).await;
    room.half_a_reply("acme/support#1").await;
    keep_macro(&mut room, "soon", &[("text", "We look into it.\n/label ~soon")]).await;
    room.ok(run("soon", &[1, 2])).await;
    let Response::Drafts(drafts) = room.ok(Request::Drafts).await else { panic!() };
    assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ["Half a thought"]);
}
