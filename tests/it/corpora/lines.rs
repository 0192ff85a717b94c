//! What peers state of their mails, and where this desk differs by choice.

use deskbell::source::files::walk;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// One mail of a corpus and what its peer states of it.
pub struct Line {
    /// The peer's statement.
    pub says: Value,
    pub raw: Vec<u8>,
    /// The text of the mail, where the peer keeps it in a file.
    pub text: Option<String>,
}

impl Line {
    pub fn file(&self) -> &str {
        self.says["file"].as_str().unwrap_or_default()
    }

    /// Whether what counts is the text of an answer.
    pub fn is_answer(&self) -> bool {
        self.says
            .as_object()
            .is_some_and(|keys| keys.keys().any(|key| key.contains("reply_") || key == "expect_reply"))
            || matches!(self.says["input"].as_str(), Some("body" | "html"))
    }

    /// Gives the texts under a key that holds one or a list of them.
    pub fn texts(&self, key: &str) -> Vec<&str> {
        match &self.says[key] {
            Value::String(one) => vec![one],
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// The names of the corpora that a folder holds.
pub fn corpora(folder: &Path) -> Vec<String> {
    let statements = fs::read_dir(folder.join("expect")).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = statements
        .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Reads the mails of a corpus; a statement that holds only under a setting of the peer is left out.
pub fn lines(folder: &Path, corpus: &str) -> Vec<Line> {
    let text = fs::read_to_string(folder.join("expect").join(format!("{corpus}.jsonl"))).unwrap();
    let says = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    says.filter(|says| says["options"].is_null())
        .flat_map(|says| {
            let text = says["text_file"].as_str().map(|file| decoded(&fs::read(folder.join(file)).unwrap()));
            let mails = mails(&says, &folder.join(says["file"].as_str().unwrap()));
            mails
                .into_iter()
                .map(move |raw| Line { says: says.clone(), raw, text: text.clone() })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Reads a text that is in UTF-8, or else in Latin 1.
fn decoded(bytes: &[u8]) -> String {
    let plain = String::from_utf8(bytes.to_vec());
    plain.unwrap_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect())
}

/// Makes whole mails of what a corpus holds.
fn mails(says: &Value, path: &Path) -> Vec<Vec<u8>> {
    match says["input"].as_str().unwrap_or("mail") {
        "mail" => vec![fs::read(path).unwrap()],
        "body" => vec![wrapped("text/plain", says, &fs::read(path).unwrap())],
        "html" => vec![wrapped("text/html", says, &fs::read(path).unwrap())],
        "mbox" => walk(&[path.to_owned()]).map(|found| found.unwrap().bytes).collect(),
        other => panic!("{says}: the input {other} is not known"),
    }
}

/// Puts a text into a mail that answers another.
fn wrapped(kind: &str, says: &Value, bytes: &[u8]) -> Vec<u8> {
    let name: String = says["file"].as_str().unwrap().chars().filter(char::is_ascii_alphanumeric).collect();
    let head = format!(
        "From: Ada <ada@customer.example>\r\nTo: help@desk.example\r\nMessage-ID: <{name}@customer.example>\r\nSubject: Re: Cart\r\n\
         MIME-Version: 1.0\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    );
    [head.as_bytes(), bytes].concat()
}

/// Where this desk differs from a peer by choice.
#[derive(Deserialize)]
pub struct Difference {
    pub corpus: String,
    pub file: String,
    pub kind: String,
    /// What the desk does.
    pub ours: String,
    pub why: String,
}

/// Reads the list of differences that stands beside this file.
pub fn differences() -> Vec<Difference> {
    #[derive(Deserialize)]
    struct List {
        difference: Vec<Difference>,
    }
    let list = toml::from_str::<List>(include_str!("differences.toml")).unwrap().difference;
    let mut once = BTreeSet::new();
    for entry in &list {
        assert!(once.insert((&entry.file, &entry.kind)), "{} {} stands there twice", entry.file, entry.kind);
        assert!(
            !entry.ours.trim().is_empty() && entry.why.len() > 60,
            "{}: say what we do, and why",
            entry.file
        );
    }
    list
}
