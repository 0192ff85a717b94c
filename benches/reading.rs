//! How fast mails are read: parse, verdict and visible text together, against mail-parser alone.
//!
//! mail-parser's side is a whole parse, all text bodies as text ([`body_text`], which turns HTML into text where nothing
//! else stands there) and the identifiers in References. Both sides count until what they made is given back to the
//! allocator. What the parse alone takes is printed beside it.
//!
//! [`body_text`]: mail_parser::Message::body_text
//!
//! The allocator of both sides is that of the program. Each side is timed as a whole, mail by mail; the parts of ours are
//! timed in a run of their own, in which reading the clock takes its share as well.
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

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
    /// mail-parser's parse, without the text bodies.
    parse: Duration,
    /// All of ours.
    ours: Duration,
    reading: Duration,
    judging: Duration,
    showing: Duration,
    /// The tree of the HTML alone, where that is what is shown.
    tree: Duration,
}

/// Times every stage over some mails, one mail after the other, and prints the medians of the rounds.
fn print(name: &str, mails: &[(&[u8], Message)]) {
    if mails.is_empty() {
        return;
    }
    let octets: usize = mails.iter().map(|(raw, _)| raw.len()).sum();
    let rounds: Vec<Round> = (0..ROUNDS).map(|_| round(mails)).collect();
    let parser = median(&rounds, |round| round.parser);
    let ours = median(&rounds, |round| round.ours);
    let ratio = |time: Duration| time.as_secs_f64() / parser.as_secs_f64();
    let parse = ratio(median(&rounds, |round| round.parse));
    println!("{name}: {} mails, {octets} octets", mails.len());
    println!("  throughput against mail-parser's: {:.2}", 1.0 / ratio(ours));
    println!("  against mail-parser's parse alone: {:.2}", parse / ratio(ours));
    println!("  time: mail-parser {parser:?}, ours {ours:?}; in parts of mail-parser's:");
    println!(
        "  read {:.2}, verdict {:.2}, visible text {:.2}; html5ever's tree alone {:.2}",
        ratio(median(&rounds, |round| round.reading)),
        ratio(median(&rounds, |round| round.judging)),
        ratio(median(&rounds, |round| round.showing)),
        ratio(median(&rounds, |round| round.tree)),
    );
}

/// Has each side read all mails in a run of its own, so that neither finds a mail near that the other has just read.
fn round(mails: &[(&[u8], Message)]) -> Round {
    let mut all = Round::default();
    let parser = MessageParser::default();
    for (raw, _) in mails {
        all.parser += timed(|| parsed(&parser, raw)).1;
    }
    for (raw, _) in mails {
        all.parse += timed(|| drop(black_box(parser.parse(*raw)))).1;
    }
    for (raw, _) in mails {
        all.ours += timed(|| read(raw)).1;
    }
    for (raw, _) in mails {
        let (message, took) = timed(|| mail::read(raw));
        all.reading += took;
        let Ok(message) = message else { continue };
        all.judging += timed(|| drop(black_box(verdict(raw, &message)))).1;
        let (visible, took) = timed(|| shown(&message));
        all.showing += took + timed(|| drop(visible)).1;
        all.reading += timed(|| drop(message)).1;
    }
    for (_, message) in mails.iter().filter(|(_, message)| shown(message).html) {
        let html = message.html.as_deref().unwrap_or_default();
        all.tree += timed(|| html2text::config::plain().parse_html(html.as_bytes())).1;
    }
    all
}

/// Has mail-parser do what can be had of it: a parse, all text bodies, and the references. Gives how much there was.
fn parsed(parser: &MessageParser, raw: &[u8]) -> usize {
    let Some(message) = parser.parse(raw) else { return 0 };
    let bodies = 0..message.text_body_count();
    let text: usize = bodies.filter_map(|at| message.body_text(at)).map(|text| text.len()).sum();
    text + message.references().as_text_list().map_or(0, |list| list.len())
}

/// Reads a mail, and gives all back that was made of it.
fn read(raw: &[u8]) {
    if let Ok(message) = mail::read(raw) {
        black_box((verdict(raw, &message), shown(&message)));
    }
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
