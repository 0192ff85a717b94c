use super::{mailbox, no_tokens, plain};
use crate::support::MailServer;
use deskbell::{
    config::{AfterDelivery, Config},
    domain::EmailAddress,
    outlet::{Outcome, Outlet},
    source::{ImapSource, Stage, Wake, probe},
};
use std::{fs, time::Duration};

const LONG: Duration = Duration::from_secs(30);

fn mail(subject: &str) -> Vec<u8> {
    format!("From: ada@customer.test\nTo: desk@desk.test\nSubject: {subject}\n\nbody of {subject}\n")
        .into_bytes()
}

async fn open(user: &str, keys: &str) -> ImapSource {
    let mut source = ImapSource::connect(&plain(user, keys), &no_tokens()).await.unwrap();
    source.select().await.unwrap();
    source
}

/// The flags in the names of the files of a user's INBOX, `S` for read, or `new` for untouched ones.
fn flags(user: &str) -> Vec<String> {
    let maildir = MailServer::get().user(user).maildir;
    let names = |part: &str| {
        let entries = fs::read_dir(maildir.join(part)).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let mut names = [names("new"), names("cur")].concat();
    names.sort();
    names.iter().map(|n| n.rsplit_once(":2,").map_or("new", |(_, f)| f).to_owned()).collect()
}

#[tokio::test]
async fn mails_are_listed_and_fetched_and_stay_unread() {
    let server = MailServer::get();
    for subject in ["one", "two", "three"] {
        server.deliver("list", &mail(subject));
    }
    let mut source = ImapSource::connect(&plain("list", ""), &no_tokens()).await.unwrap();
    let folder = source.select().await.unwrap();
    assert!(folder.uid_validity > 0 && folder.exists == 3, "{folder:?}");
    let rows = source.list(0, None).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.uid).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(rows.iter().all(|r| r.size > 60 && r.internal_date.is_some() && !r.seen));
    // `4:*` names mail 3 as well.
    assert_eq!(source.list(3, None).await.unwrap(), []);
    let mut bodies = Vec::new();
    let came = source.fetch(&[3, 1, 99], |uid, bytes| bodies.push((uid, bytes))).await.unwrap();
    assert_eq!(came, [1, 3]);
    assert!(String::from_utf8_lossy(&bodies[1].1).ends_with("\r\nbody of three\r\n"));
    let header = String::from_utf8(source.headers(2).await.unwrap()).unwrap();
    assert!(header.contains("Subject: two") && !header.contains("body"), "{header}");
    assert!(source.list(0, None).await.unwrap().iter().all(|r| !r.seen));
    source.close().await;
}

#[tokio::test]
async fn tls_is_trusted_by_ca_file_or_fingerprint_and_by_nothing_else() {
    let server = MailServer::get();
    server.user("tls");
    let connect = async |port: u16, keys: &str| {
        ImapSource::connect(&mailbox("tls", port, &format!("password = \"secret\"\n{keys}")), &no_tokens())
            .await
            .map(drop)
    };
    let ca = format!("ca_file = \"{}\"", server.ca_file().display());
    connect(server.imaps_port(), &ca).await.unwrap();
    connect(server.imap_port(), &format!("start_tls = true\n{ca}")).await.unwrap();
    let refused = connect(server.imaps_port(), "").await.unwrap_err();
    assert_eq!(refused.stage, Stage::Tls);
    let hint = refused.hint.unwrap();
    let fingerprint = hint.split('"').nth(1).unwrap();
    connect(server.imaps_port(), &format!("fingerprint = \"{fingerprint}\"")).await.unwrap();
    connect(server.imap_port(), &format!("start_tls = true\nfingerprint = \"{fingerprint}\"")).await.unwrap();
    let other = format!("fingerprint = \"sha256:{}\"", "00".repeat(32));
    let refused = connect(server.imaps_port(), &other).await.unwrap_err();
    assert!(refused.hint.unwrap().contains(fingerprint));
    // TLS on the port for plaintext.
    let mixed_up = connect(server.imap_port(), &ca).await.unwrap_err();
    assert!(mixed_up.stage == Stage::Tls && mixed_up.hint.unwrap().contains("start_tls"));
    let missing = connect(server.imaps_port(), "ca_file = \"/no/such.pem\"").await.unwrap_err();
    assert!(missing.message.contains("/no/such.pem"), "{missing}");
}

#[tokio::test]
async fn a_wrong_password_is_a_failed_login() {
    let server = MailServer::get();
    for keys in ["password = \"wrong\"", "auth = \"plain\"\npassword = \"wröng\""] {
        let config = mailbox("wrong", server.imap_port(), &format!("ssl = false\n{keys}"));
        let error = ImapSource::connect(&config, &no_tokens()).await.unwrap_err();
        assert!(error.is_auth() && error.stage == Stage::Login, "{error:?}");
        assert!(error.message.contains("AUTHENTICATIONFAILED"), "{error}");
        assert!(!format!("{error:?}").contains("wr\u{f6}ng\""));
    }
    let config = mailbox("wrong", server.imap_port(), "ssl = false\npassword_command = \"exit 1\"");
    assert_eq!(ImapSource::connect(&config, &no_tokens()).await.unwrap_err().stage, Stage::Secret);
    let ok = mailbox(
        "wrong",
        server.imap_port(),
        "ssl = false\nauth = \"plain\"\npassword_command = \"echo secret\"",
    );
    ImapSource::connect(&ok, &no_tokens()).await.unwrap();
}

#[tokio::test]
async fn a_missing_folder_is_said() {
    let mut source =
        ImapSource::connect(&plain("folder", "mailbox = \"Wünsche\""), &no_tokens()).await.unwrap();
    let error = source.select().await.unwrap_err();
    assert_eq!(error.stage, Stage::Select);
    assert!(source.list(0, None).await.is_err(), "the connection is gone after an error");
}

