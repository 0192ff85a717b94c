//! Machines that write to the desk: no answer, no circle, and each report at the mail that it is about.

use crate::support::room;
use deskbell::desk::{Caller, Desk, Settled};
use deskbell::domain::{
    AddressState, Arrival, Call, Deliver, Edit, EmailAddress, Fate, IntakeView, IssueQuery, IssueView,
    NewNote, OutboxState, OutboxView, Party, Request, RequestId, Response, State, Via,
};
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A desk of its own domain in this process, with one project.
struct Peer {
    domain: &'static str,
    desk: Desk,
    now: Arc<Mutex<Timestamp>>,
    asked: u64,
    _dir: TempDir,
}

/// A mail on its way between two desks.
struct Sent {
    from: Option<EmailAddress>,
    to: EmailAddress,
    text: String,
}

impl Peer {
    async fn new(domain: &'static str) -> Self {
        Self::with(domain, "help+%{key}").await
    }

    async fn with(domain: &'static str, local: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "[mailbox.support]\naddress = \"{local}@{domain}\"\nproject = \"acme/support\"\ninbox_method = \"maildir\"\npath = \"in\"\n[smtp]\nmethod = \"maildir\"\npath = \"out\"\nfrom = \"help@{domain}\"\n"
        );
        let now = Arc::new(Mutex::new("2026-03-02T09:00:00Z".parse().unwrap()));
        let desk = room::open(&text, &dir, &now).await;
        let mut peer = Self { domain, desk, now, asked: 0, _dir: dir };
        peer.ok(Request::AddProject { path: "acme/support".into() }).await;
        peer
    }

    async fn ok(&mut self, request: Request) -> Response {
        self.asked += 1;
        let call = Call { id: RequestId(format!("r{}", self.asked)), via: Via::Command, request };
        let caller = Caller { user: "alice".into(), owns_desk: true };
        self.desk.handle(&caller, call).await.unwrap()
    }

    async fn mail(&mut self, text: &str) -> IntakeView {
        self.raw(text.replace('\n', "\r\n").into_bytes(), None).await
    }

    async fn raw(&mut self, raw: Vec<u8>, envelope_to: Option<String>) -> IntakeView {
        let arrival = Arrival { path: Some("-".into()), envelope_to, ..Arrival::default() };
        match self.ok(Request::Deliver(Deliver { arrival, raw, dry_run: false })).await {
            Response::Delivered(delivered) => delivered.entry,
            other => panic!("{other:?}"),
        }
    }

    async fn issues(&mut self) -> usize {
        let query = IssueQuery { query: String::new(), offset: 0, limit: 1000 };
        match self.ok(Request::Issues(query)).await {
            Response::Issues(page) => page.rows.len(),
            other => panic!("{other:?}"),
        }
    }

    async fn issue(&mut self, number: u64) -> IssueView {
        match self.ok(Request::Issue(format!("#{number}").parse().unwrap())).await {
            Response::Issue(issue) => *issue,
            other => panic!("{other:?}"),
        }
    }

    async fn outbox(&mut self) -> Vec<OutboxView> {
        match self.ok(Request::Outbox { states: vec![], limit: 1000 }).await {
            Response::Outbox(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    async fn notices(&mut self) -> Vec<String> {
        match self.ok(Request::Status).await {
            Response::Status(status) => status.notices,
            other => panic!("{other:?}"),
        }
    }

    async fn reply(&mut self, number: u64, close: bool) {
        let note = NewNote { close, ..room::note(&format!("#{number}"), "Please try again.") };
        self.ok(Request::AddNote(note)).await;
    }

    async fn edit(&mut self, number: u64, edit: Edit) {
        let references = vec![format!("#{number}").parse().unwrap()];
        self.ok(Request::Edit { references, edits: vec![edit] }).await;
    }

    /// Sends everything that is due.
    async fn send(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        for claim in self.desk.claim(None, 100).await.unwrap() {
            let text = String::from_utf8_lossy(&claim.bytes).into_owned();
            sent.push(Sent { from: claim.from, to: claim.to, text });
            self.desk.settle(claim.id, Settled::Sent).await.unwrap();
        }
        sent
    }

    fn later(&self, span: SignedDuration) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(span).unwrap();
    }

    fn project(&self) -> String {
        format!("help+acme-support-1-issue-@{}", self.domain)
    }
}

fn field<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    let head = mail.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn from_ada(to: &str) -> String {
    format!(
        "From: Ada <ada@customer.example>\nTo: {to}\nSubject: Cart\nMessage-ID: <a1@customer.example>\n\nIt is empty.\n"
    )
}

/// A report of ours about a mail, as an MTA writes it.
fn report(to: &str, blocks: &[(&str, &str, &str)], returned: &str) -> String {
    let blocks: String = blocks
        .iter()
        .map(|(who, action, status)| {
            format!("Final-Recipient: rfc822; {who}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {status} the words of the server\n\n")
        })
        .collect();
    format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: {to}\nSubject: Undelivered Mail\nMessage-ID: <dsn{}@mx>\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nIt did not arrive.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{blocks}--b\nContent-Type: text/rfc822-headers\n\n{returned}\n--b--\n",
        blocks.len() + returned.len()
    )
}

