//! Commits that close issues, with real repositories.

use crate::support::repository::Repository;
use crate::support::room::{ADA, Room};
use crate::support::{TestDesk, mail, wait_until};
use deskbell::config::Config;
use deskbell::domain::{Commit, Edit, NoteKind, Request, Response, Role, State, Via};
use deskbell::sync::{Connections, Plan, once};
use std::path::Path;

/// A desk with issues #1 to #6 of a project that names a repository, which was looked into once.
async fn room(repository: &Path) -> Room {
    let mut room = Room::new().await;
    for number in 1..=6 {
        room.mail(&ADA.replace("<a1@", &format!("<c{number}@"))).await;
    }
    room.send().await;
    room.set("acme/support", "repository", &repository.display().to_string()).await;
    assert_eq!(look(&room).await, [""; 0]);
    room
}

/// One pass of the watch; gives what was wrong.
async fn look(room: &Room) -> Vec<String> {
    let plan = Plan::of(&Config::default(), room.dir.path());
    once(&room.desk, &plan, Connections::new()).await.notices
}

/// The numbers of the issues that are closed.
async fn closed(room: &mut Room) -> Vec<String> {
    let mut closed = room.list("is:closed").await;
    closed.sort();
    closed.into_iter().map(|reference| reference.replace("acme/", "")).collect()
}

#[tokio::test]
async fn what_reaches_the_default_branch_closes_whichever_way_it_comes() {
    let mut repository = Repository::new();
    let mut room = room(&repository.bare()).await;
    assert!(closed(&mut room).await.is_empty(), "what was there at the first look closes nothing");
    // Another branch does not count.
    repository.git(&["checkout", "-q", "-b", "login"]);
    let id = repository.commit("Mend the login\n\nFixes #1");
    repository.push();
    assert_eq!(look(&room).await, [""; 0]);
    assert!(closed(&mut room).await.is_empty());
    // A fast forward.
    repository.git(&["checkout", "-q", "main"]);
    repository.git(&["merge", "-q", "--ff-only", "login"]);
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#1"]);
    let issue = room.issue("acme/support#1").await;
    let last = issue.notes.last().unwrap();
    assert_eq!(last.kind, NoteKind::System);
    assert_eq!(last.body, format!("closed by commit {} “Mend the login”", &id[..8]));
    assert_eq!(last.why.as_deref(), Some("written by Mia Byrne"));
    let Response::History(changes) = room.ok(Request::History("acme/support#1".parse().unwrap())).await
    else {
        panic!()
    };
    let change = changes.iter().find(|change| change.field == "state").unwrap();
    assert_eq!((change.actor.user.as_str(), change.actor.via), ("support-bot", Via::Commit));
    assert!(change.reason.as_ref().unwrap().contains(&id[..8]));
    // A merge.
    repository.git(&["checkout", "-q", "-b", "second"]);
    repository.commit("Closes: #2");
    repository.git(&["checkout", "-q", "main"]);
    repository.git(&["merge", "-q", "--no-ff", "-m", "Merge the second", "second"]);
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#1", "support#2"]);
    // A squash.
    repository.git(&["checkout", "-q", "-b", "third"]);
    repository.commit("A step");
    repository.git(&["checkout", "-q", "main"]);
    repository.git(&["merge", "-q", "--squash", "third"]);
    repository.commit("All of it, resolves #3");
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#1", "support#2", "support#3"]);
    // A rebase.
    repository.git(&["checkout", "-q", "-b", "fourth", "HEAD~1"]);
    repository.commit("IMPLEMENTS #4");
    repository.git(&["rebase", "-q", "main"]);
    repository.git(&["checkout", "-q", "main"]);
    repository.git(&["merge", "-q", "--ff-only", "fourth"]);
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#1", "support#2", "support#3", "support#4"]);
    assert!(room.send().await.is_empty(), "nobody is mailed");
}

#[tokio::test]
async fn a_commit_closes_an_issue_once_even_after_a_forced_push_whose_past_is_gone() {
    let mut repository = Repository::new();
    let mut room = room(&repository.bare()).await;
    repository.commit("Fixes #1");
    repository.push();
    let base = repository.git(&["rev-parse", "HEAD"]);
    let gone = repository.commit("Fixes #2");
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#1", "support#2"]);
    room.edit("acme/support#1", Edit::Reopen).await;
    repository.git(&["reset", "-q", "--hard", &base]);
    repository.commit("Fixes #3");
    repository.push();
    repository.in_bare(&["reflog", "expire", "--expire=now", "--all"]);
    repository.in_bare(&["gc", "-q", "--prune=now"]);
    let kept = repository.in_bare(&["cat-file", "--batch-all-objects", "--batch-check"]);
    assert!(!kept.contains(&gone), "the past is gone");
    room.again().await;
    assert_eq!(look(&room).await, [""; 0]);
    assert_eq!(closed(&mut room).await, ["support#2", "support#3"], "#1 was opened again and stays open");
    // The branch goes back and comes again.
    let head = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["reset", "-q", "--hard", &base]);
    repository.push();
    look(&room).await;
    room.edit("acme/support#3", Edit::Reopen).await;
    repository.git(&["reset", "-q", "--hard", &head]);
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#2"]);
}

