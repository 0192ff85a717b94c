//! Figures, printed by hand: `cargo test --lib store::tests::figures -- --ignored --nocapture`.

use super::super::record::Known;
use super::*;
use futures_util::future::join_all;
use std::time::Instant;

/// Peak of the resident memory in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

fn rate(what: &str, count: u64, since: Instant) {
    let seconds = since.elapsed().as_secs_f64();
    println!(
        "{what}: {:.0} per second ({count} in {seconds:.2} s), peak {} MiB",
        count as f64 / seconds,
        peak()
    );
}

/// About what one mail writes.
fn mail(n: u64) -> Commit {
    let document = || Some(noise(700));
    let at = |tree, key: Vec<u8>| Put { tree, key, document: document() };
    commit(vec![
        at(Tree::Issues, record::issue_key(IssueId(n / 4))),
        at(Tree::Notes, Key::new().number(n / 4).number(n).octets()),
        put(&known(n)),
        put(&counters(n)),
        at(Tree::Intake, Key::new().number(n).octets()),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn speed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap().store;
    let begun = Instant::now();
    for n in 0..1000 {
        store.commit(mail(n)).await.unwrap();
    }
    rate("commits one by one", 1000, begun);
    let begun = Instant::now();
    for round in 0..490_u64 {
        let first = 1000 + round * 100;
        assert!(
            join_all((first..first + 100).map(|n| store.commit(mail(n)))).await.iter().all(Result::is_ok)
        );
    }
    rate("commits, 100 at a time", 49_000, begun);
    let text = include_str!("../../store.rs").repeat(4).into_bytes();
    let begun = Instant::now();
    for _ in 0..1000 {
        store.stash(text.clone()).await.unwrap();
    }
    rate("stash of text, octets", 1000 * text.len() as u64, begun);
    let begun = Instant::now();
    for n in 0..20_000 {
        store.get::<Known>(&known(n * 2).key()).await.unwrap().unwrap();
    }
    rate("gets", 20_000, begun);
    let begun = Instant::now();
    let listed = all::<Known>(&store).await.len() as u64;
    rate("scanned records", listed, begun);
    let begun = Instant::now();
    rate("rebuilt frames", store.rebuild().await.unwrap(), begun);
    let begun = Instant::now();
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    rate("verified frames", 50_000, begun);
    let begun = Instant::now();
    rate("backup octets", store.backup(&dir.path().join("b")).await.unwrap(), begun);
    let begun = Instant::now();
    store.close().await.unwrap();
    println!("close {:?}", begun.elapsed());
    let begun = Instant::now();
    let store = Store::open(dir.path()).await.unwrap().store;
    println!("open after a clean end {:?}, peak {} MiB", begun.elapsed(), peak());
    store.close().await.unwrap();
    let state = dir.path().join("state");
    let left = std::fs::read_to_string(&state).unwrap();
    std::fs::write(&state, left.replace("\"clean\":true", "\"clean\":false")).unwrap();
    let begun = Instant::now();
    let store = Store::open(dir.path()).await.unwrap().store;
    println!("open after a kill {:?}", begun.elapsed());
    store.close().await.unwrap();
    let size = |name| {
        std::process::Command::new("du").arg("-sm").arg(dir.path().join(name)).output().unwrap().stdout
    };
    println!("{}{}", String::from_utf8_lossy(&size("journal")), String::from_utf8_lossy(&size("trees")));
}

#[tokio::test]
#[ignore = "takes long"]
async fn many_small_keys_stay_within_memory() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap().store;
    let before = peak();
    for round in 0..20 {
        let puts = (0..10_000_u64).map(|n| Put {
            tree: Tree::ReadMarks,
            key: Key::new().number((n * 7919) % 10_000).number(round).octets(),
            document: Some(vec![0; 12]),
        });
        store.commit(commit(puts.collect())).await.unwrap();
    }
    println!("from {before} to {} MiB", peak());
    assert!(peak() - before < 400);
    store.close().await.unwrap();
}