#[tokio::test]
async fn every_mail_goes_out_with_the_keyed_address_of_its_row_as_envelope_sender() {
    let mut desk = Peer::new("desk.example").await;
    desk.mail(&from_ada(&desk.project())).await;
    desk.reply(1, false).await;
    let sent = desk.send().await;
    let senders: Vec<_> = sent.iter().map(|s| s.from.clone().unwrap().to_string()).collect();
    assert_eq!(sent.len(), 2);
    assert_ne!(senders[0], senders[1]);
    for (mail, sender) in sent.iter().zip(&senders) {
        assert!(
            sender.starts_with("help+") && field(&mail.text, "Reply-To").unwrap().contains(sender.as_str())
        );
    }
    // A report that says nothing at all but comes back to that address is at the right row.
    let bare = format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: {}\nSubject: Mail delivery failed\nMessage-ID: <b@mx>\n\nUser unknown\n",
        senders[1]
    );
    assert_eq!(desk.mail(&bare).await.fate, Fate::Bounce);
    let states: Vec<_> =
        desk.issue(1).await.notes.iter().flat_map(|n| n.delivery.iter().map(|d| d.state)).collect();
    assert_eq!(states, [OutboxState::Bounced]);
}

#[tokio::test]
async fn a_bounce_sets_each_row_it_names_and_marks_the_address_until_its_owner_writes() {
    let mut desk = Peer::new("desk.example").await;
    let project = desk.project();
    desk.mail(&from_ada(&project).replace("Subject", "Cc: bob@customer.example\nSubject")).await;
    desk.edit(1, Edit::Subscribe("bob@customer.example".parse().unwrap())).await;
    desk.send().await;
    desk.reply(1, false).await;
    let sent = desk.send().await;
    let ada = sent.iter().find(|s| s.to.as_str() == "ada@customer.example").unwrap();
    let id = field(&ada.text, "Message-ID").unwrap();
    let blocks = [("ada@customer.example", "failed", "5.1.1"), ("bob@customer.example", "failed", "4.2.2")];
    let entry = desk.mail(&report("help@desk.example", &blocks, &format!("Message-ID: {id}"))).await;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Bounce, Some("acme/support#1")));
    let issue = desk.issue(1).await;
    let state = |issue: &IssueView, who: &str| {
        issue.participants.iter().find(|p| p.email.as_str() == who).unwrap().address_state
    };
    assert_eq!(state(&issue, "ada@customer.example"), AddressState::Bounced);
    assert_eq!(state(&issue, "bob@customer.example"), AddressState::Deferred);
    let delivery: Vec<_> = issue.notes.iter().flat_map(|n| &n.delivery).collect();
    assert!(
        delivery.iter().all(|d| d.state == OutboxState::Bounced
            && d.error.as_deref().unwrap().contains("words of the server")),
        "{delivery:?}"
    );
    // The mark holds in other issues of the same person, and goes when they write.
    desk.mail(&from_ada(&project).replace("a1@", "a2@").replace("empty", "full").replace("ada@", "bob@"))
        .await;
    assert_eq!(state(&desk.issue(1).await, "bob@customer.example"), AddressState::Ok);
    assert_eq!(state(&desk.issue(1).await, "ada@customer.example"), AddressState::Bounced);
    desk.reply(1, false).await;
    desk.send().await;
    assert_eq!(
        state(&desk.issue(1).await, "ada@customer.example"),
        AddressState::Ok,
        "a later mail got through"
    );
}

