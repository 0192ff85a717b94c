//! Everything that can be asked of the desk can be asked by a command, and what the screens show as well.

use crate::support::{TestDesk, mail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What a command prints with `--json`.
#[derive(Clone, Copy, PartialEq)]
enum Prints {
    Json,
    /// The bytes of a mail, a page or a file, which no JSON makes better.
    Bytes,
}
use Prints::{Bytes, Json};

/// Each request and a command that asks it, in an order in which each goes well on one desk.
const COMMANDS: &[(&str, Prints, &str)] = &[
    ("Status", Json, "status"),
    ("Status", Json, "who"),
    ("Issues", Json, "issue list is:open"),
    ("Issue", Json, "issue show 1"),
    ("History", Json, "issue history 1"),
    ("Similar", Json, "issue similar 1"),
    ("SetAbout", Json, "person vip ada@customer.test"),
    ("About", Json, "person note ada@customer.test"),
    ("RawMail", Bytes, "issue raw 1 1"),
    ("OriginalHtml", Bytes, "issue html 1 1"),
    ("Attachment", Bytes, "issue attachment 1 1 cat.txt -o -"),
    ("Outbox", Json, "outbox list"),
    ("Intake", Json, "intake list"),
    ("IntakeEntry", Json, "intake show 1"),
    ("IntakeRaw", Bytes, "intake show 1 --raw"),
    ("Projects", Json, "project list"),
    ("Project", Json, "project show acme/support"),
    ("Users", Json, "user list"),
    ("AddUser", Json, "user add mia --email mia@desk.test"),
    ("SetUser", Json, "user set mia full_name=Mia"),
    ("SetMember", Json, "member add acme/support mia"),
    ("SetMember", Json, "member add acme/support alice"),
    ("Members", Json, "member list acme/support"),
    ("RemoveMember", Json, "member remove acme/support mia"),
    ("Desk", Json, "desk show"),
    ("SetDesk", Json, "desk set time_zone=UTC"),
    ("Templates", Json, "template list"),
    ("PreviewTemplate", Json, "template preview thank_you"),
    ("SaveCanned", Json, "canned add thanks -m Thanks"),
    ("Canned", Json, "canned list"),
    ("FillCanned", Json, "issue note 1 --canned thanks --internal"),
    ("SaveCanned", Json, "macro add noise --do /close"),
    ("RunMacro", Json, "macro run noise 2"),
    ("RemoveCanned", Json, "macro remove noise"),
    ("SaveView", Json, "view add mine is:open"),
    ("Views", Json, "view list"),
    ("OrderView", Json, "view order mine 1"),
    ("ShareView", Json, "view share mine --desk"),
    ("ShareView", Json, "view share mine --mine"),
    ("RemoveView", Json, "view remove mine"),
    ("AddCategory", Json, "label add bug"),
    ("SetCategory", Json, "label set bug colour=#d73a4a"),
    ("Categories", Json, "label list"),
    ("RemoveCategory", Json, "label remove bug"),
    ("SetRule", Json, "rule add vip from:ada --do /close"),
    ("Rules", Json, "rule list"),
    ("TestRule", Json, "rule test vip"),
    ("OrderRule", Json, "rule order vip 1"),
    ("RemoveRule", Json, "rule remove vip"),
    ("SetClock", Json, "clock add all --first 4h"),
    ("Clocks", Json, "clock list"),
    ("RemoveClock", Json, "clock remove all"),
    ("Report", Json, "report volume"),
    ("Person", Json, "person show ada@customer.test"),
    ("OutboxRaw", Json, "person export ada@customer.test ada"),
    ("NewIssue", Json, "issue new acme/support --title plain"),
    ("AddNote", Json, "issue note 1 -m hello --internal"),
    ("NoteMany", Json, "issue note-each 1 2 -m hello --internal"),
    ("Edit", Json, "issue edit 1 --title other"),
    ("Undo", Json, "undo"),
    ("Redo", Json, "redo"),
    ("Changes", Json, "undo --list"),
    ("UndoOne", Json, "undo {change}"),
    ("Merge", Json, "issue merge 2 3 --into 1"),
    ("UnmergeMany", Json, "issue unmerge 2 3"),
    ("Merge", Json, "issue merge 2 --into 1"),
    ("Unmerge", Json, "issue unmerge 2"),
    ("Forward", Json, "issue forward 1 1 --to vendor@printers.test"),
    ("Split", Json, "issue split 1 1"),
    ("Redact", Json, "issue redact 3 3 4711-0815-4711 --yes"),
    ("CommitsReached", Json, "hook commit --project acme/support -"),
    ("SetSender", Json, "sender block @spam.test --desk"),
    ("Senders", Json, "sender list"),
    ("TestSender", Json, "sender test a@spam.test --desk"),
    ("Deliver", Json, "deliver {mail}"),
    ("IntakeSender", Json, "intake allow 4"),
    ("IntakeAct", Json, "intake ham 4"),
    ("RemoveSender", Json, "sender remove @spam.test --desk"),
    ("OutboxAct", Json, "outbox cancel 1"),
    ("CustomEmail", Json, "project custom-email set acme/support help@acme.test --outlet acme"),
    ("AddProject", Json, "project add acme/office"),
    ("SetProject", Json, "project set acme/office display_name=Office"),
    ("EnableProject", Json, "project disable acme/office"),
    ("RenameProject", Json, "project rename acme/office acme/room"),
    ("RotateKey", Json, "project rotate-key acme/room"),
    ("SetAddress", Json, "project address add acme/room room@desk.test"),
    ("RemoveAddress", Json, "project address remove acme/room room@desk.test"),
    ("Import", Json, "import gitlab {export} --project acme/room"),
    ("Backup", Json, "backup copy"),
    ("Rebuild", Json, "maintenance rebuild"),
    ("Compact", Json, "maintenance compact"),
    ("Verify", Json, "maintenance verify"),
    ("ErasePerson", Json, "person erase bob@customer.test --confirm ERASE"),
    ("RemoveUser", Json, "user remove mia"),
];

/// Requests that no command asks, and why none has to.
const WITHOUT: &[(&str, &str)] = &[
    ("Whoami", "the handshake of a screen; `init` asks it too"),
    ("StepDown", "the handshake of two servers"),
    ("SaveCursor", "never leaves the process that owns the desk"),
    ("SyncNow", "`sync --once` looks, and `login` wakes a server; a server looks by itself"),
    ("Counts", "`view list` gives what each view finds"),
    ("Labels", "`label list` gives the same words with more about them"),
    ("Verbs", "`undo --list` gives them among everybody's"),
    ("Cursors", "where a mailbox is read to; `status` says how it is doing"),
    ("MarkRead", "what somebody has read on the screen"),
    ("MarkManyRead", "what somebody has read on the screen"),
    ("Drafts", "what somebody began to write on the screen"),
    ("Draft", "what somebody began to write on the screen"),
    ("SaveDraft", "what somebody began to write on the screen"),
    ("DraftFile", "a file of what somebody began to write on the screen"),
    ("Attend", "where somebody is on the screen; `who` says who is here"),
    ("DropDraft", "what somebody began to write on the screen"),
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The variants of the enum of all requests.
fn requests() -> BTreeSet<String> {
    let source = read("src/domain/request.rs");
    let (_, body) = source.split_once("pub enum Request {\n").unwrap();
    let (body, _) = body.split_once("\n}\n").unwrap();
    let names = body.lines().filter_map(|line| line.strip_prefix("    ")).filter_map(|line| {
        let name: String = line.chars().take_while(char::is_ascii_alphanumeric).collect();
        Some(name).filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
    });
    names.collect()
}

/// The sources of the commands, without those that play or look.
fn commands() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let apart = ["demo.rs", "doctor.rs", "init.rs", "login.rs", "serve.rs", "session.rs"];
    let files = files.filter(|path| path.is_file() && !apart.iter().any(|name| path.ends_with(name)));
    files.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn every_request_has_a_command_or_a_reason_to_have_none() {
    let (asked, requests, sources) = (COMMANDS.iter().map(|(name, ..)| *name), requests(), commands());
    let (asked, without): (BTreeSet<&str>, BTreeSet<&str>) =
        (asked.collect(), WITHOUT.iter().map(|(name, _)| *name).collect());
    assert!(requests.len() > 90, "{requests:?}");
    for request in &requests {
        let name = request.as_str();
        let times = usize::from(asked.contains(name)) + usize::from(without.contains(name));
        assert_eq!(times, 1, "Request::{name} needs a command in COMMANDS, or a reason in WITHOUT");
    }
    for name in asked.union(&without) {
        assert!(requests.contains(*name), "there is no Request::{name}");
    }
    for name in &asked {
        let word = format!("Request::{name}");
        let found = sources
            .match_indices(&word)
            .any(|(at, _)| !sources[at + word.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()));
        assert!(found, "no command asks {word}");
    }
}

#[test]
fn every_command_that_asks_something_answers_in_json() {
    let desk = TestDesk::between_maildirs(
        "[outlet.acme]\nmethod = \"maildir\"\nfrom = \"help@acme.test\"\npath = \"acme\"\n",
    );
    let page = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: \
                text/html\r\n\r\n<p>it is <b>4711-0815-4711</b></p>\r\n--b\r\nContent-Type: text/plain\r\n\
                Content-Disposition: attachment; filename=cat.txt\r\n\r\ncat\r\n--b--\r\n";
    let with_page = |name: &str| {
        let plain = String::from_utf8(mail(&format!("{name}@customer.test"), name)).unwrap();
        let (head, _) = plain.split_once("\r\n\r\n").unwrap();
        format!("{head}\r\n{page}").into_bytes()
    };
    for name in ["ada", "bob", "cy"] {
        assert_eq!(desk.feed(&["deliver", "-"], &with_page(name)).code, 0);
    }
    let (letter, folder) = (desk.folder.path().join("letter.eml"), desk.folder.path());
    fs::write(&letter, mail("x@spam.test", "buy")).unwrap();
    let export = crate::importing::archive(folder, false);
    for (request, prints, line) in COMMANDS {
        let change = match line.contains("{change}") {
            true => desk.json(&["undo", "--list"])[0]["seq"].to_string(),
            false => String::new(),
        };
        let line = line.replace("{change}", &change).replace("{mail}", &letter.display().to_string());
        let line = line.replace("{export}", &export.display().to_string());
        // What is written goes into the folder of the test.
        let line = line.replace("backup copy", &format!("backup {}", folder.join("copy").display()));
        let line = line.replace(".test ada", &format!(".test {}", folder.join("ada").display()));
        let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let said = desk.feed(&words, b"Fixes #3\n");
        // Some of the export is damaged on purpose.
        let fine = if *request == "Import" { 3 } else { 0 };
        assert_eq!(said.code, fine, "{request}: {line}: {said:?}");
        let json = serde_json::from_str::<Value>(&said.stdout);
        assert_eq!(json.is_ok(), *prints == Json, "{request}: {line}: {said:?}");
    }
}

#[test]
fn every_place_of_the_screen_names_the_command_that_shows_the_same() {
    let keymap = read("src/tui/keymap.rs");
    let (_, table) = keymap.split_once("const PLACES").unwrap();
    let (table, _) = table.split_once("];").unwrap();
    let places: Vec<&str> = table.split("(Place::").skip(1).filter_map(|row| row.split('"').nth(1)).collect();
    assert!(places.len() > 15, "{places:?}");
    let readme = read("README.md");
    let (_, table) = readme.split_once("| On the screen | By command |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(2)
        .map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    // Where keys are pressed and nothing is shown that is kept.
    let typed = ["all", "query", "prompt", "picker"];
    for place in places.iter().filter(|place| !typed.contains(place)) {
        let named = format!("`{place}`");
        assert!(rows.iter().any(|row| row[0].contains(&named)), "the README has no command for {named}");
    }
    let desk = TestDesk::between_maildirs("");
    for row in &rows {
        for place in row[0].split('`').skip(1).step_by(2) {
            assert!(places.contains(&place), "there is no place {place}");
        }
        let named: Vec<&str> = row[1].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{row:?}");
        for line in named {
            let words = line.strip_prefix("deskbell ").unwrap().split(' ');
            let words = words.take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
            let said = desk.run(&words.chain(["--help"]).collect::<Vec<_>>());
            assert!(said.code == 0 && said.stdout.contains("--json"), "{line}: {said:?}");
        }
    }
}
