//! A server that says what a script tells it to.

use std::{future::Future, net::SocketAddr};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A scripted server on a loopback port; it ends with the test.
pub struct Fake {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// One connection to a scripted server.
pub struct Line {
    stream: BufReader<TcpStream>,
}

impl Fake {
    /// Runs `script` for each connection, one after the other, with its number from 0.
    pub async fn start<S, F>(script: S) -> Self
    where
        S: Fn(Line, usize) -> F + Send + 'static,
        F: Future<Output = Option<()>> + Send,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                // `None` means that the client went away, which is the client's right.
                let _ = script(Line { stream: BufReader::new(stream) }, number).await;
            }
        });
        Self { address, task }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    /// Says something as it stands.
    pub async fn say(&mut self, text: &str) -> Option<()> {
        self.stream.write_all(text.as_bytes()).await.ok()
    }

    /// Hears one line, without its end.
    pub async fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        let count = self.stream.read_line(&mut line).await.ok()?;
        (count > 0).then(|| line.trim_end().to_owned())
    }

    /// Says nothing more, and waits until the client goes away.
    pub async fn fall_silent(&mut self) -> Option<()> {
        while self.hear().await.is_some() {}
        None
    }
}
