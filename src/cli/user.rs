//! `deskbell user …`.

use super::args::User as Asked;
use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{Fault, ProjectView, Request, Response, StaffEvent, User};
use anyhow::Result;

/// Carries out one of the commands about staff.
pub async fn run(here: &Here, asked: Asked) -> Result<u8> {
    let request = match asked {
        Asked::Add { name, full_name, email, system_user } => {
            Request::AddUser { name, full_name, emails: email, system_user }
        }
        Asked::List => Request::Users,
        Asked::Show { name } => return show(here, &name).await,
        Asked::Set { name, settings } => Request::SetUser { name, settings },
        Asked::Remove { name } => Request::RemoveUser { name },
    };
    match ask(here, request).await? {
        Response::Users(users) if here.json => print::json(&users)?,
        Response::Users(users) => {
            let rows: Vec<Vec<String>> = users
                .iter()
                .map(|u| {
                    let full_name = u.full_name.as_deref().map_or(String::new(), print::line);
                    let owner = if u.owner { "owner".into() } else { String::new() };
                    vec![u.name.clone(), full_name, addresses(u), owner]
                })
                .collect();
            print::table(&["USER", "NAME", "ADDRESSES", ""], &rows)?;
        }
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

async fn show(here: &Here, name: &str) -> Result<u8> {
    let users = match ask(here, Request::Users).await? {
        Response::Users(users) => users,
        other => return Err(unexpected(&other).into()),
    };
    let user = users.into_iter().find(|user| user.name == name).ok_or_else(|| {
        Fault::not_found(format!("there is no user `{name}`")).hint("`deskbell user list` shows them")
    })?;
    if here.json {
        print::json(&user)?;
        return Ok(0);
    }
    let projects = match ask(here, Request::Projects).await? {
        Response::Projects(projects) => projects,
        other => return Err(unexpected(&other).into()),
    };
    print::table(&["SETTING", "VALUE", ""], &settings(&user, &projects))?;
    Ok(0)
}

/// Lists what is set for somebody, each under the word by which it is set.
fn settings(user: &User, projects: &[ProjectView]) -> Vec<Vec<String>> {
    let row = |key: &str, value: &str, means: &str| vec![key.to_owned(), value.to_owned(), means.to_owned()];
    let set = |value: &Option<String>, usual: &str| value.as_deref().map_or(usual.to_owned(), print::line);
    let notify = &user.notify;
    let mut rows = vec![
        row("full_name", &set(&user.full_name, "–"), ""),
        row("emails", &addresses(user), ""),
        row("owner", if user.owner { "true" } else { "false" }, ""),
        row("quiet_hours", &set(&notify.quiet_hours, "–"), ""),
        row("digest_at", &set(&notify.digest_at, "08:00"), ""),
        row("time_zone", &set(&notify.time_zone, "that of the desk"), ""),
    ];
    for event in StaffEvent::ALL {
        let all = notify.wishes.iter().find(|wish| wish.event == event && wish.project.is_none());
        let when = all.map_or(event.usual(), |wish| wish.when);
        rows.push(row(&format!("notify.{}", event.word()), when.word(), event.means()));
        for wish in notify.wishes.iter().filter(|wish| wish.event == event) {
            let Some(id) = wish.project else { continue };
            let path = projects.iter().find(|project| project.id == id);
            let path = path.map_or_else(|| format!("project {id}"), |project| project.path.clone());
            rows.push(row(&format!("notify.{}@{path}", event.word()), wish.when.word(), ""));
        }
    }
    rows
}

fn addresses(user: &User) -> String {
    let known = user.emails.iter().map(ToString::to_string);
    let waiting = user.unverified.iter().map(|email| format!("{email} (not verified)"));
    known.chain(waiting).collect::<Vec<_>>().join(", ")
}
