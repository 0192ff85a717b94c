//! From nothing to a session: connect, greet, upgrade, log in.

use super::{
    Offers,
    answers::{Limit, cut, failed, hung_up, silent},
};
use crate::{
    config::{Auth, Encryption, ImapConfig, Login, Secret, SecretSource, Server},
    oauth::Tokens,
    source::{SourceError, Stage},
    tls::{self, Patient},
};
use async_imap::{
    Authenticator, Client, Session,
    error::Error,
    imap_proto::{Response, Status},
};
use tokio::time::timeout;

/// Connects and logs in. A token that is refused is renewed once and tried again, over a new connection.
pub(super) async fn open(
    config: &ImapConfig,
    tokens: &Tokens,
    limit: Limit,
) -> Result<(Session<Patient>, Offers), SourceError> {
    let client = connect(config, limit).await?;
    let secret = tokens.secret(&config.login).await?;
    let mut session = match log_in(client, config, &secret, limit).await {
        Err(refused) if refused.stage == Stage::Login => {
            let Some(another) = tokens.another(&config.login, &secret).await? else { return Err(refused) };
            log_in(connect(config, limit).await?, config, &another, limit).await?
        }
        session => session?,
    };
    let offers = look_around(&mut session, limit).await?;
    Ok((session, offers))
}

async fn connect(config: &ImapConfig, limit: Limit) -> Result<Client<Patient>, SourceError> {
    let stream = tls::connect(&config.server).await?;
    let mut client = Client::new(Patient::new(stream, limit.0));
    greeting(&mut client, limit).await.map_err(|e| unasked(e, &config.server))?;
    if config.server.encryption == Encryption::StartTls {
        client = upgrade(client, config, limit).await?;
    }
    Ok(client)
}

/// Says what it may be where a server waits for a client that speaks first: it expects TLS.
fn unasked(error: SourceError, server: &Server) -> SourceError {
    match (error.stage, server.encryption) {
        (Stage::Timeout, Encryption::StartTls | Encryption::Plaintext) => {
            let said = format!("{}:{} says nothing before TLS", server.host, server.port);
            SourceError::new(Stage::Timeout, said).hint(tls::MAY_WANT_TLS)
        }
        _ => error,
    }
}

async fn greeting(client: &mut Client<Patient>, limit: Limit) -> Result<(), SourceError> {
    let answer = timeout(limit.0, client.read_response()).await.map_err(|_| silent())?;
    let strange = |what: &str| {
        SourceError::new(Stage::Greeting, what.to_owned())
            .hint("check host, port and ssl: this does not look like an IMAP server")
    };
    let greeting = answer.map_err(|e| match failed(Stage::Greeting, Error::Io(e)) {
        e if e.stage == Stage::Timeout => e,
        _ => strange("the server does not speak IMAP"),
    })?;
    let greeting = greeting.ok_or_else(|| strange("the server hung up without a greeting"))?;
    match greeting.parsed() {
        Response::Data { status: Status::Ok, .. } => Ok(()),
        Response::Data { status: Status::Bye, outcome, .. } => {
            let words = cut(outcome.information.as_deref().unwrap_or_default());
            Err(SourceError::new(Stage::Greeting, format!("the server turns us away: {words}")))
        }
        _ => Err(strange("the server does not greet as an IMAP server does")),
    }
}

/// Upgrades to TLS; what was said before it is forgotten (RFC 3501, section 6.2.1).
async fn upgrade(
    mut client: Client<Patient>,
    config: &ImapConfig,
    limit: Limit,
) -> Result<Client<Patient>, SourceError> {
    limit.command(client.run_command_and_check_ok("STARTTLS", None)).await.map_err(|e| {
        SourceError { stage: if e.stage == Stage::Timeout { e.stage } else { Stage::Tls }, ..e }
            .hint("the server may want ssl = true instead of start_tls")
    })?;
    let plain = client.into_inner().into_inner();
    let stream = tls::secure(&config.server, plain).await?;
    Ok(Client::new(Patient::new(stream, limit.0)))
}

