//! `deskbell view …`: queries that are looked at again and again.

use super::args::{Named, Whose};
use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{
    COLUMN_NAMES, Fault, KeptFor, Request, Response, View, ViewFrom, ViewId, limit_in_words,
};
use anyhow::Result;
use clap::{Args, Subcommand};

/// The commands about views.
#[derive(Debug, Subcommand)]
pub enum Views {
    /// Lists the views that you see, in their order, with what they find.
    List(Whose),
    /// Shows one.
    Show(Named),
    /// Keeps a query as a view; your own unless --project or --desk is given.
    #[command(after_help = after_help())]
    Add {
        name: String,
        /// In the query language.
        query: String,
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        whose: Whose,
    },
    /// Changes one. What you change of one that comes with the program is kept as your own.
    #[command(after_help = "Examples:\n  deskbell view set 'Waiting on us' --limit 4h\n  \
                            deskbell view set refunds --query 'is:open label:refund' --rename Refunds")]
    Set {
        name: String,
        /// In the query language.
        #[arg(long)]
        query: Option<String>,
        /// Another name for it.
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        whose: Whose,
    },
    /// Takes one away; one that comes with the program is hidden from you.
    #[command(after_help = "Example:\n  deskbell view remove refunds && deskbell undo")]
    Remove(Named),
    /// Gives one to a project or the whole desk to keep, or takes it for yourself with --mine.
    #[command(after_help = "Examples:\n  deskbell view share refunds --project acme/support\n  \
                            deskbell view share refunds --mine")]
    Share(Named),
    /// Puts one at a place among those that you see, counted from 1; 1 to 9 are its keys.
    #[command(after_help = "Example:\n  deskbell view order refunds 1")]
    Order {
        name: String,
        position: u32,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Debug, Args)]
pub struct About {
    /// How its list is ordered: updated, created, waiting, priority, due, title or from; -asc or -desc behind it.
    #[arg(long)]
    sort: Option<String>,
    /// The columns beside number and title, with commas between; `usual` for the usual ones.
    #[arg(long)]
    columns: Option<String>,
    /// From how long a wait on us on it is marked as late: 30m, 4h, 2d, or none.
    #[arg(long)]
    limit: Option<String>,
}

fn after_help() -> String {
    let columns = COLUMN_NAMES.map(|(name, _)| name).join(", ");
    format!(
        "Examples:\n  deskbell view add refunds 'is:open label:refund' --sort waiting --limit 4h\n  \
         deskbell view add Urgent 'is:open priority:urgent' --desk\n  \
         deskbell view add Due 'is:open due:any sort:due' --columns who,due --project acme/support\n\n\
         Columns: {columns}"
    )
}

fn fits(whose: &Whose, view: &View) -> bool {
    whose.scope().is_none_or(|kept| view.from == ViewFrom::Kept(kept))
}

