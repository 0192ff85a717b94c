//! Microsoft Graph as a way in and as a way out, through a stand-in that keeps to the wire of its documentation.

use crate::support::{
    TestDesk,
    graph::{Graph, USER, error},
    wait_until,
    web::Reply,
};
use serde_json::{Value, json};

/// The address of the project.
const PROJECT: &str = "desk+acme-support-1-issue-@acme.example";

/// A desk with a mailbox and an outlet in Graph, with a project.
fn desk(graph: &Graph, keys: &str) -> TestDesk {
    let desk = TestDesk::new(&config(graph, keys));
    desk.ok(&["project", "add", "acme/support"]);
    desk
}

fn config(graph: &Graph, keys: &str) -> String {
    let options = graph.options();
    format!(
        "[mailbox.office]\ninbox_method = \"microsoft_graph\"\naddress = \"desk+%{{key}}@acme.example\"\n\
         user = \"{USER}\"\n{options}{keys}\n\
         [smtp]\nmethod = \"microsoft_graph\"\nuser = \"{USER}\"\nfrom = \"{USER}\"\nundo_window = 0\n{options}"
    )
}

fn mail(id: &str) -> Vec<u8> {
    format!(
        "From: Ada <{id}@customer.test>\r\nTo: {PROJECT}\r\nSubject: about {id}\r\n\
         Message-ID: <{id}@customer.test>\r\n\r\nIt is about {id}.\r\n"
    )
    .into_bytes()
}

