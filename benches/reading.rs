//! How fast mails are read: parse, verdict and visible text together, against mail-parser's parse alone.
//!
//! `DESKBELL_CORPORA` names a folder of mails or of a Maildir (`…/cur`); without it the mails of `tests/mail` are read. The figure is
//! the ratio of the medians of many rounds over all of them, so 1.0 is as fast as mail-parser alone.
#![allow(clippy::unwrap_used)]

use deskbell::mail::{self, Message, Own, Reading};
use mail_parser::MessageParser;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;

fn main() {
    let (named, folder) = match std::env::var_os("DESKBELL_CORPORA") {
        Some(folder) => (true, PathBuf::from(folder)),
        None => (false, Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail")),
    };
    if !named {
        println!("DESKBELL_CORPORA is not given: the mails of tests/mail are read");
    }
    let mails = mails(&folder);
    let read: Vec<(&[u8], Message)> =
        mails.iter().filter_map(|raw| Some((raw.as_slice(), mail::read(raw).ok()?))).collect();
    let (html, plain): (Vec<_>, Vec<_>) = read.into_iter().partition(|(_, message)| message.html.is_some());
    for (name, part) in [("plain text", plain), ("HTML", html)] {
        print(name, &part);
    }
}

/// Gives every file under a folder that is a mail.
fn mails(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(mails(&path));
        } else if let Ok(bytes) = fs::read(&path)
            && (is_maildir(folder) || path.extension().is_some_and(|kind| kind == "eml" || kind == "txt"))
            && bytes.windows(5).any(|window| window.eq_ignore_ascii_case(b"from:"))
        {
            found.push(bytes);
        }
    }
    found
}

/// Tells whether a folder is one of a Maildir, where every file is a mail whatever its name.
fn is_maildir(folder: &Path) -> bool {
    folder.ends_with("cur") || folder.ends_with("new")
}

/// What one round took.
#[derive(Clone, Copy, Default)]
struct Round {
    parser: Duration,
    reading: Duration,
    judging: Duration,
    showing: Duration,
}

impl Round {
    fn ours(&self) -> Duration {
        self.reading + self.judging + self.showing
    }
}

/// Times every stage over some mails, one mail after the other, and prints the medians of the rounds.
fn print(name: &str, mails: &[(&[u8], Message)]) {
    let octets: usize = mails.iter().map(|(raw, _)| raw.len()).sum();
    let rounds: Vec<Round> = (0..ROUNDS).map(|_| round(mails)).collect();
    let parser = median(&rounds, |round| round.parser);
    let ours = median(&rounds, Round::ours);
    println!("{name}: {} mails, {octets} octets", mails.len());
    println!(
        "  mail-parser {parser:?}; ours {ours:?}: read {:?}, verdict {:?}, visible text {:?}",
        median(&rounds, |round| round.reading),
        median(&rounds, |round| round.judging),
        median(&rounds, |round| round.showing),
    );
    println!("  throughput against mail-parser's: {:.2}", parser.as_secs_f64() / ours.as_secs_f64());
}

fn round(mails: &[(&[u8], Message)]) -> Round {
    let mut all = Round::default();
    for (raw, _) in mails {
        all.parser += timed(|| MessageParser::default().parse(*raw)).1;
        let (message, took) = timed(|| mail::read(raw));
        all.reading += took;
        let Ok(message) = message else { continue };
        all.judging += timed(|| verdict(raw, &message)).1;
        all.showing += timed(|| shown(&message)).1;
    }
    all
}

/// Does some work; gives what came of it and how long it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = black_box(work());
    (done, begun.elapsed())
}

fn shown(message: &Message) -> mail::Visible {
    mail::visible(message, Reading::of(message))
}

fn verdict(raw: &[u8], message: &Message) -> mail::Verdict {
    let own =
        Own { is_ours: &|_| false, our_message_id: &|_| false, own_lists: &[], trusted_authserv_ids: &[] };
    mail::verdict(raw, message, &own)
}

fn median(rounds: &[Round], of: impl Fn(&Round) -> Duration) -> Duration {
    let mut times: Vec<Duration> = rounds.iter().map(of).collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
