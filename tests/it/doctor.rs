//! `doctor`, against a real Dovecot and Postfix: what is well, what is not, and its cure.

use crate::support::{Akismet, KEY, MailServer, NameServer, Rspamd, TestDesk, said};

/// The config of a desk at the servers of the tests, for an account of the test's own.
fn config(name: &str) -> String {
    let server = MailServer::get();
    server.user(name);
    let ca = server.ca_file().display().to_string();
    format!(
        "[mailbox.support]\naddress = \"{name}+%{{key}}@desk.test\"\nhost = \"127.0.0.1\"\nport = {}\n\
         user = \"{name}\"\npassword_command = \"echo secret\"\nca_file = \"{ca}\"\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"{name}\"\npassword_command = \"echo secret\"\n\
         ca_file = \"{ca}\"\nfrom = \"{name}@desk.test\"\n\
         [spam]\nname_server = \"{}\"\n",
        server.imaps_port(),
        server.smtps_port(),
        NameServer::start(&[]).address()
    )
}

/// A port of this machine on which nobody listens.
fn closed_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn every_step_of_a_sound_desk_is_ok_and_the_round_trip_leaves_no_issue() {
    let desk = TestDesk::new(&config("doctor-well"));
    desk.ok(&["project", "add", "acme/support"]);
    let out = desk.ok(&["doctor", "--round-trip"]);
    assert!(out.lines().all(|line| line.starts_with("ok   ")), "{out}");
    for step in [
        "config: ",
        "data dir: ",
        "sync: none runs",
        "mailbox support: DNS: 127.0.0.1",
        "mailbox support: TLS: from the start",
        "mailbox support: login: as doctor-well",
        "mailbox support: folder: INBOX, ",
        "mailbox support: IDLE: ",
        "outlet smtp: 127.0.0.1:",
        "templates acme/support: the built-in ones",
        "spam services: none is on",
        "authentication: name server: it answers",
        "round trip support: a mail to doctor-well+acme-support-1-issue-@desk.test came back in ",
    ] {
        assert!(out.contains(&format!("ok   {step}")), "{step}\n{out}");
    }
    desk.ok(&["sync", "--once"]);
    assert_eq!(desk.intake()[0]["fate"], "ignored");
    assert!(desk.issues().is_empty() && desk.outbox().is_empty());
}

#[test]
fn the_round_trip_is_found_by_a_sync_that_takes_the_mail_away() {
    let deleting = config("doctor-served").replace("[smtp]", "after_delivery = \"delete\"\n[smtp]");
    let desk = TestDesk::new(&deleting);
    desk.ok(&["project", "add", "acme/support"]);
    let serving = desk.sync();
    let out = desk.ok(&["doctor", "--round-trip"]);
    assert!(out.contains(&format!("ok   sync: process {} serves the desk", serving.pid())), "{out}");
    assert!(out.contains("ok   round trip support: "), "{out}");
    assert!(desk.issues().is_empty());
    serving.stop();
}

