//! Rules: they act on what fits, in the step that set them off, and name themselves.

use crate::support::room::{ADA, Room, note};
use deskbell::domain::{
    Arrival, Deliver, Edit, Fate, MailKind, NoteKind, Request, Response, SenderScope, State,
};
use jiff::SignedDuration;

const ONE: &str = "acme/support#1";

fn here() -> SenderScope {
    SenderScope::Project("acme/support".into())
}

fn rule(scope: SenderScope, settings: &[(&str, &str)]) -> Request {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Request::SetRule { scope, name: None, settings }
}

fn last_system(issue: &deskbell::domain::IssueView) -> (String, Option<String>) {
    let note = issue.notes.iter().rfind(|note| note.kind == NoteKind::System).unwrap();
    (note.body.clone(), note.why.clone())
}

#[tokio::test]
async fn a_mail_that_fits_is_dealt_with_before_anything_is_sent_and_the_rule_is_named() {
    let mut room = Room::new().await;
    let actions = "/label ~vip\n/priority high";
    room.ok(rule(
        here(),
        &[
            ("name", "vip"),
            ("query", "from:ada@customer.example token"),
            ("actions", actions),
            ("no_acknowledgement", "true"),
        ],
    ))
    .await;
    room.ok(rule(SenderScope::Desk, &[("name", "never"), ("query", "body:refund"), ("actions", "/close")]))
        .await;
    room.mail(ADA).await;
    let issue = room.issue(ONE).await;
    assert_eq!(issue.row.labels, ["vip"]);
    assert_eq!(issue.row.state, State::Open);
    assert!(room.outbox().await.is_empty(), "no thank-you mail goes out");
    let (words, why) = last_system(&issue);
    assert!(words.starts_with("rule vip ") && words.contains("added the label vip"), "{words}");
    assert_eq!(why.as_deref(), Some("the rule vip did it"));
    let Response::History(changes) = room.ok(Request::History(ONE.parse().unwrap())).await else { panic!() };
    assert!(changes.iter().all(|change| change.reason.as_deref() == Some("rule vip")), "{changes:?}");
    // Another customer and another project are none of its business.
    room.mail(&ADA.replace("<a1@", "<e1@").replace("ada@", "eve@")).await;
    assert!(room.issue("acme/support#2").await.row.labels.is_empty());
    assert_eq!(room.outbox().await.len(), 1);
}

#[tokio::test]
async fn a_dry_run_says_which_rules_fit_and_writes_nothing() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.ok(rule(here(), &[("name", "away"), ("query", "token"), ("actions", "/move acme/office")])).await;
    let raw = ADA.replace("<a1@", "<a2@").replace('\n', "\r\n").into_bytes();
    let deliver = Deliver { arrival: Arrival::default(), raw, dry_run: true };
    let Response::Delivered(told) = room.ok(Request::Deliver(deliver)).await else { panic!() };
    assert_eq!(told.rules, ["the rule away fits"]);
    assert_eq!(room.list("").await, [ONE]);
    let Response::Plan(lines) = room.ok(Request::TestRule { scope: here(), name: "away".into() }).await
    else {
        panic!()
    };
    assert_eq!(lines, [format!("{ONE} \u{201c}Cannot log in\u{201d}: move it to acme/office")]);
    room.mail(&ADA.replace("<a1@", "<a3@")).await;
    assert_eq!(room.list("is:moved").await, ["acme/office#1"]);
    let rows = room.outbox().await;
    let from_there = |row: &deskbell::domain::OutboxView| row.subject.ends_with("(acme/office#1)");
    assert!(rows.iter().any(|row| row.kind == MailKind::ThankYou && from_there(row)), "{rows:?}");
    let again = room.mail(&ADA.replace("<a1@", "<a3@")).await;
    assert_eq!(again.entry.fate, Fate::Duplicate);
}

#[tokio::test]
async fn what_a_change_sets_off_is_taken_back_with_it_and_sets_off_nothing_more() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    for (name, query, actions) in
        [("one", "label:bug", "/label ~triage"), ("two", "label:triage -label:bug", "/close")]
    {
        room.ok(rule(here(), &[("name", name), ("query", query), ("on", "change"), ("actions", actions)]))
            .await;
    }
    room.edit(ONE, Edit::Label("bug".into())).await;
    let row = room.issue(ONE).await.row;
    assert_eq!((row.labels.len(), row.state), (2, State::Open));
    room.ok(Request::Undo).await;
    assert!(room.issue(ONE).await.row.labels.is_empty());
    room.ok(Request::AddNote(note(ONE, "/label ~triage"))).await;
    assert_eq!(room.issue(ONE).await.row.state, State::Closed);
}

