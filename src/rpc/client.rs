//! The front end's side of the socket.

use super::wire::{Frame, PROTOCOL, Reader, Writer};
use crate::domain::{Call, Event, Fault, FaultKind, Response};
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

/// Events as they come in; ends when the server is gone.
pub type Events = mpsc::UnboundedReceiver<Event>;

type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Result<Response, Fault>>>>>>;

/// A connection to a desk; a cheap clone.
#[derive(Clone)]
pub struct Client {
    outgoing: mpsc::UnboundedSender<Frame>,
    waiting: Waiting,
    next: Arc<AtomicU64>,
    /// Who the desk takes the caller for.
    pub user: String,
    /// The server's process.
    pub pid: u32,
    /// The server's version.
    version: Arc<str>,
}

impl Client {
    /// Connects to a socket.
    pub async fn connect(path: &Path, user: Option<String>, events: bool) -> Result<(Self, Events), Fault> {
        let stream = UnixStream::connect(path).await.map_err(|error| {
            let words = format!("the desk at {} cannot be reached: {error}", path.display());
            Fault::new(FaultKind::Unavailable, words)
        })?;
        let (read, write) = stream.into_split();
        Self::over(read, write, user, events).await
    }

    /// Speaks over any pair of streams, such as those of an ssh process.
    pub async fn over<R, W>(
        read: R,
        write: W,
        user: Option<String>,
        events: bool,
    ) -> Result<(Self, Events), Fault>
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let mut reader = Reader::new(read);
        let mut writer = Writer::new(write);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let hello = Frame::Hello { protocol: PROTOCOL, version, user, events, fixed: false };
        writer.send(&hello).await.map_err(gone)?;
        let (user, pid, theirs) = match reader.receive().await.map_err(gone)? {
            Some(Frame::Welcome { user, pid, version, .. }) => (user, pid, version),
            Some(Frame::Refused(fault)) => return Err(fault),
            _ => return Err(gone("it ended the conversation")),
        };
        let (outgoing, queue) = mpsc::unbounded_channel();
        let (tell, heard) = mpsc::unbounded_channel();
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        tokio::spawn(write_all(writer, queue));
        tokio::spawn(read_all(reader, Arc::clone(&waiting), tell));
        let version = theirs.into();
        Ok((Self { outgoing, waiting, next: Arc::new(AtomicU64::new(1)), user, pid, version }, heard))
    }

    /// Asks, and waits for the answer. Fails with `Unavailable` when the server goes away first; the same
    /// call may then be asked again.
    pub async fn ask(&self, call: Call) -> Result<Response, Fault> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        match self.waiting.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(waiting) => waiting.insert(number, answer),
            None => return Err(gone("it went away")),
        };
        self.outgoing.send(Frame::Ask { number, call }).map_err(|_| gone("it went away"))?;
        answered.await.map_err(|_| self.hung_up())?
    }

    /// Says that the server left a call without an answer; one of before hangs up on what it does not know.
    fn hung_up(&self) -> Fault {
        let ours = env!("CARGO_PKG_VERSION");
        let fault = gone("it went away before it answered");
        match &*self.version == ours {
            true => fault,
            false => fault.hint(format!(
                "the running server is deskbell {}, you have {ours}: restart it, end `deskbell sync` and start it again",
                self.version
            )),
        }
    }
}

fn gone(why: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Unavailable, format!("the desk is gone: {why}"))
}

async fn write_all<W: AsyncWrite + Unpin>(mut writer: Writer<W>, mut queue: mpsc::UnboundedReceiver<Frame>) {
    while let Some(frame) = queue.recv().await {
        if writer.send(&frame).await.is_err() {
            return;
        }
    }
}

async fn read_all<R: AsyncRead + Unpin>(
    mut reader: Reader<R>,
    waiting: Waiting,
    tell: mpsc::UnboundedSender<Event>,
) {
    while let Ok(Some(frame)) = reader.receive().await {
        match frame {
            Frame::Answer { number, result } => {
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(answer) = waiting.as_mut().and_then(|w| w.remove(&number)) {
                    let _ = answer.send(result);
                }
            }
            Frame::Event(event) => {
                let _ = tell.send(event);
            }
            _ => {}
        }
    }
    // Everybody who still waits hears that the server is gone.
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
}
