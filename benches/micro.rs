//! Small benchmarks of what the table of figures is made of: `cargo bench --bench micro [FILTER]`.
//!
//! Mails, rows and issues are made here, the same every time. A desk stands in a folder of its own and has real
//! mails delivered; nothing is imitated. Full text is asked at three sizes of the desk, screens are drawn at three
//! sizes of the terminal.
#![allow(clippy::unwrap_used, clippy::panic)]

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use deskbell::config::Config;
use deskbell::desk::{Caller, Content, Desk, Incoming, Ways};
use deskbell::domain::query::{Query, Viewer};
use deskbell::domain::{Actor, Arrival, Call, Request, RequestId, Response, Rights, Via};
use deskbell::index::Index;
use deskbell::mail::{self, Reading};
use deskbell::store::{Commit, Put, Store, Tree};
use deskbell::tui::{App, Effect, FromDesk, Input, Options, draw};
use divan::{Bencher, black_box};
use jiff::Timestamp;
use ratatui::{Terminal, backend::TestBackend};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const CONFIG: &str = r#"
[mailbox.support]
address = "support@desk.example"
inbox_method = "maildir"
path = "in"
project = "acme/support"
[smtp]
method = "maildir"
path = "out"
from = "support@desk.example"
"#;
const WORDS: [&str; 12] = [
    "printer", "invoice", "password", "reset", "vpn", "battery", "refund", "update", "screen", "shipping",
    "licence", "monitor",
];
/// Sizes of desks, in mails.
const DESKS: [usize; 3] = [100, 1_000, 10_000];
/// Sizes of terminals, in columns and rows.
const TERMINALS: [(u16, u16); 3] = [(80, 24), (120, 40), (240, 80)];
const SCREENS: [&str; 6] = ["list", "thread", "composer", "outbox", "intake", "projects"];

fn main() {
    divan::main();
}

/// Makes the mail of this number: one in four opens an issue, the others answer the one before.
fn letter(number: usize) -> Vec<u8> {
    let word = |step: usize| WORDS.get((number * 7 + step * 5) % WORDS.len()).copied().unwrap_or_default();
    let first = number - number % 4;
    let answers = if number == first {
        String::new()
    } else {
        format!("In-Reply-To: <m{}@acme.example>\r\nReferences: <m{first}@acme.example>\r\n", number - 1)
    };
    let text: String =
        (0..120).map(|i| format!("{}{}", word(i), if i % 11 == 10 { ".\r\n" } else { " " })).collect();
    format!(
        "From: Ada {0} <ada{0}@acme.example>\r\nTo: support@desk.example\r\nSubject: {1} {2}\r\n\
         Date: Mon, 02 Mar 2026 09:00:00 +0000\r\nMessage-ID: <m{number}@acme.example>\r\n{answers}\
         Content-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n{text}\r\n\
         On Mon, 2 Mar 2026, Support wrote:\r\n> what you wrote\r\n> before\r\n-- \r\nAda\r\n",
        first % 97,
        word(0),
        word(1),
    )
    .into_bytes()
}

fn page() -> Vec<u8> {
    let rows: String = (0..200).map(|i| format!("<tr><td>{i}</td><td><b>part {i}</b></td></tr>")).collect();
    format!("From: a@acme.example\r\nSubject: list\r\nContent-Type: text/html\r\n\r\n<p>Our list</p><table>{rows}</table>")
        .into_bytes()
}

/// A desk in a folder of its own.
struct Room {
    runtime: Runtime,
    desk: Desk,
    index: Index,
    asked: u64,
    _dir: TempDir,
}

impl Room {
    fn with(mails: usize) -> Self {
        let runtime = Runtime::new().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (desk, index) = runtime.block_on(open(&dir));
        let mut room = Self { runtime, desk, index, asked: 0, _dir: dir };
        room.ask(Request::AddProject { path: "acme/support".into() });
        let numbers: Vec<usize> = (0..mails).collect();
        for batch in numbers.chunks(500) {
            room.receive(batch.iter().copied());
        }
        room
    }

    fn ask(&mut self, request: Request) -> Response {
        self.asked += 1;
        let call = Call { id: RequestId(format!("r{}", self.asked)), via: Via::Tui, request };
        let caller = Caller { user: "alice".into(), owns_desk: true };
        self.runtime.block_on(self.desk.handle(&caller, call)).unwrap()
    }

    fn receive(&self, numbers: impl Iterator<Item = usize>) {
        let arrival = Arrival { mailbox: Some("support".into()), silent: true, ..Arrival::default() };
        let incoming = |number| Incoming {
            arrival: arrival.clone(),
            content: Content::Whole(letter(number)),
            silent_before: None,
        };
        self.runtime.block_on(self.desk.receive(numbers.map(incoming).collect(), None)).unwrap();
    }

    /// Does what the screen asks until it asks nothing more.
    fn serve(&mut self, app: &mut App, effects: Vec<Effect>) {
        let mut effects: std::collections::VecDeque<Effect> = effects.into();
        while let Some(effect) = effects.pop_front() {
            if let Effect::Ask(token, request) = effect {
                let answer = FromDesk::Answer(token, Ok(self.ask(request)));
                effects.extend(app.update(Input::Desk(answer)));
            }
        }
    }

