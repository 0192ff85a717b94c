//! People: notes that staff keep on them, a mark for who is important, and who sees either.

use crate::support::room::{ADA, Room};
use crate::support::{TestDesk, mail};
use deskbell::domain::{
    AboutEdit, AboutView, EmailAddress, Event, FaultKind, NewIssue, Request, Response, SenderScope,
};

const ONE: &str = "acme/support#1";

fn ada() -> EmailAddress {
    "ada@customer.example".parse().unwrap()
}

fn set(edit: AboutEdit) -> Request {
    Request::SetAbout { email: ada(), edit }
}

async fn about(room: &mut Room) -> AboutView {
    match room.ok(Request::About(ada())).await {
        Response::About(about) => *about,
        other => panic!("{other:?}"),
    }
}

async fn texts(room: &mut Room) -> Vec<(u64, String)> {
    about(room).await.notes.into_iter().map(|note| (note.id, note.text)).collect()
}

fn text(id: u64, words: &str) -> (u64, String) {
    (id, words.to_owned())
}

#[tokio::test]
async fn notes_on_a_person_are_written_changed_removed_and_taken_back() {
    let mut room = Room::with_staff().await;
    room.ask_as("mia", set(AboutEdit::Add("calls back late\n".into()))).await.unwrap();
    room.ok(set(AboutEdit::Add("likes tea".into()))).await;
    room.ok(set(AboutEdit::Rewrite { note: 1, text: "calls back early".into() })).await;
    assert_eq!(texts(&mut room).await, [text(1, "calls back early"), text(2, "likes tea")]);
    let first = about(&mut room).await.notes.remove(0);
    assert_eq!((first.by.as_str(), first.edited.unwrap().by.as_str()), ("mia", "alice"));
    room.ok(set(AboutEdit::Remove { note: 2 })).await;
    room.ok(set(AboutEdit::Add("third".into()))).await;
    assert_eq!(texts(&mut room).await.pop(), Some(text(3, "third")), "a number is not given twice");
    for _ in 0..3 {
        room.ok(Request::Undo).await;
    }
    assert_eq!(texts(&mut room).await, [text(1, "calls back late"), text(2, "likes tea")]);
    room.ok(Request::Redo).await;
    room.again().await;
    assert_eq!(texts(&mut room).await[0], text(1, "calls back early"));
    let since = room.ask_as("mia", Request::Undo).await.unwrap_err();
    assert!(since.message.contains("changed what is kept about ada@customer.example since"), "{since:?}");
    for (edit, kind) in [
        (AboutEdit::Add("  \n".into()), FaultKind::Usage),
        (AboutEdit::Add("x".repeat(10_001)), FaultKind::Usage),
        (AboutEdit::Remove { note: 9 }, FaultKind::NotFound),
        (AboutEdit::Rewrite { note: 9, text: "x".into() }, FaultKind::NotFound),
    ] {
        assert_eq!(room.ask(set(edit)).await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn only_who_works_where_a_person_wrote_sees_notes_and_mark() {
    let mut room = Room::with_staff().await;
    room.ask_as("mia", set(AboutEdit::Vip(true))).await.unwrap();
    room.ok(set(AboutEdit::Add("x".into()))).await;
    let row = |issue: Response| match issue {
        Response::Issue(issue) => issue.row.vip,
        other => panic!("{other:?}"),
    };
    let one = || Request::Issue(ONE.parse().unwrap());
    assert!(row(room.ask_as("mia", one()).await.unwrap()));
    assert!(!row(room.ask_as("gus", one()).await.unwrap()));
    assert_eq!(room.list_as("mia", "is:vip").await, [ONE]);
    assert_eq!(room.list_as("gus", "is:vip").await, [""; 0]);
    for (user, kind) in [("gus", FaultKind::NotAllowed), ("tom", FaultKind::NotFound)] {
        assert_eq!(room.ask_as(user, Request::About(ada())).await.unwrap_err().kind, kind, "{user}");
        let edit = set(AboutEdit::Remove { note: 1 });
        assert_eq!(room.ask_as(user, edit).await.unwrap_err().kind, kind, "{user}");
        let Response::Changes(seen) = room.ask_as(user, Request::Changes { limit: 100 }).await.unwrap()
        else {
            panic!()
        };
        assert!(seen.iter().all(|deed| !deed.label.contains("ada@customer.example")), "{user}: {seen:?}");
    }
}

/// Taking somebody into an issue of one's own shows nothing of what others wrote about them.
#[tokio::test]
async fn notes_are_for_those_who_work_where_their_writer_met_the_person() {
    let mut room = Room::with_staff().await;
    room.ask_as("mia", set(AboutEdit::Add("owes us money".into()))).await.unwrap();
    let new = NewIssue {
        project: "acme/office".into(),
        title: "a pretext".into(),
        to: Some(ada()),
        text: "Hello".into(),
        hold_ms: None,
    };
    room.ask_as("tom", Request::NewIssue(new)).await.unwrap();
    let seen = |answer: Response| match answer {
        Response::About(about) => about.notes.into_iter().map(|note| note.text).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(seen(room.ask_as("tom", Request::About(ada())).await.unwrap()), [""; 0]);
    for edit in [AboutEdit::Remove { note: 1 }, AboutEdit::Rewrite { note: 1, text: "x".into() }] {
        assert_eq!(room.ask_as("tom", set(edit)).await.unwrap_err().kind, FaultKind::NotFound);
    }
    let added = room.ask_as("tom", set(AboutEdit::Add("friendly".into()))).await.unwrap();
    assert_eq!(seen(added), ["friendly"]);
    assert_eq!(seen(room.ask_as("mia", Request::About(ada())).await.unwrap()), ["owes us money"]);
    assert_eq!(texts(&mut room).await, [text(1, "owes us money"), text(2, "friendly")]);
}

#[tokio::test]
async fn who_is_important_is_found_told_of_and_known_to_rules_and_clocks() {
    let mut room = Room::with_staff().await;
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
    };
    let (scope, name) = (SenderScope::Desk, None);
    let settings = pairs(&[("name", "fast"), ("query", "is:vip"), ("first", "1h")]);
    room.ok(Request::SetClock { scope: scope.clone(), name: name.clone(), settings }).await;
    let settings = pairs(&[("name", "first"), ("query", "is:vip"), ("actions", "/priority urgent")]);
    room.ok(Request::SetRule { scope, name, settings }).await;
    let (row, mut events) = (room.issue(ONE).await.row, room.desk.subscribe());
    assert!(!row.vip && row.clock.is_none());
    room.ok(set(AboutEdit::Vip(true))).await;
    let told = events.try_recv().unwrap();
    assert!(matches!(told, Event::Issues { ref issues, .. } if *issues == [row.id]), "{told:?}");
    let row = room.issue(ONE).await.row;
    assert!(row.vip && row.clock.is_some_and(|clock| clock.name == "fast"));
    room.mail(&ADA.replace("<a1@", "<a2@").replace("ada@", "ADA@")).await;
    room.mail(&ADA.replace("<a1@", "<e1@").replace("ada@", "eve@")).await;
    assert_eq!(room.list("is:vip").await, ["acme/support#2", ONE]);
    assert_eq!(room.list("priority:urgent").await, ["acme/support#2"], "the rule knows who wrote");
    room.again().await;
    assert_eq!(room.list("is:vip").await.len(), 2, "after a restart");
    room.ok(Request::Rebuild).await;
    assert_eq!(room.list("is:vip sort:created").await.len(), 2, "and made anew");
    room.ok(set(AboutEdit::Vip(false))).await;
    assert_eq!(room.list("is:vip").await, [""; 0]);
    room.ok(Request::Undo).await;
    assert_eq!(room.list("is:vip").await.len(), 2);
}

#[tokio::test]
async fn an_owner_marks_somebody_before_they_ever_wrote_and_sees_what_is_kept() {
    let mut room = Room::new().await;
    room.ok(set(AboutEdit::Vip(true))).await;
    room.ok(set(AboutEdit::Add("comes from the fair".into()))).await;
    let Response::Person(person) = room.ok(Request::Person(ada())).await else { panic!() };
    assert!(person.vip && person.kept_notes[0].text == "comes from the fair", "{person:?}");
    room.mail(ADA).await;
    assert!(room.issue(ONE).await.row.vip);
    room.ok(Request::ErasePerson(ada())).await;
    assert!(!room.issue(ONE).await.row.vip);
    assert_eq!(room.ask(Request::Person(ada())).await.unwrap_err().kind, FaultKind::NotFound);
}

#[test]
fn a_command_tells_who_has_no_notes_from_who_is_not_known_and_what_goes_with_a_person() {
    let desk = TestDesk::between_maildirs("");
    desk.feed(&["deliver", "-"], &mail("ada@customer.test", "the knee"));
    let note = |address: &str| desk.run(&["person", "note", address]).stdout;
    assert_eq!(note("ada@customer.test"), "ada@customer.test\n  no notes\n");
    let unknown = "eve@customer.test\n  no notes; nobody of this address is known here\n";
    assert_eq!(note("eve@customer.test"), unknown);
    desk.ok(&["person", "note", "ada@customer.test", "calls late"]);
    let fraction = regex::Regex::new(r"\d\.\d+Z").unwrap();
    let second = regex::Regex::new(r"\d\dZ").unwrap();
    for said in [
        note("ada@customer.test"),
        desk.run(&["person", "show", "ada@customer.test"]).stdout,
        desk.run(&["issue", "show", "acme/support#1"]).stdout,
    ] {
        assert!(second.is_match(&said) && !fraction.is_match(&said), "{said}");
    }
    let said = desk.run(&["person", "erase", "ada@customer.test", "--confirm", "ERASE"]).stdout;
    for words in
        ["1 issue, 1 note, 1 mail from them, ", ", 1 note of the staff on them\n", "are gone as well"]
    {
        assert!(said.contains(words), "{words} in {said}");
    }
}
