//! `deskbell canned …`: texts that are written again and again.

use super::args::{Named, Whose};
use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{CANNED_PLACEHOLDERS, CannedView, Fault, KeptFor, Request, Response, Upload};
use anyhow::Result;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// The commands about canned replies.
#[derive(Debug, Subcommand)]
pub enum Canned {
    /// Lists those that you may use: your own, your projects', the desk's.
    List(Whose),
    /// Prints the text of one.
    Show(Named),
    /// Keeps a text under a name; your own unless --project or --desk is given.
    #[command(after_help = after_help())]
    Add(Written),
    /// Changes one.
    Set(Written),
    /// Takes one away.
    Remove(Named),
}

#[derive(Debug, Args)]
pub struct Written {
    name: String,
    /// The text, in Markdown.
    #[arg(short = 'm', long, value_name = "TEXT", conflicts_with = "file")]
    message: Option<String>,
    /// A file with the text; - is standard input.
    #[arg(short = 'F', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Another name for it.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// Further words by which it is found, with commas between.
    #[arg(long, value_name = "WORDS")]
    keywords: Option<String>,
    /// A file that goes out with it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    attach: Vec<PathBuf>,
    /// A file that goes out with it no more.
    #[arg(long, value_name = "NAME")]
    detach: Vec<String>,
    #[command(flatten)]
    whose: Whose,
}

fn after_help() -> String {
    let list = CANNED_PLACEHOLDERS.map(|(name, what)| format!("  %{{{name}}}  {what}")).join("\n");
    format!(
        "Examples:\n  deskbell canned add thanks -m 'Thank you, %{{REQUESTER_FIRST_NAME}}. We look into it.'\n  \
         deskbell canned add reset -F reset.md --keywords login,password --project acme/support\n  \
         deskbell canned set reset --attach guide.pdf --project acme/support\n  \
         deskbell issue note 12 --canned reset\n\nPlaceholders:\n{list}\n\nQuick actions in it are carried out \
         when it is sent. A placeholder that stands for nothing stops the send."
    )
}

/// `deskbell canned …`.
pub async fn run(here: &Here, asked: Canned) -> Result<u8> {
    match asked {
        Canned::List(whose) => {
            let known = known(here, whose.scope()).await?;
            match here.json {
                true => print::json(&known)?,
                false => listed(&known)?,
            }
        }
        Canned::Show(Named { name, whose }) => {
            let known = known(here, whose.scope()).await?;
            let found = known.iter().find(|canned| canned.name == name);
            let found = found.ok_or_else(|| {
                Fault::not_found(format!("there is no canned reply `{name}`"))
                    .hint("`deskbell canned list` shows them")
            })?;
            match here.json {
                true => print::json(found)?,
                false => print::say(format_args!("{}", print::clean(found.text.trim_end())))?,
            }
        }
        Canned::Add(written) => save(here, written, true).await?,
        Canned::Set(written) => save(here, written, false).await?,
        Canned::Remove(Named { name, whose }) => {
            ask(here, Request::RemoveCanned { scope: whose.one(), name: name.clone() }).await?;
            match here.json {
                true => print::json(&())?,
                false => print::say(format_args!("removed the canned reply {}", print::line(&name)))?,
            }
        }
    }
    Ok(0)
}

async fn known(here: &Here, scope: Option<KeptFor>) -> Result<Vec<CannedView>> {
    let project = match &scope {
        Some(KeptFor::Project(path)) => Some(path.clone()),
        _ => None,
    };
    match ask(here, Request::Canned { project }).await? {
        Response::Canned(mut known) => {
            known.retain(|canned| canned.runs.is_none());
            known.retain(|canned| scope.as_ref().is_none_or(|scope| *scope == canned.scope));
            Ok(known)
        }
        other => Err(unexpected(&other).into()),
    }
}

async fn save(here: &Here, written: Written, new: bool) -> Result<()> {
    let Written { name, message, file, rename, keywords, attach, detach, whose } = written;
    let text = match (message, file) {
        (Some(text), _) => Some(text),
        (None, Some(file)) => Some(super::issue::read_text(&file)?),
        (None, None) => None,
    };
    let settings = [("name", rename), ("text", text), ("keywords", keywords)];
    let settings = settings.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let detach = detach.into_iter().map(|name| ("detach".to_owned(), name));
    let settings = settings.chain(detach).collect();
    let attach: Result<Vec<Upload>> = attach.iter().map(|path| super::issue::upload(path)).collect();
    let attach = attach?;
    match ask(here, Request::SaveCanned { scope: whose.one(), name, settings, new, attach }).await? {
        Response::Canned(saved) if here.json => print::json(&saved.first())?,
        Response::Canned(saved) => listed(&saved)?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(())
}

fn listed(known: &[CannedView]) -> Result<(), print::Unprinted> {
    if known.is_empty() {
        print::say("no canned replies yet: `deskbell canned add NAME -m TEXT` keeps one")?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> = known
        .iter()
        .map(|canned| {
            let first = canned.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            vec![
                print::line(&canned.name),
                print::line(canned.scope.word()),
                print::line(&canned.keywords.join(", ")),
                print::line(
                    &canned.files.iter().map(|file| file.name.clone()).collect::<Vec<_>>().join(", "),
                ),
                print::cut(&print::line(first), 60),
            ]
        })
        .collect();
    print::table(&["name", "whose", "keywords", "files", "text"], &rows)
}