#[tokio::test]
async fn the_clock_sets_off_a_rule_once_and_one_that_fails_stops_nothing() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.ok(rule(
        here(),
        &[("name", "old"), ("query", "is:open updated:>2d"), ("on", "time"), ("actions", "/label ~old")],
    ))
    .await;
    assert_eq!(room.desk.tend_rules().await.unwrap(), 0);
    room.later(SignedDuration::from_hours(72));
    assert_eq!(room.desk.tend_rules().await.unwrap(), 1);
    room.again().await;
    assert_eq!(room.desk.tend_rules().await.unwrap(), 0);
    assert_eq!(room.issue(ONE).await.row.labels, ["old"]);
    room.user("bob").await;
    room.ok(rule(here(), &[("name", "first"), ("query", "token"), ("actions", "/move acme/office")])).await;
    room.ok(Request::RenameProject { path: "acme/office".into(), to: "acme/desk".into() }).await;
    room.ok(rule(here(), &[("name", "second"), ("query", "token"), ("actions", "/label ~seen")])).await;
    let position = Request::OrderRule { scope: here(), name: "second".into(), position: 1 };
    let Response::Rules(rules) = room.ok(position).await else { panic!() };
    assert_eq!(
        rules.iter().map(|rule| rule.about.name.as_str()).collect::<Vec<_>>(),
        ["second", "old", "first"]
    );
    let delivered = room.mail(&ADA.replace("<a1@", "<a2@")).await;
    assert!(delivered.entry.reference.is_some(), "the mail is taken in, whatever becomes of the rules");
}

#[tokio::test]
async fn what_cannot_be_a_rule_is_refused() {
    let mut room = Room::new().await;
    for (settings, words) in [
        (vec![("name", ""), ("query", "x"), ("actions", "/close")], "needs a name"),
        (vec![("name", "x"), ("query", "is:nonsense"), ("actions", "/close")], "the query is wrong"),
        (vec![("name", "x"), ("query", "y"), ("actions", "Dear Ada")], "quick actions"),
        (vec![("name", "x"), ("query", "y"), ("actions", "")], "would do nothing"),
        (vec![("name", "x"), ("query", "y"), ("actions", "/merge #1")], "cannot do that"),
        (vec![("name", "x"), ("query", "y"), ("actions", "/assign @me")], "cannot do that"),
        (vec![("name", "x"), ("query", "y"), ("actions", "/assign @nobody")], "nobody"),
        (vec![("name", "x"), ("query", "y"), ("actions", "/move acme/nowhere")], "there is no project"),
    ] {
        let fault = room.ask(rule(here(), &settings)).await.unwrap_err();
        assert!(fault.message.contains(words), "{words}: {}", fault.message);
    }
}

async fn rule_names(room: &mut Room) -> Vec<String> {
    match room.ok(Request::Rules).await {
        Response::Rules(rules) => rules.into_iter().map(|rule| rule.about.name).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_changed_of_rules_is_taken_back_and_done_again_but_not_over_somebody_else() {
    let mut room = Room::new().await;
    for name in ["one", "two"] {
        room.ok(rule(here(), &[("name", name), ("query", "is:open"), ("actions", "/label ~x")])).await;
    }
    let set = |settings: &[(&str, &str)]| Request::SetRule {
        scope: here(),
        name: Some("two".into()),
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    };
    room.ok(set(&[("name", "second")])).await;
    room.ok(Request::OrderRule { scope: here(), name: "second".into(), position: 1 }).await;
    room.ok(Request::RemoveRule { scope: here(), name: "one".into() }).await;
    assert_eq!(rule_names(&mut room).await, ["second"]);
    for left in [&["second", "one"][..], &["one", "second"], &["one", "two"], &["one"]] {
        room.ok(Request::Undo).await;
        assert_eq!(rule_names(&mut room).await, left);
    }
    room.ok(Request::Redo).await;
    room.ok(Request::Redo).await;
    assert_eq!(rule_names(&mut room).await, ["one", "second"]);
    room.user("bob").await;
    let changed = Request::SetRule {
        scope: here(),
        name: Some("second".into()),
        settings: vec![("enabled".into(), "false".into())],
    };
    room.ask_as("bob", changed).await.unwrap();
    let refused = room.ask(Request::Undo).await.unwrap_err();
    assert!(refused.message.contains("somebody changed the rule second since"), "{refused:?}");
}
