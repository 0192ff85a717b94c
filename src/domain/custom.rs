//! A project's own sender address: whether mail to it reaches the desk, and whether the desk writes from it.

use super::{EmailAddress, OutboxId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a mail that asks for the way back is waited for.
pub const CUSTOM_WAIT: SignedDuration = SignedDuration::from_mins(30);
/// The key in the address to which that mail goes.
pub const CUSTOM_VERIFY: &str = "verify";
/// Octets of the local part, so that a reply key and a word behind it still fit.
pub const CUSTOM_LOCAL: usize = 24;

/// How far the verification has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomState {
    #[default]
    Unverified,
    Started,
    Finished,
    Failed,
}

/// Why it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomFailure {
    Timeout,
    WrongTarget,
    WrongFrom,
    WrongToken,
    Host,
    Login,
}

impl CustomFailure {
    pub const ALL: [Self; 6] =
        [Self::Timeout, Self::WrongTarget, Self::WrongFrom, Self::WrongToken, Self::Host, Self::Login];

    /// Says what went wrong.
    pub fn words(self) -> &'static str {
        match self {
            Self::Timeout => "the mail did not come back within 30 minutes",
            Self::WrongTarget => "the mail came back by another address than that of the project",
            Self::WrongFrom => "the mail came back from another sender",
            Self::WrongToken => "the mail came back without its token",
            Self::Host => "the mail server of the outlet did not take the mail",
            Self::Login => "the mail server of the outlet refused the login",
        }
    }

    /// Says what helps.
    pub fn cure(self) -> &'static str {
        match self {
            Self::Timeout => {
                "forward mail to the custom address, and to it with `+` and a word, to the project's address"
            }
            Self::WrongTarget => {
                "forward to the address that `deskbell project show` lists with the project's key"
            }
            Self::WrongFrom => "let the forwarding keep the field From as it is",
            Self::WrongToken => {
                "let the forwarding keep subject and text as they are; an older mail does not count"
            }
            Self::Host => "look at host, port, TLS and `from` of the outlet: `deskbell doctor` tries them",
            Self::Login => "look at user, password and auth of the outlet: `deskbell doctor` tries them",
        }
    }
}

/// What is kept of a project's custom address, beside the address itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomEmail {
    pub state: CustomState,
    /// Whether the desk writes from it.
    pub enabled: bool,
    /// 12 characters; what the mail must bring back.
    pub token: String,
    pub asked_by: String,
    pub asked_at: Timestamp,
    /// The mail that asks.
    pub outbox: Option<OutboxId>,
    pub failure: Option<CustomFailure>,
    /// What exactly was found.
    pub found: Option<String>,
}

impl CustomEmail {
    /// Tells whether the way back still counts.
    pub fn waits(&self, now: Timestamp) -> bool {
        matches!(self.state, CustomState::Started | CustomState::Failed)
            && now.duration_since(self.asked_at) <= CUSTOM_WAIT
    }
}

/// What front ends see of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomView {
    pub state: CustomState,
    pub enabled: bool,
    pub asked_by: Option<String>,
    pub asked_at: Option<Timestamp>,
    pub failure: Option<CustomFailure>,
    /// What went wrong and what helps, in words.
    pub error: Option<String>,
    pub hint: Option<String>,
}

/// What can be done with a custom address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomAction {
    Set { address: EmailAddress, outlet: String },
    Verify,
    Enable,
    Disable,
    Remove,
}

/// Puts a key into a custom address: `custom+key@domain`.
pub fn custom_with(address: &EmailAddress, key: &str) -> Option<EmailAddress> {
    EmailAddress::parse(&format!("{}+{key}@{}", address.local(), address.domain()))
}

/// Finds the key in an address made from a custom one, in lower case.
pub fn custom_key(custom: &EmailAddress, address: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let (base, key) = local.split_once('+')?;
    let same = base.eq_ignore_ascii_case(custom.local()) && domain.to_lowercase() == custom.domain();
    (same && !key.is_empty()).then(|| key.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_where_it_was_put_and_nowhere_else() {
        let custom = EmailAddress::parse("Help@Acme.example").unwrap();
        let keyed = custom_with(&custom, "k1").unwrap();
        assert_eq!(custom_key(&custom, keyed.as_str()).as_deref(), Some("k1"));
        assert_eq!(custom_key(&custom, "HELP+Verify@acme.EXAMPLE").as_deref(), Some("verify"));
        for other in [
            "help@acme.example",
            "help+@acme.example",
            "helpx+k@acme.example",
            "help+k@acme.example.net",
            "x",
        ] {
            assert_eq!(custom_key(&custom, other), None, "{other}");
        }
    }

    #[test]
    fn every_failure_has_words_and_a_cure_of_its_own() {
        let words: std::collections::BTreeSet<&str> =
            CustomFailure::ALL.iter().flat_map(|failure| [failure.words(), failure.cure()]).collect();
        assert_eq!(words.len(), 2 * CustomFailure::ALL.len());
    }
}
