//! Damaged, missing and unusable things: one clear error with a hint, or mended with a notice; nothing lost.

use crate::support::{MailServer, Said, TestDesk, mail, wait_for, wait_until};
use deskbell::{
    domain::{Call, DraftKind, Request, RequestId, Via},
    rpc::Client,
};
use serde_json::Value;
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

/// A desk with three issues, left cleanly.
fn with_issues() -> TestDesk {
    let desk = TestDesk::between_maildirs("");
    let folder = desk.folder.path().join("mails");
    fs::create_dir(&folder).unwrap();
    for name in ["one", "two", "three"] {
        fs::write(folder.join(name), mail("ada@customer.test", name)).unwrap();
    }
    desk.ok(&["deliver", &folder.display().to_string()]);
    desk
}

/// Everything that a desk shows of itself.
fn content(desk: &TestDesk) -> Vec<Value> {
    let issues = desk.issues();
    let shown = issues.iter().map(|issue| desk.json(&["issue", "show", issue["ref"].as_str().unwrap()]));
    shown.chain(desk.intake()).chain(desk.outbox()).collect()
}

fn notices(desk: &TestDesk) -> String {
    desk.status()["notices"].to_string()
}

fn failed(said: &Said, code: i32, error: &str, hint: &str) {
    assert_eq!(said.code, code, "{said:?}");
    let mut lines = said.stderr.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with("error: ") && line.contains(error)), "{said:?}");
    assert!(lines.next().is_some_and(|line| line.starts_with("hint: ") && line.contains(hint)), "{said:?}");
    assert_eq!(lines.next(), None, "{said:?}");
}

fn segment(desk: &TestDesk) -> PathBuf {
    desk.data().join("journal/00000001.seg")
}

/// Turns one octet in the middle of a file over.
fn flip(path: &Path, at: impl Fn(usize) -> usize) {
    let mut octets = fs::read(path).unwrap();
    let at = at(octets.len());
    octets[at] ^= 0x55;
    fs::write(path, octets).unwrap();
}

fn verify(desk: &TestDesk) -> Said {
    desk.run(&["maintenance", "verify"])
}

#[test]
fn documents_that_are_gone_or_garbage_are_made_anew() {
    let desk = with_issues();
    let before = content(&desk);
    let trees = desk.data().join("trees");
    fs::remove_dir_all(&trees).unwrap();
    assert!(notices(&desk).contains("made anew"), "{}", notices(&desk));
    assert_eq!(content(&desk), before);
    for path in files(&trees) {
        flip(&path, |length| length / 2);
    }
    assert_eq!(content(&desk), before);
    for path in files(&trees) {
        fs::write(path, b"garbage").unwrap();
    }
    let sync = desk.sync();
    assert!(notices(&desk).contains("set aside"), "{}", notices(&desk));
    assert_eq!(content(&desk).len(), before.len());
    wait_until("the mails to go out", || desk.sent().len() == 2);
    sync.stop();
    assert_eq!(verify(&desk).stdout.trim(), "everything agrees with the journal");
    fs::remove_dir_all(&trees).unwrap();
    fs::write(&trees, b"a file").unwrap();
    assert_eq!(desk.issues().len(), 3);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()))
        } else {
            found.push(entry.path())
        }
    }
    found
}

#[test]
fn an_index_that_is_gone_or_garbage_is_made_anew() {
    let desk = with_issues();
    let index = desk.data().join("index");
    let found = || desk.json(&["issue", "list", "two"]).as_array().unwrap().len();
    assert_eq!(found(), 1);
    fs::remove_dir_all(&index).unwrap();
    assert_eq!(found(), 1);
    for path in files(&index) {
        fs::write(path, b"garbage").unwrap();
    }
    assert_eq!(found(), 1);
    for path in files(&index) {
        fs::remove_file(path).unwrap();
    }
    assert_eq!(found(), 1);
}

