//! The line between the screens and the desk: through a server that may go away and come back, or to a
//! desk in this very process.
//!
//! A change that was asked and not answered is asked again under the same id once the desk is there, so
//! that a lost answer never does anything twice.

use super::here::Here;
use super::serve::served_socket;
use super::session::{new_request_id, over_ssh};
use crate::desk::{Caller, Desk};
use crate::domain::{Call, Event, Fault, FaultKind, Request, Response, Via};
use crate::rpc::{Client, Events};
use crate::tui::{FromDesk, Link, Token};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// The first wait before the next try to reach the desk; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a desk is looked for that somebody else is just closing.
const PATIENCE: Duration = Duration::from_secs(10);

type Answer = (Token, Result<Response, Fault>);

/// Connects to the desk, and gives the line to it for the screens.
pub async fn attached(here: &Here) -> Result<Link, Fault> {
    let (client, events) = connect(here).await?;
    let (requests, asked) = mpsc::unbounded_channel();
    let (tell, inputs) = mpsc::unbounded_channel();
    let pump = Pump { here: here.clone(), tell, open: BTreeMap::new() };
    tokio::spawn(pump.run(asked, client, events));
    Ok(Link { requests, inputs })
}

async fn connect(here: &Here) -> Result<(Client, Events), Fault> {
    match &here.host {
        Some(host) => over_ssh(host, here.config.me.user.clone(), true).await,
        None => connect_here(here).await,
    }
}

/// Connects to the desk of this machine. A server that the lock still names may be about to end; then it is
/// looked again who serves.
async fn connect_here(here: &Here) -> Result<(Client, Events), Fault> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        match Client::connect(&served_socket(here).await?, Some(here.me()), true).await {
            Err(fault) if fault.kind == FaultKind::Unavailable && tokio::time::Instant::now() < until => {
                tokio::time::sleep(FIRST_WAIT).await;
            }
            done => return done,
        }
    }
}

struct Pump {
    here: Here,
    tell: mpsc::UnboundedSender<FromDesk>,
    /// Changes without an answer.
    open: BTreeMap<Token, Call>,
}

impl Pump {
    async fn run(
        mut self,
        mut asked: mpsc::UnboundedReceiver<(Token, Request)>,
        client: Client,
        events: Events,
    ) {
        let mut line = Some((client, events));
        while let Some((client, events)) = line.take() {
            if self.serve(&mut asked, client, events).await.is_none() {
                return;
            }
            line = self.reconnect(&mut asked).await;
        }
    }

    /// Passes requests, answers and events until the desk is gone; `None` when the screens are.
    async fn serve(
        &mut self,
        asked: &mut mpsc::UnboundedReceiver<(Token, Request)>,
        client: Client,
        mut events: Events,
    ) -> Option<()> {
        let (answer, mut answers) = mpsc::unbounded_channel::<Answer>();
        for (token, call) in self.open.clone() {
            ask(&client, token, call, &answer);
        }
        loop {
            tokio::select! {
                request = asked.recv() => {
                    let (token, request) = request?;
                    let call = self.call(token, request);
                    ask(&client, token, call, &answer);
                }
                Some((token, result)) = answers.recv() => self.answered(token, result)?,
                event = events.recv() => match event {
                    Some(event) => self.tell.send(FromDesk::Event(event)).ok()?,
                    None => {
                        // Answers that came before the end still count.
                        while let Ok((token, result)) = answers.try_recv() {
                            self.answered(token, result)?;
                        }
                        let reason = "it went away".to_owned();
                        return self.tell.send(FromDesk::Lost { reason }).ok();
                    }
                },
            }
        }
    }

    fn call(&mut self, token: Token, request: Request) -> Call {
        let change = request.is_change();
        let call = Call { id: new_request_id(), via: Via::Tui, request };
        if change {
            self.open.insert(token, call.clone());
        }
        call
    }

