//! The server's side: accepts front ends, says who each is, and hands their requests to the desk.

use super::place::guard_socket;
use super::wire::{Frame, PROTOCOL, Reader, Writer};
use crate::domain::{Event, Fault, FaultKind, Request, Response, Via};
use futures_util::FutureExt;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, Semaphore, broadcast, mpsc};

/// How many requests of one front end are worked on at once.
const AT_ONCE: usize = 32;
/// How many frames may wait for a slow front end.
const BACKLOG: usize = 256;
/// How long nobody is let in after that failed.
const REST: Duration = Duration::from_millis(100);

/// An answer that is being worked on.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send>>;

/// What of an event is told.
pub type Knowing = Pin<Box<dyn Future<Output = Option<Event>> + Send>>;

/// What is served: who asks, and the desk behind it.
pub trait Serving: Send + Sync + 'static {
    /// Carries out a request of `user`.
    fn answer(&self, user: &str, owns_desk: bool, call: crate::domain::Call) -> Answering;

    /// Follows what changes.
    fn events(&self) -> broadcast::Receiver<Event>;

    /// Says that a front end is gone; by the number of its connection.
    fn left(&self, seat: u64);

    /// Gives of an event what `user` may know; `None` when that is nothing.
    fn event_for(&self, user: &str, owns_desk: bool, event: Event) -> Knowing;
}

/// A socket that serves a desk.
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
    shared: Arc<Shared>,
}

struct Shared {
    serving: Box<dyn Serving>,
    own_uid: u32,
    /// Who acts for the account that owns the desk, unless the client says otherwise.
    own_user: String,
    clients: AtomicUsize,
    used: AtomicBool,
    left: Notify,
    /// The number of the last connection.
    seats: AtomicU64,
}

impl Server {
    /// Binds the socket; what a dead server left there is removed. The caller holds the desk's lock.
    pub fn bind(
        path: &Path,
        group: Option<u32>,
        own_user: String,
        serving: Box<dyn Serving>,
    ) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        guard_socket(path, group)?;
        let shared = Arc::new(Shared {
            serving,
            own_uid: rustix::process::getuid().as_raw(),
            own_user,
            clients: AtomicUsize::new(0),
            used: AtomicBool::new(false),
            left: Notify::new(),
            seats: AtomicU64::new(0),
        });
        Ok(Self { listener, path: path.to_owned(), shared })
    }

    /// Accepts front ends until it is dropped.
    pub async fn run(&self) {
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                // Such as too many open files: that passes, and the mailboxes are served meanwhile.
                Err(error) => {
                    tracing::warn!(%error, "a front end could not be let in");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            };
            let shared = Arc::clone(&self.shared);
            shared.clients.fetch_add(1, Ordering::SeqCst);
            shared.used.store(true, Ordering::SeqCst);
            tokio::spawn(async move {
                if let Err(error) = serve(&shared, stream).await {
                    tracing::debug!(%error, "a front end went away");
                }
                shared.clients.fetch_sub(1, Ordering::SeqCst);
                shared.left.notify_waiters();
            });
        }
    }

    /// Counts the front ends that are connected.
    pub fn clients(&self) -> usize {
        self.shared.clients.load(Ordering::SeqCst)
    }

    /// Tells whether any front end ever connected, however short it stayed.
    pub fn was_used(&self) -> bool {
        self.shared.used.load(Ordering::SeqCst)
    }

    /// Waits until a front end leaves.
    pub async fn somebody_left(&self) {
        self.shared.left.notified().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(shared: &Arc<Shared>, stream: UnixStream) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let (read, write) = stream.into_split();
    let mut reader = Reader::new(read);
    let mut writer = Writer::new(write);
    let Some(hello) = reader.receive().await? else { return Ok(()) };
    let Peer { user, owns_desk, events, version: theirs } = match welcome(shared, uid, hello) {
        Ok(who) => who,
        Err(fault) => return writer.send(&Frame::Refused(fault)).await,
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    writer
        .send(&Frame::Welcome { protocol: PROTOCOL, version, user: user.clone(), pid: std::process::id() })
        .await?;
    let (outgoing, queue) = mpsc::channel(BACKLOG);
    let writing = tokio::spawn(write_all(writer, queue));
    let telling = events.then(|| {
        // Followed from here on, so that nothing is missed before the task runs.
        let news = shared.serving.events();
        tokio::spawn(tell(Arc::clone(shared), news, user.clone(), owns_desk, outgoing.clone()))
    });
    let result = take_requests(shared, (&user, owns_desk, &theirs), &mut reader, &outgoing).await;
    drop(outgoing);
    if let Some(telling) = telling {
        telling.abort();
    }
    writing.abort();
    result
}

/// Who speaks at the other end.
struct Peer {
    user: String,
    /// Whether they have the account that owns the desk, not only a key to it.
    owns_desk: bool,
    events: bool,
    version: String,
}

/// Says who a peer is, or why it is not served.
fn welcome(shared: &Shared, uid: u32, hello: Frame) -> Result<Peer, Fault> {
    let Frame::Hello { protocol, version, user, events, fixed } = hello else {
        return Err(Fault::usage("a front end has to say hello first"));
    };
    if protocol != PROTOCOL {
        let ours = env!("CARGO_PKG_VERSION");
        return Err(Fault::new(
            FaultKind::Refused,
            format!("this desk runs deskbell {ours}, you have {version}"),
        )
        .hint("use the same version on both sides"));
    }
    if uid == shared.own_uid {
        let user = user.unwrap_or_else(|| shared.own_user.clone());
        return Ok(Peer { user, owns_desk: !fixed, events, version });
    }
    let account = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).ok().flatten();
    let name = account.map(|account| account.name).ok_or_else(|| {
        Fault::new(FaultKind::NotAllowed, format!("the system knows no user with the number {uid}"))
    })?;
    Ok(Peer { user: name, owns_desk: false, events, version })
}

