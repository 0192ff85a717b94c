//! How fast a desk of 100,000 issues is searched; run by hand, in release.

use super::*;
use std::time::Instant;

/// A vocabulary in which low numbers are common.
fn word(n: u64) -> String {
    let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n >> 7;
    x ^= x >> 29;
    let rank = ((x % 1_000_003) as f64 / 1_000_003.0).powi(4) * 60_000.0;
    format!("w{}", rank as u64)
}

fn body(seed: u64) -> String {
    (0..120).map(|n| word(seed * 131 + n)).collect::<Vec<_>>().join(" ")
}

fn some_issue(id: u64) -> Issue {
    let title = format!("{} {} {}", word(id), word(id + 7), word(id + 13));
    let mut issue = issue(id, &title);
    issue.author.email = EmailAddress::parse(&format!("c{}@example.com", id % 20_000));
    issue.state = if id.is_multiple_of(3) { State::Open } else { State::Closed };
    issue.waiting_on = id.is_multiple_of(5).then_some(Party::Us);
    issue.waiting_since = issue.waiting_on.map(|_| at((id % 997) as i64));
    issue.assignee =
        id.is_multiple_of(4).then(|| if id.is_multiple_of(8) { "alice" } else { "bob" }.to_owned());
    issue.labels = if id.is_multiple_of(6) { ["bug".to_owned()].into() } else { Default::default() };
    issue.spam = id.is_multiple_of(50);
    issue
}

#[test]
#[ignore = "a measurement: cargo test --release --lib index::tests::speed -- --ignored --nocapture"]
fn a_large_desk_is_searched_at_once() {
    let issues: u64 = std::env::var("ISSUES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    let started = Instant::now();
    index.apply(Seq(1), &[project()]);
    for id in 1..=issues {
        let notes = [0, 1].map(|n| Update::Note(note(id * 2 + n, id, &body(id * 2 + n))));
        index.apply(Seq(id + 1), &[Update::Issue(some_issue(id))]);
        index.apply(Seq(id + 1), &notes);
    }
    println!("apply {issues} issues, {} notes: {:?}", issues * 2, started.elapsed());
    index.flush();
    println!("and on disk: {:?}; resident {} MiB", started.elapsed(), resident());
    for query in [
        "",
        "is:open",
        "is:open waiting:us sort:waiting",
        "is:mine is:open",
        "is:unread",
        "from:c77@",
        "participant:c77",
        "label:bug",
        "title:w1",
        "sort:title",
        "sort:priority",
        "w0",
        "w1 w2",
        "w59000",
        "w5*",
        "\"w0 w1\"",
        "-w0",
        "#77",
    ] {
        measure(&index, query);
    }
    let mut times: Vec<_> = (1..=200u64)
        .map(|id| {
            let started = Instant::now();
            let found = index.similar((IssueId(id), &word(id), &body(id * 2), ""), &viewer(), 10);
            assert!(!found.is_empty());
            started.elapsed()
        })
        .collect();
    times.sort();
    println!("similar: {:?} (95 of 100 {:?}, most {:?})", times[100], times[190], times[199]);
    let started = Instant::now();
    println!("labels {} in {:?}", index.labels(&viewer()).len(), started.elapsed());
    index.close();
    let files: Vec<_> = std::fs::read_dir(dir.path().join("index")).unwrap().map(Result::unwrap).collect();
    let bytes: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    let segments = files.iter().filter(|file| file.path().extension().is_some_and(|e| e == "idx")).count();
    println!("{segments} segments, {} MiB", bytes >> 20);
    reload(&dir, issues);
}

/// Opens the index anew and brings the rows back, as at the start of the desk.
fn reload(dir: &TempDir, issues: u64) {
    let documents: Vec<_> = (1..=issues)
        .map(|id| {
            let notes = [0, 1].map(|n| Update::Note(note(id * 2 + n, id, "")));
            (Seq(id + 1), Update::Issue(some_issue(id)), notes)
        })
        .collect();
    let started = Instant::now();
    let (index, seq) = open(dir);
    println!("opened in {:?}", started.elapsed());
    for (written, issue, notes) in &documents {
        index.load(*written, std::slice::from_ref(issue));
        index.load(*written, notes);
    }
    index.loaded(seq);
    println!("and rows loaded: {:?}", started.elapsed());
    drop(documents);
    println!(
        "a row is {} octets; resident {} MiB",
        size_of::<crate::domain::query::IssueFacts>(),
        resident()
    );
}

fn measure(index: &Index, query: &str) {
    let parsed = Query::parse(query).unwrap();
    let mut times: Vec<_> = (0..21)
        .map(|_| {
            let started = Instant::now();
            let found = index.find(&parsed, &viewer(), 0, 50);
            let rows = index.rows(&found.issues, &viewer());
            (started.elapsed(), found.total, rows.len())
        })
        .collect();
    times.sort();
    let (median, total, rows) = times[10];
    println!("{query:>32}  {total:>7} found, {rows} rows: {median:?} (most {:?})", times[20].0);
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
