//! Machines' mail, kind by kind, in our own words: bounces, complaints, challenges, vacation notices; and
//! persons' mail that looks like it.

use super::*;

/// One bounce of the table in `tests/mail/families.txt`.
struct Family<'a> {
    name: &'a str,
    who: &'a str,
    end: &'a str,
    raw: Vec<u8>,
}

fn families() -> Vec<Family<'static>> {
    let text = include_str!("../../../tests/mail/families.txt");
    let blocks = text.split("\n=== ").skip(1);
    blocks
        .map(|block| {
            let (head, rest) = block.split_once('\n').unwrap();
            let fields: Vec<&str> = head.split(" | ").collect();
            let (more, body) = rest.split_once('\n').filter(|(more, _)| more.is_empty()).map_or_else(
                || rest.split_once("\n\n").unwrap(),
                |(_, body)| ("", body),
            );
            let more = if more.is_empty() { String::new() } else { format!("{more}\n") };
            let raw = format!(
                "From: {}\nTo: help@desk.example\nSubject: {}\nDate: Mon, 5 Jan 2026 10:00:00 +0100\n{more}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}\n",
                fields[1], fields[2]
            );
            let raw = raw.replace('\n', "\r\n").into_bytes();
            Family { name: fields[0], who: fields[3], end: fields[4], raw }
        })
        .collect()
}

