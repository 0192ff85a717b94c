//! Commits, as one who uses the store sees them.

use super::super::record::{Carried, Changed, Counters, Known, text_key, verb_key};
use super::*;
use crate::domain::Verb;
use futures_util::future::join_all;

fn deed(label: &str, undoes: Option<Seq>) -> Option<Deed> {
    Some(Deed { label: label.into(), undoes, undoable: true, ..Deed::default() })
}

#[tokio::test]
async fn what_was_committed_stands_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let raw = store.stash(b"Subject: hello".repeat(100)).await.unwrap();
    assert_eq!(store.commit(commit(vec![put(&counters(2))])).await.unwrap(), Seq(1));
    assert_eq!(store.commit(commit(vec![put(&counters(3)), put(&known(1))])).await.unwrap(), Seq(2));
    store.close().await.unwrap();

    let opened = Store::open(dir.path()).await.unwrap();
    assert_eq!(opened.notices, Vec::<String>::new());
    let store = opened.store;
    assert_eq!(store.last(), Seq(2));
    let kept = store.get::<Counters>(&[]).await.unwrap();
    assert_eq!(kept, Some(Kept { seq: Seq(2), record: counters(3) }));
    assert_eq!(store.raw(raw).await.unwrap(), b"Subject: hello".repeat(100));
    assert_eq!(store.commit(commit(vec![])).await.unwrap(), Seq(3));
}

#[tokio::test]
async fn commits_at_the_same_time_get_gapless_sequences() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let commits = (0..200).map(|n| store.commit(commit(vec![put(&known(n))])));
    let mut seqs: Vec<u64> = join_all(commits).await.into_iter().map(|seq| seq.unwrap().0).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=200).collect::<Vec<_>>());
    assert_eq!(all::<Known>(&store).await.len(), 200);
    let frames = store.frames(Seq(150), 20).await.unwrap();
    assert_eq!(frames.iter().map(|frame| frame.seq.0).collect::<Vec<_>>(), (151..=170).collect::<Vec<_>>());
    assert_eq!(store.frames(Seq(200), 20).await.unwrap().len(), 0);
}

#[tokio::test]
async fn commits_go_on_while_documents_cannot_go_to_sled() {
    const DOCUMENTS: u64 = 27_000;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    // As while a check reads all of them.
    let trees = Arc::clone(&store.trees);
    let (tell, begun) = std::sync::mpsc::channel();
    let (go_on, waits) = std::sync::mpsc::channel::<()>();
    let check = tokio::task::spawn_blocking(move || {
        let begin = |_| {
            tell.send(()).unwrap();
            waits.recv().unwrap();
            Ok(())
        };
        trees.each_at_rest(begin, |_, _| Ok(()))
    });
    begun.recv().unwrap();
    // More than are held back before some of them go.
    for first in (0..DOCUMENTS).step_by(500) {
        store.commit(commit((first..first + 500).map(|n| put(&known(n))).collect())).await.unwrap();
    }
    store.commit(commit(vec![Put { document: None, ..put(&known(7)) }])).await.unwrap();
    let left = usize::try_from(DOCUMENTS).unwrap() - 1;
    assert_eq!(all::<Known>(&store).await.len(), left);
    go_on.send(()).unwrap();
    check.await.unwrap().unwrap();
    assert_eq!(all::<Known>(&store).await.len(), left);
    store.close().await.unwrap();
    let opened = Store::open(dir.path()).await.unwrap();
    assert_eq!((opened.notices.len(), all::<Known>(&opened.store).await.len()), (0, left));
}

#[tokio::test]
async fn an_expectation_that_does_not_hold_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let expect = |written| Expectation { tree: Tree::Counters, key: Vec::new(), written };
    let with = |written, n| Commit { expectations: vec![expect(written)], ..commit(vec![put(&counters(n))]) };
    assert_eq!(store.commit(with(None, 5)).await.unwrap(), Seq(1));
    assert!(matches!(store.commit(with(None, 6)).await, Err(StoreError::Conflict)));
    assert_eq!(store.commit(with(Some(Seq(1)), 7)).await.unwrap(), Seq(2));
    assert!(matches!(store.commit(with(Some(Seq(1)), 8)).await, Err(StoreError::Conflict)));
    assert_eq!(store.last(), Seq(2));
    assert_eq!(store.get::<Counters>(&[]).await.unwrap().unwrap().record, counters(7));
}

