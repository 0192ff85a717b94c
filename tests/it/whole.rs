//! The whole round over real servers: a customer writes, the desk answers, the customer answers again.

use crate::support::{MailServer, Serving, TestDesk, wait_for};
use crate::terminal::Terminal;
use lettre::{SmtpTransport, Transport, address::Envelope};
use mail_parser::{Address, HeaderValue, Message, MessageParser};
use serde_json::Value;

/// A desk whose mailbox is `<name>+…@desk.test`, and a customer of its own.
struct Round {
    desk: TestDesk,
    customer: String,
    address: String,
}

/// How the desk reaches its servers.
pub enum Wire {
    Plain,
    StartTls,
    Tls,
}

impl Round {
    fn new(name: &str, wire: &Wire) -> Self {
        let server = MailServer::get();
        server.user(name);
        let customer = format!("{name}-customer");
        server.user(&customer);
        let desk = TestDesk::new(&config(name, wire));
        let project = desk.json(&["project", "add", "acme/support"]);
        let address = project["addresses"][0].as_str().unwrap().to_owned();
        assert!(address.starts_with(&format!("{name}+acme-support-1-issue-@desk.test")), "{address}");
        Self { desk, customer: format!("{customer}@customer.test"), address }
    }

    /// Sends a mail from the customer, as their provider would.
    fn write(&self, to: &str, headers: &str, text: &str) {
        let mail = format!(
            "From: Ada Lovelace <{}>\r\nTo: {to}\r\n{headers}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n",
            self.customer
        );
        send(&self.customer, to, mail.as_bytes());
    }

    /// Waits until the customer has so many mails, and gives the last.
    async fn mail(&self, count: usize) -> Vec<u8> {
        mail_of(self.customer.split('@').next().unwrap(), count).await
    }

    /// Waits until the only issue has so many notes, and gives it.
    fn issue_with(&self, notes: usize) -> Value {
        wait_for("the notes of the issue", || {
            let issues = self.desk.issues();
            let there = issues.first().is_some_and(|issue| issue["notes"] == notes);
            there.then(|| self.desk.json(&["issue", "show", "1"]))
        })
    }
}

/// Waits until somebody has so many mails, and gives the last.
pub async fn mail_of(name: &str, count: usize) -> Vec<u8> {
    let mut mails = MailServer::get().wait_for_mails(name, count).await;
    assert_eq!(mails.len(), count);
    mails.pop().unwrap()
}

pub fn config(name: &str, wire: &Wire) -> String {
    let server = MailServer::get();
    let ca = format!("ca_file = \"{}\"", server.ca_file().display());
    let login = format!("user = \"{name}\"\npassword_command = \"echo secret\"");
    let (imap, smtp) = match wire {
        Wire::Plain => (
            format!("port = {}\nssl = false\n{login}", server.imap_port()),
            format!("port = {}\nssl = false", server.smtp_port()),
        ),
        Wire::StartTls => (
            format!("port = {}\nssl = false\nstart_tls = true\n{ca}\n{login}", server.imap_port()),
            format!("port = {}\nssl = false\nstart_tls = true\n{ca}\n{login}", server.submission_port()),
        ),
        Wire::Tls => (
            format!("port = {}\n{ca}\n{login}", server.imaps_port()),
            format!("port = {}\n{ca}\n{login}", server.smtps_port()),
        ),
    };
    format!(
        "[mailbox.support]\naddress = \"{name}+%{{key}}@desk.test\"\nhost = \"127.0.0.1\"\n{imap}\n\
         [smtp]\nhost = \"127.0.0.1\"\nfrom = \"{name}@desk.test\"\nhello_name = \"desk.test\"\n{smtp}\n"
    )
}

/// Hands a mail to Postfix.
pub fn send(from: &str, to: &str, mail: &[u8]) {
    let port = MailServer::get().smtp_port();
    let envelope = Envelope::new(Some(from.parse().unwrap()), vec![to.parse().unwrap()]).unwrap();
    SmtpTransport::builder_dangerous("127.0.0.1").port(port).build().send_raw(&envelope, mail).unwrap();
}

fn parse(mail: &[u8]) -> Message<'_> {
    MessageParser::default().parse(mail).unwrap()
}

