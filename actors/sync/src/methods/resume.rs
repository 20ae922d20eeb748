//! `mcp.sync.resume`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::Deserialize;

use super::RUNS;
use super::run_job::Started;
use crate::journal::now;
use crate::planning::PLAN_KEPT_MS;
use crate::refusal::{no_such, refused};
use crate::service::Sync;

/// Goes on with a job that was interrupted, stopped or failed: what is there already is compared, and not sent again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resume {
    /// The job.
    job_id: String,
    /// Whether to wait until it is over; the call's progress says how far it is.
    #[serde(default)]
    wait: bool,
}

impl Method for Resume {
    const NAME: &'static str = "mcp.sync.resume";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = RUNS;
    const RUN: Run = Run::Task;
    const TASK: TaskSupport = TaskSupport::Optional;
    /// As long as a job takes that is waited for.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24 * 7));

    type Reply = Started;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Started, Error> {
        let caller = &context.caller;
        let job = sync.job(caller, &self.job_id).await?;
        // With the rights of whoever resumes it; the job keeps those of whoever asked for it.
        sync.resolve(&caller.tier, &job.task).await?;
        let begun = job.started_ms.unwrap_or(job.created_ms);
        if job.task.verb.deletes() && now() - begun > PLAN_KEPT_MS && !sync.may_outright(caller) {
            return Err(refused(
                "plan_needed",
                format!(
                    "The job '{}' deletes, and was begun more than an hour ago: make a new plan with mcp.sync.plan, and run it.",
                    job.id
                ),
            ));
        }
        sync.runner().ready().await?;
        if !sync.journal().begin_again(&job.id, &caller.name).await? {
            return Err(no_such(
                "not_resumable",
                format!(
                    "The job '{}' is {}: only one that was interrupted, stopped or failed goes on.",
                    job.id,
                    job.state.word()
                ),
            ));
        }
        sync.set_off(&job.id)?;
        Started::answer(sync, context, &job.id, self.wait).await
    }
}
