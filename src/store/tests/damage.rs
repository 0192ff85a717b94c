//! A journal torn, bitten, incomplete; trees deleted or overwritten.

use super::super::block::{Ready, raws};
use super::super::disk::Faults;
use super::super::frame::Position;
use super::super::journal::Journal;
use super::super::record::Known;
use super::super::segment::{HEADER, SCHEMA};
use super::super::state::State;
use super::super::{files, recovery};
use super::*;
use std::fs;

/// Opens only the journal of a data dir.
fn journal(dir: &Path, floor: Option<Seq>) -> Result<(Journal, Vec<String>), StoreError> {
    let mut notices = Vec::new();
    let journal = recovery::open(dir, &small(), State::read(dir), floor, &mut notices)?;
    Ok((journal, notices))
}

/// A data dir with a journal only: `frames` commits of one put each, and where each begins.
fn written(frames: u64, segment_size: u64) -> (tempfile::TempDir, Vec<Position>, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    files::make_folder(&dir.path().join("journal")).unwrap();
    let options = Options { segment_size, ..small() };
    let state = State::read(dir.path());
    let mut journal = recovery::open(dir.path(), &options, state, None, &mut Vec::new()).unwrap();
    let mut begins = Vec::new();
    for n in 0..frames {
        begins.push(journal.durable());
        let frame = journal.frame(Ready::new(commit(vec![put(&known(n))])).unwrap()).unwrap();
        journal.commit(&frame).unwrap();
        journal.sync().unwrap();
    }
    begins.push(journal.durable());
    let segment = journal.shelf().path(journal.durable().segment);
    (dir, begins, segment)
}

#[test]
fn a_torn_last_frame_is_cut_off_wherever_it_tore() {
    let (dir, begins, segment) = written(3, 1 << 20);
    let whole = fs::read(&segment).unwrap();
    for cut in begins[2].offset..begins[3].offset {
        fs::write(&segment, &whole[..cut as usize]).unwrap();
        let (journal, notices) = journal(dir.path(), None).unwrap();
        assert_eq!((journal.last(), journal.durable()), (Seq(2), begins[2]), "cut at {cut}");
        assert_eq!(notices.len(), usize::from(cut > begins[2].offset));
        assert_eq!(fs::read(&segment).unwrap(), whole[..begins[2].offset as usize]);
    }
    let kept = fs::read_dir(dir.path().join("aside")).unwrap().count() as u64;
    assert_eq!(kept, begins[3].offset - begins[2].offset - 1);
}

#[test]
fn a_last_frame_that_the_trees_have_applied_is_no_tail() {
    let (dir, begins, segment) = written(3, 1 << 20);
    let whole = fs::read(&segment).unwrap();
    for cut in [begins[2].offset, begins[2].offset + 9, begins[3].offset - 1] {
        fs::write(&segment, &whole[..cut as usize]).unwrap();
        let error = journal(dir.path(), Some(Seq(3))).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { segment: 1, offset } if offset == begins[2].offset));
        assert_eq!(fs::read(&segment).unwrap().len() as u64, cut);
    }
}

#[test]
fn a_bitten_octet_is_loud_where_it_was_durable_and_tail_behind_that() {
    let (dir, begins, segment) = written(4, 1 << 20);
    let whole = fs::read(&segment).unwrap();
    for at in 0..whole.len() {
        let mut bitten = whole.clone();
        bitten[at] ^= 0x10;
        fs::write(&segment, &bitten).unwrap();
        let opened = journal(dir.path(), None);
        if (at as u64) < begins[3].offset {
            let error = opened.unwrap_err();
            assert!(matches!(error, StoreError::Damaged { segment: 1, .. }), "octet {at}: {error}");
            assert_eq!(fs::read(&segment).unwrap(), bitten);
        } else {
            assert_eq!(opened.unwrap().0.last(), Seq(3), "octet {at}");
        }
    }
}

#[tokio::test]
async fn what_does_not_open_can_still_be_examined() {
    let (dir, _, last) = written(60, 1000);
    assert_eq!(Store::examine(dir.path()).await.unwrap(), Vec::<String>::new());
    for (name, at) in [("00000002.seg", 10), ("00000003.seg", 300), ("00000004.seg", 60)] {
        let path = last.with_file_name(name);
        let mut octets = fs::read(&path).unwrap();
        octets[at] ^= 1;
        fs::write(path, octets).unwrap();
    }
    fs::remove_file(last.with_file_name("00000006.seg")).unwrap();
    let wrong = Store::examine(dir.path()).await.unwrap();
    for number in [2, 3, 4, 6] {
        assert!(wrong.iter().any(|line| line.contains(&format!("{number:08}"))), "{number} in {wrong:?}");
    }
}

