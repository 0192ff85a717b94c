//! `deskbell backup`, `restore` and `maintenance …`.

use super::args::Maintenance;
use super::here::Here;
use super::print;
use super::session::{Session, ask, unexpected, unusable};
use crate::domain::{Fault, PartSize, Request, Response, counted};
use crate::store::Store;
use anyhow::Result;
use std::path::Path;

/// `deskbell backup FILE`.
pub async fn backup(here: &Here, file: &Path, replace: bool) -> Result<u8> {
    let path = std::path::absolute(file)?;
    report(here, Request::Backup { path: path.display().to_string(), replace }).await
}

/// `deskbell restore FILE`.
pub async fn restore(here: &Here, file: &Path) -> Result<u8> {
    let place = here.place();
    let Some(_lock) = place.try_lock().map_err(|e| unusable(here, &e))? else {
        return Err(Fault::refused("a desk is in use in this data dir")
            .hint("stop it first, or say --data-dir DIR for another place")
            .into());
    };
    // Marked first: cut short at any point, the restored desk still begins by holding its mail.
    let marked = is_vacant(&here.paths.data_dir);
    if marked {
        mark_restored(here).map_err(|e| unusable(here, &e))?;
    }
    let size = Store::restore(file, &here.paths.data_dir).await.map_err(|error| {
        if marked {
            let _ = std::fs::remove_file(here.restored_mark());
        }
        let hint = error.hint();
        let fault = Fault::refused(error.to_string());
        fault.hint(hint.unwrap_or("it needs a whole backup, and with --data-dir a folder that holds no desk"))
    })?;
    let desk = here.open_desk().await?;
    let held = desk.outbox_counts().held;
    desk.close().await?;
    here.deeds.note();
    if here.json {
        print::json(&serde_json::json!({ "octets": size, "held": held }))?;
    } else {
        print::say(format_args!("{} restored into {}", print::size(size), here.paths.data_dir.display()))?;
        if held > 0 {
            print::say(format_args!(
                "{} held: look at `deskbell outbox list`, then release or cancel each",
                counted(held, "unsent mail")
            ))?;
        }
    }
    Ok(0)
}

/// Tells whether a data dir holds no desk, which may not be marked as a restored one.
fn is_vacant(dir: &Path) -> bool {
    let empty = |mut entries: std::fs::ReadDir| entries.next().is_none();
    !dir.join("trees").exists() && std::fs::read_dir(dir.join("journal")).map_or(true, empty)
}

fn mark_restored(here: &Here) -> std::io::Result<()> {
    std::fs::File::create(here.restored_mark())?.sync_all()?;
    std::fs::File::open(&here.paths.data_dir)?.sync_all()
}

/// `deskbell maintenance …`.
pub async fn maintenance(here: &Here, asked: Maintenance) -> Result<u8> {
    match asked {
        Maintenance::Rebuild => report(here, Request::Rebuild).await,
        Maintenance::Compact => report(here, Request::Compact).await,
        Maintenance::Verify => {
            let wrong = verify(here).await?;
            if here.json {
                print::json(&wrong)?;
            } else if wrong.is_empty() {
                print::say("everything agrees with the journal")?;
            } else {
                wrong.iter().try_for_each(|line| print::say(print::line(line)))?;
            }
            Ok(u8::from(!wrong.is_empty()))
        }
    }
}

/// Lists what is wrong. Where the desk does not even open, its journal is looked at by itself.
async fn verify(here: &Here) -> Result<Vec<String>> {
    let session = match Session::open(here).await {
        Ok(session) => session,
        Err(fault) => return examine(here, fault).await,
    };
    let answer = session.ask(Request::Verify).await;
    session.close().await;
    match answer? {
        Response::Report(lines) => Ok(lines),
        other => Err(unexpected(&other).into()),
    }
}

async fn examine(here: &Here, fault: Fault) -> Result<Vec<String>> {
    let place = here.place();
    let Ok(Some(_lock)) = place.try_lock() else { return Err(fault.into()) };
    match Store::examine(&here.paths.data_dir).await {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(fault.into()),
    }
}

async fn report(here: &Here, request: Request) -> Result<u8> {
    let answer = ask(here, request).await?;
    if here.json {
        print::json(&as_json(&answer)?)?;
        return Ok(0);
    }
    match answer {
        Response::BackedUp { file, octets, frame } => {
            print::say(format_args!("{}: {octets} octets, up to frame {frame}", print::line(&file)))?;
        }
        Response::Rebuilt { frames } => {
            print::say(format_args!("{} replayed, index made anew", counted(frames, "frame")))?
        }
        Response::Compacted(parts) => {
            for PartSize { part, octets_before, octets } in parts {
                print::say(format_args!(
                    "{}: {octets_before} octets before, {octets} now",
                    print::line(&part)
                ))?;
            }
        }
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

/// Gives one object for what was done.
fn as_json(answer: &Response) -> Result<serde_json::Value> {
    Ok(match answer {
        Response::BackedUp { file, octets, frame } => {
            serde_json::json!({ "file": file, "octets": octets, "frame": frame })
        }
        Response::Rebuilt { frames } => serde_json::json!({ "frames": frames }),
        Response::Compacted(parts) => serde_json::json!({ "parts": parts }),
        other => return Err(unexpected(other).into()),
    })
}
