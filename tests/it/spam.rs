//! The judges: a real Rspamd, a stand-in for Akismet, and a name server of the test's own.

use crate::support::{Akismet, Instead, KEY, MailServer, NameServer, Rspamd};
use deskbell::config::{self, Config};
use deskbell::domain::{EmailAddress, Finding, Judge};
use deskbell::spam::{Judges, Outcome, Suspect};
use mail_auth::common::{crypto::Ed25519Key, headers::HeaderWriter};
use mail_auth::dkim::DkimSigner;
use std::time::{Duration, Instant};

fn spam(text: &str) -> config::Spam {
    Config::parse(&format!("[spam]\n{text}"), "/config.toml".as_ref()).unwrap().spam
}

fn judges(text: &str) -> Judges {
    Judges::new(&spam(text))
}

fn suspect(raw: impl Into<Vec<u8>>) -> Suspect {
    Suspect {
        raw: raw.into().into(),
        from: EmailAddress::parse("ada@customer.example"),
        from_name: Some("Ada".to_owned()),
        subject: "The printer".to_owned(),
        text: "It is broken & smells of 100 % smoke.".to_owned(),
        ..Suspect::default()
    }
}

fn said(opinions: &[deskbell::domain::Opinion]) -> Vec<(Judge, Finding, &str)> {
    opinions.iter().map(|opinion| (opinion.by, opinion.finding, opinion.words.as_str())).collect()
}

/// The stand-in for Akismet; its key is in a variable that every test process has.
fn with_akismet(akismet: &Akismet, further: &str) -> String {
    let endpoint = akismet.endpoint();
    format!(
        "authentication = false\nakismet = {{ enabled = true, key_env = \"CARGO_PKG_NAME\", \
         site = \"https://desk.example/\", endpoint = \"{endpoint}\", is_test = true }}\n{further}\n"
    )
}

#[tokio::test]
async fn akismet_is_asked_and_told_with_the_fields_it_documents() {
    let akismet = Akismet::start();
    let judges = judges(&with_akismet(&akismet, ""));
    let mail = Suspect { client: Some([203, 0, 113, 5].into()), ..suspect("") };
    let opinions = judges.ask(&mail).await;
    assert_eq!(said(&opinions), [(Judge::Akismet, Finding::Ham, "it is no spam")]);
    let (path, form) = akismet.calls().remove(0);
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("api_key", KEY),
        ("blog", "https://desk.example/"),
        ("blog_charset", "UTF-8"),
        ("comment_author", "Ada"),
        ("comment_author_email", "ada@customer.example"),
        ("comment_content", "The printer\n\nIt is broken & smells of 100 % smoke."),
        ("comment_type", "contact-form"),
        ("is_test", "1"),
        ("permalink", ""),
        ("user_ip", "203.0.113.5"),
    ];
    assert_eq!((path.as_str(), form.as_slice()), ("/1.1/comment-check", expected.as_slice()));

    let bad = Suspect { from_name: Some("akismet-guaranteed-spam".to_owned()), ..mail.clone() };
    let opinions = judges.ask(&bad).await;
    assert_eq!(said(&opinions), [(Judge::Akismet, Finding::Spam, "it is spam of the worst kind")]);
    assert_eq!(judges.teachable(), [Judge::Akismet]);
    akismet.calls();
    judges.teach(Judge::Akismet, &bad, true).await.unwrap();
    judges.teach(Judge::Akismet, &suspect(""), false).await.unwrap();
    let paths: Vec<_> = akismet.calls().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/1.1/submit-spam", "/1.1/submit-ham"]);
    assert!(judges.teach(Judge::Rspamd, &bad, true).await.is_err_and(|error| !error.temporary));
}

#[tokio::test]
async fn an_akismet_that_gives_no_proper_answer_is_unavailable_and_said_so() {
    let akismet = Akismet::start();
    let answer = |status, header, body: &str| Some(Instead::Answer(status, header, body.to_owned()));
    let alert = "X-akismet-alert-code: 10010\r\nX-akismet-alert-msg: Your plan is too small\r\n";
    let large = "true".repeat(40_000);
    let cases = [
        (
            answer(200, "X-akismet-debug-help: Empty \"blog\" value\r\n", "invalid"),
            "it answers `invalid`: Empty \"blog\" value",
            false,
        ),
        (answer(200, alert, "true"), "alert 10010: Your plan is too small", true),
        (answer(503, "", "try later"), "it answers 503", true),
        (answer(302, "Location: http://127.0.0.1:1/\r\n", "true"), "it answers 302: true", true),
        (answer(200, "", &large), "the answer is too large", true),
        (answer(200, "", ""), "it answers ``", false),
        (Some(Instead::Silence), "no answer in time", true),
    ];
    for (instead, words, temporary) in cases {
        let judges = judges(&with_akismet(&akismet, "timeout = \"500ms\""));
        akismet.say(instead);
        let opinions = judges.ask(&suspect("")).await;
        assert_eq!(said(&opinions), [(Judge::Akismet, Finding::Unavailable, words)]);
        let states = judges.states();
        assert_eq!((states.len(), states[0].0, states[0].2.as_str()), (1, Judge::Akismet, words));
        let error = judges.teach(Judge::Akismet, &suspect(""), true).await.unwrap_err();
        assert_eq!(error.temporary, temporary, "{words}");
    }
    // Well again: the trouble is over with the first answer.
    let judges = judges(&with_akismet(&akismet, "timeout = \"30s\""));
    akismet.say(answer(503, "", ""));
    for _ in 0..3 {
        judges.ask(&suspect("")).await;
    }
    akismet.say(None);
    akismet.calls();
    let opinions = judges.ask(&suspect("")).await;
    assert_eq!(
        said(&opinions),
        [(Judge::Akismet, Finding::Unavailable, "not asked for a minute, since it failed: it answers 503")]
    );
    assert!(akismet.calls().is_empty());
}

