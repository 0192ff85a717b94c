//! The first look into a mailbox, and what is done with a mail afterwards.

use crate::support::{MailServer, TestDesk, mail};
use jiff::{Timestamp, ToSpan, fmt::rfc2822};
use serde_json::Value;
use std::{fs, os::unix::fs::MetadataExt, path::PathBuf, time::SystemTime};

/// A desk over the IMAP folder of a name.
fn desk(name: &str, keys: &str) -> TestDesk {
    let server = MailServer::get();
    server.user(name);
    let desk = TestDesk::new("");
    desk.configure(&config(&desk, name, keys));
    desk.ok(&["project", "add", "acme/support"]);
    desk
}

fn config(desk: &TestDesk, name: &str, keys: &str) -> String {
    format!(
        "[mailbox.support]\naddress = \"{name}+%{{key}}@desk.test\"\nhost = \"127.0.0.1\"\nport = {}\nssl = false\n\
         user = \"{name}\"\npassword = \"secret\"\n{keys}\n\
         [smtp]\nmethod = \"maildir\"\nfrom = \"{name}@desk.test\"\npath = \"{}\"\n",
        MailServer::get().imap_port(),
        desk.folder.path().join("out").display()
    )
}

/// Puts a mail into the folder that was written, and came in, so many days ago, or will be; `flags` as in a Maildir.
fn put(name: &str, subject: &str, days: i64, flags: &str) {
    let server = MailServer::get();
    let moment = Timestamp::now() - (days * 24).hours();
    let date = rfc2822::to_string(&moment.to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
    let mail = format!(
        "From: Ada <{subject}@customer.test>\r\nTo: {name}+acme-support-1-issue-@desk.test\r\nSubject: {subject}\r\n\
         Date: {date}\r\nMessage-ID: <{subject}@customer.test>\r\n\r\nAbout {subject}.\r\n"
    );
    let new = server.user(name).maildir.join("new");
    let before = names(new.clone());
    server.deliver(name, mail.as_bytes());
    let file = names(new.clone()).into_iter().find(|file| !before.contains(file)).unwrap();
    let path = new.join(&file);
    fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::from(moment)).unwrap();
    if !flags.is_empty() {
        fs::rename(path, server.user(name).maildir.join("cur").join(format!("{file}:2,{flags}"))).unwrap();
    }
}

fn names(folder: PathBuf) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The flags of what lies in the folder, in order.
fn flags(name: &str) -> Vec<String> {
    let maildir = MailServer::get().user(name).maildir;
    let mut all = [names(maildir.join("new")), names(maildir.join("cur"))].concat();
    all.sort();
    all.iter().map(|file| file.split_once(":2,").map_or("", |(_, flags)| flags).to_owned()).collect()
}

fn pass(desk: &TestDesk) -> Value {
    desk.json(&["sync", "--once"])["mailboxes"][0].clone()
}

fn counts(pass: &Value) -> [u64; 4] {
    ["seen", "new", "silent", "failed"].map(|key| pass[key].as_u64().unwrap())
}

fn issue(desk: &TestDesk, title: &str) -> Value {
    desk.issues().into_iter().find(|issue| issue["title"] == title).unwrap()
}

#[test]
fn old_mail_comes_in_silently() {
    let name = "first-old";
    let desk = desk(name, "import_since = \"30d\"");
    put(name, "ancient", 60, "");
    put(name, "answered", 10, "RS");
    put(name, "flagged", 9, "FRS");
    put(name, "open", 8, "S");
    put(name, "fresh", 0, "");
    let first = pass(&desk);
    assert_eq!(counts(&first), [5, 4, 3, 0], "{first}");
    let states = ["answered", "flagged", "open", "fresh"].map(|title| {
        let issue = issue(&desk, title);
        (issue["state"].as_str().unwrap().to_owned(), issue["unread"].as_u64().unwrap())
    });
    let wanted =
        [("closed", 0), ("open", 0), ("open", 0), ("open", 1)].map(|(state, n)| (state.to_owned(), n));
    assert_eq!(states, wanted);
    assert_eq!(desk.issues().len(), 4);
    let outbox = desk.outbox();
    assert_eq!(outbox.len(), 1, "{outbox:?}");
    assert_eq!(outbox[0]["to"], "fresh@customer.test");
    // From the earlier of both dates it is told how old a mail is.
    let created: Timestamp = issue(&desk, "open")["created_at"].as_str().unwrap().parse().unwrap();
    assert!(created < Timestamp::now() - (7 * 24).hours());
    assert_eq!(counts(&pass(&desk)), [0, 0, 0, 0]);
    // Later mail is news, whatever its date says.
    put(name, "late", 20, "");
    assert_eq!(counts(&pass(&desk)), [1, 1, 0, 0]);
    assert_eq!(desk.sent().len(), 2);
}

