//! Backups, older desks, and checking.

use super::super::record::{Changed, Counters, Known};
use super::super::value::Value;
use super::model::copy;
use super::*;
use crate::domain::Verb;
use std::fs;

async fn filled(dir: &Path) -> (Store, RawRef) {
    let store = open(dir).await;
    let raw = store.stash(noise(9000)).await.unwrap();
    for n in 0..60 {
        store.commit(commit(vec![put(&known(n)), put(&counters(n))])).await.unwrap();
    }
    (store, raw)
}

#[tokio::test]
async fn a_backup_taken_while_commits_go_on_is_a_desk_of_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let (store, raw) = filled(&dir.path().join("one")).await;
    let file = dir.path().join("desk.backup");
    let commits = async {
        for n in 100..300 {
            store.commit(commit(vec![put(&known(n)), put(&counters(n))])).await.unwrap();
        }
    };
    let (octets, ()) = futures_util::future::join(store.backup(&file), commits).await;
    assert_eq!(octets.unwrap(), fs::metadata(&file).unwrap().len());

    let two = dir.path().join("two");
    Store::restore(&file, &two).await.unwrap();
    let restored = open(&two).await;
    assert!(restored.last() >= Seq(60));
    assert_eq!(all::<Known>(&restored).await.len() as u64, restored.last().0);
    assert_eq!(restored.get::<Counters>(&[]).await.unwrap().unwrap().seq, restored.last());
    assert!(restored.raw(raw).await.unwrap() == noise(9000));
    assert_eq!(restored.verify().await.unwrap(), Vec::<String>::new());
    let next = Seq(restored.last().0 + 1);
    assert_eq!(restored.commit(commit(vec![])).await.unwrap(), next);
}

#[tokio::test]
async fn a_damaged_backup_restores_nothing_and_a_desk_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = filled(&dir.path().join("one")).await;
    let file = dir.path().join("desk.backup");
    store.backup(&file).await.unwrap();
    let whole = fs::read(&file).unwrap();
    let two = dir.path().join("two");
    for at in (0..whole.len()).step_by(101) {
        let mut bitten = whole.clone();
        bitten[at] ^= 4;
        fs::write(&file, &bitten).unwrap();
        Store::restore(&file, &two).await.unwrap_err();
        fs::write(&file, &whole[..at]).unwrap();
        Store::restore(&file, &two).await.unwrap_err();
        assert_eq!(fs::read_dir(&two).unwrap().count(), 0);
    }
    fs::write(&file, &whole).unwrap();
    Store::restore(&file, &two).await.unwrap();
    let again = Store::restore(&file, &two).await.unwrap_err();
    assert!(again.to_string().contains("a desk"), "{again}");
}

#[tokio::test]
async fn a_backup_that_cannot_be_written_leaves_the_older_one() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = filled(&dir.path().join("one")).await;
    let nowhere = dir.path().join("none/desk.backup");
    assert!(store.backup(&nowhere).await.unwrap_err().to_string().contains("desk.backup"));
}

#[tokio::test]
async fn a_check_beside_commits_loses_none_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let done = std::cell::Cell::new(false);
    let commits = async {
        for n in 0..600 {
            store.commit(commit(vec![put(&counters(n)), put(&known(n))])).await.unwrap();
            assert_eq!(store.get::<Counters>(&[]).await.unwrap().unwrap().record, counters(n));
        }
        done.set(true);
    };
    let checks = async {
        while !done.get() {
            assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
        }
    };
    tokio::join!(commits, checks);
    assert_eq!(store.get::<Counters>(&[]).await.unwrap().unwrap().record, counters(599));
    assert_eq!(all::<Known>(&store).await.len(), 600);
    store.close().await.unwrap();
    let store = open(dir.path()).await;
    assert_eq!(store.get::<Counters>(&[]).await.unwrap().unwrap().record, counters(599));
}

/// Older versions wrote each change with the names of its fields; neither `verify` nor a reader minds.
#[tokio::test]
async fn a_history_written_with_names_is_the_same_history() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.commit(Commit { changes: vec![change(1, "title")], ..commit(vec![]) }).await.unwrap();
    let mut changed = all::<Changed>(&store).await;
    let Kept { seq, record } = changed.remove(0);
    let key = frame::full_key(Tree::History as u8, &record.key());
    let named = Store::encode(&record).unwrap();
    let before = store.trees.get(&key).unwrap().unwrap();
    let named = Value::Here(&named).join(seq);
    assert!(named.len() > before.len());
    store.trees.apply([(key, Some(named))].into(), seq).unwrap();
    assert_eq!(all::<Changed>(&store).await, vec![Kept { seq, record: record.clone() }]);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    let other = Changed { reason: Some("another".into()), ..record };
    let key = frame::full_key(Tree::History as u8, &other.key());
    let stored = Value::Here(&Store::encode(&other).unwrap()).join(seq);
    store.trees.apply([(key, Some(stored))].into(), seq).unwrap();
    assert_eq!(store.verify().await.unwrap().len(), 1);
}

