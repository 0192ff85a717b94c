//! Merging and parting: every note, person, draft, number and reply address stays where it belongs.

use crate::support::room::{ADA, Room, address, draft_of, field, note};
use deskbell::domain::{
    Draft, DraftKind, Edit, EmailAddress, Fate, FaultKind, IssueId, NewNote, NoteKind, Party, Request,
    Response, Role, State,
};
use jiff::SignedDuration;

const ONE: &str = "acme/support#1";
const TWO: &str = "acme/support#2";

/// Ada's issue, and Eve's about the same thing; each was answered once.
async fn room() -> (Room, Vec<String>) {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let eve = ADA
        .replace("<a1@", "<e1@")
        .replace("Ada Lovelace <ada@", "Eve <eve@")
        .replace("invalid token", "no token");
    room.mail(&eve).await;
    room.reply(ONE, "We look, Ada.").await;
    room.reply(TWO, "We look, Eve.").await;
    let sent = room.send().await;
    (room, sent)
}

fn merge(references: &[&str], into: &str, dry_run: bool) -> Request {
    let references = references.iter().map(|r| r.parse().unwrap()).collect();
    Request::Merge { references, into: into.parse().unwrap(), dry_run }
}

fn reply_to(sent: &[String], who: &str) -> String {
    let mail = sent.iter().rfind(|m| field(m, "To").unwrap().contains(who)).unwrap();
    address(field(mail, "Reply-To").unwrap()).to_owned()
}

fn bodies(issue: &deskbell::domain::IssueView) -> Vec<&str> {
    let said = issue.notes.iter().filter(|n| n.kind != NoteKind::System);
    said.map(|n| n.body.lines().next().unwrap()).collect()
}

#[tokio::test]
async fn a_merged_issue_brings_notes_people_and_drafts_and_its_number_leads_on() {
    let (mut room, sent) = room().await;
    room.half_a_reply(TWO).await;
    let Response::Plan(plan) = room.ok(merge(&[TWO], ONE, true)).await else { panic!() };
    assert!(plan[0].contains("2 notes and 1 participant go to acme/support#1"), "{plan:?}");
    assert_eq!(room.issue(TWO).await.row.iid, 2, "a dry run writes nothing");
    room.ok(merge(&[TWO], ONE, false)).await;
    let issue = room.issue(ONE).await;
    assert_eq!(
        bodies(&issue),
        ["It says \"invalid token\".", "It says \"no token\".", "We look, Ada.", "We look, Eve."]
    );
    let people: Vec<&str> = issue.participants.iter().map(|p| p.email.as_str()).collect();
    assert_eq!(people, ["ada@customer.example", "eve@customer.example"]);
    assert_eq!(room.issue(TWO).await.row.iid, 1, "its number leads on");
    assert_eq!(room.list("").await, [ONE]);
    assert_eq!(room.list("is:merged").await, [TWO]);
    assert_eq!(room.list("\"no token\"").await, [ONE], "its words are found where they are now");
    let ask = Request::Draft { reference: Some(ONE.parse().unwrap()), kind: DraftKind::Reply };
    let Response::Draft(Some(draft)) = room.ok(ask).await else { panic!() };
    assert_eq!(draft.text, "Half a thought");
    assert!(room.send().await.is_empty(), "nobody is mailed for it");
    // Eve answers the mail she got before: it lands where her issue is now.
    let raw = format!(
        "From: eve@customer.example\nTo: {}\nSubject: Re\nMessage-ID: <e2@customer.example>\n\nThanks.\n",
        reply_to(&sent, "eve")
    );
    let entry = room.mail(&raw).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Note, Some(ONE)));
    let raw =
        ADA.replace("<a1@", "<e3@").replace("Message-ID", "In-Reply-To: <e1@customer.example>\nMessage-ID");
    assert_eq!(room.mail(&raw).await.entry.reference.as_deref(), Some(ONE));
    // What is said to the old number goes to both.
    room.reply(TWO, "Mended for both.").await;
    assert_eq!(room.send().await.len(), 2);
}

