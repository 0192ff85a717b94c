//! Peers' test mails, taken in by a real desk: what it made of each against what the peer states of it.
//!
//! `DESKBELL_CORPORA` names their folder; without it there is nothing to look at, and the run says so.
//! `DESKBELL_CORPORA_SHOW` prints what was seen where a statement does not hold: `all`, or a part of
//! `corpus/kind`.

mod checks;
mod intake;
mod lines;
mod score;

use checks::Case;
use deskbell::mail::{self, Reading};
use lines::Line;
use score::Scores;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// What must hold of a group of statements.
struct Target {
    name: &'static str,
    kinds: &'static [&'static str],
    /// The share that is aimed at.
    target: f64,
    /// The share below which the test fails: what was reached, where that is less.
    floor: f64,
}

const TARGETS: &[Target] = &[
    Target { name: "mails with a fate", kinds: &["fate"], target: 1.0, floor: 1.0 },
    Target { name: "mails whose text is kept", kinds: &["nothing lost"], target: 1.0, floor: 1.0 },
    Target {
        name: "texts of answers",
        kinds: &["reply", "reply starts", "reply has", "reply lacks"],
        target: 0.95,
        floor: 0.95,
    },
    Target { name: "texts of opening mails", kinds: &["opening"], target: 0.98, floor: 0.98 },
    Target {
        name: "bounces, automatic mails and complaints",
        kinds: &["bounce", "automatic", "complaint"],
        target: 0.995,
        floor: 0.995,
    },
    Target {
        name: "persons' mails that are no bounces",
        kinds: &["person's, no bounce"],
        target: 1.0,
        floor: 1.0,
    },
    Target { name: "persons' mails", kinds: &["person"], target: 0.98, floor: 0.98 },
    Target {
        name: "recipients of bounces, for good or for now",
        kinds: &["recipients", "delayed", "permanent"],
        target: 0.95,
        floor: 0.95,
    },
    Target { name: "subjects", kinds: &["subject"], target: 0.98, floor: 0.98 },
    Target { name: "senders", kinds: &["sender", "sender's name"], target: 0.98, floor: 0.98 },
    Target { name: "attachments", kinds: &["attachments", "attachment"], target: 0.98, floor: 0.98 },
    Target { name: "bytes of attachments", kinds: &["attachment's bytes"], target: 1.0, floor: 1.0 },
];

/// Longest time that reading one mail may take.
const SLOWEST: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn peers_mails_read_as_their_peers_say() {
    let Some(folder) = std::env::var_os("DESKBELL_CORPORA") else {
        say("DESKBELL_CORPORA is not given: peers' mails were not looked at");
        return;
    };
    let folder = Path::new(&folder);
    let begun = Instant::now();
    let names = lines::corpora(folder);
    let runs = names.iter().map(|name| tokio::spawn(run(folder.to_owned(), name.clone())));
    let mut scores = Scores::default();
    for run in runs.collect::<Vec<_>>() {
        scores.join(run.await.unwrap());
    }
    let differences = lines::differences();
    let idle = scores.set_apart(&differences);
    let shares: Vec<String> = TARGETS.iter().map(|target| share(&scores, target)).collect();
    say(&format!("{}\nall of it took {:?}\n{}", scores.report(), begun.elapsed(), shares.join("\n")));
    assert!(idle.is_empty(), "no difference any more, take these from the list: {idle:?}");
    let slow = scores.slowest.0 > SLOWEST;
    let missed: Vec<&str> =
        TARGETS.iter().filter(|target| scores.share(target.kinds).0 < target.floor).map(|t| t.name).collect();
    assert!(missed.is_empty() && !slow, "below the floor: {missed:?}; too slow: {slow}");
}

/// Says something that stands in the output of every run, also of one that goes well.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(format!("{text}\n").as_bytes());
}

/// Says what a group of statements came to.
fn share(scores: &Scores, target: &Target) -> String {
    let (share, of) = scores.share(target.kinds);
    let short = if share < target.target { ", SHORT OF IT" } else { "" };
    let (is, wanted) = (100.0 * share, 100.0 * target.target);
    format!("{:45} {is:6.2} % of {of:4}, target {wanted} %{short}", target.name)
}

/// Takes one corpus in and compares.
async fn run(folder: std::path::PathBuf, corpus: String) -> Scores {
    let lines = lines::lines(&folder, &corpus);
    let made = intake::take_in(&lines).await;
    let mut scores = Scores::default();
    for (line, made) in lines.iter().zip(&made) {
        scores.mails.insert(line.file().to_owned());
        let (message, verdict, took) = read(line);
        scores.slowest = std::mem::take(&mut scores.slowest).max((took, line.file().to_owned()));
        let case = Case {
            corpus: &corpus,
            line,
            made: made.as_ref(),
            message: message.as_ref(),
            verdict: verdict.as_ref(),
        };
        case.check(&mut scores);
    }
    scores
}

/// Reads a mail by itself, for what the intake does not keep; tells how long that took.
fn read(line: &Line) -> (Option<mail::Message>, Option<mail::Verdict>, Duration) {
    let begun = Instant::now();
    let message = mail::read(&line.raw).ok();
    let verdict = message.as_ref().map(|message| checks::verdict(&line.raw, message));
    let _ = message.as_ref().map(|message| mail::visible(message, Reading::of(message)));
    (message, verdict, begun.elapsed())
}
