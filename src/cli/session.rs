//! How a command reaches the desk: through its server if it is served, else by itself under the lock.

use super::here::{Deeds, Here};
use crate::desk::{Caller, Desk};
use crate::domain::{Call, Fault, FaultKind, Request, RequestId, Response, Via};
use crate::rpc::{Client, Lock};
use std::process::Stdio;
use std::time::Duration;

/// How long a lock that is taken is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A way to ask the desk.
pub enum Session {
    Attached {
        client: Client,
        /// Where to look for the desk again when its server goes away.
        here: Box<Here>,
    },
    Own {
        desk: Box<Desk>,
        caller: Caller,
        /// Where it is noted that the desk was changed.
        deeds: Deeds,
        _lock: Lock,
    },
}

impl Session {
    /// Attaches to the desk, or opens it.
    pub async fn open(here: &Here) -> Result<Self, Fault> {
        if let Some(host) = &here.host {
            let (client, _) = over_ssh(host, here.config.me.user.clone(), false).await?;
            return Ok(Self::Attached { client, here: Box::new(here.clone()) });
        }
        let place = here.place();
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let owner = place.owner().map_err(|e| unusable(here, &e))?;
            if let Some(socket) = owner.as_ref().and_then(|owner| owner.socket.as_ref()) {
                match Client::connect(socket, Some(here.me()), false).await {
                    Ok((client, _)) => return Ok(Self::Attached { client, here: Box::new(here.clone()) }),
                    Err(fault) if fault.kind == FaultKind::Unavailable => {}
                    Err(fault) => return Err(fault),
                }
            }
            if let Some(lock) = place.try_lock().map_err(|e| unusable(here, &e))? {
                let desk = Box::new(here.open_desk().await?);
                return Ok(Self::Own {
                    desk,
                    caller: Caller { user: here.me(), owns_desk: true },
                    deeds: here.deeds.clone(),
                    _lock: lock,
                });
            }
            if tokio::time::Instant::now() >= until {
                let pid = owner.map_or(0, |owner| owner.pid);
                let words = format!("the desk is busy: process {pid} has had it for more than 10 seconds");
                return Err(
                    Fault::new(FaultKind::Unavailable, words).hint("wait for it to end, then try again")
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks the desk, and notes what it changed.
    pub async fn ask(&self, request: Request) -> Result<Response, Fault> {
        let changes = changes(&request);
        let answer = self.answer(request).await?;
        if changes {
            self.deeds().note();
        }
        Ok(answer)
    }

    fn deeds(&self) -> &Deeds {
        match self {
            Self::Attached { here, .. } => &here.deeds,
            Self::Own { deeds, .. } => deeds,
        }
    }

    /// Asks the desk. If its server goes away meanwhile, the same call is asked again where the desk is then.
    async fn answer(&self, request: Request) -> Result<Response, Fault> {
        let call = Call { id: new_request_id(), via: Via::Command, request };
        // What stands in this process cannot get lost, so nothing of it need be kept: it may be a large mail.
        if let Self::Own { desk, caller, .. } = self {
            return desk.handle(caller, call).await;
        }
        let mut answer = self.carry(call.clone()).await;
        if let Self::Attached { here, .. } = self {
            let until = tokio::time::Instant::now() + PATIENCE;
            while here.host.is_none() && is_lost(&answer) && tokio::time::Instant::now() < until {
                let session = Box::pin(Self::open(here)).await?;
                answer = session.carry(call.clone()).await;
                session.close().await;
            }
        }
        answer
    }

    async fn carry(&self, call: Call) -> Result<Response, Fault> {
        match self {
            Self::Attached { client, .. } => client.ask(call).await,
            Self::Own { desk, caller, .. } => desk.handle(caller, call).await,
        }
    }

    /// Tells whether a server reads the mailboxes and sends the outbox.
    pub fn is_served(&self) -> bool {
        matches!(self, Self::Attached { .. })
    }

    /// Leaves the desk in order.
    pub async fn close(self) {
        if let Self::Own { desk, .. } = self
            && let Err(fault) = desk.close().await
        {
            tracing::warn!(%fault, "the desk did not close well");
        }
    }
}

/// Tells whether a request changes the desk; one that only says what would happen does not.
fn changes(request: &Request) -> bool {
    let only_says = match request {
        Request::Deliver(deliver) => deliver.dry_run,
        Request::Redact(redact) => redact.dry_run,
        Request::Merge { dry_run, .. } => *dry_run,
        _ => false,
    };
    request.is_change() && !only_says
}

/// Tells whether the server went away before it answered.
fn is_lost(answer: &Result<Response, Fault>) -> bool {
    matches!(answer, Err(fault) if fault.kind == FaultKind::Unavailable)
}

/// Asks one thing and leaves.
pub async fn ask(here: &Here, request: Request) -> Result<Response, Fault> {
    let session = Session::open(here).await?;
    let answer = session.ask(request).await;
    session.close().await;
    answer
}

/// Gives the project that is meant where none is named: the only one that there is. Else asks `question`.
pub async fn only_project(here: &Here, question: &str, hint: &str) -> anyhow::Result<String> {
    match ask(here, Request::Projects).await? {
        Response::Projects(projects) => match projects.as_slice() {
            [only] => Ok(only.path.clone()),
            _ => Err(Fault::usage(question).hint(hint).into()),
        },
        other => Err(unexpected(&other).into()),
    }
}

/// Makes a number under which a repeat of a request is known.
pub fn new_request_id() -> RequestId {
    RequestId(format!("{:032x}", rand::random::<u128>()))
}

/// Says that the data dir cannot be used.
pub fn unusable(here: &Here, error: &std::io::Error) -> Fault {
    Fault::refused(format!("the data dir {} cannot be used: {error}", here.paths.data_dir.display()))
        .hint("check its owner and permissions, or say --data-dir DIR")
}

/// Says that an answer is not the one that belongs to the request.
pub fn unexpected(response: &Response) -> Fault {
    tracing::error!(?response, "unexpected answer");
    Fault::internal("the desk gave an unexpected answer").hint("use the same version on both sides")
}

/// Connects to the desk of another host through ssh.
pub async fn over_ssh(
    host: &str,
    user: Option<String>,
    events: bool,
) -> Result<(Client, crate::rpc::Events), Fault> {
    let (destination, port) = ssh_destination(host)?;
    let mut ssh = tokio::process::Command::new("ssh");
    if let Some(port) = port {
        ssh.args(["-p", port]);
    }
    ssh.args(["--", destination, "deskbell", "attach", "--stdio"]);
    let mut child = ssh
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| Fault::new(FaultKind::Unavailable, format!("ssh cannot be started: {e}")))?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Fault::internal("ssh has no streams"));
    };
    // The process lives as long as its streams do.
    tokio::spawn(async move {
        let _ = child.wait().await;
    });
    Client::over(output, input, user, events).await.map_err(|fault| {
        if fault.kind != FaultKind::Unavailable {
            return fault;
        }
        let words = format!("the desk at {host} does not answer: {fault}");
        Fault::new(FaultKind::Unavailable, words)
            .hint(format!("try `ssh {destination} deskbell status`; deskbell must be on the PATH there"))
    })
}

/// Reads `ssh://user@host:port`.
fn ssh_destination(host: &str) -> Result<(&str, Option<&str>), Fault> {
    let wrong = || Fault::usage(format!("`{host}` is not a host")).hint("write it as ssh://user@host");
    let rest = host.strip_prefix("ssh://").ok_or_else(wrong)?.trim_end_matches('/');
    let (destination, port) = match rest.rsplit_once(':') {
        Some((destination, port)) if port.parse::<u16>().is_ok() => (destination, Some(port)),
        Some(_) => return Err(wrong()),
        None => (rest, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    let fits = !destination.is_empty() && !destination.starts_with('-') && destination.chars().all(plain);
    if fits { Ok((destination, port)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::ssh_destination;

    #[test]
    fn a_host_can_carry_no_option_for_ssh() {
        assert_eq!(ssh_destination("ssh://a@b.example").unwrap(), ("a@b.example", None));
        assert_eq!(ssh_destination("ssh://a@b:22/").unwrap(), ("a@b", Some("22")));
        for bad in ["b.example", "ssh://", "ssh://-oProxyCommand=x", "ssh://a b", "ssh://a:b", "ssh://a;b"] {
            assert!(ssh_destination(bad).is_err(), "{bad}");
        }
    }
}
