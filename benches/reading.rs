//! How fast mails are read: parse, verdict and visible text together, against mail-parser's parse alone.
//!
//! `DESKBELL_CORPORA` names a folder of mails; without it the mails of `tests/mail` are read. The figure is
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
            && path.extension().is_some_and(|kind| kind == "eml" || kind == "txt")
            && bytes.windows(5).any(|window| window.eq_ignore_ascii_case(b"from:"))
        {
            found.push(bytes);
        }
    }
    found
}

/// Times every stage over some mails and prints what it took.
fn print(name: &str, mails: &[(&[u8], Message)]) {
    let octets: usize = mails.iter().map(|(raw, _)| raw.len()).sum();
    let parser = median(|| {
        for (raw, _) in mails {
            black_box(MessageParser::default().parse(*raw));
        }
    });
    let reading = median(|| mails.iter().for_each(|(raw, _)| drop(black_box(mail::read(raw)))));
    let judging = median(|| mails.iter().for_each(|(raw, message)| drop(black_box(verdict(raw, message)))));
    let showing = median(|| mails.iter().for_each(|(_, message)| drop(black_box(shown(message)))));
    let all = median(|| {
        for (raw, _) in mails {
            let Ok(message) = mail::read(raw) else { continue };
            drop(black_box(verdict(raw, &message)));
            drop(black_box(shown(&message)));
        }
    });
    println!("{name}: {} mails, {octets} octets", mails.len());
    println!(
        "  mail-parser {parser:?}; read {reading:?}, verdict {judging:?}, visible text {showing:?}; all {all:?}"
    );
    println!(
        "  ratio of the medians, mail-parser to all of ours: {:.2}",
        parser.as_secs_f64() / all.as_secs_f64()
    );
}

fn shown(message: &Message) -> mail::Visible {
    mail::visible(message, Reading::of(message))
}

fn verdict(raw: &[u8], message: &Message) -> mail::Verdict {
    let own =
        Own { is_ours: &|_| false, our_message_id: &|_| false, own_lists: &[], trusted_authserv_ids: &[] };
    mail::verdict(raw, message, &own)
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}
