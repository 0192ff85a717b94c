//! `deskbell outbox …` and `deskbell intake …`.

use super::args::{Intake, Outbox};
use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{IntakeAction, IntakeView, OutboxAction, OutboxView, Request, Response, SenderRule};
use anyhow::Result;
use std::io::Write;

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
        Response::Outbox(rows) if rows.is_empty() => println!("The outbox is empty."),
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
        Response::Bytes(bytes) => std::io::stdout().write_all(&bytes)?,
        Response::Intake(entries) if here.json => print::json(&entries)?,
        Response::Intake(entries) if entries.is_empty() => println!("{nothing}"),
        Response::Intake(entries) => {
            let rows: Vec<Vec<String>> = entries.iter().map(arrived).collect();
            print::table(&["ID", "FATE", "ISSUE", "FROM", "SUBJECT", "WHY"], &rows)?;
        }
        Response::IntakeEntry(entry) if here.json => print::json(&entry)?,
        Response::IntakeEntry(entry) => describe(&entry),
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
pub fn describe(entry: &IntakeView) {
    let text = |value: &Option<String>| value.as_deref().map_or("–".to_owned(), print::line);
    println!("arrival {}: {}", entry.id, entry.fate.word());
    println!("  why      {}", print::line(&entry.reason));
    for opinion in &entry.opinions {
        println!("           {}", print::line(&opinion.to_string()));
    }
    println!("  issue    {}", text(&entry.reference));
    println!("  from     {}", text(&entry.from));
    println!("  to       {}", print::line(&entry.to.join(", ")));
    println!("  subject  {}", text(&entry.subject));
    println!("  got      {}, {}", entry.received_at, print::size(entry.size));
    println!("  by       {}", text(&entry.mailbox.clone().or(entry.path.clone())));
}
