use super::{address, outlet};
use crate::support::{Fake, Line};
use deskbell::outlet::{Outcome, Outlet, Stage};
use futures_util::future::join_all;
use std::sync::{Arc, Mutex};

type Heard = Arc<Mutex<Vec<String>>>;

/// What a server does at a command.
#[derive(Clone, Copy)]
enum Do {
    Say(&'static str),
    Stall,
    HangUp,
}

/// A server that does something odd at one place, `GREETING`, `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA` or
/// `BODY`, and what it heard.
async fn server(place: &'static str, odd: Do) -> (Fake, Heard) {
    let heard = Heard::default();
    let log = heard.clone();
    let fake = Fake::start(move |line, _| serve(line, place, odd, log.clone())).await;
    (fake, heard)
}

async fn serve(mut line: Line, place: &str, odd: Do, log: Heard) -> Option<()> {
    let mut command = "GREETING".to_owned();
    loop {
        let verb = command.split([' ', ':']).next()?.to_owned();
        log.lock().unwrap().push(command);
        match odd {
            Do::Stall if verb == place => return line.fall_silent().await,
            Do::HangUp if verb == place => return None,
            Do::Say(text) if verb == place => line.say(text).await?,
            _ => line.say(usual(&verb)).await?,
        }
        command = line.hear().await?;
        if verb == "DATA" && command.starts_with("Subject") {
            while command != "." {
                command = line.hear().await?;
            }
            command = "BODY".to_owned();
        }
    }
}

fn usual(verb: &str) -> &'static str {
    match verb {
        "GREETING" => "220 fake ESMTP\r\n",
        "EHLO" => "250-fake\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 8BITMIME\r\n",
        "AUTH" => "235 2.7.0 in\r\n",
        "DATA" => "354 go on\r\n",
        "BODY" => "250 2.0.0 queued as 1\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 ok\r\n",
    }
}

fn to(fake: &Fake) -> Outlet {
    patient(fake, "30s")
}

fn patient(fake: &Fake, timeout: &str) -> Outlet {
    outlet(&format!(
        "port = {}\nssl = false\nuser = \"u\"\npassword = \"secret\"\ntimeout = \"{timeout}\"",
        fake.port()
    ))
}

async fn send(outlet: &mut Outlet) -> Outcome {
    outlet.send(Some(&address("a@desk.test")), &address("b@customer.test"), b"Subject: x\r\n\r\nx\r\n").await
}

/// What became of a mail, in one word and the code.
fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent { .. } => "sent".to_owned(),
        Outcome::Refused { code, .. } => format!("refused {code}"),
        Outcome::PutOff { code, .. } => format!("put off {}", code.map_or("-".to_owned(), |c| c.to_string())),
        Outcome::Unreachable { stage, .. } => format!("unreachable: {stage}"),
    }
}

#[tokio::test]
async fn only_an_answer_to_rcpt_or_data_says_something_about_the_mail() {
    let odd = [
        Do::Say("451 4.0.0 later\r\n"),
        Do::Say("554 5.0.0 no\r\n"),
        Do::Say("421 4.0.0 closing\r\n"),
        Do::Stall,
        Do::HangUp,
        Do::Say("what?\r\n"),
    ];
    let became = async |place: &'static str, odd: Do| {
        let (fake, _) = server(place, odd).await;
        // Long enough for a busy machine; a mail may take ten times as long as an answer.
        let timeout = if matches!(odd, Do::Stall) { "200ms" } else { "30s" };
        word(&send(&mut patient(&fake, timeout)).await)
    };
    let places = ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY"];
    let lines = places.map(async |place| {
        let all = join_all(odd.map(async |odd| became(place, odd).await)).await;
        format!("{place}: {}", all.join(", "))
    });
    let lines = join_all(lines).await;
    insta::assert_snapshot!(lines.join("\n"), @r"
    GREETING: unreachable: greeting, unreachable: greeting, unreachable: greeting, unreachable: greeting, unreachable: greeting, unreachable: greeting
    EHLO: unreachable: greeting, unreachable: greeting, unreachable: greeting, unreachable: greeting, unreachable: greeting, unreachable: greeting
    AUTH: unreachable: login, unreachable: login, unreachable: login, unreachable: login, unreachable: login, unreachable: login
    MAIL: unreachable: sender, unreachable: sender, unreachable: sender, unreachable: sender, unreachable: sender, unreachable: sender
    RCPT: put off 451, refused 554, put off 421, put off -, put off -, put off -
    DATA: put off 451, refused 554, put off 421, put off -, put off -, put off -
    BODY: put off 451, refused 554, put off 421, put off -, put off -, put off -
    ");
}

