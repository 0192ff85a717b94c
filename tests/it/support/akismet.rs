//! A stand-in for Akismet: takes what its API 1.1 takes, refuses what that refuses, says what that says.

use super::web::decoded;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// The one key it knows; `CARGO_PKG_NAME` holds it.
pub const KEY: &str = env!("CARGO_PKG_NAME");
const SITE: &str = "https://desk.example/";
/// The fields of its documentation that we may send.
const FIELDS: &[&str] = &[
    "api_key",
    "key",
    "blog",
    "user_ip",
    "user_agent",
    "permalink",
    "comment_type",
    "comment_author",
    "comment_author_email",
    "comment_content",
    "blog_lang",
    "blog_charset",
    "is_test",
];

/// One call as it came: the path and the fields of the form.
pub type Call = (String, BTreeMap<String, String>);

/// An answer in place of the usual one.
#[derive(Clone)]
pub enum Instead {
    /// A status, further header lines and a body.
    Answer(u16, &'static str, String),
    /// Nothing at all; the connection stays open.
    Silence,
}

/// The service on a loopback port; it ends with the test process.
pub struct Akismet {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    instead: Arc<Mutex<Option<Instead>>>,
}

impl Akismet {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let service = Self { address, calls: Arc::default(), instead: Arc::default() };
        let (calls, instead) = (service.calls.clone(), service.instead.clone());
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(call) = read(&stream) else { continue };
                let answer = instead.lock().unwrap().clone().unwrap_or_else(|| answer(&call));
                calls.lock().unwrap().push(call);
                match answer {
                    Instead::Answer(status, header, body) => {
                        let length = body.len();
                        let head = format!(
                            "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n"
                        );
                        let _ = write!(stream, "{head}{header}\r\n{body}");
                    }
                    Instead::Silence => held.push(stream),
                }
            }
        });
        service
    }

    /// The value of `endpoint` in the config.
    pub fn endpoint(&self) -> String {
        format!("http://{}/1.1", self.address)
    }

    /// The calls since this was last asked.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Answers every call in this way from now on.
    pub fn say(&self, instead: Option<Instead>) {
        *self.instead.lock().unwrap() = instead;
    }
}

fn read(stream: &TcpStream) -> Option<Call> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_lowercase());
    }
    let field =
        |name: &str| head.iter().find_map(|line| line.strip_prefix(name)).map(|v| v.trim().to_owned());
    let mut body = vec![0; field("content-length:")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let (method, path) = head[0].split_once(' ')?;
    assert_eq!(method, "post");
    assert_eq!(field("content-type:").as_deref(), Some("application/x-www-form-urlencoded"));
    let agent = field("user-agent:").unwrap();
    assert!(agent.starts_with("deskbell/") && agent.contains(" | "), "{agent}");
    let body = String::from_utf8(body).unwrap();
    let pairs = body.split('&').map(|pair| pair.split_once('=').unwrap());
    let form: Vec<_> = pairs.map(|(name, value)| (decoded(name), decoded(value))).collect();
    let path = path.split(' ').next()?.to_owned();
    let count = form.len();
    let form: BTreeMap<String, String> = form.into_iter().collect();
    assert_eq!(form.len(), count, "a field came twice");
    Some((path, form))
}

fn answer((path, form): &Call) -> Instead {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let invalid = |why: String| {
        Instead::Answer(200, "", "invalid".to_owned()).with_header(format!("X-akismet-debug-help: {why}\r\n"))
    };
    if let Some(unknown) = form.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return invalid(format!("Unknown field {unknown}"));
    }
    if field("blog") != SITE {
        return invalid("Empty \"blog\" value".to_owned());
    }
    let right = field("api_key") == KEY;
    if path == "/1.1/verify-key" {
        return Instead::Answer(200, "", if right { "valid" } else { "invalid" }.to_owned());
    }
    if !right {
        return invalid("We were unable to parse your API key".to_owned());
    }
    if field("user_ip").parse::<IpAddr>().is_err() {
        return invalid("Empty \"user_ip\" value".to_owned());
    }
    if field("comment_content").is_empty() || field("blog_charset") != "UTF-8" {
        return invalid("Empty \"comment_content\" value".to_owned());
    }
    // Its documentation names this author and this address for trials.
    let spam = field("comment_author") == "akismet-guaranteed-spam"
        || field("comment_author_email") == "akismet-guaranteed-spam@example.com";
    match path.as_str() {
        "/1.1/comment-check" if spam => {
            Instead::Answer(200, "X-akismet-pro-tip: discard\r\n", "true".to_owned())
        }
        "/1.1/comment-check" => Instead::Answer(200, "", "false".to_owned()),
        "/1.1/submit-spam" | "/1.1/submit-ham" => {
            Instead::Answer(200, "", "Thanks for making the web a better place.".to_owned())
        }
        _ => Instead::Answer(404, "", "Not found".to_owned()),
    }
}

impl Instead {
    fn with_header(self, header: String) -> Self {
        match self {
            Self::Answer(status, _, body) => Self::Answer(status, header.leak(), body),
            Self::Silence => self,
        }
    }
}