/// Now, and some seconds before.
fn ago(seconds: i64) -> String {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Looks once, however it goes.
fn once(desk: &TestDesk) -> Value {
    serde_json::from_str(&desk.run(&["sync", "--once", "--json"]).stdout).unwrap()
}

fn once_well(desk: &TestDesk) -> Value {
    let report = once(desk);
    assert_eq!(report["mailboxes"][0]["error"], Value::Null, "{report}\n{}", desk.log());
    report
}

/// The subjects of all issues, sorted.
fn subjects(desk: &TestDesk) -> Vec<String> {
    let mut all: Vec<String> =
        desk.issues().iter().map(|issue| issue["title"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

#[test]
fn mail_comes_in_page_by_page_and_is_marked_once_it_is_kept() {
    let graph = Graph::start();
    // What lies there at first contact, read or not, is taken in; what is old causes no mail.
    for number in 0..8 {
        graph.deliver(&format!("old-{number}=="), &ago(3 * 86400 + number), &mail(&format!("old{number}")));
    }
    graph.with(|state| state.mails[3].read = true);
    graph.deliver("new1", &ago(60), &mail("new1"));
    let desk = desk(&graph, "");
    let report = once_well(&desk);
    assert_eq!(report["mailboxes"][0]["new"], 9, "{report}");
    assert_eq!(report["mailboxes"][0]["silent"], 8, "{report}");
    assert_eq!(report["outbox"]["sent"], 1, "{report}");
    assert!(graph.mails().iter().all(|mail| !mail.contains('*')), "{:?}", graph.mails());
    // The mail is kept before it is marked.
    let asked = graph.asked();
    let at = |words: &str| asked.iter().position(|line| line.contains(words)).unwrap();
    assert!(
        at("/messages/new1/$value") < at("PATCH /v1.0/users/desk@acme.example/messages/new1"),
        "{asked:#?}"
    );
    // A second look brings nothing again.
    assert_eq!(once_well(&desk)["mailboxes"][0]["seen"], 0);
    assert!(!graph.asked().iter().any(|line| line.contains("$value") || line.contains("PATCH")));
    // News that somebody has read before us, and old mail that nobody has.
    graph.deliver("read", &ago(1), &mail("read"));
    graph.with(|state| state.mails.last_mut().unwrap().read = true);
    graph.deliver("moved-in", &ago(2 * 86400), &mail("moved-in"));
    assert_eq!(once_well(&desk)["mailboxes"][0]["new"], 2);
    assert_eq!(subjects(&desk).len(), 11);
    let thanks = graph.with(|state| state.sent.clone());
    let to: Vec<&str> =
        thanks.iter().filter_map(|mail| mail.lines().find_map(|l| l.strip_prefix("To: "))).collect();
    assert!(to.len() == 2 && to[0].contains("new1@") && to[1].contains("read@"), "{to:?}");
}

#[test]
fn what_is_done_afterwards_is_what_the_config_says() {
    for (keys, left) in [
        ("after_delivery = \"nothing\"", vec!["a*", "b*"]),
        ("after_delivery = \"delete\"", vec![]),
        ("delete_after_delivery = true", vec![]),
        ("after_delivery = \"move:Desk's own\"", vec!["a*folder-7", "b*folder-7"]),
    ] {
        let graph = Graph::start();
        graph.deliver("a", &ago(20), &mail("a"));
        graph.deliver("b", &ago(10), &mail("b"));
        let desk = desk(&graph, keys);
        once_well(&desk);
        assert_eq!(graph.mails(), left, "{keys}");
        graph.deliver("c", &ago(0), &mail("c"));
        assert_eq!(once_well(&desk)["mailboxes"][0]["new"], 1, "{keys}");
        assert_eq!(subjects(&desk), ["about a", "about b", "about c"], "{keys}");
    }
    let graph = Graph::start();
    let desk = desk(&graph, "mailbox = \"No such\"");
    let error = once(&desk)["mailboxes"][0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("the folder No such cannot be opened: there is none of that name"), "{error}");
}

#[test]
fn a_process_that_dies_before_it_marked_a_mail_doubles_and_loses_none() {
    let graph = Graph::start();
    let desk = desk(&graph, "");
    once_well(&desk);
    for id in ["a", "b"] {
        graph.deliver(id, &ago(5), &mail(id));
    }
    // Marking hangs: the connection ends without an answer, and the process is killed meanwhile.
    for _ in 0..50 {
        graph.fault("PATCH", Reply::Nothing);
    }
    let serving = desk.sync();
    wait_until("both mails to be kept", || desk.issues().len() == 2);
    wait_until("the debts to be refused", || desk.status()["mailboxes"][0]["state"] == "failing");
    serving.kill();
    assert_eq!(graph.mails(), ["a*", "b*"]);
    graph.with(|state| state.faults.clear());
    graph.asked();
    let report = once_well(&desk);
    assert_eq!(report["mailboxes"][0]["new"], 0, "{report}");
    assert_eq!(graph.mails(), ["a", "b"]);
    // They were marked without being fetched again.
    assert!(!graph.asked().iter().any(|line| line.contains("$value")));
    assert_eq!(subjects(&desk), ["about a", "about b"]);
    assert_eq!(desk.intake().len(), 2);
}

#[test]
fn whatever_fails_half_way_costs_no_mail() {
    let graph = Graph::start();
    let desk = desk(&graph, "");
    once_well(&desk);
    for number in 0..7 {
        graph.deliver(&format!("m{number}"), &ago(60 - number), &mail(&format!("m{number}")));
    }
    let fails = |words: &'static str, reply: Reply, said: &str| {
        graph.fault(words, reply);
        let report = once(&desk);
        let error = report["mailboxes"][0]["error"].as_str().unwrap_or_else(|| panic!("{said}: {report}"));
        assert!(error.contains(said), "{said}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    };
    // The list itself: a page that breaks, that leads elsewhere, that is no list, that is not allowed.
    let elsewhere = json!({ "value": [], "@odata.nextLink": "http://127.0.0.1:1/v1.0/steal" });
    fails("/messages", Reply::Breaks(b"{\"value\":[".to_vec()), "Graph gave no answer");
    fails("/messages", Reply::json(200, &elsewhere), "next page is on another server");
    fails("/messages", Reply::json(200, &json!({ "value": 7 })), "cannot be understood");
    fails("/messages", Reply::status(302).with("Location", "http://127.0.0.1:1/"), "it leads elsewhere");
    fails("/messages", error(403, "ErrorAccessDenied"), "Mail.ReadWrite");
    fails(
        "/messages",
        error(429, "TooManyRequests").with("Retry-After", "900"),
        "Graph answers 429 TooManyRequests",
    );
    assert!(desk.issues().is_empty());
    // One mail: the others come all the same.
    fails("/messages/m2/$value", Reply::Breaks(mail("m2")), "Graph gave no answer");
    assert_eq!(subjects(&desk).len(), 6);
    fails(
        "/messages/m2/$value",
        error(400, "ErrorMimeContentConversionFailed"),
        "ErrorMimeContentConversionFailed",
    );
    // Busy for a moment, and a token that ends in the middle, are nobody's trouble.
    graph.fault("/messages", error(429, "TooManyRequests").with("Retry-After", "0"));
    graph.fault("/messages", error(503, "ServiceUnavailable").with("Retry-After", "0"));
    graph.deliver("m7", &ago(1), &mail("m7"));
    graph.with(|state| state.stale = state.tokens + 1);
    graph.asked();
    once_well(&desk);
    let tokens = graph.asked().iter().filter(|line| line.contains("oauth2/v2.0/token")).count();
    // Two for the mailbox, one for the outlet.
    assert_eq!(tokens, 3);
    assert_eq!(subjects(&desk).len(), 8);
    assert!(graph.mails().iter().all(|mail| !mail.contains('*')), "{:?}", graph.mails());
    // An application that is refused is said with its cure.
    graph.fault("/token", crate::support::provider::no("invalid_client"));
    let error = once(&desk)["mailboxes"][0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("invalid_client") && error.contains("a secret ends after two years"), "{error}");
    assert_eq!(desk.intake().len(), 8);
}

#[test]
fn a_mail_that_cannot_be_had_is_set_aside_and_what_is_too_large_comes_when_asked_for() {
    let graph = Graph::start();
    let desk = desk(&graph, "max_size = \"2000\"");
    once_well(&desk);
    let large = [mail("large"), vec![b'x'; 5000]].concat();
    graph.deliver("large", &ago(9), &large);
    graph.deliver("bad", &ago(8), &mail("bad"));
    graph.deliver("good", &ago(7), &mail("good"));
    for _ in 0..3 {
        graph.fault("/messages/bad/$value", error(400, "ErrorItemCorrupt"));
    }
    let serving = desk.sync();
    wait_until("all three in the intake", || desk.intake().len() == 3);
    // Neither is marked: they stay on the server.
    wait_until("the good one to be marked", || graph.mails() == ["large*", "bad*", "good"]);
    let of = |id: &str| {
        let all = desk.intake();
        all.into_iter().find(|entry| entry["reason"].to_string().contains(id)).unwrap_or_default()
    };
    let too_large = desk.intake().into_iter().find(|entry| entry["subject"] == "about large").unwrap();
    assert_eq!(too_large["fate"], "quarantined");
    assert_eq!(of("its server fails each time")["fate"], "quarantined");
    // Asked for, they come and are marked, in the entries that they have.
    let id = too_large["id"].to_string();
    desk.ok(&["intake", "retry", id.trim_matches('"')]);
    let id = of("its server fails each time")["id"].to_string();
    desk.ok(&["intake", "retry", id.trim_matches('"')]);
    wait_until("both to come", || graph.mails() == ["large", "bad", "good"]);
    assert_eq!(subjects(&desk), ["about bad", "about good", "about large"]);
    assert_eq!(desk.intake().len(), 3);
    serving.stop();
}

#[test]
fn an_answer_goes_to_its_recipient_alone_and_failures_are_sorted() {
    let graph = Graph::start();
    let desk = desk(&graph, "");
    let new = |to: &str| {
        desk.ok(&["issue", "new", "acme/support", "--title", "hello", "--to", to, "-m", "How are you?"]);
    };
    new("ada@customer.test");
    let report = once(&desk);
    assert_eq!(report["outbox"]["sent"], 1, "{report}\n{}", desk.log());
    let sent = graph.with(|state| state.sent.remove(0));
    assert!(sent.contains("\r\nTo: ada@customer.test\r\n") && !sent.contains("\r\nCc:"), "{sent}");
    assert!(!sent.replace("\r\n", "").contains('\n'), "a line end stands alone");
    for (reply, state, words) in [
        (error(400, "ErrorInvalidRecipients"), "failed", "400 Graph answers 400 ErrorInvalidRecipients"),
        (Reply::status(413), "failed", "too large for Microsoft Graph: it takes about 3 MB"),
        (error(500, "InternalServerError"), "deferred", "500 Graph answers 500"),
        (Reply::Nothing, "deferred", "Graph gave no answer"),
    ] {
        graph.fault("sendMail", reply);
        new("bob@customer.test");
        once(&desk);
        let row = desk.outbox().into_iter().find(|row| row["error"].to_string().contains(words));
        let row = row.unwrap_or_else(|| panic!("{words}: {:?}", desk.outbox()));
        assert_eq!(row["state"], state, "{words}");
        let id = row["id"].to_string();
        desk.ok(&["outbox", "cancel", id.trim_matches('"')]);
    }
    assert!(graph.with(|state| state.sent.is_empty()));
    // What is the outlet's own trouble leaves the mail as it is.
    for (reply, words) in [
        (error(403, "ErrorAccessDenied"), "login: Graph answers 403 ErrorAccessDenied"),
        (error(403, "ErrorSendAsDenied"), "sender: Graph answers 403 ErrorSendAsDenied"),
        (
            error(429, "ApplicationThrottled").with("Retry-After", "600"),
            "greeting: Graph answers 429 ApplicationThrottled",
        ),
    ] {
        graph.fault("sendMail", reply);
        if desk.outbox().iter().all(|row| row["state"] != "queued") {
            new("eve@customer.test");
        }
        assert_eq!(once(&desk)["outbox"]["sent"], 0);
        assert!(desk.outbox().iter().any(|row| row["state"] == "queued"), "{words}: {:?}", desk.outbox());
        assert!(desk.log().contains(words), "{words}: {}", desk.log());
    }
    assert_eq!(once(&desk)["outbox"]["sent"], 1);
}

#[test]
fn the_doctor_looks_through_graph_and_a_config_that_cannot_work_is_said() {
    let graph = Graph::start();
    graph.deliver("a", &ago(9), &mail("a"));
    let desk = desk(&graph, "");
    let doctor = desk.run(&["doctor"]);
    for words in [
        "ok   mailbox office: token: as application the-app",
        "ok   mailbox office: folder: INBOX, 1 mail; looks every 1 s",
        "ok   outlet smtp: desk@acme.example by Microsoft Graph, as application the-app; nothing was sent",
    ] {
        assert!(doctor.stdout.contains(words), "{words}: {doctor:?}");
    }
    assert_eq!(graph.mails(), ["a*"]);
    graph.fault("/mailFolders/inbox", error(403, "ErrorAccessDenied"));
    graph.fault("/token", Reply::status(503));
    let doctor = desk.run(&["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("cure: "), "{doctor:?}");
    let login = desk.run(&["login", "office"]);
    assert!(login.code == 2 && login.stderr.contains("nobody signs in there"), "{login:?}");
    for (change, words) in [
        (("client_secret_command = \"echo the-s3cret\", ", ""), "has no client_secret"),
        (("acme.example\", client_id", "\", client_id"), "has no tenant_id"),
        (
            ("graph_endpoint = \"http://127.0.0.1", "graph_endpoint = \"http://192.0.2.1"),
            "would show secrets",
        ),
        (("tenant_id = \"acme", "tenant_id = \"../acme"), "is no tenant_id"),
    ] {
        desk.configure(&config(&graph, "").replace(change.0, change.1));
        let doctor = desk.run(&["doctor"]);
        assert!(doctor.code == 1 && doctor.stdout.contains(words), "{words}: {doctor:?}");
    }
}

#[test]
fn a_pause_that_graph_asks_for_is_kept() {
    let graph = Graph::start();
    let desk = desk(&graph, "");
    once_well(&desk);
    graph.fault("/messages", error(429, "TooManyRequests").with("Retry-After", "600"));
    let serving = desk.sync();
    wait_until("the pause to be shown", || desk.status()["mailboxes"][0]["state"] == "failing");
    let mailbox = desk.status()["mailboxes"][0].clone();
    let next: jiff::Timestamp = mailbox["next_try"].as_str().unwrap().parse().unwrap();
    let left = next.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((540..=600).contains(&left), "{mailbox}");
    serving.stop();
}

#[test]
fn what_is_older_than_the_config_wants_stays_on_the_server() {
    let graph = Graph::start();
    graph.deliver("ancient", &ago(40 * 86400), &mail("ancient"));
    graph.deliver("recent", &ago(2 * 86400), &mail("recent"));
    let desk = desk(&graph, "import_since = \"30d\"");
    for new in [1, 0] {
        assert_eq!(once_well(&desk)["mailboxes"][0]["new"], new);
        assert_eq!(graph.mails(), ["ancient*", "recent"]);
    }
    // Another folder is begun anew, and its old mail is as silent.
    let moved = config(&graph, "import_since = \"30d\"\nmailbox = \"Desk's own\"");
    graph.with(|state| state.mails[0].folder = "folder-7".to_owned());
    graph.with(|state| state.mails[0].received = ago(3 * 86400));
    desk.configure(&moved);
    let report = once_well(&desk);
    assert_eq!(report["mailboxes"][0]["silent"], 1, "{report}");
    assert!(graph.with(|state| state.sent.is_empty()));
    assert_eq!(subjects(&desk), ["about ancient", "about recent"]);
}
