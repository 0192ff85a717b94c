//! Signed and encrypted mail, through `gpg` and `gpgsm` as the config names them.
//!
//! Owns how those programs are called and what their answers mean. Knows nothing of mails: it is handed
//! octets that were signed, signatures, and messages to open. Everything handed in is hostile: it goes to
//! the program as a file or on standard input, never as an argument, and the program has a deadline, a
//! cap on what it may print, and no network unless the config grants it.

mod run;
mod status;

use crate::config::Sealing;
use crate::domain::{EmailAddress, Seal, SealKind, SealState};
use run::{Ran, Tool};
use status::{Found, Report};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Most octets of what is listed or signed.
const SMALL: u64 = 1 << 20;

/// Why a program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CryptError {
    #[error("{program} cannot be started: {error}")]
    Start { program: String, error: std::io::Error },
    #[error("{program} did not end within {seconds} s")]
    Slow { program: String, seconds: u64 },
    #[error("{program} gave more than {octets} octets")]
    Flood { program: String, octets: u64 },
    #[error("talking to {program} failed: {error}")]
    Talk { program: String, error: std::io::Error },
    #[error("a file for {program} cannot be written: {error}")]
    File { program: String, error: std::io::Error },
    #[error("{program} does not sign: {why}")]
    Sign { program: String, why: String },
    #[error("{0} is switched off in the config")]
    Off(&'static str),
}

/// What opening a message gave.
#[derive(Debug)]
pub struct Opened {
    /// What was in it; none if it stayed closed.
    pub content: Option<Vec<u8>>,
    pub seal: Seal,
    pub why: Option<String>,
}

/// A signature that was made.
#[derive(Debug)]
pub struct Signature {
    pub kind: SealKind,
    /// Armoured for OpenPGP, DER for S/MIME.
    pub bytes: Vec<u8>,
    /// The name of the hash, as `micalg` has it.
    pub micalg: String,
}

/// The programs, as the config has them.
#[derive(Clone, Debug, Default)]
pub struct Crypt {
    pgp: Option<Tool>,
    smime: Option<Tool>,
    scratch: PathBuf,
}

impl Crypt {
    /// Takes what the config says; signatures to check stand for a moment in files of `scratch`.
    pub fn new(pgp: &Sealing, smime: &Sealing, scratch: &Path) -> Self {
        let tool = |kind, config: &Sealing| config.enabled.then(|| Tool::new(kind, config));
        Self {
            pgp: tool(SealKind::Pgp, pgp),
            smime: tool(SealKind::Smime, smime),
            scratch: scratch.to_owned(),
        }
    }

    fn tool(&self, kind: SealKind) -> Result<&Tool, CryptError> {
        let tool = match kind {
            SealKind::Pgp => &self.pgp,
            SealKind::Smime => &self.smime,
        };
        tool.as_ref().ok_or(CryptError::Off(kind.name()))
    }

    /// Tells whether signed and encrypted mail of that kind is looked into.
    pub fn reads(&self, kind: SealKind) -> bool {
        self.tool(kind).is_ok()
    }

    /// Tells whether mail is to be signed on its way out, and how.
    pub fn signs(&self) -> Option<SealKind> {
        let tools = [&self.pgp, &self.smime].into_iter().flatten();
        tools.filter(|tool| tool.signs).map(|tool| tool.kind).next()
    }

    /// Checks a signature over octets that stand beside it.
    pub async fn verify(
        &self,
        kind: SealKind,
        signed: &[u8],
        signature: &[u8],
        sender: Option<&EmailAddress>,
    ) -> Result<Seal, CryptError> {
        let tool = self.tool(kind)?;
        let file = self.file(tool, signature)?;
        let arguments = ["--verify".into(), "--".into(), file.path().into(), OsString::from("-")];
        let ran = tool.run(&arguments, signed, SMALL).await?;
        let report = Report::of(&ran.said);
        self.judged(tool, &report, sender).await
    }

    fn file(&self, tool: &Tool, bytes: &[u8]) -> Result<tempfile::NamedTempFile, CryptError> {
        let written = std::fs::create_dir_all(&self.scratch).and_then(|()| {
            let mut file = tempfile::Builder::new().prefix("signature-").tempfile_in(&self.scratch)?;
            file.write_all(bytes)?;
            file.flush()?;
            Ok(file)
        });
        written.map_err(|error| CryptError::File { program: tool.program.clone(), error })
    }

