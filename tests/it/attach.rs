//! One desk and many front ends: who owns it, who may attach, and who acts.

use crate::support::{Serving, TestDesk, mail, said, wait_for, wait_until};
use deskbell::{
    domain::{Call, Event, Fault, FaultKind, NewNote, NoteId, Reference, Request, RequestId, Response, Via},
    rpc::{Client, Events, Place},
};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

async fn connect(desk: &TestDesk) -> (Client, Events) {
    Client::connect(&desk.socket(), None, true).await.unwrap()
}

async fn ask(client: &Client, id: &str, request: Request) -> Result<Response, Fault> {
    client.ask(Call { id: RequestId(id.to_owned()), via: Via::Tui, request }).await
}

fn note(text: &str) -> NewNote {
    NewNote {
        reference: reference("1"),
        text: text.to_owned(),
        internal: false,
        attach: Vec::new(),
        cc: Vec::new(),
        without: Vec::new(),
        hold_ms: None,
        seen: None,
        close: false,
        status: None,
    }
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// A desk with one issue, whose thank-you is out.
fn with_issue() -> (TestDesk, Serving) {
    let desk = TestDesk::between_maildirs("undo_window = \"0s\"\n");
    let sync = desk.sync();
    desk.deliver(&mail("ada@customer.test", "a question"));
    wait_until("the thank-you", || desk.sent().len() == 1);
    (desk, sync)
}

#[test]
fn a_second_sync_says_who_runs_and_leaves() {
    let desk = TestDesk::between_maildirs("");
    let mut first = desk.sync();
    for arguments in [&["sync"][..], &["sync", "--while-used"]] {
        let second = desk.run(arguments);
        assert_eq!(second.code, 1, "{second:?}");
        assert!(second.stderr.contains(&format!("pid {}", first.pid())), "{second:?}");
    }
    assert!(first.ended().is_none());
    assert_eq!(fs::metadata(desk.socket()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(desk.data()).unwrap().permissions().mode() & 0o777, 0o700);
    first.stop();
    assert!(!desk.socket().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_takes_over_from_a_server_that_runs_only_while_it_is_used() {
    let desk = TestDesk::between_maildirs("");
    let mut used = desk.serve(&["sync", "--while-used"]);
    let (client, mut events) = connect(&desk).await;
    assert_eq!(client.pid, used.pid());
    // Another of its kind is no reason to go.
    let other = desk.run(&["sync", "--while-used"]);
    assert_eq!(other.code, 1, "{other:?}");
    assert!(used.ended().is_none());
    let sync = desk.sync();
    assert!(used.wait().success());
    let mut heard = Vec::new();
    while let Some(event) = events.recv().await {
        heard.push(event);
    }
    assert!(heard.contains(&Event::Closing), "{heard:?}");
    assert_eq!(connect(&desk).await.0.pid, sync.pid());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_runs_while_it_is_used_sends_what_is_held_before_it_ends() {
    let desk = TestDesk::between_maildirs("");
    desk.ok(&["deliver", "--silent", &file(&desk, &mail("ada@customer.test", "x"))]);
    let mut used = desk.serve(&["sync", "--while-used"]);
    let (client, events) = connect(&desk).await;
    let held = NewNote { hold_ms: Some(1500), ..note("later") };
    ask(&client, "r1", Request::AddNote(held)).await.unwrap();
    drop((client, events));
    let begun = Instant::now();
    assert!(used.wait().success());
    let waited = begun.elapsed().as_secs();
    assert!((1..20).contains(&waited), "it waited {waited} s, not for the undo window");
    assert_eq!(desk.sent().len(), 1);
}

fn file(desk: &TestDesk, bytes: &[u8]) -> String {
    let path = desk.folder.path().join("mail.eml");
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn a_killed_server_leaves_nothing_in_the_way() {
    let desk = TestDesk::between_maildirs("");
    desk.sync().kill();
    assert!(desk.socket().exists());
    assert!(desk.issues().is_empty());
    assert_eq!(desk.status()["serving"], false);
    let sync = desk.sync();
    assert_eq!(desk.status()["pid"], sync.pid());
}

#[test]
fn a_command_waits_for_the_lock() {
    let desk = TestDesk::between_maildirs("");
    let place = Place { data_dir: desk.data(), runtime_dir: desk.folder.path().to_owned() };
    let lock = place.try_lock().unwrap().unwrap();
    let begun = Instant::now();
    let waited = desk.run(&["issue", "list"]);
    assert_eq!(waited.code, 1, "{waited:?}");
    assert!(begun.elapsed() >= Duration::from_secs(10), "{waited:?}");
    assert!(waited.stderr.contains(&format!("process {}", std::process::id())), "{waited:?}");
    let waiting = std::thread::spawn({
        let mut command = desk.command(&["issue", "list", "--json"]);
        move || said(&mut command)
    });
    std::thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished());
    drop(lock);
    let done = waiting.join().unwrap();
    assert_eq!((done.code, done.stdout.trim()), (0, "[]"), "{done:?}");
}

#[test]
fn commands_beside_each_other_all_come_to_their_turn() {
    let desk = TestDesk::between_maildirs("");
    std::thread::scope(|scope| {
        for number in 0..6 {
            let desk = &desk;
            scope.spawn(move || desk.ok(&["issue", "new", "acme/support", "--title", &format!("t{number}")]));
        }
    });
    assert_eq!(desk.issues().len(), 6);
}

#[test]
fn commands_outlive_the_server_they_ask() {
    let desk = TestDesk::between_maildirs("");
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let desk = &desk;
                let new = move |n| format!("{writer}.{n}");
                scope.spawn(move || {
                    (0..4).for_each(|n| drop(desk.ok(&["issue", "new", "acme/support", "--title", &new(n)])));
                })
            })
            .collect();
        let mut turn = 0;
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let sync = desk.sync();
            wait_for("a command", || desk.status().get("pid").cloned());
            turn += 1;
            if turn % 2 == 0 {
                sync.kill()
            } else {
                let _ = sync.stop();
            }
        }
    });
    assert_eq!(desk.issues().len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_does_nothing_twice() {
    let (desk, _sync) = with_issue();
    let (client, _events) = connect(&desk).await;
    let (other, _others) = connect(&desk).await;
    let request = Request::AddNote(note("once"));
    let (first, same) =
        tokio::join!(ask(&client, "same", request.clone()), ask(&other, "same", request.clone()));
    let (first, same) = (noted(first), noted(same));
    assert_eq!(first, same);
    assert_eq!(noted(ask(&client, "same", request.clone()).await), first);
    wait_until("the note to go out", || desk.sent().len() == 2);
    assert_ne!(noted(ask(&client, "other", request).await), first);
    wait_until("the other note to go out", || desk.sent().len() == 3);
    assert_eq!(desk.outbox().len(), 3);

    let new = |id| {
        let request = deskbell::domain::NewIssue {
            project: "acme/support".into(),
            title: "t".into(),
            to: None,
            text: "x".into(),
            hold_ms: None,
        };
        ask(&client, id, Request::NewIssue(request))
    };
    let (a, b) = tokio::join!(new("issue"), new("issue"));
    assert_eq!(a.unwrap(), b.unwrap());
    assert_eq!(desk.issues().len(), 2);
}

fn noted(answer: Result<Response, Fault>) -> NoteId {
    match answer.unwrap() {
        Response::Noted { note, .. } => note,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_seen_the_last_note_is_told() {
    let (desk, _sync) = with_issue();
    let (client, _events) = connect(&desk).await;
    let Response::Issue(issue) = ask(&client, "i", Request::Issue(reference("1"))).await.unwrap() else {
        panic!("no issue")
    };
    let seen = Some(issue.notes.last().unwrap().id);
    desk.ok(&["user", "add", "bob"]);
    let (bob, _events) = Client::connect(&desk.socket(), Some("bob".into()), false).await.unwrap();
    let theirs = noted(ask(&bob, "b", Request::AddNote(note("I was first"))).await);
    let mine = NewNote { seen, ..note("I answer too") };
    let fault = ask(&client, "m", Request::AddNote(mine.clone())).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Stale { newer: vec![theirs] });
    assert_eq!(desk.outbox().len(), 2);
    // Who has seen it may answer.
    noted(ask(&client, "n", Request::AddNote(NewNote { seen: Some(theirs), ..mine })).await);
}

fn who_wrote(desk: &TestDesk, text: &str) -> Value {
    let issue = desk.json(&["issue", "show", "1"]);
    let notes = issue["notes"].as_array().unwrap();
    notes.iter().find(|n| n["body"].as_str().unwrap().trim() == text).unwrap()["author"]["user"].clone()
}

#[test]
fn a_colleague_acts_under_their_own_system_name() {
    let desk = TestDesk::between_maildirs("[serve]\nsocket_group = \"mail\"\n");
    desk.ok(&["deliver", "--silent", &file(&desk, &mail("ada@customer.test", "x"))]);
    let sync = desk.sync();
    let socket = fs::metadata(desk.socket()).unwrap();
    assert_eq!((socket.mode() & 0o777, socket.gid()), (0o660, 8));
    desk.ok(&["user", "add", "games"]);
    desk.ok(&["user", "add", "carol", "--system-user", "uucp"]);

    let done = desk.run_as("games", "mail", &["issue", "note", "1", "--internal", "-m", "by games"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(who_wrote(&desk, "by games"), "games");
    let done = desk.run_as("uucp", "mail", &["issue", "note", "1", "--internal", "-m", "by carol"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(who_wrote(&desk, "by carol"), "carol");

    // Nobody chooses who they are, and strangers are not served.
    let config = desk.folder.path().join("mine.toml");
    fs::write(&config, "[me]\nuser = \"alice\"\n").unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    let config = config.display().to_string();
    let stranger = desk.run_as("bin", "mail", &["--config", &config, "issue", "list"]);
    assert_eq!(stranger.code, 1, "{stranger:?}");
    assert!(stranger.stderr.contains("`bin` is no user of this desk"), "{stranger:?}");
    assert!(stranger.stderr.contains("user add bin"), "{stranger:?}");
    // Whom the desk turns away hears why, at once.
    let nameless = desk.run_as("54321", "mail", &["issue", "list"]);
    assert_eq!(nameless.code, 1, "{nameless:?}");
    assert!(nameless.stderr.contains("no user with the number 54321"), "{nameless:?}");
    let outsider = desk.run_as("games", "games", &["issue", "list"]);
    assert_eq!(outsider.code, 1, "{outsider:?}");
    // What the desk keeps stays closed to them.
    let seen = |path: PathBuf| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "games", "--regid", "mail", "--clear-groups", "cat"]).arg(path);
        said(&mut command).stdout
    };
    assert_eq!(seen(desk.data().join("journal/00000001.seg")), "");
    assert_eq!(seen(desk.data().join("state")), "");
    sync.stop();

    // Without the group it is the owner's alone again.
    desk.configure(&desk.maildirs());
    let _sync = desk.sync();
    assert_eq!(fs::metadata(desk.data()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(desk.run_as("games", "mail", &["issue", "list"]).code, 1);
}

#[test]
fn what_the_desk_writes_is_for_its_owner_only() {
    let desk = TestDesk::between_maildirs("");
    desk.ok(&["deliver", "--silent", &file(&desk, &mail("ada@customer.test", "x"))]);
    let open = |desk: &TestDesk| -> Vec<PathBuf> {
        let mut folders = vec![desk.data()];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                let Ok(meta) = entry.metadata() else { continue };
                if meta.is_dir() {
                    folders.push(entry.path());
                }
                if meta.mode() & 0o077 != 0 {
                    found.push(entry.path());
                }
            }
        }
        found
    };
    assert_eq!(open(&desk), [] as [PathBuf; 0]);
    let sync = desk.sync();
    desk.deliver(&mail("ada@customer.test", "y"));
    wait_until("the thank-you", || desk.sent().len() == 1);
    assert_eq!(open(&desk), [] as [PathBuf; 0]);
    sync.stop();
    assert_eq!(open(&desk), [] as [PathBuf; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_account_is_told_apart_by_its_key() {
    let desk = TestDesk::between_maildirs("");
    desk.ok(&["user", "list"]);
    desk.ok(&["user", "add", "bob"]);
    let mut command = tokio::process::Command::from(desk.command(&["attach", "--stdio", "--as", "bob"]));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (client, events) = Client::over(output, input, Some("alice".into()), true).await.unwrap();
    assert_eq!(client.user, "bob");
    let Response::User(user) = ask(&client, "w", Request::Whoami).await.unwrap() else { panic!("no user") };
    assert_eq!(user.name, "bob");
    // The account is the owner's; who comes with a key to it is not.
    let path = desk.folder.path().join("taken").display().to_string();
    let fault = ask(&client, "x", Request::Backup { path: path.clone(), replace: false }).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotAllowed, "{fault:?}");
    assert!(!PathBuf::from(path).exists());
    // No server ran, so one was started; it ends with its last client.
    let status = desk.status();
    assert_eq!((status["serving"].as_bool(), status["while_used"].as_bool()), (Some(true), Some(true)));
    drop((client, events, child));
    wait_for("the server to end", || (desk.status()["serving"] == false).then_some(()));
}