    /// Gives the screens, at a terminal of this size, after these keys.
    fn screen(&mut self, (width, height): (u16, u16), keys: &str) -> App {
        let mut app = App::new(Options::default(), width, height, Timestamp::UNIX_EPOCH).unwrap();
        let effects = app.start();
        self.serve(&mut app, effects);
        for key in keys.chars() {
            let code = if key == '\r' { KeyCode::Enter } else { KeyCode::Char(key) };
            let effects = app.update(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
            self.serve(&mut app, effects);
        }
        app
    }
}

async fn open(dir: &TempDir) -> (Desk, Index) {
    let config = Config::parse(CONFIG, &dir.path().join("config.toml")).unwrap();
    let store = Store::open(&dir.path().join("data")).await.unwrap().store;
    let (index, seq) = Index::open(&dir.path().join("data/index")).unwrap();
    let ways = Ways::of(&config, dir.path());
    let clock = Arc::new(Timestamp::now);
    let desk = Desk::open(store, index.clone(), seq, ways, deskbell::crypt::Crypt::default(), clock).await;
    (desk.unwrap(), index)
}

fn viewer() -> Viewer {
    Viewer { user: "alice".into(), now: Timestamp::now(), rights: Rights::All }
}

#[divan::bench(args = ["plain", "html"])]
fn parse(bencher: Bencher, kind: &str) {
    let raw = if kind == "html" { page() } else { letter(1) };
    bencher.bench(|| mail::read(black_box(&raw)).is_ok());
}

#[divan::bench(args = ["plain", "html"])]
fn visible_text(bencher: Bencher, kind: &str) {
    let raw = if kind == "html" { page() } else { letter(1) };
    let message = mail::read(&raw).unwrap();
    bencher.bench(|| mail::visible(black_box(&message), Reading::of(&message)));
}

/// A batch of a hundred answers that find their issues, in one durable commit.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn threading(bencher: Bencher) {
    let room = Room::with(100);
    let mut next = 100;
    bencher.bench_local(|| {
        room.receive(next..next + 100);
        next += 100;
    });
}

/// One durable commit of so many documents.
#[divan::bench(args = [1, 100])]
fn commit(bencher: Bencher, documents: u64) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let store = runtime.block_on(Store::open(dir.path())).unwrap().store;
    let put = |number: u64| Put {
        tree: Tree::Intake,
        key: number.to_be_bytes().to_vec(),
        document: Some(vec![7; 300]),
    };
    let puts: Vec<Put> = (0..documents).map(put).collect();
    bencher.bench_local(|| runtime.block_on(store.commit(step(puts.clone()))).unwrap());
}

fn step(puts: Vec<Put>) -> Commit {
    Commit {
        at: Timestamp::UNIX_EPOCH,
        actor: Actor { user: "alice".into(), email: None, via: Via::Command },
        reason: None,
        request: None,
        deed: None,
        changes: Vec::new(),
        expectations: Vec::new(),
        since: None,
        puts,
    }
}

#[divan::bench(args = DESKS)]
fn row_filter(bencher: Bencher, mails: usize) {
    let room = Room::with(mails);
    let query = Query::parse("is:open waiting:us -is:snoozed sort:waiting").unwrap();
    bencher.bench_local(|| room.index.find(&query, &viewer(), 0, 160));
}

#[divan::bench(args = DESKS)]
fn counts_of_views(bencher: Bencher, mails: usize) {
    let mut room = Room::with(mails);
    let queries: Vec<String> =
        ["is:open", "is:open assignee:me", "is:open is:unread", "is:spam"].map(str::to_owned).into();
    bencher.bench_local(|| room.ask(Request::Counts(queries.clone())));
}

#[divan::bench(args = DESKS)]
fn query_of_words(bencher: Bencher, mails: usize) {
    let room = Room::with(mails);
    room.index.flush();
    bencher.bench_local(|| {
        let query = Query::parse(black_box("is:open printer invoice")).unwrap();
        room.index.find(&query, &viewer(), 0, 160)
    });
}

/// Draws a screen anew, at three sizes of the terminal.
#[divan::bench(args = SCREENS, consts = [0, 1, 2])]
fn screen<const SIZE: usize>(bencher: Bencher, screen: &str) {
    let mut room = Room::with(400);
    let size = TERMINALS.get(SIZE).copied().unwrap_or_default();
    let keys = match screen {
        "list" => "3j",
        "thread" => "3\r",
        "composer" => "3\rr",
        "outbox" => "O",
        "intake" => "I",
        _ => "P",
    };
    let app = room.screen(size, keys);
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    bencher.bench_local(|| terminal.draw(|frame| draw(&app, frame)).map(|_| ()));
}

/// Takes in `j` and draws what it changed.
#[divan::bench]
fn key_j(bencher: Bencher) {
    let mut room = Room::with(400);
    let mut app = room.screen((120, 40), "3");
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
    let mut keys = ["j", "k"].into_iter().cycle();
    bencher.bench_local(|| {
        let key = keys.next().and_then(|key| key.chars().next()).unwrap_or('j');
        black_box(app.update(Input::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE))));
        terminal.draw(|frame| draw(&app, frame)).map(|_| ())
    });
}