#[tokio::test]
async fn drafts_of_merged_issues_lose_neither_files_nor_copies() {
    let (mut room, _) = room().await;
    room.hold_file(ONE, "For Ada", "list.csv", b"ada's").await;
    let draft = room.taken_back().await;
    let (cc, files) = (vec!["kim@customer.example".to_owned()], vec!["/tmp/one".to_owned()]);
    room.ok(Request::SaveDraft(Box::new(Draft { text: String::new(), cc, files, ..draft }))).await;
    room.hold_file(TWO, "For Eve", "list.csv", b"eve's").await;
    room.taken_back().await;
    room.ok(merge(&[TWO], ONE, false)).await;
    let ask = Request::Draft { reference: Some(ONE.parse().unwrap()), kind: DraftKind::Reply };
    let Response::Draft(Some(draft)) = room.ok(ask).await else { panic!() };
    assert_eq!((draft.text.as_str(), draft.kept.len()), ("For Eve", 2));
    assert_eq!(
        (draft.cc.join(" "), draft.files.join(" ")),
        ("kim@customer.example".into(), "/tmp/one".into())
    );
    assert_eq!(room.kept_file(ONE, "list.csv", Some(0)).await.unwrap(), b"ada's");
    assert_eq!(room.kept_file(ONE, "list.csv", Some(1)).await.unwrap(), b"eve's");
}

#[tokio::test]
async fn a_parted_issue_has_its_notes_and_people_again_and_the_other_one_keeps_its_own() {
    let (mut room, sent) = room().await;
    room.ok(merge(&[TWO], ONE, false)).await;
    room.reply(ONE, "For both.").await;
    room.send().await;
    room.ok(Request::Unmerge(TWO.parse().unwrap())).await;
    let (one, two) = (room.issue(ONE).await, room.issue(TWO).await);
    assert_eq!(bodies(&one), ["It says \"invalid token\".", "We look, Ada.", "For both."]);
    assert_eq!(bodies(&two), ["It says \"no token\".", "We look, Eve."]);
    assert_eq!((one.row.state, two.row.state), (State::Open, State::Open));
    let people = |issue: &deskbell::domain::IssueView| {
        issue.participants.iter().map(|p| p.email.clone()).collect::<Vec<EmailAddress>>()
    };
    assert_eq!(people(&one), ["ada@customer.example".parse().unwrap()]);
    assert_eq!(people(&two), ["eve@customer.example".parse().unwrap()]);
    for (who, reference) in [("ada", ONE), ("eve", TWO)] {
        let raw = format!(
            "From: {who}@customer.example\nTo: {}\nSubject: Re\nMessage-ID: <{who}9@customer.example>\n\nThanks.\n",
            reply_to(&sent, who)
        );
        assert_eq!(room.mail(&raw).await.entry.reference.as_deref(), Some(reference));
    }
    assert!(room.ask(Request::Unmerge(TWO.parse().unwrap())).await.is_err());
    assert_eq!(room.list("\"no token\"").await, [TWO]);
}

#[tokio::test]
async fn undo_parts_what_was_merged_and_a_chain_comes_apart_in_any_order() {
    let (mut room, _) = room().await;
    room.ok(Request::AddNote(note(TWO, "/merge acme/support#1"))).await;
    assert_eq!(room.issue(TWO).await.row.iid, 1);
    room.ok(Request::Undo).await;
    assert_eq!(bodies(&room.issue(TWO).await).len(), 2);
    room.mail(&ADA.replace("<a1@", "<f1@").replace("invalid token", "third")).await;
    room.ok(merge(&[TWO], ONE, false)).await;
    room.ok(merge(&[ONE], "acme/support#3", false)).await;
    assert_eq!(bodies(&room.issue(TWO).await).len(), 5);
    room.ok(Request::Unmerge(TWO.parse().unwrap())).await;
    assert_eq!(bodies(&room.issue(TWO).await), ["It says \"no token\".", "We look, Eve."]);
    assert_eq!(bodies(&room.issue(ONE).await).len(), 3, "the first is still in the third");
    room.ok(Request::Unmerge(ONE.parse().unwrap())).await;
    assert_eq!(bodies(&room.issue("acme/support#3").await), ["It says \"third\"."]);
    assert_eq!(bodies(&room.issue(ONE).await), ["It says \"invalid token\".", "We look, Ada."]);
}

