//! Logging in (RFC 4954).

use super::{No, Session, answer};
use crate::{
    config::{Auth, Login, Secret, SecretSource, Server},
    outlet::{OutletError, Stage},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};

/// Longest line that every server takes (RFC 5321, section 4.5.3.1.4).
const LINE_MAX: usize = 510;

/// Logs in with a password or a token.
pub(super) async fn log_in(
    session: &mut Session,
    login: &Login,
    secret: &Secret,
    server: &Server,
) -> Result<(), No> {
    let (user, token) = (&login.user, secret.reveal());
    match login.auth {
        Auth::Login | Auth::Plain => password(session, user, token).await,
        Auth::Xoauth2 => {
            let words = format!("user={user}\x01auth=Bearer {token}\x01\x01");
            bearer(session, "XOAUTH2", &words, "").await
        }
        Auth::Oauthbearer => {
            let (host, port) = (&server.host, server.port);
            let words = format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01");
            bearer(session, "OAUTHBEARER", &words, "\x01").await
        }
    }
}

async fn password(session: &mut Session, user: &str, password: &str) -> Result<(), No> {
    let credentials = Credentials::new(user.to_owned(), password.to_owned());
    let mechanisms = [Mechanism::Plain, Mechanism::Login];
    answer(session.limit, session.connection.auth(&mechanisms, &credentials)).await.map(drop)
}

/// Sends a token; a long one on a line of its own, since strict servers cut long command lines.
async fn bearer(session: &mut Session, mechanism: &str, words: &str, last: &str) -> Result<(), No> {
    let encoded = STANDARD.encode(words);
    let line = format!("AUTH {mechanism} {encoded}\r\n");
    let mut reply = if line.len() <= LINE_MAX {
        session.say(line).await?
    } else {
        session.say(format!("AUTH {mechanism}\r\n")).await?;
        session.say(format!("{encoded}\r\n")).await?
    };
    if reply.has_code(334) {
        // The server explains why it refuses and wants an answer before it does.
        reply = session.say(format!("{}\r\n", STANDARD.encode(last))).await?;
    }
    match reply.has_code(235) {
        true => Ok(()),
        false => Err(No::Code { code: 535, text: super::text_of(&reply) }),
    }
}

/// Says what a refused login means.
pub(super) fn refused(no: No, login: &Login) -> OutletError {
    let text = match no {
        No::Code { code, text } => format!("login of {} failed: {code} {text}", login.user),
        No::Lost(text) => format!("login of {} failed: {text}", login.user),
    };
    let hint = match (login.auth.takes_token(), &login.secret) {
        (true, SecretSource::Stored) => {
            format!("run `deskbell login {}` as {}, and check what it may do there", login.owner, login.user)
        }
        (true, _) => "the access token was refused: see what token_command prints".to_owned(),
        (false, _) => "check user and password, and that the connection is encrypted; \
                       many providers want an app password, or auth = \"xoauth2\""
            .to_owned(),
    };
    OutletError::new(Stage::Login, text).hint(hint)
}
