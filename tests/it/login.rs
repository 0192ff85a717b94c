//! Signing in by OAuth2: through a provider's stand-in, into a real Dovecot and a real Postfix.

use crate::support::{
    MailServer, Said, TestDesk,
    provider::{self, Provider, browse, get, no, redirected},
    said, wait_for,
    web::Reply,
};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::{ChildStderr, Command, Stdio},
    thread,
};

/// A desk whose mailbox and outlet live on tokens of `provider`, on the real servers.
pub fn desk(name: &str, provider: &Provider, auth: &str) -> TestDesk {
    let server = MailServer::get();
    server.user(name);
    let keys = provider.keys("custom");
    TestDesk::new(&format!(
        "[mailbox.support]\naddress = \"{name}+%{{key}}@desk.test\"\nhost = \"127.0.0.1\"\nport = {}\n\
         ssl = false\nuser = \"{name}\"\nauth = \"{auth}\"\nproject = \"acme/support\"\n{keys}\
         [smtp]\nhost = \"127.0.0.1\"\nport = {}\nca_file = \"{}\"\nuser = \"{name}\"\nauth = \"{auth}\"\n\
         from = \"{name}@desk.test\"\nundo_window = 0\n{keys}",
        server.imap_port(),
        server.smtps_port(),
        server.ca_file().display(),
    ))
}

/// Starts `login` and gives what it says line by line.
fn start(desk: &TestDesk, arguments: &[&str]) -> (std::process::Child, BufReader<ChildStderr>) {
    let mut command: Command = desk.command(&[&["login"], arguments].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    (child, stderr)
}

/// Reads until a line begins with a blank and `http`.
fn page(stderr: &mut BufReader<ChildStderr>) -> String {
    let mut all = String::new();
    loop {
        let mut line = String::new();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "there was no page: {all}");
        if line.trim_start().starts_with("http") {
            return line.trim().to_owned();
        }
        all += &line;
    }
}

fn end(child: std::process::Child, mut stderr: BufReader<ChildStderr>) -> Said {
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    Said { stderr: rest, ..Said::from(output) }
}

