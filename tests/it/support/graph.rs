//! A stand-in for Microsoft Graph and for Entra's token endpoint: the wire of Microsoft's documentation of v1.0,
//! its pages, refusals and pauses.

use super::{
    provider::no,
    web::{Asked, Reply, serve},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

pub const USER: &str = "desk@acme.example";

/// A mail in the mailbox.
#[derive(Clone, Debug)]
pub struct Mail {
    pub id: String,
    pub received: String,
    pub read: bool,
    pub folder: String,
    pub mime: Vec<u8>,
}

pub struct State {
    address: Option<SocketAddr>,
    pub mails: Vec<Mail>,
    /// Mails that were sent, decoded.
    pub sent: Vec<String>,
    /// Answers for the next request whose method and path hold these words.
    pub faults: VecDeque<(&'static str, Reply)>,
    /// What was asked, as `GET /v1.0/…`.
    pub asked: Vec<String>,
    /// Mails of one page, whatever is asked for.
    pub page: usize,
    pub tokens: u32,
    /// Tokens up to this one are good no more.
    pub stale: u32,
}

pub struct Graph {
    pub state: Arc<Mutex<State>>,
    address: SocketAddr,
}

impl Graph {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            address: None,
            mails: Vec::new(),
            sent: Vec::new(),
            faults: VecDeque::new(),
            asked: Vec::new(),
            page: 3,
            tokens: 0,
            stale: 0,
        }));
        let shared = state.clone();
        let address = serve(move |asked| shared.lock().unwrap().answer(asked));
        state.lock().unwrap().address = Some(address);
        Self { state, address }
    }

    /// The line of the application in a config.
    pub fn options(&self) -> String {
        format!(
            "inbox_options = {{ tenant_id = \"acme.example\", client_id = \"the-app\", client_secret_command = \
             \"echo the-s3cret\", poll_interval = 1, azure_ad_endpoint = \"http://{0}\", graph_endpoint = \"http://{0}/\" }}\n",
            self.address
        )
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// Puts a mail into the inbox.
    pub fn deliver(&self, id: &str, received: &str, mime: &[u8]) {
        let (id, received) = (id.to_owned(), received.to_owned());
        let mail = Mail { id, received, read: false, folder: "inbox".to_owned(), mime: mime.to_vec() };
        self.with(|state| state.mails.push(mail));
    }

    pub fn fault(&self, words: &'static str, reply: Reply) {
        self.with(|state| state.faults.push_back((words, reply)));
    }

    /// Takes what was asked so far.
    pub fn asked(&self) -> Vec<String> {
        self.with(|state| std::mem::take(&mut state.asked))
    }

    /// Each mail as `id`, with `*` where it is unread, and its folder where that is another.
    pub fn mails(&self) -> Vec<String> {
        let shown = |mail: &Mail| {
            let folder = if mail.folder == "inbox" { "" } else { mail.folder.as_str() };
            format!("{}{}{folder}", mail.id, if mail.read { "" } else { "*" })
        };
        self.with(|state| state.mails.iter().map(shown).collect())
    }
}

