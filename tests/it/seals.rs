//! Signed and encrypted mail, with the real `gpg` and `gpgsm`.

use crate::support::keys::{ADA, cms, gpg, keys};
use crate::support::{PROJECT, TestDesk};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const ENTITY: &str = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße, the printer burns.  \r\n-- \r\nAda\r\n";

/// A desk that knows the keys of this process.
fn desk() -> TestDesk {
    configured(&config(""))
}

fn config(further: &str) -> String {
    let keys = keys();
    let home = |path: &std::path::Path| path.display().to_string();
    format!(
        "[pgp]\nenabled = true\nhome = \"{}\"\n{further}[smime]\nenabled = true\nhome = \"{}\"\n",
        home(&keys.pgp),
        home(&keys.smime)
    )
}

fn configured(config: &str) -> TestDesk {
    TestDesk::between_maildirs(config)
}

fn mail(from: &str, content: &str) -> Vec<u8> {
    format!("From: {from}\r\nTo: {PROJECT}\r\nSubject: help\r\nMIME-Version: 1.0\r\n{content}").into_bytes()
}

fn signed(from: &str, entity: &str, protocol: &str, part: &str) -> Vec<u8> {
    mail(
        from,
        &format!(
            "Content-Type: multipart/signed; boundary=\"b\"; protocol=\"{protocol}\"\r\n\r\npreamble\r\n--b\r\n{entity}\r\n\
             --b\r\n{part}\r\n--b--\r\n"
        ),
    )
}

fn pgp_part(signature: &[u8]) -> String {
    format!(
        "Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n{}",
        String::from_utf8(signature.to_vec()).unwrap()
    )
}

fn pgp_signed(from: &str, key: &str, entity: &str) -> Vec<u8> {
    let signature = gpg(&keys().pgp, &["-u", key, "--armor", "--detach-sign"], entity.as_bytes());
    signed(from, entity, "application/pgp-signature", &pgp_part(&signature))
}

fn base64_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    text.as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
}

fn smime(bytes: &[u8]) -> Vec<u8> {
    let head =
        "Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    mail(ADA, &format!("{head}{}", base64_lines(bytes)))
}

fn encrypted(data: &[u8]) -> Vec<u8> {
    mail(
        ADA,
        &format!(
            "Content-Type: multipart/encrypted; boundary=b; protocol=\"application/pgp-encrypted\"\r\n\r\n--b\r\n\
             Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n\
             {}\r\n--b--\r\n",
            String::from_utf8(data.to_vec()).unwrap()
        ),
    )
}

/// Takes a mail in; gives the note that it became.
fn take(desk: &TestDesk, mail: &[u8]) -> Value {
    let said = desk.feed(&["deliver", "-"], mail);
    assert_eq!(said.code, 0, "{said:?}");
    let newest = desk.intake().remove(0);
    let reference = newest["ref"].as_str().unwrap_or_else(|| panic!("{newest}")).to_owned();
    desk.json(&["issue", "show", &reference])["notes"][0].clone()
}

fn says(note: &Value) -> (&str, &str) {
    let text = |key: &str| note["seal"][key].as_str().unwrap_or_else(|| panic!("{note}"));
    (text("state"), text("words"))
}

