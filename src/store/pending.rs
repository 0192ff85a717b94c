//! What frames write, worked out before it is applied.

use super::frame::{StoredFrame, full_key};
use super::record::{Carried, Tree, text_key, verb_key};
use super::trees::{Trees, Writes};
use super::value::Value;
use super::{Store, StoreError};
use crate::domain::{RequestId, Seq, Verb};

/// One write: a full key, and what is to stand there.
pub(super) type Write = (Vec<u8>, Option<Vec<u8>>);

/// What frames write, before it is applied; it reads through to the trees.
pub(super) struct Pending<'a> {
    trees: &'a Trees,
    pub writes: Writes,
}

impl<'a> Pending<'a> {
    pub fn new(trees: &'a Trees) -> Self {
        Self { trees, writes: Writes::new() }
    }

    /// Gives the sequence that last wrote a key.
    pub fn written(&self, key: &[u8]) -> Result<Option<Seq>, StoreError> {
        Ok(self.stored(key)?.and_then(|stored| Some(Value::split(&stored)?.0)))
    }

    /// Gives how a request was carried out, if it was.
    pub fn carried(&self, request: &RequestId) -> Result<Option<Carried>, StoreError> {
        let stored = self.stored(&full_key(Tree::Requests as u8, &text_key(&request.0)))?;
        stored.as_deref().and_then(document).map(Store::decode).transpose()
    }

    /// Gives all that a frame writes, derived documents included.
    pub fn effects(&self, frame: &StoredFrame) -> Result<Vec<Write>, StoreError> {
        let mut effects = Vec::with_capacity(frame.puts.len() + frame.changes.len() + 3);
        for put in &frame.puts {
            effects.push((full_key(put.tree, &put.key), put.value().map(|value| value.join(frame.seq))));
        }
        for (key, document) in frame.derived()? {
            effects.push((key, Some(Value::Here(&document).join(frame.seq))));
        }
        if let Some(undone) = frame.deed.as_ref().and_then(|deed| deed.undoes) {
            effects.extend(self.undo(frame, undone)?);
        }
        Ok(effects)
    }

    /// Adds what a frame writes.
    pub fn add(&mut self, effects: Vec<Write>) {
        self.writes.extend(effects);
    }

    /// Gives what is to be written, and begins anew.
    pub fn take(&mut self) -> Writes {
        std::mem::take(&mut self.writes)
    }

    /// Marks a verb as taken back.
    fn undo(&self, frame: &StoredFrame, undone: Seq) -> Result<Option<Write>, StoreError> {
        let key = full_key(Tree::Verbs as u8, &verb_key(&frame.actor.user, undone));
        let before = self.stored(&key)?;
        let Some(document) = before.as_deref().and_then(document) else { return Ok(None) };
        // One that does not read is left as it is: a replay must always get through.
        let Ok(before) = Store::decode::<Verb>(document) else { return Ok(None) };
        let verb = Verb { undone_by: Some(frame.seq), ..before };
        Ok(Some((key, Some(Value::Here(&Store::encode(&verb)?).join(frame.seq)))))
    }

    fn stored(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.trees.get(key),
        }
    }
}

fn document(stored: &[u8]) -> Option<&[u8]> {
    Value::split(stored)?.1.here()
}