#[test]
fn what_fails_is_said_with_its_cure() {
    let server = MailServer::get();
    let sound = config("doctor-faults");
    let ca = format!("ca_file = \"{}\"\n", server.ca_file().display());
    let imaps = format!("port = {}\n", server.imaps_port());
    let smtps = format!("port = {}\n", server.smtps_port());
    let closed = format!("port = {}\n", closed_port());
    let (mailbox, outlet) = sound.split_once("[smtp]").unwrap();
    let outlet = format!("[smtp]{outlet}");
    let spam = &outlet[outlet.find("[spam]").unwrap()..];
    let (url, controller) = Rspamd::get().urls();
    let wrong = |text: &str| text.replace("echo secret", "echo wrong");
    let cases = [
        (
            wrong(mailbox) + &outlet,
            "FAIL mailbox support: login: login of doctor-faults failed: ",
            "check user and password; many providers want an app password",
        ),
        (
            mailbox.replace(&ca, "") + &outlet,
            "FAIL mailbox support: TLS: ",
            "nobody this machine trusts has signed the certificate",
        ),
        (
            mailbox.replace(&imaps, &closed) + &outlet,
            "FAIL mailbox support: connection: ",
            "check host and port, and whether a firewall lets it through",
        ),
        (
            mailbox.replace("127.0.0.1", "no.such.host.invalid") + &outlet,
            "FAIL mailbox support: DNS: ",
            "check the spelling of host, and the network",
        ),
        (
            mailbox.replace("user = ", "mailbox = \"None\"\nuser = ") + &outlet,
            "FAIL mailbox support: folder: ",
            "`mailbox` names the folder",
        ),
        (
            mailbox.to_owned() + &wrong(&outlet),
            "FAIL outlet smtp: login: login of doctor-faults failed: 535 ",
            "check user and password",
        ),
        (
            mailbox.to_owned() + &outlet.replace(&smtps, &closed),
            "FAIL outlet smtp: connection: ",
            "check host and port",
        ),
        (
            mailbox.to_owned() + &outlet.replace(&ca, ""),
            "FAIL outlet smtp: TLS: ",
            "nobody this machine trusts has signed the certificate",
        ),
        (
            mailbox.replace("echo secret", "exit 3") + &outlet,
            "FAIL mailbox support: password: ",
            "run it by hand: exit 3",
        ),
        (mailbox.to_owned() + spam, "FAIL outlets: none in the config", "add a section [smtp]"),
        (
            sound.clone()
                + &format!(
                    "rspamd = {{ enabled = true, url = \"{url}\", controller_url = \"{controller}\" }}\n"
                ),
            "FAIL spam service rspamd: controller: it answers 401: Unauthorized",
            "password_env must name a variable with the controller's password",
        ),
        (
            sound.replace("name_server = ", "timeout = \"300ms\"\nname_server = \"127.0.0.1:9\" # "),
            "FAIL authentication: name server: ",
            "name a server (name_server in [spam])",
        ),
    ];
    let desk = TestDesk::new("");
    for (config, fault, cure) in cases {
        desk.configure(&config);
        let said = desk.run(&["doctor"]);
        assert_eq!(said.code, 1, "{said:?}");
        let failures: Vec<&str> = said.stdout.lines().filter(|line| line.starts_with("FAIL")).collect();
        assert!(failures.len() == 1 && failures[0].starts_with(fault), "{fault}\n{}", said.stdout);
        let cures: Vec<&str> = said.stdout.lines().filter(|line| line.starts_with("     cure: ")).collect();
        assert!(cures.len() == 1 && cures[0].contains(cure), "{cure}\n{}", said.stdout);
    }
}

#[test]
fn whoever_is_asked_about_spam_is_looked_at() {
    let (akismet, (url, controller)) = (Akismet::start(), Rspamd::get().urls());
    let services = format!(
        "[spam]\nauthentication = false\n\
         akismet = {{ enabled = true, key_env = \"AKISMET_KEY\", site = \"https://desk.example/\", endpoint = \"{}\" }}\n\
         rspamd = {{ enabled = true, url = \"{url}\", controller_url = \"{controller}\", password_env = \"CONTROLLER\" }}\n",
        akismet.endpoint()
    );
    let desk = TestDesk::between_maildirs(&services);
    let asked = |key: &str| {
        let mut command = desk.command(&["doctor"]);
        said(command.env("AKISMET_KEY", key).env("CONTROLLER", env!("CARGO_PKG_NAME")))
    };
    let well = asked(KEY);
    for step in
        ["akismet: key: it is good", "rspamd: worker: it answers", "rspamd: controller: it lets us teach"]
    {
        assert!(
            well.code == 0 && well.stdout.contains(&format!("ok   spam service {step}")),
            "{step}: {well:?}"
        );
    }
    let wrong = asked("no-such-key");
    assert!(wrong.code == 1 && !wrong.stdout.contains("no-such-key"), "{wrong:?}");
    assert!(
        wrong
            .stdout
            .contains("FAIL spam service akismet: key: it answers `invalid`\n     cure: check the key"),
        "{wrong:?}"
    );
}