#[test]
fn a_signature_is_shown_as_what_it_is() {
    let desk = desk();
    let plain = "Grüße, the printer burns.";
    let note = take(&desk, &pgp_signed(ADA, ADA, ENTITY));
    assert_eq!(says(&note), ("valid", "signed: valid, Ada Byrne <ada@customer.test>"));
    assert_eq!(
        (&note["seal"]["by_sender"], note["attachments"].as_array().unwrap().len()),
        (&true.into(), 0)
    );
    assert!(note["body"].as_str().unwrap().starts_with(plain), "{note}");

    // The same, with the line ends of this machine.
    let local = String::from_utf8(pgp_signed(ADA, ADA, ENTITY)).unwrap().replace("\r\n", "\n");
    assert_eq!(says(&take(&desk, local.replace("help", "local").as_bytes())).0, "valid");

    let note = take(&desk, &pgp_signed("Mallory <ada@other.test>", ADA, ENTITY));
    assert_eq!(says(&note), ("valid", "signed by Ada Byrne <ada@customer.test>, not by the sender"));
    assert_eq!(note["seal"]["by_sender"], false);

    let text = String::from_utf8(pgp_signed(ADA, ADA, ENTITY)).unwrap();
    let note = take(&desk, text.replace("burns", "turns").as_bytes());
    assert_eq!(says(&note), ("broken", "signature broken"));
    assert!(note["body"].as_str().unwrap().contains("turns"));

    let signature = gpg(&keys().strange, &["--armor", "--detach-sign"], ENTITY.as_bytes());
    let strange = signed(ADA, ENTITY, "application/pgp-signature", &pgp_part(&signature));
    assert_eq!(says(&take(&desk, &strange)).0, "unknown_key");

    let old =
        ["-u", "old@customer.test", "--faked-system-time", "20200201T000000", "--armor", "--detach-sign"];
    let signature = gpg(&keys().pgp, &old, ENTITY.as_bytes());
    let expired = signed("old@customer.test", ENTITY, "application/pgp-signature", &pgp_part(&signature));
    assert_eq!(says(&take(&desk, &expired)).0, "expired");

    let junk = signed(ADA, ENTITY, "application/pgp-signature", &pgp_part(b"no signature at all"));
    assert_eq!(says(&take(&desk, &junk)).0, "unreadable");
}

#[test]
fn nothing_but_what_was_signed_is_shown_under_a_signature() {
    let desk = desk();
    let text = String::from_utf8(pgp_signed(ADA, ADA, ENTITY)).unwrap();
    // A third part within, and the whole within another mail.
    let third = text.replace("--b--", "--b\r\nContent-Type: text/plain\r\n\r\nPay to Eve.\r\n--b--");
    let note = take(&desk, third.as_bytes());
    assert_eq!(says(&note), ("unchecked", "signed (OpenPGP), not checked: only a part of it is signed"));
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let kind = head.split_once("Content-Type: ").unwrap().1;
    let around = mail(
        ADA,
        &format!(
            "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: {kind}\r\n\r\n{body}\r\n--o\r\n\r\nPay to Eve.\r\n--o--\r\n"
        ),
    );
    assert_eq!(says(&take(&desk, &around)).0, "unchecked");
}

#[test]
fn files_of_a_signed_mail_are_found() {
    let desk = desk();
    let entity = "Content-Type: multipart/mixed; boundary=\"i\"\r\n\r\n--i\r\n\r\nSee file.\r\n--i\r\nContent-Type: text/csv\r\n\
                  Content-Disposition: attachment; filename=a.csv\r\n\r\n1,2,3\r\n--i--\r\n";
    for mail in [
        pgp_signed(ADA, ADA, entity),
        encrypted(&gpg(&keys().pgp, &["-r", ADA, "-a", "--encrypt"], entity.as_bytes())),
    ] {
        let note = take(&desk, &mail);
        assert_eq!(note["attachments"].as_array().unwrap().len(), 1, "{note}");
        let reference = desk.intake().remove(0)["ref"].as_str().unwrap().to_owned();
        let number = note["id"].to_string();
        let out = desk.folder.path().join("out.csv");
        let _ = fs::remove_file(&out);
        desk.ok(&["issue", "attachment", &reference, &number, "a.csv", "-o", out.to_str().unwrap()]);
        assert_eq!(fs::read_to_string(out).unwrap().trim_end(), "1,2,3");
    }
}

