//! One configured model as it is called: its provider's protocol, its connections, how many may use it at one time, and
//! how it has been.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cluster_config::models::{Model, Provider};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::breaker::{Breaker, Health};
use crate::connections::Connections;
use crate::failure::{Failure, Kind};
use crate::quota::Price;
use crate::wire::Protocol;

pub(crate) struct Upstream {
    /// The name that callers use.
    pub(crate) alias: String,
    pub(crate) model: Model,
    pub(crate) protocol: Protocol,
    pub(crate) connections: Connections,
    pub(crate) breaker: Breaker,
    places: Semaphore,
    waiting: AtomicUsize,
}

/// One that waits, until it has a place or gives up.
struct Waiting<'a>(&'a AtomicUsize);

impl Upstream {
    pub(crate) fn new(alias: &str, model: &Model, connections: Connections) -> Self {
        Self {
            alias: alias.to_owned(),
            protocol: protocol(model.provider),
            connections,
            breaker: Breaker::new(model.breaker),
            places: Semaphore::new(model.concurrency as usize),
            waiting: AtomicUsize::new(0),
            model: model.clone(),
        }
    }

    /// A place among the calls under way; waited for in a queue that has an end.
    pub(crate) async fn place(&self) -> Result<SemaphorePermit<'_>, Failure> {
        if let Health::Open(left, why) = self.breaker.health(Instant::now())
            && !left.is_zero()
        {
            return Err(open(left, &why));
        }
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        if before >= self.model.queue as usize {
            let text = format!("{before} calls wait for it already, as many as its queue takes");
            return Err(Failure::new(Kind::Busy, text));
        }
        let limit = seconds(self.model.queue_seconds);
        let place = tokio::time::timeout(limit, self.places.acquire()).await;
        drop(waiting);
        let place = place.map(|place| place.expect("the places are never closed"));
        place.map_err(|_| {
            let (all, waited) = (self.model.concurrency, limit.as_secs());
            Failure::new(Kind::Busy, format!("no place among its {all} calls in {waited} s"))
        })
    }

    /// Calls under way, and calls that wait.
    pub(crate) fn load(&self) -> (usize, usize) {
        let busy = (self.model.concurrency as usize).saturating_sub(self.places.available_permits());
        (busy, self.waiting.load(Ordering::Relaxed))
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.model.api_key.as_ref().map(cluster_config::Secret::expose)
    }

    pub(crate) fn first_token(&self) -> Duration {
        seconds(self.model.timeouts.first_token_seconds)
    }

    pub(crate) fn idle(&self) -> Duration {
        seconds(self.model.timeouts.idle_seconds)
    }

    pub(crate) fn total(&self) -> Duration {
        seconds(self.model.timeouts.total_seconds)
    }

    pub(crate) fn price(&self) -> Price {
        Price {
            prompt: per_token(self.model.price.input_per_million),
            completion: per_token(self.model.price.output_per_million),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) fn open(left: Duration, why: &str) -> Failure {
    let text = format!(
        "it is not asked for {} s more, because it failed again and again: {why}",
        left.as_secs() + 1
    );
    Failure { retry_after: Some(left), ..Failure::new(Kind::Open, text) }
}

fn protocol(provider: Provider) -> Protocol {
    match provider {
        Provider::Anthropic => Protocol::Anthropic,
        Provider::Gemini => Protocol::Gemini,
        Provider::Ollama => Protocol::Ollama,
        _ => Protocol::OpenAi,
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Billionths per token of a price per million.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "prices are checked to be small and positive"
)]
fn per_token(per_million: f64) -> u64 {
    (per_million * 1000.0).round() as u64
}