#[tokio::test]
async fn of_racing_commits_with_one_expectation_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let expectation = Expectation { tree: Tree::Counters, key: Vec::new(), written: None };
    let racing = (0..50).map(|n| {
        store.commit(Commit { expectations: vec![expectation.clone()], ..commit(vec![put(&counters(n))]) })
    });
    let won = join_all(racing).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_repeated_request_tells_what_it_became() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let request = || Commit {
        request: Some(RequestId("r1".into())),
        deed: deed("closed #1", None),
        ..commit(vec![put(&counters(9))])
    };
    let both = join_all([store.commit(request()), store.commit(request())]).await;
    assert!(matches!(both[0], Ok(Seq(1))));
    assert!(matches!(&both[1], Err(StoreError::Repeated { user, seq: Seq(1) }) if user == "ada"));
    store.close().await.unwrap();
    let store = open(dir.path()).await;
    assert!(matches!(store.commit(request()).await, Err(StoreError::Repeated { seq: Seq(1), .. })));
    assert_eq!(store.last(), Seq(1));
    let carried = store.get::<Carried>(&text_key("r1")).await.unwrap().unwrap();
    assert_eq!((carried.seq, carried.record.seq), (Seq(1), Seq(1)));
}

#[tokio::test]
async fn verbs_and_history_follow_from_frames() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let first = Commit {
        deed: deed("closed #7", None),
        changes: vec![change(7, "state"), change(7, "labels"), change(8, "state")],
        reason: Some("done".into()),
        ..commit(vec![])
    };
    store.commit(first).await.unwrap();
    let second =
        Commit { deed: deed("undid", Some(Seq(1))), changes: vec![change(7, "state")], ..commit(vec![]) };
    store.commit(second).await.unwrap();

    let verbs = all::<Verb>(&store).await;
    assert_eq!(verbs.len(), 2);
    assert_eq!((verbs[0].seq, verbs[0].record.undone_by), (Seq(2), Some(Seq(2))));
    assert_eq!(verbs[0].record.changes.len(), 3);
    let issue = Key::new().number(7).octets();
    let history: Vec<Kept<Changed>> = store.scan(&issue, None, 10, Direction::Up).await.unwrap();
    let listed: Vec<_> =
        history.iter().map(|kept| (kept.record.seq.0, kept.record.change.field.as_str())).collect();
    assert_eq!(listed, [(1, "state"), (1, "labels"), (2, "state")]);
    assert_eq!(history[0].record.reason.as_deref(), Some("done"));
    let last = store.get::<Verb>(&verb_key("ada", Seq(2))).await.unwrap().unwrap();
    assert_eq!(last.record.undone_by, None);
}

#[tokio::test]
async fn a_scan_goes_both_ways_and_stays_within_its_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let puts = [(1, 1), (1, 2), (1, 3), (2, 1), (256, 1)].map(|(project, iid)| {
        put(&record::Number {
            project: crate::domain::ProjectId(project),
            iid,
            issue: IssueId(project * 1000 + iid),
        })
    });
    store.commit(commit(puts.to_vec())).await.unwrap();
    let prefix = Key::new().number(1).octets();
    let at = |iid| Key::new().number(1).number(iid).octets();
    let scan = async |from: Option<Vec<u8>>, limit, direction| -> Vec<u64> {
        let found = store.scan::<record::Number>(&prefix, from.as_deref(), limit, direction).await.unwrap();
        found.into_iter().map(|kept| kept.record.iid).collect()
    };
    assert_eq!(scan(None, 10, Direction::Up).await, [1, 2, 3]);
    assert_eq!(scan(Some(at(1)), 10, Direction::Up).await, [2, 3]);
    assert_eq!(scan(Some(at(3)), 10, Direction::Up).await, [0_u64; 0]);
    assert_eq!(scan(None, 2, Direction::Down).await, [3, 2]);
    assert_eq!(scan(Some(at(2)), 10, Direction::Down).await, [1]);
    assert_eq!(scan(Some(at(1)), 10, Direction::Down).await, [0_u64; 0]);
    assert_eq!(scan(Some(at(9)), 10, Direction::Down).await, [3, 2, 1]);
    assert_eq!(scan(Some(Key::new().number(0).octets()), 10, Direction::Up).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_document_taken_away_is_gone_and_may_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.commit(commit(vec![put(&known(1))])).await.unwrap();
    store.commit(commit(vec![Put { document: None, ..put(&known(1)) }])).await.unwrap();
    assert_eq!(all::<Known>(&store).await, []);
    let expectation = Expectation { tree: Tree::MessageIds, key: known(1).key(), written: None };
    let again = Commit { expectations: vec![expectation], ..commit(vec![put(&known(1))]) };
    assert_eq!(store.commit(again).await.unwrap(), Seq(3));
}

