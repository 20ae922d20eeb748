//! `mcp.sync.history`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Sync;
use crate::view::View;

/// Lists jobs, the newest first, page by page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    /// How many at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 500))]
    limit: usize,
    /// Where the page before this one ended: its `cursor`.
    #[serde(default)]
    cursor: Option<i64>,
    /// Only those that were run by this name.
    #[serde(default)]
    name: Option<String>,
}

fn fifty() -> usize {
    50
}

/// A page.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Page {
    /// The newest first.
    jobs: Vec<View>,
    /// Where the next page begins; null at the end.
    cursor: Option<i64>,
}

impl Method for History {
    const NAME: &'static str = "mcp.sync.history";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;

    type Reply = Page;
    type Service = Sync;

    async fn call(self, context: &Context, sync: &Sync) -> Result<Page, Error> {
        let jobs = sync.journal().jobs(self.cursor.unwrap_or(i64::MAX), self.limit, self.name).await?;
        let cursor = jobs.last().filter(|_| jobs.len() == self.limit).map(|job| job.seq);
        let tier = &context.caller.tier;
        let jobs = jobs.into_iter().filter(|job| sync.shows(tier, &job.task)).map(|job| View::of(sync, job));
        Ok(Page { jobs: jobs.collect(), cursor })
    }
}