#[test]
fn a_torn_last_frame_is_cut_off() {
    let desk = with_issues();
    let before = content(&desk);
    desk.sync().kill();
    let length = fs::metadata(segment(&desk)).unwrap().len();
    let mut journal = OpenOptions::new().append(true).open(segment(&desk)).unwrap();
    let whole = fs::read(segment(&desk)).unwrap();
    // As if a further commit had only reached the disk in part.
    journal.write_all(&whole[whole.len() - 300..whole.len() - 40]).unwrap();
    drop(journal);
    assert_eq!(content(&desk).len(), before.len());
    assert_eq!(desk.issues().len(), 3);
    assert!(fs::metadata(segment(&desk)).unwrap().len() >= length);
    assert!(fs::read_dir(desk.data().join("aside")).unwrap().next().is_some(), "what was cut is kept");
    assert_eq!(verify(&desk).code, 0);
}

#[test]
fn damage_in_the_journal_is_found_and_named() {
    let desk = with_issues();
    flip(&segment(&desk), |length| length / 3);
    let found = verify(&desk);
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.stdout.contains("segment 00000001"), "{found:?}");
    // Without the documents everything hangs on the journal.
    fs::remove_dir_all(desk.data().join("trees")).unwrap();
    failed(
        &desk.run(&["issue", "list"]),
        1,
        "the journal is damaged in segment 00000001",
        "maintenance verify",
    );
    failed(&desk.run(&["sync"]), 1, "the journal is damaged in segment 00000001", "maintenance verify");
    let found = verify(&desk);
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.stdout.contains("segment 00000001"), "{found:?}");
    let found = desk.run(&["maintenance", "verify", "--json"]);
    assert!(
        serde_json::from_str::<Vec<String>>(&found.stdout).is_ok_and(|lines| !lines.is_empty()),
        "{found:?}"
    );
}

#[test]
fn a_missing_segment_is_an_error_that_names_it() {
    let desk = with_issues();
    let before = content(&desk);
    let away = desk.folder.path().join("away.seg");
    fs::rename(segment(&desk), &away).unwrap();
    failed(&desk.run(&["issue", "list"]), 1, "segment 00000001 of the journal is missing", "from a backup");
    let found = verify(&desk);
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.stdout.contains("00000001"), "{found:?}");
    fs::remove_dir_all(desk.data().join("trees")).unwrap();
    failed(&desk.run(&["issue", "list"]), 1, "segment 00000001 of the journal is missing", "from a backup");
    fs::rename(&away, segment(&desk)).unwrap();
    assert_eq!(content(&desk), before);
}

#[test]
fn a_rebuild_changes_nothing_that_is_shown() {
    let desk = with_issues();
    let before = content(&desk);
    assert!(desk.ok(&["maintenance", "rebuild"]).contains("frames replayed"));
    assert_eq!(content(&desk), before);
    let _sync = desk.sync();
    desk.ok(&["maintenance", "rebuild"]);
    assert_eq!(desk.issues().len(), 3);
    assert_eq!(verify(&desk).code, 0);
}

