//! A process that commits, killed at any moment.

use super::super::record::{Known, Number};
use super::*;
use crate::domain::ProjectId;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// Tells the child which data dir is meant; without it the child's test does nothing.
const DIR: &str = "DESKBELL_TEST_KILL_DIR";
const KILLS: u64 = 30;

fn options() -> Options {
    Options { segment_size: 16 << 10, reserve: 0, ..Options::default() }
}

fn mail(n: u64) -> Vec<u8> {
    let mut mail = format!("Subject: {n}\r\n\r\n").into_bytes();
    mail.extend(noise((n % 7 * 300) as usize));
    mail
}

/// A commit whose two documents and raw bytes stand together or not at all.
async fn step(store: &Store, n: u64) -> u64 {
    let raw = store.stash(mail(n)).await.unwrap();
    let number = Number { project: ProjectId(raw.offset), iid: n, issue: IssueId(n) };
    let key = Key::new().number(n).octets();
    let place = Put { tree: Tree::Notes, key, document: Some(rmp_serde::to_vec_named(&raw).unwrap()) };
    let written = Commit {
        request: Some(RequestId(format!("{n}"))),
        ..commit(vec![put(&known(n)), Put { key: Key::new().number(n).octets(), ..put(&number) }, place])
    };
    store.commit(written).await.unwrap().0
}

/// Not a test of its own: what the killed process runs.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open_with(Path::new(&dir), options()).await.unwrap().store;
        let mut n = store.last().0 + 1;
        loop {
            let batch = n % 5 + 1;
            let seqs = join_all((n..n + batch).map(|n| step(&store, n))).await;
            let mut out = std::io::stdout();
            for (n, seq) in (n..).zip(seqs) {
                writeln!(out, "ack {n} {seq}").unwrap();
            }
            out.flush().unwrap();
            n += batch;
        }
    });
}

fn start(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "store::tests::kill::child", "--nocapture", "--test-threads", "1"]);
    command.env(DIR, dir).stdout(Stdio::piped()).spawn().unwrap()
}

/// Lets it commit until it told of so many, kills it, and gives all that it told.
fn run_and_kill(dir: &Path, lines: usize) -> BTreeMap<u64, u64> {
    let mut child = start(dir);
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = Vec::new();
    while told.len() < lines {
        match out.next() {
            Some(line) => told.extend(acknowledged(&line.unwrap())),
            None => panic!("the child ended by itself"),
        }
    }
    child.kill().unwrap();
    told.extend(out.map_while(Result::ok).filter_map(|line| acknowledged(&line)));
    child.wait().unwrap();
    told.into_iter().collect()
}

fn acknowledged(line: &str) -> Option<(u64, u64)> {
    // The harness may write its own words in front of the first line.
    let mut numbers = line.split_once("ack ")?.1.split(' ').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

async fn check(dir: &Path, told: &BTreeMap<u64, u64>) {
    let store = Store::open_with(dir, options()).await.unwrap().store;
    let knowns: BTreeMap<String, Seq> = all::<Known>(&store)
        .await
        .into_iter()
        .map(|kept| (kept.record.message_id.as_str().to_owned(), kept.seq))
        .collect();
    let numbers = all::<Number>(&store).await;
    assert_eq!((knowns.len(), store.last().0), (numbers.len(), knowns.len() as u64));
    for kept in &numbers {
        let id = known(kept.record.iid).message_id.as_str().to_owned();
        assert_eq!(knowns.get(&id), Some(&kept.seq));
    }
    for (n, seq) in told {
        let id = known(*n).message_id.as_str().to_owned();
        assert_eq!(knowns.get(&id), Some(&Seq(*seq)), "acknowledged {n}");
    }
    for (seq, frame) in (1..).zip(store.frames(Seq(0), usize::MAX).await.unwrap()) {
        assert_eq!(frame.seq.0, seq);
        let document = frame.puts[2].document.clone().unwrap();
        let n = u64::from_be_bytes(frame.puts[2].key[..8].try_into().unwrap());
        let raw: RawRef = rmp_serde::from_slice(&document).unwrap();
        assert!(store.raw(raw).await.unwrap() == mail(n));
    }
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    store.close().await.unwrap();
}

#[tokio::test]
async fn every_acknowledged_commit_survives_a_kill_and_none_is_torn() {
    let dir = tempfile::tempdir().unwrap();
    let mut told = BTreeMap::new();
    for kill in 0..KILLS {
        told.extend(run_and_kill(dir.path(), (kill * 7 % 23) as usize));
        if kill % 6 == 5 {
            check(dir.path(), &told).await;
        }
    }
    assert!(told.len() > 100);
}
