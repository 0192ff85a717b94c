use super::{mailbox, no_tokens};
use crate::support::{Fake, Line};
use deskbell::{
    config::AfterDelivery,
    source::{ImapSource, SourceError, Stage, Wake},
};
use futures_util::future::join_all;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// A server that answers each command by `answer`, which gets it without its tag; `None` is silence.
///
/// In an answer `TAG` stands for the tag. Logging in, CAPABILITY and SELECT are answered here, unless
/// `answer` does.
async fn server(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Fake {
    let answer = Arc::new(answer);
    Fake::start(move |line, _| serve(line, answer.clone())).await
}

async fn serve(
    mut line: Line,
    answer: Arc<impl Fn(&str) -> Option<String> + Send + Sync + 'static>,
) -> Option<()> {
    match answer("GREETING") {
        Some(text) if text == "usual" => line.say("* OK ready\r\n").await?,
        Some(text) => line.say(&text).await?,
        None => return line.fall_silent().await,
    }
    let mut tag = String::new();
    loop {
        let heard = line.hear().await?;
        let command = match heard.split_once(' ') {
            Some((first, command)) if heard.starts_with('A') => {
                first.clone_into(&mut tag);
                command
            }
            _ => &heard,
        };
        match answer(command) {
            Some(text) if text == "usual" => line.say(&usual(command).replace("TAG", &tag)).await?,
            Some(text) => line.say(&text.replace("TAG", &tag)).await?,
            None => return line.fall_silent().await,
        }
    }
}

fn usual(command: &str) -> String {
    match command.split(' ').next() {
        Some("CAPABILITY") => "* CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE\r\nTAG OK done\r\n".to_owned(),
        Some("SELECT") => {
            "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 12] ok\r\nTAG OK done\r\n".to_owned()
        }
        Some("IDLE") => "+ idling\r\n".to_owned(),
        _ => "TAG OK done\r\n".to_owned(),
    }
}

/// A server that answers one command in its own way and all others as usual.
async fn but_for(odd: &'static str, answer: Option<&'static str>) -> Fake {
    server(move |command| match command.starts_with(odd) {
        true => answer.map(str::to_owned),
        false => Some("usual".to_owned()),
    })
    .await
}

/// Long enough for a busy machine, short enough to wait for where the server says nothing.
const SHORT: &str = "300ms";
const LONG: &str = "30s";

async fn connect(fake: &Fake, timeout: &str) -> Result<ImapSource, SourceError> {
    let keys = format!("ssl = false\npassword = \"secret\"\ntimeout = \"{timeout}\"");
    ImapSource::connect(&mailbox("u", fake.port(), &keys), &no_tokens()).await
}

/// Does everything that a mailbox is for, and gives the first error.
async fn all(fake: Fake, timeout: &str) -> Result<(), SourceError> {
    let mut source = connect(&fake, timeout).await?;
    source.select().await?;
    source.list(0, None).await?;
    source.fetch(&[1, 2], |_, _| {}).await?;
    source.headers(3).await?;
    source.settle(&[1, 2], &AfterDelivery::Delete { expunge: true }).await?;
    source.idle(Duration::from_millis(5)).await.map(drop)
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_wherever_it_does() {
    let places = [
        "GREETING",
        "LOGIN",
        "CAPABILITY",
        "SELECT",
        "UID FETCH",
        "UID STORE",
        "UID EXPUNGE",
        "IDLE",
        "DONE",
    ];
    let tries = places.map(async |place| all(but_for(place, None).await, SHORT).await);
    for (place, result) in places.iter().zip(join_all(tries).await) {
        let error = result.unwrap_err();
        assert_eq!(error.stage, Stage::Timeout, "{place}: {error}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_an_error_and_ends_the_connection() {
    let half_a_mail = "* 1 FETCH (UID 1 BODY[] {500}\r\nhalf";
    let two_gigabytes = "* 1 FETCH (UID 1 BODY[] {2147483648}\r\nFrom: a\r\n";
    for (place, answer, stage) in [
        ("GREETING", "* BYE go away\r\n", Stage::Greeting),
        ("GREETING", "220 mail.example ESMTP\r\n", Stage::Greeting),
        ("GREETING", "HTTP/1.1 400 Bad Request\r\n\r\n", Stage::Greeting),
        ("LOGIN", "TAG NO [AUTHENTICATIONFAILED] no\r\n", Stage::Login),
        ("LOGIN", "TAG BAD\r\n", Stage::Login),
        ("SELECT", "TAG NO [NONEXISTENT] no such folder\r\n", Stage::Select),
        ("SELECT", "* 3 EXISTS\r\nTAG OK no uidvalidity\r\n", Stage::Select),
        ("UID FETCH", "\u{0}\u{1}\u{2} garbage ((((\r\n", Stage::Answer),
        ("UID FETCH", "* BYE shutting down\r\n", Stage::Command),
        ("UID FETCH", half_a_mail, Stage::Timeout),
        ("UID FETCH", two_gigabytes, Stage::Answer),
        ("UID FETCH", "TAG NO [SERVERBUG] sorry\r\n", Stage::Command),
        ("IDLE", "TAG BAD\r\n", Stage::Command),
        ("IDLE", "TAG NO not now\r\n", Stage::Command),
        ("IDLE", "+ ok\r\n* BYE timeout\r\n", Stage::Command),
    ] {
        let timeout = if stage == Stage::Timeout { SHORT } else { LONG };
        let error = all(but_for(place, Some(answer)).await, timeout).await.expect_err(answer);
        assert_eq!(error.stage, stage, "{place} {answer:?}: {error}");
        assert!(error.message.len() < 400, "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_inside_a_mail_hands_over_what_was_whole() {
    let fake = Fake::start(|mut line, _| async move {
        line.say("* OK ready\r\n").await?;
        loop {
            let heard = line.hear().await?;
            let (tag, command) = heard.split_once(' ')?;
            if command.starts_with("UID FETCH") {
                return line
                    .say("* 1 FETCH (UID 1 BODY[] {3}\r\none)\r\n* 2 FETCH (UID 2 BODY[] {9}\r\nha")
                    .await;
            }
            line.say(&usual(command).replace("TAG", tag)).await?;
        }
    })
    .await;
    let mut source = connect(&fake, LONG).await.unwrap();
    let mut came = Vec::new();
    let error = source.fetch(&[1, 2], |uid, bytes| came.push((uid, bytes))).await.unwrap_err();
    assert_eq!((error.stage, error.message.as_str()), (Stage::Command, "the server hung up"));
    assert_eq!(came, [(1, b"one".to_vec())]);
    assert_eq!(source.list(0, None).await.unwrap_err().message, "the connection is gone");
}

#[tokio::test]
async fn a_new_uidvalidity_is_seen() {
    let fake = Fake::start(|line, number| {
        let select = format!("* 0 EXISTS\r\n* OK [UIDVALIDITY {}] ok\r\nTAG OK done\r\n", 7 + number);
        let answer = move |command: &str| match command.starts_with("SELECT") {
            true => Some(select.clone()),
            false => Some("usual".to_owned()),
        };
        serve(line, Arc::new(answer))
    })
    .await;
    for expected in [7, 8] {
        let mut source = connect(&fake, LONG).await.unwrap();
        assert_eq!(source.select().await.unwrap().uid_validity, expected);
        source.close().await;
    }
}

#[tokio::test]
async fn odd_rows_are_put_in_order() {
    let rows = "* 9 FETCH (UID 40 RFC822.SIZE 400 FLAGS (\\Seen) INTERNALDATE \"17-Jul-2026 02:44:25 -0700\")\r\n\
                * 5 FETCH (FLAGS (\\Flagged))\r\n\
                * 7 FETCH (UID 30 FLAGS (\\Flagged))\r\n\
                * 3 FETCH (UID 10 RFC822.SIZE 100 FLAGS ())\r\n\
                * 7 FETCH (UID 30 RFC822.SIZE 300 FLAGS (\\Answered) INTERNALDATE \"no date at all\")\r\n\
                * 2 EXPUNGE\r\nTAG OK done\r\n";
    let fake = but_for("UID FETCH 21:*", Some(rows)).await;
    let mut source = connect(&fake, LONG).await.unwrap();
    let rows = source.list(20, None).await.unwrap();
    let shown: Vec<_> = rows.iter().map(|r| (r.uid, r.size, r.flagged, r.answered, r.seen)).collect();
    assert_eq!(shown, [(30, 300, true, true, false), (40, 400, false, false, true)]);
    assert_eq!(rows[1].internal_date.unwrap().to_string(), "2026-07-17T09:44:25Z");
    assert_eq!(source.list(u32::MAX, None).await.unwrap(), []);
}

/// Settles two mails on a server with these capabilities, and gives the commands that it heard.
async fn heard(capabilities: &'static str, after: AfterDelivery) -> Vec<String> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = heard.clone();
    let fake = server(move |command| {
        if command.starts_with("CAPABILITY") {
            return Some(format!("* CAPABILITY IMAP4rev1 {capabilities}\r\nTAG OK done\r\n"));
        }
        if !command.starts_with("LOGIN") && command != "GREETING" {
            log.lock().unwrap().push(command.to_owned());
        }
        // The folder that mail is moved to is not there at first.
        let tries = log.lock().unwrap().len();
        match tries == 1 && (command.contains("MOVE") || command.contains("COPY")) {
            true => Some("TAG NO [TRYCREATE] no such folder\r\n".to_owned()),
            false => Some("usual".to_owned()),
        }
    })
    .await;
    let mut source = connect(&fake, LONG).await.unwrap();
    source.settle(&[4, 3], &after).await.unwrap();
    drop(source);
    heard.lock().unwrap().clone()
}

#[tokio::test]
async fn what_a_server_lacks_is_never_made_up_by_a_blanket_expunge() {
    let delete = AfterDelivery::Delete { expunge: true };
    let move_to = AfterDelivery::Move("Done".into());
    let conversation = [
        ("UIDPLUS MOVE", heard("UIDPLUS MOVE", delete.clone()).await),
        ("delete, no UIDPLUS", heard("", delete).await),
        ("move", heard("UIDPLUS MOVE", move_to.clone()).await),
        ("move, no MOVE", heard("UIDPLUS", move_to.clone()).await),
        ("move, neither", heard("", move_to).await),
        ("nothing", heard("", AfterDelivery::Nothing).await),
    ];
    let lines: Vec<_> = conversation
        .iter()
        .map(|(name, said)| format!("{name}: {}", said.join(" | ")).trim_end().to_owned())
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    UIDPLUS MOVE: UID STORE 3:4 +FLAGS.SILENT (\Seen \Deleted) | UID EXPUNGE 3:4
    delete, no UIDPLUS: UID STORE 3:4 +FLAGS.SILENT (\Seen \Deleted)
    move: UID MOVE 3:4 "Done" | CREATE "Done" | UID MOVE 3:4 "Done"
    move, no MOVE: UID COPY 3:4 "Done" | CREATE "Done" | UID COPY 3:4 "Done" | UID STORE 3:4 +FLAGS.SILENT (\Deleted) | UID EXPUNGE 3:4
    move, neither: UID COPY 3:4 "Done" | CREATE "Done" | UID COPY 3:4 "Done" | UID STORE 3:4 +FLAGS.SILENT (\Deleted)
    nothing:
    "#);
}

#[tokio::test]
async fn a_server_without_idle_is_to_be_polled() {
    let capabilities = Some("* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n");
    let fake = but_for("CAPABILITY", capabilities).await;
    let mut source = connect(&fake, LONG).await.unwrap();
    assert!(!source.can_idle());
    assert_eq!(source.idle(Duration::from_secs(60)).await.unwrap(), Wake::Unsupported);
}

#[tokio::test]
async fn an_idle_hears_of_news_and_of_nothing_else() {
    for (said, wake) in [
        ("+ ok\r\n* OK Still here\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* 3 EXPUNGE\r\n", Wake::Timeout),
        ("+ ok\r\n* OK Still here\r\n* 4 EXISTS\r\n", Wake::News),
        ("* 4 EXISTS\r\n+ ok\r\n", Wake::News),
    ] {
        let fake = but_for("IDLE", Some(said)).await;
        let mut source = connect(&fake, SHORT).await.unwrap();
        // Longer than the patience for an answer: silence is what an IDLE is for.
        assert_eq!(source.idle(Duration::from_millis(400)).await.unwrap(), wake, "{said:?}");
        assert_eq!(source.list(0, None).await.unwrap(), []);
    }
}

#[tokio::test]
async fn an_access_token_is_sent_as_the_provider_wants_it() {
    for (auth, expected) in [
        ("xoauth2", "user=u\u{1}auth=Bearer t0ken\u{1}\u{1}"),
        ("oauthbearer", "n,a=u,\u{1}host=127.0.0.1\u{1}port=PORT\u{1}auth=Bearer t0ken\u{1}\u{1}"),
    ] {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = heard.clone();
        let fake = server(move |command| {
            let count = log.lock().unwrap().len();
            if command.starts_with("AUTHENTICATE") {
                return Some("+ \r\n".to_owned());
            }
            if command.contains(' ') || command == "GREETING" || command == "CAPABILITY" {
                return Some("usual".to_owned());
            }
            log.lock().unwrap().push(command.to_owned());
            // The first token passes; the second is refused the way these mechanisms do it.
            match count {
                0 => Some("TAG OK in\r\n".to_owned()),
                1 => Some("+ eyJzdGF0dXMiOiI0MDEifQ==\r\n".to_owned()),
                _ => Some("TAG NO AUTHENTICATE failed\r\n".to_owned()),
            }
        })
        .await;
        let keys =
            format!("ssl = false\ntimeout = \"2s\"\nauth = \"{auth}\"\ntoken_command = \"echo t0ken\"");
        let config = mailbox("u", fake.port(), &keys);
        drop(ImapSource::connect(&config, &no_tokens()).await.unwrap());
        let error = ImapSource::connect(&config, &no_tokens()).await.unwrap_err();
        assert!(error.is_auth() && error.message.contains("{\"status\":\"401\"}"), "{error}");
        let first = heard.lock().unwrap()[0].clone();
        let expected = expected.replace("PORT", &fake.port().to_string());
        assert_eq!(first, base64::Engine::encode(&base64::engine::general_purpose::STANDARD, expected));
    }
}
