//! Canned replies: whose they are, how they are filled, and what stops a send.

use crate::support::TestDesk;
use crate::support::room::{ADA, Room, note};
use deskbell::domain::{
    CannedView, FaultKind, FillCanned, FilledCanned, KeptFor, NewNote, Request, Response, Role, Upload,
};

async fn save(room: &mut Room, user: &str, scope: KeptFor, name: &str, text: &str) {
    let settings = vec![("text".to_owned(), text.to_owned())];
    let request = Request::SaveCanned { scope, name: name.into(), settings, new: true, attach: vec![] };
    room.ask_as(user, request).await.unwrap();
}

async fn known(room: &mut Room, user: &str) -> Vec<String> {
    match room.ask_as(user, Request::Canned { project: None }).await.unwrap() {
        Response::Canned(known) => known.into_iter().map(|canned: CannedView| canned.name).collect(),
        other => panic!("{other:?}"),
    }
}

async fn fill(room: &mut Room, name: &str) -> FilledCanned {
    let asked = FillCanned { scope: None, name: name.into(), reference: "acme/support#1".parse().unwrap() };
    match room.ok(Request::FillCanned(asked)).await {
        Response::FilledCanned(filled) => filled,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_sees_their_own_their_projects_and_the_desks() {
    let mut room = Room::new().await;
    for user in ["mia", "tom"] {
        room.user(user).await;
    }
    let (project, user, role) = ("acme/support".to_owned(), "mia".to_owned(), Role::Reporter);
    room.ok(Request::SetMember { project, user, role }).await;
    let (project, user) = ("acme/office".to_owned(), "tom".to_owned());
    room.ok(Request::SetMember { project, user, role }).await;
    save(&mut room, "mia", KeptFor::Mine, "hers", "a").await;
    save(&mut room, "alice", KeptFor::Project("acme/support".into()), "of support", "b").await;
    save(&mut room, "alice", KeptFor::Desk, "of all", "c").await;
    assert_eq!(known(&mut room, "mia").await, ["hers", "of support", "of all"]);
    assert_eq!(known(&mut room, "tom").await, ["of all"]);
}

#[tokio::test]
async fn a_canned_reply_is_filled_with_the_issues_data_and_its_quick_actions_run() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    let text = "Hello %{REQUESTER_FIRST_NAME},\n\n%{ISSUE_ID} \u{201c}%{ISSUE_TITLE}\u{201d} is mended.\n\n/label ~done";
    save(&mut room, "alice", KeptFor::Mine, "mended", text).await;
    let filled = fill(&mut room, "mended").await;
    assert!(filled.missing.is_empty());
    assert!(filled.text.starts_with("Hello Ada,\n\n#1 \u{201c}Cannot log in\u{201d}"), "{}", filled.text);
    let issue = room.reply("acme/support#1", &filled.text).await;
    assert_eq!(issue.row.labels, ["done"]);
    let sent = room.send().await.remove(0);
    assert!(sent.contains("Hello Ada,") && !sent.contains("/label"), "{sent}");
}

#[tokio::test]
async fn what_is_not_known_stops_the_send_until_it_is_written() {
    let mut room = Room::new().await;
    room.mail(&ADA.replace("Ada Lovelace <ada@customer.example>", "ada@customer.example")).await;
    room.send().await;
    save(&mut room, "alice", KeptFor::Desk, "hello", "Hello %{REQUESTER_NAME}").await;
    let filled = fill(&mut room, "hello").await;
    assert_eq!(filled.missing, ["REQUESTER_NAME"]);
    let fault = room.ask(Request::AddNote(note("acme/support#1", &filled.text))).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.message.contains("%{REQUESTER_NAME}"), "{fault:?}");
    assert!(room.send().await.is_empty());
    room.reply("acme/support#1", "We fill `%{REQUESTER_NAME}` ourselves").await;
    assert_eq!(room.send().await.len(), 1, "in code it is meant so");
    let internal = NewNote { internal: true, ..note("acme/support#1", &filled.text) };
    room.ok(Request::AddNote(internal)).await;
}

