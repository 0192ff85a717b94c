//! The page to unsubscribe on and the figures, over HTTP and in a browser.

use crate::support::room::{ADA, Room, field, open};
use crate::support::{TestDesk, mail, wait_for, wait_until};
use deskbell::domain::{Edit, Request};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const BASE: &str = "https://help.example/desk";

/// What a server answered.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// Asks once; `None` when nobody listens there.
fn asked(to: SocketAddr, request: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    let mut said = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&said);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|l| {
                l.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse::<usize>().unwrap())
            });
            if length.is_some_and(|length| body.len() >= length) {
                let status = head.split(' ').nth(1)?.parse().ok()?;
                return Some(Answer { status, head: head.to_lowercase(), body: body.to_owned() });
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(n) => said.extend_from_slice(&piece[..n]),
        }
    }
}

fn ask(to: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    wait_for("an answer on the web", || asked(to, &request))
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A served desk with one issue of Ada's; gives where its page is, and the key in her mail.
fn served() -> (TestDesk, crate::support::Serving, SocketAddr, String) {
    let at = free();
    let desk = TestDesk::between_maildirs(&format!("[web]\nlisten = \"{at}\"\nbase_url = \"{BASE}/\"\n"));
    let sync = desk.sync();
    desk.deliver(&mail("ada@customer.test", "hello"));
    wait_until("the thank-you", || desk.sent().len() == 1);
    let sent = crate::support::room::unfolded(desk.sent()[0].as_bytes());
    let list = field(&sent, "List-Unsubscribe").unwrap();
    let key =
        list.strip_prefix(&format!("<{BASE}/unsubscribe/")).unwrap().split('>').next().unwrap().to_owned();
    (desk, sync, at, key)
}

fn subscribed(desk: &TestDesk) -> bool {
    desk.json(&["issue", "show", "1"])["participants"][0]["subscribed"].as_bool().unwrap()
}

#[tokio::test]
async fn where_a_page_is_served_mails_name_it_and_one_click_before_the_address() {
    let mut room = Room::bare().await;
    let config =
        format!("{}[web]\nlisten = \"127.0.0.1:1\"\nbase_url = \"{BASE}\"\n", crate::support::room::CONFIG);
    room.desk.close().await.unwrap();
    room.desk = open(&config, &room.dir, &room.now).await;
    room.ok(Request::AddProject { path: "acme/support".into() }).await;
    room.mail(ADA).await;
    let sent = room.send().await.remove(0);
    let list = field(&sent, "List-Unsubscribe").unwrap();
    assert!(
        list.starts_with(&format!("<{BASE}/unsubscribe/")) && list.contains(">, <mailto:help+"),
        "{list}"
    );
    assert_eq!(field(&sent, "List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    assert!(sent.matches(&format!("{BASE}/unsubscribe/")).count() >= 3, "text and HTML link to it: {sent}");
}

#[test]
fn looking_changes_nothing_and_the_form_does_once_and_back() {
    let (desk, _sync, at, key) = served();
    let path = format!("/unsubscribe/{key}");
    for method in ["GET", "HEAD", "GET"] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        if method == "HEAD" {
            let mut stream = TcpStream::connect(at).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).unwrap();
            assert!(said.starts_with("HTTP/1.1 200") && !said.contains("<html"), "{said}");
        } else {
            let answer = asked(at, &request).unwrap();
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains("<button>Unsubscribe</button>"), "{}", answer.body);
            assert!(answer.body.contains("acme/support#1"), "{}", answer.body);
            assert!(!answer.body.contains("ada@"), "the address is masked: {}", answer.body);
            for field in ["no-store", "no-referrer", "default-src 'none'", "noindex", "nosniff"] {
                assert!(answer.head.contains(field), "{field}: {}", answer.head);
            }
        }
    }
    assert!(subscribed(&desk), "a program that follows links unsubscribes nobody");
    for _ in 0..2 {
        let done = ask(at, "POST", &path, "List-Unsubscribe=One-Click");
        assert_eq!(done.status, 200);
        assert!(done.body.contains("no more mail"), "{}", done.body);
    }
    assert!(!subscribed(&desk));
    let told = |desk: &TestDesk| desk.ok(&["issue", "show", "1"]);
    assert_eq!(told(&desk).matches("ada@customer.test unsubscribed").count(), 1, "{}", told(&desk));
    assert_eq!(ask(at, "POST", &format!("/subscribe/{key}"), "").status, 200);
    assert!(subscribed(&desk));
    assert!(told(&desk).contains("subscribed again"));
}

