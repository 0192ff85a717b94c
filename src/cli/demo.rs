//! `deskbell demo`: a small vendor's week on a throw-away desk, all of it in this process.
//!
//! Nothing here is pretended: mail comes in by a Maildir and goes out into one, through the same loops,
//! intake and requests as on any desk. Only the clock is turned back while the week is played, and the
//! customers are a task that answers mail.

mod customers;
mod folder;
mod house;
mod play;
mod week;

use super::args::{Demo, Global};
use super::here::Here;
use super::{display, link, log, print, tty};
use crate::config::{Config, Paths};
use crate::desk::{Caller, Clock, Desk};
use crate::domain::{Fault, IssuePage, IssueQuery, Response};
use crate::sync::{self, Plan};
use crate::tui::{self, Options};
use anyhow::Result;
use customers::Customers;
use folder::Folder;
use jiff::Timestamp;
use play::{Play, ask};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The project of the demo.
const PROJECT: &str = "brightwater/support";
/// The other one, to which some issues are moved.
const BILLING: &str = "brightwater/billing";
/// The Maildir that customers' mail comes in by; that of the mail that goes out is `out` in the data dir.
const IN: &str = "in";
const CONFIG: &str = r#"# The config of the demo: mail comes in by one Maildir and goes out into another.
[mailbox.support]
inbox_method = "maildir"
path = "in"
address = "support+%{key}@brightwater.example"
project = "brightwater/support"
trusted_authserv_ids = ["mx.brightwater.example"]

[smtp]
method = "maildir"
path = "out"
from = "support@brightwater.example"

# The mails are made up, and their domains too.
[spam]
authentication = false
"#;
/// How long the loops may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A clock that can be turned back.
#[derive(Clone, Default)]
struct Dial(Arc<AtomicI64>);

impl Dial {
    /// Says what time it is now; from there on the time runs as ever.
    fn set(&self, at: Timestamp) {
        self.0.store(Timestamp::now().as_millisecond() - at.as_millisecond(), Ordering::SeqCst);
    }

    fn now(&self) -> Timestamp {
        let behind = self.0.load(Ordering::SeqCst);
        Timestamp::from_millisecond(Timestamp::now().as_millisecond() - behind).unwrap_or_default()
    }

    fn clock(&self) -> Clock {
        let dial = self.clone();
        Arc::new(move || dial.now())
    }
}

/// `deskbell demo`.
pub async fn run(global: &Global, asked: Demo) -> Result<u8> {
    if global.host.is_some() {
        return Err(Fault::usage("the demo runs on this machine").hint("leave --host out").into());
    }
    let has_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if !asked.list && !has_terminal {
        return Err(Fault::usage("the screens need a terminal")
            .hint("`deskbell demo --list` fills the desk and prints its issues")
            .into());
    }
    // Whatever the desk writes is for its owner only.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let folder = match &asked.keep {
        Some(dir) => Folder::kept(dir)?,
        None => Folder::temporary()?,
    };
    let here = here(global, &folder)?;
    let shown = tokio::select! {
        shown = show(&here, &folder, asked.list) => shown,
        _ = tokio::signal::ctrl_c() => Err(Fault::refused("the demo was interrupted").into()),
    };
    if asked.keep.is_some() && shown.is_ok() {
        let (config, data) = (here.paths.config_file.display(), here.paths.data_dir.display());
        print::aside(format_args!("The desk is kept: deskbell --config {config} --data-dir {data}"));
    }
    shown
}

fn here(global: &Global, folder: &Folder) -> Result<Here, Fault> {
    let paths = Paths { config_file: folder.path("config.toml"), data_dir: folder.path("desk") };
    folder.prepare(CONFIG)?;
    let config = Config::parse(CONFIG, &paths.config_file).map_err(super::here::config_fault)?;
    Ok(Here { paths, config, host: None, json: global.json, deeds: Default::default() })
}

/// Opens the desk, plays the week, and shows what came of it.
async fn show(here: &Here, folder: &Folder, list: bool) -> Result<u8> {
    let place = here.place();
    let lock = place.try_lock().map_err(|e| super::session::unusable(here, &e))?;
    let Some(_lock) = lock else {
        return Err(Fault::refused("a desk is at work in that folder")
            .hint("name another with --keep")
            .into());
    };
    let _log = log::begin(&here.paths.data_dir, "demo");
    let now = Timestamp::now();
    let dial = Dial::default();
    dial.set(week::begins(now));
    let desk = here.open_desk_by(dial.clock()).await?;
    desk.board().settle(here.paths.data_dir.clone(), true, false);
    let stop = CancellationToken::new();
    let plan = Plan::of(&here.config, &here.paths.data_dir);
    let loops = {
        let (desk, stop) = (desk.clone(), stop.clone());
        tokio::spawn(async move { sync::run(&desk, &plan, &stop).await })
    };
    let me = Caller { user: here.me(), owns_desk: true };
    let customers = Customers::new(folder.path(IN), here.paths.data_dir.join("out"));
    let mut play = Play::new(&desk, dial, me.clone(), customers);
    let played = play.week(now).await;
    display::clear();
    let shown = match played {
        Ok(()) if list => list_issues(here, &desk, &me).await,
        Ok(()) => open_screens(here, &desk, me, play.into_customers()).await,
        Err(fault) => Err(fault.into()),
    };
    stop.cancel();
    desk.say_goodbye();
    let _ = tokio::time::timeout(PATIENCE, loops).await;
    desk.close().await?;
    shown
}

async fn list_issues(here: &Here, desk: &Desk, me: &Caller) -> Result<u8> {
    let IssuePage { rows, total, .. } = issues(desk, me).await?;
    match here.json {
        true => print::json(&rows)?,
        false => print::issues(&rows, total)?,
    }
    Ok(0)
}

async fn issues(desk: &Desk, me: &Caller) -> Result<IssuePage, Fault> {
    let query = IssueQuery { query: String::new(), offset: 0, limit: 100 };
    match ask(desk, me, crate::domain::Request::Issues(query)).await? {
        Response::Issues(page) => Ok(page),
        other => Err(super::session::unexpected(&other)),
    }
}

async fn open_screens(here: &Here, desk: &Desk, me: Caller, customers: Customers) -> Result<u8> {
    let options = Options { demo: true, ..tty::options(here)? };
    let answering = tokio::spawn(customers.answer_mail());
    let ended = tui::run(link::local(desk, me), options).await;
    answering.abort();
    ended?;
    Ok(0)
}
