//! How many calls a caller, and all callers together, may make: governor's generic cell rate algorithm, one
//! limiter per tier, keyed by caller.
//!
//! A tier of N calls per window allows a burst of N and refills evenly, so a refusal lasts window/N and not, as
//! with the original's sliding log, up to a whole window. What is left is remembered, so that the ledger can
//! carry it over a restart.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cluster_config::{Tier, Tiers};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use jiff::Timestamp;
use protocol::{Code, Error};
use serde_json::json;

type Limiter = RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// The key of the bucket that all callers share.
pub(crate) const INSTANCE: &str = "";

/// Callers remembered per tier before those at rest are forgotten; tokens and uids are far fewer.
const CALLERS_MAX: usize = 4_096;

/// What was left to a caller when last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Calls that would have been admitted at once.
    pub remaining: u32,
    /// When.
    pub at: Timestamp,
}

/// The limits of all tiers, and what is left of them.
pub(crate) struct Rates {
    tiers: HashMap<String, Limit>,
    clock: DefaultClock,
}

struct Limit {
    limiter: Limiter,
    requests: u32,
    window: Duration,
    left: Mutex<HashMap<String, Left>>,
}

impl Rates {
    /// Fresh limits for `tiers`; a tier with 0 requests has none.
    pub(crate) fn new(tiers: &Tiers) -> Self {
        let tiers =
            tiers.iter().filter_map(|(name, tier)| Some((name.to_owned(), Limit::of(tier)?))).collect();
        Self { tiers, clock: DefaultClock::default() }
    }

    /// Counts one call of `caller` against the bucket of `tier`.
    ///
    /// # Errors
    /// -32001 with `retry_after_ms` when the bucket is empty; then nothing is counted.
    pub(crate) fn admit(&self, tier: &str, caller: &str) -> Result<(), Error> {
        let Some(limit) = self.tiers.get(tier) else { return Ok(()) };
        // The limiter is keyed by owned strings, and so is what is left: one allocation per limited call.
        let key = caller.to_owned();
        match limit.limiter.check_key(&key) {
            Ok(state) => {
                let left = Left { remaining: state.remaining_burst_capacity(), at: Timestamp::now() };
                limit.left().insert(key, left);
                Ok(())
            }
            Err(refusal) => {
                let wait = refusal.wait_time_from(self.clock.now());
                limit.left().insert(key, Left { remaining: 0, at: Timestamp::now() });
                Err(limit.refusal(tier, caller, wait))
            }
        }
    }

    /// How many calls a caller of `tier` may make within its window; `None` is as many as it likes.
    pub(crate) fn limit(&self, tier: &str) -> Option<u32> {
        self.tiers.get(tier).map(|limit| limit.requests)
    }

    /// How many calls `caller` could make at once now; `None` is as many as it likes.
    pub(crate) fn remaining(&self, tier: &str, caller: &str, now: Timestamp) -> Option<u32> {
        let limit = self.tiers.get(tier)?;
        let left = limit.left().get(caller).copied();
        Some(left.map_or(limit.requests, |left| limit.refilled(left, now)))
    }

    /// What is left in every bucket that was used: caller, tier, state.
    pub(crate) fn snapshot(&self) -> Vec<(String, String, Left)> {
        let mut all = Vec::new();
        for (tier, limit) in &self.tiers {
            let mut left = limit.left();
            if left.len() > CALLERS_MAX {
                let now = Timestamp::now();
                left.retain(|_, state| limit.refilled(*state, now) < limit.requests);
                limit.limiter.retain_recent();
            }
            all.extend(left.iter().map(|(caller, left)| (caller.clone(), tier.clone(), *left)));
        }
        all
    }

    /// Uses up of a fresh bucket what had been used up `then`, less what has come back since.
    pub(crate) fn restore(&self, caller: &str, tier: &str, then: Left, now: Timestamp) {
        let Some(limit) = self.tiers.get(tier) else { return };
        let remaining = limit.refilled(then, now);
        let Some(used) = NonZeroU32::new(limit.requests.saturating_sub(remaining)) else { return };
        // Cannot fail: no more than the burst of a bucket that nobody has used yet.
        let _ = limit.limiter.check_key_n(&caller.to_owned(), used);
        limit.left().insert(caller.to_owned(), Left { remaining, at: now });
    }
}

impl Limit {
    fn of(tier: &Tier) -> Option<Self> {
        let requests = NonZeroU32::new(tier.rate_limit_requests)?;
        let window = Duration::from_secs(tier.rate_limit_window_seconds.into());
        let quota = Quota::with_period(window / requests.get())?.allow_burst(requests);
        Some(Self {
            limiter: RateLimiter::keyed(quota).with_middleware(),
            requests: requests.get(),
            window,
            left: Mutex::default(),
        })
    }

    fn left(&self) -> std::sync::MutexGuard<'_, HashMap<String, Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refilled(&self, left: Left, now: Timestamp) -> u32 {
        let elapsed = Duration::try_from(now.duration_since(left.at)).unwrap_or_default();
        let back = elapsed.as_nanos() * u128::from(self.requests) / self.window.as_nanos().max(1);
        let total = u128::from(left.remaining) + back;
        u32::try_from(total).unwrap_or(u32::MAX).min(self.requests)
    }

    fn refusal(&self, tier: &str, caller: &str, wait: Duration) -> Error {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        let (requests, window) = (self.requests, self.window.as_secs());
        let whose = if caller == INSTANCE { "this instance" } else { "you" };
        Error::new(
            Code::RateLimited,
            format!(
                "Rate limit exceeded for tier {tier}: {requests} requests per {window} s for {whose}. \
                 Try again in {:.1} s.",
                wait.as_secs_f64()
            ),
        )
        .with_data(json!({
            "retry_after_ms": ms,
            "limit": requests,
            "window_seconds": window,
            "scope": if caller == INSTANCE { "instance" } else { "caller" },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free() -> Rates {
        Rates::new(&Tiers::default())
    }

    #[test]
    fn the_hundred_and_first_call_is_refused_with_a_time() {
        let rates = free();
        for call in 0..100 {
            assert!(rates.admit("FREE", "ann").is_ok(), "call {call}");
        }
        let refusal = rates.admit("FREE", "ann").unwrap_err();
        let wait = refusal.data.unwrap()["retry_after_ms"].as_u64().unwrap();
        assert!((1..=36_000).contains(&wait), "100 an hour come back every 36 s: {wait}");
        assert!(rates.admit("FREE", "bob").is_ok(), "one caller's bucket is not another's");
    }

    #[test]
    fn a_restart_gives_nothing_back_but_time_does() {
        let then: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-01-01T00:36:00Z".parse().unwrap();
        let rates = free();
        rates.restore("ann", "FREE", Left { remaining: 10, at: then }, then);
        assert_eq!(rates.remaining("FREE", "ann", then), Some(10));
        assert_eq!(rates.remaining("FREE", "ann", later), Some(70), "36 of 60 minutes bring 60 of 100");
        for _ in 0..10 {
            rates.admit("FREE", "ann").unwrap();
        }
        assert!(rates.admit("FREE", "ann").is_err());
    }

    #[test]
    fn zero_is_unlimited() {
        assert_eq!(free().remaining("NO_SUCH_LIMIT", "ann", Timestamp::now()), None);
        assert!(free().admit("NO_SUCH_LIMIT", "ann").is_ok());
    }
}
