//! `deskbell status` and `deskbell desk …`.

use super::args::Desk as Asked;
use super::here::Here;
use super::login;
use super::print;
use super::session::{ask, unexpected};
use crate::config::MailboxConfig;
use crate::domain::{Channel, ChannelState, DeskStatus, Fate, Fault, Request, Response, counted};
use anyhow::Result;
use jiff::Timestamp;

/// `deskbell status`.
pub async fn status(here: &Here) -> Result<u8> {
    let mut status = match ask(here, Request::Status).await? {
        Response::Status(status) => *status,
        other => return Err(unexpected(&other).into()),
    };
    if !status.serving && here.host.is_none() {
        fill_from_config(here, &mut status);
    }
    // The tokens lie beside the desk, and only who may read them knows.
    if here.host.is_none() {
        status.sign_ins = login::sign_ins(here);
    }
    if here.json {
        print::json(&status)?;
    } else {
        describe(here, &status)?;
    }
    if let Some(why) = here.without_one().filter(|_| !status.serving && here.host.is_none()) {
        print::aside(format_args!("note: {why}"));
    }
    Ok(u8::from(status.stale))
}

/// Says what nobody serves: without a server the desk knows neither its place nor its mailboxes and outlets.
fn fill_from_config(here: &Here, status: &mut DeskStatus) {
    let now = status.started_at;
    let state = |channel: Channel, on: bool| Channel {
        state: if on { ChannelState::Idle } else { ChannelState::Disabled },
        ..channel
    };
    let mailboxes = here.config.mailboxes.values();
    let mailbox = |m: &MailboxConfig| state(Channel::new(&m.name, m.source.method(), now), m.enabled);
    status.mailboxes = mailboxes.map(mailbox).collect();
    let outlets = here.config.outlets.values();
    status.outlets = outlets.map(|o| Channel::new(&o.name, o.method.word(), now)).collect();
    status.data_dir = here.paths.data_dir.display().to_string();
}

fn describe(here: &Here, status: &DeskStatus) -> Result<()> {
    if status.serving {
        let how = if status.while_used { ", while it is used" } else { "" };
        print::say(format_args!(
            "served by process {}{how}, for {}",
            status.pid,
            print::age(status.started_at, Timestamp::now())
        ))?;
    } else {
        print::say("not served: mail neither comes in nor goes out until `deskbell sync` runs")?;
    }
    print::say(format_args!("data in {}", here.paths.data_dir.display()))?;
    let now = Timestamp::now();
    for channel in status.mailboxes.iter().chain(&status.outlets) {
        print::say(format_args!(
            "  {} ({})  {}",
            channel.name,
            channel.method,
            print::channel(channel, now)
        ))?;
        if let Some(hint) = &channel.hint {
            print::say(format_args!("    hint: {}", print::line(hint)))?;
        }
    }
    for sign_in in &status.sign_ins {
        let (words, cure) = login::describe(sign_in, now);
        let cure = cure.map_or(String::new(), |cure| format!("; {cure}"));
        print::say(format_args!("  sign-in {} {}", sign_in.name, print::line(&(words + &cure))))?;
    }
    print::say(print::outbox(&status.outbox))?;
    for line in waiting(status).into_iter().chain(spam(status)) {
        print::say(line)?;
    }
    for present in &status.present {
        print::say(format_args!("{}: {}", print::line(&present.reference), print::line(&present.words())))?;
    }
    if let Some(free) = status.free_space {
        print::say(format_args!("{} free on the disk", print::size(free)))?;
    }
    for notice in &status.notices {
        print::say(format_args!("! {}", print::line(notice)))?;
    }
    Ok(())
}

/// `deskbell desk …`.
pub async fn settings(here: &Here, asked: Asked) -> Result<u8> {
    let request = match asked {
        Asked::Show => Request::Desk,
        Asked::Set { settings } => Request::SetDesk { settings: with_calendars(settings)? },
    };
    match ask(here, request).await? {
        Response::Desk(settings) if here.json => print::json(&settings)?,
        Response::Desk(settings) => {
            if let Ok(serde_json::Value::Object(map)) = serde_json::to_value(&settings) {
                print::settings(&map)?;
            }
        }
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

/// Puts the calendar itself where `holidays=@FILE` names one.
pub fn with_calendars(settings: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    let read = |(key, value): (String, String)| match value.strip_prefix('@').filter(|_| key == "holidays") {
        None => Ok((key, value)),
        Some(file) => match std::fs::read(file) {
            Ok(octets) => Ok((key, String::from_utf8_lossy(&octets).into_owned())),
            Err(error) => Err(Fault::refused(format!("{file} cannot be read: {error}")).into()),
        },
    };
    settings.into_iter().map(read).collect()
}

/// Says which mail waits for somebody, and which command lists it.
fn waiting(status: &DeskStatus) -> Vec<String> {
    let quarantined = status.quarantined.min(status.triage);
    let places = [
        (status.triage - quarantined, "triage", Fate::Unroutable),
        (quarantined, "quarantine", Fate::Quarantined),
    ];
    let some = places.into_iter().filter(|(count, ..)| *count > 0);
    let line = |(count, place, fate): (u64, &str, Fate)| {
        let list = format!("`deskbell intake list --fate {}`", fate.word());
        format!("{} in {place}: {list}", counted(count, "mail"))
    };
    some.map(line).collect()
}

/// Says how the check for spam is doing.
fn spam(status: &DeskStatus) -> Vec<String> {
    let spam = &status.spam;
    let mut lines: Vec<String> = spam
        .judges
        .iter()
        .map(|judge| format!("{:<12} {}", judge.name, print::channel(judge, Timestamp::now())))
        .collect();
    if !spam.is_on() {
        lines.push("no spam check is on: see [spam] in the config".to_owned());
    }
    if spam.mails > 0 {
        lines.push(format!(
            "{} taken for spam: `deskbell intake list --fate spam`",
            counted(spam.mails, "mail")
        ));
    }
    if spam.owed > 0 {
        lines.push(format!("{} about spam still to be taught", counted(spam.owed, "lesson")));
    }
    lines
}
