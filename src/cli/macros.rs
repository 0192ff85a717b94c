//! `deskbell macro …`: quick actions and a reply that are carried out at once.

use super::args::{Named, Whose};
use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::quick::quick_text;
use crate::domain::{CannedView, Fault, KeptFor, Reference, Request, Response};
use anyhow::Result;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// The commands about macros.
#[derive(Debug, Subcommand)]
pub enum Macro {
    /// Lists those that you may run: your own, your projects', the desk's.
    List(Whose),
    /// Shows what one does.
    Show(Named),
    /// Keeps a macro; your own unless --project or --desk is given.
    #[command(after_help = "Examples:\n  \
        deskbell macro add refund --do '/label ~refund' --do '/assign @me' --canned thanks --key f\n  \
        deskbell macro add noise --do /close --do '/label ~noise' --desk\n\n\
        On the screen `;` and its key run it on what is in front or marked. It is one step that one undo takes\n\
        back. A placeholder that stands for nothing stops it.")]
    Add(Written),
    /// Changes one.
    #[command(after_help = "Example:\n  deskbell macro set refund --key r")]
    Set(Written),
    /// Takes one away.
    Remove(Named),
    /// Runs one on issues.
    #[command(after_help = "Example:\n  deskbell macro run refund 12 13 acme/office#4")]
    Run {
        name: String,
        /// The issues: 12, #12 or acme/support#12.
        #[arg(required = true)]
        references: Vec<Reference>,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Debug, Args)]
pub struct Written {
    name: String,
    /// A quick action; several are done in their order.
    #[arg(long = "do", value_name = "ACTION")]
    actions: Vec<String>,
    /// The text of a note, in Markdown.
    #[arg(short = 'm', long, value_name = "TEXT", conflicts_with = "file")]
    message: Option<String>,
    /// A file with the text; - is standard input.
    #[arg(short = 'F', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// A canned reply that goes out with it; none takes it away.
    #[arg(long, value_name = "NAME")]
    canned: Option<String>,
    /// One character that runs it, after `;`; none takes it away.
    #[arg(long)]
    key: Option<String>,
    /// Whether its text is an internal comment.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    internal: Option<bool>,
    /// Another name for it.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

/// `deskbell macro …`.
pub async fn run(here: &Here, asked: Macro) -> Result<u8> {
    match asked {
        Macro::List(whose) => {
            let known = known(here, whose.scope()).await?;
            match here.json {
                true => print::json(&known)?,
                false => listed(&known)?,
            }
        }
        Macro::Show(Named { name, whose }) => {
            let found = found(here, &name, &whose).await?;
            match here.json {
                true => print::json(&found)?,
                false => shown(&found)?,
            }
        }
        Macro::Add(written) => save(here, written, true).await?,
        Macro::Set(written) => save(here, written, false).await?,
        Macro::Remove(Named { name, whose }) => {
            let scope = found(here, &name, &whose).await?.scope;
            ask(here, Request::RemoveCanned { scope, name: name.clone() }).await?;
            match here.json {
                true => print::json(&())?,
                false => print::say(format_args!("removed the macro {}", print::line(&name)))?,
            }
        }
        Macro::Run { name, references, whose } => {
            let request = Request::RunMacro { kept: whose.scope(), name, references, hold_ms: None };
            return super::issue::edited(here, ask(here, request).await?);
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
            known.retain(|canned| canned.runs.is_some());
            known.retain(|canned| scope.as_ref().is_none_or(|scope| *scope == canned.scope));
            Ok(known)
        }
        other => Err(unexpected(&other).into()),
    }
}

async fn found(here: &Here, name: &str, whose: &Whose) -> Result<CannedView> {
    let found = known(here, whose.scope()).await?.into_iter().find(|canned| canned.name == name);
    Ok(found.ok_or_else(|| {
        Fault::not_found(format!("there is no macro `{name}`")).hint("`deskbell macro list` shows them")
    })?)
}

async fn save(here: &Here, written: Written, new: bool) -> Result<()> {
    let Written { name, actions, message, file, canned, key, internal, rename, whose } = written;
    let message = match (message, file) {
        (Some(text), _) => Some(text),
        (None, Some(file)) => Some(super::issue::read_text(&file)?),
        (None, None) => None,
    };
    for action in &actions {
        let asked = quick_text(action, jiff::Timestamp::now(), &jiff::tz::TimeZone::UTC);
        if asked.is_ok_and(|asked| !asked.text.trim().is_empty()) {
            return Err(Fault::usage(format!("`{action}` is no quick action, and would be mailed as text"))
                .hint("write it as --do '/close'; text goes with -m or -F")
                .into());
        }
    }
    let scope = match new {
        true => whose.one(),
        false => found(here, &name, &whose).await?.scope,
    };
    let text = (!actions.is_empty() || message.is_some()).then(|| {
        let message = message.map(|text| format!("\n\n{text}")).unwrap_or_default();
        format!("{}{message}", actions.join("\n")).trim_start().to_owned()
    });
    let settings = [
        ("macro", Some("true".to_owned())),
        ("name", rename),
        ("text", text),
        ("reply", canned),
        ("key", key),
        ("internal", internal.map(|yes| yes.to_string())),
    ];
    let settings: Vec<(String, String)> =
        settings.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    match ask(here, Request::SaveCanned { scope, name, settings, new, attach: Vec::new() }).await? {
        Response::Canned(saved) if here.json => print::json(&saved.first())?,
        Response::Canned(saved) => saved.iter().try_for_each(shown)?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(())
}

fn shown(canned: &CannedView) -> Result<(), print::Unprinted> {
    let runs = canned.runs.clone().unwrap_or_default();
    print::say(format_args!("{}  ({})", print::line(&canned.name), print::line(canned.scope.word())))?;
    if let Some(key) = &runs.key {
        print::say(format_args!("key       ; {}", print::line(key)))?;
    }
    if let Some(reply) = &runs.reply {
        print::say(format_args!("replies   {}", print::line(reply)))?;
    }
    if runs.internal {
        print::say("its text is an internal comment")?;
    }
    print::say(print::clean(canned.text.trim_end()))
}

fn listed(known: &[CannedView]) -> Result<(), print::Unprinted> {
    if known.is_empty() {
        print::say("no macros yet: `deskbell macro add NAME --do ACTION` keeps one")?;
        return Ok(());
    }
    let row = |canned: &CannedView| {
        let runs = canned.runs.clone().unwrap_or_default();
        let does: Vec<&str> = canned.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        vec![
            print::line(&canned.name),
            print::line(&runs.key.unwrap_or_default()),
            print::line(canned.scope.word()),
            print::line(&runs.reply.unwrap_or_default()),
            print::cut(&print::line(&does.join("  ")), 60),
        ]
    };
    print::table(&["name", "key", "whose", "replies", "does"], &known.iter().map(row).collect::<Vec<_>>())
}
