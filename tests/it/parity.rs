//! Lines of `docs/parity.md` that nothing else proves.

use crate::support::TestDesk;
use crate::support::room::{ADA, Room, address, field};
use deskbell::domain::{Edit, Fate, Request};

#[tokio::test]
async fn the_visibility_of_a_project_changes_nothing_about_its_mail() {
    let mut room = Room::new().await;
    for (number, visibility) in ["public", "internal", "private"].iter().enumerate() {
        room.set("acme/support", "visibility", visibility).await;
        room.mail(&ADA.replace("<a1@", &format!("<v{number}@"))).await;
        let issue = room.issue(&format!("acme/support#{}", number + 1)).await;
        assert!(issue.row.confidential, "{visibility}");
    }
    assert_eq!(room.list("is:open").await.len(), 3);
}

#[tokio::test]
async fn the_thank_you_names_the_issue_and_holds_no_link_to_it() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let mail = room.send().await.remove(0);
    assert!(mail.contains("#1") && mail.contains("mailto:"), "{mail}");
    assert!(!mail.contains("http://") && !mail.contains("https://"), "{mail}");
}

#[tokio::test]
async fn mail_comes_from_the_display_name_of_the_project() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.set("acme/support", "display_name", "Acme Help").await;
    room.reply("acme/support#1", "Hello").await;
    let from: Vec<String> = room.send().await.iter().map(|m| field(m, "From").unwrap().to_owned()).collect();
    assert_eq!(from, ["\"Support Bot\" <help@desk.example>", "\"Acme Help\" <help@desk.example>"]);
    let settings = vec![("display_name".to_owned(), "x".repeat(256))];
    assert!(room.ask(Request::SetProject { path: "acme/support".into(), settings }).await.is_err());
}

#[tokio::test]
async fn nobody_can_be_the_support_bot_and_nothing_is_assigned_to_it() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    let name = "support-bot".to_owned();
    let add = Request::AddUser { name: name.clone(), full_name: None, emails: vec![], system_user: None };
    assert!(room.ask(add).await.unwrap_err().hint.unwrap().contains("reserved"));
    let references = vec!["acme/support#1".parse().unwrap()];
    assert!(room.ask(Request::Edit { references, edits: vec![Edit::Assign(name)] }).await.is_err());
    assert!(room.ask_as("support-bot", Request::Projects).await.is_err());
}

#[tokio::test]
async fn who_was_removed_can_still_answer_the_mails_they_got() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.reply("acme/support#1", "Try 2.1").await;
    let key = address(field(&room.send().await[1], "Reply-To").unwrap()).to_owned();
    room.edit("acme/support#1", Edit::RemoveEmail("ada@customer.example".parse().unwrap())).await;
    let answer =
        format!("From: ada@customer.example\nTo: {key}\nSubject: x\nMessage-ID: <z@x>\n\nStill here.\n");
    let entry = room.mail(&answer).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Note, Some("acme/support#1")));
}

#[tokio::test]
async fn closing_and_reopening_are_mailed_where_the_project_wants_it() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.send().await;
    room.edit("acme/support#1", Edit::Close).await;
    room.edit("acme/support#1", Edit::Reopen).await;
    assert!(room.send().await.is_empty(), "off by default");
    room.set("acme/support", "closed_mail", "true").await;
    room.edit("acme/support#1", Edit::Close).await;
    room.edit("acme/support#1", Edit::Reopen).await;
    let sent = room.send().await;
    assert_eq!(sent.len(), 2);
    assert!(sent[0].contains("closed #1") && sent[1].contains("#1"), "{sent:?}");
    assert!(sent.iter().all(|mail| field(mail, "Auto-Submitted").is_some()));
}

#[test]
fn a_suffix_needs_a_mailbox_with_a_key() {
    let config = "[mailbox.plain]\ninbox_method = \"maildir\"\naddress = \"office@desk.test\"\npath = \"in\"\n\
                  project = \"acme/support\"\n";
    let desk = TestDesk::new(config);
    desk.ok(&["project", "add", "acme/support"]);
    let said = desk.run(&["project", "set", "acme/support", "suffix=help"]);
    assert!(said.code == 1 && said.stderr.contains("no mailbox has `%{key}`"), "{said:?}");
}

#[test]
fn a_mailbox_that_is_off_is_not_read() {
    let desk = TestDesk::between_maildirs("");
    let on = desk.maildirs();
    desk.configure(&on.replace("[mailbox.support]\n", "[mailbox.support]\nenabled = false\n"));
    desk.deliver(&crate::support::mail("ada@customer.test", "Help"));
    desk.ok(&["sync", "--once"]);
    assert!(desk.intake().is_empty());
    desk.configure(&on);
    desk.ok(&["sync", "--once"]);
    assert_eq!(desk.intake().len(), 1);
}

#[tokio::test]
async fn one_mail_to_all_has_everybody_in_its_head_and_a_key_for_each() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.edit("acme/support#1", Edit::AddEmail("bob@customer.example".parse().unwrap())).await;
    room.send().await;
    room.reply("acme/support#1", "each alone").await;
    let each = room.send().await;
    assert_eq!(each.len(), 2);
    assert!(each.iter().all(|m| field(m, "Cc").is_none()), "by default nobody sees who else gets it");
    room.set("acme/support", "one_mail_to_all", "true").await;
    room.reply("acme/support#1", "to all").await;
    let all = room.send().await;
    assert_eq!(all.len(), 2, "each is sent on their own, so that one failure is one failure");
    for name in ["To", "Cc", "Message-ID", "Subject"] {
        assert_eq!(field(&all[0], name), field(&all[1], name), "{name}");
    }
    assert!(field(&all[0], "To").unwrap().contains("ada@") && field(&all[0], "Cc").unwrap().contains("bob@"));
    assert_ne!(field(&all[0], "Reply-To"), field(&all[1], "Reply-To"), "who answers is known by the key");
    let rows = room.outbox().await;
    let mut to: Vec<&str> = rows.iter().take(2).map(|row| row.to.as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, ["ada@customer.example", "bob@customer.example"]);
    // Bob's answer, which names the shared Message-ID, joins the issue.
    let id = field(&all[0], "Message-ID").unwrap();
    room.mail(&format!("From: bob@customer.example\nTo: help@desk.example\nSubject: Re: x\nMessage-ID: <b@c.example>\nIn-Reply-To: {id}\n\nThanks\n")).await;
    assert_eq!(room.issue("acme/support#1").await.notes.last().unwrap().body.trim(), "Thanks");
}
