//! Figures of the desk as Prometheus reads them (text format 0.0.4). Names of mailboxes, no addresses.

use super::{Answer, answered, looks, wrong_method};
use crate::desk::Desk;
use crate::domain::{Channel, ChannelState, DeskStatus};
use hyper::{Method, StatusCode};
use std::fmt::Write;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn answer(desk: &Desk, method: &Method) -> Answer {
    if !looks(method) {
        return wrong_method("GET, HEAD");
    }
    let asked = desk.figures().await.and_then(|status| Ok((status, desk.issue_counts()?)));
    match asked {
        Ok((status, issues)) => answered(StatusCode::OK, TEXT, figures(&status, issues)),
        Err(fault) => answered(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("# {}\n", fault.message)),
    }
}

fn figures(status: &DeskStatus, (open, waiting): (u64, u64)) -> String {
    let mut out = String::new();
    let outbox = &status.outbox;
    one(&mut out, "deskbell_stale", "Whether something has failed for too long.", u64::from(status.stale));
    channels(&mut out, "mailbox", &status.mailboxes);
    channels(&mut out, "outlet", &status.outlets);
    head(&mut out, "deskbell_outbox_mails", "Mails that did not go out well, by state.");
    for (state, count) in [
        ("held", outbox.held),
        ("queued", outbox.queued),
        ("sending", outbox.sending),
        ("deferred", outbox.deferred),
        ("failed", outbox.failed),
        ("bounced", outbox.bounced),
    ] {
        let _ = writeln!(out, "deskbell_outbox_mails{{state=\"{state}\"}} {count}");
    }
    one(&mut out, "deskbell_issues_open", "Issues that are open.", open);
    one(&mut out, "deskbell_issues_waiting_for_us", "Open issues whose next move is ours.", waiting);
    one(
        &mut out,
        "deskbell_triage_mails",
        "Mails that wait for somebody to say where they belong.",
        status.triage,
    );
    if let Some(octets) = status.free_space {
        one(&mut out, "deskbell_free_bytes", "Free space where the desk lives.", octets);
    }
    out
}

fn channels(out: &mut String, kind: &str, channels: &[Channel]) {
    let name = format!("deskbell_{kind}_up");
    head(out, &name, "Whether it worked the last time.");
    for channel in channels {
        let up = u8::from(!matches!(channel.state, ChannelState::Failing | ChannelState::Connecting));
        let _ = writeln!(out, "{name}{{name=\"{}\"}} {up}", quoted(&channel.name));
    }
}

fn one(out: &mut String, name: &str, help: &str, value: u64) {
    head(out, name, help);
    let _ = writeln!(out, "{name} {value}");
}

fn head(out: &mut String, name: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn quoted(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
