//! `deskbell` without a command: the screens, attached to a server.

use super::here::Here;
use super::{link, log};
use crate::config::{Paths, Ui};
use crate::domain::Fault;
use crate::tui::{self, Options, UserKey};
use anyhow::Result;
use jiff::tz::TimeZone;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Opens the screens.
pub async fn open(here: &Here) -> Result<u8> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Fault::usage("the screens need a terminal")
            .hint("`deskbell issue list` and the other commands work without one: `deskbell --help`")
            .into());
    }
    let options = options(here)?;
    let line = link::attached(here).await?;
    let _log = log::begin(&here.paths.data_dir, "screen");
    let left = tui::run(line, options).await?;
    if let Some(file) = left.rescued {
        eprintln!("note: what you were writing is in {}", file.display());
    }
    Ok(0)
}

/// Takes what the screens need out of the config.
pub fn options(here: &Here) -> Result<Options, Fault> {
    let Ui { theme, ascii, plain, auto_advance, time_zone, .. } = &here.config.ui;
    let zone = match time_zone.as_str() {
        "local" | "" => local_zone(),
        name => TimeZone::get(name).map_err(|e| {
            Fault::usage(format!("time_zone: {e}")).hint("write it as in `Europe/Berlin`, or `local`")
        })?,
    };
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    Ok(Options {
        theme: theme.clone(),
        no_color: set("NO_COLOR"),
        ascii: *ascii || *plain,
        auto_advance: *auto_advance,
        bell: here.config.notify.bell,
        keys: user_keys(here),
        time_zone: zone,
        scratch_dir: scratch_dir(here).map_err(|e| super::session::unusable(here, &e))?,
        save_dir: std::env::current_dir().unwrap_or_default(),
        ..Options::default()
    })
}

/// Makes the folder for texts that an editor works on. Beside a colleague's desk it is the caller's own.
pub(super) fn scratch_dir(here: &Here) -> std::io::Result<PathBuf> {
    let near = here.paths.data_dir.join("scratch");
    let made = private_dir(&near);
    if made.is_ok() && rustix::fs::access(&near, rustix::fs::Access::WRITE_OK).is_ok() {
        return Ok(near);
    }
    let own = Paths::cache().ok_or(std::io::ErrorKind::PermissionDenied)?.join("scratch");
    private_dir(&own)?;
    Ok(own)
}

fn private_dir(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn user_keys(here: &Here) -> Vec<UserKey> {
    let keys = &here.config.keys;
    let places =
        [("list", &keys.list), ("thread", &keys.thread), ("composer", &keys.composer), ("all", &keys.all)];
    let bound =
        places.into_iter().flat_map(|(place, keys)| keys.iter().map(move |(k, action)| (place, k, action)));
    bound
        .map(|(place, keys, action)| UserKey {
            place: place.to_owned(),
            keys: keys.clone(),
            action: action.clone(),
            line: None,
        })
        .collect()
}

/// Gives the time zone of this machine.
fn local_zone() -> TimeZone {
    // jiff would look through every zone there is for the name of this one, which nobody asks for here.
    let file = std::env::var_os("TZ").is_none().then(|| std::fs::read("/etc/localtime").ok()).flatten();
    file.and_then(|octets| TimeZone::tzif("local", &octets).ok()).unwrap_or_else(TimeZone::system)
}
