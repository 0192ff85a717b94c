//! Signing in with a browser on this machine (RFC 8252): the provider sends it back to a port of ours.
//!
//! Anybody on this machine can reach that port, and so can any page in the browser. So what comes there is
//! hostile: it is read within bounds and counts only with our `state`; a code is of use only to who knows
//! what its challenge was made from (RFC 7636).

use super::{
    Granted,
    provider::{Provider, bad_url, grant, refused, scopes},
};
use crate::config::{self, OAuth, SecretError};
use oauth2::{AuthUrl, AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl};
use reqwest::Url;
use std::{io, net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// How long whoever connects may take to say what it wants.
const PER_GUEST: Duration = Duration::from_secs(5);
/// Who is listened to at once.
const GUESTS: usize = 16;
/// Octets of a request that are read; a code has a few hundred, and some providers' have thousands.
const REQUEST_MAX: usize = 32 * 1024;

/// A sign-in that waits for a browser.
pub struct Browser {
    owner: String,
    provider: Provider,
    listener: TcpListener,
    page: String,
    redirect: RedirectUrl,
    state: CsrfToken,
    verifier: PkceCodeVerifier,
}

/// What a browser brings back.
#[derive(Debug, PartialEq, Eq)]
enum Brought {
    Code(String),
    /// The provider's word for it (RFC 6749, section 4.1.2.1), and its explanation.
    No(String, String),
}

/// What a request means.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Brought(Brought),
    /// Not for us: it changes nothing.
    Stray(u16),
}

impl Browser {
    /// Opens a port on the loopback, `port` or any, and makes the page to begin at; for the mailbox or outlet
    /// `owner` and the account `user`.
    pub async fn begin(oauth: &OAuth, owner: &str, user: &str, port: u16) -> Result<Self, SecretError> {
        let Some(url) = &oauth.auth_url else {
            return Err(failed(owner, "there is no auth_url", "set auth_url in `oauth`, or use --device"));
        };
        let provider = Provider::new(oauth).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.map_err(|e| no_port(owner, port, &e))?;
        let port = listener.local_addr().map_err(|e| no_port(owner, port, &e))?.port();
        let redirect = redirect(oauth.provider, port);
        let redirect = RedirectUrl::new(redirect.clone()).map_err(|_| bad_url(&redirect))?;
        let place = AuthUrl::new(url.clone()).map_err(|_| bad_url(url))?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let asking = provider.asking.clone().set_auth_uri(place).set_redirect_uri(redirect.clone());
        let request = asking.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge);
        let mut request = request.add_scopes(scopes(oauth)).add_extra_param("login_hint", user);
        if oauth.provider == config::Provider::Google {
            // Without both it gives nothing to renew the token with.
            request = request.add_extra_param("access_type", "offline").add_extra_param("prompt", "consent");
        }
        let (page, state) = request.url();
        let page = page.to_string();
        Ok(Self { owner: owner.to_owned(), provider, listener, page, redirect, state, verifier })
    }

    /// Gives the page to open in a browser.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// Gives the port that the browser comes back to.
    pub fn port(&self) -> u16 {
        self.listener.local_addr().map_or(0, |address| address.port())
    }

    /// Waits until the browser has come back, ten minutes at most.
    pub async fn wait(self) -> Result<Granted, SecretError> {
        let brought = timeout(PATIENCE, listen(&self.listener, self.state.secret())).await;
        let brought = brought.map_err(|_| {
            failed(&self.owner, "the browser did not come back", "run it again; over ssh, forward the port")
        })?;
        let code = match brought {
            Brought::Code(code) => AuthorizationCode::new(code),
            Brought::No(code, words) => {
                let refused = super::provider::Refused::Answered { words: format!("{code} {words}"), code };
                return Err(refused.while_signing_in(&self.owner));
            }
        };
        let asking = self.provider.asking.clone().set_redirect_uri(self.redirect);
        let asked = asking.exchange_code(code).set_pkce_verifier(self.verifier);
        let given = asked.request_async(&self.provider.web).await;
        given.map(|given| Granted(grant(&given))).map_err(|no| refused(no).while_signing_in(&self.owner))
    }
}

/// Gives the address that a provider sends the browser back to.
///
/// Microsoft takes any port at `localhost` only, RFC 8252 advises the number.
fn redirect(provider: config::Provider, port: u16) -> String {
    match provider {
        config::Provider::Microsoft => format!("http://localhost:{port}"),
        _ => format!("http://127.0.0.1:{port}"),
    }
}

fn failed(owner: &str, why: &str, hint: &str) -> SecretError {
    let message = format!("nobody was signed in for {owner}: {why}");
    SecretError { message, hint: hint.to_owned(), passing: false }
}

fn no_port(owner: &str, port: u16, error: &io::Error) -> SecretError {
    failed(owner, &format!("port {port} on this machine cannot be used: {error}"), "say another with --port")
}

/// Answers whoever comes until one brings what we wait for.
async fn listen(listener: &TcpListener, state: &str) -> Brought {
    let mut guests = JoinSet::new();
    loop {
        tokio::select! {
            came = listener.accept(), if guests.len() < GUESTS => match came {
                Ok((stream, _)) => {
                    let state = state.to_owned();
                    guests.spawn(async move { timeout(PER_GUEST, receive(stream, &state)).await });
                }
                // Too many open files, or a guest that left at once.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(done) = guests.join_next() => {
                if let Ok(Ok(Some(brought))) = done {
                    return brought;
                }
            }
        }
    }
}

