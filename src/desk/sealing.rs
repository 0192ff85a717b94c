//! Signed and encrypted mail on its way in and out.
//!
//! Reading comes before anything is locked, and nothing here stops a mail: what fails is said in words,
//! and the mail goes on as it came. What was decrypted is kept as the note's text, and its files as
//! uploads are; the mail itself stays as it was.

use super::arrival::Prepared;
use super::{Desk, txn};
use crate::crypt::{CryptError, Opened};
use crate::domain::{EmailAddress, Fault, OutboxState, Seal, SealState};
use crate::mail::{self, Message, Sealed, SealedForm};
use futures_util::FutureExt;
use jiff::Timestamp;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Most layers of one mail: signed within encrypted, and one more for good measure.
const LAYERS: usize = 3;
/// Octets of what was decrypted, where no mailbox says more.
const CONTENT: u64 = 50_000_000;

/// A mail while its layers are taken off.
struct Unsealing {
    /// The mail as it would have come without the layers so far.
    view: Arc<Vec<u8>>,
    message: Message,
    seal: Option<Seal>,
    /// Lines of armour that are no text.
    armour: Option<String>,
    /// Whether the files are no parts of the mail that is kept.
    opened: bool,
    sender: Option<EmailAddress>,
    limit: u64,
}

/// What was found out about a sealed mail.
struct Unsealed {
    seal: Seal,
    armour: Option<String>,
    /// The mail as it is to be read now.
    read: Option<(Message, (mail::Reading, mail::Visible))>,
}

impl Desk {
    /// Checks the signature of a mail and opens it where the config allows; `keep` keeps its files.
    pub(super) async fn unseal(&self, mut prepared: Prepared, keep: bool) -> Result<Prepared, Fault> {
        match AssertUnwindSafe(self.looked_into(&prepared, keep)).catch_unwind().await {
            Ok(found) => {
                if let Some(Unsealed { seal, armour, read }) = found? {
                    (prepared.seal, prepared.armour) = (Some(seal), armour);
                    if let Some((message, visible)) = read {
                        (prepared.message, prepared.visible) = (Ok(message), Some(visible));
                    }
                }
            }
            Err(_) => tracing::error!("the program broke on a sealed mail; it goes on as it came"),
        }
        Ok(prepared)
    }

    async fn looked_into(&self, prepared: &Prepared, keep: bool) -> Result<Option<Unsealed>, Fault> {
        let message = prepared.message.as_ref().ok().filter(|message| mail::may_be_sealed(message));
        let Some(message) = message.cloned() else { return Ok(None) };
        let way = prepared.arrival.mailbox.as_deref().and_then(|name| self.inner.ways.mailbox(name));
        let mut unsealing = Unsealing {
            view: Arc::clone(&prepared.bytes),
            sender: message.from.as_ref().map(|from| from.email.clone()),
            message,
            seal: None,
            armour: None,
            opened: false,
            limit: way.map_or(CONTENT, |way| way.max_size),
        };
        for _ in 0..LAYERS {
            let view = unsealing.view.clone();
            let Some(Some(sealed)) = aside(move || mail::sealed(&view)).await else { break };
            match self.take_off(&mut unsealing, sealed).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "a sealed mail");
                    unsealing.message.defects.push(error.to_string());
                    break;
                }
            }
        }
        let Some(seal) = unsealing.seal.take() else { return Ok(None) };
        if unsealing.opened {
            self.keep_inner_files(&mut unsealing, keep).await?;
        }
        let Unsealing { message, armour, .. } = unsealing;
        let read = aside(move || {
            let reading = mail::Reading::of(&message);
            let visible = mail::visible(&message, reading);
            (message, (reading, visible))
        });
        Ok(Some(Unsealed { seal, armour, read: read.await }))
    }

    /// Takes one layer off; tells whether another may be below.
    async fn take_off(&self, mail: &mut Unsealing, sealed: Sealed) -> Result<bool, CryptError> {
        let crypt = &self.inner.crypt;
        let Sealed { kind, form } = sealed;
        let why = matches!(form, SealedForm::Partly).then_some("only a part of it is signed");
        let unchecked = blank(kind, form.is_encrypted()).put_into_words(why);
        let earlier = mail.seal.get_or_insert(unchecked).clone();
        let sender = mail.sender.clone();
        match form {
            SealedForm::Partly => Ok(false),
            SealedForm::Detached { signed, signature } => {
                let (raw, entity) = (mail.view.clone(), signed.clone());
                let read = aside(move || mail::read_signed(&raw, &entity)).await.flatten();
                let strange = read.is_none();
                mail.message = read.unwrap_or_else(|| mail.message.clone());
                if mail.opened {
                    mail.view = Arc::new(mail::unsealed(&mail.view, &signed));
                    mail.message = mail::read(&mail.view).unwrap_or_else(|_| mail.message.clone());
                }
                if crypt.reads(kind) {
                    let mut seal = crypt.verify(kind, &signed, &signature, sender.as_ref()).await?;
                    let why = strange.then_some("other parts stand in the mail than were signed");
                    seal.state = if strange { SealState::Broken } else { seal.state };
                    mail.seal = Some(under(&earlier, seal, why));
                }
                Ok(false)
            }
            SealedForm::Message { bytes, encrypted } if crypt.reads(kind) => {
                let opened = crypt.open(kind, &bytes, encrypted, sender.as_ref(), mail.limit).await?;
                Ok(mail.open(&earlier, opened).await)
            }
            SealedForm::Text { block, encrypted } if crypt.reads(kind) => {
                let opened = crypt.open(kind, &block, encrypted, sender.as_ref(), mail.limit).await;
                mail.read_text(&earlier, encrypted, opened)?;
                Ok(false)
            }
            SealedForm::Text { encrypted, .. } => {
                if !encrypted {
                    mail.armour = mail::show_text(&mut mail.message, None).map(|(lines, _)| lines);
                }
                Ok(false)
            }
            SealedForm::Message { .. } => Ok(false),
        }
    }

    /// Keeps the files of a mail that was opened, since the mail itself does not show them.
    async fn keep_inner_files(&self, mail: &mut Unsealing, keep: bool) -> Result<(), Fault> {
        let (view, files) = (std::mem::take(&mut mail.view), mail.message.attachments.clone());
        let bytes = aside(move || mail::files(&view, &files)).await.unwrap_or_default();
        for (file, bytes) in mail.message.attachments.iter_mut().zip(bytes) {
            file.part = None;
            if let Some(bytes) = bytes.filter(|_| keep) {
                file.raw = Some(self.inner.store.stash(bytes).await.map_err(txn::store_fault)?);
            }
        }
        Ok(())
    }

    /// Signs a composed mail where the config asks for it. One that cannot be signed is held and says why.
    pub(super) async fn sign_letter(&self, bytes: Vec<u8>, held: Holding) -> (Vec<u8>, Holding) {
        if self.inner.crypt.signs().is_none() {
            return (bytes, held);
        }
        let (fields, entity) = mail::to_sign(&bytes);
        match self.inner.crypt.sign(&entity).await {
            Ok(made) => {
                self.inner.board.clear_notice("signing");
                let mail = mail::with_signature(&fields, &entity, made.kind, &made.bytes, &made.micalg);
                (mail, held)
            }
            Err(error) => {
                let words = format!("mail cannot be signed and is held in the outbox: {error}");
                self.inner.board.notice("signing".to_owned(), words);
                let error = Some(format!("it could not be signed ({error}); released, it goes out unsigned"));
                (bytes, Holding { state: OutboxState::Held, until: None, error })
            }
        }
    }
}

