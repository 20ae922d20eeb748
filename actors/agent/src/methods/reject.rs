//! `mcp.agent.reject`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::Deserialize;

use super::approve::{Decided, asked, decide};
use crate::failure::Failure;
use crate::journal::Decision;
use crate::service::Agent;

/// Says no to what a run asks: the step fails, with the kind `rejected`, which the workflow may catch.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reject {
    /// The run.
    execution_id: String,
    /// Which step, by its place in `waits_for` of mcp.agent.getRun; may be left out while only one waits.
    #[serde(default)]
    step: Option<String>,
    /// Why; the workflow finds it as `error.message`.
    #[serde(default)]
    reason: Option<String>,
}

impl Method for Reject {
    const NAME: &'static str = "mcp.agent.reject";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::DESTROY;
    const RUN: Run = Run::Task;

    type Reply = Decided;
    type Service = Agent;

    async fn call(self, context: &Context, agent: &Agent) -> Result<Decided, Error> {
        let (run, row) = asked(agent, context, &self.execution_id, self.step.as_deref()).await?;
        let by = &context.caller.name;
        let message = self.reason.unwrap_or_else(|| format!("{by} said no"));
        let failure = Failure::new("rejected", message).at(&row.path).value();
        decide(agent, context, &run, row, Decision::Fail(failure), "rejected").await
    }
}
