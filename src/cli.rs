//! The command line: arguments, subcommands, printing.
//!
//! Sees every other layer; nothing sees it.
// What cannot be printed is an error like others, so nothing prints but by `print`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod canned;
mod category;
mod clock;
mod custom;
mod deliver;
mod demo;
mod demo_answers;
mod demo_mails;
mod desk;
mod display;
mod doctor;
mod export;
mod here;
mod hook;
mod import;
mod init;
mod issue;
mod link;
mod log;
mod login;
mod macros;
mod mail;
mod person;
mod print;
mod project;
mod redact;
mod report;
mod rule;
mod sender;
mod serve;
mod session;
mod template;
mod tty;
mod upkeep;
mod user;
mod view;
mod who;

use crate::domain::{Fault, FaultKind};
use anyhow::Result;
use args::{Cli, Command};
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};
use here::{Deeds, Here};
use print::Unprinted;
use std::process::ExitCode;

/// What a mail transfer agent takes for "try again later" (sysexits.h).
const TEMPFAIL: u8 = 75;
/// What a shell gives for a program that SIGPIPE ended.
const BROKEN_PIPE: u8 = 141;

/// Reads the arguments of this process and carries them out.
pub fn main() -> ExitCode {
    let for_mta = delivers_for_mta();
    let cli = match parsed() {
        Ok(cli) => cli,
        Err(error) => {
            if let Err(unprinted) = error.print().map_err(Unprinted::from)
                && !error.use_stderr()
            {
                return complain(&unprinted.into(), &Deeds::default(), false);
            }
            if let Some(flag) = meant_edit(&error) {
                print::aside(format_args!("hint: `deskbell issue edit REF {flag}` does that"));
            }
            let code = if for_mta && error.use_stderr() { i32::from(TEMPFAIL) } else { error.exit_code() };
            return ExitCode::from(u8::try_from(code).unwrap_or(2));
        }
    };
    let deeds = cli.global.deeds.clone();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&anyhow::Error::new(error), &deeds, for_mta),
    };
    let code = match runtime.block_on(run(cli)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => complain(&error, &deeds, for_mta),
    };
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    code
}

/// Gives the option of `issue edit` that does what a command which is not there was to do.
fn meant_edit(error: &clap::Error) -> Option<&'static str> {
    match error.get(ContextKind::InvalidSubcommand)? {
        ContextValue::String(word) => match word.as_str() {
            "close" => Some("--close"),
            "reopen" => Some("--reopen"),
            "assign" => Some("--assign USER"),
            "label" => Some("--label NAME"),
            _ => None,
        },
        _ => None,
    }
}

/// Reads the command line.
fn parsed() -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches()?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut Cli::command()))?;
    cli.global.config_is_named = matches.value_source("config") == Some(ValueSource::CommandLine);
    Ok(cli)
}

/// Tells whether this is `deliver -`, which answers to a mail transfer agent.
fn delivers_for_mta() -> bool {
    let mut words = std::env::args().skip(1);
    words.by_ref().any(|word| word == "deliver") && words.any(|word| word == "-")
}

/// Prints what went wrong and what helps; gives the exit code.
fn complain(error: &anyhow::Error, deeds: &Deeds, for_mta: bool) -> ExitCode {
    let unprinted = error.downcast_ref::<Unprinted>();
    if unprinted.is_some_and(Unprinted::reader_left) {
        return ExitCode::from(BROKEN_PIPE);
    }
    let done = unprinted.filter(|_| deeds.any()).map(after_all);
    let fault = done.as_ref().or(error.downcast_ref::<Fault>());
    let message = match fault {
        Some(fault) => fault.message.clone(),
        None => error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "),
    };
    print::aside(format_args!("error: {}", print::clean(&message)));
    if let Some(hint) = fault.and_then(|fault| fault.hint.as_deref()) {
        print::aside(format_args!("hint: {}", print::clean(hint)));
    }
    if for_mta {
        return ExitCode::from(TEMPFAIL);
    }
    ExitCode::from(if fault.is_some_and(|fault| fault.kind == FaultKind::Usage) { 2 } else { 1 })
}

