//! Mail to a submission server (RFC 5321, RFC 6409).
//!
//! Drives lettre's connection command by command, because what an answer means depends on the command:
//! only a 5yz to RCPT or DATA is about the mail, everything before is about the outlet.

mod login;
mod wire;

use super::{Outcome, OutletError, Stage, too_large};
use crate::{
    config::{Encryption, SmtpConfig},
    domain::EmailAddress,
    oauth::Tokens,
    tls,
};
use lettre::transport::smtp::{
    Error,
    client::AsyncSmtpConnection,
    commands::{Data, Ehlo},
    extension::{ClientId, Extension},
    response::Response,
};
use std::{
    error::Error as _,
    fmt::Display,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::time::timeout;
use wire::Wire;

/// How many times as long as an answer a mail may take to be taken (RFC 5321, section 4.5.3.2).
const TRANSFER: u32 = 10;
/// Codes that say "log in first" whatever they answer (RFC 4954).
const WANTS_LOGIN: [u16; 4] = [530, 534, 535, 538];
/// The server closes the connection.
const CLOSING: u16 = 421;
/// The mail is too large.
const TOO_LARGE: u16 = 552;

/// A submission server, with its connection while there is one.
#[derive(Debug)]
pub(super) struct Smtp {
    config: SmtpConfig,
    tokens: Tokens,
    session: Option<Session>,
    /// The largest mail the server takes, once it has said so.
    size_limit: Option<u64>,
    /// See [`super::Outlet::handing_over`].
    handing_over: Arc<AtomicBool>,
}

/// A connection that is logged in.
struct Session {
    connection: AsyncSmtpConnection,
    limit: Duration,
    size_limit: Option<u64>,
    handing_over: Arc<AtomicBool>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("size_limit", &self.size_limit).finish_non_exhaustive()
    }
}

/// An answer that is not a success.
#[derive(Debug)]
enum No {
    Code {
        code: u16,
        text: String,
    },
    /// The connection is of no use any more.
    Lost(String),
}

/// How a transaction ended.
enum End {
    /// The connection can take the next.
    Keep(Outcome),
    Drop(Outcome),
    /// A connection that was kept had died; nothing was said yet.
    Stale(String),
}

impl Smtp {
    pub fn new(config: SmtpConfig, tokens: Tokens, handing_over: Arc<AtomicBool>) -> Self {
        Self { config, tokens, session: None, size_limit: None, handing_over }
    }

    pub fn size_limit(&self) -> Option<u64> {
        self.size_limit
    }

    pub async fn send(&mut self, from: Option<&EmailAddress>, to: &EmailAddress, bytes: &[u8]) -> Outcome {
        // A call that is dropped half way leaves no session behind.
        if let Some(mut kept) = self.session.take() {
            match kept.transaction(from, to, bytes).await {
                End::Keep(outcome) => return self.keep(kept, outcome),
                End::Drop(outcome) => return outcome,
                End::Stale(why) => tracing::debug!(why, "the kept connection had died"),
            }
        }
        let mut fresh = match self.open().await {
            Ok(session) => session,
            Err(e) => return e.into(),
        };
        match fresh.transaction(from, to, bytes).await {
            End::Keep(outcome) => self.keep(fresh, outcome),
            End::Drop(outcome) => outcome,
            End::Stale(why) => OutletError::new(Stage::Sender, why).into(),
        }
    }

    fn keep(&mut self, session: Session, outcome: Outcome) -> Outcome {
        self.session = Some(session);
        outcome
    }

    pub async fn check(&mut self) -> Result<(), OutletError> {
        self.close().await;
        let session = self.open().await?;
        self.session = Some(session);
        Ok(())
    }

    pub async fn close(&mut self) {
        if let Some(mut session) = self.session.take() {
            let _ = timeout(session.limit, session.connection.quit()).await;
        }
    }

    /// Connects, greets and logs in. A token that is refused is renewed once and tried again, over a new
    /// connection.
    async fn open(&mut self) -> Result<Session, OutletError> {
        let mut session = self.connect().await?;
        let Some(login) = self.config.login.clone() else { return Ok(session) };
        let server = self.config.server.clone();
        let secret = self.tokens.secret(&login).await?;
        let Err(no) = login::log_in(&mut session, &login, &secret, &server).await else { return Ok(session) };
        let refused = matches!(no, No::Code { code, .. } if code >= 500);
        let another = if refused { self.tokens.another(&login, &secret).await? } else { None };
        let Some(another) = another else { return Err(login::refused(no, &login)) };
        let mut session = self.connect().await?;
        let done = login::log_in(&mut session, &login, &another, &server).await;
        done.map_err(|no| login::refused(no, &login)).map(|()| session)
    }

    async fn connect(&mut self) -> Result<Session, OutletError> {
        let server = &self.config.server;
        let hello = match &self.config.hello_name {
            Some(name) => ClientId::Domain(name.clone()),
            None => ClientId::default(),
        };
        let mut stream = tls::connect(server).await?;
        let mut greeting = None;
        if server.encryption == Encryption::StartTls {
            greeting = Some(wire::start_tls(&mut stream, &hello.to_string(), server.timeout).await?);
            stream = tls::secure(server, stream).await?;
        }
        let wire = Box::new(Wire::new(stream, greeting));
        let opening = AsyncSmtpConnection::connect_with_transport(wire, &hello);
        let connection = answer(server.timeout, opening).await.map_err(greeting_failed)?;
        let handing_over = Arc::clone(&self.handing_over);
        let mut session = Session { connection, limit: server.timeout, size_limit: None, handing_over };
        session.size_limit = session.announced_size(&hello).await;
        self.size_limit = session.size_limit;
        Ok(session)
    }
}

