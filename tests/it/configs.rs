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
