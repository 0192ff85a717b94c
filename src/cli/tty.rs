//! `deskbell` without a command: the screens, attached to a server.

use super::here::Here;
use super::{link, log, print};
use crate::config::{BoundKey, CommandMode, Config, Paths, Ui};
use crate::domain::Fault;
use crate::tui::{self, Notify, Options, OwnCommand, RunMode, SetupError, Surroundings, UserKey};
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
        print::aside(format_args!("note: what you were writing is in {}", file.display()));
    }
    Ok(0)
}

/// Takes what the screens need out of the config.
pub fn options(here: &Here) -> Result<Options, Fault> {
    let Ui { mouse, auto_advance, time_zone, .. } = &here.config.ui;
    let zone = match time_zone.as_str() {
        "local" | "" => local_zone(),
        name => TimeZone::get(name).map_err(|e| {
            Fault::usage(format!("time_zone: {e}")).hint("write it as in `Europe/Berlin`, or `local`")
        })?,
    };
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let options = Options {
        no_color: set("NO_COLOR"),
        surroundings: Surroundings::of(|name| std::env::var(name).ok()),
        auto_advance: *auto_advance,
        mouse: *mouse,
        notify: Notify {
            bell: here.config.notify.bell,
            osc: here.config.notify.osc,
            command: here.config.notify.command.clone().unwrap_or_default(),
            show_subject: here.config.notify.show_subject,
        },
        time_zone: zone,
        scratch_dir: scratch_dir(here).map_err(|e| super::session::unusable(here, &e))?,
        save_dir: std::env::current_dir().unwrap_or_default(),
        ..look(&here.config)
    };
    options.check().map_err(|wrong| {
        let file = here.paths.config_file.display();
        Fault::usage(format!("{file}: {wrong}")).hint("`deskbell init --example` shows every key")
    })?;
    Ok(options)
}

/// Takes what can be wrong without anything of this machine: theme and keys.
fn look(config: &Config) -> Options {
    let Ui { theme, keymap, ascii, plain, links, images, .. } = &config.ui;
    Options {
        theme: theme.clone(),
        ascii: *ascii || *plain,
        plain: *plain,
        links: *links && !*plain,
        images: images.clone(),
        keymap: keymap.word().to_owned(),
        keys: user_keys(config),
        commands: own_commands(config),
        ..Options::default()
    }
}

/// Says what the screens would refuse in a config.
pub(super) fn check(config: &Config) -> Result<(), SetupError> {
    look(config).check()
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

fn user_keys(config: &Config) -> Vec<UserKey> {
    let key = |bound: &BoundKey| UserKey {
        place: bound.place.to_owned(),
        keys: bound.keys.clone(),
        action: bound.action.clone(),
        line: Some(bound.line),
    };
    config.keys.iter().map(key).collect()
}

fn own_commands(config: &Config) -> Vec<OwnCommand> {
    let command = |own: &crate::config::OwnCommand| OwnCommand {
        keys: own.key.clone(),
        name: own.name.clone(),
        run: own.run.clone(),
        mode: match own.mode {
            CommandMode::Read => RunMode::Read,
            CommandMode::Confirm => RunMode::Confirm,
            CommandMode::Background => RunMode::Background,
        },
        timeout: own.timeout,
        line: Some(own.line),
    };
    config.commands.iter().map(command).collect()
}

/// Gives the time zone of this machine.
fn local_zone() -> TimeZone {
    // jiff would look through every zone there is for the name of this one, which nobody asks for here.
    let file = std::env::var_os("TZ").is_none().then(|| std::fs::read("/etc/localtime").ok()).flatten();
    file.and_then(|octets| TimeZone::tzif("local", &octets).ok()).unwrap_or_else(TimeZone::system)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn here(config: &str) -> (tempfile::TempDir, Here) {
        let dir = tempfile::tempdir().unwrap();
        let config_file = dir.path().join("config.toml");
        let config = Config::parse(config, &config_file).unwrap();
        let paths = Paths { config_file, data_dir: dir.path().join("data") };
        (dir, Here { paths, config, host: None, json: false, deeds: Default::default() })
    }

    #[test]
    fn keys_of_every_place_are_understood_and_wrong_ones_named_with_file_and_line() {
        for place in tui::places() {
            let text = format!("[ui]\nkeymap = \"mutt\"\n[keys.{place}]\n\"f9\" = \"redraw\"\n");
            assert!(options(&here(&text).1).is_ok(), "{place}");
        }
        for (text, said) in [
            ("[keys.list]\n\"b\" = \"clsoe\"\n", "did you mean `close`? (line 2)"),
            ("[keys.list]\n\"C-b\" = \"close\"\n\"ctrl-b\" = \"spam\"\n", "bound twice, to"),
            ("[keys.list]\n\"hyper-b\" = \"close\"\n", "not a key (line 2)"),
            (
                "[keys.list]\n\"b\" = \"close\"\n\n[[command]]\nname = \"b\"\nkey = \"b\"\nrun = \"true\"\n",
                "bound twice, to `close` and to `command-1` (line 6)",
            ),
            ("[ui]\ntheme = \"neon\"\n", "there is no theme `neon`"),
            ("[ui]\nimages = \"always\"\n", "there is no way `always` to show pictures"),
        ] {
            let (_dir, here) = here(text);
            let fault = options(&here).unwrap_err();
            assert!(fault.message.contains(said), "{}", fault.message);
            assert!(fault.message.contains(Path::new("config.toml").to_str().unwrap()));
        }
    }
}
