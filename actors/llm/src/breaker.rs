//! A breaker per upstream: after some failures in a row nobody waits for it any more, until one call finds it well.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct Breaker {
    /// Failures in a row that open it.
    failures: u32,
    /// How long it stays open before one call may try.
    open: Duration,
    state: Mutex<State>,
}

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
    /// One that is closed.
    pub(crate) fn new(settings: cluster_config::models::Breaker) -> Self {
        Self {
            failures: settings.failures,
            open: Duration::from_secs(settings.open_seconds),
            state: Mutex::default(),
        }
    }

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
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        if state.failures >= self.breaker.failures {
            if state.open_until.is_none() {
                tracing::warn!(why, "an upstream is not asked for a while");
            }
            state.open_until = Some(now + self.breaker.open);
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
        let settings = cluster_config::models::Breaker { failures: 3, open_seconds: 7 };
        let (breaker, now, open) = (Breaker::new(settings), Instant::now(), Duration::from_secs(7));
        for _ in 1..3 {
            fail(&breaker, now);
        }
        breaker.enter(now).unwrap().answered();
        assert_eq!(breaker.health(now), Health::Well, "an answer in between begins anew");
        for _ in 0..3 {
            fail(&breaker, now);
        }
        assert_eq!(breaker.enter(now).err(), Some(open));
        assert_eq!(breaker.health(now), Health::Open(open, "down".into()));
        let later = now + open;
        let tries = breaker.enter(later).expect("one tries");
        assert!(breaker.enter(later).is_err(), "the others wait for it");
        drop(tries);
        let tries = breaker.enter(later).expect("what was given up was no try");
        tries.failed("still down", later);
        assert_eq!(breaker.enter(later).err(), Some(open));
        let latest = later + open;
        breaker.enter(latest).expect("one tries again").answered();
        assert!(breaker.enter(latest).is_ok() && breaker.health(latest) == Health::Well);
    }
}
