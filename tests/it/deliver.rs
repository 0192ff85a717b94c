//! Mail by hand and by pipe; and desks that write to each other.

use crate::support::{PROJECT, TestDesk, mail};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn text(subject: &str) -> String {
    String::from_utf8(mail("ada@customer.test", subject)).unwrap().replace("\r\n", "\n")
}

/// A message, an mbox, a Maildir and a folder with a folder in it.
fn sources(desk: &TestDesk) -> Vec<PathBuf> {
    let base = desk.folder.path().join("sources");
    for folder in ["maildir/new", "maildir/cur", "maildir/tmp", "folder/inner"] {
        fs::create_dir_all(base.join(folder)).unwrap();
    }
    let write = |name: &str, content: String| fs::write(base.join(name), content).unwrap();
    write("one.eml", text("one"));
    let from = "From ada@customer.test Mon Nov  2 10:00:00 2026\n";
    write("two.mbox", format!("{from}{}\n{from}{}\n", text("two"), text("three")));
    write("maildir/new/1.M1.test", text("four"));
    write("maildir/cur/2.M2.test:2,S", text("five"));
    write("maildir/tmp/3.M3.test", text("never"));
    write("folder/b.eml", text("six"));
    write("folder/inner/a.eml", text("seven"));
    ["one.eml", "two.mbox", "maildir", "folder"].map(|name| base.join(name)).to_vec()
}

fn places(entries: &[Value], base: &Path) -> Vec<String> {
    let base = format!("{}/", base.display());
    let place = |entry: &Value| {
        let path = entry["path"].as_str().unwrap().replace(&base, "");
        format!(
            "{path} {} {} {}",
            entry["index"],
            entry["fate"].as_str().unwrap(),
            entry["subject"].as_str().unwrap()
        )
    };
    entries.iter().map(place).collect()
}

#[test]
fn every_kind_of_source_is_taken_in_and_left_as_it_was() {
    let desk = TestDesk::between_maildirs("");
    let sources = sources(&desk);
    let base = desk.folder.path().join("sources");
    let before = digest(&base);
    let paths: Vec<&str> = sources.iter().map(|path| path.to_str().unwrap()).collect();
    let delivered = desk.json(&[&["deliver", "--silent"], &paths[..]].concat());
    assert_eq!(
        places(delivered.as_array().unwrap(), &base),
        [
            "one.eml null issue one",
            "two.mbox 0 issue two",
            "two.mbox 1 issue three",
            "maildir/cur/2.M2.test:2,S null issue five",
            "maildir/new/1.M1.test null issue four",
            "folder/b.eml null issue six",
            "folder/inner/a.eml null issue seven",
        ]
    );
    assert_eq!(digest(&base), before);
    assert_eq!((desk.issues().len(), desk.outbox().len()), (7, 0));
    // The same again is the same.
    let again = desk.json(&[&["deliver"], &paths[..]].concat());
    assert!(again.as_array().unwrap().iter().all(|entry| entry["fate"] == "duplicate"), "{again}");
    assert_eq!(desk.issues().len(), 7);
}

