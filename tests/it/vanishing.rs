//! What is redacted or erased is found by no search for bytes; all else stays; a stop in the middle is finished.

use crate::support::room::{ADA, CONFIG, Room, draft_of, note, open};
use crate::support::{TestDesk, mail, wait_until};
use deskbell::domain::{
    AboutEdit, Arrival, Draft, EmailAddress, FaultKind, NewNote, NoteKind, PersonView, Redact, Request,
    Response, Upload,
};
use std::fs;
use std::io::Read;
use std::path::Path;

/// Every octet below a folder, with what is packed with zstd unpacked as well.
fn octets(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(octets(&path));
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|end| end == "seg") {
            let begins = bytes.windows(4).enumerate().filter(|(_, four)| *four == [0x28, 0xb5, 0x2f, 0xfd]);
            for (at, _) in begins {
                let mut decoder = zstd::stream::read::Decoder::new(&bytes[at..]).unwrap().single_frame();
                let mut content = Vec::new();
                let _ = decoder.read_to_end(&mut content);
                all.extend(content);
            }
        }
        all.extend(path.display().to_string().into_bytes());
        all.extend(bytes);
    }
    all
}

/// Lists those of the texts that still stand somewhere below a folder.
pub fn left(dir: &Path, texts: &[&str]) -> Vec<String> {
    let octets = octets(dir).to_ascii_lowercase();
    let lossy = |text: &&&str| {
        let text = text.to_ascii_lowercase();
        octets.windows(text.len()).any(|window| window == text.as_bytes())
    };
    texts.iter().filter(lossy).map(|text| (*text).to_owned()).collect()
}

/// Noise that fills blocks, so that something is really packed.
async fn others(room: &mut Room) {
    for n in 0..12 {
        let mail = ADA
            .replace("Ada Lovelace <ada@", &format!("Eve {n} <eve{n}@"))
            .replace("<a1@", &format!("<e{n}@"))
            .replace("Cannot log in", &format!("Something else {n}"))
            .replace("It says \"invalid token\".", &"A line of another person. ".repeat(40));
        room.mail(&mail).await;
    }
}

fn redact(note: u64, words: &[&str], files: &[&str]) -> Request {
    Request::Redact(Redact {
        reference: "acme/support#1".parse().unwrap(),
        note: deskbell::domain::NoteId(note),
        words: words.iter().map(|w| (*w).to_owned()).collect(),
        files: files.iter().map(|f| (*f).to_owned()).collect(),
        dry_run: false,
    })
}

async fn snapshot(room: &mut Room, from: u64) -> Vec<String> {
    let mut all = Vec::new();
    for n in from..from + 12 {
        let issue = room.issue(&format!("acme/support#{n}")).await;
        all.push(serde_json::to_string(&issue).unwrap());
    }
    all
}

