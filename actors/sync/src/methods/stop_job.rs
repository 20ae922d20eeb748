//! `mcp.sync.stopJob`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::runner::Stop;
use crate::service::Sync;

/// Stops a job: in good order, and by force when it has not stopped after a while.
///
/// What was transferred stays. `mcp.sync.getJobStatus` says what was really done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopJob {
    /// The job.
    job_id: String,
}

/// What was done about it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Stopping {
    /// The job.
    job_id: String,
    /// `stopping_signal_sent`, or `not_running`.
    status: &'static str,
    /// The same for a person.
    message: String,
}

impl Method for StopJob {
    const NAME: &'static str = "mcp.sync.stopJob";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::ENSURE;
    const RUN: Run = Run::Task;

    type Reply = Stopping;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Stopping, Error> {
        let job = sync.job(&context.caller, &self.job_id).await?;
        let live = sync.runner().live(&job.id).filter(|_| job.state.is_active());
        let (status, message) = match live {
            Some(live) => {
                sync.journal().stopping(&job.id, &context.caller.name).await?;
                live.stop.send_if_modified(|stop| stop.is_none() && stop.replace(Stop::Asked).is_none());
                let limit = sync.settings().stop_seconds;
                (
                    "stopping_signal_sent",
                    format!("It is told to stop, and rclone is killed if it has not after {limit} s."),
                )
            }
            None => ("not_running", format!("It does not run: it is {}.", job.state.word())),
        };
        Ok(Stopping { job_id: job.id, status, message })
    }
}
