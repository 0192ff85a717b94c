//! Spam the whole way: it makes nothing and causes no mail, staff decide otherwise, and services learn.

use crate::support::{PROJECT, TestDesk, mail, wait_until};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// How the stand-in for Rspamd behaves.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Broken,
    Silent,
}

/// A stand-in for Rspamd: a mail that speaks of a lottery is spam; what it is taught it remembers.
struct Filter {
    address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Filter {
    fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let filter = Self {
            address: listener.local_addr().unwrap(),
            mood: Arc::new(Mutex::new(mood)),
            calls: Arc::default(),
        };
        let (mood, calls) = (filter.mood.clone(), filter.calls.clone());
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some((path, body)) = read(&stream) else { continue };
                calls.lock().unwrap().push(path.clone());
                let (status, answer) = match *mood.lock().unwrap() {
                    Mood::Silent => {
                        held.push(stream);
                        continue;
                    }
                    Mood::Broken => (500, String::new()),
                    Mood::Well if path == "/checkv2" => (200, verdict(&body)),
                    Mood::Well => (200, r#"{"success":true}"#.to_owned()),
                };
                let length = answer.len();
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close");
                let _ = write!(stream, "{head}\r\n\r\n{answer}");
            }
        });
        filter
    }

    fn config(&self) -> String {
        config(self.address)
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn calls(&self, path: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| *call == path).count()
    }
}

fn verdict(body: &str) -> String {
    let (action, score) = if body.contains("lottery") { ("reject", 16.5) } else { ("no action", 0.5) };
    format!(
        r#"{{"is_skipped":false,"score":{score},"required_score":15.0,"action":"{action}","symbols":{{}}}}"#
    )
}

fn read(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first.split_whitespace().nth(1)?.to_owned(), String::from_utf8_lossy(&body).into_owned()))
}

fn config(address: SocketAddr) -> String {
    format!(
        "[spam]\ntimeout = \"1s\"\nauthentication = false\n\
         rspamd = {{ enabled = true, url = \"http://{address}\", controller_url = \"http://{address}\" }}\n"
    )
}

const ALONE: &str = "[spam]\nauthentication = false\n";

fn lottery() -> Vec<u8> {
    mail("win@lottery.test", "You won the lottery")
}

fn deliver(desk: &TestDesk, raw: &[u8]) -> Value {
    let said = desk.feed(&["deliver", "-", "--json"], raw);
    assert_eq!(said.code, 0, "{said:?}");
    desk.intake().remove(0)
}

fn states(desk: &TestDesk) -> Vec<String> {
    desk.outbox().iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
}

/// An issue without its history: what undo must bring back.
fn without_history(desk: &TestDesk, reference: &str) -> Value {
    let mut issue = desk.json(&["issue", "show", reference]);
    let fields = issue.as_object_mut().unwrap();
    fields.remove("updated_at");
    let notes = fields["notes"].as_array().unwrap().iter().filter(|n| n["kind"] != "system").cloned();
    let notes: Vec<Value> = notes.collect();
    fields["notes"] = json!(notes);
    issue
}

#[test]
fn spam_makes_no_issue_and_no_mail_and_says_why() {
    let filter = Filter::start(Mood::Well);
    let desk = TestDesk::between_maildirs(&filter.config());
    let entry = deliver(&desk, &lottery());
    assert_eq!(entry["fate"], "spam");
    assert!(entry["reason"].as_str().unwrap().contains("Rspamd says spam"), "{entry}");
    assert!(entry["opinions"].as_array().unwrap().iter().any(|o| o["by"] == "rspamd"), "{entry}");
    assert_eq!((desk.issues().len(), desk.outbox().len()), (0, 0));
    assert!(desk.ok(&["intake", "show", "1", "--raw"]).contains("lottery"), "its bytes are kept");
    assert_eq!(desk.status()["spam"]["mails"], 1);

    let wanted = deliver(&desk, &mail("ada@customer.test", "printer"));
    assert_eq!(wanted["fate"], "issue");
    assert_eq!((desk.issues().len(), states(&desk)), (1, vec!["queued".to_owned()]));
    assert_eq!(filter.calls("/checkv2"), 2);
}