    fn answered(&mut self, token: Token, result: Result<Response, Fault>) -> Option<()> {
        let lost = matches!(&result, Err(fault) if fault.kind == FaultKind::Unavailable);
        if lost && self.open.contains_key(&token) {
            return Some(());
        }
        self.open.remove(&token);
        self.tell.send(FromDesk::Answer(token, result)).ok()
    }

    /// Tries to reach the desk until it is there; changes asked meanwhile wait. `None` when the screens are gone.
    async fn reconnect(
        &mut self,
        asked: &mut mpsc::UnboundedReceiver<(Token, Request)>,
    ) -> Option<(Client, Events)> {
        let mut wait = FIRST_WAIT;
        loop {
            let again = tokio::time::sleep(wait);
            tokio::pin!(again);
            loop {
                tokio::select! {
                    () = &mut again => break,
                    request = asked.recv() => {
                        let (token, request) = request?;
                        if request.is_change() {
                            self.call(token, request);
                        }
                    }
                }
            }
            match connect(&self.here).await {
                Ok(line) => {
                    self.tell.send(FromDesk::Back).ok()?;
                    return Some(line);
                }
                Err(fault) => {
                    tracing::warn!(%fault, "the desk cannot be reached");
                    self.tell.send(FromDesk::Lost { reason: fault.message }).ok()?;
                }
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

fn ask(client: &Client, token: Token, call: Call, answer: &mpsc::UnboundedSender<Answer>) {
    let (client, answer) = (client.clone(), answer.clone());
    tokio::spawn(async move {
        let result = client.ask(call).await;
        let _ = answer.send((token, result));
    });
}

/// Gives the line to a desk that this process owns; it ends with the screens.
pub fn local(desk: &Desk, caller: Caller) -> Link {
    let (requests, mut asked) = mpsc::unbounded_channel();
    let (tell, inputs) = mpsc::unbounded_channel();
    let mut events = desk.subscribe();
    let desk = desk.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                request = asked.recv() => match request {
                    Some((token, request)) => handle(&desk, &caller, token, request, &tell),
                    None => return,
                },
                event = events.recv() => {
                    let event = match event {
                        Ok(event) => event,
                        Err(RecvError::Lagged(_)) => Event::Missed,
                        Err(RecvError::Closed) => return,
                    };
                    if tell.send(FromDesk::Event(event)).is_err() {
                        return;
                    }
                }
            }
        }
    });
    Link { requests, inputs }
}

/// Answers one request; a slow one holds up no other.
fn handle(
    desk: &Desk,
    caller: &Caller,
    token: Token,
    request: Request,
    tell: &mpsc::UnboundedSender<FromDesk>,
) {
    let (desk, caller, tell) = (desk.clone(), caller.clone(), tell.clone());
    let call = Call { id: new_request_id(), via: Via::Tui, request };
    tokio::spawn(async move {
        let result = desk.handle(&caller, call).await;
        let _ = tell.send(FromDesk::Answer(token, result));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Paths};

    #[tokio::test]
    async fn a_desk_in_this_process_answers_tells_and_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths { config_file: dir.path().join("c"), data_dir: dir.path().join("desk") };
        let here =
            Here { paths, config: Config::default(), host: None, json: false, deeds: Default::default() };
        let _lock = here.place().try_lock().unwrap().unwrap();
        let desk = here.open_desk().await.unwrap();
        let Link { requests, mut inputs } =
            local(&desk, Caller { user: "alice".to_owned(), owns_desk: true });
        requests.send((Token(7), Request::AddProject { path: "acme/support".to_owned() })).unwrap();
        let (mut answered, mut told) = (false, false);
        while !(answered && told) {
            match inputs.recv().await.unwrap() {
                FromDesk::Answer(Token(7), Ok(Response::Project(project))) => {
                    answered = project.path == "acme/support";
                }
                FromDesk::Event(Event::Projects) => told = true,
                FromDesk::Event(_) => {}
                other => panic!("{other:?}"),
            }
        }
        drop(requests);
        while inputs.recv().await.is_some() {}
        desk.close().await.unwrap();
    }
}
