//! Odd mails on their way through the desk: what is packed in them can be had, and HTML can be opened.

use crate::support::TestDesk;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Takes in a fixture; gives its first note.
fn note(desk: &TestDesk, name: &str) -> serde_json::Value {
    let path = format!("{}/tests/mail/{name}.eml", env!("CARGO_MANIFEST_DIR"));
    let delivered = desk.json(&["deliver", "--silent", &path]);
    let reference = delivered[0]["ref"].as_str().unwrap_or_else(|| panic!("{delivered}")).to_owned();
    let mut note = desk.json(&["issue", "show", &reference])["notes"][0].clone();
    note["ref"] = reference.into();
    note
}

#[test]
fn a_file_that_was_packed_can_be_had() {
    let desk = TestDesk::between_maildirs("");
    for (name, file, content) in [
        ("winmail-files", "Übersicht.txt", "Grüße\n"),
        ("uuencode-in-text", "server log.txt", "2024-01-01 started\n2024-01-02 stopped\n"),
        ("invitation", "part-2.ics", "BEGIN:VCALENDAR"),
    ] {
        let note = note(&desk, name);
        let (reference, id) = (note["ref"].as_str().unwrap(), note["id"].to_string());
        let bytes = desk.ok(&["issue", "attachment", reference, &id, file, "-o", "-"]);
        assert!(bytes.replace('\r', "").starts_with(content), "{name}: {bytes}");
    }
}

#[test]
fn the_rest_of_a_long_subject_is_kept() {
    let desk = TestDesk::between_maildirs("");
    let note = note(&desk, "long-subject");
    let issue = desk.json(&["issue", "show", note["ref"].as_str().unwrap()]);
    assert_eq!(issue["title"].as_str().unwrap().chars().count(), 255);
    assert!(
        note["warnings"].to_string().contains("the subject goes on")
            && note["warnings"].to_string().contains("word79"),
        "{note}"
    );
}

#[test]
fn the_html_of_a_mail_opens_from_a_file_for_its_reader_alone() {
    let desk = TestDesk::between_maildirs("");
    let shown = note(&desk, "html-only");
    let (reference, id) = (shown["ref"].as_str().unwrap(), shown["id"].to_string());
    let page = desk.ok(&["issue", "html", reference, &id]);
    assert!(page.contains("default-src 'none'") && page.contains("<b>empty</b>"), "{page}");

    let opened = desk.folder.path().join("opened");
    let mut command = desk.command(&["issue", "html", reference, &id, "--open"]);
    let browser = format!("sh -c 'stat -c %a \"$0\" >{0}; cat \"$0\" >>{0}'", opened.display());
    assert!(command.env("BROWSER", browser).status().unwrap().success());
    assert_eq!(fs::read_to_string(&opened).unwrap(), format!("600\n{page}"));
    let folder = fs::metadata(desk.data().join("scratch")).unwrap().permissions().mode() & 0o777;
    assert_eq!(folder & 0o077, 0, "{folder:o}");

    let plain = note(&desk, "no-subject");
    let said = desk.run(&["issue", "html", plain["ref"].as_str().unwrap(), &plain["id"].to_string()]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("has no HTML"), "{}", said.stderr);
}
