//! People: staff who have a name on the desk, and outside persons who only have an address.

use super::address::mask_addresses;
use super::{EmailAddress, Mailbox, Notify, ProjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The name under which the system speaks. It cannot log in, be assigned or receive mail.
pub const SUPPORT_BOT: &str = "support-bot";

/// Who wrote an issue or a note. `user` is [`SUPPORT_BOT`] for outside persons and for the system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub name: Option<String>,
    pub email: Option<EmailAddress>,
    pub user: Option<String>,
}

impl Author {
    /// An outside person, known by address only.
    pub fn outside(name: Option<String>, email: EmailAddress) -> Self {
        Self { name, email: Some(email), user: Some(SUPPORT_BOT.to_owned()) }
    }

    /// The desk itself.
    pub fn system() -> Self {
        Self { name: Some("Support Bot".to_owned()), email: None, user: Some(SUPPORT_BOT.to_owned()) }
    }

    /// One of the staff.
    pub fn staff(user: &User) -> Self {
        Self {
            name: Some(user.display_name().to_owned()),
            email: user.emails.first().cloned(),
            user: Some(user.name.clone()),
        }
    }

    /// Tells whether this is neither staff nor the system.
    pub fn is_outside(&self) -> bool {
        self.user.as_deref() == Some(SUPPORT_BOT) && self.email.is_some()
    }

    /// Gives the author as those see them who may not see addresses.
    #[must_use]
    pub fn masked(&self) -> Self {
        if !self.is_outside() {
            return self.clone();
        }
        let named = self.name.as_deref().map(mask_addresses);
        Self { name: named, email: self.email.as_ref().map(EmailAddress::masked), user: self.user.clone() }
    }

    /// Gives the shortest thing to call this author by.
    pub fn label(&self) -> &str {
        self.name
            .as_deref()
            .filter(|name| !name.is_empty())
            .or(self.email.as_ref().map(EmailAddress::as_str))
            .or(self.user.as_deref())
            .unwrap_or("(unknown)")
    }
}

/// Why a person takes part in an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantRole {
    /// The ticket is theirs.
    Requester,
    /// Named in Cc, or added by staff.
    Cc,
    /// Joined by writing without having been asked; not mailed until staff say so.
    Stranger,
}

/// What is known of an address from the mail that was sent to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressState {
    #[default]
    Ok,
    /// A mail came back for a passing reason.
    Deferred,
    /// A mail came back for good.
    Bounced,
}

/// One outside person in one issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    pub name: Option<String>,
    pub email: EmailAddress,
    pub subscribed: bool,
    pub role: ParticipantRole,
    pub address_state: AddressState,
}

impl Participant {
    /// Gives the name and address to which mail goes.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox { name: self.name.clone(), email: self.email.clone() }
    }
}

/// What the desk keeps of an outside address, whatever the issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressRecord {
    pub email: EmailAddress,
    pub state: AddressState,
    /// The server's words, when the last mail came back.
    pub reason: Option<String>,
    pub since: Timestamp,
}

/// One of the staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The handle, also the system user's name unless `system_user` says otherwise.
    pub name: String,
    pub full_name: Option<String>,
    /// Verified ones: an owner set them, or a mail came from them. The first is mailed.
    pub emails: Vec<EmailAddress>,
    pub system_user: Option<String>,
    /// May do everything on the desk.
    pub owner: bool,
    #[serde(default)]
    pub removed: bool,
    /// What they want to be told by mail.
    #[serde(default)]
    pub notify: Notify,
    /// Addresses that they gave and that still have to be answered from.
    #[serde(default)]
    pub unverified: Vec<EmailAddress>,
}

impl User {
    /// Gives the full name where there is one, else the handle.
    pub fn display_name(&self) -> &str {
        self.full_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.name)
    }

    /// Tells whether `name` can be a handle: 1 to 64 of `a-z 0-9 . _ -`, and not a reserved word.
    pub fn name_fits(name: &str) -> bool {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        (1..=64).contains(&name.len())
            && name.chars().all(word)
            && !name.starts_with(['.', '-'])
            && !matches!(name, SUPPORT_BOT | "none" | "any" | "me")
    }
}

/// What a member may do in a project, as GitLab names it; later ones include earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Guest,
    Reporter,
    Developer,
    Maintainer,
    Owner,
}

impl Role {
    /// Gives the role's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Reporter => "reporter",
            Self::Developer => "developer",
            Self::Maintainer => "maintainer",
            Self::Owner => "owner",
        }
    }
}

/// That a user belongs to a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub project: ProjectId,
    pub user: String,
    pub role: Role,
}