#[test]
fn zeros_or_noise_behind_the_last_frame_are_tail() {
    let (dir, begins, segment) = written(3, 1 << 20);
    let whole = fs::read(&segment).unwrap();
    let again = &whole[begins[1].offset as usize..];
    for behind in [&[0; 5000][..], &[0xF5; 5000], again] {
        fs::write(&segment, [&whole, behind].concat()).unwrap();
        let (journal, notices) = journal(dir.path(), Some(Seq(3))).unwrap();
        assert_eq!((journal.last(), notices.len()), (Seq(3), 1));
        assert_eq!(fs::read(&segment).unwrap(), whole);
    }
}

#[test]
fn a_missing_segment_is_named() {
    let (dir, _, last) = written(60, 1000);
    let count = fs::read_dir(dir.path().join("journal")).unwrap().count() as u64;
    assert!(count > 5);
    for number in [1, 3, count] {
        let path = last.with_file_name(format!("{number:08}.seg"));
        let away = dir.path().join("away");
        fs::rename(&path, &away).unwrap();
        let error = journal(dir.path(), None).unwrap_err();
        assert!(
            matches!(error, StoreError::MissingSegment(missing) if missing == number),
            "{number}: {error}"
        );
        assert!(error.to_string().contains(&format!("{number:08}")) && error.hint().is_some());
        fs::rename(&away, &path).unwrap();
    }
    assert_eq!(journal(dir.path(), Some(Seq(60))).unwrap().0.last(), Seq(60));
}

#[test]
fn a_bad_record_in_a_rolled_segment_is_loud() {
    let (dir, _, last) = written(60, 1000);
    let second = last.with_file_name("00000002.seg");
    let mut octets = fs::read(&second).unwrap();
    let at = octets.len() - 20;
    octets[at] ^= 1;
    fs::write(&second, octets).unwrap();
    let (journal, _) = journal(dir.path(), None).unwrap();
    let read = journal.shelf().each_frame(Seq(0), |_, _| Ok(true));
    assert!(matches!(read, Err(StoreError::Damaged { segment: 2, .. })));
}

#[test]
fn a_newer_schema_is_refused_by_its_number() {
    let (dir, _, segment) = written(1, 1000);
    let mut octets = fs::read(&segment).unwrap();
    octets[8] = SCHEMA as u8 + 1;
    let crc = crc32fast::hash(&octets[..HEADER as usize - 4]).to_le_bytes();
    octets[HEADER as usize - 4..HEADER as usize].copy_from_slice(&crc);
    fs::write(&segment, &octets).unwrap();
    let error = journal(dir.path(), None).unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 3, known: SCHEMA }), "{error}");
    assert_eq!(fs::read(&segment).unwrap(), octets);
}

#[test]
fn what_a_stopped_creation_left_is_taken_away() {
    let (dir, _, segment) = written(2, 1 << 20);
    let left = segment.with_file_name("00000002.seg.tmp");
    fs::write(&left, b"half a hea").unwrap();
    assert_eq!(journal(dir.path(), None).unwrap().0.last(), Seq(2));
    assert!(!left.exists());
}

#[test]
fn a_failed_sync_takes_back_all_since_the_last_one_and_never_reuses_a_place() {
    let dir = tempfile::tempdir().unwrap();
    files::make_folder(&dir.path().join("journal")).unwrap();
    let options = small();
    let state = State::read(dir.path());
    let mut journal = recovery::open(dir.path(), &options, state, None, &mut Vec::new()).unwrap();
    let append = |journal: &mut Journal, n| {
        let frame = journal.frame(Ready::new(commit(vec![put(&known(n))])).unwrap()).unwrap();
        journal.commit(&frame)
    };
    append(&mut journal, 1).unwrap();
    journal.sync().unwrap();
    let kept = journal.durable();
    let raw = journal.stash(&raws(&[Arc::new(b"mail".to_vec())]).unwrap()).unwrap()[0];
    append(&mut journal, 2).unwrap();
    options.faults.fail_sync(true);
    journal.sync().unwrap_err();
    append(&mut journal, 3).unwrap_err();
    journal.ready().unwrap_err();
    options.faults.mend();
    journal.ready().unwrap();
    assert_eq!(journal.last(), Seq(1));
    assert_eq!(journal.durable(), Position { segment: 2, offset: HEADER });
    assert!(!journal.shelf().reaches(&raw) && journal.shelf().raw(&raw).is_err());
    append(&mut journal, 4).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let journal =
        recovery::open(dir.path(), &options, State::read(dir.path()), None, &mut Vec::new()).unwrap();
    assert_eq!(journal.last(), Seq(2));
    assert_eq!(fs::metadata(journal.shelf().path(1)).unwrap().len(), kept.offset);
}

