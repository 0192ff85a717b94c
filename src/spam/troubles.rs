//! Which judges cannot be asked at present, since when, and why.

use crate::domain::Judge;
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

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
    /// Says why a judge is not to be asked now.
    pub fn pause(&self, judge: Judge) -> Option<String> {
        let all = self.all();
        let trouble = all.get(&judge)?;
        let paused = trouble.failures >= FAILURES_MAX && trouble.last.elapsed() < PAUSE;
        paused.then(|| format!("not asked for a minute, since it failed: {}", trouble.words))
    }

    /// Notes that a judge has answered.
    pub fn over(&self, judge: Judge) {
        self.all().remove(&judge);
    }

    /// Notes that a judge has failed.
    pub fn add(&self, judge: Judge, words: &str) {
        let (now, last) = (Timestamp::now(), Instant::now());
        let mut all = self.all();
        let trouble =
            all.entry(judge).or_insert(Trouble { since: now, words: String::new(), failures: 0, last });
        words.clone_into(&mut trouble.words);
        trouble.failures = trouble.failures.saturating_add(1);
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

    #[tokio::test(start_paused = true)]
    async fn a_judge_that_fails_again_and_again_is_left_alone_for_a_minute() {
        let troubles = Troubles::default();
        for _ in 0..2 {
            troubles.add(Judge::Akismet, "no answer");
            assert_eq!(troubles.pause(Judge::Akismet), None);
        }
        troubles.add(Judge::Akismet, "no answer");
        assert!(troubles.pause(Judge::Akismet).is_some_and(|words| words.ends_with("no answer")));
        assert_eq!(troubles.pause(Judge::Rspamd), None);
        tokio::time::advance(PAUSE).await;
        assert_eq!(troubles.pause(Judge::Akismet), None);
        troubles.add(Judge::Akismet, "503");
        assert!(troubles.pause(Judge::Akismet).is_some());
        assert_eq!(troubles.list().len(), 1);
        troubles.over(Judge::Akismet);
        assert_eq!((troubles.pause(Judge::Akismet), troubles.list()), (None, Vec::new()));
    }
}
