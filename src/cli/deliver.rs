//! `deskbell deliver`: mail from files, folders and standard input.

use super::args::Deliver as Asked;
use super::here::Here;
use super::print::{self, Unprinted};
use super::session::{Session, unexpected};
use crate::domain::{Arrival, Deliver, Delivered, Fault, FaultKind, Request, Response};
use crate::source::files::{FoundMail, walk, without_envelope_line};
use anyhow::Result;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most that is read from standard input, in octets.
const STDIN: u64 = 512 * 1024 * 1024;

/// Takes every mail in that is named; gives 0 when each has its entry, 3 when some have not, 1 when none has.
pub async fn run(here: &Here, asked: Asked) -> Result<u8> {
    take_all(here, asked, false).await
}

/// Takes every mail in that is named, and counts what became of them.
pub async fn run_counted(here: &Here, asked: Asked) -> Result<u8> {
    take_all(here, asked, true).await
}

async fn take_all(here: &Here, asked: Asked, counted: bool) -> Result<u8> {
    let (stdin, files): (Vec<PathBuf>, Vec<PathBuf>) =
        asked.paths.iter().cloned().partition(|p| p == Path::new("-"));
    let for_mta = !stdin.is_empty();
    let piped = if stdin.is_empty() { None } else { Some(without_envelope_line(read_stdin()?)) };
    let session = Session::open(here).await?;
    let mut told = Told {
        here,
        delivered: Vec::new(),
        taken: 0,
        failed: 0,
        printed: Ok(()),
        counted: counted.then(BTreeMap::new),
    };
    if let Some(raw) = piped {
        let arrival = arrival(&asked, "-".to_owned(), None);
        told.tell(take(&session, &asked, arrival, raw).await?);
    }
    // Files are read in a thread of their own, a few ahead.
    let (send, mut found) = tokio::sync::mpsc::channel(4);
    let reading = tokio::task::spawn_blocking(move || {
        for item in walk(&files) {
            if send.blocking_send(item).is_err() {
                return;
            }
        }
    });
    let mut gave_up = None;
    while let Some(item) = found.recv().await {
        let FoundMail { path, index, bytes, received_at } = match item {
            Ok(mail) => mail,
            Err(error) => {
                told.complain(&error.to_string());
                continue;
            }
        };
        let arrival = Arrival { received_at, ..arrival(&asked, path.clone(), index) };
        match take(&session, &asked, arrival, bytes).await {
            Ok(delivered) => told.tell(delivered),
            Err(fault) if stops_all(&fault) => {
                gave_up = Some(fault);
                break;
            }
            Err(fault) => {
                told.complain(&format!("{path}: {fault}"));
                if let Some(hint) = &fault.hint {
                    print::aside(format_args!("hint: {}", print::line(hint)));
                }
            }
        }
    }
    drop(found);
    reading.await?;
    let served = session.is_served();
    session.close().await;
    // What was taken in is told even if the rest was given up.
    let code = match told.end(served) {
        // The mail is durable, and that is all that a mail transfer agent asks for.
        Err(unprinted) if for_mta => {
            if !unprinted.reader_left() {
                print::aside(format_args!("warning: {unprinted}"));
            }
            0
        }
        told => told?,
    };
    gave_up.map_or(Ok(code), |fault| Err(fault.into()))
}

/// Tells whether no other mail would fare better.
fn stops_all(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Unavailable | FaultKind::Full)
}

fn arrival(asked: &Asked, path: String, index: Option<u32>) -> Arrival {
    Arrival {
        mailbox: asked.mailbox.clone(),
        path: Some(path),
        index,
        envelope_to: asked.to.clone(),
        silent: asked.silent,
        ..Arrival::default()
    }
}

async fn take(session: &Session, asked: &Asked, arrival: Arrival, raw: Vec<u8>) -> Result<Delivered, Fault> {
    let request = Request::Deliver(Deliver { arrival, raw, dry_run: asked.dry_run });
    match session.ask(request).await? {
        Response::Delivered(delivered) => Ok(*delivered),
        other => Err(unexpected(&other)),
    }
}

/// What was said so far.
struct Told<'a> {
    here: &'a Here,
    delivered: Vec<Delivered>,
    taken: usize,
    failed: usize,
    /// Whether all that was to be printed was; mail is taken in all the same.
    printed: Result<(), Unprinted>,
    /// How many mails had which fate, where that is asked for.
    counted: Option<BTreeMap<&'static str, u64>>,
}

impl Told<'_> {
    fn tell(&mut self, delivered: Delivered) {
        self.taken += 1;
        if let Some(counted) = &mut self.counted {
            *counted.entry(delivered.entry.fate.word()).or_default() += 1;
        }
        if self.here.json {
            self.delivered.push(delivered);
            return;
        }
        if self.printed.is_ok() {
            self.printed = describe(&delivered);
        }
    }

    fn complain(&mut self, error: &str) {
        self.failed += 1;
        print::aside(format_args!("error: {}", print::line(error)));
    }

    /// Prints what is told at the end; gives the exit code.
    fn end(self, served: bool) -> Result<u8, Unprinted> {
        let mails = self.delivered.iter().any(|d| !d.mails.is_empty());
        if mails && !served {
            print::aside("note: mail waits in the outbox until `deskbell sync` runs");
        }
        let code = match (self.failed, self.taken) {
            (0, _) => 0,
            (_, 0) => 1,
            _ => 3,
        };
        self.printed?;
        if self.here.json {
            print::json(&self.delivered.iter().filter_map(as_json).collect::<Vec<_>>())?;
        } else if let Some(counted) = self.counted {
            let counts: Vec<String> =
                counted.iter().map(|(fate, count)| format!("{fate}: {count}")).collect();
            print::say(format_args!("{}; failed: {}", counts.join(", "), self.failed))?;
        }
        Ok(code)
    }
}

/// Gives the arrival with what it caused beside it.
fn as_json(delivered: &Delivered) -> Option<serde_json::Value> {
    let mut entry = serde_json::to_value(&delivered.entry).ok()?;
    let map = entry.as_object_mut()?;
    map.insert("mails".to_owned(), delivered.mails.clone().into());
    map.insert("rules".to_owned(), delivered.rules.clone().into());
    Some(entry)
}

/// Prints what became of a mail.
fn describe(delivered: &Delivered) -> Result<(), Unprinted> {
    let entry = &delivered.entry;
    let place = entry.path.as_deref().map_or(String::new(), print::line);
    let at = entry.index.map_or(String::new(), |index| format!("[{index}]"));
    let reference = entry.reference.as_deref().map_or(String::new(), |r| format!(" {r}"));
    print::say(format_args!(
        "{place}{at}: {}{reference}: {}",
        entry.fate.word(),
        print::line(&entry.reason)
    ))?;
    for rule in &delivered.rules {
        print::say(format_args!("  {}", print::line(rule)))?;
    }
    for mail in &delivered.mails {
        print::say(format_args!("  {mail}"))?;
    }
    Ok(())
}

/// Reads all of standard input.
pub fn read_stdin() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(STDIN + 1).read_to_end(&mut bytes)?;
    if read as u64 > STDIN {
        return Err(std::io::Error::other(Fault::refused("standard input holds more than 512 MiB")));
    }
    Ok(bytes)
}
