//! Which config counts, and what is said where there is none.

use crate::support::TestDesk;

#[test]
fn a_config_that_is_named_must_be_there() {
    let desk = TestDesk::between_maildirs("");
    let nowhere = desk.folder.path().join("nowhere.toml").display().to_string();
    let asked: [&[&str]; 3] = [
        &["--config", &nowhere, "sync", "--once"],
        &["issue", "list", "--config", &nowhere],
        &["status", "--json", "--config", &nowhere],
    ];
    for arguments in asked {
        let said = desk.run(arguments);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
        assert!(said.stderr.starts_with(&format!("error: there is no file {nowhere}\nhint: ")), "{said:?}");
        assert!(said.stderr.contains(&format!("deskbell init --config {nowhere}")), "{said:?}");
    }
    let said = desk.run(&["--config", &nowhere, "doctor"]);
    assert!(said.code == 1 && said.stdout.contains("FAIL config: there is none at "), "{said:?}");
    let init = [
        "init",
        "--config",
        &nowhere,
        "--offline",
        "--address",
        "help@desk.test",
        "--imap-host",
        "127.0.0.1",
    ];
    let more = [
        "--smtp-host",
        "127.0.0.1",
        "--project",
        "acme/support",
        "--password-env",
        "SECRET",
        "--me",
        "alice",
    ];
    desk.ok(&[&init[..], &more[..]].concat());
    assert_eq!(desk.run(&["--config", &nowhere, "issue", "list"]).code, 0, "init writes it");
}

#[test]
fn a_desk_without_a_config_says_so_and_how_to_write_one() {
    let desk = TestDesk::new("");
    std::fs::remove_file(desk.config()).unwrap();
    let words = format!("there is no config at {}; `deskbell init` writes one", desk.config().display());
    for arguments in [["status"].as_slice(), &["sync", "--once"], &["sync", "--once", "--json"]] {
        let said = desk.run(arguments);
        assert_eq!((said.code, said.stderr), (0, format!("note: {words}\n")), "{arguments:?}");
    }
    assert_eq!(desk.json(&["status"])["mailboxes"], serde_json::json!([]));
    desk.configure("");
    assert_eq!(desk.run(&["status"]).stderr, "", "an empty one is one");
}

#[test]
fn the_program_prints_a_config_with_every_key_and_says_where_one_needs_it() {
    let desk = TestDesk::new("[ui]\ntheem = \"dark\"\n");
    let example = desk.ok(&["init", "--example"]);
    assert_eq!(example, include_str!("../../config.example.toml"));
    assert!(example.contains("maildir"));
    let said = desk.run(&["status"]);
    assert_eq!(said.code, 2);
    let hint = "hint: did you mean `theme`? `deskbell init --example` shows every key\n";
    assert!(said.stderr.ends_with(hint), "{said:?}");
}