/// Looks once, which must fail; gives why.
fn failure(desk: &TestDesk) -> String {
    let said = desk.run(&["sync", "--once", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    report["mailboxes"][0]["error"].as_str().unwrap_or_else(|| panic!("it went well: {report}")).to_owned()
}

/// Everything that a desk wrote and said, but for the tokens' own files, which nobody else can read.
fn shows_no_token(desk: &TestDesk, said: &[&Said]) {
    let mut texts: Vec<String> = said.iter().map(|said| format!("{said:?}")).collect();
    texts.push(desk.log());
    for text in texts {
        assert!(!text.contains("s3cret"), "a token is shown: {text}");
    }
    let folder = desk.data().join("tokens");
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
}

#[test]
fn a_code_on_another_device_lets_the_desk_into_its_mailbox_and_outlet() {
    for (name, auth) in [("token-x", "xoauth2"), ("token-b", "oauthbearer")] {
        let provider = Provider::start(name);
        // As large as Microsoft's become.
        provider.with(|state| state.length = 5000);
        provider.with(|state| state.device_says.extend(["authorization_pending", "authorization_pending"]));
        let desk = desk(name, &provider, auth);
        let before = desk.run(&["doctor"]);
        assert!(before.stdout.contains("nobody has signed in yet"), "{before:?}");
        assert!(before.stdout.contains("cure: run `deskbell login support`"), "{before:?}");
        let said = desk.run(&["login", "support"]);
        assert_eq!(said.code, 0, "{said:?}");
        for words in ["https://provider.example/device", "ABCD-EFGH", "good for 15 minutes"] {
            assert!(said.stderr.contains(words), "{words}: {said:?}");
        }
        // One account, one application, one scope: one grant for both.
        assert!(said.stdout.contains(&format!("Signed in as {name} for support, smtp")), "{said:?}");
        desk.ok(&["project", "add", "acme/support"]);
        let mail = format!(
            "From: ada@customer.test\nTo: {name}@desk.test\nMessage-ID: <1@{name}>\nSubject: hello\n\nhello\n"
        );
        MailServer::get().deliver(name, mail.as_bytes());
        let report = desk.json(&["sync", "--once"]);
        assert_eq!(report["mailboxes"][0]["new"], 1, "{report}");
        assert_eq!(report["outbox"]["sent"], 1, "{report}\n{}", desk.log());
        let status = desk.status();
        assert_eq!(status["sign_ins"][0]["user"], name);
        assert_eq!(status["sign_ins"][0]["renewable"], true);
        assert!(status["sign_ins"][0]["token_ends_at"].is_string(), "{status}");
        let doctor = desk.run(&["doctor"]);
        assert!(doctor.stdout.contains("ok   sign-in support: as token-"), "{doctor:?}");
        assert_eq!(provider.grants().len(), 3);
        shows_no_token(&desk, &[&before, &said, &doctor]);
    }
}

#[test]
fn a_refused_token_is_renewed_once_and_the_new_refresh_token_kept() {
    let provider = Provider::start("token-renew");
    let desk = desk("token-renew", &provider, "xoauth2");
    desk.ok(&["login", "smtp", "--device"]);
    provider.grants();
    for _ in 0..2 {
        // Each time the one before is good no more, so that nothing but what was kept last can be of use.
        provider.end_tokens();
        let report = desk.json(&["sync", "--once"]);
        assert_eq!(report["mailboxes"][0]["error"], serde_json::Value::Null, "{report}");
        assert_eq!(provider.grants(), ["refresh_token"]);
    }
    // Once it is over nobody is let in, and it is said what to do.
    provider.end_sign_in();
    let error = failure(&desk);
    assert!(error.contains("the sign-in has ended: invalid_grant: AADSTS70000"), "{error}");
    assert!(error.contains("run `deskbell login support`"), "{error}");
    // Signing in anew mends it.
    desk.ok(&["login", "support"]);
    assert_eq!(desk.json(&["sync", "--once"])["mailboxes"][0]["error"], serde_json::Value::Null);
    shows_no_token(&desk, &[]);
}

#[test]
fn a_token_that_ends_is_renewed_before_it_is_used() {
    let provider = Provider::start("token-short");
    provider.with(|state| state.expires_in = Some(60));
    let desk = desk("token-short", &provider, "xoauth2");
    desk.ok(&["login", "support"]);
    provider.with(|state| state.expires_in = None);
    provider.grants();
    desk.json(&["sync", "--once"]);
    assert_eq!(provider.grants(), ["refresh_token"]);
    // Of one whose end nobody knows the server has to say that it is over.
    desk.json(&["sync", "--once"]);
    assert!(provider.grants().is_empty());
}

#[test]
fn a_provider_out_of_order_is_a_passing_trouble() {
    let provider = Provider::start("token-out");
    let desk = desk("token-out", &provider, "xoauth2");
    desk.ok(&["login", "support"]);
    provider.end_tokens();
    for (reply, words) in [
        (Reply::status(503), "the token cannot be renewed: the provider answers with status 503"),
        (Reply::Breaks(b"{".to_vec()), "the token cannot be renewed: the request failed"),
        (Reply::Nothing, "the token cannot be renewed: the request failed"),
        (Reply::Says(200, vec![], vec![b'x'; 200_000]), "the answer is too large"),
        (Reply::json(200, &serde_json::json!({"access_token": 7})), "cannot be understood"),
        (Reply::Says(400, vec![], b"<html>s3cret".to_vec()), "cannot be understood"),
        (no("invalid_client"), "invalid_client"),
    ] {
        provider.with(|state| state.first.push_back(reply));
        let said = desk.run(&["sync", "--once", "--json"]);
        assert!(said.stdout.contains(words) && !said.stdout.contains("s3cret"), "{words}: {said:?}");
    }
    // None of it has cost the grant.
    let report = desk.json(&["sync", "--once"]);
    assert_eq!(report["mailboxes"][0]["error"], serde_json::Value::Null, "{report}");
}

#[test]
fn processes_that_renew_at_once_lose_no_token() {
    let provider = Provider::start("token-many");
    let desk = desk("token-many", &provider, "xoauth2");
    desk.ok(&["login", "support"]);
    provider.grants();
    for _ in 0..3 {
        provider.end_tokens();
        let doctors: Vec<Said> = thread::scope(|scope| {
            let running: Vec<_> =
                (0..4).map(|_| scope.spawn(|| said(&mut desk.command(&["doctor"])))).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        // Whoever used a refresh token a second time would have ended the sign-in for all.
        for doctor in doctors {
            assert!(doctor.stdout.contains("ok   mailbox support: login: as token-many"), "{doctor:?}");
            assert!(doctor.stdout.contains("ok   outlet smtp"), "{doctor:?}");
        }
        assert_eq!(provider.grants(), ["refresh_token"]);
    }
}

#[test]
fn a_browser_brings_the_code_back_and_strangers_change_nothing() {
    let provider = Provider::start("token-web");
    provider.with(|state| state.client_secret = Some("app-s3cret".to_owned()));
    let desk = desk("token-web", &provider, "xoauth2");
    let (child, mut stderr) = start(&desk, &["support", "--browser"]);
    let page = page(&mut stderr);
    let back = redirected(&page);
    let ours = back.split("/?").next().unwrap().to_owned();
    assert!(ours.starts_with("http://127.0.0.1:"), "{back}");
    let place = ours.strip_prefix("http://").unwrap();
    // Whoever knows the port and not the state is turned away, and it goes on.
    let forged = format!("{ours}/?code=stolen&state=guess");
    assert!(get(&forged).starts_with("HTTP/1.1 400 "));
    assert!(get(&format!("{ours}/favicon.ico")).starts_with("HTTP/1.1 404 "));
    assert!(get(&format!("{ours}/?error=access_denied")).starts_with("HTTP/1.1 400 "));
    let mut rebound = TcpStream::connect(place).unwrap();
    let path = back.strip_prefix(&ours).unwrap();
    write!(rebound, "GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n").unwrap();
    let mut answer = String::new();
    rebound.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    // Some say nothing, some too much; nobody waits for them.
    let silent: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(place).unwrap()).collect();
    let mut flood = TcpStream::connect(place).unwrap();
    let _ = flood.write_all(&vec![b'x'; 100_000]);
    let done = get(&back);
    assert!(done.contains("You can close this page") && !done.contains("code"), "{done}");
    let said = end(child, stderr);
    assert_eq!(said.code, 0, "{said:?}");
    drop(silent);
    assert_eq!(desk.json(&["sync", "--once"])["mailboxes"][0]["error"], serde_json::Value::Null);
    shows_no_token(&desk, &[&said]);
}

#[test]
fn a_served_desk_goes_on_as_soon_as_somebody_has_signed_in() {
    let provider = Provider::start("token-wake");
    let desk = desk("token-wake", &provider, "xoauth2");
    let serving = desk.sync();
    let state = |state: &'static str| {
        wait_for(state, || (desk.status()["mailboxes"][0]["state"] == state).then_some(()));
    };
    state("failing");
    let hint = desk.status()["mailboxes"][0]["hint"].as_str().unwrap().to_owned();
    assert_eq!(hint, "run `deskbell login support`");
    // The next try would be in a minute.
    provider.with(|state| state.refresh_expires_in = Some(3 * 24 * 3600 + 1800));
    desk.ok(&["login", "support"]);
    state("ok");
    // A sign-in that is limited is said ahead.
    let notices = desk.status()["notices"].to_string();
    assert!(notices.contains("the sign-in of support ends at"), "{notices}");
    let status = desk.run(&["status"]);
    assert!(status.stdout.contains("ends in 3d; run `deskbell login support`"), "{status:?}");
    serving.stop();
}

#[test]
fn what_cannot_be_signed_in_is_said_with_its_cure() {
    let provider = Provider::start("token-no");
    let desk = desk("token-no", &provider, "xoauth2");
    for (code, words) in [
        ("access_denied", "somebody said no there"),
        ("expired_token", "the code was not used in time"),
        ("invalid_scope", "check scope"),
    ] {
        provider.with(|state| state.device_says.push_back(code));
        let said = desk.run(&["login", "support"]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.stderr.contains(code) && said.stderr.contains(words), "{said:?}");
    }
    provider.with(|state| state.page_says = Some("access_denied"));
    let (child, mut stderr) = start(&desk, &["support", "--browser"]);
    assert!(browse(&page(&mut stderr)).contains("Nobody was signed in"));
    let said = end(child, stderr);
    assert!(said.code == 1 && said.stderr.contains("access_denied The user said no"), "{said:?}");
    provider.with(|state| state.client_id = "another".to_owned());
    let said = desk.run(&["login", "support"]);
    assert!(said.stderr.contains("invalid_client") && said.stderr.contains("check client_id"), "{said:?}");
    assert!(!desk.data().join("tokens").exists());
    let said = desk.run(&["login", "nobody"]);
    assert!(said.code == 2 && said.stderr.contains("there is support, smtp"), "{said:?}");
    for (keys, words) in [
        ("password = \"x\"", "logs in with a password"),
        ("auth = \"xoauth2\"\ntoken_command = \"echo x\"", "come from the config"),
        ("auth = \"xoauth2\"", "nothing says who gives it"),
        ("auth = \"xoauth2\"\noauth = { provider = \"google\" }", "has no client_id"),
    ] {
        desk.configure(&format!("[smtp]\nhost = \"127.0.0.1\"\nuser = \"u\"\n{keys}\n"));
        let said = desk.run(&["login", "smtp"]);
        assert!(said.code != 0 && said.stderr.contains(words), "{words}: {said:?}");
        assert!(said.stderr.contains("hint: "), "{said:?}");
    }
}

#[test]
fn a_token_command_is_run_again_for_a_token_that_was_refused() {
    let provider = Provider::start("token-cmd");
    let server = MailServer::get();
    server.user("token-cmd");
    let desk = TestDesk::new("");
    let count = desk.folder.path().join("count");
    let token = provider::good_token("token-cmd");
    // The first one that it prints is stale.
    let command = format!(
        "n=$(cat {0} 2>/dev/null || echo 0); echo $((n+1)) > {0}; [ $n = 0 ] && echo stale || echo {token}",
        count.display()
    );
    desk.configure(&format!(
        "[mailbox.support]\naddress = \"token-cmd@desk.test\"\nproject = \"acme/support\"\nhost = \"127.0.0.1\"\n\
         port = {}\nssl = false\nuser = \"token-cmd\"\nauth = \"xoauth2\"\ntoken_command = \"{command}\"\n",
        server.imap_port()
    ));
    let report = desk.json(&["sync", "--once"]);
    assert_eq!(report["mailboxes"][0]["error"], serde_json::Value::Null, "{report}");
    assert_eq!(fs::read_to_string(&count).unwrap().trim(), "2");
    // One that prints the same again is not tried again.
    fs::write(&count, "0").unwrap();
    let stale = command.replace(&token, "stale");
    desk.configure(
        &fs::read_to_string(desk.config())
            .unwrap()
            .replace(&command, &stale)
            .replace("[me]\nuser = \"alice\"\n", ""),
    );
    let doctor = desk.run(&["doctor"]);
    assert!(doctor.stdout.contains("see what token_command prints"), "{doctor:?}");
    assert_eq!(fs::read_to_string(&count).unwrap().trim(), "2");
    drop(provider);
}