#[test]
fn an_answer_of_a_participant_is_shown_to_no_service() {
    let filter = Filter::start(Mood::Well);
    let desk = TestDesk::between_maildirs(&filter.config());
    let first = String::from_utf8(mail("ada@customer.test", "printer")).unwrap();
    deliver(&desk, first.as_bytes());
    let id = first.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
    let answer = |from: &str, name: &str| {
        format!(
            "From: {from}\r\nTo: {PROJECT}\r\nSubject: Re: printer\r\nMessage-ID: <{name}@customer.test>\r\n\
             In-Reply-To: {id}\r\n\r\nIt printed a lottery ticket.\r\n"
        )
    };
    assert_eq!(deliver(&desk, answer("ada@customer.test", "a1").as_bytes())["fate"], "note");
    assert_eq!(filter.calls("/checkv2"), 1);
    let stranger = deliver(&desk, answer("eve@stranger.test", "a2").as_bytes());
    assert_eq!(stranger["fate"], "spam", "who answers unasked is looked at");
    assert_eq!(filter.calls("/checkv2"), 2);
}

#[test]
fn what_is_no_spam_becomes_an_issue_with_its_thank_you_and_teaches() {
    let filter = Filter::start(Mood::Well);
    let desk = TestDesk::between_maildirs(&filter.config());
    deliver(&desk, &lottery());
    let entry = desk.json(&["intake", "ham", "1"]);
    assert_eq!((&entry["fate"], &entry["ref"]), (&json!("issue"), &json!("acme/support#1")));
    assert_eq!(states(&desk), ["queued"], "its thank-you");
    let spam = &desk.status()["spam"];
    assert_eq!((&spam["mails"], &spam["lessons"], &spam["owed"]), (&json!(0), &json!(1), &json!(1)));
    desk.json(&["sync", "--once"]);
    assert_eq!((filter.calls("/learnham"), filter.calls("/learnspam")), (1, 0));
    assert_eq!(desk.status()["spam"]["owed"], 0);
    assert_eq!(desk.sent().len(), 1);
}

#[test]
fn taking_back_that_a_mail_is_no_spam_stops_its_mail_and_it_can_be_said_again() {
    let filter = Filter::start(Mood::Well);
    let desk = TestDesk::between_maildirs(&filter.config());
    deliver(&desk, &lottery());
    desk.ok(&["intake", "ham", "1", "--allow-sender"]);
    assert_eq!(desk.json(&["sender", "list"])[0]["rule"], "allow");
    desk.ok(&["undo"]);
    assert_eq!(desk.json(&["intake", "show", "1"])["fate"], "spam");
    assert_eq!(states(&desk), ["cancelled"]);
    assert_eq!(desk.json(&["sender", "list"]), json!([]));
    assert_eq!(desk.status()["spam"]["lessons"], 0);
    assert!(desk.issues().is_empty(), "what it had become is out of the lists");
    desk.ok(&["intake", "ham", "1"]);
    let mut all = states(&desk);
    all.sort();
    assert_eq!((desk.issues().len(), all), (1, vec!["cancelled".to_owned(), "queued".to_owned()]));
    assert_eq!(desk.run(&["intake", "ham", "1"]).code, 1, "once is enough");
}

#[test]
fn one_undo_takes_back_all_that_calling_an_issue_spam_did() {
    let filter = Filter::start(Mood::Well);
    let desk = TestDesk::between_maildirs(&filter.config());
    deliver(&desk, &mail("ada@customer.test", "printer"));
    deliver(&desk, &mail("eve@customer.test", "scanner"));
    let before = [without_history(&desk, "1"), without_history(&desk, "2")];
    desk.ok(&["issue", "spam", "1", "2"]);
    assert!(desk.issues().is_empty());
    assert_eq!(desk.json(&["issue", "list", "is:spam"]).as_array().unwrap().len(), 2);
    assert_eq!(desk.json(&["sender", "list"]).as_array().unwrap().len(), 2);
    assert_eq!(desk.status()["spam"]["lessons"], 2);
    let again = deliver(&desk, &mail("ada@customer.test", "printer again"));
    assert_eq!(again["fate"], "spam");
    assert!(again["reason"].as_str().unwrap().contains("block list"), "{again}");

    desk.ok(&["undo"]);
    assert_eq!([without_history(&desk, "1"), without_history(&desk, "2")], before);
    assert_eq!(desk.json(&["sender", "list"]), json!([]));
    let spam = &desk.status()["spam"];
    assert_eq!((&spam["lessons"], &spam["owed"]), (&json!(0), &json!(0)), "nobody was told yet");

    desk.ok(&["redo"]);
    desk.json(&["sync", "--once"]);
    assert_eq!((filter.calls("/learnspam"), filter.calls("/learnham")), (2, 0));
    desk.ok(&["issue", "spam", "1"]);
    assert_eq!(desk.status()["spam"]["owed"], 0, "a lesson is taught once");
    desk.ok(&["undo"]);
    assert_eq!(desk.status()["spam"]["owed"], 2, "they are told the opposite");
    desk.json(&["sync", "--once"]);
    assert_eq!((filter.calls("/learnspam"), filter.calls("/learnham")), (2, 2));
    assert_eq!(desk.status()["spam"]["owed"], 0);
}

