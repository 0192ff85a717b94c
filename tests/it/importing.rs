//! What other desks kept is taken over once, as it stood there, and nobody is mailed for it.

use crate::support::{TestDesk, mail};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn note(id: u64, author: u64, name: &str, text: &str, further: Value) -> Value {
    let mut note = json!({
        "id": id, "author_id": author, "author": {"name": name}, "note": text, "system": false,
        "created_at": format!("2021-03-0{}T08:00:00.000Z", id), "noteable_type": "Issue",
    });
    note.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    note
}

fn issues(second: bool) -> String {
    let mut notes = vec![
        note(3, 7, "GitLab Support Bot", "It still fails.", json!({})),
        note(2, 5, "Mia M", "We look into it.", json!({})),
        note(4, 5, "Mia M", "A known customer.", json!({"internal": true})),
        note(5, 5, "Mia M", "changed the title", json!({"system": true})),
    ];
    if second {
        notes.push(note(6, 9, "Gone Person", "One more.", json!({})));
    }
    let ticket = json!({
        "id": 40, "iid": 12, "project_id": 5, "title": "The printer burns", "author_id": 7,
        "description": format!("See ![photo](/uploads/{SECRET}/photo.png)"), "state": "closed",
        "created_at": "2021-03-01T08:00:00.000Z", "updated_at": "2021-03-09T08:00:00.000Z",
        "closed_at": "2021-03-08T08:00:00.000Z", "confidential": true, "due_date": "2021-04-01", "weight": 3,
        "time_estimate": 3600, "timelogs": [{"time_spent": 600}, {"time_spent": 60}],
        "milestone": {"title": "v1"}, "label_links": [{"label": {"title": "bug"}}],
        "issue_assignees": [{"user_id": 5}], "issue_email_participants": [{"email": "ada@customer.test"}],
        "notes": notes,
    });
    let plain = json!({
        "id": 41, "iid": 11, "project_id": 5, "title": "Clean up", "author_id": 5, "state": "opened",
        "description": null, "created_at": "2021-03-02T08:00:00.000Z", "notes": [], "milestone": null,
    });
    format!("{ticket}\n{plain}\n{{\"id\": 42, \"iid\": \"broken\n")
}

pub fn archive(dir: &Path, second: bool) -> PathBuf {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
    };
    add("./VERSION", b"0.2.4");
    add("./tree/project/issues.ndjson", issues(second).as_bytes());
    let member = json!({"user": {"id": 5, "username": "mia", "public_email": null}});
    add("./tree/project/project_members.ndjson", format!("{member}\n").as_bytes());
    add(
        "./tree/project/labels.ndjson",
        b"{\"title\":\"bug\",\"color\":\"#d73a4a\",\"description\":\"It breaks\"}\n",
    );
    add(
        "./tree/project/milestones.ndjson",
        b"{\"title\":\"v1\",\"due_date\":\"2021-05-01\",\"state\":\"active\"}\n",
    );
    add(&format!("./uploads/{SECRET}/photo.png"), b"not really a photo");
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    builder.append_link(&mut link, format!("uploads/{SECRET}/passwd"), "/etc/passwd").unwrap();
    let path = dir.join(if second { "second.tar.gz" } else { "first.tar.gz" });
    let file = fs::File::create(&path).unwrap();
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packer.write_all(&builder.into_inner().unwrap()).unwrap();
    packer.finish().unwrap();
    path
}