#[tokio::test]
async fn redacted_words_are_found_nowhere_and_the_issue_says_who_did_it() {
    let mut room = Room::new().await;
    let data = room.dir.path().join("data");
    let opening = ADA.replace("It says", "My card is 4111 1111\n1111 1111, and it says");
    room.mail(&opening).await;
    others(&mut room).await;
    room.reply("acme/support#1", "Thank you.\n\n> My card is 4111 1111 1111 1111, and").await;
    let draft = Draft {
        saved_at: room.desk.now(),
        ..draft_of("alice", Some(room.issue("acme/support#1").await.row.id), "about 4111 1111 1111 1111")
    };
    room.ok(Request::SaveDraft(Box::new(draft))).await;
    let before = snapshot(&mut room, 2).await;
    let first = room.issue("acme/support#1").await.notes[0].id.0;
    let secret = "4111 1111 1111 1111";
    assert_eq!(left(&data, &[secret]), [secret]);

    assert_eq!(room.ask(redact(first, &["411"], &[])).await.unwrap_err().kind, FaultKind::Usage);
    assert_eq!(room.ask(redact(first, &["not in it"], &[])).await.unwrap_err().kind, FaultKind::NotFound);
    let Response::Issue(issue) = room.ok(redact(first, &[secret], &[])).await else { panic!() };
    assert!(issue.notes[0].body.contains("My card is [redacted], and it says"), "{}", issue.notes[0].body);
    let said = issue.notes.iter().rfind(|note| note.kind == NoteKind::System).unwrap();
    assert!(said.body.contains("alice redacted words of note"), "{}", said.body);
    assert_eq!(left(&data, &[secret, "4111 1111", "4111 1111\r\n1111"]), [""; 0]);
    assert_eq!(snapshot(&mut room, 2).await, before);
    assert_eq!(room.list("body:4111").await, [""; 0]);
    assert_eq!(room.list("\"it says\"").await.len(), 1);
    let Response::Bytes(raw) = room
        .ok(Request::RawMail {
            reference: "acme/support#1".parse().unwrap(),
            note: deskbell::domain::NoteId(first),
        })
        .await
    else {
        panic!()
    };
    assert!(deskbell::mail::read(&raw).unwrap().plain.unwrap().contains("invalid token"));
    assert!(room.ask(Request::Undo).await.is_err() || left(&data, &[secret]).is_empty());
    let Response::Report(wrong) = room.ok(Request::Verify).await else { panic!() };
    assert_eq!(wrong, [""; 0]);
    room.again().await;
    assert_eq!(snapshot(&mut room, 2).await, before);
}

#[tokio::test]
async fn a_redacted_file_leaves_the_mail_that_came_and_the_mails_that_went() {
    let mut room = Room::new().await;
    let data = room.dir.path().join("data");
    room.mail(ADA).await;
    let file = |name: &str, text: &str| Upload { name: name.into(), bytes: text.repeat(9).into_bytes() };
    let attach = vec![file("pass.txt", "the passport number of Ada "), file("other.txt", "harmless ")];
    room.ok(Request::AddNote(NewNote { attach, ..note("acme/support#1", "See both.") })).await;
    let issue = room.issue("acme/support#1").await;
    let reply = issue.notes.iter().find(|note| note.attachments.len() == 2).unwrap().id.0;
    room.ok(redact(reply, &[], &["pass.txt"])).await;
    assert_eq!(left(&data, &["pass.txt", "the passport number", "dGhlIHBhc3Nwb3J0"]), [""; 0]);
    let get = |name: &str| Request::Attachment {
        reference: "acme/support#1".parse().unwrap(),
        note: deskbell::domain::NoteId(reply),
        name: name.into(),
    };
    let Response::Bytes(other) = room.ok(get("other.txt")).await else { panic!() };
    assert_eq!(other, "harmless ".repeat(9).into_bytes());
    assert!(!room.send().await.join("").contains("pass.txt"));
}

fn ada() -> EmailAddress {
    "ada@customer.example".parse().unwrap()
}

/// A desk that knows a person in many ways.
async fn known_person() -> Room {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    others(&mut room).await;
    room.reply("acme/support#1", "Dear Ada Lovelace,\n\n> It says \"invalid token\".\n\nwe look into it.")
        .await;
    let encoded = "From: =?utf-8?Q?Ada_Lovelace?= <Ada@Customer.example>\n\
        To: help+acme-support-1-issue-@desk.example\nSubject: =?utf-8?B?UHJpdmF0ZSBtYXR0ZXJz?=\n\
        Message-ID: <a2@customer.example>\nContent-Type: text/plain; charset=utf-8\n\
        Content-Transfer-Encoding: base64\n\nVGhlIGRvY3RvciBzYWlkIHRoYXQgSSBoYXZlIGEgYmFkIGtuZWUu\n";
    room.mail(encoded).await;
    let copied = ADA
        .replace("Ada Lovelace <ada@", "Carl <carl@")
        .replace("<a1@", "<c1@")
        .replace("Subject:", "Cc: \"Ada Lovelace\" <ada@customer.example>\nSubject:")
        .replace("It says", "Ada Lovelace (ada@customer.example) showed me that it says");
    room.mail(&copied).await;
    let internal = NewNote { internal: true, ..note("acme/support#1", "Ada Lovelace is in a hurry.") };
    room.ok(Request::AddNote(internal)).await;
    // One that stands, one that was changed, one that is gone: verbs still hold what they were.
    for edit in [
        AboutEdit::Vip(true),
        AboutEdit::Add("hums a tune".into()),
        AboutEdit::Add("a fox".into()),
        AboutEdit::Rewrite { note: 2, text: "old owl".into() },
        AboutEdit::Remove { note: 2 },
    ] {
        room.ok(Request::SetAbout { email: ada(), edit }).await;
    }
    room.half_a_reply("acme/support#1").await;
    room.send().await;
    let logs = room.dir.path().join("data/logs");
    fs::create_dir_all(&logs).unwrap();
    fs::write(logs.join("desk.log"), "{\"to\":\"ada@customer.example\",\"n\":1}\n").unwrap();
    room
}