/// Says that a command did what it was asked, so that nobody repeats it because its words were lost.
fn after_all(unprinted: &Unprinted) -> Fault {
    let why = std::error::Error::source(unprinted).map_or(String::new(), |why| format!(": {why}"));
    Fault::internal(format!("it was done, but {unprinted}{why}"))
        .hint("do not repeat the command; look at the desk for what it printed")
}

async fn run(cli: Cli) -> Result<u8> {
    // Whatever is written holds people's mail, so it is for its owner only.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match cli.command {
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "deskbell", &mut text);
            print::bytes(&text)?;
            return Ok(0);
        }
        Some(Command::Man) => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut text)?;
            print::bytes(&text)?;
            return Ok(0);
        }
        Some(Command::Demo(asked)) => return demo::run(&cli.global, asked).await,
        Some(Command::Init(asked)) => return init::run(&cli.global, asked).await,
        Some(Command::Doctor { round_trip }) => return doctor::run(&cli.global, round_trip).await,
        _ => {}
    }
    let here = Here::find(&cli.global)?;
    let Some(command) = cli.command else { return tty::open(&here).await };
    match command {
        Command::Completions { .. } | Command::Man => Ok(0),
        Command::Demo(_) | Command::Init(_) | Command::Doctor { .. } => Ok(0),
        Command::Status => desk::status(&here).await,
        Command::Who => who::run(&here).await,
        Command::Sync(asked) => serve::sync(&here, &asked).await,
        Command::Attach { user, .. } => serve::attach(&here, user).await,
        Command::Deliver(asked) => deliver::run(&here, asked).await,
        Command::Project(asked) => project::run(&here, asked).await,
        Command::User(asked) => user::run(&here, asked).await,
        Command::Member(asked) => project::member(&here, asked).await,
        Command::Desk(asked) => desk::settings(&here, asked).await,
        Command::Issue(asked) => issue::run(&here, asked).await,
        Command::Outbox(asked) => mail::outbox(&here, asked).await,
        Command::Intake(asked) => mail::intake(&here, asked).await,
        Command::Canned(asked) => canned::run(&here, asked).await,
        Command::Macro(asked) => macros::run(&here, asked).await,
        Command::View(asked) => view::run(&here, asked).await,
        Command::Label(asked) => category::label(&here, asked).await,
        Command::Milestone(asked) => category::milestone(&here, asked).await,
        Command::Rule(asked) => rule::run(&here, asked).await,
        Command::Report(asked) => report::run(&here, asked).await,
        Command::Clock(asked) => clock::run(&here, asked).await,
        Command::Sender(asked) => sender::run(&here, asked).await,
        Command::Template(asked) => template::run(&here, asked).await,
        Command::Hook(asked) => hook::run(&here, asked).await,
        Command::Login(asked) => login::run(&here, asked).await,
        Command::Person(asked) => person::run(&here, asked).await,
        Command::Undo { id, list, limit } => issue::undo(&here, id, list, limit).await,
        Command::Redo => issue::redo(&here).await,
        Command::Import(asked) => import::run(&here, asked).await,
        Command::Export { dir } => export::run(&here, &dir).await,
        Command::Backup { file, force } => upkeep::backup(&here, &file, force).await,
        Command::Restore { file } => upkeep::restore(&here, &file).await,
        Command::Maintenance(asked) => upkeep::maintenance(&here, asked).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names the options of a command, and of those below it, that say nothing about themselves.
    fn silent(command: &clap::Command, path: &str) -> Vec<String> {
        let own = command.get_arguments().filter(|arg| !arg.is_positional() && arg.get_help().is_none());
        let own = own.map(|arg| format!("{path} --{}", arg.get_id()));
        let below = command.get_subcommands().flat_map(|c| silent(c, &format!("{path} {}", c.get_name())));
        own.chain(below).collect()
    }

    #[test]
    fn every_command_and_every_option_says_what_it_does() {
        let command = Cli::command();
        assert_eq!(silent(&command, "deskbell"), Vec::<String>::new());
        let mut commands: Vec<&clap::Command> = vec![&command];
        while let Some(next) = commands.pop() {
            assert!(next.get_about().is_some(), "{} says nothing", next.get_name());
            commands.extend(next.get_subcommands());
        }
    }
}
