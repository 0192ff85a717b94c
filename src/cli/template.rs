//! `deskbell template …`: where the texts of mails and new issues come from, and how a mail would look.

use super::here::Here;
use super::print;
use super::session::{ask, only_project, unexpected};
use crate::domain::{
    Fault, PreviewTemplate, Reference, Request, Response, TemplateKind, TemplatePreview, TemplateView,
};
use anyhow::Result;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// The commands about templates.
#[derive(Debug, Subcommand)]
pub enum Template {
    /// Lists the templates of a project, and where each is taken from.
    List(Whose),
    /// Prints a template as it is used now, to begin one's own from.
    Show {
        /// Such as thank_you, or the name of a description template.
        name: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Shows how a mail would look. Nothing is written or sent.
    #[command(after_help = "Examples:\n  deskbell template preview thank_you\n  \
                            deskbell template preview new_note --issue acme/support#12 -F draft.md\n  \
                            deskbell template preview closed --html > closed.html")]
    Preview(Preview),
}

/// Whose templates are meant.
#[derive(Debug, Args)]
pub struct Whose {
    /// The project; the only one there is, unless given.
    #[arg(long, value_name = "PATH")]
    project: Option<String>,
}

#[derive(Debug, Args)]
pub struct Preview {
    /// Such as thank_you.
    name: String,
    #[command(flatten)]
    whose: Whose,
    /// The issue whose data is shown; the latest of the project, unless given.
    #[arg(long, value_name = "REF", conflicts_with = "project")]
    issue: Option<Reference>,
    /// A file in place of the template that is used now.
    #[arg(short = 'F', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Prints the HTML part.
    #[arg(long)]
    html: bool,
}

/// `deskbell template …`.
pub async fn run(here: &Here, asked: Template) -> Result<u8> {
    match asked {
        Template::List(whose) => list(here, whose).await,
        Template::Show { name, whose } => show(here, &name, whose).await,
        Template::Preview(asked) => preview(here, asked).await,
    }
}

impl Whose {
    async fn project(self, here: &Here) -> Result<String> {
        match self.project {
            Some(path) => Ok(path),
            None => only_project(here, "whose templates are meant?", "say --project PATH").await,
        }
    }
}

async fn templates(here: &Here, whose: Whose) -> Result<Vec<TemplateView>> {
    match ask(here, Request::Templates { project: whose.project(here).await? }).await? {
        Response::Templates(templates) => Ok(templates),
        other => Err(unexpected(&other).into()),
    }
}

async fn list(here: &Here, whose: Whose) -> Result<u8> {
    let templates = templates(here, whose).await?;
    if here.json {
        print::json(&templates)?;
        return Ok(0);
    }
    for template in templates {
        let what = match (template.kind, template.chosen) {
            (TemplateKind::Mail, _) => "mail",
            (TemplateKind::Description, true) => "new issues, chosen",
            (TemplateKind::Description, false) => "new issues",
        };
        print::say(format_args!(
            "{:<18} {:<19} {}",
            print::line(&template.name),
            what,
            print::line(&template.place)
        ))?;
        if let Some(trouble) = template.trouble {
            print::say(format_args!("{:<18} not used: {}", "", print::line(&trouble)))?;
        }
    }
    Ok(0)
}

async fn show(here: &Here, name: &str, whose: Whose) -> Result<u8> {
    let wanted = name.trim_end_matches(".md");
    let known = templates(here, whose).await?;
    let Some(template) = known.iter().find(|template| template.name == wanted) else {
        let names: Vec<&str> = known.iter().map(|template| template.name.as_str()).collect();
        let fault = Fault::not_found(format!("there is no template `{name}`"));
        return Err(fault.hint(format!("there are {}", names.join(", "))).into());
    };
    match here.json {
        true => print::json(template)?,
        false => print::say(format_args!("{}", print::clean(template.text.trim_end())))?,
    }
    Ok(0)
}

async fn preview(here: &Here, asked: Preview) -> Result<u8> {
    let project = match asked.issue {
        Some(_) => String::new(),
        None => asked.whose.project(here).await?,
    };
    let text = match &asked.file {
        Some(file) => Some(read(file)?),
        None => None,
    };
    let request = PreviewTemplate { project, name: asked.name, reference: asked.issue, text };
    match ask(here, Request::PreviewTemplate(request)).await? {
        Response::TemplatePreview(preview) if here.json => print::json(&preview)?,
        Response::TemplatePreview(preview) if asked.html => print::say(format_args!("{}", preview.html))?,
        Response::TemplatePreview(preview) => shown(&preview)?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

fn read(file: &std::path::Path) -> Result<String, Fault> {
    std::fs::read_to_string(file)
        .map_err(|e| Fault::usage(format!("{} cannot be read: {e}", file.display())).hint("it must be UTF-8"))
}

fn shown(preview: &TemplatePreview) -> Result<(), print::Unprinted> {
    print::say(format_args!("Template: {}", print::line(&preview.place)))?;
    print::say(format_args!(
        "Data of:  {}",
        print::line(preview.reference.as_deref().unwrap_or("an example"))
    ))?;
    if let Some(trouble) = &preview.trouble {
        print::say(format_args!("Trouble:  {}", print::line(trouble)))?;
    }
    print::say(format_args!("Subject:  {}\n\n{}", print::line(&preview.subject), print::clean(&preview.text)))
}
