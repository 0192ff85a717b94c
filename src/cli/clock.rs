//! `deskbell clock …`: how long people may wait.

use super::args::{NamedWithin, Within};
use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{ClockView, Fault, Request, Response};
use anyhow::Result;
use clap::Subcommand;

/// The commands about clocks.
#[derive(Debug, Subcommand)]
pub enum Clock {
    /// Makes a clock: how long people may wait for an answer, and for the end of an issue.
    #[command(
        after_help = "Lengths are working time, by the settings `hours` and `holidays` of the project or the desk. \
                      A clock stands while an issue waits on the customer.\n\n\
                      Example:\n  deskbell clock add urgent 'priority:urgent' --first 1h --next 2h --resolve 1d \
                      --project acme/support"
    )]
    Add {
        name: String,
        /// Which issues it is for, in the query language; all, unless given.
        #[arg(default_value = "")]
        query: String,
        /// Until the first answer.
        #[arg(long, value_name = "LENGTH")]
        first: Option<String>,
        /// Until each later answer.
        #[arg(long, value_name = "LENGTH")]
        next: Option<String>,
        /// Until the issue is closed.
        #[arg(long, value_name = "LENGTH")]
        resolve: Option<String>,
        /// How long before the end the staff are warned; the last quarter, unless given.
        #[arg(long, value_name = "LENGTH")]
        warn: Option<String>,
        #[command(flatten)]
        whose: Within,
    },
    /// Lists the clocks; the first one that fits an issue counts.
    List,
    /// Shows one clock.
    Show(NamedWithin),
    /// Changes a clock: name, query, first, next, resolve, warn, position, enabled.
    #[command(
        after_help = "Example:\n  deskbell clock set urgent first=30m position=1 --project acme/support"
    )]
    Set {
        name: String,
        /// Settings, as key=value.
        #[arg(required = true, value_parser = super::args::setting)]
        settings: Vec<(String, String)>,
        #[command(flatten)]
        whose: Within,
    },
    /// Takes a clock away.
    Remove(NamedWithin),
}

/// Carries out one of the commands about clocks.
pub async fn run(here: &Here, asked: Clock) -> Result<u8> {
    let request = match asked {
        Clock::Add { name, query, first, next, resolve, warn, whose } => {
            let lengths = [("first", first), ("next", next), ("resolve", resolve), ("warn", warn)];
            let lengths = lengths.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
            let settings = [("name".to_owned(), name), ("query".to_owned(), query)];
            let settings = settings.into_iter().chain(lengths).collect();
            Request::SetClock { scope: whose.scope(), name: None, settings }
        }
        Clock::List => Request::Clocks,
        Clock::Show(named) => return show(here, named).await,
        Clock::Set { name, settings, whose } => {
            Request::SetClock { scope: whose.scope(), name: Some(name), settings }
        }
        Clock::Remove(named) => Request::RemoveClock { scope: named.whose.scope(), name: named.name },
    };
    match ask(here, request).await? {
        Response::Clocks(clocks) => print_clocks(here, &clocks)?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

async fn show(here: &Here, named: NamedWithin) -> Result<u8> {
    let Response::Clocks(clocks) = ask(here, Request::Clocks).await? else {
        return Err(Fault::internal("the desk gave an unexpected answer").into());
    };
    let is_it = |clock: &&ClockView| clock.about.name == named.name && clock.project == named.whose.project;
    match clocks.iter().find(is_it) {
        Some(clock) if here.json => print::json(&as_json(clock))?,
        Some(clock) => print_clocks(here, std::slice::from_ref(clock))?,
        None => return Err(Fault::not_found(format!("there is no clock `{}`", named.name)).into()),
    }
    Ok(0)
}

fn as_json(clock: &ClockView) -> serde_json::Value {
    let about = &clock.about;
    serde_json::json!({
        "name": about.name, "project": clock.project, "position": clock.position, "query": about.query,
        "first": about.first, "next": about.next, "resolve": about.resolve, "warn": about.warn,
        "enabled": about.enabled,
    })
}

fn print_clocks(here: &Here, clocks: &[ClockView]) -> Result<(), print::Unprinted> {
    if here.json {
        return print::json(&clocks.iter().map(as_json).collect::<Vec<_>>());
    }
    if clocks.is_empty() {
        print::say("No clock is there.")?;
        return Ok(());
    }
    let length = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let row = |clock: &ClockView| {
        let about = &clock.about;
        let off = if about.enabled { "" } else { " (off)" };
        vec![
            clock.position.to_string(),
            format!("{}{off}", print::line(&about.name)),
            clock.project.clone().unwrap_or_else(|| "the desk".to_owned()),
            length(&about.first),
            length(&about.next),
            length(&about.resolve),
            about.warn.clone().unwrap_or_else(|| "last quarter".to_owned()),
            if about.query.is_empty() { "all issues".to_owned() } else { print::line(&about.query) },
        ]
    };
    let rows: Vec<Vec<String>> = clocks.iter().map(row).collect();
    print::table(&["", "CLOCK", "OF", "FIRST", "NEXT", "RESOLVE", "WARNS", "QUERY"], &rows)
}