#[test]
fn encrypted_mail_is_opened_and_the_mail_itself_stays_closed() {
    let desk = desk();
    let inner = "Content-Type: text/plain; protected-headers=\"v1\"\r\nSubject: The real subject\r\n\r\nThe password is swordfish.\r\n";
    let closed = gpg(&keys().pgp, &["-r", ADA, "-a", "--encrypt"], inner.as_bytes());
    let text = String::from_utf8(encrypted(&closed)).unwrap().replace("Subject: help", "Subject: ...");
    let note = take(&desk, text.as_bytes());
    assert_eq!(says(&note), ("unsigned", "was encrypted; not signed"));
    assert_eq!(note["body"].as_str().unwrap().trim(), "The password is swordfish.");
    let issue = desk.intake().remove(0);
    assert_eq!(issue["subject"], "The real subject");
    let raw = desk.ok(&["issue", "raw", issue["ref"].as_str().unwrap(), &note["id"].to_string()]);
    assert!(!raw.contains("swordfish") && raw.contains("BEGIN PGP MESSAGE"));

    let both = gpg(&keys().pgp, &["-r", ADA, "-u", ADA, "-a", "--sign", "--encrypt"], inner.as_bytes());
    let note = take(&desk, &encrypted(&both));
    assert_eq!(says(&note), ("valid", "was encrypted; signed: valid, Ada Byrne <ada@customer.test>"));

    let strange =
        gpg(&keys().strange, &["-r", "stranger@customer.test", "-a", "--encrypt"], inner.as_bytes());
    let note = take(&desk, &encrypted(&strange));
    assert_eq!(
        says(&note),
        ("unreadable", "encrypted (OpenPGP), cannot be read: the key for it is not here")
    );
}

#[test]
fn armour_in_the_text_is_read_and_folded() {
    let desk = desk();
    let text = gpg(&keys().pgp, &["-u", ADA, "--clearsign"], "Hello\n- a list\n".as_bytes());
    let text = String::from_utf8(text).unwrap();
    let note = take(&desk, &mail(ADA, &format!("\r\n{text}")));
    assert_eq!(says(&note).0, "valid");
    assert_eq!(note["body"].as_str().unwrap().trim(), "Hello\n- a list");
    assert!(note["folded"].as_str().unwrap().contains("BEGIN PGP SIGNATURE"));
    let note = take(&desk, &mail(ADA, &format!("\r\nPay to Eve.\r\n{text}")));
    assert_eq!(says(&note).0, "unchecked");
    assert!(
        note["body"].as_str().unwrap().contains("Pay to Eve.")
            && !note["body"].as_str().unwrap().contains("BEGIN")
    );
    let hidden = gpg(&keys().pgp, &["-r", ADA, "-a", "--encrypt"], "A secret".as_bytes());
    let note = take(&desk, &mail(ADA, &format!("\r\n{}", String::from_utf8(hidden).unwrap())));
    assert_eq!((says(&note).0, note["body"].as_str().unwrap()), ("unsigned", "A secret"));
}

#[test]
fn smime_is_checked_and_opened() {
    let desk = desk();
    let signer = ["-sign", "-signer", "ada.pem", "-inkey", "ada.key", "-certfile", "ca.pem"];
    let apart = cms(&signer, ENTITY.as_bytes());
    let part = format!(
        "Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64_lines(&apart)
    );
    let detached = signed(ADA, ENTITY, "application/pkcs7-signature", &part);
    let note = take(&desk, &detached);
    assert_eq!(says(&note), ("valid", "signed: valid, Ada Byrne <ada@customer.test>"));
    let broken = String::from_utf8(detached).unwrap().replace("burns", "turns");
    assert_eq!(says(&take(&desk, broken.as_bytes())).0, "broken");
    let opaque = cms(&[&signer[..], &["-nodetach"]].concat(), ENTITY.as_bytes());
    let note = take(&desk, &smime(&opaque));
    assert_eq!(says(&note).0, "valid");
    assert!(
        note["body"].as_str().unwrap().starts_with("Grüße")
            && note["attachments"].as_array().unwrap().is_empty()
    );
    let closed = cms(&["-encrypt", "-aes256", "ada.pem"], ENTITY.as_bytes());
    let note = take(&desk, &smime(&closed));
    assert_eq!(says(&note), ("unsigned", "was encrypted; not signed"));
    assert!(note["body"].as_str().unwrap().starts_with("Grüße"));
}

#[test]
fn switched_off_it_says_so() {
    let desk = configured("");
    let note = take(&desk, &pgp_signed(ADA, ADA, ENTITY));
    assert_eq!(says(&note), ("unchecked", "signed (OpenPGP), not checked"));
    assert!(note["attachments"].as_array().unwrap().is_empty());
    let shown = desk.ok(&["issue", "show", desk.intake()[0]["ref"].as_str().unwrap()]);
    assert!(shown.contains("signed (OpenPGP), not checked"), "{shown}");
}

