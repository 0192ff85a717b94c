//! A web server on a loopback port that answers as a test wants it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// In the order in which they stood, decoded.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, its header lines, a body.
    Says(u16, Vec<(String, String)>, Vec<u8>),
    /// So much of a body that is announced as longer, then the end of the connection.
    Breaks(Vec<u8>),
    /// Nothing; the connection ends.
    Nothing,
}

impl Reply {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let kind = ("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned());
        Self::Says(status, vec![kind], body.to_string().into_bytes())
    }

    pub fn status(status: u16) -> Self {
        Self::Says(status, Vec::new(), Vec::new())
    }

    pub fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Says(status, mut fields, body) => {
                fields.push((name.to_owned(), value.to_owned()));
                Self::Says(status, fields, body)
            }
            other => other,
        }
    }
}

impl Asked {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as a form.
    pub fn form(&self) -> Vec<(String, String)> {
        assert_eq!(self.field("content-type"), Some("application/x-www-form-urlencoded"));
        pairs(std::str::from_utf8(&self.body).unwrap())
    }
}

/// Serves until the test process ends.
pub fn serve(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || talk(stream, answer.as_ref()));
        }
    });
    address
}

fn talk(stream: TcpStream, answer: &impl Fn(&Asked) -> Reply) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(asked) = read(&mut reader) {
        let sent = match answer(&asked) {
            Reply::Says(status, fields, body) => {
                let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
                fields.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(b"\r\n")).and_then(|()| {
                    stream.write_all(&body)?;
                    stream.flush()
                })
            }
            Reply::Breaks(part) => {
                let head = format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n", part.len() + 100);
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&part));
                return;
            }
            Reply::Nothing => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let fields: Vec<(String, String)> = head[1..]
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = fields.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let mut words = head[0].split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Asked { method, path: decoded(path), query: pairs(query), fields, body })
}

/// Reads `a=b&c=d`.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(n, v)| (decoded(n), decoded(v)))
        .collect()
}

/// Reads what stands in a form or an address: a blank as `+`, octets as `%20`.
pub fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).unwrap());
        out.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(out).unwrap()
}
