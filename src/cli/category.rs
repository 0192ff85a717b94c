//! `deskbell label …`, `deskbell milestone …`.

use super::here::Here;
use super::print;
use super::session::{ask, only_project, unexpected};
use crate::domain::{CategoryKind, CategoryView, Fault, Request, Response};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// The commands about labels.
#[derive(Debug, Subcommand)]
pub enum Label {
    /// Makes a label: name, then colour=#rrggbb description=TEXT.
    #[command(after_help = "Example:\n  deskbell label add bug colour=#d73a4a --project acme/support")]
    Add(Described),
    /// Lists the labels: those with a record, and the words that issues carry.
    List(Whose),
    /// Changes a label; a new name reaches every issue, and one undo takes it back.
    #[command(after_help = "Example:\n  deskbell label set bug name=defect --project acme/support")]
    Set(Changed),
    /// Takes a label away, off every issue as well.
    Remove(Named),
}

/// The commands about milestones.
#[derive(Debug, Subcommand)]
pub enum Milestone {
    /// Makes a milestone: title, then start=DATE due=DATE description=TEXT.
    #[command(after_help = "Example:\n  deskbell milestone add '2.0' start=2026-12-01 due=2026-12-24")]
    Add(Described),
    /// Lists the milestones with how far they are.
    List(Whose),
    /// Shows one milestone.
    Show(Named),
    /// Changes a milestone; a new title reaches every issue, and one undo takes it back.
    #[command(after_help = "Example:\n  deskbell milestone set 2.0 due=2027-01-15 closed=yes")]
    Set(Changed),
    /// Takes a milestone away, and every issue out of it.
    Remove(Named),
}

/// The project that is meant.
#[derive(Debug, Args)]
pub struct Whose {
    /// The project; without one all are listed, and the only one there is gets changed.
    #[arg(long, value_name = "PATH")]
    project: Option<String>,
}

#[derive(Debug, Args)]
pub struct Named {
    name: String,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, Args)]
pub struct Described {
    name: String,
    /// Settings, as key=value.
    #[arg(value_parser = super::args::setting)]
    settings: Vec<(String, String)>,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, Args)]
pub struct Changed {
    name: String,
    /// Settings, as key=value.
    #[arg(required = true, value_parser = super::args::setting)]
    settings: Vec<(String, String)>,
    #[command(flatten)]
    whose: Whose,
}

impl Whose {
    /// Gives the project that is meant, which is the only one unless it is named.
    async fn one(self, here: &Here) -> Result<String> {
        match self.project {
            Some(path) => Ok(path),
            None => only_project(here, "which project is meant?", "say --project PATH").await,
        }
    }
}

/// Carries out one of the commands about labels.
pub async fn label(here: &Here, asked: Label) -> Result<u8> {
    let kind = CategoryKind::Label;
    match asked {
        Label::Add(new) => add(here, kind, new).await,
        Label::List(whose) => list(here, kind, whose).await,
        Label::Set(changed) => set(here, kind, changed).await,
        Label::Remove(named) => remove(here, kind, named).await,
    }
}

/// Carries out one of the commands about milestones.
pub async fn milestone(here: &Here, asked: Milestone) -> Result<u8> {
    let kind = CategoryKind::Milestone;
    match asked {
        Milestone::Add(new) => add(here, kind, new).await,
        Milestone::List(whose) => list(here, kind, whose).await,
        Milestone::Show(named) => show(here, named).await,
        Milestone::Set(changed) => set(here, kind, changed).await,
        Milestone::Remove(named) => remove(here, kind, named).await,
    }
}

async fn list(here: &Here, kind: CategoryKind, whose: Whose) -> Result<u8> {
    let views = categories(here, Request::Categories { kind, project: whose.project }).await?;
    if here.json {
        print::json(&views.iter().map(as_json).collect::<Vec<_>>())?;
    } else if views.is_empty() {
        print::say(format_args!("No {} is there.", kind.word()))?;
    } else {
        table(kind, &views)?;
    }
    Ok(0)
}

