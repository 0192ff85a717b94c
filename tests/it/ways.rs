//! Every answer of every customer finds its issue, over real servers, whatever became of the issue meanwhile.

use crate::support::{MailServer, TestDesk, wait_for};
use crate::whole::{Wire, config, mail_of, send};
use mail_parser::MessageParser;
use serde_json::Value;

/// Somebody who writes to the desk, and where their last mail from it wants the answer.
struct Customer {
    account: String,
    mails: usize,
    answer_to: String,
    answers: String,
}

impl Customer {
    fn new(account: &str) -> Self {
        MailServer::get().user(account);
        Self { account: account.to_owned(), mails: 0, answer_to: String::new(), answers: String::new() }
    }

    fn address(&self) -> String {
        format!("{}@customer.test", self.account)
    }

    fn write(&self, to: &str, subject: &str, headers: &str, text: &str) {
        let (from, id) = (self.address(), text.replace(' ', "-"));
        let mail = format!(
            "From: {} <{from}>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}@customer.test>\r\n{headers}\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n",
            self.account
        );
        send(&from, to, mail.as_bytes());
    }

    /// Waits for the next mail, which is what they will answer.
    async fn get(&mut self) {
        self.mails += 1;
        let bytes = mail_of(&self.account, self.mails).await;
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let reply_to =
            mail.reply_to().or(mail.from()).and_then(|all| all.first()).and_then(|one| one.address());
        self.answer_to = reply_to.unwrap().to_owned();
        self.answers = mail.message_id().unwrap().to_owned();
    }

    /// Answers the last mail by its address for answers.
    fn answer(&self, text: &str) {
        self.write(&self.answer_to, "Re: whatever", "", text);
    }

    /// Answers it by what it names alone, to the address of the project.
    fn answer_by_name(&self, to: &str, text: &str) {
        self.write(to, "Re: whatever", &format!("In-Reply-To: <{}>\r\n", self.answers), text);
    }
}

/// Waits until a text stands in an issue, and in no other one.
fn arrives(desk: &TestDesk, reference: &str, text: &str) {
    let has = |reference: &str| {
        let shown = desk.run(&["issue", "show", reference, "--json"]);
        // Before its mail is in there is no such issue.
        let Ok(issue) = serde_json::from_str::<Value>(&shown.stdout) else { return false };
        let said = |note: &Value| note["body"].as_str().unwrap().trim() == text;
        issue["notes"].as_array().unwrap().iter().any(said)
    };
    wait_for(&format!("{text} in {reference}"), || has(reference).then_some(()));
    let others = desk.json(&["issue", "list", "--limit", "100"]);
    let others = others.as_array().unwrap().iter().map(|issue| issue["ref"].as_str().unwrap());
    let found: Vec<&str> = others.filter(|reference| has(reference)).collect();
    assert_eq!(found, [reference], "{text}");
}

fn note_id(desk: &TestDesk, reference: &str, text: &str) -> String {
    let issue = desk.json(&["issue", "show", reference]);
    let said = |note: &&Value| note["body"].as_str().unwrap().trim() == text;
    issue["notes"].as_array().unwrap().iter().find(said).unwrap()["id"].to_string()
}

#[tokio::test]
async fn every_answer_finds_its_issue_after_merging_parting_moving_and_splitting() {
    let name = "ways";
    MailServer::get().user(name);
    let desk = TestDesk::new(&config(name, &Wire::Plain));
    let project = desk.json(&["project", "add", "acme/support"]);
    let address = project["addresses"][0].as_str().unwrap().to_owned();
    desk.ok(&["project", "add", "acme/office"]);
    let _sync = desk.sync();
    let (mut ada, mut bob) = (Customer::new("ways-ada"), Customer::new("ways-bob"));
    for (customer, reference, text) in
        [(&mut ada, "acme/support#1", "the press is stuck"), (&mut bob, "acme/support#2", "the lamp is dark")]
    {
        customer.write(&address, text, "", text);
        arrives(&desk, reference, text);
        customer.get().await;
        desk.ok(&["issue", "note", reference, "-m", "We look into it."]);
        customer.get().await;
    }

    desk.ok(&["issue", "merge", "acme/support#2", "--into", "acme/support#1"]);
    bob.answer("bob one");
    arrives(&desk, "acme/support#1", "bob one");
    ada.answer("ada one");
    arrives(&desk, "acme/support#1", "ada one");
    bob.answer_by_name(&address, "bob two");
    arrives(&desk, "acme/support#1", "bob two");

    desk.ok(&["issue", "unmerge", "acme/support#2"]);
    bob.answer("bob three");
    arrives(&desk, "acme/support#2", "bob three");
    ada.answer_by_name(&address, "ada two");
    arrives(&desk, "acme/support#1", "ada two");

    desk.ok(&["issue", "move", "acme/support#1", "acme/office"]);
    ada.answer("ada three");
    arrives(&desk, "acme/office#1", "ada three");
    ada.answer_by_name(&address, "ada four");
    arrives(&desk, "acme/office#1", "ada four");

    let out = note_id(&desk, "acme/office#1", "ada four");
    desk.ok(&["issue", "split", "acme/office#1", &out, "--title", "Another matter"]);
    arrives(&desk, "acme/office#2", "ada four");
    ada.answer("ada five");
    arrives(&desk, "acme/office#1", "ada five");
    desk.ok(&["issue", "note", "acme/office#2", "-m", "About the other matter."]);
    ada.get().await;
    ada.answer("ada six");
    arrives(&desk, "acme/office#2", "ada six");
    ada.answer_by_name("ways@desk.test", "ada seven");
    arrives(&desk, "acme/office#2", "ada seven");
    assert_eq!(desk.intake().iter().filter(|entry| entry["fate"] == "unroutable").count(), 0);
}