#[tokio::test]
async fn a_wrong_password_pauses_the_outlet_wherever_the_server_says_so() {
    for (place, answer) in [
        ("AUTH", "535 5.7.8 wrong\r\n"),
        ("AUTH", "454 4.7.0 no backend\r\n"),
        ("MAIL", "530 5.7.0 log in first\r\n"),
        ("RCPT", "530 5.7.0 log in first\r\n"),
    ] {
        let (fake, _) = server(place, Do::Say(answer)).await;
        let outcome = send(&mut to(&fake)).await;
        assert!(matches!(&outcome, Outcome::Unreachable { hint: Some(_), .. }), "{answer}: {outcome:?}");
        assert!(!format!("{outcome:?}").contains("secret"));
    }
    let (fake, _) = server("AUTH", Do::Say("535 5.7.8 wrong\r\n")).await;
    assert_eq!(to(&fake).check().await.unwrap_err().stage, Stage::Login);
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_and_pauses_nothing() {
    let (fake, _) = server("MAIL", Do::Say("552 5.3.4 too large\r\n")).await;
    assert_eq!(word(&send(&mut to(&fake)).await), "refused 552");
    let (fake, heard) = server("none", Do::Stall).await;
    let mut outlet = to(&fake);
    let outcome = outlet.send(None, &address("b@customer.test"), &[b'x'; 1001]).await;
    assert_eq!(word(&outcome), "refused 552");
    assert_eq!(outlet.max_size(), 1000);
    assert!(!heard.lock().unwrap().iter().any(|line| line.starts_with("MAIL")));
}

#[tokio::test]
async fn a_connection_is_used_again_and_a_refusal_is_taken_back() {
    let (fake, heard) = server("RCPT", Do::Say("550 5.1.1 nobody\r\n")).await;
    let mut outlet = to(&fake);
    for _ in 0..2 {
        assert_eq!(word(&send(&mut outlet).await), "refused 550");
    }
    outlet.close().await;
    insta::assert_snapshot!(heard.lock().unwrap().join("\n"), @r"
    GREETING
    EHLO desk.test
    EHLO desk.test
    AUTH PLAIN AHUAc2VjcmV0
    MAIL FROM:<a@desk.test> SIZE=17
    RCPT TO:<b@customer.test>
    RSET
    MAIL FROM:<a@desk.test> SIZE=17
    RCPT TO:<b@customer.test>
    RSET
    QUIT
    ");
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_without_a_word() {
    let count = Arc::new(Mutex::new(0));
    let mails = count.clone();
    let fake = Fake::start(move |mut line, _| {
        let mails = mails.clone();
        async move {
            line.say(usual("GREETING")).await?;
            loop {
                let command = line.hear().await?;
                let verb = command.split([' ', ':']).next()?.to_owned();
                if verb == "MAIL" {
                    *mails.lock().unwrap() += 1;
                    if *mails.lock().unwrap() == 2 {
                        return None;
                    }
                }
                line.say(usual(&verb)).await?;
                if verb == "DATA" {
                    while line.hear().await? != "." {}
                    line.say(usual("BODY")).await?;
                }
            }
        }
    })
    .await;
    let mut outlet = to(&fake);
    assert_eq!(word(&send(&mut outlet).await), "sent");
    assert_eq!(word(&send(&mut outlet).await), "sent");
    assert_eq!(*count.lock().unwrap(), 3);
}

#[tokio::test]
async fn a_long_access_token_gets_a_line_of_its_own() {
    for (length, lines) in [(20, 1), (2_000, 2)] {
        let heard = Heard::default();
        let log = heard.clone();
        let fake = Fake::start(move |mut line, _| {
            let log = log.clone();
            async move {
                line.say(usual("GREETING")).await?;
                loop {
                    let command = line.hear().await?;
                    if command == "AUTH XOAUTH2" {
                        log.lock().unwrap().push(command);
                        line.say("334 \r\n").await?;
                    } else if command.starts_with("EHLO") {
                        line.say(usual("EHLO")).await?;
                    } else {
                        log.lock().unwrap().push(command);
                        line.say("235 in\r\n").await?;
                    }
                }
            }
        })
        .await;
        let token = "t".repeat(length);
        let keys = format!(
            "port = {}\nssl = false\nuser = \"u\"\nauth = \"xoauth2\"\ntoken_command = \"echo {token}\"\ntimeout = \"5s\"",
            fake.port()
        );
        outlet(&keys).check().await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), lines);
    }
}

#[tokio::test]
async fn a_refused_access_token_is_a_failed_login() {
    let fake = Fake::start(|mut line, _| async move {
        line.say(usual("GREETING")).await?;
        loop {
            let command = line.hear().await?;
            line.say(match command.split(' ').next()? {
                "EHLO" => usual("EHLO"),
                "AUTH" => "334 eyJzdGF0dXMiOiI0MDAifQ==\r\n",
                _ => "535 5.7.8 token expired\r\n",
            })
            .await?;
        }
    })
    .await;
    let keys = format!(
        "port = {}\nssl = false\nuser = \"u\"\nauth = \"xoauth2\"\ntoken_command = \"echo t\"\ntimeout = \"5s\"",
        fake.port()
    );
    let error = outlet(&keys).check().await.unwrap_err();
    assert!(error.stage == Stage::Login && error.text.contains("token expired"), "{error:?}");
}

#[tokio::test]
async fn what_is_said_before_tls_is_no_part_of_what_follows() {
    let fake = Fake::start(|mut line, _| async move {
        line.say("220 fake\r\n").await?;
        line.hear().await?;
        line.say("250-fake\r\n250 STARTTLS\r\n").await?;
        line.hear().await?;
        line.say("220 go\r\n250 AUTH PLAIN\r\n").await?;
        line.fall_silent().await
    })
    .await;
    let keys = format!("port = {}\nstart_tls = true\ntimeout = \"5s\"", fake.port());
    let error = outlet(&keys).check().await.unwrap_err();
    assert!(error.stage == Stage::Tls && error.text.contains("before TLS"), "{error:?}");
    let fake = Fake::start(|mut line, _| async move {
        line.say("220 fake\r\n").await?;
        line.hear().await?;
        line.say("250 fake\r\n").await?;
        line.hear().await?;
        line.say("502 no\r\n").await
    })
    .await;
    let keys = format!("port = {}\nstart_tls = true\ntimeout = \"5s\"", fake.port());
    let error = outlet(&keys).check().await.unwrap_err();
    assert!(error.stage == Stage::Tls && error.hint.is_some(), "{error:?}");
}
