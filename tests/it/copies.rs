//! Copies of the desk: a restored one is the same one, and so are the files made from both.

use crate::support::{TestDesk, mail, said};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn files(dir: &Path, below: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(dir, &path, found);
        } else {
            found.insert(path.strip_prefix(dir).unwrap().display().to_string(), fs::read(&path).unwrap());
        }
    }
}

/// Runs a command on another data dir with the same config.
fn elsewhere(desk: &TestDesk, data: &Path, arguments: &[&str]) -> String {
    let mut command = desk.command(&[]);
    command.args(["--data-dir", data.to_str().unwrap()]).args(arguments);
    let said = said(&mut command);
    assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
    said.stdout
}

#[test]
fn a_restored_desk_shows_and_exports_the_very_same() {
    let desk = TestDesk::between_maildirs("");
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let quoted = [mail("ada@customer.test", "first"), b"From where I stand.\r\n".to_vec()].concat();
    for mail in [quoted, mail("ada@customer.test", "second"), mail("ada@customer.test", "third")] {
        desk.deliver(&mail);
    }
    desk.ok(&["sync", "--once"]);
    fs::write(at("notes.txt"), "a file").unwrap();
    let one = "acme/support#1";
    desk.ok(&[
        "issue",
        "note",
        one,
        "-m",
        "From here on.\n\nFrom there.",
        "--attach",
        &text(&at("notes.txt")),
    ]);
    desk.ok(&["issue", "note", one, "-m", "For us.", "--internal"]);
    desk.ok(&["issue", "edit", "acme/support#2", "--label", "bug", "--close"]);
    desk.ok(&["sync", "--once"]);

    fs::write(at("desk.backup"), "not to be lost").unwrap();
    let refused = desk.run(&["backup", &text(&at("desk.backup"))]);
    assert!(refused.code == 1 && refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(fs::read_to_string(at("desk.backup")).unwrap(), "not to be lost");
    desk.ok(&["backup", "--force", &text(&at("desk.backup"))]);
    let other = at("restored");
    elsewhere(&desk, &other, &["restore", &text(&at("desk.backup"))]);
    for number in 1..=3 {
        let reference = format!("acme/support#{number}");
        let here: Value = desk.json(&["issue", "show", &reference]);
        let there = elsewhere(&desk, &other, &["--json", "issue", "show", &reference]);
        assert_eq!(here, serde_json::from_str::<Value>(&there).unwrap(), "{reference}");
    }
    desk.ok(&["export", &text(&at("one"))]);
    elsewhere(&desk, &other, &["export", &text(&at("two"))]);
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    files(&at("one"), &at("one"), &mut first);
    files(&at("two"), &at("two"), &mut second);
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, content) in &first {
        assert_eq!(String::from_utf8_lossy(content), String::from_utf8_lossy(&second[name]), "{name}");
    }
    let markdown = String::from_utf8_lossy(&first["acme/support/1/issue.md"]).into_owned();
    for part in
        ["---\nref: \"acme/support#1\"", "participants: [\"ada@customer.test\"]", "For us.", "](attachments/"]
    {
        assert!(markdown.contains(part), "{part} in {markdown}");
    }
    assert!(
        first
            .keys()
            .any(|name| name.starts_with("acme/support/1/attachments/") && name.ends_with("notes.txt"))
    );
    let mbox = String::from_utf8_lossy(&first["acme/support/1/mails.mbox"]).into_owned();
    assert!(mbox.contains("\nFrom deskbell ") && mbox.contains("\n>From where"), "{mbox}");

    // Exported again over the older one, it is what the desk is now.
    desk.ok(&["issue", "edit", "acme/support#2", "--title", "Another title"]);
    desk.ok(&["export", &text(&at("one"))]);
    let mut again = BTreeMap::new();
    files(&at("one"), &at("one"), &mut again);
    assert_eq!(again.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
}
