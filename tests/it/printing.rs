//! What is printed, and what becomes of a command whose words nobody takes.

use crate::support::{TestDesk, mail, said};
use std::fs::File;
use std::process::{Command, Stdio};

/// A desk with one issue.
fn desk() -> TestDesk {
    let desk = TestDesk::between_maildirs("[spam]\nauthentication = false\n");
    desk.deliver(&mail("ada@customer.test", "first"));
    desk.ok(&["sync", "--once"]);
    desk
}

/// Gives the exit code and what was said on standard error of a command whose output nobody can take.
fn onto_a_full_disk(desk: &TestDesk, arguments: &[&str]) -> (Option<i32>, String) {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ended = desk.command(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn output_that_cannot_be_written_is_an_error_and_never_a_panic() {
    let desk = desk();
    desk.ok(&["issue", "edit", "1", "--label", "bug"]);
    let looking: &[&[&str]] = &[
        &["issue", "list"],
        &["issue", "show", "1"],
        &["issue", "show", "1", "--json"],
        &["issue", "history", "1"],
        &["issue", "raw", "1", "1"],
        &["intake", "list"],
        &["intake", "show", "1"],
        &["outbox", "list"],
        &["project", "show", "acme/support"],
        &["desk", "show"],
        &["view", "list"],
        &["undo", "--list"],
        &["report", "volume"],
        &["status"],
        &["doctor"],
        &["completions", "zsh"],
        &["man"],
        &["--help"],
        &["issue", "--help"],
        &["--version"],
    ];
    for arguments in looking {
        let (code, err) = onto_a_full_disk(&desk, arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {err}");
        let words = "error: standard output cannot be written: No space left on device (os error 28)\n";
        assert_eq!(err, words, "{arguments:?}");
    }
}

#[test]
fn a_command_that_did_its_deed_says_so_when_its_words_are_lost() {
    let desk = desk();
    let doing: &[&[&str]] = &[
        &["issue", "note", "1", "--internal", "-m", "x"],
        &["issue", "note", "1", "--internal", "-m", "y", "--json"],
        &["issue", "edit", "1", "--label", "new"],
        &["undo"],
        &["project", "set", "acme/support", "suffix=help"],
        &["sync", "--once"],
    ];
    for arguments in doing {
        let (code, err) = onto_a_full_disk(&desk, arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {err}");
        assert!(err.contains("error: it was done, but standard output cannot be written: No space"), "{err}");
        assert!(err.contains("hint: do not repeat the command"), "{err}");
    }
    let shown = desk.json(&["issue", "show", "1"]);
    let bodies: Vec<_> = shown["notes"].as_array().unwrap().iter().map(|note| &note["body"]).collect();
    assert!(bodies.iter().any(|body| *body == "x") && bodies.iter().any(|body| *body == "y"), "{bodies:?}");
    let (code, err) = onto_a_full_disk(&desk, &["issue", "merge", "1", "1", "--dry-run"]);
    assert!(code != Some(0) && !err.contains("it was done"), "{err}");
}

#[test]
fn all_mail_is_taken_in_whatever_becomes_of_the_words_about_it() {
    let desk = desk();
    let mut paths = Vec::new();
    for name in ["two", "three"] {
        let path = desk.folder.path().join(name);
        std::fs::write(&path, mail("ada@customer.test", name)).unwrap();
        paths.push(path.display().to_string());
    }
    let (code, err) = onto_a_full_disk(&desk, &["deliver", &paths[0], &paths[1]]);
    assert!(code == Some(1) && err.contains("error: it was done, but"), "{err}");
    assert_eq!(desk.issues().len(), 3);
    // A mail transfer agent would send it back.
    let raw = desk.folder.path().join("raw");
    std::fs::write(&raw, mail("ada@customer.test", "four")).unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = desk.command(&["deliver", "-"]);
    let status = command.stdin(File::open(&raw).unwrap()).stdout(full).status().unwrap();
    assert_eq!((status.code(), desk.issues().len()), (Some(0), 4));
}

#[test]
fn a_reader_that_leaves_is_no_error_to_tell_of() {
    let desk = desk();
    for arguments in ["status", "issue show 1", "project show acme/support", "completions zsh", "--help"] {
        let mut shell = Command::new("bash");
        desk.surround(&mut shell);
        let line = format!("{} {arguments} | true; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_deskbell"));
        let said = said(shell.args(["-c", &line]));
        assert!(matches!(said.stdout.trim(), "141" | "0"), "{arguments}: {said:?}");
        assert_eq!(said.stderr, "", "{arguments}");
    }
    let mut lost = desk.command(&["issue", "show", "99"]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(lost.stderr(full).status().unwrap().code(), Some(1), "nor is an error that nobody hears");
}

#[test]
fn one_thing_is_said_as_one_and_status_names_the_list_that_holds_what_waits() {
    let desk = desk();
    desk.ok(&["sender", "quarantine", "other.test", "--desk"]);
    desk.deliver(&mail("bob@other.test", "second"));
    desk.ok(&["sync", "--once"]);
    let said = desk.ok(&["status"]);
    let line = "1 mail in quarantine: `deskbell intake list --fate quarantined`";
    assert!(said.lines().any(|l| l == line) && !said.contains("--fate unroutable"), "{said}");
    assert_eq!(desk.status()["quarantined"], 1);
    let folder = desk.folder.path().join("files").display().to_string();
    assert!(desk.ok(&["export", &folder]).starts_with("1 issue written below "));
}
