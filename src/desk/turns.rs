//! Requests with the same id take turns, so that a repeat finds what the first one did.

use crate::domain::RequestId;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The ids of the requests that are being carried out.
#[derive(Default)]
pub(super) struct Turns {
    taken: Mutex<BTreeSet<RequestId>>,
    over: Notify,
}

/// The right to carry out the request with an id, until it is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    id: RequestId,
}

impl Turns {
    /// Waits until nobody else carries out a request with this id.
    pub async fn wait(&self, id: &RequestId) -> Turn<'_> {
        loop {
            let over = self.over.notified();
            if self.taken().insert(id.clone()) {
                return Turn { turns: self, id: id.clone() };
            }
            over.await;
        }
    }

    fn taken(&self) -> MutexGuard<'_, BTreeSet<RequestId>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.taken().remove(&self.id);
        self.turns.over.notify_waiters();
    }
}