#[tokio::test]
async fn what_is_written_in_an_issue_that_is_merged_meanwhile_goes_along_and_loses_nothing() {
    let (mut room, _) = room().await;
    let draft = |reference: &str| Request::Draft {
        reference: Some(reference.parse().unwrap()),
        kind: DraftKind::Reply,
    };
    let two = room.issue(TWO).await;
    let save = |issue: IssueId, text: &str| {
        Request::SaveDraft(Box::new(Draft {
            seen: two.notes.last().map(|note| note.id),
            saved_at: two.row.created_at,
            ..draft_of("alice", Some(issue), text)
        }))
    };
    let one = room.issue(ONE).await.row.id;
    room.ok(save(one, "For Ada")).await;
    room.ok(save(two.row.id, "Dear")).await;
    room.ok(merge(&[TWO], ONE, false)).await;
    // Whoever writes on does not know of the merge yet.
    for text in ["Dear Eve", "Dear Eve, it is", "Dear Eve, it is mended"] {
        room.ok(save(two.row.id, text)).await;
    }
    let Response::Draft(Some(kept)) = room.ok(draft(ONE)).await else { panic!() };
    assert_eq!(kept.text, "For Ada\n\nDear Eve, it is mended");
    let Response::Drafts(all) = room.ok(Request::Drafts).await else { panic!() };
    assert_eq!(all.len(), 1, "none is left where nobody looks: {all:?}");
    // A send that knows nothing of it is refused once, since others would get it.
    let seen = two.notes.last().map(|note| note.id);
    let new = NewNote { seen, ..note(TWO, "Dear Eve, it is mended") };
    let fault = room.ask(Request::AddNote(new.clone())).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Stale { .. }), "{fault:?}");
    assert_eq!(fault.message, "#2 leads to #1 since you looked at it");
    let seen = room.issue(TWO).await.notes.last().map(|note| note.id);
    room.ok(Request::AddNote(NewNote { seen, ..new })).await;
}

#[tokio::test]
async fn several_are_parted_in_one_step_and_what_is_not_merged_is_told() {
    let (mut room, _) = room().await;
    room.mail(&ADA.replace("<a1@", "<f1@").replace("invalid token", "third")).await;
    let three = "acme/support#3";
    room.ok(merge(&[TWO, three], ONE, false)).await;
    let all = [ONE, TWO, three].map(|one| one.parse().unwrap()).to_vec();
    let answer = room.ok(Request::UnmergeMany(all)).await;
    let Response::Edited { rows, label, failed, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((rows.len(), label.as_str()), (2, "parted 2 issues from what they were merged into"));
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].reason, "#1 is not merged into another");
    assert_eq!(bodies(&room.issue(three).await), ["It says \"third\"."]);
    room.ok(Request::Undo).await;
    let survivors = [room.issue(TWO).await.row.iid, room.issue(three).await.row.iid];
    assert_eq!(survivors, [1, 1], "one undo joins them all again");
}

#[tokio::test]
async fn a_merged_issue_survives_a_restart_and_a_closed_one_stays_closed() {
    let (mut room, _) = room().await;
    room.edit(TWO, Edit::Close).await;
    room.ok(merge(&[TWO], ONE, false)).await;
    room.again().await;
    assert_eq!(bodies(&room.issue(ONE).await).len(), 4);
    assert_eq!(room.list("\"no token\"").await, [ONE]);
    room.ok(Request::Unmerge(TWO.parse().unwrap())).await;
    room.again().await;
    assert_eq!(room.issue(TWO).await.row.state, State::Closed);
    assert_eq!(bodies(&room.issue(ONE).await).len(), 2);
}

