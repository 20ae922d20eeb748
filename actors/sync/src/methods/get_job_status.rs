//! `mcp.sync.getJobStatus`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Sync;
use crate::view::{View, follow};

/// Says how a job is, how far, and what it said last.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetJobStatus {
    /// The job.
    job_id: String,
    /// Whether to wait until it is over; the call's progress says how far it is.
    #[serde(default)]
    wait: bool,
    /// How many of the last lines of its log are shown; 500 are kept.
    #[serde(default = "twenty")]
    #[schemars(range(max = 500))]
    lines: usize,
}

fn twenty() -> usize {
    20
}

/// How it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    /// The job.
    #[serde(flatten)]
    job: View,
    /// What it said last, oldest first, each line with its time.
    log_preview: Vec<String>,
}

impl Method for GetJobStatus {
    const NAME: &'static str = "mcp.sync.getJobStatus";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;
    const TASK: TaskSupport = TaskSupport::Optional;
    /// As long as a job takes that is waited for.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(24 * 7));

    type Reply = Status;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Status, Error> {
        let mut job = sync.job(&context.caller, &self.job_id).await?;
        if self.wait && job.state.is_active() {
            job = follow(sync, context, &self.job_id).await?;
        }
        let log_preview = sync.journal().lines(&self.job_id, self.lines).await?;
        Ok(Status { job: View::of(sync, job), log_preview })
    }
}
