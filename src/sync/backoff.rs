//! Waiting longer after each failure, never in step with others.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// A login that was refused is not tried often: servers lock accounts for that.
const FIRST_AFTER_REFUSED_LOGIN: Duration = Duration::from_secs(60);

/// How long to wait before the next try.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Begins anew.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Gives the wait after one more failure: doubled each time up to ten minutes, and up to a fifth more
    /// by chance.
    pub fn failed(&mut self, login_refused: bool) -> Duration {
        let first = if login_refused { FIRST_AFTER_REFUSED_LOGIN } else { FIRST };
        let wait = first.saturating_mul(2u32.saturating_pow(self.failures.min(16))).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        wait.mul_f64(1.0 + rand::random::<f64>() / 5.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_their_limit_and_start_anew_after_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..20).map(|_| backoff.failed(false)).collect();
        assert!(waits.first().unwrap() < &Duration::from_secs(3));
        assert!(waits.windows(2).take(6).all(|w| w[0] < w[1]));
        assert!(waits.iter().all(|w| *w <= LONGEST.mul_f64(1.2)));
        backoff.succeeded();
        assert!(backoff.failed(false) < Duration::from_secs(3));
        assert!(backoff.failed(true) > Duration::from_secs(100));
    }
}
