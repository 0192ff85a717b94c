use super::{address, outlet};
use crate::support::MailServer;
use deskbell::outlet::{Outcome, Outlet, Stage};

const MAIL: &[u8] = b"From: desk@desk.test\r\nSubject: hello\r\n\r\n.dot\r\n..\r\n.\r\nlast line\r\n";

async fn send(outlet: &mut Outlet, to: &str, bytes: &[u8]) -> Outcome {
    outlet.send(Some(&address("desk+bounce@desk.test")), &address(to), bytes).await
}

fn text(mail: &[u8]) -> String {
    String::from_utf8_lossy(mail).into_owned()
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_given() {
    let server = MailServer::get();
    let mut outlet = outlet(&format!("port = {}\nssl = false", server.smtp_port()));
    let outcome = send(&mut outlet, "out-plain+x@customer.test", MAIL).await;
    assert!(matches!(&outcome, Outcome::Sent { reply } if reply.starts_with("250 ")), "{outcome:?}");
    let mails = server.wait_for_mails("out-plain", 1).await;
    let mail = text(&mails[0]);
    assert!(mail.starts_with("Return-Path: <desk+bounce@desk.test>\n"), "{mail}");
    assert!(mail.contains("\nSubject: hello\n") && mail.ends_with("\n\n.dot\n..\n.\nlast line\n"), "{mail}");
}

#[tokio::test]
async fn every_way_to_connect_and_log_in_works() {
    let server = MailServer::get();
    let ca = format!("ca_file = \"{}\"", server.ca_file().display());
    let login = "user = \"out-tls\"\npassword_command = \"echo secret\"";
    for (count, keys) in [
        format!("port = {}\nssl = true\n{ca}\n{login}", server.smtps_port()),
        format!("port = {}\nstart_tls = true\n{ca}\n{login}", server.submission_port()),
        format!("port = {}\nstart_tls = true\n{ca}", server.smtp_port()),
    ]
    .iter()
    .enumerate()
    {
        let mut outlet = outlet(keys);
        outlet.check().await.unwrap();
        let outcome = send(&mut outlet, "out-tls@customer.test", MAIL).await;
        assert!(matches!(outcome, Outcome::Sent { .. }), "{keys}: {outcome:?}");
        server.wait_for_mails("out-tls", count + 1).await;
        outlet.close().await;
    }
}

#[tokio::test]
async fn one_connection_carries_many_mails_and_outlives_a_refusal() {
    let server = MailServer::get();
    let mut outlet = outlet(&format!("port = {}\nssl = false", server.smtp_port()));
    for n in 0..3 {
        let sent = send(&mut outlet, "out-many@customer.test", MAIL).await;
        assert!(matches!(sent, Outcome::Sent { .. }), "{n}: {sent:?}");
        let refused = send(&mut outlet, "x@refused.test", MAIL).await;
        assert!(
            matches!(&refused, Outcome::Refused { code: 550, text } if text.contains("No such user")),
            "{refused:?}"
        );
        let later = send(&mut outlet, "x@later.test", MAIL).await;
        assert!(matches!(later, Outcome::PutOff { code: Some(451), .. }), "{later:?}");
        let relay = send(&mut outlet, "x@elsewhere.example", MAIL).await;
        assert!(matches!(relay, Outcome::Refused { code: 554, .. }), "{relay:?}");
    }
    server.wait_for_mails("out-many", 3).await;
    assert_eq!(server.mails("out-many").len(), 3);
}

#[tokio::test]
async fn eight_bit_text_foreign_addresses_and_bare_line_ends_arrive() {
    let server = MailServer::get();
    let mut outlet = outlet(&format!("port = {}\nssl = false", server.smtp_port()));
    let outcome =
        send(&mut outlet, "out-eight@customer.test", "Subject: x\n\nGrüße\n.\nend".as_bytes()).await;
    assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
    let mails = server.wait_for_mails("out-eight", 1).await;
    assert!(text(&mails[0]).ends_with("\n\nGrüße\n.\nend\n"), "{}", text(&mails[0]));
    let outcome = send(&mut outlet, "gr\u{fc}n@customer.test", MAIL).await;
    assert!(matches!(outcome, Outcome::Sent { .. } | Outcome::Refused { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_before_it_is_sent() {
    let server = MailServer::get();
    let mut outlet = outlet(&format!("port = {}\nssl = false", server.smtp_port()));
    outlet.check().await.unwrap();
    assert_eq!(outlet.max_size(), 2_000_000);
    let outcome = send(&mut outlet, "out-large@customer.test", &vec![b'x'; 2_100_000]).await;
    assert!(matches!(outcome, Outcome::Refused { code: 552, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_wrong_password_or_certificate_says_nothing_about_the_mail() {
    let server = MailServer::get();
    let ca = format!("ca_file = \"{}\"", server.ca_file().display());
    let wrong =
        format!("port = {}\nssl = true\n{ca}\nuser = \"u\"\npassword = \"wrong\"", server.smtps_port());
    let outcome = send(&mut outlet(&wrong), "a@customer.test", MAIL).await;
    assert!(
        matches!(&outcome, Outcome::Unreachable { stage: Stage::Login, text, hint: Some(_) } if text.contains("535")),
        "{outcome:?}"
    );
    assert!(!format!("{outcome:?}").contains("\"wrong\""));
    let untrusted =
        format!("port = {}\nssl = true\nuser = \"u\"\npassword = \"secret\"", server.smtps_port());
    let outcome = send(&mut outlet(&untrusted), "a@customer.test", MAIL).await;
    assert!(matches!(&outcome, Outcome::Unreachable { stage: Stage::Tls, .. }), "{outcome:?}");
    let no_login = format!("port = {}\nstart_tls = true\n{ca}", server.submission_port());
    let outcome = send(&mut outlet(&no_login), "a@customer.test", MAIL).await;
    assert!(!matches!(&outcome, Outcome::Sent { .. }), "{outcome:?}");
}

#[tokio::test]
async fn sendmail_takes_mail_from_a_sender_and_from_nobody() {
    let server = MailServer::get();
    let mut outlet = outlet(&format!("method = \"sendmail\"\ncommand = {:?}", server.sendmail()));
    outlet.check().await.unwrap();
    for (count, from) in [Some(address("desk+bounce@desk.test")), None].iter().enumerate() {
        let outcome = outlet.send(from.as_ref(), &address("out-sendmail@customer.test"), MAIL).await;
        assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
        let mails = server.wait_for_mails("out-sendmail", count + 1).await;
        let from = from.as_ref().map_or("MAILER-DAEMON", |from| from.as_str());
        let mail = text(mails.last().unwrap());
        assert!(mail.starts_with(&format!("Return-Path: <{from}>\n")), "{mail}");
        assert!(mail.ends_with("\n.dot\n..\n.\nlast line\n"), "{mail}");
    }
}
