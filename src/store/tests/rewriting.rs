//! What must vanish does, nothing else, and a stop at any moment changes nothing about that.

use super::super::record::{Known, Place, intake_key};
use super::super::scan::{Scan, Step};
use super::model::copy;
use super::*;
use crate::domain::{Border, Cut, Fate, IntakeEntry, IntakeId, ProjectId};
use std::fs;

const SECRET: &str = "the secret word";

fn entry(n: u64, raw: RawRef, subject: &str) -> IntakeEntry {
    IntakeEntry {
        id: IntakeId(n),
        arrival: Default::default(),
        received_at: Timestamp::UNIX_EPOCH,
        message_id: None,
        from: Some(format!("someone-{n}@x.example")),
        to: vec![],
        subject: Some(format!("{subject} {}", "and a long line ".repeat(20))),
        size: 1,
        fate: Fate::Issue,
        issue: None,
        note: None,
        project: None,
        reason: String::new(),
        raw: Some(raw),
        fingerprint: format!("{n}"),
        silent: false,
        opinions: vec![],
        spam_since: None,
        purged: false,
        owners_only: false,
    }
}

/// A desk on which the secret stands in documents apart and here, in keys, changes and mails. Gives the places of
/// the mails.
async fn filled(dir: &Path) -> (Store, Vec<RawRef>) {
    let store = open(dir).await;
    let mut raws = Vec::new();
    for n in 0..40 {
        let mails = [n, n + 100]
            .map(|n| Arc::new(format!("mail {n}: {SECRET} {}", "x".repeat(n as usize)).into_bytes()));
        let both = store.stash_all(mails.to_vec()).await.unwrap();
        let subject = if n % 3 == 0 { SECRET } else { "something" };
        let entries = [entry(n, both[0], subject), entry(n + 100, both[1], "other")];
        let message_id = MessageId::parse(&format!("<secret-{n}@x.example>")).unwrap();
        let place = Place { project: ProjectId(1), issue: IssueId(n), note: None, outbox: None };
        let known = Known { message_id, places: vec![place] };
        let puts = vec![put(&entries[0]), put(&entries[1]), put(&known)];
        let change = Change { before: serde_json::json!(SECRET), ..change(n, "title") };
        store.commit(Commit { changes: vec![change], ..commit(puts) }).await.unwrap();
        raws.extend(both);
    }
    (store, raws)
}

fn scrub() -> Scrub {
    let cut = |text: &str, with: &str| Cut { text: text.into(), with: with.into(), border: Border::Any };
    Scrub {
        everywhere: vec![
            cut(SECRET, "(gone)"),
            Cut { border: Border::Address, ..cut("secret-7@x.example", "gone-7@x.example") },
        ],
        ..Scrub::default()
    }
}

/// Every octet of a data dir, packed and unpacked.
fn octets(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            if path.extension().is_some_and(|end| end == "seg") {
                all.extend(unpacked(&path, &bytes));
            }
            all.extend(bytes);
        }
    }
    all
}

fn unpacked(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let header = segment::SegmentHeader::decode(&bytes[..segment::HEADER as usize]).unwrap();
    let mut all = Vec::new();
    let mut scan = Scan::new(path, &header, segment::HEADER, bytes.len() as u64, true).unwrap();
    loop {
        let (offset, record) = match scan.step().unwrap() {
            Step::Raw(offset, record) | Step::Frame(offset, record, _) => (offset, record),
            Step::End => return all,
            Step::Bad(offset) => panic!("{}: {offset}", path.display()),
        };
        let payload = &bytes[(offset + segment::RECORD) as usize..(offset + record.whole()) as usize];
        all.extend(record.unpack(payload.to_vec()).unwrap());
    }
}

fn holds(dir: &Path, text: &str) -> bool {
    memchr::memmem::find(&octets(dir), text.as_bytes()).is_some()
}

async fn check(store: &Store, dir: &Path) {
    assert!(!holds(dir, SECRET) && !holds(dir, "secret-7@"), "something is left");
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    let entries = all::<IntakeEntry>(store).await;
    assert_eq!(entries.len(), 80);
    for Kept { record, .. } in entries {
        let raw = store.raw(record.raw.unwrap()).await.unwrap();
        let wanted = if record.id.0 < 100 {
            b"emptied".to_vec()
        } else {
            format!("mail {}: (gone) {}", record.id, "x".repeat(record.id.0 as usize)).into_bytes()
        };
        assert_eq!(String::from_utf8(raw).unwrap(), String::from_utf8(wanted).unwrap());
        let gone = record.id.0 < 100 && record.id.0 % 3 == 0;
        assert_eq!(record.subject.unwrap().starts_with("(gone)"), gone);
    }
    assert_eq!(all::<Known>(store).await.len(), 40);
    let known = text_key_of("<gone-7@x.example>");
    assert!(store.get::<Known>(&known).await.unwrap().is_some());
}

