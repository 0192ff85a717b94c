//! How fast mails are read: parse, verdict and visible text together, against mail-parser's parse alone.
//!
//! The mails are told apart by what is shown of them: a plain text that came alone, a plain text beside HTML, or the
//! HTML. With the last goes the time that html5ever needs for the tree alone, which no reading of HTML is below.
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
    let (rendered, beside): (Vec<_>, Vec<_>) = html.into_iter().partition(|(_, message)| shown(message).html);
    let parts = [("plain text", plain), ("plain text beside HTML", beside), ("HTML", rendered)];
    for (name, mails) in &parts {
        print(name, mails);
    }
    print("all", &parts.into_iter().flat_map(|(_, mails)| mails).collect::<Vec<_>>());
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
    /// The tree of the HTML alone, where that is what is shown.
    tree: Duration,
}

impl Round {
    fn ours(&self) -> Duration {
        self.reading + self.judging + self.showing
    }
}

/// Times every stage over some mails, one mail after the other, and prints the medians of the rounds.
fn print(name: &str, mails: &[(&[u8], Message)]) {
    if mails.is_empty() {
        return;
    }
    let octets: usize = mails.iter().map(|(raw, _)| raw.len()).sum();
    let rounds: Vec<Round> = (0..ROUNDS).map(|_| round(mails)).collect();
    let parser = median(&rounds, |round| round.parser);
    let ours = median(&rounds, Round::ours);
    let ratio = |time: Duration| time.as_secs_f64() / parser.as_secs_f64();
    println!("{name}: {} mails, {octets} octets", mails.len());
    println!("  throughput against mail-parser's: {:.2}", 1.0 / ratio(ours));
    println!("  time: mail-parser {parser:?}, ours {ours:?}; in parts of mail-parser's:");
    println!(
        "  read {:.2}, verdict {:.2}, visible text {:.2}; html5ever's tree alone {:.2}",
        ratio(median(&rounds, |round| round.reading)),
        ratio(median(&rounds, |round| round.judging)),
        ratio(median(&rounds, |round| round.showing)),
        ratio(median(&rounds, |round| round.tree)),
    );
}

fn round(mails: &[(&[u8], Message)]) -> Round {
    let mut all = Round::default();
    for (raw, _) in mails {
        all.parser += timed(|| MessageParser::default().parse(*raw)).1;
        let (message, took) = timed(|| mail::read(raw));
        all.reading += took;
        let Ok(message) = message else { continue };
        all.judging += timed(|| verdict(raw, &message)).1;
        let (visible, took) = timed(|| shown(&message));
        all.showing += took;
        if let Some(html) = message.html.as_deref().filter(|_| visible.html) {
            all.tree += timed(|| html2text::config::plain().parse_html(html.as_bytes())).1;
        }
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
