//! A desk in a room of its own: no server, a clock that is handed in, mail as text.

use deskbell::config::Config;
use deskbell::desk::{Caller, Desk, Settled, Ways};
use deskbell::domain::{
    Arrival, Call, Deliver, Delivered, Draft, DraftKind, Edit, Fault, FaultKind, IssueId, IssueQuery,
    IssueView, NewNote, OutboxView, Request, RequestId, Response, Role, Upload, Via,
};
use deskbell::index::Index;
use deskbell::store::Store;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub const CONFIG: &str = r#"
[mailbox.support]
address = "help+%{key}@desk.example"
inbox_method = "maildir"
path = "in"
trusted_authserv_ids = ["mx.desk.example"]
[mailbox.plain]
address = "office@desk.example"
inbox_method = "maildir"
path = "in2"
project = "acme/office"
[smtp]
method = "maildir"
path = "out"
from = "help@desk.example"
"#;

pub struct Room {
    pub dir: TempDir,
    pub desk: Desk,
    pub now: Arc<Mutex<Timestamp>>,
    pub asked: u64,
}

impl Room {
    pub async fn new() -> Self {
        let mut room = Self::bare().await;
        room.ok(Request::AddProject { path: "acme/support".into() }).await;
        room.ok(Request::AddProject { path: "acme/office".into() }).await;
        room
    }

    /// Makes a desk with a customer's issue, and somebody of each kind: mia works on it, gus is a guest, tom is of
    /// another project.
    pub async fn with_staff() -> Self {
        let mut room = Self::new().await;
        room.set("acme/support", "confidential", "false").await;
        room.mail(ADA).await;
        for (user, project, role) in [
            ("mia", "acme/support", Role::Reporter),
            ("gus", "acme/support", Role::Guest),
            ("tom", "acme/office", Role::Owner),
        ] {
            room.user(user).await;
            let (project, user) = (project.to_owned(), user.to_owned());
            room.ok(Request::SetMember { project, user, role }).await;
        }
        room
    }

