//! `mcp.sync.plan`.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::LOOKS;
use crate::journal::{self, now, time};
use crate::planning::{PLAN_KEPT_MS, plan};
use crate::service::{Sync, random};
use crate::view::Wanted;

/// Says what a job would do, without doing it, and gives the plan an id that `mcp.sync.run` takes.
///
/// It is rclone's own dry run. The plan can be run once, within an hour, and only as long as the same would be done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// The job.
    job: Wanted,
    /// How many changes are shown.
    #[serde(default = "hundred")]
    #[schemars(range(max = 1000))]
    limit: usize,
}

fn hundred() -> usize {
    100
}

/// What would be done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Planned {
    /// What `mcp.sync.run` takes.
    plan_id: String,
    /// Until when (RFC 3339, UTC).
    expires: String,
    /// How many changes there are.
    total: u64,
    /// How many of each kind: `copy`, `delete`, `move` …, as rclone calls them.
    counts: BTreeMap<String, u64>,
    /// Files that would be deleted, at the source of a move too.
    deletes: u64,
    /// Bytes that would be transferred.
    bytes: u64,
    /// Files that were compared.
    checks: u64,
    /// The first changes.
    changes: Vec<Change>,
}

/// A change.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Change {
    /// What would be done.
    action: String,
    /// The path, below the sides of the job.
    path: String,
    /// The file's length in bytes.
    size: u64,
}

impl Method for Plan {
    const NAME: &'static str = "mcp.sync.plan";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = LOOKS;
    const RUN: Run = Run::Task;
    const TASK: TaskSupport = TaskSupport::Optional;
    /// A million files on a slow remote are looked at for an hour.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(2));

    type Reply = Planned;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Planned, Error> {
        let (_, task) = self.job.read()?;
        let told =
            |planned: &crate::planning::Planned| context.progress(&json!({ "changes": planned.count() }));
        let planned = plan(sync, &context.caller.tier, &task, self.limit, told).await?;
        let (id, created_ms) = (format!("plan_{}", random(8)?), now());
        let kept = journal::Plan {
            id: id.clone(),
            caller: context.caller.name.clone(),
            task,
            fingerprint: planned.fingerprint(),
            created_ms,
        };
        sync.journal().keep_plan(kept).await?;
        Ok(Planned {
            plan_id: id,
            expires: time(created_ms + PLAN_KEPT_MS),
            total: planned.count(),
            deletes: planned.deletes,
            bytes: planned.bytes,
            checks: planned.checks,
            changes: planned
                .changes
                .into_iter()
                .map(|change| Change { action: change.action, path: change.path, size: change.size })
                .collect(),
            counts: planned.actions,
        })
    }
}