#[test]
fn what_was_called_spam_can_be_called_wanted_and_its_sender_is_shown_again() {
    let desk = TestDesk::between_maildirs(ALONE);
    deliver(&desk, &mail("ada@customer.test", "printer"));
    desk.ok(&["issue", "spam", "1"]);
    desk.ok(&["issue", "ham", "1"]);
    assert_eq!(desk.json(&["issue", "show", "1"])["state"], "open");
    assert_eq!(desk.json(&["sender", "list"]), json!([]));
    assert_eq!(deliver(&desk, &mail("ada@customer.test", "more"))["fate"], "issue");
}

#[test]
fn a_service_that_is_down_never_stops_mail() {
    for mood in [Mood::Broken, Mood::Silent] {
        let filter = Filter::start(mood);
        let desk = TestDesk::between_maildirs(&filter.config());
        intake_goes_on(&desk);
        // Nor does it lose a lesson.
        desk.ok(&["issue", "spam", "1"]);
        desk.json(&["sync", "--once"]);
        assert_eq!(desk.status()["spam"]["owed"], 1);
        filter.set(Mood::Well);
        desk.json(&["sync", "--once"]);
        assert_eq!(desk.status()["spam"]["owed"], 0);
    }
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    intake_goes_on(&TestDesk::between_maildirs(&config(nobody)));
}

fn intake_goes_on(desk: &TestDesk) {
    for number in 0..30 {
        desk.deliver(&mail("ada@customer.test", &format!("printer {number}")));
    }
    let sync = desk.sync();
    let begun = Instant::now();
    wait_until("all mail to come in", || desk.intake().len() == 30);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(desk.intake().iter().all(|entry| entry["fate"] == "issue"));
    let judges = desk.status()["spam"]["judges"].clone();
    assert_eq!(judges[0]["state"], "failing", "{judges}");
    sync.stop();
}

#[test]
fn listed_senders_are_blocked_allowed_or_set_aside_without_asking_anybody() {
    let filter = Filter::start(Mood::Well);
    let desk = TestDesk::between_maildirs(&filter.config());
    desk.ok(&["sender", "block", "*.bad.test"]);
    desk.ok(&["sender", "allow", "win@lottery.test", "--desk"]);
    desk.ok(&["sender", "quarantine", "header:X-Mailer=*bulk*"]);
    assert_eq!(deliver(&desk, &mail("x@a.bad.test", "hello"))["fate"], "spam");
    assert_eq!(deliver(&desk, &lottery())["fate"], "issue");
    let bulk = String::from_utf8(mail("mia@customer.test", "news")).unwrap();
    let waiting = deliver(&desk, format!("X-Mailer: Bulk 3\r\n{bulk}").as_bytes());
    assert_eq!(waiting["fate"], "quarantined");
    assert_eq!(filter.calls("/checkv2"), 0);
    assert_eq!(desk.status()["triage"], 1);
    assert_eq!(desk.json(&["intake", "ham", "3"])["fate"], "issue");

    assert_eq!(desk.json(&["sender", "test", "y@bad.test"])["rule"], "block");
    assert_eq!(desk.json(&["sender", "test", "y@good.test"])["rule"], Value::Null);
    let file = desk.folder.path().join("one.eml");
    std::fs::write(&file, format!("X-Mailer: Bulk 3\r\n{bulk}")).unwrap();
    assert_eq!(desk.json(&["sender", "test", file.to_str().unwrap()])["rule"], "quarantine");
    assert_eq!(desk.run(&["sender", "block", "/(/"]).code, 2);

    assert_eq!(desk.json(&["sender", "list"]).as_array().unwrap().len(), 3);
    desk.ok(&["sender", "remove", "*.bad.test"]);
    assert_eq!(deliver(&desk, &mail("x@a.bad.test", "hello again"))["fate"], "issue");
    desk.ok(&["undo"]);
    assert_eq!(deliver(&desk, &mail("x@a.bad.test", "and again"))["fate"], "spam");
}