#[test]
fn compaction_gives_space_back_and_changes_nothing_that_is_shown() {
    let desk = with_issues();
    let _sync = desk.sync();
    let reference = desk.issues()[0]["ref"].as_str().unwrap().to_owned();
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    let noise: Vec<u8> = noise.take(400_000).collect();
    let file = desk.folder.path().join("noise.bin");
    fs::write(&file, &noise).unwrap();
    let note = |text: &str, more: &[&str]| {
        desk.ok(
            &[&["issue", "note", &reference, "-m", text, "--attach", file.to_str().unwrap()], more].concat()
        );
    };
    note("to be kept", &["--internal"]);
    note("to be taken back", &["--hold", "1h"]);
    desk.ok(&["undo"]);
    // What was taken back is a draft again, with its file, until the draft goes as well.
    let drop = Request::DropDraft { reference: Some(reference.parse().unwrap()), kind: DraftKind::Reply };
    let call = Call { id: RequestId("drop".into()), via: Via::Tui, request: drop };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (client, _events) = Client::connect(&desk.socket(), None, false).await.unwrap();
        client.ask(call).await.unwrap();
    });
    let journal = || -> u64 {
        let files = fs::read_dir(desk.data().join("journal")).unwrap().map(|entry| entry.unwrap());
        files.map(|entry| entry.metadata().unwrap().len()).sum()
    };
    let (shown, octets) = (content(&desk), journal());
    let said = desk.json(&["maintenance", "compact"]);
    let part = &said["parts"][0];
    assert_eq!(part["part"], "journal", "{said}");
    assert!(part["octets"].as_u64().unwrap() < part["octets_before"].as_u64().unwrap(), "{said}");
    assert!(journal() + 300_000 < octets, "{} of {octets}", journal());
    assert_eq!(content(&desk), shown);
    let issue = desk.json(&["issue", "show", &reference]);
    let kept =
        issue["notes"].as_array().unwrap().iter().find(|note| note["attachments"][0]["name"] == "noise.bin");
    let kept = kept.unwrap()["id"].to_string();
    let out = desk.folder.path().join("out.bin");
    desk.ok(&["issue", "attachment", &reference, &kept, "noise.bin", "-o", out.to_str().unwrap()]);
    assert_eq!(fs::read(out).unwrap(), noise);
    assert_eq!(verify(&desk).code, 0);
}

#[test]
fn a_backup_made_while_it_runs_restores_elsewhere() {
    let desk = with_issues();
    desk.ok(&["issue", "note", "1", "-m", "to be mailed"]);
    // Nothing goes out meanwhile, so that there is something unsent.
    desk.configure(
        &desk.maildirs().replace(&desk.folder.path().join("out").display().to_string(), "/proc/none"),
    );
    let sync = desk.sync();
    let file = desk.folder.path().join("desk.backup").display().to_string();
    desk.ok(&["backup", &file]);
    let issues = desk.json(&["issue", "list"]);
    let unsent = desk.outbox().len();
    assert!(unsent >= 3, "{unsent}");
    sync.stop();

    let other = TestDesk::new(&desk.maildirs());
    let restored = other.json(&["restore", &file]);
    assert_eq!(restored["held"], unsent);
    let mut theirs = other.json(&["issue", "list"]);
    for (mine, theirs) in issues.as_array().unwrap().iter().zip(theirs.as_array_mut().unwrap()) {
        assert_eq!(mine, theirs);
    }
    assert!(other.outbox().iter().all(|row| row["state"] == "held"));
    let report = other.json(&["sync", "--once"]);
    assert_eq!(
        (report["outbox"]["sent"].as_u64(), report["outbox"]["held"].as_u64()),
        (Some(0), Some(unsent as u64))
    );
    assert_eq!(desk.sent().len(), 0);
    // A desk is never restored over another, nor from what is no backup.
    failed(&other.run(&["restore", &file]), 1, "there is a desk in", "--data-dir");
    assert!(!other.data().join("restored").exists());
    let damaged = desk.folder.path().join("damaged.backup");
    fs::copy(&file, &damaged).unwrap();
    flip(&damaged, |length| length / 2);
    let third = TestDesk::new("");
    assert_eq!(third.run(&["restore", &damaged.display().to_string()]).code, 1);
    assert!(third.issues().is_empty());
}

#[test]
fn a_restore_that_was_cut_short_sends_nothing_either() {
    let desk = with_issues();
    let unsent = desk.outbox().len();
    assert!(unsent > 0 && desk.outbox().iter().all(|row| row["state"] == "queued"), "{:?}", desk.outbox());
    // As it stands when the process dies right after the journal is in its place.
    let mark = desk.data().join("restored");
    fs::write(&mark, "").unwrap();
    desk.ok(&["sync", "--once"]);
    assert_eq!(desk.sent().len(), 0);
    assert!(desk.outbox().iter().all(|row| row["state"] == "held"));
    assert!(!mark.exists());
}

