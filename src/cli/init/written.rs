//! The config as `init` writes it: short, with a word about everything that one may want to change.

use super::wanted::{Application, Password, Place, Wanted, insists};
use crate::config::{Encryption, quoted};
use crate::domain::Fault;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Writes the text of the config.
pub(super) fn text(wanted: &Wanted) -> String {
    let mut out = String::from(
        "# Written by `deskbell init`. `deskbell doctor` tells whether it works; `deskbell init --example` shows \
         every key.\n# What the desk itself holds (projects, staff, settings) is not here: see `deskbell \
         project`, `user`, `desk`.\n",
    );
    if let Some(me) = &wanted.me {
        section(&mut out, "me", &[("user", quoted(me), "who acts; without it, the system user")]);
    }
    section(&mut out, "mailbox.support", &mailbox(wanted));
    section(&mut out, "smtp", &outlet(wanted));
    out
}

type Line = (&'static str, String, &'static str);

fn mailbox(wanted: &Wanted) -> Vec<Line> {
    let (local, domain) = (wanted.address.local(), wanted.address.domain());
    let mut lines = Vec::new();
    if wanted.plus {
        let pattern = format!("{local}+%{{key}}@{domain}");
        lines.push(("address", quoted(&pattern), "%{key} tells projects and issues apart"));
        lines.push(("project", quoted(&wanted.project), "where mail without a key goes"));
    } else {
        lines.push(("address", quoted(wanted.address.as_str()), "without %{key}, one project per mailbox"));
        lines.push(("project", quoted(&wanted.project), "the one it belongs to"));
    }
    lines.extend(server(wanted, &wanted.imap));
    lines.push(("after_delivery", quoted("seen"), "seen | delete | move:FOLDER | nothing"));
    lines.push(("silent_before", quoted("1d"), "first sync: older mail causes no mail to anyone"));
    lines
}

fn outlet(wanted: &Wanted) -> Vec<Line> {
    let mut lines = server(wanted, &wanted.smtp);
    lines.push(("from", quoted(wanted.address.as_str()), "what mail is from where no mailbox says it"));
    lines.push(("undo_window", quoted("10s"), "how long a send from the screen can be taken back"));
    lines
}

/// Gives the keys of a server and its login, which mailboxes and outlets have alike.
fn server(wanted: &Wanted, place: &Place) -> Vec<Line> {
    let mut lines = vec![("host", quoted(&place.host), ""), ("port", place.port.to_string(), "")];
    match place.encryption {
        Encryption::Implicit => lines.push(("ssl", "true".to_owned(), "TLS from the start")),
        Encryption::StartTls => lines.push(("start_tls", "true".to_owned(), "TLS by an upgrade")),
        Encryption::Plaintext => lines.push(("ssl", "false".to_owned(), "no TLS")),
    }
    if insists(place) {
        lines.push(("allow_plaintext", "true".to_owned(), "the password is seen by everyone on the way"));
    }
    if let Some(path) = &wanted.ca_file {
        lines.push(("ca_file", quoted(&path.display().to_string()), "a further authority to trust"));
    }
    lines.push(("user", quoted(&wanted.user), ""));
    lines.push(match &wanted.password {
        Password::Command(line) => ("password_command", quoted(line), "its first line is the password"),
        Password::Env(name) => ("password_env", quoted(name), "set it for `deskbell sync` as well"),
        Password::Given(text) => ("password", quoted(text), "password_command keeps it out of this file"),
        Password::Token(line) => ("token_command", quoted(line), "its first line is an access token"),
        Password::SignIn(application) => ("oauth", oauth(application), "`deskbell login` signs in"),
    });
    if wanted.token || matches!(wanted.password, Password::Token(_) | Password::SignIn(_)) {
        lines.push(("auth", quoted("xoauth2"), "the password is an access token"));
    }
    lines
}

fn oauth(application: &Application) -> String {
    let Application { provider, client_id, client_secret_command, tenant } = application;
    let mut keys = vec![("provider", quoted(provider)), ("client_id", quoted(client_id))];
    keys.extend(client_secret_command.as_ref().map(|line| ("client_secret_command", quoted(line))));
    keys.extend(tenant.as_ref().map(|tenant| ("tenant", quoted(tenant))));
    let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", keys.join(", "))
}

fn section(out: &mut String, name: &str, lines: &[Line]) {
    let _ = writeln!(out, "\n[{name}]");
    for (key, value, comment) in lines {
        let line = format!("{key} = {value}");
        let _ = match comment.is_empty() {
            true => writeln!(out, "{line}"),
            false => writeln!(out, "{line:<48} # {comment}"),
        };
    }
}

/// Writes the config for its owner only. One that is there is kept beside it if `replace`, else refused.
///
/// Gives where the old one is now.
pub(super) fn write(path: &Path, text: &str, replace: bool) -> Result<Option<PathBuf>, Fault> {
    refuse_existing(path, replace)?;
    let written = || -> io::Result<Option<PathBuf>> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let old = if path.exists() { Some(put_aside(path)?) } else { None };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(old)
    };
    written().map_err(|error| {
        Fault::refused(format!("the config {} cannot be written: {error}", path.display()))
            .hint("check the folder's owner and permissions, or say --config FILE")
    })
}

/// Refuses to touch a config that is there, unless it is to be replaced.
pub(super) fn refuse_existing(path: &Path, replace: bool) -> Result<(), Fault> {
    if replace || !path.exists() {
        return Ok(());
    }
    Err(Fault::refused(format!("there is a config already: {}", path.display())).hint(
        "`deskbell doctor` tells whether it works; --force replaces it and keeps the old one beside it",
    ))
}