#[test]
fn mail_of_days_to_come_comes_in_silently() {
    let name = "first-ahead";
    let desk = desk(name, "");
    put(name, "ahead", -40, "");
    put(name, "soon", 0, "");
    assert_eq!(counts(&pass(&desk)), [2, 2, 1, 0]);
    let outbox = desk.outbox();
    assert_eq!((outbox.len(), &outbox[0]["to"]), (1, &"soon@customer.test".into()), "{outbox:?}");
}

#[test]
fn a_folder_with_another_uidvalidity_doubles_nothing() {
    let name = "first-validity";
    let desk = desk(name, "");
    put(name, "old", 10, "");
    put(name, "new", 0, "");
    assert_eq!(counts(&pass(&desk)), [2, 2, 1, 0]);
    let before = (desk.issues(), desk.outbox());
    let account = MailServer::get().user(name);
    let list = account.maildir.join("dovecot-uidlist");
    let text = fs::read_to_string(&list).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    let number = head.split(' ').find_map(|word| word.strip_prefix('V')).unwrap();
    let head = head.replace(&format!("V{number}"), &format!("V{}", number.parse::<u32>().unwrap() + 7));
    fs::write(&list, format!("{head}\n{rest}")).unwrap();
    let index = account.maildir.parent().unwrap().parent().unwrap().join("index").join(name);
    fs::remove_dir_all(index).unwrap();
    let again = pass(&desk);
    assert_eq!(again["seen"], 2, "{again}");
    assert_eq!((desk.issues(), desk.outbox()), before);
    let fates: Vec<Value> = desk.intake().iter().map(|entry| entry["fate"].clone()).collect();
    assert_eq!(fates, ["duplicate", "duplicate", "issue", "issue"]);
    // And mail that waited meanwhile is not taken for an old one.
    put(name, "after", 0, "");
    assert_eq!(counts(&pass(&desk)), [1, 1, 0, 0]);
    assert_eq!(desk.sent().len(), 2);
}

#[test]
fn too_large_mail_is_quarantined_and_left_alone() {
    let name = "first-large";
    let desk = desk(name, "max_size = \"10KB\"");
    let text = "x".repeat(20_000);
    let mail = format!(
        "From: ada@customer.test\r\nTo: {name}+acme-support-1-issue-@desk.test\r\nSubject: heavy\r\n\r\n{text}\r\n"
    );
    MailServer::get().deliver(name, mail.as_bytes());
    put(name, "light", 0, "");
    let first = pass(&desk);
    assert_eq!(counts(&first), [2, 2, 0, 1], "{first}");
    let entry = desk.intake().into_iter().find(|entry| entry["subject"] == "heavy").unwrap();
    assert_eq!(entry["fate"], "quarantined");
    assert_eq!(entry["from"], "ada@customer.test");
    assert!(entry["size"].as_u64().unwrap() > 20_000);
    assert!(entry["reason"].as_str().unwrap().contains("max_size"), "{entry}");
    assert_eq!(flags(name), ["", "S"], "the large one is not marked");
    assert_eq!(counts(&pass(&desk)), [0, 0, 0, 0]);
    assert_eq!(desk.status()["triage"], 1);
    assert_eq!(desk.issues().len(), 1);

    // On demand it comes all the same, in place of its entry.
    let id = entry["id"].to_string();
    let asked = desk.json(&["intake", "retry", &id]);
    assert!(asked["reason"].as_str().unwrap().contains("next look"), "{asked}");
    assert_eq!(counts(&pass(&desk)), [1, 1, 0, 0]);
    let entry = desk.intake().into_iter().find(|entry| entry["subject"] == "heavy").unwrap();
    assert_eq!((entry["fate"].as_str(), entry["id"].to_string()), (Some("issue"), id));
    assert_eq!((desk.intake().len(), desk.issues().len(), desk.outbox().len()), (2, 2, 2));
    assert_eq!(flags(name), ["S", "S"]);
    assert_eq!(counts(&pass(&desk)), [0, 0, 0, 0]);
}

