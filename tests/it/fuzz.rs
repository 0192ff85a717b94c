//! The fuzz targets over their kept inputs, and over mutations of those that are the same in every run.

#[path = "../../fuzz/targets.rs"]
mod targets;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Mutations of one target, and how long they may take.
const MUTATIONS: u64 = 3000;
const TIME: Duration = Duration::from_millis(1500);
/// Longer inputs only take longer.
const OCTETS: usize = 20_000;

/// A generator of numbers that gives the same ones every time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// Pieces that mean something to one reader or another.
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n\n",
    b"--",
    b"\"",
    b"<",
    b">",
    b"=?utf-8?q?",
    b"?=",
    b"=",
    b"%{",
    b"}",
    b"\0",
    b"\xff\xfe",
    b"boundary=",
    b"Content-Type: multipart/signed; boundary=b\r\n",
    b"<table>",
    b"</td>",
    b"<blockquote>",
    b"-----BEGIN PGP SIGNED MESSAGE-----\n",
    b":",
    b";",
    b"@",
    b"[",
    b"]",
    b"\"\"\"",
    "\u{202e}".as_bytes(),
    b"\x1b[",
    b"Subject: ",
    b"> ",
    b"is:",
    b"-",
    b"created:>",
    b"\xc7\xff\xff",
    b"\xdf\xff\xff\xff\xff",
];

fn mutated(numbers: &mut Numbers, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = inputs[numbers.below(inputs.len())].clone();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(bytes.len() + 1);
        let end = (at + numbers.below(40)).min(bytes.len());
        match numbers.below(6) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, PIECES[numbers.below(PIECES.len())].iter().copied())),
            2 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again.repeat(1 + numbers.below(8)));
            }
            4 => {
                let other = &inputs[numbers.below(inputs.len())];
                let from = numbers.below(other.len() + 1);
                bytes.splice(at..end, other[from..].iter().copied());
            }
            _ => bytes.truncate(at.max(1)),
        }
        bytes.truncate(OCTETS);
    }
    bytes
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn run(name: &str) {
    let (_, target) = targets::TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut inputs = files(&tests.join("fuzz-corpus").join(name));
    if matches!(name, "parse" | "visible" | "verdict" | "sealed") {
        inputs.extend(files(&tests.join("mail")));
    }
    assert!(!inputs.is_empty());
    inputs.iter().for_each(|input| target(input));
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let begun = Instant::now();
    for number in 0..MUTATIONS {
        let input = mutated(&mut numbers, &inputs);
        let done = std::panic::catch_unwind(|| target(&input));
        assert!(done.is_ok(), "{name}, mutation {number}: {:?}", String::from_utf8_lossy(&input));
        if begun.elapsed() > TIME {
            break;
        }
    }
}

#[test]
fn every_target_has_its_test() {
    let own = include_str!("fuzz.rs");
    for (name, _) in targets::TARGETS {
        assert!(own.contains(&format!("run(\"{name}\")")), "{name}");
    }
}

#[test]
fn nothing_breaks_parse() {
    run("parse");
}

#[test]
fn nothing_breaks_visible() {
    run("visible");
}

#[test]
fn nothing_breaks_html() {
    run("html");
}

#[test]
fn nothing_breaks_verdict() {
    run("verdict");
}

#[test]
fn nothing_breaks_sealed() {
    run("sealed");
}

#[test]
fn nothing_breaks_address() {
    run("address");
}

#[test]
fn nothing_breaks_template() {
    run("template");
}

#[test]
fn nothing_breaks_query() {
    run("query");
}

#[test]
fn nothing_breaks_config() {
    run("config");
}

#[test]
fn nothing_breaks_frame() {
    run("frame");
}