const TRACES: [&str; 11] = [
    "hums a tune",
    "a fox",
    "old owl",
    "ada@customer.example",
    "Ada Lovelace",
    "Ada_Lovelace",
    "invalid token",
    "Cannot log in",
    "Private matters",
    "bad knee",
    "VGhlIGRvY3Rv",
];

async fn person(room: &mut Room, request: Request) -> PersonView {
    match room.ok(request).await {
        Response::Person(view) => *view,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_erased_person_is_found_nowhere_and_nobody_else_is_touched() {
    let mut room = known_person().await;
    let data = room.dir.path().join("data");
    assert!(left(&data, &TRACES).len() >= 9);
    let shown = person(&mut room, Request::Person(ada())).await;
    assert_eq!((shown.kept_notes.len(), shown.drafts), (1, 1));
    assert_eq!((shown.issues.len(), shown.notes.len(), shown.about.len()), (3, 2, 1));
    assert_eq!((shown.names.as_slice(), shown.intake.len()), (&["Ada Lovelace".to_owned()][..], 2));
    assert!(shown.outbox.len() >= 3);
    let backup = room.dir.path().join("desk.backup").display().to_string();
    room.ok(Request::Backup { path: backup.clone(), replace: false }).await;
    let before = snapshot(&mut room, 2).await;

    let erased = person(&mut room, Request::ErasePerson(ada())).await;
    assert_eq!(erased.backups, [backup]);
    assert_eq!(left(&data, &TRACES), [""; 0]);
    assert_eq!(snapshot(&mut room, 2).await, before);
    assert_eq!(room.ask(Request::Person(ada())).await.unwrap_err().kind, FaultKind::NotFound);
    let issue = room.issue("acme/support#1").await;
    assert_eq!((issue.row.title.as_str(), issue.notes[0].body.as_str()), ("(erased)", "(erased)"));
    let reply = &issue.notes.iter().find(|note| note.kind == NoteKind::Reply).unwrap().body;
    assert!(reply.contains("Dear (erased),") && reply.contains("we look into it."), "{reply}");
    assert!(issue.notes.iter().any(|note| note.body.contains("alice had a person erased")));
    let carl = room.issue("acme/support#15").await;
    assert!(carl.notes[0].body.contains("(erased)"), "{}", carl.notes[0].body);
    // Nothing goes to the one who took their place.
    room.reply("acme/support#1", "Anybody there?").await;
    assert_eq!(room.send().await, [""; 0]);
    let Response::Report(wrong) = room.ok(Request::Verify).await else { panic!() };
    assert_eq!(wrong, [""; 0]);
    room.again().await;
    assert_eq!(left(&data, &TRACES), [""; 0]);
    assert_eq!(snapshot(&mut room, 2).await, before);
    assert!(fs::read_to_string(data.join("logs/desk.log")).unwrap().ends_with("\",\"n\":1}\n"));
    // A mail that comes again is the same mail still; another one is welcome.
    room.arrive(Arrival::default(), &ADA.replace("<a1@", "<a9@").replace("Cannot log in", "New")).await;
    assert_eq!(room.list("from:ada").await.len(), 1);
}

#[tokio::test]
async fn an_erasing_that_was_stopped_before_the_index_is_finished_at_the_next_opening() {
    let mut room = known_person().await;
    let data = room.dir.path().join("data");
    let before = snapshot(&mut room, 2).await;
    person(&mut room, Request::ErasePerson(ada())).await;
    // As a kill leaves it: the journal is new, the promise stands, and the log and an index hold it still.
    room.desk.close().await.unwrap();
    let cut = |text: &str| deskbell::domain::Cut {
        text: text.into(),
        with: "(erased)".into(),
        border: deskbell::domain::Border::Any,
    };
    let store = deskbell::store::Store::open(&data).await.unwrap().store;
    let everywhere = TRACES.iter().map(|text| cut(text)).collect();
    let scrub = deskbell::store::Scrub { everywhere, ..Default::default() };
    store.rewrite(scrub, None).await.unwrap();
    store.close().await.unwrap();
    fs::write(data.join("logs/desk.log"), "ada@customer.example").unwrap();
    fs::write(data.join("index/left-behind"), "ada@customer.example").unwrap();
    room.desk = open(CONFIG, &room.dir, &room.now).await;
    assert_eq!(left(&data, &TRACES), [""; 0]);
    assert!(!data.join("rewrite").exists());
    assert_eq!(snapshot(&mut room, 2).await, before);
}

#[tokio::test]
async fn what_follows_a_half_done_erasing_is_done_at_once() {
    let mut room = known_person().await;
    let data = room.dir.path().join("data");
    // As one leaves it that could not go through a file of the data dir.
    let half_done = || {
        let promise = rmp_serde::to_vec_named(&deskbell::store::Scrub::default()).unwrap();
        fs::write(data.join("rewrite"), promise).unwrap();
    };
    half_done();
    let note = room.issue("acme/support#2").await.notes[0].id.0;
    let Request::Redact(asked) = redact(note, &["line of another"], &[]) else { unreachable!() };
    let asked = Redact { reference: "acme/support#2".parse().unwrap(), ..asked };
    room.ok(Request::Redact(asked)).await;
    half_done();
    room.ok(Request::Compact).await;
    half_done();
    person(&mut room, Request::ErasePerson(ada())).await;
    assert_eq!(left(&data, &TRACES), [""; 0]);
    assert_eq!(left(&data, &["line of another"]), [""; 0]);
    assert!(!data.join("rewrite").exists() && !data.join("rewrite.raws").exists());
}

#[tokio::test]
async fn staff_and_the_desks_own_addresses_are_not_erased() {
    let mut room = Room::new().await;
    let emails = vec!["mia@desk.example".parse().unwrap()];
    room.ok(Request::AddUser { name: "mia".into(), full_name: None, emails, system_user: None }).await;
    for address in ["mia@desk.example", "office@desk.example"] {
        let asked = Request::ErasePerson(address.parse().unwrap());
        assert_eq!(room.ask(asked).await.unwrap_err().kind, FaultKind::Refused, "{address}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        match kind.is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false if kind.is_file() => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
            false => {}
        }
    }
}

#[test]
fn a_process_that_is_killed_while_it_erases_leaves_a_desk_that_finishes_it() {
    let desk = TestDesk::between_maildirs("");
    for n in 0..40 {
        let raw = String::from_utf8(mail("eve@customer.test", &format!("number {n}"))).unwrap();
        desk.deliver(format!("{raw}{}", "Another line of it. ".repeat(60)).as_bytes());
    }
    let raw = String::from_utf8(mail("adele@customer.test", "the knee")).unwrap();
    desk.deliver(raw.replace("From: Ada", "From: Adele Lovelock").as_bytes());
    desk.ok(&["sync", "--once"]);
    let before = desk.json(&["issue", "list", "from:eve", "--limit", "100"]);
    let texts = ["adele@customer.test", "Adele Lovelock", "about the knee"];
    assert_eq!(left(&desk.data(), &texts).len(), 3);
    let kept = tempfile::tempdir().unwrap();
    copy(&desk.data(), kept.path());
    for moment in ["rewrite", "journal.new", "journal.new/00000001.seg", "trees.new", "journal/rewritten"] {
        fs::remove_dir_all(desk.data()).unwrap();
        copy(kept.path(), &desk.data());
        let mut command = desk.command(&["person", "erase", "adele@customer.test", "--confirm", "ERASE"]);
        let mut child =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        // Whether the kill comes in time or too late, what follows must hold.
        wait_until(moment, || desk.data().join(moment).exists() || child.try_wait().unwrap().is_some());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(desk.json(&["issue", "list", "from:eve", "--limit", "100"]), before, "{moment}");
        let said = desk.run(&["person", "show", "adele@customer.test"]);
        assert_eq!(said.code, 1, "{moment}: {said:?}");
        assert_eq!(left(&desk.data(), &texts), [""; 0], "{moment}");
        assert_eq!(desk.json(&["maintenance", "verify"]), serde_json::json!([]), "{moment}");
        assert!(!desk.data().join("rewrite").exists() && !desk.data().join("journal.old").exists());
    }
}

#[tokio::test]
async fn words_that_the_program_uses_itself_leave_what_people_wrote_and_nothing_else() {
    let mut room = Room::new().await;
    let data = room.dir.path().join("data");
    room.mail(&ADA.replace("It says", "The body is open since 10:15, internal kind, state alice; it says"))
        .await;
    others(&mut room).await;
    room.edit("acme/support#1", deskbell::domain::Edit::Assign("alice".into())).await;
    room.half_a_reply("acme/support#2").await;
    let before = snapshot(&mut room, 2).await;
    let first = room.issue("acme/support#1").await.notes[0].id.0;
    let words = ["open", "body", "internal", "kind", "state", "alice", "10:15"];
    room.ok(redact(first, &words, &[])).await;
    let issue = room.issue("acme/support#1").await;
    let taken =
        "The [redacted] is [redacted] since [redacted], [redacted] [redacted], [redacted] [redacted]; it";
    assert!(issue.notes[0].body.contains(taken), "{}", issue.notes[0].body);
    assert_eq!(issue.row.assignee.as_deref(), Some("alice"));
    assert_eq!(room.list("is:open assignee:alice").await, ["acme/support#1"]);
    assert_eq!(snapshot(&mut room, 2).await, before);
    assert_eq!(left(&data, &["since 10:15"]), [""; 0]);
    room.again().await;
    assert_eq!(snapshot(&mut room, 2).await, before);
    room.reply("acme/support#2", "Still here.").await;
    let Response::Report(wrong) = room.ok(Request::Verify).await else { panic!() };
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test]
async fn a_person_who_is_called_like_one_of_the_staff_is_erased_alone() {
    let mut room = Room::new().await;
    room.mail(&ADA.replace("Ada Lovelace <ada@", "Alice <al@")).await;
    room.edit("acme/support#1", deskbell::domain::Edit::Assign("alice".into())).await;
    room.reply("acme/support#1", "We look into it.").await;
    room.ok(Request::ErasePerson(EmailAddress::parse("al@customer.example").unwrap())).await;
    let issue = room.issue("acme/support#1").await;
    assert_eq!(issue.row.assignee.as_deref(), Some("alice"));
    let reply = issue.notes.iter().find(|note| note.kind == NoteKind::Reply).unwrap();
    assert_eq!(reply.author.user.as_deref(), Some("alice"));
    room.again().await;
    assert_eq!(room.list("assignee:alice").await, ["acme/support#1"]);
    assert_eq!(room.list("from:al@customer.example").await, [""; 0]);
}

#[tokio::test]
async fn words_and_a_file_of_a_mail_leave_it_together() {
    let mut room = Room::new().await;
    let data = room.dir.path().join("data");
    let body = "--b\r\nContent-Type: text/plain\r\n\r\nMy card is 4111 1111.\r\n--b\r\nContent-Type: text/csv\r\n\
                Content-Disposition: attachment; filename=\"scan.csv\"\r\n\r\npassport,77\r\n--b--\r\n";
    let head = "From: Ada <ada@customer.example>\r\nTo: help+acme-support-1-issue-@desk.example\r\nSubject: Card\r\n\
                Message-ID: <w1@customer.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    room.mail(&format!("{head}{body}")).await;
    let first = room.issue("acme/support#1").await.notes[0].id.0;
    room.ok(redact(first, &["4111 1111"], &["scan.csv"])).await;
    assert_eq!(left(&data, &["4111 1111", "passport,77"]), [""; 0]);
}

#[tokio::test]
async fn an_issue_that_loses_words_to_a_redaction_of_another_says_so() {
    let mut room = Room::new().await;
    room.mail(&ADA.replace("It says", "My card is 4111 1111, it says")).await;
    let other = ADA.replace("<a1@", "<a2@").replace("Cannot log in", "Still 4111 1111");
    room.mail(&other.replace("It says", "Again 4111 1111, it says")).await;
    let first = room.issue("acme/support#1").await.notes[0].id.0;
    room.ok(redact(first, &["4111 1111"], &[])).await;
    let issue = room.issue("acme/support#2").await;
    assert_eq!(issue.row.title, "Still [redacted]");
    assert!(
        issue.notes.iter().any(|note| note.body.starts_with("alice redacted words that stood here as well"))
    );
}

#[tokio::test]
async fn what_a_redaction_would_change_is_counted_and_nothing_changes() {
    let mut room = Room::new().await;
    let secret = "4111 1111 1111 1111";
    room.mail(&ADA.replace("It says", &format!("My card is {secret}, and it says"))).await;
    room.mail(&ADA.replace("It says", &format!("Card {secret}")).replace("<a1@", "<a2@")).await;
    room.reply("acme/support#1", &format!("> My card is {secret}, and\n\nThank you.")).await;
    let first = room.issue("acme/support#1").await.notes[0].id.0;
    let before = room.issue("acme/support#1").await;
    let Request::Redact(asked) = redact(first, &[secret], &[]) else { unreachable!() };
    let Response::Redaction(plan) = room.ok(Request::Redact(Redact { dry_run: true, ..asked })).await else {
        panic!()
    };
    assert_eq!((plan.notes, plan.others.as_slice()), (3, &["acme/support#2".to_owned()][..]));
    // Two mails that came, and the reply; the thank-yous quote nothing.
    assert_eq!((plan.mails, plan.uploads), (3, 0), "{plan:?}");
    assert_eq!(room.issue("acme/support#1").await, before, "nothing was written");
    assert_eq!(left(&room.dir.path().join("data"), &[secret]), [secret]);
}

#[test]
fn a_redaction_by_command_shows_what_goes_and_wants_a_yes() {
    let desk = crate::support::TestDesk::between_maildirs("");
    desk.feed(&["deliver", "-"], &crate::support::mail("ada@customer.test", "the secret word"));
    let one = "acme/support#1";
    let note = desk.json(&["issue", "show", one])["notes"][0]["id"].to_string();
    let plan = desk.json(&["issue", "redact", one, &note, "secret word", "--dry-run"]);
    assert_eq!(
        (&plan["notes"], &plan["ref"], &plan["reference"]),
        (&1.into(), &serde_json::Value::Null, &one.into())
    );
    let asked = desk.run(&["issue", "redact", one, &note, "secret word"]);
    assert_eq!(asked.code, 2, "without a terminal it wants --yes");
    let said = asked.stderr;
    assert!(said.contains("\n  1 note\n  2 kept mails\n") && said.contains("--yes"), "{said}");
    assert!(desk.json(&["issue", "show", one]).to_string().contains("the secret word"));
    desk.ok(&["issue", "redact", one, &note, "secret word", "--yes"]);
    let shown = desk.json(&["issue", "show", one]).to_string();
    assert!(!shown.contains("secret word") && shown.contains("[redacted]"), "{shown}");
}
