//! What must hold of the whole room: fixtures, any bytes, and the round from composing to reading.

mod machines;
mod outgoing;

use super::*;
use crate::domain::{EmailAddress, MailKind, Mailbox, MessageId};
use jiff::Timestamp;
use proptest::prelude::*;

mod odd;
mod original;

fn fixture(name: &str) -> (Vec<u8>, Message) {
    let path = format!("{}/tests/mail/{name}.eml", env!("CARGO_MANIFEST_DIR"));
    let raw = std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let message = read(&raw).unwrap();
    (raw, message)
}

fn desk<'a>() -> Own<'a> {
    Own {
        is_ours: &|email| email.domain() == "desk.example",
        our_message_id: &|id| id.as_str().starts_with("ours-"),
        own_lists: &[],
        trusted_authserv_ids: &[],
    }
}

fn answer(name: &str) -> Visible {
    visible(&fixture(name).1, Reading::Answer)
}

#[test]
fn a_folded_or_loose_boundary_loses_no_part() {
    let (raw, message) = fixture("folded-boundary");
    assert_eq!(message.plain.as_deref().map(str::trim), Some("The text is here."));
    let file = &message.attachments[0];
    assert_eq!(
        (file.name.as_str(), file.media_type.as_str(), file.size),
        ("invoice.pdf", "application/pdf", 9)
    );
    assert_eq!(part(&raw, file.part.unwrap(), &file.within).unwrap(), b"%PDF-1.4\n");
    assert_eq!(fixture("loose-boundary").1.plain.as_deref().map(str::trim), Some("The text is here."));
}

#[test]
fn text_is_read_in_whatever_charset_it_is() {
    for (name, text) in [
        ("undeclared-latin1", "Das kostet fünf Euro."),
        ("lying-utf8", "café au lait"),
        ("gb18030", "你好世界"),
        ("utf7", "Frösche"),
        ("nul-bytes", "beforeafter [31mred"),
        ("bare-cr", "Text here."),
        ("missing-end", "The connection broke"),
    ] {
        assert_eq!(visible(&fixture(name).1, Reading::Opening).body, text, "{name}");
    }
    for (name, subject) in [
        ("raw-8bit-subject", "Grüße aus München"),
        ("split-encoded-word", "Café"),
        ("gb18030", "你好"),
        ("bare-cr", "Old Mac"),
    ] {
        assert_eq!(fixture(name).1.subject, subject, "{name}");
    }
}

#[test]
fn odd_senders_are_said_and_never_stop_a_mail() {
    let message = fixture("no-from").1;
    assert!(message.from.is_none() && message.defects.iter().any(|d| d.contains("no From")));
    let message = fixture("from-without-address").1;
    assert_eq!(message.from_text.as_deref(), Some("The Moderator <moderator>"));
    let message = fixture("two-froms").1;
    assert_eq!(message.from.unwrap().email.as_str(), "ada@customer.example");
    assert!(message.defects.iter().any(|d| d.contains("2 From")));
}

#[test]
fn addresses_that_may_hold_a_key_come_in_the_order_of_search() {
    let message = fixture("delivered-to-key").1;
    let found: Vec<_> = message.recipients.iter().map(|(f, a)| format!("{f}={a}")).collect();
    assert_eq!(
        found,
        [
            "To=support@alias.example",
            "Delivered-To=contact+shop-1-issue-@desk.example",
            "Received=contact+other-2-issue-@desk.example",
            "X-Original-To=third@desk.example",
        ]
    );
    let message = fixture("exchange-references").1;
    assert_eq!(message.recipients[1], ("References", "reply-abc123@desk.example".to_owned()));
    assert_eq!(message.references.len(), 3);
    assert!(!message.is_opening());
}

#[test]
fn files_have_safe_names_and_their_own_bytes() {
    let (raw, message) = fixture("inline-image");
    let image = &message.attachments[0];
    assert_eq!((image.name.as_str(), image.inline), ("shot.png", true));
    assert_eq!(part(&raw, image.part.unwrap(), &image.within).unwrap(), b"\x89PNG\r\n\x1a\n");
    assert_eq!(fixture("rfc2231-name").1.attachments[0].name, "Rechnung für Ada.pdf");
    let (raw, message) = fixture("forwarded-message");
    assert_eq!(message.attachments[0].name, "It _ broke.eml");
    let inner =
        read(&part(&raw, message.attachments[0].part.unwrap(), &message.attachments[0].within).unwrap())
            .unwrap();
    assert_eq!(inner.plain.as_deref().map(str::trim), Some("Inner text."));
    let message = fixture("apple-text-file-text").1;
    let text = visible(&message, Reading::Opening).body;
    assert!(text.contains("Before the file.") && text.contains("After the file."), "{text}");
}