#[tokio::test]
async fn changes_are_taken_back_and_done_again_unless_somebody_changed_it_since() {
    let mut room = Room::new().await;
    save(&mut room, "alice", KeptFor::Desk, "a", "one").await;
    let rename = |name: &str, to: &str| Request::SaveCanned {
        scope: KeptFor::Desk,
        name: name.into(),
        settings: vec![("name".into(), to.into()), ("text".into(), "two".into())],
        new: false,
        attach: vec![],
    };
    room.ok(rename("a", "b")).await;
    assert_eq!(known(&mut room, "alice").await, ["b"]);
    room.ok(Request::Undo).await;
    assert_eq!(known(&mut room, "alice").await, ["a"]);
    room.ok(Request::Redo).await;
    assert_eq!(known(&mut room, "alice").await, ["b"]);
    room.ok(Request::RemoveCanned { scope: KeptFor::Desk, name: "b".into() }).await;
    room.ok(Request::Undo).await;
    assert_eq!(known(&mut room, "alice").await, ["b"]);
    room.again().await;
    assert_eq!(known(&mut room, "alice").await, ["b"], "it is kept");
    assert!(room.ask(rename("nothing", "x")).await.unwrap_err().hint.is_some());
}

#[tokio::test]
async fn files_of_a_canned_reply_go_out_with_the_note_and_are_replaced_and_taken_back() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    save(&mut room, "alice", KeptFor::Desk, "guide", "See the guide.").await;
    let with = |bytes: &[u8], settings: Vec<(String, String)>| Request::SaveCanned {
        scope: KeptFor::Desk,
        name: "guide".into(),
        settings,
        new: false,
        attach: vec![Upload { name: "guide.txt".into(), bytes: bytes.to_vec() }],
    };
    room.ok(with(b"first", vec![])).await;
    room.ok(with(b"second", vec![])).await;
    room.again().await;
    let filled = fill(&mut room, "guide").await;
    assert_eq!(filled.files, [Upload { name: "guide.txt".into(), bytes: b"second".to_vec() }]);
    let new = NewNote { attach: filled.files, ..note("acme/support#1", &filled.text) };
    room.ok(Request::AddNote(new)).await;
    let sent = room.send().await.remove(0);
    assert!(sent.contains("guide.txt") && (sent.contains("second") || sent.contains("c2Vjb25k")), "{sent}");
    room.ok(Request::Undo).await;
    room.ok(Request::Undo).await;
    assert_eq!(fill(&mut room, "guide").await.files[0].bytes, b"first");
    let mut none = with(b"", vec![("detach".into(), "guide.txt".into())]);
    if let Request::SaveCanned { attach, .. } = &mut none {
        attach.clear();
    }
    room.ok(none).await;
    assert!(fill(&mut room, "guide").await.files.is_empty());
    let fault = room.ask(with(&vec![0; 20_000_001], vec![])).await.unwrap_err();
    assert!(fault.message.contains("20 MB"), "{fault:?}");
}

#[test]
fn canned_replies_are_kept_listed_and_sent_by_command() {
    let desk = TestDesk::between_maildirs("");
    let mail = crate::support::mail("ada@customer.test", "hello");
    assert_eq!(desk.feed(&["deliver", "-"], &mail).code, 0);
    desk.ok(&["canned", "add", "later", "-m", "%{ISSUE_ID} has to wait", "--keywords", "Wait, queue"]);
    let listed = desk.ok(&["canned", "list"]);
    assert!(
        listed.contains("later") && listed.contains("wait, queue") && listed.contains("mine"),
        "{listed}"
    );
    assert!(desk.ok(&["canned", "show", "later"]).contains("%{ISSUE_ID}"));
    desk.ok(&["canned", "set", "later", "--rename", "wait", "--mine"]);
    let guide = desk.folder.path().join("guide.txt");
    std::fs::write(&guide, "how to").unwrap();
    let saved = desk.json(&["canned", "set", "wait", "--attach", guide.to_str().unwrap()]);
    assert_eq!(
        saved["files"],
        serde_json::json!([
            { "name": "guide.txt", "type": "text/plain", "size": 6, "inline": false }
        ])
    );
    let noted = desk.json(&["issue", "note", "1", "--canned", "wait", "-m", "Best, Alice"]);
    let body = noted["notes"].as_array().unwrap().last().unwrap()["body"].as_str().unwrap().to_owned();
    assert_eq!(body, "#1 has to wait\n\nBest, Alice");
    let note = noted["notes"].as_array().unwrap().last().unwrap();
    assert_eq!(note["attachments"][0]["name"], "guide.txt");
    desk.ok(&["canned", "set", "wait", "--detach", "guide.txt"]);
    assert_eq!(desk.run(&["issue", "note", "1", "--canned", "nothing"]).code, 1);
    desk.ok(&["canned", "remove", "wait"]);
    assert_eq!(desk.json(&["canned", "list"]), serde_json::json!([]));
}
