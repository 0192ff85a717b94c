//! Progress bars, while a person watches.

use super::print;
use crate::desk::Desk;
use crate::domain::{ChannelState, Event};
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Cells of a bar.
const CELLS: u64 = 24;
const AT_MOST_EVERY: Duration = Duration::from_millis(100);

/// Shows how far each mailbox is, on stderr, until it is dropped. Never ends by itself.
pub async fn progress(desk: &Desk) {
    if !std::io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let mut events = desk.subscribe();
    loop {
        match events.recv().await {
            Ok(Event::Status | Event::Missed) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
            Ok(_) => continue,
            Err(_) => return std::future::pending().await,
        }
        let (mailboxes, ..) = desk.glance();
        let bars: Vec<String> = mailboxes
            .iter()
            .filter(|m| m.state == ChannelState::Busy)
            .filter_map(|m| m.progress.map(|(done, all)| bar(&m.name, done, all)))
            .collect();
        if !bars.is_empty() {
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", print::line(&bars.join("  ")));
            let _ = std::io::stderr().flush();
        }
        tokio::time::sleep(AT_MOST_EVERY).await;
    }
}

/// Takes the bars away.
pub fn clear() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}

fn bar(name: &str, done: u64, all: u64) -> String {
    let full = (done * CELLS).checked_div(all).unwrap_or(CELLS).min(CELLS);
    let cells = "█".repeat(usize::try_from(full).unwrap_or(0));
    let rest = "░".repeat(usize::try_from(CELLS - full).unwrap_or(0));
    format!("{name} {cells}{rest} {done}/{all}")
}
