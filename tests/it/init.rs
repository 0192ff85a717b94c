//! `init`, against a real Dovecot and Postfix: from an address to a desk that takes mail.

use crate::support::{MailServer, NameServer, Said, TestDesk};
use std::os::unix::fs::PermissionsExt;

/// A desk without a config.
fn nothing() -> TestDesk {
    let desk = TestDesk::new("");
    std::fs::remove_file(desk.config()).unwrap();
    desk
}

/// Runs `init` for an account of the test's own, with flags changed or added: the last of a name counts.
fn init(desk: &TestDesk, name: &str, change: &[(&str, &str)]) -> Said {
    let server = MailServer::get();
    server.user(name);
    let (imap, smtp) = (server.imaps_port().to_string(), server.smtps_port().to_string());
    let ca = server.ca_file().display().to_string();
    let address = format!("{name}@desk.test");
    let mut flags = vec![
        ("--address", address.as_str()),
        ("--project", "acme/support"),
        ("--imap-host", "127.0.0.1"),
        ("--imap-port", &imap),
        ("--smtp-host", "127.0.0.1"),
        ("--smtp-port", &smtp),
        ("--user", name),
        ("--password-command", "echo secret"),
        ("--ca-file", &ca),
        ("--me", "alice"),
    ];
    flags.retain(|(flag, _)| !change.iter().any(|(changed, _)| changed == flag));
    flags.extend(change.iter().filter(|(_, value)| *value != "-"));
    let words = flags.iter().flat_map(|(flag, value)| [*flag, *value]).filter(|word| !word.is_empty());
    desk.run(&std::iter::once("init").chain(words).collect::<Vec<_>>())
}

#[test]
fn an_address_and_a_password_make_a_desk_that_takes_mail() {
    let desk = nothing();
    let said = init(&desk, "init-well", &[]);
    assert_eq!(said.code, 0, "{said:?}");
    for words in [
        "Wrote ",
        "you are alice there",
        "ok   round trip support: a mail to init-well+acme-support-1-issue-@desk.test came back in ",
        "Publish this address:\n  init-well+acme-support-1-issue-@desk.test\nAnyone who knows it can open issues.",
    ] {
        assert!(said.stdout.contains(words), "{words}\n{}", said.stdout);
    }
    let mode = desk.config().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(desk.config()).unwrap();
    assert!(
        !text.contains("\"secret\"") && text.lines().filter(|line| line.contains('#')).count() > 8,
        "{text}"
    );
    let names = format!("{text}\n[spam]\nname_server = \"{}\"\n", NameServer::start(&[]).address());
    std::fs::write(desk.config(), names).unwrap();
    assert!(desk.ok(&["doctor"]).lines().all(|line| line.starts_with("ok   ")));
    desk.ok(&["sync", "--once"]);
    assert!(desk.issues().is_empty() && desk.outbox().is_empty());
    assert_eq!(desk.json(&["user", "list"])[0]["name"], "alice");
}

#[test]
fn a_mailbox_without_keys_needs_no_round_trip_and_json_tells_it_all() {
    let desk = nothing();
    let said = init(&desk, "init-plain", &[("--plus", "false"), ("--json", "")]);
    assert_eq!(said.code, 0, "{said:?}");
    let done: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(done["address"], "init-plain@desk.test");
    assert_eq!(done["project"]["path"], "acme/support");
    assert_eq!(done["user"], "alice");
    assert!(done["checks"].as_array().unwrap().iter().all(|check| check["ok"] == true), "{done}");
}

