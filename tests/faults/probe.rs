//! One caller who asks again and again and looks at the clock: how long was there no good answer?

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::PATIENCE;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::line::{Door, Line};

/// How the caller gets in.
#[derive(Clone)]
pub(crate) enum Through {
    /// On a connection that is kept as long as it lasts.
    Kept(Arc<Line>),
    /// On a new connection for every call.
    Fresh(Door),
}

/// A caller who asks one thing all the time.
pub(crate) struct Probe {
    /// When good answers were asked for and when they came.
    good: watch::Receiver<Vec<(Instant, Instant)>>,
    /// Ends when this is dropped.
    _caller: JoinSet<()>,
}

impl Probe {
    pub(crate) fn start(through: Through, method: &'static str, params: Value) -> Self {
        let (tell, good) = watch::channel(Vec::new());
        let mut caller = JoinSet::new();
        caller.spawn(async move {
            loop {
                let begun = Instant::now();
                let answer = match &through {
                    Through::Kept(line) => line.call(method, params.clone()).await.ok(),
                    Through::Fresh(door) => match door.connect().await {
                        Some(client) => client.call(method, params.clone()).await.ok(),
                        None => None,
                    },
                };
                if answer.is_some() {
                    tell.send_modify(|good: &mut Vec<_>| good.push((begun, Instant::now())));
                }
            }
        });
        Self { good, _caller: caller }
    }

    /// Waits for a good answer to a question that was asked after `moment`.
    pub(crate) async fn good_since(&mut self, moment: Instant) {
        let answered = self.good.wait_for(|good| good.last().is_some_and(|(begun, _)| *begun >= moment));
        let answered = tokio::time::timeout(PATIENCE, answered).await;
        assert!(answered.is_ok_and(|answered| answered.is_ok()), "it answers again");
    }

    /// The longest time without a good answer that ended after `moment`: from the last good answer before to the
    /// first one behind. It holds the whole outage, and one call's own time besides.
    pub(crate) fn longest_silence_since(&self, moment: Instant) -> Duration {
        let good = self.good.borrow();
        let silences = good.windows(2).filter(|pair| pair[1].1 >= moment).map(|pair| pair[1].1 - pair[0].1);
        silences.max().expect("it was asked before and after")
    }
}

/// The middle one.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