async fn receive(mut stream: TcpStream, state: &str) -> Option<Brought> {
    let head = read_head(&mut stream).await?;
    let port = stream.local_addr().ok()?.port();
    let heard = understand(&head, state, port);
    let (status, words) = match &heard {
        Heard::Brought(Brought::Code(_)) => {
            ("200 OK", "Done. You can close this page and go back to deskbell.")
        }
        Heard::Brought(Brought::No(..)) => ("200 OK", "Nobody was signed in. deskbell says why."),
        Heard::Stray(404) => ("404 Not Found", "There is nothing here."),
        Heard::Stray(_) => {
            ("400 Bad Request", "This does not belong to the sign-in that deskbell waits for.")
        }
    };
    let body = format!("<!doctype html><meta charset=utf-8><title>deskbell</title><p>{words}");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    // Whether the page arrives changes nothing.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    match heard {
        Heard::Brought(brought) => Some(brought),
        Heard::Stray(_) => None,
    }
}

/// Reads the head of a request; `None` where it is too long or does not end.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut octets = Vec::new();
    let mut part = [0; 4096];
    while !octets.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut part).await.ok()?;
        octets.extend_from_slice(part.get(..count)?);
        if count == 0 || octets.len() > REQUEST_MAX {
            return None;
        }
    }
    String::from_utf8(octets).ok()
}

/// Tells what a request brings. Only what knows our state counts, a refusal as well.
fn understand(head: &str, state: &str, port: u16) -> Heard {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some("GET"), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Heard::Stray(400);
    };
    // A page from elsewhere may have pointed a name of its own at this machine.
    let host =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let ours = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    if !host.is_some_and(|(_, value)| ours.iter().any(|one| one.eq_ignore_ascii_case(value.trim()))) {
        return Heard::Stray(400);
    }
    let Some(url) = target.strip_prefix('/').and_then(|rest| Url::parse(&format!("http://x/{rest}")).ok())
    else {
        return Heard::Stray(400);
    };
    if url.path() != "/" {
        return Heard::Stray(404);
    }
    let field = |name: &str| {
        let mut found = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        // Said twice it is nobody's.
        found.next().filter(|_| found.next().is_none()).filter(|value| !value.is_empty())
    };
    if field("state").as_deref() != Some(state) {
        return Heard::Stray(400);
    }
    match (field("code"), field("error")) {
        (Some(code), None) => Heard::Brought(Brought::Code(code)),
        (None, Some(error)) => {
            let words = field("error_description").unwrap_or_default();
            Heard::Brought(Brought::No(crate::http::short(&error), crate::http::short(&words)))
        }
        _ => Heard::Stray(400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(target: &str) -> Heard {
        understand(&format!("GET {target} HTTP/1.1\r\nHost: localhost:7\r\nA: b\r\n\r\n"), "s3", 7)
    }

    #[test]
    fn only_what_knows_our_state_counts() {
        let code = |code: &str| Heard::Brought(Brought::Code(code.to_owned()));
        assert_eq!(heard("/?code=a%2Fb&state=s3&scope=x"), code("a/b"));
        assert_eq!(heard("/?state=s3&code=c"), code("c"));
        let no = |words: &str| Heard::Brought(Brought::No("access_denied".to_owned(), words.to_owned()));
        assert_eq!(heard("/?error=access_denied&state=s3"), no(""));
        assert_eq!(heard("/?error=access_denied&error_description=%0A%1bno+no&state=s3"), no("no no"));
        for target in [
            "/?code=c",
            "/?code=c&state=s4",
            "/?code=c&state=S3",
            "/?code=c&state=",
            "/?code=c&state=s3&state=s3",
            "/?code=c&code=d&state=s3",
            "/?code=c&error=e&state=s3",
            "/?state=s3",
            "/?error=access_denied",
            "/",
            "http://127.0.0.1:7/?code=c&state=s3",
            "*",
        ] {
            assert_eq!(heard(target), Heard::Stray(400), "{target}");
        }
        assert_eq!(heard("/favicon.ico?code=c&state=s3"), Heard::Stray(404));
    }

    #[test]
    fn what_is_no_request_to_this_port_is_turned_away() {
        for head in [
            "POST /?code=c&state=s3 HTTP/1.1\r\nHost: localhost:7\r\n\r\n",
            "GET /?code=c&state=s3 HTTP/2\r\nHost: localhost:7\r\n\r\n",
            "GET /?code=c&state=s3\r\nHost: localhost:7\r\n\r\n",
            "GET /?code=c&state=s3 HTTP/1.1 x\r\nHost: localhost:7\r\n\r\n",
            "GET /?code=c&state=s3 HTTP/1.1\r\nHost: evil.example:7\r\n\r\n",
            "GET /?code=c&state=s3 HTTP/1.1\r\nHost: localhost:8\r\n\r\n",
            "GET /?code=c&state=s3 HTTP/1.1\r\n\r\n",
            "",
        ] {
            assert_eq!(understand(head, "s3", 7), Heard::Stray(400), "{head:?}");
        }
    }
}
