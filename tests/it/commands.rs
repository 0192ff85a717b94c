//! The life of an issue by commands: each prints the thing that it changed.

use crate::support::{TestDesk, mail};
use serde_json::json;

/// Two issues in one project, and another project.
fn desk() -> TestDesk {
    let desk = TestDesk::between_maildirs("");
    desk.ok(&["project", "add", "acme/office"]);
    for subject in ["first", "second"] {
        desk.deliver(&mail("ada@customer.test", subject));
    }
    desk.ok(&["sync", "--once"]);
    desk
}

#[test]
fn an_issue_is_linked_split_forwarded_and_moved_by_commands() {
    let desk = desk();
    let (one, two) = ("acme/support#1", "acme/support#2");
    let linked = desk.json(&["issue", "link", one, two]);
    assert_eq!(linked[0]["ref"], one);
    assert_eq!(desk.json(&["issue", "show", two])["links"][0]["ref"], one);
    desk.ok(&["issue", "unlink", one, two]);
    assert_eq!(desk.json(&["issue", "show", two])["links"], json!([]));
    let noted = desk.json(&["issue", "note", one, "-m", "Which one?", "--status", "pending"]);
    assert_eq!((&noted["status"], &noted["state"]), (&json!("pending"), &json!("open")));
    let first = noted["notes"][0]["id"].to_string();
    let sent = desk.json(&["issue", "forward", one, &first, "--to", "vendor@printers.test", "-m", "Known?"]);
    let aside = sent["notes"].as_array().unwrap().iter().find(|note| !note["aside"].is_null()).unwrap();
    assert_eq!(aside["aside"], json!({"forwarded_to": "vendor@printers.test"}));
    let split = desk.json(&["issue", "split", one, &first, "--title", "The printer"]);
    assert_eq!((&split["ref"], &split["title"]), (&json!("acme/support#3"), &json!("The printer")));
    let moved = desk.json(&["issue", "move", two, "acme/office"]);
    assert_eq!(moved[0]["ref"], "acme/office#1");
    let shown = desk.json(&["issue", "show", two]);
    assert_eq!((&shown["ref"], &shown["moved_from"]), (&json!("acme/office#1"), &json!([two])));
    desk.ok(&["undo"]);
    assert_eq!(desk.json(&["issue", "show", "acme/office#1"])["ref"], two);
}

