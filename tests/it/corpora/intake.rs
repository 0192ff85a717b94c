//! A desk that takes a corpus in as its mailbox would hand it over, and what it made of every mail.

use super::lines::Line;
use crate::support::room;
use deskbell::desk::{Caller, Content, Desk, Incoming, Received};
use deskbell::domain::{
    Arrival, Call, IntakeView, IssueQuery, NewIssue, NoteId, NoteView, Request, RequestId, Response, Via,
};
use deskbell::mail;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const CONFIG: &str = r#"
[mailbox.support]
address = "help+%{key}@desk.example"
inbox_method = "maildir"
path = "in"
[smtp]
method = "maildir"
path = "out"
from = "help@desk.example"
"#;

/// How many mails become one commit.
const BATCH: usize = 40;

/// What the desk made of one mail.
pub struct Made {
    pub entry: IntakeView,
    /// The note it became, if it did.
    pub note: Option<NoteView>,
}

/// A desk of its own for one corpus.
struct Room {
    _folder: TempDir,
    desk: Desk,
    asked: u64,
}

impl Room {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(Mutex::new("2026-03-02T09:00:00Z".parse().unwrap()));
        let desk = room::open(CONFIG, &folder, &now).await;
        let mut room = Self { _folder: folder, desk, asked: 0 };
        room.ask(Request::AddProject { path: "acme/support".into() }).await;
        room
    }

    async fn ask(&mut self, request: Request) -> Response {
        self.asked += 1;
        let call = Call { id: RequestId(format!("r{}", self.asked)), via: Via::Command, request };
        let caller = Caller { user: "alice".into(), owns_desk: true };
        self.desk.handle(&caller, call).await.unwrap()
    }

    /// Opens an issue for an outside person; gives the address that answers to it go to.
    async fn reply_address(&mut self) -> String {
        let issue = NewIssue {
            project: "acme/support".into(),
            title: "Cart".into(),
            to: deskbell::domain::EmailAddress::parse("ada@customer.example"),
            text: "Does the cart work again?".into(),
            hold_ms: None,
        };
        self.ask(Request::NewIssue(issue)).await;
        let claims = self.desk.claim(None, 10).await.unwrap();
        let sent = mail::read(&claims.first().unwrap().bytes).unwrap();
        sent.reply_to.first().unwrap().email.as_str().to_owned()
    }

    async fn entries(&mut self) -> Vec<IntakeView> {
        match self.ask(Request::Intake { fate: None, limit: 100_000 }).await {
            Response::Intake(entries) => entries,
            other => panic!("{other:?}"),
        }
    }

    /// Gives every note of every issue.
    async fn notes(&mut self) -> HashMap<NoteId, NoteView> {
        let query = IssueQuery { query: String::new(), offset: 0, limit: 100_000 };
        let Response::Issues(page) = self.ask(Request::Issues(query)).await else {
            panic!("no list of issues")
        };
        let mut notes = HashMap::new();
        for row in page.rows {
            match self.ask(Request::Issue(row.reference.parse().unwrap())).await {
                Response::Issue(issue) => notes.extend(issue.notes.into_iter().map(|note| (note.id, note))),
                other => panic!("{other:?}"),
            }
        }
        notes
    }
}

/// Takes every mail in; gives what became of each, in their order.
pub async fn take_in(lines: &[Line]) -> Vec<Option<Made>> {
    let mut room = Room::new().await;
    let address = room.reply_address().await;
    let mut received: Vec<Received> = Vec::new();
    for batch in lines.chunks(BATCH) {
        let batch = batch.iter().map(|line| incoming(line, &address)).collect();
        received.extend(room.desk.receive(batch, None).await.unwrap());
    }
    assert_eq!(received.len(), lines.len(), "every mail reaches one project, so it has one entry");
    let mut entries: HashMap<_, _> =
        room.entries().await.into_iter().map(|entry| (entry.id, entry)).collect();
    let mut notes = room.notes().await;
    let mut made = |received: &Received| {
        let entry = entries.remove(&received.entry)?;
        let note = entry.note.and_then(|id| notes.remove(&id));
        Some(Made { entry, note })
    };
    received.iter().map(&mut made).collect()
}

/// Hands a mail over as a mailbox does; an answer comes to the reply address of an issue.
fn incoming(line: &Line, address: &str) -> Incoming {
    let envelope_to = line.is_answer().then(|| address.to_owned());
    let arrival = Arrival { mailbox: Some("support".into()), envelope_to, ..Arrival::default() };
    Incoming { arrival, content: Content::Whole(line.raw.clone()), silent_before: None }
}
