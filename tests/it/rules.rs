//! Rules: they act on what fits, in the step that set them off, and name themselves.

use crate::support::room::{ADA, CONFIG, Room, field, note};
use deskbell::domain::{
    Arrival, Deliver, Edit, Fate, KeptFor, MailKind, NoteKind, OutboxState, OutboxView, Request, Response,
    Role, RuleAbout, SenderScope, State,
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
    room.user("bob").await;
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
    let changed = Request::SetRule {
        scope: here(),
        name: Some("second".into()),
        settings: vec![("enabled".into(), "false".into())],
    };
    room.ask_as("bob", changed).await.unwrap();
    let refused = room.ask(Request::Undo).await.unwrap_err();
    assert!(refused.message.contains("somebody changed the rule second since"), "{refused:?}");
}

async fn canned(room: &mut Room, name: &str, text: &str) {
    let settings = vec![("text".into(), text.into())];
    let scope = KeptFor::Desk;
    room.ok(Request::SaveCanned { scope, name: name.into(), settings, new: true, attach: vec![] }).await;
}

async fn replies(room: &mut Room) -> Vec<OutboxView> {
    let mut rows = room.outbox().await;
    rows.retain(|row| row.kind == MailKind::RuleReply);
    rows
}

async fn notices(room: &mut Room) -> String {
    match room.ok(Request::Status).await {
        Response::Status(status) => status.notices.join("\n"),
        other => panic!("{other:?}"),
    }
}

/// Lets one sender have so many automatic mails that the budget stops nothing.
async fn generous(room: &mut Room) {
    room.ok(Request::SetDesk { settings: vec![("acks_per_sender_hour".into(), "20".into())] }).await;
}

const DEAR: &str = "Dear %{REQUESTER_NAME}, read the guide about %{ISSUE_ID}.";

fn mail(from: &str, id: &str, more: &str) -> String {
    let to = "help+acme-support-1-issue-@desk.example";
    format!("From: {from}\nTo: {to}\nSubject: A token\nMessage-ID: <{id}>\n{more}\nHello\n")
}

#[tokio::test]
async fn a_rule_answers_the_customer_once_and_never_a_machine_nor_what_came_silently() {
    let mut room = Room::new().await;
    generous(&mut room).await;
    canned(&mut room, "guide", DEAR).await;
    room.ok(rule(here(), &[("name", "guide"), ("query", "token"), ("reply", "guide")])).await;
    room.mail(ADA).await;
    let mails = room.send().await;
    assert_eq!(mails.len(), 2, "the thank-you mail goes out as ever");
    let words = "Dear Ada Lovelace, read the guide about #1.";
    let sent = mails.iter().find(|mail| mail.contains(words)).unwrap();
    assert_eq!(field(sent, "Auto-Submitted"), Some("auto-replied"));
    assert_eq!(field(sent, "In-Reply-To"), Some("<a1@customer.example>"));
    assert!(!sent.contains("rule guide"), "customers hear nothing of rules: {sent}");
    let issue = room.issue(ONE).await;
    let note = issue.notes.iter().find(|note| note.kind == NoteKind::Reply).unwrap();
    assert_eq!((note.author.label(), note.why.as_deref()), ("Support Bot", Some("the rule guide did it")));
    assert_eq!(note.delivery.len(), 1);
    let again = "In-Reply-To: <a1@customer.example>\n";
    room.mail(&mail("Ada Lovelace <ada@customer.example>", "a2@c", again)).await;
    for (who, more) in [("list@l.example", "List-Id: <l.example>\n"), ("m@m.example", "Precedence: bulk\n")] {
        room.mail(&mail(&format!("Some One <{who}>"), who, more)).await;
    }
    let silent = Arrival { silent: true, ..Arrival::default() };
    room.arrive(silent, &mail("Old Friend <old@c.example>", "o@c", "")).await;
    assert_eq!(replies(&mut room).await.len(), 1, "{:?}", room.outbox().await);
    room.ok(rule(here(), &[("name", "late"), ("query", "is:open"), ("on", "time"), ("reply", "guide")]))
        .await;
    room.desk.tend_rules().await.unwrap();
    assert_eq!(room.desk.tend_rules().await.unwrap(), 0);
    let to: Vec<String> = replies(&mut room).await.iter().map(|row| row.to.to_string()).collect();
    assert_eq!(to, ["ada@customer.example"; 2]);
}