#[test]
fn what_fails_is_one_error_with_its_cure_and_nothing_is_written() {
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let closed = closed.to_string();
    let desk = nothing();
    for (change, code, error, hint) in [
        (
            vec![("--password-command", "echo wrong")],
            1,
            "error: mailbox support: login: login of init-faults failed: ",
            "check user and password; many providers want an app password",
        ),
        (
            vec![("--ca-file", "-")],
            1,
            "error: mailbox support: TLS: ",
            "nobody this machine trusts has signed the certificate",
        ),
        (vec![("--imap-port", &*closed)], 1, "error: mailbox support: connection: ", "check host and port"),
        (
            vec![("--imap-host", "no.such.host.invalid")],
            1,
            "error: mailbox support: DNS: ",
            "spelling of host",
        ),
        (vec![("--smtp-port", &*closed)], 1, "error: outlet smtp: connection: ", "check host and port"),
        (
            vec![("--imap-host", "192.0.2.1"), ("--tls", "none"), ("--offline", "")],
            2,
            "error: there is no file nowhere.pem",
            "correct --ca-file",
        ),
        (vec![("--project", "a b")], 2, "error: `a b` cannot be a project", "group/name"),
        (vec![("--password-env", "X")], 2, "error: the password is given in two ways", "keep one of"),
        (
            vec![("--password-command", "-")],
            2,
            "error: there is no terminal to ask on, and no --password-command",
            "flags",
        ),
        (
            vec![("--address", "-"), ("--project", "-")],
            2,
            "error: there is no terminal to ask on, and no --address, no --project\n",
            "give these flags",
        ),
    ] {
        let mut change = change;
        if error.contains("nowhere.pem") {
            change.push(("--ca-file", "nowhere.pem"));
        }
        let said = init(&desk, "init-faults", &change);
        assert_eq!(said.code, code, "{error}\n{said:?}");
        assert!(said.stderr.starts_with(error), "{error}\n{said:?}");
        let hints: Vec<&str> = said.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
        assert!(hints.len() == 1 && hints[0].contains(hint), "{hint}\n{said:?}");
        assert!(!desk.config().exists() && !desk.data().exists(), "{error}: something was written");
    }
}

#[test]
fn a_config_that_is_there_is_never_lost() {
    let desk = TestDesk::new("# mine\n");
    let before = std::fs::read_to_string(desk.config()).unwrap();
    let offline = ("--offline", "");
    let said = init(&desk, "init-force", &[offline]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.starts_with("error: there is a config already: "), "{said:?}");
    assert!(said.stderr.contains("--force replaces it and keeps the old one"), "{said:?}");
    assert_eq!(std::fs::read_to_string(desk.config()).unwrap(), before);
    let said = init(&desk, "init-force", &[offline, ("--force", "")]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(std::fs::read_to_string(desk.config().with_extension("toml.bak")).unwrap(), before);
    assert!(std::fs::read_to_string(desk.config()).unwrap().contains("init-force+%{key}@desk.test"));
}

#[test]
fn an_address_at_a_provider_without_passwords_gets_a_config_to_sign_in_with() {
    let flags = ["init", "--project", "acme/support", "--offline", "--me", "alice", "--client-id", "11-22"];
    for (address, provider, device) in
        [("support@acme.onmicrosoft.com", "microsoft", true), ("acme.support@gmail.com", "google", false)]
    {
        let desk = nothing();
        let said = desk.run(&[&flags[..], &["--address", address]].concat());
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.stdout.contains("Sign in with `deskbell login support`"), "{said:?}");
        let text = std::fs::read_to_string(desk.config()).unwrap();
        let line = format!("oauth = {{ provider = \"{provider}\", client_id = \"11-22\" }}");
        // For the mailbox and for the outlet.
        assert_eq!(text.matches(&line).count(), 2, "{text}");
        if !device {
            let login = desk.run(&["login", "support", "--device"]);
            assert!(login.stderr.contains("lets no devices in by a code"), "{login:?}");
        }
    }
    let desk = nothing();
    let said = desk.run(&[&flags[..], &["--address", "help@fastmail.com"]].concat());
    assert!(said.code == 2 && said.stderr.contains("nobody knows where to sign in"), "{said:?}");
    let both = ["--address", "a@gmail.com", "--password-command", "x"];
    let said = desk.run(&[&flags[..], &both].concat());
    assert!(said.code == 2 && said.stderr.contains("given in two ways"), "{said:?}");
}
