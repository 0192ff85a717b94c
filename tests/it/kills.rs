//! A desk that is killed again and again while mail comes in and goes out: nothing is lost, nothing doubled.

use crate::support::{MailServer, PATIENCE, PROJECT, Serving, TestDesk, wait_for};
use mail_parser::MessageParser;
use rand::Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
    time::{Duration, Instant},
};

const MAILS: usize = 300;
/// Kills while mail still comes in or goes out.
const KILLS: usize = 20;
/// Mails that an outlet has on their way at once: as many as one kill can repeat.
const AT_ONCE: usize = 4;

fn mail(number: usize, to: &str) -> Vec<u8> {
    format!(
        "From: Customer {number} <{}>\r\nTo: {to}\r\nSubject: trouble {number:03}\r\n\
         Message-ID: <trouble-{number}@customer.test>\r\n\r\n\
         This is what happened to customer {number}.\r\n",
        customer(number)
    )
    .into_bytes()
}

fn customer(number: usize) -> String {
    format!("kills-customer+{number}@customer.test")
}

/// Lets `deliver` bring the mails while `sync` is killed; then lets it come to rest. Gives the kills.
fn ordeal(desk: &TestDesk, deliver: impl Fn(usize) + Send + Sync) -> usize {
    let mut kills = 0;
    thread::scope(|scope| {
        let delivering = scope.spawn(|| {
            for number in 0..MAILS {
                deliver(number);
                thread::sleep(Duration::from_millis(15));
            }
        });
        while kills < KILLS || !delivering.is_finished() {
            let serving: Serving = desk.start(&mut desk.command(&["sync"]));
            thread::sleep(Duration::from_millis(rand::rng().random_range(30..900)));
            serving.kill();
            kills += 1;
        }
    });
    let _sync = desk.sync();
    wait_for("every mail to be answered", || {
        // In this order: a batch that comes in between the two looks has its answers still to go.
        let all = desk.intake().len() >= MAILS;
        let status = desk.status();
        let counts = &status["outbox"];
        let waiting: u64 =
            ["held", "queued", "sending", "deferred"].iter().map(|s| counts[s].as_u64().unwrap()).sum();
        (all && waiting == 0).then_some(())
    });
    kills
}

/// Looks whether every mail became one issue with one answer; repeats carry the same Message-ID.
fn check(desk: &TestDesk, answers: &[Vec<u8>], kills: usize) {
    let titles = |key: &str, rows: Vec<serde_json::Value>| -> Vec<String> {
        let mut titles: Vec<String> = rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect();
        titles.sort();
        titles
    };
    let wanted: Vec<String> = (0..MAILS).map(|number| format!("trouble {number:03}")).collect();
    assert_eq!(titles("title", desk.issues()), wanted);
    let intake = desk.intake();
    assert!(intake.iter().all(|entry| entry["fate"] == "issue"), "{intake:?}");
    assert_eq!(titles("subject", intake), wanted);
    let outbox = desk.outbox();
    assert_eq!(outbox.len(), MAILS);
    assert!(outbox.iter().all(|row| row["state"] == "sent" && row["kind"] == "thank_you"), "{outbox:?}");

    let mut sent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for answer in answers {
        let message = MessageParser::default().parse(answer).unwrap();
        let to = message.to().unwrap().first().unwrap().address().unwrap().to_owned();
        sent.entry(to).or_default().insert(message.message_id().unwrap().to_owned());
    }
    let customers: BTreeSet<String> = (0..MAILS).map(customer).collect();
    assert_eq!(sent.keys().cloned().collect::<BTreeSet<_>>(), customers);
    assert!(sent.values().all(|ids| ids.len() == 1), "{sent:?}");
    let repeats = answers.len() - MAILS;
    assert!(repeats <= kills * AT_ONCE, "{repeats} repeats after {kills} kills");
    println!("{kills} kills, {repeats} repeats");
    assert_eq!(desk.ok(&["maintenance", "verify"]).trim(), "everything agrees with the journal");
}

#[test]
fn kills_lose_and_double_nothing_between_maildirs() {
    let desk = TestDesk::between_maildirs("");
    let begun = Instant::now();
    let kills = ordeal(&desk, |number| {
        desk.deliver(&mail(number, PROJECT));
    });
    println!("{:?}", begun.elapsed());
    let answers: Vec<Vec<u8>> = desk.sent().into_iter().map(String::into_bytes).collect();
    check(&desk, &answers, kills);
    assert_eq!(fs::read_dir(desk.inbox().join("new")).unwrap().count(), 0, "each was marked as seen");
    assert_eq!(fs::read_dir(desk.inbox().join("cur")).unwrap().count(), MAILS);
}

#[test]
fn kills_lose_and_double_nothing_between_real_servers() {
    let server = MailServer::get();
    for name in ["kills", "kills-customer"] {
        server.user(name);
    }
    let desk = TestDesk::new(&format!(
        "[mailbox.support]\naddress = \"kills+%{{key}}@desk.test\"\nhost = \"127.0.0.1\"\nport = {}\nssl = false\n\
         user = \"kills\"\npassword = \"secret\"\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {}\nssl = false\nfrom = \"kills@desk.test\"\nhello_name = \"desk.test\"\n",
        server.imap_port(),
        server.smtp_port()
    ));
    desk.ok(&["project", "add", "acme/support"]);
    let begun = Instant::now();
    let kills = ordeal(&desk, |number| {
        server.deliver("kills", &mail(number, "kills+acme-support-1-issue-@desk.test"));
    });
    // What Postfix took it still has to deliver.
    let until = Instant::now() + PATIENCE;
    let mut answers = server.mails("kills-customer");
    while answers.len() < MAILS {
        let told = || format!("{:?}\n{}", desk.outbox(), server.log_of("kills-customer"));
        assert!(Instant::now() < until, "{} of {MAILS} came: {}", answers.len(), told());
        thread::sleep(Duration::from_millis(50));
        answers = server.mails("kills-customer");
    }
    println!("{:?}", begun.elapsed());
    check(&desk, &answers, kills);
}
