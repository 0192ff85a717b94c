//! What is fuzzed: one function for each thing that reads what comes from outside.
//!
//! Shared by the fuzz targets of this crate and by a test of the main crate, which runs them over the kept
//! inputs in `tests/fuzz-corpus` and over mutations of those.

use deskbell::config::{AddressPattern, Config};
use deskbell::domain::{EmailAddress, MessageId, Query, Reference};
use deskbell::{mail, rpc};
use std::path::Path;

/// Takes an input; it must not panic.
#[allow(dead_code)]
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of the folder of its inputs.
#[allow(dead_code)]
pub const TARGETS: &[(&str, Target)] = &[
    ("parse", parse),
    ("visible", visible),
    ("html", html),
    ("verdict", verdict),
    ("sealed", sealed),
    ("address", address),
    ("template", template),
    ("query", query),
    ("config", config),
    ("frame", frame),
];

/// A mail, and every file that it says it has.
pub fn parse(bytes: &[u8]) {
    let Ok(message) = mail::read(bytes) else { return };
    mail::fingerprint(bytes, &message);
    for file in message.attachments.iter().take(20) {
        assert_eq!(mail::safe_file_name(&file.name), file.name);
        assert!(file.part.is_none_or(|part| mail::part(bytes, part, &file.within).is_some()));
    }
}

/// What a reader sees of a mail; its lines steer no terminal.
pub fn visible(bytes: &[u8]) {
    let Ok(message) = mail::read(bytes) else { return };
    for how in [mail::Reading::Opening, mail::Reading::Answer] {
        let seen = mail::visible(&message, how);
        for text in [Some(&seen.body), seen.folded.as_ref()].into_iter().flatten() {
            assert!(!text.contains(['\u{1b}', '\0', '\r', '\u{202e}']), "{text:?}");
        }
    }
}

pub fn html(bytes: &[u8]) {
    let seen = mail::html_to_text(&String::from_utf8_lossy(bytes));
    assert!(!seen.text.contains('\u{1b}'));
}

/// Who wrote a mail: a person, a machine, or a server about another mail.
pub fn verdict(bytes: &[u8]) {
    let Ok(message) = mail::read(bytes) else { return };
    let lists = ["list.x.example".to_owned()];
    let own = mail::Own {
        is_ours: &|address| address.domain() == "desk.example",
        our_message_id: &|id| id.as_str().ends_with("@desk.example"),
        own_lists: &lists,
        trusted_authserv_ids: &lists,
    };
    mail::verdict(bytes, &message, &own);
    mail::authentication(&message, &lists);
}

/// The octets that were signed, and the mail that comes out of one that was sealed.
pub fn sealed(bytes: &[u8]) {
    let Ok(mut message) = mail::read(bytes) else { return };
    mail::may_be_sealed(&message);
    if let Some(mail::Sealed { form: mail::SealedForm::Detached { signed, .. }, .. }) = mail::sealed(bytes) {
        mail::read_signed(bytes, &signed);
    }
    mail::show_text(&mut message, None);
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    let _ = mail::read(&mail::unsealed(half, rest));
    let (fields, entity) = mail::to_sign(bytes);
    mail::with_signature(&fields, &entity, deskbell::domain::SealKind::Smime, half, "sha-256");
}

/// Addresses, Message-IDs and references; what was read reads the same again.
pub fn address(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(address) = EmailAddress::parse(&text) {
        assert_eq!(EmailAddress::parse(address.as_str()), Some(address.clone()));
        for pattern in ["help+%{key}@desk.example", "%{key}@desk.example", "help@desk.example"] {
            let pattern = AddressPattern::parse(pattern).expect("a pattern");
            pattern.key_of(address.as_str());
        }
    }
    if let Some(id) = MessageId::parse(&text) {
        assert_eq!(MessageId::parse(id.as_str()), Some(id));
    }
    if let Ok(pattern) = AddressPattern::parse(&text)
        && let Some(with) = pattern.with_key("abc-1-issue-").filter(|_| pattern.keyed)
    {
        assert_eq!(pattern.key_of(with.as_str()).as_deref(), Some("abc-1-issue-"));
    }
    let _ = text.parse::<Reference>();
    mail::sanitize_line(&text);
}

/// A template and what a customer wrote, and the two forms of the mail they make.
pub fn template(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (template, words) = text.split_once('\n').unwrap_or((&text, "x"));
    let values = mail::Values {
        issue_id: "#1",
        issue_path: "a/b#1",
        note_author: words,
        note_text: words,
        issue_description: words,
        unsubscribe_url: "mailto:a@desk.example",
        rating: &[("good", format!("mailto:a@x.example?subject={text}"))],
        issue_url: "",
        system_header: "",
        system_footer: words,
        additional_text: "",
    };
    let filled = mail::fill(template, &values);
    mail::unknown_placeholders(template);
    mail::markdown_to_text(&filled);
    let html = mail::markdown_to_html(&filled).to_lowercase();
    assert!(!html.contains("<script") && !html.contains("<a href=\"javascript:"), "{html}");
}

pub fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Query::parse(&text);
    let _ = Query::check(&text);
    Query::typing(&text);
}

pub fn config(bytes: &[u8]) {
    let _ = Config::parse(&String::from_utf8_lossy(bytes), Path::new("/etc/deskbell/config.toml"));
}

/// A frame of the socket; what was understood can be written and read again.
pub fn frame(bytes: &[u8]) {
    let Ok(frame) = rpc::decode(bytes) else { return };
    let written = rpc::encode(&frame).expect("a frame that was read can be written");
    assert_eq!(rpc::decode(&written).ok(), Some(frame));
}
