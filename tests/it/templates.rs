//! Templates: where each is taken from, what happens to broken ones, and how a mail would look.

use crate::support::TestDesk;
use crate::support::repository::Repository;
use crate::support::room::{ADA, Room};
use deskbell::config::Config;
use deskbell::domain::{PreviewTemplate, Request, Response, TemplatePreview, TemplateView};
use deskbell::sync::{Connections, Plan, once};
use std::path::Path;

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

async fn templates(room: &mut Room) -> Vec<TemplateView> {
    match room.ok(Request::Templates { project: "acme/support".into() }).await {
        Response::Templates(templates) => templates,
        other => panic!("{other:?}"),
    }
}

async fn place(room: &mut Room, name: &str) -> String {
    templates(room).await.into_iter().find(|template| template.name == name).unwrap().place
}

async fn preview(
    room: &mut Room,
    name: &str,
    reference: Option<&str>,
    text: Option<&str>,
) -> TemplatePreview {
    let asked = PreviewTemplate {
        project: "acme/support".into(),
        name: name.into(),
        reference: reference.map(|reference| reference.parse().unwrap()),
        text: text.map(str::to_owned),
    };
    match room.ok(Request::PreviewTemplate(asked)).await {
        Response::TemplatePreview(preview) => *preview,
        other => panic!("{other:?}"),
    }
}

/// Puts a file into a bare repository by way of its clone.
fn push(repository: &mut Repository, path: &str, text: &str) {
    let file = repository.work().join(path);
    write(file.parent().unwrap(), file.file_name().unwrap().to_str().unwrap(), text);
    repository.git(&["add", "-A"]);
    repository.commit("templates");
    repository.push();
}

#[tokio::test]
async fn the_projects_folder_comes_before_its_repository_the_desks_folder_and_what_is_built_in() {
    let mut repository = Repository::new();
    let mut room = Room::new().await;
    let path = repository.bare().display().to_string();
    push(&mut repository, ".gitlab/service_desk_templates/thank_you.md", "from the repository %{ISSUE_ID}\n");
    push(&mut repository, ".gitlab/service_desk_templates/closed.md", "closed, says the repository\n");
    write(&room.dir.path().join("all"), "thank_you.md", "from the desk\n");
    write(&room.dir.path().join("all"), "reopened.md", "open again, says the desk\n");
    let own = room.dir.path().join("own");
    assert_eq!(place(&mut room, "thank_you").await, "built in");
    room.ok(Request::SetDesk { settings: vec![("templates_dir".into(), "all".into())] }).await;
    assert!(place(&mut room, "thank_you").await.ends_with("all/thank_you.md"));
    room.set("acme/support", "repository", &path).await;
    assert_eq!(
        place(&mut room, "thank_you").await,
        format!(".gitlab/service_desk_templates/thank_you.md of {path}")
    );
    room.mail(ADA).await;
    assert!(room.send().await[0].contains("from the repository #1"));
    write(&own, "thank_you.md", "from the project\n");
    room.set("acme/support", "templates_dir", "own").await;
    for (name, end) in [
        ("thank_you", "own/thank_you.md".to_owned()),
        ("closed", path.clone()),
        ("reopened", "all/reopened.md".to_owned()),
        ("new_note", "built in".to_owned()),
    ] {
        let place = place(&mut room, name).await;
        assert!(place.ends_with(&end), "{name}: {place}");
    }
}

#[tokio::test]
async fn what_changes_in_a_bare_repository_is_in_the_next_mail_after_it_was_seen() {
    let mut repository = Repository::new();
    let mut room = Room::new().await;
    push(&mut repository, ".gitlab/service_desk_templates/thank_you.md", "the first\n");
    room.set("acme/support", "repository", &repository.bare().display().to_string()).await;
    let look = Plan::of(&Config::default(), room.dir.path());
    once(&room.desk, &look, Connections::new()).await;
    room.mail(ADA).await;
    assert!(room.send().await[0].contains("the first"));
    push(&mut repository, ".gitlab/service_desk_templates/thank_you.md", "the second\n");
    once(&room.desk, &look, Connections::new()).await;
    room.mail(&ADA.replace("<a1@", "<a2@")).await;
    assert!(room.send().await[0].contains("the second"));
}

