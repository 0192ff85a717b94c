//! What a folder holds for the desk beyond what it has, listed window by window: a list of a million mails takes seconds
//! and memory before the first of them comes.

use crate::source::{ImapSource, Listing, Selected, SourceError};
use std::collections::VecDeque;

/// So many UIDs are listed at once, while most of them are mails.
const WINDOW: u32 = 2000;

/// The mails that are still to be taken, as far as they are listed.
#[derive(Debug)]
pub(super) struct Ahead {
    listed: VecDeque<Listing>,
    /// Up to which UID they are listed.
    until: u32,
    /// The last UID there was when the folder was selected; what comes behind it is listed at once, as is all of a small
    /// folder.
    last: u32,
    window: u32,
    /// Mails that were listed so far.
    count: u64,
    exists: u32,
    whole: bool,
}

impl Ahead {
    /// Begins behind a UID.
    pub fn new(after: u32, selected: &Selected) -> Self {
        // Of few mails the list is short, however far their UIDs lie apart.
        let next = selected.uid_next.filter(|_| selected.exists > WINDOW);
        let last = next.map_or(0, |next| next.saturating_sub(1));
        Self {
            listed: VecDeque::new(),
            until: after,
            last,
            window: WINDOW,
            count: 0,
            exists: selected.exists,
            whole: false,
        }
    }

    /// Puts mails in front that are listed already.
    pub fn put_first(&mut self, listed: Vec<Listing>) {
        self.count += listed.len() as u64;
        listed.into_iter().rev().for_each(|listing| self.listed.push_front(listing));
    }

    /// Lists until so many mails are there or the folder is at its end.
    pub async fn fill(&mut self, source: &mut ImapSource, wanted: usize) -> Result<(), SourceError> {
        while !self.whole && self.listed.len() < wanted {
            let end = self.until.saturating_add(self.window);
            let bound = Some(end).filter(|end| *end < self.last);
            let mut found = source.list(self.until, bound).await?;
            if (found.len() as u64) < u64::from(self.window / 2) {
                // UIDs may have gaps of any size.
                self.window = self.window.saturating_mul(2);
            }
            self.whole = bound.is_none();
            self.until =
                found.last().map_or(self.until, |listing| listing.uid).max(bound.unwrap_or_default());
            found.retain(|listing| !listing.deleted);
            self.count += found.len() as u64;
            self.listed.extend(found);
        }
        Ok(())
    }

    /// Gives the mails that are listed and not taken.
    pub fn listed(&mut self) -> &[Listing] {
        self.listed.make_contiguous()
    }

    /// Takes the first mails.
    pub fn take(&mut self, mails: usize) -> Vec<Listing> {
        self.listed.drain(..mails.min(self.listed.len())).collect()
    }

    /// Lists nothing more, and forgets what is not taken.
    pub fn stop(&mut self) {
        self.listed.clear();
        self.whole = true;
    }

    /// Tells whether nothing is left to take.
    pub fn is_over(&self) -> bool {
        self.whole && self.listed.is_empty()
    }

    /// Counts the mails that there are to take, those that were taken included; a guess until all are listed.
    pub fn count(&self) -> u64 {
        let unlisted = u64::from(self.last.saturating_sub(self.until));
        let others = u64::from(self.exists).saturating_sub(self.count);
        self.count + if self.whole { 0 } else { unlisted.min(others) }
    }
}