#[test]
fn one_pass_says_which_outlet_does_not_work() {
    let desk = with_issues();
    let out = desk.folder.path().join("out").display().to_string();
    desk.configure(&desk.maildirs().replace(&out, "/proc/none"));
    for arguments in [&["sync", "--once"][..], &["sync", "--once", "--json"]] {
        let said = desk.run(arguments);
        assert_eq!(said.code, 3, "{said:?}");
        assert!(said.stderr.starts_with("error: smtp: "), "{said:?}");
    }
    assert!(desk.outbox().iter().all(|row| row["state"] == "queued"));
}

#[test]
fn a_data_dir_that_cannot_be_written_is_said() {
    let desk = with_issues();
    let before = desk.issues();
    let own = |path: &Path, mode: u32, user: u32| {
        chown(path, Some(user), Some(user)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let all = |folder: u32, file: u32, user: u32| {
        own(&desk.data(), folder, user);
        for entry in walk(&desk.data()) {
            own(&entry, if entry.is_dir() { folder } else { file }, user);
        }
    };
    all(0o500, 0o400, 5);
    let said = desk.run_as("games", "games", &["issue", "list"]);
    failed(&said, 1, &desk.data().display().to_string(), "permissions");
    let said = desk.run_as("games", "games", &["sync", "--once"]);
    failed(&said, 1, &desk.data().display().to_string(), "permissions");
    // The lock can be taken, but the journal cannot be written.
    all(0o700, 0o400, 5);
    own(&desk.data().join("lock"), 0o600, 5);
    let said = desk.run_as("games", "games", &["issue", "list"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("hint: ") && said.stderr.contains("denied"), "{said:?}");
    all(0o700, 0o600, 0);
    assert_eq!(desk.issues(), before);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

#[test]
fn a_wrong_config_names_the_line_and_what_was_meant() {
    let desk = TestDesk::new("[mailbox.support]\naddres = \"help@desk.test\"\n");
    let said = desk.run(&["status"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("config.toml:4: "), "{said:?}");
    assert!(said.stderr.contains("addres") && said.stderr.contains("`address`"), "{said:?}");
    assert!(!desk.data().exists(), "nothing was begun");
    for arguments in [&["sync"][..], &["issue", "list"], &["deliver", "x.eml"]] {
        assert_eq!(desk.run(arguments).code, 2);
    }
    assert_eq!(desk.feed(&["deliver", "-"], b"Subject: x\r\n\r\n").code, 75);
}

#[test]
fn a_missing_template_stops_no_mail() {
    let desk = TestDesk::between_maildirs("");
    desk.ok(&["project", "set", "acme/support", "templates_dir=nowhere"]);
    let _sync = desk.sync();
    desk.deliver(&mail("ada@customer.test", "hello"));
    wait_until("the thank-you", || desk.sent().len() == 1);
    let notices = notices(&desk);
    assert!(notices.contains("nowhere/thank_you.md") && notices.contains("built-in"), "{notices}");
}

#[test]
fn servers_that_cannot_be_trusted_or_refuse_the_login_lose_nothing() {
    let server = MailServer::get();
    server.user("distrust");
    server.user("distrust-customer");
    let config = |password: &str, ca: &str| {
        let login = format!("host = \"127.0.0.1\"\nuser = \"distrust\"\npassword = \"{password}\"\n{ca}");
        format!(
            "[mailbox.support]\naddress = \"distrust+%{{key}}@desk.test\"\nport = {}\n{login}\n\
             [smtp]\nport = {}\nfrom = \"distrust@desk.test\"\nhello_name = \"desk.test\"\n{login}\n",
            server.imaps_port(),
            server.smtps_port(),
        )
    };
    let ca = format!("ca_file = \"{}\"", server.ca_file().display());
    let desk = TestDesk::new(&config("secret", ""));
    desk.ok(&["project", "add", "acme/support"]);
    let new = [
        "issue",
        "new",
        "acme/support",
        "--title",
        "t",
        "-m",
        "hello",
        "--to",
        "distrust-customer@customer.test",
    ];
    desk.ok(&new);
    let fails = |word: &str, hint: &str| {
        let said = desk.run(&["sync", "--once", "--json"]);
        assert_eq!(said.code, 1, "{said:?}");
        let report: Value = serde_json::from_str(&said.stdout).unwrap();
        assert!(report["mailboxes"][0]["error"].as_str().unwrap().contains(word), "{report}");
        assert_eq!(report["outbox"]["sent"], 0);
        assert_eq!(
            (&desk.outbox()[0]["state"], &desk.outbox()[0]["attempts"]),
            (&"queued".into(), &0.into())
        );
        let sync = desk.sync();
        let status = wait_for("both to fail", || {
            let status = desk.status();
            let failing = |list: &str| status[list][0]["state"] == "failing";
            (failing("mailboxes") && failing("outlets")).then_some(status)
        });
        for channel in [&status["mailboxes"][0], &status["outlets"][0]] {
            assert!(channel["hint"].as_str().is_some_and(|text| text.contains(hint)), "{channel}");
            assert!(channel["next_try"].is_string() && channel["since"].is_string(), "{channel}");
        }
        assert_eq!(desk.outbox()[0]["state"], "queued");
        sync.stop();
    };
    fails("certificate", "fingerprint");
    desk.configure(&config("wrong", &ca));
    fails("AUTHENTICATIONFAILED", "password");
    desk.configure(&config("secret", &ca));
    let _sync = desk.sync();
    wait_until("the mail to go out", || desk.outbox()[0]["state"] == "sent");
}

/// A file system of its own, taken away with the test.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path, megabytes: u32) -> Option<Self> {
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(path)
            .status();
        done.is_ok_and(|status| status.success()).then(|| Self(path.to_owned()))
    }

    fn resize(&self, megabytes: u32) {
        let size = format!("remount,size={megabytes}m");
        assert!(Command::new("mount").args(["-o", &size]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_the_intake_and_loses_nothing() {
    let desk = TestDesk::new("");
    fs::create_dir(desk.data()).unwrap();
    let Some(disk) = Disk::mount(&desk.data(), 30) else {
        println!("SKIPPED: this place permits no mount, so no disk can be filled");
        return;
    };
    for part in ["new", "cur", "tmp"] {
        fs::create_dir_all(desk.inbox().join(part)).unwrap();
    }
    desk.configure(&desk.maildirs());
    desk.ok(&["project", "add", "acme/support"]);
    let sync = desk.sync();
    for number in 0..30 {
        let noise: String = (0..700_000).map(|_| char::from(rand::random_range(b'0'..=b'z'))).collect();
        let text =
            [mail(&format!("c{number}@customer.test"), "big"), noise.into_bytes(), b"\r\n".to_vec()].concat();
        desk.deliver(&text);
    }
    wait_until("the intake to stop", || notices(&desk).contains("intake has stopped"));
    let status = desk.status();
    assert_eq!(status["mailboxes"][0]["state"], "failing", "{status}");
    let taken = desk.intake().len();
    assert!(taken < 30);
    let said = desk.run(&["issue", "new", "acme/support", "--title", "t", "-m", &"x".repeat(100_000)]);
    if said.code != 0 {
        assert!(said.stderr.contains("disk is full") && said.stderr.contains("hint: "), "{said:?}");
    }
    let made = usize::from(said.code == 0);
    wait_until("what came in to be answered", || {
        let counts = &desk.status()["outbox"];
        (counts["queued"].as_u64(), counts["sending"].as_u64()) == (Some(0), Some(0))
    });
    // A start with a full disk works as well.
    sync.kill();
    let sync = desk.sync();
    assert!(desk.issues().len() >= taken);
    wait_until("the intake to stop again", || notices(&desk).contains("intake has stopped"));
    disk.resize(200);
    wait_until("all to come in", || desk.intake().len() >= 30 && desk.sent().len() >= 30);
    assert_eq!((desk.intake().len(), desk.issues().len(), desk.sent().len()), (30, 30 + made, 30));
    wait_until("the notice to go", || !notices(&desk).contains("stopped"));
    assert_eq!(verify(&desk).code, 0);
    sync.stop();
}
