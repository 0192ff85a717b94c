//! Serving: the process that owns the desk, reads its mailboxes and answers front ends.

use super::args::Sync as Asked;
use super::here::Here;
use super::session::{new_request_id, unusable};
use super::{display, log, print};
use crate::desk::{Caller, Desk, Rest};
use crate::domain::{Call, ChannelState, Event, Fault, FaultKind, Request, Response, SyncReport, Via};
use crate::rpc::{Answering, Client, Knowing, Lock, Owner, Server, Serving, relay};
use crate::sync::{self, Plan};
use anyhow::Result;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// How long a server that ends when it is no longer used waits for its first front end.
const FIRST_CLIENT: Duration = Duration::from_secs(30);
/// How long a server may take to start or to step down.
const PATIENCE: Duration = Duration::from_secs(10);

/// The desk behind a socket.
struct Served {
    desk: Desk,
    stop: CancellationToken,
    while_used: bool,
}

impl Serving for Served {
    fn answer(&self, user: &str, owns_desk: bool, call: Call) -> Answering {
        let desk = self.desk.clone();
        let caller = Caller { user: user.to_owned(), owns_desk };
        if call.request == Request::StepDown {
            let (stop, while_used) = (self.stop.clone(), self.while_used);
            return Box::pin(async move {
                if !(while_used && owns_desk) {
                    return Err(Fault::refused(format!("a sync already runs (pid {})", std::process::id())));
                }
                stop.cancel();
                Ok(Response::Done)
            });
        }
        Box::pin(async move { desk.handle(&caller, call).await })
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.desk.subscribe()
    }

    fn left(&self, seat: u64) {
        self.desk.left(seat);
    }

    fn event_for(&self, user: &str, owns_desk: bool, event: Event) -> Knowing {
        let (desk, caller) = (self.desk.clone(), Caller { user: user.to_owned(), owns_desk });
        Box::pin(async move { desk.event_for(&caller, event).await })
    }
}

/// `deskbell sync`.
pub async fn sync(here: &Here, asked: &Asked) -> Result<u8> {
    if let Some(why) = here.without_one().filter(|_| !asked.while_used) {
        print::aside(format_args!("note: {why}"));
    }
    if asked.once {
        return once(here).await;
    }
    if asked.while_used {
        // A session of its own, so that the terminal's signals do not reach it.
        let _ = rustix::process::setsid();
    }
    let mut lock = take_over(here, asked.while_used).await?;
    let _log = log::begin(&here.paths.data_dir, "sync");
    log::panics();
    let desk = here.open_desk().await?;
    desk.board().settle(here.paths.data_dir.clone(), true, asked.while_used);
    let stop = CancellationToken::new();
    let served = Served { desk: desk.clone(), stop: stop.clone(), while_used: asked.while_used };
    let socket = here.place().socket();
    let group = socket_group(here)?;
    here.place().admit(group).map_err(|e| unusable(here, &e))?;
    let server = Server::bind(&socket, group, here.me(), Box::new(served)).map_err(|e| unusable(here, &e))?;
    lock.name(Some(&socket)).map_err(|e| unusable(here, &e))?;
    tracing::info!(pid = std::process::id(), socket = %socket.display(), "serving");
    if !asked.while_used {
        print::aside(format_args!(
            "deskbell serves {} (pid {})",
            here.paths.data_dir.display(),
            std::process::id()
        ));
    }
    tell_systemd("READY=1");
    let plan = Plan::of(&here.config, &here.paths.data_dir);
    let loops = {
        let (desk, stop) = (desk.clone(), stop.clone());
        tokio::spawn(async move { sync::run(&desk, &plan, &stop).await })
    };
    tokio::select! {
        () = until_stopped(&stop) => {}
        () = until_unused(&server, &desk, asked.while_used) => {}
        () = server.run() => {}
        () = report_to_systemd(here, &desk) => {}
        () = display::progress(&desk) => {}
    }
    display::clear();
    tracing::info!("ending");
    tell_systemd("STOPPING=1");
    stop.cancel();
    desk.say_goodbye();
    // Mails on their way are settled first, so that none is sent twice.
    let _ = tokio::time::timeout(PATIENCE, loops).await;
    drop(server);
    desk.close().await?;
    tracing::info!("ended");
    // Requests that are still worked on have the desk open: the lock goes with the process.
    std::mem::forget(lock);
    Ok(0)
}