/// An error as Graph writes it.
pub fn error(status: u16, code: &str) -> Reply {
    let inner = json!({ "date": "2026-03-02T09:00:00", "request-id": "r-1" });
    Reply::json(
        status,
        &json!({ "error": { "code": code, "message": format!("It is {code}."), "innerError": inner } }),
    )
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let line = format!("{} {}", asked.method, asked.path);
        self.asked.push(line.clone());
        if let Some(at) = self.faults.iter().position(|(words, _)| line.contains(words)) {
            return self.faults.remove(at).unwrap().1;
        }
        if line == "POST /acme.example/oauth2/v2.0/token" {
            return self.token(asked);
        }
        let token = format!("Bearer app-s3cret-{}", self.tokens);
        if asked.field("authorization") != Some(&token) || self.tokens <= self.stale {
            return error(401, "InvalidAuthenticationToken");
        }
        assert_eq!(asked.field("prefer"), Some("IdType=\"ImmutableId\""));
        let Some(rest) = asked.path.strip_prefix("/v1.0/users/") else { return error(400, "BadRequest") };
        let (user, rest) = rest.split_once('/').unwrap();
        if user != USER {
            return error(404, "ErrorInvalidUser");
        }
        let parts: Vec<&str> = rest.split('/').collect();
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["mailFolders"]) => folders(asked),
            ("GET", ["mailFolders", folder @ ("inbox" | "folder-7")]) => {
                let count = self.mails.iter().filter(|mail| mail.folder == *folder).count();
                Reply::json(200, &json!({ "id": folder, "totalItemCount": count }))
            }
            ("GET", ["mailFolders", folder @ ("inbox" | "folder-7"), "messages"]) => self.list(folder, asked),
            ("GET", ["messages", id, "$value"]) => match self.mail(id) {
                Some(mail) => {
                    Reply::Says(200, vec![("Content-Type".into(), "text/plain".into())], mail.mime.clone())
                }
                None => error(404, "ErrorItemNotFound"),
            },
            ("PATCH", ["messages", id]) => {
                let body: Value = serde_json::from_slice(&asked.body).unwrap();
                assert_eq!(body, json!({ "isRead": true }));
                match self.mail(id) {
                    Some(mail) => {
                        mail.read = true;
                        Reply::json(200, &json!({ "id": id, "isRead": true }))
                    }
                    None => error(404, "ErrorItemNotFound"),
                }
            }
            ("DELETE", ["messages", id]) => {
                let count = self.mails.len();
                self.mails.retain(|mail| mail.id != *id);
                if self.mails.len() == count { error(404, "ErrorItemNotFound") } else { Reply::status(204) }
            }
            ("POST", ["messages", id, "move"]) => {
                let body: Value = serde_json::from_slice(&asked.body).unwrap();
                let folder = body["destinationId"].as_str().unwrap().to_owned();
                assert_eq!(folder, "folder-7");
                match self.mail(id) {
                    Some(mail) => {
                        mail.folder = folder;
                        Reply::json(201, &json!({ "id": id }))
                    }
                    None => error(404, "ErrorItemNotFound"),
                }
            }
            ("POST", ["sendMail"]) => self.send(asked),
            _ => error(400, "BadRequest"),
        }
    }

    fn mail(&mut self, id: &str) -> Option<&mut Mail> {
        self.mails.iter_mut().find(|mail| mail.id == id)
    }

    fn token(&mut self, asked: &Asked) -> Reply {
        let form = asked.form();
        let get = |name: &str| form.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
        assert_eq!(get("grant_type"), "client_credentials");
        assert_eq!(get("scope"), format!("http://{}/.default", self.address.unwrap()));
        if get("client_id") != "the-app" || get("client_secret") != "the-s3cret" {
            return no("invalid_client");
        }
        self.tokens += 1;
        let token = format!("app-s3cret-{}", self.tokens);
        Reply::json(
            200,
            &json!({ "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token }),
        )
    }

    fn list(&self, folder: &str, asked: &Asked) -> Reply {
        let filter = asked.param("$filter").unwrap();
        let order = asked.param("$orderby");
        // What is sorted by has to stand in the filter.
        if order.is_some_and(|order| !filter.contains(order.split(' ').next().unwrap())) {
            return error(400, "InefficientFilter");
        }
        let mut found: Vec<&Mail> = self
            .mails
            .iter()
            .filter(|mail| mail.folder == folder)
            .filter(|mail| match filter.strip_prefix("receivedDateTime ge ") {
                Some(since) => mail.received.as_str() >= since,
                None => {
                    assert_eq!(filter, "isRead eq false");
                    !mail.read
                }
            })
            .collect();
        found.sort_by_key(|mail| mail.received.clone());
        let skip: usize = asked.param("$skip").map_or(0, |skip| skip.parse().unwrap());
        let rows: Vec<Value> = found.iter().skip(skip).take(self.page).map(|mail| row(mail)).collect();
        let mut body = json!({ "@odata.context": "…", "value": rows });
        if skip + self.page < found.len() {
            let query = format!("%24skip={}&%24filter={}", skip + self.page, filter.replace(' ', "%20"));
            let path = asked.path.clone();
            body["@odata.nextLink"] = format!("http://{}{path}?{query}", self.address.unwrap()).into();
        }
        Reply::json(200, &body)
    }

    fn send(&mut self, asked: &Asked) -> Reply {
        assert_eq!(asked.field("content-type"), Some("text/plain"));
        if asked.body.len() > 4_000_000 {
            return Reply::status(413);
        }
        let Ok(mime) = STANDARD.decode(&asked.body) else {
            return error(400, "ErrorMimeContentInvalidBase64String");
        };
        self.sent.push(String::from_utf8_lossy(&mime).into_owned());
        Reply::status(202).with("request-id", "r-42")
    }
}

fn row(mail: &Mail) -> Value {
    json!({
        "@odata.etag": "W/\"1\"", "id": mail.id, "receivedDateTime": mail.received, "isRead": mail.read,
        "flag": { "flagStatus": "notFlagged" }, "internetMessageId": format!("<{}@customer.test>", mail.id),
    })
}

fn folders(asked: &Asked) -> Reply {
    let found = match asked.param("$filter") {
        Some("displayName eq 'Desk''s own'") => {
            vec![json!({ "id": "folder-7", "displayName": "Desk's own" })]
        }
        _ => vec![],
    };
    Reply::json(200, &json!({ "value": found }))
}