fn text_key_of(id: &str) -> Vec<u8> {
    super::super::record::text_key(MessageId::parse(id).unwrap().as_str())
}

/// What the desk does: raw bytes that hold the secret are given anew, those of the first half emptied.
async fn whole_scrub(store: &Store, raws: &[RawRef]) -> (Scrub, Option<Spool>) {
    let mut spool = store.spool().unwrap();
    spool.share(raws.iter().step_by(2).copied(), b"emptied").unwrap();
    for raw in raws.iter().skip(1).step_by(2) {
        let bytes = String::from_utf8(store.raw(*raw).await.unwrap()).unwrap();
        spool.put(*raw, bytes.replace(SECRET, "(gone)").as_bytes()).unwrap();
    }
    (Scrub { spooled: spool.spans(), ..scrub() }, Some(spool))
}

/// Gives the places of the mails as they are now, in the order in which they were stashed.
async fn raws_of_all(store: &Store) -> Vec<RawRef> {
    let entries = all::<IntakeEntry>(store).await;
    let raw = |n: u64| entries.iter().find(|kept| kept.record.id.0 == n).unwrap().record.raw.unwrap();
    (0..40).flat_map(|n| [raw(n), raw(n + 100)]).collect()
}

/// The same as versions before the spool did it.
async fn whole_scrub_of_old(store: &Store, raws: &[RawRef]) -> Scrub {
    let mut wanted = scrub();
    for (n, raw) in raws.iter().enumerate() {
        let bytes = String::from_utf8(store.raw(*raw).await.unwrap()).unwrap();
        let instead = if n % 2 == 0 { "emptied".into() } else { bytes.replace(SECRET, "(gone)") };
        wanted.raws.push((*raw, serde_bytes::ByteBuf::from(instead.into_bytes())));
    }
    wanted
}

#[tokio::test]
async fn what_an_older_version_promised_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let (store, raws) = filled(dir.path()).await;
    let promise = rmp_serde::to_vec_named(&whole_scrub_of_old(&store, &raws).await).unwrap();
    store.close().await.unwrap();
    fs::write(dir.path().join("rewrite"), promise).unwrap();
    let store = open(dir.path()).await;
    store.fulfil().unwrap();
    check(&store, dir.path()).await;
}

#[tokio::test]
async fn what_was_gathered_and_not_promised_leaves_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (store, raws) = filled(dir.path()).await;
    let spools = || {
        let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("rewrite")).count()
    };
    let (_, spool) = whole_scrub(&store, &raws).await;
    assert_eq!(spools(), 1);
    drop(spool);
    assert_eq!(spools(), 0);
    std::mem::forget(whole_scrub(&store, &raws).await);
    store.close().await.unwrap();
    let store = open(dir.path()).await;
    assert_eq!(spools(), 0, "a stop leaves it, the next opening takes it away");
    let (scrub, spool) = whole_scrub(&store, &raws).await;
    store.rewrite(scrub, spool).await.unwrap();
    assert_eq!(spools(), 2, "the promise, and what it names");
    store.fulfil().unwrap();
    assert_eq!(spools(), 0);
}

#[tokio::test]
async fn what_is_gathered_outlives_the_promise_before_and_another_who_wants_to_open_the_desk() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = filled(dir.path()).await;
    store.rewrite(Scrub::default(), None).await.unwrap();
    let (scrub, spool) = whole_scrub(&store, &raws_of_all(&store).await).await;
    store.fulfil().unwrap();
    assert!(matches!(Store::open(dir.path()).await, Err(StoreError::Taken)));
    store.rewrite(scrub, spool).await.unwrap();
    store.fulfil().unwrap();
    check(&store, dir.path()).await;
}

#[tokio::test]
async fn what_fails_before_the_new_journal_is_in_its_place_leaves_no_draft() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = filled(dir.path()).await;
    // No fate is called so, and the document would not read any more.
    let place = site(Tree::Intake, intake_key(IntakeId(1)));
    let scrub =
        Scrub { fields: [(place, vec!["fate".to_owned()])].into(), blank: "(gone)".into(), ..scrub() };
    store.rewrite(scrub, None).await.unwrap_err();
    for name in ["journal.new", "trees.replayed", "trees.new", "rewrite"] {
        assert!(!dir.path().join(name).exists(), "{name}");
    }
    assert!(store.promised().unwrap().is_none() && holds(dir.path(), SECRET));
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    let (scrub, spool) = whole_scrub(&store, &raws_of_all(&store).await).await;
    store.rewrite(scrub, spool).await.unwrap();
    store.fulfil().unwrap();
    check(&store, dir.path()).await;
}

#[tokio::test]
async fn room_is_wanted_for_another_journal_and_the_documents_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = filled(dir.path()).await;
    let octets = |name: &str| files::octets(&dir.path().join(name));
    let room = super::super::rewriting::room(&store.shelf, &store.trees.dir);
    assert!(octets("trees") > 0);
    assert!(room >= octets("journal") + 2 * octets("trees"), "{room}");
}