impl About {
    fn settings(self, query: Option<String>, rename: Option<String>) -> Vec<(String, String)> {
        let all = [
            ("name", rename),
            ("query", query),
            ("sort", self.sort),
            ("columns", self.columns),
            ("limit", self.limit),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// `deskbell view …`.
pub async fn run(here: &Here, asked: Views) -> Result<u8> {
    match asked {
        Views::List(whose) => {
            let mut views = views(here, Request::Views).await?;
            // The place of each is its key, whichever are listed.
            let keys: Vec<usize> =
                (1..=views.len()).filter(|at| views.get(at - 1).is_some_and(|v| fits(&whose, v))).collect();
            views.retain(|view| fits(&whose, view));
            match here.json {
                true => print::json(&views)?,
                false => listed(&views, &keys)?,
            }
        }
        Views::Show(Named { name, whose }) => {
            let view = found(here, &name, &whose).await?;
            match here.json {
                true => print::json(&view)?,
                false => shown(&view)?,
            }
        }
        Views::Add { name, query, about, whose } => {
            let kept = whose.scope().unwrap_or(KeptFor::Mine);
            let settings = about.settings(Some(query), None);
            save(here, kept, name, settings, true).await?;
        }
        Views::Set { name, query, rename, about, whose } => {
            let view = found(here, &name, &whose).await?;
            let kept = match view.from {
                ViewFrom::Kept(kept) => kept,
                ViewFrom::Program => KeptFor::Mine,
            };
            save(here, kept, name, about.settings(query, rename), false).await?;
        }
        Views::Remove(Named { name, whose }) => {
            let view = found(here, &name, &whose).await?;
            ask(here, Request::RemoveView(view.id())).await?;
            match here.json {
                true => print::json(&())?,
                false => print::say(format_args!("removed the view {}", print::line(&name)))?,
            }
        }
        Views::Share(Named { name, whose }) => share(here, name, &whose).await?,
        Views::Order { name, position, whose } => {
            let view = found(here, &name, &whose).await?.id();
            let views = views(here, Request::OrderView { view, position }).await?;
            let keys: Vec<usize> = (1..=views.len()).collect();
            match here.json {
                true => print::json(&views)?,
                false => listed(&views, &keys)?,
            }
        }
    }
    Ok(0)
}

async fn views(here: &Here, request: Request) -> Result<Vec<View>> {
    match ask(here, request).await? {
        Response::Views(views) => Ok(views),
        other => Err(unexpected(&other).into()),
    }
}

/// Finds a view that is seen here by its name.
async fn found(here: &Here, name: &str, whose: &Whose) -> Result<View> {
    let is_it = |view: &View| view.about.name == name && fits(whose, view);
    let found = views(here, Request::Views).await?.into_iter().find(is_it);
    Ok(found.ok_or_else(|| {
        Fault::not_found(format!("there is no view `{name}`")).hint("`deskbell view list` shows them")
    })?)
}

/// Gives the query of a view by its name.
pub(super) async fn query_of(here: &Here, name: &str) -> Result<String> {
    let any = Whose::default();
    Ok(found(here, name, &any).await?.about.query)
}

async fn share(here: &Here, name: String, whose: &Whose) -> Result<()> {
    let with = whose.scope().ok_or_else(|| {
        Fault::usage("with whom is it to be shared?").hint("say --project PATH, --desk, or --mine")
    })?;
    let theirs = ViewFrom::Kept(with.clone());
    let is_it =
        |view: &View| view.about.name == name && view.from != theirs && view.from != ViewFrom::Program;
    let found_elsewhere = views(here, Request::Views).await?.into_iter().find(is_it);
    let view = match found_elsewhere {
        Some(view) => view,
        None => found(here, &name, &Whose::default()).await?,
    };
    let views = views(here, Request::ShareView { view: view.id(), with }).await?;
    let view = views.iter().find(|view| view.about.name == name && view.from == theirs);
    match here.json {
        true => print::json(&view)?,
        false => view.into_iter().try_for_each(shown)?,
    }
    Ok(())
}

async fn save(
    here: &Here,
    kept: KeptFor,
    name: String,
    settings: Vec<(String, String)>,
    new: bool,
) -> Result<()> {
    let id = |name: String| ViewId { from: ViewFrom::Kept(kept.clone()), name };
    let renamed = settings.iter().find(|(key, _)| key == "name").map(|(_, name)| name.trim().to_owned());
    let saved = id(renamed.unwrap_or_else(|| name.clone()));
    let views = views(here, Request::SaveView { kept, name, settings, new }).await?;
    let view = views.iter().find(|view| view.id() == saved);
    match here.json {
        true => print::json(&view)?,
        false => view.into_iter().try_for_each(shown)?,
    }
    Ok(())
}

fn listed(views: &[View], keys: &[usize]) -> Result<(), print::Unprinted> {
    if views.is_empty() {
        print::say("no views here: `deskbell view add NAME QUERY` keeps one")?;
        return Ok(());
    }
    let row = |(view, key): (&View, &usize)| {
        let count = view.count.map_or("-".to_owned(), |count| count.to_string());
        let late = if view.is_late(jiff::Timestamp::now()) { "late" } else { "" };
        let (name, whose) = (print::line(&view.about.name), print::line(view.whose()));
        vec![key.to_string(), name, count, late.to_owned(), whose, print::line(&view.about.query)]
    };
    let rows: Vec<Vec<String>> = views.iter().zip(keys).map(row).collect();
    print::table(&["key", "name", "finds", "", "whose", "query"], &rows)
}

fn shown(view: &View) -> Result<(), print::Unprinted> {
    let columns: Vec<&str> = view.about.columns.iter().map(|column| column.name()).collect();
    print::say(format_args!("{}  ({})", print::line(&view.about.name), print::line(view.whose())))?;
    print::say(format_args!("query    {}", print::line(&view.about.query)))?;
    print::say(format_args!(
        "columns  {}",
        if columns.is_empty() { "usual".to_owned() } else { columns.join(", ") }
    ))?;
    print::say(format_args!("limit    {}", limit_in_words(view.about.limit)))?;
    print::say(format_args!("finds    {}", view.count.map_or("-".to_owned(), |count| count.to_string())))
}
