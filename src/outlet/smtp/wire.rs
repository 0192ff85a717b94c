//! The octets under lettre: our own connection, and the upgrade to TLS before lettre sees it.
//!
//! lettre's own TLS knows neither fingerprints nor the platform's trust and `ca_file` at once.

use crate::{
    outlet::{OutletError, Stage},
    tls::{MAY_WANT_TLS, Stream},
};
use lettre::transport::smtp::client::AsyncTokioStream;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadBuf},
    time::timeout,
};

/// Longest answer before TLS, in octets.
const ANSWER_MAX: u64 = 16 * 1024;

/// A connection as lettre wants it: one that greets, which a server does not do again after STARTTLS.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    greeting: Vec<u8>,
}

impl Wire {
    pub fn new(stream: Stream, greeting: Option<String>) -> Self {
        Self { stream, greeting: greeting.unwrap_or_default().into_bytes() }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let count = buf.remaining().min(self.greeting.len());
        let said: Vec<u8> = self.greeting.drain(..count).collect();
        buf.put_slice(&said);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What helps where a server that has greeted keeps silent.
const SILENT: &str = "check host and port";

/// Asks for TLS on a plain connection (RFC 3207); gives the greeting to repeat.
pub(super) async fn start_tls(
    stream: &mut Stream,
    hello: &str,
    limit: Duration,
) -> Result<String, OutletError> {
    let mut lines = BufReader::new(stream);
    let greeting = expect(&mut lines, "220", MAY_WANT_TLS, limit).await?;
    say(&mut lines, &format!("EHLO {hello}\r\n"), "250", limit).await?;
    say(&mut lines, "STARTTLS\r\n", "220", limit).await.map_err(|e| {
        OutletError { stage: Stage::Tls, ..e }
            .hint("the server offers no STARTTLS here; it may want ssl = true and port 465")
    })?;
    if !lines.buffer().is_empty() {
        // Whoever sits in between could have put it there (CVE-2011-0411).
        return Err(OutletError::new(Stage::Tls, "the server said something before TLS had begun"));
    }
    Ok(greeting)
}

async fn say(
    lines: &mut BufReader<&mut Stream>,
    command: &str,
    wanted: &str,
    limit: Duration,
) -> Result<String, OutletError> {
    let sent = timeout(limit, lines.write_all(command.as_bytes())).await;
    match sent {
        Ok(Ok(())) => expect(lines, wanted, SILENT, limit).await,
        Ok(Err(e)) => Err(OutletError::new(Stage::Greeting, format!("the connection broke: {e}"))),
        Err(_) => Err(silent(SILENT)),
    }
}

/// Reads one answer of one or more lines, and gives its last line. Where none comes, the hint says what helps.
async fn expect(
    lines: &mut BufReader<&mut Stream>,
    wanted: &str,
    hint: &str,
    limit: Duration,
) -> Result<String, OutletError> {
    let mut answer = (&mut *lines).take(ANSWER_MAX);
    let reading = async {
        loop {
            let mut line = Vec::new();
            answer.read_until(b'\n', &mut line).await?;
            // `250-` goes on, `250 ` ends.
            if line.get(3) != Some(&b'-') || !line.ends_with(b"\n") {
                return Ok::<_, io::Error>(line);
            }
        }
    };
    let line = timeout(limit, reading).await.map_err(|_| silent(hint))?;
    let line = line.map_err(|e| OutletError::new(Stage::Greeting, format!("the connection broke: {e}")))?;
    let text = String::from_utf8_lossy(&line).into_owned();
    match text.starts_with(wanted) && text.ends_with('\n') {
        true => Ok(text),
        false => {
            let words = super::cut(&text);
            Err(OutletError::new(Stage::Greeting, format!("the server answers `{words}`"))
                .hint("check host, port, ssl and start_tls"))
        }
    }
}

fn silent(hint: &str) -> OutletError {
    OutletError::new(Stage::Greeting, "the server says nothing before TLS").hint(hint)
}
