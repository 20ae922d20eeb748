//! A breaker per upstream: after some failures in a row nobody waits for it any more, until one call finds it well.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that open it.
const FAILURES: u32 = 5;

/// How long it stays open before one call may try.
pub(crate) const OPEN: Duration = Duration::from_secs(15);

#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
    /// One call tries.
    trying: bool,
    last: Option<String>,
}

/// How an upstream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answers, as far as anybody knows.
    Well,
    /// It has failed so often in a row, at last with this.
    Failing(u32, String),
    /// It is not asked for so long, because of this.
    Open(Duration, String),
}

/// A call that may be made; how it went is told, or it counts as not made.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt<'a> {
    breaker: &'a Breaker,
    told: bool,
}

impl Breaker {
    /// Lets a call through, or says how long none is.
    pub(crate) fn enter(&self, now: Instant) -> Result<Attempt<'_>, Duration> {
        let mut state = self.state();
        if let Some(until) = state.open_until {
            if now < until {
                return Err(until - now);
            }
            if state.trying {
                return Err(Duration::from_secs(1));
            }
            state.trying = true;
        }
        Ok(Attempt { breaker: self, told: false })
    }

    pub(crate) fn health(&self, now: Instant) -> Health {
        let state = self.state();
        let last = || state.last.clone().unwrap_or_default();
        match state.open_until {
            Some(until) => Health::Open(until.saturating_duration_since(now), last()),
            None if state.failures > 0 => Health::Failing(state.failures, last()),
            None => Health::Well,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// It answered, be it with a refusal.
    pub(crate) fn answered(mut self) {
        self.told = true;
        *self.breaker.state() = State::default();
    }

    /// It did not.
    pub(crate) fn failed(mut self, why: &str, now: Instant) {
        self.told = true;
        let mut state = self.breaker.state();
        state.failures += 1;
        state.trying = false;
        state.last = Some(why.to_owned());
        if state.failures >= FAILURES {
            if state.open_until.is_none() {
                tracing::warn!(why, "an upstream is not asked for a while");
            }
            state.open_until = Some(now + OPEN);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.breaker.state().trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker, now: Instant) {
        breaker.enter(now).expect("it lets through").failed("down", now);
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_one_call_tries() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 1..FAILURES {
            fail(&breaker, now);
        }
        breaker.enter(now).unwrap().answered();
        assert_eq!(breaker.health(now), Health::Well, "an answer in between begins anew");
        for _ in 0..FAILURES {
            fail(&breaker, now);
        }
        assert_eq!(breaker.enter(now).err(), Some(OPEN));
        assert_eq!(breaker.health(now), Health::Open(OPEN, "down".into()));
        let later = now + OPEN;
        let tries = breaker.enter(later).expect("one tries");
        assert!(breaker.enter(later).is_err(), "the others wait for it");
        drop(tries);
        let tries = breaker.enter(later).expect("what was given up was no try");
        tries.failed("still down", later);
        assert_eq!(breaker.enter(later).err(), Some(OPEN));
        let latest = later + OPEN;
        breaker.enter(latest).expect("one tries again").answered();
        assert!(breaker.enter(latest).is_ok() && breaker.health(latest) == Health::Well);
    }
}
