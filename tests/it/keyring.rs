//! Tokens in the keyring of a desktop: a real one, on a bus of its own.

use crate::login::desk;
use crate::support::{
    Said, TestDesk,
    keyring::{Session, in_front},
    provider::Provider,
    said,
};
use serde_json::Value;
use std::{ffi::OsStr, fs, os::unix::fs::PermissionsExt, time::Instant};

fn run(desk: &TestDesk, session: &Session, arguments: &[&str]) -> Said {
    said(session.surround(&mut desk.command(arguments)))
}

fn login(desk: &TestDesk, session: &Session) -> String {
    let said = run(desk, session, &["login", "support"]);
    assert_eq!(said.code, 0, "{said:?}\n{}", desk.log());
    assert!(!format!("{said:?}").contains("s3cret"));
    said.stdout
}

/// Looks once; gives why that failed, or an empty text.
fn look(desk: &TestDesk, session: &Session, path: Option<&OsStr>) -> String {
    let mut command = desk.command(&["sync", "--once", "--json"]);
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let said = said(session.surround(&mut command));
    let report: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {said:?}"));
    report["mailboxes"][0]["error"].as_str().unwrap_or_default().to_owned()
}

/// What the files of the grants say.
fn files(desk: &TestDesk) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(desk.data().join("tokens")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        text += &fs::read_to_string(entry.path()).unwrap();
    }
    text
}

fn keep_tokens_in(desk: &TestDesk, place: &str) {
    let config = fs::read_to_string(desk.config()).unwrap();
    let config = config.split("[oauth]").next().unwrap().to_owned();
    fs::write(desk.config(), format!("{config}[oauth]\ntokens = \"{place}\"\n")).unwrap();
}

#[test]
fn tokens_lie_in_the_keyring_are_renewed_there_and_no_file_has_any() {
    let session = Session::start();
    let provider = Provider::start("keyring-a");
    // As large as Microsoft's become.
    provider.with(|state| state.length = 5000);
    let desk = desk("keyring-a", &provider, "xoauth2");
    assert!(login(&desk, &session).contains("The tokens lie in the keyring\n"));
    provider.grants();
    for _ in 0..2 {
        assert_eq!(session.tokens().len(), 2);
        assert!(!files(&desk).contains("s3cret"), "{}", files(&desk));
        provider.end_tokens();
        assert_eq!(look(&desk, &session, None), "");
        assert_eq!(provider.grants(), ["refresh_token"]);
    }
    assert_eq!(desk.status()["sign_ins"][0]["kept_in"], "keyring");
    let doctor = run(&desk, &session, &["doctor"]);
    assert!(doctor.stdout.contains("as keyring-a, kept in the keyring, "), "{doctor:?}");
    assert!(!desk.log().contains("s3cret"));
    // Another desk of the same account has tokens of its own.
    let other = crate::login::desk("keyring-a", &provider, "xoauth2");
    login(&other, &session);
    assert_eq!(session.tokens().len(), 4);
    provider.end_tokens();
    assert_eq!((look(&desk, &session, None), look(&other, &session, None)), (String::new(), String::new()));
}

#[test]
fn a_locked_or_absent_keyring_is_said_with_its_cure() {
    let mut session = Session::start();
    let provider = Provider::start("keyring-l");
    let desk = desk("keyring-l", &provider, "xoauth2");
    login(&desk, &session);
    let cure = "or set tokens = \"file\" under [oauth] and run `deskbell login support` again";
    session.lock();
    let error = look(&desk, &session, None);
    assert!(error.contains("the keyring is locked") && error.contains(cure), "{error}");
    session.kill_keyring();
    let error = look(&desk, &session, None);
    assert!(error.contains("the keyring refuses: secret-tool: ") && error.contains(cure), "{error}");
    // Without the session.
    let doctor = desk.run(&["doctor"]);
    assert!(doctor.stdout.contains("this process has no session bus"), "{doctor:?}");
    session.unlock();
    assert_eq!(look(&desk, &session, None), "");
    // The cure works, and nothing is left in the keyring.
    keep_tokens_in(&desk, "file");
    assert_eq!(look(&desk, &session, None), "");
    assert!(login(&desk, &session).contains("The tokens lie in a file that only you can read\n"));
    assert!(session.tokens().is_empty(), "{:?}", session.tokens().len());
    session.kill_keyring();
    assert_eq!(look(&desk, &session, None), "");
}

