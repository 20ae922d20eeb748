//! Puts a server of the protocol under load: every connection has one request under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use super::contender::{Contender, Line};
use crate::load::{Round, Times, quantile};

/// A server that answers nothing for so long is broken, not slow.
const STUCK: Duration = Duration::from_mins(1);

/// What all connections of a round share.
struct Shared {
    from: Instant,
    until: Instant,
    answers: AtomicU64,
    /// Less than this is not the answer that was asked for.
    least_bytes: usize,
}

/// One round of `what` over so many connections; `bytes` is how long an answer is.
pub(crate) async fn measure(
    contender: &Contender,
    what: &str,
    connections: usize,
    bytes: usize,
    times: Times,
) -> anyhow::Result<Round> {
    let mut lines = Vec::new();
    for _ in 0..connections {
        lines.push(contender.open().await?);
    }
    let from = Instant::now() + times.warm_up;
    let until = from + times.counted;
    let shared = Arc::new(Shared { from, until, answers: AtomicU64::new(0), least_bytes: bytes * 9 / 10 });
    let mut driven = JoinSet::new();
    for line in lines {
        let (shared, request) = (Arc::clone(&shared), contender.request(what, &line));
        driven.spawn(async move { shared.drive(line, &request).await });
    }
    let mut looks = Vec::new();
    for moment in [from, until] {
        tokio::time::sleep_until(moment.into()).await;
        let answers = shared.answers.load(Ordering::Relaxed);
        looks.push((Instant::now(), answers, contender.server.tree_cpu_ns()?));
    }
    let mut took = Vec::new();
    let mut lines = Vec::new();
    let all = async {
        while let Some(ended) = driven.join_next().await {
            let (line, latencies) = ended??;
            took.extend(latencies);
            lines.push(line);
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(STUCK, all).await.context("the server stopped answering")??;
    for line in lines {
        contender.close(line).await;
    }
    took.sort_unstable();
    let answers = (looks[1].1 - looks[0].1).max(1) as f64;
    Ok(Round {
        rate: answers / looks[1].0.duration_since(looks[0].0).as_secs_f64(),
        p50: quantile(&took, 0.5),
        p99: quantile(&took, 0.99),
        p999: quantile(&took, 0.999),
        cpu: looks[1].2.saturating_sub(looks[0].2) as f64 / 1000.0 / answers,
    })
}

impl Shared {
    /// Asks again and again until time is up; returns how long each answer took, in nanoseconds.
    async fn drive(&self, mut line: Line, request: &[u8]) -> anyhow::Result<(Line, Vec<u32>)> {
        let mut took = Vec::new();
        loop {
            let sent = Instant::now();
            if sent >= self.until {
                return Ok((line, took));
            }
            let head = line.connection.ask(request).await?;
            let now = Instant::now();
            let body = &line.connection.body;
            let right = head.status == 200 && body.len() >= self.least_bytes;
            ensure!(right, "not a result: {} {}", head.status, String::from_utf8_lossy(body));
            self.answers.fetch_add(1, Ordering::Relaxed);
            if (self.from..self.until).contains(&now) {
                took.push(u32::try_from((now - sent).as_nanos()).unwrap_or(u32::MAX));
            }
        }
    }
}
