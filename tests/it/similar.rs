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