async fn show(here: &Here, named: Named) -> Result<u8> {
    let kind = CategoryKind::Milestone;
    let project = named.whose.one(here).await?;
    let views = categories(here, Request::Categories { kind, project: Some(project.clone()) }).await?;
    let Some(view) = views.iter().find(|view| view.about.name == named.name) else {
        return Err(Fault::not_found(format!("{project} has no milestone `{}`", named.name))
            .hint("`deskbell milestone list` shows them")
            .into());
    };
    one(here, view)
}

async fn add(here: &Here, kind: CategoryKind, new: Described) -> Result<u8> {
    let project = new.whose.one(here).await?;
    let key = kind.settings().first().copied().unwrap_or("name").to_owned();
    let settings = [(key, new.name)].into_iter().chain(new.settings).collect();
    done(here, Request::AddCategory { kind, project, settings }).await
}

async fn set(here: &Here, kind: CategoryKind, changed: Changed) -> Result<u8> {
    let Changed { name, settings, whose } = changed;
    done(here, Request::SetCategory { kind, project: whose.one(here).await?, name, settings }).await
}

async fn remove(here: &Here, kind: CategoryKind, named: Named) -> Result<u8> {
    let project = named.whose.one(here).await?;
    let views = categories(here, Request::RemoveCategory { kind, project, name: named.name.clone() }).await?;
    match here.json {
        true => print::json(&views.iter().map(as_json).collect::<Vec<_>>())?,
        false => print::say(format_args!("removed {}", print::line(&named.name)))?,
    }
    Ok(0)
}

async fn done(here: &Here, request: Request) -> Result<u8> {
    match categories(here, request).await?.first() {
        Some(view) => one(here, view),
        None => Ok(0),
    }
}

async fn categories(here: &Here, request: Request) -> Result<Vec<CategoryView>> {
    match ask(here, request).await? {
        Response::Categories(views) => Ok(views),
        other => Err(unexpected(&other).into()),
    }
}

fn one(here: &Here, view: &CategoryView) -> Result<u8> {
    match here.json {
        true => print::json(&as_json(view))?,
        false => table(view.kind, std::slice::from_ref(view))?,
    }
    Ok(0)
}

fn as_json(view: &CategoryView) -> Value {
    let about = &view.about;
    match view.kind {
        CategoryKind::Label => json!({
            "project": view.project, "name": about.name, "colour": about.colour,
            "description": about.description, "recorded": view.recorded, "issues": view.issues,
        }),
        CategoryKind::Milestone => json!({
            "project": view.project, "title": about.name, "description": about.description,
            "start": about.start, "due": about.due, "state": if about.closed { "closed" } else { "open" },
            "recorded": view.recorded, "issues": view.issues, "closed_issues": view.closed_issues,
            "progress": view.progress(),
        }),
    }
}

fn table(kind: CategoryKind, views: &[CategoryView]) -> Result<(), print::Unprinted> {
    let text = |text: &Option<String>| text.as_deref().map_or(String::new(), print::line);
    let date = |date: &Option<jiff::civil::Date>| date.map_or(String::new(), |date| date.to_string());
    let row = |view: &CategoryView| {
        let about = &view.about;
        let mut cells = vec![print::line(&about.name), print::line(&view.project)];
        match kind {
            CategoryKind::Label => cells.extend([view.issues.to_string(), text(&about.colour)]),
            CategoryKind::Milestone => {
                let done = format!("{} of {}, {} %", view.closed_issues, view.issues, view.progress());
                let state = if about.closed { "closed" } else { "open" };
                cells.extend([done, date(&about.start), date(&about.due), state.to_owned()]);
            }
        }
        cells.push(text(&about.description));
        cells
    };
    let rows: Vec<Vec<String>> = views.iter().map(row).collect();
    match kind {
        CategoryKind::Label => print::table(&["LABEL", "PROJECT", "ISSUES", "COLOUR", ""], &rows),
        CategoryKind::Milestone => {
            print::table(&["MILESTONE", "PROJECT", "DONE", "START", "DUE", "STATE", ""], &rows)
        }
    }
}
