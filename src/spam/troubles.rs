//! Which judges cannot be asked at present, since when, and why.

use crate::domain::Judge;
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// After this many failures in a row a judge is left alone for a while: mail must not wait for it again
/// and again.
const FAILURES_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_secs(60);

/// The troubles of all judges.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<BTreeMap<Judge, Trouble>>);

#[derive(Clone, Debug)]
struct Trouble {
    since: Timestamp,
    words: String,
    failures: u32,
    last: Instant,
}

impl Troubles {
    /// Says why a judge is not to be asked at this time.
    pub fn pause(&self, judge: Judge, now: Instant) -> Option<String> {
        let all = self.all();
        let trouble = all.get(&judge)?;
        let paused = trouble.failures >= FAILURES_MAX && now.saturating_duration_since(trouble.last) < PAUSE;
        paused.then(|| format!("not asked for a minute, since it failed: {}", trouble.words))
    }

    /// Notes that a judge has answered.
    pub fn over(&self, judge: Judge) {
        self.all().remove(&judge);
    }

    /// Notes that a judge has failed; `again` tells whether it would fail with other mail as well.
    pub fn add(&self, judge: Judge, words: &str, again: bool) {
        let (now, last) = (Timestamp::now(), Instant::now());
        let mut all = self.all();
        let trouble =
            all.entry(judge).or_insert(Trouble { since: now, words: String::new(), failures: 0, last });
        words.clone_into(&mut trouble.words);
        trouble.failures = trouble.failures.saturating_add(u32::from(again));
        trouble.last = last;
    }

    /// Lists the judges that failed when they were last asked.
    pub fn list(&self) -> Vec<(Judge, Timestamp, String)> {
        self.all().iter().map(|(judge, t)| (*judge, t.since, t.words.clone())).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Judge, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judge_that_fails_again_and_again_is_left_alone_for_a_minute() {
        let troubles = Troubles::default();
        let pause = |judge| troubles.pause(judge, Instant::now());
        for _ in 0..2 {
            troubles.add(Judge::Akismet, "no answer", true);
            assert_eq!(pause(Judge::Akismet), None);
        }
        troubles.add(Judge::Akismet, "no answer", true);
        assert!(pause(Judge::Akismet).is_some_and(|words| words.ends_with("no answer")));
        assert_eq!(pause(Judge::Rspamd), None);
        assert_eq!(troubles.pause(Judge::Akismet, Instant::now() + PAUSE), None);
        troubles.add(Judge::Akismet, "it answers 503", true);
        assert!(pause(Judge::Akismet).is_some());
        assert_eq!(troubles.list().len(), 1);
        troubles.over(Judge::Akismet);
        assert_eq!((pause(Judge::Akismet), troubles.list()), (None, Vec::new()));
    }

    #[test]
    fn a_mail_that_a_judge_does_not_take_is_no_reason_to_leave_it_alone() {
        let troubles = Troubles::default();
        (0..9).for_each(|_| troubles.add(Judge::Akismet, "invalid", false));
        assert_eq!((troubles.pause(Judge::Akismet, Instant::now()), troubles.list().len()), (None, 1));
    }
}
