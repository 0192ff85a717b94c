//! Labels and milestones: records beside the words that issues carry.

use crate::support::room::{ADA, Room};
use deskbell::domain::{CategoryKind, CategoryView, Edit, Request, Response};

const PROJECT: &str = "acme/support";
const ONE: &str = "acme/support#1";
const TWO: &str = "acme/support#2";

fn pairs(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn add(kind: CategoryKind, settings: &[(&str, &str)]) -> Request {
    Request::AddCategory { kind, project: PROJECT.into(), settings: pairs(settings) }
}

fn set(kind: CategoryKind, name: &str, settings: &[(&str, &str)]) -> Request {
    Request::SetCategory { kind, project: PROJECT.into(), name: name.into(), settings: pairs(settings) }
}

async fn all(room: &mut Room, kind: CategoryKind) -> Vec<CategoryView> {
    match room.ok(Request::Categories { kind, project: Some(PROJECT.into()) }).await {
        Response::Categories(views) => views,
        other => panic!("{other:?}"),
    }
}

async fn names(room: &mut Room, kind: CategoryKind) -> Vec<(String, bool, u64)> {
    let views = all(room, kind).await;
    views.into_iter().map(|view| (view.about.name, view.recorded, view.issues)).collect()
}

/// Two issues with the word `bug`, one of them in the milestone `1.0`, and one in another project.
async fn room() -> Room {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.mail(&ADA.replace("<a1@", "<a2@").replace("token", "code")).await;
    room.mail("From: x@y.example\nTo: office@desk.example\nMessage-ID: <o@y>\nSubject: x\n\nx\n").await;
    for reference in [ONE, TWO, "acme/office#1"] {
        room.edit(reference, Edit::Label("bug".into())).await;
    }
    room.edit(ONE, Edit::Milestone(Some("1.0".into()))).await;
    room
}

#[tokio::test]
async fn a_label_is_a_word_on_issues_before_and_after_it_has_a_record() {
    let mut room = room().await;
    let kind = CategoryKind::Label;
    assert_eq!(names(&mut room, kind).await, [("bug".into(), false, 2)]);
    room.ok(add(kind, &[("name", "urgent"), ("colour", "#d73a4a"), ("description", "Now")])).await;
    assert_eq!(names(&mut room, kind).await, [("bug".into(), false, 2), ("urgent".into(), true, 0)]);
    let Response::Labels(choice) = room.ok(Request::Labels).await else { panic!() };
    assert_eq!(choice, [("bug".into(), 3), ("urgent".into(), 0)]);
    room.ok(set(kind, "bug", &[("colour", "#00ff00")])).await;
    assert_eq!(names(&mut room, kind).await[0], ("bug".into(), true, 2));
    room.again().await;
    let urgent = all(&mut room, kind).await.pop().unwrap();
    assert_eq!(urgent.about.colour.as_deref(), Some("#d73a4a"));
    assert_eq!(urgent.about.description.as_deref(), Some("Now"));
    for (request, words) in [
        (add(kind, &[("name", "urgent")]), "already"),
        (add(kind, &[("name", "a,b")]), "cannot be a label"),
        (add(kind, &[("name", "x"), ("colour", "red")]), "not a colour"),
        (add(kind, &[("name", "x"), ("due", "2026-01-01")]), "a label has no `due`"),
        (set(kind, "urgnt", &[("colour", "#000000")]), "no label `urgnt`"),
        (set(kind, "bug", &[("name", "urgent")]), "already"),
    ] {
        let fault = room.ask(request).await.unwrap_err();
        assert!(fault.message.contains(words), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_new_name_reaches_every_issue_of_the_project_and_one_undo_takes_it_back() {
    let mut room = room().await;
    room.user("bob").await;
    let kind = CategoryKind::Label;
    room.edit(TWO, Edit::Spam(true)).await;
    room.ok(set(kind, "bug", &[("name", "defect")])).await;
    assert_eq!(room.issue(ONE).await.row.labels, ["defect"]);
    assert_eq!(room.issue(TWO).await.row.labels, ["defect"], "spam as well");
    assert_eq!(room.issue("acme/office#1").await.row.labels, ["bug"], "another project keeps its own");
    assert_eq!(names(&mut room, kind).await, [("defect".into(), true, 1)]);
    let Response::History(changes) = room.ok(Request::History(ONE.parse().unwrap())).await else { panic!() };
    let last = changes.last().unwrap();
    assert_eq!(last.reason.as_deref(), Some("renamed the label bug of acme/support to defect"));
    room.ok(Request::Undo).await;
    assert_eq!(room.issue(ONE).await.row.labels, ["bug"]);
    assert_eq!(names(&mut room, kind).await, [("bug".into(), false, 1)]);
    room.ok(Request::Redo).await;
    assert_eq!(names(&mut room, kind).await, [("defect".into(), true, 1)]);
    room.ask_as("bob", set(kind, "defect", &[("colour", "#000000")])).await.unwrap();
    let fault = room.ask(Request::Undo).await.unwrap_err();
    assert!(fault.message.contains("changed the label defect since"), "{}", fault.message);
}

#[tokio::test]
async fn a_milestone_has_dates_and_counts_what_is_done() {
    let mut room = room().await;
    let kind = CategoryKind::Milestone;
    room.ok(add(kind, &[("title", "2.0"), ("start", "2026-03-01"), ("due", "2026-04-01")])).await;
    room.edit(TWO, Edit::Milestone(Some("2.0".into()))).await;
    room.ok(set(kind, "1.0", &[("title", "2.0-beta"), ("due", "2026-03-15")])).await;
    assert_eq!(room.issue(ONE).await.row.milestone.as_deref(), Some("2.0-beta"));
    room.edit(ONE, Edit::Milestone(Some("2.0".into()))).await;
    room.edit(ONE, Edit::Close).await;
    let views = all(&mut room, kind).await;
    let two = views.iter().find(|view| view.about.name == "2.0").unwrap();
    assert_eq!((two.issues, two.closed_issues, two.progress()), (2, 1, 50));
    assert_eq!(two.about.due.unwrap().to_string(), "2026-04-01");
    let fault = room.ask(set(kind, "2.0", &[("due", "2026-02-01")])).await.unwrap_err();
    assert!(fault.message.contains("before it starts"), "{}", fault.message);
    let name = "2.0".to_owned();
    room.ok(Request::RemoveCategory { kind, project: PROJECT.into(), name }).await;
    assert_eq!(room.issue(ONE).await.row.milestone, None);
    room.ok(Request::Undo).await;
    assert_eq!(room.issue(ONE).await.row.milestone.as_deref(), Some("2.0"));
    assert_eq!(room.list("milestone:2.0").await.len(), 2);
}
