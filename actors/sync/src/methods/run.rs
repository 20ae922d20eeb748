//! `mcp.sync.run`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run as Where, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::Deserialize;

use super::RUNS;
use super::run_job::Started;
use crate::journal::now;
use crate::planning::{PLAN_KEPT_MS, plan};
use crate::refusal::{no_such, shown};
use crate::service::Sync;

/// Runs a plan of `mcp.sync.plan`, once.
///
/// The dry run is made again first: when anything else would be done than what the plan says, nothing is done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// The plan.
    plan_id: String,
    /// Whether to wait until the job is over; its progress says how far it is. It goes on when the call is cancelled.
    #[serde(default)]
    wait: bool,
}

impl Method for Run {
    const NAME: &'static str = "mcp.sync.run";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = RUNS;
    const RUN: Where = Where::Task;
    const TASK: TaskSupport = TaskSupport::Optional;
    /// As long as a job takes that is waited for.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24 * 7));

    type Reply = Started;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Started, Error> {
        let caller = &context.caller;
        let kept = sync.journal().plan(&self.plan_id).await?.filter(|plan| plan.caller == caller.name);
        let fresh = kept.filter(|plan| now() - plan.created_ms < PLAN_KEPT_MS);
        let plan_kept = fresh.ok_or_else(|| {
            no_such(
                "no_such_plan",
                format!(
                    "There is no plan '{}' of yours that was not run and is less than an hour old: make one with mcp.sync.plan.",
                    shown(&self.plan_id)
                ),
            )
        })?;
        let task = plan_kept.task;
        let planned = plan(sync, &caller.tier, &task, 0, |_| {}).await?;
        if planned.fingerprint() != plan_kept.fingerprint {
            return Err(no_such(
                "plan_stale",
                "Something changed since the plan was made, so other things would be done than it says; nothing was done. \
                 Make a new plan with mcp.sync.plan.",
            ));
        }
        planned.check_deletes(&task)?;
        let job = sync.begin(caller, "plan", None, task, Some(self.plan_id)).await?;
        Started::answer(sync, context, &job.id, self.wait).await
    }
}
