//! Views: whose they are, what they find, in which order they stand, and how changes of them are taken back.

use crate::support::TestDesk;
use crate::support::room::{ADA, Room, note};
use deskbell::domain::{Edit, KeptFor, NewNote, Request, Response, Role, View, ViewFrom, ViewId};
use jiff::SignedDuration;

async fn views(room: &mut Room, user: &str) -> Vec<View> {
    match room.ask_as(user, Request::Views).await.unwrap() {
        Response::Views(views) => views,
        other => panic!("{other:?}"),
    }
}

async fn names(room: &mut Room, user: &str) -> Vec<String> {
    views(room, user).await.into_iter().map(|view| view.about.name).collect()
}

fn save(kept: KeptFor, name: &str, settings: &[(&str, &str)], new: bool) -> Request {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Request::SaveView { kept, name: name.into(), settings, new }
}

const PROGRAM: [&str; 5] = ["Mine", "Waiting on us", "All open", "Snoozed", "Spam"];

#[tokio::test]
async fn each_sees_the_built_in_ones_their_own_their_projects_and_the_desks() {
    let mut room = Room::new().await;
    for user in ["mia", "tom"] {
        room.user(user).await;
    }
    for (project, user) in [("acme/support", "mia"), ("acme/office", "tom")] {
        let (project, user, role) = (project.to_owned(), user.to_owned(), Role::Reporter);
        room.ok(Request::SetMember { project, user, role }).await;
    }
    room.ask_as("mia", save(KeptFor::Mine, "hers", &[("query", "label:a")], true)).await.unwrap();
    room.ok(save(KeptFor::Project("acme/support".into()), "of support", &[("query", "label:b")], true)).await;
    room.ok(save(KeptFor::Desk, "of all", &[("query", "label:c")], true)).await;
    assert_eq!(names(&mut room, "mia").await, [&PROGRAM[..], &["of all", "of support", "hers"]].concat());
    assert_eq!(names(&mut room, "tom").await, [&PROGRAM[..], &["of all"]].concat());
    room.again().await;
    assert_eq!(names(&mut room, "tom").await.len(), 6, "they are kept");
}

#[tokio::test]
async fn a_view_says_what_it_finds_for_whoever_asks_and_since_when_somebody_waits() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let settings = [("query", "is:open label:billing"), ("limit", "4h"), ("columns", "who,due")];
    room.ok(save(KeptFor::Desk, "Bills", &settings, true)).await;
    let bills = |views: Vec<View>| views.into_iter().find(|view| view.about.name == "Bills").unwrap();
    let view = bills(views(&mut room, "alice").await);
    assert_eq!((view.count, view.unread, view.oldest), (Some(0), Some(0), None));
    room.edit("acme/support#1", Edit::Label("billing".into())).await;
    room.later(SignedDuration::from_hours(5));
    let view = bills(views(&mut room, "alice").await);
    assert_eq!((view.count, view.unread), (Some(1), Some(1)));
    assert!(view.is_late(room.desk.now()));
    room.reply("acme/support#1", "Done.").await;
    let view = bills(views(&mut room, "alice").await);
    assert_eq!((view.count, view.oldest), (Some(1), None), "it waits on them now");
    room.user("mia").await;
    let (project, user) = ("acme/support".to_owned(), "alice".to_owned());
    room.ok(Request::SetMember { project, user, role: Role::Owner }).await;
    assert_eq!(bills(views(&mut room, "mia").await).count, Some(0), "she does not see the issue");
}

#[tokio::test]
async fn order_hiding_renaming_and_removal_are_each_taken_back() {
    let mut room = Room::new().await;
    room.ok(save(KeptFor::Mine, "a", &[("query", "label:a")], true)).await;
    let mine = |name: &str| ViewId { from: ViewFrom::Kept(KeptFor::Mine), name: name.into() };
    let usual = [&PROGRAM[..], &["a"]].concat();
    room.ok(Request::OrderView { view: mine("a"), position: 1 }).await;
    let moved = [&["a"][..], &PROGRAM[..]].concat();
    assert_eq!(names(&mut room, "alice").await, moved);
    room.ok(save(KeptFor::Mine, "a", &[("name", "b")], false)).await;
    assert_eq!(names(&mut room, "alice").await[0], "b", "it keeps its place");
    room.ok(Request::Undo).await;
    assert_eq!(names(&mut room, "alice").await, moved);
    room.ok(Request::RemoveView(ViewId { from: ViewFrom::Program, name: "Spam".into() })).await;
    assert!(!names(&mut room, "alice").await.contains(&"Spam".to_owned()));
    room.ok(Request::Undo).await;
    room.ok(Request::Undo).await;
    assert_eq!(names(&mut room, "alice").await, usual);
    room.ok(Request::Redo).await;
    assert_eq!(names(&mut room, "alice").await, moved);
    room.ok(Request::RemoveView(mine("a"))).await;
    assert_eq!(names(&mut room, "alice").await, PROGRAM);
    room.ok(Request::Undo).await;
    assert_eq!(names(&mut room, "alice").await, moved);
}