    pub async fn bare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = Arc::new(Mutex::new("2026-03-02T09:00:00Z".parse().unwrap()));
        let desk = open(CONFIG, &dir, &now).await;
        Self { dir, desk, now, asked: 0 }
    }

    /// Ends the desk and opens it again.
    pub async fn again(&mut self) {
        self.again_with(CONFIG).await;
    }

    /// Ends the desk and opens it again with another config.
    pub async fn again_with(&mut self, config: &str) {
        self.desk.close().await.unwrap();
        self.desk = open(config, &self.dir, &self.now).await;
    }

    pub fn later(&self, span: SignedDuration) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(span).unwrap();
    }

    pub async fn ask_as(&mut self, user: &str, request: Request) -> Result<Response, Fault> {
        self.asked += 1;
        let id = RequestId(format!("r{}", self.asked));
        self.ask_call(user, Call { id, via: Via::Command, request }).await
    }

    pub async fn ask_call(&self, user: &str, call: Call) -> Result<Response, Fault> {
        self.desk.handle(&Caller { user: user.into(), owns_desk: user == "alice" }, call).await
    }

    pub async fn ask(&mut self, request: Request) -> Result<Response, Fault> {
        self.ask_as("alice", request).await
    }

    pub async fn ok(&mut self, request: Request) -> Response {
        self.ask(request.clone()).await.unwrap_or_else(|fault| panic!("{request:?}: {fault:?}"))
    }

    pub async fn mail(&mut self, raw: &str) -> Delivered {
        self.arrive(Arrival { path: Some("-".into()), ..Arrival::default() }, raw).await
    }

    pub async fn arrive(&mut self, arrival: Arrival, raw: &str) -> Delivered {
        let raw = raw.replace('\n', "\r\n").into_bytes();
        match self.ok(Request::Deliver(Deliver { arrival, raw, dry_run: false })).await {
            Response::Delivered(delivered) => *delivered,
            other => panic!("{other:?}"),
        }
    }

    pub async fn issue(&mut self, reference: &str) -> IssueView {
        match self.ok(Request::Issue(reference.parse().unwrap())).await {
            Response::Issue(issue) => *issue,
            other => panic!("{other:?}"),
        }
    }

    pub async fn list(&mut self, query: &str) -> Vec<String> {
        self.list_as("alice", query).await
    }

    pub async fn list_as(&mut self, user: &str, query: &str) -> Vec<String> {
        let query = IssueQuery { query: query.into(), offset: 0, limit: 100 };
        match self.ask_as(user, Request::Issues(query)).await.unwrap() {
            Response::Issues(page) => page.rows.into_iter().map(|row| row.reference).collect(),
            other => panic!("{other:?}"),
        }
    }

    pub async fn outbox(&mut self) -> Vec<OutboxView> {
        match self.ok(Request::Outbox { states: vec![], limit: 100 }).await {
            Response::Outbox(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    pub async fn reply(&mut self, reference: &str, text: &str) -> IssueView {
        match self.ok(Request::AddNote(note(reference, text))).await {
            Response::Noted { issue, .. } => *issue,
            other => panic!("{other:?}"),
        }
    }

    /// Saves half a reply of alice's to an issue.
    pub async fn half_a_reply(&mut self, reference: &str) {
        let draft = Draft {
            saved_at: self.desk.now(),
            ..draft_of("alice", Some(self.issue(reference).await.row.id), "Half a thought")
        };
        self.ok(Request::SaveDraft(Box::new(draft))).await;
    }

    /// Answers with a file, and holds it; it can be taken back.
    pub async fn hold_file(&mut self, reference: &str, text: &str, name: &str, bytes: &[u8]) {
        let attach = vec![Upload { name: name.into(), bytes: bytes.to_vec() }];
        self.ok(Request::AddNote(NewNote { hold_ms: Some(60_000), attach, ..note(reference, text) })).await;
    }

    /// Takes the last note back; gives the draft that it is again.
    pub async fn taken_back(&mut self) -> Draft {
        match self.ok(Request::Undo).await {
            Response::Undone { draft: Some(draft), .. } => draft,
            other => panic!("{other:?}"),
        }
    }

    /// Gives the bytes of a file of alice's reply in the making, where there is one at this place.
    pub async fn kept_file(&mut self, reference: &str, name: &str, place: Option<u32>) -> Option<Vec<u8>> {
        let (reference, name) = (Some(reference.parse().unwrap()), name.to_owned());
        match self.ask(Request::DraftFile { reference, kind: DraftKind::Reply, name, place }).await {
            Ok(Response::Bytes(bytes)) => Some(bytes),
            Err(fault) if fault.kind == FaultKind::NotFound => None,
            other => panic!("{other:?}"),
        }
    }

    pub async fn edit(&mut self, reference: &str, edit: Edit) {
        let references = vec![reference.parse().unwrap()];
        self.ok(Request::Edit { references, edits: vec![edit] }).await;
    }

    /// Adds one of the staff.
    pub async fn user(&mut self, name: &str) {
        let (name, emails) = (name.to_owned(), vec![]);
        self.ok(Request::AddUser { name, full_name: None, emails, system_user: None }).await;
    }

    /// Sets one thing of a project.
    pub async fn set(&mut self, project: &str, key: &str, value: &str) {
        let settings = vec![(key.to_owned(), value.to_owned())];
        self.ok(Request::SetProject { path: project.into(), settings }).await;
    }

    /// Sends everything that is due and gives the bytes.
    pub async fn send(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        for claim in self.desk.claim(None, 100).await.unwrap() {
            sent.push(unfolded(&claim.bytes));
            self.desk.settle(claim.id, Settled::Sent).await.unwrap();
        }
        sent
    }
}

/// Opens the desk in a folder by a config, at a time that others turn on.
pub async fn open(config: &str, dir: &TempDir, now: &Arc<Mutex<Timestamp>>) -> Desk {
    let config = Config::parse(config, &dir.path().join("config.toml")).unwrap();
    let store = Store::open(&dir.path().join("data")).await.unwrap().store;
    let (index, seq) = Index::open(&dir.path().join("data/index")).unwrap();
    let now = Arc::clone(now);
    let clock = Arc::new(move || *now.lock().unwrap());
    Desk::open(store, index, seq, Ways::of(&config, dir.path()), deskbell::crypt::Crypt::default(), clock)
        .await
        .unwrap()
}

pub fn note(reference: &str, text: &str) -> NewNote {
    NewNote {
        reference: reference.parse().unwrap(),
        text: text.into(),
        internal: false,
        attach: vec![],
        cc: vec![],
        without: vec![],
        hold_ms: None,
        seen: None,
        close: false,
        status: None,
    }
}

pub fn unfolded(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n ", " ").replace("\r\n\t", " ").replace("\r\n", "\n")
}

pub fn field<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    let head = mail.split("\n\n").next()?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

pub fn address(value: &str) -> &str {
    value.rsplit_once('<').map_or(value, |(_, rest)| rest.trim_end_matches('>'))
}

pub const ADA: &str = "From: Ada Lovelace <ada@customer.example>
To: help+acme-support-1-issue-@desk.example
Subject: Cannot log in
Message-ID: <a1@customer.example>

It says \"invalid token\".
";

/// Gives a reply that is being written to an issue, with nothing but its text.
pub fn draft_of(user: &str, issue: Option<IssueId>, text: &str) -> Draft {
    Draft {
        user: user.to_owned(),
        issue,
        project: None,
        kind: DraftKind::Reply,
        text: text.to_owned(),
        title: None,
        to: None,
        cc: vec![],
        files: vec![],
        kept: vec![],
        off: vec![],
        over: None,
        seen: None,
        saved_at: Timestamp::UNIX_EPOCH,
    }
}