#[tokio::test]
async fn a_delay_is_a_warning_and_no_failure_and_goes_when_the_owner_writes() {
    let mut desk = Peer::new("desk.example").await;
    let project = desk.project();
    desk.mail(&from_ada(&project)).await;
    desk.reply(1, false).await;
    let sent = desk.send().await;
    let id = field(&sent[1].text, "Message-ID").unwrap();
    let late = report(
        "help@desk.example",
        &[("ada@customer.example", "delayed", "4.4.1")],
        &format!("Message-ID: {id}"),
    );
    assert_eq!(desk.mail(&late).await.fate, Fate::Bounce);
    let issue = desk.issue(1).await;
    let delivery = issue.notes.iter().flat_map(|n| &n.delivery).next().unwrap().clone();
    assert_eq!(delivery.state, OutboxState::Sent);
    assert!(delivery.error.unwrap().contains("still trying"));
    assert_eq!(issue.participants[0].address_state, AddressState::Deferred);
    desk.mail(&format!("From: ada@customer.example\nTo: {project}\nIn-Reply-To: {id}\nMessage-ID: <a3@customer.example>\nSubject: Re: Cart\n\nThank you.\n")).await;
    let issue = desk.issue(1).await;
    assert_eq!(issue.participants[0].address_state, AddressState::Ok);
    assert!(issue.notes.iter().flat_map(|n| &n.delivery).all(|d| d.error.is_none()));
}

#[tokio::test]
async fn a_bounce_without_key_and_identifier_is_found_by_issue_or_address_or_kept_with_that_reason() {
    let mut desk = Peer::with("desk.example", "help").await;
    desk.mail(&from_ada("help@desk.example")).await;
    desk.reply(1, false).await;
    desk.send().await;
    let stranger = report("help@desk.example", &[("eve@customer.example", "failed", "5.1.1")], "Subject: x");
    let entry = desk.mail(&stranger).await;
    assert_eq!((entry.fate, entry.reference), (Fate::Bounce, None));
    assert!(entry.reason.contains("names no mail of ours"), "{}", entry.reason);
    let named = report(
        "help@desk.example",
        &[("ada@customer.example", "failed", "5.1.1")],
        "X-Deskbell-Issue: acme/support#1",
    );
    let entry = desk.mail(&named).await;
    assert!(entry.reason.contains("returned header"), "{}", entry.reason);
    let bare = report("help@desk.example", &[("ada@customer.example", "failed", "5.1.1")], "");
    assert!(desk.mail(&bare).await.reason.contains("last mail to that address"));
    desk.later(SignedDuration::from_hours(24 * 30));
    let old = report("help@desk.example", &[("ada@customer.example", "failed", "5.1.1")], "Subject: y");
    assert!(desk.mail(&old).await.reason.contains("names no mail of ours"));
}

#[tokio::test]
async fn a_complaint_unsubscribes_who_made_it_and_says_so() {
    let mut desk = Peer::new("desk.example").await;
    desk.mail(&from_ada(&desk.project())).await;
    let sent = desk.send().await;
    let id = field(&sent[0].text, "Message-ID").unwrap();
    let complaint = format!(
        "From: fbl@isp.example\nTo: abuse@desk.example\nSubject: report\nMessage-ID: <c@isp>\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: text/plain\n\nabuse\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\nUser-Agent: X\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: {id}\nTo: [redacted]\n\nx\n--b--\n"
    );
    let entry = desk.mail(&complaint).await;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Automatic, Some("acme/support#1")));
    let issue = desk.issue(1).await;
    assert!(!issue.participants[0].subscribed);
    assert!(
        issue
            .notes
            .iter()
            .any(|n| n.body.contains("called our mail spam") && n.body.contains("unsubscribed"))
    );
    assert_eq!(desk.mail(&complaint).await.fate, Fate::Duplicate);
}

#[tokio::test]
async fn a_challenge_is_not_answered_and_the_staff_is_told() {
    let mut desk = Peer::new("desk.example").await;
    desk.mail(&from_ada(&desk.project())).await;
    let sent = desk.send().await;
    let to = sent[0].from.clone().unwrap();
    let entry = desk.mail(&format!("From: ada-confirm-1@customer.example\nTo: {to}\nSubject: Please confirm your message\nMessage-ID: <q@customer.example>\n\nYour message is being held. Reply to this message to confirm.\n")).await;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Automatic, Some("acme/support#1")));
    let issue = desk.issue(1).await;
    assert!(issue.notes.iter().any(|n| n.body.contains("asks us to confirm our mail")));
    let rows = desk.outbox().await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0].error.as_deref().unwrap().contains("until somebody confirms"));
    let alone = desk.mail(&format!("From: x@y.example\nTo: {}\nSubject: Please confirm your message\nMessage-ID: <r@y>\n\nYour message is being held. Reply to this message to confirm.\n", desk.project())).await;
    assert_eq!((alone.fate, alone.reference), (Fate::Automatic, None));
    assert!(alone.reason.contains("challenge"), "{}", alone.reason);
}

