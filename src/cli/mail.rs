//! `deskbell outbox …` and `deskbell intake …`.

use super::args::{Intake, Outbox};
use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{IntakeAction, IntakeView, OutboxAction, OutboxView, Request, Response, SenderRule};
use anyhow::Result;

/// Carries out one of the commands about outgoing mail.
pub async fn outbox(here: &Here, asked: Outbox) -> Result<u8> {
    let request = match asked {
        Outbox::List { limit } => Request::Outbox { states: Vec::new(), limit },
        Outbox::Retry { ids } => Request::OutboxAct { ids, action: OutboxAction::Retry },
        Outbox::Cancel { ids } => Request::OutboxAct { ids, action: OutboxAction::Cancel },
        Outbox::Release { ids } => Request::OutboxAct { ids, action: OutboxAction::Release },
    };
    match ask(here, request).await? {
        Response::Outbox(rows) if here.json => print::json(&rows)?,
        Response::Outbox(rows) if rows.is_empty() => print::say("The outbox is empty.")?,
        Response::Outbox(rows) => {
            let rows: Vec<Vec<String>> = rows.iter().map(outgoing).collect();
            print::table(&["ID", "STATE", "KIND", "ISSUE", "TO", "SUBJECT", ""], &rows)?;
        }
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

fn outgoing(row: &OutboxView) -> Vec<String> {
    vec![
        row.id.to_string(),
        print::word(&row.state),
        print::word(&row.kind),
        row.reference.clone().unwrap_or_default(),
        row.to.to_string(),
        print::cut(&print::line(&row.subject), 40),
        row.error.as_deref().map_or(String::new(), print::line),
    ]
}

/// Carries out one of the commands about arrivals.
pub async fn intake(here: &Here, asked: Intake) -> Result<u8> {
    let nothing = match &asked {
        Intake::List { fate: Some(fate), .. } => {
            format!("No mail with the fate `{}`; `intake list` shows every mail.", fate.word())
        }
        _ => "No mail has arrived.".to_owned(),
    };
    let request = match asked {
        Intake::List { fate, limit } => Request::Intake { fate, limit },
        Intake::Show { id, raw: true } => Request::IntakeRaw(id),
        Intake::Show { id, raw: false } => Request::IntakeEntry(id),
        Intake::Retry { id } => Request::IntakeAct { id, action: IntakeAction::Retry },
        Intake::Attach { id, reference } => {
            Request::IntakeAct { id, action: IntakeAction::Attach(reference) }
        }
        Intake::Ham { id, allow_sender } => {
            Request::IntakeAct { id, action: IntakeAction::Ham { allow_sender } }
        }
        Intake::Allow { id } => Request::IntakeSender { id, rule: SenderRule::Allow },
        Intake::Block { id } => Request::IntakeSender { id, rule: SenderRule::Block },
        Intake::Issue { id, project } => Request::IntakeAct { id, action: IntakeAction::Issue(project) },
    };
    match ask(here, request).await? {
        Response::Bytes(bytes) => print::bytes(&bytes)?,
        Response::Intake(entries) if here.json => print::json(&entries)?,
        Response::Intake(entries) if entries.is_empty() => print::say(nothing)?,
        Response::Intake(entries) => {
            let rows: Vec<Vec<String>> = entries.iter().map(arrived).collect();
            print::table(&["ID", "FATE", "ISSUE", "FROM", "SUBJECT", "WHY"], &rows)?;
        }
        Response::IntakeEntry(entry) if here.json => print::json(&entry)?,
        Response::IntakeEntry(entry) => describe(&entry)?,
        Response::Senders(lines) => super::sender::print_lines(here, &lines)?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

fn arrived(entry: &IntakeView) -> Vec<String> {
    vec![
        entry.id.to_string(),
        entry.fate.word().to_owned(),
        entry.reference.clone().unwrap_or_default(),
        print::cut(&entry.from.as_deref().map_or(String::new(), print::line), 28),
        print::cut(&entry.subject.as_deref().map_or(String::new(), print::line), 36),
        print::line(&entry.reason),
    ]
}

/// Prints one arrival in full.
pub fn describe(entry: &IntakeView) -> Result<(), print::Unprinted> {
    let text = |value: &Option<String>| value.as_deref().map_or("–".to_owned(), print::line);
    print::say(format_args!("arrival {}: {}", entry.id, entry.fate.word()))?;
    print::say(format_args!("  why      {}", print::line(&entry.reason)))?;
    for opinion in &entry.opinions {
        print::say(format_args!("           {}", print::line(&opinion.to_string())))?;
    }
    print::say(format_args!("  issue    {}", text(&entry.reference)))?;
    print::say(format_args!("  from     {}", text(&entry.from)))?;
    print::say(format_args!("  to       {}", print::line(&entry.to.join(", "))))?;
    print::say(format_args!("  subject  {}", text(&entry.subject)))?;
    print::say(format_args!("  got      {}, {}", entry.received_at, print::size(entry.size)))?;
    print::say(format_args!("  by       {}", text(&entry.mailbox.clone().or(entry.path.clone()))))
}