#[test]
fn a_mail_is_marked_removed_or_moved_once_it_is_in() {
    for (number, (keys, left)) in [
        ("", &["S"][..]),
        ("after_delivery = \"nothing\"", &[""]),
        ("after_delivery = \"delete\"", &[]),
        ("after_delivery = \"move:Done\"", &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("first-after-{number}");
        let desk = desk(&name, keys);
        put(&name, "mail", 0, "");
        assert_eq!(counts(&pass(&desk)), [1, 1, 0, 0], "{keys}");
        assert_eq!(flags(&name), left, "{keys}");
        let done = MailServer::get().user(&name).maildir.join(".Done");
        let moved = ["new", "cur"].map(|part| done.join(part)).into_iter().filter(|part| part.exists());
        assert_eq!(moved.flat_map(names).count(), usize::from(keys.contains("move")), "{keys}");
        assert_eq!(counts(&pass(&desk)), [0, 0, 0, 0], "{keys}");
        assert_eq!((desk.issues().len(), desk.sent().len()), (1, 1), "{keys}");
    }
}

#[test]
fn mail_that_comes_after_a_look_into_an_empty_folder_is_news() {
    let name = "first-empty";
    let desk = desk(name, "");
    assert_eq!(counts(&pass(&desk)), [0, 0, 0, 0]);
    put(name, "late", 20, "");
    assert_eq!(counts(&pass(&desk)), [1, 1, 0, 0]);
}

#[test]
fn a_look_that_brings_nothing_leaves_the_desk_closed() {
    let name = "first-closed";
    let desk = desk(name, "");
    put(name, "one", 20, "S");
    assert_eq!(counts(&pass(&desk)), [1, 1, 1, 0]);
    // Opening the desk writes its state anew.
    let state = || fs::metadata(desk.data().join("state")).unwrap().ino();
    let before = state();
    assert_eq!(counts(&pass(&desk)), [0, 0, 0, 0]);
    assert_eq!(state(), before);
    put(name, "two", 0, "");
    assert_eq!(counts(&pass(&desk)), [1, 1, 0, 0]);
    assert_ne!(state(), before);
}

#[test]
fn a_file_that_cannot_be_read_stops_nothing_and_stays() {
    let desk = TestDesk::between_maildirs("");
    desk.configure(&desk.maildirs().replace("[smtp]", "after_delivery = \"delete\"\n[smtp]"));
    // Whoever reads this, root too, gets an error.
    std::os::unix::fs::symlink("/proc/self/mem", desk.inbox().join("new/1.bad.test")).unwrap();
    desk.deliver(&mail("ada@customer.test", "trouble"));
    assert_eq!(counts(&pass(&desk)), [2, 2, 0, 1]);
    assert_eq!(counts(&pass(&desk)), [0, 0, 0, 0]);
    assert_eq!(names(desk.inbox().join("new")), ["1.bad.test"]);
    assert_eq!(desk.issues().len(), 1);
}

#[test]
fn a_pass_that_finds_news_goes_on_over_the_connection_that_found_them() {
    let name = "first-once";
    let desk = desk(name, "");
    put(name, "old", 0, "");
    assert_eq!(counts(&pass(&desk)), [1, 1, 0, 0]);
    let logins = || {
        let log = MailServer::get().log();
        log.lines().filter(|line| line.contains("Login: ") && line.contains(&format!("<{name}>"))).count()
    };
    let before = logins();
    assert_eq!(counts(&pass(&desk)), [0, 0, 0, 0]);
    put(name, "news", 0, "");
    assert_eq!(counts(&pass(&desk)), [1, 1, 0, 0]);
    assert_eq!(logins(), before + 2, "one for each pass");
}