#[tokio::test]
async fn a_vacation_notice_leaves_state_turn_snooze_and_unread_as_they_were() {
    let mut desk = Peer::new("desk.example").await;
    desk.mail(&from_ada(&desk.project())).await;
    desk.reply(1, false).await;
    let sent = desk.send().await;
    for close in [false, true] {
        if close {
            desk.edit(1, Edit::Close).await;
        }
        let before = desk.issue(1).await.row;
        let notice = format!(
            "From: ada@customer.example\nTo: {}\nSubject: Abwesenheitsnotiz: Cart\nMessage-ID: <v{close}@customer.example>\n\nIch bin {close} im Urlaub.\n",
            sent[1].from.clone().unwrap()
        );
        assert_eq!(desk.mail(&notice).await.fate, Fate::Automatic);
        let after = desk.issue(1).await.row;
        assert_eq!(
            (before.state, before.waiting_on, before.unread, before.snoozed_until),
            (after.state, after.waiting_on, after.unread, after.snoozed_until)
        );
        assert_eq!(after.state, if close { State::Closed } else { State::Open });
        assert_eq!(after.waiting_on, (!close).then_some(Party::Them));
    }
}

/// What a relay makes of a mail between two desks.
#[derive(Clone, Copy, PartialEq)]
enum Relay {
    Honest,
    /// Takes off every field by which machines know each other, and gives new identifiers.
    Hostile,
}

fn relayed(mail: &Sent, relay: Relay, count: usize) -> Vec<u8> {
    if relay == Relay::Honest {
        return mail.text.clone().into_bytes();
    }
    let (head, body) = mail.text.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    let mut lines: Vec<String> = Vec::new();
    for line in head.lines() {
        let name = line.split(':').next().unwrap_or_default();
        match name {
            "From" | "To" | "Date" | "MIME-Version" | "Content-Type" | "Reply-To" => {
                lines.push(line.to_owned())
            }
            "Subject" => lines.push(line.replace("Subject: ", "Subject: [EXT] ")),
            _ => {}
        }
    }
    lines.push(format!("Message-ID: <relay{count}@relay.example>"));
    format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
}

/// Carries mail between desks until none is left; gives how many each wrote.
async fn carry(desks: &mut [Peer], relay: Relay) -> Vec<usize> {
    let mut counts = vec![0; desks.len()];
    for _ in 0..40 {
        let mut on_its_way = Vec::new();
        for (desk, count) in desks.iter_mut().zip(&mut counts) {
            let sent = desk.send().await;
            *count += sent.len();
            on_its_way.extend(sent);
        }
        if on_its_way.is_empty() {
            return counts;
        }
        for (at, mail) in on_its_way.iter().enumerate() {
            let total: usize = counts.iter().sum();
            let raw = relayed(mail, relay, total * 100 + at);
            for desk in desks.iter_mut().filter(|d| d.domain == mail.to.domain()) {
                desk.raw(raw.clone(), Some(mail.to.to_string())).await;
            }
        }
    }
    panic!("the desks go on and on: {counts:?}");
}

/// Lets the first mail come from the second desk's address to the first, and so on in a ring.
async fn begin(desks: &mut [Peer]) {
    for at in 0..desks.len() {
        let from = format!("help@{}", desks[(at + 1) % desks.len()].domain);
        let to = desks[at].project();
        let text = format!(
            "From: Desk <{from}>\nTo: {to}\nSubject: Offer {at}\nMessage-ID: <begin{at}@outside.example>\n\nHello.\n"
        );
        desks[at].mail(&text).await;
    }
}

#[tokio::test]
async fn two_desks_that_write_to_each_other_stop_by_themselves() {
    for relay in [Relay::Honest, Relay::Hostile] {
        let mut desks = [Peer::new("one.example").await, Peer::new("two.example").await];
        begin(&mut desks).await;
        let counts = carry(&mut desks, relay).await;
        assert!(counts.iter().all(|count| (1..=4).contains(count)), "{counts:?}");
        // Staff answer and close; that ends as well.
        for desk in &mut desks {
            desk.reply(1, true).await;
        }
        let counts = carry(&mut desks, relay).await;
        assert!(counts.iter().all(|count| *count <= 4), "{counts:?}");
        assert_eq!(carry(&mut desks, relay).await, [0, 0]);
    }
}