async fn until_stopped(stop: &CancellationToken) {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return stop.cancelled().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        () = stop.cancelled() => {}
    }
}

/// Waits until the last front end has left and nothing is held or due.
async fn until_unused(server: &Server, desk: &Desk, while_used: bool) {
    if !while_used {
        return std::future::pending().await;
    }
    let begun = tokio::time::Instant::now();
    loop {
        let waited = server.was_used() || begun.elapsed() > FIRST_CLIENT;
        if waited && server.clients() == 0 && !desk.has_mail_due() {
            return;
        }
        tokio::select! {
            () = server.somebody_left() => {}
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
    }
}

/// Takes the lock; a server that only runs while it is used steps down for that.
async fn take_over(here: &Here, while_used: bool) -> Result<Lock> {
    let place = here.place();
    if let Some(lock) = place.try_lock().map_err(|e| unusable(here, &e))? {
        return Ok(lock);
    }
    let owner = place.owner().map_err(|e| unusable(here, &e))?;
    if let Some(Owner { pid, socket: Some(socket) }) = &owner {
        if while_used {
            return Err(Fault::refused(format!("a sync already runs (pid {pid})")).into());
        }
        let (client, _) = Client::connect(socket, Some(here.me()), false).await?;
        client.ask(Call { id: new_request_id(), via: Via::Command, request: Request::StepDown }).await?;
    }
    match place.wait_for_lock(PATIENCE).await.map_err(|e| unusable(here, &e))? {
        Some(lock) => Ok(lock),
        None => {
            let pid = owner.map_or(0, |owner| owner.pid);
            Err(Fault::refused(format!("the desk is in use by process {pid}")).into())
        }
    }
}

/// `deskbell sync --once`.
async fn once(here: &Here) -> Result<u8> {
    let place = here.place();
    let lock = place.wait_for_lock(PATIENCE).await.map_err(|e| unusable(here, &e))?;
    let Some(_lock) = lock else {
        let pid = place.owner().ok().flatten().map_or(0, |owner| owner.pid);
        return Err(Fault::refused(format!("a sync already runs (pid {pid})"))
            .hint("it looks into the mailboxes by itself")
            .into());
    };
    let _log = log::begin(&here.paths.data_dir, "sync");
    let plan = Plan::of(&here.config, &here.paths.data_dir);
    let restored = here.restored_mark().try_exists().unwrap_or(true);
    let mut connections = sync::Connections::new();
    if let Some(rest) = Rest::of(&here.paths.data_dir).filter(|_| !restored) {
        match sync::look(&rest, &plan).await {
            sync::Look::Open(there) => connections = there,
            sync::Look::NothingNew(report) => {
                print::sync_report(here, &report, &[])?;
                return Ok(0);
            }
        }
    }
    let desk = here.open_desk().await?;
    desk.board().settle(here.paths.data_dir.clone(), true, false);
    let report = tokio::select! {
        report = sync::once(&desk, &plan, connections) => report,
        () = display::progress(&desk) => SyncReport::default(),
    };
    display::clear();
    let (_, mut outlets, _) = desk.glance();
    desk.close().await?;
    here.deeds.note();
    outlets.retain(|outlet| outlet.state == ChannelState::Failing);
    print::sync_report(here, &report, &outlets)?;
    let failed = !outlets.is_empty() || report.mailboxes.iter().any(|m| m.error.is_some());
    let done = report.outbox.sent > 0 || report.mailboxes.iter().any(|m| m.error.is_none());
    Ok(match (failed, done) {
        (false, _) => 0,
        (true, true) => 3,
        (true, false) => 1,
    })
}

/// `deskbell attach --stdio`.
pub async fn attach(here: &Here, user: Option<String>) -> Result<u8> {
    let socket = served_socket(here).await?;
    let stream = tokio::net::UnixStream::connect(&socket).await?;
    let (read, write) = stream.into_split();
    relay(tokio::io::stdin(), tokio::io::stdout(), read, write, user).await?;
    Ok(0)
}

/// Gives the socket of the desk; where none is served, a server is started that ends when it is not used.
pub async fn served_socket(here: &Here) -> Result<PathBuf, Fault> {
    let place = here.place();
    let mut started: Option<std::process::Child> = None;
    let until = tokio::time::Instant::now() + PATIENCE * 3;
    loop {
        let owner = place.owner().map_err(|e| unusable(here, &e))?;
        if let Some(socket) = owner.as_ref().and_then(|owner| owner.socket.clone()) {
            return Ok(socket);
        }
        match &mut started {
            None if owner.is_none() => started = Some(start_server(here)?),
            None => {}
            Some(child) => {
                if let Ok(Some(status)) = child.try_wait()
                    && owner.is_none()
                {
                    return Err(start_failed(here, status.success()));
                }
            }
        }
        if tokio::time::Instant::now() > until {
            return Err(Fault::new(FaultKind::Unavailable, "the desk does not start")
                .hint("`deskbell doctor` says why"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn start_log(here: &Here) -> PathBuf {
    here.paths.data_dir.join("logs").join("start.txt")
}

fn start_server(here: &Here) -> Result<std::process::Child, Fault> {
    here.place().prepare().map_err(|e| unusable(here, &e))?;
    let log = start_log(here);
    let output = log
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::File::create(&log))
        .map_err(|e| unusable(here, &e))?;
    let program = std::env::current_exe().map_err(|e| Fault::internal(e.to_string()))?;
    std::process::Command::new(program)
        // Not as an option, which demands that the file is there.
        .env("DESKBELL_CONFIG", &here.paths.config_file)
        .arg("--data-dir")
        .arg(&here.paths.data_dir)
        .args(["sync", "--while-used"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .spawn()
        .map_err(|e| Fault::internal(format!("the desk cannot be started: {e}")))
}

/// Says in the server's own words why it did not start.
fn start_failed(here: &Here, quietly: bool) -> Fault {
    let text = std::fs::read_to_string(start_log(here)).unwrap_or_default();
    let line = |word: &str| text.lines().find_map(|l| l.strip_prefix(word)).map(str::to_owned);
    let words = line("error: ").unwrap_or_else(|| match quietly {
        true => "the desk ended as soon as it started".to_owned(),
        false => text.lines().last().unwrap_or("the desk could not start").to_owned(),
    });
    let fault = Fault::new(FaultKind::Refused, words);
    match line("hint: ") {
        Some(hint) => fault.hint(hint),
        None => fault.hint("`deskbell doctor` looks at everything"),
    }
}

fn socket_group(here: &Here) -> Result<Option<u32>, Fault> {
    let Some(name) = here.config.serve.socket_group.as_deref().filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let group = nix::unistd::Group::from_name(name).ok().flatten();
    group.map(|group| Some(group.gid.as_raw())).ok_or_else(|| {
        Fault::usage(format!("the system has no group `{name}`")).hint("correct socket_group in [serve]")
    })
}

/// Tells systemd about this service (sd_notify(3)); elsewhere this does nothing.
fn tell_systemd(words: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty()) else { return };
    let Ok(socket) = UnixDatagram::unbound() else { return };
    let sent = match path.to_str().and_then(|path| path.strip_prefix('@')) {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            std::os::unix::net::SocketAddr::from_abstract_name(name)
                .and_then(|address| socket.send_to_addr(words.as_bytes(), &address))
        }
        _ => socket.send_to(words.as_bytes(), &path),
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// Keeps systemd's status line true.
async fn report_to_systemd(here: &Here, desk: &Desk) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return std::future::pending().await;
    }
    let mut events = desk.subscribe();
    loop {
        let line = print::one_line(&desk.glance(), here.config.serve.stale_after, desk.now());
        tell_systemd(&format!("STATUS={line}"));
        tokio::time::sleep(Duration::from_secs(1)).await;
        while !matches!(events.recv().await, Ok(Event::Status | Event::Outbox | Event::Missed) | Err(_)) {}
    }
}
