//! `deskbell project custom-email …`.

use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{CustomAction, EmailAddress, ProjectView, Request, Response};
use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum CustomEmail {
    /// Sets the address and the outlet that sends for it; it has to be verified then.
    #[command(
        after_help = "Example:\n  deskbell project custom-email set acme/support help@acme.example --outlet acme"
    )]
    Set {
        /// The project, as group/name.
        project: String,
        address: EmailAddress,
        /// A way out of the config: [outlet.NAME].
        #[arg(long)]
        outlet: String,
    },
    /// Sends a mail through the outlet that has to come back by the forwarding within 30 minutes.
    Verify {
        /// The project, as group/name.
        project: String,
    },
    /// Says how it is doing.
    Status {
        /// The project, as group/name.
        project: String,
    },
    /// Lets the desk write from it.
    Enable {
        /// The project, as group/name.
        project: String,
    },
    /// Lets the desk write from its own address again; mail to the custom one is still taken.
    Disable {
        /// The project, as group/name.
        project: String,
    },
    /// Takes it away.
    Remove {
        /// The project, as group/name.
        project: String,
    },
}

/// Carries out one of the commands about a custom address.
pub async fn run(here: &Here, asked: CustomEmail) -> Result<u8> {
    let (path, action) = match asked {
        CustomEmail::Set { project, address, outlet } => (project, CustomAction::Set { address, outlet }),
        CustomEmail::Verify { project } => (project, CustomAction::Verify),
        CustomEmail::Enable { project } => (project, CustomAction::Enable),
        CustomEmail::Disable { project } => (project, CustomAction::Disable),
        CustomEmail::Remove { project } => (project, CustomAction::Remove),
        CustomEmail::Status { project } => return show(here, Request::Project(project)).await,
    };
    show(here, Request::CustomEmail { path, action }).await
}

async fn show(here: &Here, request: Request) -> Result<u8> {
    let project = match ask(here, request).await? {
        Response::Project(project) => *project,
        other => return Err(unexpected(&other).into()),
    };
    let settings = &project.settings;
    if here.json {
        print::json(&json!({
            "project": project.path,
            "custom_email": settings.custom_email,
            "custom_email_outlet": settings.custom_email_outlet,
            "custom": project.custom,
        }))?;
        return Ok(0);
    }
    describe(&project)?;
    Ok(0)
}

fn describe(project: &ProjectView) -> Result<(), print::Unprinted> {
    let Some(address) = &project.settings.custom_email else {
        print::say(format_args!("{} has no custom address.", project.path))?;
        return Ok(());
    };
    let outlet = project.settings.custom_email_outlet.as_deref().unwrap_or("none");
    print::say(format_args!("{address}, by the outlet {outlet}"))?;
    let Some(custom) = &project.custom else { return Ok(()) };
    let on = if custom.enabled { "the desk writes from it" } else { "the desk does not write from it" };
    print::say(format_args!("  {}; {on}", print::word(&custom.state)))?;
    if let (Some(by), Some(at)) = (&custom.asked_by, custom.asked_at) {
        print::say(format_args!("  asked by {} at {at}", print::line(by)))?;
    }
    if let Some(error) = &custom.error {
        print::say(format_args!("  {}", print::line(error)))?;
    }
    if let Some(hint) = &custom.hint {
        print::say(format_args!("  hint: {hint}"))?;
    }
    if let Some(target) = project.addresses.iter().find(|other| *other != address) {
        print::say(format_args!("  forward it to {target}"))?;
    }
    Ok(())
}
