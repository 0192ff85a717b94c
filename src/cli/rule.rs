//! `deskbell rule …`: what the desk does by itself.

use super::args::{NamedWithin, Within};
use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{Arrival, Deliver, Fault, Request, Response, RuleView};
use anyhow::Result;
use clap::{Subcommand, ValueHint};
use std::path::{Path, PathBuf};

/// The commands about rules.
#[derive(Debug, Subcommand)]
pub enum Rule {
    /// Makes a rule: which issues, when, and what is done with them.
    #[command(after_help = "Example:\n  deskbell rule add vip 'from:@big.example' --do '/label ~vip' \
                            --do '/assign @alice' --project acme/support")]
    Add {
        name: String,
        /// In the query language.
        query: String,
        /// arrival: a mail came in, before anything is sent; change: staff changed it; time: every minute.
        #[arg(long, default_value = "arrival")]
        on: String,
        /// A quick action; several are done in their order.
        #[arg(long = "do", value_name = "ACTION")]
        actions: Vec<String>,
        /// A new issue gets no thank-you mail.
        #[arg(long)]
        no_acknowledgement: bool,
        /// A canned reply of the project or the desk that goes to the customer.
        #[arg(long, value_name = "NAME")]
        reply: Option<String>,
        /// A user who is told; several are.
        #[arg(long, value_name = "USER")]
        notify: Vec<String>,
        /// A command of `[hooks]` in the config, by its name under `named`.
        #[arg(long, value_name = "NAME")]
        hook: Option<String>,
        #[command(flatten)]
        whose: Within,
    },
    /// Lists the rules in their order.
    List,
    /// Shows one rule.
    Show(NamedWithin),
    /// Changes a rule: name, query, on, actions, no_acknowledgement, reply, notify, hook, enabled.
    Set {
        name: String,
        /// Settings, as key=value.
        #[arg(required = true, value_parser = super::args::setting)]
        settings: Vec<(String, String)>,
        #[command(flatten)]
        whose: Within,
    },
    /// Takes a rule away.
    Remove(NamedWithin),
    /// Puts a rule at a place, counted from 1.
    Order {
        name: String,
        position: u32,
        #[command(flatten)]
        whose: Within,
    },
    /// Says which issues a rule finds and what it would do, or what all rules make of a mail; writes nothing.
    Test {
        #[arg(required_unless_present = "mail")]
        name: Option<String>,
        /// A mail, to see what becomes of it by every rule.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        mail: Option<PathBuf>,
        /// The envelope recipient of that mail.
        #[arg(long, value_name = "ADDRESS", requires = "mail")]
        to: Option<String>,
        #[command(flatten)]
        whose: Within,
    },
}

/// Carries out one of the commands about rules.
pub async fn run(here: &Here, asked: Rule) -> Result<u8> {
    let request = match asked {
        Rule::Add { name, query, on, actions, no_acknowledgement, reply, notify, hook, whose } => {
            let settings = [
                ("name", name),
                ("query", query),
                ("on", on),
                ("actions", actions.join("\n")),
                ("no_acknowledgement", no_acknowledgement.to_string()),
            ];
            let notify: Vec<&str> = notify.iter().map(|user| user.trim_start_matches('@')).collect();
            let notify = (!notify.is_empty()).then(|| notify.join(","));
            let further = [("reply", reply), ("notify", notify), ("hook", hook)];
            let further = further.into_iter().filter_map(|(key, value)| Some((key, value?)));
            let settings = settings.into_iter().chain(further);
            let settings = settings.map(|(key, value)| (key.to_owned(), value)).collect();
            Request::SetRule { scope: whose.scope(), name: None, settings }
        }
        Rule::List => Request::Rules,
        Rule::Show(named) => return show(here, named).await,
        Rule::Set { name, settings, whose } => {
            Request::SetRule { scope: whose.scope(), name: Some(name), settings }
        }
        Rule::Remove(named) => Request::RemoveRule { scope: named.whose.scope(), name: named.name },
        Rule::Order { name, position, whose } => Request::OrderRule { scope: whose.scope(), name, position },
        Rule::Test { mail: Some(mail), to, .. } => mail_request(&mail, to)?,
        Rule::Test { name, whose, .. } => {
            Request::TestRule { scope: whose.scope(), name: name.unwrap_or_default() }
        }
    };
    match ask(here, request).await? {
        Response::Rules(rules) => print_rules(here, &rules)?,
        Response::Plan(lines) if here.json => print::json(&lines)?,
        Response::Plan(lines) => lines.iter().try_for_each(|line| print::say(print::line(line)))?,
        Response::Delivered(told) if here.json => print::json(&told)?,
        Response::Delivered(told) => {
            print::say(format_args!("{}: {}", told.entry.fate.word(), print::line(&told.entry.reason)))?;
            for line in told.rules.iter().chain(&told.mails) {
                print::say(format_args!("  {}", print::line(line)))?;
            }
        }
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

async fn show(here: &Here, named: NamedWithin) -> Result<u8> {
    let Response::Rules(rules) = ask(here, Request::Rules).await? else {
        return Err(Fault::internal("the desk gave an unexpected answer").into());
    };
    let found =
        rules.iter().find(|rule| rule.about.name == named.name && rule.project == named.whose.project);
    match found {
        Some(rule) if here.json => print::json(&as_json(rule))?,
        Some(rule) => print_rules(here, std::slice::from_ref(rule))?,
        None => return Err(Fault::not_found(format!("there is no rule `{}`", named.name)).into()),
    }
    Ok(0)
}

fn as_json(rule: &RuleView) -> serde_json::Value {
    let about = &rule.about;
    serde_json::json!({
        "name": about.name, "project": rule.project, "position": rule.position, "on": about.on,
        "query": about.query, "actions": about.actions, "no_acknowledgement": about.no_acknowledgement,
        "reply": about.reply, "notify": about.notify, "hook": about.hook, "enabled": about.enabled,
    })
}

fn mail_request(file: &Path, to: Option<String>) -> Result<Request> {
    let raw =
        std::fs::read(file).map_err(|e| Fault::refused(format!("{} cannot be read: {e}", file.display())))?;
    let arrival = Arrival { path: Some(file.display().to_string()), envelope_to: to, ..Arrival::default() };
    Ok(Request::Deliver(Deliver { arrival, raw, dry_run: true }))
}

fn print_rules(here: &Here, rules: &[RuleView]) -> Result<(), print::Unprinted> {
    if here.json {
        return print::json(&rules.iter().map(as_json).collect::<Vec<_>>());
    }
    if rules.is_empty() {
        print::say("No rule is there.")?;
        return Ok(());
    }
    let row = |rule: &RuleView| {
        let about = &rule.about;
        let off = if about.enabled { "" } else { " (off)" };
        let quiet = if about.no_acknowledgement { "; no acknowledgement" } else { "" };
        let does: Vec<String> = about.actions.lines().map(str::to_owned).chain(about.further()).collect();
        vec![
            rule.position.to_string(),
            format!("{}{off}", print::line(&about.name)),
            rule.project.clone().unwrap_or_else(|| "the desk".to_owned()),
            print::word(&about.on),
            print::line(&about.query),
            format!("{}{quiet}", print::line(&does.join("; "))),
        ]
    };
    let rows: Vec<Vec<String>> = rules.iter().map(row).collect();
    print::table(&["", "RULE", "OF", "ON", "QUERY", "DOES"], &rows)
}
