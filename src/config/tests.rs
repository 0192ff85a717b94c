use super::*;
use std::time::Duration;

const EXAMPLE: &str = include_str!("../../config.example.toml");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "/etc/desk/config.toml".as_ref())
}

fn mailbox(keys: &str) -> Result<MailboxConfig, ConfigError> {
    let base = "[mailbox.a]\naddress = \"in+%{key}@x.example\"\nhost = \"imap.x.example\"\nuser = \"u\"\n";
    parse(&format!("{base}{keys}")).map(|mut config| config.mailboxes.remove("a").unwrap())
}

fn error(text: &str) -> String {
    let error = parse(text).unwrap_err();
    let text = format!("{error} | {}", error.hint.as_deref().unwrap_or_default());
    text.trim_end_matches(" | ").to_owned()
}

#[test]
fn the_example_is_a_config() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.mailboxes.len(), 3);
    assert_eq!(config.outlets.len(), 4);
    let support = &config.mailboxes["support"];
    assert_eq!(support.address.to_string(), "contact+%{key}@example.com");
    let SourceConfig::Imap(imap) = &support.source else { panic!("{support:?}") };
    assert_eq!(imap.server.ca_file.as_deref(), Some("/etc/desk/ca.pem".as_ref()));
    assert_eq!(config.outlet(None).unwrap().undo_window, Duration::from_secs(10));
}