#[tokio::test]
async fn parted_issues_wait_since_when_they_did_before() {
    let (mut room, _) = room().await;
    room.later(SignedDuration::from_hours(30));
    room.mail("From: eve@customer.example\nTo: help+acme-support-1-issue-@desk.example\nMessage-ID: <e2@customer.example>\nIn-Reply-To: <e1@customer.example>\nSubject: Re\n\nstill\n").await;
    let waits = async |room: &mut Room, reference| {
        let row = room.issue(reference).await.row;
        (row.waiting_on, row.waiting_since)
    };
    let before = [waits(&mut room, ONE).await, waits(&mut room, TWO).await];
    assert_eq!(before.map(|(party, _)| party), [Some(Party::Them), Some(Party::Us)]);
    room.ok(merge(&[TWO], ONE, false)).await;
    assert_eq!(waits(&mut room, ONE).await.0, Some(Party::Us));
    room.later(SignedDuration::from_hours(1));
    room.ok(Request::Undo).await;
    assert_eq!([waits(&mut room, ONE).await, waits(&mut room, TWO).await], before);

    room.ok(merge(&[TWO], ONE, false)).await;
    room.ok(Request::Unmerge(TWO.parse().unwrap())).await;
    assert_eq!([waits(&mut room, ONE).await, waits(&mut room, TWO).await], before);
}

#[tokio::test]
async fn what_cannot_be_merged_is_refused_with_its_reason() {
    let (mut room, _) = room().await;
    room.mail("From: x@y.example\nTo: office@desk.example\nMessage-ID: <o@y>\nSubject: x\n\nx\n").await;
    for (request, words) in [
        (merge(&[ONE], ONE, false), "nothing to merge"),
        (merge(&["acme/office#1"], ONE, false), "another project"),
        (merge(&["acme/support#9"], ONE, false), "there is no issue"),
    ] {
        let fault = room.ask(request).await.unwrap_err();
        assert!(fault.message.contains(words), "{}", fault.message);
    }
    let fault = room.ask(Request::AddNote(note(ONE, "/close\n/merge #2"))).await;
    assert!(fault.is_err());
    room.ok(merge(&[TWO], ONE, false)).await;
    assert!(room.ask(merge(&[TWO], ONE, false)).await.is_err(), "it is there already");
}

#[tokio::test]
async fn a_merged_issue_leads_nobody_to_one_that_they_may_not_see() {
    let (mut room, _) = room().await;
    room.edit(TWO, Edit::Confidential(false)).await;
    room.user("gus").await;
    let (project, user) = ("acme/support".to_owned(), "gus".to_owned());
    room.ok(Request::SetMember { project, user, role: Role::Guest }).await;
    let asked = || Request::Issue(TWO.parse().unwrap());
    let Ok(Response::Issue(two)) = room.ask_as("gus", asked()).await else { panic!() };
    room.ok(merge(&[TWO], ONE, false)).await;
    // What they write on stays where it was, not beside what they cannot find.
    let draft = Draft { saved_at: two.row.created_at, ..draft_of("gus", Some(two.row.id), "Dear Eve") };
    room.ask_as("gus", Request::SaveDraft(Box::new(draft))).await.unwrap();
    let Ok(Response::Drafts(kept)) = room.ask_as("gus", Request::Drafts).await else { panic!() };
    assert_eq!(kept.iter().map(|draft| draft.issue).collect::<Vec<_>>(), [Some(two.row.id)]);
    let fault = room.ask_as("gus", asked()).await.unwrap_err();
    assert_eq!(fault.message, format!("there is no issue {TWO}"));
    room.ok(Request::Unmerge(TWO.parse().unwrap())).await;
    room.ok(merge(&[ONE], TWO, false)).await;
    assert!(room.ask_as("gus", asked()).await.is_err(), "a confidential issue makes the other one so");
}