/// A desk whose `gpg` is a script, which has so long to answer.
fn with_script(script: &str, timeout: &str) -> TestDesk {
    let desk = configured("");
    let path = desk.folder.path().join("gpg.sh");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let further =
        format!("[pgp]\nenabled = true\ntimeout = \"{timeout}\"\ncommand = \"{}\"\n", path.display());
    desk.configure(&format!("{}{further}", desk.maildirs()));
    desk
}

#[test]
fn a_program_that_fails_in_any_way_stops_no_mail() {
    let mail = pgp_signed(ADA, ADA, ENTITY);
    let closed = encrypted(b"-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n");
    for (script, timeout, words) in [
        ("sleep 600", "300ms", "did not end within"),
        ("exec sleep 600", "300ms", "did not end within"),
        ("exec cat /dev/zero", "15s", "gave more than"),
        ("cat /dev/zero >&2", "15s", "gave more than"),
        ("exit 2", "15s", ""),
        ("kill -9 $$", "15s", ""),
    ] {
        let desk = with_script(script, timeout);
        for mail in [&mail, &closed] {
            let begun = Instant::now();
            let note = take(&desk, mail);
            assert!(begun.elapsed() < Duration::from_secs(20), "{script}");
            let warnings = note["warnings"].to_string();
            assert!(warnings.contains(words), "{script}: {note}");
            assert_ne!(says(&note).0, "valid", "{script}");
        }
    }
    let desk = configured("[pgp]\nenabled = true\ncommand = \"/no/such/gpg\"\n");
    let note = take(&desk, &mail);
    assert!(note["warnings"].to_string().contains("/no/such/gpg cannot be started"), "{note}");
    assert!(note["body"].as_str().unwrap().contains("printer"));
    let doctor = desk.run(&["doctor"]);
    assert!(doctor.stdout.contains("FAIL OpenPGP"), "{doctor:?}");
}

#[test]
fn what_goes_out_is_signed_and_the_signature_holds() {
    for config in [
        config("sign = true\nkey = \"ada@customer.test\"\n"),
        config("") + "sign = true\nkey = \"ada@customer.test\"\n",
    ] {
        let desk = configured(&config);
        take(&desk, &mail("Bob <bob@customer.test>", "\r\nHelp me\r\n"));
        desk.ok(&["issue", "note", "acme/support#1", "-m", "Here is help -- \n\nFrom me, with a café"]);
        desk.ok(&["sync", "--once"]);
        let sent = desk.sent();
        assert_eq!(sent.len(), 2, "{}", desk.log());
        let doctor = desk.run(&["doctor"]);
        assert!(doctor.stdout.contains("a trial signature was made"), "{doctor:?}");
        // Another desk reads them.
        let other = self::desk();
        for text in sent {
            assert!(text.contains("Content-Type: multipart/signed"), "{text}");
            let (head, body) = text.split_once("\n\n").or_else(|| text.split_once("\r\n\r\n")).unwrap();
            let kept =
                |l: &&str| l.starts_with("Content-Type") || l.starts_with(' ') || l.starts_with("MIME");
            let kept: Vec<&str> = head.lines().filter(kept).collect();
            let note = take(
                &other,
                &mail(
                    "Ada <ada@customer.test>",
                    &format!("{}\r\n\r\n{body}", &kept.join("\r\n")[..].trim_start()),
                ),
            );
            assert_eq!(says(&note).0, "valid", "{text}");
        }
    }
}

#[test]
fn mail_that_cannot_be_signed_is_held_and_says_why() {
    let desk = configured(&config("sign = true\nkey = \"nobody@nowhere.test\"\n"));
    take(&desk, &mail("Bob <bob@customer.test>", "\r\nHelp me\r\n"));
    let row = desk.outbox().remove(0);
    assert_eq!(row["state"], "held");
    assert!(row["error"].as_str().unwrap().contains("could not be signed"), "{row}");
    desk.ok(&["sync", "--once"]);
    assert!(desk.sent().is_empty());
    let doctor = desk.run(&["doctor"]);
    assert!(doctor.stdout.contains("FAIL OpenPGP: signing"), "{doctor:?}");
}
