//! Staff by mail: whom of them a change is mailed to and when, and what becomes of their answers.

mod answers;
mod moved;
mod notices;

use crate::support::room::{ADA, Room, address, field};
use deskbell::domain::{Arrival, Delivered, Fault, MailKind, Request, Response};

/// A desk with mia and bob on the staff, each with an address, and Ada's issue, which is mia's.
pub async fn room() -> Room {
    let mut room = Room::new().await;
    for name in ["mia", "bob"] {
        let emails = vec![format!("{name}@staff.example").parse().unwrap()];
        let full_name = Some(format!("{}{} Staff", name[..1].to_uppercase(), &name[1..]));
        room.ok(Request::AddUser { name: name.into(), full_name, emails, system_user: None }).await;
    }
    room.set("acme/support", "assignee", "mia").await;
    room.mail(ADA).await;
    room.send().await;
    room
}

pub async fn wish(room: &mut Room, user: &str, settings: &[(&str, &str)]) -> Result<Response, Fault> {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    room.ask_as(user, Request::SetUser { name: user.into(), settings }).await
}

/// Sends what is due and gives the mails to one of the staff.
pub async fn mails_to(room: &mut Room, user: &str) -> Vec<String> {
    let to = format!("{user}@staff.example");
    let sent = room.send().await;
    sent.into_iter().filter(|mail| field(mail, "To").is_some_and(|field| field.contains(&to))).collect()
}

pub fn reply_to(mail: &str) -> String {
    address(field(mail, "Reply-To").unwrap()).to_owned()
}

/// Has the customer answer, so that the staff are mailed.
pub async fn answer_of_ada(room: &mut Room, id: &str, text: &str) -> Delivered {
    let raw = format!(
        "From: Ada Lovelace <ada@customer.example>\nTo: help+acme-support-1-issue-@desk.example\nSubject: Re: Cannot log in\nMessage-ID: <{id}@customer.example>\nIn-Reply-To: <a1@customer.example>\n\n{text}\n"
    );
    room.mail(&raw).await
}

/// Has one of the staff answer a mail, by a server that vouches for it.
pub async fn answer_of(room: &mut Room, user: &str, to: &str, id: &str, text: &str) -> Delivered {
    let raw = format!(
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=staff.example\nFrom: {user} <{user}@staff.example>\nTo: <{to}>\nSubject: Re: Cannot log in\nMessage-ID: <{id}@staff.example>\n\n{text}\n"
    );
    by_support(room, &raw).await
}

/// Has a mail come by the mailbox whose server is trusted.
pub async fn by_support(room: &mut Room, raw: &str) -> Delivered {
    let arrival = Arrival { mailbox: Some("support".into()), ..Arrival::default() };
    room.arrive(arrival, raw).await
}

pub async fn rows_to_staff(room: &mut Room) -> usize {
    room.outbox().await.iter().filter(|row| row.kind == MailKind::Staff).count()
}