/// Whether and until when a mail waits in the outbox, and why.
pub(super) struct Holding {
    pub state: OutboxState,
    pub until: Option<Timestamp>,
    pub error: Option<String>,
}

impl Unsealing {
    /// Takes what a message held as the mail; tells whether there was anything.
    async fn open(&mut self, earlier: &Seal, opened: Opened) -> bool {
        let Opened { content, seal, why } = opened;
        self.seal = Some(under(earlier, seal, why.as_deref()));
        let Some(content) = content else { return false };
        let view = Arc::new(mail::unsealed(&self.view, &content));
        let inner = view.clone();
        let Some(Ok(message)) = aside(move || mail::read(&inner)).await else { return false };
        (self.view, self.message, self.opened) = (view, message, true);
        true
    }

    /// Takes what armour held as the text.
    fn read_text(
        &mut self,
        earlier: &Seal,
        encrypted: bool,
        opened: Result<Opened, CryptError>,
    ) -> Result<(), CryptError> {
        let inside = opened.as_ref().ok().and_then(|opened| opened.content.as_deref());
        let sound = opened.as_ref().is_ok_and(|o| !matches!(o.seal.state, SealState::Broken));
        let shown = match (encrypted, inside.filter(|_| sound)) {
            (true, None) => None,
            (_, inside) => mail::show_text(&mut self.message, inside),
        };
        let alone = shown.as_ref().is_none_or(|(_, alone)| *alone);
        self.armour = shown.map(|(lines, _)| lines);
        let Opened { mut seal, why, .. } = opened?;
        if !alone && matches!(seal.state, SealState::Valid | SealState::Untrusted) {
            seal.state = SealState::Unchecked;
            self.seal = Some(under(earlier, seal, Some("text stands around what was signed")));
        } else {
            self.seal = Some(under(earlier, seal, why.as_deref()));
        }
        Ok(())
    }
}

fn blank(kind: crate::domain::SealKind, encrypted: bool) -> Seal {
    Seal {
        kind,
        state: SealState::Unchecked,
        encrypted,
        by_sender: false,
        signer: None,
        key: None,
        words: String::new(),
    }
}

/// Joins what a layer says with what the layers above it said: encrypted stays encrypted.
fn under(earlier: &Seal, seal: Seal, why: Option<&str>) -> Seal {
    let signer = seal.signer.as_deref().map(mail::sanitize_line);
    let told = matches!(earlier.state, SealState::Unchecked | SealState::Unsigned);
    // An outer signature counts on where the inner message has none.
    if seal.state == SealState::Unsigned && !told {
        return Seal { encrypted: true, ..earlier.clone() }.put_into_words(why);
    }
    Seal { encrypted: seal.encrypted || earlier.encrypted, signer, ..seal }.put_into_words(why)
}

/// Does what may take its time, or break on a hostile mail, beside the tasks of the desk.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