async fn take_requests<R: tokio::io::AsyncRead + Unpin>(
    shared: &Arc<Shared>,
    (user, owns_desk, version): (&str, bool, &str),
    reader: &mut Reader<R>,
    outgoing: &mpsc::Sender<Frame>,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let seat = Seat {
        shared: Arc::clone(shared),
        number: shared.seats.fetch_add(1, Ordering::SeqCst) + 1,
        places: Arc::clone(&places),
    };
    while let Some(frame) = reader.receive().await? {
        let (number, mut call) = match frame {
            Frame::Ask { number, call } => (number, call),
            Frame::Strange { number } => {
                let _ = outgoing.send(Frame::Answer { number, result: Err(unknown(version)) }).await;
                continue;
            }
            _ => continue,
        };
        if let Request::Attend(attend) = &mut call.request {
            attend.seat = seat.number;
        }
        if matches!(call.request, Request::SaveCursor(_)) || !matches!(call.via, Via::Tui | Via::Command) {
            call.via = Via::Command;
        }
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
        let answer = shared.serving.answer(user, owns_desk, call);
        let outgoing = outgoing.clone();
        tokio::spawn(async move {
            // Whoever asks would wait for ever for an answer that a panic took away.
            let broken = |_| Err(Fault::internal("the desk failed at this request; its log says more"));
            let result = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(broken);
            let _ = outgoing.send(Frame::Answer { number, result }).await;
            drop(place);
        });
    }
    Ok(())
}

/// Says that a newer front end asks for what this server does not know.
fn unknown(theirs: &str) -> Fault {
    let ours = env!("CARGO_PKG_VERSION");
    let words = match theirs == ours {
        true => format!("the running server is an older build of deskbell {ours} and does not know this"),
        false => {
            format!("the running server is older (deskbell {ours}, you have {theirs}) and does not know this")
        }
    };
    Fault::new(FaultKind::Refused, words).hint("restart it: end `deskbell sync` and start it again")
}

/// A connection; however it ends, the desk hears of it once nothing of it is worked on any more.
struct Seat {
    shared: Arc<Shared>,
    number: u64,
    places: Arc<Semaphore>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (shared, number, places) = (Arc::clone(&self.shared), self.number, Arc::clone(&self.places));
        tokio::spawn(async move {
            let all = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
            let _rest = places.acquire_many(all).await;
            shared.serving.left(number);
        });
    }
}

async fn write_all<W: tokio::io::AsyncWrite + Unpin>(
    mut writer: Writer<W>,
    mut queue: mpsc::Receiver<Frame>,
) {
    while let Some(frame) = queue.recv().await {
        if writer.send(&frame).await.is_err() {
            return;
        }
    }
}