#[tokio::test]
async fn what_must_vanish_does_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (store, raws) = filled(dir.path()).await;
    let frames = store.frames(Seq(0), 1000).await.unwrap();
    assert!(holds(dir.path(), SECRET));
    let (scrub, spool) = whole_scrub(&store, &raws).await;
    store.rewrite(scrub, spool).await.unwrap();
    store.fulfil().unwrap();
    check(&store, dir.path()).await;
    let after = store.frames(Seq(0), 1000).await.unwrap();
    assert_eq!(after.len(), frames.len());
    for (before, after) in frames.iter().zip(&after) {
        assert_eq!((before.seq, before.at, before.puts.len()), (after.seq, after.at, after.puts.len()));
        assert_eq!(after.changes[0].before, "(gone)");
        assert_eq!(after.changes[0].after, before.changes[0].after);
    }
    // It goes on, and what was stashed before cannot be named any more.
    store.commit(commit(vec![put(&known(1))])).await.unwrap();
    store.commit(commit(vec![put(&entry(500, raws[0], "late"))])).await.unwrap_err();
    store.close().await.unwrap();
    let store = open(dir.path()).await;
    assert_eq!(store.last(), Seq(41));
    assert!(store.promised().unwrap().is_none());
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

/// What was written over again and again leaves no room behind in the documents.
#[tokio::test]
async fn documents_written_anew_take_the_room_of_their_last_versions() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap().store;
    let wide = |n: u64, turn: u64| {
        let message_id = MessageId::parse(&format!("<{n:0>100}@x.example>")).unwrap();
        let place = Place { project: ProjectId(1), issue: IssueId(turn), note: None, outbox: None };
        put(&Known { message_id, places: vec![place; 80] })
    };
    for turn in 0..10 {
        store.commit(commit((0..500).map(|n| wide(n, turn)).collect())).await.unwrap();
    }
    store.rebuild().await.unwrap();
    let room = || fs::metadata(dir.path().join("trees/db")).unwrap().len();
    let before = room();
    let documents = all::<Known>(&store).await;
    store.rewrite(Scrub::default(), None).await.unwrap();
    store.fulfil().unwrap();
    assert_eq!(all::<Known>(&store).await, documents);
    store.close().await.unwrap();
    assert!(room() * 3 < before * 2, "{before} octets before, {} after", room());
    assert_eq!(open(dir.path()).await.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_stop_at_any_moment_is_followed_by_the_whole_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (store, raws) = filled(&at("before")).await;
    copy(&at("before"), &at("stopped"));
    let (scrub, spool) = whole_scrub(&store, &raws).await;
    store.rewrite(scrub, spool).await.unwrap();
    drop(store);
    let promise = fs::read(at("before").join("rewrite")).unwrap();
    let gathered = fs::read(at("before").join("rewrite.raws")).unwrap();
    let new = at("before").join("journal");

    let stop = |name: &str, arrange: &dyn Fn(&Path)| {
        let place = at(name);
        copy(&at("stopped"), &place);
        fs::write(place.join("rewrite"), &promise).unwrap();
        fs::write(place.join("rewrite.raws"), &gathered).unwrap();
        arrange(&place);
        place
    };
    let places = [
        stop("promised", &|_| {}),
        stop("half drawn up", &|place| {
            fs::create_dir(place.join("journal.new")).unwrap();
            fs::copy(new.join("00000001.seg"), place.join("journal.new/00000001.seg")).unwrap();
        }),
        stop("between the names", &|place| {
            copy(&new, &place.join("journal.new"));
            fs::rename(place.join("journal"), place.join("journal.old")).unwrap();
        }),
        stop("in its place", &|place| {
            fs::rename(place.join("journal"), place.join("journal.old")).unwrap();
            copy(&new, &place.join("journal"));
        }),
    ];
    for place in places {
        let store = open(&place).await;
        assert!(store.promised().unwrap().is_some(), "others have to do their part still");
        store.fulfil().unwrap();
        check(&store, &place).await;
        store.close().await.unwrap();
        check(&open(&place).await, &place).await;
    }
}

#[tokio::test]
async fn without_room_nothing_happens() {
    let dir = tempfile::tempdir().unwrap();
    let (store, raws) = filled(dir.path()).await;
    store.close().await.unwrap();
    let options = Options { reserve: u64::MAX / 2, ..small() };
    let store = Store::open_with(dir.path(), options).await.unwrap().store;
    let (scrub, spool) = whole_scrub(&store, &raws).await;
    assert!(matches!(store.rewrite(scrub, spool).await, Err(StoreError::Full(_))));
    assert!(store.promised().unwrap().is_none());
    assert!(holds(dir.path(), SECRET));
}