#[tokio::test]
async fn another_projects_issue_is_closed_only_where_it_names_the_same_repository() {
    let mut repository = Repository::new();
    let mut room = room(&repository.bare()).await;
    for number in 1..=3 {
        let office =
            ADA.replace("help+acme-support-1-issue-@", "office@").replace("<a1@", &format!("<o{number}@"));
        room.mail(&office).await;
    }
    repository.commit("Fixes #1, acme/support#2 and acme/office#1");
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#1", "support#2"]);
    let other = repository.bare().join("../app.git/.").display().to_string();
    room.set("acme/office", "repository", &other).await;
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#1", "support#2"], "its first look closes nothing");
    repository.commit("Fixes #3, acme/office#2");
    repository.push();
    look(&room).await;
    // A bare number is the first project's.
    assert_eq!(closed(&mut room).await, ["office#2", "support#1", "support#2", "support#3"]);
}

#[tokio::test]
async fn customers_are_told_only_where_the_project_wants_it_and_its_own_pattern_counts() {
    let mut repository = Repository::new();
    let mut room = room(&repository.work()).await;
    room.set("acme/support", "closed_mail", "true").await;
    repository.commit("Fixes #1");
    look(&room).await;
    assert!(room.send().await.is_empty());
    room.set("acme/support", "tell_on_commit_close", "true").await;
    repository.commit("Fixes #2");
    look(&room).await;
    let sent = room.send().await;
    assert_eq!(sent.len(), 1);
    assert!(
        sent[0].contains("<ada@customer.example>") && sent[0].contains("We have closed #2."),
        "{}",
        sent[0]
    );
    assert!(!sent[0].contains("Mia"), "{}", sent[0]);
    room.set("acme/support", "closing_pattern", "mends").await;
    repository.commit("Fixes #3, mends #4");
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#1", "support#2", "support#4"]);
    for (key, wrong) in [
        ("closing_pattern", "("),
        ("repository", "https://git.example/app.git"),
        ("repository", "-x"),
        ("repository_branch", "--all"),
    ] {
        let settings = vec![(key.to_owned(), wrong.to_owned())];
        assert!(
            room.ask(Request::SetProject { path: "acme/support".into(), settings }).await.is_err(),
            "{key}"
        );
    }
}

#[tokio::test]
async fn a_clone_is_fetched_without_moving_a_branch_and_what_fails_is_told_until_it_is_well() {
    let mut repository = Repository::new();
    let clone = tempfile::tempdir().unwrap();
    let at = clone.path().join("clone");
    repository.git(&["clone", "-q", "../app.git", at.to_str().unwrap()]);
    let mut room = room(&at).await;
    room.set("acme/support", "repository_fetch", "true").await;
    assert_eq!(look(&room).await, [""; 0]);
    let before = std::fs::read_to_string(at.join(".git/refs/heads/main")).unwrap();
    repository.commit("Fixes #1");
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#1"]);
    assert_eq!(std::fs::read_to_string(at.join(".git/refs/heads/main")).unwrap(), before);
    let away = repository.bare().with_file_name("away.git");
    std::fs::rename(repository.bare(), &away).unwrap();
    let wrong = look(&room).await;
    assert!(
        wrong.len() == 1 && wrong[0].contains("acme/support: its remote cannot be fetched: "),
        "{wrong:?}"
    );
    let Response::Status(status) = room.ok(Request::Status).await else { panic!() };
    assert!(status.notices.contains(&wrong[0]), "{status:?}");
    std::fs::rename(&away, repository.bare()).unwrap();
    repository.commit("Fixes #2");
    repository.push();
    assert_eq!(look(&room).await, [""; 0]);
    assert_eq!(closed(&mut room).await, ["support#1", "support#2"]);
    let Response::Status(status) = room.ok(Request::Status).await else { panic!() };
    assert!(!status.notices.contains(&wrong[0]), "{status:?}");
    room.set("acme/support", "repository_branch", "mian").await;
    let wrong = look(&room).await;
    assert!(wrong.len() == 1 && wrong[0].contains("mian"), "{wrong:?}");
}