#[tokio::test]
async fn a_reply_with_a_placeholder_that_stands_for_nothing_is_not_sent_and_the_team_is_told() {
    let mut room = Room::new().await;
    canned(&mut room, "guide", DEAR).await;
    room.ok(rule(here(), &[("name", "guide"), ("query", "token"), ("reply", "guide")])).await;
    room.mail(&mail("eve@c.example", "e1@c", "")).await;
    room.mail(ADA).await;
    let to: Vec<String> = replies(&mut room).await.iter().map(|row| row.to.to_string()).collect();
    assert_eq!(to, ["ada@customer.example"]);
    let told = notices(&mut room).await;
    let words = "the rule guide sent no reply: `%{REQUESTER_NAME}` stands for nothing in acme/support#1";
    assert!(told.contains(words), "{told}");
    // The budget of acknowledgements is that of replies too.
    for id in ["a2@c", "a3@c"] {
        room.mail(&mail("Ada Lovelace <ada@customer.example>", id, "")).await;
    }
    assert_eq!(replies(&mut room).await.len(), 1);
}

#[tokio::test]
async fn undo_stops_the_reply_of_a_rule_or_says_that_it_is_out() {
    let mut room = Room::new().await;
    generous(&mut room).await;
    canned(&mut room, "sorry", "We are sorry about %{ISSUE_TITLE}.").await;
    let settings = [("name", "sorry"), ("query", "label:bug"), ("on", "change"), ("reply", "sorry")];
    room.ok(rule(here(), &settings)).await;
    room.mail(ADA).await;
    room.send().await;
    let said = |issue: &deskbell::domain::IssueView| {
        issue.notes.iter().filter(|note| note.kind == NoteKind::Reply).count()
    };
    room.edit(ONE, Edit::Label("bug".into())).await;
    assert_eq!(said(&room.issue(ONE).await), 1);
    let Response::Undone { skipped, .. } = room.ok(Request::Undo).await else { panic!() };
    assert!(skipped.is_empty(), "{skipped:?}");
    assert_eq!(replies(&mut room).await[0].state, OutboxState::Cancelled);
    assert_eq!(said(&room.issue(ONE).await), 0, "what was not sent was not said");
    room.edit(ONE, Edit::Label("bug".into())).await;
    assert!(room.send().await.remove(0).contains("We are sorry about Cannot log in."));
    let Response::Undone { skipped, label, .. } = room.ok(Request::Undo).await else { panic!() };
    assert_eq!(skipped, ["the reply of the rule sorry to ada@customer.example is already out"]);
    assert!(label.starts_with("took back"), "{label}");
    let issue = room.issue(ONE).await;
    assert_eq!((said(&issue), issue.row.labels.len()), (1, 0), "what was sent stands");
    room.edit(ONE, Edit::Label("bug".into())).await;
    assert_eq!(replies(&mut room).await.len(), 2, "it answers an issue once");
}

#[tokio::test]
async fn an_internal_comment_is_taken_back_though_the_reply_that_it_set_off_is_out() {
    let mut room = Room::new().await;
    canned(&mut room, "sorry", "We are sorry.").await;
    let settings = [("name", "sorry"), ("query", "body:refund"), ("on", "change"), ("reply", "sorry")];
    room.ok(rule(here(), &settings)).await;
    room.mail(ADA).await;
    let mut comment = note(ONE, "Give a refund.");
    comment.internal = true;
    room.ok(Request::AddNote(comment)).await;
    assert_eq!(room.send().await.len(), 2);
    let Response::Undone { skipped, draft, label, .. } = room.ok(Request::Undo).await else { panic!() };
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert!(label.starts_with("took back") && draft.is_some(), "{label}");
    assert!(room.issue(ONE).await.notes.iter().all(|note| note.kind != NoteKind::Internal));
}

