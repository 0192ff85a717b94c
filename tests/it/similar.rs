//! Similar issues: found by what was written, with the answer that was given then.

use crate::support::room::{ADA, Room};
use deskbell::domain::{FaultKind, Request, Response, Role, SimilarIssue};

async fn similar(room: &mut Room, user: &str, reference: &str) -> Vec<SimilarIssue> {
    match room.ask_as(user, Request::Similar(reference.parse().unwrap())).await.unwrap() {
        Response::Similar(found) => found,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_words_of_the_mail_find_what_was_answered_before() {
    let mut room = Room::new().await;
    let old = ADA
        .replace("Subject: Cannot log in", "Subject: Help")
        .replace("It says", "The printer in the hall blinks. It says");
    room.mail(&old).await;
    room.reply("acme/support#1", "Clear the cache of tokens.").await;
    room.reply("acme/support#1", "Anything else?").await;
    for n in 0..20 {
        let other = ADA
            .replace("<a1@", &format!("<x{n}@"))
            .replace("Cannot log in", &format!("Question {n}"))
            .replace("It says \"invalid token\".", "Nothing of the kind, a usual question.");
        room.mail(&other).await;
    }
    room.mail(&ADA.replace("<a1@", "<b1@").replace("ada@", "bob@").replace("Ada Lovelace", "Bob")).await;
    let found = similar(&mut room, "alice", "acme/support#22").await;
    assert_eq!(found[0].row.reference, "acme/support#1", "{found:?}");
    assert!(found[0].words.contains(&"token".to_owned()) && found[0].share >= 12, "{:?}", found[0]);
    let answer = found[0].answer.as_ref().unwrap();
    assert_eq!((answer.text.as_str(), answer.by.as_str()), ("Clear the cache of tokens.", "alice"));
    assert!(found.iter().all(|one| one.row.reference != "acme/support#22"));
}

fn mail(number: usize, subject: &str, text: &str) -> String {
    let mail = ADA.replace("<a1@", &format!("<m{number}@")).replace("Cannot log in", subject);
    mail.replace("It says \"invalid token\".", text)
}

#[tokio::test]
async fn words_that_hold_sentences_together_make_nothing_similar() {
    let mut room = Room::new().await;
    room.mail(&mail(
        1,
        "When will the invoice come",
        "Hello, please, the paper has not been there and we have it not.",
    ))
    .await;
    room.mail(&mail(
        2,
        "When does the telescope turn",
        "Hello, please, the mirror has not been there and you have it not.",
    ))
    .await;
    room.mail(&mail(3, "Die Rechnung", "Und wenn der Drucker nicht geht, bitte ich um Antwort.")).await;
    room.mail(&mail(4, "Das Fernrohr", "Und wenn der Spiegel nicht geht, bitte ich um Antwort.")).await;
    let found = similar(&mut room, "alice", "acme/support#1").await;
    assert!(found.is_empty(), "{found:?}");
    let found = similar(&mut room, "alice", "acme/support#3").await;
    let words: Vec<&str> = found.iter().flat_map(|one| one.words.iter().map(String::as_str)).collect();
    assert!(words.iter().all(|word| ["geht", "antwort"].contains(word)), "{found:?}");
}

#[tokio::test]
async fn what_many_texts_hold_tells_less_than_one_rare_word() {
    let mut room = Room::new().await;
    let portal = "Sent by our customer portal, account reference follows below.";
    for n in 0..14 {
        room.mail(&mail(n, &format!("Matter {n}"), portal)).await;
    }
    room.mail(&mail(20, "Sky", "The telescope is stuck.")).await;
    room.mail(&mail(21, "Night", &format!("My telescope hums. {portal}"))).await;
    let found = similar(&mut room, "alice", "acme/support#16").await;
    let named: Vec<&str> = found.iter().map(|one| one.row.reference.as_str()).collect();
    assert_eq!(named, ["acme/support#15"], "{found:?}");
    assert_eq!(found[0].words, ["telescope"]);
}

#[tokio::test]
async fn what_one_does_not_work_on_is_not_found() {
    let mut room = Room::new().await;
    room.set("acme/support", "confidential", "false").await;
    room.mail(ADA).await;
    let to = ADA.lines().find(|line| line.starts_with("To: ")).unwrap();
    let office = ADA.replace("<a1@", "<o1@").replace(to, "To: office@desk.example");
    room.mail(&office).await;
    assert_eq!(similar(&mut room, "alice", "acme/support#1").await.len(), 1);
    for (user, project, role) in [
        ("mia", "acme/support", Role::Reporter),
        ("gus", "acme/support", Role::Guest),
        ("tom", "acme/office", Role::Reporter),
    ] {
        room.user(user).await;
        let (project, user) = (project.to_owned(), user.to_owned());
        room.ok(Request::SetMember { project, user, role }).await;
    }
    assert_eq!(similar(&mut room, "mia", "acme/support#1").await, []);
    let ask = || Request::Similar("acme/support#1".parse().unwrap());
    assert_eq!(room.ask_as("gus", ask()).await.unwrap_err().kind, FaultKind::NotAllowed);
    assert_eq!(room.ask_as("tom", ask()).await.unwrap_err().kind, FaultKind::NotFound);
}