#[test]
fn a_config_that_is_wrong_or_missing_is_a_step_that_fails() {
    let desk = TestDesk::new("[ui]\ntheem = \"dark\"\n");
    let said = desk.run(&["doctor"]);
    assert_eq!(said.code, 1);
    assert!(
        said.stdout.contains("config.toml:4: there is no key `theem` here\n     cure: did you mean `theme`? `deskbell init --example`"),
        "{said:?}"
    );
    let keys = TestDesk::new("[keys.list]\n\"b\" = \"clsoe\"\n");
    let said = keys.run(&["doctor"]);
    assert_eq!(said.code, 1);
    assert!(said.stdout.contains("there is no action `clsoe`; did you mean `close`? (line 4)"), "{said:?}");
    std::fs::remove_file(desk.config()).unwrap();
    let said = desk.run(&["doctor"]);
    assert_eq!(said.code, 1);
    assert!(said.stdout.contains("FAIL config: there is none at "), "{said:?}");
    assert!(said.stdout.contains("     cure: `deskbell init` writes one"), "{said:?}");
    assert!(!desk.data().exists(), "looking makes no desk");
}

#[test]
fn what_only_a_config_tells_is_skipped_where_none_can_be_read() {
    let desk = TestDesk::new("[ui]\ntheem = \"dark\"\n");
    let skipped = |said: &crate::support::Said| {
        let lines: Vec<String> =
            said.stdout.lines().filter(|line| line.starts_with("skip")).map(str::to_owned).collect();
        lines
    };
    let of_no_use = |step: &str| format!("skip {step}: the config is of no use");
    let said = desk.run(&["doctor"]);
    let steps = ["mailboxes", "outlets", "spam services"];
    assert_eq!((said.code, skipped(&said)), (1, steps.map(of_no_use).to_vec()), "{said:?}");
    assert!(!said.stdout.contains("none in the config"), "{said:?}");
    let told: Vec<serde_json::Value> = serde_json::from_str(&desk.run(&["doctor", "--json"]).stdout).unwrap();
    let outlets = told.iter().find(|step| step["step"] == "outlets").unwrap();
    assert_eq!((&outlets["ok"], &outlets["skipped"]), (&false.into(), &true.into()));
    // What stands in the way of reading it is the reason, not that it is missing.
    std::fs::remove_file(desk.config()).unwrap();
    std::fs::create_dir(desk.config()).unwrap();
    let said = desk.run(&["doctor"]);
    assert!(said.stdout.contains("the config cannot be read: Is a directory"), "{said:?}");
    assert!(said.stdout.contains("     cure: check its owner and permissions"), "{said:?}");
    let below = desk.config().join("file");
    std::fs::write(&below, "").unwrap();
    let below = below.join("config.toml").display().to_string();
    let said = desk.run(&["doctor", "--config", &below]);
    assert!(said.stdout.contains("the config cannot be read: Not a directory"), "{said:?}");
    assert_eq!(desk.run(&["issue", "list", "--config", &below]).code, 2);
    std::fs::remove_dir_all(desk.config()).unwrap();
    let said = desk.run(&["doctor"]);
    let missing = ["skip mailboxes: there is no config", "skip outlets: there is no config"];
    assert_eq!((said.code, skipped(&said)), (1, missing.map(str::to_owned).to_vec()), "{said:?}");
}

#[test]
fn templates_are_read_and_their_placeholders_known() {
    let desk = TestDesk::between_maildirs("[spam]\nauthentication = false\n");
    let folder = desk.folder.path().join("letters");
    let set = format!("templates_dir={}", folder.display());
    desk.ok(&["project", "set", "acme/support", &set]);
    let said = desk.run(&["doctor"]);
    assert_eq!(said.code, 1);
    assert!(said.stdout.contains("letters is no folder\n     cure: make the folder"), "{said:?}");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("thank_you.md"), "Thanks for %{ISSUE_ID}, %{CUSTOMER}. %{CUSTOMER}!\n")
        .unwrap();
    let said = desk.run(&["doctor", "--json"]);
    assert_eq!(said.code, 1);
    let steps: Vec<serde_json::Value> = serde_json::from_str(&said.stdout).unwrap();
    let failed: Vec<_> = steps.iter().filter(|step| step["ok"] == false).collect();
    assert_eq!(failed.len(), 1, "{said:?}");
    assert_eq!(failed[0]["step"], "templates acme/support");
    assert!(
        failed[0]["detail"].as_str().unwrap().ends_with("thank_you.md: nothing is known for %{CUSTOMER}")
    );
    assert!(failed[0]["cure"].as_str().unwrap().starts_with("known are ISSUE_ID"));
    std::fs::write(folder.join("thank_you.md"), "Thanks for %{ISSUE_ID}.\n").unwrap();
    assert!(desk.ok(&["doctor"]).contains("ok   templates acme/support: 1 of its own"));
}
