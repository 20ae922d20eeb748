//! What happened in the tree: the one place where it is logged, kept and sent on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast;

/// One thing that happened to one actor.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Event {
    /// Counts up by one from 1; a gap in what you read is what you missed.
    pub sequence: u64,
    /// When.
    pub time: Timestamp,
    /// To whom.
    pub path: Arc<str>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// It runs and can be reached.
    Started {
        /// How often it had been restarted by then.
        restarts: u32,
    },
    /// It ended, as it wanted or as it was told.
    Stopped {
        /// What it said, or what was done: `drained`, `killed after 5s`.
        reason: String,
    },
    /// It ended in failure, or could not be started.
    Failed {
        /// The error with its causes, the panic's text, or `killed`.
        text: String,
    },
    /// It will be started again, together with those that depend on it.
    Restarting {
        /// After this wait.
        after_ms: u64,
    },
    /// A supervisor spent its restarts: it stops its children and fails.
    GaveUp {
        /// More than this many restarts …
        restarts: u32,
        /// … within this time.
        within_ms: u64,
    },
    /// A task of the actor panicked; the actor itself goes on.
    TaskFailed {
        /// The panic's text.
        text: String,
    },
}

/// The last events, and those who follow them.
#[derive(Debug)]
pub(crate) struct Events {
    recent: Mutex<Recent>,
    followers: broadcast::Sender<Arc<Event>>,
}

#[derive(Debug, Default)]
struct Recent {
    sequence: u64,
    ring: VecDeque<Arc<Event>>,
}

/// Enough to see how trouble began; a person reads no further back than this.
const KEPT_MAX: usize = 1_000;

// === impl Events ===

impl Events {
    pub(crate) fn new() -> Self {
        Self { recent: Mutex::default(), followers: broadcast::Sender::new(KEPT_MAX) }
    }

    /// Logs, keeps and sends on what happened.
    pub(crate) fn tell(&self, path: &Arc<str>, what: What) {
        log(path, &what);
        let mut recent = self.lock();
        recent.sequence += 1;
        let event = Arc::new(Event {
            sequence: recent.sequence,
            time: Timestamp::now(),
            path: Arc::clone(path),
            what,
        });
        if recent.ring.len() == KEPT_MAX {
            recent.ring.pop_front();
        }
        recent.ring.push_back(Arc::clone(&event));
        // Under the lock, so that followers see the sequence in order. An error
        // means that nobody follows.
        let _ = self.followers.send(event);
    }

    /// The last events, oldest first.
    pub(crate) fn recent(&self) -> Vec<Arc<Event>> {
        self.lock().ring.iter().cloned().collect()
    }

    pub(crate) fn follow(&self) -> broadcast::Receiver<Arc<Event>> {
        self.followers.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(path: &str, what: &What) {
    match what {
        What::Started { restarts: 0 } => tracing::debug!(path, "started"),
        What::Started { restarts } => tracing::info!(path, restarts, "started again"),
        What::Stopped { reason } => tracing::debug!(path, reason, "stopped"),
        What::Failed { text } => tracing::warn!(path, text, "failed"),
        What::Restarting { after_ms } => tracing::info!(path, after_ms, "will be started again"),
        What::GaveUp { restarts, within_ms } => {
            tracing::error!(path, restarts, within_ms, "gave up: too many restarts");
        }
        What::TaskFailed { text } => tracing::error!(path, text, "a task panicked"),
    }
}