#[tokio::test]
async fn what_is_changed_of_a_built_in_one_is_kept_in_its_place() {
    let mut room = Room::new().await;
    room.ok(save(KeptFor::Mine, "All open", &[("limit", "1d")], false)).await;
    assert_eq!(names(&mut room, "alice").await, PROGRAM);
    let view = views(&mut room, "alice").await.remove(2);
    assert_eq!((view.about.query.as_str(), view.about.limit), ("is:open", Some(86_400)));
    room.ok(Request::Undo).await;
    assert_eq!(views(&mut room, "alice").await[2].from, ViewFrom::Program);
    let fault = room.ask(save(KeptFor::Mine, "All opne", &[("limit", "1d")], false)).await.unwrap_err();
    assert!(fault.hint.unwrap().contains("All open"));
    let wrong = room.ask(save(KeptFor::Mine, "x", &[("query", "is:odd")], true)).await.unwrap_err();
    assert!(wrong.message.contains("column 4"), "{wrong:?}");
}

#[test]
fn views_are_kept_listed_ordered_and_removed_by_command() {
    let desk = TestDesk::between_maildirs("");
    desk.ok(&["view", "add", "refunds", "is:open label:refund", "--sort", "waiting", "--limit", "4h"]);
    let listed = desk.ok(&["view", "list"]);
    assert!(listed.contains("refunds") && listed.contains("Waiting on us"), "{listed}");
    let shown = desk.json(&["view", "show", "refunds"]);
    assert_eq!(shown["query"], "is:open label:refund sort:waiting-desc");
    assert_eq!((&shown["limit"], &shown["count"]), (&serde_json::json!(14_400), &serde_json::json!(0)));
    let ordered = desk.json(&["view", "order", "refunds", "1"]);
    assert_eq!(ordered[0]["name"], "refunds");
    desk.ok(&["view", "set", "refunds", "--rename", "Refunds", "--columns", "who,due"]);
    assert_eq!(desk.json(&["view", "list", "--mine"])[0]["columns"], serde_json::json!(["who", "due"]));
    desk.ok(&["view", "remove", "Refunds"]);
    assert_eq!(desk.json(&["view", "list"]).as_array().unwrap().len(), 5);
    assert_eq!(desk.run(&["view", "show", "nothing"]).code, 1);
}

#[tokio::test]
async fn what_is_most_about_the_words_comes_first_where_that_is_wanted() {
    let mut room = Room::new().await;
    let said = "It says \"invalid token\".";
    for (number, subject, body) in
        [(1, "Invoice", "The printer is broken."), (2, "Printer jam", "Help."), (3, "Hello", "My printer.")]
    {
        let mail = ADA.replace("<a1@", &format!("<p{number}@")).replace("Cannot log in", subject);
        room.mail(&mail.replace(said, body)).await;
    }
    let internal = NewNote { internal: true, ..note("acme/support#3", "The printer again.") };
    room.ok(Request::AddNote(internal)).await;
    let found = ["acme/support#2", "acme/support#3", "acme/support#1"];
    assert_eq!(room.list("printer sort:relevance").await, found);
    assert_eq!(room.list("printer sort:relevance-asc").await.first().unwrap(), "acme/support#1");
    assert_eq!(room.list("printer").await.first().unwrap(), "acme/support#3", "else the latest change");
    assert_eq!(
        room.list("is:open sort:relevance").await.len(),
        3,
        "without words it is an order like another"
    );
}

#[tokio::test]
async fn a_view_is_shared_where_the_role_allows_and_undo_gives_it_back() {
    let mut room = Room::new().await;
    for (user, role) in [("mia", Role::Maintainer), ("rob", Role::Reporter)] {
        room.user(user).await;
        let (project, user) = ("acme/support".to_owned(), user.to_owned());
        room.ok(Request::SetMember { project, user, role }).await;
    }
    let support = || KeptFor::Project("acme/support".into());
    let id = |kept: KeptFor| ViewId { from: ViewFrom::Kept(kept), name: "hers".into() };
    let share = |from: KeptFor, with: KeptFor| Request::ShareView { view: id(from), with };
    room.ask_as("mia", save(KeptFor::Mine, "hers", &[("query", "label:a")], true)).await.unwrap();
    assert!(!names(&mut room, "rob").await.contains(&"hers".to_owned()));
    room.ask_as("mia", share(KeptFor::Mine, support())).await.unwrap();
    assert!(names(&mut room, "rob").await.contains(&"hers".to_owned()), "the project has it");
    assert_eq!(names(&mut room, "mia").await.iter().filter(|name| *name == "hers").count(), 1);
    room.ask_as("rob", share(support(), KeptFor::Mine)).await.unwrap_err();
    room.ask_as("mia", share(support(), KeptFor::Desk)).await.unwrap_err();
    room.ask_as("mia", share(support(), support())).await.unwrap_err();
    room.ask_as("mia", Request::Undo).await.unwrap();
    assert!(!names(&mut room, "rob").await.contains(&"hers".to_owned()), "it is hers again");
    assert!(views(&mut room, "mia").await.iter().any(|view| view.id() == id(KeptFor::Mine)));
    room.ask_as("mia", Request::Redo).await.unwrap();
    room.ask_as("mia", share(support(), KeptFor::Mine)).await.unwrap();
    assert!(!names(&mut room, "rob").await.contains(&"hers".to_owned()), "and unshared");
}

#[test]
fn a_view_is_shared_by_a_command() {
    let desk = TestDesk::between_maildirs("");
    desk.ok(&["view", "add", "refunds", "label:refund"]);
    let shared = desk.json(&["view", "share", "refunds", "--project", "acme/support"]);
    assert_eq!(shared["from"]["kept"]["project"], "acme/support", "{shared}");
    let mine = desk.json(&["view", "share", "refunds", "--mine"]);
    assert_eq!(mine["from"]["kept"], "mine", "{mine}");
}
