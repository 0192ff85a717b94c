//! `deskbell init`: from an address to a desk that takes mail.
//!
//! Nothing is written before both connections have been tried; `--offline` leaves the trial out.

mod ask;
mod providers;
mod wanted;
mod written;

use super::args::{Global, Init};
use super::doctor::{Finding, Findings, Known, look_at_connections, mail_round_trips};
use super::here::{Here, config_fault};
use super::login;
use super::print;
use super::session::{Session, unexpected};
use crate::config::Config;
use crate::domain::{Fault, ProjectView, Request, Response};
use crate::oauth::{self, Tokens};
use anyhow::Result;
use serde_json::json;
use std::path::PathBuf;
use wanted::{Password, Wanted};

/// A config with every key.
const EXAMPLE: &str = include_str!("../../config.example.toml");

/// What was done, to be told at the end.
struct Done {
    old_config: Option<PathBuf>,
    user: String,
    project: ProjectView,
    checks: Vec<Finding>,
}

/// `deskbell init`; gives 3 when all is written and only the round trip failed.
pub async fn run(global: &Global, asked: Init) -> Result<u8> {
    if asked.example {
        print::bytes(EXAMPLE.as_bytes())?;
        return Ok(0);
    }
    if global.host.is_some() {
        return Err(Fault::usage("`init` works on the machine it runs on")
            .hint("run it over there: ssh -t user@host deskbell init")
            .into());
    }
    let mut here = Here::without_config(global)?;
    let (offline, force) = (asked.offline, asked.force);
    written::refuse_existing(&here.paths.config_file, force)?;
    let wanted = wanted::gather(asked).await?;
    let text = written::text(&wanted);
    here.config = Config::parse(&text, &here.paths.config_file).map_err(config_fault)?;
    if !offline {
        sign_in(&here).await?;
    }
    let mut checks = match offline {
        true => Vec::new(),
        false => try_connections(&here, &wanted).await?,
    };
    let old_config = written::write(&here.paths.config_file, &text, force)?;
    here.deeds.note();
    if !here.json {
        print::say(format_args!("Wrote {}", here.paths.config_file.display()))?;
        if let Some(old) = &old_config {
            print::say(format_args!("The old one is {}", old.display()))?;
        }
    }
    let session = Session::open(&here).await?;
    let made = make_project(&session, &wanted.project).await;
    let known = Known::ask(session).await;
    let (user, project) = made?;
    if !offline && wanted.plus {
        checks.extend(round_trip(&here, &known?).await?);
    }
    let failed = checks.iter().any(|check| !check.ok);
    tell(&here, &wanted, &Done { old_config, user, project, checks })?;
    Ok(if failed { 3 } else { 0 })
}

/// Signs in where the config lives on a token that somebody has to grant.
async fn sign_in(here: &Here) -> Result<(), Fault> {
    let tokens = Tokens::new(&here.paths.data_dir);
    let asked = login::Asked { name: "support".to_owned(), ..login::Asked::default() };
    match login::find(&here.config, &tokens, &asked.name) {
        Ok(login) => {
            let oauth = oauth::application(login).map_err(login::fault)?;
            login::sign_in(&tokens, login, oauth, &asked).await.map(drop)
        }
        // It takes a password, or a command gives the token.
        Err(_) => Ok(()),
    }
}

/// Tries both connections; the first step that fails is the fault.
async fn try_connections(here: &Here, wanted: &Wanted) -> Result<Vec<Finding>> {
    if ask::somebody_is_there() {
        print::aside("Trying both connections …");
    }
    let mut findings = Findings::new(true);
    look_at_connections(here, &mut findings).await;
    let Some(failure) = findings.first_failure() else {
        let all = findings.into_all();
        if !here.json {
            print::say("The mailbox can be read, and the server takes mail")?;
        }
        return Ok(all);
    };
    let detail = failure.detail.as_deref().unwrap_or("it failed");
    let words = format!("{}: {detail}", failure.step);
    let is_login = failure.step.ends_with(": login");
    let advice = wanted.advice.filter(|_| is_login).map(str::to_owned);
    let cures =
        [failure.cure.clone(), advice, Some("nothing was written; --offline writes untried".to_owned())];
    let cure = cures.into_iter().flatten().collect::<Vec<_>>().join("; ");
    if ask::somebody_is_there() {
        print::aside(format_args!("{}\n  {}", print::line(&words), print::line(&cure)));
        if ask::yes("Write the config all the same", false)? {
            return Ok(findings.into_all());
        }
    }
    Err(Fault::refused(words).hint(cure).into())
}

/// Makes the first project, unless it is there; gives it and who we are.
async fn make_project(session: &Session, path: &str) -> Result<(String, ProjectView), Fault> {
    let user = match session.ask(Request::Whoami).await? {
        Response::User(user) => user.name,
        other => return Err(unexpected(&other)),
    };
    let projects = match session.ask(Request::Projects).await? {
        Response::Projects(projects) => projects,
        other => return Err(unexpected(&other)),
    };
    if let Some(there) = projects.into_iter().find(|p| p.path.eq_ignore_ascii_case(path)) {
        return Ok((user, there));
    }
    match session.ask(Request::AddProject { path: path.to_owned() }).await? {
        Response::Project(project) => Ok((user, *project)),
        other => Err(unexpected(&other)),
    }
}

async fn round_trip(here: &Here, known: &Known) -> Result<Vec<Finding>, print::Unprinted> {
    if !here.json {
        print::aside("Mailing itself a round trip, which may take a minute …");
    }
    let mut findings = Findings::new(here.json);
    mail_round_trips(here, known, &mut findings).await;
    findings.printed()?;
    Ok(findings.into_all())
}

fn tell(here: &Here, wanted: &Wanted, done: &Done) -> Result<()> {
    let address = done.project.addresses.first();
    if here.json {
        return Ok(print::json(&json!({
            "config": here.paths.config_file,
            "old_config": done.old_config,
            "data_dir": here.paths.data_dir,
            "user": done.user,
            "project": print::project_json(&done.project),
            "address": address,
            "checks": done.checks,
        }))?);
    }
    print::say(format_args!(
        "The desk is in {}, and you are {} there",
        here.paths.data_dir.display(),
        done.user
    ))?;
    print::say(format_args!("The project {} is ready", done.project.path))?;
    if let Some(address) = address {
        print::say(format_args!("\nPublish this address:\n  {address}"))?;
        print::say("Anyone who knows it can open issues.")?;
    }
    if wanted.plus {
        print::say(format_args!("Mail to {} itself comes to this project too.", wanted.address))?;
    }
    if done.checks.is_empty() && matches!(wanted.password, Password::SignIn(_)) {
        print::say("\nSign in with `deskbell login support`.")?;
    }
    print::say("\nNow open the screens with `deskbell`, or serve the desk for good with `deskbell sync`.")?;
    Ok(())
}