#[tokio::test]
async fn after_delivery_mails_are_marked_removed_or_moved() {
    let server = MailServer::get();
    for subject in ["a", "b", "c", "d", "e", "f"] {
        server.deliver("settle", &mail(subject));
    }
    let mut source = open("settle", "").await;
    source.settle(&[1], &AfterDelivery::Seen).await.unwrap();
    source.settle(&[2], &AfterDelivery::Delete { expunge: false }).await.unwrap();
    source.settle(&[3, 4], &AfterDelivery::Delete { expunge: true }).await.unwrap();
    source.settle(&[5], &AfterDelivery::Move("Erledigt/März & co".into())).await.unwrap();
    source.settle(&[6], &AfterDelivery::Nothing).await.unwrap();
    // What is settled already is settled again without harm.
    source.settle(&[1, 3, 5, 77], &AfterDelivery::Seen).await.unwrap();
    source.settle(&[5], &AfterDelivery::Move("Erledigt/März & co".into())).await.unwrap();
    let left: Vec<_> =
        source.list(0, None).await.unwrap().into_iter().map(|r| (r.uid, r.seen, r.deleted)).collect();
    assert_eq!(left, [(1, true, false), (2, true, true), (6, false, false)]);
    assert_eq!(flags("settle"), ["S", "ST", ""]);
    let mut moved = open("settle", "mailbox = \"Erledigt/März & co\"").await;
    assert_eq!(moved.list(0, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_delivery_wakes_who_idles() {
    let server = MailServer::get();
    let mut source = open("idle", "").await;
    assert!(source.can_idle());
    assert_eq!(source.idle(Duration::from_millis(20)).await.unwrap(), Wake::Timeout);
    let deliver = async {
        tokio::task::yield_now().await;
        server.deliver("idle", &mail("news"));
    };
    let (wake, ()) = tokio::join!(source.idle(LONG), deliver);
    assert_eq!(wake.unwrap(), Wake::News);
    assert_eq!(source.list(0, None).await.unwrap().len(), 1);
    source.settle(&[1], &AfterDelivery::Seen).await.unwrap();
    assert_eq!(source.idle(Duration::from_millis(20)).await.unwrap(), Wake::Timeout);
}

#[tokio::test]
async fn news_that_came_with_another_answer_is_not_slept_over() {
    let server = MailServer::get();
    server.deliver("race", &mail("first"));
    let mut source = open("race", "").await;
    assert_eq!(source.list(0, None).await.unwrap().len(), 1);
    server.deliver("race", &mail("second"));
    // Dovecot tells of the second mail in its answer to this, and would not tell an IDLE again.
    source.settle(&[1], &AfterDelivery::Seen).await.unwrap();
    assert_eq!(source.idle(LONG).await.unwrap(), Wake::News);
    assert_eq!(source.list(1, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_large_folder_comes_whole() {
    let server = MailServer::get();
    for n in 0..230 {
        server.deliver("large", &mail(&format!("n{n}")));
    }
    let big = [b"Subject: big\n\n".to_vec(), vec![b'x'; 3_000_000]].concat();
    server.deliver("large", &big);
    let mut source = open("large", "").await;
    let uids: Vec<u32> = source.list(0, None).await.unwrap().iter().map(|r| r.uid).collect();
    assert_eq!(uids.len(), 231);
    let mut octets = 0;
    let came = source.fetch(&uids, |_, bytes| octets += bytes.len()).await.unwrap();
    assert_eq!(came, uids);
    assert!(octets > 3_000_000);
}

#[tokio::test]
async fn doctor_sees_each_step() {
    let steps = probe(&plain("doctor", ""), &no_tokens()).await;
    let names: Vec<_> = steps.iter().map(|s| (s.name.as_str(), s.result.is_ok())).collect();
    let all = ["DNS", "connection", "TLS", "login", "folder", "IDLE"].map(|name| (name, true));
    assert_eq!(names, all);
    let steps = probe(&plain("doctor", "mailbox = \"None\""), &no_tokens()).await;
    let last = steps.last().unwrap();
    assert!(last.name == "folder" && last.result.is_err() && last.hint.is_some(), "{steps:?}");
    let server = MailServer::get();
    let steps =
        probe(&mailbox("doctor", server.imap_port(), "ssl = false\npassword = \"no\""), &no_tokens()).await;
    let last = steps.last().unwrap();
    assert!(last.name == "login" && last.result.is_err(), "{steps:?}");
}

#[tokio::test]
async fn what_goes_out_by_smtp_wakes_the_mailbox_it_is_addressed_to() {
    let server = MailServer::get();
    let mut source = open("round", "").await;
    let config = format!("[smtp]\nhost = \"127.0.0.1\"\nport = {}\nssl = false\n", server.smtp_port());
    let config = Config::parse(&config, "/config.toml".as_ref()).unwrap();
    let mut outlet = Outlet::new(config.outlet(None).unwrap(), "/nowhere".as_ref());
    let to = EmailAddress::parse("round+a-project-1-issue-@desk.test").unwrap();
    let text = mail("the round");
    let (wake, outcome) = tokio::join!(source.idle(LONG), outlet.send(None, &to, &text));
    assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
    assert_eq!(wake.unwrap(), Wake::News);
    let mut came = Vec::new();
    source.fetch(&[1], |_, bytes| came = bytes).await.unwrap();
    let came = String::from_utf8(came).unwrap();
    assert!(came.contains("Delivered-To: round+a-project-1-issue-@desk.test"), "{came}");
    assert!(came.ends_with("\r\n\r\nbody of the round\r\n"), "{came}");
}