    /// Opens a message that is encrypted, or that holds its signature together with what was signed.
    ///
    /// `limit` caps the octets of its content.
    pub async fn open(
        &self,
        kind: SealKind,
        message: &[u8],
        encrypted: bool,
        sender: Option<&EmailAddress>,
        limit: u64,
    ) -> Result<Opened, CryptError> {
        let tool = self.tool(kind)?;
        let arguments: &[&str] = match (kind, encrypted) {
            (SealKind::Smime, false) => &["--output", "-", "--verify"],
            _ => &["--decrypt"],
        };
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let Ran { out, said, .. } = tool.run(&arguments, message, limit).await?;
        let report = Report::of(&said);
        let mut seal = self.judged(tool, &report, sender).await?;
        seal.encrypted = encrypted || report.decrypted || report.failed;
        let readable = if encrypted { report.decrypted && !report.failed } else { !report.failed };
        let content = (readable && !report.doubled).then_some(out);
        match &content {
            None => seal.state = SealState::Unreadable,
            Some(_) if report.found.is_none() && seal.encrypted => seal.state = SealState::Unsigned,
            Some(_) => {}
        }
        let why = content.is_none().then(|| report.trouble().to_owned());
        Ok(Opened { content, seal, why })
    }

    /// Signs octets with the key of the config; they must stand in the mail exactly as they are.
    pub async fn sign(&self, signed: &[u8]) -> Result<Signature, CryptError> {
        let kind = self.signs().ok_or(CryptError::Off("signing"))?;
        let tool = self.tool(kind)?;
        let mut arguments: Vec<OsString> = Vec::new();
        if kind == SealKind::Pgp {
            arguments.push("--armor".into());
        }
        if let Some(key) = &tool.key {
            arguments.extend(["--local-user".into(), key.into()]);
        }
        arguments.push("--detach-sign".into());
        let ran = tool.run(&arguments, signed, SMALL).await?;
        match Report::of(&ran.said).hash.filter(|_| ran.success && !ran.out.is_empty()) {
            Some(hash) => Ok(Signature { kind, bytes: ran.out, micalg: micalg(kind, hash) }),
            None => Err(CryptError::Sign { program: tool.program.clone(), why: ran.complaint() }),
        }
    }

    /// Looks whether the program of a kind runs; gives its version.
    pub async fn check(&self, kind: SealKind) -> Result<String, CryptError> {
        let ran = self.tool(kind)?.run(&["--version".into()], b"", SMALL).await?;
        Ok(String::from_utf8_lossy(&ran.out).lines().next().unwrap_or_default().to_owned())
    }

    /// Says what a report means; a signature is the sender's only if the key vouches for that address.
    async fn judged(
        &self,
        tool: &Tool,
        report: &Report,
        sender: Option<&EmailAddress>,
    ) -> Result<Seal, CryptError> {
        let mut seal = Seal {
            kind: tool.kind,
            state: SealState::Unreadable,
            encrypted: false,
            by_sender: false,
            signer: None,
            key: None,
            words: String::new(),
        };
        let Some(Found { state, key, name, .. }) = &report.found else { return Ok(seal) };
        (seal.state, seal.key, seal.signer) = (*state, key.clone(), name.clone());
        if let Some(key) = key.as_deref().filter(|_| matches!(state, SealState::Valid | SealState::Untrusted))
        {
            let names = self.names(tool, key).await?;
            let theirs = names.iter().find(|name| name.address.as_ref() == sender && sender.is_some());
            seal.by_sender = *state == SealState::Valid && theirs.is_some_and(|name| name.vouched);
            let shown = theirs.filter(|_| seal.by_sender || *state == SealState::Untrusted);
            let shown = shown.or_else(|| names.iter().find(|name| name.address.is_some()));
            seal.signer = shown.map(|name| status::label(name, seal.signer.as_deref())).or(seal.signer);
        }
        Ok(seal)
    }

    /// Lists the names of a key, and which of them somebody vouches for.
    async fn names(&self, tool: &Tool, key: &str) -> Result<Vec<status::Name>, CryptError> {
        let arguments = ["--with-colons", "--list-keys", "--", key].map(OsString::from);
        let ran = tool.run(&arguments, b"", SMALL).await?;
        Ok(status::names(&String::from_utf8_lossy(&ran.out), tool.kind))
    }
}

/// Names a hash as `micalg` does (RFC 3156, section 5; RFC 8551, section 3.5.3.2).
fn micalg(kind: SealKind, hash: u32) -> String {
    let name = match hash {
        2 => "sha1",
        9 => "sha384",
        10 => "sha512",
        11 => "sha224",
        _ => "sha256",
    };
    match kind {
        SealKind::Pgp => format!("pgp-{name}"),
        SealKind::Smime => name.replacen("sha", "sha-", 1),
    }
}
