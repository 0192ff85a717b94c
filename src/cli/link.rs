//! The line between the screen and a desk in the same process.

use super::session::new_request_id;
use crate::desk::{Caller, Desk};
use crate::domain::{Call, Event, Request, Via};
use crate::tui::{FromDesk, Link, Token};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// Connects the screen to a desk that this process owns; ends with the screen.
pub fn local(desk: &Desk, caller: Caller) -> Link {
    let (requests, mut asked) = mpsc::unbounded_channel::<(Token, Request)>();
    let (tell, inputs) = mpsc::unbounded_channel();
    let mut events = desk.subscribe();
    let desk = desk.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                asked = asked.recv() => match asked {
                    Some((token, request)) => answer(&desk, &caller, token, request, &tell),
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
fn answer(
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
