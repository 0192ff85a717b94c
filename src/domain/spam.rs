//! Opinions about whether a mail is wanted: whose, what, and in which words.

use serde::{Deserialize, Serialize};

/// Who has an opinion about a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// The lists of senders that staff keep.
    Senders,
    /// What a filter on the way wrote into the headers.
    Headers,
    /// SPF, DKIM and DMARC.
    Authentication,
    /// The classifier that learns from this desk's own decisions.
    Local,
    Rspamd,
    Akismet,
}

/// What a judge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    Spam,
    /// Wanted mail.
    Ham,
    /// Nothing that would decide.
    Unsure,
    /// The judge could not be asked.
    Unavailable,
}

/// The header fields in which filters on the way write that a mail is spam, in lower case.
///
/// In this order: Rspamd, SpamAssassin and those that write as it does, Microsoft, Google, Barracuda.
pub const FILTER_FIELDS: &[&str] = &[
    "x-spamd-result",
    "x-rspamd-action",
    "x-spam",
    "x-spam-flag",
    "x-spam-status",
    "x-forefront-antispam-report",
    "x-ms-exchange-organization-scl",
    "x-gm-spam",
    "x-gm-phishy",
    "x-barracuda-spam-flag",
];

/// One judge's opinion about one mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    pub by: Judge,
    pub finding: Finding,
    /// What led to it, in words: a score and its rules, a header, an error.
    pub words: String,
}
