//! Seals: what a signature or an encryption said about a mail.

use serde::{Deserialize, Serialize};

/// The two ways in which mails are signed and encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealKind {
    /// OpenPGP (RFC 3156), or armour in the text.
    Pgp,
    /// S/MIME (RFC 8551).
    Smime,
}

impl SealKind {
    /// Gives its name as people know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pgp => "OpenPGP",
            Self::Smime => "S/MIME",
        }
    }
}

/// What is known about the signature of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealState {
    /// The text is what a trusted key signed.
    Valid,
    /// The text is what a key signed that nobody vouches for.
    Untrusted,
    /// The key is not here, so that nothing can be said.
    UnknownKey,
    /// The signature or its key ended, or the key was revoked.
    Expired,
    /// The text is not what was signed.
    Broken,
    /// The mail could not be decrypted, or its signature not be read.
    Unreadable,
    /// It was decrypted and carries no signature.
    Unsigned,
    /// Nobody looked: it is switched off, or only a part of the mail is signed.
    Unchecked,
}

/// What a signature or an encryption said about a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    pub kind: SealKind,
    pub state: SealState,
    /// Whether the text was encrypted on its way.
    #[serde(default)]
    pub encrypted: bool,
    /// Whether the valid signature is that of the address in From.
    #[serde(default)]
    pub by_sender: bool,
    /// Whom the key names, on one line.
    pub signer: Option<String>,
    /// The fingerprint of the key, in hexadecimal digits.
    pub key: Option<String>,
    /// All of it in words.
    pub words: String,
}

impl Seal {
    /// Tells whether a reader should be careful.
    pub fn is_doubtful(&self) -> bool {
        match self.state {
            SealState::Valid => !self.by_sender,
            SealState::Unsigned | SealState::Unchecked => false,
            _ => true,
        }
    }

    /// Writes all of it in words.
    pub fn put_into_words(mut self, why: Option<&str>) -> Self {
        let kind = self.kind.name();
        let who = self.signer.as_deref().or(self.key.as_deref()).unwrap_or("nobody known");
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        let words = match self.state {
            SealState::Valid if self.by_sender => format!("signed: valid, {who}"),
            SealState::Valid => format!("signed by {who}, not by the sender"),
            SealState::Untrusted => format!("signed with an untrusted key that names {who}"),
            SealState::UnknownKey => format!("signed with an unknown key ({who})"),
            SealState::Expired => format!("signature expired or its key revoked, {who}"),
            SealState::Broken => format!("signature broken{why}"),
            SealState::Unreadable if self.encrypted => format!("encrypted ({kind}), cannot be read{why}"),
            SealState::Unreadable => format!("signed ({kind}), the signature cannot be read{why}"),
            SealState::Unsigned => "not signed".to_owned(),
            SealState::Unchecked if self.encrypted => format!("encrypted ({kind}), not opened{why}"),
            SealState::Unchecked => format!("signed ({kind}), not checked{why}"),
        };
        let opened = self.encrypted && !matches!(self.state, SealState::Unreadable | SealState::Unchecked);
        self.words = if opened { format!("was encrypted; {words}") } else { words };
        self
    }
}