#[test]
fn a_mail_that_was_set_aside_waits_again_after_an_undo_and_can_be_let_in_again() {
    let desk = TestDesk::between_maildirs(ALONE);
    desk.ok(&["sender", "quarantine", "ada@customer.test"]);
    let waiting = deliver(&desk, &mail("ada@customer.test", "printer"));
    assert!(waiting["reason"].as_str().unwrap().contains("asks for a person to look"), "{waiting}");
    desk.ok(&["intake", "ham", "1"]);
    desk.ok(&["undo"]);
    assert_eq!(desk.json(&["intake", "show", "1"])["fate"], "quarantined");
    assert_eq!(desk.json(&["intake", "ham", "1"])["fate"], "issue");
    let mut all = states(&desk);
    all.sort();
    assert_eq!((desk.issues().len(), all), (1, vec!["cancelled".to_owned(), "queued".to_owned()]));
}

#[test]
fn the_sender_of_any_arrival_is_allowed_or_blocked_by_its_number() {
    let filter = Filter::start(Mood::Well);
    let desk = TestDesk::between_maildirs(&filter.config());
    assert_eq!(deliver(&desk, &lottery())["fate"], "spam");
    let lines = desk.json(&["intake", "allow", "1"]);
    assert_eq!((&lines[0]["rule"], &lines[0]["pattern"]), (&json!("allow"), &json!("win@lottery.test")));
    assert_eq!(lines[0]["project"], "acme/support");
    assert_eq!(desk.json(&["intake", "show", "1"])["fate"], "spam", "the mail itself stays what it is");
    assert_eq!(desk.json(&["intake", "retry", "1"])["fate"], "issue");

    // An address that looks like a pattern lists nobody else.
    let star = String::from_utf8(mail("x@customer.test", "hello")).unwrap();
    let star = star.replace("x@customer.test", "*@customer.test");
    assert_eq!(deliver(&desk, star.as_bytes())["fate"], "issue");
    desk.ok(&["intake", "block", "2"]);
    assert_eq!(deliver(&desk, &mail("ada@customer.test", "printer"))["fate"], "issue");
    desk.ok(&["undo"]);
    assert_eq!(desk.json(&["sender", "list"]).as_array().unwrap().len(), 1, "one undo takes the line back");
}

#[test]
fn a_mail_that_is_filed_by_hand_keeps_what_was_thought_of_it() {
    let filter = Filter::start(Mood::Well);
    let desk = TestDesk::between_maildirs(&filter.config());
    let opinions = deliver(&desk, &lottery())["opinions"].clone();
    assert!(!opinions.as_array().unwrap().is_empty());
    let made = desk.json(&["intake", "issue", "1", "acme/support"]);
    assert_eq!((&made["fate"], &made["opinions"]), (&json!("issue"), &opinions));
    assert_eq!(desk.json(&["intake", "show", "1"])["opinions"], opinions);
    assert_eq!(desk.status()["spam"]["mails"], 0);
}

#[test]
fn a_kill_between_teaching_and_noting_it_repeats_without_harm() {
    let filter = Filter::start(Mood::Silent);
    let desk = TestDesk::between_maildirs(&filter.config());
    deliver(&desk, &mail("ada@customer.test", "printer"));
    desk.ok(&["issue", "spam", "1"]);
    let serving = desk.sync();
    wait_until("the service to be told", || filter.calls("/learnspam") > 0);
    serving.kill();
    assert_eq!(desk.status()["spam"]["owed"], 1, "nobody said that it was taken");
    filter.set(Mood::Well);
    let serving = desk.sync();
    wait_until("the service to take it", || desk.status()["spam"]["owed"] == 0);
    serving.stop();
    assert_eq!(filter.calls("/learnham"), 0);
    assert_eq!(desk.ok(&["maintenance", "verify"]).trim(), "everything agrees with the journal");
}

#[test]
fn lessons_and_lists_outlive_a_rebuild() {
    let desk = TestDesk::between_maildirs(ALONE);
    deliver(&desk, &mail("ada@customer.test", "printer"));
    desk.ok(&["issue", "spam", "1"]);
    let before = (desk.json(&["sender", "list"]), desk.status()["spam"].clone());
    desk.ok(&["maintenance", "rebuild"]);
    assert_eq!((desk.json(&["sender", "list"]), desk.status()["spam"].clone()), before);
}