#[test]
fn what_is_no_link_of_ours_is_refused_and_says_nothing() {
    let (desk, _sync, at, key) = served();
    let long = "k".repeat(500);
    for (method, path, body, status) in [
        ("GET", "/".to_owned(), "", 404),
        ("GET", "/unsubscribe/".to_owned(), "", 404),
        ("POST", "/unsubscribe/nothing".to_owned(), "", 404),
        ("POST", format!("/unsubscribe/{key}/more"), "", 404),
        ("GET", format!("/unsubscribe/{long}"), "", 404),
        ("GET", "/unsubscribe/<script>".to_owned(), "", 400),
        ("GET", "/unsubscribe/..%2f..%2fetc".to_owned(), "", 404),
        ("DELETE", format!("/unsubscribe/{key}"), "", 405),
        ("GET", "/robots.txt".to_owned(), "", 200),
        ("POST", format!("/unsubscribe/{key}"), &"x".repeat(5000), 413),
    ] {
        let answer = ask(at, method, &path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert!(!answer.body.contains("<script"), "{}", answer.body);
    }
    let head = "x".repeat(40_000);
    let flood = asked(at, &format!("GET / HTTP/1.1\r\nHost: x\r\nX-A: {head}\r\n\r\n"));
    assert!(flood.is_none_or(|answer| answer.status >= 400));
    assert!(subscribed(&desk));
    assert_eq!(ask(at, "GET", &format!("/unsubscribe/{key}"), "").status, 200, "it still serves");
}

#[tokio::test]
async fn a_key_leads_to_the_issue_that_its_own_was_merged_into() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.mail(&ADA.replace("<a1@", "<a2@").replace("ada@", "bob@")).await;
    let sent = room.send().await;
    let link = field(&sent[1], "List-Unsubscribe").unwrap();
    let key = link.split('+').nth(1).unwrap().split("-unsubscribe").next().unwrap().to_owned();
    room.edit("acme/support#2", Edit::MergeInto("acme/support#1".parse().unwrap())).await;
    let told = room.desk.subscription(&key).await.unwrap().unwrap();
    assert_eq!((told.reference.as_str(), told.subscribed), ("acme/support#1", true));
    room.desk.subscribe_by_key(&key, false).await.unwrap().unwrap();
    let issue = room.issue("acme/support#1").await;
    let of = |name: &str| {
        issue.participants.iter().find(|p| p.email.as_str().starts_with(name)).unwrap().subscribed
    };
    assert_eq!((of("ada@"), of("bob@")), (true, false));
    assert_eq!(room.desk.subscription("nothing").await.unwrap(), None);
}

#[test]
fn figures_for_prometheus_name_no_person() {
    let at = free();
    let desk = TestDesk::between_maildirs(&format!("[serve]\nmetrics = \"{at}\"\n"));
    let _sync = desk.sync();
    desk.deliver(&mail("ada@customer.test", "hello"));
    wait_until("the thank-you", || desk.sent().len() == 1);
    let figures = ask(at, "GET", "/metrics", "");
    assert!(figures.head.contains("text/plain; version=0.0.4"), "{}", figures.head);
    for line in ["deskbell_stale 0", "deskbell_issues_open 1", "deskbell_issues_waiting_for_us 1"] {
        assert!(figures.body.lines().any(|l| l == line), "{line}: {}", figures.body);
    }
    assert!(figures.body.contains("deskbell_mailbox_up{name=\""), "{}", figures.body);
    assert!(!figures.body.contains('@'), "{}", figures.body);
    for line in figures.body.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    assert_eq!(ask(at, "GET", "/", "").status, 404);
    assert_eq!(ask(at, "POST", "/metrics", "").status, 405);
}

/// A browser that is steered as W3C WebDriver says.
struct Browser {
    driver: Child,
    at: SocketAddr,
    session: String,
    home: tempfile::TempDir,
}

impl Browser {
    fn new() -> Self {
        let (at, home) = (free(), tempfile::tempdir().unwrap());
        let driver = Command::new("chromedriver")
            .arg(format!("--port={}", at.port()))
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut browser = Self { driver, at, session: String::new(), home };
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
        let options = json!({ "args": arguments });
        // Between two pages there is none: what is looked for is waited for, in milliseconds.
        let all = json!({ "goog:chromeOptions": options, "timeouts": { "implicit": 30_000 } });
        let wanted = json!({ "capabilities": { "alwaysMatch": all } });
        let made = browser.call("POST", "/session", &wanted);
        browser.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = ask(self.at, method, path, &body.to_string());
        let value: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer.status, 200, "{path}: {value}");
        value["value"].clone()
    }

    fn open(&self, url: &str) {
        self.call("POST", &format!("{}/url", self.session), &json!({ "url": url }));
    }

    fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.call("POST", &format!("{}/element", self.session), &wanted);
        let id = found.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        format!("{}/element/{id}", self.session)
    }

    fn text(&self, selector: &str) -> String {
        let element = self.element(selector);
        ask_value(self, &format!("{element}/text"))
    }

    fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.call("POST", &format!("{element}/click"), &json!({}));
    }
}

fn ask_value(browser: &Browser, path: &str) -> String {
    let answer = ask(browser.at, "GET", path, "");
    let value: Value = serde_json::from_str(&answer.body).unwrap();
    value["value"].as_str().unwrap_or_default().to_owned()
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = asked(self.at, &format!("DELETE {} HTTP/1.1\r\nHost: {}\r\n\r\n", self.session, self.at));
        let _ = self.driver.kill();
        // A browser whose driver is gone runs on; its profile stands in our folder.
        let _ = Command::new("pkill").args(["-9", "-f"]).arg(self.home.path()).status();
        let _ = self.driver.wait();
    }
}

#[test]
fn in_a_browser_one_press_unsubscribes_and_another_takes_it_back() {
    let (desk, _sync, at, key) = served();
    let browser = Browser::new();
    browser.open(&format!("http://{at}/unsubscribe/{key}"));
    assert!(browser.text("main").contains("gets a mail for each answer to acme/support#1"));
    assert_eq!(browser.text("button"), "Unsubscribe");
    assert!(subscribed(&desk));
    browser.click("button");
    wait_until("the page says so", || browser.text("main").contains("no more mail about acme/support#1"));
    assert!(!subscribed(&desk));
    browser.click("button");
    wait_until("the page says so", || browser.text("main").contains("again"));
    assert!(subscribed(&desk));
}