#[test]
fn a_keyring_that_dies_between_costs_no_token_and_gets_them_back() {
    let mut session = Session::start();
    let provider = Provider::start("keyring-d");
    let desk = desk("keyring-d", &provider, "xoauth2");
    login(&desk, &session);
    provider.end_tokens();
    provider.grants();
    // It gives the refresh token out and does not live to take the new one.
    let script =
        format!("[ $1 = store ] && kill -9 $(cat {})\nexec $real \"$@\"", session.pid_file().display());
    let path = in_front(&desk.folder.path().join("bin"), &script);
    assert_eq!(look(&desk, &session, Some(&path)), "");
    assert_eq!(provider.grants(), ["refresh_token"]);
    assert!(files(&desk).contains("s3cret"));
    let status = desk.status();
    let (place, why) = (&status["sign_ins"][0]["kept_in"], &status["sign_ins"][0]["held_back"]);
    assert_eq!(place, "file");
    assert!(why.as_str().unwrap().contains("the keyring refuses"), "{status}");
    let doctor = desk.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.stdout.contains("FAIL sign-in support: as keyring-d"), "{doctor:?}");
    assert!(doctor.stdout.contains("cure: unlock or start the keyring"), "{doctor:?}");
    // Without it everything goes on, and a server tells the team.
    provider.end_tokens();
    let mut command = desk.command(&["sync"]);
    let serving = desk.start(session.surround(&mut command));
    let told = || desk.status()["notices"].to_string().contains("lie in a file until the keyring takes them");
    crate::support::wait_for("a notice", || told().then_some(()));
    serving.stop();
    // It comes back, and has the last of them.
    session.unlock();
    assert_eq!(look(&desk, &session, None), "");
    assert!(!files(&desk).contains("s3cret") && session.tokens().len() == 2);
    provider.end_tokens();
    assert_eq!(look(&desk, &session, None), "");
    assert_eq!(desk.status()["sign_ins"][0]["held_back"], Value::Null);
}

#[test]
fn a_keyring_that_hangs_is_given_up_in_time() {
    let session = Session::start();
    let provider = Provider::start("keyring-h");
    let desk = desk("keyring-h", &provider, "xoauth2");
    login(&desk, &session);
    let path = in_front(&desk.folder.path().join("bin"), "exec sleep 600");
    let begun = Instant::now();
    let error = look(&desk, &session, Some(&path));
    assert!(error.contains("the keyring did not answer within 5 s"), "{error}");
    assert!(begun.elapsed().as_secs() < 60);
    assert_eq!(look(&desk, &session, None), "");
}

#[test]
fn tokens_in_files_stay_good_and_move_as_soon_as_they_are_renewed() {
    let session = Session::start();
    let provider = Provider::start("keyring-m");
    let desk = desk("keyring-m", &provider, "xoauth2");
    let signed_in = desk.ok(&["login", "support"]);
    let words = "The tokens lie in a file that only you can read: there is no keyring here";
    assert!(signed_in.contains(words), "{signed_in}");
    assert_eq!(desk.status()["sign_ins"][0]["held_back"], Value::Null);
    assert_eq!(look(&desk, &session, None), "");
    assert!(files(&desk).contains("s3cret") && session.tokens().is_empty());
    provider.end_tokens();
    assert_eq!(look(&desk, &session, None), "");
    assert!(!files(&desk).contains("s3cret") && session.tokens().len() == 2);
    provider.end_tokens();
    assert_eq!(look(&desk, &session, None), "");
}

#[test]
fn who_insists_on_a_keyring_is_told_before_signing_in_that_there_is_none() {
    let session = Session::start();
    let provider = Provider::start("keyring-k");
    let desk = desk("keyring-k", &provider, "xoauth2");
    keep_tokens_in(&desk, "keyring");
    let refused = desk.run(&["login", "support"]);
    assert!(refused.code == 1 && refused.stderr.contains("there is no keyring here"), "{refused:?}");
    assert!(refused.stderr.contains("or set tokens = \"file\" under [oauth]"), "{refused:?}");
    assert!(provider.grants().is_empty() && !desk.data().join("tokens").exists());
    login(&desk, &session);
    // The trial is gone again.
    assert_eq!(session.tokens().len(), 2);
}
