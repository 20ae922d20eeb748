//! How long to wait before the next restart. Pure: uptime and dice are arguments.

use std::time::Duration;

/// Delays between restarts of one child: none for the first, then exponential
/// with jitter, and from the beginning again once the child has held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// Restarts tried at once before the first wait. A panic on one odd message
    /// costs its callers microseconds, not a wait.
    pub immediate: u32,
    /// The first wait.
    pub first: Duration,
    /// No wait is longer, jitter included.
    pub max: Duration,
    /// How much of a wait is left to chance, 0.0 to 1.0: 0.2 turns 10 s into 8 to
    /// 12 s, so that links to one broken server do not all come back at once.
    pub jitter: f64,
    /// A child that ran this long has recovered: its next failure is a first one.
    pub reset_after: Duration,
}

/// How many restarts one child has had since it last held out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Retries(u32);

// === impl Backoff ===

impl Backoff {
    /// No wait, ever: the restart budget is the only bound.
    pub const NONE: Self = Self {
        immediate: u32::MAX,
        first: Duration::ZERO,
        max: Duration::ZERO,
        jitter: 0.0,
        reset_after: Duration::ZERO,
    };

    /// Waits that double from `first` up to `max`; the rest by default.
    pub fn between(first: Duration, max: Duration) -> Self {
        Self { first, max, ..Self::default() }
    }

    /// The wait before try number `tried` (from 0), by a die that fell on `luck` in 0.0 to 1.0.
    fn wait(&self, tried: u32, luck: f64) -> Duration {
        let Some(doublings) = tried.checked_sub(self.immediate) else {
            return Duration::ZERO;
        };
        let exact = self.first.saturating_mul(2_u32.saturating_pow(doublings)).min(self.max);
        let jitter = self.jitter.clamp(0.0, 1.0);
        exact.mul_f64(1.0 - jitter + 2.0 * jitter * luck).min(self.max)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            immediate: 1,
            first: Duration::from_millis(100),
            max: Duration::from_secs(30),
            jitter: 0.2,
            reset_after: Duration::from_mins(1),
        }
    }
}

// === impl Retries ===

impl Retries {
    /// Counts one more, and says how long to wait before it. `uptime` is how long
    /// the child ran, if it came up at all.
    pub(crate) fn next(&mut self, backoff: &Backoff, uptime: Option<Duration>, luck: f64) -> Duration {
        if uptime.is_some_and(|uptime| uptime >= backoff.reset_after) {
            self.0 = 0;
        }
        let wait = backoff.wait(self.0, luck);
        self.0 = self.0.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXACT: Backoff = Backoff {
        immediate: 1,
        first: Duration::from_millis(100),
        max: Duration::from_secs(1),
        jitter: 0.0,
        reset_after: Duration::from_mins(1),
    };

    #[test]
    fn the_first_is_immediate_then_waits_double_up_to_the_bound() {
        let mut retries = Retries::default();
        let waits: Vec<u128> =
            (0..7).map(|_| retries.next(&EXACT, Some(Duration::ZERO), 0.5).as_millis()).collect();
        assert_eq!(waits, [0, 100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn a_child_that_held_out_starts_over() {
        let mut retries = Retries::default();
        let mut check = |uptime_s: Option<u64>, expected_ms| {
            let wait = retries.next(&EXACT, uptime_s.map(Duration::from_secs), 0.5);
            assert_eq!(wait.as_millis(), expected_ms);
        };
        check(Some(5), 0);
        check(Some(5), 100);
        check(None, 200);
        check(Some(60), 0);
        check(Some(59), 100);
    }

    #[test]
    fn none_never_waits() {
        let mut retries = Retries::default();
        assert!((0..100).all(|_| retries.next(&Backoff::NONE, None, 1.0).is_zero()));
    }

    proptest! {
        #[test]
        fn jitter_stays_around_the_wait_and_below_the_bound(
            tried in 0_u32..100, luck in 0.0_f64..1.0, jitter in 0.0_f64..1.0,
        ) {
            let exact = EXACT.wait(tried, 0.5).as_secs_f64();
            let wait = Backoff { jitter, ..EXACT }.wait(tried, luck).as_secs_f64();
            prop_assert!(wait >= exact * (1.0 - jitter) - 1e-6);
            prop_assert!(wait <= exact * (1.0 + jitter) + 1e-6);
            prop_assert!(wait <= EXACT.max.as_secs_f64() + 1e-6);
        }
    }
}