async fn tell(
    shared: Arc<Shared>,
    mut events: broadcast::Receiver<Event>,
    user: String,
    owns_desk: bool,
    outgoing: mpsc::Sender<Frame>,
) {
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(broadcast::error::RecvError::Lagged(_)) => Event::Missed,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let Some(event) = shared.serving.event_for(&user, owns_desk, event).await else { continue };
        if outgoing.send(Frame::Event(event)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Call, RequestId};
    use crate::rpc::Client;

    struct Breaks;

    impl Serving for Breaks {
        fn answer(&self, _: &str, _: bool, _: Call) -> Answering {
            Box::pin(async { panic!("for the test") })
        }

        fn events(&self) -> broadcast::Receiver<Event> {
            broadcast::channel(1).1
        }

        fn left(&self, _: u64) {}

        fn event_for(&self, _: &str, _: bool, event: Event) -> Knowing {
            Box::pin(async move { Some(event) })
        }
    }

    /// Tells of every seat that is taken and left.
    struct Seats(mpsc::UnboundedSender<(u64, bool)>);

    impl Serving for Seats {
        fn answer(&self, _: &str, _: bool, call: Call) -> Answering {
            let Request::Attend(attend) = call.request else { panic!("{call:?}") };
            self.0.send((attend.seat, true)).unwrap();
            Box::pin(async { Ok(Response::Done) })
        }

        fn events(&self) -> broadcast::Receiver<Event> {
            broadcast::channel(1).1
        }

        fn left(&self, seat: u64) {
            let _ = self.0.send((seat, false));
        }

        fn event_for(&self, _: &str, _: bool, event: Event) -> Knowing {
            Box::pin(async move { Some(event) })
        }
    }

    #[tokio::test]
    async fn each_connection_has_a_seat_of_its_own_that_is_left_when_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let (told, mut seats) = mpsc::unbounded_channel();
        let server = Server::bind(&path, None, "alice".to_owned(), Box::new(Seats(told))).unwrap();
        let asking = async {
            let (first, events) = Client::connect(&path, None, false).await.unwrap();
            let (second, _events) = Client::connect(&path, None, false).await.unwrap();
            for client in [&first, &second] {
                // What a front end says of its seat does not count.
                let attend = crate::domain::Attend { seat: 99, ..Default::default() };
                let request = Request::Attend(attend);
                client.ask(Call { id: RequestId("r".to_owned()), via: Via::Tui, request }).await.unwrap();
            }
            drop((first, events));
            let mut all = Vec::new();
            while all.len() < 3 {
                all.push(seats.recv().await.unwrap());
            }
            all
        };
        let all = tokio::select! {
            all = asking => all,
            () = server.run() => panic!("it ended"),
        };
        assert!(all[0].0 != all[1].0 && all[0].1 && all[1].1, "{all:?}");
        assert!(all[2] == (all[0].0, false) || all[2] == (all[1].0, false), "{all:?}");
    }

    #[tokio::test]
    async fn a_newer_front_end_is_told_that_the_server_is_older() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let server = Server::bind(&path, None, "alice".to_owned(), Box::new(Breaks)).unwrap();
        let asking = async {
            let mut stream = UnixStream::connect(&path).await.unwrap();
            let version = "99.0.0".to_owned();
            let hello = Frame::Hello { protocol: PROTOCOL, version, user: None, events: false, fixed: false };
            let call = serde_json::json!({"id": "x", "via": "tui", "request": "dance"});
            let ask = serde_json::json!({"ask": {"number": 7, "call": call}});
            for octets in [crate::rpc::encode(&hello).unwrap(), rmp_serde::to_vec_named(&ask).unwrap()] {
                let length = u32::try_from(octets.len() + 5).unwrap().to_be_bytes();
                let chunk = [&length[..], &[0, 0, 0, 1, 1], &octets].concat();
                tokio::io::AsyncWriteExt::write_all(&mut stream, &chunk).await.unwrap();
            }
            let mut reader = Reader::new(stream);
            reader.receive().await.unwrap();
            reader.receive().await.unwrap()
        };
        let answer = tokio::select! {
            answer = asking => answer,
            () = server.run() => panic!("it ended"),
        };
        let Some(Frame::Answer { number: 7, result: Err(fault) }) = answer else { panic!("{answer:?}") };
        assert!(fault.message.contains("is older") && fault.message.contains("you have 99.0.0"), "{fault:?}");
        assert!(fault.hint.unwrap().contains("restart it"));
    }

    #[tokio::test]
    async fn a_request_that_breaks_the_desk_is_answered_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let server = Server::bind(&path, None, "alice".to_owned(), Box::new(Breaks)).unwrap();
        let asking = async {
            let (client, _events) = Client::connect(&path, None, false).await.unwrap();
            let call = || Call { id: RequestId("r".to_owned()), via: Via::Tui, request: Request::Undo };
            let first = client.ask(call()).await.unwrap_err();
            (first.kind, client.ask(call()).await.unwrap_err().kind)
        };
        let kinds = tokio::select! {
            kinds = asking => kinds,
            () = server.run() => panic!("it ended"),
        };
        assert_eq!(kinds, (FaultKind::Internal, FaultKind::Internal));
    }
}
