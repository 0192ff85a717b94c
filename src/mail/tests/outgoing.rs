//! Header injection into what goes out is impossible, whatever stands in names, subjects and identifiers.

use super::*;

/// Every field that a mail of ours may have, in lower case.
const FIELDS: &[&str] = &[
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "list-unsubscribe",
    "list-id",
    "auto-submitted",
    "x-auto-response-suppress",
    "x-deskbell-project-path",
    "x-deskbell-issue",
    "mime-version",
    "content-type",
];

/// Text in which every character may end a field or a line, or fill one.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("\r\nBcc: eve@x.example\r\n".to_owned()),
        Just("\nX-Eve: 1".to_owned()),
        Just("\rX-Eve: 1".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("\0".to_owned()),
        Just("=?utf-8?q?a=0D=0AX-Eve:_1?=".to_owned()),
        Just("\u{2028}X-Eve: 1\u{85}".to_owned()),
        Just("\"<>,;:()\\@".to_owned()),
        "[a-z]{0,8}",
        "[äß日本€]{0,300}",
        "[a-z]{900,1100}",
        any::<String>(),
    ];
    prop::collection::vec(pieces, 0..5).prop_map(|pieces| pieces.concat())
}

fn person() -> impl Strategy<Value = Mailbox> {
    let local = prop_oneof!["[a-z!#$%&'*+/=?^_`{|}~.]{1,40}", "[ä日]{1,20}", hostile()];
    let email = (local, "[a-z]{1,20}\\.example")
        .prop_filter_map("no address", |(local, domain)| EmailAddress::parse(&format!("{local}@{domain}")));
    (hostile(), email).prop_map(|(name, email)| Mailbox { name: Some(name), email })
}

fn id() -> impl Strategy<Value = MessageId> {
    let text = prop_oneof![hostile(), "[a-z]{1,30}@x.example", "[ -~]{1,80}", "[!-~]{900,990}"];
    text.prop_filter_map("no identifier", |text| MessageId::parse(&text))
}

/// Checks the header block of a mail; gives what is wrong with it.
fn fault(raw: &[u8]) -> Option<String> {
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut names: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        if line.len() > 998 {
            return Some(format!(
                "a line of {} octets: {}",
                line.len(),
                line.chars().take(40).collect::<String>()
            ));
        }
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return Some(format!("a line that is not plain: {line:?}"));
        }
        if !line.starts_with([' ', '\t']) {
            names.push(line.split(':').next().unwrap_or_default().to_ascii_lowercase());
        } else if line.trim().is_empty() {
            return Some("a line of blanks".to_owned());
        }
        // Only an address may be written in letters beyond ASCII (RFC 6532), where the server takes it.
        let addresses = ["from", "to", "cc", "reply-to"];
        if !line.is_ascii() && !names.last().is_some_and(|name| addresses.contains(&name.as_str())) {
            return Some(format!("a line of 8 bits: {line:?}"));
        }
    }
    let mut once = names.clone();
    once.sort();
    once.dedup();
    let foreign = names.iter().find(|name| !FIELDS.contains(&name.as_str()));
    foreign
        .map(|name| format!("a field {name:?}"))
        .or((once.len() != names.len()).then(|| format!("{names:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_header_holds_the_fields_we_set_and_no_other(
        (to, reply_to, cc) in (person(), person(), prop::collection::vec(person(), 0..3)),
        (subject, path, reference, list, name, kind) in (hostile(), hostile(), hostile(), hostile(), hostile(), hostile()),
        (in_reply_to, references) in (prop::option::of(id()), prop::collection::vec(id(), 0..30)),
        automatic in any::<bool>(),
    ) {
        let letter = Letter {
            to, cc, subject, in_reply_to, references, reference,
            from: Mailbox { name: Some(name.clone()), email: address("contact@desk.example") },
            reply_to: Some(reply_to),
            project_path: path,
            list_id: Some(list),
            files: vec![(name, kind, b"x".to_vec())],
            ..letter(if automatic { MailKind::ThankYou } else { MailKind::NewNote })
        };
        if let Ok(raw) = compose(&letter) {
            prop_assert_eq!(fault(&raw), None);
            let message = read(&raw).unwrap();
            let field = |name| message.header(name).map(str::to_owned);
            prop_assert_eq!(field("Auto-Submitted").is_some(), automatic);
            prop_assert_eq!(field("X-Auto-Response-Suppress").is_some(), automatic);
        }
    }
}

#[test]
fn automatic_mail_says_so_and_a_persons_note_does_not() {
    for (kind, how) in [
        (MailKind::ThankYou, Some("auto-replied")),
        (MailKind::Closed, Some("auto-replied")),
        (MailKind::Reopened, Some("auto-replied")),
        (MailKind::Probe, Some("auto-generated")),
        (MailKind::Staff, Some("auto-generated")),
        (MailKind::NewNote, None),
        (MailKind::Forward, None),
    ] {
        let message = read(&compose(&letter(kind)).unwrap()).unwrap();
        assert_eq!(message.header("Auto-Submitted").map(str::trim), how, "{kind:?}");
        assert_eq!(message.header("X-Auto-Response-Suppress").is_some(), how.is_some(), "{kind:?}");
    }
}
