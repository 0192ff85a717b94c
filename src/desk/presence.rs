//! Presence: who is at which issue now. It lives as long as this process, and each entry as long as its connection.

use super::{Acting, Desk};
use crate::domain::{
    Attend, Event, Fault, IssueId, NoteId, Present, Response, Role, Writing, presence_holds,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many connections are remembered.
const SEATS: usize = 1_000;

/// Whoever is heard of again after so long is told of again.
const AGAIN: SignedDuration = SignedDuration::from_mins(3);

/// So often in a minute others are told of one connection; what it does beyond is seen with the next that is told.
const TOLD: u32 = 40;

/// Who sits where, by the number of the connection.
#[derive(Default)]
pub(super) struct Seats(Mutex<BTreeMap<u64, Seat>>);

struct Seat {
    user: String,
    issue: IssueId,
    writing: Writing,
    following: bool,
    note: Option<NoteId>,
    since: Timestamp,
    seen: Timestamp,
    /// How often others were told of it since this moment.
    told: (Timestamp, u32),
}

impl Seat {
    /// Counts that others are told; not if that was often enough.
    fn may_tell(&mut self) -> bool {
        let (from, told) = self.told;
        self.told = match self.seen.duration_since(from) >= SignedDuration::from_mins(1) {
            true => (self.seen, 1),
            false => (from, told.saturating_add(1)),
        };
        self.told.1 <= TOLD
    }
}

impl Seats {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Seat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where somebody is; tells whether others see a difference.
    fn take(&self, number: u64, mut seat: Seat) -> bool {
        let mut seats = self.lock();
        seats.retain(|_, known| presence_holds(known.seen, seat.seen));
        if seats.len() >= SEATS && !seats.contains_key(&number) {
            return false;
        }
        match seats.get_mut(&number) {
            Some(known) if known.issue == seat.issue && known.user == seat.user => {
                let heard = std::mem::replace(&mut known.seen, seat.seen);
                let does = (seat.writing, seat.following, seat.note);
                let differs = (known.writing, known.following, known.note) != does;
                (known.writing, known.following, known.note) = does;
                // Others count from when somebody was last heard of.
                (differs || seat.seen.duration_since(heard) >= AGAIN) && known.may_tell()
            }
            known => {
                seat.told = known.map_or(seat.told, |known| known.told);
                let tell = seat.may_tell();
                seats.insert(number, seat);
                tell
            }
        }
    }

    fn leave(&self, number: u64) -> bool {
        self.lock().remove(&number).is_some()
    }
}

impl Desk {
    /// Notes where a front end is, and tells the others.
    pub(super) async fn attend(&self, acting: &Acting, attend: Attend) -> Result<Response, Fault> {
        let changed = match &attend.reference {
            None => self.inner.seats.leave(attend.seat),
            Some(reference) => {
                let issue = self.resolve(&acting.rights, reference).await?;
                let (user, now) = (acting.user.name.clone(), acting.now);
                let (writing, following, note) = (attend.writing, attend.following, attend.note);
                let told = (now, 0);
                let seat = Seat { user, issue, writing, following, note, since: now, seen: now, told };
                self.inner.seats.take(attend.seat, seat)
            }
        };
        if changed {
            self.tell(Event::Status);
        }
        Ok(Response::Done)
    }

    /// Forgets a front end that is gone.
    pub fn left(&self, seat: u64) {
        if self.inner.seats.leave(seat) {
            self.tell(Event::Status);
        }
    }

    /// Lists who is at an issue, to those who work on it. Of several seats of one user at one issue, the busiest.
    pub(super) fn present(&self, acting: &Acting) -> Vec<Present> {
        let viewer = self.viewer(acting);
        let mut found: BTreeMap<(String, IssueId), Present> = BTreeMap::new();
        for seat in self.inner.seats.lock().values().filter(|seat| presence_holds(seat.seen, acting.now)) {
            let works = self.inner.index.projects_of(&[seat.issue]);
            let works = works.iter().any(|(_, project)| acting.rights.may(*project, Role::Reporter));
            let Some(row) = self.inner.index.row(seat.issue, &viewer).filter(|_| works) else { continue };
            let present = Present {
                user: seat.user.clone(),
                reference: row.reference,
                writing: seat.writing,
                following: seat.following,
                since: seat.since,
                seen: seat.seen,
                note: seat.note,
            };
            let known = found.entry((seat.user.clone(), seat.issue)).or_insert_with(|| present.clone());
            let following = known.following || present.following;
            if (present.writing, present.seen) > (known.writing, known.seen) {
                *known = present;
            }
            known.following = following;
        }
        found.into_values().collect()
    }
}
