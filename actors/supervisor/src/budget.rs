//! How often children may be restarted before their supervisor gives up.
//! Pure: the clock is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// More than `restarts` within `within`, and the supervisor gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts that are still in order.
    pub restarts: u32,
    /// The window in which they are counted.
    pub within: Duration,
}

/// The restarts of one supervisor within its window.
#[derive(Debug)]
pub(crate) struct Budget {
    intensity: Intensity,
    spent: VecDeque<Instant>,
}

/// One restart too many.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

// === impl Intensity ===

impl Intensity {
    /// At most `restarts` in `within`.
    pub const fn new(restarts: u32, within: Duration) -> Self {
        Self { restarts, within }
    }
}

impl Default for Intensity {
    /// OTP's own default is 1 in 5 s, which one bad request exceeds; 3 in 60 s
    /// still ends a loop of failures within its first seconds.
    fn default() -> Self {
        Self::new(3, Duration::from_mins(1))
    }
}

// === impl Budget ===

impl Budget {
    pub(crate) fn new(intensity: Intensity) -> Self {
        Self { intensity, spent: VecDeque::new() }
    }

    /// Takes one restart from the budget.
    pub(crate) fn spend(&mut self, now: Instant) -> Result<(), Exhausted> {
        while self.spent.front().is_some_and(|&then| now.duration_since(then) >= self.intensity.within) {
            self.spent.pop_front();
        }
        if self.spent.len() >= self.intensity.restarts as usize {
            return Err(Exhausted);
        }
        self.spent.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Spends at each of these seconds; the result says which were granted.
    fn check(restarts: u32, within_s: u64, at_s: &[u64], granted: &[bool]) {
        let start = Instant::now();
        let mut budget = Budget::new(Intensity::new(restarts, Duration::from_secs(within_s)));
        let got: Vec<bool> =
            at_s.iter().map(|&s| budget.spend(start + Duration::from_secs(s)).is_ok()).collect();
        assert_eq!(got, granted, "{restarts} in {within_s} s, spent at {at_s:?}");
    }

    #[test]
    fn more_than_the_budget_within_the_window_is_too_much() {
        check(0, 60, &[0], &[false]);
        check(1, 60, &[0, 1], &[true, false]);
        check(3, 60, &[0, 0, 0, 0], &[true, true, true, false]);
        check(3, 60, &[0, 20, 40, 59], &[true, true, true, false]);
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        check(1, 60, &[0, 60, 120], &[true, true, true]);
        check(3, 60, &[0, 20, 40, 61, 62], &[true, true, true, true, false]);
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_the_budget(
            restarts in 0_u32..5,
            within in 1_u64..50,
            mut at in prop::collection::vec(0_u64..200, 0..60),
        ) {
            at.sort_unstable();
            let start = Instant::now();
            let mut budget = Budget::new(Intensity::new(restarts, Duration::from_secs(within)));
            let granted: Vec<u64> = at
                .into_iter()
                .filter(|&s| budget.spend(start + Duration::from_secs(s)).is_ok())
                .collect();
            for &from in &granted {
                let held = granted.iter().filter(|&&s| s >= from && s < from + within).count();
                prop_assert!(held <= restarts as usize);
            }
        }
    }
}