#[tokio::test]
async fn verify_tells_what_differs_from_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = filled(dir.path()).await;
    let key = |n| frame::full_key(Tree::MessageIds as u8, &known(n).key());
    let wrong = [(key(3), None), (key(4), Some(vec![0; 20]))];
    store.trees.apply(wrong.into(), store.last()).unwrap();
    let found = store.verify().await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("MessageIds") && found[1].contains("1 documents"), "{found:?}");
    assert_eq!(store.rebuild().await.unwrap(), 60);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    assert_eq!(all::<Known>(&store).await.len(), 60);

    let segment = dir.path().join("journal/00000001.seg");
    let mut octets = fs::read(&segment).unwrap();
    octets[5000] ^= 1;
    fs::write(&segment, octets).unwrap();
    let found = store.verify().await.unwrap();
    assert!(found[0].contains("00000001") && found[0].contains("damaged"), "{found:?}");
}

#[tokio::test]
async fn trees_that_somebody_else_wrote_to_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = filled(dir.path()).await;
    store.close().await.unwrap();
    let db = sled::open(dir.path().join("trees")).unwrap();
    db.remove(frame::full_key(Tree::MessageIds as u8, &known(3).key())).unwrap();
    drop(db);
    let opened = Store::open_with(dir.path(), small()).await.unwrap();
    assert!(opened.notices[0].contains("not what was written"), "{:?}", opened.notices);
    assert_eq!(all::<Known>(&opened.store).await.len(), 60);
    assert_eq!(opened.store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_copied_data_dir_is_the_same_desk() {
    let dir = tempfile::tempdir().unwrap();
    let (store, raw) = filled(&dir.path().join("one")).await;
    store.close().await.unwrap();
    copy(&dir.path().join("one"), &dir.path().join("two"));
    let opened = Store::open_with(&dir.path().join("two"), small()).await.unwrap();
    assert_eq!(opened.notices, Vec::<String>::new());
    assert_eq!(all::<Known>(&opened.store).await.len(), 60);
    assert!(opened.store.raw(raw).await.unwrap() == noise(9000));
}

#[tokio::test]
async fn a_document_may_not_name_raw_bytes_that_are_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let (store, raw) = filled(dir.path()).await;
    let naming = |raw: &RawRef| {
        let nested = serde_json::json!({ "a": [1, { "raw": raw }] });
        Put { tree: Tree::Notes, key: vec![1], document: Some(rmp_serde::to_vec_named(&nested).unwrap()) }
    };
    store.commit(commit(vec![naming(&raw)])).await.unwrap();
    let wrong = RawRef { segment: 77, ..raw };
    assert!(matches!(store.commit(commit(vec![naming(&wrong)])).await, Err(StoreError::Other(_))));
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    let shifted = RawRef { length: raw.length - 1, ..raw };
    store.commit(commit(vec![naming(&shifted)])).await.unwrap();
    assert_eq!(store.verify().await.unwrap().len(), 1);
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/desk-v1")
}

/// Makes the fixture of the next schema; run by hand.
#[tokio::test]
#[ignore = "makes the fixture"]
async fn make_the_fixture() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let raw = store.stash(b"Subject: old\r\n\r\nAn old mail. ".repeat(20)).await.unwrap();
    let document = Some(rmp_serde::to_vec_named(&raw).unwrap());
    let mail = Put { tree: Tree::Fingerprints, key: b"raw".to_vec(), document };
    for n in 1..=3 {
        let written = Commit {
            request: Some(RequestId(format!("request-{n}"))),
            reason: Some("a reason".into()),
            deed: Some(Deed {
                label: format!("did {n}"),
                undoes: (n == 3).then_some(Seq(1)),
                ..Deed::default()
            }),
            changes: vec![change(n, "title")],
            ..commit(vec![put(&known(n)), put(&counters(n)), mail.clone()])
        };
        store.commit(written).await.unwrap();
    }
    store.close().await.unwrap();
    copy(&dir.path().join("journal"), &fixture().join("journal"));
}

#[tokio::test]
async fn a_desk_of_the_first_schema_still_opens() {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture(), dir.path());
    let store = open(dir.path()).await;
    assert_eq!(store.last(), Seq(3));
    assert_eq!(store.get::<Counters>(&[]).await.unwrap().unwrap().record, counters(3));
    assert_eq!(all::<Known>(&store).await.len(), 3);
    let verbs = all::<Verb>(&store).await;
    assert_eq!(
        verbs.iter().map(|verb| verb.record.undone_by).collect::<Vec<_>>(),
        [Some(Seq(3)), None, None]
    );
    let frames = store.frames(Seq(0), 9).await.unwrap();
    let raw: RawRef = rmp_serde::from_slice(frames[0].puts[2].document.as_ref().unwrap()).unwrap();
    assert_eq!(store.raw(raw).await.unwrap(), b"Subject: old\r\n\r\nAn old mail. ".repeat(20));
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}