fn digest(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(digest(&entry.path()));
        } else {
            found.push((entry.path(), fs::read(entry.path()).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_file_that_cannot_be_read_does_not_stop_the_others() {
    let desk = TestDesk::between_maildirs("");
    let one = desk.folder.path().join("one.eml");
    fs::write(&one, text("one")).unwrap();
    let garbage = desk.folder.path().join("garbage");
    fs::write(&garbage, [0xff; 300]).unwrap();
    let said = desk.run(&["deliver", "/no/such/file", garbage.to_str().unwrap(), one.to_str().unwrap()]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.stderr.contains("/no/such/file"), "{said:?}");
    assert_eq!(desk.intake().len(), 2);
    assert!(desk.issues().iter().any(|issue| issue["title"] == "one"));
    assert_eq!(desk.run(&["deliver", "/no/such/file"]).code, 1, "nothing was done of it");
}

#[test]
fn a_mail_that_the_desk_refuses_does_not_stop_the_others() {
    let desk = TestDesk::between_maildirs("");
    desk.issues();
    let config = fs::read_to_string(desk.config()).unwrap();
    fs::write(desk.config(), config.replace("alice", "stranger")).unwrap();
    let files = ["one.eml", "two.eml"].map(|name| desk.folder.path().join(name).display().to_string());
    files.iter().for_each(|file| fs::write(file, text(file)).unwrap());
    let said = desk.run(&["deliver", "--json", &files[0], &files[1]]);
    assert_eq!((said.code, said.stdout.trim()), (1, "[]"), "{said:?}");
    assert!(files.iter().all(|file| said.stderr.contains(file)), "{said:?}");
    // A mail server that handed it over keeps it.
    assert_eq!(desk.feed(&["deliver", "-"], text("piped").as_bytes()).code, 75);
}

#[test]
fn a_dry_run_writes_nothing() {
    let desk = TestDesk::between_maildirs("");
    let journal = desk.data().join("journal/00000001.seg");
    desk.issues();
    let before = fs::read(&journal).unwrap();
    let one = desk.folder.path().join("one.eml");
    fs::write(&one, text("one")).unwrap();
    let said = desk.json(&["deliver", "--dry-run", one.to_str().unwrap()]);
    assert_eq!(said[0]["fate"], "issue", "{said}");
    assert!(said[0]["mails"][0].as_str().unwrap().contains("ada@customer.test"), "{said}");
    assert!(desk.issues().is_empty() && desk.intake().is_empty() && desk.outbox().is_empty());
    assert!(fs::read(&journal).unwrap() == before, "the journal has grown");
    assert_eq!(desk.json(&["deliver", one.to_str().unwrap()])[0]["fate"], "issue");
}

#[test]
fn a_pipe_answers_to_the_mail_server() {
    let desk = TestDesk::between_maildirs("");
    let taken = desk.feed(&["deliver", "-", "--to", PROJECT], text("piped").as_bytes());
    assert_eq!(taken.code, 0, "{taken:?}");
    assert_eq!(desk.intake()[0]["path"], "-");
    // Whatever becomes of it: once it is durable, the mail server may forget it.
    for garbage in [&b""[..], b"\x00\xff\xfe", b"no header at all"] {
        assert_eq!(desk.feed(&["deliver", "-"], garbage).code, 0);
    }
    assert_eq!(desk.intake().len(), 4);
    let _sync = desk.sync();
    assert_eq!(desk.feed(&["deliver", "-"], text("attached").as_bytes()).code, 0);
    assert!(desk.issues().iter().any(|issue| issue["title"] == "attached"));
    let file = desk.folder.path().join("file");
    fs::write(&file, "x").unwrap();
    for bad in [file.join("data"), PathBuf::from("/proc/nothing")] {
        let said =
            desk.feed(&["--data-dir", bad.to_str().unwrap(), "deliver", "-"], text("lost?").as_bytes());
        assert_eq!(said.code, 75, "{said:?}");
        assert!(said.stderr.starts_with("error: "), "{said:?}");
    }
    assert_eq!(desk.feed(&["deliver", "-", "--nonsense"], b"").code, 75);
}

/// Lets two desks carry on with their correspondence; gives how many mails each sent.
fn correspond(a: &TestDesk, b: &TestDesk, change: fn(&str) -> String) -> [usize; 2] {
    let mut sent = [0, 0];
    for round in 0.. {
        assert!(round < 8, "they do not stop: {sent:?}");
        let mut moved = 0;
        for (number, (from, to)) in [(a, b), (b, a)].into_iter().enumerate() {
            from.ok(&["sync", "--once"]);
            let mails = from.sent();
            for mail in &mails[sent[number]..] {
                to.deliver(change(mail).as_bytes());
                moved += 1;
            }
            sent[number] = mails.len();
        }
        if moved == 0 {
            return sent;
        }
    }
    sent
}

/// Two desks; the first has an issue that the second one's address opened, and has answered it.
fn pair() -> [TestDesk; 2] {
    let desks = ["a", "b"].map(|name| {
        let desk = TestDesk::between_maildirs("");
        desk.configure(&desk.maildirs().replace("desk.test", &format!("{name}.test")));
        desk
    });
    let mail = String::from_utf8(mail("help@b.test", "a question")).unwrap().replace("desk.test", "a.test");
    desks[0].deliver(mail.as_bytes());
    desks[0].ok(&["sync", "--once"]);
    desks[0].ok(&["issue", "note", "1", "-m", "An answer that a person wrote."]);
    desks
}

#[test]
fn two_desks_stop_writing_to_each_other() {
    let [a, b] = pair();
    let sent = correspond(&a, &b, str::to_owned);
    assert!(sent[0] <= 3 && sent[1] <= 2, "{sent:?}");
}

#[test]
fn two_desks_stop_even_where_a_gateway_strips_what_marks_them() {
    let [a, b] = pair();
    let strip = |mail: &str| {
        let marks = [
            "auto-submitted",
            "x-auto-response",
            "list-",
            "precedence",
            "x-deskbell",
            "references",
            "in-reply-to",
        ];
        let (mut keep, mut out) = (true, String::new());
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        for line in head.split("\r\n") {
            let folded = line.starts_with([' ', '\t']);
            keep =
                if folded { keep } else { !marks.iter().any(|mark| line.to_lowercase().starts_with(mark)) };
            if keep {
                out += line;
                out += "\r\n";
            }
        }
        out + "\r\n" + body
    };
    let sent = correspond(&a, &b, strip);
    assert!(sent[0] + sent[1] <= 8, "{sent:?}");
}