#[tokio::test]
async fn raw_bytes_of_any_size_and_kind_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for bytes in [vec![], b"x".to_vec(), vec![0; 50 << 20], noise(3_000_000)] {
        let raw = store.stash(bytes.clone()).await.unwrap();
        assert_eq!(raw.size, bytes.len() as u64);
        assert!(store.raw(raw).await.unwrap() == bytes);
        for wrong in [
            RawRef { offset: raw.offset + 1, ..raw },
            RawRef { length: raw.length + 1, ..raw },
            RawRef { size: raw.size + 1, ..raw },
            RawRef { length: 0, ..raw },
            RawRef { offset: u64::MAX, ..raw },
            RawRef { segment: 99, ..raw },
        ] {
            store.raw(wrong).await.unwrap_err();
        }
    }
}

#[tokio::test]
async fn followers_are_told_of_every_commit_and_read_it_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let mut news = store.subscribe();
    let puts: Vec<Put> = (0..1200).map(|n| put(&known(n))).collect();
    let asked = Commit { request: Some(RequestId("r".into())), reason: Some("why".into()), ..commit(puts) };
    store.commit(asked).await.unwrap();
    news.changed().await.unwrap();
    assert_eq!(*news.borrow(), Seq(1));
    let frames = store.frames(Seq(0), 10).await.unwrap();
    assert_eq!((frames.len(), frames[0].puts.len()), (1, 1200));
    assert_eq!(frames[0].reason.as_deref(), Some("why"));
    assert_eq!(all::<Known>(&store).await.len(), 1200);
}

#[tokio::test]
async fn a_second_opener_is_told_so_and_a_closed_store_answers() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    assert!(matches!(Store::open(dir.path()).await, Err(StoreError::Taken)));
    let other = store.clone();
    store.close().await.unwrap();
    assert!(matches!(other.commit(commit(vec![])).await, Err(StoreError::Closed)));
    assert!(matches!(other.get::<Counters>(&[]).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn many_raw_bytes_share_records_and_come_back_each_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap().store;
    let all: Vec<Arc<Vec<u8>>> = (0..300).map(|n| Arc::new(noise(n * 11))).collect();
    let places = store.stash_all(all.clone()).await.unwrap();
    let records: std::collections::BTreeSet<u64> = places.iter().map(|raw| raw.offset).collect();
    assert!((2..10).contains(&records.len()), "{records:?}");
    for (bytes, raw) in all.iter().zip(&places) {
        assert!(store.raw(*raw).await.unwrap() == **bytes);
    }
    let last = places[299];
    for wrong in [RawRef { from: last.from + 1, ..last }, RawRef { from: u64::MAX, ..last }] {
        store.raw(wrong).await.unwrap_err();
    }
}

#[tokio::test]
async fn large_documents_stand_apart_and_read_like_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    // Of a tree whose documents stand apart; what they hold is nothing to the store.
    let large = |n: u64| Put {
        tree: Tree::Intake,
        key: Key::new().number(n).octets(),
        document: Some(rmp_serde::to_vec_named(&"x".repeat(n as usize * 100)).unwrap()),
    };
    let puts: Vec<Put> = (0..60).map(large).collect();
    store.commit(commit(puts.clone())).await.unwrap();
    let trees = store.trees.scan(&[Tree::Intake as u8], None, usize::MAX, Direction::Up).unwrap();
    assert_eq!(trees.len(), 60);
    assert!(trees.iter().all(|stored| stored.len() < 300), "the trees hold their places");
    assert_eq!(store.frames(Seq(0), 1).await.unwrap()[0].puts, puts);
    let mut reading = Reading::new(&store.shelf);
    for (stored, put) in trees.iter().zip(&puts) {
        let (seq, value) = Value::split(stored).unwrap();
        assert_eq!((seq, Some(reading.document(value).unwrap())), (Seq(1), put.document.clone()));
    }
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    assert_eq!(store.rebuild().await.unwrap(), 1);
    let again = store.trees.scan(&[Tree::Intake as u8], None, usize::MAX, Direction::Up).unwrap();
    assert_eq!(again, trees);
}
