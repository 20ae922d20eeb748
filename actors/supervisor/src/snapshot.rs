//! The whole tree at one moment, for people and for metrics. Read from the seats, so
//! it is there also while everything is being restarted.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::child_spec::Kind;
use crate::histogram::quantile;
use crate::seat::{Seat, State};
use crate::strategy::{Restart, Strategy};

/// One actor and those below it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Node {
    /// Its name among its siblings.
    pub id: Arc<str>,
    /// Its place in the tree, such as `root/services/fs`.
    pub path: Arc<str>,
    /// What it does in the tree.
    pub kind: Kind,
    /// Where it is in its life.
    pub state: State,
    /// When it is started again.
    pub restart: Restart,
    /// For supervisors: who is restarted with whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// How often it was restarted.
    pub restarts: u32,
    /// What it last failed of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<Failure>,
    /// How it is, in its own words, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was last started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Messages handled since the tree was started.
    pub handled: u64,
    /// How many of them failed, and how many of its tasks.
    pub failed: u64,
    /// Pieces of work begun and not ended.
    pub in_flight: u32,
    /// Messages that wait in its mailbox.
    pub depth: u32,
    /// How long the message in hand has been in hand. Large means stuck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handling_since_ms: Option<u64>,
    /// How long it takes for a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Its children: the fixed ones in start order, then the dynamic ones by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
    /// How many there are, of which `children` may show only the first.
    pub children_total: usize,
}

/// What an actor failed of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failure {
    /// When.
    pub time: Timestamp,
    /// The error with its causes, the panic's text, or `killed`.
    pub text: String,
}

/// Handling times. Buckets are powers of two, so a quantile is at most twice the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Latency {
    /// Half of the messages took less.
    pub p50_us: u64,
    /// All but one in a hundred took less.
    pub p99_us: u64,
    /// Bucket `n` counts those that took less than `2^n` microseconds and fit no lower
    /// one; the last one also counts all that took longer.
    pub buckets_us: Vec<u64>,
}

/// A person reads no more than this of one supervisor's children, and ten thousand
/// sessions would make a snapshot megabytes.
pub(crate) const SHOWN_MAX: usize = 100;

// === impl Node ===

impl Node {
    /// `seat` and what is below it, `shown` children at most for each.
    pub(crate) fn of(seat: &Seat, shown: usize) -> Self {
        let history = seat.history();
        Self {
            id: Arc::clone(seat.id()),
            path: Arc::clone(&seat.path),
            kind: seat.spec.kind,
            state: history.state,
            restart: seat.spec.restart,
            strategy: seat.below.as_ref().map(|below| below.spec.strategy),
            restarts: history.restarts,
            last_failure: history.last_failure.map(|failure| *failure),
            note: seat.spec.note.as_ref().and_then(|note| note()),
            started_at: history.started_at,
            handled: seat.meter.handled(),
            failed: seat.meter.failed(),
            in_flight: seat.meter.in_flight(),
            depth: seat.meter.depth(),
            handling_since_ms: seat
                .meter
                .handling_for()
                .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            latency: Latency::of(seat),
            children: seat.children(shown).iter().map(|child| Self::of(child, shown)).collect(),
            children_total: seat.below.as_ref().map_or(0, |below| below.count()),
        }
    }

    /// The child of this name, if it is shown.
    pub fn child(&self, id: &str) -> Option<&Self> {
        self.children.iter().find(|child| &*child.id == id)
    }
}

// === impl Latency ===

impl Latency {
    fn of(seat: &Seat) -> Option<Self> {
        let buckets = seat.meter.histogram()?;
        Some(Self {
            p50_us: quantile(&buckets, 0.5)?,
            p99_us: quantile(&buckets, 0.99)?,
            buckets_us: buckets.to_vec(),
        })
    }
}
