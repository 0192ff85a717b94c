//! `deskbell project …`, `member …`.

use super::args::{Member, Project};
use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{EmailAddress, ProjectAddress, Request, Response};
use anyhow::Result;
use clap::Subcommand;

/// `deskbell project address …`.
#[derive(Debug, Subcommand)]
pub enum Address {
    /// Adds an address, or changes how it marks issues.
    #[command(
        after_help = "Example:\n  deskbell project address add acme/support sales@acme.example --label sales --assign mia"
    )]
    Add {
        /// The project, as group/name.
        project: String,
        address: EmailAddress,
        /// Labels the issues that come by it.
        #[arg(long)]
        label: Vec<String>,
        /// Who gets them.
        #[arg(long)]
        assign: Option<String>,
    },
    /// Lists every address that reaches a project.
    List {
        /// The project, as group/name.
        project: String,
    },
    /// Takes an address away; mail to it waits in triage.
    Remove { project: String, address: EmailAddress },
}

fn about_address(asked: Address) -> Request {
    match asked {
        Address::Add { project, address, label, assign } => Request::SetAddress {
            path: project,
            address: ProjectAddress { address, labels: label, assignee: assign },
        },
        Address::List { project } => Request::Project(project),
        Address::Remove { project, address } => Request::RemoveAddress { path: project, address },
    }
}

/// Carries out one of the commands about projects.
pub async fn run(here: &Here, asked: Project) -> Result<u8> {
    let request = match asked {
        Project::Add { path } => Request::AddProject { path },
        Project::List => Request::Projects,
        Project::Show { path } => Request::Project(path),
        Project::Set { path, settings } => {
            Request::SetProject { path, settings: super::desk::with_calendars(settings)? }
        }
        Project::Enable { path } => Request::EnableProject { path, enabled: true },
        Project::Disable { path } => Request::EnableProject { path, enabled: false },
        Project::Rename { path, to } => Request::RenameProject { path, to },
        Project::RotateKey { path } => Request::RotateKey { path },
        Project::Address(asked) => about_address(asked),
        Project::CustomEmail(asked) => return super::custom::run(here, asked).await,
    };
    match ask(here, request).await? {
        Response::Project(project) if here.json => print::json(&print::project_json(&project))?,
        Response::Project(project) => print::project(&project)?,
        Response::Projects(projects) if here.json => {
            print::json(&projects.iter().map(print::project_json).collect::<Vec<_>>())?;
        }
        Response::Projects(projects) if projects.is_empty() => {
            print::say("There is no project yet: `deskbell project add GROUP/NAME` makes one.")?;
        }
        Response::Projects(projects) => {
            let rows: Vec<Vec<String>> = projects
                .iter()
                .map(|p| {
                    let address = p.addresses.first().map_or_else(|| "–".to_owned(), ToString::to_string);
                    vec![p.path.clone(), if p.enabled { "active" } else { "off" }.to_owned(), address]
                })
                .collect();
            print::table(&["PROJECT", "SERVICE DESK", "ADDRESS"], &rows)?;
        }
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

/// Carries out one of the commands about members.
pub async fn member(here: &Here, asked: Member) -> Result<u8> {
    let request = match asked {
        Member::Add { project, user, role } | Member::Set { project, user, role } => {
            Request::SetMember { project, user, role }
        }
        Member::List { project } => Request::Members(project),
        Member::Remove { project, user } => Request::RemoveMember { project, user },
    };
    match ask(here, request).await? {
        Response::Members(members) if here.json => print::json(&members)?,
        Response::Members(members) => {
            let rows: Vec<Vec<String>> =
                members.iter().map(|m| vec![m.user.clone(), print::word(&m.role)]).collect();
            print::table(&["USER", "ROLE"], &rows)?;
        }
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}
