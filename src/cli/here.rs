//! Where this process works: its config, its data dir, who it is.

use super::args::Global;
use super::session::unusable;
use crate::config::{Config, ConfigError, Paths};
use crate::crypt::Crypt;
use crate::desk::{Clock, Desk, Ways};
use crate::domain::{Fault, FaultKind, Seq};
use crate::index::{Index, IndexError};
use crate::rpc::Place;
use crate::store::{Store, StoreError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

const LETTING_GO: Duration = Duration::from_secs(3);

/// Whether a command has changed anything yet; its copies know it as well.
#[derive(Clone, Debug, Default)]
pub struct Deeds(Arc<AtomicBool>);

impl Deeds {
    /// Notes that something was changed.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Tells whether something was changed.
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that a command needs to know of its surroundings.
#[derive(Clone, Debug)]
pub struct Here {
    pub paths: Paths,
    pub config: Config,
    pub host: Option<String>,
    pub json: bool,
    pub deeds: Deeds,
}

impl Here {
    /// Finds the config and the data dir; a wrong config is a usage fault.
    pub fn find(global: &Global) -> Result<Self, Fault> {
        let mut here = Self::without_config(global)?;
        if global.config_is_named {
            here.demand_config()?;
        }
        here.config = Config::load(Some(&here.paths.config_file)).map_err(config_fault)?;
        Ok(here)
    }

    /// Finds the places only, for who looks into a config that is wrong or not there yet.
    pub fn without_config(global: &Global) -> Result<Self, Fault> {
        let paths = Paths::new(global.config.clone(), global.data_dir.clone()).ok_or_else(|| {
            Fault::usage("there is no home folder to look for the config in")
                .hint("say --config FILE --data-dir DIR")
        })?;
        Ok(Self {
            paths,
            config: Config::default(),
            host: global.host.clone(),
            json: global.json,
            deeds: global.deeds.clone(),
        })
    }

    /// Tells whether there is no config; one that cannot be looked at is there.
    pub fn lacks_config(&self) -> bool {
        let found = self.paths.config_file.metadata();
        found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// Says that there is no config, so that no mailbox is read and no mail leaves; `None` where there is one.
    pub fn without_one(&self) -> Option<String> {
        let file = self.paths.config_file.display();
        self.lacks_config().then(|| format!("there is no config at {file}; `deskbell init` writes one"))
    }

    /// Refuses a config that was named and is not there: without it the desk would seem to work.
    fn demand_config(&self) -> Result<(), Fault> {
        if !self.lacks_config() {
            return Ok(());
        }
        let shown = self.paths.config_file.display();
        Err(Fault::usage(format!("there is no file {shown}"))
            .hint(format!("correct --config, or write one: `deskbell init --config {shown}`")))
    }

    /// Gives the folder of the desk with its lock and socket.
    pub fn place(&self) -> Place {
        Place { data_dir: self.paths.data_dir.clone(), runtime_dir: runtime_dir() }
    }

    /// Gives the folder of the config, from which files that are read count.
    pub fn config_dir(&self) -> &Path {
        self.paths.config_file.parent().unwrap_or(Path::new(""))
    }

    /// Says who acts for this account.
    pub fn me(&self) -> String {
        self.config.me.user.clone().unwrap_or_else(system_user)
    }

    /// Opens the desk in this process. The caller holds the lock.
    pub async fn open_desk(&self) -> Result<Desk, Fault> {
        self.open_desk_by(Arc::new(jiff::Timestamp::now)).await
    }

    /// Opens the desk in this process, with a clock of the caller's. The caller holds the lock.
    pub async fn open_desk_by(&self, clock: Clock) -> Result<Desk, Fault> {
        // Whatever the desk writes is for its owner only.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        // Over a limit on file sizes the system would end the process; heard of, it is an error to handle.
        drop(signal(SignalKind::from_raw(nix::sys::signal::Signal::SIGXFSZ as i32)));
        // The store reads on a thread of its own, so that both are opened at the same time.
        let (opened, index) = tokio::join!(Store::open(&self.paths.data_dir), self.open_index());
        let opened = opened.map_err(store_fault)?;
        let (index, indexed) = index?;
        let ways = Ways::of(&self.config, self.config_dir());
        let desk = Desk::open(opened.store, index, indexed, ways, self.crypt(), clock).await?;
        self.hold_if_restored(&desk).await?;
        for (number, notice) in opened.notices.into_iter().enumerate() {
            desk.board().notice(format!("store {number}"), notice);
        }
        Ok(desk)
    }

    /// Gives the programs that look into signed and encrypted mail.
    pub fn crypt(&self) -> Crypt {
        Crypt::new(&self.config.pgp, &self.config.smime, &self.paths.data_dir.join("scratch"))
    }

    /// Gives the file whose presence says that the desk was restored and nothing of it is held yet.
    pub fn restored_mark(&self) -> PathBuf {
        self.paths.data_dir.join("restored")
    }

    /// Holds the mail of a restored desk before anything can send it, however often that is cut short.
    async fn hold_if_restored(&self, desk: &Desk) -> Result<(), Fault> {
        let mark = self.restored_mark();
        if !mark.try_exists().map_err(|e| unusable(self, &e))? {
            return Ok(());
        }
        let held = desk.hold_everything().await?;
        tracing::info!(held, "the mail of a restored desk is held");
        std::fs::remove_file(&mark).map_err(|e| unusable(self, &e))
    }
}

impl Here {
    /// Opens the index. A process that just ended may need a moment until the system has let go of it.
    async fn open_index(&self) -> Result<(Index, Seq), Fault> {
        let until = tokio::time::Instant::now() + LETTING_GO;
        loop {
            match Index::open(&self.paths.data_dir.join("index")) {
                Err(IndexError::Locked { .. }) if tokio::time::Instant::now() < until => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                opened => return opened.map_err(index_fault),
            }
        }
    }
}

/// Says what is wrong with a config.
pub fn config_fault(error: ConfigError) -> Fault {
    let fault = Fault::usage(error.to_string());
    match error.hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

fn store_fault(error: StoreError) -> Fault {
    let hint = error.hint();
    let fault = Fault::internal(error.to_string());
    match hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

fn index_fault(error: IndexError) -> Fault {
    Fault::new(FaultKind::Internal, error.to_string())
        .hint("the index is derived: it may be removed, and is made anew at the next start")
}

fn system_user() -> String {
    let account = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
    account.map(|account| account.name).unwrap_or_else(|| "owner".to_owned())
}

fn runtime_dir() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        _ => std::env::temp_dir(),
    }
}