fn import(desk: &TestDesk, kind: &str, path: &Path) -> (i32, Value) {
    let said = desk.run(&["--json", "import", kind, path.to_str().unwrap(), "--project", "acme/support"]);
    (said.code, serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{said:?}")))
}

#[test]
fn an_export_of_gitlab_is_taken_over_once_with_people_files_and_numbers() {
    let desk = TestDesk::between_maildirs("");
    desk.ok(&["user", "add", "mia", "--full-name", "Mia M", "--email", "mia@desk.test"]);
    let dir = tempfile::tempdir().unwrap();
    let (code, counts) = import(&desk, "gitlab", &archive(dir.path(), false));
    assert_eq!((code, &counts["new"], &counts["notes"]), (3, &json!(2), &json!(6)), "{counts}");
    assert_eq!((&counts["labels"], &counts["milestones"]), (&json!(1), &json!(1)));
    let failed = counts["failed"].to_string();
    assert!(failed.contains("link") && failed.contains("line 3"), "{failed}");

    let issue = desk.json(&["issue", "show", "acme/support#12"]);
    let wanted = [
        ("type", json!("ticket")),
        ("title", json!("The printer burns")),
        ("state", json!("closed")),
        ("confidential", json!(true)),
        ("labels", json!(["bug"])),
        ("milestone", json!("v1")),
        ("assignee", json!("mia")),
        ("weight", json!(3)),
        ("spent", json!(660)),
        ("unread", json!(0)),
        ("created_at", json!("2021-03-01T08:00:00Z")),
        ("closed_at", json!("2021-03-08T08:00:00Z")),
    ];
    for (name, value) in wanted {
        assert_eq!(issue[name], value, "{name}");
    }
    assert_eq!(issue["participants"][0]["email"], "ada@customer.test");
    let notes: Vec<(String, String)> = issue["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| (note["kind"].as_str().unwrap().to_owned(), note["author"]["user"].to_string()))
        .collect();
    let kinds: Vec<&str> = notes.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["incoming", "reply", "incoming", "internal", "system"]);
    assert_eq!((notes[1].1.as_str(), notes[2].1.as_str()), ("\"mia\"", "\"support-bot\""));
    let first = issue["notes"][0]["id"].to_string();
    let out = dir.path().join("photo");
    desk.ok(&["issue", "attachment", "acme/support#12", &first, "photo.png", "-o", out.to_str().unwrap()]);
    assert_eq!(fs::read(out).unwrap(), b"not really a photo");
    assert_eq!(desk.json(&["issue", "show", "acme/support#11"])["type"], "issue");

    // Again: nothing twice; what is new over there comes along.
    let (_, counts) = import(&desk, "gitlab", &archive(dir.path(), false));
    assert_eq!((&counts["new"], &counts["known"], &counts["notes"]), (&json!(0), &json!(2), &json!(0)));
    let (_, counts) = import(&desk, "gitlab", &archive(dir.path(), true));
    assert_eq!((&counts["new"], &counts["notes"]), (&json!(0), &json!(1)));
    assert_eq!(desk.json(&["issue", "list"]).as_array().unwrap().len(), 2);
    assert_eq!(desk.json(&["outbox", "list"]), json!([]));
    desk.deliver(&mail("eve@customer.test", "new"));
    desk.ok(&["sync", "--once"]);
    assert_eq!(desk.json(&["issue", "list"])[0]["ref"], "acme/support#13");

    fs::write(dir.path().join("no.tar.gz"), "no archive").unwrap();
    let said = desk.run(&[
        "import",
        "gitlab",
        dir.path().join("no.tar.gz").to_str().unwrap(),
        "--project",
        "acme/support",
    ]);
    assert!(said.code == 1 && said.stderr.contains("tree/project/issues.ndjson"), "{said:?}");
}

#[test]
fn mboxes_and_maildirs_go_through_the_intake_silently_and_once() {
    let desk = TestDesk::between_maildirs("");
    let dir = tempfile::tempdir().unwrap();
    let mbox = dir.path().join("old.mbox");
    let one = "From x@y.test Mon Mar  1 08:00:00 2021\nFrom: Ada <ada@customer.test>\nTo: old@elsewhere.test\n\
               Subject: one\nMessage-ID: <1@c.test>\n\nFirst.\n\n";
    let two = "From x@y.test Mon Mar  1 09:00:00 2021\nFrom: Ada <ada@customer.test>\nTo: old@elsewhere.test\n\
               Subject: Re: one\nMessage-ID: <2@c.test>\nIn-Reply-To: <1@c.test>\n\nSecond.\n\n";
    fs::write(&mbox, format!("{one}{two}")).unwrap();
    let maildir = dir.path().join("maildir");
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    fs::write(
        maildir.join("cur/1:2,S"),
        "From: Eve <eve@c.test>\nSubject: other\nMessage-ID: <3@c.test>\n\nHi.\n",
    )
    .unwrap();
    let (code, entries) = import(&desk, "mbox", &mbox);
    assert_eq!(code, 0);
    let fates = |entries: &Value| -> Vec<String> {
        entries.as_array().unwrap().iter().map(|e| e["fate"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(fates(&entries), ["issue", "note"]);
    assert_eq!(fates(&import(&desk, "mbox", &mbox).1), ["duplicate", "duplicate"]);
    assert_eq!(fates(&import(&desk, "maildir", &maildir).1), ["issue"]);
    assert_eq!(desk.json(&["issue", "list"]).as_array().unwrap().len(), 2);
    assert_eq!(desk.json(&["outbox", "list"]), json!([]));
    let wrong = desk.run(&["import", "maildir", mbox.to_str().unwrap(), "--project", "acme/support"]);
    assert_eq!(wrong.code, 2);
}
