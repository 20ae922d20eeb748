//! Puts a server under load and measures what it does meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::server::Server;
use crate::wire::{Connection, Door, Requests};

/// A server that answers nothing for so long is broken, not slow.
const STUCK: Duration = Duration::from_secs(30);

/// A request and how it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// How it is called in the table.
    pub(crate) what: &'static str,
    pub(crate) method: &'static str,
    pub(crate) params: &'static str,
    pub(crate) connections: usize,
    /// Requests under way on each connection.
    pub(crate) deep: usize,
}

/// How long a round is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Load before anything is counted.
    pub(crate) warm_up: Duration,
    /// Load that is counted.
    pub(crate) counted: Duration,
}

/// What a server did in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// Answers in a second.
    pub(crate) rate: f64,
    /// Latencies in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// Microseconds of the server's processors for one request.
    pub(crate) cpu: f64,
}

/// A server with connections that are open and let in.
pub(crate) struct Target<'a> {
    server: &'a Server,
    door: Door,
    connections: Vec<Connection>,
}

/// What all connections of a round share.
struct Shared {
    requests: Requests,
    from: Instant,
    until: Instant,
    answers: AtomicU64,
}

impl<'a> Target<'a> {
    /// Opens connections.
    pub(crate) async fn connect(server: &'a Server, door: Door, connections: usize) -> anyhow::Result<Self> {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(Connection::open(&door).await?);
        }
        Ok(Self { server, door, connections: open })
    }

    /// One round of `point`.
    pub(crate) async fn measure(&mut self, point: &Point, times: Times) -> anyhow::Result<Round> {
        let from = Instant::now() + times.warm_up;
        let shared = Arc::new(Shared {
            requests: Requests::new(&self.door, point.method, point.params, point.deep),
            from,
            until: from + times.counted,
            answers: AtomicU64::new(0),
        });
        let mut driven = JoinSet::new();
        for mut connection in self.connections.split_off(self.connections.len() - point.connections) {
            let shared = Arc::clone(&shared);
            driven.spawn(async move { shared.drive(&mut connection).await.map(|took| (connection, took)) });
        }
        let before = self.look_at(&shared, shared.from).await?;
        let after = self.look_at(&shared, shared.until).await?;
        let mut took = Vec::new();
        let all = async {
            while let Some(ended) = driven.join_next().await {
                let (connection, latencies) = ended??;
                self.connections.push(connection);
                took.extend(latencies);
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(STUCK, all).await.context("the server stopped answering")??;
        took.sort_unstable();
        let answers = (after.answers - before.answers).max(1) as f64;
        Ok(Round {
            rate: answers / after.at.duration_since(before.at).as_secs_f64(),
            p50: quantile(&took, 0.5),
            p99: quantile(&took, 0.99),
            p999: quantile(&took, 0.999),
            cpu: (after.cpu_ns - before.cpu_ns) as f64 / 1000.0 / answers,
        })
    }

    /// What the server has used and answered at a moment: read together, because the moment may come late.
    async fn look_at(&self, shared: &Shared, moment: Instant) -> anyhow::Result<Look> {
        tokio::time::sleep_until(moment.into()).await;
        let answers = shared.answers.load(Ordering::Relaxed);
        Ok(Look { at: Instant::now(), answers, cpu_ns: self.server.cpu_ns()? })
    }
}

struct Look {
    at: Instant,
    answers: u64,
    cpu_ns: u64,
}

impl Shared {
    /// Keeps a connection's requests under way until time is up; returns how long each took, in nanoseconds.
    async fn drive(&self, connection: &mut Connection) -> anyhow::Result<Vec<u32>> {
        let mut took = Vec::new();
        let mut outgoing: Vec<u8> =
            (0..self.requests.len()).flat_map(|id| self.requests.get(id)).copied().collect();
        let mut sent = vec![Instant::now(); self.requests.len()];
        let mut open = self.requests.len();
        while open > 0 {
            if !outgoing.is_empty() {
                connection.send(&outgoing).await?;
                outgoing.clear();
            }
            connection.fill().await?;
            let now = Instant::now();
            let counted = (self.from..self.until).contains(&now);
            while let Some(id) = connection.next()? {
                self.answers.fetch_add(1, Ordering::Relaxed);
                if counted {
                    took.push(u32::try_from((now - sent[id]).as_nanos()).unwrap_or(u32::MAX));
                }
                if now < self.until {
                    outgoing.extend_from_slice(self.requests.get(id));
                    sent[id] = now;
                } else {
                    open -= 1;
                }
            }
        }
        Ok(took)
    }
}

/// The latency that `share` of all stay below, in microseconds.
pub(crate) fn quantile(sorted: &[u32], share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(0.0, |nanos| f64::from(*nanos) / 1000.0)
}

impl Round {
    /// The round whose cost is the median's.
    pub(crate) fn median(mut rounds: Vec<Self>) -> Self {
        rounds.sort_unstable_by(|one, other| one.cpu.total_cmp(&other.cpu));
        rounds[rounds.len() / 2]
    }
}
