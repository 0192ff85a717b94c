//! The demo: a week of mail on a desk that is gone afterwards.

use crate::support::TestDesk;
use serde_json::Value;

#[test]
fn the_week_comes_in_and_looks_lived_in() {
    let desk = TestDesk::new("");
    let tmp = desk.folder.path().join("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let output = desk.command(&["demo", "--list", "--json"]).env("TMPDIR", &tmp).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("–").to_owned();
    let me = String::from_utf8(std::process::Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let title: String = text(row, "title").chars().take(36).collect();
            let who = text(row, "assignee").replace(me.trim(), "me");
            let labels = row["labels"].as_array().unwrap().iter().map(|l| l.as_str().unwrap());
            let labels = labels.collect::<Vec<_>>().join(",");
            format!(
                "{} {} {} {who} {title} {labels}",
                row["iid"],
                text(row, "state"),
                text(row, "waiting_on")
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(std::fs::read_dir(&tmp).unwrap().count(), 0, "the throw-away desk is gone");
    assert!(!desk.data().exists(), "the real desk is left alone");
}

#[test]
fn a_kept_demo_is_a_desk_like_any_other() {
    let desk = TestDesk::new("");
    let kept = desk.folder.path().join("kept");
    let said = desk.run(&["demo", "--list", "--keep", kept.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("Cannot log in since the update"), "{said:?}");
    assert!(said.stderr.contains("The desk is kept: deskbell --config "), "{said:?}");
    let path = |name: &str| kept.join(name).display().to_string();
    let (config, data) = (path("config.toml"), path("desk"));
    let on_it = |more: &[&str]| {
        let said = desk.run(&[&["--config", &config, "--data-dir", &data], more].concat());
        assert_eq!(said.code, 0, "{more:?}: {said:?}");
        said.stdout
    };
    let issue = on_it(&["issue", "show", "brightwater/support#5"]);
    assert!(issue.contains("assigned to mia") && issue.contains("INTERNAL"), "{issue}");
    assert!(on_it(&["issue", "list", "is:spam"]).contains("NOT on page 1"));
    assert!(on_it(&["issue", "list", "is:snoozed"]).contains("Zaokrąglanie"));
    // No screen of it is empty.
    let list = |words: &[&str]| -> Vec<Value> {
        serde_json::from_str(&on_it(&[words, &["--json"]].concat())).unwrap()
    };
    assert_eq!(list(&["project", "list"]).len(), 2);
    assert!(!list(&["issue", "list", "project:brightwater/billing"]).is_empty());
    assert!(!list(&["issue", "list", "milestone:4.3"]).is_empty());
    assert_eq!(list(&["canned", "list"]).len(), 2);
    assert_eq!(list(&["rule", "list"]).len(), 1);
    let labels = list(&["label", "list", "--project", "brightwater/support"]);
    assert!(labels.iter().any(|label| label["about"]["colour"] == "#d73a4a" || label["colour"] == "#d73a4a"));
    let users = list(&["user", "list"]);
    assert!(users.iter().all(|user| !user["emails"].as_array().unwrap().is_empty()), "{users:?}");
    let intake: Vec<Value> = serde_json::from_str(&on_it(&["intake", "list", "--json"])).unwrap();
    assert!(intake.iter().all(|entry| entry["fate"] != "quarantined" && entry["fate"] != "unroutable"));
    let outbox: Vec<Value> = serde_json::from_str(&on_it(&["outbox", "list", "--json"])).unwrap();
    let state = |wanted: &str| outbox.iter().filter(|row| row["state"] == wanted).count();
    assert!(state("sent") > 20 && state("bounced") > 0);
    assert_eq!(state("sent") + state("bounced"), outbox.len(), "nothing is left over");
    assert!(on_it(&["doctor"]).lines().all(|line| line.starts_with("ok ")));

    let again = desk.run(&["demo", "--list", "--keep", kept.to_str().unwrap()]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("is not empty\nhint: "), "{again:?}");
}

#[test]
fn the_screens_of_the_demo_need_a_terminal() {
    let said = TestDesk::new("").run(&["demo"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("hint: `deskbell demo --list`"), "{said:?}");
}