#[tokio::test]
async fn a_broken_template_stops_no_mail_and_the_team_is_told() {
    let mut room = Room::new().await;
    let folder = room.dir.path().join("own");
    for (name, content) in
        [("thank_you.md", &b"  \n"[..]), ("new_note.md", b"Dear customer,\n"), ("closed.md", b"\xff")]
    {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), content).unwrap();
    }
    room.set("acme/support", "templates_dir", "own").await;
    room.set("acme/support", "closed_mail", "true").await;
    room.mail(ADA).await;
    room.reply("acme/support#1", "We are on it.").await;
    room.edit("acme/support#1", deskbell::domain::Edit::Close).await;
    let sent = room.send().await;
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(sent[1].contains("We are on it."), "an answer is never sent without its text: {}", sent[1]);
    let Response::Status(status) = room.ok(Request::Status).await else { panic!() };
    let notices = status.notices.join("\n");
    for words in [
        "thank_you.md is empty",
        "new_note.md does not hold %{NOTE_TEXT}",
        "closed.md cannot be read",
        "built-in",
    ] {
        assert!(notices.contains(words), "{words}: {notices}");
    }
    // Mended, it is used, and nothing is left to tell.
    std::fs::write(folder.join("new_note.md"), "Dear customer,\n\n%{NOTE_TEXT}\n").unwrap();
    room.reply("acme/support#1", "Done.").await;
    assert!(room.send().await[0].contains("Dear customer"));
    let Response::Status(status) = room.ok(Request::Status).await else { panic!() };
    assert!(!status.notices.join("\n").contains("NOTE_TEXT"));
}

#[tokio::test]
async fn a_repository_that_cannot_be_read_stops_no_mail() {
    let mut room = Room::new().await;
    let nowhere = room.dir.path().join("nowhere").display().to_string();
    let settings = vec![("repository".to_owned(), nowhere)];
    // It may be refused when it is set, or be found missing later: neither stops a mail.
    let _ = room.ask(Request::SetProject { path: "acme/support".into(), settings }).await;
    room.mail(ADA).await;
    assert_eq!(room.send().await.len(), 1);
}

#[tokio::test]
async fn the_quick_actions_of_a_description_template_run_and_a_customers_never() {
    let mut room = Room::new().await;
    room.user("mia").await;
    write(
        &room.dir.path().join("own/issue_templates"),
        "bug.md",
        "Checklist of ours\n/label ~bug\n/assign mia\n/priority high\n/spam\n",
    );
    room.set("acme/support", "templates_dir", "own").await;
    room.set("acme/support", "issue_template", "bug").await;
    room.mail(&format!("{ADA}\n/label ~mine\n/close\n")).await;
    let issue = room.issue("acme/support#1").await;
    assert_eq!(issue.row.labels, ["bug"]);
    assert_eq!(issue.row.assignee.as_deref(), Some("mia"));
    assert!(!issue.row.spam, "what needs somebody to look is not done by a template");
    let body = &issue.notes[0].body;
    assert!(body.contains("/close") && body.ends_with("Checklist of ours"), "{body}");
    assert_eq!(room.list("is:open").await.len(), 1);
    assert!(!room.send().await.concat().contains("Checklist"), "the customer is not shown it");
}

#[tokio::test]
async fn a_wrong_quick_action_in_a_description_template_loses_nothing() {
    let mut room = Room::new().await;
    write(
        &room.dir.path().join("own/issue_templates"),
        "bug.md",
        "Checklist\n/assign nobody-here\n/label ~bug\n",
    );
    room.set("acme/support", "templates_dir", "own").await;
    room.set("acme/support", "issue_template", "bug").await;
    room.mail(ADA).await;
    let issue = room.issue("acme/support#1").await;
    assert!(issue.notes[0].body.contains("invalid token") && issue.row.labels.is_empty());
    let Response::Status(status) = room.ok(Request::Status).await else { panic!() };
    assert!(status.notices.join("\n").contains("nobody-here"), "{:?}", status.notices);
    // Mended, it is carried out, and nothing is left to tell.
    write(&room.dir.path().join("own/issue_templates"), "bug.md", "Checklist\n/label ~bug\n");
    room.mail(&ADA.replace("<a1@", "<a2@")).await;
    assert_eq!(room.issue("acme/support#2").await.row.labels, ["bug"]);
    let Response::Status(status) = room.ok(Request::Status).await else { panic!() };
    assert!(!status.notices.join("\n").contains("nobody-here"), "{:?}", status.notices);
}

