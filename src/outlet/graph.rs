//! Mail by way of Microsoft Graph.
//!
//! There is no envelope: Exchange sends a mail to whoever its fields name. So the fields of one that goes to
//! a single recipient name nobody else, whatever the letter said.

use super::{Outcome, OutletError, Stage, too_large};
use crate::{
    config::GraphConfig,
    domain::EmailAddress,
    graph::{Graph, GraphError, Kind},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

/// Octets in base64 that Graph takes.
const ENCODED_MAX: u64 = 4_000_000;

/// An account that sends.
#[derive(Debug)]
pub(super) struct GraphOutlet {
    graph: Result<Graph, GraphError>,
    /// See [`super::Outlet::handing_over`].
    handing_over: Arc<AtomicBool>,
    /// Until then Graph wants to be left alone.
    quiet_until: Option<Instant>,
}

impl GraphOutlet {
    pub fn new(config: &GraphConfig, handing_over: Arc<AtomicBool>) -> Self {
        Self { graph: Graph::new(config), handing_over, quiet_until: None }
    }

    /// Looks whether the application gets a token; nothing is sent.
    pub async fn check(&self) -> Result<(), OutletError> {
        match &self.graph {
            Ok(graph) => graph.check().await.map_err(unreachable),
            Err(error) => Err(unreachable(error.clone())),
        }
    }

    pub async fn send(&mut self, to: &EmailAddress, bytes: &[u8]) -> Outcome {
        let left = self.quiet_until.map(|until| until.saturating_duration_since(Instant::now()));
        if let Some(left) = left.filter(|left| !left.is_zero()) {
            return busy(&format!("Graph wants to be left alone for {} s more", left.as_secs() + 1)).into();
        }
        let graph = match &self.graph {
            Ok(graph) => graph,
            Err(error) => return unreachable(error.clone()).into(),
        };
        let encoded = STANDARD.encode(addressed(bytes, to));
        if encoded.len() as u64 > ENCODED_MAX {
            return too_large(bytes.len() as u64, ENCODED_MAX / 4 * 3);
        }
        match super::over(&self.handing_over, graph.send(&encoded)).await {
            Ok(request) => Outcome::Sent { reply: format!("202 {request}").trim_end().to_owned() },
            Err(error) => {
                self.quiet_until = error.after.and_then(|after| Instant::now().checked_add(after));
                sort(error, bytes.len() as u64)
            }
        }
    }
}

/// Says what a failure means for the mail.
fn sort(error: GraphError, size: u64) -> Outcome {
    match error.kind {
        Kind::TooLarge => Outcome::Refused {
            code: error.status,
            text: format!(
                "the mail has {size} octets, which is too large for Microsoft Graph: it takes about 3 MB with \
                 all files; send by SMTP or as a link ({})",
                error.message
            ),
        },
        Kind::Refused | Kind::Missing => Outcome::Refused { code: error.status, text: error.message },
        // What was said may have been heard.
        Kind::Lost | Kind::Answer => Outcome::PutOff { code: None, text: error.message },
        Kind::Busy if error.status != 429 && error.status != 503 => {
            Outcome::PutOff { code: Some(error.status), text: error.message }
        }
        _ => unreachable(error).into(),
    }
}

fn unreachable(error: GraphError) -> OutletError {
    let stage = match error.kind {
        Kind::Secret => Stage::Secret,
        Kind::Token => Stage::Token,
        Kind::Login => Stage::Login,
        Kind::Sender => Stage::Sender,
        Kind::Busy => Stage::Greeting,
        _ => Stage::Connect,
    };
    OutletError { stage, text: error.message, hint: error.hint }
}

fn busy(text: &str) -> OutletError {
    OutletError::new(Stage::Greeting, text).hint("it is tried again by itself")
}

/// Gives a mail whose fields name `to` as its one recipient.
///
/// It stays as it is where they do so already, and where it has no head that could be understood.
fn addressed(bytes: &[u8], to: &EmailAddress) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut rest = bytes;
    let mut named = false;
    while let Some((field, after)) = first_field(rest) {
        let name = field.split(|b| *b == b':').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_slice() {
            b"to" if !named && names_only(field, to) => {
                named = true;
                out.extend_from_slice(field);
            }
            b"to" | b"cc" | b"bcc" => {}
            _ => out.extend_from_slice(field),
        }
        rest = after;
    }
    if !named {
        out.extend_from_slice(format!("To: {to}\r\n").as_bytes());
    }
    out.extend_from_slice(rest);
    out
}

/// Parts the first field, with the lines that go on with it, from the rest; `None` at the end of the head.
fn first_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = |from: usize| {
        let rest = bytes.get(from..)?;
        let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
        (!rest.is_empty()).then_some(from + end)
    };
    if matches!(bytes.first(), None | Some(b'\r' | b'\n')) {
        return None;
    }
    let mut end = line(0)?;
    while matches!(bytes.get(end), Some(b' ' | b'\t')) {
        end = line(end)?;
    }
    bytes.split_at_checked(end)
}

/// Tells whether a field holds one address, which is this.
fn names_only(field: &[u8], to: &EmailAddress) -> bool {
    let text = String::from_utf8_lossy(field).to_lowercase();
    let address = text.split([':', '<', '>', ' ', ',', '\r', '\n']).find(|word| word.contains('@'));
    text.matches('@').count() == 1 && address == Some(to.as_str().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_name_the_one_recipient() {
        let to: EmailAddress = "ada@x.example".parse().unwrap();
        for (before, after) in [
            ("From: d@y\r\nTo: Ada <ADA@x.example>\r\nSubject: s\r\n\r\nTo: all\r\n", None),
            (
                "From: d@y\r\nTo: Ada <ada@x.example>,\r\n Bob <bob@x.example>\r\nCc: c@x.example,\r\n\td@x\r\n\r\nb",
                Some("From: d@y\r\nTo: ada@x.example\r\n\r\nb"),
            ),
            ("Bcc: b@x\r\nto: ada@x.example\r\nA: b\r\n\r\nb", Some("to: ada@x.example\r\nA: b\r\n\r\nb")),
            ("To: ada@x.example\r\nTo: bob@x.example\r\n\r\n", Some("To: ada@x.example\r\n\r\n")),
            ("To: notada@x.example, ada@x.example\r\n\r\n", Some("To: ada@x.example\r\n\r\n")),
        ] {
            let out = String::from_utf8(addressed(before.as_bytes(), &to)).unwrap();
            assert_eq!(out, after.unwrap_or(before), "{before:?}");
        }
    }
}
