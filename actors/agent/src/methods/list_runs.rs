//! `mcp.agent.listRuns`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journal::Wanted;
use crate::record::State;
use crate::service::{Agent, tier_seen};
use crate::view::RunView;

/// The most that one answer lists.
const LIMIT_MAX: usize = 500;

/// Lists runs, the newest first: the caller's own, and where nothing narrows the caller those of its tier.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRuns {
    /// Only those of this workflow.
    #[serde(default)]
    workflow_id: Option<String>,
    /// Only those that are so.
    #[serde(default)]
    status: Option<State>,
    /// How many at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 500))]
    limit: usize,
    /// `next_cursor` of the answer before.
    #[serde(default)]
    cursor: Option<String>,
}

fn fifty() -> usize {
    50
}

/// The runs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Runs {
    /// The newest first.
    runs: Vec<RunView>,
    /// Give this as `cursor` to go on; null when these were the last.
    next_cursor: Option<String>,
}

impl Method for ListRuns {
    const NAME: &'static str = "mcp.agent.listRuns";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;

    type Reply = Runs;
    type Service = Agent;

    async fn call(self, context: &Context, agent: &Agent) -> Result<Runs, Error> {
        let before = self.cursor.map(|cursor| cursor.parse::<i64>()).transpose();
        let before =
            before.map_err(|_| Error::invalid_params("cursor must be next_cursor of the answer before"))?;
        let limit = self.limit.clamp(1, LIMIT_MAX);
        let caller = &context.caller;
        let wanted = Wanted {
            before,
            limit,
            workflow: self.workflow_id,
            state: self.status,
            owner: caller.name.clone(),
            tier: tier_seen(caller).map(str::to_owned),
        };
        let runs = agent.journal().runs(wanted).await?;
        let next_cursor = (runs.len() == limit).then(|| runs.last().map(|run| run.seq.to_string())).flatten();
        Ok(Runs { runs: runs.iter().map(RunView::of).collect(), next_cursor })
    }
}