#[tokio::test]
async fn named_users_are_told_within_their_wishes_once_for_what_is_said() {
    let mut room = Room::new().await;
    for name in ["bob", "mia"] {
        let emails = vec![format!("{name}@staff.example").parse().unwrap()];
        room.ok(Request::AddUser { name: name.into(), full_name: None, emails, system_user: None }).await;
        let (project, role) = ("acme/support".into(), Role::Developer);
        room.ok(Request::SetMember { project, user: name.into(), role }).await;
    }
    let off = vec![("notify.rule".into(), "off".into())];
    room.ok(Request::SetUser { name: "mia".into(), settings: off }).await;
    room.ok(rule(here(), &[("name", "vip"), ("query", "token"), ("notify", "bob, mia")])).await;
    room.mail(ADA).await;
    let told = |rows: Vec<OutboxView>| -> Vec<String> {
        rows.iter().filter(|row| row.kind == MailKind::Staff).map(|row| row.to.to_string()).collect()
    };
    assert_eq!(told(room.outbox().await), ["bob@staff.example"]);
    let mails = room.send().await;
    let mail = mails.iter().find(|mail| mail.contains("the rule vip tells you")).unwrap();
    assert!(mail.contains("invalid token"), "{mail}");
    let (words, why) = last_system(&room.issue(ONE).await);
    assert_eq!((words.as_str(), why.as_deref()), ("rule vip tells bob, mia", Some("the rule vip did it")));
    // By the clock it would fit every minute.
    room.ok(rule(here(), &[("name", "old"), ("query", "is:open"), ("on", "time"), ("notify", "bob")])).await;
    assert_eq!(room.desk.tend_rules().await.unwrap(), 1);
    assert_eq!(room.desk.tend_rules().await.unwrap(), 0);
    room.reply(ONE, "We look.").await;
    assert_eq!(room.desk.tend_rules().await.unwrap(), 1);
    assert_eq!(told(room.outbox().await).len(), 3);
}

#[tokio::test]
async fn a_rule_names_only_what_is_there_and_a_dry_run_lists_it() {
    let mut room = Room::new().await;
    let hooks = format!("{CONFIG}[hooks]\nnamed = {{ page = \"true\", log = \"true\" }}\n");
    room.again_with(&hooks).await;
    canned(&mut room, "guide", DEAR).await;
    canned(&mut room, "close", "Done.\n/close").await;
    for (key, value, words, hint) in [
        ("hook", "pge", "there is no hook `pge`", "there are log, page"),
        ("reply", "gide", "no canned reply `gide`", "there are close, guide"),
        ("reply", "close", "quick actions", "--do"),
        ("notify", "nobody", "there is no user `nobody`", "user list"),
    ] {
        let fault = room.ask(rule(here(), &[("name", "x"), ("query", "y"), (key, value)])).await.unwrap_err();
        assert!(fault.message.contains(words), "{fault:?}");
        assert!(fault.hint.as_deref().unwrap().contains(hint), "{fault:?}");
    }
    room.mail(ADA).await;
    let all = [("name", "all"), ("query", "token"), ("reply", "guide"), ("hook", "page")];
    room.ok(rule(here(), &all)).await;
    let Response::Plan(lines) = room.ok(Request::TestRule { scope: here(), name: "all".into() }).await else {
        panic!()
    };
    assert!(lines[0].ends_with(": send the canned reply guide; run the hook page"), "{lines:?}");
    let raw = mail("Carl <carl@c.example>", "c@c", "").replace('\n', "\r\n").into_bytes();
    let deliver = Deliver { arrival: Arrival::default(), raw, dry_run: true };
    let (rows, seen) = (room.outbox().await.len(), notices(&mut room).await);
    let Response::Delivered(told) = room.ok(Request::Deliver(deliver)).await else { panic!() };
    let does = ["fits", "asks for the hook page", "sends the canned reply guide to carl@c.example"];
    assert_eq!(told.rules, does.map(|does| format!("the rule all {does}")));
    assert!(told.mails.contains(&"rule_reply to carl@c.example".to_owned()), "{:?}", told.mails);
    assert_eq!((room.outbox().await.len(), notices(&mut room).await), (rows, seen));
    assert_eq!(room.list("").await, [ONE]);
    // Once the config has it no more, the rule says so and does the rest.
    room.again().await;
    room.mail(&mail("Carl <carl@c.example>", "c@c", "")).await;
    assert_eq!(replies(&mut room).await.len(), 1);
    let told = notices(&mut room).await;
    assert!(told.contains("the rule all failed: there is no hook `page`"), "{told}");
}

#[test]
fn a_rule_of_an_older_version_is_read() {
    let old = serde_json::json!({
        "name": "vip", "query": "token", "on": "change", "actions": "/close", "no_acknowledgement": true,
        "enabled": true,
    });
    let about: RuleAbout = serde_json::from_value(old).unwrap();
    assert!(about.no_acknowledgement && about.further().is_empty());
}