/// A desk of the real binary with three issues.
fn desk() -> TestDesk {
    let desk = TestDesk::between_maildirs("");
    for _ in 0..3 {
        desk.feed(&["deliver", "-"], &mail("ada@customer.test", "It fails"));
    }
    desk
}

fn states(desk: &TestDesk) -> Vec<String> {
    let mut issues = desk.issues();
    issues.sort_by_key(|issue| issue["iid"].as_u64());
    issues.iter().map(|issue| issue["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn hook_commit_takes_a_range_one_commit_and_a_message_and_one_undo_takes_it_back() {
    let (desk, mut repository) = (desk(), Repository::new());
    let hook = ["hook", "commit", "--project", "acme/support"];
    let (first, second) = (repository.commit("Fixes #1"), repository.commit("Fixes #2 and acme/other#1"));
    let work = repository.work().display().to_string();
    let range = format!("{}..{second}", repository.git(&["rev-parse", &format!("{first}~1")]));
    let out = desk.ok(&[&hook[..], &["--repository", &work, &range]].concat());
    assert_eq!(out, "closed acme/support#1, acme/support#2 by commits\n");
    assert_eq!(states(&desk), ["closed", "closed", "open"]);
    desk.ok(&["undo"]);
    assert_eq!(states(&desk), ["open", "open", "open"]);
    let again = desk.ok(&[&hook[..], &["--repository", &work, &range]].concat());
    assert_eq!(again, "no open issue was closed\n");
    // One commit in the current folder, as a hook calls it.
    let third = repository.commit("Closing #3 “now”");
    let mut command = desk.command(&[&hook[..], &["HEAD", "--json"]].concat());
    let said = crate::support::said(command.current_dir(repository.work()).env("GIT_DIR", ".git"));
    assert_eq!(said.code, 0, "{said:?}");
    let rows: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((rows[0]["iid"].as_u64(), rows[0]["state"].as_str()), (Some(3), Some("closed")));
    let shown = desk.ok(&["issue", "show", "3"]);
    assert!(shown.contains(&format!("closed by commit {} “Closing #3 “now””", &third[..8])), "{shown}");
    // A message, which is known again by its text.
    let message = b"Mend it\n\nResolves: #1\n";
    let stdin = [&hook[..], &["-"]].concat();
    assert_eq!(desk.feed(&stdin, message).stdout, "closed acme/support#1 by a commit “Mend it”\n");
    desk.ok(&["issue", "edit", "1", "--reopen"]);
    assert_eq!(desk.feed(&stdin, message).stdout, "no open issue was closed\n");
    assert_eq!(states(&desk), ["open", "open", "closed"]);
}

#[test]
fn hook_commit_refuses_options_for_ranges_and_says_what_git_says() {
    let (desk, repository) = (desk(), Repository::new());
    let work = repository.work().display().to_string();
    let hook = |range: &str| {
        desk.run(&["hook", "commit", "--project", "acme/support", "--repository", &work, range])
    };
    for option in ["--all", "--output=x", "-1"] {
        let said = hook(option);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.stderr.contains("is not a range of commits"), "{said:?}");
    }
    assert!(!repository.work().join("x").exists());
    let said = hook("nothing..main");
    assert_eq!(said.code, 1);
    assert!(said.stderr.starts_with("error: git says: ") && said.stderr.contains("hint: "), "{said:?}");
    let nowhere = desk.run(&["hook", "commit", "--project", "acme/none", "--repository", &work, "HEAD"]);
    assert!(nowhere.code == 1 && nowhere.stderr.contains("there is no project"), "{nowhere:?}");
}

#[test]
fn a_running_sync_hears_of_a_push_within_seconds() {
    let (desk, mut repository) = (desk(), Repository::new());
    let setting = format!("repository={}", repository.bare().display());
    let serving = desk.sync();
    desk.ok(&["project", "set", "acme/support", &setting]);
    // The first look is over once a commit after it counts.
    let mut number = 0;
    wait_until("a push that closes", || {
        number += 1;
        repository.commit(&format!("{number}: fixes #2"));
        repository.push();
        states(&desk)[1] == "closed"
    });
    assert_eq!(states(&desk), ["open", "closed", "open"]);
    serving.stop();
}

#[test]
fn doctor_tells_of_git_and_of_repositories() {
    let (desk, repository) = (desk(), Repository::new());
    assert!(!desk.run(&["doctor"]).stdout.contains("git"), "nobody asked for it");
    let named = |folder: &Path| format!("repository={}", folder.display());
    desk.ok(&["project", "set", "acme/support", &named(&repository.bare())]);
    let out = desk.run(&["doctor"]).stdout;
    let head = repository.git(&["rev-parse", "HEAD"]);
    assert!(
        out.contains("ok   git: git version ") && out.contains(&format!("app.git: {}\n", &head[..8])),
        "{out}"
    );
    desk.ok(&["project", "set", "acme/support", &named(desk.folder.path())]);
    let out = desk.run(&["doctor"]).stdout;
    assert!(out.contains("FAIL repository acme/support: git says: not a git repository"), "{out}");
    let said = crate::support::said(desk.command(&["doctor"]).env("PATH", desk.folder.path()));
    assert!(said.code == 1 && said.stdout.contains("FAIL git: git cannot be started"), "{said:?}");
    assert!(said.stdout.contains("cure: install git"), "{said:?}");
}

#[tokio::test]
async fn an_issue_that_was_closed_before_hears_nothing() {
    let mut repository = Repository::new();
    let mut room = room(&repository.bare()).await;
    room.edit("acme/support#1", Edit::Close).await;
    let notes = room.issue("acme/support#1").await.notes.len();
    repository.commit("Fixes #1, #77");
    repository.push();
    look(&room).await;
    let issue = room.issue("acme/support#1").await;
    assert_eq!((issue.row.state, issue.notes.len()), (State::Closed, notes));
}

#[tokio::test]
async fn a_restored_desk_begins_with_its_repositories_anew() {
    let mut repository = Repository::new();
    let mut room = room(&repository.bare()).await;
    repository.commit("Fixes #1");
    repository.push();
    room.desk.hold_everything().await.unwrap();
    look(&room).await;
    assert!(closed(&mut room).await.is_empty());
    repository.commit("Fixes #2");
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#2"]);
}

#[tokio::test]
async fn an_empty_repository_is_fine_and_a_head_that_leads_nowhere_is_told_with_its_cure() {
    let mut repository = Repository::new();
    let empty = tempfile::tempdir().unwrap();
    let bare = empty.path().join("new.git");
    repository.git(&["init", "-q", "--bare", "-b", "master", bare.to_str().unwrap()]);
    let mut room = room(&bare).await;
    repository.git(&["remote", "set-url", "origin", bare.to_str().unwrap()]);
    repository.commit("Fixes #2");
    repository.push();
    let wrong = look(&room).await;
    assert!(
        wrong.len() == 1 && wrong[0].contains("no branch `master`") && wrong[0].contains("repository_branch")
    );
    assert!(closed(&mut room).await.is_empty());
    room.set("acme/support", "repository_branch", "main").await;
    assert_eq!(look(&room).await, [""; 0]);
    repository.commit("Fixes #3");
    repository.push();
    look(&room).await;
    assert_eq!(closed(&mut room).await, ["support#3"]);
}

#[tokio::test]
async fn a_developer_closes_by_commit_only_where_they_work() {
    let mut repository = Repository::new();
    let mut room = room(&repository.bare()).await;
    let office = ADA.replace("help+acme-support-1-issue-@", "office@").replace("<a1@", "<o1@");
    room.mail(&office).await;
    room.set("acme/office", "repository", &repository.bare().display().to_string()).await;
    for (user, project) in [("mia", "acme/support"), ("olaf", "acme/office")] {
        room.user(user).await;
        let (project, user) = (project.into(), user.into());
        room.ok(Request::SetMember { project, user, role: Role::Developer }).await;
    }
    let id = repository.commit("x");
    let message = "Fixes #1 and acme/office#1".to_owned();
    let commit = Commit { id, author: "Mia".into(), subject: "Odd \u{1b}[31m\u{202e}one".into(), message };
    let reached = Request::CommitsReached { project: "acme/support".into(), commits: vec![commit] };
    assert!(room.ask_as("olaf", reached.clone()).await.is_err());
    room.ask_as("mia", reached.clone()).await.unwrap();
    assert_eq!(closed(&mut room).await, ["support#1"]);
    let note = room.issue("acme/support#1").await.notes.pop().unwrap();
    assert!(!note.body.contains(['\u{1b}', '\u{202e}']), "{note:?}");
    // Whoever works on both closes both.
    room.ok(reached).await;
    assert_eq!(closed(&mut room).await, ["office#1", "support#1"]);
    room.ok(Request::Undo).await;
    assert_eq!(closed(&mut room).await, ["support#1"]);
}