/// The reader names all keys of a section when it meets an unknown one.
fn keys_of(section: &str, body: &str) -> Vec<String> {
    let text = format!("[{section}]\nno_such_key = 1\n{body}");
    let text = if section == "command" { format!("[[command]]\nno_such_key = 1\n{body}") } else { text };
    let error = toml::from_str::<File>(&text).unwrap_err();
    error.message().split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_example_shows_every_key() {
    for section in [
        "mailbox.a",
        "smtp",
        "serve",
        "web",
        "spam",
        "ui",
        "keys",
        "notify",
        "command",
        "hooks",
        "me",
        "pgp",
        "smime",
    ] {
        let keys = keys_of(section, "");
        assert!(!keys.is_empty(), "{section}");
        for key in keys {
            let shown = EXAMPLE.lines().any(|line| {
                let line = line.trim_start_matches("# ");
                line.starts_with(&format!("{key} =")) || line == format!("[keys.{key}]")
            });
            assert!(shown, "{section}.{key} is not in config.example.toml");
        }
    }
}

#[test]
fn an_empty_hook_that_rules_could_run_is_none() {
    let config = parse("[hooks]\nnamed = { page = \"ring\", log = \" \" }\n").unwrap();
    assert_eq!(config.hooks.named.keys().collect::<Vec<_>>(), ["page"]);
}

#[test]
fn without_a_file_the_desk_has_no_mailboxes() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Config::load(Some(&folder.path().join("none.toml"))), Ok(Config::default()));
    assert_eq!(Config::load(None), Ok(Config::default()));
    assert!(Config::load(Some(folder.path())).is_err());
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest() {
    let all = [
        error("[ui]\nmouse = true\nkeympa = \"vim\"\n"),
        error("[mailboxes.a]\nx = 1\n"),
        error("[mailbox.a]\naddress = \"a@b.example\"\n\nhots = \"x\"\n"),
        error("[mailbox.a]\nauth = \"xoauth\"\n"),
        error("[smtp]\nundo_window = \"soon\"\n"),
        error("[smtp\n"),
    ];
    insta::assert_snapshot!(all.join("\n").replace("/etc/desk/config.toml", ""), @r#"
    :3: there is no key `keympa` here | did you mean `keymap`? `deskbell init --example` shows every key
    :1: there is no key `mailboxes` here | did you mean `mailbox`? `deskbell init --example` shows every key
    :4: there is no key `hots` here | did you mean `host`? `deskbell init --example` shows every key
    :2: unknown variant `xoauth`, expected one of `login`, `plain`, `xoauth2`, `oauthbearer`
    :2: `soon` is not a length of time like "10s", "15m" or "1d"
    :1: unclosed table, expected `]`
    "#);
}

#[test]
fn a_key_that_makes_no_sense_is_named_with_its_line_and_a_cure() {
    let all = [
        error("[mailbox.a]\nhost = \"h\"\naddress = \"x+%{key}%{key}@b.example\"\n"),
        error("[mailbox.a]\naddress = \"a@b.example\"\nuser = \"u\"\n"),
        error("[smtp]\nhost = \"smtp.x.example\"\nssl = false\n"),
        error("[smtp]\nhost = \"h\"\nuser = \"u\"\npassword = \"p\"\npassword_env = \"P\"\n"),
        error("[smtp]\nhost = \"h\"\nfrom = \"Desk <a@b>, x\"\n"),
        error("[web]\nlisten = \"8380\"\nbase_url = \"x\"\n"),
        error("[outlet.smtp]\nmethod = \"maildir\"\n"),
        error(
            "[outlet.acme]\nmethod = \"maildir\"\n[mailbox.a]\ninbox_method = \"maildir\"\npath = \"p\"\naddress = \"a@b.example\"\noutlet = \"acne\"\n",
        ),
    ];
    insta::assert_snapshot!(all.join("\n").replace("/etc/desk/config.toml", ""), @r#"
    :3: mailbox.a.address: `x+%{key}%{key}@b.example`: `%{key}` may stand in it only once | write the address that reaches this mailbox: address = "contact+%{key}@example.com"
    :1: mailbox.a.host: it is missing | write the server's name: host = "mail.example.com"
    :3: smtp.ssl: without TLS, the password would go to smtp.x.example in the clear | set ssl = true or start_tls = true; allow_plaintext = true insists
    :4: smtp.password: the secret is given in more than one way | keep one of password_command, password_env, password and token_command
    :3: smtp.from: `Desk <a@b>, x` is not an email address | write the bare address; the display name is a setting of the project
    :2: web.listen: `8380` is not an address and a port | write 127.0.0.1:8380
    :2: outlet.smtp.method: this name belongs to the section [smtp]
    :7: mailbox.a.outlet: there is no [outlet.acne] | did you mean `acme`?
    "#);
}

#[test]
fn two_mailboxes_that_read_one_folder_are_refused() {
    let one = |name: &str, keys: &str| {
        format!(
            "[mailbox.{name}]\naddress = \"{name}@x.example\"\nhost = \"imap.x.example\"\nuser = \"u\"\n{keys}\n"
        )
    };
    let text = one("a", "")
        + &one("b", "host = \"IMAP.x.example\"\nmailbox = \"inbox\"").replacen(
            "host = \"imap.x.example\"\n",
            "",
            1,
        );
    assert!(error(&text).contains("another mailbox reads the same folder"), "{}", error(&text));
    assert!(parse(&(one("a", "") + &one("b", "mailbox = \"Other\""))).is_ok());
    assert!(parse(&(one("a", "") + &one("b", "enabled = false"))).is_ok());
}

#[test]
fn plaintext_is_for_this_machine_or_for_who_insists() {
    assert!(mailbox("ssl = false").is_err());
    assert!(mailbox("ssl = true\nstart_tls = true").is_err());
    for (keys, encryption, port) in [
        ("", Encryption::Implicit, 993),
        ("start_tls = true", Encryption::StartTls, 143),
        ("ssl = false\nstart_tls = true\nport = 1143", Encryption::StartTls, 1143),
        ("ssl = false\nallow_plaintext = true", Encryption::Plaintext, 143),
    ] {
        let SourceConfig::Imap(imap) = mailbox(keys).unwrap().source else { panic!("{keys}") };
        assert_eq!((imap.server.encryption, imap.server.port), (encryption, port), "{keys}");
    }
    assert!(parse("[smtp]\nhost = \"127.0.0.1\"\nssl = false\n").is_ok());
}

#[test]
fn the_words_of_gitlab_for_deleting_are_understood() {
    for (keys, expected) in [
        ("", AfterDelivery::Seen),
        ("delete_after_delivery = true", AfterDelivery::Delete { expunge: false }),
        ("delete_after_delivery = true\nexpunge_deleted = true", AfterDelivery::Delete { expunge: true }),
        ("delete_after_delivery = false\nexpunge_deleted = true", AfterDelivery::Seen),
        ("after_delivery = \"delete\"", AfterDelivery::Delete { expunge: true }),
        ("after_delivery = \"move:Done/2026\"", AfterDelivery::Move("Done/2026".into())),
    ] {
        assert_eq!(mailbox(keys).unwrap().after_delivery, expected, "{keys}");
    }
    assert!(mailbox("after_delivery = \"seen\"\ndelete_after_delivery = true").is_err());
    assert!(mailbox("after_delivery = \"burn\"").is_err());
}

#[test]
fn a_secret_comes_from_one_place() {
    let source = |keys: &str| match mailbox(keys).unwrap().source {
        SourceConfig::Imap(imap) => imap.login.secret,
        other => panic!("{other:?}"),
    };
    assert_eq!(source(""), SecretSource::Absent);
    assert_eq!(source("password = \"p\""), SecretSource::Given(Secret::new("p")));
    assert_eq!(source("password_env = \"P\""), SecretSource::Env("P".into()));
    assert_eq!(source("auth = \"xoauth2\""), SecretSource::Stored);
    let command = SecretSource::Command { line: "t".into(), folder: "/etc/desk".into() };
    assert_eq!(source("auth = \"xoauth2\"\ntoken_command = \"t\""), command);
    assert_eq!(source("token_command = \"t\"\npassword_env = \"P\""), SecretSource::Env("P".into()));
}

#[test]
fn a_spam_service_that_could_not_work_is_refused() {
    let akismet = |keys: &str| error(&format!("[spam]\ntimeout = 5\nakismet = {{ {keys} }}\n"));
    let all = [
        akismet("enabled = true, site = \"https://x.example\""),
        akismet("enabled = true, key_env = \"KEY\", site = \"x.example\""),
        akismet("endpoint = \"http://rest.akismet.com/1.1\""),
        error("[spam]\nname_server = \"dns.example\"\n"),
        mailbox("trusted_spam_headers = [\"X-Spam-Flag\", \"x-spam-statsu\"]").unwrap_err().hint.unwrap(),
    ];
    insta::assert_snapshot!(all.join("\n").replace("/etc/desk/config.toml", ""), @r#"
    :3: spam.akismet: it has no key | name the environment variable that holds it: key_env = "AKISMET_KEY"
    :3: spam.akismet: it has no site | write your home page: site = "https://www.example.com"
    :3: spam.akismet: its endpoint would show the key to the network | write https:// before it
    :2: spam.name_server: `dns.example` is not an address and a port | write 127.0.0.1:53
    did you mean `x-spam-status`?
    "#);
    for fine in
        ["http://127.0.0.1:8080/1.1", "http://[::1]:80", "http://localhost", "https://akismet.example"]
    {
        assert!(parse(&format!("[spam]\nakismet = {{ endpoint = \"{fine}\" }}\n")).is_ok(), "{fine}");
    }
    assert_eq!(
        mailbox("trusted_spam_headers = [\"X-Spam-Flag\"]").unwrap().trusted_spam_headers,
        ["x-spam-flag"]
    );
    assert!(mailbox("").unwrap().trusted_spam_headers.len() > 5);
    assert!(mailbox("trusted_spam_headers = []").unwrap().trusted_spam_headers.is_empty());
}

#[test]
fn a_provider_is_known_and_may_stand_elsewhere() {
    let oauth = |keys: &str| {
        let keys = format!("auth = \"xoauth2\"\noauth = {{ {keys} }}");
        mailbox(&keys).map(|mailbox| match mailbox.source {
            SourceConfig::Imap(imap) => imap.login.oauth.unwrap(),
            other => panic!("{other:?}"),
        })
    };
    let google = oauth("provider = \"google\", client_id = \"c\", client_secret_command = \"s\"").unwrap();
    assert_eq!(google.token_url, "https://oauth2.googleapis.com/token");
    assert_eq!((google.device_url, google.scope.as_str()), (None, "https://mail.google.com/"));
    assert_eq!(google.client_secret, SecretSource::Command { line: "s".into(), folder: "/etc/desk".into() });
    let microsoft = oauth("provider = \"microsoft\", client_id = \"c\"").unwrap();
    let place = "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode";
    assert_eq!(microsoft.device_url.as_deref(), Some(place));
    assert!(microsoft.scope.ends_with(" offline_access") && !microsoft.scope.contains("  "));
    assert_eq!(microsoft.client_secret, SecretSource::Absent);
    // In a national cloud nothing of the usual places is asked.
    let elsewhere =
        oauth("provider = \"microsoft\", token_url = \"https://login.microsoftonline.us/t/token\"").unwrap();
    assert_eq!((elsewhere.auth_url, elsewhere.device_url), (None, None));
    for (keys, words) in [
        (
            "provider = \"custom\", token_url = \"http://t.example/token\"",
            "would show secrets to the network",
        ),
        ("provider = \"custom\", auth_url = \"t.example\"", "is no address of a web service"),
        ("provider = \"microsoft\", tenant = \"a/../b\"", "is no tenant"),
        ("provider = \"yahoo\"", "unknown variant"),
        ("provider = \"custom\", secret = \"x\"", "no key `secret`"),
    ] {
        let error = oauth(keys).unwrap_err();
        assert!(error.message.contains(words), "{keys}: {error:?}");
    }
    assert!(oauth("provider = \"custom\", token_url = \"http://127.0.0.1:9/token\"").is_ok());
    let text = "[oauth]\ntokens = \"keyring\"\n[smtp]\nhost = \"h.example\"\nuser = \"u\"\nauth = \"xoauth2\"\n\
                oauth = { provider = \"google\" }\n";
    let config = Config::parse(text, "/etc/deskbell/config.toml".as_ref()).unwrap();
    let keeping = |config: &Config| {
        config.outlets[DEFAULT_OUTLET].method.login().unwrap().oauth.as_ref().unwrap().keeping
    };
    assert_eq!(keeping(&config), Keeping::Keyring);
    let config =
        Config::parse(text.split_once('\n').unwrap().1.split_once('\n').unwrap().1, "/c.toml".as_ref())
            .unwrap();
    assert_eq!(keeping(&config), Keeping::Auto);
}
