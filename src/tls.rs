//! Connections: resolving, connecting, and how we trust a server.
//!
//! Owns rustls and every decision about certificates, for `source` and `outlet` alike. Knows no mail
//! protocol; STARTTLS is spoken by the caller, who then hands the connection back to [`secure`].

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod patient;
mod trust;

pub use patient::Patient;

use crate::config::{Encryption, Server};
use std::{
    fmt,
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, pki_types::ServerName},
};

/// Longest time for one address of several; a dead one must not use up the patience for all.
const PER_ADDRESS: Duration = Duration::from_secs(15);

/// What helps where a server says nothing on a connection without TLS.
pub const MAY_WANT_TLS: &str = "this port may speak TLS from the start: set ssl = true and start_tls = false; \
                                else check host and port: the network or the server hangs";

/// How far a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Resolve,
    Connect,
    Tls,
}

/// A connection that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConnectError {
    pub stage: Stage,
    pub message: String,
    pub hint: Option<String>,
}

/// A connection to a server, protected or not.
#[derive(Debug)]
pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects to a server, by TLS where it is implicit.
///
/// Each step takes at most the server's `timeout`.
pub async fn connect(server: &Server) -> Result<Stream, ConnectError> {
    let addresses = resolve(server).await?;
    let stream = reach(server, &addresses).await?;
    match server.encryption {
        Encryption::Implicit => secure(server, Stream::Plain(stream)).await,
        Encryption::StartTls | Encryption::Plaintext => Ok(Stream::Plain(stream)),
    }
}

/// Gives the TLS settings for a client of web services: one provider, and the platform's trust.
pub fn web() -> Result<ClientConfig, ConnectError> {
    trust::web().map_err(|(message, hint)| ConnectError { stage: Stage::Tls, message, hint })
}

/// Finds the addresses of a server.
pub async fn resolve(server: &Server) -> Result<Vec<SocketAddr>, ConnectError> {
    let failed = |why: String| ConnectError {
        stage: Stage::Resolve,
        message: format!("{} has no address: {why}", server.host),
        hint: Some("check the spelling of host, and the network".to_owned()),
    };
    let bare = server.host.trim_start_matches('[').trim_end_matches(']');
    let found = timeout(server.timeout, lookup_host((bare, server.port))).await;
    let addresses: Vec<_> = found
        .map_err(|_| failed("no answer from the name server".to_owned()))?
        .map_err(|e| failed(e.to_string()))?
        .collect();
    if addresses.is_empty() { Err(failed("no such name".to_owned())) } else { Ok(addresses) }
}

/// Connects to the first address that answers.
async fn reach(server: &Server, addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
    let mut last = None;
    for address in addresses {
        match timeout(server.timeout.min(PER_ADDRESS), dial(*address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(e)) => last = Some(e),
            Err(_) => last = Some(io::Error::new(ErrorKind::TimedOut, "no answer")),
        }
    }
    let why = last.map_or(String::new(), |e| match e.kind() {
        ErrorKind::ConnectionRefused => "nothing listens on that port".to_owned(),
        ErrorKind::TimedOut => "no answer".to_owned(),
        _ => e.to_string(),
    });
    Err(ConnectError {
        stage: Stage::Connect,
        message: format!("{}:{} cannot be reached: {why}", server.host, server.port),
        hint: Some("check host and port, and whether a firewall lets it through".to_owned()),
    })
}

/// Opens a TCP connection that notices when the other side has vanished.
async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_keepalive(true)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Speaks TLS over an open connection and checks the server's certificate.
pub async fn secure(server: &Server, stream: Stream) -> Result<Stream, ConnectError> {
    let failed = |message: String, hint: Option<String>| ConnectError { stage: Stage::Tls, message, hint };
    let Stream::Plain(stream) = stream else { return Ok(stream) };
    let bare = server.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(bare)
        .map_err(|_| failed(format!("`{}` is not a name that a certificate can hold", server.host), None))?;
    let (config, seen) = trust::client(server).map_err(|(message, hint)| failed(message, hint))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match timeout(server.timeout, handshake).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Ok(Err(e)) => {
            Err(failed(format!("no TLS with {}: {e}", server.host), trust::cure(server, &e, &seen)))
        }
        Err(_) => Err(failed(
            format!("{}:{} says nothing to TLS", server.host, server.port),
            Some("on this port it may want start_tls = true and ssl = false".to_owned()),
        )),
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Tls(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}

impl Stream {
    /// Gives the address of the other side.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Plain(s) => s.peer_addr(),
            Self::Tls(s) => s.get_ref().0.peer_addr(),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "DNS",
            Self::Connect => "connection",
            Self::Tls => "TLS",
        })
    }
}