#[test]
fn html_is_read_when_it_holds_the_text() {
    let seen = visible(&fixture("html-only").1, Reading::Opening);
    insta::assert_snapshot!(seen.body, @r"
    Dear team,

    the cart [1] is **empty**:

    ────┬─────
    Item│Count
    ────┼─────
    Tea │0
    ────┴─────
    [Screenshot of the cart]

    [1]: https://shop.example/cart
    ");
    assert!(seen.html);
    let seen = visible(&fixture("lying-plain").1, Reading::Opening);
    assert!(seen.html && seen.body.starts_with("The real text"), "{}", seen.body);
}

#[test]
fn flowed_text_is_put_together() {
    let seen = answer("flowed");
    assert_eq!(seen.body, "This is one paragraph over three lines.");
    assert_eq!(seen.folded.as_deref(), Some("> quoted text\n-- \nAda"));
}

#[test]
fn the_new_text_of_an_answer_is_found_in_every_client() {
    for (name, body) in [
        ("answer-gmail", "Works now, thank you!"),
        ("answer-gmail-html", "Works now, thank you!"),
        ("answer-outlook-html", "Funktioniert, danke."),
        ("answer-outlook-desktop", "Ca marche, merci."),
        ("answer-bottom", "I did, and it works."),
        ("answer-yahoo-html", "Si, gracias"),
    ] {
        let seen = answer(name);
        assert_eq!(seen.body, body, "{name}");
        let folded = seen.folded.unwrap_or_default();
        assert!(
            ["Please try again", "Bitte noch", "Merci de", "Pruebe"].iter().any(|q| folded.contains(q)),
            "{name}: {folded}"
        );
    }
    assert_eq!(visible(&fixture("answer-gmail").1, Reading::Opening).folded, None);
}

#[test]
fn answers_within_a_quote_stay_with_it() {
    let seen = answer("answer-thunderbird-inline");
    assert!(
        seen.body.contains("> Which browser?\n\nFirefox 121.\n\n> Which page?\n\nThe cart."),
        "{}",
        seen.body
    );
    assert_eq!(seen.folded.as_deref(), Some("-- \nAda Lovelace"));
}

#[test]
fn what_only_looks_like_a_quote_or_signature_is_text() {
    for name in ["answer-quotes-only", "answer-markdown", "answer-own-blockquote"] {
        let seen = answer(name);
        assert_eq!(seen.folded, None, "{name}: {}", seen.body);
    }
    assert!(answer("answer-own-blockquote").body.contains("> Error 42"));
}

#[test]
fn a_verdict_tells_persons_from_machines() {
    for (name, class, may_answer) in [
        ("undeclared-latin1", "Person", true),
        ("person-about-bounces", "Person", true),
        ("person-forwards-bounce", "Person", true),
        ("list-mail", "Person", false),
        ("noreply", "Person", false),
        ("no-from", "Person", false),
        ("vacation", "Automatic", false),
        ("vacation-subject-only", "Automatic", false),
        ("delivered-report", "Automatic", false),
        ("bounce-dsn", "Bounce", false),
        ("bounce-delayed", "Bounce", false),
        ("bounce-text", "Bounce", false),
        ("complaint", "Complaint", false),
    ] {
        let (raw, message) = fixture(name);
        let said = verdict(&raw, &message, &desk());
        let seen = format!("{:?}", said.class);
        assert!(seen.starts_with(class), "{name}: {seen} ({})", said.reason);
        assert_eq!(said.may_answer, may_answer, "{name}: {}", said.reason);
    }
}

#[test]
fn our_own_mail_is_known_and_our_own_lists_mean_nothing() {
    let mail = |from: &str, id: &str, more: &str| {
        let raw = format!("From: {from}\r\nMessage-ID: <{id}>\r\n{more}\r\nhi\r\n").into_bytes();
        let message = read(&raw).unwrap();
        let lists = ["tea.lists.example".to_owned()];
        verdict(&raw, &message, &Own { own_lists: &lists, ..desk() })
    };
    assert_eq!(mail("contact+x@desk.example", "a@b", "").class, MailClass::Own);
    assert_eq!(mail("ada@x.example", "ours-7@desk.example", "").class, MailClass::Own);
    let over_ours = mail("ada@x.example", "a@b", "List-Id: Tea <tea.lists.example>\r\nPrecedence: list\r\n");
    assert!(over_ours.may_answer && !over_ours.list);
    let over_other = mail("ada@x.example", "a@b", "List-Id: <other.lists.example>\r\n");
    assert!(!over_other.may_answer && over_other.list && over_other.class == MailClass::Person);
}

#[test]
fn a_bounce_names_the_mail_and_whom_it_did_not_reach() {
    let bounce = |name: &str| {
        let (raw, message) = fixture(name);
        match verdict(&raw, &message, &desk()).class {
            MailClass::Bounce(bounce) => bounce,
            other => panic!("{other:?}"),
        }
    };
    for name in ["bounce-dsn", "bounce-text"] {
        let bounce = bounce(name);
        assert_eq!(bounce.original, MessageId::parse("ours-1@desk.example"), "{name}");
        let failed = &bounce.recipients[0];
        assert_eq!(failed.address.as_str(), "ada@customer.example", "{name}");
        assert_eq!(
            (failed.status.as_deref(), failed.permanent, failed.delayed),
            (Some("5.1.1"), true, false),
            "{name}"
        );
        assert!(failed.text.contains("550 5.1.1"), "{}", failed.text);
    }
    let failed = &bounce("bounce-delayed").recipients[0];
    assert_eq!((failed.permanent, failed.delayed), (false, true));
}

#[test]
fn one_mail_by_two_routes_has_one_fingerprint() {
    let (raw, message) = fixture("answer-gmail");
    let print = fingerprint(&raw, &message);
    let again = |raw: Vec<u8>| fingerprint(&raw, &read(&raw).unwrap());
    let added = [b"Received: by other\r\nDelivered-To: a@b.example\r\n".to_vec(), raw.clone()].concat();
    assert_eq!(again(added), print);
    let unix: Vec<u8> = raw.iter().copied().filter(|b| *b != b'\r').collect();
    assert_eq!(again(unix), print);
    assert_ne!(again([raw.clone(), b"more\r\n".to_vec()].concat()), print);
    assert_ne!(again(String::from_utf8(raw).unwrap().replace("ada@", "eve@").into_bytes()), print);
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn letter(kind: MailKind) -> Letter {
    Letter {
        for_signing: false,
        kind,
        from: Mailbox { name: Some("Support Bot".to_owned()), email: address("contact@desk.example") },
        to: Mailbox { name: Some("Müller, Jo".to_owned()), email: address("jo@customer.example") },
        cc: vec![],
        reply_to: Some(Mailbox {
            name: Some("mygroup/shop".to_owned()),
            email: address("contact+k3y@desk.example"),
        }),
        subject: "Re: Grüße (#12)".to_owned(),
        message_id: MessageId::parse("m1@desk.example").unwrap(),
        in_reply_to: MessageId::parse("q@customer.example"),
        references: vec![MessageId::parse("q@customer.example").unwrap()],
        date: Timestamp::from_second(1_704_099_600).unwrap(),
        project_path: "mygroup/shop".to_owned(),
        reference: "mygroup/shop#12".to_owned(),
        list_id: Some("mygroup/shop <shop.desk.example>".to_owned()),
        unsubscribe: Some(unsubscribe_link(&address("contact+k3y-unsubscribe@desk.example"), None)),
        unsubscribe_page: None,
        markdown: "Hello **Jo**,\n\nit is _done_: [see](https://x.example/?a=1&b=2)\n\n> you said\n"
            .to_owned(),
        files: vec![],
    }
}

#[test]
fn a_composed_mail_reads_as_it_was_written() {
    let letter = Letter {
        files: vec![("ü/rechnung.pdf".to_owned(), "application/pdf".to_owned(), vec![0, 13, 10, 255])],
        ..letter(MailKind::NewNote)
    };
    let raw = compose(&letter).unwrap();
    assert_eq!(raw, compose(&letter).unwrap());
    let lines = String::from_utf8(raw.clone()).unwrap();
    assert_eq!(lines.matches('\n').count(), lines.matches("\r\n").count());
    let message = read(&raw).unwrap();
    assert_eq!(message.to.first(), Some(&letter.to));
    assert_eq!((message.subject.as_str(), message.date), ("Re: Grüße (#12)", Some(letter.date)));
    assert_eq!(
        (message.message_id, message.in_reply_to),
        (Some(letter.message_id.clone()), letter.references.clone())
    );
    assert_eq!(message.reply_to, [letter.reply_to.clone().unwrap()]);
    assert_eq!(
        message.plain.unwrap().trim(),
        "Hello *Jo*,\n\nit is _done_: see: https://x.example/?a=1&b=2\n\n> you said\n\nmygroup/shop#12 · Unsubscribe: mailto:contact+k3y-unsubscribe@desk.example?subject=unsubscribe"
    );
    let html = message.html.unwrap();
    assert!(
        html.contains("<strong>Jo</strong>") && html.contains("mailto:contact+k3y-unsubscribe@desk.example"),
        "{html}"
    );
    assert_eq!(message.attachments[0].name, "rechnung.pdf");
    assert_eq!(
        part(&raw, message.attachments[0].part.unwrap(), &message.attachments[0].within).unwrap(),
        [0, 13, 10, 255]
    );
    assert!(u64::try_from(raw.len()).unwrap() <= composed_size(&letter));
}

#[test]
fn automatic_mail_says_so_and_a_persons_note_does_not() {
    let headers = |kind| {
        let message = read(&compose(&letter(kind)).unwrap()).unwrap();
        [
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "List-Id",
            "List-Unsubscribe",
            "X-Deskbell-Project-Path",
            "X-Deskbell-Issue",
        ]
        .map(|name| message.header(name).unwrap_or("-").to_owned())
        .join(" | ")
    };
    let common =
        "<mailto:contact+k3y-unsubscribe@desk.example?subject=unsubscribe> | mygroup/shop | mygroup/shop#12";
    assert_eq!(
        headers(MailKind::ThankYou),
        format!("auto-replied | OOF, AutoReply, RN, NRN | mygroup/shop <shop.desk.example> | {common}")
    );
    assert_eq!(headers(MailKind::NewNote), format!("- | - | - | {common}"));
}

#[test]
fn nothing_in_a_letter_adds_a_header() {
    let evil = "x\r\nBcc: eve@evil.example\r\n\r\nbody";
    let letter = Letter {
        from: Mailbox { name: Some(evil.to_owned()), email: address("contact@desk.example") },
        subject: evil.to_owned(),
        project_path: evil.to_owned(),
        reference: evil.to_owned(),
        list_id: Some(evil.to_owned()),
        files: vec![(evil.to_owned(), evil.to_owned(), vec![1])],
        ..letter(MailKind::ThankYou)
    };
    let message = read(&compose(&letter).unwrap()).unwrap();
    assert_eq!(message.header("Bcc"), None);
    assert_eq!(message.from.unwrap().email.as_str(), "contact@desk.example");
}

#[test]
fn references_keep_the_first_and_the_last() {
    let ids = (0..500).map(|i| MessageId::parse(&format!("id-{i}@customer.example")).unwrap());
    let letter = Letter { references: ids.collect(), ..letter(MailKind::NewNote) };
    let raw = compose(&letter).unwrap();
    assert!(raw.split(|b| *b == b'\n').all(|line| line.len() <= 998));
    let kept = read(&raw).unwrap().references;
    assert_eq!(kept.first(), letter.references.first());
    assert_eq!(kept.last(), letter.references.last());
    assert!(kept.len() > 50 && kept.len() < 300, "{}", kept.len());
}

#[test]
fn every_built_in_template_is_complete() {
    let values = Values {
        issue_id: "#12",
        issue_path: "mygroup/shop#12",
        note_author: "Ada",
        note_text: "hi",
        unsubscribe_url: "mailto:a@x.example",
        ..Values::default()
    };
    for kind in [
        MailKind::ThankYou,
        MailKind::NewNote,
        MailKind::NewParticipant,
        MailKind::Closed,
        MailKind::Reopened,
        MailKind::IdleWarning,
    ] {
        let template = default_template(kind);
        assert_eq!(unknown_placeholders(template), Vec::<String>::new());
        let text = markdown_to_text(&fill(template, &values));
        assert!(
            text.contains("mygroup/shop#12") && text.contains("Unsubscribe: mailto:a@x.example"),
            "{text}"
        );
    }
}

/// Pieces of which odd mails are made.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "From: a@b.example\r\n",
        "To: ",
        "Subject: ",
        "=?utf-8?Q?=C3",
        "?=",
        "Content-Type: multipart/mixed; boundary=\r\n b\r\n",
        "Content-Type: text/html\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "\r\n",
        "\r\n\r\n",
        "--b\r\n",
        "--b--",
        "<table><td colspan=7><td rowspan=3>",
        "<div>",
        "<blockquote type=cite>",
        "<a href='",
        "> ",
        "On Mon, Jan 1, 2024 Ada <a@x.example> wrote:\r\n",
        "From: x\r\nSent: y\r\nTo: z\r\n",
        "-- \r\n",
        "```\r\n",
        "Content-Type: message/delivery-status\r\n",
        "Final-Recipient: rfc822; a@b.example\r\n",
        "\u{e000}",
        "\u{202e}",
        "\0",
        "é",
        "-----Original Message-----\r\n",
    ]);
    let piece = prop_oneof![4 => known.prop_map(|s: &str| s.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 0..20)];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_a_panic(raw in pieces()) {
        if let Ok(message) = read(&raw) {
            for file in &message.attachments {
                prop_assert!(part(&raw, file.part.unwrap(), &file.within).is_some());
                prop_assert_eq!(safe_file_name(&file.name), file.name.clone());
            }
            let _ = visible(&message, Reading::Opening);
            let _ = visible(&message, Reading::Answer);
            let _ = verdict(&raw, &message, &desk());
            let _ = fingerprint(&raw, &message);
            prop_assert_eq!(sanitize_line(&message.subject), message.subject);
        }
    }

    #[test]
    fn body_and_fold_hold_every_line_in_order_and_once(pieces in prop::collection::vec(prop_oneof![
        "[a-z ]{0,12}",
        "> [a-z]{0,8}",
        prop::sample::select(vec![
            "-- ", "--", "---", "*", "```", "> ", ">> deep", "Sent from my iPhone", "Von meinem iPhone gesendet", "",
            "On Mon, Jan 1, 2024 Ada <a@x.example> wrote:", "Ada <a@x.example> schrieb am 1.1.2024, 10:00:",
            "On Mon, Jan 1, 2024\nAda <a@x.example>\nwrote:", "-----Original Message-----", "From: a\nSent: b\nTo: c",
            "________________________________", "\u{e000}", "\u{e003}", "> \u{e003}", "- item", "    > code", "\u{2028}",
        ]).prop_map(str::to_owned),
    ], 0..25)) {
        // A counter makes every line another, so that its place can be found again.
        let text = pieces.join("\n").lines().enumerate().map(|(i, line)| match line.trim() {
            "" | "--" | "---" | "*" | "```" => line.to_owned(),
            _ => format!("{line} {i}"),
        }).collect::<Vec<_>>().join("\n");
        let message = Message { plain: Some(text.clone()), ..Message::default() };
        let seen = visible(&message, Reading::Answer);
        let lines = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).filter(|l| !l.trim().is_empty()).collect::<Vec<_>>();
        let (all, body, folded) = (lines(&text), lines(&seen.body), lines(seen.folded.as_deref().unwrap_or_default()));
        let mut sorted = [body.clone(), folded.clone()].concat();
        sorted.sort();
        let mut wanted = all.clone();
        wanted.sort();
        prop_assert_eq!(sorted, wanted);
        for part in [&body, &folded] {
            let mut rest = all.iter();
            prop_assert!(part.iter().all(|line| rest.any(|other| other == line)), "out of order: {:?}", part);
        }
        prop_assert_eq!(seen.body.trim().is_empty(), text.trim().is_empty());
    }

    #[test]
    fn any_markdown_and_any_template_are_written(text in any::<String>()) {
        let values = Values { issue_description: &text, note_text: &text, ..Values::default() };
        let filled = fill(&text, &values);
        let _ = unknown_placeholders(&text);
        let raw = compose(&Letter { markdown: filled, subject: text.clone(), ..letter(MailKind::ThankYou) }).unwrap();
        let message = read(&raw).unwrap();
        prop_assert_eq!(message.subject, sanitize_line(&text));
        prop_assert!(message.plain.unwrap().contains("contact+k3y-unsubscribe@desk.example"));
    }
}

#[test]
fn a_japanese_subject_in_two_words_is_read_as_one() {
    let raw =
        b"Subject: =?ISO-2022-JP?B?GyRCQEE1YT1xGyhC?=\r\n =?ISO-2022-JP?B?GyRCJE4wOEw+GyhC?=\r\n\r\nx\r\n";
    assert_eq!(read(raw).unwrap().subject, "請求書の宛名");
}
