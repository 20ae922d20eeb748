//! `mcp.admin.stats`: how much of everything.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use supervisor::Node;

use crate::Admin;
use crate::process::{self, Counters};

/// Shows counters of the process: calls, connections, memory, CPU time, restarts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowStats {}

/// Counters since the start, and gauges of this moment.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stats {
    /// Seconds since the start.
    uptime_seconds: u64,
    /// Calls and connections.
    calls: Counters,
    /// Actors restarted, over the whole tree.
    restarts: u64,
    /// Memory in use, in bytes.
    resident_bytes: u64,
    /// CPU time used, in milliseconds.
    cpu_ms: u64,
    /// Threads of the process.
    threads: usize,
}

impl Method for ShowStats {
    const NAME: &'static str = "mcp.admin.stats";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;

    type Reply = Stats;
    type Service = Admin;

    async fn call(self, _: &Context, admin: &Admin) -> Result<Stats, Error> {
        Ok(Stats {
            uptime_seconds: admin.shared.started.elapsed().as_secs(),
            calls: (admin.shared.sources.counters)(),
            restarts: restarts(&admin.tree()?.snapshot()),
            resident_bytes: process::resident_bytes(),
            cpu_ms: process::cpu_ms(),
            threads: process::threads(),
        })
    }
}

fn restarts(node: &Node) -> u64 {
    u64::from(node.restarts) + node.children.iter().map(restarts).sum::<u64>()
}
