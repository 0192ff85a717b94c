//! Opening the store: journal and trees together, whatever state the last one left them in.

use super::journal::Journal;
use super::rewriting;
use super::scrub::Scrubber;
use super::state::State;
use super::trees::{Trees, Unopened};
use super::writer::{Order, Writer, rebuild};
use super::{Opened, Options, Store, StoreError, files, recovery, spool};
use crate::domain::Seq;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// So many orders wait before those who give them do.
const ORDERS: usize = 1024;

/// Opens the store, and starts its writer.
pub(super) fn open(dir: &Path, options: &Options) -> Result<Opened, StoreError> {
    let unfinished = unfinished(dir)?;
    files::make_folder(&dir.join("journal")).map_err(|error| {
        StoreError::io(&format!("cannot make the folder {}", dir.join("journal").display()), &error)
    })?;
    let mut notices = Vec::new();
    let mut state = State::read(dir);
    let (trees, floor) = trees(dir, &state, &mut notices)?;
    // From here on nobody else has the desk open.
    clear_drafts(dir);
    let untrusted = state.lost_power();
    if !untrusted {
        state.set_open(state.segment())?;
    }
    let mut journal = recovery::open(dir, options, state, floor, &mut notices)?;
    if untrusted && floor.is_some_and(|floor| floor > Seq(0)) {
        let frames = rebuild(dir, &journal, &trees)?;
        notices.push(format!("the machine went down; the documents were made anew from {frames} changes"));
    }
    catch_up(dir, &journal, &trees, &mut notices)?;
    journal.set_open()?;
    for notice in &notices {
        tracing::warn!("{notice}");
    }
    Ok(Opened { store: start(dir, options, journal, trees, unfinished)?, notices })
}

/// Gives what was to vanish when the last one stopped before the journal was written anew.
fn unfinished(dir: &Path) -> Result<Option<Scrubber>, StoreError> {
    let promise = rewriting::intent(dir)?;
    let Some(scrub) = promise else {
        // What failed between two names left the journal under another one.
        if !dir.join("journal").exists() && rewriting::has_old(dir) {
            rewriting::settle_names(dir)?;
        }
        return Ok(None);
    };
    rewriting::settle_names(dir)?;
    // They may be of the journal before, and hold what was to vanish.
    rewriting::remove_folder(&dir.join("trees"))
        .map_err(|error| StoreError::io("cannot clear the documents", &error))?;
    if rewriting::is_in_place(dir) {
        return Ok(None);
    }
    let spool = if scrub.spooled.is_empty() { None } else { Some(spool::open(dir)?) };
    Scrubber::new(scrub, spool).map(Some)
}

/// Takes away what a stopped rebuild or check left, all of which is derived, and what was gathered and never
/// promised.
fn clear_drafts(dir: &Path) {
    if let Err(error) = spool::clear(dir, rewriting::intent_file(dir).exists()) {
        tracing::warn!(%error, "cannot clear what a stopped erasing left");
    }
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let draft = |name: &str| name.starts_with("trees.") || name == "verify.tmp" || name == "journal.tmp";
    for entry in names.filter(|entry| entry.file_name().to_str().is_some_and(draft)) {
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, path = %entry.path().display(), "cannot clear a draft");
        }
    }
}

/// Opens the trees, and says how far they go. Damaged ones are set aside for empty ones.
fn trees(dir: &Path, state: &State, notices: &mut Vec<String>) -> Result<(Trees, Option<Seq>), StoreError> {
    let folder = dir.join("trees");
    // After a loss of power they are made anew anyway.
    let sure = state.left_as_is(&folder) || state.lost_power();
    let why = match Trees::open(&folder) {
        Ok(trees) => {
            let applied = trees.applied();
            match applied.and_then(|seq| if sure { Ok(seq) } else { trees.check().map(|()| seq) }) {
                Ok(seq) => return Ok((trees, Some(seq))),
                Err(error) => error.to_string(),
            }
        }
        Err(Unopened::Broken(why)) => why,
        Err(unopened) => return Err(unopened.into()),
    };
    set_aside(dir, &folder, &why, notices)?;
    Ok((Trees::open(&folder).map_err(StoreError::from)?, None))
}

fn set_aside(dir: &Path, folder: &Path, why: &str, notices: &mut Vec<String>) -> Result<(), StoreError> {
    let aside = dir.join("aside");
    let kept = files::free_name(&aside, "trees");
    files::make_folder(&aside)
        .and_then(|()| std::fs::rename(folder, &kept))
        .map_err(|error| StoreError::io("cannot set the damaged trees aside", &error))?;
    notices.push(format!("{why}; they were set aside in {} and made anew from the journal", kept.display()));
    Ok(())
}

/// Applies what the trees lack; if that fails they are made anew.
fn catch_up(
    dir: &Path,
    journal: &Journal,
    trees: &Trees,
    notices: &mut Vec<String>,
) -> Result<(), StoreError> {
    let empty = trees.applied()? == Seq(0);
    match trees.catch_up(journal.shelf(), journal.last()) {
        Ok(frames) if empty && frames > 0 && notices.is_empty() => {
            notices.push(format!("the documents were missing; they were made anew from {frames} changes"));
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error @ StoreError::Trees(_)) => {
            let frames = rebuild(dir, journal, trees)?;
            notices.push(format!("the documents were made anew from {frames} changes, because {error}"));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn start(
    dir: &Path,
    options: &Options,
    journal: Journal,
    trees: Trees,
    unfinished: Option<Scrubber>,
) -> Result<Store, StoreError> {
    let (orders, taken) = mpsc::channel::<Order>(ORDERS);
    let (tell, last) = watch::channel(journal.last());
    let (trees, shelf) = (Arc::new(trees), Arc::clone(journal.shelf()));
    let mut writer = Writer {
        dir: dir.to_owned(),
        journal,
        trees: Arc::clone(&trees),
        last: tell,
        reserve: options.reserve,
        behind: false,
        relief: None,
    };
    if let Some(scrubber) = unfinished {
        writer.rewrite_promised(&scrubber)?;
    }
    std::thread::Builder::new()
        .name("store".into())
        .spawn(move || writer.run(taken))
        .map_err(|error| StoreError::io("cannot start the writer", &error))?;
    Ok(Store { dir: dir.to_owned(), orders, trees, shelf, last })
}