fn greeting_failed(no: No) -> OutletError {
    let text = match no {
        No::Code { code, text } => format!("the server turns us away: {code} {text}"),
        No::Lost(text) => format!("no greeting from the server: {text}"),
    };
    OutletError::new(Stage::Greeting, text).hint("check host, port and ssl, and hello_name")
}

impl Session {
    /// Says one command and waits for its answer.
    async fn say(&mut self, command: impl Display) -> Result<Response, No> {
        answer(self.limit, self.connection.command(command)).await
    }

    /// Asks once more what the server offers: lettre keeps no SIZE (RFC 1870).
    async fn announced_size(&mut self, hello: &ClientId) -> Option<u64> {
        let offers = self.say(Ehlo::new(hello.clone())).await.ok()?;
        let size = offers.message().find_map(|line| line.strip_prefix("SIZE "))?;
        size.trim().parse().ok().filter(|limit| *limit > 0)
    }

    fn offers(&self, extension: Extension) -> bool {
        self.connection.server_info().supports_feature(extension)
    }

    async fn transaction(&mut self, from: Option<&EmailAddress>, to: &EmailAddress, bytes: &[u8]) -> End {
        let size = bytes.len() as u64;
        if let Some(limit) = self.size_limit.filter(|limit| size > *limit) {
            return End::Keep(too_large(size, limit));
        }
        let foreign = from.into_iter().chain([to]).any(|address| !address.as_str().is_ascii());
        if foreign && !self.offers(Extension::SmtpUtfEight) {
            let text = "the server takes no addresses outside ASCII (SMTPUTF8)".to_owned();
            return End::Keep(Outcome::Refused { code: 553, text });
        }
        let sender = self.sender(from, bytes, foreign);
        match self.say(sender).await {
            Ok(_) => self.after_sender(to, bytes).await,
            Err(no) => self.sender_refused(no).await,
        }
    }

    fn sender(&self, from: Option<&EmailAddress>, bytes: &[u8], foreign: bool) -> String {
        let mut command = format!("MAIL FROM:<{}>", from.map_or("", EmailAddress::as_str));
        if self.size_limit.is_some() {
            command += &format!(" SIZE={}", bytes.len());
        }
        if !bytes.is_ascii() && self.offers(Extension::EightBitMime) {
            command += " BODY=8BITMIME";
        }
        if foreign {
            command += " SMTPUTF8";
        }
        command + "\r\n"
    }

    async fn sender_refused(&mut self, no: No) -> End {
        match no {
            No::Lost(text) => End::Stale(text),
            No::Code { code: CLOSING, text } => End::Stale(text),
            No::Code { code: TOO_LARGE, text } => {
                self.reset(Outcome::Refused { code: TOO_LARGE, text }).await
            }
            No::Code { code, text } => {
                let error = OutletError::new(Stage::Sender, format!("the sender was refused: {code} {text}"));
                let hint = match WANTS_LOGIN.contains(&code) {
                    true => "the server wants a login: set user and a password",
                    false => {
                        "this login may not send from that address: check `from` and the mailbox's address"
                    }
                };
                self.reset(error.hint(hint).into()).await
            }
        }
    }

    async fn after_sender(&mut self, to: &EmailAddress, bytes: &[u8]) -> End {
        if let Err(no) = self.say(format!("RCPT TO:<{to}>\r\n")).await {
            return self.refused(no).await;
        }
        match self.say(Data).await {
            Ok(go) if go.has_code(354) => {}
            Ok(_) => return End::Drop(put_off(None, "the server answered DATA strangely")),
            Err(no) => return self.refused(no).await,
        }
        // lettre ends the mail with a CRLF of its own.
        let body = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        let handing = answer(self.limit * TRANSFER, self.connection.message(body));
        match super::over(&self.handing_over, handing).await {
            Ok(taken) => End::Keep(Outcome::Sent { reply: text_of(&taken) }),
            Err(no) => self.refused(no).await,
        }
    }

    /// Says what an answer means that came after the sender was accepted.
    async fn refused(&mut self, no: No) -> End {
        match no {
            No::Lost(text) => End::Drop(put_off(None, text)),
            No::Code { code: CLOSING, text } => End::Drop(put_off(Some(CLOSING), text)),
            No::Code { code, text } if WANTS_LOGIN.contains(&code) => {
                let error =
                    OutletError::new(Stage::Login, format!("the server wants a login: {code} {text}"));
                self.reset(error.hint("set user and a password for this outlet").into()).await
            }
            No::Code { code, text } if code >= 500 => self.reset(Outcome::Refused { code, text }).await,
            No::Code { code, text } => self.reset(put_off(Some(code), text)).await,
        }
    }

    /// Takes a transaction back, so that the connection can be used again.
    async fn reset(&mut self, outcome: Outcome) -> End {
        match self.say("RSET\r\n").await {
            Ok(_) => End::Keep(outcome),
            Err(_) => End::Drop(outcome),
        }
    }
}

fn put_off(code: Option<u16>, text: impl Into<String>) -> Outcome {
    Outcome::PutOff { code, text: text.into() }
}

/// Waits for an answer and parts refusals from losses.
async fn answer<T>(limit: Duration, waiting: impl Future<Output = Result<T, Error>>) -> Result<T, No> {
    match timeout(limit, waiting).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(e)) => Err(no(&e)),
        Err(_) => Err(No::Lost("the server says nothing".to_owned())),
    }
}

fn no(error: &Error) -> No {
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.status() {
        Some(code) => No::Code { code: code.into(), text: cut(&text) },
        None => No::Lost(cut(&text)),
    }
}

fn text_of(response: &Response) -> String {
    cut(&format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" ")))
}

/// Shortens what a server said, and takes out what no line may hold.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
