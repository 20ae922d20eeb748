//! The supervision tree, settings and counters, for those who may see them (`mcp.admin.*`).
//!
//! It only looks, restarts actors and changes the log level. Everything it shows is read from shared counters
//! without asking an actor, so it answers even when something hangs.

mod methods;
mod process;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use cluster_config::Effective;
use protocol::{Cancel, Cause, Error};
use supervisor::{Tasks, Tree};
use telemetry::LogLevel;

pub use methods::methods;
pub use process::Counters;

/// What admin is told about the rest of the process.
pub struct Sources {
    /// Settings in force.
    pub config: Box<dyn Fn() -> Vec<Effective> + Send + Sync>,
    /// Counters of gateway and edges.
    pub counters: Box<dyn Fn() -> Counters + Send + Sync>,
    /// The log's level.
    pub log: LogLevel,
}

/// The handle that the methods work with.
#[derive(Clone)]
pub struct Admin {
    shared: Arc<Shared>,
}

struct Shared {
    sources: Sources,
    tree: OnceLock<Tree>,
    started: Instant,
    /// Restarts that outlive the call that asked for them, because they end its own actor.
    restarts: Tasks,
    /// Raised when the daemon stops: who follows is answered then, or the calls under way would never end.
    stopping: Cancel,
}

impl Admin {
    /// A handle; the tree is told later, because admin is part of it.
    pub fn new(sources: Sources) -> Self {
        let restarts = Tasks::named("admin restarts");
        Self {
            shared: Arc::new(Shared {
                sources,
                tree: OnceLock::new(),
                started: Instant::now(),
                restarts,
                stopping: Cancel::new(),
            }),
        }
    }

    /// Tells the tree, once it has started.
    pub fn watch(&self, tree: Tree) {
        let _ = self.shared.tree.set(tree);
    }

    /// Ends what would otherwise go on for as long as the daemon runs.
    pub fn stop_following(&self) {
        self.shared.stopping.cancel(Cause::Shutdown);
    }

    pub(crate) fn tree(&self) -> Result<&Tree, Error> {
        self.shared.tree.get().ok_or_else(|| Error::unavailable("admin"))
    }
}
