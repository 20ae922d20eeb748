//! `mcp.sync.listJobs`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journal::time;
use crate::options::Options;
use crate::service::Sync;
use crate::verb::Verb;
use crate::view::View;

/// How many jobs are shown; `mcp.sync.history` has the rest.
const SHOWN: usize = 100;

/// Lists the newest hundred jobs, those under way among them, and the jobs that are defined.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListJobs {}

/// The jobs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Jobs {
    /// The newest first.
    jobs: Vec<View>,
    /// Those that are defined, by name.
    definitions: Vec<Defined>,
}

/// A job that is defined.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Defined {
    /// What it is called.
    name: String,
    /// What it is for.
    description: String,
    /// What it does.
    verb: Verb,
    /// From where.
    source: String,
    /// To where.
    destination: String,
    /// Its options.
    options: Options,
    /// Who defined it.
    caller: String,
    /// When it was defined or changed (RFC 3339, UTC).
    changed: String,
}

impl Method for ListJobs {
    const NAME: &'static str = "mcp.sync.listJobs";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;
    const ORIGINAL_FIELD: Option<&'static str> = Some("jobs");

    type Reply = Jobs;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Jobs, Error> {
        let tier = &context.caller.tier;
        let jobs = sync.journal().jobs(i64::MAX, SHOWN, None).await?;
        let jobs = jobs.into_iter().filter(|job| sync.shows(tier, &job.task)).map(|job| View::of(sync, job));
        let defined = sync.journal().definitions().await?;
        let defined = defined.into_iter().filter(|one| sync.shows(tier, &one.task)).map(|one| Defined {
            name: one.name,
            description: one.description,
            verb: one.task.verb,
            source: one.task.source,
            destination: one.task.destination,
            options: one.task.options,
            caller: one.caller,
            changed: time(one.changed_ms),
        });
        Ok(Jobs { jobs: jobs.collect(), definitions: defined.collect() })
    }
}