#[test]
fn every_family_of_mail_systems_is_read() {
    let mut wrong = Vec::new();
    for family in families() {
        let message = read(&family.raw).unwrap();
        let said = verdict(&family.raw, &message, &desk());
        let MailClass::Bounce(bounce) = &said.class else {
            wrong.push(format!("{}: {:?} {}", family.name, said.class, said.reason));
            continue;
        };
        let who: Vec<_> = bounce.recipients.iter().map(|r| r.address.as_str()).collect();
        let end = bounce.recipients.first().map(|r| match (r.delayed, r.permanent) {
            (true, _) => "late",
            (_, true) => "good",
            _ => "now",
        });
        if who != [family.who] || end != Some(family.end) {
            wrong.push(format!("{}: {:?}", family.name, bounce.recipients));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn said(head: &str, body: &str) -> Verdict {
    let raw = format!(
        "{head}\nDate: Mon, 5 Jan 2026 10:00:00 +0100\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}\n"
    );
    let raw = raw.replace('\n', "\r\n").into_bytes();
    verdict(&raw, &read(&raw).unwrap(), &desk())
}

#[test]
fn vacation_subjects_are_known_in_many_languages() {
    for subject in [
        "Automatic reply: Cart",
        "Out of Office",
        "Out of Office AutoReply: Cart",
        "Auto: Cart",
        "[Auto-Reply] Cart",
        "Cart (Out of Office)",
        "Automatische Antwort: Cart",
        "Abwesenheitsnotiz: Cart",
        "Abwesenheit: Re: Cart",
        "Réponse automatique : Cart",
        "Réponse automatique: Cart",
        "Absence du bureau: Cart",
        "Respuesta automática: Cart",
        "Fuera de la oficina: Cart",
        "Risposta automatica: Cart",
        "Fuori sede: Cart",
        "Resposta automática: Cart",
        "Ausência temporária: Cart",
        "Automatisch antwoord: Cart",
        "Afwezigheidsbericht: Cart",
        "Odpowiedź automatyczna: Cart",
        "Autoodpowiedź: Cart",
        "Автоматический ответ: Cart",
        "Автоответ: Cart",
        "Автоматична відповідь: Cart",
        "Automatická odpověď: Cart",
        "Autosvar: Cart",
        "Automatiskt svar: Cart",
        "Automatisk svar: Cart",
        "Automaattinen vastaus: Cart",
        "Otomatik yanıt: Cart",
        "自动回复: Cart",
        "自動回覆: Cart",
        "自動返信: Cart",
        "自動応答: Cart",
        "자동 회신: Cart",
        "자동 응답: Cart",
        "不在通知: Cart",
    ] {
        let said = said(
            &format!("From: ada@customer.example\nTo: help@desk.example\nSubject: {subject}"),
            "Back on Monday.",
        );
        assert_eq!(said.class, MailClass::Automatic, "{subject}: {}", said.reason);
        assert!(!said.may_answer);
    }
}

#[test]
fn a_text_that_calls_itself_automatic_is_believed_and_one_that_sounds_away_is_not_answered() {
    for text in [
        "This is an automated response. We have your mail.",
        "Hello,\n\nthis is an automatic reply.",
        "Dies ist eine automatische Antwort.",
        "Ceci est une réponse automatique.",
        "Esta es una respuesta automática.",
        "Questa è una risposta automatica.",
        "Esta é uma resposta automática.",
        "Dit is een automatisch antwoord.",
        "To jest automatyczna odpowiedź.",
        "Это автоматический ответ.",
        "Це автоматична відповідь.",
        "Toto je automatická odpověď.",
        "Detta är ett automatiskt svar.",
        "Dette er et automatisk svar.",
        "Tämä on automaattinen vastaus.",
        "Bu otomatik bir yanıttır.",
        "这是自动回复。",
        "このメールは自動返信です。",
        "이 메일은 자동 회신입니다.",
    ] {
        let said = said("From: ada@customer.example\nSubject: Re: Cart", text);
        assert_eq!(said.class, MailClass::Automatic, "{text}: {}", said.reason);
    }
    let away = said("From: ada@customer.example\nSubject: Re: Cart", "I am out of the office until Monday.");
    assert_eq!((away.class, away.may_answer), (MailClass::Person, false));
}

#[test]
fn signs_in_the_header_tell_a_machine() {
    for sign in [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (vacation)",
        "X-Autoreply: yes",
        "X-Autorespond: 1",
        "Precedence: auto_reply",
        "Preference: auto-reply",
        "X-Vacation: yes",
        "X-Auto-Reply: yes",
        "X-Mailer: vacation 1.2",
        "X-POST-MessageClass: 9; Autoresponder",
        "X-FC-MachineGenerated: true",
        "Return-Path: <>",
    ] {
        let said = said(&format!("From: ada@customer.example\nSubject: Cart\n{sign}"), "Hello.");
        assert_eq!(said.class, MailClass::Automatic, "{sign}: {}", said.reason);
    }
    for sign in [
        "Precedence: bulk",
        "X-Deskbell-Issue: a/b#1",
        "X-RT-Loop-Prevention: x",
        "X-Auto-Response-Suppress: All",
        "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
    ] {
        let said = said(&format!("From: ada@customer.example\nSubject: Cart\n{sign}"), "Hello.");
        assert_eq!((said.class, said.may_answer), (MailClass::Person, false), "{sign}: {}", said.reason);
    }
}

#[test]
fn a_challenge_is_a_class_of_its_own() {
    for (head, body) in [
        (
            "From: Ada <ada-confirm-123.abc@customer.example>\nSubject: Please confirm your message\nX-TMDA-Fingerprint: x",
            "Your message is being held. To release your message, please reply.",
        ),
        (
            "From: ada via Boxbe <notifications@boxbe.com>\nSubject: Your mail (Verification Required)",
            "Hello, your message about \"Cart\" was waitlisted. Become an approved sender to be seen.",
        ),
        (
            "From: ada@customer.example\nReturn-Path: <ada@spamarrest.com>\nSubject: Re: Cart (verification)",
            "Click the link below to verify your email address.",
        ),
        (
            "From: ada@bluebottle.com\nSubject: Confirmation required",
            "Your message has been held. Just reply to this message.",
        ),
        (
            "From: ada@customer.example\nSubject: Please confirm your message to ada",
            "I do not know you yet. Reply to this message to confirm that you are a person; it is a one-time verification.",
        ),
        (
            "From: ada@kunde.example\nSubject: Bitte bestätigen Sie Ihre Nachricht",
            "Ihre Nachricht wird zurückgehalten. Bestätigen Sie, dass Sie ein Mensch sind.",
        ),
    ] {
        let said = said(head, body);
        assert_eq!((said.class, said.may_answer), (MailClass::Challenge, false), "{head}: {}", said.reason);
    }
    for (head, body) in [
        (
            "From: ada@customer.example\nSubject: Please confirm your email",
            "I changed my address to ada@x.example. Please confirm that you received this.",
        ),
        (
            "From: ada@customer.example\nIn-Reply-To: <m@desk.example>\nSubject: Re: Please confirm your message",
            "Your system says my message is being held until you confirm. Why?",
        ),
    ] {
        assert_eq!(said(head, body).class, MailClass::Person, "{head}");
    }
}

#[test]
fn complaints_are_read_in_the_standard_form_and_in_others() {
    let arf = "From: fbl@isp.example\r\nSubject: abuse report\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: KIND\r\nUser-Agent: X/1\r\nVersion: 1\r\nOriginal-Rcpt-To: <ada@customer.example>\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <ours-1@desk.example>\r\nReply-To: help+key@desk.example\r\nX-Deskbell-Issue: a/b#3\r\nSubject: Re: Cart\r\n\r\nx\r\n--b--\r\n";
    for (kind, stops) in
        [("abuse", true), ("opt-out", true), ("fraud", true), ("auth-failure", false), ("not-spam", false)]
    {
        let raw = arf.replace("KIND", kind).into_bytes();
        let said = verdict(&raw, &read(&raw).unwrap(), &desk());
        let complaint = said.complaint.unwrap();
        assert_eq!(
            (said.class, complaint.kind.as_str(), complaint.wants_no_more()),
            (MailClass::Complaint, kind, stops)
        );
        assert_eq!(complaint.recipients, [address("ada@customer.example")]);
        assert_eq!(complaint.returned.ids, [MessageId::parse("ours-1@desk.example").unwrap()]);
        assert_eq!(complaint.returned.reference.as_deref(), Some("a/b#3"));
        assert!(complaint.returned.addresses.contains(&"help+key@desk.example".to_owned()));
    }
    for (head, body) in [
        (
            "From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.7\nX-HmXmrOriginalRecipient: ada@customer.example",
            "x",
        ),
        (
            "From: no-reply@sns.amazonaws.example\nSubject: AWS Notification",
            "{\"notificationType\":\"Complaint\",\"complaint\":{\"complainedRecipients\":[{\"emailAddress\":\"ada@customer.example\"}]}}",
        ),
        (
            "From: scomp@aol.example\nSubject: Email Feedback Report for IP 192.0.2.7",
            "This is an email abuse report for an email message.\n\nFeedback-Type: abuse\nVersion: 0.1\nUser-Agent: AOL\nOriginal-Rcpt-To: ada@customer.example",
        ),
    ] {
        let said = said(head, body);
        assert_eq!(said.class, MailClass::Complaint, "{head}: {}", said.reason);
        assert_eq!(said.complaint.unwrap().recipients, [address("ada@customer.example")], "{head}");
    }
}

#[test]
fn persons_who_write_about_machines_are_persons() {
    for (head, body) in [
        (
            "From: ada@customer.example\nSubject: Undelivered mail",
            "I sent you something last week and got \"user unknown\" back. What is your address?",
        ),
        (
            "From: ada@customer.example\nSubject: Out of office does not work in Outlook",
            "How do I set up an automatic reply?",
        ),
        ("From: ada@customer.example\nSubject: Automatic reply not sent", "My colleagues never get mine."),
        ("From: ada@customer.example\nSubject: Abwesenheit: Frage", "Wie trage ich meinen Urlaub ein?"),
        ("From: ada@customer.example\nSubject: Urlaub", "Ich möchte Urlaub eintragen."),
        ("From: ada@customer.example\nSubject: Férias: como registrar?", "Preciso de ajuda."),
        ("From: ada@customer.example\nSubject: Automatic message sorting", "Is that possible?"),
        (
            "From: ada@customer.example\nIn-Reply-To: <m@desk.example>\nSubject: Re: Automatic reply: Cart",
            "I am back now, thank you.",
        ),
        (
            "From: ada@customer.example\nSubject: Fwd: Returned mail: see transcript for details",
            "Can you look at this?\n\n> ----- The following addresses had permanent fatal errors -----\n> <bob@x.example>\n> 550 5.1.1 User unknown",
        ),
        (
            "From: ada@customer.example\nSubject: WG: Unzustellbar: Rechnung",
            "Was heißt das?\n\nIhre Nachricht konnte nicht zugestellt werden: bob@x.example",
        ),
        (
            "From: ada@customer.example\nSubject: Complaint",
            "Somebody marked this message as spam, it was not me.",
        ),
        (
            "From: ada@customer.example\nPrecedence: bulk\nSubject: Cart",
            "My company's gateway adds that field. Please help.",
        ),
    ] {
        let said = said(head, body);
        assert_eq!(said.class, MailClass::Person, "{head}: {}", said.reason);
    }
}

#[test]
fn a_report_tells_its_mail_whatever_stands_before_the_first_field_and_whatever_charset_it_names() {
    for (kind, before) in [
        ("text/rfc822-headers", "\u{feff}"),
        ("text/rfc822-headers; charset=utf-16le", ""),
        ("text/rfc822-headers; charset=iso-8859-1", "Subject: Caf\u{e9}\r\n"),
        ("application/octet-stream; name=x", ""),
    ] {
        let raw = format!(
            "From: mailer-daemon@x.example\r\nSubject: failure notice\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
             Content-Type: message/delivery-status; charset=utf-16le\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
             Final-Recipient: rfc822; bob@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n\
             Content-Type: {kind}\r\n\r\n{before}Message-ID: <ours-1@desk.example>\r\n\r\n--b--\r\n"
        );
        let said = verdict(raw.as_bytes(), &read(raw.as_bytes()).unwrap(), &desk());
        let MailClass::Bounce(bounce) = said.class else { panic!("{kind}: {}", said.reason) };
        assert_eq!(bounce.original.unwrap().as_str(), "ours-1@desk.example", "{kind}");
        assert_eq!(bounce.recipients[0].address.as_str(), "bob@x.example", "{kind}");
    }
}

#[test]
fn a_report_that_a_person_passes_on_with_all_its_parts_is_a_persons() {
    let raw = "From: ada@customer.example\r\nSubject: Fwd: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nWhat does this mean?\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; bob@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n";
    let said = verdict(raw.as_bytes(), &read(raw.as_bytes()).unwrap(), &desk());
    assert_eq!(said.class, MailClass::Person, "{}", said.reason);
}