async fn log_in(
    client: Client<Patient>,
    config: &ImapConfig,
    secret: &Secret,
    limit: Limit,
) -> Result<Session<Patient>, SourceError> {
    let login = &config.login;
    // LOGIN has no charset; PLAIN is UTF-8 (RFC 4616).
    let ascii = login.user.is_ascii() && secret.reveal().is_ascii();
    let attempt = async {
        if login.auth == Auth::Login && ascii {
            return client.login(&login.user, secret.reveal()).await.map_err(|(e, _)| (e, String::new()));
        }
        let mut sasl = Sasl::new(login, secret, &config.server.host, config.server.port);
        let session = client.authenticate(sasl.mechanism, &mut sasl).await;
        session.map_err(|(e, _)| (e, cut(&sasl.complaint)))
    };
    let session = timeout(limit.0, attempt).await.map_err(|_| silent())?;
    session.map_err(|(e, complaint)| refused(e, &complaint, login))
}

fn refused(error: Error, complaint: &str, login: &Login) -> SourceError {
    let stage = if matches!(error, Error::No(_) | Error::Bad(_)) { Stage::Login } else { Stage::Command };
    let error = failed(stage, error);
    if error.stage != Stage::Login {
        return error;
    }
    let message = format!("login of {} failed: {} {complaint}", login.user, error.message);
    let hint = match (login.auth.takes_token(), &login.secret) {
        (true, SecretSource::Stored) => {
            format!("run `deskbell login {}` as {}, and check what it may do there", login.owner, login.user)
        }
        (true, _) => "the access token was refused: see what token_command prints".to_owned(),
        (false, _) => {
            "check user and password; many providers want an app password, or auth = \"xoauth2\"".to_owned()
        }
    };
    SourceError::new(Stage::Login, message.trim_end()).hint(hint)
}

/// Asks what the server offers, and says who we are where it cares (RFC 2971).
async fn look_around(session: &mut Session<Patient>, limit: Limit) -> Result<Offers, SourceError> {
    let offered = limit.command(session.capabilities()).await?;
    let offers = Offers {
        idle: offered.has_str("IDLE"),
        uidplus: offered.has_str("UIDPLUS"),
        moving: offered.has_str("MOVE"),
    };
    if offered.has_str("ID") {
        let us = [("name", Some("deskbell")), ("version", Some(env!("CARGO_PKG_VERSION")))];
        match timeout(limit.0, session.id(us)).await.map_err(|_| silent())? {
            Ok(_) | Err(Error::No(_) | Error::Bad(_)) => {}
            Err(Error::ConnectionLost) => return Err(hung_up(Stage::Command)),
            Err(e) => return Err(failed(Stage::Command, e)),
        }
    }
    Ok(offers)
}

/// One side of a SASL exchange: a first answer, and one to the server's complaint.
struct Sasl {
    mechanism: &'static str,
    first: Option<String>,
    last: &'static str,
    complaint: String,
}

impl Sasl {
    fn new(login: &Login, secret: &Secret, host: &str, port: u16) -> Self {
        let (user, secret) = (&login.user, secret.reveal());
        let (mechanism, first, last) = match login.auth {
            Auth::Xoauth2 => ("XOAUTH2", format!("user={user}\x01auth=Bearer {secret}\x01\x01"), ""),
            Auth::Oauthbearer => (
                "OAUTHBEARER",
                format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer {secret}\x01\x01"),
                "\x01",
            ),
            Auth::Login | Auth::Plain => ("PLAIN", format!("\0{user}\0{secret}"), ""),
        };
        Self { mechanism, first: Some(first), last, complaint: String::new() }
    }
}

impl Authenticator for &mut Sasl {
    type Response = String;

    fn process(&mut self, challenge: &[u8]) -> String {
        self.first.take().unwrap_or_else(|| {
            self.complaint = String::from_utf8_lossy(challenge).into_owned();
            self.last.to_owned()
        })
    }
}