fn header(message: &Message<'_>, name: &str) -> Option<String> {
    message.header_raw(name).map(|value| value.trim().to_owned())
}

fn only_address(address: Option<&Address<'_>>) -> String {
    address.and_then(|a| a.first()).and_then(|a| a.address()).unwrap().to_owned()
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    value.as_text_list().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// Customer, desk, customer, desk, over one kind of connection.
async fn round(name: &str, wire: Wire) {
    let round = Round::new(name, &wire);
    let desk = &round.desk;
    let _sync: Serving = desk.sync();
    round.write(
        &round.address,
        "Subject: The press is stuck\r\nMessage-ID: <first@customer.test>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000",
        "It will not move.\n\n-- \nAda",
    );

    let bytes = round.mail(1).await;
    let thanks = parse(&bytes);
    assert_eq!(header(&thanks, "Auto-Submitted").as_deref(), Some("auto-replied"));
    assert_eq!(header(&thanks, "X-Auto-Response-Suppress").as_deref(), Some("OOF, AutoReply, RN, NRN"));
    assert!(header(&thanks, "List-Id").is_some());
    assert_eq!(ids(thanks.in_reply_to()), ["first@customer.test"]);
    assert!(!String::from_utf8_lossy(&bytes).contains("will not move"), "it quotes the customer");

    let issue = round.issue_with(1);
    assert_eq!(issue["title"], "The press is stuck");
    assert_eq!((issue["waiting_on"].as_str(), issue["unread"].as_u64()), (Some("us"), Some(1)));
    assert_eq!(issue["author"]["email"], round.customer);

    let noted = desk.json(&["issue", "note", "1", "-m", "Have you *oiled* it?"]);
    assert_eq!(noted["waiting_on"], "them");
    desk.ok(&["issue", "note", "1", "--internal", "-m", "She never oils it."]);

    let bytes = round.mail(2).await;
    let note = parse(&bytes);
    assert_eq!(ids(note.in_reply_to()), ["first@customer.test"]);
    assert!(ids(note.references()).contains(&"first@customer.test".to_owned()));
    assert_eq!((header(&note, "Auto-Submitted"), header(&note, "List-Id")), (None, None));
    assert_eq!(header(&note, "X-Deskbell-Project-Path").as_deref(), Some("acme/support"));
    assert_eq!(only_address(note.from()), format!("{name}@desk.test"));
    assert!(note.subject().unwrap().contains("(acme/support#1)"), "{:?}", note.subject());
    assert!(note.body_text(0).unwrap().contains("oiled"));
    let reply_to = only_address(note.reply_to());
    assert!(reply_to.starts_with(&format!("{name}+")) && reply_to != round.address, "{reply_to}");
    assert_eq!(header(&note, "Return-Path").unwrap(), format!("<{reply_to}>"));

    // Only the reply address tells where this belongs.
    round.write(&reply_to, "Subject: something else\r\nMessage-ID: <second@customer.test>", "That helped!");
    let issue = round.issue_with(4);
    let notes = issue["notes"].as_array().unwrap();
    let answer = notes.last().unwrap();
    assert_eq!((answer["kind"].as_str(), answer["unread"].as_bool()), (Some("incoming"), Some(true)));
    assert_eq!(answer["body"].as_str().unwrap().trim(), "That helped!");
    assert_eq!((issue["waiting_on"].as_str(), issue["unread"].as_u64()), (Some("us"), Some(1)));
    let sent = &notes[1]["delivery"][0];
    assert_eq!((sent["state"].as_str(), sent["to"].as_str()), (Some("sent"), Some(round.customer.as_str())));
    assert_eq!(desk.issues().len(), 1);
    assert_eq!(desk.intake().len(), 2);
    round.mail(2).await;
    let status = desk.status();
    for channel in [&status["mailboxes"][0], &status["outlets"][0]] {
        assert_eq!(channel["state"], "ok", "{status}");
    }
}

#[tokio::test]
async fn a_customer_and_the_desk_write_to_each_other() {
    round("round-plain", Wire::Plain).await;
}

#[tokio::test]
async fn the_round_works_over_starttls() {
    round("round-starttls", Wire::StartTls).await;
}

#[tokio::test]
async fn the_round_works_over_tls() {
    round("round-tls", Wire::Tls).await;
}

#[tokio::test]
async fn one_pass_does_the_same_as_a_running_sync() {
    let round = Round::new("round-once", &Wire::Tls);
    round.write(&round.address, "Subject: once\r\nMessage-ID: <o1@customer.test>", "hello");
    MailServer::get().wait_for_mails("round-once", 1).await;
    let report = round.desk.json(&["sync", "--once"]);
    assert_eq!(
        (report["mailboxes"][0]["new"].as_u64(), report["outbox"]["sent"].as_u64()),
        (Some(1), Some(1))
    );
    round.mail(1).await;
    let noted = round.desk.run(&["issue", "note", "1", "-m", "hi"]);
    assert!(noted.stderr.contains("deskbell sync"), "{noted:?}");
    let report = round.desk.json(&["sync", "--once"]);
    assert_eq!(
        (report["mailboxes"][0]["new"].as_u64(), report["outbox"]["sent"].as_u64()),
        (Some(0), Some(1))
    );
    round.mail(2).await;
}

#[tokio::test]
async fn the_staff_answer_by_mail_and_on_the_screen_and_a_commit_closes_and_the_customer_hears_of_all() {
    let round = Round::new("round-staff", &Wire::Tls);
    let desk = &round.desk;
    MailServer::get().user("round-mia");
    let trusted = "trusted_authserv_ids = [\"mx.desk.test\"]\n[smtp]\nundo_window = \"0s\"";
    desk.configure(&config("round-staff", &Wire::Tls).replace("[smtp]", trusted));
    desk.ok(&["user", "add", "mia", "--full-name", "Mia Staff", "--email", "round-mia@staff.test"]);
    desk.ok(&["project", "set", "acme/support", "assignee=mia", "tell_on_commit_close=true"]);
    let _sync: Serving = desk.sync();
    round.write(
        &round.address,
        "Subject: The press is stuck\r\nMessage-ID: <s1@customer.test>",
        "It will not move.",
    );
    round.mail(1).await;

    let bytes = mail_of("round-mia", 1).await;
    let notice = parse(&bytes);
    assert_eq!(header(&notice, "Auto-Submitted").as_deref(), Some("auto-generated"));
    let text = notice.body_text(0).unwrap().into_owned();
    assert!(text.contains("It will not move.") && text.contains(&round.customer), "{text}");
    assert!(text.find(&round.customer) < text.find("It will not move."), "{text}");
    let key = only_address(notice.reply_to());
    assert_eq!(header(&notice, "Return-Path").unwrap(), format!("<{key}>"));

    // Her provider signed it, and the border server of the desk says so; without that nobody takes it.
    let answer = |id: &str, passed: &str, text: &str| {
        let mail = format!(
            "Authentication-Results: mx.desk.test; {passed} header.from=staff.test\r\n\
             From: Mia <round-mia@staff.test>\r\nTo: <{key}>\r\nSubject: Re: The press is stuck\r\n\
             Message-ID: <{id}@staff.test>\r\nIn-Reply-To: <{}>\r\n\r\n{text}\r\n\r\n\
             On Monday the desk wrote:\r\n> Write your answer above this line\r\n> It will not move.\r\n",
            notice.message_id().unwrap()
        );
        send("round-mia@staff.test", &key, mail.as_bytes());
    };
    answer("forged", "dmarc=fail", "Send me money.");
    let bytes = mail_of("round-mia", 2).await;
    let told = parse(&bytes).body_text(0).unwrap().into_owned();
    assert!(told.contains("was not taken") && !told.contains("money"), "{told}");
    answer("m1", "dmarc=pass", "Oil it.\r\n/label ~press");
    answer("m2", "dmarc=pass", "/internal\r\nShe never oils it.");

    let bytes = round.mail(2).await;
    let note = parse(&bytes);
    let text = note.body_text(0).unwrap().into_owned();
    assert!(text.contains("Mia Staff") && text.contains("Oil it."), "{text}");
    for hidden in ["above this line", "round-mia@", "/label", "never oils", &key] {
        assert!(!String::from_utf8_lossy(&bytes).contains(hidden), "{hidden}");
    }
    let issue = round.issue_with(4);
    assert_eq!(issue["labels"][0], "press");
    let kinds: Vec<&str> =
        issue["notes"].as_array().unwrap().iter().map(|n| n["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["incoming", "reply", "system", "internal"]);
    assert_eq!(issue["notes"][1]["author"]["user"], "mia");

    // Alice answers on the screen.
    let mut screen = Terminal::on(desk);
    screen.wait_for("All open 1");
    screen.press("3");
    screen.wait_for("The press is stuck");
    screen.press("\r");
    screen.wait_for("She never oils it.");
    screen.press("r");
    screen.wait_for("MAILED TO");
    screen.press("We send somebody.");
    screen.wait_for("We send somebody.");
    screen.press("\x13");
    let bytes = round.mail(3).await;
    assert!(parse(&bytes).body_text(0).unwrap().contains("We send somebody."));
    assert!(!String::from_utf8_lossy(&bytes).contains("never oils"));
    screen.press("qq");
    assert!(screen.ended().0);

    let said =
        desk.feed(&["hook", "commit", "--project", "acme/support", "-"], b"Oil the press\n\nFixes #1\n");
    assert_eq!(said.code, 0, "{said:?}");
    let bytes = round.mail(4).await;
    assert!(parse(&bytes).body_text(0).unwrap().contains("closed"), "the customer is told");
    assert!(!String::from_utf8_lossy(&bytes).contains("never oils"));
    assert_eq!(round.desk.issues()[0]["state"], "closed");
    let fates: Vec<String> = desk.intake().iter().map(|m| m["fate"].as_str().unwrap().to_owned()).collect();
    assert_eq!(fates.iter().filter(|fate| *fate == "note").count(), 2, "{fates:?}");
    assert_eq!(fates.iter().filter(|fate| *fate == "quarantined").count(), 1, "{fates:?}");
}

#[tokio::test]
async fn a_custom_address_is_verified_through_its_forwarding_and_carries_the_whole_round() {
    let round = Round::new("round-custom", &Wire::Tls);
    let desk = &round.desk;
    let server = MailServer::get();
    server.user("acme-help");
    let custom = "acme-help@customer.test";
    let outlet = format!(
        "[outlet.acme]\nhost = \"127.0.0.1\"\nport = {}\nssl = false\nfrom = \"{custom}\"\n",
        server.smtp_port()
    );
    desk.configure(&format!("{}{outlet}", config("round-custom", &Wire::Tls)));
    let _sync: Serving = desk.sync();
    desk.ok(&["project", "custom-email", "set", "acme/support", custom, "--outlet", "acme"]);
    desk.ok(&["project", "custom-email", "verify", "acme/support"]);
    // The provider of that address forwards all of it, and says to whom, as they do.
    let forward = async |count: usize| {
        let mut mail = format!("X-Forwarded-To: {}\r\n", round.address).into_bytes();
        mail.extend(mail_of("acme-help", count).await);
        send(custom, &round.address, &mail);
    };
    forward(1).await;
    wait_for("the verification", || {
        let status = desk.json(&["project", "custom-email", "status", "acme/support"]);
        (status["custom"]["state"] == "finished").then_some(())
    });
    desk.ok(&["project", "custom-email", "enable", "acme/support"]);
    round.write(custom, "Subject: The press is stuck\r\nMessage-ID: <c1@customer.test>", "It will not move.");
    forward(2).await;
    let bytes = round.mail(1).await;
    let thanks = parse(&bytes);
    assert_eq!(only_address(thanks.from()), custom);
    assert!(
        !String::from_utf8_lossy(&bytes).contains("round-custom+"),
        "the desk's own address is not shown"
    );
    let key = only_address(thanks.reply_to());
    assert!(key.starts_with("acme-help+") && key.ends_with("@customer.test"), "{key}");
    round.write(&key, "Subject: else\r\nMessage-ID: <c2@customer.test>", "Still not.");
    forward(3).await;
    let issue = round.issue_with(2);
    assert_eq!(issue["notes"][1]["body"].as_str().unwrap().trim(), "Still not.");
    assert_eq!(desk.issues().len(), 1);
}