#[tokio::test]
async fn three_desks_in_a_ring_stop_by_themselves() {
    let mut desks =
        [Peer::new("one.example").await, Peer::new("two.example").await, Peer::new("three.example").await];
    begin(&mut desks).await;
    let counts = carry(&mut desks, Relay::Hostile).await;
    assert!(counts.iter().all(|count| *count <= 4), "{counts:?}");
}

#[tokio::test]
async fn a_program_that_answers_everything_is_answered_a_few_times_and_the_staff_is_told() {
    let mut desk = Peer::new("desk.example").await;
    let project = desk.project();
    desk.mail(&format!(
        "From: robot@machine.example\nTo: {project}\nSubject: hello\nMessage-ID: <0@machine.example>\n\n0\n"
    ))
    .await;
    let mut written = 0;
    for round in 0..30 {
        let sent = desk.send().await;
        written += sent.len();
        // It answers to From or to the address of the project, with nothing that ties it to our mail; and it
        // writes on when we are silent.
        desk.mail(&format!("From: robot@machine.example\nTo: {project}\nSubject: got it\nMessage-ID: <r{round}@machine.example>\n\nround {round}\n")).await;
        desk.later(SignedDuration::from_mins(10));
    }
    assert!(written <= 4, "{written}");
    let notices = desk.notices().await;
    assert!(notices.iter().any(|n| n.contains("robot@machine.example")), "{notices:?}");
    assert!(desk.issues().await > 1, "nothing it wrote is lost");
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

/// Lists the mails of the corpora that their writers call a bounce, automatic, or a complaint.
fn machines_mails(corpora: &Path) -> Vec<PathBuf> {
    let mut lists = Vec::new();
    files_below(&corpora.join("expect"), &mut lists);
    let mut mails = Vec::new();
    for list in lists {
        for line in std::fs::read_to_string(list).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let machine = ["is_bounce", "is_auto", "is_complaint"].iter().any(|key| line[*key] == true);
            // This one is a bounce that a person passed on.
            let passed_on = line["file"].as_str().is_some_and(|file| file.ends_with("lhost-sendmail-14.eml"));
            if machine && !passed_on && line["options"].is_null() {
                mails.push(corpora.join(line["file"].as_str().unwrap()));
            }
        }
    }
    mails
}

#[tokio::test]
async fn no_mail_of_a_machine_in_the_corpora_is_answered() {
    let Some(corpora) = std::env::var_os("DESKBELL_CORPORA") else {
        println!("DESKBELL_CORPORA is not given: machines' mails of peers were not delivered");
        return;
    };
    let mut desk = Peer::new("desk.example").await;
    let mails = machines_mails(Path::new(&corpora));
    assert!(mails.len() > 300);
    for path in mails {
        let raw = std::fs::read(&path).unwrap();
        let entry = desk.raw(raw, Some(desk.project())).await;
        let rows = desk.outbox().await;
        assert!(rows.is_empty(), "{}: {:?} {} caused {rows:?}", path.display(), entry.fate, entry.reason);
        assert_ne!(entry.fate, Fate::Issue, "{}: {}", path.display(), entry.reason);
    }
}

#[tokio::test]
async fn no_mail_of_a_machine_in_our_own_fixtures_is_answered() {
    let mut desk = Peer::new("desk.example").await;
    let families = include_str!("../mail/families.txt");
    for family in families.split("\n=== ").skip(1) {
        let (head, rest) = family.split_once('\n').unwrap();
        let fields: Vec<&str> = head.split(" | ").collect();
        let rest = rest.strip_prefix('\n').map_or_else(|| rest.to_owned(), |body| format!("\n{body}"));
        let id = blake(head);
        let mail = format!(
            "From: {}\nTo: {}\nSubject: {}\nMessage-ID: <{id}@mx.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n{rest}",
            fields[1],
            desk.project(),
            fields[2]
        );
        let entry = desk.mail(&mail).await;
        assert_eq!(entry.fate, Fate::Bounce, "{}: {}", fields[0], entry.reason);
    }
    for name in [
        "vacation",
        "vacation-subject-only",
        "bounce-dsn",
        "bounce-delayed",
        "bounce-text",
        "complaint",
        "delivered-report",
    ] {
        let path = format!("{}/tests/mail/{name}.eml", env!("CARGO_MANIFEST_DIR"));
        desk.raw(std::fs::read(path).unwrap(), Some(desk.project())).await;
    }
    assert!(desk.outbox().await.is_empty());
    assert_eq!(desk.issues().await, 0);
}

fn blake(text: &str) -> usize {
    text.bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)))
}