/// The standard test for filters, in pieces, so that this file is none.
fn gtube() -> String {
    ["XJS*C4JDBQADN1", ".NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-", "UBE-TEST-EMAIL*C.34X"].concat()
}

fn with_rspamd(password: &str) -> String {
    let (url, controller) = Rspamd::get().urls();
    format!(
        "timeout = \"30s\"\nauthentication = false\nrspamd = {{ enabled = true, url = \"{url}\", \
         controller_url = \"{controller}\", password_env = \"{password}\" }}\n"
    )
}

fn letter(id: &str, text: &str) -> Suspect {
    let raw = format!(
        "From: Ada <ada@customer.example>\r\nTo: help@desk.example\r\nSubject: printer\r\nMessage-ID: <{id}@customer.example>\r\n\
         Date: Fri, 27 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n"
    );
    Suspect {
        client: Some([203, 0, 113, 5].into()),
        helo: Some("mail.customer.example".to_owned()),
        envelope_from: Some("ada@customer.example\r\nPassword: x".to_owned()),
        envelope_to: vec!["help@desk.example".to_owned(), "other@desk.example".to_owned()],
        ..suspect(raw)
    }
}

/// Teaches Rspamd; while it has its own database locked, which it says is temporary, again, as the desk does.
async fn taught(judges: &Judges, mail: &Suspect, spam: bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while let Err(error) = judges.teach(Judge::Rspamd, mail, spam).await {
        let locked = error.temporary && error.message.ends_with("database is locked");
        assert!(locked && Instant::now() < until, "{error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_real_rspamd_is_asked_and_taught() {
    let judges = judges(&with_rspamd("CARGO_PKG_NAME"));
    let plain = letter("1", "The printer on the second floor is broken again, could you have a look at it?");
    let opinions = judges.ask(&plain).await;
    assert_eq!((opinions[0].by, opinions[0].finding), (Judge::Rspamd, Finding::Ham), "{opinions:?}");
    assert!(opinions[0].words.starts_with("no action, score 0.0"), "{opinions:?}");
    let opinions = judges.ask(&letter("2", &gtube())).await;
    assert_eq!((opinions[0].by, opinions[0].finding), (Judge::Rspamd, Finding::Spam), "{opinions:?}");
    assert!(
        opinions[0].words.starts_with("reject, score ") && opinions[0].words.contains("GTUBE"),
        "{opinions:?}"
    );
    assert_eq!(judges.teachable(), [Judge::Rspamd]);
    for spam in [false, false, true] {
        // The second time it knows the mail already, the third time staff have changed their mind.
        taught(&judges, &plain, spam).await;
    }
    assert_eq!(judges.states(), []);
    assert!(judges.look().await.iter().all(|check| check.result.is_ok()));
}

#[tokio::test]
async fn a_rspamd_that_refuses_or_is_not_there_is_said_with_a_cure() {
    let failures = async |text: &str| {
        let checks = judges(text).look().await;
        let failed = checks.into_iter().filter_map(|check| Some((check.step, check.result.err()?)));
        failed
            .map(|(step, (why, cure))| format!("{step}: {why} | {}", cure.unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    let wrong = with_rspamd("CARGO_PKG_VERSION");
    let cure = "password_env must name a variable with the controller's password";
    assert_eq!(failures(&wrong).await, [format!("controller: it answers 401: Unauthorized | {cure}")]);
    let error = judges(&wrong).teach(Judge::Rspamd, &letter("3", "x"), true).await.unwrap_err();
    assert_eq!((error.message.as_str(), error.temporary), ("it answers 401: Unauthorized", true));
    let weak = failures(&with_rspamd("CARGO_PKG_LICENSE")).await;
    assert_eq!(
        weak,
        [
            "controller: the password may only look | password_env must hold the `enable_password` of the controller"
        ]
    );
    let unset = failures(&with_rspamd("DESKBELL_TEST_UNSET")).await;
    assert!(unset.len() == 1 && unset[0].contains("DESKBELL_TEST_UNSET is not set"), "{unset:?}");
    let (url, controller) = Rspamd::get().urls();
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let gone = with_rspamd("CARGO_PKG_NAME").replace(&url, &format!("http://{closed}"));
    let gone = failures(&gone).await;
    assert!(gone.len() == 1 && gone[0].starts_with("worker: it cannot be reached: "), "{gone:?}");
    // A certificate that nobody trusts is no way to show a password.
    let tls = format!("https://127.0.0.1:{}", MailServer::get().imaps_port());
    let tls = failures(&with_rspamd("CARGO_PKG_NAME").replace(&controller, &tls)).await;
    assert!(tls.len() == 1 && tls[0].contains("certificate"), "{tls:?}");
}

const BODY: &str =
    "From: Ada <ada@customer.example>\r\nTo: help@desk.example\r\nSubject: printer\r\n\r\nIt is broken.\r\n";

/// A signed mail, and the record with the key.
fn signed() -> (String, (&'static str, String)) {
    let key = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().unwrap()).unwrap();
    let public = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, key.public_key());
    let signer = DkimSigner::from_key(key).domain("customer.example").selector("desk");
    let signature = signer.headers(["From", "To", "Subject"]).sign(BODY.as_bytes()).unwrap();
    (
        format!("{}{BODY}", signature.to_header()),
        ("desk._domainkey.customer.example", format!("v=DKIM1; k=ed25519; p={public}")),
    )
}

fn from_ada(raw: &str, client: Option<[u8; 4]>) -> Suspect {
    Suspect {
        client: client.map(Into::into),
        helo: Some("mail.customer.example".to_owned()),
        envelope_from: Some("ada@customer.example".to_owned()),
        ..suspect(raw)
    }
}

#[tokio::test]
async fn spf_dkim_and_dmarc_are_checked_as_far_as_the_mail_lets_them() {
    let (mail, key) = signed();
    let names = NameServer::start(&[
        key,
        ("customer.example", "v=spf1 ip4:203.0.113.5 -all".to_owned()),
        ("_dmarc.customer.example", "v=DMARC1; p=reject".to_owned()),
    ]);
    let judges = judges(&format!("timeout = \"20s\"\nname_server = \"{}\"", names.address()));
    let (ours, other) = (Some([203, 0, 113, 5]), Some([198, 51, 100, 7]));
    let changed = mail.replace("broken", "on fire");
    let unix = mail.replace("\r\n", "\n");
    let cases = [
        (mail.as_str(), ours, Finding::Ham, "SPF pass, DKIM pass (customer.example), DMARC pass"),
        (mail.as_str(), None, Finding::Ham, "DKIM pass (customer.example), DMARC pass"),
        (unix.as_str(), None, Finding::Ham, "DKIM pass (customer.example), DMARC pass"),
        (mail.as_str(), other, Finding::Ham, "SPF fail, DKIM pass (customer.example), DMARC pass"),
        (changed.as_str(), None, Finding::Unsure, "DKIM fail"),
        (changed.as_str(), other, Finding::Spam, "SPF fail, DKIM fail, DMARC fail"),
        (BODY, ours, Finding::Ham, "SPF pass, DKIM none, DMARC pass"),
        (BODY, other, Finding::Spam, "SPF fail, DKIM none, DMARC fail"),
    ];
    for (raw, client, finding, words) in cases {
        let opinions = judges.ask(&from_ada(raw, client)).await;
        assert_eq!(said(&opinions), [(Judge::Authentication, finding, words)]);
    }
    let questions = names.questions();
    let again = judges.authenticate(&from_ada(&mail, ours)).await.unwrap().unwrap();
    assert_eq!((again.spf, again.dkim, again.dmarc), (Outcome::Pass, Outcome::Pass, Outcome::Pass));
    assert_eq!(names.questions(), questions, "answers are remembered");
    assert_eq!(judges.authenticate(&from_ada(BODY, None)).await, None);
    let trusted = Suspect { authenticated: true, ..from_ada(&mail, ours) };
    assert!(judges.ask(&trusted).await.is_empty());
    let many = format!("{}{mail}", "DKIM-Signature: v=1; a=rsa-sha256\r\n".repeat(9));
    assert_eq!(judges.ask(&from_ada(&many, ours)).await[0].finding, Finding::Unsure);
}

#[tokio::test]
async fn a_name_server_that_is_silent_makes_authentication_unavailable() {
    let silent = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let address = silent.local_addr().unwrap();
    let judges = judges(&format!("timeout = \"300ms\"\nname_server = \"{address}\""));
    let (mail, _) = signed();
    let began = Instant::now();
    let opinions = judges.ask(&from_ada(&mail, Some([203, 0, 113, 5]))).await;
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(
        (opinions[0].by, opinions[0].finding),
        (Judge::Authentication, Finding::Unavailable),
        "{opinions:?}"
    );
    assert_eq!(judges.states()[0].0, Judge::Authentication);
    let checks = judges.look().await;
    assert!(checks[0].result.as_ref().is_err_and(|(_, cure)| cure.is_some()), "{checks:?}");
}
