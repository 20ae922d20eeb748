//! `mcp.sync.runJob`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RUNS;
use crate::planning::plan;
use crate::progress::Progress;
use crate::refusal::{no_such, refused, shown};
use crate::service::Sync;
use crate::view::{View, Wanted, follow};

/// Runs a job: `copy` or `check` at once; what deletes (`sync`, `move`, `bisync`) by `mcp.sync.plan` and `mcp.sync.run`,
/// unless the owner lets the caller do without.
///
/// It is answered when the job is written down. `mcp.sync.getJobStatus` says how far it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunJob {
    /// The job; or `name`.
    #[serde(default)]
    job: Option<Wanted>,
    /// A job that was defined by mcp.sync.defineJob.
    #[serde(default)]
    name: Option<String>,
    /// Whether to wait until it is over; its progress says how far it is. The job goes on when the call is cancelled.
    #[serde(default)]
    wait: bool,
}

/// A job that was begun, or one that was waited for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Started {
    /// What it is called in other calls.
    job_id: String,
    /// `started`; `queued` when it waits for its turn; or, when it was waited for, how it ended: `completed`, `failed`,
    /// `stopped`, `interrupted`.
    status: String,
    /// The process that works on it, or null.
    pid: Option<u32>,
    /// How it is, for a person.
    message: String,
    /// How far it is.
    progress: Progress,
}

impl Started {
    /// What is answered once a job is written down.
    pub(crate) async fn answer(sync: &Sync, context: &Context, id: &str, wait: bool) -> Result<Self, Error> {
        let job = if wait { follow(sync, context, id).await? } else { sync.job(&context.caller, id).await? };
        let view = View::of(sync, job);
        let status = match view.status.word() {
            "running" | "stopping" => "started",
            "queued" if sync.runner().count() <= sync.settings().parallel => "started",
            word => word,
        };
        Ok(Self {
            job_id: id.to_owned(),
            status: status.to_owned(),
            pid: view.pid(),
            message: view.status_message,
            progress: view.progress,
        })
    }
}

impl Method for RunJob {
    const NAME: &'static str = "mcp.sync.runJob";
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
        let (prefix, task, name) = match (self.job, self.name) {
            (Some(job), None) => {
                let (prefix, task) = job.read()?;
                (prefix, task, None)
            }
            (None, Some(name)) => {
                let known = sync.journal().definitions().await?;
                let known =
                    known.into_iter().find(|one| one.name == name && sync.shows(&caller.tier, &one.task));
                let known = known.ok_or_else(|| {
                    no_such(
                        "no_such_definition",
                        format!(
                            "No job is defined as '{}'; mcp.sync.listJobs has those that are.",
                            shown(&name)
                        ),
                    )
                })?;
                (known.name.clone(), known.task, Some(known.name))
            }
            _ => return Err(Error::invalid_params("say either job, or the name of one that is defined")),
        };
        // What may not be done is refused now, and not in a job that fails.
        sync.resolve(&caller.tier, &task).await?;
        if task.verb.deletes() {
            if !sync.may_outright(caller) {
                return Err(refused(
                    "plan_needed",
                    format!(
                        "{} deletes: call mcp.sync.plan with the same job, look at what it would do, and give its plan_id to \
                         mcp.sync.run. The owner may let '{}' do without, in sync.outright.",
                        task.verb.word(),
                        caller.name
                    ),
                ));
            }
            if task.options.max_delete.is_some() {
                // rclone itself stops only once it has deleted so many.
                plan(sync, &caller.tier, &task, 0, |_| {}).await?.check_deletes(&task)?;
            }
        }
        sync.place().program()?;
        let job = sync.begin(caller, &prefix, name, task, None).await?;
        Started::answer(sync, context, &job.id, self.wait).await
    }
}