#[test]
fn labels_milestones_and_rules_are_kept_by_commands() {
    let desk = desk();
    let project = ["--project", "acme/support"];
    let with = |arguments: &[&'static str]| [arguments, &project].concat();
    let label = desk.json(&with(&["label", "add", "bug", "colour=#d73a4a", "description=It breaks"]));
    assert_eq!(label["colour"], "#d73a4a");
    desk.ok(&["issue", "edit", "acme/support#1", "--label", "bug", "--milestone", "2.0"]);
    assert_eq!(desk.json(&with(&["label", "set", "bug", "name=defect"]))["issues"], 1);
    assert_eq!(desk.json(&["issue", "show", "acme/support#1"])["labels"], json!(["defect"]));
    desk.ok(&["undo"]);
    assert_eq!(desk.json(&with(&["label", "list"]))[0]["name"], "bug");
    assert_eq!(desk.json(&with(&["milestone", "set", "2.0", "due=2026-12-24"]))["due"], "2026-12-24");
    let shown = desk.json(&with(&["milestone", "show", "2.0"]));
    assert_eq!(
        (&shown["title"], &shown["issues"], &shown["progress"]),
        (&json!("2.0"), &json!(1), &json!(0))
    );
    assert_eq!(desk.run(&["label", "remove", "bug"]).code, 2, "which project is meant?");
    desk.ok(&with(&["milestone", "remove", "2.0"]));
    assert_eq!(desk.json(&with(&["milestone", "list"])), json!([]));
    let rule = desk.json(&with(&["rule", "add", "vip", "from:ada@", "--do", "/label ~vip"]));
    assert_eq!(
        (&rule[0]["name"], &rule[0]["on"], &rule[0]["position"]),
        (&json!("vip"), &json!("arrival"), &json!(1))
    );
    assert!(desk.ok(&with(&["rule", "test", "vip"])).contains("label it vip"));
    let file = desk.folder.path().join("mail.eml");
    std::fs::write(&file, mail("ada@customer.test", "third")).unwrap();
    let told = desk.json(&["deliver", "--dry-run", file.to_str().unwrap()]);
    assert_eq!(told[0]["rules"], json!(["the rule vip fits"]));
    assert!(desk.ok(&["rule", "test", "--mail", file.to_str().unwrap()]).contains("the rule vip fits"));
    assert_eq!(desk.issues().len(), 2, "a dry run writes nothing");
    desk.deliver(&mail("ada@customer.test", "third"));
    desk.ok(&["sync", "--once"]);
    assert_eq!(desk.json(&["issue", "show", "acme/support#3"])["labels"], json!(["vip"]));
    desk.ok(&with(&["rule", "set", "vip", "enabled=no"]));
    assert_eq!(desk.json(&with(&["rule", "show", "vip"]))["enabled"], false);
    desk.ok(&with(&["rule", "remove", "vip"]));
    assert_eq!(desk.json(&["rule", "list"]), json!([]));
}

#[test]
fn a_note_says_whom_it_goes_to_and_until_when_it_is_held() {
    let desk = desk();
    let one = "acme/support#1";
    let said = desk.ok(&["issue", "reply", one, "-m", "Which one?"]);
    assert_eq!(said, format!("{one}  first\n  goes to ada@customer.test\n"));
    let held = desk.ok(&["issue", "note", one, "-m", "Or that?", "--hold", "1h"]);
    assert!(held.starts_with(&format!("{one}  first\n  goes to ada@customer.test, held until 20")), "{held}");
    let internal = desk.ok(&["issue", "note", one, "-m", "Hm.", "--internal"]);
    assert_eq!(internal, format!("{one}  first\n  internal, goes to nobody outside\n"));
    desk.ok(&["issue", "edit", one, "--unsubscribe", "ada@customer.test"]);
    assert!(desk.ok(&["issue", "note", one, "-m", "Anybody?"]).ends_with("  goes to nobody\n"));
}

#[test]
fn whoever_looks_for_a_command_to_close_is_led_to_the_option() {
    let desk = desk();
    for (word, option) in [("close", "--close"), ("reopen", "--reopen"), ("label", "--label NAME")] {
        let said = desk.run(&["issue", word, "1"]);
        let hint = format!("hint: `deskbell issue edit REF {option}` does that\n");
        assert!(said.code == 2 && said.stderr.ends_with(&hint), "{said:?}");
    }
    assert!(!desk.run(&["issue", "frobnicate"]).stderr.contains("issue edit REF"));
}

#[test]
fn a_due_date_is_taken_in_the_words_of_the_screens() {
    let desk = desk();
    let due =
        |words: &str| desk.json(&["issue", "edit", "acme/support#1", "--due", words])[0]["due_at"].clone();
    assert!(due("friday").as_str().unwrap().ends_with("T23:59:59Z"));
    assert!(due("3d").is_string());
    assert_eq!(due("2036-12-24"), "2036-12-24T23:59:59Z");
    assert_eq!(due("2036-12-24T10:00:00Z"), "2036-12-24T10:00:00Z");
    assert_eq!(due("none"), json!(null));
    let said = desk.run(&["issue", "edit", "acme/support#1", "--due", "whenever"]);
    assert!(said.code == 2 && said.stderr.contains("hint: write friday, "), "{said:?}");
    let history = desk.ok(&["issue", "history", "acme/support#1"]);
    assert!(history.contains('Z') && !history.contains('.'), "seconds are enough: {history}");
}