#[tokio::test]
async fn nothing_is_acknowledged_while_syncs_fail_and_all_goes_on_after() {
    let dir = tempfile::tempdir().unwrap();
    let options = small();
    let store = Store::open_with(dir.path(), options.clone()).await.unwrap().store;
    store.commit(commit(vec![put(&known(1))])).await.unwrap();
    let raw = store.stash(b"a mail".to_vec()).await.unwrap();
    options.faults.fail_sync(true);
    let asked = || Commit { request: Some(RequestId("r".into())), ..commit(vec![put(&known(2))]) };
    let failed = futures_util::future::join_all((0..3).map(|_| store.commit(asked()))).await;
    assert!(failed.iter().all(|result| matches!(result, Err(StoreError::Other(_)))), "{failed:?}");
    assert_eq!((store.last(), all::<Known>(&store).await.len()), (Seq(1), 1));
    assert!(store.rebuild().await.is_err());
    options.faults.mend();
    // The bytes may have gone with the failed sync: a document that names them is refused.
    let document = Some(rmp_serde::to_vec_named(&raw).unwrap());
    let names = commit(vec![Put { tree: Tree::Notes, key: vec![1], document }]);
    assert!(matches!(store.commit(names).await, Err(StoreError::Other(why)) if why.contains("stash")));
    assert_eq!(store.commit(asked()).await.unwrap(), Seq(2));
    store.close().await.unwrap();
    let store = open(dir.path()).await;
    assert_eq!(all::<Known>(&store).await.len(), 2);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_write_that_ends_short_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let options = small();
    let store = Store::open_with(dir.path(), options.clone()).await.unwrap().store;
    store.commit(commit(vec![put(&known(1))])).await.unwrap();
    let segment = dir.path().join("journal/00000001.seg");
    let before = fs::read(&segment).unwrap();
    for (errno, room) in [(28, 0), (28, 10), (122, 30), (28, 100), (27, 40), (5, 50)] {
        options.faults.fill_after(room, errno);
        let error = store.commit(commit(vec![put(&known(2))])).await.unwrap_err();
        assert_eq!(matches!(error, StoreError::Full(_)), errno == 28 || errno == 122, "{error}");
        let error = store.stash(noise(10_000)).await.unwrap_err();
        assert_eq!(matches!(error, StoreError::Full(_)), errno == 28 || errno == 122, "{error}");
        assert_eq!(fs::read(&segment).unwrap(), before);
    }
    options.faults.mend();
    assert_eq!(store.commit(commit(vec![put(&known(3))])).await.unwrap(), Seq(2));
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

/// A real small disk, where this machine lets us have one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
            .arg(dir.path())
            .stderr(std::process::Stdio::null())
            .status();
        mount.is_ok_and(|status| status.success()).then(|| Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}

/// Takes mails in until the store refuses; gives where their bytes stand.
async fn fill(store: &Store) -> (Vec<RawRef>, StoreError) {
    let mut kept = Vec::new();
    loop {
        let n = kept.len() as u64;
        let step = async {
            let raw = store.stash(noise(50_000)).await?;
            let document = Some(rmp_serde::to_vec_named(&raw).unwrap());
            let mail = Put { tree: Tree::Notes, key: Key::new().number(n).octets(), document };
            store.commit(commit(vec![put(&known(n)), mail])).await?;
            Ok(raw)
        };
        match step.await {
            Ok(raw) => kept.push(raw),
            Err(error) => return (kept, error),
        }
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_to_the_reserve_refuses_and_loses_nothing() {
    let Some(disk) = SmallDisk::new() else { return };
    let dir = disk.0.path().join("desk");
    let options = Options { segment_size: 1 << 20, reserve: 2 << 20, ..small() };
    let store = Store::open_with(&dir, options.clone()).await.unwrap().store;
    let (kept, full) = fill(&store).await;
    assert!(matches!(full, StoreError::Full(_)), "{full}");
    assert!(full.hint().is_some() && kept.len() > 20);
    // The staff go on for a while.
    store.commit(commit(vec![put(&counters(5))])).await.unwrap();
    store.close().await.unwrap();
    let store = Store::open_with(&dir, options).await.unwrap().store;
    assert_eq!(all::<Known>(&store).await.len(), kept.len());
    for raw in kept {
        assert!(store.raw(raw).await.unwrap() == noise(50_000));
    }
}

#[tokio::test]
async fn a_disk_that_others_filled_is_survived_and_made_good_when_there_is_room() {
    let Some(disk) = SmallDisk::new() else { return };
    let dir = disk.0.path().join("desk");
    let store = open(&dir).await;
    store.commit(commit(vec![put(&counters(1))])).await.unwrap();
    let filler = disk.0.path().join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    std::io::copy(&mut std::io::repeat(0), &mut file).unwrap_err();
    let (_, full) = fill(&store).await;
    assert!(matches!(full, StoreError::Full(_) | StoreError::Trees(_)), "{full}");
    drop(file);
    fs::remove_file(&filler).unwrap();
    let before = all::<Known>(&store).await.len();
    store.commit(commit(vec![put(&known(1_000_000))])).await.unwrap();
    assert_eq!(all::<Known>(&store).await.len(), before + 1);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    store.close().await.unwrap();
    assert_eq!(all::<Known>(&open(&dir).await).await.len(), before + 1);
}

#[tokio::test]
async fn the_reserve_stops_raw_bytes_before_it_stops_commits() {
    let dir = tempfile::tempdir().unwrap();
    let free = files::free_space(dir.path()).unwrap();
    for (reserve, stash, commits) in [(free / 4 * 5, false, true), (free * 3, false, false), (0, true, true)]
    {
        let options = Options { reserve, ..small() };
        let store = Store::open_with(dir.path(), options).await.unwrap().store;
        assert_eq!(store.stash(vec![1; 100]).await.is_ok(), stash);
        assert_eq!(store.commit(commit(vec![put(&known(1))])).await.is_ok(), commits);
        store.close().await.unwrap();
    }
}

async fn desk(dir: &Path, commits: u64) {
    let store = open(dir).await;
    let commits = (0..commits).map(|n| store.commit(commit(vec![put(&known(n)), put(&counters(n))])));
    assert!(futures_util::future::join_all(commits).await.iter().all(Result::is_ok));
    store.close().await.unwrap();
}

async fn opens_whole(dir: &Path, commits: u64, why: &str) {
    let opened = Store::open_with(dir, small()).await.unwrap_or_else(|error| panic!("{why}: {error}"));
    assert_eq!(opened.notices.len(), 1, "{why}: {:?}", opened.notices);
    assert_eq!(all::<Known>(&opened.store).await.len() as u64, commits, "{why}");
    assert_eq!(opened.store.verify().await.unwrap(), Vec::<String>::new(), "{why}");
    opened.store.close().await.unwrap();
}

#[tokio::test]
async fn trees_that_are_gone_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    desk(dir.path(), 100).await;
    fs::remove_dir_all(dir.path().join("trees")).unwrap();
    opens_whole(dir.path(), 100, "deleted").await;
    fs::remove_dir_all(dir.path().join("trees")).unwrap();
    fs::write(dir.path().join("trees"), b"a file").unwrap();
    opens_whole(dir.path(), 100, "a file in their place").await;
}

#[tokio::test]
async fn damaged_trees_are_made_anew_or_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    desk(dir.path(), 100).await;
    let (trees, saved) = (dir.path().join("trees"), dir.path().join("saved"));
    super::model::copy(&trees, &saved);
    let names = fs::read_dir(&saved).unwrap().map(|entry| entry.unwrap().path());
    for name in names.filter(|path| path.is_file()) {
        for kind in ["empty", "half", "zeros", "noise", "bitten"] {
            fs::remove_dir_all(&trees).unwrap();
            super::model::copy(&saved, &trees);
            let file = name.file_name().unwrap();
            fs::write(trees.join(file), damage(&fs::read(&name).unwrap(), kind)).unwrap();
            let store = open(dir.path()).await;
            assert_eq!(all::<Known>(&store).await.len(), 100, "{file:?} {kind}");
            assert_eq!(store.verify().await.unwrap(), Vec::<String>::new(), "{file:?} {kind}");
            store.close().await.unwrap();
        }
    }
}

/// A desk whose trees fill several of sled's own segments.
async fn large_desk(dir: &Path) {
    let store = Store::open_with(dir, Options { segment_size: 64 << 20, ..small() }).await.unwrap().store;
    for round in 0..40 {
        let commits = (0..50).map(|n| {
            let (key, document) = (Key::new().number(round * 50 + n).octets(), Some(noise(600)));
            store.commit(commit(vec![Put { tree: Tree::Notes, key, document }, put(&known(n))]))
        });
        assert!(futures_util::future::join_all(commits).await.iter().all(Result::is_ok));
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn larger_trees_bitten_anywhere_open_as_the_journal_has_them() {
    let dir = tempfile::tempdir().unwrap();
    large_desk(dir.path()).await;
    let (trees, saved) = (dir.path().join("trees"), dir.path().join("saved"));
    super::model::copy(&trees, &saved);
    let db = fs::read(saved.join("db")).unwrap();
    for part in [0, 3, 8, 13, 15] {
        fs::remove_dir_all(&trees).unwrap();
        super::model::copy(&saved, &trees);
        let from = db.len() / 16 * part;
        fs::write(trees.join("db"), [&db[..from], &noise(3000), &db[from + 3000..]].concat()).unwrap();
        let store = open(dir.path()).await;
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new(), "part {part}");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn trees_that_break_while_open_are_made_anew_before_the_reader_gets_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    large_desk(dir.path()).await;
    let store = open(dir.path()).await;
    let db = dir.path().join("trees/db");
    let file = fs::OpenOptions::new().write(true).open(&db).unwrap();
    let length = file.metadata().unwrap().len() as usize;
    std::os::unix::fs::FileExt::write_all_at(&file, &noise(length), 0).unwrap();
    let reads = (0..50).map(|n| {
        let (store, key) = (store.clone(), known(n).key());
        async move { store.get::<Known>(&key).await }
    });
    for (n, read) in (0..).zip(futures_util::future::join_all(reads).await) {
        assert_eq!(read.unwrap().unwrap().record, known(n));
    }
    assert_eq!(store.trees.generation(), 1);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    store.close().await.unwrap();
    assert_eq!(Store::open_with(dir.path(), small()).await.unwrap().notices, Vec::<String>::new());
}

fn damage(whole: &[u8], kind: &str) -> Vec<u8> {
    match kind {
        "empty" => Vec::new(),
        "half" => whole[..whole.len() / 2].to_vec(),
        "zeros" => vec![0; whole.len()],
        "noise" => noise(whole.len()),
        _ => whole.iter().enumerate().map(|(n, octet)| octet ^ u8::from(n % 997 == 5)).collect(),
    }
}

#[tokio::test]
async fn after_a_loss_of_power_the_trees_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    desk(dir.path(), 20).await;
    let state = dir.path().join("state");
    let clean = fs::read_to_string(&state).unwrap();
    assert!(clean.contains("\"clean\":true"));
    fs::write(&state, clean.replace("true", "false")).unwrap();
    let opened = Store::open_with(dir.path(), small()).await.unwrap();
    assert_eq!(opened.notices, Vec::<String>::new());
    opened.store.close().await.unwrap();
    for left in ["", "{", r#"{"clean":false,"boot":"another","segment":1}"#] {
        fs::write(&state, left).unwrap();
        opens_whole(dir.path(), 20, left).await;
    }
}

#[tokio::test]
async fn only_the_owner_reads_what_the_store_keeps() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("desk");
    desk(&data, 200).await;
    let mut folders = vec![data];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                seen += 1;
                assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
            }
        }
    }
    assert!(seen > 4);
}

#[tokio::test]
async fn a_place_that_cannot_hold_a_desk_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = Store::open(&file).await.unwrap_err().to_string();
    assert!(error.contains("cannot make the folder") && error.contains("file"), "{error}");
    let denied = std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
    let error = StoreError::io("cannot write to the journal", &denied);
    assert!(matches!(error, StoreError::Unwritable(_)) && error.hint().is_some());
}

#[tokio::test]
async fn a_second_opener_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.commit(commit(vec![put(&known(1))])).await.unwrap();
    let draft = dir.path().join("trees.new");
    files::make_folder(&draft).unwrap();
    let segment = dir.path().join("journal/00000001.seg");
    let before = [fs::read(&segment).unwrap(), noise(100)].concat();
    fs::write(&segment, &before).unwrap();
    let state = fs::read(dir.path().join("state")).unwrap();
    assert!(matches!(Store::open(dir.path()).await, Err(StoreError::Taken)));
    assert!(draft.exists() && fs::read(&segment).unwrap() == before);
    assert_eq!(fs::read(dir.path().join("state")).unwrap(), state);
}

#[test]
fn faults_of_one_store_are_not_those_of_another() {
    Faults::default().fail_sync(true);
    Faults::default().before_sync().unwrap();
}
