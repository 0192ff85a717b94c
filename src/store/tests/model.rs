//! Any sequence of commits, reopenings and crashes gives what a plain map would.

use super::super::record::Known;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;

#[derive(Clone, Debug)]
enum Step {
    /// Writes or takes away some keys; `guess` is what one of them is expected to have been written by.
    Commit(Vec<(u8, Option<u8>)>, Option<(u8, Option<u8>)>),
    Stash(u16),
    Reopen,
    /// Stops without a clean end, with noise behind the journal and the trees as they were before.
    Crash {
        noise: u8,
        trees: TreesLeft,
    },
    Rebuild,
}

#[derive(Clone, Copy, Debug)]
enum TreesLeft {
    Same,
    Older,
    None,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let puts = prop::collection::vec((0..12_u8, prop::option::of(any::<u8>())), 0..6);
    let guess = prop::option::of((0..12_u8, prop::option::of(0..20_u8)));
    let trees = prop_oneof![Just(TreesLeft::Same), Just(TreesLeft::Older), Just(TreesLeft::None)];
    let step = prop_oneof![
        8 => (puts, guess).prop_map(|(puts, guess)| Step::Commit(puts, guess)),
        2 => any::<u16>().prop_map(Step::Stash),
        1 => Just(Step::Reopen),
        2 => (any::<u8>(), trees).prop_map(|(noise, trees)| Step::Crash { noise, trees }),
        1 => Just(Step::Rebuild),
    ];
    prop::collection::vec(step, 1..25)
}

fn options() -> Options {
    Options { segment_size: 700, reserve: 0, ..Options::default() }
}

#[derive(Default)]
struct Model {
    last: u64,
    documents: BTreeMap<u8, (u64, u8)>,
    raws: Vec<(RawRef, Vec<u8>)>,
}

impl Model {
    fn commit(&mut self, puts: &[(u8, Option<u8>)], guess: Option<(u8, Option<u8>)>) -> Option<u64> {
        let written = |key| self.documents.get(&key).map(|(seq, _)| *seq);
        if guess.is_some_and(|(key, seq)| written(key) != seq.map(u64::from)) {
            return None;
        }
        self.last += 1;
        for (key, value) in puts {
            match value {
                Some(value) => drop(self.documents.insert(*key, (self.last, *value))),
                None => drop(self.documents.remove(key)),
            }
        }
        Some(self.last)
    }
}

fn one(key: u8, value: u8) -> Known {
    let place = record::Place {
        project: crate::domain::ProjectId(value.into()),
        issue: IssueId(1),
        note: None,
        outbox: None,
    };
    Known { places: vec![place], ..known(key.into()) }
}

async fn act(dir: &Path, store: Store, model: &mut Model, step: &Step) -> Store {
    match step {
        Step::Commit(puts, guess) => {
            let documents = puts.iter().map(|(key, value)| {
                let put = put(&one(*key, value.unwrap_or(0)));
                if value.is_some() { put } else { Put { document: None, ..put } }
            });
            let expectations = guess.iter().map(|(key, seq)| Expectation {
                tree: Tree::MessageIds,
                key: known((*key).into()).key(),
                written: seq.map(|seq| Seq(seq.into())),
            });
            let asked = Commit { expectations: expectations.collect(), ..commit(documents.collect()) };
            match (store.commit(asked).await, model.commit(puts, *guess)) {
                (Ok(seq), Some(expected)) => assert_eq!(seq.0, expected),
                (Err(StoreError::Conflict), None) => {}
                (got, expected) => panic!("{got:?}, not {expected:?}"),
            }
        }
        Step::Stash(length) => {
            let bytes = noise((*length % 1500).into());
            model.raws.push((store.stash(bytes.clone()).await.unwrap(), bytes));
        }
        Step::Reopen => return again(dir, store).await,
        Step::Crash { noise, trees } => return crash(dir, store, *noise, *trees).await,
        Step::Rebuild => assert_eq!(store.rebuild().await.unwrap(), model.last),
    }
    store
}

async fn again(dir: &Path, store: Store) -> Store {
    store.close().await.unwrap();
    fs::remove_dir_all(dir.join("older")).ok();
    copy(&dir.join("trees"), &dir.join("older"));
    Store::open_with(dir, options()).await.unwrap().store
}

async fn crash(dir: &Path, store: Store, behind: u8, trees: TreesLeft) -> Store {
    store.close().await.unwrap();
    let state = dir.join("state");
    fs::write(&state, fs::read_to_string(&state).unwrap().replace("\"clean\":true", "\"clean\":false"))
        .unwrap();
    let mut segments: Vec<_> =
        fs::read_dir(dir.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    let last = segments.last().unwrap();
    fs::write(last, [fs::read(last).unwrap(), noise(behind.into())].concat()).unwrap();
    if !matches!(trees, TreesLeft::Same) {
        fs::remove_dir_all(dir.join("trees")).unwrap();
    }
    if matches!(trees, TreesLeft::Older) {
        copy(&dir.join("older"), &dir.join("trees"));
    }
    Store::open_with(dir, options()).await.unwrap().store
}

pub fn copy(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir_all(to).unwrap();
    for entry in entries.map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

async fn compare(store: &Store, model: &Model) {
    assert_eq!(store.last().0, model.last);
    let kept: Vec<_> = all::<Known>(store).await;
    let expected: Vec<_> = model
        .documents
        .iter()
        .map(|(key, (seq, value))| Kept { seq: Seq(*seq), record: one(*key, *value) })
        .collect();
    assert_eq!(kept, expected);
    for (raw, bytes) in &model.raws {
        assert!(store.raw(*raw).await.unwrap() == *bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_store_is_a_map_that_remembers(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let mut store = Store::open_with(dir.path(), options()).await.unwrap().store;
            let mut model = Model::default();
            for step in &steps {
                store = act(dir.path(), store, &mut model, step).await;
                compare(&store, &model).await;
            }
            assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
            let frames = store.frames(Seq(0), usize::MAX).await.unwrap();
            assert_eq!(frames.len() as u64, model.last);
            store.close().await.unwrap();
        });
    }
}