#[tokio::test]
async fn description_templates_come_from_the_repository_too_and_from_the_desk() {
    let mut repository = Repository::new();
    let mut room = Room::new().await;
    push(&mut repository, ".gitlab/issue_templates/Bug report.md", "Steps:\n");
    room.set("acme/support", "repository", &repository.bare().display().to_string()).await;
    write(&room.dir.path().join("all/issue_templates"), "wish.md", "What for?\n");
    room.ok(Request::SetDesk { settings: vec![("templates_dir".into(), "all".into())] }).await;
    let names: Vec<String> = templates(&mut room).await.into_iter().map(|template| template.name).collect();
    assert_eq!(names[8..], ["Bug report", "wish"]);
    for (number, (name, text)) in [("Bug report", "Steps:"), ("wish.md", "What for?")].into_iter().enumerate()
    {
        room.set("acme/support", "issue_template", name).await;
        room.mail(&ADA.replace("<a1@", &format!("<t{number}@"))).await;
        let issue = room.issue(&format!("acme/support#{}", number + 1)).await;
        assert!(issue.notes[0].body.ends_with(text), "{name}: {}", issue.notes[0].body);
    }
}

#[tokio::test]
async fn a_preview_shows_both_parts_with_an_issues_data_and_writes_nothing() {
    let mut room = Room::new().await;
    let example = preview(&mut room, "thank_you", None, None).await;
    assert_eq!(example.reference, None);
    assert!(example.subject.contains("#1") && example.text.contains("#1"), "{example:?}");
    room.mail(ADA).await;
    room.reply("acme/support#1", "**Now** it works").await;
    room.send().await;
    let shown = preview(&mut room, "new_note", Some("acme/support#1"), None).await;
    assert_eq!(shown.reference.as_deref(), Some("acme/support#1"));
    assert!(shown.html.contains("<strong>Now</strong> it works"), "{}", shown.html);
    assert!(shown.text.contains("Now") && shown.subject == "Re: Cannot log in (acme/support#1)", "{shown:?}");
    let text = Some("Hello, %{NOTE_TEXT} | %{ISSUE_DESCRIPTION} | %{UNSUBSCRIBE_URL}");
    let shown = preview(&mut room, "new_note.md", None, text).await;
    assert!(shown.text.contains("Hello, ") && shown.text.contains("invalid token"), "{}", shown.text);
    assert!(shown.text.contains("mailto:") && shown.trouble.is_none());
    let empty = preview(&mut room, "new_note", None, Some("Hello")).await;
    assert_eq!(empty.trouble.as_deref(), Some("does not hold %{NOTE_TEXT}"));
    assert!(room.send().await.is_empty());
    room.mail(&ADA.replace("<a1@", "<a9@")).await;
    assert_eq!(room.list("").await.len(), 2, "no number was used up");
    let asked =
        PreviewTemplate { project: "acme/support".into(), name: "x".into(), reference: None, text: None };
    let fault = room.ask(Request::PreviewTemplate(asked)).await.unwrap_err();
    assert!(fault.hint.unwrap().contains("thank_you"));
}

#[test]
fn templates_are_listed_shown_and_previewed_by_command() {
    let desk = TestDesk::between_maildirs("");
    let listed = desk.ok(&["template", "list"]);
    assert!(listed.contains("thank_you") && listed.contains("built in"), "{listed}");
    assert!(desk.ok(&["template", "show", "new_note"]).contains("%{NOTE_TEXT}"));
    std::fs::write(desk.config().parent().unwrap().join("mine.md"), "Hello %{NOTE_TEXT}").unwrap();
    let file = desk.config().parent().unwrap().join("mine.md").display().to_string();
    let shown = desk.ok(&["template", "preview", "new_note", "-F", &file]);
    assert!(shown.contains("Subject:") && shown.contains("Hello This is what you write."), "{shown}");
    let json = desk.ok(&["template", "preview", "closed", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["html"].as_str().unwrap().contains("<p>") && json["ref"].is_null(), "{json}");
    assert_eq!(desk.run(&["template", "preview", "nothing"]).code, 2);
}
