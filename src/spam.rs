//! Spam: who is asked whether a mail is wanted, and who is told what staff decided.
//!
//! Owns the services (Akismet, Rspamd), the classifier of this desk and the checking of SPF, DKIM and
//! DMARC: one mail in, opinions out. Knows nothing of issues, and keeps nothing: what was learned is
//! handed in. A judge that does not answer in time is an [`Opinion`] too, and never an error.
#![deny(clippy::indexing_slicing, clippy::string_slice)]

pub mod local;

use crate::config;
use crate::domain::{EmailAddress, Judge, Opinion};
use std::net::IpAddr;
use std::sync::Arc;

/// A mail as judges need to know it.
#[derive(Clone, Debug, Default)]
pub struct Suspect {
    pub raw: Arc<[u8]>,
    pub from: Option<EmailAddress>,
    pub from_name: Option<String>,
    pub subject: String,
    /// The whole visible text.
    pub text: String,
    /// Who handed the mail to our border host, where a trusted Received field tells.
    pub client: Option<IpAddr>,
    pub helo: Option<String>,
    /// The envelope sender, where Return-Path tells.
    pub envelope_from: Option<String>,
    pub envelope_to: Vec<String>,
}

/// Why a judge did not take a lesson.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TeachError {
    pub message: String,
    /// Whether trying again later may help.
    pub temporary: bool,
}

/// The judges that are switched on; a cheap clone.
#[derive(Clone, Debug, Default)]
pub struct Judges;

impl Judges {
    /// Sets the judges up as the config says; asks none of them yet.
    pub fn new(_config: &config::Spam) -> Self {
        Self
    }

    /// Asks every judge outside this process, side by side, each for at most `[spam] timeout`.
    pub async fn ask(&self, _mail: &Suspect) -> Vec<Opinion> {
        Vec::new()
    }

    /// Lists the judges outside this process that can be taught.
    pub fn teachable(&self) -> Vec<Judge> {
        Vec::new()
    }

    /// Tells a judge outside this process what staff decided about a mail.
    pub async fn teach(&self, judge: Judge, _mail: &Suspect, _spam: bool) -> Result<(), TeachError> {
        Err(TeachError { message: format!("{judge:?} is not switched on"), temporary: false })
    }
}

/// Says what a filter on the way wrote into the headers.
pub fn headers(_headers: &[(String, String)]) -> Option<Opinion> {
    None
}