/// Gives a file another name in its folder that no other file has.
fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut count = 1;
    loop {
        let number = if count == 1 { String::new() } else { count.to_string() };
        let aside = path.with_file_name(format!("{name}.bak{number}"));
        if !aside.exists() {
            fs::rename(path, &aside)?;
            return Ok(aside);
        }
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, OutletMethod, SecretSource, SourceConfig};
    use std::os::unix::fs::PermissionsExt;

    fn wanted() -> Wanted {
        let place = |host: &str, port| Place { host: host.into(), port, encryption: Encryption::Implicit };
        Wanted {
            address: "help@acme.example".parse().unwrap(),
            project: "acme/support".to_owned(),
            user: "help@acme.example".to_owned(),
            imap: place("imap.acme.example", 993),
            smtp: place("smtp.acme.example", 465),
            password: Password::Command("pass show 'acme \"desk\"'".to_owned()),
            token: false,
            ca_file: None,
            plus: true,
            me: Some("alice".to_owned()),
            advice: None,
        }
    }

    fn parsed(wanted: &Wanted) -> Config {
        Config::parse(&text(wanted), Path::new("/c/config.toml")).unwrap()
    }

    #[test]
    fn the_config_says_what_each_line_is_for() {
        insta::assert_snapshot!(text(&wanted()));
    }

    #[test]
    fn whatever_is_wanted_can_be_read_back() {
        let config = parsed(&wanted());
        assert_eq!(config.me.user.as_deref(), Some("alice"));
        let mailbox = &config.mailboxes["support"];
        assert_eq!(mailbox.address.to_string(), "help+%{key}@acme.example");
        let SourceConfig::Imap(imap) = &mailbox.source else { panic!("no imap") };
        let SecretSource::Command { line, .. } = &imap.login.secret else { panic!("no command") };
        assert_eq!(line, "pass show 'acme \"desk\"'");

        let hostile = Wanted {
            plus: false,
            me: None,
            token: true,
            user: "a\"b\\c\n[smtp]".to_owned(),
            password: Password::Given("\"\"\"'''\\u{7}\u{1}é".to_owned()),
            ca_file: Some("/tmp/a \"b\".pem".into()),
            imap: Place { host: "10.0.0.1".into(), port: 143, encryption: Encryption::Plaintext },
            smtp: Place { host: "localhost".into(), port: 587, encryption: Encryption::StartTls },
            ..wanted()
        };
        let config = parsed(&hostile);
        let mailbox = &config.mailboxes["support"];
        assert!(!mailbox.address.keyed && mailbox.project.as_deref() == Some("acme/support"));
        let SourceConfig::Imap(imap) = &mailbox.source else { panic!("no imap") };
        assert_eq!(imap.login.user, hostile.user);
        assert!(imap.login.auth.takes_token());
        let OutletMethod::Smtp(smtp) = &config.outlets["smtp"].method else { panic!("no smtp") };
        assert_eq!(smtp.server.encryption, Encryption::StartTls);
        assert_eq!(smtp.server.ca_file.as_deref(), Some(Path::new("/tmp/a \"b\".pem")));
        let SecretSource::Given(secret) = &smtp.login.as_ref().unwrap().secret else { panic!("no password") };
        assert_eq!(secret.reveal(), "\"\"\"'''\\u{7}\u{1}é");
    }

    #[test]
    fn whoever_signs_in_gets_a_config_that_says_where() {
        let application = Application {
            provider: "microsoft",
            client_id: "11-22".to_owned(),
            client_secret_command: Some("pass show \"app\"".to_owned()),
            tenant: Some("acme.example".to_owned()),
        };
        let config = parsed(&Wanted { password: Password::SignIn(application), ..wanted() });
        let SourceConfig::Imap(imap) = &config.mailboxes["support"].source else { panic!("no imap") };
        assert_eq!(imap.login.secret, SecretSource::Stored);
        let oauth = imap.login.oauth.as_ref().unwrap();
        assert_eq!(oauth.token_url, "https://login.microsoftonline.com/acme.example/oauth2/v2.0/token");
        let SecretSource::Command { line, .. } = &oauth.client_secret else { panic!("no command") };
        assert_eq!((oauth.client_id.as_str(), line.as_str()), ("11-22", "pass show \"app\""));
        let config = parsed(&Wanted { password: Password::Token("oama access x".to_owned()), ..wanted() });
        let SourceConfig::Imap(imap) = &config.mailboxes["support"].source else { panic!("no imap") };
        assert!(matches!(&imap.login.secret, SecretSource::Command { line, .. } if line == "oama access x"));
    }

    #[test]
    fn a_config_is_never_lost() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/config.toml");
        assert_eq!(write(&path, "# one\n", false).unwrap(), None);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let fault = write(&path, "# two\n", false).unwrap_err();
        assert!(fault.message.starts_with("there is a config already"), "{fault}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "# one\n");
        assert_eq!(write(&path, "# two\n", true).unwrap(), Some(dir.path().join("sub/config.toml.bak")));
        assert_eq!(write(&path, "# three\n", true).unwrap(), Some(dir.path().join("sub/config.toml.bak2")));
        let read = |name: &str| fs::read_to_string(dir.path().join("sub").join(name)).unwrap();
        assert_eq!(
            read("config.toml") + &read("config.toml.bak") + &read("config.toml.bak2"),
            "# three\n# one\n# two\n"
        );
    }
}
